/*
 * The HTTP server among those who mean it no good, over raw sockets: crowds, floods, broken TLS, guesses at the token. Whoever asks
 * properly is answered meanwhile, probes too, and the process does not grow.
 */
#include "base/http.h"
#include "fakes/raw_client.h"
#include "serve/server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define CERT "tests/fixtures/tls/server.crt"
#define KEY "tests/fixtures/tls/server.key"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) /* which keep what was freed */
enum { GROWTH_KIB = 1 << 20 };
#else
enum { GROWTH_KIB = 32 << 10 };
#endif
enum { CROWD = 10000, STANDING = 200, WAIT_MS = 10000 };

static ServerVerdict echo(void *context, ServerRequest *request)
{
	(void) context;
	strbuf_addf(&request->answer, "<%s>", request->body);
	return SERVER_ANSWERED;
}

static const ServerRoute ROUTES[] = { { "POST", "/echo", echo }, { NULL, NULL, NULL } };

static Server *begin(ServerConfig config)
{
	config.threads = config.threads ? config.threads : 2;
	return raw_server(config, ROUTES, NULL);
}

static bool hears(int fd, const char *text)
{
	char buf[4096];
	return strstr(raw_hear(fd, text, WAIT_MS, buf, sizeof buf), text) != NULL;
}

/* Somebody who comes, asks at once and goes. */
static bool is_answered(const Server *server, const char *request, const char *answer)
{
	int fd = raw_dial(server);
	raw_say(fd, request);
	bool result = hears(fd, answer);
	(void) close(fd);
	return result;
}

static bool is_healthy(const Server *server)
{
	return is_answered(server, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", "ok\n");
}

static long resident_kib(void)
{
	char line[128];
	long kib = -1;
	FILE *file = fopen("/proc/self/status", "r");
	assert_non_null(file);
	while (fgets(line, sizeof line, file))
		if (!strncmp(line, "VmRSS:", 6))
			kib = strtol(line + 6, NULL, 10);
	(void) fclose(file);
	return kib;
}

/* Many times the limit of connections that say half a header and stay. */
static void a_crowd_shuts_nobody_out(void **state)
{
	(void) state;
	static int fd[STANDING];
	Server *server = begin((ServerConfig) { .connections = 32, .read_limit_ms = 60000 });
	int customer = raw_dial(server); /* it keeps its connection */
	memset(fd, -1, sizeof fd);
	long before = resident_kib();
	for (int i = 0; i < CROWD; i++) {
		int *place = &fd[i % STANDING];
		if (*place >= 0)
			(void) close(*place);
		*place = raw_dial(server);
		raw_say(*place, i % 2 ? "POST /echo HTTP/1.1\r\nX-A: " : "");
		if (i % 500 == 0)
			assert_true(is_healthy(server));
		if (i % 10 == 0) {
			raw_say(customer, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nz");
			assert_true(hears(customer, "<z>"));
		}
	}
	assert_true(is_healthy(server));
	assert_in_range(resident_kib() - before + GROWTH_KIB, 0, 2 * GROWTH_KIB);
	for (int i = 0; i < STANDING; i++)
		(void) close(fd[i]);
	(void) close(customer);
	server_stop(server);
}

/* Of three that come within a tick of the server's clock where two may be, the first goes. */
static void who_came_first_makes_room(void **state)
{
	(void) state;
	char buf[64];
	for (int round = 0; round < 10; round++) {
		Server *server = begin((ServerConfig) { .connections = 2, .threads = 1, .read_limit_ms = 60000 });
		int fd[3];
		for (int i = 0; i < 3; i++)
			fd[i] = raw_dial(server);
		for (int i = 2; i > 0; i--) {
			raw_say(fd[i], "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
			assert_true(hears(fd[i], "ok\n"));
		}
		assert_string_equal(raw_hear(fd[0], NULL, WAIT_MS, buf, sizeof buf), "");
		assert_int_equal(recv(fd[0], buf, 1, MSG_DONTWAIT), 0); /* closed */
		for (int i = 0; i < 3; i++)
			(void) close(fd[i]);
		server_stop(server);
	}
}

/* Bodies that are announced as endless, or are. */
static void floods_are_read_and_dropped(void **state)
{
	(void) state;
	static char part[1 << 16];
	Server *server = begin((ServerConfig) { .read_limit_ms = 60000 });
	memset(part, 'a', sizeof part - 1);
	long before = resident_kib();
	int chunked = raw_dial(server), announced = raw_dial(server);
	raw_say(chunked, "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
	raw_say(announced, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 67107840\r\n\r\n");
	for (int i = 0; i < 1024; i++) { /* 64 MiB each */
		raw_say(chunked, "ffff\r\n");
		raw_say(chunked, part);
		raw_say(chunked, "\r\n");
		raw_say(announced, part);
		if (i % 256 == 0)
			assert_true(is_healthy(server));
	}
	raw_say(chunked, "0\r\n\r\n");
	assert_true(hears(chunked, " 413 "));
	assert_true(hears(announced, " 413 "));
	assert_in_range(resident_kib() - before + GROWTH_KIB, 0, 2 * GROWTH_KIB);
	(void) close(chunked);
	(void) close(announced);
	server_stop(server);
}

static void pipelined_requests_are_answered_in_their_order(void **state)
{
	(void) state;
	enum { N = 50 };
	Server *server = begin((ServerConfig) { 0 });
	int fd = raw_dial(server);
	char text[128], answers[N * 256] = "";
	size_t len = 0;
	for (int i = 0; i < N; i++) {
		(void) snprintf(text, sizeof text, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n%02d", i);
		raw_say(fd, text);
	}
	struct pollfd p = { .fd = fd, .events = POLLIN };
	while (!strstr(answers, "<49>") && poll(&p, 1, WAIT_MS) == 1) {
		ssize_t n = read(fd, answers + len, sizeof answers - len - 1);
		if (n <= 0)
			break;
		len += (size_t) n;
	}
	const char *at = answers;
	for (int i = 0; i < N; i++) {
		(void) snprintf(text, sizeof text, "<%02d>", i);
		at = strstr(at, text);
		assert_non_null(at);
	}
	(void) close(fd);
	server_stop(server);
}

static void broken_requests_end_their_connection_alone(void **state)
{
	(void) state;
	static const char *const broken[] = {
		"\r\n\r\n\r\n", "GET\r\n\r\n", "\x16\x03\x01\x02", "POST /echo HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
		"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
		"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "GET /healthz HTTP/9.9\r\n\r\n",
		"GET /\x01\x02 HTTP/1.1\r\nHost: x\r\n\r\n", "GET /healthz HTTP/1.1\r\nHost x\r\n\r\n",
	};
	Server *server = begin((ServerConfig) { 0 });
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		int fd = raw_dial(server);
		raw_say(fd, broken[i]);
		assert_true(is_healthy(server));
		(void) close(fd);
	}
	server_stop(server);
}

static void broken_tls_costs_others_nothing(void **state)
{
	(void) state;
	static const char *const broken[] = {
		"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", "\x16\x03\x01\xff\xff", "\x16\x03\x01", "\x80\x2e\x01\x03", "\x15\x03\x03", "",
	};
	StrBuf pem = { 0 };
	HttpClient *client = NULL;
	HttpResponse response = { 0 };
	char url[64];
	Error err = { 0 };
	Server *server = begin((ServerConfig) { .tls_cert = CERT, .tls_key = KEY, .connections = 16 });
	assert_int_equal(mem_read_file(CERT, 1 << 16, &pem, NULL), 0);
	(void) snprintf(url, sizeof url, "https://127.0.0.1:%d/healthz", server_port(server));
	int fd[60];
	for (size_t i = 0; i < 60; i++) { /* more than there may be, in the middle of their handshakes */
		fd[i] = raw_dial(server);
		raw_say(fd[i], broken[i % 6]);
		if (i % 10)
			continue;
		assert_int_equal(http_client_new(&(HttpTls) { .ca_pem = pem.data }, &client, NULL), 0); /* a handshake of its own */
		if (http_request(client, &(HttpRequest) { .method = "GET", .url = url, .timeout_ms = WAIT_MS }, &response, &err))
			fail_msg("after %zu: %s", i, err.text);
		assert_int_equal(response.status, 200);
		http_client_free(client);
	}
	for (size_t i = 0; i < 60; i++)
		(void) close(fd[i]);
	http_response_done(&response);
	strbuf_done(&pem);
	server_stop(server);
}

static void guesses_at_the_token_are_refused_and_others_served(void **state)
{
	(void) state;
	char path[] = "/tmp/test_server_abuse_XXXXXX", text[512];
	int file = mkstemp(path), fd;
	assert_true(file >= 0 && write(file, "s3cret\n", 7) == 7);
	Server *server = begin((ServerConfig) { .token_file = path });
	fd = raw_dial(server);
	for (int i = 0; i < 500; i++) {
		(void) snprintf(text, sizeof text, "POST /echo HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %x\r\nContent-Length: 1\r\n\r\nz", i);
		raw_say(fd, text);
		assert_true(hears(fd, "wanted"));
	}
	assert_true(is_healthy(server));
	assert_true(is_answered(server, "POST /echo HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer s3cret\r\nContent-Length: 1\r\n\r\nz", "<z>"));
	(void) close(fd);
	(void) close(file);
	(void) unlink(path);
	server_stop(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_crowd_shuts_nobody_out),
		cmocka_unit_test(who_came_first_makes_room),
		cmocka_unit_test(floods_are_read_and_dropped),
		cmocka_unit_test(pipelined_requests_are_answered_in_their_order),
		cmocka_unit_test(broken_requests_end_their_connection_alone),
		cmocka_unit_test(broken_tls_costs_others_nothing),
		cmocka_unit_test(guesses_at_the_token_are_refused_and_others_served),
	};
	if (http_global_init())
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	http_global_done();
	return failed;
}
