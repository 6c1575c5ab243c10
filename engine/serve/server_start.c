/* See server.h: how a server begins and ends. */
#include "serve/server_inside.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PEM_MAX = 1 << 20, READ_MS = 10000, CONNECTIONS = 128 };

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
	return MHD_start_daemon(flags, 0, NULL, NULL, server_on_request, server,
	                        MHD_OPTION_EXTERNAL_LOGGER, no_log, NULL,
	                        MHD_OPTION_SOCK_ADDR, address->ai_addr,
	                        MHD_OPTION_ARRAY, more,
	                        MHD_OPTION_CONNECTION_LIMIT, config->connections,
	                        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t) SERVER_HEADER_MAX * 2, /* headers, and the answer's */
	                        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned) ((config->read_limit_ms + 999) / 1000),
	                        MHD_OPTION_NOTIFY_COMPLETED, server_on_completed, server,
	                        MHD_OPTION_NOTIFY_CONNECTION, server_on_connection, server,
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
	if (pthread_create(&server->sweeper, NULL, server_sweep, server))
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
