/*
 * What decides: a PPO net, the HPA rule, a fixed rule, a scripted one in the tests.
 *
 * decide fills action, probability, value, raw and reason of each Decision; the guard rails and the rest are the
 * loop's. A policy that cannot decide says so (ERR_NO_DATA, ERR_BAD_MODEL, ERR_NONFINITE): it never makes up an
 * action.
 */
#ifndef MAESTRO_BASE_POLICY_H
#define MAESTRO_BASE_POLICY_H

#include "base/types.h"

typedef struct Policy Policy;
typedef struct PolicyOps {
	const char *name; /* "model", "hpa", "static" */
	/* n observations at once. One thread at a time. No allocation. */
	int (*decide)(Policy *policy, const Observation *obs, size_t n, Decision *ret_decision);
	void (*reset)(Policy *policy); /* optional: forgets what it remembers of the past, for a new episode */
	void (*free)(Policy *policy);
	/* Optional, from any thread: a policy of its own that decides as this one does now, without a memory of the past, to be
	 * asked apart from it. NULL: out of memory. */
	Policy *(*copy)(Policy *policy);
	/* Optional: what input i ranged over in training; false: not known. */
	bool (*range)(const Policy *policy, int32_t i, float *ret_lo, float *ret_hi);
} PolicyOps;

struct Policy { /* first member of each kind */
	const PolicyOps *ops;
	char label[64];      /* as given on the command line, or the model's file name */
	float interval_s;    /* at which it wants to decide, from a model's header; 0: any */
	int32_t obs_version; /* 1: seed, 2: trend; 0: reads the sample, not the vector */
	int32_t obs_stack;   /* of trend */
	float pod_price;     /* that it is asked at where nobody says another; 0: it has no such input */
	char trouble[160];   /* why its last decide failed, where it knows more than the code says; else "" */
	ActionSet actions;   /* that it chooses from, where it has probabilities */
	bool has_rails;      /* the guard rails were its mask in training, so they are in serving */
	char sha256[65];     /* of the model's file, as of the last decide; "": no model, or not known */
	char outside[32];    /* the input that its last decide found unlike its training, where it knows and the caller cannot; "" */
	const ObsStats *trained_on; /* its inputs in training; NULL: not known, or no model */
};

/* Accepts NULL. */
void policy_free(Policy *policy);

#endif
