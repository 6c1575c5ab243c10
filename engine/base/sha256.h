/* SHA-256 (FIPS 180-4): names a file's content, so that a decision tells which model made it. */
#ifndef MAESTRO_BASE_SHA256_H
#define MAESTRO_BASE_SHA256_H

#include <stddef.h>

enum { SHA256_HEX = 65 };
/* Lower-case hexadecimal digits and a NUL into hex. */
void sha256_hex(const void *data, size_t len, char hex[SHA256_HEX]);

#endif
