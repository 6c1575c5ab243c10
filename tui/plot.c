/* See plot.h. */
#include "tui/plot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

Axis axis_fit(double lo, double hi, int n_steps)
{
	if (!isfinite(lo) || !isfinite(hi))
		return (Axis) { 0, 1, 1 };
	if (hi - lo < fmax(1e-9, 1e-3 * fabs(hi))) { /* four digits would label all steps alike */
		double room = fabs(hi) > 1e-9 ? fabs(hi) * .1 : 1;
		lo = lo >= 0 ? fmax(0, lo - room) : lo - room; /* what is never negative has no axis there */
		hi += room;
	}
	double rough = (hi - lo) / (n_steps > 0 ? n_steps : 1);
	double power = pow(10, floor(log10(rough)));
	static const double NICE[] = { 1, 2, 5, 10 };
	double step = 10 * power;
	for (size_t i = 0; i < sizeof NICE / sizeof *NICE; i++) {
		if (rough <= NICE[i] * power * (1 + 1e-9)) {
			step = NICE[i] * power;
			break;
		}
	}
	return (Axis) { floor(lo / step + 1e-9) * step, ceil(hi / step - 1e-9) * step, step };
}

double axis_end(double x)
{
	static const double NICE[] = { 1, 1.5, 2, 3, 4, 6, 8 };
	if (!(x > 0) || !isfinite(x))
		return 1;
	double power = pow(10, floor(log10(x)));
	for (size_t i = 0; i < sizeof NICE / sizeof *NICE; i++)
		if (x <= NICE[i] * power)
			return NICE[i] * power;
	return 10 * power;
}

/* ---- dots ---- */

static int dots_x(const Plot *plot)
{
	return plot->area.cols * plot->canvas->glyphs->dots_x;
}

static int dots_y(const Plot *plot)
{
	return plot->area.rows * plot->canvas->glyphs->dots_y;
}

static double clamp(double x, double lo, double hi)
{
	return x < lo ? lo : x > hi ? hi : x;
}

/* To the nearest whole number, halves up: lround and floor are calls of libm on processors without SSE 4.1. */
static int nearest(double x)
{
	int down = (int) (x + .5);
	return down - (down > x + .5);
}

/* From values to dots. */
typedef struct Scale {
	double lo, dots_per; /* the value of dot 0; 0: all are in the middle */
	int last;            /* dot */
} Scale;

static Scale scale_of(double lo, double hi, int dots)
{
	return (Scale) { lo, hi > lo ? (dots - 1) / (hi - lo) : 0, dots - 1 };
}

static Scale scale_x(const Plot *plot)
{
	return scale_of(plot->x0, plot->x1, dots_x(plot));
}

static Scale scale_y(const Plot *plot)
{
	return scale_of(plot->y0, plot->y1, dots_y(plot));
}

/* Counted from lo; one outside is at most one plot's size away. */
static int to_dot(const Scale *scale, double value)
{
	double at = scale->dots_per > 0 ? (value - scale->lo) * scale->dots_per : scale->last * .5;
	return nearest(at > -scale->last ? clamp(at, -scale->last, 2. * scale->last) : -scale->last);
}

static int clip(int value, int lo, int hi)
{
	return value < lo ? lo : value > hi ? hi : value;
}

/* The dots between two heights, which count from the bottom; a cell at a time. */
static void column(const Plot *plot, int x, int from, int to, Role role, char letter)
{
	const Glyphs *g = plot->canvas->glyphs;
	int most = dots_y(plot) - 1, top = most - (from > to ? from : to), bottom = most - (from < to ? from : to);
	if (x < 0 || x >= dots_x(plot) || top > most || bottom < 0)
		return;
	top = top > 0 ? top : 0;
	bottom = bottom < most ? bottom : most;
	int sub = x & (g->dots_x - 1), end = g->dots_y - 1, row = top >> g->shift_y, last = bottom >> g->shift_y;
	int col = plot->area.col + (x >> g->shift_x);
	for (int y0 = top & end; row <= last; row++, y0 = 0) {
		int y1 = row == last ? bottom & end : end;
		Cell *cell = canvas_cell(plot->canvas, plot->area.row + row, col);
		if (cell)
			*cell = (Cell) { glyphs_add_column(g, cell->ch, sub, y0, y1, letter), role };
	}
}

static void dot(const Plot *plot, int x, int y, Role role, char letter)
{
	column(plot, x, y, y, role, letter);
}

static Role area_role(const Series *series, double y, bool is_fill)
{
	if (series->hard > 0 && y > series->hard)
		return is_fill ? ROLE_FILL_BAD : ROLE_BAD;
	if (series->soft > 0 && y > series->soft)
		return is_fill ? ROLE_FILL_WARN : ROLE_WARN;
	return is_fill ? series->fill : series->role;
}

/* The edge takes the cell's colour, since it is drawn last. */
static void area_column(const Plot *plot, const Series *series, int x, int y, double value)
{
	if (y > 0)
		column(plot, x, 0, y - 1, area_role(series, value, true), ':');
	dot(plot, x, y, area_role(series, value, false), series->letter);
}

typedef struct DotPoint {
	int x, y;
	double value;
} DotPoint;

static void segment(const Plot *plot, const Series *series, DotPoint a, DotPoint b)
{
	if (series->kind == PLOT_STEPS) {
		for (int x = a.x; x < b.x; x++)
			dot(plot, x, a.y, series->role, series->letter);
		column(plot, b.x, a.y, b.y, series->role, series->letter);
		return;
	}
	if (series->kind == PLOT_AREA_STEPS) {
		for (int x = a.x; x < b.x; x++)
			area_column(plot, series, x, a.y, a.value);
		area_column(plot, series, b.x, b.y, b.value);
		return;
	}
	int before = a.y;
	for (int x = a.x; x <= b.x; x++) {
		double at = b.x > a.x ? (double) (x - a.x) / (b.x - a.x) : 1;
		int y = nearest(a.y + at * (b.y - a.y));
		if (series->kind == PLOT_AREA)
			area_column(plot, series, x, y, a.value + at * (b.value - a.value));
		else
			column(plot, x, abs(y - before) > 1 ? before + (y > before ? 1 : -1) : y, y, series->role, series->letter);
		before = y;
	}
}

void plot_series(const Plot *plot, const Series *series)
{
	DotPoint last = { 0 };
	double last_x = 0;
	bool has_last = false;
	Scale to_x = scale_x(plot), to_y = scale_y(plot);
	for (int i = 0; i < series->n; i++) {
		double x, y;
		series->at(series->data, i, &x, &y);
		if (isnan(y) || x < plot->x0 || x > plot->x1) {
			has_last = false;
			continue;
		}
		DotPoint now = { to_dot(&to_x, x), clip(to_dot(&to_y, y), 0, to_y.last), y };
		bool is_far = series->max_gap > 0 && x - last_x > series->max_gap;
		bool is_drawn = has_last && now.x == last.x && now.y == last.y && !(series->soft > 0 || series->hard > 0);
		if (!is_drawn) /* of a long series most are */
			segment(plot, series, has_last && !is_far && series->kind != PLOT_DOTS ? last : now, now);
		last = now;
		last_x = x;
		has_last = true;
	}
}

/* Exponential moving average whose start is not drawn to zero; an unknown stays unknown. Points come in their order. */
typedef struct Smooth {
	const Series *raw;
	double factor, *sum, *weight;
} Smooth;

static void smooth_point(const void *data, int i, double *ret_x, double *ret_y)
{
	const Smooth *smooth = data;
	smooth->raw->at(smooth->raw->data, i, ret_x, ret_y);
	if (isnan(*ret_y))
		return;
	*smooth->sum = smooth->factor * *smooth->sum + (1 - smooth->factor) * *ret_y;
	*smooth->weight = smooth->factor * *smooth->weight + (1 - smooth->factor);
	*ret_y = *smooth->sum / *smooth->weight;
}

void plot_smoothed(const Plot *plot, const Series *raw, double factor)
{
	double sum = 0, weight = 0;
	Smooth smooth = { raw, factor, &sum, &weight };
	Series line = *raw;
	line.data = &smooth;
	line.at = smooth_point;
	if (factor > 0)
		plot_series(plot, &(Series) { raw->data, raw->n, raw->at, PLOT_DOTS, ROLE_GHOST, .letter = '.' });
	plot_series(plot, &line);
}

/* ---- marks ---- */

/* The cell row of a value, or -1 outside. */
static int row_of(const Plot *plot, double y)
{
	if (!(y >= fmin(plot->y0, plot->y1)) || y > plot->y1)
		return -1;
	Scale to_y = scale_y(plot);
	return plot->area.row + (to_y.last - to_dot(&to_y, y)) / plot->canvas->glyphs->dots_y;
}

void plot_level(const Plot *plot, double y, Role role)
{
	int row = row_of(plot, y);
	if (row < 0)
		return;
	for (int c = 0; c < plot->area.cols; c++)
		if (plot->canvas->glyphs->mode != GLYPHS_ASCII || c % 2 == 0)
			canvas_put(plot->canvas, row, plot->area.col + c, plot->canvas->glyphs->dash, role);
}

static int col_of(const Plot *plot, double x)
{
	if (!(x >= plot->x0) || x > plot->x1)
		return -1;
	Scale to_x = scale_x(plot);
	return plot->area.col + to_dot(&to_x, x) / plot->canvas->glyphs->dots_x;
}

static bool is_blank(const Plot *plot, int row, int col)
{
	const Cell *cell = canvas_cell(plot->canvas, row, col);
	return cell && cell->ch == ' ';
}

/* Blank cells in a row from a column on, at most `most`. */
static int room_at(const Plot *plot, int row, int col, int most)
{
	int n = 0, end = plot->area.col + plot->area.cols;
	while (n < most && col + n < end && is_blank(plot, row, col + n))
		n++;
	return n;
}

/* Whole to the right or to the left of its line in the uppermost row that has room; else cut to what is free. */
static void tick_label(const Plot *plot, int col, const char *label)
{
	enum { LEAST = 5 };
	int width = canvas_width(plot->canvas, label), best = 0, best_row = 0;
	for (int row = plot->area.row; row < plot->area.row + plot->area.rows; row++) {
		bool fits_left = col - width >= plot->area.col && room_at(plot, row, col - width, width + 1) > width;
		int room = room_at(plot, row, col + 1, width + 1), need = col + 1 + width < plot->area.col + plot->area.cols;
		if (room >= width + need || fits_left) {
			(void) canvas_text(plot->canvas, row, room >= width + need ? col + 1 : col - width, width, ROLE_WARN, label);
			return;
		}
		if (room > best) {
			best = room;
			best_row = row;
		}
	}
	if (best > LEAST)
		(void) canvas_text(plot->canvas, best_row, col + 1, best - 1, ROLE_WARN, label);
}

void plot_ticks(const Plot *plot, int n, PlotTick at, const void *data)
{
	for (int pass = 0; pass < 2; pass++) { /* all words before the first line */
		for (int i = n - 1; i >= 0; i--) {
			const char *label;
			int col = col_of(plot, at(data, i, &label));
			if (col >= 0 && pass == 0)
				tick_label(plot, col, label);
			for (int r = 0; col >= 0 && pass == 1 && r < plot->area.rows; r++)
				if (is_blank(plot, plot->area.row + r, col))
					canvas_put(plot->canvas, plot->area.row + r, col, plot->canvas->glyphs->vertical, ROLE_FRAME);
		}
	}
}

void plot_cursor(const Plot *plot, double x)
{
	int col = col_of(plot, x);
	for (int r = 0; col >= 0 && r < plot->area.rows; r++)
		canvas_put(plot->canvas, plot->area.row + r, col, plot->canvas->glyphs->vertical, ROLE_INFO);
}

void plot_mark(const Plot *plot, double x, double y, uint32_t glyph, Role role)
{
	int row = row_of(plot, y), col = col_of(plot, x);
	if (row >= 0 && col >= 0)
		canvas_put(plot->canvas, row, col, glyph, role);
}

/* ---- axes ---- */

static void label_y(const Plot *plot, const Axis *y, const ChartLabels *labels)
{
	char text[FMT_TEXT];
	int axis_col = plot->area.col - 1, last_row = -2;
	for (int r = 0; r < plot->area.rows; r++)
		canvas_put(plot->canvas, plot->area.row + r, axis_col, plot->canvas->glyphs->vertical, ROLE_FRAME);
	for (double v = y->hi; v > y->lo - y->step / 2; v -= y->step) {
		int row = row_of(plot, fabs(v) < y->step / 2 ? 0 : v);
		if (row < 0 || row == last_row)
			continue;
		last_row = row;
		canvas_put(plot->canvas, row, axis_col, plot->canvas->glyphs->tick_left, ROLE_FRAME);
		canvas_text_right(plot->canvas, row, axis_col, labels->y_cols, ROLE_LABEL,
		                  labels->y(text, fabs(v) < y->step / 2 ? 0 : v));
	}
}

static void label_x(const Plot *plot, const ChartLabels *labels)
{
	char text[FMT_TEXT + 16];
	int row = plot->area.row + plot->area.rows, end = plot->area.col + plot->area.cols;
	(void) canvas_text(plot->canvas, row, plot->area.col, plot->area.cols, ROLE_LABEL, labels->x(text, plot->x0));
	(void) labels->x(text, plot->x1);
	(void) strncat(text, labels->x_unit, sizeof text - strlen(text) - 1);
	int last = canvas_width(plot->canvas, text);
	canvas_text_right(plot->canvas, row, end, plot->area.cols, ROLE_LABEL, text);
	(void) labels->x(text, (plot->x0 + plot->x1) / 2);
	int middle = canvas_width(plot->canvas, text), at = plot->area.col + (plot->area.cols - middle) / 2;
	if (at + middle + 2 < end - last && plot->area.cols > 30)
		(void) canvas_text(plot->canvas, row, at, middle, ROLE_LABEL, text);
}

Plot chart_begin(Canvas *canvas, Rect area, double x0, double x1, const Axis *y, const ChartLabels *labels)
{
	int left = labels->y_cols ? labels->y_cols + 1 : 0;
	Plot plot = { canvas, { area.row, area.col + left, area.rows - (labels->x ? 1 : 0), area.cols - left },
	              x0, x1 > x0 ? x1 : x0 + 1, y->lo, y->hi };
	if (plot.area.rows < 1 || plot.area.cols < 1) {
		plot.area.rows = plot.area.cols = 0;
		return plot;
	}
	if (labels->y_cols)
		label_y(&plot, y, labels);
	if (labels->x)
		label_x(&plot, labels);
	return plot;
}

/* Means of a series over equal parts of its x. */
typedef struct Parts {
	double mean[SPARK_MOST];
} Parts;

static void part_point(const void *data, int i, double *ret_x, double *ret_y)
{
	*ret_x = i;
	*ret_y = ((const Parts *) data)->mean[i];
}

static void parts_take(Parts *parts, int n, const Series *series, double x0, double x1)
{
	int count[SPARK_MOST] = { 0 }, last = 0;
	double sum[SPARK_MOST] = { 0 }, scale = x1 > x0 ? n / (x1 - x0) : 0, x, y;
	for (int i = 0; i < series->n; i++) {
		series->at(series->data, i, &x, &y);
		if (!(x >= x0 && x <= x1 && x1 > x0) || isnan(y))
			continue;
		int part = clip((int) ((x - x0) * scale), 0, n - 1);
		sum[part] += y;
		count[part]++;
		last = part > last ? part : last;
	}
	for (int i = 0; i < n; i++) { /* few points leave parts without one */
		bool is_between = i > 0 && i < last && !count[i];
		parts->mean[i] = count[i] ? sum[i] / count[i] : is_between ? parts->mean[i - 1] : NAN;
	}
}

void plot_sparkline(Canvas *canvas, Rect area, const Series *series, double x0, double x1)
{
	bool has_dots = canvas->glyphs->mode == GLYPHS_BRAILLE;
	int wanted = has_dots ? 2 * area.cols : area.cols, n = wanted < SPARK_MOST ? wanted : SPARK_MOST;
	double lo = INFINITY, hi = -INFINITY;
	Parts parts;
	parts_take(&parts, n, series, x0, x1);
	for (int i = 0; i < n; i++)
		if (!isnan(parts.mean[i])) {
			lo = fmin(lo, parts.mean[i]);
			hi = fmax(hi, parts.mean[i]);
		}
	if (has_dots) {
		Plot plot = { canvas, { area.row, area.col, 1, n / 2 }, 0, n - 1, lo, hi > lo ? hi : lo + 1 };
		plot_series(&plot, &(Series) { .data = &parts, .n = n, .at = part_point, .kind = PLOT_AREA,
		            .role = series->role, .fill = series->fill, .letter = '*' });
		return;
	}
	for (int i = 0; i < n; i++)
		if (!isnan(parts.mean[i]))
			canvas_put(canvas, area.row, area.col + i,
			           canvas->glyphs->rising[1 + (int) lround((hi > lo ? (parts.mean[i] - lo) / (hi - lo) : 0) * 7)], series->role);
}
