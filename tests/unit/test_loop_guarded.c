/*
 * The guarded loop: states and gates: fallback, other autoscalers, what people ask for, who leads. The numbers of faults are those
 * of the specification's table (tests/FAULTS.md).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "fakes/loop_bench.h"

#include <string.h>

/* ---- fallback ---- */

/* D 9: three cycles of hold, then the HPA rule, which may only raise. */
static void a_dead_model_is_held_then_the_rule_may_only_raise(void **state)
{
	(void) state;
	Bench *b = bench_started(3, ACTION_KEEP);
	b->config.target.max_replicas = 5;
	assert_int_equal(cycle(b), 0);
	b->policy.code = ERR_NONFINITE;
	b->rule.action = ACTION_DOWN;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(cycle(b), ERR_NONFINITE);
		bench_want_state(b, STATE_HOLD, REASON_MODEL_UNAVAILABLE);
	}
	assert_int_equal(cycle(b), 0);
	bench_want_state(b, STATE_FALLBACK, REASON_MODEL_UNAVAILABLE);
	assert_int_equal(b->actuator.n_writes, 0);
	assert_true(view_of(b).last.decision.guards & RAIL(FALLBACK_UP_ONLY));
	b->rule.action = ACTION_UP;
	assert_int_equal(cycle(b), 0);
	assert_int_equal(b->actuator.replicas, 4);
	b->metrics.sample.ready = 4;
	b->policy.code = 0;
	for (int i = 0; i < 4; i++) {
		assert_int_equal(cycle(b), 0);
		bench_want_state(b, STATE_FALLBACK, REASON_MODEL_UNAVAILABLE);
	}
	assert_int_equal(cycle(b), 0);
	bench_want_state(b, STATE_ACTIVE, REASON_POLICY_KEEP);
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
	Bench *b = bench_started(3, ACTION_DOWN);
	assert_int_equal(cycle(b), 0);
	b->metrics.code = ERR_UNREACHABLE;
	b->rule.action = ACTION_UP;
	int32_t before = b->actuator.n_writes;
	for (int i = 0; i < 100; i++) {
		assert_int_equal(cycle(b), ERR_UNREACHABLE);
		bench_want_state(b, STATE_HOLD, REASON_METRICS_MISSING);
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
	Bench *b = bench_started(3, ACTION_DOWN);
	b->metrics.sample.valid &= ~(uint32_t) SAMPLE_CPU;
	b->metrics.sample.stale = SAMPLE_CPU;
	str_copy(b->metrics.sample.missing, sizeof b->metrics.sample.missing, "cpu: stale, 90 s old");
	for (int i = 0; i < 6; i++)
		assert_int_equal(cycle(b), ERR_STALE);
	assert_int_equal(b->actuator.n_writes, 0);
	bench_want_state(b, STATE_WARMING, REASON_METRICS_STALE);
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
	bench_want_state(b, STATE_FALLBACK, REASON_OUT_OF_DISTRIBUTION);
	LiveView view = view_of(b);
	assert_non_null(strstr(view.state_detail, "rps"));
	assert_int_equal(view.condition[CONDITION_POLICY_HEALTHY].status, 0);
	assert_string_equal(view.condition[CONDITION_POLICY_HEALTHY].reason, "OutOfDistribution");
	assert_non_null(strstr(b->cluster.status, "OutOfDistribution"));
	bench_free(b);
}

/* The same where the policy asks another process, which says so (`suggestion`). */
static void an_input_that_the_policy_calls_unlike_its_training_falls_back(void **state)
{
	(void) state;
	Bench *b = bench_started(3, ACTION_DOWN);
	b->policy.action = ACTION_KEEP;
	str_copy(b->policy.policy.outside, sizeof b->policy.policy.outside, "rho");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(cycle(b), 0);
		bench_want_state(b, STATE_ACTIVE, REASON_POLICY_KEEP);
	}
	assert_int_equal(cycle(b), 0);
	bench_want_state(b, STATE_FALLBACK, REASON_OUT_OF_DISTRIBUTION);
	assert_non_null(strstr(view_of(b).state_detail, "rho is unlike in training"));
	bench_free(b);
}

/* ---- who else is there ---- */

/* D 24 */
static void another_autoscaler_is_a_conflict_within_one_cycle(void **state)
{
	(void) state;
	Bench *b = bench_started(3, ACTION_UP);
	str_copy(b->cluster.facts.owner, sizeof b->cluster.facts.owner, "HorizontalPodAutoscaler shop/web");
	for (int i = 0; i < 5; i++)
		assert_int_equal(cycle(b), 0);
	assert_int_equal(b->actuator.n_writes, 0);
	bench_want_state(b, STATE_CONFLICT, REASON_CONFLICT);
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
	Bench *b = bench_started(3, ACTION_KEEP);
	assert_int_equal(cycle(b), 0);
	b->actuator.replicas = 5;
	b->metrics.sample.ready = 5;
	str_copy(b->cluster.facts.manager, sizeof b->cluster.facts.manager, "kubectl");
	b->policy.action = ACTION_DOWN;
	assert_int_equal(cycle(b), 0);
	bench_want_state(b, STATE_HOLD, REASON_REPLICAS_CHANGED);
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
	Bench *b = bench_started(3, ACTION_KEEP);
	assert_int_equal(cycle(b), 0);
	b->actuator.replicas = 9;
	assert_int_equal(cycle(b), 0);
	assert_int_equal(b->actuator.replicas, 5);
	bench_want_state(b, STATE_ACTIVE, REASON_TOO_MANY_REPLICAS);
	bench_free(b);

	b = bench_new_whole(3, ACTION_KEEP);
	b->config.target.min_replicas = 2;
	bench_open(b);
	assert_int_equal(cycle(b), 0);
	b->actuator.replicas = 1;
	assert_int_equal(cycle(b), 0);
	assert_int_equal(b->actuator.replicas, 2);
	bench_want_state(b, STATE_ACTIVE, REASON_TOO_FEW_REPLICAS);
	bench_free(b);
}

/* D 25 */
static void replicas_taken_back_three_times_are_a_conflict(void **state)
{
	(void) state;
	Bench *b = bench_started(3, ACTION_UP);
	str_copy(b->cluster.facts.manager, sizeof b->cluster.facts.manager, "argocd");
	for (int i = 0; i < 3; i++) {
		assert_int_equal(cycle(b), 0); /* 3 -> 4 */
		assert_int_equal(b->actuator.replicas, 4);
		b->actuator.replicas = 3;
		assert_int_equal(cycle(b), 0);
	}
	bench_want_state(b, STATE_CONFLICT, REASON_REPLICAS_FOUGHT);
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

/* ---- a new model ---- */

static Bench *new_model(int64_t age_ms)
{
	Bench *b = bench_new_whole(4, ACTION_DOWN);
	str_copy(b->policy.policy.sha256, sizeof b->policy.policy.sha256, "aa");
	b->config.adds_only_ms = 60000;
	b->config.model_age_ms = age_ms;
	b->metrics.sample.ready = 4;
	bench_open(b);
	return b;
}

/* CONTROL B.3: on its first day (a minute here) a model lowers only where the HPA rule would too. */
static void a_new_model_only_adds_for_a_day(void **state)
{
	(void) state;
	Bench *b = new_model(0);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(cycle(b), 0);
		assert_int_equal(b->actuator.replicas, 4);
	}
	assert_int_equal(cycle(b), 0);
	assert_int_equal(b->actuator.replicas, 3);
	b->metrics.sample.ready = 3;
	str_copy(b->policy.policy.sha256, sizeof b->policy.policy.sha256, "bb"); /* another one was put in its place */
	for (int i = 0; i < 4; i++)
		assert_int_equal(cycle(b), 0);
	assert_int_equal(b->actuator.replicas, 3);
	assert_int_equal(cycle(b), 0);
	assert_int_equal(b->actuator.replicas, 2);
	bench_free(b);
}

static void a_new_model_lowers_where_the_rule_does(void **state)
{
	(void) state;
	Bench *b = new_model(0);
	b->rule.action = ACTION_DOWN;
	assert_int_equal(cycle(b), 0);
	assert_int_equal(b->actuator.replicas, 3);
	bench_free(b);
}

static void a_models_day_goes_on_over_a_restart(void **state)
{
	(void) state;
	Bench *b = new_model(45000);
	assert_int_equal(cycle(b), 0);
	assert_int_equal(b->actuator.replicas, 4);
	assert_int_equal(cycle(b), 0);
	assert_int_equal(b->actuator.replicas, 3);
	bench_free(b);
}

/* ---- what people ask for ---- */

static void annotations_pause_and_hold(void **state)
{
	(void) state;
	Bench *b = bench_started(3, ACTION_UP);
	TargetFacts *facts = &b->cluster.facts;
	facts->is_paused = true;
	assert_int_equal(cycle(b), 0);
	bench_want_state(b, STATE_PAUSED, REASON_PAUSED);
	assert_int_equal(b->actuator.n_writes, 0);
	facts->held_replicas = 0; /* wins over paused, and means zero */
	assert_int_equal(cycle(b), 0);
	bench_want_state(b, STATE_MANUAL, REASON_MANUAL);
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
	bench_want_state(b, STATE_ACTIVE, REASON_POLICY_UP);
	bench_free(b);
}

static void an_annotation_that_cannot_be_read_holds(void **state)
{
	(void) state;
	Bench *b = bench_started(3, ACTION_UP);
	str_copy(b->cluster.facts.trouble, sizeof b->cluster.facts.trouble, "maestro.io/paused-replicas: \"many\" is no number");
	for (int i = 0; i < 3; i++)
		assert_int_equal(cycle(b), 0);
	bench_want_state(b, STATE_PAUSED, REASON_INVALID);
	assert_int_equal(b->actuator.n_writes, 0);
	assert_int_equal(fake_side_count(&b->cluster, EVENT_HOLD), 1);
	bench_free(b);
}

static void a_pause_of_scale_in_lets_ups_through(void **state)
{
	(void) state;
	Bench *b = bench_started(3, ACTION_DOWN);
	b->cluster.facts.is_scale_in_paused = true;
	assert_int_equal(cycle(b), 0);
	assert_int_equal(b->actuator.n_writes, 0);
	assert_true(view_of(b).last.decision.guards & RAIL(SCALE_IN_PAUSED));
	b->policy.action = ACTION_UP;
	assert_int_equal(cycle(b), 0);
	assert_int_equal(b->actuator.replicas, 4);
	bench_free(b);
}

static bool settle(void *arg, const TargetFacts *facts, LoopSettings *settings, Error *err)
{
	(void) arg;
	if (facts->max_replicas && facts->max_replicas < settings->target.min_replicas)
		return error_set(err, ERR_INVALID, "shop/web: annotation maestro.io/max-replicas: %d", facts->max_replicas), false;
	if (facts->max_replicas)
		settings->target.max_replicas = facts->max_replicas;
	settings->interval_ms = facts->interval_s > 0 ? (int64_t) (facts->interval_s * 1000) : 15000;
	settings->stabilise_ms = settings->interval_ms == 15000 ? 0 : 300000; /* as of a model that was evaluated at 15 s */
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

/* As `run` does: settings are made anew from options and annotations, and 0 is no price. */
static bool settle_price(void *arg, const TargetFacts *facts, LoopSettings *settings, Error *err)
{
	(void) facts, (void) err;
	settings->target.pod_price = *(const float *) arg;
	return true;
}

static void a_model_is_asked_at_its_own_price_where_no_other_is_told(void **state)
{
	(void) state;
	float told = 0;
	Bench *b = bench_new_whole(3, ACTION_KEEP);
	b->policy.policy.pod_price = 1;
	b->config.settle = settle_price;
	b->config.arg = &told;
	bench_open(b);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(cycle(b), 0);
		assert_true(view_of(b).target.pod_price == 1);
	}
	told = 2;
	assert_int_equal(cycle(b), 0);
	assert_true(view_of(b).target.pod_price == 2);
	bench_free(b);
}

/* An hour of history in steps of an interval, as asked for last. */
static int64_t history_step_ms;
static int histories;

static int note_history(Metrics *metrics, const Target *target, int64_t now_ms, int64_t step_ms, size_t n, Sample *ret, Error *err)
{
	(void) metrics, (void) target, (void) err;
	history_step_ms = step_ms;
	histories++;
	for (size_t i = 0; i < n; i++)
		ret[i] = (Sample) { .wall_ms = now_ms - (int64_t) (n - 1 - i) * step_ms, .valid = SAMPLE_RPS | SAMPLE_REPLICAS, .rps = 50, .replicas = 3,
		                    .ready = 3 };
	return 0;
}

/* maestro.io/interval while it runs: turns, what the policy sees and the rails go by the new one at once. */
static void an_interval_that_is_annotated_holds_from_then_on(void **state)
{
	(void) state;
	Bench *b = bench_new_whole(3, ACTION_KEEP);
	MetricsOps ops = *b->metrics.metrics.ops;
	ops.history = note_history;
	b->metrics.metrics.ops = &ops;
	b->config.settle = settle;
	bench_open(b);
	history_step_ms = histories = 0;
	assert_int_equal(cycle(b), 0);
	assert_int_equal(cycle(b), 0);
	assert_int_equal(histories, 1);
	assert_int_equal(history_step_ms, 15000);
	int32_t points = view_of(b).n_history;
	b->cluster.facts.interval_s = 60;
	b->policy.action = ACTION_DOWN;
	int64_t now_ms = clock_wall_ms(&b->clock);
	assert_int_equal(cycle(b), 0);
	LiveView view = view_of(b);
	assert_true(view.interval_s == 60);
	assert_int_equal(view.next_decision_wall_ms, now_ms + 60000);
	assert_int_equal(histories, 2);
	assert_int_equal(history_step_ms, 60000);
	assert_int_equal(view.n_history, points + 1); /* what was lived through stays */
	/* its evaluation is void: the number of before is a wish for five minutes */
	assert_int_equal(b->actuator.n_writes, 0);
	assert_true(view.last.decision.guards & RAIL(STABILISED));
	b->cluster.facts.interval_s = 0;
	assert_int_equal(cycle(b), 0);
	assert_true(view_of(b).interval_s == 15);
	assert_int_equal(history_step_ms, 15000);
	assert_int_equal(b->actuator.replicas, 2);
	bench_free(b);
}

/* ---- who leads ---- */

static void a_standby_asks_nothing_and_writes_nothing(void **state)
{
	(void) state;
	Bench *b = bench_started(3, ACTION_UP);
	b->cluster.leads = false;
	for (int i = 0; i < 3; i++)
		assert_int_equal(cycle(b), 0);
	assert_int_equal(b->metrics.fetches, 0);
	assert_int_equal(b->actuator.n_writes, 0);
	assert_int_equal(view_of(b).state, STATE_STANDBY);
	assert_int_equal(fake_sink_count(&b->sink, RECORD_DECISION), 3);
	assert_int_equal(view_of(b).state_reason, REASON_NONE);
	b->cluster.is_cut_off = true; /* nobody else has it: the API does not answer, and the state says so */
	assert_int_equal(cycle(b), 0);
	assert_int_equal(view_of(b).state, STATE_STANDBY);
	assert_int_equal(view_of(b).state_reason, REASON_API_ERROR);
	b->cluster.is_cut_off = false;
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dead_model_is_held_then_the_rule_may_only_raise),
		cmocka_unit_test(the_rule_may_lower_where_it_is_allowed_to),
		cmocka_unit_test(no_metrics_is_a_hold_without_end),
		cmocka_unit_test(stale_metrics_are_told_apart),
		cmocka_unit_test(an_input_unlike_the_training_falls_back_and_names_it),
		cmocka_unit_test(an_input_that_the_policy_calls_unlike_its_training_falls_back),
		cmocka_unit_test(another_autoscaler_is_a_conflict_within_one_cycle),
		cmocka_unit_test(a_shadow_watches_beside_another_autoscaler),
		cmocka_unit_test(a_number_set_by_hand_stands_for_an_interval),
		cmocka_unit_test(a_number_outside_the_bounds_goes_to_the_bound_at_once),
		cmocka_unit_test(replicas_taken_back_three_times_are_a_conflict),
		cmocka_unit_test(a_new_model_only_adds_for_a_day),
		cmocka_unit_test(a_new_model_lowers_where_the_rule_does),
		cmocka_unit_test(a_models_day_goes_on_over_a_restart),
		cmocka_unit_test(annotations_pause_and_hold),
		cmocka_unit_test(an_annotation_that_cannot_be_read_holds),
		cmocka_unit_test(a_pause_of_scale_in_lets_ups_through),
		cmocka_unit_test(a_change_to_invalid_settings_keeps_the_old_ones),
		cmocka_unit_test(a_model_is_asked_at_its_own_price_where_no_other_is_told),
		cmocka_unit_test(an_interval_that_is_annotated_holds_from_then_on),
		cmocka_unit_test(a_standby_asks_nothing_and_writes_nothing),
		cmocka_unit_test(a_lease_lost_within_the_cycle_stops_its_write),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
