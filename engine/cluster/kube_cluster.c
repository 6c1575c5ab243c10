/* See kube_cluster.h. */
#include "cluster/kube_cluster.h"

#include "base/http.h"
#include "base/mem.h"
#include "cluster/claims.h"
#include "cluster/kube_vpa.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t VPA_MS = 300000; /* between looks for VPAs, which only warn */
static const int64_t CRD_MS = 60000; /* between looks for a CRD that was not there */

typedef struct Scaler { /* an HPA or a ScaledObject */
	char namespace_[NAMESPACE_MAX], name[NAME_MAX_K8S], target[NAME_MAX_K8S];
	bool is_keda;
	int32_t min, max;
	char version[64];
} Scaler;

typedef struct Space { /* a namespace */
	char name[NAMESPACE_MAX];
	Claims claims;
	bool may_not_list[2];  /* HPAs, ScaledObjects: said already */
	int64_t keda_after_ms; /* monotonic */
	int64_t vpa_after_ms;  /* the same: they are looked for now and then */
	VpaList vpas;
	int code;              /* of this look: why its scalers are not known */
	char why[160];
} Space;

typedef struct Picker { /* a target by what it picks */
	const char *namespace_, *selector;
	size_t at;
} Picker;

typedef struct KubeCluster {
	Cluster cluster;
	KubeClusterConfig config;
	Scaler *scaler;        /* [n] of the last look */
	size_t n, size;
	Space *space;          /* [n_spaces] */
	size_t n_spaces;
	char (*selector)[512]; /* [n_selectors] of the targets of this look */
	char (*uid)[64];       /* the same */
	Target *target;
	Picker *picker;
	size_t n_targets, n_selectors;
} KubeCluster;

/* ---- polling ---- */

static int put_all(KubeCache *cache, CacheKind kind, const char *namespace_, const Json *list)
{
	int code = 0;
	for (const Json *item = json_first(json_get(list, "items")); item && !code; item = json_next(item))
		code = kube_cache_put(cache, kind, namespace_, item);
	return code;
}

static int get(KubeCluster *self, const char *what, const StrBuf *path, Json **ret, Error *err)
{
	return path->failed ? error_set(err, ERR_NOMEM, "%s: out of memory", what)
	                    : kube_request(self->config.client, what, "GET", path->data, NULL, ret, err);
}

/* One target's Deployment into the cache; then its pods, by its selector. */
static int poll_target(KubeCluster *self, const Target *target, Error *err)
{
	KubeCache *cache = kube_client_cached(self->config.client);
	char what[NAMESPACE_MAX + NAME_MAX_K8S + 32];
	StrBuf path = { 0 };
	Json *root = NULL;
	KubeDeployment deployment;
	(void) snprintf(what, sizeof what, "deployment %s/%s", target->namespace_, target->name);
	strbuf_addf(&path, "/apis/apps/v1/namespaces/");
	http_escape(&path, target->namespace_);
	strbuf_addf(&path, "/deployments/");
	http_escape(&path, target->name);
	int code = get(self, what, &path, &root, err);
	if (code == ERR_NOT_FOUND)
		kube_cache_drop(cache, CACHE_DEPLOYMENTS, target->namespace_, target->name);
	if (!code && kube_cache_put(cache, CACHE_DEPLOYMENTS, target->namespace_, root))
		code = error_set(err, ERR_NOMEM, "%s: out of memory", what);
	if (!code)
		code = kube_deployment_parse(root, target, &deployment, err);
	json_free(root);
	root = NULL;
	strbuf_clear(&path);
	strbuf_addf(&path, "/api/v1/namespaces/");
	http_escape(&path, target->namespace_);
	strbuf_addf(&path, "/pods?labelSelector=");
	http_escape(&path, code ? "" : deployment.selector);
	if (!code)
		code = get(self, what, &path, &root, err);
	if (!code && put_all(cache, CACHE_PODS, target->namespace_, root))
		code = error_set(err, ERR_NOMEM, "%s: out of memory", what);
	json_free(root);
	strbuf_done(&path);
	return code;
}

/* All targets of a namespace. Each has its own code; a namespace is as good as its worst request for pods. */
static void poll_space(KubeCluster *self, const Space *space, const Target *target, size_t n, TargetFacts *facts)
{
	KubeCache *cache = kube_client_cached(self->config.client);
	kube_cache_list_begin(cache, CACHE_PODS, space->name);
	for (size_t i = 0; i < n; i++) {
		Error err = { 0 };
		if (strcmp(target[i].namespace_, space->name))
			continue;
		facts[i].code = poll_target(self, &target[i], &err);
		str_copy(facts[i].why, sizeof facts[i].why, err.text);
	}
	kube_cache_list_end(cache, CACHE_PODS, space->name);
	kube_cache_state(cache, CACHE_DEPLOYMENTS, space->name, 0, "");
	kube_cache_state(cache, CACHE_PODS, space->name, 0, "");
}

/* ---- other autoscalers ---- */

static Space *space_of(KubeCluster *self, const char *name)
{
	for (size_t i = 0; i < self->n_spaces; i++)
		if (!strcmp(self->space[i].name, name))
			return &self->space[i];
	Space *space = realloc(self->space, (self->n_spaces + 1) * sizeof *space);
	if (!space)
		return NULL;
	self->space = space;
	space[self->n_spaces] = (Space) { 0 };
	str_copy(space[self->n_spaces].name, sizeof space->name, name);
	return &space[self->n_spaces++];
}

static int add_scaler(KubeCluster *self, const char *namespace_, const Json *item, bool is_keda)
{
	const char *kind = json_string_or(item, "spec.scaleTargetRef.kind", is_keda ? "Deployment" : "");
	if (strcmp(kind, "Deployment"))
		return 0;
	Scaler *scaler = mem_room(self->scaler, self->n, &self->size, sizeof *scaler);
	if (!scaler)
		return ERR_NOMEM;
	self->scaler = scaler;
	scaler += self->n++;
	*scaler = (Scaler) {
		.is_keda = is_keda,
		.min = (int32_t) json_int_or(item, "spec.minReplicas", 1),
		.max = (int32_t) json_int_or(item, "spec.maxReplicas", 0),
	};
	str_copy(scaler->namespace_, sizeof scaler->namespace_, namespace_);
	str_copy(scaler->name, sizeof scaler->name, json_string_or(item, "metadata.name", ""));
	str_copy(scaler->target, sizeof scaler->target, json_string_or(item, "spec.scaleTargetRef.name", ""));
	str_copy(scaler->version, sizeof scaler->version, json_string_or(item, "metadata.resourceVersion", ""));
	return 0;
}

static int list_scalers(KubeCluster *self, Space *space, bool is_keda, Error *err)
{
	StrBuf path = { 0 };
	Json *root = NULL;
	char what[96];
	(void) snprintf(what, sizeof what, "%s of %.60s", is_keda ? "scaledobjects" : "horizontalpodautoscalers", space->name);
	strbuf_addf(&path, "/apis/%s/namespaces/", is_keda ? "keda.sh/v1alpha1" : "autoscaling/v2");
	http_escape(&path, space->name);
	strbuf_addf(&path, "/%s", is_keda ? "scaledobjects" : "horizontalpodautoscalers");
	int code = get(self, what, &path, &root, err);
	for (const Json *item = code ? NULL : json_first(json_get(root, "items")); item && !code; item = json_next(item))
		code = add_scaler(self, space->name, item, is_keda);
	json_free(root);
	strbuf_done(&path);
	if (code == ERR_FORBIDDEN && !space->may_not_list[is_keda])
		(void) fprintf(stderr, "maestro: %s: may not be listed, so a conflict with one cannot be seen\n", what);
	if (code == ERR_FORBIDDEN)
		space->may_not_list[is_keda] = true;
	return code == ERR_FORBIDDEN || (is_keda && code == ERR_NOT_FOUND) ? 0 : code;
}

static void look_for_scalers(KubeCluster *self, Space *space)
{
	Error err = { 0 };
	int64_t now_ms = clock_mono_ms(self->config.clock);
	size_t before;
	space->code = list_scalers(self, space, false, &err);
	if (!space->code && now_ms >= space->keda_after_ms) {
		before = self->n;
		space->code = list_scalers(self, space, true, &err);
		if (!space->code && before == self->n) /* KEDA makes an HPA of its own, which is seen at once */
			space->keda_after_ms = now_ms + CRD_MS;
	}
	str_copy(space->why, sizeof space->why, space->code ? err.text : "");
}

static void look_for_claims(KubeCluster *self, Space *space)
{
	Error err = { 0 };
	if (!self->config.looks_for_claims || space->code)
		return;
	space->code = claims_look(&space->claims, self->config.client, self->config.clock, space->name, &err);
	str_copy(space->why, sizeof space->why, space->code ? err.text : "");
}

static void look_for_vpas(KubeCluster *self, Space *space)
{
	int64_t now_ms = clock_mono_ms(self->config.clock);
	if (now_ms < space->vpa_after_ms)
		return;
	vpa_list_read(&space->vpas, self->config.client, space->name);
	space->vpa_after_ms = now_ms + VPA_MS;
}

static const Scaler *scaler_of(const KubeCluster *self, const Target *target, bool is_keda, size_t *ret_count)
{
	const Scaler *found = NULL;
	*ret_count = 0;
	for (size_t i = 0; i < self->n; i++) {
		const Scaler *scaler = &self->scaler[i];
		if (scaler->is_keda != is_keda || strcmp(scaler->namespace_, target->namespace_) || strcmp(scaler->target, target->name))
			continue;
		found = scaler;
		++*ret_count;
	}
	return found;
}

static void find_owner(const KubeCluster *self, const Space *space, const Target *target, TargetFacts *facts)
{
	size_t n_hpas, n_keda;
	const char *holder = space ? claims_holder(&space->claims, self->config.clock, target->name) : NULL;
	const Scaler *hpa = scaler_of(self, target, false, &n_hpas), *keda = scaler_of(self, target, true, &n_keda);
	const Scaler *owner = keda ? keda : self->config.drives_floor && n_hpas == 1 ? NULL : hpa;
	if (owner)
		(void) snprintf(facts->owner, sizeof facts->owner, "%s %.60s/%.60s", owner->is_keda ? "ScaledObject"
		                : "HorizontalPodAutoscaler", owner->namespace_, owner->name);
	facts->is_claimed = !owner && holder;
	if (facts->is_claimed)
		(void) snprintf(facts->owner, sizeof facts->owner, "maestro %.100s (by its Lease)", holder);
}

static int compare_pickers(const void *a, const void *b)
{
	const Picker *x = a, *y = b;
	int by_space = strcmp(x->namespace_, y->namespace_), by_selector = by_space ? by_space : strcmp(x->selector, y->selector);
	return by_selector ? by_selector : x->at < y->at ? -1 : x->at > y->at;
}

static void name_twin(const KubeCluster *self, TargetFacts *facts, size_t at, size_t other)
{
	(void) snprintf(facts[at].owner, sizeof facts[at].owner, "the pods of deployment %.100s too", self->target[other].name);
}

/* Two targets that pick the same pods would count each other's load. */
static void find_twins(const KubeCluster *self, size_t n, TargetFacts *facts)
{
	size_t count = 0;
	for (size_t i = 0; i < n; i++)
		if (self->selector[i][0])
			self->picker[count++] = (Picker) { self->target[i].namespace_, self->selector[i], i };
	if (count)
		qsort(self->picker, count, sizeof *self->picker, compare_pickers);
	for (size_t k = 1; k < count; k++) {
		const Picker *a = &self->picker[k - 1], *b = &self->picker[k];
		if (strcmp(a->selector, b->selector) || strcmp(a->namespace_, b->namespace_))
			continue;
		name_twin(self, facts, a->at, b->at);
		name_twin(self, facts, b->at, a->at);
	}
}

/* ---- the interface ---- */

static bool reserve(KubeCluster *self, size_t n)
{
	if (n <= self->n_selectors)
		return true;
	void *selector = realloc(self->selector, n * sizeof *self->selector);
	if (selector)
		self->selector = selector;
	void *uid = realloc(self->uid, n * sizeof *self->uid);
	if (uid)
		self->uid = uid;
	void *target = realloc(self->target, n * sizeof *self->target);
	if (target)
		self->target = target;
	void *picker = realloc(self->picker, n * sizeof *self->picker);
	if (picker)
		self->picker = picker;
	if (selector && uid && target && picker)
		self->n_selectors = n;
	return selector && uid && target && picker;
}

/* What the cache says of a target, after it was filled. */
static void take_facts(KubeCluster *self, size_t i, const Target *target, TargetFacts *facts)
{
	KubeDeployment deployment;
	Error err = { 0 };
	const Space *space = space_of(self, target->namespace_);
	self->selector[i][0] = self->uid[i][0] = '\0';
	self->target[i] = *target;
	int code = facts->code;
	if (!code)
		code = kube_cache_deployment(kube_client_cached(self->config.client), target, &deployment, &err);
	else
		(void) error_set(&err, code, "%s", facts->why);
	if (!code && space && space->code)
		code = error_set(&err, space->code, "%s", space->why);
	*facts = (TargetFacts) { .held_replicas = -1 };
	if (!code) {
		*facts = deployment.facts;
		str_copy(self->selector[i], sizeof self->selector[i], deployment.selector);
		str_copy(self->uid[i], sizeof self->uid[i], deployment.uid);
		find_owner(self, space, target, facts);
		if (space)
			vpa_list_warn(&space->vpas, target, facts->warning, sizeof facts->warning);
	}
	facts->code = code;
	str_copy(facts->why, sizeof facts->why, err.text);
}

/* A namespace none of whose targets can be read has nothing more to say. */
static bool is_readable(const Space *space, const Target *target, size_t n, const TargetFacts *facts)
{
	for (size_t i = 0; i < n; i++)
		if (!facts[i].code && !strcmp(target[i].namespace_, space->name))
			return true;
	return false;
}

static void look(Cluster *cluster, const Target *target, size_t n, TargetFacts *facts)
{
	KubeCluster *self = (KubeCluster *) cluster;
	self->n = self->n_targets = 0;
	bool has_room = reserve(self, n);
	for (size_t i = 0; i < n; i++) {
		facts[i] = (TargetFacts) { .code = has_room ? 0 : ERR_NOMEM, .held_replicas = -1, .why = "out of memory" };
		has_room = has_room && space_of(self, target[i].namespace_);
	}
	if (!has_room)
		return;
	for (size_t i = 0; i < self->n_spaces; i++) {
		if (!self->config.is_watched)
			poll_space(self, &self->space[i], target, n, facts);
		self->space[i].code = 0;
		if (is_readable(&self->space[i], target, n, facts)) {
			look_for_scalers(self, &self->space[i]);
			look_for_claims(self, &self->space[i]);
			look_for_vpas(self, &self->space[i]);
		}
	}
	for (size_t i = 0; i < n; i++)
		take_facts(self, i, &target[i], &facts[i]);
	self->n_targets = n;
	find_twins(self, n, facts);
}

void kube_cluster_lead(Cluster *cluster, Shards *shards)
{
	((KubeCluster *) cluster)->config.shards = shards;
}

static bool leads(Cluster *cluster, const Target *target)
{
	const KubeCluster *self = (KubeCluster *) cluster;
	return !self->config.shards || shards_hold(self->config.shards, target);
}

static bool is_cut_off(Cluster *cluster, const Target *target)
{
	const KubeCluster *self = (KubeCluster *) cluster;
	return self->config.shards && shards_fail(self->config.shards, target);
}

static const char *uid_of(const KubeCluster *self, const Target *target)
{
	for (size_t i = 0; i < self->n_targets; i++)
		if (!strcmp(self->target[i].name, target->name) && !strcmp(self->target[i].namespace_, target->namespace_))
			return self->uid[i];
	return "";
}

static void tell(Cluster *cluster, const Target *target, EventWord word, const char *text)
{
	KubeCluster *self = (KubeCluster *) cluster;
	if (self->config.herald)
		herald_event(self->config.herald, target, uid_of(self, target), word, text);
}

static void show(Cluster *cluster, const Target *target, const char *status_json)
{
	KubeCluster *self = (KubeCluster *) cluster;
	if (self->config.herald)
		herald_status(self->config.herald, target, status_json);
}

static void cluster_done(Cluster *cluster)
{
	KubeCluster *self = (KubeCluster *) cluster;
	for (size_t i = 0; i < self->n_spaces; i++) {
		vpa_list_done(&self->space[i].vpas);
		claims_done(&self->space[i].claims);
	}
	free(self->scaler);
	free(self->space);
	free(self->selector);
	free(self->uid);
	free(self->target);
	free(self->picker);
	free(self);
}

static const ClusterOps OPS = { "kubernetes", look, leads, is_cut_off, tell, show, cluster_done };

int kube_cluster_new(const KubeClusterConfig *config, Cluster **ret_cluster, Error *err)
{
	KubeCluster *self = calloc(1, sizeof *self);
	if (!self)
		return error_set(err, ERR_NOMEM, "out of memory");
	self->cluster.ops = &OPS;
	self->config = *config;
	*ret_cluster = &self->cluster;
	return 0;
}

/* ---- the floor under an HPA ---- */

typedef struct Floor {
	Actuator actuator;
	KubeCluster *cluster;
} Floor;

static int hpa_of(const KubeCluster *self, const Target *target, const Scaler **ret, Error *err)
{
	size_t n;
	*ret = scaler_of(self, target, false, &n);
	return n == 1 ? 0 : error_set(err, ERR_NOT_FOUND, "deployment %s/%s: %zu HorizontalPodAutoscalers have it, not one",
	                              target->namespace_, target->name, n);
}

static int floor_get(Actuator *actuator, const Target *target, Scale *ret_scale, Error *err)
{
	KubeCluster *self = ((Floor *) actuator)->cluster;
	KubeDeployment deployment;
	const Scaler *hpa;
	int code = hpa_of(self, target, &hpa, err);
	if (!code)
		code = kube_cache_deployment(kube_client_cached(self->config.client), target, &deployment, err);
	if (code)
		return code;
	*ret_scale = (Scale) { .replicas = deployment.replicas, .status_replicas = deployment.status_replicas, .floor = hpa->min };
	str_copy(ret_scale->resource_version, sizeof ret_scale->resource_version, hpa->version);
	str_copy(ret_scale->uid, sizeof ret_scale->uid, deployment.uid);
	return 0;
}

/* A merge patch that names the resourceVersion is conditional. */
static char *floor_body(const Scale *want, int32_t floor)
{
	Json *root = json_new_object();
	json_add_string(json_add_object(root, "metadata"), "resourceVersion", want->resource_version);
	json_add_int(json_add_object(root, "spec"), "minReplicas", floor);
	char *text = json_print(root);
	json_free(root);
	return text;
}

static void take_hpa(Scaler *hpa, const Json *root)
{
	hpa->min = (int32_t) json_int_or(root, "spec.minReplicas", 1);
	hpa->max = (int32_t) json_int_or(root, "spec.maxReplicas", hpa->max);
	str_copy(hpa->version, sizeof hpa->version, json_string_or(root, "metadata.resourceVersion", ""));
}

static int floor_set(Actuator *actuator, const Target *target, const Scale *want, Scale *ret_scale, Error *err)
{
	KubeCluster *self = ((Floor *) actuator)->cluster;
	const Scaler *found;
	char what[NAMESPACE_MAX + NAME_MAX_K8S + 32];
	int code = hpa_of(self, target, &found, err);
	if (code)
		return code;
	Scaler *hpa = &self->scaler[found - self->scaler];
	int32_t floor = hpa->max > 0 && want->replicas > hpa->max ? hpa->max : want->replicas;
	StrBuf path = { 0 };
	Json *root = NULL;
	char *body = floor_body(want, floor);
	(void) snprintf(what, sizeof what, "horizontalpodautoscaler %s/%s", hpa->namespace_, hpa->name);
	strbuf_addf(&path, "/apis/autoscaling/v2/namespaces/");
	http_escape(&path, hpa->namespace_);
	strbuf_addf(&path, "/horizontalpodautoscalers/");
	http_escape(&path, hpa->name);
	code = !body || path.failed ? error_set(err, ERR_NOMEM, "%s: out of memory", what)
	     : kube_request(self->config.client, what, "PATCH", path.data, body, &root, err);
	if (!code)
		take_hpa(hpa, root);
	json_free(root);
	root = NULL;
	/* a conflict is looked at again right away: the next get gives what is there now */
	if (code == ERR_CONFLICT && !kube_request(self->config.client, what, "GET", path.data, NULL, &root, NULL))
		take_hpa(hpa, root);
	json_free(root);
	free(body);
	strbuf_done(&path);
	return !code && ret_scale ? floor_get(actuator, target, ret_scale, err) : code;
}

static void floor_done(Actuator *actuator)
{
	free(actuator);
}

int kube_floor_new(Cluster *cluster, Actuator **ret_actuator, Error *err)
{
	static const ActuatorOps ops = { "hpa-floor", floor_get, floor_set, floor_done };
	Floor *floor = calloc(1, sizeof *floor);
	if (!floor)
		return error_set(err, ERR_NOMEM, "out of memory");
	floor->actuator = (Actuator) { .ops = &ops, .is_floor = true };
	floor->cluster = (KubeCluster *) cluster;
	*ret_actuator = &floor->actuator;
	return 0;
}
