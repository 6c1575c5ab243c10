/*
 * `maestro model inspect|convert|predict`: policies as files. What a file is shows in its first bytes (model_load); what is
 * written, in the name it gets.
 */
#include "cmd/cmd.h"
#include "cmd/opts.h"

#include "base/json.h"
#include "base/mem.h"
#include "decide/actions.h"
#include "rl/model.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct ModelOptions {
	const char *model, *observations, *out;
	bool is_json;
} ModelOptions;

static const Opt OPTIONS[] = {
	{ "model", 'm', OPT_STRING, offsetof(ModelOptions, model), 0, 0, "FILE", "a policy: safetensors, or an SB3 zip", false },
	{ "observations", 0, OPT_STRING, offsetof(ModelOptions, observations), 0, 0, "FILE",
	  "predict: a JSON array of arrays, or of decisions (their observation and mask), or an object with the key \"observations\"; -: stdin", false },
	{ "out", 'o', OPT_STRING, offsetof(ModelOptions, out), 0, 0, "FILE",
	  "convert: FILE.safetensors, FILE.zip (SB3) or FILE.onnx; predict: lines go there instead of stdout", false },
	{ "json", 0, OPT_FLAG, offsetof(ModelOptions, is_json), 0, 0, NULL, "inspect: one JSON object", false },
	{ 0 },
};

const OptCommand MODEL_COMMAND = {
	"model inspect|convert|predict --model FILE [options]",
	"inspect tells what a policy is; convert writes it as another format; predict prints {\"action\",\"logits\",\"value\"}\n"
	"for each observation, the action being the likeliest one.",
	OPTIONS, 1,
};

enum { OBSERVATIONS_MAX = 64 << 20, CHUNK = 256 };

static int usage(const char *text)
{
	(void) fprintf(stderr, "maestro: model: %s; see maestro model --help\n", text);
	return err_exit_status(ERR_USAGE);
}

/* ---- inspect ---- */

static size_t count_parameters(const Net *net)
{
	NetTensor tensor[NET_TENSORS_MAX];
	Net *copy = net_clone(net); /* since net_tensors lends them for writing */
	size_t count = copy ? net_tensors(copy, tensor, NET_TENSORS_MAX) : 0, n = 0;
	for (size_t t = 0; t < count; t++)
		n += (size_t) tensor[t].rows * (size_t) (tensor[t].cols ? tensor[t].cols : 1);
	net_free(copy);
	return n;
}

static void add_widths(Json *to, const char *key, int32_t depth, const int32_t *width)
{
	Json *array = json_add_array(to, key);
	for (int32_t i = 0; i < depth; i++)
		json_add_int(array, NULL, width[i]);
}

/* 0 stands for "not known" in a ModelInfo, and null for it here. */
static void add_known(Json *to, const char *key, double value)
{
	if (value > 0)
		json_add_number(to, key, value);
	else
		json_add_null(to, key);
}

static Json *describe(const Net *net, const ModelInfo *info, const char *format)
{
	const NetConfig *config = net_config(net);
	Json *to = json_new_object(), *train = NULL, *evaluation = NULL;
	bool is_apart = config->has_value_arch;
	json_add_string(to, "format", format);
	json_add_int(to, "observations", config->obs_dim);
	json_add_int(to, "actions", config->n_actions);
	Json *names = info->actions == ACTIONS_THREE ? NULL : json_add_array(to, "action_names");
	for (int32_t a = 0; names && a < config->n_actions; a++)
		json_add_string(names, NULL, actions_name(info->actions, a));
	Json *arch = json_add_object(to, "net_arch");
	if (config->shared_depth)
		add_widths(arch, "shared", config->shared_depth, config->shared_width);
	add_widths(arch, "pi", config->depth, config->width);
	add_widths(arch, "vf", is_apart ? config->value_depth : config->depth, is_apart ? config->value_width : config->width);
	json_add_string(to, "activation", config->activation == ACTIVATION_TANH ? "tanh" : "relu");
	json_add_int(to, "parameters", (int64_t) count_parameters(net));
	json_add_bool(to, "normalised", net_is_normalised(net));
	json_add_int(to, "steps", info->steps);
	json_add_int(to, "feature_version", info->obs_version);
	add_known(to, "interval_s", (double) info->interval_s);
	add_known(to, "rate_window_s", (double) info->rate_window_s);
	add_known(to, "latency_window_s", (double) info->latency_window_s);
	add_known(to, "latency_soft_ms", (double) info->latency_soft_ms);
	add_known(to, "latency_hard_ms", (double) info->latency_hard_ms);
	add_known(to, "max_replicas", info->max_replicas);
	if (json_parse(info->train_json, strlen(info->train_json), &train, NULL))
		json_add_null(to, "train");
	else
		json_add(to, "train", train);
	if (json_parse(info->evaluation_json, strlen(info->evaluation_json), &evaluation, NULL))
		json_add_null(to, "evaluation");
	else
		json_add(to, "evaluation", evaluation);
	return to;
}

static int inspect(const Net *net, const ModelInfo *info, const char *format, bool is_json)
{
	Json *object = describe(net, info, format);
	char *text = json_print(object);
	if (text && is_json)
		printf("%s\n", text);
	for (const Json *at = json_first(object); text && !is_json && at; at = json_next(at)) {
		char *value = json_print(at);
		printf("%-17s %s\n", json_key(at), json_is_null(at) ? "not known" : json_string(at) ? json_string(at)
		                                                   : value ? value : "");
		free(value);
	}
	json_free(object);
	free(text);
	return text ? 0 : cmd_fail(ERR_NOMEM, NULL);
}

/* ---- convert ---- */

static int convert(const char *path, const Net *net, const ModelInfo *info)
{
	Error err = { 0 };
	StrBuf bytes = { 0 };
	const char *extension = path ? strrchr(path, '.') : NULL;
	const ModelFormat *to;
	int i = 0;
	while ((to = model_format(i)) && (!extension || strcmp(to->extension, extension)))
		i++;
	if (!to) {
		for (i = 0; (to = model_format(i)); i++)
			strbuf_addf(&bytes, "%sFILE%s", !i ? "convert wants --out " : model_format(i + 1) ? ", " : " or ", to->extension);
		int status = usage(bytes.failed ? "convert wants --out FILE" : bytes.data);
		strbuf_done(&bytes);
		return status;
	}
	if (to->loses && net_is_normalised(net))
		(void) fprintf(stderr, "maestro: %s\n", to->loses);
	int code = to->write(net, info, &bytes);
	if (code)
		(void) error_set(&err, code, "%s: %s", path, err_text(code));
	else
		code = mem_write_file(path, bytes.data, bytes.len, &err);
	strbuf_done(&bytes);
	return code ? cmd_fail(code, &err) : 0;
}

/* ---- predict ---- */

static int read_row(const Json *row, size_t dim, size_t i, float *ret, Error *err)
{
	const Json *at = json_first(row);
	if (!json_is_array(row) || json_len(row) != dim)
		return error_set(err, ERR_INVALID, "observation %zu: not an array of %zu numbers", i, dim);
	for (size_t k = 0; k < dim; k++, at = json_next(at)) {
		double value;
		if (!json_number(at, &value) || !isfinite((float) value))
			return error_set(err, ERR_INVALID, "observation %zu: value %zu is not a finite number", i, k);
		ret[k] = (float) value;
	}
	return 0;
}

static int read_observations(const char *path, Json **ret_root, const Json **ret_rows, Error *err)
{
	StrBuf text = { 0 };
	Error why = { 0 };
	Json *root = NULL;
	int code = mem_read_file(strcmp(path, "-") ? path : "/dev/stdin", OBSERVATIONS_MAX, &text, err);
	if (code)
		return code;
	code = json_parse(text.data ? text.data : "", text.len, &root, &why);
	strbuf_done(&text);
	if (code)
		return error_set(err, code, "%s: %.200s", path, why.text);
	const Json *rows = json_is_array(root) ? root : json_get(root, "observations");
	if (!json_is_array(rows)) {
		json_free(root);
		return error_set(err, ERR_INVALID, "%s: neither an array nor an object with the array \"observations\"", path);
	}
	*ret_root = root;
	*ret_rows = rows;
	return 0;
}

/* Which actions a row allows: {"observation": [...], "mask": [1, 1, 0]}, as a decision's line has them; else all. */
static uint32_t mask_of(const Json *row)
{
	uint32_t mask = 0, bit = 1;
	for (const Json *item = json_is_object(row) ? json_first(json_get(row, "mask")) : NULL; item && bit; item = json_next(item), bit <<= 1) {
		double is_allowed = 0;
		(void) json_number(item, &is_allowed);
		mask |= is_allowed > 0 ? bit : 0;
	}
	return mask ? mask : ~0u;
}

/* The likeliest allowed action, the first of several; -1 where the net gives no finite numbers. */
static int32_t greedy(const float *logits, size_t n_actions, float value, uint32_t mask)
{
	size_t best = n_actions;
	for (size_t a = 0; a < n_actions; a++) {
		if (!isfinite(logits[a]))
			return -1;
		if ((mask >> a & 1) && (best == n_actions || logits[a] > logits[best]))
			best = a;
	}
	return isfinite(value) && best < n_actions ? (int32_t) best : -1;
}

/* What the policy would do; of wide actions the index stands beside the direction. */
static int print_row(FILE *out, ActionSet actions, const float *logits, size_t n_actions, float value, uint32_t mask)
{
	float share[ACTION_COUNT];
	int32_t choice = 0, direction;
	if (n_actions != (size_t) actions_count(actions)) /* a net of others */
		choice = direction = greedy(logits, n_actions, value, mask);
	else if (!isfinite(value) || actions_choose(actions, logits, mask, share, &choice))
		direction = -1;
	else
		direction = actions_direction(actions, choice);
	if (direction < 0)
		return ERR_NONFINITE;
	(void) fprintf(out, "{\"action\":%d,", direction);
	if (actions != ACTIONS_THREE)
		(void) fprintf(out, "\"choice\":%d,", choice);
	(void) fprintf(out, "\"logits\":[");
	for (size_t a = 0; a < n_actions; a++)
		(void) fprintf(out, "%s%.9g", a ? "," : "", (double) logits[a]);
	(void) fprintf(out, "],\"value\":%.9g}\n", (double) value);
	return 0;
}

/* Rows in chunks: each line is that of the observation alone, since a batch gives the bytes of its rows. */
static int predict_rows(const Net *net, ActionSet actions, const Json *rows, float *obs, float *logits, float *scratch, FILE *out, Error *err)
{
	size_t dim = (size_t) net_config(net)->obs_dim, n_actions = (size_t) net_config(net)->n_actions, i = 0;
	float value[CHUNK];
	uint32_t mask[CHUNK];
	for (const Json *row = json_first(rows); row;) {
		size_t n = 0;
		for (; row && n < CHUNK; row = json_next(row), n++) {
			mask[n] = mask_of(row);
			int code = read_row(json_is_object(row) ? json_get(row, "observation") : row, dim, i + n, obs + n * dim, err);
			if (code)
				return code;
		}
		net_forward(net, obs, n, logits, value, scratch);
		for (size_t b = 0; b < n; b++) {
			if (print_row(out, actions, logits + b * n_actions, n_actions, value[b], mask[b]))
				return error_set(err, ERR_INVALID, "observation %zu: the net's output is not finite", i + b);
		}
		i += n;
	}
	return 0;
}

static int predict_to(const Net *net, ActionSet actions, const Json *rows, FILE *out, Error *err)
{
	size_t dim = (size_t) net_config(net)->obs_dim, n_actions = (size_t) net_config(net)->n_actions;
	float *block = mem_block(CHUNK * (dim + n_actions) + net_scratch_floats(net, CHUNK) + 64, sizeof *block);
	if (!block)
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	float *logits = block + net_scratch_floats(net, CHUNK), *obs = logits + CHUNK * n_actions;
	int code = predict_rows(net, actions, rows, obs, logits, block, out, err);
	free(block);
	return code;
}

static int predict(const ModelOptions *options, const Net *net, ActionSet actions)
{
	Error err = { 0 };
	Json *root = NULL;
	const Json *rows = NULL;
	if (!options->observations)
		return usage("predict wants --observations FILE");
	int code = read_observations(options->observations, &root, &rows, &err);
	if (code)
		return cmd_fail(code, &err);
	FILE *out = options->out ? fopen(options->out, "w") : stdout;
	if (!out)
		code = error_set(&err, ERR_IO, "%s: %s", options->out, strerror(errno));
	else
		code = predict_to(net, actions, rows, out, &err);
	if (out && (options->out ? fclose(out) : fflush(out)) && !code)
		code = error_set(&err, ERR_IO, "%s: %s", options->out ? options->out : "stdout", strerror(errno));
	json_free(root);
	return code ? cmd_fail(code, &err) : 0;
}

/* ---- the command ---- */

static const char *format_of(const char *path)
{
	char bytes[16] = { 0 };
	FILE *file = fopen(path, "r");
	size_t n = file ? fread(bytes, 1, sizeof bytes, file) : 0;
	if (file)
		(void) fclose(file);
	return model_format_of(bytes, n)->name;
}

int cmd_model(int argc, char **argv)
{
	ModelOptions options = { 0 };
	Net *net = NULL;
	ModelInfo info;
	Error err = { 0 };
	int words, status;
	int code = opts_parse(&MODEL_COMMAND, argc, argv, &options, &words);
	if (code)
		return code == OPTS_HELPED ? 0 : err_exit_status(code);
	const char *verb = words ? argv[1] : "";
	if (strcmp(verb, "inspect") && strcmp(verb, "convert") && strcmp(verb, "predict"))
		return usage("write inspect, convert or predict");
	if (!options.model)
		return usage("--model FILE is missing");
	code = model_load(options.model, &net, &info, &err);
	code = code == ERR_IO ? ERR_BAD_MODEL : code; /* no file is no model */
	if (code)
		return cmd_fail(code, &err);
	if (verb[0] == 'i')
		status = inspect(net, &info, format_of(options.model), options.is_json);
	else
		status = verb[0] == 'c' ? convert(options.out, net, &info) : predict(&options, net, info.actions);
	net_free(net);
	return status;
}
