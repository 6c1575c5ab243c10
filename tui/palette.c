/*
 * The palette: every command by its name, matched loosely, with what it means and, for the one that Enter would run, its form in a
 * shell. Keys' actions are commands too, so that the palette cannot fall behind the key table. What writes opens its dialog.
 *
 * Behind a command's whole name stand its arguments: then it alone is listed, with what may come next.
 */
#include "tui/commands.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { ROWS = 8 /* of the list at least */, MOST_ROWS = 26, COLS = 92, NAME_COLS = 33, MATCHES = 96 };

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

/* Whether a word of text begins so. */
static bool begins_word(const char *text, const char *word, size_t len)
{
	for (const char *at = text; len && *at; at++)
		if ((at == text || at[-1] == ' ') && !strncasecmp(at, word, len))
			return true;
	return false;
}

typedef struct Match {
	const CommandRow *row; /* NULL: a key's action */
	size_t key;
	int points;
} Match;

static int by_points(const void *a, const void *b)
{
	const Match *x = a, *y = b;
	if (x->points != y->points)
		return y->points - x->points;
	if (!x->row || !y->row)
		return x->row ? -1 : y->row ? 1 : (x->key > y->key) - (x->key < y->key);
	return (x->row > y->row) - (x->row < y->row);
}

static bool is_named(const CommandRow *row, const char *text, size_t len)
{
	return strlen(row->name) == len && !strncmp(row->name, text, len);
}

static int find_commands(const Console *console, const char *text, size_t len, Match *match)
{
	size_t n_rows;
	const CommandRow *table = commands_table(&n_rows);
	int n = 0;
	for (size_t i = 0; i < n_rows; i++) {
		const CommandRow *row = &table[i];
		int by_name = score(row->name, text, len), by_help = len > 2 ? score(row->help, text, len) / 3 : 0;
		by_help += len > 2 && begins_word(row->help, text, len) ? 20 : 0;
		if (row->is_write && console_is_readonly(console))
			continue;
		if (is_named(row, text, len) && text[len]) { /* its arguments are being written */
			match[0] = (Match) { row, 0, 0 };
			return -1;
		}
		if (by_name || by_help)
			match[n++] = (Match) { row, 0, (by_name > by_help ? by_name : by_help) + (is_named(row, text, len) ? 1000 : 0) + !len };
	}
	return n;
}

/* A key's action by its name in the key table, where this screen has it. */
static int find_keys(const Console *console, const char *text, size_t len, Match *match, int n)
{
	size_t n_keys;
	const KeyRow *keys = keys_table(&n_keys);
	for (size_t i = 0; len && i < n_keys && n < MATCHES; i++) {
		bool is_off = !keys[i].id || !(keys[i].screens & 1u << console->screen) ||
		              (keys[i].action >= ACT_SCREEN_FIRST && keys[i].action <= ACT_SCREEN_LAST) ||
		              (keys[i].is_write && console_is_readonly(console));
		int points = is_off ? 0 : score(keys[i].id, text, len);
		bool is_exact = points && strlen(keys[i].id) == len && !strncmp(keys[i].id, text, len);
		if (points)
			match[n++] = (Match) { NULL, i, points + (is_exact ? 900 : 0) };
	}
	return n;
}

/* Commands first; then the keys' actions of this screen. */
static int find(const Console *console, Match *match)
{
	const char *text = console->prompt.text;
	size_t len = strcspn(text, " ");
	int n = find_commands(console, text, len, match);
	if (n < 0)
		return 1;
	n = find_keys(console, text, len, match, n);
	qsort(match, (size_t) n, sizeof *match, by_points);
	return n;
}

static const char *name_of(const Match *match)
{
	size_t n;
	return match->row ? match->row->name : keys_table(&n)[match->key].id;
}

/* Where arguments stand: which one is being written. -1: the name is. */
static int argument_at(const char *text, const Words *words)
{
	if (!strchr(text, ' '))
		return -1;
	return words->n && text[strlen(text) - 1] != ' ' ? words->n - 1 : words->n;
}

static void shell_of(const Console *console, const Match *match, char *text, size_t size)
{
	Words words;
	size_t n;
	words_split(console->prompt.text, &words);
	if (match->row)
		command_shell(console, match->row, strchr(console->prompt.text, ' ') ? &words : NULL, text, size);
	else
		action_shell(console, console->screen, keys_table(&n)[match->key].action, text, size);
}

/* ---- keys ---- */

/* As far as all candidates agree; a blank behind the only one. */
static void complete_word(Console *console, const Candidates *list, const Words *words, int at)
{
	Prompt *prompt = &console->prompt;
	char text[PROMPT_TEXT];
	size_t common = strlen(list->text[0]);
	int start = at < words->n ? words->col[at] : (int) strlen(prompt->text);
	for (int i = 1; i < list->n; i++)
		for (size_t c = 0; c < common; c++)
			common = list->text[i][c] != list->text[0][c] ? c : common;
	if (at < words->n && common < strlen(words->word[at]))
		return;
	(void) snprintf(text, sizeof text, "%.*s%.*s%s", start, prompt->text, (int) common, list->text[0], list->n == 1 ? " " : "");
	prompt_set(prompt, text);
}

static void complete(Console *console, const Match *match)
{
	Prompt *prompt = &console->prompt;
	Candidates list;
	Words words;
	words_split(prompt->text, &words);
	int at = argument_at(prompt->text, &words);
	if (at < 0 || !match->row) {
		char text[PROMPT_TEXT];
		(void) snprintf(text, sizeof text, "%s%s", name_of(match), match->row && match->row->arguments[0] ? " " : "");
		prompt_set(prompt, text);
		prompt->row = 0;
		return;
	}
	command_candidates(console, match->row, &words, at, &list);
	if (list.n)
		complete_word(console, &list, &words, at);
}

/* Older by 1, newer by -1, among what was run; false: there is none. */
static bool recall(Console *console, int by)
{
	PaletteHistory *past = &console->palette;
	int to = past->at + by;
	if (to < 0 || to > past->n)
		return false;
	if (!past->at)
		str_copy(past->draft, sizeof past->draft, console->prompt.text);
	past->at = to;
	prompt_set(&console->prompt, to ? past->text[past->n - to] : past->draft);
	console->prompt.row = 0;
	return true;
}

static void remember(PaletteHistory *past, const char *text)
{
	past->at = 0;
	if (!text[0] || (past->n && !strcmp(past->text[past->n - 1], text)))
		return;
	if (past->n == PALETTE_PAST) {
		memmove(past->text[0], past->text[1], (PALETTE_PAST - 1) * sizeof *past->text);
		past->n--;
	}
	str_copy(past->text[past->n++], PROMPT_TEXT, text);
}

ConsoleResult palette_key(Console *console, int key)
{
	Match match[MATCHES];
	Prompt *prompt = &console->prompt;
	int n = find(console, match), here = prompt->row < n ? prompt->row : 0;
	bool is_recalled = console->palette.at && !strcmp(prompt->text, console->palette.text[console->palette.n - console->palette.at]);
	console->palette.at = is_recalled ? console->palette.at : 0;
	if (key == KEY_TAB_ && n) {
		complete(console, &match[here]);
	} else if (key == KEY_CTRL_Y && n) {
		shell_of(console, &match[here], console->copied, sizeof console->copied);
		if (console->copied[0])
			return CONSOLE_COPY;
		str_copy(prompt->problem, sizeof prompt->problem, "that is of this screen alone: no command line does it");
	} else if (key == KEY_UP_ && here == 0) {
		(void) recall(console, 1);
	} else if (key == KEY_DOWN_ && is_recalled) {
		(void) recall(console, -1);
	} else if (key == KEY_UP_ || key == KEY_DOWN_) {
		prompt->row = n ? (here + (key == KEY_DOWN_ ? 1 : n - 1)) % n : 0;
	}
	return CONSOLE_STAYS;
}

/* A prompt that stays open, with what is wrong and where. */
static ConsoleResult stay(Console *console, const Prompt *prompt, const Fault *fault, const char *name, const Words *words)
{
	console->prompt = *prompt;
	(void) snprintf(console->prompt.problem, sizeof console->prompt.problem, "%.20s: %.97s", name, fault->text);
	console->prompt.fault_col = fault->word >= 0 && fault->word < words->n ? words->col[fault->word] : -1;
	return CONSOLE_STAYS;
}

ConsoleResult palette_run(Console *console)
{
	Match match[MATCHES];
	int n = find(console, match), at = console->prompt.row < n ? console->prompt.row : 0;
	Prompt before = console->prompt;
	Fault fault = { .word = -1 };
	Words words;
	size_t n_keys;
	words_split(before.text, &words);
	if (!n) {
		(void) snprintf(console->prompt.problem, sizeof console->prompt.problem, "there is no command %.*s",
		                (int) strcspn(before.text, " "), before.text);
		console->prompt.fault_col = 0;
		return CONSOLE_STAYS;
	}
	console->prompt.kind = PROMPT_NONE;
	if (!match[at].row) {
		remember(&console->palette, name_of(&match[at]));
		return console_act(console, keys_table(&n_keys)[match[at].key].action);
	}
	ConsoleResult result = match[at].row->run(console, &words, &fault);
	if (fault.text[0])
		return stay(console, &before, &fault, match[at].row->name, &words);
	char text[PROMPT_TEXT];
	(void) snprintf(text, sizeof text, "%s%s%.120s", match[at].row->name, words.n ? " " : "", words.rest);
	remember(&console->palette, text);
	return result;
}

/* ---- drawing ---- */

static void draw_match(Canvas *canvas, const Match *match, int row, Rect in, bool is_here)
{
	size_t n_keys;
	const KeyRow *key = &keys_table(&n_keys)[match->key];
	int cols = in.cols > 2 * NAME_COLS ? NAME_COLS : in.cols / 2;
	char name[64];
	(void) snprintf(name, sizeof name, "%s %s", name_of(match), match->row ? match->row->arguments : "");
	if (is_here)
		canvas_put(canvas, row, in.col - 1, canvas->glyphs->pointer, ROLE_INFO);
	(void) canvas_text(canvas, row, in.col, cols - 1, is_here ? ROLE_STRONG : ROLE_KEY, name);
	(void) canvas_text(canvas, row, in.col + cols, in.cols - cols, ROLE_TEXT, match->row ? match->row->help : key->help);
}

/* What may come next, below the command. */
static void draw_candidates(const Console *console, Canvas *canvas, const Match *match, Rect in)
{
	Candidates list;
	Words words;
	StrBuf text = { 0 };
	words_split(console->prompt.text, &words);
	int at = argument_at(console->prompt.text, &words);
	if (at < 0 || !match->row)
		return;
	command_candidates(console, match->row, &words, at, &list);
	for (int i = 0; i < list.n; i++)
		strbuf_addf(&text, "%s%s", i ? "  " : "", list.text[i]);
	if (text.data && !text.failed)
		(void) canvas_wrap(canvas, in, ROLE_LABEL, text.data);
	strbuf_done(&text);
}

void palette_draw(Console *console)
{
	Match match[MATCHES];
	Canvas *canvas = &console->canvas;
	int n = find(console, match), cols = COLS < canvas->cols ? COLS : canvas->cols, here = console->prompt.row < n ? console->prompt.row : 0;
	int listed = canvas->rows / 2 - 4;
	listed = listed < ROWS ? ROWS : listed > MOST_ROWS ? MOST_ROWS : listed;
	int rows = listed + 4 < canvas->rows - 1 ? listed + 4 : canvas->rows - 1;
	char shell[SHELL_TEXT];
	Rect rect = { canvas->rows - 1 - rows, (canvas->cols - cols) / 2, rows, cols };
	canvas_fill(canvas, rect, ' ', ROLE_TEXT);
	Rect in = canvas_box(canvas, rect, "Commands", cols < 80 ? "Tab, Up, Enter, Esc" : "Tab completes, Up before, Enter runs, Ctrl-Y copies, Esc closes", true);
	Rect list = { in.row, in.col, in.rows - 2, in.cols };
	int first = here >= list.rows ? here - list.rows + 1 : 0;
	canvas_zone(canvas, (Zone) { .kind = ZONE_COVER, .rect = { 0, 0, canvas->rows, canvas->cols } });
	canvas_zone(canvas, (Zone) { ZONE_MATCH, { list.row, list.col, n - first < list.rows ? n - first : list.rows, list.cols }, first, 1, NULL });
	for (int i = first; i < n && i - first < list.rows; i++)
		draw_match(canvas, &match[i], list.row + i - first, list, i == here);
	if (!n) {
		scene_empty(&(Scene) { .canvas = canvas }, list, "there is no such command");
		return;
	}
	if (n == 1)
		draw_candidates(console, canvas, &match[0], (Rect) { list.row + 2, list.col, list.rows - 2, list.cols });
	shell_of(console, &match[here], shell, sizeof shell);
	int row = in.row + in.rows - 1;
	(void) canvas_text(canvas, row, in.col, 7, ROLE_LABEL, "shell");
	(void) canvas_text(canvas, row, in.col + 7, in.cols - 7, shell[0] ? ROLE_TEXT : ROLE_LABEL, shell[0] ? shell : "none: of this screen alone");
}
