/* Looks at policies: axes, ranges, effects, the nearest flip, the rule beside; over a scripted policy and the HPA rule. */
#include "control/inspector.h"
#include "decide/hpa.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Up where rps is over 100 a replica, but oddly less so past 900; knows 10..1000 rps from training. */
static int decide(Policy *policy, const Observation *obs, size_t n, Decision *ret)
{
	(void) policy, (void) n;
	float per = obs->x[4] / fmaxf(obs->x[2], 1);
	float up = per > 100 ? .9f : .1f;
	if (obs->x[4] > 900)
		up *= .5f;
	ret->action = up > .5f ? ACTION_UP : ACTION_KEEP;
	ret->n_actions = ACTION_COUNT;
	ret->probability[ACTION_DOWN] = 0;
	ret->probability[ACTION_KEEP] = 1 - up;
	ret->probability[ACTION_UP] = up;
	ret->value = per;
	return 0;
}

static bool range(const Policy *policy, int32_t i, float *lo, float *hi)
{
	(void) policy;
	*lo = i == 4 ? 10 : 0;
	*hi = 1000;
	return i == 4;
}

static const PolicyOps OPS = { .name = "scripted", .decide = decide, .range = range };

typedef struct Desk {
	LiveView live;
	PolicyView view;
	Policy policy;
} Desk;

static int open_desk(void **state)
{
	Desk *desk = calloc(1, sizeof *desk);
	if (!desk)
		return -1;
	desk->policy = (Policy) { .ops = &OPS, .obs_version = 1 };
	LiveView *live = &desk->live;
	live->target.min_replicas = 1;
	live->target.max_replicas = 10;
	live->obs_dim = OBS_SEED_DIM;
	const float now[] = { 200, .3f, 4, 180, 600 };
	memcpy(live->obs, now, sizeof now);
	live->last.sample = (Sample) { .valid = SAMPLE_ALL, .replicas = 4, .ready = 4, .cpu_request_cores = .5, .wall_ms = 1000000 };
	for (int i = 0; i < 21; i++)
		live->history[live->n_history++] = (HistoryPoint) { .wall_ms = i, .latency_ms = 100, .rps = 300, .cpu_cores = 1,
			.mem_bytes = 1e9f, .replicas = 4, .ready = 4, .hpa = -1 };
	*state = desk;
	return 0;
}

static int close_desk(void **state)
{
	free(*state);
	return 0;
}

static void look(Desk *desk, PolicyQuery query)
{
	query.nx = query.nx ? query.nx : 50;
	query.ny = query.ny ? query.ny : 24;
	inspector_look(&query, &desk->policy, NULL, (ObsSpec) { .kind = OBS_SEED }, &desk->live, &desk->view);
}

static void axes_are_rate_over_replicas_at_first(void **state)
{
	Desk *desk = *state;
	const PolicyView *v = &desk->view;
	look(desk, (PolicyQuery) { .x = -1, .y = -1 });
	assert_int_equal(v->code, 0);
	assert_int_equal(v->n_inputs, 5);
	assert_string_equal(v->input[v->x].name, "rps");
	assert_string_equal(v->input[v->y].name, "replicas");
	assert_string_equal(v->input[v->x].meaning, "requests a second");
	assert_int_equal(v->ny, 10); /* a row a replica */
	assert_int_equal(v->n_cells, v->nx * v->ny);
	assert_true(v->input[4].lo == 0 && v->input[4].hi > 1000); /* a little past what was seen */
	int right_below = v->nx - 1, left_above = (v->ny - 1) * v->nx;
	assert_true(v->up[right_below / 2] > .8f && v->up[left_above] < .2f);
	assert_true(v->here[left_above] == 10);
}

static void cells_outside_training_and_odd_ones_are_flagged(void **state)
{
	Desk *desk = *state;
	const PolicyView *v = &desk->view;
	look(desk, (PolicyQuery) { .x = -1, .y = -1 });
	for (int c = 0; c < v->nx; c++) {
		double rps = (double) (v->input[4].lo + (v->input[4].hi - v->input[4].lo) * (float) c / (float) (v->nx - 1));
		assert_int_equal((v->flag[c] & CELL_OUTSIDE) != 0, rps < 10 || rps > 1000);
	}
	int odd = 0;
	for (int at = 0; at < v->n_cells; at++)
		odd += v->flag[at] & CELL_ODD ? 1 : 0;
	assert_int_equal(odd, v->ny - 1); /* past 900 in each row but that of 9, where it crosses 100 a replica there */
	look(desk, (PolicyQuery) { .x = 2, .y = 4 }); /* more replicas are no more load */
	for (int at = 0; at < v->n_cells; at++)
		assert_false(v->flag[at] & CELL_ODD);
}

static void effect_is_the_swap_for_what_is_usual(void **state)
{
	Desk *desk = *state;
	const PolicyView *v = &desk->view;
	look(desk, (PolicyQuery) { .x = -1, .y = -1 });
	assert_true(fabsf(v->p_now[ACTION_UP] - .9f) < 1e-6f); /* 150 a replica */
	assert_true(fabsf(v->input[4].effect - .8f) < 1e-6f);  /* usual is 75 a replica */
	assert_true(fabsf(v->input[3].effect) < 1e-6f);
	assert_string_equal(v->input[v->flip_input].name, "rps"); /* nearest in shares of the axis: 600 to 400 or to 900 */
	PolicyQuery fixed = { .x = -1, .y = -1, .fixed = 1u << 4 };
	fixed.value[4] = 100;
	look(desk, fixed);
	assert_true(fabsf(v->p_now[ACTION_UP] - .1f) < 1e-6f);
	assert_true(v->input[4].now == 100);
}

/* Its choice hangs by an input that was the same all through training. */
static int decide_by_chance(Policy *policy, const Observation *obs, size_t n, Decision *ret)
{
	(void) policy, (void) n;
	bool is_up = obs->x[0] < 200 || obs->x[0] > 200;
	*ret = (Decision) { .action = is_up ? ACTION_UP : ACTION_KEEP, .n_actions = ACTION_COUNT };
	ret->probability[ret->action] = 1;
	return 0;
}

static bool range_of_one(const Policy *policy, int32_t i, float *lo, float *hi)
{
	(void) policy;
	*lo = *hi = 200;
	return i == 0;
}

static void what_never_varied_in_training_is_no_nearest_flip(void **state)
{
	static const PolicyOps CHANCE = { .name = "chance", .decide = decide_by_chance, .range = range_of_one };
	static const PolicyOps KNOWN = { .name = "known", .decide = decide_by_chance };
	Desk *desk = *state;
	desk->policy.ops = &CHANCE;
	look(desk, (PolicyQuery) { .x = -1, .y = -1 });
	assert_int_equal(desk->view.flip_input, -1);
	desk->policy.ops = &KNOWN; /* of which nothing is told */
	look(desk, (PolicyQuery) { .x = -1, .y = -1 });
	assert_int_equal(desk->view.flip_input, 0);
}

static void the_rule_is_asked_with_pods_that_share_the_load(void **state)
{
	Desk *desk = *state;
	Policy *rule = NULL;
	HpaConfig config;
	hpa_config_default(&config);
	assert_int_equal(hpa_policy_new(&config, &rule), 0);
	PolicyQuery query = { .x = 0, .y = 2, .nx = 41, .ny = 10 };
	Policy *apart = rule->ops->copy(rule);
	inspector_look(&query, &desk->policy, apart, (ObsSpec) { .kind = OBS_SEED }, &desk->live, &desk->view);
	const PolicyView *v = &desk->view;
	assert_int_equal(v->hpa_now, 5); /* 2 cores of 4 x .5: 100 % against 80 */
	for (int at = 0; at < v->n_cells; at++) {
		double cores = (double) v->input[0].hi * (at % v->nx) / (v->nx - 1) / 100, ratio = cores / (v->here[at] * .5) / .8;
		int want = fabs(ratio - 1) <= .1 ? v->here[at] : (int) ceil(ratio * v->here[at] - 1e-9);
		want = want < 1 ? 1 : want > 10 ? 10 : want;
		/* cpu is counted in whole percent, and growth is limited to twice the replicas or four */
		int most = 2 * v->here[at] > 4 ? 2 * v->here[at] : 4;
		if (want <= most && cores > 0)
			if (abs(v->hpa[at] - want) > 1)
				fail_msg("%.2f cores, %d replicas: %d, not %d", cores, v->here[at], v->hpa[at], want);
	}
	policy_free(apart);
	policy_free(rule);
}

static void a_rule_is_looked_at_too(void **state)
{
	Desk *desk = *state;
	Policy *rule = NULL;
	HpaConfig config;
	hpa_config_default(&config);
	assert_int_equal(hpa_policy_new(&config, &rule), 0);
	PolicyQuery query = { .x = 0, .y = 2, .nx = 41, .ny = 10 };
	inspector_look(&query, rule, NULL, (ObsSpec) { .kind = OBS_SEED }, &desk->live, &desk->view);
	assert_true(desk->view.is_rule);
	assert_true(desk->view.p_now[ACTION_UP] == 1);
	assert_int_equal(desk->view.hpa_now, -1);
	Policy *copy = rule->ops->copy(rule);
	assert_non_null(copy);
	policy_free(copy);
	policy_free(rule);
}

/* No sample can be made of such inputs, so that there is no map of the rule; what it said here is known all the same. */
static void where_the_rule_cannot_be_asked_its_last_word_stands(void **state)
{
	Desk *desk = *state;
	PolicyQuery query = { .x = -1, .y = -1, .nx = 20, .ny = 8 };
	const ObsSpec spec = { .kind = OBS_TREND, .stack = 1 };
	desk->live.history[desk->live.n_history - 1].hpa = 6;
	desk->live.obs_dim = observer_dim(spec);
	inspector_look(&query, &desk->policy, NULL, spec, &desk->live, &desk->view);
	assert_int_equal(desk->view.hpa_now, 6);
	assert_int_equal(desk->view.hpa[0], -1);
	query.fixed = 1; /* not the moment of which it spoke */
	inspector_look(&query, &desk->policy, NULL, spec, &desk->live, &desk->view);
	assert_int_equal(desk->view.hpa_now, -1);
}

static void without_an_observation_it_says_so(void **state)
{
	Desk *desk = *state;
	desk->live.obs_dim = 0;
	look(desk, (PolicyQuery) { .x = -1, .y = -1 });
	assert_int_equal(desk->view.code, ERR_NO_DATA);
}

#define DESK_TEST(name) cmocka_unit_test_setup_teardown(name, open_desk, close_desk)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(axes_are_rate_over_replicas_at_first),
		DESK_TEST(cells_outside_training_and_odd_ones_are_flagged),
		DESK_TEST(effect_is_the_swap_for_what_is_usual),
		DESK_TEST(what_never_varied_in_training_is_no_nearest_flip),
		DESK_TEST(the_rule_is_asked_with_pods_that_share_the_load),
		DESK_TEST(a_rule_is_looked_at_too),
		DESK_TEST(where_the_rule_cannot_be_asked_its_last_word_stands),
		DESK_TEST(without_an_observation_it_says_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
