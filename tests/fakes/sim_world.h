/* One simulated Deployment as a control loop sees it, by its true figures too. For cmocka tests. */
#ifndef MAESTRO_TESTS_FAKES_SIM_WORLD_H
#define MAESTRO_TESTS_FAKES_SIM_WORLD_H

#include "sim/sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { WORLD_MOST = 12 }; /* replicas */
static const Target WORLD_TARGET = { .namespace_ = "default", .name = "sim", .min_replicas = 1, .max_replicas = WORLD_MOST };

typedef struct World {
	SimTarget *sim;
	Sample sample;
	EnvInfo info;
} World;

/* So many pods at a load, in sub-steps of a second; no more than WORLD_MOST. */
static inline SimConfig world_config(SimLevel level, int32_t pods, double load)
{
	SimConfig config;
	sim_config_default(&config);
	config.level = level;
	config.min_replicas = pods;
	config.max_replicas = WORLD_MOST;
	config.start = SIM_START_ONE; /* the least */
	config.interval_s = 15.0f;
	config.substep_s = 1.0f;
	config.latency_soft_ms = 250.0f;
	config.latency_hard_ms = 500.0f;
	config.peak_rps = load * pods * .5 / .02015;
	return config;
}

static inline World world_new(const SimConfig *config)
{
	World world = { 0 };
	Error err;
	if (sim_target_new(config, 5, 0, &world.sim, &err))
		fail_msg("%s", err.text);
	return world;
}

/* What its metrics and its true figures are at t_s. */
static inline void world_go_to(World *world, int64_t t_s)
{
	Error err;
	Metrics *metrics = sim_target_metrics(world->sim);
	if (metrics->ops->fetch(metrics, &WORLD_TARGET, 1, 1000 * t_s, &world->sample, &err))
		fail_msg("%s", err.text);
	sim_target_info(world->sim, &world->info);
}

#endif
