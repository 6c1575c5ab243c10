/* See idle.h. */
#include "control/idle.h"

#include "base/mem.h"

#include <stdlib.h>

enum { MINUTES = 80, BUSY_MINUTES = 20, LAST_MINUTES = 10, TRACE_MINUTES = MINUTES + 2 }; /* whose end is its beginning again */
static const double BUSY_PODS = 5, QUIET_PODS = .18;

static int play(const SimConfig *config, Policy *policy, IdleCheck *ret, Error *err)
{
	EvalStep *step = mem_block((size_t) config->episode_steps, sizeof *step);
	EvalEpisode *episode = mem_block(1, sizeof *episode);
	int code = step && episode ? 0 : error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	const EvalOptions options = { .step = step, .room = config->episode_steps };
	if (!code)
		code = evaluate_play(config, 1, policy, &options, episode, NULL, err);
	int32_t last = (int32_t) (LAST_MINUTES * 60 / (double) config->interval_s);
	for (int32_t t = config->episode_steps - last; t < config->episode_steps && !code; t++)
		ret->replicas = step[t].replicas > ret->replicas ? step[t].replicas : ret->replicas;
	free(step);
	free(episode);
	return code;
}

int idle_check(const Family *family, const Arena *arena, int32_t setting, IdleCheck *ret, Error *err)
{
	double rate[TRACE_MINUTES];
	for (int32_t i = 0; i < TRACE_MINUTES; i++)
		rate[i] = i < BUSY_MINUTES ? 1 : QUIET_PODS / BUSY_PODS;
	const Trace trace = { .name = "idle", .rate = rate, .n = TRACE_MINUTES, .step_s = 60, .peak_rps = 1 };
	SimConfig config = arena->sim;
	Policy *policy = NULL;
	config.trace = &trace;
	config.n_traces = 1;
	config.n_plans = 0;
	config.window_from = 0;
	config.window_to = 1;
	config.compression = 1;
	config.peak_rps = BUSY_PODS * arena->pod_capacity_rps;
	config.level = SIM_FLUID;
	config.balance = SIM_RANDOM;
	config.random_start = false;
	config.start = SIM_START_DEMAND;
	if (family->kind->configure)
		family->kind->configure(family, arena, setting, &config);
	config.episode_steps = (int32_t) (MINUTES * 60 / (double) config.interval_s);
	*ret = (IdleCheck) { .rps = QUIET_PODS * arena->pod_capacity_rps, .min_replicas = config.min_replicas };
	int code = family->kind->open(family, arena, setting, 0, &policy, err);
	if (!code)
		code = play(&config, policy, ret, err);
	policy_free(policy);
	return code;
}
