/* Whether a policy sees what it was trained on (CONTROL B.4). Pure arithmetic. */
#ifndef MAESTRO_DECIDE_OUTSIDE_H
#define MAESTRO_DECIDE_OUTSIDE_H

#include "base/types.h"

/* The first feature that is outside of what training saw, and there more than 6 deviations off its mean or more than half its range away;
 * -1: none, or nothing is known of the training. unknown_flag (-1: none) is the feature that says whether others are not known: these
 * are exactly 0 then and count for nothing, and neither does the flag. */
int32_t outside_feature(const ObsStats *trained_on, const Observation *obs, int32_t unknown_flag);

#endif
