/* Runs: the store's runs, newest first; runs_selected.c draws the selected one. */
#include "base/clock.h"
#include "tui/console.h"
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
	const RunsView *view = &scene->console->runs;
	(void) pen_item(pen, ROLE_BADGE_INFO, " Runs ");
	if (!runs->has_list) {
		(void) pen_item(pen, ROLE_LABEL, "  asking the store");
		return;
	}
	if (runs->list->code && runs->list->code != ERR_PARSE) {
		(void) pen_item(pen, ROLE_BAD, "  ! %.100s", runs->list->text);
		return;
	}
	(void) pen_item(pen, ROLE_TEXT, "  %lld of %lld", (long long) runs->list->matched, (long long) runs->list->total);
	(void) pen_item(pen, ROLE_LABEL, "  filter ");
	(void) pen_item(pen, view->filter[0] ? ROLE_INFO : ROLE_LABEL, "%s", view->filter[0] ? view->filter : "-");
	(void) pen_item(pen, ROLE_LABEL, "  sort ");
	(void) pen_item(pen, ROLE_TEXT, "%s %s", run_sort_text(view->sort), view->is_ascending ? "up" : "down");
	if (view->n_marked)
		(void) pen_item(pen, ROLE_INFO, "  %d marked", view->n_marked);
}

/* ---- table ---- */

/* The list and the console that knows which rows are marked. */
typedef struct RunTable {
	const ArchiveAnswer *list;
	const Console *console;
} RunTable;

static const RunRow *run_of(const void *data, int row)
{
	return &((const RunTable *) data)->list->row[row];
}

static Role cell_mark(const void *data, int row, char *text, size_t size)
{
	const RunTable *table = data;
	bool is_marked = runs_is_marked(table->console, run_of(data, row)->id);
	(void) snprintf(text, size, "%s", is_marked ? "*" : run_of(data, row)->deleted_ms ? "-" : "");
	return is_marked ? ROLE_INFO : ROLE_LABEL;
}

static Role cell_lock(const void *data, int row, char *text, size_t size)
{
	const RunRow *run = run_of(data, row);
	const RunTable *table = data;
	int64_t gone_days = run->deleted_ms ? (table->console->frame.wall_ms - run->deleted_ms) / 86400000 : 0;
	if (run->deleted_ms)
		(void) snprintf(text, size, "trash %dd", (int) (TRASH_DAYS - gone_days > 0 ? TRASH_DAYS - gone_days : 0));
	else
		(void) snprintf(text, size, "%s", run->is_locked ? "LOCK" : "");
	return run->deleted_ms ? ROLE_LABEL : ROLE_WARN;
}

static Role cell_group(const void *data, int row, char *text, size_t size)
{
	uint32_t group = run_of(data, row)->group;
	if (group)
		(void) snprintf(text, size, "%03x", group & 0xfff);
	return ROLE_LABEL;
}

static Role cell_age(const void *data, int row, char *text, size_t size)
{
	const RunTable *table = data;
	(void) size;
	(void) fmt_duration(text, (double) (table->console->frame.wall_ms - run_of(data, row)->start_ms) / 1000);
	return ROLE_LABEL;
}

static Role cell_tags(const void *data, int row, char *text, size_t size)
{
	(void) snprintf(text, size, "%s", run_of(data, row)->tags);
	return ROLE_INFO;
}

static Role cell_note(const void *data, int row, char *text, size_t size)
{
	(void) snprintf(text, size, "%s", run_of(data, row)->note);
	return ROLE_LABEL;
}

static Role cell_id(const void *data, int row, char *text, size_t size)
{
	(void) snprintf(text, size, "%lld", (long long) run_of(data, row)->id);
	return ROLE_TEXT;
}

static Role cell_kind(const void *data, int row, char *text, size_t size)
{
	(void) snprintf(text, size, "%s", run_kind_text(run_of(data, row)->kind));
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
	{ "", 1, 0, false, false, cell_mark },
	{ "id", 5, 0, true, false, cell_id },
	{ "kind", 7, 11, false, false, cell_kind },
	{ "name", 16, 0, false, true, cell_name },
	{ "status", 8, 0, false, false, cell_status },
	{ "lock", 9, 3, false, false, cell_lock },
	{ "grp", 3, 8, false, false, cell_group },
	{ "seed", 4, 5, true, false, cell_seed },
	{ "steps", 7, 1, true, false, cell_steps },
	{ "reward", 7, 4, true, false, cell_reward },
	{ "length", 6, 10, true, false, cell_length },
	{ "best eval", 9, 0, true, false, cell_eval },
	{ "std", 6, 7, true, false, cell_std },
	{ "age", 9, 6, true, false, cell_age },
	{ "tags", 12, 2, false, false, cell_tags },
	{ "start (UTC)", 16, 12, false, false, cell_start },
	{ "took", 9, 13, true, false, cell_took },
	{ "policy", 16, 14, false, false, cell_policy },
	{ "note", 20, 15, false, true, cell_note },
};

static void draw_table(const Scene *scene, Rect rect)
{
	const RunsState *runs = &scene->runs;
	char note[64] = "";
	if (runs->has_list && runs->list->matched > 0)
		(void) snprintf(note, sizeof note, "%lld of %lld", (long long) runs->selected + 1, (long long) runs->list->matched);
	Rect in = scene_box(scene, RUNS_PANE_TABLE, PANES, rect, note);
	if (!runs->has_list || !runs->list->n_rows) {
		(void) canvas_text(scene->canvas, in.row + in.rows / 2, in.col, in.cols, ROLE_LABEL,
		                   !runs->has_list ? "asking the store" : runs->list->code ? runs->list->text
		                   : runs->list->total ? "no run matches the filter" : "no run yet: maestro train makes one");
		return;
	}
	int rows = in.rows - 1, at = (int) (runs->selected - runs->offset);
	int first = at >= rows ? at - rows + 1 : 0;
	RunTable table = { runs->list, scene->console };
	Column column[COLUMNS_MAX];
	int n_columns = console_columns(scene->console, SCREEN_RUNS, column);
	table_draw(scene->canvas, in, column, n_columns, &table, runs->list->n_rows, first, at);
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

static bool is_there(const Console *console)
{
	return console->talk.is_offered;
}

static void table(const Console *console, TableSink sink, void *context)
{
	const ArchiveAnswer *list = talk_answer(&console->talk, SLOT_RUNS);
	RunTable data = { list, console };
	Column column[COLUMNS_MAX];
	if (list)
		sink(context, column, console_columns(console, SCREEN_RUNS, column), &data, list->n_rows);
}

const ScreenOps screen_runs = {
	.name = "Runs", .pane = PANES, .n_panes = N_RUNS_PANES, .is_there = is_there, .head = head, .draw = draw,
	.column = column, .refresh = runs_refresh, .move = runs_move, .act = runs_act, .sort = runs_sort, .back = runs_back,
	.is_settled = runs_is_settled,
	.columns = COLUMNS, .n_columns = sizeof COLUMNS / sizeof *COLUMNS, .table = table,
};
