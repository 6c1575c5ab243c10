/* What the commands that serve HTTP have in common: options, signals, the wait for the end. */
#ifndef MAESTRO_CMD_SERVING_H
#define MAESTRO_CMD_SERVING_H

#include "serve/server.h"

typedef struct ServingOptions {
	const char *listen, *token_file, *tls_cert, *tls_key;
} ServingOptions;

/* Rows of an option table whose struct holds a ServingOptions named serving. */
#define SERVING_OPTIONS(type, listen_help) \
	{ "listen", 0, OPT_STRING, offsetof(type, serving.listen), 0, 0, "HOST:PORT", listen_help, false }, \
	{ "token-file", 0, OPT_STRING, offsetof(type, serving.token_file), 0, 0, "FILE", \
	  "ask for the bearer token that it holds, except of probes", false }, \
	{ "tls-cert", 0, OPT_STRING, offsetof(type, serving.tls_cert), 0, 0, "FILE", "serve TLS with this PEM chain", false }, \
	{ "tls-key", 0, OPT_STRING, offsetof(type, serving.tls_key), 0, 0, "FILE", "and this key", false }

ServerConfig serving_config(const ServingOptions *options);
/* "maestro: COMMAND: listening on HOST:PORT MORE" on stderr, with the port that was given for port 0. */
void serving_announce(const char *command, const ServingOptions *options, int port, const char *more);

/* From now on SIGTERM, SIGINT and SIGHUP are noted instead of ending the process. */
void serving_catch_signals(void);
/* Waits for one of them, < 0: without limit; 0 when none came. */
int serving_wait(int64_t wait_ms);

#endif
