/*
 * The simulator's own examination (SIM section 10): every claim about it is a row that is measured anew when asked for,
 * with the error that is allowed.
 */
#ifndef MAESTRO_SIM_CHECK_H
#define MAESTRO_SIM_CHECK_H

#include "base/err.h"

#include <stdbool.h>

typedef struct CheckOptions {
	const char *fixtures; /* folder of recorded answers */
	double effort;        /* 1: as in SIM; less: fewer runs, noisier figures */
} CheckOptions;

typedef struct CheckResult {
	double error;    /* measured, in parts of the reference */
	char skipped[96]; /* why it could not be measured; "": it was */
	char note[96];   /* where the error was worst */
} CheckResult;

typedef struct CheckRow {
	const char *name, *what;
	double tolerance;     /* of the error */
	bool is_fast;         /* under a second: part of `make test` */
	int (*measure)(const struct CheckRow *row, const CheckOptions *options, CheckResult *ret, Error *err);
	double a, b;          /* which case of a family of rows */
} CheckRow;

/* The table; its last row has no name. */
extern const CheckRow SIM_CHECK[];

/* ERR_NOMEM. What could not be measured is no error: it is said in skipped. */
int check_measure(const CheckRow *row, const CheckOptions *options, CheckResult *ret, Error *err);
bool check_holds(const CheckRow *row, const CheckResult *result);

#endif
