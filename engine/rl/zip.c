/*
 * See zip.h. The format is PKWARE's APPNOTE 6.3, without zip64, encryption and parts: no model file needs them. The only
 * includer of zlib.
 */
#include "rl/zip.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* Signatures and fixed sizes of the three records, and where their fields stand. */
static const uint32_t LOCAL = 0x04034b50, CENTRAL = 0x02014b50, END = 0x06054b50;
enum { LOCAL_BYTES = 30, CENTRAL_BYTES = 46, END_BYTES = 22, COMMENT_MAX = 65535 };
enum { METHOD_STORED = 0, METHOD_DEFLATED = 8, FLAG_ENCRYPTED = 1 };
static const uint16_t DOS_DATE = 0x21; /* 1980-01-01: like archives are like bytes */

static uint32_t get16(const char *at)
{
	const unsigned char *b = (const unsigned char *) at;
	return (uint32_t) b[0] | (uint32_t) b[1] << 8;
}

static uint32_t get32(const char *at)
{
	return get16(at) | get16(at + 2) << 16;
}

/* ---- reading ---- */

/* The end record stands behind the directory, before a comment of any length. */
static bool find_end(const char *bytes, size_t len, size_t *ret_at)
{
	for (size_t back = END_BYTES; back <= len && back <= END_BYTES + COMMENT_MAX; back++) {
		const char *at = bytes + len - back;
		if (get32(at) == END && get16(at + 20) == back - END_BYTES) {
			*ret_at = len - back;
			return true;
		}
	}
	return false;
}

/* The entry whose central record starts at *at; false where anything in it points outside. */
static bool read_entry(const Zip *zip, size_t *at, ZipEntry *ret)
{
	if (*at > zip->len || zip->len - *at < CENTRAL_BYTES || get32(zip->bytes + *at) != CENTRAL)
		return false;
	const char *central = zip->bytes + *at;
	size_t name_len = get16(central + 28), local = get32(central + 42);
	size_t whole = CENTRAL_BYTES + name_len + get16(central + 30) + get16(central + 32);
	if (zip->len - *at < whole || local > zip->len || zip->len - local < LOCAL_BYTES ||
	    get32(zip->bytes + local) != LOCAL)
		return false;
	size_t data = local + LOCAL_BYTES + get16(zip->bytes + local + 26) + get16(zip->bytes + local + 28);
	uint32_t method = get16(central + 10);
	ZipEntry entry = {
		.name = central + CENTRAL_BYTES,
		.name_len = name_len,
		.is_stored = method == METHOD_STORED,
		.packed = get32(central + 20),
		.size = get32(central + 24),
		.crc = get32(central + 16),
		.data = zip->bytes + data,
	};
	if (data > zip->len || zip->len - data < entry.packed || (method != METHOD_STORED && method != METHOD_DEFLATED) ||
	    (get16(central + 8) & FLAG_ENCRYPTED) || (entry.is_stored && entry.packed != entry.size))
		return false;
	*at += whole;
	*ret = entry;
	return true;
}

int zip_open(const char *bytes, size_t len, Zip *ret_zip, Error *err)
{
	size_t end, at;
	ZipEntry entry;
	if (!find_end(bytes, len, &end))
		return error_set(err, ERR_BAD_MODEL, "zip: no end of the directory in %zu bytes: cut short, or no zip", len);
	Zip zip = { bytes, len, get32(bytes + end + 16), get16(bytes + end + 10) };
	if (zip.count > ZIP_ENTRIES_MAX)
		return error_set(err, ERR_BAD_MODEL, "zip: %zu members, more than %d", zip.count, ZIP_ENTRIES_MAX);
	at = zip.directory;
	for (size_t i = 0; i < zip.count; i++)
		if (!read_entry(&zip, &at, &entry))
			return error_set(err, ERR_BAD_MODEL, "zip: member %zu of %zu is damaged, encrypted or packed in a way "
					 "that is not read", i + 1, zip.count);
	*ret_zip = zip;
	return 0;
}

bool zip_next(const Zip *zip, ZipCursor *cursor, ZipEntry *ret_entry)
{
	size_t at = zip->directory + cursor->offset;
	if (cursor->index == zip->count || !read_entry(zip, &at, ret_entry))
		return false;
	cursor->offset = at - zip->directory;
	cursor->index++;
	return true;
}

bool zip_find(const Zip *zip, const char *name, ZipEntry *ret_entry)
{
	ZipCursor cursor = { 0 };
	ZipEntry entry;
	size_t len = strlen(name);
	while (zip_next(zip, &cursor, &entry))
		if (entry.name_len == len && !memcmp(entry.name, name, len)) {
			*ret_entry = entry;
			return true;
		}
	return false;
}

/* Inflates at most entry->size + 1 bytes: one more than told shows that the entry lies. */
static int inflate_entry(const ZipEntry *entry, StrBuf *scratch, Error *err)
{
	char piece[16384];
	z_stream stream = { .next_in = (unsigned char *) (uintptr_t) entry->data, .avail_in = (uInt) entry->packed };
	int state = inflateInit2(&stream, -MAX_WBITS);
	if (state != Z_OK)
		return error_set(err, ERR_NOMEM, "zip: out of memory");
	strbuf_clear(scratch);
	while (state == Z_OK && scratch->len <= entry->size && !scratch->failed) {
		stream.next_out = (unsigned char *) piece;
		stream.avail_out = sizeof piece;
		state = inflate(&stream, Z_NO_FLUSH);
		strbuf_add(scratch, piece, sizeof piece - stream.avail_out);
		if (state == Z_BUF_ERROR)
			break;
	}
	(void) inflateEnd(&stream);
	if (scratch->failed)
		return error_set(err, ERR_NOMEM, "zip: out of memory");
	if (state != Z_STREAM_END || scratch->len != entry->size)
		return error_set(err, ERR_BAD_MODEL, "zip: %.*s does not inflate to the %zu bytes that it names",
				 (int) entry->name_len, entry->name, entry->size);
	return 0;
}

int zip_read(const ZipEntry *entry, size_t max, StrBuf *scratch, const char **ret_data, Error *err)
{
	const char *data = entry->data;
	if (entry->size > max)
		return error_set(err, ERR_BAD_MODEL, "zip: %.*s has %zu bytes, %zu is the most", (int) entry->name_len,
				 entry->name, entry->size, max);
	if (!entry->is_stored) {
		int code = inflate_entry(entry, scratch, err);
		if (code)
			return code;
		data = scratch->data ? scratch->data : "";
	}
	if (crc32(0, (const unsigned char *) data, (uInt) entry->size) != entry->crc)
		return error_set(err, ERR_BAD_MODEL, "zip: %.*s is damaged: its checksum is another", (int) entry->name_len,
				 entry->name);
	*ret_data = data;
	return 0;
}

/* ---- writing ---- */

static void put16(StrBuf *to, uint32_t value)
{
	strbuf_add(to, (const char[]) { (char) (value & 0xff), (char) (value >> 8 & 0xff) }, 2);
}

static void put32(StrBuf *to, uint32_t value)
{
	put16(to, value & 0xffff);
	put16(to, value >> 16);
}

void zip_begin(ZipWriter *writer, StrBuf *out)
{
	*writer = (ZipWriter) { .out = out, .start = out->len };
}

typedef struct Member { /* as it is written */
	uint32_t method, crc;
	const char *data;
	size_t packed, size, name_len;
} Member;

/* The fields that both records of a member hold, from "version needed" on. */
static void put_common(StrBuf *to, const Member *member)
{
	put16(to, 20);
	put16(to, 0);
	put16(to, member->method);
	put16(to, 0);
	put16(to, DOS_DATE);
	put32(to, member->crc);
	put32(to, (uint32_t) member->packed);
	put32(to, (uint32_t) member->size);
	put16(to, (uint32_t) member->name_len);
	put16(to, 0);
}

static void put_member(ZipWriter *writer, const char *name, const Member *member)
{
	size_t local = writer->out->len - writer->start;
	put32(writer->out, LOCAL);
	put_common(writer->out, member);
	strbuf_add(writer->out, name, member->name_len);
	strbuf_add(writer->out, member->data, member->packed);
	StrBuf *to = &writer->directory;
	put32(to, CENTRAL);
	put16(to, 20); /* made by */
	put_common(to, member);
	put16(to, 0); /* comment */
	put16(to, 0); /* part */
	put16(to, 0); /* attributes */
	put32(to, 0);
	put32(to, (uint32_t) local);
	strbuf_add(to, name, member->name_len);
	writer->count++;
}

static Member stored(const char *name, const char *data, size_t len)
{
	return (Member) { METHOD_STORED, (uint32_t) crc32(0, (const unsigned char *) data, (uInt) len), data, len, len, strlen(name) };
}

void zip_add(ZipWriter *writer, const char *name, const char *data, size_t len)
{
	const Member member = stored(name, data, len);
	put_member(writer, name, &member);
}

void zip_add_packed(ZipWriter *writer, const char *name, const char *data, size_t len)
{
	Member member = stored(name, data, len);
	char *packed = len ? malloc(len) : NULL; /* what is no smaller stays as it is */
	z_stream stream = { .next_in = (Bytef *) (uintptr_t) data, .avail_in = (uInt) len, .next_out = (Bytef *) packed, .avail_out = (uInt) len };
	if (packed && deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY) == Z_OK) {
		if (deflate(&stream, Z_FINISH) == Z_STREAM_END) {
			member.method = METHOD_DEFLATED;
			member.data = packed;
			member.packed = stream.total_out;
		}
		(void) deflateEnd(&stream);
	}
	put_member(writer, name, &member);
	free(packed);
}

int zip_end(ZipWriter *writer)
{
	StrBuf *out = writer->out;
	size_t directory = out->len - writer->start;
	strbuf_add(out, writer->directory.data ? writer->directory.data : "", writer->directory.len);
	put32(out, END);
	put32(out, 0); /* this part, the directory's part */
	put16(out, (uint32_t) writer->count);
	put16(out, (uint32_t) writer->count);
	put32(out, (uint32_t) writer->directory.len);
	put32(out, (uint32_t) directory);
	put16(out, 0);
	bool is_whole = !out->failed && !writer->directory.failed;
	strbuf_done(&writer->directory);
	return is_whole ? 0 : ERR_NOMEM;
}
