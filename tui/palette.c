/*
 * The palette: every command by its name, matched loosely, with what it means and its form in a shell.
 *
 * Keys' actions are commands too, so that the palette cannot fall behind the key table. What writes opens its dialog.
 */
#include "tui/console.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { ROWS = 8, COLS = 92, MATCHES = 64 };

typedef ConsoleResult (*PaletteFn)(Console *console, const char *arguments);

typedef struct PaletteRow {
	const char *name, *arguments, *help, *shell;
	bool is_write;
	PaletteFn run;
} PaletteRow;

/* ---- commands ---- */

static ConsoleResult go(Console *console, ScreenId screen)
{
	console_go(console, screen);
	return CONSOLE_STAYS;
}

#define GO(name, id) \
	static ConsoleResult go_##name(Console *console, const char *arguments) \
	{ \
		(void) arguments; \
		return go(console, id); \
	}
GO(live, SCREEN_LIVE)
GO(train, SCREEN_TRAIN)
GO(runs, SCREEN_RUNS)
GO(compare, SCREEN_COMPARE)
GO(policy, SCREEN_POLICY)
GO(targets, SCREEN_TARGETS)
GO(events, SCREEN_EVENTS)

static ConsoleResult filter(Console *console, const char *arguments)
{
	console_go(console, SCREEN_RUNS);
	str_copy(console->runs.filter, sizeof console->runs.filter, arguments);
	console->runs.offset = console->runs.selected = 0;
	console_refresh(console, console->now_ms);
	return CONSOLE_STAYS;
}

static ConsoleResult trash(Console *console, const char *arguments)
{
	(void) arguments;
	return filter(console, "is:trash");
}

/* Opens the override dialog with what was typed: "[TIME] REPLICAS". */
static ConsoleResult hold(Console *console, const char *arguments)
{
	char first[32] = "", second[32] = "";
	int n = sscanf(arguments, "%31s %31s", first, second);
	console_unfreeze(console);
	if (!console->frame.live) {
		console_say(console, ROLE_WARN, "there is no target");
		return CONSOLE_STAYS;
	}
	console_go(console, SCREEN_LIVE);
	dialog_open_override(&console->dialog, console->frame.live);
	console->dialog.field[OVERRIDE_ACTION].at = CHOICE_SET;
	if (n == 2)
		str_copy(console->dialog.field[OVERRIDE_HOLD].text, FIELD_TEXT_MAX, first);
	if (n >= 1)
		str_copy(console->dialog.field[OVERRIDE_REPLICAS].text, FIELD_TEXT_MAX, n == 2 ? second : first);
	return CONSOLE_STAYS;
}

static ConsoleResult resume(Console *console, const char *arguments)
{
	(void) hold(console, arguments);
	if (console->dialog.kind != DIALOG_NONE)
		console->dialog.field[OVERRIDE_ACTION].at = CHOICE_RESUME;
	return CONSOLE_STAYS;
}

static ConsoleResult set_param(Console *console, TrainParam param, const char *arguments)
{
	if (!console->frame.train) {
		console_say(console, ROLE_WARN, "nothing is training");
		return CONSOLE_STAYS;
	}
	dialog_open_param(&console->dialog, console->frame.train, param);
	str_copy(console->dialog.field[0].text, FIELD_TEXT_MAX, arguments);
	return CONSOLE_STAYS;
}

#define SET(name, param) \
	static ConsoleResult set_##name(Console *console, const char *arguments) \
	{ \
		return set_param(console, param, arguments); \
	}
SET(lr, PARAM_LEARNING_RATE)
SET(entropy, PARAM_ENT_COEF)
SET(clip, PARAM_CLIP_RANGE)
SET(steps, PARAM_STEPS)
SET(traffic, PARAM_TRAFFIC)
SET(chaos, PARAM_CHAOS)

/* A training in the place of this console. */
static ConsoleResult begin(Console *console, const char *arguments)
{
	if (arguments[0])
		console_train(console, arguments);
	else
		console_prompt(console, PROMPT_TRAIN, "maestro train", "--steps 4000000 --name mine");
	return console->is_leaving ? CONSOLE_TRAIN : CONSOLE_STAYS;
}

static ConsoleResult export(Console *console, const char *arguments)
{
	str_copy(console->export_path, sizeof console->export_path, arguments);
	if (arguments[0])
		return CONSOLE_EXPORT;
	console_prompt(console, PROMPT_EXPORT, "export to", "maestro.txt");
	return CONSOLE_STAYS;
}

/* "HH:MM[:SS]" of the last day that has it, or "-30m". */
static ConsoleResult history(Console *console, const char *arguments)
{
	const LiveView *live = console->frame.live;
	int hour, minute, second = 0;
	int64_t back_ms = arguments[0] == '-' ? dialog_parse_hold(arguments + 1) : -1;
	if (!live) {
		console_say(console, ROLE_WARN, "there is no target");
		return CONSOLE_STAYS;
	}
	console_go(console, SCREEN_LIVE);
	if (back_ms > 0) {
		console->cursor_ms = live->wall_ms - back_ms;
	} else if (sscanf(arguments, "%d:%d:%d", &hour, &minute, &second) >= 2) {
		time_t now = (time_t) (live->wall_ms / 1000);
		struct tm local;
		(void) localtime_r(&now, &local);
		local.tm_hour = hour;
		local.tm_min = minute;
		local.tm_sec = second;
		time_t then = mktime(&local);
		console->cursor_ms = (int64_t) (then > now ? then - 86400 : then) * 1000;
	} else {
		console_say(console, ROLE_WARN, "history: write a time such as 12:40 or -30m");
	}
	console_refresh(console, console->now_ms);
	return CONSOLE_STAYS;
}

static ConsoleResult purge(Console *console, const char *arguments)
{
	(void) arguments;
	console_say(console, ROLE_WARN, "purge lists what goes and frees the space: maestro runs purge");
	return CONSOLE_STAYS;
}

static ConsoleResult quit(Console *console, const char *arguments)
{
	(void) arguments;
	return console_act(console, ACT_QUIT);
}

static const PaletteRow ROWS_TABLE[] = {
	{ "live", "", "a target's signals and decisions", "maestro --screen live", false, go_live },
	{ "train", "", "learning curves and controls", "maestro --screen train", false, go_train },
	{ "runs", "", "what was recorded", "maestro runs list", false, go_runs },
	{ "compare", "", "the marked runs side by side", "maestro runs compare A B", false, go_compare },
	{ "policy", "", "what the policy would do", "maestro model predict", false, go_policy },
	{ "targets", "", "all targets, the worst first", "maestro targets", false, go_targets },
	{ "events", "", "what happened, newest first", "maestro --screen events", false, go_events },
	{ "filter", "<words>", "runs that match", "maestro runs list --filter '...'", false, filter },
	{ "trash", "", "runs in the trash", "maestro runs list --filter is:trash", false, trash },
	{ "purge", "", "empties the trash", "maestro runs purge", true, purge },
	{ "hold", "<time> <replicas>", "hold replicas, then resume", "maestro override set TARGET N --for T", true, hold },
	{ "set", "<replicas>", "set the replicas for a while", "maestro override set TARGET N", true, hold },
	{ "resume", "", "give back to the policy", "maestro override resume TARGET", true, resume },
	{ "learning-rate", "<x>", "of the training, from the next update on", "maestro train --learning-rate X", true, set_lr },
	{ "entropy", "<x>", "entropy coefficient", "maestro train --ent-coef X", true, set_entropy },
	{ "clip", "<x>", "clip range", "maestro train --clip-range X", true, set_clip },
	{ "begin", "<options>", "a training, in the place of this console", "maestro train OPTIONS", true, begin },
	{ "steps", "<n>", "of the training in all", "maestro train --steps N", true, set_steps },
	{ "traffic", "<trace> x<scale>", "of the training's environments", "maestro train --trace FILE", true, set_traffic },
	{ "chaos", "<fault>", "in every training environment, now; none ends all", "maestro train --chaos RATE", true, set_chaos },
	{ "history", "<time>", "move the cursor to a moment: 12:40, -30m", "maestro runs show RUN", false, history },
	{ "export", "<file>", "write what is shown", "maestro runs export ID", false, export },
	{ "quit", "", "leave", "", false, quit },
};
enum { N_ROWS = sizeof ROWS_TABLE / sizeof *ROWS_TABLE };

/* ---- matching ---- */

/* How well the letters of word stand in text, in their order; 0: they do not. */
static int score(const char *text, const char *word, size_t len)
{
	int points = 1, streak = 0;
	const char *at = text;
	for (size_t i = 0; i < len; i++) {
		const char *found = at;
		while (*found && tolower((unsigned char) *found) != tolower((unsigned char) word[i]))
			found++;
		if (!*found)
			return 0;
		streak = found == at ? streak + 1 : 1;
		points += streak * 2 + (found == text ? 8 : 0);
		at = found + 1;
	}
	return points;
}

typedef struct Match {
	const PaletteRow *row; /* NULL: a key's action */
	size_t key;
	int points;
} Match;

static int by_points(const void *a, const void *b)
{
	const Match *x = a, *y = b;
	if (x->points != y->points)
		return y->points - x->points;
	return x->row && y->row ? (x->row > y->row) - (x->row < y->row) : (x->row == NULL) - (y->row == NULL);
}

/* Commands first; then the keys' actions of this screen. */
static int find(const Console *console, Match *match)
{
	const char *text = console->prompt.text;
	size_t len = strcspn(text, " "), n_keys;
	const KeyRow *keys = keys_table(&n_keys);
	int n = 0;
	for (int i = 0; i < N_ROWS; i++) {
		const PaletteRow *row = &ROWS_TABLE[i];
		int by_name = score(row->name, text, len), by_help = len > 2 ? score(row->help, text, len) / 3 : 0;
		bool is_exact = strlen(row->name) == len && !strncmp(row->name, text, len);
		if ((by_name || by_help) && !(row->is_write && console_is_readonly(console)))
			match[n++] = (Match) { row, 0, (by_name > by_help ? by_name : by_help) + (is_exact ? 1000 : 0) + (!len) };
	}
	for (size_t i = 0; i < n_keys && n < MATCHES; i++) {
		bool is_off = !keys[i].id || !(keys[i].screens & 1u << console->screen) ||
		              (keys[i].action >= ACT_SCREEN_FIRST && keys[i].action <= ACT_SCREEN_LAST) ||
		              (keys[i].is_write && console_is_readonly(console));
		int points = is_off ? 0 : len ? score(keys[i].id, text, len) : 0;
		if (points)
			match[n++] = (Match) { NULL, i, points };
	}
	qsort(match, (size_t) n, sizeof *match, by_points);
	return n;
}

static const char *name_of(const Match *match)
{
	size_t n;
	return match->row ? match->row->name : keys_table(&n)[match->key].id;
}

void palette_move(Console *console)
{
	Match match[MATCHES];
	Prompt *prompt = &console->prompt;
	int n = prompt->kind == PROMPT_PALETTE ? find(console, match) : 0;
	if (!n)
		return;
	if (prompt->last_key == KEY_TAB_) {
		const PaletteRow *row = match[prompt->row < n ? prompt->row : 0].row;
		char text[PROMPT_TEXT];
		(void) snprintf(text, sizeof text, "%s%s", name_of(&match[prompt->row < n ? prompt->row : 0]),
		                row && row->arguments[0] ? " " : "");
		prompt_set(prompt, text);
		return;
	}
	prompt->row = (prompt->row + (prompt->last_key == KEY_DOWN_ ? 1 : n - 1)) % n;
}

ConsoleResult palette_run(Console *console)
{
	Match match[MATCHES];
	int n = find(console, match), at = console->prompt.row < n ? console->prompt.row : 0;
	char text[PROMPT_TEXT];
	str_copy(text, sizeof text, console->prompt.text);
	if (!n) {
		str_copy(console->prompt.problem, sizeof console->prompt.problem, "no such command");
		return CONSOLE_STAYS;
	}
	console->prompt.kind = PROMPT_NONE;
	const char *arguments = text + strcspn(text, " ");
	arguments += strspn(arguments, " ");
	if (match[at].row)
		return match[at].row->run(console, arguments);
	return console_key(console, console->keymap.key[match[at].key], console->now_ms);
}

/* ---- drawing ---- */

void palette_draw(Console *console)
{
	Match match[MATCHES];
	Canvas *canvas = &console->canvas;
	int n = find(console, match), cols = COLS < canvas->cols ? COLS : canvas->cols;
	int rows = ROWS + 2 < canvas->rows - 1 ? ROWS + 2 : canvas->rows - 1;
	Rect rect = { canvas->rows - 1 - rows, (canvas->cols - cols) / 2, rows, cols };
	canvas_fill(canvas, rect, ' ', ROLE_TEXT);
	Rect in = canvas_box(canvas, rect, "Commands", "Tab completes, Enter runs, Esc closes", true);
	int first = console->prompt.row >= in.rows ? console->prompt.row - in.rows + 1 : 0;
	canvas_zone(canvas, (Zone) { .kind = ZONE_COVER, .rect = { 0, 0, canvas->rows, canvas->cols } });
	canvas_zone(canvas, (Zone) { ZONE_MATCH, { in.row, in.col, n - first < in.rows ? n - first : in.rows, in.cols }, first, 1, NULL });
	for (int i = first; i < n && i - first < in.rows; i++) {
		int row = in.row + i - first;
		bool is_here = i == console->prompt.row;
		size_t n_keys;
		const KeyRow *key = &keys_table(&n_keys)[match[i].key];
		char name[48], shell[64] = "";
		(void) snprintf(name, sizeof name, "%s %s", name_of(&match[i]), match[i].row ? match[i].row->arguments : "");
		if (match[i].row)
			(void) snprintf(shell, sizeof shell, "%s", match[i].row->shell);
		if (is_here)
			canvas_put(canvas, row, in.col - 1, canvas->glyphs->pointer, ROLE_INFO);
		(void) canvas_text(canvas, row, in.col, 25, is_here ? ROLE_STRONG : ROLE_KEY, name);
		(void) canvas_text(canvas, row, in.col + 26, in.cols - 26, ROLE_TEXT, match[i].row ? match[i].row->help : key->help);
		if (in.cols > 80)
			canvas_text_right(canvas, row, in.col + in.cols, 38, ROLE_LABEL, shell);
	}
	if (!n)
		scene_empty(&(Scene) { .canvas = canvas }, in, "no such command");
}
