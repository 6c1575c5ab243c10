/* See loop_bench.h. */
#include "loop_bench.h"

#include <stdio.h>
#include <stdlib.h>

Bench *bench_new(int32_t replicas, int32_t action)
{
	Bench *b = calloc(1, sizeof *b);
	if (!b)
		abort();
	clock_init_fake(&b->clock, 1700000000000);
	fake_metrics_init(&b->metrics);
	fake_actuator_init(&b->actuator, replicas);
	fake_policy_init(&b->policy, action);
	fake_policy_init(&b->rule, ACTION_KEEP);
	fake_side_init(&b->cluster);
	fake_sink_init(&b->sink);
	b->actuator.sink = &b->sink;
	b->config = (LoopConfig) {
		.target = { .namespace_ = "shop", .name = "web", .min_replicas = 1, .max_replicas = 5 },
		.metrics = &b->metrics.metrics,
		.actuator = &b->actuator.actuator,
		.policy = &b->policy.policy,
		.observation = { OBS_SEED, 1, 0 },
		.clock = &b->clock,
		.sink = &b->sink.sink,
		.interval_ms = 15000,
		.context = "test",
	};
	rails_config_default(&b->config.rails);
	b->config.rails.stabilise_ms = 0;
	return b;
}

Bench *bench_new_whole(int32_t replicas, int32_t action)
{
	Bench *b = bench_new(replicas, action);
	b->config.hpa = &b->rule.policy;
	b->config.cluster = &b->cluster.cluster;
	b->metrics.sample.pods = &b->pod;
	b->metrics.sample.n_pods = 1;
	return b;
}

void bench_open(Bench *b)
{
	Error err = { 0 };
	if (loop_new(&b->config, &b->loop, &err)) {
		(void) fprintf(stderr, "loop_new: %s\n", err.text);
		abort();
	}
}

Bench *bench_started(int32_t replicas, int32_t action)
{
	Bench *b = bench_new_whole(replicas, action);
	bench_open(b);
	return b;
}

void bench_want_state(Bench *b, TargetState state, Reason reason)
{
	LiveView view = view_of(b);
	if (view.state == state && view.state_reason == reason)
		return;
	(void) fprintf(stderr, "%s %s (%s), want %s %s\n", state_text(view.state), reason_text(view.state_reason), view.state_detail,
	               state_text(state), reason_text(reason));
	abort();
}

void bench_free(Bench *b)
{
	loop_free(b->loop);
	free(b);
}

int cycle(Bench *b)
{
	Error err = { 0 };
	int code = fake_cycle(b->loop, &err);
	b->clock.now_ms += 15000;
	return code;
}

LiveView view_of(Bench *b)
{
	const LiveView *view = snap_acquire(loop_views(b->loop));
	LiveView copy = *view;
	snap_release(view);
	return copy;
}
