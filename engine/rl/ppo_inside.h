/*
 * The inside of a Ppo, shared by ppo.c (set-up, learning), ppo_collect.c (rollouts) and ppo_state.c (snapshots).
 */
#ifndef MAESTRO_RL_PPO_INSIDE_H
#define MAESTRO_RL_PPO_INSIDE_H

#include "base/rng.h"
#include "rl/learner.h"
#include "rl/normalise.h"
#include "rl/ppo.h"
#include "rl/rollout.h"
#include "rl/workers.h"

enum { PPO_EPISODES = 100 }; /* that the means are over, as SB3's ep_info_buffer */

/* One environment's running state; no padding, since its bytes are the snapshot's. */
typedef struct PpoRow {
	double discounted; /* return so far, for the scale of rewards */
	double ep_return;  /* of the running episode, as the environment pays it */
	Rng rng;           /* RNG_ACTION */
	int32_t ep_len;
} PpoRow;

enum { PPO_BLOCK = 64 };     /* rows of a forward pass over stored observations */

typedef struct PpoWorker { /* owns rows first..first+count-1 while a rollout runs */
	size_t first, count;
	int code;              /* of the environment, 0 */
	double seconds[2];     /* stepping, inference; since the start */
	float *scratch;        /* for its rows, or PPO_BLOCK where those are fewer */
	size_t n_valued;       /* steps of this rollout whose values are there or under way */
	bool is_beside;        /* a block is under way */
} PpoWorker;

struct Ppo {
	PpoConfig config;
	EnvSpec spec;
	Env *env;       /* lent */
	EnvBuf buf;
	Net *net;
	Learner *learner;
	RolloutBuf rollout;
	Workers *workers;
	PpoStepHook *hook;
	void *hook_arg;

	PpoRow *row;             /* [n_envs] */
	size_t n_workers;
	PpoWorker *worker;       /* [n_workers] */
	float *scratch_beside;   /* for PPO_BLOCK rows on the second thread */
	float *logits, *prob;    /* [n_envs][n_actions] */
	double *ended_return;    /* [n_samples] of the episode that ended with the step */
	int32_t *ended_len;      /* [n_samples] 0: none ended */
	double *env_return;      /* [n_envs] of the last episode that ended there, for ppo_last_returns; NAN: none has */
	Running obs_stats, reward_stats;
	int32_t *teacher;        /* [n_samples] where there is one */
	double *obs_range;       /* [2][n_envs][obs_dim] least and most of each input so far, by environment */
	double *obs_moments;     /* [2][n_envs][obs_dim] mean, variance of this rollout */
	double *reward_moments;  /* [2][n_envs] */
	void *block;             /* of the arrays above */

	Rng shuffle;
	int64_t steps;
	bool is_cloning;          /* the rollout is a teacher's */
	double last_return[PPO_EPISODES]; /* ring */
	int32_t last_len[PPO_EPISODES];
	int64_t n_episodes;
	double learn_seconds;
};

void ppo_show_range(Ppo *ppo); /* of inputs, to the net */
double ppo_seconds(void); /* monotonic, for ppo_times */

#endif
