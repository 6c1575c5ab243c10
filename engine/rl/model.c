/*
 * See model.h. The metadata of the file are strings, as safetensors asks; numbers in them are written so that they read
 * back to the same bits.
 */
#include "rl/model.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "decide/actions.h"
#include "decide/observation.h"
#include "rl/io_onnx.h"
#include "rl/io_safetensors.h"
#include "rl/io_sb3.h"
#include "rl/net_read.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "default_model.h"

enum { FILE_MAX = 192 << 20 }; /* the largest net with Adam's two moments beside it */
static const char FORMAT[] = "maestro-policy-1";

/* ---- writing ---- */

__attribute__((format(printf, 3, 4))) static void add_text(Json *to, const char *key, const char *format, ...)
{
	char text[64];
	va_list args;
	va_start(args, format);
	(void) vsnprintf(text, sizeof text, format, args);
	va_end(args);
	json_add_string(to, key, text);
}

/* The values as the text of a JSON array; an empty text without memory shows when the file is read back. */
static void add_doubles(Json *to, const char *key, const double *value, int32_t n)
{
	Json *array = json_new_array();
	for (int32_t i = 0; i < n; i++)
		json_add_number(array, NULL, value[i]);
	char *text = json_print(array);
	json_add_string(to, key, text);
	free(text);
	json_free(array);
}

static ObsSpec spec_of(const ModelInfo *info)
{
	return (ObsSpec) { (ObsKind) info->obs_version, info->obs_stack > 1 ? info->obs_stack : 1, info->interval_s };
}

/* "rho,d_rho,..." */
static void name_features(ObsSpec spec, int32_t dim, StrBuf *to)
{
	for (int32_t i = 0; i < dim; i++)
		strbuf_addf(to, "%s%s", i ? "," : "", observer_feature(spec, i));
}

static void add_features(Json *to, ObsSpec spec, int32_t dim)
{
	StrBuf names = { 0 };
	name_features(spec, dim, &names);
	json_add_string(to, "obs_features", names.failed ? "" : names.data);
	strbuf_done(&names);
}

static Json *metadata_of(const Net *net, const ModelInfo *info)
{
	Json *to = json_new_object();
	const NetConfig *config = net_config(net);
	json_add_string(to, "format", FORMAT);
	add_text(to, "obs_version", "%d", info->obs_version);
	if (info->obs_version == OBS_TREND) {
		add_text(to, "obs_stack", "%d", info->obs_stack > 1 ? info->obs_stack : 1);
		add_text(to, "pod_price", "%.9g", (double) info->pod_price);
		add_features(to, spec_of(info), config->obs_dim);
	}
	if (info->actions != ACTIONS_THREE)
		json_add_string(to, "actions", actions_word(info->actions));
	add_text(to, "interval_s", "%.9g", (double) info->interval_s);
	add_text(to, "rate_window_s", "%.9g", (double) info->rate_window_s);
	add_text(to, "latency_window_s", "%.9g", (double) info->latency_window_s);
	add_text(to, "latency_soft_ms", "%.9g", (double) info->latency_soft_ms);
	add_text(to, "latency_hard_ms", "%.9g", (double) info->latency_hard_ms);
	add_text(to, "max_replicas", "%d", info->max_replicas);
	add_text(to, "steps", "%lld", (long long) info->steps);
	json_add_string(to, "activation", config->activation == ACTIVATION_TANH ? "tanh" : "relu");
	json_add_string(to, "train", info->train_json);
	if (info->evaluation_json[0])
		json_add_string(to, "evaluation", info->evaluation_json);
	if (net_is_normalised(net)) {
		add_doubles(to, "obs_mean", net_norm_mean(net), config->obs_dim);
		add_doubles(to, "obs_var", net_norm_var(net), config->obs_dim);
		add_text(to, "obs_count", "%.17g", net_norm_count(net));
	}
	if (net_range_min(net)) {
		add_doubles(to, "obs_min", net_range_min(net), config->obs_dim);
		add_doubles(to, "obs_max", net_range_max(net), config->obs_dim);
	}
	return to;
}

static int write_safetensors(const Net *net, const ModelInfo *info, StrBuf *ret_bytes)
{
	NetTensor tensor[NET_TENSORS_MAX];
	Net *copy = net_clone(net); /* since net_tensors lends them for writing */
	int code = copy ? safetensors_write(tensor, net_tensors(copy, tensor, NET_TENSORS_MAX), metadata_of(copy, info), ret_bytes) : ERR_NOMEM;
	net_free(copy);
	return code;
}

int model_save(const char *path, const Net *net, const ModelInfo *info, Error *err)
{
	StrBuf bytes = { 0 };
	int code = write_safetensors(net, info, &bytes);
	if (code)
		(void) error_set(err, code, "%s: out of memory", path);
	else
		code = mem_write_file(path, bytes.data, bytes.len, err);
	strbuf_done(&bytes);
	return code;
}

/* ---- reading ---- */

/* A number of the metadata within bounds. */
static int read_number(const SafeFile *file, const char *key, double least, double most, double *ret, Error *err)
{
	const char *text = safetensors_metadata(file, key);
	char *end = NULL;
	double value = text ? strtod(text, &end) : 0.0;
	if (!text || end == text || *end || !(value >= least && value <= most))
		return error_set(err, ERR_BAD_MODEL, "metadata: %s is \"%.32s\", not a number in %g..%g", key,
				 text ? text : "", least, most);
	*ret = value;
	return 0;
}

/* A vector that this build would not make in the same way is refused: its numbers would mean something else. */
static int read_features(const SafeFile *file, ModelInfo *info, Error *err)
{
	double stack = 0.0, price = 0.0;
	if (info->obs_version != OBS_TREND)
		return 0;
	int code = read_number(file, "obs_stack", 1, TREND_STACK_MAX, &stack, err);
	if (!code)
		code = read_number(file, "pod_price", 0, 1e6, &price, err);
	if (code)
		return code;
	info->obs_stack = (int32_t) stack;
	info->pod_price = (float) price;
	const char *have = safetensors_metadata(file, "obs_features");
	StrBuf want = { 0 };
	name_features(spec_of(info), observer_dim(spec_of(info)), &want);
	bool is_same = have && !want.failed && !strcmp(have, want.data);
	strbuf_done(&want);
	return is_same ? 0 : error_set(err, ERR_BAD_MODEL, "metadata: obs_features are not those that this build has for observation "
	                               "version %d; train the model anew", info->obs_version);
}

static int read_info(const SafeFile *file, ModelInfo *ret_info, Error *err)
{
	double value[8];
	const struct {
		const char *key;
		double least, most;
	} keys[8] = {
		{ "obs_version", 0, 1000 },
		{ "interval_s", 0, 1e6 },
		{ "latency_soft_ms", -1, 1e9 },
		{ "latency_hard_ms", -1, 1e9 },
		{ "max_replicas", 0, 1e6 },
		{ "steps", 0, 9e15 },
		{ "rate_window_s", 0, 1e6 },
		{ "latency_window_s", 0, 1e6 },
	};
	const char *format = safetensors_metadata(file, "format"), *train = safetensors_metadata(file, "train");
	const char *evaluation = safetensors_metadata(file, "evaluation");
	if (!format || strcmp(format, FORMAT) != 0)
		return error_set(err, ERR_BAD_MODEL, "metadata: format is \"%.32s\", not %s", format ? format : "",
				 FORMAT);
	for (size_t i = 0; i < 8; i++) {
		int code = read_number(file, keys[i].key, keys[i].least, keys[i].most, &value[i], err);
		if (code)
			return code;
	}
	ModelInfo info = {
		.obs_version = (int32_t) value[0],
		.interval_s = (float) value[1],
		.latency_soft_ms = (float) value[2],
		.latency_hard_ms = (float) value[3],
		.max_replicas = (int32_t) value[4],
		.steps = (int64_t) value[5],
		.rate_window_s = (float) value[6],
		.latency_window_s = (float) value[7],
	};
	if (!train || strlen(train) >= sizeof info.train_json)
		return error_set(err, ERR_BAD_MODEL, "metadata: train is absent or too long");
	str_copy(info.train_json, sizeof info.train_json, train);
	if (evaluation && strlen(evaluation) >= sizeof info.evaluation_json)
		return error_set(err, ERR_BAD_MODEL, "metadata: evaluation is too long");
	str_copy(info.evaluation_json, sizeof info.evaluation_json, evaluation ? evaluation : "");
	const char *actions = safetensors_metadata(file, "actions");
	if (actions && !actions_read(actions, &info.actions))
		return error_set(err, ERR_BAD_MODEL, "metadata: actions \"%.32s\" are not known to this build", actions);
	int code = read_features(file, &info, err);
	if (code)
		return code;
	*ret_info = info;
	return 0;
}

static const char *tensor_name(const void *file, size_t i)
{
	return ((const SafeFile *) file)->tensor[i].name;
}

static void tensor_shape(const void *file, size_t i, int32_t *ret_rows, int32_t *ret_cols)
{
	const SafeTensor *tensor = &((const SafeFile *) file)->tensor[i];
	*ret_rows = tensor->rows;
	*ret_cols = tensor->cols;
}

static void tensor_copy(const void *file, size_t i, float *ret)
{
	const SafeTensor *tensor = &((const SafeFile *) file)->tensor[i];
	memcpy(ret, tensor->data, tensor->n * sizeof *ret);
}

static int read_net(const SafeFile *file, Net **ret_net, Error *err)
{
	const char *activation = safetensors_metadata(file, "activation");
	TensorSource source = { file, file->count, tensor_name, tensor_shape, tensor_copy };
	if (!activation || (strcmp(activation, "tanh") != 0 && strcmp(activation, "relu") != 0))
		return error_set(err, ERR_BAD_MODEL, "metadata: activation is neither tanh nor relu");
	return net_read(&source, strcmp(activation, "tanh") ? ACTIVATION_RELU : ACTIVATION_TANH, ret_net, err);
}

static int read_doubles(const SafeFile *file, const char *key, double least, int32_t n, double *ret, Error *err)
{
	const char *text = safetensors_metadata(file, key);
	Json *array = NULL;
	bool is_good = text && !json_parse(text, strlen(text), &array, NULL) && json_is_array(array) &&
		json_len(array) == (size_t) n;
	const Json *at = is_good ? json_first(array) : NULL;
	for (int32_t i = 0; is_good && i < n; i++, at = json_next(at))
		is_good = json_number(at, &ret[i]) && isfinite(ret[i]) && ret[i] >= least;
	json_free(array);
	return is_good ? 0 : error_set(err, ERR_BAD_MODEL, "metadata: %s is not %d finite numbers", key, n);
}

static int read_normalisation(const SafeFile *file, Net *net, Error *err)
{
	double mean[NET_WIDTH_MAX], var[NET_WIDTH_MAX], count = 0.0;
	int32_t dim = net_config(net)->obs_dim;
	if (!safetensors_metadata(file, "obs_mean"))
		return 0;
	int code = read_doubles(file, "obs_mean", -HUGE_VAL, dim, mean, err);
	if (!code)
		code = read_doubles(file, "obs_var", 0.0, dim, var, err);
	if (!code)
		code = read_number(file, "obs_count", 0, 1e18, &count, err);
	if (!code)
		net_set_normalisation(net, mean, var, count);
	if (!code && safetensors_metadata(file, "obs_min")) {
		code = read_doubles(file, "obs_min", -HUGE_VAL, dim, mean, err);
		if (!code)
			code = read_doubles(file, "obs_max", -HUGE_VAL, dim, var, err);
		if (!code)
			net_set_range(net, mean, var);
	}
	return code;
}

static int read_safetensors(const char *bytes, size_t len, Net **ret_net, ModelInfo *ret_info, Error *err)
{
	SafeFile file = { 0 };
	ModelInfo info;
	Net *net = NULL;
	int code = safetensors_open(bytes, len, &file, err);
	if (code)
		return code;
	code = read_info(&file, &info, err);
	if (!code)
		code = read_net(&file, &net, err);
	if (!code)
		code = read_normalisation(&file, net, err);
	if (!code && info.obs_version == OBS_TREND && net_config(net)->obs_dim != observer_dim(spec_of(&info)))
		code = error_set(err, ERR_BAD_MODEL, "the net takes %d inputs, its observation has %d", net_config(net)->obs_dim,
		                 observer_dim(spec_of(&info)));
	if (!code) {
		*ret_net = net;
		*ret_info = info;
		net = NULL;
	}
	net_free(net);
	safetensors_close(&file);
	return code;
}

/* ---- formats ---- */

static const ModelFormat FORMATS[] = {
	{ "safetensors", ".safetensors", NULL, read_safetensors, write_safetensors, NULL },
	{ "sb3", ".zip", sb3_is, sb3_read, sb3_write, "SB3 keeps normalisation apart from a policy; it is folded into the first layers, "
	                                              "without the clip at 10 standard deviations" },
	{ "onnx", ".onnx", NULL, NULL, onnx_write, NULL },
};
enum { N_FORMATS = sizeof FORMATS / sizeof *FORMATS };

const ModelFormat *model_format(int i)
{
	return i < N_FORMATS ? &FORMATS[i] : NULL;
}

const ModelFormat *model_format_of(const char *bytes, size_t len)
{
	for (size_t i = 0; i < N_FORMATS; i++)
		if (FORMATS[i].is && FORMATS[i].is(bytes, len))
			return &FORMATS[i];
	return &FORMATS[0];
}

/* The file's bytes; those of the shipped model where no file is called as it is. */
int model_bytes(const char *path, StrBuf *bytes, Error *err)
{
	if (!strcmp(path, MODEL_DEFAULT) && access(path, F_OK)) {
		strbuf_add(bytes, (const char *) DEFAULT_MODEL, sizeof DEFAULT_MODEL);
		return bytes->failed ? error_set(err, ERR_NOMEM, "%s: out of memory", path) : 0;
	}
	int code = mem_read_file(path, FILE_MAX, bytes, err);
	return code == ERR_INVALID ? error_set(err, ERR_BAD_MODEL, "%s: larger than any model", path) : code;
}

void model_sha256(const char *path, char ret_hex[65])
{
	StrBuf bytes = { 0 };
	ret_hex[0] = '\0';
	if (!model_bytes(path, &bytes, NULL))
		sha256_hex(bytes.data, bytes.len, ret_hex);
	strbuf_done(&bytes);
}

int model_load(const char *path, Net **ret_net, ModelInfo *ret_info, Error *err)
{
	StrBuf bytes = { 0 };
	Error why = { 0 };
	int code = model_bytes(path, &bytes, err);
	if (code) {
		strbuf_done(&bytes);
		return code;
	}
	code = model_format_of(bytes.data, bytes.len)->read(bytes.data, bytes.len, ret_net, ret_info, &why);
	if (code)
		(void) error_set(err, code, "%s: %.200s", path, why.text);
	else if (net_config(*ret_net)->n_actions == actions_count(ACTIONS_WIDE))
		ret_info->actions = ACTIONS_WIDE; /* which an SB3 zip says by its outputs alone */
	strbuf_done(&bytes);
	return code;
}
