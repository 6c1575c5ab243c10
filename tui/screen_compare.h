/* What Compare's files share: screen_compare.c, and compare_replay.c with the policies on one trace. Not for others. */
#ifndef MAESTRO_TUI_SCREEN_COMPARE_H
#define MAESTRO_TUI_SCREEN_COMPARE_H

#include "tui/console.h"

/* The curves' and the options' pane show the replay while there is one. */
enum { PANE_CURVES, PANE_AGGREGATE, PANE_EPISODES, PANE_DIFF, PANE_FRONTIER, N_PANES };

/* Of entry e, on every pane. */
Role compare_role(int e);

/* Asks for the entries' policies on a trace; while that is shown, on the next one. */
void compare_replay(Console *console);
/* Replicas and p95 over the trace; what it came to in figures. */
void compare_draw_replay(const Scene *scene, Rect rect);
void compare_draw_figures(const Scene *scene, Rect rect);

/* compare_curves.c: inside of a pane, where there are entries: the reward over the training; what the evaluations' stored episodes
 * cost, a small chart each. */
void compare_draw_curves(const Scene *scene, Rect in);
void compare_draw_episodes(const Scene *scene, Rect in);

#endif
