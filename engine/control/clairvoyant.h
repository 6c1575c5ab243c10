/*
 * The bound of every causal policy: it knows the traffic to come, and asks at each moment for the largest demand until pods that it
 * asks for now are ready (CONTROL E).
 */
#ifndef MAESTRO_CONTROL_CLAIRVOYANT_H
#define MAESTRO_CONTROL_CLAIRVOYANT_H

#include "base/policy.h"
#include "sim/sim.h"

/* Demand has a margin as of staffing(): 0 is the definition, others are its front. ERR_NOMEM. */
int clairvoyant_policy_new(double margin, double horizon_s, double interval_s, Policy **ret_policy);
/* Looks into the future of this simulation, which begins at start_ms; lent for the episode. */
void clairvoyant_begin(Policy *policy, const SimTarget *sim, int64_t start_ms);

#endif
