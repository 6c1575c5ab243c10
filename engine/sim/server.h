/*
 * One pod at the request level (SIM section 3): a processor-sharing server under a CFS quota, with a limit on what it
 * serves at once and a waiting room behind. Plain data; the caller owns the jobs' memory.
 */
#ifndef MAESTRO_SIM_SERVER_H
#define MAESTRO_SIM_SERVER_H

#include "base/rng.h"
#include "sim/service.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct Job {
	double finish_s;  /* in virtual time; the demand while it waits */
	double arrival_s;
} Job;

typedef struct ServerSums { /* since they were cleared */
	double time_s, in_pod_s, cpu_s; /* passed; integral of the number in the pod; used */
	double periods, throttled;      /* CFS periods with a request in the pod, and those of them that ran out */
	double events;
} ServerSums;

typedef struct Server {
	double now_s, virtual_s, quota_left_s, boundary_s;
	double quota_s, period_s, cores; /* quota_s is INFINITY where none can be hit */
	Job *heap;                   /* [concurrency] by finish */
	Job *wait;                   /* [queue_max] ring */
	uint32_t n, concurrency;
	uint32_t waiting, wait_head, queue_max;
	bool is_hit;                 /* this period ran out */
	ServerSums sums;
} Server;

/* Jobs that a server of this service needs memory for. */
uint32_t server_jobs(const Service *service);
/* Empty at now_s, its first CFS period ending at phase (0..1] of a period from there. job: [server_jobs()], lent. */
void server_init(Server *server, const Service *service, double now_s, double phase, Job *job);
/* Lives until a request completes (true, with it, at server->now_s) or until_s is reached (false). */
bool server_next(Server *server, double until_s, Job *ret_done);
/* At server->now_s; false when the request is turned away. */
bool server_arrive(Server *server, double demand_s);

typedef struct Sizes { /* of requests: lognormal of mean 1 is exp(mu + sigma Z) */
	double mean, cv, overhead, mu, sigma;
} Sizes;

/* As the service has them; a draw is CPU seconds. */
Sizes sizes_of(const Service *service);
double sizes_draw(const Sizes *sizes, Rng *rng);
/* As n calls of it; see rng_exponentials(). */
void sizes_draw_each(const Sizes *sizes, Rng *rng, double *ret, uint32_t n);

#endif
