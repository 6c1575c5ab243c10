/*
 * Leader election by a Lease of coordination.k8s.io/v1 (CONTROL C), on a thread of its own.
 *
 * A candidate measures expiry by its own monotonic clock from when it last saw the record change, never by the time inside. Every
 * write is conditional. A lease is no lock: a process that was stopped and wakes up late is told so by lease_is_held, which
 * compares the clock at each call, so it is asked right before each write of a scale.
 *
 * A spare holds a lease only while the one it belongs to is away: it takes a free one no sooner than an abandoned one, and gives it
 * back to who asks for it by the annotation maestro.io/wanted-by, as every other candidate does.
 */
#ifndef MAESTRO_CLUSTER_LEASE_H
#define MAESTRO_CLUSTER_LEASE_H

#include "cluster/kube.h"

typedef struct LeaseConfig {
	const KubeConfig *kube;  /* copied from */
	Clock *clock;            /* the machine's; lent */
	const char *namespace_, *name; /* copied; "maestro-autoscaler" */
	const char *identity;    /* copied; lease_identity() */
	int64_t duration_ms, renew_ms, retry_ms; /* 15, 10 and 2 s */
	bool is_spare;           /* it belongs to somebody else */
	bool is_waived;          /* an API that has no such thing (404 on creating it) is as good as one that gave it */
	const char *instead;     /* copied; what to do without it, said where the account may not have it; NULL: nothing */
	Telemetry *telemetry;    /* lent; NULL: nobody counts */
	void (*on_change)(void *arg, bool is_held); /* on the lease's thread; may be NULL */
	bool (*may_hold)(void *arg); /* the same, at each attempt: false leaves it, or gives it back; NULL: always true */
	void *arg;               /* of both */
} LeaseConfig;

/* Durations and name of the specification. */
void lease_config_default(LeaseConfig *config);
/* "hostname_uuid", another one at each call. */
void lease_identity(char *text, size_t size);

typedef struct Lease Lease;
int lease_start(const LeaseConfig *config, Lease **ret_lease, Error *err);
/* Ends the election and gives the lease back if it is held: holder "", duration 1. It is not held any more; once is enough. */
void lease_release(Lease *lease);
/* The same, and frees it. Accepts NULL. */
void lease_stop(Lease *lease);

/* Any thread. True until the renew deadline after the last renewal that the API confirmed. */
bool lease_is_held(Lease *lease);
/* Whether the last attempt failed otherwise than by another's win. */
bool lease_is_failing(Lease *lease);
/* Who holds it, as last seen: "" nobody, or one who has been silent for its duration; "?" it was not seen yet. */
void lease_holder(Lease *lease, char *text, size_t size);

#endif
