/*
 * Policy: what it would do over any two of its inputs, the others fixed at the live point or by hand; why at the cursor;
 * a slice. Cells unlike anything in training say so.
 */
#include "tui/screen_policy.h"
#include "tui/fmt.h"
#include "tui/plot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PANE_MAP = POLICY_PANE_MAP, PANE_WHY, PANE_SLICE, N_PANES };

static const PaneSpec PANES[N_PANES] = {
	[PANE_MAP] = { "Map", .band = 0, .share = 64, .min_rows = 12, .grow = 3 },
	[PANE_WHY] = { "Why at the cursor", .band = 0, .share = 36, .min_rows = 12, .grow = 3, .max_cols = 60 },
	[PANE_SLICE] = { "Slice", .band = 1, .share = 1, .min_rows = 8, .grow = 1, .drop = 1 },
};

enum { WORD_COLS = 4 /* a cell's, from which on it has words */ };

static const char *const SHOWN[SHOW_COUNT] = { "P(up)", "P(keep)", "P(down)", "choice", "value", "replicas against HPA" };

static const char *why_empty(const Console *console)
{
	const PolicyView *view = console->policy.view;
	return view && view->code ? view->text : "asking the policy";
}

/* ---- the grid ---- */

static int choice_of(const PolicyView *view, int at)
{
	const float p[] = { view->down[at], view->keep[at], view->up[at] };
	int best = ACTION_KEEP;
	for (int a = 0; a < ACTION_COUNT; a++)
		if (p[a] > p[best])
			best = a;
	return best;
}

/* What is shown of a cell, 0..1 for the ramp; NAN: not known. */
static double shade(const PolicyView *view, PolicyShow show, int at, double lo, double hi)
{
	switch (show) {
	case SHOW_UP: return (double) view->up[at];
	case SHOW_KEEP: return (double) view->keep[at];
	case SHOW_DOWN: return (double) view->down[at];
	case SHOW_CHOICE: return isnan(view->up[at]) ? (double) NAN : choice_of(view, at) / 2.0;
	case SHOW_VALUE: return hi > lo ? ((double) view->value[at] - lo) / (hi - lo) : (double) view->value[at] * 0 + .5;
	default: {
		int mine = view->here[at] + choice_of(view, at) - ACTION_KEEP;
		bool is_known = view->hpa[at] >= 0 && view->here[at] >= 0 && !isnan(view->up[at]);
		return is_known ? .5 + fmax(-4, fmin(4, mine - view->hpa[at])) / 8 : (double) NAN;
	}
	}
}

static void value_bounds(const PolicyView *view, double *lo, double *hi)
{
	*lo = INFINITY;
	*hi = -INFINITY;
	for (int at = 0; at < view->n_cells; at++) {
		*lo = fmin(*lo, (double) view->value[at]);
		*hi = fmax(*hi, (double) view->value[at]);
	}
}

static double input_at(const PolicyInput *input, int i, int n)
{
	return (double) input->lo + (double) (input->hi - input->lo) * i / (n - 1);
}

/* As "replicas" are whole: what a cell was asked at. */
static double asked_at(const PolicyInput *input, int i, int n)
{
	double value = input_at(input, i, n);
	return !strcmp(input->name, "replicas") ? rint(value) : value;
}

static char *axis_text(char *text, const PolicyInput *input, int i, int n)
{
	double step = (double) (input->hi - input->lo) / (n - 1);
	return fmt_step(text, asked_at(input, i, n), !strcmp(input->name, "replicas") ? INFINITY : step);
}

/* Three characters in a cell that has room for words. False: its shade says it. */
static bool cell_words(const PolicyView *view, PolicyShow show, int at, double value, char text[8])
{
	static const char *const CHOICE[] = { " dn", "  =", " up" };
	switch (show) {
	case SHOW_VALUE: return false;
	case SHOW_CHOICE: (void) snprintf(text, 8, "%s", CHOICE[choice_of(view, at)]); return true;
	case SHOW_HPA: {
		int more = view->here[at] + choice_of(view, at) - ACTION_KEEP - view->hpa[at];
		(void) snprintf(text, 8, more ? "%+3d" : "%3d", more < -99 ? -99 : more > 99 ? 99 : more);
		return true;
	}
	default: (void) snprintf(text, 8, "%3.0f", value * 100); return true;
	}
}

/* Its words stand in the row `words` of rect, its shade in all. */
static void draw_cell(const Scene *scene, Rect rect, int words, int at, double lo, double hi)
{
	static const char RAMP[HEAT_STEPS + 1] = ".:-=+*#%@";
	const PolicyView *view = policy_view(scene->console);
	PolicyShow show = scene->console->policy.show;
	double value = shade(view, show, at, lo, hi);
	bool is_outside = view->flag[at] & CELL_OUTSIDE, is_known = !is_outside && !isnan(value);
	int step = isnan(value) ? 0 : (int) lround(fmax(0, fmin(1, value)) * (HEAT_STEPS - 1));
	Role role = is_known ? (Role) (ROLE_HEAT_0 + step) : ROLE_GHOST;
	char text[8];
	bool has_words = is_known && rect.cols >= WORD_COLS && cell_words(view, show, at, value, text);
	for (int i = 0; i < rect.rows * rect.cols; i++) {
		int row = rect.row + i / rect.cols, c = i % rect.cols;
		bool is_here = row == words || (rect.cols < WORD_COLS && !is_known);
		canvas_put(scene->canvas, row, rect.col + c, has_words ? (is_here && c < 3 ? (uint32_t) text[c] : ' ')
		           : !is_known ? (is_here && c == rect.cols / 2 ? '?' : ' ') : (uint32_t) RAMP[step], role);
	}
	if (view->flag[at] & CELL_ODD && !is_outside)
		canvas_put(scene->canvas, words, rect.col + rect.cols - 1, '!', role);
}

/* Cell rows that fit; where that is fewer than there are, some are left out evenly. */
static int rows_shown(const PolicyView *view, Rect in)
{
	return view->ny <= in.rows - 2 ? view->ny : in.rows > 3 ? in.rows - 2 : 1;
}

/* Screen rows of one: of a few replicas on a tall terminal, more than one. */
static int cell_rows(const PolicyView *view, Rect in)
{
	return 2 * view->ny <= in.rows - 3 ? (in.rows - 3) / view->ny : 1; /* with the words below */
}

static int cell_row(const PolicyView *view, Rect in, int r)
{
	int shown = rows_shown(view, in);
	return shown > 1 ? r * (view->ny - 1) / (shown - 1) : 0;
}

/* The first screen row of the r-th shown cell row from below, and where its words stand. */
static int top_row(const PolicyView *view, Rect in, int r)
{
	return in.row + 1 + (rows_shown(view, in) - 1 - r) * cell_rows(view, in);
}

static int word_row(const PolicyView *view, Rect in, int r)
{
	return top_row(view, in, r) + (cell_rows(view, in) - 1) / 2;
}

/* That of a cell row, by the nearest that is shown. */
static int screen_row(const PolicyView *view, Rect in, int row)
{
	int shown = rows_shown(view, in), r = view->ny > 1 ? (row * (shown - 1) + (view->ny - 1) / 2) / (view->ny - 1) : 0;
	return word_row(view, in, r);
}

static void draw_map_labels(const Scene *scene, Rect in, int width)
{
	const PolicyView *view = policy_view(scene->console);
	const PolicyInput *x = &view->input[view->x], *y = &view->input[view->y];
	char text[FMT_TEXT];
	int shown = rows_shown(view, in);
	for (int r = 0; r < shown; r++)
		if (shown <= 16 || r % 2 == 0)
			canvas_text_right(scene->canvas, word_row(view, in, r), in.col + POLICY_AXIS_COLS - 2, POLICY_AXIS_COLS - 2, ROLE_LABEL,
			                  axis_text(text, y, cell_row(view, in, r), view->ny));
	int below = in.row + 1 + shown * cell_rows(view, in);
	for (int row = in.row + 1; row < below; row++)
		canvas_put(scene->canvas, row, in.col + POLICY_AXIS_COLS - 1, scene->canvas->glyphs->vertical, ROLE_FRAME);
	int left = in.col + POLICY_AXIS_COLS, right = left + width * view->nx;
	(void) canvas_text(scene->canvas, in.row, in.col, 24, ROLE_LABEL, y->name);
	(void) canvas_text(scene->canvas, below, left, 12, ROLE_LABEL, axis_text(text, x, 0, view->nx));
	int middle = left + width * (view->nx / 2);
	(void) canvas_text(scene->canvas, below, middle, 12, ROLE_LABEL, axis_text(text, x, view->nx / 2, view->nx));
	char end[64];
	(void) snprintf(end, sizeof end, "%s %s", axis_text(text, x, view->nx - 1, view->nx), x->name);
	canvas_text_right(scene->canvas, below, right, right - middle - 6, ROLE_LABEL, end);
}

static int map_cell_cols(const PolicyView *view, int cols)
{
	int width = (cols - POLICY_AXIS_COLS) / view->nx;
	return width > 0 ? width : 1;
}

static void say_ramp(Pen *pen, PolicyShow show, bool has_words)
{
	const char *words = show == SHOW_HPA ? "-1 fewer than the HPA  0 the same  +1 more   " : show == SHOW_CHOICE ? "dn down  = keep  up up   " : "";
	const char *shades = show == SHOW_HPA ? ". fewer than the HPA  + the same  @ more   "
	                   : show == SHOW_CHOICE ? ". down  + keep  @ up   " : ". : - = + * # % @   least to most   ";
	(void) pen_item(pen, ROLE_LABEL, "%s", has_words && show != SHOW_VALUE ? words : shades);
}

static void draw_map(const Scene *scene, Rect rect)
{
	const Console *console = scene->console;
	const PolicyView *view = policy_view(console);
	int cols = view ? map_cell_cols(view, rect.cols - 4) : 1;
	char note[64];
	(void) snprintf(note, sizeof note, "%s%s", SHOWN[console->policy.show], cols >= WORD_COLS && console->policy.show <= SHOW_DOWN ? ", %" : "");
	Rect in = scene_box(scene, PANE_MAP, PANES, rect, note);
	if (!view) {
		scene_empty(scene, in, why_empty(console));
		return;
	}
	double lo, hi;
	int col, row, width = cols;
	value_bounds(view, &lo, &hi);
	policy_cursor(console, &col, &row);
	int shown = rows_shown(view, in), height = cell_rows(view, in);
	for (int r = 0; r < shown; r++)
		for (int c = 0; c < view->nx && POLICY_AXIS_COLS + (c + 1) * width <= in.cols; c++)
			draw_cell(scene, (Rect) { top_row(view, in, r), in.col + POLICY_AXIS_COLS + c * width, height, width }, word_row(view, in, r),
			          policy_cell(view, c, cell_row(view, in, r)), lo, hi);
	canvas_zone(scene->canvas, (Zone) { ZONE_CELL, { in.row + 1, in.col + POLICY_AXIS_COLS, shown * height, width * view->nx }, 0, width, NULL });
	draw_map_labels(scene, in, width);
	int left = in.col + POLICY_AXIS_COLS + (width >= WORD_COLS ? width - 1 : 0); /* behind a cell's words */
	int live_col = policy_place(&view->input[view->x], view->nx), live_row = policy_place(&view->input[view->y], view->ny);
	canvas_put(scene->canvas, screen_row(view, in, live_row), left + live_col * width, 'x', ROLE_BADGE_INFO);
	if (console->policy.has_cursor)
		canvas_put(scene->canvas, screen_row(view, in, row), left + col * width, '+', ROLE_BADGE_WARN);
	if (in.rows > shown * height + 2) {
		Pen pen = { scene->canvas, in.row + in.rows - 1, in.col, in.col + in.cols };
		say_ramp(&pen, console->policy.show, width >= WORD_COLS);
		(void) pen_item(&pen, ROLE_LABEL, "x now   ");
		(void) pen_item(&pen, ROLE_LABEL, "? outside training   ");
		(void) pen_item(&pen, ROLE_LABEL, "! more load, less up");
	}
}

/* ---- why ---- */

static int line(const Scene *scene, Rect in, int row, const char *name, Role role, const char *text)
{
	if (row >= in.rows)
		return row;
	(void) canvas_text(scene->canvas, in.row + row, in.col, 13, ROLE_LABEL, name);
	(void) canvas_text(scene->canvas, in.row + row, in.col + 14, in.cols - 14, role, text);
	return row + 1;
}

/* Of the thesis's own inputs; the others are shares and ratios. */
static const char *unit_of(const PolicyInput *input)
{
	return !strcmp(input->name, "latency") ? " ms" : !strcmp(input->name, "rps") ? " /s" : !strcmp(input->name, "cpu_usage") ? " %" : "";
}

/* "312 ms", "-0.014": digits that stand below each other */
static char *input_text(char *text, const PolicyInput *input, double value)
{
	bool is_whole = isnan(value) || fabs(value - rint(value)) < 5e-4 || fabs(value) >= 100;
	(void) fmt_step(text, value, is_whole ? INFINITY : .01);
	if (!isnan(value))
		(void) strncat(text, unit_of(input), FMT_TEXT - strlen(text) - 1);
	return text;
}

/* "replicas  4  -.11 --" */
static void draw_effect(const Scene *scene, Rect in, int row, const PolicyInput *input)
{
	char text[FMT_TEXT];
	bool is_narrow = in.cols < 30;
	int value_cols = is_narrow ? 7 : 10, effect_cols = is_narrow ? 6 : 7, rest = value_cols + effect_cols + !is_narrow;
	int name_cols = in.cols - rest > 18 ? 18 : in.cols - rest, bar = in.cols - name_cols - rest - 1, end = in.col + name_cols + value_cols;
	(void) canvas_text(scene->canvas, in.row + row, in.col, name_cols, ROLE_LABEL, input->name);
	canvas_text_right(scene->canvas, in.row + row, end, value_cols, ROLE_TEXT, input_text(text, input, (double) input->now));
	if (isnan(input->effect)) {
		canvas_text_right(scene->canvas, in.row + row, end + effect_cols, 6, ROLE_LABEL, "?");
		return;
	}
	(void) snprintf(text, sizeof text, fabsf(input->effect) < .005f ? "%.2f" : "%+.2f", fabs((double) input->effect) < .005 ? 0 : (double) input->effect);
	canvas_text_right(scene->canvas, in.row + row, end + effect_cols, 6, ROLE_TEXT, text);
	int n = bar < 4 ? 0 : (int) lround(fabs((double) input->effect) * (bar > 0 ? bar : 0));
	for (int c = 0; c < n && c < bar; c++)
		canvas_put(scene->canvas, in.row + row, end + 9 + c, input->effect > 0 ? '+' : '-',
		           input->effect > 0 ? ROLE_SERIES_A : ROLE_SERIES_B);
}

static int by_effect(const void *a, const void *b)
{
	const PolicyInput *const *x = a, *const *y = b;
	float p = isnan((*x)->effect) ? -1 : fabsf((*x)->effect), q = isnan((*y)->effect) ? -1 : fabsf((*y)->effect);
	return (p < q) - (p > q);
}

static void draw_cell_figures(const Scene *scene, Rect in, int at, bool is_live)
{
	const PolicyView *view = policy_view(scene->console);
	char text[128];
	float p[ACTION_COUNT] = { view->down[at], view->keep[at], view->up[at] };
	if (is_live)
		memcpy(p, view->p_now, sizeof p);
	if (view->is_rule)
		(void) snprintf(text, sizeof text, in.cols < 40 ? "%s (a rule's choice)" : "%s (a rule has no probabilities)",
		                p[ACTION_UP] > 0 ? "up" : p[ACTION_DOWN] > 0 ? "down" : "keep");
	else if (in.cols < 30) /* in percent: three digits fit */
		(void) snprintf(text, sizeof text, "up %.0f keep %.0f dn %.0f %%", 100 * (double) p[ACTION_UP], 100 * (double) p[ACTION_KEEP],
		                100 * (double) p[ACTION_DOWN]);
	else
		(void) snprintf(text, sizeof text, "up %.2f keep %.2f down %.2f", (double) p[ACTION_UP], (double) p[ACTION_KEEP],
		                (double) p[ACTION_DOWN]);
	(void) canvas_text(scene->canvas, in.row, in.col, 2, ROLE_KEY, is_live ? "x" : "+");
	(void) canvas_text(scene->canvas, in.row, in.col + 2, in.cols - 2, ROLE_STRONG, text);
	int row = 1;
	int hpa = is_live ? view->hpa_now : view->hpa[at];
	(void) snprintf(text, sizeof text, hpa < 0 ? "?" : "%d", hpa);
	row = line(scene, in, row, "HPA here", ROLE_TEXT, text);
	bool is_known = !isnan(view->input[view->x].seen_lo);
	bool is_outside = view->flag[at] & CELL_OUTSIDE;
	bool has_room = in.cols >= 40;
	(void) line(scene, in, row, "in training", is_outside ? ROLE_WARN : ROLE_TEXT, view->is_rule ? "none (rule)"
	            : !is_known ? has_room ? "? the model does not say" : "? not told"
	            : is_outside ? has_room ? "no, unlike anything" : "no" : "yes");
}

static void say_flip(const PolicyView *view, int cols, char *text, size_t size)
{
	char value[FMT_TEXT];
	const PolicyInput *input = view->flip_input >= 0 ? &view->input[view->flip_input] : NULL;
	if (input)
		(void) snprintf(text, size, "%s: %s %s", cols < 30 ? "flip" : "nearest flip", input->name, input_text(value, input, (double) view->flip_value));
	else
		(void) snprintf(text, size, "no one input that training varied changes the choice");
}

/* What the axes are: their names are the model's own. "" where it does not tell. */
static void say_axis(const PolicyInput *input, char text[96])
{
	text[0] = '\0';
	if (input->meaning[0])
		(void) snprintf(text, 96, "%s: %s", input->name, input->meaning);
}

static void draw_why(const Scene *scene, Rect rect)
{
	enum { FIRST = 4, ROOMY = 14, WORDS = 4 };
	const PolicyView *view = policy_view(scene->console);
	Rect in = scene_box(scene, PANE_WHY, PANES, rect, NULL);
	if (!view)
		return;
	const PolicyInput *input[OBS_MAX];
	char words[WORDS][96] = { "" };
	int col, row, n = view->n_inputs;
	policy_cursor(scene->console, &col, &row);
	draw_cell_figures(scene, in, policy_cell(view, col, row), !scene->console->policy.has_cursor);
	for (int i = 0; i < n; i++)
		input[i] = &view->input[i];
	qsort(input, (size_t) n, sizeof *input, by_effect);
	(void) canvas_text(scene->canvas, in.row + FIRST - 1, in.col, in.cols, ROLE_LABEL,
	                   in.cols < 27 ? "input, now, effect on up" : "input, now, effect on P(up)");
	say_flip(view, in.cols, words[0], sizeof words[0]);
	(void) snprintf(words[1], sizeof words[1], "method: one input swapped for its usual value%s", in.cols < 30 ? "" : ", the rest kept");
	if (in.rows >= ROOMY) {
		say_axis(&view->input[view->x], words[2]);
		say_axis(&view->input[view->y], words[3]);
	}
	int below = 0;
	for (int i = 0; i < WORDS; i++)
		below += canvas_wrap_rows(scene->canvas, in.cols, words[i]);
	int room = in.rows - FIRST - below, shown = n < room ? n : room;
	for (int i = 0; i < shown; i++)
		draw_effect(scene, in, FIRST + i, input[i]);
	int at = FIRST + (shown > 0 ? shown : 0);
	for (int i = 0; i < WORDS; i++)
		at += canvas_wrap(scene->canvas, (Rect) { in.row + at, in.col, in.rows - at, in.cols }, i ? ROLE_LABEL : ROLE_TEXT, words[i]);
}

/* ---- slice ---- */

typedef struct Slice {
	const PolicyView *view;
	const float *p;
	int row;
} Slice;

static void slice_point(const void *data, int i, double *ret_x, double *ret_y)
{
	const Slice *slice = data;
	*ret_x = input_at(&slice->view->input[slice->view->x], i, slice->view->nx);
	*ret_y = (double) slice->p[policy_cell(slice->view, i, slice->row)];
}

/* Where the choice changes along the row, in words. */
static void say_changes(const Scene *scene, Pen *pen, int row)
{
	static const char *const NAMES[] = { "down", "keep", "up" };
	const PolicyView *view = policy_view(scene->console);
	char value[FMT_TEXT], said[48];
	int last = choice_of(view, policy_cell(view, 0, row)), odd = 0, outside = 0;
	(void) pen_item(pen, ROLE_TEXT, "%s ", NAMES[last]);
	for (int c = 1; c < view->nx; c++) {
		int now = choice_of(view, policy_cell(view, c, row));
		if (now != last)
			(void) pen_item(pen, ROLE_TEXT, "| %s from %s ", NAMES[now],
			                axis_text(value, &view->input[view->x], c, view->nx));
		last = now;
	}
	for (int at = 0; at < view->n_cells; at++) {
		odd += view->flag[at] & CELL_ODD ? 1 : 0;
		outside += view->flag[at] & CELL_OUTSIDE ? 1 : 0;
	}
	(void) pen_item(pen, odd ? ROLE_WARN : ROLE_LABEL, "  odd cells %d%s", odd,
	                odd ? keys_say(&scene->console->keymap, " ({policy.odd} next)", said, sizeof said) : "");
	(void) pen_item(pen, ROLE_LABEL, "  outside training %d %%", view->n_cells ? 100 * outside / view->n_cells : 0);
}

static void draw_slice(const Scene *scene, Rect rect)
{
	static const ChartLabels LABELS = { fmt_plain, fmt_plain, "", 6 };
	const PolicyView *view = policy_view(scene->console);
	char note[96] = "", value[FMT_TEXT];
	int col = 0, row = 0;
	if (view) {
		policy_cursor(scene->console, &col, &row);
		(void) snprintf(note, sizeof note, "along %s at %s %s", view->input[view->x].name, view->input[view->y].name,
		                axis_text(value, &view->input[view->y], row, view->ny));
	}
	Rect in = scene_box(scene, PANE_SLICE, PANES, rect, note);
	if (!view)
		return;
	const struct {
		const float *p;
		Role role;
		char letter;
		const char *name;
	} LINES[] = { { view->up, ROLE_SERIES_A, 'u', "up" }, { view->keep, ROLE_SERIES_C, 'k', "keep" }, { view->down, ROLE_SERIES_B, 'd', "down" } };
	Axis axis = { 0, 1, .5 };
	Plot plot = chart_begin(scene->canvas, (Rect) { in.row, in.col, in.rows - 1, in.cols }, (double) view->input[view->x].lo,
	                        (double) view->input[view->x].hi, &axis, &LABELS);
	for (size_t i = 0; i < 3; i++) {
		Slice slice = { view, LINES[i].p, row };
		plot_series(&plot, &(Series) { .data = &slice, .n = view->nx, .at = slice_point, .kind = PLOT_LINE, .role = LINES[i].role,
		            .letter = LINES[i].letter });
	}
	plot_cursor(&plot, input_at(&view->input[view->x], col, view->nx));
	Pen pen = { scene->canvas, in.row + in.rows - 1, in.col, in.col + in.cols };
	for (size_t i = 0; i < 3; i++) {
		scene_legend(&pen, LINES[i].role, scene->canvas->glyphs->sample, LINES[i].letter);
		(void) pen_item(&pen, ROLE_LABEL, "%s  ", LINES[i].name);
	}
	say_changes(scene, &pen, row);
}

static void draw(const Scene *scene, int pane, Rect rect)
{
	static void (*const DRAW[N_PANES])(const Scene *, Rect) = { draw_map, draw_why, draw_slice };
	DRAW[pane](scene, rect);
}

static void head(const Scene *scene, Pen *pen)
{
	const PolicyView *view = policy_view(scene->console);
	const PolicyLook *look = &scene->console->policy;
	char text[FMT_TEXT];
	(void) pen_item(pen, ROLE_BADGE_INFO, " Policy ");
	if (!view)
		return;
	(void) pen_item(pen, ROLE_STRONG, "  %s", view->policy);
	if (view->steps >= 0)
		(void) pen_item(pen, ROLE_LABEL, ", %s steps", fmt_count(text, (double) view->steps));
	if (scene->live)
		(void) pen_item(pen, ROLE_LABEL, "  of %s/%s", scene->live->target.namespace_, scene->live->target.name);
	bool has_any = false;
	for (int i = 0; i < view->n_inputs; i++) {
		if (!(look->query.fixed >> i & 1))
			continue;
		(void) pen_item(pen, ROLE_INFO, "%s%s %s", has_any ? ", " : "  fixed ", view->input[i].name,
		                input_text(text, &view->input[i], (double) look->query.value[i]));
		has_any = true;
	}
	if (!has_any)
		(void) pen_item(pen, ROLE_TEXT, "  at the live point");
	double age_s = (double) (scene->console->now_ms - look->at_ms) / 1000;
	(void) pen_item(pen, ROLE_LABEL, "  asked %s ago", fmt_duration(text, age_s));
}

const ScreenOps screen_policy = {
	.name = "Policy", .pane = PANES, .n_panes = N_PANES, .needs = NEEDS_TARGET, .is_there = policy_is_there, .head = head, .draw = draw,
	.refresh = policy_refresh, .act = policy_act, .offers = policy_offers, .back = policy_back, .is_settled = policy_is_settled,
};
