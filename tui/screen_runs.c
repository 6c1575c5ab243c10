/* Runs: the store's runs, newest first; runs_selected.c draws the selected one. */
#include "tui/commands.h"
#include "tui/console.h"
#include "tui/fmt.h"
#include "tui/screen_runs.h"
#include "tui/table.h"

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
	(void) pen_item(pen, ROLE_TEXT, runs->list->n_groups ? "  %lld groups of %lld runs" : "  %lld of %lld", (long long) runs->list->matched,
	                (long long) runs->list->total);
	(void) pen_item(pen, ROLE_LABEL, "  filter ");
	(void) pen_item(pen, view->filter[0] ? ROLE_INFO : ROLE_LABEL, "%s", view->filter[0] ? view->filter : "-");
	(void) pen_item(pen, ROLE_LABEL, "  sort ");
	(void) pen_item(pen, ROLE_TEXT, "%s %s", run_sort_text(view->sort), view->is_ascending ? "up" : "down");
	if (view->n_marked)
		(void) pen_item(pen, ROLE_INFO, "  %d marked", view->n_marked);
}

/* ---- table ---- */

static void draw_table(const Scene *scene, Rect rect)
{
	const RunsState *runs = &scene->runs;
	char note[64] = "";
	if (runs->has_list && runs->list->matched > 0)
		(void) snprintf(note, sizeof note, "%lld of %lld", (long long) runs->selected + 1, (long long) runs->list->matched);
	Rect in = scene_box(scene, RUNS_PANE_TABLE, PANES, rect, note);
	if (!runs->has_list || !runs->list->n_rows) {
		char none[SHELL_TEXT];
		shell_fill(scene->console, "no run yet: maestro train{db} makes one", none, sizeof none);
		(void) canvas_text(scene->canvas, in.row + in.rows / 2, in.col, in.cols, ROLE_LABEL,
		                   !runs->has_list ? "asking the store" : runs->list->code ? runs->list->text
		                   : runs->list->total ? "no run matches the filter" : none);
		return;
	}
	int rows = in.rows - 1, at = (int) (runs->selected - runs->offset);
	int first = at >= rows ? at - rows + 1 : 0;
	RunTable table = { runs->list, scene->console };
	Column column[COLUMNS_MAX];
	int n_columns = runs_pick_columns(scene->console, column);
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
		sink(context, column, runs_pick_columns(console, column), &data, list->n_rows);
}

const ScreenOps screen_runs = {
	.name = "Runs", .pane = PANES, .n_panes = N_RUNS_PANES, .is_there = is_there, .head = head, .draw = draw,
	.column = column, .refresh = runs_refresh, .move = runs_move, .act = runs_act, .sort = runs_sort, .back = runs_back,
	.is_settled = runs_is_settled,
	.columns = runs_columns, .n_columns = N_RUNS_COLUMNS, .table = table,
};
