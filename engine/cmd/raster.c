/* See raster.h. */
#include "cmd/raster.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* 5 x 7 dots a letter, a row a number. */
static const struct Letter {
	char c;
	uint8_t row[RASTER_LETTER_HEIGHT];
} FONT[] = {
	{ 'a', { 0, 0, 14, 1, 15, 17, 15 } }, { 'b', { 16, 16, 30, 17, 17, 17, 30 } }, { 'c', { 0, 0, 14, 16, 16, 17, 14 } },
	{ 'd', { 1, 1, 15, 17, 17, 17, 15 } }, { 'e', { 0, 0, 14, 17, 31, 16, 14 } }, { 'f', { 6, 8, 30, 8, 8, 8, 8 } },
	{ 'g', { 0, 0, 15, 17, 15, 1, 14 } }, { 'h', { 16, 16, 30, 17, 17, 17, 17 } }, { 'i', { 4, 0, 12, 4, 4, 4, 14 } },
	{ 'j', { 2, 0, 6, 2, 2, 18, 12 } }, { 'k', { 16, 16, 18, 20, 24, 20, 18 } }, { 'l', { 12, 4, 4, 4, 4, 4, 14 } },
	{ 'm', { 0, 0, 26, 21, 21, 21, 21 } }, { 'n', { 0, 0, 30, 17, 17, 17, 17 } }, { 'o', { 0, 0, 14, 17, 17, 17, 14 } },
	{ 'p', { 0, 0, 30, 17, 30, 16, 16 } }, { 'q', { 0, 15, 17, 17, 15, 1, 1 } }, { 'r', { 0, 0, 22, 25, 16, 16, 16 } },
	{ 's', { 0, 0, 15, 16, 14, 1, 30 } }, { 't', { 8, 8, 30, 8, 8, 9, 6 } }, { 'u', { 0, 0, 17, 17, 17, 19, 13 } },
	{ 'v', { 0, 0, 17, 17, 17, 10, 4 } }, { 'w', { 0, 0, 17, 17, 21, 21, 10 } }, { 'x', { 0, 0, 17, 10, 4, 10, 17 } },
	{ 'y', { 0, 0, 17, 17, 15, 1, 14 } }, { 'z', { 0, 0, 31, 2, 4, 8, 31 } }, { '0', { 14, 17, 19, 21, 25, 17, 14 } },
	{ '1', { 4, 12, 4, 4, 4, 4, 14 } }, { '2', { 14, 17, 1, 6, 8, 16, 31 } }, { '3', { 14, 17, 1, 6, 1, 17, 14 } },
	{ '4', { 2, 6, 10, 18, 31, 2, 2 } }, { '5', { 31, 16, 30, 1, 1, 17, 14 } }, { '6', { 6, 8, 16, 30, 17, 17, 14 } },
	{ '7', { 31, 1, 2, 4, 8, 8, 8 } }, { '8', { 14, 17, 17, 14, 17, 17, 14 } }, { '9', { 14, 17, 17, 15, 1, 2, 12 } },
	{ '.', { 0, 0, 0, 0, 0, 12, 12 } }, { ',', { 0, 0, 0, 0, 12, 12, 16 } }, { '-', { 0, 0, 0, 31, 0, 0, 0 } },
	{ '+', { 0, 4, 4, 31, 4, 4, 0 } }, { '%', { 24, 25, 2, 4, 8, 19, 3 } }, { ':', { 0, 12, 12, 0, 12, 12, 0 } },
	{ '/', { 1, 1, 2, 4, 8, 16, 16 } }, { '_', { 0, 0, 0, 0, 0, 0, 31 } }, { '(', { 2, 4, 8, 8, 8, 4, 2 } },
	{ ')', { 8, 4, 2, 2, 2, 4, 8 } }, { 'V', { 17, 17, 17, 17, 17, 10, 4 } }, { 'M', { 17, 27, 21, 21, 17, 17, 17 } },
	{ 'G', { 14, 17, 16, 23, 17, 17, 15 } }, { 'H', { 17, 17, 17, 31, 17, 17, 17 } }, { 'P', { 30, 17, 17, 30, 16, 16, 16 } },
	{ 'A', { 14, 17, 17, 31, 17, 17, 17 } },
};

static size_t row_bytes(const Raster *raster)
{
	return 1 + 3 * (size_t) raster->width;
}

int raster_init(Raster *raster, int width, int height)
{
	*raster = (Raster) { .width = width, .height = height };
	size_t size = row_bytes(raster) * (size_t) height;
	raster->pixel = malloc(size);
	if (!raster->pixel)
		return ERR_NOMEM;
	memset(raster->pixel, 0xff, size);
	for (int y = 0; y < height; y++)
		raster->pixel[(size_t) y * row_bytes(raster)] = 0; /* no filter */
	return 0;
}

void raster_done(Raster *raster)
{
	free(raster->pixel);
	raster->pixel = NULL;
}

static void dot(Raster *raster, int x, int y, uint32_t rgb)
{
	if (x < 0 || x >= raster->width || y < 0 || y >= raster->height)
		return;
	uint8_t *at = raster->pixel + (size_t) y * row_bytes(raster) + 1 + 3 * (size_t) x;
	at[0] = (uint8_t) (rgb >> 16);
	at[1] = (uint8_t) (rgb >> 8);
	at[2] = (uint8_t) rgb;
}

void raster_disc(Raster *raster, int x, int y, int radius, uint32_t rgb)
{
	for (int dy = -radius; dy <= radius; dy++)
		for (int dx = -radius; dx <= radius; dx++)
			if (dx * dx + dy * dy <= radius * radius)
				dot(raster, x + dx, y + dy, rgb);
}

void raster_line(Raster *raster, int xa, int ya, int xb, int yb, int thickness, uint32_t rgb)
{
	int steps = abs(xb - xa) > abs(yb - ya) ? abs(xb - xa) : abs(yb - ya);
	for (int i = 0; i <= steps; i++) {
		int x = xa + (steps ? (xb - xa) * i / steps : 0), y = ya + (steps ? (yb - ya) * i / steps : 0);
		for (int k = 0; k < thickness; k++)
			dot(raster, x, y + k, rgb);
	}
}

static void draw_letter(Raster *raster, int x, int y, int scale, const struct Letter *letter, uint32_t rgb)
{
	for (int r = 0; r < RASTER_LETTER_HEIGHT * scale; r++)
		for (int c = 0; c < (RASTER_LETTER - 1) * scale; c++)
			if (letter->row[r / scale] >> (4 - c / scale) & 1)
				dot(raster, x + c, y + r, rgb);
}

void raster_text(Raster *raster, int x, int y, int scale, const char *text, uint32_t rgb)
{
	for (; *text; text++, x += RASTER_LETTER * scale)
		for (size_t i = 0; i < sizeof FONT / sizeof *FONT; i++)
			if (FONT[i].c == *text)
				draw_letter(raster, x, y, scale, &FONT[i], rgb);
}

/* ---- the file ---- */

static void add_u32(StrBuf *out, uint32_t value)
{
	char bytes[4] = { (char) (value >> 24), (char) (value >> 16), (char) (value >> 8), (char) value };
	strbuf_add(out, bytes, 4);
}

static void add_chunk(StrBuf *out, const char *kind, const char *data, size_t len)
{
	uLong sum = crc32(crc32(0, (const Bytef *) kind, 4), (const Bytef *) data, (uInt) len);
	add_u32(out, (uint32_t) len);
	strbuf_add(out, kind, 4);
	strbuf_add(out, data, len);
	add_u32(out, (uint32_t) sum);
}

int raster_write_png(const Raster *raster, const char *path, Error *err)
{
	StrBuf file = { 0 }, head = { 0 };
	uLong size = (uLong) (row_bytes(raster) * (size_t) raster->height);
	uLongf packed_size = compressBound(size);
	Bytef *packed = malloc(packed_size);
	int code = packed && compress2(packed, &packed_size, raster->pixel, size, Z_BEST_COMPRESSION) == Z_OK ? 0 : ERR_NOMEM;
	add_u32(&head, (uint32_t) raster->width);
	add_u32(&head, (uint32_t) raster->height);
	strbuf_add(&head, "\x08\x02\0\0\0", 5); /* 8 bits of red, green and blue */
	if (!code && !head.failed) {
		strbuf_add(&file, "\x89PNG\r\n\x1a\n", 8);
		add_chunk(&file, "IHDR", head.data, head.len);
		add_chunk(&file, "IDAT", (const char *) packed, packed_size);
		add_chunk(&file, "IEND", "", 0);
	}
	code = code || head.failed || file.failed ? error_set(err, ERR_NOMEM, "%s: out of memory", path)
	                                          : mem_write_file(path, file.data, file.len, err);
	free(packed);
	strbuf_done(&head);
	strbuf_done(&file);
	return code;
}
