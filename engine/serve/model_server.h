/*
 * `maestro model-server`: POST /predict asks one policy file (PRODUCT). The model is swapped whole when its file changes; a bad
 * file leaves the old one in place and is counted.
 */
#ifndef MAESTRO_SERVE_MODEL_SERVER_H
#define MAESTRO_SERVE_MODEL_SERVER_H

#include "base/err.h"
#include "serve/server.h"

typedef struct ModelServerConfig {
	ServerConfig server;  /* listen, threads, token and TLS */
	const char *model;    /* the file; lent */
} ModelServerConfig;

typedef struct ModelServer ModelServer;

/* ERR_BAD_MODEL (which file, and what is wrong), and server_start's. */
int model_server_start(const ModelServerConfig *config, ModelServer **ret_server, Error *err);
int model_server_port(const ModelServer *server);
/* Reads the file anew; on failure the old model goes on serving. One thread. */
int model_server_reload(ModelServer *server, Error *err);
/* Whether the file is another than the one last read, or tried. */
bool model_server_is_changed(const ModelServer *server);
/* Serves what has come for up to wait_ms, and ends. Accepts NULL. */
void model_server_stop(ModelServer *server, int64_t wait_ms);

#endif
