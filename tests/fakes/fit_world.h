/*
 * A history of a known service for the fit: the request level of the simulator under traffic that rises and falls, counted as a
 * Prometheus in the middle of every pod would.
 */
#ifndef MAESTRO_TESTS_FAKES_FIT_WORLD_H
#define MAESTRO_TESTS_FAKES_FIT_WORLD_H

#include "sim/fit.h"

typedef struct FitWorld {
	Service service;
	SimBalance balance;
	double low, high;      /* load of a pod, of its capacity, at the valley and at the peak */
	double period_s;       /* from peak to peak */
	int32_t pods;          /* at first; one more in the second half */
	double step_s;
	size_t rows;
	uint64_t seed;
} FitWorld;

/* Fills data (fit_data_done() frees it). Aborts the test where the simulator refuses. */
void fit_world_make(const FitWorld *world, FitData *data);

#endif
