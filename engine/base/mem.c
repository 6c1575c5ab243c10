/* See mem.h. */
#include "base/mem.h"

#include "base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int mem_mul(size_t a, size_t b, size_t *ret)
{
	if (b && a > SIZE_MAX / b)
		return ERR_NOMEM;
	*ret = a * b;
	return 0;
}

void *mem_block(size_t count, size_t size)
{
	size_t bytes;
	if (mem_mul(count, size, &bytes) || bytes > SIZE_MAX - 64)
		return NULL;
	bytes = (bytes + 63) / 64 * 64; /* aligned_alloc wants a multiple */
	if (!bytes)
		bytes = 64;
	void *block = aligned_alloc(64, bytes);
	if (block)
		memset(block, 0, bytes);
	return block;
}

void *mem_room(void *array, size_t n, size_t *size, size_t item)
{
	size_t doubled = *size ? 2 * *size : 16, bytes;
	if (n < *size)
		return array;
	if (mem_mul(doubled, item, &bytes))
		return NULL;
	char *grown = realloc(array, bytes);
	if (!grown)
		return NULL;
	memset(grown + *size * item, 0, bytes - *size * item);
	*size = doubled;
	return grown;
}

static bool reserve(StrBuf *buf, size_t more)
{
	if (buf->failed)
		return false;
	size_t need = buf->len + more + 1;
	if (need <= buf->size)
		return true;
	size_t size = buf->size ? buf->size : 128;
	while (size < need)
		size *= 2;
	char *data = realloc(buf->data, size);
	if (!data) {
		buf->failed = true;
		return false;
	}
	buf->data = data;
	buf->size = size;
	return true;
}

void strbuf_add(StrBuf *buf, const char *data, size_t len)
{
	if (!reserve(buf, len))
		return;
	memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void strbuf_addf(StrBuf *buf, const char *format, ...)
{
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len >= 0 && reserve(buf, (size_t) len)) {
		(void) vsnprintf(buf->data + buf->len, (size_t) len + 1, format, again);
		buf->len += (size_t) len;
	}
	va_end(again);
}

void strbuf_clear(StrBuf *buf)
{
	buf->len = 0;
	buf->failed = false;
	if (buf->data)
		buf->data[0] = '\0';
}

void strbuf_done(StrBuf *buf)
{
	free(buf->data);
	*buf = (StrBuf) { 0 };
}

void strbuf_wipe(StrBuf *buf)
{
	if (buf->data)
		explicit_bzero(buf->data, buf->size);
	strbuf_done(buf);
}

int mem_read_file(const char *path, size_t max_bytes, StrBuf *buf, Error *err)
{
	strbuf_clear(buf);
	FILE *file = fopen(path, "rb");
	if (!file)
		return error_set(err, ERR_IO, "%s: %s", path, strerror(errno));
	char chunk[16384];
	size_t got = 0;
	struct stat about;
	bool is_larger = !fstat(fileno(file), &about) && S_ISREG(about.st_mode) && (uint64_t) about.st_size > max_bytes;
	while (!is_larger && (got = fread(chunk, 1, sizeof chunk, file)) > 0 && buf->len + got <= max_bytes)
		strbuf_add(buf, chunk, got);
	int code = 0;
	if (ferror(file))
		code = error_set(err, ERR_IO, "%s: %s", path, strerror(errno));
	else if (got > 0 || is_larger)
		code = error_set(err, ERR_INVALID, "%s: larger than %zu bytes", path, max_bytes);
	else if (buf->failed)
		code = error_set(err, ERR_NOMEM, "%s: out of memory", path);
	else
		strbuf_add(buf, "", 0); /* an empty file still gives a string */
	(void) fclose(file);
	return code;
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t wrote = write(fd, data, len);
		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0)
			return ERR_IO;
		data += wrote;
		len -= (size_t) wrote;
	}
	return 0;
}

static void sync_folder_of(const char *path)
{
	char folder[4096];
	str_copy(folder, sizeof folder, path);
	char *slash = strrchr(folder, '/');
	if (slash == folder)
		slash[1] = '\0';
	else if (slash)
		*slash = '\0';
	else
		str_copy(folder, sizeof folder, ".");
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		(void) fsync(fd); /* some file systems refuse it on folders; the rename is in place all the same */
		(void) close(fd);
	}
}

int mem_write_file(const char *path, const void *data, size_t len, Error *err)
{
	char temporary[4096];
	int n = snprintf(temporary, sizeof temporary, "%s.tmp.%ld", path, (long) getpid());
	if (n < 0 || (size_t) n >= sizeof temporary)
		return error_set(err, ERR_IO, "%s: path too long", path);
	int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return error_set(err, ERR_IO, "%s: %s", temporary, strerror(errno));
	int code = write_all(fd, data, len);
	if (!code && fsync(fd))
		code = ERR_IO;
	int saved = errno;
	if (close(fd) && !code) {
		code = ERR_IO;
		saved = errno;
	}
	if (!code && rename(temporary, path)) {
		code = ERR_IO;
		saved = errno;
	}
	if (code) {
		(void) unlink(temporary);
		return error_set(err, ERR_IO, "%s: %s", path, strerror(saved));
	}
	sync_folder_of(path);
	return 0;
}

int mem_make_parents(const char *path, Error *err)
{
	char folder[4096];
	if (strlen(path) >= sizeof folder)
		return error_set(err, ERR_IO, "%.80s...: path too long", path);
	str_copy(folder, sizeof folder, path);
	char *first = folder + (folder[0] == '/'); /* the root is there */
	for (char *slash = strchr(first, '/'); slash; slash = strchr(slash + 1, '/')) {
		struct stat there;
		*slash = '\0';
		int reason = mkdir(folder, 0700) ? errno : 0;
		if (reason && stat(folder, &there))
			return error_set(err, ERR_IO, "folder %.3800s cannot be made: %s", folder, strerror(reason));
		*slash = '/';
	}
	return 0;
}

void str_copy(char *dst, size_t size, const char *src)
{
	size_t len = strnlen(src, size - 1);
	memmove(dst, src, len);
	dst[len] = '\0';
}

void str_wipe(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}
