/* What one metric proposes (CONTROL A.3). Values are milli-units; only the ratio is a double. No allocation. */
#ifndef MAESTRO_DECIDE_HPA_METRIC_H
#define MAESTRO_DECIDE_HPA_METRIC_H

#include "decide/hpa_pods.h"

typedef struct HpaTolerance {
	double up, down; /* as ratios, ends included; .1 */
} HpaTolerance;

typedef struct HpaProposal {
	int32_t replicas;
	int32_t utilization_pct; /* of the request, where asked for */
	int64_t usage_m;         /* of a pod on average, or the value itself */
} HpaProposal;

/* A metric that every pod has: cpu, memory or a custom one. */
typedef struct HpaPodMetric {
	HpaPods pods;
	int32_t current;       /* spec.replicas */
	bool is_utilisation;   /* target is in percent of the request, else milli-units a pod */
	int64_t target;        /* > 0 */
	HpaTolerance tolerance;
} HpaPodMetric;

/* Replicas by the mean over the pods, with what is assumed for those that are missing or not ready (CONTROL A.3). */
HpaError hpa_propose_pods(const HpaPodMetric *metric, HpaProposal *ret);

/* One number of an object or of something outside the cluster. */
typedef struct HpaValueMetric {
	const PodSample *pod;
	size_t n_pods;
	int32_t current;  /* spec.replicas; status.replicas for the value of a pod */
	int64_t value_m;
	int64_t target_m; /* > 0 */
	HpaTolerance tolerance;
} HpaValueMetric;

/* The value goes with the number of serving pods. HPA_NO_PODS. */
HpaError hpa_propose_value(const HpaValueMetric *metric, HpaProposal *ret);

/* The value is shared out among the pods; usage_m is a pod's part, rounded up, 0 without pods. */
void hpa_propose_per_pod(const HpaValueMetric *metric, HpaProposal *ret);

/* Sum of an external metric's values. */
int64_t hpa_sum(const int64_t *value_m, size_t n);

#endif
