/* The thesis's reward against its own published figures and against values worked out by hand. */
#include "decide/reward.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const Target LIMITS_ON = { .max_replicas = 15, .latency_soft_ms = 250, .latency_hard_ms = 500 };
static const Target LIMITS_OFF = { .max_replicas = 15, .latency_soft_ms = -1, .latency_hard_ms = -1 };
static const Target ONLY_HARD = { .max_replicas = 15, .latency_soft_ms = -1, .latency_hard_ms = 500 };

static void reward_weighs_pods_and_latency(void **state)
{
	(void) state;
	static const struct {
		const Target *target;
		int32_t replicas;
		float latency_ms;
		double want;
		bool terminated;
	} cases[] = {
		{ &LIMITS_ON, 15, 100, .7, false },          /* no pod saved, latency perfect */
		{ &LIMITS_ON, 5, 100, .3 * 10 / 15 + .7, false },
		{ &LIMITS_ON, 5, 250, .9, false },           /* at soft is within */
		{ &LIMITS_ON, 5, 375, .2 + .35, false },     /* half way from soft to hard */
		{ &LIMITS_ON, 5, 500, .2, false },           /* at hard is not over it */
		{ &LIMITS_ON, 5, 500.1f, .2 - .7, true },
		{ &LIMITS_ON, 1, 9000, .28 - .7, true },
		{ &LIMITS_OFF, 5, 9000, .2, false },         /* limits off: pods only */
		{ &ONLY_HARD, 5, 9000, .2, false },          /* one of two is off: both are */
		{ &LIMITS_OFF, 20, 0, -.1, false },          /* above max costs */
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		bool terminated = !cases[i].terminated;
		float got = reward_seed(cases[i].target, cases[i].replicas, cases[i].latency_ms, &terminated);
		if (fabs((double) got - cases[i].want) > 1e-6 || terminated != cases[i].terminated)
			fail_msg("case %zu: %.7f %d, want %.7f %d", i, (double) got, terminated, cases[i].want, cases[i].terminated);
	}
}

/* The published evaluation of 56.00 over 200 steps: one pod kept with both limits off. */
static void reward_of_one_pod_without_limits_is_the_published_56(void **state)
{
	(void) state;
	double sum = 0;
	for (int step = 0; step < 200; step++) {
		bool terminated;
		sum += (double) reward_seed(&LIMITS_OFF, 1, 40, &terminated);
		assert_false(terminated);
	}
	assert_true(fabs(sum - 56.0) < 1e-4);
}

static void reward_slo_prices_pods_slow_requests_and_changes(void **state)
{
	(void) state;
	static const struct { SloStep step; bool is_plain; double want; } cases[] = {
		{ { .pod_price = .3f, .pods = .2f }, false, -.06 },
		{ { .pod_price = 3, .pods = 1 }, false, -3 },
		{ { .pod_price = .3f, .pods = .2f, .slow_soft = .03f, .slow_hard = .03f }, false, -.06 },        /* well within p95 */
		{ { .pod_price = .3f, .pods = .2f, .slow_soft = .05f }, false, -.06 - .5 },                      /* p95 at soft: half */
		{ { .pod_price = .3f, .pods = .2f, .slow_soft = .5f, .slow_hard = .04f }, false, -.06 - 1 - .25 },
		{ { .pod_price = .3f, .pods = .2f, .slow_soft = 1, .slow_hard = 1 }, false, -.06 - 2 },          /* a hard second counts twice */
		{ { .pod_price = .3f, .pods = .2f, .has_changed = true }, false, -.06 - .003 },
		{ { .pod_price = .3f, .pods = .2f, .has_changed = true, .has_reversed = true }, false, -.06 - .013 },
		{ { .pod_price = .3f, .pods = .2f, .slow_soft = .05f, .slow_hard = .01f }, true, -.06 - .06 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		SloWeights weights;
		reward_slo_default(&weights);
		weights.is_plain = cases[i].is_plain;
		double got = (double) reward_slo(&weights, &cases[i].step);
		if (fabs(got - cases[i].want) > 1e-6)
			fail_msg("case %zu: %.7f, want %.7f", i, got, cases[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reward_weighs_pods_and_latency),
		cmocka_unit_test(reward_slo_prices_pods_slow_requests_and_changes),
		cmocka_unit_test(reward_of_one_pod_without_limits_is_the_published_56),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
