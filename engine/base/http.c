/*
 * See http.h. A client is one easy handle, which keeps its connection open between requests; a pool is a multi
 * handle with a stack of idle easy handles.
 *
 * Redirects are never followed, so a token goes nowhere but to the host that it was meant for. Only http and https
 * URLs are taken. A proxy of the environment is used except for this machine itself. Error texts name method,
 * host and path, never the query, the user part or a header.
 */
#include "base/http_inside.h"

#include "base/version.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { TIMEOUT_MS = 5000, MAX_BODY = 16 << 20 };
static const char USER_AGENT[] = "maestro/" MAESTRO_VERSION " (linux/amd64) controller";

struct HttpClient {
	CURL *easy;
	char cause[CURL_ERROR_SIZE]; /* libcurl writes it */
	StrBuf *body;                /* of the exchange under way */
	size_t max_body;
	bool is_too_large;
};

/* ---- URLs ---- */

static bool is_loopback(const char *host)
{
	return !strcmp(host, "localhost") || !strcmp(host, "[::1]") || !strncmp(host, "127.", 4);
}

/* Parses url, refuses all but http and https, and tells whether its host is this machine. */
int http_url_parse(const char *url, CURLU **ret_url, bool *ret_loopback, Error *err)
{
	CURLU *parsed = curl_url();
	char *scheme = NULL, *host = NULL;
	int code = 0;
	if (!parsed) {
		code = error_set(err, ERR_NOMEM, "out of memory");
		goto out;
	}
	CURLUcode answer = curl_url_set(parsed, CURLUPART_URL, url, 0);
	if (!answer)
		answer = curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0);
	if (!answer)
		answer = curl_url_get(parsed, CURLUPART_HOST, &host, 0);
	/* a part before an @ may be a password */
	const char *shown = strchr(url, '@') ? "the URL" : url;
	if (answer || (strcmp(scheme, "http") && strcmp(scheme, "https"))) {
		code = error_set(err, ERR_INVALID, "%s: not an http:// or https:// URL", shown);
		goto out;
	}
	*ret_loopback = is_loopback(host);
	*ret_url = parsed;
	parsed = NULL;
out:
	curl_free(scheme);
	curl_free(host);
	curl_url_cleanup(parsed);
	return code;
}

/* "GET https://host:port/path" for an error text. */
static void describe(const char *method, CURLU *url, char *text, size_t size)
{
	char *scheme = NULL, *host = NULL, *port = NULL, *path = NULL;
	(void) curl_url_get(url, CURLUPART_SCHEME, &scheme, 0);
	(void) curl_url_get(url, CURLUPART_HOST, &host, 0);
	(void) curl_url_get(url, CURLUPART_PORT, &port, 0);
	(void) curl_url_get(url, CURLUPART_PATH, &path, 0);
	(void) snprintf(text, size, "%s %s://%s%s%s%s", method, scheme ? scheme : "", host ? host : "",
	                port ? ":" : "", port ? port : "", path ? path : "");
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	curl_free(path);
}

/* Queries for a thousand targets are hundreds of kilobytes: a piece at a time. */
void http_escape(StrBuf *url, const char *text)
{
	static const char hex[] = "0123456789ABCDEF";
	char piece[256];
	size_t n = 0;
	for (const unsigned char *at = (const unsigned char *) text; *at; at++) {
		bool is_plain = (*at < 128 && isalnum(*at)) || *at == '-' || *at == '.' || *at == '_' || *at == '~';
		if (n + 3 > sizeof piece) {
			strbuf_add(url, piece, n);
			n = 0;
		}
		piece[n++] = is_plain ? (char) *at : '%';
		if (!is_plain) {
			piece[n++] = hex[*at >> 4];
			piece[n++] = hex[*at & 15];
		}
	}
	strbuf_add(url, piece, n);
}

/* ---- one exchange ---- */

static size_t take_body(char *data, size_t size, size_t n, void *user)
{
	HttpClient *client = user;
	size_t len = size * n;
	if (len > client->max_body - client->body->len) {
		client->is_too_large = true;
		return 0;
	}
	strbuf_add(client->body, data, len);
	return client->body->failed ? 0 : len;
}

static size_t drop_body(char *data, size_t size, size_t n, void *user)
{
	(void) data;
	(void) user;
	return size * n;
}

static CURLcode set_pem(CURL *easy, CURLoption option, const char *pem)
{
	struct curl_blob blob = { (void *) (uintptr_t) pem, strlen(pem), CURL_BLOB_COPY };
	return curl_easy_setopt(easy, option, &blob);
}

CURLcode http_set_tls(CURL *easy, const HttpTls *tls)
{
	CURLcode answer = CURLE_OK;
	if (tls->ca_pem) {
		/* that bundle instead of the system's, not besides it */
		answer = curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
		if (!answer)
			answer = curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
		if (!answer)
			answer = set_pem(easy, CURLOPT_CAINFO_BLOB, tls->ca_pem);
	}
	if (!answer && tls->cert_pem)
		answer = set_pem(easy, CURLOPT_SSLCERT_BLOB, tls->cert_pem);
	if (!answer && tls->key_pem)
		answer = set_pem(easy, CURLOPT_SSLKEY_BLOB, tls->key_pem);
	if (!answer && tls->insecure) {
		answer = curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
		if (!answer)
			answer = curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	return answer;
}

CURL *http_easy_new(void)
{
	CURL *easy = curl_easy_init();
	if (!easy)
		return NULL;
	(void) curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	(void) curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	(void) curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
	(void) curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	if (curl_easy_setopt(easy, CURLOPT_USERAGENT, USER_AGENT)) {
		curl_easy_cleanup(easy);
		return NULL;
	}
	return easy;
}

int http_client_new(const HttpTls *tls, HttpClient **ret_client, Error *err)
{
	HttpClient *client = calloc(1, sizeof *client);
	if (!client)
		return error_set(err, ERR_NOMEM, "out of memory");
	client->easy = http_easy_new();
	if (!client->easy) {
		http_client_free(client);
		return error_set(err, ERR_NOMEM, "out of memory");
	}
	CURLcode answer = tls ? http_set_tls(client->easy, tls) : CURLE_OK;
	if (answer) {
		http_client_free(client);
		return error_set(err, ERR_FAILED, "TLS set-up: %s", curl_easy_strerror(answer));
	}
	(void) curl_easy_setopt(client->easy, CURLOPT_ERRORBUFFER, client->cause);
	(void) curl_easy_setopt(client->easy, CURLOPT_WRITEFUNCTION, take_body);
	(void) curl_easy_setopt(client->easy, CURLOPT_WRITEDATA, client);
	*ret_client = client;
	return 0;
}

void http_client_free(HttpClient *client)
{
	if (!client)
		return;
	curl_easy_cleanup(client->easy);
	free(client);
}

bool http_add_header(struct curl_slist **list, const char *name, const char *value)
{
	StrBuf line = { 0 };
	strbuf_addf(&line, "%s%s", name, value);
	struct curl_slist *longer = line.failed ? NULL : curl_slist_append(*list, line.data);
	strbuf_done(&line);
	if (longer)
		*list = longer;
	return longer != NULL;
}

/* A line break in a value would begin a header of its own. */
bool http_is_header_safe(const char *value)
{
	for (; *value; value++)
		if ((unsigned char) *value < ' ' || *value == 127)
			return false;
	return true;
}

static int make_headers(const HttpRequest *request, struct curl_slist **ret_list, Error *err)
{
	if (request->bearer && !http_is_header_safe(request->bearer))
		return error_set(err, ERR_INVALID, "the token holds a line break or a control character");
	for (const char *const *line = request->header; line && *line; line++) {
		if (!http_is_header_safe(*line))
			return error_set(err, ERR_INVALID, "a header holds a line break or a control character");
		if (!http_add_header(ret_list, *line, ""))
			return error_set(err, ERR_NOMEM, "out of memory");
	}
	if (!http_add_header(ret_list, "Expect:", "") || /* no extra round trip before a body */
	    (request->bearer && !http_add_header(ret_list, "Authorization: Bearer ", request->bearer)) ||
	    (request->content_type && !http_add_header(ret_list, "Content-Type: ", request->content_type)))
		return error_set(err, ERR_NOMEM, "out of memory");
	return 0;
}

int http_error_of(CURLcode answer)
{
	switch (answer) {
	case CURLE_OPERATION_TIMEDOUT:
		return ERR_TIMEOUT;
	case CURLE_OUT_OF_MEMORY:
		return ERR_NOMEM;
	case CURLE_FILESIZE_EXCEEDED:
		return ERR_INVALID;
	case CURLE_PARTIAL_FILE:
		return ERR_PARSE;
	default:
		return ERR_UNREACHABLE;
	}
}

static int exchange_failed(HttpClient *client, const HttpRequest *request, CURLU *url, CURLcode answer, Error *err)
{
	char what[160];
	describe(request->method, url, what, sizeof what);
	if (client->is_too_large || answer == CURLE_FILESIZE_EXCEEDED)
		return error_set(err, ERR_INVALID, "%s: answer larger than %zu bytes", what, client->max_body);
	if (client->body->failed)
		return error_set(err, ERR_NOMEM, "%s: out of memory", what);
	const char *cause = client->cause[0] ? client->cause : curl_easy_strerror(answer);
	return error_set(err, http_error_of(answer), "%s: %c%s", what, tolower((unsigned char) cause[0]), cause + 1);
}

static void set_request(HttpClient *client, const HttpRequest *request, CURLU *url, bool loopback,
                        struct curl_slist *headers)
{
	CURL *easy = client->easy;
	(void) curl_easy_setopt(easy, CURLOPT_CURLU, url);
	(void) curl_easy_setopt(easy, CURLOPT_PROXY, loopback ? "" : NULL); /* NULL: the environment's */
	(void) curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	(void) curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long) (request->timeout_ms ? request->timeout_ms : TIMEOUT_MS));
	(void) curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t) client->max_body);
	(void) curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L); /* forgets a body of the request before */
	if (request->body) {
		(void) curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body);
		(void) curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) request->body_len);
	}
	(void) curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
}

size_t http_strike_out(char *text, size_t len, const char *secret)
{
	size_t size = secret ? strlen(secret) : 0, tail = size > 0 && size - 1 < len ? size - 1 : len;
	char *at = text, *end = text + len;
	if (size < HTTP_SECRET_MIN || !len)
		return 0;
	while ((at = memmem(at, (size_t) (end - at), secret, size))) {
		memset(at, '*', size);
		at += size;
	}
	while (memcmp(end - tail, secret, tail)) /* of nothing it is 0 */
		tail--;
	return tail;
}

static void strike_out(StrBuf *body, const char *secret)
{
	size_t tail = body->data && !body->failed ? http_strike_out(body->data, body->len, secret) : 0;
	if (tail >= HTTP_SECRET_MIN) /* an answer that was cut within it */
		memset(body->data + body->len - tail, '*', tail);
}

/* Whether a header of that name says who somebody is. A tenant's or a trace's may well be part of an honest answer. */
static bool is_credential(const char *line)
{
	static const char *const part[] = { "authorization:", "cookie:", "key", "token", "secret", "password", "credential" };
	size_t len = strcspn(line, ":") + 1;
	for (size_t i = 0; i < sizeof part / sizeof *part; i++)
		for (size_t at = 0; at + strlen(part[i]) <= len; at++)
			if (!strncasecmp(line + at, part[i], strlen(part[i])))
				return true;
	return false;
}

/* A server or proxy that says back what it was sent would bring a secret into an excerpt of its answer, and so into logs and the store. */
static void strike_out_secrets(const HttpRequest *request, StrBuf *body)
{
	strike_out(body, request->bearer);
	for (const char *const *line = request->header; line && *line; line++) {
		if (!is_credential(*line))
			continue;
		const char *value = *line + strcspn(*line, ":");
		value += strspn(value, ": ");
		const char *behind = strchr(value, ' '); /* the word for the kind: Basic, Bearer */
		strike_out(body, behind && !strncasecmp(*line, "authorization:", 14) ? behind + 1 : value);
	}
}

int http_request(HttpClient *client, const HttpRequest *request, HttpResponse *response, Error *err)
{
	CURLU *url = NULL;
	struct curl_slist *headers = NULL;
	bool loopback = false;
	int code = http_url_parse(request->url, &url, &loopback, err);
	if (!code)
		code = make_headers(request, &headers, err);
	if (code)
		goto out;
	strbuf_clear(&response->body);
	client->body = &response->body;
	client->max_body = request->max_body ? request->max_body : MAX_BODY;
	client->is_too_large = false;
	client->cause[0] = '\0';
	set_request(client, request, url, loopback, headers);

	CURLcode answer = curl_easy_perform(client->easy);
	strike_out_secrets(request, &response->body);
	if (answer) {
		code = exchange_failed(client, request, url, answer, err);
	} else {
		long status = 0;
		curl_off_t retry_s = 0, elapsed_us = 0;
		(void) curl_easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, &status);
		(void) curl_easy_getinfo(client->easy, CURLINFO_RETRY_AFTER, &retry_s);
		(void) curl_easy_getinfo(client->easy, CURLINFO_TOTAL_TIME_T, &elapsed_us);
		strbuf_add(&response->body, "", 0); /* an empty body still gives a string */
		response->status = (int) status;
		response->retry_after_s = retry_s > 0 ? retry_s : -1;
		response->elapsed_ms = (double) elapsed_us / 1e3;
	}
	(void) curl_easy_setopt(client->easy, CURLOPT_HTTPHEADER, NULL);
	(void) curl_easy_setopt(client->easy, CURLOPT_CURLU, NULL);
out:
	curl_slist_free_all(headers);
	curl_url_cleanup(url);
	return code;
}

void http_response_done(HttpResponse *response)
{
	strbuf_done(&response->body);
}

/* ---- many exchanges ---- */

typedef struct PoolSlot {
	CURL *easy; /* made when first needed */
	int64_t tag;
} PoolSlot;

struct HttpPool {
	CURLM *multi;
	PoolSlot *slot;   /* [size] */
	PoolSlot **idle;  /* [size] stack */
	size_t n_idle, size;
	int64_t timeout_ms;
	bool keep_alive;
};

int http_pool_new(size_t size, bool keep_alive, int64_t timeout_ms, HttpPool **ret_pool, Error *err)
{
	HttpPool *pool = calloc(1, sizeof *pool);
	if (!pool)
		return error_set(err, ERR_NOMEM, "out of memory");
	*pool = (HttpPool) { .size = size, .keep_alive = keep_alive, .timeout_ms = timeout_ms };
	pool->multi = curl_multi_init();
	pool->slot = calloc(size, sizeof *pool->slot);
	pool->idle = calloc(size, sizeof *pool->idle);
	if (!pool->multi || !pool->slot || !pool->idle) {
		http_pool_free(pool);
		return error_set(err, ERR_NOMEM, "out of memory");
	}
	while (pool->n_idle < size) {
		pool->idle[pool->n_idle] = &pool->slot[size - 1 - pool->n_idle];
		pool->n_idle++;
	}
	(void) curl_multi_setopt(pool->multi, CURLMOPT_MAXCONNECTS, (long) size);
	*ret_pool = pool;
	return 0;
}

void http_pool_free(HttpPool *pool)
{
	if (!pool)
		return;
	for (size_t i = 0; pool->slot && i < pool->size; i++)
		if (pool->slot[i].easy) {
			(void) curl_multi_remove_handle(pool->multi, pool->slot[i].easy);
			curl_easy_cleanup(pool->slot[i].easy);
		}
	(void) curl_multi_cleanup(pool->multi);
	free(pool->idle);
	free(pool->slot);
	free(pool);
}

static CURL *slot_easy(HttpPool *pool, PoolSlot *slot)
{
	if (slot->easy)
		return slot->easy;
	CURL *easy = http_easy_new();
	if (!easy)
		return NULL;
	(void) curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop_body);
	(void) curl_easy_setopt(easy, CURLOPT_PRIVATE, slot);
	(void) curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long) pool->timeout_ms);
	(void) curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, pool->keep_alive ? 0L : 1L);
	slot->easy = easy;
	return easy;
}

int http_pool_start(HttpPool *pool, const char *url, int64_t tag, Error *err)
{
	if (pool->n_idle == 0)
		return error_set(err, ERR_BUSY, "%zu requests are under way", pool->size);
	PoolSlot *slot = pool->idle[pool->n_idle - 1];
	CURL *easy = slot_easy(pool, slot);
	CURLU *parsed = NULL;
	bool loopback = false;
	int code = easy ? http_url_parse(url, &parsed, &loopback, err) : error_set(err, ERR_NOMEM, "out of memory");
	curl_url_cleanup(parsed);
	if (code)
		return code;
	(void) curl_easy_setopt(easy, CURLOPT_PROXY, loopback ? "" : NULL);
	if (curl_easy_setopt(easy, CURLOPT_URL, url) || curl_multi_add_handle(pool->multi, easy))
		return error_set(err, ERR_NOMEM, "out of memory");
	slot->tag = tag;
	pool->n_idle--;
	return 0;
}

int http_pool_poll(HttpPool *pool, int wait_ms, HttpDone *ret_done, size_t max, size_t *ret_n)
{
	int running = 0, left = 0;
	if (curl_multi_perform(pool->multi, &running) ||
	    (wait_ms > 0 && (size_t) running == http_pool_under_way(pool) &&
	     (curl_multi_poll(pool->multi, NULL, 0, wait_ms, NULL) || curl_multi_perform(pool->multi, &running))))
		return ERR_FAILED;
	size_t n = 0;
	CURLMsg *message;
	while (n < max && (message = curl_multi_info_read(pool->multi, &left))) {
		if (message->msg != CURLMSG_DONE)
			continue;
		CURL *easy = message->easy_handle;
		CURLcode answer = message->data.result;
		PoolSlot *slot = NULL;
		long status = 0;
		(void) curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **) &slot);
		(void) curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
		(void) curl_multi_remove_handle(pool->multi, easy);
		pool->idle[pool->n_idle++] = slot;
		ret_done[n++] = (HttpDone) {
			.tag = slot->tag,
			.status = answer ? 0 : (int) status,
			.code = answer ? http_error_of(answer) : 0,
		};
	}
	*ret_n = n;
	return 0;
}

size_t http_pool_under_way(const HttpPool *pool)
{
	return pool->size - pool->n_idle;
}
