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

#endif
