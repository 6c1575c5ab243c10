/* Canvas, theme and glyphs: what reaches the screen is safe, cut by width, and right at every depth. */
#include "tui/colors.h"
#include "tui/canvas.h"

#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct Room {
	Canvas canvas;
	StrBuf text;
} Room;

static void open_room(Room *room, GlyphMode mode, int rows, int cols)
{
	*room = (Room) { .canvas.glyphs = glyphs_table(mode) };
	assert_int_equal(canvas_resize(&room->canvas, rows, cols), 0);
}

static const char *read_room(Room *room)
{
	strbuf_clear(&room->text);
	canvas_to_text(&room->canvas, &room->text);
	return room->text.data;
}

static void close_room(Room *room)
{
	canvas_done(&room->canvas);
	strbuf_done(&room->text);
}

static void text_from_outside_loses_its_control_characters(void **state)
{
	(void) state;
	Room room;
	open_room(&room, GLYPHS_BRAILLE, 1, 40);
	canvas_text(&room.canvas, 0, 0, 40, ROLE_TEXT, "a\x1b[31mb\tc\nd\x7f\xc2\x9b" "e\xe2\x80\xae" "f");
	assert_string_equal(read_room(&room), "a[31mbcdef\n");
	close_room(&room);
}

static void broken_utf8_becomes_question_marks(void **state)
{
	(void) state;
	Room room;
	open_room(&room, GLYPHS_BRAILLE, 1, 40);
	canvas_text(&room.canvas, 0, 0, 40, ROLE_TEXT, "x\xff\xc0\xaf\xed\xa0\x80y\xc3");
	assert_string_equal(read_room(&room), "x??????y?\n");
	close_room(&room);
}

static void text_is_cut_by_display_width(void **state)
{
	(void) state;
	static const struct { const char *text, *want; int cols; } CASES[] = { /* the last ones are two columns a character */
		{ "replicas", "replicas\n", 8 },
		{ "replicas", "replic\xe2\x80\xa6\n", 7 },
		{ "\xe6\x9c\x8d\xe5\x8a\xa1\xe5\x99\xa8", "\xe6\x9c\x8d\xe5\x8a\xa1\xe5\x99\xa8\n", 6 },
		{ "\xe6\x9c\x8d\xe5\x8a\xa1\xe5\x99\xa8", "\xe6\x9c\x8d\xe5\x8a\xa1\xe2\x80\xa6\n", 5 },
		{ "\xe6\x9c\x8d\xe5\x8a\xa1\xe5\x99\xa8", "\xe6\x9c\x8d\xe2\x80\xa6\n", 4 }, /* no half character */
		{ "abc", "\n", 0 },
	};
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		Room room;
		open_room(&room, GLYPHS_BRAILLE, 1, 20);
		canvas_text(&room.canvas, 0, 0, CASES[i].cols, ROLE_TEXT, CASES[i].text);
		assert_string_equal(read_room(&room), CASES[i].want);
		close_room(&room);
	}
}

static void ascii_mode_has_no_byte_over_127(void **state)
{
	(void) state;
	Room room;
	open_room(&room, GLYPHS_ASCII, 4, 20);
	canvas_box(&room.canvas, (Rect) { 0, 0, 4, 20 }, "caf\xc3\xa9", NULL, true);
	canvas_text(&room.canvas, 1, 2, 8, ROLE_TEXT, "a long name");
	canvas_bar(&room.canvas, 2, 2, 10, .5, ROLE_OK);
	const char *text = read_room(&room);
	assert_non_null(strstr(text, "caf?"));
	assert_non_null(strstr(text, "a long ~"));
	assert_non_null(strstr(text, "#####....."));
	for (const char *s = text; *s; s++)
		assert_true((unsigned char) *s < 128);
	close_room(&room);
}

static void pen_leaves_out_what_does_not_fit_whole(void **state)
{
	(void) state;
	Room room;
	open_room(&room, GLYPHS_ASCII, 1, 20);
	Pen pen = { &room.canvas, 0, 0, 9 };
	assert_true(pen_item(&pen, ROLE_TEXT, "p95 "));
	assert_false(pen_item(&pen, ROLE_TEXT, "1234 ms"));
	assert_true(pen_item(&pen, ROLE_TEXT, "ok"));
	assert_string_equal(read_room(&room), "p95 ok\n");
	close_room(&room);
}

static void writing_outside_changes_nothing(void **state)
{
	(void) state;
	Room room;
	open_room(&room, GLYPHS_ASCII, 2, 4);
	canvas_text(&room.canvas, -1, 0, 4, ROLE_TEXT, "xx");
	canvas_text(&room.canvas, 5, 0, 4, ROLE_TEXT, "xx");
	canvas_text(&room.canvas, 0, 3, 9, ROLE_TEXT, "abc");
	canvas_put(&room.canvas, 0, -1, 'x', ROLE_TEXT);
	canvas_bar(&room.canvas, 1, 2, 9, NAN, ROLE_OK);
	assert_string_equal(read_room(&room), "   a\n  ..\n");
	close_room(&room);
}

static void dots_merge_into_one_cell(void **state)
{
	(void) state;
	const Glyphs *braille = glyphs_table(GLYPHS_BRAILLE), *block = glyphs_table(GLYPHS_BLOCK);
	/* Unicode's table: dots 1 and 8 are 0x01 and 0x80 */
	assert_int_equal(glyphs_add_column(braille, glyphs_add_column(braille, ' ', 0, 0, 0, 'x'), 1, 3, 3, 'x'), 0x2881);
	assert_int_equal(glyphs_add_column(block, glyphs_add_column(block, ' ', 0, 0, 0, 'x'), 1, 0, 0, 'x'), 0x2580);
	assert_int_equal(glyphs_add_column(glyphs_table(GLYPHS_ASCII), ' ', 0, 0, 0, 'x'), 'x');
}

static void glyphs_follow_charset_and_terminal(void **state)
{
	(void) state;
	assert_int_equal(glyphs_choose(GLYPHS_AUTO, "UTF-8", "xterm-256color"), GLYPHS_BRAILLE);
	assert_int_equal(glyphs_choose(GLYPHS_AUTO, "ANSI_X3.4-1968", "xterm"), GLYPHS_ASCII);
	assert_int_equal(glyphs_choose(GLYPHS_AUTO, NULL, NULL), GLYPHS_ASCII);
	assert_int_equal(glyphs_choose(GLYPHS_AUTO, "UTF-8", "linux"), GLYPHS_ASCII);
	assert_int_equal(glyphs_choose(GLYPHS_AUTO, "UTF-8", "vt100"), GLYPHS_ASCII);
	assert_int_equal(glyphs_choose(GLYPHS_BLOCK, NULL, "linux"), GLYPHS_BLOCK);
}

static void color_depth_follows_the_order_of_choice(void **state)
{
	(void) state;
	static const struct { ColorMode asked; int colors, rgb; const char *no_color; ColorMode want; } CASES[] = {
		{ COLOR_AUTO, 256, 0, NULL, COLOR_256 },
		{ COLOR_AUTO, 8, 0, NULL, COLOR_16 },
		{ COLOR_AUTO, -1, 0, NULL, COLOR_NEVER },
		{ COLOR_AUTO, 1 << 24, 1, NULL, COLOR_TRUE },
		{ COLOR_AUTO, 256, 0, "1", COLOR_NEVER },
		{ COLOR_AUTO, 256, 0, "", COLOR_256 },      /* NO_COLOR counts when it is not empty */
		{ COLOR_ALWAYS, 256, 0, "1", COLOR_256 },   /* the option beats the variable */
		{ COLOR_NEVER, 256, 1, NULL, COLOR_NEVER },
		{ COLOR_16, 256, 0, NULL, COLOR_16 },
		{ COLOR_TRUE, 256, 0, NULL, COLOR_256 },    /* not more than the terminal has */
		{ COLOR_256, 8, 0, NULL, COLOR_16 },
	};
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
		assert_int_equal(theme_depth(CASES[i].asked, CASES[i].colors, CASES[i].rgb, CASES[i].no_color), CASES[i].want);
}

static void theme_has_the_palette_of_the_manual(void **state)
{
	(void) state;
	assert_int_equal(theme_color(ROLE_OK, COLOR_TRUE, THEME_DARK), 0x009E73);
	assert_int_equal(theme_color(ROLE_WARN, COLOR_256, THEME_DARK), 214);
	assert_int_equal(theme_color(ROLE_BAD, COLOR_256, THEME_DARK), 166);
	assert_int_equal(theme_color(ROLE_INFO, COLOR_16, THEME_DARK), 6); /* cyan */
	assert_int_equal(theme_color(ROLE_TEXT, COLOR_TRUE, THEME_DARK), -1); /* the terminal's own */
	assert_int_equal(theme_color(ROLE_OK, COLOR_NEVER, THEME_DARK), -1);
}

/* WCAG 2: contrast of a colour against white. */
static double contrast_on_white(int rgb)
{
	static const double WEIGHT[3] = { .2126, .7152, .0722 };
	double light = 0;
	for (int i = 0; i < 3; i++) {
		double c = (rgb >> (16 - 8 * i) & 0xff) / 255.0;
		light += WEIGHT[i] * (c <= .04045 ? c / 12.92 : pow((c + .055) / 1.055, 2.4));
	}
	return 1.05 / (light + .05);
}

static void figures_of_the_heat_map_are_readable(void **state)
{
	(void) state;
	for (int step = 0; step < HEAT_STEPS; step++) {
		Role role = (Role) (ROLE_HEAT_0 + step);
		assert_true(colors_contrast(theme_ink(role, COLOR_TRUE), theme_color(role, COLOR_TRUE, THEME_DARK)) >= 4.5);
		assert_true(theme_ink(role, COLOR_256) >= 0);
		assert_int_equal(theme_ink(role, COLOR_NEVER), -1);
	}
	assert_int_equal(theme_ink(ROLE_TEXT, COLOR_TRUE), -1);
}

static void light_theme_is_readable_on_white(void **state)
{
	(void) state;
	static const Role TEXTS[] = { ROLE_LABEL, ROLE_KEY, ROLE_OK, ROLE_WARN, ROLE_BAD, ROLE_INFO };
	static const Role MARKS[] = { ROLE_SERIES_A, ROLE_SERIES_B, ROLE_SERIES_C, ROLE_SERIES_D };
	for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++)
		assert_true(contrast_on_white(theme_color(TEXTS[i], COLOR_TRUE, THEME_LIGHT)) >= 4.5);
	for (size_t i = 0; i < sizeof MARKS / sizeof *MARKS; i++)
		assert_true(contrast_on_white(theme_color(MARKS[i], COLOR_TRUE, THEME_LIGHT)) >= 3);
	assert_int_equal(theme_color(ROLE_LABEL, COLOR_16, THEME_LIGHT), -1); /* no white on white */
	assert_int_equal(theme_color(ROLE_TEXT, COLOR_TRUE, THEME_LIGHT), -1);
}

static void states_are_told_apart_without_color(void **state)
{
	(void) state;
	assert_true(theme_row(ROLE_BAD)->attr_mono != theme_row(ROLE_TEXT)->attr_mono);
	assert_true(theme_row(ROLE_BAD)->attr_mono != theme_row(ROLE_WARN)->attr_mono);
	assert_true(theme_row(ROLE_SELECTED)->attr_mono & ATTR_REVERSE);
}

int main(void)
{
	(void) setlocale(LC_CTYPE, "C.UTF-8");
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_from_outside_loses_its_control_characters),
		cmocka_unit_test(broken_utf8_becomes_question_marks),
		cmocka_unit_test(text_is_cut_by_display_width),
		cmocka_unit_test(ascii_mode_has_no_byte_over_127),
		cmocka_unit_test(pen_leaves_out_what_does_not_fit_whole),
		cmocka_unit_test(writing_outside_changes_nothing),
		cmocka_unit_test(dots_merge_into_one_cell),
		cmocka_unit_test(glyphs_follow_charset_and_terminal),
		cmocka_unit_test(color_depth_follows_the_order_of_choice),
		cmocka_unit_test(theme_has_the_palette_of_the_manual),
		cmocka_unit_test(figures_of_the_heat_map_are_readable),
		cmocka_unit_test(light_theme_is_readable_on_white),
		cmocka_unit_test(states_are_told_apart_without_color),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
