/*
 * Env kind `live`: Deployments of a real cluster side by side as a batch of environments, a Loop each.
 *
 * A step is a cycle of all loops in its two halves (loop.h), with the interval between them: the learner's action stands in for the
 * policy, passes gates, guard rails and the conditional write as any policy's would, and what the loops see an interval later is the
 * observation. So whatever stops an acting process stops a training one: a conflict, a pause, a person's hand, a lost lease.
 *
 * What is not known is never a number. While a row cannot be seen (no metrics, no API, a gate that is shut) all rows keep their
 * replicas and the step goes on interval after interval until it can; its reward is of the interval that was seen, and the episodes
 * end there as truncated. A write that was refused is data: EnvInfo.is_refused, and the reward as it came.
 *
 * The reward slo asks for the share of slow requests, of which a p95 tells one thing, the one that the aligned form is about: whether
 * it is above .05. So a live interval counts 0 or 1 for each limit.
 */
#ifndef MAESTRO_CONTROL_LIVE_ENV_H
#define MAESTRO_CONTROL_LIVE_ENV_H

#include "base/env.h"
#include "base/policy.h"
#include "control/loop.h"
#include "decide/reward.h"

typedef struct LiveFaults { /* what makes faults happen on a target; NULL: nobody */
	/* Begins one; draw chooses which. ERR_* and text: not possible now, which is said and is no failure. */
	int (*begin)(void *arg, const Target *target, uint32_t draw, Error *err);
	/* Those that are on now, bits by ChaosKind of sim/chaos.h; ends what is past its time. */
	uint32_t (*look)(void *arg, const Target *target);
	void *arg;
} LiveFaults;

typedef struct LiveEnvConfig { /* lent for its life */
	Loop *const *loops;     /* [n_loops] of one fleet that is not started, each with a policy of live_policy_new */
	size_t n_loops;
	bool is_slo;            /* reward slo, else seed */
	SloWeights slo;
	int32_t episode_steps;
	double chaos_rate;      /* of a fault, a step and row */
	LiveFaults faults;
	double max_hours, max_pod_hours; /* 0: no end. Over the whole run, restarts included */
} LiveEnvConfig;

/* Whoever drives it, set before the first step. */
typedef struct LiveHost {
	/* Until then on the loops' clock, serving who asks meanwhile. ERR_CLOSED: stop now. */
	int (*wait)(void *arg, int64_t until_mono_ms);
	/* Why a step waits; "" when it goes on. */
	void (*say)(void *arg, const char *text);
	void *arg;
} LiveHost;

/* The policy that a loop asks, and which answers with the learner's action, one of that set; all loops of a live_env have the same. ERR_NOMEM. */
int live_policy_new(ObsSpec observation, ActionSet actions, float pod_price, Policy **ret_policy);

/* ERR_USAGE, ERR_NOMEM. */
int live_env_new(const LiveEnvConfig *config, Env **ret_env, Error *err);
void live_env_host(Env *env, const LiveHost *host);
/* Serves the commands to the loops, without waiting. */
void live_env_serve(Env *env);
/* Which budget is spent, after an ERR_CLOSED; "": none. */
const char *live_env_spent(const Env *env);
/* Puts the running episodes aside for others (evaluation), in which no fault begins, or takes them back. */
void live_env_aside(Env *env, bool is_aside);

#endif
