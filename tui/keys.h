/*
 * The one key table: dispatch, the footer, the help overlay, `maestro keys` and the manual come from it. A keys.yaml
 * gives rows other keys, or none.
 */
#ifndef MAESTRO_TUI_KEYS_H
#define MAESTRO_TUI_KEYS_H

#include "base/err.h"
#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Keys are Unicode characters; those that are none have numbers past Unicode. */
enum {
	KEY_CTRL_C = 3, KEY_TAB_ = '\t', KEY_ENTER_ = '\n', KEY_CTRL_L = 12, KEY_CTRL_Y = 25, KEY_CTRL_Z = 26, KEY_ESC = 27, KEY_RUBOUT = 127,
	KEY_UP_ = 0x110000, KEY_DOWN_, KEY_LEFT_, KEY_RIGHT_, KEY_PAGE_UP, KEY_PAGE_DOWN, KEY_HOME_, KEY_END_,
	KEY_BACK_TAB, KEY_MOUSE_, KEY_FOCUS_IN, /* of the terminal, no keys: term.h */
};

typedef enum MouseButton { MOUSE_LEFT, MOUSE_RIGHT, MOUSE_WHEEL_UP, MOUSE_WHEEL_DOWN } MouseButton;

typedef struct MouseEvent { /* a press */
	MouseButton button;
	int row, col; /* of the terminal, from 0 */
} MouseEvent;

/*
 * The screens in the order of their keys: a row here, and tui/screen_WORD.c with its ScreenOps screen_WORD (screen.h).
 * ID, word, key, help, what the palette says, the command line that opens it. The word is that of --screen, of the palette and of keys.yaml.
 */
#define SCREENS(X) \
	X(LIVE, live, '1', "Live: a target's signals and decisions", "a target's signals and decisions", "maestro --screen live{db}") \
	X(TRAIN, train, '2', "Train: learning curves and controls", "learning curves; with options, a new one", "maestro train{options}{db}") \
	X(RUNS, runs, '3', "Runs: what was recorded", "what was recorded", "maestro runs list{db}") \
	X(COMPARE, compare, '4', "Compare: the marked runs side by side", "the marked runs side by side", "maestro runs compare {marked}{db}") \
	X(POLICY, policy, '5', "Policy: what it would do, over any two inputs", "what the policy would do", "maestro --screen policy{db}") \
	X(TARGETS, targets, '6', "Targets: all of them, the worst first", "all targets, the worst first", "maestro --screen targets{db}") \
	X(EVENTS, events, '7', "Events: what happened, newest first", "what happened, newest first", "maestro --screen events{db}")

#define SCREEN_ID(id, word, key, help, said, shell) SCREEN_##id,
#define SCREEN_BIT(id, word, key, help, said, shell) ON_##id = 1 << SCREEN_##id,
typedef enum ScreenId { SCREENS(SCREEN_ID) SCREEN_COUNT } ScreenId;
enum { SCREENS(SCREEN_BIT)
	ON_ALL = (1 << SCREEN_COUNT) - 1, ON_TABLES = ON_LIVE | ON_RUNS | ON_COMPARE | ON_TARGETS | ON_EVENTS,
};
#undef SCREEN_ID
#undef SCREEN_BIT

typedef enum UiAction {
	ACT_NONE,
	ACT_SCREEN_FIRST, ACT_SCREEN_LAST = ACT_SCREEN_FIRST + SCREEN_COUNT - 1,
	ACT_TRAIN_PAUSE, ACT_TRAIN_ONE, ACT_TRAIN_CHECKPOINT, ACT_TRAIN_LR, ACT_TRAIN_ENT, ACT_TRAIN_CLIP,
	ACT_TRAIN_TRAFFIC, ACT_TRAIN_CHAOS, ACT_TRAIN_EVALUATE, ACT_TRAIN_STOP, ACT_BEGIN,
	ACT_SMOOTH_MORE, ACT_SMOOTH_LESS,
	ACT_LIVE_OVERRIDE, ACT_LIVE_PAUSE, ACT_LIVE_WHY, ACT_WINDOW_LONGER, ACT_WINDOW_SHORTER, ACT_TARGET_NEXT, ACT_TARGET_BACK,
	ACT_MARK, ACT_MARK_ALL, ACT_COMPARE, ACT_TAG, ACT_NOTE, ACT_LOCK, ACT_DELETE, ACT_SORT, ACT_REVERSE, ACT_GROUP, ACT_FILTER, ACT_RESUME, ACT_FORK,
	ACT_HIDE, ACT_PIN, ACT_AXIS, ACT_DIFF, ACT_RULE, ACT_REPS, ACT_REPLAY,
	ACT_SHOW_NEXT, ACT_AXES, ACT_FIX, ACT_ODD, ACT_LEFT, ACT_RIGHT, ACT_LEVEL,
	ACT_UP, ACT_DOWN, ACT_PAGE_UP, ACT_PAGE_DOWN, ACT_HOME, ACT_END,
	ACT_OPEN, ACT_EARLIER, ACT_LATER, ACT_MUCH_EARLIER, ACT_MUCH_LATER,
	ACT_FOCUS_NEXT, ACT_FOCUS_BACK, ACT_ZOOM, ACT_FREEZE, ACT_COPY, ACT_EXPORT, ACT_UNDO, ACT_REDO, ACT_PALETTE, ACT_REDRAW,
	ACT_HELP, ACT_BACK, ACT_QUIT, ACT_SUSPEND,
} UiAction;

typedef struct KeyRow {
	int key;
	UiAction action;
	unsigned screens;  /* ON_* */
	bool is_write;     /* changes a run or a target: not there in read-only mode */
	const char *id;    /* in keys.yaml, behind the screen's name or "all"; NULL: another key of the row above, not listed */
	const char *label; /* in the footer; NULL: in the help only */
	const char *help;
} KeyRow;

enum { KEYS_MAX = 128 };

typedef struct Keymap { /* the key of each row of the table; -1: none */
	int key[KEYS_MAX];
} Keymap;

const KeyRow *keys_table(size_t *ret_n);
void keys_default(Keymap *keymap);

/* The row of a key on a screen; NULL: it does nothing there. */
const KeyRow *keys_find(const Keymap *keymap, int key, ScreenId screen, bool is_readonly);

/* "live.override", "all.help": the first of the row's screens, or all. */
void keys_full_id(const KeyRow *row, char *text, size_t size);
/* "o", "Ctrl-L", "PgDn", "Space"; "-" for none. text holds 16 bytes. */
char *keys_name(int key, char *text);
/* The name of a row's key and of its other keys, "Down j". text holds 32 bytes. */
char *keys_names(const Keymap *keymap, size_t row, char *text);
/* The named row of an action on a screen; -1: none. */
int keys_row(UiAction action, ScreenId screen);
/* Whether a keys.yaml has given the row another key, or taken it away. */
bool keys_is_changed(const Keymap *keymap, size_t row);
/* "{all.undo} undoes" is "u undoes" for a person, whatever key that row has; ":undo undoes" where it has none. */
const char *keys_say(const Keymap *keymap, const char *text, char *said, size_t size);

/*
 * Reads a keys.yaml ("live.override: o", a name and null for no key). What is wrong (an unknown name, a key that another
 * row of the same screen has, a writing action on Ctrl) is told in problems, a line each, and keeps its default; answers
 * how many there were. ERR_PARSE where the file is no such thing.
 */
int keys_load(const char *text, size_t len, Keymap *keymap, StrBuf *problems, Error *err);

#endif
