/* The part of the Runs screen that stands in a file of its own. */
#ifndef MAESTRO_TUI_SCREEN_RUNS_H
#define MAESTRO_TUI_SCREEN_RUNS_H

#include "tui/screen.h"

/* What the table's cells read: the list, and the console that knows which rows are marked. */
typedef struct RunTable {
	const ArchiveAnswer *list;
	const struct Console *console;
} RunTable;

/* runs_columns.c: all, and those that are shown, into column [COLUMNS_MAX]; answers how many. */
enum { N_RUNS_COLUMNS = 25 };
extern const Column runs_columns[N_RUNS_COLUMNS];
int runs_pick_columns(const struct Console *console, Column *column);

/* The marked row of the list; NULL: there is none. */
const RunRow *runs_selected(const RunsState *runs);

/* runs_act.c: questions to the store, the selection, and what is done to runs. */
void runs_refresh(struct Console *console);
void runs_move(struct Console *console, int by);
/* By the column of that title; false: the store does not sort by it. */
bool runs_sort(struct Console *console, const char *title);
bool runs_act(struct Console *console, UiAction action);
bool runs_back(struct Console *console);
bool runs_is_settled(const struct Console *console);
bool runs_is_marked(const struct Console *console, int64_t run);
void runs_mark(struct Console *console, int64_t run, bool is_on);
/* Opens the line of a training that goes on from a run's last checkpoint, with other settings. */
void runs_fork_last(struct Console *console, int64_t run, const char *name);

/* Inside of the Selected run pane: curves of a training run or the last decisions of a control run, and its
 * configuration. */
void runs_draw_selected(const Scene *scene, Rect in);
/* Of a selected evaluation (runs_results.c). */
void runs_draw_results(const Scene *scene, Rect in);

#endif
