/*
 * The Cluster of a real Kubernetes: annotations and managers of the targets, other autoscalers, the lease, Events.
 *
 * look() fills the client's cache by requests of its own where nobody watches (up to some three targets), lists the
 * HorizontalPodAutoscalers and KEDA's ScaledObjects of each namespace, and the targets' own Leases, and finds the targets' owners. What the API does not let us
 * list is said once and is no conflict.
 */
#ifndef MAESTRO_CLUSTER_KUBE_CLUSTER_H
#define MAESTRO_CLUSTER_KUBE_CLUSTER_H

#include "base/actuator.h"
#include "base/cluster.h"
#include "cluster/cache.h"
#include "cluster/herald.h"
#include "cluster/shard.h"

typedef struct KubeClusterConfig { /* all lent for its life */
	KubeClient *client;  /* with a cache; used within look and the floor's calls only */
	Clock *clock;
	Shards *shards;      /* NULL: it leads always */
	Herald *herald;      /* NULL: nothing is told */
	bool is_watched;     /* somebody fills the cache */
	bool drives_floor;   /* the HPA that has the target is meant to be there */
	bool looks_for_claims; /* a target whose own Lease (shard.h) somebody holds is owned by him */
} KubeClusterConfig;

/* Asks nothing yet; what config names is lent. ERR_NOMEM. */
int kube_cluster_new(const KubeClusterConfig *config, Cluster **ret_cluster, Error *err);

/* From now on it leads where shards (lent) are held: for a Lease that begins after the first look. */
void kube_cluster_lead(Cluster *cluster, Shards *shards);

/* `--actuate hpa-floor`: an Actuator that writes spec.minReplicas of the HPA that has the target, conditionally and at most to the
 * HPA's own maximum. The cluster is lent for its life. ERR_NOT_FOUND where no HPA, or more than one, has the target. */
int kube_floor_new(Cluster *cluster, Actuator **ret_actuator, Error *err);

#endif
