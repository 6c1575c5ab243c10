/* A number of replicas that never changes: the simplest baseline. */
#ifndef MAESTRO_DECIDE_FIXED_H
#define MAESTRO_DECIDE_FIXED_H

#include "base/err.h"
#include "base/policy.h"

/* Asks for `replicas` (>= 1) whatever it sees; label "static:N". ERR_INVALID, ERR_NOMEM. */
int fixed_policy_new(int32_t replicas, Policy **ret_policy);

#endif
