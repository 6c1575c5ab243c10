/*
 * What the cluster is told: Events on a target (CONTROL B.6) and the annotation maestro.io/status (B.7), sent by a thread of its own
 * with a client of its own, so that nothing waits for them. A full queue drops the message; an Event that cannot be written
 * never stops scaling.
 */
#ifndef MAESTRO_CLUSTER_HERALD_H
#define MAESTRO_CLUSTER_HERALD_H

#include "cluster/kube.h"

typedef struct Herald Herald;

typedef struct HeraldConfig {
	const KubeConfig *kube;  /* copied from */
	Clock *clock;            /* the machine's; lent */
	KubeBudget *budget;      /* lent; NULL: one of its own */
	Telemetry *telemetry;    /* lent; NULL: nobody counts */
	const char *identity;    /* copied: reportingInstance */
} HeraldConfig;

int herald_start(const HeraldConfig *config, Herald **ret_herald, Error *err);
/* Sends what is queued, for at most 2 s. Accepts NULL. */
void herald_stop(Herald *herald);

/* Any thread, never waits. The same word on the same object within 10 min raises the count of the Event that is there; a target
 * has 25 at once and then one in 5 min. */
void herald_event(Herald *herald, const Target *target, const char *uid, EventWord word, const char *text);
void herald_status(Herald *herald, const Target *target, const char *status_json);

#endif
