/* See gae.h. */
#include "rl/gae.h"

void gae_compute(size_t n_steps, const float *reward, const float *value, const uint8_t *done, float last_value,
		 double gamma, double lambda, float *ret_advantage, float *ret_return)
{
	double advantage = 0.0, next_value = (double) last_value;
	for (size_t t = n_steps; t-- > 0;) {
		double goes_on = done[t] ? 0.0 : 1.0;
		double delta = (double) reward[t] + gamma * next_value * goes_on - (double) value[t];
		advantage = delta + gamma * lambda * goes_on * advantage;
		ret_advantage[t] = (float) advantage;
		ret_return[t] = (float) (advantage + (double) value[t]);
		next_value = (double) value[t];
	}
}
