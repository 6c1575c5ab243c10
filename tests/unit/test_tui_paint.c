/* What is sent to a terminal, replayed by a small one, is what the canvas shows; and how little it is. */
#include "base/rng.h"
#include "tui/paint.h"

#include <curses.h> /* for term.h */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>

#include <cmocka.h>

enum { GLASS_ROWS = 12, GLASS_COLS = 40 };

typedef struct Sgr { int attr, front, ground; } Sgr; /* bits by SGR number; colours plus one, 0: the terminal's own */

/* A terminal of the sequences that xterm's terminfo entry gives us. */
typedef struct Glass {
	uint32_t ch[GLASS_ROWS][GLASS_COLS];
	Sgr look[GLASS_ROWS][GLASS_COLS];
	Sgr sgr; /* in force */
	int row, col, top, bottom; /* of the cursor, of the scrolling region */
} Glass;

static void glass_clear(Glass *glass, int row, int col, int end)
{
	for (; col < end; col++) {
		glass->ch[row][col] = ' ';
		glass->look[row][col] = glass->sgr;
	}
}

/* n rows of the region to another place; the row that comes free is blank. */
static void glass_move(Glass *glass, int to, int from, int n)
{
	assert_in_range(glass->row, glass->top, glass->bottom);
	memmove(glass->ch[to], glass->ch[from], (size_t) n * sizeof *glass->ch);
	memmove(glass->look[to], glass->look[from], (size_t) n * sizeof *glass->look);
	glass_clear(glass, to > from ? from : from + n - 1, 0, GLASS_COLS);
}

static int sgr_color(const char **at, int code)
{
	if (code % 10 != 8)
		return code % 10 + 1;
	assert_int_equal(strtol(*at, (char **) (uintptr_t) at, 10), 5);
	++*at;
	return (int) strtol(*at, (char **) (uintptr_t) at, 10) + 1;
}

static void glass_sgr(Glass *glass, const char *at)
{
	for (bool is_more = true; is_more; at++) {
		int code = (int) strtol(at, (char **) (uintptr_t) &at, 10);
		at += (code == 38 || code == 48) && *at == ';';
		if (code == 0)
			glass->sgr = (Sgr) { 0 };
		else if (code < 10)
			glass->sgr.attr |= 1 << code;
		else
			*(code < 40 ? &glass->sgr.front : &glass->sgr.ground) = sgr_color(&at, code);
		is_more = *at == ';';
	}
}

static const char *glass_escape(Glass *glass, const char *at)
{
	assert_int_equal(at[0], '[');
	const char *params = at + 1, *end = params + strspn(params, "0123456789;");
	int a = atoi(params), b = strchr(params, ';') && strchr(params, ';') < end ? atoi(strchr(params, ';') + 1) : 0;
	switch (*end) {
	case 'H': glass->row = a ? a - 1 : 0; glass->col = b ? b - 1 : 0; break;
	case 'r': glass->top = a - 1; glass->bottom = b - 1; glass->row = glass->col = 0; break;
	case 'L': glass_move(glass, glass->row + 1, glass->row, glass->bottom - glass->row); break;
	case 'M': glass_move(glass, glass->row, glass->row + 1, glass->bottom - glass->row); break;
	case 'C': glass->col += a ? a : 1; break;
	case 'm': glass_sgr(glass, params); break;
	case 'K': glass_clear(glass, glass->row, glass->col, GLASS_COLS); break;
	case 'J':
		for (int r = 0; r < GLASS_ROWS; r++)
			glass_clear(glass, r, 0, GLASS_COLS);
		break;
	default: fail_msg("sequence ends in %c", *end);
	}
	return end + 1;
}

static void glass_feed(Glass *glass, const StrBuf *out)
{
	const char *end = out->data + out->len;
	for (const char *at = out->data; at < end;) {
		if (*at == '\033') {
			at = glass_escape(glass, at + 1);
			continue;
		}
		uint8_t first = (uint8_t) *at;
		int more = first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
		uint32_t ch = more ? first & (0x3fu >> more) : first;
		for (at++; more > 0; more--, at++)
			ch = ch << 6 | (*at & 0x3f);
		assert_in_range(glass->col, 0, GLASS_COLS - 1);
		assert_in_range(glass->row, 0, GLASS_ROWS - 1);
		bool is_wide = ch == 0x4e2d;
		glass->ch[glass->row][glass->col] = ch;
		glass->look[glass->row][glass->col] = glass->sgr;
		if (is_wide)
			glass->ch[glass->row][glass->col + 1] = 0;
		glass->col += 1 + is_wide;
	}
}

/* Each cell has the look of its role, however it came there; of a blank only what shows is looked at. */
static void expect_cells(const Glass *glass, const Canvas *canvas, const Paint *paint)
{
	for (int i = 0; i < GLASS_ROWS * GLASS_COLS; i++) {
		const Cell *cell = &canvas->cell[i];
		const Look *look = &paint->look[cell->role];
		Sgr is = glass->look[i / GLASS_COLS][i % GLASS_COLS];
		assert_int_equal(glass->ch[i / GLASS_COLS][i % GLASS_COLS], cell->ch);
		if (!cell->ch)
			continue;
		Glass want = { 0 };
		StrBuf bytes = { .data = (char *) (uintptr_t) look->all, .len = strlen(look->all) };
		glass_feed(&want, &bytes);
		bool is_bare = cell->ch == ' ' && look->is_bare;
		assert_int_equal(is.ground, want.sgr.ground);
		assert_int_equal(is.attr & (is_bare ? 1 << 7 | 1 << 4 : ~0), is_bare ? 0 : want.sgr.attr);
		if (!is_bare)
			assert_int_equal(is.front, want.sgr.front);
	}
}

static void scribble(Canvas *canvas, Rng *rng)
{
	static const Role LOOKS[] = { ROLE_TEXT, ROLE_STRONG, ROLE_LABEL, ROLE_OK, ROLE_BADGE_WARN, ROLE_SELECTED, ROLE_INPUT,
		ROLE_SERIES_A, ROLE_HEAT_0, ROLE_HEAT_8 };
	static const uint32_t CHARS[] = { ' ', 'a', '7', 0x2502, 0x28ff };
	for (int n = 0; n < 12; n++) {
		int row = (int) rng_below(rng, GLASS_ROWS), col = (int) rng_below(rng, GLASS_COLS), len = 1 + (int) rng_below(rng, 14);
		Role role = LOOKS[rng_below(rng, sizeof LOOKS / sizeof *LOOKS)];
		uint32_t ch = CHARS[rng_below(rng, sizeof CHARS / sizeof *CHARS)];
		for (int c = col; c < col + len && c < GLASS_COLS; c++) {
			if (canvas_cell(canvas, row, c)->ch == 0)
				canvas_put(canvas, row, c - 1, ' ', ROLE_TEXT); /* half of a wide one is none */
			if (c + 1 < GLASS_COLS && canvas_cell(canvas, row, c + 1)->ch == 0)
				canvas_put(canvas, row, c + 1, ' ', ROLE_TEXT);
			canvas_put(canvas, row, c, ch, role);
		}
	}
	int row = (int) rng_below(rng, GLASS_ROWS);
	for (int c = 0; c < GLASS_COLS; c++)
		canvas_put(canvas, row, c, ' ', ROLE_TEXT);
	(void) canvas_text(canvas, row, (int) rng_below(rng, GLASS_COLS - 8), 8, ROLE_OK, "a\xe4\xb8\xad" "b");
}

typedef struct Fixture {
	Paint paint;
	Canvas canvas, shown;
	Glass glass;
} Fixture;

static void fixture_open(Fixture *f, ColorMode depth)
{
	int problem;
	assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
	assert_int_equal(setupterm("xterm-256color", 1, &problem), OK);
	f->canvas.glyphs = f->shown.glyphs = glyphs_table(GLYPHS_BRAILLE);
	assert_int_equal(canvas_resize(&f->canvas, GLASS_ROWS, GLASS_COLS), 0);
	assert_int_equal(canvas_resize(&f->shown, GLASS_ROWS, GLASS_COLS), 0);
	paint_init(&f->paint, depth, THEME_DARK);
	paint_forget(&f->paint, &f->shown);
}

static void show(Fixture *f)
{
	assert_true(paint_frame(&f->paint, &f->canvas, &f->shown));
	if (f->paint.out.len)
		glass_feed(&f->glass, &f->paint.out);
}

static void fixture_done(Fixture *f)
{
	paint_done(&f->paint);
	canvas_done(&f->canvas);
	canvas_done(&f->shown);
	(void) del_curterm(cur_term);
}

static void any_sequence_of_frames_arrives_as_drawn(void **state)
{
	(void) state;
	static const ColorMode DEPTHS[] = { COLOR_256, COLOR_16, COLOR_NEVER };
	for (size_t d = 0; d < sizeof DEPTHS / sizeof *DEPTHS; d++) {
		Fixture f = { 0 };
		Rng rng;
		rng_init(&rng, 7 + d, 0, RNG_SHUFFLE);
		fixture_open(&f, DEPTHS[d]);
		for (int frame = 0; frame < 300; frame++) {
			scribble(&f.canvas, &rng);
			if (frame % 50 == 49)
				paint_forget(&f.paint, &f.shown);
			show(&f);
			expect_cells(&f.glass, &f.canvas, &f.paint);
		}
		fixture_done(&f);
	}
}

/* Moves that are written here are those that terminfo's entry asks for. */
static void moves_are_terminfos(void **state)
{
	(void) state;
	Fixture f = { 0 };
	Paint asked;
	Canvas shown = { .glyphs = glyphs_table(GLYPHS_BRAILLE) };
	Rng rng;
	rng_init(&rng, 5, 0, RNG_SHUFFLE);
	fixture_open(&f, COLOR_256);
	assert_true(f.paint.is_ecma);
	paint_init(&asked, COLOR_256, THEME_DARK);
	asked.is_ecma = false;
	assert_int_equal(canvas_resize(&shown, GLASS_ROWS, GLASS_COLS), 0);
	paint_forget(&asked, &shown);
	for (int frame = 0; frame < 100; frame++) {
		scribble(&f.canvas, &rng);
		show(&f);
		assert_true(paint_frame(&asked, &f.canvas, &shown));
		assert_int_equal(f.paint.out.len, asked.out.len);
		assert_memory_equal(f.paint.out.data, asked.out.data, asked.out.len);
	}
	paint_done(&asked);
	canvas_done(&shown);
	fixture_done(&f);
}

static void nothing_new_sends_nothing(void **state)
{
	(void) state;
	Fixture f = { 0 };
	fixture_open(&f, COLOR_256);
	(void) canvas_text(&f.canvas, 3, 3, 20, ROLE_STRONG, "ready 4");
	show(&f);
	show(&f);
	assert_int_equal(f.paint.out.len, 0);
	(void) canvas_fill(&f.canvas, (Rect) { 5, 5, 3, 3 }, ' ', ROLE_LABEL); /* a blank has no colour */
	show(&f);
	assert_int_equal(f.paint.out.len, 0);
	fixture_done(&f);
}

static void one_new_digit_costs_a_move_a_look_and_a_digit(void **state)
{
	(void) state;
	Fixture f = { 0 };
	fixture_open(&f, COLOR_256);
	(void) canvas_text(&f.canvas, 3, 3, 20, ROLE_STRONG, "ready 4");
	show(&f);
	(void) canvas_text(&f.canvas, 3, 3, 20, ROLE_STRONG, "ready 5");
	show(&f);
	assert_string_equal(f.paint.out.data, "\033[4;10H5"); /* the look is still in force */
	fixture_done(&f);
}

/* A log of which a line is as wide as the screen: the newest on top, or at the bottom. */
static void draw_log(Canvas *canvas, int newest, bool is_downward)
{
	for (int r = 2; r < GLASS_ROWS - 1; r++) {
		char line[GLASS_COLS + 1];
		int number = newest - (is_downward ? r : GLASS_ROWS - r);
		for (int c = 0; c < GLASS_COLS; c++)
			line[c] = (char) ('!' + (number * 37 + c * 11) % 90);
		line[GLASS_COLS] = '\0';
		(void) canvas_text(canvas, r, 0, GLASS_COLS, number % 3 ? ROLE_TEXT : ROLE_OK, line);
	}
}

static void log_that_moves_is_moved(void **state)
{
	(void) state;
	for (int is_downward = 0; is_downward < 2; is_downward++) {
		Fixture f = { 0 };
		fixture_open(&f, COLOR_256);
		(void) canvas_text(&f.canvas, 0, 0, 20, ROLE_BADGE_OK, " Active ");
		(void) canvas_text(&f.canvas, GLASS_ROWS - 1, 0, 20, ROLE_KEY, "q quit");
		for (int newest = 100; newest < 140; newest++) {
			draw_log(&f.canvas, newest, is_downward);
			show(&f);
			expect_cells(&f.glass, &f.canvas, &f.paint);
			if (newest > 100)
				assert_in_range(f.paint.out.len, GLASS_COLS, 2 * GLASS_COLS + 30); /* not nine lines */
		}
		fixture_done(&f);
	}
}

static void without_colour_no_colour_is_sent(void **state)
{
	(void) state;
	Fixture f = { 0 };
	fixture_open(&f, COLOR_NEVER);
	for (int role = 0; role < ROLE_COUNT; role++)
		(void) canvas_text(&f.canvas, role % GLASS_ROWS, role / GLASS_ROWS * 4, 3, (Role) role, "abc");
	show(&f);
	assert_null(strstr(f.paint.out.data, "38;"));
	for (int color = 30; color < 50; color++) {
		char last[16], inner[16];
		(void) snprintf(last, sizeof last, "%dm", color);
		(void) snprintf(inner, sizeof inner, ";%d;", color);
		assert_null(strstr(f.paint.out.data, last));
		assert_null(strstr(f.paint.out.data, inner));
	}
	fixture_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_sequence_of_frames_arrives_as_drawn),
		cmocka_unit_test(moves_are_terminfos),
		cmocka_unit_test(nothing_new_sends_nothing),
		cmocka_unit_test(one_new_digit_costs_a_move_a_look_and_a_digit),
		cmocka_unit_test(log_that_moves_is_moved),
		cmocka_unit_test(without_colour_no_colour_is_sent),
	};
	return cmocka_run_group_tests_name("tui_paint", tests, NULL, NULL);
}
