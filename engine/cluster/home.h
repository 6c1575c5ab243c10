/*
 * The number of replicas that a Deployment had before it was trained on, kept on the Deployment itself (annotation
 * maestro.io/training-replicas): whoever ends the training puts it back, and where nobody could, whoever trains there next.
 */
#ifndef MAESTRO_CLUSTER_HOME_H
#define MAESTRO_CLUSTER_HOME_H

#include "cluster/kube.h"

/* Reads the number that stands there, or else writes the present one. *ret_was_left: it was there, so somebody was ended before they
 * could put it back. Those of kube_request. */
int home_note(KubeClient *client, const Target *target, int32_t *ret_replicas, bool *ret_was_left, Error *err);
/* Sets the replicas, whatever they are; tries again where somebody else writes at the same time. */
int home_set(KubeClient *client, const Target *target, int32_t replicas, Error *err);
/* The same, and takes the annotation away. A Deployment that is gone is no error. */
int home_return(KubeClient *client, const Target *target, int32_t replicas, Error *err);

#endif
