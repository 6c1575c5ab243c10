/* A configuration file as a tree: for config.h, its strict check, and run_target.h's list of targets. */
#ifndef MAESTRO_CMD_CONFIG_FILE_H
#define MAESTRO_CMD_CONFIG_FILE_H

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"

/* The file that counts: the given one, else the user's own where it is there, whose path goes into room. NULL: none. */
const char *config_path(const char *given, char *room, size_t size);
/* Reads a file; both results are the caller's to free, and text is for the lines of errors. ERR_IO, ERR_INVALID, ERR_NOMEM. */
int config_read(const char *path, StrBuf *text, Json **ret_root, Error *err);
/* A value as an option takes it, in room or the tree itself. NULL: null, a list or a map. */
const char *config_value(const Json *value, char *room, size_t size);

#endif
