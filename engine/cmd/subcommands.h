/* The sub-commands in one table: what `maestro --help` lists, what a word runs, and whose options a configuration file may name. */
#ifndef MAESTRO_CMD_SUBCOMMANDS_H
#define MAESTRO_CMD_SUBCOMMANDS_H

#include "cmd/opts.h"

typedef struct Subcommand {
	const char *name;
	int (*run)(int argc, char **argv);
	const OptCommand *command;
	const char *help;
} Subcommand;

enum { SUBCOMMANDS_MAX = 31 };

/* Ends with a NULL name. */
const Subcommand *subcommands(void);
/* The options of a command, or of "console", which is no word of the command line; NULL: there is none of that name. */
const Opt *subcommand_options(const char *name);

#endif
