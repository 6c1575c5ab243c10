/* A service file: what it says must be a service, or be refused. */
#include "fuzz.h"
#include "sim/service_file.h"

#include <stdlib.h>

void fuzz_service(const char *bytes, size_t len)
{
	ServiceFile file;
	Error err = { 0 };
	service_file_default(&file);
	int code = service_file_parse(bytes, len, "fuzz.yaml", &file, &err);
	fuzz_check(code, &err);
	if (!code && service_check(&file.service, &err))
		abort();
}

void seed_service(StrBuf *to)
{
	ServiceFile file;
	service_file_default(&file);
	service_file_print(&file, to);
}
