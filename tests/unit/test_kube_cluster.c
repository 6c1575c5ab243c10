/* What the cluster says and is told: cache and selectors, other autoscalers, the floor, Events, the budget of requests. */
#include "base/http.h"
#include "cluster/kube_cluster.h"
#include "cluster/label_index.h"
#include "fakes/http_server.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const Target WEB = { .namespace_ = "shop", .name = "web", .min_replicas = 1, .max_replicas = 9 };

/* An API of one namespace, scripted; bodies are lent. */
typedef struct Api {
	pthread_mutex_t lock; /* between the server's thread and the test's */
	const char *annotations; /* of the Deployment, members of a JSON object */
	const char *hpas, *scaledobjects, *vpas; /* items; NULL: that status */
	int hpa_status, keda_status, pods_status, patch_status;
	int posts, patches, applies, keda_lists;
	char last[4096], query[256], type[64];
} Api;

static char *deployment(const Api *api)
{
	return fake_text("{\"kind\":\"Deployment\",\"metadata\":{\"name\":\"web\",\"uid\":\"u1\",\"resourceVersion\":\"7\","
	                 "\"annotations\":{%s},\"managedFields\":["
	                 "{\"manager\":\"kubectl\",\"time\":\"2026-01-01T00:00:00Z\",\"fieldsV1\":{\"f:spec\":{\"f:replicas\":{}}}},"
	                 "{\"manager\":\"argocd\",\"time\":\"2026-01-02T00:00:00Z\",\"fieldsV1\":{\"f:spec\":{\"f:replicas\":{}}}},"
	                 "{\"manager\":\"other\",\"time\":\"2026-01-03T00:00:00Z\",\"fieldsV1\":{\"f:spec\":{}}}]},"
	                 "\"spec\":{\"replicas\":3,\"selector\":{\"matchLabels\":{\"app\":\"web\"}},\"template\":{\"spec\":{\"containers\":"
	                 "[{\"name\":\"a\",\"resources\":{\"requests\":{\"cpu\":\"500m\"}}}]}}},\"status\":{\"replicas\":3}}",
	                 api->annotations ? api->annotations : "");
}

static void list_or_status(FakeReply *reply, const char *items, int status)
{
	if (status)
		reply->status = status;
	else
		reply->body = fake_text("{\"items\":[%s]}", items ? items : "");
}

static void answer(Api *api, const FakeRequest *request, FakeReply *reply)
{
	const char *type = strstr(request->headers, "Content-Type: ");
	if (strcmp(request->method, "GET")) {
		str_copy(api->last, sizeof api->last, request->body);
		str_copy(api->query, sizeof api->query, request->query);
		(void) snprintf(api->type, sizeof api->type, "%.*s", type ? (int) strcspn(type + 14, "\r") : 0, type ? type + 14 : "");
		api->posts += !strcmp(request->method, "POST");
		api->patches += !strcmp(request->method, "PATCH");
		api->applies += strstr(api->type, "apply-patch") != NULL;
		reply->status = api->patch_status ? api->patch_status : 200;
	} else if (strstr(request->path, "/horizontalpodautoscalers/")) {
		reply->body = fake_text("{\"metadata\":{\"name\":\"h\",\"resourceVersion\":\"99\"},\"spec\":{\"minReplicas\":2,\"maxReplicas\":6}}");
	} else if (strstr(request->path, "/horizontalpodautoscalers")) {
		list_or_status(reply, api->hpas, api->hpa_status);
	} else if (strstr(request->path, "/scaledobjects")) {
		api->keda_lists++;
		list_or_status(reply, api->scaledobjects, api->keda_status);
	} else if (strstr(request->path, "/verticalpodautoscalers")) {
		list_or_status(reply, api->vpas, api->vpas ? 0 : 403);
	} else if (strstr(request->path, "/pods")) {
		list_or_status(reply, "{\"metadata\":{\"name\":\"web-1\",\"labels\":{\"app\":\"web\"}},\"spec\":{},\"status\":{\"phase\":\"Running\","
		               "\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\",\"lastTransitionTime\":\"2026-01-01T00:00:00Z\"}]}}",
		               api->pods_status);
	} else if (strstr(request->path, "/deployments/web")) {
		reply->body = deployment(api);
	} else {
		reply->status = 404;
	}
}

static void handle(void *context, const FakeRequest *request, FakeReply *reply)
{
	Api *api = context;
	(void) pthread_mutex_lock(&api->lock);
	answer(api, request, reply);
	(void) pthread_mutex_unlock(&api->lock);
}

typedef struct Fixture {
	Api api;
	FakeServer *server;
	Clock clock, real; /* real: the machine's, for the herald's thread */
	KubeConfig kube;
	KubeCache *cache;
	KubeClient *client;
	Cluster *cluster;
	Error err;
} Fixture;

static int set_up(void **state)
{
	Fixture *f = calloc(1, sizeof *f);
	(void) pthread_mutex_init(&f->api.lock, NULL);
	f->server = fake_server_start(handle, &f->api);
	f->kube.server = (char *) (uintptr_t) fake_server_url(f->server);
	clock_init_fake(&f->clock, 1800000000000);
	clock_init_system(&f->real);
	assert_int_equal(kube_client_new(&f->kube, &f->clock, &f->client, &f->err), 0);
	assert_int_equal(kube_cache_new(&f->cache, &f->err), 0);
	kube_client_cache(f->client, f->cache);
	const KubeClusterConfig config = { .client = f->client, .clock = &f->clock };
	assert_int_equal(kube_cluster_new(&config, &f->cluster, &f->err), 0);
	f->api.keda_status = 404;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	Fixture *f = *state;
	cluster_free(f->cluster);
	kube_client_free(f->client);
	kube_cache_free(f->cache);
	fake_server_stop(f->server);
	free(f);
	return 0;
}

static TargetFacts look(Fixture *f)
{
	TargetFacts facts;
	f->cluster->ops->look(f->cluster, &WEB, 1, &facts);
	f->clock.now_ms += 15000;
	return facts;
}

static const char HPA[] = "{\"metadata\":{\"name\":\"h\",\"resourceVersion\":\"12\"},\"spec\":{\"scaleTargetRef\":{\"kind\":\"Deployment\","
	"\"name\":\"web\"},\"minReplicas\":1,\"maxReplicas\":6}}";

static void a_look_fills_the_cache_and_finds_the_manager(void **state)
{
	Fixture *f = *state;
	TargetFacts facts = look(f);
	KubeDeployment d;
	PodList pods = { 0 };
	assert_int_equal(facts.code, 0);
	assert_string_equal(facts.uid, "u1");
	assert_string_equal(facts.manager, "argocd");
	assert_string_equal(facts.owner, "");
	int before = fake_server_requests(f->server);
	assert_int_equal(kube_deployment_read(f->client, &WEB, &d, &f->err), 0);
	assert_int_equal(d.replicas, 3);
	assert_string_equal(d.resource_version, "7");
	assert_int_equal(kube_pods_list(f->client, &WEB, d.selector, f->clock.now_ms, &pods, &f->err), 0);
	assert_int_equal(pods.n, 1);
	assert_int_equal(pods.ready, 1);
	assert_int_equal(fake_server_requests(f->server), before); /* nothing was asked again */
	pod_list_done(&pods);
}

/* D 24 */
static void other_autoscalers_are_owners(void **state)
{
	Fixture *f = *state;
	f->api.hpas = HPA;
	assert_string_equal(look(f).owner, "HorizontalPodAutoscaler shop/h");
	f->api.hpas = "{\"metadata\":{\"name\":\"h\"},\"spec\":{\"scaleTargetRef\":{\"kind\":\"StatefulSet\",\"name\":\"web\"}}},"
	              "{\"metadata\":{\"name\":\"i\"},\"spec\":{\"scaleTargetRef\":{\"kind\":\"Deployment\",\"name\":\"api\"}}}";
	assert_string_equal(look(f).owner, "");
	f->api.keda_status = 0;
	f->api.scaledobjects = "{\"metadata\":{\"name\":\"k\"},\"spec\":{\"scaleTargetRef\":{\"name\":\"web\"}}}";
	f->clock.now_ms += 60000;
	assert_string_equal(look(f).owner, "ScaledObject shop/k");
}

static void a_vpa_on_cpu_is_a_warning_and_no_conflict(void **state)
{
	static const struct {
		const char *spec, *want;
	} cases[] = {
		{ "", "VerticalPodAutoscaler shop/v (Auto) changes cpu requests" },
		{ ",\"updatePolicy\":{\"updateMode\":\"Recreate\"}", "VerticalPodAutoscaler shop/v (Recreate) changes cpu requests" },
		{ ",\"updatePolicy\":{\"updateMode\":\"Off\"}", "" },
		{ ",\"resourcePolicy\":{\"containerPolicies\":[{\"containerName\":\"*\",\"controlledResources\":[\"memory\"]}]}", "" },
		{ ",\"resourcePolicy\":{\"containerPolicies\":[{\"containerName\":\"*\",\"mode\":\"Off\"},{\"containerName\":\"a\"}]}",
		  "VerticalPodAutoscaler shop/v (Auto) changes cpu requests" },
	};
	Fixture *f = *state;
	assert_string_equal(look(f).warning, ""); /* it may not be listed, or is not installed */
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char items[512];
		(void) snprintf(items, sizeof items, "{\"metadata\":{\"name\":\"v\"},\"spec\":{\"targetRef\":{\"kind\":\"Deployment\",\"name\":\"web\"}%s}}",
		                cases[i].spec);
		f->api.vpas = items;
		f->clock.now_ms += 300000;
		TargetFacts facts = look(f);
		assert_string_equal(facts.warning, cases[i].want);
		assert_string_equal(facts.owner, "");
		assert_int_equal(facts.code, 0);
	}
}

static void what_may_not_be_listed_is_no_conflict(void **state)
{
	Fixture *f = *state;
	f->api.hpa_status = f->api.keda_status = 403;
	TargetFacts facts = look(f);
	assert_int_equal(facts.code, 0);
	assert_string_equal(facts.owner, "");
	f->api.hpa_status = 500; /* but what cannot be known now holds */
	assert_int_equal(look(f).code, ERR_HTTP);
}

static void a_missing_crd_is_not_asked_for_each_cycle(void **state)
{
	Fixture *f = *state;
	for (int i = 0; i < 8; i++)
		(void) look(f);
	assert_int_equal(f->api.keda_lists, 2);
}

static void annotations_are_facts(void **state)
{
	Fixture *f = *state;
	f->api.annotations = "\"maestro.io/paused\":\"true\",\"maestro.io/paused-replicas\":\"0\",\"maestro.io/paused-until\":"
	                     "\"2027-01-02T15:04:05Z\",\"maestro.io/paused-scale-in\":\"false\",\"maestro.io/interval\":\"2m\","
	                     "\"maestro.io/max-replicas\":\"9\",\"latencySoftConstraint\":\"250\",\"maestro.io/policy\":\"hpa:cpu=70\"";
	TargetFacts facts = look(f);
	assert_int_equal(facts.code, 0);
	assert_true(facts.is_paused);
	assert_false(facts.is_scale_in_paused);
	assert_int_equal(facts.held_replicas, 0);
	assert_true(facts.held_until_ms == 1798902245000);
	assert_true(facts.interval_s == 120 && facts.latency_soft_ms == 250);
	assert_int_equal(facts.max_replicas, 9);
	assert_string_equal(facts.policy, "hpa:cpu=70");
	assert_string_equal(facts.trouble, "");
	static const char *const bad[] = {
		"\"maestro.io/paused\":\"yes\"", "\"maestro.io/paused-replicas\":\"many\"", "\"maestro.io/paused-replicas\":\"-1\"",
		"\"maestro.io/paused-until\":\"tomorrow\"", "\"maestro.io/interval\":\"0s\"",
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		f->api.annotations = bad[i];
		assert_true(strlen(look(f).trouble) > 0);
	}
}

static void a_failed_list_of_pods_is_a_failed_look(void **state)
{
	Fixture *f = *state;
	f->api.pods_status = 403;
	TargetFacts facts = look(f);
	assert_int_equal(facts.code, ERR_FORBIDDEN);
	assert_non_null(strstr(facts.why, "list of pods") ? strstr(facts.why, "list of pods") : strstr(facts.why, "shop/web"));
}

static void two_targets_with_one_selector_are_refused(void **state)
{
	Fixture *f = *state;
	Target two[2] = { WEB, WEB };
	TargetFacts facts[2];
	f->cluster->ops->look(f->cluster, two, 2, facts);
	assert_non_null(strstr(facts[0].owner, "the pods of deployment web"));
	assert_non_null(strstr(facts[1].owner, "the pods of deployment web"));
}

static void the_floor_is_a_conditional_patch_below_the_hpas_maximum(void **state)
{
	Fixture *f = *state;
	Actuator *floor;
	Scale scale;
	cluster_free(f->cluster);
	const KubeClusterConfig config = { .client = f->client, .clock = &f->clock, .drives_floor = true };
	assert_int_equal(kube_cluster_new(&config, &f->cluster, &f->err), 0);
	assert_int_equal(kube_floor_new(f->cluster, &floor, &f->err), 0);
	f->api.hpas = HPA;
	assert_string_equal(look(f).owner, ""); /* the HPA is meant to be there */
	assert_int_equal(floor->ops->get_scale(floor, &WEB, &scale, &f->err), 0);
	assert_int_equal(scale.replicas, 3);
	assert_int_equal(scale.floor, 1);
	scale.replicas = 8;
	assert_int_equal(floor->ops->set_scale(floor, &WEB, &scale, NULL, &f->err), 0);
	assert_string_equal(f->api.last, "{\"metadata\":{\"resourceVersion\":\"12\"},\"spec\":{\"minReplicas\":6}}");
	f->api.patch_status = 409;
	assert_int_equal(floor->ops->set_scale(floor, &WEB, &scale, NULL, &f->err), ERR_CONFLICT);
	assert_int_equal(floor->ops->get_scale(floor, &WEB, &scale, &f->err), 0);
	assert_int_equal(scale.floor, 2); /* read again */
	assert_string_equal(scale.resource_version, "99");
	f->api.hpas = "";
	(void) look(f);
	assert_int_equal(floor->ops->get_scale(floor, &WEB, &scale, &f->err), ERR_NOT_FOUND);
	actuator_free(floor);
}

/* ---- the budget ---- */

static void requests_wait_for_their_turn(void **state)
{
	Fixture *f = *state;
	KubeBudget *budget;
	Json *root = NULL;
	assert_int_equal(kube_budget_new(5, 10, &f->clock, &budget, &f->err), 0);
	kube_client_budget(f->client, budget);
	int64_t start = f->clock.now_ms;
	for (int i = 0; i < 30; i++) {
		assert_int_equal(kube_request(f->client, "x", "GET", "/apis/x/deployments/web", NULL, &root, &f->err), 0);
		json_free(root);
		root = NULL;
		if (i == 9)
			assert_true(f->clock.now_ms == start);
	}
	assert_true(f->clock.now_ms - start >= 3990); /* twenty more, five a second */
	kube_client_budget(f->client, NULL);
	kube_budget_free(budget);
}

/* ---- Events ---- */

static int seen(Fixture *f, const int *count)
{
	(void) pthread_mutex_lock(&f->api.lock);
	int n = *count;
	(void) pthread_mutex_unlock(&f->api.lock);
	return n;
}

static void wait_for(Fixture *f, const int *count, int want)
{
	for (int i = 0; i < 5000 && seen(f, count) < want; i++)
		(void) usleep(1000);
}

static Herald *begin_herald(Fixture *f)
{
	Herald *herald;
	KubeBudget *none = NULL;
	const HeraldConfig config = { &f->kube, &f->real, none, NULL, "here_1" };
	assert_int_equal(herald_start(&config, &herald, &f->err), 0);
	return herald;
}

static void the_same_event_is_counted_up(void **state)
{
	Fixture *f = *state;
	Herald *herald = begin_herald(f);
	herald_event(herald, &WEB, "u1", EVENT_SCALED, "3 -> 4");
	wait_for(f, &f->api.posts, 1);
	assert_non_null(strstr(f->api.last, "\"reason\":\"MaestroScaled\""));
	assert_non_null(strstr(f->api.last, "\"type\":\"Normal\""));
	assert_non_null(strstr(f->api.last, "\"reportingComponent\":\"maestro.io/autoscaler\""));
	assert_non_null(strstr(f->api.last, "\"uid\":\"u1\""));
	herald_event(herald, &WEB, "u1", EVENT_SCALED, "4 -> 5");
	herald_event(herald, &WEB, "u1", EVENT_HOLD, "no data");
	herald_event(herald, &WEB, "u1", EVENT_SCALED, "5 -> 6");
	wait_for(f, &f->api.patches, 2);
	herald_stop(herald);
	(void) seen(f, &f->api.posts);
	assert_int_equal(f->api.posts, 2);
	assert_int_equal(f->api.patches, 2);
	assert_non_null(strstr(f->api.last, "\"count\":3"));
}

static void a_flood_of_events_is_cut_off(void **state)
{
	Fixture *f = *state;
	Herald *herald = begin_herald(f);
	for (int i = 0; i < 60; i++)
		herald_event(herald, &WEB, "u1", (EventWord) (i % EVENT_COUNT), "again");
	wait_for(f, &f->api.patches, 10);
	herald_stop(herald);
	(void) seen(f, &f->api.posts);
	assert_in_range(f->api.posts + f->api.patches, 25, 26);
}

static void the_status_is_a_server_side_apply_without_force(void **state)
{
	Fixture *f = *state;
	Herald *herald = begin_herald(f);
	herald_status(herald, &WEB, "{\"state\":\"Active\"}");
	wait_for(f, &f->api.applies, 1);
	herald_stop(herald);
	(void) seen(f, &f->api.posts);
	assert_string_equal(f->api.type, "application/apply-patch+yaml");
	assert_string_equal(f->api.query, "fieldManager=maestro&force=false");
	assert_non_null(strstr(f->api.last, "\"maestro.io/status\":\"{\\\"state\\\":\\\"Active\\\"}\""));
}

static void an_event_that_cannot_be_written_stops_nothing(void **state)
{
	Fixture *f = *state;
	f->api.patch_status = 403;
	Herald *herald = begin_herald(f);
	for (int i = 0; i < 5; i++)
		herald_event(herald, &WEB, "u1", EVENT_SCALED, "x");
	wait_for(f, &f->api.posts, 5);
	herald_stop(herald);
	(void) seen(f, &f->api.posts);
	assert_int_equal(f->api.posts, 5); /* none is there to be counted up */
}

/* ---- selectors ---- */

static void selectors_pick_as_the_api_does(void **state)
{
	(void) state;
	static const struct {
		const char *selector, *labels;
		bool want;
	} cases[] = {
		{ "app=web", "app=web\ntier=1\n", true },
		{ "app=web", "app=webs\n", false },
		{ "app=web", "tier=1\n", false },
		{ "app=web,tier=1", "app=web\ntier=1\n", true },
		{ "app=web,tier=1", "app=web\ntier=2\n", false },
		{ "tier in (1,2),app=web", "app=web\ntier=2\n", true },
		{ "tier in (1,2)", "tier=12\n", false },
		{ "tier in (1,2)", "", false },
		{ "tier notin (1,2)", "tier=3\n", true },
		{ "tier notin (1,2)", "", true },
		{ "tier notin (1,2)", "tier=1\n", false },
		{ "canary", "canary=\n", true },
		{ "canary", "canaries=1\n", false },
		{ "!canary", "app=web\n", true },
		{ "!canary,app=web", "app=web\ncanary=yes\n", false },
		{ "app.kubernetes.io/name=web", "app.kubernetes.io/name=web\n", true },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (kube_selects(cases[i].selector, cases[i].labels) != cases[i].want)
			fail_msg("%s of %s", cases[i].selector, cases[i].labels);
}

/* Found by fuzzing: pods without labels, or none. */
static void an_index_of_nothing_has_no_candidates(void **state)
{
	(void) state;
	LabelIndex index = { 0 };
	const LabelPlace *place = (const LabelPlace[1]) { { 0 } };
	size_t n = 7;
	label_index_sort(&index);
	assert_true(label_index_find(&index, "shop", "app=web", &place, &n));
	assert_int_equal(n, 0);
	assert_null(place);
	label_index_done(&index);
}

static void put_labelled(KubeCache *cache, const char *namespace_, int i, const char *labels)
{
	char text[256];
	Json *pod = NULL;
	(void) snprintf(text, sizeof text, "{\"metadata\":{\"name\":\"p%03d\",\"labels\":{%s}},\"status\":{\"phase\":\"Running\"}}", i, labels);
	assert_int_equal(json_parse(text, strlen(text), &pod, NULL), 0);
	assert_int_equal(kube_cache_put(cache, CACHE_PODS, namespace_, pod), 0);
	json_free(pod);
}

/* The names of the pods that a selector picks, in order. */
static const char *picked(KubeCache *cache, const char *namespace_, const char *selector, char *to, size_t size)
{
	Target target = { 0 };
	PodList list = { 0 };
	size_t len = 0;
	str_copy(target.namespace_, sizeof target.namespace_, namespace_);
	to[0] = '\0';
	assert_int_equal(kube_cache_pods(cache, &target, selector, 0, &list, NULL), 0);
	for (size_t i = 0; i < list.n; i++)
		len += (size_t) snprintf(to + len, size - len, "%s ", list.name[i]);
	pod_list_done(&list);
	return to;
}

static void pods_are_found_by_label_as_their_labels_are_now(void **state)
{
	(void) state;
	KubeCache *cache = NULL;
	char text[256];
	assert_int_equal(kube_cache_new(&cache, NULL), 0);
	kube_cache_state(cache, CACHE_PODS, "shop", 0, "");
	kube_cache_state(cache, CACHE_PODS, "till", 0, "");
	for (int i = 0; i < 300; i++) {
		char labels[96];
		(void) snprintf(labels, sizeof labels, "\"team\":\"all\",\"app\":\"a%d\"%s", i / 3, i % 2 ? ",\"odd\":\"yes\"" : "");
		put_labelled(cache, "shop", i, labels);
		put_labelled(cache, "till", i, labels);
	}
	assert_string_equal(picked(cache, "shop", "app=a10", text, sizeof text), "p030 p031 p032 ");
	assert_string_equal(picked(cache, "shop", "team=all,app=a10", text, sizeof text), "p030 p031 p032 ");
	assert_string_equal(picked(cache, "shop", "app=a10,odd", text, sizeof text), "p031 ");
	assert_string_equal(picked(cache, "shop", "app=a10,!odd", text, sizeof text), "p030 p032 ");
	assert_string_equal(picked(cache, "shop", "app=a10,team=none", text, sizeof text), "");
	assert_string_equal(picked(cache, "shop", "app=a1000", text, sizeof text), "");
	assert_string_equal(picked(cache, "shop", "app in (a1,a99),odd", text, sizeof text), "p003 p005 p297 p299 ");
	put_labelled(cache, "shop", 31, "\"app\":\"a11\"");
	kube_cache_drop(cache, CACHE_PODS, "shop", "p034");
	put_labelled(cache, "shop", 999, "\"app\":\"a11\"");
	assert_string_equal(picked(cache, "shop", "app=a10", text, sizeof text), "p030 p032 ");
	assert_string_equal(picked(cache, "shop", "app=a11", text, sizeof text), "p031 p033 p035 p999 ");
	assert_string_equal(picked(cache, "till", "app=a11", text, sizeof text), "p033 p034 p035 ");
	kube_cache_list_begin(cache, CACHE_PODS, "shop");
	put_labelled(cache, "shop", 32, "\"app\":\"a10\"");
	kube_cache_list_end(cache, CACHE_PODS, "shop");
	assert_string_equal(picked(cache, "shop", "app=a10", text, sizeof text), "p032 ");
	assert_string_equal(picked(cache, "shop", "app=a11", text, sizeof text), "");
	kube_cache_free(cache);
}

int main(void)
{
	assert_int_equal(http_global_init(), 0);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_look_fills_the_cache_and_finds_the_manager, set_up, tear_down),
		cmocka_unit_test_setup_teardown(other_autoscalers_are_owners, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_vpa_on_cpu_is_a_warning_and_no_conflict, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_may_not_be_listed_is_no_conflict, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_missing_crd_is_not_asked_for_each_cycle, set_up, tear_down),
		cmocka_unit_test_setup_teardown(annotations_are_facts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_failed_list_of_pods_is_a_failed_look, set_up, tear_down),
		cmocka_unit_test_setup_teardown(two_targets_with_one_selector_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_floor_is_a_conditional_patch_below_the_hpas_maximum, set_up, tear_down),
		cmocka_unit_test_setup_teardown(requests_wait_for_their_turn, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_same_event_is_counted_up, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_flood_of_events_is_cut_off, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_status_is_a_server_side_apply_without_force, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_event_that_cannot_be_written_stops_nothing, set_up, tear_down),
		cmocka_unit_test(selectors_pick_as_the_api_does),
		cmocka_unit_test(an_index_of_nothing_has_no_candidates),
		cmocka_unit_test(pods_are_found_by_label_as_their_labels_are_now),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
