/*
 * A row of a table of options: where in a struct its value stands, what it may be and what is said of it. The sub-commands parse argv
 * by such tables (cmd/opts.h); the simulator's C interface takes the same words one by one.
 */
#ifndef MAESTRO_BASE_OPTION_H
#define MAESTRO_BASE_OPTION_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum { OPT_LIST_MAX = 128 };

typedef struct OptList { /* a repeatable option; strings are the caller's */
	const char *item[OPT_LIST_MAX];
	size_t n;
} OptList;

typedef enum OptKind { /* what stands at the offset */
	OPT_FLAG,     /* bool */
	OPT_INT,      /* int32_t */
	OPT_INT64,    /* int64_t */
	OPT_DOUBLE,   /* double */
	OPT_DURATION, /* double, seconds: "15s", "1.5m", "2h", "3d", "250ms", or a bare number of seconds */
	OPT_STRING,   /* const char * */
	OPT_LIST,     /* OptList */
} OptKind;

typedef struct Opt {
	const char *name;
	char letter;      /* of the short form; 0: none */
	OptKind kind;
	size_t offset;
	double min, max;  /* of a number; both 0: any */
	const char *arg;  /* how help calls the value; NULL for flags */
	const char *help;
	bool is_setting;  /* part of a run's configuration: kept by opts_save */
} Opt;

/* The row of a name of so many characters, in a table that ends with a NULL name; NULL: none. */
const Opt *opt_find(const Opt *table, const char *name, size_t len);
/* Writes the value that text means; a list gets one more. Strings stay the caller's. A flag without a text is true. ERR_USAGE names
 * the option and what it wants, and leaves the target as it was. */
int opt_set(const Opt *opt, const char *text, void *target, Error *err);

/* "250ms", "15s", "30m", "2h", "7d" or a bare number, in seconds; false when it is none of these or negative. */
bool opts_duration(const char *text, double *ret_s);

enum { OPT_WORD_MAX = 64 };

/* The candidate nearest to word by edit distance, NULL where none is near. candidates end with NULL. */
const char *opts_nearest(const char *word, const char *const *candidates);
/* The same among a table's names. */
const char *opt_nearest(const char *word, const Opt *table);

#endif
