/* Many targets in one fleet, and the promise: no sequence of faults and restarts scales down. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "fakes/loop_bench.h"

#include <stdlib.h>

/* ---- many targets ---- */

static void many_targets_are_one_fetch_and_one_inference(void **state)
{
	(void) state;
	enum { N = 50 };
	Bench *b = bench_new_whole(3, ACTION_UP);
	Loop *loops[N];
	Fleet *fleet;
	Error err = { 0 };
	for (int i = 0; i < N; i++)
		assert_int_equal(loop_new(&b->config, &loops[i], &err), 0);
	assert_int_equal(fleet_new(loops, N, &fleet, &err), 0);
	assert_int_equal(fleet_once(fleet, &err), 0);
	assert_int_equal(b->metrics.fetches, 1);
	assert_int_equal(b->metrics.targets, N);
	assert_int_equal(b->policy.asked, 1);
	assert_int_equal(b->policy.seen, N);
	assert_int_equal(b->rule.asked, N);
	fleet_free(fleet);
	for (int i = 0; i < N; i++)
		loop_free(loops[i]);
	bench_free(b);
}

/* ---- the property at the heart ---- */

typedef struct Trial {
	Rng rng;
	Bench *b;
	int32_t downs, ups, held;
} Trial;

static bool chance(Trial *t, uint32_t one_in)
{
	return rng_below(&t->rng, one_in) == 0;
}

static void shuffle(Trial *t)
{
	Bench *b = t->b;
	Sample *sample = &b->metrics.sample;
	static const int codes[] = { ERR_UNREACHABLE, ERR_TIMEOUT, ERR_UNAUTHORIZED, ERR_FORBIDDEN, ERR_HTTP };
	b->metrics.code = chance(t, 8) ? codes[rng_below(&t->rng, 5)] : 0;
	sample->valid = chance(t, 6) ? rng_below(&t->rng, SAMPLE_ALL + 1) : SAMPLE_ALL;
	sample->stale = SAMPLE_ALL & ~sample->valid & rng_below(&t->rng, SAMPLE_ALL + 1);
	sample->rps = rng_below(&t->rng, 80);
	sample->latency_ms = rng_below(&t->rng, 700);
	sample->cpu_cores = rng_below(&t->rng, 300) / 100.0;
	sample->ready = (int32_t) rng_below(&t->rng, (uint32_t) (b->actuator.replicas > 0 ? b->actuator.replicas : 0) + 1);
	b->policy.code = chance(t, 10) ? ERR_NONFINITE : 0;
	b->policy.action = (int32_t) rng_below(&t->rng, 3);
	b->rule.action = (int32_t) rng_below(&t->rng, 3);
	b->rule.code = chance(t, 6) ? ERR_NO_DATA : 0;
	b->actuator.get_code = chance(t, 20) ? ERR_UNREACHABLE : 0;
	b->actuator.set_code = chance(t, 20) ? ERR_FORBIDDEN : 0;
	b->actuator.lost_code = chance(t, 20) ? ERR_TIMEOUT : 0;
	b->actuator.conflicts = chance(t, 15) ? (int32_t) rng_below(&t->rng, 8) : 0;
	b->actuator.moves_to = chance(t, 2) ? (int32_t) rng_below(&t->rng, 8) : 0;
	if (chance(t, 25))
		b->actuator.replicas = (int32_t) rng_below(&t->rng, 9); /* by hand */
	b->cluster.leads = !chance(t, 30);
	b->cluster.facts.is_paused = chance(t, 20);
	b->cluster.facts.code = chance(t, 30) ? ERR_UNREACHABLE : 0;
	str_copy(b->cluster.facts.owner, sizeof b->cluster.facts.owner, chance(t, 25) ? "HorizontalPodAutoscaler x" : "");
	b->cluster.facts.held_replicas = chance(t, 25) && !b->cluster.facts.code ? (int32_t) rng_below(&t->rng, 9) : -1;
	b->cluster.facts.is_scale_in_paused = chance(t, 10);
}

/* What the policy needs, or the rule beside it. Replicas are read from the scale; without traffic there is no latency. */
static bool has_whole_data(const Bench *b)
{
	const Sample *seen = &b->metrics.sample;
	const uint32_t needed = SAMPLE_CPU | SAMPLE_MEM | SAMPLE_RPS;
	return (seen->valid & needed) == needed && (seen->valid & SAMPLE_LATENCY || (!b->policy.code && seen->rps <= 0));
}

/* One write of a cycle: who may, what it rests on, and where a down may not come from. */
static void assert_kept(Trial *t)
{
	Bench *b = t->b;
	TargetState s = view_of(b).last.decision.state;
	const Sample *seen = &b->metrics.sample;
	int32_t n = b->actuator.written[0], from = b->actuator.from[0];
	assert_int_equal(b->actuator.n_writes, 1);
	assert_true(b->cluster.leads && !b->cluster.facts.owner[0] && !b->cluster.facts.code);
	if (s == STATE_MANUAL || (s == STATE_HOLD && b->cluster.facts.held_replicas >= 0)) {
		assert_int_equal(n, b->cluster.facts.held_replicas); /* a person's number is theirs, past the bounds too, and 0 is zero */
		t->held++;
		return;
	}
	assert_in_range(n, 1, 5);
	assert_false(b->cluster.facts.is_paused); /* over which a number goes */
	assert_int_equal(b->cluster.facts.held_replicas, -1);
	assert_int_equal(b->metrics.code, 0);
	assert_true(s == STATE_ACTIVE || s == STATE_FALLBACK || s == STATE_HOLD); /* hold: the answer was lost */
	if (s == STATE_ACTIVE)
		assert_true(has_whole_data(b));
	if (s == STATE_FALLBACK)
		assert_true(n > from || from > 5);
	assert_true(seen->valid & SAMPLE_CPU);
	if (n < from && from <= 5) {
		assert_true(has_whole_data(b));
		/* replicas are those of the scale, and an idle target has no latency */
		assert_false(seen->stale & ~(uint32_t) (SAMPLE_LATENCY | SAMPLE_REPLICAS));
		assert_false(seen->valid & SAMPLE_LATENCY && seen->latency_ms > 250);
		assert_false(b->cluster.facts.is_scale_in_paused);
		t->downs++;
	}
	t->ups += n > from;
}

static void play_trial(Trial *t, uint64_t seed)
{
	Bench *b = t->b = bench_new_whole(3, ACTION_KEEP);
	rng_init(&t->rng, seed, 0, RNG_CHAOS);
	b->config.target.latency_soft_ms = 250;
	b->config.target.latency_hard_ms = 500;
	bench_open(b);
	for (int i = 0; i < 15000; i++) {
		if (chance(t, 300)) { /* a restart */
			loop_free(b->loop);
			bench_open(b);
		}
		shuffle(t);
		b->actuator.n_writes = 0;
		(void) cycle(b);
		if (b->actuator.n_writes)
			assert_kept(t);
	}
	bench_free(b);
}

static void no_sequence_of_faults_and_restarts_breaks_the_promise(void **state)
{
	(void) state;
	const char *many = getenv("PROMISE_SEEDS");
	uint64_t seeds = many ? strtoull(many, NULL, 10) : 4;
	for (uint64_t seed = 5; seed < 5 + seeds; seed++) {
		Trial t = { 0 };
		play_trial(&t, seed);
		assert_true(t.downs > 20 && t.ups > 200 && t.held > 50);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_targets_are_one_fetch_and_one_inference),
		cmocka_unit_test(no_sequence_of_faults_and_restarts_breaks_the_promise),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
