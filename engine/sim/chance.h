/*
 * The chance of a sub-step: two words of a Philox block that is counted by the sub-step's number, so that what is drawn
 * does not depend on what else was. Arrivals stay the same whatever the replicas do.
 */
#ifndef MAESTRO_SIM_CHANCE_H
#define MAESTRO_SIM_CHANCE_H

#include <math.h>
#include <stdint.h>

/* Mean 0, deviation 1: 24 tosses of a coin (de Moivre 1733), smoothed over the steps between their sums by 8 bits more.
 * Its fourth moment is 2.92, its ends are +-5. */
static inline float chance_normal(uint32_t word)
{
	const float per_sd = .405554f; /* 1/sqrt(24/4 + 1/12) */
	int32_t heads = __builtin_popcount(word & 0xffffff);
	return ((float) (256 * heads + (int32_t) (word >> 24)) - (12.5f * 256.0f - .5f)) * (per_sd / 256.0f);
}

/* The quantile of a small mean. */
float chance_small_poisson(uint32_t word, float mean);

/* A Poisson number of a mean and its root: below 10 the quantile, else the normal one corrected for its skew (Cornish and
 * Fisher 1938). */
static inline float chance_poisson(uint32_t word, float mean, float sd)
{
	if (mean < 10.0f)
		return chance_small_poisson(word, mean);
	float z = chance_normal(word), x = mean + z * sd + (z * z - 1.0f) * (1.0f / 6.0f);
	return x > 0.0f ? (float) (int32_t) (x + .5f) : 0.0f;
}

#endif
