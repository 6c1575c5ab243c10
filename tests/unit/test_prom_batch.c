/* Many targets in one query each: the same numbers as alone, and a bad query of one stays its own. */
#include "base/http.h"
#include "cluster/cache.h"
#include "cluster/prometheus.h"
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

enum { N = 150 };
static const int64_t NOW_MS = 1800000000000;

typedef struct World {
	int queries, joined, patterns;
	bool refuses_joined;   /* as where a query gives a scalar */
	int status;            /* 0: 200 */
	const char *lost;      /* a target without requests */
	bool posts;
} World;

static double number_of(const char *name)
{
	return strtod(name + 1, NULL);
}

static void add_row(StrBuf *to, const char *label, const char *name, const char *suffix, double value)
{
	strbuf_addf(to, "%s{\"metric\":{\"%s\":\"%s%s\"},\"value\":[0,\"%.17g\"]}", to->len ? "," : "", label, name, suffix, value);
}

/* The value of a query of one target. */
static double value_of(const char *query, const char *name)
{
	if (strstr(query, "timestamp("))
		return (double) NOW_MS / 1000 - 5;
	if (strstr(query, "_bucket"))
		return 100 + number_of(name);
	return strstr(query, "requests_total") ? 10 * number_of(name) : strstr(query, "memory") ? 1e6 : strstr(query, "up{") ? 1 : .25;
}

/* The names in `"maestro_target", "NAME"`, or in "(a|b)-.*". */
static void rows_of(World *world, const char *query, StrBuf *rows)
{
	const char *at = query;
	char name[64];
	if (strstr(query, "maestro_target"))
		world->joined++;
	while ((at = strstr(at, "\"maestro_target\", \""))) {
		at += strlen("\"maestro_target\", \"");
		(void) snprintf(name, sizeof name, "%.*s", (int) strcspn(at, "\""), at);
		if (!world->lost || strcmp(world->lost, name) || !strstr(query, "requests_total"))
			add_row(rows, "maestro_target", name, "", value_of(query, name));
	}
	const char *pattern = strstr(query, "pod=~\"(");
	world->patterns += pattern != NULL;
	for (at = pattern ? pattern + strlen("pod=~\"(") : ")"; *at != ')'; at += *at == '|') {
		size_t len = strcspn(at, "|)");
		(void) snprintf(name, sizeof name, "%.*s", (int) len, at);
		add_row(rows, "pod", name, "-1", value_of(query, name));
		add_row(rows, "pod", name, "-2", value_of(query, name));
		at += len;
	}
}

/* A query of one target alone. */
static void rows_alone(const char *query, StrBuf *rows)
{
	char name[64] = "";
	const char *by_name = strstr(query, "destination_workload=\""), *by_pod = strstr(query, "pod=~\"");
	if (by_name)
		(void) snprintf(name, sizeof name, "%.*s", (int) strcspn(by_name + 22, "\""), by_name + 22);
	else if (by_pod)
		(void) snprintf(name, sizeof name, "%.*s", (int) strcspn(by_pod + 6, "-"), by_pod + 6);
	if (by_name) {
		strbuf_addf(rows, "{\"metric\":{},\"value\":[0,\"%.17g\"]}", value_of(query, name));
	} else {
		add_row(rows, "pod", name, "-1", value_of(query, name));
		add_row(rows, "pod", name, "-2", value_of(query, name));
	}
}

static void unescape(char *text)
{
	char *to = text;
	for (const char *at = text; *at; to++) {
		char hex[3] = { 0 };
		if (*at != '%') {
			*to = *at++;
			continue;
		}
		memcpy(hex, at + 1, 2);
		*to = (char) strtol(hex, NULL, 16);
		at += 3;
	}
	*to = '\0';
}

static void handle(void *context, const FakeRequest *request, FakeReply *reply)
{
	World *world = context;
	bool is_post = !strcmp(request->method, "POST");
	char *query = fake_text("%s", is_post ? request->body : request->query);
	StrBuf rows = { 0 };
	if (is_post)
		unescape(query);
	world->queries++;
	world->posts |= is_post;
	bool is_many = strstr(query, "maestro_target") || strstr(query, "pod=~\"(");
	if (is_many)
		rows_of(world, query, &rows);
	else
		rows_alone(query, &rows);
	if (world->status)
		reply->status = world->status;
	if (world->refuses_joined && strstr(query, "maestro_target")) {
		reply->status = 400;
		reply->body = fake_text("{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"not a vector\"}");
	} else if (!world->status) {
		reply->body = fake_text("{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[%s]}}", rows.data ? rows.data : "");
	}
	strbuf_done(&rows);
	free(query);
}

typedef struct Fixture {
	World world;
	FakeServer *server;
	Clock clock;
	KubeConfig kube;
	KubeCache *cache;
	KubeClient *client;
	Metrics *metrics;
	Target target[N];
	Sample sample[N];
	Error err;
} Fixture;

static void put(KubeCache *cache, CacheKind kind, const char *text)
{
	Json *object = NULL;
	assert_int_equal(json_parse(text, strlen(text), &object, NULL), 0);
	assert_int_equal(kube_cache_put(cache, kind, "shop", object), 0);
	json_free(object);
}

static void add_target(Fixture *f, int i)
{
	Target *target = &f->target[i];
	char text[1024];
	str_copy(target->namespace_, sizeof target->namespace_, "shop");
	(void) snprintf(target->name, sizeof target->name, "t%d", i + 1);
	(void) snprintf(text, sizeof text, "{\"metadata\":{\"name\":\"%s\"},\"spec\":{\"replicas\":2,\"selector\":{\"matchLabels\":{\"app\":\"%s\"}},"
	                "\"template\":{\"spec\":{}}}}", target->name, target->name);
	put(f->cache, CACHE_DEPLOYMENTS, text);
	for (int p = 1; p <= 2; p++) {
		(void) snprintf(text, sizeof text, "{\"metadata\":{\"name\":\"%s-%d\",\"labels\":{\"app\":\"%s\"}},\"spec\":{},\"status\":{\"phase\":"
		                "\"Running\",\"startTime\":\"2026-01-01T00:00:00Z\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\","
		                "\"lastTransitionTime\":\"2026-01-01T00:00:00Z\"}]}}", target->name, p, target->name);
		put(f->cache, CACHE_PODS, text);
	}
}

static int set_up(void **state)
{
	Fixture *f = calloc(1, sizeof *f);
	PromConfig config;
	f->server = fake_server_start(handle, &f->world);
	f->kube.server = (char *) (uintptr_t) fake_server_url(f->server);
	clock_init_fake(&f->clock, NOW_MS);
	assert_int_equal(kube_client_new(&f->kube, &f->clock, &f->client, &f->err), 0);
	assert_int_equal(kube_cache_new(&f->cache, &f->err), 0);
	kube_client_cache(f->client, f->cache);
	kube_cache_state(f->cache, CACHE_DEPLOYMENTS, "shop", 0, "");
	kube_cache_state(f->cache, CACHE_PODS, "shop", 0, "");
	for (int i = 0; i < N; i++)
		add_target(f, i);
	prom_config_default(&config);
	config.url = fake_server_url(f->server);
	config.kube = f->client;
	config.clock = &f->clock;
	assert_int_equal(prom_metrics_new(&config, &f->metrics, &f->err), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	Fixture *f = *state;
	metrics_free(f->metrics);
	kube_client_free(f->client);
	kube_cache_free(f->cache);
	fake_server_stop(f->server);
	free(f);
	return 0;
}

static int fetch(Fixture *f)
{
	return f->metrics->ops->fetch(f->metrics, f->target, N, NOW_MS, f->sample, &f->err);
}

static void want_all(const Fixture *f)
{
	for (int i = 0; i < N; i++) {
		const Sample *s = &f->sample[i];
		if (s->valid != SAMPLE_ALL)
			fail_msg("%s: valid %#x: %s", f->target[i].name, s->valid, s->missing);
		assert_true(fabs(s->rps - 10 * (i + 1)) < 1e-9);
		assert_true(fabs(s->latency_ms - (101 + i)) < 1e-9);
		assert_true(fabs(s->cpu_cores - .5) < 1e-9); /* two pods */
		assert_true(fabs(s->mem_bytes - 2e6) < 1e-3);
		assert_int_equal(s->age_ms[0], 5000);
		assert_int_equal(s->n_pods, 2);
	}
}

static void many_targets_take_a_handful_of_queries(void **state)
{
	Fixture *f = *state;
	assert_int_equal(fetch(f), 0);
	want_all(f);
	/* cpu and memory with their times, and up: five for all; p95 and rps with theirs: a hundred targets a query */
	assert_int_equal(f->world.queries, 5 + 4 * 2);
	assert_int_equal(f->world.patterns, 5);
	assert_true(f->world.posts); /* too long for a URL */
}

static void what_cannot_be_joined_is_asked_alone(void **state)
{
	Fixture *f = *state;
	f->world.refuses_joined = true;
	assert_int_equal(fetch(f), 0);
	want_all(f);
	assert_int_equal(f->world.queries, 5 + 4 + 4 * N);
}

static void one_target_without_data_is_alone_in_it(void **state)
{
	Fixture *f = *state;
	f->world.lost = "t7"; /* and all its pods are scraped: no traffic */
	assert_int_equal(fetch(f), 0);
	assert_true(f->sample[6].valid & SAMPLE_RPS);
	assert_true(f->sample[6].rps <= 0);
	assert_int_equal(f->sample[5].valid, SAMPLE_ALL);
	assert_true(f->sample[5].rps > 59);
}

static void a_prometheus_that_is_down_is_asked_once(void **state)
{
	Fixture *f = *state;
	f->world.status = 500;
	assert_int_equal(fetch(f), ERR_HTTP);
	assert_in_range(f->world.queries, 1, 13);
}

int main(void)
{
	assert_int_equal(http_global_init(), 0);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(many_targets_take_a_handful_of_queries, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_cannot_be_joined_is_asked_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_target_without_data_is_alone_in_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_prometheus_that_is_down_is_asked_once, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
