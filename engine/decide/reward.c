/* See reward.h. */
#include "decide/reward.h"

static const double PODS_WEIGHT = .3, LATENCY_WEIGHT = .7;

/* 1 within soft, falling linearly to 0 at hard, -1 beyond it; 0 where no limits are set. */
static double latency_part(const Target *target, double latency_ms, bool *ret_terminated)
{
	double soft = (double) target->latency_soft_ms, hard = (double) target->latency_hard_ms;
	*ret_terminated = false;
	if (soft <= 0.0 || hard <= 0.0)
		return 0.0;
	if (latency_ms > hard) {
		*ret_terminated = true;
		return -1.0;
	}
	return latency_ms > soft ? 1.0 - (latency_ms - soft) / (hard - soft) : 1.0;
}

float reward_seed(const Target *target, int32_t replicas, float latency_ms, bool *ret_terminated)
{
	double max = target->max_replicas;
	double pods = (max - replicas) / max;
	return (float) (PODS_WEIGHT * pods + LATENCY_WEIGHT * latency_part(target, (double) latency_ms, ret_terminated));
}
