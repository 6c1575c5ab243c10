/*
 * JSON, read and written. The only includer of cJSON is json.c.
 *
 * Readers answer false or NULL for what is absent or of another type and never guess; a number that JSON cannot
 * hold (NaN, infinity) is written as null, since unknown is null.
 */
#ifndef MAESTRO_BASE_JSON_H
#define MAESTRO_BASE_JSON_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Json Json; /* a value in a tree; the root owns the rest */

/* Parses len bytes; what follows the value must be white space. ERR_PARSE names the offset. The caller frees. */
int json_parse(const char *text, size_t len, Json **ret_root, Error *err);
void json_free(Json *root);

/* Member of an object, dots descend ("metadata.name"); NULL if absent. A NULL value is allowed everywhere. */
const Json *json_get(const Json *value, const char *path);
/* Children of an array or object in order; NULL at the end. The key is "" inside arrays: what compares keys needs no other guard
 * against a list where an object is wanted. */
const Json *json_first(const Json *value);
const Json *json_next(const Json *child);
const char *json_key(const Json *child);
size_t json_len(const Json *value);
bool json_is_array(const Json *value);
bool json_is_object(const Json *value);
bool json_is_null(const Json *value); /* a null that is there; false when absent */

/* False and *ret untouched when value is not such a thing. json_int wants a whole number within +-2^53. */
bool json_number(const Json *value, double *ret);
bool json_int(const Json *value, int64_t *ret);
bool json_bool(const Json *value, bool *ret);
/* The string, owned by the tree; NULL when it is not a string. */
const char *json_string(const Json *value);
/* The same by path, with what to answer otherwise. */
const char *json_string_or(const Json *value, const char *path, const char *otherwise);
double json_number_or(const Json *value, const char *path, double otherwise);
int64_t json_int_or(const Json *value, const char *path, int64_t otherwise);

/* Builders; with key NULL the value is appended to an array. Out of memory shows as NULL from json_print. */
Json *json_new_object(void);
Json *json_new_array(void);
void json_add_number(Json *to, const char *key, double value);
void json_add_int(Json *to, const char *key, int64_t value);
void json_add_bool(Json *to, const char *key, bool value);
void json_add_string(Json *to, const char *key, const char *value); /* NULL: null */
void json_add_null(Json *to, const char *key);
Json *json_add_object(Json *to, const char *key);
Json *json_add_array(Json *to, const char *key);
/* Takes ownership of value. */
void json_add(Json *to, const char *key, Json *value);
/* Takes the first child out of an array or object; the caller frees it. NULL when there is none. */
Json *json_detach_first(Json *from);
/* One line without white space, NUL-terminated, freed by free(). NULL: out of memory. */
char *json_print(const Json *value);

#endif
