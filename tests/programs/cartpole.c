/*
 * cartpole --seed N --steps N --preset tuned|seed
 *
 * Trains PPO on CartPole-v1 and prints a line `steps,mean_return` of 20 greedy episodes after the first update at or
 * past each multiple of 4,096 steps and after the last: the figures that Stable-Baselines3 was measured with.
 */
#include "fakes/cartpole.h"
#include "rl/ppo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVERY = 4096, EPISODES = 20, LIMIT = 500 };

static void tuned(PpoConfig *config)
{
	config->n_envs = 8;
	config->n_steps = 32;
	config->batch_size = 256;
	config->n_epochs = 20;
	config->gamma = 0.98;
	config->gae_lambda = 0.8;
	config->learning_rate = 0.001;
	config->is_lr_linear = config->is_clip_linear = true;
	config->ent_coef = 0.0;
}

/* Mean return of one episode on each of EPISODES rows; < 0: out of memory. */
static double evaluate(const Net *net, uint64_t seed)
{
	Env *env = cartpole_new(EPISODES);
	float *scratch = malloc(net_scratch_floats(net, EPISODES) * sizeof *scratch), logits[EPISODES * 2];
	bool is_over[EPISODES] = { false };
	double sum = -1.0;
	EnvBuf buf = { 0 };
	EnvSpec spec;
	if (!env || !scratch)
		goto out;
	env->ops->spec(env, &spec);
	if (env_buf_init(&buf, EPISODES, &spec) || env->ops->reset(env, seed, &buf))
		goto out;
	sum = 0.0;
	for (int t = 0; t < LIMIT; t++) {
		net_forward(net, buf.obs, EPISODES, logits, NULL, scratch);
		for (int e = 0; e < EPISODES; e++)
			buf.action[e] = logits[2 * e + 1] > logits[2 * e];
		if (env->ops->step(env, 0, EPISODES, &buf))
			break;
		for (int e = 0; e < EPISODES; e++) {
			if (!is_over[e])
				sum += (double) buf.reward[e];
			is_over[e] = is_over[e] || buf.terminated[e] || buf.truncated[e];
		}
	}
out:
	env_buf_done(&buf);
	free(scratch);
	env_free(env);
	return sum / EPISODES;
}

static int train(const PpoConfig *config)
{
	Error err = { 0 };
	Ppo *ppo = NULL;
	double value[TRAIN_METRIC_COUNT];
	Env *env = cartpole_new((size_t) config->n_envs);
	int code = env ? ppo_new(config, env, &ppo, &err) : ERR_NOMEM;
	for (int64_t next = EVERY; !code && ppo_steps(ppo) < config->total_timesteps;) {
		code = ppo_collect(ppo, &err);
		if (code)
			break;
		ppo_advantage(ppo);
		code = ppo_learn(ppo, value, &err);
		int64_t steps = ppo_steps(ppo);
		if (code || (steps < next && steps < config->total_timesteps))
			continue;
		printf("%lld,%.2f\n", (long long) steps, evaluate(ppo_net(ppo), config->seed + 1000));
		(void) fflush(stdout);
		while (next <= steps)
			next += EVERY;
	}
	if (code)
		(void) fprintf(stderr, "cartpole: %s\n", err.text);
	ppo_free(ppo);
	env_free(env);
	return code ? 1 : 0;
}

int main(int argc, char **argv)
{
	PpoConfig config;
	ppo_config_default(&config);
	config.total_timesteps = 100000;
	for (int i = 1; i < argc; i += 2) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";
		if (!strcmp(argv[i], "--seed") && *value)
			config.seed = strtoull(value, NULL, 10);
		else if (!strcmp(argv[i], "--steps") && strtoll(value, NULL, 10) > 0)
			config.total_timesteps = strtoll(value, NULL, 10);
		else if (!strcmp(argv[i], "--preset") && !strcmp(value, "tuned"))
			tuned(&config);
		else if (strcmp(argv[i], "--preset") != 0 || strcmp(value, "seed") != 0) {
			(void) fprintf(stderr, "usage: cartpole --seed N --steps N --preset tuned|seed\n");
			return 2;
		}
	}
	return train(&config);
}
