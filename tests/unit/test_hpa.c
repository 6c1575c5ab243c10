/* The HPA rule as a policy, and its arithmetic at the types' ends. (What the rule answers is in hpa_vectors.sh.) */
#include "base/mem.h"
#include "decide/hpa.h"
#include "decide/hpa_cycle.h"
#include "decide/hpa_metric.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { PODS = 8 };

typedef struct Scene {
	Policy *policy;
	Target target;
	Sample sample;
	PodSample pod[PODS];
} Scene;

static PodSample ready_pod(int64_t usage_m)
{
	return (PodSample) {
		.phase = POD_RUNNING, .ready = READY_TRUE, .has_start_time = true, .has_request = true, .has_usage = true,
		.start_age_ms = 86400000, .ready_age_ms = 80000000, .request_m = 1000, .usage_m = usage_m, .window_ms = 60000,
	};
}

static void set_pods(Scene *scene, int32_t n, int64_t usage_m)
{
	for (int32_t i = 0; i < n; i++)
		scene->pod[i] = ready_pod(usage_m);
	scene->sample.pods = scene->pod;
	scene->sample.n_pods = (size_t) n;
	scene->sample.replicas = n;
}

static int setup(void **state)
{
	static Scene scene;
	HpaConfig config;
	hpa_config_default(&config);
	config.cpu_target_pct = 50;
	scene = (Scene) {
		.target = { .namespace_ = "shop", .name = "cart", .min_replicas = 1, .max_replicas = 20 },
		.sample = { .valid = SAMPLE_REPLICAS, .wall_ms = 1000000000000 },
	};
	*state = &scene;
	return hpa_policy_new(&config, &scene.policy);
}

static int teardown(void **state)
{
	policy_free(((Scene *) *state)->policy);
	return 0;
}

static int decide(Scene *scene, Decision *decision)
{
	const Observation obs = { .target = &scene->target, .sample = &scene->sample };
	return scene->policy->ops->decide(scene->policy, &obs, 1, decision);
}

static int32_t raw_after(Scene *scene, int64_t pass_ms)
{
	Decision decision = { 0 };
	scene->sample.wall_ms += pass_ms;
	assert_int_equal(decide(scene, &decision), 0);
	return decision.raw;
}

static void hpa_policy_fills_the_decision(void **state)
{
	Scene *scene = *state;
	Decision decision = { .desired = 77, .hpa = -1 };
	set_pods(scene, 4, 900); /* 90 % against 50 %: 1.8 x 4 = 7.2 */
	assert_int_equal(decide(scene, &decision), 0);
	assert_int_equal(decision.raw, 8);
	assert_int_equal(decision.action, ACTION_UP);
	assert_int_equal(decision.reason, REASON_POLICY_UP);
	assert_int_equal(decision.n_actions, 0);
	assert_true(isnan(decision.value));
	assert_int_equal(decision.desired, 77); /* the loop's own fields stay */
	assert_int_equal(decision.hpa, -1);
	assert_non_null(strstr(decision.detail, "90 %"));
	set_pods(scene, 4, 500);
	assert_int_equal(decide(scene, &decision), 0);
	assert_int_equal(decision.raw, 8); /* the window holds the 8 of a moment ago */
	assert_int_equal(decision.proposal, 4);
}

static void hpa_policy_holds_a_down_for_one_window(void **state)
{
	Scene *scene = *state;
	set_pods(scene, 6, 100); /* wants 2 */
	assert_int_equal(raw_after(scene, 0), 6);
	assert_int_equal(raw_after(scene, 150000), 6);
	assert_int_equal(raw_after(scene, 150000), 6); /* 300 s exactly still count */
	assert_int_equal(raw_after(scene, 1), 2);
}

static void hpa_policy_reset_forgets_the_window(void **state)
{
	Scene *scene = *state;
	set_pods(scene, 6, 100);
	assert_int_equal(raw_after(scene, 0), 6);
	scene->policy->ops->reset(scene->policy);
	set_pods(scene, 3, 100);
	assert_int_equal(raw_after(scene, 15000), 3); /* 3 is first seen now; the 6 before is gone */
	assert_int_equal(raw_after(scene, 300001), 1);
}

static void hpa_policy_goes_to_a_bound_at_once(void **state)
{
	Scene *scene = *state;
	Decision decision = { 0 };
	scene->target.max_replicas = 3;
	set_pods(scene, 6, 500);
	assert_int_equal(decide(scene, &decision), 0);
	assert_int_equal(decision.raw, 3);
	assert_int_equal(decision.reason, REASON_TOO_MANY_REPLICAS);
	scene->target.min_replicas = 4;
	scene->target.max_replicas = 9;
	set_pods(scene, 2, 500);
	assert_int_equal(decide(scene, &decision), 0);
	assert_int_equal(decision.raw, 4);
	assert_int_equal(decision.reason, REASON_TOO_FEW_REPLICAS);
}

/* As the reference has it: within cpu_init a sample counts only if its window began when the pod was ready. It is said, since all else is well. */
static void hpa_policy_says_that_a_pod_is_ready_for_too_short(void **state)
{
	Scene *scene = *state;
	Decision decision = { 0 };
	set_pods(scene, 2, 80);
	for (int i = 0; i < 2; i++) {
		scene->pod[i].has_start_time = true;
		scene->pod[i].window_ms = 60000;
		scene->pod[i].sample_age_ms = 2000;
		scene->pod[i].start_age_ms = scene->pod[i].ready_age_ms = 61000;
	}
	assert_int_equal(decide(scene, &decision), ERR_NO_DATA);
	assert_string_equal(scene->policy->trouble, "no pod has been ready for the whole window of its cpu sample");
	scene->pod[0].start_age_ms = scene->pod[0].ready_age_ms = 62000;
	assert_int_equal(decide(scene, &decision), 0);
	assert_string_equal(scene->policy->trouble, "");
}

/* Whatever is missing, the answer is an error and the decision stays as it was. */
static void hpa_policy_without_data_gives_no_number(void **state)
{
	Scene *scene = *state;
	Decision untouched, decision;
	memset(&untouched, 0x5a, sizeof untouched);
	for (int missing = 0; missing < 6; missing++) {
		set_pods(scene, 4, 900);
		scene->sample.valid = SAMPLE_REPLICAS;
		switch (missing) {
		case 0: scene->sample.pods = NULL; break;
		case 1: scene->sample.n_pods = 0; break;
		case 2: scene->sample.valid = 0; break;
		case 3: scene->pod[2].has_request = false; break;
		case 4: for (int i = 0; i < 4; i++) scene->pod[i].has_usage = false; break;
		default: for (int i = 0; i < 4; i++) scene->pod[i].request_m = 0; break;
		}
		memcpy(&decision, &untouched, sizeof decision);
		assert_int_equal(decide(scene, &decision), ERR_NO_DATA);
		assert_memory_equal(&decision, &untouched, sizeof decision);
	}
}

static void hpa_policy_after_an_outage_does_not_scale_down_early(void **state)
{
	Scene *scene = *state;
	Decision decision;
	set_pods(scene, 6, 100);
	scene->sample.pods = NULL; /* first seen without data: its 6 replicas count from here */
	assert_int_equal(decide(scene, &decision), ERR_NO_DATA);
	set_pods(scene, 6, 100);
	assert_int_equal(raw_after(scene, 299000), 6);
	assert_int_equal(raw_after(scene, 1001), 2);
}

static void hpa_policy_serves_one_target(void **state)
{
	Scene *scene = *state;
	Decision decision[2];
	const Observation obs[2] = { { .target = &scene->target, .sample = &scene->sample } };
	assert_int_equal(scene->policy->ops->decide(scene->policy, obs, 2, decision), ERR_INVALID);
}

static void hpa_policy_is_labelled_as_on_the_command_line(void **state)
{
	Scene *scene = *state;
	assert_string_equal(scene->policy->label, "hpa:cpu=50");
	HpaConfig config;
	hpa_config_default(&config);
	Policy *plain = NULL;
	assert_int_equal(hpa_policy_new(&config, &plain), 0);
	assert_string_equal(plain->label, "hpa");
	policy_free(plain);
	config.cpu_target_pct = 0;
	assert_int_equal(hpa_policy_new(&config, &plain), ERR_INVALID);
}

/* ---- where the reference wraps, ours stops at the end: a huge value never asks for fewer ---- */

static void hpa_utilisation_past_the_type_asks_for_the_most(void **state)
{
	(void) state;
	PodSample pod[2] = { ready_pod(INT64_MAX), ready_pod(INT64_MAX) };
	HpaPodMetric metric = {
		.pods = { .pod = pod, .n = 2 }, .current = 2, .is_utilisation = true, .target = 1, .tolerance = { .1, .1 },
	};
	HpaProposal got;
	assert_int_equal(hpa_propose_pods(&metric, &got), HPA_OK);
	assert_int_equal(got.replicas, INT32_MAX);
	assert_int_equal(got.utilization_pct, INT32_MAX);
	metric.is_utilisation = false;
	assert_int_equal(hpa_propose_pods(&metric, &got), HPA_OK);
	assert_int_equal(got.replicas, INT32_MAX);
	pod[0].usage_m = pod[1].usage_m = INT64_MIN;
	assert_int_equal(hpa_propose_pods(&metric, &got), HPA_OK);
	assert_int_equal(got.replicas, INT32_MIN);
}

static void hpa_values_past_the_type_ask_for_the_most(void **state)
{
	(void) state;
	const int64_t values[3] = { INT64_MAX, INT64_MAX, 5 };
	const PodSample pod = ready_pod(0);
	HpaValueMetric metric = {
		.pod = &pod, .n_pods = 1, .current = 3, .value_m = hpa_sum(values, 3), .target_m = 1, .tolerance = { .1, .1 },
	};
	HpaProposal got;
	assert_true(metric.value_m == INT64_MAX);
	assert_int_equal(hpa_propose_value(&metric, &got), HPA_OK);
	assert_int_equal(got.replicas, INT32_MAX);
	hpa_propose_per_pod(&metric, &got);
	assert_int_equal(got.replicas, INT32_MAX);
	assert_true(got.usage_m > INT64_MAX / 4);
}

static void hpa_rates_past_the_type_do_not_limit(void **state)
{
	(void) state;
	const HpaRate rates[2] = { { HPA_RATE_PODS, INT32_MAX, 15000 }, { HPA_RATE_PERCENT, INT32_MAX, 15000 } };
	HpaBehavior behavior;
	hpa_behavior_default(&behavior, 0);
	for (size_t r = 0; r < 2; r++) {
		behavior.up.rate = behavior.down.rate = &rates[r];
		behavior.up.n_rates = behavior.down.n_rates = 1;
		const HpaSettings settings = { .min = 1, .max = INT32_MAX, .behavior = &behavior };
		HpaHistory history = { 0 };
		HpaNormalised got;
		assert_int_equal(hpa_normalise(&settings, &history, 0, INT32_MAX - 5, INT32_MAX, &got), 0);
		assert_int_equal(got.replicas, INT32_MAX);
		assert_int_equal(hpa_normalise(&settings, &history, 1, 4000, 1, &got), 0);
		assert_int_equal(got.replicas, 1);
		hpa_history_done(&history);
	}
}

static void hpa_cycle_without_any_metric_does_not_act(void **state)
{
	(void) state;
	HpaVerdict verdict = hpa_combine(NULL, 0, 3);
	assert_false(verdict.acts);
	assert_true(verdict.has_error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(hpa_policy_fills_the_decision, setup, teardown),
		cmocka_unit_test_setup_teardown(hpa_policy_holds_a_down_for_one_window, setup, teardown),
		cmocka_unit_test_setup_teardown(hpa_policy_reset_forgets_the_window, setup, teardown),
		cmocka_unit_test_setup_teardown(hpa_policy_goes_to_a_bound_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(hpa_policy_says_that_a_pod_is_ready_for_too_short, setup, teardown),
		cmocka_unit_test_setup_teardown(hpa_policy_without_data_gives_no_number, setup, teardown),
		cmocka_unit_test_setup_teardown(hpa_policy_after_an_outage_does_not_scale_down_early, setup, teardown),
		cmocka_unit_test_setup_teardown(hpa_policy_serves_one_target, setup, teardown),
		cmocka_unit_test_setup_teardown(hpa_policy_is_labelled_as_on_the_command_line, setup, teardown),
		cmocka_unit_test(hpa_utilisation_past_the_type_asks_for_the_most),
		cmocka_unit_test(hpa_values_past_the_type_ask_for_the_most),
		cmocka_unit_test(hpa_rates_past_the_type_do_not_limit),
		cmocka_unit_test(hpa_cycle_without_any_metric_does_not_act),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
