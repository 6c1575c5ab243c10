/* See chance.h. */
#include "sim/chance.h"

#include <math.h>

double chance_normal(uint32_t word)
{
	const double per_sd = .405554; /* 1/sqrt(24/4 + 1/12) */
	return (__builtin_popcount(word & 0xffffff) - 12.5 + ((word >> 24) + .5) * (1.0 / 256.0)) * per_sd;
}

static double small_poisson(uint32_t word, double mean)
{
	double u = (word + .5) * (1.0 / 4294967296.0), term = exp(-mean), sum = term;
	int k = 0;
	while (u > sum && k < 100)
		sum += term *= mean / ++k;
	return k;
}

double chance_poisson(uint32_t word, double mean)
{
	if (mean < 10.0)
		return small_poisson(word, mean);
	double z = chance_normal(word), x = mean + z * sqrt(mean) + (z * z - 1.0) * (1.0 / 6.0);
	return x > 0.0 ? (double) (int64_t) (x + .5) : 0.0;
}
