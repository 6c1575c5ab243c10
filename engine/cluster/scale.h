/*
 * The Actuator of a real cluster: a Deployment's scale subresource, GET and PUT with its resourceVersion.
 */
#ifndef MAESTRO_CLUSTER_SCALE_H
#define MAESTRO_CLUSTER_SCALE_H

#include "base/actuator.h"
#include "cluster/kube.h"

/* The client is lent for the actuator's life, and used by one thread at a time. ERR_NOMEM. */
int kube_actuator_new(KubeClient *client, Actuator **ret_actuator, Error *err);

#endif
