/* Settings of targets: what beats what, and the configuration file's targets:, whose errors name line and key (fault 35). */
#include "cmd/run_target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void a_setting_comes_from_the_first_that_has_it(void **state)
{
	(void) state;
	RunOptions o;
	run_options_default(&o);
	GivenTarget given = { .namespace_ = "shop", .name = "web" };
	TargetFacts facts = { .min_replicas = 2, .max_replicas = 8, .latency_soft_ms = 300, .interval_s = 20, .policy = "hpa:cpu=70" };
	ModelInfo info = { .steps = 10, .interval_s = 30 };
	TargetSettings s;
	Error err = { 0 };
	assert_int_equal(target_settle(&o, &given, NULL, NULL, &s, &err), 0);
	assert_int_equal(s.target.min_replicas, 1);
	assert_int_equal(s.target.max_replicas, 0); /* nobody says */
	assert_true(s.interval_s == 15 && s.interval == ORIGIN_DEFAULT);
	assert_true(s.target.latency_soft_ms < 0);
	assert_string_equal(s.policy, "default");
	assert_int_equal(target_settle(&o, &given, NULL, &info, &s, &err), 0);
	assert_true(s.interval_s == 30 && s.interval == ORIGIN_MODEL);
	assert_int_equal(target_settle(&o, &given, &facts, &info, &s, &err), 0);
	assert_int_equal(s.target.min_replicas, 2);
	assert_int_equal(s.max, ORIGIN_ANNOTATION);
	assert_true(s.interval_s == 20);
	assert_string_equal(s.policy, "hpa:cpu=70");
	given.max_replicas = 6;
	given.interval_s = 25;
	given.latency_soft_ms = 200;
	assert_int_equal(target_settle(&o, &given, &facts, &info, &s, &err), 0);
	assert_int_equal(s.target.max_replicas, 6);
	assert_int_equal(s.max, ORIGIN_CONFIG);
	assert_true(s.target.latency_soft_ms == 200);
	o.max_replicas = 4;
	o.interval_s = 10;
	o.latency_soft_ms = 100;
	o.policy = "default";
	assert_int_equal(target_settle(&o, &given, &facts, &info, &s, &err), 0);
	assert_int_equal(s.target.max_replicas, 4);
	assert_int_equal(s.max, ORIGIN_OPTION);
	assert_true(s.interval_s == 10);
	assert_true(s.target.latency_soft_ms == 200); /* an option for limits is a stand-in */
	assert_string_equal(s.policy, "default");
	o.prom.queries = "generic"; /* and so is one for queries */
	facts.has_queries = true;
	assert_int_equal(target_settle(&o, &given, &facts, &info, &s, &err), 0);
	assert_true(s.queries_from == ORIGIN_ANNOTATION);
	str_copy(given.queries, sizeof given.queries, "linkerd");
	assert_int_equal(target_settle(&o, &given, &facts, &info, &s, &err), 0);
	assert_string_equal(s.queries, "linkerd");
	given.latency_soft_ms = 0;
	facts.latency_soft_ms = 0;
	assert_int_equal(target_settle(&o, &given, &facts, &info, &s, &err), 0);
	assert_true(s.target.latency_soft_ms == 100 && s.soft == ORIGIN_OPTION);
	o.min_replicas = 5;
	assert_int_equal(target_settle(&o, &given, &facts, &info, &s, &err), ERR_INVALID);
	assert_non_null(strstr(err.text, "min 5 (option) is over max 4 (option)"));
}

static int read_file(const char *text, TargetList *list, Error *err)
{
	char path[] = "/tmp/maestro-targets-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t) strlen(text));
	(void) close(fd);
	RunOptions o;
	run_options_default(&o);
	o.config = path;
	*err = (Error) { 0 };
	int code = target_list_read(&o, "shop", list, err);
	(void) unlink(path);
	return code;
}

static void the_file_names_targets_with_their_settings(void **state)
{
	(void) state;
	TargetList list = { 0 };
	Error err;
	assert_int_equal(read_file("db: x\ntargets:\n- target: web\n  min: 2\n  max: 9\n  interval: 1m\n  limits: {soft: 250, hard: 500}\n  queries: linkerd\n"
	                           "- {target: other/api, policy: 'hpa:cpu=60', max: 3}\n", &list, &err), 0);
	assert_int_equal(list.n, 2);
	assert_string_equal(list.target[0].namespace_, "shop");
	assert_string_equal(list.target[0].name, "web");
	assert_int_equal(list.target[0].min_replicas, 2);
	assert_true(list.target[0].interval_s == 60 && list.target[0].latency_hard_ms == 500);
	assert_string_equal(list.target[0].queries, "linkerd");
	assert_string_equal(list.target[1].queries, "");
	assert_string_equal(list.target[1].namespace_, "other");
	assert_string_equal(list.target[1].policy, "hpa:cpu=60");
	target_list_done(&list);
	assert_int_equal(read_file("db: x\n", &list, &err), 0);
	assert_int_equal(list.n, 0);
	target_list_done(&list);
}

static void a_wrong_file_is_refused_with_line_and_key(void **state)
{
	(void) state;
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "targets:\n- target: web\n- target: api\n  min: 0\n", ":4: targets: min: " },
		{ "# one\n\ntargets:\n- target: web\n  max: many\n", ":5: targets: max: " },
		{ "targets:\n- target: web\n  colour: red\n", ":3: targets: colour: not known" },
		{ "targets:\n- target: web\n  queries: [a]\n", ":3: targets: queries: a preset or a file" },
		{ "targets:\n- min: 2\n", "targets: target: is missing" },
		{ "targets:\n- target: a/b/c\n", ":2: targets: target: " },
		{ "targets:\n- target: web\n  interval: soon\n", ":3: targets: interval: " },
		{ "targets:\n- target: web\n  limits: {softish: 1}\n", ":3: targets: limits: " },
		{ "targets:\n- target: web\n  min: 5\n  max: 4\n", ":3: targets: min: is over max" },
		{ "targets:\n- target: web\n- target: shop/web\n", ":3: targets: target: is there twice" },
		{ "targets: web\n", ":1: targets: a list is wanted" },
		{ "targets: [\n", "line" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		TargetList list = { 0 };
		Error err;
		int code = read_file(cases[i].text, &list, &err);
		if (code != ERR_INVALID || !strstr(err.text, cases[i].want))
			fail_msg("%s: %d, \"%s\", want \"%s\"", cases[i].text, code, err.text, cases[i].want);
	}
}

int main(void)
{
	(void) setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
	(void) unsetenv("TARGET_DEPLOYMENT");
	(void) unsetenv("POLL_INTERVAL_SECONDS");
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_setting_comes_from_the_first_that_has_it),
		cmocka_unit_test(the_file_names_targets_with_their_settings),
		cmocka_unit_test(a_wrong_file_is_refused_with_line_and_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
