/* What a pod sends home through its log. */
#include "cmd/trial_result.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct Sent {
	StrBuf file[TRIAL_FILES], log;
} Sent;

/* A run that packs well, a model that does not, no best one; with a training's lines around. */
static Sent sent(void)
{
	Sent s = { 0 };
	Error err = { 0 };
	uint32_t noise = 1;
	for (int i = 0; i < 2000; i++)
		strbuf_addf(&s.file[0], "{\"steps\":%d},", i);
	for (int i = 0; i < 9000; i++) {
		noise = noise * 1664525 + 1013904223;
		strbuf_add(&s.file[1], (const char[]) { (char) (noise >> 24) }, 1);
	}
	strbuf_addf(&s.log, "{\"event\":\"start\"}\nmaestro: something on stderr\n");
	assert_int_equal(trial_result_write(s.file, &s.log, &err), 0);
	strbuf_addf(&s.log, "{\"event\":\"end\"}\n");
	return s;
}

static void done(Sent *s)
{
	for (int i = 0; i < TRIAL_FILES; i++)
		strbuf_done(&s->file[i]);
	strbuf_done(&s->log);
}

static int read_back(const char *log, StrBuf file[TRIAL_FILES])
{
	Error err = { 0 };
	for (int i = 0; i < TRIAL_FILES; i++)
		file[i] = (StrBuf) { 0 };
	return trial_result_read(log, file, &err);
}

static int read_code(const char *log)
{
	StrBuf file[TRIAL_FILES];
	int code = read_back(log, file);
	for (int i = 0; i < TRIAL_FILES; i++)
		strbuf_done(&file[i]);
	return code;
}

static void files_come_back_as_they_were_sent(void **state)
{
	(void) state;
	Sent s = sent();
	StrBuf back[TRIAL_FILES];
	assert_int_equal(read_back(s.log.data, back), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(back[i].len, s.file[i].len);
		assert_memory_equal(back[i].data, s.file[i].data, s.file[i].len);
	}
	assert_int_equal(back[2].len, 0);
	assert_true(s.log.len < s.file[0].len / 2 + s.file[1].len * 4 / 3 + 2000); /* the run is packed */
	for (const char *line = s.log.data, *end; (end = strchr(line, '\n')) != NULL; line = end + 1)
		assert_true(end - line <= 4000); /* no runtime cuts such a line */
	for (int i = 0; i < TRIAL_FILES; i++)
		strbuf_done(&back[i]);
	done(&s);
}

static void a_log_that_is_cut_short_has_no_result(void **state)
{
	(void) state;
	Sent s = sent();
	char *end = strstr(s.log.data, "maestro-result end");
	assert_int_equal(read_code(""), ERR_NOT_FOUND);
	assert_int_equal(read_code("{\"event\":\"end\"}\n"), ERR_NOT_FOUND);
	*end = '\0';
	for (char *at = s.log.data; at < end; at += 500) {
		char kept = *at;
		*at = '\0';
		assert_int_equal(read_code(s.log.data), ERR_NOT_FOUND);
		*at = kept;
	}
	done(&s);
}

/* Every place, a letter changed: it never comes through as a run. */
static void a_damaged_result_is_told_from_a_whole_one(void **state)
{
	(void) state;
	Sent s = sent();
	char *begin = strchr(strstr(s.log.data, "maestro-result "), '\n') + 1, *end = strstr(s.log.data, "\nmaestro-result end");
	for (char *at = begin; at < end; at += 97) {
		char kept = *at;
		*at = kept == 'A' ? 'B' : 'A';
		assert_int_equal(read_code(s.log.data), ERR_BAD_MODEL);
		*at = kept;
	}
	begin[-10] = begin[-10] == '0' ? '1' : '0'; /* the sum itself */
	assert_int_equal(read_code(s.log.data), ERR_BAD_MODEL);
	done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_come_back_as_they_were_sent),
		cmocka_unit_test(a_log_that_is_cut_short_has_no_result),
		cmocka_unit_test(a_damaged_result_is_told_from_a_whole_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
