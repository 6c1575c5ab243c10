/*
 * See cartpole.h. Equations of motion and Euler's step as in gymnasium.envs.classic_control.cartpole: state in double,
 * observation in float, reward 1 for every step, end past 2.4 m or 12 degrees, time limit of 500 steps.
 */
#include "cartpole.h"

#include "base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DIM = 4, LIMIT = 500 };

typedef struct Pole {
	double state[DIM]; /* position m, speed, angle rad, its speed */
	Rng rng;
	int32_t steps;
} Pole;

typedef struct CartPole {
	Env env;
	Pole pole[];
} CartPole;

static void spec(const Env *env, EnvSpec *ret_spec)
{
	(void) env;
	*ret_spec = (EnvSpec) { .obs_dim = DIM, .n_actions = 2, .episode_steps = LIMIT, .interval_s = 0.02f };
}

static void observe(const Pole *pole, float *obs)
{
	for (int i = 0; i < DIM; i++)
		obs[i] = (float) pole->state[i];
}

static void begin(Pole *pole)
{
	for (int i = 0; i < DIM; i++)
		pole->state[i] = -0.05 + 0.1 * rng_uniform(&pole->rng);
	pole->steps = 0;
}

static int reset(Env *env, uint64_t seed, EnvBuf *buf)
{
	CartPole *cart = (CartPole *) env;
	for (size_t e = 0; e < env->n; e++) {
		rng_init(&cart->pole[e].rng, seed, (uint32_t) e, RNG_PARAMETERS);
		begin(&cart->pole[e]);
		observe(&cart->pole[e], buf->obs + e * DIM);
	}
	return 0;
}

static void move(Pole *pole, int32_t action)
{
	const double gravity = 9.8, cart_kg = 1.0, pole_kg = 0.1, half_m = 0.5, tau_s = 0.02;
	const double total_kg = cart_kg + pole_kg, moment = pole_kg * half_m;
	double *s = pole->state, force = action == 1 ? 10.0 : -10.0;
	double cosine = cos(s[2]), sine = sin(s[2]);
	double push = (force + moment * s[3] * s[3] * sine) / total_kg;
	double turn = (gravity * sine - cosine * push) / (half_m * (4.0 / 3.0 - pole_kg * cosine * cosine / total_kg));
	double accel = push - moment * turn * cosine / total_kg;
	s[0] += tau_s * s[1];
	s[1] += tau_s * accel;
	s[2] += tau_s * s[3];
	s[3] += tau_s * turn;
}

static int step(Env *env, size_t first, size_t count, EnvBuf *buf)
{
	const double far_m = 2.4, far_rad = 12.0 * 2.0 * 3.14159265358979323846 / 360.0;
	CartPole *cart = (CartPole *) env;
	for (size_t e = first; e < first + count; e++) {
		Pole *pole = &cart->pole[e];
		move(pole, buf->action[e]);
		pole->steps++;
		buf->reward[e] = 1.0f;
		buf->terminated[e] = fabs(pole->state[0]) > far_m || fabs(pole->state[2]) > far_rad;
		buf->truncated[e] = pole->steps >= LIMIT;
		if (buf->terminated[e] || buf->truncated[e]) {
			observe(pole, buf->final_obs + e * DIM);
			begin(pole);
		}
		observe(pole, buf->obs + e * DIM);
	}
	return 0;
}

static size_t state_size(const Env *env)
{
	return env->n * sizeof(Pole);
}

static void snapshot(const Env *env, void *state)
{
	memcpy(state, ((const CartPole *) env)->pole, state_size(env));
}

static int restore(Env *env, const void *state, size_t size)
{
	if (size != state_size(env))
		return ERR_INVALID;
	memcpy(((CartPole *) env)->pole, state, size);
	return 0;
}

static void free_env(Env *env)
{
	free(env);
}

static const EnvOps OPS = {
	.name = "cartpole",
	.spec = spec,
	.reset = reset,
	.step = step,
	.state_size = state_size,
	.snapshot = snapshot,
	.restore = restore,
	.free = free_env,
};

Env *cartpole_new(size_t n)
{
	CartPole *cart = calloc(1, sizeof *cart + n * sizeof cart->pole[0]);
	if (!cart)
		return NULL;
	cart->env = (Env) { .ops = &OPS, .n = n };
	return &cart->env;
}
