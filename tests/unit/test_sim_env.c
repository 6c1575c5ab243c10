/* The batch of simulated environments: what a trainer relies on. */
#include "sim/sim.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void check(int code, const Error *err)
{
	if (code)
		fail_msg("%s", err->text);
}

static SimConfig config_of(int32_t max_replicas)
{
	SimConfig config;
	sim_config_default(&config);
	config.max_replicas = max_replicas;
	config.latency_soft_ms = 250.0f;
	config.latency_hard_ms = 500.0f;
	config.episode_steps = 40;
	return config;
}

typedef struct Batch {
	Env *env;
	EnvSpec spec;
	EnvBuf buf;
} Batch;

static Batch batch_new(const SimConfig *config, size_t n, uint64_t seed)
{
	Batch batch;
	Error err;
	check(sim_env_new(config, n, &batch.env, &err), &err);
	batch.env->ops->spec(batch.env, &batch.spec);
	assert_int_equal(env_buf_init(&batch.buf, n, &batch.spec), 0);
	assert_int_equal(batch.env->ops->reset(batch.env, seed, &batch.buf), 0);
	return batch;
}

static void batch_free(Batch *batch)
{
	env_buf_done(&batch->buf);
	env_free(batch->env);
}

static void step(Batch *batch, size_t first, size_t count)
{
	assert_int_equal(batch->env->ops->step(batch->env, first, count, &batch->buf), 0);
}

/* Actions that depend on step and row alone: mostly keep, now and then up or down. */
static void set_actions(Batch *batch, int k)
{
	for (size_t i = 0; i < batch->env->n; i++) {
		uint32_t mix = ((uint32_t) k * 2654435761u) ^ ((uint32_t) i * 40503u);
		batch->buf.action[i] = (mix >> 13) % 4 == 0 ? ACTION_UP : (mix >> 13) % 4 == 1 ? ACTION_DOWN : ACTION_KEEP;
	}
}

static Trace load_trace(void)
{
	Trace trace;
	Error err;
	check(trace_load("engine/sim/traces/wc98_opening_week.csv", &trace, &err), &err);
	return trace;
}

static void rows_do_not_depend_on_their_number_or_on_the_ranges_stepped(void **state)
{
	(void) state;
	Trace trace = load_trace();
	SimConfig config = config_of(15);
	config.trace = &trace;
	config.random_start = true;
	config.start = SIM_START_RANDOM;
	Batch few = batch_new(&config, 3, 11), many = batch_new(&config, 7, 11);
	for (int k = 0; k < 100; k++) { /* over the ends of two episodes */
		set_actions(&few, k);
		set_actions(&many, k);
		step(&few, 0, 3);
		step(&many, 4, 3);
		step(&many, 0, 1);
		step(&many, 1, 3);
		assert_memory_equal(few.buf.obs, many.buf.obs, 3 * OBS_SEED_DIM * sizeof(float));
		assert_memory_equal(few.buf.reward, many.buf.reward, 3 * sizeof(float));
		assert_memory_equal(few.buf.info, many.buf.info, 3 * sizeof(EnvInfo));
	}
	assert_memory_not_equal(many.buf.obs, many.buf.obs + OBS_SEED_DIM, OBS_SEED_DIM * sizeof(float));
	batch_free(&few);
	batch_free(&many);
	trace_done(&trace);
}

static void snapshot_resumes_to_the_same_bytes(void **state)
{
	(void) state;
	SimConfig config = config_of(10);
	config.start = SIM_START_DEMAND;
	Batch batch = batch_new(&config, 2, 3);
	size_t size = batch.env->ops->state_size(batch.env);
	unsigned char *middle = malloc(size), *end = malloc(size), *again = malloc(size);
	assert_true(middle && end && again);
	for (int k = 0; k < 1000; k++) {
		if (k == 500)
			batch.env->ops->snapshot(batch.env, middle);
		set_actions(&batch, k);
		step(&batch, 0, 2);
	}
	batch.env->ops->snapshot(batch.env, end);
	assert_int_equal(batch.env->ops->restore(batch.env, middle, size), 0);
	for (int k = 500; k < 1000; k++) {
		set_actions(&batch, k);
		step(&batch, 0, 2);
	}
	batch.env->ops->snapshot(batch.env, again);
	assert_memory_equal(end, again, size);
	config.peak_rps = 10.0;
	Batch other = batch_new(&config, 2, 3);
	assert_int_equal(other.env->ops->restore(other.env, middle, size), ERR_INVALID);
	assert_int_equal(batch.env->ops->restore(batch.env, middle, size - 1), ERR_INVALID);
	free(middle);
	free(end);
	free(again);
	batch_free(&other);
	batch_free(&batch);
}

static void traffic_is_the_same_whatever_the_replicas_do(void **state)
{
	(void) state;
	Trace trace = load_trace();
	SimConfig config = config_of(12);
	config.latency_hard_ms = 0.0f; /* nothing ends early */
	config.trace = &trace;
	config.start = SIM_START_DEMAND;
	Batch up = batch_new(&config, 2, 5), down = batch_new(&config, 2, 5);
	for (int k = 0; k < 60; k++) {
		for (size_t i = 0; i < 2; i++) {
			up.buf.action[i] = ACTION_UP;
			down.buf.action[i] = ACTION_DOWN;
		}
		step(&up, 0, 2);
		step(&down, 0, 2);
		for (size_t i = 0; i < 2; i++)
			assert_true(up.buf.info[i].rps == down.buf.info[i].rps);
	}
	batch_free(&up);
	batch_free(&down);
	trace_done(&trace);
}

/* Beside the same environment without: the rest of the observation, the reward and the traffic are the same. */
static void hints_are_the_traffic_that_then_comes_and_change_nothing_else(void **state)
{
	(void) state;
	enum { NEXT = 1, AFTER = 3 }; /* of the hints: in one interval, in two */
	Trace trace = load_trace();
	SimConfig config = config_of(15);
	config.trace = &trace;
	config.random_start = true;
	config.start = SIM_START_DEMAND;
	Batch plain = batch_new(&config, 1, 5);
	config.has_hints = true;
	Batch told = batch_new(&config, 1, 5);
	const float *hint = told.buf.obs + OBS_SEED_DIM;
	double unit = sim_capacity_rps(&config.service, 1, 250.0);
	assert_int_equal(plain.spec.hint_dim, 0);
	assert_int_equal(told.spec.obs_dim, plain.spec.obs_dim + told.spec.hint_dim);
	for (int k = 0; k < 39; k++) {
		float next = hint[NEXT], after = hint[AFTER];
		plain.buf.action[0] = told.buf.action[0] = ACTION_KEEP;
		step(&plain, 0, 1);
		step(&told, 0, 1);
		assert_memory_equal(told.buf.obs, plain.buf.obs, OBS_SEED_DIM * sizeof(float));
		assert_memory_equal(told.buf.reward, plain.buf.reward, sizeof(float));
		const EnvInfo *info = told.buf.info;
		double at_end = (double) next * unit * info->replicas;
		assert_true(fabs((double) (hint[NEXT] - after)) < 1e-5);
		assert_true(fabs(at_end - (double) info->rps) < .15 * (double) info->rps + 8.0);
	}
	batch_free(&plain);
	batch_free(&told);
	trace_done(&trace);
}

static void first_observation_is_that_of_a_running_service(void **state)
{
	(void) state;
	SimConfig config = config_of(10);
	config.start = SIM_START_DEMAND;
	Batch batch = batch_new(&config, 1, 9);
	const float *obs = batch.buf.obs;
	double peak = .8 * 10 * sim_capacity_rps(&config.service, 1, 250.0);
	assert_true(fabs((double) obs[4] / peak - 1.0) < .1); /* rps */
	/* the demand of that traffic: a request is service_mean + service_overhead of CPU; cAdvisor's samples are up to 30 s
	 * old, and what rate() cannot extrapolate to is missing */
	assert_true(fabs((double) obs[0] / (100.0 * peak * .02015) - .95) < .15);
	assert_true(obs[2] == 8.0f);
	assert_true(obs[1] > 96.0f / 512.0f && obs[1] < .3f);
	assert_true(obs[3] > 100.0f && obs[3] < 500.0f);
	batch_free(&batch);
}

static void episode_ends_at_its_length_with_its_last_observation_kept(void **state)
{
	(void) state;
	SimConfig config = config_of(10);
	config.latency_hard_ms = 0.0f;
	config.start = SIM_START_DEMAND;
	Batch batch = batch_new(&config, 1, 9);
	float first_rps = batch.buf.obs[4];
	for (int k = 1; k <= 40; k++) {
		batch.buf.action[0] = k < 3 ? ACTION_UP : ACTION_KEEP;
		step(&batch, 0, 1);
		assert_int_equal(batch.buf.truncated[0], k == 40);
		assert_int_equal(batch.buf.terminated[0], 0);
	}
	assert_true(batch.buf.final_obs[2] == 10.0f);
	assert_true(batch.buf.obs[2] == 8.0f);
	assert_true(batch.buf.obs[4] != first_rps); /* each episode has its own chance */
	/* limits off: the thesis's reward is .3 (max - n)/max */
	assert_true(fabs((double) batch.buf.reward[0]) < 1e-6);
	batch_free(&batch);
}

static void bounds_are_masked_or_end_the_episode(void **state)
{
	(void) state;
	SimConfig config = config_of(2);
	config.latency_hard_ms = 0.0f;
	config.start = SIM_START_ONE;
	config.peak_rps = 5.0;
	Batch batch = batch_new(&config, 1, 1);
	assert_int_equal(batch.buf.mask[ACTION_DOWN], 0);
	assert_int_equal(batch.buf.mask[ACTION_UP], 1);
	batch.buf.action[0] = ACTION_DOWN;
	step(&batch, 0, 1);
	assert_true(batch.buf.obs[2] == 1.0f && !batch.buf.terminated[0]);
	batch_free(&batch);
	config.terminate_at_bounds = true;
	batch = batch_new(&config, 1, 1);
	assert_int_equal(batch.buf.mask[ACTION_DOWN], 1);
	batch.buf.action[0] = ACTION_DOWN;
	step(&batch, 0, 1);
	assert_true(batch.buf.terminated[0] && batch.buf.reward[0] == -1.0f);
	batch_free(&batch);
}

/* Pods that take a fifth over what they can: the p95 climbs, the episode ends at the hard limit. */
static void overload_ends_the_episode_at_the_hard_limit(void **state)
{
	(void) state;
	SimConfig config = config_of(4);
	config.min_replicas = config.max_replicas;
	config.peak_rps = 4 * 1.2 * .5 / .02015;
	config.start = SIM_START_ONE;
	Batch batch = batch_new(&config, 1, 1);
	step(&batch, 0, 1);
	assert_true(batch.buf.terminated[0]);
	assert_true(batch.buf.final_obs[3] > 500.0f);
	assert_true(fabs((double) batch.buf.reward[0] + .7) < 1e-6); /* .3 x 0 - .7 */
	batch_free(&batch);
}

static void capacity_grows_with_pods_and_latency(void **state)
{
	(void) state;
	Service service;
	service_default(&service);
	double one = sim_capacity_rps(&service, 1, 250.0);
	assert_true(one > 10.0 && one < .5 / .02015);
	assert_true(fabs(sim_capacity_rps(&service, 8, 250.0) / one - 8.0) < 1e-9);
	assert_true(sim_capacity_rps(&service, 1, 500.0) > one);
	assert_true(sim_capacity_rps(&service, 1, 1.0) == 0.0);
}

/* What a person changes is part of the state: from a snapshot it goes on the same, and it does something. */
static void traffic_and_faults_are_part_of_the_snapshot(void **state)
{
	(void) state;
	Error err;
	ChaosPlan fault;
	SimConfig config = config_of(10);
	config.takes_faults = true;
	Batch a = batch_new(&config, 4, 7), b = batch_new(&config, 4, 7), calm = batch_new(&config, 4, 7);
	assert_int_equal(chaos_parse("cpu-stress:for=600,size=1", &fault, &err), 0);
	for (int k = 0; k < 100; k++) {
		if (k == 10) {
			assert_int_equal(sim_env_set_traffic(a.env, 1.7, -1), 0);
			assert_int_equal(sim_env_fault(a.env, &fault), 0);
		}
		if (k == 11)
			assert_true(a.buf.info[0].chaos == 1u << CHAOS_CPU_STRESS && !calm.buf.info[0].chaos);
		if (k == 15) {
			assert_true(a.buf.info[0].rps > 1.4f * calm.buf.info[0].rps);
			void *bytes = malloc(a.env->ops->state_size(a.env));
			a.env->ops->snapshot(a.env, bytes);
			assert_int_equal(b.env->ops->restore(b.env, bytes, b.env->ops->state_size(b.env)), 0);
			free(bytes);
		}
		if (k == 60)
			assert_int_equal(sim_env_fault(a.env, NULL) | sim_env_fault(b.env, NULL), 0);
		set_actions(&a, k);
		set_actions(&b, k);
		set_actions(&calm, k);
		step(&a, 0, 4);
		step(&calm, 0, 4);
		if (k < 15)
			continue;
		step(&b, 0, 4);
		assert_memory_equal(a.buf.obs, b.buf.obs, 4 * (size_t) a.spec.obs_dim * sizeof *a.buf.obs);
		assert_memory_equal(a.buf.reward, b.buf.reward, 4 * sizeof *a.buf.reward);
	}
	assert_int_equal(sim_env_set_traffic(a.env, 0.0, -1), ERR_INVALID);
	assert_int_equal(sim_env_set_traffic(a.env, 1.0, 3), ERR_INVALID);
	batch_free(&a);
	batch_free(&b);
	batch_free(&calm);
}

static void an_environment_is_less_than_a_page(void **state)
{
	(void) state;
	SimConfig config;
	sim_config_default(&config);
	Batch batch = batch_new(&config, 1, 1);
	size_t size = batch.env->ops->state_size(batch.env);
	if (size >= 4096)
		fail_msg("%zu bytes", size);
	batch_free(&batch);
}

static void bad_settings_are_named(void **state)
{
	(void) state;
	Error err;
	Env *env = NULL;
	SimConfig config = config_of(10);
	config.substep_s = 7.0f;
	assert_int_equal(sim_env_new(&config, 1, &env, &err), ERR_INVALID);
	assert_non_null(strstr(err.text, "substep"));
	config = config_of(10);
	config.min_replicas = 0;
	assert_int_equal(sim_env_new(&config, 1, &env, &err), ERR_INVALID);
	assert_non_null(strstr(err.text, "replicas"));
	config = config_of(10);
	config.service.cfs_period = 0.0;
	assert_int_equal(sim_env_new(&config, 1, &env, &err), ERR_INVALID);
	assert_non_null(strstr(err.text, "cfs_period"));
	config = config_of(10);
	config.latency_soft_ms = 2.0f;
	assert_int_equal(sim_env_new(&config, 1, &env, &err), ERR_INVALID);
	assert_non_null(strstr(err.text, "soft"));
	assert_null(env);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_do_not_depend_on_their_number_or_on_the_ranges_stepped),
		cmocka_unit_test(snapshot_resumes_to_the_same_bytes),
		cmocka_unit_test(traffic_is_the_same_whatever_the_replicas_do),
		cmocka_unit_test(hints_are_the_traffic_that_then_comes_and_change_nothing_else),
		cmocka_unit_test(first_observation_is_that_of_a_running_service),
		cmocka_unit_test(episode_ends_at_its_length_with_its_last_observation_kept),
		cmocka_unit_test(bounds_are_masked_or_end_the_episode),
		cmocka_unit_test(overload_ends_the_episode_at_the_hard_limit),
		cmocka_unit_test(capacity_grows_with_pods_and_latency),
		cmocka_unit_test(traffic_and_faults_are_part_of_the_snapshot),
		cmocka_unit_test(an_environment_is_less_than_a_page),
		cmocka_unit_test(bad_settings_are_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
