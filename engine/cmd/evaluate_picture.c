/* See evaluate_picture.h. */
#include "cmd/evaluate_picture.h"

#include "cmd/raster.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { COLUMNS = 2, PANEL_WIDTH = 560, PANEL_HEIGHT = 330, LEFT = 64, RIGHT = 16, TOP = 34, BOTTOM = 40, KEY_ROW = 20, MARGIN = 12 };

static const double V_MOST = 200; /* all of the time over both limits */
static const uint32_t INK = 0x404040, GRID = 0xE4E4E4;
/* Okabe and Ito's colours, which colour-blind eyes tell apart. */
static const uint32_t COLOR[] = { 0x000000, 0xE69F00, 0x56B4E9, 0x009E73, 0xD55E00, 0x0072B2, 0xCC79A7, 0x8C8C00 };
enum { COLORS = sizeof COLOR / sizeof *COLOR };

typedef struct Panel {
	Raster *raster;
	int left, top;
	double x0, x1, y0, y1; /* pod-hours; log10 of violation in percent, the floor added */
} Panel;

static double height_of(const Contest *contest, int32_t trace, double v)
{
	return log10(fmax(v, 0) + contest->floor_pct[trace]);
}

/* Mean over seeds of a point of the path. */
static FrontPoint point_of(const Contest *contest, int32_t f, int32_t t, int32_t k)
{
	FrontPoint mean = { 0, 0 };
	int32_t seeds = contest->config.seeds;
	for (int32_t i = 0; i < seeds; i++) {
		const double *cell = contest_cell(contest, f, t, k, i);
		mean.pod_hours += cell[FIGURE_POD_HOURS] / seeds;
		mean.v += cell[FIGURE_V_PCT] / seeds;
	}
	return mean;
}

static int to_x(const Panel *p, double x)
{
	return p->left + LEFT + (int) lround((x - p->x0) / (p->x1 - p->x0) * (PANEL_WIDTH - LEFT - RIGHT));
}

static int to_y(const Panel *p, double y)
{
	return p->top + PANEL_HEIGHT - BOTTOM - (int) lround((y - p->y0) / (p->y1 - p->y0) * (PANEL_HEIGHT - TOP - BOTTOM));
}

/* All points of the families with a front; a single one far off would flatten the rest. */
static void bound(Panel *p, const Contest *contest, int32_t t)
{
	p->x0 = p->y0 = INFINITY;
	p->x1 = p->y1 = -INFINITY;
	for (int32_t f = 0; f < contest->config.n_families; f++)
		for (int32_t k = 0, n = contest_path(contest, f, t)->n; k < n; k++) {
			FrontPoint at = point_of(contest, f, t, k);
			if (contest->config.n_families > 1 && n == 1)
				continue;
			p->x0 = fmin(p->x0, at.pod_hours);
			p->x1 = fmax(p->x1, at.pod_hours);
			p->y0 = fmin(p->y0, height_of(contest, t, at.v));
			p->y1 = fmax(p->y1, height_of(contest, t, at.v));
		}
	if (!(p->x1 > p->x0)) {
		p->x0 = isfinite(p->x0) ? p->x0 - 1 : 0;
		p->x1 = p->x0 + 2;
	}
	p->y0 = isfinite(p->y0) ? floor(p->y0 - .05) : -2;
	p->y1 = fmax(fmin(isfinite(p->y1) ? ceil(p->y1) : 2, log10(V_MOST)), p->y0 + 1);
	double room = .04 * (p->x1 - p->x0);
	p->x0 -= room;
	p->x1 += room;
}

static void text_right(const Panel *p, int x, int y, const char *text)
{
	raster_text(p->raster, x - RASTER_LETTER * (int) strlen(text), y, 1, text, INK);
}

static void draw_axes(const Panel *p, const char *title)
{
	char label[32];
	for (double y = p->y0; y <= p->y1 + 1e-9; y += 1) {
		raster_line(p->raster, to_x(p, p->x0), to_y(p, y), to_x(p, p->x1), to_y(p, y), 1, GRID);
		(void) snprintf(label, sizeof label, "%g %%", pow(10, y));
		text_right(p, p->left + LEFT - 6, to_y(p, y) - 3, label);
	}
	double span = p->x1 - p->x0, power = pow(10, floor(log10(span / 4))), rough = span / 4 / power;
	double step = (rough > 5 ? 10 : rough > 2 ? 5 : rough > 1 ? 2 : 1) * power;
	for (double x = ceil(p->x0 / step) * step; x <= p->x1; x += step) {
		raster_line(p->raster, to_x(p, x), to_y(p, p->y0), to_x(p, x), to_y(p, p->y1), 1, GRID);
		(void) snprintf(label, sizeof label, "%g", x);
		raster_text(p->raster, to_x(p, x) - 3 * (int) strlen(label), to_y(p, p->y0) + 8, 1, label, INK);
	}
	raster_line(p->raster, to_x(p, p->x0), to_y(p, p->y0), to_x(p, p->x1), to_y(p, p->y0), 1, INK);
	raster_line(p->raster, to_x(p, p->x0), to_y(p, p->y0), to_x(p, p->x0), to_y(p, p->y1), 1, INK);
	raster_text(p->raster, p->left + LEFT, p->top + 8, 2, title, INK);
	text_right(p, p->left + PANEL_WIDTH - RIGHT, to_y(p, p->y0) + 22, "pod-hours");
	raster_text(p->raster, p->left + LEFT + 6, p->top + TOP - 2, 1, "V, % of time", INK);
}

static bool is_within(const Panel *p, double x, double y)
{
	return x >= p->x0 && x <= p->x1 && y >= p->y0 && y <= p->y1;
}

/* Its front as the comparison takes it, its points as they were measured, and a larger dot where tuning for the first lambda put it. */
static void draw_family(const Panel *p, const Contest *contest, int32_t f, int32_t t)
{
	const Path *path = contest_path(contest, f, t);
	FrontPoint point[PATH_MAX_SETTINGS];
	Front front;
	uint32_t rgb = COLOR[f % COLORS];
	for (int32_t k = 0; k < path->n; k++) {
		point[k] = point_of(contest, f, t, k);
		double y = height_of(contest, t, point[k].v);
		if (is_within(p, point[k].pod_hours, y))
			raster_disc(p->raster, to_x(p, point[k].pod_hours), to_y(p, y), k == path->best[0] ? 6 : 2, rgb);
	}
	front_of(point, (size_t) path->n, contest->floor_pct[t], &front);
	for (size_t i = 1; i < front.n; i++)
		raster_line(p->raster, to_x(p, front.point[i - 1].pod_hours), to_y(p, height_of(contest, t, front.point[i - 1].v)),
		            to_x(p, front.point[i].pod_hours), to_y(p, height_of(contest, t, front.point[i].v)), 2, rgb);
}

static void draw_key(Raster *raster, const ContestConfig *c)
{
	for (int32_t f = 0; f < c->n_families; f++) {
		int x = MARGIN + LEFT + f % COLUMNS * PANEL_WIDTH, y = MARGIN + f / COLUMNS * KEY_ROW;
		raster_line(raster, x, y + 6, x + 24, y + 6, 3, COLOR[f % COLORS]);
		raster_text(raster, x + 34, y, 2, c->family[f].name, INK);
	}
}

int evaluate_picture(const Contest *contest, const char *path, Error *err)
{
	const ContestConfig *c = &contest->config;
	Raster raster;
	int key = MARGIN + (c->n_families + COLUMNS - 1) / COLUMNS * KEY_ROW, rows = (c->n_traces + COLUMNS - 1) / COLUMNS;
	int columns = c->n_traces < COLUMNS && c->n_families < 2 ? 1 : COLUMNS;
	if (raster_init(&raster, columns * PANEL_WIDTH + 2 * MARGIN, key + rows * PANEL_HEIGHT + MARGIN))
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	draw_key(&raster, c);
	for (int32_t t = 0; t < c->n_traces; t++) {
		Panel panel = { .raster = &raster, .left = MARGIN + t % COLUMNS * PANEL_WIDTH, .top = key + t / COLUMNS * PANEL_HEIGHT };
		bound(&panel, contest, t);
		draw_axes(&panel, c->trace[t].name);
		for (int32_t f = c->n_families - 1; f >= 0; f--)
			draw_family(&panel, contest, f, t);
	}
	int code = raster_write_png(&raster, path, err);
	raster_done(&raster);
	return code;
}
