/*
 * See learner.h. A minibatch is gathered into padded rows, goes forward through a trunk, through its part of the loss, and
 * back; gradients land in one flat buffer laid out as the parameters, whose norm is clipped inside Adam's step.
 *
 * A step is due from the moment the norm is known until a trunk's next pass begins, which takes it first: so a minibatch
 * costs one hand-over and not two. Layers that both trunks share come before and after the two jobs, on the caller's thread.
 */
#include "rl/learner.h"

#include "base/mem.h"
#include "rl/carve.h"
#include "rl/net_layers.h"
#include "rl/pair.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Pass { /* of one trunk over a minibatch */
	_Alignas(64) const float *x;   /* what goes in: rows, or what the shared layers made of them */
	float *rows;                   /* [batch_size][pad16(obs_dim)]; NULL behind shared layers */
	float *y[NET_DEPTH_MAX + 1];   /* outputs of the layers, [batch_size][out_pad] */
	float *dy[NET_DEPTH_MAX + 1];  /* loss by each layer's sum before its activation */
	float *dx;                     /* loss by the last shared layer's sum; NULL without */
	double sum_squares;            /* of its gradient */
} Pass;

typedef struct Job { /* a minibatch */
	const uint32_t *index; /* [n] its samples */
	size_t n;
	AdamStep step;         /* of the minibatch before */
	bool is_step_due;
} Job;

typedef struct ValueResult { /* what the value's trunk says of it */
	double sum_squares, value_loss;
} ValueResult;

_Static_assert(sizeof(Job) <= PAIR_BYTES && sizeof(ValueResult) <= PAIR_BYTES, "a message is one cache line");

struct Learner {
	Net *net;         /* lent */
	Pair *pair;
	size_t batch_size, n_samples;
	float *grad, *m, *v;            /* [n_params]; m and v are adam's */
	Pass pass[TRUNK_COUNT];
	float *log_prob, *advantage;    /* [batch_size] the policy's */
	int32_t *action, *teacher;
	uint8_t *mask;                  /* [batch_size][n_actions] */
	float *scratch;
	float *ret, *old_value;         /* [batch_size] the value's */
	uint32_t *index;                /* [n_samples] */

	const RolloutBuf *buf;          /* that is learnt from */
	LossConfig loss;                /* a copy, since the caller writes beside its own */
	_Alignas(64) Adam adam;     /* from here on changes with each minibatch; apart from what the other thread reads */
	Job job;                        /* the next one; its step outlives it */
};

static void place_pass(Learner *learner, size_t trunk, Carve *at)
{
	const Net *net = learner->net;
	const NetLayer *layer = net->layer[trunk];
	Pass *pass = &learner->pass[trunk];
	size_t n = learner->batch_size;
	for (int32_t i = 0; i < net_layers(net, trunk); i++) {
		pass->y[i] = carve(at, n * layer[i].out_pad, sizeof(float));
		pass->dy[i] = carve(at, n * layer[i].out_pad, sizeof(float));
	}
	if (trunk == TRUNK_SHARED || !net->depth[TRUNK_SHARED])
		pass->rows = carve(at, n * pad16((size_t) net->config.obs_dim), sizeof(float));
	else
		pass->dx = carve(at, n * layer[0].in_pad, sizeof(float));
	pass->x = pass->dx ? learner->pass[TRUNK_SHARED].y[net->depth[TRUNK_SHARED] - 1] : pass->rows;
}

static void place(Learner *learner, Carve *at)
{
	const Net *net = learner->net;
	size_t n = learner->batch_size, n_actions = (size_t) net->config.n_actions;
	(void) carve(at, 1, sizeof *learner);
	carve_apart(at);
	learner->m = learner->adam.m = carve(at, net->n_params, sizeof(float));
	carve_apart(at);
	learner->v = learner->adam.v = carve(at, net->n_params, sizeof(float));
	carve_apart(at);
	learner->grad = carve(at, net->n_params, sizeof(float));
	for (size_t t = TRUNK_COUNT; t-- > 0;) { /* the shared one first: the others read its output */
		carve_apart(at);
		place_pass(learner, t, at);
	}
	learner->log_prob = carve(at, n, sizeof(float));
	learner->advantage = carve(at, n, sizeof(float));
	learner->action = carve(at, n, sizeof(int32_t));
	learner->teacher = carve(at, n, sizeof(int32_t));
	learner->mask = carve(at, n * n_actions, sizeof(uint8_t));
	learner->scratch = carve(at, loss_scratch_floats(n, n_actions), sizeof(float));
	learner->index = carve(at, learner->n_samples, sizeof(uint32_t));
	carve_apart(at);
	learner->ret = carve(at, n, sizeof(float));
	learner->old_value = carve(at, n, sizeof(float));
}

int learner_new(Net *net, size_t batch_size, size_t n_samples, double adam_eps, size_t n_threads, Learner **ret_learner)
{
	Learner plan = {
		.net = net,
		.batch_size = batch_size < n_samples ? batch_size : n_samples,
		.n_samples = n_samples,
		.adam = { .n = net->n_params, .eps = adam_eps },
	};
	Carve at = { 0 };
	place(&plan, &at);
	Learner *learner = mem_block(at.used, 1);
	if (!learner)
		return ERR_NOMEM;
	*learner = plan;
	place(learner, &(Carve) { .base = (char *) learner });
	int code = pair_new(n_threads > 1 && !net->depth[TRUNK_SHARED], &learner->pair);
	if (code) {
		free(learner);
		return code;
	}
	*ret_learner = learner;
	return 0;
}

void learner_free(Learner *learner)
{
	if (learner)
		pair_free(learner->pair);
	free(learner);
}

const float *learner_gradients(const Learner *learner)
{
	return learner->grad;
}

Pair *learner_pair(Learner *learner)
{
	return learner->pair;
}

Adam *learner_adam(Learner *learner)
{
	return &learner->adam;
}

/* ---- a trunk's pass ---- */

static void take_step(Learner *learner, size_t trunk, const AdamStep *step)
{
	const Net *net = learner->net;
	for (int32_t i = 0; i < net_layers(net, trunk); i++) {
		const NetLayer *layer = &net->layer[trunk][i];
		size_t at = layer->weight_at; /* the bias follows its weights */
		net->kernels->adam((layer->in + 1) * layer->out, step, learner->grad + at, net->params + at, learner->m + at, learner->v + at);
		net_pack_layer(net, layer);
	}
}

/* What a trunk's first layer takes of the samples: the policy's none of the hints. */
static void gather_rows(const RolloutBuf *buf, const Job *job, const NetLayer *first, float *rows)
{
	for (size_t b = 0; b < job->n; b++)
		for (size_t o = 0; o < first->in; o++)
			rows[b * first->in_pad + o] = buf->obs[job->index[b] * buf->obs_dim + o];
}

static void forward(Learner *learner, size_t trunk, const Job *job)
{
	Pass *pass = &learner->pass[trunk];
	const float *x = pass->x;
	if (pass->rows)
		gather_rows(learner->buf, job, learner->net->layer[trunk], pass->rows);
	for (int32_t i = 0; i < net_layers(learner->net, trunk); i++) {
		const NetLayer *layer = &learner->net->layer[trunk][i];
		net_layer_forward(learner->net, layer, job->n, x, layer->in_pad, pass->y[i], true);
		x = pass->y[i];
	}
}

static void layer_gradient(Learner *learner, const NetLayer *layer, size_t n, const float *dy, const float *x)
{
	float *dw = learner->grad + layer->weight_at, *db = learner->grad + layer->bias_at;
	bool is_large = net_is_large(learner->net, layer);
	/* of a large layer the bias alone: no columns of weights */
	learner->net->kernels->gradient(n, is_large ? 0 : layer->in, layer->out, dy, layer->out_pad, x, layer->in_pad, dw,
					db);
	if (is_large)
		blas_gemm(learner->net->blas, true, layer->out, layer->in, n, dy, layer->out_pad, x, layer->in_pad, 0.0f, dw, layer->in);
}

/* The loss by the sum, before its activation act, whose output x is. */
static void layer_backward(const Net *net, const NetLayer *layer, size_t n, const float *dy, const float *x,
			   KernelAct act, float *dz)
{
	if (!net_is_large(net, layer)) {
		net->kernels->backward(n, layer->out, layer->in_pad, dy, layer->out_pad, layer->padded, x, act, dz);
		return;
	}
	blas_gemm(net->blas, false, n, layer->in_pad, layer->out, dy, layer->out_pad, layer->padded, layer->in_pad, 0.0f, dz,
		  layer->in_pad);
	net->kernels->derive(n * layer->in_pad, act, x, dz);
}

static void backward(Learner *learner, size_t trunk, size_t n)
{
	const NetLayer *layer = learner->net->layer[trunk], *shared = learner->net->layer[TRUNK_SHARED];
	const Kernels *kernels = learner->net->kernels;
	Pass *pass = &learner->pass[trunk];
	pass->sum_squares = 0.0;
	for (int32_t i = net_layers(learner->net, trunk) - 1; i >= 0; i--) {
		const float *x = i ? pass->y[i - 1] : pass->x;
		layer_gradient(learner, &layer[i], n, pass->dy[i], x);
		pass->sum_squares += kernels->sum_squares((layer[i].in + 1) * layer[i].out,
							  learner->grad + layer[i].weight_at);
		if (i > 0)
			layer_backward(learner->net, &layer[i], n, pass->dy[i], x, layer[i - 1].act, pass->dy[i - 1]);
		else if (pass->dx)
			layer_backward(learner->net, &layer[i], n, pass->dy[i], x, shared->act, pass->dx);
	}
}

static void run_policy(Learner *learner, const Job *job, LossFigures *ret_figures)
{
	const RolloutBuf *buf = learner->buf;
	const Net *net = learner->net;
	Pass *pass = &learner->pass[TRUNK_POLICY];
	size_t n_actions = (size_t) net->config.n_actions;
	int32_t head = net->depth[TRUNK_POLICY];
	if (job->is_step_due)
		take_step(learner, TRUNK_POLICY, &job->step);
	forward(learner, TRUNK_POLICY, job);
	for (size_t b = 0; b < job->n; b++) {
		size_t i = job->index[b];
		learner->action[b] = buf->action[i];
		if (buf->teacher)
			learner->teacher[b] = buf->teacher[i];
		learner->log_prob[b] = buf->log_prob[i];
		learner->advantage[b] = buf->advantage[i];
		if (buf->mask)
			memcpy(learner->mask + b * n_actions, buf->mask + i * n_actions, n_actions);
	}
	LossPolicy batch = {
		.n = job->n,
		.n_actions = n_actions,
		.ld_logits = net->layer[TRUNK_POLICY][head].out_pad,
		.logits = pass->y[head],
		.action = learner->action,
		.teacher = buf->teacher ? learner->teacher : NULL,
		.mask = buf->mask ? learner->mask : NULL,
		.log_prob = learner->log_prob,
		.advantage = learner->advantage,
		.scratch = learner->scratch,
	};
	loss_policy(&learner->loss, &batch, net->kernels, pass->dy[head], ret_figures);
	backward(learner, TRUNK_POLICY, job->n);
}

/* As run_policy, on either thread: in is a Job, out a ValueResult. */
static void run_value(void *arg, const void *in, void *out)
{
	Learner *learner = arg;
	const Job *job = in;
	ValueResult *result = out;
	const Net *net = learner->net;
	Pass *pass = &learner->pass[TRUNK_VALUE];
	int32_t head = net->depth[TRUNK_VALUE];
	if (job->is_step_due)
		take_step(learner, TRUNK_VALUE, &job->step);
	forward(learner, TRUNK_VALUE, job);
	for (size_t b = 0; b < job->n; b++) {
		learner->ret[b] = learner->buf->ret[job->index[b]];
		learner->old_value[b] = learner->buf->value[job->index[b]];
	}
	LossValue batch = {
		.n = job->n,
		.ld_value = net->layer[TRUNK_VALUE][head].out_pad,
		.value = pass->y[head],
		.old = learner->old_value,
		.ret = learner->ret,
	};
	result->value_loss = loss_value(&learner->loss, &batch, pass->dy[head]);
	backward(learner, TRUNK_VALUE, job->n);
	result->sum_squares = pass->sum_squares;
}

/* What both trunks say of the last shared layer, added up, and back through the layers before it. */
static void backward_shared(Learner *learner, size_t n)
{
	int32_t last = learner->net->depth[TRUNK_SHARED] - 1;
	size_t count = n * learner->net->layer[TRUNK_SHARED][last].out_pad;
	float *dy = learner->pass[TRUNK_SHARED].dy[last];
	const float *policy = learner->pass[TRUNK_POLICY].dx, *value = learner->pass[TRUNK_VALUE].dx;
	for (size_t i = 0; i < count; i++)
		dy[i] = policy[i] + value[i];
	backward(learner, TRUNK_SHARED, n);
}

/* Takes the step that is due, then loss and gradient of a minibatch. */
static void run_minibatch(Learner *learner, const uint32_t *index, size_t n, LossFigures *ret_figures, double *ret_squares)
{
	bool is_shared = learner->net->depth[TRUNK_SHARED] > 0;
	union { /* a message */
		ValueResult result;
		char bytes[PAIR_BYTES];
	} value;
	Job *job = &learner->job;
	job->index = index;
	job->n = n;
	if (is_shared) {
		if (job->is_step_due)
			take_step(learner, TRUNK_SHARED, &job->step);
		forward(learner, TRUNK_SHARED, job);
	}
	bool is_away = pair_post(learner->pair, run_value, learner, job);
	run_policy(learner, job, ret_figures);
	if (is_away)
		pair_wait(learner->pair, &value);
	else
		run_value(learner, job, &value);
	job->is_step_due = false;
	if (is_shared)
		backward_shared(learner, n);
	ret_figures->value_loss = value.result.value_loss;
	loss_total(&learner->loss, ret_figures);
	*ret_squares = learner->pass[TRUNK_POLICY].sum_squares + value.result.sum_squares +
		learner->pass[TRUNK_SHARED].sum_squares;
}

void learner_gradient(Learner *learner, const RolloutBuf *buf, const uint32_t *index, size_t n,
		      const LossConfig *config, LossFigures *ret_figures)
{
	double squares;
	learner->buf = buf;
	learner->loss = *config;
	pair_open(learner->pair);
	run_minibatch(learner, index, n, ret_figures, &squares);
	pair_close(learner->pair);
}

/* ---- updates ---- */

static int nonfinite_error(const Learner *learner, Error *err)
{
	NetTensor tensor[NET_TENSORS_MAX];
	size_t count = net_tensors(learner->net, tensor, NET_TENSORS_MAX);
	for (size_t t = 0; t < count; t++) {
		const float *grad = learner->grad + (tensor[t].data - learner->net->params);
		size_t n = (size_t) tensor[t].rows * (size_t) (tensor[t].cols ? tensor[t].cols : 1);
		for (size_t i = 0; i < n; i++)
			if (!isfinite(grad[i]))
				return error_set(err, ERR_NONFINITE, "gradient of %s: not finite; the parameters are "
						 "those before the minibatch", tensor[t].name);
	}
	return error_set(err, ERR_NONFINITE, "norm of the gradient: not finite");
}

/* 1: the update ends here, by target_kl. */
static int minibatch(Learner *learner, const LearnConfig *config, const uint32_t *index, size_t n, LearnFigures *ret,
		     Error *err)
{
	double squares;
	run_minibatch(learner, index, n, &ret->loss, &squares);
	ret->grad_norm = (double) NAN;
	if (config->target_kl > 0.0 && ret->loss.approx_kl > 1.5 * config->target_kl)
		return 1;
	ret->grad_norm = sqrt(squares);
	if (!isfinite(ret->grad_norm))
		return nonfinite_error(learner, err);
	double scale = config->max_grad_norm / (ret->grad_norm + 1e-6);
	learner->job.step = adam_next(&learner->adam, config->learning_rate, scale < 1.0 ? scale : 1.0);
	learner->job.is_step_due = true;
	return 0;
}

typedef struct Sums { /* over the minibatches of an update */
	LearnFigures all;
	size_t n, n_steps; /* minibatches; those that ended in a step */
	size_t n_epoch;    /* of the epoch under way */
} Sums;

static void add_figures(Sums *sums, const LearnFigures *one)
{
	LossFigures *all = &sums->all.loss;
	all->policy_loss += one->loss.policy_loss;
	all->value_loss += one->loss.value_loss;
	all->entropy_loss += one->loss.entropy_loss;
	all->clip_fraction += one->loss.clip_fraction;
	all->approx_kl += one->loss.approx_kl;
	all->loss = one->loss.loss;
	sums->n++;
	sums->n_epoch++;
	if (isnan(one->grad_norm))
		return;
	sums->all.grad_norm += one->grad_norm;
	sums->n_steps++;
}

static LearnFigures means_of(const Sums *sums)
{
	LearnFigures mean = sums->all;
	mean.loss.policy_loss /= (double) sums->n;
	mean.loss.value_loss /= (double) sums->n;
	mean.loss.entropy_loss /= (double) sums->n;
	mean.loss.clip_fraction /= (double) sums->n;
	mean.loss.approx_kl /= (double) sums->n_epoch;
	mean.grad_norm = sums->n_steps ? mean.grad_norm / (double) sums->n_steps : (double) NAN;
	return mean;
}

static int run_epochs(Learner *learner, const LearnConfig *config, LearnerOrder *order, LearnerHook *hook, void *arg,
		      Sums *sums, Error *err)
{
	int code = 0;
	for (size_t epoch = 0; epoch < config->n_epochs && !code; epoch++) {
		order(arg, epoch, learner->index, learner->n_samples);
		sums->n_epoch = 0;
		sums->all.loss.approx_kl = 0.0;
		for (size_t at = 0; at < learner->n_samples && !code; at += config->batch_size) {
			size_t left = learner->n_samples - at;
			LearnFigures one;
			code = minibatch(learner, config, learner->index + at,
					 left < config->batch_size ? left : config->batch_size, &one, err);
			if (code < 0)
				return code;
			add_figures(sums, &one);
			if (hook)
				hook(arg, sums->n - 1, &one);
		}
	}
	return 0;
}

int learner_update(Learner *learner, const RolloutBuf *buf, const LearnConfig *config, LearnerOrder *order,
		   LearnerHook *hook, void *arg, LearnFigures *ret_figures, Error *err)
{
	Sums sums = { 0 };
	learner->buf = buf;
	learner->loss = config->loss;
	pair_open(learner->pair);
	int code = run_epochs(learner, config, order, hook, arg, &sums, err);
	pair_close(learner->pair);
	if (code)
		return code;
	for (size_t t = 0; t < TRUNK_COUNT && learner->job.is_step_due; t++)
		take_step(learner, t, &learner->job.step);
	learner->job.is_step_due = false;
	*ret_figures = means_of(&sums);
	return 0;
}
