/* The part of the Runs screen that stands in a file of its own. */
#ifndef MAESTRO_TUI_SCREEN_RUNS_H
#define MAESTRO_TUI_SCREEN_RUNS_H

#include "tui/screen.h"

/* The marked row of the list; NULL: there is none. */
const RunRow *runs_selected(const RunsState *runs);

/* Inside of the Selected run pane: curves of a training run or the last decisions of a control run, and its
 * configuration. */
void runs_draw_selected(const Scene *scene, Rect in);

#endif
