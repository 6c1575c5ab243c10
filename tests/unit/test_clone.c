/* Cloning a teacher: its loss and gradient, and that a net comes to act as the teacher does; then what the trend environments draw. */
#include "fakes/cartpole.h"
#include "rl/loss.h"
#include "rl/ppo.h"
#include "sim/sim.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS = 5, ACTIONS = 3, LD = 16 };

static const double SMOOTHING = .15;

typedef struct Batch {
	float logits[ROWS][LD], dlogits[ROWS][LD], log_prob[ROWS], advantage[ROWS];
	int32_t action[ROWS];
	uint8_t mask[ROWS][ACTIONS];
	LossFigures figures;
} Batch;

static void fill(Batch *batch)
{
	*batch = (Batch) { .action = { 0, 2, 1, 1, 2 },
		.mask = { { 1, 1, 1 }, { 1, 1, 1 }, { 0, 1, 1 }, { 0, 1, 0 }, { 1, 0, 1 } } };
	for (int b = 0; b < ROWS; b++)
		for (int a = 0; a < ACTIONS; a++)
			batch->logits[b][a] = (float) (sin(3.0 * b + 7.0 * a) * 1.5);
}

static void run(Batch *batch)
{
	float *scratch = aligned_alloc(64, (loss_scratch_floats(ROWS, ACTIONS) * sizeof(float) + 63) / 64 * 64);
	LossConfig config = { .clip_range = .2, .ent_coef = .1, .clone_smoothing = SMOOTHING, .normalize_advantage = true };
	LossPolicy policy = {
		.n = ROWS, .n_actions = ACTIONS, .ld_logits = LD, .logits = batch->logits[0], .action = batch->action,
		.mask = batch->mask[0], .log_prob = batch->log_prob, .advantage = batch->advantage, .scratch = scratch,
	};
	loss_policy(&config, &policy, kernels_best(), batch->dlogits[0], &batch->figures);
	free(scratch);
}

/* The cross-entropy written out in double: over the allowed actions, the teacher's but for what is spread out. */
static double by_hand(const Batch *batch)
{
	double loss = 0;
	for (int b = 0; b < ROWS; b++) {
		double sum = 0;
		int allowed = 0;
		for (int a = 0; a < ACTIONS; a++)
			if (batch->mask[b][a]) {
				sum += exp((double) batch->logits[b][a]);
				allowed++;
			}
		for (int a = 0; a < ACTIONS; a++)
			if (batch->mask[b][a]) {
				double q = (a == batch->action[b] ? 1 - SMOOTHING : 0) + SMOOTHING / allowed;
				loss -= q * ((double) batch->logits[b][a] - log(sum)) / ROWS;
			}
	}
	return loss;
}

static void cloning_is_cross_entropy_against_the_teacher(void **state)
{
	(void) state;
	Batch batch;
	fill(&batch);
	run(&batch);
	assert_true(fabs(batch.figures.policy_loss - by_hand(&batch)) < 1e-6);
}

static void cloning_gradient_is_that_of_central_differences(void **state)
{
	(void) state;
	Batch batch;
	fill(&batch);
	run(&batch);
	for (int b = 0; b < ROWS; b++)
		for (int a = 0; a < ACTIONS; a++) {
			const float h = 1e-3f;
			Batch up = batch, down = batch;
			up.logits[b][a] += h;
			down.logits[b][a] -= h;
			double slope = (by_hand(&up) - by_hand(&down)) / ((double) up.logits[b][a] - (double) down.logits[b][a]);
			if (fabs((double) batch.dlogits[b][a] - slope) > 1e-5)
				fail_msg("row %d action %d: %.7f, not %.7f", b, a, (double) batch.dlogits[b][a], slope);
		}
}

/* PPO's loss and, beside it, the cross-entropy against the teacher: what the second adds to the gradient is its own. */
static void staying_with_a_teacher_adds_its_cross_entropy(void **state)
{
	(void) state;
	static const double coef = .3, smoothing = .05;
	static const int32_t teacher[ROWS] = { 1, 1, 2, 1, 0 };
	Batch batch, alone;
	for (int pass = 0; pass < 2; pass++) {
		Batch *to = pass ? &batch : &alone;
		fill(to);
		float *scratch = aligned_alloc(64, (loss_scratch_floats(ROWS, ACTIONS) * sizeof(float) + 63) / 64 * 64);
		for (int b = 0; b < ROWS; b++) {
			to->advantage[b] = (float) (b - 2);
			to->log_prob[b] = -1.2f;
		}
		LossConfig config = { .clip_range = .2, .ent_coef = .1, .teacher_coef = coef };
		LossPolicy policy = {
			.n = ROWS, .n_actions = ACTIONS, .ld_logits = LD, .logits = to->logits[0], .action = to->action,
			.mask = to->mask[0], .teacher = pass ? teacher : NULL, .log_prob = to->log_prob, .advantage = to->advantage,
			.scratch = scratch,
		};
		loss_policy(&config, &policy, kernels_best(), to->dlogits[0], &to->figures);
		free(scratch);
	}
	double loss = 0;
	for (int b = 0; b < ROWS; b++) {
		double sum = 0;
		int allowed = 0;
		for (int a = 0; a < ACTIONS; a++)
			if (batch.mask[b][a]) {
				sum += exp((double) batch.logits[b][a]);
				allowed++;
			}
		for (int a = 0; a < ACTIONS; a++) {
			double p = batch.mask[b][a] ? exp((double) batch.logits[b][a]) / sum : 0;
			double q = (a == teacher[b] ? 1 - smoothing : 0) + (batch.mask[b][a] ? smoothing / allowed : 0);
			double added = (double) batch.dlogits[b][a] - (double) alone.dlogits[b][a];
			loss -= q > 0 ? coef * q * log(p) / ROWS : 0;
			if (fabs(added - coef * (p - q) / ROWS) > 1e-6)
				fail_msg("row %d action %d: %.7f, not %.7f", b, a, added, coef * (p - q) / ROWS);
		}
	}
	assert_true(fabs(batch.figures.policy_loss - alone.figures.policy_loss - loss) < 1e-6);
}

/* ---- a net comes to act as its teacher ---- */

static int32_t push_towards_the_fall(void *arg, const float *obs, const uint8_t *mask)
{
	(void) arg;
	(void) mask;
	return obs[2] + .5f * obs[3] > 0.0f; /* angle, and how fast it grows */
}

static void a_net_comes_to_act_as_its_teacher(void **state)
{
	(void) state;
	Error err = { 0 };
	PpoConfig config;
	ppo_config_default(&config);
	config.n_envs = 8;
	config.n_steps = 256;
	config.batch_size = 256;
	config.learning_rate = 3e-3;
	config.teacher = push_towards_the_fall;
	config.clone_steps = 8 * 256 * 6;
	Env *env = cartpole_new(8);
	Ppo *ppo = NULL;
	if (ppo_new(&config, env, &ppo, &err))
		fail_msg("%s", err.text);
	double value[TRAIN_METRIC_COUNT];
	for (int i = 0; i < 6; i++) {
		assert_int_equal(ppo_collect(ppo, &err), 0);
		ppo_advantage(ppo);
		assert_int_equal(ppo_learn(ppo, value, &err), 0);
		assert_true(value[TRAIN_CLIP_FRACTION] == 0.0);
	}
	float obs[4] = { 0 }, logits[2], scratch[4096];
	assert_true(net_scratch_floats(ppo_net(ppo), 1) <= 4096);
	int same = 0, all = 0;
	for (int i = -10; i <= 10; i++)
		for (int k = -10; k <= 10; k++) {
			obs[2] = .01f * (float) i;
			obs[3] = .05f * (float) k;
			if (fabsf(obs[2] + .5f * obs[3]) < .02f)
				continue;
			net_forward(ppo_net(ppo), obs, 1, logits, NULL, scratch);
			same += (logits[1] > logits[0]) == push_towards_the_fall(NULL, obs, NULL);
			all++;
		}
	if (same < .95 * all)
		fail_msg("%d of %d as the teacher", same, all);
	ppo_free(ppo);
	env_free(env);
}

/* ---- what the trend environments draw ---- */

enum { ENVS = 64 };

static Env *trend_env(const Trace *trace, EnvBuf *buf)
{
	SimConfig sim;
	Error err = { 0 };
	Env *env = NULL;
	EnvSpec spec;
	sim_config_default(&sim);
	sim.trace = trace;
	sim.random_start = true;
	sim.interval_s = 15;
	sim.latency_soft_ms = 250;
	sim.latency_hard_ms = 500;
	sim.start = SIM_START_DEMAND;
	sim.observation = OBS_TREND;
	sim.has_rails = true;
	sim.reward = SIM_REWARD_SLO;
	sim.vary = (SimVary) { .startup_min_s = 5, .startup_max_s = 120, .price_min = .05, .price_max = 3, .mirrors = true };
	if (sim_env_new(&sim, ENVS, &env, &err))
		fail_msg("%s", err.text);
	env->ops->spec(env, &spec);
	assert_int_equal(spec.obs_dim, TREND_DIM);
	assert_int_equal(env_buf_init(buf, ENVS, &spec), 0);
	assert_int_equal(env->ops->reset(env, 3, buf), 0);
	return env;
}

/* Log-uniform: half of the prices below the geometric mean of the bounds; every reward pays its own. */
static void episodes_have_prices_of_their_own(void **state)
{
	(void) state;
	Trace trace;
	Error err = { 0 };
	EnvBuf buf;
	assert_int_equal(trace_open("wc98_opening_week", &trace, &err), 0);
	Env *env = trend_env(&trace, &buf);
	int cheap = 0;
	float lowest = 9, highest = -9;
	for (size_t i = 0; i < ENVS; i++) {
		float price = buf.obs[i * TREND_DIM + TREND_PRICE];
		cheap += price < logf(sqrtf(.05f * 3) / .4f);
		lowest = fminf(lowest, price);
		highest = fmaxf(highest, price);
		buf.action[i] = ACTION_KEEP;
	}
	assert_true(lowest >= logf(.05f / .4f) - 1e-5f && highest <= logf(3 / .4f) + 1e-5f && highest - lowest > 3.5f);
	assert_true(cheap > ENVS / 4 && cheap < 3 * ENVS / 4);
	assert_int_equal(env->ops->step(env, 0, ENVS, &buf), 0);
	for (size_t i = 0; i < ENVS; i++) {
		float price = .4f * expf(buf.obs[i * TREND_DIM + TREND_PRICE]);
		float pods = price * (float) buf.info[i].replicas / 15;
		assert_true(buf.reward[i] <= -pods + 1e-5f && buf.reward[i] >= -pods - 2.00001f);
	}
	env_free(env);
	env_buf_done(&buf);
	trace_done(&trace);
}

/* The mask is the rails': a minute without downs after an up. */
static void the_mask_is_what_the_rails_leave(void **state)
{
	(void) state;
	Trace trace;
	Error err = { 0 };
	EnvBuf buf;
	int seen = 0;
	assert_int_equal(trace_open("wc98_opening_week", &trace, &err), 0);
	Env *env = trend_env(&trace, &buf);
	bool went_up[ENVS];
	for (int t = 0; t < 4; t++) {
		for (size_t i = 0; i < ENVS; i++) {
			bool may = buf.mask[i * ACTION_COUNT + ACTION_UP];
			if (!t)
				went_up[i] = may;
			buf.action[i] = !t && may ? ACTION_UP : ACTION_KEEP;
		}
		assert_int_equal(env->ops->step(env, 0, ENVS, &buf), 0);
		for (size_t i = 0; i < ENVS; i++)
			if (t < 3 && went_up[i]) {
				assert_int_equal(buf.mask[i * ACTION_COUNT + ACTION_DOWN], 0);
				seen++;
			}
	}
	int free_again = 0;
	for (size_t i = 0; i < ENVS; i++)
		free_again += went_up[i] && buf.mask[i * ACTION_COUNT + ACTION_DOWN];
	assert_true(seen > ENVS && free_again > ENVS / 4);
	env_free(env);
	env_buf_done(&buf);
	trace_done(&trace);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cloning_is_cross_entropy_against_the_teacher),
		cmocka_unit_test(cloning_gradient_is_that_of_central_differences),
		cmocka_unit_test(staying_with_a_teacher_adds_its_cross_entropy),
		cmocka_unit_test(a_net_comes_to_act_as_its_teacher),
		cmocka_unit_test(episodes_have_prices_of_their_own),
		cmocka_unit_test(the_mask_is_what_the_rails_leave),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
