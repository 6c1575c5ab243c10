/* See library.h. */
#include "base/library.h"

#include <dlfcn.h>
#include <string.h>

bool library_open(const char *file, const LibraryFunction *function, size_t n, void *ret_functions)
{
	void *handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	for (size_t i = 0; handle && i < n; i++) {
		void *address = dlsym(handle, function[i].name);
		if (!address)
			return false;
		memcpy((char *) ret_functions + function[i].offset, &address, sizeof address); /* which C does not take from a void pointer */
	}
	return handle != NULL;
}
