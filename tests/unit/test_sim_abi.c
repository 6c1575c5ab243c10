/* The simulator's C interface gives the rows of the Env that `maestro train` trains in, and says what is wrong. */
#include "cmd/train_opts.h"
#include "sim/sim_abi.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { STEPS = 60, WORDS = 24 };

typedef struct World { /* as `train` makes it */
	TrainOptions options;
	TrainerConfig config;
	ServiceFile service;
	SimTraffic traffic;
	Env *env;
	EnvSpec spec;
	EnvBuf buf;
} World;

static void open_world(World *w, char **argv, bool is_held_out)
{
	Error err = { 0 };
	int argc = 0;
	while (argv[argc])
		argc++;
	memset(w, 0, sizeof *w);
	assert_int_equal(train_options_parse(&TRAIN_COMMAND, &w->options, argc, argv), 0);
	const char *service = w->options.sim.service;
	if (service)
		assert_int_equal(service_file_read(service, &w->service, &err), 0);
	assert_int_equal(train_options_apply(&w->options, service ? &w->service : NULL, &w->config, &err), 0);
	w->config.sim.has_hints = false; /* for a critic within training: no part of the environment */
	assert_int_equal(sim_traffic_open(&w->options.sim, &w->traffic, &w->config.sim, &w->config.eval_sim, &err), 0);
	const SimConfig *sim = is_held_out ? &w->config.eval_sim : &w->config.sim;
	assert_int_equal(sim_env_new(sim, (size_t) w->options.sim.envs, &w->env, &err), 0);
	w->env->ops->spec(w->env, &w->spec);
	assert_int_equal(env_buf_init(&w->buf, w->env->n, &w->spec), 0);
	assert_int_equal(w->env->ops->reset(w->env, (uint64_t) w->options.sim.seed, &w->buf), 0);
}

static void close_world(World *w)
{
	env_buf_done(&w->buf);
	env_free(w->env);
	sim_traffic_close(&w->traffic);
}

/* "--pod-price 1 ..." as calls of the interface. */
static MaestroSim *open_abi(char **argv, bool is_held_out, size_t n)
{
	MaestroSim *sim = maestro_sim_new();
	assert_non_null(sim);
	for (int i = 1; argv[i]; i += 2)
		if (maestro_sim_set(sim, argv[i] + 2, argv[i + 1]))
			fail_msg("%s", maestro_sim_error(sim));
	if (is_held_out)
		assert_int_equal(maestro_sim_set(sim, "part", "held-out"), 0);
	if (maestro_sim_open(sim, n))
		fail_msg("%s", maestro_sim_error(sim));
	assert_int_equal(maestro_sim_reset(sim, maestro_sim_seed(sim)), 0);
	return sim;
}

static void assert_same_rows(World *w, MaestroSim *sim)
{
	size_t n = w->env->n, obs_bytes = n * (size_t) w->spec.obs_dim * sizeof(float);
	assert_int_equal(maestro_sim_obs_dim(sim), w->spec.obs_dim);
	assert_int_equal(maestro_sim_n_actions(sim), w->spec.n_actions);
	assert_int_equal(maestro_sim_episode_steps(sim), w->spec.episode_steps);
	assert_true(maestro_sim_interval_s(sim) == w->spec.interval_s);
	for (size_t t = 0; t < STEPS; t++) {
		for (size_t i = 0; i < n; i++)
			w->buf.action[i] = (int32_t) ((t / 3 + i) % (size_t) w->spec.n_actions);
		assert_memory_equal(maestro_sim_obs(sim), w->buf.obs, obs_bytes);
		assert_memory_equal(maestro_sim_mask(sim), w->buf.mask, n * (size_t) w->spec.n_actions);
		assert_int_equal(maestro_sim_step(sim, w->buf.action), 0);
		assert_int_equal(w->env->ops->step(w->env, 0, n, &w->buf), 0);
		assert_memory_equal(maestro_sim_reward(sim), w->buf.reward, sizeof(float) * n);
		assert_memory_equal(maestro_sim_terminated(sim), w->buf.terminated, n);
		assert_memory_equal(maestro_sim_truncated(sim), w->buf.truncated, n);
		assert_memory_equal(maestro_sim_final_obs(sim), w->buf.final_obs, obs_bytes);
	}
}

static void write_service(char path[64])
{
	Error err = { 0 };
	ServiceFile file;
	strcpy(path, "/tmp/test_sim_abi.XXXXXX");
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	service_file_default(&file);
	file.service.service_mean = .03;
	assert_int_equal(service_file_write(&file, path, &err), 0);
}

static void the_environments_of_a_training_are_had_to_the_bit(void **state)
{
	(void) state;
	static World w;
	char service[64];
	write_service(service);
	char *lines[][WORDS] = {
		{ "train", "--envs", "5", NULL },
		{ "train", "--preset", "seed", NULL },
		{ "train", "--preset", "seed", "--trace", "nasa95_jul_week", "--envs", "3", "--latency-soft", "250", "--latency-hard", "500",
		  "--bounds", "terminate", "--episode-steps", "20", NULL },
		{ "train", "--envs", "4", "--actions", "three", "--reward", "seed", "--stack", "3", "--pod-price", "1.5", "--startup", "45s",
		  "--rate-window", "1m", "--seed", "11", NULL },
		{ "train", "--envs", "3", "--traffic", "spike:every=20m", "--interval", "30s", "--max-replicas", "24", "--min-replicas", "2",
		  "--peak-rps", "300", "--episode-steps", "25", NULL },
		{ "train", "--envs", "4", "--steps", "200", "--chaos", ".3", "--randomise", "2", "--vary", "all", NULL },
		{ "train", "--envs", "2", "--trace", "nasa95_jul_week", "--trace", "wc98_opening_week", "--service", service, "--lb", "least", "--level",
		  "request", NULL },
	};
	for (size_t k = 0; k < sizeof lines / sizeof *lines; k++)
		for (int is_held_out = 0; is_held_out < 2; is_held_out++) {
			char *argv[WORDS]; /* parsing moves words about */
			memcpy(argv, lines[k], sizeof argv);
			open_world(&w, argv, is_held_out);
			MaestroSim *sim = open_abi(lines[k], is_held_out, w.env->n);
			assert_same_rows(&w, sim);
			maestro_sim_free(sim);
			close_world(&w);
		}
	assert_int_equal(unlink(service), 0);
}

/* The randomised services are there with either observation. */
static void each_option_changes_something(void **state)
{
	(void) state;
	static const char *const options[][2] = {
		{ "observation", "seed" }, { "actions", "three" }, { "reward", "seed" }, { "draws", "false" }, { "vary", "metric-delay,backend" }, { "interval", "30s" },
		{ "rate-window", "60s" }, { "latency-soft", "100" }, { "max-replicas", "9" }, { "min-replicas", "3" }, { "peak-rps", "500" },
		{ "trace", "nasa95_jul_week" }, { "traffic", "step" }, { "randomise", "3" }, { "chaos", "1" }, { "startup", "90s" },
		{ "stack", "2" }, { "start", "random" }, { "window-from", ".2" }, { "window-to", ".2" }, { "compression", "3" },
		{ "latency-window", "90s" }, { "substep", "2.5s" }, { "metric-noise", ".1" }, { "metric-missing", ".2" },
		{ "part", "held-out" }, { "level", "request" }, { "seed", "5" }, { "episode-steps", "10" },
	};
	char *argv[] = { "train", "--steps", "1", NULL };
	MaestroSim *plain = open_abi(argv, false, 2);
	size_t bytes = 2 * sizeof(float) * (size_t) maestro_sim_obs_dim(plain);
	const int32_t keep[2] = { 0, 0 };
	for (size_t k = 0; k < sizeof options / sizeof *options; k++) {
		MaestroSim *sim = maestro_sim_new();
		assert_int_equal(maestro_sim_set(sim, "steps", "1"), 0);
		assert_int_equal(maestro_sim_set(sim, options[k][0], options[k][1]), 0);
		if (!strcmp(options[k][0], "observation"))
			assert_int_equal(maestro_sim_set(sim, "actions", "three"), 0);
		if (maestro_sim_open(sim, 2))
			fail_msg("%s", maestro_sim_error(sim));
		bool is_other = maestro_sim_obs_dim(sim) != maestro_sim_obs_dim(plain) || maestro_sim_n_actions(sim) != maestro_sim_n_actions(plain);
		assert_int_equal(maestro_sim_reset(sim, maestro_sim_seed(sim)), 0);
		assert_int_equal(maestro_sim_reset(plain, maestro_sim_seed(plain)), 0);
		for (int t = 0; t < 200 && !is_other; t++) {
			assert_int_equal(maestro_sim_step(sim, keep), 0);
			assert_int_equal(maestro_sim_step(plain, keep), 0);
			is_other = memcmp(maestro_sim_obs(sim), maestro_sim_obs(plain), bytes) ||
				memcmp(maestro_sim_reward(sim), maestro_sim_reward(plain), 2 * sizeof(float)) ||
				memcmp(maestro_sim_truncated(sim), maestro_sim_truncated(plain), 2);
		}
		if (!is_other)
			fail_msg("%s %s changes nothing", options[k][0], options[k][1]);
		maestro_sim_free(sim);
	}
	maestro_sim_free(plain);
}

/* While it varies each episode has its own; told by the observation. */
static void without_variation_the_price_is_the_option(void **state)
{
	(void) state;
	char *lines[][WORDS] = { { "train", "--draws", "off", "--pod-price", "2", NULL }, { "train", "--draws", "off", NULL },
		{ "train", "--pod-price", "2", NULL }, { "train", NULL } };
	float seen[4] = { 0 };
	for (int k = 0; k < 4; k++) {
		MaestroSim *sim = open_abi(lines[k], false, 1);
		for (int32_t i = 0; i < maestro_sim_obs_dim(sim); i++)
			if (strstr(maestro_sim_feature(sim, i), "price"))
				seen[k] = maestro_sim_obs(sim)[i];
		maestro_sim_free(sim);
	}
	assert_true(seen[0] != seen[1] && seen[0] != 0.0f && seen[1] != 0.0f);
	assert_true(seen[2] == seen[3] && seen[2] != seen[0]);
}

static void names_and_figures_are_told(void **state)
{
	(void) state;
	char *argv[] = { "train", NULL };
	MaestroSim *sim = open_abi(argv, false, 2);
	const int32_t keep[2] = { 1, 1 };
	double value[2];
	size_t n = 0;
	assert_string_equal(maestro_sim_note(sim), "");
	assert_true(isinf(maestro_sim_obs_low(sim)));
	assert_string_equal(maestro_sim_action(sim, 6), "+100%");
	assert_string_equal(maestro_sim_action(sim, 7), "?");
	assert_string_not_equal(maestro_sim_feature(sim, 0), "?");
	assert_string_equal(maestro_sim_feature(sim, maestro_sim_obs_dim(sim)), "?");
	assert_int_equal(maestro_sim_step(sim, keep), 0);
	for (; maestro_sim_figure(n); n++) {
		assert_int_equal(maestro_sim_figures(sim, n, value), 0);
		if (!strcmp(maestro_sim_figure(n), "replicas") || !strcmp(maestro_sim_figure(n), "pod_s"))
			assert_true(value[0] >= 1 && value[1] >= 1);
	}
	assert_int_equal(n, 11);
	assert_true(maestro_sim_figures(sim, n, value) < 0);
	maestro_sim_free(sim);
	for (n = 0; maestro_sim_option(n); n++)
		assert_non_null(maestro_sim_option_help(n));
	assert_true(n > 25 && !maestro_sim_option_help(n) && !maestro_sim_option_value(n + 100));
}

static void assert_told(MaestroSim *sim, int code, const char *word)
{
	assert_true(code < 0);
	if (!strstr(maestro_sim_error(sim), word))
		fail_msg("\"%s\" does not say \"%s\"", maestro_sim_error(sim), word);
}

static void options_that_are_wrong_are_told(void **state)
{
	(void) state;
	static const char *const at_once[][3] = {
		{ "intervall", "15", "did you mean interval" }, { "nothing_like_it", "1", "no option \"nothing_like_it\"" },
		{ "interval", "soon", "interval wants TIME, not \"soon\"" }, { "pod_price", "-1", "pod-price must be in 0.001..1000" },
		{ "stack", "1.5", "stack wants K" }, { "chaos", "nan", "chaos" }, { "preset", "fast", "write default or seed" },
	}, *const at_open[][3] = {
		{ "observation", "all", "observation all: write seed or trend" }, { "reward", "x", "reward x: write seed, slo or slo-lagrange" },
		{ "actions", "many", "actions many: write three or wide" }, { "observation", "seed", "" }, { "lb", "best", "lb best" },
		{ "reward", "slo-lagrange", "the trainer's" }, { "latency-soft", "-1", "needs --latency-soft" },
		{ "min-replicas", "20", "is above" }, { "latency-hard", "10", "must be above" }, { "interval", "7s", "interval" },
		{ "trace", "/nonexistent.csv", "/nonexistent.csv" }, { "traffic", "flood", "flood" }, { "service", "/nonexistent.yaml", "/nonexistent.yaml" },
		{ "part", "all", "part all: write train or held-out" }, { "start", "two", "start two" }, { "window-from", ".9", "window" },
		{ "rate-window", "10s", "" }, { "bounds", "wall", "bounds wall" }, { "level", "deep", "level deep" },
	};
	for (size_t i = 0; i < sizeof at_once / sizeof *at_once; i++) {
		MaestroSim *sim = maestro_sim_new();
		assert_told(sim, maestro_sim_set(sim, at_once[i][0], at_once[i][1]), at_once[i][2]);
		maestro_sim_free(sim);
	}
	for (size_t i = 0; i < sizeof at_open / sizeof *at_open; i++) {
		MaestroSim *sim = maestro_sim_new();
		assert_int_equal(maestro_sim_set(sim, at_open[i][0], at_open[i][1]), 0);
		if (at_open[i][2][0]) {
			assert_told(sim, maestro_sim_open(sim, 1), at_open[i][2]);
			assert_true(strncmp(maestro_sim_error(sim), "--", 2) != 0);
		}
		maestro_sim_free(sim);
	}
}

/* A run that came into the store from elsewhere may say nothing of them. */
static void a_training_without_environments_or_steps_is_none(void **state)
{
	(void) state;
	SimOptions options;
	SimConfig train, held_out;
	Error note = { 0 }, err = { 0 };
	sim_options_default(&options);
	assert_int_equal(sim_options_apply(&options, NULL, &train, &held_out, &note, &err), ERR_USAGE);
	assert_non_null(strstr(err.text, "--envs 0"));
	MaestroSim *sim = maestro_sim_new();
	assert_told(sim, maestro_sim_set(sim, "preset", "fast"), "write default or seed");
	assert_told(sim, maestro_sim_set(sim, "envs", "some"), "envs wants N");
	assert_int_equal(maestro_sim_open(sim, 2), 0);
	maestro_sim_free(sim);
}

static void calls_out_of_turn_are_told(void **state)
{
	(void) state;
	MaestroSim *sim = maestro_sim_new();
	const int32_t good[1] = { 1 }, bad[1] = { 7 };
	assert_non_null(sim);
	assert_string_equal(maestro_sim_error(sim), "");
	assert_told(sim, maestro_sim_reset(sim, 1), "not open");
	assert_told(sim, maestro_sim_step(sim, good), "not open");
	assert_told(sim, maestro_sim_open(sim, 0), "0 environments");
	assert_int_equal(maestro_sim_set(sim, "interval", "7"), 0);
	assert_told(sim, maestro_sim_set(sim, "preset", "seed"), "before all other");
	assert_told(sim, maestro_sim_open(sim, 1), "interval"); /* five seconds a sub-step */
	assert_int_equal(maestro_sim_set(sim, "interval", "30"), 0);
	assert_int_equal(maestro_sim_open(sim, 1), 0);
	assert_told(sim, maestro_sim_set(sim, "interval", "30"), "open already");
	assert_told(sim, maestro_sim_open(sim, 1), "open already");
	assert_int_equal(maestro_sim_reset(sim, 1), 0);
	assert_told(sim, maestro_sim_step(sim, bad), "action 7 of row 0: write 0..6");
	assert_int_equal(maestro_sim_step(sim, good), 0);
	maestro_sim_free(sim);
	maestro_sim_free(NULL);
	sim = maestro_sim_new();
	assert_told(sim, maestro_sim_set(sim, "preset", "fast"), "write default or seed");
	assert_int_equal(maestro_sim_set(sim, "preset", "seed"), 0); /* nothing has come of the first */
	assert_int_equal(maestro_sim_open(sim, 1), 0);
	assert_true(maestro_sim_obs_low(sim) == 0.0f);
	assert_non_null(strstr(maestro_sim_note(sim), "limits are off"));
	maestro_sim_free(sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_environments_of_a_training_are_had_to_the_bit),
		cmocka_unit_test(each_option_changes_something),
		cmocka_unit_test(without_variation_the_price_is_the_option),
		cmocka_unit_test(names_and_figures_are_told),
		cmocka_unit_test(options_that_are_wrong_are_told),
		cmocka_unit_test(calls_out_of_turn_are_told),
		cmocka_unit_test(a_training_without_environments_or_steps_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
