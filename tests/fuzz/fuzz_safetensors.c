/* A model of our own format: a length, a JSON header, numbers. */
#include "fuzz.h"
#include "rl/io_safetensors.h"

#include <stdlib.h>

void fuzz_safetensors(const char *bytes, size_t len)
{
	SafeFile file;
	Error err = { 0 };
	int code = safetensors_open(bytes, len, &file, &err);
	fuzz_check(code, &err);
	for (size_t t = 0; !code && t < file.count; t++)
		if (file.tensor[t].data < bytes || file.tensor[t].n > (size_t) (bytes + len - file.tensor[t].data) / sizeof(float))
			abort();
	if (!code)
		safetensors_close(&file);
}

void seed_safetensors(StrBuf *to)
{
	fuzz_read("engine/rl/default.safetensors", to);
}
