/* What a live training leaves in the cluster for a while: faults and the note of how many replicas there were. */
#include "cluster/chaos_mesh.h"
#include "cluster/home.h"

#include "base/mem.h"
#include "fakes/http_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const Target TARGET = { .namespace_ = "shop", .name = "cart", .min_replicas = 1, .max_replicas = 15 };

enum { CALLS = 64 };

typedef struct World { /* an API with shop/cart, two pods, and the objects that were asked for */
	bool has_crds, is_injected, is_gone;
	bool keeps;                    /* chaos objects: deleting fails */
	int replicas, n_calls, conflicts;
	char annotation[16];
	const char *left;              /* items of a list of StressChaos */
	const char *selector;          /* members of matchLabels, and what stands beside it */
	char call[CALLS][200], body[CALLS][1024];
	FakeServer *server;
	Clock clock;
	KubeConfig config;
	KubeClient *client;
	ChaosMesh *mesh;
	Error err;
} World;

static void answer_scale(World *w, const FakeRequest *request, FakeReply *reply)
{
	const char *asked = strstr(request->body, "\"replicas\":");
	if (!strcmp(request->method, "PUT") && w->conflicts-- > 0)
		reply->status = 409;
	else if (!strcmp(request->method, "PUT") && asked)
		w->replicas = atoi(asked + strlen("\"replicas\":"));
	reply->body = fake_text("{\"kind\":\"Scale\",\"metadata\":{\"resourceVersion\":\"7\"},\"spec\":{\"replicas\":%d}}", w->replicas);
}

static void answer_deployment(World *w, const FakeRequest *request, FakeReply *reply)
{
	const char *note = strstr(request->body, "training-replicas\":");
	if (!strcmp(request->method, "PATCH") && note && strstr(note, "null"))
		w->annotation[0] = '\0';
	else if (!strcmp(request->method, "PATCH") && note)
		(void) sscanf(note, "training-replicas\":\"%15[0-9]", w->annotation);
	reply->status = w->is_gone ? 404 : 200;
	reply->body = fake_text("{\"metadata\":{\"uid\":\"9\",\"resourceVersion\":\"7\",\"annotations\":{%s%s%s}},\"spec\":{\"replicas\":%d,"
	                        "\"selector\":{%s},\"template\":{\"spec\":{\"containers\":[]}}}}", w->annotation[0] ? "\"maestro.io/training-replicas\":\"" : "",
	                        w->annotation, w->annotation[0] ? "\"" : "", w->replicas, w->selector);
}

static void answer_chaos(World *w, const FakeRequest *request, FakeReply *reply)
{
	bool is_list = !strcmp(request->method, "GET") && strstr(request->query, "labelSelector");
	if (!w->has_crds)
		reply->status = 404;
	else if (w->keeps && !strcmp(request->method, "DELETE"))
		reply->status = 503;
	else if (is_list)
		reply->body = fake_text("{\"items\":[%s]}", w->left && strstr(request->path, "stresschaos") ? w->left : "");
	else
		reply->body = fake_text("{\"metadata\":{\"name\":\"maestro-cart-1\"},\"status\":{\"conditions\":[{\"type\":\"AllInjected\",\"status\":\"%s\"}]}}",
		                        w->is_injected ? "True" : "False");
}

static void handle(void *context, const FakeRequest *request, FakeReply *reply)
{
	World *w = context;
	static const char pods[] = "{\"metadata\":{},\"items\":[{\"metadata\":{\"name\":\"cart-a\"},\"status\":{\"phase\":\"Running\"}},"
		"{\"metadata\":{\"name\":\"cart-b\"},\"status\":{\"phase\":\"Running\"}}]}";
	if (w->n_calls < CALLS) {
		(void) snprintf(w->call[w->n_calls], sizeof *w->call, "%s %.180s", request->method, request->path);
		(void) snprintf(w->body[w->n_calls++], sizeof *w->body, "%.1000s", request->body);
	}
	if (strstr(request->path, "/scale"))
		answer_scale(w, request, reply);
	else if (strstr(request->path, "/deployments/"))
		answer_deployment(w, request, reply);
	else if (strstr(request->path, "chaos-mesh.org"))
		answer_chaos(w, request, reply);
	else if (strstr(request->path, "/pods") && !strcmp(request->method, "GET"))
		reply->body = fake_text("%s", pods);
}

static void begin(World *w, bool is_builtin)
{
	*w = (World) { .has_crds = true, .replicas = 2, .selector = "\"matchLabels\":{\"app\":\"cart\"}" };
	w->server = fake_server_start(handle, w);
	clock_init_fake(&w->clock, 1000);
	w->config.server = strdup(fake_server_url(w->server));
	assert_int_equal(kube_client_new(&w->config, &w->clock, &w->client, &w->err), 0);
	const ChaosMeshConfig config = { w->client, &w->clock, "run 1 of test", fake_server_url(w->server), is_builtin };
	assert_int_equal(chaos_mesh_new(&config, &w->mesh, &w->err), 0);
}

static void end(World *w)
{
	chaos_mesh_free(w->mesh);
	kube_client_free(w->client);
	kubeconfig_done(&w->config);
	fake_server_stop(w->server);
}

/* Of calls that begin so; the place of the last in *ret. */
static int calls(const World *w, const char *start, int *ret)
{
	int n = 0;
	for (int i = 0; i < w->n_calls; i++)
		if (!strncmp(w->call[i], start, strlen(start))) {
			n++;
			*ret = i;
		}
	return n;
}

#define OBJECTS "/apis/chaos-mesh.org/v1alpha1/namespaces/shop"

static void a_fault_is_made_watched_and_removed_at_its_deadline(void **state)
{
	(void) state;
	World w;
	int at = 0;
	begin(&w, false);
	assert_int_equal(chaos_mesh_begin(w.mesh, &TARGET, MESH_CPU_HALF, 0, &w.err), 0);
	assert_int_equal(calls(&w, "POST " OBJECTS "/stresschaos", &at), 1);
	static const char *const parts[] = { "\"workers\":4", "\"load\":50", "\"duration\":\"270s\"", "\"labelSelectors\":{\"app\":\"cart\"}",
		"\"maestro.io/chaos\":\"training\"", "\"maestro.io/owner\":\"run 1 of test\"", "\"maestro.io/target\":\"shop/cart\"", "\"maestro.io/deadline\"" };
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		if (!strstr(w.body[at], parts[i]))
			fail_msg("%s is not in %s", parts[i], w.body[at]);
	assert_int_equal(chaos_mesh_look(w.mesh, &TARGET), 0); /* nobody has injected it yet */
	w.is_injected = true;
	w.clock.now_ms += 6000;
	assert_int_equal(chaos_mesh_look(w.mesh, &TARGET), 1u << MESH_CPU_HALF);
	assert_int_equal(chaos_mesh_begin(w.mesh, &TARGET, MESH_DELAY, 0, &w.err), 0); /* one at a time */
	assert_int_equal(chaos_mesh_begun(w.mesh), 1);
	w.clock.now_ms += 270000;
	assert_int_equal(chaos_mesh_look(w.mesh, &TARGET), 0);
	assert_int_equal(calls(&w, "DELETE " OBJECTS "/stresschaos/maestro-cart-1", &at), 1);
	end(&w);
}

static void faults_end_with_the_training(void **state)
{
	(void) state;
	World w;
	int at = 0;
	begin(&w, false);
	assert_int_equal(chaos_mesh_begin(w.mesh, &TARGET, MESH_LOSS, 0, &w.err), 0);
	chaos_mesh_free(w.mesh);
	w.mesh = NULL;
	assert_int_equal(calls(&w, "DELETE " OBJECTS "/networkchaos/maestro-cart-1", &at), 1);
	end(&w);
}

static void what_was_left_on_the_target_goes_at_the_start(void **state)
{
	(void) state;
	World w;
	int at = 0;
	begin(&w, false);
	w.left = "{\"metadata\":{\"name\":\"old\",\"annotations\":{\"maestro.io/target\":\"shop/cart\"}}},"
		"{\"metadata\":{\"name\":\"others\",\"annotations\":{\"maestro.io/target\":\"shop/web\"}}}";
	assert_int_equal(chaos_mesh_prepare(w.mesh, &TARGET, &w.err), 0);
	assert_int_equal(calls(&w, "DELETE ", &at), 1);
	assert_string_equal(w.call[at], "DELETE " OBJECTS "/stresschaos/old");
	end(&w);
}

static void without_the_crds_there_are_none(void **state)
{
	(void) state;
	World w;
	begin(&w, false);
	w.has_crds = false;
	assert_int_equal(chaos_mesh_prepare(w.mesh, &TARGET, &w.err), ERR_NOT_FOUND);
	end(&w);
}

/* At the end of a training whose API is away: it is asked again when it is back. */
static void what_an_api_keeps_is_removed_later(void **state)
{
	(void) state;
	World w;
	int at = 0;
	begin(&w, false);
	assert_int_equal(chaos_mesh_begin(w.mesh, &TARGET, MESH_LOSS, 0, &w.err), 0);
	w.keeps = true;
	chaos_mesh_end(w.mesh);
	int before = calls(&w, "DELETE", &at);
	assert_true(before >= 1);
	w.keeps = false;
	chaos_mesh_free(w.mesh);
	w.mesh = NULL;
	assert_int_equal(calls(&w, "DELETE", &at), before + 1);
	assert_non_null(strstr(w.call[at], "networkchaos/maestro-cart-1"));
	end(&w);
}

static void a_selector_that_chaos_mesh_cannot_have_is_refused(void **state)
{
	(void) state;
	World w;
	int at = 0;
	begin(&w, false);
	w.selector = "\"matchExpressions\":[{\"key\":\"app\",\"operator\":\"In\",\"values\":[\"cart\",\"web\"]}]";
	assert_int_equal(chaos_mesh_begin(w.mesh, &TARGET, MESH_POD_KILL, 0, &w.err), ERR_INVALID);
	assert_int_equal(calls(&w, "POST ", &at), 0);
	end(&w);
}

static void the_builtin_executor_kills_a_pod_and_burns_in_the_service(void **state)
{
	(void) state;
	World w;
	int at = 0;
	begin(&w, true);
	assert_int_equal(chaos_mesh_begin(w.mesh, &TARGET, MESH_POD_KILL, 1, &w.err), 0);
	assert_int_equal(calls(&w, "DELETE /api/v1/namespaces/shop/pods/", &at), 1);
	assert_string_equal(w.call[at], "DELETE /api/v1/namespaces/shop/pods/cart-b");
	assert_int_equal(chaos_mesh_look(w.mesh, &TARGET), 1u << MESH_POD_KILL);
	w.clock.now_ms += 11000;
	assert_int_equal(chaos_mesh_look(w.mesh, &TARGET), 0);
	assert_int_equal(chaos_mesh_begin(w.mesh, &TARGET, MESH_CPU_FULL, 0, &w.err), 0);
	assert_int_equal(calls(&w, "POST /stress", &at), 1);
	assert_int_equal(chaos_mesh_begin(w.mesh, &TARGET, MESH_DELAY, 0, &w.err), 0); /* one is on */
	w.clock.now_ms += 271000;
	assert_int_equal(chaos_mesh_look(w.mesh, &TARGET), 0);
	assert_int_equal(chaos_mesh_begin(w.mesh, &TARGET, MESH_DELAY, 0, &w.err), ERR_NOT_FOUND);
	end(&w);
}

static void replicas_are_noted_once_and_put_back(void **state)
{
	(void) state;
	World w;
	int32_t replicas = -1;
	bool was_left = true;
	begin(&w, false);
	assert_int_equal(home_note(w.client, &TARGET, &replicas, &was_left, &w.err), 0);
	assert_int_equal(replicas, 2);
	assert_false(was_left);
	assert_string_equal(w.annotation, "2");
	w.replicas = 5; /* trained up, and killed before the end: the next one finds the note */
	assert_int_equal(home_note(w.client, &TARGET, &replicas, &was_left, &w.err), 0);
	assert_int_equal(replicas, 2);
	assert_true(was_left);
	w.conflicts = 2;
	assert_int_equal(home_return(w.client, &TARGET, replicas, &w.err), 0);
	assert_int_equal(w.replicas, 2);
	assert_string_equal(w.annotation, "");
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fault_is_made_watched_and_removed_at_its_deadline),
		cmocka_unit_test(faults_end_with_the_training),
		cmocka_unit_test(what_was_left_on_the_target_goes_at_the_start),
		cmocka_unit_test(without_the_crds_there_are_none),
		cmocka_unit_test(what_an_api_keeps_is_removed_later),
		cmocka_unit_test(a_selector_that_chaos_mesh_cannot_have_is_refused),
		cmocka_unit_test(the_builtin_executor_kills_a_pod_and_burns_in_the_service),
		cmocka_unit_test(replicas_are_noted_once_and_put_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
