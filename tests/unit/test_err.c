/* Error codes: the exit statuses are the command line's contract, so they are spelled out here a second time. */
#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void err_exit_statuses_are_those_of_the_contract(void **state)
{
	(void) state;
	static const struct { int code, want; } cases[] = {
		{ 0, 0 },
		/* 1: failed */
		{ ERR_FAILED, 1 }, { ERR_NOMEM, 1 }, { ERR_IO, 1 }, { ERR_STORE, 1 }, { ERR_BUSY, 1 }, { ERR_CLOSED, 1 },
		{ ERR_CANCELLED, 1 }, { ERR_NONFINITE, 1 }, { ERR_NOT_FOUND, 1 },
		/* 2: usage */
		{ ERR_USAGE, 2 },
		/* 3: refused */
		{ ERR_REFUSED, 3 }, { ERR_FORBIDDEN, 3 }, { ERR_CONFLICT, 3 },
		/* 4: API or Prometheus unreachable, or it gives no usable answer */
		{ ERR_UNREACHABLE, 4 }, { ERR_TIMEOUT, 4 }, { ERR_UNAUTHORIZED, 4 }, { ERR_HTTP, 4 }, { ERR_NO_DATA, 4 },
		{ ERR_STALE, 4 },
		/* 5: bad model or data */
		{ ERR_PARSE, 5 }, { ERR_INVALID, 5 }, { ERR_BAD_MODEL, 5 },
		/* 6: a gate of the caller's own (--fail-if) */
		{ ERR_GATE, 6 },
	};
	assert_int_equal(sizeof cases / sizeof *cases, ERR_ORD_COUNT); /* a new code needs its row */
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(err_exit_status(cases[i].code), cases[i].want);
		assert_true(i == 0 || cases[i].code < 0);
	}
}

static void err_texts_are_there_and_differ(void **state)
{
	(void) state;
	assert_string_equal(err_text(0), "ok");
	for (int a = 0; a < ERR_ORD_COUNT; a++) {
		assert_true(strlen(err_text(-a)) > 0);
		for (int b = 0; b < a; b++)
			assert_string_not_equal(err_text(-a), err_text(-b));
	}
}

static void err_of_an_unknown_code_is_a_failure(void **state)
{
	(void) state;
	static const int unknown[] = { 1, -ERR_ORD_COUNT, -1000000, 0x7fffffff, -0x7fffffff - 1 };
	for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
		assert_int_equal(err_exit_status(unknown[i]), 1);
		assert_string_equal(err_text(unknown[i]), err_text(ERR_FAILED));
	}
}

static void error_set_stands_in_a_return(void **state)
{
	(void) state;
	Error err = { .http_status = 409 };
	assert_int_equal(error_set(&err, ERR_CONFLICT, "deployment %s/%s: scale", "shop", "cart"), ERR_CONFLICT);
	assert_int_equal(err.code, ERR_CONFLICT);
	assert_int_equal(err.http_status, 409); /* of the answer that failed: it stays */
	assert_string_equal(err.text, "deployment shop/cart: scale");
	assert_int_equal(error_set(NULL, ERR_IO, "nobody listens"), ERR_IO);
}

static void error_set_can_wrap_its_own_text(void **state)
{
	(void) state;
	Error err = { 0 };
	(void) error_set(&err, ERR_IO, "disk full");
	(void) error_set(&err, ERR_STORE, "run 7: %s", err.text);
	assert_string_equal(err.text, "run 7: disk full");
	assert_int_equal(err.code, ERR_STORE);
}

static void error_set_cuts_long_text(void **state)
{
	(void) state;
	char longer[1000];
	memset(longer, 'a', sizeof longer - 1);
	longer[sizeof longer - 1] = '\0';
	Error err = { 0 };
	(void) error_set(&err, ERR_IO, "%s", longer);
	assert_int_equal(strlen(err.text), sizeof err.text - 1);
}

static void error_set_leaves_nothing_that_a_terminal_obeys(void **state)
{
	(void) state;
	Error err = { 0 };
	(void) error_set(&err, ERR_PARSE, "a\x1b[2Jb\nc\x7f \xc2\x9b" "31m \x9b" "32m h\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \xe2\x82");
	assert_string_equal(err.text, "a?[2Jb?c? ?31m ?32m h\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 ??");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(err_exit_statuses_are_those_of_the_contract),
		cmocka_unit_test(err_texts_are_there_and_differ),
		cmocka_unit_test(err_of_an_unknown_code_is_a_failure),
		cmocka_unit_test(error_set_stands_in_a_return),
		cmocka_unit_test(error_set_can_wrap_its_own_text),
		cmocka_unit_test(error_set_cuts_long_text),
		cmocka_unit_test(error_set_leaves_nothing_that_a_terminal_obeys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
