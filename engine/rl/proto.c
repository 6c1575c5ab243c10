/* See proto.h. */
#include "rl/proto.h"

#include <string.h>

enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

static void put_varint(StrBuf *to, uint64_t value)
{
	for (; value > 127; value >>= 7)
		strbuf_add(to, &(char) { (char) ((value & 127) | 128) }, 1);
	strbuf_add(to, &(char) { (char) value }, 1);
}

static void put_tag(StrBuf *to, uint32_t field, uint32_t type)
{
	put_varint(to, field << 3 | type);
}

static void put_fixed(StrBuf *to, uint64_t bits, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		strbuf_add(to, &(char) { (char) (bits >> (8 * i) & 0xff) }, 1);
}

void proto_int(StrBuf *to, uint32_t field, int64_t value)
{
	put_tag(to, field, VARINT);
	put_varint(to, (uint64_t) value);
}

void proto_float(StrBuf *to, uint32_t field, float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof bits);
	put_tag(to, field, FIXED32);
	put_fixed(to, bits, sizeof bits);
}

void proto_double(StrBuf *to, uint32_t field, double value)
{
	uint64_t bits;
	memcpy(&bits, &value, sizeof bits);
	put_tag(to, field, FIXED64);
	put_fixed(to, bits, sizeof bits);
}

void proto_bytes(StrBuf *to, uint32_t field, const char *data, size_t len)
{
	put_tag(to, field, BYTES);
	put_varint(to, len);
	strbuf_add(to, data, len);
}

void proto_string(StrBuf *to, uint32_t field, const char *text)
{
	proto_bytes(to, field, text, strlen(text));
}

void proto_message(StrBuf *to, uint32_t field, StrBuf *message)
{
	proto_bytes(to, field, message->data ? message->data : "", message->len);
	to->failed |= message->failed;
	strbuf_clear(message);
}
