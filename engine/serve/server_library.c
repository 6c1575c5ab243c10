/* See server_library.h. */
#include "serve/server_library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>

static const char LIBRARY[] = "libmicrohttpd.so.12";

/* What the loader of programs would keep: written once, by whoever comes first. */
static ServerLibrary library;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool is_loaded;

static bool find(void *handle, const char *name, void *ret_function, size_t size)
{
	void *address = dlsym(handle, name);
	memcpy(ret_function, &address, size); /* which C does not take from a void pointer */
	return address != NULL;
}

#define FIND(name) && find(handle, "MHD_" #name, (char *) &library + offsetof(ServerLibrary, name), sizeof(void (*)(void)))

static void load(void)
{
	void *handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	is_loaded = handle MHD_FUNCTIONS(FIND);
}

bool server_library_load(void)
{
	(void) pthread_once(&once, load);
	return is_loaded;
}

const ServerLibrary *server_library(void)
{
	return &library;
}
