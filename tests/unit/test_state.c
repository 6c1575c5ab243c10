/* States of a target's loop: scripts of cycles, a letter each, and the states that they must give. */
#include "control/state.h"

#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/*
 * A cycle is a letter: . good, d no data, D no data but for what the HPA rule needs, m the model fails, M the same without the rule,
 * a the API fails, o outside of the training, O the same without the rule, p paused, s standby, c another autoscaler.
 * A state is a letter: W Warming, A Active, H Hold, F Fallback, P Paused, S Standby, C Conflict.
 */
static StateInput input_of(char letter, StateMachine *machine, const StateConfig *config)
{
	StateInput in = { .gate = STATE_ACTIVE, .is_observed = true, .has_rule = true };
	switch (letter) {
	case 'd': in = (StateInput) { .gate = STATE_ACTIVE, .fault = FAULT_DATA }; break;
	case 'D': in = (StateInput) { .gate = STATE_ACTIVE, .fault = FAULT_DATA, .has_rule = true }; break;
	case 'm': in.fault = FAULT_MODEL; break;
	case 'M': in.fault = FAULT_MODEL; in.has_rule = false; break;
	case 'a': in = (StateInput) { .gate = STATE_ACTIVE, .fault = FAULT_API }; break;
	case 'o': in.is_outside = true; break;
	case 'O': in.is_outside = true; in.has_rule = false; break;
	case 'p': in.gate = STATE_PAUSED; break;
	case 's': in.gate = STATE_STANDBY; break;
	default: break;
	}
	if (state_conflict(machine, config, letter == 'c'))
		in.gate = STATE_CONFLICT;
	return in;
}

static char letter_of(TargetState state)
{
	static const char letters[] = "SWXAHFPNCD"; /* in the order of the words */
	return letters[state];
}

static void scripts_of_cycles_give_their_states(void **state)
{
	(void) state;
	static const struct {
		const char *what, *cycles, *states;
	} cases[] = {
		{ "it warms until the first observation", "dda.", "WWWA" },
		{ "a model that is dead from the start warms nothing but holds", "mmmm", "HHHF" },
		{ "one good cycle ends a hold", ".d.", "AHA" },
		{ "without what the rule needs a hold goes on", ".ddddddddd.", "AHHHHHHHHHA" },
		{ "three are held, then the rule", ".mmmmm", "AHHHFF" },
		{ "five good ones give back", ".mmmm.....", "AHHHFFFFFA" },
		{ "and not four and one", ".mmmm....m.....", "AHHHFFFFFFFFFFA" },
		{ "the rule leaves as its data do", ".mmmmMm.....", "AHHHFHFFFFFA" },
		{ "missing p95 alone: the rule after three", ".DDDD", "AHHHF" },
		{ "the API's failures count for no fallback", ".aaaaaaaa.", "AHHHHHHHHA" },
		{ "outside three times", ".ooo", "AAAF" },
		{ "outside twice is nothing", ".oo.oo.", "AAAAAAA" },
		{ "outside without the rule holds", ".OOO.", "AAAHA" },
		{ "a pause shuts everything", ".ppdp.", "APPHPA" },
		{ "a conflict ends after two cycles without it", ".c.c..", "ACCCCA" },
		{ "standby", "ss.s.", "SSASA" },
	};
	StateConfig config;
	state_config_default(&config);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		StateMachine machine = { 0 };
		char got[32] = "";
		for (size_t k = 0; cases[i].cycles[k]; k++) {
			StateInput in = input_of(cases[i].cycles[k], &machine, &config);
			got[k] = letter_of(state_next(&machine, &config, &in));
		}
		if (strcmp(got, cases[i].states))
			fail_msg("%s: %s gives %s, want %s", cases[i].what, cases[i].cycles, got, cases[i].states);
	}
}

static void any_sequence_acts_only_on_what_is_there(void **state)
{
	(void) state;
	static const char letters[] = "....dDmMaoOpsc";
	StateConfig config;
	state_config_default(&config);
	Rng rng;
	rng_init(&rng, 3, 0, RNG_EVAL);
	StateMachine machine = { 0 };
	for (int i = 0; i < 100000; i++) {
		StateInput in = input_of(letters[rng_below(&rng, sizeof letters - 1)], &machine, &config);
		TargetState next = state_next(&machine, &config, &in);
		assert_true(next != STATE_ACTIVE || (in.is_observed && !in.fault && in.gate == STATE_ACTIVE));
		assert_true(next != STATE_FALLBACK || (in.has_rule && in.fault != FAULT_API));
		if (in.gate != STATE_ACTIVE)
			assert_int_equal(next, in.gate);
		if (rng_below(&rng, 500) == 0)
			machine = (StateMachine) { 0 }; /* a restart */
	}
}

static void a_shadow_never_becomes_active(void **state)
{
	(void) state;
	StateConfig config;
	state_config_default(&config);
	config.is_shadow = true;
	StateMachine machine = { 0 };
	StateInput in = input_of('.', &machine, &config);
	assert_int_equal(state_next(&machine, &config, &in), STATE_SHADOW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scripts_of_cycles_give_their_states),
		cmocka_unit_test(any_sequence_acts_only_on_what_is_there),
		cmocka_unit_test(a_shadow_never_becomes_active),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
