/*
 * What the policy sees, built in one place for simulator, live loop and servers, so that training and serving
 * cannot differ.
 */
#ifndef MAESTRO_DECIDE_OBSERVATION_H
#define MAESTRO_DECIDE_OBSERVATION_H

#include "base/err.h"
#include "base/types.h"
#include "decide/trend.h"

typedef enum ObsKind { OBS_SEED = 1, OBS_TREND = 2 } ObsKind; /* the number is the feature version in a model's header */

enum { OBS_SEED_DIM = 5 };

/* "seed", "trend"; "other" for what is not known. */
const char *observation_version_name(int32_t version);
/* Length of the vector, without a stack; 0: no such kind. */
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

/* What a policy asks to see. */
typedef struct ObsSpec {
	ObsKind kind;
	int32_t stack;    /* of trend: 1, or of how many intervals it has some features */
	float interval_s; /* between decisions */
} ObsSpec;

/* How long its vectors are. */
int32_t observer_dim(ObsSpec spec);
const char *observer_feature(ObsSpec spec, int32_t i); /* "?" outside */
const char *observer_meaning(ObsSpec spec, int32_t i); /* in a few words; "" outside */

/*
 * The vectors of one target, interval after interval. Flat: a copy is a snapshot. `seed` needs no past, `trend` is fed with the sample
 * of every interval, once. A sample that gives no observation leaves the past as it was.
 */
typedef struct Observer {
	ObsSpec spec;
	TrendState trend;
} Observer;

/* Without a past. */
void observer_init(Observer *observer, ObsSpec spec);
/* As observation_build; `trend` can do without cpu and memory. */
int observer_step(Observer *observer, const Target *target, const Sample *sample, Observation *ret, Error *err);

#endif
