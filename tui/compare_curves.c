/* Compare: the entries' curves with their spread, over steps, time, episodes or the share of the run. */
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

typedef struct Line {
	const CompareEntry *entry;
	const double *y;
} Line;

static void point(const void *data, int i, double *ret_x, double *ret_y)
{
	const Line *line = data;
	*ret_x = line->entry->x[i];
	*ret_y = line->y[i];
}

static double rule_value(const CompareView *view, CompareFigure figure)
{
	const EpisodeFigures *mean = &view->rule.mean;
	if (!view->rule.n || view->hides_rule)
		return NAN;
	switch (figure) {
	case FIGURE_VIOLATION: return mean->v_pct;
	case FIGURE_HOURS: return mean->pod_hours;
	case FIGURE_FLIPS: return mean->flips;
	case FIGURE_P95: return mean->p95_ms;
	default: return view->rule.iqm.value;
	}
}

typedef struct Bounds {
	double lo, hi; /* lo INFINITY: nothing is known */
} Bounds;

static Bounds bounds_of(const CompareView *view, CompareFigure figure)
{
	Bounds b = { INFINITY, -INFINITY };
	for (int e = 0; e < view->n; e++) {
		const CompareEntry *entry = &view->entry[e];
		for (int i = 0; i < entry->n_points && !entry->is_hidden; i++) {
			b.lo = fmin(b.lo, entry->curve[figure].lo[i]);
			b.hi = fmax(b.hi, entry->curve[figure].hi[i]);
		}
	}
	if (isfinite(b.lo)) {
		b.lo = fmin(b.lo, rule_value(view, figure));
		b.hi = fmax(b.hi, rule_value(view, figure));
	}
	return b;
}

static double last_x(const CompareView *view)
{
	double last = 0;
	for (int e = 0; e < view->n; e++)
		if (view->entry[e].n_points && !view->entry[e].is_hidden)
			last = fmax(last, view->entry[e].x[view->entry[e].n_points - 1]);
	return last;
}

static double cursor_x(const CompareView *view)
{
	bool is_last = view->cursor == COMPARE_POINTS; /* no rounding past the end */
	return is_last ? last_x(view) : last_x(view) * (view->cursor - 1) / (COMPARE_POINTS - 1);
}

static void draw_entry(const CompareView *view, const Plot *plot, CompareFigure figure, int e)
{
	const CompareEntry *entry = &view->entry[e];
	const CompareCurve *curve = &entry->curve[figure];
	const double *edges[] = { curve->lo, curve->hi };
	for (size_t i = 0; i < 2 && entry->n > 1; i++) {
		Line edge = { entry, edges[i] };
		plot_series(plot, &(Series) { .data = &edge, .n = entry->n_points, .at = point, .kind = PLOT_DOTS, .role = ROLE_GHOST,
		            .letter = '.' });
	}
	Line line = { entry, curve->middle };
	plot_smoothed(plot, &(Series) { .data = &line, .n = entry->n_points, .at = point, .kind = PLOT_LINE, .role = compare_role(e),
	              .letter = entry->letter }, view->smoothing);
	int last = entry->n_points - 1;
	while (last >= 0 && isnan(curve->middle[last]))
		last--;
	if (last >= 0)
		plot_mark(plot, entry->x[last], curve->middle[last], (uint32_t) entry->letter, compare_role(e));
}

/* The rule's level, all entries that are not hidden, and the cursor. */
static void draw_lines(const CompareView *view, const Plot *plot, CompareFigure figure)
{
	plot_level(plot, rule_value(view, figure), ROLE_SERIES_H);
	for (int e = view->n - 1; e >= 0; e--)
		if (!view->entry[e].is_hidden)
			draw_entry(view, plot, figure, e);
	if (view->cursor)
		plot_cursor(plot, cursor_x(view));
}

/* "x steps   cursor 3.20 M  A 56.9  B 33.0": what the axis is, and all entries where somebody looks. */
static void draw_readings(const Scene *scene, Rect row)
{
	const CompareView *view = &scene->console->compare;
	char text[FMT_TEXT];
	Pen pen = { scene->canvas, row.row, row.col, row.col + row.cols };
	(void) pen_item(&pen, ROLE_LABEL, "x %s", AXES[view->axis].name);
	if (view->smoothing > 0)
		(void) pen_item(&pen, ROLE_LABEL, "  smooth %.1f", view->smoothing);
	if (!view->cursor)
		return;
	double x = cursor_x(view);
	(void) pen_item(&pen, ROLE_INFO, "  at %s%s", AXES[view->axis].labels.x(text, x), AXES[view->axis].labels.x_unit);
	for (int e = 0; e < view->n; e++)
		if (!view->entry[e].is_hidden)
			(void) pen_item(&pen, compare_role(e), "  %c %s", view->entry[e].letter,
			                fmt_number(text, compare_at(&view->entry[e], FIGURE_REWARD, x)));
}

void compare_draw_curves(const Scene *scene, Rect in)
{
	const CompareView *view = &scene->console->compare;
	Bounds b = bounds_of(view, FIGURE_REWARD);
	if (!isfinite(b.lo)) {
		scene_empty(scene, in, view->axis == AXIS_EPISODES ? "how long episodes were is not recorded for these runs; {compare.axis}: another axis"
		                                                  : "no curve: no two evaluations of a run are recorded (train --eval-every says how often)");
		return;
	}
	Axis axis = axis_fit(b.lo, b.hi, in.rows / 3);
	Plot plot = chart_begin(scene->canvas, (Rect) { in.row, in.col, in.rows - 1, in.cols }, 0, last_x(view), &axis, &AXES[view->axis].labels);
	draw_readings(scene, (Rect) { in.row + in.rows - 1, in.col, 1, in.cols });
	draw_lines(view, &plot, FIGURE_REWARD);
}

/* ---- what the stored episodes cost ---- */

static char *fmt_share(char *text, double percent)
{
	return fmt_percent(text, percent / 100);
}

static char *fmt_whole(char *text, double value)
{
	(void) snprintf(text, FMT_TEXT, isnan(value) ? "?" : "%.0f", value);
	return text;
}

static const struct {
	CompareFigure figure;
	const char *name, *missing;
	FmtFn fmt, axis;
	int y_cols;
} COSTS[] = {
	{ FIGURE_VIOLATION, "steps over soft", "no latency is stored, or no soft limit is set", fmt_share, fmt_share, 7 },
	{ FIGURE_HOURS, "pod-hours", "no replicas are stored", fmt_number, fmt_plain, 5 },
	{ FIGURE_FLIPS, "flips (changes of direction)", "no replicas are stored", fmt_whole, fmt_plain, 5 },
	{ FIGURE_P95, "p95", "no latency is stored", fmt_ms, fmt_ms, 8 },
};
enum { N_COSTS = sizeof COSTS / sizeof *COSTS };

/* An entry's value at the cursor, or at its end. */
static double reading(const CompareView *view, const CompareEntry *entry, CompareFigure figure)
{
	int last = entry->n_points - 1;
	return last < 0 ? (double) NAN : compare_at(entry, figure, view->cursor ? cursor_x(view) : entry->x[last]);
}

static void draw_cost(const Scene *scene, int i, Rect in)
{
	const CompareView *view = &scene->console->compare;
	CompareFigure figure = COSTS[i].figure;
	Bounds b = bounds_of(view, figure);
	char text[FMT_TEXT];
	Pen pen = { scene->canvas, in.row, in.col, in.col + in.cols };
	(void) pen_item(&pen, ROLE_STRONG, "%s", COSTS[i].name);
	if (!isfinite(b.lo)) {
		scene_empty(scene, (Rect) { in.row + 1, in.col, in.rows - 1, in.cols }, COSTS[i].missing);
		return;
	}
	for (int e = 0; e < view->n; e++)
		if (!view->entry[e].is_hidden)
			(void) pen_item(&pen, compare_role(e), "  %c %s", view->entry[e].letter,
			                COSTS[i].fmt(text, reading(view, &view->entry[e], figure)));
	if (!isnan(rule_value(view, figure)))
		(void) pen_item(&pen, ROLE_SERIES_H, "  H %s", COSTS[i].fmt(text, rule_value(view, figure)));
	ChartLabels labels = AXES[view->axis].labels;
	labels.y = COSTS[i].axis;
	labels.y_cols = COSTS[i].y_cols;
	Axis axis = axis_fit(b.lo, b.hi, in.rows / 3);
	Plot plot = chart_begin(scene->canvas, (Rect) { in.row + 1, in.col, in.rows - 1, in.cols }, 0, last_x(view), &axis, &labels);
	draw_lines(view, &plot, figure);
}

void compare_draw_episodes(const Scene *scene, Rect in)
{
	enum { BETWEEN = 2, LEAST_COLS = 40 };
	const CompareView *view = &scene->console->compare;
	if (!isfinite(bounds_of(view, FIGURE_HOURS).lo)) {
		scene_empty(scene, in, "no evaluation episode is stored for these runs (train --eval-every says how often)");
		return;
	}
	int across = in.cols >= N_COSTS * LEAST_COLS ? N_COSTS : 2, down = N_COSTS / across;
	int cols = (in.cols - BETWEEN * (across - 1)) / across, rows = in.rows / down;
	for (int i = 0; i < N_COSTS; i++)
		draw_cost(scene, i, (Rect) { in.row + i / across * rows, in.col + i % across * (cols + BETWEEN), rows, cols });
}
