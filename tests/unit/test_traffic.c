/* Made-up traffic: the shapes are what their names say, and closed loops and retries feed back on both levels. */
#include "sim/sim.h"
#include "sim/traffic.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static Traffic make(const char *spec, uint64_t seed)
{
	Traffic traffic;
	Error err;
	if (traffic_make(spec, seed, &traffic, &err))
		fail_msg("%s", err.text);
	return traffic;
}

/* Parts of the time at or under a rate. */
static double share_under(const Trace *trace, double rate)
{
	double under = 0.0;
	for (size_t i = 0; i < trace->n; i++)
		under += trace->rate[i] <= rate;
	return under / (double) trace->n;
}

static void every_kind_has_its_peak_at_1_and_nothing_below_0(void **state)
{
	(void) state;
	static const char *const kinds[] = { "constant", "step", "ramp", "spike", "diurnal", "flash", "onoff", "noise", "stages" };
	for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
		Traffic traffic = make(kinds[k], 1), again = make(kinds[k], 1);
		double most = 0.0;
		for (size_t i = 0; i < traffic.trace.n; i++) {
			assert_true(traffic.trace.rate[i] >= 0.0);
			most = fmax(most, traffic.trace.rate[i]);
		}
		assert_true(most == 1.0);
		assert_string_equal(traffic.trace.name, kinds[k]);
		assert_int_equal(traffic.trace.n, again.trace.n);
		assert_memory_equal(traffic.trace.rate, again.trace.rate, traffic.trace.n * sizeof(double));
		trace_done(&traffic.trace);
		trace_done(&again.trace);
	}
}

static void shapes_are_what_they_say(void **state)
{
	(void) state;
	Traffic t = make("step:period=100,low=.25,length=1000,step=1", 1);
	assert_true(share_under(&t.trace, .25) == .5);
	assert_true(trace_rate(&t.trace, 20.0) == .25 && trace_rate(&t.trace, 70.0) == 1.0);
	trace_done(&t.trace);
	t = make("ramp:rise=100,hold=50,fall=100,rest=50,low=.2,length=300,step=1", 1);
	assert_true(fabs(trace_rate(&t.trace, 50.0) - .6) < 1e-9 && trace_rate(&t.trace, 120.0) == 1.0);
	assert_true(fabs(trace_rate(&t.trace, 200.0) - .6) < 1e-9 && fabs(trace_rate(&t.trace, 275.0) - .2) < 1e-9);
	trace_done(&t.trace);
	t = make("spike:every=600,rise=10,hold=20,decay=30,base=.1,length=60000,step=1", 1);
	double above = 1.0 - share_under(&t.trace, .1 + 1e-9); /* 60 s in 600 */
	assert_true(fabs(above - .1) < .003);
	trace_done(&t.trace);
	t = make("diurnal:noise=0", 1);
	assert_true(fabs(trace_rate(&t.trace, 3e4) - trace_rate(&t.trace, 3e4 + 86400.0)) < 1e-9); /* each day alike */
	assert_true(share_under(&t.trace, .5) > .3 && share_under(&t.trace, .5) < .7);
	trace_done(&t.trace);
	t = make("onoff:on=60,off=180,low=.1,length=400000,step=5", 1);
	assert_true(fabs(share_under(&t.trace, .1) - .75) < .03);
	trace_done(&t.trace);
	t = make("flash", 3);
	assert_true(share_under(&t.trace, .4) > .6); /* mostly calm, far below the crowds */
	trace_done(&t.trace);
}

/* The deviation of means over m steps falls as m^(H-1). */
static void noise_is_long_range_dependent(void **state)
{
	(void) state;
	const double hurst[] = { .5, .8 };
	for (int h = 0; h < 2; h++) {
		char spec[64];
		(void) snprintf(spec, sizeof spec, "noise:hurst=%g,deviation=.1,length=80000,step=20", hurst[h]);
		Traffic t = make(spec, 2);
		double spread[2];
		for (int k = 0; k < 2; k++) {
			size_t block = k ? 64 : 1, n = t.trace.n / block;
			double sum = 0.0, squares = 0.0;
			for (size_t i = 0; i < n; i++) {
				double mean = 0.0;
				for (size_t j = 0; j < block; j++)
					mean += t.trace.rate[i * block + j] / (double) block;
				sum += mean;
				squares += mean * mean;
			}
			spread[k] = sqrt(squares / (double) n - sum * sum / (double) (n * n));
		}
		double found = 1.0 + log(spread[1] / spread[0]) / log(64.0);
		if (fabs(found - hurst[h]) > .08)
			fail_msg("Hurst exponent %g, wanted %g", found, hurst[h]);
		trace_done(&t.trace);
	}
}

static void stages_are_those_of_k6(void **state)
{
	(void) state;
	Traffic t = make("stages", 1);
	assert_true(t.peak == 100.0 && t.think_s == 1.0);
	assert_true(fabs(100.0 * trace_rate(&t.trace, 150.0) - 50.0) < 1e-9); /* half-way up 5m->100 */
	assert_true(trace_rate(&t.trace, 1200.0) == 1.0);
	assert_true(fabs(100.0 * trace_rate(&t.trace, 2250.0) - 50.0) < 1e-9);
	assert_true((double) t.trace.n * t.trace.step_s == 2400.0);
	trace_done(&t.trace);
	t = make("stages:1m:30,30s:30,open=1", 1);
	assert_true(t.peak == 30.0 && t.think_s == 0.0);
	trace_done(&t.trace);
}

static void errors_name_what_there_is(void **state)
{
	(void) state;
	static const struct {
		const char *spec, *what;
	} bad[] = {
		{ "wave", "there are constant, step" },
		{ "spike:evry=3", "it has every, rise" },
		{ "spike:base=2", "base is 2, must be 0 to 1" },
		{ "spike:base", "write key=value" },
		{ "spike:base=x", "not a number" },
		{ "step:length=1", "must be 1m to 365d" },
		{ "noise:length=365d", "rows" },
		{ "stages:5m", "write DURATION:TARGET" },
		{ "stages:0s:5", "write DURATION:TARGET" },
		{ "stages:1m:0", "every rate is 0" },
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		Traffic traffic;
		Error err;
		assert_int_equal(traffic_make(bad[i].spec, 1, &traffic, &err), ERR_USAGE);
		if (!strstr(err.text, bad[i].what))
			fail_msg("%s: %s", bad[i].spec, err.text);
	}
}

typedef struct Figures {
	double rps, p95_ms, slow_hard;
} Figures;

/* Means over the second half of half an hour with two pods of 25 requests a second each. */
static Figures settle(SimLevel level, double peak, double think_s, double retries)
{
	enum { STEPS = 120 };
	SimConfig config;
	SimTarget *sim;
	Error err;
	Figures sum = { .rps = 0.0 };
	sim_config_default(&config);
	config.level = level;
	config.min_replicas = config.max_replicas = 2;
	config.interval_s = 15.0f;
	config.substep_s = 1.0f;
	config.latency_soft_ms = 250.0f;
	config.latency_hard_ms = 500.0f;
	config.peak_rps = peak;
	config.think_s = think_s;
	config.service.retries = retries;
	if (sim_target_new(&config, 5, 0, &sim, &err))
		fail_msg("%s", err.text);
	const Target target = { .namespace_ = "default", .name = "sim", .min_replicas = 2, .max_replicas = 2 };
	Metrics *metrics = sim_target_metrics(sim);
	for (int64_t t = 1; t <= STEPS; t++) {
		Sample sample;
		EnvInfo info;
		assert_int_equal(metrics->ops->fetch(metrics, &target, 1, t * 15000, &sample, &err), 0);
		sim_target_info(sim, &info);
		if (t <= STEPS / 2)
			continue;
		sum.rps += (double) info.rps / (STEPS / 2);
		sum.p95_ms += (double) info.p95_ms / (STEPS / 2);
		sum.slow_hard += (double) info.slow_hard / (STEPS / 2);
	}
	sim_target_free(sim);
	return sum;
}

static void closed_loop_slows_with_the_service(void **state)
{
	(void) state;
	const double capacity = 2.0 * .5 / .02015; /* 49.6 a second */
	for (int level = SIM_FLUID; level <= SIM_REQUEST; level++) {
		Figures calm = settle((SimLevel) level, 20.0, 1.0, 0.0);
		if (fabs(calm.rps / 19.2 - 1.0) > .05) /* 20 users, 1 s of thought and some 40 ms of work */
			fail_msg("20 users make %g requests a second", calm.rps);
		/* 150 users: the pods are full, so the round is 150/49.6 = 3.02 s, of which 1 s is thought */
		Figures full = settle((SimLevel) level, 150.0, 1.0, 0.0);
		if (fabs(full.rps / capacity - 1.0) > .05)
			fail_msg("level %d: 150 users make %g requests a second of a capacity of %g", level, full.rps, capacity);
		if (!(full.p95_ms > 2000.0 && full.p95_ms < 12000.0))
			fail_msg("level %d: 150 users wait %g ms", level, full.p95_ms);
		/* as many requests a second by an open loop fill the pods to the brim */
		Figures open = settle((SimLevel) level, 150.0, 0.0, 0.0);
		assert_true(open.rps > 140.0 && open.slow_hard > .95);
	}
}

static void retries_make_overload_worse(void **state)
{
	(void) state;
	for (int level = SIM_FLUID; level <= SIM_REQUEST; level++) {
		Figures once = settle((SimLevel) level, 75.0, 0.0, 0.0), again = settle((SimLevel) level, 75.0, 0.0, .5);
		assert_true(fabs(once.rps / 75.0 - 1.0) < .05);
		/* a third and more fail or time out, and half of those come again, and so on */
		if (!(again.rps > 95.0 && again.rps < 151.0))
			fail_msg("level %d: %g requests a second with retries", level, again.rps);
		assert_true(fabs(settle((SimLevel) level, 20.0, 0.0, .5).rps / 20.0 - 1.0) < .05); /* nothing fails */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_has_its_peak_at_1_and_nothing_below_0),
		cmocka_unit_test(shapes_are_what_they_say),
		cmocka_unit_test(noise_is_long_range_dependent),
		cmocka_unit_test(stages_are_those_of_k6),
		cmocka_unit_test(errors_name_what_there_is),
		cmocka_unit_test(closed_loop_slows_with_the_service),
		cmocka_unit_test(retries_make_overload_worse),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
