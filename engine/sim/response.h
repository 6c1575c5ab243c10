/*
 * A response table made fast: one row for each of a few hundred numbers in the pod, everything that a sub-step asks for
 * side by side, and the small tables that go with it. Read-only after it is made; any number of threads.
 */
#ifndef MAESTRO_SIM_RESPONSE_H
#define MAESTRO_SIM_RESPONSE_H

#include "sim/table.h"

#include <math.h>
#include <stdbool.h>

/*
 * Points at which the sojourn distribution is kept: those of Istio's 19 finite bounds that a request of this service can
 * be on either side of, then the client's timeout and the limits of the task, then +Inf up to a multiple of SIDE_BY_SIDE.
 */
enum { BUCKETS = 20, SIDE_BY_SIDE = 8, POINTS = 24, AFTER_TIMEOUT = 0, AFTER_SOFT, AFTER_HARD, AFTER };

/* Istio's bounds of istio_request_duration_milliseconds; the last is INFINITY. */
extern const double BUCKET_MS[BUCKETS];

enum {
	ROOT_STEPS = 16,  /* rows a unit of sqrt(n) */
	PIECES = 4,       /* of a sub-step in which the number in the pod moves far */
	LOAD_STEPS = 128, /* of the tables over rho in 0..2 */
	DEMAND_STEPS = 16, DEMAND_MOST = 32, /* of the distribution of demands, a mean one; and as far as it goes */
	GROWTH_STEPS = 16,
	LOG_STEPS = 16, LOG_POINTS = TIME_OCTAVES * LOG_STEPS + 1,
};

/* Shares under HAZARD_OVER are none: a table of 1e5 requests does not hold them. */
#define HAZARD_OVER 1e-7f
#define HAZARD_MAX 30.0f

typedef struct ResponseRow {
	float accept;      /* accepted part of the arrivals */
	float rate;        /* completions a second */
	float cores;
	float slope;       /* d rate / d n */
	float gain;        /* (1 - exp(-slope dt))/slope for the sub-step, and for a piece of it */
	float gain_small;
	float mean_s;      /* mean sojourn */
	float load;        /* index into the table's loads, with fraction */
	float start, per_width; /* n of the row, 1 / (n of the next one less it), both x ROOT_STEPS^2 */
	float hazard[POINTS]; /* -ln P(sojourn > point) */
} ResponseRow;

typedef struct Response {
	ResponseTable table;
	ResponseRow *row;              /* [n_rows], row i at n = (i/ROOT_STEPS)^2 */
	int32_t n_rows;
	float n_max;                   /* a pod holds no more */
	float mu;                      /* completions a second at saturation */
	float rising;                  /* of the growth that is not overload, over the plain equation's */
	bool is_even;                  /* demands are exponential: an overloaded pod's number grows by all the requests that are too many */
	float growth[GROWTH_STEPS + 2]; /* else by this part of them, at rho = 1 + i/GROWTH_STEPS */
	float cores;                   /* in use then */
	float concurrency;
	double dt;                     /* sub-step, s */
	bool is_wide;                  /* response_has_wide() */
	int32_t first, bounds;         /* points 0..bounds-1 are BUCKET_MS[first..] */
	int32_t n_points;              /* in use, a multiple of SIDE_BY_SIDE */
	int32_t n_finite;              /* none of the points from here on is */
	double point_s[POINTS];
	float point[POINTS];           /* the same, for counting */
	double bucket_ms[BUCKETS + 1]; /* the bounds with points, one below, one above and INFINITY */
	int32_t n_buckets;
	float point_log[POINTS];       /* log2 of it, in steps of LOG_STEPS an octave above the lowest */
	float (*log_hazard)[LOG_POINTS]; /* [TABLE_LOADS] hazards over such a grid, for stretching */
	float demand_most;             /* mean ones; 1 request in 10,000 needs more */
	float demand_below[DEMAND_STEPS * DEMAND_MOST + 2]; /* P(demand <= i/DEMAND_STEPS mean ones), */
	float demand_had[DEMAND_STEPS * DEMAND_MOST + 2];   /* and the integral of P(demand > x) up to there */
	float n_at[LOAD_STEPS + 2];    /* settled number in the pod at rho = i * 2/LOAD_STEPS */
	float noise_keep[LOAD_STEPS + 2];  /* AR(1) factor over a sub-step (SIM 4.3), */
	float noise_new[LOAD_STEPS + 2];   /* sqrt(1 - its square) */
	float noise_sd[LOAD_STEPS + 2];    /* of the log of the sojourn's scale, of one pod */
} Response;

/* Where a number in the pod, or a load, lies between two rows. */
typedef struct Place {
	int32_t at;
	float part;
} Place;

static inline float place_mix(Place place, float a, float b)
{
	return a + place.part * (b - a);
}

static inline Place response_place(const Response *response, float n) /* 0 to n_max */
{
	float scaled = n * (ROOT_STEPS * ROOT_STEPS);
	int32_t at = (int32_t) sqrtf(scaled);
	const ResponseRow *row = &response->row[at];
	return (Place) { at, (scaled - row->start) * row->per_width };
}

static inline Place response_load_place(float rho)
{
	float scaled = rho < 2.0f ? rho * (LOAD_STEPS / 2.0f) : LOAD_STEPS;
	int32_t at = (int32_t) scaled;
	return (Place) { at, scaled - (float) at };
}

static inline Place response_demand_place(float demands)
{
	float scaled = demands < DEMAND_MOST ? demands * DEMAND_STEPS : DEMAND_STEPS * DEMAND_MOST;
	int32_t at = (int32_t) scaled;
	return (Place) { at, scaled - (float) at };
}

/* Part of the requests that need no more than so many mean demands; what a request has had of them, on average. */
static inline float demand_below(const Response *response, float demands)
{
	Place at = response_demand_place(demands);
	return place_mix(at, response->demand_below[at.at], response->demand_below[at.at + 1]);
}

static inline float demand_had(const Response *response, float demands)
{
	Place at = response_demand_place(demands);
	return place_mix(at, response->demand_had[at.at], response->demand_had[at.at + 1]);
}

/* Growth at an overload of rho > 1. */
static inline float response_growth(const Response *response, float rho)
{
	float scaled = (rho - 1.0f) * GROWTH_STEPS;
	scaled = scaled < GROWTH_STEPS ? scaled : GROWTH_STEPS;
	int32_t at = (int32_t) scaled;
	return place_mix((Place) { at, scaled - (float) at }, response->growth[at], response->growth[at + 1]);
}

/* Settled number in the pod at rho. */
static inline float response_settled(const Response *response, float rho)
{
	Place load = response_load_place(rho);
	return place_mix(load, response->n_at[load.at], response->n_at[load.at + 1]);
}

/* Whether this machine has wider registers for the loops over points; the bits are the same without. */
bool response_has_wide(void);
/* Hazards at the points of the distribution at `load` (of ResponseRow) with its times stretched. */
void response_stretch(const Response *response, float load, float stretch, float *ret_hazard);
/* The same with a delay added to each, and 200 ms more to a part of them: a packet lost and sent again. */
void response_delay(const Response *response, float load, float stretch, float delay_s, float loss, float *ret_hazard);
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
