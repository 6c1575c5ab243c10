/* Rows of check.h about the response table and the settled fluid level, against longer runs of single requests. */
#include "base/mem.h"
#include "sim/check_rows.h"
#include "sim/core.h"

#include <math.h>
#include <stdlib.h>

static const double CV[] = { 0.0, 1.0, 2.0 }, LIMIT[] = { 0.0, .5, .25 }, LOADS[] = { .1, .33, .5, .63, .8, .9, .95 };
enum { N_CV = 3, N_LIMIT = 3, N_LOADS = 7 };

static int no_memory(Error *err, int code)
{
	return code ? error_set(err, code, "%s", err_text(code)) : 0;
}

/* p95 of the table at a load, against a run of its own. */
static int compare(const CheckOptions *options, const Service *service, const Response *response, double rho,
                   CheckResult *ret)
{
	RequestStats stats;
	int code = request_run(service, rho * check_mu(service), check_effort(options, rho > .8 ? 6e6 : 1e6), 77, 3, &stats);
	if (code)
		return code;
	Place at = response_place(response, response_settled(response, (float) rho));
	double got = response_quantile(response, at, .95), want = check_quantile_s(&stats, .95);
	check_worst(ret, fabs(got / want - 1.0), "at rho %g, cv %g, L %g", rho, service->service_cv, service->cpu_limit);
	return 0;
}

/* All loads of a row for one service. */
static int compare_all(const CheckRow *row, const CheckOptions *options, const Service *service, CheckResult *ret)
{
	Response *response;
	int code = response_new(service, 5.0, 0.0, 0.0, &response);
	if (code)
		return code;
	for (int k = 0; k < N_LOADS && !code; k++)
		if (LOADS[k] >= row->a && LOADS[k] <= row->b)
			code = compare(options, service, response, LOADS[k], ret);
	response_free(response);
	return code;
}

/* Above .8 the default service has a row of its own. */
int check_table_p95(const CheckRow *row, const CheckOptions *options, CheckResult *ret, Error *err)
{
	int code = 0;
	for (int i = 0; i < N_CV * N_LIMIT && !code; i++) {
		Service service, standard;
		service_default(&standard);
		service = standard;
		service.service_cv = CV[i / N_LIMIT];
		service.cpu_limit = LIMIT[i % N_LIMIT];
		if (row->a < .8 || !table_is_shared(&service, &standard))
			code = compare_all(row, options, &service, ret);
	}
	return no_memory(err, code);
}

int check_default_p95(const CheckRow *row, const CheckOptions *options, CheckResult *ret, Error *err)
{
	Service service;
	service_default(&service);
	return no_memory(err, compare_all(row, options, &service, ret));
}

/* ---- settled pods ---- */

typedef struct Bench { /* one row of settled pods */
	SimModel model;
	SimRow *row;
	SimView view;
} Bench;

static void bench_done(Bench *bench)
{
	core_model_done(&bench->model);
	free(bench->row);
}

static int bench_init(Bench *bench, SimLevel level, double rho, int32_t pods, float window_s, Error *err)
{
	SimConfig config;
	sim_config_default(&config);
	config.level = level;
	config.min_replicas = config.max_replicas = pods;
	config.interval_s = window_s;
	config.peak_rps = rho * check_mu(&config.service) * pods;
	*bench = (Bench) { 0 };
	int code = core_model_init(&bench->model, &config, err);
	if (code)
		return code;
	bench->row = mem_block(1, bench->model.row_bytes);
	if (!bench->row) {
		bench_done(bench);
		return no_memory(err, ERR_NOMEM);
	}
	core_reset(&bench->model, bench->row, 21, 0, 0);
	bench->view = core_view(&bench->model, bench->row);
	return 0;
}

static EnvInfo window(Bench *bench)
{
	EnvInfo info;
	bench->row->totals = (StepTotals) { 0 };
	for (int32_t k = 0; k < bench->model.drawn.substeps; k++)
		core_run(&bench->model, bench->row, &bench->view, 1);
	core_info(&bench->model, bench->row, core_ready(&bench->model, bench->row, &bench->view), &info);
	return info;
}

/* Random splitting of a Poisson stream gives each pod a Poisson stream, so one table serves any number of pods. */
int check_many_pods(const CheckRow *row, const CheckOptions *options, CheckResult *ret, Error *err)
{
	int code = 0;
	for (int32_t pods = 8; pods <= 15 && !code; pods += 7)
		for (int k = 0; k < N_LOADS && !code; k++) {
			Bench many, one;
			if (LOADS[k] < row->a || LOADS[k] > row->b)
				continue;
			float long_s = (float) (30 * check_effort(options, 2000.0));
			code = bench_init(&many, SIM_REQUEST, LOADS[k], pods, long_s, err);
			if (code)
				return code;
			code = bench_init(&one, SIM_FLUID, LOADS[k], 1, long_s, err);
			if (!code) {
				double want = (double) window(&many).p95_ms, got = (double) window(&one).p95_ms;
				check_worst(ret, fabs(got / want - 1.0), "%d pods at rho %g", pods, LOADS[k]);
				bench_done(&one);
			}
			bench_done(&many);
		}
	return code;
}

typedef struct Settled { /* means over 60 s windows of 8 pods, and what single requests do */
	double p95_ms, cpu_cores, want_p95_ms, want_cpu_cores;
} Settled;

static int settle(const CheckOptions *options, double rho, Settled *ret, Error *err)
{
	enum { PODS = 8 };
	RequestStats stats;
	Bench bench;
	int code = bench_init(&bench, SIM_FLUID, rho, PODS, 60.0f, err);
	if (code)
		return code;
	const Service *service = &bench.model.config.service;
	code = request_run(service, rho * check_mu(service), check_effort(options, rho > .8 ? 4e6 : 1e6), 78, 4, &stats);
	uint64_t windows = check_effort(options, 1000.0);
	*ret = (Settled) { .want_p95_ms = 1e3 * check_quantile_s(&stats, .95), .want_cpu_cores = PODS * stats.cpu_s / stats.time_s };
	for (uint64_t k = 0; k < windows + 20 && !code; k++) {
		EnvInfo info = window(&bench);
		if (k < 20) /* overload fills the pods first */
			continue;
		ret->p95_ms += (double) info.p95_ms / (double) windows;
		ret->cpu_cores += (double) info.cpu_cores / (double) windows;
	}
	bench_done(&bench);
	return no_memory(err, code);
}

static const double SETTLED[] = { .3, .5, .7, .8, .9, 1.0, 1.3 };
enum { N_BELOW = 5, N_SETTLED = 7 };

/* Relative errors of p95 (or of cpu) at the first n loads. */
static int settle_all(const CheckOptions *options, int n, bool is_cpu, double *ret_error, Error *err)
{
	for (int i = 0; i < n; i++) {
		Settled s;
		int code = settle(options, SETTLED[i], &s, err);
		if (code)
			return code;
		ret_error[i] = fabs((is_cpu ? s.cpu_cores / s.want_cpu_cores : s.p95_ms / s.want_p95_ms) - 1.0);
	}
	return 0;
}

int check_settled_p95(const CheckRow *row, const CheckOptions *options, CheckResult *ret, Error *err)
{
	double error[N_BELOW], sum = 0.0;
	(void) row;
	int code = settle_all(options, N_BELOW, false, error, err);
	if (code)
		return code;
	for (int i = 0; i < N_BELOW; i++)
		sum += error[i] / N_BELOW;
	check_worst(ret, sum, "over %d loads", N_BELOW);
	return 0;
}

static int settled_worst(const CheckOptions *options, int n, bool is_cpu, CheckResult *ret, Error *err)
{
	double error[N_SETTLED];
	int code = settle_all(options, n, is_cpu, error, err);
	if (code)
		return code;
	for (int i = 0; i < n; i++)
		check_worst(ret, error[i], "at rho %g", SETTLED[i]);
	return 0;
}

int check_settled_worst(const CheckRow *row, const CheckOptions *options, CheckResult *ret, Error *err)
{
	(void) row;
	return settled_worst(options, N_BELOW, false, ret, err);
}

int check_settled_cpu(const CheckRow *row, const CheckOptions *options, CheckResult *ret, Error *err)
{
	(void) row;
	return settled_worst(options, N_SETTLED, true, ret, err);
}
