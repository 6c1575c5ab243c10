/* A comparison whose cells are measured one after the other, as on a live service. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "control/summary.h"

#include <stdlib.h>
#include <string.h>

typedef struct Log {
	char order[64];
	int fails_at; /* which play fails; 0: none */
	volatile sig_atomic_t stop;
	int stops_at;
} Log;

static int play(void *arg, int32_t family, int32_t trace, int32_t seed, double ret[FIGURE_COUNT], Error *err)
{
	Log *log = arg;
	size_t n = strlen(log->order);
	log->order[n] = (char) ('A' + family);
	if ((int) n + 1 == log->fails_at)
		return error_set(err, ERR_NO_DATA, "nothing was measured");
	log->stop = (int) n + 1 == log->stops_at;
	ret[FIGURE_POD_HOURS] = 10 + family;
	ret[FIGURE_V_PCT] = 100 * trace + 10 * family + seed;
	ret[FIGURE_STEPS] = 20;
	return 0;
}

static int measure(Log *log, const char *first, const char *second, Contest *contest, Error *err)
{
	static double rate[4] = { 1, 1, 1, 1 };
	static Trace trace[2] = { { .name = "one", .rate = rate, .n = 4, .step_s = 60 }, { .name = "two", .rate = rate, .n = 4, .step_s = 60 } };
	static Family family[2];
	assert_int_equal(family_read(first, &family[0], err), 0);
	assert_int_equal(family_read(second, &family[1], err), 0);
	ContestConfig config = { .trace = trace, .n_traces = 2, .family = family, .n_families = 2, .seeds = 2, .lambda = { 30 }, .n_lambdas = 1 };
	sim_config_default(&config.arena.sim);
	*err = (Error) { 0 };
	return contest_measure(&config, play, log, &log->stop, contest, err);
}

static void families_play_forth_and_back(void **state)
{
	(void) state;
	Log log = { .order = "" };
	Contest contest;
	Error err = { 0 };
	assert_int_equal(measure(&log, "hpa", "static:3", &contest, &err), 0);
	assert_string_equal(log.order, "ABBAABBA");
	for (int32_t f = 0; f < 2; f++)
		for (int32_t t = 0; t < 2; t++)
			for (int32_t i = 0; i < 2; i++)
				assert_float_equal((float) contest_cell(&contest, f, t, 0, i)[FIGURE_V_PCT], (float) (100 * t + 10 * f + i), 0);
	Span span;
	assert_int_equal(summary_figure(&contest, 1, 0, FIGURE_POD_HOURS, &span), 0); /* the report reads it like any other */
	assert_float_equal((float) span.iqm, 11, 1e-6);
	contest_done(&contest);
}

static void what_fails_or_is_stopped_ends_it(void **state)
{
	(void) state;
	Log log = { .fails_at = 3 }, other = { .stops_at = 2 };
	Contest contest;
	Error err = { 0 };
	assert_int_equal(measure(&log, "hpa", "static:3", &contest, &err), ERR_NO_DATA);
	assert_string_equal(log.order, "ABB");
	contest_done(&contest);
	assert_int_equal(measure(&other, "hpa", "static:3", &contest, &err), ERR_CANCELLED);
	assert_string_equal(other.order, "AB");
	contest_done(&contest);
}

static void what_needs_tuning_is_refused(void **state)
{
	(void) state;
	Log log = { .order = "" };
	Contest contest;
	Error err = { 0 };
	assert_int_equal(measure(&log, "hpa", "hpa-calibrated", &contest, &err), ERR_USAGE);
	assert_non_null(strstr(err.text, "hpa-calibrated"));
	assert_string_equal(log.order, "");
	contest_done(&contest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(families_play_forth_and_back),
		cmocka_unit_test(what_fails_or_is_stopped_ends_it),
		cmocka_unit_test(what_needs_tuning_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
