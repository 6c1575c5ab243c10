/*
 * Guard rails: what stands between a policy's wish and the cluster (CONTROL B.3). Pure arithmetic, no clock.
 *
 * Each rail can only move the number towards the present one or towards [min, max]; each one that changed the
 * number is named in the guard set.
 */
#ifndef MAESTRO_DECIDE_LIMITS_H
#define MAESTRO_DECIDE_LIMITS_H

#include "base/types.h"

typedef struct LimitsInput {
	int32_t current;   /* spec.replicas */
	int32_t raw;       /* what the policy asks for */
	int32_t min, max;  /* 1 <= min <= max */
	int32_t max_step;  /* largest change in one decision; 0: no such rail */
} LimitsInput;

/* The number to write, and into *ret_guards the set of 1 << GUARD_*. A current number outside [min, max] goes to the
 * nearest bound at once, whatever the policy asks for. */
int32_t limits_apply(const LimitsInput *in, uint32_t *ret_guards);

#endif
