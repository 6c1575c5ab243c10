/* Reading traces: the shipped ones load, and what is wrong with a file is said with its line. */
#include "base/rng.h"
#include "sim/trace.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static char path[] = "/tmp/maestro-trace-XXXXXX";

static int load(const char *text, Trace *ret_trace, Error *err)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	return trace_load(path, ret_trace, err);
}

static void shipped_traces_are_weeks_of_minutes(void **state)
{
	(void) state;
	const char *name[] = { "wc98_opening_week", "nasa95_jul_week" };
	const double peak[] = { 2142.75, 3.25 };
	for (int i = 0; i < 2; i++) {
		char file[128];
		Trace trace;
		Error err;
		(void) snprintf(file, sizeof file, "engine/sim/traces/%s.csv", name[i]);
		if (trace_load(file, &trace, &err))
			fail_msg("%s", err.text);
		assert_string_equal(trace.name, name[i]);
		assert_int_equal(trace.n, 7 * 24 * 60);
		assert_true(trace.step_s == 60.0 && trace.peak_rps == peak[i]);
		double most = 0.0;
		for (size_t k = 0; k < trace.n; k++)
			most = fmax(most, trace.rate[k]);
		assert_true(most == 1.0);
		trace_done(&trace);
	}
}

static void rate_is_linear_between_rows_and_wraps_around(void **state)
{
	(void) state;
	Trace trace;
	Error err;
	assert_int_equal(load("# name: saw\nt_s,rps\n0,2\n10,4\n20,8\n", &trace, &err), 0);
	assert_string_equal(trace.name, "saw");
	assert_true(trace.step_s == 10.0);
	assert_true(trace_rate(&trace, 0.0) == .25);
	assert_true(fabs(trace_rate(&trace, 5.0) - .375) < 1e-12);
	assert_true(fabs(trace_rate(&trace, 25.0) - .625) < 1e-12); /* half-way back to the first row */
	assert_true(fabs(trace_rate(&trace, 3005.0) - .375) < 1e-12);
	trace_done(&trace);
}

static void errors_name_file_and_line(void **state)
{
	(void) state;
	const struct {
		const char *text, *line, *what;
	} bad[] = {
		{ "t_s,rps\n0,1\nx,2\n", ":3:", "not a number" },
		{ "t_s,rps\n0,1\n10,nan\n", ":3:", "not a number" },
		{ "t_s,rps\n0,1\n10,2 rps\n", ":3:", "not a number" },
		{ "t_s,rps\n0,1\n10\n", ":3:", "not a number" },
		{ "# a: b\nt_s,rps\n0,1\n10,-1\n", ":4:", "negative" },
		{ "t_s,rps\n0,1\n10,1\n10,1\n", ":4:", "does not rise" },
		{ "t_s,rps\n0,1\n10,1\n30,1\n", ":4:", "evenly" },
		{ "# peak_rps: many\nt_s,rps\n0,1\n", ":1:", "peak_rps" },
		{ "t_s,rps\n", ":1:", "no rows" },
		{ "", ":0:", "no rows" },
		{ "t_s,rps\n0,0\n10,0\n", ":3:", "every rate is 0" },
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		Trace trace;
		Error err;
		assert_int_equal(load(bad[i].text, &trace, &err), ERR_INVALID);
		if (!strstr(err.text, path) || !strstr(err.text, bad[i].line) || !strstr(err.text, bad[i].what))
			fail_msg("case %zu says: %s", i, err.text);
	}
	Trace trace;
	Error err;
	assert_int_equal(trace_load("/nonexistent/trace.csv", &trace, &err), ERR_IO);
	assert_non_null(strstr(err.text, "/nonexistent/trace.csv"));
}

/* A byte changed, put in, taken out or a part of the text doubled. */
static size_t mangle(char *text, size_t len, size_t size, Rng *rng)
{
	static const char bytes[] = "0123456789.,-+eE#: \r\n\tnaixf\0\377\"";
	for (uint32_t n = 1 + rng_below(rng, 6); n--;) {
		size_t at = rng_below(rng, (uint32_t) len + 1), part = rng_below(rng, 20);
		char byte = bytes[rng_below(rng, sizeof bytes - 1)];
		uint32_t how = rng_below(rng, 4);
		if (how == 0 && at < len) {
			text[at] = byte;
		} else if (how == 1 && len + 1 < size) {
			memmove(text + at + 1, text + at, len++ - at);
			text[at] = byte;
		} else if (how == 2 && at + part <= len) {
			memmove(text + at, text + at + part, len - at - part);
			len -= part;
		} else if (how == 3 && at + part <= len && len + part < size) {
			memmove(text + at + part, text + at, len - at);
			len += part;
		}
	}
	return len;
}

/* Whatever the bytes are: a whole trace, or an error that names file and line; nothing in between. */
static void mangled_files_are_read_or_refused(void **state)
{
	(void) state;
	static const char sound[] = "# name: sound\n# peak_rps: 12.5\nt_s,rps\n0,1\n60,2.5\n120,12.5\n180,0\n240,3e0\n300,.25\n";
	int read = 0, refused = 0;
	Rng rng;
	rng_init(&rng, 7, 0, RNG_TRAFFIC);
	for (int k = 0; k < 3000; k++) {
		char text[512];
		memcpy(text, sound, sizeof sound);
		size_t len = mangle(text, sizeof sound - 1, sizeof text, &rng);
		(void) unlink(path); /* file systems flush what is written over */
		FILE *file = fopen(path, "w");
		assert_non_null(file);
		assert_int_equal(fwrite(text, 1, len, file), len);
		assert_int_equal(fclose(file), 0);
		Trace trace;
		Error err = { 0 };
		int code = trace_load(path, &trace, &err);
		if (code) {
			assert_int_equal(code, ERR_INVALID);
			size_t named = strlen(path);
			if (strncmp(err.text, path, named) != 0 || err.text[named] != ':' || strspn(err.text + named + 1, "0123456789") == 0)
				fail_msg("case %d says: %s", k, err.text);
			refused++;
			continue;
		}
		assert_true(trace.n >= 2 && trace.step_s > 0.0 && isfinite(trace.step_s) && trace.peak_rps >= 0.0);
		for (size_t i = 0; i < trace.n; i++)
			assert_true(trace.rate[i] >= 0.0 && trace.rate[i] <= 1.0);
		assert_true(memchr(trace.name, 0, sizeof trace.name) != NULL);
		trace_done(&trace);
		read++;
	}
	assert_true(read > 300 && refused > 300);
}

static int make_file(void **state)
{
	(void) state;
	int fd = mkstemp(path);
	return fd < 0 || close(fd);
}

static int remove_file(void **state)
{
	(void) state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shipped_traces_are_weeks_of_minutes),
		cmocka_unit_test(rate_is_linear_between_rows_and_wraps_around),
		cmocka_unit_test(errors_name_file_and_line),
		cmocka_unit_test(mangled_files_are_read_or_refused),
	};
	return cmocka_run_group_tests(tests, make_file, remove_file);
}
