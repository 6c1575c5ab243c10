/* Watches and their cache against a scripted stream. */
#include "base/http.h"
#include "cluster/watch.h"
#include "fakes/http_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define POD(name, version, app) "{\"metadata\":{\"name\":\"" name "\",\"resourceVersion\":\"" version "\",\"labels\":{\"app\":\"" app \
	"\"}},\"status\":{\"phase\":\"Running\"}}"
#define EVENT(type, object) "{\"type\":\"" type "\",\"object\":" object "}\n"

typedef struct Step { /* an answer to a watch of pods; the last one is given again and again */
	int status;
	const char *body;
	FakeFault fault;
} Step;

typedef struct WatchApi {
	const Step *step;
	size_t n_steps;
	int lists, watches;
	const char *list;        /* items of pods */
	char versions[16][64];   /* asked to watch from */
	bool is_unmannerly;      /* a watch without bookmarks, or of another time than 5 to 10 minutes */
	int list_status;
	bool has_no_end;         /* each page of the list names another */
} WatchApi;

static void watch_answer(void *context, const FakeRequest *request, FakeReply *reply)
{
	WatchApi *api = context;
	bool is_pods = strstr(request->path, "/pods") != NULL, is_watch = strstr(request->query, "watch=1") != NULL;
	if (!is_pods) {
		reply->body = fake_text("%s", is_watch ? "" : "{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[]}");
		reply->delay_ms = is_watch ? 20 : 0;
		return;
	}
	if (!is_watch) {
		api->lists++;
		reply->status = api->list_status ? api->list_status : 200;
		reply->body = fake_text("{\"metadata\":{\"resourceVersion\":\"L%d\"%s},\"items\":[%s]}", api->lists,
		                        api->has_no_end ? ",\"continue\":\"more\"" : "", api->list);
		return;
	}
	const char *version = strstr(request->query, "resourceVersion=");
	const char *seconds = strstr(request->query, "timeoutSeconds=");
	int s = seconds ? atoi(seconds + 15) : 0;
	api->is_unmannerly |= !strstr(request->query, "allowWatchBookmarks=true") || s < 300 || s > 600;
	size_t at = (size_t) api->watches++;
	if (at < 16)
		(void) snprintf(api->versions[at], 64, "%s", version ? version + 16 : "?");
	const Step *step = &api->step[at < api->n_steps ? at : api->n_steps - 1];
	reply->status = step->status;
	reply->fault = step->fault;
	reply->body = fake_text("%s", step->body);
}

typedef struct WatchBench {
	WatchApi api;
	FakeServer *server;
	Clock clock;
	KubeConfig kube;
	KubeBudget *budget;
	KubeCache *cache;
	Watch *watch;
	const char *selector;
	size_t want;
	int want_watches;
} WatchBench;

static WatchBench *watch_begin(const Step *step, size_t n)
{
	static const char *const namespaces[] = { "shop" };
	WatchBench *b = calloc(1, sizeof *b);
	Error err = { 0 };
	b->api = (WatchApi) { .step = step, .n_steps = n, .list = POD("a", "3", "web") };
	b->server = fake_server_start(watch_answer, &b->api);
	b->kube.server = (char *) (uintptr_t) fake_server_url(b->server);
	clock_init_system(&b->clock);
	assert_int_equal(kube_cache_new(&b->cache, &err), 0);
	assert_int_equal(kube_budget_new(10000, 1000, &b->clock, &b->budget, &err), 0);
	const WatchConfig config = { &b->kube, &b->clock, b->budget, NULL, b->cache, namespaces, 1, 5 };
	assert_int_equal(watch_start(&config, &b->watch, &err), 0);
	return b;
}

static void watch_end(WatchBench *b)
{
	watch_stop(b->watch);
	kube_cache_free(b->cache);
	kube_budget_free(b->budget);
	fake_server_stop(b->server);
	free(b);
}

static const Target WEB = { .namespace_ = "shop", .name = "web" };

static bool has_watched(void *arg)
{
	const WatchBench *b = arg;
	return fake_server_seen(b->server, &b->api.watches) >= b->want_watches;
}

/* Names of the pods that are cached, "a b". */
static void names(WatchBench *b, char *text, size_t size)
{
	PodList list = { 0 };
	Error err = { 0 };
	int code = kube_cache_pods(b->cache, &WEB, "app=web", 0, &list, &err);
	*text = '\0';
	if (code)
		(void) snprintf(text, size, "%s", err.text);
	for (size_t i = 0; i < list.n; i++)
		(void) snprintf(text + strlen(text), size - strlen(text), "%s%s", i ? " " : "", list.name[i]);
	pod_list_done(&list);
}

/* D 19: what is added, changed, deleted, said twice, out of order or not known gives the API's own list. */
static void a_stream_gives_the_same_cache_however_it_comes(void **state)
{
	(void) state;
	static const Step steps[] = {
		{ 200, EVENT("ADDED", POD("b", "4", "web")) EVENT("ADDED", POD("b", "4", "web")) EVENT("ADDED", POD("c", "5", "web"))
		       EVENT("BOOKMARK", "{\"metadata\":{\"resourceVersion\":\"9\"}}"), FAKE_NONE },
		{ 200, EVENT("MODIFIED", POD("c", "10", "other")) EVENT("DELETED", POD("nobody", "11", "web")) EVENT("NEWS", "{}")
		       EVENT("DELETED", POD("a", "12", "web")), FAKE_NONE },
		{ 200, "", FAKE_NONE },
	};
	WatchBench *b = watch_begin(steps, 3);
	char text[256];
	b->want_watches = 4;
	assert_true(fake_comes(has_watched, b));
	names(b, text, sizeof text);
	assert_string_equal(text, "b");
	assert_int_equal(fake_server_seen(b->server, &b->api.lists), 1);
	assert_false(b->api.is_unmannerly);
	assert_string_equal(b->api.versions[0], "L1");
	assert_string_equal(b->api.versions[1], "9"); /* the bookmark's */
	assert_string_equal(b->api.versions[2], "12");
	watch_end(b);
}

static void gone_is_listed_again(void **state)
{
	(void) state;
	static const Step steps[] = {
		{ 200, EVENT("ADDED", POD("b", "4", "web")) EVENT("ERROR", "{\"kind\":\"Status\",\"code\":410,\"message\":\"too old\"}"), FAKE_NONE },
		{ 410, "{\"kind\":\"Status\",\"code\":410}", FAKE_NONE },
		{ 200, "", FAKE_NONE },
	};
	WatchBench *b = watch_begin(steps, 3);
	char text[256];
	b->want_watches = 4;
	assert_true(fake_comes(has_watched, b));
	assert_int_equal(fake_server_seen(b->server, &b->api.lists), 3);
	names(b, text, sizeof text);
	assert_string_equal(text, "a"); /* b is not in the list any more */
	assert_string_equal(b->api.versions[1], "L2");
	assert_string_equal(b->api.versions[2], "L3");
	watch_end(b);
}

static void a_stream_that_breaks_is_told_to_readers_and_comes_back(void **state)
{
	(void) state;
	static const Step steps[] = {
		{ 200, EVENT("ADDED", POD("b", "4", "web")), FAKE_RESET },
		{ 200, EVENT("ADDED", POD("b", "4", "web")) "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"na", FAKE_TRUNCATE },
		{ 500, "no", FAKE_NONE },
		{ 200, EVENT("ADDED", POD("c", "8", "web")), FAKE_NONE },
		{ 200, "", FAKE_NONE },
	};
	WatchBench *b = watch_begin(steps, 5);
	char text[256];
	b->want_watches = 6;
	assert_true(fake_comes(has_watched, b));
	names(b, text, sizeof text);
	assert_non_null(strstr(text, "c"));
	assert_int_equal(fake_server_seen(b->server, &b->api.lists), 1); /* it goes on from its version */
	watch_end(b);
}

static bool is_down(void *arg)
{
	char text[256];
	names(arg, text, sizeof text);
	return strstr(text, "watch: ") != NULL;
}

static void while_it_is_down_nobody_reads_old_data(void **state)
{
	(void) state;
	static const Step steps[] = { { 200, EVENT("ADDED", POD("b", "4", "web")), FAKE_NONE }, { 500, "away", FAKE_NONE } };
	WatchBench *b = watch_begin(steps, 2);
	assert_true(fake_comes(is_down, b));
	watch_end(b);
}

static void a_line_that_is_no_json_is_listed_again(void **state)
{
	(void) state;
	static const Step steps[] = { { 200, "{\"type\":\"ADDED\",\n" EVENT("ADDED", POD("b", "4", "web")), FAKE_NONE }, { 200, "", FAKE_NONE } };
	WatchBench *b = watch_begin(steps, 2);
	b->want_watches = 2;
	assert_true(fake_comes(has_watched, b));
	assert_int_equal(fake_server_seen(b->server, &b->api.lists), 2);
	watch_end(b);
}

/* What is on the pages that were not read would be taken for deleted. */
static bool says_too_many_pages(void *arg)
{
	char text[256];
	names(arg, text, sizeof text);
	return strstr(text, "more than 200 pages") != NULL;
}

static void a_list_without_end_is_an_error_and_not_a_list(void **state)
{
	(void) state;
	static const Step steps[] = { { 200, EVENT("ADDED", POD("b", "4", "web")), FAKE_NONE }, { 410, "", FAKE_NONE } };
	WatchBench *b = watch_begin(steps, 2);
	fake_server_lock(b->server);
	b->api.has_no_end = true;
	fake_server_unlock(b->server);
	assert_true(fake_comes(says_too_many_pages, b));
	watch_end(b);
}

/* A write of ours comes back by the watch after older events that were under way. */
static void a_write_is_not_undone_by_older_events(void **state)
{
	(void) state;
	KubeCache *cache;
	KubeDeployment d;
	Json *object;
	Error err = { 0 };
	static const char format[] = "{\"metadata\":{\"name\":\"web\",\"resourceVersion\":\"%d\"},\"spec\":{\"replicas\":%d,\"selector\":"
	                             "{\"matchLabels\":{\"app\":\"web\"}}}}";
	static const struct {
		int version, replicas, want;
	} put[] = { { 7, 3, 3 }, { 8, 3, 4 }, { 10, 4, 4 }, { 11, 6, 6 } }; /* 10 is the write: 3 -> 4, made after the first */
	assert_int_equal(kube_cache_new(&cache, &err), 0);
	kube_cache_watched(cache);
	kube_cache_state(cache, CACHE_DEPLOYMENTS, "shop", 0, "");
	for (int i = 0; i < 4; i++) {
		char text[256];
		(void) snprintf(text, sizeof text, format, put[i].version, put[i].replicas);
		assert_int_equal(json_parse(text, strlen(text), &object, &err), 0);
		assert_int_equal(kube_cache_put(cache, CACHE_DEPLOYMENTS, "shop", object), 0);
		json_free(object);
		assert_int_equal(kube_cache_deployment(cache, &WEB, &d, &err), 0);
		assert_int_equal(d.replicas, put[i].want);
		if (i == 0)
			kube_cache_scaled(cache, &WEB, 4, "10");
	}
	kube_cache_free(cache);
}

int main(void)
{
	assert_int_equal(http_global_init(), 0);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stream_gives_the_same_cache_however_it_comes),
		cmocka_unit_test(gone_is_listed_again),
		cmocka_unit_test(a_stream_that_breaks_is_told_to_readers_and_comes_back),
		cmocka_unit_test(while_it_is_down_nobody_reads_old_data),
		cmocka_unit_test(a_line_that_is_no_json_is_listed_again),
		cmocka_unit_test(a_list_without_end_is_an_error_and_not_a_list),
		cmocka_unit_test(a_write_is_not_undone_by_older_events),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
