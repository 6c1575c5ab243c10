/*
 * An HTTP server for the program's small services: limits, /healthz, graceful stop. The only includers of
 * libmicrohttpd are in this room.
 *
 * One thread of the library reads and writes all connections. A handler either answers at once or keeps the request
 * and lets any thread finish it later; meanwhile the connection rests and costs nothing.
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
/* Called once a request, when all of it has been read. Runs on the server's thread and must not wait. */
typedef ServerVerdict ServerHandler(void *context, ServerRequest *request);

typedef struct ServerConfig {
	const char *listen;     /* "HOST:PORT", "[::1]:8080"; port 0: a free one */
	bool share_port;        /* SO_REUSEPORT: the kernel spreads connections over all who listen there */
	uint32_t connections;   /* at once; more are closed; 0: 128 */
	ServerHandler *handler; /* of all paths but /healthz */
	void *context;          /* lent for the server's life */
} ServerConfig;

/* Bodies over 64 KiB answer 413, headers over 16 KiB end the connection, as does a read or write that rests for 10 s.
 * ERR_USAGE (not HOST:PORT), ERR_IO (cannot listen: names the address and cause), ERR_NOMEM. */
int server_start(const ServerConfig *config, Server **ret_server, Error *err);
int server_port(const Server *server);
/* Sends a kept request's answer. Any thread, once. */
void server_finish(ServerRequest *request);
/* Takes no more connections; waits up to wait_ms until no request is under way. */
void server_quiesce(Server *server, int64_t wait_ms);
/* Ends it. Every kept request must have been finished. Accepts NULL. */
void server_stop(Server *server);

#endif
