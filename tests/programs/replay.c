/*
 * A real target-app replayed request by request: load is sent to it, then the same arrivals and the same demands go through
 * the simulator's server, and the two p95 stand side by side. Called by tests/e2e/replay.sh.
 *
 *   replay URL RPS SECONDS LOAD_SEED APP_SEED WORK_MS LIMIT_CORES SPEED
 *
 * LIMIT_CORES 0: none. SPEED: what a neighbour on the core leaves, 1 for all. Prints {"p95_ms":...,"model_ms":...,"error":...}.
 */
#include "base/http.h"
#include "base/mem.h"
#include "base/rng.h"
#include "cluster/load.h"
#include "sim/server.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { PHASES = 16 };

typedef struct Replay {
	double rps, seconds, work_s, limit, speed;
	uint64_t load_seed, app_seed;
} Replay;

static void drain(Server *server, double until_s, const Service *service, LatencyHistogram *latency)
{
	Job done;
	while (server_next(server, until_s, &done))
		latency_add(latency, 1e3 * (server->now_s - done.arrival_s + service->net_delay));
}

/* target-app's worker takes its demands from the first stream of its seed, in the order of arrival. */
static int model(const Replay *r, double phase, LatencyHistogram *latency)
{
	Server server;
	Service service;
	Rng arrivals, demands;
	service_default(&service);
	service.concurrency = 1.0;
	service.cpu_limit = r->limit;
	Job *job = mem_block(server_jobs(&service), sizeof *job);
	if (!job)
		return ERR_NOMEM;
	rng_init(&arrivals, r->load_seed, 0, RNG_LOAD);
	rng_init(&demands, r->app_seed, 0, RNG_SIZES);
	server_init(&server, &service, 0.0, phase, job);
	for (double t = rng_exponential(&arrivals) / r->rps; t < r->seconds; t += rng_exponential(&arrivals) / r->rps) {
		drain(&server, t, &service, latency);
		(void) server_arrive(&server, (rng_exponential(&demands) * r->work_s + service.service_overhead) / r->speed);
	}
	drain(&server, r->seconds + 100.0, &service, latency);
	free(job);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 9) {
		(void) fprintf(stderr, "replay URL RPS SECONDS LOAD_SEED APP_SEED WORK_MS LIMIT_CORES SPEED\n");
		return 2;
	}
	const char *url = argv[1];
	const Replay r = { .rps = atof(argv[2]), .seconds = atof(argv[3]), .load_seed = strtoull(argv[4], NULL, 10),
		.app_seed = strtoull(argv[5], NULL, 10), .work_s = atof(argv[6]) / 1e3, .limit = atof(argv[7]), .speed = atof(argv[8]) };
	const atomic_bool stop = false;
	const LoadConfig config = { .url = &url, .n_urls = 1, .rps = r.rps, .duration_s = r.seconds, .timeout_ms = 30000,
		.connections = 200, .keep_alive = true, .seed = r.load_seed, .stop = &stop };
	static LoadReport report;
	static LatencyHistogram latency;
	Error err = { 0 };
	if (http_global_init() || load_run(&config, &report, &err)) {
		(void) fprintf(stderr, "replay: %s\n", err.text);
		return 1;
	}
	for (int k = 0; k < PHASES; k++)
		if (model(&r, (k + .5) / PHASES, &latency))
			return 1;
	double got = latency_quantile(&report.latency, .95), want = latency_quantile(&latency, .95);
	printf("{\"sent\":%lld,\"ok\":%lld,\"p95_ms\":%.1f,\"model_ms\":%.1f,\"error\":%.4f}\n", (long long) report.sent,
	       (long long) report.ok, got, want, want / got - 1.0);
	http_global_done();
	return 0;
}
