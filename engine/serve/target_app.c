/*
 * See target_app.h. The server's thread queues requests; workers take them, burn CPU and finish them. Counters live
 * under one mutex, and /metrics copies them out at once so that a scrape is consistent.
 */
#include "serve/target_app.h"

#include "base/queue.h"
#include "base/rng.h"
#include "serve/burn.h"
#include "serve/exposition.h"
#include "serve/server.h"
#include "serve/stress.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Upper bounds of Istio's own histogram (Envoy's default), ms. */
static const double BOUND_MS[] = {
	.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000, 300000, 600000, 1800000, 3600000,
};
enum {
	BOUNDS = sizeof BOUND_MS / sizeof *BOUND_MS,
	SPARE_CONNECTIONS = 128, /* besides those that wait: for scrapes and 503s */
	NAME_LEN_MAX = 253,
};

typedef struct Stats {
	uint64_t ok, unavailable;     /* requests by code: 200, 503 */
	uint64_t bucket[BOUNDS + 1];  /* not cumulative; the last is +Inf */
	double sum_ms;
} Stats;

typedef struct Worker {
	TargetApp *app;
	pthread_t thread;
	Rng rng;
} Worker;

struct TargetApp {
	TargetAppConfig config;
	Server *server, *metrics_server;
	Queue queue;               /* of ServerRequest * */
	Quota quota;
	Stress *stress;            /* NULL: there is none */
	Worker *worker;            /* [threads] */
	int32_t n_workers;         /* started */
	atomic_bool is_stopping;   /* answer 503 from now on */
	pthread_mutex_t lock;
	Stats stats;
	StrBuf pod_labels, service_labels; /* escaped, without braces */
};

static int64_t now_us(void)
{
	struct timespec t;
	(void) clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t) t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* ---- requests ---- */

static void record(TargetApp *app, const ServerRequest *request)
{
	double ms = (double) (now_us() - request->user) / 1e3;
	size_t b = 0;
	while (b < BOUNDS && ms > BOUND_MS[b])
		b++;
	(void) pthread_mutex_lock(&app->lock);
	if (request->status == 200)
		app->stats.ok++;
	else
		app->stats.unavailable++;
	app->stats.bucket[b]++;
	app->stats.sum_ms += ms;
	(void) pthread_mutex_unlock(&app->lock);
}

static void finish(TargetApp *app, ServerRequest *request, int status, const char *text)
{
	request->status = status;
	strbuf_addf(&request->answer, "%s", text);
	record(app, request);
	server_finish(request);
}

static void *work(void *user)
{
	Worker *worker = user;
	TargetApp *app = worker->app;
	ServerRequest *request;
	while (!queue_pop(&app->queue, &request, -1)) {
		if (atomic_load(&app->is_stopping)) {
			finish(app, request, 503, "stopping\n");
			continue;
		}
		if (burn_cpu(rng_exponential(&worker->rng) * app->config.work_ms / 1e3, &app->quota, &app->is_stopping))
			finish(app, request, 200, "done\n");
		else
			finish(app, request, 503, "stopping\n");
	}
	return NULL;
}

/* ---- metrics ---- */

/* False: not to be had, which is not 0. */
static bool read_memory(const char *path, double *ret_bytes)
{
	unsigned long size = 0, resident = 0;
	FILE *file = fopen(path, "r");
	if (!file)
		return false;
	int n = fscanf(file, "%lu %lu", &size, &resident);
	(void) fclose(file);
	*ret_bytes = (double) resident * (double) sysconf(_SC_PAGESIZE);
	return n == 2;
}

static void write_histogram(StrBuf *to, const char *labels, const Stats *stats)
{
	static const char name[] = "istio_request_duration_milliseconds";
	uint64_t count = 0;
	exposition_head(to, name, "histogram", "Time from a request's arrival to its answer.");
	for (size_t b = 0; b < BOUNDS; b++) {
		count += stats->bucket[b];
		strbuf_addf(to, "%s_bucket{%s,le=\"%g\"} %llu\n", name, labels, BOUND_MS[b], (unsigned long long) count);
	}
	count += stats->bucket[BOUNDS];
	strbuf_addf(to, "%s_bucket{%s,le=\"+Inf\"} %llu\n", name, labels, (unsigned long long) count);
	strbuf_addf(to, "%s_sum{%s} %.3f\n%s_count{%s} %llu\n", name, labels, stats->sum_ms, name, labels,
	            (unsigned long long) count);
}

static void write_metrics(void *context, StrBuf *to)
{
	TargetApp *app = context;
	struct timespec cpu;
	(void) clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
	(void) pthread_mutex_lock(&app->lock);
	const Stats stats = app->stats;
	(void) pthread_mutex_unlock(&app->lock);
	exposition_head(to, "istio_requests_total", "counter", "Requests answered.");
	strbuf_addf(to, "istio_requests_total{%s,response_code=\"200\"} %llu\n", app->service_labels.data,
	            (unsigned long long) stats.ok);
	if (stats.unavailable > 0)
		strbuf_addf(to, "istio_requests_total{%s,response_code=\"503\"} %llu\n", app->service_labels.data,
		            (unsigned long long) stats.unavailable);
	write_histogram(to, app->service_labels.data, &stats);
	exposition_head(to, "container_cpu_usage_seconds_total", "counter", "CPU time of this process.");
	strbuf_addf(to, "container_cpu_usage_seconds_total{%s} %.6f\n", app->pod_labels.data,
	            (double) cpu.tv_sec + (double) cpu.tv_nsec / 1e9);
	double bytes;
	if (!read_memory(app->config.statm, &bytes))
		return;
	exposition_head(to, "container_memory_working_set_bytes", "gauge", "Resident memory of this process.");
	strbuf_addf(to, "container_memory_working_set_bytes{%s} %.0f\n", app->pod_labels.data, bytes);
}

static ServerVerdict service_handler(void *context, ServerRequest *request)
{
	TargetApp *app = context;
	request->user = now_us();
	server_keep(request);
	if (queue_push(&app->queue, &request))
		finish(app, request, 503, "too many requests wait\n");
	return SERVER_KEPT;
}

static int number_of(const ServerRequest *request, const char *name)
{
	const char *text = server_query(request, name);
	char *end;
	long value = text ? strtol(text, &end, 10) : -1;
	return text && end != text && !*end && value >= 0 && value <= 1000000 ? (int) value : -1;
}

static ServerVerdict stress_handler(void *context, ServerRequest *request)
{
	TargetApp *app = context;
	if (!app->stress)
		return server_error(request, 404, "stress is off; start it with --stress");
	if (!stress_set(app->stress, number_of(request, "workers"), number_of(request, "load"), number_of(request, "for")))
		return server_error(request, 400, "workers=1..%d, load=0..100 and for=0..%d s are wanted", STRESS_WORKERS_MAX, STRESS_S_MAX);
	strbuf_addf(&request->answer, "%s\n", app->config.pod);
	return SERVER_ANSWERED;
}

static const ServerRoute ROUTES[] = { { "GET", "/", service_handler }, { "POST", "/stress", stress_handler }, { NULL, NULL, NULL } };

/* ---- life ---- */

static int start_workers(TargetApp *app, Error *err)
{
	app->worker = calloc((size_t) app->config.threads, sizeof *app->worker);
	if (!app->worker)
		return error_set(err, ERR_NOMEM, "out of memory");
	for (; app->n_workers < app->config.threads; app->n_workers++) {
		Worker *worker = &app->worker[app->n_workers];
		worker->app = app;
		rng_init(&worker->rng, app->config.seed, (uint32_t) app->n_workers, RNG_SIZES);
		if (pthread_create(&worker->thread, NULL, work, worker))
			return error_set(err, ERR_NOMEM, "cannot start a thread");
	}
	return 0;
}

static int start_servers(TargetApp *app, Error *err)
{
	const TargetAppConfig *config = &app->config;
	const ServerConfig service = {
		.listen = config->listen,
		.share_port = true,
		.connections = (uint32_t) (config->queue_max + config->threads + SPARE_CONNECTIONS),
	};
	const ServerConfig beside = { .listen = config->metrics_listen };
	const ServerDuty serve = { .route = ROUTES, .metrics = write_metrics, .context = app }, tell = { .metrics = write_metrics, .context = app };
	int code = server_start(&service, &serve, &app->server, err);
	return code || !config->metrics_listen ? code : server_start(&beside, &tell, &app->metrics_server, err);
}

int target_app_start(const TargetAppConfig *config, TargetApp **ret_app, Error *err)
{
	const char *const names[] = { config->namespace_, config->deployment, config->pod };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strlen(names[i]) > NAME_LEN_MAX)
			return error_set(err, ERR_USAGE, "a name of more than %d characters", NAME_LEN_MAX);
	TargetApp *app = calloc(1, sizeof *app);
	if (!app)
		return error_set(err, ERR_NOMEM, "out of memory");
	app->config = *config;
	if (!app->config.statm)
		app->config.statm = "/proc/self/statm";
	(void) pthread_mutex_init(&app->lock, NULL);
	quota_init(&app->quota, config->cpu_limit_cores);
	exposition_label(&app->pod_labels, "namespace", config->namespace_);
	exposition_label(&app->pod_labels, "pod", config->pod);
	exposition_label(&app->pod_labels, "container", "app");
	exposition_label(&app->service_labels, "reporter", "destination");
	exposition_label(&app->service_labels, "destination_workload", config->deployment);
	exposition_label(&app->service_labels, "destination_workload_namespace", config->namespace_);
	exposition_label(&app->service_labels, "request_protocol", "http");
	int code = queue_init(&app->queue, sizeof(ServerRequest *), (size_t) config->queue_max);
	if (code || app->pod_labels.failed || app->service_labels.failed)
		code = error_set(err, ERR_NOMEM, "out of memory");
	if (!code && config->has_stress)
		code = stress_new(&app->quota, &app->stress, err);
	if (!code)
		code = start_workers(app, err);
	if (!code)
		code = start_servers(app, err);
	if (code)
		target_app_stop(app, 0);
	else
		*ret_app = app;
	return code;
}

int target_app_port(const TargetApp *app)
{
	return server_port(app->server);
}

int target_app_metrics_port(const TargetApp *app)
{
	return server_port(app->metrics_server ? app->metrics_server : app->server);
}

void target_app_stop(TargetApp *app, int64_t wait_ms)
{
	if (!app)
		return;
	server_quiesce(app->server, wait_ms);
	atomic_store(&app->is_stopping, true);
	if (app->queue.item)
		queue_close(&app->queue);
	for (int32_t i = 0; i < app->n_workers; i++)
		(void) pthread_join(app->worker[i].thread, NULL);
	server_quiesce(app->server, SERVER_ANSWER_MS); /* what was given up is answered, too */
	server_stop(app->metrics_server);
	server_stop(app->server);
	stress_free(app->stress);
	queue_done(&app->queue);
	quota_done(&app->quota);
	(void) pthread_mutex_destroy(&app->lock);
	strbuf_done(&app->pod_labels);
	strbuf_done(&app->service_labels);
	free(app->worker);
	free(app);
}
