/*
 * The life of a pod: created, bound, pulled, booted, ready at a probe, warm; deleted, taken from the endpoints,
 * drained, gone. All its times are drawn when it is created; afterwards only time passes.
 */
#include "sim/core.h"

#include <math.h>
#include <string.h>

static const double LONG_AGO_S = 3600.0;
static const double DRAINED = .1; /* requests: less than this in a deleted pod is nothing */

static double lognormal(Rng *rng, double mean, double cv)
{
	double variance = log(1.0 + cv * cv);
	return mean * exp(sqrt(variance) * rng_normal(rng) - .5 * variance);
}

/* A free lane, else the one whose pod is gone the longest: its last samples are forgotten early. -1: none. */
static int32_t find_lane(const SimModel *model, const SimRow *row, const Pods *pods)
{
	if (row->n_used < model->lanes)
		for (int32_t i = 0; i < model->lanes; i++)
			if (pods->state[i] == LANE_FREE)
				return i;
	int32_t oldest = -1;
	for (int32_t k = 0; k < row->n_used; k++) {
		int32_t i = pods->order[k];
		if (pods->state[i] == LANE_GONE && (oldest < 0 || pods->gone_s[i] < pods->gone_s[oldest]))
			oldest = i;
	}
	return oldest;
}

static void forget_lane(SimRow *row, Pods *pods, int32_t lane)
{
	int32_t kept = 0;
	for (int32_t k = 0; k < row->n_used; k++)
		if (pods->order[k] != lane)
			pods->order[kept++] = pods->order[k];
	row->n_used = kept;
	pods->state[lane] = LANE_FREE;
}

/* Takes a lane and clears it; the caller sets the times. -1: none. */
static int32_t open_lane(const SimModel *model, SimRow *row, Pods *pods)
{
	int32_t lane = find_lane(model, row, pods);
	if (lane < 0)
		return -1;
	if (pods->state[lane] == LANE_GONE)
		forget_lane(row, pods, lane);
	pods->order[row->n_used++] = lane;
	pods->state[lane] = LANE_POD;
	pods->n[lane] = pods->share[lane] = 0.0;
	pods->deleted_s[lane] = pods->gone_s[lane] = INFINITY;
	pods->head[lane] = pods->len[lane] = pods->cpu_head[lane] = pods->cpu_len[lane] = 0;
	pods->house_ms[lane] = pods->mem_ms[lane] = INT64_MIN;
	memset(&pods->counter[lane * COUNTERS], 0, COUNTERS * sizeof *pods->counter);
	memset(&pods->arrived[lane * ARRIVAL_RING], 0, ARRIVAL_RING * sizeof *pods->arrived);
	/* phases of its scrape and of its housekeeping */
	pods->scrape_tick[lane] = row->tick + 1 + (int64_t) rng_below(&row->metrics, (uint32_t) model->scrape_ticks);
	pods->house_next_s[lane] = core_now_s(model, row) +
	                           model->config.service.cadvisor_interval * rng_uniform(&row->metrics);
	return lane;
}

static void create_pod(const SimModel *model, SimRow *row, Pods *pods, double now_s)
{
	const Service *s = &model->config.service;
	int32_t lane = open_lane(model, row, pods);
	if (lane < 0)
		return; /* too many are draining: as on a full cluster, it waits */
	Rng *rng = &row->lifecycle;
	double bound = now_s + s->start_sched_min + (s->start_sched_max - s->start_sched_min) * rng_uniform(rng);
	double pull = lognormal(rng, s->start_pull_mean, s->start_pull_cv);
	double boot = lognormal(rng, s->start_boot_mean, s->start_boot_cv);
	pods->created_s[lane] = now_s;
	pods->running_s[lane] = bound + (rng_uniform(rng) < s->start_cached ? 0.0 : pull);
	pods->listen_s[lane] = pods->running_s[lane] + boot;
	double probes = ceil(fmax(boot - s->readiness_delay, 0.0) / s->readiness_period);
	pods->ready_s[lane] = pods->running_s[lane] + s->readiness_delay + probes * s->readiness_period;
}

void pods_add_settled(const SimModel *model, SimRow *row, Pods *pods, double n)
{
	int32_t lane = open_lane(model, row, pods);
	pods->n[lane] = n;
	pods->created_s[lane] = pods->running_s[lane] = pods->listen_s[lane] = pods->ready_s[lane] =
		core_now_s(model, row) - LONG_AGO_S;
}

/* The order of the ReplicaSet controller: not ready before ready, then the most recently ready, then the newest. */
static int32_t choose_victim(const SimRow *row, const Pods *pods, double now_s)
{
	int32_t victim = -1;
	double victim_ready = 0.0;
	for (int32_t k = 0; k < row->n_used; k++) { /* oldest first, so that ties go to the newest */
		int32_t i = pods->order[k];
		if (pods->state[i] != LANE_POD || pods->deleted_s[i] <= now_s)
			continue;
		double ready = pods->ready_s[i] <= now_s ? pods->ready_s[i] : INFINITY;
		if (victim < 0 || ready >= victim_ready) {
			victim = i;
			victim_ready = ready;
		}
	}
	return victim;
}

static void end_pod(SimRow *row, Pods *pods, int32_t lane, double now_s)
{
	if (pods->n[lane] > DRAINED) { /* the grace is over: what is left is lost */
		pods->counter[lane * COUNTERS + COUNTER_ERROR] += pods->n[lane];
		row->totals.dropped += pods->n[lane];
	}
	pods->n[lane] = 0.0;
	pods->state[lane] = LANE_GONE;
	pods->gone_s[lane] = now_s;
}

static void age_lanes(const SimModel *model, SimRow *row, Pods *pods, double now_s)
{
	const Service *s = &model->config.service;
	for (int32_t k = row->n_used - 1; k >= 0; k--) {
		int32_t i = pods->order[k];
		if (pods->state[i] == LANE_GONE) {
			if (now_s - pods->gone_s[i] > 1e-3 * (double) model->keep_ms)
				forget_lane(row, pods, i);
		} else if (pods->deleted_s[i] <= now_s) {
			bool is_drained = now_s >= pods->deleted_s[i] + s->term_endpoint_lag && pods->n[i] <= DRAINED;
			if (is_drained || now_s >= pods->deleted_s[i] + s->grace)
				end_pod(row, pods, i, now_s);
		}
	}
}

void pods_update(const SimModel *model, SimRow *row, Pods *pods, double now_s)
{
	age_lanes(model, row, pods, now_s);
	int32_t alive = 0;
	for (int32_t k = 0; k < row->n_used; k++)
		alive += pods->state[pods->order[k]] == LANE_POD && pods->deleted_s[pods->order[k]] > now_s;
	for (; alive < row->replicas; alive++)
		create_pod(model, row, pods, now_s);
	for (; alive > row->replicas; alive--) {
		int32_t victim = choose_victim(row, pods, now_s);
		pods->deleted_s[victim] = now_s;
		if (pods->running_s[victim] > now_s)
			end_pod(row, pods, victim, now_s);
	}
}
