/*
 * Options of the sub-commands: one table a command gives parsing, --help, the environment's MAESTRO_* and the nearest
 * suggestion for a wrong word.
 *
 * An option beats its variable (MAESTRO_ + name, upper case, dashes as underscores), the variable beats the default that the
 * caller has put into the target struct.
 */
#ifndef MAESTRO_CMD_OPTS_H
#define MAESTRO_CMD_OPTS_H

#include "base/err.h"
#include "base/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OPT_LIST_MAX = 128 };

typedef struct OptList { /* a repeatable option; strings are the caller's argv */
	const char *item[OPT_LIST_MAX];
	size_t n;
} OptList;

typedef enum OptKind { /* what stands at the offset */
	OPT_FLAG,     /* bool; --no-NAME clears it */
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

typedef struct OptCommand {
	const char *usage;   /* behind "maestro ": "train [options]" */
	const char *summary; /* a sentence or two */
	const Opt *opt;      /* ends with a NULL name */
	size_t n_positional; /* most words that are no options */
} OptCommand;

enum { OPTS_HELPED = 1 }; /* --help was printed: the command is done */

/*
 * Parses argv[1..argc-1] into target. Words that are no options are moved to argv[1..] and counted in *ret_words.
 * 0, OPTS_HELPED, or ERR_USAGE after printing what is wrong on stderr.
 */
int opts_parse(const OptCommand *command, int argc, char **argv, void *target, int *ret_words);

/* Whether the command line or the environment names the option. */
bool opts_is_given(const char *name, int argc, char **argv);
/*
 * argv with a word --NAME=VALUE for each setting that only the environment names, for another place that has not this environment. One
 * block, freed by free(); NULL: out of memory.
 */
char **opts_with_environment(const Opt *opt, int argc, char **argv, int *ret_argc);

/* The settings of target as members of an object, under the options' names. */
void opts_save(const Opt *opt, const void *target, Json *ret_object);
/* The reverse; strings stay the object's. An option that is not there keeps its value. */
void opts_load(const Opt *opt, const Json *object, void *target);

/* The candidate nearest to word by edit distance, NULL where none is near. candidates end with NULL. */
const char *opts_nearest(const char *word, const char *const *candidates);

/* "250ms", "15s", "30m", "2h", "7d" or a bare number, in seconds; false when it is none of these or negative. */
bool opts_duration(const char *text, double *ret_s);

#endif
