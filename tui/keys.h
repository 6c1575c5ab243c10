/*
 * The one key table: dispatch, the footer and the help overlay come from it.
 */
#ifndef MAESTRO_TUI_KEYS_H
#define MAESTRO_TUI_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Keys are Unicode characters; those that are none have numbers past Unicode. */
enum {
	KEY_CTRL_C = 3, KEY_TAB_ = '\t', KEY_ENTER_ = '\n', KEY_CTRL_L = 12, KEY_CTRL_Z = 26, KEY_ESC = 27, KEY_RUBOUT = 127,
	KEY_UP_ = 0x110000, KEY_DOWN_, KEY_LEFT_, KEY_RIGHT_, KEY_PAGE_UP, KEY_PAGE_DOWN, KEY_HOME_, KEY_END_,
	KEY_BACK_TAB,
};

typedef enum ScreenId { SCREEN_LIVE, SCREEN_TRAIN, SCREEN_RUNS, SCREEN_COUNT } ScreenId;
enum { ON_LIVE = 1 << SCREEN_LIVE, ON_TRAIN = 1 << SCREEN_TRAIN, ON_RUNS = 1 << SCREEN_RUNS, ON_ALL = 7 };

typedef enum UiAction {
	ACT_NONE,
	ACT_SCREEN_LIVE, ACT_SCREEN_TRAIN, ACT_SCREEN_RUNS,
	ACT_TRAIN_PAUSE, ACT_TRAIN_ONE, ACT_TRAIN_CHECKPOINT, ACT_TRAIN_LR, ACT_TRAIN_ENT, ACT_SMOOTH_MORE, ACT_SMOOTH_LESS,
	ACT_LIVE_OVERRIDE, ACT_LIVE_PAUSE, ACT_WINDOW_LONGER, ACT_WINDOW_SHORTER,
	ACT_UP, ACT_DOWN, ACT_PAGE_UP, ACT_PAGE_DOWN, ACT_HOME, ACT_END,
	ACT_OPEN, ACT_EARLIER, ACT_LATER, ACT_MUCH_EARLIER, ACT_MUCH_LATER,
	ACT_FOCUS_NEXT, ACT_FOCUS_BACK, ACT_ZOOM, ACT_FREEZE, ACT_COPY, ACT_REDRAW, ACT_HELP, ACT_BACK, ACT_QUIT, ACT_SUSPEND,
} UiAction;

typedef struct KeyRow {
	int key;
	UiAction action;
	unsigned screens;  /* ON_* */
	bool is_write;     /* changes a run or a target: not there in read-only mode */
	const char *name;  /* of the key; NULL: another name of the row above, not listed */
	const char *label; /* in the footer; NULL: in the help only */
	const char *help;
} KeyRow;

const KeyRow *keys_table(size_t *ret_n);

/* The row of a key on a screen; NULL: it does nothing there. */
const KeyRow *keys_find(int key, ScreenId screen, bool is_readonly);

#endif
