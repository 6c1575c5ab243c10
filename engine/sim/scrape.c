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
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const double STALE_S = 300.0; /* Prometheus's look-back */

/* ---- cAdvisor ---- */

enum { KEPT_STAMPS = 2 }; /* metrics-server looks at the last two, however old */

typedef struct Visits { /* a pod's, as they go on */
	uint32_t next, last; /* in HOUSE_PARTS of a sub-step, modulo 2^32 */
	uint32_t chance;
} Visits;

/* Their jitter is bytes of a pod's own, the best bits of a linear congruential generator. */
static ALWAYS Visits visit(Visits v, int32_t every, int32_t jitter)
{
	uint32_t chance = v.chance * 747796405u + 2891336453u;
	return (Visits) { v.next + (uint32_t) (every + ((jitter * (int32_t) (chance >> 24) + 128) >> 8)), v.next, chance };
}

static ALWAYS bool has_come(uint32_t at, uint32_t until)
{
	return (int32_t) (until - at) >= 0;
}

/* One of two, without a branch: nobody can foresee which. */
static ALWAYS uint32_t either(bool is_first, uint32_t a, uint32_t b)
{
	return b ^ ((a ^ b) & (0u - (uint32_t) is_first));
}

/* All up to `until`, where the first has come. Between two scrapes there are one or two. */
static ALWAYS Visits visit_until(Visits v, uint32_t until, int32_t every, int32_t jitter)
{
	v = visit(v, every, jitter);
	const Visits again = visit(v, every, jitter);
	bool is_twice = has_come(v.next, until);
	v = (Visits) { either(is_twice, again.next, v.next), either(is_twice, again.last, v.last), either(is_twice, again.chance, v.chance) };
	while (has_come(v.next, until))
		v = visit(v, every, jitter);
	return v;
}

/* A stamp is its sub-step modulo 2^16, and not older than that. */
static inline int32_t stamp_tick(const SimRow *row, int16_t stamp)
{
	return (int32_t) row->tick - (uint16_t) ((uint32_t) row->tick - (uint32_t) stamp);
}

/* Where the stamp is that is so many before the newest. */
static inline int32_t stamp_place(const SimModel *model, const Pod *pod, int32_t before)
{
	return ring_at(pod->stamp - before, model->stamps);
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
	double old_s;      /* who was ready by then took traffic before anything that is still known */
	int32_t tick, rate_ticks; /* now; in the window of rates */
	int32_t every;     /* sub-steps between scrapes */
	int32_t stamps, house_every, house_jitter; /* the model's */
	int32_t outage_from, outage_to;
	bool is_stale;     /* an outage has lasted so long that instant values are none any more */
} Query;

static ALWAYS const float *entry_of(const Query *q, int32_t tick)
{
	return history_entry(q->model, q->row, q->view, tick);
}

static int32_t later(int32_t a, int32_t b)
{
	return a > b ? a : b;
}

static int32_t scrapes_over(int32_t ticks, int32_t step)
{
	return (ticks + step - 1) / step;
}

/* How many sub-steps ago a stamp was. */
static ALWAYS int32_t age_of(const Query *q, int16_t stamp)
{
	return (uint16_t) (q->tick - stamp);
}

typedef struct Samples { /* of a pod's cpu */
	int32_t n, oldest, newest; /* how many, and how many sub-steps ago */
} Samples;

/* Scrapes up to the present: what cAdvisor has new becomes a sample, what no window reaches is forgotten. */
static ALWAYS Samples catch_up(const Query *q, Pod *pod, int16_t *stamp)
{
	int32_t until = pod->gone_tick < q->tick ? pod->gone_tick : q->tick, at = pod->scrape_tick, every = q->every, stamps = q->stamps;
	int32_t n = pod->n_stamps, newest = pod->stamp;
	Visits v = { pod->house_at, 0, pod->chance };
	for (; at <= until; at += every) {
		uint32_t end = (uint32_t) at * HOUSE_PARTS;
		if ((at >= q->outage_from && at < q->outage_to) || !has_come(v.next, end))
			continue;
		v = visit_until(v, end, q->house_every, q->house_jitter);
		newest = (newest + 1) & -(int32_t) (newest + 1 < stamps);
		n += n < stamps;
		stamp[newest] = (int16_t) ((v.last + HOUSE_PARTS - 1) / HOUSE_PARTS); /* the visit's sub-step, rounded up */
	}
	int32_t oldest = ring_at(newest - n + 1, stamps), age = age_of(q, stamp[oldest]);
	while (n > KEPT_STAMPS && age >= q->rate_ticks) {
		n--;
		oldest = ring_at(oldest + 1 - stamps, stamps);
		age = age_of(q, stamp[oldest]);
	}
	pod->house_at = v.next;
	pod->chance = v.chance;
	pod->scrape_tick = at;
	pod->n_stamps = (uint8_t) n;
	pod->stamp = (uint8_t) newest;
	return (Samples) { n, age, age_of(q, stamp[newest]) };
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
static ALWAYS Span scraped(const Query *q, int32_t last, int32_t ticks, int32_t listen)
{
	int32_t step = q->every, from = q->tick - ticks + 1;
	from = from > listen ? from : listen;
	if (last < from)
		return (Span) { 0 };
	int32_t steps = (last - from) / step;
	Span span = { steps + 1, last - steps * step, last };
	return q->row->chaos.outage_from < INT32_MAX ? without_outage(&q->row->chaos, span, step) : span;
}

static ALWAYS RateTerms terms_at(double dt, double range_s, int32_t tick, Span span)
{
	RateWindow window = { .sampled_s = dt * (span.last - span.first), .start_s = range_s - dt * (tick - span.first),
		.end_s = dt * (tick - span.last), .range_s = range_s };
	window.mean_s = window.sampled_s / (span.n - 1);
	return rate_terms(&window);
}

static ALWAYS RateTerms terms_of(const Query *q, Span span, int64_t range_ms)
{
	return terms_at(q->model->dt, 1e-3 * (double) range_ms, q->tick, span);
}

/* ---- requests ---- */

static ALWAYS void add_plain(const Query *q, const Group *group, Answer *answer)
{
	const SimModel *model = q->model;
	Span span = scraped(q, group->last, model->latency_ticks, INT32_MIN);
	int32_t n = model->response->n_points;
	if (span.n >= 2) {
		const float *a = entry_of(q, span.first);
		const float *b = entry_of(q, span.last);
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
		const float *a = entry_of(q, span.first);
		const float *b = entry_of(q, span.last);
		int32_t ok = COLUMN_WITHIN + model->response->bounds;
		RateTerms terms = terms_of(q, span, model->rate_window_ms);
		answer->rps += rate_term(&terms, 1e30, group->pods * (double) ((b[ok] - a[ok]) + (b[COLUMN_ERROR] - a[COLUMN_ERROR])));
		answer->rps_tick = later(answer->rps_tick, span.last);
		answer->n_rps += group->pods;
	}
}

static ALWAYS void flush(const Query *q, Answer *answer)
{
	for (int32_t k = 0; k < answer->n_groups; k++)
		add_plain(q, &answer->group[k], answer);
	answer->n_groups = 0;
}

/* All plain pods are in; theirs joins the rest. */
static ALWAYS void sum_up(const Query *q, Answer *answer)
{
	flush(q, answer);
	answer->series[0] += (double) answer->served;
	answer->series[COLUMN_ERROR - COLUMN_SERVED] += (double) answer->failed;
	for (int32_t k = 0; k < q->model->response->n_points; k++)
		answer->series[COLUMN_WITHIN - COLUMN_SERVED + k] += (double) answer->within[k];
}

static ALWAYS void add_to_group(const Query *q, int32_t last, Answer *answer)
{
	int32_t k = 0;
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
		.older = pod->ready_s <= q->old_s ? 1e30 : 0.0,
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

static ALWAYS void add_requests(const Query *q, const Pod *pod, Answer *answer)
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

/* ---- cpu and memory ---- */

enum { BATCH = 16, FOUR = 4 };

typedef struct Batch { /* so many pods, in their order: samples of the cpu, and what comes of them */
	int32_t first[BATCH], last[BATCH], samples[BATCH];
	double before[BATCH], increase[BATCH], cpu[BATCH]; /* of the counter, as of rate_term() */
} Batch;

static ALWAYS void note_none(Batch *batch, int32_t k)
{
	batch->first[k] = 0;
	batch->last[k] = 1;
	batch->samples[k] = 2;
	batch->before[k] = batch->increase[k] = 0.0; /* adds 0 */
}

static ALWAYS void note_cpu(const Query *q, const Pod *pod, bool plain, Samples samples, int32_t k, Batch *batch, Answer *answer)
{
	if (samples.n < 2 || samples.oldest >= q->rate_ticks) {
		note_none(batch, k);
		return;
	}
	int32_t first = q->tick - samples.oldest, last = q->tick - samples.newest;
	if (plain) {
		batch->before[k] = 1e30;
		batch->increase[k] = (double) (entry_of(q, last)[COLUMN_CPU_S] - entry_of(q, first)[COLUMN_CPU_S]);
	} else {
		Counted in = counted_in(q, pod, (Span) { samples.n, first, last });
		double at_first = between(in.first, COLUMN_CPU_S);
		batch->before[k] = at_first - between(in.zero, COLUMN_CPU_S) + in.older;
		batch->increase[k] = between(in.last, COLUMN_CPU_S) - at_first;
	}
	batch->first[k] = first;
	batch->last[k] = last;
	batch->samples[k] = samples.n;
	answer->cpu_tick = later(answer->cpu_tick, last);
	answer->n_cpu++;
}

/* Several pods at once; their sum in their order. */
static ALWAYS void add_cpu(const Query *q, Batch *batch, int32_t n, Answer *answer)
{
	double dt = q->model->dt, range_s = 1e-3 * (double) q->model->rate_window_ms, sum = answer->cpu;
	for (int32_t k = n; k % FOUR; k++)
		note_none(batch, k);
	for (int32_t p = 0; p < n; p += FOUR)
		for (int32_t k = p; k < p + FOUR; k++) {
			RateTerms terms = terms_at(dt, range_s, q->tick, (Span) { batch->samples[k], batch->first[k], batch->last[k] });
			batch->cpu[k] = rate_term(&terms, batch->before[k], batch->increase[k]);
		}
	for (int32_t k = 0; k < n; k++)
		sum += batch->cpu[k];
	answer->cpu = sum;
}

static ALWAYS void add_memory(const Query *q, const Pod *pod, Samples samples, Answer *answer)
{
	if (pod->state != LANE_POD || !samples.n || q->is_stale) /* an instant value goes stale with its pod */
		return;
	const Service *s = &q->model->config.service;
	double n = 0.0;
	int32_t newest = q->tick - samples.newest;
	if (pod->cohort >= 0 && samples.newest < q->model->depth && newest * q->model->dt >= pod->ready_s)
		n = (double) entry_of(q, newest)[COLUMN_N];
	double bytes = memory_of(q->model, q->row, pod, n);
	answer->mem += bytes < s->mem_limit_bytes ? bytes : s->mem_limit_bytes;
	answer->mem_tick = later(answer->mem_tick, newest);
	answer->n_mem++;
}

/* ---- the answer ---- */

static double p95_ms_of(const SimModel *model, const Answer *answer)
{
	const Response *r = model->response;
	double bucket[BUCKETS + 1]; /* the first may be one that nothing falls into */
	bucket[0] = 0.0;
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

/* A pod that took traffic before anything that is still known, and does now: all such have the mean pod's counters. */
static ALWAYS bool is_plain(const Query *q, const Pod *pod)
{
	return pod->deleted_s == INFINITY && pod->ready_s <= q->old_s;
}

static ALWAYS void ask_some(const Query *q, const int16_t *lane, int32_t n, Answer *answer, double *ret_coming_s)
{
	const SimView *view = q->view;
	Batch batch;
	bool plain[BATCH];
	for (int32_t k = 0; k < n; k++) {
		Pod *pod = &view->pod[lane[k]];
		Samples samples = catch_up(q, pod, view->stamp + lane[k] * q->stamps);
		plain[k] = is_plain(q, pod);
		note_cpu(q, pod, plain[k], samples, k, &batch, answer);
		add_memory(q, pod, samples, answer);
	}
	add_cpu(q, &batch, n, answer);
	for (int32_t k = 0; k < n; k++) {
		const Pod *pod = &view->pod[lane[k]];
		if (plain[k]) {
			add_to_group(q, pod->scrape_tick - q->every, answer);
			answer->ready++;
			continue;
		}
		add_requests(q, pod, answer);
		answer->ready += pod_is_ready(pod, q->now_s);
		if (pod->state == LANE_POD && pod->ready_s > q->now_s && pod->deleted_s > q->now_s)
			*ret_coming_s = fmax(*ret_coming_s, q->now_s - (pod->ready_s - (double) pod->created));
	}
}

static ALWAYS void ask(const Query *q, Answer *answer, double *ret_coming_s)
{
	int32_t n = q->row->n_used;
	for (int32_t k = 0; k < n; k += BATCH)
		ask_some(q, q->view->order + k, n - k < BATCH ? n - k : BATCH, answer, ret_coming_s);
	sum_up(q, answer);
}

/* The same arithmetic in wider registers, where the machine has them: nothing is fused, so the bits are the same. */
#ifdef __x86_64__
__attribute__((target("avx2"))) static void ask_wide(const Query *q, Answer *answer, double *ret_coming_s)
{
	ask(q, answer, ret_coming_s);
}
#else
#define ask_wide ask
#endif

static __attribute__((noinline)) void ask_narrow(const Query *q, Answer *answer, double *ret_coming_s)
{
	ask(q, answer, ret_coming_s);
}

void scrape_query(const SimModel *model, SimRow *row, const SimView *view, double now_s, Sample *ret_sample)
{
	int64_t tick = row->tick, ms = model->dt_ms;
	const Query q = { .model = model, .row = row, .view = view, .now_s = now_s, .tick = (int32_t) tick, .rate_ticks = model->rate_ticks,
		.stamps = model->stamps, .house_every = model->house_every, .house_jitter = model->house_jitter,
		.old_s = (double) ((int32_t) tick - model->depth + 1) * model->dt, .every = drawn_of(model, row)->scrape_ticks,
		.outage_from = row->chaos.outage_from, .outage_to = row->chaos.outage_to, .is_stale = is_stale(model, row) };
	Answer answer;
	memset(&answer, 0, offsetof(Answer, group));
	memset(&answer.n_groups, 0, sizeof answer - offsetof(Answer, n_groups));
	answer.bucket_tick = answer.rps_tick = answer.cpu_tick = answer.mem_tick = INT32_MIN;
	double coming_s = 0.0;
	(model->is_wide ? ask_wide : ask_narrow)(&q, &answer, &coming_s);
	if (model->rate_window_ms == model->latency_window_ms) {
		answer.rps = answer.series[COLUMN_ERROR - COLUMN_SERVED] +
		             answer.series[COLUMN_WITHIN - COLUMN_SERVED + model->response->bounds];
		answer.n_rps = answer.n_bucket;
		answer.rps_tick = answer.bucket_tick;
	}
	double p95_ms = answer.n_bucket ? p95_ms_of(model, &answer) : NAN;
	ret_sample->wall_ms = tick * ms; /* one by one: the text need not be cleared for every sample */
	ret_sample->valid = ret_sample->stale = 0;
	memset(ret_sample->age_ms, 0, sizeof ret_sample->age_ms);
	ret_sample->cpu_cores = answer.cpu;
	ret_sample->mem_bytes = answer.mem;
	ret_sample->latency_ms = p95_ms;
	ret_sample->rps = answer.rps;
	ret_sample->replicas = row->replicas;
	ret_sample->ready = answer.ready;
	ret_sample->cpu_request_cores = model->config.service.cpu_request;
	ret_sample->mem_limit_bytes = model->config.service.mem_limit_bytes * (double) row->limit_scale;
	ret_sample->coming_age_ms = llround(1e3 * coming_s);
	ret_sample->pods = NULL;
	ret_sample->pod_name = NULL;
	ret_sample->n_pods = 0;
	ret_sample->missing[0] = '\0';
	give(ret_sample, 0, answer.n_cpu > 0, ms * answer.cpu_tick, "cpu: no pod has two scrapes");
	give(ret_sample, 1, answer.n_mem > 0, ms * answer.mem_tick, "memory: no pod was scraped");
	give(ret_sample, 2, !isnan(p95_ms), ms * answer.bucket_tick, "latency: no requests in the window");
	give(ret_sample, 3, answer.n_rps > 0, ms * answer.rps_tick, "rps: no pod has two scrapes");
	give(ret_sample, 4, true, tick * ms, "");
}
