/*
 * See png.h. A PNG (W3C, second edition) of 8-bit RGB whose deflate blocks are stored, not packed: a curve is small
 * either way, and stored blocks need no library.
 */
#include "cmd/png.h"

#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 960, HEIGHT = 540, LEFT = 72, RIGHT = 24, TOP = 24, BOTTOM = 36, BLOCK = 65535, SCALE = 2 };

static const uint32_t PAPER = 0xFFFFFF, INK = 0x5F5F5F, GRID = 0xE4E4E4;

/* 5 x 7 dots a character, a row a byte. */
static const struct Letter {
	char c;
	uint8_t row[7];
} FONT[] = {
	{ '0', { 14, 17, 19, 21, 25, 17, 14 } }, { '1', { 4, 12, 4, 4, 4, 4, 14 } }, { '2', { 14, 17, 1, 6, 8, 16, 31 } },
	{ '3', { 14, 17, 1, 6, 1, 17, 14 } }, { '4', { 2, 6, 10, 18, 31, 2, 2 } }, { '5', { 31, 16, 30, 1, 1, 17, 14 } },
	{ '6', { 6, 8, 16, 30, 17, 17, 14 } }, { '7', { 31, 1, 2, 4, 8, 8, 8 } }, { '8', { 14, 17, 17, 14, 17, 17, 14 } },
	{ '9', { 14, 17, 17, 15, 1, 2, 12 } }, { '.', { 0, 0, 0, 0, 0, 12, 12 } }, { '-', { 0, 0, 0, 31, 0, 0, 0 } },
	{ 'e', { 0, 0, 14, 17, 31, 16, 14 } }, { '+', { 0, 4, 4, 31, 4, 4, 0 } }, { 'k', { 16, 16, 18, 20, 24, 20, 18 } },
	{ 'M', { 17, 27, 21, 21, 17, 17, 17 } }, { 'G', { 14, 17, 16, 23, 17, 17, 15 } },
};

typedef struct Picture {
	uint8_t *pixel; /* [HEIGHT][1 + 3 WIDTH]: a filter byte a row */
	double x0, x1, y0, y1;
} Picture;

static void put(Picture *p, int x, int y, uint32_t rgb)
{
	if (x < 0 || x >= WIDTH || y < 0 || y >= HEIGHT)
		return;
	uint8_t *at = p->pixel + (size_t) y * (1 + 3 * WIDTH) + 1 + 3 * (size_t) x;
	at[0] = (uint8_t) (rgb >> 16);
	at[1] = (uint8_t) (rgb >> 8);
	at[2] = (uint8_t) rgb;
}

static void text(Picture *p, int x, int y, const char *s)
{
	for (; *s; s++, x += 6 * SCALE)
		for (size_t i = 0; i < sizeof FONT / sizeof *FONT; i++)
			for (int r = 0; FONT[i].c == *s && r < 7 * SCALE; r++)
				for (int c = 0; c < 5 * SCALE; c++)
					if (FONT[i].row[r / SCALE] >> (4 - c / SCALE) & 1)
						put(p, x + c, y + r, INK);
}

static int to_x(const Picture *p, double x)
{
	return LEFT + (int) lround((x - p->x0) / (p->x1 - p->x0) * (WIDTH - LEFT - RIGHT - 1));
}

static int to_y(const Picture *p, double y)
{
	return HEIGHT - BOTTOM - 1 - (int) lround((y - p->y0) / (p->y1 - p->y0) * (HEIGHT - TOP - BOTTOM - 1));
}

static void disc(Picture *p, int x, int y, int radius, uint32_t rgb)
{
	for (int dy = -radius; dy <= radius; dy++)
		for (int dx = -radius; dx <= radius; dx++)
			if (dx * dx + dy * dy <= radius * radius)
				put(p, x + dx, y + dy, rgb);
}

static void line(Picture *p, int xa, int ya, int xb, int yb, uint32_t rgb)
{
	int steps = abs(xb - xa) > abs(yb - ya) ? abs(xb - xa) : abs(yb - ya);
	for (int i = 0; i <= steps; i++) {
		int x = xa + (steps ? (xb - xa) * i / steps : 0), y = ya + (steps ? (yb - ya) * i / steps : 0);
		put(p, x, y, rgb);
		put(p, x, y + 1, rgb);
	}
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
			disc(p, x, y, 4, curve->rgb);
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

/* ---- the file ---- */

static uint32_t crc(uint32_t start, const uint8_t *data, size_t len)
{
	uint32_t value = ~start;
	for (size_t i = 0; i < len; i++) {
		value ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			value = value >> 1 ^ (value & 1 ? 0xEDB88320u : 0);
	}
	return ~value;
}

static void add_u32(StrBuf *out, uint32_t value)
{
	char bytes[4] = { (char) (value >> 24), (char) (value >> 16), (char) (value >> 8), (char) value };
	strbuf_add(out, bytes, 4);
}

static void add_chunk(StrBuf *out, const char *kind, const char *data, size_t len)
{
	add_u32(out, (uint32_t) len);
	strbuf_add(out, kind, 4);
	strbuf_add(out, data, len);
	add_u32(out, crc(crc(0, (const uint8_t *) kind, 4), (const uint8_t *) data, len));
}

static void deflate_stored(StrBuf *out, const uint8_t *data, size_t len)
{
	uint32_t a = 1, b = 0;
	strbuf_add(out, "\x78\x01", 2);
	for (size_t at = 0; at < len; at += BLOCK) {
		size_t n = len - at < BLOCK ? len - at : BLOCK;
		char head[5] = { at + n == len, (char) n, (char) (n >> 8), (char) ~n, (char) (~n >> 8) };
		strbuf_add(out, head, 5);
		strbuf_add(out, (const char *) data + at, n);
	}
	for (size_t i = 0; i < len; i++) {
		a = (a + data[i]) % 65521;
		b = (b + a) % 65521;
	}
	add_u32(out, b << 16 | a);
}

static int write_png(const Picture *p, const char *path, Error *err)
{
	StrBuf file = { 0 }, head = { 0 }, body = { 0 };
	add_u32(&head, WIDTH);
	add_u32(&head, HEIGHT);
	strbuf_add(&head, "\x08\x02\0\0\0", 5);
	deflate_stored(&body, p->pixel, (size_t) HEIGHT * (1 + 3 * WIDTH));
	strbuf_add(&file, "\x89PNG\r\n\x1a\n", 8);
	add_chunk(&file, "IHDR", head.data ? head.data : "", head.len);
	add_chunk(&file, "IDAT", body.data ? body.data : "", body.len);
	add_chunk(&file, "IEND", "", 0);
	bool has_failed = file.failed || head.failed || body.failed;
	int code = has_failed ? error_set(err, ERR_NOMEM, "%s: out of memory", path) : mem_write_file(path, file.data, file.len, err);
	strbuf_done(&head);
	strbuf_done(&body);
	strbuf_done(&file);
	return code;
}

int png_curves(const PngCurve *curve, size_t n, const char *path, Error *err)
{
	Picture p = { .pixel = calloc(HEIGHT, 1 + 3 * WIDTH) };
	if (!p.pixel)
		return error_set(err, ERR_NOMEM, "%s: out of memory", path);
	for (int y = 0; y < HEIGHT; y++)
		for (int x = 0; x < WIDTH; x++)
			put(&p, x, y, PAPER);
	bound(&p, curve, n);
	draw_axes(&p);
	for (size_t i = 0; i < n; i++)
		draw_curve(&p, &curve[i]);
	int code = write_png(&p, path, err);
	free(p.pixel);
	return code;
}
