/* Statistics against numbers worked out elsewhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "control/measures.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/rng.h"
#include "fakes/numbers.h"

#include <math.h>
#include <string.h>

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

/* Against rliable 1.2.0 and scipy (tests/fixtures/make_statistics.py). What is no resampling agrees to rounding; the ends of intervals are
 * quantiles of 10,000 resamples on both sides, each with noise of its own: within 4 % of the interval's length. */
static void statistics_are_rliables(void **state)
{
	(void) state;
	StrBuf text = { 0 };
	Json *root;
	assert_int_equal(mem_read_file("tests/fixtures/statistics.json", 1 << 20, &text, NULL), 0);
	assert_int_equal(json_parse(text.data, text.len, &root, NULL), 0);
	int n_cases = 0;
	for (const Json *c = json_first(json_get(root, "cases")); c; c = json_next(c), n_cases++) {
		double x[256], y[256], sorted[256], tau[13], above[13], profile[13];
		size_t n_strata = (size_t) json_int_or(c, "n_strata", 0), n_runs = (size_t) json_int_or(c, "n_runs", 0), n = n_strata * n_runs;
		assert_in_range(n, 1, 256);
		assert_true(read_numbers(json_get(c, "x"), n, x) && read_numbers(json_get(c, "y"), n, y));
		memcpy(sorted, x, sizeof x);
		assert_true(fabs(median_of(sorted, n) - json_number_or(c, "median", NAN)) < 1e-12);
		Interval within, over, better;
		assert_int_equal(bootstrap_iqm((Strata) { x, n_strata, n_runs }, false, 1, 10000, &within), 0);
		assert_int_equal(bootstrap_iqm((Strata) { x, n_strata, n_runs }, true, 1, 10000, &over), 0);
		assert_int_equal(bootstrap_improvement((Strata) { x, n_strata, n_runs }, (Strata) { y, n_strata, n_runs }, 1, 10000, &better), 0);
		double length = within.hi - within.lo, long_length = over.hi - over.lo, better_length = better.hi - better.lo;
		assert_true(fabs(within.mean - json_number_or(c, "iqm", NAN)) < 1e-12);
		assert_true(fabs(within.mean - json_number_or(c, "trim_mean", NAN)) < 1e-12);
		assert_true(fabs(within.lo - json_number_or(c, "lo", NAN)) < .04 * length);
		assert_true(fabs(within.hi - json_number_or(c, "hi", NAN)) < .04 * length);
		if (n_strata > 1) {
			assert_true(fabs(over.lo - json_number_or(c, "tasks_lo", NAN)) < .04 * long_length);
			assert_true(fabs(over.hi - json_number_or(c, "tasks_hi", NAN)) < .04 * long_length);
		} else {
			assert_true(isnan(over.lo) && isnan(over.hi)); /* of one trace nothing is known about others */
		}
		assert_true(fabs(better.mean - json_number_or(c, "improvement", NAN)) < 1e-12);
		assert_true(fabs(better.lo - json_number_or(c, "improvement_lo", NAN)) < .04 * better_length);
		assert_true(fabs(better.hi - json_number_or(c, "improvement_hi", NAN)) < .04 * better_length);
		assert_true(read_numbers(json_get(c, "tau"), 13, tau) && read_numbers(json_get(c, "above"), 13, above));
		performance_profile(x, n, tau, 13, profile);
		for (int k = 0; k < 13; k++)
			assert_true(fabs(1 - profile[k] - above[k]) < 1e-12);
	}
	assert_int_equal(n_cases, 4);
	json_free(root);
	strbuf_done(&text);
}

/* What was not measured is left out, and does not count as a value. */
static void unknown_values_are_left_out(void **state)
{
	(void) state;
	const double x[] = { 1, NAN, 3, 5, NAN, NAN, 7, 9 };
	Interval interval;
	assert_int_equal(bootstrap_iqm((Strata) { x, 2, 4 }, false, 1, 1000, &interval), 0);
	assert_true(fabs(interval.mean - 5) < 1e-12);
	assert_true(interval.lo >= 1 && interval.hi <= 9);
	const double none[] = { NAN, NAN };
	assert_int_equal(bootstrap_iqm((Strata) { none, 1, 2 }, false, 1, 1000, &interval), 0);
	assert_true(isnan(interval.mean) && isnan(interval.lo));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mean_and_deviation_are_numpys),
		cmocka_unit_test(one_value_has_no_interval),
		cmocka_unit_test(interval_is_the_normal_one_for_many_values),
		cmocka_unit_test(interval_covers_the_true_mean),
		cmocka_unit_test(statistics_are_rliables),
		cmocka_unit_test(unknown_values_are_left_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
