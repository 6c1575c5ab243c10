/* The gate's expressions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "control/fail_if.h"

#include <math.h>
#include <string.h>

/* a is 2, b(x) 5, c(x,y).hi 7, u unknown. */
static int lookup(void *arg, const char *name, const char *first, const char *second, const char *end, double *ret, Error *err)
{
	(void) arg;
	if (!strcmp(name, "a") && !*first && !*end)
		*ret = 2;
	else if (!strcmp(name, "b") && !strcmp(first, "x:1.z"))
		*ret = 5;
	else if (!strcmp(name, "c") && !strcmp(first, "x") && !strcmp(second, "y") && !strcmp(end, "hi"))
		*ret = 7;
	else if (!strcmp(name, "u"))
		*ret = NAN;
	else
		return error_set(err, ERR_USAGE, "no figure %s", name);
	return 0;
}

static void claims_are_true_or_false(void **state)
{
	(void) state;
	static const struct {
		const char *text;
		bool fails;
	} cases[] = {
		{ "a > 1", true }, { "a > 2", false }, { "a >= 2", true }, { "a<=1.9", false }, { "a == 2", true }, { "a != 2", false },
		{ "b(x:1.z) > 1.1 * a + 2", true }, { "b(x:1.z) - a < 3", false }, { "c(x,y).hi / 2 > 3.4", true }, { "-a < -1", true },
		{ "a > 5 || a < 3 && a > 9", false }, { "a > 1 && (a > 5 || b(x:1.z) == 5)", true }, { " ( a > 1 ) ", true },
		{ "u > 3", true }, { "u < 3", true }, { "a > 5 && u < 3", true }, /* what is not known fails */
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		bool fails = !cases[i].fails;
		Error err = { 0 };
		assert_int_equal(fail_if_eval(cases[i].text, lookup, NULL, &fails, &err), 0);
		assert_int_equal(fails, cases[i].fails);
	}
}

static void what_is_no_claim_is_a_usage_error(void **state)
{
	(void) state;
	static const char *const bad[] = { "", "a", "a >", "> 1", "a > 1 &&", "(a > 1", "a > 1)", "zz > 1", "b(x > 1", "a > 1 2", "a > 1 | a > 2" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		bool fails;
		Error err = { 0 };
		assert_int_equal(fail_if_eval(bad[i], lookup, NULL, &fails, &err), ERR_USAGE);
		assert_true(err.text[0]);
	}
	char deep[200];
	memset(deep, '(', sizeof deep - 1);
	deep[sizeof deep - 1] = '\0';
	bool fails;
	assert_int_equal(fail_if_eval(deep, lookup, NULL, &fails, NULL), ERR_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(claims_are_true_or_false),
		cmocka_unit_test(what_is_no_claim_is_a_usage_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
