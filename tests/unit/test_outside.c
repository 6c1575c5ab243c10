/* Inputs unlike a model's training. */
#include "decide/outside.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void inputs_unlike_the_training_are_named(void **state)
{
	(void) state;
	static const ObsStats stats = {
		.dim = 3, .mean = { 0, 10, 0 }, .var = { 1, 1e-4f, 0 }, .min = { -2, 0, 0 }, .max = { 2, 100, 0 }, /* a tail; a constant */
	};
	static const struct {
		float x[3];
		int32_t flag, want;
	} cases[] = {
		{ { 0, 10, 0 }, -1, -1 },
		{ { 2, 100, 0 }, -1, -1 },          /* seen, though 9,000 deviations off */
		{ { 3.9f, 10, 0 }, -1, -1 },        /* outside, but neither 6 deviations nor half the range */
		{ { 4.1f, 10, 0 }, -1, 0 },         /* more than half the range away */
		{ { -4.1f, 10, 0 }, -1, 0 },
		{ { 0, 101, 0 }, -1, 1 },           /* outside, and too many deviations off */
		{ { 0, 10, .5f }, -1, 2 },          /* never moved in training */
		{ { 0, 10, .5f }, 2, -1 },          /* but it is the flag of unknowns */
		{ { 0, 0, 1 }, 2, -1 },             /* and a 0 under the flag is an unknown */
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		Observation obs = { .dim = 3, .x = { cases[i].x[0], cases[i].x[1], cases[i].x[2] } };
		if (outside_feature(&stats, &obs, cases[i].flag) != cases[i].want)
			fail_msg("case %zu: %d, want %d", i, outside_feature(&stats, &obs, cases[i].flag), cases[i].want);
	}
	const Observation far = { .dim = 3, .x = { 1e9f, 1e9f, 1e9f } };
	assert_int_equal(outside_feature(NULL, &far, -1), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(inputs_unlike_the_training_are_named) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
