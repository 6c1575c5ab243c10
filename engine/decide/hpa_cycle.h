/*
 * One cycle of the HPA for one target: several metrics, the gates before them, the conditions after (CONTROL A.4
 * to A.6). The write in the middle is the caller's: hpa_cycle says what to write, hpa_cycle_written what came of it.
 */
#ifndef MAESTRO_DECIDE_HPA_CYCLE_H
#define MAESTRO_DECIDE_HPA_CYCLE_H

#include "decide/hpa_normalise.h"

#include <stdbool.h>

/* What one metric says: a number, or why it has none (HPA_FAILED_*; replicas is then not read). */
typedef struct HpaVote {
	int32_t replicas;
	HpaReason error;
} HpaVote;

typedef struct HpaVerdict {
	bool acts;      /* replicas is a number */
	bool has_error; /* to report, beside an action too */
	int32_t replicas;
	HpaReason scaling_active;
} HpaVerdict;

/* The largest number wins; with a metric in error the rest may only keep or raise. No votes: an error. */
HpaVerdict hpa_combine(const HpaVote *vote, size_t n, int32_t spec);

typedef struct HpaState { /* of one target; starts zeroed, ends in hpa_history_done(&state.history) */
	HpaHistory history;
	HpaReason able_to_scale, scaling_active, scaling_limited; /* HPA_NONE: never reached */
} HpaState;

typedef struct HpaOutcome {
	int32_t replicas; /* to write, or the present number */
	bool writes;
	bool has_error;   /* a metric failed */
} HpaOutcome;

/* ERR_NOMEM. */
int hpa_cycle(HpaState *state, const HpaSettings *settings, int64_t now_ms, int32_t spec, const HpaVote *vote, size_t n,
              HpaOutcome *ret);

/* After the attempt to write. ERR_NOMEM. */
int hpa_cycle_written(HpaState *state, const HpaSettings *settings, int64_t now_ms, int32_t from, int32_t to,
                      bool has_succeeded);

#endif
