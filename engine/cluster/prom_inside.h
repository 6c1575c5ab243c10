/* What the parts of the Prometheus source share. */
#ifndef MAESTRO_CLUSTER_PROM_INSIDE_H
#define MAESTRO_CLUSTER_PROM_INSIDE_H

#include "base/json.h"
#include "cluster/prom_preset.h"
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

enum { STALE_SLACK_MS = 30000, FUTURE_SLACK_MS = 5000 };

typedef struct PromValue {
	const char *name;
	uint32_t bit;
	int age;        /* index in Sample.age_ms */
	double max;     /* past this it is a broken exporter */
} PromValue;

typedef struct PromSlot { /* of one target */
	Sample sample;
	PodList pods;
	char annotation[PROM_ANNOTATION]; /* that queries were read from */
	PromQueries queries;              /* of the annotation */
} PromSlot;

struct PromBatch;

typedef struct PromLane { /* asks for one value: the four go side by side, each on a connection of its own */
	PromQuery query;
	PromRows rows;
	StrBuf promql;
} PromLane;

typedef struct PromMetrics {
	Metrics base;
	PromConfig config;
	PromLane lane[PROM_VALUES];
	PromQueries queries;       /* of targets without an annotation */
	PromRows rows, times;
	struct PromBatch *batch;   /* of a fetch */
	StrBuf promql;
	PromSlot *slot;
	size_t n_slots;
} PromMetrics;

/* The v-th of PROM_VALUES. */
const PromValue *prom_value(int v);
/* The queries of a target whose annotation says so ("": the source's own), kept in slot. ERR_INVALID names the Deployment. */
int prom_choose_queries(PromMetrics *prom, const Target *target, const char *annotation, PromSlot *slot, const PromQueries **ret,
                        Error *err);
/* Fills prom->promql. */
void prom_fill_in(PromMetrics *prom, const Target *target, const char *template);
/* MetricsOps.history */
int prom_history(Metrics *metrics, const Target *target, int64_t now_ms, int64_t step_ms, size_t n, Sample *ret_samples,
                 Error *err);

#endif
