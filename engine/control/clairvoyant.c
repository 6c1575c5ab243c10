/* See clairvoyant.h. */
#include "control/clairvoyant.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct Clairvoyant {
	Policy policy;
	double use, horizon_s, interval_s;
	const SimTarget *sim;
	int64_t start_ms; /* of the episode; -1: not seen yet */
} Clairvoyant;

static int decide(Policy *policy, const Observation *obs, size_t n, Decision *ret)
{
	Clairvoyant *self = (Clairvoyant *) policy;
	const Sample *sample = obs->sample;
	if (n != 1 || !self->sim)
		return ERR_INVALID;
	if (!sample || !(sample->valid & SAMPLE_REPLICAS))
		return ERR_NO_DATA;
	if (self->start_ms < 0)
		self->start_ms = sample->wall_ms;
	double now_s = 1e-3 * (double) (sample->wall_ms - self->start_ms), most = 0;
	for (double t = 0; t <= self->horizon_s; t += .2 * self->interval_s)
		most = fmax(most, sim_target_rate(self->sim, now_s + t));
	double want = ceil(most / (self->use * sim_target_pod_capacity(self->sim)) - 1e-9);
	const Target *target = obs->target;
	ret->raw = (int32_t) fmin(fmax(want, target->min_replicas), target->max_replicas);
	ret->action = ret->raw > sample->replicas ? ACTION_UP : ret->raw < sample->replicas ? ACTION_DOWN : ACTION_KEEP;
	ret->reason = ret->action == ACTION_UP ? REASON_POLICY_UP : ret->action == ACTION_DOWN ? REASON_POLICY_DOWN : REASON_POLICY_KEEP;
	ret->n_actions = 0;
	ret->value = NAN;
	return 0;
}

static void reset(Policy *policy)
{
	((Clairvoyant *) policy)->start_ms = -1;
}

static void free_clairvoyant(Policy *policy)
{
	free(policy);
}

static const PolicyOps OPS = { "clairvoyant", decide, reset, free_clairvoyant };

int clairvoyant_policy_new(double use, double horizon_s, double interval_s, Policy **ret_policy)
{
	Clairvoyant *self = calloc(1, sizeof *self);
	if (!self)
		return ERR_NOMEM;
	*self = (Clairvoyant) { .policy.ops = &OPS, .use = use, .horizon_s = horizon_s, .interval_s = interval_s, .start_ms = -1 };
	(void) snprintf(self->policy.label, sizeof self->policy.label, "clairvoyant");
	*ret_policy = &self->policy;
	return 0;
}

int clairvoyant_begin(Policy *policy, const SimTarget *sim, const Target *target)
{
	(void) target;
	((Clairvoyant *) policy)->sim = sim;
	return 0;
}
