/*
 * Rollouts. Each worker takes its own rows through all n_steps, inference and environment in turn, without meeting the
 * others until the end. Only the policy's trunk runs step by step; values of all steps are one pass afterwards. Every draw is from the row's own stream and every row of inference is independent of its
 * neighbours, so the number of workers does not show in the bytes; what crosses rows (the running statistics, the list
 * of ended episodes) is put together afterwards in a fixed order.
 */
#include "rl/loss.h"
#include "rl/ppo_inside.h"

#include "rl/net_layers.h"

#include <math.h>
#include <string.h>

enum { TIMED_EVERY = 8 };
static const double REWARD_EPS = 1e-8, REWARD_CLIP = 10.0;

/* The first action whose cumulated probability passes a uniform draw. */
static int32_t sample_action(Rng *rng, size_t n_actions, const float *prob)
{
	double left = rng_uniform(rng);
	for (size_t a = 0; a + 1 < n_actions; a++) {
		left -= (double) prob[a];
		if (left < 0.0)
			return (int32_t) a;
	}
	return (int32_t) n_actions - 1;
}

static int32_t taught(const Ppo *ppo, size_t e)
{
	const uint8_t *mask = ppo->rollout.mask ? ppo->buf.mask + e * (size_t) ppo->spec.n_actions : NULL;
	return ppo->config.teacher(ppo->config.teacher_arg, ppo->buf.obs + e * (size_t) ppo->spec.obs_dim, mask);
}

static void act(Ppo *ppo, const PpoWorker *worker, size_t t)
{
	size_t dim = (size_t) ppo->spec.obs_dim, n_actions = (size_t) ppo->spec.n_actions, first = worker->first;
	net_forward(ppo->net, ppo->buf.obs + first * dim, worker->count, ppo->logits + first * n_actions, NULL,
		    worker->scratch);
	for (size_t e = first; e < first + worker->count; e++) {
		size_t i = e * ppo->rollout.n_steps + t;
		float *logits = ppo->logits + e * n_actions, *prob = ppo->prob + e * n_actions;
		if (ppo->rollout.mask) {
			uint8_t *mask = ppo->rollout.mask + i * n_actions;
			memcpy(mask, ppo->buf.mask + e * n_actions, n_actions);
			mask_logits(n_actions, mask, logits);
		}
		float log_sum = softmax(n_actions, logits, prob);
		int32_t action = ppo->buf.action[e] = sample_action(&ppo->row[e].rng, n_actions, prob);
		if (ppo->teacher)
			ppo->teacher[i] = taught(ppo, e);
		if (ppo->is_cloning) {
			action = ppo->teacher[i];
			if (rng_below(&ppo->row[e].rng, 2))
				ppo->buf.action[e] = action;
		}
		memcpy(ppo->rollout.obs + i * dim, ppo->buf.obs + e * dim, dim * sizeof(float));
		ppo->rollout.action[i] = action;
		ppo->rollout.log_prob[i] = logits[action] - log_sum;
	}
}

static double scaled_reward(Ppo *ppo, PpoRow *row, size_t i, double reward)
{
	if (!ppo->config.norm_reward)
		return reward;
	row->discounted = row->discounted * ppo->config.gamma + reward;
	ppo->rollout.ret[i] = (float) row->discounted; /* free until the advantages: the moments are taken from here */
	double scaled = reward / sqrt(ppo->reward_stats.var[0] + REWARD_EPS);
	return scaled > REWARD_CLIP ? REWARD_CLIP : scaled < -REWARD_CLIP ? -REWARD_CLIP : scaled;
}

static void take_result(Ppo *ppo, const PpoWorker *worker, size_t e, size_t t)
{
	size_t dim = (size_t) ppo->spec.obs_dim, i = e * ppo->rollout.n_steps + t;
	PpoRow *row = &ppo->row[e];
	double reward = (double) ppo->buf.reward[e], scaled = scaled_reward(ppo, row, i, reward);
	bool is_done = ppo->buf.terminated[e] || ppo->buf.truncated[e];
	row->ep_return += reward;
	row->ep_len++;
	if (ppo->buf.truncated[e] && !ppo->buf.terminated[e]) {
		float value;
		net_forward(ppo->net, ppo->buf.final_obs + e * dim, 1, NULL, &value, worker->scratch);
		scaled += ppo->config.gamma * (double) value;
	}
	ppo->rollout.reward[i] = (float) scaled;
	ppo->rollout.done[i] = is_done;
	ppo->ended_len[i] = is_done ? row->ep_len : 0;
	ppo->ended_return[i] = row->ep_return;
	if (is_done) {
		row->discounted = row->ep_return = 0.0;
		row->ep_len = 0;
	}
}

/* Of n rows, block by block; a row has the bytes that it has alone. */
static void values_of(const Ppo *ppo, float *scratch, const float *obs, size_t n, float *ret_value)
{
	size_t dim = (size_t) ppo->spec.obs_dim;
	for (size_t at = 0; at < n; at += PPO_BLOCK)
		net_forward(ppo->net, obs + at * dim, n - at < PPO_BLOCK ? n - at : PPO_BLOCK, NULL, ret_value + at,
			    scratch);
}

/* ---- values beside the steps, where one environment leaves the second thread idle ---- */

typedef struct Block { /* a message */
	size_t first; /* step */
	char rest[PAIR_BYTES - sizeof(size_t)];
} Block;

static void run_block(void *arg, const void *in, void *out)
{
	Ppo *ppo = arg;
	const Block *block = in;
	(void) out;
	values_of(ppo, ppo->scratch_beside, ppo->rollout.obs + block->first * (size_t) ppo->spec.obs_dim, PPO_BLOCK,
		  ppo->rollout.value + block->first);
}

static void await_block(Ppo *ppo, PpoWorker *worker)
{
	Block done;
	if (worker->is_beside)
		pair_wait(learner_pair(ppo->learner), &done);
	worker->is_beside = false;
}

/* After step t of the only environment. Blocks go over in turn; the first that does not leaves the rest to finish(). */
static void value_beside(Ppo *ppo, PpoWorker *worker, size_t t)
{
	Block block = { .first = worker->n_valued };
	if (ppo->rollout.n_envs > 1 || t + 1 != worker->n_valued + PPO_BLOCK)
		return;
	await_block(ppo, worker);
	worker->is_beside = pair_post(learner_pair(ppo->learner), run_block, ppo, &block);
	worker->n_valued += worker->is_beside ? PPO_BLOCK : 0;
}

/* After the last step: values of all steps and to bootstrap from, moments of what was seen, observations as the trunks
 * saw them. */
static void finish(Ppo *ppo, PpoWorker *worker)
{
	size_t dim = (size_t) ppo->spec.obs_dim, n_steps = ppo->rollout.n_steps, n_envs = ppo->rollout.n_envs;
	size_t first = worker->first, from = worker->n_valued;
	values_of(ppo, worker->scratch, ppo->buf.obs + first * dim, worker->count, ppo->rollout.last_value + first);
	for (size_t e = first; e < first + worker->count; e++) {
		float *obs = ppo->rollout.obs + e * n_steps * dim;
		values_of(ppo, worker->scratch, obs + from * dim, n_steps - from, ppo->rollout.value + e * n_steps + from);
		await_block(ppo, worker);
		batch_range(n_steps, dim, obs, ppo->obs_range + e * dim, ppo->obs_range + (n_envs + e) * dim);
		if (ppo->config.norm_obs) {
			batch_moments(n_steps, dim, obs, ppo->obs_moments + e * dim,
				      ppo->obs_moments + (n_envs + e) * dim);
			net_normalise(ppo->net, obs, n_steps, obs, dim);
		}
		if (ppo->config.norm_reward)
			batch_moments(n_steps, 1, ppo->rollout.ret + e * n_steps, ppo->reward_moments + e,
				      ppo->reward_moments + n_envs + e);
	}
}

/* A step of the worker's rows. 0 or the environment's code. */
static int run_step(Ppo *ppo, PpoWorker *worker, size_t t)
{
	bool is_timed = t % TIMED_EVERY == 0; /* the clock costs as much as the smaller parts */
	double before = is_timed ? ppo_seconds() : 0.0;
	act(ppo, worker, t);
	double between = is_timed ? ppo_seconds() : 0.0;
	int code = ppo->env->ops->step(ppo->env, worker->first, worker->count, &ppo->buf);
	if (code)
		return code;
	if (is_timed) {
		worker->seconds[0] += TIMED_EVERY * (ppo_seconds() - between);
		worker->seconds[1] += TIMED_EVERY * (between - before);
	}
	for (size_t e = worker->first; e < worker->first + worker->count; e++) {
		take_result(ppo, worker, e, t);
		if (ppo->hook)
			ppo->hook(ppo->hook_arg, e, &ppo->buf);
	}
	return 0;
}

static void run_worker(void *arg, size_t k)
{
	Ppo *ppo = arg;
	PpoWorker *worker = &ppo->worker[k];
	worker->code = 0;
	worker->n_valued = 0;
	for (size_t t = 0; t < ppo->rollout.n_steps && !worker->code; t++) {
		worker->code = run_step(ppo, worker, t);
		value_beside(ppo, worker, t);
	}
	double before = ppo_seconds();
	if (!worker->code)
		finish(ppo, worker);
	await_block(ppo, worker);
	worker->seconds[1] += ppo_seconds() - before;
}

/* In the order of time, then of the environments, as SB3's Monitor reports them. */
static void list_episodes(Ppo *ppo)
{
	for (size_t t = 0; t < ppo->rollout.n_steps; t++)
		for (size_t e = 0; e < ppo->rollout.n_envs; e++) {
			size_t i = e * ppo->rollout.n_steps + t;
			if (!ppo->ended_len[i])
				continue;
			int64_t at = ppo->n_episodes++ % PPO_EPISODES;
			ppo->last_return[at] = ppo->ended_return[i];
			ppo->last_len[at] = ppo->ended_len[i];
			ppo->env_return[e] = ppo->ended_return[i];
		}
}

/* Over all environments, into the net. */
void ppo_show_range(Ppo *ppo)
{
	size_t dim = (size_t) ppo->spec.obs_dim, n_envs = ppo->rollout.n_envs;
	double *min = ppo->obs_moments, *max = min + dim; /* free between rollouts */
	memcpy(min, ppo->obs_range, dim * sizeof *min);
	memcpy(max, ppo->obs_range + n_envs * dim, dim * sizeof *max);
	for (size_t i = dim; i < n_envs * dim; i++) {
		min[i % dim] = fmin(min[i % dim], ppo->obs_range[i]);
		max[i % dim] = fmax(max[i % dim], ppo->obs_range[n_envs * dim + i]);
	}
	net_set_range(ppo->net, min, max);
}

static void merge_statistics(Ppo *ppo)
{
	size_t dim = (size_t) ppo->spec.obs_dim, n_envs = ppo->rollout.n_envs;
	double count = (double) ppo->rollout.n_steps;
	for (size_t e = 0; e < n_envs; e++) {
		if (ppo->config.norm_obs)
			running_merge(&ppo->obs_stats, count, ppo->obs_moments + e * dim,
				      ppo->obs_moments + (n_envs + e) * dim);
		if (ppo->config.norm_reward)
			running_merge(&ppo->reward_stats, count, ppo->reward_moments + e,
				      ppo->reward_moments + n_envs + e);
	}
	if (ppo->config.norm_obs)
		net_set_normalisation(ppo->net, ppo->obs_stats.mean, ppo->obs_stats.var, ppo->obs_stats.count);
	ppo_show_range(ppo);
}

int ppo_collect(Ppo *ppo, Error *err)
{
	const EnvOps *ops = ppo->env->ops;
	int code = ops->look ? ops->look(ppo->env, &ppo->buf) : 0;
	if (code)
		return error_set(err, code, "environment %s: %s", ops->name, err_text(code));
	ppo->is_cloning = ppo->steps < ppo->config.clone_steps;
	if (ppo->rollout.n_envs == 1)
		pair_open(learner_pair(ppo->learner));
	workers_run(ppo->workers, run_worker, ppo);
	for (size_t k = 0; k < ppo->n_workers; k++)
		if (ppo->worker[k].code)
			return error_set(err, ppo->worker[k].code, "environment %s: step: %s", ops->name,
					 err_text(ppo->worker[k].code));
	list_episodes(ppo);
	merge_statistics(ppo);
	ppo->steps += (int64_t) ppo_samples(ppo);
	return 0;
}
