/*
 * A scripted HTTP server on loopback: a handler in the test answers each request, and may delay, cut the body short,
 * reset the connection or send without end. One thread serves all connections, one request at a time.
 */
#ifndef MAESTRO_TESTS_FAKES_HTTP_SERVER_H
#define MAESTRO_TESTS_FAKES_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum FakeFault {
	FAKE_NONE,
	FAKE_TRUNCATE, /* announces the whole body, sends half of it and closes */
	FAKE_RESET,    /* RST instead of an answer */
	FAKE_ENDLESS,  /* repeats the body without a length until 100 MB are sent or the client goes */
} FakeFault;

typedef struct FakeRequest {
	const char *method;
	const char *path;    /* without the query, as sent */
	const char *query;   /* percent-decoded; "" where there is none */
	const char *headers; /* the raw lines, lower-cased names not guaranteed */
	const char *body;
} FakeRequest;

typedef struct FakeReply { /* the handler finds 200, application/json, "{}" */
	int status;
	const char *content_type;
	const char *headers; /* extra lines, each ended by \r\n; NULL: none */
	char *body;          /* of the heap; the server frees it; NULL: "{}" */
	int delay_ms;
	FakeFault fault;
} FakeReply;

/* Called under the server's lock. */
typedef void FakeHandler(void *context, const FakeRequest *request, FakeReply *reply);

typedef struct FakeServer FakeServer;
/* Listens on a free port of 127.0.0.1. Aborts the test program when it cannot. */
FakeServer *fake_server_start(FakeHandler *handler, void *context);
void fake_server_stop(FakeServer *server); /* accepts NULL */
const char *fake_server_url(const FakeServer *server); /* "http://127.0.0.1:PORT" */
/* So far. */
int fake_server_requests(FakeServer *server);
int fake_server_connections(FakeServer *server);
/* Around what the handler and the test both touch; seen reads one counter under it. */
void fake_server_lock(FakeServer *server);
void fake_server_unlock(FakeServer *server);
int fake_server_seen(FakeServer *server, const int *count);

/* Whether is_there comes to say so within twenty seconds, which is long enough for any machine. */
bool fake_comes(bool (*is_there)(void *arg), void *arg);

/* printf into the heap, for reply->body. */
__attribute__((format(printf, 1, 2))) char *fake_text(const char *format, ...);

#endif
