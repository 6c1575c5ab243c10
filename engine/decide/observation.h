/*
 * What the policy sees, built in one place for simulator, live loop and servers, so that training and serving
 * cannot differ.
 */
#ifndef MAESTRO_DECIDE_OBSERVATION_H
#define MAESTRO_DECIDE_OBSERVATION_H

#include "base/err.h"
#include "base/types.h"

typedef enum ObsKind { OBS_SEED = 1 } ObsKind; /* the number is the feature version in a model's header */

enum { OBS_SEED_DIM = 5 };

/* Length of the vector. */
int32_t observation_dim(ObsKind kind);
/* Name of feature i ("cpu_usage"); "?" outside. */
const char *observation_feature(ObsKind kind, int32_t i);

/*
 * CONTROL F.1, the thesis's five features in its order: cpu in percent of a core (sum over pods x 100), memory as
 * working set / (512 MiB x replicas), replicas, p95 in ms, requests a second.
 *
 * A missing value is an error, never 0 (ERR_NO_DATA, or ERR_STALE; named in err), but for one: without traffic (rps = 0, known)
 * there is no latency, and it counts as 0 ms. The mask forbids up at max and down at min.
 */
int observation_build(ObsKind kind, const Target *target, const Sample *sample, Observation *ret, Error *err);

#endif
