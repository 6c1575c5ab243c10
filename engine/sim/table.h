/*
 * The response table of a service: what one pod does at 30 loads, measured at the request level (SIM section 4.1).
 *
 * Random splitting of a Poisson stream over equal pods gives each of them a Poisson stream, so a table of a single pod
 * serves any number of pods.
 */
#ifndef MAESTRO_SIM_TABLE_H
#define MAESTRO_SIM_TABLE_H

#include "sim/request.h"

#include <stdbool.h>

enum { TABLE_LOADS = 30 };

typedef struct ResponseTable {
	float rho[TABLE_LOADS];    /* offered load over capacity, rising from almost 0 to 4 */
	float n[TABLE_LOADS];      /* mean number in the pod, rising */
	float x[TABLE_LOADS];      /* completions a second */
	float accept[TABLE_LOADS]; /* accepted part of the arrivals */
	float cores[TABLE_LOADS];  /* CPU in use */
	float mean_s[TABLE_LOADS]; /* mean sojourn */
	float cdf[TABLE_LOADS][TIME_POINTS]; /* P(sojourn < time_point(k)) */
} ResponseTable;

/* CPU seconds of a mean request, and cores that a pod can use in the long run. */
double service_demand_s(const Service *service);
double service_cores(const Service *service);

/* Some `requests` of measurement a load, more near saturation, less what chance has put in, as far as theory knows better
 * (table_settle.c). The same arguments give the same table. ERR_NOMEM. */
int table_build_settled(const Service *service, uint64_t requests, uint64_t seed, ResponseTable *ret_table);
/* The table as measured, and beside it on the same chance, where at[load] says so, the mean number in a pod of another service of the
 * same sizes and capacity. NULL: nothing beside. */
int table_build_beside(const Service *service, const Service *other, const bool *at, uint64_t requests, uint64_t seed,
                       ResponseTable *ret_table, double *ret_number);

/* Of the j-th load: its place over capacity. */
double table_load(int j);
/* The number in the pod indexes the table: noise between neighbours must not make it fall. */
void table_raise(ResponseTable *table);

/* The table of service_default(), made when the program was built. */
const ResponseTable *table_default(void);
/* Whether two services have one table. */
bool table_is_shared(const Service *a, const Service *b);

#endif
