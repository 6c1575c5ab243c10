/*
 * Statistics over episodes, by the book: Agarwal, Schwarzer, Castro, Courville, Bellemare, "Deep reinforcement learning at the edge of
 * the statistical precipice", NeurIPS 2021. Values that are NAN were not measured and are left out.
 */
#ifndef MAESTRO_CONTROL_MEASURES_H
#define MAESTRO_CONTROL_MEASURES_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Interval {
	double mean, lo, hi; /* mean: of whatever was asked for */
} Interval;

/* NAN without values. */
double mean_of(const double *x, size_t n);
/* Of the population, as numpy's std. */
double std_of(const double *x, size_t n);
/* Sorts x. NAN without values. */
double median_of(double *x, size_t n);

/* Mean with the 95 % percentile bootstrap interval (Efron 1979; reps resamples, 10,000 for a report). With n < 2: lo and hi
 * are NAN. ERR_NOMEM. */
int bootstrap_mean(const double *x, size_t n, uint64_t seed, size_t reps, Interval *ret);

/* Runs of several tasks, here seeds on several traces: [n_strata][n_runs]. */
typedef struct Strata {
	const double *x;
	size_t n_strata, n_runs;
} Strata;

/* Interquartile mean of all values, of what is left when a quarter of them, rounded down, is cut at each end (scipy's trim_mean; NAN
 * without values), with the 95 % percentile bootstrap that draws runs anew within each stratum; with_strata: that
 * draws strata anew too, so that the interval speaks for traces like these. lo and hi are NAN where nothing can differ. ERR_NOMEM. */
int bootstrap_iqm(Strata strata, bool with_strata, uint64_t seed, size_t reps, Interval *ret);
/* Probability that a run of x is below one of y on the same trace: the mean over traces of [x < y] + [x = y]/2 over all pairs, with
 * its bootstrap interval, both sides drawn anew. Of the same shape. ERR_NOMEM. */
int bootstrap_improvement(Strata x, Strata y, uint64_t seed, size_t reps, Interval *ret);
/* Performance profile: share of the values that are at or under each tau. */
void performance_profile(const double *x, size_t n, const double *tau, size_t n_tau, double *ret);

#endif
