/*
 * A net as a Policy (model.h). The deciding thread owns the net it decides with; a swap from another thread leaves
 * the newcomer in `next`, and the following decide takes it over and frees the old one, so that neither waits for the
 * other.
 */
#include "rl/model.h"

#include "base/mem.h"
#include "decide/actions.h"
#include "decide/observation.h"
#include "rl/carve.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 16 }; /* observations a forward pass */

typedef struct ModelPolicy {
	Policy policy;
	Net *net;              /* the deciding thread's; changed under the lock alone, so that others can copy it */
	pthread_mutex_t lock;  /* of the four below */
	ModelInfo info;
	Net *next;             /* NULL: none waits */
	int64_t steps;
	char next_sha256[65];
	ObsStats stats;        /* of the inputs in training, where the net knows them */
	float *x;              /* [CHUNK][obs_dim] */
	float *logits;         /* [CHUNK][n_actions] */
	float value[CHUNK];
	float *scratch;
} ModelPolicy;

static void take_next(ModelPolicy *model)
{
	(void) pthread_mutex_lock(&model->lock);
	Net *old = model->next ? model->net : NULL;
	if (model->next) {
		model->net = model->next;
		str_copy(model->policy.sha256, sizeof model->policy.sha256, model->next_sha256);
	}
	model->next = NULL;
	(void) pthread_mutex_unlock(&model->lock);
	if (old && model->policy.trained_on) /* another net was trained on other inputs */
		model_stats(model->net, &model->stats);
	net_free(old);
}

static int decide_one(const ModelPolicy *model, const Observation *obs, const float *logits, float value, Decision *ret)
{
	static const Reason REASONS[ACTION_COUNT] = { REASON_POLICY_DOWN, REASON_POLICY_KEEP, REASON_POLICY_UP };
	ActionSet actions = model->policy.actions;
	Decision decision = *ret;
	int32_t chosen;
	if (!obs->sample || !(obs->sample->valid & SAMPLE_REPLICAS))
		return ERR_NO_DATA;
	if (!isfinite(value))
		return ERR_NONFINITE;
	int code = actions_choose(actions, logits, obs->mask ? obs->mask : ~0u, decision.probability, &chosen);
	if (code)
		return code;
	decision.action = actions_direction(actions, chosen);
	decision.n_actions = ACTION_COUNT;
	decision.is_wide = actions == ACTIONS_WIDE;
	decision.value = value;
	decision.raw = actions_wish(actions, chosen, obs->sample->replicas);
	decision.reason = REASONS[decision.action];
	*ret = decision;
	return 0;
}

static int decide(Policy *policy, const Observation *obs, size_t n, Decision *ret_decision)
{
	ModelPolicy *model = (ModelPolicy *) policy;
	take_next(model);
	const NetConfig *config = net_config(model->net);
	size_t dim = (size_t) config->obs_dim, n_actions = (size_t) config->n_actions;
	for (size_t at = 0; at < n; at += CHUNK) {
		size_t count = n - at < CHUNK ? n - at : CHUNK;
		for (size_t b = 0; b < count; b++) {
			if (obs[at + b].dim != config->obs_dim)
				return ERR_BAD_MODEL;
			memcpy(model->x + b * dim, obs[at + b].x, dim * sizeof(float));
		}
		net_forward(model->net, model->x, count, model->logits, model->value, model->scratch);
		for (size_t b = 0; b < count; b++) {
			int code = decide_one(model, &obs[at + b], model->logits + b * n_actions, model->value[b], &ret_decision[at + b]);
			if (code)
				return code;
		}
	}
	return 0;
}

static void free_policy(Policy *policy)
{
	ModelPolicy *model = (ModelPolicy *) policy;
	net_free(model->net);
	net_free(model->next);
	(void) pthread_mutex_destroy(&model->lock);
	free(model);
}

static Policy *copy(Policy *policy)
{
	ModelPolicy *model = (ModelPolicy *) policy;
	Policy *ret = NULL;
	(void) pthread_mutex_lock(&model->lock);
	Net *net = net_clone(model->next ? model->next : model->net);
	ModelInfo info = model->info;
	info.steps = model->steps;
	(void) pthread_mutex_unlock(&model->lock);
	return net && !model_policy_new(net, &info, policy->label, &ret) ? ret : NULL;
}

static bool range(const Policy *policy, int32_t i, float *ret_lo, float *ret_hi)
{
	const Net *net = ((const ModelPolicy *) policy)->net;
	if (!net_range_min(net) || i >= net_config(net)->obs_dim)
		return false;
	*ret_lo = (float) net_range_min(net)[i];
	*ret_hi = (float) net_range_max(net)[i];
	return *ret_lo <= *ret_hi;
}

static const PolicyOps OPS = { .name = "model", .decide = decide, .free = free_policy, .copy = copy, .range = range };

void model_stats(const Net *net, ObsStats *ret)
{
	*ret = (ObsStats) { 0 };
	if (!net_range_min(net) || !net_is_normalised(net))
		return;
	ret->dim = net_config(net)->obs_dim;
	for (int32_t i = 0; i < ret->dim; i++) {
		ret->mean[i] = (float) net_norm_mean(net)[i];
		ret->var[i] = (float) net_norm_var(net)[i];
		ret->min[i] = (float) net_range_min(net)[i];
		ret->max[i] = (float) net_range_max(net)[i];
	}
}

static void place(ModelPolicy *model, Carve *at)
{
	const NetConfig *config = net_config(model->net);
	(void) carve(at, 1, sizeof *model);
	model->x = carve(at, (size_t) CHUNK * (size_t) config->obs_dim, sizeof(float));
	model->logits = carve(at, (size_t) CHUNK * (size_t) config->n_actions, sizeof(float));
	model->scratch = carve(at, net_scratch_floats(model->net, CHUNK), sizeof(float));
}

int model_policy_new(Net *net, const ModelInfo *info, const char *label, Policy **ret_policy)
{
	const NetConfig *config = net_config(net);
	if (config->n_actions != actions_count(info->actions) || config->obs_dim > OBS_MAX) {
		net_free(net);
		return ERR_BAD_MODEL;
	}
	ModelPolicy plan = {
		.policy = { .ops = &OPS, .interval_s = info->interval_s, .obs_version = info->obs_version,
			    .obs_stack = info->obs_stack, .pod_price = info->pod_price, .actions = info->actions,
			    .has_rails = info->obs_version == OBS_TREND },
		.net = net,
		.steps = info->steps,
		.info = *info,
	};
	Carve at = { 0 };
	place(&plan, &at);
	ModelPolicy *model = mem_block(at.used, 1);
	if (!model) {
		net_free(net);
		return ERR_NOMEM;
	}
	*model = plan;
	place(model, &(Carve) { .base = (char *) model });
	str_copy(model->policy.label, sizeof model->policy.label, label);
	model_stats(net, &model->stats);
	if (model->stats.dim && info->obs_version == OBS_TREND) /* the thesis's inputs have no scale of their own */
		model->policy.trained_on = &model->stats;
	(void) pthread_mutex_init(&model->lock, NULL);
	*ret_policy = &model->policy;
	return 0;
}

void model_policy_swap(Policy *policy, Net *net, int64_t steps, const char *sha256)
{
	ModelPolicy *model = (ModelPolicy *) policy;
	(void) pthread_mutex_lock(&model->lock);
	Net *unused = model->next;
	model->next = net;
	model->steps = steps;
	str_copy(model->next_sha256, sizeof model->next_sha256, sha256);
	(void) pthread_mutex_unlock(&model->lock);
	net_free(unused);
}

int64_t model_policy_steps(const Policy *policy)
{
	ModelPolicy *model = (ModelPolicy *) (uintptr_t) policy; /* the lock is written */
	(void) pthread_mutex_lock(&model->lock);
	int64_t steps = model->steps;
	(void) pthread_mutex_unlock(&model->lock);
	return steps;
}

int32_t model_policy_obs_dim(const Policy *policy)
{
	return net_config(((const ModelPolicy *) policy)->net)->obs_dim;
}
