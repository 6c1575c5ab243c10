/* See pickle_write.h. */
#include "rl/pickle_write.h"

#include <string.h>

static void put_number(StrBuf *to, uint64_t value, size_t bytes, bool is_big)
{
	for (size_t i = 0; i < bytes; i++) {
		size_t shift = 8 * (is_big ? bytes - 1 - i : i);
		strbuf_add(to, &(char) { (char) (value >> shift & 0xff) }, 1);
	}
}

void pickle_op(StrBuf *to, const char *opcodes)
{
	strbuf_add(to, opcodes, strlen(opcodes));
}

void pickle_put_int(StrBuf *to, int32_t value)
{
	strbuf_add(to, "J", 1);
	put_number(to, (uint32_t) value, 4, false);
}

void pickle_put_float(StrBuf *to, double value)
{
	uint64_t bits;
	memcpy(&bits, &value, sizeof bits);
	strbuf_add(to, "G", 1);
	put_number(to, bits, sizeof bits, true);
}

void pickle_put_string(StrBuf *to, const char *text)
{
	size_t len = strlen(text);
	strbuf_add(to, "X", 1);
	put_number(to, len, 4, false);
	strbuf_add(to, text, len);
}

void pickle_put_global(StrBuf *to, const char *module, const char *name)
{
	strbuf_addf(to, "c%s\n%s\n", module, name);
}
