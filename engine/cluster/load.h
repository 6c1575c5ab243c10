/*
 * Load on HTTP URLs. Open loop: Poisson arrivals at a rate that may change, whatever the answers do; latency is measured from the moment
 * at which a request was to be sent, not from when it was, so a server that stalls cannot hide behind a generator that waits for it.
 * Closed loop: virtual users that wait for their answer and think before they ask again, as k6 has them; the load falls when the
 * server slows, and latency counts from the sending.
 */
#ifndef MAESTRO_CLUSTER_LOAD_H
#define MAESTRO_CLUSTER_LOAD_H

#include "base/err.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct LoadConfig {
	const char *const *url;    /* [n_urls] taken in turn; lent */
	size_t n_urls;
	double rps;                /* mean rate of arrivals, > 0; with `rate` the most that it answers */
	double (*rate)(void *context, double t_s); /* NULL: rps throughout */
	size_t vus_max;            /* > 0: a closed loop of at most so many users */
	double (*vus)(void *context, double t_s);  /* how many at a time; NULL: vus_max throughout */
	double think_s;            /* between a user's answer and its next request */
	void *context;             /* of rate and vus */
	double duration_s;
	int64_t timeout_ms;        /* of one request */
	size_t connections;        /* requests under way at once; later ones wait and their waiting counts; a closed loop has vus_max */
	bool keep_alive;           /* reuse connections; off, each request has its own, so that a balancer spreads them */
	uint64_t seed;             /* of the arrivals */
	const atomic_bool *stop;   /* set by anybody: end now */
	struct LoadProgress *progress; /* NULL, or told about once a second */
} LoadConfig;

/* Latencies in buckets that grow by 1 %, from 1 us to 1000 s. */
enum { LOAD_BUCKETS = 2084 };
typedef struct LatencyHistogram {
	uint64_t count[LOAD_BUCKETS];
	uint64_t n;
	double sum_ms, max_ms;
} LatencyHistogram;

/* Counts one answer. */
void latency_add(LatencyHistogram *histogram, double ms);
/* The q-quantile (0..1) within half a bucket (.5 %); NAN without any. */
double latency_quantile(const LatencyHistogram *histogram, double q);

typedef struct LoadReport {
	int64_t sent, ok;          /* ok: status 200 to 399 */
	int64_t bad_status;        /* another status */
	int64_t timeouts, unreachable;
	int64_t unsent;            /* due, but all connections were busy to the end */
	double elapsed_s;          /* from the start to the last answer, at least the time in which requests were due */
	LatencyHistogram latency;  /* of answers, and of timeouts with the time that they waited */
} LoadReport;

typedef struct LoadProgress {
	void (*tell)(struct LoadProgress *self, double elapsed_s, const LoadReport *so_far, size_t under_way);
} LoadProgress;

/* Runs for duration_s and at most timeout_ms longer. ERR_INVALID (a URL), ERR_NOMEM, ERR_FAILED. */
int load_run(const LoadConfig *config, LoadReport *ret_report, Error *err);

#endif
