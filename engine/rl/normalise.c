/* See normalise.h. */
#include "rl/normalise.h"

void running_init(Running *running, size_t dim, double *mean, double *var)
{
	*running = (Running) { .dim = dim, .count = 1e-4, .mean = mean, .var = var };
	for (size_t i = 0; i < dim; i++) {
		mean[i] = 0.0;
		var[i] = 1.0;
	}
}

void running_merge(Running *running, double count, const double *mean, const double *var)
{
	double total = running->count + count;
	for (size_t i = 0; i < running->dim; i++) {
		double delta = mean[i] - running->mean[i];
		double squares = running->var[i] * running->count + var[i] * count +
			delta * delta * running->count * count / total;
		running->mean[i] += delta * count / total;
		running->var[i] = squares / total;
	}
	running->count = total;
}

void batch_moments(size_t n, size_t dim, const float *x, double *ret_mean, double *ret_var)
{
	for (size_t i = 0; i < dim; i++) {
		double sum = 0.0, squares = 0.0;
		for (size_t r = 0; r < n; r++)
			sum += (double) x[r * dim + i];
		double mean = sum / (double) n;
		for (size_t r = 0; r < n; r++) {
			double delta = (double) x[r * dim + i] - mean;
			squares += delta * delta;
		}
		ret_mean[i] = mean;
		ret_var[i] = squares / (double) n;
	}
}

void batch_range(size_t n, size_t dim, const float *x, double *min, double *max)
{
	for (size_t r = 0; r < n; r++)
		for (size_t i = 0; i < dim; i++) {
			double value = (double) x[r * dim + i];
			min[i] = value < min[i] ? value : min[i];
			max[i] = value > max[i] ? value : max[i];
		}
}
