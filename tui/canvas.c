/* See canvas.h. */
#include "tui/canvas.h"

#include "base/err.h"
#include "base/utf8.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

int canvas_resize(Canvas *canvas, int rows, int cols)
{
	size_t need = (size_t) rows * (size_t) cols;
	if (need > canvas->size) {
		Cell *cell = realloc(canvas->cell, need * sizeof *cell);
		if (!cell)
			return ERR_NOMEM;
		canvas->cell = cell;
		canvas->size = need;
	}
	canvas->rows = rows;
	canvas->cols = cols;
	canvas_clear(canvas);
	return 0;
}

void canvas_done(Canvas *canvas)
{
	free(canvas->cell);
	*canvas = (Canvas) { 0 };
}

void canvas_clear(Canvas *canvas)
{
	canvas_fill(canvas, (Rect) { 0, 0, canvas->rows, canvas->cols }, ' ', ROLE_TEXT);
	canvas->n_zones = 0;
}

void canvas_zone(Canvas *canvas, Zone zone)
{
	if (canvas->n_zones < ZONES_MAX && zone.rect.rows > 0 && zone.rect.cols > 0)
		canvas->zone[canvas->n_zones++] = zone;
}

const Zone *canvas_zone_at(const Canvas *canvas, int row, int col)
{
	for (int i = canvas->n_zones - 1; i >= 0; i--) {
		const Zone *zone = &canvas->zone[i];
		int down = row - zone->rect.row, right = col - zone->rect.col;
		if (down >= 0 && right >= 0 && down < zone->rect.rows && right < zone->rect.cols)
			return zone->kind == ZONE_COVER ? NULL : zone;
	}
	return NULL;
}

void canvas_put(Canvas *canvas, int row, int col, uint32_t ch, Role role)
{
	Cell *cell = canvas_cell(canvas, row, col);
	if (cell)
		*cell = (Cell) { ch, role };
}

void canvas_fill(Canvas *canvas, Rect rect, uint32_t ch, Role role)
{
	int top = rect.row > 0 ? rect.row : 0, bottom = rect.row + rect.rows < canvas->rows ? rect.row + rect.rows : canvas->rows;
	int left = rect.col > 0 ? rect.col : 0, right = rect.col + rect.cols < canvas->cols ? rect.col + rect.cols : canvas->cols;
	const Cell cell = { ch, role };
	for (int r = top; r < bottom; r++) {
		Cell *row = &canvas->cell[(size_t) r * (size_t) canvas->cols];
		for (int c = left; c < right; c++)
			row[c] = cell;
	}
}

/* ---- text ---- */

/* Columns of a character; 0 for one that is not to be shown (control, direction mark, combining). */
static int width_of(const Canvas *canvas, uint32_t *ch)
{
	uint32_t c = *ch;
	if (c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	    (c >= 0x2066 && c <= 0x2069) || c == 0xfeff)
		return 0;
	if (c < 0x7f)
		return 1;
	if (canvas->glyphs->mode == GLYPHS_ASCII) {
		*ch = '?';
		return 1;
	}
	int width = wcwidth((wchar_t) c);
	return width < 0 ? 0 : width;
}

/* One character off *text and its columns. Nearly all are letters of ASCII. */
static inline uint32_t take_char(const Canvas *canvas, const char **text, int *ret_width)
{
	unsigned char c = (unsigned char) **text;
	if (c >= 0x20 && c < 0x7f) {
		*ret_width = 1;
		++*text;
		return c;
	}
	uint32_t ch = utf8_take(text);
	*ret_width = width_of(canvas, &ch);
	return ch;
}

int canvas_width(const Canvas *canvas, const char *text)
{
	int width = 0, one;
	while (*text) {
		(void) take_char(canvas, &text, &one);
		width += one;
	}
	return width;
}

int canvas_text(Canvas *canvas, int row, int col, int cols, Role role, const char *text)
{
	if (cols <= 0)
		return 0;
	bool is_cut = canvas_width(canvas, text) > cols;
	int room = is_cut ? cols - 1 : cols;
	int at = 0;
	while (*text) {
		int width;
		uint32_t ch = take_char(canvas, &text, &width);
		if (!width)
			continue;
		if (at + width > room)
			break;
		canvas_put(canvas, row, col + at, ch, role);
		if (width == 2)
			canvas_put(canvas, row, col + at + 1, 0, role);
		at += width;
	}
	if (is_cut)
		canvas_put(canvas, row, col + at++, canvas->glyphs->ellipsis, role);
	return at;
}

void canvas_text_right(Canvas *canvas, int row, int end, int cols, Role role, const char *text)
{
	int width = canvas_width(canvas, text);
	if (width > cols)
		width = cols;
	(void) canvas_text(canvas, row, end - width, width, role, text);
}

void canvas_text_tail(Canvas *canvas, int row, int col, int cols, Role role, const char *text)
{
	bool is_cut = canvas_width(canvas, text) > cols;
	while (*text && is_cut && canvas_width(canvas, text) > cols - 1)
		(void) utf8_take(&text);
	if (is_cut && cols > 0)
		canvas_put(canvas, row, col, canvas->glyphs->ellipsis, role);
	(void) canvas_text(canvas, row, col + is_cut, cols - is_cut, role, text);
}

/* The end has more of the room: a path's last name is there. */
void canvas_text_middle(Canvas *canvas, int row, int col, int cols, Role role, const char *text)
{
	int width = canvas_width(canvas, text), head = cols / 3, at = 0;
	const char *rest = text;
	if (width <= cols) {
		(void) canvas_text(canvas, row, col, cols, role, text);
		return;
	}
	while (at < head) {
		uint32_t ch = utf8_take(&rest);
		canvas_put(canvas, row, col + at, ch, role);
		at += width_of(canvas, &ch);
	}
	canvas_text_tail(canvas, row, col + at, cols - at, role, rest);
}

/* Bytes of the longest beginning that ends before a blank and fits; of the first word where none does. */
static size_t line_length(const Canvas *canvas, const char *text, int cols)
{
	char line[256];
	size_t best = 0;
	for (size_t at = 0; at + 1 < sizeof line; at++) {
		bool is_end = text[at] == ' ' || !text[at];
		line[at] = '\0';
		if (is_end && best && canvas_width(canvas, line) > cols)
			break;
		if (is_end)
			best = at;
		if (!text[at])
			break;
		line[at] = text[at];
	}
	return best;
}

int canvas_wrap_rows(const Canvas *canvas, int cols, const char *text)
{
	int rows = 0;
	for (; *text; rows++) {
		size_t len = line_length(canvas, text, cols);
		text += len ? len : strlen(text);
		text += *text == ' ';
	}
	return rows;
}

int canvas_wrap(Canvas *canvas, Rect area, Role role, const char *text)
{
	char line[256];
	int row = 0;
	for (; *text && row < area.rows; row++) {
		size_t len = line_length(canvas, text, area.cols);
		bool is_last = row == area.rows - 1 || !len;
		(void) snprintf(line, sizeof line, "%.*s", is_last ? (int) sizeof line - 1 : (int) len, text);
		(void) canvas_text(canvas, area.row + row, area.col, area.cols, role, line);
		text += is_last ? strlen(text) : len;
		text += *text == ' ';
	}
	return row;
}

enum { SAID = 512 };

/* What the format says: itself, its one text, or written into text. Most of a frame's are of the first two kinds. */
static const char *say(char text[SAID], const char *format, va_list args)
{
	if (!strchr(format, '%'))
		return format;
	if (!strcmp(format, "%s"))
		return va_arg(args, const char *);
	(void) vsnprintf(text, SAID, format, args);
	return text;
}

int canvas_textf(Canvas *canvas, int row, int col, int cols, Role role, const char *format, ...)
{
	char text[SAID];
	va_list args;
	va_start(args, format);
	const char *said = say(text, format, args);
	va_end(args);
	return canvas_text(canvas, row, col, cols, role, said);
}

bool pen_item(Pen *pen, Role role, const char *format, ...)
{
	char text[SAID];
	va_list args;
	va_start(args, format);
	const char *said = say(text, format, args);
	va_end(args);
	int width = canvas_width(pen->canvas, said);
	if (pen->col + width > pen->end)
		return false;
	pen->col += canvas_text(pen->canvas, pen->row, pen->col, width, role, said);
	return true;
}

/* ---- shapes ---- */

Rect canvas_box(Canvas *canvas, Rect rect, const char *title, const char *note, bool has_focus)
{
	const Glyphs *g = canvas->glyphs;
	Role role = has_focus ? ROLE_FRAME_FOCUS : ROLE_FRAME;
	int bottom = rect.row + rect.rows - 1, right = rect.col + rect.cols - 1;
	for (int c = rect.col + 1; c < right; c++) {
		canvas_put(canvas, rect.row, c, g->horizontal, role);
		canvas_put(canvas, bottom, c, g->horizontal, role);
	}
	for (int r = rect.row + 1; r < bottom; r++) {
		canvas_put(canvas, r, rect.col, g->vertical, role);
		canvas_put(canvas, r, right, g->vertical, role);
	}
	canvas_put(canvas, rect.row, rect.col, g->corner[0], role);
	canvas_put(canvas, rect.row, right, g->corner[1], role);
	canvas_put(canvas, bottom, rect.col, g->corner[2], role);
	canvas_put(canvas, bottom, right, g->corner[3], role);
	Pen pen = { canvas, rect.row, rect.col + 2, right - 1 };
	if (title)
		(void) pen_item(&pen, ROLE_TITLE, " %s ", title);
	int note_cols = note ? canvas_width(canvas, note) + 2 : 0;
	if (note && *note && pen.col + 1 + note_cols <= right - 1) {
		pen.col = right - 1 - note_cols;
		(void) pen_item(&pen, ROLE_LABEL, " %s ", note);
	}
	return (Rect) { rect.row + 1, rect.col + 2, rect.rows - 2, rect.cols - 4 };
}

void canvas_bar(Canvas *canvas, int row, int col, int cols, double ratio, Role role)
{
	const Glyphs *g = canvas->glyphs;
	double clipped = isnan(ratio) || ratio < 0 ? 0 : ratio > 1 ? 1 : ratio;
	int eighths = (int) lround(clipped * cols * 8);
	for (int c = 0; c < cols; c++, eighths -= 8) {
		int part = eighths >= 8 ? 8 : eighths > 0 ? eighths : 0;
		if (g->growing[part] != ' ')
			canvas_put(canvas, row, col + c, g->growing[part], role);
		else
			canvas_put(canvas, row, col + c, g->empty, ROLE_FRAME);
	}
}

/* ---- out ---- */

void canvas_add_char(StrBuf *text, uint32_t ch)
{
	char s[4];
	strbuf_add(text, s, utf8_put(s, ch));
}

void canvas_part_to_text(const Canvas *canvas, Rect part, StrBuf *text)
{
	for (int r = part.row; r < part.row + part.rows && r < canvas->rows; r++) {
		const Cell *row = &canvas->cell[(size_t) r * (size_t) canvas->cols];
		int end = part.col + part.cols < canvas->cols ? part.col + part.cols : canvas->cols;
		while (end > part.col && row[end - 1].ch == ' ')
			end--;
		for (int c = part.col; c < end; c++)
			if (row[c].ch)
				canvas_add_char(text, row[c].ch);
		strbuf_add(text, "\n", 1);
	}
}

void canvas_to_text(const Canvas *canvas, StrBuf *text)
{
	canvas_part_to_text(canvas, (Rect) { 0, 0, canvas->rows, canvas->cols }, text);
}
