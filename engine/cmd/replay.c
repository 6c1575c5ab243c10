/* See replay.h. The last third of a trace, which no training has seen, from its start, with the same seed for all. */
#include "cmd/replay.h"

#include "base/mem.h"
#include "cmd/policies.h"
#include "cmd/train_opts.h"
#include "control/evaluate.h"
#include "storage/db.h"
#include "storage/run_folder.h"
#include "storage/runs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct ReplayWorld {
	const char *db;
	Clock *clock;
	Json *config;          /* of the run that the world is of */
	TrainOptions options;
	ServiceFile service;
	SimTraffic traffic;
	TrainerConfig trainer;
	EvalEpisode episode;
};

static void leave(ReplayWorld *world)
{
	sim_traffic_close(&world->traffic);
	json_free(world->config);
	world->config = NULL;
	world->traffic = (SimTraffic) { 0 };
}

int replay_world_new(const char *db, Clock *clock, ReplayWorld **ret_world)
{
	ReplayWorld *world = calloc(1, sizeof *world);
	if (!world)
		return ERR_NOMEM;
	world->db = db;
	world->clock = clock;
	*ret_world = world;
	return 0;
}

void replay_world_free(ReplayWorld *world)
{
	if (!world)
		return;
	leave(world);
	free(world);
}

static int read_config(const ReplayWorld *world, int64_t run, RunRow *row, Json **ret_config, char *model, size_t size, Error *err)
{
	struct sqlite3 *db = NULL;
	StrBuf text = { 0 };
	int code = db_open_existing(world->db, world->clock, &db, err);
	if (!code)
		code = runs_get(db, run, row, &text, err);
	if (!code)
		code = json_parse(text.data, text.len, ret_config, err);
	if (!code)
		run_policy_find(db, world->db, run, *ret_config, model, size);
	strbuf_done(&text);
	db_close(db);
	return code;
}

/* The world that the first run was evaluated in. */
static int enter(ReplayWorld *world, int64_t run, Error *err)
{
	RunRow row;
	char model[4500];
	leave(world);
	int code = read_config(world, run, &row, &world->config, model, sizeof model, err);
	if (code)
		return code;
	train_options_load(&world->options, world->config, 0);
	const ServiceFile *service = world->options.sim.service ? &world->service : NULL;
	world->trainer = (TrainerConfig) { .total_steps = 0 };
	if (!strcmp(world->options.env, "live"))
		return error_set(err, ERR_INVALID, "run %lld trained on a cluster: there is no world to play it in", (long long) run);
	if (service)
		code = service_file_read(world->options.sim.service, &world->service, err);
	if (!code)
		code = train_options_apply(&world->options, service, &world->trainer, err);
	if (!code)
		code = sim_traffic_open(&world->options.sim, &world->traffic, &world->trainer.sim, &world->trainer.eval_sim, err);
	return code;
}

/* One trace of it. */
static SimConfig sim_of(const ReplayWorld *world, int32_t trace, ReplayView *view)
{
	SimConfig sim = world->trainer.eval_sim;
	size_t n = sim.trace ? sim.n_traces ? sim.n_traces : 1 : 0;
	if (n) {
		sim.trace += (size_t) trace % n;
		sim.n_traces = 1;
	}
	if (sim.window_from > 0.0) { /* a recorded one; made-up traffic is another draw as it is */
		sim.window_from = 2.0 / 3;
		sim.window_to = 1.0;
	}
	sim.random_start = false;
	sim.substep_s = 1;
	sim.episode_steps = REPLAY_STEPS;
	str_copy(view->trace, sizeof view->trace, n ? sim.trace->name : "constant traffic");
	view->soft_ms = sim.latency_soft_ms;
	view->interval_s = sim.interval_s;
	return sim;
}

static int by_value(const void *a, const void *b)
{
	float x = *(const float *) a, y = *(const float *) b;
	return (x > y) - (x < y);
}

static void note(const ReplayView *view, const EvalEpisode *episode, ReplayEntry *entry)
{
	float known[REPLAY_STEPS];
	int32_t n = 0, n_over = 0, flips = 0, way = 0;
	entry->n = episode->steps < REPLAY_STEPS ? episode->steps : REPLAY_STEPS;
	for (int32_t t = 0; t < entry->n; t++) {
		entry->replicas[t] = episode->replicas[t];
		entry->latency_ms[t] = episode->latency_ms[t];
		if (!isnan(episode->latency_ms[t])) {
			n_over += episode->latency_ms[t] > view->soft_ms;
			known[n++] = episode->latency_ms[t];
		}
		int32_t now = t ? (entry->replicas[t] > entry->replicas[t - 1]) - (entry->replicas[t] < entry->replicas[t - 1]) : 0;
		flips += now && way && now != way;
		way = now ? now : way;
	}
	qsort(known, (size_t) n, sizeof *known, by_value);
	entry->reward = episode->reward;
	entry->pod_hours = episode->pod_hours;
	entry->flips = flips;
	entry->v_pct = n && view->soft_ms > 0 ? 100.0 * n_over / n : (double) NAN;
	entry->p95_ms = n ? (double) known[(int) (.95 * (n - 1) + .5)] : (double) NAN;
}

static int open_run(const ReplayWorld *world, int64_t run, Policy **ret_policy, ModelInfo *info, Error *err)
{
	RunRow row;
	Json *config = NULL;
	char model[4500], word[4512];
	int code = read_config(world, run, &row, &config, model, sizeof model, err);
	(void) snprintf(word, sizeof word, "model:%s", code ? "" : model);
	if (!code && access(word + 6, R_OK))
		code = error_set(err, ERR_NOT_FOUND, row.status == RUN_RUNNING ? "it has not been evaluated yet: v on Train" : "its model file is gone");
	if (!code)
		code = policy_open(word, ret_policy, info, err);
	json_free(config);
	return code;
}

int replay_play(void *arg, const ReplayQuery *query, int32_t i, ReplayView *view, Error *err)
{
	ReplayWorld *world = arg;
	ReplayEntry *entry = &view->entry[i];
	Policy *policy = NULL;
	ModelInfo info = { .steps = -1 };
	Error why = { 0 };
	*entry = (ReplayEntry) { .reward = NAN, .v_pct = NAN, .pod_hours = NAN, .flips = NAN, .p95_ms = NAN };
	int code = i ? 0 : enter(world, query->run[0], err);
	if (code)
		return code;
	SimConfig sim = sim_of(world, query->trace, view);
	code = i < query->n ? open_run(world, query->run[i], &policy, &info, &why) : policy_open("hpa", &policy, &info, &why);
	if (!code && info.obs_version == OBS_TREND && info.pod_price > 0)
		sim.pod_price = info.pod_price;
	if (!code)
		code = evaluate_episode(&sim, evaluate_seed(world->trainer.ppo.seed, 0), policy, &world->episode, &why);
	if (code)
		(void) snprintf(entry->why, sizeof entry->why, "%.115s", why.text[0] ? why.text : err_text(code));
	else
		note(view, &world->episode, entry);
	policy_free(policy);
	return 0;
}
