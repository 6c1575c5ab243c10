/* The palette: what is typed, completed, recalled and refused, the command lines it shows, and chosen columns. */
#include "tests/fakes/desk.h"
#include "tui/commands.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Three targets: shop/web, shop/pay, ops/relay. */
static void start_with_targets(Desk *desk, ScreenId screen)
{
	static LiveView pay, relay;
	static const LiveView *targets[3];
	pay = relay = desk->live;
	str_copy(pay.target.name, sizeof pay.target.name, "pay");
	str_copy(relay.target.name, sizeof relay.target.name, "relay");
	str_copy(relay.target.namespace_, sizeof relay.target.namespace_, "ops");
	targets[0] = &desk->live;
	targets[1] = &pay;
	targets[2] = &relay;
	desk->fake.frame.target = targets;
	desk->fake.frame.n_targets = 3;
	desk->fake.has_store = true;
	start(desk, screen, false);
}

static void command(Desk *desk, const char *text)
{
	press(desk, KEY_ESC);
	press(desk, KEY_ESC);
	press(desk, ':');
	type(desk, text);
}

static ConsoleResult run(Desk *desk, const char *text)
{
	command(desk, text);
	return press(desk, KEY_ENTER_);
}

static const char *field(const Desk *desk, int i)
{
	return desk->console.dialog.field[i].text;
}

/* ---- commands ---- */

static void hold_takes_target_time_and_replicas(void **state)
{
	Desk *desk = *state;
	static const struct { const char *typed, *target, *time, *count; } CASES[] = {
		{ "hold pay 30m 8", "pay", "30m", "8" },
		{ "hold ops/relay 30m 8", "relay", "30m", "8" },
		{ "hold 30m 8", "web", "30m", "8" },
		{ "hold 30 8", "web", "30", "8" }, /* minutes, then replicas */
		{ "hold 8", "web", "10m", "8" },
		{ "hold 8 pay 1h", "pay", "1h", "8" },
		{ "hold pay", "pay", "10m", "4" }, /* as they are */
		{ "set 6", "web", "10m", "6" },
		{ "set replicas pay 7", "pay", "10m", "7" },
	};
	start_with_targets(desk, SCREEN_TARGETS);
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		desk->console.target = 0;
		console_refresh(&desk->console, 1);
		run(desk, CASES[i].typed);
		assert_int_equal(desk->console.dialog.kind, DIALOG_OVERRIDE);
		assert_string_equal(desk->console.dialog.name, CASES[i].target);
		assert_string_equal(field(desk, OVERRIDE_HOLD), CASES[i].time);
		assert_string_equal(field(desk, OVERRIDE_REPLICAS), CASES[i].count);
		press(desk, KEY_ESC);
	}
	assert_int_equal(desk->fake.n_sent, 0); /* what writes opens its dialog */
}

static void what_is_wrong_is_named_and_can_be_mended(void **state)
{
	Desk *desk = *state;
	static const struct { const char *typed, *problem; int fault_col; } CASES[] = {
		{ "hold wbe 30m 8", "hold: there is no target wbe", 5 },
		{ "hold web 30x 8", "hold: 30x is neither a time such as 30m nor a number", 9 },
		{ "resume nobody", "resume: there is no target nobody", 7 },
		{ "history 25:00", "history: 25:00 is no time such as 12:40 or -30m", 8 },
		{ "history", "history: write a time such as 12:40 or -30m", -1 },
		{ "history nobody 12:40", "history: there is no target nobody", 8 },
		{ "set gamma .9", "set: there is no gamma to set: replicas, lr, entropy, clip, steps, traffic, chaos", 4 },
		{ "set", "set: write what and its value, such as lr 1e-4", -1 },
		{ "set replicas wbe 8", "set: there is no target wbe", 13 },
		{ "cols id nmae", "cols: Runs has no column nmae", 8 },
		{ "xyzzy 1", "there is no command xyzzy", 0 },
	};
	start_with_targets(desk, SCREEN_RUNS);
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		console_go(&desk->console, SCREEN_RUNS);
		run(desk, CASES[i].typed);
		assert_int_equal(desk->console.prompt.kind, PROMPT_PALETTE); /* open still, with what was typed */
		assert_string_equal(desk->console.prompt.text, CASES[i].typed);
		assert_string_equal(desk->console.prompt.problem, CASES[i].problem);
		assert_int_equal(desk->console.prompt.fault_col, CASES[i].fault_col);
		assert_non_null(strstr(screen_text(desk), CASES[i].problem));
		press(desk, KEY_RUBOUT);
		assert_string_equal(desk->console.prompt.problem, "");
	}
}

static void set_changes_what_trains(void **state)
{
	Desk *desk = *state;
	start_with_targets(desk, SCREEN_TRAIN);
	static const struct { const char *typed; TrainParam param; const char *value; } CASES[] = {
		{ "set lr 1e-4", PARAM_LEARNING_RATE, "1e-4" }, { "set clip .1", PARAM_CLIP_RANGE, ".1" },
		{ "set steps 5000000", PARAM_STEPS, "5000000" }, { "set traffic wc98_group_week x2", PARAM_TRAFFIC, "wc98_group_week x2" },
		{ "set chaos pod-kill", PARAM_CHAOS, "pod-kill" }, { "entropy .01", PARAM_ENT_COEF, ".01" },
	};
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		run(desk, CASES[i].typed);
		assert_int_equal(desk->console.dialog.kind, DIALOG_PARAM);
		assert_int_equal(desk->console.dialog.param, CASES[i].param);
		assert_string_equal(field(desk, 0), CASES[i].value);
		press(desk, KEY_ESC);
	}
	press(desk, '1');
	desk->fake.frame.train = NULL;
	console_refresh(&desk->console, 2000);
	console_go(&desk->console, SCREEN_LIVE);
	run(desk, "set lr 1e-4");
	assert_string_equal(desk->console.prompt.problem, "set: nothing is training");
}

static void history_goes_to_a_moment_of_a_target(void **state)
{
	Desk *desk = *state;
	start_with_targets(desk, SCREEN_RUNS);
	run(desk, "history -5m");
	assert_int_equal(desk->console.screen, SCREEN_LIVE);
	assert_true(desk->console.cursor_ms == desk->live.wall_ms - 300000);
	run(desk, "history pay -1m");
	assert_string_equal(desk->console.frame.live->target.name, "pay");
	assert_true(desk->console.cursor_ms == desk->live.wall_ms - 60000);
	time_t s = (time_t) (desk->live.wall_ms / 1000) - 120;
	struct tm local;
	char text[64];
	(void) localtime_r(&s, &local);
	(void) strftime(text, sizeof text, "history %H:%M:%S", &local);
	run(desk, text);
	assert_true(desk->console.cursor_ms == (int64_t) s * 1000);
}

static void keys_actions_are_commands_without_a_key_too(void **state)
{
	Desk *desk = *state;
	start(desk, SCREEN_LIVE, false);
	desk->console.keymap.key[keys_row(ACT_ZOOM, SCREEN_LIVE)] = -1;
	run(desk, "zoom");
	assert_true(desk->console.is_zoomed);
	run(desk, "help override");
	assert_true(desk->console.is_helping);
	assert_non_null(strstr(screen_text(desk), "hold replicas for a time"));
	assert_null(strstr(screen_text(desk), "graphs show more time"));
	press(desk, KEY_ESC);
	assert_int_equal(run(desk, "quit"), CONSOLE_QUIT);
}

static void readonly_offers_no_command_that_writes(void **state)
{
	Desk *desk = *state;
	start(desk, SCREEN_LIVE, true);
	size_t n;
	const CommandRow *table = commands_table(&n);
	for (size_t i = 0; i < n; i++) {
		char typed[64];
		if (!table[i].is_write)
			continue;
		(void) snprintf(typed, sizeof typed, "%s x", table[i].name);
		run(desk, typed);
		assert_int_equal(desk->console.dialog.kind, DIALOG_NONE);
	}
	assert_int_equal(desk->fake.n_sent, 0);
}

/* The store's list of n runs in the trash that can go, a page of them. */
static void answer_with_trash(Desk *desk, int n)
{
	views_fill_runs(&desk->answer);
	desk->answer.n_rows = n < desk->answer.n_rows ? n : desk->answer.n_rows;
	desk->answer.matched = n;
	for (int i = 0; i < desk->answer.n_rows; i++)
		desk->answer.row[i].deleted_ms = desk->fake.frame.wall_ms - 1000;
	desk->answer.query_id = desk->fake.n_asked;
	desk->fake.frame.archive = &desk->answer;
	console_refresh(&desk->console, 1000);
}

static void purge_names_what_goes_and_asks_for_a_word(void **state)
{
	Desk *desk = *state;
	start_with_targets(desk, SCREEN_LIVE);
	run(desk, "purge now");
	assert_string_equal(desk->console.prompt.problem, "purge: only all may stand here: what is in the trash for less than 30 days too");
	press(desk, KEY_ESC);
	press(desk, KEY_ESC);
	desk->console.talk.asked_id = 0;
	run(desk, "purge");
	assert_int_equal(desk->console.screen, SCREEN_RUNS);
	assert_string_equal(desk->fake.asked.filter, "is:trash not is:locked trash>=30d");
	assert_int_equal(desk->console.dialog.kind, DIALOG_NONE); /* nothing is known yet */
	answer_with_trash(desk, 1);
	assert_int_equal(desk->console.dialog.kind, DIALOG_PURGE);
	const char *text = screen_text(desk);
	assert_non_null(strstr(text, "Purge 1 run"));
	assert_non_null(strstr(text, "137 first-run"));
	assert_null(strstr(text, "137 first-run, 136"));
	assert_int_equal(desk->console.dialog.field[desk->console.dialog.focus].press, DIALOG_CANCELLED);
	press(desk, KEY_TAB_);
	press(desk, KEY_ENTER_); /* the word is not typed */
	assert_int_equal(desk->console.dialog.kind, DIALOG_PURGE);
	assert_int_equal(desk->fake.n_sent, 0);
	type(desk, "trash");
	press(desk, KEY_TAB_);
	press(desk, KEY_TAB_);
	press(desk, KEY_ENTER_);
	assert_int_equal(desk->fake.n_sent, 1);
	const Command *sent = &desk->fake.sent[0];
	assert_int_equal(sent->kind, COMMAND_RUN_EDIT);
	assert_int_equal(sent->u.edit.what, EDIT_PURGE);
	assert_int_equal(sent->u.edit.n, 1);
	assert_string_equal(sent->u.edit.text, "is:trash not is:locked trash>=30d");
	desk->console.talk.asked_id = 0;
	run(desk, "purge all");
	desk->console.talk.asked_id = 0; /* of the list that Esc has gone back to */
	console_refresh(&desk->console, 1000);
	assert_string_equal(desk->fake.asked.filter, "is:trash not is:locked");
	answer_with_trash(desk, 1234); /* more than a page has, and all go */
	assert_int_equal(desk->console.dialog.n_runs, 1234);
	text = screen_text(desk);
	assert_non_null(strstr(text, "Purge 1234 runs"));
	assert_non_null(strstr(text, " more "));
	press(desk, KEY_ESC);
	desk->console.talk.asked_id = 0;
	run(desk, "purge");
	desk->console.talk.asked_id = 0;
	console_refresh(&desk->console, 1000);
	answer_with_trash(desk, 0);
	assert_int_equal(desk->console.dialog.kind, DIALOG_NONE);
	assert_non_null(strstr(screen_text(desk), "nothing has been in the trash for 30 days"));
	assert_int_equal(desk->fake.n_sent, 1);
}

/* Whoever looks for a new training writes train. */
static void train_finds_the_beginning_of_one(void **state)
{
	Desk *desk = *state;
	start_with_targets(desk, SCREEN_LIVE);
	press(desk, ':');
	type(desk, "train");
	assert_non_null(strstr(screen_text(desk), "begin <options>"));
	press(desk, KEY_ENTER_);
	assert_int_equal(desk->console.screen, SCREEN_TRAIN); /* one is there */
	press(desk, '?');
	type(desk, "new train");
	assert_non_null(strstr(screen_text(desk), "in the place of this console"));
	for (int i = 0; desk->console.is_helping && i < 9; i++)
		press(desk, KEY_ESC);
	console_go(&desk->console, SCREEN_LIVE);
	desk->fake.frame.train = NULL;
	console_refresh(&desk->console, 2000);
	run(desk, "train");
	assert_int_equal(desk->console.prompt.kind, PROMPT_TRAIN);
}

/* ---- typing ---- */

static void tab_completes_names_and_arguments(void **state)
{
	Desk *desk = *state;
	static const struct { const char *typed, *want; } CASES[] = {
		{ "hol", "hold " }, { "hold p", "hold pay " }, { "hold ops", "hold ops" }, { "hold ops/", "hold ops/relay " },
		{ "hold pay ", "hold pay " }, { "hold pay 3", "hold pay 30m " }, { "set cl", "set clip " },
		{ "set replicas re", "set replicas relay " }, { "cols sta", "cols sta" /* status, start */ },
		{ "cols stat", "cols status " }, { "cols +no", "cols +note " }, { "cols best", "cols best-eval " },
		{ "help overr", "help override " }, { "quit", "quit" },
	};
	start_with_targets(desk, SCREEN_RUNS);
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		command(desk, CASES[i].typed);
		press(desk, KEY_TAB_);
		assert_string_equal(desk->console.prompt.text, CASES[i].want);
	}
	command(desk, "hold ");
	assert_non_null(strstr(screen_text(desk), "web  pay  relay")); /* what may come is listed */
}

static void tab_completes_the_options_of_a_training(void **state)
{
	Desk *desk = *state;
	static const Opt TRAIN[] = { { .name = "steps", .kind = OPT_INT64, .arg = "N" }, { .name = "headless", .kind = OPT_FLAG },
		{ .name = "seed", .kind = OPT_INT64, .arg = "N" }, { .name = NULL } };
	static const struct { const char *typed, *want; } CASES[] = {
		{ "begin ", "begin --" }, { "begin --st", "begin --steps " }, { "begin --steps ", "begin --steps " /* a number */ },
		{ "begin --steps 9 --", "begin --steps 9 --" }, { "begin --steps 9 --se", "begin --steps 9 --seed " },
		{ "begin --headless --st", "begin --headless --steps " },
	};
	start_with_targets(desk, SCREEN_RUNS);
	command(desk, "begin --st");
	press(desk, KEY_TAB_);
	assert_string_equal(desk->console.prompt.text, "begin --st"); /* not known here */
	desk->console.opts.next_options = TRAIN;
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		command(desk, CASES[i].typed);
		press(desk, KEY_TAB_);
		assert_string_equal(desk->console.prompt.text, CASES[i].want);
	}
}

static void up_brings_back_what_was_run(void **state)
{
	Desk *desk = *state;
	start_with_targets(desk, SCREEN_LIVE);
	run(desk, "history -1m");
	run(desk, "hold pay 5");
	press(desk, KEY_ESC);
	run(desk, "hold pay 5"); /* once is enough */
	press(desk, KEY_ESC);
	command(desk, "he");
	press(desk, KEY_UP_);
	assert_string_equal(desk->console.prompt.text, "hold pay 5");
	press(desk, KEY_UP_);
	assert_string_equal(desk->console.prompt.text, "history -1m");
	press(desk, KEY_UP_);
	assert_string_equal(desk->console.prompt.text, "history -1m");
	press(desk, KEY_DOWN_);
	assert_string_equal(desk->console.prompt.text, "hold pay 5");
	press(desk, KEY_DOWN_);
	assert_string_equal(desk->console.prompt.text, "he");
	press(desk, KEY_DOWN_); /* from here on in the list */
	assert_int_equal(desk->console.prompt.row, 1);
	press(desk, KEY_UP_);
	assert_int_equal(desk->console.prompt.row, 0);
	for (int i = 0; i < PALETTE_PAST + 5; i++) {
		char text[32];
		(void) snprintf(text, sizeof text, "history -%dm", i + 2);
		run(desk, text);
	}
	assert_int_equal(desk->console.palette.n, PALETTE_PAST);
}

/* ---- command lines ---- */

static const char *shown_shell(Desk *desk, const char *typed)
{
	static char line[160];
	command(desk, typed);
	const char *at = strstr(screen_text(desk), "shell  ");
	(void) snprintf(line, sizeof line, "%.*s", (int) strcspn(at + 7, "|"), at + 7);
	for (size_t len = strlen(line); len && line[len - 1] == ' ';)
		line[--len] = '\0';
	return line;
}

static void the_command_line_says_what_was_typed(void **state)
{
	Desk *desk = *state;
	char pid[32], run_id[64];
	start_with_targets(desk, SCREEN_RUNS);
	(void) snprintf(pid, sizeof pid, "kill %ld", (long) getpid());
	(void) snprintf(run_id, sizeof run_id, "maestro runs export %lld --format csv", (long long) desk->live.run_id);
	const struct { const char *typed, *want; } CASES[] = {
		{ "hold pay 30m 8", "maestro override set shop/pay 8 --for 30m" },
		{ "hold pay 30 8", "maestro override set shop/pay 8 --for 30m" },
		{ "hold 8", "maestro override set shop/web 8" },
		{ "hold relay", "maestro override hold ops/relay" },
		{ "set 8", "maestro override set shop/web 8" },
		{ "resume pay", "maestro override resume shop/pay" },
		{ "history -30m", run_id },
		{ "filter steps>9 tag:it's", "maestro runs list --filter 'steps>9 tag:it'\\''s'" },
		{ "trash", "maestro runs list --filter is:trash" },
		{ "train", "maestro train" },
		{ "train --steps 9 --name x", "maestro train --steps 9 --name x" },
		{ "purge", "maestro runs purge --confirm trash" },
		{ "purge all", "maestro runs purge --all --confirm trash" },
		{ "export runs.json", "maestro --screen runs --json >runs.json" },
		{ "export runs.txt", "maestro --screen runs >runs.txt" },
		{ "export runs.csv", "maestro --screen runs --format csv >runs.csv" },
		{ "export 'x.md", "maestro --screen runs --format md >''\\''x.md'" },
		{ "cols id name", "maestro --screen runs" },
		{ "begin --steps 9 --name x", "maestro train --steps 9 --name x" },
		{ "quit", pid },
		{ "zoom", "none: of this screen alone" },
	};
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
		assert_string_equal(shown_shell(desk, CASES[i].typed), CASES[i].want);
	assert_string_equal(shown_shell(desk, "hold nobody 30m 8"), "maestro override set TARGET N --for TIME"); /* not another's */
	desk->live.is_simulated = false; /* a cluster has a context */
	str_copy(desk->live.context, sizeof desk->live.context, "prod-eu");
	assert_string_equal(shown_shell(desk, "hold web 30m 8"), "maestro override set shop/web 8 --for 30m --context prod-eu");
	(void) snprintf(run_id, sizeof run_id, "maestro train --from %lld --learning-rate 1e-4", (long long) desk->train.run_id);
	assert_string_equal(shown_shell(desk, "set lr 1e-4"), run_id);
	assert_string_equal(shown_shell(desk, "lr 1e-4"), run_id);
}

/* Of the selected run or all marked ones, as the key; and what the key would do to it. */
static void the_command_line_of_a_key_is_of_the_same_runs(void **state)
{
	Desk *desk = *state;
	start_with_targets(desk, SCREEN_RUNS);
	views_fill_runs(&desk->answer);
	desk->answer.query_id = desk->fake.n_asked;
	desk->fake.frame.archive = &desk->answer;
	console_refresh(&desk->console, 100);
	press(desk, ' ');
	press(desk, ' '); /* 137 and 136 are marked, 135 is selected */
	RunRow *row = desk->console.talk.slot[SLOT_RUNS].answer->row;
	row[0].is_locked = true;
	row[0].deleted_ms = 1;
	const struct { const char *typed, *want; } CASES[] = {
		{ "lock", "maestro runs unlock 137 136" }, { "delete", "maestro runs restore 137 136" }, { "tag", "maestro runs tag NAME 137 136" },
		{ "note", "maestro runs note 135 TEXT" }, { "fork", "maestro train --from 135" }, { "open", "maestro runs show 135" },
		{ "sort", "maestro runs list --sort name" },
	};
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
		assert_string_equal(shown_shell(desk, CASES[i].typed), CASES[i].want);
	row[0].is_locked = false;
	row[0].deleted_ms = 0;
	assert_string_equal(shown_shell(desk, "lock"), "maestro runs lock 137 136");
	assert_string_equal(shown_shell(desk, "delete"), "maestro runs delete 137 136");
	desk->console.opts.db = "/srv/our runs.db"; /* not the default store */
	assert_string_equal(shown_shell(desk, "delete"), "maestro runs delete 137 136 --db '/srv/our runs.db'");
	assert_string_equal(shown_shell(desk, "export all.txt"), "maestro --screen runs --db '/srv/our runs.db' >all.txt");
	assert_string_equal(shown_shell(desk, "begin --db other.db"), "maestro train --db other.db");
	char cut[64];
	shell_fill(&desk->console, "maestro runs delete 137 136 135 134 133 132 131 130{db}", cut, sizeof cut);
	assert_string_equal(cut, ""); /* rather than another store's runs */
	desk->console.opts.db = NULL;
}

static void every_command_has_a_command_line(void **state)
{
	(void) state;
	size_t n;
	char text[256];
	const CommandRow *table = commands_table(&n);
	for (size_t i = 0; i < n; i++) {
		command_shell(NULL, &table[i], NULL, text, sizeof text);
		if (strncmp(text, "maestro ", 8) != 0 && strcmp(text, "kill PID") != 0)
			fail_msg("%s: \"%s\"", table[i].name, text);
		assert_null(strpbrk(text, "{}|"));
	}
}

static void the_command_line_is_copied(void **state)
{
	Desk *desk = *state;
	StrBuf text = { 0 };
	start_with_targets(desk, SCREEN_LIVE);
	command(desk, "hold pay 30m 8");
	assert_int_equal(press(desk, KEY_CTRL_Y), CONSOLE_COPY);
	console_copy_text(&desk->console, &text);
	assert_string_equal(text.data, "maestro override set shop/pay 8 --for 30m");
	assert_int_equal(desk->console.prompt.kind, PROMPT_PALETTE);
	command(desk, "");
	press(desk, KEY_DOWN_);
	assert_int_equal(press(desk, 'y'), CONSOLE_COPY); /* where no name has begun */
	strbuf_clear(&text);
	console_copy_text(&desk->console, &text);
	assert_string_equal(text.data, "maestro train");
	command(desk, "polic");
	press(desk, 'y');
	assert_string_equal(desk->console.prompt.text, "policy");
	command(desk, "zoom");
	assert_int_equal(press(desk, KEY_CTRL_Y), CONSOLE_STAYS);
	assert_non_null(strstr(screen_text(desk), "no command line does it"));
	strbuf_done(&text);
}

/* ---- columns ---- */

static void columns_are_chosen_ordered_and_kept(void **state)
{
	Desk *desk = *state;
	char path[] = "/tmp/maestro-columns-XXXXXX";
	StrBuf text = { 0 };
	Error err = { 0 };
	assert_non_null(mkdtemp(path));
	start_with_targets(desk, SCREEN_TARGETS);
	(void) snprintf(desk->console.opts.columns_path, sizeof desk->console.opts.columns_path, "%s/state/columns", path);
	run(desk, "cols target mode p95");
	assert_non_null(strstr(screen_text(desk), "   target "));
	assert_non_null(strstr(screen_text(desk), "columns are kept in"));
	assert_null(strstr(screen_text(desk), "want"));
	run(desk, "cols +rps -mode");
	const char *shown = screen_text(desk);
	assert_true(strstr(shown, "target ") < strstr(shown, " rps") && strstr(shown, "p95 ") < strstr(shown, " rps"));
	assert_null(strstr(shown, " mode "));
	console_go(&desk->console, SCREEN_EVENTS);
	run(desk, "cols what time");
	assert_int_equal(mem_read_file(desk->console.opts.columns_path, 4096, &text, &err), 0);
	assert_string_equal(text.data, "targets: target p95 rps\nevents: what time\n");
	/* the next console has them */
	UiOptions opts = desk->console.opts;
	opts.screen = SCREEN_TARGETS;
	Console next;
	console_done(&desk->console);
	assert_int_equal(console_init(&next, &desk->fake.feed, &opts, GLYPHS_ASCII, 30, 100), 0);
	Column column[COLUMNS_MAX];
	assert_int_equal(console_columns(&next, SCREEN_TARGETS, column), 4); /* and the marks */
	assert_string_equal(column[3].title, "rps");
	console_done(&next);
	start_with_targets(desk, SCREEN_TARGETS);
	desk->console.opts.columns_path[0] = '\0';
	run(desk, "cols default");
	assert_non_null(strstr(screen_text(desk), "want"));
	(void) remove(opts.columns_path);
	opts.columns_path[strlen(opts.columns_path) - strlen("/columns")] = '\0';
	(void) rmdir(opts.columns_path);
	(void) rmdir(path);
	strbuf_done(&text);
}

static void no_table_is_left_without_a_column(void **state)
{
	Desk *desk = *state;
	start_with_targets(desk, SCREEN_EVENTS);
	run(desk, "cols what");
	run(desk, "cols -what");
	assert_string_equal(desk->console.prompt.problem, "cols: Events must keep a column, not lose -what");
	press(desk, KEY_ESC);
	console_go(&desk->console, SCREEN_TRAIN);
	run(desk, "cols steps");
	assert_string_equal(desk->console.prompt.problem, "cols: Train has no table with columns");
}

static void a_file_of_columns_is_read_with_care(void **state)
{
	(void) state;
	ColumnChoices choices = { 0 };
	columns_read(&choices, "nonsense\nruns: id gone name id\nhall: x\ntargets:\n\nevents: what\x01\nlive time");
	assert_int_equal(choices.of[SCREEN_RUNS].n, 2);
	assert_int_equal(choices.of[SCREEN_TARGETS].n, 0);
	assert_int_equal(choices.of[SCREEN_EVENTS].n, 0);
	assert_int_equal(choices.of[SCREEN_LIVE].n, 0);
}

static int takes_steps_alone(const char *options, Error *err)
{
	return strncmp(options, "--steps ", 8) ? error_set(err, ERR_USAGE, "unknown option") : 0;
}

/* What is mistyped would end the console, and with it what it holds. */
static void a_training_begins_with_options_that_it_takes(void **state)
{
	Desk *desk = *state;
	char next[UI_NEXT] = "";
	start(desk, SCREEN_RUNS, false);
	desk->console.frame.train = desk->fake.frame.train = NULL;
	desk->console.opts.next = next;
	desk->console.opts.check_next = takes_steps_alone;
	command(desk, "begin --step 9");
	assert_int_equal(press(desk, '\n'), CONSOLE_STAYS);
	assert_non_null(strstr(screen_text(desk), "unknown option"));
	console_prompt(&desk->console, PROMPT_TRAIN, "maestro train", "");
	assert_int_equal(press(desk, '\n'), CONSOLE_STAYS);
	assert_non_null(strstr(screen_text(desk), "no training begins of nothing"));
	assert_false(desk->console.is_leaving);
	assert_string_equal(next, "");
	command(desk, "begin --steps 9");
	assert_int_equal(press(desk, '\n'), CONSOLE_TRAIN);
	assert_string_equal(next, "--steps 9");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(hold_takes_target_time_and_replicas),
		DESK_TEST(what_is_wrong_is_named_and_can_be_mended),
		DESK_TEST(set_changes_what_trains),
		DESK_TEST(history_goes_to_a_moment_of_a_target),
		DESK_TEST(keys_actions_are_commands_without_a_key_too),
		DESK_TEST(readonly_offers_no_command_that_writes),
		DESK_TEST(purge_names_what_goes_and_asks_for_a_word),
		DESK_TEST(train_finds_the_beginning_of_one),
		DESK_TEST(tab_completes_names_and_arguments),
		DESK_TEST(tab_completes_the_options_of_a_training),
		DESK_TEST(up_brings_back_what_was_run),
		DESK_TEST(the_command_line_says_what_was_typed),
		DESK_TEST(the_command_line_of_a_key_is_of_the_same_runs),
		cmocka_unit_test(every_command_has_a_command_line),
		DESK_TEST(a_training_begins_with_options_that_it_takes),
		DESK_TEST(the_command_line_is_copied),
		DESK_TEST(columns_are_chosen_ordered_and_kept),
		DESK_TEST(no_table_is_left_without_a_column),
		cmocka_unit_test(a_file_of_columns_is_read_with_care),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
