/* What the parts of the estimation share; fit.h tells the whole. */
#ifndef MAESTRO_SIM_FIT_INSIDE_H
#define MAESTRO_SIM_FIT_INSIDE_H

#include "sim/fit.h"
#include "sim/request.h"
#include "sim/server.h"

enum {
	FIT_BINS = 10,
	FIT_DRAWS = 1 << 17,   /* of each kind, used again and again: a prediction is a smooth function of its parameters */
	FIT_PODS = 16,         /* most that are simulated side by side */
};

/* A straight line through (x, y) and its errors. */
typedef struct FitLine {
	double slope, slope_se, at_zero, at_zero_se;
} FitLine;

typedef struct FitBin { /* intervals of like load of a pod */
	double rate, spread; /* arrivals a second at a pod, and their deviation between the intervals */
	double pods;
	double requests;
	double share[FIT_BOUNDS + 1]; /* of the requests in each bucket; they sum to 1 */
	double dispersion;   /* of the counts over a multinomial's, >= 1 */
} FitBin;

typedef enum FitShape { SHAPE_EXPONENTIAL, SHAPE_LOGNORMAL, SHAPE_FIXED, FIT_SHAPES } FitShape;

/* The parameters that latencies tell of. */
typedef enum FitAxis { AXIS_DEMAND, AXIS_CV, AXIS_OVERHEAD, AXIS_DELAY, AXIS_LIMIT, AXES } FitAxis;
typedef struct FitPoint {
	double x[AXES];      /* ln CPU s, -, CPU s, s, ln cores */
	bool is_limited;
	FitShape shape;
	int threads, concurrency;
	SimBalance balance;
} FitPoint;

typedef struct FitLoad { /* what the latencies are compared by */
	FitBin bin[FIT_BINS];
	size_t n_bins, n_bounds;
	const double *bound_ms;
	double demand, demand_se;    /* CPU s a request, by the regression */
	double used_cores;           /* most that a pod was seen to use, but for outliers */
	float *gap, *normal, *exponential; /* [FIT_DRAWS] */
	Job *job;                    /* for FIT_PODS servers */
	const FitOptions *options;
	size_t stride;       /* of the bins that a likelihood looks at */
	double done, of_all;         /* simulated requests, for the progress */
	bool is_cancelled;
} FitLoad;

/* fit_load.c */

/* Whether a row's latencies can be used: it is whole, and the pods are as before and after. */
bool fit_row_is_steady(const FitData *data, size_t i, size_t from, size_t to);
/* Cpu over served requests and pods, of rows first to last; false: too few rows, or no requests. */
bool fit_cpu(const FitData *data, size_t first, size_t last, double *ret_demand, double *ret_se, double *ret_idle);
/* Fills bins, demand and used_cores from rows first to last. ERR_NO_DATA with what is missing; ERR_NOMEM. */
int fit_load_init(FitLoad *load, const FitData *data, size_t first, size_t last, const FitOptions *options, Error *err);
double fit_mean_pods(const FitLoad *load);
void fit_load_done(FitLoad *load);
/* Least squares with errors that allow for correlation of neighbours. n >= 3. */
FitLine fit_line(const double *x, const double *y, size_t n);

/* fit_model.c */

/* The service that a point of the search stands for; what is not searched is the default's. */
Service fit_service(const FitPoint *point);
/* Shares of the buckets at a load by simulating some requests. */
void fit_predict(FitLoad *load, const FitPoint *point, const FitBin *bin, size_t which, size_t requests, double *ret_share);
typedef struct FitPlay { /* an interval of some pods */
	double before, rate; /* arrivals a second at a pod, in the interval before and in it */
	double step_s;
	size_t pods;
	uint32_t id;         /* of its own chance */
} FitPlay;
/* What the point's service would have counted: requests within each bound, all of them last, and the CPU seconds. */
void fit_play(FitLoad *load, const FitPoint *point, const FitPlay *play, double *ret_within, double *ret_cpu_s);
/* Of a bin's shares: its own sampling error, and that of the prediction. */
double fit_weight(const FitBin *bin, size_t requests);
/* Of all bins, and the term of the demand: quasi-likelihood by predictions of so many requests a bin. -INFINITY where the point is
 * impossible. */
double fit_likelihood(FitLoad *load, const FitPoint *point, size_t requests);

/* So many requests, as the options' effort has it. */
size_t fit_scaled(const FitLoad *load, size_t requests);

/* fit_search.c */

typedef struct FitFound {
	FitPoint point;
	double se[AXES];          /* of point.x; NAN: kept at its default, since the data cannot tell */
	bool has_axis[AXES];      /* the data tell it */
	bool has_threads, has_concurrency, has_balance;
	double threads_se, concurrency_se; /* half the range of what nothing excludes; 0: nothing else is left */
	double dispersion;   /* Pearson's chi-square over its degrees of freedom, over the bins' own dispersion */
} FitFound;
/* The best point and what the data tell of it. told_limit: the cluster's word, 0 for none, NAN where it says nothing. ERR_CANCELLED. */
int fit_search(FitLoad *load, double told_limit, FitFound *ret, Error *err);

/* fit_climb.c; is_held: axes that stay */

enum { MIDDLE_REQUESTS = 30000, LONG_REQUESTS = 100000 };

/* The point with one axis moved, as far as its bounds let it. */
FitPoint fit_moved(const FitPoint *point, int axis, double by);
/* Up to `steps` steps uphill; the likelihood that it ends with. */
double fit_climb(FitLoad *load, FitPoint *point, const bool *is_held, size_t requests, int steps);
/* Fills the standard errors at the point (NAN where the information is singular) and the dispersion that is left. */
void fit_errors(FitLoad *load, FitFound *found, const bool *is_held, size_t requests);

/* fit_tell.c */

/* Fills all of found but its point, and moves that to better rivals and to defaults that are as likely. */
void fit_tell(FitLoad *load, double told_limit, bool *is_held, FitFound *found);

/* fit_check.c */

/* Fills the errors of fit on rows `from` to the last. ERR_NOMEM. */
int fit_check(FitLoad *load, const FitData *data, size_t from, const FitPoint *point, ServiceFit *fit);

/* fit_rest.c */

/* Each fills in its parameters where data tell them: of memory, of a pod's start, and what the recording says itself. */
void fit_memory(const FitData *data, ServiceFile *file);
void fit_starts(const FitData *data, ServiceFile *file);
void fit_told(const FitData *data, ServiceFile *file);
/* A parameter by its name, kept within its bounds; standard_error NAN: not known. */
void fit_set(ServiceFile *file, const char *name, double value, double standard_error, FitOrigin source);

#endif
