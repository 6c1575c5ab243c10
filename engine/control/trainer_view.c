/*
 * What training shows and keeps: its TrainView (curves thinned to a fixed number of points) and the replica history of the
 * first environment's episodes.
 */
#include "control/trainer_internal.h"

#include "base/boot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RATE_EVERY_MS = 500, RATE_OVER_MS = 10000, EPISODE_EVERY_MS = 1000 };

Record trainer_record(const Trainer *trainer, RecordKind kind)
{
	return (Record) { .kind = kind, .run_id = trainer->config.run_id, .wall_ms = clock_wall_ms(trainer->config.clock) };
}

void trainer_view_total(Trainer *trainer)
{
	int64_t a_rollout = (int64_t) ppo_samples(trainer->ppo);
	trainer->view.total_steps = trainer->config.total_steps;
	trainer->view.n_updates = (trainer->config.total_steps + a_rollout - 1) / a_rollout;
}

/* The shortest text that reads back as the same number. */
static void exact(char text[PARAM_TEXT], double value)
{
	for (int digits = 1; digits <= 17; digits++) {
		(void) snprintf(text, PARAM_TEXT, "%.*g", digits, value);
		if (!(strtod(text, NULL) < value || strtod(text, NULL) > value))
			return;
	}
}

/* Those of the configuration, and what a resumed run had changed before its checkpoint. */
static void init_settings(Trainer *trainer)
{
	TrainView *view = &trainer->view;
	const SimConfig *sim = &trainer->config.sim;
	exact(view->setting[PARAM_LEARNING_RATE], trainer->config.ppo.learning_rate);
	exact(view->setting[PARAM_ENT_COEF], trainer->config.ppo.ent_coef);
	exact(view->setting[PARAM_CLIP_RANGE], trainer->config.ppo.clip_range);
	(void) snprintf(view->setting[PARAM_STEPS], PARAM_TEXT, "%lld", (long long) trainer->config.total_steps);
	double scale = 1;
	int32_t trace = -1;
	if (trainer->env) /* a checkpoint may have brought it */
		sim_env_traffic(trainer->env, &scale, &trace);
	(void) snprintf(view->setting[PARAM_TRAFFIC], PARAM_TEXT, "%.48s x%g", trace < 0 ? "all" : sim->trace[trace].name, scale);
	str_copy(view->setting[PARAM_CHAOS], PARAM_TEXT, "none");
	str_copy(view->traces, sizeof view->traces, "all");
	for (size_t i = 0; sim->trace && i < (sim->n_traces ? sim->n_traces : 1); i++) {
		size_t len = strlen(view->traces);
		(void) snprintf(view->traces + len, sizeof view->traces - len, ", %s", sim->trace[i].name);
	}
	for (int32_t i = 0; i < trainer->changes && i < trainer->config.n_changes; i++)
		if (trainer->config.change[i].param != PARAM_STEPS) /* the total is the caller's */
			str_copy(view->setting[trainer->config.change[i].param], PARAM_TEXT, trainer->config.change[i].to);
}

void trainer_view_init(Trainer *trainer)
{
	const TrainerConfig *config = &trainer->config;
	TrainView *view = &trainer->view;
	*view = (TrainView) {
		.run_id = config->run_id,
		.seed = config->ppo.seed,
		.phase = TRAIN_STARTING,
		.update = trainer->updates,
		.steps = ppo_steps(trainer->ppo),
		.steps_per_s = NAN,
		.eta_s = NAN,
		.stride = 1,
		.checkpoint_steps = -1,
		.is_live = config->live != NULL,
		.rollout_steps = config->ppo.n_steps,
		.n_envs = config->ppo.n_envs,
	};
	str_copy(view->name, sizeof view->name, config->name);
	str_copy(view->traffic, sizeof view->traffic, config->traffic);
	for (int i = 0; i < TRAIN_METRIC_COUNT; i++)
		view->now[i] = NAN;
	view->now[TRAIN_LEARNING_RATE] = config->ppo.learning_rate;
	view->now[TRAIN_ENT_COEF] = config->ppo.ent_coef;
	view->now[TRAIN_CLIP_RANGE] = config->ppo.clip_range;
	trainer_view_total(trainer);
	init_settings(trainer);
	trainer_publish(trainer);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *) a, y = *(const double *) b;
	return (x > y) - (x < y);
}

/* How far apart the environments are: of the last episode that each has ended. */
static void spread(const Trainer *trainer, TrainPoint *point)
{
	double *sorted = trainer->ended;
	size_t n = ppo_last_returns(trainer->ppo, sorted);
	qsort(sorted, n, sizeof *sorted, by_value);
	point->env_least = n ? (float) sorted[0] : NAN;
	point->env_middle = n ? (float) boot_quantile(sorted, n, .5) : NAN;
	point->env_most = n ? (float) sorted[n - 1] : NAN;
}

static void add_point(Trainer *trainer, const RecordUpdate *update)
{
	TrainView *view = &trainer->view;
	if (update->update % view->stride)
		return;
	if (view->n_points == VIEW_POINTS) {
		for (int32_t i = 0; i < VIEW_POINTS / 2; i++)
			view->point[i] = view->point[2 * i + 1];
		view->n_points = VIEW_POINTS / 2;
		view->stride *= 2;
		if (update->update % view->stride)
			return;
	}
	TrainPoint *point = &view->point[view->n_points++];
	point->steps = update->steps;
	for (int i = 0; i < TRAIN_METRIC_COUNT; i++)
		point->value[i] = (float) update->value[i];
	spread(trainer, point);
}

/* Steps a second over the last ten seconds; NAN before there is half a second to measure. */
static double measure_rate(Trainer *trainer, int64_t steps)
{
	int64_t now = clock_mono_ms(trainer->config.clock);
	RateSample *rate = trainer->rate;
	if (!trainer->n_rate || now - rate[trainer->n_rate - 1].mono_ms >= RATE_EVERY_MS) {
		bool is_old = trainer->n_rate && now - rate[0].mono_ms > RATE_OVER_MS;
		if (is_old || trainer->n_rate == RATE_SAMPLES)
			memmove(rate, rate + 1, (size_t) --trainer->n_rate * sizeof *rate);
		rate[trainer->n_rate++] = (RateSample) { now, steps };
	}
	int64_t span = now - rate[0].mono_ms;
	return span >= RATE_EVERY_MS ? (double) (steps - rate[0].steps) * 1000 / (double) span : NAN;
}

static void share_time(Trainer *trainer)
{
	double seconds[3];
	ppo_times(trainer->ppo, seconds);
	double wall = fmax((double) trainer->busy_ms / 1000, seconds[0] + seconds[1] + seconds[2]);
	for (int i = 0; i < 3; i++)
		trainer->view.time_share[i] = wall > 0 ? seconds[i] / wall : 0;
	trainer->view.time_share[3] = wall > 0 ? 1 - (seconds[0] + seconds[1] + seconds[2]) / wall : 0;
}

static const char *trouble_of(const RecordUpdate *update)
{
	static const struct {
		TrainMetric metric;
		double below, above; /* trouble outside */
		const char *text;
	} signs[] = {
		{ TRAIN_APPROX_KL, -INFINITY, .1, "approximate KL over .1: the policy moves too far an update" },
		{ TRAIN_CLIP_FRACTION, -INFINITY, .3, "clip fraction over .3: steps too large" },
		{ TRAIN_EXPLAINED_VARIANCE, .05, INFINITY, "explained variance near 0: the critic explains nothing" },
		{ TRAIN_ENTROPY_LOSS, -INFINITY, -.02, "entropy collapsed: the policy no longer explores" },
	};
	if (update->update < 10) /* the critic has seen nothing yet */
		return "";
	for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
		double value = update->value[signs[i].metric];
		if (value < signs[i].below || value > signs[i].above)
			return signs[i].text;
	}
	return "";
}

void trainer_view_update(Trainer *trainer, const RecordUpdate *update)
{
	TrainView *view = &trainer->view;
	view->update = update->update;
	view->steps = update->steps;
	view->wall_s = (double) trainer->busy_ms / 1000;
	memcpy(view->now, update->value, sizeof view->now);
	view->steps_per_s = view->phase == TRAIN_PAUSED ? NAN : measure_rate(trainer, update->steps);
	view->eta_s = view->steps_per_s > 0 ? (double) (view->total_steps - view->steps) / view->steps_per_s : NAN;
	str_copy(view->trouble, sizeof view->trouble, trouble_of(update));
	share_time(trainer);
	add_point(trainer, update);
}

void trainer_view_eval(Trainer *trainer, const RecordEval *eval)
{
	TrainView *view = &trainer->view;
	if (view->n_evals == VIEW_EVALS) { /* thin out, keeping the best visible */
		int32_t kept = 0;
		for (int32_t i = 0; i < VIEW_EVALS; i++)
			if (i % 2 || view->eval[i].is_best)
				view->eval[kept++] = view->eval[i];
		view->n_evals = kept < VIEW_EVALS ? kept : VIEW_EVALS - 1;
	}
	view->eval[view->n_evals++] = (EvalPoint) {
		.steps = eval->steps,
		.mean_reward = (float) eval->mean_reward,
		.std_reward = (float) eval->std_reward,
		.mean_ep_length = (float) eval->mean_ep_length,
		.is_best = eval->is_best,
	};
}

void trainer_tick(Trainer *trainer, const char *label)
{
	TrainView *view = &trainer->view;
	if (view->n_ticks == VIEW_TICKS)
		memmove(view->tick, view->tick + 1, (size_t) --view->n_ticks * sizeof *view->tick);
	TrainTick *tick = &view->tick[view->n_ticks++];
	tick->steps = ppo_steps(trainer->ppo);
	str_copy(tick->label, sizeof tick->label, label);
}

void trainer_publish(Trainer *trainer)
{
	trainer->last_publish_ms = clock_mono_ms(trainer->config.clock);
	trainer->view.sink_dropped = trainer->config.sink->ops->dropped(trainer->config.sink);
	TrainView *snap = snap_new(sizeof *snap);
	if (!snap)
		return;
	*snap = trainer->view;
	snap_publish(&trainer->views, snap);
}

/* On the thread that steps row 0; nobody else touches row0 while a rollout is collected. */
void trainer_on_step(void *arg, size_t row, const EnvBuf *buf)
{
	if (row)
		return;
	Trainer *trainer = arg;
	if (trainer->config.live)
		trainer->view.rollout_step = trainer->view.rollout_step % trainer->config.ppo.n_steps + 1;
	RecordEpisode *episode = &trainer->row0;
	int32_t t = trainer->row0_steps++;
	trainer->row0_reward += (double) buf->reward[0];
	if (t < EPISODE_STEPS_MAX && buf->info) {
		episode->replicas[t] = (int16_t) buf->info[0].replicas;
		episode->latency_ms[t] = buf->info[0].p95_ms;
		episode->rps[t] = buf->info[0].rps;
	}
	if (!buf->terminated[0] && !buf->truncated[0])
		return;
	episode->reward = trainer->row0_reward;
	episode->length = trainer->row0_steps < EPISODE_STEPS_MAX ? trainer->row0_steps : EPISODE_STEPS_MAX;
	if (!trainer->row0_is_partial)
		trainer->last_episode = *episode;
	trainer->row0_is_partial = false;
	trainer->row0_steps = 0;
	trainer->row0_reward = 0;
}

void trainer_record_episode(Trainer *trainer)
{
	int64_t now = clock_mono_ms(trainer->config.clock);
	if (!trainer->last_episode.length || now - trainer->last_episode_ms < EPISODE_EVERY_MS)
		return;
	Record record = trainer_record(trainer, RECORD_EPISODE);
	record.u.episode = trainer->last_episode;
	record.u.episode.steps = ppo_steps(trainer->ppo);
	str_copy(record.u.episode.source, sizeof record.u.episode.source, "train");
	trainer->config.sink->ops->write(trainer->config.sink, &record);
	trainer->last_episode.length = 0;
	trainer->last_episode_ms = now;
}
