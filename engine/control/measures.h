/* Statistics over episodes. */
#ifndef MAESTRO_CONTROL_MEASURES_H
#define MAESTRO_CONTROL_MEASURES_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

typedef struct Interval {
	double mean, lo, hi;
} Interval;

double mean_of(const double *x, size_t n);
/* Of the population, as numpy's std. */
double std_of(const double *x, size_t n);

/* Mean with the 95 % percentile bootstrap interval (Efron 1979; reps resamples, 10,000 for a report). With n < 2: lo and hi
 * are NAN. ERR_NOMEM. */
int bootstrap_mean(const double *x, size_t n, uint64_t seed, size_t reps, Interval *ret);

#endif
