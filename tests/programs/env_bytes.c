/* What the environments of a training give: all bytes of so many steps, on stdout, under actions that go round. For who claims to have
 * the same ones by another way.
 *   env_bytes STEPS [options of maestro train] */
#include "cmd/train_opts.h"

#include <stdio.h>
#include <stdlib.h>

static int play(const TrainOptions *options, const SimConfig *sim, int steps, Error *err)
{
	size_t n = (size_t) options->sim.envs;
	Env *env;
	EnvSpec spec;
	EnvBuf buf;
	int code = sim_env_new(sim, n, &env, err);
	if (code)
		return code;
	env->ops->spec(env, &spec);
	code = env_buf_init(&buf, n, &spec);
	if (!code)
		code = env->ops->reset(env, (uint64_t) options->sim.seed, &buf);
	for (int t = 0; t < steps && !code; t++) {
		(void) fwrite(buf.obs, sizeof *buf.obs, n * (size_t) spec.obs_dim, stdout);
		(void) fwrite(buf.mask, 1, n * (size_t) spec.n_actions, stdout);
		for (size_t i = 0; i < n; i++)
			buf.action[i] = (int32_t) (((size_t) t / 3 + i) % (size_t) spec.n_actions);
		code = env->ops->step(env, 0, n, &buf);
		(void) fwrite(buf.reward, sizeof *buf.reward, n, stdout);
		(void) fwrite(buf.terminated, 1, n, stdout);
		(void) fwrite(buf.truncated, 1, n, stdout);
		(void) fwrite(buf.final_obs, sizeof *buf.final_obs, n * (size_t) spec.obs_dim, stdout);
	}
	env_buf_done(&buf);
	env_free(env);
	return code;
}

int main(int argc, char **argv)
{
	static TrainOptions options;
	static TrainerConfig config;
	static ServiceFile service;
	static SimTraffic traffic;
	Error err = { 0 };
	int steps = argc > 1 ? atoi(argv[1]) : 0, code = train_options_parse(&TRAIN_COMMAND, &options, argc - (argc > 1), argv + (argc > 1));
	if (code)
		return 2;
	if (options.sim.service)
		code = service_file_read(options.sim.service, &service, &err);
	if (!code)
		code = train_options_apply(&options, options.sim.service ? &service : NULL, &config, &err);
	if (!code)
		code = sim_traffic_open(&options.sim, &traffic, &config.sim, &config.eval_sim, &err);
	if (!code)
		code = play(&options, &config.sim, steps, &err);
	if (code)
		(void) fprintf(stderr, "env_bytes: %s\n", err.text[0] ? err.text : err_text(code));
	sim_traffic_close(&traffic);
	return code != 0;
}
