/*
 * The cluster's own HorizontalPodAutoscaler as a contender: an autoscaling/v2 object on a Deployment, made for a while.
 */
#ifndef MAESTRO_CLUSTER_HPA_OBJECT_H
#define MAESTRO_CLUSTER_HPA_OBJECT_H

#include "cluster/kube.h"

/* Whether metrics.k8s.io, which a HorizontalPodAutoscaler on cpu needs, is served. ERR_NOT_FOUND: no. */
int hpa_object_check(KubeClient *client, Error *err);
/* On cpu in percent of the request, within the target's bounds; named maestro-evaluate-NAME. One that was left is replaced. */
int hpa_object_create(KubeClient *client, const Target *target, int32_t cpu_pct, Error *err);
/* One that is not there is no error. */
int hpa_object_delete(KubeClient *client, const Target *target, Error *err);

#endif
