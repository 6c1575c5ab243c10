/* Files that are renewed under a running server and its client: certificate and key, authority, bearer token. */
#include "base/endpoint.h"
#include "cluster/watch.h"
#include "serve/server.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define TLS "tests/fixtures/tls/"

enum { LOOKS = 400, LOOK_MS = 25 };

typedef struct Rig {
	char dir[64], cert[96], key[96], ca[96], token[96], url[64];
	Server *server;
	Endpoint *endpoint;      /* keeps its connection from request to request */
	HttpResponse response;
} Rig;

static void put(const char *path, const char *text, size_t len)
{
	char fresh[128];
	(void) snprintf(fresh, sizeof fresh, "%s.new", path);
	FILE *file = fopen(fresh, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(rename(fresh, path), 0); /* as a Secret's files are swapped */
}

static void copy(const char *to, const char *from)
{
	StrBuf text = { 0 };
	assert_int_equal(mem_read_file(from, 1 << 16, &text, NULL), 0);
	put(to, text.data, text.len);
	strbuf_done(&text);
}

static ServerVerdict hello(void *context, ServerRequest *request)
{
	(void) context;
	strbuf_addf(&request->answer, "hello");
	return SERVER_ANSWERED;
}

/* A list of the API, and a watch that ends at once. */
static ServerVerdict no_objects(void *context, ServerRequest *request)
{
	(void) context;
	strbuf_addf(&request->answer, "{\"metadata\":{\"resourceVersion\":\"7\"},\"items\":[]}\n");
	return SERVER_ANSWERED;
}

static const ServerRoute ROUTES[] = {
	{ "GET", "/hello", hello },
	{ "GET", "/apis/apps/v1/namespaces/shop/deployments", no_objects },
	{ "GET", "/api/v1/namespaces/shop/pods", no_objects },
	{ NULL, NULL, NULL },
};

static void no_metrics(void *context, StrBuf *to)
{
	(void) context;
	(void) to;
}

static const ServerDuty DUTY = { .route = ROUTES, .metrics = no_metrics };

static void begin(Rig *rig, bool has_tls, bool has_token)
{
	Error err = { 0 };
	*rig = (Rig) { .dir = "/tmp/test_server_renew_XXXXXX" };
	assert_non_null(mkdtemp(rig->dir));
	(void) snprintf(rig->cert, sizeof rig->cert, "%s/tls.crt", rig->dir);
	(void) snprintf(rig->key, sizeof rig->key, "%s/tls.key", rig->dir);
	(void) snprintf(rig->ca, sizeof rig->ca, "%s/ca.crt", rig->dir);
	(void) snprintf(rig->token, sizeof rig->token, "%s/token", rig->dir);
	copy(rig->cert, TLS "server.crt");
	copy(rig->key, TLS "server.key");
	copy(rig->ca, TLS "server.crt");
	put(rig->token, "first\n", 6);
	/* as often as files are read again, and what a handshake may take: on a busy machine that is long */
	ServerConfig config = { .listen = "127.0.0.1:0", .threads = 2, .read_limit_ms = 1000 };
	if (has_tls) {
		config.tls_cert = rig->cert;
		config.tls_key = rig->key;
	}
	config.token_file = has_token ? rig->token : NULL;
	if (server_start(&config, &DUTY, &rig->server, &err))
		fail_msg("%s", err.text);
	(void) snprintf(rig->url, sizeof rig->url, "http%s://127.0.0.1:%d", has_tls ? "s" : "", server_port(rig->server));
	const EndpointConfig from = { .url = rig->url, .ca_file = has_tls ? rig->ca : NULL, .bearer_file = has_token ? rig->token : NULL };
	if (endpoint_open(&from, &rig->endpoint, &err))
		fail_msg("%s", err.text);
}

static void end(Rig *rig)
{
	endpoint_close(rig->endpoint);
	server_stop(rig->server);
	http_response_done(&rig->response);
	const char *const file[] = { rig->cert, rig->key, rig->ca, rig->token };
	for (size_t i = 0; i < sizeof file / sizeof *file; i++)
		(void) unlink(file[i]);
	assert_int_equal(rmdir(rig->dir), 0);
}

static int ask(Rig *rig, const char *path)
{
	Error err = { 0 };
	int code = endpoint_request(rig->endpoint, path, (HttpRequest) { .method = "GET" }, &rig->response, &err);
	return code ? code : rig->response.status;
}

/* What somebody new who trusts this certificate alone, and bears this token, is answered. */
static int ask_anew(const Rig *rig, const char *ca_file, const char *bearer)
{
	StrBuf ca = { 0 };
	HttpClient *client = NULL;
	HttpResponse response = { 0 };
	char url[96];
	Error err = { 0 };
	if (ca_file)
		assert_int_equal(mem_read_file(ca_file, 1 << 16, &ca, NULL), 0);
	assert_int_equal(http_client_new(&(HttpTls) { .ca_pem = ca.data }, &client, NULL), 0);
	(void) snprintf(url, sizeof url, "%s/hello", rig->url);
	int code = http_request(client, &(HttpRequest) { .method = "GET", .url = url, .bearer = bearer }, &response, &err);
	code = code ? code : response.status;
	http_client_free(client);
	http_response_done(&response);
	strbuf_done(&ca);
	return code;
}

static bool shows(Rig *rig, const char *line)
{
	assert_int_equal(ask(rig, "/metrics"), 200);
	return strstr(rig->response.body.data, line) != NULL;
}

static void wait_for(Rig *rig, const char *line)
{
	for (int i = 0; i < LOOKS; i++) {
		if (shows(rig, line))
			return;
		(void) nanosleep(&(struct timespec) { 0, LOOK_MS * 1000000 }, NULL);
	}
	fail_msg("%s did not come, but\n%s", line, rig->response.body.data);
}

/* Whoever is connected is answered throughout, whoever comes sees the new certificate, and no restart is needed. */
static void a_renewed_certificate_is_served(void **state)
{
	Rig rig;
	(void) state;
	begin(&rig, true, false);
	int port = server_port(rig.server);
	assert_int_equal(ask(&rig, "/hello"), 200);
	assert_int_equal(ask_anew(&rig, TLS "renewed.crt", NULL), ERR_UNREACHABLE);
	copy(rig.ca, TLS "renewed.crt"); /* which the endpoint needs not before its next connection */
	copy(rig.key, TLS "renewed.key");
	copy(rig.cert, TLS "renewed.crt");
	wait_for(&rig, "maestro_tls_reloads_total{outcome=\"ok\"} 1\n");
	assert_int_equal(ask_anew(&rig, TLS "renewed.crt", NULL), 200);
	assert_int_equal(ask_anew(&rig, TLS "server.crt", NULL), ERR_UNREACHABLE);
	assert_int_equal(ask(&rig, "/hello"), 200);
	assert_int_equal(server_port(rig.server), port);
	/* and back, once the first one's connections are over */
	copy(rig.ca, TLS "server.crt");
	copy(rig.key, TLS "server.key");
	copy(rig.cert, TLS "server.crt");
	wait_for(&rig, "maestro_tls_reloads_total{outcome=\"ok\"} 2\n");
	assert_int_equal(ask_anew(&rig, TLS "server.crt", NULL), 200);
	end(&rig);
}

static void a_pair_that_is_none_leaves_the_old_one(void **state)
{
	Rig rig;
	char line[80];
	(void) state;
	begin(&rig, true, false);
	const struct { const char *cert, *key; } bad[] = {
		{ TLS "renewed.crt", TLS "server.key" },           /* seen between the two writes of a renewal */
		{ "tests/fixtures/README.md", TLS "server.key" },  /* not PEM */
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		copy(rig.cert, bad[i].cert);
		copy(rig.key, bad[i].key);
		(void) snprintf(line, sizeof line, "maestro_tls_reloads_total{outcome=\"failed\"} %zu\n", i + 1);
		wait_for(&rig, line);
		assert_int_equal(ask_anew(&rig, TLS "server.crt", NULL), 200);
	}
	assert_int_equal(unlink(rig.key), 0);
	wait_for(&rig, "maestro_tls_reloads_total{outcome=\"failed\"} 3\n");
	(void) nanosleep(&(struct timespec) { 0, 600 * 1000000 }, NULL); /* three more looks at the same: counted once */
	assert_true(shows(&rig, "maestro_tls_reloads_total{outcome=\"failed\"} 3\n"));
	assert_true(shows(&rig, "maestro_tls_reloads_total{outcome=\"ok\"} 0\n"));
	assert_int_equal(ask_anew(&rig, TLS "server.crt", NULL), 200);
	copy(rig.cert, TLS "renewed.crt"); /* what is right again is taken */
	copy(rig.key, TLS "renewed.key");
	for (int i = 0; i < LOOKS && ask_anew(&rig, TLS "renewed.crt", NULL) != 200; i++)
		(void) nanosleep(&(struct timespec) { 0, LOOK_MS * 1000000 }, NULL);
	assert_int_equal(ask_anew(&rig, TLS "renewed.crt", NULL), 200);
	end(&rig);
}

static void a_renewed_token_is_asked_for_and_sent(void **state)
{
	Rig rig;
	(void) state;
	begin(&rig, false, true);
	assert_int_equal(ask(&rig, "/hello"), 200);
	assert_int_equal(ask_anew(&rig, NULL, "second"), 401);
	put(rig.token, "second\n", 7);
	for (int i = 0; i < LOOKS && ask_anew(&rig, NULL, "second") != 200; i++)
		(void) nanosleep(&(struct timespec) { 0, LOOK_MS * 1000000 }, NULL);
	assert_int_equal(ask_anew(&rig, NULL, "second"), 200);
	assert_int_equal(ask_anew(&rig, NULL, "first"), 401);
	assert_int_equal(ask(&rig, "/hello"), 200); /* the endpoint reads its file upon 401 */
	assert_int_equal(unlink(rig.token), 0);
	(void) nanosleep(&(struct timespec) { 1, 100 * 1000000 }, NULL);
	assert_int_equal(ask_anew(&rig, NULL, "third"), 401); /* a file that is away is no open door, and no closed one */
	assert_int_equal(ask_anew(&rig, NULL, ""), 401);
	assert_int_equal(ask(&rig, "/hello"), 200);
	end(&rig);
}

/* Behind a proxy that takes Authorization for itself. */
static void its_own_token_goes_beside_another(void **state)
{
	Rig rig;
	char other[128];
	Endpoint *endpoint = NULL;
	(void) state;
	begin(&rig, false, true);
	(void) snprintf(other, sizeof other, "%s/other", rig.dir);
	put(other, "other\n", 6);
	endpoint_close(rig.endpoint);
	const EndpointConfig both = { .url = rig.url, .bearer_file = other, .own_token_file = rig.token };
	assert_int_equal(endpoint_open(&both, &rig.endpoint, NULL), 0);
	assert_int_equal(ask(&rig, "/hello"), 200);
	put(rig.token, "second\n", 7);
	for (int i = 0; i < LOOKS && ask_anew(&rig, NULL, "second") != 200; i++)
		(void) nanosleep(&(struct timespec) { 0, LOOK_MS * 1000000 }, NULL);
	assert_int_equal(ask(&rig, "/hello"), 200); /* read again upon 401 */
	const EndpointConfig swapped = { .url = rig.url, .bearer_file = rig.token, .own_token_file = other };
	assert_int_equal(endpoint_open(&swapped, &endpoint, NULL), 0);
	assert_int_equal(endpoint_request(endpoint, "/hello", (HttpRequest) { .method = "GET" }, &rig.response, NULL), 0);
	assert_int_equal(rig.response.status, 401);
	endpoint_close(endpoint);
	(void) unlink(other);
	end(&rig);
}

/* A server that serves only who shows the renewed certificate; -1: there is no openssl. */
static pid_t start_strict(char url[64], FILE **ret_out)
{
	int fds[2];
	char line[256] = "";
	if (system("command -v openssl >/dev/null") != 0)
		return -1;
	assert_int_equal(pipe(fds), 0);
	pid_t pid = fork();
	if (pid == 0) {
		(void) dup2(fds[1], STDOUT_FILENO);
		if (!freopen("/dev/null", "w", stderr))
			_exit(127);
		(void) close(fds[0]);
		(void) execlp("openssl", "openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", TLS "server.crt", "-key", TLS "server.key",
		              "-CAfile", TLS "renewed.crt", "-Verify", "1", "-verify_return_error", "-www", (char *) NULL);
		_exit(127);
	}
	(void) close(fds[1]);
	FILE *out = fdopen(fds[0], "r");
	assert_non_null(out);
	while (fgets(line, sizeof line, out) && strncmp(line, "ACCEPT ", 7) != 0)
		continue;
	(void) snprintf(url, 64, "https://127.0.0.1%s", strchr(line, ':') ? strchr(line, ':') : "");
	url[strcspn(url, "\r\n")] = '\0';
	*ret_out = out;
	return pid;
}

/* As Prometheus behind mutual TLS: the connection that is refused reads the files again. */
static void a_renewed_client_certificate_is_shown(void **state)
{
	(void) state;
	Rig rig;
	char url[64];
	Error err = { 0 };
	FILE *out = NULL;
	pid_t strict = start_strict(url, &out);
	if (strict < 0)
		skip();
	begin(&rig, true, false);
	endpoint_close(rig.endpoint);
	const EndpointConfig from = { .url = url, .ca_file = TLS "server.crt", .cert_file = rig.cert, .key_file = rig.key };
	assert_int_equal(endpoint_open(&from, &rig.endpoint, &err), 0);
	assert_true(ask(&rig, "/") < 0);
	copy(rig.key, TLS "renewed.key");
	copy(rig.cert, TLS "renewed.crt");
	assert_int_equal(ask(&rig, "/"), 200);
	put(rig.cert, "no PEM", 6); /* the pair of before goes on */
	assert_int_equal(ask(&rig, "/"), 200);
	(void) kill(strict, SIGKILL);
	(void) waitpid(strict, NULL, 0);
	(void) fclose(out);
	end(&rig);
}

/* ---- the API's authority ---- */

static void serve_again(Rig *rig, const char *cert, const char *key)
{
	Error err = { 0 };
	char listen[32];
	(void) snprintf(listen, sizeof listen, "127.0.0.1:%d", server_port(rig->server));
	server_stop(rig->server);
	const ServerConfig config = { .listen = listen, .threads = 2, .tls_cert = cert, .tls_key = key };
	if (server_start(&config, &DUTY, &rig->server, &err))
		fail_msg("%s", err.text);
}

/* What a reader of the watched namespace is told: ERR_NOT_FOUND is the answer of a cache that is whole. */
static bool comes_to_read(KubeCache *cache, int code)
{
	Target target = { .namespace_ = "shop", .name = "web" };
	KubeDeployment deployment;
	for (int i = 0; i < LOOKS; i++) {
		if (kube_cache_deployment(cache, &target, &deployment, NULL) == code)
			return true;
		(void) nanosleep(&(struct timespec) { 0, LOOK_MS * 1000000 }, NULL);
	}
	return false;
}

/* A cluster that rotates its authority rewrites ca.crt in each pod: requests and watches go on without a restart. */
static void a_renewed_authority_of_the_api_is_taken(void **state)
{
	Rig rig;
	(void) state;
	begin(&rig, true, false);
	StrBuf ca = { 0 };
	Error err = { 0 };
	Clock clock;
	KubeClient *client = NULL;
	KubeCache *cache = NULL;
	Watch *watch = NULL;
	const char *const namespace_ = "shop";
	clock_init_system(&clock);
	assert_int_equal(mem_read_file(rig.ca, 1 << 16, &ca, NULL), 0);
	const KubeConfig config = { .server = rig.url, .ca_pem = ca.data, .ca_file = rig.ca };
	assert_int_equal(kube_client_new(&config, &clock, &client, &err), 0);
	assert_int_equal(kube_cache_new(&cache, &err), 0);
	const WatchConfig watched = { .kube = &config, .clock = &clock, .cache = cache, .namespace_ = &namespace_, .n = 1, .backoff_ms = 20 };
	assert_int_equal(watch_start(&watched, &watch, &err), 0);
	assert_int_equal(kube_request(client, "hello", "GET", "/hello", NULL, NULL, &err), 0);
	assert_true(comes_to_read(cache, ERR_NOT_FOUND));

	serve_again(&rig, TLS "renewed.crt", TLS "renewed.key");
	assert_int_equal(kube_request(client, "hello", "GET", "/hello", NULL, NULL, &err), ERR_UNREACHABLE);
	assert_true(comes_to_read(cache, ERR_UNREACHABLE));
	put(rig.ca, "-----BEGIN CERTIFICATE-----\nhalf", 32); /* while it is being written */
	assert_int_equal(kube_request(client, "hello", "GET", "/hello", NULL, NULL, &err), ERR_UNREACHABLE);
	copy(rig.ca, TLS "renewed.crt");
	assert_int_equal(kube_request(client, "hello", "GET", "/hello", NULL, NULL, &err), 0);
	assert_true(comes_to_read(cache, ERR_NOT_FOUND));

	watch_stop(watch);
	kube_cache_free(cache);
	kube_client_free(client);
	strbuf_done(&ca);
	end(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_renewed_certificate_is_served),
		cmocka_unit_test(a_pair_that_is_none_leaves_the_old_one),
		cmocka_unit_test(a_renewed_token_is_asked_for_and_sent),
		cmocka_unit_test(its_own_token_goes_beside_another),
		cmocka_unit_test(a_renewed_client_certificate_is_shown),
		cmocka_unit_test(a_renewed_authority_of_the_api_is_taken),
	};
	if (http_global_init())
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	http_global_done();
	return failed;
}
