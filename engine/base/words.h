/*
 * The product's vocabulary: states, reasons, guards, and the figures of a training update.
 *
 * One enum and one text table each. Screen, JSON, store, Kubernetes Events and metric labels print from here, so
 * a word is spelled alike everywhere. Words are in stored rows: append only, never reuse.
 */
#ifndef MAESTRO_BASE_WORDS_H
#define MAESTRO_BASE_WORDS_H

#include <stdbool.h>

/* What the loop of a target is doing. */
#define STATE_TABLE(X)                                                                              \
	X(STANDBY, "Standby") X(WARMING, "Warming") X(SHADOW, "Shadow") X(ACTIVE, "Active")         \
	X(HOLD, "Hold") X(FALLBACK, "Fallback") X(PAUSED, "Paused") X(MANUAL, "Manual")             \
	X(CONFLICT, "Conflict") X(DISABLED, "Disabled")

/* Why a decision is what it is. */
#define REASON_TABLE(X)                                                                             \
	X(NONE, "") X(POLICY_UP, "PolicyUp") X(POLICY_DOWN, "PolicyDown") X(POLICY_KEEP, "PolicyKeep") \
	X(METRICS_MISSING, "MetricsMissing") X(METRICS_STALE, "MetricsStale")                       \
	X(MODEL_UNAVAILABLE, "ModelUnavailable") X(OUT_OF_DISTRIBUTION, "OutOfDistribution")        \
	X(REPLICAS_CHANGED, "ReplicasChanged") X(REPLICAS_FOUGHT, "ReplicasFought")                 \
	X(FORBIDDEN, "Forbidden") X(UNAUTHORIZED, "Unauthorized") X(INVALID, "Invalid")             \
	X(API_ERROR, "ApiError") X(CONFLICT, "Conflict") X(MANUAL, "Manual") X(RESUME, "Resume")    \
	X(PAUSED, "Paused") X(DRY_RUN, "DryRun") X(TOO_MANY_REPLICAS, "TooManyReplicas")            \
	X(TOO_FEW_REPLICAS, "TooFewReplicas")

/* What changed the policy's wish on its way to the cluster; decide/rails.c has the order in which they are applied. */
#define GUARD_TABLE(X)                                                                              \
	X(MASKED, "Masked") X(STEP_LIMIT, "StepLimit") X(LATENCY_VETO, "LatencyVeto")               \
	X(CAPACITY_VETO, "CapacityVeto") X(PIPELINE_VETO, "PipelineVeto") X(STABILISED, "Stabilised") \
	X(COOLDOWN, "Cooldown") X(FLAP_GUARD, "FlapGuard") X(BUDGET, "Budget")                      \
	X(CLAMPED_MIN, "ClampedMin") X(CLAMPED_MAX, "ClampedMax") X(FALLBACK_UP_ONLY, "FallbackUpOnly") \
	X(DRY_RUN, "DryRun") X(PREDICT_ADDS_ONLY, "PredictAddsOnly") X(SCALE_IN_PAUSED, "ScaleInPaused")

/* Events on the Deployment (CONTROL B.6), and whether they are warnings. */
#define EVENT_TABLE(X)                                                                              \
	X(SCALED, "MaestroScaled", false) X(STARTED, "MaestroStarted", false)                       \
	X(RESUMED, "MaestroResumed", false) X(MANUAL_OVERRIDE, "MaestroManualOverride", false)      \
	X(LEADER_ELECTED, "MaestroLeaderElected", false) X(HOLD, "MaestroHold", true)               \
	X(FALLBACK, "MaestroFallback", true) X(METRICS_MISSING, "MaestroMetricsMissing", true)      \
	X(METRICS_STALE, "MaestroMetricsStale", true) X(MODEL_UNAVAILABLE, "MaestroModelUnavailable", true) \
	X(CONFLICT, "MaestroConflict", true) X(REPLICAS_FOUGHT, "MaestroReplicasFought", true)      \
	X(SCALE_FAILED, "MaestroScaleFailed", true) X(FLAPPING, "MaestroFlapping", true)            \
	X(AT_MAXIMUM, "MaestroAtMaximum", true)

/* Conditions of a target (CONTROL B.7): the HPA's three, then this product's. */
#define CONDITION_TABLE(X)                                                                          \
	X(SCALING_ACTIVE, "ScalingActive") X(ABLE_TO_SCALE, "AbleToScale") X(SCALING_LIMITED, "ScalingLimited") \
	X(POLICY_HEALTHY, "PolicyHealthy") X(METRICS_FRESH, "MetricsFresh") X(SOLE_OWNER, "SoleOwner") \
	X(LEADING, "Leading")

/* Figures of a PPO update under Stable-Baselines3's names, with its logger's section, in the order of the
 * contract's NDJSON. */
#define TRAIN_TABLE(X)                                                                              \
	X(EP_REW_MEAN, "ep_rew_mean", "rollout") X(EP_LEN_MEAN, "ep_len_mean", "rollout")           \
	X(APPROX_KL, "approx_kl", "train") X(CLIP_FRACTION, "clip_fraction", "train")               \
	X(ENTROPY_LOSS, "entropy_loss", "train") X(EXPLAINED_VARIANCE, "explained_variance", "train") \
	X(VALUE_LOSS, "value_loss", "train") X(POLICY_GRADIENT_LOSS, "policy_gradient_loss", "train") \
	X(LOSS, "loss", "train") X(STEPS_PER_S, "steps_per_s", "time")                              \
	X(LEARNING_RATE, "learning_rate", "train") X(CLIP_RANGE, "clip_range", "train")             \
	X(ENT_COEF, "ent_coef", "train") X(GRAD_NORM, "grad_norm", "train")

typedef enum TargetState {
#define WORD(name, text) STATE_##name,
	STATE_TABLE(WORD)
#undef WORD
	STATE_COUNT
} TargetState;

typedef enum Reason {
#define WORD(name, text) REASON_##name,
	REASON_TABLE(WORD)
#undef WORD
	REASON_COUNT
} Reason;

typedef enum Guard {
#define WORD(name, text) GUARD_##name,
	GUARD_TABLE(WORD)
#undef WORD
	GUARD_COUNT
} Guard;

typedef enum EventWord {
#define WORD(name, text, is_warning) EVENT_##name,
	EVENT_TABLE(WORD)
#undef WORD
	EVENT_COUNT
} EventWord;

typedef enum ConditionKind {
#define WORD(name, text) CONDITION_##name,
	CONDITION_TABLE(WORD)
#undef WORD
	CONDITION_COUNT
} ConditionKind;

typedef enum TrainMetric {
#define WORD(name, text, section) TRAIN_##name,
	TRAIN_TABLE(WORD)
#undef WORD
	TRAIN_METRIC_COUNT
} TrainMetric;

/* Never NULL; "?" outside the table. */
const char *state_text(TargetState state);
const char *reason_text(Reason reason);
const char *guard_text(Guard guard);
const char *event_text(EventWord event);
bool event_is_warning(EventWord event);
const char *condition_text(ConditionKind condition);
const char *train_metric_name(TrainMetric metric);    /* "ep_rew_mean" */
const char *train_metric_section(TrainMetric metric); /* "rollout" */

#endif
