/*
 * See ppo.h. Set-up and the three stages' order; the rollout itself is ppo_collect.c, the arithmetic of learning
 * learner.c and loss.c, snapshots ppo_state.c.
 */
#include "rl/ppo.h"

#include "base/sched.h"
#include "rl/carve.h"
#include "rl/net_layers.h"
#include "rl/ppo_inside.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const double CLONE_SMOOTHING = .15;

void ppo_config_default(PpoConfig *config)
{
	*config = (PpoConfig) {
		.net = { .depth = 2, .width = { 64, 64 }, .activation = ACTIVATION_TANH },
		.n_envs = 1,
		.n_steps = 1024,
		.batch_size = 64,
		.n_epochs = 10,
		.learning_rate = 3e-4,
		.gamma = 0.99,
		.gae_lambda = 0.95,
		.clip_range = 0.2,
		.ent_coef = 0.01,
		.vf_coef = 0.5,
		.max_grad_norm = 0.5,
		.adam_eps = 1e-5,
		.normalize_advantage = true,
		.n_threads = 1,
	};
}

static int check(const PpoConfig *config, const Env *env, Error *err)
{
	const struct {
		const char *name;
		double value, least, most;
	} bounds[] = {
		{ "n_envs", config->n_envs, 1, 1 << 16 },
		{ "n_steps", config->n_steps, 1, 1 << 20 },
		{ "n_envs x n_steps", (double) config->n_envs * config->n_steps, 2, 1 << 26 },
		{ "batch_size", config->batch_size, 1, 1 << 20 },
		{ "n_epochs", config->n_epochs, 1, 1000 },
		{ "learning_rate", config->learning_rate, 0, 1 },
		{ "gamma", config->gamma, 0, 1 },
		{ "gae_lambda", config->gae_lambda, 0, 1 },
		{ "clip_range", config->clip_range, 1e-6, 10 },
		{ "ent_coef", config->ent_coef, 0, 10 },
		{ "vf_coef", config->vf_coef, 0, 100 },
		{ "max_grad_norm", config->max_grad_norm, 1e-9, 1e9 },
		{ "adam_eps", config->adam_eps, 1e-12, 1 },
		{ "clip_range_vf", config->clip_range_vf, 0, 1e6 },
		{ "target_kl", config->target_kl, 0, 1e6 },
		{ "even_advantage", config->even_advantage, 0, 1 },
		{ "teacher_coef", config->teacher_coef, 0, config->teacher ? 100 : 0 },
		{ "clone_steps", (double) config->clone_steps, 0, config->teacher ? 1e15 : 0 },
		{ "n_threads", config->n_threads, 1, 64 },
	};
	for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++)
		if (!(bounds[i].value >= bounds[i].least && bounds[i].value <= bounds[i].most))
			return error_set(err, ERR_INVALID, "%s: %g is not in %g..%g", bounds[i].name, bounds[i].value,
					 bounds[i].least, bounds[i].most);
	if ((size_t) config->n_envs != env->n)
		return error_set(err, ERR_INVALID, "n_envs: %d, but the environment has %zu rows", config->n_envs,
				 env->n);
	if ((config->is_lr_linear || config->is_clip_linear || config->is_clip_vf_linear) && config->total_timesteps < 1)
		return error_set(err, ERR_INVALID, "total_timesteps: %lld; a linear schedule needs at least 1",
				 (long long) config->total_timesteps);
	return 0;
}

static void place(Ppo *ppo, Carve *at)
{
	size_t n_envs = ppo->rollout.n_envs, n = n_envs * ppo->rollout.n_steps, dim = (size_t) ppo->spec.obs_dim;
	size_t rows = n_envs < PPO_BLOCK ? PPO_BLOCK : n_envs;
	ppo->row = carve(at, n_envs, sizeof *ppo->row);
	ppo->worker = carve(at, ppo->n_workers, sizeof *ppo->worker);
	for (size_t k = 0; k < ppo->n_workers; k++) {
		float *scratch = carve(at, net_scratch_floats(ppo->net, rows), sizeof(float));
		if (scratch)
			ppo->worker[k].scratch = scratch;
	}
	carve_apart(at);
	ppo->scratch_beside = carve(at, net_scratch_floats(ppo->net, PPO_BLOCK), sizeof(float));
	carve_apart(at);
	ppo->logits = carve(at, n_envs * (size_t) ppo->spec.n_actions, sizeof(float));
	ppo->prob = carve(at, n_envs * (size_t) ppo->spec.n_actions, sizeof(float));
	ppo->ended_return = carve(at, n, sizeof(double));
	ppo->ended_len = carve(at, n, sizeof(int32_t));
	ppo->env_return = carve(at, n_envs, sizeof(double));
	ppo->obs_stats.mean = carve(at, dim, sizeof(double));
	ppo->obs_stats.var = carve(at, dim, sizeof(double));
	ppo->reward_stats.mean = carve(at, 1, sizeof(double));
	ppo->reward_stats.var = carve(at, 1, sizeof(double));
	if (ppo->config.teacher)
		ppo->teacher = carve(at, n, sizeof(int32_t));
	ppo->obs_range = carve(at, 2 * n_envs * dim, sizeof(double));
	ppo->obs_moments = carve(at, 2 * n_envs * dim, sizeof(double));
	ppo->reward_moments = carve(at, 2 * n_envs, sizeof(double));
}

/* Everything that needs memory; what is there when it fails is freed by ppo_free. */
static int take_memory(Ppo *ppo, Error *err)
{
	const PpoConfig *config = &ppo->config;
	size_t n_envs = (size_t) config->n_envs, n_steps = (size_t) config->n_steps;
	int code = net_new(&config->net, &ppo->net, err);
	if (code)
		return code;
	if (rollout_init(&ppo->rollout, n_envs, n_steps, (size_t) ppo->spec.obs_dim,
			 config->use_masks ? (size_t) ppo->spec.n_actions : 0) ||
	    env_buf_init(&ppo->buf, n_envs, &ppo->spec))
		return error_set(err, ERR_NOMEM, "ppo: out of memory");
	if (!config->use_masks) {
		free(ppo->buf.mask); /* not asked for */
		ppo->buf.mask = NULL;
	}
	ppo->n_workers = n_envs < (size_t) config->n_threads ? n_envs : (size_t) config->n_threads;
	Carve at = { 0 };
	place(ppo, &at);
	ppo->block = mem_block(at.used, 1);
	if (!ppo->block)
		return error_set(err, ERR_NOMEM, "ppo: out of memory for %zu bytes", at.used);
	place(ppo, &(Carve) { .base = ppo->block });
	ppo->rollout.teacher = ppo->teacher;
	code = learner_new(ppo->net, (size_t) config->batch_size, n_envs * n_steps, config->adam_eps,
			   (size_t) config->n_threads, &ppo->learner);
	if (!code)
		code = workers_new(ppo->n_workers, &ppo->workers);
	return code ? error_set(err, code, "ppo: no memory or thread for %d threads", config->n_threads) : 0;
}

/* First values: weights, streams, statistics, the workers' ranges. */
static int start(Ppo *ppo, Error *err)
{
	size_t n_envs = ppo->rollout.n_envs;
	Rng rng;
	rng_init(&rng, ppo->config.seed, 0, RNG_INIT);
	rng_init(&ppo->shuffle, ppo->config.seed, 0, RNG_SHUFFLE);
	for (size_t e = 0; e < n_envs; e++) {
		rng_init(&ppo->row[e].rng, ppo->config.seed, (uint32_t) e, RNG_ACTION);
		ppo->env_return[e] = NAN;
	}
	for (size_t k = 0; k < ppo->n_workers; k++) {
		ppo->worker[k].first = k * n_envs / ppo->n_workers;
		ppo->worker[k].count = (k + 1) * n_envs / ppo->n_workers - ppo->worker[k].first;
	}
	for (size_t i = 0; i < n_envs * (size_t) ppo->spec.obs_dim; i++) {
		ppo->obs_range[i] = INFINITY;
		ppo->obs_range[n_envs * (size_t) ppo->spec.obs_dim + i] = -INFINITY;
	}
	running_init(&ppo->obs_stats, (size_t) ppo->spec.obs_dim, ppo->obs_stats.mean, ppo->obs_stats.var);
	running_init(&ppo->reward_stats, 1, ppo->reward_stats.mean, ppo->reward_stats.var);
	if (ppo->config.norm_obs)
		net_set_normalisation(ppo->net, ppo->obs_stats.mean, ppo->obs_stats.var, ppo->obs_stats.count);
	if (net_init_orthogonal(ppo->net, &rng))
		return error_set(err, ERR_NOMEM, "ppo: out of memory for the first weights");
	int code = ppo->env->ops->reset(ppo->env, ppo->config.seed, &ppo->buf);
	return code ? error_set(err, code, "environment %s: reset: %s", ppo->env->ops->name, err_text(code)) : 0;
}

static bool is_alike(const Net *a, const Net *b)
{
	NetTensor left[NET_TENSORS_MAX], right[NET_TENSORS_MAX];
	size_t n = net_tensors((Net *) a, left, NET_TENSORS_MAX); /* only read */
	bool same = n == net_tensors((Net *) b, right, NET_TENSORS_MAX) && net_config(a)->activation == net_config(b)->activation;
	for (size_t i = 0; i < n && same; i++)
		same = !strcmp(left[i].name, right[i].name) && left[i].rows == right[i].rows && left[i].cols == right[i].cols;
	return same;
}

int ppo_adopt(Ppo *ppo, const Net *net, Error *err)
{
	size_t dim = (size_t) ppo->spec.obs_dim, n_envs = ppo->rollout.n_envs;
	if (!is_alike(ppo->net, net))
		return error_set(err, ERR_BAD_MODEL, "its layers are not those of this training");
	if (net_is_normalised(net) != ppo->config.norm_obs)
		return error_set(err, ERR_BAD_MODEL, "its inputs are %snormalised, this training's are %s", net_is_normalised(net) ? "" : "not ",
		                 ppo->config.norm_obs ? "" : "not");
	memcpy(ppo->net->params, net->params, net->n_params * sizeof(float));
	if (ppo->config.norm_obs) {
		memcpy(ppo->obs_stats.mean, net_norm_mean(net), dim * sizeof(double));
		memcpy(ppo->obs_stats.var, net_norm_var(net), dim * sizeof(double));
		ppo->obs_stats.count = net_norm_count(net);
		net_set_normalisation(ppo->net, ppo->obs_stats.mean, ppo->obs_stats.var, ppo->obs_stats.count);
	}
	for (size_t e = 0; e < n_envs && net_range_min(net); e++) {
		memcpy(ppo->obs_range + e * dim, net_range_min(net), dim * sizeof(double));
		memcpy(ppo->obs_range + (n_envs + e) * dim, net_range_max(net), dim * sizeof(double));
	}
	net_pack(ppo->net);
	return 0;
}

int ppo_new(const PpoConfig *config, Env *env, Ppo **ret_ppo, Error *err)
{
	int code = check(config, env, err);
	if (code)
		return code;
	Ppo *ppo = calloc(1, sizeof *ppo);
	if (!ppo)
		return error_set(err, ERR_NOMEM, "ppo: out of memory");
	ppo->config = *config;
	ppo->env = env;
	env->ops->spec(env, &ppo->spec);
	ppo->config.net.obs_dim = ppo->spec.obs_dim;
	ppo->config.net.hint_dim = ppo->spec.hint_dim;
	ppo->config.net.n_actions = ppo->spec.n_actions;
	code = take_memory(ppo, err);
	if (!code)
		code = start(ppo, err);
	if (code) {
		ppo_free(ppo);
		return code;
	}
	*ret_ppo = ppo;
	return 0;
}

void ppo_free(Ppo *ppo)
{
	if (!ppo)
		return;
	workers_free(ppo->workers);
	learner_free(ppo->learner);
	net_free(ppo->net);
	rollout_done(&ppo->rollout);
	env_buf_done(&ppo->buf);
	free(ppo->block);
	free(ppo);
}

void ppo_on_step(Ppo *ppo, PpoStepHook *hook, void *arg)
{
	ppo->hook = hook;
	ppo->hook_arg = arg;
}

static void step_aside(void *arg, size_t k)
{
	(void) arg, (void) k;
	sched_step_aside();
}

void ppo_step_aside(Ppo *ppo)
{
	workers_run(ppo->workers, step_aside, NULL);
	pair_step_aside(learner_pair(ppo->learner));
}

static void even_out(RolloutBuf *rollout, double power)
{
	static const double LEAST = 1e-3;
	for (size_t e = 0; e < rollout->n_envs; e++) {
		float *advantage = rollout->advantage + e * rollout->n_steps;
		double mean, var;
		batch_moments(rollout->n_steps, 1, advantage, &mean, &var);
		float scale = (float) pow(sqrt(var) + LEAST, -power);
		for (size_t t = 0; t < rollout->n_steps; t++)
			advantage[t] *= scale;
	}
}

void ppo_advantage(Ppo *ppo)
{
	double before = ppo_seconds();
	rollout_advantage(&ppo->rollout, ppo->config.gamma, ppo->config.gae_lambda);
	if (ppo->config.even_advantage > 0.0)
		even_out(&ppo->rollout, ppo->config.even_advantage);
	ppo->learn_seconds += ppo_seconds() - before;
}

static void shuffled(void *arg, size_t epoch, uint32_t *ret_index, size_t n)
{
	Ppo *ppo = arg;
	(void) epoch;
	for (uint32_t i = 0; i < n; i++)
		ret_index[i] = i;
	rng_shuffle(&ppo->shuffle, ret_index, (uint32_t) n);
}

static void report(const Ppo *ppo, const LearnConfig *used, const LearnFigures *figures,
		   double value[TRAIN_METRIC_COUNT])
{
	int64_t count = ppo->n_episodes < PPO_EPISODES ? ppo->n_episodes : PPO_EPISODES;
	double sum_return = 0.0, sum_len = 0.0;
	for (int64_t i = 0; i < count; i++) {
		sum_return += ppo->last_return[i];
		sum_len += ppo->last_len[i];
	}
	value[TRAIN_EP_REW_MEAN] = count ? sum_return / (double) count : (double) NAN;
	value[TRAIN_EP_LEN_MEAN] = count ? sum_len / (double) count : (double) NAN;
	value[TRAIN_APPROX_KL] = figures->loss.approx_kl;
	value[TRAIN_CLIP_FRACTION] = figures->loss.clip_fraction;
	value[TRAIN_ENTROPY_LOSS] = figures->loss.entropy_loss;
	value[TRAIN_EXPLAINED_VARIANCE] = rollout_explained_variance(&ppo->rollout);
	value[TRAIN_VALUE_LOSS] = figures->loss.value_loss;
	value[TRAIN_POLICY_GRADIENT_LOSS] = figures->loss.policy_loss;
	value[TRAIN_LOSS] = figures->loss.loss;
	value[TRAIN_LEARNING_RATE] = used->learning_rate;
	value[TRAIN_CLIP_RANGE] = used->loss.clip_range;
	value[TRAIN_ENT_COEF] = used->loss.ent_coef;
	value[TRAIN_GRAD_NORM] = figures->grad_norm;
}

int ppo_learn(Ppo *ppo, double value[TRAIN_METRIC_COUNT], Error *err)
{
	const PpoConfig *config = &ppo->config;
	double before = ppo_seconds(), left = 1.0;
	if (config->total_timesteps > 0) /* the last rollout may run past the total */
		left = fmax(0.0, 1.0 - (double) ppo->steps / (double) config->total_timesteps);
	LearnConfig learn = {
		.loss = {
			.clip_range = config->clip_range * (config->is_clip_linear ? left : 1.0),
			.ent_coef = config->ent_coef,
			.vf_coef = config->vf_coef,
			.clip_range_vf = config->clip_range_vf * (config->is_clip_vf_linear ? left : 1.0),
			.normalize_advantage = config->normalize_advantage,
			.teacher_coef = config->teacher_coef * left,
			.clone_smoothing = ppo->is_cloning ? CLONE_SMOOTHING : 0.0,
		},
		.learning_rate = config->learning_rate * (config->is_lr_linear ? left : 1.0),
		.max_grad_norm = config->max_grad_norm,
		.target_kl = config->target_kl,
		.batch_size = (size_t) config->batch_size,
		.n_epochs = (size_t) config->n_epochs,
	};
	LearnFigures figures;
	int code = learner_update(ppo->learner, &ppo->rollout, &learn, shuffled, NULL, ppo, &figures, err);
	if (!code)
		report(ppo, &learn, &figures, value);
	ppo->learn_seconds += ppo_seconds() - before;
	return code;
}

void ppo_set_learning_rate(Ppo *ppo, double value)
{
	ppo->config.learning_rate = value;
}

void ppo_set_ent_coef(Ppo *ppo, double value)
{
	ppo->config.ent_coef = value;
}

void ppo_set_clip_range(Ppo *ppo, double value)
{
	ppo->config.clip_range = value;
}

void ppo_take_rates(Ppo *ppo, const PpoConfig *from)
{
	PpoConfig *to = &ppo->config;
	to->learning_rate = from->learning_rate;
	to->ent_coef = from->ent_coef;
	to->clip_range = from->clip_range;
	to->clip_range_vf = from->clip_range_vf;
	to->is_lr_linear = from->is_lr_linear;
	to->is_clip_linear = from->is_clip_linear;
	to->is_clip_vf_linear = from->is_clip_vf_linear;
}

void ppo_set_total_steps(Ppo *ppo, int64_t value)
{
	ppo->config.total_timesteps = value;
}

int64_t ppo_steps(const Ppo *ppo)
{
	return ppo->steps;
}

const Net *ppo_net(const Ppo *ppo)
{
	return ppo->net;
}

size_t ppo_last_returns(const Ppo *ppo, double *ret)
{
	size_t n = 0;
	for (size_t e = 0; e < ppo->rollout.n_envs; e++)
		if (!isnan(ppo->env_return[e]))
			ret[n++] = ppo->env_return[e];
	return n;
}

size_t ppo_samples(const Ppo *ppo)
{
	return ppo->rollout.n_envs * ppo->rollout.n_steps;
}

double ppo_seconds(void)
{
	struct timespec now;
	(void) clock_gettime(CLOCK_MONOTONIC, &now);
	return (double) now.tv_sec + 1e-9 * (double) now.tv_nsec;
}

void ppo_times(const Ppo *ppo, double ret_seconds[3])
{
	ret_seconds[0] = ret_seconds[1] = 0.0;
	ret_seconds[2] = ppo->learn_seconds;
	for (size_t k = 0; k < ppo->n_workers; k++)
		for (size_t i = 0; i < 2; i++)
			ret_seconds[i] += ppo->worker[k].seconds[i];
}
