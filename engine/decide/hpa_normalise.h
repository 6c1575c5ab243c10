/*
 * From a proposal to a number that may be written: windows, rates, min and max (CONTROL A.5).
 *
 * Two paths, as in the reference: without a behavior (N) the largest recommendation of the window, then at most
 * twice the present number; with one (B) a window and a list of rates for each direction. They differ at their
 * edges: an age equal to the window still counts in N and no longer in B.
 */
#ifndef MAESTRO_DECIDE_HPA_NORMALISE_H
#define MAESTRO_DECIDE_HPA_NORMALISE_H

#include <stddef.h>
#include <stdint.h>

/* Reasons of the three conditions AbleToScale, ScalingActive and ScalingLimited (CONTROL A.6). */
#define HPA_REASON_TABLE(X)                                                                         \
	X(NONE, "") X(SUCCEEDED_GET_SCALE, "SucceededGetScale") X(READY_FOR_NEW_SCALE, "ReadyForNewScale") \
	X(SUCCEEDED_RESCALE, "SucceededRescale") X(SCALE_DOWN_STABILIZED, "ScaleDownStabilized")    \
	X(SCALE_UP_STABILIZED, "ScaleUpStabilized") X(FAILED_UPDATE_SCALE, "FailedUpdateScale")     \
	X(VALID_METRIC_FOUND, "ValidMetricFound") X(SCALING_DISABLED, "ScalingDisabled")            \
	X(FAILED_RESOURCE, "FailedGetResourceMetric")                                               \
	X(FAILED_CONTAINER_RESOURCE, "FailedGetContainerResourceMetric")                            \
	X(FAILED_PODS, "FailedGetPodsMetric") X(FAILED_OBJECT, "FailedGetObjectMetric")             \
	X(FAILED_EXTERNAL, "FailedGetExternalMetric") X(DESIRED_WITHIN_RANGE, "DesiredWithinRange") \
	X(SCALE_UP_LIMIT, "ScaleUpLimit") X(SCALE_DOWN_LIMIT, "ScaleDownLimit")                     \
	X(TOO_FEW_REPLICAS, "TooFewReplicas") X(TOO_MANY_REPLICAS, "TooManyReplicas")

typedef enum HpaReason {
#define WORD(name, text) HPA_##name,
	HPA_REASON_TABLE(WORD)
#undef WORD
	HPA_REASON_COUNT
} HpaReason;

/* Never NULL; "?" outside the table. */
const char *hpa_reason_text(HpaReason reason);

typedef struct HpaMark {
	int64_t at_ms;
	int32_t value;
} HpaMark;

/* Recommendations or scale events in the order of the reference's lists, which decides what is forgotten. */
typedef struct HpaLog {
	HpaMark *mark;
	size_t len, size;
} HpaLog;

/* Room for n marks in all. ERR_NOMEM. */
int hpa_log_reserve(HpaLog *log, size_t n);
/* Takes the place of the last mark that is older than keep_ms, else appends; allocates only past the room that was
 * reserved. ERR_NOMEM. */
int hpa_log_add(HpaLog *log, int64_t now_ms, int32_t value, int64_t keep_ms);

/* How far one direction may go in a period: value pods, or value percent of the number at the period's start. */
typedef enum HpaRateType { HPA_RATE_PODS, HPA_RATE_PERCENT } HpaRateType;
typedef struct HpaRate {
	HpaRateType type;
	int32_t value;
	int64_t period_ms;
} HpaRate;

typedef enum HpaSelect { HPA_SELECT_MAX, HPA_SELECT_MIN, HPA_SELECT_DISABLED } HpaSelect; /* by the change it allows */
typedef struct HpaDirection {
	int64_t window_ms;
	HpaSelect select;
	const HpaRate *rate; /* lent */
	size_t n_rates;
} HpaDirection;

typedef struct HpaBehavior {
	HpaDirection up, down;
} HpaBehavior;

/* What a behavior that says nothing means; the window of down is the controller's. */
void hpa_behavior_default(HpaBehavior *behavior, int64_t downscale_window_ms);

typedef struct HpaSettings {
	int32_t min, max;             /* 0 <= min <= max, 1 <= max */
	int64_t downscale_window_ms;  /* of path N */
	const HpaBehavior *behavior;  /* lent; NULL: path N */
} HpaSettings;

typedef struct HpaHistory {
	HpaLog recommendations;
	HpaLog ups, downs; /* scale events, as numbers of pods added or removed */
} HpaHistory;

void hpa_history_done(HpaHistory *history);

typedef struct HpaNormalised {
	int32_t replicas;
	int32_t stabilised; /* after the windows, before rates and bounds */
	HpaReason able_to_scale, scaling_limited;
} HpaNormalised;

/* Records the proposal as a recommendation. ERR_NOMEM. */
int hpa_normalise(const HpaSettings *settings, HpaHistory *history, int64_t now_ms, int32_t current, int32_t proposal,
                  HpaNormalised *ret);

/* Records a change that was written; path N keeps no events. ERR_NOMEM. */
int hpa_record_change(const HpaSettings *settings, HpaHistory *history, int64_t now_ms, int32_t from, int32_t to);

#endif
