/* Axes of domain randomisation: what they are drawn from, what each does to an episode, and that rows stay their own. */
#include "sim/core.h"
#include "tests/fakes/sim_batch.h"

#include "base/mem.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static SimConfig config_of(const char *vary)
{
	SimConfig config;
	Error err;
	sim_config_default(&config);
	config.latency_soft_ms = 250.0f;
	config.interval_s = 15.0f;
	config.start = SIM_START_DEMAND;
	config.max_replicas = 8;
	config.episode_steps = 40;
	config.peak_rps = 60.0;
	if (sim_vary_parse(vary, &config, &err))
		fail_msg("%s", err.text);
	return config;
}

static void what_a_person_writes_is_read_or_named(void **state)
{
	(void) state;
	SimConfig config = config_of("metric-delay=5:60,flash,startup=20:40");
	assert_true(config.vary.axis[AXIS_METRIC_DELAY].is_on && config.vary.axis[AXIS_METRIC_DELAY].high == 60.0);
	assert_true(config.vary.axis[AXIS_FLASH].is_on && config.vary.axis[AXIS_FLASH].low == 2.0 && config.vary.axis[AXIS_FLASH].high == 10.0);
	assert_false(config.vary.axis[AXIS_TREND].is_on);
	assert_true(config.vary.startup_min_s == 20.0 && config.vary.startup_max_s == 40.0);
	config = config_of("all");
	for (int i = 0; i < SIM_AXES; i++)
		assert_true(config.vary.axis[i].is_on);
	assert_true(config.vary.axis[AXIS_MAX].high == 8.0); /* not more than there is */
	assert_true(config.vary.axis[AXIS_SCRAPE].high == 30.0 && config.vary.startup_max_s == 0.0);
	static const struct {
		const char *text, *want;
	} bad[] = {
		{ "speed=1:2", "no axis \"speed\"; there are capacity, startup-spread, nodes" },
		{ "flash=3", "flash=3: write AXIS or AXIS=LO:HI" },
		{ "flash=3:", "write AXIS or AXIS=LO:HI" },
		{ "flash=5:3", "flash=5:3 must rise within 1:100" },
		{ "metric-missing=0:1", "metric-missing=0:1 must rise within 0:0.9" },
		{ "all=1:2", "write AXIS or AXIS=LO:HI" },
		{ "retries=nan:.2", "must rise within" },
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		Error err = { 0 };
		assert_int_equal(sim_vary_parse(bad[i].text, &config, &err), ERR_USAGE);
		if (!strstr(err.text, bad[i].want))
			fail_msg("\"%s\" without \"%s\"", err.text, bad[i].want);
	}
}

static void ranges_without_room_are_refused(void **state)
{
	(void) state;
	static const struct {
		const char *text, *want;
	} bad[] = {
		{ "scrape=5:60", "a window of 60 s without two scrapes" },
		{ "interval=6:9", "interval=6:9 holds no multiple of the sub-step, 5 s" },
		{ "min=1:6,max=4:8", "min: up to 6 is above max from 4" },
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		SimConfig config = config_of(bad[i].text);
		SimModel model;
		Error err = { 0 };
		assert_int_equal(core_model_init(&model, &config, &err), ERR_INVALID);
		if (!strstr(err.text, bad[i].want))
			fail_msg("\"%s\" without \"%s\"", err.text, bad[i].want);
	}
}

/* ---- draws ---- */

static void draws_span_their_ranges_and_move_no_other(void **state)
{
	(void) state;
	enum { EPISODES = 300 };
	SimConfig all = config_of("all,nodes=2:4,min=1:2,max=4:8"), few = config_of("capacity,interval,trend");
	SimModel model, other;
	Error err;
	assert_int_equal(core_model_init(&model, &all, &err), 0);
	assert_int_equal(core_model_init(&other, &few, &err), 0);
	SimRow *row = mem_block(1, model.row_bytes), *beside = mem_block(1, other.row_bytes);
	double least[8], most[8];
	for (int i = 0; i < 8; i++) {
		least[i] = INFINITY;
		most[i] = -INFINITY;
	}
	for (uint32_t e = 0; e < EPISODES; e++) {
		row->seed = beside->seed = 5;
		row->id = beside->id = 3;
		row->episode = beside->episode = e;
		vary_draw(&model, row);
		vary_draw(&other, beside);
		const Drawn *d = drawn_of(&model, row), *b = drawn_of(&other, beside);
		assert_true(d->capacity == b->capacity && d->interval_s == b->interval_s && d->trend_a_day == b->trend_a_day);
		assert_true(b->delay_ticks == 0 && b->flash == 1.0 && b->max_replicas == 8 && b->backend_s == 0.0f);
		const double seen[8] = { (double) d->capacity, d->nodes, d->scrape_ticks, d->delay_ticks, d->trend_a_day, d->flash,
			(double) d->interval_s, d->max_replicas };
		for (int i = 0; i < 8; i++) {
			least[i] = fmin(least[i], seen[i]);
			most[i] = fmax(most[i], seen[i]);
		}
		assert_true(fabs(fmod((double) d->interval_s, 5.0)) < 1e-6 && d->min_replicas >= 1 && d->min_replicas <= 2);
	}
	static const double low[8] = { .7, 2, 1, 1, -.5, 2, 10, 4 }, high[8] = { 1.3, 4, 6, 12, .5, 10, 60, 8 };
	for (int i = 0; i < 8; i++) {
		double edge = .03 * (high[i] - low[i]);
		assert_true(least[i] >= low[i] - 1e-6 && least[i] <= low[i] + edge);
		assert_true(most[i] <= high[i] + 1e-6 && most[i] >= high[i] - edge);
	}
	core_model_done(&model);
	core_model_done(&other);
	free(row);
	free(beside);
}

/* ---- what they do ---- */

static const EnvInfo *step(Batch *batch, int32_t action)
{
	for (size_t i = 0; i < batch->env->n; i++)
		batch->buf.action[i] = action;
	assert_int_equal(batch->env->ops->step(batch->env, 0, batch->env->n, &batch->buf), 0);
	return batch->buf.info;
}

enum { DOWN = 0, KEEP = 1, UP = 2, LATENCY = 3, RPS = 4 };

/* Mean of something over an episode of two pods at a rate. */
typedef struct Means {
	double rps, most_rps, cpu_cores, p95_ms, pod_s, ready;
} Means;

static Means episode_of(SimConfig config, double rps, int32_t pods)
{
	config.min_replicas = pods;
	config.peak_rps = rps;
	Means means = { 0 };
	Batch batch = batch_new(&config, 1);
	for (int32_t k = 0; k < config.episode_steps; k++) {
		const EnvInfo *info = step(&batch, KEEP);
		means.rps += (double) info->rps / config.episode_steps;
		means.most_rps = fmax(means.most_rps, (double) info->rps);
		means.cpu_cores += (double) info->cpu_cores / config.episode_steps;
		means.p95_ms += (double) info->p95_ms / config.episode_steps;
		means.pod_s += (double) info->pod_s / config.episode_steps;
		means.ready = (double) info->ready;
	}
	batch_free(&batch);
	return means;
}

static void each_axis_does_what_it_says(void **state)
{
	(void) state;
	Means plain = episode_of(config_of(""), 30, 4);
	Means slow = episode_of(config_of("capacity=.5:.5"), 30, 4);
	assert_true(fabs(slow.cpu_cores / plain.cpu_cores - 2.0) < .1 && slow.p95_ms > 1.8 * plain.p95_ms);
	Means waits = episode_of(config_of("backend=.3:.3"), 30, 4);
	assert_true(fabs(waits.p95_ms - plain.p95_ms - 300.0) < 40.0 && fabs(waits.cpu_cores / plain.cpu_cores - 1.0) < .05);
	Means crowd = episode_of(config_of("flash=4:4,flash-rise=30:30"), 20, 8);
	assert_true(fabs(crowd.most_rps / 80.0 - 1.0) < .2);
	SimConfig trend = config_of("trend=20:20"); /* 20 times as much in a day: 2000 steps of 15 s are 1 + 20 x .347 */
	trend.episode_steps = 2000;
	assert_true(fabs(episode_of(trend, 5, 8).most_rps / (5.0 * 7.94) - 1.0) < .25);
	assert_true(fabs(episode_of(config_of("interval=30:30"), 30, 4).pod_s - 4 * 30.0) < 1e-3);
	Means tries = episode_of(config_of("retries=.8:.8"), 400, 2); /* hardly any are answered */
	assert_true(tries.rps > 1.5 * 400.0 && fabs(episode_of(config_of(""), 400, 2).rps / 400.0 - 1.0) < .02);
}

static void pods_beyond_the_nodes_stay_pending(void **state)
{
	(void) state;
	SimConfig config = config_of("nodes=1:1");
	config.max_replicas = 12; /* eight of half a core are a node's */
	config.start = SIM_START_ONE;
	Batch batch = batch_new(&config, 1);
	const EnvInfo *info = NULL;
	for (int k = 0; k < 30; k++)
		info = step(&batch, UP);
	assert_int_equal(info->replicas, 12);
	assert_int_equal(info->ready, 8);
	batch_free(&batch);
}

static void replicas_keep_to_the_episodes_own_bounds(void **state)
{
	(void) state;
	SimConfig config = config_of("min=2:3,max=4:12");
	config.start = SIM_START_RANDOM;
	Batch batch = batch_new(&config, 4);
	int32_t most = 0, least = 99, tops = 0;
	for (int k = 0; k < 20 * config.episode_steps; k++) { /* twenty episodes: up to the top and down again */
		bool is_rising = k % config.episode_steps < 20;
		for (size_t i = 0; i < 4; i++) {
			int32_t replicas = (int32_t) lroundf(batch.buf.obs[i * OBS_SEED_DIM + 2]);
			bool can_go = batch.buf.mask[i * 3 + (is_rising ? UP : DOWN)];
			most = replicas > most ? replicas : most;
			least = replicas < least ? replicas : least;
			tops |= !can_go && is_rising ? 1 << replicas : 0;
		}
		step(&batch, is_rising ? UP : DOWN);
	}
	assert_int_equal(most, 12);
	assert_int_equal(least, 2);
	int32_t kinds = 0;
	for (; tops; tops &= tops - 1)
		kinds++;
	assert_true(kinds >= 6); /* most episodes had a bound of their own */
	batch_free(&batch);
}

/* The traffic doubles at 300 s; when it is seen. */
static int32_t seen_at(const char *vary)
{
	enum { ROWS = 60 };
	double rate[ROWS];
	for (int i = 0; i < ROWS; i++)
		rate[i] = i < 30 ? .5 : 1.0;
	const Trace trace = { .name = "step", .rate = rate, .n = ROWS, .step_s = 10.0 };
	SimConfig config = config_of(vary);
	config.trace = &trace;
	Batch batch = batch_new(&config, 1);
	int32_t k = 0;
	while (k < config.episode_steps && batch.buf.obs[RPS] < 45.0f) {
		step(&batch, KEEP);
		k++;
	}
	batch_free(&batch);
	return k;
}

static void late_metrics_come_late(void **state)
{
	(void) state;
	int32_t at_once = seen_at("");
	assert_true(at_once > 20 && at_once < 26);
	assert_int_equal(seen_at("metric-delay=60:60"), at_once + 4);
	/* between two decisions too: 5 s later is seen in the same interval or the next */
	int32_t soon = seen_at("metric-delay=5:5");
	assert_true(soon >= at_once && soon <= at_once + 1);
}

/* The age of the newest rate is in trend's observation, in intervals. */
static void the_policy_is_told_how_late(void **state)
{
	(void) state;
	enum { AGE = 26 };
	double age[2] = { 0 };
	for (int i = 0; i < 2; i++) {
		SimConfig config = config_of(i ? "metric-delay=30:30" : "");
		config.observation = OBS_TREND;
		Batch batch = batch_new(&config, 1);
		for (int k = 0; k < 30; k++) {
			step(&batch, KEEP);
			age[i] += (double) batch.buf.obs[AGE] / 30.0;
		}
		batch_free(&batch);
	}
	assert_true(fabs(age[1] - age[0] - 2.0) < .35);
}

static void rows_stay_their_own_and_snapshots_whole(void **state)
{
	(void) state;
	SimConfig config = config_of("all,max=4:12");
	config.observation = OBS_TREND;
	config.level = SIM_FLUID;
	Batch few = batch_new(&config, 2), many = batch_new(&config, 5);
	for (int k = 0; k < 3 * config.episode_steps; k++) {
		int32_t action = k / 3 % 3;
		step(&few, action);
		for (size_t i = 0; i < 5; i++)
			many.buf.action[i] = action;
		assert_int_equal(many.env->ops->step(many.env, 3, 2, &many.buf), 0);
		assert_int_equal(many.env->ops->step(many.env, 0, 3, &many.buf), 0);
		assert_memory_equal(few.buf.obs, many.buf.obs, 2 * TREND_DIM * sizeof(float));
		assert_memory_equal(few.buf.info, many.buf.info, 2 * sizeof(EnvInfo));
		for (int i = 0; i < 2 * TREND_DIM; i++)
			assert_true(isfinite(few.buf.obs[i]));
	}
	size_t size = few.env->ops->state_size(few.env);
	char *middle = malloc(size), *end = malloc(size), *again = malloc(size);
	assert_true(middle && end && again);
	few.env->ops->snapshot(few.env, middle);
	for (int k = 0; k < 50; k++)
		step(&few, k % 3);
	few.env->ops->snapshot(few.env, end);
	assert_int_equal(few.env->ops->restore(few.env, middle, size), 0);
	for (int k = 0; k < 50; k++)
		step(&few, k % 3);
	few.env->ops->snapshot(few.env, again);
	assert_memory_equal(end, again, size);
	free(middle);
	free(end);
	free(again);
	batch_free(&few);
	batch_free(&many);
}

/* Three parts in a hundred of the slowest take so many medians: the spread of what pods wait for. */
static void starts_spread_as_asked_for(void **state)
{
	(void) state;
	enum { N = 1500 };
	static double took[N];
	SimConfig config = config_of("startup-spread=4:4,startup=60:60");
	config.service.readiness_period = .1;
	config.service.start_cached = 1.0;
	config.min_replicas = 1;
	config.max_replicas = 2;
	config.substep_s = 5.0f;
	SimModel model;
	Error err;
	assert_int_equal(core_model_init(&model, &config, &err), 0);
	SimRow *row = mem_block(1, model.row_bytes);
	for (uint32_t e = 0; e < N; e++) {
		core_reset(&model, row, 1, 0, e);
		SimView view = core_view(&model, row);
		row->replicas = row->alive + 1;
		pods_update(&model, row, &view, core_now_s(&model, row));
		took[e] = view.pod[view.order[row->n_used - 1]].ready_s - core_now_s(&model, row);
	}
	int beyond = 0, below = 0;
	for (int e = 0; e < N; e++) {
		beyond += took[e] > 4.0 * 60.0;
		below += took[e] < 60.0;
	}
	assert_true(abs(below - N / 2) < 60); /* three deviations */
	assert_true(beyond >= 4 && beyond <= 28); /* 15 of 1500, three deviations */
	core_model_done(&model);
	free(row);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_person_writes_is_read_or_named),
		cmocka_unit_test(ranges_without_room_are_refused),
		cmocka_unit_test(draws_span_their_ranges_and_move_no_other),
		cmocka_unit_test(each_axis_does_what_it_says),
		cmocka_unit_test(pods_beyond_the_nodes_stay_pending),
		cmocka_unit_test(replicas_keep_to_the_episodes_own_bounds),
		cmocka_unit_test(late_metrics_come_late),
		cmocka_unit_test(the_policy_is_told_how_late),
		cmocka_unit_test(rows_stay_their_own_and_snapshots_whole),
		cmocka_unit_test(starts_spread_as_asked_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
