/* Guard rails: tables of named cases, each rail by itself, and what must hold for any sequence. */
#include "decide/rails.h"

#include "base/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static const int64_t S = 1000, MIN = 60000;

typedef struct Bench {
	RailsConfig config;
	RailsHistory history;
	Target target;
	Sample sample;
	RailsInput in;
} Bench;

/* Five pods ready, no limits, a load that four can carry; nothing remembered. */
static Bench *bench(int32_t current, int32_t raw)
{
	static Bench b;
	b = (Bench) { 0 };
	rails_config_default(&b.config);
	b.config.stabilise_ms = 0;
	b.target = (Target) { .min_replicas = 1, .max_replicas = 10, .latency_soft_ms = 250, .latency_hard_ms = 500 };
	b.sample = (Sample) {
		.valid = SAMPLE_ALL, .cpu_cores = .5, .latency_ms = 100, .rps = 50, .replicas = current, .ready = current,
		.cpu_request_cores = .5,
	};
	b.history = (RailsHistory) { .rps_now = 50, .rps_at_up = NAN };
	b.in = (RailsInput) {
		.config = &b.config, .history = &b.history, .target = &b.target, .sample = &b.sample, .now_ms = 1000 * MIN,
		.current = current, .raw = raw, .hpa = -1, .is_three_action = true,
	};
	return &b;
}

static RailsOutcome pass(const Bench *b)
{
	RailsOutcome outcome;
	rails_apply(&b->in, &outcome);
	return outcome;
}

static void want(const Bench *b, int32_t desired, uint32_t guards)
{
	RailsOutcome got = pass(b);
	if (got.desired != desired || got.guards != guards)
		fail_msg("%d with guards %#x, want %d with %#x", got.desired, got.guards, desired, guards);
}

static void rails_of_bounds_and_steps(void **state)
{
	(void) state;
	static const struct {
		const char *what;
		int32_t current, raw, min, max;
		bool is_three_action;
		int32_t want;
		uint32_t guards;
	} cases[] = {
		{ "nothing to do", 5, 6, 1, 10, true, 6, 0 },
		{ "keep", 5, 5, 1, 10, true, 5, 0 },
		{ "no up at max", 10, 11, 1, 10, true, 10, RAIL(MASKED) },
		{ "no down at min", 1, 0, 1, 10, true, 1, RAIL(MASKED) },
		{ "down at max", 10, 9, 1, 10, true, 9, 0 },
		{ "up at min", 2, 3, 2, 10, true, 3, 0 },
		{ "step up", 5, 9, 1, 10, true, 6, RAIL(STEP_LIMIT) },
		{ "step down", 5, 1, 1, 10, true, 4, RAIL(STEP_LIMIT) },
		{ "four pods at least in one go", 5, 9, 1, 10, false, 9, 0 },
		{ "five pods: twice as many", 5, 11, 1, 20, false, 10, RAIL(STEP_LIMIT) },
		{ "from one: five, as the HPA with a behavior", 1, 20, 1, 20, false, 3, RAIL(STEP_LIMIT) | RAIL(PIPELINE_VETO) },
		{ "clamped down", 5, -3, 2, 10, false, 2, RAIL(CLAMPED_MIN) },
		{ "step, then bound", 9, 40, 1, 10, false, 10, RAIL(STEP_LIMIT) | RAIL(CLAMPED_MAX) },
		{ "above max goes to max", 20, 20, 1, 10, true, 10, RAIL(CLAMPED_MAX) },
		{ "above max, whatever is asked", 20, 3, 1, 10, true, 10, RAIL(CLAMPED_MAX) },
		{ "above max and max asked for", 20, 10, 1, 10, true, 10, 0 },
		{ "below min goes to min", 1, 0, 4, 10, true, 4, RAIL(CLAMPED_MIN) },
		{ "one replica allowed", 1, 2, 1, 1, true, 1, RAIL(MASKED) },
		{ "ends of the type", INT32_MAX, INT32_MIN, 1, INT32_MAX, false, 1, RAIL(CLAMPED_MIN) },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		Bench *b = bench(cases[i].current, cases[i].raw);
		b->target.min_replicas = cases[i].min;
		b->target.max_replicas = cases[i].max;
		b->in.is_three_action = cases[i].is_three_action;
		b->sample.cpu_request_cores = 0; /* not known: the capacity rail has nothing to say */
		RailsOutcome got = pass(b);
		if (got.desired != cases[i].want || got.guards != cases[i].guards)
			fail_msg("%s: %d with guards %#x, want %d with %#x", cases[i].what, got.desired, got.guards, cases[i].want,
			         cases[i].guards);
	}
}

static void latency_vetoes_downs(void **state)
{
	(void) state;
	Bench *b = bench(5, 4);
	want(b, 4, 0);
	b->sample.latency_ms = 250.5;
	want(b, 5, RAIL(LATENCY_VETO));
	b->config.off = RAIL(LATENCY_VETO);
	want(b, 4, 0);
	b->config.off = 0;
	b->target.latency_soft_ms = -1;
	want(b, 4, 0);
	b->sample.valid &= ~(uint32_t) SAMPLE_LATENCY;
	want(b, 5, RAIL(LATENCY_VETO)); /* not known under traffic */
	b->sample.rps = 0;
	want(b, 4, 0);
	b->sample.valid &= ~(uint32_t) SAMPLE_RPS;
	want(b, 5, RAIL(LATENCY_VETO)); /* and nobody knows whether there is traffic */
	b->in.raw = 6;
	want(b, 6, 0); /* an up is never vetoed by it */
}

static double two_pods_carry_fifty(void *arg, int32_t replicas, double rps)
{
	(void) arg;
	return rps / replicas > 25 ? 400 : 100;
}

static void capacity_vetoes_downs(void **state)
{
	(void) state;
	Bench *b = bench(5, 4);
	b->sample.cpu_cores = 1.8; /* .9 of four requests, to the digit */
	want(b, 4, 0);
	b->sample.cpu_cores = 1.81;
	want(b, 5, RAIL(CAPACITY_VETO));
	b->in.is_three_action = false;
	b->in.raw = 1;
	b->sample.cpu_cores = 1.2; /* three pods carry it */
	want(b, 3, RAIL(CAPACITY_VETO));
	b->sample.valid &= ~(uint32_t) SAMPLE_CPU;
	want(b, 5, RAIL(CAPACITY_VETO));

	b = bench(3, 2);
	b->in.p95_ms = two_pods_carry_fifty;
	want(b, 2, 0);
	b->in.now_ms -= 9 * MIN;
	b->sample.rps = 51;
	rails_note_cycle(&b->history, &b->in);
	b->in.now_ms += 9 * MIN;
	b->sample.rps = 10;
	want(b, 3, RAIL(CAPACITY_VETO)); /* the last ten minutes' load may come back */
	b->in.now_ms += 2 * MIN;
	want(b, 2, 0);
}

static void pipeline_waits_for_the_pods_on_their_way(void **state)
{
	(void) state;
	Bench *b = bench(5, 6);
	b->sample.ready = 4;
	want(b, 5, RAIL(PIPELINE_VETO));
	b->sample.latency_ms = 501;
	want(b, 6, 0);
	b->sample.latency_ms = 100;
	b->sample.rps = 53; /* it was 50 */
	want(b, 6, 0);
	(void) rails_note_change(&b->history, &b->config, b->in.now_ms - 15 * S, 4, 5);
	b->history.rps_at_up = 53;
	want(b, 5, RAIL(PIPELINE_VETO)); /* the load that the last up was for */
	b->in.raw = 4;
	b->sample.rps = 50;
	b->in.now_ms += 60 * S;
	want(b, 4, 0); /* a down is not its business */

	b = bench(2, 9);
	b->in.is_three_action = false;
	b->sample.latency_ms = 501;
	b->sample.ready = 1;
	want(b, 3, RAIL(STEP_LIMIT) | RAIL(PIPELINE_VETO)); /* two in flight on one that serves */
}

static void all_pods_gone_gives_one_up_under_load_and_no_down(void **state)
{
	(void) state;
	Bench *b = bench(5, 6);
	b->sample.ready = 0;
	b->sample.latency_ms = 900;
	want(b, 6, 0);
	(void) rails_note_change(&b->history, &b->config, b->in.now_ms, 5, 6);
	b->in.current = 6;
	b->in.raw = 7;
	want(b, 6, RAIL(PIPELINE_VETO)); /* crash loops do not run away */
	b->in.raw = 5;
	want(b, 6, RAIL(LATENCY_VETO));
}

static void stabilisation_takes_the_largest_wish_of_its_window(void **state)
{
	(void) state;
	Bench *b = bench(5, 4);
	b->config.stabilise_ms = 300 * S;
	rails_history_init(&b->history, b->in.now_ms - 300 * S, 5);
	want(b, 5, RAIL(STABILISED)); /* the number found at the start counts as a wish, at 300 s too */
	b->in.now_ms += 1;
	want(b, 4, 0);
	b->in.raw = 3;
	b->in.is_three_action = false;
	b->in.raw = 4;
	rails_note_cycle(&b->history, &b->in);
	b->in.now_ms += 15 * S;
	b->in.raw = 2;
	want(b, 4, RAIL(STABILISED));
	b->in.raw = 6;
	want(b, 6, 0);
}

static void cooldown_delays_downs_and_never_ups(void **state)
{
	(void) state;
	for (int sign = -1; sign <= 1; sign += 2) {
		Bench *b = bench(5, 4);
		(void) rails_note_change(&b->history, &b->config, b->in.now_ms - 60 * S + 1, 5 - sign, 5);
		want(b, 5, RAIL(COOLDOWN));
		b->in.raw = 6;
		want(b, 6, 0);
		b->in.raw = 4;
		b->in.now_ms += 1;
		want(b, 4, 0);
	}
}

static void flapping_ends_scale_downs_for_half_an_hour(void **state)
{
	(void) state;
	Bench *b = bench(5, 4);
	int began = 0;
	int64_t now = b->in.now_ms;
	for (int i = 0; i < 8; i++) { /* seven changes of direction */
		began += rails_note_change(&b->history, &b->config, now, i % 2 ? 6 : 5, i % 2 ? 5 : 6);
		assert_int_equal(began, i == 7);
		now += 2 * MIN;
	}
	b->in.now_ms = now;
	want(b, 5, RAIL(FLAP_GUARD));
	b->in.raw = 6;
	want(b, 6, 0);
	b->in.raw = 4;
	b->in.now_ms = now + 28 * MIN;
	want(b, 4, 0);
}

static void budget_ends_all_changes_but_those_to_a_bound(void **state)
{
	(void) state;
	Bench *b = bench(5, 6);
	b->config.changes_per_hour = 3;
	b->config.off = RAIL(FLAP_GUARD);
	for (int i = 3; i > 0; i--)
		(void) rails_note_change(&b->history, &b->config, b->in.now_ms - 10 * i * MIN, 4, 5);
	want(b, 5, RAIL(BUDGET));
	b->in.raw = 4;
	want(b, 5, RAIL(BUDGET));
	b->in.current = 20;
	want(b, 10, RAIL(CLAMPED_MAX));
	b->in.current = 5;
	b->in.now_ms += 30 * MIN;
	want(b, 4, 0);
}

static void downs_that_need_another_word(void **state)
{
	(void) state;
	Bench *b = bench(5, 4);
	b->config.predictions_add_only = true;
	want(b, 5, RAIL(PREDICT_ADDS_ONLY)); /* the rule's opinion is not known */
	b->in.hpa = 5;
	want(b, 5, RAIL(PREDICT_ADDS_ONLY));
	b->in.hpa = 4;
	want(b, 4, 0);
	b->in.is_fallback = true;
	want(b, 5, RAIL(FALLBACK_UP_ONLY));
	b->config.fallback_may_lower = true;
	want(b, 4, 0);
	b->in.is_scale_in_paused = true;
	want(b, 5, RAIL(SCALE_IN_PAUSED));
}

static void dry_run_drops_the_write_and_keeps_the_wish(void **state)
{
	(void) state;
	Bench *b = bench(5, 6);
	b->config.is_dry_run = true;
	RailsOutcome got = pass(b);
	assert_int_equal(got.desired, 6);
	assert_int_equal(got.written, 5);
	assert_int_equal(got.guards, RAIL(DRY_RUN));
	b->in.raw = 5;
	assert_int_equal(pass(b).guards, 0);
}

static void seed_rails_keep_bounds_alone(void **state)
{
	(void) state;
	Bench *b = bench(5, 1);
	b->config.off = RAILS_OFF_SEED;
	b->in.is_three_action = false;
	b->sample.latency_ms = 1e4;
	b->sample.cpu_cores = 100;
	b->in.is_three_action = true;
	(void) rails_note_change(&b->history, &b->config, b->in.now_ms, 4, 5);
	want(b, 1, 0);
	b->in.raw = 11;
	want(b, 10, RAIL(CLAMPED_MAX));
	b->config.off = UINT32_MAX; /* the clamps stay whatever is switched off */
	want(b, 10, RAIL(CLAMPED_MAX));
}

/* At 4 of 10 pods the rails leave a wide policy what they leave the HPA: up to twice as many, and no down while it is slow. */
static void wide_actions_pass_the_same_rails(void **state)
{
	(void) state;
	Bench *b = bench(4, 4);
	b->in.is_three_action = false;
	assert_int_equal(rails_mask(&b->in, ACTIONS_WIDE), 1u << 0 | 1u << 2 | 1u << 3 | 1u << 5 | 1u << 6);
	b->sample.latency_ms = 300;
	assert_int_equal(rails_mask(&b->in, ACTIONS_WIDE), 1u << 2 | 1u << 3 | 1u << 5 | 1u << 6);
	b->sample.ready = 3; /* one is on its way, and nothing is urgent */
	assert_int_equal(rails_mask(&b->in, ACTIONS_WIDE), 1u << 2);
	b->in.is_three_action = true;
	b->sample.ready = 4;
	assert_int_equal(rails_mask(&b->in, ACTIONS_THREE), 1u << ACTION_KEEP | 1u << ACTION_UP);
}

static void every_step_is_listed_in_order(void **state)
{
	(void) state;
	Bench *b = bench(9, 40);
	b->in.is_three_action = false;
	b->config.is_dry_run = true;
	RailsOutcome got = pass(b);
	assert_int_equal(got.n_steps, 3);
	assert_int_equal(got.step[0].guard, GUARD_STEP_LIMIT);
	assert_int_equal(got.step[0].from, 40);
	assert_int_equal(got.step[0].to, 18);
	assert_int_equal(got.step[1].guard, GUARD_CLAMPED_MAX);
	assert_int_equal(got.step[1].to, 10);
	assert_int_equal(got.step[2].guard, GUARD_DRY_RUN);
	assert_int_equal(got.step[2].to, 9);
}

/* ---- any sequence ---- */

static int32_t between(Rng *rng, int32_t lo, int32_t hi)
{
	return lo + (int32_t) rng_below(rng, (uint32_t) (hi - lo + 1));
}

static void shuffle_input(Rng *rng, Bench *b)
{
	b->in.now_ms += between(rng, 1, 40) * S;
	b->sample.valid = rng_below(rng, 4) ? SAMPLE_ALL : rng_below(rng, SAMPLE_ALL + 1);
	b->sample.cpu_cores = between(rng, 0, 500) / 100.0;
	b->sample.latency_ms = between(rng, 0, 800);
	b->sample.rps = between(rng, 0, 100);
	b->sample.ready = between(rng, 0, b->in.current);
	b->in.raw = b->in.current + between(rng, -6, 6);
	b->in.hpa = between(rng, -1, 12);
	b->in.is_three_action = rng_below(rng, 2);
	b->in.is_fallback = rng_below(rng, 4) == 0;
	b->in.is_scale_in_paused = rng_below(rng, 8) == 0;
	b->config.off = rng_below(rng, 3) ? 0 : rng_u32(rng);
	b->config.stabilise_ms = rng_below(rng, 2) ? 0 : 300 * S;
}

static void rails_hold_for_any_sequence(void **state)
{
	(void) state;
	Rng rng;
	rng_init(&rng, 7, 0, RNG_EVAL);
	Bench *b = bench(5, 5);
	int64_t last_change_ms = -MIN;
	int32_t moved = 0;
	for (int i = 0; i < 200000; i++) {
		if (i % 1000 == 0) { /* another target, or a restart */
			b->target.min_replicas = between(&rng, 1, 8);
			b->target.max_replicas = b->target.min_replicas + between(&rng, 0, 15);
			rails_history_init(&b->history, b->in.now_ms, b->in.current);
			last_change_ms = INT64_MIN / 2;
		}
		if (rng_below(&rng, 200) == 0)
			b->in.current = between(&rng, 0, 30); /* by hand */
		shuffle_input(&rng, b);
		RailsOutcome got = pass(b);
		int32_t n = got.written, from = b->in.current;
		bool is_inside = from >= b->target.min_replicas && from <= b->target.max_replicas;
		assert_in_range(n, b->target.min_replicas, b->target.max_replicas);
		assert_int_equal(got.guards != 0, got.n_steps > 0);
		int32_t at = b->in.raw;
		for (int32_t k = 0; k < got.n_steps; at = got.step[k++].to)
			assert_int_equal(got.step[k].from, at);
		assert_int_equal(at, n);
		if (is_inside) {
			assert_true((int64_t) (n - from) * (b->in.raw - from) >= 0); /* never the other way */
			assert_true(abs(n - from) <= abs(b->in.raw - from));
		}
		if (is_inside && n < from && !b->config.off) {
			assert_false(b->in.is_fallback || b->in.is_scale_in_paused);
			assert_true(b->in.now_ms - last_change_ms >= 60 * S);
			assert_true(b->sample.valid & SAMPLE_CPU);
			assert_true((b->sample.valid & SAMPLE_LATENCY) ? b->sample.latency_ms <= 250 : b->sample.rps <= 0);
			assert_true(b->sample.cpu_cores <= .9 * n * .5 + 1e-9);
		}
		rails_note_cycle(&b->history, &b->in);
		if (n == from)
			continue;
		(void) rails_note_change(&b->history, &b->config, b->in.now_ms, from, n);
		last_change_ms = b->in.now_ms;
		b->in.current = n;
		moved++;
	}
	assert_true(moved > 10000);
}

static void windows_never_forget_a_peak(void **state)
{
	(void) state;
	Rng rng;
	rng_init(&rng, 9, 0, RNG_EVAL);
	Bench *b = bench(1000, 0);
	b->target.max_replicas = 1000;
	b->config.stabilise_ms = 300 * S;
	b->config.off = ~RAIL(STABILISED);
	int32_t wish[4000];
	for (int i = 0; i < 4000; i++) { /* a fall finer than the window can hold */
		b->in.now_ms += 3 * S;
		wish[i] = 1000 - i / 4 + between(&rng, -20, 0);
		b->in.raw = wish[i] > 0 ? wish[i] : 0;
		b->in.current = 1000;
		int32_t most = 0;
		for (int k = i; k >= 0 && k >= i - 100; k--)
			most = wish[k] > most ? wish[k] : most;
		assert_true(pass(b).desired >= (most < 1000 ? most : 1000));
		rails_note_cycle(&b->history, &b->in);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rails_of_bounds_and_steps),
		cmocka_unit_test(latency_vetoes_downs),
		cmocka_unit_test(capacity_vetoes_downs),
		cmocka_unit_test(pipeline_waits_for_the_pods_on_their_way),
		cmocka_unit_test(all_pods_gone_gives_one_up_under_load_and_no_down),
		cmocka_unit_test(stabilisation_takes_the_largest_wish_of_its_window),
		cmocka_unit_test(cooldown_delays_downs_and_never_ups),
		cmocka_unit_test(flapping_ends_scale_downs_for_half_an_hour),
		cmocka_unit_test(budget_ends_all_changes_but_those_to_a_bound),
		cmocka_unit_test(downs_that_need_another_word),
		cmocka_unit_test(dry_run_drops_the_write_and_keeps_the_wish),
		cmocka_unit_test(seed_rails_keep_bounds_alone),
		cmocka_unit_test(wide_actions_pass_the_same_rails),
		cmocka_unit_test(every_step_is_listed_in_order),
		cmocka_unit_test(rails_hold_for_any_sequence),
		cmocka_unit_test(windows_never_forget_a_peak),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
