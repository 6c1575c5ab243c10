/*
 * What gcc's analyzer, which looks at one file at a time, cannot see of others, said before each file by `make analyze`: functions that
 * answer something where it must assume anything. Compiled with nothing else.
 */
#include "base/err.h"
#include "base/json.h"

/* An error's code is none of 0. */
#define error_set(err, code, ...) ((error_set)(err, code, __VA_ARGS__) ? (code) : ERR_FAILED)
