/* Reading a fit's data from a Prometheus that answers from a table: every series to its place, and what is missing refused or named. */
#include "control/fit_source.h"

#include "base/http.h"
#include "fakes/http_server.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { END_S = 1795540800, STEP_S = 60, N = 30 };

typedef struct Answer {
	const char *part;    /* of the query */
	const char *labels;
	double value;        /* at every time; a range answers it, an instant query too */
} Answer;

#define STRICT "-[a-z0-9]+-[a-z0-9]{5}"
static const Answer GOOD[] = { /* the first whose part is in the query, and those after it with the same part */
	{ "code=~\"5..\"", "", .5 },
	{ "sum(rate(istio_requests_total", "", 12 },
	{ "kube_deployment_status_replicas_ready", "", 3 },
	{ "sum(rate(container_cpu", "", .75 },
	{ "sum(container_memory", "", 4e8 },
	{ "restarts_total", "", 1 },
	{ "_bucket", "\"le\":\"+Inf\"", 12 },
	{ "_bucket", "\"le\":\"25\"", 8 },
	{ "_bucket", "\"le\":\"5\"", 2 },
	{ "_bucket", "\"le\":\"100\"", 11 },
	{ "resource_limits{namespace=\"shop\",pod=~\"web" STRICT "\",resource=\"cpu\"", "", .5 },
	{ "resource_requests", "", .25 },
	{ "resource=\"memory\"", "", 5e8 },
	{ "count_over_time", "", 4 },
	{ "kube_pod_created", "\"pod\":\"web-1-aaaaa\"", 100 },
	{ "kube_pod_created", "\"pod\":\"web-1-bbbbb\"", 200 },
	{ "kube_pod_start_time", "\"pod\":\"web-1-bbbbb\"", 201 },
	{ "container_start_time", "\"pod\":\"web-1-aaaaa\"", 105.5 },
	{ "kube_pod_status_ready_time", "\"pod\":\"web-1-aaaaa\"", 112 },
	{ NULL, NULL, 0 },
};

typedef struct World {
	Answer answer[24];
	int hole;            /* index of a time without values; -1: none */
	int refuse_status;
	int asked_loose;     /* queries that take any pod */
} World;

static char *values_of(const World *world, const Answer *answer, double start_s, double end_s)
{
	char *text = strdup("");
	for (double t = start_s; t <= end_s + .001; t += STEP_S) {
		if ((int) lround((t - (END_S - (N - 1) * STEP_S)) / STEP_S) == world->hole)
			continue;
		char *longer = fake_text("%s%s[%.3f,\"%.10g\"]", text, *text ? "," : "", t, answer->value);
		free(text);
		text = longer;
	}
	return text;
}

static void handle(void *context, const FakeRequest *request, FakeReply *reply)
{
	World *world = context;
	const char *query = request->query, *start = strstr(query, "start="), *end = strstr(query, "end="), *found = NULL;
	char *text = strdup("");
	world->asked_loose += strstr(query, "web-.*") != NULL;
	for (const Answer *a = world->answer; a->part; a++) {
		if (!strstr(query, a->part) || (found && strcmp(found, a->part) != 0))
			continue;
		found = a->part;
		char *values = start ? values_of(world, a, strtod(start + 6, NULL), strtod(end + 4, NULL))
		                     : fake_text("%d,\"%.10g\"", END_S, a->value);
		char *longer = fake_text("%s%s{\"metric\":{%s},\"value%s\":[%s]}", text, *text ? "," : "", a->labels, start ? "s" : "", values);
		free(values);
		free(text);
		text = longer;
	}
	reply->status = world->refuse_status ? world->refuse_status : 200;
	reply->body = world->refuse_status ? strdup("away")
		: fake_text("{\"status\":\"success\",\"data\":{\"resultType\":\"%s\",\"result\":[%s]}}", start ? "matrix" : "vector", text);
	free(text);
}

typedef struct Fixture {
	World world;
	FakeServer *server;
	Clock clock;
	FitSource source;
	FitData data;
	StrBuf notes;
	Error err;
	double told;
} Fixture;

static bool tell(void *context, double done, const char *what)
{
	Fixture *f = context;
	assert_non_null(what);
	assert_true(done >= f->told && done <= 1.0);
	f->told = done;
	return true;
}

static void begin(Fixture *f)
{
	*f = (Fixture) { .world = { .hole = -1 } };
	memcpy(f->world.answer, GOOD, sizeof GOOD);
	f->server = fake_server_start(handle, &f->world);
	clock_init_system(&f->clock);
	f->source = (FitSource) {
		.endpoint = { .url = fake_server_url(f->server) }, .target = { .namespace_ = "shop", .name = "web" },
		.end_ms = END_S * INT64_C(1000), .window_s = N * STEP_S, .step_s = STEP_S, .clock = &f->clock, .timeout_ms = 20000,
		.progress = tell, .context = f,
	};
	fit_data_init(&f->data);
}

static void end(Fixture *f)
{
	fit_data_done(&f->data);
	strbuf_done(&f->notes);
	fake_server_stop(f->server);
}

static int read_again(Fixture *f)
{
	fit_data_done(&f->data);
	strbuf_clear(&f->notes);
	f->err = (Error) { 0 };
	f->told = 0.0;
	return fit_source_read(&f->source, &f->data, &f->notes, &f->err);
}

static void drop(Fixture *f, const char *part)
{
	for (Answer *a = f->world.answer; a->part; a++)
		if (!strcmp(a->part, part))
			a->part = "nothing asks for this";
}

static void every_series_goes_to_its_place(void **state)
{
	(void) state;
	Fixture f;
	begin(&f);
	f.world.hole = 7;
	if (read_again(&f))
		fail_msg("%s", f.err.text);
	const FitData *d = &f.data;
	assert_int_equal(d->n, N);
	assert_int_equal(d->n_bounds, 3);
	assert_true(d->bound_ms[0] == 5.0 && d->bound_ms[1] == 25.0 && d->bound_ms[2] == 100.0); /* sorted */
	for (size_t i = 0; i < d->n; i++) {
		const FitRow *row = &d->row[i];
		assert_true(row->t_s == END_S - (double) (N - 1 - (int) i) * STEP_S);
		if (i == 7) { /* a hole stays one */
			assert_true(isnan(row->rps) && isnan(row->cpu_cores) && isnan(row->within[1]));
			continue;
		}
		assert_true(row->rps == 12.0 && row->error_rps == .5 && row->cpu_cores == .75 && row->ready == 3.0);
		assert_true(row->mem_bytes == 4e8 && row->restarts == 1.0);
		assert_true(row->within[0] == 2.0 && row->within[1] == 8.0 && row->within[2] == 11.0 && row->within[3] == 12.0);
	}
	assert_true(d->cpu_limit == .5 && d->cpu_request == .25 && d->mem_limit_bytes == 5e8 && d->scrape_interval_s == 15.0);
	assert_int_equal(d->n_starts, 2);
	assert_true(d->start[0].created_s == 100.0 && d->start[0].running_s == 105.5 && d->start[0].ready_s == 112.0);
	assert_true(isnan(d->start[0].scheduled_s) && d->start[1].scheduled_s == 201.0);
	assert_int_equal(f.world.asked_loose, 0);
	assert_true(f.notes.len == 0);
	assert_true(f.told > .9);
	end(&f);
}

static void what_stands_in_is_named(void **state)
{
	(void) state;
	Fixture f;
	begin(&f);
	drop(&f, "kube_deployment_status_replicas_ready");
	drop(&f, "restarts_total");
	drop(&f, "kube_pod_created");
	drop(&f, "kube_pod_start_time");
	drop(&f, "container_start_time");
	drop(&f, "kube_pod_status_ready_time");
	drop(&f, "resource_requests");
	drop(&f, "code=~\"5..\"");
	f.world.answer[3].part = "web-.*\",container!=\"\"}[1m]))"; /* cpu under names that no Deployment gives, and the pods counted by it */
	assert_int_equal(read_again(&f), 0);
	assert_true(f.data.row[0].ready == .75 && f.data.row[0].cpu_cores == .75);
	assert_true(isnan(f.data.row[0].restarts) && isnan(f.data.row[0].mem_bytes) == 0);
	assert_true(isnan(f.data.cpu_request));
	assert_int_equal(f.data.n_starts, 0);
	static const char *const want[] = { "cpu: no pod has the name that a Deployment gives", "pods are counted by their cpu series",
		"restarts: no kube_pod_container_status_restarts_total", "start-ups: no kube_pod_created" };
	for (size_t i = 0; i < sizeof want / sizeof *want; i++)
		if (!strstr(f.notes.data, want[i]))
			fail_msg("the notes are \"%s\", without \"%s\"", f.notes.data, want[i]);
	end(&f);
}

static void a_series_too_few_or_too_many_is_refused(void **state)
{
	(void) state;
	static const struct {
		const char *lost, *want;
	} cases[] = {
		{ "sum(rate(istio_requests_total", "requests: no series over the window; query: sum(rate(istio_requests_total{destination_workload_nam" },
		{ "_bucket", "latencies: no series over the window; query: sum by (le)(rate(istio_request_duration" },
		{ "sum(rate(container_cpu", "cpu: no series over the window; query: sum(rate(container_cpu_usage_seconds_total{namespace=\"shop\"" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		Fixture f;
		begin(&f);
		drop(&f, cases[i].lost);
		assert_int_equal(read_again(&f), ERR_NO_DATA);
		if (strncmp(f.err.text, cases[i].want, strlen(cases[i].want)))
			fail_msg("\"%s\" is not \"%s\"", f.err.text, cases[i].want);
		end(&f);
	}
	Fixture f;
	begin(&f);
	f.world.answer[5] = (Answer) { "sum(container_memory", "\"cluster\":\"b\"", 1 }; /* in the place of the restarts */
	assert_int_equal(read_again(&f), ERR_INVALID);
	assert_string_equal(f.err.text, "memory: ambiguous, 2 series: {}, {cluster=\"b\"}");
	end(&f);
	begin(&f);
	drop(&f, "_bucket");
	f.world.answer[6] = (Answer) { "_bucket", "\"le\":\"5\"", 1 };
	f.world.answer[7] = (Answer) { "_bucket", "\"le\":\"10\"", 1 };
	f.world.answer[8] = (Answer) { "_bucket", "\"le\":\"15\"", 1 };
	assert_int_equal(read_again(&f), ERR_INVALID);
	assert_string_equal(f.err.text, "latencies: 3 bounds and no le=\"+Inf\"; a histogram has more");
	end(&f);
}

static void a_server_away_and_impossible_questions_are_errors(void **state)
{
	(void) state;
	Fixture f;
	begin(&f);
	f.world.refuse_status = 503;
	assert_int_equal(read_again(&f), ERR_HTTP);
	f.world.refuse_status = 0;
	f.source.window_s = 19 * STEP_S;
	assert_int_equal(read_again(&f), ERR_USAGE);
	f.source.window_s = N * STEP_S;
	str_copy(f.source.target.name, sizeof f.source.target.name, "web\"}) or vector(1)");
	assert_int_equal(read_again(&f), ERR_USAGE);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_series_goes_to_its_place),
		cmocka_unit_test(what_stands_in_is_named),
		cmocka_unit_test(a_series_too_few_or_too_many_is_refused),
		cmocka_unit_test(a_server_away_and_impossible_questions_are_errors),
	};
	assert_int_equal(http_global_init(), 0);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	http_global_done();
	return failed;
}
