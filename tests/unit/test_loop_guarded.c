/*
 * The guarded loop: states, gates, fallback, conflicts, restarts, many targets; and the property at its heart. The numbers of
 * faults are those of the specification's table (tests/FAULTS.md).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "fakes/loop_bench.h"

#include <stdlib.h>
#include <string.h>

static Bench *started(int32_t replicas, int32_t action)
{
	Bench *b = bench_new_whole(replicas, action);
	bench_open(b);
	return b;
}

static void want_state(Bench *b, TargetState state, Reason reason)
{
	LiveView view = view_of(b);
	if (view.state != state || view.state_reason != reason)
		fail_msg("%s %s (%s), want %s %s", state_text(view.state), reason_text(view.state_reason), view.state_detail,
		         state_text(state), reason_text(reason));
}

/* ---- fallback ---- */

/* D 9: three cycles of hold, then the HPA rule, which may only raise. */
static void a_dead_model_is_held_then_the_rule_may_only_raise(void **state)
{
	(void) state;
	Bench *b = started(3, ACTION_KEEP);
	b->config.target.max_replicas = 5;
	assert_int_equal(cycle(b), 0);
	b->policy.code = ERR_NONFINITE;
	b->rule.action = ACTION_DOWN;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(cycle(b), ERR_NONFINITE);
		want_state(b, STATE_HOLD, REASON_MODEL_UNAVAILABLE);
	}
	assert_int_equal(cycle(b), 0);
	want_state(b, STATE_FALLBACK, REASON_MODEL_UNAVAILABLE);
	assert_int_equal(b->actuator.n_writes, 0);
	assert_true(view_of(b).last.decision.guards & RAIL(FALLBACK_UP_ONLY));
	b->rule.action = ACTION_UP;
	assert_int_equal(cycle(b), 0);
	assert_int_equal(b->actuator.replicas, 4);
	b->metrics.sample.ready = 4;
	b->policy.code = 0;
	for (int i = 0; i < 4; i++) {
		assert_int_equal(cycle(b), 0);
		want_state(b, STATE_FALLBACK, REASON_MODEL_UNAVAILABLE);
	}
	assert_int_equal(cycle(b), 0);
	want_state(b, STATE_ACTIVE, REASON_POLICY_KEEP);
	assert_int_equal(fake_side_count(&b->cluster, EVENT_MODEL_UNAVAILABLE), 1);
	assert_int_equal(fake_side_count(&b->cluster, EVENT_FALLBACK), 1);
	assert_int_equal(fake_side_count(&b->cluster, EVENT_RESUMED), 1);
	bench_free(b);
}

static void the_rule_may_lower_where_it_is_allowed_to(void **state)
{
	(void) state;
	Bench *b = bench_new_whole(3, ACTION_KEEP);
	b->config.rails.fallback_may_lower = true;
	bench_open(b);
	b->policy.code = ERR_BAD_MODEL;
	b->rule.action = ACTION_DOWN;
	for (int i = 0; i < 5; i++)
		(void) cycle(b);
	assert_int_equal(b->actuator.replicas, 2);
	bench_free(b);
}

/* D 1: without metrics there is no rule either. */
static void no_metrics_is_a_hold_without_end(void **state)
{
	(void) state;
	Bench *b = started(3, ACTION_DOWN);
	assert_int_equal(cycle(b), 0);
	b->metrics.code = ERR_UNREACHABLE;
	b->rule.action = ACTION_UP;
	int32_t before = b->actuator.n_writes;
	for (int i = 0; i < 100; i++) {
		assert_int_equal(cycle(b), ERR_UNREACHABLE);
		want_state(b, STATE_HOLD, REASON_METRICS_MISSING);
	}
	assert_int_equal(b->actuator.n_writes, before);
	assert_int_equal(fake_side_count(&b->cluster, EVENT_METRICS_MISSING), 1);
	assert_int_equal(view_of(b).condition[CONDITION_METRICS_FRESH].status, 0);
	b->metrics.code = 0;
	assert_int_equal(cycle(b), 0);
	assert_int_equal(view_of(b).state, STATE_ACTIVE);
	assert_int_equal(view_of(b).condition[CONDITION_METRICS_FRESH].status, 1);
	bench_free(b);
}

/* D 5 */
static void stale_metrics_are_told_apart(void **state)
{
	(void) state;
	Bench *b = started(3, ACTION_DOWN);
	b->metrics.sample.valid &= ~(uint32_t) SAMPLE_CPU;
	b->metrics.sample.stale = SAMPLE_CPU;
	str_copy(b->metrics.sample.missing, sizeof b->metrics.sample.missing, "cpu: stale, 90 s old");
	for (int i = 0; i < 6; i++)
		assert_int_equal(cycle(b), ERR_STALE);
	assert_int_equal(b->actuator.n_writes, 0);
	want_state(b, STATE_WARMING, REASON_METRICS_STALE);
	bench_free(b);
}

/* D 11: ten times the traffic of the training. */
static void an_input_unlike_the_training_falls_back_and_names_it(void **state)
{
	(void) state;
	static const ObsStats stats = {
		.dim = OBS_SEED_DIM,
		.mean = { 30, .2f, 3, 100, 40 }, .var = { 100, .01f, 1, 2500, 100 },
		.min = { 0, 0, 1, 10, 0 }, .max = { 200, 1, 5, 800, 80 },
	};
	Bench *b = bench_new_whole(3, ACTION_DOWN);
	b->policy.policy.trained_on = &stats;
	bench_open(b);
	b->metrics.sample.rps = 400;
	b->policy.action = ACTION_KEEP;
	for (int i = 0; i < 3; i++)
		assert_int_equal(cycle(b), 0);
	want_state(b, STATE_FALLBACK, REASON_OUT_OF_DISTRIBUTION);
	LiveView view = view_of(b);
	assert_non_null(strstr(view.state_detail, "rps"));
	assert_int_equal(view.condition[CONDITION_POLICY_HEALTHY].status, 0);
	assert_string_equal(view.condition[CONDITION_POLICY_HEALTHY].reason, "OutOfDistribution");
	assert_non_null(strstr(b->cluster.status, "OutOfDistribution"));
	bench_free(b);
}

/* ---- who else is there ---- */

/* D 24 */
static void another_autoscaler_is_a_conflict_within_one_cycle(void **state)
{
	(void) state;
	Bench *b = started(3, ACTION_UP);
	str_copy(b->cluster.facts.owner, sizeof b->cluster.facts.owner, "HorizontalPodAutoscaler shop/web");
	for (int i = 0; i < 5; i++)
		assert_int_equal(cycle(b), 0);
	assert_int_equal(b->actuator.n_writes, 0);
	want_state(b, STATE_CONFLICT, REASON_CONFLICT);
	assert_non_null(strstr(view_of(b).state_detail, "HorizontalPodAutoscaler shop/web"));
	assert_int_equal(fake_side_count(&b->cluster, EVENT_CONFLICT), 1);
	assert_int_equal(view_of(b).condition[CONDITION_SOLE_OWNER].status, 0);
	b->cluster.facts.owner[0] = '\0';
	assert_int_equal(cycle(b), 0);
	assert_int_equal(view_of(b).state, STATE_CONFLICT);
	assert_int_equal(cycle(b), 0);
	assert_int_equal(view_of(b).state, STATE_ACTIVE);
	bench_free(b);
}

static void a_shadow_watches_beside_another_autoscaler(void **state)
{
	(void) state;
	Bench *b = bench_new_whole(3, ACTION_UP);
	b->config.rails.is_dry_run = true;
	str_copy(b->cluster.facts.owner, sizeof b->cluster.facts.owner, "HorizontalPodAutoscaler shop/web");
	bench_open(b);
	assert_int_equal(cycle(b), 0);
	assert_int_equal(view_of(b).state, STATE_SHADOW);
	b->actuator.replicas = 5; /* the other moves it: no reason to pause */
	assert_int_equal(cycle(b), 0);
	assert_int_equal(view_of(b).state, STATE_SHADOW);
	assert_int_equal(view_of(b).condition[CONDITION_SOLE_OWNER].status, 0);
	bench_free(b);
}

/* D 27 */
static void a_number_set_by_hand_stands_for_an_interval(void **state)
{
	(void) state;
	Bench *b = started(3, ACTION_KEEP);
	assert_int_equal(cycle(b), 0);
	b->actuator.replicas = 5;
	b->metrics.sample.ready = 5;
	str_copy(b->cluster.facts.manager, sizeof b->cluster.facts.manager, "kubectl");
	b->policy.action = ACTION_DOWN;
	assert_int_equal(cycle(b), 0);
	want_state(b, STATE_HOLD, REASON_REPLICAS_CHANGED);
	assert_non_null(strstr(view_of(b).state_detail, "kubectl"));
	for (int i = 0; i < 3; i++) { /* and the cooldown after an up is anybody's up */
		assert_int_equal(cycle(b), 0);
		assert_int_equal(b->actuator.replicas, 5);
	}
	assert_int_equal(cycle(b), 0);
	assert_int_equal(b->actuator.replicas, 4);
	bench_free(b);
}

/* D 30 */
static void a_number_outside_the_bounds_goes_to_the_bound_at_once(void **state)
{
	(void) state;
	Bench *b = started(3, ACTION_KEEP);
	assert_int_equal(cycle(b), 0);
	b->actuator.replicas = 9;
	assert_int_equal(cycle(b), 0);
	assert_int_equal(b->actuator.replicas, 5);
	want_state(b, STATE_ACTIVE, REASON_TOO_MANY_REPLICAS);
	bench_free(b);
}

/* D 25 */
static void replicas_taken_back_three_times_are_a_conflict(void **state)
{
	(void) state;
	Bench *b = started(3, ACTION_UP);
	str_copy(b->cluster.facts.manager, sizeof b->cluster.facts.manager, "argocd");
	for (int i = 0; i < 3; i++) {
		assert_int_equal(cycle(b), 0); /* 3 -> 4 */
		assert_int_equal(b->actuator.replicas, 4);
		b->actuator.replicas = 3;
		assert_int_equal(cycle(b), 0);
	}
	want_state(b, STATE_CONFLICT, REASON_REPLICAS_FOUGHT);
	assert_non_null(strstr(view_of(b).state_detail, "argocd"));
	assert_int_equal(fake_side_count(&b->cluster, EVENT_REPLICAS_FOUGHT), 1);
	int32_t writes = b->actuator.n_writes;
	for (int i = 0; i < 20; i++)
		assert_int_equal(cycle(b), 0);
	assert_int_equal(b->actuator.n_writes, writes);
	for (int i = 0; i < 40; i++) /* ten minutes on it is tried again */
		assert_int_equal(cycle(b), 0);
	assert_true(b->actuator.n_writes > writes);
	bench_free(b);
}

/* ---- what people ask for ---- */

static void annotations_pause_and_hold(void **state)
{
	(void) state;
	Bench *b = started(3, ACTION_UP);
	TargetFacts *facts = &b->cluster.facts;
	facts->is_paused = true;
	assert_int_equal(cycle(b), 0);
	want_state(b, STATE_PAUSED, REASON_PAUSED);
	assert_int_equal(b->actuator.n_writes, 0);
	facts->held_replicas = 0; /* wins over paused, and means zero */
	assert_int_equal(cycle(b), 0);
	want_state(b, STATE_MANUAL, REASON_MANUAL);
	assert_int_equal(b->actuator.replicas, 0);
	facts->held_replicas = 4;
	facts->held_until_ms = b->clock.now_ms + 30000;
	assert_int_equal(cycle(b), 0);
	assert_int_equal(b->actuator.replicas, 4);
	facts->is_paused = false;
	b->metrics.sample.ready = 4;
	b->actuator.replicas = 2; /* somebody else: it is set again */
	assert_int_equal(cycle(b), 0);
	assert_int_equal(b->actuator.replicas, 4);
	assert_int_equal(cycle(b), 0); /* its time is over */
	assert_int_equal(b->actuator.replicas, 5);
	want_state(b, STATE_ACTIVE, REASON_POLICY_UP);
	bench_free(b);
}

static void an_annotation_that_cannot_be_read_holds(void **state)
{
	(void) state;
	Bench *b = started(3, ACTION_UP);
	str_copy(b->cluster.facts.trouble, sizeof b->cluster.facts.trouble, "maestro.io/paused-replicas: \"many\" is no number");
	for (int i = 0; i < 3; i++)
		assert_int_equal(cycle(b), 0);
	want_state(b, STATE_PAUSED, REASON_INVALID);
	assert_int_equal(b->actuator.n_writes, 0);
	assert_int_equal(fake_side_count(&b->cluster, EVENT_HOLD), 1);
	bench_free(b);
}

static void a_pause_of_scale_in_lets_ups_through(void **state)
{
	(void) state;
	Bench *b = started(3, ACTION_DOWN);
	b->cluster.facts.is_scale_in_paused = true;
	assert_int_equal(cycle(b), 0);
	assert_int_equal(b->actuator.n_writes, 0);
	assert_true(view_of(b).last.decision.guards & RAIL(SCALE_IN_PAUSED));
	b->policy.action = ACTION_UP;
	assert_int_equal(cycle(b), 0);
	assert_int_equal(b->actuator.replicas, 4);
	bench_free(b);
}

static bool settle(void *arg, const TargetFacts *facts, Target *target, int64_t *interval_ms, Error *err)
{
	(void) arg, (void) interval_ms;
	if (facts->max_replicas && facts->max_replicas < target->min_replicas)
		return error_set(err, ERR_INVALID, "shop/web: annotation maestro.io/max-replicas: %d", facts->max_replicas), false;
	if (facts->max_replicas)
		target->max_replicas = facts->max_replicas;
	return true;
}

/* D 35, of an annotation */
static void a_change_to_invalid_settings_keeps_the_old_ones(void **state)
{
	(void) state;
	Bench *b = bench_new_whole(3, ACTION_UP);
	b->config.settle = settle;
	b->config.target.min_replicas = 2;
	bench_open(b);
	b->cluster.facts.max_replicas = 3;
	assert_int_equal(cycle(b), 0);
	assert_int_equal(b->actuator.replicas, 3);
	b->cluster.facts.max_replicas = 1;
	assert_int_equal(cycle(b), 0);
	assert_int_equal(b->actuator.replicas, 3);
	assert_int_equal(view_of(b).target.max_replicas, 3);
	bench_free(b);
}

/* ---- who leads ---- */

static void a_standby_asks_nothing_and_writes_nothing(void **state)
{
	(void) state;
	Bench *b = started(3, ACTION_UP);
	b->cluster.leads = false;
	for (int i = 0; i < 3; i++)
		assert_int_equal(cycle(b), 0);
	assert_int_equal(b->metrics.fetches, 0);
	assert_int_equal(b->actuator.n_writes, 0);
	assert_int_equal(view_of(b).state, STATE_STANDBY);
	assert_int_equal(fake_sink_count(&b->sink, RECORD_DECISION), 3);
	b->cluster.leads = true;
	assert_int_equal(cycle(b), 0);
	assert_int_equal(b->actuator.replicas, 4);
	assert_int_equal(fake_side_count(&b->cluster, EVENT_LEADER_ELECTED), 1);
	bench_free(b);
}

/* A lease is no lock: it is asked for again right before the write. */
static int leave_fetch(Metrics *metrics, const Target *target, size_t n, int64_t now_ms, Sample *ret, Error *err)
{
	Bench *b = (Bench *) (void *) ((char *) metrics - offsetof(Bench, metrics));
	(void) target, (void) n, (void) err;
	b->cluster.leads = false;
	*ret = b->metrics.sample;
	ret->wall_ms = now_ms;
	return 0;
}

static void a_lease_lost_within_the_cycle_stops_its_write(void **state)
{
	(void) state;
	static const MetricsOps ops = { .name = "leave", .fetch = leave_fetch };
	Bench *b = bench_new_whole(3, ACTION_UP);
	b->metrics.metrics.ops = &ops;
	bench_open(b);
	assert_int_equal(cycle(b), ERR_REFUSED);
	assert_int_equal(b->actuator.n_writes, 0);
	assert_int_equal(view_of(b).state, STATE_STANDBY);
	bench_free(b);
}

/* ---- writes ---- */

/* D 18 */
static void a_write_whose_answer_is_lost_is_not_made_twice(void **state)
{
	(void) state;
	Bench *b = started(3, ACTION_UP);
	b->actuator.lost_code = ERR_TIMEOUT;
	assert_int_equal(cycle(b), ERR_TIMEOUT);
	want_state(b, STATE_HOLD, REASON_API_ERROR);
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
	Bench *b = started(3, ACTION_UP);
	b->actuator.set_code = ERR_FORBIDDEN;
	for (int i = 0; i < 6; i++)
		assert_int_equal(cycle(b), ERR_FORBIDDEN);
	want_state(b, STATE_HOLD, REASON_FORBIDDEN);
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

/* D 17 */
static void an_api_that_comes_back_gets_one_decision_from_fresh_data(void **state)
{
	(void) state;
	Bench *b = started(3, ACTION_UP);
	b->actuator.get_code = ERR_UNREACHABLE;
	for (int i = 0; i < 40; i++)
		assert_int_equal(cycle(b), ERR_UNREACHABLE);
	want_state(b, STATE_WARMING, REASON_API_ERROR);
	b->actuator.get_code = 0;
	assert_int_equal(cycle(b), 0);
	assert_int_equal(b->actuator.n_writes, 1);
	assert_int_equal(b->actuator.replicas, 4);
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
	Bench *b = started(5, ACTION_UP);
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
	Bench *b = started(3, ACTION_KEEP);
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
		assert_int_equal(loop_once(b->loop, &err), 0); /* 3 -> 4 */
		b->policy.action = ACTION_DOWN;
		b->metrics.sample.ready = 4;
		for (int i = 1; i <= 3; i++) { /* 15, 30, 45 s on: within the cooldown */
			clock.mono_ms += 15000;
			clock.wall_ms += 15000 + (i == 2 ? jump : 0);
			assert_int_equal(loop_once(b->loop, &err), 0);
			assert_int_equal(b->actuator.replicas, 4);
		}
		clock.mono_ms += 15000;
		assert_int_equal(loop_once(b->loop, &err), 0);
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

/* D 29 */
static void all_pods_killed_lowers_nothing(void **state)
{
	(void) state;
	Bench *b = started(4, ACTION_KEEP);
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
	bool has_data, has_fresh; /* whether what the last cycle saw was whole */
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
}

static void no_sequence_of_faults_and_restarts_breaks_the_promise(void **state)
{
	(void) state;
	Trial trial = { .b = bench_new_whole(3, ACTION_KEEP) };
	Trial *t = &trial;
	Bench *b = t->b;
	rng_init(&t->rng, 5, 0, RNG_CHAOS);
	b->config.target.latency_soft_ms = 250;
	b->config.target.latency_hard_ms = 500;
	bench_open(b);
	int32_t downs = 0, ups = 0;
	for (int i = 0; i < 30000; i++) {
		if (chance(t, 300)) { /* a restart */
			loop_free(b->loop);
			bench_open(b);
		}
		shuffle(t);
		b->actuator.n_writes = 0;
		(void) cycle(b);
		if (!b->actuator.n_writes)
			continue;
		LiveView view = view_of(b);
		TargetState s = view.last.decision.state;
		const Sample *seen = &b->metrics.sample;
		int32_t n = b->actuator.written[0], from = b->actuator.from[0];
		assert_int_equal(b->actuator.n_writes, 1);
		assert_in_range(n, 1, 5);
		assert_true(b->cluster.leads && !b->cluster.facts.is_paused && !b->cluster.facts.owner[0] && !b->cluster.facts.code);
		assert_int_equal(b->metrics.code, 0);
		bool is_policy = !b->policy.code && (seen->valid & SAMPLE_ALL & ~(uint32_t) SAMPLE_LATENCY) ==
		                 (SAMPLE_ALL & ~(uint32_t) SAMPLE_LATENCY) && (seen->valid & SAMPLE_LATENCY || seen->rps <= 0);
		assert_true(s == STATE_ACTIVE || s == STATE_FALLBACK || s == STATE_HOLD); /* hold: the answer was lost */
		if (s == STATE_ACTIVE)
			assert_true(is_policy || (seen->valid | SAMPLE_REPLICAS) == SAMPLE_ALL);
		if (s == STATE_FALLBACK)
			assert_true(n > from || from > 5);
		assert_true(seen->valid & SAMPLE_CPU);
		if (n < from && from <= 5) {
			assert_true(is_policy || (seen->valid | SAMPLE_REPLICAS) == SAMPLE_ALL);
			assert_false(seen->valid & SAMPLE_LATENCY && seen->latency_ms > 250);
			downs++;
		}
		ups += n > from;
	}
	assert_true(downs > 50 && ups > 500);
	bench_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dead_model_is_held_then_the_rule_may_only_raise),
		cmocka_unit_test(the_rule_may_lower_where_it_is_allowed_to),
		cmocka_unit_test(no_metrics_is_a_hold_without_end),
		cmocka_unit_test(stale_metrics_are_told_apart),
		cmocka_unit_test(an_input_unlike_the_training_falls_back_and_names_it),
		cmocka_unit_test(another_autoscaler_is_a_conflict_within_one_cycle),
		cmocka_unit_test(a_shadow_watches_beside_another_autoscaler),
		cmocka_unit_test(a_number_set_by_hand_stands_for_an_interval),
		cmocka_unit_test(a_number_outside_the_bounds_goes_to_the_bound_at_once),
		cmocka_unit_test(replicas_taken_back_three_times_are_a_conflict),
		cmocka_unit_test(annotations_pause_and_hold),
		cmocka_unit_test(an_annotation_that_cannot_be_read_holds),
		cmocka_unit_test(a_pause_of_scale_in_lets_ups_through),
		cmocka_unit_test(a_change_to_invalid_settings_keeps_the_old_ones),
		cmocka_unit_test(a_standby_asks_nothing_and_writes_nothing),
		cmocka_unit_test(a_lease_lost_within_the_cycle_stops_its_write),
		cmocka_unit_test(a_write_whose_answer_is_lost_is_not_made_twice),
		cmocka_unit_test(a_forbidden_write_is_tried_each_cycle_and_told_once),
		cmocka_unit_test(an_api_that_comes_back_gets_one_decision_from_fresh_data),
		cmocka_unit_test(a_deployment_made_anew_starts_anew),
		cmocka_unit_test(a_restart_remembers_the_last_change),
		cmocka_unit_test(the_maximum_is_told_once_until_it_is_left),
		cmocka_unit_test(a_floor_follows_the_wish_and_leaves_the_replicas_to_the_other),
		cmocka_unit_test(the_status_is_shown_on_change_only),
		cmocka_unit_test(a_clock_that_is_set_moves_no_window),
		cmocka_unit_test(pods_that_do_not_become_ready_are_not_piled_up),
		cmocka_unit_test(all_pods_killed_lowers_nothing),
		cmocka_unit_test(a_noisy_neighbour_ends_at_the_maximum),
		cmocka_unit_test(many_targets_are_one_fetch_and_one_inference),
		cmocka_unit_test(no_sequence_of_faults_and_restarts_breaks_the_promise),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
