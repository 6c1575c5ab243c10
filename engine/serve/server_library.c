/* See server_library.h. */
#include "serve/server_library.h"

#include "base/library.h"

#include <pthread.h>

static const char LIBRARY[] = "libmicrohttpd.so.12";

/* What the loader of programs would keep: written once, by whoever comes first. */
static ServerLibrary library;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool is_loaded;

#define FUNCTION(name) { "MHD_" #name, offsetof(ServerLibrary, name) },

static void load(void)
{
	static const LibraryFunction FUNCTIONS[] = { MHD_FUNCTIONS(FUNCTION) };
	is_loaded = library_open(LIBRARY, FUNCTIONS, sizeof FUNCTIONS / sizeof *FUNCTIONS, &library);
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
