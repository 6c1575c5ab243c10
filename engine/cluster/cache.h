/*
 * What is known of the Deployments and pods that are watched or polled: a client that has a cache reads from it, so that a cycle
 * over many targets costs no requests. One writer at a time (the poller or the watch), any number of readers; each call locks.
 */
#ifndef MAESTRO_CLUSTER_CACHE_H
#define MAESTRO_CLUSTER_CACHE_H

#include "cluster/kube.h"

typedef struct KubeCache KubeCache;
/* Empty. ERR_NOMEM. */
int kube_cache_new(KubeCache **ret_cache, Error *err);
void kube_cache_free(KubeCache *cache); /* accepts NULL */

/* From now on a watch fills it; else it is polled. */
void kube_cache_watched(KubeCache *cache);

typedef enum CacheKind { CACHE_DEPLOYMENTS, CACHE_PODS, CACHE_KINDS } CacheKind;

/* ---- writing ---- */

/* Takes an object of the API in; one that is not whole is left out. ERR_NOMEM. */
int kube_cache_put(KubeCache *cache, CacheKind kind, const char *namespace_, const Json *object);
void kube_cache_drop(KubeCache *cache, CacheKind kind, const char *namespace_, const char *name);
/* A list: what of the kind in the namespace is not put between the two is dropped at the end. */
void kube_cache_list_begin(KubeCache *cache, CacheKind kind, const char *namespace_);
void kube_cache_list_end(KubeCache *cache, CacheKind kind, const char *namespace_);
/* 0: a namespace's objects of a kind are whole and present. Else why they cannot be relied on; each reader gets it. */
void kube_cache_state(KubeCache *cache, CacheKind kind, const char *namespace_, int code, const char *why);
/* A scale that was just written: the Deployment is so from now on. Under a watch, what was sent before the write is passed over
 * until the write itself comes. */
void kube_cache_scaled(KubeCache *cache, const Target *target, int32_t replicas, const char *resource_version);

/* ---- reading; errors as of the requests that they stand for ---- */

/* Copies it. ERR_NOT_FOUND, and what kube_cache_state was told. */
int kube_cache_deployment(KubeCache *cache, const Target *target, KubeDeployment *ret, Error *err);
/* Fills the list with the pods that the selector picks, their ages as of now_ms (wall). */
int kube_cache_pods(KubeCache *cache, const Target *target, const char *selector, int64_t now_ms, PodList *list, Error *err);

#endif
