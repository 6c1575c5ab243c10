/*
 * The cluster around a target, besides its load and its scale: who else scales it, what people ask for by annotations, whether
 * this process leads, and where to tell what happened. Kubernetes, a scripted one in the tests; the simulator has none.
 */
#ifndef MAESTRO_BASE_CLUSTER_H
#define MAESTRO_BASE_CLUSTER_H

#include "base/err.h"
#include "base/types.h"

typedef struct TargetFacts {
	int code;                 /* 0, or why the rest is not known: ERR_* */
	char why[160];            /* of code, for a person */
	char uid[64];             /* another one: the Deployment was made anew */
	char owner[160];          /* another autoscaler that has the target: "HorizontalPodAutoscaler shop/web"; "": none */
	bool is_claimed;          /* owner is a process like this one, which holds the target's Lease */
	char warning[192];        /* what else is there that is no conflict, for a person; "" */
	char manager[64];         /* who wrote spec.replicas last, by managedFields; "": not known */
	int64_t changed_ms;       /* wall, when that was; 0: not known */
	bool is_paused;           /* maestro.io/paused */
	bool is_scale_in_paused;  /* maestro.io/paused-scale-in */
	int32_t held_replicas;    /* maestro.io/paused-replicas until paused-until; -1: none */
	int64_t held_until_ms;    /* wall; 0: without an end */
	char trouble[96];         /* an annotation that cannot be read: holds; "": none */
	int32_t min_replicas, max_replicas; /* 0: not annotated */
	double latency_soft_ms, latency_hard_ms, interval_s; /* the same */
	char policy[128];         /* as annotated; "" */
	bool has_queries;         /* maestro.io/queries */
} TargetFacts;

typedef struct Cluster Cluster;
typedef struct ClusterOps {
	const char *name;
	/* Facts of n targets at once, as new as this call; each has its own code. */
	void (*look)(Cluster *cluster, const Target *target, size_t n, TargetFacts *ret_facts);
	/* Whether this process may act on the target now; asked again right before each write. */
	bool (*leads)(Cluster *cluster, const Target *target);
	/* Where it does not lead: whether that is for want of an answer. */
	bool (*is_cut_off)(Cluster *cluster, const Target *target);
	/* An Event on the target. Never waits for the API, never fails: scaling comes first. */
	void (*tell)(Cluster *cluster, const Target *target, EventWord word, const char *text);
	/* The annotation maestro.io/status, where it has changed. The same. */
	void (*show)(Cluster *cluster, const Target *target, const char *status_json);
	void (*free)(Cluster *cluster);
} ClusterOps;

struct Cluster { /* first member of each kind */
	const ClusterOps *ops;
};

/* Accepts NULL. */
void cluster_free(Cluster *cluster);

#endif
