/* See service.h: one row a parameter gives its default, its bounds, and its name, unit and meaning in messages and files. */
#include "sim/service.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#define MIB 1048576.0
#define ROW(field, value, min, max, unit, help) { #field, unit, help, offsetof(Service, field), value, min, max }

const ServiceParameter SERVICE_PARAMETER[] = {
	ROW(service_mean, .020, 1e-4, 10.0, "CPU s", "mean CPU demand of a request"),
	ROW(service_cv, 1.0, 0.0, 5.0, "", "its coefficient of variation: 0 fixed, 1 exponential, else lognormal"),
	ROW(service_overhead, .00015, 0.0, 1.0, "CPU s", "to accept, parse and answer; added to each demand"),
	ROW(threads, 1.0, .1, 64.0, "cores", "most cores that a pod can use at once"),
	ROW(cpu_limit, .5, 0.0, 64.0, "cores", "CFS quota of a pod; 0: none"),
	ROW(cfs_period, .1, .001, 1.0, "s", "the quota is refilled so often"),
	ROW(cpu_request, .5, .001, 64.0, "cores", "what the scheduler reserves, and the HPA's utilisation is against"),
	ROW(concurrency, 128.0, 1.0, 4096.0, "requests", "served at once by a pod; 1: one after the other"),
	ROW(queue_max, 128.0, 0.0, 4096.0, "requests", "waiting room behind them; beyond it 503"),
	ROW(client_timeout, 10.0, .01, 3600.0, "s", "the client gives up, the pod burns the CPU all the same"),
	ROW(retries, 0.0, 0.0, .95, "", "tries more that a failed request causes, mean: refused, 5xx, timed out"),
	ROW(net_delay, .001, 0.0, 10.0, "s", "fixed time of a request besides CPU: network, proxy, waits on others"),
	ROW(start_sched_min, .1, 0.0, 600.0, "s", "binding to a node, at least"),
	ROW(start_sched_max, .5, 0.0, 600.0, "s", "at most"),
	ROW(start_cached, .85, 0.0, 1.0, "", "probability that the image is on the node"),
	ROW(start_pull_mean, 8.0, 0.0, 3600.0, "s", "else it is pulled: lognormal, mean"),
	ROW(start_pull_cv, .7, 0.0, 5.0, "", "and coefficient of variation"),
	ROW(start_boot_mean, 4.0, 0.0, 3600.0, "s", "from the container's start to listening: lognormal, mean"),
	ROW(start_boot_cv, .4, 0.0, 5.0, "", "and coefficient of variation"),
	ROW(readiness_period, 5.0, .1, 600.0, "s", "between readiness probes"),
	ROW(readiness_delay, 2.0, 0.0, 3600.0, "s", "before the first"),
	ROW(warm_factor, 1.5, 1.0, 20.0, "x", "demand of a pod just born; falls to 1"),
	ROW(warm_time, 20.0, .1, 3600.0, "s", "exponentially, with this time"),
	ROW(term_endpoint_lag, 1.0, 0.0, 600.0, "s", "a deleted pod still gets traffic"),
	ROW(grace, 30.0, 0.0, 3600.0, "s", "for what is in flight in a deleted pod"),
	ROW(nodes, 3.0, 1.0, 1000.0, "", "of the cluster; a pod that finds no room stays Pending"),
	ROW(node_cpu, 4.0, .1, 1024.0, "cores", "of a node, for the pods' requests"),
	ROW(node_mem_bytes, 8192.0 * MIB, MIB, 1e14, "bytes", "of a node, for the pods' limits"),
	ROW(node_add_s, 0.0, 0.0, 86400.0, "s", "until a node is added for pending pods; 0: never"),
	ROW(neighbour, 0.0, 0.0, 1024.0, "cores", "that others take on each node"),
	ROW(keepalive_conns, 0.0, 0.0, 1024.0, "", "connections of the clients, each to one pod; 0: every request picks its pod (request level)"),
	ROW(conn_life, 60.0, .1, 86400.0, "s", "that a connection lives, exponential, mean"),
	ROW(mem_base_bytes, 96.0 * MIB, 0.0, 1e13, "bytes", "working set of an idle pod"),
	ROW(mem_inflight_bytes, .25 * MIB, 0.0, 1e13, "bytes", "and for each request in it"),
	ROW(mem_leak_bytes, 0.0, 0.0, 1e13, "bytes", "and for each request that it has served"),
	ROW(mem_limit_bytes, 512.0 * MIB, MIB, 1e13, "bytes", "beyond it the pod is killed"),
	ROW(scrape_interval, 15.0, 1.0, 300.0, "s", "of Prometheus"),
	ROW(cadvisor_interval, 10.0, 1.0, 300.0, "s", "CPU and memory counters move"),
	ROW(cadvisor_jitter, 5.0, 0.0, 300.0, "s", "and as much later, uniform"),
	ROW(rate_window, 60.0, 1.0, 3600.0, "s", "of rate() over CPU and requests"),
};

enum { ROWS = sizeof SERVICE_PARAMETER / sizeof *SERVICE_PARAMETER };
_Static_assert(ROWS * sizeof(double) == sizeof(Service), "a parameter has no row");
_Static_assert((int) ROWS == (int) SERVICE_PARAMETERS, "the table's length");

double *service_at(Service *service, int parameter)
{
	return (double *) (void *) ((char *) service + SERVICE_PARAMETER[parameter].offset);
}

int service_find(const char *name)
{
	for (int i = 0; i < ROWS; i++)
		if (!strcmp(SERVICE_PARAMETER[i].name, name))
			return i;
	return -1;
}

void service_default(Service *service)
{
	for (int i = 0; i < ROWS; i++)
		*service_at(service, i) = SERVICE_PARAMETER[i].value;
}

int service_check(const Service *service, Error *err)
{
	for (int i = 0; i < ROWS; i++) {
		const ServiceParameter *row = &SERVICE_PARAMETER[i];
		double value = *(const double *) (const void *) ((const char *) service + row->offset);
		if (!(value >= row->min && value <= row->max))
			return error_set(err, ERR_INVALID, "service: %s is %g, must be %g to %g", row->name, value, row->min,
			                 row->max);
	}
	if (service->start_sched_max < service->start_sched_min)
		return error_set(err, ERR_INVALID, "service: start_sched_max is %g, must be at least start_sched_min, %g",
		                 service->start_sched_max, service->start_sched_min);
	if (fmod(service->nodes, 1.0) != 0.0 || fmod(service->keepalive_conns, 1.0) != 0.0)
		return error_set(err, ERR_INVALID, "service: nodes and keepalive_conns are counts, must be whole");
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
