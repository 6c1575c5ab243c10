/*
 * `maestro suggestion-server`: GET /suggestion?deployment=NAME&namespace=NS (and /suggest) looks at a Deployment through Prometheus
 * and the Kubernetes API, asks the model server, and answers {"action": ...}; or 503 with {"error": ...} where the metrics or the
 * model cannot be had: never a made-up action.
 *
 * Further parameters take the place of annotations and options: min, max (replicas), soft, hard (ms), price.
 */
#ifndef MAESTRO_SERVE_SUGGESTION_SERVER_H
#define MAESTRO_SERVE_SUGGESTION_SERVER_H

#include "base/clock.h"
#include "base/endpoint.h"
#include "cluster/kubeconfig.h"
#include "cluster/prometheus.h"
#include "serve/server.h"

typedef struct SuggestionServerConfig { /* lent for the server's life */
	ServerConfig server;         /* listen, token and TLS */
	const EndpointConfig *model;
	const KubeConfig *kubeconfig;
	PromConfig prometheus;       /* kube and clock are set here */
	Target defaults;             /* bounds and limits for a Deployment without annotations; max 0: the model's, else 15 */
	Clock *clock;
	int workers;                 /* each with connections of its own; 0: 4 */
} SuggestionServerConfig;

typedef struct SuggestionServer SuggestionServer;

/* Does not ask anybody yet. ERR_*: server_start's, and those of a bad URL or certificate file. */
int suggestion_server_start(const SuggestionServerConfig *config, SuggestionServer **ret_server, Error *err);
int suggestion_server_port(const SuggestionServer *server);
/* Serves what has come for up to wait_ms, and ends. Accepts NULL. */
void suggestion_server_stop(SuggestionServer *server, int64_t wait_ms);

#endif
