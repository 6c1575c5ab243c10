/*
 * Rows of check.h about loads that change: the fluid level's mean over many seeds against as many runs of single
 * requests through the same steps, in windows of 10 s. Random splitting makes every pod a pod of its own, so the
 * reference is one.
 */
#include "base/mem.h"
#include "base/rng.h"
#include "sim/check_rows.h"
#include "sim/core.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 5, WINDOWS_A_STEP = 6, WINDOWS = STEPS * WINDOWS_A_STEP, WARM_S = 120, SUBSTEPS = 10 };
static const double WINDOW_S = 10.0;

typedef struct Schedule {
	double rho[STEPS];
	double service_mean;
	int32_t pods;
} Schedule;

static const Schedule DESIGN = { { .5, 1.15, .4, .9, .98 }, .020, 1 }; /* SIM 10 */
static const Schedule OTHER = { { .3, .85, 1.25, .6, .95 }, .040, 7 };

typedef struct Course { /* what happened in each window, all runs together */
	double n[WINDOWS];     /* mean number in a pod */
	double p95_s[WINDOWS];
} Course;

static Service service_of(const Schedule *schedule, const CheckRow *row)
{
	Service service;
	service_default(&service);
	service.service_mean = schedule->service_mean;
	service.service_cv = row->a;
	service.cpu_limit = row->b;
	return service;
}

/* ---- by single requests ---- */

typedef struct Reference {
	Server server;
	Sizes sizes;
	Rng arrivals, demands;
	double net_delay, to_arrival;
	RequestStats *stats; /* [WINDOWS] */
} Reference;

static void count(RequestStats *stats, double sojourn_s)
{
	double part;
	stats->completed += 1.0;
	stats->bin[time_bin(sojourn_s, &part)] += 1.0;
}

static void live(Reference *r, double until_s, double rate_rps, RequestStats *stats)
{
	Job done;
	Server *server = &r->server;
	double t = server->now_s;
	for (bool is_over = false; !is_over;) {
		double next = t + r->to_arrival / rate_rps;
		is_over = next >= until_s;
		while (server_next(server, is_over ? until_s : next, &done))
			if (stats)
				count(stats, server->now_s - done.arrival_s + r->net_delay);
		if (is_over)
			break;
		(void) server_arrive(server, sizes_draw(&r->sizes, &r->demands));
		r->to_arrival = rng_exponential(&r->arrivals);
		t = next;
	}
	r->to_arrival -= (until_s - t) * rate_rps;
	if (stats)
		stats->in_pod_s += server->sums.in_pod_s;
	server->sums = (ServerSums) { 0 };
}

static void run_once(Reference *r, const Service *service, const Schedule *schedule, uint32_t id, Job *job)
{
	double mu = check_mu(service);
	rng_init(&r->arrivals, 31, id, RNG_ARRIVALS);
	rng_init(&r->demands, 31, id, RNG_SIZES);
	r->to_arrival = rng_exponential(&r->arrivals);
	server_init(&r->server, service, 0.0, rng_uniform(&r->demands), job);
	live(r, WARM_S, schedule->rho[0] * mu, NULL);
	for (int w = 0; w < WINDOWS; w++)
		live(r, WARM_S + WINDOW_S * (w + 1), schedule->rho[w / WINDOWS_A_STEP] * mu, &r->stats[w]);
}

static int reference(const Service *service, const Schedule *schedule, uint64_t runs, Course *ret)
{
	Reference r = { .sizes = sizes_of(service), .net_delay = service->net_delay };
	Job *job = mem_block(server_jobs(service), sizeof *job);
	r.stats = mem_block(WINDOWS, sizeof *r.stats);
	bool is_there = job && r.stats;
	for (uint64_t k = 0; k < runs && is_there; k++)
		run_once(&r, service, schedule, (uint32_t) k, job);
	for (int w = 0; w < WINDOWS && is_there; w++) {
		ret->n[w] = r.stats[w].in_pod_s / WINDOW_S / (double) runs;
		ret->p95_s[w] = check_quantile_s(&r.stats[w], .95);
	}
	free(job);
	free(r.stats);
	return is_there ? 0 : ERR_NOMEM;
}

/* ---- by the fluid level ---- */

static void add_totals(StepTotals *sum, const StepTotals *more)
{
	sum->served += more->served;
	sum->time_s += more->time_s;
	for (int p = 0; p < POINTS; p++)
		sum->within[p] += more->within[p];
}

static void fluid_once(SimModel *model, SimRow *row, const Schedule *schedule, StepTotals *totals, Course *sum)
{
	double mu = check_mu(&model->config.service) * schedule->pods;
	SimView view = core_view(model, row);
	for (int w = 0; w < WINDOWS; w++) {
		model->peak_rps = schedule->rho[w / WINDOWS_A_STEP] * mu;
		row->totals = (StepTotals) { 0 };
		for (int k = 0; k < model->drawn.substeps; k++) {
			float before = view.cohort[view.live[0]].n;
			core_run(model, row, &view, 1);
			sum->n[w] += .5 * (double) (before + view.cohort[view.live[0]].n) / model->drawn.substeps;
		}
		add_totals(&totals[w], &row->totals);
	}
}

static int fluid(const Service *service, const Schedule *schedule, uint64_t runs, Course *ret, Error *err)
{
	SimConfig config;
	SimModel model;
	StepTotals *totals = mem_block(WINDOWS, sizeof *totals);
	*ret = (Course) { 0 };
	sim_config_default(&config);
	config.service = *service;
	config.min_replicas = config.max_replicas = schedule->pods;
	config.interval_s = (float) WINDOW_S;
	config.substep_s = (float) WINDOW_S / SUBSTEPS;
	config.peak_rps = schedule->rho[0] * check_mu(service) * schedule->pods;
	int code = core_model_init(&model, &config, err);
	SimRow *row = code ? NULL : mem_block(1, model.row_bytes);
	for (uint64_t k = 0; k < runs && row && totals; k++) {
		model.peak_rps = config.peak_rps;
		core_reset(&model, row, 41, (uint32_t) k, 0);
		fluid_once(&model, row, schedule, totals, ret);
	}
	for (int w = 0; w < WINDOWS && row && totals; w++) {
		EnvInfo info;
		SimView view = core_view(&model, row);
		ret->n[w] /= (double) runs;
		row->totals = totals[w];
		core_info(&model, row, core_ready(&model, row, &view), &info);
		ret->p95_s[w] = 1e-3 * (double) info.p95_ms;
	}
	if (!code) {
		core_model_done(&model);
		code = row && totals ? 0 : error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	}
	free(row);
	free(totals);
	return code;
}

/* ---- rows ---- */

static int both(const CheckRow *row, const CheckOptions *options, const Schedule *schedule, Course *ret_fluid,
                Course *ret_reference, Error *err)
{
	Service service = service_of(schedule, row);
	int code = reference(&service, schedule, check_effort(options, 1000.0), ret_reference);
	if (code)
		return error_set(err, code, "%s", err_text(code));
	return fluid(&service, schedule, check_effort(options, 300.0), ret_fluid, err);
}

static int mean_p95(const CheckRow *row, const CheckOptions *options, const Schedule *schedule, CheckResult *ret, Error *err)
{
	Course got, want;
	int code = both(row, options, schedule, &got, &want, err), worst = 0;
	if (code)
		return code;
	double sum = 0.0, most = 0.0;
	for (int w = 0; w < WINDOWS; w++) {
		double error = fabs(got.p95_s[w] / want.p95_s[w] - 1.0);
		sum += error / WINDOWS;
		worst = error > most ? w : worst;
		most = fmax(error, most);
	}
	check_worst(ret, sum, "worst %.0f %% in window %d of rho %g", 100.0 * most, worst % WINDOWS_A_STEP + 1,
	            schedule->rho[worst / WINDOWS_A_STEP]);
	return 0;
}

int check_rise_p95(const CheckRow *row, const CheckOptions *options, CheckResult *ret, Error *err)
{
	return mean_p95(row, options, &DESIGN, ret, err);
}

int check_other_p95(const CheckRow *row, const CheckOptions *options, CheckResult *ret, Error *err)
{
	return mean_p95(row, options, &OTHER, ret, err);
}

int check_rise_n(const CheckRow *row, const CheckOptions *options, CheckResult *ret, Error *err)
{
	Course got, want;
	int code = both(row, options, &DESIGN, &got, &want, err);
	for (int w = 0; w < WINDOWS && !code; w++)
		check_worst(ret, fabs(got.n[w] / want.n[w] - 1.0), "window %d of rho %g: %.3g, requests %.3g", w % WINDOWS_A_STEP + 1,
		            DESIGN.rho[w / WINDOWS_A_STEP], got.n[w], want.n[w]);
	return code;
}

/* Steps between loads that the pod can take. */
int check_first_window(const CheckRow *row, const CheckOptions *options, CheckResult *ret, Error *err)
{
	static const Schedule steps = { { .3, .6, .8, .5, .85 }, .020, 1 };
	Course got, want;
	int code = both(row, options, &steps, &got, &want, err);
	for (int w = 0; w < WINDOWS && !code; w += WINDOWS_A_STEP)
		check_worst(ret, fabs(got.n[w] / want.n[w] - 1.0), "to rho %g: %.3g, requests %.3g", steps.rho[w / WINDOWS_A_STEP],
		            got.n[w], want.n[w]);
	return code;
}
