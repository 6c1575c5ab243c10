/* A Ppo on CartPole, as the tests of PPO set it up. After the headers that cmocka wants. */
#ifndef MAESTRO_TESTS_PPO_RIG_H
#define MAESTRO_TESTS_PPO_RIG_H

#include "fakes/cartpole.h"
#include "rl/ppo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static inline void update(Ppo *ppo, double value[TRAIN_METRIC_COUNT])
{
	Error err = { 0 };
	if (ppo_collect(ppo, &err))
		fail_msg("%s", err.text);
	ppo_advantage(ppo);
	if (ppo_learn(ppo, value, &err))
		fail_msg("%s", err.text);
}

static inline void cart_config(PpoConfig *config)
{
	ppo_config_default(config);
	config->n_envs = 5;
	config->n_steps = 100; /* 500 samples: a ragged last minibatch */
	config->n_epochs = 2;
	config->norm_obs = config->norm_reward = true;
	config->is_lr_linear = config->is_clip_linear = true;
	config->total_timesteps = 5000;
	config->seed = 9;
}

typedef struct Trainer {
	Env *env;
	Ppo *ppo;
} Trainer;

static inline Trainer start(const PpoConfig *config)
{
	Trainer trainer = { .env = cartpole_new((size_t) config->n_envs) };
	Error err = { 0 };
	assert_non_null(trainer.env);
	if (ppo_new(config, trainer.env, &trainer.ppo, &err))
		fail_msg("%s", err.text);
	return trainer;
}

static inline void stop(Trainer *trainer)
{
	ppo_free(trainer->ppo);
	env_free(trainer->env);
}

#endif
