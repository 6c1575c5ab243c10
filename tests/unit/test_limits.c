/* Guard rails: tables of named cases, and what must hold for any input. */
#include "decide/limits.h"

#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define BIT(guard) (1u << GUARD_##guard)

static void limits_move_only_towards_current_and_name_the_rail(void **state)
{
	(void) state;
	static const struct {
		const char *what;
		LimitsInput in;
		int32_t want;
		uint32_t guards;
	} cases[] = {
		{ "nothing to do", { .current = 5, .raw = 6, .min = 1, .max = 10, .max_step = 1 }, 6, 0 },
		{ "keep", { .current = 5, .raw = 5, .min = 1, .max = 10, .max_step = 1 }, 5, 0 },
		{ "no up at max", { .current = 10, .raw = 11, .min = 1, .max = 10, .max_step = 1 }, 10, BIT(MASKED) },
		{ "no down at min", { .current = 1, .raw = 0, .min = 1, .max = 10, .max_step = 1 }, 1, BIT(MASKED) },
		{ "down at max", { .current = 10, .raw = 9, .min = 1, .max = 10, .max_step = 1 }, 9, 0 },
		{ "up at min", { .current = 2, .raw = 3, .min = 2, .max = 10, .max_step = 1 }, 3, 0 },
		{ "step up", { .current = 5, .raw = 9, .min = 1, .max = 10, .max_step = 1 }, 6, BIT(STEP_LIMIT) },
		{ "step down", { .current = 5, .raw = 1, .min = 1, .max = 10, .max_step = 2 }, 3, BIT(STEP_LIMIT) },
		{ "no step rail", { .current = 5, .raw = 9, .min = 1, .max = 10 }, 9, 0 },
		{ "clamped up", { .current = 5, .raw = 40, .min = 1, .max = 10 }, 10, BIT(CLAMPED_MAX) },
		{ "clamped down", { .current = 5, .raw = -3, .min = 2, .max = 10 }, 2, BIT(CLAMPED_MIN) },
		{ "step, then bound", { .current = 8, .raw = 40, .min = 1, .max = 10, .max_step = 4 }, 10,
		  BIT(STEP_LIMIT) | BIT(CLAMPED_MAX) },
		{ "above max goes to max", { .current = 20, .raw = 20, .min = 1, .max = 10, .max_step = 1 }, 10,
		  BIT(CLAMPED_MAX) },
		{ "above max, whatever is asked", { .current = 20, .raw = 3, .min = 1, .max = 10, .max_step = 1 }, 10,
		  BIT(CLAMPED_MAX) },
		{ "above max and max asked for", { .current = 20, .raw = 10, .min = 1, .max = 10, .max_step = 1 }, 10, 0 },
		{ "below min goes to min", { .current = 1, .raw = 0, .min = 4, .max = 10, .max_step = 1 }, 4,
		  BIT(CLAMPED_MIN) },
		{ "one replica allowed", { .current = 1, .raw = 2, .min = 1, .max = 1 }, 1, BIT(MASKED) },
		{ "ends of the type", { .current = INT32_MAX, .raw = INT32_MIN, .min = 1, .max = INT32_MAX,
		  .max_step = INT32_MAX }, 1, BIT(STEP_LIMIT) | BIT(CLAMPED_MIN) },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint32_t guards = UINT32_MAX;
		int32_t got = limits_apply(&cases[i].in, &guards);
		if (got != cases[i].want || guards != cases[i].guards)
			fail_msg("%s: %d with guards %#x, want %d with %#x", cases[i].what, got, guards, cases[i].want,
			         cases[i].guards);
	}
}

static int32_t between(Rng *rng, int32_t lo, int32_t hi)
{
	return lo + (int32_t) rng_below(rng, (uint32_t) (hi - lo + 1));
}

static void limits_hold_for_any_wish(void **state)
{
	(void) state;
	Rng rng;
	rng_init(&rng, 7, 0, RNG_EVAL);
	for (int i = 0; i < 100000; i++) {
		LimitsInput in = { .current = between(&rng, 0, 30), .raw = between(&rng, -40, 60), .min = between(&rng, 1, 10) };
		in.max = in.min + between(&rng, 0, 15);
		in.max_step = between(&rng, 0, 5);
		uint32_t guards;
		int32_t n = limits_apply(&in, &guards);
		assert_in_range(n, in.min, in.max);
		assert_int_equal(guards != 0, n != in.raw);
		if (in.current < in.min || in.current > in.max)
			continue;
		assert_true((n - in.current) * (in.raw - in.current) >= 0); /* never the other way */
		if (in.max_step)
			assert_in_range(n - in.current + in.max_step, 0, 2 * in.max_step);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_move_only_towards_current_and_name_the_rail),
		cmocka_unit_test(limits_hold_for_any_wish),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
