/* `maestro model-server` as a process on loopback: the contract of /predict, reloads, token, TLS, its end. */
#include "tests/fakes/child.h"

#include "base/http.h"
#include "base/json.h"
#include "base/sha256.h"
#include "rl/model.h"
#include "serve/model_server.h"

#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct Fixture {
	char dir[64], model[96];
	Child child;
	HttpClient *client;
	HttpResponse response;
	const char *bearer, *scheme;
} Fixture;

static const char FIVE[] = "{\"cpu_usage\":30,\"memory_usage\":0.3,\"replicas\":3,\"latency\":200,\"rps\":100}";

/* A net whose head says `action` whatever it sees. */
static void write_model(const char *path, int32_t obs_dim, int32_t obs_version, int action)
{
	NetConfig config = { .obs_dim = obs_dim, .n_actions = 3, .depth = 1, .width = { 8 } };
	Net *net = NULL;
	NetTensor tensor[NET_TENSORS_MAX];
	Error err = { 0 };
	assert_int_equal(net_new(&config, &net, &err), 0);
	size_t n = net_tensors(net, tensor, NET_TENSORS_MAX);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(tensor[i].name, "action_net.bias"))
			tensor[i].data[action] = 1.0f;
	net_pack(net);
	ModelInfo info = { .obs_version = obs_version, .interval_s = 15, .max_replicas = 15, .latency_soft_ms = -1, .latency_hard_ms = -1 };
	if (model_save(path, net, &info, &err))
		fail_msg("%s", err.text);
	net_free(net);
}

static void begin(Fixture *f, int32_t obs_dim, int32_t obs_version, const char *const *more)
{
	*f = (Fixture) { .dir = "/tmp/test_model_server_XXXXXX", .scheme = "http" };
	assert_non_null(mkdtemp(f->dir));
	(void) snprintf(f->model, sizeof f->model, "%s/m.safetensors", f->dir);
	write_model(f->model, obs_dim, obs_version, ACTION_UP);
	const char *args[16] = { "model-server", "--listen", "127.0.0.1:0", "--model", f->model };
	for (size_t i = 0; more && more[i]; i++)
		args[5 + i] = more[i];
	f->child = child_start(args);
	assert_int_equal(http_client_new(NULL, &f->client, NULL), 0);
}

static void end(Fixture *f)
{
	assert_int_equal(child_end(&f->child, SIGTERM), 128 + SIGTERM);
	http_response_done(&f->response);
	http_client_free(f->client);
	(void) unlink(f->model);
	(void) rmdir(f->dir);
}

static int ask(Fixture *f, const char *method, const char *path, const char *type, const char *body)
{
	char url[128];
	Error err = { 0 };
	(void) snprintf(url, sizeof url, "%s://127.0.0.1:%d%s", f->scheme, f->child.port, path);
	HttpRequest request = { .method = method, .url = url, .content_type = type, .body = body, .body_len = body ? strlen(body) : 0,
	                        .bearer = f->bearer };
	if (http_request(f->client, &request, &f->response, &err))
		fail_msg("%s", err.text);
	return f->response.status;
}

static int predict(Fixture *f, const char *body)
{
	return ask(f, "POST", "/predict", "application/json", body);
}

static int64_t action(Fixture *f)
{
	Json *root = NULL;
	assert_int_equal(json_parse(f->response.body.data, f->response.body.len, &root, NULL), 0);
	int64_t value = json_int_or(root, "action", -1);
	json_free(root);
	return value;
}

/* 400, and {"error": ...} that names word. */
static void assert_refused(Fixture *f, const char *body, const char *word)
{
	Json *root = NULL;
	assert_int_equal(predict(f, body), 400);
	assert_int_equal(json_parse(f->response.body.data, f->response.body.len, &root, NULL), 0);
	const char *text = json_string_or(root, "error", "");
	if (!strstr(text, word))
		fail_msg("%s: the error \"%s\" does not name %s", body, text, word);
	json_free(root);
}

static void predict_answers_the_five_keys(void **state)
{
	Fixture f;
	(void) state;
	begin(&f, 5, 1, NULL);
	assert_int_equal(predict(&f, FIVE), 200);
	assert_int_equal(action(&f), ACTION_UP);
	/* it looks at the body, not at Content-Type */
	assert_int_equal(ask(&f, "POST", "/predict", "text/plain", FIVE), 200);
	assert_int_equal(ask(&f, "POST", "/predict", NULL, FIVE), 200);
	/* a mask forbids */
	assert_int_equal(predict(&f, "{\"observation\":[30,0.3,3,200,100],\"mask\":[1,1,0]}"), 200);
	assert_int_not_equal(action(&f), ACTION_UP);
	assert_int_equal(predict(&f, "{\"observation\":[30,0.3,15,200,100],\"mask\":[false,true,false]}"), 200);
	assert_int_equal(action(&f), ACTION_KEEP);
	/* what the file does not tell is null, not 0 */
	assert_int_equal(ask(&f, "GET", "/model", NULL, NULL), 200);
	assert_non_null(strstr(f.response.body.data, "\"interval_s\":15"));
	assert_non_null(strstr(f.response.body.data, "\"rate_window_s\":null,\"latency_window_s\":null"));
	assert_non_null(strstr(f.response.body.data, "\"pod_price\":null"));
	end(&f);
}

static void predict_refuses_what_is_not_an_observation(void **state)
{
	Fixture f;
	(void) state;
	begin(&f, 5, 1, NULL);
	assert_refused(&f, "", "JSON");
	assert_refused(&f, "{\"cpu_usage\":30", "JSON");
	assert_refused(&f, "[1,2,3,4,5]", "object");
	assert_refused(&f, "{\"cpu_usage\":30,\"memory_usage\":0.3,\"replicas\":3,\"latency\":200}", "rps");
	assert_refused(&f, "{\"cpu_usage\":\"30\",\"memory_usage\":0.3,\"replicas\":3,\"latency\":200,\"rps\":1}", "cpu_usage");
	assert_refused(&f, "{\"cpu_usage\":30,\"memory_usage\":null,\"replicas\":3,\"latency\":200,\"rps\":1}", "memory_usage");
	assert_refused(&f, "{\"cpu_usage\":30,\"memory_usage\":0.3,\"replicas\":3,\"latency\":1e300,\"rps\":1}", "latency");
	assert_refused(&f, "{\"observation\":[1,2,3,4]}", "5 numbers");
	assert_refused(&f, "{\"observation\":[1,2,3,4,\"x\"]}", "observation");
	assert_refused(&f, "{\"observation\":[1,2,3,4,5],\"mask\":[1,1]}", "mask");
	assert_refused(&f, "{\"observation\":[1,2,3,4,5],\"mask\":[0,0,0]}", "mask");
	assert_int_equal(ask(&f, "GET", "/predict", NULL, NULL), 405);
	assert_int_equal(ask(&f, "GET", "/nosuch", NULL, NULL), 404);
	char *large = calloc(1, 70001);
	assert_non_null(large);
	memset(large, ' ', 70000);
	assert_int_equal(predict(&f, large), 413);
	free(large);
	assert_int_equal(predict(&f, FIVE), 200);
	end(&f);
}

static void predict_of_another_model_asks_for_its_vector(void **state)
{
	Fixture f;
	(void) state;
	begin(&f, 3, 0, NULL);
	assert_refused(&f, FIVE, "observation");
	assert_int_equal(predict(&f, "{\"observation\":[1,2,3]}"), 200);
	assert_int_equal(action(&f), ACTION_UP);
	end(&f);
}

static bool has_line(Fixture *f, const char *line)
{
	assert_int_equal(ask(f, "GET", "/metrics", NULL, NULL), 200);
	return strstr(f->response.body.data, line) != NULL;
}

static void a_bad_file_keeps_the_old_model(void **state)
{
	Fixture f;
	(void) state;
	begin(&f, 5, 1, NULL);
	FILE *file = fopen(f.model, "w");
	assert_non_null(file);
	(void) fputs("not a model", file);
	(void) fclose(file);
	(void) kill(f.child.pid, SIGHUP);
	child_wait_log(&f.child, "the old model goes on");
	assert_int_equal(predict(&f, FIVE), 200);
	assert_int_equal(action(&f), ACTION_UP);
	assert_true(has_line(&f, "maestro_model_reloads_total{outcome=\"failed\"} 1\n"));
	/* another file in its place is seen without a signal */
	write_model(f.model, 5, 1, ACTION_DOWN);
	child_wait_log(&f.child, "loaded ");
	assert_int_equal(predict(&f, FIVE), 200);
	assert_int_equal(action(&f), ACTION_DOWN);
	assert_true(has_line(&f, "maestro_model_reloads_total{outcome=\"ok\"} 1\n"));
	end(&f);
}

/* CONTROL D 10: cut at every 512th byte, with the whole file before and after. */
static void half_a_file_keeps_the_old_model(void **state)
{
	char dir[] = "/tmp/test_model_server_XXXXXX", path[96], line[96];
	StrBuf whole = { 0 };
	ModelServer *server = NULL;
	Error err = { 0 };
	int failed = 0;
	(void) state;
	assert_non_null(mkdtemp(dir));
	(void) snprintf(path, sizeof path, "%s/m.safetensors", dir);
	write_model(path, 5, 1, ACTION_UP);
	assert_int_equal(mem_read_file(path, 1 << 20, &whole, NULL), 0);
	const ModelServerConfig config = { .server = { .listen = "127.0.0.1:0" }, .model = path };
	assert_int_equal(model_server_start(&config, &server, &err), 0);
	for (size_t len = 0; len < whole.len; len += 512) {
		assert_int_equal(mem_write_file(path, whole.data, len, NULL), 0);
		assert_true(model_server_is_changed(server));
		assert_int_equal(model_server_reload(server, &err), ERR_BAD_MODEL);
		assert_non_null(strstr(err.text, path));
		failed++;
	}
	assert_int_equal(mem_write_file(path, whole.data, whole.len, NULL), 0);
	assert_int_equal(model_server_reload(server, &err), 0);
	assert_true(failed > 1);
	(void) snprintf(line, sizeof line, "http://127.0.0.1:%d/metrics", model_server_port(server));
	HttpClient *client = NULL;
	HttpResponse response = { 0 };
	assert_int_equal(http_client_new(NULL, &client, NULL), 0);
	assert_int_equal(http_request(client, &(HttpRequest) { .method = "GET", .url = line }, &response, NULL), 0);
	(void) snprintf(line, sizeof line, "maestro_model_reloads_total{outcome=\"failed\"} %d\n", failed);
	assert_non_null(strstr(response.body.data, line));
	http_response_done(&response);
	http_client_free(client);
	model_server_stop(server, 1000);
	strbuf_done(&whole);
	(void) unlink(path);
	(void) rmdir(dir);
}

static void probes_and_metrics_are_there(void **state)
{
	Fixture f;
	StrBuf bytes = { 0 };
	char hex[SHA256_HEX], line[256];
	(void) state;
	begin(&f, 5, 1, NULL);
	assert_int_equal(ask(&f, "GET", "/healthz", NULL, NULL), 200);
	assert_int_equal(ask(&f, "GET", "/readyz", NULL, NULL), 200);
	assert_int_equal(predict(&f, FIVE), 200);
	assert_int_equal(mem_read_file(f.model, 1 << 20, &bytes, NULL), 0);
	sha256_hex(bytes.data, bytes.len, hex);
	(void) snprintf(line, sizeof line, "maestro_model_info{sha256=\"%s\",name=\"m.safetensors\",observation=\"seed\"} 1\n", hex);
	assert_true(has_line(&f, line));
	assert_true(has_line(&f, "maestro_predictions_total{answer=\"2\"} 1\n"));
	assert_true(has_line(&f, "maestro_inference_duration_seconds_count 1\n"));
	strbuf_done(&bytes);
	if (system("command -v promtool >/dev/null") == 0) {
		FILE *tool = popen("promtool check metrics 2>&1", "w");
		assert_non_null(tool);
		(void) fwrite(f.response.body.data, 1, f.response.body.len, tool);
		assert_int_equal(pclose(tool), 0);
	}
	end(&f);
}

static void a_token_is_asked_for_where_one_is_set(void **state)
{
	Fixture f;
	char path[] = "/tmp/test_token_XXXXXX";
	int fd = mkstemp(path);
	(void) state;
	assert_true(fd >= 0 && write(fd, "s3cret\n", 7) == 7);
	begin(&f, 5, 1, (const char *const[]) { "--token-file", path, NULL });
	assert_int_equal(predict(&f, FIVE), 401);
	assert_int_equal(ask(&f, "GET", "/healthz", NULL, NULL), 200);
	assert_int_equal(ask(&f, "GET", "/metrics", NULL, NULL), 401);
	f.bearer = "s3cre";
	assert_int_equal(predict(&f, FIVE), 401);
	f.bearer = "s3cret2";
	assert_int_equal(predict(&f, FIVE), 401);
	f.bearer = "s3cret";
	assert_int_equal(predict(&f, FIVE), 200);
	end(&f);
	(void) close(fd);
	(void) unlink(path);
}

static void tls_serves_its_certificate(void **state)
{
	Fixture f;
	StrBuf pem = { 0 };
	(void) state;
	begin(&f, 5, 1, (const char *const[]) { "--tls-cert", "tests/fixtures/tls/server.crt", "--tls-key", "tests/fixtures/tls/server.key", NULL });
	http_client_free(f.client);
	assert_int_equal(mem_read_file("tests/fixtures/tls/server.crt", 1 << 16, &pem, NULL), 0);
	assert_int_equal(http_client_new(&(HttpTls) { .ca_pem = pem.data }, &f.client, NULL), 0);
	f.scheme = "https";
	assert_int_equal(predict(&f, FIVE), 200);
	strbuf_done(&pem);
	end(&f);
}

static void sha256_is_that_of_fips_180(void **state)
{
	char hex[SHA256_HEX];
	(void) state;
	sha256_hex("abc", 3, hex);
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	static const char long_[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	sha256_hex(long_, 56, hex);
	assert_string_equal(hex, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	sha256_hex("", 0, hex);
	assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(predict_answers_the_five_keys),
		cmocka_unit_test(predict_refuses_what_is_not_an_observation),
		cmocka_unit_test(predict_of_another_model_asks_for_its_vector),
		cmocka_unit_test(a_bad_file_keeps_the_old_model),
		cmocka_unit_test(half_a_file_keeps_the_old_model),
		cmocka_unit_test(probes_and_metrics_are_there),
		cmocka_unit_test(a_token_is_asked_for_where_one_is_set),
		cmocka_unit_test(tls_serves_its_certificate),
		cmocka_unit_test(sha256_is_that_of_fips_180),
	};
	if (http_global_init())
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	http_global_done();
	return failed;
}
