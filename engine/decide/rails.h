/*
 * Guard rails: what stands between a policy's wish and the cluster (CONTROL B.3). Pure arithmetic over one struct of history; the
 * time is the caller's, so that training, evaluation and the live loop pass the same rails.
 *
 * Each rail can only move the number towards the present one or towards [min, max]. Each bears the name of its guard word, can be
 * switched off by it, and is in the outcome's list with what it changed.
 */
#ifndef MAESTRO_DECIDE_RAILS_H
#define MAESTRO_DECIDE_RAILS_H

#include "base/types.h"

#define RAIL(guard) (1u << GUARD_##guard)
/* What `--rails seed` switches off: the thesis's policy, kept within its bounds and nothing more. */
#define RAILS_OFF_SEED (RAIL(STEP_LIMIT) | RAIL(LATENCY_VETO) | RAIL(CAPACITY_VETO) | RAIL(PIPELINE_VETO) | \
                        RAIL(STABILISED) | RAIL(COOLDOWN) | RAIL(FLAP_GUARD) | RAIL(BUDGET))

typedef struct RailsConfig {
	uint32_t off;                 /* RAIL(...) bits; the clamps and the dry run cannot be switched off */
	int64_t stabilise_ms;         /* window of the largest wish; 300 s for rules and models without an evaluation, 0 for others */
	int64_t cooldown_up_ms;       /* no down so long after an up; 60 s */
	int64_t cooldown_down_ms;     /* no down so long after a down; 60 s */
	double cpu_ratio_max;         /* of the request, in the pods that a down would leave; .9 */
	int32_t flap_reversals;       /* more of them within flap_window_ms end scale-downs for as long; 6 */
	int64_t flap_window_ms;       /* 30 min */
	int32_t changes_per_hour;     /* 60; at most RAILS_CHANGES */
	bool is_dry_run;
	bool predictions_add_only;    /* a down needs the HPA rule's proposal below the present number as well */
	int64_t adds_only_until_ms;   /* the same before this time, of a model that is new; 0: none */
	bool fallback_may_lower;      /* --fallback-down */
} RailsConfig;

void rails_config_default(RailsConfig *config);

enum { RAILS_CHANGES = 64, RAILS_PEAKS = 24 };

typedef struct RailsChange {
	int64_t at_ms;
	int32_t delta; /* pods added; below 0: removed */
} RailsChange;

/* The largest value of a sliding window: the values that may still become it, oldest and largest first. */
typedef struct RailsWindow {
	int32_t n;
	int64_t at_ms[RAILS_PEAKS];
	double value[RAILS_PEAKS];
} RailsWindow;

/* What the rails remember of one target. Plain data; zeroed it knows nothing, and rails_history_init makes a restart safe. */
typedef struct RailsHistory {
	int32_t n_changes, newest;          /* ring of the last changes */
	RailsChange change[RAILS_CHANGES];
	RailsWindow wishes, load;           /* replicas asked for; requests a second */
	double rps_now, rps_at_up;          /* of the cycle before; when the last up was made. NAN: not known */
	int64_t flap_until_ms;              /* no down before */
	int32_t ups_without_ready;          /* ups made since a pod was last ready */
} RailsHistory;

/* Steady p95 of the fitted service with so many pods at so many requests a second; NAN: it cannot say. */
typedef double RailsPredictor(void *arg, int32_t replicas, double rps);

typedef struct RailsInput { /* all pointers are lent for the call */
	const RailsConfig *config;
	const RailsHistory *history;
	const Target *target;     /* min, max, limits */
	const Sample *sample;     /* present and fresh: what is not valid in it is not known */
	int64_t now_ms;           /* monotonic */
	int32_t current;          /* spec.replicas */
	int32_t raw;              /* what the policy asks for */
	int32_t hpa;              /* the HPA rule's proposal; -1: not known */
	bool is_three_action;     /* steps of one pod; others have the HPA's rates */
	bool is_fallback;         /* the rule stands in for the policy */
	bool is_scale_in_paused;  /* a person asked for no downs */
	RailsPredictor *p95_ms;   /* NULL: no fitted service */
	void *p95_arg;
} RailsInput;

typedef struct RailsStep { /* one rail's work */
	Guard guard;
	int32_t from, to;
} RailsStep;

typedef struct RailsOutcome {
	int32_t desired;          /* after all rails but the dry run */
	int32_t written;          /* desired, or the present number in a dry run */
	uint32_t guards;          /* 1 << GUARD_* of each rail that changed the number */
	int32_t n_steps;
	RailsStep step[GUARD_COUNT];
} RailsOutcome;

/* Passes raw through the rails. A current number outside [min, max] goes to the nearest bound at once, whatever is asked. */
void rails_apply(const RailsInput *in, RailsOutcome *ret);

/* Which actions of a set the rails leave the effect that they ask for: bit a set, action a; of several that ask for the same number the
 * first. Keep always. in->raw is not read. */
uint32_t rails_mask(const RailsInput *in, ActionSet actions);

/* Forgets, and takes current for a wish made now: a restarted loop does not lower anything within its first window (A.5). */
void rails_history_init(RailsHistory *history, int64_t now_ms, int32_t current);
/* Takes current for a wish made now: where the window of wishes becomes longer while a loop runs. */
void rails_note_wish(RailsHistory *history, const RailsConfig *config, int64_t now_ms, int32_t current);
/* The load of a time before the first cycle, oldest first. */
void rails_note_past(RailsHistory *history, const Sample *sample, int64_t at_ms);
/* After each decided cycle: the wish and the load of it. */
void rails_note_cycle(RailsHistory *history, const RailsInput *in);
/* After each change of spec.replicas that succeeded, whoever made it. True: this one began a flap guard. */
bool rails_note_change(RailsHistory *history, const RailsConfig *config, int64_t now_ms, int32_t from, int32_t to);

#endif
