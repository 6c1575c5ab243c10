/* Options: what a command line means, and what it is told when it means nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cmd/opts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Options {
	bool flag;
	int32_t count;
	int64_t big;
	double ratio, wait_s;
	const char *word;
	OptList list;
} Options;

static const Opt TABLE[] = {
	{ "flag", 'f', OPT_FLAG, offsetof(Options, flag), 0, 0, NULL, "a flag", true },
	{ "count", 'c', OPT_INT, offsetof(Options, count), 1, 10, "N", "a number", true },
	{ "big", 0, OPT_INT64, offsetof(Options, big), 0, 0, "N", "a large number", true },
	{ "ratio", 0, OPT_DOUBLE, offsetof(Options, ratio), 0, 1, "X", "a fraction", true },
	{ "wait", 0, OPT_DURATION, offsetof(Options, wait_s), 0, 0, "TIME", "a time", true },
	{ "word", 'w', OPT_STRING, offsetof(Options, word), 0, 0, "S", "a word", true },
	{ "list", 0, OPT_LIST, offsetof(Options, list), 0, 0, "S", "words", false },
	{ 0 },
};
static const OptCommand COMMAND = { "try [options]", "A test.", TABLE, 1 };

static int parse(Options *options, int *words, char **argv)
{
	int argc = 0;
	while (argv[argc])
		argc++;
	*options = (Options) { .count = 3, .word = "none" };
	return opts_parse(&COMMAND, argc, argv, options, words);
}

#define PARSE(options, words, ...) parse(options, words, (char *[]) { "try", __VA_ARGS__, NULL })

static void options_are_read_in_every_form(void **state)
{
	(void) state;
	Options o;
	int words;
	assert_int_equal(PARSE(&o, &words, "-f", "--count=7", "--ratio", ".5", "-w", "hello", "here", "--wait", "1.5m"), 0);
	assert_true(o.flag);
	assert_int_equal(o.count, 7);
	assert_true(o.ratio == .5);
	assert_string_equal(o.word, "hello");
	assert_true(o.wait_s == 90);
	assert_int_equal(words, 1);
	assert_int_equal(PARSE(&o, &words, "--no-flag", "-c4", "--list", "a", "--list=b"), 0);
	assert_false(o.flag);
	assert_int_equal(o.count, 4);
	assert_int_equal(o.list.n, 2);
	assert_string_equal(o.list.item[1], "b");
}

static void bad_words_are_usage_errors(void **state)
{
	(void) state;
	Options o;
	int words;
	static const char *const bad[][2] = {
		{ "--count", "11" }, { "--count", "two" }, { "--count", "1.5" }, { "--count", "nan" }, { "--ratio", "-0.1" },
		{ "--ratio", "inf" }, { "--wait", "5 parsecs" }, { "--wait", "-1s" }, { "--nonsense", "1" }, { "one", "two" },
		{ "--flag=maybe", "one" }, { "-x", "one" }, { "one", "--word" }, { "--big", "1e300" },
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char *argv[] = { "try", (char *) (uintptr_t) bad[i][0], (char *) (uintptr_t) bad[i][1], NULL };
		if (parse(&o, &words, argv) != ERR_USAGE)
			fail_msg("%s %s was taken", bad[i][0], bad[i][1]);
	}
}

static void option_beats_variable_beats_default(void **state)
{
	(void) state;
	Options o;
	int words;
	assert_int_equal(setenv("MAESTRO_COUNT", "5", 1), 0);
	assert_int_equal(PARSE(&o, &words, "here"), 0);
	assert_int_equal(o.count, 5);
	assert_int_equal(PARSE(&o, &words, "--count", "6"), 0);
	assert_int_equal(o.count, 6);
	assert_int_equal(setenv("MAESTRO_COUNT", "lots", 1), 0);
	assert_int_equal(PARSE(&o, &words, "here"), ERR_USAGE);
	assert_int_equal(unsetenv("MAESTRO_COUNT"), 0);
	assert_int_equal(PARSE(&o, &words, "here"), 0);
	assert_int_equal(o.count, 3);
}

static void durations_have_units(void **state)
{
	(void) state;
	static const struct {
		const char *text;
		double s;
	} good[] = { { "15", 15 }, { "250ms", .25 }, { "15s", 15 }, { "2h", 7200 }, { "7d", 604800 }, { "0", 0 } };
	double s;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_true(opts_duration(good[i].text, &s));
		assert_true(fabs(s - good[i].s) < 1e-12);
	}
	assert_false(opts_duration("", &s));
	assert_false(opts_duration("s", &s));
	assert_false(opts_duration("1y", &s));
}

static void a_wrong_word_gets_its_neighbour(void **state)
{
	(void) state;
	const char *known[] = { "train", "run", "runs", "load", NULL };
	assert_string_equal(opts_nearest("trian", known), "train");
	assert_string_equal(opts_nearest("laod", known), "load");
	assert_null(opts_nearest("zzzzzzzz", known));
}

static void settings_survive_a_round_through_json(void **state)
{
	(void) state;
	Options o, again = { .word = "none" };
	int words;
	assert_int_equal(PARSE(&o, &words, "-f", "--count=7", "--big", "123456789012", "--ratio", ".1", "--word", "w", "--wait", "3s"), 0);
	char *text = opts_save(TABLE, &o);
	Json *object;
	assert_int_equal(json_parse(text, strlen(text), &object, NULL), 0);
	free(text);
	opts_load(TABLE, object, &again);
	assert_true(again.flag);
	assert_int_equal(again.count, 7);
	assert_true(again.big == 123456789012);
	assert_true(again.ratio == .1);
	assert_true(again.wait_s == 3);
	assert_string_equal(again.word, "w");
	json_free(object);
}

/* For a pod, which has another environment: settings go along as words, but for those that the command line has. */
static void settings_of_the_environment_become_words(void **state)
{
	(void) state;
	Options o;
	int words, argc;
	char *argv[] = { (char *) "try", (char *) "--ratio=.5", (char *) "--no-flag", NULL };
	assert_int_equal(setenv("MAESTRO_COUNT", "7", 1) | setenv("MAESTRO_RATIO", "1", 1) | setenv("MAESTRO_FLAG", "true", 1) | setenv("MAESTRO_WORD", "", 1)
	                 | setenv("MAESTRO_LIST", "a", 1), 0); /* the last is no setting */
	assert_true(opts_is_given("count", 3, argv) && opts_is_given("ratio", 3, argv) && opts_is_given("flag", 3, argv));
	assert_false(opts_is_given("word", 3, argv) || opts_is_given("big", 3, argv) || opts_is_given("rat", 3, argv));
	char **all = opts_with_environment(TABLE, 3, argv, &argc);
	assert_non_null(all);
	assert_int_equal(unsetenv("MAESTRO_COUNT") | unsetenv("MAESTRO_RATIO") | unsetenv("MAESTRO_FLAG") | unsetenv("MAESTRO_WORD") | unsetenv("MAESTRO_LIST"), 0);
	assert_int_equal(argc, 4);
	assert_string_equal(all[3], "--count=7");
	assert_int_equal(parse(&o, &words, all), 0);
	assert_int_equal(o.count, 7);
	assert_true(o.ratio == .5 && !o.flag);
	free(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_read_in_every_form),
		cmocka_unit_test(bad_words_are_usage_errors),
		cmocka_unit_test(option_beats_variable_beats_default),
		cmocka_unit_test(durations_have_units),
		cmocka_unit_test(a_wrong_word_gets_its_neighbour),
		cmocka_unit_test(settings_survive_a_round_through_json),
		cmocka_unit_test(settings_of_the_environment_become_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
