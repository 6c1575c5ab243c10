/* See chance.h. */
#include "sim/chance.h"

float chance_small_poisson(uint32_t word, float mean)
{
	double u = (word + .5) * (1.0 / 4294967296.0), term = exp(-(double) mean), sum = term;
	int k = 0;
	while (u > sum && k < 100)
		sum += term *= (double) mean / ++k;
	return (float) k;
}
