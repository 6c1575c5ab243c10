/*
 * One or two Deployments as a live environment, on a clock that waits for nothing: what happens in the cluster meanwhile is on_wait's.
 */
#ifndef MAESTRO_TESTS_LIVE_WORLD_H
#define MAESTRO_TESTS_LIVE_WORLD_H

#include "control/live_env.h"
#include "loop_fakes.h"

enum { LIVE_TARGETS = 2, LIVE_SAID = 8, LIVE_STEP_MS = 30000 };

typedef struct LiveWorld {
	Clock clock;
	FakeMetrics metrics;
	FakeActuator actuator[LIVE_TARGETS];
	FakeSide side;
	FakeSink sink;
	Policy *policy[LIVE_TARGETS];
	Loop *loop[LIVE_TARGETS];
	Fleet *fleet;
	LiveEnvConfig config;
	Env *env;
	EnvBuf buf;
	size_t n;
	int waits, stop_at;                    /* which wait answers ERR_CLOSED; 0: none */
	void (*on_wait)(struct LiveWorld *world);  /* what happens in the cluster meanwhile */
	int n_said;
	char said[LIVE_SAID][200];
} LiveWorld;

/* n Deployments shop/web0, shop/web1 at three of at most five replicas; config may be changed until it is opened. */
LiveWorld *live_world_new(size_t n, ObsKind kind);
/* Makes the environment, up to its first observation. */
void live_world_open(LiveWorld *w);
void live_world_free(LiveWorld *w);
/* The same action for each of them. */
int live_world_step(LiveWorld *w, int32_t action);

/* Its LiveHost, for an environment that a test makes. */
int live_world_wait(void *arg, int64_t until_ms);
void live_world_say(void *arg, const char *text);

#endif
