/* See ask_model.h. */
#include "cluster/ask_model.h"

#include "base/json.h"
#include "decide/actions.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ASK_MS = 1000, ANSWER_MAX = 64 << 10, INTERVAL_S = 15 };

static int ask(Endpoint *endpoint, const char *method, const char *path, const char *body, HttpResponse *response, Error *err)
{
	const HttpRequest request = {
		.method = method, .content_type = body ? "application/json" : NULL, .body = body, .body_len = body ? strlen(body) : 0,
		.timeout_ms = ASK_MS, .max_body = ANSWER_MAX,
	};
	Error cause = { 0 };
	int code = endpoint_request(endpoint, path, request, response, &cause);
	return code ? error_set(err, code, "model server: %s", cause.text) : 0;
}

/* How many pods the direction means. */
static int read_wish(const Json *root, const char *who, ActionSet actions, int32_t replicas, Decision *ret, Error *err)
{
	int64_t choice = json_int_or(root, "choice", -1), wanted = json_int_or(root, "wanted", -1);
	ret->raw = replicas + ret->action - ACTION_KEEP;
	ret->is_wide = actions == ACTIONS_WIDE || wanted >= 0;
	if (actions == ACTIONS_WIDE) {
		if (choice < 0 || choice >= actions_count(actions) || actions_direction(actions, (int32_t) choice) != ret->action)
			return error_set(err, ERR_BAD_MODEL, "%s: its answer holds no choice of its action", who);
		ret->raw = actions_wish(actions, (int32_t) choice, replicas);
	} else if (wanted >= 0) {
		if (wanted > INT32_MAX || (wanted > replicas) - (wanted < replicas) != ret->action - ACTION_KEEP)
			return error_set(err, ERR_BAD_MODEL, "%s: it wants %lld of %d replicas, which is not its action", who, (long long) wanted,
			                 (int) replicas);
		ret->raw = (int32_t) wanted;
	}
	return 0;
}

int remote_action_read(const HttpResponse *response, const char *who, ActionSet actions, int32_t replicas, Decision *ret, Error *err)
{
	Json *root = NULL;
	int64_t action = -1;
	int code = 0, parsed = json_parse(response->body.data ? response->body.data : "", response->body.len, &root, NULL);
	if (response->status != 200)
		code = error_set(err, ERR_HTTP, "%s: HTTP %d: %.160s", who, response->status,
		                 json_string_or(root, "error", "no reason given"));
	else if (parsed || !json_int(json_get(root, "action"), &action) || action < 0 || action >= ACTION_COUNT)
		code = error_set(err, ERR_BAD_MODEL, "%s: its answer holds no action of 0, 1 or 2", who);
	if (!code) {
		const Json *shares = json_get(root, "probabilities");
		ret->action = (int32_t) action;
		code = read_wish(root, who, actions, replicas, ret, err);
		ret->n_actions = json_len(shares) == ACTION_COUNT ? ACTION_COUNT : 0;
		int32_t i = 0;
		for (const Json *share = json_first(shares); share && ret->n_actions; share = json_next(share), i++) {
			double value = 0;
			(void) json_number(share, &value);
			ret->probability[i] = (float) value;
		}
	}
	json_free(root);
	return code;
}

/* All four rows whole, or none. */
static void read_stats(const Json *object, int32_t dim, ObsStats *ret)
{
	ObsStats stats = { .dim = dim };
	const struct {
		const char *name;
		float *x;
	} rows[] = { { "mean", stats.mean }, { "var", stats.var }, { "min", stats.min }, { "max", stats.max } };
	for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
		const Json *array = json_get(object, rows[r].name);
		int32_t i = 0;
		if (dim < 1 || dim > OBS_MAX || json_len(array) != (size_t) dim)
			return;
		for (const Json *item = json_first(array); item; item = json_next(item)) {
			double x;
			if (!json_number(item, &x))
				return;
			rows[r].x[i++] = (float) x;
		}
	}
	*ret = stats;
}

static int read_description(const HttpResponse *response, RemoteModel *ret, Error *err)
{
	Json *root = NULL;
	int code = json_parse(response->body.data, response->body.len, &root, err);
	if (code)
		return code;
	int64_t version = json_int_or(root, "observation_version", 0), inputs = json_int_or(root, "inputs", 0);
	int64_t stack = json_int_or(root, "stack", 1);
	float interval_s = (float) json_number_or(root, "interval_s", 0);
	RemoteModel model = {
		.spec = { .kind = (ObsKind) version, .stack = stack > 1 && stack <= TREND_STACK_MAX ? (int32_t) stack : 1,
		          .interval_s = interval_s > 0 ? interval_s : INTERVAL_S },
		.has_interval = interval_s > 0,
		.rate_window_s = (float) json_number_or(root, "rate_window_s", 0),
		.latency_window_s = (float) json_number_or(root, "latency_window_s", 0),
		.max_replicas = (int32_t) json_int_or(root, "max_replicas", 0),
		.pod_price = (float) json_number_or(root, "pod_price", 0),
		.takes_vector = true,
	};
	str_copy(model.sha256, sizeof model.sha256, json_string_or(root, "sha256", ""));
	read_stats(json_get(root, "trained_on"), (int32_t) inputs, &model.trained_on);
	if (!actions_read(json_string_or(root, "actions", actions_word(ACTIONS_THREE)), &model.actions))
		code = error_set(err, ERR_BAD_MODEL, "model server: actions \"%.32s\" are not known to this build", json_string_or(root, "actions", ""));
	else if ((version != OBS_SEED && version != OBS_TREND) || observer_dim(model.spec) != inputs)
		code = error_set(err, ERR_BAD_MODEL, "model server: its model takes %lld inputs of observation version %lld, which this build "
		                 "does not build", (long long) inputs, (long long) version);
	else
		*ret = model;
	json_free(root);
	return code;
}

int remote_model_describe(Endpoint *endpoint, RemoteModel *ret, Error *err)
{
	HttpResponse response = { 0 };
	int code = ask(endpoint, "GET", "/model", NULL, &response, err);
	if (!code && response.status == 200)
		code = read_description(&response, ret, err);
	else if (!code && (response.status == 404 || response.status == 405))
		*ret = (RemoteModel) { .spec = { .kind = OBS_SEED, .stack = 1, .interval_s = INTERVAL_S } };
	else if (!code)
		code = error_set(err, response.status == 401 ? ERR_UNAUTHORIZED : ERR_HTTP, "model server: HTTP %d", response.status);
	http_response_done(&response);
	return code;
}

/* Actions that the target's bounds leave; the observation's mask is of three. */
static uint32_t mask_of(const RemoteModel *model, const Observation *obs)
{
	const Target *target = obs->target;
	return model->actions == ACTIONS_THREE ? obs->mask
		: actions_mask(model->actions, obs->sample->replicas, target->min_replicas, target->max_replicas);
}

static char *body_of(const RemoteModel *model, const Observation *obs)
{
	uint32_t allowed = mask_of(model, obs);
	Json *root = json_new_object();
	if (!model->takes_vector) {
		for (int32_t i = 0; i < obs->dim; i++)
			json_add_number(root, observation_feature(OBS_SEED, i), (double) obs->x[i]);
	} else {
		Json *x = json_add_array(root, "observation"), *mask = json_add_array(root, "mask");
		for (int32_t i = 0; i < obs->dim; i++)
			json_add_number(x, NULL, (double) obs->x[i]);
		for (int32_t a = 0; a < actions_count(model->actions); a++)
			json_add_int(mask, NULL, !allowed || (allowed >> a & 1));
	}
	char *text = json_print(root);
	json_free(root);
	return text;
}

int remote_model_ask(Endpoint *endpoint, const RemoteModel *model, const Observation *obs, Decision *ret, Error *err)
{
	char *body = body_of(model, obs);
	HttpResponse response = { 0 };
	Decision decision = *ret;
	if (!body)
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	int code = ask(endpoint, "POST", "/predict", body, &response, err);
	if (!code)
		code = remote_action_read(&response, "model server", model->actions, obs->sample ? obs->sample->replicas : 0, &decision, err);
	if (!code && model->takes_vector && model->actions == ACTIONS_THREE && obs->mask && !(obs->mask >> decision.action & 1))
		code = error_set(err, ERR_BAD_MODEL, "model server: action %d, which the mask forbids", (int) decision.action);
	if (!code)
		*ret = decision;
	http_response_done(&response);
	free(body);
	return code;
}
