/*
 * VerticalPodAutoscalers that change the cpu requests of a target's pods (CONTROL C): no conflict, since they do not touch replicas,
 * but what a pod can carry moves under the policy and under the HPA rule.
 */
#ifndef MAESTRO_CLUSTER_KUBE_VPA_H
#define MAESTRO_CLUSTER_KUBE_VPA_H

#include "cluster/kube.h"

typedef struct Vpa {
	char name[NAME_MAX_K8S], target[NAME_MAX_K8S], mode[32];
} Vpa;

typedef struct VpaList {
	Vpa *vpa; /* [n] that change cpu requests; owned */
	size_t n;
} VpaList;

/* Those of a namespace, in place of what the list had. Where they cannot be listed (not installed, forbidden) it is emptied, and
 * nothing is said: a warning is all that depends on it. */
void vpa_list_read(VpaList *list, KubeClient *client, const char *namespace_);
/* "VerticalPodAutoscaler shop/web (Auto) changes cpu requests", or "". */
void vpa_list_warn(const VpaList *list, const Target *target, char *text, size_t size);
void vpa_list_done(VpaList *list);

#endif
