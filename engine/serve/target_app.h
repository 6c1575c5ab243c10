/*
 * `maestro target-app`: a service to scale. Each GET / burns an exponential amount of CPU; requests queue first come,
 * first served, for a few workers, so that overload shows as latency, and past the waiting room as 503. It measures
 * itself under the names of Istio and cAdvisor, so that the thesis's queries find it as they find a pod in a mesh.
 */
#ifndef MAESTRO_SERVE_TARGET_APP_H
#define MAESTRO_SERVE_TARGET_APP_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct TargetAppConfig { /* strings are lent for the app's life */
	const char *listen;          /* of the service; several processes may share it */
	const char *metrics_listen;  /* a second address for /metrics, one's own; NULL: only beside the service */
	double work_ms;              /* mean CPU of a request */
	double cpu_limit_cores;      /* what all workers together may use, by 100 ms periods as a container's limit; 0: all */
	int32_t threads;
	int32_t queue_max;           /* requests that may wait; beyond it 503 */
	uint64_t seed;               /* of the demands */
	bool has_stress;             /* POST /stress?workers=&load=&for= burns CPU beside the requests, as StressChaos does: for tests of chaos */
	const char *namespace_, *deployment, *pod; /* labels */
	const char *statm;           /* where the memory in use is told; NULL: /proc/self/statm */
} TargetAppConfig;

typedef struct TargetApp TargetApp;

/* ERR_USAGE, ERR_IO (cannot listen), ERR_NOMEM. */
int target_app_start(const TargetAppConfig *config, TargetApp **ret_app, Error *err);
int target_app_port(const TargetApp *app);
int target_app_metrics_port(const TargetApp *app);
/* Takes no more requests, serves what waits for up to wait_ms, answers the rest 503, what burns CPU at that moment included, and ends.
 * Accepts NULL. */
void target_app_stop(TargetApp *app, int64_t wait_ms);

#endif
