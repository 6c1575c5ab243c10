/* See request.h. */
#include "sim/request.h"

#include "base/mem.h"
#include "base/rng.h"
#include "sim/server_inside.h"

#include <math.h>
#include <stdlib.h>

double time_point(int32_t k)
{
	int32_t part = k & ((1 << TIME_OCTAVE_BITS) - 1);
	return ldexp(1.0 + (double) part / (1 << TIME_OCTAVE_BITS), (k >> TIME_OCTAVE_BITS) + TIME_LOW);
}

enum { BATCH = 256 };

typedef struct Draws { /* the next arrivals: the times between them, in mean ones, and what each needs */
	double gap[BATCH], demand_s[BATCH];
} Draws;

typedef struct Run {
	Server server;
	RequestStats stats;
	double rate_rps, net_delay, next_s;
	uint64_t arrived, warm;
} Run;

INSIDE void count(RequestStats *stats, double sojourn_s)
{
	double part;
	stats->completed += 1.0;
	stats->sojourn_s += sojourn_s;
	stats->sojourn_s2 += sojourn_s * sojourn_s;
	stats->bin[time_bin(sojourn_s, &part)] += 1.0;
}

INSIDE void live_each(Run *run, const Draws *draws, uint32_t n, bool is_free)
{
	Server server = run->server; /* its own, so that it is in registers */
	RequestStats *stats = &run->stats;
	double next = run->next_s;
	Job done;
	for (uint32_t k = 0; k < n; k++) {
		next += draws->gap[k] / run->rate_rps;
		while (server_live(&server, next, &done, is_free))
			count(stats, server.now_s - done.arrival_s + run->net_delay);
		if (run->arrived + k == run->warm) {
			*stats = (RequestStats) { 0 };
			server.sums = (ServerSums) { 0 };
		}
		stats->arrivals += 1.0;
		stats->accepted += server_take(&server, draws->demand_s[k], is_free) ? 1.0 : 0.0;
	}
	run->server = server;
	run->next_s = next;
	run->arrived += n;
}

static __attribute__((noinline)) void live_free(Run *run, const Draws *draws, uint32_t n)
{
	live_each(run, draws, n, true);
}

static __attribute__((noinline)) void live_limited(Run *run, const Draws *draws, uint32_t n)
{
	live_each(run, draws, n, false);
}

static int run_init(Run *run, const Service *service, double rate_rps, uint64_t warm)
{
	Job *job = mem_block(server_jobs(service), sizeof *job);
	if (!job)
		return ERR_NOMEM;
	*run = (Run) { .rate_rps = rate_rps, .net_delay = service->net_delay, .warm = warm };
	server_init(&run->server, service, 0.0, 1.0, job);
	return 0;
}

static void run_done(Run *run, RequestStats *ret_stats)
{
	const ServerSums *sums = &run->server.sums;
	*ret_stats = run->stats;
	ret_stats->time_s = sums->time_s;
	ret_stats->in_pod_s = sums->in_pod_s;
	ret_stats->cpu_s = sums->cpu_s;
	ret_stats->periods = sums->periods;
	ret_stats->throttled = sums->throttled;
	free(run->server.heap);
}

/* `runs` servers on the same chance; the draws of a batch do not wait for what the servers do. */
static void live(Run *run, int runs, const Sizes *sizes, uint64_t requests, uint64_t seed, uint32_t stream)
{
	Draws draws;
	Rng arrivals, demands;
	rng_init(&arrivals, seed, stream, RNG_ARRIVALS);
	rng_init(&demands, seed, stream, RNG_SIZES);
	for (uint64_t left = run->warm + requests; left;) {
		uint32_t n = left < BATCH ? (uint32_t) left : BATCH;
		rng_exponentials(&arrivals, draws.gap, n);
		sizes_draw_each(sizes, &demands, draws.demand_s, n);
		for (int i = 0; i < runs; i++)
			(isinf(run[i].server.quota_s) ? live_free : live_limited)(&run[i], &draws, n);
		left -= n;
	}
}

int request_run(const Service *service, double rate_rps, uint64_t requests, uint64_t seed, uint32_t stream,
                RequestStats *ret_stats)
{
	return request_run_beside(service, NULL, rate_rps, requests, seed, stream, ret_stats, NULL);
}

int request_run_beside(const Service *service, const Service *other, double rate_rps, uint64_t requests, uint64_t seed,
                       uint32_t stream, RequestStats *ret_stats, RequestStats *ret_other)
{
	Run run[2];
	const Sizes sizes = sizes_of(service);
	int runs = other ? 2 : 1, code = run_init(&run[0], service, rate_rps, requests / 10);
	if (code)
		return code;
	code = other ? run_init(&run[1], other, rate_rps, requests / 10) : 0;
	if (!code)
		live(run, runs, &sizes, requests, seed, stream);
	run_done(&run[0], ret_stats);
	if (other && !code)
		run_done(&run[1], ret_other);
	return code;
}
