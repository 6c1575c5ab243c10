/* What the parts of the Prometheus source share. */
#ifndef MAESTRO_CLUSTER_PROM_INSIDE_H
#define MAESTRO_CLUSTER_PROM_INSIDE_H

#include "base/json.h"
#include "cluster/prom_query.h"
#include "cluster/prometheus.h"

/* GET query->target. The root of an answer that says "success" and has no part missing, for the caller to free; else the
 * errors of prom_query(). */
int prom_ask(PromQuery *query, int64_t timeout_ms, Json **ret_root, Error *err);
/* ERR_PARSE with an excerpt of the last answer. */
int prom_unexpected(const PromQuery *query, const char *why, Error *err);
/* [time, "number"]; false when it is not that. */
bool prom_read_value(const Json *pair, double *ret_time_s, double *ret);

/* ---- the source ---- */

enum { PROM_CPU, PROM_MEMORY, PROM_P95, PROM_RPS, PROM_VALUES };
enum { STALE_SLACK_MS = 30000, FUTURE_SLACK_MS = 5000 };

typedef struct PromValue {
	const char *name;
	uint32_t bit;
	int age;        /* index in Sample.age_ms */
	double max;     /* past this it is a broken exporter */
	const char *value, *newest; /* queries: of the value, of its newest sample's time */
} PromValue;

typedef struct PromSlot { /* of one target */
	Sample sample;
	PodList pods;
} PromSlot;

typedef struct PromMetrics {
	Metrics base;
	PromConfig config; /* url is ours */
	PromQuery query;
	PromRows rows, times;
	StrBuf promql;
	PromSlot *slot;
	size_t n_slots;
} PromMetrics;

const PromValue *prom_value(int v);
/* Fills prom->promql. */
void prom_fill_in(PromMetrics *prom, const Target *target, const char *template);
/* MetricsOps.history */
int prom_history(Metrics *metrics, const Target *target, int64_t now_ms, int64_t step_ms, size_t n, Sample *ret_samples,
                 Error *err);

#endif
