/* Screens as they were recorded, in tests/golden. For cmocka tests. */
#ifndef MAESTRO_TESTS_FAKES_GOLDEN_H
#define MAESTRO_TESTS_FAKES_GOLDEN_H

#include "base/err.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The test fails where text is not the file's; with GOLDEN=rewrite in the environment it becomes the file's. */
static inline void golden_expect(const char *path, const StrBuf *text)
{
	StrBuf want = { 0 };
	Error err = { 0 };
	const char *mode = getenv("GOLDEN");
	if (mode && strcmp(mode, "rewrite") == 0) {
		assert_int_equal(mem_write_file(path, text->data, text->len, &err), 0);
		return;
	}
	assert_int_equal(mem_read_file(path, 1 << 20, &want, &err), 0);
	if (strcmp(want.data, text->data) != 0)
		fail_msg("%s differs (GOLDEN=rewrite to accept); it is now:\n%s", path, text->data);
	strbuf_done(&want);
}

#endif
