/*
 * See server.h. A Connection is made when a client connects and holds the one request that it can have under way: buffers are
 * kept from request to request, so that a small answer costs no allocation here. The library calls once when the headers have
 * come, once for each piece of the body, once when all is there. A kept request's connection is suspended; server_finish marks
 * it answered and resumes it, and the library calls once more for the answer.
 *
 * The library's own time-out begins anew with each byte, so a client that trickles could sit for ever: each connection has a
 * deadline of its own, and a sweeper shuts those down that are past it. Where more come than there may be, the one whose deadline
 * is the next makes room: a crowd that asks nothing shuts nobody out, a probe the least.
 *
 * Files: server.c answers, server_start.c begins and ends, server_renew.c listens, with the TLS pair of now.
 */
#include "serve/server_inside.h"

#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { BODY_MAX = 64 << 10, SWEEPS = 10 };

static int64_t now_ms(void)
{
	struct timespec t;
	(void) clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (int64_t) t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- connections ---- */

/* Of one listener, under the lock. Whoever is being answered has no deadline and stays; where all are, the newest goes. Of those
 * with one deadline (the clock is coarse, and a crowd comes within a tick of it) it is who came first: the list has the newest first. */
static void make_room(Server *server, Connection *newest)
{
	Connection *first = NULL;
	int64_t first_ms = 0;
	for (Connection *c = server->connections; c; c = c->next) {
		int64_t deadline = atomic_load(&c->deadline_ms);
		if (c == newest || c->listener != newest->listener || c->is_leaving || deadline <= 0 || (first && deadline > first_ms))
			continue;
		first = c;
		first_ms = deadline;
	}
	first = first ? first : newest;
	first->is_leaving = true;
	newest->listener->n_leaving++;
	(void) shutdown(first->fd, SHUT_RDWR);
}

static void drop_kept(Connection *connection)
{
	if (connection->kept.response)
		MHD_destroy_response(connection->kept.response);
	connection->kept = (KeptResponse) { 0 };
}

void server_on_connection(void *context, struct MHD_Connection *mhd, void **at, enum MHD_ConnectionNotificationCode what)
{
	Listener *listener = context;
	Server *server = listener->server;
	Connection *connection = *at;
	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
		connection = calloc(1, sizeof *connection);
		if (!connection || !info) {
			free(connection); /* its requests are refused */
			return;
		}
		connection->server = server;
		connection->listener = listener;
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
		listener->n_connections++;
		if (listener->n_connections - listener->n_leaving > server->config.connections)
			make_room(server, connection);
	} else {
		*connection->at = connection->next;
		if (connection->next)
			connection->next->at = connection->at;
		listener->n_connections--;
		listener->n_leaving -= connection->is_leaving;
	}
	(void) pthread_mutex_unlock(&server->lock);
	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		return;
	drop_kept(connection);
	strbuf_done(&connection->request.answer);
	strbuf_done(&connection->body);
	free(connection);
	*at = NULL;
}

/* A descriptor in the list is open: the library says that it ends a connection before it closes it. */
void *server_sweep(void *context)
{
	Server *server = context;
	(void) pthread_mutex_lock(&server->lock);
	for (uint64_t n = 1; !server->is_ending; n++) {
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
		if (n % SWEEPS)
			continue;
		(void) pthread_mutex_unlock(&server->lock);
		server_renew(server);
		(void) pthread_mutex_lock(&server->lock);
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
	if (info && info->header_size > SERVER_HEADER_MAX) {
		connection->is_handled = true;
		(void) server_error(request, 431, "headers larger than %d bytes", SERVER_HEADER_MAX);
		atomic_store(&connection->is_done, true);
	}
	return connection;
}

void server_on_completed(void *context, struct MHD_Connection *mhd, void **at, enum MHD_RequestTerminationCode why)
{
	Server *server = ((Listener *) context)->server;
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

/* A response to send once, or to keep. Its bytes are the connection's, which are left alone until the next request. */
static struct MHD_Response *make_response(const ServerRequest *request)
{
	static char nothing[] = "";
	struct MHD_Response *response = MHD_create_response_from_buffer(
		request->answer.len, request->answer.len > 0 ? request->answer.data : nothing, MHD_RESPMEM_PERSISTENT);
	if (response && MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, request->type) != MHD_YES) {
		MHD_destroy_response(response);
		return NULL;
	}
	return response;
}

/* A good answer as long as the one before, as a client of /predict gets by the thousand, goes by the same response. */
static struct MHD_Response *keep_response(Connection *connection)
{
	const ServerRequest *request = &connection->request;
	KeptResponse *kept = &connection->kept;
	if (kept->response && kept->data == request->answer.data && kept->len == request->answer.len && kept->type == request->type)
		return kept->response;
	drop_kept(connection);
	*kept = (KeptResponse) { make_response(request), request->answer.data, request->answer.len, request->type };
	return kept->response;
}

static enum MHD_Result send_answer(Connection *connection)
{
	ServerRequest *request = &connection->request;
	/* who does not read it is no better than who does not send */
	atomic_store_explicit(&connection->deadline_ms, now_ms() + 2 * connection->server->config.read_limit_ms, memory_order_relaxed);
	if (request->answer.failed) {
		strbuf_done(&request->answer);
		request->status = 500;
	}
	bool is_last = atomic_load_explicit(&connection->server->is_quiet, memory_order_relaxed) ||
	               atomic_load_explicit(&connection->listener->is_retired, memory_order_relaxed);
	bool is_kept = request->status == 200 && !is_last && request->answer.len > 0;
	struct MHD_Response *response = is_kept ? keep_response(connection) : make_response(request);
	if (!response)
		return MHD_NO;
	if (is_kept)
		return MHD_queue_response(connection->mhd, (unsigned) request->status, response);
	enum MHD_Result result = is_last ? MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close") : MHD_YES;
	if (result == MHD_YES && request->status == 401)
		result = MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
	if (result == MHD_YES)
		result = MHD_queue_response(connection->mhd, (unsigned) request->status, response);
	MHD_destroy_response(response);
	return result;
}

static ServerVerdict no_route(const ServerRoute *route, ServerRequest *request)
{
	char paths[160] = "/healthz, /readyz, /metrics";
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
	const ServerDuty *duty = &server->duty;
	const char *why = NULL;
	if (!strcmp(request->path, "/readyz"))
		why = atomic_load(&server->is_quiet) ? "stopping" : duty->not_ready ? duty->not_ready(duty->context) : NULL;
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
	const ServerDuty *duty = &server->duty;
	if (!strcmp(request->path, "/healthz") || !strcmp(request->path, "/readyz"))
		return probe(server, request);
	if (server->token && !token_matches(server->token, MHD_lookup_connection_value(connection->mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION),
	                                    MHD_lookup_connection_value(connection->mhd, MHD_HEADER_KIND, "X-Maestro-Token")))
		return server_error(request, 401, "a bearer token is wanted");
	if (connection->is_too_long)
		return server_error(request, 413, "body larger than %d bytes", BODY_MAX);
	for (const ServerRoute *route = duty->route; route && route->path; route++)
		if (!strcmp(route->path, request->path) && is_method(route->method, request->method))
			return route->handler(duty->context, request);
	if (duty->metrics && !strcmp(request->path, "/metrics") && is_method("GET", request->method)) {
		request->type = "text/plain; version=0.0.4; charset=utf-8";
		duty->metrics(duty->context, &request->answer);
		server_renew_metrics(server, &request->answer);
		return SERVER_ANSWERED;
	}
	return no_route(duty->route, request);
}

enum MHD_Result server_on_request(void *context, struct MHD_Connection *mhd, const char *path, const char *method, const char *version,
                                  const char *data, size_t *len, void **at)
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
