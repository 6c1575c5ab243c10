/*
 * The language in which runs are picked, turned into SQL whose every value is a bound parameter.
 *
 *   web best              each word in the name, id, tags or note
 *   tag:prod  status=done kind:control seed=3
 *   steps>=1e6 eval>50 reward<=-3 age<3d   figures; age and took as 90s, 5m, 2h, 3d
 *   lr<=3e-4  trace:wc98  net-arch=64,64   any option of the run by its name (lr, ent, clip for short)
 *   has:note has:tags has:eval  is:locked is:trash
 *   trash>30d             in the trash for so long
 *   not X   X or Y   ( ... )      words side by side are all wanted
 *
 * Runs in the trash are left out unless is:trash or trash stands in it.
 */
#ifndef MAESTRO_STORAGE_FILTER_H
#define MAESTRO_STORAGE_FILTER_H

#include "base/err.h"
#include "base/mem.h"

#include <stdbool.h>
#include <stdint.h>

enum { FILTER_VALUES = 32 };

typedef struct FilterValue {
	bool is_number;
	double number;
	char text[160];
} FilterValue;

typedef struct Filter {
	StrBuf sql;                        /* an expression over runs r, its evals e and last update u; ?1.. are the values */
	FilterValue value[FILTER_VALUES];
	int n_values;
	int fault_col;                     /* after ERR_PARSE: where, from 0 */
} Filter;

/* 0; ERR_PARSE with what and where; ERR_NOMEM. wall_ms is now, for ages. filter_done in every case. */
int filter_parse(const char *text, int64_t wall_ms, Filter *ret, Error *err);
void filter_done(Filter *filter);

#endif
