/*
 * The screen in memory: a grid of cells, each a character and a role. Screens draw here; term.c copies what changed
 * to the terminal; tests read it as text.
 *
 * Text from outside is made safe on its way in: control characters and marks that turn the writing direction are
 * left out, broken UTF-8 becomes one '?' a byte, and what does not fit is cut by display width, with an ellipsis.
 */
#ifndef MAESTRO_TUI_CANVAS_H
#define MAESTRO_TUI_CANVAS_H

#include "base/mem.h"
#include "tui/glyphs.h"
#include "tui/theme.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Rect {
	int row, col, rows, cols;
} Rect;

typedef struct Cell {
	uint32_t ch; /* 0: covered by the wide character on its left */
	uint32_t role;
} Cell;

typedef enum ZoneKind {
	ZONE_COVER,  /* nothing: hides what lies below it */
	ZONE_KEY,    /* a word that stands for the key `from` */
	ZONE_ROWS,   /* rows of a table: a row's place counted from the selected one */
	ZONE_COLUMN, /* a table's heading, `text` */
	ZONE_TIME,   /* a graph over time: a column's, in ms */
	ZONE_CELL,   /* the Policy map: column by column, in `step` columns, from the row `from` at the bottom of rect */
	ZONE_FIELD,  /* of a dialog: its number is `from` */
	ZONE_MATCH,  /* rows of the palette's matches, from the match `from` */
} ZoneKind;

typedef struct Zone { /* what a click on a part of the canvas means */
	ZoneKind kind;
	Rect rect;
	double from, step; /* of the rect's first row or column, and from one to the next */
	const char *text;
} Zone;

enum { ZONES_MAX = 96 };

typedef struct Canvas {
	int rows, cols;
	Cell *cell;     /* [rows][cols] */
	size_t size;    /* cells allocated */
	const Glyphs *glyphs;
	Zone zone[ZONES_MAX]; /* later ones lie above */
	int n_zones;
} Canvas;

/* Blank cells. ERR_NOMEM leaves the old size. The first call wants a zeroed Canvas. */
int canvas_resize(Canvas *canvas, int rows, int cols);
void canvas_done(Canvas *canvas);
void canvas_clear(Canvas *canvas);

/* Says what a click there means, until the canvas is cleared; what is too much for ZONES_MAX has no meaning. */
void canvas_zone(Canvas *canvas, Zone zone);
/* The uppermost zone at a place; NULL: none, or a cover. */
const Zone *canvas_zone_at(const Canvas *canvas, int row, int col);

/* Outside the canvas nothing happens. */
void canvas_put(Canvas *canvas, int row, int col, uint32_t ch, Role role);
/* The cell, or NULL outside. */
static inline Cell *canvas_cell(Canvas *canvas, int row, int col)
{
	bool is_inside = row >= 0 && col >= 0 && row < canvas->rows && col < canvas->cols;
	return is_inside ? &canvas->cell[(size_t) row * (size_t) canvas->cols + (size_t) col] : NULL;
}
void canvas_fill(Canvas *canvas, Rect rect, uint32_t ch, Role role);

/* UTF-8 text into at most cols columns; answers how many it took. */
int canvas_text(Canvas *canvas, int row, int col, int cols, Role role, const char *text);
/* The same, ending at column end (exclusive); what does not fit is cut. */
void canvas_text_right(Canvas *canvas, int row, int end, int cols, Role role, const char *text);
/* The same for a path: what does not fit is cut at its front. */
void canvas_text_tail(Canvas *canvas, int row, int col, int cols, Role role, const char *text);
/* The same for a path whose both ends tell something: what does not fit is cut out of its middle. */
void canvas_text_middle(Canvas *canvas, int row, int col, int cols, Role role, const char *text);
/* Broken at blanks into the lines of area; answers how many lines it took. */
int canvas_wrap(Canvas *canvas, Rect area, Role role, const char *text);
/* How many it would take, were there no end of them. */
int canvas_wrap_rows(const Canvas *canvas, int cols, const char *text);
__attribute__((format(printf, 6, 7)))
int canvas_textf(Canvas *canvas, int row, int col, int cols, Role role, const char *format, ...);
/* Columns that the text would take, unbounded. */
int canvas_width(const Canvas *canvas, const char *text);

/* A frame with a title on its left and a note on its right (either may be NULL); answers the room inside. */
Rect canvas_box(Canvas *canvas, Rect rect, const char *title, const char *note, bool has_focus);
/* A bar of cols columns filled by ratio 0..1; NAN leaves it empty. */
void canvas_bar(Canvas *canvas, int row, int col, int cols, double ratio, Role role);

/*
 * Writes items one behind the other on a line; an item that does not fit whole is left out, so that no figure is
 * ever cut through.
 */
typedef struct Pen {
	Canvas *canvas;
	int row, col, end;
} Pen;

__attribute__((format(printf, 3, 4))) bool pen_item(Pen *pen, Role role, const char *format, ...);

/* A character in UTF-8. */
void canvas_add_char(StrBuf *text, uint32_t ch);
/* Lines with trailing blanks removed, each ended by '\n'. */
void canvas_to_text(const Canvas *canvas, StrBuf *text);
/* The same of a part. */
void canvas_part_to_text(const Canvas *canvas, Rect part, StrBuf *text);

#endif
