/*
 * See io_sb3.h. The zip holds data (JSON; what JSON cannot say stands as a base64 pickle under ":serialized:"), policy.pth and
 * policy.optimizer.pth (torch.save of a state dict).
 */
#include "rl/io_sb3.h"

#include "base/base64.h"
#include "base/json.h"
#include "decide/observation.h"
#include "rl/io_sb3_inside.h"
#include "rl/io_torch.h"
#include "rl/net_read.h"
#include "rl/pickle.h"
#include "rl/zip.h"

#include <stdlib.h>
#include <string.h>

static const size_t DATA_MAX = 4u << 20, POLICY_MAX = 80u << 20;
static const char SERIALIZED[] = ":serialized:";

#define POLICY "stable_baselines3.common.policies.ActorCriticPolicy"
#define FLATTEN "stable_baselines3.common.torch_layers.FlattenExtractor"
#define TANH "torch.nn.modules.activation.Tanh"
#define RELU "torch.nn.modules.activation.ReLU"

const Sb3Figure SB3_FIGURE[SB3_FIGURES] = {
	{ "learning_rate", "learning-rate", false, 3e-4 },
	{ "n_steps", "n-steps", true, 2048 },
	{ "batch_size", "batch-size", true, 64 },
	{ "n_epochs", "n-epochs", true, 10 },
	{ "gamma", "gamma", false, .99 },
	{ "gae_lambda", "gae-lambda", false, .95 },
	{ "clip_range", "clip-range", false, .2 },
	{ "ent_coef", "ent-coef", false, 0 },
	{ "vf_coef", "vf-coef", false, .5 },
	{ "max_grad_norm", "max-grad-norm", false, .5 },
	{ "n_envs", "envs", true, 1 },
};

bool sb3_is(const char *bytes, size_t len)
{
	return len >= 4 && !memcmp(bytes, "PK\3\4", 4);
}

/* ---- reading: data ---- */

/* The pickle that stands under key for what JSON cannot say; NULL without one. */
static int read_serialized(const Json *data, const char *key, const char *const *globals, Pickle **ret_pickle, Error *err)
{
	const char *text = json_string(json_get(json_get(data, key), SERIALIZED));
	size_t len;
	Error why = { 0 };
	if (!text) {
		*ret_pickle = NULL;
		return 0;
	}
	char *bytes = strdup(text);
	if (!bytes)
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	int code = base64_decode(bytes, &len) ? pickle_parse(bytes, len, globals, ret_pickle, &why)
	                                      : error_set(&why, ERR_BAD_MODEL, "not base64");
	free(bytes);
	return code ? error_set(err, code, "data: %s: %.200s", key, why.text) : 0;
}

static int check_policy_class(const Json *data, Error *err)
{
	static const char *const KNOWN[] = { POLICY, NULL };
	Pickle *pickle = NULL;
	int code = read_serialized(data, "policy_class", KNOWN, &pickle, err);
	if (!code && (!pickle || !pickle_is_global(pickle_root(pickle), POLICY)))
		code = error_set(err, ERR_BAD_MODEL, "data: policy_class is not " POLICY);
	pickle_free(pickle);
	return code;
}

/* A space or an algorithm of another kind than the net can stand for. */
static int check_kind(const Json *data, Error *err)
{
	const char *actions = json_string_or(json_get(data, "action_space"), ":type:", "");
	const char *inputs = json_string_or(json_get(data, "observation_space"), ":type:", "");
	const char *start = json_string_or(json_get(data, "action_space"), "start", "0");
	bool uses_sde = false;
	if (!json_get(data, "clip_range") || !json_get(data, "n_epochs"))
		return error_set(err, ERR_BAD_MODEL, "data: no clip_range or n_epochs: not a PPO");
	if (!strstr(actions, "spaces.discrete.Discrete") || strcmp(start, "0"))
		return error_set(err, ERR_BAD_MODEL, "data: action space %.100s from %.20s, only Discrete from 0 is supported",
				 actions, start);
	if (!strstr(inputs, "spaces.box.Box"))
		return error_set(err, ERR_BAD_MODEL, "data: observation space %.100s, only Box is supported", inputs);
	if (json_bool(json_get(data, "use_sde"), &uses_sde) && uses_sde)
		return error_set(err, ERR_BAD_MODEL, "data: state-dependent exploration (use_sde) is not supported");
	return check_policy_class(data, err);
}

/* policy_kwargs: those that change what the net computes are understood or refused. */
static int read_kwarg(const char *key, const PickleValue *value, Activation *activation, Error *err)
{
	static const char *const HARMLESS[] = { "net_arch", "ortho_init", "log_std_init", "full_std", "use_expln",
		"features_extractor_kwargs", "share_features_extractor", "normalize_images", "optimizer_class",
		"optimizer_kwargs", NULL };
	if (!strcmp(key, "activation_fn")) {
		if (!pickle_is_global(value, TANH) && !pickle_is_global(value, RELU))
			return error_set(err, ERR_BAD_MODEL, "data: activation_fn is neither Tanh nor ReLU");
		*activation = pickle_is_global(value, RELU) ? ACTIVATION_RELU : ACTIVATION_TANH;
		return 0;
	}
	if (!strcmp(key, "features_extractor_class") && pickle_is_global(value, FLATTEN))
		return 0;
	for (const char *const *known = HARMLESS; *known; known++)
		if (!strcmp(*known, key))
			return 0;
	return error_set(err, ERR_BAD_MODEL, "data: policy_kwargs: %.64s is not supported", key);
}

static int read_activation(const Json *data, Activation *ret_activation, Error *err)
{
	static const char *const KNOWN[] = { TANH, RELU, FLATTEN, "torch.optim.adam.Adam", "collections.OrderedDict", NULL };
	Activation activation = ACTIVATION_TANH; /* SB3's default */
	Pickle *pickle = NULL;
	int code = read_serialized(data, "policy_kwargs", KNOWN, &pickle, err);
	if (!code && pickle && pickle_root(pickle)->kind != PICKLE_DICT)
		code = error_set(err, ERR_BAD_MODEL, "data: policy_kwargs is not a dict");
	const PickleItem *item = !code && pickle ? pickle_root(pickle)->first : NULL;
	for (; item && !code; item = item->next->next) {
		const char *key = pickle_string(item->value);
		code = read_kwarg(key ? key : "?", item->next->value, &activation, err);
	}
	/* without a pickle they are plain JSON: a class, as an activation is, cannot stand there */
	if (!code && !pickle)
		for (const Json *kwarg = json_first(json_get(data, "policy_kwargs")); kwarg && !code; kwarg = json_next(kwarg))
			code = read_kwarg(*json_key(kwarg) ? json_key(kwarg) : "?", NULL, &activation, err);
	pickle_free(pickle);
	if (!code)
		*ret_activation = activation;
	return code;
}

/* What is known of the training, as options of `maestro train` spell it. */
static int read_info(const Json *data, const Net *net, ModelInfo *ret_info, Error *err)
{
	ModelInfo info = {
		.obs_version = net_config(net)->obs_dim == observation_dim(OBS_SEED) ? OBS_SEED : 0,
		.latency_soft_ms = -1,
		.latency_hard_ms = -1,
		.steps = json_int_or(data, "num_timesteps", 0),
	};
	Json *train = json_new_object();
	double value;
	for (size_t i = 0; i < SB3_FIGURES; i++)
		if (json_number(json_get(data, SB3_FIGURE[i].sb3), &value))
			json_add_number(train, SB3_FIGURE[i].option, value);
	char *text = json_print(train);
	json_free(train);
	if (!text)
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	str_copy(info.train_json, sizeof info.train_json, text);
	free(text);
	*ret_info = info;
	return 0;
}

/* ---- reading: tensors ---- */

static const char *tensor_name(const void *file, size_t i)
{
	return ((const TorchFile *) file)->tensor[i].name;
}

static void tensor_shape(const void *file, size_t i, int32_t *ret_rows, int32_t *ret_cols)
{
	const TorchTensor *tensor = &((const TorchFile *) file)->tensor[i];
	*ret_rows = tensor->rows;
	*ret_cols = tensor->cols;
}

static void tensor_copy(const void *file, size_t i, float *ret)
{
	torch_copy(&((const TorchFile *) file)->tensor[i], ret);
}

static int read_member(const Zip *zip, const char *name, size_t max, StrBuf *scratch, const char **ret_data, size_t *ret_len,
		       Error *err)
{
	ZipEntry entry;
	if (!zip_find(zip, name, &entry))
		return error_set(err, ERR_BAD_MODEL, "no %s in the zip: not a model of Stable-Baselines3", name);
	*ret_len = entry.size;
	return zip_read(&entry, max, scratch, ret_data, err);
}

static int read_policy(const Zip *zip, Activation activation, Net **ret_net, Error *err)
{
	StrBuf scratch = { 0 };
	TorchFile file = { 0 };
	Error why = { 0 };
	const char *bytes;
	size_t len = 0;
	int code = read_member(zip, "policy.pth", POLICY_MAX, &scratch, &bytes, &len, &why);
	if (!code)
		code = torch_open(bytes, len, &file, &why);
	if (!code) {
		TensorSource source = { &file, file.count, tensor_name, tensor_shape, tensor_copy };
		code = net_read(&source, activation, ret_net, &why);
	}
	if (code)
		(void) error_set(err, code, "policy.pth: %.200s", why.text);
	torch_close(&file);
	strbuf_done(&scratch);
	return code;
}

static int read_data(const Zip *zip, Json **ret_data, Error *err)
{
	StrBuf scratch = { 0 };
	Error why = { 0 };
	const char *text = NULL;
	size_t len = 0;
	int code = read_member(zip, "data", DATA_MAX, &scratch, &text, &len, err);
	if (!code && json_parse(text, len, ret_data, &why))
		code = error_set(err, ERR_BAD_MODEL, "data: %.200s", why.text);
	strbuf_done(&scratch);
	return code;
}

int sb3_read(const char *bytes, size_t len, Net **ret_net, ModelInfo *ret_info, Error *err)
{
	Zip zip;
	Json *data = NULL;
	Net *net = NULL;
	Activation activation = ACTIVATION_TANH;
	int code = zip_open(bytes, len, &zip, err);
	if (!code)
		code = read_data(&zip, &data, err);
	if (!code)
		code = check_kind(data, err);
	if (!code)
		code = read_activation(data, &activation, err);
	if (!code)
		code = read_policy(&zip, activation, &net, err);
	if (!code)
		code = read_info(data, net, ret_info, err);
	json_free(data);
	if (code)
		net_free(net);
	else
		*ret_net = net;
	return code;
}
