/*
 * The learning stage of PPO: minibatches of a rollout through net, loss, gradient and Adam. ppo.c drives it with its
 * own shuffles; the fixture and the tests drive it with theirs.
 *
 * The policy's trunk and the value's run side by side where there is a second thread: each gathers, goes forward and back,
 * and steps its own parameters, and they meet once a minibatch, over the norm of the gradient. Whether there was one does
 * not show in the bytes.
 */
#ifndef MAESTRO_RL_LEARNER_H
#define MAESTRO_RL_LEARNER_H

#include "base/err.h"
#include "rl/adam.h"
#include "rl/loss.h"
#include "rl/net.h"
#include "rl/pair.h"
#include "rl/rollout.h"

typedef struct LearnConfig {
	LossConfig loss;
	double learning_rate, max_grad_norm;
	double target_kl; /* stops the update at a minibatch whose approx_kl is over 1.5 times this; 0: off (SB3's None) */
	size_t batch_size, n_epochs;
} LearnConfig;

/* Of a minibatch; or of an update, as SB3 logs it: means over the minibatches, but approx_kl over those of the last
 * epoch only, and loss that of the last minibatch. */
typedef struct LearnFigures {
	LossFigures loss;
	double grad_norm; /* over all parameters, before clipping; NAN of the minibatch at which target_kl stopped */
} LearnFigures;

typedef struct Learner Learner;

/* Order of the n samples of an epoch: writes a permutation of 0..n-1. */
typedef void LearnerOrder(void *arg, size_t epoch, uint32_t *ret_index, size_t n);
/* After each minibatch, before the net has taken its step; may be NULL. */
typedef void LearnerHook(void *arg, size_t i, const LearnFigures *figures);

/* net is lent and is what learns; n_samples: of the rollouts to come; n_threads 1, or 2 and more for a second one.
 * ERR_NOMEM, ERR_FAILED when that cannot be had. */
int learner_new(Net *net, size_t batch_size, size_t n_samples, double adam_eps, size_t n_threads, Learner **ret_learner);
void learner_free(Learner *learner);

/* Loss and gradient of the samples index[0..n-1], n <= batch_size; nothing is stepped. */
void learner_gradient(Learner *learner, const RolloutBuf *buf, const uint32_t *index, size_t n,
		      const LossConfig *config, LossFigures *ret_figures);
/* n_epochs of minibatches, the last of an epoch as short as the samples leave it. ERR_NONFINITE names the tensor; the
 * parameters are then those before the minibatch. No allocation. */
int learner_update(Learner *learner, const RolloutBuf *buf, const LearnConfig *config, LearnerOrder *order,
		   LearnerHook *hook, void *arg, LearnFigures *ret_figures, Error *err);

/* Lent: the gradient of the last minibatch, and the optimiser's state; a tensor's begin where its data do, counted from
 * the first tensor's. */
const float *learner_gradients(const Learner *learner);
Adam *learner_adam(Learner *learner);
/* Lent, for other work between updates; left open or closed. */
Pair *learner_pair(Learner *learner);

#endif
