/*
 * The nouns that every room shares: a target, what was measured of it, what the policy sees, what was decided.
 *
 * One unit a quantity inside the engine: int64_t milliseconds for time stamps, seconds for intervals, bytes, cores,
 * requests a second. Conversion happens once, at the edge that reads or prints.
 */
#ifndef MAESTRO_BASE_TYPES_H
#define MAESTRO_BASE_TYPES_H

#include "base/words.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	NAMESPACE_MAX = 64, /* RFC 1123 label: 63 and the NUL */
	NAME_MAX_K8S = 254, /* RFC 1123 subdomain: 253 and the NUL */
	OBS_MAX = 64,       /* longest observation vector */
	ACTIONS_MAX = 8,
};

/* Actions of the three-action policies; the words of the contract's JSON. */
enum { ACTION_NONE = -1, ACTION_DOWN = 0, ACTION_KEEP = 1, ACTION_UP = 2, ACTION_COUNT = 3 };
/* What a net chooses from (decide/actions.h). */
typedef enum ActionSet { ACTIONS_THREE, ACTIONS_WIDE, ACTION_SETS } ActionSet;

typedef struct Target {
	char namespace_[NAMESPACE_MAX];
	char name[NAME_MAX_K8S];  /* of the Deployment */
	int32_t min_replicas;     /* >= 1 */
	int32_t max_replicas;
	float latency_soft_ms;    /* <= 0: off */
	float latency_hard_ms;    /* <= 0: off */
	float pod_capacity_rps;   /* of one pod at the soft limit, by its service model; 0: not known */
	float startup_s;          /* of a pod, p90; 0: not known */
	float pod_price;          /* what a policy that asks for it should think a pod costs (CONTROL F.4 a); 0: the model's own */
} Target;

/* "namespace/name". */
void target_full_name(const Target *target, char *text, size_t size);

/* A pod as the HPA rule sees it (CONTROL A.2). */
typedef enum PodPhase { POD_PENDING, POD_RUNNING, POD_SUCCEEDED, POD_FAILED, POD_UNKNOWN } PodPhase;
typedef enum PodReady { READY_FALSE, READY_TRUE, READY_UNKNOWN, READY_ABSENT } PodReady;
typedef struct PodSample {
	PodPhase phase;
	PodReady ready;
	bool is_deleting;
	bool has_start_time;
	bool has_request;
	bool has_usage;
	int64_t start_age_ms;  /* since status.startTime */
	int64_t ready_age_ms;  /* since the last transition of Ready */
	int64_t request_m;     /* milli-units: of a core, or of a byte */
	int64_t usage_m;
	int64_t sample_age_ms; /* of the usage */
	int64_t window_ms;     /* over which the usage was taken */
} PodSample;

/* Which of a Sample's values are there. A missing value is missing: it is never 0. */
enum {
	SAMPLE_CPU = 1 << 0,
	SAMPLE_MEM = 1 << 1,
	SAMPLE_LATENCY = 1 << 2,
	SAMPLE_RPS = 1 << 3,
	SAMPLE_REPLICAS = 1 << 4,
	SAMPLE_ALL = (1 << 5) - 1,
	SAMPLE_FIELDS = 5, /* bits above, and the length of age_ms */
};

typedef struct Sample {
	int64_t wall_ms;               /* when it was taken */
	uint32_t valid;                /* SAMPLE_* bits */
	uint32_t stale;                /* SAMPLE_* bits that are not valid because what is known of them is too old */
	int64_t age_ms[SAMPLE_FIELDS]; /* of each value at wall_ms, in the order of the bits; 0 where not known */
	double cpu_cores;              /* sum over the pods, by rate() over the metric window */
	double mem_bytes;              /* sum of the working sets */
	double latency_ms;             /* p95 by histogram_quantile() */
	double rps;
	int32_t replicas;              /* spec.replicas */
	int32_t ready;                 /* pods that are ready */
	double cpu_request_cores;      /* of one pod; 0: not known */
	double mem_limit_bytes;        /* of one pod; 0: not known */
	int64_t coming_age_ms;         /* of the oldest pod that is not ready, where the pods are not listed; 0: none */
	const PodSample *pods;         /* lent by the Metrics source until its next fetch; NULL where not listed */
	size_t n_pods;
	const char (*pod_name)[NAME_MAX_K8S]; /* [n_pods] lent likewise; NULL: they have none */
	char missing[256];             /* what is not there and why, for a person; "" when all is */
} Sample;

typedef struct Observation {
	float x[OBS_MAX];
	int32_t dim;
	uint32_t mask;        /* bit a set: action a is allowed; 0 stands for all */
	const Target *target; /* lent */
	const Sample *sample; /* lent: rules read it instead of x */
} Observation;

/* What a model's inputs were in training, feature by feature. */
typedef struct ObsStats {
	int32_t dim; /* 0: not known */
	float mean[OBS_MAX], var[OBS_MAX], min[OBS_MAX], max[OBS_MAX];
} ObsStats;

typedef struct Decision {
	int32_t action;               /* ACTION_*; ACTION_NONE where nothing was decided */
	int32_t n_actions;            /* of probability; 0: the policy has none */
	bool is_wide;                 /* raw may be several pods off: the policy's actions are */
	float probability[ACTIONS_MAX];
	float value;                  /* the critic's; NAN: none */
	int32_t raw;                  /* replicas that the policy asks for */
	int32_t proposal;             /* a rule's on present data alone, before its window, at least 1; 0: not said */
	int32_t desired;              /* after the guard rails */
	int32_t hpa;                  /* what the HPA rule would set; -1: not known */
	uint32_t guards;              /* bit g set: GUARD_g changed the number */
	TargetState state;
	Reason reason;
	bool is_applied;              /* the write succeeded */
	char detail[192];              /* for a person, behind the reason */
} Decision;

#endif
