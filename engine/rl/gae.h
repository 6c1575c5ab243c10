/*
 * Generalised advantage estimation over a rollout (Schulman et al. 2016, eq. 16), as SB3 has it: returns are advantages
 * plus values, and the end of an episode cuts both the next value and the sum.
 */
#ifndef MAESTRO_RL_GAE_H
#define MAESTRO_RL_GAE_H

#include <stddef.h>
#include <stdint.h>

/*
 * One environment's n_steps in order.
 *
 * reward      with gamma V(final_obs) added already where a time limit cut the episode
 * value       of the observation acted on
 * done        1 where the episode ended with this step, by task or time
 * last_value  of the observation after the last step
 */
void gae_compute(size_t n_steps, const float *reward, const float *value, const uint8_t *done, float last_value,
		 double gamma, double lambda, float *ret_advantage, float *ret_return);

#endif
