/*
 * See learner.h. A minibatch is gathered into padded rows, goes forward through both trunks, through the loss, and
 * back; gradients land in one flat buffer laid out as the parameters, whose norm is clipped inside Adam's step.
 */
#include "rl/learner.h"

#include "base/mem.h"
#include "rl/blas.h"
#include "rl/carve.h"
#include "rl/net_layers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct Learner {
	Net *net; /* lent */
	size_t batch_size, n_samples;
	Adam adam;
	float *grad;                                      /* [n_params] */
	float *x;                                         /* [batch_size][pad16(obs_dim)] */
	float *y[TRUNK_COUNT][NET_DEPTH_MAX + 1];         /* outputs of the layers, [batch_size][out_pad] */
	float *dy[TRUNK_COUNT][NET_DEPTH_MAX + 1];        /* loss by each layer's sum before its activation */
	float *log_prob, *advantage, *ret;                /* [batch_size] */
	int32_t *action;
	uint32_t *index;                                  /* [n_samples] */
};

static void place(Learner *learner, Carve *at)
{
	const Net *net = learner->net;
	size_t n = learner->batch_size;
	(void) carve(at, 1, sizeof *learner);
	learner->adam.m = carve(at, net->n_params, sizeof(float));
	learner->adam.v = carve(at, net->n_params, sizeof(float));
	learner->grad = carve(at, net->n_params, sizeof(float));
	learner->x = carve(at, n * net->layer[0][0].in_pad, sizeof(float));
	for (int t = 0; t < TRUNK_COUNT; t++)
		for (int32_t i = 0; i <= net->depth[t]; i++) {
			learner->y[t][i] = carve(at, n * net->layer[t][i].out_pad, sizeof(float));
			learner->dy[t][i] = carve(at, n * net->layer[t][i].out_pad, sizeof(float));
		}
	learner->log_prob = carve(at, n, sizeof(float));
	learner->advantage = carve(at, n, sizeof(float));
	learner->ret = carve(at, n, sizeof(float));
	learner->action = carve(at, n, sizeof(int32_t));
	learner->index = carve(at, learner->n_samples, sizeof(uint32_t));
}

int learner_new(Net *net, size_t batch_size, size_t n_samples, double adam_eps, Learner **ret_learner)
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
	*ret_learner = learner;
	return 0;
}

void learner_free(Learner *learner)
{
	free(learner);
}

const float *learner_gradients(const Learner *learner)
{
	return learner->grad;
}

Adam *learner_adam(Learner *learner)
{
	return &learner->adam;
}

static void gather(Learner *learner, const RolloutBuf *buf, const uint32_t *index, size_t n)
{
	size_t dim = buf->obs_dim, ldx = pad16(dim);
	for (size_t b = 0; b < n; b++) {
		size_t i = index[b];
		memcpy(learner->x + b * ldx, buf->obs + i * dim, dim * sizeof(float));
		learner->action[b] = buf->action[i];
		learner->log_prob[b] = buf->log_prob[i];
		learner->advantage[b] = buf->advantage[i];
		learner->ret[b] = buf->ret[i];
	}
}

static void forward(Learner *learner, NetTrunk trunk, size_t n)
{
	const float *x = learner->x;
	for (int32_t i = 0; i <= learner->net->depth[trunk]; i++) {
		const NetLayer *layer = &learner->net->layer[trunk][i];
		net_layer_forward(learner->net, layer, n, x, layer->in_pad, learner->y[trunk][i], true);
		x = learner->y[trunk][i];
	}
}

/* The layer's own gradients, and the loss by the sum of the layer below. */
static void backward(Learner *learner, NetTrunk trunk, size_t n)
{
	const Kernels *kernels = learner->net->kernels;
	for (int32_t i = learner->net->depth[trunk]; i >= 0; i--) {
		const NetLayer *layer = &learner->net->layer[trunk][i];
		const float *x = i ? learner->y[trunk][i - 1] : learner->x, *dy = learner->dy[trunk][i];
		float *dw = learner->grad + layer->weight_at, *db = learner->grad + layer->bias_at;
		bool is_large = layer->in * layer->out >= BLAS_MIN;
		/* of a large layer the bias alone: no columns of weights */
		kernels->gradient(n, is_large ? 0 : layer->in, layer->out, dy, layer->out_pad, x, layer->in_pad, dw, db);
		if (is_large)
			blas_gemm(true, layer->out, layer->in, n, dy, layer->out_pad, x, layer->in_pad, 0.0f, dw,
				  layer->in);
		if (i == 0)
			continue;
		float *dz = learner->dy[trunk][i - 1];
		KernelAct act = learner->net->layer[trunk][i - 1].act;
		if (is_large) {
			blas_gemm(false, n, layer->in_pad, layer->out, dy, layer->out_pad, layer->padded, layer->in_pad,
				  0.0f, dz, layer->in_pad);
			kernels->derive(n * layer->in_pad, act, x, dz);
		} else {
			kernels->backward(n, layer->out, layer->in_pad, dy, layer->out_pad, layer->padded, x, act, dz);
		}
	}
}

void learner_gradient(Learner *learner, const RolloutBuf *buf, const uint32_t *index, size_t n,
		      const LossConfig *config, LossFigures *ret_figures)
{
	const Net *net = learner->net;
	int32_t pi = net->depth[TRUNK_POLICY], vf = net->depth[TRUNK_VALUE]; /* the heads */
	gather(learner, buf, index, n);
	forward(learner, TRUNK_POLICY, n);
	forward(learner, TRUNK_VALUE, n);
	LossBatch batch = {
		.n = n,
		.n_actions = (size_t) net->config.n_actions,
		.ld_logits = net->layer[TRUNK_POLICY][pi].out_pad,
		.ld_value = net->layer[TRUNK_VALUE][vf].out_pad,
		.logits = learner->y[TRUNK_POLICY][pi],
		.value = learner->y[TRUNK_VALUE][vf],
		.action = learner->action,
		.log_prob = learner->log_prob,
		.ret = learner->ret,
		.advantage = learner->advantage,
	};
	loss_compute(config, &batch, learner->dy[TRUNK_POLICY][pi], learner->dy[TRUNK_VALUE][vf], ret_figures);
	backward(learner, TRUNK_POLICY, n);
	backward(learner, TRUNK_VALUE, n);
}

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

static int minibatch_step(Learner *learner, const RolloutBuf *buf, const LearnConfig *config, const uint32_t *index,
			  size_t n, LearnFigures *ret, Error *err)
{
	Net *net = learner->net;
	learner_gradient(learner, buf, index, n, &config->loss, &ret->loss);
	ret->grad_norm = sqrt(net->kernels->sum_squares(net->n_params, learner->grad));
	if (!isfinite(ret->grad_norm))
		return nonfinite_error(learner, err);
	double scale = config->max_grad_norm / (ret->grad_norm + 1e-6);
	adam_step(&learner->adam, net->kernels, config->learning_rate, scale < 1.0 ? scale : 1.0, learner->grad,
		  net->params);
	net_pack(net);
	return 0;
}

static void add_figures(LossFigures *sum, const LossFigures *one)
{
	sum->policy_loss += one->policy_loss;
	sum->value_loss += one->value_loss;
	sum->entropy_loss += one->entropy_loss;
	sum->clip_fraction += one->clip_fraction;
	sum->approx_kl += one->approx_kl;
	sum->loss = one->loss;
}

int learner_update(Learner *learner, const RolloutBuf *buf, const LearnConfig *config, LearnerOrder *order,
		   LearnerHook *hook, void *arg, LearnFigures *ret_figures, Error *err)
{
	LearnFigures sum = { 0 };
	size_t done = 0, n_batches = (learner->n_samples + config->batch_size - 1) / config->batch_size;
	for (size_t epoch = 0; epoch < config->n_epochs; epoch++) {
		order(arg, epoch, learner->index, learner->n_samples);
		sum.loss.approx_kl = 0.0;
		for (size_t i = 0; i < n_batches; i++) {
			size_t at = i * config->batch_size, left = learner->n_samples - at;
			LearnFigures one;
			int code = minibatch_step(learner, buf, config, learner->index + at,
						  left < config->batch_size ? left : config->batch_size, &one, err);
			if (code)
				return code;
			add_figures(&sum.loss, &one.loss);
			sum.grad_norm += one.grad_norm;
			if (hook)
				hook(arg, done, &one);
			done++;
		}
	}
	sum.loss.policy_loss /= (double) done;
	sum.loss.value_loss /= (double) done;
	sum.loss.entropy_loss /= (double) done;
	sum.loss.clip_fraction /= (double) done;
	sum.loss.approx_kl /= (double) n_batches;
	sum.grad_norm /= (double) done;
	*ret_figures = sum;
	return 0;
}
