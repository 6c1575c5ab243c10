/*
 * A single pod at the request level under steady traffic, and what it did: response tables are made of it, the levels
 * are checked against it.
 */
#ifndef MAESTRO_SIM_REQUEST_H
#define MAESTRO_SIM_REQUEST_H

#include "base/err.h"
#include "sim/service.h"

#include <stdint.h>
#include <string.h>

/*
 * The grid of times on which distributions are kept: 16 points an octave from 2^-14 s (61 us) to 2^8 s, evenly spaced
 * inside an octave, so that a time's bin is the top bits of its double.
 */
enum { TIME_OCTAVE_BITS = 4, TIME_LOW = -14, TIME_OCTAVES = 22, TIME_POINTS = (TIME_OCTAVES << TIME_OCTAVE_BITS) + 1 };

/* Bin of t_s, that is the last point not above it, clamped to the grid; *ret_part is where in the bin, 0..1. */
static inline int32_t time_bin(double t_s, double *ret_part)
{
	uint64_t bits;
	memcpy(&bits, &t_s, sizeof bits);
	int32_t bin = (int32_t) (bits >> (52 - TIME_OCTAVE_BITS)) - ((1023 + TIME_LOW) << TIME_OCTAVE_BITS);
	*ret_part = (double) (bits & ((UINT64_C(1) << (52 - TIME_OCTAVE_BITS)) - 1)) *
	            (1.0 / (double) (UINT64_C(1) << (52 - TIME_OCTAVE_BITS)));
	if (bin >= 0 && bin < TIME_POINTS - 1)
		return bin;
	*ret_part = bin < 0 ? 0.0 : 1.0;
	return bin < 0 ? 0 : TIME_POINTS - 2;
}

/* Seconds at point k. */
double time_point(int32_t k);

typedef struct RequestStats { /* of the measured part of a run */
	double time_s;
	double arrivals, accepted, completed;
	double in_pod_s;               /* integral of the number in the pod */
	double cpu_s;
	double periods, throttled;     /* CFS periods with a request in the pod, and those of them that ran out */
	double sojourn_s, sojourn_s2;  /* sums of T and T^2, net_delay included */
	double bin[TIME_POINTS];       /* completions by time_bin() of T */
} RequestStats;

/*
 * One pod under Poisson arrivals of rate_rps until `requests` arrivals are measured, after a tenth of that unmeasured.
 * stream is the id of the random streams. Memory for the requests in the pod is taken and given back. ERR_NOMEM.
 */
int request_run(const Service *service, double rate_rps, uint64_t requests, uint64_t seed, uint32_t stream,
                RequestStats *ret_stats);
/* The same, and beside it what `other` did, a service of the same sizes, on the same arrivals and demands: what each alone would have
 * done. NULL: nothing beside. */
int request_run_beside(const Service *service, const Service *other, double rate_rps, uint64_t requests, uint64_t seed,
                       uint32_t stream, RequestStats *ret_stats, RequestStats *ret_other);

#endif
