/*
 * Range queries and a target's past, by a Prometheus that answers from a small table: values are what a formula says of the time
 * asked for, so that chunks and gaps can be counted.
 */
#include "cluster/prom_range.h"
#include "cluster/prometheus.h"

#include "base/http.h"
#include "fakes/prom_source.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const Target TARGET = { .namespace_ = "default", .name = "web", .min_replicas = 1, .max_replicas = 15 };
enum { NOW_S = 1795540345, STEP_S = 15, N = 20, START_S = NOW_S - (N - 1) * STEP_S };

typedef struct World {
	const char *whole;      /* the answer to every range query */
	int whole_status;
	size_t most_points;     /* more in one request: 422, as for too many samples */
	bool has_extra, has_state_metrics;
	int lost_from, lost_to; /* times (indices) at which web-1 has no sample */
	int cpu_gap;            /* index at which web-2 has a sample but no cpu rate; -1: none */
	int nan_latency, negative_rps, old_rps;
	size_t requests, most_seen;
} World;

/* One series: labels, and a value at each time or a gap (NaN of value_of). */
static void add_series(char **text, const char *labels, double start_s, double end_s, double step_s,
                       double (*value_of)(const World *, int), const World *world)
{
	char *old = *text;
	StrBuf values = { 0 };
	for (double t = start_s; t <= end_s + 1e-6; t += step_s) {
		double value = value_of(world, (int) lround((t - START_S) / STEP_S));
		if (isnan(value))
			continue;
		strbuf_addf(&values, isinf(value) ? "%s[%.3f,\"NaN\"]" : "%s[%.3f,\"%.10g\"]", values.len ? "," : "", t, value);
	}
	*text = values.len ? fake_text("%s%s{\"metric\":{%s},\"values\":[%s]}", old, *old ? "," : "", labels, values.data) : strdup(old);
	free(old);
	strbuf_done(&values);
}

static double steps(const World *w, int i) { (void) w; return i; }
static double cpu_1(const World *w, int i) { return i > w->lost_from && i < w->lost_to ? NAN : .25; }
static double cpu_2(const World *w, int i) { return i == w->cpu_gap ? NAN : .5; }
static double stamp(const World *w, int i) { (void) w; return START_S + i * STEP_S - 4; }
static double stamp_1(const World *w, int i) { return i >= w->lost_from && i < w->lost_to ? NAN : stamp(w, i); }
/* web-7d9f8-abcde lived until time 9, and rate() goes on for a while */
static double cpu_dead(const World *w, int i) { (void) w; return i <= 12 ? 1.0 : NAN; }
static double stamp_dead(const World *w, int i) { return i <= 9 ? stamp(w, i) : NAN; }
static double latency(const World *w, int i) { return i == w->nan_latency ? INFINITY : 100.0 + i; }
static double rps(const World *w, int i) { return i == w->negative_rps ? -1.0 : 10.0 * i; }
static double stamp_rps(const World *w, int i) { return stamp(w, i) - (i == w->old_rps ? 100 : 0); }
static double seven(const World *w, int i) { (void) w; (void) i; return 7; }

typedef double ValueOf(const World *, int);
static const struct {
	const char *part;
	bool is_time;
	struct {
		const char *labels;
		ValueOf *value;
	} series[4];
} ANSWERS[] = {
	{ "container_cpu", false, { { "\"pod\":\"web-1\"", cpu_1 }, { "\"pod\":\"web-2\"", cpu_2 },
	                            { "\"pod\":\"web-7d9f8-abcde\"", cpu_dead }, { "\"pod\":\"web-admin-7d9f8-abcde\"", seven } } },
	{ "container_cpu", true, { { "\"pod\":\"web-1\"", stamp_1 }, { "\"pod\":\"web-2\"", stamp },
	                           { "\"pod\":\"web-7d9f8-abcde\"", stamp_dead }, { "\"pod\":\"web-admin-7d9f8-abcde\"", stamp } } },
	{ "container_memory", false, { { "\"pod\":\"web-1\"", seven }, { "\"pod\":\"web-2\"", seven } } },
	{ "container_memory", true, { { "\"pod\":\"web-1\"", stamp }, { "\"pod\":\"web-2\"", stamp } } },
	{ "_bucket", false, { { "", latency } } },
	{ "_bucket", true, { { "", stamp } } },
	{ "istio_requests_total", false, { { "", rps } } },
	{ "istio_requests_total", true, { { "", stamp_rps } } },
	{ "steps", false, { { "\"le\":\"5\",\"pod\":\"a\"", steps }, { "\"le\":\"+Inf\",\"pod\":\"a\"", seven } } },
};

static double number_after(const char *query, const char *name)
{
	const char *at = strstr(query, name);
	assert_non_null(at);
	return strtod(at + strlen(name), NULL);
}

static void answer_range(World *world, const char *query, FakeReply *reply)
{
	double start_s = number_after(query, "start="), end_s = number_after(query, "end="), step_s = number_after(query, "step=");
	size_t points = (size_t) lround((end_s - start_s) / step_s) + 1;
	world->requests++;
	world->most_seen = points > world->most_seen ? points : world->most_seen;
	if (world->most_points && points > world->most_points) {
		reply->status = 422;
		reply->body = fake_text("{\"status\":\"error\",\"errorType\":\"execution\",\"error\":\"too many samples\"}");
		return;
	}
	if (world->whole) {
		reply->status = world->whole_status ? world->whole_status : 200;
		reply->body = fake_text("%s", world->whole);
		return;
	}
	char *text = strdup("");
	bool is_time = strstr(query, "timestamp(") != NULL;
	for (size_t a = 0; a < sizeof ANSWERS / sizeof *ANSWERS; a++)
		if (strstr(query, ANSWERS[a].part) && ANSWERS[a].is_time == is_time)
			for (int s = 0; s < 4 && ANSWERS[a].series[s].value; s++)
				add_series(&text, ANSWERS[a].series[s].labels, start_s, end_s, step_s, ANSWERS[a].series[s].value, world);
	if (world->has_state_metrics && strstr(query, "kube_deployment"))
		add_series(&text, "", start_s, end_s, step_s, seven, world);
	if (world->has_extra && strstr(query, "istio_requests_total") && !is_time)
		add_series(&text, "\"cluster\":\"b\"", start_s, end_s, step_s, seven, world);
	reply->body = fake_text("{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[%s]}}", text);
	free(text);
}

#define POD_ITEM(name) "{\"metadata\":{\"name\":\"" name "\"},\"spec\":{\"containers\":[]},\"status\":{\"phase\":\"Running\"}}"
static void handle(void *context, const FakeRequest *request, FakeReply *reply)
{
	if (!strcmp(request->path, "/api/v1/query_range"))
		answer_range(context, request->query, reply);
	else if (strstr(request->path, "/pods"))
		reply->body = fake_text("{\"items\":[" POD_ITEM("web-1") "," POD_ITEM("web-2") "]}");
	else
		reply->body = fake_text("{\"metadata\":{\"uid\":\"u\"},\"spec\":{\"replicas\":2,\"selector\":{\"matchLabels\":{\"app\":\"web\"}},"
		                        "\"template\":{\"spec\":{\"containers\":[{\"resources\":{\"requests\":{\"cpu\":\"200m\"}}}]}}}}");
}

typedef struct Fixture {
	World world;
	PromSource source;
	PromQuery query;
	PromMatrix matrix;
	Sample sample[N];
	size_t told;       /* by progress */
	Error err;
} Fixture;

static void begin(Fixture *f)
{
	*f = (Fixture) { .world = { .lost_from = -1, .lost_to = -1, .cpu_gap = -1, .nan_latency = -1, .negative_rps = -1, .old_rps = -1 } };
	prom_source_begin(&f->source, handle, &f->world, "");
	assert_int_equal(endpoint_open(&(EndpointConfig) { .url = fake_server_url(f->source.server) }, &f->query.endpoint, &f->err), 0);
}

static void end(Fixture *f)
{
	prom_matrix_done(&f->matrix);
	prom_query_done(&f->query);
	endpoint_close(f->query.endpoint);
	prom_source_end(&f->source);
}

static bool tell(void *context, size_t done, size_t n)
{
	Fixture *f = context;
	assert_true(done > f->told && done <= n);
	f->told = done;
	return n < 12345;
}

static int ask(Fixture *f, size_t n)
{
	const PromRange range = {
		.promql = "steps",
		.by = "le",
		.start_ms = START_S * INT64_C(1000),
		.end_ms = (START_S + (int64_t) (n - 1) * STEP_S) * 1000 + 7,
		.step_ms = STEP_S * 1000,
		.clock = &f->source.clock,
		.deadline_ms = clock_mono_ms(&f->source.clock) + 60000,
		.timeout_ms = 20000,
		.progress = tell,
		.context = f,
	};
	f->err = (Error) { 0 };
	f->told = 0;
	prom_matrix_done(&f->matrix);
	return prom_range(&f->query, &range, &f->matrix, &f->err);
}

static void range_is_asked_in_chunks_that_join_without_a_seam(void **state)
{
	(void) state;
	Fixture f;
	begin(&f);
	assert_int_equal(ask(&f, 9001), 0);
	assert_int_equal(f.world.requests, 3);
	assert_true(f.world.most_seen <= 11000);
	assert_int_equal(f.told, 9001);
	assert_int_equal(f.matrix.n, 9001);
	assert_int_equal(f.matrix.n_series, 2);
	for (size_t i = 0; i < f.matrix.n; i++)
		assert_float_equal(prom_matrix_by(&f.matrix, "5")->value[i], (double) i, 0.0);
	assert_string_equal(prom_matrix_by(&f.matrix, "+Inf")->labels, "le=\"+Inf\",pod=\"a\"");
	assert_null(prom_matrix_by(&f.matrix, "10"));
	assert_null(prom_matrix_single(&f.matrix, &f.err));
	assert_string_equal(f.err.text, "ambiguous, 2 series: {le=\"5\",pod=\"a\"}, {le=\"+Inf\",pod=\"a\"}");
	assert_int_equal(ask(&f, 12345), ERR_CANCELLED);
	end(&f);
}

static void range_chunks_shrink_where_they_are_too_much(void **state)
{
	(void) state;
	Fixture f;
	begin(&f);
	f.world.most_points = 600;
	assert_int_equal(ask(&f, 2500), 0);
	assert_int_equal(f.world.requests, 3 + 5); /* 2500, 2000, 1000 are refused, then 5 of 500 */
	assert_float_equal(prom_matrix_by(&f.matrix, "5")->value[2499], 2499.0, 0.0);
	f.world.most_points = 10;
	assert_int_equal(ask(&f, 2500), ERR_INVALID);
	assert_non_null(strstr(f.err.text, "execution: too many samples"));
	end(&f);
}

static void range_answers_that_make_no_sense_are_refused(void **state)
{
	(void) state;
	static const struct {
		int status, code;
		const char *whole, *want;
	} cases[] = {
#define MATRIX(result) "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[" result "]}}"
		{ 200, ERR_PARSE, "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[]}}", "not a matrix" },
		{ 200, ERR_PARSE, MATRIX("{\"metric\":{}}"), "a series without values" },
		{ 200, ERR_PARSE, MATRIX("{\"metric\":{},\"values\":[[1795540345,7]]}"), "a value that is not a number" },
		{ 200, ERR_PARSE, MATRIX("{\"metric\":{},\"values\":[[1,\"7\"]]}"), "a value at a time that was not asked for" },
		{ 200, ERR_PARSE, MATRIX("{\"metric\":{},\"values\":[[1e300,\"7\"]]}"), "a value at a time that was not asked for" },
		{ 200, ERR_PARSE, MATRIX("{\"metric\":{},\"values\":[[1795540066,\"7\"]]}"), "a value at a time that was not asked for" },
		{ 400, ERR_INVALID, "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"parse error\"}", "bad_data: parse error" },
		{ 200, ERR_INVALID, "{\"status\":\"success\",\"warnings\":[\"store x is away\"],\"data\":{\"resultType\":\"matrix\",\"result\":[]}}",
		  "incomplete: store x is away" },
		{ 502, ERR_HTTP, "Bad Gateway", "HTTP 502: \"Bad Gateway\"" },
		{ 200, ERR_PARSE, "<html>", "not JSON: \"<html>\"" },
	};
	Fixture f;
	begin(&f);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		f.world.whole_status = cases[i].status;
		f.world.whole = cases[i].whole;
		f.world.requests = 0;
		assert_int_equal(ask(&f, 300), cases[i].code);
		if (!strstr(f.err.text, cases[i].want))
			fail_msg("\"%s\" without \"%s\"", f.err.text, cases[i].want);
		assert_int_equal(f.world.requests, 1);
	}
	end(&f);
}

static void range_ends_at_its_deadline_and_its_bounds(void **state)
{
	(void) state;
	Fixture f;
	begin(&f);
	PromRange range = { .promql = "steps", .end_ms = 1000, .step_ms = 1000, .clock = &f.source.clock, .timeout_ms = 1000 };
	range.deadline_ms = clock_mono_ms(&f.source.clock);
	assert_int_equal(prom_range(&f.query, &range, &f.matrix, &f.err), ERR_TIMEOUT);
	assert_int_equal(f.world.requests, 0);
	range.step_ms = 0;
	assert_int_equal(prom_range(&f.query, &range, &f.matrix, &f.err), ERR_INVALID);
	range.step_ms = 1;
	range.end_ms = INT64_C(1) << 40;
	assert_int_equal(prom_range(&f.query, &range, &f.matrix, &f.err), ERR_INVALID);
	assert_int_equal(f.world.requests, 0);
	end(&f);
}

/* ---- a target's past ---- */

static int history(Fixture *f)
{
	f->err = (Error) { 0 };
	return metrics_history(f->source.metrics, &TARGET, NOW_S * INT64_C(1000), STEP_S * 1000, N, f->sample, &f->err);
}

static void history_has_every_value_at_every_time(void **state)
{
	(void) state;
	Fixture f;
	begin(&f);
	assert_int_equal(history(&f), 0);
	for (int i = 0; i < N; i++) {
		const Sample *s = &f.sample[i];
		assert_int_equal(s->wall_ms, (START_S + i * STEP_S) * INT64_C(1000));
		assert_string_equal(s->missing, "");
		assert_int_equal(s->valid, SAMPLE_ALL);
		/* a pod that is gone counts while it had samples, a neighbour's never */
		assert_float_equal(s->cpu_cores, i <= 9 ? 1.75 : .75, 1e-12);
		assert_int_equal(s->replicas, i <= 9 ? 3 : 2);
		assert_float_equal(s->mem_bytes, 14.0, 0.0);
		assert_float_equal(s->latency_ms, 100.0f + (float) i, 1e-4);
		assert_float_equal(s->rps, 10.0f * (float) i, 1e-4);
		assert_int_equal(s->age_ms[0], 4000);
		assert_float_equal(s->cpu_request_cores, .2, 1e-12);
		assert_null(s->pods);
	}
	f.world.has_state_metrics = true;
	assert_int_equal(history(&f), 0);
	assert_int_equal(f.sample[0].replicas, 7);
	assert_int_equal(f.sample[0].ready, 7);
	end(&f);
}

static void assert_missing_at(const Fixture *f, int i, uint32_t bits, const char *want)
{
	assert_int_equal(f->sample[i].valid, SAMPLE_ALL & ~bits);
	assert_string_equal(f->sample[i].missing, want);
}

static void history_keeps_its_gaps(void **state)
{
	(void) state;
	Fixture f;
	begin(&f);
	f.world.lost_from = 11;
	f.world.lost_to = 14;
	f.world.cpu_gap = 16;
	f.world.nan_latency = 3;
	f.world.negative_rps = 4;
	f.world.old_rps = 5;
	assert_int_equal(history(&f), 0);
	for (int i = 11; i < 14; i++) /* web-1 was not scraped: the others' sum is not the pods' sum, and nobody was gone */
		assert_missing_at(&f, i, SAMPLE_CPU | SAMPLE_REPLICAS, "cpu: stale, replicas: no value");
	assert_missing_at(&f, 14, 0, "");
	assert_missing_at(&f, 16, SAMPLE_CPU | SAMPLE_REPLICAS, "cpu: a pod without a value, replicas: no value");
	assert_missing_at(&f, 3, SAMPLE_LATENCY, "p95: no value");
	assert_missing_at(&f, 4, SAMPLE_RPS, "rps: impossible");
	assert_missing_at(&f, 5, SAMPLE_RPS, "rps: stale");
	end(&f);
}

static void history_says_what_is_ambiguous_or_refused(void **state)
{
	(void) state;
	Fixture f;
	begin(&f);
	f.world.has_extra = true;
	assert_int_equal(history(&f), 0);
	for (int i = 0; i < N; i++)
		assert_missing_at(&f, i, SAMPLE_RPS, "rps: ambiguous, 2 series: {}, {cluster=\"b\"}");
	f.world.whole = "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"no\"}";
	assert_int_equal(history(&f), 0);
	assert_int_equal(f.sample[0].valid, 0);
	assert_non_null(strstr(f.sample[0].missing, "cpu: prometheus: bad_data: no"));
	/* Prometheus away is an error, and no sample is touched */
	f.world.whole = "gone";
	f.world.whole_status = 503;
	f.sample[0].replicas = 99;
	assert_int_equal(history(&f), ERR_HTTP);
	assert_int_equal(f.sample[0].replicas, 99);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(range_is_asked_in_chunks_that_join_without_a_seam),
		cmocka_unit_test(range_chunks_shrink_where_they_are_too_much),
		cmocka_unit_test(range_answers_that_make_no_sense_are_refused),
		cmocka_unit_test(range_ends_at_its_deadline_and_its_bounds),
		cmocka_unit_test(history_has_every_value_at_every_time),
		cmocka_unit_test(history_keeps_its_gaps),
		cmocka_unit_test(history_says_what_is_ambiguous_or_refused),
	};
	assert_int_equal(http_global_init(), 0);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	http_global_done();
	return failed;
}
