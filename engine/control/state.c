/* See state.h. */
#include "control/state.h"

void state_config_default(StateConfig *config)
{
	*config = (StateConfig) { .fallback_after = 3, .fallback_recover = 5, .outside_after = 3, .conflict_clear = 2 };
}

bool state_conflict(StateMachine *machine, const StateConfig *config, bool is_there)
{
	if (is_there)
		machine->conflict = config->conflict_clear;
	else if (machine->conflict > 0)
		machine->conflict--;
	return machine->conflict > 0;
}

/* Counts the cycle, and moves into and out of the fallback. */
static bool count(StateMachine *machine, const StateConfig *config, const StateInput *in)
{
	machine->outside = in->is_outside ? machine->outside + 1 : 0;
	bool is_outside = machine->outside >= config->outside_after;
	bool is_bad = in->fault != FAULT_NONE || is_outside;
	machine->bad = is_bad ? machine->bad + 1 : 0;
	machine->good = is_bad ? 0 : machine->good + 1;
	if (machine->is_fallen)
		machine->is_fallen = machine->good < config->fallback_recover;
	else
		machine->is_fallen = in->has_rule && (is_outside || machine->bad > config->fallback_after);
	return is_bad;
}

TargetState state_next(StateMachine *machine, const StateConfig *config, const StateInput *in)
{
	if (in->gate != STATE_ACTIVE)
		return in->gate;
	if (in->is_observed)
		machine->is_warm = true;
	if (!machine->is_warm)
		return STATE_WARMING;
	if (in->fault == FAULT_API)
		return STATE_HOLD;
	bool is_bad = count(machine, config, in);
	if (machine->is_fallen)
		return in->has_rule ? STATE_FALLBACK : STATE_HOLD;
	return is_bad ? STATE_HOLD : config->is_shadow ? STATE_SHADOW : STATE_ACTIVE;
}
