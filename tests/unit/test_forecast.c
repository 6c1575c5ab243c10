/* Forecasters on series whose future is known, and the rules that act on them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "decide/forecast.h"
#include "decide/model_based.h"

#include <math.h>
#include <string.h>

static const double INTERVAL_S = 15, DAY_S = 86400;

static int64_t at_ms(int64_t i)
{
	return 1600000000000 + (int64_t) (1e3 * INTERVAL_S) * i;
}

/* A line goes on as it went: 4 a step, 6 steps ahead. */
static void a_line_is_extended(void **state)
{
	(void) state;
	static Forecast f;
	Forecaster used;
	forecast_init(&f, INTERVAL_S, 90, .5);
	assert_true(isnan(forecast_upper(&f, FORECAST_BEST, NULL)));
	for (int i = 0; i < 200; i++)
		forecast_push(&f, at_ms(i), 100 + 4 * i);
	double want = 100 + 4 * (199 + 6);
	/* what is left is the residual of the first forecasts, which had too few values */
	assert_true(fabs(forecast_upper(&f, FORECAST_LINE_4, NULL) - want) < .5);
	assert_true(fabs(forecast_upper(&f, FORECAST_LINE_20, NULL) - want) < .5);
	assert_true(fabs(forecast_upper(&f, FORECAST_BEST, &used) - want) < .5);
	assert_true(used == FORECAST_LINE_4 || used == FORECAST_LINE_20);
}

/* Shops open at noon, and everybody comes within ten minutes: no line sees that coming. */
static double day(int64_t i)
{
	double into = fmod((double) i * INTERVAL_S, DAY_S);
	return into < .5 * DAY_S ? 50 : 50 + fmin((into - .5 * DAY_S) / 6, 100);
}

/* With an hour to look ahead over a day that repeats, the profile of the day beats every line, and is the one that is asked. */
static void a_season_is_found_and_preferred(void **state)
{
	(void) state;
	static Forecast f;
	Forecaster used = FORECAST_LAST;
	int64_t n = (int64_t) (5 * DAY_S / INTERVAL_S), ahead = 240;
	double errors[FORECASTERS] = { 0 };
	forecast_init(&f, INTERVAL_S, 3600, .5);
	for (int64_t i = 0; i < n; i++) {
		forecast_push(&f, at_ms(i), day(i));
		for (int k = 0; k < FORECASTERS && i > n - 5760; k++)
			errors[k] += fabs(forecast_upper(&f, (Forecaster) k, NULL) - day(i + ahead));
		if (i == n - 2880 + 240) /* an hour after the rush, which it was the only one to foresee */
			(void) forecast_upper(&f, FORECAST_BEST, &used);
	}
	for (int k = 0; k < FORECAST_SEASONAL; k++)
		assert_true(errors[FORECAST_SEASONAL] < .7 * errors[k]);
	assert_int_equal(used, FORECAST_SEASONAL);
}

/* Noise around a level: the upper forecast is what nine in ten of the values stay under. */
static void the_quantile_is_what_it_says(void **state)
{
	(void) state;
	static Forecast f;
	Rng rng;
	rng_init(&rng, 5, 0, RNG_METRICS);
	forecast_init(&f, INTERVAL_S, 60, .9);
	int under = 0, n = 0;
	double upper[4] = { NAN, NAN, NAN, NAN };
	for (int i = 0; i < 20000; i++) {
		double value = 200 + 20 * rng_normal(&rng);
		if (i > 4000) {
			under += value <= upper[i % 4];
			n++;
		}
		forecast_push(&f, at_ms(i), value);
		upper[i % 4] = forecast_upper(&f, FORECAST_BEST, NULL); /* of the value four intervals on */
	}
	assert_true(fabs((double) under / n - .9) < .02);
}

static int ask(Policy *policy, double rps, int32_t replicas, int64_t i, Decision *ret)
{
	static const Target target = { .min_replicas = 1, .max_replicas = 20, .pod_capacity_rps = 20 };
	const Sample sample = { .wall_ms = at_ms(i), .valid = SAMPLE_ALL, .rps = rps, .replicas = replicas };
	const Observation obs = { .target = &target, .sample = &sample };
	*ret = (Decision) { 0 };
	return policy->ops->decide(policy, &obs, 1, ret);
}

/* 100 rps are five pods' worth: x + .5 sqrt(x) is 6.1. A ramp is met before it comes. */
static void pods_for_what_is_to_come(void **state)
{
	(void) state;
	Policy *policy;
	Decision d;
	ModelBasedConfig config;
	model_based_config_default(&config);
	assert_int_equal(model_based_policy_new(&config, &policy), 0);
	int64_t i = 0;
	for (; i < 200; i++)
		assert_int_equal(ask(policy, 100, 7, i, &d), 0);
	assert_int_equal(d.raw, 7);
	for (int k = 0; k < 10; k++, i++)
		assert_int_equal(ask(policy, 100 + 10 * k, 7, i, &d), 0);
	assert_true(d.raw > (int) staffing(190 / 20.0, .5));
	policy_free(policy);
}

/* The load falls: nothing goes down before the window has passed, then it does. */
static void a_down_waits_for_its_window(void **state)
{
	(void) state;
	Policy *policy;
	Decision d;
	ModelBasedConfig config;
	model_based_config_default(&config);
	config.forecaster = FORECAST_LAST;
	config.down_window_s = 60;
	assert_int_equal(model_based_policy_new(&config, &policy), 0);
	int64_t i = 0;
	for (; i < 100; i++)
		assert_int_equal(ask(policy, 200, 13, i, &d), 0);
	for (int k = 1; k <= 4; k++, i++) {
		assert_int_equal(ask(policy, 100, 13, i, &d), 0);
		assert_true(d.raw >= 12);
	}
	for (int k = 0; k < 10; k++, i++)
		assert_int_equal(ask(policy, 100, 13, i, &d), 0);
	assert_true(d.raw < 12);
	policy_free(policy);
}

static void an_unknown_rate_decides_nothing(void **state)
{
	(void) state;
	Policy *policy;
	Decision d = { 0 };
	ModelBasedConfig config;
	model_based_config_default(&config);
	assert_int_equal(model_based_policy_new(&config, &policy), 0);
	const Target target = { .min_replicas = 1, .max_replicas = 20, .pod_capacity_rps = 20 }, blank = { .min_replicas = 1, .max_replicas = 20 };
	Sample sample = { .wall_ms = at_ms(0), .valid = SAMPLE_ALL & ~SAMPLE_RPS, .replicas = 3 };
	const Observation obs = { .target = &target, .sample = &sample }, other = { .target = &blank, .sample = &sample };
	assert_int_equal(policy->ops->decide(policy, &obs, 1, &d), ERR_NO_DATA);
	sample.valid = SAMPLE_ALL;
	sample.rps = 10;
	assert_int_equal(policy->ops->decide(policy, &other, 1, &d), ERR_NO_DATA); /* nor does a service that is not known */
	policy_free(policy);
	config.quantile = 1;
	assert_int_equal(model_based_policy_new(&config, &policy), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_extended),
		cmocka_unit_test(a_season_is_found_and_preferred),
		cmocka_unit_test(the_quantile_is_what_it_says),
		cmocka_unit_test(pods_for_what_is_to_come),
		cmocka_unit_test(a_down_waits_for_its_window),
		cmocka_unit_test(an_unknown_rate_decides_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
