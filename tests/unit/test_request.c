/* The request level against queueing theory. Sources of the formulas: SIM section 11. */
#include "sim/request.h"
#include "sim/service.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { REQUESTS = 1000000 };

/* 1 core, 20 ms a request, nothing else: the queue of the textbooks. */
static Service textbook(void)
{
	Service service;
	service_default(&service);
	service.service_mean = .02;
	service.service_overhead = 0.0;
	service.net_delay = 0.0;
	service.cpu_limit = 0.0;
	service.concurrency = 4096.0;
	service.queue_max = 4096.0;
	return service;
}

static RequestStats run(const Service *service, double rate_rps, uint64_t requests)
{
	RequestStats stats;
	assert_int_equal(request_run(service, rate_rps, requests, 7, 1, &stats), 0);
	return stats;
}

static void assert_near(double got, double want, double tolerance)
{
	if (!(fabs(got - want) <= tolerance * fabs(want)))
		fail_msg("%g, theory has %g within %g %%", got, want, 100.0 * tolerance);
}

static double mean_s(const RequestStats *stats)
{
	return stats->sojourn_s / stats->completed;
}

static void shared_processor_has_the_mean_and_variance_of_mm1_ps(void **state)
{
	(void) state;
	const double rho[] = { .1, .5, .8 };
	Service service = textbook();
	for (int i = 0; i < 3; i++) {
		RequestStats stats = run(&service, rho[i] / .02, REQUESTS);
		double want = .02 / (1.0 - rho[i]), mean = mean_s(&stats);
		assert_near(mean, want, .02);
		assert_near(stats.sojourn_s2 / stats.completed - mean * mean,
		            want * want * (2.0 + rho[i]) / (2.0 - rho[i]), .06);
		assert_near(stats.in_pod_s / stats.time_s, rho[i] / (1.0 - rho[i]), .02);
	}
	RequestStats stats = run(&service, .9 / .02, REQUESTS);
	assert_near(mean_s(&stats), .2, .05);
}

/* Pollaczek and Khinchine: mean wait rho S (1 + cv^2)/(2 (1 - rho)). */
static void single_worker_waits_as_pollaczek_khinchine_say(void **state)
{
	(void) state;
	const double cv[] = { 0.0, 1.5 };
	Service service = textbook();
	service.concurrency = 1.0;
	for (int i = 0; i < 2; i++) {
		service.service_cv = cv[i];
		RequestStats stats = run(&service, .7 / .02, REQUESTS);
		assert_near(mean_s(&stats) - .02, .7 * .02 * (1.0 + cv[i] * cv[i]) / (2.0 * .3), .03);
	}
}

static void mean_does_not_depend_on_the_spread_of_the_sizes(void **state)
{
	(void) state;
	const double cv[] = { 0.0, 2.0 };
	Service service = textbook();
	for (int i = 0; i < 2; i++) {
		service.service_cv = cv[i];
		RequestStats stats = run(&service, .7 / .02, REQUESTS);
		assert_near(mean_s(&stats), .02 / .3, .03);
	}
}

/* Two cores shared: the number in the pod is that of M/M/2, by Erlang's C formula. */
static void two_cores_hold_as_many_as_mm2(void **state)
{
	(void) state;
	Service service = textbook();
	service.threads = 2.0;
	double rho = .8, erlang_c = 2.0 * rho * rho / (1.0 + rho);
	RequestStats stats = run(&service, rho * 2.0 / .02, REQUESTS);
	assert_near(stats.in_pod_s / stats.time_s, 2.0 * rho + rho * erlang_c / (1.0 - rho), .03);
}

static void quota_caps_the_throughput(void **state)
{
	(void) state;
	Service service = textbook();
	service.cpu_limit = .5;
	service.concurrency = service.queue_max = 64.0;
	RequestStats stats = run(&service, 1.5 * .5 / .02, REQUESTS / 4);
	assert_near(stats.completed / stats.time_s, .5 / .02, .01);
	assert_near(stats.cpu_s / stats.time_s, .5, .001);
	assert_near(stats.throttled / stats.periods, 1.0, .01);
	assert_near(stats.accepted / stats.arrivals, 1.0 / 1.5, .01);
}

/* One request at a time, of 80 ms, under 50 ms a period of 100 ms: worked out over the phase at which it comes. */
static void quota_stops_a_long_request(void **state)
{
	(void) state;
	Service service = textbook();
	service.cpu_limit = .5;
	service.service_mean = .08;
	service.service_cv = 0.0;
	RequestStats stats = run(&service, .01, 20000);
	/*
	 * Arriving at phase u (ms) of an idle period with a full quota of 50 ms: for u <= 50 it runs 50, stops until 100,
	 * runs 30: sojourn 130 - u. For 50 < u <= 100 it runs 100 - u up to the boundary, gets 50 anew; what is left is
	 * 80 - (100 - u) = u - 20, at most 50 if u <= 70: sojourn 80; for u > 70 it stops at 150 and ends at 200 + (u - 70):
	 * sojourn 130. Mean: (50 x 105 + 20 x 80 + 30 x 130)/100 = 107.5.
	 */
	assert_near(mean_s(&stats), .1075, .01);
}

static void same_arguments_give_the_same_run(void **state)
{
	(void) state;
	Service service;
	service_default(&service);
	RequestStats a, b;
	assert_int_equal(request_run(&service, 15.0, 10000, 3, 5, &a), 0);
	assert_int_equal(request_run(&service, 15.0, 10000, 3, 5, &b), 0);
	assert_memory_equal(&a, &b, sizeof a);
	assert_int_equal(request_run(&service, 15.0, 10000, 4, 5, &b), 0);
	assert_true(a.sojourn_s != b.sojourn_s);
}

static void time_bins_hold_their_points(void **state)
{
	(void) state;
	double part;
	for (int32_t k = 0; k < TIME_POINTS - 1; k++) {
		assert_int_equal(time_bin(time_point(k), &part), k);
		assert_true(part == 0.0);
		assert_int_equal(time_bin(.5 * (time_point(k) + time_point(k + 1)), &part), k);
		assert_true(fabs(part - .5) < 1e-9);
	}
	assert_int_equal(time_bin(1e-9, &part), 0);
	assert_int_equal(time_bin(1e9, &part), TIME_POINTS - 2);
}

static void service_check_names_the_parameter(void **state)
{
	(void) state;
	Service service;
	Error err;
	service_default(&service);
	assert_int_equal(service_check(&service, &err), 0);
	service.service_mean = -1.0;
	assert_int_equal(service_check(&service, &err), ERR_INVALID);
	assert_non_null(strstr(err.text, "service_mean"));
	service_default(&service);
	service.rate_window = NAN;
	assert_int_equal(service_check(&service, &err), ERR_INVALID);
	assert_non_null(strstr(err.text, "rate_window"));
	service_default(&service);
	service.start_sched_max = 0.0;
	assert_int_equal(service_check(&service, &err), ERR_INVALID);
	assert_non_null(strstr(err.text, "start_sched_max"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shared_processor_has_the_mean_and_variance_of_mm1_ps),
		cmocka_unit_test(single_worker_waits_as_pollaczek_khinchine_say),
		cmocka_unit_test(mean_does_not_depend_on_the_spread_of_the_sizes),
		cmocka_unit_test(two_cores_hold_as_many_as_mm2),
		cmocka_unit_test(quota_caps_the_throughput),
		cmocka_unit_test(quota_stops_a_long_request),
		cmocka_unit_test(same_arguments_give_the_same_run),
		cmocka_unit_test(time_bins_hold_their_points),
		cmocka_unit_test(service_check_names_the_parameter),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
