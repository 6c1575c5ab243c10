/* See sim_abi.h. */
#include "sim/sim_abi.h"

#include "base/mem.h"
#include "decide/actions.h"
#include "sim/sim_options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_LEN = 32 };

typedef struct AbiOptions { /* a NAN or NULL: as the preset has it */
	SimOptions sim;
	bool draws;
	const char *part, *start;
	double window_from, window_to, compression, latency_window_s, substep_s, metric_noise, metric_missing;
} AbiOptions;

#define OWN(name, kind, field, lo, hi, arg, help) SIM_OPTION(AbiOptions, name, kind, field, lo, hi, arg, help)

static const Opt OPTIONS[] = {
	SIM_OPTIONS_TRAFFIC(AbiOptions, sim),
	SIM_OPTIONS_STEPS(AbiOptions, sim),
	SIM_OPTIONS_WORLD(AbiOptions, sim),
	SIM_OPTIONS_STARTUP(AbiOptions, sim),
	SIM_OPTIONS_EPISODE(AbiOptions, sim),
	OWN("part", OPT_STRING, part, 0, 0, "WHAT", "train, or held-out: what that run's evaluations are of, without faults and variation"),
	OWN("draws", OPT_FLAG, draws, 0, 0, NULL, "trend: each episode draws its price, start-up time, traffic and memory limit (true); false: they are the options'"),
	OWN("start", OPT_STRING, start, 0, 0, "WHAT", "replicas of an episode's start: one, demand (what the traffic needs), or random"),
	OWN("window-from", OPT_DOUBLE, window_from, 0, 1, "X", "part of each trace that episodes are from"),
	OWN("window-to", OPT_DOUBLE, window_to, 0, 1, "X", "its end"),
	OWN("compression", OPT_DOUBLE, compression, 1, 60, "X", "seconds of the traffic a second"),
	OWN("latency-window", OPT_DURATION, latency_window_s, 10, 3600, "TIME", "of the p95 query"),
	OWN("substep", OPT_DURATION, substep_s, .1, 60, "TIME", "of the simulator: divides the interval and the service's scrapes"),
	OWN("metric-noise", OPT_DOUBLE, metric_noise, 0, 1, "X", "of each metric, deviation over its value"),
	OWN("metric-missing", OPT_DOUBLE, metric_missing, 0, 1, "X", "chance that a metric is not there when it is asked for"),
	{ 0 },
};

struct MaestroSim {
	AbiOptions options;
	char **text;   /* [n_texts] of the options */
	size_t n_texts;
	bool has_envs; /* told, else as many as are opened */
	ServiceFile service;
	SimTraffic traffic;
	Env *env;      /* NULL until open */
	SimConfig config;
	EnvSpec spec;
	EnvBuf buf;
	Error note, err;
};

static void begin_with(AbiOptions *o)
{
	*o = (AbiOptions) { .draws = true, .window_from = NAN, .window_to = NAN, .compression = NAN, .latency_window_s = NAN, .substep_s = NAN,
		.metric_noise = NAN, .metric_missing = NAN };
	sim_options_default(&o->sim);
}

MaestroSim *maestro_sim_new(void)
{
	MaestroSim *sim = calloc(1, sizeof *sim);
	if (!sim)
		return NULL;
	begin_with(&sim->options);
	(void) sim_options_preset(&sim->options.sim, "default", NULL);
	return sim;
}

void maestro_sim_free(MaestroSim *sim)
{
	if (!sim)
		return;
	env_free(sim->env);
	env_buf_done(&sim->buf);
	sim_traffic_close(&sim->traffic);
	for (size_t i = 0; i < sim->n_texts; i++)
		free(sim->text[i]);
	free(sim->text);
	free(sim);
}

const char *maestro_sim_error(const MaestroSim *sim)
{
	const char *text = sim->err.text; /* written for a command line */
	return strncmp(text, "--", 2) ? text : text + 2;
}

const char *maestro_sim_note(const MaestroSim *sim)
{
	return sim->note.text;
}

/* ---- options ---- */

static const Opt *option(size_t i)
{
	return i < sizeof OPTIONS / sizeof *OPTIONS ? &OPTIONS[i] : &OPTIONS[sizeof OPTIONS / sizeof *OPTIONS - 1];
}

const char *maestro_sim_option(size_t i)
{
	return option(i)->name;
}

const char *maestro_sim_option_value(size_t i)
{
	return option(i)->arg;
}

const char *maestro_sim_option_help(size_t i)
{
	return option(i)->help;
}

static const Opt *find(MaestroSim *sim, const char *name)
{
	char dashed[NAME_MAX_LEN];
	str_copy(dashed, sizeof dashed, name);
	for (char *c = dashed; *c; c++)
		*c = *c == '_' ? '-' : *c;
	const Opt *opt = opt_find(OPTIONS, dashed, strlen(dashed));
	if (opt)
		return opt;
	const char *near = opt_nearest(dashed, OPTIONS);
	(void) error_set(&sim->err, ERR_USAGE, "no option \"%.64s\"%s%s", name, near ? ", did you mean " : "", near ? near : "");
	return NULL;
}

/* A copy that lives as long as sim. */
static const char *keep(MaestroSim *sim, const char *text)
{
	char **more = realloc(sim->text, (sim->n_texts + 1) * sizeof *more);
	if (!more)
		return NULL;
	sim->text = more;
	char *copy = strdup(text);
	if (copy)
		more[sim->n_texts++] = copy;
	return copy;
}

/* One that is none leaves all as it was. */
static int set_preset(MaestroSim *sim, const char *name)
{
	AbiOptions options;
	if (sim->n_texts)
		return error_set(&sim->err, ERR_USAGE, "preset: it comes before all other options");
	begin_with(&options);
	int code = sim_options_preset(&options.sim, name, &sim->err);
	sim->options = code ? sim->options : options;
	return code;
}

int maestro_sim_set(MaestroSim *sim, const char *name, const char *text)
{
	if (sim->env)
		return error_set(&sim->err, ERR_INVALID, "the simulator is open already: options are set before");
	const Opt *opt = find(sim, name);
	if (!opt)
		return ERR_USAGE;
	if (opt->offset == offsetof(AbiOptions, sim.preset))
		return set_preset(sim, text);
	text = keep(sim, text);
	if (!text)
		return error_set(&sim->err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	int code = opt_set(opt, text, &sim->options, &sim->err);
	sim->has_envs |= !code && opt->offset == offsetof(AbiOptions, sim.envs);
	return code;
}

/* ---- opening ---- */

static int apply_start(const AbiOptions *o, SimConfig *config, Error *err)
{
	static const char *const words[] = { [SIM_START_ONE] = "one", [SIM_START_DEMAND] = "demand", [SIM_START_RANDOM] = "random" };
	for (int i = SIM_START_ONE; i <= SIM_START_RANDOM; i++)
		if (!strcmp(o->start, words[i])) {
			config->start = (SimStart) i;
			return 0;
		}
	return error_set(err, ERR_USAGE, "start %.40s: write one, demand or random", o->start);
}

/* What `train` has no option for. */
static int apply_own(const AbiOptions *o, SimConfig *config, Error *err)
{
	const struct {
		double value, *to;
	} rows[] = {
		{ o->window_from, &config->window_from }, { o->window_to, &config->window_to }, { o->compression, &config->compression },
		{ o->metric_noise, &config->metric_noise }, { o->metric_missing, &config->metric_missing },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (!isnan(rows[i].value))
			*rows[i].to = rows[i].value;
	if (!o->draws)
		config->vary = (SimVary) { .worlds = config->vary.worlds, .worlds_seed = config->vary.worlds_seed };
	if (!isnan(o->latency_window_s))
		config->latency_window_s = (float) o->latency_window_s;
	if (!isnan(o->substep_s))
		config->substep_s = (float) o->substep_s;
	return o->start ? apply_start(o, config, err) : 0;
}

static int configure(MaestroSim *sim, Error *err)
{
	const AbiOptions *o = &sim->options;
	SimConfig train, held_out;
	bool is_held_out = o->part && !strcmp(o->part, "held-out");
	if (o->part && !is_held_out && strcmp(o->part, "train"))
		return error_set(err, ERR_USAGE, "part %.40s: write train or held-out", o->part);
	if (!strcmp(o->sim.reward, "slo-lagrange"))
		return error_set(err, ERR_USAGE, "reward slo-lagrange: its price of a violation is the trainer's to change; write slo");
	int code = o->sim.service ? service_file_read(o->sim.service, &sim->service, err) : 0;
	if (!code)
		code = sim_options_apply(&o->sim, o->sim.service ? &sim->service : NULL, &train, &held_out, &sim->note, err);
	sim_traffic_close(&sim->traffic); /* of an open that failed */
	if (!code)
		code = sim_traffic_open(&o->sim, &sim->traffic, &train, &held_out, err);
	if (code)
		return code;
	sim->config = is_held_out ? held_out : train;
	return apply_own(o, &sim->config, err);
}

int maestro_sim_open(MaestroSim *sim, size_t n)
{
	Env *env = NULL;
	if (sim->env)
		return error_set(&sim->err, ERR_INVALID, "the simulator is open already");
	if (n < 1 || n > 65536)
		return error_set(&sim->err, ERR_USAGE, "%zu environments: write 1 to 65536", n);
	if (!sim->has_envs)
		sim->options.sim.envs = (int32_t) n;
	int code = configure(sim, &sim->err);
	if (!code)
		code = sim_env_new(&sim->config, n, &env, &sim->err);
	if (code)
		return code;
	env->ops->spec(env, &sim->spec);
	code = env_buf_init(&sim->buf, n, &sim->spec);
	if (code) {
		env_free(env);
		return error_set(&sim->err, code, "%s", err_text(code));
	}
	if (sim->config.latency_soft_ms <= 0.0f && !sim->note.text[0])
		(void) error_set(&sim->note, 0, "the latency limits are off: the reward depends on pods alone and its optimum is one pod; "
		                                "set latency-soft and latency-hard");
	sim->env = env;
	return 0;
}

/* ---- stepping ---- */

static int check_open(MaestroSim *sim)
{
	return sim->env ? 0 : error_set(&sim->err, ERR_INVALID, "the simulator is not open");
}

static int told(MaestroSim *sim, int code)
{
	return code ? error_set(&sim->err, code, "%s", err_text(code)) : 0;
}

int maestro_sim_reset(MaestroSim *sim, uint64_t seed)
{
	int code = check_open(sim);
	return code ? code : told(sim, sim->env->ops->reset(sim->env, seed, &sim->buf));
}

int maestro_sim_step(MaestroSim *sim, const int32_t *action)
{
	int code = check_open(sim);
	if (code)
		return code;
	for (size_t i = 0; i < sim->env->n; i++)
		if (action[i] < 0 || action[i] >= sim->spec.n_actions)
			return error_set(&sim->err, ERR_INVALID, "action %d of row %zu: write 0..%d", action[i], i, sim->spec.n_actions - 1);
	memcpy(sim->buf.action, action, sim->env->n * sizeof *action);
	return told(sim, sim->env->ops->step(sim->env, 0, sim->env->n, &sim->buf));
}

/* ---- what there is ---- */

int32_t maestro_sim_obs_dim(const MaestroSim *sim)
{
	return sim->spec.obs_dim;
}

float maestro_sim_obs_low(const MaestroSim *sim)
{
	return sim->config.observation == OBS_SEED ? 0.0f : -INFINITY;
}

int32_t maestro_sim_n_actions(const MaestroSim *sim)
{
	return sim->spec.n_actions;
}

int32_t maestro_sim_episode_steps(const MaestroSim *sim)
{
	return sim->spec.episode_steps;
}

float maestro_sim_interval_s(const MaestroSim *sim)
{
	return sim->spec.interval_s;
}

uint64_t maestro_sim_seed(const MaestroSim *sim)
{
	return (uint64_t) sim->options.sim.seed;
}

const char *maestro_sim_feature(const MaestroSim *sim, int32_t i)
{
	return observer_feature(sim_obs_spec(&sim->config), i);
}

const char *maestro_sim_action(const MaestroSim *sim, int32_t action)
{
	return actions_name(sim->config.actions, action);
}

const float *maestro_sim_obs(const MaestroSim *sim)
{
	return sim->buf.obs;
}

const float *maestro_sim_final_obs(const MaestroSim *sim)
{
	return sim->buf.final_obs;
}

const float *maestro_sim_reward(const MaestroSim *sim)
{
	return sim->buf.reward;
}

const uint8_t *maestro_sim_terminated(const MaestroSim *sim)
{
	return sim->buf.terminated;
}

const uint8_t *maestro_sim_truncated(const MaestroSim *sim)
{
	return sim->buf.truncated;
}

const uint8_t *maestro_sim_mask(const MaestroSim *sim)
{
	return sim->buf.mask;
}

/* ---- figures of a step ---- */

typedef enum FigureKind { FIGURE_FLOAT, FIGURE_INT } FigureKind;

static const struct Figure {
	const char *name;
	FigureKind kind;
	size_t offset;
} FIGURES[] = {
#define FIGURE(name, kind) { #name, kind, offsetof(EnvInfo, name) }
	FIGURE(p95_ms, FIGURE_FLOAT),
	FIGURE(rps, FIGURE_FLOAT),
	FIGURE(cpu_cores, FIGURE_FLOAT),
	FIGURE(slow_soft, FIGURE_FLOAT),
	FIGURE(slow_hard, FIGURE_FLOAT),
	FIGURE(pod_s, FIGURE_FLOAT),
	FIGURE(replicas, FIGURE_INT),
	FIGURE(ready, FIGURE_INT),
	FIGURE(demand, FIGURE_INT),
	FIGURE(oom_kills, FIGURE_INT),
	FIGURE(chaos, FIGURE_INT),
#undef FIGURE
};

const char *maestro_sim_figure(size_t i)
{
	return i < sizeof FIGURES / sizeof *FIGURES ? FIGURES[i].name : NULL;
}

int maestro_sim_figures(const MaestroSim *sim, size_t i, double *ret_values)
{
	if (!sim->env || i >= sizeof FIGURES / sizeof *FIGURES)
		return ERR_INVALID;
	for (size_t row = 0; row < sim->env->n; row++) {
		const char *at = (const char *) &sim->buf.info[row] + FIGURES[i].offset;
		ret_values[row] = FIGURES[i].kind == FIGURE_FLOAT ? (double) *(const float *) (const void *) at
			: (double) *(const int32_t *) (const void *) at;
	}
	return 0;
}
