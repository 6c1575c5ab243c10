/*
 * Compare: runs side by side. Curves with their spread, aggregates with intervals and verdicts in words, the options that
 * differ, and what each costs: violations against pod-hours.
 */
#include "tui/compare_work.h"
#include "tui/console.h"
#include "tui/fmt.h"
#include "tui/plot.h"
#include "tui/screen_compare.h"
#include "tui/table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const PaneSpec PANES[N_PANES] = {
	[PANE_CURVES] = { "Evaluation reward", .band = 0, .share = 55, .min_rows = 11, .grow = 3 },
	[PANE_AGGREGATE] = { "Aggregate", .band = 0, .share = 45, .min_rows = 11, .grow = 3, .max_cols = 80 },
	[PANE_EPISODES] = { "Evaluation episodes", .band = 1, .share = 1, .min_rows = 12, .grow = 2, .drop = 2, .min_cols = 160 },
	[PANE_DIFF] = { "Options", .band = 2, .share = 50, .min_rows = 9, .grow = 2, .drop = 1, .is_tab = true },
	[PANE_FRONTIER] = { "Soft-limit violations against pod-hours", .band = 2, .share = 50, .min_rows = 9, .grow = 2, .drop = 1,
		.min_cols = 100, .is_tab = true },
};

static const CompareView *view_of(const Scene *scene)
{
	return &scene->console->compare;
}

Role compare_role(int e)
{
	return e < 4 ? (Role) (ROLE_SERIES_A + e) : (Role) (ROLE_SERIES_E + e - 4);
}

static bool is_empty(const CompareView *view)
{
	return view->n == 0;
}

static void head(const Scene *scene, Pen *pen)
{
	const CompareView *view = view_of(scene);
	const ArchiveAnswer *answer = talk_answer(&scene->console->talk, SLOT_PAIR);
	(void) pen_item(pen, ROLE_BADGE_INFO, " Compare ");
	(void) pen_item(pen, ROLE_TEXT, "  ");
	for (int e = 0; e < view->n; e++) {
		(void) pen_item(pen, view->entry[e].is_hidden ? ROLE_GHOST : compare_role(e), "%c ", view->entry[e].letter);
		(void) pen_item(pen, ROLE_TEXT, "%s  ", view->entry[e].name);
	}
	if (view->rule.n && !view->hides_rule)
		(void) pen_item(pen, ROLE_LABEL, "H HPA rule  ");
	if (view->n && answer && answer->n_compared)
		(void) pen_item(pen, ROLE_LABEL, "on %s", answer->compared[0].trace);
}

static const char *why_empty(const Scene *scene)
{
	const CompareView *view = view_of(scene);
	const ArchiveAnswer *answer = talk_answer(&scene->console->talk, SLOT_PAIR);
	if (!view->n_ids)
		return "nothing is marked: on Runs ({all.screen-runs}), {runs.mark} marks a run and {runs.compare} compares the marked ones";
	return answer && view->is_asked && answer->code ? answer->text : "asking the store";
}

/* ---- aggregate ---- */

static const CompareEntry *entry_of(const CompareView *view, int i)
{
	return i < view->n ? &view->entry[i] : &view->rule;
}

static Role cell_letter(const void *data, int row, char *text, size_t size)
{
	const CompareView *view = data;
	(void) snprintf(text, size, "%c%s", entry_of(view, row)->letter, row == view->baseline ? "=" : "");
	return row < view->n ? entry_of(view, row)->is_hidden ? ROLE_GHOST : compare_role(row) : ROLE_SERIES_H;
}

static Role cell_n(const void *data, int row, char *text, size_t size)
{
	(void) snprintf(text, size, "%d", entry_of(data, row)->n_seeds);
	return ROLE_LABEL;
}

static Role cell_iqm(const void *data, int row, char *text, size_t size)
{
	(void) size;
	(void) fmt_number(text, ((const CompareView *) data)->refusal[0] ? (double) NAN : entry_of(data, row)->iqm.value);
	return ROLE_STRONG;
}

static Role cell_interval(const void *data, int row, char *text, size_t size)
{
	const Estimate *e = &entry_of(data, row)->iqm;
	char lo[FMT_TEXT], hi[FMT_TEXT];
	if (((const CompareView *) data)->refusal[0] || isnan(e->lo))
		(void) snprintf(text, size, "n=%d, none", entry_of(data, row)->n_seeds);
	else
		(void) snprintf(text, size, "[%s %s]", fmt_number(lo, e->lo), fmt_number(hi, e->hi));
	return isnan(e->lo) ? ROLE_LABEL : ROLE_TEXT;
}

static Role cell_median(const void *data, int row, char *text, size_t size)
{
	(void) size;
	(void) fmt_number(text, entry_of(data, row)->median);
	return ROLE_TEXT;
}

static Role cell_worst(const void *data, int row, char *text, size_t size)
{
	(void) size;
	(void) fmt_number(text, entry_of(data, row)->worst);
	return ROLE_TEXT;
}

static Role cell_viol(const void *data, int row, char *text, size_t size)
{
	(void) size;
	(void) fmt_percent(text, entry_of(data, row)->mean.v_pct / 100);
	return ROLE_TEXT;
}

static Role cell_hours(const void *data, int row, char *text, size_t size)
{
	(void) size;
	(void) fmt_number(text, entry_of(data, row)->mean.pod_hours);
	return ROLE_TEXT;
}

static Role cell_flips(const void *data, int row, char *text, size_t size)
{
	double flips = entry_of(data, row)->mean.flips;
	(void) snprintf(text, size, isnan(flips) ? "?" : "%.0f", flips);
	return ROLE_TEXT;
}

static Role cell_p95(const void *data, int row, char *text, size_t size)
{
	(void) size;
	(void) fmt_ms(text, entry_of(data, row)->mean.p95_ms);
	return ROLE_TEXT;
}

static Role cell_gap(const void *data, int row, char *text, size_t size)
{
	const CompareView *view = data;
	double best = -INFINITY, value = entry_of(view, row)->iqm.value;
	for (int e = 0; e < view->n; e++)
		best = fmax(best, view->entry[e].iqm.value);
	if (best - value == 0)
		(void) snprintf(text, size, "best");
	else
		(void) fmt_number(text, isfinite(best) ? best - value : (double) NAN);
	return ROLE_LABEL;
}

static const Column COLUMNS[] = {
	{ "", 2, 0, false, false, cell_letter }, { "n", 2, 3, true, false, cell_n }, { "IQM", 7, 0, true, false, cell_iqm },
	{ "95 % CI", 16, 0, false, false, cell_interval }, { "median", 7, 4, true, false, cell_median },
	{ "worst", 7, 3, true, false, cell_worst }, { "gap", 6, 6, true, false, cell_gap },
	{ "viol", 6, 1, true, false, cell_viol }, { "pod-h", 6, 1, true, false, cell_hours },
	{ "flips", 5, 5, true, false, cell_flips }, { "p95", 7, 7, true, false, cell_p95 },
};

static int count_rows(const CompareView *view)
{
	return view->n + (view->rule.n && !view->hides_rule ? 1 : 0);
}

/* "P(B > A) 0.98 [0.94 1.00]": how often a run is better than one of the other, or than the rule. Not without its interval. */
static void draw_better(Pen *pen, char letter, char other, const Estimate *p)
{
	(void) pen_item(pen, ROLE_LABEL, "P(%c > %c) %.2f [%.2f %.2f]", letter, other, p->value, p->lo, p->hi);
}

/* Both on a line where they fit. Answers how many lines they took. */
static int draw_betters(const Scene *scene, const CompareView *view, const CompareEntry *entry, Rect in)
{
	enum { ONE_COLS = 25, BETWEEN = 2 };
	bool has_other = !isnan(entry->better.lo), has_rule = !isnan(entry->over_rule.lo) && !view->hides_rule;
	int lines = has_other && has_rule && in.cols < 2 * ONE_COLS + BETWEEN ? 2 : has_other || has_rule;
	Pen pen = { scene->canvas, in.row, in.col, in.col + in.cols };
	if (in.rows < 1)
		return 0;
	if (has_other)
		draw_better(&pen, entry->letter, view->entry[view->baseline].letter, &entry->better);
	if (lines == 2 && in.rows > 1)
		pen = (Pen) { scene->canvas, in.row + 1, in.col, in.col + in.cols };
	else if (has_other && has_rule)
		(void) pen_item(&pen, ROLE_LABEL, "%*s", BETWEEN, "");
	if (has_rule && (lines < 2 || in.rows > 1))
		draw_better(&pen, entry->letter, 'H', &entry->over_rule);
	return lines < in.rows ? lines : in.rows;
}

/* What looks like one run is several where they differ in the seed alone. */
static int draw_groups(const Scene *scene, const CompareView *view, Rect in)
{
	const ArchiveAnswer *answer = talk_answer(&scene->console->talk, SLOT_PAIR);
	int row = 0;
	for (int e = 0; e < view->n && row < in.rows; e++) {
		const CompareEntry *entry = &view->entry[e];
		char text[160], said[200];
		if (entry->n < 2 || !answer)
			continue;
		int len = snprintf(text, sizeof text, "%c: %d %s of one configuration (%s", entry->letter, entry->n,
		                   entry->n > entry->n_seeds ? "runs" : "seeds", entry->n > entry->n_seeds ? "seeds " : "");
		for (int i = 0; i < entry->n && len < (int) sizeof text - 60; i++)
			len += snprintf(text + len, sizeof text - (size_t) len, "%s%llu", i ? " " : "", (unsigned long long) answer->compared[entry->run[i]].row.seed);
		(void) snprintf(text + len, sizeof text - (size_t) len, "%s", row ? ")" : "); {compare.group}: each alone");
		row += canvas_wrap(scene->canvas, (Rect) { in.row + row, in.col, in.rows - row, in.cols }, ROLE_INFO,
		                   keys_say(&scene->console->keymap, text, said, sizeof said));
	}
	return row;
}

static void draw_aggregate(const Scene *scene, Rect rect)
{
	const CompareView *view = view_of(scene);
	char note[64], text[200];
	size_t reps = view->reps ? view->reps : (size_t) COMPARE_REPS;
	(void) snprintf(note, sizeof note, view->wants_many && scene->console->work ? "of %zu, computing %d" : "%zu resamples, by trace", reps, COMPARE_REPS_MANY);
	Rect in = scene_box(scene, PANE_AGGREGATE, PANES, rect, note);
	if (is_empty(view)) {
		scene_empty(scene, in, why_empty(scene));
		return;
	}
	int n = count_rows(view), row = n + 1;
	table_draw(scene->canvas, (Rect) { in.row, in.col - 2, in.rows, in.cols + 2 }, COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, view,
	           n, 0, view->selected);
	if (view->refusal[0]) {
		(void) canvas_wrap(scene->canvas, (Rect) { in.row + row, in.col, in.rows - row, in.cols }, ROLE_WARN, view->refusal);
		return;
	}
	for (int e = 0; e < view->n && row < in.rows; e++) {
		compare_verdict(view, e, text, sizeof text);
		bool is_shown = strstr(text, ": yes") || strstr(text, "worse");
		row += canvas_wrap(scene->canvas, (Rect) { in.row + row, in.col, in.rows - row, in.cols }, is_shown ? ROLE_TEXT : ROLE_LABEL,
		                   text);
	}
	for (int e = 0; e < view->n && row < in.rows; e++)
		if (view->entry[e].n_seeds < 5)
			(void) canvas_textf(scene->canvas, in.row + row++, in.col, in.cols, ROLE_WARN, "! %c has %d seed%s: %s interval",
			                    view->entry[e].letter, view->entry[e].n_seeds, view->entry[e].n_seeds == 1 ? "" : "s",
			                    view->entry[e].n_seeds < BOOT_LEAST ? "no" : "wide");
	row += draw_groups(scene, view, (Rect) { in.row + row, in.col, in.rows - row, in.cols });
	for (int e = 0; e < view->n && row < in.rows; e++)
		row += draw_betters(scene, view, &view->entry[e], (Rect) { in.row + row, in.col, in.rows - row, in.cols });
}

/* ---- options ---- */

static void draw_diff(const Scene *scene, Rect rect)
{
	if (view_of(scene)->shows_replay && !is_empty(view_of(scene))) {
		compare_draw_figures(scene, rect);
		return;
	}
	const CompareView *view = view_of(scene);
	char note[96];
	(void) snprintf(note, sizeof note, "%d of %d differ%s%s", view->n_differ, view->n_keys, view->shows_all ? ", all shown" : ", {compare.diff} shows all",
	                scene->layout->pane[PANE_FRONTIER].rows || scene->layout->class_ != LAYOUT_GRID ? "" : ", {all.next-pane} to frontier");
	Rect in = scene_box(scene, PANE_DIFF, PANES, rect, view->n ? note : NULL);
	if (is_empty(view))
		return;
	int key_cols = 18, cols = (in.cols - key_cols) / view->n, row = 1;
	cols = cols < 8 ? 8 : cols > 24 ? 24 : cols;
	for (int e = 0; e < view->n; e++)
		(void) canvas_textf(scene->canvas, in.row, in.col + key_cols + e * cols, 2, compare_role(e), "%c", view->entry[e].letter);
	for (int k = 0; k < view->n_keys && row < in.rows; k++) {
		const CompareDiff *diff = &view->diff[k];
		if (!diff->differs && !view->shows_all)
			continue;
		(void) canvas_text(scene->canvas, in.row + row, in.col, key_cols - 1, ROLE_LABEL, diff->key);
		for (int e = 0; e < view->n; e++)
			canvas_text_tail(scene->canvas, in.row + row, in.col + key_cols + e * cols, cols - 1,
			                 diff->differs ? ROLE_STRONG : ROLE_TEXT, diff->value[e][0] ? diff->value[e] : "-");
		row++;
	}
	if (!view->n_differ && !view->shows_all)
		(void) canvas_text(scene->canvas, in.row + 1, in.col, in.cols, ROLE_LABEL, "the same options");
}

/* ---- frontier ---- */

static bool is_dominated(const CompareView *view, int row)
{
	const EpisodeFigures *a = &entry_of(view, row)->mean;
	for (int i = 0; i < count_rows(view); i++) {
		const EpisodeFigures *b = &entry_of(view, i)->mean;
		if (b->v_pct <= a->v_pct && b->pod_hours <= a->pod_hours && (b->v_pct < a->v_pct || b->pod_hours < a->pod_hours))
			return true;
	}
	return false;
}

static void mark_runs(const Scene *scene, const Plot *plot, int row, bool is_dim)
{
	const ArchiveAnswer *answer = talk_answer(&scene->console->talk, SLOT_PAIR);
	const CompareEntry *entry = entry_of(view_of(scene), row);
	Role role = is_dim ? ROLE_GHOST : row < view_of(scene)->n ? compare_role(row) : ROLE_SERIES_H;
	for (int i = 0; i < entry->n; i++) {
		const CompareRun *run = &answer->compared[entry->run[i]];
		const EpisodeFigures *f = row < view_of(scene)->n ? &run->eval : &run->hpa;
		plot_mark(plot, f->pod_hours, f->v_pct, (uint32_t) (entry->letter + 32), role);
	}
	plot_mark(plot, entry->mean.pod_hours, entry->mean.v_pct, (uint32_t) entry->letter, role);
}

static void draw_frontier(const Scene *scene, Rect rect)
{
	const CompareView *view = view_of(scene);
	static const ChartLabels LABELS = { fmt_plain, fmt_plain, " pod-hours", 5 };
	Rect in = scene_box(scene, PANE_FRONTIER, PANES, rect, "lower left wins");
	double least = INFINITY, most = -INFINITY, top = 0;
	for (int i = 0; i < count_rows(view); i++) {
		const EpisodeFigures *f = &entry_of(view, i)->mean;
		least = fmin(least, f->pod_hours);
		most = fmax(most, f->pod_hours);
		top = fmax(top, isnan(f->v_pct) ? 0 : f->v_pct);
	}
	if (is_empty(view) || !isfinite(least)) {
		scene_empty(scene, in, is_empty(view) ? "" : "no evaluation episode is recorded, or the latency limits are off");
		return;
	}
	Axis y = axis_fit(0, top > 0 ? top * 1.1 : 1, (in.rows - 2) / 2), x = axis_fit(least * .95, most * 1.05, 4);
	Plot plot = chart_begin(scene->canvas, (Rect) { in.row, in.col, in.rows - 1, in.cols }, x.lo, x.hi, &y, &LABELS);
	Pen pen = { scene->canvas, in.row + in.rows - 1, in.col, in.col + in.cols };
	(void) pen_item(&pen, ROLE_LABEL, "violations in %%; frontier ");
	for (int i = count_rows(view) - 1; i >= 0; i--)
		if (i >= view->n || !view->entry[i].is_hidden)
			mark_runs(scene, &plot, i, is_dominated(view, i));
	for (int i = 0; i < count_rows(view); i++)
		if (!is_dominated(view, i) && !isnan(entry_of(view, i)->mean.v_pct))
			(void) pen_item(&pen, ROLE_STRONG, "%c ", entry_of(view, i)->letter);
	for (int i = 0, n = 0; i < count_rows(view); i++)
		if (is_dominated(view, i))
			(void) pen_item(&pen, ROLE_GHOST, n++ ? "%c " : "  d %c ", entry_of(view, i)->letter);
	(void) pen_item(&pen, ROLE_LABEL, "  d dominated, small one run");
}

static void draw_first(const Scene *scene, Rect rect)
{
	const CompareView *view = view_of(scene);
	if (view->shows_replay && !is_empty(view)) {
		compare_draw_replay(scene, rect);
		return;
	}
	Rect in = scene_box(scene, PANE_CURVES, PANES, rect, "IQM, dots least and most");
	if (is_empty(view))
		scene_empty(scene, in, why_empty(scene));
	else
		compare_draw_curves(scene, in);
}

static void draw_episodes(const Scene *scene, Rect rect)
{
	Rect in = scene_box(scene, PANE_EPISODES, PANES, rect, "the first of each evaluation");
	if (is_empty(view_of(scene)))
		scene_empty(scene, in, why_empty(scene));
	else
		compare_draw_episodes(scene, in);
}

static void draw(const Scene *scene, int pane, Rect rect)
{
	static void (*const DRAW[N_PANES])(const Scene *, Rect) = { draw_first, draw_aggregate, draw_episodes, draw_diff, draw_frontier };
	DRAW[pane](scene, rect);
}

/* ---- state ---- */

static bool is_there(const Console *console)
{
	return console->talk.is_offered;
}

/* The many resamples of what is compared now, while they are wanted: begun, taken when they are there. A job of what was compared
 * before is let go once it has ended: it is waited for nowhere. */
static void work(Console *console, const ArchiveAnswer *answer)
{
	CompareView *view = &console->compare;
	if (console->work && compare_work_is_done(console->work)) {
		if (view->wants_many && answer && compare_work_is_of(console->work, view, answer))
			compare_work_take(console->work, view);
		compare_work_free(console->work);
		console->work = NULL;
	}
	if (view->wants_many && view->reps != COMPARE_REPS_MANY && !console->work && view->is_asked && answer && !view->refusal[0])
		console->work = compare_work_new(view, answer, console->feed->wake_fd);
}

static void refresh(Console *console)
{
	CompareView *view = &console->compare;
	const ArchiveAnswer *answer = talk_answer(&console->talk, SLOT_PAIR);
	const ArchiveQuery *of = &console->talk.slot[SLOT_PAIR].query;
	bool is_ours = answer && of->n_ids == view->n_ids && !memcmp(of->id, view->id, (size_t) view->n_ids * sizeof *view->id);
	if (is_ours && !view->is_asked) {
		view->is_asked = true;
		view->reps = 0;
		compare_build(view, answer);
	}
	work(console, answer);
	if (view->is_asked || !view->n_ids)
		return;
	ArchiveQuery query = { .ask = ARCHIVE_PAIR, .n_ids = view->n_ids };
	memcpy(query.id, view->id, sizeof query.id);
	(void) talk_ask(&console->talk, console->feed, SLOT_PAIR, &query, console->now_ms);
}

static bool is_settled(const Console *console)
{
	return !console->compare.n_ids || (console->compare.is_asked && !console->work);
}

static void move(Console *console, int by)
{
	CompareView *view = &console->compare;
	int to = view->selected + by;
	view->selected = to >= view->n ? (view->n ? view->n - 1 : 0) : to < 0 ? 0 : to;
}

static void rebuild(Console *console)
{
	const ArchiveAnswer *answer = talk_answer(&console->talk, SLOT_PAIR);
	console->compare.reps = 0; /* quick ones at once; the many follow */
	if (console->compare.is_asked && answer)
		compare_build(&console->compare, answer);
	work(console, answer);
}

static bool act(Console *console, UiAction action)
{
	CompareView *view = &console->compare;
	switch (action) {
	case ACT_HIDE: view->entry[view->selected].is_hidden = !view->entry[view->selected].is_hidden; return true;
	case ACT_PIN: view->baseline = view->selected; break;
	case ACT_GROUP: view->is_single = !view->is_single; break;
	case ACT_AXIS:
		if (view->is_asked && talk_answer(&console->talk, SLOT_PAIR))
			compare_set_axis(view, talk_answer(&console->talk, SLOT_PAIR), (CompareAxis) ((view->axis + 1) % AXIS_COUNT));
		return true;
	case ACT_SMOOTH_MORE: view->smoothing = view->smoothing < .85 ? view->smoothing + .1 : .95; return true;
	case ACT_SMOOTH_LESS: view->smoothing = view->smoothing > .15 ? view->smoothing - .1 : 0; return true;
	case ACT_LEFT: view->cursor = view->cursor ? view->cursor - (view->cursor > 1) : COMPARE_POINTS; return true;
	case ACT_RIGHT: view->cursor += view->cursor < COMPARE_POINTS; return true;
	case ACT_DIFF: view->shows_all = !view->shows_all; return true;
	case ACT_RULE: view->hides_rule = !view->hides_rule; return true;
	case ACT_REPLAY: compare_replay(console); return true;
	case ACT_REPS: view->wants_many = !view->wants_many; break;
	default: return false;
	}
	rebuild(console);
	return true;
}

static bool back(Console *console)
{
	if (console->compare.shows_replay) {
		console->compare.shows_replay = false;
		return true;
	}
	if (console->compare.cursor) {
		console->compare.cursor = 0;
		return true;
	}
	console_go(console, SCREEN_RUNS);
	return true;
}

static void table(const Console *console, TableSink sink, void *context)
{
	const CompareView *view = &console->compare;
	sink(context, COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, view, count_rows(view));
}

const ScreenOps screen_compare = {
	.name = "Compare", .pane = PANES, .n_panes = N_PANES, .is_there = is_there, .head = head, .draw = draw,
	.refresh = refresh, .move = move, .act = act, .back = back, .is_settled = is_settled,
	.table = table,
};
