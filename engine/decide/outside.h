/* Whether a policy sees what it was trained on (CONTROL B.4). Pure arithmetic. */
#ifndef MAESTRO_DECIDE_OUTSIDE_H
#define MAESTRO_DECIDE_OUTSIDE_H

#include "base/types.h"

/* The first feature that is more than 6 deviations off its mean in training, or more than half of its range outside of it;
 * -1: none, or nothing is known of the training. has_unknowns: the vector says that it has features that are not known, which are
 * exactly 0 and count for nothing. */
int32_t outside_feature(const ObsStats *trained_on, const Observation *obs, bool has_unknowns);

#endif
