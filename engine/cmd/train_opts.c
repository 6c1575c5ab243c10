/* See train_opts.h. A preset is a row; an option is a row. */
#include "cmd/train_opts.h"

#include "base/mem.h"
#include "decide/actions.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SETTING(name, kind, field, lo, hi, arg, help) { name, 0, kind, offsetof(TrainOptions, field), lo, hi, arg, help, true }
#define OPTION(name, letter, kind, field, lo, hi, arg, help) \
	{ name, letter, kind, offsetof(TrainOptions, field), lo, hi, arg, help, false }

static const Opt OPTIONS[] = {
	SIM_OPTIONS_TRAFFIC(TrainOptions, sim),
	SETTING("name", OPT_STRING, name, 0, 0, "S", "of the run in the store"),
	SIM_OPTIONS_STEPS(TrainOptions, sim),
	SETTING("eval-every", OPT_INT64, eval_every, 0, 1e12, "N", "steps between evaluations on held-out traffic; 0: off"),
	SETTING("eval-episodes", OPT_INT, eval_episodes, 1, EVAL_EPISODES_MAX, "N", "episodes of an evaluation"),
	SIM_OPTIONS_WORLD(TrainOptions, sim),
	SETTING("violation-budget", OPT_DOUBLE, violation_budget, 0, 1, "X", "of slo-lagrange: share of slow intervals"),
	SIM_OPTIONS_STARTUP(TrainOptions, sim),
	SETTING("clone-steps", OPT_INT64, clone_steps, 0, 1e12, "N", "steps that copy a rule before it learns from rewards"),
	SETTING("teacher-coef", OPT_DOUBLE, teacher_coef, 0, 100, "X", "weight of staying with that rule where rewards say little; falls to 0 over --steps"),
	SETTING("even-advantage", OPT_DOUBLE, even_advantage, 0, 1, "X", "0..1: how far calm episodes count as much as wild ones"),
	SETTING("critic-ahead", OPT_FLAG, critic_ahead, 0, 0, NULL, "the critic knows the simulated traffic that is coming; the policy and its file do not"),
	SETTING("norm-obs", OPT_FLAG, norm_obs, 0, 0, NULL, "running normalisation of observations (--no-norm-obs: off)"),
	SETTING("norm-reward", OPT_FLAG, norm_reward, 0, 0, NULL, "rewards by the running deviation of the discounted return"),
	SETTING("use-masking", OPT_FLAG, use_masking, 0, 0, NULL, "actions past a bound are neither drawn nor learnt"),
	SETTING("learning-rate", OPT_STRING, learning_rate, 0, 0, "X", "of Adam; lin_X falls to 0 over --steps"),
	SETTING("n-steps", OPT_INT, n_steps, 1, 1000000, "N", "steps of each environment in a rollout"),
	SETTING("batch-size", OPT_INT, batch_size, 1, 10000000, "N", "of a minibatch"),
	SETTING("n-epochs", OPT_INT, n_epochs, 1, 1000, "N", "passes over a rollout"),
	SETTING("gamma", OPT_DOUBLE, gamma, 0, 1, "X", "discount"),
	SETTING("gae-lambda", OPT_DOUBLE, gae_lambda, 0, 1, "X", "of the advantage estimate"),
	SETTING("clip-range", OPT_STRING, clip_range, 0, 0, "X", "of the probability ratio; lin_X falls to 0 over --steps"),
	SETTING("clip-range-vf", OPT_STRING, clip_range_vf, 0, 0, "X", "of the value around the old one, or lin_X; 0: off"),
	SETTING("normalize-advantage", OPT_FLAG, normalize_advantage, 0, 0, NULL, "to mean 0 and deviation 1 in each minibatch"),
	SETTING("target-kl", OPT_DOUBLE, target_kl, 0, 1e6, "X", "an update ends where approx_kl is over 1.5 X; 0: off"),
	SETTING("ent-coef", OPT_DOUBLE, ent_coef, 0, 10, "X", "weight of the entropy"),
	SETTING("vf-coef", OPT_DOUBLE, vf_coef, 0, 100, "X", "weight of the value loss"),
	SETTING("max-grad-norm", OPT_DOUBLE, max_grad_norm, 1e-9, 1e9, "X", "gradient norm is clipped to it"),
	SETTING("net-arch", OPT_STRING, net_arch, 0, 0, "ARCH", "hidden layers: 64,64, or pi=64,64:vf=32, or shared=64:pi=64:vf=64"),
	SETTING("activation", OPT_STRING, activation, 0, 0, "F", "tanh or relu"),
	SIM_OPTIONS_EPISODE(TrainOptions, sim),
	SETTING("env", OPT_STRING, env, 0, 0, "WHAT", "sim, or live: on the Deployments of a cluster that --deployment names, one environment each"),
	{ "deployment", 'd', OPT_LIST, offsetof(TrainOptions, run.deployment), 0, 0, "NS/NAME", "of --env live; several times: side by side", true },
	SETTING("metric-window", OPT_DURATION, metric_window_s, 5, 3600, "TIME", "live: of the queries behind what is seen; else that of --from, 30s"),
	SETTING("max-hours", OPT_DOUBLE, max_hours, 0, 1e5, "H", "live: ends after so many hours, as if all steps were done; 0: no end"),
	SETTING("max-pod-hours", OPT_DOUBLE, max_pod_hours, 0, 1e7, "H", "live: the same of the pods' hours"),
	SETTING("load-url", OPT_LIST, load_url, 0, 0, "URL", "live: sends the traffic of --trace or --traffic there; without it others do"),
	SETTING("compression", OPT_DOUBLE, compression, .001, 1e5, "X", "live: seconds of the traffic a second (1)"),
	SETTING("chaos-by", OPT_STRING, chaos_by, 0, 0, "WHO", "live: mesh (Chaos Mesh's objects), or builtin (deletes pods, POST URL/stress: for tests)"),
	{ "from", 0, OPT_STRING, offsetof(TrainOptions, from), 0, 0, "MODEL", "starts from a trained policy: a file, or default; or forks a run with all its state: RUN, RUN@STEPS", true },
	{ "out", 'o', OPT_STRING, offsetof(TrainOptions, out), 0, 0, "FILE", "where the trained policy goes (safetensors)", true },
	OPTION("tensorboard", 0, OPT_STRING, tensorboard, 0, 0, "DIR", "event files for TensorBoard, as it trains; a folder a run"),
	OPTION("resume", 0, OPT_INT64, resume, 1, 9e15, "RUN", "go on with a run from its last checkpoint"),
	OPTION("replay", 0, OPT_INT64, replay, 1, 9e15, "RUN", "repeat a run with all that was changed by hand while it ran, to the same bytes"),
	OPTION("seeds", 0, OPT_INT, seeds, 1, 64, "K", "trains under K seeds from --seed on, side by side, each a run of its own"),
	OPTION("on", 0, OPT_STRING, on, 0, 0, "WHERE", "of --seeds and tune: local (all cores), or kubernetes (an Indexed Job, a pod each; results come back)"),
	OPTION("image", 0, OPT_STRING, image, 0, 0, "NAME", "kubernetes: the image of its pods, this program's (localhost/maestro:0.1)"),
	OPTION("pod-cpu", 0, OPT_STRING, pod_cpu, 0, 0, "CORES", "kubernetes: of a pod, as 2 or 500m (1)"),
	OPTION("pod-memory", 0, OPT_STRING, pod_memory, 0, 0, "BYTES", "kubernetes: of a pod, as 512Mi (512Mi)"),
	OPTION("threads", 0, OPT_INT, threads, 0, 64, "N", "of this training; 0: as many as there are cores. They do not show in the result"),
	OPTION("headless", 0, OPT_FLAG, is_headless, 0, 0, NULL, "no console, even on a terminal"),
	OPTION("json", 0, OPT_FLAG, is_json, 0, 0, NULL, "one JSON object a line on stdout; implies --headless"),
	OPTION("screen", 0, OPT_STRING, screen, 0, 0, "NAME", "first screen: train, live or runs"),
	OPTION("speed", 0, OPT_DOUBLE, speed, .01, 1000, "X", "of the simulated live target: 1 is an interval every 2 s"),
	OPTION("glyphs", 0, OPT_STRING, glyphs, 0, 0, "KIND", "auto, braille, block or ascii"),
	OPTION("color", 0, OPT_STRING, color, 0, 0, "KIND", "auto, always, never, 16, 256 or truecolor"),
	OPTION("mouse", 0, OPT_FLAG, has_mouse, 0, 0, NULL, "clicks and the wheel are the console's (--no-mouse: the terminal keeps them)"),
	OPTION("theme", 0, OPT_STRING, theme, 0, 0, "KIND", "of the terminal's background: dark or light"),
	OPTION("db", 0, OPT_STRING, db, 0, 0, "FILE", "the run store"),
	OPTION("namespace", 'n', OPT_STRING, run.namespace_, 0, 0, "NS", "live: where --deployment has none; of the Job; else the context's"),
	OPTION("kubeconfig", 0, OPT_STRING, run.kubeconfig, 0, 0, "FILE", "live, kubernetes: else KUBECONFIG, ~/.kube/config, or the pod's account"),
	OPTION("context", 0, OPT_STRING, run.context, 0, 0, "NAME", "of the kubeconfig"),
	OPTION("lease", 0, OPT_FLAG, run.takes_lease, 0, 0, NULL, "live: acts only while holding the Lease maestro-for-NAME of each target; with more than 3, maestro-autoscaler (--no-lease: without)"),
	OPTION("lease-namespace", 0, OPT_STRING, run.lease_namespace, 0, 0, "NS", "live: holds maestro-autoscaler there too, beside those of up to 3 targets; else the context's, where it is held"),
	PROM_OPTIONS_IN(TrainOptions, run.prom),
	{ 0 },
};

const OptCommand TRAIN_COMMAND = {
	"train [options]",
	"Trains a PPO agent on the embedded simulator, or with --env live on a cluster. On a terminal it opens the console, elsewhere it\n"
	"prints progress and a final evaluation beside the HPA rule.",
	OPTIONS, 0,
};

const OptCommand TUNE_COMMAND = {
	"tune [options]",
	"A search over learning-rate, gamma, ent-coef, gae-lambda, clip-range and n-steps by successive halving: nine candidates of\n"
	"1/9 of --steps, the best three of 1/3, the best one of all. An option that is given is not searched over. Options are train's.",
	OPTIONS, 0,
};

/* What both presets have, and what apart; of the environment sim_options.c has it. */
static const TrainOptions COMMON = {
	.name = "train", .net_arch = "64,64", .activation = "tanh",
	.screen = "train", .glyphs = "auto", .color = "auto", .theme = "dark", .has_mouse = true, .speed = 1, .on = "local", .image = "localhost/maestro:0.1", .pod_cpu = "1", .pod_memory = "512Mi",
	.eval_episodes = 10,
	.learning_rate = "3e-4", .gamma = .99, .gae_lambda = .95, .clip_range = "0.2", .clip_range_vf = "0", .ent_coef = .01,
	.vf_coef = .5, .max_grad_norm = .5, .normalize_advantage = true,
	.seeds = 1, .violation_budget = .01,
	.env = "sim", .metric_window_s = 30, .compression = 1,
};

/* CONTROL F.0 */
static void set_seed(TrainOptions *o)
{
	o->n_steps = 1024;
	o->batch_size = 64;
	o->n_epochs = 10;
	o->eval_every = 10240;
}

static void set_default(TrainOptions *o)
{
	o->n_steps = 128;
	o->batch_size = 1024;
	o->n_epochs = 4;
	o->learning_rate = "lin_1e-3";
	o->gamma = .95;
	o->ent_coef = .005;
	o->clone_steps = 300000;
	o->even_advantage = .75;
	o->eval_every = 500000;
	o->norm_obs = o->norm_reward = o->use_masking = o->critic_ahead = true;
}

/* A step is dear: few at a time, small changes, no rule to copy in real time. */
static void set_live(TrainOptions *o, size_t n)
{
	o->sim.envs = (int32_t) (n ? n : 1);
	o->sim.steps = 2000;
	o->n_steps = 16;
	o->batch_size = 16 * o->sim.envs;
	o->n_epochs = 4;
	o->learning_rate = "1e-4";
	o->clone_steps = 0;
	o->sim.interval_s = 30;
	o->eval_every = 0;
	o->eval_episodes = 1;
	o->sim.min_replicas = o->sim.max_replicas = 0; /* as the Deployment's annotations have it */
}

static void begin_with(TrainOptions *o)
{
	*o = COMMON;
	sim_options_default(&o->sim);
	run_options_default(&o->run);
}

static int list_axes(void)
{
	const char *name, *range, *help;
	printf("%-16s %-8s\n", "axis", "usual");
	for (int i = 0; (name = sim_vary_axis(i, &range, &help)); i++)
		printf("%-16s %-8s %s\n", name, range, help);
	return OPTS_HELPED;
}

int train_options_read(const OptCommand *command, TrainOptions *options, int argc, char **argv, Error *err)
{
	int words;
	begin_with(options);
	int code = opts_read(command, argc, argv, options, &words, err); /* finds the preset */
	if (code)
		return code;
	const char *preset = options->sim.preset;
	bool is_live = !strcmp(options->env, "live");
	size_t n_deployments = options->run.deployment.n;
	if (!is_live && strcmp(options->env, "sim"))
		return error_set(err, ERR_USAGE, "train: --env %.40s: write sim or live", options->env);
	Error why = { 0 };
	begin_with(options);
	code = sim_options_preset(&options->sim, preset, &why);
	if (code)
		return error_set(err, code, "train: %s", why.text);
	(strcmp(preset, "seed") ? set_default : set_seed)(options);
	if (is_live)
		set_live(options, n_deployments);
	return opts_read(command, argc, argv, options, &words, err);
}

int train_options_parse(const OptCommand *command, TrainOptions *options, int argc, char **argv)
{
	Error err = { 0 };
	int code = train_options_read(command, options, argc, argv, &err);
	if (!code && options->sim.vary.n == 1 && !strcmp(options->sim.vary.item[0], "help"))
		return list_axes();
	if (code && code != OPTS_HELPED)
		(void) fprintf(stderr, "maestro: %s\n", err.text);
	return code;
}

void train_options_load(TrainOptions *ret_options, const Json *config, int64_t steps)
{
	begin_with(ret_options);
	opts_load(OPTIONS, config, ret_options);
	if (steps > 0)
		ret_options->sim.steps = steps;
}

int train_options_again(TrainOptions *options, int argc, char **argv)
{
	int words;
	return opts_parse(&TRAIN_COMMAND, argc, argv, options, &words);
}

/* "X", or "lin_X" as rl-zoo writes a linear schedule. */
static int parse_schedule(const char *name, const char *text, double most, double *ret, bool *ret_is_linear, Error *err)
{
	bool is_linear = !strncmp(text, "lin_", 4);
	const char *number = is_linear ? text + 4 : text;
	char *end;
	double value = strtod(number, &end);
	if (end == number || *end || !(value >= 0 && value <= most))
		return error_set(err, ERR_USAGE, "--%s %.40s: write a number in 0..%g, or lin_ and one", name, text, most);
	*ret = value;
	*ret_is_linear = is_linear;
	return 0;
}

/* "64,64" up to the end or a colon, after which it returns; NULL: not widths. */
static const char *parse_widths(const char *at, int32_t *depth, int32_t width[NET_DEPTH_MAX])
{
	*depth = 0;
	while (*at && *at != ':') {
		char *end;
		long value = strtol(at, &end, 10);
		if (end == at || value < 1 || value > NET_WIDTH_MAX || *depth == NET_DEPTH_MAX)
			return NULL;
		width[(*depth)++] = (int32_t) value;
		if (*end && *end != ',' && *end != ':')
			return NULL;
		at = *end == ',' ? end + 1 : end;
	}
	return *at ? at + 1 : at;
}

/* SB3's net_arch, [64, 64] or dict(pi=[64, 64], vf=[64, 64]), on a command line. */
static const char *parse_arch(const char *at, NetConfig *net)
{
	if (!strchr(at, '='))
		return parse_widths(at, &net->depth, net->width);
	net->depth = 0;
	net->has_value_arch = true;
	while (at && *at)
		if (!strncmp(at, "pi=", 3))
			at = parse_widths(at + 3, &net->depth, net->width);
		else if (!strncmp(at, "vf=", 3))
			at = parse_widths(at + 3, &net->value_depth, net->value_width);
		else if (!strncmp(at, "shared=", 7))
			at = parse_widths(at + 7, &net->shared_depth, net->shared_width);
		else
			at = NULL;
	return at;
}

static int parse_net(const TrainOptions *options, NetConfig *net, Error *err)
{
	const char *end = parse_arch(options->net_arch, net);
	if (!end || *end)
		return error_set(err, ERR_USAGE, "--net-arch %.80s: write 0 to %d widths of 1..%d, as 64,64 or pi=64,64:vf=32",
		                 options->net_arch, NET_DEPTH_MAX, NET_WIDTH_MAX);
	bool is_tanh = !strcmp(options->activation, "tanh");
	if (!is_tanh && strcmp(options->activation, "relu"))
		return error_set(err, ERR_USAGE, "--activation %s: write tanh or relu", options->activation);
	net->activation = is_tanh ? ACTIVATION_TANH : ACTIVATION_RELU;
	return 0;
}

static int apply_ppo(const TrainOptions *o, PpoConfig *ppo, Error *err)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	ppo_config_default(ppo);
	ppo->n_envs = o->sim.envs;
	ppo->n_steps = o->n_steps;
	ppo->batch_size = o->batch_size;
	ppo->n_epochs = o->n_epochs;
	ppo->gamma = o->gamma;
	ppo->gae_lambda = o->gae_lambda;
	ppo->ent_coef = o->ent_coef;
	ppo->vf_coef = o->vf_coef;
	ppo->max_grad_norm = o->max_grad_norm;
	ppo->target_kl = o->target_kl;
	ppo->normalize_advantage = o->normalize_advantage;
	ppo->norm_obs = o->norm_obs;
	ppo->norm_reward = o->norm_reward;
	ppo->use_masks = o->use_masking;
	ppo->total_timesteps = o->sim.steps;
	ppo->seed = (uint64_t) o->sim.seed;
	ppo->n_threads = !strcmp(o->env, "live") ? 1 /* all rows wait together */ : o->threads > 0 ? o->threads : cores < 1 ? 1 : cores > 64 ? 64 : (int32_t) cores;
	int code = parse_schedule("learning-rate", o->learning_rate, 1, &ppo->learning_rate, &ppo->is_lr_linear, err);
	if (!code)
		code = parse_schedule("clip-range", o->clip_range, 10, &ppo->clip_range, &ppo->is_clip_linear, err);
	if (!code)
		code = parse_schedule("clip-range-vf", o->clip_range_vf, 1e6, &ppo->clip_range_vf, &ppo->is_clip_vf_linear, err);
	return code ? code : parse_net(o, &ppo->net, err);
}

char *train_options_json(const TrainOptions *options)
{
	return opts_save(OPTIONS, options);
}

static int32_t teach(void *arg, const float *obs, const uint8_t *mask)
{
	const SimConfig *sim = arg;
	uint32_t allowed = 0;
	for (int32_t a = 0; a < actions_count(sim->actions); a++)
		allowed |= (!mask || mask[a] ? 1u : 0u) << a;
	int32_t most = sim->max_replicas;
	if (sim->vary.axis[AXIS_MAX].is_on && obs[TREND_SPEC] > 0.0f) /* the episode's own */
		most = (int32_t) lroundf(expf(obs[TREND_PODS]) / obs[TREND_SPEC]);
	return trend_rule(obs, sim->actions, allowed, most);
}

/* What depends on observation and reward. */
static void apply_learning(const TrainOptions *o, TrainerConfig *config)
{
	bool is_trend = config->sim.observation == OBS_TREND;
	if ((o->clone_steps > 0 || o->teacher_coef > 0) && is_trend) {
		config->ppo.teacher = teach;
		config->ppo.teacher_arg = &config->sim;
		config->ppo.clone_steps = o->clone_steps;
		config->ppo.teacher_coef = o->teacher_coef;
	}
	config->ppo.even_advantage = o->even_advantage;
	config->sim.has_hints = o->critic_ahead && is_trend && !config->ppo.net.shared_depth;
	if (!strcmp(o->sim.reward, "slo-lagrange"))
		config->violation_budget = o->violation_budget;
}

int train_options_info(const TrainOptions *o, const ServiceFile *service, TrainerConfig *config, Error *err)
{
	const SimConfig *sim = &config->sim;
	bool is_live = !strcmp(o->env, "live");
	config->info = (ModelInfo) {
		.obs_version = (int32_t) sim->observation,
		.obs_stack = sim->stack,
		.actions = sim->actions,
		.pod_price = sim->observation == OBS_TREND ? (float) o->sim.pod_price : 0.0f,
		.interval_s = (float) o->sim.interval_s,
		.rate_window_s = is_live ? (float) o->metric_window_s : (float) sim->service.rate_window,
		.latency_window_s = is_live ? (float) o->metric_window_s : sim->latency_window_s,
		.latency_soft_ms = (float) o->sim.latency_soft_ms,
		.latency_hard_ms = (float) o->sim.latency_hard_ms,
		.max_replicas = o->sim.max_replicas,
	};
	TrainOptions portable = *o; /* a model file carries no path and no name of a run */
	portable.sim.trace = (OptList) { .n = o->sim.trace.n > 0, .item = { config->traffic } };
	portable.sim.service = service ? service->name : NULL;
	portable.name = portable.out = portable.from = NULL;
	portable.load_url.n = portable.run.deployment.n = 0;
	char *text = train_options_json(&portable);
	if (!text)
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	str_copy(config->info.train_json, sizeof config->info.train_json, text);
	free(text);
	return 0;
}

int train_options_apply(const TrainOptions *options, const ServiceFile *service, TrainerConfig *config, Error *err)
{
	config->total_steps = options->sim.steps;
	config->eval_every = options->eval_every;
	config->eval_episodes = options->eval_episodes;
	str_copy(config->name, sizeof config->name, options->name);
	int code = apply_ppo(options, &config->ppo, err);
	Error note = { 0 };
	if (!code)
		code = sim_options_apply(&options->sim, service, &config->sim, &config->eval_sim, &note, err);
	if (note.text[0])
		(void) fprintf(stderr, "maestro: %s\n", note.text);
	if (!code)
		apply_learning(options, config);
	return code;
}
