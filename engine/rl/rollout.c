/* See rollout.h. */
#include "rl/rollout.h"

#include "base/mem.h"
#include "rl/carve.h"
#include "rl/gae.h"

#include <math.h>
#include <stdlib.h>

static void place(RolloutBuf *buf, size_t n_masked, Carve *at)
{
	size_t n = buf->n_envs * buf->n_steps;
	buf->obs = carve(at, n * buf->obs_dim, sizeof *buf->obs);
	buf->action = carve(at, n, sizeof *buf->action);
	if (n_masked)
		buf->mask = carve(at, n * n_masked, sizeof *buf->mask);
	buf->reward = carve(at, n, sizeof *buf->reward);
	buf->done = carve(at, n, sizeof *buf->done);
	buf->value = carve(at, n, sizeof *buf->value);
	buf->log_prob = carve(at, n, sizeof *buf->log_prob);
	buf->last_value = carve(at, buf->n_envs, sizeof *buf->last_value);
	buf->advantage = carve(at, n, sizeof *buf->advantage);
	buf->ret = carve(at, n, sizeof *buf->ret);
}

int rollout_init(RolloutBuf *buf, size_t n_envs, size_t n_steps, size_t obs_dim, size_t n_masked)
{
	RolloutBuf plan = { .n_envs = n_envs, .n_steps = n_steps, .obs_dim = obs_dim };
	Carve at = { 0 };
	place(&plan, n_masked, &at);
	void *block = mem_block(at.used, 1);
	if (!block)
		return ERR_NOMEM;
	place(&plan, n_masked, &(Carve) { .base = block });
	plan.block = block;
	*buf = plan;
	return 0;
}

void rollout_done(RolloutBuf *buf)
{
	free(buf->block);
	*buf = (RolloutBuf) { 0 };
}

void rollout_advantage(RolloutBuf *buf, double gamma, double lambda)
{
	for (size_t e = 0; e < buf->n_envs; e++) {
		size_t at = e * buf->n_steps;
		gae_compute(buf->n_steps, buf->reward + at, buf->value + at, buf->done + at, buf->last_value[e], gamma,
			    lambda, buf->advantage + at, buf->ret + at);
	}
}

double rollout_explained_variance(const RolloutBuf *buf)
{
	size_t n = buf->n_envs * buf->n_steps;
	double mean_ret = 0.0, mean_rest = 0.0, var_ret = 0.0, var_rest = 0.0;
	for (size_t i = 0; i < n; i++) {
		mean_ret += (double) buf->ret[i];
		mean_rest += (double) buf->ret[i] - (double) buf->value[i];
	}
	mean_ret /= (double) n;
	mean_rest /= (double) n;
	for (size_t i = 0; i < n; i++) {
		double of_ret = (double) buf->ret[i] - mean_ret;
		double of_rest = (double) buf->ret[i] - (double) buf->value[i] - mean_rest;
		var_ret += of_ret * of_ret;
		var_rest += of_rest * of_rest;
	}
	return var_ret > 0.0 ? 1.0 - var_rest / var_ret : (double) NAN;
}
