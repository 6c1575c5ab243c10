/* The sets of actions (CONTROL F.3): what each asks for, what is offered, and the greedy choice by direction. */
#include "base/err.h"
#include "decide/actions.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void three_actions_are_a_pod_each_way(void **state)
{
	(void) state;
	assert_int_equal(actions_count(ACTIONS_THREE), ACTION_COUNT);
	for (int32_t a = 0; a < ACTION_COUNT; a++) {
		assert_int_equal(actions_direction(ACTIONS_THREE, a), a);
		assert_int_equal(actions_wish(ACTIONS_THREE, a, 7), 7 + a - ACTION_KEEP);
	}
	assert_int_equal(actions_mask(ACTIONS_THREE, 1, 1, 15), 1u << ACTION_KEEP | 1u << ACTION_UP);
	assert_int_equal(actions_mask(ACTIONS_THREE, 15, 1, 15), 1u << ACTION_DOWN | 1u << ACTION_KEEP);
}

static void parts_of_a_pod_are_rounded_away_from_none(void **state)
{
	(void) state;
	static const int32_t want[][8] = { /* replicas, then what each action asks for */
		{ 1, 0, 0, 1, 2, 2, 2, 2 }, { 2, 1, 1, 2, 3, 3, 3, 4 }, { 4, 3, 3, 4, 5, 5, 6, 8 },
		{ 5, 3, 4, 5, 6, 7, 8, 10 }, { 8, 6, 7, 8, 9, 10, 12, 16 }, { 100, 75, 99, 100, 101, 125, 150, 200 },
	};
	assert_int_equal(actions_count(ACTIONS_WIDE), 7);
	for (size_t i = 0; i < sizeof want / sizeof *want; i++)
		for (int32_t a = 0; a < 7; a++)
			assert_int_equal(actions_wish(ACTIONS_WIDE, a, want[i][0]), want[i][1 + a]);
	assert_int_equal(actions_wish(ACTIONS_WIDE, 6, INT32_MAX), INT32_MAX);
}

static void what_asks_for_the_same_number_is_offered_once(void **state)
{
	(void) state;
	assert_int_equal(actions_mask(ACTIONS_WIDE, 1, 1, 15), 1u << 2 | 1u << 3);
	assert_int_equal(actions_mask(ACTIONS_WIDE, 4, 1, 15), 1u << 0 | 1u << 2 | 1u << 3 | 1u << 5 | 1u << 6);
	assert_int_equal(actions_mask(ACTIONS_WIDE, 8, 1, 15), 0x3f);
	assert_int_equal(actions_mask(ACTIONS_WIDE, 8, 7, 8), 1u << 1 | 1u << 2);
}

/* Three ways up of .2 each are more than a keep of .4: it goes up, by the first of them. */
static void the_likeliest_direction_comes_first(void **state)
{
	(void) state;
	const float logits[] = { -9, -9, logf(.4f), logf(.19f), logf(.21f), logf(.2f), -9 }, inf[] = { 0, INFINITY, 0 };
	float share[ACTION_COUNT];
	int32_t action;
	assert_int_equal(actions_choose(ACTIONS_WIDE, logits, ~0u, share, &action), 0);
	assert_int_equal(action, 4);
	assert_true(fabsf(share[ACTION_UP] - .6f) < 1e-3f && fabsf(share[ACTION_KEEP] - .4f) < 1e-3f && share[ACTION_DOWN] < 1e-3f);
	assert_int_equal(actions_choose(ACTIONS_WIDE, logits, 1u << 2 | 1u << 3, share, &action), 0);
	assert_int_equal(action, 2);
	assert_true(fabsf(share[ACTION_KEEP] - .4f / .59f) < 1e-3f);
	assert_int_equal(actions_choose(ACTIONS_WIDE, logits, 1u << 7, share, &action), ERR_NO_DATA);
	assert_int_equal(actions_choose(ACTIONS_THREE, inf, ~0u, share, &action), ERR_NONFINITE);
}

static void words_are_read_back(void **state)
{
	(void) state;
	ActionSet set = ACTIONS_THREE;
	assert_true(actions_read("wide", &set) && set == ACTIONS_WIDE);
	assert_true(actions_read("three", &set) && set == ACTIONS_THREE);
	assert_false(actions_read("wider", &set));
	assert_string_equal(actions_name(ACTIONS_WIDE, 6), "+100%");
	assert_string_equal(actions_name(ACTIONS_WIDE, 7), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_actions_are_a_pod_each_way),
		cmocka_unit_test(parts_of_a_pod_are_rounded_away_from_none),
		cmocka_unit_test(what_asks_for_the_same_number_is_offered_once),
		cmocka_unit_test(the_likeliest_direction_comes_first),
		cmocka_unit_test(words_are_read_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
