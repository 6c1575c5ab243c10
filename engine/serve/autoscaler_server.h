/*
 * What a running autoscaler shows and takes over HTTP: /metrics (CONTROL B.8), /status (its conditions), /v1/snapshot and
 * /v1/decisions for consoles, POST /v1/command for overrides.
 *
 * Commands are taken where a token is asked for, or from this machine (`kubectl port-forward` too); the loop audits and applies them.
 */
#ifndef MAESTRO_SERVE_AUTOSCALER_SERVER_H
#define MAESTRO_SERVE_AUTOSCALER_SERVER_H

#include "base/json.h"
#include "base/telemetry.h"
#include "control/loop.h"
#include "serve/server.h"

typedef struct AutoscalerServerConfig { /* lent for the server's life */
	ServerConfig server;         /* listen, token and TLS */
	Telemetry *telemetry;        /* NULL: none */
	bool is_readonly;            /* takes no command */
} AutoscalerServerConfig;

typedef struct AutoscalerTargets { /* lent for the server's life */
	Loop *const *loops;
	size_t n_loops;
} AutoscalerTargets;

typedef struct AutoscalerServer AutoscalerServer;

/* Serves at once, not ready and without targets, so that a wait for the API is no dead process to whoever probes. */
int autoscaler_server_start(const AutoscalerServerConfig *config, AutoscalerServer **ret_server, Error *err);
/* What it shows from now on; once, before the loops run. ERR_NOMEM. */
int autoscaler_server_show(AutoscalerServer *server, const AutoscalerTargets *targets, Error *err);
int autoscaler_server_port(const AutoscalerServer *server);
/* After each cycle of one of its loops, on the loop's thread. */
void autoscaler_server_cycle(AutoscalerServer *server, const LiveView *view);
/* Before its loops end. Accepts NULL. */
void autoscaler_server_stop(AutoscalerServer *server, int64_t wait_ms);

#endif
