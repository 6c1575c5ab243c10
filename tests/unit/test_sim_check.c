/* The simulator's examination: its rows are there, the fast ones hold, and a row can fail. */
#include "sim/check.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static const CheckRow *find(const char *name)
{
	for (const CheckRow *row = SIM_CHECK; row->name; row++)
		if (!strcmp(row->name, name))
			return row;
	fail_msg("no row %s", name);
	return NULL;
}

/* The claims of the specification, each by one row at the least, with its tolerance or a smaller one. */
static void every_claim_has_its_row(void **state)
{
	(void) state;
	static const struct {
		const char *name;
		double most;
	} claims[] = {
		{ "ps-mean", .02 }, { "ps-mean-90", .05 }, { "ps-variance", .06 }, { "fifo-md1", .03 }, { "fifo-mg1", .03 },
		{ "insensitivity", .03 }, { "quota-rate", .01 }, { "quota-periods", .01 }, { "table-80", .05 }, { "table-90", .03 },
		{ "table-95", .08 }, { "table-pods", .05 }, { "settled-mean", .04 }, { "settled-worst", .15 }, { "settled-cpu", .02 },
		{ "steps-n", .2 }, { "steps-p95", .1 }, { "steps-p95-quota", .1 }, { "steps-p95-wide", .25 },
		{ "steps-p95-wide-quota", .25 }, { "other-p95", .064 }, { "other-p95-quota", .118 }, { "other-p95-wide", .123 },
		{ "other-p95-wide-quota", .192 }, { "first-window", .2 }, { "rank-order", 0 }, { "rank-returns", .1 },
		{ "promql-rate", 1e-9 }, { "promql-increase", 1e-9 }, { "promql-quantile", 1e-9 }, { "real-process", .15 },
	};
	for (size_t i = 0; i < sizeof claims / sizeof *claims; i++)
		assert_true(find(claims[i].name)->tolerance <= claims[i].most);
}

static void fast_rows_hold(void **state)
{
	(void) state;
	const CheckOptions options = { .fixtures = "tests/fixtures", .effort = 1.0 };
	int measured = 0;
	for (const CheckRow *row = SIM_CHECK; row->name; row++) {
		CheckResult result;
		Error err = { 0 };
		if (!row->is_fast)
			continue;
		if (check_measure(row, &options, &result, &err))
			fail_msg("%s: %s", row->name, err.text);
		if (!check_holds(row, &result))
			fail_msg("%s: %g %% (%s%s), allowed %g %%", row->name, 100.0 * result.error, result.note, result.skipped,
			         100.0 * row->tolerance);
		measured++;
	}
	assert_true(measured >= 10);
}

static void measure_slowly(const char *name, CheckResult *ret)
{
	const CheckOptions options = { .fixtures = "tests/fixtures", .effort = .2 };
	Error err = { 0 };
	if (check_measure(find(name), &options, ret, &err))
		fail_msg("%s: %s", name, err.text);
}

/* Short slices of some slow rows: `make sim-check` measures them all, in full. */
static void slow_rows_are_near(void **state)
{
	(void) state;
	static const struct {
		const char *name;
		double most;
	} slices[] = { { "steps-n", .2 }, { "first-window", .2 }, { "rank-order", 0 } };
	for (size_t i = 0; i < sizeof slices / sizeof *slices; i++) {
		CheckResult result;
		measure_slowly(slices[i].name, &result);
		if (!(result.error <= slices[i].most))
			fail_msg("%s: %g %% (%s), allowed %g %%", slices[i].name, 100.0 * result.error, result.note,
			         100.0 * slices[i].most);
	}
}

static void what_is_not_measured_or_not_a_number_does_not_hold(void **state)
{
	(void) state;
	const CheckRow *row = find("ps-mean");
	assert_true(check_holds(row, &(CheckResult) { .error = .01 }));
	assert_false(check_holds(row, &(CheckResult) { .error = .03 }));
	assert_false(check_holds(row, &(CheckResult) { .error = (double) NAN }));
	assert_false(check_holds(row, &(CheckResult) { .skipped = "no processes here" }));
	CheckResult result;
	const CheckOptions nowhere = { .fixtures = "/nonexistent", .effort = 1.0 };
	assert_int_equal(check_measure(find("promql-rate"), &nowhere, &result, NULL), 0);
	assert_non_null(strstr(result.skipped, "/nonexistent"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_claim_has_its_row),
		cmocka_unit_test(fast_rows_hold),
		cmocka_unit_test(slow_rows_are_near),
		cmocka_unit_test(what_is_not_measured_or_not_a_number_does_not_hold),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
