/*
 * YAML read as JSON: the first document of a text as a tree of json.h. The only includer of libyaml.
 */
#ifndef MAESTRO_BASE_YAML_H
#define MAESTRO_BASE_YAML_H

#include "base/json.h"

/*
 * Plain scalars are typed by YAML 1.2's core schema (null, true, 12, 1.5, else a string); quoted ones are strings.
 * Aliases are expanded, up to a limit on depth and size, so that no text can grow without end. An empty text is null.
 * The caller frees. ERR_PARSE with the line, ERR_INVALID (too deep, too large, a key that is no scalar), ERR_NOMEM.
 */
int yaml_parse(const char *text, size_t len, Json **ret_root, Error *err);

/* Line of a key by its path ("fit.standard_error"), of the last where it is there twice; 0: not found. Parses the text anew: for
 * error messages. */
size_t yaml_line_of(const char *text, size_t len, const char *path);

#endif
