/* See paint.h. */
#include "tui/paint.h"

#include <curses.h>
#include <langinfo.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <term.h>
#include <wchar.h>

enum { MOVE_BYTES = 32, NEAR = 4 /* bytes: cheaper to write again than to jump over */, TAIL = 4 /* blanks: cheaper to erase */ };

/* ---- looks ---- */

/* A capability without its delays, which no terminal has needed since it was made of glass. */
static void add_capability(char *text, size_t size, const char *capability)
{
	size_t len = strlen(text);
	for (const char *c = capability && capability != (char *) -1 ? capability : ""; *c && len + 1 < size; c++) {
		if (c[0] == '$' && c[1] == '<' && strchr(c, '>'))
			c = strchr(c, '>');
		else
			text[len++] = *c;
	}
	text[len] = '\0';
}

/* "\033[m\033[1m\033[36m" is "\033[0;1;36m" for short. */
static void join_sequences(char *text)
{
	char joined[LOOK_BYTES] = "\033[";
	size_t len = 2;
	for (const char *c = text; *c;) {
		size_t n = strspn(c + 2, "0123456789;:");
		if (c[0] != '\033' || c[1] != '[' || c[2 + n] != 'm')
			return;
		len += (size_t) snprintf(joined + len, sizeof joined - len, "%s%.*s", len > 2 ? ";" : "", n ? (int) n : 1,
		                         n ? c + 2 : "0");
		if (len + 2 > sizeof joined)
			return;
		c += n + 3;
	}
	if (strcmp(joined, "\033[0") == 0)
		len = 2;
	joined[len] = '\0';
	(void) snprintf(text, LOOK_BYTES, "%.*sm", LOOK_BYTES - 2, joined);
}

/* Of sgr0 the part that ends attributes: we never switch to another character set. */
static const char *plain_look(void)
{
	const char *all = exit_attribute_mode;
	return all && (strstr(all, "\033[m") || strstr(all, "\033[0m")) ? "\033[m" : all;
}

static uint8_t look_attributes(Role role, ColorMode depth)
{
	const ThemeRow *row = theme_row(role);
	bool is_bare = depth == COLOR_NEVER || (depth == COLOR_16 && row->rgb >= 0 && row->c16 < 0); /* no such colour there */
	uint8_t bits = is_bare ? row->attr_mono : row->attr;
	if (depth != COLOR_NEVER && depth != COLOR_16)
		bits &= (uint8_t) ~ATTR_DIM; /* the colour is dim itself */
	if (theme_ink(role, depth) >= 0)
		bits &= (uint8_t) ~ATTR_REVERSE; /* the colour is the background itself */
	return bits;
}

static void look_init(Look *look, Role role, ColorMode depth, Theme theme)
{
	const struct { uint8_t bit; const char *capability; } ATTRIBUTES[] = {
		{ ATTR_BOLD, enter_bold_mode }, { ATTR_DIM, enter_dim_mode }, { ATTR_REVERSE, enter_reverse_mode },
		{ ATTR_UNDERLINE, enter_underline_mode } };
	int own = theme_color(role, depth, theme), ink = theme_ink(role, depth);
	int front = ink < 0 ? own : ink, ground = ink < 0 ? -1 : own;
	*look = (Look) { .attr = look_attributes(role, depth), .has_ground = ground >= 0 };
	look->is_bare = !(look->attr & (ATTR_REVERSE | ATTR_UNDERLINE)) && !look->has_ground;
	add_capability(look->all, sizeof look->all, plain_look());
	for (size_t i = 0; i < sizeof ATTRIBUTES / sizeof *ATTRIBUTES; i++)
		if (look->attr & ATTRIBUTES[i].bit)
			add_capability(look->all, sizeof look->all, ATTRIBUTES[i].capability);
	if (front >= 0 && set_a_foreground)
		add_capability(look->color, sizeof look->color, tiparm(set_a_foreground, front));
	add_capability(look->all, sizeof look->all, look->color);
	if (ground >= 0 && set_a_background)
		add_capability(look->all, sizeof look->all, tiparm(set_a_background, ground));
	join_sequences(look->all);
}

static void take_look(Paint *paint, Role role)
{
	const Look *now = &paint->look[role], *before = &paint->look[paint->role];
	if (role == paint->role)
		return;
	bool is_color = now->color[0] && now->attr == before->attr && !now->has_ground && !before->has_ground;
	const char *bytes = is_color ? now->color : now->all;
	if (strcmp(now->all, before->all))
		strbuf_add(&paint->out, bytes, strlen(bytes));
	paint->role = role;
}

/* ---- moves and characters ---- */

static void add_char(Paint *paint, uint32_t ch)
{
	char bytes[MB_LEN_MAX];
	mbstate_t state = { 0 };
	if (ch < 0x80 || paint->is_utf8) {
		canvas_add_char(&paint->out, ch);
		return;
	}
	size_t n = wcrtomb(bytes, (wchar_t) ch, &state);
	strbuf_add(&paint->out, n == (size_t) -1 ? "?" : bytes, n == (size_t) -1 ? 1 : n);
}

static bool is_blank(const Paint *paint, Cell cell)
{
	return cell.ch == ' ' && paint->look[cell.role].is_bare;
}

static bool is_same(const Paint *paint, Cell a, Cell b)
{
	return !memcmp(&a, &b, sizeof a) || (is_blank(paint, a) && is_blank(paint, b)); /* a blank of another role */
}

static void add_cell(Paint *paint, Cell cell)
{
	if (!is_blank(paint, cell) || !paint->look[paint->role].is_bare)
		take_look(paint, (Role) cell.role);
	add_char(paint, cell.ch);
}

static int bytes_of(uint32_t ch)
{
	return ch < 0x80 ? 1 : ch < 0x800 ? 2 : ch < 0x10000 ? 3 : 4;
}

/* Whether the cells from the cursor to col can be written again in the look that is in force, for few bytes. */
static bool is_near(const Paint *paint, const Cell *row, int col)
{
	int bytes = 0;
	bool has_bare = paint->look[paint->role].is_bare;
	for (int c = paint->col; c < col; c++) {
		if (row[c].role != paint->role && !(has_bare && is_blank(paint, row[c])))
			return false;
		bytes += bytes_of(row[c].ch);
		if (bytes > NEAR || !row[c].ch || !row[c + 1].ch)
			return false;
	}
	return true;
}

static char *add_number(char *at, int n)
{
	char digit[12];
	int len = 0;
	for (; n || !len; n /= 10)
		digit[len++] = (char) ('0' + n % 10);
	while (len)
		*at++ = digit[--len];
	return at;
}

/* The shorter of the cursor's address and, where it goes by columns alone, the way to the right. Nearly all terminals take the
 * sequences of ECMA-48: these are written here, since tiparm needs .27 us for each of some fifty a frame. */
static void say_move(const Paint *paint, char move[MOVE_BYTES], int row, int col, bool is_ahead)
{
	if (paint->is_ecma) {
		char *at = move;
		*at++ = '\033';
		*at++ = '[';
		at = add_number(at, is_ahead ? col - paint->col : row + 1);
		if (!is_ahead) {
			*at++ = ';';
			at = add_number(at, col + 1);
		}
		*at++ = is_ahead ? 'C' : 'H';
		*at = '\0';
		return;
	}
	char forward[MOVE_BYTES] = "";
	move[0] = '\0';
	add_capability(move, MOVE_BYTES, tiparm(cursor_address, row, col));
	if (is_ahead && parm_right_cursor)
		add_capability(forward, sizeof forward, tiparm(parm_right_cursor, col - paint->col));
	if (forward[0] && strlen(forward) < strlen(move))
		memcpy(move, forward, sizeof forward);
}

static void move_to(Paint *paint, const Cell *cells, int row, int col)
{
	char move[MOVE_BYTES];
	bool is_ahead = paint->row == row && paint->col >= 0 && paint->col <= col;
	if (is_ahead && is_near(paint, cells, col)) {
		for (int c = paint->col; c < col; c++)
			add_char(paint, cells[c].ch);
		paint->col = col;
		return;
	}
	say_move(paint, move, row, col, is_ahead);
	strbuf_add(&paint->out, move, strlen(move));
	paint->row = row;
	paint->col = col;
}

/* From col on the row is blank: erased if that is more than a few characters. False: it is for the caller. */
static bool erase_tail(Paint *paint, const Cell *now, Cell *shown, int row, int col, int cols)
{
	int n = 0;
	for (int c = col; c < cols; c++)
		n += !is_same(paint, now[c], shown[c]);
	if (n <= TAIL || !clr_eol)
		return false;
	move_to(paint, now, row, col);
	if (!paint->look[paint->role].is_bare)
		take_look(paint, ROLE_TEXT);
	char erase[16] = "";
	add_capability(erase, sizeof erase, clr_eol);
	strbuf_add(&paint->out, erase, strlen(erase));
	memcpy(shown + col, now + col, (size_t) (cols - col) * sizeof *now);
	return true;
}

static void paint_row(Paint *paint, const Cell *now, Cell *shown, int row, int rows, int cols)
{
	int end = cols;
	while (end > 0 && is_blank(paint, now[end - 1]))
		end--;
	for (int c = 0; c < cols; c++) {
		if (is_same(paint, now[c], shown[c]))
			continue;
		if (c >= end && erase_tail(paint, now, shown, row, c, cols))
			return;
		bool is_corner = row == rows - 1 && c == cols - 1 && !paint->can_fill_corner;
		if (now[c].ch && !is_corner) {
			bool is_wide = c + 1 < cols && !now[c + 1].ch;
			move_to(paint, now, row, c);
			add_cell(paint, now[c]);
			paint->col = c + 1 + is_wide < cols ? c + 1 + is_wide : -1; /* at the edge terminals differ */
		}
		shown[c] = now[c];
	}
}

/* ---- rows that move together ---- */

/* How many cells of a row look different; counted no further than `most`. */
static int differ(const Paint *paint, const Cell *a, const Cell *b, int cols, int most)
{
	int n = 0;
	if (!memcmp(a, b, (size_t) cols * sizeof *a))
		return 0;
	for (int c = 0; c < cols && n < most; c++)
		n += !is_same(paint, a[c], b[c]);
	return n;
}

static const Cell *row_at(const Canvas *canvas, int row)
{
	return &canvas->cell[(size_t) row * (size_t) canvas->cols];
}

typedef struct Block { /* rows first..last go by one row, up or down; cells that need not be written then */
	int first, last, by, saved;
} Block;

/* The best block to move by one row: of rows in sequence whose content stands one row off on the terminal. */
static Block find_block(const Paint *paint, const Canvas *now, const Canvas *shown, const int *changed, int by)
{
	Block best = { .by = by };
	int from = by > 0 ? 1 : 0, end = by > 0 ? now->rows : now->rows - 1;
	for (int r = from, saved = 0, first = from; r < end; r++) {
		if (saved <= 0) {
			saved = 0;
			first = r;
		}
		saved += changed[r];
		if (saved > 0) /* a row that would cost all of it ends the block, however much more it would cost */
			saved -= differ(paint, row_at(now, r), row_at(shown, r - by), now->cols, saved);
		if (saved > best.saved)
			best = (Block) { first, r, by, saved };
	}
	if (!best.saved)
		return best;
	int opened = by > 0 ? --best.first : ++best.last; /* this row is new */
	for (int c = 0; c < now->cols; c++)
		best.saved -= !is_blank(paint, row_at(now, opened)[c]);
	best.saved += changed[opened];
	return best;
}

static void move_block(Paint *paint, Canvas *shown, const Block *block)
{
	char bytes[96] = "";
	size_t cols = (size_t) shown->cols, row = cols * sizeof(Cell), n = (size_t) (block->last - block->first);
	Cell *first = &shown->cell[(size_t) block->first * cols], *last = &shown->cell[(size_t) block->last * cols];
	if (!paint->look[paint->role].is_bare)
		take_look(paint, ROLE_TEXT);
	add_capability(bytes, sizeof bytes, tiparm(change_scroll_region, block->first, block->last));
	add_capability(bytes, sizeof bytes, tiparm(cursor_address, block->first, 0));
	add_capability(bytes, sizeof bytes, block->by > 0 ? insert_line : delete_line);
	add_capability(bytes, sizeof bytes, tiparm(change_scroll_region, 0, shown->rows - 1));
	strbuf_add(&paint->out, bytes, strlen(bytes));
	paint->row = paint->col = -1;
	if (block->by > 0)
		memmove(first + cols, first, n * row);
	else
		memmove(first, first + cols, n * row);
	canvas_fill(shown, (Rect) { (int) ((block->by > 0 ? first : last) - shown->cell) / shown->cols, 0, 1, shown->cols }, ' ',
	            ROLE_TEXT);
}

/* A table that got a row is cheaper to move than to write again. */
static void move_rows(Paint *paint, const Canvas *canvas, Canvas *shown)
{
	enum { ROWS_MOST = 256, WORTH = 60 };
	int changed[ROWS_MOST], total = 0;
	if (canvas->rows > ROWS_MOST || !change_scroll_region || !insert_line || !delete_line)
		return;
	for (int r = 0; r < canvas->rows; r++)
		total += changed[r] = differ(paint, row_at(canvas, r), row_at(shown, r), canvas->cols, canvas->cols);
	if (total < 2 * WORTH)
		return;
	Block down = find_block(paint, canvas, shown, changed, 1), up = find_block(paint, canvas, shown, changed, -1);
	const Block *best = down.saved > up.saved ? &down : &up;
	if (best->saved > WORTH)
		move_block(paint, shown, best);
}

/* ---- frames ---- */

void paint_init(Paint *paint, ColorMode depth, Theme theme)
{
	*paint = (Paint) { .row = -1, .col = -1, .can_fill_corner = !auto_right_margin || eat_newline_glitch };
	paint->is_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	paint->is_ecma = cursor_address && !strcmp(cursor_address, "\033[%i%p1%d;%p2%dH") && parm_right_cursor &&
	                 !strcmp(parm_right_cursor, "\033[%p1%dC");
	for (int role = 0; role < ROLE_COUNT; role++)
		look_init(&paint->look[role], (Role) role, depth, theme);
}

void paint_done(Paint *paint)
{
	strbuf_done(&paint->out);
}

void paint_forget(Paint *paint, Canvas *shown)
{
	paint->is_empty = true;
	canvas_clear(shown);
}

static void start_anew(Paint *paint)
{
	char bytes[LOOK_BYTES] = "";
	add_capability(bytes, sizeof bytes, plain_look());
	add_capability(bytes, sizeof bytes, clear_screen);
	strbuf_add(&paint->out, bytes, strlen(bytes));
	paint->is_empty = false;
	paint->role = ROLE_TEXT;
	paint->row = paint->col = -1;
}

bool paint_frame(Paint *paint, const Canvas *canvas, Canvas *shown)
{
	strbuf_clear(&paint->out);
	if (paint->is_empty)
		start_anew(paint);
	else
		move_rows(paint, canvas, shown);
	for (int r = 0; r < canvas->rows; r++) {
		size_t at = (size_t) r * (size_t) canvas->cols;
		if (memcmp(&canvas->cell[at], &shown->cell[at], (size_t) canvas->cols * sizeof(Cell)))
			paint_row(paint, &canvas->cell[at], &shown->cell[at], r, canvas->rows, canvas->cols);
	}
	return !paint->out.failed;
}
