/* Memory, growing strings and whole-file writes. */
#include "base/err.h"
#include "base/mem.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- products and blocks ---- */

static void mem_mul_refuses_what_does_not_fit(void **state)
{
	(void) state;
	size_t got = 77;
	assert_int_equal(mem_mul(SIZE_MAX / 2, 2, &got), 0);
	assert_int_equal(got, SIZE_MAX - 1);
	assert_int_equal(mem_mul(SIZE_MAX, 0, &got), 0);
	assert_int_equal(got, 0);
	assert_int_equal(mem_mul(0, SIZE_MAX, &got), 0);
	got = 77;
	assert_int_equal(mem_mul(SIZE_MAX / 2 + 1, 2, &got), ERR_NOMEM);
	assert_int_equal(mem_mul((size_t) 1 << 32, (size_t) 1 << 32, &got), ERR_NOMEM);
	assert_int_equal(got, 77);
}

static void mem_block_is_zeroed_and_aligned(void **state)
{
	(void) state;
	for (size_t n = 0; n < 200; n += 13) {
		unsigned char *block = mem_block(n, 3);
		assert_non_null(block);
		assert_int_equal((uintptr_t) block % 64, 0);
		for (size_t i = 0; i < 3 * n; i++)
			assert_int_equal(block[i], 0);
		memset(block, 0xff, 3 * n);
		free(block);
	}
	assert_null(mem_block(SIZE_MAX, 2));
	assert_null(mem_block(SIZE_MAX - 10, 1));
}

static void mem_room_keeps_what_stands_and_zeroes_what_is_new(void **state)
{
	(void) state;
	int64_t *array = NULL;
	size_t size = 0;
	for (size_t n = 0; n < 1000; n++) {
		int64_t *roomy = mem_room(array, n, &size, sizeof *roomy);
		assert_non_null(roomy);
		assert_true(size > n);
		array = roomy;
		for (size_t i = n; i < size; i++)
			assert_int_equal(array[i], 0);
		array[n] = (int64_t) n + 1;
		for (size_t i = 0; i <= n; i++)
			assert_int_equal(array[i], i + 1);
	}
	size_t huge = SIZE_MAX / 2;
	assert_null(mem_room(array, huge, &huge, sizeof *array)); /* and the array is still the caller's */
	assert_int_equal(huge, SIZE_MAX / 2);
	free(array);
}

/* ---- strings ---- */

static void strbuf_grows_and_always_ends_in_nul(void **state)
{
	(void) state;
	StrBuf buf = { 0 };
	assert_null(buf.data);
	for (int i = 0; i < 1000; i++) {
		strbuf_addf(&buf, "%03d,", i);
		assert_int_equal(buf.len, 4 * (i + 1));
		assert_int_equal(buf.data[buf.len], '\0');
	}
	assert_memory_equal(buf.data + 4 * 517, "517,", 4);
	strbuf_add(&buf, "a\0b", 3); /* bytes, not a string */
	assert_int_equal(buf.len, 4003);
	assert_memory_equal(buf.data + 4000, "a\0b", 4);
	strbuf_clear(&buf);
	assert_int_equal(buf.len, 0);
	assert_string_equal(buf.data, "");
	assert_false(buf.failed);
	strbuf_done(&buf);
	assert_null(buf.data);
	strbuf_addf(&buf, "again %s", "usable");
	assert_string_equal(buf.data, "again usable");
	strbuf_done(&buf);
}

static void strbuf_of_nothing_is_still_a_string(void **state)
{
	(void) state;
	StrBuf buf = { 0 };
	strbuf_add(&buf, "", 0);
	assert_string_equal(buf.data, "");
	strbuf_done(&buf);
	strbuf_done(&buf);
}

static void str_copy_cuts_and_ends_in_nul(void **state)
{
	(void) state;
	char text[8];
	memset(text, 'x', sizeof text);
	str_copy(text, sizeof text, "short");
	assert_string_equal(text, "short");
	str_copy(text, sizeof text, "much too long");
	assert_string_equal(text, "much to");
	str_copy(text, sizeof text, text + 3); /* from within itself */
	assert_string_equal(text, "h to");
	str_copy(text, 1, "x");
	assert_string_equal(text, "");
}

/* ---- files, each test in a folder of its own ---- */

static char folder[] = "/tmp/maestro-test-mem-XXXXXX";
static char path[128];

static int make_folder(void **state)
{
	(void) state;
	if (!mkdtemp(folder))
		return -1;
	(void) snprintf(path, sizeof path, "%s/model.bin", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void) state;
	(void) unlink(path);
	return rmdir(folder); /* fails where a temporary file was left behind */
}

static int files_in_folder(void)
{
	int n = 0;
	DIR *dir = opendir(folder);
	assert_non_null(dir);
	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
		n += entry->d_name[0] != '.';
	(void) closedir(dir);
	return n;
}

static void mem_make_parents_makes_what_is_before_the_last_slash(void **state)
{
	(void) state;
	char top[] = "/tmp/maestro-test-parents-XXXXXX", file[sizeof top + 16];
	assert_non_null(mkdtemp(top));
	(void) snprintf(file, sizeof file, "%s/a/b/c.db", top);
	assert_int_equal(mem_make_parents(file, NULL), 0);
	*strrchr(file, '/') = '\0';
	assert_int_equal(rmdir(file), 0);
	*strrchr(file, '/') = '\0';
	assert_int_equal(rmdir(file), 0);
	assert_int_equal(rmdir(top), 0);
	assert_int_equal(mem_make_parents("", NULL), 0); /* there is nothing to make, and nothing behind it is read */
	assert_int_equal(mem_make_parents("/", NULL), 0);
	assert_int_equal(mem_make_parents("c.db", NULL), 0);
}

static void mem_write_file_replaces_the_whole(void **state)
{
	(void) state;
	StrBuf buf = { 0 };
	Error err = { 0 };
	assert_int_equal(mem_write_file(path, "a long first version", 20, &err), 0);
	assert_int_equal(mem_write_file(path, "s\0d", 3, &err), 0);
	assert_int_equal(mem_read_file(path, 100, &buf, &err), 0);
	assert_int_equal(buf.len, 3);
	assert_memory_equal(buf.data, "s\0d", 4);
	assert_int_equal(mem_write_file(path, "", 0, &err), 0);
	assert_int_equal(mem_read_file(path, 0, &buf, &err), 0);
	assert_int_equal(buf.len, 0);
	assert_string_equal(buf.data, "");
	assert_int_equal(files_in_folder(), 1);
	strbuf_done(&buf);
}

/* Whoever has the old file open goes on reading the old one: it is replaced, not written over. */
static void mem_write_file_leaves_the_old_one_to_its_readers(void **state)
{
	(void) state;
	assert_int_equal(mem_write_file(path, "old", 3, NULL), 0);
	FILE *reader = fopen(path, "rb");
	assert_non_null(reader);
	assert_int_equal(mem_write_file(path, "new and longer", 14, NULL), 0);
	char text[32] = "";
	assert_int_equal(fread(text, 1, sizeof text - 1, reader), 3);
	assert_string_equal(text, "old");
	(void) fclose(reader);
}

static void mem_write_file_that_fails_leaves_nothing_behind(void **state)
{
	(void) state;
	Error err = { 0 };
	char missing[160];
	(void) snprintf(missing, sizeof missing, "%s/no/such/folder", folder);
	assert_int_equal(mem_write_file(missing, "x", 1, &err), ERR_IO);
	assert_non_null(strstr(err.text, missing));
	(void) unlink(path);
	assert_int_equal(mkdir(path, 0700), 0); /* a folder cannot be renamed over */
	assert_int_equal(mem_write_file(path, "x", 1, &err), ERR_IO);
	assert_int_equal(files_in_folder(), 1);
	assert_int_equal(rmdir(path), 0);
	char too_long[5000];
	memset(too_long, 'a', sizeof too_long - 1);
	too_long[sizeof too_long - 1] = '\0';
	assert_int_equal(mem_write_file(too_long, "x", 1, &err), ERR_IO);
}

static void mem_read_file_names_what_is_wrong(void **state)
{
	(void) state;
	StrBuf buf = { 0 };
	Error err = { 0 };
	char *big = mem_block(100000, 1);
	assert_non_null(big);
	memset(big, 'z', 100000);
	assert_int_equal(mem_write_file(path, big, 100000, NULL), 0);
	assert_int_equal(mem_read_file(path, 99999, &buf, &err), ERR_INVALID);
	assert_non_null(strstr(err.text, path));
	assert_int_equal(mem_read_file(path, 100000, &buf, &err), 0);
	assert_int_equal(buf.len, 100000);
	assert_memory_equal(buf.data, big, 100000);
	assert_int_equal(mem_read_file("/nonexistent/file", 10, &buf, &err), ERR_IO);
	assert_non_null(strstr(err.text, "/nonexistent/file"));
	assert_int_equal(mem_read_file(folder, 10, &buf, &err), ERR_IO); /* a folder opens, but does not read */
	free(big);
	strbuf_done(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mem_mul_refuses_what_does_not_fit),
		cmocka_unit_test(mem_block_is_zeroed_and_aligned),
		cmocka_unit_test(mem_room_keeps_what_stands_and_zeroes_what_is_new),
		cmocka_unit_test(strbuf_grows_and_always_ends_in_nul),
		cmocka_unit_test(strbuf_of_nothing_is_still_a_string),
		cmocka_unit_test(str_copy_cuts_and_ends_in_nul),
		cmocka_unit_test(mem_make_parents_makes_what_is_before_the_last_slash),
		cmocka_unit_test(mem_write_file_replaces_the_whole),
		cmocka_unit_test(mem_write_file_leaves_the_old_one_to_its_readers),
		cmocka_unit_test(mem_write_file_that_fails_leaves_nothing_behind),
		cmocka_unit_test(mem_read_file_names_what_is_wrong),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
