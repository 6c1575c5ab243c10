/*
 * See net.h and net_layers.h. A net is one aligned block: the struct, the flat parameters, the packed layers and the
 * normalisation, so that a clone is a copy and a pack.
 */
#include "rl/net.h"

#include "base/mem.h"
#include "rl/carve.h"
#include "rl/net_layers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double NORM_EPS = 1e-8, NORM_CLIP = 10.0;

static int check_range(const char *what, int32_t value, int32_t least, int32_t most, Error *err)
{
	if (value >= least && value <= most)
		return 0;
	return error_set(err, ERR_INVALID, "net: %s %d is not in %d..%d", what, value, least, most);
}

static int check_trunk(const char *name, int32_t depth, const int32_t *width, Error *err)
{
	char what[48];
	(void) snprintf(what, sizeof what, "depth of the %s trunk", name);
	int code = check_range(what, depth, 0, NET_DEPTH_MAX, err);
	(void) snprintf(what, sizeof what, "width in the %s trunk", name);
	for (int32_t i = 0; i < depth && !code; i++)
		code = check_range(what, width[i], 1, NET_WIDTH_MAX, err);
	return code;
}

static int check(const NetConfig *config, Error *err)
{
	int code = check_range("obs_dim", config->obs_dim, 1, NET_WIDTH_MAX, err);
	if (!code)
		code = check_range("n_actions", config->n_actions, 1, NET_WIDTH_MAX, err);
	if (!code)
		code = check_trunk("policy", config->depth, config->width, err);
	if (!code && config->has_value_arch)
		code = check_trunk("value", config->value_depth, config->value_width, err);
	if (!code)
		code = check_trunk("shared", config->shared_depth, config->shared_width, err);
	if (!code)
		code = check_range("hint_dim", config->hint_dim, 0, config->shared_depth ? 0 : config->obs_dim - 1, err);
	if (!code && config->activation != ACTIVATION_TANH && config->activation != ACTIVATION_RELU)
		code = error_set(err, ERR_INVALID, "net: unknown activation %d", (int) config->activation);
	return code;
}

static void size_layer(NetLayer *layer, size_t in, size_t out, KernelAct act, size_t *at)
{
	*layer = (NetLayer) { .in = in, .out = out, .in_pad = pad16(in), .out_pad = pad16(out), .act = act,
			      .is_narrow = act == KERNEL_LINEAR && out <= KERNEL_NARROW };
	layer->weight_at = *at;
	layer->bias_at = *at + in * out;
	*at = pad16(layer->bias_at + out);
}

/* The hidden layers of a trunk, and its head where out is not 0; returns the width of the last hidden one. */
static size_t size_trunk(Net *net, NetTrunk trunk, int32_t depth, const int32_t *width, size_t in, size_t out, size_t *at)
{
	net->depth[trunk] = depth;
	for (int32_t i = 0; i < depth; i++) {
		KernelAct act = net->config.activation == ACTIVATION_TANH ? KERNEL_TANH : KERNEL_RELU;
		size_layer(&net->layer[trunk][i], in, (size_t) width[i], act, at);
		in = (size_t) width[i];
	}
	if (out)
		size_layer(&net->layer[trunk][depth], in, out, KERNEL_LINEAR, at);
	return in;
}

/* Shapes and places in the flat buffer: what is shared, the policy's layers, the value's. */
static void size_layers(Net *net)
{
	const NetConfig *c = &net->config;
	size_t at = 0, from;
	from = size_trunk(net, TRUNK_SHARED, c->shared_depth, c->shared_width, (size_t) c->obs_dim, 0, &at);
	(void) size_trunk(net, TRUNK_POLICY, c->depth, c->width, from - (size_t) c->hint_dim, (size_t) c->n_actions, &at);
	at += APART / sizeof(float);
	(void) size_trunk(net, TRUNK_VALUE, c->has_value_arch ? c->value_depth : c->depth,
			  c->has_value_arch ? c->value_width : c->width, from, 1, &at);
	net->n_params = at;
	net->widest_pad = 16;
	for (size_t t = 0; t < TRUNK_COUNT; t++)
		for (int32_t i = 0; i < net_layers(net, t); i++)
			if (net->layer[t][i].out_pad > net->widest_pad)
				net->widest_pad = net->layer[t][i].out_pad;
}

/* Nothing goes back through a layer that takes observations. */
static bool takes_observations(const Net *net, size_t trunk, int32_t i)
{
	return i == 0 && (trunk == TRUNK_SHARED || !net->depth[TRUNK_SHARED]);
}

static void place(Net *net, Carve *at)
{
	size_t dim = (size_t) net->config.obs_dim;
	(void) carve(at, 1, sizeof *net);
	net->params = carve(at, net->n_params, sizeof(float));
	for (size_t t = 0; t < TRUNK_COUNT; t++) {
		if (t < HEADS || net->depth[t]) /* what comes before the policy's is the end of the value's parameters */
			carve_apart(at);
		for (int32_t i = 0; i < net_layers(net, t); i++) {
			NetLayer *layer = &net->layer[t][i];
			layer->packed = carve(at, (layer->in + 1) * layer->out_pad, sizeof(float));
			if (takes_observations(net, t, i) && !layer->is_narrow)
				continue;
			if (layer->in != layer->in_pad)
				layer->padded = carve(at, layer->out * layer->in_pad, sizeof(float));
			else if (net->params)
				layer->padded = net->params + layer->weight_at;
		}
	}
	net->mean = carve(at, dim, sizeof(double));
	net->var = carve(at, dim, sizeof(double));
	net->scale = carve(at, dim, sizeof(double));
	net->min = carve(at, dim, sizeof(double));
	net->max = carve(at, dim, sizeof(double));
}

static bool has_large(const Net *net)
{
	for (size_t t = 0; t < TRUNK_COUNT; t++)
		for (int32_t i = 0; i < net_layers(net, t); i++)
			if (net->layer[t][i].in * net->layer[t][i].out >= BLAS_MIN)
				return true;
	return false;
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
	place(net, &(Carve) { .base = (char *) net });
	if (has_large(net))
		net->blas = blas_open();
	*ret_net = net;
	return 0;
}

void net_free(Net *net)
{
	if (net)
		blas_close(net->blas);
	free(net);
}

/* The tensors of one net into another that may have fewer inputs. */
static void copy_tensors(const Net *from, Net *to)
{
	NetTensor source[NET_TENSORS_MAX], copy[NET_TENSORS_MAX];
	size_t n = net_tensors((Net *) from, source, NET_TENSORS_MAX); /* only read */
	(void) net_tensors(to, copy, NET_TENSORS_MAX);
	for (size_t t = 0; t < n; t++) {
		size_t wide = source[t].cols ? (size_t) source[t].cols : 1, cols = copy[t].cols ? (size_t) copy[t].cols : 1;
		for (size_t r = 0; r < (size_t) copy[t].rows; r++)
			memcpy(copy[t].data + r * cols, source[t].data + r * wide, cols * sizeof(float));
	}
}

Net *net_clone(const Net *net)
{
	Net *copy = NULL;
	NetConfig config = net->config;
	config.obs_dim -= config.hint_dim;
	config.hint_dim = 0;
	if (net_new(&config, &copy, NULL))
		return NULL;
	copy_tensors(net, copy);
	if (net->is_normalised)
		net_set_normalisation(copy, net->mean, net->var, net->count);
	if (net->has_range)
		net_set_range(copy, net->min, net->max);
	net_pack(copy);
	return copy;
}

const NetConfig *net_config(const Net *net)
{
	return &net->config;
}

void net_pack_layer(const Net *net, const NetLayer *layer)
{
	const float *weight = net->params + layer->weight_at;
	memcpy(layer->packed, net->params + layer->bias_at, layer->out * sizeof(float));
	if (!layer->is_narrow)
		net->kernels->transpose(layer->out, layer->in, weight, layer->packed + layer->out_pad, layer->out_pad);
	if (layer->padded && layer->padded != weight)
		for (size_t j = 0; j < layer->out; j++)
			memcpy(layer->padded + j * layer->in_pad, weight + j * layer->in, layer->in * sizeof(float));
}

void net_pack(Net *net)
{
	for (size_t t = 0; t < TRUNK_COUNT; t++)
		for (int32_t i = 0; i < net_layers(net, t); i++)
			net_pack_layer(net, &net->layer[t][i]);
}

/* Weight and bias of a layer; where index < 0 the name has no number. */
static void add_tensors(Net *net, const NetLayer *layer, const char *name, int index, NetTensor *tensor, size_t max,
			size_t *count)
{
	NetTensor pair[2] = {
		{ .rows = (int32_t) layer->out, .cols = (int32_t) layer->in, .data = net->params + layer->weight_at },
		{ .rows = (int32_t) layer->out, .data = net->params + layer->bias_at },
	};
	for (int i = 0; i < 2; i++, (*count)++) {
		const char *part = i ? "bias" : "weight";
		if (index < 0)
			(void) snprintf(pair[i].name, sizeof pair[i].name, "%s.%s", name, part);
		else
			(void) snprintf(pair[i].name, sizeof pair[i].name, "%s.%d.%s", name, index, part);
		if (*count < max)
			tensor[*count] = pair[i];
	}
}

size_t net_tensors(Net *net, NetTensor *ret_tensor, size_t max)
{
	static const struct {
		NetTrunk trunk;
		const char *name;
		bool is_head;
	} parts[] = {
		{ TRUNK_SHARED, "mlp_extractor.shared_net", false }, /* SB3's name up to 1.7, its last that shares */
		{ TRUNK_POLICY, "mlp_extractor.policy_net", false },
		{ TRUNK_VALUE, "mlp_extractor.value_net", false },
		{ TRUNK_POLICY, "action_net", true },
		{ TRUNK_VALUE, "value_net", true },
	};
	size_t count = 0;
	for (size_t p = 0; p < sizeof parts / sizeof *parts; p++) {
		int32_t depth = net->depth[parts[p].trunk];
		const NetLayer *layer = net->layer[parts[p].trunk];
		if (parts[p].is_head)
			add_tensors(net, &layer[depth], parts[p].name, -1, ret_tensor, max, &count);
		else
			for (int32_t i = 0; i < depth; i++) /* torch counts the activations between the layers too */
				add_tensors(net, &layer[i], parts[p].name, 2 * i, ret_tensor, max, &count);
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

void net_set_range(Net *net, const double *min, const double *max)
{
	memcpy(net->min, min, (size_t) net->config.obs_dim * sizeof *min);
	memcpy(net->max, max, (size_t) net->config.obs_dim * sizeof *max);
	net->has_range = true;
}

const double *net_range_min(const Net *net)
{
	return net->has_range ? net->min : NULL;
}

const double *net_range_max(const Net *net)
{
	return net->has_range ? net->max : NULL;
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
	if (layer->is_narrow) {
		net->kernels->narrow(n, layer->in_pad, layer->out, x, ldx, layer->padded, layer->packed, layer->out_pad, y);
		return;
	}
	if (!is_batch || !net_is_large(net, layer)) {
		net->kernels->forward(n, layer->in, layer->out_pad, x, ldx, layer->packed, layer->act, y);
		return;
	}
	for (size_t b = 0; b < n; b++)
		memcpy(y + b * layer->out_pad, layer->packed, layer->out_pad * sizeof *y);
	blas_gemm(net->blas, false, n, layer->out_pad, layer->in, x, ldx, layer->packed + layer->out_pad, layer->out_pad, 1.0f, y,
		  layer->out_pad);
	net->kernels->activate(n * layer->out_pad, layer->act, y);
}

/* The observations, two activations in turn, and what is shared. */
size_t net_scratch_floats(const Net *net, size_t n)
{
	size_t activations = net->depth[TRUNK_SHARED] ? 3 : 2;
	return n * (pad16((size_t) net->config.obs_dim) + activations * net->widest_pad);
}

/* Through the layers of a trunk, from one half of scratch to the other; *ldx: floats in a row of x, then of the result. */
static const float *trunk_forward(const Net *net, NetTrunk trunk, const float *x, size_t *ldx, size_t n, float *scratch)
{
	float *turn[2] = { scratch, scratch + n * net->widest_pad };
	for (int32_t i = 0, at = 0; i < net_layers(net, trunk); i++, at = !at) {
		const NetLayer *layer = &net->layer[trunk][i];
		net_layer_forward(net, layer, n, x, *ldx, turn[at], false);
		x = turn[at];
		*ldx = layer->out_pad;
	}
	return x;
}

void net_forward(const Net *net, const float *obs, size_t n, float *ret_logits, float *ret_value, float *scratch)
{
	size_t ldx = pad16((size_t) net->config.obs_dim), n_actions = (size_t) net->config.n_actions;
	float *x = scratch, *turns = x + n * ldx;
	net_normalise(net, obs, n, x, ldx);
	if (net->depth[TRUNK_SHARED]) {
		const float *shared = trunk_forward(net, TRUNK_SHARED, x, &ldx, n, turns);
		x = turns + 2 * n * net->widest_pad; /* out of the way of the two that follow */
		memcpy(x, shared, n * ldx * sizeof *x);
	}
	if (ret_logits) {
		size_t ldy = ldx;
		const float *y = trunk_forward(net, TRUNK_POLICY, x, &ldy, n, turns);
		for (size_t b = 0; b < n; b++)
			memcpy(ret_logits + b * n_actions, y + b * ldy, n_actions * sizeof *y);
	}
	if (ret_value) {
		size_t ldy = ldx;
		const float *y = trunk_forward(net, TRUNK_VALUE, x, &ldy, n, turns);
		for (size_t b = 0; b < n; b++)
			ret_value[b] = y[b * ldy];
	}
}

/* In four sums, so that they do not wait for one another. */
static double dot(const double *a, const double *b, size_t n)
{
	double part[4] = { 0 };
	size_t i = 0;
	for (; i + 4 <= n; i += 4)
		for (size_t l = 0; l < 4; l++)
			part[l] += a[i + l] * b[i + l];
	for (; i < n; i++)
		part[0] += a[i] * b[i];
	return (part[0] + part[1]) + (part[2] + part[3]);
}

/* Rows of q [n][dim] (n <= dim) made orthonormal one after the other, twice over for rounding (Gram and Schmidt). */
static void orthonormalise(double *q, size_t n, size_t dim)
{
	for (size_t r = 0; r < n; r++) {
		double *row = q + r * dim;
		for (size_t pass = 0; pass < 2; pass++)
			for (size_t s = 0; s < r; s++) {
				double along = dot(row, q + s * dim, dim);
				for (size_t i = 0; i < dim; i++)
					row[i] -= along * q[s * dim + i];
			}
		double norm = sqrt(dot(row, row, dim));
		for (size_t i = 0; i < dim; i++)
			row[i] /= norm;
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
