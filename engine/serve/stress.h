/*
 * CPU stress beside a service's own work, as StressChaos puts stress-ng into a pod: so many workers, each busy for a part of the time,
 * out of the same quota.
 */
#ifndef MAESTRO_SERVE_STRESS_H
#define MAESTRO_SERVE_STRESS_H

#include "base/err.h"
#include "serve/burn.h"

typedef struct Stress Stress;

enum { STRESS_WORKERS_MAX = 16, STRESS_S_MAX = 3600 };

/* Idle threads; the quota is lent. ERR_NOMEM. */
int stress_new(Quota *quota, Stress **ret_stress, Error *err);
void stress_free(Stress *stress); /* accepts NULL */
/* From now on, in place of what was on: workers busy for load_pct of the time (0: none), for at most seconds. Any thread. False where a
 * number is out of range. */
bool stress_set(Stress *stress, int workers, int load_pct, int seconds);

#endif
