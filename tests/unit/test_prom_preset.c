/* Queries as users write them: presets, files, annotations; and what Prometheus asks of us, seen by the scripted server. */
#include "cluster/prom_preset.h"

#include "base/mem.h"
#include "cluster/prometheus.h"
#include "tests/fakes/fake_cluster.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const Target TARGET = { .namespace_ = "shop", .name = "web", .min_replicas = 1, .max_replicas = 9 };

static void presets_are_complete_promql(void **state)
{
	static const struct {
		const char *name, *histogram;
		double to_ms;
	} presets[] = {
		{ "istio", "istio_request_duration_milliseconds_bucket{destination_workload_namespace=\"$NS\"", 1 },
		{ "nginx-ingress", "nginx_ingress_controller_request_duration_seconds_bucket{exported_namespace=\"$NS\"", 1000 },
		{ "linkerd", "response_latency_ms_bucket{namespace=\"$NS\",deployment=\"$NAME\",direction=\"inbound\"}", 1 },
		{ "generic", "http_request_duration_seconds_bucket{namespace=\"$NS\",pod=~\"$POD-.*\"}", 1000 },
	};
	(void) state;
	for (size_t i = 0; i < sizeof presets / sizeof *presets; i++) {
		PromQueries q = { 0 };
		Error err = { 0 };
		if (prom_queries_open(presets[i].name, &q, &err))
			fail_msg("%s", err.text);
		assert_non_null(strstr(q.query[PROM_P95], presets[i].histogram));
		assert_float_equal(q.p95_to_ms, presets[i].to_ms, 0);
		assert_non_null(strstr(q.query[PROM_CPU], "container_cpu_usage_seconds_total{namespace=\"$NS\",pod=~\"$POD-.*\",container!=\"\"}[$RATE]"));
		for (int v = 0; v < PROM_VALUES; v++)
			assert_non_null(strstr(q.newest[v], "timestamp("));
		prom_queries_done(&q);
	}
}

/* The queries of the thesis (CONTROL F.0), to the letter. */
static void istio_is_the_thesis(void **state)
{
	PromQueries q = { 0 };
	(void) state;
	assert_int_equal(prom_queries_open("istio", &q, NULL), 0);
	assert_string_equal(q.query[PROM_CPU], "sum by (pod)(rate(container_cpu_usage_seconds_total{namespace=\"$NS\",pod=~\"$POD-.*\",container!=\"\"}[$RATE]))");
	assert_string_equal(q.query[PROM_P95], "histogram_quantile(.95, sum by (le)(rate(istio_request_duration_milliseconds_bucket{"
	                    "destination_workload_namespace=\"$NS\",destination_workload=\"$NAME\"}[$LATENCY])))");
	assert_string_equal(q.query[PROM_RPS], "sum(rate(istio_requests_total{destination_workload_namespace=\"$NS\",destination_workload=\"$NAME\"}[$RATE]))");
	prom_queries_done(&q);
}

static void words_reach_the_presets_queries(void **state)
{
	PromQueries q = { 0 };
	Error err = { 0 };
	(void) state;
	static const char text[] = "preset: generic\nwords: {HISTOGRAM: my_ms, LABELS: 'app=\"$NAME\"'}\np95: {unit: ms}\n";
	assert_int_equal(prom_queries_read("x", text, &q, &err), 0);
	assert_non_null(strstr(q.query[PROM_P95], "rate(my_ms_bucket{app=\"$NAME\"}[$LATENCY])"));
	assert_string_equal(q.query[PROM_RPS], "sum(rate(my_ms_count{app=\"$NAME\"}[$RATE]))");
	assert_float_equal(q.p95_to_ms, 1, 0);
	prom_queries_done(&q);
}

static void mistakes_are_named(void **state)
{
	static const struct {
		const char *text, *named;
	} bad[] = {
		{ "linkered", "linkerd" }, { "preset: nosuch\n", "nosuch" }, { "presets: istio\n", "presets" },
		{ "preset: istio\np95: {query: 'f($HISTO)'}\n", "$HISTO" }, { "preset: istio\np95: {unit: min}\n", "p95.unit" },
		{ "preset: istio\np95: {qeury: x}\n", "qeury" }, { "preset: istio\nwords: {LABELS: $LABELS}\n", "circles" },
		{ "rps: {query: x, newest: y}\n", "cpu.query" }, { "preset: [\n", "line" }, { "preset: istio\nwords: x\n", "words" },
	};
	(void) state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		PromQueries q = { 0 };
		Error err = { 0 };
		assert_int_not_equal(prom_queries_read("queries.yaml", bad[i].text, &q, &err), 0);
		if (!strstr(err.text, bad[i].named) || strncmp(err.text, "queries.yaml: ", 14))
			fail_msg("\"%s\": the error \"%s\" does not name %s", bad[i].text, err.text, bad[i].named);
	}
	Error err = { 0 };
	PromQueries q = { 0 };
	assert_int_equal(prom_queries_open("/nonexistent.yaml", &q, &err), ERR_IO);
	/* an annotation reads no file */
	assert_int_not_equal(prom_queries_read("annotation", "/etc/passwd", &q, &err), 0);
}

typedef struct Fixture {
	FakeCluster cluster;
	KubeConfig kubeconfig;
	KubeClient *kube;
	Clock clock;
	Metrics *metrics;
	Sample sample;
	Error err;
} Fixture;

static void begin(Fixture *f, PromConfig config)
{
	*f = (Fixture) { 0 };
	fake_cluster_start(&f->cluster);
	clock_init_system(&f->clock);
	f->kubeconfig.server = strdup(fake_cluster_url(&f->cluster));
	assert_int_equal(kube_client_new(&f->kubeconfig, &f->clock, &f->kube, &f->err), 0);
	config.url = config.url ? config.url : fake_cluster_url(&f->cluster);
	config.kube = f->kube;
	config.clock = &f->clock;
	config.rate_window_s = 60;
	config.latency_window_s = 60;
	config.scrape_interval_s = 15;
	if (prom_metrics_new(&config, &f->metrics, &f->err))
		fail_msg("%s", f->err.text);
}

static int fetch(Fixture *f)
{
	return f->metrics->ops->fetch(f->metrics, &TARGET, 1, clock_wall_ms(&f->clock), &f->sample, &f->err);
}

static void end(Fixture *f)
{
	metrics_free(f->metrics);
	kube_client_free(f->kube);
	kubeconfig_done(&f->kubeconfig);
	fake_cluster_stop(&f->cluster);
}

static void a_deployments_annotation_beats_the_option(void **state)
{
	Fixture f;
	(void) state;
	begin(&f, (PromConfig) { 0 });
	assert_int_equal(fetch(&f), 0);
	assert_float_equal(f.sample.latency_ms, 200, 0);
	/* the scripted histogram says 200 of whatever unit */
	atomic_store(&f.cluster.annotations, "\"maestro.io/queries\":\"preset: generic\\nwords: {HISTOGRAM: istio_requests_total_x}\"");
	assert_int_equal(fetch(&f), 0);
	assert_float_equal(f.sample.latency_ms, 200000, 0);
	atomic_store(&f.cluster.annotations, "\"maestro.io/queries\":\"nosuch\"");
	assert_int_equal(fetch(&f), ERR_INVALID);
	assert_non_null(strstr(f.err.text, "shop/web"));
	assert_non_null(strstr(f.err.text, "maestro.io/queries"));
	atomic_store(&f.cluster.annotations, "");
	assert_int_equal(fetch(&f), 0);
	assert_float_equal(f.sample.latency_ms, 200, 0);
	end(&f);
}

/* Queries that targets: names for one target are nearer than what is annotated. */
static void queries_of_the_configuration_beat_the_annotation(void **state)
{
	Fixture f;
	(void) state;
	begin(&f, (PromConfig) { .queries = "istio", .ignores_annotation = true });
	atomic_store(&f.cluster.annotations, "\"maestro.io/queries\":\"nosuch\"");
	assert_int_equal(fetch(&f), 0);
	assert_float_equal(f.sample.latency_ms, 200, 0);
	end(&f);
}

static void latency_may_come_from_elsewhere(void **state)
{
	Fixture f;
	FakeCluster other;
	(void) state;
	fake_cluster_start(&other);
	begin(&f, (PromConfig) { .latency_url = fake_cluster_url(&other) });
	atomic_store(&f.cluster.missing, "_bucket");
	assert_int_equal(fetch(&f), 0);
	assert_true(f.sample.valid & SAMPLE_LATENCY);
	atomic_store(&f.cluster.missing, NULL);
	atomic_store(&other.missing, "_bucket");
	assert_int_equal(fetch(&f), 0);
	assert_false(f.sample.valid & SAMPLE_LATENCY);
	end(&f);
	fake_cluster_stop(&other);
}

static void write_file(char *path, const char *text)
{
	int fd = mkstemp(path);
	assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t) strlen(text));
	(void) close(fd);
}

static void prometheus_gets_what_it_asks_of_us(void **state)
{
	Fixture f;
	char token[] = "/tmp/test_preset_XXXXXX", password[] = "/tmp/test_preset_XXXXXX";
	(void) state;
	write_file(token, "t0ken\n");
	write_file(password, "open sesame\n");
	begin(&f, (PromConfig) { .access = { .bearer_file = token, .header = { "X-Scope-OrgID: team-a" }, .n_headers = 1 } });
	assert_int_equal(fetch(&f), 0);
	assert_non_null(strstr(f.cluster.headers, "Authorization: Bearer t0ken\r\n"));
	assert_non_null(strstr(f.cluster.headers, "X-Scope-OrgID: team-a\r\n"));
	end(&f);
	begin(&f, (PromConfig) { .access = { .user = "Aladdin", .password_file = password } });
	assert_int_equal(fetch(&f), 0);
	assert_non_null(strstr(f.cluster.headers, "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n")); /* RFC 7617, section 2 */
	end(&f);
	(void) unlink(token);
	(void) unlink(password);
	Endpoint *endpoint = NULL;
	Error err = { 0 };
	assert_int_equal(endpoint_open(&(EndpointConfig) { .url = "ftp://x" }, &endpoint, &err), ERR_INVALID);
	assert_int_equal(endpoint_open(&(EndpointConfig) { .url = "http://x", .user = "u" }, &endpoint, &err), ERR_INVALID);
	assert_int_equal(endpoint_open(&(EndpointConfig) { .url = "http://x", .cert_file = "c" }, &endpoint, &err), ERR_INVALID);
	assert_int_equal(endpoint_open(&(EndpointConfig) { .url = "http://x", .bearer_file = "/nonexistent" }, &endpoint, &err), ERR_IO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(presets_are_complete_promql),
		cmocka_unit_test(istio_is_the_thesis),
		cmocka_unit_test(words_reach_the_presets_queries),
		cmocka_unit_test(mistakes_are_named),
		cmocka_unit_test(a_deployments_annotation_beats_the_option),
		cmocka_unit_test(queries_of_the_configuration_beat_the_annotation),
		cmocka_unit_test(latency_may_come_from_elsewhere),
		cmocka_unit_test(prometheus_gets_what_it_asks_of_us),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
