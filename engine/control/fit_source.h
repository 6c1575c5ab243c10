/*
 * The data of a fit (sim/fit.h) from a Prometheus: what it knows of a Deployment over a window, by range queries in chunks.
 */
#ifndef MAESTRO_CONTROL_FIT_SOURCE_H
#define MAESTRO_CONTROL_FIT_SOURCE_H

#include "base/clock.h"
#include "base/endpoint.h"
#include "sim/fit.h"

typedef struct FitSource {
	EndpointConfig endpoint;   /* url and what it asks of us; lent */
	Target target;             /* namespace and name */
	int64_t end_ms;            /* of the window, wall time */
	double window_s, step_s;   /* rates are taken over step_s: four scrapes or more */
	Clock *clock;
	int64_t timeout_ms;        /* of the whole */
	/* NULL, or told how much is read, 0..1, and what is read now; false ends it with ERR_CANCELLED */
	bool (*progress)(void *context, double done, const char *what);
	void *context;
} FitSource;

/*
 * Fills data (initialised by the caller, who frees it). notes gets a line for each series that is not there, and what stands in
 * for it. ERR_NO_DATA where requests, latencies or cpu have no series at all, ERR_INVALID where there are several for one, both with
 * the query; ERR_USAGE for a name that Kubernetes does not allow or an impossible window; those of prom_range().
 */
int fit_source_read(const FitSource *source, FitData *data, StrBuf *notes, Error *err);

#endif
