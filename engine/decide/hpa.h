/*
 * The rule of the HorizontalPodAutoscaler v2 of Kubernetes 1.34 (CONTROL A), exact: our baseline and our fallback.
 */
#ifndef MAESTRO_DECIDE_HPA_H
#define MAESTRO_DECIDE_HPA_H

#include "base/err.h"
#include "base/policy.h"

typedef struct HpaConfig {
	int32_t cpu_target_pct;         /* of the request; 80 when no metric is given */
	double tolerance_up, tolerance_down; /* .1 */
	int64_t cpu_init_ms;            /* 300 s */
	int64_t ready_delay_ms;         /* 30 s */
	int64_t downscale_window_ms;    /* 300 s */
} HpaConfig;

void hpa_config_default(HpaConfig *config);

/*
 * The whole rule as a Policy: utilisation of cpu (A.2, A.3), stabilisation and rate without behavior (A.5, path N),
 * min and max of the target. Time is the sample's wall_ms; what the rule remembers is per Policy, so one serves one
 * target. decide sets raw and reason, and action to the direction; without pods or samples: ERR_NO_DATA.
 * label "hpa" or "hpa:cpu=N". ERR_NOMEM; ERR_INVALID for a target below 1 or a window below 0.
 */
int hpa_policy_new(const HpaConfig *config, Policy **ret_policy);

#endif
