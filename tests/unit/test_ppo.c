/* Training as a whole: a task with a known optimum, bad rewards, settings. Bytes and interruption: test_ppo_bytes.c. */
#include "fakes/http_server.h"
#include "fakes/ppo_rig.h"
#include "rl/ppo_inside.h"

#include <dirent.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- two states, two actions ----
 * In state 0, action 0 pays .2 and stays; action 1 pays nothing and leads to state 1, where action 0 pays 1 and leads
 * back, and action 1 pays nothing and stays. For gamma .9 the best is to go around: V(1) = 1 + .9 V(0) and
 * V(0) = .9 V(1), so V(0) = .9 / .19 and V(1) = 1 / .19. Only a time limit ends an episode, so that a value without the
 * bootstrap from final_obs would come out lower. */
enum { TWO_LIMIT = 20 };

typedef struct TwoState {
	Env env;
	int64_t nan_at; /* step of row 0 that pays NaN; < 0: none */
	int64_t taken;
	struct {
		int32_t state, steps;
	} row[];
} TwoState;

static void two_spec(const Env *env, EnvSpec *ret_spec)
{
	(void) env;
	*ret_spec = (EnvSpec) { .obs_dim = 2, .n_actions = 2, .episode_steps = TWO_LIMIT, .interval_s = 1.0f };
}

static void two_allow(int32_t state, size_t e, EnvBuf *buf)
{
	if (buf->mask) { /* in state 0 only to stay: what is forbidden is the best there */
		buf->mask[2 * e] = 1;
		buf->mask[2 * e + 1] = state == 1;
	}
}

static void two_observe(int32_t state, float *obs)
{
	obs[0] = state == 0 ? 1.0f : 0.0f;
	obs[1] = state == 1 ? 1.0f : 0.0f;
}

static int two_reset(Env *env, uint64_t seed, EnvBuf *buf)
{
	TwoState *two = (TwoState *) env;
	(void) seed;
	for (size_t e = 0; e < env->n; e++) {
		two->row[e].state = two->row[e].steps = 0;
		two_observe(0, buf->obs + 2 * e);
		two_allow(0, e, buf);
	}
	return 0;
}

static int two_step(Env *env, size_t first, size_t count, EnvBuf *buf)
{
	TwoState *two = (TwoState *) env;
	for (size_t e = first; e < first + count; e++) {
		int32_t from = two->row[e].state, action = buf->action[e];
		two->row[e].state = from == 0 ? action : action == 0 ? 0 : 1;
		buf->reward[e] = from == 0 && action == 0 ? 0.2f : from == 1 && action == 0 ? 1.0f : 0.0f;
		if (e == 0 && two->taken++ == two->nan_at)
			buf->reward[e] = NAN;
		buf->terminated[e] = 0;
		buf->truncated[e] = ++two->row[e].steps >= TWO_LIMIT;
		if (buf->truncated[e]) {
			two_observe(two->row[e].state, buf->final_obs + 2 * e);
			two->row[e].state = two->row[e].steps = 0;
		}
		two_observe(two->row[e].state, buf->obs + 2 * e);
		two_allow(two->row[e].state, e, buf);
	}
	return 0;
}

static void two_free(Env *env)
{
	free(env);
}

static const EnvOps TWO_OPS = {
	.name = "two-state", .spec = two_spec, .reset = two_reset, .step = two_step, .free = two_free,
};

static Env *two_new(size_t n, int64_t nan_at)
{
	TwoState *two = calloc(1, sizeof *two + n * sizeof two->row[0]);
	assert_non_null(two);
	two->env = (Env) { .ops = &TWO_OPS, .n = n };
	two->nan_at = nan_at;
	return &two->env;
}

static void two_config(PpoConfig *config)
{
	ppo_config_default(config);
	config->net.width[0] = config->net.width[1] = 16;
	config->n_envs = 4;
	config->n_steps = 64;
	config->gamma = 0.9;
	config->learning_rate = 3e-3;
	config->seed = 1;
}

static void ppo_learns_the_optimum_of_two_states(void **state)
{
	(void) state;
	const float obs[4] = { 1, 0, 0, 1 };
	float logits[4], v[2], *scratch;
	double value[TRAIN_METRIC_COUNT];
	PpoConfig config;
	Ppo *ppo = NULL;
	Env *env = two_new(4, -1);
	two_config(&config);
	assert_int_equal(ppo_new(&config, env, &ppo, NULL), 0);
	for (int i = 0; i < 60; i++)
		update(ppo, value);
	scratch = malloc(net_scratch_floats(ppo_net(ppo), 2) * sizeof *scratch);
	assert_non_null(scratch);
	net_forward(ppo_net(ppo), obs, 2, logits, v, scratch);
	assert_true(logits[1] > logits[0]); /* in 0: go */
	assert_true(logits[2] > logits[3]); /* in 1: back */
	assert_true(fabs((double) v[0] - 0.9 / 0.19) < 0.25);
	assert_true(fabs((double) v[1] - 1.0 / 0.19) < 0.25);
	/* ten rounds an episode, drawn from a policy that has settled */
	assert_true(value[TRAIN_EP_REW_MEAN] > 9.0 && value[TRAIN_EP_REW_MEAN] <= 10.0);
	assert_true(value[TRAIN_EP_LEN_MEAN] == TWO_LIMIT);
	assert_int_equal(ppo_steps(ppo), 60 * 4 * 64);
	free(scratch);
	ppo_free(ppo);
	env_free(env);
}

static void forbidden_actions_are_never_drawn_and_have_no_probability(void **state)
{
	(void) state;
	double value[TRAIN_METRIC_COUNT];
	PpoConfig config;
	Ppo *ppo = NULL;
	Env *env = two_new(4, -1);
	two_config(&config);
	config.use_masks = true;
	assert_int_equal(ppo_new(&config, env, &ppo, NULL), 0);
	for (int i = 0; i < 3; i++) {
		update(ppo, value);
		for (size_t k = 0; k < ppo_samples(ppo); k++) {
			assert_int_equal(ppo->rollout.action[k], 0); /* state 1 is never reached */
			assert_true(ppo->rollout.log_prob[k] == 0.0f);
		}
		assert_true(value[TRAIN_ENTROPY_LOSS] == 0.0 && value[TRAIN_APPROX_KL] == 0.0);
	}
	ppo_free(ppo);
	env_free(env);
}

static void episode_means_are_unknown_before_one_has_ended(void **state)
{
	(void) state;
	double value[TRAIN_METRIC_COUNT];
	PpoConfig config;
	Ppo *ppo = NULL;
	Env *env = two_new(4, -1);
	two_config(&config);
	config.n_steps = TWO_LIMIT - 1;
	assert_int_equal(ppo_new(&config, env, &ppo, NULL), 0);
	update(ppo, value);
	assert_true(isnan(value[TRAIN_EP_REW_MEAN]) && isnan(value[TRAIN_EP_LEN_MEAN]));
	update(ppo, value);
	assert_true(value[TRAIN_EP_LEN_MEAN] == TWO_LIMIT);
	ppo_free(ppo);
	env_free(env);
}

static void ppo_names_the_tensor_of_a_nan_and_keeps_the_parameters(void **state)
{
	(void) state;
	double value[TRAIN_METRIC_COUNT];
	PpoConfig config;
	Ppo *ppo = NULL;
	Error err = { 0 };
	Env *env = two_new(4, 64 + 5);
	two_config(&config);
	config.batch_size = 256; /* every minibatch holds it */
	assert_int_equal(ppo_new(&config, env, &ppo, NULL), 0);
	update(ppo, value);
	Net *before = net_clone(ppo_net(ppo));
	assert_non_null(before);
	assert_int_equal(ppo_collect(ppo, &err), 0);
	ppo_advantage(ppo);
	assert_int_equal(ppo_learn(ppo, value, &err), ERR_NONFINITE);
	assert_non_null(strstr(err.text, "mlp_extractor.policy_net.0.weight"));
	NetTensor ours[NET_TENSORS_MAX], theirs[NET_TENSORS_MAX];
	Net *after = net_clone(ppo_net(ppo));
	assert_non_null(after);
	size_t count = net_tensors(before, theirs, NET_TENSORS_MAX);
	(void) net_tensors(after, ours, NET_TENSORS_MAX);
	for (size_t t = 0; t < count; t++)
		assert_memory_equal(ours[t].data, theirs[t].data,
				    (size_t) ours[t].rows * (size_t) (ours[t].cols ? ours[t].cols : 1) * sizeof(float));
	net_free(before);
	net_free(after);
	ppo_free(ppo);
	env_free(env);
}

static void state_without_env_support_goes_on_from_new_episodes(void **state)
{
	(void) state;
	PpoConfig config;
	StrBuf bytes = { 0 };
	double value[TRAIN_METRIC_COUNT];
	Ppo *first = NULL, *second = NULL;
	Env *env = two_new(4, -1), *env2 = two_new(4, -1);
	two_config(&config);
	config.n_steps = 70; /* ends in the middle of an episode */
	assert_int_equal(ppo_new(&config, env, &first, NULL), 0);
	assert_int_equal(ppo_new(&config, env2, &second, NULL), 0);
	update(first, value);
	assert_int_equal(ppo_snapshot(first, &bytes, NULL), 0);
	assert_int_equal(ppo_restore(second, bytes.data, bytes.len, NULL), 0);
	assert_int_equal(ppo_steps(second), 280);
	update(second, value);
	assert_true(value[TRAIN_EP_LEN_MEAN] == TWO_LIMIT); /* no episode has steps of a lost one */
	strbuf_done(&bytes);
	ppo_free(first);
	ppo_free(second);
	env_free(env);
	env_free(env2);
}

static void statistics_of_a_rollout_serve_the_next(void **state)
{
	(void) state;
	PpoConfig config;
	double value[TRAIN_METRIC_COUNT];
	cart_config(&config);
	Trainer trainer = start(&config);
	assert_true(net_is_normalised(ppo_net(trainer.ppo)));
	assert_true(net_norm_mean(ppo_net(trainer.ppo))[0] == 0.0 && net_norm_var(ppo_net(trainer.ppo))[3] == 1.0);
	update(trainer.ppo, value);
	assert_true(fabs(net_norm_count(ppo_net(trainer.ppo)) - 500.0) < 1e-3);
	/* the pole falls faster than one radian a second spreads: neither the first values nor degenerate ones */
	assert_true(net_norm_var(ppo_net(trainer.ppo))[2] > 1e-4 && net_norm_var(ppo_net(trainer.ppo))[2] < 0.05);
	stop(&trainer);
}

/* With one minibatch of all samples the policy that learns is still the one that acted: what learning sees must be what
 * acting saw, normalised by the same statistics. */
static void learning_sees_what_acting_saw(void **state)
{
	(void) state;
	PpoConfig config;
	double value[TRAIN_METRIC_COUNT];
	cart_config(&config);
	config.batch_size = 500;
	config.n_epochs = 1;
	Trainer trainer = start(&config);
	for (int i = 0; i < 4; i++) {
		update(trainer.ppo, value);
		assert_true(value[TRAIN_APPROX_KL] < 1e-7 && value[TRAIN_CLIP_FRACTION] == 0.0);
		assert_true(value[TRAIN_ENTROPY_LOSS] > -0.6932 && value[TRAIN_ENTROPY_LOSS] < -0.1);
	}
	stop(&trainer);
}

typedef struct Returns { /* discounted sums of row 0 to 3, as VecNormalize keeps them */
	double running[4], sum, squares, count;
} Returns;

static void follow_returns(void *arg, size_t row, const EnvBuf *buf)
{
	Returns *returns = arg;
	returns->running[row] = 0.9 * returns->running[row] + (double) buf->reward[row];
	returns->sum += returns->running[row];
	returns->squares += returns->running[row] * returns->running[row];
	returns->count++;
	if (buf->truncated[row])
		returns->running[row] = 0.0;
}

static void rewards_are_scaled_by_the_deviation_of_discounted_returns(void **state)
{
	(void) state;
	PpoConfig config;
	double value[TRAIN_METRIC_COUNT];
	Returns returns = { 0 };
	Ppo *ppo = NULL;
	Env *env = two_new(4, -1);
	size_t ones = 0;
	two_config(&config);
	config.norm_reward = true;
	assert_int_equal(ppo_new(&config, env, &ppo, NULL), 0);
	ppo_on_step(ppo, follow_returns, &returns);
	update(ppo, value);
	double mean = returns.sum / returns.count, var = returns.squares / returns.count - mean * mean;
	assert_int_equal(ppo_collect(ppo, NULL), 0);
	for (size_t i = 0; i < ppo_samples(ppo); i++) {
		double paid = (double) ppo->rollout.reward[i] * sqrt(var);
		if (ppo->rollout.done[i]) /* with the bootstrap */
			continue;
		assert_true(fabs(paid) < 1e-4 || fabs(paid - 0.2) < 1e-4 || fabs(paid - 1.0) < 1e-4);
		ones += fabs(paid - 1.0) < 1e-4;
	}
	assert_true(ones > 10 && fabs(sqrt(var) - 1.0) > 0.01);
	ppo_free(ppo);
	env_free(env);
}

static void schedules_fall_linearly_and_settings_take_effect(void **state)
{
	(void) state;
	PpoConfig config;
	double value[TRAIN_METRIC_COUNT];
	cart_config(&config);
	Trainer trainer = start(&config);
	update(trainer.ppo, value);
	assert_true(fabs(value[TRAIN_LEARNING_RATE] - 3e-4 * 0.9) < 1e-12);
	assert_true(fabs(value[TRAIN_CLIP_RANGE] - 0.2 * 0.9) < 1e-12);
	ppo_set_learning_rate(trainer.ppo, 1e-3);
	ppo_set_clip_range(trainer.ppo, 0.1);
	ppo_set_ent_coef(trainer.ppo, 0.5);
	update(trainer.ppo, value);
	assert_true(fabs(value[TRAIN_LEARNING_RATE] - 1e-3 * 0.8) < 1e-12);
	assert_true(fabs(value[TRAIN_CLIP_RANGE] - 0.1 * 0.8) < 1e-12);
	assert_true(value[TRAIN_ENT_COEF] == 0.5);
	for (int i = 0; i < 10; i++) /* past the total: 0, never below */
		update(trainer.ppo, value);
	assert_true(value[TRAIN_LEARNING_RATE] == 0.0);
	stop(&trainer);
}

static void target_kl_ends_an_update_before_its_last_minibatch(void **state)
{
	(void) state;
	PpoConfig config;
	double value[TRAIN_METRIC_COUNT];
	int64_t steps[2];
	for (int i = 0; i < 2; i++) {
		cart_config(&config);
		config.learning_rate = 0.01;
		config.n_epochs = 20;
		config.target_kl = i ? 0.003 : 0.0;
		Trainer trainer = start(&config);
		update(trainer.ppo, value);
		steps[i] = learner_adam(trainer.ppo->learner)->step;
		stop(&trainer);
	}
	assert_int_equal(steps[0], 20 * 8);
	assert_true(steps[1] > 0 && steps[1] < 100);
}

static void count_step(void *arg, size_t row, const EnvBuf *buf)
{
	int64_t *count = arg;
	assert_true(buf->reward[row] == 1.0f && buf->info);
	count[row]++;
}

static void hook_sees_every_step_of_every_row(void **state)
{
	(void) state;
	PpoConfig config;
	double value[TRAIN_METRIC_COUNT], seconds[3];
	int64_t count[5] = { 0 };
	cart_config(&config);
	config.n_threads = 2;
	Trainer trainer = start(&config);
	ppo_on_step(trainer.ppo, count_step, count);
	update(trainer.ppo, value);
	for (int e = 0; e < 5; e++)
		assert_int_equal(count[e], 100);
	ppo_times(trainer.ppo, seconds);
	assert_true(seconds[0] > 0.0 && seconds[1] > 0.0 && seconds[2] > 0.0);
	stop(&trainer);
}

/* Threads of this process that let others go first, its first thread too. */
static bool are_three_aside(void *arg)
{
	int n = 0, usual = getpriority(PRIO_PROCESS, (id_t) getpid()); /* the tests may run under nice themselves */
	DIR *tasks = opendir("/proc/self/task");
	(void) arg;
	for (struct dirent *task; tasks && (task = readdir(tasks));)
		n += task->d_name[0] != '.' && getpriority(PRIO_PROCESS, (id_t) strtoul(task->d_name, NULL, 10)) > usual;
	(void) closedir(tasks);
	return n == 3;
}

static void *train_aside(void *arg)
{
	double value[TRAIN_METRIC_COUNT];
	Trainer *trainer = arg;
	ppo_step_aside(trainer->ppo);
	update(trainer->ppo, value);
	return fake_comes(are_three_aside, NULL) ? trainer : NULL; /* one of them does when it wakes */
}

static void all_that_train_step_aside(void **state)
{
	(void) state;
	PpoConfig config;
	pthread_t thread; /* what it asks for cannot be taken back */
	void *has_come = NULL;
	cart_config(&config);
	config.n_threads = 2;
	Trainer trainer = start(&config);
	assert_int_equal(pthread_create(&thread, NULL, train_aside, &trainer), 0);
	(void) pthread_join(thread, &has_come);
	assert_ptr_equal(has_come, &trainer); /* the thread, the pool's and the learner's */
	stop(&trainer);
}

static void ppo_new_names_the_bad_setting(void **state)
{
	(void) state;
	PpoConfig good;
	Error err = { 0 };
	Ppo *ppo = NULL;
	Env *env = cartpole_new(5);
	cart_config(&good);
#define BAD(field, bad_value, name)                                            \
	do {                                                                   \
		PpoConfig bad = good;                                          \
		bad.field = bad_value;                                         \
		assert_int_equal(ppo_new(&bad, env, &ppo, &err), ERR_INVALID); \
		assert_non_null(strstr(err.text, name));                       \
	} while (0)
	BAD(n_envs, 4, "n_envs");
	BAD(n_steps, 0, "n_steps");
	BAD(batch_size, 0, "batch_size");
	BAD(gamma, (double) NAN, "gamma");
	BAD(learning_rate, -1.0, "learning_rate");
	BAD(n_threads, 65, "n_threads");
	BAD(total_timesteps, 0, "total_timesteps");
	BAD(target_kl, -1.0, "target_kl");
	BAD(clip_range_vf, -0.1, "clip_range_vf");
	BAD(net.depth, 9, "depth");
	assert_null(ppo);
	env_free(env);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ppo_learns_the_optimum_of_two_states),
		cmocka_unit_test(forbidden_actions_are_never_drawn_and_have_no_probability),
		cmocka_unit_test(episode_means_are_unknown_before_one_has_ended),
		cmocka_unit_test(ppo_names_the_tensor_of_a_nan_and_keeps_the_parameters),
		cmocka_unit_test(state_without_env_support_goes_on_from_new_episodes),
		cmocka_unit_test(statistics_of_a_rollout_serve_the_next),
		cmocka_unit_test(learning_sees_what_acting_saw),
		cmocka_unit_test(rewards_are_scaled_by_the_deviation_of_discounted_returns),
		cmocka_unit_test(schedules_fall_linearly_and_settings_take_effect),
		cmocka_unit_test(target_kl_ends_an_update_before_its_last_minibatch),
		cmocka_unit_test(hook_sees_every_step_of_every_row),
		cmocka_unit_test(all_that_train_step_aside),
		cmocka_unit_test(ppo_new_names_the_bad_setting),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
