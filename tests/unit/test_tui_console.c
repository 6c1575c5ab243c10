/* The console over a fake feed: dialogs, commands and their answers, read-only mode, the talk with the store. */
#include "tests/fakes/fake_feed.h"
#include "tests/fakes/views.h"
#include "tui/console.h"
#include "tui/screen_live.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct Desk {
	TrainView train;
	LiveView live;
	ArchiveAnswer answer;
	FakeFeed fake;
	Console console;
	StrBuf text;
} Desk;

static int open_desk(void **state)
{
	Desk *desk = calloc(1, sizeof *desk);
	if (!desk)
		return -1;
	views_fill_train(&desk->train, .5);
	views_fill_live(&desk->live, 120);
	desk->live.last.sample.replicas = 4;
	desk->live.last.decision.is_applied = false;
	fake_feed_init(&desk->fake, &desk->train, &desk->live);
	*state = desk;
	return 0;
}

static void start(Desk *desk, ScreenId screen, bool is_readonly)
{
	UiOptions opts = { .screen = screen, .who = "alice", .is_readonly = is_readonly };
	assert_int_equal(console_init(&desk->console, &desk->fake.feed, &opts, GLYPHS_ASCII, 30, 100), 0);
	console_draw(&desk->console);
}

static int close_desk(void **state)
{
	Desk *desk = *state;
	console_done(&desk->console);
	assert_int_equal(desk->fake.lent, 0); /* every frame was given back */
	strbuf_done(&desk->text);
	free(desk);
	return 0;
}

static ConsoleResult press(Desk *desk, int key)
{
	ConsoleResult result = console_key(&desk->console, key, 1000);
	console_draw(&desk->console);
	return result;
}

static void type(Desk *desk, const char *text)
{
	while (*text)
		(void) press(desk, *text++);
}

static const char *screen_text(Desk *desk)
{
	strbuf_clear(&desk->text);
	console_draw(&desk->console);
	canvas_to_text(&desk->console.canvas, &desk->text);
	return desk->text.data;
}

/* Tab until the button has the focus. */
static void focus_on(Desk *desk, int field)
{
	for (int i = 0; i < 20 && desk->console.dialog.focus != field; i++)
		(void) press(desk, KEY_TAB_);
	assert_int_equal(desk->console.dialog.focus, field);
}

/* ---- override ---- */

static void override_starts_on_cancel(void **state)
{
	Desk *desk = *state;
	start(desk, SCREEN_LIVE, false);
	press(desk, 'o');
	assert_int_equal(desk->console.dialog.kind, DIALOG_OVERRIDE);
	press(desk, KEY_ENTER_);
	assert_int_equal(desk->console.dialog.kind, DIALOG_NONE);
	assert_int_equal(desk->fake.n_sent, 0);
}

static void override_sends_what_was_seen(void **state)
{
	Desk *desk = *state;
	start(desk, SCREEN_LIVE, false);
	press(desk, 'o');
	press(desk, '5');
	assert_non_null(strstr(screen_text(desk), "4 > 5 replicas"));
	focus_on(desk, OVERRIDE_REASON);
	type(desk, "launch");
	press(desk, KEY_ENTER_); /* to Apply */
	assert_int_equal(desk->fake.n_sent, 0);
	press(desk, KEY_ENTER_);
	assert_int_equal(desk->fake.n_sent, 1);
	const Command *c = &desk->fake.sent[0];
	assert_int_equal(c->kind, COMMAND_LIVE_OVERRIDE);
	assert_int_equal(c->u.override_.replicas, 5);
	assert_int_equal(c->u.override_.seen, 4);
	assert_int_equal(c->u.override_.hold_ms, 600000);
	assert_string_equal(c->u.override_.reason, "launch");
	assert_string_equal(c->who, "alice");
}

static void a_number_and_enter_twice_is_enough(void **state)
{
	Desk *desk = *state;
	start(desk, SCREEN_LIVE, false);
	press(desk, 'o');
	press(desk, '5');
	press(desk, KEY_ENTER_);
	assert_int_equal(desk->console.dialog.focus, OVERRIDE_APPLY);
	assert_int_equal(desk->fake.n_sent, 0);
	press(desk, KEY_ENTER_);
	assert_int_equal(desk->fake.n_sent, 1);
	assert_int_equal(desk->fake.sent[0].u.override_.replicas, 5);
}

static void a_number_and_enter_leads_to_the_name_where_it_is_asked(void **state)
{
	Desk *desk = *state;
	desk->live.is_simulated = false;
	start(desk, SCREEN_LIVE, false);
	press(desk, 'o');
	press(desk, '9');
	press(desk, KEY_ENTER_);
	assert_int_equal(desk->console.dialog.focus, OVERRIDE_NAME);
	press(desk, KEY_ENTER_); /* nothing typed: it says so and stays */
	assert_int_equal(desk->console.dialog.focus, OVERRIDE_NAME);
	assert_non_null(strstr(screen_text(desk), "type name: type the target's name"));
	type(desk, "web");
	press(desk, KEY_ENTER_);
	press(desk, KEY_ENTER_);
	assert_int_equal(desk->fake.n_sent, 1);
}

static void base_follows_the_loop_until_a_number_is_typed(void **state)
{
	Desk *desk = *state;
	start(desk, SCREEN_LIVE, false);
	press(desk, 'o');
	desk->live.last.sample.replicas = 6; /* the policy moved */
	console_refresh(&desk->console, 2000);
	assert_non_null(strstr(screen_text(desk), "6 > 7 replicas  now 6"));
	press(desk, '8');
	desk->live.last.sample.replicas = 5;
	console_refresh(&desk->console, 3000);
	assert_non_null(strstr(screen_text(desk), "6 > 8 replicas  now 5"));
	press(desk, KEY_ENTER_);
	press(desk, KEY_ENTER_);
	assert_int_equal(desk->fake.sent[0].u.override_.seen, 6);
}

static void a_dialog_looks_past_a_frozen_screen(void **state)
{
	Desk *desk = *state;
	start(desk, SCREEN_LIVE, false);
	press(desk, 'f');
	desk->live.last.sample.replicas = 6;
	press(desk, 'o');
	assert_non_null(strstr(screen_text(desk), "6 > 7 replicas"));
}

static void hold_is_checked_while_it_is_typed(void **state)
{
	Desk *desk = *state;
	start(desk, SCREEN_LIVE, false);
	press(desk, 'o');
	focus_on(desk, OVERRIDE_HOLD);
	assert_null(strstr(screen_text(desk), "? such as 90s"));
	type(desk, "x");
	assert_non_null(strstr(screen_text(desk), "? such as 90s, 10m or 1h"));
	press(desk, KEY_RUBOUT);
	assert_null(strstr(screen_text(desk), "? such as 90s"));
}

static void large_override_needs_the_name_typed(void **state)
{
	Desk *desk = *state;
	desk->live.is_simulated = false;
	start(desk, SCREEN_LIVE, false);
	press(desk, 'o');
	press(desk, '9'); /* 4 -> 9 is over half */
	focus_on(desk, OVERRIDE_APPLY);
	press(desk, KEY_ENTER_);
	assert_int_equal(desk->fake.n_sent, 0);
	assert_int_equal(desk->console.dialog.kind, DIALOG_OVERRIDE);
	assert_non_null(strstr(screen_text(desk), "type name: type the target's name"));
	assert_int_equal(desk->console.dialog.focus, OVERRIDE_NAME);
	type(desk, "web");
	focus_on(desk, OVERRIDE_APPLY);
	press(desk, KEY_ENTER_);
	assert_int_equal(desk->fake.n_sent, 1);
	assert_int_equal(desk->fake.sent[0].u.override_.replicas, 9);
}

static void name_is_asked_where_the_manual_says(void **state)
{
	Desk *desk = *state;
	start(desk, SCREEN_LIVE, false);
	static const struct { int seen, min, max; const char *to, *hold; bool needs; } CASES[] = {
		{ 1, 1, 12, "2", "10m", false }, { 2, 1, 12, "1", "10m", false }, /* one step is never large */
		{ 1, 1, 12, "3", "10m", true },  { 1, 0, 12, "0", "10m", true },
		{ 4, 2, 12, "5", "10m", false }, { 4, 2, 12, "6", "10m", false }, /* half is not over half */
		{ 4, 2, 12, "7", "10m", true },  { 4, 2, 12, "2", "10m", false },
		{ 4, 1, 12, "1", "10m", true },  { 4, 0, 12, "0", "10m", true },
		{ 10, 2, 12, "13", "10m", true }, { 3, 2, 12, "1", "10m", true },
		{ 4, 2, 12, "5", "1h", false },  { 4, 2, 12, "5", "61m", true },
	};
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		desk->live.last.sample.replicas = CASES[i].seen;
		desk->live.target.min_replicas = CASES[i].min;
		desk->live.target.max_replicas = CASES[i].max;
		for (int simulated = 0; simulated < 2; simulated++) {
			desk->live.is_simulated = simulated;
			Dialog dialog;
			dialog_open_override(&dialog, &desk->live);
			dialog.field[OVERRIDE_ACTION].at = CHOICE_SET;
			str_copy(dialog.field[OVERRIDE_REPLICAS].text, FIELD_TEXT_MAX, CASES[i].to);
			str_copy(dialog.field[OVERRIDE_HOLD].text, FIELD_TEXT_MAX, CASES[i].hold);
			assert_int_equal(dialog_needs_name(&dialog), CASES[i].needs && !simulated);
		}
	}
}

static void override_of_unknown_replicas_is_refused(void **state)
{
	Desk *desk = *state;
	desk->live.last.sample.valid = 0;
	start(desk, SCREEN_LIVE, false);
	press(desk, 'o');
	press(desk, '5');
	focus_on(desk, OVERRIDE_APPLY);
	press(desk, KEY_ENTER_);
	assert_int_equal(desk->fake.n_sent, 0);
	assert_non_null(strstr(screen_text(desk), "not known"));
}

static void nonsense_in_a_field_is_named(void **state)
{
	Desk *desk = *state;
	start(desk, SCREEN_LIVE, false);
	press(desk, 'o');
	press(desk, '5');
	type(desk, "x");
	focus_on(desk, OVERRIDE_APPLY);
	press(desk, KEY_ENTER_);
	assert_non_null(strstr(screen_text(desk), "replicas: a whole number"));
	focus_on(desk, OVERRIDE_REPLICAS);
	press(desk, KEY_RUBOUT);
	focus_on(desk, OVERRIDE_HOLD);
	type(desk, "q");
	focus_on(desk, OVERRIDE_APPLY);
	press(desk, KEY_ENTER_);
	assert_non_null(strstr(screen_text(desk), "hold for: such as"));
	assert_int_equal(desk->fake.n_sent, 0);
}

static void manual_target_offers_resume(void **state)
{
	Desk *desk = *state;
	desk->live.state = STATE_MANUAL;
	desk->live.manual_replicas = 7;
	start(desk, SCREEN_LIVE, false);
	assert_int_equal(live_replicas(&desk->live), 7); /* written since the last cycle */
	press(desk, 'o');
	focus_on(desk, OVERRIDE_APPLY);
	press(desk, KEY_ENTER_);
	assert_int_equal(desk->fake.n_sent, 1);
	assert_int_equal(desk->fake.sent[0].kind, COMMAND_LIVE_RESUME);
}

static void hold_is_read_with_its_unit(void **state)
{
	(void) state;
	assert_int_equal(dialog_parse_hold("90s"), 90000);
	assert_int_equal(dialog_parse_hold("10m"), 600000);
	assert_int_equal(dialog_parse_hold("1h30m"), 5400000);
	assert_int_equal(dialog_parse_hold("5"), 300000);
	static const char *const BAD[] = { "", "0m", "-5m", "m", "10x", "10 m", "99999999999999999999m", "1e3" };
	for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
		assert_int_equal(dialog_parse_hold(BAD[i]), -1);
}

/* ---- training ---- */

static void pause_and_resume_follow_the_phase(void **state)
{
	Desk *desk = *state;
	start(desk, SCREEN_TRAIN, false);
	press(desk, 'p');
	assert_true(desk->fake.sent[0].u.flag);
	desk->train.phase = TRAIN_PAUSED;
	press(desk, 'p');
	assert_int_equal(desk->fake.sent[1].kind, COMMAND_TRAIN_PAUSE);
	assert_false(desk->fake.sent[1].u.flag);
}

static void one_update_is_for_a_paused_run(void **state)
{
	Desk *desk = *state;
	start(desk, SCREEN_TRAIN, false);
	press(desk, 'n');
	assert_int_equal(desk->fake.n_sent, 0);
	assert_non_null(strstr(screen_text(desk), "pause first"));
	desk->train.phase = TRAIN_PAUSED;
	press(desk, 'n');
	assert_int_equal(desk->fake.sent[0].kind, COMMAND_TRAIN_ONE_UPDATE);
}

static void learning_rate_is_edited_as_old_to_new(void **state)
{
	Desk *desk = *state;
	start(desk, SCREEN_TRAIN, false);
	press(desk, 'l');
	assert_non_null(strstr(screen_text(desk), "now 1.0e-04"));
	type(desk, "5e-5");
	press(desk, KEY_ENTER_);
	press(desk, KEY_ENTER_);
	assert_int_equal(desk->fake.n_sent, 1);
	assert_int_equal(desk->fake.sent[0].kind, COMMAND_TRAIN_SET);
	assert_int_equal(desk->fake.sent[0].u.set.param, PARAM_LEARNING_RATE);
	assert_true(fabs(desk->fake.sent[0].u.set.value - 5e-5) < 1e-12);
	press(desk, 'h');
	type(desk, "oops");
	press(desk, KEY_ENTER_);
	press(desk, KEY_ENTER_);
	assert_int_equal(desk->fake.n_sent, 1);
}

static void answer_replaces_pending(void **state)
{
	Desk *desk = *state;
	start(desk, SCREEN_TRAIN, false);
	press(desk, 'c');
	assert_non_null(strstr(screen_text(desk), "checkpoint: pending"));
	desk->train.answers = (CommandAnswers) { 1, { { desk->fake.sent[0].id, 0, "saved at 1.00 M steps" } } };
	console_refresh(&desk->console, 2000);
	assert_non_null(strstr(screen_text(desk), "checkpoint: saved at 1.00 M steps"));
	console_refresh(&desk->console, 20000);
	assert_null(strstr(screen_text(desk), "saved at"));
}

static void full_queue_is_said(void **state)
{
	Desk *desk = *state;
	desk->fake.send_code = ERR_BUSY;
	start(desk, SCREEN_TRAIN, false);
	press(desk, 'c');
	assert_non_null(strstr(screen_text(desk), "checkpoint: queue is full"));
}

/* ---- read-only, leaving, robustness ---- */

static const int KEYS[] = { '1', '2', '3', 'p', 'n', 'c', 'l', 'h', 's', 'S', 'o', '-', '+', '=', 'j', 'k', 'g', 'G',
	'z', 'f', '?',
	'w', 'm', 'x', 'Q', ',', '.', '<', '>', ':', '/', '9', ' ', 0, KEY_TAB_, KEY_BACK_TAB, KEY_UP_, KEY_DOWN_, KEY_LEFT_,
	KEY_RIGHT_, KEY_PAGE_UP,
	KEY_PAGE_DOWN, KEY_HOME_, KEY_END_, KEY_CTRL_L, KEY_RUBOUT, 0x2603, KEY_ENTER_, KEY_ESC };
enum { N_KEYS = sizeof KEYS / sizeof *KEYS };

static void readonly_sends_nothing_whatever_is_pressed(void **state)
{
	Desk *desk = *state;
	start(desk, SCREEN_TRAIN, true);
	for (int i = 0; i < N_KEYS * N_KEYS; i++) {
		(void) press(desk, KEYS[i / N_KEYS]);
		(void) press(desk, KEYS[i % N_KEYS]);
	}
	assert_int_equal(desk->fake.n_sent, 0);
	assert_null(strstr(screen_text(desk), "override"));
	Command command = { .kind = COMMAND_LIVE_PAUSE };
	console_send(&desk->console, &command, "pause"); /* the check is where commands leave, not at the keys */
	assert_int_equal(desk->fake.n_sent, 0);
}

static void no_two_keys_write_to_a_target(void **state)
{
	Desk *desk = *state;
	desk->fake.has_store = true;
	for (int screen = 0; screen < SCREEN_COUNT; screen++) {
		start(desk, (ScreenId) screen, false);
		for (int i = 0; i < N_KEYS * N_KEYS; i++) {
			(void) press(desk, KEY_ESC);
			(void) press(desk, (int) "1234567"[screen]);
			desk->fake.n_sent = 0;
			(void) press(desk, KEYS[i / N_KEYS]);
			(void) press(desk, KEYS[i % N_KEYS]);
			for (int s = 0; s < desk->fake.n_sent; s++)
				assert_true(desk->fake.sent[s].kind < COMMAND_LIVE_OVERRIDE);
			assert_true(desk->fake.lent == 1);
		}
		if (screen + 1 < SCREEN_COUNT)
			console_done(&desk->console);
	}
}

static void every_size_draws(void **state)
{
	Desk *desk = *state;
	desk->fake.has_store = true;
	start(desk, SCREEN_LIVE, false);
	for (int rows = 1; rows < 64; rows += 5) {
		for (int cols = 1; cols < 220; cols += 13) {
			assert_int_equal(console_resize(&desk->console, rows, cols), 0);
			for (int i = 0; i < 4; i++)
				(void) press(desk, "123?"[i]);
			(void) press(desk, KEY_ESC);
			(void) press(desk, '1');
			(void) press(desk, 'o');
			(void) press(desk, KEY_ESC);
		}
	}
}

static void simulated_target_never_makes_leaving_ask(void **state)
{
	Desk *desk = *state;
	start(desk, SCREEN_LIVE, false);
	assert_int_equal(press(desk, 'q'), CONSOLE_QUIT);
	assert_int_equal(console_suspend(&desk->console), CONSOLE_SUSPEND);
}

static void real_active_target_makes_leaving_ask(void **state)
{
	Desk *desk = *state;
	desk->live.is_simulated = false;
	start(desk, SCREEN_LIVE, false);
	assert_int_equal(press(desk, 'q'), CONSOLE_STAYS);
	assert_int_equal(press(desk, KEY_ENTER_), CONSOLE_STAYS); /* Cancel */
	assert_int_equal(press(desk, KEY_CTRL_C), CONSOLE_STAYS);
	press(desk, KEY_RIGHT_);
	assert_int_equal(press(desk, KEY_ENTER_), CONSOLE_QUIT);
	press(desk, 'q');
	press(desk, KEY_RIGHT_);
	press(desk, KEY_RIGHT_);
	assert_int_equal(press(desk, KEY_ENTER_), CONSOLE_HEADLESS);
	assert_int_equal(console_suspend(&desk->console), CONSOLE_STAYS);
	press(desk, KEY_ESC);
	desk->live.state = STATE_SHADOW;
	assert_int_equal(press(desk, 'q'), CONSOLE_QUIT);
}

static void screen_without_its_worker_is_not_offered(void **state)
{
	Desk *desk = *state;
	desk->fake.frame.live = NULL;
	start(desk, SCREEN_LIVE, false);
	assert_int_equal(desk->console.screen, SCREEN_TRAIN);
	press(desk, '1');
	press(desk, '3');
	assert_int_equal(desk->console.screen, SCREEN_TRAIN);
	assert_null(strstr(screen_text(desk), "1 Live"));
	assert_null(strstr(screen_text(desk), "3 Runs"));
	console_done(&desk->console);
	desk->fake.frame.train = NULL;
	UiOptions opts = { 0 };
	assert_int_equal(console_init(&desk->console, &desk->fake.feed, &opts, GLYPHS_ASCII, 24, 80), ERR_NOT_FOUND);
}

static void frozen_screen_keeps_its_frame(void **state)
{
	Desk *desk = *state;
	start(desk, SCREEN_TRAIN, false);
	press(desk, 'f');
	assert_non_null(strstr(screen_text(desk), "FROZEN"));
	desk->fake.frame.train = NULL;
	console_refresh(&desk->console, 5000);
	assert_non_null(desk->console.frame.train);
	press(desk, 'f');
	console_refresh(&desk->console, 6000);
	assert_null(desk->console.frame.train);
}

static void old_data_turn_unknown(void **state)
{
	Desk *desk = *state;
	start(desk, SCREEN_LIVE, false);
	assert_non_null(strstr(screen_text(desk), "/s"));
	desk->live.last.sample.wall_ms -= 40000; /* over two intervals of 15 s */
	const char *text = screen_text(desk);
	assert_non_null(strstr(text, "rps          ?"));
	assert_non_null(strstr(text, "data 46 s old"));
}

static void copy_is_the_focused_pane_without_its_frame(void **state)
{
	Desk *desk = *state;
	start(desk, SCREEN_LIVE, false);
	for (int i = 0; i < 4; i++)
		press(desk, KEY_TAB_);
	assert_int_equal(press(desk, 'y'), CONSOLE_COPY);
	StrBuf text = { 0 };
	console_pane_text(&desk->console, &text);
	assert_int_equal(strncmp(text.data, "  time     who ", 15), 0);
	assert_null(strchr(text.data, '|'));
	assert_null(strstr(text.data, "Last decisions"));
	strbuf_done(&text);
}

/* ---- the past ---- */

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

/* ---- store ---- */

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

#define DESK_TEST(name) cmocka_unit_test_setup_teardown(name, open_desk, close_desk)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(override_starts_on_cancel),
		DESK_TEST(override_sends_what_was_seen),
		DESK_TEST(a_number_and_enter_twice_is_enough),
		DESK_TEST(a_number_and_enter_leads_to_the_name_where_it_is_asked),
		DESK_TEST(base_follows_the_loop_until_a_number_is_typed),
		DESK_TEST(a_dialog_looks_past_a_frozen_screen),
		DESK_TEST(hold_is_checked_while_it_is_typed),
		DESK_TEST(large_override_needs_the_name_typed),
		DESK_TEST(name_is_asked_where_the_manual_says),
		DESK_TEST(override_of_unknown_replicas_is_refused),
		DESK_TEST(nonsense_in_a_field_is_named),
		DESK_TEST(manual_target_offers_resume),
		cmocka_unit_test(hold_is_read_with_its_unit),
		DESK_TEST(pause_and_resume_follow_the_phase),
		DESK_TEST(one_update_is_for_a_paused_run),
		DESK_TEST(learning_rate_is_edited_as_old_to_new),
		DESK_TEST(answer_replaces_pending),
		DESK_TEST(full_queue_is_said),
		DESK_TEST(readonly_sends_nothing_whatever_is_pressed),
		DESK_TEST(no_two_keys_write_to_a_target),
		DESK_TEST(every_size_draws),
		DESK_TEST(simulated_target_never_makes_leaving_ask),
		DESK_TEST(real_active_target_makes_leaving_ask),
		DESK_TEST(screen_without_its_worker_is_not_offered),
		DESK_TEST(frozen_screen_keeps_its_frame),
		DESK_TEST(old_data_turn_unknown),
		DESK_TEST(copy_is_the_focused_pane_without_its_frame),
		DESK_TEST(cursor_shows_the_decision_that_it_is_on),
		DESK_TEST(cursor_stays_at_its_time_while_decisions_come_in),
		DESK_TEST(cursor_walks_the_history_and_its_values_are_shown),
		DESK_TEST(unknown_in_the_past_is_no_number),
		DESK_TEST(runs_asks_for_the_list_and_then_the_selected_run),
		DESK_TEST(marked_run_is_named_while_the_store_is_asked),
		DESK_TEST(control_run_shows_its_last_decisions),
		DESK_TEST(runs_says_what_failed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
