/* See http_inside.h: libcurl, loaded late. */
#include "base/http_inside.h"

#include "base/library.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static const char LIBRARY[] = "libcurl.so.4";

/* What the loader of programs would keep: written once, by whoever comes first. */
static CurlLibrary library;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool is_loaded;

#define FUNCTION(name) { "curl_" #name, offsetof(CurlLibrary, name) },

static void load(void)
{
	static const LibraryFunction FUNCTIONS[] = { CURL_FUNCTIONS(FUNCTION) };
	is_loaded = library_open(LIBRARY, FUNCTIONS, sizeof FUNCTIONS / sizeof *FUNCTIONS, &library) &&
	            library.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
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
