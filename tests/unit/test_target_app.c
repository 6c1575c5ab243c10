/* The sample service over real sockets: its queue, its metrics under the real promtool, its end. */
#include "serve/target_app.h"

#include "base/http.h"
#include "serve/burn.h"
#include "serve/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

typedef struct Fixture {
	TargetAppConfig config;
	TargetApp *app;
	HttpClient *client;
	HttpResponse response;
	Error err;
} Fixture;

static const TargetAppConfig CONFIG = {
	.listen = "127.0.0.1:0", .work_ms = 1.0, .threads = 1, .queue_max = 64, .seed = 1,
	.namespace_ = "shop", .deployment = "cart", .pod = "cart-7\"x\\",
};

static void begin(Fixture *f, TargetAppConfig config)
{
	*f = (Fixture) { .config = config };
	assert_int_equal(target_app_start(&f->config, &f->app, &f->err), 0);
	assert_int_equal(http_client_new(NULL, &f->client, &f->err), 0);
}

static void end(Fixture *f)
{
	target_app_stop(f->app, 1000);
	http_response_done(&f->response);
	http_client_free(f->client);
}

static int ask(Fixture *f, const char *method, const char *path, const char *body)
{
	char url[128];
	(void) snprintf(url, sizeof url, "http://127.0.0.1:%d%s", target_app_port(f->app), path);
	HttpRequest request = { .method = method, .url = url, .body = body, .body_len = body ? strlen(body) : 0 };
	if (http_request(f->client, &request, &f->response, &f->err))
		fail_msg("%s", f->err.text);
	return f->response.status;
}

/* The number behind a line's start; -1 when there is no such line. */
static double metric(Fixture *f, const char *start)
{
	assert_int_equal(ask(f, "GET", "/metrics", NULL), 200);
	const char *line = strstr(f->response.body.data, start);
	return line ? strtod(strchr(line, '}') + 1, NULL) : -1.0;
}

static void target_app_answers_by_path_and_method(void **state)
{
	(void) state;
	Fixture f;
	begin(&f, CONFIG);
	assert_int_equal(ask(&f, "GET", "/", NULL), 200);
	assert_int_equal(ask(&f, "GET", "/healthz", NULL), 200);
	assert_string_equal(f.response.body.data, "ok\n");
	assert_int_equal(ask(&f, "GET", "/nosuch", NULL), 404);
	assert_int_equal(ask(&f, "POST", "/", "x"), 405);
	char *large = calloc(1, 70000);
	assert_non_null(large);
	memset(large, 'x', 69999);
	assert_int_equal(ask(&f, "POST", "/", large), 413);
	free(large);
	end(&f);
}

static void target_app_counts_requests_cpu_and_memory(void **state)
{
	(void) state;
	Fixture f;
	TargetAppConfig config = CONFIG;
	config.work_ms = 5.0;
	begin(&f, config);
	double cpu_before = metric(&f, "container_cpu_usage_seconds_total{");
	for (int i = 0; i < 20; i++)
		assert_int_equal(ask(&f, "GET", "/", NULL), 200);
	static const char service[] = "reporter=\"destination\",destination_workload=\"cart\",destination_workload_namespace=\"shop\","
		"request_protocol=\"http\"";
	char line[512];
	(void) snprintf(line, sizeof line, "istio_requests_total{%s,response_code=\"200\"}", service);
	assert_float_equal(metric(&f, line), 20.0, 0.0);
	(void) snprintf(line, sizeof line, "istio_request_duration_milliseconds_bucket{%s,le=\"+Inf\"}", service);
	assert_float_equal(metric(&f, line), 20.0, 0.0);
	/* scrapes are no requests of the service; labels are escaped */
	assert_true(metric(&f, "container_memory_working_set_bytes{namespace=\"shop\",pod=\"cart-7\\\"x\\\\\",container=\"app\"}") > 1e6);
	/* 20 exponential demands of mean 5 ms, seed 1: at least a fifth of their mean sum */
	assert_true(metric(&f, "container_cpu_usage_seconds_total{") - cpu_before > .02);
	end(&f);
}

static void target_app_buckets_are_istios_and_cumulative(void **state)
{
	(void) state;
	/* istio.io: the bounds of Envoy's default histogram */
	static const char *const bounds[] = { "0.5", "1", "5", "10", "25", "50", "100", "250", "500", "1000", "2500", "5000", "10000",
		"30000", "60000", "300000", "600000", "1.8e+06", "3.6e+06", "+Inf" };
	Fixture f;
	begin(&f, CONFIG);
	for (int i = 0; i < 10; i++)
		assert_int_equal(ask(&f, "GET", "/", NULL), 200);
	assert_int_equal(ask(&f, "GET", "/metrics", NULL), 200);
	const char *at = f.response.body.data;
	double before = 0.0;
	for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
		char le[32];
		(void) snprintf(le, sizeof le, "le=\"%s\"} ", bounds[i]);
		at = strstr(at, le);
		assert_non_null(at);
		double count = strtod(at + strlen(le), NULL);
		assert_true(count >= before);
		before = count;
	}
	assert_float_equal(before, 10.0, 0.0);
	end(&f);
}

static void target_app_metrics_pass_promtool(void **state)
{
	(void) state;
	if (system("command -v promtool >/dev/null 2>&1")) {
		print_message("promtool is not installed\n");
		skip();
	}
	Fixture f;
	begin(&f, CONFIG);
	assert_int_equal(ask(&f, "GET", "/", NULL), 200);
	assert_int_equal(ask(&f, "GET", "/metrics", NULL), 200);
	char path[] = "/tmp/maestro-metrics-XXXXXX", command[128], said[512] = "";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	FILE *file = fdopen(fd, "w");
	assert_non_null(file);
	assert_true(fputs(f.response.body.data, file) >= 0);
	assert_int_equal(fclose(file), 0);
	(void) snprintf(command, sizeof command, "promtool check metrics < %s 2>&1", path);
	FILE *promtool = popen(command, "r");
	assert_non_null(promtool);
	said[fread(said, 1, sizeof said - 1, promtool)] = '\0';
	(void) pclose(promtool);
	(void) remove(path);
	/* Istio's own name is in milliseconds, and that is all that may be said of it */
	assert_string_equal(said, "istio_request_duration_milliseconds use base unit \"seconds\" instead of \"milliseconds\"\n");
	end(&f);
}

static void target_app_serves_what_waits_when_it_stops(void **state)
{
	(void) state;
	Fixture f;
	TargetAppConfig config = CONFIG;
	config.work_ms = 2.0;
	begin(&f, config);
	HttpPool *pool;
	HttpDone done[32];
	char url[64];
	size_t n = 0, total = 0;
	assert_int_equal(http_pool_new(32, false, 5000, &pool, &f.err), 0);
	(void) snprintf(url, sizeof url, "http://127.0.0.1:%d/", target_app_port(f.app));
	for (int i = 0; i < 32; i++)
		assert_int_equal(http_pool_start(pool, url, i, &f.err), 0);
	while (total == 0) { /* all were sent at once, so the first answer finds the others in the queue */
		assert_int_equal(http_pool_poll(pool, 100, done, 1, &n), 0);
		total += n;
	}
	target_app_stop(f.app, 5000);
	f.app = NULL;
	while (total < 32) {
		assert_int_equal(http_pool_poll(pool, 100, done, 32, &n), 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(done[i].status, 200);
		total += n;
	}
	http_pool_free(pool);
	end(&f);
}

static void target_app_does_not_finish_a_long_burn_when_it_stops(void **state)
{
	(void) state;
	Fixture f;
	TargetAppConfig config = CONFIG;
	config.work_ms = 60000.0;
	begin(&f, config);
	HttpPool *pool;
	HttpDone done;
	char url[64];
	size_t n = 0;
	assert_int_equal(http_pool_new(1, false, 30000, &pool, &f.err), 0);
	(void) snprintf(url, sizeof url, "http://127.0.0.1:%d/", target_app_port(f.app));
	assert_int_equal(http_pool_start(pool, url, 0, &f.err), 0);
	double before = metric(&f, "container_cpu_usage_seconds_total{");
	do /* until it burns */
		assert_int_equal(http_pool_poll(pool, 10, &done, 1, &n), 0);
	while (metric(&f, "container_cpu_usage_seconds_total{") - before < .1);
	target_app_stop(f.app, 50);
	f.app = NULL;
	for (n = 0; n == 0;)
		assert_int_equal(http_pool_poll(pool, 100, &done, 1, &n), 0);
	assert_int_equal(done.status, 503);
	struct timespec cpu;
	(void) clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
	assert_true((double) cpu.tv_sec < before + 10.0); /* of CPU: most of a minute is left */
	http_pool_free(pool);
	end(&f);
}

static void target_app_says_nothing_of_memory_that_it_cannot_read(void **state)
{
	(void) state;
	Fixture f;
	TargetAppConfig config = CONFIG;
	config.statm = "/nonexistent/statm";
	begin(&f, config);
	assert_true(metric(&f, "container_memory_working_set_bytes") < 0.0); /* no such line */
	assert_null(strstr(f.response.body.data, "container_memory"));
	assert_true(metric(&f, "container_cpu_usage_seconds_total{") > 0.0);
	end(&f);
}

static void target_app_refuses_what_finds_the_waiting_room_full(void **state)
{
	(void) state;
	Fixture f;
	TargetAppConfig config = CONFIG;
	config.work_ms = 20.0;
	config.queue_max = 2;
	begin(&f, config);
	HttpPool *pool;
	HttpDone done[16];
	char url[64];
	size_t n = 0, total = 0;
	int64_t served = 0, refused = 0;
	assert_int_equal(http_pool_new(16, false, 5000, &pool, &f.err), 0);
	(void) snprintf(url, sizeof url, "http://127.0.0.1:%d/", target_app_port(f.app));
	for (int i = 0; i < 16; i++)
		assert_int_equal(http_pool_start(pool, url, i, &f.err), 0);
	while (total < 16) {
		assert_int_equal(http_pool_poll(pool, 100, done, 16, &n), 0);
		for (size_t i = 0; i < n; i++) {
			served += done[i].status == 200;
			refused += done[i].status == 503;
		}
		total += n;
	}
	assert_int_equal(served + refused, 16);
	assert_true(served >= 2 && refused > 0);
	char line[512];
	static const char service[] = "reporter=\"destination\",destination_workload=\"cart\",destination_workload_namespace=\"shop\","
		"request_protocol=\"http\"";
	(void) snprintf(line, sizeof line, "istio_requests_total{%s,response_code=\"503\"}", service);
	assert_float_equal(metric(&f, line), (double) refused, 0.0);
	http_pool_free(pool);
	end(&f);
}

static void target_app_address_in_use_or_wrong_is_named(void **state)
{
	(void) state;
	static const char *const wrong[] = { "8080", "127.0.0.1", "127.0.0.1:", ":8080", "127.0.0.1:http" };
	TargetAppConfig config = CONFIG;
	TargetApp *app;
	Error err = { 0 };
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		config.listen = wrong[i];
		assert_int_equal(target_app_start(&config, &app, &err), ERR_USAGE);
		assert_non_null(strstr(err.text, wrong[i]));
	}
	config.listen = "192.0.2.1:80"; /* not ours */
	assert_int_equal(target_app_start(&config, &app, &err), ERR_IO);
	assert_non_null(strstr(err.text, "cannot listen on 192.0.2.1:80"));
}

static void target_apps_share_a_port(void **state)
{
	(void) state;
	Fixture f;
	begin(&f, CONFIG);
	char listen[64];
	TargetAppConfig config = CONFIG;
	TargetApp *second;
	(void) snprintf(listen, sizeof listen, "127.0.0.1:%d", target_app_port(f.app));
	config.listen = listen;
	assert_int_equal(target_app_start(&config, &second, &f.err), 0);
	target_app_stop(second, 0);
	assert_int_equal(ask(&f, "GET", "/", NULL), 200);
	end(&f);
}

static double seconds(clockid_t id)
{
	struct timespec t;
	(void) clock_gettime(id, &t);
	return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

static void burn_uses_the_cpu_that_it_was_told(void **state)
{
	(void) state;
	Quota quota;
	quota_init(&quota, 0.0);
	double start = seconds(CLOCK_THREAD_CPUTIME_ID);
	assert_true(burn_cpu(.05, &quota, NULL));
	double used = seconds(CLOCK_THREAD_CPUTIME_ID) - start;
	assert_true(used >= .05 && used < .06); /* of CPU, so a busy machine changes nothing */
	quota_done(&quota);
}

static void burn_keeps_to_its_quota(void **state)
{
	(void) state;
	/* 40 ms at 10 ms a period of 100 ms need parts of at least four periods: more than 200 ms, whatever the phase */
	Quota quota;
	quota_init(&quota, .1);
	double start = seconds(CLOCK_MONOTONIC);
	assert_true(burn_cpu(.04, &quota, NULL));
	assert_true(seconds(CLOCK_MONOTONIC) - start > .2);
	quota_done(&quota);
}

static void target_app_burns_beside_its_requests_where_it_may(void **state)
{
	(void) state;
	Fixture f;
	begin(&f, CONFIG);
	assert_int_equal(ask(&f, "POST", "/stress?workers=1&load=100&for=60", ""), 404);
	end(&f);
	TargetAppConfig config = CONFIG;
	config.has_stress = true;
	begin(&f, config);
	assert_int_equal(ask(&f, "POST", "/stress?workers=0&load=100&for=60", ""), 400);
	assert_int_equal(ask(&f, "POST", "/stress?workers=1&load=100", ""), 400);
	assert_int_equal(ask(&f, "POST", "/stress?workers=1&load=100&for=60", ""), 200);
	double before = metric(&f, "container_cpu_usage_seconds_total{"), now = before;
	while (now < before + .1) /* nobody asks for work: it is the stress */
		now = metric(&f, "container_cpu_usage_seconds_total{");
	assert_int_equal(ask(&f, "POST", "/stress?workers=1&load=0&for=0", ""), 200);
	end(&f); /* and a stop does not wait for it */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(target_app_answers_by_path_and_method),
		cmocka_unit_test(target_app_counts_requests_cpu_and_memory),
		cmocka_unit_test(target_app_buckets_are_istios_and_cumulative),
		cmocka_unit_test(target_app_metrics_pass_promtool),
		cmocka_unit_test(target_app_serves_what_waits_when_it_stops),
		cmocka_unit_test(target_app_does_not_finish_a_long_burn_when_it_stops),
		cmocka_unit_test(target_app_says_nothing_of_memory_that_it_cannot_read),
		cmocka_unit_test(target_app_refuses_what_finds_the_waiting_room_full),
		cmocka_unit_test(target_app_address_in_use_or_wrong_is_named),
		cmocka_unit_test(target_apps_share_a_port),
		cmocka_unit_test(target_app_burns_beside_its_requests_where_it_may),
		cmocka_unit_test(burn_uses_the_cpu_that_it_was_told),
		cmocka_unit_test(burn_keeps_to_its_quota),
	};
	assert_int_equal(http_global_init(), 0);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	http_global_done();
	return failed;
}
