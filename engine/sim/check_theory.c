/* Rows of check.h about the request level: a single pod against queueing theory (SIM section 11 names the sources). */
#include "sim/check_rows.h"

#include <math.h>

static const double S = .02; /* s a request */

/* 1 core, 20 ms a request, nothing else: the queue of the textbooks. */
static Service textbook(double cv)
{
	Service service;
	service_default(&service);
	service.service_mean = S;
	service.service_cv = cv;
	service.service_overhead = service.net_delay = service.cpu_limit = 0.0;
	service.concurrency = service.queue_max = 4096.0;
	return service;
}

static int run(const CheckOptions *options, const Service *service, double rate_rps, RequestStats *ret, Error *err)
{
	/* correlation grows with 1/(1-rho)^2: near saturation the same precision takes more requests */
	int code = request_run(service, rate_rps, check_effort(options, rate_rps * S > .85 ? 3e6 : 1e6), 7, 1, ret);
	return code ? error_set(err, code, "%s", err_text(code)) : 0;
}

static double mean_s(const RequestStats *stats)
{
	return stats->sojourn_s / stats->completed;
}

static const double LOADS[] = { .1, .3, .5, .7, .8, .9 };
enum { N_LOADS = sizeof LOADS / sizeof *LOADS };

int check_ps_mean(const CheckRow *row, const CheckOptions *options, CheckResult *ret, Error *err)
{
	Service service = textbook(1.0);
	int code = 0;
	for (int i = 0; i < N_LOADS && !code; i++) {
		RequestStats stats;
		if (LOADS[i] < row->a || LOADS[i] > row->b)
			continue;
		code = run(options, &service, LOADS[i] / S, &stats, err);
		if (!code)
			check_worst(ret, fabs(mean_s(&stats) * (1.0 - LOADS[i]) / S - 1.0), "at rho %g", LOADS[i]);
	}
	return code;
}

/* Coffman, Muntz, Trotter 1970. */
int check_ps_variance(const CheckRow *row, const CheckOptions *options, CheckResult *ret, Error *err)
{
	Service service = textbook(1.0);
	int code = 0;
	for (int i = 0; i < N_LOADS && !code; i++) {
		RequestStats stats;
		double rho = LOADS[i], want = S * S / ((1.0 - rho) * (1.0 - rho)) * (2.0 + rho) / (2.0 - rho);
		if (rho < row->a || rho > row->b)
			continue;
		code = run(options, &service, rho / S, &stats, err);
		double mean = mean_s(&stats);
		if (!code)
			check_worst(ret, fabs((stats.sojourn_s2 / stats.completed - mean * mean) / want - 1.0), "at rho %g", rho);
	}
	return code;
}

int check_fifo_wait(const CheckRow *row, const CheckOptions *options, CheckResult *ret, Error *err)
{
	const double rho = .7;
	Service service = textbook(row->a);
	service.concurrency = 1.0;
	RequestStats stats;
	int code = run(options, &service, rho / S, &stats, err);
	double want = rho * S * (1.0 + row->a * row->a) / (2.0 * (1.0 - rho));
	if (!code)
		check_worst(ret, fabs((mean_s(&stats) - S) / want - 1.0), "at rho %g", rho);
	return code;
}

int check_insensitive(const CheckRow *row, const CheckOptions *options, CheckResult *ret, Error *err)
{
	const double rho = .7, cv[] = { 0.0, 1.0, 2.0 };
	int code = 0;
	(void) row;
	for (int i = 0; i < 3 && !code; i++) {
		RequestStats stats;
		Service service = textbook(cv[i]);
		code = run(options, &service, rho / S, &stats, err);
		if (!code)
			check_worst(ret, fabs(mean_s(&stats) * (1.0 - rho) / S - 1.0), "at cv %g", cv[i]);
	}
	return code;
}

static int saturate(const CheckOptions *options, double limit, RequestStats *ret, Error *err)
{
	Service service = textbook(1.0);
	service.cpu_limit = limit;
	service.concurrency = service.queue_max = 64.0;
	return run(options, &service, 1.5 * limit / S, ret, err);
}

int check_quota_rate(const CheckRow *row, const CheckOptions *options, CheckResult *ret, Error *err)
{
	int code = 0;
	(void) row;
	for (double limit = .25; limit < .6 && !code; limit *= 2.0) {
		RequestStats stats;
		code = saturate(options, limit, &stats, err);
		if (!code)
			check_worst(ret, fabs(stats.completed / stats.time_s * S / limit - 1.0), "at L %g", limit);
	}
	return code;
}

int check_quota_periods(const CheckRow *row, const CheckOptions *options, CheckResult *ret, Error *err)
{
	RequestStats stats;
	(void) row;
	int code = saturate(options, .5, &stats, err);
	if (!code)
		check_worst(ret, fabs(stats.throttled / stats.periods - 1.0), "at L .5");
	return code;
}
