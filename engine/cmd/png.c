/* See png.h. */
#include "cmd/png.h"

#include "cmd/raster.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH = 960, HEIGHT = 540, LEFT = 72, RIGHT = 24, TOP = 24, BOTTOM = 36, SCALE = 2 };

static const uint32_t INK = 0x5F5F5F, GRID = 0xE4E4E4;

typedef struct Picture {
	Raster raster;
	double x0, x1, y0, y1;
} Picture;

static int to_x(const Picture *p, double x)
{
	return LEFT + (int) lround((x - p->x0) / (p->x1 - p->x0) * (WIDTH - LEFT - RIGHT - 1));
}

static int to_y(const Picture *p, double y)
{
	return HEIGHT - BOTTOM - 1 - (int) lround((y - p->y0) / (p->y1 - p->y0) * (HEIGHT - TOP - BOTTOM - 1));
}

static void line(Picture *p, int xa, int ya, int xb, int yb, uint32_t rgb)
{
	raster_line(&p->raster, xa, ya, xb, yb, 2, rgb);
}

static void text(Picture *p, int x, int y, const char *s)
{
	raster_text(&p->raster, x, y, SCALE, s, INK);
}

static void draw_curve(Picture *p, const PngCurve *curve)
{
	bool has_last = false;
	int last_x = 0, last_y = 0;
	for (size_t i = 0; i < curve->n; i++) {
		if (isnan(curve->x[i]) || isnan(curve->y[i])) {
			has_last = false;
			continue;
		}
		int x = to_x(p, curve->x[i]), y = to_y(p, curve->y[i]);
		if (curve->is_dots)
			raster_disc(&p->raster, x, y, 4, curve->rgb);
		else if (has_last)
			line(p, last_x, last_y, x, y, curve->rgb);
		last_x = x;
		last_y = y;
		has_last = true;
	}
}

static void short_number(char *to, size_t size, double value)
{
	double a = fabs(value);
	const char *unit = a >= 1e9 ? "G" : a >= 1e6 ? "M" : a >= 1e3 ? "k" : "";
	(void) snprintf(to, size, "%.3g%s", value / (a >= 1e9 ? 1e9 : a >= 1e6 ? 1e6 : a >= 1e3 ? 1e3 : 1), unit);
}

static double nice_step(double span)
{
	double power = pow(10, floor(log10(span / 5))), rough = span / 5 / power;
	return (rough > 5 ? 10 : rough > 2 ? 5 : rough > 1 ? 2 : 1) * power;
}

static void draw_axes(Picture *p)
{
	char label[32];
	double step = nice_step(p->y1 - p->y0);
	for (double v = ceil(p->y0 / step) * step; v <= p->y1; v += step) {
		line(p, LEFT, to_y(p, v), WIDTH - RIGHT, to_y(p, v), GRID);
		short_number(label, sizeof label, fabs(v) < step / 2 ? 0 : v);
		text(p, LEFT - 8 - 12 * (int) strlen(label), to_y(p, v) - 6, label);
	}
	step = nice_step(p->x1 - p->x0);
	for (double v = ceil(p->x0 / step) * step; v <= p->x1; v += step) {
		short_number(label, sizeof label, v);
		line(p, to_x(p, v), HEIGHT - BOTTOM, to_x(p, v), HEIGHT - BOTTOM + 4, INK);
		text(p, to_x(p, v) - 6 * (int) strlen(label), HEIGHT - BOTTOM + 10, label);
	}
	line(p, LEFT, TOP, LEFT, HEIGHT - BOTTOM, INK);
	line(p, LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, INK);
}

static void bound(Picture *p, const PngCurve *curve, size_t n)
{
	p->x0 = p->y0 = INFINITY;
	p->x1 = p->y1 = -INFINITY;
	for (size_t c = 0; c < n; c++)
		for (size_t i = 0; i < curve[c].n; i++) {
			p->x0 = fmin(p->x0, curve[c].x[i]); /* fmin passes over NAN */
			p->x1 = fmax(p->x1, curve[c].x[i]);
			p->y0 = fmin(p->y0, curve[c].y[i]);
			p->y1 = fmax(p->y1, curve[c].y[i]);
		}
	p->x1 = p->x1 > p->x0 ? p->x1 : p->x0 + 1;
	double room = p->y1 > p->y0 ? (p->y1 - p->y0) * .05 : 1;
	p->y0 -= room;
	p->y1 += room;
}

int png_curves(const PngCurve *curve, size_t n, const char *path, Error *err)
{
	Picture p;
	if (raster_init(&p.raster, WIDTH, HEIGHT))
		return error_set(err, ERR_NOMEM, "%s: out of memory", path);
	bound(&p, curve, n);
	draw_axes(&p);
	for (size_t i = 0; i < n; i++)
		draw_curve(&p, &curve[i]);
	int code = raster_write_png(&p.raster, path, err);
	raster_done(&p.raster);
	return code;
}
