/*
 * What this process asks of others, counted for /metrics (CONTROL B.8): queries, API requests, Events, leadership, reloads.
 * Clients are given one and count into it from whatever thread they run on; every function accepts NULL and then does nothing.
 */
#ifndef MAESTRO_BASE_TELEMETRY_H
#define MAESTRO_BASE_TELEMETRY_H

#include "base/histogram.h"

#include <stdbool.h>
#include <stdint.h>

/* name, metric, help, its labels */
#define TELEMETRY_TABLE(X)                                                                                                     \
	X(QUERIES, "maestro_queries_total", "Questions to a backend for metrics or an action.", "backend", "outcome", NULL)    \
	X(API_REQUESTS, "maestro_api_requests_total", "Requests to the Kubernetes API.", "verb", "resource", "code")           \
	X(EVENTS, "maestro_events_total", "Kubernetes Events told, by what became of them.", "reason", "outcome", NULL)        \
	X(LEADER, "maestro_leader", "Whether this process holds all Leases that it needs.", NULL, NULL, NULL)                  \
	X(LEADER_TRANSITIONS, "maestro_leader_transitions_total", "Times that leadership was won or lost.", NULL, NULL, NULL)  \
	X(LEASE_HELD, "maestro_lease_held", "Whether this process holds the Lease: one for each that it stands for.",          \
	  "lease_namespace", "lease", NULL)                                                                                    \
	X(LEASE_TRANSITIONS, "maestro_lease_transitions_total", "Times that a Lease was won or lost.",                         \
	  "lease_namespace", "lease", NULL)                                                                                    \
	X(MODEL_RELOADS, "maestro_model_reloads_total", "Times that the model's file was read again.", "outcome", NULL, NULL)

typedef enum TelemetryKind {
#define WORD(name, metric, help, a, b, c) TELEMETRY_##name,
	TELEMETRY_TABLE(WORD)
#undef WORD
	TELEMETRY_KINDS
} TelemetryKind;

typedef enum Backend { BACKEND_PROMETHEUS, BACKEND_MODEL, BACKEND_SUGGESTION, BACKENDS } Backend;
/* As the label of /metrics has it. */
const char *backend_text(Backend backend);

typedef struct Telemetry Telemetry;

Telemetry *telemetry_new(void); /* NULL: out of memory, which is as good as none */
void telemetry_free(Telemetry *telemetry);

/* One more of kind under its labels' values; those it has no label for are not read. Past 512 different ones nothing is counted. */
void telemetry_count(Telemetry *telemetry, TelemetryKind kind, const char *a, const char *b, const char *c);
/* A question to a backend: its outcome by an ERR_ code, and how long it took. */
void telemetry_query(Telemetry *telemetry, Backend backend, int code, int64_t us);
/*
 * Whether a Lease is held: LEASE_HELD, and LEADER of all that are needed, which alone are no counters. A change from or to held counts as
 * a transition. is_needed: false of a spare's, which says nothing of leadership.
 */
void telemetry_lead(Telemetry *telemetry, const char *lease_namespace, const char *lease, bool is_needed, bool is_held);

/* For who shows it. */
const Histogram *telemetry_durations(const Telemetry *telemetry, Backend backend);
/* Calls told once a row of kind, in the order of first counting; value holds as many as kind has labels. */
void telemetry_each(Telemetry *telemetry, TelemetryKind kind,
                    void (*told)(void *arg, const char *const *label, const char *const *value, uint64_t n), void *arg);

#endif
