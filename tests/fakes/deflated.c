/* See deflated.h. */
#include "deflated.h"

#include <stdlib.h>
#include <zlib.h>

static void put(StrBuf *to, uint32_t value, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		strbuf_add(to, &(char) { (char) (i < 4 ? value >> (8 * i) & 0xff : 0) }, 1);
}

StrBuf deflated_zeros(size_t len, uint32_t told)
{
	StrBuf out = { 0 };
	uLongf packed = compressBound(len);
	unsigned char *zeros = calloc(len, 1), *bytes = malloc(packed);
	if (!zeros || !bytes)
		abort();
	z_stream stream = { .next_in = zeros, .avail_in = (uInt) len, .next_out = bytes, .avail_out = (uInt) packed };
	if (deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK || deflate(&stream, Z_FINISH) != Z_STREAM_END)
		abort();
	uint32_t size = (uint32_t) stream.total_out, crc = (uint32_t) crc32(0, zeros, (uInt) len);
	(void) deflateEnd(&stream);
	const uint32_t local[] = { 0x04034b50, 20 | 8 << 16, 8, 0, 0, 0, 0 };
	for (size_t i = 0; i < 6; i++)
		put(&out, local[i], 4);
	put(&out, 0, 2);
	put(&out, 4, 2); /* name */
	put(&out, 0, 2);
	strbuf_add(&out, "data", 4);
	strbuf_add(&out, (const char *) bytes, size);
	put(&out, 0x08074b50, 4);
	put(&out, crc, 4);
	put(&out, size, 4);
	put(&out, told, 4);
	uint32_t directory = (uint32_t) out.len;
	put(&out, 0x02014b50, 4);
	put(&out, 20, 2);
	put(&out, 20, 2);
	put(&out, 8, 2);
	put(&out, 8, 2);
	put(&out, 0, 4);
	put(&out, crc, 4);
	put(&out, size, 4);
	put(&out, told, 4);
	put(&out, 4, 2);
	put(&out, 0, 12);
	put(&out, 0, 4);
	strbuf_add(&out, "data", 4);
	uint32_t end = (uint32_t) out.len;
	put(&out, 0x06054b50, 4);
	put(&out, 0, 4);
	put(&out, 1 | 1 << 16, 4);
	put(&out, end - directory, 4);
	put(&out, directory, 4);
	put(&out, 0, 2);
	free(zeros);
	free(bytes);
	return out;
}
