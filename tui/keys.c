/* See keys.h. */
#include "tui/keys.h"

#include <string.h>

#define SCREEN_ROW(id, word, key, help, said, shell) { key, ACT_SCREEN_FIRST + SCREEN_##id, ON_ALL, false, "screen-" #word, NULL, help },

static const KeyRow TABLE[] = {
	SCREENS(SCREEN_ROW)

	{ 'p', ACT_TRAIN_PAUSE, ON_TRAIN, true, "pause", "pause", "pause training, or go on; all state is kept" },
	{ 'n', ACT_TRAIN_ONE, ON_TRAIN, true, "one-update", "one update", "exactly one update while paused" },
	{ 'c', ACT_TRAIN_CHECKPOINT, ON_TRAIN, true, "checkpoint", "checkpoint", "save a checkpoint now, read back to prove it" },
	{ 'l', ACT_TRAIN_LR, ON_TRAIN, true, "learning-rate", "lr", "change the learning rate from the next update on" },
	{ 'h', ACT_TRAIN_ENT, ON_TRAIN, true, "entropy", "entropy", "change the entropy coefficient from the next update on" },
	{ 'g', ACT_TRAIN_CLIP, ON_TRAIN, true, "clip-range", "clip", "change the clip range from the next update on" },
	{ 't', ACT_TRAIN_TRAFFIC, ON_TRAIN, true, "traffic", "traffic", "another trace, or more or less of it: x2" },
	{ 'x', ACT_TRAIN_CHAOS, ON_TRAIN, true, "chaos", "chaos", "a fault in every simulated environment, now" },
	{ 'v', ACT_TRAIN_EVALUATE, ON_TRAIN, true, "evaluate", "eval", "evaluate on held-out traffic now; of a training that has ended: the command that does" },
	{ 'Q', ACT_TRAIN_STOP, ON_TRAIN, true, "stop", "stop", "save a checkpoint and stop training; {runs.resume} on Runs goes on with it" },
	{ 'b', ACT_BEGIN, ON_TRAIN, true, "begin", "new training", "a new training, in the place of this console" },
	{ 'F', ACT_FORK, ON_TRAIN, true, "fork", "fork", "a new training from this one's last checkpoint, with other settings" },
	{ '=', ACT_COMPARE, ON_TRAIN, false, "compare", "compare", "mark this run on Runs, to compare it with others" },
	{ 'R', ACT_RESUME, ON_TRAIN, true, "resume", "resume", "go on with a stopped or failed training where it was saved" },
	{ 's', ACT_SMOOTH_MORE, ON_TRAIN | ON_COMPARE, false, "smooth", NULL, "smooth the curves more; raw dots stay under them" },
	{ 'S', ACT_SMOOTH_LESS, ON_TRAIN | ON_COMPARE, false, "rough", NULL, "smooth the curves less" },

	{ 'o', ACT_LIVE_OVERRIDE, ON_LIVE | ON_TARGETS, true, "override", "override",
	  "hold replicas for a time, or give back; on Targets: all marked" },
	{ 'p', ACT_LIVE_PAUSE, ON_LIVE | ON_TARGETS, true, "pause", "pause", "neither decide nor act until resumed" },
	{ 'w', ACT_LIVE_WHY, ON_LIVE, false, "why", "why", "the policy around this decision" },
	{ '-', ACT_WINDOW_LONGER, ON_LIVE, false, "longer", "longer", "graphs show more time" },
	{ '+', ACT_WINDOW_SHORTER, ON_LIVE, false, "shorter", "shorter", "graphs show less time" },
	{ '=', ACT_WINDOW_SHORTER, ON_LIVE, false, NULL, NULL, NULL },
	{ ']', ACT_TARGET_NEXT, ON_LIVE | ON_POLICY, false, "next-target", NULL, "the next target" },
	{ '[', ACT_TARGET_BACK, ON_LIVE | ON_POLICY, false, "target-before", NULL, "the target before" },

	{ ' ', ACT_MARK, ON_RUNS | ON_TARGETS, false, "mark", "mark", "mark the row, or unmark it" },
	{ '*', ACT_MARK_ALL, ON_RUNS | ON_TARGETS, false, "mark-all", NULL, "mark all rows that are shown, or none" },
	{ KEY_ENTER_, ACT_OPEN, ON_RUNS, false, "open", "open", "the selected run alone, with its whole configuration" },
	{ KEY_ENTER_, ACT_OPEN, ON_TARGETS, false, "open", "live", "the selected target on Live" },
	{ '=', ACT_COMPARE, ON_RUNS, false, "compare", "compare", "the marked trainings side by side" },
	{ '#', ACT_TAG, ON_RUNS, true, "tag", "tag", "add a tag to the marked runs; -NAME takes it off" },
	{ 'N', ACT_NOTE, ON_RUNS, true, "note", "note", "write a note on the selected run" },
	{ 'L', ACT_LOCK, ON_RUNS, true, "lock", "lock", "lock the runs against deletion, or unlock them" },
	{ 'd', ACT_DELETE, ON_RUNS, true, "delete", "delete", "move to the trash, or back out of it; {all.undo} undoes" },
	{ 'R', ACT_RESUME, ON_RUNS, true, "resume", "resume", "go on with a stopped or crashed training where it was saved" },
	{ 'F', ACT_FORK, ON_RUNS, true, "fork", "fork", "a new training from this run's checkpoint, with other settings" },
	{ 'b', ACT_BEGIN, ON_RUNS, true, "begin", "new training", "a new training, in the place of this console" },
	{ 's', ACT_SORT, ON_RUNS | ON_TARGETS, false, "sort", "sort", "sort by the next column" },
	{ 'S', ACT_REVERSE, ON_RUNS | ON_TARGETS, false, "reverse", NULL, "sort the other way round" },
	{ 'v', ACT_GROUP, ON_RUNS, false, "group", "group", "runs that differ in the seed alone as one row, or each alone" },
	{ '/', ACT_FILTER, ON_RUNS | ON_TARGETS | ON_EVENTS, false, "filter", "filter", "show only rows that match" },

	{ ' ', ACT_HIDE, ON_COMPARE, false, "hide", "hide", "hide the entry, or show it" },
	{ 'P', ACT_PIN, ON_COMPARE, false, "pin", "baseline", "the entry that the others are compared with" },
	{ 'v', ACT_GROUP, ON_COMPARE, false, "group", "group", "runs that differ in the seed alone as one entry, or each alone" },
	{ 'x', ACT_AXIS, ON_COMPARE, false, "axis", "axis", "curves over steps, wall time, episodes or the share of the run" },
	{ '=', ACT_DIFF, ON_COMPARE, false, "diff", "diff", "all options, or those that differ" },
	{ 'H', ACT_RULE, ON_COMPARE, false, "hpa", NULL, "hide the HPA rule, or show it" },
	{ 'r', ACT_REPLAY, ON_COMPARE, false, "replay", "replay", "policies and the HPA rule on one trace; again: the next trace" },
	{ KEY_LEFT_, ACT_LEFT, ON_COMPARE, false, "left", NULL, "a cursor in the curves: what each has there; {all.back} takes it away" },
	{ KEY_RIGHT_, ACT_RIGHT, ON_COMPARE, false, "right", NULL, "the cursor to the right" },
	{ 'b', ACT_REPS, ON_COMPARE, false, "resamples", NULL, "bootstrap with 50,000 resamples, or 2,000" },

	{ KEY_TAB_, ACT_SHOW_NEXT, ON_POLICY, false, "show", "what", "P(up), P(keep), P(down), choice, value, against the HPA" },
	{ 'h', ACT_RULE, ON_POLICY, false, "hpa", "HPA diff", "the difference from the HPA rule, or back" },
	{ 'a', ACT_AXES, ON_POLICY, false, "axes", "axes", "the next two inputs" },
	{ 'f', ACT_FIX, ON_POLICY, false, "fix", "fix input", "give an input a value: NAME VALUE" },
	{ 'n', ACT_ODD, ON_POLICY, false, "odd", "odd cell", "the next cell where more load makes up less likely" },
	{ KEY_LEFT_, ACT_LEFT, ON_POLICY, false, "left", NULL, "cursor left" },
	{ KEY_RIGHT_, ACT_RIGHT, ON_POLICY, false, "right", NULL, "cursor right" },
	{ KEY_UP_, ACT_UP, ON_POLICY, false, "up", NULL, "cursor up" },
	{ KEY_DOWN_, ACT_DOWN, ON_POLICY, false, "down", NULL, "cursor down" },

	{ 'f', ACT_FREEZE, ON_EVENTS, false, "follow", "follow", "stay at the newest event, or stop" },
	{ 'l', ACT_LEVEL, ON_EVENTS, false, "level", "level", "information, warnings, errors" },

	{ KEY_DOWN_, ACT_DOWN, ON_TABLES, false, "down", NULL, "next row; on Live all panes show that decision" },
	{ 'j', ACT_DOWN, ON_TABLES, false, NULL, NULL, NULL },
	{ KEY_UP_, ACT_UP, ON_TABLES, false, "up", NULL, "row before" },
	{ 'k', ACT_UP, ON_TABLES, false, NULL, NULL, NULL },
	{ KEY_PAGE_DOWN, ACT_PAGE_DOWN, ON_TABLES, false, "page-down", NULL, "ten rows down" },
	{ KEY_PAGE_UP, ACT_PAGE_UP, ON_TABLES, false, "page-up", NULL, "ten rows up" },
	{ KEY_HOME_, ACT_HOME, ON_TABLES, false, "home", NULL, "first row; on Live: now" },
	{ 'g', ACT_HOME, ON_TABLES, false, NULL, NULL, NULL },
	{ KEY_END_, ACT_END, ON_TABLES, false, "end", NULL, "last row" },
	{ 'G', ACT_END, ON_TABLES, false, NULL, NULL, NULL },

	{ ',', ACT_EARLIER, ON_LIVE, false, "earlier", NULL, "look at the past, one step back; {all.back} returns to now" },
	{ '.', ACT_LATER, ON_LIVE, false, "later", NULL, "one step forward" },
	{ '<', ACT_MUCH_EARLIER, ON_LIVE, false, "much-earlier", NULL, "ten steps back; the store goes on where memory ends" },
	{ '>', ACT_MUCH_LATER, ON_LIVE, false, "much-later", NULL, "ten steps forward" },

	{ KEY_TAB_, ACT_FOCUS_NEXT, ON_ALL & ~ON_POLICY, false, "next-pane", NULL, "next pane" },
	{ KEY_BACK_TAB, ACT_FOCUS_BACK, ON_ALL, false, "pane-before", NULL, "pane before" },
	{ 'z', ACT_ZOOM, ON_ALL, false, "zoom", "zoom", "the focused pane alone, or all again" },
	{ 'f', ACT_FREEZE, ON_LIVE | ON_TRAIN, false, "freeze", "freeze", "stop drawing new data; recording goes on" },
	{ 'y', ACT_COPY, ON_ALL, false, "copy", NULL, "copy the focused pane as text to the clipboard (OSC 52)" },
	{ 'e', ACT_EXPORT, ON_ALL, false, "export", "export", "write what is shown to a file: .txt, .json, .csv, .md" },
	{ 'u', ACT_UNDO, ON_LIVE | ON_TRAIN | ON_RUNS | ON_TARGETS, true, "undo", NULL, "undo the last change; a target's asks first" },
	{ 'U', ACT_REDO, ON_LIVE | ON_TRAIN | ON_RUNS | ON_TARGETS, true, "redo", NULL, "do it again" },
	{ ':', ACT_PALETTE, ON_ALL, false, "palette", "command", "any command by its name" },
	{ KEY_CTRL_L, ACT_REDRAW, ON_ALL, false, "redraw", NULL, "draw the whole screen anew" },
	{ '?', ACT_HELP, ON_ALL, false, "help", "help", "this list; type to search it" },
	{ KEY_ESC, ACT_BACK, ON_ALL, false, "back", NULL, "one layer back; on Live: back to now" },
	{ KEY_CTRL_Z, ACT_SUSPEND, ON_ALL, false, "suspend", NULL, "suspend the program" },
	{ 'q', ACT_QUIT, ON_ALL, false, "quit", "quit", "leave; asks only if a real target would be left alone" },
	{ KEY_CTRL_C, ACT_QUIT, ON_ALL, false, NULL, NULL, NULL },
};
enum { N_KEYS = sizeof TABLE / sizeof *TABLE };
_Static_assert((int) N_KEYS <= (int) KEYS_MAX, "a keymap holds them all");

const KeyRow *keys_table(size_t *ret_n)
{
	*ret_n = N_KEYS;
	return TABLE;
}

void keys_default(Keymap *keymap)
{
	for (size_t i = 0; i < KEYS_MAX; i++)
		keymap->key[i] = i < N_KEYS ? TABLE[i].key : -1;
}

int keys_row(UiAction action, ScreenId screen)
{
	for (size_t i = 0; i < N_KEYS; i++)
		if (TABLE[i].id && TABLE[i].action == action && TABLE[i].screens & 1u << screen)
			return (int) i;
	return -1;
}

bool keys_is_changed(const Keymap *keymap, size_t row)
{
	return keymap->key[row] != TABLE[row].key;
}

const KeyRow *keys_find(const Keymap *keymap, int key, ScreenId screen, bool is_readonly)
{
	for (size_t i = 0; i < N_KEYS; i++)
		if (keymap->key[i] == key && TABLE[i].screens & 1u << screen)
			return is_readonly && TABLE[i].is_write ? NULL : &TABLE[i];
	return NULL;
}
