/*
 * See net.h and net_layers.h. A net is one aligned block: the struct, the flat parameters, the packed layers and the
 * normalisation, so that a clone is a copy and a pack.
 */
#include "rl/net.h"

#include "base/mem.h"
#include "rl/blas.h"
#include "rl/carve.h"
#include "rl/net_layers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double NORM_EPS = 1e-8, NORM_CLIP = 10.0;

static int check_trunk(const char *trunk, int32_t depth, const int32_t *width, Error *err)
{
	if (depth < 0 || depth > NET_DEPTH_MAX)
		return error_set(err, ERR_INVALID, "net: depth %d of the %s trunk is not in 0..%d", depth, trunk, NET_DEPTH_MAX);
	for (int32_t i = 0; i < depth; i++)
		if (width[i] < 1 || width[i] > NET_WIDTH_MAX)
			return error_set(err, ERR_INVALID, "net: width %d of the %s trunk's layer %d is not in 1..%d", width[i],
					 trunk, i, NET_WIDTH_MAX);
	return 0;
}

static int check(const NetConfig *config, Error *err)
{
	if (config->obs_dim < 1 || config->obs_dim > NET_WIDTH_MAX)
		return error_set(err, ERR_INVALID, "net: obs_dim %d is not in 1..%d", config->obs_dim, NET_WIDTH_MAX);
	if (config->n_actions < 1 || config->n_actions > NET_WIDTH_MAX)
		return error_set(err, ERR_INVALID, "net: n_actions %d is not in 1..%d", config->n_actions,
				 NET_WIDTH_MAX);
	int code = check_trunk("policy", config->depth, config->width, err);
	if (!code && config->has_value_arch)
		code = check_trunk("value", config->value_depth, config->value_width, err);
	if (code)
		return code;
	if (config->activation != ACTIVATION_TANH && config->activation != ACTIVATION_RELU)
		return error_set(err, ERR_INVALID, "net: unknown activation %d", (int) config->activation);
	return 0;
}

static void size_layer(NetLayer *layer, size_t in, size_t out, KernelAct act, size_t *at)
{
	*layer = (NetLayer) { .in = in, .out = out, .in_pad = pad16(in), .out_pad = pad16(out), .act = act };
	layer->weight_at = *at;
	layer->bias_at = *at + in * out;
	*at = layer->bias_at + out;
}

/* Shapes and places in the flat buffer, in SB3's order: the policy's hidden layers, the value's, the two heads. */
static void size_layers(Net *net)
{
	const NetConfig *config = &net->config;
	KernelAct act = config->activation == ACTIVATION_TANH ? KERNEL_TANH : KERNEL_RELU;
	const int32_t *width[] = { config->width, config->has_value_arch ? config->value_width : config->width };
	const size_t outputs[] = { (size_t) config->n_actions, 1 };
	size_t at = 0, in[TRUNK_COUNT];
	net->depth[TRUNK_POLICY] = config->depth;
	net->depth[TRUNK_VALUE] = config->has_value_arch ? config->value_depth : config->depth;
	for (int t = 0; t < TRUNK_COUNT; t++) {
		in[t] = (size_t) config->obs_dim;
		for (int32_t i = 0; i < net->depth[t]; i++) {
			size_layer(&net->layer[t][i], in[t], (size_t) width[t][i], act, &at);
			in[t] = (size_t) width[t][i];
		}
	}
	net->widest_pad = 16;
	for (int t = 0; t < TRUNK_COUNT; t++) {
		size_layer(&net->layer[t][net->depth[t]], in[t], outputs[t], KERNEL_LINEAR, &at);
		for (int32_t i = 0; i <= net->depth[t]; i++)
			if (net->layer[t][i].out_pad > net->widest_pad)
				net->widest_pad = net->layer[t][i].out_pad;
	}
	net->n_params = at;
}

static void place(Net *net, Carve *at)
{
	size_t dim = (size_t) net->config.obs_dim;
	(void) carve(at, 1, sizeof *net);
	net->params = carve(at, net->n_params, sizeof(float));
	for (int t = 0; t < TRUNK_COUNT; t++)
		for (int32_t i = 0; i <= net->depth[t]; i++) {
			NetLayer *layer = &net->layer[t][i];
			layer->packed = carve(at, (layer->in + 1) * layer->out_pad, sizeof(float));
			if (layer->in != layer->in_pad)
				layer->padded = carve(at, layer->out * layer->in_pad, sizeof(float));
			else if (net->params)
				layer->padded = net->params + layer->weight_at;
		}
	net->mean = carve(at, dim, sizeof(double));
	net->var = carve(at, dim, sizeof(double));
	net->scale = carve(at, dim, sizeof(double));
}

int net_new(const NetConfig *config, Net **ret_net, Error *err)
{
	int code = check(config, err);
	if (code)
		return code;
	Net plan = { .config = *config, .kernels = kernels_best() };
	size_layers(&plan);
	Carve count = { 0 };
	place(&plan, &count);
	Net *net = mem_block(count.used, 1);
	if (!net)
		return error_set(err, ERR_NOMEM, "net: out of memory for %zu bytes", count.used);
	*net = plan;
	net->block_bytes = count.used;
	place(net, &(Carve) { .base = (char *) net });
	*ret_net = net;
	return 0;
}

void net_free(Net *net)
{
	free(net);
}

Net *net_clone(const Net *net)
{
	Net *copy = NULL;
	if (net_new(&net->config, &copy, NULL))
		return NULL;
	memcpy(copy->params, net->params, net->n_params * sizeof *net->params);
	if (net->is_normalised)
		net_set_normalisation(copy, net->mean, net->var, net->count);
	net_pack(copy);
	return copy;
}

const NetConfig *net_config(const Net *net)
{
	return &net->config;
}

void net_pack(Net *net)
{
	for (int t = 0; t < TRUNK_COUNT; t++)
		for (int32_t i = 0; i <= net->depth[t]; i++) {
			const NetLayer *layer = &net->layer[t][i];
			const float *weight = net->params + layer->weight_at;
			memcpy(layer->packed, net->params + layer->bias_at, layer->out * sizeof(float));
			net->kernels->transpose(layer->out, layer->in, weight, layer->packed + layer->out_pad,
						layer->out_pad);
			if (layer->padded != weight)
				for (size_t j = 0; j < layer->out; j++)
					memcpy(layer->padded + j * layer->in_pad, weight + j * layer->in,
					       layer->in * sizeof(float));
		}
}

static void name_tensor(NetTensor *ret, const char *name, int index, const char *part)
{
	if (index < 0)
		(void) snprintf(ret->name, sizeof ret->name, "%s.%s", name, part);
	else
		(void) snprintf(ret->name, sizeof ret->name, "%s.%d.%s", name, index, part);
}

size_t net_tensors(Net *net, NetTensor *ret_tensor, size_t max)
{
	static const char *const TRUNKS[] = { "mlp_extractor.policy_net", "mlp_extractor.value_net" };
	static const char *const HEADS[] = { "action_net", "value_net" };
	size_t count = 0;
	for (int part = 0; part < 2 * TRUNK_COUNT; part++) {
		bool is_head = part >= TRUNK_COUNT;
		int t = part % TRUNK_COUNT;
		int32_t first = is_head ? net->depth[t] : 0;
		int32_t last = is_head ? net->depth[t] : net->depth[t] - 1;
		for (int32_t i = first; i <= last; i++) {
			const NetLayer *layer = &net->layer[t][i];
			NetTensor weight = { .rows = (int32_t) layer->out, .cols = (int32_t) layer->in,
					     .data = net->params + layer->weight_at };
			NetTensor bias = { .rows = (int32_t) layer->out, .data = net->params + layer->bias_at };
			/* torch counts the activations between the layers too */
			name_tensor(&weight, is_head ? HEADS[t] : TRUNKS[t], is_head ? -1 : 2 * i, "weight");
			name_tensor(&bias, is_head ? HEADS[t] : TRUNKS[t], is_head ? -1 : 2 * i, "bias");
			if (count < max)
				ret_tensor[count] = weight;
			if (count + 1 < max)
				ret_tensor[count + 1] = bias;
			count += 2;
		}
	}
	return count;
}

bool net_is_normalised(const Net *net)
{
	return net->is_normalised;
}

void net_set_normalisation(Net *net, const double *mean, const double *var, double count)
{
	for (int32_t o = 0; o < net->config.obs_dim; o++) {
		net->mean[o] = mean[o];
		net->var[o] = var[o];
		net->scale[o] = 1.0 / sqrt(var[o] + NORM_EPS);
	}
	net->count = count;
	net->is_normalised = true;
}

const double *net_norm_mean(const Net *net)
{
	return net->mean;
}

const double *net_norm_var(const Net *net)
{
	return net->var;
}

double net_norm_count(const Net *net)
{
	return net->count;
}

void net_normalise(const Net *net, const float *obs, size_t n, float *ret_x, size_t ldx)
{
	size_t dim = (size_t) net->config.obs_dim;
	for (size_t b = 0; b < n; b++)
		for (size_t o = 0; o < dim; o++) {
			if (!net->is_normalised) {
				ret_x[b * ldx + o] = obs[b * dim + o];
				continue;
			}
			double x = ((double) obs[b * dim + o] - net->mean[o]) * net->scale[o];
			x = x > NORM_CLIP ? NORM_CLIP : x < -NORM_CLIP ? -NORM_CLIP : x;
			ret_x[b * ldx + o] = (float) x;
		}
}

void net_layer_forward(const Net *net, const NetLayer *layer, size_t n, const float *x, size_t ldx, float *y,
		       bool is_batch)
{
	if (!is_batch || layer->in * layer->out < BLAS_MIN) {
		net->kernels->forward(n, layer->in, layer->out_pad, x, ldx, layer->packed, layer->act, y);
		return;
	}
	for (size_t b = 0; b < n; b++)
		memcpy(y + b * layer->out_pad, layer->packed, layer->out_pad * sizeof *y);
	blas_gemm(false, n, layer->out_pad, layer->in, x, ldx, layer->packed + layer->out_pad, layer->out_pad, 1.0f, y,
		  layer->out_pad);
	net->kernels->activate(n * layer->out_pad, layer->act, y);
}

/* The observations, and two activations in turn. */
size_t net_scratch_floats(const Net *net, size_t n)
{
	return n * (pad16((size_t) net->config.obs_dim) + 2 * net->widest_pad);
}

static const float *trunk_forward(const Net *net, NetTrunk trunk, const float *x, size_t ldx, size_t n, float *scratch)
{
	float *turn[2] = { scratch, scratch + n * net->widest_pad };
	for (int32_t i = 0; i <= net->depth[trunk]; i++) {
		const NetLayer *layer = &net->layer[trunk][i];
		net_layer_forward(net, layer, n, x, ldx, turn[i % 2], false);
		x = turn[i % 2];
		ldx = layer->out_pad;
	}
	return x;
}

void net_forward(const Net *net, const float *obs, size_t n, float *ret_logits, float *ret_value, float *scratch)
{
	size_t dim = (size_t) net->config.obs_dim, ldx = pad16(dim), n_actions = (size_t) net->config.n_actions;
	net_normalise(net, obs, n, scratch, ldx);
	if (ret_logits) {
		const float *y = trunk_forward(net, TRUNK_POLICY, scratch, ldx, n, scratch + n * ldx);
		for (size_t b = 0; b < n; b++)
			memcpy(ret_logits + b * n_actions, y + b * pad16(n_actions), n_actions * sizeof *y);
	}
	if (ret_value) {
		const float *y = trunk_forward(net, TRUNK_VALUE, scratch, ldx, n, scratch + n * ldx);
		for (size_t b = 0; b < n; b++)
			ret_value[b] = y[b * pad16(1)];
	}
}

/* Rows of q [n][dim] (n <= dim) made orthonormal one after the other, twice over for rounding (Gram and Schmidt). */
static void orthonormalise(double *q, size_t n, size_t dim)
{
	for (size_t r = 0; r < n; r++) {
		double *row = q + r * dim, norm = 0.0;
		for (size_t pass = 0; pass < 2; pass++)
			for (size_t s = 0; s < r; s++) {
				double dot = 0.0;
				for (size_t i = 0; i < dim; i++)
					dot += row[i] * q[s * dim + i];
				for (size_t i = 0; i < dim; i++)
					row[i] -= dot * q[s * dim + i];
			}
		for (size_t i = 0; i < dim; i++)
			norm += row[i] * row[i];
		for (size_t i = 0; i < dim; i++)
			row[i] /= sqrt(norm);
	}
}

int net_init_orthogonal(Net *net, Rng *rng)
{
	NetTensor tensor[NET_TENSORS_MAX];
	size_t count = net_tensors(net, tensor, NET_TENSORS_MAX);
	for (size_t t = 0; t < count; t += 2) {
		size_t rows = (size_t) tensor[t].rows, cols = (size_t) tensor[t].cols;
		bool is_wide = rows <= cols;
		size_t n = is_wide ? rows : cols, dim = is_wide ? cols : rows;
		double gain = t + 4 == count ? 0.01 : t + 2 == count ? 1.0 : sqrt(2.0);
		double *q = mem_block(n * dim, sizeof *q);
		if (!q)
			return ERR_NOMEM;
		for (size_t i = 0; i < n * dim; i++)
			q[i] = rng_normal(rng);
		orthonormalise(q, n, dim);
		for (size_t r = 0; r < rows; r++)
			for (size_t c = 0; c < cols; c++)
				tensor[t].data[r * cols + c] =
					(float) (gain * (is_wide ? q[r * dim + c] : q[c * dim + r]));
		memset(tensor[t + 1].data, 0, rows * sizeof(float));
		free(q);
	}
	net_pack(net);
	return 0;
}
