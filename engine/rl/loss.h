/*
 * PPO's loss over a minibatch and its derivative by the nets' outputs (Schulman et al. 2017, eq. 7 and 9):
 *     loss = policy_loss + ent_coef entropy_loss + vf_coef value_loss
 * as SB3 computes it: clipped surrogate, squared error of the value (clipped where asked for), entropy_loss = -mean entropy.
 * The policy's part and the value's do not meet but in the sum.
 */
#ifndef MAESTRO_RL_LOSS_H
#define MAESTRO_RL_LOSS_H

#include "rl/kernels.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct LossConfig {
	double clip_range, ent_coef, vf_coef;
	double clip_range_vf;     /* how far a value may move from the one that acted; 0: off (SB3's None) */
	bool normalize_advantage; /* a minibatch of one is left as it is */
	double teacher_coef;      /* weight of the cross-entropy against what the teacher would do, beside PPO's loss (kickstarting; Schmitt
	                             et al. 2018): where rewards say little, the policy stays with the teacher. Read where there is one */
	double clone_smoothing;   /* 0: PPO. Else behaviour cloning (Pomerleau 1991): the actions are a teacher's, and policy_loss is the
	                             cross-entropy of the policy against them, this share of it spread over all allowed actions (Szegedy
	                             et al. 2016), so that something is left to explore. No entropy term */
} LossConfig;

typedef struct LossPolicy {
	size_t n, n_actions, ld_logits; /* ld: floats in a row */
	const float *logits;            /* [n][ld_logits] */
	const int32_t *action;          /* [n] */
	const uint8_t *mask;            /* [n][n_actions] 1 where the action was allowed; NULL: all were */
	const int32_t *teacher;         /* [n] what a teacher would do; NULL: there is none */
	const float *log_prob;          /* [n] of the policy that acted */
	float *advantage;               /* [n] normalised in place */
	float *scratch;                 /* loss_scratch_floats, aligned to 64 bytes */
} LossPolicy;

typedef struct LossValue {
	size_t n, ld_value;
	const float *value; /* [n][ld_value], the first of each row */
	const float *old;   /* [n] of the net that acted; read where values are clipped */
	const float *ret;   /* [n] */
} LossValue;

typedef struct LossFigures { /* means over the minibatch, SB3's names */
	double policy_loss, value_loss, entropy_loss, loss, approx_kl, clip_fraction;
} LossFigures;

/* Floats that LossPolicy.scratch needs for n samples. */
size_t loss_scratch_floats(size_t n, size_t n_actions);
/* Fills the policy's figures; returns value_loss. ret_dlogits, ret_dvalue: laid out like logits and value, padding untouched. */
void loss_policy(const LossConfig *config, const LossPolicy *batch, const Kernels *kernels, float *ret_dlogits,
		 LossFigures *ret_figures);
double loss_value(const LossConfig *config, const LossValue *batch, float *ret_dvalue);
/* loss from the other figures. */
void loss_total(const LossConfig *config, LossFigures *figures);

/* Softmax of n logits; returns the logarithm of the sum of their exponentials, so that log p(a) = logits[a] - it. */
float softmax(size_t n, const float *logits, float *ret_prob);
/* Logits of forbidden actions so low that their probability is 0, as sb3-contrib's MaskablePPO has it. NULL: nothing. */
void mask_logits(size_t n, const uint8_t *mask, float *logits);

#endif
