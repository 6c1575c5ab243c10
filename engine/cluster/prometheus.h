/*
 * Metrics of a real cluster: numbers from Prometheus by the queries of a preset (the thesis's, CONTROL F.0, or others: prom_preset.h), pods and replicas from the
 * Kubernetes API.
 *
 * An unknown is never a number. Each of the four values is valid only if its query gave exactly one finite, plausible
 * number and the newest sample behind it is fresh (by timestamp()); else Sample.missing says which value, why, and by
 * which query. There is one inference: no request series at all, while Prometheus scrapes the pods (up = 1), is 0 rps.
 */
#ifndef MAESTRO_CLUSTER_PROMETHEUS_H
#define MAESTRO_CLUSTER_PROMETHEUS_H

#include "base/clock.h"
#include "base/endpoint.h"
#include "base/metrics.h"
#include "base/telemetry.h"
#include "cluster/kube.h"

typedef struct PromConfig {
	const char *url;           /* "http://host:9090", a path prefix allowed; lent, as all below */
	const char *latency_url;   /* of another Prometheus that has the p95; NULL: the same */
	EndpointConfig access;     /* what both ask of us; its url is not read */
	const char *queries;       /* preset or file of Deployments without an annotation; NULL: "istio" */
	bool ignores_annotation;   /* of queries too: somebody who is nearer has chosen */
	Telemetry *telemetry;      /* NULL: nobody counts */
	KubeClient *kube;          /* lent for the source's life; used only within fetch */
	Clock *clock;              /* the same; for the deadline over all queries of a target */
	double rate_window_s;      /* of cpu and rps: 60, or a model's own */
	double latency_window_s;   /* of the p95: 300 */
	double scrape_interval_s;  /* data older than 2 x this + 30 s is stale: 15 */
} PromConfig;

/* The thesis's windows and Prometheus's usual scrape interval; url, kube and clock are the caller's. */
void prom_config_default(PromConfig *config);

/* ERR_NOMEM; endpoint_open's, of a URL or a file; prom_queries_open's. */
int prom_metrics_new(const PromConfig *config, Metrics **ret_metrics, Error *err);

/* Whether it answers a query at all, for a source made by prom_metrics_new. Errors of prom_query(). */
int prom_reachable(Metrics *metrics, int64_t now_ms, Error *err);

#endif
