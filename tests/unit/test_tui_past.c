/* The Live screen's cursor in time. */
#include "tests/fakes/desk.h"
#include "tui/screen_live.h"

#include <math.h>
#include <string.h>

static void cursor_shows_the_decision_that_it_is_on(void **state)
{
	Desk *desk = *state;
	start(desk, SCREEN_LIVE, false);
	desk->live.row[2].decision.hpa = 11;
	str_copy(desk->live.row[2].who, sizeof desk->live.row[2].who, "mallory");
	assert_null(strstr(screen_text(desk), "by mallory"));
	press(desk, KEY_DOWN_);
	press(desk, KEY_DOWN_);
	assert_non_null(strstr(screen_text(desk), "by mallory"));
	assert_non_null(strstr(screen_text(desk), "HPA     11"));
	assert_non_null(strstr(screen_text(desk), "PAST"));
	press(desk, KEY_ESC);
	assert_null(strstr(screen_text(desk), "by mallory"));
	assert_null(strstr(screen_text(desk), "PAST"));
}

static void cursor_stays_at_its_time_while_decisions_come_in(void **state)
{
	Desk *desk = *state;
	LiveView *live = &desk->live;
	start(desk, SCREEN_LIVE, false);
	press(desk, KEY_DOWN_);
	int64_t at = live->row[1].wall_ms;
	for (int i = live->n_rows - 1; i > 0; i--)
		live->row[i] = live->row[i - 1];
	live->row[0].wall_ms += 15000;
	console_refresh(&desk->console, 2000);
	assert_int_equal(desk->console.cursor_ms, at);
	assert_int_equal(live_cursor_row(live, at), 2);
}

static void cursor_walks_the_history_and_its_values_are_shown(void **state)
{
	Desk *desk = *state;
	LiveView *live = &desk->live;
	start(desk, SCREEN_LIVE, false);
	live->history[live->n_history - 12].rps = 4321;
	press(desk, '.'); /* nothing is later than now */
	assert_int_equal(desk->console.cursor_ms, 0);
	press(desk, '<');
	press(desk, ',');
	assert_int_equal(desk->console.cursor_ms, live->history[live->n_history - 12].wall_ms);
	assert_non_null(strstr(screen_text(desk), "4.32 k/s "));
	for (int i = 0; i < 100; i++)
		press(desk, '<');
	assert_int_equal(desk->console.cursor_ms, live->history[0].wall_ms);
	assert_non_null(strstr(screen_text(desk), "no decision this old")); /* the table is shorter than the history */
	for (int i = 0; i < 100; i++)
		press(desk, '>');
	assert_int_equal(desk->console.cursor_ms, 0);
}

static void unknown_in_the_past_is_no_number(void **state)
{
	Desk *desk = *state;
	LiveView *live = &desk->live;
	start(desk, SCREEN_LIVE, false);
	live->history[live->n_history - 2].rps = NAN;
	press(desk, ',');
	assert_non_null(strstr(screen_text(desk), "rps          ?"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(cursor_shows_the_decision_that_it_is_on),
		DESK_TEST(cursor_stays_at_its_time_while_decisions_come_in),
		DESK_TEST(cursor_walks_the_history_and_its_values_are_shown),
		DESK_TEST(unknown_in_the_past_is_no_number),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
