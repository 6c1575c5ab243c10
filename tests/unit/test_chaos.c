/* Faults: each does what its name says, on the fluid level and by single requests alike. */
#include "fakes/sim_world.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { PODS = 6, AT_S = 300, INTERVAL_S = 15 };

/* Six pods at a load, and a fault after five minutes. */
static SimConfig config_of(SimLevel level, const char *fault, double load)
{
	SimConfig config = world_config(level, PODS, load);
	Error err;
	if (fault) {
		if (chaos_parse(fault, &config.plan[0], &err))
			fail_msg("%s", err.text);
		config.n_plans = 1;
	}
	return config;
}

static World faulty_world(SimLevel level, const char *fault, double load)
{
	SimConfig config = config_of(level, fault, load);
	return world_new(&config);
}

/* Means of the true figures over [from, to). */
static EnvInfo mean(World *world, int64_t from_s, int64_t to_s)
{
	EnvInfo sum = { 0 };
	float n = (float) (to_s - from_s) / INTERVAL_S;
	world_go_to(world, from_s);
	for (int64_t t = from_s + INTERVAL_S; t <= to_s; t += INTERVAL_S) {
		world_go_to(world, t);
		sum.p95_ms += world->info.p95_ms / n;
		sum.cpu_cores += world->info.cpu_cores / n;
		sum.slow_hard += world->info.slow_hard / n;
	}
	return sum;
}

static void specs_are_read(void **state)
{
	(void) state;
	ChaosPlan plan;
	Error err;
	assert_int_equal(chaos_parse("pod-kill", &plan, &err), 0);
	assert_true(plan.kind == CHAOS_POD_KILL && plan.size == 1.0 && plan.at_s == 600.0 && plan.every_s == 1800.0);
	assert_int_equal(chaos_parse("network-delay:at=2m,every=0,for=90s,size=.25", &plan, &err), 0);
	assert_true(plan.at_s == 120.0 && plan.every_s == 0.0 && plan.for_s == 90.0 && plan.size == .25);
	assert_int_equal(chaos_parse("pod-kil", &plan, &err), ERR_USAGE);
	assert_non_null(strstr(err.text, "there are cpu-stress"));
	const char *const bad[] = { "pod-kill:size", "pod-kill:siz=3", "pod-kill:at=x", "pod-kill:at=-1", "pod-kill:at=5m;for=3" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(chaos_parse(bad[i], &plan, &err), ERR_USAGE);
	for (int k = 0; k < CHAOS_KINDS; k++)
		assert_int_equal(chaos_parse(chaos_name((ChaosKind) k), &plan, &err), 0);
}

typedef struct Effect {
	EnvInfo calm, hit, after;
} Effect;

static Effect effect_of(SimLevel level, const char *fault, double load)
{
	World world = faulty_world(level, fault, load);
	Effect effect;
	effect.calm = mean(&world, 60, AT_S);
	effect.hit = mean(&world, AT_S + 60, AT_S + 240);
	assert_true(world.info.chaos != 0);
	effect.after = mean(&world, AT_S + 600, AT_S + 900);
	assert_true(world.info.chaos == 0);
	sim_target_free(world.sim);
	return effect;
}

static void assert_close(const char *what, double fluid, double request, double tolerance)
{
	if (!(fabs(fluid / request - 1.0) <= tolerance))
		fail_msg("%s: fluid %g, requests %g", what, fluid, request);
}

static void both(const char *fault, double load, double tolerance, Effect ret[2])
{
	for (int level = SIM_FLUID; level <= SIM_REQUEST; level++)
		ret[level] = effect_of((SimLevel) level, fault, load);
	assert_close(fault, (double) ret[0].calm.p95_ms, (double) ret[1].calm.p95_ms, .15);
	assert_close(fault, (double) ret[0].hit.p95_ms, (double) ret[1].hit.p95_ms, tolerance);
	assert_close(fault, (double) ret[0].hit.cpu_cores, (double) ret[1].hit.cpu_cores, .05);
	assert_close(fault, (double) ret[0].after.p95_ms, (double) ret[1].after.p95_ms, .15);
}

static void stress_halves_the_pods_and_shows_as_cpu(void **state)
{
	(void) state;
	Effect e[2];
	both("cpu-stress:at=300s,every=0,for=270s,size=1", .3, .25, e);
	assert_true(e[0].hit.p95_ms > 1.4f * e[0].calm.p95_ms); /* a load of .3 is one of .6 */
	assert_true(fabsf(e[0].calm.cpu_cores - .9f) < .05f); /* .3 of 6 x .5 cores */
	assert_true(fabsf(e[0].hit.cpu_cores - 2.4f) < .1f);  /* and half of the 3 cores beside it */
}

static void neighbour_slows_without_a_trace_in_the_cpu(void **state)
{
	(void) state;
	Effect e[2];
	both("neighbour:at=300s,every=0,for=270s,size=.4", .4, .25, e);
	assert_true(e[0].hit.p95_ms > 1.3f * e[0].calm.p95_ms);
	assert_true(fabsf(e[0].hit.cpu_cores / e[0].calm.cpu_cores - 1.0f) < .05f);
}

static void network_adds_its_delay_to_every_request(void **state)
{
	(void) state;
	Effect e[2];
	both("network-delay:at=300s,every=0,for=270s,size=.4", .3, .1, e);
	for (int level = 0; level < 2; level++) {
		float more = e[level].hit.p95_ms - e[level].calm.p95_ms; /* p95 is read within 500..1000 ms */
		if (!(more > 330.0f && more < 700.0f))
			fail_msg("p95 %g ms more", (double) more);
		assert_true(e[level].after.p95_ms < 1.2f * e[level].calm.p95_ms);
	}
	both("network-loss:at=300s,every=0,for=270s,size=.1", .3, .1, e);
	assert_true(e[0].hit.p95_ms > 1.3f * e[0].calm.p95_ms); /* one in ten takes 200 ms more */
}

static void killed_pods_are_gone_and_replaced(void **state)
{
	(void) state;
	for (int level = SIM_FLUID; level <= SIM_REQUEST; level++) {
		World world = faulty_world((SimLevel) level, "pod-kill:at=300s,every=0,size=2", .5);
		world_go_to(&world, AT_S - 1);
		assert_int_equal(world.info.ready, PODS);
		world_go_to(&world, AT_S + 1);
		assert_int_equal(world.info.ready, PODS - 2);
		assert_int_equal(world.sample.replicas, PODS);
		assert_int_equal(world.sample.n_pods, PODS); /* two of them new */
		assert_true(world.info.chaos == 1u << CHAOS_POD_KILL);
		world_go_to(&world, AT_S + 90);
		assert_int_equal(world.info.ready, PODS);
		/* what the dead have counted still counts */
		assert_true(world.sample.rps > .85 * .5 * PODS * .5 / .02015);
		sim_target_free(world.sim);
		world = faulty_world((SimLevel) level, "all-killed:at=300s,every=0", .5);
		world_go_to(&world, AT_S);
		world_go_to(&world, AT_S + 2);
		assert_int_equal(world.info.ready, 0);
		assert_true(world.info.slow_hard > .99f);
		world_go_to(&world, AT_S + 90);
		assert_int_equal(world.info.ready, PODS);
		sim_target_free(world.sim);
	}
}

static void lost_node_is_missed_late(void **state)
{
	(void) state;
	for (int level = SIM_FLUID; level <= SIM_REQUEST; level++) {
		World world = faulty_world((SimLevel) level, "node-lost:at=300s,every=0,for=60s", .2);
		world_go_to(&world, AT_S);
		world_go_to(&world, AT_S + 2);
		int32_t left = world.info.ready;
		assert_true(left < PODS && left >= 3);
		world_go_to(&world, AT_S + 35); /* still in the endpoints: their part of the requests fails */
		if (fabsf(world.info.slow_hard - (float) (PODS - left) / PODS) > .08f)
			fail_msg("level %d: %g of the requests fail with %d pods left", level, (double) world.info.slow_hard, left);
		world_go_to(&world, AT_S + 42);
		world_go_to(&world, AT_S + 90);
		assert_int_equal(world.info.ready, left); /* not replaced before the toleration is over */
		assert_true(world.info.slow_hard < .1f);
		world_go_to(&world, AT_S + 180);
		assert_int_equal(world.info.ready, PODS);
		sim_target_free(world.sim);
	}
}

static void outage_leaves_values_missing_and_not_zero(void **state)
{
	(void) state;
	for (int level = SIM_FLUID; level <= SIM_REQUEST; level++) {
		World world = faulty_world((SimLevel) level, "metrics-outage:at=300s,every=0,for=420s", .5);
		world_go_to(&world, AT_S);
		assert_int_equal(world.sample.valid, SAMPLE_ALL);
		double rps = world.sample.rps;
		world_go_to(&world, AT_S + 15); /* the window still holds samples */
		assert_true(world.sample.valid & SAMPLE_RPS && world.sample.rps > .55 * rps && world.sample.rps < 1.1 * rps);
		assert_true(world.sample.age_ms[3] > 0);
		world_go_to(&world, AT_S + 120);
		assert_false(world.sample.valid & (SAMPLE_CPU | SAMPLE_RPS | SAMPLE_LATENCY));
		assert_true(world.sample.valid & SAMPLE_MEM); /* looked back for, five minutes */
		assert_true(world.sample.valid & SAMPLE_REPLICAS);
		world_go_to(&world, AT_S + 400);
		assert_false(world.sample.valid & SAMPLE_MEM);
		world_go_to(&world, AT_S + 420 + 90);
		assert_int_equal(world.sample.valid, SAMPLE_ALL);
		assert_true(fabs(world.sample.rps / rps - 1.0) < .2);
		sim_target_free(world.sim);
	}
}

static void refused_writes_change_nothing(void **state)
{
	(void) state;
	World world = faulty_world(SIM_FLUID, "api-refused:at=300s,every=0,for=60s", .3);
	Actuator *actuator = sim_target_actuator(world.sim);
	const Scale want = { .replicas = PODS - 1 };
	Error err;
	world_go_to(&world, AT_S + 2);
	assert_int_equal(actuator->ops->set_scale(actuator, &WORLD_TARGET, &want, NULL, &err), ERR_UNREACHABLE);
	world_go_to(&world, AT_S + 70);
	assert_int_equal(world.sample.replicas, PODS);
	assert_int_equal(actuator->ops->set_scale(actuator, &WORLD_TARGET, &want, NULL, &err), 0);
	sim_target_free(world.sim);
}

static void pods_start_slowly(void **state)
{
	(void) state;
	int64_t took[2] = { 0 };
	for (int slow = 0; slow < 2; slow++) {
		World world = faulty_world(SIM_FLUID, slow ? "slow-start:at=300s,every=0,for=600s,size=5" : NULL, .3);
		Actuator *actuator = sim_target_actuator(world.sim);
		const Scale want = { .replicas = PODS + 4 };
		Error err;
		world_go_to(&world, AT_S + 2);
		assert_int_equal(actuator->ops->set_scale(actuator, &WORLD_TARGET, &want, NULL, &err), 0);
		while (world.info.ready < PODS + 4 && took[slow] < 300)
			world_go_to(&world, AT_S + 2 + ++took[slow]);
		sim_target_free(world.sim);
	}
	assert_true(took[1] < 300 && took[1] > took[0] + 5);
}

/* ---- by chance ---- */

typedef struct Batch {
	Env *env;
	EnvSpec spec;
	EnvBuf buf;
} Batch;

static Batch batch_of(const SimConfig *config, size_t n)
{
	Batch batch;
	Error err;
	if (sim_env_new(config, n, &batch.env, &err))
		fail_msg("%s", err.text);
	batch.env->ops->spec(batch.env, &batch.spec);
	assert_int_equal(env_buf_init(&batch.buf, n, &batch.spec), 0);
	assert_int_equal(batch.env->ops->reset(batch.env, 3, &batch.buf), 0);
	return batch;
}

static Batch batch_new(SimLevel level, size_t n, double rate, int64_t steps)
{
	SimConfig config = config_of(level, NULL, .4);
	config.max_replicas = PODS;
	config.min_replicas = 1;
	config.start = SIM_START_DEMAND;
	config.latency_hard_ms = 0.0f;
	config.episode_steps = 40;
	config.substep_s = 5.0f;
	config.chaos_rate = rate;
	config.chaos_steps = steps;
	return batch_of(&config, n);
}

/* Two rows in training's sub-steps, a fault by plan. */
static Batch planned(const char *fault, double load)
{
	SimConfig config = config_of(SIM_FLUID, fault, load);
	config.episode_steps = 40;
	config.substep_s = 5.0f;
	return batch_of(&config, 2);
}

static void batch_free(Batch *batch)
{
	env_buf_done(&batch->buf);
	env_free(batch->env);
}

static void step(Batch *batch, size_t first, size_t count)
{
	for (size_t i = 0; i < batch->env->n; i++)
		batch->buf.action[i] = ACTION_KEEP;
	assert_int_equal(batch->env->ops->step(batch->env, first, count, &batch->buf), 0);
}

static void chance_is_each_rows_own(void **state)
{
	(void) state;
	for (int level = SIM_FLUID; level <= SIM_REQUEST; level++) {
		Batch few = batch_new((SimLevel) level, 2, .3, 0), many = batch_new((SimLevel) level, 5, .3, 0);
		for (int k = 0; k < 100; k++) {
			step(&few, 0, 2);
			step(&many, 2, 3);
			step(&many, 0, 2);
			assert_memory_equal(few.buf.obs, many.buf.obs, 2 * OBS_SEED_DIM * sizeof(float));
			assert_memory_equal(few.buf.info, many.buf.info, 2 * sizeof(EnvInfo));
		}
		batch_free(&few);
		batch_free(&many);
	}
}

static void training_begins_in_calm(void **state)
{
	(void) state;
	enum { N = 16, STEPS = 1000 };
	Batch batch = batch_new(SIM_FLUID, N, .1, STEPS);
	int faults[10] = { 0 };
	uint32_t seen = 0;
	for (int k = 0; k < STEPS; k++) {
		step(&batch, 0, N);
		for (size_t i = 0; i < N; i++) {
			faults[k / 100] += batch.buf.info[i].chaos != 0;
			seen |= batch.buf.info[i].chaos;
		}
	}
	assert_int_equal(faults[0] + faults[1], 0);
	assert_true(faults[2] > 0 && faults[2] < faults[5] && faults[9] > faults[3]);
	assert_int_equal(seen, (1u << CHAOS_KINDS) - 1u); /* every kind came */
	batch_free(&batch);
}

static void snapshot_holds_the_faults(void **state)
{
	(void) state;
	Batch batch = batch_new(SIM_FLUID, 3, .2, 0);
	size_t size = batch.env->ops->state_size(batch.env);
	char *middle = malloc(size), *end = malloc(size), *again = malloc(size);
	assert_true(middle && end && again);
	for (int k = 0; k < 120; k++) {
		if (k == 50)
			batch.env->ops->snapshot(batch.env, middle);
		step(&batch, 0, 3);
	}
	batch.env->ops->snapshot(batch.env, end);
	assert_int_equal(batch.env->ops->restore(batch.env, middle, size), 0);
	for (int k = 50; k < 120; k++)
		step(&batch, 0, 3);
	batch.env->ops->snapshot(batch.env, again);
	assert_memory_equal(end, again, size);
	free(middle);
	free(end);
	free(again);
	batch_free(&batch);
}

static void assert_alike(const Batch *a, const Batch *b)
{
	size_t n = a->env->n;
	assert_memory_equal(a->buf.obs, b->buf.obs, n * (size_t) a->spec.obs_dim * sizeof(float));
	assert_memory_equal(a->buf.reward, b->buf.reward, n * sizeof(float));
	assert_memory_equal(a->buf.info, b->buf.info, n * sizeof(EnvInfo));
}

/* Starts another life from the state of a, in an environment that has lived through something else. */
static void move_into(const Batch *a, Batch *b)
{
	size_t size = a->env->ops->state_size(a->env);
	void *middle = malloc(size);
	assert_non_null(middle);
	a->env->ops->snapshot(a->env, middle);
	assert_int_equal(b->env->ops->restore(b->env, middle, size), 0);
	free(middle);
}

/* What a row keeps between sub-steps (weather, steady pods, hazards) goes with it, at any point of any fault; a reset leaves none. */
static void restored_and_reset_rows_go_on_as_if_nothing_had_been(void **state)
{
	(void) state;
	static const double loads[] = { .4, .93, 1.2 };
	for (int kind = 0; kind < CHAOS_KINDS; kind++)
		for (size_t load = 0; load < sizeof loads / sizeof *loads; load++) {
			char fault[CHAOS_TEXT];
			(void) snprintf(fault, sizeof fault, "%s:at=90,for=120", chaos_name((ChaosKind) kind));
			Batch through = planned(fault, loads[load]), other = planned(fault, loads[load]);
			for (int k = 0; k < 50; k++) { /* fault in steps 6 to 14; an episode ends after 40 */
				if (k % 5 == 2)
					move_into(&through, &other);
				step(&through, 0, 2);
				step(&other, 0, 2);
				if (k >= 2)
					assert_alike(&through, &other);
				if (k % 5 == 1) /* elsewhere, for a while */
					for (int aside = 0; aside < 3; aside++)
						step(&other, 0, 2);
			}
			Batch fresh = planned(fault, loads[load]);
			assert_int_equal(through.env->ops->reset(through.env, 3, &through.buf), 0);
			for (int k = 0; k < 20; k++) {
				step(&through, 0, 2);
				step(&fresh, 0, 2);
				assert_alike(&through, &fresh);
			}
			batch_free(&fresh);
			batch_free(&other);
			batch_free(&through);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(specs_are_read),
		cmocka_unit_test(stress_halves_the_pods_and_shows_as_cpu),
		cmocka_unit_test(neighbour_slows_without_a_trace_in_the_cpu),
		cmocka_unit_test(network_adds_its_delay_to_every_request),
		cmocka_unit_test(killed_pods_are_gone_and_replaced),
		cmocka_unit_test(lost_node_is_missed_late),
		cmocka_unit_test(outage_leaves_values_missing_and_not_zero),
		cmocka_unit_test(refused_writes_change_nothing),
		cmocka_unit_test(pods_start_slowly),
		cmocka_unit_test(chance_is_each_rows_own),
		cmocka_unit_test(training_begins_in_calm),
		cmocka_unit_test(snapshot_holds_the_faults),
		cmocka_unit_test(restored_and_reset_rows_go_on_as_if_nothing_had_been),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
