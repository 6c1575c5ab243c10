/* What a row of check.h is measured with: one function a family of rows. For check*.c alone. */
#ifndef MAESTRO_SIM_CHECK_ROWS_H
#define MAESTRO_SIM_CHECK_ROWS_H

#include "sim/check.h"
#include "sim/request.h"

typedef int CheckMeasure(const CheckRow *row, const CheckOptions *options, CheckResult *ret, Error *err);

/* check_theory.c; a: the load */
CheckMeasure check_ps_mean, check_ps_variance, check_fifo_wait, check_insensitive, check_quota_rate, check_quota_periods;
/* check_fluid.c; a, b: the loads from and to */
CheckMeasure check_table_p95, check_default_p95, check_many_pods, check_settled_p95, check_settled_worst, check_settled_cpu;
/* check_transient.c; a: cv, b: cpu limit */
CheckMeasure check_rise_n, check_rise_p95, check_other_p95, check_first_window;
/* check_rank.c */
CheckMeasure check_rank_order, check_rank_returns;
/* check_promql.c; a: 0 rate, 1 increase, 2 quantile, 3 instant */
CheckMeasure check_promql;

/* Keeps the larger error, and where it was. */
__attribute__((format(printf, 3, 4))) void check_worst(CheckResult *result, double error, const char *format, ...);
/* A row's number of requests or runs under the effort asked for. */
uint64_t check_effort(const CheckOptions *options, double whole);

/* The q-quantile of the times of the requests, s. */
double check_quantile_s(const RequestStats *stats, double q);
/* Requests a second that its cores can serve. */
double check_mu(const Service *service);

#endif
