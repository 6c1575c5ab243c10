/* Deployments by their labels. */
#ifndef MAESTRO_CLUSTER_KUBE_LIST_H
#define MAESTRO_CLUSTER_KUBE_LIST_H

#include "cluster/kube.h"

/* Calls found once for each Deployment of the namespace that selector picks; what it answers other than 0 ends the list and is the
 * answer. Else errors of kube_request. */
int kube_deployments_list(KubeClient *client, const char *namespace_, const char *selector,
                          int (*found)(void *arg, const char *name), void *arg, Error *err);

#endif
