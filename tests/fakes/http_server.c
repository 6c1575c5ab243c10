/* See http_server.h. A poll() loop over the listening socket, a stop pipe and up to CONNS_MAX connections. */
#include "tests/fakes/http_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNS_MAX = 64, REQUEST_MAX = 1 << 17 };

typedef struct Conn {
	int fd;
	char *data; /* [REQUEST_MAX + 1] */
	size_t len;
} Conn;

struct FakeServer {
	FakeHandler *handler;
	void *context;
	char url[64];
	int listen_fd, stop_fd[2];
	pthread_t thread;
	pthread_mutex_t lock; /* of what handlers touch */
	Conn conn[CONNS_MAX];
	size_t n_conns;
	atomic_int requests, connections;
};

static void must(bool is_true, const char *what)
{
	if (is_true)
		return;
	perror(what);
	abort();
}

char *fake_text(const char *format, ...)
{
	va_list args;
	char *text = NULL;
	va_start(args, format);
	must(vasprintf(&text, format, args) >= 0, "fake_text");
	va_end(args);
	return text;
}

static void decode(char *text)
{
	char *to = text;
	for (; *text; text++) {
		unsigned value = 0;
		if (*text == '%' && sscanf(text + 1, "%2x", &value) == 1) {
			*to++ = (char) value;
			text += 2;
		} else {
			*to++ = *text == '+' ? ' ' : *text;
		}
	}
	*to = '\0';
}

static bool send_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t sent = send(fd, data, len, MSG_NOSIGNAL);
		if (sent <= 0)
			return false;
		data += sent;
		len -= (size_t) sent;
	}
	return true;
}

static bool send_endless(int fd, const char *body)
{
	char block[65536];
	size_t len = strlen(body);
	for (size_t i = 0; i < sizeof block; i++)
		block[i] = body[i % len];
	for (size_t sent = 0; sent < 100u << 20; sent += sizeof block)
		if (!send_all(fd, block, sizeof block))
			return false;
	return false;
}

/* False when the connection is to be closed. */
static bool send_reply(int fd, const FakeReply *reply)
{
	const char *body = reply->body ? reply->body : "{}";
	size_t len = strlen(body);
	if (reply->delay_ms > 0)
		(void) nanosleep(&(struct timespec) { reply->delay_ms / 1000, reply->delay_ms % 1000 * 1000000L }, NULL);
	if (reply->fault == FAKE_RESET) {
		struct linger now = { 1, 0 };
		(void) setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
		return false;
	}
	char length[64] = "Connection: close\r\n";
	if (reply->fault != FAKE_ENDLESS)
		(void) snprintf(length, sizeof length, "Content-Length: %zu\r\n", len);
	char *head = fake_text("HTTP/1.1 %d X\r\nContent-Type: %s\r\n%s%s\r\n", reply->status, reply->content_type, length,
	                       reply->headers ? reply->headers : "");
	bool is_open = send_all(fd, head, strlen(head));
	free(head);
	if (reply->fault == FAKE_ENDLESS)
		return is_open && send_endless(fd, body);
	return is_open && send_all(fd, body, reply->fault == FAKE_TRUNCATE ? len / 2 : len) && reply->fault == FAKE_NONE;
}

static bool answer(FakeServer *server, Conn *conn, char *body)
{
	char *target = strchr(conn->data, ' '), *end = target ? strchr(target + 1, ' ') : NULL;
	if (!end)
		return false;
	*target++ = *end = '\0';
	char *headers = strstr(end + 1, "\r\n"), *query = strchr(target, '?');
	if (query) {
		*query++ = '\0';
		decode(query);
	}
	FakeRequest request = { conn->data, target, query ? query : "", headers + 2, body };
	FakeReply reply = { .status = 200, .content_type = "application/json" };
	fake_server_lock(server);
	server->handler(server->context, &request, &reply);
	fake_server_unlock(server);
	atomic_fetch_add(&server->requests, 1); /* after it: who sees the count sees what the handler did */
	bool is_open = send_reply(conn->fd, &reply);
	free(reply.body);
	return is_open;
}

/* Reads what has come; answers once a request is whole. False: close. */
static bool serve(FakeServer *server, Conn *conn)
{
	ssize_t got = recv(conn->fd, conn->data + conn->len, REQUEST_MAX - conn->len, 0);
	if (got <= 0)
		return false;
	conn->len += (size_t) got;
	conn->data[conn->len] = '\0';
	char *body = strstr(conn->data, "\r\n\r\n");
	if (!body)
		return conn->len < REQUEST_MAX;
	const char *length = strcasestr(conn->data, "\r\ncontent-length:");
	size_t want = length && length < body ? (size_t) strtoul(length + 17, NULL, 10) : 0;
	body += 4;
	if ((size_t) (conn->data + conn->len - body) < want)
		return true;
	conn->len = 0;
	body[-2] = '\0';
	return answer(server, conn, body);
}

static void close_conn(FakeServer *server, size_t i)
{
	(void) close(server->conn[i].fd);
	free(server->conn[i].data);
	server->conn[i] = server->conn[--server->n_conns];
}

static void *run(void *user)
{
	FakeServer *server = user;
	for (;;) {
		struct pollfd fds[CONNS_MAX + 2] = { { server->stop_fd[0], POLLIN, 0 }, { server->listen_fd, POLLIN, 0 } };
		for (size_t i = 0; i < server->n_conns; i++)
			fds[i + 2] = (struct pollfd) { server->conn[i].fd, POLLIN, 0 };
		if (poll(fds, server->n_conns + 2, -1) < 0 && errno != EINTR)
			return NULL;
		if (fds[0].revents)
			return NULL;
		for (size_t i = server->n_conns; i-- > 0;)
			if (fds[i + 2].revents && !serve(server, &server->conn[i]))
				close_conn(server, i);
		if (fds[1].revents && server->n_conns < CONNS_MAX) {
			int fd = accept(server->listen_fd, NULL, NULL);
			if (fd < 0)
				continue;
			(void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int) { 1 }, sizeof(int));
			atomic_fetch_add(&server->connections, 1);
			Conn *conn = &server->conn[server->n_conns++];
			*conn = (Conn) { .fd = fd, .data = malloc(REQUEST_MAX + 1) };
			must(conn->data != NULL, "malloc");
		}
	}
}

FakeServer *fake_server_start(FakeHandler *handler, void *context)
{
	FakeServer *server = calloc(1, sizeof *server);
	must(server != NULL, "calloc");
	must(!pthread_mutex_init(&server->lock, NULL), "pthread_mutex_init");
	server->handler = handler;
	server->context = context;
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof address;
	server->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(server->listen_fd >= 0, "socket");
	must(!bind(server->listen_fd, (struct sockaddr *) &address, len), "bind");
	must(!listen(server->listen_fd, CONNS_MAX), "listen");
	must(!getsockname(server->listen_fd, (struct sockaddr *) &address, &len), "getsockname");
	must(!pipe(server->stop_fd), "pipe");
	(void) snprintf(server->url, sizeof server->url, "http://127.0.0.1:%d", ntohs(address.sin_port));
	must(!pthread_create(&server->thread, NULL, run, server), "pthread_create");
	return server;
}

void fake_server_stop(FakeServer *server)
{
	if (!server)
		return;
	must(write(server->stop_fd[1], "", 1) == 1, "write");
	(void) pthread_join(server->thread, NULL);
	while (server->n_conns > 0)
		close_conn(server, 0);
	(void) close(server->listen_fd);
	(void) close(server->stop_fd[0]);
	(void) close(server->stop_fd[1]);
	(void) pthread_mutex_destroy(&server->lock);
	free(server);
}

const char *fake_server_url(const FakeServer *server)
{
	return server->url;
}

void fake_server_lock(FakeServer *server)
{
	(void) pthread_mutex_lock(&server->lock);
}

void fake_server_unlock(FakeServer *server)
{
	(void) pthread_mutex_unlock(&server->lock);
}

int fake_server_seen(FakeServer *server, const int *count)
{
	fake_server_lock(server);
	int n = *count;
	fake_server_unlock(server);
	return n;
}

bool fake_comes(bool (*is_there)(void *arg), void *arg)
{
	for (int i = 0; i < 20000; i++) {
		if (is_there(arg))
			return true;
		(void) usleep(1000);
	}
	return false;
}

int fake_server_requests(FakeServer *server)
{
	return atomic_load(&server->requests);
}

int fake_server_connections(FakeServer *server)
{
	return atomic_load(&server->connections);
}
