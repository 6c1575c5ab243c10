/* The observation: the five features, the mask, and that what is missing is never a number. */
#include "base/view.h"
#include "decide/observation.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const Target TARGET = { .namespace_ = "shop", .name = "cart", .min_replicas = 2, .max_replicas = 15 };

static Sample full_sample(void)
{
	return (Sample) {
		.valid = SAMPLE_ALL,
		.cpu_cores = 1.25,
		.mem_bytes = 4.0 * 256 * 1024 * 1024,
		.latency_ms = 187.5,
		.rps = 96.0,
		.replicas = 4,
	};
}

static void observation_holds_the_five_features_in_order(void **state)
{
	(void) state;
	Sample sample = full_sample();
	Observation obs;
	assert_int_equal(observation_build(OBS_SEED, &TARGET, &sample, &obs, NULL), 0);
	assert_int_equal(obs.dim, 5);
	assert_int_equal(observation_dim(OBS_SEED), 5);
	static const float want[5] = { 125.0f, 0.5f, 4.0f, 187.5f, 96.0f };
	static const char *const names[5] = { "cpu_usage", "memory_usage", "replicas", "latency", "rps" };
	for (int i = 0; i < 5; i++) {
		assert_true(obs.x[i] == want[i]);
		assert_string_equal(observation_feature(OBS_SEED, i), names[i]);
	}
	assert_string_equal(observation_feature(OBS_SEED, 5), "?");
	assert_string_equal(observation_feature(OBS_SEED, -1), "?");
	assert_ptr_equal(obs.sample, &sample);
	assert_ptr_equal(obs.target, &TARGET);
}

/* For the console; a longer one would be cut there. */
static void each_feature_says_what_it_is(void **state)
{
	(void) state;
	const ObsSpec specs[] = { { .kind = OBS_SEED, .stack = 1 }, { .kind = OBS_TREND, .stack = 1 }, { .kind = OBS_TREND, .stack = 3 } };
	for (size_t k = 0; k < sizeof specs / sizeof *specs; k++) {
		int32_t n = observer_dim(specs[k]);
		for (int32_t i = 0; i < n; i++)
			assert_in_range(strlen(observer_meaning(specs[k], i)), 1, sizeof ((PolicyInput *) 0)->meaning - 1);
		assert_string_equal(observer_meaning(specs[k], n), "");
		assert_string_equal(observer_meaning(specs[k], -1), "");
	}
}

static void observation_mask_forbids_what_the_bounds_forbid(void **state)
{
	(void) state;
	const uint32_t down = 1u << ACTION_DOWN, keep = 1u << ACTION_KEEP, up = 1u << ACTION_UP;
	const struct { int32_t replicas; uint32_t want; } cases[] = {
		{ 1, keep | up }, { 2, keep | up }, { 3, down | keep | up }, { 14, down | keep | up }, { 15, down | keep },
		{ 16, down | keep },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		Sample sample = full_sample();
		sample.replicas = cases[i].replicas;
		Observation obs;
		assert_int_equal(observation_build(OBS_SEED, &TARGET, &sample, &obs, NULL), 0);
		assert_int_equal(obs.mask, cases[i].want);
	}
}

static void observation_of_a_missing_value_is_an_error_that_names_it(void **state)
{
	(void) state;
	static const struct { uint32_t bit; const char *name; } cases[] = {
		{ SAMPLE_CPU, "cpu_usage" }, { SAMPLE_MEM, "memory_usage" }, { SAMPLE_LATENCY, "latency" },
		{ SAMPLE_RPS, "rps" }, { SAMPLE_REPLICAS, "memory_usage" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		Sample sample = full_sample();
		sample.valid &= ~cases[i].bit;
		Observation obs, untouched;
		memset(&obs, 0x5a, sizeof obs);
		untouched = obs;
		Error err = { 0 };
		assert_int_equal(observation_build(OBS_SEED, &TARGET, &sample, &obs, &err), ERR_NO_DATA);
		assert_int_equal(err.code, ERR_NO_DATA);
		assert_non_null(strstr(err.text, "shop/cart"));
		assert_non_null(strstr(err.text, cases[i].name));
		assert_memory_equal(&obs, &untouched, sizeof obs);
	}
}

static void observation_error_says_what_the_source_said(void **state)
{
	(void) state;
	Sample sample = full_sample();
	sample.valid &= ~(uint32_t) SAMPLE_CPU;
	strcpy(sample.missing, "cpu: query gave no series");
	Observation obs;
	Error err = { 0 };
	assert_int_equal(observation_build(OBS_SEED, &TARGET, &sample, &obs, &err), ERR_NO_DATA);
	assert_non_null(strstr(err.text, "query gave no series"));
}

static void observation_tells_stale_from_missing(void **state)
{
	(void) state;
	Sample sample = full_sample();
	sample.valid &= ~(uint32_t) SAMPLE_MEM;
	sample.stale = SAMPLE_MEM;
	Observation obs;
	assert_int_equal(observation_build(OBS_SEED, &TARGET, &sample, &obs, NULL), ERR_STALE);
	sample.valid &= ~(uint32_t) SAMPLE_CPU; /* asked first */
	assert_int_equal(observation_build(OBS_SEED, &TARGET, &sample, &obs, NULL), ERR_NO_DATA);
}

/* Only a rate that is known to be 0 explains a missing latency. */
static void observation_without_traffic_has_latency_zero(void **state)
{
	(void) state;
	Sample sample = full_sample();
	sample.valid &= ~(uint32_t) SAMPLE_LATENCY;
	sample.latency_ms = NAN;
	sample.rps = 0;
	Observation obs;
	assert_int_equal(observation_build(OBS_SEED, &TARGET, &sample, &obs, NULL), 0);
	assert_true(obs.x[3] == 0.0f && obs.x[4] == 0.0f);
	sample.valid &= ~(uint32_t) SAMPLE_RPS;
	assert_int_equal(observation_build(OBS_SEED, &TARGET, &sample, &obs, NULL), ERR_NO_DATA);
}

static void observation_refuses_what_is_not_finite(void **state)
{
	(void) state;
	Sample sample = full_sample();
	Observation obs;
	sample.cpu_cores = NAN;
	assert_int_equal(observation_build(OBS_SEED, &TARGET, &sample, &obs, NULL), ERR_NONFINITE);
	sample = full_sample();
	sample.rps = 1e300; /* finite, but not as the float that the net reads */
	assert_int_equal(observation_build(OBS_SEED, &TARGET, &sample, &obs, NULL), ERR_NONFINITE);
}

static void observation_of_no_replicas_is_no_data(void **state)
{
	(void) state;
	Sample sample = full_sample();
	sample.replicas = 0;
	Observation obs;
	assert_int_equal(observation_build(OBS_SEED, &TARGET, &sample, &obs, NULL), ERR_NO_DATA);
}

static void observation_of_another_version_is_refused(void **state)
{
	(void) state;
	Sample sample = full_sample();
	Observation obs;
	assert_int_equal(observation_build((ObsKind) 99, &TARGET, &sample, &obs, NULL), ERR_INVALID);
	assert_int_equal(observation_dim((ObsKind) 99), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(observation_holds_the_five_features_in_order),
		cmocka_unit_test(each_feature_says_what_it_is),
		cmocka_unit_test(observation_mask_forbids_what_the_bounds_forbid),
		cmocka_unit_test(observation_of_a_missing_value_is_an_error_that_names_it),
		cmocka_unit_test(observation_error_says_what_the_source_said),
		cmocka_unit_test(observation_tells_stale_from_missing),
		cmocka_unit_test(observation_without_traffic_has_latency_zero),
		cmocka_unit_test(observation_refuses_what_is_not_finite),
		cmocka_unit_test(observation_of_no_replicas_is_no_data),
		cmocka_unit_test(observation_of_another_version_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
