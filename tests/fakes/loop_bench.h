/* A loop over fakes, its clock in the test's hand. */
#ifndef MAESTRO_TESTS_LOOP_BENCH_H
#define MAESTRO_TESTS_LOOP_BENCH_H

#include "control/loop.h"
#include "loop_fakes.h"

typedef struct Bench {
	Clock clock;
	FakeMetrics metrics;
	FakeActuator actuator;
	FakePolicy policy, rule; /* rule: the HPA's, used where config.hpa is set to it */
	FakeSide cluster;     /* used where config.cluster is set to it */
	FakeSink sink;
	PodSample pod;           /* one of the target's, so that the rule has something to go by */
	LoopConfig config;
	Loop *loop;
} Bench;

/* shop/web with 1 to 5 replicas at 15 s, rails on but for the stabilisation. */
Bench *bench_new(int32_t replicas, int32_t action);
void bench_open(Bench *b);
void bench_free(Bench *b);
/* Cluster and rule are there too. */
Bench *bench_new_whole(int32_t replicas, int32_t action);
/* The same, opened. */
Bench *bench_started(int32_t replicas, int32_t action);
/* Ends the test where the last cycle left another state. */
void bench_want_state(Bench *b, TargetState state, Reason reason);
/* One cycle and 15 s; what fake_cycle answered. */
int cycle(Bench *b);
LiveView view_of(Bench *b);

#endif
