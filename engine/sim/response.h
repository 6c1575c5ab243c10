/*
 * A response table made fast: one row for each of a few hundred numbers in the pod, everything that a sub-step asks for
 * side by side, and the small tables that go with it. Read-only after it is made; any number of threads.
 */
#ifndef MAESTRO_SIM_RESPONSE_H
#define MAESTRO_SIM_RESPONSE_H

#include "sim/table.h"

/* Points at which the sojourn distribution is kept in a row: Istio's 19 bounds, +Inf, and the limits of the task. */
enum { BUCKETS = 20, POINT_SOFT = BUCKETS, POINT_HARD, POINT_TIMEOUT, POINTS = 24 };

/* Istio's bounds of istio_request_duration_milliseconds; the last is INFINITY. */
extern const double BUCKET_MS[BUCKETS];

enum { ROOT_STEPS = 16 /* rows a unit of sqrt(n) */, LOAD_STEPS = 128 /* of the tables over rho in 0..2 */ };

/* Shares under HAZARD_OVER are none: a table of 1e5 requests does not hold them. */
#define HAZARD_OVER 1e-7f
#define HAZARD_MAX 30.0f

typedef struct ResponseRow {
	float accept;      /* accepted part of the arrivals */
	float rate;        /* completions a second */
	float cores;
	float slope;       /* d rate / d n */
	float gain;        /* (1 - exp(-slope dt))/slope for the sub-step, and for an eighth of it */
	float gain_small;
	float mean_s;      /* mean sojourn */
	float load;        /* index into the table's loads, with fraction */
	float hazard[POINTS]; /* -ln P(sojourn > point) */
} ResponseRow;

typedef struct Response {
	ResponseTable table;
	ResponseRow *row;              /* [n_rows], row i at n = (i/ROOT_STEPS)^2 */
	int32_t n_rows;
	double n_max;                  /* a pod holds no more */
	double mu;                     /* completions a second at saturation */
	double cores;                  /* in use then */
	double concurrency;
	double dt;                     /* sub-step, s */
	double point_s[POINTS];
	float n_at[LOAD_STEPS + 2];    /* settled number in the pod at rho = i * 2/LOAD_STEPS */
	float noise_keep[LOAD_STEPS + 2];  /* AR(1) factor over a sub-step (SIM 4.3) */
	float noise_sd[LOAD_STEPS + 2];    /* of the log of the sojourn's scale, of one pod */
} Response;

/* Where a number in the pod, or a load, lies between two rows. */
typedef struct Place {
	int32_t at;
	float part;
} Place;

Place response_place(const Response *response, double n);
Place response_load_place(double rho);
static inline float place_mix(Place place, float a, float b)
{
	return a + place.part * (b - a);
}

/* P(sojourn <= t_s) at a place. */
double response_cdf(const Response *response, Place place, double t_s);
/* The q-quantile, s. */
double response_quantile(const Response *response, Place place, double q);
/* Arrivals a second at which one pod's p95 is latency_s; 0 where even an idle one is slower. */
double response_capacity(const Response *response, double latency_s);

/*
 * From the compiled-in table where the service is the default one, else from one measured here (half a second).
 * Limits <= 0 are off: no request counts as over them. ERR_NOMEM.
 */
int response_new(const Service *service, double dt, double soft_ms, double hard_ms, Response **ret_response);
void response_free(Response *response);

#endif
