/*
 * Python pickles as data: a reader that builds a tree and runs nothing.
 *
 * It knows the opcodes that torch.save and SB3's class references need and refuses every other by name, and it knows globals
 * by a list: a pickle that names another is refused before anything is made of it. A call (REDUCE) becomes a node that holds
 * what would be called and with what; whoever reads the tree decides what that means. Memory is bounded by the pickle's
 * length, of which PICKLE_BYTES_MAX is the most.
 */
#ifndef MAESTRO_RL_PICKLE_H
#define MAESTRO_RL_PICKLE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PICKLE_BYTES_MAX = 1 << 16 };

typedef enum PickleKind {
	PICKLE_NONE, PICKLE_BOOL, PICKLE_INT, PICKLE_FLOAT, PICKLE_STRING,
	PICKLE_GLOBAL,     /* text: "module.name" */
	PICKLE_TUPLE, PICKLE_LIST,
	PICKLE_DICT,       /* items: key, value, key, value, ... */
	PICKLE_CALL,       /* of `callee` with `args`; items set on the result as in a dict */
	PICKLE_PERSISTENT, /* a reference by `args`, torch's way to name a storage */
} PickleKind;

typedef struct PickleValue PickleValue;
typedef struct PickleItem {
	const PickleValue *value;
	const struct PickleItem *next;
} PickleItem;

struct PickleValue {
	PickleKind kind;
	int64_t integer;  /* INT; BOOL: 0 or 1 */
	double number;    /* FLOAT */
	const char *text; /* STRING, GLOBAL: ended by NUL */
	const PickleValue *callee, *args;
	const PickleItem *first;
	PickleItem *last;
	size_t count; /* of items */
};

typedef struct Pickle Pickle;

/* globals: the names allowed, "collections.OrderedDict", ending with NULL. ERR_BAD_MODEL says what is wrong; ERR_NOMEM. */
int pickle_parse(const char *bytes, size_t len, const char *const *globals, Pickle **ret_pickle, Error *err);
void pickle_free(Pickle *pickle); /* accepts NULL */
const PickleValue *pickle_root(const Pickle *pickle);

/* Readers accept NULL and answer NULL or false for what is absent or of another kind. */
const PickleValue *pickle_at(const PickleValue *sequence, size_t i);                /* of a tuple or list */
bool pickle_int(const PickleValue *value, int64_t *ret);
const char *pickle_string(const PickleValue *value);
bool pickle_is_global(const PickleValue *value, const char *name);
bool pickle_is_call(const PickleValue *value, const char *name); /* of that global */

#endif
