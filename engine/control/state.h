/* The states of a target's loop (CONTROL B.2): what happened in a cycle in, the state out. Pure; no clock, no I/O. */
#ifndef MAESTRO_CONTROL_STATE_H
#define MAESTRO_CONTROL_STATE_H

#include "base/types.h"

typedef enum StateFault {
	FAULT_NONE,
	FAULT_API,   /* the scale cannot be read: nothing can act on it, the HPA rule neither */
	FAULT_DATA,  /* no valid observation */
	FAULT_MODEL, /* the policy gave none */
} StateFault;

typedef struct StateConfig {
	int32_t fallback_after;   /* bad cycles that are held before the HPA rule takes over; 3 */
	int32_t fallback_recover; /* good ones in a row before it gives back; 5 */
	int32_t outside_after;    /* cycles with an input outside of the training's; 3 */
	int32_t conflict_clear;   /* cycles without the other autoscaler; 2 */
	bool is_shadow;
} StateConfig;

void state_config_default(StateConfig *config);

typedef struct StateInput { /* of one cycle */
	TargetState gate;    /* STANDBY, PAUSED, CONFLICT, MANUAL, DISABLED where one is shut; else ACTIVE */
	bool is_observed;    /* there is a valid observation */
	StateFault fault;
	bool is_outside;     /* of what the policy was trained on */
	bool has_rule;       /* the HPA rule has a number, on complete and fresh data */
} StateInput;

typedef struct StateMachine { /* zeroed: Warming */
	bool is_warm;        /* a valid observation was seen */
	bool is_fallen;      /* the rule stands in */
	int32_t bad, good;   /* cycles in a row */
	int32_t outside;
	int32_t conflict;    /* cycles until it counts as gone */
} StateMachine;

/* Whether a conflict shuts the gate in this cycle; asked once a cycle, before state_next. */
bool state_conflict(StateMachine *machine, const StateConfig *config, bool is_there);

/* The state of this cycle; asked once a cycle. */
TargetState state_next(StateMachine *machine, const StateConfig *config, const StateInput *in);

#endif
