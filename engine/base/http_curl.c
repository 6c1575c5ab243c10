/* See http_inside.h: libcurl, loaded late. */
#include "base/http_inside.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char LIBRARY[] = "libcurl.so.4";

/* What the loader of programs would keep: written once, by whoever comes first. */
static CurlLibrary library;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool is_loaded;

static bool find(void *handle, const char *name, void *ret_function, size_t size)
{
	void *address = dlsym(handle, name);
	memcpy(ret_function, &address, size); /* which C does not take from a void pointer */
	return address != NULL;
}

#define FIND(name) && find(handle, "curl_" #name, (char *) &library + offsetof(CurlLibrary, name), sizeof(void (*)(void)))

static void load(void)
{
	void *handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	is_loaded = handle CURL_FUNCTIONS(FIND) && library.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

int http_global_init(void)
{
	(void) pthread_once(&once, load);
	return is_loaded ? 0 : ERR_FAILED;
}

void http_global_done(void)
{
	if (is_loaded)
		library.global_cleanup();
}

const CurlLibrary *http_curl(void)
{
	if (!http_global_init())
		return &library;
	(void) fprintf(stderr, "maestro: %s cannot be loaded; install libcurl4\n", LIBRARY);
	_exit(1);
}
