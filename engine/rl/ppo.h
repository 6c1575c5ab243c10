/*
 * Proximal policy optimisation (Schulman et al. 2017, arXiv:1707.06347), numerically as Stable-Baselines3 2.9 does it
 * with MlpPolicy. Names and meanings of the figures are SB3's.
 *
 * A training step has three stages, apart so that a test can stand between them:
 *     ppo_collect   n_steps of every environment under the present policy, shared among the threads
 *     ppo_advantage GAE and returns
 *     ppo_learn     n_epochs of minibatches, policy and value side by side on two threads
 * Same seed: same bytes, with any number of threads. All memory is taken in ppo_new; the stages allocate nothing.
 */
#ifndef MAESTRO_RL_PPO_H
#define MAESTRO_RL_PPO_H

#include "base/env.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/words.h"
#include "rl/net.h"

/* What a rule does where obs (as the environment gives it) and mask [n_actions] (NULL: all allowed) are seen. Pure; any thread. */
typedef int32_t PpoTeacher(void *arg, const float *obs, const uint8_t *mask);

typedef struct PpoConfig {
	NetConfig net;           /* obs_dim and n_actions are taken from the environment */
	int32_t n_envs, n_steps, batch_size, n_epochs;
	double learning_rate, gamma, gae_lambda, clip_range, ent_coef, vf_coef, max_grad_norm;
	double adam_eps;         /* 1e-5 */
	bool normalize_advantage; /* true */
	double clip_range_vf;    /* 0: off */
	double target_kl;        /* 0: off */
	bool use_masks;          /* draw and learn under EnvBuf.mask (sb3-contrib's MaskablePPO); else among all actions */
	bool is_lr_linear, is_clip_linear, is_clip_vf_linear; /* SB3's lin_: value x (1 - steps / total_timesteps) */
	int64_t total_timesteps; /* for the linear schedules */
	bool norm_obs, norm_reward; /* VecNormalize: running mean and variance, clip 10, epsilon 1e-8; the statistics
	                               that a rollout uses are those of the rollouts before it */
	PpoTeacher *teacher;     /* NULL: none */
	void *teacher_arg;
	int64_t clone_steps;     /* rollouts that begin before copy the teacher, who acts in half of the steps (Ross et al. 2011) */
	double teacher_coef;     /* weight of staying with the teacher afterwards, falling linearly to 0 over total_timesteps where those are
	                            known (kickstarting; Schmitt et al. 2018) */
	double even_advantage;   /* 0..1: advantages of an environment's rollout are divided by their deviation to this power, so that calm
	                            and dear episodes count as much as wild ones */
	uint64_t seed;
	int32_t n_threads;       /* 1..64; the result does not depend on it */
} PpoConfig;

/* SB3's defaults but for the thesis's: lr 3e-4, n_steps 1024, batch 64, 10 epochs, gamma .99, lambda .95, clip .2,
 * ent .01, vf .5, grad norm .5, tanh 64-64; 1 environment, 1 thread. */
void ppo_config_default(PpoConfig *config);

typedef struct Ppo Ppo;

/* Called on the thread that steps row `row`, after each step: for replica histories. Must not wait. */
typedef void PpoStepHook(void *arg, size_t row, const EnvBuf *buf);

/* env is lent for the life of the Ppo, and reset under config->seed. ERR_INVALID names the setting; ERR_NOMEM. */
int ppo_new(const PpoConfig *config, Env *env, Ppo **ret_ppo, Error *err);
void ppo_free(Ppo *ppo);
void ppo_on_step(Ppo *ppo, PpoStepHook *hook, void *arg);
/* sched_step_aside, of the calling thread and of those that work for it. */
void ppo_step_aside(Ppo *ppo);

/* Starts from a trained net instead of drawn weights: its parameters, normalisation and the ranges of its inputs. Before the first
 * rollout. ERR_BAD_MODEL where it has another shape, or norm_obs is not as it has it. */
int ppo_adopt(Ppo *ppo, const Net *net, Error *err);

/* ERR_CLOSED of an environment that waits: stopped in the middle, nothing is learnt from it. */
int ppo_collect(Ppo *ppo, Error *err);
void ppo_advantage(Ppo *ppo);
/* ERR_NONFINITE names the tensor and leaves the parameters as they were before the minibatch. value[] gets the figures
 * of the update; ep_rew_mean and ep_len_mean are means over the last 100 episodes, NAN before one has ended; TRAIN_STEPS_PER_S
 * is left alone. */
int ppo_learn(Ppo *ppo, double value[TRAIN_METRIC_COUNT], Error *err);

/* From the next update on. */
void ppo_set_learning_rate(Ppo *ppo, double value);
void ppo_set_ent_coef(Ppo *ppo, double value);
void ppo_set_clip_range(Ppo *ppo, double value);
/* Learning rate, entropy coefficient, clip ranges and their schedules of another configuration. */
void ppo_take_rates(Ppo *ppo, const PpoConfig *from);
/* What the linear schedules fall to 0 over. */
void ppo_set_total_steps(Ppo *ppo, int64_t value);

int64_t ppo_steps(const Ppo *ppo); /* environment steps so far, over all environments */
const Net *ppo_net(const Ppo *ppo); /* lent; changes in ppo_learn */
size_t ppo_samples(const Ppo *ppo);
/* Of each environment the return of the last episode that ended in it, as it paid, into ret [n_envs]; answers how many have ended
 * one. A restored Ppo knows none of before. */
size_t ppo_last_returns(const Ppo *ppo, double *ret);
/* Seconds spent since the start, added up over threads: 0 stepping environments, 1 inference (both from one step in
 * eight), 2 learning. */
void ppo_times(const Ppo *ppo, double ret_seconds[3]);

/* All that decides what comes next: parameters, Adam, normalisation, draws, environments, running episodes. A Ppo of the
 * same config that restores it goes on to the same bytes. ERR_INVALID for another configuration's, ERR_BAD_MODEL for one
 * that is cut short or damaged. */
int ppo_snapshot(const Ppo *ppo, StrBuf *ret_state, Error *err);
int ppo_restore(Ppo *ppo, const char *state, size_t len, Error *err);

#endif
