/* Compare: the policies of the entries and the HPA rule on one trace, as the engine's replayer plays them. */
#include "tui/fmt.h"
#include "tui/plot.h"
#include "tui/screen_compare.h"
#include "tui/table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The same panes under other names. */
static const PaneSpec PANES[N_PANES] = {
	[PANE_CURVES] = { .title = "Replay: replicas and p95" },
	[PANE_DIFF] = { .title = "Replay in figures" },
};

/* The answer to what was asked last; NULL: not yet. */
static const ReplayView *replay_of(const Console *console)
{
	const ReplayView *replay = console->frame.replay;
	return replay && replay->query_id == console->compare.replay_id ? replay : NULL;
}

void compare_replay(Console *console)
{
	CompareView *view = &console->compare;
	const ArchiveAnswer *answer = talk_answer(&console->talk, SLOT_PAIR);
	ReplayQuery query = { .n = view->n < REPLAY_RUNS ? view->n : REPLAY_RUNS };
	if (!view->n || !answer)
		return;
	if (!console->feed->ops->replay) {
		console_say(console, ROLE_WARN, "runs are played where they are stored: maestro evaluate --policy model:FILE ...");
		return;
	}
	for (int e = 0; e < query.n; e++)
		query.run[e] = answer->compared[view->entry[e].run[0]].row.id;
	query.trace = view->shows_replay ? view->replay_trace + 1 : 0;
	int code = console->feed->ops->replay(console->feed, &query, &view->replay_id);
	if (code) {
		console_say(console, ROLE_WARN, code == ERR_BUSY ? "three are waiting already" : "nothing can be played here");
		return;
	}
	view->shows_replay = true;
	view->replay_trace = query.trace;
}

/* ---- graphs ---- */

typedef struct Line {
	const ReplayView *replay;
	const ReplayEntry *entry;
	bool is_latency;
} Line;

static void point(const void *data, int i, double *ret_x, double *ret_y)
{
	const Line *line = data;
	*ret_x = i * (double) line->replay->interval_s / 60;
	*ret_y = line->is_latency ? (double) line->entry->latency_ms[i] : line->entry->replicas[i];
}

static bool is_drawn(const Scene *scene, const ReplayView *replay, int i)
{
	const CompareView *view = &scene->console->compare;
	bool is_hidden = i < replay->n - 1 ? i < view->n && view->entry[i].is_hidden : view->hides_rule;
	return i < replay->n_done && replay->entry[i].n > 0 && !is_hidden;
}

static char letter_of(const ReplayView *replay, int row)
{
	return (char) (row < replay->n - 1 ? 'A' + row : 'H');
}

static Role role_at(const ReplayView *replay, int row)
{
	return row < replay->n - 1 ? compare_role(row) : ROLE_SERIES_H;
}

static void draw_graph(const Scene *scene, const ReplayView *replay, Rect area, bool is_latency)
{
	static const ChartLabels PODS = { fmt_plain, NULL, "", 6 }, MS = { fmt_plain, fmt_plain, " min", 6 };
	double most = is_latency ? (double) replay->soft_ms : 1, seen = 0;
	for (int i = 0; i < replay->n; i++)
		for (int32_t t = 0; is_drawn(scene, replay, i) && t < replay->entry[i].n; t++) {
			double y = is_latency ? (double) replay->entry[i].latency_ms[t] : replay->entry[i].replicas[t];
			seen = isfinite(y) ? fmax(seen, y) : seen;
		}
	/* what is far over the limit is over it, however far */
	most = is_latency && replay->soft_ms > 0 ? fmin(fmax(most, seen), 4 * (double) replay->soft_ms) : fmax(most, seen);
	Axis axis = axis_fit(0, most, area.rows / 3);
	(void) canvas_text(scene->canvas, area.row, area.col, area.cols, ROLE_LABEL, is_latency ? "p95 ms, - - soft limit" : "replicas");
	Plot plot = chart_begin(scene->canvas, (Rect) { area.row + 1, area.col, area.rows - 1, area.cols }, 0,
	                        (replay->entry[replay->n - 1].n ? replay->entry[replay->n - 1].n : REPLAY_STEPS) * (double) replay->interval_s / 60,
	                        &axis, is_latency ? &MS : &PODS);
	if (is_latency && replay->soft_ms > 0)
		plot_level(&plot, (double) replay->soft_ms, ROLE_WARN);
	for (int i = replay->n - 1; i >= 0; i--) {
		Line line = { replay, &replay->entry[i], is_latency };
		if (is_drawn(scene, replay, i))
			plot_series(&plot, &(Series) { &line, line.entry->n, point, is_latency ? PLOT_LINE : PLOT_STEPS, role_at(replay, i),
			            .letter = letter_of(replay, i) });
	}
}

void compare_draw_replay(const Scene *scene, Rect rect)
{
	const ReplayView *replay = replay_of(scene->console);
	Rect in = scene_box(scene, PANE_CURVES, PANES, rect, "{compare.replay} next trace, {all.back} curves");
	if (!replay || replay->why[0] || !replay->n_done) {
		scene_empty(scene, in, replay && replay->why[0] ? replay->why : "playing the first policy");
		return;
	}
	int rows = in.rows / 2;
	draw_graph(scene, replay, (Rect) { in.row, in.col, rows, in.cols }, false);
	draw_graph(scene, replay, (Rect) { in.row + rows, in.col, in.rows - rows, in.cols }, true);
}

/* ---- figures ---- */

static const ReplayEntry *entry_at(const void *data, int row)
{
	return &((const ReplayView *) data)->entry[row];
}

static Role cell_letter(const void *data, int row, char *text, size_t size)
{
	(void) snprintf(text, size, "%c", letter_of(data, row));
	return role_at(data, row);
}

static Role cell_viol(const void *data, int row, char *text, size_t size)
{
	(void) size;
	(void) fmt_percent(text, entry_at(data, row)->v_pct / 100);
	return ROLE_STRONG;
}

static Role cell_hours(const void *data, int row, char *text, size_t size)
{
	(void) size;
	(void) fmt_number(text, entry_at(data, row)->pod_hours);
	return ROLE_STRONG;
}

static Role cell_flips(const void *data, int row, char *text, size_t size)
{
	double flips = entry_at(data, row)->flips;
	(void) snprintf(text, size, isnan(flips) ? "?" : "%.0f", flips);
	return ROLE_TEXT;
}

static Role cell_p95(const void *data, int row, char *text, size_t size)
{
	(void) size;
	(void) fmt_ms(text, entry_at(data, row)->p95_ms);
	return ROLE_TEXT;
}

static Role cell_reward(const void *data, int row, char *text, size_t size)
{
	(void) size;
	(void) fmt_number(text, entry_at(data, row)->reward);
	return ROLE_TEXT;
}

static const Column COLUMNS[] = {
	{ "", 2, 0, false, false, cell_letter }, { "viol", 7, 0, true, false, cell_viol }, { "pod-h", 7, 0, true, false, cell_hours },
	{ "flips", 5, 1, true, false, cell_flips }, { "p95", 8, 2, true, false, cell_p95 }, { "reward", 8, 3, true, false, cell_reward },
};

/* "A - H": the baseline less the rule. */
static void draw_difference(const Scene *scene, const ReplayView *replay, int row, Rect in)
{
	int at = scene->console->compare.baseline;
	const ReplayEntry *a = &replay->entry[at], *h = &replay->entry[replay->n - 1];
	if (at >= replay->n - 1 || replay->n_done < replay->n || isnan(a->pod_hours) || isnan(h->pod_hours))
		return;
	(void) canvas_textf(scene->canvas, row, in.col, in.cols, ROLE_LABEL, "%c - H  viol %+.1f, pod-h %+.1f, p95 %+.0f ms",
	                    letter_of(replay, at), a->v_pct - h->v_pct, a->pod_hours - h->pod_hours, a->p95_ms - h->p95_ms);
}

void compare_draw_figures(const Scene *scene, Rect rect)
{
	const ReplayView *replay = replay_of(scene->console);
	char note[96] = "";
	if (replay && replay->n_done < replay->n)
		(void) snprintf(note, sizeof note, "playing %d of %d", replay->n_done + 1, replay->n);
	else if (replay)
		(void) snprintf(note, sizeof note, "%.60s", replay->trace);
	Rect in = scene_box(scene, PANE_DIFF, PANES, rect, note);
	if (!replay || !replay->n_done)
		return;
	table_draw(scene->canvas, (Rect) { in.row, in.col - 2, in.rows, in.cols + 2 }, COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, replay,
	           replay->n_done, 0, -1);
	int row = in.row + replay->n_done + 1;
	if (row < in.row + in.rows)
		draw_difference(scene, replay, row++, in);
	for (int i = 0; i < replay->n_done && row < in.row + in.rows; i++)
		if (replay->entry[i].why[0])
			(void) canvas_textf(scene->canvas, row++, in.col, in.cols, ROLE_WARN, "! %c: %s", letter_of(replay, i), replay->entry[i].why);
	if (row < in.row + in.rows)
		(void) canvas_text(scene->canvas, row, in.col, in.cols, ROLE_LABEL, "the trace's last third, one seed: no verdict");
}
