/*
 * Where samples come from: Prometheus, the simulated service, a recorded file.
 */
#ifndef MAESTRO_BASE_METRICS_H
#define MAESTRO_BASE_METRICS_H

#include "base/err.h"
#include "base/types.h"

typedef struct Metrics Metrics;
typedef struct MetricsOps {
	const char *name; /* "prometheus", "sim" */
	/* One sample a target, as of now_ms (wall). Answers 0 with `valid` and `missing` saying what is not there;
	 * negative only where nothing could be asked (ERR_UNREACHABLE, ERR_TIMEOUT, ERR_UNAUTHORIZED, ...), and then
	 * no sample is touched. The pods of each sample stay valid until the next fetch. */
	int (*fetch)(Metrics *metrics, const Target *target, size_t n, int64_t now_ms, Sample *ret_sample, Error *err);
	void (*free)(Metrics *metrics);
	/* Optional. The n samples at now_ms - (n - 1) * step_ms, ..., now_ms, oldest first and without pods: what fetch would have
	 * given then, as far as it is known now. Errors as of fetch. */
	int (*history)(Metrics *metrics, const Target *target, int64_t now_ms, int64_t step_ms, size_t n, Sample *ret_samples,
	               Error *err);
} MetricsOps;

struct Metrics { /* first member of each kind */
	const MetricsOps *ops;
};

/* ops->history, or ERR_NOT_FOUND where the source keeps none. */
int metrics_history(Metrics *metrics, const Target *target, int64_t now_ms, int64_t step_ms, size_t n, Sample *ret_samples,
                    Error *err);
/* Accepts NULL. */
void metrics_free(Metrics *metrics);

#endif
