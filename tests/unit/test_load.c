/* The load generator: its arithmetic against sorted numbers, and its honesty about a server that stalls. */
#include "cluster/load.h"

#include "base/http.h"
#include "base/rng.h"
#include "fakes/http_server.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct Script {
	int first_delay_ms, delay_ms, status;
	int n;
} Script;

static void handle(void *context, const FakeRequest *request, FakeReply *reply)
{
	Script *script = context;
	(void) request;
	reply->status = script->status;
	reply->delay_ms = script->n++ == 0 ? script->first_delay_ms : script->delay_ms;
}

typedef struct Fixture {
	Script script;
	FakeServer *server;
	const char *url;
	atomic_bool stop;
	LoadConfig config;
	LoadReport report;
	Error err;
} Fixture;

static void begin(Fixture *f, Script script)
{
	*f = (Fixture) { .script = script };
	f->server = fake_server_start(handle, &f->script);
	f->url = fake_server_url(f->server);
	f->config = (LoadConfig) {
		.url = &f->url, .n_urls = 1, .rps = 1000.0, .duration_s = .15, .timeout_ms = 2000, .connections = 50,
		.keep_alive = true, .seed = 7, .stop = &f->stop,
	};
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *) a, y = *(const double *) b;
	return (x > y) - (x < y);
}

static void latency_quantiles_agree_with_sorted_numbers(void **state)
{
	(void) state;
	enum { N = 20001 };
	static double value[N];
	static LatencyHistogram histogram;
	Rng rng;
	rng_init(&rng, 3, 0, RNG_LOAD);
	for (int i = 0; i < N; i++) {
		value[i] = exp(2.0 * rng_normal(&rng) + 2.0); /* four decades */
		latency_add(&histogram, value[i]);
	}
	qsort(value, N, sizeof *value, by_value);
	static const double qs[] = { .01, .5, .95, .99, .999 };
	for (size_t i = 0; i < sizeof qs / sizeof *qs; i++) {
		double want = value[(size_t) ceil(qs[i] * N) - 1];
		assert_true(fabs(latency_quantile(&histogram, qs[i]) / want - 1.0) < .0051);
	}
	assert_true(fabs(latency_quantile(&histogram, 1.0) / value[N - 1] - 1.0) < .0051);
	assert_float_equal(histogram.max_ms, value[N - 1], 0.0);
	assert_true(isnan(latency_quantile(&(LatencyHistogram) { 0 }, .5)));
}

static void latency_outside_the_buckets_is_kept(void **state)
{
	(void) state;
	LatencyHistogram *histogram = calloc(1, sizeof *histogram);
	assert_non_null(histogram);
	latency_add(histogram, 0.0);
	latency_add(histogram, 1e9);
	assert_int_equal(histogram->n, 2);
	assert_int_equal(histogram->count[0], 1);
	assert_int_equal(histogram->count[LOAD_BUCKETS - 1], 1);
	free(histogram);
}

static void load_sends_a_poisson_number_and_counts_each_once(void **state)
{
	(void) state;
	Fixture f;
	begin(&f, (Script) { .status = 200 });
	assert_int_equal(load_run(&f.config, &f.report, &f.err), 0);
	const LoadReport *r = &f.report;
	/* mean 150, deviation sqrt(150): within five of them */
	assert_true(fabs((double) (r->sent + r->unsent) - 150.0) < 62.0);
	assert_int_equal(r->ok, r->sent);
	assert_int_equal(r->latency.n, r->sent);
	assert_int_equal(fake_server_requests(f.server), r->sent);
	assert_true(r->elapsed_s >= .15);
	fake_server_stop(f.server);
}

static void load_arrivals_depend_on_nothing_but_the_seed(void **state)
{
	(void) state;
	Fixture f;
	begin(&f, (Script) { .status = 200 });
	f.config.duration_s = .05;
	assert_int_equal(load_run(&f.config, &f.report, &f.err), 0);
	int64_t first = f.report.sent + f.report.unsent;
	f.script.delay_ms = 2;
	assert_int_equal(load_run(&f.config, &f.report, &f.err), 0);
	assert_int_equal(f.report.sent + f.report.unsent, first);
	fake_server_stop(f.server);
}

static void load_latency_counts_from_the_intended_time(void **state)
{
	(void) state;
	/* A stall of 150 ms in a load of 250 ms over one connection: three arrivals in five fall into it and wait what is
	 * left of it, so four in ten wait over 50 ms. A generator that waits for answers would have seen one slow one. */
	Fixture f;
	begin(&f, (Script) { .first_delay_ms = 150, .status = 200 });
	f.config.rps = 200.0;
	f.config.duration_s = .25;
	f.config.connections = 1;
	assert_int_equal(load_run(&f.config, &f.report, &f.err), 0);
	assert_true(latency_quantile(&f.report.latency, .7) > 25.0);
	fake_server_stop(f.server);
}

static void load_tells_failures_apart(void **state)
{
	(void) state;
	Fixture f;
	begin(&f, (Script) { .status = 503 });
	f.config.duration_s = .05;
	assert_int_equal(load_run(&f.config, &f.report, &f.err), 0);
	assert_true(f.report.bad_status > 0);
	assert_int_equal(f.report.ok, 0);
	assert_int_equal(f.report.bad_status, f.report.sent);

	f.url = "http://127.0.0.1:1/";
	assert_int_equal(load_run(&f.config, &f.report, &f.err), 0);
	assert_true(f.report.unreachable > 0);
	assert_int_equal(f.report.latency.n, 0);

	f.url = "mailto:x";
	assert_int_equal(load_run(&f.config, &f.report, &f.err), ERR_INVALID);
	fake_server_stop(f.server);
}

static void load_ends_though_nobody_answers(void **state)
{
	(void) state;
	Fixture f;
	begin(&f, (Script) { .first_delay_ms = 300, .status = 200 });
	f.config.timeout_ms = 100;
	f.config.connections = 2;
	assert_int_equal(load_run(&f.config, &f.report, &f.err), 0);
	assert_int_equal(f.report.ok, 0);
	assert_true(f.report.timeouts > 0);
	assert_true(f.report.unsent > 0);
	assert_true(latency_quantile(&f.report.latency, 0.0) > 99.0); /* a timeout counts with what it waited */
	fake_server_stop(f.server);
}

static void load_stops_when_told(void **state)
{
	(void) state;
	Fixture f;
	begin(&f, (Script) { .status = 200 });
	f.config.duration_s = 3600.0;
	atomic_store(&f.stop, true);
	assert_int_equal(load_run(&f.config, &f.report, &f.err), 0);
	assert_int_equal(f.report.sent, 0);
	fake_server_stop(f.server);
}

/* ---- courses ---- */

static double falling(void *context, double t_s)
{
	(void) context;
	return t_s < .2 ? 1000.0 : 100.0;
}

static void load_follows_a_rate_that_changes(void **state)
{
	(void) state;
	Fixture f;
	begin(&f, (Script) { .status = 200 });
	f.config.rate = falling;
	f.config.duration_s = .5;
	assert_int_equal(load_run(&f.config, &f.report, &f.err), 0);
	/* 200 + 30 arrivals: within five deviations of a Poisson number */
	assert_true(fabs((double) (f.report.sent + f.report.unsent) - 230.0) < 5.0 * sqrt(230.0));
	fake_server_stop(f.server);
}

static double two_then_five(void *context, double t_s)
{
	*(double *) context = t_s;
	return t_s < .3 ? 2.0 : 5.0;
}

/* A user's round takes its answer and its thinking: no more requests than users times rounds, whatever the server's haste. */
static void users_wait_for_their_answer_and_think(void **state)
{
	(void) state;
	Fixture f;
	double last_s = 0.0;
	begin(&f, (Script) { .status = 200 });
	f.config.vus_max = 5;
	f.config.vus = two_then_five;
	f.config.context = &last_s;
	f.config.think_s = .1;
	f.config.duration_s = .6;
	assert_int_equal(load_run(&f.config, &f.report, &f.err), 0);
	assert_int_equal(f.report.sent, f.report.ok);
	assert_int_equal(f.report.unsent, 0);
	assert_true(f.report.ok <= 2 * 3 + 5 * 3 + 2 && f.report.ok >= 2);
	assert_true(last_s > .3);
	fake_server_stop(f.server);
}

static void slow_answers_slow_a_closed_loop_down(void **state)
{
	(void) state;
	Fixture f;
	begin(&f, (Script) { .status = 200, .first_delay_ms = 200, .delay_ms = 200 });
	f.config.vus_max = 3;
	f.config.think_s = 0.0;
	f.config.duration_s = .5;
	assert_int_equal(load_run(&f.config, &f.report, &f.err), 0);
	/* the fake answers one after the other: three at a time wait, and no fourth is ever sent */
	assert_true(f.report.sent <= 6 && f.report.sent >= 3);
	assert_true(f.report.latency.max_ms < 1500.0);
	fake_server_stop(f.server);
}

typedef struct Told {
	LoadProgress progress;
	int times;
	double last_s;
} Told;

static void count_told(LoadProgress *self, double elapsed_s, const LoadReport *so_far, size_t under_way)
{
	Told *told = (Told *) self;
	told->times++;
	assert_true(elapsed_s > told->last_s && so_far->sent >= (int64_t) under_way);
	told->last_s = elapsed_s;
}

static void progress_is_told_once_a_second(void **state)
{
	(void) state;
	Fixture f;
	Told told = { .progress = { count_told } };
	begin(&f, (Script) { .status = 200 });
	f.config.rps = 50.0;
	f.config.duration_s = 1.3;
	f.config.progress = &told.progress;
	assert_int_equal(load_run(&f.config, &f.report, &f.err), 0);
	assert_true(told.times >= 1);
	fake_server_stop(f.server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(latency_quantiles_agree_with_sorted_numbers),
		cmocka_unit_test(latency_outside_the_buckets_is_kept),
		cmocka_unit_test(load_sends_a_poisson_number_and_counts_each_once),
		cmocka_unit_test(load_arrivals_depend_on_nothing_but_the_seed),
		cmocka_unit_test(load_latency_counts_from_the_intended_time),
		cmocka_unit_test(load_tells_failures_apart),
		cmocka_unit_test(load_ends_though_nobody_answers),
		cmocka_unit_test(load_stops_when_told),
		cmocka_unit_test(load_follows_a_rate_that_changes),
		cmocka_unit_test(users_wait_for_their_answer_and_think),
		cmocka_unit_test(slow_answers_slow_a_closed_loop_down),
		cmocka_unit_test(progress_is_told_once_a_second),
	};
	assert_int_equal(http_global_init(), 0);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	http_global_done();
	return failed;
}
