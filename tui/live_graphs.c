/* The graphs of the Live screen: one column a bucket of target time, newest at the right, gaps left open. */
#include "tui/console.h"
#include "tui/fmt.h"
#include "tui/plot.h"
#include "tui/screen_live.h"

#include <math.h>
#include <stdio.h>

enum { LABEL_COLS = 15, RIGHT_COLS = 16, RIGHT_NARROW = 12, WIDE = 58, STRIDE_MOST = 8 };

/* Room for words to the right of the graphs. */
static int right_cols(int inner_cols)
{
	return inner_cols >= WIDE ? RIGHT_COLS : RIGHT_NARROW;
}

typedef struct Signal {
	const char *name;
	uint32_t field;
	FmtFn format;
	Role role, fill;
	char letter;
} Signal;

static const Signal SIGNALS[] = {
	{ "p95", SAMPLE_LATENCY, fmt_ms, ROLE_SERIES_C, ROLE_FILL_C, '*' },
	{ "rps", SAMPLE_RPS, fmt_rate, ROLE_SERIES_A, ROLE_FILL_A, '*' },
	{ "cpu", SAMPLE_CPU, fmt_cores, ROLE_SERIES_D, ROLE_FILL_D, '*' },
	{ "mem", SAMPLE_MEM, fmt_bytes, ROLE_SERIES_B, ROLE_FILL_B, '*' },
};
enum { N_SIGNALS = sizeof SIGNALS / sizeof *SIGNALS };

typedef enum Count { COUNT_DESIRED, COUNT_READY, COUNT_HPA } Count;

/* History in buckets: x counts dot columns from the left; the newest bucket, or the cursor's surroundings, in sight. */
typedef struct Past {
	const LiveView *live;
	const HistoryPoint *seen; /* the n points in sight */
	int n;
	uint32_t field;           /* SAMPLE_*, or 0 and `count` */
	Count count;
	int64_t bucket_ms, last_bucket;
	int dots, stride;         /* dot columns in all, and of a bucket */
} Past;

static double past_value(const Past *past, const HistoryPoint *p)
{
	if (past->field)
		return live_point_value(p, past->field);
	int16_t count = past->count == COUNT_DESIRED ? p->replicas : past->count == COUNT_READY ? p->ready : p->hpa;
	return count < 0 ? NAN : count;
}

static double past_x(const Past *past, int64_t wall_ms)
{
	return (double) ((wall_ms / past->bucket_ms - past->last_bucket) * past->stride + past->dots - 1);
}

static void past_point(const void *data, int i, double *ret_x, double *ret_y)
{
	const Past *past = data;
	const HistoryPoint *p = &past->seen[i];
	*ret_x = past_x(past, p->wall_ms);
	*ret_y = past_value(past, p);
}

/*
 * Dot columns of a cycle: more than one while the history is short, so that a young graph is not a sliver. A power of
 * two, so that the graph is redrawn at a new scale a few times in all and not at each cycle.
 */
static int stride_of(const Scene *scene, int cols)
{
	int dots = cols * scene->canvas->glyphs->dots_x, n = scene->live->n_history, stride = 1;
	while (scene->window == 1 && n > 0 && stride < STRIDE_MOST && 2 * stride * n <= dots)
		stride *= 2;
	return stride;
}

/* The points in sight: history is in the order of time. */
static void see(Past *past)
{
	const HistoryPoint *history = past->live->history;
	int end = past->live->n_history;
	while (end > 0 && past_x(past, history[end - 1].wall_ms) >= past->dots)
		end--;
	int first = end;
	while (first > 0 && past_x(past, history[first - 1].wall_ms) >= 0)
		first--;
	past->seen = history + first;
	past->n = end - first;
}

static Past past_of(const Scene *scene, int cols)
{
	const LiveView *live = scene->live;
	Past past = { .live = live, .bucket_ms = live_interval_ms(live) * scene->window, .dots = cols * scene->canvas->glyphs->dots_x,
	              .stride = stride_of(scene, cols) };
	int64_t newest = live->n_history ? live->history[live->n_history - 1].wall_ms : live->wall_ms;
	past.last_bucket = newest / past.bucket_ms;
	if (scene->point && past_x(&past, scene->point->wall_ms) < 0) /* a cursor out of sight comes to the middle */
		past.last_bucket = scene->point->wall_ms / past.bucket_ms + past.dots / past.stride / 2;
	while ((past.last_bucket + 1) * past.stride % scene->canvas->glyphs->dots_x) /* it scrolls by whole cells: few bytes */
		past.last_bucket++;
	see(&past);
	return past;
}

static Past past_count(Past past, Count count)
{
	past.count = count;
	return past;
}

/* Largest value in sight; NAN where none is. */
static double past_most(const Past *past)
{
	double most = NAN;
	for (int i = 0; i < past->n; i++) {
		double y = past_value(past, &past->seen[i]);
		most = most >= y || isnan(y) ? most : y;
	}
	return most;
}

int live_graph_cols(int inner_cols)
{
	int cols = inner_cols - LABEL_COLS - right_cols(inner_cols);
	return cols > 1 ? cols : 1;
}

void live_window_note(const Scene *scene, int cols, char *text, size_t size)
{
	char whole[FMT_TEXT], one[FMT_TEXT];
	double column_s = (double) scene->live->interval_s * scene->window * scene->canvas->glyphs->dots_x /
	                  stride_of(scene, cols);
	(void) snprintf(text, size, "%s, 1 column %s", fmt_duration(whole, column_s * cols), fmt_duration(one, column_s));
}

/* Top of p95's graph: the soft limit is always in sight, the hard one when data come near; spikes are clipped. */
static double latency_top(const Target *target, double most)
{
	double top = isnan(most) ? 1 : most;
	double soft = (double) target->latency_soft_ms, hard = (double) target->latency_hard_ms;
	if (soft > 0)
		top = fmax(top, soft * 1.1);
	if (hard > 0 && top > hard * .7)
		top = fmax(top, hard * 1.1);
	if (hard > 0)
		top = fmin(top, hard * 2);
	return top;
}

static void label_limit(const Scene *scene, const Plot *plot, const char *name, double limit, Role role)
{
	if (limit <= 0 || limit > plot->y1)
		return;
	char text[FMT_TEXT];
	double at = (plot->y1 - limit) / plot->y1 * (plot->area.rows - 1);
	(void) canvas_textf(scene->canvas, plot->area.row + (int) lround(at), plot->area.col + plot->area.cols + 1,
	                    RIGHT_NARROW - 1, role, "%s %s", name, fmt_ms(text, limit));
}

static void draw_limits(const Scene *scene, const Plot *plot)
{
	const Target *target = &scene->live->target;
	double soft = (double) target->latency_soft_ms, hard = (double) target->latency_hard_ms;
	if (plot->area.rows < 3)
		return;
	if (soft <= 0 && hard <= 0)
		(void) canvas_text(scene->canvas, plot->area.row, plot->area.col + plot->area.cols + 1, RIGHT_NARROW - 1,
		                   ROLE_LABEL, "no limit");
	plot_level(plot, soft > 0 ? soft : NAN, ROLE_WARN);
	plot_level(plot, hard > 0 ? hard : NAN, ROLE_BAD);
	label_limit(scene, plot, "soft", soft, ROLE_WARN);
	label_limit(scene, plot, "hard", hard, ROLE_BAD);
}

static Role value_role(const Target *target, uint32_t field, double value, const char **ret_word)
{
	*ret_word = isnan(value) ? "no data" : "";
	if (field != SAMPLE_LATENCY || isnan(value))
		return ROLE_STRONG;
	if (target->latency_hard_ms > 0 && value > (double) target->latency_hard_ms) {
		*ret_word = "!! over hard";
		return ROLE_BAD;
	}
	if (target->latency_soft_ms > 0 && value > (double) target->latency_soft_ms) {
		*ret_word = "! over soft";
		return ROLE_WARN;
	}
	return ROLE_STRONG;
}

static void draw_cursor(const Scene *scene, const Past *past, const Plot *plot)
{
	double bucket_ms = (double) past->bucket_ms, step = scene->canvas->glyphs->dots_x / (double) past->stride * bucket_ms;
	double last = (double) (past->last_bucket + 1) * bucket_ms - 1; /* the end of the bucket at the right edge */
	canvas_zone(scene->canvas, (Zone) { ZONE_TIME, plot->area, last - step * (plot->area.cols - 1), step, NULL });
	if (scene->point)
		plot_cursor(plot, past_x(past, scene->point->wall_ms));
}

/* A graph that its history does not fill yet says since when there is one. */
static void label_start(const Scene *scene, const Past *past, const Plot *plot)
{
	char text[FMT_TEXT];
	if (!past->live->n_history)
		return;
	double x = fmin(past_x(past, past->live->history[0].wall_ms), past->dots);
	int before = x > 0 ? (int) x / scene->canvas->glyphs->dots_x : 0, width = sizeof "since 00:00:00 " - 1;
	if (before > width)
		(void) canvas_textf(scene->canvas, plot->area.row + plot->area.rows / 2, plot->area.col + before - width, width,
		                    ROLE_LABEL, "since %s", fmt_clock(text, past->live->history[0].wall_ms));
}

static void draw_signal(const Scene *scene, const Signal *signal, const Past *all, Rect area)
{
	const Target *target = &scene->live->target;
	char text[FMT_TEXT];
	const char *word;
	double value = live_value(scene, signal->field);
	Role role = value_role(target, signal->field, value, &word);
	(void) canvas_text(scene->canvas, area.row, area.col, 4, ROLE_LABEL, signal->name);
	canvas_text_right(scene->canvas, area.row, area.col + LABEL_COLS - 1, 10, role, signal->format(text, value));
	if (area.rows > 1)
		canvas_text_right(scene->canvas, area.row + 1, area.col + LABEL_COLS - 1, LABEL_COLS - 1, role, word);
	int cols = live_graph_cols(area.cols);
	bool is_latency = signal->field == SAMPLE_LATENCY;
	Past past = *all;
	past.field = signal->field;
	double most = past_most(&past);
	double top = is_latency ? latency_top(target, most) : most > 0 ? most * 1.05 : 1;
	Plot plot = { scene->canvas, { area.row, area.col + LABEL_COLS, area.rows, cols }, 0, past.dots - 1, 0, top };
	plot_series(&plot, &(Series) { &past, past.n, past_point, PLOT_AREA, signal->role, signal->fill,
	            signal->letter, past.stride * 2.5, is_latency ? (double) target->latency_soft_ms : 0,
	            is_latency ? (double) target->latency_hard_ms : 0 });
	draw_cursor(scene, &past, &plot);
	if (is_latency) {
		draw_limits(scene, &plot);
		label_start(scene, &past, &plot);
	} else if (!isnan(most) && area.cols >= WIDE) {
		(void) canvas_textf(scene->canvas, area.row, plot.area.col + cols + 1, RIGHT_COLS - 1, ROLE_LABEL, "max %s",
		                    signal->format(text, most));
	}
}

static void draw_ages(const Scene *scene, Rect in)
{
	const LiveView *live = scene->live;
	char text[FMT_TEXT];
	Pen pen = { scene->canvas, in.row + in.rows - 1, in.col, in.col + in.cols };
	if (scene->point) {
		double back = (double) (scene->target_ms - scene->point->wall_ms) / 1000;
		(void) pen_item(&pen, ROLE_INFO, "at %s, ", fmt_clock(text, scene->point->wall_ms));
		(void) pen_item(&pen, ROLE_INFO, "%s ago  ", fmt_duration(text, back));
		(void) pen_item(&pen, ROLE_KEY, "%s", keys_say(&scene->console->keymap, "{all.back}", text, sizeof text));
		(void) pen_item(&pen, ROLE_TEXT, " returns to now");
		return;
	}
	if (live->last.sample.missing[0])
		(void) pen_item(&pen, ROLE_WARN, "! %s  ", live->last.sample.missing);
	scene_figure(&pen, "decides every", ROLE_TEXT, fmt_duration(text, (double) live->interval_s));
	(void) pen_item(&pen, ROLE_LABEL, "data ");
	(void) pen_item(&pen, ROLE_TEXT, "%4s", fmt_duration(text, live_age_s(scene, SAMPLE_LATENCY)));
	(void) pen_item(&pen, ROLE_LABEL, " old  ");
	if (live->next_decision_wall_ms > 0 && live->state != STATE_PAUSED)
		scene_figure(&pen, "next decision in", ROLE_TEXT,
		             fmt_duration(text, (double) (live->next_decision_wall_ms - scene->target_ms) / 1000));
}

void live_draw_signals(const Scene *scene, Rect in)
{
	int rows = in.rows - 1, small = rows / 5 > 1 ? rows / 5 : 1, row = in.row;
	Past past = past_of(scene, live_graph_cols(in.cols));
	for (int i = 0; i < N_SIGNALS; i++) {
		int height = i == 0 ? rows - small * (N_SIGNALS - 1) : small;
		if (height < 1 || row + height > in.row + rows)
			break;
		draw_signal(scene, &SIGNALS[i], &past, (Rect) { row, in.col, height, in.cols });
		row += height;
	}
	draw_ages(scene, in);
}

static void draw_count(const Scene *scene, Pen *pen, Role role, char letter, const char *name, int count)
{
	char text[FMT_TEXT];
	(void) snprintf(text, sizeof text, count < 0 ? "?" : "%d", count);
	scene_legend(pen, role, scene->canvas->glyphs->sample, letter);
	scene_figure(pen, name, ROLE_STRONG, text);
}

static void draw_counts(const Scene *scene, Rect in)
{
	const LiveView *live = scene->live;
	const DecisionRow *last = &live->last;
	const HistoryPoint *past = scene->point;
	int ready = last->sample.valid & SAMPLE_REPLICAS ? last->sample.ready : -1;
	char text[FMT_TEXT];
	Pen pen = { scene->canvas, in.row + in.rows - 1, in.col, in.col + in.cols };
	draw_count(scene, &pen, ROLE_SERIES_C, 'r', "ready", past ? past->ready : ready);
	draw_count(scene, &pen, ROLE_SERIES_A, 'd', "desired", past ? past->replicas : live_replicas(live));
	draw_count(scene, &pen, ROLE_SERIES_B, 'h', "HPA would set", past ? past->hpa : last->decision.hpa);
	(void) snprintf(text, sizeof text, "%d..%d", live->target.min_replicas, live->target.max_replicas);
	scene_figure(&pen, "allowed", ROLE_TEXT, text);
}

void live_draw_replicas(const Scene *scene, Rect in)
{
	int cols = live_graph_cols(in.cols);
	Past past = past_of(scene, cols);
	Past ready = past_count(past, COUNT_READY), desired = past_count(past, COUNT_DESIRED), hpa = past_count(past, COUNT_HPA);
	double most = fmax(fmax(past_most(&ready), past_most(&desired)), fmax(past_most(&hpa), 1)), gap = ready.stride * 2.5;
	Axis axis = axis_fit(0, most, (in.rows - 1) / 3);
	static const ChartLabels LABELS = { fmt_plain, NULL, "", LABEL_COLS - 1 };
	Plot plot = chart_begin(scene->canvas, (Rect) { in.row, in.col, in.rows - 1, LABEL_COLS + cols }, 0,
	                        ready.dots - 1, &axis, &LABELS);
	plot_series(&plot, &(Series) { &ready, past.n, past_point, PLOT_AREA_STEPS, ROLE_SERIES_C, ROLE_FILL_C, 'r', gap, 0, 0 });
	plot_series(&plot, &(Series) { &hpa, past.n, past_point, PLOT_STEPS, ROLE_SERIES_B, ROLE_TEXT, 'h', gap, 0, 0 });
	plot_series(&plot, &(Series) { &desired, past.n, past_point, PLOT_STEPS, ROLE_SERIES_A, ROLE_TEXT, 'd', gap, 0, 0 });
	draw_cursor(scene, &desired, &plot);
	draw_counts(scene, in);
}
