/* Runs: what a selected evaluation found, a table of the policies at their settings for each weight of violation. */
#include "tui/fmt.h"
#include "tui/screen_runs.h"
#include "tui/table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const ArchiveResult *result_of(const void *data, int row)
{
	return &((const ArchiveAnswer *) data)->result[row];
}

static Role cell_policy(const void *data, int row, char *text, size_t size)
{
	const char *word = result_of(data, row)->policy, *slash = strrchr(word, '/');
	(void) snprintf(text, size, "%s", slash ? slash + 1 : word); /* of a model's path the file */
	return ROLE_STRONG;
}

static Role number(char *text, double value)
{
	(void) fmt_number(text, value);
	return isnan(value) ? ROLE_LABEL : ROLE_TEXT;
}

static Role cell_lambda(const void *data, int row, char *text, size_t size)
{
	(void) size;
	(void) fmt_plain(text, result_of(data, row)->lambda);
	return ROLE_LABEL;
}

static Role cell_v(const void *data, int row, char *text, size_t size)
{
	(void) size;
	return number(text, result_of(data, row)->v_pct);
}

static Role cell_worst(const void *data, int row, char *text, size_t size)
{
	(void) size;
	return number(text, result_of(data, row)->v_worst_pct);
}

static Role cell_pod_hours(const void *data, int row, char *text, size_t size)
{
	(void) size;
	return number(text, result_of(data, row)->pod_hours);
}

static Role cell_soft(const void *data, int row, char *text, size_t size)
{
	(void) size;
	(void) fmt_duration(text, result_of(data, row)->soft_s);
	return ROLE_TEXT;
}

static Role cell_hard(const void *data, int row, char *text, size_t size)
{
	(void) size;
	(void) fmt_duration(text, result_of(data, row)->hard_s);
	return ROLE_TEXT;
}

static Role cell_replays(const void *data, int row, char *text, size_t size)
{
	(void) snprintf(text, size, "%d", result_of(data, row)->replays);
	return ROLE_LABEL;
}

static const Column COLUMNS[] = {
	{ "policy", 18, 0, false, true, cell_policy },
	{ "lambda", 6, 0, true, false, cell_lambda },
	{ "V %", 7, 0, true, false, cell_v },
	{ "worst", 7, 1, true, false, cell_worst },
	{ "pod-h", 7, 0, true, false, cell_pod_hours },
	{ "over soft", 9, 3, true, false, cell_soft },
	{ "over hard", 9, 2, true, false, cell_hard },
	{ "replays", 7, 4, true, false, cell_replays },
};

void runs_draw_results(const Scene *scene, Rect in)
{
	const ArchiveAnswer *run = scene->runs.run;
	if (!run->n_results) {
		(void) canvas_text(scene->canvas, in.row + in.rows / 2, in.col, in.cols, ROLE_LABEL, "no result recorded");
		return;
	}
	(void) canvas_text(scene->canvas, in.row, in.col, in.cols, ROLE_LABEL,
	                   "means over traces; worst: the trace with most");
	table_draw(scene->canvas, (Rect) { in.row + 1, in.col - 2, in.rows - 1, in.cols + 2 }, COLUMNS,
	           sizeof COLUMNS / sizeof *COLUMNS, run, run->n_results, 0, -1);
}
