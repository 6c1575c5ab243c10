/* The cells of a contest (contest_internal.h): where each plays, and all of them on all threads. */
#include "control/contest_internal.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

enum { CELL_STEPS_MAX = 1 << 18, SEED_STRIDE = 4096 };

static double part_from(const ContestConfig *c, Part part)
{
	return part == PART_REPORT ? c->report_from : .5 * c->report_from;
}

static double part_to(const ContestConfig *c, Part part)
{
	return part == PART_REPORT ? 1 : c->report_from;
}

/* Where and how long a cell plays. */
int contest_cell_config(const ContestConfig *c, const Cell *cell, SimConfig *ret, Error *err)
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
	if (cell->level == SIM_FLUID)
		ret->balance = SIM_RANDOM; /* of a search that ends at the request level, the first look: it knows no other */
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
	int code = contest_cell_config(c, cell, &config, err);
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

int contest_play(Batch *batch, Error *err)
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

int contest_add_cell(Batch *batch, Cell cell)
{
	Cell *grown = mem_room(batch->cell, batch->n, &batch->room, sizeof *grown);
	if (!grown)
		return ERR_NOMEM;
	batch->cell = grown;
	grown[batch->n++] = cell;
	return 0;
}
