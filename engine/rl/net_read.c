/* See net_read.h. */
#include "rl/net_read.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The index of a tensor, or source->count. */
static size_t find(const TensorSource *source, const char *name)
{
	size_t i = 0;
	while (i < source->count && strcmp(source->name(source->file, i), name) != 0)
		i++;
	return i;
}

/* The widths of a trunk's hidden layers, and the inputs of its first one, untouched where there is none; how many. */
static int32_t read_trunk(const TensorSource *source, const char *trunk, int32_t *ret_width, int32_t *ret_obs_dim)
{
	int32_t depth = 0;
	for (; depth < NET_DEPTH_MAX; depth++) {
		char name[64];
		int32_t cols;
		(void) snprintf(name, sizeof name, "mlp_extractor.%s_net.%d.weight", trunk, 2 * depth);
		size_t i = find(source, name);
		if (i == source->count)
			break;
		source->shape(source->file, i, &ret_width[depth], &cols);
		if (depth == 0)
			*ret_obs_dim = cols;
	}
	return depth;
}

static int read_config(const TensorSource *source, Activation activation, NetConfig *ret_config, Error *err)
{
	NetConfig config = { .activation = activation };
	size_t head = find(source, "action_net.weight");
	if (head == source->count)
		return error_set(err, ERR_BAD_MODEL, "no tensor action_net.weight");
	source->shape(source->file, head, &config.n_actions, &config.obs_dim);
	config.depth = read_trunk(source, "policy", config.width, &config.obs_dim);
	config.value_depth = read_trunk(source, "value", config.value_width, &config.obs_dim);
	config.shared_depth = read_trunk(source, "shared", config.shared_width, &config.obs_dim); /* last: it is the first */
	config.has_value_arch = config.value_depth != config.depth ||
		memcmp(config.value_width, config.width, sizeof config.width) != 0;
	*ret_config = config;
	return 0;
}

static int read_one(const TensorSource *source, const NetTensor *tensor, Error *err)
{
	size_t i = find(source, tensor->name), n = (size_t) tensor->rows * (size_t) (tensor->cols ? tensor->cols : 1);
	int32_t rows, cols;
	if (i == source->count)
		return error_set(err, ERR_BAD_MODEL, "no tensor %s", tensor->name);
	source->shape(source->file, i, &rows, &cols);
	if (rows != tensor->rows || cols != tensor->cols)
		return error_set(err, ERR_BAD_MODEL, "tensor %s: shape %d x %d, %d x %d wanted", tensor->name, rows, cols,
				 tensor->rows, tensor->cols);
	source->copy(source->file, i, tensor->data);
	for (size_t k = 0; k < n; k++)
		if (!isfinite(tensor->data[k]))
			return error_set(err, ERR_BAD_MODEL, "tensor %s: value %zu is not finite", tensor->name, k);
	return 0;
}

/* A tensor that the net does not have: of a CNN, of another kind of policy. */
static int check_known(const TensorSource *source, const NetTensor *tensor, size_t count, Error *err)
{
	for (size_t i = 0; i < source->count; i++) {
		const char *name = source->name(source->file, i);
		size_t t = 0;
		while (t < count && strcmp(tensor[t].name, name) != 0)
			t++;
		if (t == count)
			return error_set(err, ERR_BAD_MODEL, "tensor %.64s is not of a policy that is two MLPs of at most %d "
					 "hidden layers", name, NET_DEPTH_MAX);
	}
	return 0;
}

int net_read(const TensorSource *source, Activation activation, Net **ret_net, Error *err)
{
	NetTensor tensor[NET_TENSORS_MAX];
	NetConfig config;
	Net *net = NULL;
	int code = read_config(source, activation, &config, err);
	if (!code && (code = net_new(&config, &net, err)) == ERR_INVALID)
		code = ERR_BAD_MODEL;
	if (code)
		return code;
	size_t count = net_tensors(net, tensor, NET_TENSORS_MAX);
	code = check_known(source, tensor, count, err);
	for (size_t t = 0; !code && t < count; t++)
		code = read_one(source, &tensor[t], err);
	if (code) {
		net_free(net);
		return code;
	}
	net_pack(net);
	*ret_net = net;
	return 0;
}
