/* JSON: what is absent or of another type is never guessed, what is not JSON is refused with its place. */
#include "base/json.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static Json *parsed(const char *text)
{
	Json *root = NULL;
	Error err = { 0 };
	if (json_parse(text, strlen(text), &root, &err))
		fail_msg("%s: %s", text, err.text);
	return root;
}

static void json_paths_descend_and_absent_is_null(void **state)
{
	(void) state;
	Json *root = parsed("{\"metadata\":{\"name\":\"cart\",\"generation\":7},\"a.b\":1,\"name\":null}");
	assert_string_equal(json_string(json_get(root, "metadata.name")), "cart");
	assert_null(json_get(root, "metadata.nothing"));
	assert_null(json_get(root, "metadata.name.more"));
	assert_null(json_get(root, "Metadata"));
	assert_null(json_get(NULL, "metadata"));
	assert_true(json_is_null(json_get(root, "name")));
	assert_false(json_is_null(json_get(root, "missing")));
	assert_string_equal(json_string_or(root, "metadata.name", "x"), "cart");
	assert_string_equal(json_string_or(root, "metadata.generation", "x"), "x");
	assert_true(json_int_or(root, "metadata.generation", -1) == 7);
	assert_true(json_int_or(root, "metadata.name", -1) == -1);
	assert_true(json_number_or(root, "metadata.gone", .5) == .5);
	json_free(root);
	json_free(NULL);
}

static void json_readers_leave_the_value_alone_on_another_type(void **state)
{
	(void) state;
	static const char *const wrong[] = { "\"7\"", "null", "[7]", "{}", "true" };
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		Json *root = parsed(wrong[i]);
		double number = 77;
		int64_t whole = 77;
		assert_false(json_number(root, &number));
		assert_false(json_int(root, &whole));
		assert_true(number == 77 && whole == 77);
		json_free(root);
	}
	Json *seven = parsed("7");
	bool flag = true;
	assert_false(json_bool(seven, &flag));
	assert_true(flag);
	assert_null(json_string(seven));
	assert_null(json_first(seven));
	assert_int_equal(json_len(seven), 0);
	json_free(seven);
}

static void json_int_takes_only_whole_exact_numbers(void **state)
{
	(void) state;
	static const struct { const char *text; bool is_int; int64_t want; } cases[] = {
		{ "0", true, 0 }, { "-3", true, -3 }, { "1e3", true, 1000 }, { "9007199254740992", true, 9007199254740992 },
		{ "-9007199254740992", true, -9007199254740992 }, { "1.5", false, 0 }, { "1e300", false, 0 },
		{ "9007199254740994", false, 0 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		Json *root = parsed(cases[i].text);
		int64_t got = 0;
		assert_int_equal(json_int(root, &got), cases[i].is_int);
		assert_true(got == cases[i].want);
		json_free(root);
	}
}

static void json_children_come_in_order_with_their_keys(void **state)
{
	(void) state;
	Json *root = parsed("{\"z\":[1,2,3],\"a\":true}");
	const Json *z = json_first(root), *a = json_next(z);
	assert_string_equal(json_key(z), "z");
	assert_string_equal(json_key(a), "a");
	assert_null(json_next(a));
	assert_int_equal(json_len(z), 3);
	int64_t want = 1, got;
	for (const Json *item = json_first(z); item; item = json_next(item), want++) {
		assert_string_equal(json_key(item), "");
		assert_true(json_int(item, &got) && got == want);
	}
	json_free(root);
}

static void json_refuses_what_is_not_json(void **state)
{
	(void) state;
	static const char *const bad[] = {
		"", " ", "{", "{\"a\":}", "[1,]", "[1 2]", "nul", "{\"a\":1}}", "1 2", "{'a':1}", "\"open", "<html>", "{\"a\":1} x",
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		Json *root = (Json *) state;
		Error err = { 0 };
		if (json_parse(bad[i], strlen(bad[i]), &root, &err) != ERR_PARSE)
			fail_msg("taken for JSON: %s", bad[i]);
		assert_ptr_equal(root, state); /* untouched */
		assert_non_null(strstr(err.text, "byte"));
	}
	Json *root = NULL;
	assert_int_equal(json_parse("{}\0junk", 7, &root, NULL), ERR_PARSE);
	assert_int_equal(json_parse("[7]", 2, &root, NULL), ERR_PARSE); /* reads len bytes, not up to a NUL */
	assert_int_equal(json_parse("7 \r\n\t", 5, &root, NULL), 0);
	json_free(root);
}

static void json_survives_deep_nesting(void **state)
{
	(void) state;
	enum { DEPTH = 200000 };
	char *text = malloc(DEPTH);
	assert_non_null(text);
	memset(text, '[', DEPTH);
	Json *root = NULL;
	assert_int_equal(json_parse(text, DEPTH, &root, NULL), ERR_PARSE);
	free(text);
}

static void json_prints_what_it_parses(void **state)
{
	(void) state;
	Json *root = json_new_object();
	Json *list = json_add_array(root, "list");
	json_add_int(list, NULL, 9007199254740992);
	json_add_number(list, NULL, .1);
	json_add_string(list, NULL, "quote \" line\n tab\t \xc3\xa9");
	json_add_bool(json_add_object(root, "inner"), "yes", true);
	json_add_null(root, "none");
	json_add_string(root, "no_string", NULL);
	json_add_number(root, "nan", NAN);
	json_add_number(root, "inf", -INFINITY);
	char *text = json_print(root);
	assert_non_null(text);
	assert_null(strpbrk(text, "\n\r")); /* one line */
	Json *again = parsed(text);
	const Json *item = json_first(json_get(again, "list"));
	int64_t whole = 0;
	double number = 0;
	assert_true(json_int(item, &whole) && whole == 9007199254740992);
	assert_true(json_number(json_next(item), &number) && number == .1);
	assert_string_equal(json_string(json_next(json_next(item))), "quote \" line\n tab\t \xc3\xa9");
	bool yes = false;
	assert_true(json_bool(json_get(again, "inner.yes"), &yes) && yes);
	static const char *const nulls[] = { "none", "no_string", "nan", "inf" }; /* unknown is null, never a number */
	for (size_t i = 0; i < 4; i++)
		assert_true(json_is_null(json_get(again, nulls[i])));
	free(text);
	json_free(again);
	json_free(root);
	assert_null(json_print(NULL));
}

/* Out of memory shows as a value that could not be made: what is half built must not print as if it were whole. */
static void a_tree_that_lost_a_value_does_not_print(void **state)
{
	(void) state;
	Json *root = json_new_object();
	Json *spec = json_add_object(root, "spec");
	assert_non_null(spec);
	json_add(spec, "replicas", NULL);
	assert_null(json_print(root));
	json_free(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tree_that_lost_a_value_does_not_print),
		cmocka_unit_test(json_paths_descend_and_absent_is_null),
		cmocka_unit_test(json_readers_leave_the_value_alone_on_another_type),
		cmocka_unit_test(json_int_takes_only_whole_exact_numbers),
		cmocka_unit_test(json_children_come_in_order_with_their_keys),
		cmocka_unit_test(json_refuses_what_is_not_json),
		cmocka_unit_test(json_survives_deep_nesting),
		cmocka_unit_test(json_prints_what_it_parses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
