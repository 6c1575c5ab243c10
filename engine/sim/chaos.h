/*
 * Faults that happen to a simulated service (SIM section 6, CONTROL F.7): by chance while training, by plan in a test. They act
 * on both levels alike. Nothing of them is in the observation but what a cluster would show.
 */
#ifndef MAESTRO_SIM_CHAOS_H
#define MAESTRO_SIM_CHAOS_H

#include "base/err.h"

typedef enum ChaosKind {   /* bits of EnvInfo.chaos: append only */
	CHAOS_CPU_STRESS,      /* in every pod; size: of what the pod has, 1 leaves it a half */
	CHAOS_MEMORY_STRESS,   /* in every pod; size: MiB */
	CHAOS_POD_KILL,        /* size: pods */
	CHAOS_ALL_KILLED,
	CHAOS_NODE_LOST,       /* its pods are gone at once, missed after 40 s, replaced after the fault's duration more */
	CHAOS_NETWORK_DELAY,   /* size: s a request */
	CHAOS_NETWORK_LOSS,    /* size: part of the requests that lose a packet, sent again after 200 ms */
	CHAOS_METRICS_OUTAGE,  /* nothing is scraped */
	CHAOS_API_REFUSED,     /* scale writes fail */
	CHAOS_SLOW_START,      /* size: times as long, of pods created meanwhile */
	CHAOS_NEIGHBOUR,       /* others on the nodes; size: part of the pods' speed that they take */
	CHAOS_KINDS,
} ChaosKind;

typedef struct ChaosPlan { /* one fault of a test, once or again and again */
	ChaosKind kind;
	double at_s, every_s;  /* after the episode's start; every_s 0: once */
	double for_s, size;
} ChaosPlan;

enum { CHAOS_PLANS = 8, CHAOS_TEXT = 64 };

/* "pod-kill", "cpu-stress:at=10m,every=15m,for=270s,size=1": what is left out is the kind's own. ERR_USAGE. */
int chaos_parse(const char *spec, ChaosPlan *ret_plan, Error *err);
/* What chaos_parse reads back as the same fault now: "cpu-stress:for=270,size=1". text holds CHAOS_TEXT bytes. */
char *chaos_text(const ChaosPlan *fault, char *text);
/* "pod-kill" and so on; lent for ever. */
const char *chaos_name(ChaosKind kind);

#endif
