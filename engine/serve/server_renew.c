/*
 * See server.h: a TLS pair that is renewed under a running server, as cert-manager does with a mounted Secret.
 *
 * The library takes a pair for a daemon's life. So the new one gets a daemon of its own on the same socket, and the one before
 * takes no more connections: it answers what it has with "Connection: close" and is ended when nobody is left. A pair is tried
 * on a daemon without a socket first: a file that is half there, or a key of another certificate, never costs the one in use.
 */
#include "serve/server_inside.h"

#include "serve/exposition.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PEM_MAX = 1 << 20 };

static int read_pair(const ServerConfig *config, StrBuf *cert, StrBuf *key, Error *err)
{
	int code = config->tls_cert ? mem_read_file(config->tls_cert, PEM_MAX, cert, err) : 0;
	return code || !config->tls_key ? code : mem_read_file(config->tls_key, PEM_MAX, key, err);
}

static void no_log(void *context, const char *format, va_list args)
{
	(void) context;
	(void) format;
	(void) args;
}

/* address NULL: on listening, or, where that is no socket either, on none. */
static struct MHD_Daemon *start_daemon(Listener *listener, const struct sockaddr *address, int listening)
{
	const ServerConfig *config = &listener->server->config;
	struct sockaddr_storage bound = { 0 };
	socklen_t len = sizeof bound;
	if (!address && listening >= 0)
		(void) getsockname(listening, (struct sockaddr *) &bound, &len);
	int family = address ? address->sa_family : bound.ss_family;
	bool is_alone = !address && listening < 0;
	unsigned flags = (is_alone ? MHD_USE_NO_LISTEN_SOCKET : MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME) |
	                 MHD_USE_ERROR_LOG | (listener->cert.data ? MHD_USE_TLS : 0u) | (family == AF_INET6 ? MHD_USE_IPv6 : 0u);
	struct MHD_OptionItem more[6] = { { MHD_OPTION_END, 0, NULL } };
	size_t n = 0;
	if (config->share_port && address) /* the option with 0 would also take SO_REUSEADDR away, and with it a quick restart */
		more[n++] = (struct MHD_OptionItem) { MHD_OPTION_LISTENING_ADDRESS_REUSE, 1, NULL };
	if (config->threads > 1 && !is_alone)
		more[n++] = (struct MHD_OptionItem) { MHD_OPTION_THREAD_POOL_SIZE, (intptr_t) config->threads, NULL };
	if (listener->cert.data) {
		more[n++] = (struct MHD_OptionItem) { MHD_OPTION_HTTPS_MEM_CERT, 0, listener->cert.data };
		more[n++] = (struct MHD_OptionItem) { MHD_OPTION_HTTPS_MEM_KEY, 0, listener->key.data };
	}
	if (address)
		more[n++] = (struct MHD_OptionItem) { MHD_OPTION_SOCK_ADDR, 0, (void *) (intptr_t) address };
	else if (!is_alone)
		more[n++] = (struct MHD_OptionItem) { MHD_OPTION_LISTEN_SOCKET, listening, NULL };
	more[n] = (struct MHD_OptionItem) { MHD_OPTION_END, 0, NULL };
	return MHD_start_daemon(flags, 0, NULL, NULL, server_on_request, listener,
	                        MHD_OPTION_EXTERNAL_LOGGER, no_log, NULL,
	                        MHD_OPTION_ARRAY, more,
	                        MHD_OPTION_CONNECTION_LIMIT, 2 * config->connections, /* those that make room are there a little longer */
	                        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t) SERVER_HEADER_MAX * 2, /* headers, and the answer's */
	                        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned) ((config->read_limit_ms + 999) / 1000),
	                        MHD_OPTION_NOTIFY_COMPLETED, server_on_completed, listener,
	                        MHD_OPTION_NOTIFY_CONNECTION, server_on_connection, listener,
	                        MHD_OPTION_END);
}

static void drop(int fd)
{
	if (fd >= 0)
		(void) close(fd);
}

/* From the last daemon on the socket is the library's, which may have closed it when that does not start. */
int listener_open(Server *server, const struct sockaddr *address, int listening, Listener **ret_listener, Error *err)
{
	const ServerConfig *config = &server->config;
	Listener *listener = calloc(1, sizeof *listener);
	if (!listener) {
		drop(listening);
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	}
	listener->server = server;
	int code = read_pair(config, &listener->cert, &listener->key, err);
	struct MHD_Daemon *trial = !code && listener->cert.data ? start_daemon(listener, NULL, -1) : NULL;
	if (!code && listener->cert.data && !trial)
		code = error_set(err, ERR_INVALID, "%s and %s are not a certificate chain and its key", config->tls_cert, config->tls_key);
	if (trial)
		MHD_stop_daemon(trial);
	if (code)
		drop(listening);
	errno = 0;
	if (!code && !(listener->daemon = start_daemon(listener, address, listening)))
		code = error_set(err, ERR_IO, "cannot listen on %s: %s", config->listen, errno ? strerror(errno) : "the server cannot be set up");
	if (code)
		listener_close(listener);
	else
		*ret_listener = listener;
	return code;
}

void listener_close(Listener *listener)
{
	if (!listener)
		return;
	if (listener->daemon)
		MHD_stop_daemon(listener->daemon);
	strbuf_wipe(&listener->key);
	strbuf_done(&listener->cert);
	free(listener);
}

/* The one before, once its last connection has ended. */
static void end_retired(Server *server)
{
	Listener *over = NULL;
	(void) pthread_mutex_lock(&server->lock);
	if (server->retired && server->retired->n_connections == 0) {
		over = server->retired;
		server->retired = NULL;
	}
	(void) pthread_mutex_unlock(&server->lock);
	listener_close(over);
}

static bool is_same(const StrBuf *a, const StrBuf *b)
{
	return a->len == b->len && !memcmp(a->data, b->data, a->len);
}

/* False: it is the pair in use. hash: of what there is instead, or of why it cannot be read. */
static bool is_another(const Server *server, char hash[SHA256_HEX])
{
	StrBuf cert = { 0 }, key = { 0 };
	Error err = { 0 };
	bool answer = true;
	if (read_pair(&server->config, &cert, &key, &err))
		sha256_hex(err.text, strlen(err.text), hash);
	else if (is_same(&cert, &server->listener->cert) && is_same(&key, &server->listener->key))
		answer = false;
	else {
		strbuf_add(&key, cert.data, cert.len);
		sha256_hex(key.data, key.len, hash);
	}
	strbuf_wipe(&key);
	strbuf_done(&cert);
	return answer;
}

/* Connections that come go to fresh from now on. False: the server is about to end. */
static bool hand_over(Server *server, Listener *fresh)
{
	(void) pthread_mutex_lock(&server->lock);
	bool is_quiet = atomic_load(&server->is_quiet);
	if (!is_quiet) {
		server->retired = server->listener;
		server->listener = fresh;
		atomic_store(&server->retired->is_retired, true);
	}
	(void) pthread_mutex_unlock(&server->lock);
	if (is_quiet)
		return false;
	MHD_socket listening = MHD_quiesce_daemon(server->retired->daemon);
	drop(listening);
	return true;
}

void server_renew(Server *server)
{
	char hash[SHA256_HEX] = "";
	Error err = { 0 };
	Listener *fresh = NULL;
	end_retired(server);
	if (!server->config.tls_cert || server->retired || atomic_load(&server->is_quiet))
		return;
	if (!is_another(server, hash)) {
		server->refused[0] = '\0';
		return;
	}
	if (!strcmp(hash, server->refused))
		return; /* said already */
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(server->listener->daemon, MHD_DAEMON_INFO_LISTEN_FD);
	int listening = info && info->listen_fd >= 0 ? fcntl(info->listen_fd, F_DUPFD_CLOEXEC, 0) : -1;
	int code = listening < 0 ? error_set(&err, ERR_IO, "no descriptor is left") : listener_open(server, NULL, listening, &fresh, &err);
	if (code) {
		(void) snprintf(server->refused, sizeof server->refused, "%s", hash);
		(void) atomic_fetch_add(&server->refusals, 1);
		(void) fprintf(stderr, "maestro: TLS: %s; the old certificate goes on serving\n", err.text);
		return;
	}
	server->refused[0] = '\0';
	if (!hand_over(server, fresh)) {
		listener_close(fresh);
		return;
	}
	(void) atomic_fetch_add(&server->renewed, 1);
	(void) fprintf(stderr, "maestro: TLS: serving the new certificate of %s\n", server->config.tls_cert);
}

void server_renew_metrics(Server *server, StrBuf *to)
{
	if (!server->config.tls_cert)
		return;
	exposition_head(to, "maestro_tls_reloads_total", "counter", "Times that the server's certificate and key were read again after a change.");
	exposition_sample(to, "maestro_tls_reloads_total", "outcome=\"ok\"", (double) atomic_load(&server->renewed));
	exposition_sample(to, "maestro_tls_reloads_total", "outcome=\"failed\"", (double) atomic_load(&server->refusals));
}
