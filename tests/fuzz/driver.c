/* libFuzzer's entry for one target: -DTARGET=zip. */
#include "fuzz.h"

#include <stdint.h>

#define JOIN(a, b) a##b
#define NAMED(prefix, name) JOIN(prefix, name)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	NAMED(fuzz_, TARGET)((const char *) bytes, len);
	return 0;
}
