/* Service files: what is written is read again, a wrong one is named with file, line and key, and a service from a file runs on both
 * levels. */
#include "sim/service_file.h"

#include "base/env.h"
#include "sim/table_cache.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int parse(const char *text, ServiceFile *file, Error *err)
{
	*err = (Error) { 0 };
	return service_file_parse(text, strlen(text), "dir/web.yaml", file, err);
}

static void absent_keys_keep_their_defaults(void **state)
{
	(void) state;
	ServiceFile file;
	Error err;
	Service standard;
	service_default(&standard);
	if (parse("service_mean: 0.05\nlb: least # a mesh\n", &file, &err))
		fail_msg("%s", err.text);
	assert_true(file.service.service_mean == .05);
	assert_int_equal(file.balance, SIM_LEAST);
	assert_string_equal(file.name, "web.yaml");
	assert_false(file.fit.is_there);
	file.service.service_mean = standard.service_mean;
	assert_memory_equal(&file.service, &standard, sizeof standard);
}

static void every_wrong_file_is_named_with_line_and_key(void **state)
{
	(void) state;
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "service_mean: .02\nservice_maen: 3\n", "dir/web.yaml:2: service_maen: unknown key" },
		{ "service_mean: 20ms\n", "dir/web.yaml:1: service_mean: not a number" },
		{ "service_mean: .nan\n", "dir/web.yaml:1: service_mean: not a number" },
		{ "# x\n\nthreads: 0\n", "dir/web.yaml:3: threads: 0 cores, must be 0.1 to 64" },
		{ "service_cv: -1\n", "dir/web.yaml:1: service_cv: -1, must be 0 to 5" },
		{ "threads: 1\nthreads: 2\n", "dir/web.yaml:2: threads: is there twice" },
		{ "lb: fair\n", "dir/web.yaml:1: lb: must be random, rr or least" },
		{ "concurrency: 1.5\n", "dir/web.yaml: service: concurrency and queue_max count requests, must be whole" },
		{ "start_sched_min: 9\n", "dir/web.yaml: service: start_sched_max is 0.5, must be at least start_sched_min, 9" },
		{ "format: maestro-service/2\n", "dir/web.yaml:1: format: must be maestro-service/1" },
		{ "name: {}\n", "dir/web.yaml:1: name: must be a word" },
		{ "fit:\n  standard_error:\n    service_men: 1\n", "dir/web.yaml:3: fit.standard_error.service_men: unknown parameter" },
		{ "fit:\n  standard_error: {service_mean: -1}\n", "dir/web.yaml:2: fit.standard_error.service_mean: -1, must be 0" },
		{ "fit:\n  unidentified: [lb, speed]\n", "dir/web.yaml:2: fit.unidentified: unknown parameter \"speed\"" },
		{ "fit:\n  p95_eror: .1\n", "dir/web.yaml:2: fit.p95_eror: unknown key" },
		{ "fit: 3\n", "dir/web.yaml:1: fit: must be a list" },
		{ "fit:\n- threads: 1\n- threads: 1\n", "dir/web.yaml:1: fit: must be a list" },
		{ "fit:\n  standard_error: [1, 2]\n", "dir/web.yaml:2: fit.standard_error: must be a list" },
		{ "- 1\n", "dir/web.yaml:1: not a list of KEY: VALUE" },
		{ "", "dir/web.yaml:1: not a list of KEY: VALUE" },
		{ "a: [\n", "dir/web.yaml: line 2: " },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		ServiceFile file = { .name = "untouched" };
		Error err;
		int code = parse(cases[i].text, &file, &err);
		if (code != ERR_INVALID && code != ERR_PARSE)
			fail_msg("case %zu is taken", i);
		if (strncmp(err.text, cases[i].want, strlen(cases[i].want)))
			fail_msg("case %zu says \"%s\", not \"%s\"", i, err.text, cases[i].want);
		assert_string_equal(file.name, "untouched");
	}
	ServiceFile file;
	Error err;
	assert_int_equal(service_file_read("/nonexistent/web.yaml", &file, &err), ERR_IO);
	assert_non_null(strstr(err.text, "/nonexistent/web.yaml"));
}

static void what_is_written_is_read_again(void **state)
{
	(void) state;
	ServiceFile file, again;
	Error err;
	StrBuf text = { 0 };
	service_file_default(&file);
	str_copy(file.name, sizeof file.name, "shop/\"web\"");
	file.service.service_mean = .0123456789;
	file.service.mem_leak_bytes = 12.5;
	file.balance = SIM_ROUND_ROBIN;
	file.fit.is_there = true;
	file.fit.source[service_find("service_mean")] = FIT_ESTIMATED;
	file.fit.standard_error[service_find("service_mean")] = 1.5e-4;
	file.fit.source[service_find("grace")] = FIT_UNIDENTIFIED;
	file.fit.source[service_find("cpu_request")] = FIT_READ;
	file.fit.source[FIT_BALANCE] = FIT_UNIDENTIFIED;
	file.fit.p95_error = .07;
	service_file_print(&file, &text);
	if (parse(text.data, &again, &err))
		fail_msg("%s", err.text);
	assert_string_equal(again.name, file.name);
	assert_memory_equal(&again.service, &file.service, sizeof file.service);
	assert_int_equal(again.balance, SIM_ROUND_ROBIN);
	assert_memory_equal(again.fit.source, file.fit.source, sizeof file.fit.source);
	assert_true(again.fit.standard_error[service_find("service_mean")] == 1.5e-4);
	assert_true(isnan(again.fit.standard_error[service_find("service_cv")]));
	assert_true(again.fit.p95_error == .07);
	assert_true(isnan(again.fit.cpu_error));
	/* a person reads the same beside the value */
	assert_non_null(strstr(text.data, "standard error 0.00015\n"));
	assert_non_null(strstr(text.data, "; NOT IDENTIFIED by the data: the default\n"));
	for (int i = 0; i < SERVICE_PARAMETERS; i++)
		assert_non_null(strstr(text.data, SERVICE_PARAMETER[i].help));
	/* and without anything estimated */
	strbuf_clear(&text);
	service_file_default(&file);
	file.fit.is_there = true;
	service_file_print(&file, &text);
	if (parse(text.data, &again, &err))
		fail_msg("%s", err.text);
	strbuf_done(&text);
}

static void a_file_is_simulated_on_both_levels(void **state)
{
	(void) state;
	ServiceFile file;
	Error err;
	assert_int_equal(parse("service_mean: .05\nservice_cv: 0\nscrape_interval: 6\nlb: rr\n", &file, &err), 0);
	for (int level = SIM_FLUID; level <= SIM_REQUEST; level++) {
		SimConfig sim;
		Env *env;
		sim_config_default(&sim);
		sim.level = (SimLevel) level;
		sim.peak_rps = 5.0;
		assert_int_equal(service_file_apply(&file, &sim), level == SIM_REQUEST);
		assert_int_equal(sim.balance, level == SIM_REQUEST ? SIM_ROUND_ROBIN : SIM_RANDOM);
		assert_true(sim.substep_s == 3.0f); /* at most 5 s, divides 30 and 6 */
		if (sim_env_new(&sim, 1, &env, &err))
			fail_msg("%s", err.text);
		env_free(env);
	}
}

/* ---- tables on disk ---- */

static char cache[] = "/tmp/maestro-cache-XXXXXX";

static void tables_are_kept_whole_or_not_at_all(void **state)
{
	(void) state;
	static ResponseTable made, kept;
	Service service, other;
	char command[128], path[256] = "";
	assert_non_null(mkdtemp(cache));
	assert_int_equal(setenv("XDG_CACHE_HOME", cache, 1), 0);
	service_default(&service);
	service.service_mean = .03;
	other = service;
	other.net_delay = .002;
	assert_int_equal(table_build_settled(&service, 500, 7, &made), 0);
	assert_false(table_cache_read(&service, 500, 7, &kept));
	table_cache_write(&service, 500, 7, &made);
	assert_true(table_cache_read(&service, 500, 7, &kept));
	assert_memory_equal(&kept, &made, sizeof made);
	assert_false(table_cache_read(&other, 500, 7, &kept));
	assert_false(table_cache_read(&service, 501, 7, &kept));
	assert_false(table_cache_read(&service, 500, 8, &kept));
	(void) snprintf(command, sizeof command, "ls -d %s/maestro/table-*", cache);
	FILE *list = popen(command, "r");
	assert_non_null(list);
	assert_non_null(fgets(path, sizeof path, list));
	assert_null(fgets(command, sizeof command, list)); /* one file, and no temporary one */
	(void) pclose(list);
	path[strcspn(path, "\n")] = '\0';
	for (long at = 200; at < 40000; at += 9999) { /* one byte changed anywhere, or the end missing: not there */
		FILE *file = fopen(path, "r+b");
		assert_non_null(file);
		assert_int_equal(fseek(file, at, SEEK_SET), 0);
		int byte = fgetc(file);
		assert_int_equal(fseek(file, at, SEEK_SET), 0);
		assert_true(fputc(byte ^ 1, file) != EOF && !fclose(file));
		assert_false(table_cache_read(&service, 500, 7, &kept));
		table_cache_write(&service, 500, 7, &made);
	}
	assert_int_equal(truncate(path, 30000), 0);
	assert_false(table_cache_read(&service, 500, 7, &kept));
	assert_int_equal(setenv("XDG_CACHE_HOME", "/nonexistent/cache", 1), 0);
	table_cache_write(&service, 500, 7, &made); /* no place: nothing is kept, and nothing fails */
	assert_false(table_cache_read(&service, 500, 7, &kept));
	(void) snprintf(command, sizeof command, "rm -r %s", cache);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(absent_keys_keep_their_defaults),
		cmocka_unit_test(every_wrong_file_is_named_with_line_and_key),
		cmocka_unit_test(what_is_written_is_read_again),
		cmocka_unit_test(a_file_is_simulated_on_both_levels),
		cmocka_unit_test(tables_are_kept_whole_or_not_at_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
