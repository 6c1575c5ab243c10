/* The simulator's C interface gives the rows of the Env behind it, and says what is wrong. */
#include "sim/sim.h"
#include "sim/sim_abi.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

enum { N = 3, STEPS = 60 };

static void rows_are_those_of_the_env(void **state)
{
	(void) state;
	SimConfig config;
	EnvSpec spec;
	EnvBuf buf;
	Env *env = NULL;
	MaestroSim *sim = maestro_sim_new();
	assert_non_null(sim);
	sim_config_default(&config);
	config.interval_s = 15.0f;
	config.episode_steps = 25;
	config.latency_soft_ms = 250.0f;
	config.start = SIM_START_RANDOM;
	assert_int_equal(sim_env_new(&config, N, &env, NULL), 0);
	env->ops->spec(env, &spec);
	assert_int_equal(env_buf_init(&buf, N, &spec), 0);
	assert_int_equal(maestro_sim_set(sim, "interval_s", 15), 0);
	assert_int_equal(maestro_sim_set(sim, "episode_steps", 25), 0);
	assert_int_equal(maestro_sim_set(sim, "latency_soft_ms", 250), 0);
	assert_int_equal(maestro_sim_set(sim, "start", SIM_START_RANDOM), 0);
	assert_int_equal(maestro_sim_open(sim, N), 0);
	assert_int_equal(maestro_sim_obs_dim(sim), spec.obs_dim);
	assert_int_equal(maestro_sim_n_actions(sim), spec.n_actions);
	assert_int_equal(env->ops->reset(env, 7, &buf), 0);
	assert_int_equal(maestro_sim_reset(sim, 7), 0);
	size_t obs_bytes = N * (size_t) spec.obs_dim * sizeof(float), ended = 0;
	for (int32_t t = 0; t < STEPS; t++) {
		for (int32_t i = 0; i < N; i++)
			buf.action[i] = (t + i) % 3;
		assert_memory_equal(maestro_sim_obs(sim), buf.obs, obs_bytes);
		assert_memory_equal(maestro_sim_mask(sim), buf.mask, N * (size_t) spec.n_actions);
		assert_int_equal(maestro_sim_step(sim, buf.action), 0);
		assert_int_equal(env->ops->step(env, 0, N, &buf), 0);
		assert_memory_equal(maestro_sim_reward(sim), buf.reward, sizeof(float) * N);
		assert_memory_equal(maestro_sim_terminated(sim), buf.terminated, N);
		assert_memory_equal(maestro_sim_truncated(sim), buf.truncated, N);
		assert_memory_equal(maestro_sim_final_obs(sim), buf.final_obs, obs_bytes);
		ended += buf.truncated[0];
	}
	assert_int_equal(ended, 2);
	env_buf_done(&buf);
	env_free(env);
	maestro_sim_free(sim);
}

static void assert_told(MaestroSim *sim, int code, const char *word)
{
	assert_true(code < 0);
	assert_non_null(strstr(maestro_sim_error(sim), word));
}

static void what_is_wrong_is_told(void **state)
{
	(void) state;
	MaestroSim *sim = maestro_sim_new();
	const int32_t good[1] = { 1 }, bad[1] = { 3 };
	assert_non_null(sim);
	assert_string_equal(maestro_sim_error(sim), "");
	assert_told(sim, maestro_sim_set(sim, "interval", 15), "interval");
	assert_told(sim, maestro_sim_set(sim, "start", 7), "start: 7");
	assert_told(sim, maestro_sim_set(sim, "peak_rps", 1e300), "peak_rps");
	assert_told(sim, maestro_sim_trace(sim, "/nonexistent.csv"), "/nonexistent.csv");
	assert_told(sim, maestro_sim_reset(sim, 1), "not open");
	assert_told(sim, maestro_sim_step(sim, good), "not open");
	assert_told(sim, maestro_sim_open(sim, 0), "no environments");
	assert_int_equal(maestro_sim_set(sim, "interval_s", 7), 0);
	assert_told(sim, maestro_sim_open(sim, 1), "interval"); /* five seconds a sub-step */
	assert_int_equal(maestro_sim_set(sim, "interval_s", 30), 0);
	assert_int_equal(maestro_sim_open(sim, 1), 0);
	assert_told(sim, maestro_sim_set(sim, "interval_s", 30), "open already");
	assert_int_equal(maestro_sim_reset(sim, 1), 0);
	assert_told(sim, maestro_sim_step(sim, bad), "action 3");
	assert_int_equal(maestro_sim_step(sim, good), 0);
	maestro_sim_free(sim);
	maestro_sim_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_those_of_the_env),
		cmocka_unit_test(what_is_wrong_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
