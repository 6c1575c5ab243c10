/* The body of /predict: the scan of a usual one and the tree of any give the same numbers to the bit. */
#include "base/rng.h"
#include "serve/predict_body.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const PredictInput FIVE = { .dim = 5, .n_actions = 3, .is_seed = true };

/* What the body gives as it is, and with a key more, which only the tree takes. */
static void assert_alike(const char *members)
{
	char plain[400], more[420];
	PredictBody a = { 0 }, b = { 0 };
	Error err = { 0 };
	(void) snprintf(plain, sizeof plain, "{%s}", members);
	(void) snprintf(more, sizeof more, "{%s,\"more\":null}", members);
	int code = predict_body_read(&FIVE, plain, strlen(plain), &a, &err);
	if (code != predict_body_read(&FIVE, more, strlen(more), &b, &err))
		fail_msg("%s: %d by the scan", plain, code);
	if (!code && (memcmp(a.x, b.x, sizeof a.x) || a.mask != b.mask))
		fail_msg("%s: other numbers by the scan", plain);
}

static void numbers_are_those_of_the_tree(void **state)
{
	Rng rng;
	char members[400];
	(void) state;
	rng_init(&rng, 7, 0, RNG_PARAMETERS);
	for (int i = 0; i < 20000; i++) {
		double x[5];
		int digits[5];
		for (int k = 0; k < 5; k++) {
			static const double scales[] = { 1, 1e3, 1e6, 1e9, 1e14 };
			x[k] = (rng_uniform(&rng) - .2) * scales[rng_below(&rng, 5)];
			digits[k] = (int) rng_below(&rng, 18);
		}
		(void) snprintf(members, sizeof members, "\"rps\": %.*f,\"latency\":%.*f , \"cpu_usage\":%.*f,\n\"memory_usage\":%.*f,\t\"replicas\":%.*f",
		                digits[0], x[0], digits[1], x[1], digits[2], x[2], digits[3], x[3], digits[4], x[4]);
		assert_alike(members);
	}
}

static void odd_bodies_are_those_of_the_tree(void **state)
{
	static const char *const odd[] = {
		"1e2", "-0", "0", "-0.0", "00", "01", "1.", ".5", "-", "--1", "+1", "1e400", "-1e400", "0x10", "1 2", "true", "null", "\"1\"", "[1]", "1e-3", "NaN",
		"999999999999999", "9999999999999999", "99999999999999999999999999", "1.000000000000000", "0.1234567890123456789", "123456789012345.6", "",
	};
	char members[400];
	(void) state;
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
		(void) snprintf(members, sizeof members, "\"cpu_usage\":30,\"memory_usage\":0.3,\"replicas\":3,\"latency\":200,\"rps\":%s", odd[i]);
		assert_alike(members);
		(void) snprintf(members, sizeof members, "\"rps\":%s,\"cpu_usage\":30,\"memory_usage\":0.3,\"replicas\":3,\"latency\":200", odd[i]);
		assert_alike(members);
	}
	assert_alike("\"cpu_usage\":30,\"memory_usage\":0.3,\"replicas\":3,\"latency\":200");
	assert_alike("\"cpu_usage\":30,\"cpu_usage\":31,\"memory_usage\":0.3,\"replicas\":3,\"latency\":200,\"rps\":1");
	assert_alike("\"cpu_usage\" :30,\"memory_usage\":0.3,\"replicas\":3,\"latency\":200,\"\\u0072ps\":1");
}

static void what_is_cut_short_is_refused(void **state)
{
	static const char body[] = "{\"cpu_usage\":30,\"memory_usage\":0.3,\"replicas\":3,\"latency\":200,\"rps\":100} ";
	PredictBody got;
	Error err = { 0 };
	(void) state;
	for (size_t len = 0; len < sizeof body - 2; len++)
		assert_int_equal(predict_body_read(&FIVE, body, len, &got, &err), ERR_INVALID);
	assert_int_equal(predict_body_read(&FIVE, body, sizeof body - 1, &got, &err), 0);
	assert_int_equal(got.mask, 7);
	assert_int_equal(predict_body_read(&FIVE, body, sizeof body, &got, &err), ERR_INVALID); /* a NUL behind it */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_those_of_the_tree),
		cmocka_unit_test(odd_bodies_are_those_of_the_tree),
		cmocka_unit_test(what_is_cut_short_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
