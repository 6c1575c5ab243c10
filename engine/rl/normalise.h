/*
 * Running mean and variance as VecNormalize keeps them (Chan, Golub and LeVeque 1979 for the merge).
 *
 * A rollout reads what stood before it; each environment gathers its own Batch on its worker's thread, and they are
 * merged afterwards in the order of the environments, so that the number of threads does not show.
 */
#ifndef MAESTRO_RL_NORMALISE_H
#define MAESTRO_RL_NORMALISE_H

#include <stddef.h>

/* Starts at mean 0, variance 1, count 1e-4, SB3's values. */
typedef struct Running {
	size_t dim;
	double count;
	double *mean, *var; /* [dim], the owner's memory */
} Running;

/* mean and var [dim] are lent, and written. */
void running_init(Running *running, size_t dim, double *mean, double *var);
/* Takes in count values of mean [dim] and population variance [dim]. */
void running_merge(Running *running, double count, const double *mean, const double *var);
/* Mean and population variance over n rows of x [n][dim]. */
void batch_moments(size_t n, size_t dim, const float *x, double *ret_mean, double *ret_var);

/* Widens [min, max] [dim] by n rows of x [n][dim]. */
void batch_range(size_t n, size_t dim, const float *x, double *min, double *max);

#endif
