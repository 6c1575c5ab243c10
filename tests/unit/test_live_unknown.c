/* Training on a live cluster: what it waits for, what it is refused, and what it never makes up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fakes/live_world.h"

#include <stdio.h>
#include <string.h>

static void back_at_the_third_wait(LiveWorld *w)
{
	if (w->waits == 1)
		w->metrics.code = ERR_UNREACHABLE;
	if (w->waits == 3) {
		w->metrics.code = 0;
		w->metrics.sample.latency_ms = 300;
	}
}

static void an_outage_is_waited_out_and_ends_the_episode(void **state)
{
	(void) state;
	LiveWorld *w = live_world_new(1, OBS_SEED);
	w->on_wait = back_at_the_third_wait;
	live_world_open(w);
	assert_int_equal(live_world_step(w, ACTION_UP), 0);
	assert_int_equal(w->waits, 3);
	assert_int_equal(w->actuator[0].n_writes, 1); /* the action's own */
	assert_true(w->buf.truncated[0]);
	assert_false(w->buf.terminated[0]);
	assert_float_equal(w->buf.reward[0], .06f + .7f * .8f, 1e-6); /* of the interval that was seen */
	assert_memory_equal(w->buf.final_obs, w->buf.obs, 5 * sizeof(float));
	assert_float_equal(w->buf.final_obs[3], 300, 0);
	assert_non_null(strstr(w->said[0], "web0"));
	assert_non_null(strstr(w->said[0], "MetricsMissing"));
	assert_string_equal(w->said[w->n_said - 1], ""); /* it goes on */
	live_world_free(w);
}

static void a_value_is_gone_for_one_wait(LiveWorld *w)
{
	w->metrics.sample.valid = w->waits == 1 ? SAMPLE_ALL & ~SAMPLE_LATENCY : SAMPLE_ALL;
	w->metrics.sample.latency_ms = w->waits == 1 ? 0 : 120;
}

static void a_missing_value_is_no_number(void **state)
{
	(void) state;
	LiveWorld *w = live_world_new(1, OBS_SEED);
	w->on_wait = a_value_is_gone_for_one_wait;
	live_world_open(w);
	assert_int_equal(live_world_step(w, ACTION_KEEP), 0);
	assert_int_equal(w->waits, 2);
	assert_float_equal(w->buf.obs[3], 120, 0);
	assert_true(w->buf.truncated[0]);
	live_world_free(w);
}

static void api_goes_away(LiveWorld *w)
{
	w->actuator[0].get_code = w->waits == 1 ? ERR_UNREACHABLE : 0;
}

static void an_api_that_is_away_is_waited_for(void **state)
{
	(void) state;
	LiveWorld *w = live_world_new(2, OBS_SEED);
	w->on_wait = api_goes_away;
	live_world_open(w);
	assert_int_equal(live_world_step(w, ACTION_UP), 0);
	assert_true(w->buf.truncated[0] && w->buf.truncated[1]); /* they step together */
	assert_int_equal(w->actuator[1].n_writes, 1);
	live_world_free(w);
}

static void a_refused_write_is_data(void **state)
{
	(void) state;
	LiveWorld *w = live_world_new(1, OBS_SEED);
	live_world_open(w);
	w->actuator[0].conflicts = 1; /* somebody sets 2 meanwhile */
	w->actuator[0].moves_to = 2;
	assert_int_equal(live_world_step(w, ACTION_UP), 0);
	assert_int_equal(w->actuator[0].replicas, 2);
	assert_true(w->buf.info[0].is_refused);
	assert_float_equal(w->buf.obs[2], 2, 0);
	assert_float_equal(w->buf.reward[0], .18f + .7f, 1e-6);
	assert_false(w->buf.truncated[0]);
	w->actuator[0].set_code = ERR_FORBIDDEN;
	assert_int_equal(live_world_step(w, ACTION_UP), 0);
	assert_true(w->buf.info[0].is_refused);
	live_world_free(w);
}

static void an_hpa_comes_and_goes(LiveWorld *w)
{
	(void) snprintf(w->side.facts.owner, sizeof w->side.facts.owner, "%s", w->waits <= 2 ? "HorizontalPodAutoscaler shop/web" : "");
}

static void another_autoscaler_stops_the_training(void **state)
{
	(void) state;
	LiveWorld *w = live_world_new(1, OBS_SEED);
	live_world_open(w);
	w->on_wait = an_hpa_comes_and_goes;
	assert_int_equal(live_world_step(w, ACTION_KEEP), 0);
	assert_int_equal(w->waits, 4); /* its own, two with the HPA, one more without it before it counts as gone */
	assert_int_equal(w->actuator[0].n_writes, 0);
	assert_non_null(strstr(w->said[0], "Conflict"));
	assert_true(w->buf.truncated[0]);
	live_world_free(w);
}

static void leads_again(LiveWorld *w)
{
	w->side.leads = true;
}

static void a_lost_lease_refuses_the_write(void **state)
{
	(void) state;
	LiveWorld *w = live_world_new(1, OBS_SEED);
	live_world_open(w);
	w->side.leads = false;
	w->on_wait = leads_again;
	assert_int_equal(live_world_step(w, ACTION_UP), 0);
	assert_int_equal(w->actuator[0].n_writes, 0);
	assert_true(w->buf.info[0].is_refused);
	live_world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_outage_is_waited_out_and_ends_the_episode),
		cmocka_unit_test(a_missing_value_is_no_number),
		cmocka_unit_test(an_api_that_is_away_is_waited_for),
		cmocka_unit_test(a_refused_write_is_data),
		cmocka_unit_test(another_autoscaler_stops_the_training),
		cmocka_unit_test(a_lost_lease_refuses_the_write),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
