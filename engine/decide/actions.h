/*
 * What a policy can do (CONTROL F.3): three actions of one pod, or wide ones in parts of the present number. An action is an index of
 * the net's output; what it does, down, keep or up, is its direction, in which records, servers and console speak.
 */
#ifndef MAESTRO_DECIDE_ACTIONS_H
#define MAESTRO_DECIDE_ACTIONS_H

#include "base/types.h"

/* How many the set has. */
int32_t actions_count(ActionSet set);
/* "+50%"; "?" outside. */
const char *actions_name(ActionSet set, int32_t action);
/* "three" or "wide"; and back, false for another word. */
const char *actions_word(ActionSet set);
bool actions_read(const char *word, ActionSet *ret_set);
/* ACTION_DOWN, ACTION_KEEP, ACTION_UP. */
int32_t actions_direction(ActionSet set, int32_t action);
/* Replicas that an action asks for at so many now; bounds are not its business. Parts of a pod are rounded away from none. */
int32_t actions_wish(ActionSet set, int32_t action, int32_t replicas);
/* Those within [min, max], and of several that ask for the same number the first. Keep always. */
uint32_t actions_mask(ActionSet set, int32_t replicas, int32_t min_replicas, int32_t max_replicas);
/*
 * The greedy choice under a mask: the likeliest direction, and in it the likeliest action, the first of such; with three actions the
 * likeliest. share: softmax over the allowed actions, summed by direction. ERR_NONFINITE; ERR_NO_DATA: all are forbidden.
 */
int actions_choose(ActionSet set, const float *logits, uint32_t mask, float share[ACTION_COUNT], int32_t *ret_action);

#endif
