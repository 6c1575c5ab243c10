/*
 * The console without a terminal: what is shown, what has the focus, what a key does. ui.c feeds it keys and time and
 * copies its canvas to the terminal; tests drive it directly.
 */
#ifndef MAESTRO_TUI_CONSOLE_H
#define MAESTRO_TUI_CONSOLE_H

#include "tui/dialog.h"
#include "tui/screen.h"
#include "tui/ui.h"

typedef enum ConsoleResult { CONSOLE_STAYS, CONSOLE_QUIT, CONSOLE_HEADLESS, CONSOLE_SUSPEND,
	CONSOLE_REDRAW, CONSOLE_COPY } ConsoleResult;

typedef struct Message { /* one line in the place of the keys */
	char text[200];
	Role role;
	int64_t until_ms;   /* 0: none shown */
	int64_t pending_id; /* 0: no answer is awaited */
	bool is_of_live;    /* whose answers to look at */
	char what[120];
} Message;

typedef struct RunsAsk { /* talk with the store */
	bool is_offered, has_list;
	int64_t asked_id;       /* 0: nothing is awaited */
	ArchiveAsk asked;
	int64_t asked_at_ms, list_at_ms;
	int64_t asked_offset, asked_run, shown_run;
	ArchiveAnswer *list, *run; /* owned */
} RunsAsk;

typedef struct Console {
	Feed *feed;
	UiOptions opts;
	Canvas canvas;
	FeedFrame frame;    /* held until the next refresh */
	bool has_frame;
	ScreenId screen;
	int focus[SCREEN_COUNT];
	bool is_zoomed, is_frozen, is_helping;
	int help_top;
	float smoothing;
	int window;
	int64_t cursor_ms;     /* of the target's time, on Live; 0: now */
	Dialog dialog;
	Message message;
	RunsAsk ask;
	int64_t selected_run;  /* row in the store */
	int64_t runs_offset;
	int64_t live_wall_ms, live_seen_ms; /* newest target time, and when it was seen */
	int64_t now_ms;        /* monotonic, of the last refresh or key */
	Layout layout;
} Console;

/* glyphs is not GLYPHS_AUTO. ERR_NOT_FOUND: nothing to show; ERR_NOMEM. done in every case. */
int console_init(Console *console, Feed *feed, const UiOptions *opts, GlyphMode glyphs, int rows, int cols);
void console_done(Console *console);
/* ERR_NOMEM keeps the old size. */
int console_resize(Console *console, int rows, int cols);

/* Takes the newest frame (unless frozen) and the answers in it. */
void console_refresh(Console *console, int64_t now_ms);
ConsoleResult console_key(Console *console, int key, int64_t now_ms);
/* SIGTSTP came from outside: CONSOLE_SUSPEND, or a dialog opens. */
ConsoleResult console_suspend(Console *console);
void console_draw(Console *console);

/* The focused pane as it stands on the screen, without its frame. */
void console_pane_text(const Console *console, StrBuf *text);
bool console_has(const Console *console, ScreenId screen);
/* Sends a command; its answer shows as a message. Nothing is sent in read-only mode: the one check. */
void console_send(Console *console, Command *command, const char *what);
void console_say(Console *console, Role role, const char *text);

/* console_runs.c */
void console_runs_refresh(Console *console);
/* An answer is on its way that the screen waits for. */
bool console_runs_awaits(const Console *console);
/* Nothing more is asked until something changes. */
bool console_runs_is_settled(const Console *console);
void console_runs_move(Console *console, int64_t by);

#endif
