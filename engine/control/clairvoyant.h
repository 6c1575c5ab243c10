/*
 * The bound of every causal policy: it knows the traffic to come, and asks at each moment for the largest demand until pods that it
 * asks for now are ready (CONTROL E).
 */
#ifndef MAESTRO_CONTROL_CLAIRVOYANT_H
#define MAESTRO_CONTROL_CLAIRVOYANT_H

#include "base/policy.h"
#include "sim/sim.h"

/* Demand is counted with `use` times the capacity of a pod: 1 is the definition, other values are its front. ERR_NOMEM. */
int clairvoyant_policy_new(double use, double horizon_s, double interval_s, Policy **ret_policy);
/* Looks into the future of this simulation from now on; lent for the episode. Of EvalOptions. */
int clairvoyant_begin(Policy *policy, const SimTarget *sim, const Target *target);

#endif
