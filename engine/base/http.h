/*
 * HTTP for the control loop: one reused connection a client, deadlines, bounded bodies, verified TLS; and a pool of
 * many exchanges at once for the load generator. The only includer of libcurl is http.c.
 */
#ifndef MAESTRO_BASE_HTTP_H
#define MAESTRO_BASE_HTTP_H

#include "base/err.h"
#include "base/mem.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct HttpTls { /* all lent until http_client_new returns; NULL: not given */
	const char *ca_pem;      /* text of the CA bundle; NULL: the system's */
	const char *cert_pem;    /* client certificate and its key, as text */
	const char *key_pem;
	bool insecure;           /* only where the kubeconfig says insecure-skip-tls-verify */
} HttpTls;

typedef struct HttpClient HttpClient; /* one thread at a time */

typedef struct HttpRequest {
	const char *method;       /* "GET", "PUT", ... */
	const char *url;
	const char *content_type; /* with a body */
	const char *body;         /* NULL: none */
	size_t body_len;
	const char *bearer;       /* token; NULL: none */
	const char *const *header; /* more lines, "Name: value", ending with NULL; NULL: none */
	int64_t timeout_ms;       /* for the whole exchange; 0: 5000 */
	size_t max_body;          /* of the answer; 0: 16 MiB */
} HttpRequest;

typedef struct HttpResponse {
	int status;
	StrBuf body;              /* freed by http_response_done; reused between requests */
	int64_t retry_after_s;    /* -1: not said */
	double elapsed_ms;
} HttpResponse;

/* Loads libcurl now; else the first request does. ERR_FAILED: it is not there, or cannot be set up. */
int http_global_init(void);
/* When no request is under way any more. */
void http_global_done(void);

/* tls may be NULL: nothing of one's own. ERR_NOMEM; ERR_FAILED: TLS cannot be set up as asked. */
int http_client_new(const HttpTls *tls, HttpClient **ret_client, Error *err);
void http_client_free(HttpClient *client); /* accepts NULL */

/* One exchange. 0 for any HTTP status; negative when there was no answer: ERR_UNREACHABLE, ERR_TIMEOUT, ERR_INVALID
 * (body over max_body, bad URL), ERR_PARSE (cut short: what came is in response->body), ERR_NOMEM; with a text that
 * names the host and cause and never a secret. Where the answer says the request's credentials back, they read "***". */
int http_request(HttpClient *client, const HttpRequest *request, HttpResponse *response, Error *err);
void http_response_done(HttpResponse *response);

/*
 * Many GETs at once, driven by one thread: http_pool_start begins one and returns, http_pool_poll moves all of them on.
 * Bodies are read and thrown away. Without keep_alive each exchange has a connection of its own, as behind a balancer
 * that spreads connections and not requests.
 */
typedef struct HttpPool HttpPool;
typedef struct HttpDone {
	int64_t tag; /* as given to http_pool_start */
	int status;  /* 0: no answer */
	int code;    /* 0, or why there was none: ERR_UNREACHABLE, ERR_TIMEOUT, ... */
} HttpDone;

/* size: the most exchanges under way at once. ERR_NOMEM. */
int http_pool_new(size_t size, bool keep_alive, int64_t timeout_ms, HttpPool **ret_pool, Error *err);
void http_pool_free(HttpPool *pool); /* drops what is under way; accepts NULL */
/* ERR_BUSY when size are under way, ERR_INVALID (not an http or https URL), ERR_NOMEM. */
int http_pool_start(HttpPool *pool, const char *url, int64_t tag, Error *err);
/* Waits at most wait_ms for something to happen, then gives up to max finished exchanges; the rest stay for the next
 * call. ERR_FAILED where polling itself failed. */
int http_pool_poll(HttpPool *pool, int wait_ms, HttpDone *ret_done, size_t max, size_t *ret_n);
size_t http_pool_under_way(const HttpPool *pool);

/*
 * Answers without an end (watches), several at once, driven by one thread: what comes is handed on as it comes.
 */
typedef struct HttpStreams HttpStreams;
typedef struct HttpStreamEnd {
	size_t slot;
	int status; /* 0: no answer */
	int code;   /* 0: it ended as HTTP ends; else ERR_UNREACHABLE, ERR_TIMEOUT, ... */
	char text[160];
} HttpStreamEnd;
/* A part of a slot's body, of the status that was answered; where it says the token back, that reads "***". */
typedef void HttpStreamPart(void *arg, size_t slot, int status, const char *data, size_t len);

/* n slots, one stream each at a time. ERR_NOMEM, ERR_FAILED (bad certificates). */
int http_streams_new(const HttpTls *tls, size_t n, HttpStreamPart *part, void *arg, HttpStreams **ret_streams, Error *err);
void http_streams_free(HttpStreams *streams); /* accepts NULL */
/* For what is opened in the slot from now on. ERR_FAILED (bad certificates). */
int http_stream_tls(HttpStreams *streams, size_t slot, const HttpTls *tls, Error *err);
/* Begins a GET in a slot, in place of what was there; it has connect_ms to connect. ERR_INVALID (URL, token), ERR_NOMEM. */
int http_stream_open(HttpStreams *streams, size_t slot, const char *url, const char *bearer, int64_t connect_ms, Error *err);
void http_stream_close(HttpStreams *streams, size_t slot);
/* Waits at most wait_ms for something to come, moves all on, and answers the streams that ended, at most max. */
int http_streams_poll(HttpStreams *streams, int wait_ms, HttpStreamEnd *ret_end, size_t max, size_t *ret_n);
/* Ends a wait. Any thread. */
void http_streams_wake(HttpStreams *streams);

/* Adds text to url with everything but RFC 3986 unreserved characters escaped. */
void http_escape(StrBuf *url, const char *text);

#endif
