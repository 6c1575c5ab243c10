/* See chaos_mesh.h. One table has the faults; an Item is one that is on. */
#include "cluster/chaos_mesh.h"

#include "base/http.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ITEMS = 64, PATH = 640, WHAT = 400, STRESS_S = 270, KILL_S = 10, NET_S = 120, LOOK_EVERY_MS = 5000, WORKERS = 4 };
static const char GROUP[] = "/apis/chaos-mesh.org/v1alpha1";
static const char SELECTOR[] = "maestro.io%2Fchaos%3Dtraining";

typedef struct Kind {
	const char *name, *kind, *resource, *mode;
	int duration_s;
	void (*fill)(Json *spec, int load);
	int load;          /* of cpu stress */
	bool is_built_in;  /* the built-in executor has it */
} Kind;

static void fill_stress(Json *spec, int load)
{
	Json *cpu = json_add_object(json_add_object(spec, "stressors"), "cpu");
	json_add_int(cpu, "workers", WORKERS);
	json_add_int(cpu, "load", load);
}

static void fill_kill(Json *spec, int load)
{
	(void) load;
	json_add_string(spec, "action", "pod-kill");
	json_add_int(spec, "gracePeriod", 0);
}

static void fill_delay(Json *spec, int load)
{
	(void) load;
	json_add_string(spec, "action", "delay");
	Json *delay = json_add_object(spec, "delay");
	json_add_string(delay, "latency", "100ms");
	json_add_string(delay, "jitter", "10ms");
	json_add_string(delay, "correlation", "25");
}

static void fill_loss(Json *spec, int load)
{
	(void) load;
	json_add_string(spec, "action", "loss");
	Json *loss = json_add_object(spec, "loss");
	json_add_string(loss, "loss", "10");
	json_add_string(loss, "correlation", "25");
}

static const Kind KINDS[MESH_FAULTS] = {
	[MESH_CPU_HALF] = { "cpu-stress-50", "StressChaos", "stresschaos", "one", STRESS_S, fill_stress, 50, true },
	[MESH_CPU_FULL] = { "cpu-stress-100", "StressChaos", "stresschaos", "one", STRESS_S, fill_stress, 100, true },
	[MESH_POD_KILL] = { "pod-kill", "PodChaos", "podchaos", "one", KILL_S, fill_kill, 0, true },
	[MESH_DELAY] = { "network-delay", "NetworkChaos", "networkchaos", "all", NET_S, fill_delay, 0, false },
	[MESH_LOSS] = { "network-loss", "NetworkChaos", "networkchaos", "all", NET_S, fill_loss, 0, false },
};

typedef struct Item {
	MeshFault fault;
	Target target;
	char name[NAME_MAX_K8S]; /* of the object; "": the built-in executor's */
	int64_t until_ms;        /* monotonic */
	int64_t looked_ms;
	bool is_injected;
} Item;

struct ChaosMesh {
	ChaosMeshConfig config;
	Item item[ITEMS];
	size_t n;
	int64_t begun;
};

const char *mesh_fault_text(MeshFault fault)
{
	return KINDS[fault].name;
}

static void object_path(const Kind *kind, const Target *target, const char *name, char path[PATH])
{
	(void) snprintf(path, PATH, "%s/namespaces/%s/%s%s%s", GROUP, target->namespace_, kind->resource, name[0] ? "/" : "", name);
}

static bool is_same(const Target *a, const Target *b)
{
	return !strcmp(a->namespace_, b->namespace_) && !strcmp(a->name, b->name);
}

/* ---- an object ---- */

/* "app=web,tier=front" as matchLabels. */
static int add_labels(Json *selector, const char *text, const char *what, Error *err)
{
	char labels[512];
	str_copy(labels, sizeof labels, text);
	Json *to = json_add_object(selector, "labelSelectors");
	for (char *at = labels, *next; at && *at; at = next) {
		next = strchr(at, ',');
		if (next)
			*next++ = '\0';
		char *equals = strchr(at, '=');
		if (!equals || strpbrk(at, " (!"))
			return error_set(err, ERR_INVALID, "%s: its selector has expressions; Chaos Mesh gets labels alone", what);
		*equals = '\0';
		json_add_string(to, at, equals + 1);
	}
	return 0;
}

static Json *object_of(const ChaosMesh *mesh, const Kind *kind, const Target *target)
{
	char deadline[CLOCK_TEXT], generate[80], full[NAMESPACE_MAX + NAME_MAX_K8S];
	Json *root = json_new_object();
	json_add_string(root, "apiVersion", "chaos-mesh.org/v1alpha1");
	json_add_string(root, "kind", kind->kind);
	Json *metadata = json_add_object(root, "metadata");
	(void) snprintf(generate, sizeof generate, "maestro-%.40s-", target->name);
	json_add_string(metadata, "generateName", generate);
	json_add_string(metadata, "namespace", target->namespace_);
	json_add_string(json_add_object(metadata, "labels"), "maestro.io/chaos", "training");
	Json *annotations = json_add_object(metadata, "annotations");
	target_full_name(target, full, sizeof full);
	json_add_string(annotations, "maestro.io/owner", mesh->config.owner);
	json_add_string(annotations, "maestro.io/target", full);
	clock_format(clock_wall_ms(mesh->config.clock) + kind->duration_s * INT64_C(1000), deadline);
	json_add_string(annotations, "maestro.io/deadline", deadline);
	return root;
}

static int create(ChaosMesh *mesh, const Kind *kind, const Target *target, const char *labels, Item *item, Error *err)
{
	char what[WHAT], path[PATH], duration[16];
	(void) snprintf(what, sizeof what, "%s of %s/%s", kind->kind, target->namespace_, target->name);
	Json *root = object_of(mesh, kind, target), *answer = NULL;
	Json *spec = json_add_object(root, "spec"), *selector = json_add_object(spec, "selector");
	json_add_string(spec, "mode", kind->mode);
	(void) snprintf(duration, sizeof duration, "%ds", kind->duration_s);
	json_add_string(spec, "duration", duration);
	json_add_string(json_add_array(selector, "namespaces"), NULL, target->namespace_);
	kind->fill(spec, kind->load);
	int code = add_labels(selector, labels, what, err);
	char *body = code ? NULL : json_print(root);
	object_path(kind, target, "", path);
	(void) strncat(path, "?fieldValidation=Strict", sizeof path - strlen(path) - 1); /* a fault that is half understood is refused */
	if (!code)
		code = !body ? error_set(err, ERR_NOMEM, "%s: out of memory", what)
		             : kube_request(mesh->config.kube, what, "POST", path, body, &answer, err);
	if (!code)
		str_copy(item->name, sizeof item->name, json_string_or(answer, "metadata.name", ""));
	if (!code && !item->name[0])
		code = error_set(err, ERR_PARSE, "%s: created without a name", what);
	free(body);
	json_free(answer);
	json_free(root);
	return code;
}

static int delete_object(ChaosMesh *mesh, const Kind *kind, const Target *target, const char *name, Error *err)
{
	char what[WHAT], path[PATH];
	(void) snprintf(what, sizeof what, "%s %s/%.200s", kind->kind, target->namespace_, name);
	object_path(kind, target, name, path);
	int code = kube_request(mesh->config.kube, what, "DELETE", path, NULL, NULL, err);
	return code == ERR_NOT_FOUND ? 0 : code;
}

/* ---- the built-in executor ---- */

static int kill_pod(ChaosMesh *mesh, const Target *target, const char *labels, uint32_t draw, Error *err)
{
	PodList pods = { 0 };
	size_t running = 0;
	int code = kube_pods_list(mesh->config.kube, target, labels, clock_wall_ms(mesh->config.clock), &pods, err);
	for (size_t i = 0; i < pods.n; i++)
		running += pods.pod[i].phase == POD_RUNNING && !pods.pod[i].is_deleting;
	size_t which = running ? draw % running : 0;
	for (size_t i = 0; i < pods.n && !code && running; i++) {
		if (pods.pod[i].phase != POD_RUNNING || pods.pod[i].is_deleting || which--)
			continue;
		char what[WHAT], path[PATH];
		(void) snprintf(what, sizeof what, "pod %s/%s", target->namespace_, pods.name[i]);
		(void) snprintf(path, sizeof path, "/api/v1/namespaces/%s/pods/%s", target->namespace_, pods.name[i]);
		code = kube_request(mesh->config.kube, what, "DELETE", path, "{\"gracePeriodSeconds\":0}", NULL, err);
		break;
	}
	pod_list_done(&pods);
	return code;
}

/* load 0: ends it. One of the service's pods gets it, whichever answers. */
static int stress(const ChaosMesh *mesh, int load, Error *err)
{
	char url[512];
	HttpClient *http = NULL;
	HttpResponse answer = { 0 };
	size_t len = strlen(mesh->config.stress_url);
	while (len && mesh->config.stress_url[len - 1] == '/')
		len--;
	(void) snprintf(url, sizeof url, "%.*s/stress?workers=%d&load=%d&for=%d", (int) len, mesh->config.stress_url, WORKERS, load, STRESS_S);
	int code = http_client_new(&(HttpTls) { 0 }, &http, err);
	if (!code)
		code = http_request(http, &(HttpRequest) { .method = "POST", .url = url, .body = "", .timeout_ms = 2000 }, &answer, err);
	if (!code && answer.status != 200)
		code = error_set(err, ERR_HTTP, "%s: status %d", url, answer.status);
	http_response_done(&answer);
	http_client_free(http);
	return code;
}

static int do_it_here(ChaosMesh *mesh, MeshFault fault, const Target *target, const char *labels, uint32_t draw, Error *err)
{
	if (!KINDS[fault].is_built_in || (fault != MESH_POD_KILL && !mesh->config.stress_url))
		return error_set(err, ERR_NOT_FOUND, "%s: not among the built-in faults", KINDS[fault].name);
	return fault == MESH_POD_KILL ? kill_pod(mesh, target, labels, draw, err) : stress(mesh, KINDS[fault].load, err);
}

/* ---- beginning and ending ---- */

int chaos_mesh_begin(ChaosMesh *mesh, const Target *target, MeshFault fault, uint32_t draw, Error *err)
{
	for (size_t i = 0; i < mesh->n; i++)
		if (is_same(&mesh->item[i].target, target))
			return 0;
	if (mesh->n == ITEMS)
		return 0;
	KubeDeployment deployment;
	const Kind *kind = &KINDS[fault];
	Item item = { .fault = fault, .target = *target, .is_injected = mesh->config.is_builtin };
	int code = kube_deployment_read(mesh->config.kube, target, &deployment, err);
	if (!code && mesh->config.is_builtin)
		code = do_it_here(mesh, fault, target, deployment.selector, draw, err);
	else if (!code)
		code = create(mesh, kind, target, deployment.selector, &item, err);
	if (code)
		return code;
	item.until_ms = clock_mono_ms(mesh->config.clock) + kind->duration_s * INT64_C(1000);
	mesh->item[mesh->n++] = item;
	mesh->begun++;
	return 0;
}

/* 0: gone. */
static int finish(ChaosMesh *mesh, const Item *item)
{
	Error err = { 0 };
	if (item->name[0])
		return delete_object(mesh, &KINDS[item->fault], &item->target, item->name, &err);
	if (item->fault != MESH_POD_KILL)
		(void) stress(mesh, 0, &err); /* it ends by itself, too */
	return 0;
}

/* Whether Chaos Mesh has done it yet. False where the object is gone. */
static bool watch(ChaosMesh *mesh, Item *item)
{
	char what[WHAT], path[PATH];
	Json *root = NULL;
	Error err;
	const Kind *kind = &KINDS[item->fault];
	(void) snprintf(what, sizeof what, "%s %s/%.200s", kind->kind, item->target.namespace_, item->name);
	object_path(kind, &item->target, item->name, path);
	int code = kube_request(mesh->config.kube, what, "GET", path, NULL, &root, &err);
	for (const Json *c = code ? NULL : json_first(json_get(root, "status.conditions")); c; c = json_next(c))
		if (!strcmp(json_string_or(c, "type", ""), "AllInjected"))
			item->is_injected = !strcmp(json_string_or(c, "status", ""), "True");
	json_free(root);
	return code != ERR_NOT_FOUND;
}

uint32_t chaos_mesh_look(ChaosMesh *mesh, const Target *target)
{
	uint32_t on = 0;
	int64_t now_ms = clock_mono_ms(mesh->config.clock);
	for (size_t i = mesh->n; i-- > 0;) {
		Item *item = &mesh->item[i];
		if (!is_same(&item->target, target))
			continue;
		bool is_there = true;
		if (now_ms >= item->until_ms)
			is_there = finish(mesh, item) != 0; /* tried again at the next look */
		else if (item->name[0] && now_ms - item->looked_ms >= LOOK_EVERY_MS) {
			item->looked_ms = now_ms;
			is_there = watch(mesh, item);
		}
		if (is_there && item->is_injected && now_ms < item->until_ms)
			on |= 1u << item->fault;
		if (!is_there)
			*item = mesh->item[--mesh->n];
	}
	return on;
}

int64_t chaos_mesh_begun(const ChaosMesh *mesh)
{
	return mesh->begun;
}

/* ---- what was left ---- */

static int clean(ChaosMesh *mesh, const Kind *kind, const Target *target, Error *err)
{
	char what[WHAT], path[PATH], full[NAMESPACE_MAX + NAME_MAX_K8S];
	Json *root = NULL;
	target_full_name(target, full, sizeof full);
	(void) snprintf(what, sizeof what, "%s of %s", kind->kind, target->namespace_);
	(void) snprintf(path, sizeof path, "%s/namespaces/%s/%s?labelSelector=%s", GROUP, target->namespace_, kind->resource, SELECTOR);
	int code = kube_request(mesh->config.kube, what, "GET", path, NULL, &root, err);
	for (const Json *item = code ? NULL : json_first(json_get(root, "items")); item && !code; item = json_next(item)) {
		bool is_ours = false;
		for (const Json *a = json_first(json_get(item, "metadata.annotations")); a; a = json_next(a))
			is_ours |= !strcmp(json_key(a), "maestro.io/target") && json_string(a) && !strcmp(json_string(a), full);
		if (is_ours)
			code = delete_object(mesh, kind, target, json_string_or(item, "metadata.name", "?"), err);
	}
	json_free(root);
	return code;
}

int chaos_mesh_prepare(ChaosMesh *mesh, const Target *target, Error *err)
{
	static const MeshFault one_of_each[] = { MESH_CPU_HALF, MESH_POD_KILL, MESH_DELAY };
	int code = 0;
	for (size_t i = 0; i < sizeof one_of_each / sizeof *one_of_each && !code; i++)
		code = clean(mesh, &KINDS[one_of_each[i]], target, err);
	return mesh->config.is_builtin && (code == ERR_NOT_FOUND || code == ERR_FORBIDDEN) ? 0 : code;
}

int chaos_mesh_new(const ChaosMeshConfig *config, ChaosMesh **ret_mesh, Error *err)
{
	ChaosMesh *mesh = calloc(1, sizeof *mesh);
	if (!mesh)
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	mesh->config = *config;
	*ret_mesh = mesh;
	return 0;
}

void chaos_mesh_end(ChaosMesh *mesh)
{
	for (size_t i = mesh ? mesh->n : 0; i-- > 0;)
		if (!finish(mesh, &mesh->item[i]))
			mesh->item[i] = mesh->item[--mesh->n];
}

void chaos_mesh_free(ChaosMesh *mesh)
{
	chaos_mesh_end(mesh);
	for (size_t i = 0; mesh && i < mesh->n; i++) {
		const Item *item = &mesh->item[i];
		(void) fprintf(stderr, "maestro: %s %s/%s stays until its duration is over: it could not be removed; the next such run does it, or kubectl delete\n",
		               KINDS[item->fault].kind, item->target.namespace_, item->name);
	}
	free(mesh);
}
