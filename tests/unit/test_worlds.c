/* Domain randomisation: worlds are within their ranges, training leaves the corner out, rows stay their own. */
#include "base/mem.h"
#include "decide/trend.h"
#include "sim/core.h"
#include "tests/fakes/sim_batch.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

enum { WORLDS = 3 };

static SimConfig config_of(int32_t worlds)
{
	SimConfig config;
	sim_config_default(&config);
	config.latency_soft_ms = 250.0f;
	config.start = SIM_START_DEMAND;
	config.max_replicas = 8;
	config.episode_steps = 20;
	config.peak_rps = 60.0;
	config.vary.worlds = worlds;
	config.vary.worlds_seed = 4;
	return config;
}

static bool is_in_corner(const SimConfig *base, const SimConfig *world)
{
	return world->service.service_mean >= 1.4 * base->service.service_mean && world->service.service_cv >= 1.3;
}

static void worlds_are_drawn_from_their_ranges_without_the_corner(void **state)
{
	(void) state;
	SimConfig base = config_of(8), world, again;
	double least = INFINITY, most = 0.0;
	int limited = 0, scrapes = 0;
	for (int32_t k = 0; k < 300; k++) {
		Error err;
		sim_world(&base, k, &world);
		sim_world(&base, k, &again);
		assert_memory_equal(&world.service, &again.service, sizeof world.service);
		double times = world.service.service_mean / base.service.service_mean;
		assert_true(times >= .5 && times <= 2.0);
		assert_true(world.service.service_cv >= .44 && world.service.service_cv <= 2.0);
		assert_true(world.metric_noise <= .1 && world.metric_missing <= .05);
		assert_false(is_in_corner(&base, &world));
		if (service_check(&world.service, &err))
			fail_msg("%s", err.text);
		least = fmin(least, times);
		most = fmax(most, times);
		limited += world.service.cpu_limit > 0.0;
		scrapes += world.service.scrape_interval != base.service.scrape_interval;
	}
	assert_true(least < .55 && most > 1.9);
	assert_true(limited > 180 && limited < 270 && scrapes > 150);
	base.vary.is_corner = true; /* of which the held-out test is made */
	for (int32_t k = 0; k < 50; k++) {
		sim_world(&base, k, &world);
		assert_true(is_in_corner(&base, &world));
	}
}

static void step(Batch *batch, int k, size_t first, size_t count)
{
	for (size_t i = 0; i < batch->env->n; i++)
		batch->buf.action[i] = (k + (int) i) % 3;
	assert_int_equal(batch->env->ops->step(batch->env, first, count, &batch->buf), 0);
}

/* What no table is made for is over the limit indeed. */
static void an_idle_pod_is_no_faster_than_its_least(void **state)
{
	(void) state;
	static const double cv[] = { 0.0, 1.0, 2.0 }, limit[] = { 0.0, .5, .1 };
	double nearest = INFINITY;
	for (int i = 0; i < 9; i++) {
		Service service;
		RequestStats stats;
		service_default(&service);
		service.service_cv = cv[i % 3];
		service.cpu_limit = limit[i / 3];
		assert_int_equal(request_run(&service, .01 * service_cores(&service) / service_demand_s(&service), 20000, 5, 1, &stats), 0);
		double least = world_idle_least_s(&service), over = 0.0, part;
		for (int32_t k = time_bin(least, &part); k < TIME_POINTS; k++)
			over += stats.bin[k] / stats.completed;
		if (over < .045)
			fail_msg("cv %g, L %g: %g of the requests are over %g s", service.service_cv, service.cpu_limit, over, least);
		nearest = fmin(nearest, over);
	}
	assert_true(nearest < .07); /* and it is of some use */
}

static void a_limit_that_no_world_keeps_is_refused_without_tables(void **state)
{
	(void) state;
	SimConfig config = config_of(WORLDS);
	Env *env;
	Error err = { 0 };
	config.peak_rps = 0.0;
	config.latency_soft_ms = 5.0f;
	assert_int_equal(sim_env_new(&config, 2, &env, &err), ERR_INVALID);
	assert_non_null(strstr(err.text, "of 32 services about this one none has an idle p95 under 5 ms"));
	config.min_replicas = 0; /* what is wrong with the settings is told first */
	config.latency_soft_ms = 250.0f;
	assert_int_equal(sim_env_new(&config, 2, &env, &err), ERR_INVALID);
	assert_non_null(strstr(err.text, "replicas 0 to"));
}

static void rows_change_worlds_and_stay_their_own(void **state)
{
	(void) state;
	SimConfig config = config_of(WORLDS);
	Batch few = batch_new(&config, 2), many = batch_new(&config, 5);
	float cores_a_request[8] = { 0 };
	for (int k = 0; k < 160; k++) { /* eight episodes */
		step(&few, k, 0, 2);
		step(&many, k, 3, 2);
		step(&many, k, 0, 3);
		assert_memory_equal(few.buf.obs, many.buf.obs, 2 * OBS_SEED_DIM * sizeof(float));
		assert_memory_equal(few.buf.info, many.buf.info, 2 * sizeof(EnvInfo));
		cores_a_request[k / 20] += few.buf.info[0].cpu_cores / few.buf.info[0].rps / 20.0f;
	}
	float least = INFINITY, most = 0.0f;
	for (int e = 0; e < 8; e++) {
		least = fminf(least, cores_a_request[e]);
		most = fmaxf(most, cores_a_request[e]);
	}
	assert_true(most > 1.1f * least); /* the same row has served requests of unlike size */
	size_t size = few.env->ops->state_size(few.env);
	char *middle = malloc(size), *end = malloc(size), *again = malloc(size);
	assert_true(middle && end && again);
	few.env->ops->snapshot(few.env, middle);
	for (int k = 0; k < 50; k++)
		step(&few, k, 0, 2);
	few.env->ops->snapshot(few.env, end);
	assert_int_equal(few.env->ops->restore(few.env, middle, size), 0);
	for (int k = 0; k < 50; k++)
		step(&few, k, 0, 2);
	few.env->ops->snapshot(few.env, again);
	assert_memory_equal(end, again, size);
	free(middle);
	free(end);
	free(again);
	batch_free(&few);
	batch_free(&many);
}

/* The policy sees pods at any share of their memory limit, and all else is as it was. */
static void the_memory_limit_varies_alone(void **state)
{
	(void) state;
	enum { MEMORY = 11, EPISODES = 40 };
	SimConfig config = config_of(0);
	config.observation = OBS_TREND;
	Batch same = batch_new(&config, 1);
	config.vary.memory_min = .03;
	config.vary.memory_max = .9;
	Batch varied = batch_new(&config, 1);
	float least = INFINITY, most = 0.0f;
	for (int k = 0; k < EPISODES * config.episode_steps; k++) {
		step(&same, k, 0, 1);
		step(&varied, k, 0, 1);
		assert_memory_equal(same.buf.info, varied.buf.info, sizeof(EnvInfo));
		for (int i = 0; i < TREND_DIM; i++)
			if (i != MEMORY)
				assert_true(same.buf.obs[i] == varied.buf.obs[i]);
		least = fminf(least, varied.buf.obs[MEMORY]);
		most = fmaxf(most, varied.buf.obs[MEMORY]);
	}
	assert_true(least >= .03f && least < .05f && most > .7f && most < 1.0f);
	batch_free(&same);
	batch_free(&varied);
}

/* A metric that is not there keeps its last value in the seed's observation, and noise is as large as asked for. */
static void noise_and_gaps_are_as_large_as_asked_for(void **state)
{
	(void) state;
	SimConfig config = config_of(0);
	config.metric_noise = .2;
	Error err;
	SimTarget *clear, *noisy;
	const Target target = { .namespace_ = "default", .name = "sim" };
	if (sim_target_new(&config, 3, 0, &noisy, &err))
		fail_msg("%s", err.text);
	config.metric_noise = 0.0;
	config.metric_missing = .3;
	if (sim_target_new(&config, 3, 0, &clear, &err))
		fail_msg("%s", err.text);
	enum { N = 2000 };
	double sum = 0.0, squares = 0.0;
	int gone = 0, n = 0;
	for (int64_t t = 1; t <= N; t++) {
		Sample a, b;
		Metrics *with = sim_target_metrics(noisy), *without = sim_target_metrics(clear);
		assert_int_equal(with->ops->fetch(with, &target, 1, t * 15000, &a, &err), 0);
		assert_int_equal(without->ops->fetch(without, &target, 1, t * 15000, &b, &err), 0);
		gone += !(b.valid & SAMPLE_RPS);
		if (!(b.valid & SAMPLE_RPS))
			continue;
		double times = a.rps / b.rps;
		sum += times;
		squares += times * times;
		n++;
	}
	double mean = sum / n, deviation = sqrt(squares / n - mean * mean);
	assert_true(fabs(mean - 1.0) < .02 && fabs(deviation - .2) < .02);
	assert_true(fabs(gone / (double) N - .3) < .04);
	sim_target_free(noisy);
	sim_target_free(clear);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(worlds_are_drawn_from_their_ranges_without_the_corner),
		cmocka_unit_test(an_idle_pod_is_no_faster_than_its_least),
		cmocka_unit_test(a_limit_that_no_world_keeps_is_refused_without_tables),
		cmocka_unit_test(rows_change_worlds_and_stay_their_own),
		cmocka_unit_test(the_memory_limit_varies_alone),
		cmocka_unit_test(noise_and_gaps_are_as_large_as_asked_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
