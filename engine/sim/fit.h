/*
 * Estimates the parameters of a service (service.h) from what was measured of it: request rate, latency histogram, cpu, replicas,
 * memory, and when its pods started. On arrays: reading Prometheus is control/fit_source.h's.
 *
 *   cpu over requests                     the demand of a request (regression)
 *   latency counts, by load of a pod      spread, overhead, delay, limit, threads, concurrency, balancing: the counts' likelihood
 *                                         under the request level, maximised by Fisher scoring; its information gives the errors
 *   memory over requests in a pod         the memory line
 *   times of pods                         start-up
 *
 * What the data cannot tell stays at its default and is named.
 */
#ifndef MAESTRO_SIM_FIT_H
#define MAESTRO_SIM_FIT_H

#include "sim/service_file.h"

enum { FIT_BOUNDS = 40 };

typedef struct FitRow { /* an interval; what is not known is NAN */
	double t_s;            /* its end */
	double rps;            /* requests answered a second, failed ones included */
	double error_rps;      /* of them with a 5xx */
	double cpu_cores;      /* of all pods */
	double ready;          /* pods that serve */
	double mem_bytes;      /* of all pods */
	double restarts;       /* of their containers, so far */
	double within[FIT_BOUNDS + 1]; /* requests a second within each bound, as Prometheus counts them; the last: all */
} FitRow;

typedef struct FitStart { /* of a pod: s since 1970, NAN where not known */
	double created_s, scheduled_s, running_s, ready_s;
} FitStart;

typedef struct FitData {
	double step_s;         /* rows are this far apart; a row's rates are over it */
	FitRow *row;           /* [n] */
	size_t n, size;
	double bound_ms[FIT_BOUNDS]; /* [n_bounds] rising, without the infinite one */
	size_t n_bounds;
	FitStart *start;       /* [n_starts] */
	size_t n_starts, starts_size;
	double scrape_interval_s, cpu_limit, cpu_request, mem_limit_bytes; /* told by the cluster; NAN: not */
} FitData;

void fit_data_init(FitData *data);
void fit_data_done(FitData *data);
/* A row, all NAN but its time, for the caller to fill; NULL: out of memory. Valid until the next call. */
FitRow *fit_data_add(FitData *data, double t_s);
/* ERR_NOMEM. */
int fit_data_add_start(FitData *data, const FitStart *start);
/*
 * The same from a file: CSV with a header of t_s, rps, error_rps, cpu_cores, ready, mem_bytes, restarts, le_BOUND (ms) ..., le_inf in
 * any order; an empty cell is not known. Comments tell the rest: "# scrape_interval_s: 15", "# cpu_limit: .5", "# cpu_request:",
 * "# mem_limit_bytes:", "# pod: CREATED,SCHEDULED,RUNNING,READY". ERR_IO, or ERR_INVALID with file and line: no number, negative,
 * unsorted, uneven, counts that fall with the bound, an unknown column, no rows.
 */
int fit_data_read(const char *path, FitData *data, Error *err);
/* The same of a text, which is cut into lines; NULL: empty. path is for messages. */
int fit_data_parse(char *text, const char *path, FitData *data, Error *err);
int fit_data_write(const FitData *data, const char *path, Error *err);

typedef struct FitOptions {
	double held_out;       /* the window's last part, kept apart for the errors: .25 */
	double effort;         /* of simulation: 1; tests take less */
	uint64_t seed;
	/* NULL, or told how much is done, 0..1; false ends it with ERR_CANCELLED */
	bool (*progress)(void *context, double done);
	void *context;
} FitOptions;

/*
 * Estimates into ret (whose name is left alone). ERR_NO_DATA where too little can be used, with what is missing; ERR_CANCELLED;
 * ERR_NOMEM. Some seconds.
 */
int fit_estimate(const FitData *data, const FitOptions *options, ServiceFile *ret, Error *err);

/*
 * The request rate as a trace file's text (t_s,rps): holes of up to fill_s are bridged by a line, at a longer one the longest
 * stretch without is taken. ret_bridged and ret_left_out count rows. ERR_NO_DATA without two rates in a row.
 */
int fit_trace(const FitData *data, const char *name, double fill_s, StrBuf *to, size_t *ret_bridged, size_t *ret_left_out,
              Error *err);

#endif
