/*
 * Two predictive rules, the baselines that a learned policy has to stand beside (CONTROL E):
 *
 *     model-based   a queueing model of the service, asked how many pods the traffic will need when pods that are asked for now are
 *                   ready: x + margin sqrt(x), x being an upper forecast at the start-up horizon over the capacity of a pod at the
 *                   soft limit (square-root staffing, Halfin and Whitt 1981: chance evens out over many pods); down only when a dead
 *                   band and the largest wish of a window agree
 *     predictive    the HPA rule, and beside it what the forecast of cpu by Holt and Winters would need; the larger of the two
 */
#ifndef MAESTRO_DECIDE_MODEL_BASED_H
#define MAESTRO_DECIDE_MODEL_BASED_H

#include "base/err.h"
#include "base/policy.h"
#include "decide/forecast.h"

typedef struct ModelBasedConfig {
	double margin;          /* the knob: 0 is the steady state at the limit */
	double quantile;        /* of the forecast; .5 its middle */
	double down_window_s;   /* the largest wish of so long holds */
	double dead_band;       /* a down must still do for the forecast times 1 + this */
	double startup_s;       /* of a pod, when the target does not say; 0: 30 */
	double lag_s;           /* by how much the measured rate is behind; half its window and a scrape: 45 */
	double interval_s;
	Forecaster forecaster;  /* FORECAST_BEST chooses by past error */
} ModelBasedConfig;

/* margin .5, quantile .8, window 180 s, dead band .05, the best forecaster, 15 s. */
void model_based_config_default(ModelBasedConfig *config);

/* Reads the sample's rps and the target's pod_capacity_rps; ERR_NO_DATA where either is not known. ERR_INVALID: a margin or
 * quantile out of [-1, 10] and (0, 1). */
int model_based_policy_new(const ModelBasedConfig *config, Policy **ret_policy);
/* A value of the past, oldest first, before the first decision: what a range query gives. */
void model_based_history(Policy *policy, int64_t wall_ms, double rps);

/* Pods for x pods' worth of traffic. */
double staffing(double x, double margin);

/* cpu_target_pct and down window as of the HPA rule. */
int predictive_policy_new(int32_t cpu_target_pct, double down_window_s, double startup_s, double interval_s, Policy **ret_policy);
void predictive_history(Policy *policy, int64_t wall_ms, double cpu_cores);

#endif
