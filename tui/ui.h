/*
 * The console: draws what a Feed lends and sends what a person commands. Runs on the main thread until quit; it is
 * the only caller of curses, and no network, disk or store is waited for here.
 */
#ifndef MAESTRO_TUI_UI_H
#define MAESTRO_TUI_UI_H

#include "base/err.h"
#include "base/feed.h"
#include "base/mem.h"
#include "base/option.h"
#include "tui/glyphs.h"
#include "tui/keys.h"
#include "tui/theme.h"

enum { UI_NEXT = 256 };

typedef struct UiOptions { /* all zero but `who` is a good default */
	ScreenId screen;    /* the first one; another if the feed has no worker for it */
	GlyphMode glyphs;
	ColorMode color;
	Theme theme;
	char who[64];       /* the person, for the audit */
	bool has_no_mouse;  /* the terminal keeps it */
	bool is_readonly;   /* nothing is ever sent */
	bool is_once;       /* one picture of it: no simulated target is recorded for that */
	char columns_path[256]; /* where the choice of columns is kept; "": nowhere */
	const char *filter; /* lent; of the first screen, where it has one; NULL: none */
	const char *runs;   /* lent; what Compare compares: ids parted by commas; NULL: nothing */
	const char *db;     /* lent; the store, where it is not the default one: command lines to copy name it */
	const Keymap *keymap; /* lent; NULL: the table's own keys */
	const Opt *next_options; /* lent; the table of what `maestro train` takes; NULL: not known */
	int (*check_next)(const char *options, Error *err); /* whether `maestro train` would take these; NULL: not known before */
	char *next;         /* [UI_NEXT] what `maestro train` is to go on with, of UI_TRAIN; NULL: no training begins from here */
} UiOptions;

/* Sets "screen", "glyphs", "color" or "theme" from a command line's word; ERR_USAGE names what is known. */
int ui_option_set(UiOptions *opts, const char *name, const char *word, Error *err);

/* Whether stdin and stdout are a terminal that terminfo knows and that is not `dumb`; else the caller goes on
 * without a screen. */
bool ui_can_run(void);

typedef enum UiResult {
	UI_QUIT,        /* the person left */
	UI_HEADLESS,    /* the terminal hung up, or the person asked to go on without a screen */
	UI_INTERRUPTED, /* SIGINT: the caller ends with 130 */
	UI_TERMINATED,  /* SIGTERM: 143 */
	UI_TRAIN,       /* the person asked for a training: its options are in UiOptions.next */
} UiResult;

/* A UiResult, or ERR_IO (no terminal), ERR_NOT_FOUND (the feed has nothing to show), ERR_NOMEM. The terminal is as
 * it was before in every case. Handlers for INT, TERM, HUP, TSTP, CONT, WINCH and the crash signals are its own
 * while it runs and the caller's again afterwards. */
int ui_run(Feed *feed, const UiOptions *opts, Error *err);

/* One screen as text, without a terminal; ASCII unless the locale is UTF-8. ERR_NOT_FOUND if the feed has no
 * worker for it, ERR_NOMEM. */
int ui_render_text(Feed *feed, ScreenId screen, int rows, int cols, StrBuf *text);

#endif
