/*
 * Rows of check.h about what a policy is worth: six rules on the same traffic, on both levels. A level on which another
 * rule were the best would train the wrong policy.
 */
#include "base/mem.h"
#include "base/rng.h"
#include "decide/hpa.h"
#include "decide/reward.h"
#include "sim/check_rows.h"
#include "sim/sim.h"

#include <math.h>
#include <string.h>

enum { RULES = 6, STEPS = 160, SEEDS = 4 };

typedef struct Rule {
	const char *name;
	int32_t hpa_pct, constant; /* neither: random */
} Rule;

static const Rule RULE[RULES] = { { "hpa:cpu=50", 50, 0 }, { "hpa:cpu=80", 80, 0 }, { "static:2", 0, 2 },
	{ "static:5", 0, 5 }, { "static:10", 0, 10 }, { "random", 0, 0 } };

/* A day in an hour and a half, from a fifth of its peak on, with a bump: the rules differ, and none is always right. */
static double day(double part)
{
	double bump = part > .6 && part < .7 ? .25 : 0.0;
	return .45 - .3 * cos(2.0 * M_PI * part) + bump;
}

static void set_world(SimConfig *config, SimLevel level, Trace *trace, double *rate, size_t n)
{
	for (size_t i = 0; i < n; i++)
		rate[i] = day((double) i / (double) n);
	*trace = (Trace) { .name = "day", .rate = rate, .n = n, .step_s = STEPS * 30.0 / (double) n };
	sim_config_default(config);
	config->trace = trace;
	config->level = level;
	config->max_replicas = 10;
	config->peak_rps = 120.0;
	config->episode_steps = STEPS;
	config->substep_s = 1.0f;
	config->latency_soft_ms = 250.0f;
	config->latency_hard_ms = 5000.0f;
	config->start = SIM_START_DEMAND;
}

static int32_t decide(const Rule *rule, Policy *hpa, const Target *target, const Sample *sample, Rng *rng)
{
	const Observation obs = { .target = target, .sample = sample };
	Decision decision = { 0 };
	if (rule->constant)
		return rule->constant;
	if (!rule->hpa_pct)
		return (int32_t) fmin(fmax(sample->replicas + (int32_t) rng_below(rng, 3) - 1, target->min_replicas), target->max_replicas);
	return hpa->ops->decide(hpa, &obs, 1, &decision) ? sample->replicas : decision.raw;
}

/* An episode's return; the thesis's reward, without its early end. */
static int play(const SimConfig *config, const Rule *rule, uint64_t seed, double *ret_return, Error *err)
{
	const Target target = { .namespace_ = "sim", .name = "service", .min_replicas = config->min_replicas,
		.max_replicas = config->max_replicas, .latency_soft_ms = config->latency_soft_ms, .latency_hard_ms = config->latency_hard_ms };
	HpaConfig hpa_config;
	Policy *hpa = NULL;
	SimTarget *sim = NULL;
	Sample sample;
	Rng rng;
	rng_init(&rng, seed, 0, RNG_ACTION);
	hpa_config_default(&hpa_config);
	hpa_config.cpu_target_pct = rule->hpa_pct ? rule->hpa_pct : 80;
	int code = hpa_policy_new(&hpa_config, &hpa);
	if (!code)
		code = sim_target_new(config, seed, 0, &sim, err);
	if (code)
		goto out;
	Metrics *metrics = sim_target_metrics(sim);
	Actuator *actuator = sim_target_actuator(sim);
	code = metrics->ops->fetch(metrics, &target, 1, 0, &sample, err);
	for (int64_t t = 1; t <= STEPS && !code; t++) {
		const Scale want = { .replicas = decide(rule, hpa, &target, &sample, &rng) };
		bool is_terminated;
		code = actuator->ops->set_scale(actuator, &target, &want, NULL, err);
		if (!code)
			code = metrics->ops->fetch(metrics, &target, 1, t * 30000, &sample, err);
		if (!code)
			*ret_return += (double) reward_seed(&target, want.replicas, (float) sample.latency_ms, &is_terminated) / SEEDS;
	}
out:
	sim_target_free(sim);
	policy_free(hpa);
	return code;
}

static int play_all(double ret[2][RULES], Error *err)
{
	enum { ROWS = 160 };
	double rate[ROWS];
	memset(ret, 0, 2 * sizeof *ret);
	for (int level = SIM_FLUID; level <= SIM_REQUEST; level++) {
		SimConfig config;
		Trace trace;
		set_world(&config, (SimLevel) level, &trace, rate, ROWS);
		for (int r = 0; r < RULES; r++)
			for (uint64_t seed = 0; seed < SEEDS; seed++) {
				int code = play(&config, &RULE[r], seed, &ret[level][r], err);
				if (code)
					return code;
			}
	}
	return 0;
}

int check_rank_order(const CheckRow *row, const CheckOptions *options, CheckResult *ret, Error *err)
{
	double got[2][RULES];
	(void) row;
	(void) options;
	int code = play_all(got, err);
	for (int i = 0; i < RULES && !code; i++)
		for (int j = 0; j < i; j++)
			if ((got[SIM_FLUID][i] > got[SIM_FLUID][j]) != (got[SIM_REQUEST][i] > got[SIM_REQUEST][j]))
				check_worst(ret, 1.0, "%s and %s change places", RULE[i].name, RULE[j].name);
	return code;
}

int check_rank_returns(const CheckRow *row, const CheckOptions *options, CheckResult *ret, Error *err)
{
	double got[2][RULES];
	(void) row;
	(void) options;
	int code = play_all(got, err);
	for (int i = 0; i < RULES && !code; i++)
		check_worst(ret, fabs(got[SIM_FLUID][i] / got[SIM_REQUEST][i] - 1.0), "%s: %.1f, requests %.1f", RULE[i].name,
		            got[SIM_FLUID][i], got[SIM_REQUEST][i]);
	return code;
}
