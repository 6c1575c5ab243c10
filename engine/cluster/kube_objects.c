/* Deployments and pods out of the API's JSON; see kube.h. */
#include "base/http.h"
#include "base/mem.h"
#include "cluster/cache.h"
#include "cluster/kube.h"
#include "cluster/quantity.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGES_MAX = 40 }; /* of 500 pods */

/* ---- containers ---- */

/* A pod's sum of one resource as the HPA counts it: its containers, and the init containers that stay (sidecars).
 * False when one has none. What has a limit and no request requests its limit, as the API fills in for pods. */
static bool pod_resource(const Json *spec, const char *kind, const char *resource, int64_t *ret_milli)
{
	static const char *const lists[] = { "containers", "initContainers" };
	int64_t sum = 0;
	bool is_any = false;
	for (int l = 0; l < 2; l++)
		for (const Json *c = json_first(json_get(spec, lists[l])); c; c = json_next(c)) {
			if (l == 1 && strcmp(json_string_or(c, "restartPolicy", ""), "Always"))
				continue;
			char path[64];
			int64_t milli = 0;
			(void) snprintf(path, sizeof path, "resources.%s.%s", kind, resource);
			const char *text = json_string(json_get(c, path));
			(void) snprintf(path, sizeof path, "resources.limits.%s", resource);
			if (!text)
				text = json_string(json_get(c, path));
			if (!text || !quantity_milli(text, &milli) || __builtin_add_overflow(sum, milli, &sum))
				return false;
			is_any = true;
		}
	if (is_any)
		*ret_milli = sum;
	return is_any;
}

static double resource_of(const Json *spec, const char *kind, const char *resource)
{
	int64_t milli = 0;
	return pod_resource(spec, kind, resource, &milli) ? (double) milli / 1000.0 : 0.0;
}

/* ---- the Deployment ---- */

static void add_term(StrBuf *selector, const char *key, const char *operator_, const Json *values)
{
	const char *comma = selector->len > 0 ? "," : "";
	if (!strcmp(operator_, "Exists"))
		strbuf_addf(selector, "%s%s", comma, key);
	else if (!strcmp(operator_, "DoesNotExist"))
		strbuf_addf(selector, "%s!%s", comma, key);
	else
		strbuf_addf(selector, "%s%s %s (", comma, key, strcmp(operator_, "In") ? "notin" : "in");
	const char *between = "";
	for (const Json *value = json_first(values); value; value = json_next(value), between = ",")
		strbuf_addf(selector, "%s%s", between, json_string(value) ? json_string(value) : "");
	if (strstr(operator_, "In"))
		strbuf_add(selector, ")", 1);
}

static int read_selector(const Json *selector, const char *what, KubeDeployment *ret, Error *err)
{
	StrBuf text = { 0 };
	int code = 0;
	for (const Json *label = json_first(json_get(selector, "matchLabels")); label; label = json_next(label))
		strbuf_addf(&text, "%s%s=%s", text.len > 0 ? "," : "", json_key(label), json_string(label) ? json_string(label) : "");
	for (const Json *term = json_first(json_get(selector, "matchExpressions")); term; term = json_next(term))
		add_term(&text, json_string_or(term, "key", ""), json_string_or(term, "operator", ""), json_get(term, "values"));
	if (text.failed)
		code = error_set(err, ERR_NOMEM, "%s: out of memory", what);
	else if (text.len == 0 || text.len >= sizeof ret->selector)
		code = error_set(err, ERR_INVALID, "%s: its selector is empty or too long to list pods by", what);
	else
		str_copy(ret->selector, sizeof ret->selector, text.data);
	strbuf_done(&text);
	return code;
}

/* NULL: absent. json_get descends at dots, and these keys have some. */
static const char *annotation(const Json *root, const char *key)
{
	for (const Json *a = json_first(json_get(root, "metadata.annotations")); a; a = json_next(a))
		if (!strcmp(json_key(a), key))
			return json_string(a);
	return NULL;
}

/* A number in an annotation; absent keeps *ret. */
static int read_annotation(const Json *root, const char *key, const char *what, double *ret, Error *err)
{
	const char *text = annotation(root, key);
	if (!text)
		return 0;
	char *end;
	double value = strtod(text, &end);
	if (end == text || *end || !isfinite(value))
		return error_set(err, ERR_INVALID, "%s: annotation %s: \"%.40s\" is not a number", what, key, text);
	*ret = value;
	return 0;
}

static int read_annotations(const Json *root, const char *what, KubeDeployment *ret, Error *err)
{
	double min = 0.0, max = 0.0;
	int code = read_annotation(root, "latencySoftConstraint", what, &ret->latency_soft_ms, err);
	if (!code)
		code = read_annotation(root, "latencyHardConstraint", what, &ret->latency_hard_ms, err);
	if (!code)
		code = read_annotation(root, "maestro.io/min-replicas", what, &min, err);
	if (!code)
		code = read_annotation(root, "maestro.io/max-replicas", what, &max, err);
	if (code)
		return code;
	if (!(min >= 0.0 && min <= 1e6 && max >= 0.0 && max <= 1e6))
		return error_set(err, ERR_INVALID, "%s: annotations maestro.io/min-replicas, max-replicas: not a count of pods",
		                 what);
	const char *queries = annotation(root, "maestro.io/queries");
	if (queries && strlen(queries) >= sizeof ret->queries)
		return error_set(err, ERR_INVALID, "%s: annotation maestro.io/queries: longer than %zu bytes", what, sizeof ret->queries - 1);
	str_copy(ret->queries, sizeof ret->queries, queries ? queries : "");
	ret->facts.has_queries = ret->queries[0] != '\0';
	ret->latency_soft_ms = fmax(ret->latency_soft_ms, 0.0); /* the thesis's -1: off */
	ret->latency_hard_ms = fmax(ret->latency_hard_ms, 0.0);
	ret->min_replicas = (int32_t) min;
	ret->max_replicas = (int32_t) max;
	return 0;
}

/* ---- what people ask for ---- */

static void trouble(TargetFacts *facts, const char *key, const char *text, const char *wanted)
{
	if (!facts->trouble[0])
		(void) snprintf(facts->trouble, sizeof facts->trouble, "maestro.io/%s: \"%.24s\" is not %s", key, text, wanted);
}

static bool read_flag(const Json *root, const char *key, TargetFacts *facts)
{
	char full[64];
	(void) snprintf(full, sizeof full, "maestro.io/%s", key);
	const char *text = annotation(root, full);
	if (text && strcmp(text, "true") && strcmp(text, "false"))
		trouble(facts, key, text, "true or false");
	return text && !strcmp(text, "true");
}

static void read_held(const Json *root, TargetFacts *facts)
{
	const char *number = annotation(root, "maestro.io/paused-replicas"), *until = annotation(root, "maestro.io/paused-until");
	char *end = NULL;
	facts->held_replicas = -1;
	if (until && !time_parse(until, &facts->held_until_ms))
		trouble(facts, "paused-until", until, "a time like 2026-01-02T15:04:05Z");
	if (!number)
		return;
	long value = strtol(number, &end, 10);
	if (end == number || *end || value < 0 || value > 1000000)
		trouble(facts, "paused-replicas", number, "a count of pods");
	else
		facts->held_replicas = (int32_t) value;
}

/* "15s", "2m" or a bare number of seconds. */
static void read_interval(const Json *root, TargetFacts *facts)
{
	const char *text = annotation(root, "maestro.io/interval");
	char *end = NULL;
	double value = text ? strtod(text, &end) : 0;
	double unit = !text || !*end || !strcmp(end, "s") ? 1 : !strcmp(end, "m") ? 60 : 0;
	if (text && (end == text || unit <= 0 || !(value * unit >= 1 && value * unit <= 3600)))
		trouble(facts, "interval", text, "1s to 60m");
	else
		facts->interval_s = value * unit;
}

/* Who wrote spec.replicas last. */
static void read_manager(const Json *root, TargetFacts *facts)
{
	const char *newest = "";
	for (const Json *entry = json_first(json_get(root, "metadata.managedFields")); entry; entry = json_next(entry)) {
		const char *time = json_string_or(entry, "time", "");
		if (!json_get(entry, "fieldsV1.f:spec.f:replicas") || strcmp(time, newest) < 0)
			continue;
		newest = time;
		str_copy(facts->manager, sizeof facts->manager, json_string_or(entry, "manager", ""));
		(void) time_parse(time, &facts->changed_ms);
	}
}

static void read_facts(const Json *root, KubeDeployment *ret)
{
	TargetFacts *facts = &ret->facts;
	const char *policy = annotation(root, "maestro.io/policy");
	str_copy(facts->uid, sizeof facts->uid, ret->uid);
	facts->is_paused = read_flag(root, "paused", facts);
	facts->is_scale_in_paused = read_flag(root, "paused-scale-in", facts);
	read_held(root, facts);
	read_interval(root, facts);
	read_manager(root, facts);
	str_copy(facts->policy, sizeof facts->policy, policy ? policy : "");
	facts->min_replicas = ret->min_replicas;
	facts->max_replicas = ret->max_replicas;
	facts->latency_soft_ms = ret->latency_soft_ms;
	facts->latency_hard_ms = ret->latency_hard_ms;
}

/* ---- the object ---- */

int kube_deployment_parse(const Json *root, const Target *target, KubeDeployment *ret, Error *err)
{
	char what[NAMESPACE_MAX + NAME_MAX_K8S + 16];
	KubeDeployment deployment = { 0 };
	int64_t replicas = 0;
	(void) snprintf(what, sizeof what, "deployment %s/%s", target->namespace_, target->name);
	if (!json_int(json_get(root, "spec.replicas"), &replicas) || replicas < 0 || replicas > INT32_MAX)
		return error_set(err, ERR_PARSE, "%s: the answer has no spec.replicas", what);
	int code = read_selector(json_get(root, "spec.selector"), what, &deployment, err);
	if (!code)
		code = read_annotations(root, what, &deployment, err);
	if (code)
		return code;
	const Json *spec = json_get(root, "spec.template.spec");
	deployment.replicas = (int32_t) replicas;
	deployment.status_replicas = (int32_t) json_int_or(root, "status.replicas", 0);
	str_copy(deployment.uid, sizeof deployment.uid, json_string_or(root, "metadata.uid", ""));
	str_copy(deployment.resource_version, sizeof deployment.resource_version,
	         json_string_or(root, "metadata.resourceVersion", ""));
	deployment.cpu_request_cores = resource_of(spec, "requests", "cpu");
	deployment.mem_limit_bytes = resource_of(spec, "limits", "memory");
	read_facts(root, &deployment);
	*ret = deployment;
	return 0;
}

int kube_deployment_read(KubeClient *client, const Target *target, KubeDeployment *ret, Error *err)
{
	char what[NAMESPACE_MAX + NAME_MAX_K8S + 16];
	StrBuf path = { 0 };
	Json *root = NULL;
	if (kube_client_cached(client))
		return kube_cache_deployment(kube_client_cached(client), target, ret, err);
	(void) snprintf(what, sizeof what, "deployment %s/%s", target->namespace_, target->name);
	strbuf_addf(&path, "/apis/apps/v1/namespaces/");
	http_escape(&path, target->namespace_);
	strbuf_addf(&path, "/deployments/");
	http_escape(&path, target->name);
	int code = path.failed ? error_set(err, ERR_NOMEM, "%s: out of memory", what) : 0;
	if (!code)
		code = kube_request(client, what, "GET", path.data, NULL, &root, err);
	if (!code)
		code = kube_deployment_parse(root, target, ret, err);
	json_free(root);
	strbuf_done(&path);
	return code;
}

/* ---- pods ---- */

static PodPhase phase_of(const char *text)
{
	static const char *const words[] = { "Pending", "Running", "Succeeded", "Failed" }; /* in PodPhase's order */
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (!strcmp(text, words[i]))
			return (PodPhase) i;
	return POD_UNKNOWN;
}

static void read_ready(const Json *item, KubePod *ret)
{
	PodSample *pod = &ret->sample;
	pod->ready = READY_ABSENT;
	for (const Json *c = json_first(json_get(item, "status.conditions")); c; c = json_next(c)) {
		if (strcmp(json_string_or(c, "type", ""), "Ready"))
			continue;
		const char *status = json_string_or(c, "status", "");
		pod->ready = !strcmp(status, "True") ? READY_TRUE : !strcmp(status, "False") ? READY_FALSE : READY_UNKNOWN;
		if (!time_parse(json_string_or(c, "lastTransitionTime", ""), &ret->ready_ms))
			ret->ready_ms = -1;
	}
}

void kube_pod_parse(const Json *item, KubePod *ret)
{
	*ret = (KubePod) { .ready_ms = -1 };
	PodSample *pod = &ret->sample;
	pod->phase = phase_of(json_string_or(item, "status.phase", ""));
	pod->is_deleting = json_string(json_get(item, "metadata.deletionTimestamp")) != NULL;
	pod->has_start_time = time_parse(json_string_or(item, "status.startTime", ""), &ret->started_ms);
	pod->has_request = pod_resource(json_get(item, "spec"), "requests", "cpu", &pod->request_m);
	read_ready(item, ret);
	str_copy(ret->name, sizeof ret->name, json_string_or(item, "metadata.name", ""));
}

int pod_list_add(PodList *list, const KubePod *one, int64_t now_ms)
{
	if (list->n == list->size) {
		size_t size = list->size ? list->size * 2 : 16;
		PodSample *pod = realloc(list->pod, size * sizeof *pod);
		if (pod)
			list->pod = pod;
		char (*name)[NAME_MAX_K8S] = realloc(list->name, size * sizeof *name);
		if (name)
			list->name = name;
		if (!pod || !name)
			return ERR_NOMEM;
		list->size = size;
	}
	PodSample pod = one->sample;
	pod.start_age_ms = pod.has_start_time ? now_ms - one->started_ms : 0;
	pod.ready_age_ms = one->ready_ms >= 0 ? now_ms - one->ready_ms : 0;
	if (pod.ready == READY_TRUE && !pod.is_deleting)
		list->ready++;
	str_copy(list->name[list->n], NAME_MAX_K8S, one->name);
	list->pod[list->n++] = pod;
	return 0;
}

static int add_pod(PodList *list, const Json *item, int64_t now_ms)
{
	KubePod pod;
	kube_pod_parse(item, &pod);
	return pod_list_add(list, &pod, now_ms);
}

static int pods_path(StrBuf *path, const Target *target, const char *selector, const char *next)
{
	strbuf_clear(path);
	strbuf_addf(path, "/api/v1/namespaces/");
	http_escape(path, target->namespace_);
	strbuf_addf(path, "/pods?limit=500&labelSelector=");
	http_escape(path, selector);
	if (*next) {
		strbuf_addf(path, "&continue=");
		http_escape(path, next);
	}
	return path->failed ? ERR_NOMEM : 0;
}

int kube_pods_list(KubeClient *client, const Target *target, const char *selector, int64_t now_ms, PodList *list,
                   Error *err)
{
	char what[NAMESPACE_MAX + NAME_MAX_K8S + 32];
	StrBuf path = { 0 };
	Json *page = NULL;
	const char *next = "";
	int pages = 0;
	(void) snprintf(what, sizeof what, "deployment %s/%s: list of pods", target->namespace_, target->name);
	list->n = 0;
	list->ready = 0;
	int code = 0;
	if (kube_client_cached(client))
		return kube_cache_pods(kube_client_cached(client), target, selector, now_ms, list, err);
	do {
		code = pods_path(&path, target, selector, next);
		json_free(page);
		page = NULL;
		if (code)
			code = error_set(err, code, "%s: out of memory", what);
		else
			code = kube_request(client, what, "GET", path.data, NULL, &page, err);
		if (!code && !json_is_array(json_get(page, "items")))
			code = error_set(err, ERR_PARSE, "%s: the answer has no items", what);
		for (const Json *item = code ? NULL : json_first(json_get(page, "items")); item && !code; item = json_next(item))
			if (add_pod(list, item, now_ms))
				code = error_set(err, ERR_NOMEM, "%s: out of memory", what);
		next = code ? "" : json_string_or(page, "metadata.continue", "");
		if (*next && ++pages == PAGES_MAX)
			code = error_set(err, ERR_INVALID, "%s: more than %d pages of pods", what, PAGES_MAX);
	} while (!code && *next);
	if (code)
		list->n = 0;
	json_free(page);
	strbuf_done(&path);
	return code;
}

void pod_list_done(PodList *list)
{
	free(list->pod);
	free(list->name);
	*list = (PodList) { 0 };
}
