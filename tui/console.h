/*
 * The console without a terminal: what is shown, what has the focus, what a key does. ui.c feeds it keys and time and
 * copies its canvas to the terminal; tests drive it directly.
 */
#ifndef MAESTRO_TUI_CONSOLE_H
#define MAESTRO_TUI_CONSOLE_H

#include "tui/columns.h"
#include "tui/compare.h"
#include "tui/dialog.h"
#include "tui/prompt.h"
#include "tui/screen.h"
#include "tui/talk.h"
#include "tui/ui.h"

typedef enum ConsoleResult { CONSOLE_STAYS, CONSOLE_QUIT, CONSOLE_HEADLESS, CONSOLE_SUSPEND,
	CONSOLE_REDRAW, CONSOLE_COPY, CONSOLE_EXPORT, CONSOLE_TRAIN } ConsoleResult;

typedef enum AnswerFrom { FROM_TRAIN, FROM_LIVE, FROM_STORE } AnswerFrom;

typedef struct Message { /* one line in the place of the keys */
	char text[200];
	Role role;
	int64_t until_ms;   /* 0: none shown */
	int64_t pending_id; /* 0: no answer is awaited */
	AnswerFrom from;    /* whose answers to look at */
	char what[120];
} Message;

enum { UNDO_MOST = 16 };

typedef struct Undo { /* a change and its reverse */
	Command undo, redo;
	char undo_what[80], redo_what[80];
} Undo;

typedef struct UndoList {
	Undo entry[UNDO_MOST];
	int n, at;          /* entries; those before at are done, the others undone */
} UndoList;

/* What a purge takes, as filters: what is in the trash, or only what has been there for TRASH_DAYS. */
#define PURGE_ALL "is:trash not is:locked"
#define PURGE_DUE PURGE_ALL " trash>=" TRASH_DAYS_TEXT "d"

typedef struct RunsView { /* what of the store is shown */
	char filter[FILTER_TEXT];
	char good_filter[FILTER_TEXT]; /* the last that could be read */
	RunSort sort;
	bool is_ascending;
	int64_t offset;     /* of the page */
	int64_t selected;   /* row, counted from the first that the filter takes */
	bool has_selected;  /* the first list has come */
	int64_t marked[EDIT_RUNS];
	int n_marked;
	bool is_asked_anew; /* something changed: do not wait for the next turn */
	const char *purges; /* PURGE_*, whose next list opens the dialog; NULL: none is wished for */
	bool is_grouped;    /* a row for runs that differ in the seed alone */
	int checkpoint;     /* of the selected run, in its list */
	int64_t checkpoint_of; /* the run that it is of */
} RunsView;

typedef struct LogView {
	char filter[FILTER_TEXT];
	EventLevel level;   /* the least shown */
	int selected;
	bool is_held;       /* does not follow */
} LogView;

typedef struct TargetsView {
	char filter[FILTER_TEXT];
	int sort;           /* screen_targets.c's column */
	bool is_reversed;
	int selected;       /* row as shown */
	bool is_marked[FEED_TARGETS_MAX]; /* by the feed's order */
} TargetsView;

typedef enum PolicyShow { SHOW_UP, SHOW_KEEP, SHOW_DOWN, SHOW_CHOICE, SHOW_VALUE, SHOW_HPA, SHOW_COUNT } PolicyShow;

typedef struct PolicyLook { /* what the Policy screen asks for and shows */
	PolicyQuery query;
	bool has_query;       /* query is set up */
	int64_t asked_id;     /* 0: nothing is awaited */
	int64_t asked_at_ms, at_ms; /* when it was asked, when the answer came */
	PolicyView *view;     /* owned; NULL before the first answer */
	PolicyShow show;
	int col, row;         /* cursor, row counted from below */
	bool has_cursor;      /* else it follows the live point */
} PolicyLook;

enum { PALETTE_PAST = 32, SHELL_TEXT = 2048 /* of a command line to copy */ };

typedef struct PaletteHistory { /* commands that were run, oldest first */
	char text[PALETTE_PAST][PROMPT_TEXT];
	int n;
	int at;                   /* back from the newest; 0: none is recalled */
	char draft[PROMPT_TEXT];  /* what stood there before */
} PaletteHistory;

typedef struct Console {
	Feed *feed;
	UiOptions opts;
	Keymap keymap;
	Canvas canvas;
	FeedFrame frame;    /* held until the next refresh; live is the chosen target's */
	bool has_frame;
	ScreenId screen;
	int target;         /* chosen, in the feed's order */
	int focus[SCREEN_COUNT];
	bool is_zoomed, is_frozen, is_helping;
	int help_top;
	char help_search[32];
	float smoothing;
	int window;
	int64_t cursor_ms;     /* of the target's time, on Live; 0: now */
	HistoryPoint nowhere;  /* what is known of a moment that no history has */
	LiveView *past;        /* the chosen target with history from the store around the cursor; owned, NULL: none needed */
	Dialog dialog;
	Prompt prompt;
	Message message;
	UndoList undo;
	int32_t former;     /* replicas before the last override, for an undo; -1: none */
	Talk talk;
	RunsView runs;
	CompareView compare;
	struct CompareWork *work; /* many resamples of it under way; NULL: none */
	LogView log;
	TargetsView targets;
	PolicyLook policy;
	int64_t live_wall_ms, live_seen_ms; /* newest target time, and when it was seen */
	char not_begun[200];   /* why the simulated target cannot be had, as Live wants it; "": it can */
	int64_t now_ms;        /* monotonic, of the last refresh or key */
	int64_t taken_ms;      /* the same, of the frame that is shown */
	char export_path[256]; /* of CONSOLE_EXPORT */
	char copied[SHELL_TEXT]; /* of CONSOLE_COPY; "": the focused pane */
	PaletteHistory palette;
	ColumnChoices columns;
	bool is_leaving;       /* for another training: CONSOLE_TRAIN */
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
/* mouse.c: a press at a place of what was drawn last. Clicks focus, select, sort and press footer words and a dialog's
 * buttons; the wheel scrolls; the right button moves the cursor of a graph or map. */
ConsoleResult console_mouse(Console *console, const MouseEvent *event, int64_t now_ms);
/* SIGTSTP came from outside: CONSOLE_SUSPEND, or a dialog opens. */
ConsoleResult console_suspend(Console *console);
void console_draw(Console *console);

/* What CONSOLE_COPY is about: the focused pane as it stands on the screen, without its frame, or a command line. */
void console_copy_text(Console *console, StrBuf *text);
bool console_has(const Console *console, ScreenId screen);
bool console_is_readonly(const Console *console);
/* Sends a command; its answer shows as a message. Nothing is sent in read-only mode: the one check. */
int console_send(Console *console, Command *command, const char *what);
/* Keys in the text are as keys_say writes them. */
void console_say(Console *console, Role role, const char *text);
/* Does an action of the key table, whether or not a key stands for it. */
ConsoleResult console_act(Console *console, UiAction action);
/* Shows a screen, where there is one. */
void console_go(Console *console, ScreenId screen);
/* The screen shows a target, and there is none yet. */
bool console_lacks_target(const Console *console);
/* There is one, or one may come: the simulated one, or those of an autoscaler elsewhere. */
bool console_may_have_target(const Console *console);
/* An answer of the store, a target, or a first update is on its way that the screen waits for, or a computation has ended. */
bool console_awaits(const Console *console);
/* Nothing more is asked until something changes. */
bool console_is_settled(const Console *console);
/* The frame's targets or run may be commanded on what is now, not on a frozen picture. */
void console_unfreeze(Console *console);

/* undo.c: sends a change and keeps its reverse; what is said of each. */
void console_change(Console *console, Command *redo, const char *what, const Command *undo, const char *undo_what);
void console_undo(Console *console, bool is_redo);

/* The columns of a screen's table as chosen; ret holds COLUMNS_MAX. */
int console_columns(const Console *console, ScreenId screen, Column *ret);
/* Keeps the chosen columns in UiOptions.columns_path and says that it does. */
void console_keep_columns(Console *console);

/* palette.c: a key that moves in, completes or copies; the overlay; the command that stands there. */
ConsoleResult palette_key(Console *console, int key);
void palette_draw(Console *console);
ConsoleResult palette_run(Console *console);

/* train_act.c: leaves for `maestro train` with these options, at once or after a question where a training would stop. */
void console_train(Console *console, const char *options);
/* The line that such options are written in. */
void console_begin(Console *console);

/* prompt_act.c: what an answered prompt does. */
ConsoleResult console_answered(Console *console);
/* The filter of the screen that is shown, [FILTER_TEXT]; Runs' where it has none of its own. */
char *console_filter(Console *console);
/* Opens a prompt. */
void console_prompt(Console *console, PromptKind kind, const char *label, const char *text);

/* The rows that actions on Runs are for: the marked ones, else the selected one. */
int console_picked_runs(const Console *console, int64_t *run, int most);

#endif
