/* The console's talk with the store: one question at a time, late answers, what failed. */
#include "tests/fakes/desk.h"

#include <string.h>

static void answer_from_store(Desk *desk, void (*fill)(ArchiveAnswer *))
{
	fill(&desk->answer);
	desk->answer.query_id = desk->fake.n_asked;
	desk->fake.frame.archive = &desk->answer;
	console_refresh(&desk->console, 100);
}

static void fill_selected(ArchiveAnswer *answer)
{
	views_fill_run(answer, 136);
}

static void runs_asks_for_the_list_and_then_the_selected_run(void **state)
{
	Desk *desk = *state;
	desk->fake.has_store = true;
	start(desk, SCREEN_RUNS, false);
	assert_int_equal(desk->fake.asked.ask, ARCHIVE_RUNS);
	assert_non_null(strstr(screen_text(desk), "asking the store"));
	answer_from_store(desk, views_fill_runs);
	assert_int_equal(desk->fake.asked.ask, ARCHIVE_RUN);
	assert_int_equal(desk->fake.asked.run_id, 137);
	int64_t asked = desk->fake.n_asked;
	console_refresh(&desk->console, 200); /* one question at a time */
	assert_int_equal(desk->fake.n_asked, asked);
	press(desk, KEY_DOWN_);
	answer_from_store(desk, fill_selected); /* the late answer of 137's question shows 136's name in row[0] */
	assert_int_equal(desk->fake.asked.run_id, 136);
	answer_from_store(desk, fill_selected);
	assert_non_null(strstr(screen_text(desk), "136 web-lr3e-4"));
	assert_non_null(strstr(screen_text(desk), "learning_rate  0.0003"));
	press(desk, KEY_ENTER_);
	assert_null(strstr(screen_text(desk), "- Runs -")); /* the run has the screen */
	assert_non_null(strstr(screen_text(desk), "learning_rate  0.0003"));
	press(desk, KEY_ESC);
	assert_non_null(strstr(screen_text(desk), "- Runs -"));
}

static void marked_run_is_named_while_the_store_is_asked(void **state)
{
	Desk *desk = *state;
	desk->fake.has_store = true;
	start(desk, SCREEN_RUNS, false);
	answer_from_store(desk, views_fill_runs);
	const char *text = screen_text(desk);
	assert_non_null(strstr(text, "137 first-run, running -"));
	assert_non_null(strstr(text, "asking the store"));
	assert_true(console_awaits(&desk->console));
}

static void fill_control_run(ArchiveAnswer *answer)
{
	views_fill_run(answer, 134);
}

static void control_run_shows_its_last_decisions(void **state)
{
	Desk *desk = *state;
	desk->fake.has_store = true;
	start(desk, SCREEN_RUNS, false);
	answer_from_store(desk, views_fill_runs);
	for (int i = 0; i < 3; i++)
		press(desk, KEY_DOWN_);
	answer_from_store(desk, fill_control_run); /* of 137's question */
	answer_from_store(desk, fill_control_run);
	const char *text = screen_text(desk);
	assert_non_null(strstr(text, "of 2.40 k decisions"));
	assert_non_null(strstr(text, "PolicyUp"));
	assert_non_null(strstr(text, "min-replicas  2"));
}

static void runs_says_what_failed(void **state)
{
	Desk *desk = *state;
	desk->fake.has_store = true;
	start(desk, SCREEN_RUNS, false);
	desk->answer = (ArchiveAnswer) { .query_id = desk->fake.n_asked, .code = ERR_STORE,
		.text = "maestro.db: disk image is malformed" };
	desk->fake.frame.archive = &desk->answer;
	console_refresh(&desk->console, 100);
	assert_non_null(strstr(screen_text(desk), "disk image is malformed"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(runs_asks_for_the_list_and_then_the_selected_run),
		DESK_TEST(marked_run_is_named_while_the_store_is_asked),
		DESK_TEST(control_run_shows_its_last_decisions),
		DESK_TEST(runs_says_what_failed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
