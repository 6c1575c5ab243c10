/*
 * Train: learning curves with evaluations and ticks, the figures of the last update, where the time goes, the last
 * evaluation episode against the HPA rule, controls, progress.
 */
#include "tui/console.h"
#include "tui/fmt.h"
#include "tui/plot.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { PANE_REWARD, PANE_LENGTH, PANE_SPREAD, PANE_UPDATE, PANE_TIME, PANE_PAST, PANE_EPISODE, PANE_PROGRESS, N_PANES };

static const PaneSpec PANES[N_PANES] = {
	[PANE_REWARD] = { "Reward", .band = 0, .share = 3, .min_rows = 8, .grow = 4 },
	[PANE_LENGTH] = { "Episode length", .band = 0, .share = 2, .min_rows = 8, .grow = 4 },
	[PANE_SPREAD] = { "Reward over environments", .band = 0, .share = 2, .min_rows = 8, .grow = 4, .min_cols = 160 },
	[PANE_UPDATE] = { "Last update", .band = 1, .share = 3, .min_rows = 7, .drop = 3 },
	[PANE_TIME] = { "Time and checkpoint", .band = 1, .share = 2, .min_rows = 7, .drop = 3, .min_cols = 100 },
	[PANE_PAST] = { "Figures over all updates", .band = 2, .share = 1, .min_rows = 12, .grow = 2, .drop = 4,
		.min_cols = 120 },
	[PANE_EPISODE] = { "Last evaluation episode: replicas", .band = 3, .share = 1, .min_rows = 6, .grow = 2, .drop = 1 },
	[PANE_PROGRESS] = { NULL, .band = 4, .share = 1, .min_rows = 1, .is_bare = true },
};

static const char *const PHASES[] = { "Starting", "Training", "Paused", "Evaluating", "Done", "Stopped", "Failed" };
static const Role PHASE_ROLES[] = { ROLE_BADGE_INFO, ROLE_BADGE_OK, ROLE_BADGE_WARN, ROLE_BADGE_INFO, ROLE_BADGE_OK,
	ROLE_BADGE_WARN, ROLE_BADGE_BAD };

static void head(const Scene *scene, Pen *pen)
{
	const TrainView *v = scene->train;
	char rate[FMT_TEXT];
	(void) pen_item(pen, PHASE_ROLES[v->phase], " %s ", PHASES[v->phase]);
	(void) pen_item(pen, ROLE_STRONG, "  %s", v->name);
	(void) pen_item(pen, ROLE_LABEL, "  run %lld  seed %llu", (long long) v->run_id, (unsigned long long) v->seed);
	if (v->is_live) { /* a step is an interval of real time */
		double left_s = v->next_step_wall_ms > scene->wall_ms ? (double) (v->next_step_wall_ms - scene->wall_ms) / 1000 : 0;
		(void) pen_item(pen, ROLE_TEXT, "  step %d of %d, next in %s", v->rollout_step, v->rollout_steps, fmt_duration(rate, left_s));
	} else {
		(void) pen_item(pen, ROLE_TEXT, "  %s steps/s", isnan(v->steps_per_s) ? "--" : fmt_count(rate, v->steps_per_s));
	}
	(void) pen_item(pen, ROLE_LABEL, "  on %s", v->traffic);
}

/* ---- curves ---- */

typedef struct Curve {
	const TrainView *view;
	TrainMetric metric;
} Curve;

static void raw_point(const void *data, int i, double *ret_x, double *ret_y)
{
	const Curve *curve = data;
	*ret_x = (double) curve->view->point[i].steps;
	*ret_y = (double) curve->view->point[i].value[curve->metric];
}

static double eval_value(const EvalPoint *eval, TrainMetric metric)
{
	return (double) (metric == TRAIN_EP_REW_MEAN ? eval->mean_reward : eval->mean_ep_length);
}

static Axis curve_axis(const Curve *curve, bool with_evals, int rows)
{
	const TrainView *v = curve->view;
	double lo = INFINITY, hi = -INFINITY;
	for (int i = 0; i < v->n_points; i++) {
		double y = (double) v->point[i].value[curve->metric];
		if (isfinite(y)) {
			lo = fmin(lo, y);
			hi = fmax(hi, y);
		}
	}
	for (int i = 0; with_evals && i < v->n_evals; i++) {
		lo = fmin(lo, eval_value(&v->eval[i], curve->metric));
		hi = fmax(hi, eval_value(&v->eval[i], curve->metric));
	}
	return axis_fit(lo, hi, rows / 3);
}

static void draw_evals(const TrainView *v, TrainMetric metric, const Plot *plot)
{
	const Glyphs *g = plot->canvas->glyphs;
	const EvalPoint *best = NULL;
	for (int i = 0; i < v->n_evals; i++) {
		plot_mark(plot, (double) v->eval[i].steps, eval_value(&v->eval[i], metric), g->mark, ROLE_SERIES_B);
		if (v->eval[i].is_best)
			best = &v->eval[i];
	}
	if (best && metric == TRAIN_EP_REW_MEAN)
		plot_mark(plot, (double) best->steps, eval_value(best, metric), g->best, ROLE_SERIES_B);
}

static void draw_lines(const Scene *scene, const Curve *curve, const Plot *plot)
{
	plot_smoothed(plot, &(Series) { curve, curve->view->n_points, raw_point, PLOT_LINE, ROLE_SERIES_A, .letter = '#' },
	              (double) scene->smoothing);
}

static char *curve_label(char *text, double value)
{
	return fabs(value) >= 1e4 ? fmt_count(text, value) : fmt_plain(text, value);
}

static double tick_at(const void *data, int i, const char **ret_label)
{
	const TrainView *v = data;
	*ret_label = v->tick[i].label;
	return (double) v->tick[i].steps;
}

/* The curves' scale: they grow into it, and it is changed seldom. */
static double first_steps(const TrainView *v)
{
	return v->n_points > 0 ? (double) v->point[0].steps : 0;
}

static double end_steps(const TrainView *v)
{
	double steps = (double) v->steps, end = axis_end(steps), total = (double) v->total_steps;
	return total > 0 && end > total ? fmax(total, steps) : end; /* the last rollout may go past the total */
}

static void draw_chart(const Scene *scene, TrainMetric metric, Rect area)
{
	const TrainView *v = scene->train;
	Curve curve = { .view = v, .metric = metric };
	Axis axis = curve_axis(&curve, true, area.rows - 1);
	static const ChartLabels LABELS = { curve_label, fmt_count, " steps", 6 };
	Plot plot = chart_begin(scene->canvas, area, first_steps(v), end_steps(v), &axis, &LABELS);
	draw_lines(scene, &curve, &plot);
	draw_evals(v, metric, &plot);
	plot_ticks(&plot, v->n_ticks, tick_at, v);
}

static void draw_curve(const Scene *scene, int pane, Rect rect)
{
	const TrainView *v = scene->train;
	bool is_reward = pane == PANE_REWARD;
	TrainMetric metric = is_reward ? TRAIN_EP_REW_MEAN : TRAIN_EP_LEN_MEAN;
	char note[48] = "raw", text[FMT_TEXT];
	if (scene->smoothing > 0)
		(void) snprintf(note, sizeof note, "smoothed %.2f over raw", (double) scene->smoothing);
	Rect in = scene_box(scene, pane, PANES, rect, is_reward ? note : "steps");
	if (!v->n_points) {
		(void) canvas_text(scene->canvas, in.row + in.rows / 2, in.col, in.cols, ROLE_LABEL,
		                   "no update yet: the first rollout is being collected");
		return;
	}
	Pen pen = { scene->canvas, in.row + in.rows - 1, in.col, in.col + in.cols };
	scene_legend(&pen, ROLE_SERIES_A, scene->canvas->glyphs->sample, '#');
	scene_figure(&pen, "train", ROLE_STRONG, fmt_number(text, v->now[metric]));
	if (v->n_evals) {
		const EvalPoint *last = &v->eval[v->n_evals - 1];
		scene_legend(&pen, ROLE_SERIES_B, scene->canvas->glyphs->mark, 'e');
		scene_figure(&pen, "eval", ROLE_STRONG, fmt_number(text, eval_value(last, metric)));
		if (is_reward)
			scene_figure(&pen, "std", ROLE_TEXT, fmt_number(text, (double) last->std_reward));
		for (int i = v->n_evals - 1; is_reward && i >= 0; i--) {
			if (!v->eval[i].is_best)
				continue;
			scene_figure(&pen, "best", ROLE_TEXT, fmt_number(text, (double) v->eval[i].mean_reward));
			break;
		}
	}
	draw_chart(scene, metric, (Rect) { in.row, in.col, in.rows - 1, in.cols });
}

/* ---- environments ---- */

typedef struct Quantile {
	const TrainView *view;
	size_t at; /* of a TrainPoint */
} Quantile;

static void quantile_point(const void *data, int i, double *ret_x, double *ret_y)
{
	const Quantile *of = data;
	const TrainPoint *point = &of->view->point[i];
	*ret_x = (double) point->steps;
	*ret_y = (double) *(const float *) (const void *) ((const char *) point + of->at);
}

/* Whether the mean hides environments that learn nothing: the least, the middle and the most of them. */
static void draw_spread(const Scene *scene, Rect rect)
{
	static const struct { const char *name; size_t at; PlotKind kind; Role role; char letter; } LINES[] = {
		{ "most", offsetof(TrainPoint, env_most), PLOT_DOTS, ROLE_SERIES_C, '+' },
		{ "least", offsetof(TrainPoint, env_least), PLOT_DOTS, ROLE_SERIES_B, '-' },
		{ "median", offsetof(TrainPoint, env_middle), PLOT_LINE, ROLE_SERIES_A, '#' },
	};
	enum { N = sizeof LINES / sizeof *LINES };
	static const ChartLabels LABELS = { curve_label, fmt_count, " steps", 6 };
	const TrainView *v = scene->train;
	char note[64], text[FMT_TEXT];
	double lo = INFINITY, hi = -INFINITY;
	(void) snprintf(note, sizeof note, "last episode of each of %d", v->n_envs);
	Rect in = scene_box(scene, PANE_SPREAD, PANES, rect, v->n_envs ? note : NULL);
	for (int i = 0; v->n_envs && i < v->n_points; i++) {
		lo = fmin(lo, (double) v->point[i].env_least); /* which leave out NAN */
		hi = fmax(hi, (double) v->point[i].env_most);
	}
	if (!(hi >= lo)) {
		scene_empty(scene, in, "no episode has ended yet");
		return;
	}
	Axis axis = axis_fit(lo, hi, (in.rows - 1) / 3);
	Plot plot = chart_begin(scene->canvas, (Rect) { in.row, in.col, in.rows - 1, in.cols }, first_steps(v), end_steps(v), &axis, &LABELS);
	Pen pen = { scene->canvas, in.row + in.rows - 1, in.col, in.col + in.cols };
	for (int i = 0; i < N; i++) {
		Quantile of = { v, LINES[i].at };
		double x, now;
		quantile_point(&of, v->n_points - 1, &x, &now);
		plot_series(&plot, &(Series) { .data = &of, .n = v->n_points, .at = quantile_point, .kind = LINES[i].kind, .role = LINES[i].role,
		            .letter = LINES[i].letter });
		scene_legend(&pen, LINES[i].role, scene->canvas->glyphs->sample, LINES[i].letter);
		scene_figure(&pen, LINES[i].name, ROLE_STRONG, fmt_number(text, now));
	}
}

/* ---- last update ---- */

typedef struct Figure {
	TrainMetric metric;
	const char *name;
	double warn_above, warn_below; /* NAN: never */
} Figure;

static const Figure FIGURES[] = {
	{ TRAIN_POLICY_GRADIENT_LOSS, "policy loss", NAN, NAN },
	{ TRAIN_CLIP_FRACTION, "clip frac", .3, NAN },
	{ TRAIN_VALUE_LOSS, "value loss", NAN, NAN },
	{ TRAIN_APPROX_KL, "approx KL", .1, NAN },
	{ TRAIN_ENTROPY_LOSS, "entropy", NAN, NAN },
	{ TRAIN_EXPLAINED_VARIANCE, "expl. var", NAN, .05 },
	{ TRAIN_GRAD_NORM, "grad norm", NAN, NAN },
	{ TRAIN_LOSS, "loss", NAN, NAN },
	{ TRAIN_LEARNING_RATE, "learn rate", NAN, NAN },
	{ TRAIN_ENT_COEF, "ent coef", NAN, NAN },
};
enum {
	N_FIGURES = sizeof FIGURES / sizeof *FIGURES,
	N_PAST = 8, /* the first ones: what a person sets has no curve */
	FIGURE_COLS = 20,
	PAST_COLS = 4,
};

static void draw_figure(const Scene *scene, const Figure *figure, int row, int col)
{
	char text[FMT_TEXT];
	double value = scene->train->now[figure->metric];
	bool is_odd = value > figure->warn_above || value < figure->warn_below;
	(void) canvas_text(scene->canvas, row, col, 11, ROLE_LABEL, figure->name);
	canvas_text_right(scene->canvas, row, col + FIGURE_COLS, 8, is_odd ? ROLE_WARN : ROLE_STRONG, fmt_number(text, value));
}

static void draw_update(const Scene *scene, Rect rect)
{
	const TrainView *v = scene->train;
	char note[64];
	(void) snprintf(note, sizeof note, "%lld of %lld", (long long) v->update, (long long) v->n_updates);
	Rect in = scene_box(scene, PANE_UPDATE, PANES, rect, note);
	int width = (in.cols - 2) / 2;
	for (int i = 0; i < N_FIGURES && i / 2 < in.rows; i++) {
		int row = in.row + i / 2, col = in.col + i % 2 * (width + 2);
		draw_figure(scene, &FIGURES[i], row, col);
		Curve curve = { .view = v, .metric = FIGURES[i].metric };
		if (width - FIGURE_COLS >= 5)
			plot_sparkline(scene->canvas, (Rect) { row, col + FIGURE_COLS + 1, 1, width - FIGURE_COLS - 1 },
			               &(Series) { .data = &curve, .n = v->n_points, .at = raw_point, .role = ROLE_SERIES_A,
			               .fill = ROLE_FILL_A }, first_steps(v), end_steps(v));
	}
}

/* Where there is room: each figure's whole past, on its own scale. */
static void draw_past(const Scene *scene, Rect rect)
{
	static const ChartLabels LABELS = { curve_label, NULL, "", 7 };
	const TrainView *v = scene->train;
	Rect in = scene_box(scene, PANE_PAST, PANES, rect, "smoothed over raw");
	int lines = N_PAST / PAST_COLS, height = in.rows / lines, width = (in.cols - 2 * (PAST_COLS - 1)) / PAST_COLS;
	for (int i = 0; v->n_points > 0 && i < N_PAST; i++) {
		int row = in.row + i / PAST_COLS * height, col = in.col + i % PAST_COLS * (width + 2);
		Curve curve = { .view = v, .metric = FIGURES[i].metric };
		Axis axis = curve_axis(&curve, false, height - 1);
		draw_figure(scene, &FIGURES[i], row, col);
		Plot plot = chart_begin(scene->canvas, (Rect) { row + 1, col, height - 1, width }, first_steps(v),
		                        end_steps(v), &axis, &LABELS);
		draw_lines(scene, &curve, &plot);
	}
}

/* ---- time ---- */

static void draw_time(const Scene *scene, Rect rect)
{
	static const char *const NAMES[4] = { "environment", "inference", "learning", "other" };
	static const Role ROLES[4] = { ROLE_SERIES_C, ROLE_SERIES_A, ROLE_SERIES_B, ROLE_LABEL };
	const TrainView *v = scene->train;
	char text[FMT_TEXT], note[48];
	(void) snprintf(note, sizeof note, "%s of training", fmt_duration(text, v->wall_s));
	Rect in = scene_box(scene, PANE_TIME, PANES, rect, note);
	for (int i = 0; i < 4 && i < in.rows; i++) {
		(void) canvas_text(scene->canvas, in.row + i, in.col, 11, ROLE_LABEL, NAMES[i]);
		canvas_text_right(scene->canvas, in.row + i, in.col + 18, 6, ROLE_TEXT, fmt_percent(text, v->time_share[i]));
		canvas_bar(scene->canvas, in.row + i, in.col + 19, in.cols - 19, v->time_share[i], ROLES[i]);
	}
	if (in.rows < 5)
		return;
	Pen pen = { scene->canvas, in.row + 4, in.col, in.col + in.cols };
	if (v->checkpoint_steps < 0) {
		(void) pen_item(&pen, ROLE_LABEL, "no checkpoint yet");
	} else {
		(void) pen_item(&pen, ROLE_LABEL, "checkpoint ");
		(void) pen_item(&pen, ROLE_TEXT, "%s steps", fmt_count(text, (double) v->checkpoint_steps));
		if (!pen_item(&pen, ROLE_LABEL, ", at %s", fmt_clock(text, v->checkpoint_wall_ms)))
			(void) pen_item(&pen, ROLE_LABEL, " %s", text);
	}
	if (in.rows > 5 && v->checkpoint_steps >= 0)
		canvas_text_tail(scene->canvas, in.row + 5, in.col, in.cols, ROLE_LABEL, v->checkpoint_path);
	if (in.rows > 6 && v->sink_dropped > 0)
		(void) canvas_textf(scene->canvas, in.row + 6, in.col, in.cols, ROLE_WARN, "! %lld records were not stored",
		                    (long long) v->sink_dropped);
}

/* ---- episode ---- */

static void episode_point(const void *data, int i, double *ret_x, double *ret_y)
{
	const EpisodeView *episode = data;
	*ret_x = i;
	*ret_y = episode->replicas[i] < 0 ? NAN : episode->replicas[i];
}

static int most_replicas(const EpisodeView *episode, int most)
{
	for (int i = 0; i < episode->n; i++)
		most = episode->replicas[i] > most ? episode->replicas[i] : most;
	return most;
}

static void draw_episode(const Scene *scene, Rect rect)
{
	const TrainView *v = scene->train;
	const EpisodeView *mine = &v->last_eval, *hpa = &v->last_eval_hpa;
	char text[FMT_TEXT];
	Rect in = scene_box(scene, PANE_EPISODE, PANES, rect, "the same traffic for both");
	if (!mine->n) {
		(void) canvas_text(scene->canvas, in.row + in.rows / 2, in.col, in.cols, ROLE_LABEL, "no evaluation yet");
		return;
	}
	Axis axis = axis_fit(0, most_replicas(hpa, most_replicas(mine, 1)), in.rows / 3);
	static const ChartLabels LABELS = { fmt_plain, NULL, "", 6 };
	Plot plot = chart_begin(scene->canvas, (Rect) { in.row, in.col, in.rows - 1, in.cols }, 0,
	                        (mine->n > hpa->n ? mine->n : hpa->n) - 1, &axis, &LABELS);
	plot_series(&plot, &(Series) { hpa, hpa->n, episode_point, PLOT_STEPS, ROLE_SERIES_B, .letter = 'h' });
	plot_series(&plot, &(Series) { mine, mine->n, episode_point, PLOT_STEPS, ROLE_SERIES_A, .letter = 'a' });
	Pen pen = { scene->canvas, in.row + in.rows - 1, in.col, in.col + in.cols };
	scene_legend(&pen, ROLE_SERIES_A, scene->canvas->glyphs->sample, 'a');
	scene_figure(&pen, "this policy, reward", ROLE_STRONG, fmt_number(text, mine->reward));
	scene_legend(&pen, ROLE_SERIES_B, scene->canvas->glyphs->sample, 'h');
	scene_figure(&pen, "HPA rule, reward", ROLE_STRONG, hpa->n ? fmt_number(text, hpa->reward) : "?");
	(void) pen_item(&pen, ROLE_LABEL, "over %d steps", mine->n);
}

/* ---- progress ---- */

static void draw_progress(const Scene *scene, Rect rect)
{
	const TrainView *v = scene->train;
	char done[FMT_TEXT], total[FMT_TEXT], eta[FMT_TEXT], share[FMT_TEXT], text[160] = "";
	double ratio = v->total_steps > 0 ? fmin(1, (double) v->steps / (double) v->total_steps) : NAN;
	int len = snprintf(text, sizeof text, "%s  %s of %s steps", fmt_percent(share, ratio), fmt_count(done, (double) v->steps),
	                   v->total_steps > 0 ? fmt_count(total, (double) v->total_steps) : "?");
	if (v->phase < TRAIN_DONE) /* else row 0 says how it ended */
		(void) snprintf(text + len, sizeof text - (size_t) len, "  ETA %s", isnan(v->eta_s) ? "--" : fmt_duration(eta, v->eta_s));
	int width = canvas_width(scene->canvas, text) + 1, room = rect.cols - width - 3;
	if (v->trouble[0]) {
		(void) canvas_textf(scene->canvas, rect.row, rect.col + 1, room, v->phase == TRAIN_FAILED ? ROLE_BAD : ROLE_WARN, "! %s", v->trouble);
	} else if (v->saved_path[0]) {
		Pen pen = { scene->canvas, rect.row, rect.col + 1, rect.col + 1 + room };
		(void) pen_item(&pen, ROLE_LABEL, "policy ");
		canvas_text_middle(scene->canvas, rect.row, pen.col, pen.end - pen.col, ROLE_TEXT, v->saved_path);
	} else if (room > 3) {
		canvas_bar(scene->canvas, rect.row, rect.col + 1, room, ratio, ROLE_SERIES_C);
	}
	canvas_text_right(scene->canvas, rect.row, rect.col + rect.cols - 1, rect.cols - 1, ROLE_TEXT, text);
}

static void draw(const Scene *scene, int pane, Rect rect)
{
	switch (pane) {
	case PANE_SPREAD: draw_spread(scene, rect); return;
	case PANE_UPDATE: draw_update(scene, rect); return;
	case PANE_TIME: draw_time(scene, rect); return;
	case PANE_PAST: draw_past(scene, rect); return;
	case PANE_EPISODE: draw_episode(scene, rect); return;
	case PANE_PROGRESS: draw_progress(scene, rect); return;
	default: draw_curve(scene, pane, rect); return;
	}
}

static void column(const Scene *scene, Rect rect)
{
	const TrainView *v = scene->train;
	char text[FMT_TEXT], more[FMT_TEXT];
	int row = rect.row;
	Canvas *c = scene->canvas;
	(void) canvas_textf(c, row++, 0, rect.cols, ROLE_STRONG, "%s %s", PHASES[v->phase], v->name);
	(void) canvas_textf(c, row++, 0, rect.cols, ROLE_TEXT, "update %lld of %lld", (long long) v->update,
	                    (long long) v->n_updates);
	(void) canvas_textf(c, row++, 0, rect.cols, ROLE_TEXT, "steps %s of %s", fmt_count(text, (double) v->steps),
	                    fmt_count(more, (double) v->total_steps));
	(void) canvas_textf(c, row++, 0, rect.cols, ROLE_TEXT, "reward %s", fmt_number(text, v->now[TRAIN_EP_REW_MEAN]));
	(void) canvas_textf(c, row++, 0, rect.cols, ROLE_TEXT, "length %s steps",
	                    fmt_number(text, v->now[TRAIN_EP_LEN_MEAN]));
	if (v->n_evals)
		(void) canvas_textf(c, row++, 0, rect.cols, ROLE_TEXT, "eval %s",
		                    fmt_number(text, (double) v->eval[v->n_evals - 1].mean_reward));
	(void) canvas_textf(c, row++, 0, rect.cols, ROLE_TEXT, "ETA %s", fmt_duration(text, v->eta_s));
	if (v->trouble[0])
		(void) canvas_textf(c, row, 0, rect.cols, ROLE_BAD, "! %s", v->trouble);
}

static bool is_there(const Console *console)
{
	return console->frame.train != NULL;
}

/* Of a training that has ended nothing can be changed; what follows it is for one that has. */
static bool offers(const Console *console, UiAction action)
{
	const TrainView *v = console->frame.train;
	bool is_over = v && v->phase >= TRAIN_DONE, is_whole = v && v->phase == TRAIN_DONE;
	switch (action) {
	case ACT_BEGIN: case ACT_FORK: case ACT_COMPARE: return is_over;
	case ACT_RESUME: return is_over && !is_whole;
	case ACT_TRAIN_ONE: return v && v->phase == TRAIN_PAUSED;
	case ACT_TRAIN_EVALUATE: return true;
	default: return !is_over || action < ACT_TRAIN_PAUSE || action > ACT_TRAIN_STOP;
	}
}

const ScreenOps screen_train = {
	.absent = "nothing trains here: {all.palette}begin does, {runs.resume} and {runs.fork} on Runs ({all.screen-runs}) too",
	.name = "Train", .pane = PANES, .n_panes = N_PANES, .is_there = is_there, .head = head, .draw = draw,
	.column = column, .act = train_act, .offers = offers, .tick_ms = 1000 /* some twenty figures change at each update */,
};
