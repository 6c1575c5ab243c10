/* See trend.h. The vector is one table of names; each group of features has a function that fills it. */
#include "decide/trend.h"

#include "decide/actions.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

static const float LIMIT = 5.0f, LONG_AGO_S = 1e6f, PRICE_AT_0 = .4f;
static const double WEEK_S = 7 * 86400.0, DAY_S = 86400.0;
static const double MONDAY_S = 4 * 86400.0; /* the epoch was a Thursday */

/* Load is in units of what the ready pods take at the soft limit, as rho is. */
static const struct {
	const char *name, *meaning;
} FEATURES[TREND_DIM] = {
	{ "rho", "traffic over what the ready pods take at the soft limit" },
	{ "d_rho", "change of rho since the last interval" },
	{ "slope_4", "rise of rho until a pod is up, by 4 intervals" },
	{ "slope_20", "rise of rho until a pod is up, by 20 intervals" },
	{ "seasonal_rise", "0: no source yet" },
	{ "seasonal_known", "0: no source yet" },
	{ "day_sin", "time of the day: height on its circle" },
	{ "day_cos", "time of the day: width on its circle" },
	{ "week_sin", "time of the week: height on its circle" },
	{ "week_cos", "time of the week: width on its circle" },
	{ "cpu", "cpu over the ready pods' requests" },
	{ "memory", "memory over the ready pods' limits" },
	{ "ln_p95", "logarithm of p95 over the soft limit; 0: at it" },
	{ "d_ln_p95", "change of ln_p95 since the last interval" },
	{ "spec", "replicas over the most there may be" },
	{ "coming", "replicas less ready pods, over the most there may be" },
	{ "coming_age", "age of the oldest pod not ready, in start-up times" },
	{ "startup", "time from a pod's start to ready, in intervals" },
	{ "spec_in_range", "replicas from the least (0) to the most (1)" },
	{ "since_up", "since replicas last rose, in 5 minutes" },
	{ "since_down", "since replicas last fell, in 5 minutes" },
	{ "was_down", "1: replicas fell in the last interval" },
	{ "was_keep", "1: replicas stayed in the last interval" },
	{ "was_up", "1: replicas rose in the last interval" },
	{ "errors", "0: no source yet" },
	{ "throttled", "0: no source yet" },
	{ "age", "age of the rate's sample, in intervals" },
	{ "imputed", "1: something is not known: 0, the rate as before" },
	{ "ln_price", "logarithm of the pod price over .4" },
	{ "noise", "scatter of the rate about its line, as rho" },
	{ "peak_20", "the most traffic of 20 intervals, as rho" },
	{ "ln_pods", "logarithm of replicas" },
	{ "mean_240", "mean traffic of 240 intervals, as rho" },
	{ "rise_240", "mean rise until a pod is up, of 240 intervals, as rho" },
	{ "peak_240", "the most traffic, fading in some 240 intervals, as rho" },
	{ "peak_rise_240", "the most rise until a pod is up, fading as slowly" },
};
static const int8_t STACKED_FEATURE[TREND_STACKED] = { 0, 10, 12 };

int32_t trend_dim(int32_t stack)
{
	return TREND_DIM + TREND_STACKED * (stack > 1 ? stack - 1 : 0);
}

const char *trend_feature(int32_t i, int32_t stack)
{
	static const char *const before[TREND_STACKED] = { "rho_before", "cpu_before", "ln_p95_before" };
	if (i < 0 || i >= trend_dim(stack))
		return "?";
	return i < TREND_DIM ? FEATURES[i].name : before[(i - TREND_DIM) % TREND_STACKED];
}

const char *trend_meaning(int32_t i, int32_t stack)
{
	return i < 0 || i >= trend_dim(stack) ? "" : i < TREND_DIM ? FEATURES[i].meaning : "the same of an earlier interval";
}

/* The price as feature 28: 0 at .4, in natural logarithms. */
static float price_feature(float pod_price)
{
	return pod_price > 0.0f ? logf(pod_price / PRICE_AT_0) : 0.0f;
}

static float clip(double x)
{
	return !(x > -(double) LIMIT) ? -LIMIT : x > (double) LIMIT ? LIMIT : (float) x;
}

/* ---- what is remembered ---- */

/* Intervals since the sample before, at least one; at most what the history holds. */
static int32_t intervals_since(const TrendState *state, const Sample *sample, float interval_s)
{
	if (!state->n || !state->wall_ms || sample->wall_ms <= state->wall_ms) /* 0: its past was filled in */
		return 1;
	double passed = (double) (sample->wall_ms - state->wall_ms) / (1e3 * (double) interval_s);
	return passed < 1.5 ? 1 : passed > TREND_WINDOW ? TREND_WINDOW : (int32_t) (passed + .5);
}

static void remember_change(TrendState *state, int32_t replicas, float passed_s)
{
	bool is_first = !state->replicas;
	state->up_s = is_first ? LONG_AGO_S : fminf(state->up_s + passed_s, LONG_AGO_S);
	state->down_s = is_first ? LONG_AGO_S : fminf(state->down_s + passed_s, LONG_AGO_S);
	state->action = ACTION_KEEP;
	if (!is_first && replicas > state->replicas) {
		state->action = ACTION_UP;
		state->up_s = passed_s; /* it was written when the interval began */
	} else if (!is_first && replicas < state->replicas) {
		state->action = ACTION_DOWN;
		state->down_s = passed_s;
	}
	state->replicas = replicas;
}

static float rate_before(const TrendState *state, int32_t k)
{
	return state->rps[(state->at - k + TREND_WINDOW) % TREND_WINDOW];
}

/* How wild the traffic is over an hour: a rise within a start-up time is what pods cannot be ready for unless they are there. */
static void remember_long(TrendState *state, float rps, int32_t horizon)
{
	static const float FADE = 1.0f - .5f / TREND_HISTORY;
	float rise = horizon < state->n ? rps - rate_before(state, horizon) : 0.0f;
	rise = rise > 0.0f ? rise : 0.0f;
	state->n_long += state->n_long < TREND_HISTORY;
	float part = 1.0f / (float) state->n_long;
	state->mean_rps += part * (rps - state->mean_rps);
	state->rise_rps += part * (rise - state->rise_rps);
	state->peak_rps = fmaxf(rps, FADE * state->peak_rps);
	state->rise_peak_rps = fmaxf(rise, FADE * state->rise_peak_rps);
}

static void remember_rate(TrendState *state, float rps, int32_t intervals, float horizon)
{
	int32_t back = horizon < TREND_WINDOW - 1 ? (int32_t) (horizon + .5f) : TREND_WINDOW - 1;
	for (int32_t k = 0; k < intervals; k++) {
		state->at = state->n ? (state->at + 1) % TREND_WINDOW : 0;
		state->rps[state->at] = rps;
		state->n += state->n < TREND_WINDOW;
		remember_long(state, rps, back);
	}
}

/* ---- lines through the past ---- */

/* The least-squares slope of the last n rates, an interval; their level at its end, and the mean square about it. */
static double slope_of(const TrendState *state, int32_t n, double *ret_residual)
{
	double sum = 0.0, cross = 0.0, squares = 0.0;
	if (n < 2)
		return *ret_residual = 0.0;
	double middle = .5 * (n - 1), spread = (double) n * ((double) n * n - 1.0) / 12.0;
	for (int32_t k = 0; k < n; k++) {
		double y = (double) rate_before(state, k);
		sum += y;
		squares += y * y;
		cross += (middle - k) * y;
	}
	double slope = cross / spread, about = squares - sum * sum / n - slope * cross;
	*ret_residual = about > 0.0 && n > 2 ? sqrt(about / (n - 2)) : 0.0;
	return slope;
}

/* ---- what the target does not say ---- */

/* Requests a second that one pod takes at the soft limit: the service model's; else from what a request costs here, at the share of
 * its limit at which the default service reaches 250 ms. 0: not known. */
static float capacity_of(TrendState *state, const Target *target, const Sample *sample)
{
	static const double SHARE_AT_SOFT = .7, KEEP = .9;
	if (target->pod_capacity_rps > 0.0f)
		return target->pod_capacity_rps;
	bool is_known = (sample->valid & SAMPLE_CPU) && (sample->valid & SAMPLE_RPS) && sample->rps > 0.0 &&
		sample->cpu_cores > 0.0 && sample->cpu_request_cores > 0.0;
	if (is_known) {
		double now = SHARE_AT_SOFT * sample->cpu_request_cores * sample->rps / sample->cpu_cores;
		state->capacity_rps = state->capacity_rps > 0.0f ? (float) (KEEP * (double) state->capacity_rps + (1.0 - KEEP) * now)
			: (float) now;
	}
	return state->capacity_rps;
}

/* Of the pods listed: the longest from start to ready that is no restart. */
static float startup_of(TrendState *state, const Target *target, const Sample *sample)
{
	static const int64_t MOST_MS = 600000;
	static const float UNKNOWN_S = 30.0f;
	if (target->startup_s > 0.0f)
		return target->startup_s;
	int64_t longest = 0;
	for (size_t i = 0; sample->pods && i < sample->n_pods; i++) {
		const PodSample *pod = &sample->pods[i];
		int64_t took = pod->start_age_ms - pod->ready_age_ms;
		if (pod->ready == READY_TRUE && pod->has_start_time && took > longest && took <= MOST_MS)
			longest = took;
	}
	if (longest > 0)
		state->startup_s = 1e-3f * (float) longest;
	return state->startup_s > 0.0f ? state->startup_s : UNKNOWN_S;
}

static double oldest_coming_s(const Sample *sample)
{
	int64_t oldest = sample->coming_age_ms;
	for (size_t i = 0; sample->pods && i < sample->n_pods; i++) {
		const PodSample *pod = &sample->pods[i];
		if (pod->ready != READY_TRUE && !pod->is_deleting && pod->has_start_time && pod->start_age_ms > oldest)
			oldest = pod->start_age_ms;
	}
	return 1e-3 * (double) oldest;
}

/* ---- groups of features ---- */

/* The first four, the noise and the peak: traffic in units of what the ready pods take. */
static void fill_traffic(const TrendState *state, double capacity, double horizon, float *x)
{
	double short_rest, long_rest, peak = 0.0;
	int32_t n = state->n;
	double slope_short = slope_of(state, n < TREND_SHORT ? n : TREND_SHORT, &short_rest);
	double slope_long = slope_of(state, n, &long_rest);
	for (int32_t k = 0; k < n; k++)
		peak = fmax(peak, (double) rate_before(state, k));
	x[TREND_RHO] = clip((double) rate_before(state, 0) / capacity);
	x[1] = n > 1 ? clip((double) (x[TREND_RHO] - state->rho)) : 0.0f;
	x[TREND_SLOPE_SHORT] = clip(slope_short * horizon / capacity);
	x[TREND_SLOPE_LONG] = clip(slope_long * horizon / capacity);
	x[TREND_NOISE] = clip(long_rest / capacity);
	x[TREND_PEAK] = clip(peak / capacity);
	x[TREND_MEAN_LONG] = clip((double) state->mean_rps / capacity);
	x[TREND_RISE_LONG] = clip((double) state->rise_rps / capacity);
	x[TREND_PEAK_LONG] = clip((double) state->peak_rps / capacity);
	x[TREND_RISE_PEAK] = clip((double) state->rise_peak_rps / capacity);
}

static void fill_calendar(int64_t wall_ms, float *x)
{
	static const double TURN = 6.283185307179586;
	double t = 1e-3 * (double) wall_ms - MONDAY_S;
	double day = TURN * fmod(t, DAY_S) / DAY_S, week = TURN * fmod(t, WEEK_S) / WEEK_S;
	x[6] = (float) sin(day);
	x[7] = (float) cos(day);
	x[8] = (float) sin(week);
	x[9] = (float) cos(week);
}

/* True: all is known. */
static bool fill_load(const TrendState *state, const Target *target, const Sample *sample, int32_t ready, float *x)
{
	static const double LN_MOST = 3.0;
	bool is_idle = (sample->valid & SAMPLE_RPS) && sample->rps <= 0.0;
	bool has_cpu = (sample->valid & SAMPLE_CPU) && sample->cpu_request_cores > 0.0;
	bool has_memory = (sample->valid & SAMPLE_MEM) && sample->mem_limit_bytes > 0.0;
	bool has_latency = (sample->valid & SAMPLE_LATENCY) && target->latency_soft_ms > 0.0f;
	double ln_p95 = is_idle ? -LN_MOST : 0.0;
	if (has_latency)
		ln_p95 = fmin(fmax(log(fmax(sample->latency_ms, 1e-3) / (double) target->latency_soft_ms), -LN_MOST), LN_MOST);
	x[10] = has_cpu ? clip(sample->cpu_cores / (ready * sample->cpu_request_cores)) : 0.0f;
	x[11] = has_memory ? clip(sample->mem_bytes / (ready * sample->mem_limit_bytes)) : 0.0f;
	x[TREND_LATENCY] = (float) ln_p95;
	x[13] = state->n > 1 ? clip(ln_p95 - (double) state->ln_p95) : 0.0f;
	return has_cpu && has_memory && (has_latency || is_idle);
}

static void fill_pods(const TrendState *state, const Target *target, const Sample *sample, double startup_s, float interval_s,
                      float *x)
{
	double max = target->max_replicas, spec = sample->replicas, range = max - target->min_replicas;
	x[TREND_SPEC] = clip(spec / max);
	x[TREND_COMING] = clip((spec - sample->ready) / max);
	x[16] = clip(oldest_coming_s(sample) / startup_s);
	x[TREND_STARTUP] = clip(startup_s / (double) interval_s);
	x[18] = range > 0.0 ? clip((spec - target->min_replicas) / range) : 0.0f;
	x[19] = clip((double) state->up_s / 300.0);
	x[20] = clip((double) state->down_s / 300.0);
	x[21 + state->action] = 1.0f;
	x[TREND_PODS] = clip(log(fmax(spec, 1.0)));
}

static void fill_stack(TrendState *state, int32_t stack, float *x)
{
	for (int32_t k = 1; k < stack; k++) {
		int32_t at = (state->stack_at - k + TREND_STACK_MAX) % TREND_STACK_MAX;
		memcpy(x + TREND_DIM + TREND_STACKED * (k - 1), state->stacked[at], sizeof state->stacked[at]);
	}
	for (int32_t i = 0; i < TREND_STACKED; i++)
		state->stacked[state->stack_at][i] = x[STACKED_FEATURE[i]];
	state->stack_at = (state->stack_at + 1) % TREND_STACK_MAX;
}

void trend_step(TrendState *state, const Target *target, const Sample *sample, float interval_s, int32_t stack, float *ret_x)
{
	float x[TREND_DIM + TREND_STACKED * (TREND_STACK_MAX - 1)] = { 0 };
	bool has_rate = sample->valid & SAMPLE_RPS;
	int32_t intervals = intervals_since(state, sample, interval_s), ready = sample->ready > 0 ? sample->ready : 1;
	float capacity = capacity_of(state, target, sample);
	double startup_s = (double) startup_of(state, target, sample), horizon = (startup_s + (double) interval_s) / (double) interval_s;
	remember_change(state, sample->replicas, (float) intervals * interval_s);
	if (has_rate || state->n)
		remember_rate(state, has_rate ? (float) sample->rps : rate_before(state, 0), intervals, (float) horizon);
	if (capacity > 0.0f && state->n)
		fill_traffic(state, (double) ready * (double) capacity, horizon, x);
	fill_calendar(sample->wall_ms, x);
	bool is_whole = fill_load(state, target, sample, ready, x) && has_rate && capacity > 0.0f;
	fill_pods(state, target, sample, startup_s, interval_s, x);
	x[26] = clip(1e-3 * (double) sample->age_ms[3] / (double) interval_s); /* of the rate */
	x[TREND_IMPUTED] = is_whole ? 0.0f : 1.0f;
	x[TREND_PRICE] = price_feature(target->pod_price);
	fill_stack(state, stack, x);
	state->rho = x[TREND_RHO];
	state->ln_p95 = x[TREND_LATENCY];
	state->wall_ms = sample->wall_ms;
	if (ret_x)
		memcpy(ret_x, x, (size_t) trend_dim(stack) * sizeof *x);
}

void trend_fill(TrendState *state, const Target *target, float interval_s, const float *rps, int32_t n)
{
	for (int32_t k = 0; k < n; k++)
		remember_rate(state, rps[k], 1, (target->startup_s + interval_s) / interval_s);
}

/* ---- a rule to start from ---- */

/* The allowed action of a direction that leads nearest to `need` pods, the first of such; -1: none is allowed. */
static int32_t nearest(ActionSet actions, uint32_t mask, int32_t direction, float replicas, float need)
{
	int32_t best = -1;
	float least = INFINITY;
	for (int32_t a = 0; a < actions_count(actions); a++) {
		float off = fabsf((float) actions_wish(actions, a, (int32_t) (replicas + .5f)) - need);
		if ((mask >> a & 1u) && actions_direction(actions, a) == direction && off < least) {
			best = a;
			least = off;
		}
	}
	return best;
}

int32_t trend_rule(const float *x, ActionSet actions, uint32_t mask, int32_t max_replicas)
{
	static const float LOW_PRICE = -2.0f, HIGH_PRICE = 2.0f, LOW_USE = .55f, USE_A_UNIT = .11f, DEAD_BAND = .35f;
	float price = fminf(fmaxf(x[TREND_PRICE], LOW_PRICE), HIGH_PRICE), use = LOW_USE + USE_A_UNIT * (price - LOW_PRICE);
	float spec = x[TREND_SPEC] * (float) max_replicas, ready = fmaxf(spec - x[TREND_COMING] * (float) max_replicas, 1.0f);
	float rise = .5f * (x[TREND_SLOPE_SHORT] + x[TREND_SLOPE_LONG]);
	float need = ready * (x[TREND_RHO] + fmaxf(rise, 0.0f) + .5f * x[TREND_NOISE]) / use;
	int32_t up, down;
	if (x[TREND_LATENCY] > 0.0f && x[TREND_COMING] <= 0.0f)
		need = fmaxf(need, spec + .5f);
	if (need > spec && (up = nearest(actions, mask, ACTION_UP, spec, ceilf(need))) >= 0)
		return up;
	if (need < spec - 1.0f - DEAD_BAND && (down = nearest(actions, mask, ACTION_DOWN, spec, ceilf(need))) >= 0)
		return down;
	return nearest(actions, mask, ACTION_KEEP, spec, spec);
}
