/* See fuzz.h. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { FILE_MAX = 1 << 24 };

void fuzz_check(int code, const Error *err)
{
	if (!code || ((code == ERR_BAD_MODEL || code == ERR_INVALID || code == ERR_PARSE) && err->text[0]))
		return;
	(void) fprintf(stderr, "fuzz: code %d with the text \"%s\"\n", code, err->text);
	abort();
}

void fuzz_read(const char *path, StrBuf *to)
{
	Error err = { 0 };
	StrBuf bytes = { 0 };
	if (mem_read_file(path, FILE_MAX, &bytes, &err)) {
		(void) fprintf(stderr, "fuzz: %s\n", err.text);
		abort();
	}
	strbuf_add(to, bytes.data, bytes.len);
	strbuf_done(&bytes);
}

int fuzz_file(const char *bytes, size_t len, char *path)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd < 0 || write(fd, bytes, len) != (ssize_t) len)
		abort();
	(void) snprintf(path, 32, "/proc/self/fd/%d", fd);
	return fd;
}

void fuzz_close(int fd)
{
	(void) close(fd);
}
