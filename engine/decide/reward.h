/* Rewards: what an interval was worth. */
#ifndef MAESTRO_DECIDE_REWARD_H
#define MAESTRO_DECIDE_REWARD_H

#include "base/types.h"

#include <stdbool.h>

/*
 * CONTROL F.4 `seed`, the thesis's reward exactly: r1 = (max - n)/max; r2 = 0, or with both limits on: latency over
 * hard: -1 and the episode terminates; over soft: 1 - (latency - soft)/(hard - soft); else 1. R = .3 r1 + .7 r2.
 *
 * replicas is what was asked for after the action, latency_ms the observed p95. *ret_terminated is always written.
 */
float reward_seed(const Target *target, int32_t replicas, float latency_ms, bool *ret_terminated);

/* CONTROL F.4 `slo`. reward_slo_default: the aligned form's figures. */
typedef struct SloWeights {
	float violation;      /* b: of the share of slow requests */
	float kappa;          /* a hard second counts so often: 2 */
	float change;         /* g: of a number that changed */
	float reversal;       /* e: of a direction reversed within 10 min */
	bool is_plain;        /* shares as they are; else aligned: clip((share - .03)/.04, 0, 1), 'is p95 over the limit', softened */
} SloWeights;

void reward_slo_default(SloWeights *weights);

#define REWARD_REVERSAL_S 600.0f /* a change against the last one within it is a reversal */

typedef struct SloStep { /* one interval, after the action */
	float pod_price;      /* a, of all max_replicas */
	float pods;           /* in parts of max_replicas */
	float slow_soft, slow_hard; /* share of the interval's requests over soft, over hard, dropped ones included */
	bool has_changed, has_reversed;
} SloStep;

/* v, the interval's violation, 0..kappa: share over soft + (kappa - 1) share over hard, aligned or plain. */
float reward_violation(const SloWeights *weights, const SloStep *step);
/* -(a pods + b v + g [changed] + e [reversed]). Never ends an episode. */
float reward_slo(const SloWeights *weights, const SloStep *step);

#endif
