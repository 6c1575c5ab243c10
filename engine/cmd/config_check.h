/* The strict reading of a configuration file, for `maestro config --check`: at a start, what no command knows is nobody's. */
#ifndef MAESTRO_CMD_CONFIG_CHECK_H
#define MAESTRO_CMD_CONFIG_CHECK_H

#include "base/err.h"

/*
 * Whether each name is an option of a command, or of the command whose section it stands in, and each value is one that this option takes;
 * and `targets:` as run_target.h reads it. Faults are said on stderr with file and line, all but the last, which is *err. ERR_INVALID, those
 * of target_list_read.
 */
int config_check(const char *path, Error *err);

#endif
