/*
 * What the policy did: n_steps of every environment, sample i = env * n_steps + step.
 */
#ifndef MAESTRO_RL_ROLLOUT_H
#define MAESTRO_RL_ROLLOUT_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

typedef struct RolloutBuf {
	size_t n_envs, n_steps, obs_dim;
	float *obs;        /* [n][obs_dim] as the trunks saw it: normalised where the net normalises */
	int32_t *action;   /* [n] */
	uint8_t *mask;     /* [n][n_actions] 1 where the action was allowed; NULL: all were */
	float *reward;     /* [n] normalised, with the bootstrap of time limits */
	uint8_t *done;     /* [n] the episode ended with this step */
	float *value;      /* [n] by the net that acted */
	float *log_prob;   /* [n] of the action, likewise */
	float *last_value; /* [n_envs] of the observation after the last step */
	float *advantage;  /* [n] filled by rollout_advantage */
	float *ret;        /* [n] returns, likewise */
	int32_t *teacher;  /* [n] what a teacher would have done; lent, NULL: there is none */
	void *block;
} RolloutBuf;

/* n_masked: actions of a mask; 0: without masks. ERR_NOMEM. */
int rollout_init(RolloutBuf *buf, size_t n_envs, size_t n_steps, size_t obs_dim, size_t n_masked);
void rollout_done(RolloutBuf *buf);
void rollout_advantage(RolloutBuf *buf, double gamma, double lambda);
/* 1 - var(return - value) / var(return); NAN where the returns do not vary. */
double rollout_explained_variance(const RolloutBuf *buf);

#endif
