/* Curves, axes and figures as text. */
#include "tui/fmt.h"
#include "tui/plot.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void point(const void *data, int i, double *ret_x, double *ret_y)
{
	*ret_x = i;
	*ret_y = ((const double *) data)[i];
}

/* The values as a plot of rows x cols from 0 to top, in ASCII. */
static void expect_plot(const double *value, int n, PlotKind kind, int rows, int cols, double top, const char *want)
{
	Canvas canvas = { .glyphs = glyphs_table(GLYPHS_ASCII) };
	StrBuf text = { 0 };
	assert_int_equal(canvas_resize(&canvas, rows, cols), 0);
	Plot plot = { &canvas, { 0, 0, rows, cols }, 0, cols - 1, 0, top };
	plot_series(&plot, &(Series) { .data = value, .n = n, .at = point, .kind = kind, .letter = '*' });
	canvas_to_text(&canvas, &text);
	assert_string_equal(text.data, want);
	strbuf_done(&text);
	canvas_done(&canvas);
}

static void line_rises_from_corner_to_corner(void **state)
{
	(void) state;
	expect_plot((double[]) { 0, 1, 2 }, 3, PLOT_LINE, 3, 3, 2, "  *\n *\n*\n");
}

static void gap_in_the_data_is_a_gap_on_the_screen(void **state)
{
	(void) state;
	expect_plot((double[]) { 1, 1, NAN, NAN, 1, 1 }, 6, PLOT_LINE, 1, 6, 2, "**  **\n");
	expect_plot((double[]) { 1, NAN, 1 }, 3, PLOT_AREA, 1, 3, 2, "* *\n");
}

static void far_neighbours_are_not_joined(void **state)
{
	(void) state;
	Canvas canvas = { .glyphs = glyphs_table(GLYPHS_ASCII) };
	assert_int_equal(canvas_resize(&canvas, 1, 9), 0);
	double value[] = { 1, 1 };
	Plot plot = { &canvas, { 0, 0, 1, 9 }, 0, 1, 0, 2 };
	Series series = { .data = value, .n = 2, .at = point, .kind = PLOT_LINE, .letter = '*', .max_gap = .5 };
	plot_series(&plot, &series);
	assert_int_equal(canvas.cell[4].ch, ' ');
	series.max_gap = 0;
	plot_series(&plot, &series);
	assert_int_equal(canvas.cell[4].ch, '*');
	canvas_done(&canvas);
}

static void one_point_is_one_dot(void **state)
{
	(void) state;
	expect_plot((double[]) { 2 }, 1, PLOT_LINE, 3, 4, 2, "*\n\n\n");
	expect_plot(NULL, 0, PLOT_LINE, 2, 4, 2, "\n\n");
}

static void all_unknown_draws_nothing(void **state)
{
	(void) state;
	expect_plot((double[]) { NAN, NAN, NAN }, 3, PLOT_STEPS, 2, 3, 2, "\n\n");
}

static void steps_are_square_and_areas_are_filled(void **state)
{
	(void) state;
	expect_plot((double[]) { 0, 0, 2, 2 }, 4, PLOT_STEPS, 3, 4, 2, "  **\n  *\n***\n");
	expect_plot((double[]) { 2, 1, 0 }, 3, PLOT_AREA, 3, 3, 2, "*\n:*\n::*\n");
}

static void values_over_the_top_are_clipped(void **state)
{
	(void) state;
	expect_plot((double[]) { 9, 1e30 }, 2, PLOT_DOTS, 2, 2, 2, "**\n\n");
}

static void area_over_a_limit_says_so_in_its_role(void **state)
{
	(void) state;
	Canvas canvas = { .glyphs = glyphs_table(GLYPHS_ASCII) };
	assert_int_equal(canvas_resize(&canvas, 1, 3), 0);
	Plot plot = { &canvas, { 0, 0, 1, 3 }, 0, 2, 0, 600 };
	plot_series(&plot, &(Series) { .data = (double[]) { 200, 300, 550 }, .n = 3, .at = point, .kind = PLOT_AREA,
	            .role = ROLE_SERIES_A, .letter = '*', .soft = 250, .hard = 500 });
	assert_int_equal(canvas.cell[0].role, ROLE_SERIES_A);
	assert_int_equal(canvas.cell[1].role, ROLE_WARN);
	assert_int_equal(canvas.cell[2].role, ROLE_BAD);
	canvas_done(&canvas);
}

typedef struct Ticks {
	double x[2];
	const char *label[2];
} Ticks;

static double tick_at(const void *data, int i, const char **ret_label)
{
	const Ticks *ticks = data;
	*ret_label = ticks->label[i];
	return ticks->x[i];
}

/* Ticks over a line along the second row from the bottom. */
static void expect_ticks(Ticks ticks, int n, int rows, int cols, const char *want)
{
	Canvas canvas = { .glyphs = glyphs_table(GLYPHS_ASCII) };
	StrBuf text = { 0 };
	double level[32];
	for (int i = 0; i < cols; i++)
		level[i] = 1;
	assert_int_equal(canvas_resize(&canvas, rows, cols), 0);
	Plot plot = { &canvas, { 0, 0, rows, cols }, 0, cols - 1, 0, rows - 1 };
	plot_series(&plot, &(Series) { .data = level, .n = cols, .at = point, .letter = '*' });
	plot_ticks(&plot, n, tick_at, &ticks);
	canvas_to_text(&canvas, &text);
	assert_string_equal(text.data, want);
	strbuf_done(&text);
	canvas_done(&canvas);
}

static void tick_labels_stack_and_never_cover_points(void **state)
{
	(void) state;
	expect_ticks((Ticks) { { 2, 3 }, { "pause", "lr" } }, 2, 6, 12,
	             "  ||lr\n  |pause\n  ||\n  ||\n************\n  ||\n");
	expect_ticks((Ticks) { { 2, 10 }, { "a", "late" } }, 2, 4, 12,
	             "  |a  late|\n  |       |\n************\n  |       |\n");
	expect_ticks((Ticks) { { 2 }, { "word" } }, 1, 2, 12, "************\n  |word\n");
	expect_ticks((Ticks) { { 10 }, { "entropy .01" } }, 1, 2, 12, "************\n          |\n"); /* no room: no label */
	expect_ticks((Ticks) { { 0 }, { "learning rate" } }, 1, 4, 10, "|learnin~\n|\n**********\n|\n");
}

static void tick_stays_behind_the_curve(void **state)
{
	(void) state;
	expect_ticks((Ticks) { { 2 }, { "lr" } }, 1, 3, 8, "  |lr\n********\n  |\n");
}

static void axes_are_round_and_hold_the_data(void **state)
{
	(void) state;
	static const struct { double lo, hi; int steps; Axis want; } CASES[] = {
		{ 0, 57, 3, { 0, 60, 20 } },
		{ 3.2, 9.7, 4, { 2, 10, 2 } },
		{ -1.09, -.47, 4, { -1.2, -.4, .2 } },
		{ 5, 5, 2, { 4.5, 5.5, .5 } },  /* constant: room around it */
		{ -138.55, -138.5, 3, { -160, -120, 10 } }, /* so is what labels cannot tell apart */
		{ 0, 0, 2, { 0, 1, .5 } }, /* and none below zero for what is never there */
		{ INFINITY, -INFINITY, 4, { 0, 1, 1 } }, /* no data */
	};
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		Axis axis = axis_fit(CASES[i].lo, CASES[i].hi, CASES[i].steps);
		assert_true(fabs(axis.lo - CASES[i].want.lo) < 1e-9);
		assert_true(fabs(axis.hi - CASES[i].want.hi) < 1e-9);
		assert_true(fabs(axis.step - CASES[i].want.step) < 1e-9);
	}
}

static void chart_labels_its_axes_with_units(void **state)
{
	(void) state;
	Canvas canvas = { .glyphs = glyphs_table(GLYPHS_ASCII) };
	StrBuf text = { 0 };
	assert_int_equal(canvas_resize(&canvas, 4, 24), 0);
	Axis axis = { 0, 100, 100 };
	ChartLabels labels = { fmt_plain, fmt_count, " steps", 4 };
	Plot plot = chart_begin(&canvas, (Rect) { 0, 0, 4, 24 }, 0, 1310000, &axis, &labels);
	assert_int_equal(plot.area.rows, 3);
	assert_int_equal(plot.area.col, 5);
	canvas_to_text(&canvas, &text);
	assert_string_equal(text.data, " 100|\n    |\n   0|\n     0      1.31 M steps\n");
	strbuf_done(&text);
	canvas_done(&canvas);
}

static void chart_without_room_draws_nothing_and_survives(void **state)
{
	(void) state;
	Canvas canvas = { .glyphs = glyphs_table(GLYPHS_BRAILLE) };
	assert_int_equal(canvas_resize(&canvas, 1, 4), 0);
	Axis axis = { 0, 1, 1 };
	ChartLabels labels = { fmt_plain, fmt_count, "", 6 };
	Plot plot = chart_begin(&canvas, (Rect) { 0, 0, 1, 4 }, 0, 1, &axis, &labels);
	plot_series(&plot, &(Series) { .data = (double[]) { 0, 1 }, .n = 2, .at = point, .letter = '*' });
	plot_level(&plot, .5, ROLE_WARN);
	plot_mark(&plot, .5, .5, 'e', ROLE_WARN);
	for (int i = 0; i < 4; i++)
		assert_int_equal(canvas.cell[i].ch, ' ');
	canvas_done(&canvas);
}

/* ---- figures ---- */

static char *step_of_a_third(char *text, double value)
{
	return fmt_step(text, value, .3346);
}

static char *step_of_55(char *text, double value)
{
	return fmt_step(text, value, 55.6);
}

static void figures_have_units_and_unknown_is_a_question_mark(void **state)
{
	(void) state;
	static const struct { FmtFn format; double value; const char *want; } CASES[] = {
		{ fmt_number, NAN, "?" }, { fmt_count, NAN, "?" }, { fmt_rate, NAN, "?" }, { fmt_ms, NAN, "?" },
		{ fmt_bytes, NAN, "?" }, { fmt_cores, NAN, "?" }, { fmt_percent, NAN, "?" }, { fmt_duration, NAN, "?" },
		{ fmt_plain, NAN, "?" }, { step_of_a_third, NAN, "?" }, { step_of_a_third, -.02384, "-0.02" }, { step_of_a_third, -.003, "0.00" },
		{ step_of_a_third, 0, "0" }, { step_of_55, 777.8, "778" },
		{ fmt_number, -.0131, "-0.0131" }, { fmt_number, 3e-4, "3.0e-04" }, { fmt_number, 51.2, "51.20" },
		{ fmt_number, 0, "0.0000" }, { fmt_number, 198.42, "198.4" }, { fmt_number, 1e7, "1.0e+07" },
		{ fmt_count, 0, "0" }, { fmt_count, 80, "80" }, { fmt_count, 999, "999" }, { fmt_count, 412000, "412 k" },
		{ fmt_count, 999999, "1.00 M" }, { fmt_count, 1310000, "1.31 M" }, { fmt_count, 5e6, "5.00 M" },
		{ fmt_rate, 842, "842 /s" }, { fmt_rate, 1200, "1.20 k/s" }, { fmt_rate, 0, "0 /s" },
		{ fmt_ms, .05, "0.05 ms" }, { fmt_ms, 312.4, "312 ms" }, { fmt_ms, 1250, "1.25 s" }, { fmt_ms, 999.9, "1.00 s" },
		{ fmt_bytes, 512, "512 B" }, { fmt_bytes, 84.0 * 1048576, "84.0 MiB" }, { fmt_bytes, 1023, "1023 B" },
		{ fmt_bytes, 2147483648.0, "2.00 GiB" },
		{ fmt_cores, .71, "0.71 cores" }, { fmt_cores, 12.34, "12.3 cores" },
		{ fmt_percent, .008, "0.8 %" }, { fmt_percent, .71, "71 %" }, { fmt_percent, .992, "99.2 %" },
		{ fmt_percent, 1, "100 %" },
		{ fmt_duration, 9, "9 s" }, { fmt_duration, 125, "2 m 05 s" }, { fmt_duration, 6000, "1 h 40 m" },
		{ fmt_duration, 266400, "3 d 02 h" }, { fmt_duration, -4, "0 s" }, { fmt_duration, 59.7, "1 m 00 s" },
		{ fmt_age, NAN, "?" }, { fmt_age, -4, "0 s" }, { fmt_age, 59.7, "59 s" }, { fmt_age, 1726, "28 m" }, { fmt_age, 7199, "1 h" },
		{ fmt_age, 266400, "3 d" },
		{ fmt_plain, 60, "60" }, { fmt_plain, -2.5, "-2.5" }, { fmt_plain, 1e-17, "0" },
	};
	char text[FMT_TEXT];
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
		assert_string_equal(CASES[i].format(text, CASES[i].value), CASES[i].want);
}

static void an_end_is_told_in_the_readers_zone(void **state)
{
	(void) state;
	static const struct { const char *said, *want; } CASES[] = {
		{ "8 for 30 min until 2026-11-24T03:41:12.500Z", "8 for 30 min until 05:41:12" },
		{ "x until 2026-11-24T03:41:12Z, then y", "x until 05:41:12, then y" },
		{ "8 until 2026-11-24T23:00:00Z", "8 until 11-25 01:00:00" }, /* another day there */
		{ "holds until it is resumed", "holds until it is resumed" },
		{ "8 until 2026-11-24T03:41:12", "8 until 2026-11-24T03:41:12" },
		{ "", "" },
	};
	char text[96], zone[64];
	const char *before = getenv("TZ");
	(void) snprintf(zone, sizeof zone, "%s", before ? before : "");
	(void) setenv("TZ", "EET-2", 1);
	tzset();
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		fmt_until(CASES[i].said, 1795485600000, text, sizeof text); /* 2026-11-24, two in the morning in UTC */
		assert_string_equal(text, CASES[i].want);
	}
	(void) (before ? setenv("TZ", zone, 1) : unsetenv("TZ"));
	tzset();
}

static void figures_fit_their_room_at_any_size(void **state)
{
	(void) state;
	static const FmtFn ALL[] = { fmt_number, fmt_plain, fmt_count, fmt_rate, fmt_ms, fmt_bytes, fmt_cores, fmt_percent,
		fmt_duration };
	char text[FMT_TEXT + 1] = { 0 };
	text[FMT_TEXT] = 'x';
	for (size_t f = 0; f < sizeof ALL / sizeof *ALL; f++) {
		for (double v = 1e-9; v < 1e18; v *= 7) {
			(void) ALL[f](text, v);
			assert_true(strlen(text) < FMT_TEXT);
		}
		(void) ALL[f](text, INFINITY);
		assert_int_equal(text[FMT_TEXT], 'x');
	}
}

static void clock_is_the_zone_s_time_of_day(void **state)
{
	(void) state;
	char text[FMT_TEXT];
	(void) setenv("TZ", "UTC", 1);
	tzset();
	assert_string_equal(fmt_clock(text, 1795523246000), "12:27:26"); /* date -u -d @1795523246 */
	assert_string_equal(fmt_clock(text, 0), "?");
}

static void growing_axis_ends_at_a_round_number_that_stays(void **state)
{
	(void) state;
	assert_float_equal(axis_end(100000), 100000, 0);
	assert_float_equal(axis_end(100001), 150000, 0);
	assert_float_equal(axis_end(149000), 150000, 0);
	assert_float_equal(axis_end(9e5), 1e6, 0);
	assert_float_equal(axis_end(0), 1, 0);
}

static void sparkline_keeps_its_columns_while_points_come(void **state)
{
	(void) state;
	Canvas canvas = { .glyphs = glyphs_table(GLYPHS_ASCII) };
	double value[] = { 0, 7, 3, 3, 7 };
	Series series = { .data = value, .n = 3, .at = point, .role = ROLE_SERIES_A };
	assert_int_equal(canvas_resize(&canvas, 1, 8), 0);
	plot_sparkline(&canvas, (Rect) { 0, 0, 1, 8 }, &series, 0, 7);
	uint32_t before[3] = { canvas.cell[0].ch, canvas.cell[1].ch, canvas.cell[2].ch };
	assert_int_equal(canvas.cell[3].ch, ' ');
	series.n = 5;
	plot_sparkline(&canvas, (Rect) { 0, 0, 1, 8 }, &series, 0, 7);
	for (int i = 0; i < 3; i++)
		assert_int_equal(canvas.cell[i].ch, before[i]);
	assert_int_not_equal(canvas.cell[4].ch, ' ');
	canvas_done(&canvas);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(line_rises_from_corner_to_corner),
		cmocka_unit_test(gap_in_the_data_is_a_gap_on_the_screen),
		cmocka_unit_test(far_neighbours_are_not_joined),
		cmocka_unit_test(one_point_is_one_dot),
		cmocka_unit_test(all_unknown_draws_nothing),
		cmocka_unit_test(steps_are_square_and_areas_are_filled),
		cmocka_unit_test(values_over_the_top_are_clipped),
		cmocka_unit_test(area_over_a_limit_says_so_in_its_role),
		cmocka_unit_test(tick_stays_behind_the_curve),
		cmocka_unit_test(tick_labels_stack_and_never_cover_points),
		cmocka_unit_test(axes_are_round_and_hold_the_data),
		cmocka_unit_test(chart_labels_its_axes_with_units),
		cmocka_unit_test(chart_without_room_draws_nothing_and_survives),
		cmocka_unit_test(figures_have_units_and_unknown_is_a_question_mark),
		cmocka_unit_test(an_end_is_told_in_the_readers_zone),
		cmocka_unit_test(figures_fit_their_room_at_any_size),
		cmocka_unit_test(clock_is_the_zone_s_time_of_day),
		cmocka_unit_test(growing_axis_ends_at_a_round_number_that_stays),
		cmocka_unit_test(sparkline_keeps_its_columns_while_points_come),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
