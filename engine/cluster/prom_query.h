/*
 * Instant queries of Prometheus's HTTP API (GET /api/v1/query): a template and a target in, labelled numbers out.
 */
#ifndef MAESTRO_CLUSTER_PROM_QUERY_H
#define MAESTRO_CLUSTER_PROM_QUERY_H

#include "base/endpoint.h"
#include "base/telemetry.h"
#include "base/types.h"

typedef struct PromRow {
	char pod[NAME_MAX_K8S];  /* label "pod"; "" without it */
	char target[NAME_MAX_K8S]; /* label "maestro_target" of a query for many; "" without it */
	char labels[96];         /* all of them, for a person */
	double value;            /* may be NaN or infinite, as Prometheus says it */
} PromRow;

typedef struct PromRows {
	PromRow *row;
	size_t n, size;
} PromRows;

typedef struct PromQuery { /* what a query needs from call to call; zero it, then set endpoint */
	Endpoint *endpoint;      /* lent */
	Telemetry *telemetry;    /* lent; NULL: nobody counts */
	StrBuf target;
	StrBuf form;             /* of a query too long for a URL: sent as a POST; empty: none */
	HttpResponse response;
	bool was_too_much;       /* the last failed for the size of its answer or the work of it: ask for less */
} PromQuery;

/*
 * Fills rows (emptied first, their memory kept) with the answer as of now_ms; a scalar is one row without labels.
 * ERR_UNREACHABLE, ERR_TIMEOUT, ERR_UNAUTHORIZED, ERR_FORBIDDEN and ERR_HTTP (5xx without a reason) mean that nothing
 * can be asked; ERR_INVALID (refused, with Prometheus's reason) and ERR_PARSE (not an answer to a query, with an
 * excerpt) concern this query; ERR_NOMEM.
 */
int prom_query(PromQuery *query, const char *promql, int64_t now_ms, int64_t timeout_ms, PromRows *rows, Error *err);

/*
 * Adds template to promql with $NS and $NAME (the target's), $POD (its name as a regular expression), $RATE and
 * $LATENCY (windows, whole seconds) filled in.
 */
void prom_expand(StrBuf *promql, const char *template, const Target *target, double rate_s, double latency_s);
/* The same with pods for $POD. */
void prom_expand_pods(StrBuf *promql, const char *template, const Target *target, const char *pods, double rate_s, double latency_s);
/* Whether the target's names are such as Kubernetes allows, and so cannot end a string in a query. */
bool prom_can_name(const Target *target);

void prom_query_done(PromQuery *query);
void prom_rows_done(PromRows *rows);

#endif
