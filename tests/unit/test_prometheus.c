/*
 * The rules on missing and bad metrics (CONTROL D 1 to 7), each by a Prometheus that answers so. The scripted server is
 * both the Kubernetes API (two Ready pods, web-1 and web-2) and Prometheus.
 */
#include "cluster/prom_query.h"
#include "cluster/prometheus.h"

#include "base/http.h"
#include "fakes/prom_source.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static const Target TARGET = { .namespace_ = "default", .name = "web", .min_replicas = 1, .max_replicas = 15 };
enum { NOW_S = 1795540345 };

/* What the queries give, each a body or a vector's text; found by a part of the query. */
typedef struct World {
	const char *cpu, *memory, *p95, *rps, *up;       /* results of the value queries */
	const char *cpu_time, *memory_time, *p95_time, *rps_time;
	const char *whole;   /* instead of the whole answer to the memory query */
	int whole_status;
	FakeFault fault;
} World;

#define V(v) "{\"metric\":{},\"value\":[1795540345,\"" v "\"]}"
#define POD(pod, v) "{\"metric\":{\"pod\":\"" pod "\"},\"value\":[1795540345,\"" v "\"]}"

static const World GOOD = {
	.cpu = POD("web-1", "0.15") "," POD("web-2", "0.25") "," POD("web-admin-1", "7"),
	.memory = POD("web-1", "67108864") "," POD("web-2", "67108864") "," POD("web-admin-1", "9e9"), .p95 = V("312.5"), .rps = V("12.25"),
	.up = POD("web-1", "1") "," POD("web-2", "1"),
	.cpu_time = POD("web-1", "1795540340") "," POD("web-2", "1795540335.5") "," POD("web-admin-1", "1"),
	.memory_time = POD("web-1", "1795540340") "," POD("web-2", "1795540340") "," POD("web-admin-1", "1"), .p95_time = V("1795540341"), .rps_time = V("1795540342"),
};

static const char DEPLOYMENT[] =
	"{\"metadata\":{\"uid\":\"u\"},\"spec\":{\"replicas\":2,\"selector\":{\"matchLabels\":{\"app\":\"web\"}},\"template\":{\"spec\":"
	"{\"containers\":[{\"resources\":{\"requests\":{\"cpu\":\"200m\"}}}]}}}}";
#define POD_ITEM(name) "{\"metadata\":{\"name\":\"" name "\"},\"spec\":{\"containers\":[{\"resources\":{\"requests\":{\"cpu\":\"200m\"}}}]}," \
	"\"status\":{\"phase\":\"Running\",\"startTime\":\"2026-11-24T17:00:00Z\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"," \
	"\"lastTransitionTime\":\"2026-11-24T17:00:05Z\"}]}}"
static const char PODS[] = "{\"items\":[" POD_ITEM("web-1") "," POD_ITEM("web-2") "]}";

static void answer_query(World *world, const char *query, FakeReply *reply)
{
	bool is_time = strstr(query, "timestamp(") != NULL;
	const char *result = strstr(query, "container_cpu") ? (is_time ? world->cpu_time : world->cpu)
		: strstr(query, "container_memory") ? (is_time ? world->memory_time : world->memory)
		: strstr(query, "_bucket") ? (is_time ? world->p95_time : world->p95)
		: strstr(query, "istio_requests_total") ? (is_time ? world->rps_time : world->rps) : world->up;
	if (strstr(query, "container_memory") && !is_time && (world->whole || world->whole_status || world->fault)) {
		reply->status = world->whole_status ? world->whole_status : 200;
		reply->body = fake_text("%s", world->whole ? world->whole : "{\"status\":\"success\"}");
		reply->fault = world->fault;
		return;
	}
	reply->body = fake_text("{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[%s]}}", result);
}

static void handle(void *context, const FakeRequest *request, FakeReply *reply)
{
	if (!strcmp(request->path, "/prefix/api/v1/query"))
		answer_query(context, request->query, reply);
	else if (strstr(request->path, "/pods"))
		reply->body = fake_text("%s", PODS);
	else if (strstr(request->path, "/nosuch"))
		reply->status = 404;
	else
		reply->body = fake_text("%s", DEPLOYMENT);
}

typedef struct Fixture {
	World world;
	PromSource source;
	Sample sample;
	Error err;
} Fixture;

static void begin(Fixture *f)
{
	*f = (Fixture) { .world = GOOD };
	prom_source_begin(&f->source, handle, &f->world, "/prefix/");
}

static void end(Fixture *f)
{
	prom_source_end(&f->source);
}

static int fetch(Fixture *f)
{
	f->err = (Error) { 0 };
	return f->source.metrics->ops->fetch(f->source.metrics, &TARGET, 1, NOW_S * INT64_C(1000), &f->sample, &f->err);
}

static void assert_missing(Fixture *f, uint32_t bits, const char *want)
{
	assert_int_equal(fetch(f), 0);
	assert_int_equal(f->sample.valid, SAMPLE_ALL & ~bits);
	if (!strstr(f->sample.missing, want))
		fail_msg("missing is \"%s\", without \"%s\"", f->sample.missing, want);
}

static void prometheus_reads_every_value(void **state)
{
	(void) state;
	Fixture f;
	begin(&f);
	assert_int_equal(fetch(&f), 0);
	const Sample *s = &f.sample;
	assert_int_equal(s->valid, SAMPLE_ALL);
	assert_string_equal(s->missing, "");
	assert_float_equal(s->cpu_cores, .4, 1e-12); /* not web-admin's */
	assert_float_equal(s->mem_bytes, 134217728.0, 0.0);
	assert_float_equal(s->latency_ms, 312.5, 0.0);
	assert_float_equal(s->rps, 12.25, 0.0);
	assert_int_equal(s->replicas, 2);
	assert_int_equal(s->ready, 2);
	assert_float_equal(s->cpu_request_cores, .2, 1e-12);
	assert_int_equal(s->age_ms[0], 9500); /* the oldest of the pods' */
	assert_int_equal(s->age_ms[1], 5000);
	assert_int_equal(s->age_ms[2], 4000);
	assert_int_equal(s->age_ms[3], 3000);
	assert_int_equal(s->n_pods, 2);
	assert_true(s->pods[1].has_usage && s->pods[1].has_request);
	assert_int_equal(s->pods[1].usage_m, 250);
	assert_int_equal(s->pods[1].request_m, 200);
	assert_int_equal(s->pods[1].sample_age_ms, 9500);
	assert_int_equal(s->pods[1].window_ms, 60000);
	assert_int_equal(fake_server_connections(f.source.server), 5); /* one for the API, one a value */
	end(&f);
}

/* Two Prometheus: each answers its first question only when the other has been asked. */
typedef struct Pair {
	World world;
	pthread_mutex_t lock;
	pthread_cond_t asked;
	bool has_asked[2];
	bool was_alone;
} Pair;

static void wait_for_other(Pair *pair, int me)
{
	struct timespec until;
	(void) clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 10;
	(void) pthread_mutex_lock(&pair->lock);
	pair->has_asked[me] = true;
	(void) pthread_cond_broadcast(&pair->asked);
	while (!pair->has_asked[!me] && !pair->was_alone)
		pair->was_alone = pthread_cond_timedwait(&pair->asked, &pair->lock, &until) != 0;
	(void) pthread_mutex_unlock(&pair->lock);
}

static void handle_one(void *context, const FakeRequest *request, FakeReply *reply)
{
	Pair *pair = context;
	if (strstr(request->path, "/query"))
		wait_for_other(pair, 0);
	handle(&pair->world, request, reply);
}

static void handle_other(void *context, const FakeRequest *request, FakeReply *reply)
{
	Pair *pair = context;
	wait_for_other(pair, 1);
	handle(&pair->world, request, reply);
}

/* CONTROL B.1: the queries are concurrent, so that slow ones share the deadline. */
static void prometheus_is_asked_for_the_values_side_by_side(void **state)
{
	(void) state;
	Pair pair = { .world = GOOD, .lock = PTHREAD_MUTEX_INITIALIZER, .asked = PTHREAD_COND_INITIALIZER };
	Fixture f;
	PromConfig config;
	begin(&f);
	FakeServer *one = fake_server_start(handle_one, &pair), *other = fake_server_start(handle_other, &pair);
	char *url = fake_text("%s/prefix", fake_server_url(one)), *latency_url = fake_text("%s/prefix", fake_server_url(other));
	prom_config_default(&config);
	config.url = url;
	config.latency_url = latency_url;
	config.kube = f.source.kube;
	config.clock = &f.source.clock;
	metrics_free(f.source.metrics);
	assert_int_equal(prom_metrics_new(&config, &f.source.metrics, &f.err), 0);
	assert_int_equal(fetch(&f), 0);
	assert_false(pair.was_alone);
	end(&f);
	fake_server_stop(one);
	fake_server_stop(other);
	free(url);
	free(latency_url);
}

static void prometheus_asks_the_thesis_queries(void **state)
{
	(void) state;
	static const char ns[] = "namespace=\"default\",pod=~\"web-.*\",container!=\"\"";
	Fixture f;
	begin(&f);
	/* the query of a missing value is shown, from its start */
	static const struct {
		size_t field;
		const char *query;
	} cases[] = {
		{ offsetof(World, cpu), "sum by (pod)(rate(container_cpu_usage_seconds_total{%s}[1m]))" },
		{ offsetof(World, memory), "sum by (pod)(container_memory_working_set_bytes{%s})" },
		{ offsetof(World, p95), "histogram_quantile(.95, sum by (le)(rate(istio_request_duration_milliseconds_bucket{"
		  "destination_workload_namespace=\"default\",destination_workload=\"web\"}[5m])))" },
		{ offsetof(World, rps), "sum(rate(istio_requests_total{destination_workload_namespace=\"default\",destination_workload=\"web\"}[1m]))" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char want[512];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		(void) snprintf(want, sizeof want, cases[i].query, ns);
#pragma GCC diagnostic pop
		f.world = GOOD;
		*(const char **) ((char *) &f.world + cases[i].field) = "";
		assert_int_equal(fetch(&f), 0);
		const char *shown = strstr(f.sample.missing, "query: ");
		assert_non_null(shown);
		assert_memory_equal(shown + 7, want, strlen(shown + 7));
	}
	end(&f);
}

static void prometheus_names_and_windows_go_into_the_query_as_they_are(void **state)
{
	(void) state;
	const Target dotted = { .namespace_ = "a", .name = "web.v1" };
	StrBuf text = { 0 };
	prom_expand(&text, "x{pod=~\"$POD-.*\",n=\"$NAME\",ns=\"$NS\"}[$RATE][$LATENCY]", &dotted, 90.0, 300.0);
	assert_string_equal(text.data, "x{pod=~\"web\\\\.v1-.*\",n=\"web.v1\",ns=\"a\"}[90s][5m]");
	strbuf_done(&text);
}

static void prometheus_down_is_an_error_and_touches_no_sample(void **state)
{
	(void) state;
	Fixture f;
	begin(&f);
	f.world.fault = FAKE_RESET;
	f.sample.replicas = 99;
	assert_int_equal(fetch(&f), ERR_UNREACHABLE);
	assert_int_equal(f.sample.replicas, 99);
	assert_non_null(strstr(f.err.text, "prometheus: GET http://127.0.0.1:"));
	assert_true(fake_server_requests(f.source.server) > 0);
	f.world.fault = FAKE_NONE;
	f.world.whole_status = 503;
	f.world.whole = "Service Unavailable";
	assert_int_equal(fetch(&f), ERR_HTTP);
	assert_non_null(strstr(f.err.text, "HTTP 503: \"Service Unavailable\""));
	f.world.whole_status = 401;
	assert_int_equal(fetch(&f), ERR_UNAUTHORIZED);
	end(&f);
}

static void prometheus_empty_is_missing_never_0(void **state)
{
	(void) state;
	Fixture f;
	begin(&f);
	f.world.cpu = "";
	assert_missing(&f, SAMPLE_CPU, "cpu: empty result; query: sum by (pod)(rate(container_cpu");
	f.world.memory = "";
	assert_missing(&f, SAMPLE_CPU | SAMPLE_MEM, "cpu: empty result, memory: empty result; query: sum by (pod)");
	f.world = GOOD;
	f.world.p95 = "";
	assert_missing(&f, SAMPLE_LATENCY, "p95: empty result; query: histogram_quantile(.95");
	end(&f);
}

static void prometheus_no_requests_is_0_only_when_scraped(void **state)
{
	(void) state;
	Fixture f;
	begin(&f);
	f.world.rps = f.world.rps_time = f.world.p95 = f.world.p95_time = "";
	assert_missing(&f, SAMPLE_LATENCY, "");
	assert_float_equal(f.sample.rps, 0.0, 0.0);
	assert_string_equal(f.sample.missing, ""); /* nothing is wrong without traffic */
	f.world.up = V("0");
	assert_missing(&f, SAMPLE_LATENCY | SAMPLE_RPS, "rps: empty result, and up is not 1");
	f.world.up = "";
	assert_missing(&f, SAMPLE_LATENCY | SAMPLE_RPS, "rps: empty result, and up is not 1");
	f.world.up = POD("web-1", "1") "," POD("web-admin-1", "1"); /* one of ours is not scraped */
	assert_missing(&f, SAMPLE_LATENCY | SAMPLE_RPS, "rps: empty result, and up is not 1 for each pod");
	/* a series that is there but too short for a rate is not "no requests" */
	f.world.up = GOOD.up;
	f.world.rps_time = V("1795540342");
	assert_missing(&f, SAMPLE_LATENCY | SAMPLE_RPS, "rps: empty result, too few samples yet");
	end(&f);
}

static void prometheus_nan_latency_is_missing(void **state)
{
	(void) state;
	Fixture f;
	begin(&f);
	f.world.p95 = V("NaN");
	assert_missing(&f, SAMPLE_LATENCY, "p95: NaN; query: histogram_quantile");
	f.world.rps = V("0");
	assert_missing(&f, SAMPLE_LATENCY, "");
	assert_string_equal(f.sample.missing, "");
	end(&f);
}

static void prometheus_old_samples_are_stale(void **state)
{
	(void) state;
	Fixture f;
	begin(&f);
	/* the limit is 2 x 15 s + 30 s */
	f.world.memory_time = POD("web-1", "1795540285") "," POD("web-2", "1795540340");
	assert_missing(&f, 0, "");
	f.world.memory_time = POD("web-1", "1795540340") "," POD("web-2", "1795540284");
	assert_missing(&f, SAMPLE_MEM, "memory: stale of pod web-2, 61 s old");
	assert_int_equal(f.sample.stale, SAMPLE_MEM);
	f.world.memory_time = "";
	assert_missing(&f, SAMPLE_MEM, "memory: stale of pod web-1, no sample at present");
	/* a time in the future, or one that no clock shows, is no freshness */
	f.world.memory_time = POD("web-1", "1795540340") "," POD("web-2", "1795540400");
	assert_missing(&f, SAMPLE_MEM, "memory: a sample of pod web-2 from 55 s in the future");
	f.world.memory_time = POD("web-1", "1e300") "," POD("web-2", "1795540340");
	assert_missing(&f, SAMPLE_MEM, "memory: stale of pod web-1, no sample at present");
	f.world = GOOD;
	f.world.cpu_time = POD("web-1", "1795540340") "," POD("web-2", "1795540245");
	assert_missing(&f, SAMPLE_CPU, "cpu: stale of pod web-2, 100 s old");
	assert_int_equal(f.sample.stale, SAMPLE_CPU);
	assert_false(f.sample.pods[1].has_usage);
	assert_float_equal(f.sample.cpu_cores, 0.0, 0.0);
	end(&f);
}

static void prometheus_impossible_numbers_are_refused(void **state)
{
	(void) state;
	static const struct {
		const char *memory, *want;
	} cases[] = {
		{ POD("web-1", "-1"), "memory: negative (-1)" }, { POD("web-1", "+Inf"), "memory: infinite" }, { POD("web-1", "1e300"), "memory: absurd (1e+300)" },
		{ POD("web-1", "NaN"), "memory: NaN" }, { POD("web-1", "twelve"), "a value that is not a number" }, { POD("web-1", ""), "a value that is not a number" },
		{ "{\"metric\":{},\"value\":[1,2]}", "a value that is not a number" }, { "{\"metric\":{}}", "a value that is not a number" },
		{ "7", "a value that is not a number" },
	};
	Fixture f;
	begin(&f);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		f.world.memory = cases[i].memory;
		assert_missing(&f, SAMPLE_MEM, cases[i].want);
		assert_float_equal(f.sample.mem_bytes, 0.0, 0.0);
	}
	f.world = GOOD;
	f.world.cpu = POD("web-1", "-0.5") "," POD("web-2", "0.2");
	assert_missing(&f, SAMPLE_CPU, "cpu: negative (-0.5)");
	end(&f);
}

static void prometheus_broken_answers_are_refused_with_an_excerpt(void **state)
{
	(void) state;
	static const struct {
		int status;
		const char *whole, *want;
	} cases[] = {
		{ 200, "{\"status\":\"error\",\"errorType\":\"timeout\",\"error\":\"query timed out\"}", "memory: prometheus: timeout: query timed out" },
		{ 422, "{\"status\":\"error\",\"errorType\":\"execution\",\"error\":\"bad\"}", "memory: prometheus: execution: bad" },
		{ 200, "<html><title>Sign in</title>", "memory: prometheus: not JSON: \"<html><title>Sign in</title>\"" },
		{ 200, "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[{\"me", "memory: prometheus: not JSON: \"{\"status\"" },
		{ 200, "{\"status\":\"success\"}", "not a vector" },
		{ 200, "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[]}}", "not a vector" },
		{ 200, "[]", "no status \"success\"" },
	};
	Fixture f;
	begin(&f);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		f.world.whole_status = cases[i].status;
		f.world.whole = cases[i].whole;
		assert_missing(&f, SAMPLE_MEM, cases[i].want);
	}
	f.world = GOOD;
	f.world.fault = FAKE_TRUNCATE;
	f.world.whole = "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[" V("134217728") "]}}";
	assert_missing(&f, SAMPLE_MEM, "memory: prometheus: answer cut short: \"{\"status\"");
	f.world.fault = FAKE_NONE;
	f.world.whole = "{\"status\":\"success\",\"warnings\":[\"remote read: partial response\"],\"data\":{\"resultType\":\"vector\","
	                "\"result\":[" POD("web-1", "5") "," POD("web-2", "5") "]}}";
	assert_missing(&f, SAMPLE_MEM, "memory: prometheus: incomplete: remote read: partial response");
	f.world.whole = NULL;
	f.world.fault = FAKE_ENDLESS;
	assert_missing(&f, SAMPLE_MEM, "answer larger than");
	end(&f);
}

static void prometheus_several_series_are_ambiguous(void **state)
{
	(void) state;
	Fixture f;
	begin(&f);
	f.world.rps = "{\"metric\":{\"cluster\":\"a\"},\"value\":[1,\"1\"]},{\"metric\":{\"cluster\":\"b\"},\"value\":[1,\"2\"]}";
	assert_missing(&f, SAMPLE_RPS, "rps: ambiguous, 2 series: {cluster=\"a\"}, {cluster=\"b\"}");
	f.world = GOOD;
	f.world.cpu = "{\"metric\":{\"node\":\"x\"},\"value\":[1,\"1\"]}";
	assert_missing(&f, SAMPLE_CPU, "cpu: ambiguous, a series without the label pod: {node=\"x\"}");
	end(&f);
}

static void prometheus_counts_only_pods_that_the_api_lists(void **state)
{
	(void) state;
	Fixture f;
	begin(&f);
	f.world.cpu = POD("web-admin-1", "7");
	assert_missing(&f, SAMPLE_CPU, "cpu: no series of the 2 listed pods (the first is of web-admin-1)");
	/* a sum over some of the pods is not the pods' sum; what is known of each is there for the HPA rule */
	f.world.cpu = POD("web-2", "0.25");
	assert_missing(&f, SAMPLE_CPU, "cpu: no series of pod web-1");
	assert_false(f.sample.pods[0].has_usage);
	assert_true(f.sample.pods[1].has_usage);
	f.world = GOOD;
	f.world.memory = POD("web-1", "67108864") "," POD("web-admin-1", "9e9");
	assert_missing(&f, SAMPLE_MEM, "memory: no series of pod web-2");
	end(&f);
}

static void prometheus_one_lost_target_does_not_stop_the_others(void **state)
{
	(void) state;
	Fixture f;
	begin(&f);
	Target targets[3] = { TARGET, { .namespace_ = "default", .name = "nosuch" }, { .namespace_ = "default", .name = "x\"}) or vector(1)" } };
	Sample samples[3];
	assert_int_equal(f.source.metrics->ops->fetch(f.source.metrics, targets, 3, NOW_S * INT64_C(1000), samples, &f.err), 0);
	assert_int_equal(samples[0].valid, SAMPLE_ALL);
	assert_int_equal(samples[0].n_pods, 2);
	assert_int_equal(samples[1].valid, 0);
	assert_non_null(strstr(samples[1].missing, "deployment default/nosuch: 404"));
	assert_non_null(strstr(samples[2].missing, "not a name that Kubernetes allows"));
	assert_int_equal(f.source.metrics->ops->fetch(f.source.metrics, targets + 1, 1, NOW_S * INT64_C(1000), samples, &f.err), ERR_NOT_FOUND);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prometheus_reads_every_value),
		cmocka_unit_test(prometheus_is_asked_for_the_values_side_by_side),
		cmocka_unit_test(prometheus_asks_the_thesis_queries),
		cmocka_unit_test(prometheus_names_and_windows_go_into_the_query_as_they_are),
		cmocka_unit_test(prometheus_down_is_an_error_and_touches_no_sample),
		cmocka_unit_test(prometheus_empty_is_missing_never_0),
		cmocka_unit_test(prometheus_no_requests_is_0_only_when_scraped),
		cmocka_unit_test(prometheus_nan_latency_is_missing),
		cmocka_unit_test(prometheus_old_samples_are_stale),
		cmocka_unit_test(prometheus_impossible_numbers_are_refused),
		cmocka_unit_test(prometheus_broken_answers_are_refused_with_an_excerpt),
		cmocka_unit_test(prometheus_several_series_are_ambiguous),
		cmocka_unit_test(prometheus_counts_only_pods_that_the_api_lists),
		cmocka_unit_test(prometheus_one_lost_target_does_not_stop_the_others),
	};
	assert_int_equal(http_global_init(), 0);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	http_global_done();
	return failed;
}
