/* See contest.h. contest_play.c plays the cells, contest_choice.c and contest_rails.c are sections of their own. */
#include "control/contest_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TUNE_SEEDS_MAX = 2, SHORTLIST = 3 };

/* ---- tuning ---- */

static int32_t tune_seeds(const ContestConfig *c)
{
	return c->seeds < TUNE_SEEDS_MAX ? c->seeds : TUNE_SEEDS_MAX;
}

double *contest_tuned_at(const Contest *contest, int32_t family, int32_t trace, int32_t setting)
{
	size_t row = (size_t) (family * contest->config.n_traces + trace) * (size_t) contest->most_settings + (size_t) setting;
	return contest->tuned + 2 * TUNE_BLOCKS * row;
}

int32_t contest_tuned_costs(const Contest *contest, int32_t family, int32_t trace, int32_t n_blocks, double *pod_hours, double *v_hours)
{
	int32_t n = family_settings(&contest->config.family[family], &contest->config.arena);
	for (int32_t s = 0; s < n; s++) {
		const double *at = contest_tuned_at(contest, family, trace, s);
		pod_hours[s] = v_hours[s] = 0;
		for (int32_t b = 0; b < n_blocks; b++) {
			pod_hours[s] += at[2 * b];
			v_hours[s] += at[2 * b + 1];
		}
	}
	return n;
}

/* For each weight of violation, the few cheapest settings of the fluid tuning; the others are struck out. */
static void shortlist(const Contest *contest, int32_t family, int32_t trace, double *pod_hours, double *v_hours)
{
	static const double weights[] = { 1, 3, 10, 30, 100, 300 };
	int32_t n = contest_tuned_costs(contest, family, trace, TUNE_BLOCKS, pod_hours, v_hours);
	for (size_t w = 0; w < sizeof weights / sizeof *weights; w++) {
		double v[SETTINGS_MAX];
		for (int32_t s = 0; s < n; s++)
			v[s] = v_hours[s];
		for (int k = 0; k < SHORTLIST; k++) {
			int32_t best = front_best(pod_hours, v, (size_t) n, weights[w]);
			if (best < 0)
				break;
			v[best] = NAN;
			contest_tuned_at(contest, family, trace, best)[1] = -1; /* stays */
		}
	}
	for (int32_t s = 0; s < n; s++) {
		double *at = contest_tuned_at(contest, family, trace, s);
		at[0] = at[1] < 0 ? 0 : NAN;
	}
}

/* A single setting needs none, but where it may be chosen among families. */
static bool needs_tuning(const ContestConfig *c, int32_t family)
{
	bool has_choice = false;
	for (int32_t f = 0; f < c->n_families; f++)
		has_choice = has_choice || !c->family[f].kind->open;
	return c->family[family].kind->open && (has_choice || family_settings(&c->family[family], &c->arena) > 1);
}

/* Every setting that is not struck out, on the tuning parts. */
static int tune_at(Contest *contest, SimLevel level, const volatile sig_atomic_t *stop, Error *err)
{
	const ContestConfig *c = &contest->config;
	Batch batch = { .contest = contest, .stage = level == SIM_FLUID ? "tuning" : "tuning at the request level", .stop = stop };
	int code = 0;
	for (int32_t f = 0; f < c->n_families && !code; f++)
		for (int32_t t = 0, n = family_settings(&c->family[f], &c->arena); t < c->n_traces && needs_tuning(c, f) && !code; t++)
			for (int32_t s = 0; s < n && !code; s++)
				for (int32_t i = 0; !isnan(contest_tuned_at(contest, f, t, s)[0]) && i < tune_seeds(c) && !code; i++)
					code = contest_add_cell(&batch, (Cell) { .family = f, .setting = s, .trace = t, .seed = i, .part = PART_TUNE, .level = level });
	double *figures = calloc(batch.n + 1, 2 * TUNE_BLOCKS * sizeof *figures);
	if (!figures || code)
		code = error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	for (size_t i = 0; i < batch.n && !code; i++)
		batch.cell[i].out = figures + i * 2 * TUNE_BLOCKS;
	if (!code)
		code = contest_play(&batch, err);
	for (size_t i = 0; i < batch.n && !code; i++) {
		const Cell *cell = &batch.cell[i];
		double *at = contest_tuned_at(contest, cell->family, cell->trace, cell->setting), share = 1.0 / tune_seeds(c);
		for (int32_t k = 0; k < 2 * TUNE_BLOCKS; k++)
			at[k] = (cell->seed ? at[k] : 0) + share * cell->out[k];
	}
	free(figures);
	free(batch.cell);
	return code;
}

static bool has_setting(const Path *path, int32_t setting)
{
	int32_t at = 0;
	while (at < path->n && path->setting[at] != setting)
		at++;
	return at < path->n;
}

static void choose_path(const Contest *contest, int32_t family, int32_t trace, double *pod_hours, double *v_hours, Path *ret)
{
	const ContestConfig *c = &contest->config;
	int32_t n = contest_tuned_costs(contest, family, trace, TUNE_BLOCKS, pod_hours, v_hours);
	*ret = (Path) { .n = 1 };
	if (n == 1)
		return;
	ret->n = 0;
	for (int32_t l = 0; l < c->n_lambdas; l++) { /* first those that must be there */
		int32_t best = front_best(pod_hours, v_hours, (size_t) n, c->lambda[l]), at = 0;
		while (at < ret->n && ret->setting[at] != best)
			at++;
		if (at == ret->n)
			ret->setting[ret->n++] = best < 0 ? 0 : best;
		ret->best[l] = at;
	}
	if (c->family[family].kind->is_bound && !has_setting(ret, 0)) /* its definition, for regret */
		ret->setting[ret->n++] = 0;
	int32_t all[FRONT_MAX];
	size_t found = front_path(pod_hours, v_hours, (size_t) n, all, FRONT_MAX);
	for (size_t k = 0; k < found && ret->n < PATH_MAX_SETTINGS; k++)
		if (!has_setting(ret, all[k]))
			ret->setting[ret->n++] = all[k];
}

static void copy_choices(Contest *contest, bool with_cells)
{
	const ContestConfig *c = &contest->config;
	for (int32_t f = 0; f < c->n_families; f++)
		for (int32_t t = 0; t < c->n_traces && !c->family[f].kind->open; t++) {
			int32_t from = contest->choice[t];
			contest->path[f * c->n_traces + t] = *contest_path(contest, from, t);
			if (with_cells)
				memcpy(contest_cell(contest, f, t, 0, 0), contest_cell(contest, from, t, 0, 0),
				       (size_t) (PATH_MAX_SETTINGS * c->seeds * FIGURE_COUNT) * sizeof(double));
		}
}

static int tune(Contest *contest, const volatile sig_atomic_t *stop, Error *err)
{
	const ContestConfig *c = &contest->config;
	double *pod_hours = calloc((size_t) contest->most_settings, sizeof *pod_hours);
	double *v_hours = calloc((size_t) contest->most_settings, sizeof *v_hours);
	int code = pod_hours && v_hours ? 0 : error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	if (!code)
		code = tune_at(contest, SIM_FLUID, stop, err);
	if (!code && c->arena.sim.level == SIM_REQUEST) {
		for (int32_t f = 0; f < c->n_families; f++)
			for (int32_t t = 0; t < c->n_traces; t++)
				if (family_settings(&c->family[f], &c->arena) > 1)
					shortlist(contest, f, t, pod_hours, v_hours);
		code = tune_at(contest, SIM_REQUEST, stop, err);
	}
	for (int32_t f = 0; f < c->n_families && !code; f++)
		for (int32_t t = 0; t < c->n_traces; t++)
			choose_path(contest, f, t, pod_hours, v_hours, &contest->path[f * c->n_traces + t]);
	for (int32_t t = 0; t < c->n_traces && !code; t++)
		contest->choice[t] = contest_choose(contest, t);
	if (!code)
		copy_choices(contest, false);
	free(pod_hours);
	free(v_hours);
	return code;
}

/* ---- report ---- */

static int report(Contest *contest, const volatile sig_atomic_t *stop, Error *err)
{
	const ContestConfig *c = &contest->config;
	Batch batch = { .contest = contest, .stage = "measuring", .stop = stop };
	int code = 0;
	for (int32_t f = 0; f < c->n_families && !code; f++)
		for (int32_t t = 0; t < c->n_traces && c->family[f].kind->open && !code; t++)
			for (int32_t k = 0; k < contest_path(contest, f, t)->n && !code; k++)
				for (int32_t i = 0; i < c->seeds && !code; i++)
					code = contest_add_cell(&batch, (Cell) { .family = f, .setting = contest_path(contest, f, t)->setting[k], .trace = t, .seed = i,
						.part = PART_REPORT, .level = c->arena.sim.level, .out = contest_cell(contest, f, t, k, i) });
	code = code ? error_set(err, code, "%s", err_text(code)) : contest_play(&batch, err);
	free(batch.cell);
	return code;
}

/* Cost over that of the clairvoyant proper, which is the first of its settings. */
static void add_regret(Contest *contest)
{
	const ContestConfig *c = &contest->config;
	int32_t seer = 0;
	while (seer < c->n_families && !c->family[seer].kind->is_bound)
		seer++;
	for (int32_t t = 0; t < c->n_traces && seer < c->n_families; t++) {
		const Path *path = contest_path(contest, seer, t);
		int32_t own = 0;
		while (own < path->n && path->setting[own])
			own++;
		for (int32_t f = 0; own < path->n && f < c->n_families; f++)
			for (int32_t k = 0; k < contest_path(contest, f, t)->n; k++)
				for (int32_t i = 0; i < c->seeds; i++) {
					double *cell = contest_cell(contest, f, t, k, i);
					cell[FIGURE_REGRET] = cell[FIGURE_COST] - contest_cell(contest, seer, t, own, i)[FIGURE_COST];
				}
	}
}

static int allocate(Contest *contest, Error *err)
{
	const ContestConfig *c = &contest->config;
	size_t pairs = (size_t) c->n_families * (size_t) c->n_traces;
	for (int32_t f = 0; f < c->n_families; f++) {
		int32_t n = family_settings(&c->family[f], &c->arena);
		if (n > SETTINGS_MAX)
			return error_set(err, ERR_USAGE, "policy %s: %d settings to choose from, at most %d", c->family[f].word, n, SETTINGS_MAX);
		contest->most_settings = n > contest->most_settings ? n : contest->most_settings;
	}
	contest->path = calloc(pairs, sizeof *contest->path);
	contest->tuned = calloc(pairs * (size_t) contest->most_settings, 2 * TUNE_BLOCKS * sizeof *contest->tuned);
	contest->report = calloc(pairs * PATH_MAX_SETTINGS * (size_t) c->seeds, FIGURE_COUNT * sizeof *contest->report);
	contest->choice = calloc((size_t) c->n_traces, sizeof *contest->choice);
	if (!contest->path || !contest->tuned || !contest->report || !contest->choice)
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	return 0;
}

int contest_run(const ContestConfig *config, const volatile sig_atomic_t *stop, Contest *ret_contest, Error *err)
{
	*ret_contest = (Contest) { .config = *config };
	Contest *contest = ret_contest;
	int code = allocate(contest, err);
	for (int32_t t = 0; t < config->n_traces && !code; t++) {
		SimConfig sim;
		code = contest_cell_config(config, &(Cell) { .trace = t, .part = PART_REPORT }, &sim, err);
		contest->floor_pct[t] = code ? NAN : 100 * .5 / sim.episode_steps;
	}
	if (!code)
		code = tune(contest, stop, err);
	if (!code)
		code = report(contest, stop, err);
	if (!code)
		copy_choices(contest, true);
	if (!code)
		add_regret(contest);
	if (!code && config->with_rails)
		code = contest_measure_rails(contest, stop, err);
	return code;
}

int contest_measure(const ContestConfig *config, ContestPlay *play, void *arg, const volatile sig_atomic_t *stop, Contest *ret_contest,
                    Error *err)
{
	*ret_contest = (Contest) { .config = *config };
	Contest *contest = ret_contest;
	int32_t n = config->n_families;
	int code = 0;
	for (int32_t f = 0; f < n && !code; f++)
		if (!config->family[f].kind->open || family_settings(&config->family[f], &config->arena) > 1)
			code = error_set(err, ERR_USAGE, "policy %s is tuned, which only the simulator can do; name one setting", config->family[f].word);
	if (!code)
		code = allocate(contest, err);
	for (int32_t i = 0; i < n * config->n_traces && !code; i++)
		contest->path[i] = (Path) { .n = 1 };
	for (int32_t i = 0; i < config->n_traces * config->seeds * n && !code; i++) {
		int32_t round = i / n, at = round % 2 ? n - 1 - i % n : i % n, trace = round / config->seeds, seed = round % config->seeds;
		code = play(arg, at, trace, seed, contest_cell(contest, at, trace, 0, seed), err);
		if (!code && stop && *stop)
			code = error_set(err, ERR_CANCELLED, "%s", err_text(ERR_CANCELLED));
	}
	for (int32_t t = 0; t < config->n_traces && !code; t++)
		contest->floor_pct[t] = 100 * .5 / contest_cell(contest, 0, t, 0, 0)[FIGURE_STEPS];
	return code;
}

void contest_done(Contest *contest)
{
	free(contest->path);
	free(contest->tuned);
	free(contest->report);
	free(contest->choice);
	free(contest->rail);
	*contest = (Contest) { 0 };
}

/* ---- comparison ---- */

/* The front of a family on a trace under one seed, V in percent of the time. */
static void front_at(const Contest *contest, int32_t family, int32_t trace, int32_t seed, Front *ret)
{
	FrontPoint point[PATH_MAX_SETTINGS];
	const Path *path = contest_path(contest, family, trace);
	for (int32_t k = 0; k < path->n; k++) {
		const double *cell = contest_cell(contest, family, trace, k, seed);
		point[k] = (FrontPoint) { cell[FIGURE_POD_HOURS], cell[FIGURE_V_PCT] };
	}
	front_of(point, (size_t) path->n, contest->floor_pct[trace], ret);
}

static double interval_of(const ContestConfig *c, int32_t family)
{
	return (double) (c->family[family].interval_s > 0 ? c->family[family].interval_s : c->arena.sim.interval_s);
}

void contest_compare(const Contest *contest, int32_t family, int32_t against, int32_t lambda, Versus *versus)
{
	const ContestConfig *c = &contest->config;
	versus->cheapest = versus->dearest = versus->unreached = 0;
	for (int32_t t = 0; t < c->n_traces; t++)
		for (int32_t i = 0; i < c->seeds; i++) {
			Front front;
			int beyond;
			const double *other = contest_cell(contest, against, t, contest_path(contest, against, t)->best[lambda], i);
			front_at(contest, family, t, i, &front);
			double v = front_v_at(&front, other[FIGURE_POD_HOURS], &beyond);
			versus->cheapest += beyond < 0;
			versus->dearest += beyond > 0;
			versus->v_change[t * c->seeds + i] = front_change(other[FIGURE_V_PCT], v, contest->floor_pct[t]);
			double most = c->arena.sim.max_replicas * other[FIGURE_STEPS] * interval_of(c, against) / 3600;
			double pod_hours = front_pod_hours_at(&front, other[FIGURE_V_PCT], most, &beyond);
			versus->unreached += beyond > 0;
			versus->pod_hours_ratio[t * c->seeds + i] = pod_hours / other[FIGURE_POD_HOURS];
		}
}
