/* What the options of `maestro train` come to: training varies as asked for, evaluation does not. */
#include "cmd/next_train.h"
#include "cmd/train_opts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

enum { ARGS = 8 };

static int apply(const char *const *args, TrainerConfig *config, Error *err)
{
	static char copy[ARGS][64];
	char *argv[ARGS + 1] = { "train" };
	TrainOptions options;
	int argc = 1;
	for (; args[argc - 1]; argc++)
		argv[argc] = strcpy(copy[argc - 1], args[argc - 1]);
	assert_int_equal(train_options_parse(&TRAIN_COMMAND, &options, argc, argv), 0);
	*config = (TrainerConfig) { 0 };
	return train_options_apply(&options, NULL, config, err);
}

static void training_varies_and_evaluation_does_not(void **state)
{
	(void) state;
	static const char *const presets[] = { "default", "seed" };
	for (int i = 0; i < 2; i++) {
		const char *const args[] = { "--preset", presets[i], "--randomise", "4", "--vary", "flash=2:3,retries", "--seed=7", NULL };
		TrainerConfig config;
		Error err = { 0 };
		if (apply(args, &config, &err))
			fail_msg("%s", err.text);
		assert_int_equal(config.sim.vary.worlds, 4);
		assert_int_equal(config.sim.vary.worlds_seed, 7);
		assert_false(config.sim.vary.is_corner);
		assert_true(config.sim.vary.axis[AXIS_FLASH].is_on && config.sim.vary.axis[AXIS_FLASH].high == 3.0);
		assert_true(config.sim.vary.axis[AXIS_RETRIES].is_on && !config.sim.vary.axis[AXIS_TREND].is_on);
		assert_int_equal(config.eval_sim.vary.worlds, 0);
		for (int a = 0; a < SIM_AXES; a++)
			assert_false(config.eval_sim.vary.axis[a].is_on);
	}
}

static void by_default_no_axis_is_on(void **state)
{
	(void) state;
	const char *const args[] = { NULL };
	TrainerConfig config;
	Error err = { 0 };
	assert_int_equal(apply(args, &config, &err), 0);
	assert_int_equal(config.sim.vary.worlds, 0);
	for (int a = 0; a < SIM_AXES; a++)
		assert_false(config.sim.vary.axis[a].is_on);
}

/* The default's windows are of 35 s: the usual range keeps to them, one that does not is refused when the simulator is made. */
static void a_usual_range_keeps_to_the_windows(void **state)
{
	(void) state;
	const char *const usual[] = { "--vary", "scrape", NULL }, *const unknown[] = { "--vary", "scrapes", NULL };
	TrainerConfig config;
	Error err = { 0 };
	assert_int_equal(apply(usual, &config, &err), 0);
	assert_true(config.sim.vary.axis[AXIS_SCRAPE].low == 5.0 && config.sim.vary.axis[AXIS_SCRAPE].high == 17.5);
	assert_int_equal(apply(unknown, &config, &err), ERR_USAGE);
	assert_non_null(strstr(err.text, "no axis \"scrapes\""));
}

/* What the console asks before it ends for a training. */
static void the_next_training_is_checked_by_its_options(void **state)
{
	(void) state;
	static const struct { const char *options, *wrong; } CASES[] = {
		{ "--steps 300000 --name 'my own' --seed 2", NULL },
		{ "--preset seed --env sim", NULL },
		{ "--step 1", "train: unknown option --step, did you mean --steps" },
		{ "--steps many", "--steps" },
		{ "--preset seeds", "seeds" },
		{ "--env moon", "--env moon" },
		{ "--steps", "wants a value" },
		{ "words", "unexpected word \"words\"" },
		{ "--help", "in another terminal" }, /* it would be printed over the screen */
	};
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		Error err = { 0 };
		assert_int_equal(next_train_check(CASES[i].options, &err), CASES[i].wrong ? ERR_USAGE : 0);
		if (CASES[i].wrong && !strstr(err.text, CASES[i].wrong))
			fail_msg("%s: %s", CASES[i].options, err.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(training_varies_and_evaluation_does_not),
		cmocka_unit_test(by_default_no_axis_is_on),
		cmocka_unit_test(a_usual_range_keeps_to_the_windows),
		cmocka_unit_test(the_next_training_is_checked_by_its_options),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
