/* The guarded loop when writes fail, processes die, clocks are set and pods come and go (numbers: tests/FAULTS.md). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "fakes/loop_bench.h"

#include <string.h>

/* ---- writes ---- */

/* D 18 */
static void a_write_whose_answer_is_lost_is_not_made_twice(void **state)
{
	(void) state;
	Bench *b = bench_started(3, ACTION_UP);
	b->actuator.lost_code = ERR_TIMEOUT;
	assert_int_equal(cycle(b), ERR_TIMEOUT);
	bench_want_state(b, STATE_HOLD, REASON_API_ERROR);
	assert_int_equal(b->actuator.replicas, 4);
	b->actuator.lost_code = 0;
	b->policy.action = ACTION_DOWN;
	assert_int_equal(cycle(b), 0); /* seen to be its own, so no fight, and its up begins a cooldown */
	assert_int_equal(b->actuator.replicas, 4);
	assert_true(view_of(b).last.decision.guards & RAIL(COOLDOWN));
	bench_free(b);
}

/* D 14 */
static void a_forbidden_write_is_tried_each_cycle_and_told_once(void **state)
{
	(void) state;
	Bench *b = bench_started(3, ACTION_UP);
	b->actuator.set_code = ERR_FORBIDDEN;
	for (int i = 0; i < 6; i++)
		assert_int_equal(cycle(b), ERR_FORBIDDEN);
	bench_want_state(b, STATE_HOLD, REASON_FORBIDDEN);
	assert_int_equal(fake_side_count(&b->cluster, EVENT_SCALE_FAILED), 1);
	LiveView view = view_of(b);
	assert_int_equal(view.condition[CONDITION_ABLE_TO_SCALE].status, 0);
	assert_int_equal(view.counters.scales[1][1], 6);
	b->actuator.set_code = 0;
	assert_int_equal(cycle(b), 0);
	assert_int_equal(b->actuator.replicas, 4);
	assert_int_equal(view_of(b).condition[CONDITION_ABLE_TO_SCALE].status, 1);
	bench_free(b);
}

/* CONTROL C: 422 */
static void a_write_that_the_api_calls_invalid_holds(void **state)
{
	(void) state;
	Bench *b = bench_started(3, ACTION_UP);
	b->actuator.set_code = ERR_INVALID;
	assert_int_equal(cycle(b), ERR_INVALID);
	bench_want_state(b, STATE_HOLD, REASON_INVALID);
	bench_free(b);
}

/* D 17 */
static void an_api_that_comes_back_gets_one_decision_from_fresh_data(void **state)
{
	(void) state;
	Bench *b = bench_started(3, ACTION_UP);
	b->actuator.get_code = ERR_UNREACHABLE;
	for (int i = 0; i < 40; i++)
		assert_int_equal(cycle(b), ERR_UNREACHABLE);
	bench_want_state(b, STATE_WARMING, REASON_API_ERROR);
	assert_int_equal(view_of(b).condition[CONDITION_ABLE_TO_SCALE].status, 0);
	assert_int_equal(b->actuator.n_writes, 0);
	int32_t asked = b->policy.asked;
	b->actuator.get_code = 0;
	assert_int_equal(cycle(b), 0);
	assert_int_equal(b->policy.asked, asked + 1);
	assert_int_equal(b->actuator.n_writes, 1);
	assert_int_equal(b->actuator.replicas, 4);
	assert_int_equal(view_of(b).condition[CONDITION_ABLE_TO_SCALE].status, 1);
	bench_free(b);
}

/* D 26 */
static void a_deployment_made_anew_starts_anew(void **state)
{
	(void) state;
	Bench *b = bench_new_whole(3, ACTION_KEEP);
	b->config.rails.stabilise_ms = 300000;
	bench_open(b);
	str_copy(b->cluster.facts.uid, sizeof b->cluster.facts.uid, "one");
	for (int i = 0; i < 30; i++)
		assert_int_equal(cycle(b), 0);
	b->policy.action = ACTION_DOWN;
	str_copy(b->cluster.facts.uid, sizeof b->cluster.facts.uid, "two");
	b->actuator.replicas = 5;
	b->metrics.sample.ready = 5;
	b->metrics.code = ERR_UNREACHABLE;
	assert_int_equal(cycle(b), ERR_UNREACHABLE);
	assert_int_equal(view_of(b).state, STATE_WARMING);
	b->metrics.code = 0;
	for (int i = 0; i < 19; i++) /* the number found counts as a wish for one window */
		assert_int_equal(cycle(b), 0);
	assert_int_equal(b->actuator.n_writes, 0);
	bench_free(b);
}

/* D 21, the part of a single process: what was written last is a change of just now. */
static void a_restart_remembers_the_last_change(void **state)
{
	(void) state;
	Bench *b = bench_new_whole(4, ACTION_DOWN);
	bench_open(b);
	loop_remember(b->loop, 20000, 3, 4);
	assert_int_equal(cycle(b), 0);
	assert_int_equal(b->actuator.replicas, 4);
	assert_true(view_of(b).last.decision.guards & RAIL(COOLDOWN));
	bench_free(b);

	b = bench_new_whole(4, ACTION_DOWN);
	bench_open(b);
	loop_remember(b->loop, 300000, 2, 3); /* the row of 3 -> 4 was lost with the process */
	for (int i = 0; i < 4; i++)
		assert_int_equal(cycle(b), 0);
	assert_int_equal(b->actuator.replicas, 4);
	assert_int_equal(cycle(b), 0);
	assert_int_equal(b->actuator.replicas, 3);
	bench_free(b);
}

static void the_maximum_is_told_once_until_it_is_left(void **state)
{
	(void) state;
	Bench *b = bench_started(5, ACTION_UP);
	b->metrics.sample.ready = 5;
	for (int i = 0; i < 4; i++)
		assert_int_equal(cycle(b), 0);
	assert_int_equal(fake_side_count(&b->cluster, EVENT_AT_MAXIMUM), 1);
	bench_free(b);
}

static void a_floor_follows_the_wish_and_leaves_the_replicas_to_the_other(void **state)
{
	(void) state;
	Bench *b = bench_new_whole(3, ACTION_KEEP);
	b->actuator.actuator.is_floor = true;
	b->actuator.floor = 1;
	bench_open(b);
	assert_int_equal(cycle(b), 0);
	assert_int_equal(b->actuator.floor, 3);
	b->actuator.replicas = 5; /* the HPA has raised it */
	b->metrics.sample.ready = 5;
	assert_int_equal(cycle(b), 0);
	assert_int_equal(view_of(b).state, STATE_ACTIVE);
	assert_int_equal(b->actuator.floor, 5);
	b->metrics.code = ERR_UNREACHABLE;
	for (int i = 0; i < 10; i++)
		(void) cycle(b);
	assert_int_equal(b->actuator.floor, 5);
	assert_int_equal(b->actuator.replicas, 5);
	bench_free(b);
}

static void the_status_is_shown_on_change_only(void **state)
{
	(void) state;
	Bench *b = bench_started(3, ACTION_KEEP);
	for (int i = 0; i < 10; i++)
		assert_int_equal(cycle(b), 0);
	assert_int_equal(b->cluster.n_shown, 1);
	int64_t since = view_of(b).condition[CONDITION_SCALING_ACTIVE].since_wall_ms;
	b->metrics.code = ERR_TIMEOUT;
	(void) cycle(b);
	assert_int_equal(b->cluster.n_shown, 2);
	assert_true(view_of(b).condition[CONDITION_SCALING_ACTIVE].since_wall_ms > since);
	assert_non_null(strstr(b->cluster.status, "\"type\":\"SoleOwner\",\"status\":\"True\""));
	bench_free(b);
}

/* ---- time, pods, neighbours ---- */

typedef struct JumpClock { /* a wall clock that is set while the monotonic one goes on */
	Clock clock;
	int64_t mono_ms, wall_ms;
} JumpClock;

static int64_t jump_mono(Clock *clock)
{
	return ((JumpClock *) clock)->mono_ms;
}

static int64_t jump_wall(Clock *clock)
{
	return ((JumpClock *) clock)->wall_ms;
}

static int64_t jump_wait(Clock *clock, int64_t until_ms)
{
	(void) clock, (void) until_ms;
	return 0;
}

/* D 8: an hour forward or back moves no window. */
static void a_clock_that_is_set_moves_no_window(void **state)
{
	(void) state;
	static const ClockOps ops = { "jump", jump_mono, jump_wall, jump_wait };
	for (int64_t jump = -3600000; jump <= 3600000; jump += 7200000) {
		Bench *b = bench_new_whole(3, ACTION_UP);
		JumpClock clock = { .clock = { .ops = &ops }, .mono_ms = 1000000, .wall_ms = 1700000000000 };
		Error err = { 0 };
		b->config.clock = &clock.clock;
		bench_open(b);
		assert_int_equal(fake_cycle(b->loop, &err), 0); /* 3 -> 4 */
		b->policy.action = ACTION_DOWN;
		b->metrics.sample.ready = 4;
		for (int i = 1; i <= 3; i++) { /* 15, 30, 45 s on: within the cooldown */
			clock.mono_ms += 15000;
			clock.wall_ms += 15000 + (i == 2 ? jump : 0);
			assert_int_equal(fake_cycle(b->loop, &err), 0);
			assert_int_equal(b->actuator.replicas, 4);
		}
		clock.mono_ms += 15000;
		assert_int_equal(fake_cycle(b->loop, &err), 0);
		assert_int_equal(b->actuator.replicas, 3);
		bench_free(b);
	}
}

/* D 28: pods that come, go and crash during an update; the policy sees load and asks for more each cycle. */
static void pods_that_do_not_become_ready_are_not_piled_up(void **state)
{
	(void) state;
	Rng rng;
	rng_init(&rng, 28, 0, RNG_CHAOS);
	for (int trace = 0; trace < 10; trace++) {
		Bench *b = bench_new_whole(3, ACTION_UP);
		b->config.target.max_replicas = 50;
		b->metrics.sample.ready = 3;
		bench_open(b);
		for (int i = 0; i < 40; i++) {
			assert_int_equal(cycle(b), 0);
			b->metrics.sample.ready = (int32_t) rng_below(&rng, 4); /* surge pods are Pending, old ones leave */
		}
		assert_in_range(b->actuator.replicas, 3, 4);
		bench_free(b);
	}
}

/* What the screen lists: the end of a name, and of what is not known nothing. */
static void pods_are_shown_by_the_end_of_their_names(void **state)
{
	(void) state;
	static const PodSample PODS[] = { { .ready = READY_TRUE, .has_usage = true, .has_request = true, .usage_m = 250, .request_m = 500,
		.has_start_time = true, .start_age_ms = 7000 }, { .is_deleting = true } };
	static const char NAMES[][NAME_MAX_K8S] = { "checkout-service-7d4b9c6f5-x2kqp", "web-1" };
	Bench *b = bench_started(4, ACTION_KEEP);
	b->metrics.sample.pods = PODS;
	b->metrics.sample.pod_name = NAMES;
	b->metrics.sample.n_pods = 2;
	assert_int_equal(cycle(b), 0);
	const LiveView *view = snap_acquire(loop_views(b->loop));
	assert_int_equal(view->n_pods, 2);
	assert_string_equal(view->pod[0].name, "service-7d4b9c6f5-x2kqp");
	assert_true(view->pod[0].is_ready && !view->pod[0].is_going && view->pod[0].age_ms == 7000);
	assert_float_equal(view->pod[0].cpu_cores, .25, 1e-6);
	assert_string_equal(view->pod[1].name, "web-1");
	assert_true(view->pod[1].is_going && isnan(view->pod[1].cpu_cores) && view->pod[1].age_ms == -1);
	assert_null(view->last.sample.pods); /* lent for the cycle alone */
	assert_null(view->last.sample.pod_name);
	snap_release(view);
	bench_free(b);
}

/* D 29 */
static void all_pods_killed_lowers_nothing(void **state)
{
	(void) state;
	Bench *b = bench_started(4, ACTION_KEEP);
	b->metrics.sample.ready = 4;
	assert_int_equal(cycle(b), 0);
	b->policy.action = ACTION_DOWN;
	b->metrics.sample.ready = 0;
	b->metrics.sample.valid &= ~(uint32_t) SAMPLE_LATENCY; /* nobody answers */
	for (int i = 0; i < 3; i++)
		(void) cycle(b);
	assert_int_equal(b->actuator.n_writes, 0);
	b->metrics.sample.valid = SAMPLE_ALL;
	b->metrics.sample.rps = 80; /* it grows: one up is let through */
	b->policy.action = ACTION_UP;
	for (int i = 0; i < 10; i++)
		assert_int_equal(cycle(b), 0);
	assert_int_equal(b->actuator.replicas, 5);
	bench_free(b);
}

/* D 31: slow though the cpu is idle. More pods, one at a time as they become ready, and no further than the maximum. */
static void a_noisy_neighbour_ends_at_the_maximum(void **state)
{
	(void) state;
	Bench *b = bench_new_whole(2, ACTION_UP);
	b->config.target.latency_soft_ms = 250;
	b->config.target.latency_hard_ms = 500;
	bench_open(b);
	b->metrics.sample.latency_ms = 900;
	b->metrics.sample.cpu_cores = .05;
	for (int i = 0; i < 12; i++) {
		b->metrics.sample.ready = b->actuator.replicas;
		assert_int_equal(cycle(b), 0);
		assert_true(b->actuator.replicas <= 5);
	}
	assert_int_equal(b->actuator.replicas, 5);
	assert_int_equal(fake_side_count(&b->cluster, EVENT_AT_MAXIMUM), 1);
	bench_free(b);
}

/* ---- many targets behind a server that hangs ---- */

typedef struct Hung { /* a policy that answers nothing for eight seconds */
	Policy policy;
	Clock *clock;
	int32_t asked;
} Hung;

static int hang(Policy *policy, const Observation *obs, size_t n, Decision *ret)
{
	Hung *hung = (Hung *) policy;
	(void) obs, (void) n, (void) ret;
	hung->clock->now_ms += 8000;
	hung->asked++;
	return ERR_TIMEOUT;
}

/* D 9: a cycle stays one, whoever is not asked is held, all come to the rule, and the turn goes round. */
static void a_hung_server_takes_no_timeout_a_target(void **state)
{
	enum { N = 20, CYCLES = 12 };
	static const PolicyOps ops = { .name = "suggestion", .decide = hang };
	(void) state;
	Bench *b = bench_new_whole(3, ACTION_KEEP);
	Hung hung[N] = { 0 };
	Loop *loops[N];
	Fleet *fleet;
	Error err = { 0 };
	for (int i = 0; i < N; i++) {
		hung[i] = (Hung) { .policy = b->policy.policy, .clock = &b->clock };
		hung[i].policy.ops = &ops;
		b->config.policy = &hung[i].policy;
		assert_int_equal(loop_new(&b->config, &loops[i], &err), 0);
	}
	assert_int_equal(fleet_new(loops, N, &fleet, &err), 0);
	for (int c = 0; c < CYCLES; c++) {
		int64_t before_ms = b->clock.now_ms;
		(void) fleet_once(fleet, &err);
		assert_true(b->clock.now_ms - before_ms <= 16000);
		for (int i = 0; i < N; i++) {
			const LiveView *view = snap_acquire(loop_views(loops[i]));
			assert_int_equal(view->state, c < 3 ? STATE_HOLD : STATE_FALLBACK);
			assert_int_equal(view->state_reason, REASON_MODEL_UNAVAILABLE);
			snap_release(view);
		}
	}
	for (int i = 0; i < N; i++)
		assert_true(hung[i].asked > 0);
	assert_int_equal(b->actuator.n_writes, 0);
	fleet_free(fleet);
	for (int i = 0; i < N; i++)
		loop_free(loops[i]);
	bench_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_write_whose_answer_is_lost_is_not_made_twice),
		cmocka_unit_test(a_forbidden_write_is_tried_each_cycle_and_told_once),
		cmocka_unit_test(a_write_that_the_api_calls_invalid_holds),
		cmocka_unit_test(an_api_that_comes_back_gets_one_decision_from_fresh_data),
		cmocka_unit_test(a_deployment_made_anew_starts_anew),
		cmocka_unit_test(a_restart_remembers_the_last_change),
		cmocka_unit_test(the_maximum_is_told_once_until_it_is_left),
		cmocka_unit_test(a_floor_follows_the_wish_and_leaves_the_replicas_to_the_other),
		cmocka_unit_test(the_status_is_shown_on_change_only),
		cmocka_unit_test(a_clock_that_is_set_moves_no_window),
		cmocka_unit_test(pods_that_do_not_become_ready_are_not_piled_up),
		cmocka_unit_test(pods_are_shown_by_the_end_of_their_names),
		cmocka_unit_test(all_pods_killed_lowers_nothing),
		cmocka_unit_test(a_noisy_neighbour_ends_at_the_maximum),
		cmocka_unit_test(a_hung_server_takes_no_timeout_a_target),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
