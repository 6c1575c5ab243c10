/* Answers without an end; see http.h. A multi handle over one easy handle a slot. */
#include "base/http_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Stream {
	HttpStreams *all;
	size_t slot;
	CURL *easy;
	struct curl_slist *headers;
	const char *secret;          /* the token, within headers; NULL: none */
	StrBuf held;                 /* an end of what came that may be the beginning of the secret */
	char cause[CURL_ERROR_SIZE]; /* libcurl writes it */
	bool is_open;
} Stream;

struct HttpStreams {
	CURLM *multi;
	HttpStreamPart *part;
	void *arg;
	Stream *stream; /* [n] */
	size_t n;
};

static void hand_on(const Stream *stream, const char *data, size_t len)
{
	long status = 0;
	if (!len)
		return;
	(void) curl_easy_getinfo(stream->easy, CURLINFO_RESPONSE_CODE, &status);
	stream->all->part(stream->all->arg, stream->slot, (int) status, data, len);
}

/* A token that is said back is struck out, also one that comes in two parts. */
static size_t take_part(char *data, size_t size, size_t n, void *user)
{
	Stream *stream = user;
	StrBuf *held = &stream->held;
	strbuf_add(held, data, size * n);
	if (held->failed)
		return 0;
	size_t tail = http_strike_out(held->data, held->len, stream->secret), ready = held->len - tail;
	hand_on(stream, held->data, ready);
	memmove(held->data, held->data + ready, tail);
	held->len = tail;
	return size * n;
}

/* What is still held when nothing more will come. */
static void hand_on_rest(Stream *stream)
{
	if (stream->held.len >= HTTP_SECRET_MIN)
		memset(stream->held.data, '*', stream->held.len);
	hand_on(stream, stream->held.data, stream->held.len);
}

int http_stream_tls(HttpStreams *streams, size_t slot, const HttpTls *tls, Error *err)
{
	CURLcode answer = http_set_tls(streams->stream[slot].easy, tls);
	return answer ? error_set(err, ERR_FAILED, "TLS set-up: %s", curl_easy_strerror(answer)) : 0;
}

static int init_stream(HttpStreams *streams, size_t slot, const HttpTls *tls, Error *err)
{
	Stream *stream = &streams->stream[slot];
	stream->all = streams;
	stream->slot = slot;
	stream->easy = http_easy_new();
	if (!stream->easy)
		return error_set(err, ERR_NOMEM, "out of memory");
	if (tls && http_stream_tls(streams, slot, tls, err))
		return ERR_FAILED;
	(void) curl_easy_setopt(stream->easy, CURLOPT_PRIVATE, stream);
	(void) curl_easy_setopt(stream->easy, CURLOPT_ERRORBUFFER, stream->cause);
	(void) curl_easy_setopt(stream->easy, CURLOPT_WRITEFUNCTION, take_part);
	(void) curl_easy_setopt(stream->easy, CURLOPT_WRITEDATA, stream);
	/* a peer that is gone without a word is noticed within some 80 s */
	(void) curl_easy_setopt(stream->easy, CURLOPT_TCP_KEEPIDLE, 20L);
	(void) curl_easy_setopt(stream->easy, CURLOPT_TCP_KEEPINTVL, 7L);
	return 0;
}

int http_streams_new(const HttpTls *tls, size_t n, HttpStreamPart *part, void *arg, HttpStreams **ret_streams, Error *err)
{
	HttpStreams *streams = calloc(1, sizeof *streams);
	if (!streams)
		return error_set(err, ERR_NOMEM, "out of memory");
	*streams = (HttpStreams) { .multi = curl_multi_init(), .part = part, .arg = arg, .n = n };
	streams->stream = calloc(n, sizeof *streams->stream);
	int code = streams->multi && streams->stream ? 0 : error_set(err, ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < n && !code; i++)
		code = init_stream(streams, i, tls, err);
	if (code)
		http_streams_free(streams);
	else
		*ret_streams = streams;
	return code;
}

void http_streams_free(HttpStreams *streams)
{
	if (!streams)
		return;
	for (size_t i = 0; streams->stream && i < streams->n; i++) {
		http_stream_close(streams, i);
		curl_easy_cleanup(streams->stream[i].easy);
		strbuf_done(&streams->stream[i].held);
	}
	(void) curl_multi_cleanup(streams->multi);
	free(streams->stream);
	free(streams);
}

int http_stream_open(HttpStreams *streams, size_t slot, const char *url, const char *bearer, int64_t connect_ms, Error *err)
{
	Stream *stream = &streams->stream[slot];
	CURLU *parsed = NULL;
	bool loopback = false;
	http_stream_close(streams, slot);
	int code = http_url_parse(url, &parsed, &loopback, err);
	curl_url_cleanup(parsed);
	if (code)
		return code;
	if (bearer && !http_is_header_safe(bearer))
		return error_set(err, ERR_INVALID, "the token holds a line break or a control character");
	static const char name[] = "Authorization: Bearer ";
	if (bearer && !http_add_header(&stream->headers, name, bearer))
		return error_set(err, ERR_NOMEM, "out of memory");
	stream->secret = bearer ? stream->headers->data + sizeof name - 1 : NULL;
	stream->cause[0] = '\0';
	(void) curl_easy_setopt(stream->easy, CURLOPT_URL, url);
	(void) curl_easy_setopt(stream->easy, CURLOPT_PROXY, loopback ? "" : NULL);
	(void) curl_easy_setopt(stream->easy, CURLOPT_HTTPHEADER, stream->headers);
	(void) curl_easy_setopt(stream->easy, CURLOPT_CONNECTTIMEOUT_MS, (long) connect_ms);
	if (curl_multi_add_handle(streams->multi, stream->easy))
		return error_set(err, ERR_NOMEM, "out of memory");
	stream->is_open = true;
	return 0;
}

void http_stream_close(HttpStreams *streams, size_t slot)
{
	Stream *stream = &streams->stream[slot];
	if (stream->is_open)
		(void) curl_multi_remove_handle(streams->multi, stream->easy);
	stream->is_open = false;
	if (stream->easy)
		(void) curl_easy_setopt(stream->easy, CURLOPT_HTTPHEADER, NULL);
	curl_slist_free_all(stream->headers);
	stream->headers = NULL;
	stream->secret = NULL;
	strbuf_clear(&stream->held);
}

int http_streams_poll(HttpStreams *streams, int wait_ms, HttpStreamEnd *ret_end, size_t max, size_t *ret_n)
{
	int running = 0, left = 0;
	size_t n = 0;
	CURLMsg *message;
	*ret_n = 0;
	if (curl_multi_perform(streams->multi, &running) || curl_multi_poll(streams->multi, NULL, 0, wait_ms, NULL) ||
	    curl_multi_perform(streams->multi, &running))
		return ERR_FAILED;
	while (n < max && (message = curl_multi_info_read(streams->multi, &left))) {
		if (message->msg != CURLMSG_DONE)
			continue;
		CURLcode answer = message->data.result;
		Stream *stream = NULL;
		long status = 0;
		(void) curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **) &stream);
		hand_on_rest(stream);
		(void) curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
		ret_end[n] = (HttpStreamEnd) { .slot = stream->slot, .status = (int) status, .code = answer ? http_error_of(answer) : 0 };
		if (answer)
			(void) snprintf(ret_end[n].text, sizeof ret_end[n].text, "%.150s",
			                stream->cause[0] ? stream->cause : curl_easy_strerror(answer));
		n++;
		http_stream_close(streams, stream->slot);
	}
	*ret_n = n;
	return 0;
}

void http_streams_wake(HttpStreams *streams)
{
	(void) curl_multi_wakeup(streams->multi);
}
