/*
 * See table.h. Near saturation a run's figures wander together: a busy stretch more or less moves the number in the pod and every
 * quantile alike. What the number should have been is known where the pod is a processor-sharing queue of min(n, cores) cores: its
 * distribution is that of M/M/c for any distribution of demands (Sakata, Noguchi, Oizumi 1971). So a pod with a quota is run again
 * on the same arrivals and demands as one that has the quota's cores all the time, and what that one is off by, both are
 * (a control variate). Measured over 16 seeds at rho .9: the p95 of a run of 300,000 requests deviates by .5 % instead of 2.4
 * (cv 1, L .5), .7 instead of 7.6 (cv 2), 1.4 instead of 2.2 (cv 0).
 */
#include "sim/table.h"

#include <math.h>

static const double RHO_MOST = .97;    /* beyond it runs are too short for the stretches that there are */
static const double WAITING_MOST = 2e-3; /* requests that find no place at once wait in their order, and the formula is another */

/* The settled number in the pod; *ret_waiting is the part of the time in which requests wait behind it. */
static double number_of(const Service *service, double rho, double *ret_waiting)
{
	double cores = service_cores(service), weight = 1.0, sum = 1.0, number = 0.0, waiting = 0.0;
	int most = (int) (service->concurrency + service->queue_max);
	for (int k = 1; k <= most; k++) {
		weight *= rho * cores / fmin(k, cores);
		sum += weight;
		number += k * weight;
		waiting += k > service->concurrency ? weight : 0.0;
	}
	*ret_waiting = waiting / sum;
	return number / sum;
}

/* All times past the network's are stretched. */
static void stretch(ResponseTable *table, int j, double times, double delay_s)
{
	float old[TIME_POINTS];
	for (int k = 0; k < TIME_POINTS; k++)
		old[k] = table->cdf[j][k];
	for (int k = 0; k < TIME_POINTS - 1; k++) {
		double part, t_s = time_point(k);
		int32_t bin = time_bin(t_s > delay_s ? delay_s + (t_s - delay_s) / times : t_s, &part);
		table->cdf[j][k] = old[bin] + (float) part * (old[bin + 1] - old[bin]);
	}
	table->mean_s[j] = (float) (delay_s + ((double) table->mean_s[j] - delay_s) * times);
}

/* should: the number there is, 0: not known. number: in the pod that has the quota's cores all the time; NULL: in the pod itself. */
static void settle(const Service *whole, const double *should, const double *number, ResponseTable *table)
{
	double cores = service_cores(whole), rate = cores / service_demand_s(whole);
	for (int j = 0; j < TABLE_LOADS; j++) {
		double rho = table_load(j), was = (double) table->n[j];
		if (should[j] <= 0.0)
			continue;
		double times = should[j] / (number ? number[j] : was);
		stretch(table, j, times, whole->net_delay);
		table->n[j] = (float) (was * times);
		table->x[j] = (float) (rho * rate);
		table->cores[j] = (float) (rho * cores);
	}
	table_raise(table);
}

int table_build_settled(const Service *service, uint64_t requests, uint64_t seed, ResponseTable *ret_table)
{
	double should[TABLE_LOADS], number[TABLE_LOADS], cores = service_cores(service), waiting;
	bool at[TABLE_LOADS], is_limited = cores < service->threads;
	Service whole = *service;
	whole.threads = cores;
	whole.cpu_limit = 0.0;
	for (int j = 0; j < TABLE_LOADS; j++) {
		should[j] = number_of(&whole, table_load(j), &waiting);
		at[j] = table_load(j) <= RHO_MOST && waiting <= WAITING_MOST;
		should[j] = at[j] ? should[j] : 0.0;
	}
	int code = table_build_beside(service, is_limited ? &whole : NULL, at, requests, seed, ret_table, number);
	if (!code)
		settle(&whole, should, is_limited ? number : NULL, ret_table);
	return code;
}
