/*
 * The configuration file: options' values by their names, for all commands or, in a section of its name, for one.
 *
 *     db: /var/lib/maestro/maestro.db
 *     train:
 *       envs: 16
 *
 * A value becomes the option's environment variable where that is not set, so that an option beats the variable and the
 * variable beats the file.
 */
#ifndef MAESTRO_CMD_CONFIG_H
#define MAESTRO_CMD_CONFIG_H

#include "base/err.h"
#include "base/json.h"

/* Takes the file of MAESTRO_CONFIG or --config, else $XDG_CONFIG_HOME/maestro/config.yaml where there is one. `--config FILE`
 * is taken out of argv, and then command_of asked which command the line is of, whose part counts; file: what is in it,
 * NULL without. ERR_USAGE, ERR_INVALID (the file is wrong), ERR_IO. */
int config_apply(const char *(*command_of)(int argc, char **argv, const Json *file), int *argc, char **argv, const char **ret_command,
                 Error *err);

#endif
