/*
 * Memory: checked products, aligned blocks, and a growing string.
 *
 * Training memory is sized once and carved from one aligned block; strings that leave the program (JSON, HTTP,
 * reports) are built in a StrBuf, which remembers a failed allocation so that a builder checks once, at its end.
 */
#ifndef MAESTRO_BASE_MEM_H
#define MAESTRO_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>

/* a * b into *ret; ERR_NOMEM where it does not fit. */
int mem_mul(size_t a, size_t b, size_t *ret);

/* count * size zeroed bytes aligned to 64 (a cache line, an AVX-512 register); NULL when it cannot be had.
 * Freed by free(). */
void *mem_block(size_t count, size_t size);

/* Room for one more in an array of n items, of *size allocated; it doubles, and what is new is zeroed. The array, moved or not;
 * NULL when there is none, and the array stays as it is. Freed by free(). */
void *mem_room(void *array, size_t n, size_t *size, size_t item);

typedef struct StrBuf {
	char *data;  /* always ends in NUL once anything was added; NULL before */
	size_t len;  /* without the NUL */
	size_t size; /* allocated */
	bool failed; /* an allocation failed: the text is cut short */
} StrBuf;

/* Behind what stands there already. */
void strbuf_add(StrBuf *buf, const char *data, size_t len);
__attribute__((format(printf, 2, 3))) void strbuf_addf(StrBuf *buf, const char *format, ...);
/* Empties the text and keeps the memory. */
void strbuf_clear(StrBuf *buf);
/* Frees the memory; the buffer is empty and usable again. */
void strbuf_done(StrBuf *buf);
/* The same, of a secret: nothing of it stays in memory. */
void strbuf_wipe(StrBuf *buf);

/* Reads a whole file of at most max_bytes into buf (cleared first). ERR_IO, ERR_INVALID (too large), ERR_NOMEM. */
struct Error;
int mem_read_file(const char *path, size_t max_bytes, StrBuf *buf, struct Error *err);

/* Writes a file so that a crash leaves the old one or the new one whole: temporary file in the same folder,
 * fsync, rename, fsync of the folder. ERR_IO. */
int mem_write_file(const char *path, const void *data, size_t len, struct Error *err);

/* Makes the folders that path stands in, such as are not there. ERR_IO names the one that cannot be. */
int mem_make_parents(const char *path, struct Error *err);

/* Copies src into dst of size bytes, cut at the end if need be, always with a NUL. */
void str_copy(char *dst, size_t size, const char *src);

/* Frees a secret so that nothing of it stays in memory, and sets the pointer to NULL, which it may be already. */
void str_wipe(char **text);

#endif
