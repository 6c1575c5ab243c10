/* See watch.h. One stream a kind and namespace; a stream lists, watches, or waits to try again. */
#include "cluster/watch.h"

#include "base/http.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { LINE_MAX = 16 << 20, PAGE = 500, PAGES_MAX = 200, CONNECT_MS = 5000, WAIT_MS = 1000, ENDS = 16, SHORT_MS = 1000 };
static const int64_t BACKOFF_MS = 800;
static const double BACKOFF_MAX_MS = 30000;

typedef struct Stream {
	Watch *watch;
	CacheKind kind;
	char namespace_[NAMESPACE_MAX];
	char version[128];     /* to watch from; "": list first */
	StrBuf line;           /* of an event, as far as it has come */
	bool is_watching;
	bool needs_list;       /* seen in an event */
	bool was_refused;      /* 401 */
	int64_t opened_ms;     /* monotonic */
	double backoff_ms;     /* of the last failure; 0: none since */
	uint64_t tls_version;  /* of what the stream verifies with and shows */
	int64_t next_ms;       /* monotonic, when to go on; 0: at once */
	char failure[160];     /* what the stream answered that is no event */
} Stream;

struct Watch {
	WatchConfig config;
	KubeClient *client;
	HttpStreams *http;
	Stream *stream;        /* [n] */
	size_t n;
	pthread_t thread;
	atomic_bool is_stopping;
};

static double draw(void)
{
	uint32_t n;
	if (getrandom(&n, sizeof n, 0) != sizeof n)
		n = 0;
	return (double) n / ((double) UINT32_MAX + 1);
}

static const char *resource(const Stream *stream)
{
	return stream->kind == CACHE_PODS ? "pods" : "deployments";
}

static void path_of(const Stream *stream, StrBuf *path)
{
	strbuf_addf(path, "%s/namespaces/", stream->kind == CACHE_PODS ? "/api/v1" : "/apis/apps/v1");
	http_escape(path, stream->namespace_);
	strbuf_addf(path, "/%s", resource(stream));
}

/* What failed is tried again later, and whoever reads is told. */
static void fail(Stream *stream, int code, const char *why)
{
	Clock *clock = stream->watch->config.clock;
	double most = stream->backoff_ms > 0 ? stream->backoff_ms * 2 : (double) stream->watch->config.backoff_ms;
	stream->backoff_ms = most < BACKOFF_MAX_MS ? most : BACKOFF_MAX_MS;
	stream->next_ms = clock_mono_ms(clock) + 1 + (int64_t) (draw() * stream->backoff_ms);
	stream->is_watching = false;
	kube_cache_state(stream->watch->config.cache, stream->kind, stream->namespace_, code, why);
}

/* ---- list ---- */

static int list_page(Stream *stream, const char *next, Json **ret_page, Error *err)
{
	StrBuf path = { 0 };
	char what[96];
	(void) snprintf(what, sizeof what, "list of %s in %.60s", resource(stream), stream->namespace_);
	path_of(stream, &path);
	strbuf_addf(&path, "?limit=%d", PAGE);
	if (*next) {
		strbuf_addf(&path, "&continue=");
		http_escape(&path, next);
	}
	int code = path.failed ? error_set(err, ERR_NOMEM, "%s: out of memory", what)
	                       : kube_request(stream->watch->client, what, "GET", path.data, NULL, ret_page, err);
	strbuf_done(&path);
	return code;
}

static int list(Stream *stream, Error *err)
{
	KubeCache *cache = stream->watch->config.cache;
	char next[4096] = "", version[sizeof stream->version] = "";
	int code = 0, pages = 0;
	kube_cache_list_begin(cache, stream->kind, stream->namespace_);
	do {
		Json *page = NULL;
		code = list_page(stream, next, &page, err);
		for (const Json *item = code ? NULL : json_first(json_get(page, "items")); item && !code; item = json_next(item))
			code = kube_cache_put(cache, stream->kind, stream->namespace_, item);
		str_copy(version, sizeof version, json_string_or(page, "metadata.resourceVersion", ""));
		str_copy(next, sizeof next, json_string_or(page, "metadata.continue", ""));
		json_free(page);
	} while (!code && *next && ++pages < PAGES_MAX);
	if (!code && *next) /* what is on the pages that are left would be taken for deleted */
		code = error_set(err, ERR_PARSE, "list of %s in %.60s: more than %d pages", resource(stream), stream->namespace_, PAGES_MAX);
	if (code)
		return code;
	kube_cache_list_end(cache, stream->kind, stream->namespace_);
	str_copy(stream->version, sizeof stream->version, version);
	stream->needs_list = false;
	return 0;
}

/* ---- events ---- */

static void take_error(Stream *stream, const Json *object)
{
	(void) snprintf(stream->failure, sizeof stream->failure, "%.150s", json_string_or(object, "message", "an error"));
	if (json_int_or(object, "code", 0) == 410)
		stream->needs_list = true;
}

static void take_event(Stream *stream, const char *text, size_t len)
{
	KubeCache *cache = stream->watch->config.cache;
	Json *root = NULL;
	if (json_parse(text, len, &root, NULL)) {
		stream->needs_list = true; /* what was missed is not known */
		return;
	}
	const char *type = json_string_or(root, "type", "");
	const Json *object = json_get(root, "object");
	if (!strcmp(type, "ERROR")) {
		take_error(stream, object);
	} else if (!strcmp(type, "ADDED") || !strcmp(type, "MODIFIED")) {
		if (kube_cache_put(cache, stream->kind, stream->namespace_, object))
			stream->needs_list = true;
	} else if (!strcmp(type, "DELETED")) {
		kube_cache_drop(cache, stream->kind, stream->namespace_, json_string_or(object, "metadata.name", ""));
	}
	const char *version = json_string_or(object, "metadata.resourceVersion", "");
	if (*version && strcmp(type, "ERROR"))
		str_copy(stream->version, sizeof stream->version, version);
	json_free(root);
}

static void take_part(void *arg, size_t slot, int status, const char *data, size_t len)
{
	Stream *stream = &((Watch *) arg)->stream[slot];
	if (status != 200) {
		(void) snprintf(stream->failure, sizeof stream->failure, "%d: %.*s", status, (int) (len < 120 ? len : 120), data);
		return;
	}
	stream->backoff_ms = 0;
	while (len > 0) {
		const char *end = memchr(data, '\n', len);
		size_t n = end ? (size_t) (end - data) : len;
		if (stream->line.len + n > LINE_MAX)
			stream->needs_list = true;
		else
			strbuf_add(&stream->line, data, n);
		if (end) {
			if (stream->line.len > 0 && !stream->line.failed && !stream->needs_list)
				take_event(stream, stream->line.data, stream->line.len);
			stream->needs_list |= stream->line.failed;
			strbuf_done(&stream->line);
			n++;
		}
		data += n;
		len -= n;
	}
}

/* ---- going on ---- */

/* The client's, which reads it anew now and then: a stream that cannot be opened may have the authorities of before. */
static int take_tls(Stream *stream, Error *err)
{
	Watch *watch = stream->watch;
	HttpTls tls;
	uint64_t version = kube_client_tls(watch->client, stream->backoff_ms > 0, &tls);
	int code = version == stream->tls_version ? 0 : http_stream_tls(watch->http, (size_t) (stream - watch->stream), &tls, err);
	stream->tls_version = code ? stream->tls_version : version;
	return code;
}

static int begin_watch(Stream *stream, Error *err)
{
	Watch *watch = stream->watch;
	StrBuf url = { 0 };
	const char *token = "";
	int code = kube_client_token(watch->client, stream->was_refused, &token, err);
	stream->was_refused = false;
	if (!code)
		code = take_tls(stream, err);
	strbuf_done(&stream->line);
	stream->failure[0] = '\0';
	strbuf_addf(&url, "%s", kube_client_server(watch->client));
	path_of(stream, &url);
	strbuf_addf(&url, "?watch=1&allowWatchBookmarks=true&timeoutSeconds=%d&resourceVersion=", 300 + (int) (draw() * 300));
	http_escape(&url, stream->version);
	if (!code && url.failed)
		code = error_set(err, ERR_NOMEM, "out of memory");
	if (!code)
		code = http_stream_open(watch->http, (size_t) (stream - watch->stream), url.data, *token ? token : NULL, CONNECT_MS, err);
	strbuf_done(&url);
	return code;
}

static void go_on(Stream *stream)
{
	Error err = { 0 };
	int code = 0;
	stream->next_ms = 0;
	if (!stream->version[0] || stream->needs_list)
		code = list(stream, &err);
	if (!code)
		code = begin_watch(stream, &err);
	if (code) {
		fail(stream, code, err.text);
		return;
	}
	stream->is_watching = true;
	stream->opened_ms = clock_mono_ms(stream->watch->config.clock);
	kube_cache_state(stream->watch->config.cache, stream->kind, stream->namespace_, 0, "");
}

/* A stream that ended as streams end goes on at once; one that was refused or cut off waits. */
static void end_stream(Watch *watch, const HttpStreamEnd *end)
{
	Stream *stream = &watch->stream[end->slot];
	char why[200];
	stream->is_watching = false;
	stream->was_refused = end->status == 401;
	stream->needs_list |= end->status == 410;
	bool is_plain = end->status == 200 && !stream->failure[0];
	if (is_plain || stream->needs_list) {
		int64_t now_ms = clock_mono_ms(watch->config.clock);
		stream->next_ms = now_ms + (now_ms - stream->opened_ms < SHORT_MS ? watch->config.backoff_ms : 0);
		return; /* whether it can be had again shows at once, and then readers are told */
	}
	(void) snprintf(why, sizeof why, "watch: %s", end->text[0] ? end->text : stream->failure[0] ? stream->failure : "it ended");
	fail(stream, end->code ? end->code : end->status == 403 ? ERR_FORBIDDEN : end->status == 401 ? ERR_UNAUTHORIZED : ERR_HTTP, why);
}

static void *watch_main(void *arg)
{
	Watch *watch = arg;
	while (!atomic_load(&watch->is_stopping)) {
		int64_t now_ms = clock_mono_ms(watch->config.clock), wait_ms = WAIT_MS;
		HttpStreamEnd end[ENDS];
		size_t n;
		for (size_t i = 0; i < watch->n && !atomic_load(&watch->is_stopping); i++) {
			Stream *stream = &watch->stream[i];
			if (stream->is_watching && stream->needs_list) { /* it has lost its place */
				http_stream_close(watch->http, i);
				stream->is_watching = false;
			}
			if (!stream->is_watching && stream->next_ms <= now_ms)
				go_on(stream);
			if (!stream->is_watching && stream->next_ms - now_ms < wait_ms)
				wait_ms = stream->next_ms > now_ms ? stream->next_ms - now_ms : 0;
		}
		if (http_streams_poll(watch->http, (int) wait_ms, end, ENDS, &n))
			n = 0;
		for (size_t i = 0; i < n; i++)
			end_stream(watch, &end[i]);
	}
	return NULL;
}

/* ---- life ---- */

static void watch_free(Watch *watch)
{
	http_streams_free(watch->http);
	kube_client_free(watch->client);
	for (size_t i = 0; i < watch->n && watch->stream; i++)
		strbuf_done(&watch->stream[i].line);
	free(watch->stream);
	free(watch);
}

int watch_start(const WatchConfig *config, Watch **ret_watch, Error *err)
{
	Watch *watch = calloc(1, sizeof *watch);
	if (!watch)
		return error_set(err, ERR_NOMEM, "out of memory");
	watch->config = *config;
	if (watch->config.backoff_ms <= 0)
		watch->config.backoff_ms = BACKOFF_MS;
	watch->n = config->n * CACHE_KINDS;
	watch->stream = calloc(watch->n, sizeof *watch->stream);
	int code = watch->stream ? kube_client_new(config->kube, config->clock, &watch->client, err)
	                         : error_set(err, ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < watch->n && !code; i++) {
		watch->stream[i] = (Stream) { .watch = watch, .kind = (CacheKind) (i % CACHE_KINDS) };
		str_copy(watch->stream[i].namespace_, sizeof watch->stream[i].namespace_, config->namespace_[i / CACHE_KINDS]);
	}
	if (!code)
		code = http_streams_new(NULL, watch->n, take_part, watch, &watch->http, err);
	if (!code && config->budget)
		kube_client_budget(watch->client, config->budget);
	if (!code)
		kube_client_count(watch->client, config->telemetry);
	if (!code && pthread_create(&watch->thread, NULL, watch_main, watch))
		code = error_set(err, ERR_NOMEM, "the watch's thread does not start");
	if (code)
		watch_free(watch);
	else
		*ret_watch = watch;
	return code;
}

void watch_stop(Watch *watch)
{
	if (!watch)
		return;
	atomic_store(&watch->is_stopping, true);
	http_streams_wake(watch->http);
	(void) pthread_join(watch->thread, NULL);
	watch_free(watch);
}
