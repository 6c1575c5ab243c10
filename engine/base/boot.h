/*
 * Statistics of a comparison: interquartile means and their bootstrap intervals (Agarwal, Schwarzer, Castro, Courville,
 * Bellemare, "Deep reinforcement learning at the edge of the statistical precipice", NeurIPS 2021; Efron 1979).
 */
#ifndef MAESTRO_BASE_BOOT_H
#define MAESTRO_BASE_BOOT_H

#include "base/rng.h"

#include <stddef.h>

enum { BOOT_LEAST = 3 }; /* values under which no interval is given */

typedef struct Estimate {
	double value, lo, hi; /* lo and hi NAN: too few values for an interval */
} Estimate;

typedef struct BootSample { /* values by stratum (a trace): resampled within each */
	const double *x;
	const size_t *stratum; /* [n_strata] how many values each has, one behind the other */
	size_t n_strata;
} BootSample;

/* 0..n-1: which value is drawn. Tests hand in recorded ones. */
typedef size_t (*BootDraw)(void *state, size_t n);
size_t boot_draw(void *rng, size_t n); /* state is an Rng */

/* The mean of the middle half, as scipy.stats.trim_mean(x, .25); NAN of none. */
double boot_iqm(const double *x, size_t n);
/* The q-th quantile of sorted values, linear between them as numpy's. */
double boot_quantile(const double *sorted, size_t n, double q);

/* IQM with its 95 % percentile interval over reps stratified resamples. ERR_NOMEM. */
int boot_estimate(const BootSample *a, size_t reps, BootDraw draw, void *state, Estimate *ret);
/* IQM(a) - IQM(b), each resampled on its own, and how often a's was larger (ties count half). ERR_NOMEM. */
int boot_difference(const BootSample *a, const BootSample *b, size_t reps, BootDraw draw, void *state, Estimate *ret,
                    double *ret_p_greater);
/* How often a value of a is larger than one of b, over all pairs (ties count half), with its 95 % interval over the same resamples as
 * boot_difference's: the paper's probability of improvement. ERR_NOMEM. */
int boot_better(const BootSample *a, const BootSample *b, size_t reps, BootDraw draw, void *state, Estimate *ret);

#endif
