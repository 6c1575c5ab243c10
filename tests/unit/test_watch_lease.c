/* Watches against a scripted stream, the Lease against an API that counts versions, and credential plugins that are real programs. */
#include "base/http.h"
#include "cluster/credential.h"
#include "cluster/lease.h"
#include "cluster/watch.h"
#include "fakes/http_server.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static bool comes(bool (*is_there)(void *arg), void *arg) /* within twenty seconds, which is long enough for any machine */
{
	for (int i = 0; i < 20000; i++) {
		if (is_there(arg))
			return true;
		(void) usleep(1000);
	}
	return false;
}

/* What a server's thread counts and a test's reads. */
static pthread_mutex_t counts = PTHREAD_MUTEX_INITIALIZER;

static int seen(const int *count)
{
	(void) pthread_mutex_lock(&counts);
	int n = *count;
	(void) pthread_mutex_unlock(&counts);
	return n;
}

/* ---- watch ---- */

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
	int list_status;
} WatchApi;

static void watch_answer(WatchApi *api, const FakeRequest *request, FakeReply *reply)
{
	bool is_pods = strstr(request->path, "/pods") != NULL, is_watch = strstr(request->query, "watch=1") != NULL;
	if (!is_pods) {
		reply->body = fake_text("%s", is_watch ? "" : "{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[]}");
		reply->delay_ms = is_watch ? 20 : 0;
		return;
	}
	if (!is_watch) {
		api->lists++;
		reply->status = api->list_status ? api->list_status : 200;
		reply->body = fake_text("{\"metadata\":{\"resourceVersion\":\"L%d\"},\"items\":[%s]}", api->lists, api->list);
		return;
	}
	const char *version = strstr(request->query, "resourceVersion=");
	size_t at = (size_t) api->watches++;
	if (at < 16)
		(void) snprintf(api->versions[at], 64, "%s", version ? version + 16 : "?");
	const Step *step = &api->step[at < api->n_steps ? at : api->n_steps - 1];
	reply->status = step->status;
	reply->fault = step->fault;
	reply->body = fake_text("%s", step->body);
}

static void watch_handle(void *context, const FakeRequest *request, FakeReply *reply)
{
	(void) pthread_mutex_lock(&counts);
	watch_answer(context, request, reply);
	(void) pthread_mutex_unlock(&counts);
}

typedef struct WatchBench {
	WatchApi api;
	FakeServer *server;
	Clock clock;
	KubeConfig kube;
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
	b->server = fake_server_start(watch_handle, &b->api);
	b->kube.server = (char *) (uintptr_t) fake_server_url(b->server);
	clock_init_system(&b->clock);
	assert_int_equal(kube_cache_new(&b->cache, &err), 0);
	KubeBudget *none = NULL;
	const WatchConfig config = { &b->kube, &b->clock, none, NULL, b->cache, namespaces, 1, 5 };
	assert_int_equal(watch_start(&config, &b->watch, &err), 0);
	return b;
}

static void watch_end(WatchBench *b)
{
	watch_stop(b->watch);
	kube_cache_free(b->cache);
	fake_server_stop(b->server);
	free(b);
}

static const Target WEB = { .namespace_ = "shop", .name = "web" };

static bool has_watched(void *arg)
{
	const WatchBench *b = arg;
	return seen(&b->api.watches) >= b->want_watches;
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
	assert_true(comes(has_watched, b));
	names(b, text, sizeof text);
	assert_string_equal(text, "b");
	assert_int_equal(seen(&b->api.lists), 1);
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
	assert_true(comes(has_watched, b));
	assert_int_equal(seen(&b->api.lists), 3);
	assert_true(watch_lists(b->watch) >= 3);
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
	assert_true(comes(has_watched, b));
	names(b, text, sizeof text);
	assert_non_null(strstr(text, "c"));
	assert_int_equal(seen(&b->api.lists), 1); /* it goes on from its version */
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
	assert_true(comes(is_down, b));
	watch_end(b);
}

static void a_line_that_is_no_json_is_listed_again(void **state)
{
	(void) state;
	static const Step steps[] = { { 200, "{\"type\":\"ADDED\",\n" EVENT("ADDED", POD("b", "4", "web")), FAKE_NONE }, { 200, "", FAKE_NONE } };
	WatchBench *b = watch_begin(steps, 2);
	b->want_watches = 2;
	assert_true(comes(has_watched, b));
	assert_int_equal(seen(&b->api.lists), 2);
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

/* ---- lease ---- */

typedef struct LeaseApi {
	bool exists;
	int version;
	char spec[1024];      /* of the object, as last written */
	char deaf_to[128];    /* writes of this holder are refused */
	int conflicts, writes;
} LeaseApi;

static void lease_answer(const LeaseApi *api, FakeReply *reply)
{
	reply->body = fake_text("{\"metadata\":{\"name\":\"l\",\"resourceVersion\":\"%d\"},\"spec\":%s}", api->version, api->spec);
}

static void lease_answer_to(LeaseApi *api, const FakeRequest *request, FakeReply *reply)
{
	Json *root = NULL;
	if (!strcmp(request->method, "GET")) {
		if (api->exists)
			lease_answer(api, reply);
		else
			reply->status = 404;
		return;
	}
	assert_int_equal(json_parse(request->body, strlen(request->body), &root, NULL), 0);
	const char *version = json_string_or(root, "metadata.resourceVersion", "");
	char mine[16];
	(void) snprintf(mine, sizeof mine, "%d", api->version);
	if (api->deaf_to[0] && !strcmp(json_string_or(root, "spec.holderIdentity", ""), api->deaf_to)) {
		reply->status = 500;
	} else if (api->exists ? strcmp(version, mine) != 0 : strcmp(request->method, "POST") != 0) {
		api->conflicts++;
		reply->status = 409;
	} else {
		const char *spec = strstr(request->body, "\"spec\":");
		(void) snprintf(api->spec, sizeof api->spec, "%.*s", (int) strlen(spec) - 8, spec + 7);
		api->exists = true;
		api->version++;
		api->writes++;
		lease_answer(api, reply);
	}
	json_free(root);
}

static void lease_handle(void *context, const FakeRequest *request, FakeReply *reply)
{
	(void) pthread_mutex_lock(&counts);
	lease_answer_to(context, request, reply);
	(void) pthread_mutex_unlock(&counts);
}

typedef struct LeaseBench {
	LeaseApi api;
	FakeServer *server;
	Clock clock;
	KubeConfig kube;
	Lease *one, *two;
} LeaseBench;

static LeaseBench *lease_begin(void)
{
	LeaseBench *b = calloc(1, sizeof *b);
	b->server = fake_server_start(lease_handle, &b->api);
	b->kube.server = (char *) (uintptr_t) fake_server_url(b->server);
	clock_init_system(&b->clock);
	return b;
}

static bool has_spec(const LeaseBench *b, const char *text)
{
	(void) pthread_mutex_lock(&counts);
	bool has = strstr(b->api.spec, text) != NULL;
	(void) pthread_mutex_unlock(&counts);
	return has;
}

static Lease *candidate(LeaseBench *b, const char *identity)
{
	LeaseConfig config;
	Lease *lease;
	Error err = { 0 };
	lease_config_default(&config);
	config.kube = &b->kube;
	config.clock = &b->clock;
	config.namespace_ = "maestro";
	config.identity = identity;
	config.duration_ms = 1000;
	config.renew_ms = 700;
	config.retry_ms = 20;
	assert_int_equal(lease_start(&config, &lease, &err), 0);
	return lease;
}

static void lease_end(LeaseBench *b)
{
	lease_stop(b->one);
	lease_stop(b->two);
	fake_server_stop(b->server);
	free(b);
}

static bool one_holds(void *arg)
{
	return lease_is_held(((LeaseBench *) arg)->one);
}

static bool two_holds(void *arg)
{
	LeaseBench *b = arg;
	assert_false(lease_is_held(b->one) && lease_is_held(b->two)); /* at no moment that anybody looked */
	return lease_is_held(b->two);
}

static bool either_holds(void *arg)
{
	return two_holds(arg) || one_holds(arg);
}

static void one_candidate_holds_and_releases(void **state)
{
	(void) state;
	LeaseBench *b = lease_begin();
	b->one = candidate(b, "one");
	assert_true(comes(one_holds, b));
	assert_true(has_spec(b, "\"holderIdentity\":\"one\""));
	assert_true(has_spec(b, "\"leaseDurationSeconds\":1,"));
	b->two = candidate(b, "two");
	for (int i = 0; i < 100; i++) {
		assert_false(two_holds(b));
		(void) usleep(1000);
	}
	lease_stop(b->one);
	assert_true(has_spec(b, "holderIdentity")); /* "", or already two's */
	b->one = candidate(b, "three");
	assert_true(comes(either_holds, b));
	lease_end(b);
}

static void a_holder_that_cannot_renew_stops_before_another_begins(void **state)
{
	(void) state;
	LeaseBench *b = lease_begin();
	b->one = candidate(b, "one");
	assert_true(comes(one_holds, b));
	b->two = candidate(b, "two");
	(void) pthread_mutex_lock(&counts);
	str_copy(b->api.deaf_to, sizeof b->api.deaf_to, "one");
	(void) pthread_mutex_unlock(&counts);
	assert_true(comes(two_holds, b));
	assert_true(has_spec(b, "\"leaseTransitions\":1"));
	char holder[64];
	lease_holder(b->two, holder, sizeof holder);
	assert_string_equal(holder, "two");
	lease_end(b);
}

/* The time inside says that it expired long ago: only the own clock counts. */
static void a_record_with_an_old_time_is_not_taken_at_once(void **state)
{
	(void) state;
	LeaseBench *b = lease_begin();
	b->api = (LeaseApi) { .exists = true, .version = 5 };
	str_copy(b->api.spec, sizeof b->api.spec, "{\"holderIdentity\":\"somebody\",\"leaseDurationSeconds\":1,\"acquireTime\":"
	         "\"2001-01-01T00:00:00.000000Z\",\"renewTime\":\"2001-01-01T00:00:00.000000Z\",\"leaseTransitions\":3}");
	int64_t start = clock_mono_ms(&b->clock);
	b->one = candidate(b, "one");
	assert_true(comes(one_holds, b));
	assert_true(clock_mono_ms(&b->clock) - start >= 1000);
	assert_true(has_spec(b, "\"leaseTransitions\":4"));
	lease_end(b);
}

/* ---- credential plugins ---- */

typedef struct Folder {
	char path[64], script[96], log[96];
} Folder;

static void plugin_make(Folder *folder, const char *script)
{
	str_copy(folder->path, sizeof folder->path, "/tmp/maestro-exec-XXXXXX");
	assert_non_null(mkdtemp(folder->path));
	(void) snprintf(folder->script, sizeof folder->script, "%s/plugin", folder->path);
	(void) snprintf(folder->log, sizeof folder->log, "%s/log", folder->path);
	FILE *file = fopen(folder->script, "w");
	assert_non_null(file);
	(void) fprintf(file, "#!/bin/sh\n%s", script);
	(void) fclose(file);
	assert_int_equal(chmod(folder->script, 0700), 0);
}

static void plugin_remove(Folder *folder)
{
	(void) unlink(folder->script);
	(void) unlink(folder->log);
	(void) rmdir(folder->path);
}

static int plugin_open(const Folder *folder, ExecPlugin **ret, Error *err)
{
	char text[512];
	Json *root = NULL;
	(void) snprintf(text, sizeof text, "{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"command\":\"./plugin\",\"args\":[\"one\","
	                "\"two words; $(echo x)\"],\"env\":[{\"name\":\"LOG\",\"value\":\"%s\"}],\"installHint\":\"ask the cloud\"}", folder->log);
	assert_int_equal(json_parse(text, strlen(text), &root, NULL), 0);
	int code = exec_plugin_new(root, folder->path, ret, err);
	json_free(root);
	return code;
}

static void a_plugin_is_run_by_its_argv_and_kept_until_it_expires(void **state)
{
	(void) state;
	Folder folder;
	Clock clock;
	ExecPlugin *plugin;
	ExecCredential got = { 0 };
	Error err = { 0 };
	StrBuf log = { 0 };
	plugin_make(&folder, "echo \"$#|$1|$2|$KUBERNETES_EXEC_INFO\" >>\"$LOG\"\n"
	            "echo '{\"kind\":\"ExecCredential\",\"status\":{\"token\":\"t0ken\",\"expirationTimestamp\":\"2027-01-15T08:01:00Z\"}}'\n");
	assert_int_equal(plugin_open(&folder, &plugin, &err), 0);
	clock_init_fake(&clock, 1800000000000); /* 2027-01-15T08:00:00Z */
	for (int i = 0; i < 3; i++) {
		assert_int_equal(exec_plugin_get(plugin, &clock, false, &got, &err), 0);
		assert_string_equal(got.token, "t0ken");
		exec_credential_done(&got);
	}
	clock.now_ms += 55000; /* it would expire on the way */
	assert_int_equal(exec_plugin_get(plugin, &clock, false, &got, &err), 0);
	exec_credential_done(&got);
	clock.now_ms -= 55000;
	assert_int_equal(exec_plugin_get(plugin, &clock, true, &got, &err), 0); /* a 401 came */
	exec_credential_done(&got);
	assert_int_equal(mem_read_file(folder.log, 4096, &log, &err), 0);
	int runs = 0;
	for (const char *at = log.data; (at = strchr(at, '\n')); at++)
		runs++;
	assert_int_equal(runs, 3);
	assert_non_null(strstr(log.data, "2|one|two words; $(echo x)|{\"kind\":\"ExecCredential\""));
	strbuf_done(&log);
	exec_plugin_free(plugin);
	plugin_remove(&folder);
}

static void a_plugin_that_fails_says_so_without_its_output(void **state)
{
	(void) state;
	static const struct {
		const char *script;
		int code;
	} cases[] = {
		{ "echo s3cret; exit 3\n", ERR_FAILED },
		{ "echo s3cret\n", ERR_PARSE },
		{ "echo '{\"kind\":\"ExecCredential\",\"status\":{}}'\n", ERR_PARSE },
		{ "echo '{\"kind\":\"ExecCredential\",\"status\":{\"clientCertificateData\":\"s3cret\"}}'\n", ERR_PARSE },
		{ "true\n", ERR_PARSE },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		Folder folder;
		Clock clock;
		ExecPlugin *plugin;
		ExecCredential got = { 0 };
		Error err = { 0 };
		clock_init_system(&clock);
		plugin_make(&folder, cases[i].script);
		assert_int_equal(plugin_open(&folder, &plugin, &err), 0);
		assert_int_equal(exec_plugin_get(plugin, &clock, false, &got, &err), cases[i].code);
		assert_non_null(strstr(err.text, "credential plugin"));
		assert_null(strstr(err.text, "s3cret"));
		exec_plugin_free(plugin);
		plugin_remove(&folder);
	}
}

static void a_plugin_that_is_not_there_gives_its_hint(void **state)
{
	(void) state;
	Folder folder;
	Clock clock;
	ExecPlugin *plugin;
	ExecCredential got = { 0 };
	Error err = { 0 };
	clock_init_system(&clock);
	plugin_make(&folder, "");
	assert_int_equal(plugin_open(&folder, &plugin, &err), 0);
	(void) unlink(folder.script);
	assert_int_equal(exec_plugin_get(plugin, &clock, false, &got, &err), ERR_FAILED);
	assert_non_null(strstr(err.text, "ask the cloud"));
	exec_plugin_free(plugin);
	plugin_remove(&folder);
}

/* D 13: a 401 asks the plugin once, and a token that stays wrong is an error. */
static void refused_handle(void *context, const FakeRequest *request, FakeReply *reply)
{
	(void) context, (void) request;
	reply->status = 401;
}

static void a_401_asks_the_plugin_once(void **state)
{
	(void) state;
	Folder folder;
	Clock clock;
	KubeConfig config = { 0 };
	KubeClient *client;
	Error err = { 0 };
	StrBuf log = { 0 };
	FakeServer *server = fake_server_start(refused_handle, NULL);
	config.server = (char *) (uintptr_t) fake_server_url(server);
	clock_init_system(&clock);
	plugin_make(&folder, "echo x >>\"$LOG\"\necho '{\"kind\":\"ExecCredential\",\"status\":{\"token\":\"t\"}}'\n");
	assert_int_equal(plugin_open(&folder, &config.exec, &err), 0);
	assert_int_equal(kube_client_new(&config, &clock, &client, &err), 0);
	assert_int_equal(kube_request(client, "x", "GET", "/x", NULL, NULL, &err), ERR_UNAUTHORIZED);
	assert_int_equal(fake_server_requests(server), 2);
	assert_int_equal(mem_read_file(folder.log, 64, &log, &err), 0);
	assert_string_equal(log.data, "x\nx\n");
	strbuf_done(&log);
	kube_client_free(client);
	exec_plugin_free(config.exec);
	fake_server_stop(server);
	plugin_remove(&folder);
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
		cmocka_unit_test(a_write_is_not_undone_by_older_events),
		cmocka_unit_test(one_candidate_holds_and_releases),
		cmocka_unit_test(a_holder_that_cannot_renew_stops_before_another_begins),
		cmocka_unit_test(a_record_with_an_old_time_is_not_taken_at_once),
		cmocka_unit_test(a_plugin_is_run_by_its_argv_and_kept_until_it_expires),
		cmocka_unit_test(a_plugin_that_fails_says_so_without_its_output),
		cmocka_unit_test(a_plugin_that_is_not_there_gives_its_hint),
		cmocka_unit_test(a_401_asks_the_plugin_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
