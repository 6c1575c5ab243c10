/*
 * Live: what a target is doing, why, whether the input is fresh, and who is in charge.
 *
 * Signals come from the sample that the policy got, so the screen cannot disagree with the decision.
 */
#include "tui/screen_live.h"
#include "tui/console.h"
#include "tui/fmt.h"
#include "tui/plot.h"
#include "tui/table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PANE_SIGNALS, PANE_DECISION, PANE_REPLICAS, PANE_PODS, PANE_HEALTH, PANE_DECISIONS, PANE_NEWS, N_PANES };

enum { WIDE = 160 /* columns from which on there is a second column of panes */ };

enum { PAST_LEAST = 16 /* decisions that a graph of them has room for, at least */ };

static const PaneSpec PANES[N_PANES] = {
	[PANE_SIGNALS] = { "Signals", .band = 0, .share = 62, .min_rows = 9, .grow = 4 },
	[PANE_DECISION] = { "Decision", .band = 0, .share = 36, .min_rows = 9, .grow = 4, .max_cols = 48 },
	[PANE_REPLICAS] = { "Replicas", .band = 1, .share = 62, .min_rows = 6, .grow = 2 },
	[PANE_PODS] = { "Pods", .band = 1, .share = 36, .min_rows = 6, .grow = 2, .min_cols = WIDE, .max_cols = 56 },
	[PANE_HEALTH] = { "Health", .band = 1, .share = 36, .min_rows = 6, .grow = 2, .min_cols = 100, .max_cols = 48 },
	[PANE_DECISIONS] = { "Last decisions", .band = 2, .share = 66, .min_rows = 7, .grow = 3 },
	[PANE_NEWS] = { "Events", .band = 2, .share = 34, .min_rows = 7, .grow = 3, .min_cols = WIDE, .max_cols = 58 },
};

static const Role STATE_ROLES[STATE_COUNT] = {
	[STATE_STANDBY] = ROLE_BADGE_INFO, [STATE_WARMING] = ROLE_BADGE_INFO, [STATE_SHADOW] = ROLE_BADGE_INFO,
	[STATE_ACTIVE] = ROLE_BADGE_OK, [STATE_HOLD] = ROLE_BADGE_WARN, [STATE_FALLBACK] = ROLE_BADGE_WARN,
	[STATE_PAUSED] = ROLE_BADGE_WARN, [STATE_MANUAL] = ROLE_BADGE_WARN, [STATE_CONFLICT] = ROLE_BADGE_BAD,
	[STATE_DISABLED] = ROLE_BADGE_INFO,
};

/* ---- the newest sample ---- */

static int field_index(uint32_t field)
{
	int i = 0;
	while (i < SAMPLE_FIELDS - 1 && field >> (i + 1))
		i++;
	return i;
}

double live_age_s(const Scene *scene, uint32_t field)
{
	const Sample *s = &scene->live->last.sample;
	if (!(s->valid & field))
		return NAN;
	return (double) (scene->target_ms - s->wall_ms + s->age_ms[field_index(field)]) / 1000;
}

double live_point_value(const HistoryPoint *point, uint32_t field)
{
	switch (field) {
	case SAMPLE_CPU: return (double) point->cpu_cores;
	case SAMPLE_MEM: return (double) point->mem_bytes;
	case SAMPLE_LATENCY: return (double) point->latency_ms;
	case SAMPLE_RPS: return (double) point->rps;
	default: return point->replicas < 0 ? NAN : point->replicas;
	}
}

double live_value(const Scene *scene, uint32_t field)
{
	if (scene->point)
		return live_point_value(scene->point, field);
	const Sample *s = &scene->live->last.sample;
	double since_s = (double) (scene->target_ms - s->wall_ms) / 1000;
	if (!(s->valid & field) || since_s > 2 * (double) scene->live->interval_s + 1)
		return NAN; /* what the loop took for fresh stays so until the loop itself is late */
	switch (field) {
	case SAMPLE_CPU: return s->cpu_cores;
	case SAMPLE_MEM: return s->mem_bytes;
	case SAMPLE_LATENCY: return s->latency_ms;
	case SAMPLE_RPS: return s->rps;
	default: return s->replicas;
	}
}

/* ---- row 0 ---- */

static const char *health_word(const SourceHealth *health)
{
	return !health->is_known ? "?" : health->is_ok ? "OK" : "DOWN";
}

static Role health_role(const SourceHealth *health)
{
	return !health->is_known ? ROLE_LABEL : health->is_ok ? ROLE_OK : ROLE_BAD;
}

/* A rule has no probabilities; guards' decisions say nothing about the policy. */
static bool is_rule(const LiveView *live)
{
	for (int i = 0; i < live->n_rows; i++)
		if (live->row[i].decision.action != ACTION_NONE)
			return live->row[i].decision.n_actions == 0;
	return false;
}

static const char *model_word(const LiveView *live)
{
	return is_rule(live) ? "rule" : "model";
}

/* "simulated time, x7.5", or "" */
static void time_note(const LiveView *live, char *text, size_t size)
{
	char speed[FMT_TEXT];
	text[0] = '\0';
	if (live->is_simulated)
		(void) snprintf(text, size, "simulated time, x%s", fmt_plain(speed, live->speed));
}

/* What answers and what does not; in one word where all is well and room is short. */
static void head_sources(const LiveView *v, Pen *pen)
{
	const struct { const char *name; const SourceHealth *health; } SOURCES[] = {
		{ "metrics", &v->metrics }, { "api", &v->api }, { model_word(v), &v->model } };
	bool all_well = v->metrics.is_ok && v->api.is_ok && v->model.is_ok;
	(void) pen_item(pen, ROLE_TEXT, "  ");
	if (all_well && pen->end - pen->col < (v->is_simulated ? 58 : 34)) {
		scene_figure(pen, "sources", ROLE_OK, "OK");
		return;
	}
	for (size_t i = 0; i < 3; i++)
		scene_figure(pen, SOURCES[i].name, health_role(SOURCES[i].health), health_word(SOURCES[i].health));
}

/* Who holds what for how long; before the end it stands out, with the command that goes on holding. */
static void head_hold(const Scene *scene, Pen *pen)
{
	enum { SOON_MS = 120000 };
	const LiveView *v = scene->live;
	char text[FMT_TEXT];
	int64_t left_ms = v->manual_until_wall_ms - scene->target_ms;
	bool is_endless = v->manual_until_wall_ms <= 0, is_soon = !is_endless && left_ms <= SOON_MS;
	int32_t held = v->manual_replicas >= 0 ? v->manual_replicas : v->last.decision.desired; /* by this process, or by annotations */
	(void) pen_item(pen, ROLE_TEXT, "  ");
	if (is_endless) {
		(void) pen_item(pen, ROLE_WARN, "%d by %s, until resumed", held, v->manual_who);
		return;
	}
	(void) pen_item(pen, is_soon ? ROLE_BADGE_WARN : ROLE_WARN, is_soon ? " %d by %s, %s left " : "%d by %s, %s left", held,
	                v->manual_who, fmt_duration(text, (double) (left_ms > 0 ? left_ms : 0) / 1000));
	if (is_soon && !console_is_readonly(scene->console))
		(void) pen_item(pen, ROLE_KEY, " :hold 10m %d", held);
}

static void head(const Scene *scene, Pen *pen)
{
	const LiveView *v = scene->live;
	char text[FMT_TEXT], note[64];
	(void) pen_item(pen, STATE_ROLES[v->state], " %s ", state_text(v->state));
	(void) pen_item(pen, ROLE_LABEL, v->is_simulated ? "  " : "  %s ", v->context);
	(void) pen_item(pen, ROLE_STRONG, "%s/%s", v->target.namespace_, v->target.name);
	if (v->state == STATE_MANUAL)
		head_hold(scene, pen);
	else if (v->state_reason > REASON_POLICY_KEEP)
		(void) pen_item(pen, ROLE_WARN, "  %s", reason_text(v->state_reason));
	head_sources(v, pen);
	time_note(v, note, sizeof note);
	if (note[0] && !pen_item(pen, ROLE_INFO, "%s  ", note))
		(void) pen_item(pen, ROLE_INFO, "simulated");
	if (pen_item(pen, ROLE_LABEL, "policy %s", v->policy) && v->policy_steps >= 0)
		(void) pen_item(pen, ROLE_LABEL, ", %s steps", fmt_count(text, (double) v->policy_steps));
}

/* ---- decision ---- */

void live_guards(uint32_t guards, char *text, size_t size)
{
	size_t len = 0;
	text[0] = '\0';
	for (int g = 0; g < GUARD_COUNT && len + 1 < size; g++)
		if (guards & 1u << g)
			len += (size_t) snprintf(text + len, size - len, "%s%s", len ? ", " : "", guard_text((Guard) g));
	if (!guards)
		(void) snprintf(text, size, "-");
}

static void draw_probabilities(const Scene *scene, const Decision *d, Rect in)
{
	static const char *const NAMES[ACTION_COUNT] = { "down", "keep", "up" };
	for (int i = 0; i < ACTION_COUNT && i < in.rows; i++) {
		bool is_taken = d->action == i;
		(void) canvas_text(scene->canvas, in.row + i, in.col, 5, is_taken ? ROLE_STRONG : ROLE_LABEL, NAMES[i]);
		if (d->n_actions != ACTION_COUNT) {
			(void) canvas_text(scene->canvas, in.row + i, in.col + 6, 12, is_taken ? ROLE_STRONG : ROLE_LABEL,
			                   is_taken ? "chosen" : "");
			continue;
		}
		(void) canvas_textf(scene->canvas, in.row + i, in.col + 6, 4, is_taken ? ROLE_STRONG : ROLE_TEXT, "%.2f",
		                    (double) d->probability[i]);
		canvas_bar(scene->canvas, in.row + i, in.col + 11, in.cols - 11, (double) d->probability[i],
		           is_taken ? ROLE_SERIES_A : ROLE_LABEL);
	}
}

/* "name   5  words" */
static void draw_step(const Scene *scene, Rect in, int row, const char *name, int32_t count, Role role,
	const char *words)
{
	if (row >= in.rows)
		return;
	(void) canvas_text(scene->canvas, in.row + row, in.col, 6, ROLE_LABEL, name);
	char text[16];
	(void) snprintf(text, sizeof text, count < 0 ? "?" : "%d", count);
	canvas_text_right(scene->canvas, in.row + row, in.col + 10, 4, ROLE_STRONG, text);
	(void) canvas_text(scene->canvas, in.row + row, in.col + 12, in.cols - 12, role, words);
}

/* The critic's estimate, the load, and the words of whoever decided; answers how many lines they took. */
static int draw_why(const Scene *scene, const DecisionRow *shown, Rect in)
{
	const Decision *d = &shown->decision;
	char text[FMT_TEXT];
	double request = shown->sample.cpu_request_cores * shown->sample.ready;
	double cpu = shown->sample.valid & SAMPLE_CPU ? shown->sample.cpu_cores : NAN;
	int row = 0;
	if (d->n_actions > 0 && row < in.rows) {
		Pen pen = { scene->canvas, in.row + row++, in.col, in.col + in.cols };
		(void) pen_item(&pen, ROLE_LABEL, "value ");
		(void) pen_item(&pen, ROLE_TEXT, "%s", fmt_number(text, (double) d->value));
		(void) pen_item(&pen, ROLE_LABEL, " reward to come");
	}
	if (request > 0 && row < in.rows) {
		Pen pen = { scene->canvas, in.row + row++, in.col, in.col + in.cols };
		(void) pen_item(&pen, ROLE_LABEL, "cpu ");
		(void) pen_item(&pen, ROLE_TEXT, "%s", fmt_percent(text, cpu / request));
		(void) pen_item(&pen, ROLE_LABEL, " of request, as observed");
	}
	Rect rest = { in.row + row, in.col, in.rows - row, in.cols };
	return row + canvas_wrap(scene->canvas, rest, ROLE_LABEL, d->detail);
}

/* Probabilities of the last decisions, oldest at the left; x counts rows of the table from its end. */
typedef struct Past {
	const LiveView *live;
	int action;
} Past;

static void past_point(const void *data, int i, double *ret_x, double *ret_y)
{
	const Past *past = data;
	const Decision *d = &past->live->row[past->live->n_rows - 1 - i].decision;
	*ret_x = VIEW_ROWS - past->live->n_rows + i;
	*ret_y = d->n_actions == ACTION_COUNT ? (double) d->probability[past->action] : NAN;
}

static void draw_past(const Scene *scene, Rect in)
{
	static const int ORDER[ACTION_COUNT] = { ACTION_UP, ACTION_KEEP, ACTION_DOWN };
	static const char *const NAMES[ACTION_COUNT] = { "down", "keep", "up" };
	static const ChartLabels LABELS = { fmt_plain, NULL, "", 7 };
	int n = scene->live->n_rows, shown = n > PAST_LEAST ? n : PAST_LEAST;
	int height = (in.rows - 1) / ACTION_COUNT;
	(void) canvas_textf(scene->canvas, in.row, in.col, in.cols, ROLE_LABEL, "probabilities of the last %d decisions",
		n);
	for (int i = 0; i < ACTION_COUNT; i++) {
		Past past = { scene->live, ORDER[i] };
		Axis axis = { 0, 1, 1 };
		Plot plot = chart_begin(scene->canvas, (Rect) { in.row + 1 + i * height, in.col, height - 1, in.cols },
		                        VIEW_ROWS - shown, VIEW_ROWS - 1, &axis, &LABELS);
		plot_series(&plot, &(Series) { .data = &past, .n = n, .at = past_point, .kind = PLOT_AREA_STEPS,
		            .role = ROLE_SERIES_A, .fill = ROLE_FILL_A, .letter = '*' });
		if (scene->point)
			plot_cursor(&plot, VIEW_ROWS - 1 - scene->row);
		(void) canvas_text(scene->canvas, in.row + height - 1 + i * height, in.col, 4, ROLE_LABEL, NAMES[ORDER[i]]);
	}
}

/* raw, what the guards made of it, what was set; and what the rule beside it would set. */
static void draw_steps(const Scene *scene, const DecisionRow *shown, Rect in)
{
	const Decision *d = &shown->decision;
	char text[CELL_TEXT];
	draw_step(scene, in, 3, "raw", d->action == ACTION_NONE ? -1 : d->raw, ROLE_TEXT, reason_text(d->reason));
	live_guards(d->guards, text, sizeof text);
	draw_step(scene, in, 4, "guards", d->desired, d->guards ? ROLE_WARN : ROLE_LABEL, d->guards ? text : "no guard");
	int32_t was = shown->sample.valid & SAMPLE_REPLICAS ? shown->sample.replicas : -1;
	draw_step(scene, in, 5, "final", d->desired, d->is_applied ? ROLE_OK : ROLE_TEXT,
	          d->is_applied ? "applied" : d->desired == was ? "unchanged" : "not applied");
	draw_step(scene, in, 6, "HPA", d->hpa, ROLE_LABEL, d->hpa < 0 ? "not known" : "rule's choice");
}

static void draw_decision(const Scene *scene, Rect rect)
{
	enum { WHY_ROW = 7 };
	const DecisionRow *shown = !scene->point ? &scene->live->last : scene->row >= 0 ? &scene->live->row[scene->row] : NULL;
	char text[FMT_TEXT], note[64] = "none yet";
	if (shown && scene->live->cycles)
		(void) snprintf(note, sizeof note, "%s by %s", fmt_clock(text, shown->wall_ms), shown->who);
	Rect in = scene_box(scene, PANE_DECISION, PANES, rect, shown ? note : NULL);
	if (!scene->live->cycles)
		return;
	if (!shown) {
		(void) canvas_wrap(scene->canvas, in, ROLE_LABEL, "no decision this old is kept here");
		return;
	}
	draw_probabilities(scene, &shown->decision, in);
	draw_steps(scene, shown, in);
	int row = WHY_ROW + draw_why(scene, shown, (Rect) { in.row + WHY_ROW, in.col, in.rows - WHY_ROW, in.cols }) + 1;
	if (in.rows - row > ACTION_COUNT * 3 && shown->decision.n_actions == ACTION_COUNT)
		draw_past(scene, (Rect) { in.row + row, in.col, in.rows - row, in.cols });
}

/* ---- health ---- */

static void draw_source(const Scene *scene, Rect in, int row, const char *name, const SourceHealth *health)
{
	char text[FMT_TEXT], age[FMT_TEXT];
	if (row >= in.rows)
		return;
	(void) canvas_text(scene->canvas, in.row + row, in.col, 8, ROLE_LABEL, name);
	(void) canvas_text(scene->canvas, in.row + row, in.col + 8, 4, health_role(health), health_word(health));
	Pen pen = { scene->canvas, in.row + row, in.col + 13, in.col + in.cols };
	if (health->is_known && !health->is_ok) {
		(void) canvas_text(scene->canvas, pen.row, pen.col, pen.end - pen.col, ROLE_BAD, health->text);
		return;
	}
	if (health->good_wall_ms > 0 && health != &scene->live->model) /* that one's age is the decision's */
		(void) pen_item(&pen, ROLE_TEXT, "%s ago  ",
		                fmt_duration(age, (double) (scene->target_ms - health->good_wall_ms) / 1000));
	if (!scene->live->is_simulated) /* a call within the process takes no time worth showing */
		(void) pen_item(&pen, ROLE_TEXT, "%s  ", fmt_ms(text, (double) health->duration_ms));
	(void) canvas_text(scene->canvas, pen.row, pen.col, pen.end - pen.col, ROLE_LABEL, health->text);
}

static void draw_detail(const Scene *scene, Rect rect)
{
	char said[sizeof scene->live->state_detail];
	fmt_until(scene->live->state_detail, scene->target_ms, said, sizeof said);
	(void) canvas_wrap(scene->canvas, rect, ROLE_WARN, said);
}

static void draw_health(const Scene *scene, Rect rect)
{
	const LiveView *v = scene->live;
	char text[FMT_TEXT];
	const char *note = scene->point ? "now" : v->is_simulated ? "simulated" : v->context;
	Rect in = scene_box(scene, PANE_HEALTH, PANES, rect, note);
	draw_source(scene, in, 0, "metrics", &v->metrics);
	draw_source(scene, in, 1, "api", &v->api);
	draw_source(scene, in, 2, model_word(v), &v->model);
	Pen pen = { scene->canvas, in.row + 3, in.col, in.col + in.cols };
	if (in.rows > 3 && v->target.latency_soft_ms > 0) {
		(void) pen_item(&pen, ROLE_LABEL, "p95 under soft ");
		double share = v->slo_total_s > 0 ? v->slo_good_s / v->slo_total_s : NAN;
		(void) pen_item(&pen, ROLE_STRONG, "%s", fmt_percent(text, share));
		(void) pen_item(&pen, ROLE_LABEL, " of %s", fmt_duration(text, v->slo_total_s));
	}
	pen = (Pen) { scene->canvas, in.row + 4, in.col, in.col + in.cols };
	if (in.rows > 4) {
		(void) snprintf(text, sizeof text, "%.1f", v->pod_hours);
		scene_figure(&pen, "pod-hours", ROLE_STRONG, text);
		(void) pen_item(&pen, ROLE_LABEL, "in %lld cycles", (long long) v->cycles);
	}
	int row = in.row + 5, end = in.row + in.rows;
	if (row < end && v->sink_dropped > 0)
		(void) canvas_textf(scene->canvas, row++, in.col, in.cols, ROLE_WARN, "! %lld records were not stored", (long long) v->sink_dropped);
	if (row < end && v->state_detail[0])
		draw_detail(scene, (Rect) { row, in.col, end - row, in.cols });
}

/* ---- panes ---- */

/* Events are told in one time over all runs; all else here is in the target's. */
static const char *news_note(const LiveView *live)
{
	return live->is_simulated ? "in real time; {all.screen-events} shows all" : "{all.screen-events} shows all";
}

static void draw(const Scene *scene, int pane, Rect rect)
{
	char note[64];
	live_window_note(scene, live_graph_cols(rect.cols - 4), note, sizeof note);
	switch (pane) {
	case PANE_SIGNALS: live_draw_signals(scene, scene_box(scene, pane, PANES, rect, note)); return;
	case PANE_REPLICAS: live_draw_replicas(scene, scene_box(scene, pane, PANES, rect, NULL)); return;
	case PANE_DECISION: draw_decision(scene, rect); return;
	case PANE_HEALTH: draw_health(scene, rect); return;
	case PANE_PODS:
		(void) snprintf(note, sizeof note, scene->point ? "now" : "%d", scene->live->n_pods);
		live_draw_pods(scene, scene_box(scene, pane, PANES, rect, note));
		return;
	case PANE_NEWS: live_draw_news(scene, scene_box(scene, pane, PANES, rect, news_note(scene->live))); return;
	default:
		(void) snprintf(note, sizeof note, "%d of %lld cycles", scene->live->n_rows, (long long) scene->live->cycles);
		live_draw_decisions(scene, scene_box(scene, pane, PANES, rect, note));
	}
}

static void column(const Scene *scene, Rect rect)
{
	const LiveView *v = scene->live;
	char text[FMT_TEXT], more[FMT_TEXT], note[64];
	Canvas *c = scene->canvas;
	int row = rect.row;
	int32_t desired = live_replicas(v);
	(void) canvas_textf(c, row++, 0, rect.cols, ROLE_STRONG, "%s %s/%s", state_text(v->state), v->target.namespace_,
	                    v->target.name);
	(void) snprintf(text, sizeof text, desired < 0 ? "?" : "%d", desired);
	(void) snprintf(more, sizeof more, v->last.sample.valid & SAMPLE_REPLICAS ? "%d" : "?", v->last.sample.ready);
	(void) canvas_textf(c, row++, 0, rect.cols, ROLE_TEXT, "replicas %s, ready %s", text, more);
	time_note(v, note, sizeof note);
	if (note[0])
		(void) canvas_text(c, row++, 0, rect.cols, ROLE_INFO, note);
	(void) canvas_textf(c, row++, 0, rect.cols, ROLE_TEXT, "p95 %s", fmt_ms(text, live_value(scene, SAMPLE_LATENCY)));
	(void) canvas_textf(c, row++, 0, rect.cols, ROLE_TEXT, "rps %s", fmt_rate(text, live_value(scene, SAMPLE_RPS)));
	(void) canvas_textf(c, row++, 0, rect.cols, ROLE_TEXT, "metrics %s, api %s, %s %s", health_word(&v->metrics),
	                    health_word(&v->api), model_word(v), health_word(&v->model));
	(void) canvas_textf(c, row, 0, rect.cols, ROLE_TEXT, "last %s", reason_text(v->last.decision.reason));
}

/* What happened is asked for where it is shown. */
static bool has_news(const Console *console)
{
	Layout layout;
	layout_compute(PANES, N_PANES, console->canvas.rows, console->canvas.cols, console->focus[SCREEN_LIVE], console->is_zoomed, &layout);
	return console->talk.is_offered && layout.pane[PANE_NEWS].rows > 0;
}

static void refresh(Console *console)
{
	live_refresh(console);
	if (console->frame.live && has_news(console))
		live_ask_news(console);
}

static bool is_there(const Console *console)
{
	return console_may_have_target(console);
}

/* The first decision has come. */
static bool is_settled(const Console *console)
{
	return console->frame.live && console->frame.live->cycles > 0 && (!has_news(console) || talk_answer(&console->talk, SLOT_NEWS));
}

const ScreenOps screen_live = {
	.name = "Live", .pane = PANES, .n_panes = N_PANES, .needs = NEEDS_RECORDED, .is_there = is_there, .head = head, .draw = draw,
	.column = column, .refresh = refresh, .move = live_move, .act = live_act, .back = live_back, .is_settled = is_settled,
	.columns = live_columns, .n_columns = LIVE_COLUMNS,
};
