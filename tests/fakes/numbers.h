/* Reading numbers out of fixtures. */
#ifndef TESTS_FAKES_NUMBERS_H
#define TESTS_FAKES_NUMBERS_H

#include "base/json.h"

#include <stdbool.h>
#include <stddef.h>

/* By its whole name, where keys hold slashes and dots. NULL: none. */
const Json *member_of(const Json *object, const char *key);
/* Exactly n numbers (booleans count as 0 and 1) of an array that may nest, in order. */
bool read_numbers(const Json *value, size_t n, double *ret);

#endif
