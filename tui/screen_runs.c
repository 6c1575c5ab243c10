/* Runs: the store's runs, newest first; runs_selected.c draws the selected one. */
#include "base/clock.h"
#include "tui/fmt.h"
#include "tui/screen_runs.h"
#include "tui/table.h"

#include <math.h>
#include <stdio.h>

static const PaneSpec PANES[N_RUNS_PANES] = {
	[RUNS_PANE_TABLE] = { "Runs", .band = 0, .share = 1, .min_rows = 8, .grow = 1 },
	[RUNS_PANE_RUN] = { "Selected run", .band = 1, .share = 1, .min_rows = 11, .grow = 2, .drop = 1 },
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

/* A figure of a training run; control runs have no such thing, "-". */
static Role figure(const RunRow *run, char *text, size_t size, double value)
{
	if (run->kind != RUN_TRAIN)
		(void) snprintf(text, size, "-");
	else
		(void) fmt_number(text, value);
	return isnan(value) ? ROLE_LABEL : ROLE_TEXT;
}

static Role cell_reward(const void *data, int row, char *text, size_t size)
{
	return figure(run_of(data, row), text, size, run_of(data, row)->ep_rew_mean);
}

static Role cell_length(const void *data, int row, char *text, size_t size)
{
	return figure(run_of(data, row), text, size, run_of(data, row)->ep_len_mean);
}

static Role cell_eval(const void *data, int row, char *text, size_t size)
{
	Role role = figure(run_of(data, row), text, size, run_of(data, row)->eval_mean);
	return role == ROLE_TEXT ? ROLE_STRONG : role;
}

static Role cell_std(const void *data, int row, char *text, size_t size)
{
	return figure(run_of(data, row), text, size, run_of(data, row)->eval_std);
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
	Rect in = scene_box(scene, RUNS_PANE_TABLE, PANES, rect, note);
	if (!runs->has_list || !runs->list->n_rows) {
		(void) canvas_text(scene->canvas, in.row + in.rows / 2, in.col, in.cols, ROLE_LABEL,
		                   !runs->has_list ? "asking the store" : runs->list->code ? runs->list->text : "no run yet");
		return;
	}
	int rows = in.rows - 1, at = (int) (runs->selected - runs->offset);
	int first = at >= rows ? at - rows + 1 : 0;
	table_draw(scene->canvas, in, COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, runs->list, runs->list->n_rows, first, at);
}

static void draw(const Scene *scene, int pane, Rect rect)
{
	const RunRow *run = runs_selected(&scene->runs);
	char note[128] = "";
	if (run)
		(void) snprintf(note, sizeof note, "%lld %s, %s", (long long) run->id, run->name, run_status_text(run->status));
	if (pane == RUNS_PANE_TABLE)
		draw_table(scene, rect);
	else
		runs_draw_selected(scene, scene_box(scene, pane, PANES, rect, note));
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

const ScreenOps screen_runs = { "Runs", '3', PANES, N_RUNS_PANES, head, draw, column };
