/* See table.h. Loads are spaced evenly in 1/(1-rho), the scale of the sojourn, up to saturation. */
#include "sim/table.h"

static const double LOAD[TABLE_LOADS] = {
	.01, .1, .2, .3, .4, .48, .55, .61, .66, .7, .74, .78, .81, .84, .865,
	.885, .905, .92, .935, .95, .965, .98, .99, 1.0, 1.02, 1.05, 1.12, 1.3, 2.0, 4.0,
};

double service_demand_s(const Service *service)
{
	return service->service_mean + service->service_overhead;
}

double service_cores(const Service *service)
{
	bool is_limited = service->cpu_limit > 0.0 && service->cpu_limit < service->threads;
	return is_limited ? service->cpu_limit : service->threads;
}

/* Correlation between requests grows with 1/(1-rho)^2, so the runs near saturation are longer. */
static uint64_t length_of(double rho, uint64_t requests)
{
	if (rho < .6 || rho > 1.1)
		return requests / 2;
	return rho < .84 ? requests : 2 * requests;
}

double table_load(int j)
{
	return LOAD[j];
}

static void raise_load(ResponseTable *table, int j)
{
	if (j && table->n[j] <= table->n[j - 1])
		table->n[j] = table->n[j - 1] * 1.0001f + 1e-4f;
}

void table_raise(ResponseTable *table)
{
	for (int j = 1; j < TABLE_LOADS; j++)
		raise_load(table, j);
}

static void fill_load(ResponseTable *table, int j, const RequestStats *stats)
{
	table->rho[j] = (float) LOAD[j];
	table->n[j] = (float) (stats->in_pod_s / stats->time_s);
	table->x[j] = (float) (stats->completed / stats->time_s);
	table->accept[j] = (float) (stats->accepted / stats->arrivals);
	table->cores[j] = (float) (stats->cpu_s / stats->time_s);
	table->mean_s[j] = (float) (stats->sojourn_s / stats->completed);
	double below = 0.0;
	for (int k = 0; k < TIME_POINTS; k++) {
		table->cdf[j][k] = (float) (below / stats->completed);
		below += stats->bin[k];
	}
	raise_load(table, j);
}

int table_build_beside(const Service *service, const Service *other, const bool *at, uint64_t requests, uint64_t seed,
                       ResponseTable *ret_table, double *ret_number)
{
	double rate = service_cores(service) / service_demand_s(service);
	for (int j = 0; j < TABLE_LOADS; j++) {
		RequestStats stats, there;
		const Service *beside = other && at[j] ? other : NULL;
		int code = request_run_beside(service, beside, LOAD[j] * rate, length_of(LOAD[j], requests), seed, (uint32_t) j, &stats, &there);
		if (code)
			return code;
		if (beside)
			ret_number[j] = there.in_pod_s / there.time_s;
		fill_load(ret_table, j, &stats);
	}
	return 0;
}

bool table_is_shared(const Service *a, const Service *b)
{
	return a->service_mean == b->service_mean && a->service_cv == b->service_cv &&
	       a->service_overhead == b->service_overhead && a->threads == b->threads && a->cpu_limit == b->cpu_limit &&
	       a->cfs_period == b->cfs_period && a->concurrency == b->concurrency && a->queue_max == b->queue_max &&
	       a->net_delay == b->net_delay;
}
