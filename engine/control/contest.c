/* See contest.h. */
#include "control/contest.h"

#include "base/mem.h"
#include "decide/rails.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TUNE_SEEDS_MAX = 2, SHORTLIST = 3, CELL_STEPS_MAX = 1 << 18, SEED_STRIDE = 4096, SETTINGS_MAX = 256 };

typedef enum Part { PART_TUNE, PART_REPORT } Part;

typedef struct Cell {
	int32_t family, setting, trace, seed;
	Part part;
	SimLevel level;
	double *out;  /* [FIGURE_COUNT]; of a tuning cell [TUNE_BLOCKS][2] */
	uint32_t rails_off;
	double *share; /* [GUARD_COUNT] of decisions that each rail would change; NULL: not asked for */
} Cell;

typedef struct Batch { /* cells that are played side by side */
	const Contest *contest;
	const char *stage;
	Cell *cell;
	size_t n, room;
	atomic_size_t next;
	size_t done, failed;   /* under the lock; failed: the first cell that did, n: none */
	pthread_mutex_t lock;
	const volatile sig_atomic_t *stop;
	Error err;
} Batch;

/* ---- a cell ---- */

static double part_from(const ContestConfig *c, Part part)
{
	return part == PART_REPORT ? c->report_from : .5 * c->report_from;
}

static double part_to(const ContestConfig *c, Part part)
{
	return part == PART_REPORT ? 1 : c->report_from;
}

/* Where and how long a cell plays. */
static int cell_config(const ContestConfig *c, const Cell *cell, SimConfig *ret, Error *err)
{
	const Trace *trace = &c->trace[cell->trace];
	const Family *family = &c->family[cell->family];
	double length_s = (double) trace->n * trace->step_s, from = part_from(c, cell->part), to = part_to(c, cell->part);
	double part_s = (to - from) * length_s, span_s = c->span_s * c->arena.sim.compression;
	if (span_s > 0 && span_s < part_s) {
		double place = (cell->seed + .5) / c->seeds;
		from += place * (part_s - span_s) / length_s;
		to = from + span_s / length_s;
	}
	*ret = c->arena.sim;
	ret->trace = trace;
	ret->window_from = from;
	ret->window_to = to;
	ret->level = cell->level;
	ret->random_start = false;
	ret->start = SIM_START_DEMAND;
	if (family->kind->configure)
		family->kind->configure(family, &c->arena, cell->setting, ret);
	double steps = floor((to - from) * length_s / ret->compression / (double) ret->interval_s + 1e-9);
	if (!(steps >= 1 && steps <= CELL_STEPS_MAX))
		return error_set(err, ERR_INVALID, "trace %s: its part is of %.0f intervals, must be 1 to %d", trace->name, steps, CELL_STEPS_MAX);
	ret->episode_steps = (int32_t) steps;
	return 0;
}

typedef struct Worker {
	Batch *batch;
	EvalStep *step;       /* [CELL_STEPS_MAX] */
	EvalEpisode *episode;
} Worker;

typedef struct Beginning {
	const Family *family;
	const Arena *arena;
} Beginning;

static int begin(void *arg, Policy *policy, const SimTarget *sim, int64_t now_ms)
{
	const Beginning *b = arg;
	return b->family->kind->begin ? b->family->kind->begin(policy, sim, b->arena, now_ms) : 0;
}

/* Pod-hours and V-hours of each quarter. */
static void measure_blocks(const FiguresInput *in, double *ret)
{
	for (int32_t b = 0; b < TUNE_BLOCKS; b++) {
		double figures[FIGURE_COUNT];
		int32_t from = (int32_t) ((int64_t) in->n * b / TUNE_BLOCKS), to = (int32_t) ((int64_t) in->n * (b + 1) / TUNE_BLOCKS);
		FiguresInput part = *in;
		part.step = in->step + from;
		part.n = to - from;
		figures_of_use(&part, figures);
		ret[2 * b] = part.n ? figures[FIGURE_POD_HOURS] : 0;
		ret[2 * b + 1] = part.n ? figures[FIGURE_V_HOURS] : 0;
	}
}

static int play_cell(Worker *worker, const Cell *cell, Error *err)
{
	const ContestConfig *c = &worker->batch->contest->config;
	const Family *family = &c->family[cell->family];
	SimConfig config;
	Policy *policy = NULL;
	EvalQuantiles quantiles;
	int code = cell_config(c, cell, &config, err);
	if (!code)
		code = family->kind->open(family, &c->arena, cell->setting, cell->seed, &policy, err);
	if (code)
		return code;
	const EvalOptions options = { .rails_off = cell->rails_off, .counts_rails = cell->share, .step = worker->step, .room = CELL_STEPS_MAX,
		.begin = begin, .arg = &(Beginning) { family, &c->arena } };
	uint32_t stream = (uint32_t) ((2 * cell->trace + (cell->part == PART_REPORT)) * SEED_STRIDE + cell->seed);
	code = evaluate_play(&config, evaluate_seed(c->seed, (int32_t) stream), policy, &options, worker->episode, &quantiles, err);
	policy_free(policy);
	if (code)
		return code;
	const FiguresInput in = {
		.step = worker->step, .n = worker->episode->steps, .interval_s = (double) config.interval_s,
		.soft_ms = (double) config.latency_soft_ms, .hard_ms = (double) config.latency_hard_ms,
		.min_replicas = config.min_replicas, .max_replicas = config.max_replicas,
		.first_replicas = worker->episode->first_replicas, .lambda = c->lambda[0],
	};
	if (cell->part == PART_TUNE) {
		measure_blocks(&in, cell->out);
		return 0;
	}
	for (int g = 0; cell->share && g < GUARD_COUNT; g++)
		for (int32_t t = 0; t < in.n; t++)
			cell->share[g] += (worker->step[t].guards >> g & 1) / (double) in.n;
	figures_of(&in, cell->out);
	cell->out[FIGURE_REWARD] = worker->episode->reward;
	cell->out[FIGURE_P95] = quantiles.p95_ms;
	cell->out[FIGURE_P99] = quantiles.p99_ms;
	return 0;
}

/* ---- many cells ---- */

static void note(Batch *batch, size_t i, int code, const Error *err)
{
	const ContestConfig *c = &batch->contest->config;
	(void) pthread_mutex_lock(&batch->lock);
	batch->done++;
	if (code && i < batch->failed) {
		batch->failed = i;
		(void) error_set(&batch->err, code, "%.60s on %s: %.160s", c->family[batch->cell[i].family].word,
		                 c->trace[batch->cell[i].trace].name, err->text);
		atomic_store(&batch->next, batch->n); /* nobody begins another */
	}
	if (c->progress && !code)
		c->progress(c->arg, batch->stage, batch->done, batch->n);
	(void) pthread_mutex_unlock(&batch->lock);
}

static void *work(void *arg)
{
	Worker *worker = arg;
	Batch *batch = worker->batch;
	for (;;) {
		size_t i = atomic_fetch_add(&batch->next, 1);
		if (i >= batch->n || (batch->stop && *batch->stop))
			return NULL;
		Error err = { 0 };
		int code = play_cell(worker, &batch->cell[i], &err);
		note(batch, i, code, &err);
	}
}

static int play(Batch *batch, Error *err)
{
	enum { THREADS_MAX = 64 };
	Worker worker[THREADS_MAX] = { 0 };
	pthread_t thread[THREADS_MAX];
	int32_t asked = batch->contest->config.threads, threads = asked < 1 ? 1 : asked > THREADS_MAX ? THREADS_MAX : asked;
	int32_t started = 0;
	int code = 0;
	batch->failed = batch->n;
	batch->done = 0;
	atomic_store(&batch->next, 0);
	(void) pthread_mutex_init(&batch->lock, NULL);
	for (int32_t k = 0; k < threads; k++) {
		worker[k] = (Worker) { batch, malloc(CELL_STEPS_MAX * sizeof(EvalStep)), malloc(sizeof(EvalEpisode)) };
		if (!worker[k].step || !worker[k].episode)
			code = error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	}
	for (int32_t k = 1; k < threads && !code; k++)
		if (!pthread_create(&thread[started], NULL, work, &worker[k]))
			started++;
	if (!code)
		(void) work(&worker[0]);
	for (int32_t k = 0; k < started; k++)
		(void) pthread_join(thread[k], NULL);
	for (int32_t k = 0; k < threads; k++) {
		free(worker[k].step);
		free(worker[k].episode);
	}
	(void) pthread_mutex_destroy(&batch->lock);
	if (!code && batch->failed < batch->n)
		code = error_set(err, batch->err.code, "%s", batch->err.text);
	if (!code && batch->stop && *batch->stop)
		code = error_set(err, ERR_CANCELLED, "%s", err_text(ERR_CANCELLED));
	return code;
}

static int add_cell(Batch *batch, Cell cell)
{
	if (batch->n == batch->room) {
		size_t room = batch->room ? 2 * batch->room : 256;
		Cell *grown = realloc(batch->cell, room * sizeof *grown);
		if (!grown)
			return ERR_NOMEM;
		batch->cell = grown;
		batch->room = room;
	}
	batch->cell[batch->n++] = cell;
	return 0;
}

/* ---- tuning ---- */

static int32_t tune_seeds(const ContestConfig *c)
{
	return c->seeds < TUNE_SEEDS_MAX ? c->seeds : TUNE_SEEDS_MAX;
}

static double *tuned_at(const Contest *contest, int32_t family, int32_t trace, int32_t setting)
{
	size_t row = (size_t) (family * contest->config.n_traces + trace) * (size_t) contest->most_settings + (size_t) setting;
	return contest->tuned + 2 * TUNE_BLOCKS * row;
}

/* Costs of all settings of a family on a trace over the first n_blocks quarters, as two arrays. */
static int32_t tuned_costs(const Contest *contest, int32_t family, int32_t trace, int32_t n_blocks, double *pod_hours, double *v_hours)
{
	int32_t n = family_settings(&contest->config.family[family], &contest->config.arena);
	for (int32_t s = 0; s < n; s++) {
		const double *at = tuned_at(contest, family, trace, s);
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
	int32_t n = tuned_costs(contest, family, trace, TUNE_BLOCKS, pod_hours, v_hours);
	for (size_t w = 0; w < sizeof weights / sizeof *weights; w++) {
		double v[SETTINGS_MAX];
		for (int32_t s = 0; s < n; s++)
			v[s] = v_hours[s];
		for (int k = 0; k < SHORTLIST; k++) {
			int32_t best = front_best(pod_hours, v, (size_t) n, weights[w]);
			if (best < 0)
				break;
			v[best] = NAN;
			tuned_at(contest, family, trace, best)[1] = -1; /* stays */
		}
	}
	for (int32_t s = 0; s < n; s++) {
		double *at = tuned_at(contest, family, trace, s);
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
				for (int32_t i = 0; !isnan(tuned_at(contest, f, t, s)[0]) && i < tune_seeds(c) && !code; i++)
					code = add_cell(&batch, (Cell) { .family = f, .setting = s, .trace = t, .seed = i, .part = PART_TUNE, .level = level });
	double *figures = calloc(batch.n + 1, 2 * TUNE_BLOCKS * sizeof *figures);
	if (!figures || code)
		code = error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	for (size_t i = 0; i < batch.n && !code; i++)
		batch.cell[i].out = figures + i * 2 * TUNE_BLOCKS;
	if (!code)
		code = play(&batch, err);
	for (size_t i = 0; i < batch.n && !code; i++) {
		const Cell *cell = &batch.cell[i];
		double *at = tuned_at(contest, cell->family, cell->trace, cell->setting), share = 1.0 / tune_seeds(c);
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
	int32_t n = tuned_costs(contest, family, trace, TUNE_BLOCKS, pod_hours, v_hours);
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

/* ---- choice ---- */

static const double CHOICE_MARGIN = .01; /* of the cost */

/* Cost of a family over the quarters after the first, each at the setting that was best on those before it. */
static double rolling_cost(const Contest *contest, int32_t family, int32_t trace, double *pod_hours, double *v_hours)
{
	double lambda = contest->config.lambda[0], sum = 0;
	for (int32_t b = 1; b < TUNE_BLOCKS; b++) {
		int32_t n = tuned_costs(contest, family, trace, b, pod_hours, v_hours);
		int32_t best = front_best(pod_hours, v_hours, (size_t) n, lambda);
		if (best < 0)
			return NAN;
		const double *at = tuned_at(contest, family, trace, best) + 2 * b;
		sum += at[0] + lambda * at[1];
	}
	return sum;
}

static bool can_be_chosen(const Family *family)
{
	return family->kind->open && !family->kind->is_bound;
}

/* The calibrated rule stands for the families until another is better by the margin. */
static int32_t choose_family(const Contest *contest, int32_t trace, double *pod_hours, double *v_hours)
{
	const ContestConfig *c = &contest->config;
	int32_t choice = -1;
	double least = NAN;
	for (int32_t f = 0; f < c->n_families && choice < 0; f++)
		if (c->family[f].kind->is_reference) {
			choice = f;
			least = (1 - CHOICE_MARGIN) * rolling_cost(contest, f, trace, pod_hours, v_hours);
		}
	for (int32_t f = 0; f < c->n_families; f++) {
		if (!can_be_chosen(&c->family[f]) || f == choice)
			continue;
		double cost = rolling_cost(contest, f, trace, pod_hours, v_hours);
		if (choice < 0 || cost < least) {
			choice = f;
			least = cost;
		}
	}
	return choice;
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
		contest->choice[t] = choose_family(contest, t, pod_hours, v_hours);
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
					code = add_cell(&batch, (Cell) { .family = f, .setting = contest_path(contest, f, t)->setting[k], .trace = t, .seed = i,
						.part = PART_REPORT, .level = c->arena.sim.level, .out = contest_cell(contest, f, t, k, i) });
	code = code ? error_set(err, code, "%s", err_text(code)) : play(&batch, err);
	free(batch.cell);
	return code;
}

/* ---- rails ---- */

typedef struct RailCell {
	double figures[FIGURE_COUNT], share[GUARD_COUNT];
} RailCell;

/* Which rail a row stands for; 0: all are on. */
static uint32_t rail_of(int row)
{
	return row ? RAILS_OFF_SEED & 1u << (row - 1) : 0;
}

static int add_rail_cells(const Contest *contest, Batch *batch)
{
	const ContestConfig *c = &contest->config;
	int code = 0;
	for (int32_t f = 0; f < c->n_families; f++)
		for (int row = 0; row < 1 + GUARD_COUNT && c->family[f].n_files; row++)
			for (int32_t t = 0; t < c->n_traces && (!row || rail_of(row)); t++)
				for (int32_t i = 0; i < c->seeds && !code; i++) {
					const Path *path = contest_path(contest, f, t);
					code = add_cell(batch, (Cell) { .family = f, .setting = path->setting[path->best[0]], .trace = t, .seed = i,
						.part = PART_REPORT, .level = c->arena.sim.level, .rails_off = rail_of(row) });
				}
	return code;
}

static int row_of(uint32_t rails_off)
{
	int row = 0;
	while (rail_of(row) != rails_off)
		row++;
	return row;
}

static int measure_rails(Contest *contest, const volatile sig_atomic_t *stop, Error *err)
{
	const ContestConfig *c = &contest->config;
	Batch batch = { .contest = contest, .stage = "without each rail", .stop = stop };
	contest->rail = calloc((size_t) c->n_families * (1 + GUARD_COUNT), sizeof *contest->rail);
	int code = contest->rail ? add_rail_cells(contest, &batch) : ERR_NOMEM;
	RailCell *cells = calloc(batch.n + 1, sizeof *cells);
	if (code || !cells)
		code = error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	for (size_t i = 0; i < batch.n && !code; i++) {
		batch.cell[i].out = cells[i].figures;
		batch.cell[i].share = batch.cell[i].rails_off ? NULL : cells[i].share;
	}
	if (!code)
		code = play(&batch, err);
	double part = 1.0 / (c->n_traces * c->seeds);
	for (size_t i = 0; i < batch.n && !code; i++) {
		RailEffect *of = contest->rail + batch.cell[i].family * (1 + GUARD_COUNT), *rail = of + row_of(batch.cell[i].rails_off);
		rail->is_there = true;
		rail->v_pct += part * cells[i].figures[FIGURE_V_PCT];
		rail->pod_hours += part * cells[i].figures[FIGURE_POD_HOURS];
		for (int g = 0; g < GUARD_COUNT; g++)
			of[1 + g].share += part * cells[i].share[g];
	}
	free(cells);
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
		code = cell_config(config, &(Cell) { .trace = t, .part = PART_REPORT }, &sim, err);
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
		code = measure_rails(contest, stop, err);
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

void contest_front(const Contest *contest, int32_t family, int32_t trace, int32_t seed, Front *ret)
{
	FrontPoint point[PATH_MAX_SETTINGS];
	const Path *path = contest_path(contest, family, trace);
	for (int32_t k = 0; k < path->n; k++) {
		const double *cell = contest_cell(contest, family, trace, k, seed);
		point[k] = (FrontPoint) { cell[FIGURE_POD_HOURS], cell[FIGURE_V_PCT] };
	}
	front_of(point, (size_t) path->n, contest->floor_pct[trace], ret);
}

void contest_compare(const Contest *contest, int32_t family, int32_t against, int32_t lambda, Versus *versus)
{
	const ContestConfig *c = &contest->config;
	versus->cheapest = versus->dearest = 0;
	for (int32_t t = 0; t < c->n_traces; t++)
		for (int32_t i = 0; i < c->seeds; i++) {
			Front front;
			int beyond;
			const double *other = contest_cell(contest, against, t, contest_path(contest, against, t)->best[lambda], i);
			contest_front(contest, family, t, i, &front);
			double v = front_v_at(&front, other[FIGURE_POD_HOURS], &beyond);
			versus->cheapest += beyond < 0;
			versus->dearest += beyond > 0;
			versus->v_change[t * c->seeds + i] = front_change(other[FIGURE_V_PCT], v, contest->floor_pct[t]);
			versus->pod_hours_ratio[t * c->seeds + i] = front_pod_hours_at(&front, other[FIGURE_V_PCT], NULL) / other[FIGURE_POD_HOURS];
		}
}
