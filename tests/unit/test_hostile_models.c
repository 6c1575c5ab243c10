/*
 * Model files that are cut short, noise, bombs or lies: the program ends with exit 5, one line that names the file, nothing on stdout, and
 * no more memory than a good model takes and a little.
 */
#include "base/mem.h"
#include "base/rng.h"
#include "fakes/deflated.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATH = 128, BAD_MODEL = 5, SPARE_KIB = 24 << 10 };

typedef struct Said {
	int exit_status;
	long peak_kib;
	char out[256], err[512]; /* what each begins with */
} Said;

static char folder[64] = "/tmp/test_hostile.XXXXXX", file[PATH];

static void read_all(const char *name, char *text, size_t size)
{
	char path[PATH];
	(void) snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *from = fopen(path, "r");
	assert_non_null(from);
	text[fread(text, 1, size - 1, from)] = '\0';
	(void) fclose(from);
}

/* `maestro model inspect --model FILE`; a second of processor time for each is ten times what the largest needs. */
static Said inspect(const char *path)
{
	char program[PATH], out[PATH], err[PATH];
	const char *build = getenv("MAESTRO_TEST_BUILD");
	(void) snprintf(program, sizeof program, "%s/maestro", build ? build : "build");
	(void) snprintf(out, sizeof out, "%s/out", folder);
	(void) snprintf(err, sizeof err, "%s/err", folder);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void) dup2(open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600), STDOUT_FILENO);
		(void) dup2(open(err, O_WRONLY | O_CREAT | O_TRUNC, 0600), STDERR_FILENO);
		(void) execl(program, program, "model", "inspect", "--model", path, (char *) NULL);
		_exit(127);
	}
	int status;
	struct rusage usage;
	Said said = { 0 };
	assert_int_equal(wait4(pid, &status, 0, &usage), pid);
	said.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	said.peak_kib = usage.ru_maxrss;
	read_all("out", said.out, sizeof said.out);
	read_all("err", said.err, sizeof said.err);
	return said;
}

static long good_kib;

static void assert_file_refused(const char *what, size_t n)
{
	char begins[PATH + 16];
	(void) snprintf(begins, sizeof begins, "maestro: %s: ", file);
	Said said = inspect(file);
	if (said.exit_status != BAD_MODEL || said.out[0] || strncmp(said.err, begins, strlen(begins)) || said.peak_kib > good_kib + SPARE_KIB)
		fail_msg("%s, %zu: exit %d, %ld KiB (a good one %ld), \"%s\"", what, n, said.exit_status, said.peak_kib, good_kib, said.err);
}

static void assert_refused(const char *what, size_t n, const char *data, size_t len)
{
	assert_int_equal(mem_write_file(file, data, len, NULL), 0);
	assert_file_refused(what, n);
}

static StrBuf read_good(const char *path)
{
	StrBuf bytes = { 0 };
	assert_int_equal(mem_read_file(path, 1 << 20, &bytes, NULL), 0);
	Said said = inspect(path);
	assert_int_equal(said.exit_status, 0);
	good_kib = said.peak_kib > good_kib ? said.peak_kib : good_kib;
	return bytes;
}

static const char *const GOOD[] = { "tests/fixtures/sb3_ppo_seedlike.zip", "engine/rl/default.safetensors" };

static void a_file_cut_at_every_512th_byte_is_refused(void **state)
{
	(void) state;
	for (size_t i = 0; i < 2; i++) {
		StrBuf bytes = read_good(GOOD[i]);
		for (size_t len = 0; len < bytes.len; len += 512)
			assert_refused(GOOD[i], len, bytes.data, len);
		assert_refused(GOOD[i], bytes.len - 1, bytes.data, bytes.len - 1);
		strbuf_done(&bytes);
	}
}

static void random_bytes_are_refused(void **state)
{
	(void) state;
	static const struct {
		const char *bytes;
		size_t len;
	} signatures[] = { { "", 0 }, { "PK\3\4", 4 }, { "\x40\0\0\0\0\0\0\0{", 9 }, { "\x80\2}q", 4 } };
	char noise[8192];
	Rng rng;
	rng_init(&rng, 1, 0, RNG_EVAL);
	for (size_t round = 0; round < 40; round++) {
		for (size_t i = 0; i < sizeof noise; i++)
			noise[i] = (char) rng_u32(&rng);
		memcpy(noise, signatures[round % 4].bytes, signatures[round % 4].len);
		assert_refused("noise", round, noise, sizeof noise);
	}
}

static void bombs_are_refused(void **state)
{
	(void) state;
	static const size_t sizes[][2] = { { 96 << 20, 96 << 20 }, { 96 << 20, 1000 }, { 1 << 20, 4000000000 } };
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		StrBuf bomb = deflated_zeros(sizes[i][0], (uint32_t) sizes[i][1]);
		assert_refused("bomb", sizes[i][1], bomb.data, bomb.len);
		strbuf_done(&bomb);
	}
}

/* Headers of shapes that would take more memory than there is, and a file that is large and empty. */
static void absurd_sizes_are_refused(void **state)
{
	(void) state;
	static const char *const headers[] = {
		"{\"action_net.weight\":{\"dtype\":\"F32\",\"shape\":[1073741824,4096],\"data_offsets\":[0,17592186044416]}}",
		"{\"action_net.weight\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}",
		"{\"__metadata__\":{\"format\":\"maestro-policy-1\",\"net_arch\":\"4000000000,4000000000\"},\"a\":{\"dtype\":\"F32\",\"shape\":[1e300],"
		"\"data_offsets\":[0,4]}}",
	};
	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
		StrBuf bytes = { 0 };
		uint64_t len = strlen(headers[i]);
		strbuf_add(&bytes, (const char *) &len, sizeof len); /* little-endian here, as the format wants it */
		strbuf_add(&bytes, headers[i], len);
		strbuf_add(&bytes, "\0\0\0\0", 4);
		assert_refused("header", i, bytes.data, bytes.len);
		strbuf_done(&bytes);
	}
	uint64_t lens[] = { UINT64_MAX, UINT64_MAX / 2, (uint64_t) 1 << 40 };
	for (size_t i = 0; i < 3; i++)
		assert_refused("length", i, (const char *) &lens[i], sizeof lens[i]);
	assert_int_equal(truncate(file, (off_t) 8 << 30), 0);
	assert_file_refused("8 GiB of nothing", 0);
	assert_int_equal(truncate(file, 0), 0);
}

static int set_up(void **state)
{
	(void) state;
	if (!mkdtemp(folder))
		return -1;
	(void) snprintf(file, sizeof file, "%s/model", folder);
	for (size_t i = 0; i < 2; i++) {
		StrBuf bytes = read_good(GOOD[i]);
		strbuf_done(&bytes);
	}
	return 0;
}

static int tear_down(void **state)
{
	(void) state;
	static const char *const names[] = { "model", "out", "err" };
	for (size_t i = 0; i < 3; i++) {
		char path[PATH];
		(void) snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		(void) unlink(path);
	}
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_cut_at_every_512th_byte_is_refused),
		cmocka_unit_test(random_bytes_are_refused),
		cmocka_unit_test(bombs_are_refused),
		cmocka_unit_test(absurd_sizes_are_refused),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
