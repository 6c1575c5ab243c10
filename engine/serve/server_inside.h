/* What the files of the server share. Not for others. */
#ifndef MAESTRO_SERVE_SERVER_INSIDE_H
#define MAESTRO_SERVE_SERVER_INSIDE_H

#include "base/sha256.h"
#include "serve/server.h"
#include "serve/server_library.h"
#include "serve/token.h"

#include <pthread.h>
#include <stdatomic.h>

enum { SERVER_HEADER_MAX = 16 << 10 };

/* A daemon of the library and the TLS pair that it serves, which it keeps for its life: another pair is another listener on the
 * same socket. Connections end with the one that took them. */
typedef struct Listener {
	Server *server;
	struct MHD_Daemon *daemon;
	StrBuf cert, key;
	size_t n_connections;      /* under the server's lock */
	size_t n_leaving;          /* of them, those that make room; the same */
	atomic_bool is_retired;    /* takes no new ones, answers end theirs */
} Listener;

typedef struct KeptResponse { /* of the library, and of what it was made */
	struct MHD_Response *response; /* NULL: none */
	const char *data;
	size_t len;
	const char *type;
} KeptResponse;

typedef struct Connection { /* request is first: server_finish gets from one to the other */
	ServerRequest request;
	Server *server;
	Listener *listener;
	struct MHD_Connection *mhd;
	int fd;
	StrBuf body;
	KeptResponse kept;
	bool is_handled;              /* the handler was called */
	bool is_too_long;
	bool is_leaving;              /* it makes room for another; under the server's lock */
	atomic_bool is_done;          /* the answer can be sent */
	_Atomic int64_t deadline_ms;  /* monotonic: a whole request must be there by then; 0: there is one */
	struct Connection *next, **at;
} Connection;

struct Server {
	ServerConfig config;
	ServerDuty duty;
	Token *token;              /* NULL: none wanted */
	int port;
	pthread_mutex_t lock;      /* of the lists, the listeners, and the two conditions */
	pthread_cond_t idle;       /* nothing is under way */
	pthread_cond_t ended;      /* is_ending was set */
	Connection *connections;
	Listener *listener;        /* NULL: not begun */
	Listener *retired;         /* with the pair before; NULL: all of its connections have ended */
	pthread_t sweeper;
	bool has_sweeper, is_ending;
	atomic_bool is_quiet;      /* no new connections, answers end theirs */
	atomic_size_t under_way;
	char refused[SHA256_HEX];  /* hash of the pair that was refused last; the sweeper's */
	atomic_uint_least64_t renewed, refusals; /* TLS pairs taken since the start, and not taken */
};

/* What the library calls; context is the Listener. */
void server_on_connection(void *context, struct MHD_Connection *mhd, void **at, enum MHD_ConnectionNotificationCode what);
enum MHD_Result server_on_request(void *context, struct MHD_Connection *mhd, const char *path, const char *method, const char *version,
                                  const char *data, size_t *len, void **at);
void server_on_completed(void *context, struct MHD_Connection *mhd, void **at, enum MHD_RequestTerminationCode why);
/* Shuts connections down that are past their deadlines, until is_ending; a thread's function. */
void *server_sweep(void *context);


/* Reads the TLS pair and begins to serve it on address, or on a socket that listens already (which is the listener's, however this ends).
 * ERR_IO, ERR_INVALID (the pair is not one), ERR_NOMEM. */
int listener_open(Server *server, const struct sockaddr *address, int listening, Listener **ret_listener, Error *err);
/* Its connections end with it. Accepts NULL. */
void listener_close(Listener *listener);
/* Looks at the TLS files: another pair is served from the next connection on, one that is bad is told and the old one stays.
 * The sweeper's. */
void server_renew(Server *server);
/* Lines of /metrics. */
void server_renew_metrics(Server *server, StrBuf *to);

#endif
