/* Nodes and memory: pods that find no room stay Pending, crowded nodes slow their pods, a full memory kills and backs off; on
 * both levels. */
#include "fakes/sim_world.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static const double MIB = 1048576.0;

static void scale(World *world, int32_t replicas)
{
	Error err;
	Actuator *actuator = sim_target_actuator(world->sim);
	const Scale want = { .replicas = replicas };
	if (actuator->ops->set_scale(actuator, &WORLD_TARGET, &want, NULL, &err))
		fail_msg("%s", err.text);
}

static int pending(const World *world)
{
	int n = 0;
	for (size_t i = 0; i < world->sample.n_pods; i++)
		n += world->sample.pods[i].phase == POD_PENDING;
	return n;
}

static void pods_without_room_stay_pending(void **state)
{
	(void) state;
	for (int level = SIM_FLUID; level <= SIM_REQUEST; level++) {
		SimConfig config = world_config((SimLevel) level, 4, .3);
		config.service.nodes = 2.0;
		config.service.node_cpu = 1.6; /* three pods of half a core */
		World world = world_new(&config);
		world_go_to(&world, 10);
		scale(&world, 10);
		world_go_to(&world, 200);
		assert_int_equal(world.info.ready, 6);
		assert_int_equal(world.sample.n_pods, 10);
		assert_int_equal(pending(&world), 4);
		assert_true(world.sample.pods[9].start_age_ms >= 185000 && world.sample.pods[9].start_age_ms <= 191000);
		scale(&world, 9); /* the newest of those that are not ready goes first */
		world_go_to(&world, 220);
		assert_int_equal(world.info.ready, 6);
		assert_int_equal(pending(&world), 3);
		scale(&world, 5);
		world_go_to(&world, 260);
		assert_int_equal(world.info.ready, 5);
		assert_int_equal(pending(&world), 0);
		sim_target_free(world.sim);
	}
}

static void growing_cluster_adds_nodes(void **state)
{
	(void) state;
	SimConfig config = world_config(SIM_FLUID, 4, .3);
	config.service.nodes = 2.0;
	config.service.node_cpu = 1.6;
	config.service.node_add_s = 90.0;
	World world = world_new(&config);
	world_go_to(&world, 10);
	scale(&world, 9);
	world_go_to(&world, 95);
	assert_int_equal(world.info.ready, 6);
	world_go_to(&world, 180);
	assert_int_equal(world.info.ready, 9);
	sim_target_free(world.sim);
}

static double p95_of(const SimConfig *config, double *ret_cpu)
{
	World world = world_new(config);
	double p95 = 0.0;
	*ret_cpu = 0.0;
	world_go_to(&world, 120);
	for (int64_t t = 135; t <= 720; t += 15) {
		world_go_to(&world, t);
		p95 += (double) world.info.p95_ms / 40.0;
		*ret_cpu += (double) world.info.cpu_cores / 40.0;
	}
	sim_target_free(world.sim);
	return p95;
}

/* Three pods without a limit on a node of two cores whose neighbours take one: at a load of .5 each they want 1.5 cores. */
static void crowded_nodes_slow_their_pods(void **state)
{
	(void) state;
	double slow[2], alone[2], cpu;
	for (int level = SIM_FLUID; level <= SIM_REQUEST; level++) {
		SimConfig config = world_config((SimLevel) level, 3, .5);
		config.service.cpu_limit = 0.0;
		config.service.nodes = 1.0;
		config.service.node_cpu = 3.0;
		config.peak_rps = .5 * 3.0 / .02015;
		alone[level] = p95_of(&config, &cpu);
		assert_true(fabs(cpu - 1.5) < .08);
		config.service.neighbour = 1.2; /* 1.8 are left, of which 1.5 are wanted on average, and more at times */
		slow[level] = p95_of(&config, &cpu);
		assert_true(fabs(cpu - 1.5) < .08);
		config.service.neighbour = 1.8; /* 1.2 are left: overload */
		assert_true(p95_of(&config, &cpu) > 10.0 * alone[level]);
		assert_true(cpu < 1.25);
	}
	assert_true(fabs(alone[0] / alone[1] - 1.0) < .1);
	assert_true(slow[1] >= .95 * alone[1]);
}

/* A leak of 1 MiB a request fills 400 MiB in 400 requests, some 30 s at 12 a second; each time it takes longer to come back. */
static void full_memory_kills_and_backs_off(void **state)
{
	(void) state;
	for (int level = SIM_FLUID; level <= SIM_REQUEST; level++) {
		SimConfig config = world_config((SimLevel) level, 1, .5);
		config.max_replicas = 1;
		config.service.mem_leak_bytes = MIB;
		World world = world_new(&config);
		int32_t kills = 0, ready = 0;
		int64_t down_s[4] = { 0 };
		double most = 0.0;
		for (int64_t t = 1; t <= 600 && kills < 4; t++) {
			world_go_to(&world, t);
			assert_true(world.sample.n_pods == 1 && world.sample.replicas == 1);
			if (world.info.oom_kills)
				kills++;
			if (!world.info.ready && kills)
				down_s[kills - 1]++;
			ready += world.info.ready;
			if (world.sample.valid & SAMPLE_MEM)
				most = fmax(most, world.sample.mem_bytes);
		}
		assert_int_equal(kills, 4);
		assert_true(down_s[1] > down_s[0] + 5 && down_s[2] > down_s[1] + 12);
		assert_true(ready > 60);
		assert_true(most > 250.0 * MIB && most <= 512.0 * MIB);
		sim_target_free(world.sim);
	}
}

static void memory_stress_kills_what_it_fills(void **state)
{
	(void) state;
	for (int level = SIM_FLUID; level <= SIM_REQUEST; level++) {
		SimConfig config = world_config((SimLevel) level, 4, .3);
		Error err;
		assert_int_equal(chaos_parse("memory-stress:at=60s,every=0,for=20s,size=300", &config.plan[0], &err), 0);
		assert_int_equal(chaos_parse("memory-stress:at=300s,every=0,for=5s,size=500", &config.plan[1], &err), 0);
		config.n_plans = 2;
		World world = world_new(&config);
		world_go_to(&world, 60);
		world_go_to(&world, 79); /* 96 + 300 MiB fit */
		assert_int_equal(world.info.oom_kills, 0);
		world_go_to(&world, 300);
		world_go_to(&world, 302);
		assert_int_equal(world.info.oom_kills, 4);
		assert_int_equal(world.info.ready, 0);
		world_go_to(&world, 360);
		assert_int_equal(world.info.ready, 4);
		sim_target_free(world.sim);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pods_without_room_stay_pending),
		cmocka_unit_test(growing_cluster_adds_nodes),
		cmocka_unit_test(crowded_nodes_slow_their_pods),
		cmocka_unit_test(full_memory_kills_and_backs_off),
		cmocka_unit_test(memory_stress_kills_what_it_fills),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
