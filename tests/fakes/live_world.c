/* See live_world.h. */
#include "live_world.h"

#include <stdio.h>
#include <stdlib.h>

/* Linked into programs without cmocka too. */
static void must(bool holds, const char *what)
{
	if (holds)
		return;
	(void) fprintf(stderr, "live world: %s\n", what);
	abort();
}

int live_world_wait(void *arg, int64_t until_ms)
{
	LiveWorld *w = arg;
	w->waits++;
	w->clock.now_ms = until_ms;
	if (w->on_wait)
		w->on_wait(w);
	return w->waits == w->stop_at ? ERR_CLOSED : 0;
}

void live_world_say(void *arg, const char *text)
{
	LiveWorld *w = arg;
	if (w->n_said < LIVE_SAID)
		(void) snprintf(w->said[w->n_said++], sizeof *w->said, "%s", text);
}

static void open_loop(LiveWorld *w, size_t i, ObsKind kind)
{
	Error err = { 0 };
	ObsSpec observation = { kind, 1, 0 };
	ActionSet actions = kind == OBS_SEED ? ACTIONS_THREE : ACTIONS_WIDE; /* as train has it */
	must(!live_policy_new(observation, actions, .3f, &w->policy[i]), "live_policy_new");
	fake_actuator_init(&w->actuator[i], 3);
	LoopConfig config = {
		.target = { .namespace_ = "shop", .min_replicas = 1, .max_replicas = 5, .latency_soft_ms = 250, .latency_hard_ms = 500 },
		.metrics = &w->metrics.metrics, .actuator = &w->actuator[i].actuator, .cluster = &w->side.cluster,
		.policy = w->policy[i], .observation = observation, .clock = &w->clock, .sink = &w->sink.sink,
		.interval_ms = LIVE_STEP_MS, .context = "test",
	};
	(void) snprintf(config.target.name, sizeof config.target.name, "web%zu", i);
	rails_config_default(&config.rails);
	config.rails.stabilise_ms = 0;
	state_config_default(&config.states);
	config.states.fallback_after = 1000000;
	must(!loop_new(&config, &w->loop[i], &err), "loop_new");
}

LiveWorld *live_world_new(size_t n, ObsKind kind)
{
	LiveWorld *w = calloc(1, sizeof *w);
	must(w, "out of memory");
	w->n = n;
	clock_init_fake(&w->clock, 1700000000000);
	fake_metrics_init(&w->metrics);
	fake_side_init(&w->side);
	fake_sink_init(&w->sink);
	for (size_t i = 0; i < n; i++)
		open_loop(w, i, kind);
	Error err = { 0 };
	must(!fleet_new(w->loop, n, &w->fleet, &err), "fleet_new");
	w->config = (LiveEnvConfig) { .loops = w->loop, .n_loops = n, .episode_steps = 200 };
	reward_slo_default(&w->config.slo);
	return w;
}

/* Up to the first observation. */
void live_world_open(LiveWorld *w)
{
	Error err = { 0 };
	EnvSpec spec;
	must(!live_env_new(&w->config, &w->env, &err), "live_env_new");
	live_env_host(w->env, &(LiveHost) { live_world_wait, live_world_say, w });
	w->env->ops->spec(w->env, &spec);
	must(!env_buf_init(&w->buf, w->n, &spec), "env_buf_init");
	must(!w->env->ops->reset(w->env, 1, &w->buf), "reset");
	must(!w->env->ops->look(w->env, &w->buf), "look");
}

void live_world_free(LiveWorld *w)
{
	env_buf_done(&w->buf);
	env_free(w->env);
	fleet_free(w->fleet);
	for (size_t i = 0; i < w->n; i++) {
		loop_free(w->loop[i]);
		policy_free(w->policy[i]);
	}
	free(w);
}

int live_world_step(LiveWorld *w, int32_t action)
{
	for (size_t i = 0; i < w->n; i++)
		w->buf.action[i] = action;
	return w->env->ops->step(w->env, 0, w->n, &w->buf);
}
