/*
 * From the counters in the pods to what the agent sees (SIM section 5): cAdvisor copies cpu and memory when it keeps
 * house, the scraper copies everything at its own phase, Prometheus answers from what was scraped.
 *
 * Histories hold the counters of every sub-step that a window can reach, so a scrape needs no copy: which sub-steps were
 * scraped follows from a pod's phase and life. cAdvisor's visits come at random and are stepped through when asked for.
 *
 * cpu samples carry cAdvisor's own time stamp, and a stamp that Prometheus has already is no new sample, as on a
 * cluster. So they may be 30 s old, and what rate() does not extrapolate to is missing from the cpu.
 */
#include "sim/core.h"
#include "sim/promql.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- cAdvisor ---- */

/* A pod's draws are its own, whoever asks when: bytes of Philox blocks counted by its serial number. */
static int32_t next_jitter(const SimRow *row, Pod *pod)
{
	uint32_t k = pod->n_jitter++ % JITTERS;
	if (!k) {
		const uint32_t key[] = { (uint32_t) row->seed, (uint32_t) (row->seed >> 32) };
		const uint32_t counter[] = { pod->serial << 16 | (pod->n_jitter / JITTERS & 0xffff), row->episode, row->id,
			RNG_METRICS };
		uint32_t word[4];
		rng_philox(counter, key, word);
		memcpy(pod->jitter, word, sizeof pod->jitter);
	}
	return pod->jitter[k];
}

static void keep_house(const SimModel *model, const SimRow *row, Pod *pod, int32_t tick)
{
	while (pod->house_at <= (int64_t) tick * HOUSE_PARTS) {
		pod->house_stamp = (int32_t) ((pod->house_at + HOUSE_PARTS - 1 + (INT64_C(1) << 40)) / HOUSE_PARTS -
		                              (INT64_C(1) << 40) / HOUSE_PARTS); /* rounded up, before time 0 too */
		pod->house_at += model->house_every + (model->house_jitter * next_jitter(row, pod) + 128) / 256;
	}
}

/* Scrapes up to the present: what cAdvisor has new becomes a sample. */
static void catch_up(const SimModel *model, const SimRow *row, Pod *pod, int32_t *stamp)
{
	int32_t until = pod->gone_tick < row->tick ? pod->gone_tick : (int32_t) row->tick;
	for (; pod->scrape_tick <= until; pod->scrape_tick += model->scrape_ticks) {
		keep_house(model, row, pod, pod->scrape_tick);
		if (pod->house_stamp == INT32_MAX || (pod->n_stamps && stamp[pod->stamp] == pod->house_stamp))
			continue;
		pod->stamp = pod->stamp + 1 < model->stamps ? pod->stamp + 1 : 0;
		stamp[pod->stamp] = pod->house_stamp;
		pod->n_stamps += pod->n_stamps < model->stamps;
	}
}

/* ---- queries ---- */

enum { WINDOWS = 8, WIDTH = COLUMN_WITHIN - COLUMN_SERVED + POINTS };

typedef struct Span { /* samples of a pod in a window, sub-steps */
	int32_t n, first, last;
} Span;

typedef struct Shared { /* a window over a cohort's history that several pods have */
	int32_t cohort, pods;
	Span span;
} Shared;

typedef struct Answer { /* sums over the pods, and the newest sample that went in */
	double series[WIDTH]; /* rates over the latency window, by column from COLUMN_SERVED on */
	double rps, cpu, mem;
	Shared shared[WINDOWS];
	int32_t n_shared, n_bucket, n_rps, n_cpu, n_mem, ready;
	int64_t bucket_tick, rps_tick, cpu_tick, mem_tick;
} Answer;

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* A pod's own counters, in the last `ticks` sub-steps. */
static Span scraped(const SimModel *model, const SimRow *row, const Pod *pod, int32_t ticks)
{
	int32_t step = model->scrape_ticks, last = pod->scrape_tick - step, from = (int32_t) row->tick - ticks + 1;
	from = from > pod->listen_tick ? from : pod->listen_tick;
	if (last < from)
		return (Span) { 0 };
	int32_t steps = (last - from) / step;
	return (Span) { steps + 1, last - steps * step, last };
}

/* rate() of two samples of a cohort's column: entries at first and last. */
static double rate_of(const RateWindow *window, const float *history, int32_t first, int32_t last)
{
	const double value[] = { (double) history[first], (double) history[last] };
	return rate_value(window, value, 1);
}

static RateWindow window_of(const SimModel *model, const SimRow *row, Span span, int64_t range_ms)
{
	RateWindow window;
	int64_t ms = model->dt_ms;
	(void) rate_window_at(span.n, span.first * ms, span.last * ms, row->tick * ms, range_ms, &window);
	window.last = window.size = 1;
	return window;
}

/* Adds the rates of everything that is counted over a window, once for each pod that has it. */
static void add_shared(const SimModel *model, const SimRow *row, const SimView *view, const Shared *shared, double *sum)
{
	int32_t n = COLUMN_WITHIN + model->response->bounds + 1 - COLUMN_SERVED;
	const Cohort *cohort = &view->cohort[shared->cohort];
	const float *history = cohort_history(model, view, shared->cohort) + COLUMN_SERVED;
	const float *first = history + cohort_entry(model, row, cohort, shared->span.first) * model->columns;
	const float *last = history + cohort_entry(model, row, cohort, shared->span.last) * model->columns;
	double value[2 * WIDTH];
	RateWindow window = window_of(model, row, shared->span, model->latency_window_ms);
	window.is_old = cohort->is_old;
	double pods = shared->pods;
	for (int32_t k = 0; k < n; k++) {
		value[k] = pods * (double) first[k];
		value[WIDTH + k] = pods * (double) last[k];
	}
	rate_add(&window, value, WIDTH, n, sum);
}

static void flush(const SimModel *model, const SimRow *row, const SimView *view, Answer *answer)
{
	for (int32_t k = 0; k < answer->n_shared; k++)
		add_shared(model, row, view, &answer->shared[k], answer->series);
	answer->n_shared = 0;
}

/* Pods of one cohort with one scrape phase have one rate. */
static void share_window(const SimModel *model, const SimRow *row, const SimView *view, int32_t cohort, Span span,
                         Answer *answer)
{
	for (int32_t k = 0; k < answer->n_shared; k++) {
		Shared *shared = &answer->shared[k];
		if (shared->cohort == cohort && shared->span.first == span.first && shared->span.last == span.last) {
			shared->pods++;
			return;
		}
	}
	if (answer->n_shared == WINDOWS)
		flush(model, row, view, answer);
	answer->shared[answer->n_shared++] = (Shared) { cohort, 1, span };
}

static void add_requests(const SimModel *model, const SimRow *row, const SimView *view, const Pod *pod, Answer *answer)
{
	Span span = scraped(model, row, pod, model->latency_ticks);
	if (span.n >= 2) {
		if (pod->cohort >= 0)
			share_window(model, row, view, pod->cohort, span, answer);
		answer->bucket_tick = later(answer->bucket_tick, span.last);
		answer->n_bucket++;
	}
	if (model->rate_window_ms == model->latency_window_ms)
		return;
	span = scraped(model, row, pod, model->rate_ticks);
	if (span.n >= 2) {
		if (pod->cohort >= 0) {
			RateWindow window = window_of(model, row, span, model->rate_window_ms);
			const Cohort *cohort = &view->cohort[pod->cohort];
			const float *history = cohort_history(model, view, pod->cohort);
			int32_t first = cohort_entry(model, row, cohort, span.first) * model->columns;
			int32_t last = cohort_entry(model, row, cohort, span.last) * model->columns;
			answer->rps += rate_of(&window, history + COLUMN_ERROR, first, last) +
			               rate_of(&window, history + COLUMN_WITHIN + model->response->bounds, first, last);
		}
		answer->rps_tick = later(answer->rps_tick, span.last);
		answer->n_rps++;
	}
}

static void add_cpu(const SimModel *model, const SimRow *row, const SimView *view, const Pod *pod, const int32_t *stamp,
                    Answer *answer)
{
	Span span = { .last = stamp[pod->stamp] };
	for (int32_t at = pod->stamp; span.n < pod->n_stamps && stamp[at] > row->tick - model->rate_ticks; span.n++) {
		span.first = stamp[at];
		at = at ? at - 1 : model->stamps - 1;
	}
	if (span.n < 2)
		return;
	if (pod->cohort >= 0) {
		RateWindow window = window_of(model, row, span, model->rate_window_ms);
		const Cohort *cohort = &view->cohort[pod->cohort];
		int32_t first = cohort_entry(model, row, cohort, span.first) * model->columns;
		int32_t last = cohort_entry(model, row, cohort, span.last) * model->columns;
		answer->cpu += rate_of(&window, cohort_history(model, view, pod->cohort) + COLUMN_CPU_S, first, last);
	}
	answer->cpu_tick = later(answer->cpu_tick, span.last);
	answer->n_cpu++;
}

static void add_memory(const SimModel *model, const SimRow *row, const SimView *view, const Pod *pod,
                       const int32_t *stamp, Answer *answer)
{
	if (pod->state != LANE_POD || !pod->n_stamps) /* an instant value goes stale with its pod */
		return;
	const Service *s = &model->config.service;
	double bytes = s->mem_base_bytes;
	int32_t newest = stamp[pod->stamp];
	if (pod->cohort >= 0 && row->tick - newest < model->depth) {
		const Cohort *cohort = &view->cohort[pod->cohort];
		int32_t at = cohort_entry(model, row, cohort, newest) * model->columns + COLUMN_N;
		bytes += s->mem_inflight_bytes * (double) cohort_history(model, view, pod->cohort)[at] +
		         s->mem_leak_bytes * (cohort->served + pod->served_apart);
	}
	answer->mem += bytes < s->mem_limit_bytes ? bytes : s->mem_limit_bytes;
	answer->mem_tick = later(answer->mem_tick, newest);
	answer->n_mem++;
}

static double p95_ms_of(const SimModel *model, const Answer *answer)
{
	const Response *r = model->response;
	double bucket[BUCKETS + 1] = { 0 };
	int32_t n = r->first > 0;
	for (int32_t p = 0; p < r->bounds; p++)
		bucket[n++] = answer->series[COLUMN_WITHIN - COLUMN_SERVED + p];
	while (n < r->n_buckets)
		bucket[n++] = answer->series[0];
	return histogram_quantile(.95, r->bucket_ms, bucket, r->n_buckets);
}

static void give(Sample *sample, int bit, bool is_there, int64_t newest_ms, const char *name)
{
	if (is_there) {
		sample->valid |= 1u << bit;
		sample->age_ms[bit] = sample->wall_ms - newest_ms;
		return;
	}
	size_t used = strlen(sample->missing);
	(void) snprintf(sample->missing + used, sizeof sample->missing - used, "%s%s", used ? "; " : "", name);
}

void scrape_query(const SimModel *model, SimRow *row, const SimView *view, double now_s, Sample *ret_sample)
{
	int64_t tick = row->tick, ms = model->dt_ms;
	Answer answer = { .bucket_tick = INT32_MIN, .rps_tick = INT32_MIN, .cpu_tick = INT32_MIN, .mem_tick = INT32_MIN };
	double coming_s = 0.0;
	for (int32_t k = 0; k < row->n_used; k++) {
		Pod *pod = &view->pod[view->order[k]];
		int32_t *stamp = view->stamp + view->order[k] * model->stamps;
		catch_up(model, row, pod, stamp);
		add_requests(model, row, view, pod, &answer);
		add_cpu(model, row, view, pod, stamp, &answer);
		add_memory(model, row, view, pod, stamp, &answer);
		answer.ready += pod_is_ready(pod, now_s);
		if (pod->state == LANE_POD && pod->ready_s > now_s && pod->deleted_s > now_s && now_s - pod->created_s > coming_s)
			coming_s = now_s - pod->created_s;
	}
	flush(model, row, view, &answer);
	if (model->rate_window_ms == model->latency_window_ms) {
		answer.rps = answer.series[COLUMN_ERROR - COLUMN_SERVED] +
		             answer.series[COLUMN_WITHIN - COLUMN_SERVED + model->response->bounds];
		answer.n_rps = answer.n_bucket;
		answer.rps_tick = answer.bucket_tick;
	}
	double p95_ms = answer.n_bucket ? p95_ms_of(model, &answer) : NAN;
	*ret_sample = (Sample) {
		.wall_ms = tick * ms, .cpu_cores = answer.cpu, .mem_bytes = answer.mem, .latency_ms = p95_ms, .rps = answer.rps,
		.replicas = row->replicas, .ready = answer.ready, .cpu_request_cores = model->config.service.cpu_request,
		.mem_limit_bytes = model->config.service.mem_limit_bytes,
		.coming_age_ms = llround(1e3 * coming_s),
	};
	give(ret_sample, 0, answer.n_cpu > 0, ms * answer.cpu_tick, "cpu: no pod has two scrapes");
	give(ret_sample, 1, answer.n_mem > 0, ms * answer.mem_tick, "memory: no pod was scraped");
	give(ret_sample, 2, !isnan(p95_ms), ms * answer.bucket_tick, "latency: no requests in the window");
	give(ret_sample, 3, answer.n_rps > 0, ms * answer.rps_tick, "rps: no pod has two scrapes");
	give(ret_sample, 4, true, tick * ms, "");
}
