/* What the two files of the server share. Not for others. */
#ifndef MAESTRO_SERVE_SERVER_INSIDE_H
#define MAESTRO_SERVE_SERVER_INSIDE_H

#include "serve/server.h"
#include "serve/server_library.h"
#include "serve/token.h"

#include <pthread.h>
#include <stdatomic.h>

enum { SERVER_HEADER_MAX = 16 << 10 };

typedef struct Connection { /* request is first: server_finish gets from one to the other */
	ServerRequest request;
	Server *server;
	struct MHD_Connection *mhd;
	int fd;
	StrBuf body;
	bool is_handled;              /* the handler was called */
	bool is_too_long;
	atomic_bool is_done;          /* the answer can be sent */
	_Atomic int64_t deadline_ms;  /* monotonic: a whole request must be there by then; 0: there is one */
	struct Connection *next, **at;
} Connection;

struct Server {
	struct MHD_Daemon *daemon;
	ServerConfig config;
	Token *token;              /* NULL: none wanted */
	StrBuf cert, key;
	pthread_mutex_t lock;      /* of the list, and of the two conditions */
	pthread_cond_t idle;       /* nothing is under way */
	pthread_cond_t ended;      /* is_ending was set */
	Connection *connections;
	pthread_t sweeper;
	bool has_sweeper, is_ending;
	atomic_bool is_quiet;      /* no new connections, answers end theirs */
	atomic_size_t under_way;
};

/* What the library calls; context is the Server. */
void server_on_connection(void *context, struct MHD_Connection *mhd, void **at, enum MHD_ConnectionNotificationCode what);
enum MHD_Result server_on_request(void *context, struct MHD_Connection *mhd, const char *path, const char *method, const char *version,
                                  const char *data, size_t *len, void **at);
void server_on_completed(void *context, struct MHD_Connection *mhd, void **at, enum MHD_RequestTerminationCode why);
/* Shuts connections down that are past their deadlines, until is_ending; a thread's function. */
void *server_sweep(void *context);

#endif
