/* The request level of a whole service: the same service as the fluid level, in every figure that an agent sees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/sim.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PODS = 6, WARM = 20, STEPS = 240 };

typedef struct Figures {
	double p95_ms, cpu_cores, rps, slow_soft;
} Figures;

static SimConfig world(SimLevel level, SimBalance balance, double rps)
{
	SimConfig config;
	sim_config_default(&config);
	config.level = level;
	config.balance = balance;
	config.peak_rps = rps;
	config.interval_s = 15;
	config.latency_soft_ms = 250;
	config.latency_hard_ms = 500;
	config.min_replicas = PODS;
	config.start = SIM_START_ONE; /* the least allowed */
	return config;
}

/* Means over an hour at a constant rate and a constant number of pods. */
static Figures settle(SimLevel level, SimBalance balance, double rps)
{
	SimConfig config = world(level, balance, rps);
	Error err = { 0 };
	SimTarget *sim = NULL;
	if (sim_target_new(&config, 3, 0, &sim, &err))
		fail_msg("%s", err.text);
	Target target = { .namespace_ = "default", .name = "sim", .min_replicas = PODS, .max_replicas = 15 };
	Metrics *metrics = sim_target_metrics(sim);
	Figures sum = { 0 };
	for (int64_t t = 0; t < WARM + STEPS; t++) {
		Sample sample;
		EnvInfo info;
		assert_int_equal(metrics->ops->fetch(metrics, &target, 1, t * 15000, &sample, &err), 0);
		if (t < WARM)
			continue;
		sim_target_info(sim, &info);
		assert_int_equal(info.ready, PODS);
		sum.p95_ms += (double) info.p95_ms / STEPS;
		sum.cpu_cores += (double) info.cpu_cores / STEPS;
		sum.rps += (double) info.rps / STEPS;
		sum.slow_soft += (double) info.slow_soft / STEPS;
	}
	sim_target_free(sim);
	return sum;
}

static void both_levels_are_the_same_service(void **state)
{
	(void) state;
	static const double loads_rps[] = { 20, 60, 84 }; /* of the 84 that six pods carry at 250 ms */
	for (size_t i = 0; i < sizeof loads_rps / sizeof *loads_rps; i++) {
		Figures fluid = settle(SIM_FLUID, SIM_RANDOM, loads_rps[i]);
		Figures request = settle(SIM_REQUEST, SIM_RANDOM, loads_rps[i]);
		print_message("%g/s: p95 %.1f and %.1f ms, cpu %.3f and %.3f cores, over soft %.4f and %.4f\n", loads_rps[i], fluid.p95_ms,
		              request.p95_ms, fluid.cpu_cores, request.cpu_cores, fluid.slow_soft, request.slow_soft);
		assert_true(fabs(fluid.p95_ms / request.p95_ms - 1) < .1);
		assert_true(fabs(fluid.cpu_cores / request.cpu_cores - 1) < .02);
		assert_true(fabs(fluid.slow_soft - request.slow_soft) < .01);
	}
}

/* Queueing theory: the better the requests are spread, the shorter the tail. */
static void better_balancing_shortens_the_tail(void **state)
{
	(void) state;
	double random = settle(SIM_REQUEST, SIM_RANDOM, 70).p95_ms;
	double round_robin = settle(SIM_REQUEST, SIM_ROUND_ROBIN, 70).p95_ms;
	double least = settle(SIM_REQUEST, SIM_LEAST, 70).p95_ms;
	print_message("p95 at 70/s: random %.1f, round robin %.1f, least of two %.1f ms\n", random, round_robin, least);
	assert_true(round_robin < random);
	assert_true(least < random);
}

/* Mean p95 over [from, to) after four pods more were asked for at 0. */
static double p95_after(double conn_life, int64_t from_s, int64_t to_s)
{
	SimConfig config = world(SIM_REQUEST, SIM_RANDOM, 60);
	config.substep_s = 1;
	config.interval_s = 5;
	config.service.keepalive_conns = conn_life > 0 ? 400 : 0;
	config.service.conn_life = conn_life > 0 ? conn_life : 60;
	Error err = { 0 };
	SimTarget *sim = NULL;
	if (sim_target_new(&config, 3, 0, &sim, &err))
		fail_msg("%s", err.text);
	Target target = { .namespace_ = "default", .name = "sim", .min_replicas = PODS, .max_replicas = 15 };
	Metrics *metrics = sim_target_metrics(sim);
	Actuator *actuator = sim_target_actuator(sim);
	double p95 = 0;
	for (int64_t t = 0; t < to_s; t += 5) {
		Sample sample;
		EnvInfo info;
		assert_int_equal(metrics->ops->fetch(metrics, &target, 1, t * 1000, &sample, &err), 0);
		if (!t)
			assert_int_equal(actuator->ops->set_scale(actuator, &target, &(Scale) { .replicas = PODS + 4 }, NULL, &err), 0);
		sim_target_info(sim, &info);
		if (t >= from_s)
			p95 += (double) info.p95_ms * 5 / (double) (to_s - from_s);
	}
	sim_target_free(sim);
	return p95;
}

static void pinned_connections_find_new_pods_late(void **state)
{
	(void) state;
	double free = p95_after(0, 60, 300), pinned = p95_after(1000, 60, 300), renewed = p95_after(10, 120, 300);
	print_message("p95 after four pods more: each request balanced %.1f, connections of 1000 s %.1f, of 10 s %.1f ms\n", free, pinned,
	              renewed);
	assert_true(pinned > 1.2 * free);
	assert_true(renewed < .6 * (pinned + free));
}

static void fluid_level_refuses_other_balancing(void **state)
{
	(void) state;
	SimConfig config = world(SIM_FLUID, SIM_LEAST, 20);
	Error err = { 0 };
	Env *env = NULL;
	assert_int_equal(sim_env_new(&config, 1, &env, &err), ERR_INVALID);
	assert_non_null(strstr(err.text, "request level"));
}

static void run(Env *env, EnvBuf *buf, size_t first, size_t count, int steps)
{
	for (int t = 0; t < steps; t++) {
		for (size_t i = first; i < first + count; i++)
			buf->action[i] = (t + (int) i) % 3;
		assert_int_equal(env->ops->step(env, first, count, buf), 0);
	}
}

static void restored_environment_goes_on_to_the_same_bytes(void **state)
{
	(void) state;
	SimConfig config = world(SIM_REQUEST, SIM_RANDOM, 60);
	config.min_replicas = 1;
	config.start = SIM_START_RANDOM;
	Error err = { 0 };
	Env *env = NULL;
	EnvBuf buf;
	EnvSpec spec;
	if (sim_env_new(&config, 4, &env, &err))
		fail_msg("%s", err.text);
	env->ops->spec(env, &spec);
	assert_int_equal(env_buf_init(&buf, 4, &spec), 0);
	assert_int_equal(env->ops->reset(env, 9, &buf), 0);
	run(env, &buf, 0, 4, 100);
	size_t size = env->ops->state_size(env), floats = 4 * (size_t) spec.obs_dim;
	char *at = malloc(size);
	float *after = malloc(floats * sizeof *after);
	assert_non_null(at);
	assert_non_null(after);
	env->ops->snapshot(env, at);
	run(env, &buf, 0, 4, 60);
	memcpy(after, buf.obs, floats * sizeof *after);
	assert_int_equal(env->ops->restore(env, at, size), 0);
	run(env, &buf, 2, 2, 60); /* and in another order of rows */
	run(env, &buf, 0, 2, 60);
	assert_memory_equal(after, buf.obs, floats * sizeof *after);
	free(at);
	free(after);
	env_buf_done(&buf);
	env_free(env);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_levels_are_the_same_service),
		cmocka_unit_test(better_balancing_shortens_the_tail),
		cmocka_unit_test(pinned_connections_find_new_pods_late),
		cmocka_unit_test(fluid_level_refuses_other_balancing),
		cmocka_unit_test(restored_environment_goes_on_to_the_same_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
