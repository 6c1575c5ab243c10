/*
 * See autoscaler_server.h. Loops publish views; the server reads the newest of each when it is asked. What a cycle leaves behind
 * (durations, a line a decision) is handed over by autoscaler_server_cycle; the lines of the last hours stay in a ring.
 */
#include "serve/autoscaler_server.h"

#include "base/shape.h"
#include "control/decision_line.h"
#include "serve/exposition.h"
#include "serve/line_ring.h"
#include "serve/loop_metrics.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { HOLD_S = 600 };

struct AutoscalerServer {
	AutoscalerServerConfig config;
	Server *server;
	int64_t start_ms;       /* wall: tells this process from one before it */
	AutoscalerTargets targets; /* whole once n is not 0 */
	LoopMetrics *metrics;   /* [n] */
	atomic_size_t n;        /* of targets; 0: not yet known */
	pthread_mutex_t lock;   /* of the lines */
	LineRing lines;
};

static int64_t wall_ms(void)
{
	struct timespec t;
	(void) clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t) t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- views ---- */

typedef struct Views { /* of all targets; views is NULL where there is no memory */
	const LiveView **view;
	size_t n;
} Views;

static Views acquire_all(AutoscalerServer *server)
{
	Views views = { .n = atomic_load(&server->n) };
	views.view = calloc(views.n + 1, sizeof *views.view);
	for (size_t i = 0; views.view && i < views.n; i++)
		views.view[i] = snap_acquire(loop_views(server->targets.loops[i]));
	views.n = views.view ? views.n : 0;
	return views;
}

static void release_all(Views *views)
{
	for (size_t i = 0; i < views->n; i++)
		snap_release(views->view[i]);
	free(views->view);
}

static bool is_asked_for(const ServerRequest *request, const LiveView *view)
{
	const char *ns = server_query(request, "namespace"), *name = server_query(request, "deployment");
	return view && (!ns || !strcmp(ns, view->target.namespace_)) && (!name || !strcmp(name, view->target.name));
}

static ServerVerdict answer_json(ServerRequest *request, Json *root)
{
	char *text = json_print(root);
	json_free(root);
	if (!text)
		return server_error(request, 500, "%s", err_text(ERR_NOMEM));
	request->type = "application/json";
	strbuf_addf(&request->answer, "%s\n", text);
	free(text);
	return SERVER_ANSWERED;
}

/* ---- /status ---- */

/* One target's state and conditions, into an object. */
static void add_status(const LiveView *view, Json *object)
{
	static const char *const words[] = { "Unknown", "False", "True" };
	char time[CLOCK_TEXT];
	json_add_string(object, "state", state_text(view->state));
	json_add_string(object, "reason", reason_text(view->state_reason));
	json_add_string(object, "message", view->state_detail);
	Json *conditions = json_add_array(object, "conditions");
	for (int k = 0; k < CONDITION_COUNT; k++) {
		const Condition *condition = &view->condition[k];
		Json *item = json_add_object(conditions, NULL);
		json_add_string(item, "type", condition_text((ConditionKind) k));
		json_add_string(item, "status", words[condition->status + 1]);
		json_add_string(item, "reason", condition->reason);
		json_add_string(item, "message", condition->message);
		clock_format(condition->since_wall_ms, time);
		json_add_string(item, "lastTransitionTime", condition->since_wall_ms ? time : NULL);
	}
}

static ServerVerdict status(void *context, ServerRequest *request)
{
	AutoscalerServer *server = context;
	Views views = acquire_all(server);
	Json *root = json_new_object(), *targets = json_add_array(root, "targets");
	for (size_t i = 0; i < views.n; i++) {
		if (!is_asked_for(request, views.view[i]))
			continue;
		Json *item = json_add_object(targets, NULL);
		json_add_string(item, "namespace", views.view[i]->target.namespace_);
		json_add_string(item, "deployment", views.view[i]->target.name);
		add_status(views.view[i], item);
	}
	release_all(&views);
	return answer_json(request, root);
}

/* ---- /v1 ---- */

/*
 * Targets whose view was published at since (ms since 1970, of this machine) or later; 204 where there is none. A console asks with
 * the wall_ms of the answer before, and keeps what it has of the others.
 */
static ServerVerdict snapshot(void *context, ServerRequest *request)
{
	AutoscalerServer *server = context;
	const char *text = server_query(request, "since");
	int64_t now_ms = wall_ms(), since_ms = text ? strtoll(text, NULL, 10) : 0; /* before the views are taken */
	if (since_ms > now_ms)
		since_ms = 0; /* the clock was set back */
	Views views = acquire_all(server);
	Json *root = json_new_object();
	json_add_int(root, "wall_ms", now_ms);
	json_add_int(root, "start_ms", server->start_ms);
	json_add_int(root, "n_targets", (int64_t) atomic_load(&server->n));
	Json *targets = json_add_array(root, "targets");
	for (size_t i = 0; i < views.n; i++)
		if (is_asked_for(request, views.view[i]) && views.view[i]->wall_ms >= since_ms)
			shape_write(&shape_live, views.view[i], json_add_object(targets, NULL));
	release_all(&views);
	if (views.view && (!since_ms || json_first(targets)))
		return answer_json(request, root);
	json_free(root);
	request->status = 204;
	return views.view ? SERVER_ANSWERED : server_error(request, 500, "%s", err_text(ERR_NOMEM));
}

/* The lines since a time (ms since 1970), oldest first. */
static ServerVerdict decisions(void *context, ServerRequest *request)
{
	AutoscalerServer *server = context;
	const char *text = server_query(request, "since"), *name = server_query(request, "deployment");
	char *end = NULL, match[NAME_MAX_K8S + 20] = "";
	int64_t since_ms = text ? strtoll(text, &end, 10) : 0;
	if (text && (end == text || *end))
		return server_error(request, 400, "since is a time in ms since 1970");
	if (name)
		(void) snprintf(match, sizeof match, "\"deployment\":\"%.250s\"", name);
	request->type = "application/x-ndjson";
	(void) pthread_mutex_lock(&server->lock);
	for (size_t i = 0; i < server->lines.n; i++) {
		int64_t at_ms;
		const char *line = line_ring_at(&server->lines, i, &at_ms);
		if (at_ms > since_ms && strstr(line, match))
			strbuf_addf(&request->answer, "%s\n", line);
	}
	(void) pthread_mutex_unlock(&server->lock);
	return SERVER_ANSWERED;
}

/* ---- commands ---- */

static Loop *find_loop(const AutoscalerServer *server, const Json *root)
{
	const char *ns = json_string_or(root, "namespace", ""), *name = json_string_or(root, "deployment", "");
	for (size_t i = 0; i < atomic_load(&server->n); i++) {
		const LiveView *view = snap_acquire(loop_views(server->targets.loops[i]));
		bool is_it = view && !strcmp(view->target.namespace_, ns) && !strcmp(view->target.name, name);
		snap_release(view);
		if (is_it)
			return server->targets.loops[i];
	}
	return NULL;
}

static int read_command(const Json *root, Command *ret, Error *err)
{
	static const struct {
		const char *word;
		CommandKind kind;
	} kinds[] = {
		{ "override", COMMAND_LIVE_OVERRIDE }, { "resume", COMMAND_LIVE_RESUME }, { "pause", COMMAND_LIVE_PAUSE },
	};
	const char *word = json_string_or(root, "kind", "");
	size_t k = 0;
	while (k < sizeof kinds / sizeof *kinds && strcmp(kinds[k].word, word))
		k++;
	if (k == sizeof kinds / sizeof *kinds)
		return error_set(err, ERR_INVALID, "kind is override, resume or pause, not \"%.20s\"", word);
	Command command = { .kind = kinds[k].kind, .id = json_int_or(root, "id", 0) };
	str_copy(command.who, sizeof command.who, json_string_or(root, "who", ""));
	if (!command.who[0])
		return error_set(err, ERR_INVALID, "who is missing: a command is audited under a name");
	if (command.kind == COMMAND_LIVE_OVERRIDE) {
		int64_t replicas = json_int_or(root, "replicas", -1);
		if (replicas < 0 || replicas > 1000000)
			return error_set(err, ERR_INVALID, "replicas is not a count");
		command.u.override_.replicas = (int32_t) replicas;
		command.u.override_.seen = (int32_t) json_int_or(root, "seen", -1);
		command.u.override_.hold_ms = json_int_or(root, "hold_ms", HOLD_S * 1000);
		str_copy(command.u.override_.reason, sizeof command.u.override_.reason, json_string_or(root, "reason", ""));
	}
	*ret = command;
	return 0;
}

static ServerVerdict command(void *context, ServerRequest *request)
{
	AutoscalerServer *server = context;
	const AutoscalerServerConfig *config = &server->config;
	Json *root = NULL;
	Command command = { 0 };
	Error err = { 0 };
	if (config->is_readonly)
		return server_error(request, 403, "this autoscaler is read-only");
	if (!config->server.token_file && !server_is_local(request))
		return server_error(request, 403, "commands from other machines want --token-file");
	int code = json_parse(request->body, request->body_len, &root, &err);
	if (!code)
		code = read_command(root, &command, &err);
	Loop *loop = code ? NULL : find_loop(server, root);
	json_free(root);
	if (code)
		return server_error(request, 400, "%s", err.text);
	if (!loop)
		return server_error(request, 404, "no such target here");
	code = loop_send(loop, &command);
	if (code)
		return server_error(request, 503, "%s", err_text(code));
	request->status = 202;
	request->type = "application/json";
	strbuf_addf(&request->answer, "{\"id\":%lld}\n", (long long) command.id);
	return SERVER_ANSWERED;
}

/* ---- metrics ---- */

/* The store is the process's, and each target's view has its count. */
static void add_lost(StrBuf *to, const Views *views)
{
	int64_t lost = 0;
	for (size_t i = 0; i < views->n; i++)
		if (views->view[i] && views->view[i]->sink_dropped > lost)
			lost = views->view[i]->sink_dropped;
	exposition_head(to, "maestro_records_lost_total", "counter", "Records that the store did not take; scaling went on.");
	exposition_sample(to, "maestro_records_lost_total", NULL, (double) lost);
}

static void metrics(void *context, StrBuf *to)
{
	AutoscalerServer *server = context;
	const AutoscalerServerConfig *config = &server->config;
	Views views = acquire_all(server);
	exposition_build(to);
	exposition_telemetry(to, config->telemetry);
	add_lost(to, &views);
	loop_metrics_write(to, views.view, server->metrics, views.n, wall_ms());
	release_all(&views);
}

void autoscaler_server_cycle(AutoscalerServer *server, const LiveView *view)
{
	for (size_t i = 0; i < atomic_load(&server->n); i++) {
		const Target *own = &server->metrics[i].target;
		if (!strcmp(own->name, view->target.name) && !strcmp(own->namespace_, view->target.namespace_)) {
			loop_metrics_note(&server->metrics[i], view);
			break;
		}
	}
	char *line = decision_line(view);
	if (!line)
		return;
	(void) pthread_mutex_lock(&server->lock);
	line_ring_add(&server->lines, view->last.wall_ms, line);
	(void) pthread_mutex_unlock(&server->lock);
	free(line);
}

/* ---- life ---- */

int autoscaler_server_show(AutoscalerServer *server, const AutoscalerTargets *targets, Error *err)
{
	server->metrics = calloc(targets->n_loops + 1, sizeof *server->metrics);
	if (!server->metrics)
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	server->targets = *targets;
	for (size_t i = 0; i < targets->n_loops; i++) {
		const LiveView *view = snap_acquire(loop_views(targets->loops[i]));
		LoopMetrics *metrics_of = &server->metrics[i];
		if (view) {
			metrics_of->target = view->target;
			(void) snprintf(metrics_of->labels, sizeof metrics_of->labels, "namespace=\"%s\",deployment=\"%s\"",
			                view->target.namespace_, view->target.name);
		}
		snap_release(view);
	}
	atomic_store(&server->n, targets->n_loops);
	return 0;
}

static const char *not_ready(void *context)
{
	return atomic_load(&((AutoscalerServer *) context)->n) ? NULL : "no targets yet: it waits for the Kubernetes API";
}

static const ServerRoute ROUTES[] = {
	{ "GET", "/status", status }, { "GET", "/v1/snapshot", snapshot }, { "GET", "/v1/decisions", decisions },
	{ "POST", "/v1/command", command }, { NULL, NULL, NULL },
};

int autoscaler_server_start(const AutoscalerServerConfig *config, AutoscalerServer **ret_server, Error *err)
{
	AutoscalerServer *server = calloc(1, sizeof *server);
	if (!server)
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	server->config = *config;
	server->start_ms = wall_ms();
	(void) pthread_mutex_init(&server->lock, NULL);
	const ServerDuty duty = { .route = ROUTES, .metrics = metrics, .not_ready = not_ready, .context = server };
	int code = line_ring_init(&server->lines);
	if (code)
		(void) error_set(err, code, "%s", err_text(code));
	else
		code = server_start(&config->server, &duty, &server->server, err);
	if (code)
		autoscaler_server_stop(server, 0);
	else
		*ret_server = server;
	return code;
}

int autoscaler_server_port(const AutoscalerServer *server)
{
	return server_port(server->server);
}

void autoscaler_server_stop(AutoscalerServer *server, int64_t wait_ms)
{
	if (!server)
		return;
	server_quiesce(server->server, wait_ms);
	server_stop(server->server);
	line_ring_done(&server->lines);
	(void) pthread_mutex_destroy(&server->lock);
	free(server->metrics);
	free(server);
}
