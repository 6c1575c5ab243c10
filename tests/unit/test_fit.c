/*
 * The fit: known services are found again from their request-level histories, what the data cannot tell is named and left at its
 * default, and bad histories are refused.
 */
#include "sim/fit_inside.h"

#include "fakes/fit_world.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static FitWorld world_default(void)
{
	FitWorld world = { .low = .1, .high = .85, .period_s = 5400.0, .pods = 3, .step_s = 60.0, .rows = 180, .seed = 7 };
	service_default(&world.service);
	return world;
}

static void estimate(const FitData *data, double effort, ServiceFile *file)
{
	FitOptions options = { .held_out = .25, .effort = effort, .seed = 1 };
	Error err = { 0 };
	*file = (ServiceFile) { .name = "known" };
	if (fit_estimate(data, &options, file, &err))
		fail_msg("%s", err.text);
	assert_string_equal(file->name, "known");
}

static double value_of(const ServiceFile *file, const char *name)
{
	ServiceFile copy = *file;
	return *service_at(&copy.service, service_find(name));
}

static FitOrigin source_of(const ServiceFile *file, const char *name)
{
	return file->fit.source[service_find(name)];
}

/* Estimated, within a share of the truth, and with a standard error that goes with it. */
static void assert_found(const ServiceFile *file, const char *name, double truth, double share)
{
	double value = value_of(file, name), se = file->fit.standard_error[service_find(name)];
	if (source_of(file, name) != FIT_ESTIMATED)
		fail_msg("%s is not estimated", name);
	if (fabs(value - truth) > share * truth)
		fail_msg("%s is %g, not %g within %g %%", name, value, truth, 100.0 * share);
	if (se > share * truth * 2.0)
		fail_msg("%s has a standard error of %g", name, se);
}

static void assert_untold(const ServiceFile *file, const char *name)
{
	const ServiceParameter *row = &SERVICE_PARAMETER[service_find(name)];
	if (source_of(file, name) != FIT_UNIDENTIFIED)
		fail_msg("%s is not named as unidentified", name);
	assert_true(value_of(file, name) == row->value);
	assert_true(isnan(file->fit.standard_error[service_find(name)]));
}

/* ---- three unlike services ---- */

static void an_interactive_service_with_half_a_core_is_found(void **state)
{
	(void) state;
	FitWorld world = world_default();
	ServiceFile file;
	FitData data;
	fit_world_make(&world, &data);
	estimate(&data, .1, &file);
	assert_found(&file, "service_mean", .02, .03);
	assert_found(&file, "cpu_limit", .5, .05);
	assert_true(fabs(value_of(&file, "service_cv") - 1.0) < .1);
	assert_true(fabs(value_of(&file, "net_delay") + value_of(&file, "service_overhead") - .00115) < 5e-4);
	assert_true(value_of(&file, "threads") == 1.0);
	assert_true(value_of(&file, "concurrency") == 128.0);
	assert_int_equal(file.balance, SIM_RANDOM);
	assert_true(file.fit.p95_error < .15 && file.fit.p50_error < .08);
	/* the world is the model's own: nothing but chance is left */
	assert_true(file.fit.p95_error < 1.8 * file.fit.p95_chance && file.fit.p95_error > .5 * file.fit.p95_chance);
	assert_true(file.fit.p50_error < 2.0 * file.fit.p50_chance && file.fit.cpu_error < 3.0 * file.fit.cpu_chance + .01);
	/* what a histogram cannot tell */
	assert_untold(&file, "grace");
	assert_untold(&file, "start_boot_mean");
	assert_untold(&file, "mem_base_bytes");
	assert_untold(&file, "client_timeout");
	fit_data_done(&data);
}

static void a_heavy_service_without_limit_and_with_a_backend_is_found(void **state)
{
	(void) state;
	FitWorld world = world_default();
	ServiceFile file;
	FitData data;
	world.service.service_mean = .08;
	world.service.service_cv = .5;
	world.service.cpu_limit = 0.0;
	world.service.threads = 2.0;
	world.service.net_delay = .03;
	fit_world_make(&world, &data);
	estimate(&data, .1, &file);
	assert_found(&file, "service_mean", .08, .03);
	assert_found(&file, "service_cv", .5, .1);
	assert_found(&file, "net_delay", .03, .1);
	assert_true(value_of(&file, "cpu_limit") == 0.0 && source_of(&file, "cpu_limit") == FIT_ESTIMATED);
	assert_true(value_of(&file, "threads") == 2.0);
	fit_data_done(&data);
}

static void a_worker_that_takes_one_request_at_a_time_is_found(void **state)
{
	(void) state;
	FitWorld world = world_default();
	ServiceFile file;
	FitData data;
	world.service.service_mean = .01;
	world.service.service_cv = 1.8;
	world.service.cpu_limit = .3;
	world.service.concurrency = 1.0;
	fit_world_make(&world, &data);
	estimate(&data, .12, &file);
	assert_found(&file, "service_mean", .01, .05);
	assert_found(&file, "service_cv", 1.8, .15);
	assert_found(&file, "cpu_limit", .3, .05);
	assert_true(value_of(&file, "concurrency") == 1.0 && source_of(&file, "concurrency") == FIT_ESTIMATED);
	assert_untold(&file, "threads"); /* one at a time uses one core, whatever there is */
	fit_data_done(&data);
}

/* ---- what the data cannot tell ---- */

static void idle_traffic_tells_no_limit(void **state)
{
	(void) state;
	FitWorld world = world_default();
	ServiceFile file;
	FitData data;
	world.service.service_mean = .004; /* of a millisecond or two each, and few of them: no quota is ever met */
	world.service.service_cv = 0.0;
	world.low = .01;
	world.high = .03;
	world.pods = 1;
	fit_world_make(&world, &data);
	for (size_t i = 0; i < data.n; i++)
		data.row[i].ready = 1.0;
	estimate(&data, .02, &file);
	assert_true(fabs(value_of(&file, "service_mean") + value_of(&file, "service_overhead") - .00415) < .0003);
	assert_untold(&file, "cpu_limit");
	assert_int_equal(file.fit.source[FIT_BALANCE], FIT_UNIDENTIFIED); /* one pod has no balancer */
	fit_data_done(&data);
}

/* Two pods for five minutes: the balancer is not read out of noise. */
static void a_short_history_tells_no_balancer(void **state)
{
	(void) state;
	FitWorld world = world_default();
	ServiceFile file;
	FitData data;
	world.service.cpu_limit = .3;
	world.service.concurrency = 4.0;
	world.high = .87;
	world.period_s = 300.0;
	world.pods = 2;
	world.step_s = 5.0;
	world.rows = 60;
	world.seed = 2;
	fit_world_make(&world, &data);
	estimate(&data, .05, &file);
	assert_int_equal(file.balance, SIM_RANDOM);
	assert_int_equal(file.fit.source[FIT_BALANCE], FIT_UNIDENTIFIED);
	fit_data_done(&data);
}

static void a_limit_told_by_the_cluster_is_taken(void **state)
{
	(void) state;
	FitWorld world = world_default();
	ServiceFile file;
	FitData data;
	fit_world_make(&world, &data);
	data.cpu_limit = .5;
	data.cpu_request = .25;
	data.mem_limit_bytes = 3e8;
	data.scrape_interval_s = 30.0;
	estimate(&data, .02, &file);
	assert_true(value_of(&file, "cpu_limit") == .5 && source_of(&file, "cpu_limit") == FIT_READ);
	assert_true(value_of(&file, "cpu_request") == .25 && source_of(&file, "cpu_request") == FIT_READ);
	assert_true(value_of(&file, "mem_limit_bytes") == 3e8);
	assert_true(value_of(&file, "scrape_interval") == 30.0);
	assert_found(&file, "service_mean", .02, .05);
	fit_data_done(&data);
}

/* ---- memory and start-up, on histories made by their own formulas ---- */

static void memory_and_start_up_are_found(void **state)
{
	(void) state;
	FitWorld world = world_default();
	ServiceFile file;
	FitData data;
	world.rows = 90;
	fit_world_make(&world, &data);
	for (size_t i = 0; i < data.n; i++) { /* 150 MiB, and 2 MiB a request in the pod: n by Little from a mean of 16 ms here */
		FitRow *row = &data.row[i];
		for (size_t b = 0; b <= data.n_bounds; b++)
			row->within[b] = b < data.n_bounds && data.bound_ms[b] < 25.0 ? 0.0 : row->rps;
		row->mem_bytes = row->ready * 150e6 + 2e6 * row->rps * .0175 + (i % 2 ? 1e4 : -1e4);
	}
	for (int i = 0; i < 40; i++) { /* created, scheduled 3 s later, running after 1 or 12 s, ready 9 or 11 s after that */
		double created = 1000.0 * i, running = created + 3.0 + (i % 4 ? 1.0 : 12.0);
		const FitStart start = { created, created + 3.0, running, running + (i % 2 ? 9.0 : 11.0) };
		assert_int_equal(fit_data_add_start(&data, &start), 0);
	}
	service_file_default(&file);
	fit_memory(&data, &file);
	fit_starts(&data, &file);
	assert_found(&file, "mem_base_bytes", 150e6, .001);
	assert_found(&file, "mem_inflight_bytes", 2e6, .03);
	assert_found(&file, "start_sched_min", 3.0, .001);
	assert_true(fabs(value_of(&file, "start_cached") - .75) < 1e-9);
	assert_found(&file, "start_pull_mean", 12.0, .001);
	assert_true(fabs(value_of(&file, "start_boot_mean") - 7.5) < 1e-9); /* 10 s, of which half a probe's period is not booting */
	fit_data_done(&data);
}

static void a_leak_is_told_from_noise(void **state)
{
	(void) state;
	for (int leaks = 0; leaks < 2; leaks++) {
		FitWorld world = world_default();
		ServiceFile file;
		FitData data;
		double served = 0.0;
		world.rows = 90;
		fit_world_make(&world, &data);
		for (size_t i = 0; i < data.n; i++) {
			served += data.row[i].rps / data.row[i].ready * 60.0;
			data.row[i].mem_bytes = data.row[i].ready * (100e6 + (leaks ? 800.0 * served : 0.0) + (double) (i % 3) * 2e3);
		}
		service_file_default(&file);
		fit_memory(&data, &file);
		if (leaks)
			assert_found(&file, "mem_leak_bytes", 800.0, .05);
		else
			assert_true(value_of(&file, "mem_leak_bytes") == 0.0);
		fit_data_done(&data);
	}
}

/* ---- holes and missing series ---- */

static void holes_are_left_out_and_missing_series_refused(void **state)
{
	(void) state;
	FitWorld world = world_default();
	ServiceFile file = { 0 };
	FitData data;
	FitOptions options = { .held_out = .25, .effort = .02, .seed = 1 };
	Error err = { 0 };
	fit_world_make(&world, &data);
	for (size_t i = 10; i < data.n; i += 11) /* every eleventh interval was not scraped */
		data.row[i].rps = data.row[i].cpu_cores = data.row[i].within[3] = NAN;
	FitLoad load;
	size_t steady = 0;
	assert_int_equal(fit_load_init(&load, &data, 0, data.n, &options, &err), 0);
	assert_true(fabs(load.demand - .02015) < .0005);
	fit_load_done(&load);
	for (size_t i = 0; i < data.n; i++)
		steady += fit_row_is_steady(&data, i, 0, data.n);
	assert_true(steady <= data.n - data.n / 11 && steady > data.n / 2);
	static const struct {
		size_t field;
		const char *want;
	} cases[] = {
		{ offsetof(FitRow, rps), "rps (the request rate) is not known in any of 180 intervals" },
		{ offsetof(FitRow, cpu_cores), "cpu_cores (the pods' cpu) is not known in any of 180 intervals" },
		{ offsetof(FitRow, ready), "ready (the number of ready pods) is not known in any of 180 intervals" },
		{ offsetof(FitRow, within), "0 intervals with latencies and a steady number of ready pods, must be 20" },
	};
	for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
		double kept[512];
		for (size_t i = 0; i < data.n; i++) {
			double *value = (double *) (void *) ((char *) &data.row[i] + cases[c].field);
			kept[i] = *value;
			*value = NAN;
		}
		assert_int_equal(fit_estimate(&data, &options, &file, &err), ERR_NO_DATA);
		if (!strstr(err.text, cases[c].want))
			fail_msg("\"%s\" without \"%s\"", err.text, cases[c].want);
		for (size_t i = 0; i < data.n; i++)
			*(double *) (void *) ((char *) &data.row[i] + cases[c].field) = kept[i];
	}
	data.n = 20;
	assert_int_equal(fit_estimate(&data, &options, &file, &err), ERR_NO_DATA);
	fit_data_done(&data);
}

static bool stop_early(void *context, double done)
{
	(*(int *) context)++;
	return done < .01;
}

static void a_fit_can_be_stopped(void **state)
{
	(void) state;
	FitWorld world = world_default();
	ServiceFile file = { 0 };
	FitData data;
	Error err = { 0 };
	int told = 0;
	FitOptions options = { .held_out = .25, .effort = 1, .seed = 1, .progress = stop_early, .context = &told };
	world.rows = 90;
	fit_world_make(&world, &data);
	assert_int_equal(fit_estimate(&data, &options, &file, &err), ERR_CANCELLED);
	assert_true(told > 1);
	fit_data_done(&data);
}

static void the_trace_bridges_short_holes_and_says_so(void **state)
{
	(void) state;
	FitData data;
	StrBuf text = { 0 };
	size_t bridged, left_out;
	Error err = { 0 };
	fit_data_init(&data);
	data.step_s = 60.0;
	for (int i = 0; i < 20; i++) /* rates 0 10 .. 190, without rows 3, 4 (a short hole) and 8..14 (a long one) */
		fit_data_add(&data, 60.0 * i)->rps = i == 3 || i == 4 || (i >= 8 && i <= 14) ? NAN : 10.0 * i;
	assert_int_equal(fit_trace(&data, "web", 300.0, &text, &bridged, &left_out, &err), 0);
	assert_int_equal(bridged, 2);
	assert_int_equal(left_out, 12);
	assert_string_equal(text.data, "# name: web\n# peak_rps: 70\nt_s,rps\n0.000,0\n60.000,10\n120.000,20\n180.000,30\n240.000,40\n"
	                               "300.000,50\n360.000,60\n420.000,70\n");
	for (size_t i = 0; i < data.n; i++)
		data.row[i].rps = i % 2 ? NAN : 1.0;
	strbuf_clear(&text);
	assert_int_equal(fit_trace(&data, "web", 30.0, &text, &bridged, &left_out, &err), ERR_NO_DATA);
	strbuf_done(&text);
	fit_data_done(&data);
}

/* ---- files ---- */

static char path[] = "/tmp/maestro-fit-XXXXXX";

static void a_history_is_written_and_read_again(void **state)
{
	(void) state;
	FitWorld world = world_default();
	FitData data, again;
	Error err = { 0 };
	world.rows = 12;
	fit_world_make(&world, &data);
	data.cpu_limit = .5;
	data.row[3].within[4] = data.row[5].cpu_cores = NAN;
	const FitStart start = { 1.0, NAN, 3.5, 4.0 };
	assert_int_equal(fit_data_add_start(&data, &start), 0);
	assert_int_equal(fit_data_write(&data, path, &err), 0);
	fit_data_init(&again);
	if (fit_data_read(path, &again, &err))
		fail_msg("%s", err.text);
	assert_int_equal(again.n, data.n);
	assert_int_equal(again.n_bounds, data.n_bounds);
	assert_true(again.step_s == 60.0 && again.cpu_limit == .5 && isnan(again.cpu_request));
	assert_int_equal(again.n_starts, 1);
	assert_true(again.start[0].running_s == 3.5 && isnan(again.start[0].scheduled_s));
	for (size_t i = 0; i < data.n; i++) {
		assert_true(fabs(again.row[i].rps - data.row[i].rps) < 1e-6);
		assert_true(isnan(again.row[i].mem_bytes));
		for (size_t b = 0; b <= data.n_bounds; b++)
			assert_true(fabs(again.row[i].within[b] - data.row[i].within[b]) < 1e-6 || (i == 3 && b == 4));
	}
	assert_true(isnan(again.row[3].within[4]) && isnan(again.row[5].cpu_cores));
	fit_data_done(&data);
	fit_data_done(&again);
}

static void bad_files_are_named_with_line(void **state)
{
	(void) state;
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "t_s,rps\n0,1\n60,x\n", ":3: column 2 (rps) is not a number >= 0" },
		{ "t_s,rps\n0,1\n60,-1\n", ":3: column 2 (rps) is not a number >= 0" },
		{ "t_s,rps\n0,1\n60\n", ":3: 1 columns, must be 2" },
		{ "t_s,rps\n0,1\n60,1,2\n", ":3: more than 2 columns" },
		{ "t_s,rps\n0,1\n,1\n", ":3: t_s is empty" },
		{ "t_s,rps\n60,1\n0,1\n", ":3: t_s does not rise" },
		{ "t_s,rps\n0,1\n60,1\n180,1\n", ":4: rows are not evenly spaced" },
		{ "t_s,rps,cpu\n0,1,1\n", ":1: unknown column \"cpu\"" },
		{ "t_s,rps,rps\n", ":1: column \"rps\" is there twice" },
		{ "rps\n1\n", ":1: no column t_s" },
		{ "t_s,le_5,le_1,le_inf\n", ":1: column le_1: bounds must rise" },
		{ "t_s,le_inf,le_5\n", ":1: column le_5: bounds must rise" },
		{ "t_s,le_1,le_5,le_inf\n0,2,1,3\n60,1,2,3\n", ":2: the counts fall with the bound" },
		{ "# cpu_limit: half\nt_s,rps\n", ":1: cpu_limit is not a number" },
		{ "# pod: 1,2,3\nt_s,rps\n", ":1: pod: not four times" },
		{ "t_s,rps\n0,1\n", "no rows" },
		{ "", "no rows" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		FitData data;
		Error err = { 0 };
		FILE *file = fopen(path, "w");
		assert_non_null(file);
		assert_true(fputs(cases[i].text, file) >= 0 && !fclose(file));
		fit_data_init(&data);
		assert_int_equal(fit_data_read(path, &data, &err), ERR_INVALID);
		if (!strstr(err.text, path) || !strstr(err.text, cases[i].want))
			fail_msg("case %zu says \"%s\"", i, err.text);
		fit_data_done(&data);
	}
}

/* Recorded by tests/e2e/fit_real.sh: two target-app processes of 20 ms a request under a kernel's quota, and a real Prometheus. */
static void a_recording_of_real_processes_is_understood(void **state)
{
	(void) state;
	FitData data;
	ServiceFile file;
	Error err = { 0 };
	fit_data_init(&data);
	if (fit_data_read("tests/fixtures/fit_real.csv", &data, &err))
		fail_msg("%s", err.text);
	estimate(&data, .08, &file);
	assert_found(&file, "service_mean", .02, .1);
	assert_found(&file, "cpu_limit", .3, .1);
	assert_true(value_of(&file, "concurrency") <= 4.0); /* one; in five minutes it looks much like a few */
	fit_data_done(&data);
}

static int make_file(void **state)
{
	(void) state;
	int fd = mkstemp(path);
	return fd < 0 || close(fd);
}

static int remove_file(void **state)
{
	(void) state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_interactive_service_with_half_a_core_is_found),
		cmocka_unit_test(a_heavy_service_without_limit_and_with_a_backend_is_found),
		cmocka_unit_test(a_worker_that_takes_one_request_at_a_time_is_found),
		cmocka_unit_test(idle_traffic_tells_no_limit),
		cmocka_unit_test(a_short_history_tells_no_balancer),
		cmocka_unit_test(a_limit_told_by_the_cluster_is_taken),
		cmocka_unit_test(memory_and_start_up_are_found),
		cmocka_unit_test(a_leak_is_told_from_noise),
		cmocka_unit_test(holes_are_left_out_and_missing_series_refused),
		cmocka_unit_test(a_fit_can_be_stopped),
		cmocka_unit_test(the_trace_bridges_short_holes_and_says_so),
		cmocka_unit_test(a_history_is_written_and_read_again),
		cmocka_unit_test(bad_files_are_named_with_line),
		cmocka_unit_test(a_recording_of_real_processes_is_understood),
	};
	return cmocka_run_group_tests(tests, make_file, remove_file);
}
