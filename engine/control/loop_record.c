/*
 * What the loop shows and keeps: its LiveView, and a row in the store for each decision and each change of state.
 */
#include "control/loop_internal.h"

#include "decide/actions.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void loop_view_init(Loop *loop)
{
	const LoopConfig *config = &loop->config;
	LiveHead *view = &loop->view;
	*view = (LiveHead) {
		.run_id = config->run_id,
		.target = config->target,
		.state = STATE_WARMING,
		.policy_steps = -1,
		.is_simulated = config->is_simulated,
		.is_readonly = config->is_readonly,
		.speed = config->speed,
		.interval_s = (float) config->interval_ms / 1000,
		.manual_replicas = -1,
		.wall_ms = clock_wall_ms(config->clock),
		.last = { .decision = loop_no_decision(), .write_us = -1 },
		.metrics = { .duration_ms = NAN },
		.api = { .duration_ms = NAN },
		.model = { .duration_ms = NAN },
		.duration_us = { -1, -1, -1, -1 },
	};
	for (int k = 0; k < CONDITION_COUNT; k++)
		view->condition[k].status = -1;
	str_copy(view->context, sizeof view->context, config->context);
	str_copy(view->policy, sizeof view->policy, config->policy->label);
	str_copy(view->model_sha256, sizeof view->model_sha256, config->policy->sha256);
	view->obs_version = config->policy->obs_version;
	loop_publish(loop);
}

Record loop_record(const Loop *loop, RecordKind kind)
{
	return (Record) { .kind = kind, .run_id = loop->config.run_id, .wall_ms = clock_machine_ms(loop->config.clock) };
}

/* Which actions the policy was offered. */
static uint32_t loop_mask(const Loop *loop, const Cycle *cycle)
{
	uint32_t all = (1u << actions_count(loop->config.policy->actions)) - 1;
	return !cycle->is_observed ? 0 : cycle->obs.mask ? cycle->obs.mask & all : all;
}

static void record_decision(Loop *loop, const Cycle *cycle)
{
	Record record = loop_record(loop, RECORD_DECISION);
	RecordDecision *row = &record.u.decision;
	const Target *target = &loop->config.target;
	memcpy(row->duration_us, cycle->duration_us, sizeof row->duration_us);
	str_copy(row->policy, sizeof row->policy, loop->config.policy->label);
	str_copy(row->namespace_, sizeof row->namespace_, target->namespace_);
	str_copy(row->deployment, sizeof row->deployment, target->name);
	str_copy(row->model, sizeof row->model, loop->config.policy->sha256);
	row->mask_of = loop->config.policy->actions;
	row->mask = loop_mask(loop, cycle);
	row->obs_dim = cycle->obs.dim;
	memcpy(row->obs, cycle->obs.x, sizeof row->obs);
	row->sample = cycle->sample;
	row->sample.pods = NULL;
	row->sample.pod_name = NULL;
	row->sample.n_pods = 0;
	row->decision = cycle->decision;
	row->time_ms = cycle->sample.wall_ms;
	str_copy(row->resource_version, sizeof row->resource_version, cycle->written_version);
	loop->config.sink->ops->write(loop->config.sink, &record);
}

static void change_state(Loop *loop, const Decision *decision)
{
	LiveHead *view = &loop->view;
	if (view->state != decision->state) {
		Record record = loop_record(loop, RECORD_STATE);
		RecordState *row = &record.u.state;
		str_copy(row->namespace_, sizeof row->namespace_, loop->config.target.namespace_);
		str_copy(row->deployment, sizeof row->deployment, loop->config.target.name);
		row->from = view->state;
		row->to = decision->state;
		row->reason = decision->reason;
		str_copy(row->detail, sizeof row->detail, decision->detail);
		loop->config.sink->ops->write(loop->config.sink, &record);
	}
	view->state = decision->state;
	view->state_reason = decision->reason;
	str_copy(view->state_detail, sizeof view->state_detail, decision->detail);
}

static float known(const Sample *sample, uint32_t bit, double value)
{
	return sample->valid & bit ? (float) value : NAN;
}

static HistoryPoint point_of(const Sample *sample, int32_t hpa)
{
	bool has_replicas = sample->valid & SAMPLE_REPLICAS;
	return (HistoryPoint) {
		.wall_ms = sample->wall_ms,
		.latency_ms = known(sample, SAMPLE_LATENCY, sample->latency_ms),
		.rps = known(sample, SAMPLE_RPS, sample->rps),
		.cpu_cores = known(sample, SAMPLE_CPU, sample->cpu_cores),
		.mem_bytes = known(sample, SAMPLE_MEM, sample->mem_bytes),
		.replicas = (int16_t) (has_replicas ? sample->replicas : -1),
		.ready = (int16_t) (has_replicas ? sample->ready : -1),
		.hpa = (int16_t) hpa,
	};
}

/* ---- the snapshot ---- */

typedef struct Grown { /* what a snapshot has more than the one before */
	const HistoryPoint *point; /* [n], oldest first */
	int32_t n;
	const DecisionRow *row;    /* NULL: none */
} Grown;

/* The older one's past, and what is new of it. What is past VIEW_HISTORY and VIEW_ROWS falls off. */
static void take_past(LiveView *to, const LiveView *from, const Grown *grown)
{
	int32_t n = grown->n < VIEW_HISTORY ? grown->n : VIEW_HISTORY, room = VIEW_HISTORY - n;
	int32_t had = from ? from->n_history : 0, kept = had < room ? had : room, is_new = grown->row != NULL;
	if (kept)
		memcpy(to->history, from->history + (had - kept), (size_t) kept * sizeof *to->history);
	if (n)
		memcpy(to->history + kept, grown->point + (grown->n - n), (size_t) n * sizeof *to->history);
	to->n_history = kept + n;
	had = from ? from->n_rows : 0;
	kept = had < VIEW_ROWS - is_new ? had : VIEW_ROWS - is_new;
	if (is_new)
		to->row[0] = *grown->row;
	if (kept)
		memcpy(to->row + is_new, from->row, (size_t) kept * sizeof *to->row);
	to->n_rows = kept + is_new;
}

/* Publishes what the loop shows now. NULL: there was no memory; the older snapshot stays and its age shows. Else lent until the next. */
static const LiveView *publish(Loop *loop, const Grown *grown)
{
	LiveHead *head = &loop->view;
	head->wall_ms = clock_wall_ms(loop->config.clock);
	head->sink_dropped = loop->config.sink->ops->dropped(loop->config.sink);
	if (loop->config.policy_steps)
		head->policy_steps = loop->config.policy_steps(loop->config.policy);
	LiveView *snap = snap_new(sizeof *snap);
	if (!snap)
		return NULL;
	const LiveView *before = snap_acquire(&loop->views);
	snap->head = *head;
	take_past(snap, before, grown);
	snap_release(before);
	snap_publish(&loop->views, snap);
	return snap;
}

void loop_publish(Loop *loop)
{
	(void) publish(loop, &(Grown) { 0 });
}

void loop_view_past(Loop *loop, const Sample *past, size_t n)
{
	HistoryPoint *point = loop->view.cycles ? NULL : calloc(n, sizeof *point); /* a gap that was lived through stays one */
	int32_t count = 0;
	for (size_t i = 0; point && i < n; i++)
		if (past[i].valid)
			point[count++] = point_of(&past[i], -1);
	if (count)
		(void) publish(loop, &(Grown) { .point = point, .n = count });
	free(point);
}

/* ---- a cycle ---- */

static void fill_pods(LiveHead *view, const Sample *sample)
{
	view->n_pods = sample->pods ? (int32_t) (sample->n_pods < VIEW_PODS ? sample->n_pods : VIEW_PODS) : 0;
	for (int32_t i = 0; i < view->n_pods; i++) {
		const PodSample *pod = &sample->pods[i];
		const char *name = sample->pod_name ? sample->pod_name[i] : "";
		size_t len = strlen(name), most = sizeof view->pod[i].name - 1;
		view->pod[i] = (PodView) { .is_ready = pod->ready == READY_TRUE, .is_going = pod->is_deleting,
			.cpu_cores = pod->has_usage ? (float) pod->usage_m / 1000 : NAN,
			.cpu_request_cores = pod->has_request ? (float) pod->request_m / 1000 : NAN,
			.age_ms = pod->has_start_time ? pod->start_age_ms : -1 };
		str_copy(view->pod[i].name, sizeof view->pod[i].name, len > most ? name + len - most : name);
	}
}

static void fill_row(Loop *loop, const Cycle *cycle)
{
	LiveHead *view = &loop->view;
	DecisionRow *row = &view->last;
	*row = (DecisionRow) {
		.wall_ms = cycle->sample.wall_ms,
		.sample = cycle->sample,
		.decision = cycle->decision,
		.write_us = cycle->duration_us[2],
	};
	fill_pods(view, &cycle->sample);
	row->sample.pods = NULL;
	row->sample.pod_name = NULL;
	row->sample.n_pods = 0;
	TargetState state = cycle->decision.state;
	bool is_policy = state == STATE_ACTIVE || state == STATE_SHADOW;
	str_copy(row->who, sizeof row->who, is_policy ? "policy" : state == STATE_MANUAL ? view->manual_who : "guard");
}

/* Pod-hours and seconds within the limits since the last cycle. */
static void accumulate(Loop *loop, const Cycle *cycle)
{
	LiveHead *view = &loop->view;
	const Sample *sample = &cycle->sample;
	double elapsed_s = loop->last_cycle_ms ? (double) (cycle->start_ms - loop->last_cycle_ms) / 1000 : 0;
	loop->last_cycle_ms = cycle->start_ms;
	if (sample->valid & SAMPLE_REPLICAS)
		view->pod_hours += elapsed_s * sample->replicas / 3600;
	float soft = loop->config.target.latency_soft_ms, hard = loop->config.target.latency_hard_ms;
	if (soft > 0 && sample->valid & SAMPLE_LATENCY) {
		bool is_good = sample->latency_ms <= (double) soft;
		view->slo_total_s += elapsed_s;
		view->slo_good_s += is_good ? elapsed_s : 0;
		view->counters.soft_s += is_good ? 0 : elapsed_s;
	}
	if (hard > 0 && sample->valid & SAMPLE_LATENCY && sample->latency_ms > (double) hard)
		view->counters.hard_s += elapsed_s;
}

static void count(Loop *loop, const Cycle *cycle)
{
	LoopCounters *counters = &loop->view.counters;
	const Decision *decision = &cycle->decision;
	int32_t action = decision->action >= ACTION_NONE && decision->action <= ACTION_UP ? decision->action : ACTION_NONE;
	counters->decisions[action + 1][decision->is_applied]++;
	for (int g = 0; g < GUARD_COUNT; g++)
		counters->guards[g] += decision->guards >> g & 1;
	counters->holds[decision->reason] += decision->state == STATE_HOLD;
	counters->fallbacks[decision->reason] += decision->state == STATE_FALLBACK;
	memcpy(loop->view.duration_us, cycle->duration_us, sizeof cycle->duration_us);
	loop->view.duration_us[DURATIONS] = (clock_mono_ms(loop->config.clock) - cycle->start_ms) * 1000;
}

void loop_record_cycle(Loop *loop)
{
	const Cycle *cycle = &loop->cycle;
	TargetState before = loop->view.state;
	loop->view.cycles++;
	change_state(loop, &cycle->decision);
	accumulate(loop, cycle);
	count(loop, cycle);
	fill_row(loop, cycle);
	if (cycle->is_observed) {
		loop->view.obs_dim = cycle->obs.dim;
		memcpy(loop->view.obs, cycle->obs.x, sizeof loop->view.obs);
	}
	str_copy(loop->view.model_sha256, sizeof loop->view.model_sha256, loop->config.policy->sha256);
	str_copy(loop->view.written_version, sizeof loop->view.written_version, cycle->written_version);
	loop->view.mask_of = loop->config.policy->actions;
	loop->view.mask = loop_mask(loop, cycle);
	record_decision(loop, cycle);
	loop_tell(loop, before);
	const HistoryPoint point = point_of(&cycle->sample, cycle->decision.hpa);
	const LiveView *shown = publish(loop, &(Grown) { &point, 1, &loop->view.last });
	if (shown && loop->config.on_cycle)
		loop->config.on_cycle(loop->config.arg, shown);
	else if (!shown)
		(void) fprintf(stderr, "maestro: %s/%s: out of memory: this cycle is recorded and not shown\n", loop->config.target.namespace_,
		               loop->config.target.name);
}

void loop_intervention(Loop *loop, const char *who, const char *what, const char *from, const char *to)
{
	Record record = loop_record(loop, RECORD_INTERVENTION);
	RecordIntervention *row = &record.u.intervention;
	row->steps = loop->view.cycles;
	str_copy(row->what, sizeof row->what, what);
	str_copy(row->from, sizeof row->from, from);
	str_copy(row->to, sizeof row->to, to);
	str_copy(row->who, sizeof row->who, who);
	loop->config.sink->ops->write(loop->config.sink, &record);
}

void loop_answer(Loop *loop, int64_t id, int code, const char *text)
{
	answers_add(&loop->view.answers, id, code, text);
}
