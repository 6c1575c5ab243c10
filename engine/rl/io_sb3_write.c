/*
 * Writing of io_sb3.h. Classes and spaces, which JSON cannot say, are pickles of a few opcodes: a name, or a name called with
 * numbers.
 */
#include "rl/io_sb3.h"

#include "base/base64.h"
#include "base/json.h"
#include "decide/observation.h"
#include "rl/io_sb3_inside.h"
#include "rl/io_torch.h"
#include "rl/pickle_write.h"
#include "rl/zip.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char SB3_VERSION[] = "2.9.2"; /* whose layout this is */
static const double ADAM_EPS = 1e-5;

/* ---- data ---- */

/* {":type:": ..., ":serialized:": ...} under key; empties the pickle. */
static void add_serialized(Json *data, const char *key, const char *type, StrBuf *pickle)
{
	StrBuf text = { 0 };
	pickle_op(pickle, PICKLE_END);
	base64_encode(pickle->data ? pickle->data : "", pickle->len, &text);
	Json *object = json_add_object(data, key);
	json_add_string(object, ":type:", type);
	json_add_string(object, ":serialized:", text.data);
	strbuf_done(&text);
	strbuf_clear(pickle);
	pickle_op(pickle, PICKLE_BEGIN);
}

/* PPO.load compares them with the environment's: the thesis's features are never negative. */
static void add_spaces(Json *data, const NetConfig *config, bool is_seed, StrBuf *pickle)
{
	pickle_put_global(pickle, "gymnasium.spaces.box", "Box"); /* Box(low, inf, (obs_dim,)) */
	pickle_op(pickle, PICKLE_MARK);
	pickle_put_float(pickle, is_seed ? 0.0 : -HUGE_VAL);
	pickle_put_float(pickle, HUGE_VAL);
	pickle_put_int(pickle, config->obs_dim);
	pickle_op(pickle, PICKLE_TUPLE_1 PICKLE_TUPLE_END PICKLE_REDUCE);
	add_serialized(data, "observation_space", "<class 'gymnasium.spaces.box.Box'>", pickle);
	pickle_put_global(pickle, "gymnasium.spaces.discrete", "Discrete");
	pickle_put_int(pickle, config->n_actions);
	pickle_op(pickle, PICKLE_TUPLE_1 PICKLE_REDUCE);
	add_serialized(data, "action_space", "<class 'gymnasium.spaces.discrete.Discrete'>", pickle);
}

static void put_widths(StrBuf *pickle, const char *trunk, int32_t depth, const int32_t *width)
{
	pickle_put_string(pickle, trunk);
	pickle_op(pickle, PICKLE_LIST_EMPTY PICKLE_MARK);
	for (int32_t i = 0; i < depth; i++)
		pickle_put_int(pickle, width[i]);
	pickle_op(pickle, PICKLE_LIST_ITEMS);
}

static void add_policy(Json *data, const NetConfig *config, StrBuf *pickle)
{
	bool is_apart = config->has_value_arch;
	pickle_put_global(pickle, "stable_baselines3.common.policies", "ActorCriticPolicy");
	add_serialized(data, "policy_class", "<class 'abc.ABCMeta'>", pickle);
	pickle_op(pickle, PICKLE_DICT_EMPTY PICKLE_MARK);
	pickle_put_string(pickle, "activation_fn");
	pickle_put_global(pickle, "torch.nn.modules.activation", config->activation == ACTIVATION_TANH ? "Tanh" : "ReLU");
	pickle_put_string(pickle, "net_arch");
	pickle_op(pickle, PICKLE_DICT_EMPTY PICKLE_MARK);
	put_widths(pickle, "pi", config->depth, config->width);
	put_widths(pickle, "vf", is_apart ? config->value_depth : config->depth, is_apart ? config->value_width : config->width);
	pickle_op(pickle, PICKLE_DICT_ITEMS PICKLE_DICT_ITEMS);
	add_serialized(data, "policy_kwargs", "<class 'dict'>", pickle);
}

/* The figures of training where the model tells of them, SB3's defaults elsewhere; answers the learning rate. */
static double add_figures(Json *data, const ModelInfo *info)
{
	Json *train = NULL;
	double learning_rate = SB3_FIGURE[0].otherwise;
	(void) json_parse(info->train_json, strlen(info->train_json), &train, NULL);
	for (const Sb3Figure *f = SB3_FIGURE; f < SB3_FIGURE + SB3_FIGURES; f++) {
		double value = json_number_or(train, f->option, f->otherwise);
		if (f->is_whole)
			json_add_int(data, f->sb3, (int64_t) value);
		else
			json_add_number(data, f->sb3, value);
		learning_rate = f == SB3_FIGURE ? value : learning_rate;
	}
	json_free(train);
	return learning_rate;
}

static char *write_data(const Net *net, const ModelInfo *info, double *ret_learning_rate)
{
	StrBuf pickle = { 0 };
	Json *data = json_new_object();
	pickle_op(&pickle, PICKLE_BEGIN);
	add_policy(data, net_config(net), &pickle);
	add_spaces(data, net_config(net), info->obs_version == OBS_SEED, &pickle);
	*ret_learning_rate = add_figures(data, info);
	json_add_int(data, "num_timesteps", info->steps);
	json_add_int(data, "_total_timesteps", info->steps);
	json_add_bool(data, "use_sde", false);
	json_add_int(data, "verbose", 0);
	char *text = json_print(data);
	if (pickle.failed) {
		free(text);
		text = NULL;
	}
	json_free(data);
	strbuf_done(&pickle);
	return text;
}

/* ---- tensors ---- */

/* w (x - mean) / sd + b = (w / sd) x + (b - sum w mean / sd), in both first layers. */
static void fold_normalisation(const Net *net, NetTensor *tensor, size_t count)
{
	static const char *const FIRST[2][2] = { { "mlp_extractor.policy_net.0.weight", "action_net.weight" },
						 { "mlp_extractor.value_net.0.weight", "value_net.weight" } };
	const double *mean = net_norm_mean(net), *var = net_norm_var(net);
	for (size_t trunk = 0; trunk < 2; trunk++) {
		size_t t = 0;
		for (size_t name = 0; name < 2 && (name == 0 || t == count); name++)
			for (t = 0; t < count && strcmp(tensor[t].name, FIRST[trunk][name]) != 0; t++)
				;
		size_t cols = (size_t) tensor[t].cols;
		for (size_t r = 0; r < (size_t) tensor[t].rows; r++) {
			double shift = 0.0;
			for (size_t c = 0; c < cols; c++) {
				float *weight = &tensor[t].data[r * cols + c];
				double scaled = (double) *weight / sqrt(var[c] + 1e-8);
				shift += scaled * mean[c];
				*weight = (float) scaled;
			}
			tensor[t + 1].data[r] = (float) ((double) tensor[t + 1].data[r] - shift);
		}
	}
}

static int add_members(ZipWriter *zip, Net *net, const char *data, double learning_rate)
{
	NetTensor tensor[NET_TENSORS_MAX];
	size_t count = net_tensors(net, tensor, NET_TENSORS_MAX);
	StrBuf policy = { 0 }, optimizer = { 0 }, variables = { 0 };
	if (net_is_normalised(net))
		fold_normalisation(net, tensor, count);
	int code = torch_write(tensor, count, &policy);
	if (!code)
		code = torch_write_adam(count, learning_rate, ADAM_EPS, &optimizer);
	if (!code)
		code = torch_write_nothing(&variables);
	if (!code) {
		zip_add(zip, "data", data, strlen(data));
		zip_add(zip, "pytorch_variables.pth", variables.data, variables.len);
		zip_add(zip, "policy.pth", policy.data, policy.len);
		zip_add(zip, "policy.optimizer.pth", optimizer.data, optimizer.len);
		zip_add(zip, "_stable_baselines3_version", SB3_VERSION, strlen(SB3_VERSION));
		static const char SYSTEM[] = "- Written by maestro, for Stable-Baselines3 2.9\n";
		zip_add(zip, "system_info.txt", SYSTEM, sizeof SYSTEM - 1);
	}
	strbuf_done(&policy);
	strbuf_done(&optimizer);
	strbuf_done(&variables);
	return code;
}

int sb3_write(const Net *net, const ModelInfo *info, StrBuf *ret_bytes)
{
	double learning_rate;
	ZipWriter zip;
	if (net_config(net)->shared_depth > 0) /* SB3 has had no MlpPolicy of that kind since 1.8 */
		return ERR_INVALID;
	Net *copy = net_clone(net); /* since net_tensors lends them for writing, and folding writes them */
	char *data = write_data(net, info, &learning_rate);
	int code = ERR_NOMEM;
	zip_begin(&zip, ret_bytes);
	if (copy && data)
		code = add_members(&zip, copy, data, learning_rate);
	int end_code = zip_end(&zip);
	free(data);
	net_free(copy);
	return code ? code : end_code;
}
