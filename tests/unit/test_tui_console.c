/* The console over a fake feed: commands and their answers, read-only mode, leaving, whatever is pressed at any size. */
#include "tests/fakes/desk.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

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

static void a_live_training_says_when_its_next_step_ends(void **state)
{
	Desk *desk = *state;
	desk->train.is_live = true;
	desk->train.rollout_step = 3;
	desk->train.rollout_steps = 16;
	desk->train.next_step_wall_ms = desk->fake.frame.wall_ms + 12000;
	str_copy(desk->train.trouble, sizeof desk->train.trouble, "waits: web: MetricsMissing");
	start(desk, SCREEN_TRAIN, false);
	assert_non_null(strstr(screen_text(desk), "step 3 of 16, next in 12 s"));
	assert_non_null(strstr(screen_text(desk), "! waits: web: MetricsMissing"));
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
	assert_string_equal(desk->fake.sent[0].u.set.text, "5e-5");
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

/* A keys.yaml that gives every row another key: what any screen shows is what works. */
static void keys_shown_are_those_that_are_loaded(void **state)
{
	Desk *desk = *state;
	static const char FILE[] = "all.help: K\nall.quit: Z\nall.undo: null\nall.back: J\nall.screen-live: A\nall.screen-train: B\n"
	                           "all.screen-runs: C\nruns.mark: m\nruns.compare: O\nlive.override: V\ntrain.pause: W\nall.palette: Y\n";
	Keymap keymap;
	StrBuf problems = { 0 };
	Error err = { 0 };
	keys_default(&keymap);
	assert_int_equal(keys_load(FILE, sizeof FILE - 1, &keymap, &problems, &err), 0);
	strbuf_done(&problems);
	desk->fake.has_store = true;
	start(desk, SCREEN_LIVE, false);
	desk->console.keymap = keymap;
	const char *text = screen_text(desk);
	assert_non_null(strstr(text, " A Live "));
	assert_non_null(strstr(text, "B C 4 "));
	assert_non_null(strstr(text, "V override"));
	assert_non_null(strstr(text, "K help  Z quit\n"));
	assert_null(strstr(text, "? help"));
	press(desk, '?'); /* nothing any more */
	assert_null(strstr(screen_text(desk), "Help:"));
	press(desk, 'K');
	text = screen_text(desk);
	assert_non_null(strstr(text, "J closes"));
	assert_non_null(strstr(text, "V*      hold replicas for a time, or give back; on Targets: all marked"));
	assert_non_null(strstr(text, "one step back; J returns to now"));
	press(desk, 'J');
	press(desk, ',');
	assert_non_null(strstr(screen_text(desk), "J returns to now"));
	press(desk, 'B');
	press(desk, 'n');
	assert_non_null(strstr(screen_text(desk), "one update: pause first (W)"));
	press(desk, 'l');
	assert_non_null(strstr(screen_text(desk), ":undo undoes")); /* no key: the palette has it */
	press(desk, KEY_ESC);
	press(desk, 'C');
	press(desk, 'O');
	assert_non_null(strstr(screen_text(desk), "with m, then O compares them"));
	press(desk, '4');
	assert_non_null(strstr(screen_text(desk), "on Runs (C), m marks a run"));
	assert_int_equal(press(desk, 'q'), CONSOLE_STAYS);
	assert_int_equal(press(desk, 'Z'), CONSOLE_QUIT);
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

static void first_update_waits_for_no_tick(void **state)
{
	Desk *desk = *state;
	TrainView young = *desk->fake.frame.train;
	young.update = 0;
	young.phase = TRAIN_RUNNING;
	desk->fake.frame.train = &young;
	start(desk, SCREEN_TRAIN, false);
	assert_true(console_awaits(&desk->console));
	young.update = 1;
	assert_false(console_awaits(&desk->console)); /* the later ones come with the data */
	young.update = 0;
	young.is_live = true; /* it may take an hour, and the targets' cycles wake the console meanwhile */
	assert_false(console_awaits(&desk->console));
	young.is_live = false;
	young.phase = TRAIN_PAUSED;
	assert_false(console_awaits(&desk->console));
	young.phase = TRAIN_RUNNING;
	assert_true(console_awaits(&desk->console));
	press(desk, '1');
	assert_false(console_awaits(&desk->console));
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
	console_copy_text(&desk->console, &text);
	assert_int_equal(strncmp(text.data, "  time     who ", 15), 0);
	assert_null(strchr(text.data, '|'));
	assert_null(strstr(text.data, "Last decisions"));
	strbuf_done(&text);
}

/* A person who browses runs leaves no trace: the target that comes with the console begins where one is shown. */
static void browsing_begins_no_target_and_live_records_one(void **state)
{
	Desk *desk = *state;
	const LiveView *live = desk->fake.frame.live;
	desk->fake.has_store = desk->fake.feed.can_begin = true;
	desk->fake.frame.live = NULL;
	start(desk, SCREEN_RUNS, false);
	press(desk, '7');
	press(desk, '4');
	for (int i = 0; i < 5; i++)
		console_refresh(&desk->console, 2000 + i);
	assert_int_equal(desk->fake.n_begun, 0);
	press(desk, '5');
	assert_non_null(strstr(screen_text(desk), "the simulated target is starting"));
	assert_true(desk->fake.n_begun > 0);
	assert_true(console_awaits(&desk->console)); /* its first picture waits for no tick */
	press(desk, '6');
	assert_int_equal(desk->fake.n_recorded, 0);
	press(desk, '1');
	assert_int_equal(desk->fake.n_recorded, 1);
	desk->fake.frame.live = live;
	console_refresh(&desk->console, 3000);
	assert_non_null(strstr(screen_text(desk), "Last decisions"));
}

/* Why there is none stands where it would be, and above a target that is shown but not kept. */
static void a_target_that_cannot_begin_says_why(void **state)
{
	Desk *desk = *state;
	const LiveView *live = desk->fake.frame.live;
	desk->fake.feed.can_begin = true;
	desk->fake.frame.live = NULL;
	desk->fake.begin_fails = "the store is held";
	start(desk, SCREEN_LIVE, false);
	assert_non_null(strstr(screen_text(desk), "the store is held"));
	assert_null(strstr(screen_text(desk), "starting"));
	desk->fake.frame.live = live;
	press(desk, '1'); /* the message goes with a key and does not come back */
	for (int i = 0; i < 3; i++)
		console_refresh(&desk->console, 9000 + i * 500);
	assert_null(strstr(screen_text(desk), "the store is held"));
	assert_non_null(strstr(screen_text(desk), " NOT STORED "));
	assert_non_null(strstr(screen_text(desk), "? help"));
	press(desk, '3'); /* nothing is begun there, and nothing is known anew */
	console_refresh(&desk->console, 11000);
	assert_non_null(strstr(screen_text(desk), " NOT STORED "));
	press(desk, '1');
	desk->fake.begin_fails = NULL;
	console_refresh(&desk->console, 12000);
	assert_null(strstr(screen_text(desk), "NOT STORED"));
}

/* An autoscaler elsewhere has no target yet, or is not reached: no word of a simulated one. */
static void an_attached_console_without_targets_says_what_is_known(void **state)
{
	Desk *desk = *state;
	desk->fake.feed.is_remote = true;
	desk->fake.frame.live = NULL;
	desk->fake.frame.absent = "attached to http://web:5002: it has no target yet";
	start(desk, SCREEN_LIVE, false);
	assert_int_equal(desk->console.screen, SCREEN_LIVE);
	assert_non_null(strstr(screen_text(desk), "attached to http://web:5002: it has no target yet"));
	desk->fake.frame.absent_since_ms = desk->fake.frame.wall_ms - 125000;
	console_refresh(&desk->console, 3000);
	assert_non_null(strstr(screen_text(desk), "yet, since "));
	assert_non_null(strstr(screen_text(desk), "(2 m)"));
	assert_null(strstr(screen_text(desk), "simulated"));
	press(desk, ':');
	type(desk, "hold 8");
	press(desk, KEY_ENTER_);
	assert_null(strstr(screen_text(desk), "simulated"));
	press(desk, KEY_ESC);
}

static void no_key_goes_amiss_while_a_target_is_on_its_way(void **state)
{
	Desk *desk = *state;
	static const ScreenId OF[] = { SCREEN_LIVE, SCREEN_POLICY, SCREEN_TARGETS };
	desk->fake.has_store = desk->fake.feed.can_begin = true;
	desk->fake.frame.live = NULL;
	for (size_t s = 0; s < sizeof OF / sizeof *OF; s++) {
		start(desk, OF[s], false);
		assert_int_equal(desk->console.screen, OF[s]);
		for (int key = 1; key <= KEY_BACK_TAB; key = key == 127 ? 0x110000 : key + 1) {
			if (key == 'q')
				continue;
			press(desk, key);
			press(desk, KEY_ESC);
			console_go(&desk->console, OF[s]);
			console_refresh(&desk->console, 2000);
			console_draw(&desk->console);
		}
		press(desk, ':');
		type(desk, "hold 8");
		press(desk, KEY_ENTER_);
		assert_int_equal(desk->console.dialog.kind, DIALOG_NONE);
		assert_non_null(strstr(screen_text(desk), "is starting"));
		assert_int_equal(desk->fake.n_sent, 0);
		console_done(&desk->console);
	}
	start(desk, SCREEN_LIVE, false);
}

/* What there is to do after a training, and where its policy is; the last rollout goes past the steps that were asked for. */
static void a_training_that_ended_names_its_policy_and_offers_what_follows(void **state)
{
	Desk *desk = *state;
	TrainView *train = &desk->train;
	static const char *const GONE[] = { " pause", " checkpoint", " lr", " stop" }, *const THERE[] = { "b new training", "F fork", "= compare", "v eval" };
	desk->fake.has_store = true;
	start(desk, SCREEN_TRAIN, false);
	assert_non_null(strstr(screen_text(desk), "p pause"));
	assert_null(strstr(screen_text(desk), "F fork"));
	train->phase = TRAIN_DONE;
	train->steps = train->total_steps + 40000;
	train->point[train->n_points - 1].steps = train->steps;
	str_copy(train->saved_path, sizeof train->saved_path, "/home/ana/.local/share/maestro/runs/137/best.safetensors");
	str_copy(train->trouble, sizeof train->trouble, "loss is not finite; R on Runs goes on from step 40960");
	train->phase = TRAIN_FAILED;
	assert_non_null(strstr(screen_text(desk), "! loss is not finite; R on Runs goes on")); /* why comes before what there is */
	train->phase = TRAIN_DONE;
	train->trouble[0] = '\0';
	const char *text = screen_text(desk);
	assert_non_null(strstr(text, "policy /home/ana/.local/share/maestro/runs/137/best.safetensors"));
	assert_non_null(strstr(text, "100 %  2.04 M of 2.00 M steps"));
	assert_non_null(strstr(text, "2.04 M steps "));
	assert_null(strstr(text, "3.00 M"));
	const char *footer = strrchr(text, '|');
	for (size_t i = 0; i < sizeof GONE / sizeof *GONE; i++)
		assert_null(strstr(footer, GONE[i]));
	for (size_t i = 0; i < sizeof THERE / sizeof *THERE; i++)
		if (!strstr(footer, THERE[i]))
			fail_msg("no \"%s\" in %s", THERE[i], footer);
	assert_int_equal(console_resize(&desk->console, 24, 80), 0);
	text = screen_text(desk);
	assert_non_null(strstr(text, "policy /home/ana/."));
	assert_non_null(strstr(text, "7/best.safetensors"));
	press(desk, 'v');
	assert_non_null(strstr(screen_text(desk), "maestro evaluate --policy run:137"));
	press(desk, 'F');
	assert_string_equal(desk->console.prompt.text, "--from 137 --name first-run-fork ");
	press(desk, KEY_ESC);
	press(desk, '=');
	assert_int_equal(desk->console.screen, SCREEN_RUNS);
	assert_int_equal(desk->console.runs.marked[0], 137);
	assert_int_equal(desk->fake.n_sent, 0);
}

/* Whether some environments learn nothing, where there is room. */
static void a_wide_train_has_the_rewards_of_the_environments(void **state)
{
	Desk *desk = *state;
	start(desk, SCREEN_TRAIN, false);
	TrainPoint *last = &desk->train.point[desk->train.n_points - 1];
	last->env_least = 11.25f;
	last->env_middle = 60.5f;
	last->env_most = 99.75f;
	assert_null(strstr(screen_text(desk), "Reward over environments"));
	assert_int_equal(console_resize(&desk->console, 60, 200), 0);
	const char *text = screen_text(desk);
	assert_non_null(strstr(text, "last episode of each of 8"));
	assert_non_null(strstr(text, "most 99.75"));
	assert_non_null(strstr(text, "least 11.25"));
	assert_non_null(strstr(text, "median 60.50"));
	desk->train.n_envs = 0; /* of an older recording */
	assert_non_null(strstr(screen_text(desk), "no episode has ended yet"));
}

static void the_axes_of_the_policy_map_are_explained_whole(void **state)
{
	Desk *desk = *state;
	static PolicyView view;
	views_fill_policy(&view);
	for (int i = view.n_inputs; i < 30; i++) { /* more than there is room for */
		view.input[i] = view.input[0];
		(void) snprintf(view.input[i].name, INPUT_NAME, "input_%d", i);
	}
	view.n_inputs = 30;
	str_copy(view.input[view.x].meaning, sizeof view.input[0].meaning, "as many words as there may be: three rows of a pane, with ALPHA");
	str_copy(view.input[view.y].meaning, sizeof view.input[0].meaning, "as many words as there may be: three rows of a pane, with OMEGA");
	start(desk, SCREEN_POLICY, false);
	view.query_id = desk->fake.n_inspected;
	desk->fake.frame.policy = &view;
	console_refresh(&desk->console, 1000);
	const char *text = screen_text(desk), *method = strstr(text, "method:"), *alpha = strstr(text, "ALPHA"), *omega = strstr(text, "OMEGA");
	assert_true(method && alpha && omega && method < alpha && alpha < omega);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(pause_and_resume_follow_the_phase),
		DESK_TEST(a_live_training_says_when_its_next_step_ends),
		DESK_TEST(a_training_that_ended_names_its_policy_and_offers_what_follows),
		DESK_TEST(a_wide_train_has_the_rewards_of_the_environments),
		DESK_TEST(one_update_is_for_a_paused_run),
		DESK_TEST(learning_rate_is_edited_as_old_to_new),
		DESK_TEST(answer_replaces_pending),
		DESK_TEST(full_queue_is_said),
		DESK_TEST(readonly_sends_nothing_whatever_is_pressed),
		DESK_TEST(no_two_keys_write_to_a_target),
		DESK_TEST(every_size_draws),
		DESK_TEST(simulated_target_never_makes_leaving_ask),
		DESK_TEST(real_active_target_makes_leaving_ask),
		DESK_TEST(keys_shown_are_those_that_are_loaded),
		DESK_TEST(screen_without_its_worker_is_not_offered),
		DESK_TEST(frozen_screen_keeps_its_frame),
		DESK_TEST(first_update_waits_for_no_tick),
		DESK_TEST(old_data_turn_unknown),
		DESK_TEST(a_target_that_cannot_begin_says_why),
		DESK_TEST(an_attached_console_without_targets_says_what_is_known),
		DESK_TEST(browsing_begins_no_target_and_live_records_one),
		DESK_TEST(no_key_goes_amiss_while_a_target_is_on_its_way),
		DESK_TEST(copy_is_the_focused_pane_without_its_frame),
		DESK_TEST(the_axes_of_the_policy_map_are_explained_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
