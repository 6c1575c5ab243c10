/*
 * Whether policies keep their rank from the fluid level of a fitted service, where they train, to its request level, and to the
 * service that was fitted, where it is known.
 *   fit_rank FITTED.yaml TRUE.yaml TRACE MODEL
 * Prints a line a policy with its cost in pod-hours (an hour of violation is worth 30) on each; exit 0 if the orders are one.
 */
#include "cmd/policies.h"
#include "control/evaluate.h"
#include "sim/service_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORLDS = 3, RULES = 5, EPISODES = 3, STEPS = 240 };
static const double LAMBDA = 30.0;
static const double SAME = .1; /* costs within a tenth are one rank */

typedef struct Constant {
	Policy base;
	int32_t replicas;
} Constant;

static int hold(Policy *policy, const Observation *obs, size_t n, Decision *ret)
{
	(void) n;
	*ret = (Decision) { .action = ACTION_NONE, .raw = ((Constant *) policy)->replicas, .hpa = -1 };
	ret->desired = obs->sample->replicas;
	return 0;
}

static void keep(Policy *policy)
{
	(void) policy;
}

static int fail(const Error *err)
{
	(void) fprintf(stderr, "fit_rank: %s\n", err->text);
	return 2;
}

static int cost_of(const SimConfig *config, Policy *policy, double *ret_cost, Error *err)
{
	*ret_cost = 0.0;
	for (int i = 0; i < EPISODES; i++) {
		const EvalOptions options = { 0 };
		EvalEpisode episode;
		int code = evaluate_play(config, evaluate_seed(7, i), policy, &options, &episode, NULL, err);
		if (code)
			return code;
		*ret_cost += (episode.pod_hours + LAMBDA * (episode.soft_s + episode.hard_s) / 3600.0) / EPISODES;
	}
	return 0;
}

static void set_world(const ServiceFile *file, SimLevel level, const Trace *trace, SimConfig *config)
{
	sim_config_default(config);
	config->level = level;
	config->interval_s = 15.0f;
	(void) service_file_apply(file, config);
	config->trace = trace;
	config->window_from = 2.0 / 3;
	config->compression = 12.0;
	config->episode_steps = STEPS;
	config->latency_soft_ms = 400.0f;
	config->latency_hard_ms = 800.0f;
	config->latency_window_s = 60.0f;
	config->start = SIM_START_DEMAND;
}

/* Whether two worlds put the policies in one order. */
static bool is_one_order(double cost[RULES][WORLDS], int a, int b)
{
	bool is_one = true;
	for (int i = 0; i < RULES; i++)
		for (int j = 0; j < RULES; j++)
			is_one &= !(cost[i][a] < (1.0 - SAME) * cost[j][a] && cost[j][b] < (1.0 - SAME) * cost[i][b]);
	return is_one;
}

int main(int argc, char **argv)
{
	static const PolicyOps CONSTANT = { .name = "static", .decide = hold, .free = keep };
	const char *word[RULES] = { NULL, "hpa:cpu=60", "static:2", "static:6", "static:12" };
	char model[512];
	double cost[RULES][WORLDS];
	ServiceFile fitted, truth;
	SimConfig config[WORLDS];
	Trace trace;
	Error err = { 0 };
	if (argc != 5)
		return 2;
	if (service_file_read(argv[1], &fitted, &err) || service_file_read(argv[2], &truth, &err) || trace_load(argv[3], &trace, &err))
		return fail(&err);
	(void) snprintf(model, sizeof model, "model:%.500s", argv[4]);
	word[0] = model;
	set_world(&fitted, SIM_FLUID, &trace, &config[0]);
	set_world(&fitted, SIM_REQUEST, &trace, &config[1]);
	set_world(&truth, SIM_REQUEST, &trace, &config[2]);
	config[0].peak_rps = config[1].peak_rps = config[2].peak_rps = .8 * config[0].max_replicas * sim_capacity_rps(&fitted.service, 1, 400.0);
	printf("%-12s %12s %12s %12s\n", "policy", "fluid", "request", "true service");
	for (int r = 0; r < RULES; r++) {
		Constant constant = { .base = { .ops = &CONSTANT }, .replicas = strncmp(word[r], "static:", 7) ? 0 : atoi(word[r] + 7) };
		Policy *policy = &constant.base;
		ModelInfo info;
		if (!constant.replicas && policy_open(word[r], &policy, &info, &err))
			return fail(&err);
		for (int w = 0; w < WORLDS; w++)
			if (cost_of(&config[w], policy, &cost[r][w], &err))
				return fail(&err);
		policy_free(policy);
		printf("%-12.12s %12.2f %12.2f %12.2f\n", word[r], cost[r][0], cost[r][1], cost[r][2]);
	}
	trace_done(&trace);
	bool holds = is_one_order(cost, 0, 1) && is_one_order(cost, 0, 2);
	printf("%s\n", holds ? "one order" : "the orders differ");
	return holds ? 0 : 1;
}
