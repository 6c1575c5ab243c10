/* The faults of one row (chaos.h), as the core sees them. Times are sub-steps. */
#ifndef MAESTRO_SIM_CHAOS_ROW_H
#define MAESTRO_SIM_CHAOS_ROW_H

#include "sim/chaos.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct ChaosFaults { /* of the active ones; only where the configuration has any */
	int32_t until[CHAOS_KINDS];
	float size[CHAOS_KINDS];
} ChaosFaults;

typedef struct Chaos {
	int32_t next;          /* when the next of them ends */
	uint32_t active, seen; /* kinds: now, and since seen was cleared */
	int32_t outage_from, outage_to; /* of the last metrics outage, sub-steps without a scrape: [from, to) */
	int32_t ghosts;        /* pods of a lost node that the control plane counts on, */
	int32_t missed;        /* and sends requests to until then */
	/* what it comes to */
	float speed;           /* of the pods */
	float cpu_share, cpu_extra; /* of the CPU that a pod's cgroup uses: its own part, and what stress takes, in parts of the limit */
	float delay_s, loss;   /* with what there always is */
	float mem_bytes;       /* of a pod */
	float start_scale;
} Chaos;

static inline bool chaos_is_on(const Chaos *chaos, ChaosKind kind)
{
	return chaos->active & 1u << kind;
}

#endif
