/* The observation `trend` against vectors worked out by hand, its memory, and the rule that training starts from. */
#include "decide/observation.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const ObsSpec SPEC = { OBS_TREND, 1, 15.0f };

static Target target_of(void)
{
	return (Target) {
		.namespace_ = "shop", .name = "cart", .min_replicas = 1, .max_replicas = 15, .latency_soft_ms = 250, .latency_hard_ms = 500,
		.pod_capacity_rps = 10, .startup_s = 30, .pod_price = .4f,
	};
}

/* Interval k of a service with 4 ready pods under rps. */
static Sample sample_at(int k, double rps)
{
	return (Sample) {
		.wall_ms = INT64_C(1600000000000) + 15000 * k, .valid = SAMPLE_ALL, .age_ms = { 3000, 3000, 6000, 6000, 0 },
		.cpu_cores = 1.0, .mem_bytes = 4 * 128.0 * 1048576, .latency_ms = 125.0, .rps = rps, .replicas = 4, .ready = 4,
		.cpu_request_cores = .5, .mem_limit_bytes = 512.0 * 1048576,
	};
}

static Observation step(Observer *observer, const Target *target, const Sample *sample)
{
	Observation obs;
	Error err = { 0 };
	if (observer_step(observer, target, sample, &obs, &err))
		fail_msg("%s", err.text);
	return obs;
}

typedef struct Want {
	int i;
	double want;
} Want;

static void assert_features(const float *x, const Want *want, size_t n)
{
	for (size_t k = 0; k < n; k++)
		if (!(fabs((double) x[want[k].i] - want[k].want) < 1e-5))
			fail_msg("feature %d (%s): %.7f, not %.7f", want[k].i, trend_feature(want[k].i, 1), (double) x[want[k].i], want[k].want);
}

static void a_rising_load_gives_the_vector_worked_out_by_hand(void **state)
{
	(void) state;
	Observer observer;
	Target target = target_of();
	observer_init(&observer, SPEC);
	for (int k = 0; k < 3; k++) {
		Sample before = sample_at(k, 40 + 4 * k);
		(void) step(&observer, &target, &before);
	}
	Sample now = sample_at(3, 52);
	now.replicas = 5; /* one more was asked for, 12 s old and not ready */
	now.coming_age_ms = 12000;
	now.latency_ms = 250.0 * exp(.5);
	Observation obs = step(&observer, &target, &now);
	/* 2020-09-13 12:27:25 UTC, a Sunday */
	double day = 2 * 3.14159265358979 * (12 * 3600 + 27 * 60 + 25) / 86400, week = (2 * 3.14159265358979 * 6 + day) / 7;
	const Want want[] = {
		{ 0, 1.3 }, { 1, .1 }, { 2, 4 * 3 / 40. }, { 3, 4 * 3 / 40. }, { 4, 0 }, { 5, 0 }, /* horizon: (30 + 15)/15 intervals */
		{ 6, sin(day) }, { 7, cos(day) }, { 8, sin(week) }, { 9, cos(week) },
		{ 10, .5 }, { 11, .25 }, { 12, .5 }, { 13, .5 + log(2) }, { 14, 5 / 15. }, { 15, 1 / 15. }, { 16, .4 }, { 17, 2 },
		{ 18, 4 / 14. }, { 19, .05 }, { 20, 5 }, { 21, 0 }, { 22, 0 }, { 23, 1 }, { 24, 0 }, { 25, 0 }, { 26, .4 }, { 27, 0 },
		{ 28, 0 }, { 29, 0 }, { 30, 1.3 }, { 31, log(5) }, { 32, 46 / 40. }, { 33, 12 / 4. / 40 }, { 34, 1.3 }, { 35, .3 },
	};
	assert_int_equal(obs.dim, TREND_DIM);
	assert_features(obs.x, want, sizeof want / sizeof *want);
}

/* Least squares by hand: rates 10 10 10 18 have slope 2.4 and residuals 1.6 -.8 -3.2 2.4, whose squares add up to 19.2. */
static void noise_is_what_the_line_leaves_over(void **state)
{
	(void) state;
	static const double rps[4] = { 10, 10, 10, 18 };
	Observer observer;
	Target target = target_of();
	Observation obs = { 0 };
	observer_init(&observer, SPEC);
	for (int k = 0; k < 4; k++) {
		Sample sample = sample_at(k, rps[k]);
		obs = step(&observer, &target, &sample);
	}
	const Want want[] = { { 2, 2.4 * 3 / 40 }, { 3, 2.4 * 3 / 40 }, { 29, sqrt(19.2 / 2) / 40 } };
	assert_features(obs.x, want, 3);
}

static void the_short_slope_looks_at_four_intervals_of_twenty(void **state)
{
	(void) state;
	Observer observer;
	Target target = target_of();
	Observation obs = { 0 };
	observer_init(&observer, SPEC);
	for (int k = 0; k < 30; k++) { /* level, then a fall of 1 an interval over the last four */
		Sample sample = sample_at(k, k < 27 ? 30 : 30 - (k - 26));
		obs = step(&observer, &target, &sample);
	}
	double cross = 0; /* of the last twenty about their middle */
	for (int k = 0; k < 3; k++)
		cross += (17 + k - 9.5) * -(k + 1);
	const Want want[] = {
		{ 2, -1 * 3 / 40. }, { 3, cross / (20 * 399 / 12.) * 3 / 40 }, { 30, 30 / 40. },
	};
	assert_features(obs.x, want, 3);
}

/* Rates 10 20 30 20 and a start-up of 2 intervals and one to decide: the only rise over 3 intervals is 20 - 10. */
static void an_hour_is_remembered_by_its_mean_its_rises_and_their_peaks(void **state)
{
	(void) state;
	static const float past[3] = { 10, 20, 30 };
	Observer observer;
	Target target = target_of();
	observer_init(&observer, SPEC);
	trend_fill(&observer.trend, &target, 15.0f, past, 3);
	Sample sample = sample_at(0, 20);
	Observation obs = step(&observer, &target, &sample);
	double fade = 1 - .5 / TREND_HISTORY;
	const Want want[] = { { 0, .5 }, { 32, 20 / 40. }, { 33, 10 / 4. / 40 }, { 34, 30 * fade / 40 }, { 35, 10 / 40. } };
	assert_features(obs.x, want, 5);
}

static void a_gap_is_filled_and_changes_keep_their_age(void **state)
{
	(void) state;
	Observer observer;
	Target target = target_of();
	observer_init(&observer, SPEC);
	Sample sample = sample_at(0, 40);
	(void) step(&observer, &target, &sample);
	sample = sample_at(1, 40);
	sample.replicas = 3;
	(void) step(&observer, &target, &sample);
	sample = sample_at(4, 60); /* two cycles were missed */
	sample.replicas = 3;
	Observation obs = step(&observer, &target, &sample);
	assert_int_equal(observer.trend.n, 5);
	const Want want[] = { { 20, 60 / 300. }, { 21, 0 }, { 22, 1 }, { 1, .5 } };
	assert_features(obs.x, want, 4);
}

static void what_is_not_known_is_zero_and_said(void **state)
{
	(void) state;
	Observer observer;
	Target target = target_of();
	observer_init(&observer, SPEC);
	Sample sample = sample_at(0, 40);
	sample.valid &= ~(uint32_t) SAMPLE_CPU;
	sample.cpu_cores = NAN;
	Observation obs = step(&observer, &target, &sample);
	assert_true(obs.x[10] == 0.0f && obs.x[TREND_IMPUTED] == 1.0f);
	/* but without the rate, or without a latency under traffic, nothing is decided */
	sample = sample_at(1, 40);
	sample.valid &= ~(uint32_t) SAMPLE_RPS;
	assert_int_equal(observer_step(&observer, &target, &sample, &obs, NULL), ERR_NO_DATA);
	sample = sample_at(1, 40);
	sample.valid &= ~(uint32_t) SAMPLE_LATENCY;
	assert_int_equal(observer_step(&observer, &target, &sample, &obs, NULL), ERR_NO_DATA);
	sample.rps = 0;
	assert_int_equal(observer_step(&observer, &target, &sample, &obs, NULL), 0);
	assert_true(obs.x[TREND_LATENCY] == -3.0f);
}

static void a_service_without_a_model_is_estimated(void **state)
{
	(void) state;
	Observer observer;
	Target target = target_of();
	target.pod_capacity_rps = target.startup_s = 0;
	observer_init(&observer, SPEC);
	Sample sample = sample_at(0, 40); /* 25 ms of cpu a request: a pod with half a core has 20 rps at 100 %, 14 at 70 % */
	const PodSample pods[2] = {
		{ .ready = READY_TRUE, .has_start_time = true, .start_age_ms = 500000, .ready_age_ms = 440000 },
		{ .ready = READY_FALSE, .has_start_time = true, .start_age_ms = 15000 },
	};
	sample.pods = pods;
	sample.n_pods = 2;
	Observation obs = step(&observer, &target, &sample);
	const Want want[] = { { 0, 40 / 56. }, { 16, .25 }, { 17, 4 }, { 27, 0 } };
	assert_features(obs.x, want, 4);
}

static void a_stack_repeats_what_was(void **state)
{
	(void) state;
	Observer observer;
	Target target = target_of();
	observer_init(&observer, (ObsSpec) { OBS_TREND, 3, 15.0f });
	Observation obs[4];
	for (int k = 0; k < 4; k++) {
		Sample sample = sample_at(k, 40 + k * k);
		sample.latency_ms = 100 + 10 * k;
		obs[k] = step(&observer, &target, &sample);
	}
	assert_int_equal(obs[3].dim, TREND_DIM + 6);
	for (int back = 1; back <= 2; back++) {
		const float *x = obs[3].x + TREND_DIM + 3 * (back - 1), *then = obs[3 - back].x;
		assert_true(x[0] == then[0] && x[1] == then[10] && x[2] == then[12]);
	}
	assert_string_equal(trend_feature(TREND_DIM + 5, 3), "ln_p95_before");
	assert_string_equal(trend_feature(TREND_DIM, 1), "?");
}

static void the_price_reaches_the_vector(void **state)
{
	(void) state;
	Observer observer;
	Target target = target_of();
	Sample sample = sample_at(0, 40);
	target.pod_price = 1.2f;
	observer_init(&observer, SPEC);
	Observation obs = step(&observer, &target, &sample);
	assert_true(fabs((double) obs.x[TREND_PRICE] - log(3)) < 1e-6);
}

static void the_rule_goes_up_for_load_and_less_so_for_dear_pods(void **state)
{
	(void) state;
	float x[TREND_DIM] = { [TREND_RHO] = .5f, [TREND_SPEC] = 4 / 15.f, [TREND_LATENCY] = -1.0f };
	assert_int_equal(trend_rule(x, ACTIONS_THREE, 7, 15), ACTION_DOWN); /* need: 4 x .5/.77 = 2.6 of 4 pods */
	assert_int_equal(trend_rule(x, ACTIONS_THREE, 6, 15), ACTION_KEEP); /* that the mask forbids */
	x[TREND_RHO] = .75f;
	assert_int_equal(trend_rule(x, ACTIONS_THREE, 7, 15), ACTION_KEEP);
	x[TREND_SLOPE_SHORT] = x[TREND_SLOPE_LONG] = .2f;
	assert_int_equal(trend_rule(x, ACTIONS_THREE, 7, 15), ACTION_UP);
	x[TREND_PRICE] = 2.0f;
	assert_int_equal(trend_rule(x, ACTIONS_THREE, 7, 15), ACTION_KEEP);
	x[TREND_LATENCY] = .3f;
	assert_int_equal(trend_rule(x, ACTIONS_THREE, 7, 15), ACTION_UP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rising_load_gives_the_vector_worked_out_by_hand),
		cmocka_unit_test(noise_is_what_the_line_leaves_over),
		cmocka_unit_test(the_short_slope_looks_at_four_intervals_of_twenty),
		cmocka_unit_test(an_hour_is_remembered_by_its_mean_its_rises_and_their_peaks),
		cmocka_unit_test(a_gap_is_filled_and_changes_keep_their_age),
		cmocka_unit_test(what_is_not_known_is_zero_and_said),
		cmocka_unit_test(a_service_without_a_model_is_estimated),
		cmocka_unit_test(a_stack_repeats_what_was),
		cmocka_unit_test(the_price_reaches_the_vector),
		cmocka_unit_test(the_rule_goes_up_for_load_and_less_so_for_dear_pods),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
