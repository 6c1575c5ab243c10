/* Zip archives: what was put in comes out, what is damaged, lies or explodes is refused. */
#include "rl/zip.h"

#include "base/rng.h"
#include "fakes/deflated.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const NAMES[] = { "data", "archive/data/0", "empty" };
static const char *const TEXTS[] = { "{\"a\":1}", "0123456789abcdef", "" };

static StrBuf good_archive(void)
{
	StrBuf out = { 0 };
	ZipWriter writer;
	zip_begin(&writer, &out);
	for (size_t i = 0; i < 3; i++)
		zip_add(&writer, NAMES[i], TEXTS[i], strlen(TEXTS[i]));
	assert_int_equal(zip_end(&writer), 0);
	return out;
}

static void archive_gives_back_what_was_put_in(void **state)
{
	(void) state;
	StrBuf out = good_archive(), scratch = { 0 };
	Zip zip;
	ZipEntry entry;
	const char *data;
	assert_int_equal(zip_open(out.data, out.len, &zip, NULL), 0);
	for (size_t i = 0; i < 3; i++) {
		assert_true(zip_find(&zip, NAMES[i], &entry));
		assert_int_equal(entry.size, strlen(TEXTS[i]));
		assert_int_equal(zip_read(&entry, 100, &scratch, &data, NULL), 0);
		assert_memory_equal(data, TEXTS[i], entry.size);
	}
	assert_false(zip_find(&zip, "dat", &entry));
	strbuf_done(&out);
}

static int read_deflated(size_t len, uint32_t told, size_t max, Error *err, size_t *ret_memory)
{
	StrBuf out = deflated_zeros(len, told), scratch = { 0 };
	Zip zip;
	ZipEntry entry;
	const char *data;
	assert_int_equal(zip_open(out.data, out.len, &zip, NULL), 0);
	assert_true(zip_find(&zip, "data", &entry));
	int code = zip_read(&entry, max, &scratch, &data, err);
	if (!code)
		for (size_t i = 0; i < entry.size; i++)
			assert_int_equal(data[i], 0);
	*ret_memory = scratch.size;
	strbuf_done(&scratch);
	strbuf_done(&out);
	return code;
}

static void deflated_members_with_data_descriptors_are_read(void **state)
{
	(void) state;
	size_t memory;
	assert_int_equal(read_deflated(100000, 100000, 1 << 20, NULL, &memory), 0);
}

static void a_bomb_is_refused_before_it_takes_memory(void **state)
{
	(void) state;
	Error err = { 0 };
	size_t memory;
	assert_int_equal(read_deflated(64 << 20, 64 << 20, 1 << 20, &err, &memory), ERR_BAD_MODEL);
	assert_non_null(strstr(err.text, "1048576 is the most"));
	assert_int_equal(memory, 0);
	/* one that tells a small size, and inflates to more */
	assert_int_equal(read_deflated(64 << 20, 1000, 1 << 20, &err, &memory), ERR_BAD_MODEL);
	assert_non_null(strstr(err.text, "does not inflate to the 1000 bytes"));
	assert_in_range(memory, 0, 1 << 16);
}

/* Any byte changed, any end cut: refused or read, never a crash (the sanitizers watch). */
static void damaged_archives_are_refused_or_read(void **state)
{
	(void) state;
	StrBuf out = good_archive(), deflated = deflated_zeros(1000, 1000);
	StrBuf *both[] = { &out, &deflated };
	Rng rng;
	rng_init(&rng, 1, 0, RNG_EVAL);
	for (int round = 0; round < 20000; round++) {
		StrBuf *archive = both[round % 2];
		size_t at = rng_below(&rng, (uint32_t) archive->len), len = round % 3 ? archive->len : at;
		char *bytes = malloc(len + 1), before = archive->data[at]; /* of its own, so that a read past the end shows */
		assert_non_null(bytes);
		archive->data[at] = (char) rng_u32(&rng);
		memcpy(bytes, archive->data, len);
		archive->data[at] = before;
		Zip zip;
		ZipCursor cursor = { 0 };
		ZipEntry entry;
		Error err = { 0 };
		StrBuf scratch = { 0 };
		const char *data;
		int code = zip_open(bytes, len, &zip, &err);
		assert_true(code == 0 || (code == ERR_BAD_MODEL && err.text[0]));
		while (!code && zip_next(&zip, &cursor, &entry))
			(void) zip_read(&entry, 1 << 20, &scratch, &data, NULL);
		strbuf_done(&scratch);
		free(bytes);
	}
	strbuf_done(&out);
	strbuf_done(&deflated);
}

static void a_changed_byte_of_a_member_shows(void **state)
{
	(void) state;
	StrBuf out = good_archive(), scratch = { 0 };
	char *at = memmem(out.data, out.len, "0123", 4);
	Zip zip;
	ZipEntry entry;
	const char *data;
	Error err = { 0 };
	assert_non_null(at);
	at[2] = 'x';
	assert_int_equal(zip_open(out.data, out.len, &zip, NULL), 0);
	assert_true(zip_find(&zip, NAMES[1], &entry));
	assert_int_equal(zip_read(&entry, 100, &scratch, &data, &err), ERR_BAD_MODEL);
	assert_non_null(strstr(err.text, "checksum"));
	strbuf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(archive_gives_back_what_was_put_in),
		cmocka_unit_test(deflated_members_with_data_descriptors_are_read),
		cmocka_unit_test(a_bomb_is_refused_before_it_takes_memory),
		cmocka_unit_test(damaged_archives_are_refused_or_read),
		cmocka_unit_test(a_changed_byte_of_a_member_shows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
