/*
 * bench_ppo
 *
 * What training costs here, one JSON object a line: 20,480 steps at the figures of the seed preset (one environment,
 * 64-64, batch 64, 10 epochs) on CartPole and on the simulator, on one thread and on two, best of five; 1,024 environments with
 * large minibatches; one observation through both trunks, and through the policy's alone as in a rollout; the peak of this core in
 * fused multiply-adds; and the kernels of a 64 x 64 layer over 64
 * rows, ours and OpenBLAS's, in rounds so short that some are undisturbed on a busy machine. The environment variables
 * OPENBLAS_CORETYPE and OPENBLAS_L2_SIZE change the last.
 */
#include "fakes/cartpole.h"
#include "rl/blas.h"
#include "rl/kernels.h"
#include "rl/ppo.h"
#include "sim/sim.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { STEPS = 20480, ROUNDS = 5, WIDTH = 64, SHORT_ROUNDS = 400, REPEAT = 50 };

typedef Env *MakeEnv(size_t n);

static double now(void)
{
	struct timespec time;
	(void) clock_gettime(CLOCK_MONOTONIC, &time);
	return (double) time.tv_sec + 1e-9 * (double) time.tv_nsec;
}

/* The seed preset's: constant traffic, no limits, a window of 5 minutes. */
static Env *make_sim(size_t n)
{
	SimConfig config;
	Env *env = NULL;
	sim_config_default(&config);
	config.latency_window_s = 300.0f;
	return sim_env_new(&config, n, &env, NULL) ? NULL : env;
}

/* Seconds of one training of so many steps; part: as ppo_times. < 0: failed. */
static double train(const PpoConfig *config, MakeEnv *make, int64_t steps, double part[3])
{
	Ppo *ppo = NULL;
	Error err = { 0 };
	double value[TRAIN_METRIC_COUNT], begin;
	Env *env = make((size_t) config->n_envs);
	int code = env ? ppo_new(config, env, &ppo, &err) : ERR_NOMEM;
	begin = now();
	while (!code && ppo_steps(ppo) < steps) {
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

static int bench_training(const char *name, const PpoConfig *config, MakeEnv *make, int64_t steps, int rounds)
{
	double best = -1.0, best_part[3] = { 0 };
	for (int round = 0; round < rounds; round++) {
		double part[3] = { 0 }, took = train(config, make, steps, part);
		if (took < 0.0)
			return 1;
		if (best >= 0.0 && took >= best)
			continue;
		best = took;
		for (int i = 0; i < 3; i++)
			best_part[i] = part[i];
	}
	printf("{\"bench\":\"%s\",\"threads\":%d,\"envs\":%d,\"kernels\":\"%s\",\"steps\":%lld,\"seconds\":%.4f,"
	       "\"steps_per_s\":%.0f,\"env_s\":%.4f,\"inference_s\":%.4f,\"learn_s\":%.4f}\n", name, config->n_threads,
	       config->n_envs, kernels_best()->name, (long long) steps, best, (double) steps / best, best_part[0], best_part[1],
	       best_part[2]);
	return 0;
}

static int bench_trainings(void)
{
	PpoConfig seed, wide;
	ppo_config_default(&seed);
	ppo_config_default(&wide);
	wide.n_envs = 1024;
	wide.n_steps = 32;
	wide.batch_size = 4096;
	wide.n_epochs = 4;
	int failed = 0;
	for (int32_t n_threads = 1; n_threads <= 2 && !failed; n_threads++) {
		seed.n_threads = wide.n_threads = n_threads;
		failed = bench_training("train", &seed, cartpole_new, STEPS, ROUNDS) ||
			bench_training("train_seed", &seed, make_sim, STEPS, ROUNDS) ||
			bench_training("train_wide", &wide, cartpole_new, 10 * 32768, 2);
	}
	return failed;
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
	double best[2] = { 1e9, 1e9 };
	for (int round = 0; round < 2 * SHORT_ROUNDS; round++) {
		double begin = now(), took, *least = &best[round % 2];
		for (int i = 0; i < REPEAT; i++)
			net_forward(net, obs, 1, logits, round % 2 ? NULL : &value, scratch);
		took = (now() - begin) / REPEAT;
		*least = took < *least ? took : *least;
	}
	printf("{\"bench\":\"inference\",\"name\":\"policy and value\",\"ns\":%.0f}\n"
	       "{\"bench\":\"inference\",\"name\":\"policy\",\"ns\":%.0f}\n", best[0] * 1e9, best[1] * 1e9);
	status = 0;
out:
	free(scratch);
	net_free(net);
	return status;
}

enum { CHAINS = 16, PEAK_LOOPS = 5000 }; /* more chains than a fused operation has cycles of latency, twice over */

#if defined(__x86_64__)
__attribute__((target("avx512f"))) static double peak_512(void)
{
	__m512 acc[CHAINS], factor = _mm512_set1_ps(0.999f), term = _mm512_set1_ps(0.001f);
	for (int c = 0; c < CHAINS; c++)
		acc[c] = _mm512_set1_ps((float) c);
	double begin = now();
	for (int i = 0; i < PEAK_LOOPS; i++)
#pragma GCC unroll 16
		for (int c = 0; c < CHAINS; c++)
			acc[c] = _mm512_fmadd_ps(acc[c], factor, term);
	double took = now() - begin;
	for (int c = 1; c < CHAINS; c++)
		acc[0] = _mm512_add_ps(acc[0], acc[c]);
	volatile float kept = _mm512_reduce_add_ps(acc[0]); /* or the loop is dropped */
	(void) kept;
	return 32.0 * CHAINS * PEAK_LOOPS / took * 1e-9;
}

__attribute__((target("avx2,fma"))) static double peak_256(void)
{
	__m256 acc[CHAINS], factor = _mm256_set1_ps(0.999f), term = _mm256_set1_ps(0.001f);
	for (int c = 0; c < CHAINS; c++)
		acc[c] = _mm256_set1_ps((float) c);
	double begin = now();
	for (int i = 0; i < PEAK_LOOPS; i++)
#pragma GCC unroll 16
		for (int c = 0; c < CHAINS; c++)
			acc[c] = _mm256_fmadd_ps(acc[c], factor, term);
	double took = now() - begin;
	for (int c = 1; c < CHAINS; c++)
		acc[0] = _mm256_add_ps(acc[0], acc[c]);
	volatile float kept = _mm256_cvtss_f32(acc[0]);
	(void) kept;
	return 16.0 * CHAINS * PEAK_LOOPS / took * 1e-9;
}
#endif

/* GFLOP/s of one core in fused multiply-adds on registers; 0: not known on this processor. */
static double measure_peak(void)
{
	double peak = 0.0;
#if defined(__x86_64__)
	for (int round = 0; round < SHORT_ROUNDS; round++) {
		double one = __builtin_cpu_supports("avx512f") ? peak_512()
			: __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? peak_256() : 0.0;
		peak = one > peak ? one : peak;
	}
#endif
	printf("{\"bench\":\"peak\",\"gflops\":%.1f}\n", peak);
	return peak;
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

static void bench_kernels(double peak)
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
		for (int round = 0; round < SHORT_ROUNDS; round++) {
			double begin = now();
			for (int i = 0; i < REPEAT; i++)
				rows[r].run(&o);
			double took = (now() - begin) / REPEAT;
			best = took < best ? took : best;
		}
		printf("{\"bench\":\"kernel\",\"name\":\"%s\",\"shape\":\"64x64x64\",\"us\":%.3f,\"gflops\":%.1f,\"percent_of_peak\":",
		       rows[r].name, best * 1e6, 2.0 * WIDTH * WIDTH * WIDTH / best * 1e-9);
		printf(peak > 0.0 ? "%.0f}\n" : "null}\n", 200.0 * WIDTH * WIDTH * WIDTH / best * 1e-9 / peak);
	}
	blas_close(o.blas);
}

int main(void)
{
	if (bench_trainings() || bench_inference())
		return 1;
	bench_kernels(measure_peak());
	return 0;
}
