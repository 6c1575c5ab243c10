/*
 * See server.h. A Connection is made when a client connects and holds the one request that it can have under way: buffers are
 * kept from request to request, so that a small answer costs no allocation here. The library calls once when the headers have
 * come, once for each piece of the body, once when all is there. A kept request's connection is suspended; server_finish marks
 * it answered and resumes it, and the library calls once more for the answer.
 *
 * The library's own time-out begins anew with each byte, so a client that trickles could sit for ever: each connection has a
 * deadline of its own, and a sweeper shuts those down that are past it.
 */
#include "serve/server.h"

#include "serve/token.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BODY_MAX = 64 << 10, HEADER_MAX = 16 << 10, PEM_MAX = 1 << 20, READ_MS = 10000, CONNECTIONS = 128, SWEEPS = 10 };

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

static int64_t now_ms(void)
{
	struct timespec t;
	(void) clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (int64_t) t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- connections ---- */

static void on_connection(void *context, struct MHD_Connection *mhd, void **at, enum MHD_ConnectionNotificationCode what)
{
	Server *server = context;
	Connection *connection = *at;
	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
		connection = calloc(1, sizeof *connection);
		if (!connection || !info) {
			free(connection); /* its requests are refused */
			return;
		}
		connection->server = server;
		connection->mhd = mhd;
		connection->fd = info->connect_fd;
		atomic_store(&connection->deadline_ms, now_ms() + server->config.read_limit_ms);
		*at = connection;
	}
	if (!connection)
		return;
	(void) pthread_mutex_lock(&server->lock);
	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		connection->next = server->connections;
		connection->at = &server->connections;
		if (connection->next)
			connection->next->at = &connection->next;
		server->connections = connection;
	} else {
		*connection->at = connection->next;
		if (connection->next)
			connection->next->at = connection->at;
	}
	(void) pthread_mutex_unlock(&server->lock);
	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		return;
	strbuf_done(&connection->request.answer);
	strbuf_done(&connection->body);
	free(connection);
	*at = NULL;
}

/* A descriptor in the list is open: the library says that it ends a connection before it closes it. */
static void *sweep(void *context)
{
	Server *server = context;
	(void) pthread_mutex_lock(&server->lock);
	while (!server->is_ending) {
		struct timespec until;
		(void) clock_gettime(CLOCK_MONOTONIC, &until);
		int64_t at_ns = until.tv_nsec + server->config.read_limit_ms * 1000000 / SWEEPS;
		until.tv_sec += (time_t) (at_ns / 1000000000);
		until.tv_nsec = (long) (at_ns % 1000000000);
		(void) pthread_cond_timedwait(&server->ended, &server->lock, &until);
		int64_t now = now_ms();
		for (Connection *c = server->connections; c; c = c->next) {
			int64_t deadline = atomic_load(&c->deadline_ms);
			if (deadline > 0 && now > deadline)
				(void) shutdown(c->fd, SHUT_RDWR);
		}
	}
	(void) pthread_mutex_unlock(&server->lock);
	return NULL;
}

/* ---- a request ---- */

static Connection *begin_request(struct MHD_Connection *mhd, const char *method, const char *path)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	Connection *connection = info ? info->socket_context : NULL;
	if (!connection)
		return NULL;
	ServerRequest *request = &connection->request;
	StrBuf answer = request->answer;
	*request = (ServerRequest) {
		.method = method, .path = path, .status = 200, .type = "text/plain; charset=utf-8", .answer = answer,
	};
	strbuf_clear(&request->answer);
	strbuf_clear(&connection->body);
	connection->is_handled = connection->is_too_long = false;
	atomic_store_explicit(&connection->is_done, false, memory_order_relaxed);
	(void) atomic_fetch_add(&connection->server->under_way, 1);
	info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	if (info && info->header_size > HEADER_MAX) {
		connection->is_handled = true;
		(void) server_error(request, 431, "headers larger than %d bytes", HEADER_MAX);
		atomic_store(&connection->is_done, true);
	}
	return connection;
}

static void on_completed(void *context, struct MHD_Connection *mhd, void **at, enum MHD_RequestTerminationCode why)
{
	Server *server = context;
	Connection *connection = *at;
	(void) mhd;
	(void) why;
	if (!connection)
		return;
	*at = NULL;
	/* the library lets it rest for one limit; the next request may then take one more */
	atomic_store_explicit(&connection->deadline_ms, now_ms() + 2 * server->config.read_limit_ms, memory_order_relaxed);
	if (atomic_fetch_sub(&server->under_way, 1) == 1 && atomic_load(&server->is_quiet)) {
		(void) pthread_mutex_lock(&server->lock);
		(void) pthread_cond_broadcast(&server->idle);
		(void) pthread_mutex_unlock(&server->lock);
	}
}

static enum MHD_Result send_answer(Connection *connection)
{
	ServerRequest *request = &connection->request;
	if (request->answer.failed) {
		strbuf_done(&request->answer);
		request->status = 500;
	}
	static char nothing[] = "";
	struct MHD_Response *response = MHD_create_response_from_buffer(
		request->answer.len, request->answer.len > 0 ? request->answer.data : nothing, MHD_RESPMEM_MUST_COPY);
	if (!response)
		return MHD_NO;
	enum MHD_Result result = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, request->type);
	if (result == MHD_YES && atomic_load_explicit(&connection->server->is_quiet, memory_order_relaxed))
		result = MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	if (result == MHD_YES && request->status == 401)
		result = MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
	if (result == MHD_YES)
		result = MHD_queue_response(connection->mhd, (unsigned) request->status, response);
	MHD_destroy_response(response);
	return result;
}

static ServerVerdict no_route(const ServerRoute *route, ServerRequest *request)
{
	char paths[160] = "/healthz, /readyz";
	for (; route && route->path; route++) {
		if (!strcmp(route->path, request->path))
			return server_error(request, 405, "only %s for %s", route->method, route->path);
		size_t len = strlen(paths);
		(void) snprintf(paths + len, sizeof paths - len, ", %s", route->path);
	}
	return server_error(request, 404, "not found; there are %s", paths);
}

static ServerVerdict probe(Server *server, ServerRequest *request)
{
	const ServerConfig *config = &server->config;
	const char *why = NULL;
	if (!strcmp(request->path, "/readyz"))
		why = atomic_load(&server->is_quiet) ? "stopping" : config->not_ready ? config->not_ready(config->context) : NULL;
	if (why)
		return server_error(request, 503, "%s", why);
	strbuf_add(&request->answer, "ok\n", 3);
	return SERVER_ANSWERED;
}

static bool is_method(const char *wanted, const char *method)
{
	return !strcmp(wanted, method) || (!strcmp(method, "HEAD") && !strcmp(wanted, "GET"));
}

static ServerVerdict dispatch(Connection *connection)
{
	ServerRequest *request = &connection->request;
	Server *server = connection->server;
	const ServerConfig *config = &server->config;
	if (!strcmp(request->path, "/healthz") || !strcmp(request->path, "/readyz"))
		return probe(server, request);
	if (server->token && !token_matches(server->token, MHD_lookup_connection_value(connection->mhd, MHD_HEADER_KIND,
	                                                                               MHD_HTTP_HEADER_AUTHORIZATION)))
		return server_error(request, 401, "a bearer token is wanted");
	if (connection->is_too_long)
		return server_error(request, 413, "body larger than %d bytes", BODY_MAX);
	for (const ServerRoute *route = config->route; route && route->path; route++)
		if (!strcmp(route->path, request->path) && is_method(route->method, request->method))
			return route->handler(config->context, request);
	if (config->metrics && !strcmp(request->path, "/metrics") && is_method("GET", request->method)) {
		request->type = "text/plain; version=0.0.4; charset=utf-8";
		config->metrics(config->context, &request->answer);
		return SERVER_ANSWERED;
	}
	return no_route(config->route, request);
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *mhd, const char *path, const char *method,
                                  const char *version, const char *data, size_t *len, void **at)
{
	Connection *connection = *at;
	(void) context;
	(void) version;
	if (!connection) {
		*at = connection = begin_request(mhd, method, path);
		return connection ? MHD_YES : MHD_NO;
	}
	if (*len > 0) { /* once it is too long, it is read and dropped */
		connection->is_too_long = connection->is_too_long || connection->body.len + *len > BODY_MAX;
		if (!connection->is_too_long)
			strbuf_add(&connection->body, data, *len);
		*len = 0;
		return MHD_YES;
	}
	if (!connection->is_handled) {
		ServerRequest *request = &connection->request;
		connection->is_handled = true;
		atomic_store_explicit(&connection->deadline_ms, 0, memory_order_relaxed);
		request->body = connection->body.data ? connection->body.data : "";
		request->body_len = connection->body.len;
		if (connection->body.failed)
			(void) server_error(request, 500, "out of memory");
		else if (dispatch(connection) == SERVER_KEPT)
			return MHD_YES;
		return send_answer(connection);
	}
	return atomic_load(&connection->is_done) ? send_answer(connection) : MHD_YES;
}

const char *server_query(const ServerRequest *request, const char *name)
{
	return MHD_lookup_connection_value(((const Connection *) request)->mhd, MHD_GET_ARGUMENT_KIND, name);
}

bool server_is_local(const ServerRequest *request)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(((const Connection *) request)->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *address = info ? info->client_addr : NULL;
	if (address && address->sa_family == AF_INET)
		return ntohl(((const struct sockaddr_in *) (const void *) address)->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	return address && address->sa_family == AF_INET6 &&
	       IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *) (const void *) address)->sin6_addr);
}

ServerVerdict server_error(ServerRequest *request, int status, const char *format, ...)
{
	char text[512];
	va_list args;
	va_start(args, format);
	(void) vsnprintf(text, sizeof text, format, args);
	va_end(args);
	request->status = status;
	request->type = "application/json";
	strbuf_clear(&request->answer);
	strbuf_addf(&request->answer, "{\"error\":\"");
	for (const char *at = text; *at; at++) {
		if (*at == '"' || *at == '\\')
			strbuf_add(&request->answer, "\\", 1);
		strbuf_add(&request->answer, (unsigned char) *at < ' ' ? " " : at, 1);
	}
	strbuf_addf(&request->answer, "\"}\n");
	return SERVER_ANSWERED;
}

void server_keep(ServerRequest *request)
{
	MHD_suspend_connection(((Connection *) request)->mhd);
}

void server_finish(ServerRequest *request)
{
	Connection *connection = (Connection *) request;
	struct MHD_Connection *mhd = connection->mhd;
	atomic_store(&connection->is_done, true);
	MHD_resume_connection(mhd);
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
	                 (server->cert.data ? MHD_USE_TLS : 0u) | (address->ai_family == AF_INET6 ? MHD_USE_IPv6 : 0u);
	struct MHD_OptionItem more[5] = { { MHD_OPTION_END, 0, NULL } };
	size_t n = 0;
	if (config->share_port) /* the option with 0 would also take SO_REUSEADDR away, and with it a quick restart */
		more[n++] = (struct MHD_OptionItem) { MHD_OPTION_LISTENING_ADDRESS_REUSE, 1, NULL };
	if (config->threads > 1)
		more[n++] = (struct MHD_OptionItem) { MHD_OPTION_THREAD_POOL_SIZE, (intptr_t) config->threads, NULL };
	if (server->cert.data) {
		more[n++] = (struct MHD_OptionItem) { MHD_OPTION_HTTPS_MEM_CERT, 0, server->cert.data };
		more[n++] = (struct MHD_OptionItem) { MHD_OPTION_HTTPS_MEM_KEY, 0, server->key.data };
	}
	more[n] = (struct MHD_OptionItem) { MHD_OPTION_END, 0, NULL };
	return MHD_start_daemon(flags, 0, NULL, NULL, on_request, server,
	                        MHD_OPTION_EXTERNAL_LOGGER, no_log, NULL,
	                        MHD_OPTION_SOCK_ADDR, address->ai_addr,
	                        MHD_OPTION_ARRAY, more,
	                        MHD_OPTION_CONNECTION_LIMIT, config->connections,
	                        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t) HEADER_MAX * 2, /* headers, and the answer's */
	                        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned) ((config->read_limit_ms + 999) / 1000),
	                        MHD_OPTION_NOTIFY_COMPLETED, on_completed, server,
	                        MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
	                        MHD_OPTION_END);
}

static int read_secrets(Server *server, Error *err)
{
	const ServerConfig *config = &server->config;
	if (!config->tls_cert != !config->tls_key)
		return error_set(err, ERR_USAGE, "TLS takes a certificate and its key, not one of them");
	int code = config->token_file ? token_open(config->token_file, &server->token, err) : 0;
	if (!code && config->tls_cert)
		code = mem_read_file(config->tls_cert, PEM_MAX, &server->cert, err);
	if (!code && config->tls_key)
		code = mem_read_file(config->tls_key, PEM_MAX, &server->key, err);
	return code;
}

static int listen_and_serve(Server *server, const struct addrinfo *address, Error *err)
{
	int code = read_secrets(server, err);
	if (code)
		return code;
	if (pthread_create(&server->sweeper, NULL, sweep, server))
		return error_set(err, ERR_NOMEM, "cannot start a thread");
	server->has_sweeper = true;
	errno = 0;
	server->daemon = start_daemon(server, address);
	if (!server->daemon)
		return error_set(err, ERR_IO, "cannot listen on %s: %s", server->config.listen,
		                 errno ? strerror(errno) : server->cert.data ? "the certificate or its key is not taken"
		                                                             : "the server cannot be set up");
	return 0;
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
	server->config.connections = config->connections ? config->connections : CONNECTIONS;
	server->config.read_limit_ms = config->read_limit_ms ? config->read_limit_ms : READ_MS;
	pthread_condattr_t monotonic;
	(void) pthread_condattr_init(&monotonic);
	(void) pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void) pthread_mutex_init(&server->lock, NULL);
	(void) pthread_cond_init(&server->idle, &monotonic);
	(void) pthread_cond_init(&server->ended, &monotonic);
	(void) pthread_condattr_destroy(&monotonic);
	code = listen_and_serve(server, address, err);
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
	(void) clock_gettime(CLOCK_MONOTONIC, &until);
	int64_t at_ns = until.tv_nsec + wait_ms % 1000 * 1000000;
	until.tv_sec += (time_t) (wait_ms / 1000 + at_ns / 1000000000);
	until.tv_nsec = (long) (at_ns % 1000000000);
	atomic_store(&server->is_quiet, true);
	/* closed at once: where a port is shared, the kernel would go on sending connections here, and nobody takes them */
	MHD_socket listening = MHD_quiesce_daemon(server->daemon);
	if (listening != MHD_INVALID_SOCKET)
		(void) close(listening);
	(void) pthread_mutex_lock(&server->lock);
	while (atomic_load(&server->under_way) > 0 && !pthread_cond_timedwait(&server->idle, &server->lock, &until))
		;
	(void) pthread_mutex_unlock(&server->lock);
}

void server_stop(Server *server)
{
	if (!server)
		return;
	(void) pthread_mutex_lock(&server->lock);
	server->is_ending = true;
	(void) pthread_cond_broadcast(&server->ended);
	(void) pthread_mutex_unlock(&server->lock);
	if (server->has_sweeper)
		(void) pthread_join(server->sweeper, NULL);
	if (server->daemon)
		MHD_stop_daemon(server->daemon);
	token_close(server->token);
	if (server->key.data)
		explicit_bzero(server->key.data, server->key.size);
	strbuf_done(&server->key);
	strbuf_done(&server->cert);
	(void) pthread_cond_destroy(&server->ended);
	(void) pthread_cond_destroy(&server->idle);
	(void) pthread_mutex_destroy(&server->lock);
	free(server);
}
