/* The pods behind a metric: which of them count, and what they use together (CONTROL A.2). No allocation. */
#ifndef MAESTRO_DECIDE_HPA_PODS_H
#define MAESTRO_DECIDE_HPA_PODS_H

#include "base/types.h"

/* Why a metric gives no number. The order is the order of the checks. */
typedef enum HpaError {
	HPA_OK,
	HPA_NO_METRICS,      /* no sample at all */
	HPA_NO_PODS,         /* no pod listed */
	HPA_NO_SAMPLES,      /* none left of the pods that count */
	HPA_MISSING_REQUEST, /* a container without a request in any listed pod, one that does not count too */
	HPA_ZERO_REQUEST,    /* the requests of the pods with a sample add up to 0 */
} HpaError;

/* "no_metrics"; "" for HPA_OK. */
const char *hpa_error_text(HpaError error);

typedef struct HpaPods {
	const PodSample *pod;
	size_t n;
	const int64_t *unlisted_m; /* usage of pods that the API no longer lists */
	size_t n_unlisted;
	bool is_cpu;               /* asks for readiness; other metrics do not */
	int64_t cpu_init_ms;
	int64_t ready_delay_ms;
} HpaPods;

typedef enum HpaPodKind { HPA_POD_IGNORED, HPA_POD_UNREADY, HPA_POD_MISSING, HPA_POD_READY, HPA_POD_KINDS } HpaPodKind;

typedef struct HpaTally {
	int64_t n[HPA_POD_KINDS];
	int64_t usage_m;    /* of the listed pods that have a sample, or were given one */
	int64_t request_m;  /* of the same pods */
	int64_t listed;     /* how many these are */
	int64_t unlisted_m; /* usage of pods not listed */
	int64_t samples;    /* listed and not listed together */
} HpaTally;

/* Sums over the ready pods. HPA_NO_METRICS, HPA_NO_PODS, HPA_NO_SAMPLES. */
HpaError hpa_tally(const HpaPods *pods, HpaTally *ret);

/* Adds every pod of a kind with a made-up usage: request_pct percent of its request, and fixed_m. */
void hpa_tally_fill(HpaTally *tally, const HpaPods *pods, HpaPodKind kind, int64_t request_pct, int64_t fixed_m);

/* Pods that take traffic: Running and Ready, deleting ones too. */
int64_t hpa_pods_serving(const PodSample *pod, size_t n);

#endif
