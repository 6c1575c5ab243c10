/* The selected run: what was learned or decided at the left, how it was configured at the right. */
#include "tui/console.h"
#include "tui/fmt.h"
#include "tui/plot.h"
#include "tui/screen_runs.h"
#include "tui/table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { CONFIG_LEAST = 24, CONFIG_MOST = 64, ITEM_COLS = 40, VALUE_LEAST = 10, TALL = 20, NARROW = 60 };

const RunRow *runs_selected(const RunsState *runs)
{
	int64_t at = runs->selected - runs->offset;
	return runs->has_list && at >= 0 && at < runs->list->n_rows ? &runs->list->row[at] : NULL;
}

/* ---- curves ---- */

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

static void draw_curve(const Scene *scene, Rect area, const char *name, const float *value)
{
	static const ChartLabels LABELS = { fmt_plain, fmt_count, " steps", 6 };
	const ArchiveAnswer *run = scene->runs.run;
	int n = run->n_points;
	double lo = 0, hi = -INFINITY; /* from zero, unless there is less */
	for (int i = 0; i < n; i++) {
		if (isfinite(value[i])) {
			lo = fmin(lo, (double) value[i]);
			hi = fmax(hi, (double) value[i]);
		}
	}
	(void) canvas_text(scene->canvas, area.row, area.col, area.cols, ROLE_LABEL, name);
	Axis axis = axis_fit(lo, fmax(hi, lo), (area.rows - 2) / 3);
	Plot plot = chart_begin(scene->canvas, (Rect) { area.row + 1, area.col, area.rows - 1, area.cols },
	                        (double) run->point_steps[0], (double) run->point_steps[n - 1], &axis, &LABELS);
	ArchiveCurve curve = { run, value };
	plot_smoothed(&plot, &(Series) { .data = &curve, .n = n, .at = archive_point, .kind = PLOT_LINE,
	              .role = ROLE_SERIES_A, .letter = '#' }, (double) scene->smoothing);
}

/* Side by side, or one below the other where that gives better shapes. */
static void draw_curves(const Scene *scene, Rect in)
{
	const ArchiveAnswer *run = scene->runs.run;
	if (run->n_points < 2) {
		(void) canvas_text(scene->canvas, in.row + in.rows / 2, in.col, in.cols, ROLE_LABEL, "no learning curve yet");
		return;
	}
	bool is_stacked = in.rows >= TALL || in.cols < NARROW;
	int rows = is_stacked ? in.rows / 2 : in.rows, cols = is_stacked ? in.cols : (in.cols - 2) / 2;
	char name[48];
	(void) snprintf(name, sizeof name, scene->smoothing > 0 ? "reward, smoothed %.2f" : "reward",
	                (double) scene->smoothing);
	draw_curve(scene, (Rect) { in.row, in.col, rows, cols }, name, run->point_rew);
	draw_curve(scene, (Rect) { in.row + (is_stacked ? rows : 0), in.col + (is_stacked ? 0 : cols + 2), rows, cols },
	           "episode length, steps", run->point_len);
}

/* ---- decisions ---- */

static const ArchiveDecision *decision_of(const void *data, int row)
{
	return &((const ArchiveAnswer *) data)->decision[row];
}

static Role cell_time(const void *data, int row, char *text, size_t size)
{
	(void) size;
	(void) fmt_clock(text, decision_of(data, row)->wall_ms);
	return ROLE_TEXT;
}

static Role count(char *text, size_t size, int32_t value, Role role)
{
	(void) snprintf(text, size, value < 0 ? "?" : "%d", value);
	return role;
}

static Role cell_was(const void *data, int row, char *text, size_t size)
{
	return count(text, size, decision_of(data, row)->replicas, ROLE_LABEL);
}

static Role cell_final(const void *data, int row, char *text, size_t size)
{
	return count(text, size, decision_of(data, row)->desired, ROLE_STRONG);
}

static Role cell_reason(const void *data, int row, char *text, size_t size)
{
	(void) snprintf(text, size, "%s", decision_of(data, row)->reason);
	return ROLE_TEXT;
}

static Role cell_p95(const void *data, int row, char *text, size_t size)
{
	(void) size;
	(void) fmt_ms(text, (double) decision_of(data, row)->latency_ms);
	return ROLE_TEXT;
}

static Role cell_rps(const void *data, int row, char *text, size_t size)
{
	(void) size;
	(void) fmt_rate(text, (double) decision_of(data, row)->rps);
	return ROLE_TEXT;
}

static Role cell_result(const void *data, int row, char *text, size_t size)
{
	bool is_applied = decision_of(data, row)->is_applied;
	(void) snprintf(text, size, is_applied ? "applied" : "-");
	return is_applied ? ROLE_OK : ROLE_LABEL;
}

static const Column COLUMNS[] = {
	{ "time", 8, 0, false, false, cell_time },
	{ "was", 3, 2, true, false, cell_was },
	{ "final", 5, 0, true, false, cell_final },
	{ "reason", 16, 0, false, false, cell_reason },
	{ "p95", 8, 1, true, false, cell_p95 },
	{ "rps", 8, 3, true, false, cell_rps },
	{ "result", 8, 4, false, false, cell_result },
};

static void draw_decisions(const Scene *scene, Rect in)
{
	const ArchiveAnswer *run = scene->runs.run;
	char total[FMT_TEXT];
	int n_applied = 0;
	for (int i = 0; i < run->n_decisions; i++)
		n_applied += run->decision[i].is_applied;
	if (!run->n_decisions) {
		(void) canvas_text(scene->canvas, in.row + in.rows / 2, in.col, in.cols, ROLE_LABEL, "no decision recorded");
		return;
	}
	Pen pen = { scene->canvas, in.row, in.col, in.col + in.cols };
	(void) pen_item(&pen, ROLE_LABEL, "last %d of %s decisions, %d of them applied", run->n_decisions,
	                fmt_count(total, (double) run->row[0].steps), n_applied);
	if (run->n_by_hand) /* is no decision: an override writes between two of them */
		(void) pen_item(&pen, ROLE_LABEL, "; %lld by hand", (long long) run->n_by_hand);
	table_draw(scene->canvas, (Rect) { in.row + 1, in.col - 2, in.rows - 1, in.cols + 2 }, COLUMNS,
	           sizeof COLUMNS / sizeof *COLUMNS, run, run->n_decisions, 0, -1);
}

/* ---- configuration ---- */

/* The member behind at as key and value, quotes left out; answers where the next one starts. */
static const char *config_item(const char *at, char *key, char *value, size_t size)
{
	int depth = 0;
	bool is_quoted = false, is_value = false;
	size_t len = 0;
	key[0] = value[0] = '\0';
	for (; *at && (is_quoted || depth > 0 || (*at != ',' && *at != '}')); at++) {
		is_quoted ^= *at == '"';
		depth += is_quoted ? 0 : *at == '[' || *at == '{' ? 1 : *at == ']' || *at == '}' ? -1 : 0;
		if (*at == ':' && !depth && !is_quoted && !is_value) {
			is_value = true;
			len = 0;
		} else if (*at != '"' && len + 1 < size) {
			char *text = is_value ? value : key;
			text[len++] = *at;
			text[len] = '\0';
		}
	}
	return *at ? at + 1 : at;
}

/* The next member that has a value; false: there is none. */
static bool config_next(const char **at, char *key, char *value, size_t size)
{
	while (**at) {
		*at = config_item(*at, key, value, size);
		if (strcmp(value, "null") != 0)
			return true;
	}
	return false;
}

static const char *config_start(const char *config)
{
	return *config == '{' && config[1] != '}' ? config + 1 : "";
}

/* As many lists side by side as there is room for; what does not fit is counted in the last line. */
static void draw_config(const Scene *scene, Rect area, const char *config)
{
	char key[CELL_TEXT], value[CELL_TEXT];
	int n = 0, key_cols = 0, lists = area.cols / ITEM_COLS > 1 ? area.cols / ITEM_COLS : 1, cols = area.cols / lists;
	for (const char *at = config_start(config); config_next(&at, key, value, sizeof key); n++) {
		int width = canvas_width(scene->canvas, key);
		key_cols = width > key_cols ? width : key_cols;
	}
	key_cols = key_cols > cols - VALUE_LEAST ? cols - VALUE_LEAST : key_cols;
	int room = area.rows * lists, shown = n > room ? room - 1 : n;
	const char *at = config_start(config);
	for (int i = 0; i < shown && config_next(&at, key, value, sizeof key); i++) {
		int row = area.row + i % area.rows, col = area.col + i / area.rows * cols;
		(void) canvas_text(scene->canvas, row, col, key_cols, ROLE_LABEL, key);
		canvas_text_tail(scene->canvas, row, col + key_cols + 2, cols - key_cols - 3, ROLE_TEXT, value);
	}
	if (n > shown)
		(void) canvas_textf(scene->canvas, area.row + area.rows - 1, area.col + (lists - 1) * cols, cols, ROLE_LABEL,
		                    "and %d more", n - shown);
	if (!n)
		(void) canvas_text(scene->canvas, area.row, area.col, area.cols, ROLE_LABEL, "no configuration stored");
}

/* ---- checkpoints ---- */

enum { CHECKPOINTS_SHOWN = 4 };

/* A line: "> 164 k  last  978 KiB   12 m"; those from which a fork begins are told by the cursor. */
static void draw_checkpoint(const Scene *scene, Rect in, int row, const ArchiveCheckpoint *c, bool is_here)
{
	char steps[FMT_TEXT], size[FMT_TEXT], age[FMT_TEXT];
	bool is_there = c->size_bytes >= 0;
	Role role = is_here ? ROLE_STRONG : is_there ? ROLE_TEXT : ROLE_GHOST;
	if (is_here)
		canvas_put(scene->canvas, row, in.col, scene->canvas->glyphs->pointer, ROLE_INFO);
	Pen pen = { scene->canvas, row, in.col + 2, in.col + in.cols };
	(void) pen_item(&pen, role, "%-5s %7s", c->kind, fmt_count(steps, (double) c->steps));
	if (in.cols >= 26) /* whole, or not at all */
		(void) pen_item(&pen, role, "  %-8s", is_there ? fmt_bytes(size, (double) c->size_bytes) : "gone");
	if (in.cols >= 40)
		(void) pen_item(&pen, ROLE_LABEL, "  %s ago", fmt_duration(age, (double) (scene->wall_ms - c->wall_ms) / 1000));
}

/* In the last rows of an area, those around the cursor; answers how many rows they took. */
static int draw_checkpoints(const Scene *scene, Rect in)
{
	const ArchiveAnswer *run = scene->runs.run;
	bool is_focused = scene->focus == RUNS_PANE_RUN;
	int most = in.rows > TALL ? in.rows / 2 : CHECKPOINTS_SHOWN, at = is_focused ? scene->console->runs.checkpoint : -1;
	char said[64];
	int n = run->n_checkpoints < most ? run->n_checkpoints : most, top = in.row + in.rows - n;
	int first = at >= n ? at - n + 1 : 0;
	if (!n || in.rows < n + CHECKPOINTS_SHOWN)
		return 0;
	if (is_focused)
		(void) canvas_text(scene->canvas, top - 1, in.col, in.cols, ROLE_LABEL,
		                   keys_say(&scene->console->keymap, "{runs.fork} forks the chosen one", said, sizeof said));
	else
		(void) canvas_textf(scene->canvas, top - 1, in.col, in.cols, ROLE_LABEL,
		                    run->n_checkpoints > n ? "checkpoints, %d of %d" : "checkpoints", n, run->n_checkpoints);
	for (int i = 0; i < n; i++)
		draw_checkpoint(scene, in, top + i, &run->checkpoint[first + i], first + i == at);
	return n + 1;
}

static int draw_note(const Scene *scene, Rect in, const RunRow *run)
{
	if (run->note[0])
		(void) canvas_textf(scene->canvas, in.row + in.rows - 1, in.col, in.cols, ROLE_INFO, "note  %s", run->note);
	return run->note[0] ? 1 : 0;
}

/* In the last row, over all columns: of a path as much as can be is shown. */
static int draw_policy(const Scene *scene, Rect in)
{
	Pen pen = { scene->canvas, in.row + in.rows - 1, in.col, in.col + in.cols };
	if (!scene->runs.run->saved_path[0])
		return 0;
	(void) pen_item(&pen, ROLE_LABEL, "policy ");
	canvas_text_middle(scene->canvas, pen.row, pen.col, pen.end - pen.col, ROLE_TEXT, scene->runs.run->saved_path);
	return 1;
}

void runs_draw_selected(const Scene *scene, Rect in)
{
	const RunRow *selected = runs_selected(&scene->runs);
	const ArchiveAnswer *run = scene->runs.run;
	if (!selected || !run || run->n_rows < 1 || run->row[0].id != selected->id) {
		const char *why = run && run->code ? run->text : selected ? "asking the store" : "no run yet";
		(void) canvas_text(scene->canvas, in.row + in.rows / 2, in.col, in.cols, ROLE_LABEL, why);
		return;
	}
	in.rows -= draw_policy(scene, in);
	int config_cols = in.cols / 3 < CONFIG_LEAST ? CONFIG_LEAST : in.cols / 3 > CONFIG_MOST ? CONFIG_MOST : in.cols / 3;
	Rect left = { in.row, in.col, in.rows, in.cols - config_cols - 3 };
	for (int r = 0; r < in.rows; r++)
		canvas_put(scene->canvas, in.row + r, left.col + left.cols + 1, scene->canvas->glyphs->vertical, ROLE_FRAME);
	Rect right = { in.row, left.col + left.cols + 3, in.rows, config_cols };
	right.rows -= draw_note(scene, right, selected);
	right.rows -= draw_checkpoints(scene, right);
	draw_config(scene, right, run->config);
	if (run->row[0].kind == RUN_TRAIN)
		draw_curves(scene, left);
	else if (run->row[0].kind == RUN_EVALUATE)
		runs_draw_results(scene, left);
	else
		draw_decisions(scene, left);
}
