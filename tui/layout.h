/*
 * Where panes go. Pure: sizes in, rectangles out.
 *
 * A screen is a table of panes; panes of one band stand side by side, bands one below the other between the status
 * row and the key row. Where rows lack, bands leave in the order of `drop`; spare rows are shared out by `grow`.
 * Small terminals show one pane at a time, tiny ones a column of text.
 */
#ifndef MAESTRO_TUI_LAYOUT_H
#define MAESTRO_TUI_LAYOUT_H

#include "tui/canvas.h"

enum { PANES_MAX = 8 };

typedef struct PaneSpec {
	const char *title;
	int band;
	int share;       /* of the band's width, against its neighbours */
	int min_rows;    /* with its frame */
	int max_rows;    /* 0: any */
	int grow;        /* share of the spare rows; the largest of a band counts */
	int drop;        /* 0: never; else the largest leaves first */
	int min_cols;    /* of the terminal; below it the pane is not shown */
	int max_cols;    /* of the pane, where a neighbour can take the rest; 0: any */
	bool is_tab;     /* where min_cols leaves no room beside another such of its band, it takes that one's place with the focus */
	bool is_bare;    /* no frame, no focus: a line of its own */
} PaneSpec;

typedef enum LayoutClass { LAYOUT_COLUMN, LAYOUT_SINGLE, LAYOUT_GRID } LayoutClass;

typedef struct Layout {
	LayoutClass class_;
	Rect body;               /* between status and keys */
	Rect pane[PANES_MAX];    /* rows 0: not shown */
	int focus;               /* the pane that has it */
} Layout;

/* focus is the wished one; the nearest pane that can have it gets it. zoom: that pane alone. */
void layout_compute(const PaneSpec *spec, int n, int rows, int cols, int focus, bool zoom, Layout *ret);

/* The pane after (by 1) or before (by -1) focus, among those that can have it. */
int layout_next(const PaneSpec *spec, int n, const Layout *layout, int by);

#endif
