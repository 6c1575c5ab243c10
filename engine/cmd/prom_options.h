/* How to ask Prometheus: options that several commands share. */
#ifndef MAESTRO_CMD_PROM_OPTIONS_H
#define MAESTRO_CMD_PROM_OPTIONS_H

#include "cluster/prometheus.h"
#include "cmd/opts.h"

typedef struct PromOptions {
	const char *url, *latency_url, *queries, *token_file, *user, *password_file, *ca, *cert, *key;
	OptList header;
} PromOptions;

#define PROM_OPTION(type, name, kind, field, arg, help) \
	{ name, 0, kind, offsetof(type, field), 0, 0, arg, help, false }
/* Rows of an option table whose struct holds a PromOptions named prom. */
#define PROM_OPTIONS(type) PROM_OPTIONS_IN(type, prom)
/* The same, of one that lies deeper: "run.prom". */
#define PROM_OPTIONS_IN(type, prom) \
	PROM_OPTION(type, "prometheus", OPT_STRING, prom.url, "URL", "of the Prometheus that scrapes the targets (PROMETHEUS_URL)"), \
	PROM_OPTION(type, "latency-prometheus", OPT_STRING, prom.latency_url, "URL", "of another one that has the latency"), \
	PROM_OPTION(type, "queries", OPT_STRING, prom.queries, "FILE|PRESET", "istio, nginx-ingress, linkerd, generic, or a YAML file (istio)"), \
	PROM_OPTION(type, "prometheus-token-file", OPT_STRING, prom.token_file, "FILE", "bearer token for it"), \
	PROM_OPTION(type, "prometheus-user", OPT_STRING, prom.user, "NAME", "for basic authentication"), \
	PROM_OPTION(type, "prometheus-password-file", OPT_STRING, prom.password_file, "FILE", "the same"), \
	PROM_OPTION(type, "prometheus-ca", OPT_STRING, prom.ca, "FILE", "authority of its certificate, instead of the system's"), \
	PROM_OPTION(type, "prometheus-cert", OPT_STRING, prom.cert, "FILE", "client certificate for it"), \
	PROM_OPTION(type, "prometheus-key", OPT_STRING, prom.key, "FILE", "and its key"), \
	PROM_OPTION(type, "prometheus-header", OPT_LIST, prom.header, "LINE", "\"X-Scope-OrgID: team\"; may be given several times")

/* Fills url, latency_url, access and queries; the rest has its defaults. */
PromConfig prom_options_config(const PromOptions *options);

#endif
