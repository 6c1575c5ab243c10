/* See request.h. */
#include "sim/request.h"

#include "base/mem.h"
#include "base/rng.h"
#include "sim/server.h"

#include <math.h>
#include <stdlib.h>

double time_point(int32_t k)
{
	int32_t part = k & ((1 << TIME_OCTAVE_BITS) - 1);
	return ldexp(1.0 + (double) part / (1 << TIME_OCTAVE_BITS), (k >> TIME_OCTAVE_BITS) + TIME_LOW);
}

static void count(RequestStats *stats, double sojourn_s)
{
	double part;
	stats->completed += 1.0;
	stats->sojourn_s += sojourn_s;
	stats->sojourn_s2 += sojourn_s * sojourn_s;
	stats->bin[time_bin(sojourn_s, &part)] += 1.0;
}

int request_run(const Service *service, double rate_rps, uint64_t requests, uint64_t seed, uint32_t stream,
                RequestStats *ret_stats)
{
	Server server;
	RequestStats stats = { 0 };
	Sizes sizes = sizes_of(service);
	Rng arrivals, demands;
	rng_init(&arrivals, seed, stream, RNG_ARRIVALS);
	rng_init(&demands, seed, stream, RNG_SIZES);
	Job *job = mem_block(server_jobs(service), sizeof *job), done;
	if (!job)
		return ERR_NOMEM;
	server_init(&server, service, 0.0, 1.0, job);
	uint64_t warm = requests / 10;
	double next = 0.0;
	for (uint64_t arrived = 0; arrived < warm + requests; arrived++) {
		next += rng_exponential(&arrivals) / rate_rps;
		while (server_next(&server, next, &done))
			count(&stats, server.now - done.arrival + service->net_delay);
		if (arrived == warm) {
			stats = (RequestStats) { 0 };
			server.sums = (ServerSums) { 0 };
		}
		stats.arrivals += 1.0;
		stats.accepted += server_arrive(&server, sizes_draw(&sizes, &demands)) ? 1.0 : 0.0;
	}
	stats.time_s = server.sums.time_s;
	stats.in_pod_s = server.sums.in_pod_s;
	stats.cpu_s = server.sums.cpu_s;
	stats.periods = server.sums.periods;
	stats.throttled = server.sums.throttled;
	*ret_stats = stats;
	free(job);
	return 0;
}
