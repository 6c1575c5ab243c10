/* The console's talk with the store: one question at a time, late answers, what failed. */
#include "tests/fakes/desk.h"
#include "tui/export.h"
#include "tui/screen_runs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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

static void fill_groups(ArchiveAnswer *answer)
{
	views_fill_runs(answer);
	answer->n_rows = answer->n_groups = 2;
	answer->matched = 2;
	answer->group[0] = (RunGroup) { .n = 3, .n_seeds = 3, .id = { 137, 130, 129 }, .iqm = 56.75, .lo = 55.5, .hi = 57.25, .mixed = MIXED_STATUS,
		.mean_steps = 1234000 };
	answer->group[1] = (RunGroup) { .n = 1, .n_seeds = 1, .id = { 136 }, .iqm = 33, .lo = NAN, .hi = NAN };
}

static void fill_control_group(ArchiveAnswer *answer)
{
	fill_groups(answer);
	answer->row[0].kind = RUN_CONTROL;
}

/* Of a group of control runs none is compared, not even those that stand behind its row. */
static void a_group_of_control_runs_is_not_compared(void **state)
{
	Desk *desk = *state;
	desk->fake.has_store = true;
	start(desk, SCREEN_RUNS, false);
	answer_from_store(desk, views_fill_runs);
	answer_from_store(desk, fill_selected);
	press(desk, 'v');
	answer_from_store(desk, fill_control_group);
	press(desk, KEY_HOME_);
	press(desk, ' ');
	press(desk, '=');
	assert_int_equal(desk->console.screen, SCREEN_RUNS);
	assert_non_null(strstr(screen_text(desk), "mark two trainings or more"));
}

static void a_group_is_one_row_and_is_compared_whole(void **state)
{
	Desk *desk = *state;
	desk->fake.has_store = true;
	start(desk, SCREEN_RUNS, false);
	answer_from_store(desk, views_fill_runs);
	answer_from_store(desk, fill_selected);
	assert_non_null(strstr(screen_text(desk), " pod-h"));
	assert_false(desk->fake.asked.is_grouped);
	press(desk, 'v');
	assert_true(desk->fake.asked.is_grouped);
	answer_from_store(desk, fill_groups);
	const char *text = screen_text(desk);
	assert_non_null(strstr(text, "2 groups of 48 runs"));
	assert_non_null(strstr(text, "[55.50 57.25]"));
	assert_non_null(strstr(text, "n=1, none")); /* no interval of one seed */
	assert_non_null(strstr(text, "mixed"));
	assert_non_null(strstr(text, "1.23 M")); /* the mean, not the newest's */
	assert_non_null(strstr(text, " pod-h")); /* the store answers with the group's mean */
	static const char *const OF_ONE_RUN[] = { " reward", " seed", " took" }; /* the newest run's would pass for the group's */
	for (size_t i = 0; i < sizeof OF_ONE_RUN / sizeof *OF_ONE_RUN; i++)
		if (strstr(text, OF_ONE_RUN[i]))
			fail_msg("a group has \"%s\":\n%s", OF_ONE_RUN[i], text);
	press(desk, KEY_HOME_);
	press(desk, ' ');
	assert_non_null(strstr(screen_text(desk), "3 marked"));
	press(desk, '=');
	assert_int_equal(desk->console.screen, SCREEN_COMPARE);
	assert_int_equal(desk->console.compare.n_ids, 3);
	assert_int_equal(desk->console.compare.id[2], 129);
}

static const char *news_of; /* target */

static void fill_news(ArchiveAnswer *answer)
{
	*answer = (ArchiveAnswer) { .ask = ARCHIVE_LOG, .n_events = 2, .event = {
		{ .run_id = -1, .level = EVENT_WARNING, .source = "checkout-web", .text = "of another target" },
		{ .run_id = -1, .level = EVENT_WARNING, .text = "Active -> Hold: no metrics" } } };
	str_copy(answer->event[1].source, sizeof answer->event[1].source, news_of);
}

/* A wide terminal has the target's pods and events beside the rest; a narrow one asks for none. */
static void wide_live_lists_pods_and_the_targets_events(void **state)
{
	Desk *desk = *state;
	desk->fake.has_store = true;
	desk->live.n_pods = 2;
	desk->live.pod[0] = (PodView) { .name = "7d4b-x2kqp", .is_ready = true, .cpu_cores = .6f, .cpu_request_cores = .5f, .age_ms = 7261000 };
	desk->live.pod[1] = (PodView) { .name = "7d4b-r8w4n", .cpu_cores = NAN, .cpu_request_cores = NAN, .age_ms = -1 };
	start(desk, SCREEN_LIVE, false);
	desk->console.talk.asked_id = 0;
	int64_t asked = desk->fake.n_asked;
	console_refresh(&desk->console, 5000);
	assert_int_equal(desk->fake.n_asked, asked);
	assert_null(strstr(screen_text(desk), "- Pods "));
	assert_int_equal(console_resize(&desk->console, 60, 200), 0);
	console_refresh(&desk->console, 5001);
	assert_int_equal(desk->fake.asked.ask, ARCHIVE_LOG);
	assert_string_equal(desk->fake.asked.filter, desk->live.target.name);
	assert_true(console_awaits(&desk->console)); /* the first wait for no tick */
	news_of = desk->live.target.name;
	answer_from_store(desk, fill_news);
	const char *text = screen_text(desk), *first = strstr(text, "7d4b-x2kqp"), *second = strstr(text, "7d4b-r8w4n");
	assert_non_null(first);
	assert_non_null(second);
	assert_int_equal(strncmp(strstr(first, "ready"), "ready  0.60 cores      120 %   2 h", 34), 0);
	assert_int_equal(strncmp(strstr(second, "coming"), "coming          ?          ?     ?", 34), 0);
	assert_non_null(strstr(text, "! Active -> Hold: no metrics"));
	assert_null(strstr(text, "of another target"));
	asked = desk->fake.n_asked;
	console_refresh(&desk->console, 9000);
	assert_int_equal(desk->fake.n_asked, asked + 1);
	assert_false(console_awaits(&desk->console)); /* later ones come with the data */
}

static const char *columns_shown(Desk *desk)
{
	static char titles[200];
	Column column[COLUMNS_MAX];
	int n = runs_pick_columns(&desk->console, column);
	titles[0] = '\0';
	for (int i = 0; i < n; i++)
		(void) snprintf(titles + strlen(titles), sizeof titles - strlen(titles), "%s%s", column[i].title, column[i].title[0] ? "," : "");
	return titles;
}

static void choose_columns(Desk *desk, const char *words)
{
	press(desk, ':');
	type(desk, words);
	press(desk, KEY_ENTER_);
}

static void columns_are_a_list_and_its_changes_in_any_order(void **state)
{
	Desk *desk = *state;
	desk->fake.has_store = true;
	start(desk, SCREEN_RUNS, false);
	answer_from_store(desk, views_fill_runs);
	choose_columns(desk, "cols +note id");
	assert_string_equal(columns_shown(desk), "id,note,");
	choose_columns(desk, "cols -note name steps");
	assert_string_equal(columns_shown(desk), "name,steps,");
	choose_columns(desk, "cols -steps");
	assert_string_equal(columns_shown(desk), "name,");
	choose_columns(desk, "cols -name");
	assert_non_null(strstr(desk->console.prompt.problem, "must keep a column"));
	press(desk, KEY_ESC);
	choose_columns(desk, "cols seed took");
	assert_string_equal(columns_shown(desk), "seed,took,");
	desk->console.talk.asked_id = 0;
	press(desk, 'v'); /* a group has neither */
	answer_from_store(desk, fill_groups);
	assert_string_equal(columns_shown(desk), "name,");
	assert_non_null(strstr(screen_text(desk), "first-run"));
}

static void a_name_with_blanks_is_one_word_of_a_fork(void **state)
{
	Desk *desk = *state;
	static const struct { const char *name, *word; } CASES[] = { { "plain", "--name plain-fork " }, { "my run", "--name 'my run-fork' " },
		{ "it's mine", "--name \"it's mine-fork\" " } };
	desk->fake.has_store = true;
	start(desk, SCREEN_RUNS, false);
	answer_from_store(desk, views_fill_runs);
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		str_copy(desk->console.talk.slot[SLOT_RUNS].answer->row[0].name, 64, CASES[i].name);
		press(desk, 'F');
		assert_non_null(strstr(desk->console.prompt.text, CASES[i].word));
		press(desk, KEY_ESC);
	}
}

static const int64_t PAIR[] = { 137, 136, 135, 133, 132, 131 };

static void fill_pair(ArchiveAnswer *answer)
{
	views_fill_pair(answer, PAIR, 6);
	for (int i = 3; i < 6; i++) { /* half as fast, from another machine, and nobody knows its episodes */
		for (int p = 0; p < COMPARE_POINTS; p++)
			answer->compared[i].wall_ms[p] = 2 * answer->compared[0].wall_ms[p];
		answer->compared[i].episode_steps = 0;
		(void) snprintf(answer->compared[i].row.host, sizeof answer->compared[i].row.host, "laptop");
	}
}

/* On Compare, for the two configurations of fill_pair; nothing is asked yet. */
static CompareView *start_compare(Desk *desk)
{
	desk->fake.has_store = true;
	start(desk, SCREEN_COMPARE, false);
	CompareView *view = &desk->console.compare;
	memcpy(view->id, PAIR, sizeof PAIR);
	view->n_ids = 6;
	return view;
}

/* Keys are taken, and the screen drawn, while they are made; what they are of may have changed by then. */
static void many_resamples_are_made_beside_the_screen(void **state)
{
	Desk *desk = *state;
	CompareView *view = start_compare(desk);
	desk->console.talk.asked_id = 0;
	console_refresh(&desk->console, 50);
	answer_from_store(desk, fill_pair);
	assert_non_null(strstr(screen_text(desk), "2000 resamples, by trace"));
	double lo = view->entry[1].difference.lo;
	press(desk, 'b');
	assert_non_null(strstr(screen_text(desk), "of 2000, computing 50000")); /* those that there are, and said so */
	press(desk, 'P');
	press(desk, 'j'); /* the other is the baseline, then the first again: a job is of what it was begun for */
	press(desk, 'P');
	for (int i = 0; desk->console.work; i++) {
		console_refresh(&desk->console, 100 + i);
		(void) usleep(1000);
	}
	assert_non_null(strstr(screen_text(desk), "50000 resamples, by trace"));
	assert_int_equal(view->baseline, 1);
	assert_true(isfinite(view->entry[0].better.lo) && view->entry[0].better.lo <= view->entry[0].better.value);
	press(desk, 'k');
	press(desk, 'P');
	press(desk, 'b');
	assert_non_null(strstr(screen_text(desk), "2000 resamples, by trace"));
	assert_true(view->entry[1].difference.lo == lo);
	press(desk, 'b'); /* left while it is at work */
}

static void compare_has_other_axes_and_a_cursor(void **state)
{
	Desk *desk = *state;
	CompareView *view = start_compare(desk);
	console_refresh(&desk->console, 100); /* the first answer is Runs' own */
	answer_from_store(desk, views_fill_runs);
	console_refresh(&desk->console, 200);
	answer_from_store(desk, fill_pair);
	assert_int_equal(view->n, 2);
	assert_float_equal(view->entry[0].x[view->entry[0].n_points - 1], 2000000, 1);
	assert_non_null(strstr(screen_text(desk), "host              build-7"));
	assert_non_null(strstr(screen_text(desk), "laptop"));
	press(desk, 'x');
	assert_non_null(strstr(screen_text(desk), "x wall time"));
	assert_float_equal(view->entry[0].x[view->entry[0].n_points - 1], 4.8, 1e-6);
	assert_float_equal(view->entry[1].x[view->entry[1].n_points - 1], 9.6, 1e-6);
	double middle = compare_at(&view->entry[1], FIGURE_REWARD, 4.8);
	press(desk, 'x');
	assert_int_equal(view->entry[1].n_points, 0); /* unknown is not drawn */
	assert_float_equal(view->entry[0].x[view->entry[0].n_points - 1], 10000, 1e-6);
	press(desk, 'x');
	assert_float_equal(compare_at(&view->entry[1], FIGURE_REWARD, 50), middle, 1); /* half of the run */
	press(desk, KEY_LEFT_);
	assert_non_null(strstr(screen_text(desk), "at 100 %  A "));
	press(desk, KEY_ESC);
	assert_int_equal(desk->console.screen, SCREEN_COMPARE); /* the cursor went first */
	assert_null(strstr(screen_text(desk), "at 100 %"));
	press(desk, 's');
	assert_non_null(strstr(screen_text(desk), "smooth 0.1"));
}

static void fill_gaps(ArchiveAnswer *answer)
{
	static const EpisodeFigures NONE = { NAN, NAN, NAN, NAN, NAN };
	fill_pair(answer);
	for (int i = 0; i < 6; i++)
		for (int p = 0; p < COMPARE_POINTS; p++)
			if (i >= 3 || p < 32)
				answer->compared[i].episode[p] = NONE;
}

/* Where no evaluation episode is stored there is no curve, and no number. */
static void compare_shows_what_evaluations_cost_where_they_stored_it(void **state)
{
	Desk *desk = *state;
	CompareView *view = start_compare(desk);
	desk->console.talk.asked_id = 0;
	assert_int_equal(console_resize(&desk->console, 60, 200), 0);
	console_refresh(&desk->console, 50);
	answer_from_store(desk, fill_gaps);
	assert_true(isnan(compare_at(&view->entry[0], FIGURE_HOURS, 500000)));
	assert_true(isfinite(compare_at(&view->entry[0], FIGURE_HOURS, 1500000)));
	assert_true(isfinite(compare_at(&view->entry[0], FIGURE_REWARD, 500000)));
	const char *text = screen_text(desk), *line = strstr(text, "steps over soft  A ");
	assert_non_null(line);
	assert_non_null(strstr(line, "%  B ?  H "));
	for (int i = 0; i < 3; i++)
		for (int p = 0; p < COMPARE_POINTS; p++)
			desk->answer.compared[i].episode[p] = desk->answer.compared[3].episode[p];
	compare_build(view, &desk->answer);
	assert_non_null(strstr(screen_text(desk), "no evaluation episode is stored for these runs"));
}

/* Runs that differ in the seed alone are one entry, which is said; parted, the seed is what differs. */
static void seeds_of_one_configuration_are_told_and_parted(void **state)
{
	Desk *desk = *state;
	CompareView *view = start_compare(desk);
	desk->console.talk.asked_id = 0;
	console_refresh(&desk->console, 50);
	answer_from_store(desk, fill_pair);
	const char *text = screen_text(desk);
	assert_non_null(strstr(text, "! A has 3 seeds: wide interval"));
	assert_non_null(strstr(text, "A: 3 seeds of one configuration (1 2 3)"));
	assert_non_null(strstr(text, "P(A > H) 1.00 [1.00 1.00]"));
	assert_null(strstr(text, "| seed "));
	press(desk, 'v');
	assert_int_equal(view->n, 6);
	text = screen_text(desk);
	assert_non_null(strstr(text, "| seed "));
	assert_null(strstr(text, "seeds of one configuration"));
	assert_null(strstr(text, "P(A > H)")); /* no probability of one run */
}

static void a_fork_begins_at_the_chosen_checkpoint(void **state)
{
	Desk *desk = *state;
	desk->fake.has_store = true;
	start(desk, SCREEN_RUNS, false);
	answer_from_store(desk, views_fill_runs);
	press(desk, KEY_DOWN_);
	answer_from_store(desk, fill_selected); /* 137's question, late */
	answer_from_store(desk, fill_selected);
	press(desk, 'F');
	assert_string_equal(desk->console.prompt.text, "--from 136 --name web-lr3e-4-fork ");
	press(desk, KEY_ESC);
	press(desk, KEY_TAB_);
	press(desk, 'F');
	assert_string_equal(desk->console.prompt.text, "--from 136@2000896 --name web-lr3e-4-fork ");
	press(desk, KEY_ESC);
	press(desk, KEY_DOWN_);
	press(desk, 'F'); /* the best policy has no state: a training from the policy alone */
	assert_string_equal(desk->console.prompt.text, "--from /var/lib/maestro/runs/136/best.safetensors --name web-lr3e-4-fork ");
	press(desk, KEY_ESC);
	press(desk, KEY_DOWN_);
	press(desk, 'F');
	assert_int_equal(desk->console.prompt.kind, PROMPT_NONE);
	assert_non_null(strstr(screen_text(desk), "this checkpoint's file is gone"));
	press(desk, KEY_UP_);
	ArchiveCheckpoint *best = &desk->console.talk.slot[SLOT_RUN].answer->checkpoint[1];
	str_copy(best->path, sizeof best->path, "/data/my runs/136/best.safetensors");
	press(desk, 'F');
	assert_string_equal(desk->console.prompt.text, "--from '/data/my runs/136/best.safetensors' --name web-lr3e-4-fork ");
	press(desk, KEY_ESC);
	memset(best->path, 'x', sizeof best->path - 1);
	press(desk, 'F');
	assert_int_equal(desk->console.prompt.kind, PROMPT_NONE); /* half of a path is another file */
	assert_non_null(strstr(screen_text(desk), "path is too long"));
}

static void fill_young(ArchiveAnswer *answer)
{
	views_fill_run(answer, 137);
	answer->n_checkpoints = 1;
	answer->checkpoint[2].steps = 777;
}

static void another_run_under_the_selection_has_its_own_checkpoints(void **state)
{
	Desk *desk = *state;
	desk->fake.has_store = true;
	start(desk, SCREEN_RUNS, false);
	answer_from_store(desk, views_fill_runs);
	press(desk, KEY_DOWN_);
	answer_from_store(desk, fill_selected);
	answer_from_store(desk, fill_selected);
	press(desk, KEY_TAB_);
	press(desk, KEY_DOWN_);
	press(desk, KEY_DOWN_);
	assert_int_equal(desk->console.runs.checkpoint, 2);
	desk->console.keymap.key[keys_row(ACT_FORK, SCREEN_RUNS)] = 'k';
	assert_non_null(strstr(screen_text(desk), "k forks the chosen one"));
	press(desk, 'S'); /* the other way round, from the first row on */
	answer_from_store(desk, views_fill_runs);
	answer_from_store(desk, fill_young);
	assert_int_equal(desk->console.runs.checkpoint, 0);
	assert_non_null(strstr(screen_text(desk), "k forks the chosen one"));
	assert_null(strstr(screen_text(desk), " 777"));
}

static void fill_event(ArchiveAnswer *answer)
{
	*answer = (ArchiveAnswer) { .ask = ARCHIVE_LOG, .n_events = 1,
		.event = { { .wall_ms = views_wall_ms() - 60000, .level = EVENT_WARNING, .source = "web", .text = "x" } } };
}

/* On the screen a time of today is enough. */
static void exported_events_have_their_day(void **state)
{
	Desk *desk = *state;
	StrBuf text = { 0 };
	char stamp[64];
	time_t s = (time_t) (views_wall_ms() / 1000) - 60;
	struct tm local;
	(void) localtime_r(&s, &local);
	desk->fake.has_store = true;
	start(desk, SCREEN_EVENTS, false);
	console_refresh(&desk->console, 100); /* the first answer is Runs' own */
	answer_from_store(desk, views_fill_runs);
	console_refresh(&desk->console, 200);
	answer_from_store(desk, fill_event);
	(void) strftime(stamp, sizeof stamp, "%Y-%m-%d %H:%M:%S", &local);
	assert_non_null(strstr(screen_text(desk), stamp + 11));
	assert_null(strstr(screen_text(desk), stamp));
	assert_int_equal(export_text(&desk->console, "events.csv", &text), 0);
	if (!strstr(text.data, stamp))
		fail_msg("no %s in\n%s", stamp, text.data);
	strbuf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(runs_asks_for_the_list_and_then_the_selected_run),
		DESK_TEST(marked_run_is_named_while_the_store_is_asked),
		DESK_TEST(control_run_shows_its_last_decisions),
		DESK_TEST(runs_says_what_failed),
		DESK_TEST(a_group_of_control_runs_is_not_compared),
		DESK_TEST(a_group_is_one_row_and_is_compared_whole),
		DESK_TEST(columns_are_a_list_and_its_changes_in_any_order),
		DESK_TEST(a_name_with_blanks_is_one_word_of_a_fork),
		DESK_TEST(wide_live_lists_pods_and_the_targets_events),
		DESK_TEST(many_resamples_are_made_beside_the_screen),
		DESK_TEST(compare_has_other_axes_and_a_cursor),
		DESK_TEST(compare_shows_what_evaluations_cost_where_they_stored_it),
		DESK_TEST(seeds_of_one_configuration_are_told_and_parted),
		DESK_TEST(a_fork_begins_at_the_chosen_checkpoint),
		DESK_TEST(another_run_under_the_selection_has_its_own_checkpoints),
		DESK_TEST(exported_events_have_their_day),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
