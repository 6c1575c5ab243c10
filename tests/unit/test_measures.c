/* Statistics against numbers worked out elsewhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "control/measures.h"

#include "base/rng.h"

#include <math.h>

static void mean_and_deviation_are_numpys(void **state)
{
	(void) state;
	const double x[] = { 3, 1, 4, 1, 5, 9, 2, 6 };
	assert_true(fabs(mean_of(x, 8) - 3.875) < 1e-12);          /* numpy.mean */
	assert_true(fabs(std_of(x, 8) - 2.5708704751503917) < 1e-12); /* numpy.std */
	assert_true(isnan(mean_of(x, 0)));
}

static void one_value_has_no_interval(void **state)
{
	(void) state;
	Interval interval;
	assert_int_equal(bootstrap_mean((const double[]) { 2 }, 1, 1, 1000, &interval), 0);
	assert_true(interval.mean == 2);
	assert_true(isnan(interval.lo) && isnan(interval.hi));
}

/* For many values the percentile bootstrap comes to mean +- 1.96 standard errors. */
static void interval_is_the_normal_one_for_many_values(void **state)
{
	(void) state;
	double x[400];
	Rng rng;
	rng_init(&rng, 3, 0, RNG_METRICS);
	for (int i = 0; i < 400; i++)
		x[i] = 10 + rng_normal(&rng);
	Interval interval;
	assert_int_equal(bootstrap_mean(x, 400, 1, 10000, &interval), 0);
	double error = std_of(x, 400) / sqrt(400);
	assert_true(fabs(interval.hi - (interval.mean + 1.96 * error)) < .05 * 1.96 * error);
	assert_true(fabs(interval.lo - (interval.mean - 1.96 * error)) < .05 * 1.96 * error);
}

/* Of intervals for a true mean, about 95 in 100 hold it (a little fewer with 30 values). */
static void interval_covers_the_true_mean(void **state)
{
	(void) state;
	int covered = 0;
	Rng rng;
	rng_init(&rng, 4, 0, RNG_METRICS);
	for (uint64_t trial = 0; trial < 400; trial++) {
		double x[30];
		for (int i = 0; i < 30; i++)
			x[i] = rng_normal(&rng);
		Interval interval;
		assert_int_equal(bootstrap_mean(x, 30, trial, 400, &interval), 0);
		covered += interval.lo <= 0 && interval.hi >= 0;
	}
	assert_in_range(covered, 355, 394);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mean_and_deviation_are_numpys),
		cmocka_unit_test(one_value_has_no_interval),
		cmocka_unit_test(interval_is_the_normal_one_for_many_values),
		cmocka_unit_test(interval_covers_the_true_mean),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
