/* Advantages worked out by hand; gradients against central differences of the loss written out in double. */
#include "rl/gae.h"
#include "rl/learner.h"
#include "rl/normalise.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_near(double ours, double theirs, double tolerance)
{
	if (!(fabs(ours - theirs) <= tolerance))
		fail_msg("%.9g, not %.9g", ours, theirs);
}

/* gamma .5, lambda .5. By hand, from the end:
 *     t 3: delta 1 + .5*4 - 2 = 1          advantage 1
 *     t 2: delta 0 + .5*2 - 1 = 0          advantage 0 + .25*1 = .25
 *     t 1: ended: delta 3 - 1 = 2          advantage 2
 *     t 0: delta 1 + .5*1 - 0 = 1.5        advantage 1.5 + .25*2 = 2 */
static void gae_is_the_hand_worked_one(void **state)
{
	(void) state;
	const float reward[] = { 1, 3, 0, 1 }, value[] = { 0, 1, 1, 2 };
	const uint8_t done[] = { 0, 1, 0, 0 };
	const double want[] = { 2, 2, 0.25, 1 };
	float advantage[4], ret[4];
	gae_compute(4, reward, value, done, 4.0f, 0.5, 0.5, advantage, ret);
	for (int t = 0; t < 4; t++) {
		assert_near((double) advantage[t], want[t], 1e-7);
		assert_near((double) ret[t], want[t] + (double) value[t], 1e-7);
	}
}

static void gae_of_lambda_one_is_the_discounted_return(void **state)
{
	(void) state;
	const float reward[] = { 1, 2, 4 }, value[] = { 5, 6, 7 };
	const uint8_t done[] = { 0, 0, 1 };
	float advantage[3], ret[3];
	gae_compute(3, reward, value, done, 100.0f, 0.5, 1.0, advantage, ret);
	assert_near((double) ret[0], 1 + 0.5 * 2 + 0.25 * 4, 1e-6);
	assert_near((double) ret[2], 4, 1e-6);
}

/* ---- gradients ---- */

enum { N = 19, DIM = 5, PARAMS_MAX = 4096 };

typedef struct World {
	NetConfig config;
	Net *net;
	Learner *learner;
	RolloutBuf buf;
	uint32_t index[N];
	size_t n_params;
	double param[PARAMS_MAX];
	size_t place[PARAMS_MAX]; /* of each in the flat buffers */
} World;

static void world_init(World *world, const NetConfig *config)
{
	size_t n_actions = (size_t) config->n_actions;
	NetTensor tensor[NET_TENSORS_MAX];
	Rng rng;
	*world = (World) { .config = *config };
	rng_init(&rng, 5, 0, RNG_INIT);
	assert_int_equal(net_new(&world->config, &world->net, NULL), 0);
	assert_int_equal(rollout_init(&world->buf, 1, N, DIM, n_actions), 0);
	assert_int_equal(learner_new(world->net, N, N, 1e-5, 2, &world->learner), 0);
	size_t count = net_tensors(world->net, tensor, NET_TENSORS_MAX);
	for (size_t t = 0; t < count; t++)
		for (int32_t i = 0; i < tensor[t].rows * (tensor[t].cols ? tensor[t].cols : 1); i++) {
			tensor[t].data[i] = 0.25f * (float) rng_normal(&rng);
			world->place[world->n_params] = (size_t) (tensor[t].data + i - tensor[0].data);
			world->param[world->n_params++] = (double) tensor[t].data[i];
		}
	net_pack(world->net);
	for (size_t i = 0; i < N; i++) {
		world->index[i] = (uint32_t) ((i * 7) % N);
		for (size_t o = 0; o < DIM; o++)
			world->buf.obs[i * DIM + o] = (float) rng_normal(&rng);
		world->buf.action[i] = (int32_t) rng_below(&rng, (uint32_t) n_actions);
		for (size_t a = 0; a < n_actions; a++) /* from two actions on, some are forbidden */
			world->buf.mask[i * n_actions + a] = a == (size_t) world->buf.action[i] || rng_below(&rng, 3) > 0;
		world->buf.log_prob[i] = (float) (-log((double) n_actions - 0.5) + 0.3 * rng_normal(&rng)); /* some ratios are clipped */
		world->buf.value[i] = (float) (0.3 * rng_normal(&rng));
		world->buf.advantage[i] = (float) rng_normal(&rng);
		world->buf.ret[i] = (float) rng_normal(&rng);
	}
}

static void world_done(World *world)
{
	learner_free(world->learner);
	rollout_done(&world->buf);
	net_free(world->net);
}

/* One layer in double from parameters at *at, which moves on. */
static void layer(const double **at, int32_t in, int32_t out, Activation activation, bool is_head, const double *x,
		  double *y)
{
	const double *weight = *at, *bias = weight + in * out;
	for (int32_t j = 0; j < out; j++) {
		double sum = bias[j];
		for (int32_t k = 0; k < in; k++)
			sum += weight[j * in + k] * x[k];
		y[j] = is_head ? sum : activation == ACTIVATION_TANH ? tanh(sum) : fmax(0.0, sum);
	}
	*at = bias + out;
}

/* The layers of a trunk from parameters at *at, into x; returns how many outputs there are. */
static int32_t trunk(const double **at, int32_t in, int32_t depth, const int32_t *width, Activation activation, double *x)
{
	double y[16];
	for (int32_t l = 0; l < depth; l++) {
		layer(at, in, width[l], activation, false, x, y);
		in = width[l];
		memcpy(x, y, (size_t) in * sizeof *x);
	}
	return in;
}

static double sample_loss(const World *world, const LossConfig *config, size_t i)
{
	const NetConfig *c = &world->config;
	const double *at = world->param;
	double pi[16], vf[16], logits[16], value, sum = 0.0, entropy = 0.0;
	const uint8_t *mask = world->buf.mask + i * (size_t) c->n_actions;
	for (size_t o = 0; o < DIM; o++)
		pi[o] = (double) world->buf.obs[i * DIM + o];
	int32_t in = trunk(&at, DIM, c->shared_depth, c->shared_width, c->activation, pi), n_vf;
	memcpy(vf, pi, sizeof vf);
	int32_t n_pi = trunk(&at, in, c->depth, c->width, c->activation, pi);
	n_vf = trunk(&at, in, c->has_value_arch ? c->value_depth : c->depth, c->has_value_arch ? c->value_width : c->width,
		     c->activation, vf);
	layer(&at, n_pi, c->n_actions, c->activation, true, pi, logits);
	layer(&at, n_vf, 1, c->activation, true, vf, &value);
	for (int32_t a = 0; a < c->n_actions; a++)
		sum += mask[a] ? exp(logits[a]) : 0.0;
	for (int32_t a = 0; a < c->n_actions; a++)
		entropy -= mask[a] ? exp(logits[a]) / sum * log(exp(logits[a]) / sum) : 0.0;
	double ratio = exp(logits[world->buf.action[i]] - log(sum) - (double) world->buf.log_prob[i]);
	double held = fmin(fmax(ratio, 1.0 - config->clip_range), 1.0 + config->clip_range);
	double advantage = (double) world->buf.advantage[i], old = (double) world->buf.value[i];
	if (config->clip_range_vf > 0)
		value = old + fmin(fmax(value - old, -config->clip_range_vf), config->clip_range_vf);
	double error = value - (double) world->buf.ret[i];
	return -fmin(ratio * advantage, held * advantage) - config->ent_coef * entropy + config->vf_coef * error * error;
}

/* The loss of the paper over all samples, advantages as they are. */
static double plain_loss(const World *world, const LossConfig *config)
{
	double loss = 0.0;
	for (size_t i = 0; i < N; i++)
		loss += sample_loss(world, config, i);
	return loss / N;
}

static void check_gradient(const NetConfig *shape, double clip_range_vf)
{
	const LossConfig config = { .clip_range = 0.2, .ent_coef = 0.03, .vf_coef = 0.7, .clip_range_vf = clip_range_vf };
	const double step = 1e-5;
	World world;
	LossFigures figures;
	world_init(&world, shape);
	learner_gradient(world.learner, &world.buf, world.index, N, &config, &figures);
	assert_near(figures.loss, plain_loss(&world, &config), 1e-5);
	assert_true(figures.clip_fraction > 0.1 && figures.clip_fraction < 0.95); /* both branches */
	for (size_t p = 0; p < world.n_params; p++) {
		double before = world.param[p];
		world.param[p] = before + step;
		double above = plain_loss(&world, &config);
		world.param[p] = before - step;
		double slope = (above - plain_loss(&world, &config)) / (2.0 * step);
		world.param[p] = before;
		assert_near((double) learner_gradients(world.learner)[world.place[p]], slope, 2e-5);
	}
	world_done(&world);
}

/* Each under masks, and the second and third with values clipped. */
static void gradients_agree_with_central_differences(void **state)
{
	(void) state;
	check_gradient(&(NetConfig) { .obs_dim = DIM, .n_actions = 3, .depth = 2, .width = { 7, 8 } }, 0);
	check_gradient(&(NetConfig) { .obs_dim = DIM, .n_actions = 2, .depth = 1, .width = { 13 },
				      .activation = ACTIVATION_RELU }, 0.3);
	check_gradient(&(NetConfig) { .obs_dim = DIM, .n_actions = 4 }, 0.1);
	check_gradient(&(NetConfig) { .obs_dim = DIM, .n_actions = 3, .depth = 1, .width = { 9 }, .has_value_arch = true,
				      .value_depth = 2, .value_width = { 5, 3 } }, 0);
	check_gradient(&(NetConfig) { .obs_dim = DIM, .n_actions = 3, .depth = 1, .width = { 4 }, .shared_depth = 2,
				      .shared_width = { 9, 6 } }, 0);
}

/* Mean 2, unbiased deviation 1: {1, 2, 3} becomes {-1, 0, 1}; and with a ratio of 1 the surrogate is their mean. */
static void advantages_are_normalised_by_the_unbiased_deviation_unless_alone(void **state)
{
	(void) state;
	const LossConfig config = { .clip_range = 0.2, .normalize_advantage = true };
	const float logits[6] = { 0 };
	const float even = -0.69314718f, log_prob[3] = { even, even, even };
	const int32_t action[3] = { 0, 1, 0 };
	float advantage[3] = { 1, 2, 3 }, dlogits[6];
	_Alignas(64) float scratch[8 * 16];
	LossFigures figures;
	LossPolicy batch = { .n = 3, .n_actions = 2, .ld_logits = 2, .logits = logits, .action = action,
			     .log_prob = log_prob, .advantage = advantage, .scratch = scratch };
	assert_true(loss_scratch_floats(3, 2) <= sizeof scratch / sizeof *scratch);
	loss_policy(&config, &batch, kernels_best(), dlogits, &figures);
	for (int i = 0; i < 3; i++)
		assert_near((double) advantage[i], i - 1.0, 1e-6);
	assert_near(figures.policy_loss, 0.0, 1e-6);
	assert_near(figures.entropy_loss, -log(2.0), 1e-6);
	advantage[0] = 5.0f;
	batch.n = 1;
	loss_policy(&config, &batch, kernels_best(), dlogits, &figures);
	assert_near((double) advantage[0], 5.0, 0.0);
	assert_near(figures.policy_loss, -5.0, 1e-5);
}

static void explained_variance_is_one_for_a_perfect_critic_and_unknown_for_constant_returns(void **state)
{
	(void) state;
	RolloutBuf buf;
	assert_int_equal(rollout_init(&buf, 2, 2, 1, 0), 0);
	for (int i = 0; i < 4; i++)
		buf.ret[i] = buf.value[i] = (float) i;
	assert_near(rollout_explained_variance(&buf), 1.0, 0.0);
	for (int i = 0; i < 4; i++)
		buf.value[i] = 7.0f; /* says nothing */
	assert_near(rollout_explained_variance(&buf), 0.0, 1e-12);
	for (int i = 0; i < 4; i++)
		buf.ret[i] = 1.0f;
	assert_true(isnan(rollout_explained_variance(&buf)));
	rollout_done(&buf);
}

static void running_moments_of_parts_are_those_of_the_whole(void **state)
{
	(void) state;
	const float x[6] = { 1, 2, 3, 10, 20, 60 };
	double mean, var, part_mean, part_var, all_mean, all_var;
	Running running;
	running_init(&running, 1, &mean, &var);
	running.count = 0.0; /* without SB3's first grain */
	for (size_t at = 0; at < 6; at += 3) {
		batch_moments(3, 1, x + at, &part_mean, &part_var);
		running_merge(&running, 3.0, &part_mean, &part_var);
	}
	batch_moments(6, 1, x, &all_mean, &all_var);
	assert_near(all_mean, 16.0, 1e-12);
	assert_near(mean, all_mean, 1e-9);
	assert_near(var, all_var, 1e-9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gae_is_the_hand_worked_one),
		cmocka_unit_test(gae_of_lambda_one_is_the_discounted_return),
		cmocka_unit_test(gradients_agree_with_central_differences),
		cmocka_unit_test(advantages_are_normalised_by_the_unbiased_deviation_unless_alone),
		cmocka_unit_test(explained_variance_is_one_for_a_perfect_critic_and_unknown_for_constant_returns),
		cmocka_unit_test(running_moments_of_parts_are_those_of_the_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
