/* Base64 (RFC 4648, section 4). */
#ifndef MAESTRO_BASE_BASE64_H
#define MAESTRO_BASE_BASE64_H

#include "base/mem.h"

/* Decodes in place, puts a NUL behind it and answers how many bytes there are; false when the text is not base64. White space
 * is passed over. */
bool base64_decode(char *text, size_t *ret_len);
/* Appends the text of len bytes. */
void base64_encode(const char *data, size_t len, StrBuf *to);

#endif
