/*
 * Targets: all of them, those that need attention first. Only rows in sight are formatted; ordering looks at a few
 * figures of each.
 */
#include "tui/console.h"
#include "tui/fmt.h"
#include "tui/screen_targets.h"
#include "tui/table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const PaneSpec PANES[] = { { "Targets", .band = 0, .share = 1, .min_rows = 8, .grow = 1 } };

enum { SPARK = 18, SPARK_MOST = (CELL_TEXT - 1) / 3 };

typedef enum Order { BY_ATTENTION, BY_NAME, BY_LATENCY, BY_RATE, BY_REPLICAS, N_ORDERS } Order;
static const char *const ORDERS[N_ORDERS] = { "attention", "name", "p95", "rps", "replicas" };

/* ---- figures ---- */

static double value_of(const LiveView *live, uint32_t field)
{
	const Sample *s = &live->last.sample;
	if (!live->cycles || !(s->valid & field))
		return NAN;
	return field == SAMPLE_LATENCY ? s->latency_ms : field == SAMPLE_RPS ? s->rps : field == SAMPLE_CPU ? s->cpu_cores : s->replicas;
}

/* 'H' over hard, 'S' over soft, '?' no data, ' ' well. */
static char alarm_of(const LiveView *live)
{
	double p95 = value_of(live, SAMPLE_LATENCY);
	const Target *t = &live->target;
	if (t->latency_hard_ms > 0 && p95 > (double) t->latency_hard_ms)
		return 'H';
	bool is_idle = value_of(live, SAMPLE_RPS) <= 0; /* without traffic there is no latency */
	if (live->cycles && isnan(p95) && !is_idle)
		return '?';
	return t->latency_soft_ms > 0 && p95 > (double) t->latency_soft_ms ? 'S' : ' ';
}

/* Over hard, no data, over soft, a conflict or hold, a hand's hold that ends soonest, the rest. */
static double attention(const LiveView *live)
{
	char alarm = alarm_of(live);
	if (alarm != ' ')
		return alarm == 'H' ? 6 : alarm == '?' ? 5 : 4;
	if (live->state == STATE_CONFLICT || live->state == STATE_HOLD || live->state == STATE_FALLBACK)
		return 3;
	if (live->state != STATE_MANUAL)
		return 0;
	double left_s = (double) (live->manual_until_wall_ms - live->wall_ms) / 1000;
	return live->manual_until_wall_ms ? 1 + 1 / (1 + fmax(left_s, 0)) : 1;
}

typedef struct Ranked {
	double key;
	const LiveView *live;
	int at; /* in the feed's order */
} Ranked;

static int by_key(const void *a, const void *b)
{
	const Ranked *x = a, *y = b;
	if (x->key != y->key)
		return x->key < y->key ? 1 : -1;
	int names = strcmp(x->live->target.namespace_, y->live->target.namespace_);
	names = names ? names : strcmp(x->live->target.name, y->live->target.name);
	return names ? names : x->at - y->at;
}

static double key_of(const LiveView *live, int order)
{
	double key = order == BY_ATTENTION ? attention(live) : order == BY_LATENCY ? value_of(live, SAMPLE_LATENCY) :
	             order == BY_RATE ? value_of(live, SAMPLE_RPS) : order == BY_REPLICAS ? value_of(live, SAMPLE_REPLICAS) : 0;
	return isnan(key) ? -1 : key;
}

static bool is_wanted(const LiveView *live, const char *filter)
{
	char text[NAMESPACE_MAX + NAME_MAX_K8S + 96];
	(void) snprintf(text, sizeof text, "%s/%s %s %s", live->target.namespace_, live->target.name, state_text(live->state),
	                live->policy);
	return !filter[0] || strcasestr(text, filter);
}

typedef struct TargetTable {
	const Console *console;
	Ranked row[FEED_TARGETS_MAX];
	int n;
	int spark; /* cycles of the p95 graph */
} TargetTable;

static void rank(const Console *console, TargetTable *table)
{
	const TargetsView *view = &console->targets;
	table->console = console;
	table->n = 0;
	table->spark = SPARK;
	for (int i = 0; i < console->frame.n_targets && i < FEED_TARGETS_MAX; i++) {
		const LiveView *live = console->frame.target[i];
		if (is_wanted(live, view->filter))
			table->row[table->n++] = (Ranked) { key_of(live, view->sort) * (view->is_reversed ? -1 : 1), live, i };
	}
	qsort(table->row, (size_t) table->n, sizeof *table->row, by_key);
}

/* ---- cells ---- */

static const LiveView *live_of(const void *data, int row)
{
	return ((const TargetTable *) data)->row[row].live;
}

static Role cell_mark(const void *data, int row, char *text, size_t size)
{
	const TargetTable *table = data;
	bool is_marked = table->console->targets.is_marked[table->row[row].at];
	const LiveView *live = live_of(data, row);
	char alarm = alarm_of(live);
	bool is_down = (live->metrics.is_known && !live->metrics.is_ok) || (live->api.is_known && !live->api.is_ok) ||
	               (live->model.is_known && !live->model.is_ok);
	(void) snprintf(text, size, "%c%c", is_marked ? '*' : ' ', alarm == ' ' && !is_down ? ' ' : '!');
	return alarm == 'H' || alarm == '?' || is_down ? ROLE_BAD : alarm == 'S' ? ROLE_WARN : ROLE_INFO;
}

static Role cell_namespace(const void *data, int row, char *text, size_t size)
{
	(void) snprintf(text, size, "%.100s", live_of(data, row)->target.namespace_);
	return ROLE_LABEL;
}

static Role cell_name(const void *data, int row, char *text, size_t size)
{
	(void) snprintf(text, size, "%.100s", live_of(data, row)->target.name);
	return ROLE_TEXT;
}

static Role cell_state(const void *data, int row, char *text, size_t size)
{
	const LiveView *live = live_of(data, row);
	char left[FMT_TEXT] = "";
	if (live->state == STATE_MANUAL && live->manual_until_wall_ms > 0)
		(void) fmt_age(left, (double) (live->manual_until_wall_ms - live->wall_ms) / 1000);
	(void) snprintf(text, size, "%s %s", state_text(live->state), left);
	return live->state == STATE_ACTIVE ? ROLE_OK : live->state == STATE_CONFLICT ? ROLE_BAD :
	       live->state == STATE_SHADOW || live->state == STATE_STANDBY || live->state == STATE_WARMING ? ROLE_INFO : ROLE_WARN;
}

static Role count(char *text, size_t size, int32_t n, Role role)
{
	(void) snprintf(text, size, n < 0 ? "?" : "%d", n);
	return role;
}

static Role cell_replicas(const void *data, int row, char *text, size_t size)
{
	const Sample *s = &live_of(data, row)->last.sample;
	if (!live_of(data, row)->cycles || !(s->valid & SAMPLE_REPLICAS))
		(void) snprintf(text, size, "?");
	else
		(void) snprintf(text, size, "%d/%d", s->ready, s->replicas);
	return s->ready < s->replicas ? ROLE_WARN : ROLE_TEXT;
}

static Role cell_want(const void *data, int row, char *text, size_t size)
{
	return count(text, size, live_of(data, row)->cycles ? live_of(data, row)->last.decision.desired : -1, ROLE_STRONG);
}

static Role cell_hpa(const void *data, int row, char *text, size_t size)
{
	return count(text, size, live_of(data, row)->cycles ? live_of(data, row)->last.decision.hpa : -1, ROLE_LABEL);
}

static Role cell_p95(const void *data, int row, char *text, size_t size)
{
	const LiveView *live = live_of(data, row);
	double p95 = value_of(live, SAMPLE_LATENCY);
	char now[16] = "?", soft[16] = "off", hard[16] = "off", alarm = alarm_of(live);
	if (!isnan(p95))
		(void) snprintf(now, sizeof now, p95 < 1e5 ? "%.0f" : "%.0f s", p95 < 1e5 ? p95 : p95 / 1000);
	if (live->target.latency_soft_ms > 0)
		(void) snprintf(soft, sizeof soft, "%.0f", (double) live->target.latency_soft_ms);
	if (live->target.latency_hard_ms > 0)
		(void) snprintf(hard, sizeof hard, "%.0f", (double) live->target.latency_hard_ms);
	(void) snprintf(text, size, "%s/%s/%s %c", now, soft, hard, alarm);
	return alarm == 'H' || alarm == '?' ? ROLE_BAD : alarm == 'S' ? ROLE_WARN : ROLE_TEXT;
}

static Role cell_rate(const void *data, int row, char *text, size_t size)
{
	(void) size;
	(void) fmt_rate(text, value_of(live_of(data, row), SAMPLE_RPS));
	return ROLE_TEXT;
}

static Role cell_cpu(const void *data, int row, char *text, size_t size)
{
	const LiveView *live = live_of(data, row);
	double request = live->last.sample.cpu_request_cores * live->last.sample.ready;
	(void) size;
	(void) fmt_percent(text, request > 0 ? value_of(live, SAMPLE_CPU) / request : (double) NAN);
	return ROLE_TEXT;
}

static Role cell_slo(const void *data, int row, char *text, size_t size)
{
	const LiveView *live = live_of(data, row);
	(void) size;
	(void) fmt_percent(text, live->slo_total_s > 0 ? live->slo_good_s / live->slo_total_s : (double) NAN);
	return ROLE_TEXT;
}

static Role cell_age(const void *data, int row, char *text, size_t size)
{
	const LiveView *live = live_of(data, row);
	int64_t now = live->is_simulated ? live->wall_ms : ((const TargetTable *) data)->console->frame.wall_ms;
	double age = live->cycles ? (double) (now - live->last.wall_ms) / 1000 : (double) NAN;
	(void) size;
	(void) fmt_age(text, age);
	return age > 2 * (double) live->interval_s + 1 ? ROLE_BAD : ROLE_LABEL;
}

/* P metrics, A api, M model: a small letter is down, '?' never asked. */
static Role cell_health(const void *data, int row, char *text, size_t size)
{
	const LiveView *live = live_of(data, row);
	const SourceHealth *source[] = { &live->metrics, &live->api, &live->model };
	char letter[] = "PAM";
	bool is_well = true;
	for (size_t i = 0; i < 3; i++) {
		is_well &= source[i]->is_ok;
		letter[i] = (char) (!source[i]->is_known ? '?' : source[i]->is_ok ? letter[i] : letter[i] + 32);
	}
	(void) snprintf(text, size, "%c %c %c", letter[0], letter[1], letter[2]);
	return is_well ? ROLE_OK : ROLE_BAD;
}

/* The last cycles' p95 against the hard limit, or their own most; a gap is a '?'. */
static Role cell_spark(const void *data, int row, char *text, size_t size)
{
	const TargetTable *table = data;
	const LiveView *live = live_of(data, row);
	const Glyphs *glyphs = table->console->canvas.glyphs;
	int first = live->n_history > table->spark ? live->n_history - table->spark : 0;
	double most = live->target.latency_hard_ms > 0 ? (double) live->target.latency_hard_ms : 1;
	for (int i = first; i < live->n_history && live->target.latency_hard_ms <= 0; i++)
		most = fmax(most, (double) live->history[i].latency_ms);
	size_t len = 0;
	for (int i = first; i < live->n_history && len + 4 < size; i++) {
		double at = (double) live->history[i].latency_ms / most * 8;
		uint32_t ch = isnan(at) ? '?' : glyphs->rising[at >= 8 ? 8 : at < 1 ? 1 : (int) at];
		if (ch < 0x80) {
			text[len++] = (char) ch;
		} else {
			text[len++] = (char) (0xe0 | ch >> 12);
			text[len++] = (char) (0x80 | (ch >> 6 & 0x3f));
			text[len++] = (char) (0x80 | (ch & 0x3f));
		}
	}
	text[len] = '\0';
	return ROLE_SERIES_A;
}

static const Column COLUMNS[] = {
	{ "", 2, 0, false, false, cell_mark }, { "namespace", 9, 2, false, false, cell_namespace },
	{ "target", 12, 0, false, true, cell_name }, { "mode", 15, 0, false, false, cell_state },
	{ "ready", 5, 0, true, false, cell_replicas }, { "want", 4, 1, true, false, cell_want },
	{ "HPA", 3, 5, true, false, cell_hpa }, { "p95/soft/hard ms", 17, 0, false, false, cell_p95 },
	{ "rps", 8, 3, true, false, cell_rate }, { "cpu", 5, 6, true, false, cell_cpu }, { "SLO", 6, 7, true, false, cell_slo },
	{ "age", 6, 1, true, false, cell_age }, { "health", 6, 2, false, false, cell_health },
	{ "p95", SPARK, 8, false, true, cell_spark },
};

static void head(const Scene *scene, Pen *pen)
{
	const TargetsView *view = &scene->console->targets;
	const FeedFrame *frame = &scene->console->frame;
	int alarms = 0, warnings = 0, marked = 0;
	for (int i = 0; i < frame->n_targets; i++) {
		char alarm = alarm_of(frame->target[i]);
		alarms += alarm == 'H' || alarm == '?';
		warnings += alarm == 'S';
		marked += view->is_marked[i];
	}
	(void) pen_item(pen, ROLE_BADGE_INFO, " Targets %d ", frame->n_targets);
	(void) pen_item(pen, ROLE_LABEL, "  ctx ");
	(void) pen_item(pen, ROLE_TEXT, "%s", frame->live ? frame->live->context : "?");
	(void) pen_item(pen, ROLE_LABEL, "  sort ");
	(void) pen_item(pen, ROLE_TEXT, "%s%s", ORDERS[view->sort], view->is_reversed ? " reversed" : "");
	(void) pen_item(pen, alarms ? ROLE_BAD : ROLE_LABEL, "  %d alarm%s", alarms, alarms == 1 ? "" : "s");
	(void) pen_item(pen, warnings ? ROLE_WARN : ROLE_LABEL, "  %d warning%s", warnings, warnings == 1 ? "" : "s");
	if (view->filter[0])
		(void) pen_item(pen, ROLE_INFO, "  filter %s", view->filter);
	if (marked)
		(void) pen_item(pen, ROLE_INFO, "  %d marked", marked);
}

/* As many cycles as the graph has columns. */
static int spark_cols(const Column *column, int n, int cols)
{
	int width[COLUMNS_MAX] = { 0 };
	table_widths(column, n, cols, width);
	for (int i = 0; i < n; i++)
		if (column[i].cell == cell_spark)
			return width[i] < SPARK_MOST ? width[i] : SPARK_MOST;
	return SPARK;
}

static void draw(const Scene *scene, int pane, Rect rect)
{
	TargetTable table;
	char note[48] = "";
	rank(scene->console, &table);
	int at = scene->console->targets.selected < table.n ? scene->console->targets.selected : table.n - 1;
	if (table.n)
		(void) snprintf(note, sizeof note, "%d of %d", at + 1, table.n);
	Rect in = scene_box(scene, pane, PANES, rect, note);
	if (!table.n) {
		scene_empty(scene, in, "no target matches");
		return;
	}
	int rows = in.rows - 2, first = at >= rows ? at - rows + 1 : 0;
	Column column[COLUMNS_MAX];
	int n_columns = console_columns(scene->console, SCREEN_TARGETS, column);
	table.spark = spark_cols(column, n_columns, in.cols);
	table_draw(scene->canvas, (Rect) { in.row, in.col, in.rows - 1, in.cols }, column, n_columns, &table,
	           table.n, first, at);
	Pen pen = { scene->canvas, in.row + in.rows - 1, in.col, in.col + in.cols };
	(void) pen_item(&pen, ROLE_LABEL, "H over hard, S over soft, ? no data");
	(void) pen_item(&pen, ROLE_LABEL, "; P metrics, A API, M model, small: down");
}

/* ---- actions ---- */

static bool is_there(const Console *console)
{
	return console_may_have_target(console);
}

static void move(Console *console, int by)
{
	int last = -1, to = console->targets.selected + by;
	for (int i = 0; i < console->frame.n_targets; i++)
		last += is_wanted(console->frame.target[i], console->targets.filter);
	console->targets.selected = to > last ? (last > 0 ? last : 0) : to < 0 ? 0 : to;
}

/* The row under the cursor as the feed counts; -1: none. */
static int selected(const Console *console)
{
	TargetTable table;
	rank(console, &table);
	return console->targets.selected < table.n ? table.row[console->targets.selected].at : -1;
}

int targets_picked(const Console *console, int *target, int most)
{
	int n = 0;
	for (int i = 0; i < console->frame.n_targets && n < most; i++)
		if (console->targets.is_marked[i])
			target[n++] = i;
	int at = selected(console);
	if (!n && at >= 0)
		target[n++] = at;
	return n;
}

static void mark_all(Console *console)
{
	TargetsView *view = &console->targets;
	bool has_any = false;
	for (int i = 0; i < console->frame.n_targets; i++)
		has_any |= view->is_marked[i];
	for (int i = 0; i < console->frame.n_targets; i++)
		view->is_marked[i] = !has_any && is_wanted(console->frame.target[i], view->filter);
}

/* Several at once through the bulk dialog, one through its own. */
static void override(Console *console)
{
	int target[FEED_TARGETS_MAX], n = targets_picked(console, target, FEED_TARGETS_MAX);
	if (!n)
		return;
	console->target = target[0];
	console->frame.live = console->frame.target[target[0]];
	dialog_open_override(&console->dialog, console->frame.live);
	StrBuf names = { 0 };
	bool is_simulated = true;
	for (int i = 0; i < n; i++) {
		const LiveView *live = console->frame.target[target[i]];
		is_simulated &= live->is_simulated;
		strbuf_addf(&names, "%s%s", i ? ", " : "", live->target.name);
	}
	if (n > 1)
		dialog_make_bulk(&console->dialog, n, is_simulated, names.data ? names.data : "");
	strbuf_done(&names);
}

static bool act(Console *console, UiAction action)
{
	TargetsView *view = &console->targets;
	int at = selected(console);
	if (action == ACT_LIVE_OVERRIDE || action == ACT_LIVE_PAUSE)
		console_unfreeze(console);
	switch (action) {
	case ACT_OPEN:
		console->target = at >= 0 ? at : console->target;
		console->cursor_ms = 0;
		console->frame.live = console->frame.target[console->target];
		console_go(console, SCREEN_LIVE);
		return true;
	case ACT_MARK:
		if (at >= 0)
			view->is_marked[at] = !view->is_marked[at];
		move(console, 1);
		return true;
	case ACT_MARK_ALL: mark_all(console); return true;
	case ACT_SORT: view->sort = (view->sort + 1) % N_ORDERS; return true;
	case ACT_REVERSE: view->is_reversed = !view->is_reversed; return true;
	case ACT_FILTER: console_prompt(console, PROMPT_FILTER, "filter", view->filter); return true;
	case ACT_LIVE_OVERRIDE: override(console); return true;
	case ACT_LIVE_PAUSE:
		if (at >= 0) {
			console->target = at;
			console->frame.live = console->frame.target[at];
			dialog_open_pause(&console->dialog, console->frame.live);
		}
		return true;
	default: return false;
	}
}

static bool sort(Console *console, const char *title)
{
	static const struct { const char *title; Order order; } BY[] = { { "target", BY_NAME }, { "namespace", BY_NAME },
		{ "mode", BY_ATTENTION }, { "p95/soft/hard ms", BY_LATENCY }, { "p95", BY_LATENCY }, { "rps", BY_RATE }, { "ready", BY_REPLICAS } };
	TargetsView *view = &console->targets;
	for (size_t i = 0; i < sizeof BY / sizeof *BY; i++) {
		if (strcmp(BY[i].title, title) != 0)
			continue;
		view->is_reversed = view->sort == (int) BY[i].order && !view->is_reversed;
		view->sort = (int) BY[i].order;
		return true;
	}
	return false;
}

static bool back(Console *console)
{
	bool had_filter = console->targets.filter[0] != '\0';
	console->targets.filter[0] = '\0';
	return had_filter;
}

static void table(const Console *console, TableSink sink, void *context)
{
	TargetTable data;
	Column column[COLUMNS_MAX];
	rank(console, &data);
	sink(context, column, console_columns(console, SCREEN_TARGETS, column), &data, data.n);
}

const ScreenOps screen_targets = {
	.name = "Targets", .pane = PANES, .n_panes = 1, .needs = NEEDS_TARGET, .is_there = is_there, .head = head, .draw = draw, .move = move,
	.act = act, .back = back, .sort = sort,
	.columns = COLUMNS, .n_columns = sizeof COLUMNS / sizeof *COLUMNS, .table = table,
};
