/* Inputs of an HPA case that several kinds share, read strictly from its JSON (tests/fixtures/README.md). */
#ifndef MAESTRO_TESTS_HPA_INPUTS_H
#define MAESTRO_TESTS_HPA_INPUTS_H

#include "decide/hpa_cycle.h"
#include "decide/hpa_metric.h"
#include "fields.h"

enum { HPA_RATES_MAX = 16, HPA_VOTES_MAX = 64, HPA_PODS_MAX = 1 << 20 };
#define HPA_EXACT_MAX (INT64_C(1) << 53) /* largest whole number that a JSON reader keeps exact */

/* What the present case points to; grown as needed, and freed once. */
typedef struct HpaInputs {
	PodSample *pod;
	size_t n_pods, pods_size;
	int64_t *number;
	size_t n_numbers;
	HpaRate rate[2][HPA_RATES_MAX]; /* of the behavior: up, down */
	HpaBehavior behavior;
} HpaInputs;

void hpa_inputs_done(HpaInputs *inputs);

/* The field "pods", each one as often as its count says; what a pod leaves out is in pod_defaults. */
void hpa_inputs_pods(HpaInputs *inputs, Fields *fields, const Json *pod_defaults);
void hpa_inputs_numbers(HpaInputs *inputs, Fields *fields, const char *key);
/* min, max, window and, where the case has one, the behavior. */
HpaSettings hpa_inputs_settings(HpaInputs *inputs, Fields *fields);
HpaTolerance hpa_inputs_tolerance(Fields *fields);
/* Marks with an age before time 0. */
void hpa_inputs_log(Fields *fields, const char *key, const char *value_key, HpaLog *log);
/* The field "proposals"; their number. */
size_t hpa_inputs_votes(Fields *fields, HpaVote vote[HPA_VOTES_MAX]);
/* Makes an ERR_NOMEM of it. */
void hpa_inputs_no_memory(Fields *fields);

#endif
