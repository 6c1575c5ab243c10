/* Compare: the entries' learning curves with their spread, over steps, time, episodes or the share of the run. */
#include "tui/console.h"
#include "tui/fmt.h"
#include "tui/plot.h"
#include "tui/screen_compare.h"

#include <math.h>
#include <stdio.h>

static const struct {
	const char *name;
	ChartLabels labels;
} AXES[AXIS_COUNT] = {
	[AXIS_STEPS] = { "steps", { fmt_plain, fmt_count, " steps", 6 } },
	[AXIS_WALL] = { "wall time", { fmt_plain, fmt_duration, "", 6 } },
	[AXIS_EPISODES] = { "episodes", { fmt_plain, fmt_count, " episodes", 6 } },
	[AXIS_SHARE] = { "share of the run", { fmt_plain, fmt_plain, " %", 6 } },
};

typedef struct Curve {
	const CompareEntry *entry;
	const double *y;
} Curve;

static void point(const void *data, int i, double *ret_x, double *ret_y)
{
	const Curve *curve = data;
	*ret_x = curve->entry->x[i];
	*ret_y = curve->y[i];
}

typedef struct Bounds {
	double lo, hi, last;
} Bounds;

static Bounds bounds_of(const CompareView *view)
{
	Bounds b = { INFINITY, -INFINITY, 0 };
	for (int e = 0; e < view->n; e++) {
		const CompareEntry *entry = &view->entry[e];
		for (int i = 0; i < entry->n_points && !entry->is_hidden; i++) {
			b.lo = fmin(b.lo, entry->lo[i]);
			b.hi = fmax(b.hi, entry->hi[i]);
			b.last = fmax(b.last, entry->x[i]);
		}
	}
	if (view->rule.n && !view->hides_rule && isfinite(b.lo)) {
		b.lo = fmin(b.lo, view->rule.iqm.value);
		b.hi = fmax(b.hi, view->rule.iqm.value);
	}
	return b;
}

static void draw_entry(const CompareView *view, const Plot *plot, int e)
{
	const CompareEntry *entry = &view->entry[e];
	const double *edges[] = { entry->lo, entry->hi };
	for (size_t i = 0; i < 2 && entry->n > 1; i++) {
		Curve edge = { entry, edges[i] };
		plot_series(plot, &(Series) { .data = &edge, .n = entry->n_points, .at = point, .kind = PLOT_DOTS, .role = ROLE_GHOST,
		            .letter = '.' });
	}
	Curve curve = { entry, entry->middle };
	plot_smoothed(plot, &(Series) { .data = &curve, .n = entry->n_points, .at = point, .kind = PLOT_LINE, .role = compare_role(e),
	              .letter = entry->letter }, view->smoothing);
	if (entry->n_points) {
		double x, y;
		point(&curve, entry->n_points - 1, &x, &y);
		plot_mark(plot, x, y, (uint32_t) entry->letter, compare_role(e));
	}
}

/* "x steps   cursor 3.20 M  A 56.9  B 33.0": what the axis is, and all entries where somebody looks. */
static void draw_readings(const Scene *scene, Rect row, double last)
{
	const CompareView *view = &scene->console->compare;
	char text[FMT_TEXT];
	Pen pen = { scene->canvas, row.row, row.col, row.col + row.cols };
	(void) pen_item(&pen, ROLE_LABEL, "x %s", AXES[view->axis].name);
	if (view->smoothing > 0)
		(void) pen_item(&pen, ROLE_LABEL, "  smooth %.1f", view->smoothing);
	if (!view->cursor)
		return;
	double x = last * (view->cursor - 1) / (COMPARE_POINTS - 1);
	(void) pen_item(&pen, ROLE_INFO, "  at %s%s", AXES[view->axis].labels.x(text, x), AXES[view->axis].labels.x_unit);
	for (int e = 0; e < view->n; e++)
		if (!view->entry[e].is_hidden)
			(void) pen_item(&pen, compare_role(e), "  %c %s", view->entry[e].letter, fmt_number(text, compare_at(&view->entry[e], x)));
}

void compare_draw_curves(const Scene *scene, Rect in)
{
	const CompareView *view = &scene->console->compare;
	Bounds b = bounds_of(view);
	if (!isfinite(b.lo)) {
		scene_empty(scene, in, view->axis == AXIS_EPISODES ? "how long episodes were is not recorded for these runs; {compare.axis}: another axis"
		                                                  : "no evaluation is recorded for these runs");
		return;
	}
	Axis axis = axis_fit(b.lo, b.hi, in.rows / 3);
	Plot plot = chart_begin(scene->canvas, (Rect) { in.row, in.col, in.rows - 1, in.cols }, 0, b.last, &axis, &AXES[view->axis].labels);
	draw_readings(scene, (Rect) { in.row + in.rows - 1, in.col, 1, in.cols }, b.last);
	if (view->rule.n && !view->hides_rule)
		plot_level(&plot, view->rule.iqm.value, ROLE_SERIES_H);
	for (int e = view->n - 1; e >= 0; e--)
		if (!view->entry[e].is_hidden)
			draw_entry(view, &plot, e);
	if (view->cursor)
		plot_cursor(&plot, b.last * (view->cursor - 1) / (COMPARE_POINTS - 1));
}
