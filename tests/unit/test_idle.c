/* The check that a policy comes down without load. */
#include "control/gate.h"
#include "control/idle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static IdleCheck check(const char *word, double pod_price)
{
	Family family;
	Error err = { 0 };
	IdleCheck ret = { 0 };
	Arena arena = { .startup_s = 30, .pod_price = pod_price };
	sim_config_default(&arena.sim);
	arena.sim.interval_s = 15;
	arena.sim.latency_soft_ms = 250;
	arena.sim.latency_hard_ms = 500;
	arena.pod_capacity_rps = sim_capacity_rps(&arena.sim.service, 1, 250);
	if (family_read(word, &family, &err) || idle_check(&family, &arena, 0, &ret, &err))
		fail_msg("%s: %s", word, err.text);
	return ret;
}

static void a_rule_comes_down_and_a_fixed_number_does_not(void **state)
{
	(void) state;
	IdleCheck hpa = check("hpa", 0), fixed = check("static:4", 0);
	assert_int_equal(hpa.replicas, 1);
	assert_int_equal(hpa.min_replicas, 1);
	assert_true(hpa.rps > .5 && hpa.rps < 10);
	assert_int_equal(fixed.replicas, 4);
}

/* What the shipped model did not do before it was taught to; at the price at which it serves, since a spare pod that costs next to
 * nothing is worth keeping. */
static void the_shipped_model_comes_down(void **state)
{
	(void) state;
	Net *net = NULL;
	ModelInfo info;
	Gate gate;
	Error err;
	assert_int_equal(model_load("default", &net, &info, &err), 0);
	assert_int_equal(gate_read(&info, &gate, &err), 0);
	assert_int_equal(check("default", (double) gate.pod_price).replicas, 1);
	net_free(net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_comes_down_and_a_fixed_number_does_not),
		cmocka_unit_test(the_shipped_model_comes_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
