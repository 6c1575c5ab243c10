/*
 * What a screen is: a table of panes and the functions that draw them from a Scene.
 *
 * A Scene holds all that drawing may read: the frame lent by the feed and the console's own state. Drawing changes
 * nothing, allocates nothing and waits for nothing.
 */
#ifndef MAESTRO_TUI_SCREEN_H
#define MAESTRO_TUI_SCREEN_H

#include "base/feed.h"
#include "tui/keys.h"
#include "tui/layout.h"
#include "tui/table.h"

typedef struct RunsState { /* the Runs screen's copies of the store's answers */
	const ArchiveAnswer *list; /* n_rows 0 before the first */
	const ArchiveAnswer *run;  /* the selected run's curve */
	bool has_list;
	int64_t offset;            /* of list's first row in the store */
	int64_t selected;          /* row in the store, newest first */
} RunsState;

struct Console;

enum { MOVE_MOST = 1000000 }; /* rows: to the end */

typedef struct Scene {
	Canvas *canvas;
	const struct Console *console; /* the state of the screens that have one */
	const TrainView *train;
	const LiveView *live;
	int64_t wall_ms;        /* the machine's, for the clock */
	int64_t target_ms;      /* the target's time now */
	float smoothing;        /* 0..1 */
	int window;             /* history points a dot column */
	int row;                /* of the decisions: the one at the cursor; -1: none so old is kept */
	const HistoryPoint *point; /* at the cursor, its values unknown where nothing is known of that moment; NULL: now */
	RunsState runs;
	int focus;              /* the pane that has it; -1: none is marked */
	const Layout *layout;
} Scene;

typedef struct ScreenOps { /* a screen is one file and one row of SCREENS (keys.h); NULL members are not needed */
	const char *name;
	const PaneSpec *pane;
	int n_panes;
	const char *absent; /* what is said where there is nothing to show; NULL: just that */
	enum { NEEDS_NOTHING, NEEDS_TARGET, NEEDS_RECORDED } needs; /* a target in the frame; a simulated one is begun for it */
	int tick_ms;       /* between frames of new data where nobody asks for another pace; 0: the console's own */
	/* Whether there is anything to show. */
	bool (*is_there)(const struct Console *console);
	/* The state at the left of row 0. */
	void (*head)(const Scene *scene, Pen *pen);
	/* One pane, frame included. */
	void (*draw)(const Scene *scene, int pane, Rect rect);
	/* All in a column of text lines, for tiny terminals; NULL: the first pane's text. */
	void (*column)(const Scene *scene, Rect rect);
	/* A data tick while the screen is shown: asks the store for what is missing. */
	void (*refresh)(struct Console *console);
	/* Moves its selection by rows; MOVE_MOST and its negative are the ends. */
	void (*move)(struct Console *console, int by);
	/* An action that is this screen's own. False: it is not. */
	bool (*act)(struct Console *console, UiAction action);
	/* Whether the footer has the key of an action as things stand; NULL: of all. */
	bool (*offers)(const struct Console *console, UiAction action);
	/* Leaves a layer of its own; false: there was none. */
	bool (*back)(struct Console *console);
	/* Nothing more is awaited; NULL: never anything. */
	bool (*is_settled)(const struct Console *console);
	/* Sorts by a column, by its title; by the one that is in force the other way round. False: not by that one. */
	bool (*sort)(struct Console *console, const char *title);
	const Column *columns; /* of its table, all that there are; chosen by :cols */
	int n_columns;
	/* Hands its table to a sink, for export. */
	void (*table)(const struct Console *console, TableSink sink, void *context);
} ScreenOps;

enum { RUNS_PANE_TABLE, RUNS_PANE_RUN, N_RUNS_PANES };

#define SCREEN_OPS(id, word, key, help, said, shell) extern const ScreenOps screen_##word;
SCREENS(SCREEN_OPS)
#undef SCREEN_OPS

const ScreenOps *screen_ops(ScreenId id);

/* A pane's text where it has nothing to show: centred, wrapped; keys as keys_say writes them. */
void scene_empty(const Scene *scene, Rect in, const char *text);
/* Frame of a pane, marked when it has the focus; answers the room inside. The note's keys are as keys_say writes them. */
Rect scene_box(const Scene *scene, int pane, const PaneSpec *spec, Rect rect, const char *note);
/* The sample of a series' line in a legend, in its colour. */
void scene_legend(Pen *pen, Role role, uint32_t glyph, char letter);
/* "name value" at a pen: the name as a label. */
void scene_figure(Pen *pen, const char *name, Role role, const char *value);
/* Of what an event says. */
Role event_role(EventLevel level);
/* train_act.c: Train's own actions. */
bool train_act(struct Console *console, UiAction action);
/* Replicas of the target now, from the newest decision; -1: not known. */
int32_t live_replicas(const LiveView *live);

#endif
