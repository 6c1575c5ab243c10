/*
 * Options of the sub-commands: one table a command gives parsing, --help, the environment's MAESTRO_* and the nearest
 * suggestion for a wrong word.
 *
 * An option beats its variable (MAESTRO_ + name, upper case, dashes as underscores), the variable beats the default that the
 * caller has put into the target struct.
 */
#ifndef MAESTRO_CMD_OPTS_H
#define MAESTRO_CMD_OPTS_H

#include "base/json.h"
#include "base/option.h"

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

/* The same, but what is wrong is said in err. --help is printed as there. */
int opts_read(const OptCommand *command, int argc, char **argv, void *target, int *ret_words, Error *err);

/* Whether the command line or the environment names the option. */
bool opts_is_given(const char *name, int argc, char **argv);
/*
 * argv with a word --NAME=VALUE for each setting that only the environment names, for another place that has not this environment. One
 * block, freed by free(); NULL: out of memory.
 */
char **opts_with_environment(const Opt *opt, int argc, char **argv, int *ret_argc);

/* The settings of target as the text of a JSON object, under the options' names; freed by free(). NULL: out of memory. */
char *opts_save(const Opt *opt, const void *target);
/* The reverse; strings stay the object's. An option that is not there keeps its value. */
void opts_load(const Opt *opt, const Json *object, void *target);

/* What MAESTRO_NAME, the variable of an option, says; NULL where it is not set, or empty. */
const char *opts_environment(const char *option);

#endif
