/* The Prometheus source of samples over a scripted server, which answers for the Kubernetes API too. */
#ifndef MAESTRO_TESTS_PROM_SOURCE_H
#define MAESTRO_TESTS_PROM_SOURCE_H

#include "base/clock.h"
#include "cluster/prometheus.h"
#include "http_server.h"

typedef struct PromSource {
	FakeServer *server;
	Clock clock;
	KubeConfig kube_config;
	KubeClient *kube;
	Metrics *metrics;
} PromSource;

/* Prometheus's URL is the server's with `below` behind it. Aborts where anything fails. */
void prom_source_begin(PromSource *source, FakeHandler *handler, void *context, const char *below);
void prom_source_end(PromSource *source);

#endif
