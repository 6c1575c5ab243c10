/* See service.h: one row a parameter gives its default, its bounds and its name in messages. */
#include "sim/service.h"

#include <math.h>
#include <stddef.h>

typedef struct Parameter {
	const char *name;
	size_t offset;
	double value, min, max;
} Parameter;

#define MIB 1048576.0
#define ROW(field, value, min, max) { #field, offsetof(Service, field), value, min, max }

static const Parameter TABLE[] = {
	ROW(service_mean, .020, 1e-4, 10.0),
	ROW(service_cv, 1.0, 0.0, 5.0),
	ROW(service_overhead, .00015, 0.0, 1.0),
	ROW(threads, 1.0, .1, 64.0),
	ROW(cpu_limit, .5, 0.0, 64.0),
	ROW(cfs_period, .1, .001, 1.0),
	ROW(cpu_request, .5, .001, 64.0),
	ROW(concurrency, 128.0, 1.0, 4096.0),
	ROW(queue_max, 128.0, 0.0, 4096.0),
	ROW(client_timeout, 10.0, .01, 3600.0),
	ROW(net_delay, .001, 0.0, 10.0),
	ROW(start_sched_min, .1, 0.0, 600.0),
	ROW(start_sched_max, .5, 0.0, 600.0),
	ROW(start_cached, .85, 0.0, 1.0),
	ROW(start_pull_mean, 8.0, 0.0, 3600.0),
	ROW(start_pull_cv, .7, 0.0, 5.0),
	ROW(start_boot_mean, 4.0, 0.0, 3600.0),
	ROW(start_boot_cv, .4, 0.0, 5.0),
	ROW(readiness_period, 5.0, .1, 600.0),
	ROW(readiness_delay, 2.0, 0.0, 3600.0),
	ROW(warm_factor, 1.5, 1.0, 20.0),
	ROW(warm_time, 20.0, .1, 3600.0),
	ROW(term_endpoint_lag, 1.0, 0.0, 600.0),
	ROW(grace, 30.0, 0.0, 3600.0),
	ROW(mem_base_bytes, 96.0 * MIB, 0.0, 1e13),
	ROW(mem_inflight_bytes, .25 * MIB, 0.0, 1e13),
	ROW(mem_leak_bytes, 0.0, 0.0, 1e13),
	ROW(mem_limit_bytes, 512.0 * MIB, MIB, 1e13),
	ROW(scrape_interval, 15.0, 1.0, 300.0),
	ROW(cadvisor_interval, 10.0, 1.0, 300.0),
	ROW(cadvisor_jitter, 5.0, 0.0, 300.0),
	ROW(rate_window, 60.0, 1.0, 3600.0),
};

enum { ROWS = sizeof TABLE / sizeof *TABLE };
_Static_assert(ROWS * sizeof(double) == sizeof(Service), "a parameter has no row");

void service_default(Service *service)
{
	for (int i = 0; i < ROWS; i++)
		*(double *) (void *) ((char *) service + TABLE[i].offset) = TABLE[i].value;
}

int service_check(const Service *service, Error *err)
{
	for (int i = 0; i < ROWS; i++) {
		const Parameter *row = &TABLE[i];
		double value = *(const double *) (const void *) ((const char *) service + row->offset);
		if (!(value >= row->min && value <= row->max))
			return error_set(err, ERR_INVALID, "service: %s is %g, must be %g to %g", row->name, value, row->min,
			                 row->max);
	}
	if (service->start_sched_max < service->start_sched_min)
		return error_set(err, ERR_INVALID, "service: start_sched_max is %g, must be at least start_sched_min, %g",
		                 service->start_sched_max, service->start_sched_min);
	if (fmod(service->concurrency, 1.0) != 0.0 || fmod(service->queue_max, 1.0) != 0.0)
		return error_set(err, ERR_INVALID, "service: concurrency and queue_max count requests, must be whole");
	return 0;
}

/* ---- start-up ---- */

/* Binding, and the wait for the next probe, on average. An image that is pulled is left out: it is the tail. */
static double around_boot_s(const Service *s)
{
	return .5 * (s->start_sched_min + s->start_sched_max) + .5 * s->readiness_period;
}

/* Of the lognormal boot, at so many deviations. */
static double boot_s(const Service *s, double deviations)
{
	double variance = log(1.0 + s->start_boot_cv * s->start_boot_cv);
	return s->start_boot_mean * exp(deviations * sqrt(variance) - .5 * variance);
}

double service_startup_median_s(const Service *service)
{
	return around_boot_s(service) + boot_s(service, 0.0);
}

double service_startup_p90_s(const Service *service)
{
	static const double P90 = 1.2815515655446004;
	return around_boot_s(service) + boot_s(service, P90);
}

void service_set_startup(Service *service, double median_s)
{
	static const double LEAST_S = .5;
	double boot = fmax(median_s - around_boot_s(service), LEAST_S);
	service->start_boot_mean = boot * sqrt(1.0 + service->start_boot_cv * service->start_boot_cv);
}
