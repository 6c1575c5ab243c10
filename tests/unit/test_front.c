/* Fronts: worked out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "control/front.h"

#include <math.h>

static bool is_near(double a, double b)
{
	return fabs(a - b) <= 1e-9 * fmax(1, fabs(b));
}

/* Between 10 pod-hours at 4 % and 20 at 1 %, half-way is their geometric mean, 2 %; and back. */
static void violation_is_log_linear_in_pod_hours(void **state)
{
	(void) state;
	const FrontPoint point[] = { { 20, 1 }, { 10, 4 }, { 40, .25 } };
	Front front;
	int beyond;
	front_of(point, 3, 0, &front);
	assert_true(is_near(front_v_at(&front, 15, &beyond), 2) && beyond == 0);
	assert_true(is_near(front_v_at(&front, 30, &beyond), .5) && beyond == 0);
	assert_true(is_near(front_pod_hours_at(&front, 2, 100, &beyond), 15) && beyond == 0);
	assert_true(is_near(front_v_at(&front, 20, NULL), 1));
}

/* Where the cheapest point costs more, that one is taken, and said; so is the dearest. A violation that no point is under costs the most
 * that can be: "below 1 is better" must not be said of what cannot be had. */
static void ends_are_taken_and_said(void **state)
{
	(void) state;
	const FrontPoint point[] = { { 10, 4 }, { 20, 1 } };
	Front front;
	int beyond;
	front_of(point, 2, 0, &front);
	assert_true(is_near(front_v_at(&front, 5, &beyond), 4) && beyond == -1);
	assert_true(is_near(front_v_at(&front, 50, &beyond), 1) && beyond == 1);
	assert_true(is_near(front_pod_hours_at(&front, .1, 100, &beyond), 100) && beyond == 1);
	assert_true(is_near(front_pod_hours_at(&front, 9, 100, &beyond), 10) && beyond == -1);
}

/* A dearer point that violates more is pooled with its neighbour: ln 1 and ln 4 give ln 2 for both. */
static void a_dent_is_pooled(void **state)
{
	(void) state;
	const FrontPoint point[] = { { 10, 8 }, { 20, 1 }, { 30, 4 }, { 40, .5 } };
	Front front;
	front_of(point, 4, 0, &front);
	assert_true(is_near(front_v_at(&front, 20, NULL), 2));
	assert_true(is_near(front_v_at(&front, 30, NULL), 2));
	assert_true(is_near(front_pod_hours_at(&front, 2, 100, NULL), 20)); /* the cheapest that does */
}

static void no_violation_at_all_compares_by_the_floor(void **state)
{
	(void) state;
	const FrontPoint point[] = { { 10, 0 } };
	Front front;
	front_of(point, 1, .01, &front);
	assert_true(is_near(front_v_at(&front, 10, NULL), 0));
	assert_true(is_near(front_change(0, 0, .01), 0));
	assert_true(is_near(front_change(.19, .09, .01), -.5));
	front_of(point, 0, .01, &front);
	assert_true(isnan(front_v_at(&front, 10, NULL)));
}

/* Settings by pod-hours + lambda V-hours: 2 at a light weight, 0 at a heavy one; 3 is never best; an unknown is never chosen. */
/* A rounding away from the violation asked for is not "cannot be had". */
static void a_violation_that_is_met_exactly_is_reached(void **state)
{
	(void) state;
	for (int i = 0; i < 1000; i++) {
		const FrontPoint point = { 2, i / 1000. };
		Front front;
		int beyond;
		front_of(&point, 1, .125, &front);
		assert_true(front_pod_hours_at(&front, point.v, 15, &beyond) == 2 && beyond == 0);
	}
}

static void path_holds_what_is_best_for_some_weight(void **state)
{
	(void) state;
	const double pod_hours[] = { 100, 60, 50, 80, 10 }, v_hours[] = { 0, 1, 3, 1, NAN };
	int32_t setting[8];
	assert_int_equal(front_best(pod_hours, v_hours, 5, 1), 2);   /* 53 against 61 */
	assert_int_equal(front_best(pod_hours, v_hours, 5, 10), 1);  /* 70 against 80 and 100 */
	assert_int_equal(front_best(pod_hours, v_hours, 5, 100), 0);
	size_t n = front_path(pod_hours, v_hours, 5, setting, 8);
	assert_int_equal(n, 3);
	assert_int_equal(setting[0], 2);
	assert_int_equal(setting[1], 1);
	assert_int_equal(setting[2], 0);
	assert_int_equal(front_best(v_hours + 4, v_hours + 4, 1, 1), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(violation_is_log_linear_in_pod_hours),
		cmocka_unit_test(ends_are_taken_and_said),
		cmocka_unit_test(a_dent_is_pooled),
		cmocka_unit_test(no_violation_at_all_compares_by_the_floor),
		cmocka_unit_test(a_violation_that_is_met_exactly_is_reached),
		cmocka_unit_test(path_holds_what_is_best_for_some_weight),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
