/* See chance.h. */
#include "sim/chance.h"

#include <math.h>

float chance_normal(uint32_t word)
{
	const float per_sd = .405554f; /* 1/sqrt(24/4 + 1/12) */
	uint32_t sum = word & 0xffffff; /* its bits, added in parallel */
	sum -= sum >> 1 & 0x555555;
	sum = (sum & 0x333333) + (sum >> 2 & 0x333333);
	sum = (sum + (sum >> 4)) & 0x0f0f0f;
	int32_t heads = (int32_t) (sum * 0x10101 >> 16 & 0xff);
	return ((float) (256 * heads + (int32_t) (word >> 24)) - (12.5f * 256.0f - .5f)) * (per_sd / 256.0f);
}

static float small_poisson(uint32_t word, double mean)
{
	double u = (word + .5) * (1.0 / 4294967296.0), term = exp(-mean), sum = term;
	int k = 0;
	while (u > sum && k < 100)
		sum += term *= mean / ++k;
	return (float) k;
}

float chance_poisson(uint32_t word, float mean)
{
	if (mean < 10.0f)
		return small_poisson(word, (double) mean);
	float z = chance_normal(word), x = mean + z * sqrtf(mean) + (z * z - 1.0f) * (1.0f / 6.0f);
	return x > 0.0f ? (float) (int32_t) (x + .5f) : 0.0f;
}
