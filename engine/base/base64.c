/* See base64.h. */
#include "base/base64.h"

#include <stdint.h>
#include <string.h>

static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int digit_of(char c)
{
	const char *at = c ? strchr(DIGITS, c) : NULL;
	return at ? (int) (at - DIGITS) : -1;
}

bool base64_decode(char *text, size_t *ret_len)
{
	uint32_t bits = 0;
	int n_bits = 0;
	char *to = text;
	for (const char *at = text; *at && *at != '='; at++) {
		if (strchr(" \t\r\n", *at))
			continue;
		int digit = digit_of(*at);
		if (digit < 0)
			return false;
		bits = bits << 6 | (uint32_t) digit;
		n_bits += 6;
		if (n_bits >= 8) {
			n_bits -= 8;
			*to++ = (char) (bits >> n_bits & 0xff);
		}
	}
	*to = '\0';
	*ret_len = (size_t) (to - text);
	return true;
}

void base64_encode(const char *data, size_t len, StrBuf *to)
{
	for (size_t i = 0; i < len; i += 3) {
		uint32_t bits = 0;
		for (size_t k = 0; k < 3; k++)
			bits = bits << 8 | (i + k < len ? (unsigned char) data[i + k] : 0u);
		char four[4];
		for (size_t k = 0; k < 4; k++)
			four[k] = i + k > len ? '=' : DIGITS[bits >> (18 - 6 * k) & 63];
		strbuf_add(to, four, 4);
	}
}
