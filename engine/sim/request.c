/*
 * See request.h.
 *
 * Processor sharing by virtual time: V advances at R/n, the cores in use over the requests in service, so a request
 * of demand x that enters at V is done at V + x, and a binary heap of V + x gives the next completion. The quota
 * `tok` falls at R; at 0 the pod stops until the period's boundary. The next event is chosen by its kind and its
 * time is then taken over exactly, never derived anew by comparing times: late in a run the rounding of `now` is larger
 * than what is left of a period.
 */
#include "sim/request.h"

#include "base/mem.h"
#include "base/rng.h"

#include <math.h>
#include <stdlib.h>

typedef enum EventKind { EVENT_COMPLETION, EVENT_QUOTA, EVENT_BOUNDARY, EVENT_ARRIVAL } EventKind;

typedef struct Job {
	double finish;  /* in virtual time; the demand while it waits */
	double arrival; /* s */
} Job;

typedef struct RequestPod {
	double now, virtual_, tok, boundary;
	double quota, period, cores; /* quota is INFINITY where none can be hit */
	Job *heap;                   /* [concurrency] by finish */
	Job *wait;                   /* [queue_max] ring */
	uint32_t n, concurrency;
	uint32_t waiting, wait_head, queue_max;
	bool is_hit;                 /* this period ran out */
} RequestPod;

double time_point(int32_t k)
{
	int32_t part = k & ((1 << TIME_OCTAVE_BITS) - 1);
	return ldexp(1.0 + (double) part / (1 << TIME_OCTAVE_BITS), (k >> TIME_OCTAVE_BITS) + TIME_LOW);
}

static int pod_init(RequestPod *pod, const Service *service)
{
	bool is_free = service->cpu_limit <= 0.0 || service->cpu_limit >= service->threads;
	*pod = (RequestPod) {
		.quota = is_free ? INFINITY : service->cpu_limit * service->cfs_period,
		.period = service->cfs_period,
		.cores = service->threads,
		.concurrency = (uint32_t) service->concurrency,
		.queue_max = (uint32_t) service->queue_max,
	};
	pod->tok = pod->quota;
	pod->boundary = is_free ? INFINITY : pod->period;
	pod->heap = mem_block(pod->concurrency, sizeof *pod->heap);
	pod->wait = mem_block(pod->queue_max ? pod->queue_max : 1, sizeof *pod->wait);
	return pod->heap && pod->wait ? 0 : ERR_NOMEM;
}

static void pod_done(RequestPod *pod)
{
	free(pod->heap);
	free(pod->wait);
}

static void heap_push(RequestPod *pod, Job job)
{
	uint32_t at = pod->n++;
	while (at > 0 && pod->heap[(at - 1) / 2].finish > job.finish) {
		pod->heap[at] = pod->heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	pod->heap[at] = job;
}

static Job heap_pop(RequestPod *pod)
{
	Job top = pod->heap[0], last = pod->heap[--pod->n];
	uint32_t at = 0;
	for (uint32_t child = 1; child < pod->n; child = 2 * at + 1) {
		if (child + 1 < pod->n && pod->heap[child + 1].finish < pod->heap[child].finish)
			child++;
		if (last.finish <= pod->heap[child].finish)
			break;
		pod->heap[at] = pod->heap[child];
		at = child;
	}
	pod->heap[at] = last;
	return top;
}

/* An idle pod has no boundary events: it takes over at the next arrival what its periods would have given it. */
static void refill_idle(RequestPod *pod)
{
	if (pod->now < pod->boundary)
		return;
	pod->boundary += (floor((pod->now - pod->boundary) / pod->period) + 1.0) * pod->period;
	pod->tok = pod->quota;
	pod->is_hit = false;
}

/* False when the request is turned away. */
static bool pod_arrive(RequestPod *pod, double demand)
{
	if (!pod->n)
		refill_idle(pod);
	if (pod->n < pod->concurrency) {
		heap_push(pod, (Job) { pod->virtual_ + demand, pod->now });
		return true;
	}
	if (pod->waiting == pod->queue_max)
		return false;
	pod->wait[(pod->wait_head + pod->waiting++) % pod->queue_max] = (Job) { demand, pod->now };
	return true;
}

static Job pod_complete(RequestPod *pod)
{
	Job done = heap_pop(pod);
	if (pod->waiting) {
		Job next = pod->wait[pod->wait_head];
		pod->wait_head = (pod->wait_head + 1) % pod->queue_max;
		pod->waiting--;
		next.finish += pod->virtual_;
		heap_push(pod, next);
	}
	return done;
}

/* Moves the pod to its next event or to the arrival at next_arrival, whichever comes first. */
static EventKind pod_advance(RequestPod *pod, double next_arrival, RequestStats *stats)
{
	EventKind kind = EVENT_ARRIVAL;
	double step = next_arrival - pod->now;
	double busy = pod->n < pod->cores ? (double) pod->n : pod->cores;
	if (!pod->n || pod->tok <= 0.0)
		busy = 0.0;
	if (pod->n && pod->boundary - pod->now <= step) {
		kind = EVENT_BOUNDARY;
		step = pod->boundary - pod->now;
	}
	if (busy > 0.0) {
		double to_finish = (pod->heap[0].finish - pod->virtual_) * pod->n / busy;
		if (pod->tok / busy <= step) {
			kind = EVENT_QUOTA;
			step = pod->tok / busy;
		}
		if (to_finish <= step) {
			kind = EVENT_COMPLETION;
			step = to_finish;
		}
		pod->virtual_ += step * busy / pod->n;
		pod->tok -= step * busy;
	}
	stats->in_pod_s += step * (pod->n + pod->waiting);
	stats->cpu_s += step * busy;
	stats->time_s += step;
	pod->now = kind == EVENT_ARRIVAL ? next_arrival : kind == EVENT_BOUNDARY ? pod->boundary : pod->now + step;
	return kind;
}

static void on_boundary(RequestPod *pod, RequestStats *stats)
{
	stats->periods += 1.0;
	stats->throttled += pod->is_hit ? 1.0 : 0.0;
	pod->boundary += pod->period;
	pod->tok = pod->quota;
	pod->is_hit = false;
}

static void on_completion(RequestPod *pod, double net_delay, RequestStats *stats)
{
	pod->virtual_ = pod->heap[0].finish;
	Job job = pod_complete(pod);
	double sojourn = pod->now - job.arrival + net_delay, part;
	stats->completed += 1.0;
	stats->sojourn_s += sojourn;
	stats->sojourn_s2 += sojourn * sojourn;
	stats->bin[time_bin(sojourn, &part)] += 1.0;
	if (!pod->n)
		pod->virtual_ = 0.0; /* starts afresh, so that V keeps its digits in a long run */
}

typedef struct Sizes { /* lognormal of mean 1: exp(mu + sigma Z) */
	double mean, cv, overhead, mu, sigma;
} Sizes;

static Sizes sizes_of(const Service *service)
{
	double variance = log(1.0 + service->service_cv * service->service_cv);
	return (Sizes) { service->service_mean, service->service_cv, service->service_overhead, -.5 * variance,
	                 sqrt(variance) };
}

static double draw_demand(const Sizes *sizes, Rng *rng)
{
	if (sizes->cv == 0.0)
		return sizes->mean + sizes->overhead;
	if (sizes->cv == 1.0)
		return sizes->mean * rng_exponential(rng) + sizes->overhead;
	return sizes->mean * exp(sizes->mu + sizes->sigma * rng_normal(rng)) + sizes->overhead;
}

int request_run(const Service *service, double rate_rps, uint64_t requests, uint64_t seed, uint32_t stream,
                RequestStats *ret_stats)
{
	RequestPod pod;
	RequestStats stats = { 0 };
	Sizes sizes = sizes_of(service);
	Rng arrivals, demands;
	rng_init(&arrivals, seed, stream, RNG_ARRIVALS);
	rng_init(&demands, seed, stream, RNG_SIZES);
	int code = pod_init(&pod, service);
	if (code)
		goto out;
	uint64_t warm = requests / 10, arrived = 0;
	double next = rng_exponential(&arrivals) / rate_rps;
	while (arrived < warm + requests) {
		switch (pod_advance(&pod, next, &stats)) {
		case EVENT_COMPLETION:
			on_completion(&pod, service->net_delay, &stats);
			break;
		case EVENT_QUOTA:
			pod.tok = 0.0;
			pod.is_hit = true;
			break;
		case EVENT_BOUNDARY:
			on_boundary(&pod, &stats);
			break;
		case EVENT_ARRIVAL:
			if (arrived++ == warm)
				stats = (RequestStats) { 0 };
			stats.arrivals += 1.0;
			stats.accepted += pod_arrive(&pod, draw_demand(&sizes, &demands)) ? 1.0 : 0.0;
			next = pod.now + rng_exponential(&arrivals) / rate_rps;
			break;
		}
	}
	*ret_stats = stats;
out:
	pod_done(&pod);
	return code;
}
