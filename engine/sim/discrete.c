/*
 * The request level of a whole service (SIM section 3): every request is an event in one of many pods.
 *
 * Pods meet only in the balancer, so there is no common queue of events: each pod lives up to the arrival that it is
 * given, and all of them to the end of the sub-step. Every pod is a cohort of its own, and what completes is counted as at
 * the fluid level; scrapes and queries are the same.
 *
 * A warming pod is slow in what arrives: a request's demand grows by the pod's factor at that moment.
 */
#include "sim/history.h"

#include <math.h>
#include <string.h>

enum { TRIES = 8 };
static const double RETRANSMIT_S = .2;

typedef struct Run { /* a sub-step */
	const SimModel *model;
	SimRow *row;
	const SimView *view;
	Counts *sum;
} Run;

void discrete_reset(const SimModel *model, SimRow *row, const SimView *view)
{
	Discrete *d = view->discrete;
	*d = (Discrete) { .sizes = sizes_of(&model->config.service) };
	rng_init(&d->arrivals, row->seed, row->id, RNG_ARRIVALS);
	rng_init(&d->demands, row->seed, row->id, RNG_SIZES);
	rng_init(&d->balancer, row->seed, row->id, RNG_LB);
	d->arrivals.counter[1] = d->demands.counter[1] = d->balancer.counter[1] = row->episode;
	d->to_arrival = rng_exponential(&d->arrivals);
	for (int32_t k = 0; k < (int32_t) model->config.service.keepalive_conns; k++)
		view->conn[k] = (Conn) { .until_s = -INFINITY };
}

/* Between sub-steps a row holds no pointers: it may be copied to another place. */
static void lend_jobs(const SimModel *model, const SimView *view, int32_t index, bool is_lent)
{
	Server *server = &view->server[index];
	server->heap = is_lent ? view->job + (size_t) index * model->jobs : NULL;
	server->wait = is_lent ? server->heap + server->concurrency : NULL;
}

void discrete_open(const SimModel *model, const SimRow *row, const SimView *view, int32_t index, float n)
{
	Discrete *d = view->discrete;
	Server *server = &view->server[index];
	server_init(server, &model->config.service, core_now_s(model, row), rng_uniform(&d->balancer),
	            view->job + (size_t) index * model->jobs);
	for (int32_t k = 0; k < (int32_t) n; k++)
		(void) server_arrive(server, sizes_draw(&d->sizes, &d->demands));
	lend_jobs(model, view, index, false);
}

static void count(const Run *run, double sojourn_s)
{
	const Response *r = run->model->response;
	float *within = run->sum->within, sojourn = (float) sojourn_s;
	run->sum->served += 1.0f;
	for (int32_t p = 0; p < r->n_points; p++)
		within[p] += sojourn <= r->point[p] ? 1.0f : 0.0f;
}

static void live_to(const Run *run, int32_t index, double until_s)
{
	Server *server = &run->view->server[index];
	const Chaos *chaos = &run->row->chaos;
	double net_delay = run->model->config.service.net_delay + (double) chaos->delay_s;
	Job done;
	while (server_next(server, until_s, &done)) {
		bool is_lost = chaos->loss > 0.0f && rng_uniform(&run->view->discrete->balancer) < (double) chaos->loss;
		count(run, server->now_s - done.arrival_s + net_delay + (is_lost ? RETRANSMIT_S : 0.0));
	}
}

/* ---- the balancer ---- */

static bool is_in(const Cohort *cohort, double t_s)
{
	return cohort->ready_s <= t_s && t_s < cohort->out_s;
}

/* The first live pod from place k on that is in the endpoints; -1: none. */
static int32_t next_in(const Run *run, uint32_t k, double t_s)
{
	uint32_t n = (uint32_t) run->row->n_live;
	for (uint32_t i = 0; i < n; i++) {
		int32_t index = run->view->live[(k + i) % n];
		if (is_in(&run->view->cohort[index], t_s))
			return index;
	}
	return -1;
}

static int32_t any_in(const Run *run, double t_s)
{
	Rng *rng = &run->view->discrete->balancer;
	uint32_t n = (uint32_t) run->row->n_live, k = 0;
	for (int i = 0; i < TRIES && n; i++) {
		k = rng_below(rng, n);
		if (is_in(&run->view->cohort[run->view->live[k]], t_s))
			return run->view->live[k];
	}
	return next_in(run, k, t_s);
}

static uint32_t load_at(const Run *run, int32_t index, double t_s)
{
	live_to(run, index, t_s);
	return run->view->server[index].n + run->view->server[index].waiting;
}

static int32_t balance(const Run *run, double t_s)
{
	Discrete *d = run->view->discrete;
	if (run->model->config.balance == SIM_ROUND_ROBIN)
		return next_in(run, d->turn++, t_s);
	int32_t a = any_in(run, t_s);
	if (run->model->config.balance == SIM_RANDOM || a < 0)
		return a;
	int32_t b = any_in(run, t_s); /* the one with less to do of two */
	return load_at(run, b, t_s) < load_at(run, a, t_s) ? b : a;
}

/* A request goes where its connection does, which was balanced when it was opened: a new pod gets traffic only as connections
 * end. */
static int32_t choose(const Run *run, double t_s)
{
	const Service *s = &run->model->config.service;
	Rng *rng = &run->view->discrete->balancer;
	if (s->keepalive_conns <= 0.0)
		return balance(run, t_s);
	Conn *conn = &run->view->conn[rng_below(rng, (uint32_t) s->keepalive_conns)];
	const Cohort *pod = &run->view->cohort[conn->cohort];
	if (conn->until_s > t_s && pod->pods && pod->since_tick == conn->since_tick && is_in(pod, t_s))
		return conn->cohort;
	int32_t index = balance(run, t_s);
	if (index >= 0)
		*conn = (Conn) { t_s + s->conn_life * rng_exponential(rng), index, run->view->cohort[index].since_tick };
	return index;
}

/* ---- a sub-step ---- */

static double slowness(const Service *service, double age_s)
{
	return 1.0 + (service->warm_factor - 1.0) * exp(-fmax(age_s, 0.0) / service->warm_time);
}

static void arrive(const Run *run, double t_s)
{
	Discrete *d = run->view->discrete;
	double demand = sizes_draw(&d->sizes, &d->demands);
	int32_t ghosts = chaos_ghosts(run->row), index = -1;
	bool is_astray = ghosts && rng_uniform(&d->balancer) * (ghosts + (double) run->sum->open) < ghosts;
	if (!is_astray)
		index = choose(run, t_s);
	run->row->totals.offered += 1.0f;
	if (index < 0) {
		run->sum->dropped += 1.0f; /* refused before any pod could count it */
		return;
	}
	live_to(run, index, t_s);
	demand *= slowness(&run->model->config.service, t_s - run->view->cohort[index].listen_s) / (double) run->row->pace;
	bool is_accepted = server_arrive(&run->view->server[index], demand);
	*(is_accepted ? &run->sum->accepted : &run->sum->dropped) += 1.0f;
}

static double part_in(const Cohort *cohort, double from_s, double until_s)
{
	return fmax(fmin(until_s, cohort->out_s) - fmax(from_s, cohort->ready_s), 0.0) / (until_s - from_s);
}

static void begin(const Run *run, double now_s)
{
	for (int32_t k = 0; k < run->row->n_live; k++) {
		int32_t index = run->view->live[k];
		lend_jobs(run->model, run->view, index, true);
		run->sum->open += (float) part_in(&run->view->cohort[index], now_s, now_s + run->model->dt);
	}
}

static void end(const Run *run, int32_t index, double until_s)
{
	Cohort *cohort = &run->view->cohort[index];
	Server *server = &run->view->server[index];
	live_to(run, index, until_s);
	cohort->n = (float) (server->n + server->waiting);
	run->sum->n += cohort->n;
	run->sum->live += 1.0f;
	const Chaos *chaos = &run->row->chaos;
	double limit_cpu_s = service_cores(&run->model->config.service) * run->model->dt;
	run->sum->busy_cores += (float) (server->sums.cpu_s / run->model->dt);
	run->sum->cpu_s += run->row->cpu_share * (float) server->sums.cpu_s + chaos->cpu_extra * (float) limit_cpu_s;
	server->sums = (ServerSums) { 0 };
	lend_jobs(run->model, run->view, index, false);
}

void discrete_tick(const SimModel *model, SimRow *row, const SimView *view, double now_s, double rate_rps)
{
	Discrete *d = view->discrete;
	Counts sum = { 0 };
	Run run = { model, row, view, &sum };
	double t = now_s, until = now_s + model->dt;
	begin(&run, now_s);
	while (rate_rps > 0.0 && t + d->to_arrival / rate_rps < until) {
		t += d->to_arrival / rate_rps;
		arrive(&run, t);
		d->to_arrival = rng_exponential(&d->arrivals);
	}
	d->to_arrival -= (until - t) * rate_rps;
	for (int32_t k = 0; k < row->n_live; k++)
		end(&run, view->live[k], until);
	row->busy_cores = sum.busy_cores;
	history_add(model, row, view, &sum);
}
