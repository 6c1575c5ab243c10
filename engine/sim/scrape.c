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
#include "sim/promql.h"
#include "sim/scrape_inside.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const double STALE_S = 300.0; /* Prometheus's look-back */

/* ---- cAdvisor ---- */

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

static ALWAYS void add_requests(const Query *q, const Pod *pod, int32_t last, Answer *answer)
{
	const SimModel *model = q->model;
	int32_t ok = COLUMN_WITHIN + model->response->bounds;
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

enum { FOUR = 4 };

typedef struct Cpu { /* of a batch: samples of the counter, and what comes of them */
	Ints first, last, samples;
	Doubles before, increase, rate; /* as of rate_term() */
} Cpu;

/* Where the history has the entries of so many sub-steps ago. */
static ALWAYS Ints entries_before(const Query *q, Ints ages)
{
	Ints at = q->at - ages;
	at += q->depth & (at < 0);
	return at * q->columns;
}

static ALWAYS void note_cpu(const Query *q, const Batch *b, const bool *plain, const Samples *samples, Cpu *cpu, Answer *answer)
{
	const Ints n = samples->n, is_there = (n >= 2) & (samples->oldest < q->rate_ticks), none = { 0 };
	const Ints from = entries_before(q, samples->oldest & is_there), to = entries_before(q, samples->newest & is_there);
	const float *cpu_s = q->view->history + COLUMN_CPU_S;
	Doubles increase;
	for (int32_t k = 0; k < EIGHT; k++)
		increase[k] = (double) (cpu_s[to[k]] - cpu_s[from[k]]);
	cpu->increase = increase; /* what is not there adds 0 */
	cpu->before = (Doubles) { 0 } + 1e30;
	cpu->first = either(is_there, q->tick - samples->oldest, none);
	cpu->last = either(is_there, q->tick - samples->newest, none + 1);
	cpu->samples = either(is_there, n, none + 2);
	int32_t tick = answer->cpu_tick, count = 0;
	for (int32_t k = 0; k < b->n; k++) {
		if (!is_there[k])
			continue;
		if (!plain[k]) {
			Counted in = counted_in(q, b->pod[k], (Span) { n[k], cpu->first[k], cpu->last[k] });
			double at_first = between(in.first, COLUMN_CPU_S);
			cpu->before[k] = at_first - between(in.zero, COLUMN_CPU_S) + in.older;
			cpu->increase[k] = between(in.last, COLUMN_CPU_S) - at_first;
		}
		tick = later(tick, cpu->last[k]);
		count++;
	}
	answer->cpu_tick = tick;
	answer->n_cpu += count;
}

/* Several pods at once; their sum in their order. */
static ALWAYS void add_cpu(const Query *q, Cpu *cpu, int32_t n, Answer *answer)
{
	double dt = q->model->dt, range_s = 1e-3 * (double) q->model->rate_window_ms, sum = answer->cpu;
	for (int32_t p = 0; p < n; p += FOUR)
		for (int32_t k = p; k < p + FOUR; k++) {
			RateTerms terms = terms_at(dt, range_s, q->tick, (Span) { cpu->samples[k], cpu->first[k], cpu->last[k] });
			cpu->rate[k] = rate_term(&terms, cpu->before[k], cpu->increase[k]);
		}
	for (int32_t k = 0; k < n; k++)
		sum += cpu->rate[k];
	answer->cpu = sum;
}

static ALWAYS void add_memory(const Query *q, const Batch *b, const Samples *samples, Answer *answer)
{
	if (q->is_stale)
		return;
	const double limit = q->model->config.service.mem_limit_bytes, dt = q->model->dt;
	double sum = answer->mem;
	int32_t tick = answer->mem_tick, count = 0;
	for (int32_t k = 0; k < b->n; k++) {
		const Pod *pod = b->pod[k];
		if (pod->state != LANE_POD || !samples->n[k]) /* an instant value goes stale with its pod */
			continue;
		double n = 0.0;
		int32_t age = samples->newest[k], newest = q->tick - age;
		if (pod->cohort >= 0 && age < q->depth && newest * dt >= pod->ready_s)
			n = (double) q->view->history[ring_at(q->at - age, q->depth) * q->columns + COLUMN_N];
		double bytes = memory_of(q->model, q->row, pod, n);
		sum += bytes < limit ? bytes : limit;
		tick = later(tick, newest);
		count++;
	}
	answer->mem = sum;
	answer->mem_tick = tick;
	answer->n_mem += count;
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
	Batch batch;
	Cpu cpu;
	bool plain[EIGHT];
	gather(q, lane, n, &batch);
	catch_up(q, &batch);
	for (int32_t k = 0; k < n; k++) {
		const Pod *pod = batch.pod[k];
		plain[k] = is_plain(q, pod);
		if (plain[k]) {
			add_to_group(q, batch.at[k] - q->every, answer);
			answer->ready++;
			continue;
		}
		add_requests(q, pod, batch.at[k] - q->every, answer);
		answer->ready += pod_is_ready(pod, q->now_s);
		if (pod->state == LANE_POD && pod->ready_s > q->now_s && pod->deleted_s > q->now_s)
			*ret_coming_s = fmax(*ret_coming_s, q->now_s - (pod->ready_s - (double) pod->created));
	}
	Samples samples = samples_of(q, &batch);
	note_cpu(q, &batch, plain, &samples, &cpu, answer);
	add_memory(q, &batch, &samples, answer);
	add_cpu(q, &cpu, n, answer);
	scatter(&batch);
}

static ALWAYS void ask(const Query *query, Answer *answer, double *ret_coming_s)
{
	const Query q = *query;
	int32_t n = q.row->n_used;
	for (int32_t k = 0; k < n; k += EIGHT)
		ask_some(&q, q.view->order + k, n - k < EIGHT ? n - k : EIGHT, answer, ret_coming_s);
	sum_up(&q, answer);
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
		.depth = model->depth, .columns = model->columns, .at = row->at,
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
