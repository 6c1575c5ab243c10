/* See layout.h. */
#include "tui/layout.h"

enum { COLUMN_COLS = 60, COLUMN_ROWS = 16, GRID_COLS = 80, GRID_ROWS = 24 };

typedef struct Band {
	int min, max, grow, drop, rows;
	bool is_there;
} Band;

static bool fits(const PaneSpec *pane, int cols)
{
	return cols >= pane->min_cols;
}

static void collect(const PaneSpec *spec, int n, int cols, Band *band)
{
	for (int i = 0; i < n; i++) {
		Band *b = &band[spec[i].band];
		if (!fits(&spec[i], cols))
			continue;
		if (!b->is_there)
			*b = (Band) { spec[i].min_rows, spec[i].max_rows, spec[i].grow, spec[i].drop, 0, true };
		b->min = spec[i].min_rows > b->min ? spec[i].min_rows : b->min;
		b->max = spec[i].max_rows > b->max ? spec[i].max_rows : b->max;
		b->grow = spec[i].grow > b->grow ? spec[i].grow : b->grow;
		b->drop = spec[i].drop < b->drop ? spec[i].drop : b->drop;
	}
}

/* Bands leave until the least heights fit; answers what is spare then. */
static int drop_bands(Band *band, int rows)
{
	for (;;) {
		int need = 0, worst = -1;
		for (int b = 0; b < PANES_MAX; b++) {
			if (!band[b].is_there)
				continue;
			need += band[b].min;
			if (band[b].drop && (worst < 0 || band[b].drop > band[worst].drop))
				worst = b;
		}
		if (need <= rows || worst < 0)
			return rows - need;
		band[worst].is_there = false;
	}
}

/* One row at a time to the band that is furthest behind its share, so that growth has no jumps. */
static void grow_bands(Band *band, int spare)
{
	for (int b = 0; b < PANES_MAX; b++)
		band[b].rows = band[b].min;
	for (; spare > 0; spare--) {
		int best = -1;
		for (int b = 0; b < PANES_MAX; b++) {
			if (!band[b].is_there || !band[b].grow || (band[b].max && band[b].rows >= band[b].max))
				continue;
			if (best < 0 || (band[b].rows - band[b].min) * band[best].grow <
			                        (band[best].rows - band[best].min) * band[b].grow)
				best = b;
		}
		if (best < 0)
			return;
		band[best].rows++;
	}
}

static bool is_in(const PaneSpec *pane, int band, int cols)
{
	return pane->band == band && fits(pane, cols);
}

/* Panes with a greatest width get theirs first; the others share what is left. */
static void place_band(const PaneSpec *spec, int n, int which, int row, const Band *band, int cols, Layout *ret)
{
	int shares = 0, open = 0, left = cols, col = 0, width[PANES_MAX] = { 0 };
	for (int i = 0; i < n; i++)
		shares += is_in(&spec[i], which, cols) ? spec[i].share : 0;
	for (int i = 0; i < n; i++) {
		if (!is_in(&spec[i], which, cols))
			continue;
		if (spec[i].max_cols && spec[i].share < shares && cols * spec[i].share / shares > spec[i].max_cols)
			left -= width[i] = spec[i].max_cols;
		else
			open += spec[i].share;
	}
	for (int i = 0; i < n; i++) {
		if (!is_in(&spec[i], which, cols))
			continue;
		if (!width[i]) {
			width[i] = left * spec[i].share / open;
			left -= width[i];
			open -= spec[i].share;
		}
		ret->pane[i] = (Rect) { row, col, band->rows, width[i] };
		col += width[i];
	}
}

/* The pane of its band in whose place a tab stands; -1: none. */
static int tab_host(const PaneSpec *spec, int n, const Layout *layout, int i)
{
	for (int k = 0; k < n && i >= 0 && i < n && spec[i].is_tab; k++)
		if (k != i && spec[k].is_tab && spec[k].band == spec[i].band && layout->pane[k].rows > 0)
			return k;
	return -1;
}

static bool takes_focus(const PaneSpec *spec, int n, const Layout *layout, int i)
{
	if (spec[i].is_bare)
		return false;
	return layout->class_ == LAYOUT_SINGLE || layout->pane[i].rows > 0 || tab_host(spec, n, layout, i) >= 0;
}

int layout_next(const PaneSpec *spec, int n, const Layout *layout, int by)
{
	int at = layout->focus;
	for (int k = 0; k < n; k++) {
		at = (at + by + n) % n;
		if (takes_focus(spec, n, layout, at))
			return at;
	}
	return layout->focus;
}

void layout_compute(const PaneSpec *spec, int n, int rows, int cols, int focus, bool zoom, Layout *ret)
{
	*ret = (Layout) { .body = { 1, 0, rows > 2 ? rows - 2 : 0, cols }, .focus = focus };
	if (cols < COLUMN_COLS || rows < COLUMN_ROWS) {
		ret->class_ = LAYOUT_COLUMN;
		return;
	}
	ret->class_ = zoom || cols < GRID_COLS || rows < GRID_ROWS ? LAYOUT_SINGLE : LAYOUT_GRID;
	if (ret->class_ == LAYOUT_GRID) {
		Band band[PANES_MAX] = { 0 };
		collect(spec, n, cols, band);
		grow_bands(band, drop_bands(band, ret->body.rows));
		int row = ret->body.row;
		for (int b = 0; b < PANES_MAX; b++) {
			if (!band[b].is_there)
				continue;
			place_band(spec, n, b, row, &band[b], cols, ret);
			row += band[b].rows;
		}
	}
	if (!takes_focus(spec, n, ret, focus))
		ret->focus = layout_next(spec, n, ret, 1);
	int host = ret->class_ == LAYOUT_GRID && !ret->pane[ret->focus].rows ? tab_host(spec, n, ret, ret->focus) : -1;
	if (host >= 0) {
		ret->pane[ret->focus] = ret->pane[host];
		ret->pane[host] = (Rect) { 0, 0, 0, 0 };
	}
	if (ret->class_ == LAYOUT_SINGLE)
		ret->pane[ret->focus] = ret->body;
}
