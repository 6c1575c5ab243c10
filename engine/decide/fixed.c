/* See fixed.h. */
#include "decide/fixed.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct Fixed {
	Policy policy;
	int32_t replicas;
} Fixed;

static int decide(Policy *policy, const Observation *obs, size_t n, Decision *ret_decision)
{
	for (size_t i = 0; i < n; i++) {
		if (!obs[i].sample || !(obs[i].sample->valid & SAMPLE_REPLICAS))
			return ERR_NO_DATA;
		int32_t current = obs[i].sample->replicas, want = ((Fixed *) policy)->replicas;
		Decision *d = &ret_decision[i];
		d->raw = want;
		d->action = want > current ? ACTION_UP : want < current ? ACTION_DOWN : ACTION_KEEP;
		d->reason = want > current ? REASON_POLICY_UP : want < current ? REASON_POLICY_DOWN : REASON_POLICY_KEEP;
		d->n_actions = 0;
		d->value = NAN;
	}
	return 0;
}

static void free_fixed(Policy *policy)
{
	free(policy);
}

static const PolicyOps OPS = { .name = "static", .decide = decide, .free = free_fixed };

int fixed_policy_new(int32_t replicas, Policy **ret_policy)
{
	if (replicas < 1)
		return ERR_INVALID;
	Fixed *self = calloc(1, sizeof *self);
	if (!self)
		return ERR_NOMEM;
	self->policy.ops = &OPS;
	self->replicas = replicas;
	(void) snprintf(self->policy.label, sizeof self->policy.label, "static:%d", (int) replicas);
	*ret_policy = &self->policy;
	return 0;
}
