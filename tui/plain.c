/* See plain.h. */
#include "tui/plain.h"

#include "base/clock.h"
#include "base/snap.h"
#include "tui/console.h"
#include "tui/export.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { TICK_MS = 1000, TABLE_TICKS = 30, COLUMN_ROWS = 14, COLUMN_COLS = 59, LINES_MOST = 256, SETTLE_TRIES = 300, TEXT_ROWS = 30, TEXT_COLS = 100 };

/* Data come in while one waits: the store's answer, a first decision, a look at the policy. */
static void settle(Console *console)
{
	for (int i = 0; i < SETTLE_TRIES && !console_is_settled(console); i++) {
		struct pollfd fd = { console->feed->wake_fd, POLLIN, 0 };
		console_draw(console); /* what is asked for depends on the room there is */
		if (i > 0 && poll(&fd, fd.fd >= 0, 20) > 0)
			wake_drain(&(Wake) { fd.fd });
		console_refresh(console, 20 * i);
	}
}

/* Tables as tabs between cells, the rest as the column of a tiny terminal. */
static void write_lines(Console *console, StrBuf *text)
{
	strbuf_clear(text);
	if (screen_ops(console->screen)->table) {
		(void) export_text(console, "x.tsv", text);
		return;
	}
	console_draw(console);
	canvas_part_to_text(&console->canvas, (Rect) { 0, 0, console->canvas.rows - 1, console->canvas.cols }, text);
}

/* Prints the lines that differ from those before, and keeps them. */
static void print_changes(const StrBuf *text, char **shown)
{
	const char *at = text->data ? text->data : "";
	for (int i = 0; i < LINES_MOST && *at; i++) {
		size_t len = strcspn(at, "\n");
		if (len && (!shown[i] || strlen(shown[i]) != len || strncmp(shown[i], at, len) != 0)) {
			printf("%.*s\n", (int) len, at);
			free(shown[i]);
			shown[i] = strndup(at, len);
		}
		at += len + (at[len] == '\n');
	}
	(void) fflush(stdout);
}

static void forget(char **shown)
{
	for (int i = 0; i < LINES_MOST; i++) {
		free(shown[i]);
		shown[i] = NULL;
	}
}

static void menu(const Console *console)
{
	for (int i = 0; i < SCREEN_COUNT; i++)
		if (console_has(console, (ScreenId) i))
			printf("%d %s%s\n", i + 1, screen_ops((ScreenId) i)->name, console->screen == (ScreenId) i ? " (shown)" : "");
	printf("q quit. Write a number and Enter.\n");
	(void) fflush(stdout);
}

/* False: quit. */
static bool take_word(Console *console, char **shown)
{
	char word[64];
	if (!fgets(word, sizeof word, stdin) || word[0] == 'q')
		return false;
	int screen = atoi(word) - 1;
	if (screen >= 0 && screen < SCREEN_COUNT && console_has(console, (ScreenId) screen)) {
		console_go(console, (ScreenId) screen);
		settle(console);
		forget(shown);
		printf("%s\n", screen_ops((ScreenId) screen)->name);
	} else {
		menu(console);
	}
	return true;
}

int ui_run_plain(Feed *feed, const UiOptions *opts, Error *err)
{
	static const int ROWS = COLUMN_ROWS, COLS = COLUMN_COLS;
	Console console;
	Clock clock;
	StrBuf text = { 0 };
	char *shown[LINES_MOST] = { NULL };
	clock_init_system(&clock);
	int code = console_init(&console, feed, opts, GLYPHS_ASCII, ROWS, COLS);
	if (code) {
		console_done(&console);
		return error_set(err, code, code == ERR_NOT_FOUND ? "nothing to show: no training, no target, no store" : "%s", err_text(code));
	}
	menu(&console);
	int ticks = 0;
	for (bool goes_on = true; goes_on; ticks++) {
		console_refresh(&console, clock_mono_ms(&clock));
		bool is_table = screen_ops(console.screen)->table != NULL; /* its ages alone would read it out every second */
		if (!is_table || !shown[0] || ticks % TABLE_TICKS == 0) {
			write_lines(&console, &text);
			print_changes(&text, shown);
		}
		struct pollfd fd = { STDIN_FILENO, POLLIN, 0 };
		if (poll(&fd, 1, TICK_MS) > 0)
			goes_on = take_word(&console, shown);
	}
	forget(shown);
	strbuf_done(&text);
	console_done(&console);
	return UI_QUIT;
}

/* COLUMNS and LINES, where a pipe has no size of its own. */
static int size_of(const char *name, int otherwise)
{
	const char *text = getenv(name);
	int n = text ? atoi(text) : 0;
	return n >= 20 && n <= 500 ? n : otherwise;
}

int ui_print(Feed *feed, const UiOptions *opts, const char *form, Error *err)
{
	char name[16];
	Console console;
	StrBuf text = { 0 };
	UiOptions once = *opts;
	once.is_once = true;
	int code = console_init(&console, feed, &once, GLYPHS_ASCII, size_of("LINES", TEXT_ROWS), size_of("COLUMNS", TEXT_COLS));
	if (!code && console.screen != opts->screen)
		code = ERR_NOT_FOUND;
	bool is_shown = !code;
	if (is_shown) {
		settle(&console);
		console_draw(&console);
		(void) snprintf(name, sizeof name, "x.%.8s", form);
		code = export_text(&console, name, &text);
	}
	if (!code && fwrite(text.data ? text.data : "", 1, text.len, stdout) != text.len)
		code = ERR_CLOSED;
	else if (code)
		(void) error_set(err, code, code != ERR_NOT_FOUND ? "%s" : is_shown ? "%s has no table to write; --format txt and json do"
		                 : "%s has nothing to show here", code == ERR_NOT_FOUND ? screen_ops(opts->screen)->name : err_text(code));
	strbuf_done(&text);
	console_done(&console);
	return code;
}
