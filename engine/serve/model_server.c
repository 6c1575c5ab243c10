/*
 * See model_server.h. The model in use is an immutable block with a count of its users: a request takes it, asks it, gives it
 * back; a reload puts another in its place, and the last user frees the old one.
 */
#include "serve/model_server.h"

#include "base/json.h"
#include "base/sha256.h"
#include "decide/actions.h"
#include "decide/observation.h"
#include "rl/model.h"
#include "serve/exposition.h"
#include "serve/predict_body.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { SCRATCH_FLOATS = 8192 };

typedef struct Served {
	Net *net;
	ModelInfo info;
	char sha256[SHA256_HEX];
	atomic_int users;   /* the server's own included */
} Served;

struct ModelServer {
	Server *server;
	char *path;
	struct stat seen;      /* of the file last read, or tried */
	pthread_mutex_t lock;  /* of the pointer */
	Served *served;
	Histogram inference;
	_Atomic uint64_t answers[ACTION_COUNT], refused, failed, reloads_ok, reloads_failed;
};

/* ---- the model ---- */

static Served *acquire(ModelServer *server)
{
	(void) pthread_mutex_lock(&server->lock);
	Served *served = server->served;
	(void) atomic_fetch_add(&served->users, 1);
	(void) pthread_mutex_unlock(&server->lock);
	return served;
}

static void release(Served *served)
{
	if (!served || atomic_fetch_sub(&served->users, 1) > 1)
		return;
	net_free(served->net);
	free(served);
}

static int check(const Served *served, const char *path, Error *err)
{
	const NetConfig *net = net_config(served->net);
	if (net->n_actions != actions_count(served->info.actions) || net->obs_dim > OBS_MAX)
		return error_set(err, ERR_BAD_MODEL, "%s: %d actions of %d inputs; /predict serves %d of up to %d", path,
		                 (int) net->n_actions, (int) net->obs_dim, actions_count(served->info.actions), OBS_MAX);
	if (net_scratch_floats(served->net, 1) > SCRATCH_FLOATS)
		return error_set(err, ERR_BAD_MODEL, "%s: its layers are too wide to serve", path);
	return 0;
}

static int load(const char *path, Served **ret_served, Error *err)
{
	StrBuf bytes = { 0 };
	Served *served = calloc(1, sizeof *served);
	if (!served)
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	atomic_init(&served->users, 1);
	int code = model_bytes(path, &bytes, err);
	if (!code) {
		sha256_hex(bytes.data, bytes.len, served->sha256);
		code = model_load(path, &served->net, &served->info, err);
	}
	if (!code)
		code = check(served, path, err);
	strbuf_done(&bytes);
	if (code)
		release(served);
	else
		*ret_served = served;
	return code == ERR_IO || code == ERR_INVALID ? ERR_BAD_MODEL : code;
}

int model_server_reload(ModelServer *server, Error *err)
{
	Served *served = NULL, *old;
	(void) stat(server->path, &server->seen);
	int code = load(server->path, &served, err);
	if (code) {
		(void) atomic_fetch_add(&server->reloads_failed, 1);
		return code;
	}
	(void) pthread_mutex_lock(&server->lock);
	old = server->served;
	server->served = served;
	(void) pthread_mutex_unlock(&server->lock);
	release(old);
	(void) atomic_fetch_add(&server->reloads_ok, 1);
	return 0;
}

bool model_server_is_changed(const ModelServer *server)
{
	struct stat now;
	if (stat(server->path, &now))
		return false; /* gone, or about to be put in place */
	const struct stat *seen = &server->seen;
	return now.st_ino != seen->st_ino || now.st_dev != seen->st_dev || now.st_size != seen->st_size ||
	       now.st_mtim.tv_sec != seen->st_mtim.tv_sec || now.st_mtim.tv_nsec != seen->st_mtim.tv_nsec;
}

/* ---- /predict ---- */

static int64_t now_us(void)
{
	struct timespec t;
	(void) clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t) t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Four decimals of a number in 0..1: printf's %f is a tenth of the time of a whole request. */
static void add_share(StrBuf *to, float share, char before)
{
	int n = (int) (share * 10000.0f + 0.5f);
	char text[7] = { before, (char) ('0' + n / 10000), '.', (char) ('0' + n / 1000 % 10), (char) ('0' + n / 100 % 10),
	                 (char) ('0' + n / 10 % 10), (char) ('0' + n % 10) };
	strbuf_add(to, text, sizeof text);
}

/* Action and probabilities are directions, as the contract has them; "choice" says which of a net's wide actions is meant. */
static ServerVerdict answer(ServerRequest *request, ActionSet actions, int32_t choice, const float *probability)
{
	char text[] = "{\"action\":0,\"probabilities\":", wide[] = "],\"choice\":0}\n";
	text[10] = (char) ('0' + actions_direction(actions, choice));
	wide[11] = (char) ('0' + choice);
	request->type = "application/json";
	strbuf_add(&request->answer, text, sizeof text - 1);
	for (int32_t a = 0; a < ACTION_COUNT; a++)
		add_share(&request->answer, probability[a], a ? ',' : '[');
	if (actions == ACTIONS_THREE)
		strbuf_add(&request->answer, "]}\n", 3);
	else
		strbuf_add(&request->answer, wide, sizeof wide - 1);
	return SERVER_ANSWERED;
}

static ServerVerdict ask(ModelServer *server, const Served *served, const PredictBody *body, ServerRequest *request)
{
	float logits[ACTIONS_MAX], probability[ACTION_COUNT], scratch[SCRATCH_FLOATS];
	ActionSet actions = served->info.actions;
	int32_t choice;
	int64_t start_us = now_us();
	net_forward(served->net, body->x, 1, logits, NULL, scratch);
	int code = actions_choose(actions, logits, body->mask, probability, &choice);
	histogram_note(&server->inference, now_us() - start_us);
	if (code) {
		(void) atomic_fetch_add(&server->failed, 1);
		return server_error(request, 500, "the model's output is not finite");
	}
	(void) atomic_fetch_add_explicit(&server->answers[actions_direction(actions, choice)], 1, memory_order_relaxed);
	return answer(request, actions, choice, probability);
}

static ServerVerdict predict(void *context, ServerRequest *request)
{
	ModelServer *server = context;
	Served *served = acquire(server);
	PredictBody body;
	Error err = { 0 };
	const PredictInput input = {
		.dim = net_config(served->net)->obs_dim,
		.n_actions = actions_count(served->info.actions),
		.is_seed = served->info.obs_version == OBS_SEED,
	};
	ServerVerdict verdict;
	if (predict_body_read(&input, request->body, request->body_len, &body, &err)) {
		(void) atomic_fetch_add(&server->refused, 1);
		verdict = server_error(request, 400, "%s", err.text);
	} else {
		verdict = ask(server, served, &body, request);
	}
	release(served);
	return verdict;
}

/* What the inputs were in training, for whoever builds them to see that they are (CONTROL B.4). */
static void add_stats(Json *root, const Served *served)
{
	ObsStats stats = { 0 };
	if (served->info.obs_version == OBS_TREND) /* the thesis's inputs have no scale of their own */
		model_stats(served->net, &stats);
	const struct {
		const char *name;
		const float *x;
	} rows[] = { { "mean", stats.mean }, { "var", stats.var }, { "min", stats.min }, { "max", stats.max } };
	Json *object = stats.dim ? json_add_object(root, "trained_on") : NULL;
	for (size_t r = 0; object && r < sizeof rows / sizeof *rows; r++) {
		Json *array = json_add_array(object, rows[r].name);
		for (int32_t i = 0; i < stats.dim; i++)
			json_add_number(array, NULL, (double) rows[r].x[i]);
	}
}

/* What a file's format does not tell of is 0 there, and null here. */
static void add_known(Json *root, const char *name, double value)
{
	if (value > 0)
		json_add_number(root, name, value);
	else
		json_add_null(root, name);
}

/* GET /model: what a client must know to build this model's observation. */
static ServerVerdict describe(void *context, ServerRequest *request)
{
	ModelServer *server = context;
	Served *served = acquire(server);
	const ModelInfo *info = &served->info;
	Json *root = json_new_object();
	json_add_string(root, "sha256", served->sha256);
	json_add_string(root, "observation", observation_version_name(info->obs_version));
	json_add_int(root, "observation_version", info->obs_version);
	json_add_int(root, "stack", info->obs_stack > 1 ? info->obs_stack : 1);
	json_add_int(root, "inputs", net_config(served->net)->obs_dim);
	json_add_string(root, "actions", actions_word(info->actions));
	Json *names = json_add_array(root, "action_names");
	for (int32_t a = 0; a < actions_count(info->actions); a++)
		json_add_string(names, NULL, actions_name(info->actions, a));
	add_known(root, "interval_s", (double) info->interval_s);
	add_known(root, "rate_window_s", (double) info->rate_window_s);
	add_known(root, "latency_window_s", (double) info->latency_window_s);
	add_known(root, "max_replicas", info->max_replicas);
	add_known(root, "pod_price", (double) info->pod_price);
	add_stats(root, served);
	char *text = json_print(root);
	json_free(root);
	release(served);
	if (!text)
		return server_error(request, 500, "%s", err_text(ERR_NOMEM));
	request->type = "application/json";
	strbuf_addf(&request->answer, "%s\n", text);
	free(text);
	return SERVER_ANSWERED;
}

/* ---- metrics ---- */

static void count(StrBuf *to, const char *name, const char *label, const char *word, uint64_t n)
{
	strbuf_addf(to, "%s{%s=\"%s\"} %llu\n", name, label, word, (unsigned long long) n);
}

static void metrics(void *context, StrBuf *to)
{
	ModelServer *server = context;
	Served *served = acquire(server);
	const char *slash = strrchr(server->path, '/');
	StrBuf labels = { 0 };
	exposition_build(to);
	exposition_label(&labels, "sha256", served->sha256);
	exposition_label(&labels, "name", slash ? slash + 1 : server->path);
	exposition_label(&labels, "observation", observation_version_name(served->info.obs_version));
	exposition_head(to, "maestro_model_info", "gauge", "The model that is served; always 1.");
	exposition_sample(to, "maestro_model_info", labels.data, 1);
	exposition_head(to, "maestro_model_reloads_total", "counter", "Times that the model's file was read again.");
	count(to, "maestro_model_reloads_total", "outcome", "ok", atomic_load(&server->reloads_ok));
	count(to, "maestro_model_reloads_total", "outcome", "failed", atomic_load(&server->reloads_failed));
	exposition_head(to, "maestro_predictions_total", "counter", "Requests to /predict by what was answered.");
	for (int a = 0; a < ACTION_COUNT; a++)
		count(to, "maestro_predictions_total", "answer", (const char[2]) { (char) ('0' + a), 0 },
		      atomic_load(&server->answers[a]));
	count(to, "maestro_predictions_total", "answer", "refused", atomic_load(&server->refused));
	count(to, "maestro_predictions_total", "answer", "failed", atomic_load(&server->failed));
	exposition_head(to, "maestro_inference_duration_seconds", "histogram", "Time of one pass through the model.");
	exposition_histogram(to, "maestro_inference_duration_seconds", NULL, &server->inference);
	strbuf_done(&labels);
	release(served);
}

/* ---- life ---- */

static const ServerRoute ROUTES[] = {
	{ "POST", "/predict", predict }, { "GET", "/model", describe }, { NULL, NULL, NULL },
};

int model_server_start(const ModelServerConfig *config, ModelServer **ret_server, Error *err)
{
	ModelServer *server = calloc(1, sizeof *server);
	if (!server || !(server->path = strdup(config->model))) {
		free(server);
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	}
	(void) pthread_mutex_init(&server->lock, NULL);
	(void) stat(server->path, &server->seen);
	int code = load(server->path, &server->served, err);
	const ServerDuty duty = { .route = ROUTES, .metrics = metrics, .context = server };
	if (!code)
		code = server_start(&config->server, &duty, &server->server, err);
	if (code)
		model_server_stop(server, 0);
	else
		*ret_server = server;
	return code;
}

int model_server_port(const ModelServer *server)
{
	return server_port(server->server);
}

void model_server_stop(ModelServer *server, int64_t wait_ms)
{
	if (!server)
		return;
	server_quiesce(server->server, wait_ms);
	server_stop(server->server);
	release(server->served);
	(void) pthread_mutex_destroy(&server->lock);
	free(server->path);
	free(server);
}
