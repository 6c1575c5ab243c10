/*
 * From the counters in the pods to what the agent sees (SIM section 5): cAdvisor copies cpu and memory when it keeps
 * house, the scraper copies everything at its own phase, Prometheus answers from what was scraped.
 *
 * cpu samples carry cAdvisor's own time stamp, and a stamp that Prometheus has already is no new sample, as on a
 * cluster. So they may be 30 s old, and what rate() does not extrapolate to is missing from the cpu.
 */
#include "sim/core.h"
#include "sim/promql.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static int32_t ring_push(int32_t *head, int32_t *len, int32_t size)
{
	int32_t at = *head + *len;
	if (*len < size) {
		(*len)++;
		return at < size ? at : at - size;
	}
	at = *head;
	*head = at + 1 < size ? at + 1 : 0;
	return at;
}

static void keep_house(const SimModel *model, SimRow *row, Pods *pods, int32_t i, double now_s)
{
	const Service *s = &model->config.service;
	while (pods->house_next_s[i] <= now_s)
		pods->house_next_s[i] += s->cadvisor_interval + s->cadvisor_jitter * rng_uniform(&row->metrics);
	pods->house_ms[i] = row->tick * model->dt_ms;
	const double *counter = &pods->counter[i * COUNTERS];
	pods->house_cpu_s[i] = counter[COUNTER_CPU_S];
	double bytes = s->mem_base_bytes + s->mem_inflight_bytes * pods->n[i] + s->mem_leak_bytes * counter[COUNTER_SERVED];
	pods->house_mem[i] = fmin(bytes, s->mem_limit_bytes);
}

static void scrape_pod(const SimModel *model, Pods *pods, int32_t i, int64_t now_ms)
{
	int32_t ring = model->ring;
	int32_t at = ring_push(&pods->head[i], &pods->len[i], ring);
	pods->t_ms[i * ring + at] = now_ms;
	memcpy(&pods->sample[(i * ring + at) * COUNTERS], &pods->counter[i * COUNTERS], COUNTERS * sizeof *pods->sample);
}

static void scrape_cadvisor(const SimModel *model, Pods *pods, int32_t i)
{
	if (pods->house_ms[i] == INT64_MIN || pods->house_ms[i] == pods->mem_ms[i])
		return;
	int32_t ring = model->ring;
	int32_t at = ring_push(&pods->cpu_head[i], &pods->cpu_len[i], ring);
	pods->cpu_t_ms[i * ring + at] = pods->house_ms[i];
	pods->cpu_sample[i * ring + at] = pods->house_cpu_s[i];
	pods->mem_ms[i] = pods->house_ms[i];
	pods->mem_sample[i] = pods->house_mem[i];
}

void scrape_tick(const SimModel *model, SimRow *row, Pods *pods, double now_s)
{
	for (int32_t k = 0; k < row->n_used; k++) {
		int32_t i = pods->order[k];
		if (pods->state[i] != LANE_POD)
			continue;
		if (pods->house_next_s[i] <= now_s && pods->running_s[i] <= now_s)
			keep_house(model, row, pods, i, now_s);
		if (pods->scrape_tick[i] > row->tick)
			continue;
		pods->scrape_tick[i] += model->scrape_ticks;
		if (pods->listen_s[i] <= now_s)
			scrape_pod(model, pods, i, row->tick * model->dt_ms);
		scrape_cadvisor(model, pods, i);
	}
}

/* ---- queries ---- */

typedef struct Answer { /* sums over the pods, and the newest sample that went in */
	double bucket[BUCKETS], requests[2], cpu, mem;
	int32_t n_bucket, n_rps, n_cpu, n_mem;
	int64_t bucket_ms, rps_ms, cpu_ms, mem_ms;
} Answer;

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* A pod's counters start with it and never restart in its lane, so no decrease need be looked for. */
static bool window_of(const SimModel *model, const int64_t *t_ms, int32_t head, int32_t len, int64_t now_ms,
                      int64_t range_ms, RateWindow *ret)
{
	if (!rate_window(t_ms, model->ring, head, len, now_ms, range_ms, ret))
		return false;
	ret->may_reset = false;
	return true;
}

static void add_requests(const SimModel *model, const Pods *pods, int32_t i, int64_t now_ms, Answer *answer)
{
	int32_t ring = model->ring;
	const int64_t *t_ms = &pods->t_ms[i * ring];
	const double *sample = &pods->sample[i * ring * COUNTERS];
	RateWindow window;
	bool is_there = window_of(model, t_ms, pods->head[i], pods->len[i], now_ms, model->latency_window_ms, &window);
	if (is_there) {
		rate_add(&window, sample, COUNTERS, BUCKETS, answer->bucket);
		answer->bucket_ms = later(answer->bucket_ms, t_ms[window.last]);
		answer->n_bucket++;
	}
	if (model->rate_window_ms != model->latency_window_ms)
		is_there = window_of(model, t_ms, pods->head[i], pods->len[i], now_ms, model->rate_window_ms, &window);
	if (is_there) {
		rate_add(&window, sample + COUNTER_OK, COUNTERS, 2, answer->requests);
		answer->rps_ms = later(answer->rps_ms, t_ms[window.last]);
		answer->n_rps++;
	}
}

static void add_pod(const SimModel *model, const Pods *pods, int32_t i, int64_t now_ms, Answer *answer)
{
	int32_t ring = model->ring;
	const int64_t *cpu_t_ms = &pods->cpu_t_ms[i * ring];
	RateWindow window;
	add_requests(model, pods, i, now_ms, answer);
	if (window_of(model, cpu_t_ms, pods->cpu_head[i], pods->cpu_len[i], now_ms, model->rate_window_ms, &window)) {
		answer->cpu += rate_value(&window, &pods->cpu_sample[i * ring], 1);
		answer->cpu_ms = later(answer->cpu_ms, cpu_t_ms[window.last]);
		answer->n_cpu++;
	}
	if (pods->state[i] == LANE_POD && pods->mem_ms[i] != INT64_MIN) { /* an instant value goes stale with its pod */
		answer->mem += pods->mem_sample[i];
		answer->mem_ms = later(answer->mem_ms, pods->mem_ms[i]);
		answer->n_mem++;
	}
}

static void give(Sample *sample, int bit, bool is_there, int64_t newest_ms, int64_t now_ms, const char *name)
{
	if (is_there) {
		sample->valid |= 1u << bit;
		sample->age_ms[bit] = now_ms - newest_ms;
		return;
	}
	size_t used = strlen(sample->missing);
	(void) snprintf(sample->missing + used, sizeof sample->missing - used, "%s%s", used ? "; " : "", name);
}

void scrape_query(const SimModel *model, const SimRow *row, const Pods *pods, double now_s, Sample *ret_sample)
{
	int64_t now_ms = row->tick * model->dt_ms;
	Answer answer = { .bucket_ms = INT64_MIN, .rps_ms = INT64_MIN, .cpu_ms = INT64_MIN, .mem_ms = INT64_MIN };
	int32_t ready = 0;
	for (int32_t k = 0; k < row->n_used; k++) {
		add_pod(model, pods, pods->order[k], now_ms, &answer);
		ready += pod_is_ready(pods, pods->order[k], now_s);
	}
	double p95_ms = answer.n_bucket ? histogram_quantile(.95, BUCKET_MS, answer.bucket, BUCKETS) : NAN;
	*ret_sample = (Sample) {
		.wall_ms = now_ms, .cpu_cores = answer.cpu, .mem_bytes = answer.mem, .latency_ms = p95_ms,
		.rps = answer.requests[0] + answer.requests[1],
		.replicas = row->replicas, .ready = ready, .cpu_request_cores = model->config.service.cpu_request,
		.mem_limit_bytes = model->config.service.mem_limit_bytes,
	};
	give(ret_sample, 0, answer.n_cpu > 0, answer.cpu_ms, now_ms, "cpu: no pod has two scrapes");
	give(ret_sample, 1, answer.n_mem > 0, answer.mem_ms, now_ms, "memory: no pod was scraped");
	give(ret_sample, 2, !isnan(p95_ms), answer.bucket_ms, now_ms, "latency: no requests in the window");
	give(ret_sample, 3, answer.n_rps > 0, answer.rps_ms, now_ms, "rps: no pod has two scrapes");
	give(ret_sample, 4, true, now_ms, now_ms, "");
}
