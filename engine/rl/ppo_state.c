/*
 * Snapshots of a Ppo: a text that says of which configuration, a checksum, then every field that decides what comes
 * next, in this machine's byte order. One function walks the fields both ways, so that writing and reading cannot
 * differ.
 */
#include "rl/carve.h"
#include "rl/net_layers.h"
#include "rl/ppo_inside.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_BYTES = 1024 };

typedef struct Head {
	char key[KEY_BYTES]; /* what must be alike */
	uint64_t env_bytes;  /* at the end of the payload; 0: the environment cannot be saved */
	uint64_t payload_bytes, payload_sum;
} Head;

typedef struct Walk {
	StrBuf *to;       /* writing; else */
	const char *from; /* reading; NULL too: counting */
	size_t bytes;
} Walk;

static void field(Walk *walk, void *data, size_t bytes)
{
	if (walk->to)
		strbuf_add(walk->to, data, bytes);
	else if (walk->from)
		memcpy(data, walk->from + walk->bytes, bytes);
	walk->bytes += bytes;
}

static void running_fields(Walk *walk, Running *running)
{
	field(walk, &running->count, sizeof running->count);
	field(walk, running->mean, running->dim * sizeof(double));
	field(walk, running->var, running->dim * sizeof(double));
}

/* Of a buffer laid out as the net's parameters, layer by layer in SB3's order, each with the gap to a whole line. */
static void layer_fields(Walk *walk, Net *net, float *flat)
{
	NetTensor tensor[NET_TENSORS_MAX];
	size_t count = net_tensors(net, tensor, NET_TENSORS_MAX);
	for (size_t t = 0; t < count; t += 2) { /* a weight and its bias */
		size_t rows = (size_t) tensor[t].rows, cols = (size_t) tensor[t].cols;
		field(walk, flat + (tensor[t].data - net->params), pad16((cols + 1) * rows) * sizeof(float));
	}
}

static void fields(Ppo *ppo, Walk *walk)
{
	size_t n_envs = ppo->rollout.n_envs, dim = (size_t) ppo->spec.obs_dim;
	Adam *adam = learner_adam(ppo->learner);
	layer_fields(walk, ppo->net, ppo->net->params);
	layer_fields(walk, ppo->net, adam->m);
	layer_fields(walk, ppo->net, adam->v);
	field(walk, &adam->step, sizeof adam->step);
	running_fields(walk, &ppo->obs_stats);
	running_fields(walk, &ppo->reward_stats);
	field(walk, ppo->obs_range, 2 * n_envs * dim * sizeof(double));
	field(walk, &ppo->shuffle, sizeof ppo->shuffle);
	field(walk, &ppo->steps, sizeof ppo->steps);
	field(walk, &ppo->config.learning_rate, sizeof ppo->config.learning_rate);
	field(walk, &ppo->config.ent_coef, sizeof ppo->config.ent_coef);
	field(walk, &ppo->config.clip_range, sizeof ppo->config.clip_range);
	field(walk, &ppo->config.clip_range_vf, sizeof ppo->config.clip_range_vf);
	field(walk, &ppo->config.is_lr_linear, sizeof ppo->config.is_lr_linear);
	field(walk, &ppo->config.is_clip_linear, sizeof ppo->config.is_clip_linear);
	field(walk, &ppo->config.is_clip_vf_linear, sizeof ppo->config.is_clip_vf_linear);
	field(walk, ppo->last_return, sizeof ppo->last_return);
	field(walk, ppo->last_len, sizeof ppo->last_len);
	field(walk, &ppo->n_episodes, sizeof ppo->n_episodes);
	field(walk, ppo->row, n_envs * sizeof *ppo->row);
	field(walk, ppo->buf.obs, n_envs * dim * sizeof(float));
	if (ppo->buf.mask)
		field(walk, ppo->buf.mask, n_envs * (size_t) ppo->spec.n_actions);
}

static void add_widths(StrBuf *key, const char *name, int32_t depth, const int32_t *width)
{
	strbuf_addf(key, " %s", name);
	for (int32_t i = 0; i < depth; i++)
		strbuf_addf(key, ",%d", width[i]);
}

static int write_key(const Ppo *ppo, char key[KEY_BYTES])
{
	const PpoConfig *c = &ppo->config;
	const NetConfig *net = &c->net;
	StrBuf text = { 0 };
	strbuf_addf(&text, "maestro ppo state 6; env %s %d %d; net %d", ppo->env->ops->name, net->obs_dim, net->n_actions,
		    (int) net->activation);
	add_widths(&text, "pi", net->depth, net->width);
	if (net->has_value_arch)
		add_widths(&text, "vf", net->value_depth, net->value_width);
	add_widths(&text, "shared", net->shared_depth, net->shared_width);
	strbuf_addf(&text, "; n_envs %d n_steps %d batch_size %d n_epochs %d gamma %.17g gae_lambda %.17g vf_coef %.17g "
		    "max_grad_norm %.17g adam_eps %.17g normalize_advantage %d target_kl %.17g masks %d norm %d %d clone %lld teacher %.17g even %.17g seed %" PRIu64, c->n_envs, c->n_steps, c->batch_size, c->n_epochs, c->gamma,
		    c->gae_lambda, c->vf_coef, c->max_grad_norm, c->adam_eps, c->normalize_advantage,
		    c->target_kl, c->use_masks, c->norm_obs, c->norm_reward,
		    (long long) c->clone_steps, c->teacher_coef, c->even_advantage, c->seed);
	memset(key, 0, KEY_BYTES);
	if (!text.failed)
		str_copy(key, KEY_BYTES, text.data);
	int code = text.failed ? ERR_NOMEM : 0;
	strbuf_done(&text);
	return code;
}

/* FNV-1a (Fowler, Noll, Vo), 64 bits: against torn and cut states, not against malice. */
static uint64_t checksum(const char *data, size_t len)
{
	uint64_t sum = 14695981039346656037u;
	for (size_t i = 0; i < len; i++)
		sum = (sum ^ (unsigned char) data[i]) * 1099511628211u;
	return sum;
}

int ppo_snapshot(const Ppo *ppo, StrBuf *ret_state, Error *err)
{
	const EnvOps *ops = ppo->env->ops;
	size_t at = ret_state->len;
	Head head = { .env_bytes = ops->snapshot ? ops->state_size(ppo->env) : 0 };
	if (write_key(ppo, head.key))
		return error_set(err, ERR_NOMEM, "ppo state: out of memory");
	strbuf_add(ret_state, (const char *) &head, sizeof head);
	Walk walk = { .to = ret_state };
	fields((Ppo *) ppo, &walk); /* only read, since walk writes to a string */
	if (head.env_bytes) {
		char *state = malloc(head.env_bytes);
		if (!state)
			return error_set(err, ERR_NOMEM, "ppo state: out of memory");
		ops->snapshot(ppo->env, state);
		strbuf_add(ret_state, state, head.env_bytes);
		free(state);
	}
	if (ret_state->failed)
		return error_set(err, ERR_NOMEM, "ppo state: out of memory");
	const char *payload = ret_state->data + at + sizeof head;
	head.payload_bytes = ret_state->len - at - sizeof head;
	head.payload_sum = checksum(payload, head.payload_bytes);
	memcpy(ret_state->data + at, &head, sizeof head);
	return 0;
}

static int check_state(const Ppo *ppo, const char *state, size_t len, Head *ret_head, Error *err)
{
	Head head;
	char key[KEY_BYTES];
	Walk count = { 0 };
	if (len < sizeof head)
		return error_set(err, ERR_BAD_MODEL, "ppo state: %zu bytes are too few", len);
	memcpy(&head, state, sizeof head);
	if (write_key(ppo, key))
		return error_set(err, ERR_NOMEM, "ppo state: out of memory");
	if (memcmp(head.key, key, sizeof key))
		return error_set(err, ERR_INVALID, "ppo state: of another configuration");
	fields((Ppo *) ppo, &count); /* counts only */
	size_t env_bytes = ppo->env->ops->restore ? ppo->env->ops->state_size(ppo->env) : 0;
	if (head.env_bytes != env_bytes || head.payload_bytes != count.bytes + env_bytes ||
	    head.payload_bytes != len - sizeof head ||
	    head.payload_sum != checksum(state + sizeof head, head.payload_bytes))
		return error_set(err, ERR_BAD_MODEL, "ppo state: damaged");
	*ret_head = head;
	return 0;
}

int ppo_restore(Ppo *ppo, const char *state, size_t len, Error *err)
{
	const EnvOps *ops = ppo->env->ops;
	Head head = { 0 };
	int code = check_state(ppo, state, len, &head, err);
	if (code)
		return code;
	if (head.env_bytes && (code = ops->restore(ppo->env, state + len - head.env_bytes, head.env_bytes)))
		return error_set(err, code, "environment %s: restore: %s", ops->name, err_text(code));
	Walk walk = { .from = state + sizeof head };
	fields(ppo, &walk);
	if (ppo->config.norm_obs)
		net_set_normalisation(ppo->net, ppo->obs_stats.mean, ppo->obs_stats.var, ppo->obs_stats.count);
	ppo_show_range(ppo);
	net_pack(ppo->net);
	if (head.env_bytes)
		return 0;
	/* The episodes that ran are lost: new ones, other than those of the start. */
	code = ops->reset(ppo->env, ppo->config.seed ^ (uint64_t) ppo->steps, &ppo->buf);
	for (size_t e = 0; e < ppo->rollout.n_envs; e++) {
		ppo->row[e].discounted = ppo->row[e].ep_return = 0.0;
		ppo->row[e].ep_len = 0;
	}
	return code ? error_set(err, code, "environment %s: reset: %s", ops->name, err_text(code)) : 0;
}
