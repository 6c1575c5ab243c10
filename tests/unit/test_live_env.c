/* An environment on a live cluster: what a step is, what it costs, and when an episode, a budget and the training end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fakes/live_world.h"

#include <stdlib.h>
#include <string.h>

enum { MINUS_ONE = 1, AS_IT_IS, PLUS_ONE, DOUBLE = 6 }; /* of the wide set */

static void a_step_writes_waits_an_interval_and_sees(void **state)
{
	(void) state;
	LiveWorld *w = live_world_new(1, OBS_SEED);
	live_world_open(w);
	assert_int_equal(w->waits, 0);
	int64_t before_ms = w->clock.now_ms;
	assert_int_equal(live_world_step(w, ACTION_UP), 0);
	assert_int_equal(w->clock.now_ms - before_ms, LIVE_STEP_MS);
	assert_int_equal(w->actuator[0].replicas, 4);
	assert_float_equal(w->buf.obs[0], 30, 1e-4); /* .3 cores, percent of one */
	assert_float_equal(w->buf.obs[2], 4, 0);
	assert_float_equal(w->buf.obs[3], 120, 0);
	assert_float_equal(w->buf.reward[0], .06f + .7f, 1e-6); /* the thesis's, within soft */
	assert_false(w->buf.truncated[0] || w->buf.terminated[0] || w->buf.info[0].is_refused);
	assert_int_equal(w->buf.info[0].replicas, 4);
	const Record *row = fake_sink_last(&w->sink, RECORD_DECISION);
	assert_int_equal(row->u.decision.decision.action, ACTION_UP);
	assert_string_equal(row->u.decision.policy, "in training");
	live_world_free(w);
}

static void guard_rails_are_on_and_in_the_mask(void **state)
{
	(void) state;
	LiveWorld *w = live_world_new(1, OBS_SEED);
	live_world_open(w);
	assert_int_equal(live_world_step(w, ACTION_UP), 0);
	assert_int_equal(w->buf.mask[ACTION_DOWN], 0); /* the cooldown of an up: 60 s */
	assert_int_equal(live_world_step(w, ACTION_DOWN), 0);     /* drawn without a mask: nothing is written */
	assert_int_equal(w->actuator[0].n_writes, 1);
	assert_int_equal(w->actuator[0].replicas, 4);
	live_world_free(w);
}

static void deployments_step_side_by_side(void **state)
{
	(void) state;
	LiveWorld *w = live_world_new(2, OBS_TREND);
	w->config.is_slo = true;
	live_world_open(w);
	int64_t before_ms = w->clock.now_ms;
	w->buf.action[0] = PLUS_ONE;
	w->buf.action[1] = AS_IT_IS;
	assert_int_equal(w->env->ops->step(w->env, 0, 2, &w->buf), 0);
	assert_int_equal(w->clock.now_ms - before_ms, LIVE_STEP_MS); /* for both together */
	assert_int_equal(w->actuator[0].replicas, 4);
	assert_int_equal(w->actuator[1].replicas, 3);
	assert_float_equal(w->buf.reward[0], -(.3 * 4 / 5 + .003), 1e-6);
	assert_float_equal(w->buf.reward[1], -(.3 * 3 / 5), 1e-6);
	assert_int_equal(w->env->ops->step(w->env, 0, 1, &w->buf), ERR_INVALID);
	live_world_free(w);
}

static void wide_actions_move_as_many_pods_as_the_rails_leave(void **state)
{
	(void) state;
	LiveWorld *w = live_world_new(1, OBS_TREND);
	w->config.is_slo = true;
	w->actuator[0].replicas = 2;
	live_world_open(w);
	assert_int_equal(w->buf.mask[AS_IT_IS], 1);
	assert_int_equal(w->buf.mask[DOUBLE], 1);
	assert_int_equal(live_world_step(w, DOUBLE), 0);
	assert_int_equal(w->actuator[0].replicas, 4);
	const Record *row = fake_sink_last(&w->sink, RECORD_DECISION);
	assert_int_equal(row->u.decision.decision.action, ACTION_UP); /* records speak of directions */
	assert_int_equal(row->u.decision.decision.raw, 4);
	assert_int_equal(w->buf.mask[DOUBLE], 0);    /* eight of at most five */
	assert_int_equal(w->buf.mask[MINUS_ONE], 0); /* the cooldown of an up */
	assert_int_equal(live_world_step(w, MINUS_ONE), 0);
	assert_int_equal(w->actuator[0].replicas, 4);
	live_world_free(w);
}

static void a_slow_interval_costs_what_the_yardstick_counts(void **state)
{
	(void) state;
	LiveWorld *w = live_world_new(1, OBS_TREND);
	w->config.is_slo = true;
	live_world_open(w);
	w->metrics.sample.latency_ms = 600;
	assert_int_equal(live_world_step(w, AS_IT_IS), 0);
	assert_float_equal(w->buf.reward[0], -(.3 * 3 / 5 + 2), 1e-6); /* over soft and over hard */
	assert_false(w->buf.terminated[0]);
	w->metrics.sample.latency_ms = 300;
	assert_int_equal(live_world_step(w, AS_IT_IS), 0);
	assert_float_equal(w->buf.reward[0], -(.3 * 3 / 5 + 1), 1e-6);
	live_world_free(w);
}

/* ---- ends ---- */

static void a_stop_does_not_wait_for_the_interval(void **state)
{
	(void) state;
	LiveWorld *w = live_world_new(1, OBS_SEED);
	live_world_open(w);
	w->stop_at = 1;
	assert_int_equal(live_world_step(w, ACTION_KEEP), ERR_CLOSED);
	w->metrics.code = ERR_UNREACHABLE;
	w->stop_at = 3;
	assert_int_equal(live_world_step(w, ACTION_KEEP), ERR_CLOSED); /* in an outage too */
	assert_string_equal(live_env_spent(w->env), "");
	live_world_free(w);
}

static void budgets_end_it(void **state)
{
	(void) state;
	LiveWorld *w = live_world_new(2, OBS_SEED);
	w->config.max_hours = 1;
	live_world_open(w);
	int n = 0;
	while (!live_world_step(w, ACTION_KEEP))
		n++;
	assert_int_equal(n, 3600 * 1000 / LIVE_STEP_MS - 1);
	assert_string_equal(live_env_spent(w->env), "--max-hours 1 are spent");
	assert_int_equal(w->env->ops->look(w->env, &w->buf), ERR_CLOSED);
	live_world_free(w);
	w = live_world_new(2, OBS_SEED);
	w->config.max_pod_hours = 1;
	live_world_open(w);
	for (n = 0; !live_world_step(w, ACTION_KEEP); n++)
		;
	assert_int_equal(n, 3600 * 1000 / LIVE_STEP_MS / 6 - 1); /* two Deployments of three pods */
	assert_non_null(strstr(live_env_spent(w->env), "--max-pod-hours"));
	live_world_free(w);
}

static void episodes_end_by_their_length_and_go_on_after_a_restart(void **state)
{
	(void) state;
	LiveWorld *w = live_world_new(1, OBS_SEED);
	w->config.episode_steps = 5;
	w->config.max_hours = 1;
	live_world_open(w);
	for (int i = 0; i < 3; i++)
		assert_int_equal(live_world_step(w, ACTION_KEEP), 0);
	size_t size = w->env->ops->state_size(w->env);
	void *saved = malloc(size);
	assert_non_null(saved);
	w->env->ops->snapshot(w->env, saved);
	Error err = { 0 };
	Env *again = NULL;
	assert_int_equal(live_env_new(&w->config, &again, &err), 0);
	live_env_host(again, &(LiveHost) { live_world_wait, live_world_say, w });
	assert_int_equal(again->ops->restore(again, saved, size - 1), ERR_INVALID);
	assert_int_equal(again->ops->restore(again, saved, size), 0);
	env_free(w->env);
	w->env = again;
	w->clock.now_ms += 3600 * 1000; /* away: neither budget nor episode count it */
	assert_int_equal(again->ops->look(again, &w->buf), 0);
	assert_int_equal(live_world_step(w, ACTION_KEEP), 0);
	assert_false(w->buf.truncated[0]);
	assert_int_equal(live_world_step(w, ACTION_KEEP), 0);
	assert_true(w->buf.truncated[0]);
	int n = 5;
	while (!live_world_step(w, ACTION_KEEP))
		n++;
	assert_int_equal(n, 3600 * 1000 / LIVE_STEP_MS - 1);
	free(saved);
	live_world_free(w);
}

static int count_fault(void *arg, const Target *target, uint32_t draw, Error *err)
{
	(void) target, (void) draw, (void) err;
	++*(int *) arg;
	return 0;
}

static uint32_t no_fault(void *arg, const Target *target)
{
	(void) arg, (void) target;
	return 0;
}

static void faults_begin_in_training_alone(void **state)
{
	(void) state;
	int begun = 0;
	LiveWorld *w = live_world_new(2, OBS_SEED);
	w->config.chaos_rate = 1;
	w->config.faults = (LiveFaults) { count_fault, no_fault, &begun };
	live_world_open(w);
	assert_int_equal(live_world_step(w, ACTION_KEEP), 0);
	assert_int_equal(begun, 2); /* one for each Deployment */
	live_env_aside(w->env, true);
	assert_int_equal(live_world_step(w, ACTION_KEEP), 0);
	assert_int_equal(begun, 2);
	live_env_aside(w->env, false);
	assert_int_equal(live_world_step(w, ACTION_KEEP), 0);
	assert_int_equal(begun, 4);
	live_world_free(w);
}

static void evaluation_leaves_the_episode_as_it_was(void **state)
{
	(void) state;
	LiveWorld *w = live_world_new(1, OBS_SEED);
	w->config.episode_steps = 3;
	live_world_open(w);
	assert_int_equal(live_world_step(w, ACTION_KEEP), 0);
	live_env_aside(w->env, true);
	for (int i = 0; i < 3; i++)
		assert_int_equal(live_world_step(w, ACTION_KEEP), 0);
	assert_true(w->buf.truncated[0]);
	live_env_aside(w->env, false);
	assert_int_equal(live_world_step(w, ACTION_KEEP), 0);
	assert_false(w->buf.truncated[0]);
	assert_int_equal(live_world_step(w, ACTION_KEEP), 0);
	assert_true(w->buf.truncated[0]);
	live_world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_step_writes_waits_an_interval_and_sees),
		cmocka_unit_test(guard_rails_are_on_and_in_the_mask),
		cmocka_unit_test(deployments_step_side_by_side),
		cmocka_unit_test(wide_actions_move_as_many_pods_as_the_rails_leave),
		cmocka_unit_test(a_slow_interval_costs_what_the_yardstick_counts),
		cmocka_unit_test(a_stop_does_not_wait_for_the_interval),
		cmocka_unit_test(budgets_end_it),
		cmocka_unit_test(episodes_end_by_their_length_and_go_on_after_a_restart),
		cmocka_unit_test(faults_begin_in_training_alone),
		cmocka_unit_test(evaluation_leaves_the_episode_as_it_was),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
