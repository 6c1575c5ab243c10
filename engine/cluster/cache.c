/*
 * See cache.h. Objects are parsed once, when they come, into what is asked of them; a sorted array a kind holds them by
 * "namespace/name".
 */
#include "cluster/cache.h"

#include "base/mem.h"
#include "cluster/label_index.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY = NAMESPACE_MAX + NAME_MAX_K8S, SCOPES_MAX = 256, PASSED_MAX = 20 };

typedef struct Entry {
	char *key;               /* "namespace/name" */
	uint32_t generation;     /* of the list that it was last in */
	KubeDeployment *deployment;
	int code;                /* why the object is not whole */
	char why[160];
	char awaited[64];        /* resourceVersion of a write that the watch has yet to bring; "": none */
	int32_t passed;          /* events passed over meanwhile */
	KubePod *pod;
	char *labels;            /* "k=v\n"... of a pod */
} Entry;

typedef struct Scope { /* a kind in a namespace */
	char namespace_[NAMESPACE_MAX];
	int code;
	char why[160];
} Scope;

typedef struct Shelf {
	Entry *entry;            /* [n] sorted by key */
	size_t n, size;
	Scope scope[SCOPES_MAX];
	size_t n_scopes;
	LabelIndex index;        /* of pods, by namespace and label */
	bool is_indexed;         /* the index is of the entries as they are */
} Shelf;

struct KubeCache {
	pthread_mutex_t lock;
	Shelf shelf[CACHE_KINDS];
	uint32_t generation;
	bool is_watched;
};

int kube_cache_new(KubeCache **ret_cache, Error *err)
{
	KubeCache *cache = calloc(1, sizeof *cache);
	if (!cache)
		return error_set(err, ERR_NOMEM, "out of memory");
	(void) pthread_mutex_init(&cache->lock, NULL);
	*ret_cache = cache;
	return 0;
}

void kube_cache_watched(KubeCache *cache)
{
	cache->is_watched = true;
}

static void entry_done(Entry *entry)
{
	free(entry->key);
	free(entry->deployment);
	free(entry->pod);
	free(entry->labels);
}

void kube_cache_free(KubeCache *cache)
{
	if (!cache)
		return;
	for (int k = 0; k < CACHE_KINDS; k++) {
		for (size_t i = 0; i < cache->shelf[k].n; i++)
			entry_done(&cache->shelf[k].entry[i]);
		free(cache->shelf[k].entry);
		label_index_done(&cache->shelf[k].index);
	}
	(void) pthread_mutex_destroy(&cache->lock);
	free(cache);
}

/* ---- places ---- */

/* The place of key, or where it would go. */
static size_t place_of(const Shelf *shelf, const char *key, bool *ret_found)
{
	size_t lo = 0, hi = shelf->n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (strcmp(shelf->entry[mid].key, key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	*ret_found = lo < shelf->n && !strcmp(shelf->entry[lo].key, key);
	return lo;
}

static Entry *find(Shelf *shelf, const char *namespace_, const char *name)
{
	char key[KEY];
	bool found;
	(void) snprintf(key, sizeof key, "%s/%s", namespace_, name);
	size_t at = place_of(shelf, key, &found);
	return found ? &shelf->entry[at] : NULL;
}

/* The entry of that name, made where there is none. NULL: out of memory. */
static Entry *ensure(Shelf *shelf, const char *namespace_, const char *name)
{
	char key[KEY];
	bool found;
	(void) snprintf(key, sizeof key, "%s/%s", namespace_, name);
	size_t at = place_of(shelf, key, &found);
	if (found)
		return &shelf->entry[at];
	Entry *entry = mem_room(shelf->entry, shelf->n, &shelf->size, sizeof *entry);
	if (!entry)
		return NULL;
	shelf->entry = entry;
	char *copy = strdup(key);
	if (!copy)
		return NULL;
	memmove(shelf->entry + at + 1, shelf->entry + at, (shelf->n - at) * sizeof *shelf->entry);
	shelf->entry[at] = (Entry) { .key = copy };
	shelf->n++;
	shelf->is_indexed = false;
	return &shelf->entry[at];
}

static void remove_at(Shelf *shelf, size_t at)
{
	entry_done(&shelf->entry[at]);
	memmove(shelf->entry + at, shelf->entry + at + 1, (shelf->n - at - 1) * sizeof *shelf->entry);
	shelf->n--;
	shelf->is_indexed = false;
}

static bool is_in(const Entry *entry, const char *namespace_)
{
	size_t len = strlen(namespace_);
	return !strncmp(entry->key, namespace_, len) && entry->key[len] == '/';
}

/* ---- writing ---- */

static char *labels_of(const Json *object)
{
	StrBuf text = { 0 };
	strbuf_addf(&text, "%s", "");
	for (const Json *label = json_first(json_get(object, "metadata.labels")); label; label = json_next(label))
		strbuf_addf(&text, "%s=%s\n", json_key(label), json_string(label) ? json_string(label) : "");
	if (!text.failed)
		return text.data;
	strbuf_done(&text);
	return NULL;
}

static int put_deployment(Entry *entry, const char *namespace_, const char *name, const Json *object)
{
	Target target = { 0 };
	Error err = { 0 };
	KubeDeployment parsed;
	if (entry->awaited[0] && strcmp(entry->awaited, json_string_or(object, "metadata.resourceVersion", "")) &&
	    ++entry->passed < PASSED_MAX)
		return 0;
	entry->awaited[0] = '\0';
	str_copy(target.namespace_, sizeof target.namespace_, namespace_);
	str_copy(target.name, sizeof target.name, name);
	entry->code = kube_deployment_parse(object, &target, &parsed, &err);
	str_copy(entry->why, sizeof entry->why, entry->code ? err.text : "");
	if (entry->code)
		return 0;
	if (!entry->deployment && !(entry->deployment = malloc(sizeof parsed)))
		return ERR_NOMEM;
	*entry->deployment = parsed;
	return 0;
}

static int put_pod(Shelf *shelf, Entry *entry, const Json *object)
{
	char *labels = labels_of(object);
	KubePod *pod = entry->pod ? entry->pod : labels ? malloc(sizeof *pod) : NULL;
	if (!labels || !pod) {
		free(labels);
		return ERR_NOMEM;
	}
	entry->pod = pod;
	kube_pod_parse(object, entry->pod);
	shelf->is_indexed = shelf->is_indexed && entry->labels && !strcmp(entry->labels, labels);
	free(entry->labels);
	entry->labels = labels;
	return 0;
}

int kube_cache_put(KubeCache *cache, CacheKind kind, const char *namespace_, const Json *object)
{
	const char *name = json_string_or(object, "metadata.name", "");
	if (!*name)
		return 0;
	(void) pthread_mutex_lock(&cache->lock);
	Shelf *shelf = &cache->shelf[kind];
	Entry *entry = ensure(shelf, namespace_, name);
	int code = !entry ? ERR_NOMEM : kind == CACHE_PODS ? put_pod(shelf, entry, object) : put_deployment(entry, namespace_, name, object);
	if (entry && code && !entry->pod && !entry->deployment) /* half an entry is none */
		remove_at(shelf, (size_t) (entry - shelf->entry));
	else if (entry)
		entry->generation = cache->generation;
	(void) pthread_mutex_unlock(&cache->lock);
	return code;
}

void kube_cache_drop(KubeCache *cache, CacheKind kind, const char *namespace_, const char *name)
{
	(void) pthread_mutex_lock(&cache->lock);
	Entry *entry = find(&cache->shelf[kind], namespace_, name);
	if (entry)
		remove_at(&cache->shelf[kind], (size_t) (entry - cache->shelf[kind].entry));
	(void) pthread_mutex_unlock(&cache->lock);
}

void kube_cache_list_begin(KubeCache *cache, CacheKind kind, const char *namespace_)
{
	(void) pthread_mutex_lock(&cache->lock);
	cache->generation++;
	for (size_t i = 0; i < cache->shelf[kind].n; i++) /* a list has the newest */
		if (is_in(&cache->shelf[kind].entry[i], namespace_))
			cache->shelf[kind].entry[i].awaited[0] = '\0';
	(void) pthread_mutex_unlock(&cache->lock);
}

void kube_cache_list_end(KubeCache *cache, CacheKind kind, const char *namespace_)
{
	(void) pthread_mutex_lock(&cache->lock);
	Shelf *shelf = &cache->shelf[kind];
	for (size_t i = shelf->n; i > 0; i--)
		if (is_in(&shelf->entry[i - 1], namespace_) && shelf->entry[i - 1].generation != cache->generation)
			remove_at(shelf, i - 1);
	(void) pthread_mutex_unlock(&cache->lock);
}

/* NULL: there is none, and no room for one. */
static Scope *scope_of(Shelf *shelf, const char *namespace_, bool makes)
{
	for (size_t i = 0; i < shelf->n_scopes; i++)
		if (!strcmp(shelf->scope[i].namespace_, namespace_))
			return &shelf->scope[i];
	if (!makes || shelf->n_scopes == SCOPES_MAX)
		return NULL;
	Scope *scope = &shelf->scope[shelf->n_scopes++];
	*scope = (Scope) { 0 };
	str_copy(scope->namespace_, sizeof scope->namespace_, namespace_);
	return scope;
}

void kube_cache_state(KubeCache *cache, CacheKind kind, const char *namespace_, int code, const char *why)
{
	(void) pthread_mutex_lock(&cache->lock);
	Scope *scope = scope_of(&cache->shelf[kind], namespace_, true);
	if (scope) {
		scope->code = code;
		str_copy(scope->why, sizeof scope->why, code ? why : "");
	}
	(void) pthread_mutex_unlock(&cache->lock);
}

void kube_cache_scaled(KubeCache *cache, const Target *target, int32_t replicas, const char *resource_version)
{
	(void) pthread_mutex_lock(&cache->lock);
	Entry *entry = find(&cache->shelf[CACHE_DEPLOYMENTS], target->namespace_, target->name);
	if (entry && entry->deployment) {
		entry->deployment->replicas = replicas;
		str_copy(entry->deployment->resource_version, sizeof entry->deployment->resource_version, resource_version);
		str_copy(entry->awaited, sizeof entry->awaited, cache->is_watched ? resource_version : "");
		entry->passed = 0;
	}
	(void) pthread_mutex_unlock(&cache->lock);
}

/* ---- reading ---- */

static int check_scope(Shelf *shelf, const Target *target, const char *what, Error *err)
{
	const Scope *scope = scope_of(shelf, target->namespace_, false);
	if (!scope)
		return error_set(err, ERR_NO_DATA, "deployment %s/%s: %s: not listed yet", target->namespace_, target->name, what);
	return scope->code ? error_set(err, scope->code, "deployment %s/%s: %s: %s", target->namespace_, target->name, what, scope->why)
	                   : 0;
}

int kube_cache_deployment(KubeCache *cache, const Target *target, KubeDeployment *ret, Error *err)
{
	(void) pthread_mutex_lock(&cache->lock);
	Shelf *shelf = &cache->shelf[CACHE_DEPLOYMENTS];
	int code = check_scope(shelf, target, "the object", err);
	const Entry *entry = code ? NULL : find(shelf, target->namespace_, target->name);
	if (!code && !entry)
		code = error_set(err, ERR_NOT_FOUND, "deployment %s/%s: not found", target->namespace_, target->name);
	if (!code && entry->code)
		code = error_set(err, entry->code, "%s", entry->why);
	if (!code)
		*ret = *entry->deployment;
	(void) pthread_mutex_unlock(&cache->lock);
	return code;
}

static int add_if_selected(const Entry *entry, const char *selector, int64_t now_ms, PodList *list)
{
	return kube_selects(selector, entry->labels) ? pod_list_add(list, entry->pod, now_ms) : 0;
}

/* All pods of the namespace, one by one: for a selector that no label's index helps with. */
static int add_all(const Shelf *shelf, const char *namespace_, const char *selector, int64_t now_ms, PodList *list)
{
	char from[NAMESPACE_MAX + 1];
	bool found;
	int code = 0;
	(void) snprintf(from, sizeof from, "%s/", namespace_);
	for (size_t i = place_of(shelf, from, &found); i < shelf->n && !code && is_in(&shelf->entry[i], namespace_); i++)
		code = add_if_selected(&shelf->entry[i], selector, now_ms, list);
	return code;
}

static void index_pods(Shelf *shelf)
{
	if (shelf->is_indexed)
		return;
	int code = 0;
	label_index_clear(&shelf->index);
	for (size_t i = 0; i < shelf->n && !code; i++)
		code = label_index_add(&shelf->index, shelf->entry[i].key, strcspn(shelf->entry[i].key, "/"), shelf->entry[i].labels, i);
	label_index_sort(&shelf->index);
	shelf->is_indexed = !code;
}

/* In the order of names. Thousands of targets in a namespace ask for a few of its pods each. */
static int add_selected(Shelf *shelf, const char *namespace_, const char *selector, int64_t now_ms, PodList *list)
{
	const LabelPlace *place = NULL;
	size_t n = 0;
	int code = 0;
	index_pods(shelf);
	if (!shelf->is_indexed || !label_index_find(&shelf->index, namespace_, selector, &place, &n))
		return add_all(shelf, namespace_, selector, now_ms, list);
	for (size_t i = 0; i < n && !code; i++)
		if (is_in(&shelf->entry[place[i].at], namespace_)) /* a hash may be another's too */
			code = add_if_selected(&shelf->entry[place[i].at], selector, now_ms, list);
	return code;
}

int kube_cache_pods(KubeCache *cache, const Target *target, const char *selector, int64_t now_ms, PodList *list, Error *err)
{
	list->n = 0;
	list->ready = 0;
	(void) pthread_mutex_lock(&cache->lock);
	Shelf *shelf = &cache->shelf[CACHE_PODS];
	int code = check_scope(shelf, target, "list of pods", err);
	if (!code && add_selected(shelf, target->namespace_, selector, now_ms, list))
		code = error_set(err, ERR_NOMEM, "out of memory");
	(void) pthread_mutex_unlock(&cache->lock);
	if (code)
		list->n = 0;
	return code;
}
