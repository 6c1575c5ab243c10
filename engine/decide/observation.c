/* See observation.h. Features are one table: name, and what of the Sample must be there. */
#include "decide/observation.h"

#include <math.h>
#include <string.h>

/* The thesis trained with this per-pod limit written into its code, whatever the pods' real one is. */
static const double SEED_MEM_BYTES = 512.0 * 1024 * 1024;

typedef struct Feature {
	const char *name, *meaning;
	uint32_t needs; /* SAMPLE_* */
} Feature;

static const Feature SEED[OBS_SEED_DIM] = {
	{ "cpu_usage", "cpu of all pods, in percent of a core", SAMPLE_CPU },
	{ "memory_usage", "memory of all pods over 512 MiB a replica", SAMPLE_MEM | SAMPLE_REPLICAS },
	{ "replicas", "pods that are asked for", SAMPLE_REPLICAS },
	{ "latency", "p95 of the response time", SAMPLE_LATENCY },
	{ "rps", "requests a second", SAMPLE_RPS },
};

const char *observation_version_name(int32_t version)
{
	return version == OBS_SEED ? "seed" : version == OBS_TREND ? "trend" : "other";
}

int32_t observation_dim(ObsKind kind)
{
	return kind == OBS_SEED ? OBS_SEED_DIM : kind == OBS_TREND ? TREND_DIM : 0;
}

const char *observation_feature(ObsKind kind, int32_t i)
{
	if (kind == OBS_TREND)
		return trend_feature(i, 1);
	return i >= 0 && i < observation_dim(kind) ? SEED[i].name : "?";
}

/* The bits that the features can go by: no traffic stands in for a latency. */
static uint32_t usable(const Sample *sample)
{
	bool is_idle = (sample->valid & SAMPLE_RPS) && sample->rps <= 0.0;
	return sample->valid | (is_idle ? SAMPLE_LATENCY : 0u);
}

static uint32_t mask_of(const Target *target, int32_t replicas)
{
	uint32_t mask = 1u << ACTION_KEEP;
	if (replicas > target->min_replicas)
		mask |= 1u << ACTION_DOWN;
	if (replicas < target->max_replicas)
		mask |= 1u << ACTION_UP;
	return mask;
}

static int no_data(const Target *target, const Sample *sample, const Feature *feature, Error *err)
{
	const char *why = sample->missing[0] ? sample->missing : "not measured";
	return error_set(err, feature->needs & sample->stale ? ERR_STALE : ERR_NO_DATA, "deployment %s/%s: %s: %s",
	                 target->namespace_, target->name, feature->name, why);
}

int observation_build(ObsKind kind, const Target *target, const Sample *sample, Observation *ret, Error *err)
{
	if (kind != OBS_SEED)
		return error_set(err, ERR_INVALID, "observation version %d is not known; this build has %d and %d",
		                 (int) kind, (int) OBS_SEED, (int) OBS_TREND);
	const uint32_t there = usable(sample);
	for (int32_t i = 0; i < OBS_SEED_DIM; i++)
		if ((SEED[i].needs & there) != SEED[i].needs)
			return no_data(target, sample, &SEED[i], err);
	if (sample->replicas < 1)
		return error_set(err, ERR_NO_DATA, "deployment %s/%s: replicas: %d, so there is no pod to observe",
		                 target->namespace_, target->name, (int) sample->replicas);

	const double x[OBS_SEED_DIM] = {
		sample->cpu_cores * 100.0,
		sample->mem_bytes / (SEED_MEM_BYTES * sample->replicas),
		sample->replicas,
		sample->valid & SAMPLE_LATENCY ? sample->latency_ms : 0.0,
		sample->rps,
	};
	for (int32_t i = 0; i < OBS_SEED_DIM; i++)
		if (!isfinite((float) x[i]))
			return error_set(err, ERR_NONFINITE, "deployment %s/%s: %s: not a finite number",
			                 target->namespace_, target->name, SEED[i].name);

	*ret = (Observation) {
		.dim = OBS_SEED_DIM,
		.mask = mask_of(target, sample->replicas),
		.target = target,
		.sample = sample,
	};
	for (int32_t i = 0; i < OBS_SEED_DIM; i++)
		ret->x[i] = (float) x[i];
	return 0;
}

/* ---- with a past ---- */

int32_t observer_dim(ObsSpec spec)
{
	return spec.kind == OBS_TREND ? trend_dim(spec.stack) : observation_dim(spec.kind);
}

const char *observer_feature(ObsSpec spec, int32_t i)
{
	return spec.kind == OBS_TREND ? trend_feature(i, spec.stack) : observation_feature(spec.kind, i);
}

const char *observer_meaning(ObsSpec spec, int32_t i)
{
	if (spec.kind == OBS_TREND)
		return trend_meaning(i, spec.stack);
	return i >= 0 && i < observation_dim(spec.kind) ? SEED[i].meaning : "";
}

void observer_init(Observer *observer, ObsSpec spec)
{
	memset(observer, 0, sizeof *observer); /* its padding too: it is part of snapshots */
	observer->spec = spec;
}

static int step_trend(Observer *observer, const Target *target, const Sample *sample, Observation *ret, Error *err)
{
	enum { FIRST_NEEDED = 2 }; /* replicas, latency, rps: nothing is decided without them; the rest can be imputed */
	const uint32_t there = usable(sample);
	for (size_t i = FIRST_NEEDED; i < OBS_SEED_DIM; i++)
		if ((SEED[i].needs & there) != SEED[i].needs)
			return no_data(target, sample, &SEED[i], err);
	if (sample->replicas < 1)
		return error_set(err, ERR_NO_DATA, "deployment %s/%s: replicas: %d, so there is no pod to observe",
		                 target->namespace_, target->name, (int) sample->replicas);
	double sum = sample->rps; /* of what is known: a part that is not finite shows in it */
	sum += sample->valid & SAMPLE_LATENCY ? sample->latency_ms : 0.0;
	sum += sample->valid & SAMPLE_CPU ? sample->cpu_cores : 0.0;
	sum += sample->valid & SAMPLE_MEM ? sample->mem_bytes : 0.0;
	if (!isfinite(sum))
		return error_set(err, ERR_NONFINITE, "deployment %s/%s: a value is not a finite number", target->namespace_,
		                 target->name);
	*ret = (Observation) {
		.dim = observer_dim(observer->spec),
		.mask = mask_of(target, sample->replicas),
		.target = target,
		.sample = sample,
	};
	trend_step(&observer->trend, target, sample, observer->spec.interval_s, observer->spec.stack, ret->x);
	return 0;
}

int observer_step(Observer *observer, const Target *target, const Sample *sample, Observation *ret, Error *err)
{
	return observer->spec.kind == OBS_TREND ? step_trend(observer, target, sample, ret, err)
		: observation_build(observer->spec.kind, target, sample, ret, err);
}
