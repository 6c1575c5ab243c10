/* See measures.h. */
#include "control/measures.h"

#include "base/rng.h"

#include <math.h>
#include <stdlib.h>

double mean_of(const double *x, size_t n)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += x[i];
	return n ? sum / (double) n : NAN;
}

double std_of(const double *x, size_t n)
{
	double mean = mean_of(x, n), sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += (x[i] - mean) * (x[i] - mean);
	return n ? sqrt(sum / (double) n) : NAN;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *) a, y = *(const double *) b;
	return (x > y) - (x < y);
}

/* Linear between order statistics, as numpy's default. */
static double quantile(const double *sorted, size_t n, double q)
{
	double at = q * (double) (n - 1);
	size_t below = (size_t) at;
	if (below + 1 >= n)
		return sorted[n - 1];
	return sorted[below] + (at - (double) below) * (sorted[below + 1] - sorted[below]);
}

int bootstrap_mean(const double *x, size_t n, uint64_t seed, size_t reps, Interval *ret)
{
	*ret = (Interval) { mean_of(x, n), NAN, NAN };
	if (n < 2)
		return 0;
	double *means = malloc(reps * sizeof *means);
	if (!means)
		return ERR_NOMEM;
	Rng rng;
	rng_init(&rng, seed, 0, RNG_BOOTSTRAP);
	for (size_t r = 0; r < reps; r++) {
		double sum = 0;
		for (size_t i = 0; i < n; i++)
			sum += x[rng_below(&rng, (uint32_t) n)];
		means[r] = sum / (double) n;
	}
	qsort(means, reps, sizeof *means, ascending);
	ret->lo = quantile(means, reps, .025);
	ret->hi = quantile(means, reps, .975);
	free(means);
	return 0;
}
