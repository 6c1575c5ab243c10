/* The fluid level against the request level that it stands for (SIM section 10), at unlike seeds. */
#include "base/mem.h"
#include "sim/core.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

enum { LOADS = 5 };
static const double RHO[LOADS] = { .3, .5, .7, .8, .9 };

typedef struct Bench { /* one row of `pods` settled pods */
	SimModel model;
	SimRow *row;
	SimView view;
} Bench;

static double mu_of(const Service *service)
{
	return service_cores(service) / service_demand_s(service);
}

static Bench bench_new(const Service *service, double rho, int32_t pods, float window_s, float substep_s, float soft_ms,
                       float hard_ms)
{
	Bench bench;
	Error err;
	SimConfig config;
	sim_config_default(&config);
	config.service = *service;
	config.min_replicas = config.max_replicas = pods;
	config.interval_s = window_s;
	config.substep_s = substep_s;
	config.latency_soft_ms = soft_ms;
	config.latency_hard_ms = hard_ms;
	config.peak_rps = rho * mu_of(service) * pods;
	if (core_model_init(&bench.model, &config, &err))
		fail_msg("%s", err.text);
	bench.row = mem_block(1, bench.model.row_bytes);
	assert_non_null(bench.row);
	core_reset(&bench.model, bench.row, 21, 0, 0);
	bench.view = core_view(&bench.model, bench.row);
	return bench;
}

static void bench_free(Bench *bench)
{
	core_model_done(&bench->model);
	free(bench->row);
}

static EnvInfo window(Bench *bench)
{
	EnvInfo info;
	bench->row->totals = (StepTotals) { 0 };
	for (int32_t k = 0; k < bench->model.drawn.substeps; k++)
		core_run(&bench->model, bench->row, &bench->view, 1);
	core_info(&bench->model, bench->row, core_ready(&bench->model, bench->row, &bench->view), &info);
	return info;
}

static void tick_at(Bench *bench, double rate_rps)
{
	bench->model.peak_rps = rate_rps;
	core_run(&bench->model, bench->row, &bench->view, 1);
}

static double over_s(const RequestStats *stats, double t_s)
{
	double part, over = 0.0;
	int32_t bin = time_bin(t_s, &part);
	for (int32_t k = bin; k < TIME_POINTS; k++)
		over += stats->bin[k];
	return (over - part * stats->bin[bin]) / stats->completed;
}

static double p95_s(const RequestStats *stats)
{
	double low = 0.0, high = 100.0;
	for (int i = 0; i < 50; i++) {
		double mid = .5 * (low + high);
		if (over_s(stats, mid) > .05)
			low = mid;
		else
			high = mid;
	}
	return high;
}

static void assert_near(const char *what, double rho, double got, double want, double tolerance)
{
	if (!(fabs(got - want) <= tolerance * fabs(want)))
		fail_msg("%s at load %g: %g, the request level has %g within %g %%", what, rho, got, want, 100.0 * tolerance);
}

static void table_holds_the_p95_of_a_longer_run(void **state)
{
	(void) state;
	Service service;
	service_default(&service);
	Bench bench = bench_new(&service, .5, 1, 30.0f, 5.0f, 250.0f, 500.0f);
	const Response *response = bench.model.response;
	const double rho[] = { .1, .33, .63, .8, .9 }; /* on loads of the table and between them */
	for (int i = 0; i < 5; i++) {
		RequestStats stats;
		assert_int_equal(request_run(&service, rho[i] * mu_of(&service), 1000000, 77, 3, &stats), 0);
		double n = stats.in_pod_s / stats.time_s;
		Place at = response_place(response, (float) n);
		assert_near("p95", rho[i], response_quantile(response, at, .95), p95_s(&stats), rho[i] > .8 ? .08 : .05);
		assert_near("number in the pod", rho[i],
		            (double) response_settled(response, (float) rho[i]), n, .08);
		if (rho[i] > .2) /* the capacity at that p95 is that load; the p95 of a pod almost idle hardly tells */
			assert_near("capacity", rho[i], response_capacity(response, p95_s(&stats)), rho[i] * mu_of(&service), .05);
	}
	bench_free(&bench);
}

static void settled_windows_are_those_of_the_request_level(void **state)
{
	(void) state;
	Service service;
	service_default(&service);
	double error = 0.0;
	for (int i = 0; i < LOADS; i++) {
		RequestStats stats;
		assert_int_equal(request_run(&service, RHO[i] * mu_of(&service), 1000000, 78, 4, &stats), 0);
		Bench bench = bench_new(&service, RHO[i], 8, 60.0f, 5.0f, 250.0f, 500.0f);
		double p95 = 0.0, cpu = 0.0, slow = 0.0;
		enum { WINDOWS = 1000 };
		for (int k = 0; k < WINDOWS; k++) {
			EnvInfo info = window(&bench);
			p95 += (double) info.p95_ms / WINDOWS;
			cpu += (double) info.cpu_cores / WINDOWS;
			slow += (double) info.slow_soft / WINDOWS;
		}
		double want = 1e3 * p95_s(&stats), want_slow = over_s(&stats, .25);
		error += fabs(p95 / want - 1.0) / LOADS;
		assert_near("p95", RHO[i], p95, want, .15);
		assert_near("cpu", RHO[i], cpu, 8.0 * stats.cpu_s / stats.time_s, .02);
		assert_near("share over the soft limit", RHO[i], slow, want_slow, .1);
		bench_free(&bench);
	}
	if (error > .04)
		fail_msg("mean error of the p95 over the loads: %g %%", 100.0 * error);
}

/* SIM 4.3: deviation of a 60 s window's p95 over its mean, 20 ms a request, no CPU limit, by request level. */
static void windows_vary_as_much_as_measured(void **state)
{
	(void) state;
	const double want[2][LOADS] = { { .06, .07, .11, .15, .29 }, { .03, .03, .05, .07, .13 } };
	const int32_t pods[] = { 2, 8 };
	Service service;
	service_default(&service);
	service.cpu_limit = 0.0;
	Bench bench = bench_new(&service, .5, 8, 60.0f, 5.0f, 250.0f, 500.0f);
	for (int c = 0; c < 2; c++)
		for (int i = 0; i < LOADS; i++) {
			enum { WINDOWS = 1000 };
			double sum = 0.0, squares = 0.0;
			bench.model.config.start = SIM_START_ONE; /* with min = pods: that many */
			bench.model.drawn.min_replicas = bench.model.drawn.max_replicas = pods[c];
			bench.model.peak_rps = RHO[i] * mu_of(&service) * pods[c];
			core_reset(&bench.model, bench.row, 22, 0, 0);
			for (int k = 0; k < WINDOWS; k++) {
				double p95 = (double) window(&bench).p95_ms;
				sum += p95;
				squares += p95 * p95;
			}
			double mean = sum / WINDOWS, spread = sqrt(squares / WINDOWS - mean * mean) / mean;
			/* the figures are given in whole percents */
			if (fabs(spread - want[c][i]) > .25 * want[c][i] + .005)
				fail_msg("%d pods at %g: %g, measured %g", pods[c], RHO[i], spread, want[c][i]);
		}
	bench_free(&bench);
}

static void overload_fills_and_drains_a_pod_at_the_difference_of_the_rates(void **state)
{
	(void) state;
	Service service;
	service_default(&service);
	Bench bench = bench_new(&service, .5, 1, 30.0f, 5.0f, 250.0f, 500.0f);
	double mu = mu_of(&service);
	for (int k = 0; k < 8; k++)
		tick_at(&bench, 1.2 * mu);
	double full = (double) bench.view.cohort[0].n;
	if (fabs(full / (.2 * mu * 40.0) - 1.0) > .2)
		fail_msg("%g requests after 40 s at 1.2, %g came too many", full, .2 * mu * 40.0);
	for (int k = 8; k < 12; k++)
		tick_at(&bench, .5 * mu);
	if (fabs((full - (double) bench.view.cohort[0].n) / (.5 * mu * 16.0) - 1.0) > .2)
		fail_msg("%g requests went in 20 s at .5", full - (double) bench.view.cohort[0].n);
	bench_free(&bench);
}

/* While a backlog drains, what completes is about as old as the backlog is long, n/mu; the settled pod of that load would
 * answer in .2 s. */
static void draining_requests_are_as_old_as_the_backlog(void **state)
{
	(void) state;
	Service service;
	service_default(&service);
	Bench bench = bench_new(&service, .5, 1, 30.0f, 5.0f, 250.0f, 500.0f);
	double mu = mu_of(&service);
	for (int k = 0; k < 4; k++)
		tick_at(&bench, 1.2 * mu);
	assert_true((double) bench.view.cohort[0].n < service.concurrency); /* all are in service, none waits */
	bench.row->totals = (StepTotals) { 0 };
	tick_at(&bench, .5 * mu);
	EnvInfo info;
	core_info(&bench.model, bench.row, core_ready(&bench.model, bench.row, &bench.view), &info);
	double backlog_ms = 1e3 * (double) bench.view.cohort[0].n / mu;
	if (!((double) info.p95_ms > backlog_ms && (double) info.p95_ms < 10.0 * backlog_ms))
		fail_msg("p95 %g ms, a backlog of %g ms", (double) info.p95_ms, backlog_ms);
	bench_free(&bench);
}

static void counts_vary_as_poisson(void **state)
{
	(void) state;
	Service service;
	service_default(&service);
	Bench bench = bench_new(&service, .4, 4, 60.0f, 5.0f, 250.0f, 500.0f);
	enum { WINDOWS = 600 };
	double sum = 0.0, squares = 0.0;
	for (int k = 0; k < WINDOWS; k++) {
		(void) window(&bench);
		double served = (double) bench.row->totals.served;
		sum += served;
		squares += served * served;
	}
	double mean = sum / WINDOWS, variance = squares / WINDOWS - mean * mean;
	assert_near("served", .4, mean, .4 * mu_of(&service) * 4.0 * 60.0, .01);
	assert_near("variance of served over its mean", .4, variance / mean, 1.0, .25);
	bench_free(&bench);
}

static void young_pods_are_slower(void **state)
{
	(void) state;
	Service service;
	service_default(&service);
	Bench bench = bench_new(&service, .5, 1, 30.0f, 5.0f, 250.0f, 500.0f);
	double rate = .5 * mu_of(&service), dt = bench.model.dt;
	for (int k = 0; k < 4; k++)
		tick_at(&bench, rate);
	double old = (double) bench.view.cohort[0].n;
	bench.view.cohort[0].listen_s = 4 * dt;
	tick_at(&bench, rate);
	/* demand x 1.5 at birth: a load of .5 is .75, and the pod fills */
	assert_true((double) bench.view.cohort[0].n > 1.5 * old);
	bench_free(&bench);
}

typedef struct Over { /* share of the requests that took longer than SOFT_S, HARD_S */
	double soft, hard;
} Over;
static const double SOFT_S = 2.0, HARD_S = 3.5;

/* In the last of LAST seconds in which a pod that was empty gets rho of what it can do; its core has so much of its pace. */
enum { LAST = 12 };
static Over overload(const Service *service, float capacity, double rho)
{
	enum { RUNS = 400 }; /* chance moves each */
	const double idle = .02, most = (double) capacity * mu_of(service);
	Over over = { 0.0, 0.0 };
	Bench bench = bench_new(service, idle, 1, 1.0f, 1.0f, 1e3f * (float) SOFT_S, 1e3f * (float) HARD_S);
	bench.model.drawn.capacity = capacity;
	for (uint32_t run = 0; run < RUNS; run++) {
		EnvInfo info;
		bench.model.peak_rps = idle * most;
		core_reset(&bench.model, bench.row, 22, run, 0);
		bench.model.peak_rps = rho * most;
		for (int k = 0; k < LAST; k++)
			info = window(&bench);
		over.soft += (double) info.slow_soft / RUNS;
		over.hard += (double) info.slow_hard / RUNS;
	}
	bench_free(&bench);
	return over;
}

/*
 * A pod without a limit that was empty at 0 gets 1.2 of what it can do. By the fluid limit of processor sharing (ages.h)
 * with exponential demands its queue grows as g t, and of those done at t the part (1 - a/t)^(1 + mu/g) is older than a.
 */
static void an_overloads_ages_are_those_of_processor_sharing(void **state)
{
	(void) state;
	const double rho = 1.2, power = 1.0 + 1.0 / (rho - 1.0), t = LAST - .5;
	Service service;
	service_default(&service);
	service.cpu_limit = 0.0;
	const Over over = overload(&service, 1.0f, rho);
	assert_near("over 2 s", rho, over.soft, pow(1.0 - SOFT_S / t, power), .15);
	assert_near("over 3.5 s", rho, over.hard, pow(1.0 - HARD_S / t, power), .2);
}

/* A pod at .6 of its pace is one whose requests need 1/.6 of the CPU time, in overload too. */
static void slow_pods_are_those_of_a_slow_service(void **state)
{
	(void) state;
	const float pace = .6f;
	Service service, slow;
	service_default(&service);
	service.cpu_limit = 0.0;
	service.service_cv = 1.5; /* then an overload's growth goes by its ages too */
	slow = service;
	slow.service_mean /= (double) pace;
	slow.service_overhead /= (double) pace;
	const Over got = overload(&service, pace, 1.3), want = overload(&slow, 1.0f, 1.3);
	assert_true(want.soft > .2 && want.hard > .05);
	assert_near("over 2 s", 1.3, got.soft, want.soft, .03);
	assert_near("over 3.5 s", 1.3, got.hard, want.hard, .05);
}

/* z = lambda (1 - E exp(-z B)) worked out elsewhere: for fixed demands at rho 1.25 (1 - exp(-y))/y = .8 at y = .46421. */
static void an_overload_grows_by_its_demands(void **state)
{
	(void) state;
	static const struct {
		double cv;
		float rho, want;
	} cases[] = { { 1.0, 1.25f, 1.0f }, { 0.0, 1.25f, 1.85684f }, { 0.0, 1.0f, 2.0f }, { 1.5, 1.0f, .61538f } };
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		Service service;
		Response *response;
		service_default(&service);
		service.service_cv = cases[i].cv;
		assert_int_equal(response_new(&service, 5.0, 0.0, 0.0, &response), 0);
		float got = response_growth(response, cases[i].rho);
		if (fabsf(got / cases[i].want - 1.0f) > .005f)
			fail_msg("cv %g at %g: %g, not %g", cases[i].cv, (double) cases[i].rho, (double) got, (double) cases[i].want);
		response_free(response);
	}
}

/* What is known exactly is exact, and what goes with it is nearer: a table of few requests against a run of many. */
static void a_settled_table_is_nearer_to_a_long_run(void **state)
{
	(void) state;
	static ResponseTable table;
	RequestStats stats;
	Service service;
	service_default(&service);
	service.service_cv = 2.0;
	enum { J = 17, REQUESTS = 40000 }; /* at .92 */
	double rho = table_load(J), off[2] = { 0.0 };
	assert_int_equal(request_run(&service, rho * mu_of(&service), 4000000, 5, 1, &stats), 0);
	for (uint64_t seed = 1; seed <= 4; seed++)
		for (int settled = 0; settled < 2; settled++) {
			assert_int_equal(settled ? table_build_settled(&service, REQUESTS, seed, &table)
			                         : table_build_beside(&service, NULL, NULL, REQUESTS, seed, &table, NULL), 0);
			off[settled] += fabs((double) table.n[J] / (stats.in_pod_s / stats.time_s) - 1.0) / 4.0;
			for (int j = 1; j < TABLE_LOADS; j++)
				assert_true(table.n[j] > table.n[j - 1]);
			for (int k = 1; k < TIME_POINTS; k++)
				assert_true(table.cdf[J][k] >= table.cdf[J][k - 1]);
		}
	assert_true(off[0] > .05 && off[1] < .5 * off[0]);
	service.cpu_limit = 0.0; /* then the number is rho/(1 - rho), whatever the demands */
	assert_int_equal(table_build_settled(&service, 2000, 1, &table), 0);
	assert_true(fabs((double) table.n[J] - rho / (1.0 - rho)) < 1e-3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_holds_the_p95_of_a_longer_run),
		cmocka_unit_test(settled_windows_are_those_of_the_request_level),
		cmocka_unit_test(windows_vary_as_much_as_measured),
		cmocka_unit_test(overload_fills_and_drains_a_pod_at_the_difference_of_the_rates),
		cmocka_unit_test(draining_requests_are_as_old_as_the_backlog),
		cmocka_unit_test(an_overloads_ages_are_those_of_processor_sharing),
		cmocka_unit_test(counts_vary_as_poisson),
		cmocka_unit_test(young_pods_are_slower),
		cmocka_unit_test(slow_pods_are_those_of_a_slow_service),
		cmocka_unit_test(an_overload_grows_by_its_demands),
		cmocka_unit_test(a_settled_table_is_nearer_to_a_long_run),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
