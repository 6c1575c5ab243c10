/* See sim_options.h. A preset is a row. */
#include "sim/sim_options.h"

#include "base/mem.h"
#include "decide/actions.h"

#include <stdio.h>
#include <string.h>

/* ---- presets ---- */

void sim_options_default(SimOptions *o)
{
	*o = (SimOptions) {
		.preset = "default", .bounds = "noop", .level = "fluid", .observation = "seed", .reward = "seed", .stack = 1,
		.min_replicas = 1, .max_replicas = 15, .pod_price = .3, .episode_steps = 200, .rate_window_s = 60,
	};
}

/* CONTROL F.0 */
static void set_seed(SimOptions *o)
{
	o->steps = 20480;
	o->envs = 1;
	o->interval_s = 30;
	o->actions = "three";
	o->latency_soft_ms = o->latency_hard_ms = -1;
}

static void set_default(SimOptions *o)
{
	o->observation = "trend";
	o->rate_window_s = 35;
	o->reward = "slo";
	o->seed = 1; /* of ten, among the better on the middle thirds, and calm behind a burst; the shipped model is this command's */
	o->steps = 8000000;
	o->envs = 128;
	o->interval_s = 15;
	o->latency_soft_ms = 250;
	o->latency_hard_ms = 500;
}

static const struct Preset {
	const char *name;
	void (*set)(SimOptions *options);
} PRESETS[] = { { "default", set_default }, { "seed", set_seed } };

int sim_options_preset(SimOptions *options, const char *preset, Error *err)
{
	for (size_t i = 0; i < sizeof PRESETS / sizeof *PRESETS; i++)
		if (!strcmp(PRESETS[i].name, preset)) {
			options->preset = PRESETS[i].name;
			PRESETS[i].set(options);
			return 0;
		}
	return error_set(err, ERR_USAGE, "unknown preset \"%.40s\"; write default or seed", preset);
}

/* ---- words ---- */

static const char *const BOUNDS[] = { "noop", "terminate", NULL }, *const LEVELS[] = { "fluid", "request", NULL },
	*const OBSERVATIONS[] = { "seed", "trend", NULL }, *const REWARDS[] = { "seed", "slo", "slo-lagrange", NULL };

/* Which of the words is meant; -1 after saying that it is none. */
static int word_of(const char *option, const char *word, const char *const *words, Error *err)
{
	char known[64] = "";
	size_t len = 0;
	for (int i = 0; words[i]; i++) {
		if (!strcmp(word, words[i]))
			return i;
		len += (size_t) snprintf(known + len, sizeof known - len, "%s%s", !i ? "" : words[i + 1] ? ", " : " or ", words[i]);
	}
	(void) error_set(err, ERR_USAGE, "--%s %.40s: write %s", option, word, known);
	return -1;
}

typedef struct Words { /* numbers of what the options name */
	int bounds, level, lb, observation, reward;
	ActionSet actions;
} Words;

static int read_words(const SimOptions *o, Words *w, Error *err)
{
	const struct {
		const char *option, *word;
		const char *const *words;
		int *to;
	} rows[] = {
		{ "bounds", o->bounds, BOUNDS, &w->bounds }, { "level", o->level, LEVELS, &w->level },
		{ "lb", o->lb ? o->lb : SIM_BALANCE_NAME[0], SIM_BALANCE_NAME, &w->lb },
		{ "observation", o->observation, OBSERVATIONS, &w->observation }, { "reward", o->reward, REWARDS, &w->reward },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if ((*rows[i].to = word_of(rows[i].option, rows[i].word, rows[i].words, err)) < 0)
			return ERR_USAGE;
	w->actions = w->observation ? ACTIONS_WIDE : ACTIONS_THREE;
	if (o->actions && !actions_read(o->actions, &w->actions))
		return error_set(err, ERR_USAGE, "--actions %.40s: write three or wide", o->actions);
	return 0;
}

static int check(const SimOptions *o, const Words *w, Error *err)
{
	if (o->envs < 1 || o->steps < 1) /* a stored run's that says neither */
		return error_set(err, ERR_USAGE, "--envs %d and --steps %lld: both must be 1 or more", o->envs, (long long) o->steps);
	if (o->max_replicas && o->min_replicas > o->max_replicas)
		return error_set(err, ERR_USAGE, "--min-replicas %d is above --max-replicas %d", o->min_replicas, o->max_replicas);
	if (o->latency_soft_ms > 0 && o->latency_hard_ms > 0 && o->latency_hard_ms <= o->latency_soft_ms)
		return error_set(err, ERR_USAGE, "--latency-hard %g must be above --latency-soft %g", o->latency_hard_ms, o->latency_soft_ms);
	if (w->actions == ACTIONS_WIDE && !w->observation)
		return error_set(err, ERR_USAGE, "--actions wide: needs --observation trend");
	if (w->reward && o->latency_soft_ms <= 0)
		return error_set(err, ERR_USAGE, "--reward %s: needs --latency-soft", o->reward);
	return 0;
}

/* ---- what they mean ---- */

/* What episodes draw in training (CONTROL F.4, F.6). Traffic is no more than half as fast again as it was: the held-out one is as it
 * was, and wilder episodes would teach to be afraid. */
static SimVary vary(const SimOptions *o)
{
	return (SimVary) {
		.startup_min_s = o->startup_s > 0 ? 0 : 5, .startup_max_s = o->startup_s > 0 ? 0 : 120,
		.level_min = 1.2, .level_max = .6 * o->max_replicas,
		.compression_max = 1.5,
		.price_min = .05, .price_max = 3,
		.memory_min = o->service ? 0 : .03, .memory_max = o->service ? 0 : .9, /* a fitted service's line is known */
		.quiet = .12, .mirrors = true, .turns_clock = true,
	};
}

/* Traffic, bounds, limits and the simulator's own. */
static void set_world(const SimOptions *o, const Words *w, SimConfig *sim)
{
	bool is_seed = !strcmp(o->preset, "seed");
	sim->window_from = 0;
	sim->window_to = is_seed ? 2.0 / 3 : 1.0 / 3;
	sim->random_start = true;
	sim->peak_rps = o->peak_rps;
	sim->interval_s = (float) o->interval_s;
	sim->min_replicas = o->min_replicas;
	sim->max_replicas = o->max_replicas;
	sim->latency_soft_ms = (float) o->latency_soft_ms;
	sim->latency_hard_ms = (float) o->latency_hard_ms;
	sim->episode_steps = o->episode_steps;
	sim->latency_window_s = is_seed ? 300 : 60;
	sim->terminate_at_bounds = w->bounds == 1;
	sim->level = w->level ? SIM_REQUEST : SIM_FLUID;
	sim->start = is_seed ? SIM_START_ONE : SIM_START_DEMAND;
}

/* Observation, reward and what depends on them. */
static void set_learning(const SimOptions *o, const Words *w, SimConfig *sim)
{
	sim->observation = w->observation ? OBS_TREND : OBS_SEED;
	sim->stack = o->stack;
	sim->actions = w->actions;
	sim->has_rails = w->observation;
	sim->reward = w->reward ? SIM_REWARD_SLO : SIM_REWARD_SEED;
	sim->pod_price = (float) o->pod_price;
	if (w->observation) {
		sim->service.rate_window = o->rate_window_s;
		sim->latency_window_s = (float) o->rate_window_s;
	}
	if (o->startup_s > 0)
		service_set_startup(&sim->service, o->startup_s);
}

int sim_options_apply(const SimOptions *o, const ServiceFile *service, SimConfig *train, SimConfig *held_out, Error *ret_note, Error *err)
{
	Words w;
	int code = read_words(o, &w, err);
	if (!code)
		code = check(o, &w, err);
	if (code)
		return code;
	sim_config_default(train);
	set_world(o, &w, train);
	*ret_note = (Error) { 0 };
	if (service && !service_file_apply(service, train))
		(void) error_set(ret_note, 0, "%s: lb is %s, keepalive_conns %g; the fluid level balances each request at random (--level request does as the file says)",
		                 o->service, SIM_BALANCE_NAME[service->balance], service->service.keepalive_conns);
	if (o->lb)
		train->balance = (SimBalance) w.lb;
	set_learning(o, &w, train);
	*held_out = *train;
	held_out->window_from = train->window_to;
	held_out->window_to = !strcmp(o->preset, "seed") ? 1 : 2.0 / 3;
	if (w.observation)
		train->vary = vary(o);
	train->vary.worlds = o->randomise;
	train->vary.worlds_seed = (uint64_t) o->seed;
	for (size_t i = 0; i < o->vary.n; i++)
		if (sim_vary_parse(o->vary.item[i], train, err))
			return ERR_USAGE;
	if (!strcmp(o->reward, "slo-lagrange")) /* the budget stands for the price */
		train->vary.price_min = train->vary.price_max = 0;
	train->takes_faults = true;
	train->chaos_rate = o->chaos;
	train->chaos_steps = o->steps / o->envs;
	return 0;
}

/* ---- traffic ---- */

static int open_traces(const char *const *word, size_t n, SimTraffic *traffic, Error *err)
{
	int code = n <= SIM_TRACES_MAX ? 0 : error_set(err, ERR_USAGE, "--trace is given %zu times; %d is the most", n, SIM_TRACES_MAX);
	for (size_t i = 0; i < n && !code; i++) {
		code = trace_open(word[i], &traffic->trace[traffic->n], err);
		traffic->n += !code;
	}
	return code;
}

static int open_mix(SimTraffic *traffic, Error *err)
{
	const char *word[SIM_TRACES_MAX];
	size_t n = 0;
	for (; n < SIM_TRACES_MAX && trace_builtin_name(n); n++)
		word[n] = trace_builtin_name(n);
	return open_traces(word, n, traffic, err);
}

static void lend(SimConfig *sim, const Trace *trace, size_t n)
{
	sim->trace = trace;
	sim->n_traces = n;
}

/* One made-up shape: a draw to train on, another held out, each whole. */
static int open_shape(const SimOptions *o, SimTraffic *traffic, SimConfig *sim[2], Error *err)
{
	Trace *to[2] = { &traffic->trace[0], &traffic->held_out };
	for (int i = 0; i < 2; i++) {
		Traffic made;
		int code = traffic_make(o->traffic, (uint64_t) o->seed + ((uint64_t) i << 32), &made, err);
		if (code)
			return code;
		*to[i] = made.trace;
		traffic->n = 1;
		lend(sim[i], to[i], 1);
		sim[i]->window_from = 0;
		sim[i]->window_to = 1;
		sim[i]->think_s = made.think_s;
		if (o->peak_rps <= 0)
			sim[i]->peak_rps = made.peak;
	}
	str_copy(traffic->name, sizeof traffic->name, o->traffic);
	return 0;
}

int sim_traffic_open(const SimOptions *o, SimTraffic *traffic, SimConfig *train, SimConfig *held_out, Error *err)
{
	*traffic = (SimTraffic) { .name = "constant" };
	if (o->traffic && o->trace.n)
		return error_set(err, ERR_USAGE, "--trace and --traffic: one of them");
	if (o->traffic && strcmp(o->traffic, "mix") != 0)
		return open_shape(o, traffic, (SimConfig *[]) { train, held_out }, err);
	bool is_mix = !o->trace.n && (o->traffic || !strcmp(o->preset, "default"));
	int code = is_mix ? open_mix(traffic, err) : open_traces(o->trace.item, o->trace.n, traffic, err);
	if (code || !traffic->n)
		return code;
	lend(train, traffic->trace, traffic->n);
	lend(held_out, traffic->trace, traffic->n);
	if (traffic->n == 1)
		str_copy(traffic->name, sizeof traffic->name, traffic->trace[0].name);
	else
		(void) snprintf(traffic->name, sizeof traffic->name, is_mix ? "mix of %zu traces" : "%zu traces", traffic->n);
	return 0;
}

void sim_traffic_close(SimTraffic *traffic)
{
	for (size_t i = 0; i < traffic->n; i++)
		trace_done(&traffic->trace[i]);
	trace_done(&traffic->held_out);
}
