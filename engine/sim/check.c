/* See check.h: the table, and what its measures share. */
#include "sim/check.h"

#include "sim/check_rows.h"
#include "sim/table.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

void check_worst(CheckResult *result, double error, const char *format, ...)
{
	if (error <= result->error)
		return; /* a NaN goes in, and fails */
	va_list args;
	result->error = error;
	va_start(args, format);
	(void) vsnprintf(result->note, sizeof result->note, format, args);
	va_end(args);
}

uint64_t check_effort(const CheckOptions *options, double whole)
{
	return (uint64_t) fmax(1.0, whole * options->effort);
}

double check_mu(const Service *service)
{
	return service_cores(service) / service_demand_s(service);
}

double check_quantile_s(const RequestStats *stats, double q)
{
	double left = q * stats->completed;
	for (int32_t k = 0; k < TIME_POINTS - 1; k++) {
		if (stats->bin[k] >= left && stats->bin[k] > 0.0)
			return time_point(k) + (time_point(k + 1) - time_point(k)) * left / stats->bin[k];
		left -= stats->bin[k];
	}
	return time_point(TIME_POINTS - 1);
}

/* What only a target of the Makefile can do; says which. */
static int check_elsewhere(const CheckRow *row, const CheckOptions *options, CheckResult *ret, Error *err)
{
	(void) row;
	(void) options;
	(void) err;
	(void) snprintf(ret->skipped, sizeof ret->skipped, "needs processes of its own: make sim-real");
	return 0;
}

int check_measure(const CheckRow *row, const CheckOptions *options, CheckResult *ret, Error *err)
{
	*ret = (CheckResult) { 0 };
	return row->measure(row, options, ret, err);
}

bool check_holds(const CheckRow *row, const CheckResult *result)
{
	return !result->skipped[0] && result->error <= row->tolerance;
}

const CheckRow SIM_CHECK[] = {
	{ "ps-mean", "request level: M/M/1-PS mean S/(1-rho), rho .1 to .8", .02, true, check_ps_mean, .1, .8 },
	{ "ps-mean-90", "the same at rho .9", .05, true, check_ps_mean, .9, .9 },
	{ "ps-variance", "M/M/1-PS variance (S/(1-rho))^2 (2+rho)/(2-rho), rho .1 to .9", .06, true, check_ps_variance, .1, .9 },
	{ "fifo-md1", "concurrency 1, fixed sizes: Pollaczek-Khinchine wait", .03, true, check_fifo_wait, 0, 0 },
	{ "fifo-mg1", "concurrency 1, cv 1.5: Pollaczek-Khinchine wait", .03, true, check_fifo_wait, 1.5, 0 },
	{ "insensitivity", "PS mean for cv 0, 1, 2 alike", .03, true, check_insensitive, 0, 0 },
	{ "quota-rate", "CFS: throughput at saturation is L/S, L .25, .5", .01, true, check_quota_rate, 0, 0 },
	{ "quota-periods", "CFS: all periods are throttled then", .01, true, check_quota_periods, 0, 0 },
	{ "table-80", "table p95, rho .1 to .8, cv 0-2, L none .5 .25", .05, false, check_table_p95, .1, .8 },
	{ "table-90", "table p95 at rho .9, the default service left out", .03, false, check_table_p95, .9, .9 },
	{ "table-90-default", "the same of the default service, whose table is compiled in", .03, false, check_default_p95, .9, .9 },
	{ "table-95", "table p95 at rho .95, the default service left out", .08, false, check_table_p95, .95, .95 },
	{ "table-95-default", "of the default service", .08, false, check_default_p95, .95, .95 },
	{ "table-pods", "table p95 against 8 and 15 pods, random splitting, rho .3 to .8", .05, false, check_many_pods, .3, .8 },
	{ "settled-mean", "fluid settled windows' p95, rho .3 to .9, mean error", .04, false, check_settled_p95, 0, 0 },
	{ "settled-worst", "the same, worst", .15, false, check_settled_worst, 0, 0 },
	{ "settled-cpu", "fluid cpu, rho .3 to 1.3", .02, false, check_settled_cpu, 0, 0 },
	{ "steps-n", "steps .5 1.15 .4 .9 .98: number in the pod, 10 s windows, no limit", .20, false, check_rise_n, 1, 0 },
	{ "steps-n-quota", "the same with L .5", .20, false, check_rise_n, 1, .5 },
	{ "steps-p95", "the steps' p95, mean error, cv 1, no limit", .10, false, check_rise_p95, 1, 0 },
	{ "steps-p95-quota", "cv 1, L .5", .10, false, check_rise_p95, 1, .5 },
	{ "steps-p95-wide", "cv 1.5, no limit", .25, false, check_rise_p95, 1.5, 0 },
	{ "steps-p95-wide-quota", "cv 1.5, L .5", .25, false, check_rise_p95, 1.5, .5 },
	{ "other-p95", "another schedule, 7 pods, S 40 ms, cv 1, no limit: p95, mean error", .064, false, check_other_p95, 1, 0 },
	{ "other-p95-quota", "cv 1, L .5", .118, false, check_other_p95, 1, .5 },
	{ "other-p95-wide", "cv 1.5, no limit", .123, false, check_other_p95, 1.5, 0 },
	{ "other-p95-wide-quota", "cv 1.5, L .5", .192, false, check_other_p95, 1.5, .5 },
	{ "first-window", "number in the pod in the first 10 s after a step, no overload", .20, false, check_first_window, 1, .5 },
	{ "rank-order", "HPA 50 and 80 %, constant 2, 5, 10, random: order by return on both levels", 0, false, check_rank_order, 0, 0 },
	{ "rank-returns", "their returns on both levels", .10, false, check_rank_returns, 0, 0 },
	{ "promql-rate", "rate() against a real Prometheus's recorded answers", 1e-9, true, check_promql, 0, 0 },
	{ "promql-increase", "increase()", 1e-9, true, check_promql, 1, 0 },
	{ "promql-quantile", "histogram_quantile()", 1e-9, true, check_promql, 2, 0 },
	{ "real-process", "a real process under a CPU quota, replayed request by request: p95", .15, false, check_elsewhere, 0, 0 },
	{ 0 },
};
