/* The Kubernetes client, the scale actuator and the objects read, against a scripted API with the real one's answers. */
#include "cluster/scale.h"

#include "base/http.h"
#include "fakes/http_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const Target TARGET = { .namespace_ = "shop", .name = "cart", .min_replicas = 1, .max_replicas = 15 };

typedef struct Api {
	int status;
	const char *body;    /* lent */
	const char *headers;
	char method[16], path[256], query[256], sent[512], auth[128], type[64];
	const char *good_token; /* others get 401 */
} Api;

static void header_of(const char *headers, const char *name, char *to, size_t size)
{
	const char *at = strstr(headers, name);
	str_copy(to, size, "");
	if (at)
		(void) snprintf(to, size, "%.*s", (int) strcspn(at + strlen(name), "\r"), at + strlen(name));
}

static void handle(void *context, const FakeRequest *request, FakeReply *reply)
{
	Api *api = context;
	str_copy(api->method, sizeof api->method, request->method);
	str_copy(api->path, sizeof api->path, request->path);
	str_copy(api->query, sizeof api->query, request->query);
	str_copy(api->sent, sizeof api->sent, request->body);
	header_of(request->headers, "Authorization: ", api->auth, sizeof api->auth);
	header_of(request->headers, "Content-Type: ", api->type, sizeof api->type);
	reply->status = api->status;
	reply->headers = api->headers;
	reply->body = fake_text("%s", api->body);
	if (api->good_token && !strstr(api->auth, api->good_token))
		reply->status = 401;
}

typedef struct Fixture {
	Api api;
	FakeServer *server;
	Clock clock;
	KubeConfig config;
	KubeClient *client;
	Actuator *actuator;
	Error err;
} Fixture;

static void begin(Fixture *f)
{
	*f = (Fixture) { .api = { .status = 200, .body = "{}" } };
	f->server = fake_server_start(handle, &f->api);
	clock_init_fake(&f->clock, 1000);
	f->config.server = strdup(fake_server_url(f->server));
	assert_int_equal(kube_client_new(&f->config, &f->clock, &f->client, &f->err), 0);
	assert_int_equal(kube_actuator_new(f->client, &f->actuator, &f->err), 0);
}

static void end(Fixture *f)
{
	actuator_free(f->actuator);
	kube_client_free(f->client);
	kubeconfig_done(&f->config);
	fake_server_stop(f->server);
}

static int get(Fixture *f, Scale *scale)
{
	f->err = (Error) { 0 };
	return f->actuator->ops->get_scale(f->actuator, &TARGET, scale, &f->err);
}

static void scale_get_reads_what_the_api_sends(void **state)
{
	(void) state;
	Fixture f;
	begin(&f);
	f.api.body = "{\"kind\":\"Scale\",\"apiVersion\":\"autoscaling/v1\",\"metadata\":{\"name\":\"cart\",\"namespace\":\"shop\","
		"\"uid\":\"9dae\",\"resourceVersion\":\"316\"},\"spec\":{\"replicas\":2},\"status\":{\"replicas\":3,\"selector\":\"app=web\"}}";
	Scale scale;
	assert_int_equal(get(&f, &scale), 0);
	assert_string_equal(f.api.path, "/apis/apps/v1/namespaces/shop/deployments/cart/scale");
	assert_int_equal(scale.replicas, 2);
	assert_int_equal(scale.status_replicas, 3);
	assert_string_equal(scale.resource_version, "316");
	assert_string_equal(scale.uid, "9dae");
	end(&f);
}

static void scale_empty_spec_is_no_replicas(void **state)
{
	(void) state;
	Fixture f;
	begin(&f);
	f.api.body = "{\"kind\":\"Scale\",\"metadata\":{\"resourceVersion\":\"1\"},\"spec\":{},\"status\":{\"replicas\":0}}";
	Scale scale = { .replicas = 7 };
	assert_int_equal(get(&f, &scale), 0);
	assert_int_equal(scale.replicas, 0);
	end(&f);
}

static void scale_refuses_what_is_not_a_scale(void **state)
{
	(void) state;
	static const char *const bodies[] = {
		"{}", "[]", "not JSON", "", "{\"kind\":\"Scale\"}", "{\"kind\":\"Status\",\"spec\":{\"replicas\":2}}",
		"{\"kind\":\"Scale\",\"spec\":{\"replicas\":-1}}", "{\"kind\":\"Scale\",\"spec\":{\"replicas\":\"2\"}}",
		"{\"kind\":\"Scale\",\"spec\":{\"replicas\":1.5}}", "{\"kind\":\"Scale\",\"spec\":{\"replicas\":3e9}}",
	};
	Fixture f;
	begin(&f);
	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		Scale scale = { .replicas = 7 };
		f.api.body = bodies[i];
		assert_int_equal(get(&f, &scale), ERR_PARSE);
		assert_int_equal(scale.replicas, 7);
		assert_non_null(strstr(f.err.text, "deployment shop/cart: scale"));
	}
	end(&f);
}

static void scale_put_carries_the_version_and_gives_the_new_one(void **state)
{
	(void) state;
	Fixture f;
	begin(&f);
	f.api.body = "{\"kind\":\"Scale\",\"metadata\":{\"resourceVersion\":\"320\"},\"spec\":{\"replicas\":4},\"status\":{\"replicas\":2}}";
	Scale want = { .replicas = 4, .resource_version = "316" }, now;
	assert_int_equal(f.actuator->ops->set_scale(f.actuator, &TARGET, &want, &now, &f.err), 0);
	assert_string_equal(f.api.method, "PUT");
	assert_string_equal(f.api.type, "application/json");
	assert_string_equal(f.api.sent, "{\"kind\":\"Scale\",\"apiVersion\":\"autoscaling/v1\",\"metadata\":{\"name\":\"cart\","
	                    "\"namespace\":\"shop\",\"resourceVersion\":\"316\"},\"spec\":{\"replicas\":4}}");
	assert_string_equal(now.resource_version, "320");
	assert_int_equal(now.replicas, 4);
	end(&f);
}

static void scale_conflict_names_the_version(void **state)
{
	(void) state;
	Fixture f;
	begin(&f);
	f.api.status = 409;
	f.api.body = "{\"kind\":\"Status\",\"reason\":\"Conflict\",\"message\":\"Operation cannot be fulfilled\",\"code\":409}";
	Scale want = { .replicas = 4, .resource_version = "8812" };
	assert_int_equal(f.actuator->ops->set_scale(f.actuator, &TARGET, &want, NULL, &f.err), ERR_CONFLICT);
	assert_string_equal(f.err.text, "deployment shop/cart: scale: 409 conflict at resourceVersion 8812");
	assert_int_equal(f.err.http_status, 409);
	end(&f);
}

static void kube_errors_have_code_reason_and_object(void **state)
{
	(void) state;
	static const struct {
		int status, code;
		const char *body, *want;
	} cases[] = {
		{ 400, ERR_INVALID, "{\"reason\":\"BadRequest\",\"message\":\"no kind\"}", ": 400 badrequest: no kind" },
		{ 403, ERR_FORBIDDEN, "{\"reason\":\"Forbidden\",\"message\":\"User \\\"x\\\" cannot get\"}", ": 403 forbidden: User \"x\" cannot get" },
		{ 404, ERR_NOT_FOUND, "{\"reason\":\"NotFound\",\"message\":\"deployments.apps \\\"cart\\\" not found\"}", "404 notfound" },
		{ 422, ERR_INVALID, "{\"reason\":\"Invalid\",\"message\":\"must be greater\"}", "422 invalid" },
		{ 500, ERR_HTTP, "<html>oops</html>", ": 500 unexpected http answer: \"<html>oops</html>\"" },
		{ 504, ERR_TIMEOUT, "{\"reason\":\"Timeout\",\"message\":\"m\"}", "504 timeout" },
		{ 302, ERR_HTTP, "", "302" },
	};
	Fixture f;
	begin(&f);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		Scale scale;
		f.api.status = cases[i].status;
		f.api.body = cases[i].body;
		assert_int_equal(get(&f, &scale), cases[i].code);
		assert_non_null(strstr(f.err.text, "deployment shop/cart: scale: "));
		assert_non_null(strstr(f.err.text, cases[i].want));
		assert_int_equal(f.err.http_status, cases[i].status);
	}
	end(&f);
}

static void kube_unreachable_names_the_object(void **state)
{
	(void) state;
	Fixture f;
	begin(&f);
	fake_server_stop(f.server);
	f.server = NULL;
	Scale scale;
	assert_int_equal(get(&f, &scale), ERR_UNREACHABLE);
	assert_non_null(strstr(f.err.text, "deployment shop/cart: scale: GET http://127.0.0.1:"));
	end(&f);
}

static void write_token(const char *path, const char *text)
{
	assert_int_equal(mem_write_file(path, text, strlen(text), NULL), 0);
}

static void kube_read_only_sends_nothing_but_get(void **state)
{
	(void) state;
	static const char *const METHODS[] = { "PUT", "PATCH", "POST", "DELETE" };
	Fixture f;
	begin(&f);
	KubeClient *client;
	f.config.is_readonly = true;
	assert_int_equal(kube_client_new(&f.config, &f.clock, &client, &f.err), 0);
	for (size_t i = 0; i < sizeof METHODS / sizeof *METHODS; i++) {
		assert_int_equal(kube_request(client, "deployment shop/web", METHODS[i], "/", "{}", NULL, &f.err), ERR_REFUSED);
		assert_non_null(strstr(f.err.text, "read-only"));
	}
	assert_int_equal(kube_apply(client, "status", "/", "{}", &f.err), ERR_REFUSED);
	assert_int_equal(fake_server_requests(f.server), 0);
	assert_int_equal(kube_request(client, "x", "GET", "/", NULL, NULL, &f.err), 0);
	assert_int_equal(fake_server_requests(f.server), 1);
	kube_client_free(client);
	end(&f);
}

static void kube_token_file_is_read_again(void **state)
{
	(void) state;
	Fixture f;
	begin(&f);
	char path[] = "/tmp/maestro-token-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	(void) close(fd);
	write_token(path, "one\n");
	KubeClient *client;
	f.config.token_file = strdup(path);
	assert_int_equal(kube_client_new(&f.config, &f.clock, &client, &f.err), 0);
	assert_int_equal(kube_request(client, "x", "GET", "/", NULL, NULL, &f.err), 0);
	assert_string_equal(f.api.auth, "Bearer one");

	/* upon 401, once */
	write_token(path, "two\n");
	f.api.good_token = "two";
	assert_int_equal(kube_request(client, "x", "GET", "/", NULL, NULL, &f.err), 0);
	assert_string_equal(f.api.auth, "Bearer two");
	f.api.good_token = "three";
	int before = fake_server_requests(f.server);
	assert_int_equal(kube_request(client, "x", "GET", "/", NULL, NULL, &f.err), ERR_UNAUTHORIZED);
	assert_int_equal(fake_server_requests(f.server), before + 2);
	assert_null(strstr(f.err.text, "two"));

	/* and after a minute */
	f.api.good_token = NULL;
	write_token(path, "four\n");
	assert_int_equal(kube_request(client, "x", "GET", "/", NULL, NULL, &f.err), 0);
	assert_string_equal(f.api.auth, "Bearer two");
	f.clock.now_ms += 60000;
	assert_int_equal(kube_request(client, "x", "GET", "/", NULL, NULL, &f.err), 0);
	assert_string_equal(f.api.auth, "Bearer four");
	kube_client_free(client);
	(void) unlink(path);
	end(&f);
}

static void kube_keeps_silent_for_retry_after(void **state)
{
	(void) state;
	static const int statuses[] = { 429, 503 };
	for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
		Fixture f;
		begin(&f);
		f.api.status = statuses[i];
		f.api.headers = "Retry-After: 3\r\n";
		assert_int_equal(kube_request(f.client, "x", "GET", "/", NULL, NULL, &f.err), ERR_HTTP);
		f.api.status = 200;
		f.clock.now_ms += 2999;
		assert_int_equal(kube_request(f.client, "x", "GET", "/", NULL, NULL, &f.err), ERR_HTTP);
		assert_non_null(strstr(f.err.text, "1 s more of silence"));
		assert_int_equal(fake_server_requests(f.server), 1);
		f.clock.now_ms += 1;
		assert_int_equal(kube_request(f.client, "x", "GET", "/", NULL, NULL, &f.err), 0);
		end(&f);
	}
}

static void deployment_gives_limits_requests_and_selector(void **state)
{
	(void) state;
	Fixture f;
	begin(&f);
	f.api.body =
		"{\"metadata\":{\"uid\":\"u\",\"annotations\":{\"latencySoftConstraint\":\"250\",\"latencyHardConstraint\":\"-1\","
		"\"maestro.io/min-replicas\":\"2\",\"maestro.io/max-replicas\":\"15\"}},\"spec\":{\"replicas\":3,\"selector\":{"
		"\"matchLabels\":{\"app\":\"web\",\"tier\":\"a\"},\"matchExpressions\":[{\"key\":\"env\",\"operator\":\"In\",\"values\":[\"x\",\"y\"]},"
		"{\"key\":\"old\",\"operator\":\"DoesNotExist\"},{\"key\":\"k\",\"operator\":\"NotIn\",\"values\":[\"z\"]},{\"key\":\"e\",\"operator\":\"Exists\"}]},"
		"\"template\":{\"spec\":{\"containers\":[{\"resources\":{\"requests\":{\"cpu\":\"200m\"},\"limits\":{\"memory\":\"128Mi\"}}},"
		"{\"resources\":{\"limits\":{\"cpu\":\"0.3\",\"memory\":\"64Mi\"}}}],\"initContainers\":[{\"resources\":{}}]}}}}";
	KubeDeployment d;
	assert_int_equal(kube_deployment_read(f.client, &TARGET, &d, &f.err), 0);
	assert_string_equal(d.selector, "app=web,tier=a,env in (x,y),!old,k notin (z),e");
	assert_int_equal(d.replicas, 3);
	assert_float_equal(d.latency_soft_ms, 250.0, 0.0);
	assert_float_equal(d.latency_hard_ms, 0.0, 0.0);
	assert_int_equal(d.min_replicas, 2);
	assert_int_equal(d.max_replicas, 15);
	assert_float_equal(d.cpu_request_cores, .5, 1e-9);
	assert_float_equal(d.mem_limit_bytes, 192.0 * 1048576, 0.0);
	f.api.body = "{\"metadata\":{\"annotations\":{\"latencySoftConstraint\":\"fast\"}},\"spec\":{\"replicas\":3,\"selector\":{\"matchLabels\":{\"a\":\"b\"}}}}";
	assert_int_equal(kube_deployment_read(f.client, &TARGET, &d, &f.err), ERR_INVALID);
	assert_string_equal(f.err.text, "deployment shop/cart: annotation latencySoftConstraint: \"fast\" is not a number");
	end(&f);
}

static void pods_are_read_as_the_hpa_rule_needs_them(void **state)
{
	(void) state;
	Fixture f;
	begin(&f);
	f.api.body =
		"{\"metadata\":{},\"items\":["
		"{\"metadata\":{\"name\":\"cart-1\"},\"spec\":{\"containers\":[{\"resources\":{\"requests\":{\"cpu\":\"200m\"}}}]},"
		"\"status\":{\"phase\":\"Running\",\"startTime\":\"2026-11-24T17:11:25Z\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\","
		"\"lastTransitionTime\":\"2026-11-24T17:11:35Z\"}]}},"
		"{\"metadata\":{\"name\":\"cart-2\",\"deletionTimestamp\":\"2026-11-24T17:12:00Z\"},\"spec\":{\"containers\":[{}]},"
		"\"status\":{\"phase\":\"Running\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}},"
		"{\"metadata\":{\"name\":\"cart-3\"},\"spec\":{},\"status\":{\"phase\":\"Pending\"}}]}";
	PodList pods = { 0 };
	int64_t now_ms = 1795540285000 + 60000;
	assert_int_equal(kube_pods_list(f.client, &TARGET, "app=web,env in (x)", now_ms, &pods, &f.err), 0);
	assert_string_equal(f.api.path, "/api/v1/namespaces/shop/pods");
	assert_string_equal(f.api.query, "limit=500&labelSelector=app=web,env in (x)");
	assert_int_equal(pods.n, 3);
	assert_int_equal(pods.ready, 1);
	assert_string_equal(pods.name[1], "cart-2");
	assert_int_equal(pods.pod[0].phase, POD_RUNNING);
	assert_int_equal(pods.pod[0].ready, READY_TRUE);
	assert_true(pods.pod[0].has_start_time && pods.pod[0].has_request && !pods.pod[0].has_usage);
	assert_int_equal(pods.pod[0].start_age_ms, 60000);
	assert_int_equal(pods.pod[0].ready_age_ms, 50000);
	assert_int_equal(pods.pod[0].request_m, 200);
	assert_true(pods.pod[1].is_deleting && !pods.pod[1].has_request && !pods.pod[1].has_start_time);
	assert_int_equal(pods.pod[2].phase, POD_PENDING);
	assert_int_equal(pods.pod[2].ready, READY_ABSENT);
	f.api.status = 500;
	assert_int_equal(kube_pods_list(f.client, &TARGET, "app=web", now_ms, &pods, &f.err), ERR_HTTP);
	assert_int_equal(pods.n, 0);
	pod_list_done(&pods);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scale_get_reads_what_the_api_sends),
		cmocka_unit_test(scale_empty_spec_is_no_replicas),
		cmocka_unit_test(scale_refuses_what_is_not_a_scale),
		cmocka_unit_test(scale_put_carries_the_version_and_gives_the_new_one),
		cmocka_unit_test(scale_conflict_names_the_version),
		cmocka_unit_test(kube_errors_have_code_reason_and_object),
		cmocka_unit_test(kube_unreachable_names_the_object),
		cmocka_unit_test(kube_read_only_sends_nothing_but_get),
		cmocka_unit_test(kube_token_file_is_read_again),
		cmocka_unit_test(kube_keeps_silent_for_retry_after),
		cmocka_unit_test(deployment_gives_limits_requests_and_selector),
		cmocka_unit_test(pods_are_read_as_the_hpa_rule_needs_them),
	};
	assert_int_equal(http_global_init(), 0);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	http_global_done();
	return failed;
}
