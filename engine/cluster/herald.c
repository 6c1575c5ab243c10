/* See herald.h. */
#include "cluster/herald.h"

#include "base/http.h"
#include "base/mem.h"
#include "base/queue.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGES = 256, TEXT = 512, KEPT = 512, STOP_MS = 2000 };
static const int64_t SAME_MS = 600000;  /* an Event of that word within it is counted up */
static const double BURST = 25, PER_S = 1.0 / 300;

typedef struct Message {
	Target target;
	char uid[64];
	EventWord word;  /* EVENT_COUNT: a status */
	int64_t wall_ms;
	char text[TEXT * 4];
} Message;

typedef struct Known { /* an Event that is there, or (name "") a target's budget */
	char target[NAMESPACE_MAX + NAME_MAX_K8S];
	EventWord word;
	char name[80];
	int64_t first_ms, last_ms; /* wall */
	int32_t count;
} Known;

typedef struct Allowance {
	char target[NAMESPACE_MAX + NAME_MAX_K8S];
	double tokens;
	int64_t at_ms;
} Allowance;

struct Herald {
	HeraldConfig config;
	char identity[128];
	KubeClient *client;
	Queue queue;
	pthread_t thread;
	Known known[KEPT];        /* ring */
	size_t n_known, at_known;
	Allowance allowance[KEPT];
	size_t n_allowances;
	uint32_t serial;
	atomic_llong stop_ms;     /* monotonic; 0: not stopping */
};

/* ---- what is sent ---- */

static void add_micro_time(Json *to, const char *key, int64_t wall_ms)
{
	char text[CLOCK_TEXT];
	clock_format(wall_ms, text);
	char *z = strchr(text, 'Z');
	if (z)
		(void) snprintf(z, sizeof text - (size_t) (z - text), "000Z"); /* MicroTime has six digits */
	json_add_string(to, key, text);
}

static void add_time(Json *to, const char *key, int64_t wall_ms)
{
	char text[CLOCK_TEXT];
	clock_format(wall_ms, text);
	(void) snprintf(text + 19, sizeof text - 19, "Z");
	json_add_string(to, key, text);
}

static char *event_body(const Herald *herald, const Message *message, const char *name)
{
	Json *root = json_new_object();
	json_add_string(root, "apiVersion", "v1");
	json_add_string(root, "kind", "Event");
	Json *metadata = json_add_object(root, "metadata");
	json_add_string(metadata, "name", name);
	json_add_string(metadata, "namespace", message->target.namespace_);
	Json *involved = json_add_object(root, "involvedObject");
	json_add_string(involved, "apiVersion", "apps/v1");
	json_add_string(involved, "kind", "Deployment");
	json_add_string(involved, "namespace", message->target.namespace_);
	json_add_string(involved, "name", message->target.name);
	if (message->uid[0])
		json_add_string(involved, "uid", message->uid);
	json_add_string(root, "type", event_is_warning(message->word) ? "Warning" : "Normal");
	json_add_string(root, "reason", event_text(message->word));
	json_add_string(root, "message", message->text);
	json_add_string(root, "action", "Scaling");
	json_add_string(json_add_object(root, "source"), "component", "maestro");
	json_add_string(root, "reportingComponent", "maestro.io/autoscaler");
	json_add_string(root, "reportingInstance", herald->identity);
	add_time(root, "firstTimestamp", message->wall_ms);
	add_time(root, "lastTimestamp", message->wall_ms);
	add_micro_time(root, "eventTime", message->wall_ms);
	json_add_int(root, "count", 1);
	char *text = json_print(root);
	json_free(root);
	return text;
}

static int events_path(const Message *message, const char *name, StrBuf *path)
{
	strbuf_addf(path, "/api/v1/namespaces/");
	http_escape(path, message->target.namespace_);
	strbuf_addf(path, "/events%s%s", name ? "/" : "", name ? name : "");
	return path->failed ? ERR_NOMEM : 0;
}

static int create(Herald *herald, const Message *message, Known *known, Error *err)
{
	StrBuf path = { 0 };
	(void) snprintf(known->name, sizeof known->name, "%.40s.%llx%x", message->target.name,
	                (unsigned long long) message->wall_ms, ++herald->serial);
	char *body = event_body(herald, message, known->name);
	int code = !body || events_path(message, NULL, &path) ? error_set(err, ERR_NOMEM, "out of memory")
	         : kube_request(herald->client, "event", "POST", path.data, body, NULL, err);
	known->first_ms = known->last_ms = message->wall_ms;
	known->count = 1;
	free(body);
	strbuf_done(&path);
	return code;
}

static int count_up(Herald *herald, const Message *message, Known *known, Error *err)
{
	StrBuf path = { 0 };
	Json *root = json_new_object();
	json_add_int(root, "count", known->count + 1);
	json_add_string(root, "message", message->text);
	add_time(root, "lastTimestamp", message->wall_ms);
	char *body = json_print(root);
	json_free(root);
	int code = !body || events_path(message, known->name, &path) ? error_set(err, ERR_NOMEM, "out of memory")
	         : kube_request(herald->client, "event", "PATCH", path.data, body, NULL, err);
	if (!code) {
		known->count++;
		known->last_ms = message->wall_ms;
	}
	free(body);
	strbuf_done(&path);
	return code;
}

static int apply_status(Herald *herald, const Message *message, Error *err)
{
	StrBuf path = { 0 };
	Json *root = json_new_object();
	json_add_string(root, "apiVersion", "apps/v1");
	json_add_string(root, "kind", "Deployment");
	Json *metadata = json_add_object(root, "metadata");
	json_add_string(metadata, "name", message->target.name);
	json_add_string(json_add_object(metadata, "annotations"), "maestro.io/status", message->text);
	char *body = json_print(root);
	json_free(root);
	strbuf_addf(&path, "/apis/apps/v1/namespaces/");
	http_escape(&path, message->target.namespace_);
	strbuf_addf(&path, "/deployments/");
	http_escape(&path, message->target.name);
	int code = !body || path.failed ? error_set(err, ERR_NOMEM, "out of memory")
	         : kube_apply(herald->client, "status", path.data, body, err);
	free(body);
	strbuf_done(&path);
	return code;
}

/* ---- what is kept back ---- */

static Known *known_of(Herald *herald, const char *target, EventWord word, int64_t wall_ms)
{
	for (size_t i = 0; i < herald->n_known; i++) {
		Known *known = &herald->known[i];
		if (known->word == word && !strcmp(known->target, target) && wall_ms - known->last_ms <= SAME_MS)
			return known;
	}
	return NULL;
}

static bool may_send(Herald *herald, const char *target, int64_t now_ms)
{
	Allowance *mine = NULL;
	for (size_t i = 0; i < herald->n_allowances && !mine; i++)
		if (!strcmp(herald->allowance[i].target, target))
			mine = &herald->allowance[i];
	if (!mine) {
		mine = &herald->allowance[herald->n_allowances < KEPT ? herald->n_allowances++ : herald->serial++ % KEPT];
		*mine = (Allowance) { .tokens = BURST, .at_ms = now_ms };
		str_copy(mine->target, sizeof mine->target, target);
	}
	double tokens = mine->tokens + (double) (now_ms - mine->at_ms) / 1000 * PER_S;
	mine->tokens = tokens < BURST ? tokens : BURST;
	mine->at_ms = now_ms;
	if (mine->tokens < 1)
		return false;
	mine->tokens -= 1;
	return true;
}

static void tally(Herald *herald, EventWord word, const char *outcome)
{
	telemetry_count(herald->config.telemetry, TELEMETRY_EVENTS, event_text(word), outcome, NULL);
}

static void send_event(Herald *herald, const Message *message)
{
	char target[NAMESPACE_MAX + NAME_MAX_K8S];
	Error err = { 0 };
	target_full_name(&message->target, target, sizeof target);
	if (!may_send(herald, target, clock_mono_ms(herald->config.clock))) {
		tally(herald, message->word, "dropped");
		return;
	}
	Known *known = known_of(herald, target, message->word, message->wall_ms);
	int code = known ? count_up(herald, message, known, &err) : ERR_NOT_FOUND;
	if (code == ERR_NOT_FOUND) { /* there is none, or the API has forgotten it */
		known = known ? known : &herald->known[herald->at_known++ % KEPT];
		herald->n_known = herald->at_known < KEPT ? herald->at_known : KEPT;
		*known = (Known) { .word = message->word };
		str_copy(known->target, sizeof known->target, target);
		code = create(herald, message, known, &err);
		if (code)
			known->last_ms = -SAME_MS; /* it is not there */
	}
	tally(herald, message->word, code ? "failed" : "sent");
}

/* ---- the thread ---- */

static void *herald_main(void *arg)
{
	Herald *herald = arg;
	Message *message = malloc(sizeof *message);
	int code;
	while (message && (code = queue_pop(&herald->queue, message, -1)) != ERR_CLOSED) {
		int64_t stop_ms = atomic_load(&herald->stop_ms);
		if (code || (stop_ms && clock_mono_ms(herald->config.clock) > stop_ms))
			continue;
		Error err = { 0 };
		if (message->word == EVENT_COUNT)
			(void) apply_status(herald, message, &err);
		else
			send_event(herald, message);
	}
	free(message);
	return NULL;
}

int herald_start(const HeraldConfig *config, Herald **ret_herald, Error *err)
{
	Herald *herald = calloc(1, sizeof *herald);
	if (!herald)
		return error_set(err, ERR_NOMEM, "out of memory");
	herald->config = *config;
	str_copy(herald->identity, sizeof herald->identity, config->identity);
	int code = kube_client_new(config->kube, config->clock, &herald->client, err);
	if (!code && queue_init(&herald->queue, sizeof(Message), MESSAGES))
		code = error_set(err, ERR_NOMEM, "out of memory");
	if (!code)
		kube_client_count(herald->client, config->telemetry);
	if (!code && config->budget)
		kube_client_budget(herald->client, config->budget);
	if (!code && pthread_create(&herald->thread, NULL, herald_main, herald))
		code = error_set(err, ERR_NOMEM, "the thread of Events does not start");
	if (code) {
		queue_done(&herald->queue);
		kube_client_free(herald->client);
		free(herald);
		return code;
	}
	*ret_herald = herald;
	return 0;
}

void herald_stop(Herald *herald)
{
	if (!herald)
		return;
	atomic_store(&herald->stop_ms, clock_mono_ms(herald->config.clock) + STOP_MS);
	queue_close(&herald->queue);
	(void) pthread_join(herald->thread, NULL);
	queue_done(&herald->queue);
	kube_client_free(herald->client);
	free(herald);
}

static void post(Herald *herald, const Target *target, const char *uid, EventWord word, const char *text)
{
	Message *message = calloc(1, sizeof *message);
	if (!message)
		return;
	message->target = *target;
	message->word = word;
	message->wall_ms = clock_wall_ms(herald->config.clock);
	str_copy(message->uid, sizeof message->uid, uid);
	str_copy(message->text, sizeof message->text, text);
	if (queue_push(&herald->queue, message) && word < EVENT_COUNT)
		tally(herald, word, "dropped");
	free(message);
}

void herald_event(Herald *herald, const Target *target, const char *uid, EventWord word, const char *text)
{
	post(herald, target, uid, word, text);
}

void herald_status(Herald *herald, const Target *target, const char *status_json)
{
	post(herald, target, "", EVENT_COUNT, status_json);
}
