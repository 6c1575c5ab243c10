/* The HTTP server's limits, over raw sockets: those who trickle, shout or come in crowds. */
#include "fakes/raw_client.h"
#include "serve/server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static ServerVerdict echo(void *context, ServerRequest *request)
{
	(void) context;
	const char *name = server_query(request, "name");
	strbuf_addf(&request->answer, "%s %s", name ? name : "-", request->body);
	return SERVER_ANSWERED;
}

static ServerVerdict quiet(void *context, ServerRequest *request)
{
	server_keep(request);
	atomic_store((ServerRequest *_Atomic *) context, request);
	return SERVER_KEPT;
}

static const ServerRoute ROUTES[] = { { "POST", "/echo", echo }, { "GET", "/quiet", quiet }, { NULL, NULL, NULL } };

static bool is_closed(int fd, int wait_ms)
{
	char byte;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	return poll(&p, 1, wait_ms) == 1 && read(fd, &byte, 1) <= 0;
}

static void query_and_body_are_read(void **state)
{
	char buf[1024];
	(void) state;
	Server *server = raw_server((ServerConfig) { 0 }, ROUTES, NULL);
	int fd = raw_dial(server);
	raw_say(fd, "POST /echo?name=a%20b HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody");
	assert_non_null(strstr(raw_hear(fd, "a b body", 5000, buf, sizeof buf), "a b body"));
	/* the connection goes on, and nothing of the first request is left */
	raw_say(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nz");
	assert_non_null(strstr(raw_hear(fd, "- z", 5000, buf, sizeof buf), "- z"));
	(void) close(fd);
	server_stop(server);
}

/* The library's own time-out starts anew with each byte; the read limit does not. */
static void who_trickles_is_closed(void **state)
{
	(void) state;
	Server *server = raw_server((ServerConfig) { .read_limit_ms = 300 }, ROUTES, NULL);
	int headers = raw_dial(server), body = raw_dial(server);
	raw_say(headers, "POST /echo HTTP/1.1\r\nX-A: ");
	raw_say(body, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n");
	bool is_over[2] = { false, false };
	for (int i = 0; i < 100 && !(is_over[0] && is_over[1]); i++) {
		raw_say(headers, "a");
		raw_say(body, "a");
		is_over[0] = is_over[0] || is_closed(headers, 50);
		is_over[1] = is_over[1] || is_closed(body, 50);
	}
	assert_true(is_over[0] && is_over[1]);
	(void) close(headers);
	(void) close(body);
	server_stop(server);
}

static void large_headers_are_refused(void **state)
{
	char buf[1024], *long_ = calloc(1, 20001);
	(void) state;
	assert_non_null(long_);
	memset(long_, 'a', 20000);
	Server *server = raw_server((ServerConfig) { 0 }, ROUTES, NULL);
	int fd = raw_dial(server);
	raw_say(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nX-A: ");
	raw_say(fd, long_);
	raw_say(fd, "\r\nContent-Length: 0\r\n\r\n");
	assert_non_null(strstr(raw_hear(fd, "\r\n\r\n", 5000, buf, sizeof buf), " 431 "));
	(void) close(fd);
	server_stop(server);
	free(long_);
}

static void connections_past_the_limit_are_closed(void **state)
{
	char buf[1024];
	int fd[6];
	size_t served = 0;
	(void) state;
	Server *server = raw_server((ServerConfig) { .connections = 4, .read_limit_ms = 2000 }, ROUTES, NULL);
	for (size_t i = 0; i < 6; i++)
		fd[i] = raw_dial(server);
	for (size_t i = 0; i < 6; i++) {
		struct pollfd p = { .fd = fd[i], .events = POLLIN };
		raw_say(fd[i], "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nz");
		if (poll(&p, 1, 300) == 1)
			served += strstr(raw_hear(fd[i], "- z", 5000, buf, sizeof buf), "- z") != NULL;
	}
	assert_int_equal(served, 4);
	for (size_t i = 0; i < 6; i++)
		(void) close(fd[i]);
	server_stop(server);
}

static void a_kept_request_is_waited_for_at_the_end(void **state)
{
	char buf[1024];
	ServerRequest *_Atomic kept = NULL;
	(void) state;
	Server *server = raw_server((ServerConfig) { 0 }, ROUTES, &kept);
	int fd = raw_dial(server);
	raw_say(fd, "GET /quiet HTTP/1.1\r\nHost: x\r\n\r\n");
	while (!kept)
		(void) nanosleep(&(struct timespec) { 0, 1000000 }, NULL);
	server_quiesce(server, 20); /* gives up waiting, and takes nobody new */
	strbuf_addf(&kept->answer, "late");
	server_finish(kept);
	server_quiesce(server, 5000);
	assert_non_null(strstr(raw_hear(fd, "late", 5000, buf, sizeof buf), "Connection: close"));
	(void) close(fd);
	server_stop(server);
}

static void half_a_tls_pair_is_refused(void **state)
{
	Server *server = NULL;
	Error err = { 0 };
	(void) state;
	const ServerDuty duty = { 0 };
	ServerConfig config = { .listen = "127.0.0.1:0", .tls_cert = "tests/fixtures/tls/server.crt" };
	assert_int_equal(server_start(&config, &duty, &server, &err), ERR_USAGE);
	config = (ServerConfig) { .listen = "127.0.0.1:0", .token_file = "/nonexistent" };
	assert_int_equal(server_start(&config, &duty, &server, &err), ERR_IO);
	assert_non_null(strstr(err.text, "/nonexistent"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(query_and_body_are_read),
		cmocka_unit_test(who_trickles_is_closed),
		cmocka_unit_test(large_headers_are_refused),
		cmocka_unit_test(connections_past_the_limit_are_closed),
		cmocka_unit_test(a_kept_request_is_waited_for_at_the_end),
		cmocka_unit_test(half_a_tls_pair_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
