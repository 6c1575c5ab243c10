/* The Live screen's cursor in time. */
#include "tests/fakes/desk.h"
#include "tui/screen_live.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
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

/* A target that has run for three minutes, and a look half an hour back. */
static void before_a_young_history_nothing_is_known(void **state)
{
	Desk *desk = *state;
	LiveView *live = &desk->live;
	views_fill_live(live, 12);
	start(desk, SCREEN_LIVE, false);
	desk->console.cursor_ms = live->wall_ms - 1800000;
	const char *text = screen_text(desk);
	assert_non_null(strstr(text, " PAST "));
	assert_non_null(strstr(text, "rps          ?"));
	assert_non_null(strstr(text, "p95          ?"));
	assert_non_null(strstr(text, "desired ?"));
	assert_non_null(strstr(text, "no decision this old"));
	assert_non_null(strstr(text, "Esc returns to now"));
	assert_non_null(strstr(text, ", 30 m 00 s ago"));
	live->n_history = live->n_rows = 0; /* younger still */
	text = screen_text(desk);
	assert_non_null(strstr(text, " PAST "));
	assert_non_null(strstr(text, "rps          ?"));
	press(desk, KEY_ESC);
	assert_null(strstr(screen_text(desk), " PAST "));
}

static void in_a_gap_nothing_is_known(void **state)
{
	Desk *desk = *state;
	LiveView *live = &desk->live;
	start(desk, SCREEN_LIVE, false);
	int last = live->n_history - 1;
	for (int i = last - 9; i <= last; i++) /* the loop stood still for five minutes */
		live->history[i].wall_ms += 300000;
	live->wall_ms += 300000;
	int64_t before = live->history[last - 10].wall_ms;
	desk->console.cursor_ms = before + 30000;
	assert_null(strstr(screen_text(desk), "rps          ?"));
	desk->console.cursor_ms = before + 60000;
	assert_non_null(strstr(screen_text(desk), "rps          ?"));
	assert_non_null(strstr(screen_text(desk), " PAST "));
}

static void the_clock_goes_on_over_a_frozen_picture(void **state)
{
	Desk *desk = *state;
	char clock[32];
	start(desk, SCREEN_LIVE, false);
	console_refresh(&desk->console, 1000);
	press(desk, 'f');
	(void) snprintf(clock, sizeof clock, "%s", strrchr(strtok((char *) screen_text(desk), "\n"), ' ') + 1);
	desk->fake.frame.wall_ms += 5000; /* not taken */
	console_refresh(&desk->console, 4000);
	const char *row = strtok((char *) screen_text(desk), "\n");
	assert_non_null(strstr(row, " FROZEN "));
	int before = atoi(clock + 6), after = atoi(strrchr(row, ' ') + 7);
	assert_int_equal((after - before + 60) % 60, 3);
	assert_non_null(strstr(screen_text(desk), "data  6 s old")); /* of when it was frozen */
}

static void a_command_over_a_frozen_picture_shows_its_answer(void **state)
{
	Desk *desk = *state;
	start(desk, SCREEN_TRAIN, false);
	press(desk, 'f');
	press(desk, 'c');
	assert_null(strstr(screen_text(desk), "FROZEN"));
	desk->train.answers = (CommandAnswers) { 1, { { desk->fake.sent[0].id, 0, "saved" } } };
	console_refresh(&desk->console, 2000);
	assert_non_null(strstr(screen_text(desk), "checkpoint: saved"));
}

static void a_hold_that_ends_soon_stands_out(void **state)
{
	Desk *desk = *state;
	LiveView *live = &desk->live;
	live->is_simulated = false;
	live->speed = 1;
	live->state = STATE_MANUAL;
	live->manual_replicas = 8;
	live->manual_until_wall_ms = live->wall_ms + 180000;
	str_copy(live->manual_who, sizeof live->manual_who, "alice");
	start(desk, SCREEN_LIVE, false);
	assert_non_null(strstr(screen_text(desk), "8 by alice, 3 m 00 s left"));
	assert_null(strstr(screen_text(desk), ":hold"));
	live->manual_until_wall_ms = live->wall_ms + 90000;
	assert_non_null(strstr(screen_text(desk), " 8 by alice, 1 m 30 s left "));
	assert_non_null(strstr(screen_text(desk), ":hold 10m 8"));
	desk->console.opts.is_readonly = true; /* nothing to type here */
	assert_null(strstr(screen_text(desk), ":hold"));
	desk->console.opts.is_readonly = false;
	int col = (int) (strstr(screen_text(desk), "by alice") - screen_text(desk));
	assert_int_equal(canvas_cell(&desk->console.canvas, 0, col)->role, ROLE_BADGE_WARN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(cursor_shows_the_decision_that_it_is_on),
		DESK_TEST(cursor_stays_at_its_time_while_decisions_come_in),
		DESK_TEST(cursor_walks_the_history_and_its_values_are_shown),
		DESK_TEST(unknown_in_the_past_is_no_number),
		DESK_TEST(before_a_young_history_nothing_is_known),
		DESK_TEST(in_a_gap_nothing_is_known),
		DESK_TEST(the_clock_goes_on_over_a_frozen_picture),
		DESK_TEST(a_command_over_a_frozen_picture_shows_its_answer),
		DESK_TEST(a_hold_that_ends_soon_stands_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
