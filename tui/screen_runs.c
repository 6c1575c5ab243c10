/* Runs: the store's runs, newest first, and the learning curve and configuration of the selected one. */
#include "base/clock.h"
#include "tui/fmt.h"
#include "tui/plot.h"
#include "tui/screen.h"
#include "tui/table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PANE_TABLE, PANE_RUN, N_PANES };

static const PaneSpec PANES[N_PANES] = {
	[PANE_TABLE] = { "Runs", .band = 0, .share = 1, .min_rows = 8, .grow = 1 },
	[PANE_RUN] = { "Selected run", .band = 1, .share = 1, .min_rows = 11, .grow = 2, .drop = 1 },
};

static void head(const Scene *scene, Pen *pen)
{
	const RunsState *runs = &scene->runs;
	(void) pen_item(pen, ROLE_BADGE_INFO, " Runs ");
	if (!runs->has_list)
		(void) pen_item(pen, ROLE_LABEL, "  asking the store");
	else if (runs->list->code)
		(void) pen_item(pen, ROLE_BAD, "  ! %.100s", runs->list->text);
	else
		(void) pen_item(pen, ROLE_TEXT, "  %lld in the store, newest first", (long long) runs->list->total);
}

/* ---- table ---- */

static const RunRow *run_of(const void *data, int row)
{
	return &((const ArchiveAnswer *) data)->row[row];
}

static Role cell_id(const void *data, int row, char *text, size_t size)
{
	(void) snprintf(text, size, "%lld", (long long) run_of(data, row)->id);
	return ROLE_TEXT;
}

static Role cell_kind(const void *data, int row, char *text, size_t size)
{
	(void) snprintf(text, size, "%s", run_of(data, row)->kind == RUN_TRAIN ? "train" : "control");
	return ROLE_LABEL;
}

static Role cell_name(const void *data, int row, char *text, size_t size)
{
	(void) snprintf(text, size, "%s", run_of(data, row)->name);
	return ROLE_TEXT;
}

static Role cell_status(const void *data, int row, char *text, size_t size)
{
	static const Role ROLES[RUN_STATUS_COUNT] = { ROLE_INFO, ROLE_OK, ROLE_WARN, ROLE_BAD, ROLE_BAD };
	RunStatus status = run_of(data, row)->status;
	(void) snprintf(text, size, "%s", run_status_text(status));
	return status < RUN_STATUS_COUNT ? ROLES[status] : ROLE_TEXT;
}

static Role cell_seed(const void *data, int row, char *text, size_t size)
{
	(void) snprintf(text, size, "%llu", (unsigned long long) run_of(data, row)->seed);
	return ROLE_TEXT;
}

static Role cell_steps(const void *data, int row, char *text, size_t size)
{
	(void) size;
	(void) fmt_count(text, (double) run_of(data, row)->steps);
	return ROLE_TEXT;
}

/* A figure that control runs do not have. */
static Role figure(char *text, size_t size, double value)
{
	if (isnan(value))
		(void) snprintf(text, size, "-");
	else
		(void) fmt_number(text, value);
	return isnan(value) ? ROLE_LABEL : ROLE_TEXT;
}

static Role cell_reward(const void *data, int row, char *text, size_t size)
{
	return figure(text, size, run_of(data, row)->ep_rew_mean);
}

static Role cell_length(const void *data, int row, char *text, size_t size)
{
	return figure(text, size, run_of(data, row)->ep_len_mean);
}

static Role cell_eval(const void *data, int row, char *text, size_t size)
{
	Role role = figure(text, size, run_of(data, row)->eval_mean);
	return role == ROLE_TEXT ? ROLE_STRONG : role;
}

static Role cell_std(const void *data, int row, char *text, size_t size)
{
	return figure(text, size, run_of(data, row)->eval_std);
}

static Role cell_start(const void *data, int row, char *text, size_t size)
{
	char stamp[CLOCK_TEXT];
	clock_format(run_of(data, row)->start_ms, stamp);
	(void) snprintf(text, size, "%.10s %.5s", stamp, stamp + 11);
	return ROLE_LABEL;
}

static Role cell_took(const void *data, int row, char *text, size_t size)
{
	const RunRow *run = run_of(data, row);
	if (run->end_ms)
		(void) fmt_duration(text, (double) (run->end_ms - run->start_ms) / 1000);
	else
		(void) snprintf(text, size, "-");
	return ROLE_LABEL;
}

static Role cell_policy(const void *data, int row, char *text, size_t size)
{
	(void) snprintf(text, size, "%s", run_of(data, row)->policy);
	return ROLE_LABEL;
}

static const Column COLUMNS[] = {
	{ "id", 5, 0, true, false, cell_id },
	{ "kind", 7, 5, false, false, cell_kind },
	{ "name", 20, 0, false, true, cell_name },
	{ "status", 8, 0, false, false, cell_status },
	{ "seed", 5, 4, true, false, cell_seed },
	{ "steps", 7, 1, true, false, cell_steps },
	{ "reward", 8, 2, true, false, cell_reward },
	{ "length", 7, 3, true, false, cell_length },
	{ "best eval", 9, 0, true, false, cell_eval },
	{ "std", 7, 6, true, false, cell_std },
	{ "start (UTC)", 16, 7, false, false, cell_start },
	{ "took", 10, 8, true, false, cell_took },
	{ "policy", 16, 9, false, true, cell_policy },
};

static void draw_table(const Scene *scene, Rect rect)
{
	const RunsState *runs = &scene->runs;
	char note[64] = "";
	if (runs->has_list && runs->list->total > 0)
		(void) snprintf(note, sizeof note, "%lld of %lld", (long long) runs->selected + 1, (long long) runs->list->total);
	Rect in = scene_box(scene, PANE_TABLE, PANES, rect, note);
	if (!runs->has_list || !runs->list->n_rows) {
		(void) canvas_text(scene->canvas, in.row + in.rows / 2, in.col, in.cols, ROLE_LABEL,
		                   !runs->has_list ? "asking the store" : runs->list->code ? runs->list->text : "no run yet");
		return;
	}
	int rows = in.rows - 1, at = (int) (runs->selected - runs->offset);
	int first = at >= rows ? at - rows + 1 : 0;
	table_draw(scene->canvas, in, COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, runs->list, runs->list->n_rows, first, at);
}

/* ---- the selected run ---- */

typedef struct ArchiveCurve {
	const ArchiveAnswer *answer;
	const float *value;
} ArchiveCurve;

static void archive_point(const void *data, int i, double *ret_x, double *ret_y)
{
	const ArchiveCurve *curve = data;
	*ret_x = (double) curve->answer->point_steps[i];
	*ret_y = (double) curve->value[i];
}

static void draw_curve(const Scene *scene, Rect area, const char *name, const float *value, Role role, Role fill)
{
	const ArchiveAnswer *run = scene->runs.run;
	int n = run->n_points;
	double lo = INFINITY, hi = -INFINITY;
	for (int i = 0; i < n; i++) {
		if (isfinite(value[i])) {
			lo = fmin(lo, (double) value[i]);
			hi = fmax(hi, (double) value[i]);
		}
	}
	(void) canvas_text(scene->canvas, area.row, area.col, area.cols, ROLE_LABEL, name);
	Axis axis = axis_fit(lo, hi, (area.rows - 2) / 3);
	static const ChartLabels LABELS = { fmt_plain, fmt_count, " steps", 6 };
	Plot plot = chart_begin(scene->canvas, (Rect) { area.row + 1, area.col, area.rows - 1, area.cols },
	                        (double) run->point_steps[0], (double) run->point_steps[n - 1], &axis, &LABELS);
	ArchiveCurve curve = { run, value };
	plot_series(&plot, &(Series) { .data = &curve, .n = n, .at = archive_point,
	            .kind = axis.lo < 0 || axis.lo > 0 ? PLOT_LINE : PLOT_AREA, /* an area counts from zero */
	           
	            .role = role, .fill = fill, .letter = '*' });
}

/* One member of the object behind at: `"name":value`, with its quotes left out; answers where the next one starts. */
static const char *config_item(const char *at, char *text, size_t size)
{
	int depth = 0;
	bool is_quoted = false;
	size_t len = 0;
	for (; *at && (is_quoted || depth > 0 || (*at != ',' && *at != '}')); at++) {
		is_quoted ^= *at == '"';
		depth += is_quoted ? 0 : *at == '[' || *at == '{' ? 1 : *at == ']' || *at == '}' ? -1 : 0;
		if (*at != '"' && len + 1 < size)
			text[len++] = *at == ':' && depth == 0 && !is_quoted ? ' ' : *at;
	}
	text[len] = '\0';
	return *at ? at + 1 : at;
}

/* The configuration's members on as many lines as there are; what does not fit is left out whole. */
static void draw_config(const Scene *scene, Rect area, const char *config)
{
	char text[CELL_TEXT];
	Pen pen = { scene->canvas, area.row, area.col, area.col + area.cols };
	const char *at = *config == '{' ? config + 1 : config;
	while (*at && pen.row < area.row + area.rows) {
		at = config_item(at, text, sizeof text);
		if (!pen_item(&pen, ROLE_LABEL, "%s", text) && pen.col > area.col) {
			pen.row++;
			pen.col = area.col;
			if (pen.row < area.row + area.rows)
				(void) pen_item(&pen, ROLE_LABEL, "%s", text);
		}
		pen.col += 2;
	}
}

static void draw_run(const Scene *scene, Rect rect)
{
	const ArchiveAnswer *run = scene->runs.run;
	char note[96] = "";
	bool is_there = run->n_rows > 0 && !run->code;
	if (is_there)
		(void) snprintf(note, sizeof note, "%lld %s", (long long) run->row[0].id, run->row[0].name);
	Rect in = scene_box(scene, PANE_RUN, PANES, rect, note);
	if (!is_there) {
		(void) canvas_text(scene->canvas, in.row + in.rows / 2, in.col, in.cols, ROLE_LABEL,
		                   run->code ? run->text : "nothing selected");
		return;
	}
	int config_rows = in.rows >= 12 ? 3 : 2, rows = in.rows - config_rows, half = (in.cols - 2) / 2;
	draw_config(scene, (Rect) { in.row + rows, in.col, config_rows, in.cols }, run->config);
	if (run->n_points < 2) {
		(void) canvas_text(scene->canvas, in.row + rows / 2, in.col, in.cols, ROLE_LABEL,
		                   run->row[0].kind == RUN_TRAIN ? "no learning curve yet" : "a control run: no learning curve");
		return;
	}
	draw_curve(scene, (Rect) { in.row, in.col, rows, half }, "reward", run->point_rew, ROLE_SERIES_A, ROLE_FILL_A);
	draw_curve(scene, (Rect) { in.row, in.col + half + 2, rows, half }, "episode length, steps", run->point_len,
	           ROLE_SERIES_C, ROLE_FILL_C);
}

static void draw(const Scene *scene, int pane, Rect rect)
{
	if (pane == PANE_TABLE)
		draw_table(scene, rect);
	else
		draw_run(scene, rect);
}

static void column(const Scene *scene, Rect rect)
{
	const RunsState *runs = &scene->runs;
	char text[FMT_TEXT];
	for (int i = 0; runs->has_list && i < rect.rows && i < runs->list->n_rows; i++) {
		const RunRow *run = &runs->list->row[i];
		(void) canvas_textf(scene->canvas, rect.row + i, 0, rect.cols, i == runs->selected - runs->offset ? ROLE_STRONG :
			ROLE_TEXT,
		                    "%lld %s %s %s", (long long) run->id, run->name, run_status_text(run->status),
		                    fmt_number(text, run->eval_mean));
	}
}

const ScreenOps screen_runs = { "Runs", '3', PANES, N_PANES, head, draw, column };
