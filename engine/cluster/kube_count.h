/* Requests to the Kubernetes API, counted. */
#ifndef MAESTRO_CLUSTER_KUBE_COUNT_H
#define MAESTRO_CLUSTER_KUBE_COUNT_H

#include "base/telemetry.h"

/* One request: verb "get", resource "deployments/scale" of the path, code "200" or "none" where there was no answer. */
void kube_count(Telemetry *telemetry, const char *method, const char *path, int status);

#endif
