/*
 * See server.h. A request is made when its headers have come and freed when its connection is done with it
 * (notify_completed); between them the library calls again for each piece of the body. A kept request's connection is
 * suspended; server_finish marks it answered and resumes it, and the library calls once more for the answer.
 */
#include "serve/server.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BODY_MAX = 64 << 10, HEADER_MAX = 16 << 10, IDLE_S = 10, CONNECTIONS = 128 };

struct Server {
	struct MHD_Daemon *daemon;
	ServerConfig config;
	pthread_mutex_t lock;
	pthread_cond_t idle;
	size_t under_way;
};

typedef struct Exchange { /* request is first: server_finish gets from one to the other */
	ServerRequest request;
	Server *server;
	struct MHD_Connection *connection;
	StrBuf body;
	bool is_handled;       /* the handler was called */
	atomic_bool is_done;   /* the answer can be sent */
} Exchange;

/* ---- an exchange ---- */

static void count(Server *server, int change)
{
	(void) pthread_mutex_lock(&server->lock);
	server->under_way += (size_t) change;
	if (server->under_way == 0)
		(void) pthread_cond_broadcast(&server->idle);
	(void) pthread_mutex_unlock(&server->lock);
}

static Exchange *exchange_new(Server *server, struct MHD_Connection *connection, const char *method, const char *path)
{
	Exchange *exchange = calloc(1, sizeof *exchange);
	if (!exchange)
		return NULL;
	exchange->server = server;
	exchange->connection = connection;
	exchange->request = (ServerRequest) {
		.method = method, .path = path, .status = 200, .type = "text/plain; charset=utf-8",
	};
	count(server, 1);
	return exchange;
}

static void on_completed(void *context, struct MHD_Connection *connection, void **at,
                         enum MHD_RequestTerminationCode why)
{
	Exchange *exchange = *at;
	(void) connection;
	(void) why;
	if (!exchange)
		return;
	strbuf_done(&exchange->request.answer);
	strbuf_done(&exchange->body);
	free(exchange);
	*at = NULL;
	count(context, -1);
}

static enum MHD_Result send_answer(Exchange *exchange)
{
	ServerRequest *request = &exchange->request;
	if (request->answer.failed) {
		strbuf_done(&request->answer);
		request->status = 500;
	}
	struct MHD_Response *response =
		MHD_create_response_from_buffer(request->answer.len, request->answer.data, MHD_RESPMEM_MUST_FREE);
	if (!response)
		return MHD_NO;
	request->answer = (StrBuf) { 0 }; /* the response frees it */
	enum MHD_Result result = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, request->type);
	if (result == MHD_YES)
		result = MHD_queue_response(exchange->connection, (unsigned) request->status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result handle(Exchange *exchange)
{
	ServerRequest *request = &exchange->request;
	const ServerConfig *config = &exchange->server->config;
	exchange->is_handled = true;
	request->body = exchange->body.data ? exchange->body.data : "";
	request->body_len = exchange->body.len;
	if (exchange->body.failed) {
		request->status = 413;
		strbuf_addf(&request->answer, "body larger than %d bytes\n", BODY_MAX);
	} else if (!strcmp(request->path, "/healthz")) {
		strbuf_addf(&request->answer, "ok\n");
	} else {
		/* suspended first: the finisher may be faster than this thread */
		MHD_suspend_connection(exchange->connection);
		if (config->handler(config->context, request) == SERVER_ANSWERED)
			server_finish(request);
		return MHD_YES;
	}
	return send_answer(exchange);
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *data, size_t *len, void **at)
{
	Exchange *exchange = *at;
	(void) version;
	if (!exchange) {
		*at = exchange_new(context, connection, method, path);
		return *at ? MHD_YES : MHD_NO;
	}
	if (*len > 0) {
		if (exchange->body.len + *len > BODY_MAX)
			exchange->body.failed = true;
		strbuf_add(&exchange->body, data, *len); /* adds nothing once it has failed */
		*len = 0;
		return MHD_YES;
	}
	if (!exchange->is_handled)
		return handle(exchange);
	return atomic_load(&exchange->is_done) ? send_answer(exchange) : MHD_YES;
}

void server_finish(ServerRequest *request)
{
	Exchange *exchange = (Exchange *) request;
	atomic_store(&exchange->is_done, true);
	MHD_resume_connection(exchange->connection);
}

/* ---- the server ---- */

/* The first address of "HOST:PORT". */
static int resolve(const char *listen, struct addrinfo **ret_list, Error *err)
{
	char host[256];
	const char *colon = strrchr(listen, ':');
	if (!colon || colon == listen || !colon[1] || (size_t) (colon - listen) >= sizeof host)
		return error_set(err, ERR_USAGE, "\"%s\" is not HOST:PORT; an example is 127.0.0.1:8080", listen);
	bool is_v6 = listen[0] == '[' && colon[-1] == ']';
	(void) snprintf(host, sizeof host, "%.*s", (int) (colon - listen) - (is_v6 ? 2 : 0), listen + (is_v6 ? 1 : 0));
	const struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
	int answer = getaddrinfo(host, colon + 1, &hints, ret_list);
	return answer ? error_set(err, ERR_USAGE, "cannot listen on %s: %s", listen, gai_strerror(answer)) : 0;
}

static void no_log(void *context, const char *format, va_list args)
{
	(void) context;
	(void) format;
	(void) args;
}

static struct MHD_Daemon *start_daemon(Server *server, const struct addrinfo *address)
{
	const ServerConfig *config = &server->config;
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
	                 (address->ai_family == AF_INET6 ? MHD_USE_IPv6 : 0u);
	/* SO_REUSEPORT by its own list: the option with 0 would also take SO_REUSEADDR away, and with it a quick restart */
	const struct MHD_OptionItem share[] = {
		{ config->share_port ? MHD_OPTION_LISTENING_ADDRESS_REUSE : MHD_OPTION_END, 1, NULL },
		{ MHD_OPTION_END, 0, NULL },
	};
	return MHD_start_daemon(flags, 0, NULL, NULL, on_request, server,
	                        MHD_OPTION_EXTERNAL_LOGGER, no_log, NULL,
	                        MHD_OPTION_SOCK_ADDR, address->ai_addr,
	                        MHD_OPTION_ARRAY, share,
	                        MHD_OPTION_CONNECTION_LIMIT, config->connections ? config->connections : CONNECTIONS,
	                        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t) HEADER_MAX * 2, /* headers, and the answer's */
	                        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned) IDLE_S,
	                        MHD_OPTION_NOTIFY_COMPLETED, on_completed, server,
	                        MHD_OPTION_END);
}

int server_start(const ServerConfig *config, Server **ret_server, Error *err)
{
	struct addrinfo *address = NULL;
	int code = resolve(config->listen, &address, err);
	if (code)
		return code;
	Server *server = calloc(1, sizeof *server);
	if (!server) {
		freeaddrinfo(address);
		return error_set(err, ERR_NOMEM, "out of memory");
	}
	server->config = *config;
	(void) pthread_mutex_init(&server->lock, NULL);
	(void) pthread_cond_init(&server->idle, NULL);
	errno = 0;
	server->daemon = start_daemon(server, address);
	if (!server->daemon)
		code = error_set(err, ERR_IO, "cannot listen on %s: %s", config->listen,
		                 errno ? strerror(errno) : "the server cannot be set up");
	freeaddrinfo(address);
	if (code)
		server_stop(server);
	else
		*ret_server = server;
	return code;
}

int server_port(const Server *server)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);
	return info ? info->port : 0;
}

void server_quiesce(Server *server, int64_t wait_ms)
{
	struct timespec until;
	(void) clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += (time_t) (wait_ms / 1000);
	until.tv_nsec += (long) (wait_ms % 1000) * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	/* closed at once: where a port is shared, the kernel would go on sending connections here, and nobody takes them */
	MHD_socket listening = MHD_quiesce_daemon(server->daemon);
	if (listening != MHD_INVALID_SOCKET)
		(void) close(listening);
	(void) pthread_mutex_lock(&server->lock);
	while (server->under_way > 0 && !pthread_cond_timedwait(&server->idle, &server->lock, &until))
		;
	(void) pthread_mutex_unlock(&server->lock);
}

void server_stop(Server *server)
{
	if (!server)
		return;
	if (server->daemon)
		MHD_stop_daemon(server->daemon);
	(void) pthread_cond_destroy(&server->idle);
	(void) pthread_mutex_destroy(&server->lock);
	free(server);
}
