/* The parameters of a simulated service (SIM section 2), one table for defaults, bounds, names and files. */
#ifndef MAESTRO_SIM_SERVICE_H
#define MAESTRO_SIM_SERVICE_H

#include "base/err.h"

#include <stddef.h>

typedef struct Service {
	double service_mean;       /* CPU s a request */
	double service_cv;         /* 0 fixed, 1 exponential, else lognormal */
	double service_overhead;   /* CPU s added to each */
	double threads;            /* most cores a pod uses at once */
	double cpu_limit;          /* cores; 0: none */
	double cfs_period;         /* s */
	double cpu_request;        /* cores */
	double concurrency;        /* requests served at once by a pod */
	double queue_max;          /* behind them; beyond: 503 */
	double client_timeout;     /* s */
	double retries;            /* tries more that a failed request (5xx, refused, timed out) causes, mean; 0: none */
	double net_delay;          /* s */
	double start_sched_min, start_sched_max; /* s, uniform */
	double start_cached;       /* probability that the image is there */
	double start_pull_mean, start_pull_cv;   /* s, lognormal */
	double start_boot_mean, start_boot_cv;   /* s, lognormal */
	double readiness_period, readiness_delay; /* s */
	double warm_factor, warm_time;           /* x, s */
	double term_endpoint_lag, grace;         /* s */
	double nodes, node_cpu, node_mem_bytes;  /* pods beyond what they hold stay Pending; each as large */
	double node_add_s;         /* s until a node is added for pending pods; 0: never */
	double neighbour;          /* cores that others take on each node */
	double keepalive_conns;    /* clients' connections, each pinned to a pod; 0: every request picks its pod. Request level: the
	                            * fluid one spreads requests evenly, as after a conn_life */
	double conn_life;          /* s that a connection lives, mean */
	double mem_base_bytes, mem_inflight_bytes, mem_leak_bytes, mem_limit_bytes;
	double scrape_interval, cadvisor_interval, cadvisor_jitter; /* s */
	double rate_window;        /* s, of rate() over cpu and requests */
} Service;

typedef struct ServiceParameter {
	const char *name, *unit, *help; /* unit "": a pure number */
	size_t offset;                  /* of the double in Service */
	double value, min, max;         /* default, bounds */
} ServiceParameter;

enum { SERVICE_PARAMETERS = sizeof(Service) / sizeof(double) };
extern const ServiceParameter SERVICE_PARAMETER[]; /* [SERVICE_PARAMETERS] in the order of Service */
/* The value of a parameter, by its place in the table. */
double *service_at(Service *service, int parameter);
/* The place of a name; -1: none. */
int service_find(const char *name);

/* SIM section 2, with request = limit = .5 cores (PRODUCT). */
void service_default(Service *service);
/* ERR_INVALID names the parameter and its bounds. */
int service_check(const Service *service, Error *err);

/* From a pod's creation to ready: the median, and what one in ten takes longer than. */
double service_startup_median_s(const Service *service);
double service_startup_p90_s(const Service *service);
/* Boots so that the median is this, or as near as what comes before and after booting lets it. */
void service_set_startup(Service *service, double median_s);

#endif
