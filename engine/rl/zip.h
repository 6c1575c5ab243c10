/*
 * Zip archives in memory, as far as model files need them: read by their central directory (members may have data
 * descriptors), members stored or deflated; written stored, without times.
 *
 * An archive is not trusted: zip_open checks every entry against the bytes, so that walking it cannot fail, and a member is
 * never inflated past the size that the reader allows.
 */
#ifndef MAESTRO_RL_ZIP_H
#define MAESTRO_RL_ZIP_H

#include "base/err.h"
#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ZIP_ENTRIES_MAX = 1024 };

typedef struct ZipEntry {
	const char *name;    /* not ended by NUL; lent by the archive */
	size_t name_len;
	bool is_stored;      /* else deflated */
	size_t packed, size; /* bytes in the archive, and unpacked */
	uint32_t crc;        /* of what is unpacked */
	const char *data;    /* packed; lent by the archive */
} ZipEntry;

typedef struct Zip {
	const char *bytes;
	size_t len;
	size_t directory, count;
} Zip;

/* bytes are lent for as long as the Zip is used. ERR_BAD_MODEL says what is wrong. */
int zip_open(const char *bytes, size_t len, Zip *ret_zip, Error *err);
typedef struct ZipCursor { /* zeroed: before the first entry */
	size_t offset, index;
} ZipCursor;

/* The next entry; false at the end. */
bool zip_next(const Zip *zip, ZipCursor *cursor, ZipEntry *ret_entry);
/* False: no such member. */
bool zip_find(const Zip *zip, const char *name, ZipEntry *ret_entry);
/*
 * The member unpacked, its checksum compared: into the archive where it is stored, else into scratch (emptied first).
 * ERR_BAD_MODEL: larger than max, or damaged; ERR_NOMEM.
 */
int zip_read(const ZipEntry *entry, size_t max, StrBuf *scratch, const char **ret_data, Error *err);

typedef struct ZipWriter {
	StrBuf *out;
	StrBuf directory;
	size_t start; /* of the archive in out */
	size_t count;
} ZipWriter;

/* Appends an archive to out: begin, add..., end. ERR_NOMEM at the end, where out or the directory could not grow. */
void zip_begin(ZipWriter *writer, StrBuf *out);
void zip_add(ZipWriter *writer, const char *name, const char *data, size_t len);
/* The same deflated, where that is smaller. */
void zip_add_packed(ZipWriter *writer, const char *name, const char *data, size_t len);
int zip_end(ZipWriter *writer);

#endif
