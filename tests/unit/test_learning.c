/*
 * Learning, measured: over five seeds the greedy policy beats keep, random and one pod on held-out traffic, each difference with an
 * interval above 0. The same measure must say no when nothing can be learned: learning rate 0, advantages shuffled, actions
 * that never reach the environment.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "control/evaluate.h"
#include "control/measures.h"
#include "rl/model.h"
#include "rl/ppo_inside.h"

#include <math.h>
#include <stdlib.h>

enum { SEEDS = 5, EPISODES = 24, STEPS = 160000, ENVS = 16, RESAMPLES = 2000 };

typedef enum Sabotage { NONE, NO_LEARNING, SHUFFLED_ADVANTAGES, DEAF_ENVIRONMENT } Sabotage;

/* ---- rules to beat ---- */

typedef struct Rule {
	Policy policy;
	int32_t action; /* ACTION_NONE: random */
	Rng rng;
} Rule;

static int rule_decide(Policy *policy, const Observation *obs, size_t n, Decision *ret)
{
	Rule *rule = (Rule *) policy;
	for (size_t i = 0; i < n; i++) {
		int32_t action = rule->action == ACTION_NONE ? (int32_t) rng_below(&rule->rng, 3) : rule->action;
		ret[i] = (Decision) { .action = action, .n_actions = 3, .raw = obs[i].sample->replicas + action - 1 };
	}
	return 0;
}

static void rule_free(Policy *policy)
{
	(void) policy;
}

static const PolicyOps RULE = { .name = "rule", .decide = rule_decide, .free = rule_free };

/* ---- an environment that does not listen ---- */

typedef struct Deaf {
	Env env;
	Env *inner;
	int32_t keep[ENVS];
} Deaf;

static void deaf_spec(const Env *env, EnvSpec *ret)
{
	const Env *inner = ((const Deaf *) env)->inner;
	inner->ops->spec(inner, ret);
}

static int deaf_reset(Env *env, uint64_t seed, EnvBuf *buf)
{
	Env *inner = ((Deaf *) env)->inner;
	return inner->ops->reset(inner, seed, buf);
}

static int deaf_step(Env *env, size_t first, size_t count, EnvBuf *buf)
{
	Deaf *deaf = (Deaf *) env;
	EnvBuf other = *buf;
	other.action = deaf->keep;
	return deaf->inner->ops->step(deaf->inner, first, count, &other);
}

static const EnvOps DEAF = { .name = "deaf", .spec = deaf_spec, .reset = deaf_reset, .step = deaf_step };

/* ---- one training ---- */

static void load_trace(Trace *trace)
{
	Error err = { 0 };
	if (trace_load("engine/sim/traces/wc98_opening_week.csv", trace, &err))
		fail_msg("%s", err.text);
}

static SimConfig world(const Trace *trace, double from, double to)
{
	SimConfig sim;
	sim_config_default(&sim);
	sim.trace = trace;
	sim.window_from = from;
	sim.window_to = to;
	sim.random_start = true;
	sim.interval_s = 15;
	sim.latency_soft_ms = 250;
	sim.latency_hard_ms = 500;
	sim.start = SIM_START_RANDOM;
	return sim;
}

static void shuffle_advantages(Ppo *ppo, Rng *rng)
{
	float *advantage = ppo->rollout.advantage;
	for (size_t i = ppo_samples(ppo); i > 1; i--) {
		size_t j = rng_below(rng, (uint32_t) i);
		float swap = advantage[i - 1];
		advantage[i - 1] = advantage[j];
		advantage[j] = swap;
	}
}

static Net *train(const Trace *trace, uint64_t seed, Sabotage sabotage)
{
	SimConfig sim = world(trace, 0, 2.0 / 3);
	PpoConfig config;
	ppo_config_default(&config);
	config.n_envs = ENVS;
	config.n_threads = 2;
	config.n_steps = 256;
	config.batch_size = 256;
	config.n_epochs = 4;
	config.norm_obs = true;
	config.seed = seed;
	config.learning_rate = sabotage == NO_LEARNING ? 0 : 1e-3;
	Error err = { 0 };
	Env *env = NULL;
	assert_int_equal(sim_env_new(&sim, ENVS, &env, &err), 0);
	Deaf deaf = { .env = { &DEAF, ENVS }, .inner = env };
	for (int i = 0; i < ENVS; i++)
		deaf.keep[i] = ACTION_KEEP;
	Ppo *ppo = NULL;
	assert_int_equal(ppo_new(&config, sabotage == DEAF_ENVIRONMENT ? &deaf.env : env, &ppo, &err), 0);
	Rng rng;
	rng_init(&rng, seed, 0, RNG_CHAOS);
	while (ppo_steps(ppo) < STEPS) {
		double value[TRAIN_METRIC_COUNT];
		assert_int_equal(ppo_collect(ppo, &err), 0);
		ppo_advantage(ppo);
		if (sabotage == SHUFFLED_ADVANTAGES)
			shuffle_advantages(ppo, &rng);
		assert_int_equal(ppo_learn(ppo, value, &err), 0);
	}
	Net *net = net_clone(ppo_net(ppo));
	ppo_free(ppo);
	env_free(env);
	assert_non_null(net);
	return net;
}

/* ---- the measure ---- */

typedef struct Outcome {
	double ours[SEEDS * EPISODES], rule[3][SEEDS * EPISODES];
} Outcome;

static void play(const SimConfig *sim, uint64_t seed, Policy *policy, double *ret_return)
{
	Error err = { 0 };
	EvalEpisode *episodes = calloc(EPISODES, sizeof *episodes);
	assert_non_null(episodes);
	assert_int_equal(evaluate_policy(sim, seed, EPISODES, policy, episodes, &err), 0);
	for (int i = 0; i < EPISODES; i++)
		ret_return[i] = episodes[i].reward;
	free(episodes);
}

static void measure(const Trace *trace, Sabotage sabotage, Outcome *outcome)
{
	SimConfig held_out = world(trace, 2.0 / 3, 1);
	static const int32_t actions[3] = { ACTION_KEEP, ACTION_NONE, ACTION_DOWN };
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		Policy *policy = NULL;
		Net *net = train(trace, seed, sabotage);
		assert_int_equal(model_policy_new(net, &(ModelInfo) { .obs_version = OBS_SEED }, "trained", &policy), 0);
		play(&held_out, seed, policy, outcome->ours + seed * EPISODES);
		policy_free(policy);
		for (int r = 0; r < 3; r++) {
			Rule rule = { .policy = { .ops = &RULE }, .action = actions[r] };
			rng_init(&rule.rng, seed, 0, RNG_ACTION);
			play(&held_out, seed, &rule.policy, outcome->rule[r] + seed * EPISODES);
		}
	}
}

/* True when the paired difference in return is above 0 with its interval, over episodes and over seeds alike. */
static bool beats(const Outcome *outcome, int r, const char *name)
{
	double difference[SEEDS * EPISODES], of_seed[SEEDS];
	for (int i = 0; i < SEEDS * EPISODES; i++)
		difference[i] = outcome->ours[i] - outcome->rule[r][i];
	for (int s = 0; s < SEEDS; s++)
		of_seed[s] = mean_of(difference + s * EPISODES, EPISODES);
	Interval episodes, seeds;
	assert_int_equal(bootstrap_mean(difference, SEEDS * EPISODES, 1, RESAMPLES, &episodes), 0);
	assert_int_equal(bootstrap_mean(of_seed, SEEDS, 1, RESAMPLES, &seeds), 0);
	print_message("  ours %.1f, %s %.1f: %+.1f [%.1f, %.1f] over episodes, [%.1f, %.1f] over seeds\n",
	              mean_of(outcome->ours, SEEDS * EPISODES), name, mean_of(outcome->rule[r], SEEDS * EPISODES), episodes.mean,
	              episodes.lo, episodes.hi, seeds.lo, seeds.hi);
	return episodes.lo > 0 && seeds.lo > 0;
}

static bool has_learned(Sabotage sabotage)
{
	static const char *const names[3] = { "keep", "random", "one pod" };
	Trace trace;
	load_trace(&trace);
	Outcome *outcome = calloc(1, sizeof *outcome);
	assert_non_null(outcome);
	measure(&trace, sabotage, outcome);
	bool beats_all = true;
	for (int r = 0; r < 3; r++)
		beats_all &= beats(outcome, r, names[r]);
	free(outcome);
	trace_done(&trace);
	return beats_all;
}

static void policy_beats_keep_random_and_one_pod(void **state)
{
	(void) state;
	assert_true(has_learned(NONE));
}

static void nothing_is_learned_at_learning_rate_0(void **state)
{
	(void) state;
	assert_false(has_learned(NO_LEARNING));
}

static void nothing_is_learned_from_shuffled_advantages(void **state)
{
	(void) state;
	assert_false(has_learned(SHUFFLED_ADVANTAGES));
}

static void nothing_is_learned_when_actions_do_not_arrive(void **state)
{
	(void) state;
	assert_false(has_learned(DEAF_ENVIRONMENT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(policy_beats_keep_random_and_one_pod),
		cmocka_unit_test(nothing_is_learned_at_learning_rate_0),
		cmocka_unit_test(nothing_is_learned_from_shuffled_advantages),
		cmocka_unit_test(nothing_is_learned_when_actions_do_not_arrive),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
