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

void reward_slo_default(SloWeights *weights)
{
	*weights = (SloWeights) { .violation = 1.0f, .kappa = 2.0f, .change = .003f, .reversal = .01f };
}

/* A share of .05 over the limit is a p95 at the limit. */
static float aligned(float share)
{
	float x = (share - .03f) / .04f;
	return x < 0.0f ? 0.0f : x > 1.0f ? 1.0f : x;
}

float reward_violation(const SloWeights *weights, const SloStep *step)
{
	float soft = weights->is_plain ? step->slow_soft : aligned(step->slow_soft);
	float hard = weights->is_plain ? step->slow_hard : aligned(step->slow_hard);
	return soft + (weights->kappa - 1.0f) * hard;
}

float reward_slo(const SloWeights *weights, const SloStep *step)
{
	float cost = step->pod_price * step->pods + weights->violation * reward_violation(weights, step);
	cost += step->has_changed ? weights->change : 0.0f;
	cost += step->has_reversed ? weights->reversal : 0.0f;
	return -cost;
}
