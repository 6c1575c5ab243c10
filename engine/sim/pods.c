/*
 * The life of a pod: created, bound, pulled, booted, ready at a probe, warm; deleted, taken from the endpoints,
 * drained, gone. All its times are drawn when it is created; afterwards only time passes.
 */
#include "sim/core.h"

#include <math.h>

static const double LONG_AGO_S = 3600.0;
static const double DRAINED = .1; /* requests: less than this in a deleted pod is nothing */

static double lognormal(Rng *rng, double mean, double cv)
{
	double variance = log(1.0 + cv * cv);
	return mean * exp(sqrt(variance) * rng_normal(rng) - .5 * variance);
}

static void forget_lane(SimRow *row, const SimView *view, int32_t lane)
{
	int32_t kept = 0;
	for (int32_t k = 0; k < row->n_used; k++)
		if (view->order[k] != lane)
			view->order[kept++] = view->order[k];
	row->n_used = kept;
	view->pod[lane].state = LANE_FREE;
}

/* A free lane, else the one whose pod is gone the longest: its last samples are forgotten early. -1: none. */
static int32_t find_lane(const SimModel *model, SimRow *row, const SimView *view)
{
	if (row->n_used < model->lanes)
		for (int32_t i = 0; i < model->lanes; i++)
			if (view->pod[i].state == LANE_FREE)
				return i;
	int32_t oldest = -1;
	for (int32_t k = 0; k < row->n_used; k++) {
		int32_t i = view->order[k];
		if (view->pod[i].state == LANE_GONE && (oldest < 0 || view->pod[i].gone_tick < view->pod[oldest].gone_tick))
			oldest = i;
	}
	if (oldest >= 0)
		forget_lane(row, view, oldest);
	return oldest;
}

static int32_t tick_of(const SimModel *model, double time_s)
{
	return (int32_t) ceil(fmax(time_s, -1e6) / model->dt);
}

/* Takes a lane for a pod that runs, listens and is ready at the times given. -1: none. */
static int32_t open_lane(const SimModel *model, SimRow *row, const SimView *view, const Pod *times)
{
	int32_t lane = find_lane(model, row, view);
	if (lane < 0)
		return -1;
	view->order[row->n_used++] = (int16_t) lane;
	Pod *pod = &view->pod[lane];
	*pod = *times;
	pod->deleted_s = INFINITY;
	pod->state = LANE_POD;
	pod->cohort = -1;
	pod->gone_tick = INT32_MAX;
	pod->chance = rng_u32(&row->lifecycle);
	/* phases of its scrape and of its housekeeping */
	pod->scrape_tick = (int32_t) row->tick + 1 + (int32_t) rng_below(&row->lifecycle, (uint32_t) drawn_of(model, row)->scrape_ticks);
	double running_tick = (pod->ready_s - (double) pod->running) / model->dt;
	pod->house_at = (uint32_t) (int64_t) (HOUSE_PARTS * fmax(running_tick, (double) row->tick)) +
	                rng_below(&row->lifecycle, (uint32_t) model->house_every);
	row->alive++;
	row->present++;
	return lane;
}

/* The times of a pod that is bound to a node now. */
static Pod bind(const SimModel *model, SimRow *row, double now_s)
{
	const Service *s = &model->config.service;
	Rng *rng = &row->lifecycle;
	double bound = now_s + s->start_sched_min + (s->start_sched_max - s->start_sched_min) * rng_uniform(rng);
	double pull = lognormal(rng, s->start_pull_mean, s->start_pull_cv);
	double boot = lognormal(rng, row->boot_scale * s->start_boot_mean * (double) row->chaos.start_scale, drawn_of(model, row)->boot_cv);
	double running = bound + (rng_uniform(rng) < s->start_cached ? 0.0 : pull);
	double probes = ceil(fmax(boot - s->readiness_delay, 0.0) / s->readiness_period);
	double ready = running + s->readiness_delay + probes * s->readiness_period;
	return (Pod) { .ready_s = ready, .created = (float) (ready - now_s), .running = (float) (ready - running),
		.listen = (float) (ready - running - boot) };
}

/* One more, pending where no node has room. False: no lane is free. */
static bool create_pod(const SimModel *model, SimRow *row, const SimView *view, double now_s)
{
	bool has_room = row->present - row->pending < nodes_room(model, row);
	const Pod times = has_room ? bind(model, row, now_s) : (Pod) { .ready_s = now_s + NO_NODE_S, .created = (float) NO_NODE_S };
	int32_t lane = open_lane(model, row, view, &times);
	if (lane >= 0 && !has_room) {
		row->pending_s = row->pending ? row->pending_s : now_s;
		row->pending++;
	}
	return lane >= 0;
}

/* Pending pods get the room that there is; a cluster that grows adds a node to those that wait long. */
static void schedule(const SimModel *model, SimRow *row, const SimView *view, double now_s)
{
	double wait_s = model->config.service.node_add_s;
	if (wait_s > 0.0 && now_s >= row->pending_s + wait_s) {
		row->nodes++;
		row->pending_s = now_s;
	}
	for (int32_t k = 0; k < row->n_used && row->pending; k++) {
		Pod *pod = &view->pod[view->order[k]];
		if (!pod_is_pending(pod, now_s) || row->present - row->pending >= nodes_room(model, row))
			continue;
		const Pod times = bind(model, row, now_s);
		double created_s = pod->ready_s - (double) pod->created;
		pod->ready_s = times.ready_s;
		pod->created = (float) (times.ready_s - created_s);
		pod->running = times.running;
		pod->listen = times.listen;
		pod->house_at = (uint32_t) (int64_t) (HOUSE_PARTS * (times.ready_s - (double) times.running) / model->dt) +
		                rng_below(&row->lifecycle, (uint32_t) model->house_every);
		row->pending--;
	}
	if (row->pending && wait_s > 0.0)
		row->next_event_s = fmin(row->next_event_s, row->pending_s + wait_s);
}

void pods_add_settled(const SimModel *model, SimRow *row, const SimView *view, int32_t count, float n)
{
	double since = core_now_s(model, row) - LONG_AGO_S;
	const Pod times = { .ready_s = since };
	for (int32_t i = 0; i < count; i++)
		cohort_join(model, row, view, open_lane(model, row, view, &times), n);
}

/* The order of the ReplicaSet controller: not ready before ready, then the most recently ready, then the newest. */
static int32_t choose_victim(const SimRow *row, const SimView *view, double now_s)
{
	int32_t victim = -1;
	double victim_ready = 0.0;
	for (int32_t k = 0; k < row->n_used; k++) { /* oldest first, so that ties go to the newest */
		const Pod *pod = &view->pod[view->order[k]];
		if (pod->state != LANE_POD || pod->deleted_s <= now_s)
			continue;
		double ready = pod->ready_s <= now_s ? pod->ready_s : INFINITY;
		if (victim < 0 || ready >= victim_ready) {
			victim = view->order[k];
			victim_ready = ready;
		}
	}
	return victim;
}

static double left_in(const SimView *view, const Pod *pod)
{
	return pod->cohort < 0 ? 0.0 : (double) view->cohort[pod->cohort].n;
}

static void end_pod(const SimModel *model, SimRow *row, const SimView *view, int32_t lane, double now_s)
{
	Pod *pod = &view->pod[lane];
	double left = left_in(view, pod);
	if (left > DRAINED) /* the grace is over: what is left is lost */
		row->totals.dropped += (float) left;
	row->pending -= pod_is_pending(pod, now_s);
	pod->state = LANE_GONE;
	pod->gone_tick = tick_of(model, now_s);
	row->present--;
	cohort_leave(row, view, lane);
}

static void delete_pod(const SimModel *model, SimRow *row, const SimView *view, int32_t lane, double now_s)
{
	Pod *pod = &view->pod[lane];
	pod->deleted_s = now_s;
	row->alive--;
	if (pod->ready_s - (double) pod->running > now_s || !cohort_part(model, row, view, lane, now_s))
		end_pod(model, row, view, lane, now_s);
}

/* A pod ends now, with what is in it; it counts nothing from here on. */
static void lose_pod(const SimModel *model, SimRow *row, const SimView *view, int32_t lane, double now_s)
{
	view->pod[lane].deleted_s = now_s - model->config.service.term_endpoint_lag;
	end_pod(model, row, view, lane, now_s);
	row->next_event_s = now_s;
}

void pods_restart(const SimModel *model, SimRow *row, const SimView *view, int32_t lane, double delay_s, double now_s)
{
	const Service *s = &model->config.service;
	Pod old = view->pod[lane];
	double boot = lognormal(&row->lifecycle, row->boot_scale * s->start_boot_mean, drawn_of(model, row)->boot_cv), running = now_s + delay_s;
	double probes = ceil(fmax(boot - s->readiness_delay, 0.0) / s->readiness_period);
	double ready = running + s->readiness_delay + probes * s->readiness_period, created_s = old.ready_s - (double) old.created;
	const Pod times = { .ready_s = ready, .created = (float) (ready - created_s), .running = (float) (ready - running),
		.listen = (float) (ready - running - boot) };
	lose_pod(model, row, view, lane, now_s);
	row->alive--;
	int32_t again = open_lane(model, row, view, &times);
	if (again >= 0)
		view->pod[again].restarts = (old.restarts + 1u) & 31u;
}

bool pods_kill(const SimModel *model, SimRow *row, const SimView *view, uint32_t k, double now_s)
{
	if (row->alive <= row->chaos.ghosts)
		return false;
	k %= (uint32_t) (row->alive - row->chaos.ghosts);
	for (int32_t i = 0; i < row->n_used; i++) {
		const Pod *pod = &view->pod[view->order[i]];
		if (pod->state != LANE_POD || pod->deleted_s <= now_s || k--)
			continue;
		lose_pod(model, row, view, view->order[i], now_s);
		row->alive--;
		return true;
	}
	return false;
}

/* Lanes are taken in their order, so that lane modulo nodes spreads pods over the nodes as a scheduler does. */
int32_t pods_lose_node(const SimModel *model, SimRow *row, const SimView *view, uint32_t node, double now_s)
{
	uint32_t nodes = (uint32_t) row->nodes;
	int32_t lost = 0;
	for (int32_t i = 0; i < row->n_used; i++) {
		Pod *pod = &view->pod[view->order[i]];
		if (pod->state != LANE_POD || pod_is_pending(pod, now_s) || (uint32_t) view->order[i] % nodes != node % nodes)
			continue;
		lost += pod->deleted_s > now_s;
		lose_pod(model, row, view, view->order[i], now_s);
	}
	return lost;
}

/* What a pod does by itself in the sub-step that begins; answers when it will want to do something next. */
static double age_pod(const SimModel *model, SimRow *row, const SimView *view, int32_t lane, double now_s)
{
	const Service *s = &model->config.service;
	Pod *pod = &view->pod[lane];
	if (pod->state == LANE_POD && pod->deleted_s <= now_s) {
		bool is_drained = now_s >= pod->deleted_s + s->term_endpoint_lag && left_in(view, pod) <= DRAINED;
		if (!is_drained && now_s < pod->deleted_s + s->grace)
			return now_s;
		end_pod(model, row, view, lane, now_s);
	}
	if (pod->state == LANE_GONE) {
		double until = pod->gone_tick * model->dt + 1e-3 * (double) model->keep_ms;
		if (now_s > until)
			forget_lane(row, view, lane);
		return until;
	}
	if (pod->cohort >= 0)
		return INFINITY;
	if (pod->ready_s >= now_s + model->dt)
		return pod->ready_s - model->dt;
	cohort_join(model, row, view, lane, 0.0f);
	return INFINITY;
}

void pods_update(const SimModel *model, SimRow *row, const SimView *view, double now_s)
{
	bool has_room = true;
	while (row->alive < row->replicas && has_room) /* too many are draining: as on a full cluster, it waits */
		has_room = create_pod(model, row, view, now_s);
	while (row->alive > row->replicas && row->chaos.ghosts) { /* not ready goes first */
		row->chaos.ghosts--;
		row->alive--;
	}
	while (row->alive > row->replicas)
		delete_pod(model, row, view, choose_victim(row, view, now_s), now_s);
	row->next_event_s = INFINITY;
	for (int32_t k = row->n_used - 1; k >= 0; k--) {
		double next = age_pod(model, row, view, view->order[k], now_s);
		row->next_event_s = next < row->next_event_s ? next : row->next_event_s;
	}
	if (row->pending)
		schedule(model, row, view, now_s);
}
