/*
 * See suggestion_server.h. The server's thread hands a request to the worker that its Deployment belongs to. A worker owns its
 * connections (API, Prometheus, model server) and the past of its Deployments, so nothing is shared but counters.
 *
 * A past moves on once an interval: a second question within half of it, a person's perhaps, starts again from where the first did.
 */
#include "serve/suggestion_server.h"

#include "base/histogram.h"
#include "base/queue.h"
#include "cluster/ask_model.h"
#include "decide/outside.h"
#include "serve/exposition.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { WORKERS = 4, WORKERS_MAX = 16, QUEUE = 128, PASTS_MAX = 1024, WAIT_MAX_MS = 5000, DESCRIBE_MS = 60000, MAX_REPLICAS = 15 };

typedef struct Job {
	ServerRequest *request;
	Target target;          /* bounds and limits 0 or negative where the request does not say */
	int64_t since_ms;
} Job;

typedef struct Past { /* of one Deployment */
	char name[NAMESPACE_MAX + NAME_MAX_K8S];
	char model[65];         /* the model that it was kept for */
	Observer observer, before;
	int64_t step_ms;        /* when observer moved on from before; 0: never */
} Past;

typedef struct Worker {
	struct SuggestionServer *server;
	pthread_t thread;
	bool is_started;
	Queue jobs;
	KubeClient *kube;
	Metrics *metrics;
	Endpoint *model;
	RemoteModel remote;
	int64_t described_ms;   /* 0: not yet */
	Past *past;             /* [n_pasts] */
	size_t n_pasts;
} Worker;

struct SuggestionServer {
	SuggestionServerConfig config;
	Server *server;
	Worker *worker;         /* [n_workers] */
	int n_workers;
	Telemetry *telemetry;
	_Atomic uint64_t answers[ACTION_COUNT], errors;
	Histogram duration;
};

/* ---- a Deployment's past ---- */

static Past *find_past(Worker *worker, const Target *target)
{
	char name[sizeof worker->past->name];
	target_full_name(target, name, sizeof name);
	for (size_t i = 0; i < worker->n_pasts; i++)
		if (!strcmp(worker->past[i].name, name))
			return &worker->past[i];
	if (worker->n_pasts == PASTS_MAX)
		worker->n_pasts = 0; /* so many names are somebody's typing; what is asked for again is filled in again */
	Past *longer = realloc(worker->past, (worker->n_pasts + 1) * sizeof *longer);
	if (!longer)
		return NULL;
	worker->past = longer;
	Past *past = &longer[worker->n_pasts++];
	*past = (Past) { 0 };
	str_copy(past->name, sizeof past->name, name);
	return past;
}

/* Fills a new past from Prometheus; where that fails it begins empty. */
static void fill_past(Worker *worker, Past *past, const Target *target, int64_t now_ms)
{
	enum { N = TREND_HISTORY };
	const ObsSpec *spec = &worker->remote.spec;
	int64_t step_ms = (int64_t) (spec->interval_s * 1000.0f);
	observer_init(&past->observer, *spec);
	str_copy(past->model, sizeof past->model, worker->remote.sha256);
	past->step_ms = 0;
	Sample *samples = spec->kind == OBS_TREND ? calloc(N, sizeof *samples) : NULL;
	if (samples && !metrics_history(worker->metrics, target, now_ms - step_ms, step_ms, N, samples, NULL))
		for (size_t i = 0; i < N; i++) {
			Observation unused;
			(void) observer_step(&past->observer, target, &samples[i], &unused, NULL);
		}
	free(samples);
}

static int observe(Worker *worker, const Target *target, const Sample *sample, Observation *ret, Error *err)
{
	Clock *clock = worker->server->config.clock;
	int64_t now_ms = clock_mono_ms(clock), interval_ms = (int64_t) (worker->remote.spec.interval_s * 1000.0f);
	Past *past = find_past(worker, target);
	if (!past)
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	bool is_lost = past->step_ms == 0 || now_ms - past->step_ms > 3 * interval_ms;
	if (is_lost || strcmp(past->model, worker->remote.sha256))
		fill_past(worker, past, target, sample->wall_ms);
	if (past->step_ms > 0 && now_ms - past->step_ms < interval_ms / 2)
		past->observer = past->before;
	else
		past->step_ms = now_ms;
	past->before = past->observer;
	return observer_step(&past->observer, target, sample, ret, err);
}

/* ---- a job ---- */

/* The request's word, else the annotation, else the option, else the model's. */
static void settle(const Worker *worker, const KubeDeployment *deployment, Target *target)
{
	const Target *defaults = &worker->server->config.defaults;
	if (target->min_replicas < 1)
		target->min_replicas = deployment->min_replicas ? deployment->min_replicas : defaults->min_replicas;
	if (target->min_replicas < 1)
		target->min_replicas = 1;
	if (target->max_replicas < 1)
		target->max_replicas = deployment->max_replicas ? deployment->max_replicas : defaults->max_replicas;
	if (target->max_replicas < 1)
		target->max_replicas = worker->remote.max_replicas ? worker->remote.max_replicas : MAX_REPLICAS;
	if (target->latency_soft_ms <= 0)
		target->latency_soft_ms = deployment->latency_soft_ms > 0 ? (float) deployment->latency_soft_ms : defaults->latency_soft_ms;
	if (target->latency_hard_ms <= 0)
		target->latency_hard_ms = deployment->latency_hard_ms > 0 ? (float) deployment->latency_hard_ms : defaults->latency_hard_ms;
	if (target->pod_price <= 0)
		target->pod_price = defaults->pod_price > 0 ? defaults->pod_price : worker->remote.pod_price;
}

/* The metrics source has the model's windows, so another model may ask for another source. */
static int describe(Worker *worker, Error *err)
{
	Clock *clock = worker->server->config.clock;
	int64_t now_ms = clock_mono_ms(clock);
	if (worker->described_ms > 0 && now_ms - worker->described_ms < DESCRIBE_MS)
		return 0;
	RemoteModel remote;
	int code = remote_model_describe(worker->model, &remote, err);
	if (code)
		return code;
	bool is_other = !worker->metrics || remote.rate_window_s != worker->remote.rate_window_s ||
	                remote.latency_window_s != worker->remote.latency_window_s;
	worker->remote = remote;
	worker->described_ms = now_ms > 0 ? now_ms : 1;
	if (!is_other)
		return 0;
	PromConfig prom = worker->server->config.prometheus;
	prom.kube = worker->kube;
	prom.telemetry = worker->server->telemetry;
	prom.clock = clock;
	if (remote.rate_window_s > 0)
		prom.rate_window_s = (double) remote.rate_window_s;
	if (remote.latency_window_s > 0)
		prom.latency_window_s = (double) remote.latency_window_s;
	metrics_free(worker->metrics);
	worker->metrics = NULL;
	code = prom_metrics_new(&prom, &worker->metrics, err);
	worker->described_ms = code ? 0 : worker->described_ms;
	return code;
}

static const char *outside_of(const RemoteModel *remote, const Observation *obs)
{
	int32_t unknown_flag = remote->spec.kind == OBS_TREND ? TREND_IMPUTED : -1;
	int32_t i = remote->trained_on.dim ? outside_feature(&remote->trained_on, obs, unknown_flag) : -1;
	return i < 0 ? NULL : observer_feature(remote->spec, i);
}

typedef struct Answer {
	Sample sample;
	Decision decision;
	const char *outside; /* an input unlike the training's; NULL: none */
} Answer;

static int suggest(Worker *worker, Target *target, Answer *ret, Error *err)
{
	KubeDeployment deployment;
	Observation obs;
	int code = describe(worker, err);
	if (!code)
		code = kube_deployment_read(worker->kube, target, &deployment, err);
	if (code)
		return code;
	settle(worker, &deployment, target);
	code = worker->metrics->ops->fetch(worker->metrics, target, 1, clock_wall_ms(worker->server->config.clock), &ret->sample, err);
	if (!code)
		code = observe(worker, target, &ret->sample, &obs, err);
	if (!code) {
		int64_t start_ms = clock_mono_ms(worker->server->config.clock);
		code = remote_model_ask(worker->model, &worker->remote, &obs, &ret->decision, err);
		ret->outside = outside_of(&worker->remote, &obs);
		telemetry_query(worker->server->telemetry, BACKEND_MODEL, code, (clock_mono_ms(worker->server->config.clock) - start_ms) * 1000);
	}
	if (code == ERR_BAD_MODEL || code == ERR_HTTP)
		worker->described_ms = 0; /* perhaps it serves another one by now */
	return code;
}

static void answer(ServerRequest *request, const RemoteModel *remote, const Answer *said)
{
	const Decision *decision = &said->decision;
	request->type = "application/json";
	strbuf_addf(&request->answer, "{\"action\":%d,\"probabilities\":[", decision->action);
	for (int32_t a = 0; a < decision->n_actions; a++)
		strbuf_addf(&request->answer, "%s%.4f", a ? "," : "", (double) decision->probability[a]);
	strbuf_addf(&request->answer, "],\"replicas\":%d,\"interval_s\":", said->sample.replicas);
	strbuf_addf(&request->answer, remote->has_interval ? "%g" : "null", (double) remote->spec.interval_s);
	if (remote->sha256[0])
		strbuf_addf(&request->answer, ",\"model\":\"%s\"", remote->sha256);
	if (said->outside)
		strbuf_addf(&request->answer, ",\"outside\":\"%s\"", said->outside);
	if (decision->is_wide) /* more than the contract's one pod */
		strbuf_addf(&request->answer, ",\"wanted\":%d", decision->raw);
	strbuf_addf(&request->answer, "}\n");
}

static void serve(Worker *worker, Job *job)
{
	SuggestionServer *server = worker->server;
	Clock *clock = server->config.clock;
	Answer said = { 0 };
	Error err = { 0 };
	int code = clock_mono_ms(clock) - job->since_ms > WAIT_MAX_MS
		? error_set(&err, ERR_BUSY, "too many requests wait; this one has for %d s", WAIT_MAX_MS / 1000)
		: suggest(worker, &job->target, &said, &err);
	if (code) {
		(void) atomic_fetch_add(&server->errors, 1);
		(void) server_error(job->request, 503, "%s", err.text[0] ? err.text : err_text(code));
	} else {
		(void) atomic_fetch_add(&server->answers[said.decision.action], 1);
		answer(job->request, &worker->remote, &said);
	}
	histogram_note(&server->duration, (clock_mono_ms(clock) - job->since_ms) * 1000);
	server_finish(job->request);
}

static void *work(void *arg)
{
	Worker *worker = arg;
	Job job;
	while (!queue_pop(&worker->jobs, &job, -1))
		serve(worker, &job);
	return NULL;
}

/* ---- requests ---- */

/* False: it is there and no number from lo to hi. */
static bool read_number(const ServerRequest *request, const char *name, double lo, double hi, double *ret)
{
	const char *text = server_query(request, name);
	char *end;
	if (!text)
		return true;
	*ret = strtod(text, &end);
	return end != text && !*end && *ret >= lo && *ret <= hi;
}

static ServerVerdict on_suggestion(void *context, ServerRequest *request)
{
	SuggestionServer *server = context;
	const Target *defaults = &server->config.defaults;
	const char *name = server_query(request, "deployment"), *ns = server_query(request, "namespace");
	double min = 0, max = 0, soft = 0, hard = 0, price = 0;
	name = name && *name ? name : defaults->name;
	ns = ns && *ns ? ns : defaults->namespace_[0] ? defaults->namespace_ : server->config.kubeconfig->namespace_;
	Job job = { .request = request, .since_ms = clock_mono_ms(server->config.clock) };
	if (!*name || strlen(name) >= sizeof job.target.name || strlen(ns) >= sizeof job.target.namespace_)
		return server_error(request, 400, "write /suggestion?deployment=NAME&namespace=NS");
	if (!read_number(request, "min", 1, 1e6, &min) || !read_number(request, "max", 1, 1e6, &max) ||
	    !read_number(request, "soft", -1, 1e7, &soft) || !read_number(request, "hard", -1, 1e7, &hard) ||
	    !read_number(request, "price", 0, 1e6, &price))
		return server_error(request, 400, "min, max, soft, hard or price is not a number that it can be");
	str_copy(job.target.name, sizeof job.target.name, name);
	str_copy(job.target.namespace_, sizeof job.target.namespace_, ns);
	job.target.min_replicas = (int32_t) min;
	job.target.max_replicas = (int32_t) max;
	job.target.latency_soft_ms = (float) soft;
	job.target.latency_hard_ms = (float) hard;
	job.target.pod_price = (float) price;
	uint32_t hash = 2166136261u; /* FNV-1a: a Deployment always has the same worker */
	for (const char *part = ns; part; part = part == ns ? name : NULL)
		for (const char *at = part; *at; at++)
			hash = (hash ^ (unsigned char) *at) * 16777619u;
	server_keep(request);
	if (queue_push(&server->worker[hash % (uint32_t) server->n_workers].jobs, &job)) {
		(void) atomic_fetch_add(&server->errors, 1);
		(void) server_error(request, 503, "too many requests wait");
		server_finish(request);
	}
	return SERVER_KEPT;
}

static void metrics(void *context, StrBuf *to)
{
	SuggestionServer *server = context;
	exposition_build(to);
	exposition_head(to, "maestro_suggestions_total", "counter", "Requests to /suggestion by what was answered.");
	for (int a = 0; a < ACTION_COUNT; a++)
		strbuf_addf(to, "maestro_suggestions_total{answer=\"%d\"} %llu\n", a, (unsigned long long) atomic_load(&server->answers[a]));
	strbuf_addf(to, "maestro_suggestions_total{answer=\"error\"} %llu\n", (unsigned long long) atomic_load(&server->errors));
	exposition_head(to, "maestro_suggestion_duration_seconds", "histogram", "Time from a request's arrival to its answer.");
	exposition_histogram(to, "maestro_suggestion_duration_seconds", NULL, &server->duration);
	exposition_telemetry(to, server->telemetry);
}

/* ---- life ---- */

static int start_worker(SuggestionServer *server, Worker *worker, Error *err)
{
	const SuggestionServerConfig *config = &server->config;
	worker->server = server;
	int code = queue_init(&worker->jobs, sizeof(Job), QUEUE);
	if (code)
		return error_set(err, code, "%s", err_text(code));
	code = kube_client_new(config->kubeconfig, config->clock, &worker->kube, err);
	if (!code) {
		kube_client_count(worker->kube, server->telemetry);
		code = endpoint_open(config->model, &worker->model, err);
	}
	if (!code && pthread_create(&worker->thread, NULL, work, worker))
		code = error_set(err, ERR_NOMEM, "cannot start a thread");
	worker->is_started = !code;
	return code;
}

static void stop_worker(Worker *worker)
{
	if (worker->jobs.item)
		queue_close(&worker->jobs);
	if (worker->is_started)
		(void) pthread_join(worker->thread, NULL);
	metrics_free(worker->metrics);
	endpoint_close(worker->model);
	kube_client_free(worker->kube);
	queue_done(&worker->jobs);
	free(worker->past);
}

static const ServerRoute ROUTES[] = {
	{ "GET", "/suggestion", on_suggestion }, { "GET", "/suggest", on_suggestion }, { NULL, NULL, NULL },
};

int suggestion_server_start(const SuggestionServerConfig *config, SuggestionServer **ret_server, Error *err)
{
	SuggestionServer *server = calloc(1, sizeof *server);
	int wanted = config->workers < 1 ? WORKERS : config->workers < WORKERS_MAX ? config->workers : WORKERS_MAX, code = 0;
	if (!server || !(server->worker = calloc((size_t) wanted, sizeof *server->worker))) {
		free(server);
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	}
	server->config = *config;
	server->telemetry = telemetry_new();
	for (int i = 0; i < wanted && !code; i++, server->n_workers++)
		code = start_worker(server, &server->worker[i], err);
	const ServerDuty duty = { .route = ROUTES, .metrics = metrics, .context = server };
	if (!code)
		code = server_start(&config->server, &duty, &server->server, err);
	if (code)
		suggestion_server_stop(server, 0);
	else
		*ret_server = server;
	return code;
}

int suggestion_server_port(const SuggestionServer *server)
{
	return server_port(server->server);
}

void suggestion_server_stop(SuggestionServer *server, int64_t wait_ms)
{
	if (!server)
		return;
	server_quiesce(server->server, wait_ms);
	for (int i = 0; i < server->n_workers; i++) /* they finish what they were given before the server goes */
		stop_worker(&server->worker[i]);
	server_quiesce(server->server, SERVER_ANSWER_MS);
	server_stop(server->server);
	telemetry_free(server->telemetry);
	free(server->worker);
	free(server);
}
