/*
 * bench_ppo
 *
 * What training costs here, one JSON object a line: 20,480 steps of the seed preset on CartPole (one environment,
 * 64-64, batch 64, 10 epochs), best of five; one observation through both trunks; and the kernels of a 64 x 64 layer
 * over 64 rows, ours and OpenBLAS's. The environment variables OPENBLAS_CORETYPE and OPENBLAS_L2_SIZE change the last.
 */
#include "fakes/cartpole.h"
#include "rl/blas.h"
#include "rl/kernels.h"
#include "rl/ppo.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { STEPS = 20480, ROUNDS = 5, WIDTH = 64, REPEAT = 2000 };

static double now(void)
{
	struct timespec time;
	(void) clock_gettime(CLOCK_MONOTONIC, &time);
	return (double) time.tv_sec + 1e-9 * (double) time.tv_nsec;
}

/* Seconds of one training; part: as ppo_times. < 0: failed. */
static double train(int32_t n_threads, double part[3])
{
	PpoConfig config;
	Ppo *ppo = NULL;
	Error err = { 0 };
	double value[TRAIN_METRIC_COUNT], begin;
	Env *env = cartpole_new(1);
	ppo_config_default(&config);
	config.n_threads = n_threads;
	int code = env ? ppo_new(&config, env, &ppo, &err) : ERR_NOMEM;
	begin = now();
	while (!code && ppo_steps(ppo) < STEPS) {
		code = ppo_collect(ppo, &err);
		if (!code) {
			ppo_advantage(ppo);
			code = ppo_learn(ppo, value, &err);
		}
	}
	double took = now() - begin;
	if (!code)
		ppo_times(ppo, part);
	ppo_free(ppo);
	env_free(env);
	return code ? -1.0 : took;
}

static int bench_training(int32_t n_threads)
{
	double best = -1.0, best_part[3] = { 0 };
	for (int round = 0; round < ROUNDS; round++) {
		double part[3] = { 0 }, took = train(n_threads, part);
		if (took < 0.0)
			return 1;
		if (best >= 0.0 && took >= best)
			continue;
		best = took;
		for (int i = 0; i < 3; i++)
			best_part[i] = part[i];
	}
	printf("{\"bench\":\"train\",\"threads\":%d,\"kernels\":\"%s\",\"steps\":%d,\"seconds\":%.4f,\"steps_per_s\":%.0f,\"env_s\":%.4f,"
	       "\"inference_s\":%.4f,\"learn_s\":%.4f}\n", n_threads, kernels_best()->name, STEPS, best, STEPS / best, best_part[0],
	       best_part[1], best_part[2]);
	return 0;
}

static int bench_inference(void)
{
	NetConfig config = { .obs_dim = 5, .n_actions = 3, .depth = 2, .width = { WIDTH, WIDTH } };
	Net *net = NULL;
	const float obs[5] = { 1, 2, 3, 4, 5 };
	float logits[3], value, *scratch = NULL;
	Rng rng;
	int status = 1;
	rng_init(&rng, 1, 0, RNG_INIT);
	if (net_new(&config, &net, NULL) || net_init_orthogonal(net, &rng))
		goto out;
	scratch = aligned_alloc(64, net_scratch_floats(net, 1) * sizeof *scratch);
	if (!scratch)
		goto out;
	double best = 1e9;
	for (int round = 0; round < ROUNDS; round++) {
		double begin = now();
		for (int i = 0; i < REPEAT; i++)
			net_forward(net, obs, 1, logits, &value, scratch);
		best = (now() - begin) / REPEAT < best ? (now() - begin) / REPEAT : best;
	}
	printf("{\"bench\":\"inference\",\"ns\":%.0f}\n", best * 1e9);
	status = 0;
out:
	free(scratch);
	net_free(net);
	return status;
}

typedef struct Operands {
	_Alignas(64) float x[WIDTH * WIDTH], w[(WIDTH + 1) * WIDTH], y[WIDTH * WIDTH], bias[WIDTH];
	Blas *blas;
} Operands;

static void ours_forward(Operands *o)
{
	kernels_best()->forward(WIDTH, WIDTH, WIDTH, o->x, WIDTH, o->w, KERNEL_LINEAR, o->y);
}

static void ours_gradient(Operands *o)
{
	kernels_best()->gradient(WIDTH, WIDTH, WIDTH, o->x, WIDTH, o->w, WIDTH, o->y, o->bias);
}

static void blas_forward(Operands *o)
{
	blas_gemm(o->blas, false, WIDTH, WIDTH, WIDTH, o->x, WIDTH, o->w, WIDTH, 0.0f, o->y, WIDTH);
}

static void blas_gradient(Operands *o)
{
	blas_gemm(o->blas, true, WIDTH, WIDTH, WIDTH, o->x, WIDTH, o->w, WIDTH, 0.0f, o->y, WIDTH);
}

static void bench_kernels(void)
{
	static const struct {
		const char *name;
		void (*run)(Operands *);
	} rows[] = {
		{ "forward", ours_forward },
		{ "gradient", ours_gradient },
		{ "openblas_forward", blas_forward },
		{ "openblas_gradient", blas_gradient },
	};
	Operands o = { .x = { 0.5f }, .w = { 0.25f }, .blas = blas_open() };
	for (size_t r = 0; r < sizeof rows / sizeof *rows - (o.blas ? 0 : 2); r++) {
		double best = 1e9;
		for (int round = 0; round < ROUNDS; round++) {
			double begin = now();
			for (int i = 0; i < REPEAT; i++)
				rows[r].run(&o);
			double took = (now() - begin) / REPEAT;
			best = took < best ? took : best;
		}
		printf("{\"bench\":\"kernel\",\"name\":\"%s\",\"shape\":\"64x64x64\",\"us\":%.3f,\"gflops\":%.1f}\n", rows[r].name,
		       best * 1e6, 2.0 * WIDTH * WIDTH * WIDTH / best * 1e-9);
	}
	blas_close(o.blas);
}

int main(void)
{
	if (bench_training(1) || bench_training(2) || bench_inference())
		return 1;
	bench_kernels();
	return 0;
}
