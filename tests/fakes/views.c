/* See views.h. */
#include "tests/fakes/views.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { INTERVAL_MS = 15000, EPISODE = 200, N_UPDATES = 977, UPDATE_STEPS = 2048 };

int64_t views_wall_ms(void)
{
	return (int64_t) VIEWS_WALL_MS_HIGH * 1000000000 + 523246000;
}

/* -1..1, of no pattern that an eye sees, the same for the same i. */
static double noise(int i, int stream)
{
	uint32_t h = (uint32_t) i * 2654435761u ^ (uint32_t) stream * 40503u;
	h = (h ^ h >> 15) * 2246822519u;
	h = (h ^ h >> 13) * 3266489917u;
	return (double) (h ^ h >> 16) / 2147483648.0 - 1;
}

/* ---- training ---- */

static void fill_point(TrainPoint *p, int update)
{
	double x = (double) update / N_UPDATES, learned = 1 - exp(-4 * x);
	p->steps = (int64_t) update * UPDATE_STEPS;
	float *v = p->value;
	v[TRAIN_EP_REW_MEAN] = (float) (62 + 108 * learned + 6 * noise(update, 1) * (1.4 - learned));
	v[TRAIN_EP_LEN_MEAN] = (float) fmin(200, 48 + 190 * learned + 9 * noise(update, 2) * (1.3 - learned));
	v[TRAIN_APPROX_KL] = (float) (.006 + .006 * exp(-3 * x) + .002 * noise(update, 3));
	v[TRAIN_CLIP_FRACTION] = (float) (.07 + .09 * exp(-2 * x) + .02 * noise(update, 4));
	v[TRAIN_ENTROPY_LOSS] = (float) (-1.09 + .62 * x + .02 * noise(update, 5));
	v[TRAIN_EXPLAINED_VARIANCE] = (float) (.93 * (1 - exp(-9 * x)) + .03 * noise(update, 6));
	v[TRAIN_VALUE_LOSS] = (float) (.9 * exp(-6 * x) + .03 + .01 * noise(update, 7));
	v[TRAIN_POLICY_GRADIENT_LOSS] = (float) (-.009 - .004 * exp(-2 * x) + .003 * noise(update, 8));
	v[TRAIN_LOSS] = (float) (.4 * exp(-6 * x) + .01 + .005 * noise(update, 9));
	v[TRAIN_STEPS_PER_S] = (float) (398000 + 12000 * noise(update, 10));
	v[TRAIN_LEARNING_RATE] = update > 400 ? 1e-4f : 3e-4f;
	v[TRAIN_CLIP_RANGE] = .2f;
	v[TRAIN_ENT_COEF] = .01f;
	v[TRAIN_GRAD_NORM] = (float) (.46 + .1 * noise(update, 11));
	p->env_middle = v[TRAIN_EP_REW_MEAN] + (float) (2 * noise(update, 13));
	p->env_least = p->env_middle - (float) (14 + 20 * (1 - learned) + 5 * noise(update, 14));
	p->env_most = p->env_middle + (float) (9 + 12 * (1 - learned) + 4 * noise(update, 15));
}

static void fill_evals(TrainView *view, int updates)
{
	int32_t best = -1;
	for (int u = 40; u <= updates && view->n_evals < VIEW_EVALS; u += 40) {
		TrainPoint p;
		fill_point(&p, u);
		EvalPoint *e = &view->eval[view->n_evals];
		*e = (EvalPoint) { p.steps, p.value[TRAIN_EP_REW_MEAN] + 7 + (float) (4 * noise(u, 12)), 6.4f,
			           fminf(200, p.value[TRAIN_EP_LEN_MEAN] + 8), false };
		if (best < 0 || e->mean_reward > view->eval[best].mean_reward)
			best = view->n_evals;
		view->n_evals++;
	}
	if (best >= 0)
		view->eval[best].is_best = true;
}

static void fill_episode(EpisodeView *episode, double late, double spare)
{
	episode->n = EPISODE;
	for (int i = 0; i < EPISODE; i++) {
		double load = 1 + 7.5 * exp(-pow((i - 95 - late) / 32.0, 2)) + 3 * exp(-pow((i - 168 - late) / 12.0, 2));
		episode->replicas[i] = (int16_t) fmin(15, floor(load + spare));
	}
}

void views_fill_train(TrainView *view, double progress)
{
	int updates = (int) (progress * N_UPDATES);
	*view = (TrainView) { .run_id = 137, .seed = 3, .phase = TRAIN_RUNNING, .update = updates, .n_updates = N_UPDATES,
		.steps = (int64_t) updates * UPDATE_STEPS, .total_steps = (int64_t) N_UPDATES * UPDATE_STEPS,
		.steps_per_s = updates ? 398200 : NAN, .stride = updates > VIEW_POINTS ? 2 : 1, .checkpoint_steps = -1, .n_envs = 8 };
	(void) snprintf(view->name, sizeof view->name, "first-run");
	(void) snprintf(view->traffic, sizeof view->traffic, "wc98_group_week.csv");
	(void) snprintf(view->setting[PARAM_LEARNING_RATE], PARAM_TEXT, "0.0001");
	(void) snprintf(view->setting[PARAM_TRAFFIC], PARAM_TEXT, "all x1");
	(void) snprintf(view->setting[PARAM_CHAOS], PARAM_TEXT, "none");
	(void) snprintf(view->traces, sizeof view->traces, "all, wc98_group_week");
	view->wall_s = (double) view->steps / 398200;
	view->eta_s = updates ? (double) (view->total_steps - view->steps) / 398200 : NAN;
	for (int m = 0; m < TRAIN_METRIC_COUNT; m++)
		view->now[m] = NAN;
	if (!updates) {
		view->phase = TRAIN_STARTING;
		return;
	}
	for (int u = 1; u <= updates && view->n_points < VIEW_POINTS; u += (int) view->stride)
		fill_point(&view->point[view->n_points++], u);
	for (int m = 0; m < TRAIN_METRIC_COUNT; m++)
		view->now[m] = (double) view->point[view->n_points - 1].value[m];
	fill_evals(view, updates);
	if (updates > 400) {
		view->n_ticks = 1;
		view->tick[0] = (TrainTick) { 400 * UPDATE_STEPS, "lr 0.0001" };
	}
	fill_episode(&view->last_eval, -4, .6);
	fill_episode(&view->last_eval_hpa, 6, 1.1);
	view->last_eval.reward = 174.3;
	view->last_eval_hpa.reward = 161.8;
	memcpy(view->time_share, (double[4]) { .31, .12, .49, .08 }, sizeof view->time_share);
	view->checkpoint_steps = 40 * UPDATE_STEPS * (updates / 40);
	view->checkpoint_wall_ms = views_wall_ms() - 15000;
	(void) snprintf(view->checkpoint_path, sizeof view->checkpoint_path,
		"/home/ana/.local/share/maestro/models/137/last.safetensors");
}

/* ---- live ---- */

static int16_t wanted(double rps, double margin)
{
	double n = ceil(rps / 95 + margin);
	return (int16_t) (n < 1 ? 1 : n > 12 ? 12 : n);
}

static void fill_history(HistoryPoint *p, int cycle, int64_t wall_ms, int ready)
{
	double day = (double) cycle / 240;
	double rps = 420 + 300 * sin(day * 6.283) + 130 * sin(day * 31) + 28 * noise(cycle, 1) + (cycle % 190 > 176 ? 260 : 0);
	int16_t desired = wanted(rps, .25);
	double load = rps / (ready * 118.0);
	p->wall_ms = wall_ms;
	p->rps = (float) rps;
	p->latency_ms = (float) fmin(1400, 62 / fmax(.06, 1.13 - load) + 8 * noise(cycle, 2));
	p->cpu_cores = (float) (rps * .0041 + .03 * noise(cycle, 3));
	p->mem_bytes = (float) ((ready * 118.0 + 6 * noise(cycle, 4)) * 1048576);
	p->replicas = desired;
	p->ready = (int16_t) ready;
	p->hpa = wanted(rps * 1.08, .9);
	if (cycle % 300 > 262 && cycle % 300 < 272) { /* the metrics source was away */
		p->latency_ms = p->rps = p->cpu_cores = p->mem_bytes = NAN;
		p->hpa = -1;
	}
}

static void fill_row(DecisionRow *row, const HistoryPoint *now, const HistoryPoint *before, int cycle)
{
	bool is_known = !isnan(now->rps);
	int32_t was = before->replicas;
	*row = (DecisionRow) { .wall_ms = now->wall_ms, .write_us = -1 };
	(void) snprintf(row->who, sizeof row->who, is_known ? "policy" : "guard");
	row->sample = (Sample) { .wall_ms = now->wall_ms - 3000, .valid = is_known ? SAMPLE_ALL : SAMPLE_REPLICAS,
		.cpu_cores = (double) now->cpu_cores, .mem_bytes = (double) now->mem_bytes, .latency_ms = (double) now->latency_ms,
		.rps = (double) now->rps, .replicas = was, .ready = now->ready, .cpu_request_cores = .5,
		.mem_limit_bytes = 512.0 * 1048576 };
	Decision *d = &row->decision;
	*d = (Decision) { .action = ACTION_NONE, .value = NAN, .raw = was, .desired = was, .hpa = now->hpa,
		.state = is_known ? STATE_ACTIVE : STATE_HOLD, .reason = REASON_METRICS_MISSING };
	if (!is_known) {
		(void) snprintf(d->detail, sizeof d->detail, "prometheus: timed out after 5 s");
		(void) snprintf(row->sample.missing, sizeof row->sample.missing, "no metrics: prometheus timed out");
		return;
	}
	int by = now->replicas > was ? 1 : now->replicas < was ? -1 : 0;
	d->action = by + 1;
	d->n_actions = ACTION_COUNT;
	double sure = .68 + .14 * noise(cycle, 7), rest = 1 - sure;
	for (int a = 0; a < ACTION_COUNT; a++)
		d->probability[a] = (float) (a == d->action ? sure : d->action == ACTION_KEEP ? rest * .5
		                             : a == ACTION_KEEP ? rest * .7 : rest * .3);
	d->value = (float) (41.2 + 3 * noise(cycle, 8));
	d->raw = now->replicas;
	d->desired = now->replicas;
	d->reason = by > 0 ? REASON_POLICY_UP : by < 0 ? REASON_POLICY_DOWN : REASON_POLICY_KEEP;
	if (by < 0 && cycle % 3 == 0) {
		d->desired = was;
		d->guards = 1u << GUARD_STABILISED;
		(void) snprintf(d->detail, sizeof d->detail, "down waits for 300 s");
	} else if (by) {
		d->is_applied = true;
		row->write_us = (int64_t) (9000 + 4000 * noise(cycle, 9));
	}
}

static void fill_target(LiveView *view)
{
	(void) snprintf(view->context, sizeof view->context, "simulator");
	(void) snprintf(view->target.namespace_, sizeof view->target.namespace_, "shop");
	(void) snprintf(view->target.name, sizeof view->target.name, "web");
	(void) snprintf(view->policy, sizeof view->policy, "first-run");
	view->target.min_replicas = 2;
	view->target.max_replicas = 12;
	view->target.latency_soft_ms = 250;
	view->target.latency_hard_ms = 500;
	view->metrics = (SourceHealth) { true, true, 9.2f, view->wall_ms - 3000, "sim" };
	view->api = (SourceHealth) { true, true, 12.1f, view->wall_ms - 3000, "sim" };
	view->model = (SourceHealth) { true, true, .05f, view->wall_ms - 3000, "seed features" };
}

void views_fill_live(LiveView *view, int32_t n_history)
{
	int64_t now = views_wall_ms();
	*view = (LiveView) { .run_id = 138, .state = STATE_ACTIVE, .policy_steps = 806912, .is_simulated = true,
		.wall_ms = now,
		.speed = 7.5, .interval_s = 15, .next_decision_wall_ms = now + 9000, .cycles = n_history, .manual_replicas = -1 };
	fill_target(view);
	int ready = 4;
	for (int i = 0; i < n_history && i < VIEW_HISTORY; i++) {
		HistoryPoint *p = &view->history[view->n_history++];
		fill_history(p, i, now - (int64_t) (n_history - 1 - i) * INTERVAL_MS - 3000, ready);
		view->pod_hours += ready * INTERVAL_MS / 3.6e6;
		view->slo_total_s += isnan(p->latency_ms) ? 0 : INTERVAL_MS / 1e3;
		view->slo_good_s += p->latency_ms <= 250 ? INTERVAL_MS / 1e3 : 0;
		ready += p->replicas > ready ? 1 : p->replicas < ready ? -1 : 0;
	}
	for (int i = view->n_history - 1; i > 0 && view->n_rows < VIEW_ROWS; i--)
		fill_row(&view->row[view->n_rows++], &view->history[i], &view->history[i - 1], i);
	if (view->n_rows)
		view->last = view->row[0];
	else
		view->last = (DecisionRow) { .decision = { .action = ACTION_NONE, .value = NAN, .hpa = -1 }, .write_us = -1 };
}

/* ---- store ---- */

static void fill_run_row(RunRow *row, int i)
{
	static const char *const NAMES[] = { "first-run", "web-lr3e-4", "web-lr1e-3", "shop/web", "web-noent", "spike-train" };
	static const RunStatus STATUSES[] = { RUN_RUNNING, RUN_DONE, RUN_CRASHED, RUN_STOPPED, RUN_DONE, RUN_FAILED };
	bool is_control = i % 6 == 3;
	*row = (RunRow) { .id = 137 - i, .kind = is_control ? RUN_CONTROL : RUN_TRAIN,
		.status = i ? STATUSES[i % 6] : RUN_RUNNING,
		.seed = (uint64_t) (i % 5 + 1), .start_ms = views_wall_ms() - (int64_t) i * 4680000 - 9000,
		.steps = is_control ? 2400 : 2000896 };
	if (i % 6 == 0 && i)
		row->status = RUN_DONE;
	(void) snprintf(row->name, sizeof row->name, "%s", NAMES[i % 6]);
	row->end_ms = row->status == RUN_RUNNING ? 0 : row->start_ms + 5200 + 700 * (i % 9);
	row->ep_rew_mean = is_control ? NAN : 166 + 9 * noise(i, 20);
	row->ep_len_mean = is_control ? NAN : i % 6 == 2 ? 164.0 : 200.0;
	row->eval_mean = is_control ? NAN : 171 + 8 * noise(i, 21);
	row->eval_std = is_control ? NAN : 6 + 2 * noise(i, 22);
	row->group = is_control ? 0 : (uint32_t) (0x3f2 + 0x111 * (i % 6));
	row->is_locked = i == 5;
	row->last = is_control || i % 6 == 2 ? (EpisodeFigures) { NAN, NAN, NAN, NAN, NAN }
		: (EpisodeFigures) { row->eval_mean, .9 + .4 * noise(i, 23), 3.6 + .2 * noise(i, 24), 9 + i % 6, 231 };
	(void) snprintf(row->host, sizeof row->host, "build-7");
	if (i == 1 || i == 7)
		(void) snprintf(row->tags, sizeof row->tags, i == 1 ? "web best" : "web");
	if (i == 1)
		(void) snprintf(row->note, sizeof row->note, "second seed; same as 129 but warm start off");
	if (i == 4)
		row->deleted_ms = views_wall_ms() - 86400000;
	if (is_control)
		(void) snprintf(row->policy, sizeof row->policy, "model:first-run");
}

void views_fill_runs(ArchiveAnswer *answer)
{
	*answer = (ArchiveAnswer) { .ask = ARCHIVE_RUNS, .total = 48, .matched = 48, .n_rows = 48, .fault_col = -1 };
	for (int i = 0; i < answer->n_rows; i++)
		fill_run_row(&answer->row[i], i);
}

static void fill_control(ArchiveAnswer *answer)
{
	int32_t replicas = 6;
	for (int i = ARCHIVE_DECISIONS - 1; i >= 0; i--) {
		int by = i % 7 == 3 ? 1 : i % 11 == 5 ? -1 : 0;
		ArchiveDecision *d = &answer->decision[i];
		*d = (ArchiveDecision) { .wall_ms = answer->row[0].end_ms - (int64_t) i * INTERVAL_MS, .replicas = replicas,
			.desired = replicas + by, .latency_ms = (float) (180 + 30 * noise(i, 30)),
			.rps = (float) (640 + 60 * noise(i, 31)), .is_applied = by != 0 };
		Reason reason = by > 0 ? REASON_POLICY_UP : by < 0 ? REASON_POLICY_DOWN : REASON_POLICY_KEEP;
		if (i == 4)
			d->latency_ms = d->rps = NAN;
		(void) snprintf(d->reason, sizeof d->reason, "%s", reason_text(i == 4 ? REASON_METRICS_MISSING : reason));
		replicas += by;
	}
	answer->n_decisions = ARCHIVE_DECISIONS;
	(void) snprintf(answer->config, sizeof answer->config,
	                "{\"policy\":\"model:first-run\",\"interval\":15,\"latency-soft\":250,\"latency-hard\":500,"
	                "\"min-replicas\":2,\"max-replicas\":12}");
}

void views_fill_run(ArchiveAnswer *answer, int64_t id)
{
	*answer = (ArchiveAnswer) { .ask = ARCHIVE_RUN, .total = 48, .n_rows = 1 };
	fill_run_row(&answer->row[0], (int) (137 - id));
	if (answer->row[0].kind == RUN_CONTROL) {
		fill_control(answer);
		return;
	}
	static const ArchiveCheckpoint CHECKPOINTS[] = {
		{ 2000896, 0, 1001751, "last", "/var/lib/maestro/runs/136/last.ckpt" },
		{ 1802240, 0, 59352, "best", "/var/lib/maestro/runs/136/best.safetensors" },
		{ 409600, 0, -1, "kept", "/var/lib/maestro/runs/136/409600.ckpt" },
	};
	answer->n_checkpoints = 3;
	for (int i = 0; i < answer->n_checkpoints; i++) {
		answer->checkpoint[i] = CHECKPOINTS[i];
		answer->checkpoint[i].wall_ms = answer->row[0].start_ms + 5000 - 1300 * i;
	}
	if (answer->row[0].status != RUN_RUNNING)
		(void) snprintf(answer->saved_path, sizeof answer->saved_path, "%s", CHECKPOINTS[1].path);
	answer->n_points = ARCHIVE_POINTS;
	for (int i = 0; i < ARCHIVE_POINTS; i++) {
		TrainPoint p;
		fill_point(&p, 1 + i * N_UPDATES / ARCHIVE_POINTS);
		answer->point_steps[i] = p.steps;
		answer->point_rew[i] = p.value[TRAIN_EP_REW_MEAN];
		answer->point_len[i] = p.value[TRAIN_EP_LEN_MEAN];
	}
	(void) snprintf(answer->config, sizeof answer->config,
		"{\"learning_rate\":0.0003,\"n_steps\":1024,\"batch_size\":64,\"n_epochs\":10,"
	                "\"gamma\":0.99,\"gae_lambda\":0.95,\"clip_range\":0.2,\"ent_coef\":0.01,\"vf_coef\":0.5,"
	                "\"max_grad_norm\":0.5,"
	                "\"net_arch\":[64,64],\"activation\":\"tanh\","
	                "\"trace\":\"wc98_group_week.csv\",\"envs\":2,\"seed\":%lld}",
	                (long long) answer->row[0].seed);
}

/* ---- compare, events, targets ---- */

/* Of the episode of an evaluation, x of the way through the training; in figures that are short to record. */
static void fill_cost(EpisodeFigures *f, double x, int kind, int i)
{
	double left = exp(-4 * x);
	f->reward = round(kind ? 130 - 70 * left : 170 - 108 * left);
	f->v_pct = round(10 * ((kind ? 4.1 : .7) + (kind ? 9 : 14) * left + (kind ? .8 : .3) * noise(i, 51))) / 10;
	f->pod_hours = round(100 * ((kind ? 3.31 : 3.52) + (kind ? .7 : 1.3) * left + .06 * noise(i, 52))) / 100;
	f->flips = round((kind ? 31 : 9) + 40 * left + (kind ? 6 : 2) * noise(i, 53));
	f->p95_ms = round((kind ? 402 : 231) + 300 * left + 20 * noise(i, 54));
}

static void fill_compared(CompareRun *run, int i, int kind, int seed)
{
	fill_run_row(&run->row, i);
	run->row.group = kind ? 0x5aa : 0x3f2;
	run->row.seed = (uint64_t) seed + 1;
	(void) snprintf(run->row.name, sizeof run->row.name, kind ? "web-lr1e-3" : "web-lr3e-4");
	(void) snprintf(run->trace, sizeof run->trace, "wc98_group_week.csv");
	run->n_points = COMPARE_POINTS;
	run->episode_steps = 200;
	for (int p = 0; p < COMPARE_POINTS; p++) {
		double x = (double) p / (COMPARE_POINTS - 1);
		run->steps[p] = (int64_t) (2000000 * x);
		run->wall_ms[p] = (int64_t) ((kind ? 5600 : 4800) * x);
		run->reward[p] = (float) (kind ? 60 + 70 * (1 - exp(-3 * x)) + 14 * noise(p + 97 * seed, 40) * (1.2 - x)
		                               : 62 + 108 * (1 - exp(-4 * x)) + 6 * noise(p + 97 * seed, 41) * (1.2 - x));
	}
	for (int p = 0; p < COMPARE_POINTS; p++)
		fill_cost(&run->episode[p], (double) p / (COMPARE_POINTS - 1), kind, p + 97 * seed);
	run->last_eval = (double) run->reward[COMPARE_POINTS - 1] + 3 * noise(seed, 42 + kind);
	run->eval = run->episode[COMPARE_POINTS - 1];
	run->eval.reward = run->last_eval;
	run->hpa = (EpisodeFigures) { 161.8 + noise(seed, 47), 3.1 + .2 * noise(seed, 48), 4.02 + .04 * noise(seed, 49), 12, 318 };
	(void) snprintf(run->config, sizeof run->config,
	                "{\"learning-rate\":\"%s\",\"n-steps\":256,\"batch-size\":256,\"n-epochs\":4,\"gamma\":0.99,"
	                "\"clip-range\":\"0.2\",\"ent-coef\":%s,\"net-arch\":\"64,64\",\"trace\":\"traces/wc98_group_week.csv\","
	                "\"seed\":%d}", kind ? "1e-3" : "3e-4", kind ? "0" : "0.01", seed + 1);
}

void views_fill_pair(ArchiveAnswer *answer, const int64_t *id, int n)
{
	*answer = (ArchiveAnswer) { .ask = ARCHIVE_PAIR, .total = 48, .fault_col = -1 };
	for (int i = 0; i < n && i < ARCHIVE_COMPARE; i++, answer->n_compared++)
		fill_compared(&answer->compared[i], (int) (137 - id[i]), i >= (n + 1) / 2, i % ((n + 1) / 2));
}

void views_fill_log(ArchiveAnswer *answer)
{
	static const struct {
		EventLevel level;
		const char *source, *text;
	} ROWS[] = {
		{ EVENT_INFO, "web", "PolicyUp 4 -> 5 applied" },
		{ EVENT_WARNING, "web", "Active -> Hold MetricsMissing: prometheus timed out after 5 s" },
		{ EVENT_INFO, "first-run", "evaluation reward 174.30 (best)" },
		{ EVENT_INFO, "alice", "set web 3 -> 8 applied \"black friday warm-up\"" },
		{ EVENT_INFO, "alice", "learning_rate 0.0003 -> 0.0001" },
		{ EVENT_ERROR, "web-lr1e-3", "run 135 crashed" },
		{ EVENT_INFO, "web", "Hold -> Active PolicyKeep" },
	};
	*answer = (ArchiveAnswer) { .ask = ARCHIVE_LOG, .total = 48, .n_events = 60, .fault_col = -1 };
	for (int i = 0; i < answer->n_events; i++) {
		size_t k = (size_t) i % (sizeof ROWS / sizeof *ROWS);
		ArchiveEvent *e = &answer->event[i];
		*e = (ArchiveEvent) { .wall_ms = views_wall_ms() - i * 47000, .run_id = 137 - i / 7, .level = ROWS[k].level };
		(void) snprintf(e->source, sizeof e->source, "%s", ROWS[k].source);
		(void) snprintf(e->text, sizeof e->text, "%s", ROWS[k].text);
	}
}

void views_fill_target(LiveView *view, int i)
{
	static const struct {
		const char *namespace_, *name;
		TargetState state;
		double latency_ms;
	} ROWS[] = {
		{ "shop", "web", STATE_ACTIVE, 180 }, { "shop", "pay", STATE_PAUSED, 612 }, { "shop", "cart", STATE_MANUAL, 120 },
		{ "shop", "search", STATE_SHADOW, 288 }, { "ops", "relay", STATE_HOLD, NAN }, { "shop", "img", STATE_CONFLICT, 77 },
		{ "shop", "feed", STATE_ACTIVE, 101 },
	};
	size_t k = (size_t) i % (sizeof ROWS / sizeof *ROWS);
	views_fill_live(view, 200);
	view->is_simulated = false;
	view->speed = 1;
	view->state = ROWS[k].state;
	(void) snprintf(view->context, sizeof view->context, "prod-eu");
	(void) snprintf(view->target.namespace_, sizeof view->target.namespace_, "%s", ROWS[k].namespace_);
	(void) snprintf(view->target.name, sizeof view->target.name, i < (int) (sizeof ROWS / sizeof *ROWS) ? "%s" : "%s-%d",
	                ROWS[k].name, i);
	Sample *s = &view->last.sample;
	s->valid = isnan(ROWS[k].latency_ms) ? SAMPLE_REPLICAS : SAMPLE_ALL;
	s->latency_ms = ROWS[k].latency_ms;
	s->rps += 7 * i;
	view->metrics.is_ok = !isnan(ROWS[k].latency_ms);
	if (view->state == STATE_MANUAL) {
		view->manual_replicas = 8;
		view->manual_until_wall_ms = view->wall_ms + 540000;
		(void) snprintf(view->manual_who, sizeof view->manual_who, "alice");
	}
}

void views_fill_policy(PolicyView *view)
{
	static const struct {
		const char *name, *meaning;
		float now, lo, hi, seen_lo, seen_hi, effect;
	} INPUTS[] = {
		{ "cpu_usage", "cpu of all pods, in percent of a core", 316, 0, 700, 20, 610, .03f },
		{ "memory_usage", "memory of all pods over 512 MiB a replica", .23f, 0, 1, .1f, .9f, 0 },
		{ "replicas", "pods that are asked for", 4, 2, 12, 2, 12, -.11f },
		{ "latency", "p95 of the response time", 312, 0, 900, 40, 800, .41f },
		{ "rps", "requests a second", 842, 0, 1500, 60, 1300, .22f },
	};
	*view = (PolicyView) { .steps = 806912, .n_inputs = 5, .x = 4, .y = 2, .nx = 28, .ny = 11, .n_cells = 28 * 11, .hpa_now = 6,
		.flip_input = 3, .flip_value = 214, .p_now = { .04f, .21f, .75f } };
	(void) snprintf(view->policy, sizeof view->policy, "first-run");
	for (int i = 0; i < 5; i++) {
		view->input[i] = (PolicyInput) { "", "", INPUTS[i].now, INPUTS[i].lo, INPUTS[i].hi, INPUTS[i].seen_lo, INPUTS[i].seen_hi,
			INPUTS[i].effect };
		(void) snprintf(view->input[i].name, INPUT_NAME, "%s", INPUTS[i].name);
		(void) snprintf(view->input[i].meaning, sizeof view->input[i].meaning, "%s", INPUTS[i].meaning);
	}
	for (int at = 0; at < view->n_cells; at++) {
		double rps = 1500.0 * (at % view->nx) / (view->nx - 1), n = 2 + at / view->nx, load = rps / (n * 118);
		double up = 1 / (1 + exp(-9 * (load - .9))), down = 1 / (1 + exp(9 * (load - .45)));
		if (at % 61 == 30)
			up *= .8;
		view->up[at] = (float) up;
		view->down[at] = (float) (down * (1 - up));
		view->keep[at] = (float) (1 - up - down * (1 - up));
		view->value[at] = (float) (60 - 20 * load - n);
		view->here[at] = (int16_t) n;
		view->hpa[at] = (int16_t) fmin(12, fmax(2, ceil(rps / 95)));
		view->flag[at] = (rps < 60 || rps > 1300 ? CELL_OUTSIDE : 0) | (at % 61 == 30 && up > .1 ? CELL_ODD : 0);
	}
}
