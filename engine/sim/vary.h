/*
 * Axes along which training episodes may differ besides those of SimVary (CONTROL F.6): each is off until it has a range. An axis is
 * drawn by a word of its own, so that switching one on moves nothing else that is random.
 */
#ifndef MAESTRO_SIM_VARY_H
#define MAESTRO_SIM_VARY_H

#include "base/err.h"

#include <stdbool.h>

typedef enum SimAxis { /* in the order of their words: append only */
	AXIS_CAPACITY,       /* speed of the pods, over what the model says */
	AXIS_STARTUP_SPREAD, /* of booting: what one pod in 100 takes longer than, over the median */
	AXIS_NODES,          /* of the cluster: pods beyond stay Pending */
	AXIS_SCRAPE,         /* s between scrapes */
	AXIS_METRIC_DELAY,   /* s by which what is measured is old when it is seen */
	AXIS_METRIC_MISSING, /* chance that a metric is not there */
	AXIS_METRIC_NOISE,   /* deviation over its value */
	AXIS_TREND,          /* of the traffic, part a day */
	AXIS_FLASH,          /* times the traffic at the top of a flash crowd, one an episode */
	AXIS_FLASH_RISE,     /* s until there */
	AXIS_RETRIES,        /* tries that a failed request causes */
	AXIS_BACKEND,        /* s that each request waits for another service */
	AXIS_INTERVAL,       /* s between decisions */
	AXIS_MIN,            /* least replicas */
	AXIS_MAX,            /* most */
	SIM_AXES,
} SimAxis;

typedef struct SimRange {
	bool is_on;
	double low, high;
} SimRange;

struct SimConfig;

/*
 * "metric-delay=5:60,flash": axes with their ranges, or with the usual ones; "all": every axis by its usual range. Over what config
 * has. Also those of SimVary that have a name: startup, price, memory. A usual range keeps to what config's windows and replicas
 * allow. ERR_USAGE names the axis.
 */
int sim_vary_parse(const char *text, struct SimConfig *config, Error *err);
/* Axis i's name, its usual range and what it is; NULL: no more. */
const char *sim_vary_axis(int i, const char **ret_range, const char **ret_help);

#endif
