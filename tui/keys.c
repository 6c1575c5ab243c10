/* See keys.h. */
#include "tui/keys.h"

static const KeyRow TABLE[] = {
	{ '1', ACT_SCREEN_LIVE, ON_ALL, false, "1", NULL, "Live: a target's signals and decisions" },
	{ '2', ACT_SCREEN_TRAIN, ON_ALL, false, "2", NULL, "Train: learning curves and controls" },
	{ '3', ACT_SCREEN_RUNS, ON_ALL, false, "3", NULL, "Runs: what was recorded" },

	{ 'p', ACT_TRAIN_PAUSE, ON_TRAIN, true, "p", "pause", "pause training, or go on; all state is kept" },
	{ 'n', ACT_TRAIN_ONE, ON_TRAIN, true, "n", "one update", "exactly one update while paused" },
	{ 'c', ACT_TRAIN_CHECKPOINT, ON_TRAIN, true, "c", "checkpoint", "save a checkpoint now" },
	{ 'l', ACT_TRAIN_LR, ON_TRAIN, true, "l", "lr", "change the learning rate from the next update on" },
	{ 'h', ACT_TRAIN_ENT, ON_TRAIN, true, "h", "entropy", "change the entropy coefficient from the next update on" },
	{ 's', ACT_SMOOTH_MORE, ON_TRAIN, false, "s", NULL, "smooth the curves more; raw dots stay under them" },
	{ 'S', ACT_SMOOTH_LESS, ON_TRAIN, false, "S", NULL, "smooth the curves less" },

	{ 'o', ACT_LIVE_OVERRIDE, ON_LIVE, true, "o", "override", "set the replicas by hand, or give back to the policy" },
	{ 'p', ACT_LIVE_PAUSE, ON_LIVE, true, "p", "pause", "neither decide nor act until resumed" },
	{ '-', ACT_WINDOW_LONGER, ON_LIVE, false, "-", "longer", "graphs show more time" },
	{ '+', ACT_WINDOW_SHORTER, ON_LIVE, false, "+", "shorter", "graphs show less time" },
	{ '=', ACT_WINDOW_SHORTER, ON_LIVE, false, NULL, NULL, NULL },

	{ KEY_ENTER_, ACT_OPEN, ON_RUNS, false, "Enter", "open", "the selected run alone, with its whole configuration" },
	{ 's', ACT_SMOOTH_MORE, ON_RUNS, false, "s", "smooth", "smooth the curves more; raw dots stay under them" },
	{ 'S', ACT_SMOOTH_LESS, ON_RUNS, false, "S", NULL, "smooth the curves less" },

	{ KEY_DOWN_, ACT_DOWN, ON_LIVE | ON_RUNS, false, "Down j", NULL, "next row; on Live all panes show that decision" },
	{ 'j', ACT_DOWN, ON_LIVE | ON_RUNS, false, NULL, NULL, NULL },
	{ KEY_UP_, ACT_UP, ON_LIVE | ON_RUNS, false, "Up k", NULL, "row before" },
	{ 'k', ACT_UP, ON_LIVE | ON_RUNS, false, NULL, NULL, NULL },
	{ KEY_PAGE_DOWN, ACT_PAGE_DOWN, ON_LIVE | ON_RUNS, false, "PgDn", NULL, "ten rows down" },
	{ KEY_PAGE_UP, ACT_PAGE_UP, ON_LIVE | ON_RUNS, false, "PgUp", NULL, "ten rows up" },
	{ KEY_HOME_, ACT_HOME, ON_LIVE | ON_RUNS, false, "Home g", NULL, "newest row; on Live: now" },
	{ 'g', ACT_HOME, ON_LIVE | ON_RUNS, false, NULL, NULL, NULL },
	{ KEY_END_, ACT_END, ON_LIVE | ON_RUNS, false, "End G", NULL, "oldest row" },
	{ 'G', ACT_END, ON_LIVE | ON_RUNS, false, NULL, NULL, NULL },

	{ ',', ACT_EARLIER, ON_LIVE, false, ",", NULL, "look at the past, one step back; Esc returns to now" },
	{ '.', ACT_LATER, ON_LIVE, false, ".", NULL, "one step forward" },
	{ '<', ACT_MUCH_EARLIER, ON_LIVE, false, "<", NULL, "ten steps back" },
	{ '>', ACT_MUCH_LATER, ON_LIVE, false, ">", NULL, "ten steps forward" },

	{ KEY_TAB_, ACT_FOCUS_NEXT, ON_ALL, false, "Tab", NULL, "next pane" },
	{ KEY_BACK_TAB, ACT_FOCUS_BACK, ON_ALL, false, "S-Tab", NULL, "pane before" },
	{ 'z', ACT_ZOOM, ON_ALL, false, "z", "zoom", "the focused pane alone, or all again" },
	{ 'f', ACT_FREEZE, ON_LIVE | ON_TRAIN, false, "f", "freeze", "stop drawing new data; recording goes on" },
	{ 'y', ACT_COPY, ON_ALL, false, "y", NULL, "copy the focused pane as text to the clipboard (OSC 52)" },
	{ KEY_CTRL_L, ACT_REDRAW, ON_ALL, false, "Ctrl-L", NULL, "draw the whole screen anew" },
	{ '?', ACT_HELP, ON_ALL, false, "?", "help", "this list" },
	{ KEY_ESC, ACT_BACK, ON_ALL, false, "Esc", NULL, "one layer back; on Live: back to now" },
	{ KEY_CTRL_Z, ACT_SUSPEND, ON_ALL, false, "Ctrl-Z", NULL, "suspend the program" },
	{ 'q', ACT_QUIT, ON_ALL, false, "q", "quit", "leave; asks only if a real target would be left alone" },
	{ KEY_CTRL_C, ACT_QUIT, ON_ALL, false, NULL, NULL, NULL },
};

const KeyRow *keys_table(size_t *ret_n)
{
	*ret_n = sizeof TABLE / sizeof *TABLE;
	return TABLE;
}

const KeyRow *keys_find(int key, ScreenId screen, bool is_readonly)
{
	for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++)
		if (TABLE[i].key == key && TABLE[i].screens & 1u << screen)
			return is_readonly && TABLE[i].is_write ? NULL : &TABLE[i];
	return NULL;
}
