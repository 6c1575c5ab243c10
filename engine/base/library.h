/*
 * A shared library that is loaded where it is first needed, so that commands that do not need it need not wait for it. Its functions go
 * into a struct of pointers, a member each.
 */
#ifndef MAESTRO_BASE_LIBRARY_H
#define MAESTRO_BASE_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>

typedef struct LibraryFunction {
	const char *name;
	size_t offset; /* of its pointer in the struct */
} LibraryFunction;

/* Loads file ("libcurl.so.4") and fills ret_functions. False: it is not there, or lacks one of the n functions. It stays loaded. */
bool library_open(const char *file, const LibraryFunction *function, size_t n, void *ret_functions);

#endif
