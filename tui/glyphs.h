/*
 * Three levels of characters: braille (2 x 4 dots a cell), block elements (2 x 2), plain ASCII (1 x 1).
 *
 * Each level is one table, so that drawing code is the same for all of them.
 */
#ifndef MAESTRO_TUI_GLYPHS_H
#define MAESTRO_TUI_GLYPHS_H

#include <stdbool.h>
#include <stdint.h>

typedef enum GlyphMode { GLYPHS_AUTO, GLYPHS_BRAILLE, GLYPHS_BLOCK, GLYPHS_ASCII } GlyphMode;

typedef struct Glyphs {
	GlyphMode mode;
	int dots_x, dots_y;        /* of a cell: powers of two, */
	int shift_x, shift_y;      /* of these exponents */
	uint32_t horizontal, vertical;
	uint32_t corner[4];        /* top left, top right, bottom left, bottom right */
	uint32_t tick_left;        /* on an axis */
	uint32_t dash;             /* a limit's line */
	uint32_t rising[9];        /* a column from empty to full, in eighths */
	uint32_t growing[9];       /* a bar from empty to full, in eighths */
	uint32_t empty;            /* the part of a bar not reached */
	uint32_t mark;             /* an evaluation on a curve */
	uint32_t sample;           /* of a line, in a legend; 0: the series' letter */
	uint32_t best;             /* the best one */
	uint32_t ellipsis;
	uint32_t arrow;            /* from -> to */
	uint32_t pointer;          /* selected row */
} Glyphs;

/* mode is not GLYPHS_AUTO. */
const Glyphs *glyphs_table(GlyphMode mode);

/* What GLYPHS_AUTO stands for: braille where the locale's charset is UTF-8 and the terminal is not the Linux
 * console, `dumb` or vt100. charset and term may be NULL. */
GlyphMode glyphs_choose(GlyphMode asked, const char *charset, const char *term);

/* Of braille: the dots of a cell's column x that lie above row y. */
extern const uint8_t glyphs_braille_above[2][5];
uint32_t glyphs_add_coarse(const Glyphs *glyphs, uint32_t old, int x, int y0, int y1, char letter);

/* The cell `old` with the dots (x, y0..y1) of the cell added, from the top left; letter stands for them in ASCII. */
static inline uint32_t glyphs_add_column(const Glyphs *glyphs, uint32_t old, int x, int y0, int y1, char letter)
{
	if (glyphs->mode != GLYPHS_BRAILLE)
		return glyphs_add_coarse(glyphs, old, x, y0, y1, letter);
	const uint8_t *above = glyphs_braille_above[x & 1];
	return ((old & ~0xffu) == 0x2800 ? old : 0x2800) | (uint32_t) (above[(y1 & 3) + 1] ^ above[y0 & 3]);
}

#endif
