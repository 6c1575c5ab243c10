/*
 * Range queries of Prometheus's HTTP API (GET /api/v1/query_range): one PromQL expression over a stretch of time, asked for
 * in chunks, into one table of series on a common grid of times.
 */
#ifndef MAESTRO_CLUSTER_PROM_RANGE_H
#define MAESTRO_CLUSTER_PROM_RANGE_H

#include "base/clock.h"
#include "cluster/prom_query.h"

typedef struct PromSeries {
	char *labels;            /* all of them, for a person: pod="web-1",le="5"; also what tells series apart */
	char by[NAME_MAX_K8S];   /* the value of the label PromRange.by; "" without it */
	double *value;           /* [PromMatrix.n]; NAN: a gap, or Prometheus said NaN; may be infinite */
} PromSeries;

typedef struct PromMatrix {
	int64_t start_ms, step_ms; /* value i is as of start_ms + i * step_ms */
	size_t n;                  /* times */
	PromSeries *series;
	size_t n_series, size;
} PromMatrix;

typedef struct PromRange {
	const char *promql;
	const char *by;                      /* label that the caller tells series apart by; NULL: none */
	int64_t start_ms, end_ms, step_ms;   /* start_ms + i * step_ms <= end_ms */
	Clock *clock;
	int64_t deadline_ms;                 /* of the whole, on clock's mono_ms */
	int64_t timeout_ms;                  /* of one request */
	/* NULL, or told after each chunk how many of the n times are there; false ends the query with ERR_CANCELLED */
	bool (*progress)(void *context, size_t done, size_t n);
	void *context;
} PromRange;

/*
 * Fills matrix (emptied first; free it by prom_matrix_done() whatever the answer) with every series of the answer. A chunk that is
 * too much for Prometheus or for the bound on an answer is halved. A gap is a gap: nothing is carried over it.
 * Errors as of prom_query(), and ERR_INVALID for an impossible stretch or more than 8 Mi values (64 MiB),
 * ERR_TIMEOUT past the deadline, ERR_CANCELLED.
 */
int prom_range(PromQuery *query, const PromRange *range, PromMatrix *matrix, Error *err);

/* The only series, or NULL: ERR_NO_DATA where there is none, ERR_INVALID where there are several, with the labels of two. */
const PromSeries *prom_matrix_single(const PromMatrix *matrix, Error *err);
/* The series whose `by` is that; NULL: none. */
const PromSeries *prom_matrix_by(const PromMatrix *matrix, const char *by);

void prom_matrix_done(PromMatrix *matrix);

#endif
