/*
 * PPO's loss over a minibatch and its derivative by the nets' outputs (Schulman et al. 2017, eq. 7 and 9):
 *     loss = policy_loss + ent_coef entropy_loss + vf_coef value_loss
 * as SB3 computes it: clipped surrogate, unclipped squared error of the value, entropy_loss = -mean entropy.
 */
#ifndef MAESTRO_RL_LOSS_H
#define MAESTRO_RL_LOSS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct LossConfig {
	double clip_range, ent_coef, vf_coef;
	bool normalize_advantage; /* a minibatch of one is left as it is */
} LossConfig;

typedef struct LossBatch {
	size_t n, n_actions;
	size_t ld_logits, ld_value; /* floats in a row of each */
	const float *logits;        /* [n][ld_logits] */
	const float *value;         /* [n][ld_value], the first of each row */
	const int32_t *action;      /* [n] */
	const float *log_prob;      /* [n] of the policy that acted */
	const float *ret;           /* [n] */
	float *advantage;           /* [n] normalised in place */
} LossBatch;

typedef struct LossFigures { /* means over the minibatch, SB3's names */
	double policy_loss, value_loss, entropy_loss, loss, approx_kl, clip_fraction;
} LossFigures;

/* ret_dlogits, ret_dvalue: laid out like logits and value, padding untouched. */
void loss_compute(const LossConfig *config, const LossBatch *batch, float *ret_dlogits, float *ret_dvalue,
		  LossFigures *ret_figures);

/* Softmax of n logits; returns the logarithm of the sum of their exponentials, so that log p(a) = logits[a] - it. */
float softmax(size_t n, const float *logits, float *ret_prob);

#endif
