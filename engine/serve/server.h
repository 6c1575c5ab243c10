/*
 * An HTTP server for the program's small services: routes, limits, /healthz, /readyz, /metrics, bearer token, TLS, graceful stop.
 * The only includers of libmicrohttpd are in this room.
 *
 * A few threads of the library read and write all connections. A handler either answers at once or keeps the request and lets
 * any thread finish it later; meanwhile the connection rests and costs nothing.
 */
#ifndef MAESTRO_SERVE_SERVER_H
#define MAESTRO_SERVE_SERVER_H

#include "base/err.h"
#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Server Server;

typedef struct ServerRequest { /* lives until it is finished; the handler's thread, then its finisher's */
	const char *method;
	const char *path;
	const char *body;      /* NUL-terminated */
	size_t body_len;
	int status;            /* of the answer: 200 unless the handler says otherwise */
	const char *type;      /* static text; "text/plain; charset=utf-8" unless the handler says otherwise */
	StrBuf answer;         /* owned by the server */
	int64_t user;          /* the handler's own */
} ServerRequest;

typedef enum ServerVerdict { SERVER_ANSWERED, SERVER_KEPT } ServerVerdict;
/* Called once a request, when all of it has been read. Runs on a thread of the server and must not wait. */
typedef ServerVerdict ServerHandler(void *context, ServerRequest *request);

typedef struct ServerRoute {
	const char *method;     /* a HEAD goes where a GET does */
	const char *path;
	ServerHandler *handler;
} ServerRoute;

typedef struct ServerConfig { /* what the operator says */
	const char *listen;      /* "HOST:PORT", "[::1]:8080"; port 0: a free one */
	bool share_port;         /* SO_REUSEPORT: the kernel spreads connections over all who listen there */
	uint32_t connections;    /* at once; for more, those that have been silent longest are closed; 0: 128 */
	uint32_t threads;        /* 0: 1 */
	int64_t read_limit_ms;   /* of a whole request from its connection or the answer before it; 0: 10 s */
	const char *token_file;  /* NULL: anybody may ask. Read again every 10 s, or for one that does not fit; probes need none */
	const char *tls_cert, *tls_key; /* PEM files, both or none. Read again every read limit: a new pair serves new connections */
} ServerConfig;

typedef struct ServerDuty { /* what the service does */
	const ServerRoute *route; /* ends with a NULL path; lent */
	void (*metrics)(void *context, StrBuf *to); /* text of /metrics; NULL: there is none */
	const char *(*not_ready)(void *context);    /* static text why, NULL: ready; may be NULL */
	void *context;           /* lent for the server's life */
} ServerDuty;

/* Bodies over 64 KiB answer 413, headers over 16 KiB 431 or the end of the connection, which also comes to those who take longer
 * than the read limit for a request, whether they rest or trickle.
 * A TLS pair that becomes bad leaves the one before serving, says so on stderr and counts in maestro_tls_reloads_total of /metrics.
 * ERR_USAGE (not HOST:PORT, half a TLS pair), ERR_IO (cannot listen, cannot read a file: names it and the cause), ERR_INVALID
 * (empty token file, no pair), ERR_NOMEM. */
int server_start(const ServerConfig *config, const ServerDuty *duty, Server **ret_server, Error *err);
int server_port(const Server *server);

/* A parameter of the query, percent-decoded; NULL: not there. Only within the handler. */
const char *server_query(const ServerRequest *request, const char *name);
/* Whether it comes from this machine, or by a port-forward into this pod. */
bool server_is_local(const ServerRequest *request);
/* Answers {"error": text} with a status. For a handler's return. */
__attribute__((format(printf, 3, 4))) ServerVerdict server_error(ServerRequest *request, int status, const char *format, ...);
/* Before a handler hands the request to another thread and answers SERVER_KEPT. */
void server_keep(ServerRequest *request);
/* Sends a kept request's answer. Any thread, once. */
void server_finish(ServerRequest *request);

enum { SERVER_ANSWER_MS = 1000 }; /* within which an answer that is made is sent, unless nobody reads it */
/* Takes no more connections; waits up to wait_ms until no request is under way. Once more where kept ones were finished since, whose
 * answers would end with the server. Accepts NULL. */
void server_quiesce(Server *server, int64_t wait_ms);
/* Ends it. Every kept request must have been finished. Accepts NULL. */
void server_stop(Server *server);

#endif
