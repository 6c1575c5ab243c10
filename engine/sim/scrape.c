/*
 * From the counters in the pods to what the agent sees (SIM section 5): cAdvisor copies cpu and memory when it keeps
 * house, the scraper copies everything at its own phase, Prometheus answers from what was scraped.
 *
 * The history holds the counters of every sub-step that a window can reach, so a scrape needs no copy: which sub-steps were
 * scraped follows from a pod's phase and life. cAdvisor's visits come at random and are stepped through when asked for.
 *
 * cpu samples carry cAdvisor's own time stamp, and a stamp that Prometheus has already is no new sample, as on a
 * cluster. So they may be 30 s old, and what rate() does not extrapolate to is missing from the cpu.
 */
#include "sim/history.h"
#include "sim/promql.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double STALE_S = 300.0; /* Prometheus's look-back */

/* ---- cAdvisor ---- */

enum { KEPT_STAMPS = 2 }; /* metrics-server looks at the last two, however old */

/* Lets cAdvisor visit up to a sub-step. Its jitter is bytes of a pod's own, the best bits of a linear congruential generator. */
static ALWAYS void keep_house(const SimModel *model, Pod *pod, int32_t tick)
{
	uint32_t until = (uint32_t) tick * HOUSE_PARTS, at = pod->house_at, last = at;
	int32_t every = model->house_every, jitter = model->house_jitter;
	if ((int32_t) (until - at) < 0)
		return;
	do {
		last = at;
		pod->chance = pod->chance * 747796405u + 2891336453u;
		at += (uint32_t) (every + ((jitter * (int32_t) (pod->chance >> 24) + 128) >> 8));
	} while ((int32_t) (until - at) >= 0);
	pod->house_at = at;
	pod->house_stamp = (int16_t) (tick - (int32_t) ((until - last) / HOUSE_PARTS)); /* the visit's sub-step, rounded up */
	pod->has_house = true;
}

/* A stamp is its sub-step modulo 2^16, and not older than that. */
static inline int32_t stamp_tick(const SimRow *row, int16_t stamp)
{
	return (int32_t) row->tick - (uint16_t) ((uint32_t) row->tick - (uint32_t) stamp);
}

/* Where the stamp is that is so many before the newest. */
static inline int32_t stamp_place(const SimModel *model, const Pod *pod, int32_t before)
{
	int32_t at = pod->stamp - before;
	return at < 0 ? at + model->stamps : at;
}

static inline void add_stamp(const SimModel *model, Pod *pod, int16_t *stamp)
{
	if (!pod->has_house || (pod->n_stamps && stamp[pod->stamp] == pod->house_stamp))
		return;
	pod->stamp = (uint8_t) (pod->stamp + 1 < model->stamps ? pod->stamp + 1 : 0);
	pod->n_stamps = (uint8_t) (pod->n_stamps + (pod->n_stamps < model->stamps));
	stamp[pod->stamp] = pod->house_stamp;
}

/* Scrapes up to the present: what cAdvisor has new becomes a sample, what no window reaches is forgotten. */
static void catch_up(const SimModel *model, const SimRow *row, Pod *pod, int16_t *stamp)
{
	int32_t until = pod->gone_tick < row->tick ? pod->gone_tick : (int32_t) row->tick, at = pod->scrape_tick;
	int32_t every = drawn_of(model, row)->scrape_ticks;
	for (; at <= until; at += every) {
		if (at >= row->chaos.outage_from && at < row->chaos.outage_to)
			continue;
		keep_house(model, pod, at);
		add_stamp(model, pod, stamp);
	}
	pod->scrape_tick = at;
	int32_t oldest = (int32_t) row->tick - model->rate_ticks, n = pod->n_stamps;
	while (n > KEPT_STAMPS && stamp_tick(row, stamp[stamp_place(model, pod, n - 1)]) <= oldest)
		n--;
	pod->n_stamps = (uint8_t) n;
}

int32_t scrape_stamp(const SimModel *model, const SimRow *row, const SimView *view, int32_t lane, int32_t before)
{
	return stamp_tick(row, view->stamp[lane * model->stamps + stamp_place(model, &view->pod[lane], before)]);
}

/* ---- a pod's counters ---- */

/* Its counters are the mean pod's from here to there, in sub-steps. */
static double begin_of(const SimModel *model, const Pod *pod)
{
	return pod->ready_s / model->dt;
}

static double end_of(const SimModel *model, const Pod *pod)
{
	return (pod->deleted_s + model->config.service.term_endpoint_lag) / model->dt;
}

static double within_life(const SimModel *model, const Pod *pod, double tick)
{
	return fmax(fmin(tick, end_of(model, pod)), begin_of(model, pod));
}

/* It took traffic before anything that is still known. */
static bool is_old(const SimModel *model, const SimRow *row, const Pod *pod)
{
	return pod->ready_s <= (double) ((int32_t) row->tick - model->depth + 1) * model->dt;
}

/* And it does now: all such pods have the mean pod's counters. */
static bool is_plain(const SimModel *model, const SimRow *row, const Pod *pod)
{
	return pod->deleted_s == INFINITY && is_old(model, row, pod);
}

double scrape_counted(const SimModel *model, const SimRow *row, const SimView *view, const Pod *pod, int32_t tick,
                      int32_t column)
{
	return (double) history_column(model, row, view, within_life(model, pod, tick), column);
}

/* ---- queries ---- */

enum { GROUPS = 16, WIDTH = COLUMN_WITHIN - COLUMN_SERVED + POINTS };

typedef struct Span { /* samples of a pod in a window, sub-steps */
	int32_t n, first, last;
} Span;

typedef struct Group { /* plain pods that are scraped together */
	int32_t last, pods;
} Group;

typedef struct Answer { /* sums over the pods, and the newest sample that went in */
	double series[WIDTH]; /* rates over the latency window, by column from COLUMN_SERVED on */
	float served, failed, within[POINTS]; /* the same of plain pods */
	double rps, cpu, mem;
	Group group[GROUPS];
	int32_t n_groups, n_bucket, n_rps, n_cpu, n_mem, ready;
	int32_t bucket_tick, rps_tick, cpu_tick, mem_tick;
} Answer;

typedef struct Query { /* what all of them look at */
	const SimModel *model;
	SimRow *row;
	const SimView *view;
	double now_s;
	int32_t oldest;    /* no window of rates reaches it */
	int32_t every;     /* sub-steps between scrapes */
	bool is_stale;     /* an outage has lasted so long that instant values are none any more */
} Query;

static int32_t later(int32_t a, int32_t b)
{
	return a > b ? a : b;
}

static int32_t scrapes_over(int32_t ticks, int32_t step)
{
	return (ticks + step - 1) / step;
}

/* The span less the scrapes that an outage took. */
static Span without_outage(const Chaos *chaos, Span span, int32_t step)
{
	int32_t from = chaos->outage_from, to = chaos->outage_to;
	if (span.last < from || span.first >= to)
		return span;
	if (span.first >= from)
		span.first += step * scrapes_over(to - span.first, step);
	if (span.last < to)
		span.last -= step * scrapes_over(span.last - from + 1, step);
	if (span.last < span.first)
		return (Span) { 0 };
	span.n = (span.last - span.first) / step + 1;
	if (span.first < from && span.last >= to)
		span.n -= scrapes_over(to - span.first, step) - scrapes_over(from - span.first, step);
	return span;
}

/* Scrapes in the last `ticks` sub-steps, the newest at `last`, none before `listen`. */
static Span scraped(const Query *q, int32_t last, int32_t ticks, int32_t listen)
{
	int32_t step = q->every, from = (int32_t) q->row->tick - ticks + 1;
	from = from > listen ? from : listen;
	if (last < from)
		return (Span) { 0 };
	int32_t steps = (last - from) / step;
	Span span = { steps + 1, last - steps * step, last };
	return q->row->chaos.outage_from < INT32_MAX ? without_outage(&q->row->chaos, span, step) : span;
}

static RateTerms terms_of(const Query *q, Span span, int64_t range_ms)
{
	double dt = q->model->dt, range_s = 1e-3 * (double) range_ms;
	int32_t tick = (int32_t) q->row->tick;
	RateWindow window = { .sampled_s = dt * (span.last - span.first), .start_s = range_s - dt * (tick - span.first),
		.end_s = dt * (tick - span.last), .range_s = range_s };
	window.mean_s = window.sampled_s / (span.n - 1);
	return rate_terms(&window);
}

/* ---- requests ---- */

static void add_plain(const Query *q, const Group *group, Answer *answer)
{
	const SimModel *model = q->model;
	Span span = scraped(q, group->last, model->latency_ticks, INT32_MIN);
	int32_t n = model->response->n_points;
	if (span.n >= 2) {
		const float *a = history_entry(model, q->row, q->view, span.first);
		const float *b = history_entry(model, q->row, q->view, span.last);
		RateTerms terms = terms_of(q, span, model->latency_window_ms);
		float per_s = (float) rate_term(&terms, 1e30, group->pods);
		answer->served += per_s * (b[COLUMN_SERVED] - a[COLUMN_SERVED]);
		answer->failed += per_s * (b[COLUMN_ERROR] - a[COLUMN_ERROR]);
		for (int32_t p = 0; p < n; p += SIDE_BY_SIDE)
			for (int32_t k = p; k < p + SIDE_BY_SIDE; k++)
				answer->within[k] += per_s * (b[COLUMN_WITHIN + k] - a[COLUMN_WITHIN + k]);
		answer->bucket_tick = later(answer->bucket_tick, span.last);
		answer->n_bucket += group->pods;
	}
	if (model->rate_window_ms == model->latency_window_ms)
		return;
	span = scraped(q, group->last, model->rate_ticks, INT32_MIN);
	if (span.n >= 2) {
		const float *a = history_entry(model, q->row, q->view, span.first);
		const float *b = history_entry(model, q->row, q->view, span.last);
		int32_t ok = COLUMN_WITHIN + model->response->bounds;
		RateTerms terms = terms_of(q, span, model->rate_window_ms);
		answer->rps += rate_term(&terms, 1e30, group->pods * (double) ((b[ok] - a[ok]) + (b[COLUMN_ERROR] - a[COLUMN_ERROR])));
		answer->rps_tick = later(answer->rps_tick, span.last);
		answer->n_rps += group->pods;
	}
}

static void flush(const Query *q, Answer *answer)
{
	for (int32_t k = 0; k < answer->n_groups; k++)
		add_plain(q, &answer->group[k], answer);
	answer->n_groups = 0;
}

/* All plain pods are in; theirs joins the rest. */
static void sum_up(const Query *q, Answer *answer)
{
	flush(q, answer);
	answer->series[0] += (double) answer->served;
	answer->series[COLUMN_ERROR - COLUMN_SERVED] += (double) answer->failed;
	for (int32_t k = 0; k < q->model->response->n_points; k++)
		answer->series[COLUMN_WITHIN - COLUMN_SERVED + k] += (double) answer->within[k];
}

static void add_to_group(const Query *q, const Pod *pod, Answer *answer)
{
	int32_t last = pod->scrape_tick - q->every, k = 0;
	while (k < answer->n_groups && answer->group[k].last != last)
		k++;
	if (k == GROUPS) {
		flush(q, answer);
		k = 0;
	}
	if (k == answer->n_groups)
		answer->group[answer->n_groups++] = (Group) { .last = last };
	answer->group[k].pods++;
}

typedef struct Counted { /* a pod's counters at their zero, and at the first and the last sample */
	Between zero, first, last;
	double older;      /* what they are more than is known, where the history does not reach their zero */
} Counted;

static ALWAYS Counted counted_in(const Query *q, const Pod *pod, Span span)
{
	const SimModel *model = q->model;
	return (Counted) {
		.zero = history_between(model, q->row, q->view, begin_of(model, pod)),
		.first = history_between(model, q->row, q->view, within_life(model, pod, span.first)),
		.last = history_between(model, q->row, q->view, within_life(model, pod, span.last)),
		.older = is_old(model, q->row, pod) ? 1e30 : 0.0,
	};
}

static ALWAYS double between(Between at, int32_t k)
{
	return (double) at.a[k] + (double) at.part * ((double) at.b[k] - (double) at.a[k]);
}

static ALWAYS void add_columns(Counted in, const RateTerms *terms, int32_t from, int32_t n, double *restrict sum)
{
	RateTerms t = *terms;
	for (int32_t k = 0; k < n; k++) {
		double zero = between(in.zero, from + k), first = between(in.first, from + k), last = between(in.last, from + k);
		sum[k] += rate_term(&t, first - zero + in.older, last - first);
	}
}

static ALWAYS void add_requests_each(const Query *q, const Pod *pod, Answer *answer)
{
	const SimModel *model = q->model;
	int32_t last = pod->scrape_tick - q->every, ok = COLUMN_WITHIN + model->response->bounds;
	int32_t listen = (int32_t) ceil(fmax(pod->ready_s - (double) pod->listen, -1e9) / model->dt);
	Span span = scraped(q, last, model->latency_ticks, listen);
	if (span.n >= 2) {
		RateTerms terms = terms_of(q, span, model->latency_window_ms);
		add_columns(counted_in(q, pod, span), &terms, COLUMN_SERVED, ok + 1 - COLUMN_SERVED, answer->series);
		answer->bucket_tick = later(answer->bucket_tick, span.last);
		answer->n_bucket++;
	}
	if (model->rate_window_ms == model->latency_window_ms)
		return;
	span = scraped(q, last, model->rate_ticks, listen);
	if (span.n >= 2) {
		RateTerms terms = terms_of(q, span, model->rate_window_ms);
		Counted in = counted_in(q, pod, span);
		add_columns(in, &terms, COLUMN_ERROR, 1, &answer->rps);
		add_columns(in, &terms, ok, 1, &answer->rps);
		answer->rps_tick = later(answer->rps_tick, span.last);
		answer->n_rps++;
	}
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static void add_requests_wide(const Query *q, const Pod *pod, Answer *answer)
{
	add_requests_each(q, pod, answer);
}
#else
#define add_requests_wide add_requests_each
#endif

static void add_requests(const Query *q, const Pod *pod, Answer *answer)
{
	if (q->model->is_wide)
		add_requests_wide(q, pod, answer);
	else
		add_requests_each(q, pod, answer);
}

/* ---- cpu and memory ---- */

static void add_cpu(const Query *q, const Pod *pod, bool plain, const int16_t *stamp, Answer *answer)
{
	const SimModel *model = q->model;
	Span span = { .n = pod->n_stamps };
	if (span.n < 2)
		return;
	while (span.n && (span.first = stamp_tick(q->row, stamp[stamp_place(model, pod, span.n - 1)])) <= q->oldest)
		span.n--;
	if (span.n < 2)
		return;
	span.last = stamp_tick(q->row, stamp[pod->stamp]);
	RateTerms terms = terms_of(q, span, model->rate_window_ms);
	if (plain) {
		float a = history_entry(model, q->row, q->view, span.first)[COLUMN_CPU_S];
		float b = history_entry(model, q->row, q->view, span.last)[COLUMN_CPU_S];
		answer->cpu += rate_term(&terms, 1e30, (double) (b - a));
	} else {
		add_columns(counted_in(q, pod, span), &terms, COLUMN_CPU_S, 1, &answer->cpu);
	}
	answer->cpu_tick = later(answer->cpu_tick, span.last);
	answer->n_cpu++;
}

static void add_memory(const Query *q, const Pod *pod, const int16_t *stamp, Answer *answer)
{
	if (pod->state != LANE_POD || !pod->n_stamps || q->is_stale) /* an instant value goes stale with its pod */
		return;
	const Service *s = &q->model->config.service;
	double n = 0.0;
	int32_t newest = stamp_tick(q->row, stamp[pod->stamp]);
	if (pod->cohort >= 0 && q->row->tick - newest < q->model->depth && newest * q->model->dt >= pod->ready_s)
		n = (double) history_entry(q->model, q->row, q->view, newest)[COLUMN_N];
	double bytes = memory_of(q->model, q->row, pod, n);
	answer->mem += bytes < s->mem_limit_bytes ? bytes : s->mem_limit_bytes;
	answer->mem_tick = later(answer->mem_tick, newest);
	answer->n_mem++;
}

/* ---- the answer ---- */

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

static bool is_stale(const SimModel *model, const SimRow *row)
{
	const Chaos *chaos = &row->chaos;
	return row->tick >= chaos->outage_from && row->tick < chaos->outage_to &&
	       (double) (row->tick - chaos->outage_from) * model->dt > STALE_S;
}

void scrape_query(const SimModel *model, SimRow *row, const SimView *view, double now_s, Sample *ret_sample)
{
	int64_t tick = row->tick, ms = model->dt_ms;
	const Query q = { model, row, view, now_s, (int32_t) tick - model->rate_ticks,
		drawn_of(model, row)->scrape_ticks, is_stale(model, row) };
	Answer answer = { .bucket_tick = INT32_MIN, .rps_tick = INT32_MIN, .cpu_tick = INT32_MIN, .mem_tick = INT32_MIN };
	double coming_s = 0.0;
	for (int32_t k = 0; k < row->n_used; k++) {
		Pod *pod = &view->pod[view->order[k]];
		int16_t *stamp = view->stamp + view->order[k] * model->stamps;
		bool plain = is_plain(model, row, pod);
		catch_up(model, row, pod, stamp);
		if (plain)
			add_to_group(&q, pod, &answer);
		else
			add_requests(&q, pod, &answer);
		add_cpu(&q, pod, plain, stamp, &answer);
		add_memory(&q, pod, stamp, &answer);
		answer.ready += plain || pod_is_ready(pod, now_s);
		if (!plain && pod->state == LANE_POD && pod->ready_s > now_s && pod->deleted_s > now_s)
			coming_s = fmax(coming_s, now_s - (pod->ready_s - (double) pod->created));
	}
	sum_up(&q, &answer);
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
		.mem_limit_bytes = model->config.service.mem_limit_bytes * (double) row->limit_scale,
		.coming_age_ms = llround(1e3 * coming_s),
	};
	give(ret_sample, 0, answer.n_cpu > 0, ms * answer.cpu_tick, "cpu: no pod has two scrapes");
	give(ret_sample, 1, answer.n_mem > 0, ms * answer.mem_tick, "memory: no pod was scraped");
	give(ret_sample, 2, !isnan(p95_ms), ms * answer.bucket_tick, "latency: no requests in the window");
	give(ret_sample, 3, answer.n_rps > 0, ms * answer.rps_tick, "rps: no pod has two scrapes");
	give(ret_sample, 4, true, tick * ms, "");
}
