/* See server.h: how a server begins and ends. */
#include "serve/server_inside.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { READ_MS = 10000, CONNECTIONS = 128 };

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

static int listen_and_serve(Server *server, const struct addrinfo *address, Error *err)
{
	const ServerConfig *config = &server->config;
	if (!config->tls_cert != !config->tls_key)
		return error_set(err, ERR_USAGE, "TLS takes a certificate and its key, not one of them");
	int code = config->token_file ? token_open(config->token_file, &server->token, err) : 0;
	if (!code)
		code = listener_open(server, address->ai_addr, -1, &server->listener, err);
	if (code)
		return code;
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(server->listener->daemon, MHD_DAEMON_INFO_BIND_PORT);
	server->port = info ? info->port : 0;
	if (pthread_create(&server->sweeper, NULL, server_sweep, server))
		return error_set(err, ERR_NOMEM, "cannot start a thread");
	server->has_sweeper = true;
	return 0;
}

int server_start(const ServerConfig *config, const ServerDuty *duty, Server **ret_server, Error *err)
{
	struct addrinfo *address = NULL;
	if (!server_library_load())
		return error_set(err, ERR_FAILED, "libmicrohttpd.so.12 cannot be loaded; install libmicrohttpd12");
	int code = resolve(config->listen, &address, err);
	if (code)
		return code;
	Server *server = calloc(1, sizeof *server);
	if (!server) {
		freeaddrinfo(address);
		return error_set(err, ERR_NOMEM, "out of memory");
	}
	server->config = *config;
	server->duty = *duty;
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
	return server->port;
}

void server_quiesce(Server *server, int64_t wait_ms)
{
	struct timespec until;
	if (!server)
		return;
	(void) clock_gettime(CLOCK_MONOTONIC, &until);
	int64_t at_ns = until.tv_nsec + wait_ms % 1000 * 1000000;
	until.tv_sec += (time_t) (wait_ms / 1000 + at_ns / 1000000000);
	until.tv_nsec = (long) (at_ns % 1000000000);
	(void) pthread_mutex_lock(&server->lock);
	bool was_quiet = atomic_exchange(&server->is_quiet, true); /* and no other listener takes this one's place */
	(void) pthread_mutex_unlock(&server->lock);
	/* closed at once: where a port is shared, the kernel would go on sending connections here, and nobody takes them */
	MHD_socket listening = was_quiet ? MHD_INVALID_SOCKET : MHD_quiesce_daemon(server->listener->daemon);
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
	listener_close(server->retired);
	listener_close(server->listener);
	token_close(server->token);
	(void) pthread_cond_destroy(&server->ended);
	(void) pthread_cond_destroy(&server->idle);
	(void) pthread_mutex_destroy(&server->lock);
	free(server);
}
