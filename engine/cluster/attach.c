/*
 * See attach.h. One thread owns the connection: it sends what lies in the queue, asks for what is new, and publishes the views as one
 * snapshot. While nobody answers, the last views stay, and their API health says why and since when.
 */
#include "cluster/attach.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/queue.h"
#include "base/shape.h"

#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POLL_MS = 1000, ASK_MS = 3000, ANSWER_MAX = 64 << 20, COMMANDS = 32 };

typedef struct Views { /* a snapshot */
	int n;
	int64_t ahead_ms;       /* its clock before ours: ages are told by its own */
	char absent[300];       /* why there is no target; "": there are some */
	int64_t absent_since_ms; /* ours; 0: from the beginning */
	const LiveView *target[FEED_TARGETS_MAX]; /* into view */
	LiveView view[];
} Views;

typedef struct AttachFeed {
	Feed feed;
	AttachConfig config;
	Endpoint *server;
	HttpResponse response;
	Queue commands;
	SnapBus views;
	pthread_t thread;
	bool is_started;
	int64_t next_id;        /* of the console's thread */
	int64_t since_ms;       /* its clock at the last answer; 0: everything is wanted. This and what follows is the thread's own */
	int64_t start_ms;       /* of the process that answered */
	CommandAnswers refused; /* commands that did not arrive */
	Error trouble;          /* that the views tell of now; code 0: none */
	int64_t answered_ms;    /* wall, ours: when it last answered */
} AttachFeed;

/* ---- what the server says ---- */

static Views *views_new(int n)
{
	Views *views = snap_new(sizeof *views + (size_t) n * sizeof *views->view);
	if (!views)
		return NULL;
	views->n = n;
	for (int i = 0; i < n; i++)
		views->target[i] = &views->view[i];
	return views;
}

static void add_refused(const AttachFeed *attach, LiveView *view)
{
	const CommandAnswers *refused = &attach->refused;
	for (int32_t a = 0; a < refused->n; a++)
		answers_add(&view->answers, refused->answer[a].id, refused->answer[a].code, refused->answer[a].text);
}

/* The place of a target among n views, by its name; n where it is a new one. */
static int find(const Views *views, int n, const LiveView *view)
{
	int i = 0;
	while (i < n && (strcmp(views->view[i].target.name, view->target.name) ||
	                 strcmp(views->view[i].target.namespace_, view->target.namespace_)))
		i++;
	return i;
}

/* Lays what is new over a copy of what there was: the server leaves out what has not changed. */
static int merge(AttachFeed *attach, const Json *root, const Json *targets, Error *err)
{
	const Views *last = attach->since_ms ? snap_acquire(&attach->views) : NULL;
	int kept = last ? last->n : 0;
	size_t most = (size_t) kept + json_len(targets);
	Views *views = views_new(most < FEED_TARGETS_MAX ? (int) most : FEED_TARGETS_MAX);
	LiveView *view = calloc(1, sizeof *view);
	int n = kept;
	for (int i = 0; views && view && i < kept; i++)
		views->view[i] = *last->target[i];
	snap_release(last);
	for (const Json *item = json_first(targets); item && views && view; item = json_next(item)) {
		*view = (LiveView) { 0 };
		shape_read(&shape_live, view, item);
		add_refused(attach, view);
		int at = find(views, n, view);
		if (at < views->n)
			views->view[at] = *view;
		n = at == n && n < views->n ? n + 1 : n;
	}
	free(view);
	if (!views || !view) {
		snap_release(views);
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	}
	views->n = n;
	views->ahead_ms = json_int_or(root, "wall_ms", 0) - clock_wall_ms(attach->config.clock);
	if (!n)
		(void) snprintf(views->absent, sizeof views->absent, "attached to %.150s: it has no target yet", endpoint_url(attach->server));
	snap_publish(&attach->views, views);
	return 0;
}

static int read_views(AttachFeed *attach, Error *err)
{
	Json *root = NULL;
	int code = json_parse(attach->response.body.data, attach->response.body.len, &root, err);
	const Json *targets = json_get(root, "targets");
	if (!code && !json_is_array(targets))
		code = error_set(err, ERR_PARSE, "%s is no autoscaler: its answer has no targets", endpoint_url(attach->server));
	int64_t start_ms = json_int_or(root, "start_ms", 0);
	bool is_other = !code && attach->since_ms && start_ms != attach->start_ms; /* it was started anew: all of it, from the beginning */
	if (!code && !is_other)
		code = merge(attach, root, targets, err);
	if (!code)
		attach->since_ms = is_other ? 0 : json_int_or(root, "wall_ms", 0);
	attach->start_ms = start_ms;
	json_free(root);
	return code;
}

static int status_error(const AttachFeed *attach, Error *err)
{
	int status = attach->response.status;
	Json *root = NULL;
	(void) json_parse(attach->response.body.data, attach->response.body.len, &root, NULL);
	int code = status == 401 ? ERR_UNAUTHORIZED : status == 403 ? ERR_REFUSED : status == 404 ? ERR_NOT_FOUND : ERR_HTTP;
	const char *why = json_string_or(root, "error", json_string_or(root, "message", "no reason given")); /* ours, or the API server's Status */
	(void) error_set(err, code, "%s: HTTP %d: %.100s", endpoint_url(attach->server), status, why);
	json_free(root);
	return code;
}

/* Of an answer that is no snapshot, and no refusal either. */
static void add_advice(int status, Error *err)
{
	size_t len = strlen(err->text);
	const char *advice = status == 404 ? "; no autoscaler is there: --attach takes what its --listen says" : status >= 500 ? "; its own log says more" : "";
	(void) snprintf(err->text + len, sizeof err->text - len, "%s", advice);
}

static int refresh(AttachFeed *attach, Error *err)
{
	char path[64];
	(void) snprintf(path, sizeof path, "/v1/snapshot?since=%lld", (long long) attach->since_ms);
	const HttpRequest request = { .method = "GET", .timeout_ms = ASK_MS, .max_body = ANSWER_MAX };
	int code = endpoint_request(attach->server, path, request, &attach->response, err);
	if (!code)
		attach->answered_ms = clock_wall_ms(attach->config.clock);
	if (code || attach->response.status == 204)
		return code;
	if (attach->response.status == 200)
		return read_views(attach, err);
	code = status_error(attach, err);
	add_advice(attach->response.status, err);
	return code;
}

static const char *word_of(int code)
{
	return code == ERR_UNAUTHORIZED || code == ERR_REFUSED ? "refused" : code == ERR_UNREACHABLE || code == ERR_TIMEOUT ? "not reached" : "no snapshot";
}

/* Whether the views say it already; how long it was waited for is told once. */
static bool is_told(const AttachFeed *attach, const Error *why)
{
	return why->code == attach->trouble.code && (why->code == ERR_TIMEOUT || !strcmp(why->text, attach->trouble.text));
}

/* The last views again, with what is wrong in place of a healthy API. */
static void show_trouble(AttachFeed *attach, const Error *why)
{
	const Views *last = snap_acquire(&attach->views);
	Views *views = last ? views_new(last->n) : NULL;
	if (views) {
		views->ahead_ms = last->ahead_ms;
		views->absent_since_ms = attach->answered_ms;
		(void) snprintf(views->absent, sizeof views->absent, "attached, but %s: %.250s", word_of(why->code), why->text);
	}
	for (int i = 0; views && i < views->n; i++) {
		LiveView *view = &views->view[i];
		*view = *last->target[i];
		view->api.is_known = true;
		view->api.is_ok = false;
		str_copy(view->api.text, sizeof view->api.text, why->text);
		add_refused(attach, view);
	}
	snap_release(last);
	if (views)
		snap_publish(&attach->views, views);
	attach->trouble = *why;
	attach->since_ms = 0; /* whatever comes next is news */
}

/* ---- commands ---- */

static char *body_of(const Command *command)
{
	static const char *const kinds[] = {
		[COMMAND_LIVE_OVERRIDE] = "override", [COMMAND_LIVE_RESUME] = "resume", [COMMAND_LIVE_PAUSE] = "pause",
	};
	const char *slash = strchr(command->target, '/');
	char ns[NAMESPACE_MAX] = "";
	(void) snprintf(ns, sizeof ns, "%.*s", slash ? (int) (slash - command->target) : 0, command->target);
	Json *root = json_new_object();
	json_add_int(root, "id", command->id);
	json_add_string(root, "kind", kinds[command->kind]);
	json_add_string(root, "who", command->who);
	json_add_string(root, "namespace", ns);
	json_add_string(root, "deployment", slash ? slash + 1 : "");
	if (command->kind == COMMAND_LIVE_OVERRIDE) {
		json_add_int(root, "replicas", command->u.override_.replicas);
		json_add_int(root, "hold_ms", command->u.override_.hold_ms);
		json_add_int(root, "seen", command->u.override_.seen);
		json_add_string(root, "reason", command->u.override_.reason);
	}
	char *text = json_print(root);
	json_free(root);
	return text;
}

static void forward(AttachFeed *attach, const Command *command)
{
	Error err = { 0 };
	char *body = body_of(command);
	int code = body ? 0 : error_set(&err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	if (!code) {
		const HttpRequest request = { .method = "POST", .content_type = "application/json", .body = body, .body_len = strlen(body),
		                              .timeout_ms = ASK_MS };
		code = endpoint_request(attach->server, "/v1/command", request, &attach->response, &err);
	}
	if (!code && attach->response.status != 202)
		code = status_error(attach, &err);
	free(body);
	if (!code)
		return; /* its answer comes with a snapshot */
	answers_add(&attach->refused, command->id, code, err.text);
	show_trouble(attach, &err);
}

static void *watch(void *arg)
{
	AttachFeed *attach = arg;
	for (;;) {
		Command command;
		int code = queue_pop(&attach->commands, &command, POLL_MS);
		if (code == ERR_CLOSED)
			return NULL;
		if (!code)
			forward(attach, &command);
		Error err = { 0 };
		if (!refresh(attach, &err))
			attach->trouble.code = 0;
		else if (!is_told(attach, &err))
			show_trouble(attach, &err);
	}
}

/* ---- the feed ---- */

static int attach_next(Feed *feed, FeedFrame *ret_frame)
{
	AttachFeed *attach = (AttachFeed *) feed;
	wake_drain(attach->config.wake);
	const Views *views = snap_acquire(&attach->views);
	*ret_frame = (FeedFrame) {
		.archive = attach->config.archive ? snap_acquire(attach->config.archive->answers) : NULL,
		.wall_ms = clock_wall_ms(attach->config.clock),
	};
	if (views) {
		ret_frame->wall_ms += views->ahead_ms;
		ret_frame->live = views->n ? views->target[0] : NULL;
		ret_frame->target = views->target;
		ret_frame->n_targets = views->n;
		ret_frame->absent = views->absent;
		ret_frame->absent_since_ms = views->absent_since_ms ? views->absent_since_ms + views->ahead_ms : 0;
	}
	return 0;
}

static void attach_release(Feed *feed, FeedFrame *frame)
{
	(void) feed;
	if (frame->target) /* the list is within the snapshot */
		snap_release((const char *) (const void *) frame->target - offsetof(Views, target));
	snap_release(frame->archive);
	*frame = (FeedFrame) { 0 };
}

static int attach_send(Feed *feed, const Command *command, int64_t *ret_id)
{
	AttachFeed *attach = (AttachFeed *) feed;
	Command numbered = *command;
	if (command->kind != COMMAND_LIVE_OVERRIDE && command->kind != COMMAND_LIVE_RESUME && command->kind != COMMAND_LIVE_PAUSE)
		return ERR_REFUSED;
	const Views *views = snap_acquire(&attach->views);
	if (views && views->n && !numbered.target[0])
		target_full_name(&views->target[0]->target, numbered.target, sizeof numbered.target);
	snap_release(views);
	numbered.id = attach->next_id;
	int code = queue_push(&attach->commands, &numbered);
	if (!code)
		*ret_id = attach->next_id++;
	return code;
}

static int attach_ask(Feed *feed, const ArchiveQuery *query, int64_t *ret_query_id)
{
	Archive *archive = ((AttachFeed *) feed)->config.archive;
	return archive ? archive->ops->ask(archive, query, ret_query_id) : ERR_NOT_FOUND;
}

static void attach_free(Feed *feed)
{
	AttachFeed *attach = (AttachFeed *) feed;
	if (attach->is_started) {
		queue_close(&attach->commands);
		(void) pthread_join(attach->thread, NULL);
	}
	queue_done(&attach->commands);
	snap_bus_done(&attach->views);
	http_response_done(&attach->response);
	endpoint_close(attach->server);
	free(attach);
}

int attach_feed_new(const AttachConfig *config, Feed **ret_feed, Error *err)
{
	static const FeedOps ops = {
		.name = "attach", .next = attach_next, .release = attach_release, .send = attach_send, .ask = attach_ask, .free = attach_free,
	};
	AttachFeed *attach = calloc(1, sizeof *attach);
	if (!attach)
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	*attach = (AttachFeed) { .feed = { .ops = &ops, .wake_fd = config->wake->fd, .is_remote = true }, .config = *config };
	attach->next_id = clock_wall_ms(config->clock) * 1000; /* apart from those of other consoles, and below 2^53 */
	snap_bus_init(&attach->views, config->wake);
	int code = queue_init(&attach->commands, sizeof(Command), COMMANDS) ? error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM)) : 0;
	if (!code)
		code = endpoint_open(&config->server, &attach->server, err);
	if (!code)
		code = refresh(attach, err);
	if (!code && pthread_create(&attach->thread, NULL, watch, attach))
		code = error_set(err, ERR_NOMEM, "a thread cannot be started");
	attach->is_started = !code;
	if (code)
		attach_free(&attach->feed);
	else
		*ret_feed = &attach->feed;
	return code;
}
