/*
 * Strict reading of a JSON object in a test program: a field that nobody takes is an error, as is one that is
 * missing, of another type or out of range. The first error is kept; what is taken after it is 0.
 */
#ifndef MAESTRO_TESTS_FIELDS_H
#define MAESTRO_TESTS_FIELDS_H

#include "base/json.h"

typedef struct Fields {
	const Json *object;
	const Json *defaults; /* where absent fields are looked up; NULL: nowhere */
	const char *where;    /* of the object, for the error: an id */
	Error *err;           /* err->code != 0 after the first error */
	uint64_t seen;        /* bit i: the i-th field was taken */
} Fields;

Fields fields_of(const Json *object, const Json *defaults, const char *where, Error *err);
bool fields_has(const Fields *fields, const char *key);
/* NULL where absent in both, which is no error. */
const Json *fields_value(Fields *fields, const char *key);
int64_t fields_int(Fields *fields, const char *key, int64_t lo, int64_t hi);
int32_t fields_i32(Fields *fields, const char *key, int32_t lo);
/* Seconds that make whole milliseconds. */
int64_t fields_ms(Fields *fields, const char *key);
double fields_number(Fields *fields, const char *key);
bool fields_bool(Fields *fields, const char *key);
/* "" where it is no string; owned by the tree. */
const char *fields_text(Fields *fields, const char *key);
/* Index of the string in a list of n, else an error. */
int fields_word(Fields *fields, const char *key, const char *const *word, int n);
/* An array, or NULL where the field is absent. */
const Json *fields_list(Fields *fields, const char *key);
/* Names the first field that nobody took. */
void fields_end(const Fields *fields);

#endif
