/* See glyphs.h. */
#include "tui/glyphs.h"

#include <string.h>
#include <strings.h>

#define DOTS(x, y) .dots_x = 1 << (x), .dots_y = 1 << (y), .shift_x = (x), .shift_y = (y)
#define RISING { ' ', 0x2581, 0x2582, 0x2583, 0x2584, 0x2585, 0x2586, 0x2587, 0x2588 }
#define GROWING { ' ', 0x258f, 0x258e, 0x258d, 0x258c, 0x258b, 0x258a, 0x2589, 0x2588 }

static const Glyphs BRAILLE = {
	.mode = GLYPHS_BRAILLE, DOTS(1, 2),
	.horizontal = 0x2500, .vertical = 0x2502, .corner = { 0x256d, 0x256e, 0x2570, 0x256f },
	.tick_left = 0x2524, .dash = 0x2504, .rising = RISING, .growing = GROWING, .empty = 0x00b7,
	.mark = 0x2022, .sample = 0x2501, .best = 0x2605, .ellipsis = 0x2026, .arrow = 0x2192, .pointer = 0x25b8,
};

static const Glyphs BLOCK = {
	.mode = GLYPHS_BLOCK, DOTS(1, 1),
	.horizontal = 0x2500, .vertical = 0x2502, .corner = { 0x250c, 0x2510, 0x2514, 0x2518 },
	.tick_left = 0x2524, .dash = 0x2500, .rising = RISING, .growing = GROWING, .empty = 0x00b7,
	.mark = 0x2666, .sample = 0x2501, .best = 0x2605, .ellipsis = 0x2026, .arrow = 0x2192, .pointer = 0x25ba,
};

static const Glyphs ASCII = {
	.mode = GLYPHS_ASCII, DOTS(0, 0),
	.horizontal = '-', .vertical = '|', .corner = { '+', '+', '+', '+' },
	.tick_left = '|', .dash = '-',
	.rising = { ' ', '.', ':', '-', '=', '+', '*', '#', '@' },
	.growing = { ' ', ' ', ' ', ' ', '#', '#', '#', '#', '#' },
	.empty = '.', .mark = 'e', .best = '*', .ellipsis = '~', .arrow = '>', .pointer = '>',
};

/* Quadrants by bits: 1 upper left, 2 upper right, 4 lower left, 8 lower right. */
static const uint32_t QUADRANT[16] = { ' ', 0x2598, 0x259d, 0x2580, 0x2596, 0x258c, 0x259e, 0x259b,
	0x2597, 0x259a, 0x2590, 0x259c, 0x2584, 0x2599, 0x259f, 0x2588 };

const uint8_t glyphs_braille_above[2][5] = { { 0, 0x01, 0x03, 0x07, 0x47 }, { 0, 0x08, 0x18, 0x38, 0xb8 } };

const Glyphs *glyphs_table(GlyphMode mode)
{
	return mode == GLYPHS_BRAILLE ? &BRAILLE : mode == GLYPHS_BLOCK ? &BLOCK : &ASCII;
}

GlyphMode glyphs_choose(GlyphMode asked, const char *charset, const char *term)
{
	if (asked != GLYPHS_AUTO)
		return asked;
	if (!charset || (strcasecmp(charset, "UTF-8") != 0 && strcasecmp(charset, "UTF8") != 0))
		return GLYPHS_ASCII;
	static const char *const PLAIN[] = { "linux", "dumb", "vt100" };
	for (size_t i = 0; term && i < sizeof PLAIN / sizeof *PLAIN; i++)
		if (strcmp(term, PLAIN[i]) == 0)
			return GLYPHS_ASCII;
	return GLYPHS_BRAILLE;
}

uint32_t glyphs_add_coarse(const Glyphs *glyphs, uint32_t old, int x, int y0, int y1, char letter)
{
	if (glyphs->mode == GLYPHS_ASCII)
		return (uint32_t) letter;
	uint32_t bits = 0;
	for (uint32_t i = 1; i < 16; i++)
		if (QUADRANT[i] == old)
			bits = i;
	for (int y = y0; y <= y1; y++)
		bits |= 1u << ((y & 1) * 2 + (x & 1));
	return QUADRANT[bits];
}
