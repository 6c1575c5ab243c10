/*
 * How good a policy is: whole episodes on simulated Deployments, through the same observation, rails and Actuator as the
 * live loop, with the same traffic for every policy (common random numbers).
 */
#ifndef MAESTRO_CONTROL_EVALUATE_H
#define MAESTRO_CONTROL_EVALUATE_H

#include "base/policy.h"
#include "base/sink.h"
#include "sim/sim.h"

typedef struct EvalEpisode {
	double reward;        /* the thesis's return: up to the step that terminates, if one does */
	int32_t length;       /* steps that the return counts */
	double soft_s, hard_s; /* seconds with the true p95 over the limit, of all steps; NAN: that limit is off */
	double v_pct;         /* (soft_s + hard_s) in percent of the time: a hard second counts twice */
	double pod_hours;
	double p95_ms_max;
	int32_t scale_actions, reversals;
	int32_t first_replicas; /* before the first decision */
	int32_t steps;        /* run: the episode goes on after a termination, so that measures are of equal length */
	int16_t replicas[EPISODE_STEPS_MAX];
	float latency_ms[EPISODE_STEPS_MAX], rps[EPISODE_STEPS_MAX];
} EvalEpisode;

/* One control interval, for measures that need the whole course (figures.h). */
typedef struct EvalStep {
	float p95_ms;           /* true; NAN without traffic */
	float rps, slow_soft, slow_hard, pod_s; /* as of EnvInfo */
	int16_t replicas, ready, demand; /* asked for; at the interval's end; EnvInfo's */
	uint32_t guards;        /* that changed the decision at its start */
} EvalStep;

typedef struct EvalOptions {
	uint32_t rails_off;     /* 1 << GUARD_*: what V would be without them */
	bool counts_rails;      /* guards of a step are those that would change the policy's wish if it did not know of the rails */
	EvalStep *step;         /* [room], the caller's; NULL: not kept */
	int32_t room;
	/* Called with the simulation before the first decision: for a clairvoyant, or to fill a history. May be NULL. */
	int (*begin)(void *arg, Policy *policy, const SimTarget *sim, int64_t now_ms);
	void *arg;
} EvalOptions;

/* Seed of evaluation episode i under a run's seed. */
uint64_t evaluate_seed(uint64_t seed, int32_t i);

/* The target that a simulated service stands for, as sim_target_of gives it. */
void evaluate_target(const SimConfig *config, Target *ret_target);

typedef struct EvalQuantiles { /* over all requests of an episode */
	double p95_ms, p99_ms;
} EvalQuantiles;

/* One episode, however it is to be played. ret_quantiles may be NULL. ERR_* as below. */
int evaluate_play(const SimConfig *config, uint64_t seed, Policy *policy, const EvalOptions *options, EvalEpisode *ret,
                  EvalQuantiles *ret_quantiles, Error *err);

/* One episode with all rails. ERR_* of the policy or the simulator; a step without an observation keeps the replicas. */
int evaluate_episode(const SimConfig *config, uint64_t seed, Policy *policy, EvalEpisode *ret, Error *err);

/* n episodes by evaluate_seed(seed, 0..n-1). */
int evaluate_policy(const SimConfig *config, uint64_t seed, int32_t n, Policy *policy, EvalEpisode *ret, Error *err);
/* The same with two policies alike, one for every other episode on a thread of its own. */
int evaluate_policies(const SimConfig *config, uint64_t seed, int32_t n, Policy *const policy[2], EvalEpisode *ret, Error *err);

#endif
