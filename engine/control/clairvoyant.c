/* See clairvoyant.h. */
#include "control/clairvoyant.h"

#include "decide/model_based.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct Clairvoyant {
	Policy policy;
	double margin, horizon_s, interval_s;
	const SimTarget *sim;
	int64_t start_ms; /* of the episode */
} Clairvoyant;

static int decide(Policy *policy, const Observation *obs, size_t n, Decision *ret)
{
	Clairvoyant *self = (Clairvoyant *) policy;
	const Sample *sample = obs->sample;
	if (n != 1 || !self->sim)
		return ERR_INVALID;
	if (!sample || !(sample->valid & SAMPLE_REPLICAS))
		return ERR_NO_DATA;
	double now_s = 1e-3 * (double) (sample->wall_ms - self->start_ms), most = 0;
	for (double t = 0; t <= self->horizon_s; t += .2 * self->interval_s)
		most = fmax(most, sim_target_rate(self->sim, now_s + t));
	double want = staffing(most / sim_target_pod_capacity(self->sim), self->margin);
	const Target *target = obs->target;
	ret->raw = (int32_t) fmin(fmax(want, target->min_replicas), target->max_replicas);
	ret->action = ret->raw > sample->replicas ? ACTION_UP : ret->raw < sample->replicas ? ACTION_DOWN : ACTION_KEEP;
	ret->reason = ret->action == ACTION_UP ? REASON_POLICY_UP : ret->action == ACTION_DOWN ? REASON_POLICY_DOWN : REASON_POLICY_KEEP;
	ret->n_actions = 0;
	ret->value = NAN;
	return 0;
}

static void free_clairvoyant(Policy *policy)
{
	free(policy);
}

static const PolicyOps OPS = { .name = "clairvoyant", .decide = decide, .free = free_clairvoyant };

int clairvoyant_policy_new(double margin, double horizon_s, double interval_s, Policy **ret_policy)
{
	Clairvoyant *self = calloc(1, sizeof *self);
	if (!self)
		return ERR_NOMEM;
	*self = (Clairvoyant) { .policy.ops = &OPS, .margin = margin, .horizon_s = horizon_s, .interval_s = interval_s };
	(void) snprintf(self->policy.label, sizeof self->policy.label, "clairvoyant");
	*ret_policy = &self->policy;
	return 0;
}

void clairvoyant_begin(Policy *policy, const SimTarget *sim, int64_t start_ms)
{
	((Clairvoyant *) policy)->sim = sim;
	((Clairvoyant *) policy)->start_ms = start_ms;
}
