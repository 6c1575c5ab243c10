/* rate() and histogram_quantile(): against a real Prometheus's recorded answers, and cases worked out by hand. */
#include "base/json.h"
#include "base/mem.h"
#include "sim/promql.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { SAMPLES_MAX = 32, BOUNDS_MAX = 16 };

static Json *load(void)
{
	StrBuf text = { 0 };
	Error err;
	Json *root = NULL;
	assert_int_equal(mem_read_file("tests/fixtures/promql.json", 1 << 20, &text, &err), 0);
	assert_int_equal(json_parse(text.data, text.len, &root, &err), 0);
	strbuf_done(&text);
	return root;
}

static int32_t read_numbers(const Json *array, double *ret)
{
	int32_t n = 0;
	for (const Json *item = json_first(array); item; item = json_next(item)) {
		assert_true(n < SAMPLES_MAX);
		if (!json_number(item, &ret[n]))
			ret[n] = NAN; /* JSON has no number for it: written as a string */
		n++;
	}
	return n;
}

/* The window of a case over a ring that starts in the middle, so that it wraps around. */
static bool window_of(const Json *series, int64_t now_ms, int64_t range_ms, int64_t t_ms[SAMPLES_MAX], int32_t *ret_at,
                      RateWindow *ret)
{
	double t[SAMPLES_MAX];
	int32_t n = read_numbers(json_get(series, "t_ms"), t), head = SAMPLES_MAX - 2;
	for (int32_t k = 0; k < n; k++) {
		ret_at[k] = (head + k) % SAMPLES_MAX;
		t_ms[ret_at[k]] = (int64_t) t[k];
	}
	return rate_window(t_ms, SAMPLES_MAX, head, n, now_ms, range_ms, ret);
}

static void rate_equals_prometheus(void **state)
{
	(void) state;
	Json *root = load();
	int64_t now_ms = json_int_or(root, "now_ms", 0);
	int cases = 0;
	for (const Json *c = json_first(json_get(root, "rate")); c; c = json_next(c), cases++) {
		int64_t t_ms[SAMPLES_MAX] = { 0 };
		int32_t at[SAMPLES_MAX];
		double in[SAMPLES_MAX], value[SAMPLES_MAX], want;
		RateWindow window;
		bool has_answer = !json_is_null(json_get(c, "answer"));
		bool is_there = window_of(c, json_int_or(c, "now_ms", now_ms), json_int_or(c, "range_ms", 0), t_ms, at, &window);
		if (is_there != has_answer)
			fail_msg("%s: %s", json_string_or(c, "name", "?"), is_there ? "an answer too many" : "no answer");
		if (!is_there)
			continue;
		int32_t n = read_numbers(json_get(c, "value"), in);
		for (int32_t k = 0; k < n; k++)
			value[at[k]] = in[k];
		double got = rate_value(&window, value, 1), sum = 0.0;
		rate_add(&window, value, 1, 1, &sum);
		if (!json_number(json_get(c, "answer"), &want)) {
			if (!isnan(got) || !isnan(sum))
				fail_msg("%s: %g and %g, Prometheus has NaN", json_string_or(c, "name", "?"), got, sum);
			continue;
		}
		if (fabs(got - want) > 1e-9 * fmax(fabs(want), 1.0) || fabs(sum - want) > 1e-9 * fmax(fabs(want), 1.0))
			fail_msg("%s: %.17g and %.17g, Prometheus has %.17g", json_string_or(c, "name", "?"), got, sum, want);
	}
	assert_true(cases > 60);
	json_free(root);
}

static void quantile_equals_prometheus(void **state)
{
	(void) state;
	Json *root = load();
	int64_t now_ms = json_int_or(root, "now_ms", 0);
	double bound[BOUNDS_MAX];
	int32_t n = read_numbers(json_get(root, "bound"), bound);
	bound[n++] = INFINITY;
	int cases = 0;
	for (const Json *c = json_first(json_get(root, "quantile")); c; c = json_next(c), cases++) {
		double sum[BOUNDS_MAX] = { 0 }, want;
		for (const Json *pod = json_first(json_get(c, "pods")); pod; pod = json_next(pod)) {
			int64_t t_ms[SAMPLES_MAX] = { 0 };
			int32_t at[SAMPLES_MAX], k = 0;
			double value[SAMPLES_MAX][BOUNDS_MAX];
			RateWindow window;
			assert_true(window_of(pod, now_ms, json_int_or(c, "range_ms", 0), t_ms, at, &window));
			for (const Json *row = json_first(json_get(pod, "value")); row; row = json_next(row))
				assert_int_equal(read_numbers(row, value[at[k++]]), n);
			rate_add(&window, value[0], BOUNDS_MAX, n, sum);
		}
		double got = histogram_quantile(json_number_or(c, "q", 0.0), bound, sum, n);
		if (!json_number(json_get(c, "answer"), &want)) {
			assert_true(isnan(got));
			continue;
		}
		if (!(fabs(got - want) <= 1e-9 * want))
			fail_msg("%s: %.17g, Prometheus has %.17g", json_string_or(c, "name", "?"), got, want);
	}
	assert_true(cases >= 10);
	json_free(root);
}

/* 10 s apart, 1 a second, window 60 s full: nothing to extrapolate but the ends. */
static void rate_of_a_full_window_is_the_slope(void **state)
{
	(void) state;
	int64_t t_ms[6];
	double value[6];
	for (int i = 0; i < 6; i++) {
		t_ms[i] = 5000 + 10000 * i;
		value[i] = 100.0 + 10.0 * i;
	}
	RateWindow window;
	assert_true(rate_window(t_ms, 6, 0, 6, 60000, 60000, &window));
	assert_int_equal(window.n, 6);
	assert_true(fabs(rate_value(&window, value, 1) - 1.0) < 1e-12);
}

/* First sample 30 s after the window's start, more than 1.1 x 10 s away: half an interval is added. */
static void rate_of_a_late_series_adds_half_an_interval(void **state)
{
	(void) state;
	const int64_t t_ms[] = { 40000, 50000, 60000 };
	const double value[] = { 1000, 1010, 1020 };
	RateWindow window;
	assert_true(rate_window(t_ms, 3, 0, 3, 60000, 50000, &window));
	assert_true(fabs(rate_value(&window, value, 1) - 20.0 * (25.0 / 20.0) / 50.0) < 1e-12);
}

static void rate_does_not_see_the_sample_at_the_open_end(void **state)
{
	(void) state;
	const int64_t t_ms[] = { 0, 15000, 30000 };
	RateWindow window;
	assert_true(rate_window(t_ms, 3, 0, 3, 30000, 30000, &window));
	assert_int_equal(window.first, 1);
}

static void rate_of_a_single_sample_is_no_data(void **state)
{
	(void) state;
	const int64_t t_ms[] = { 10000, 50000 };
	RateWindow window;
	assert_false(rate_window(t_ms, 2, 0, 2, 60000, 30000, &window));
	assert_false(rate_window(t_ms, 2, 0, 0, 60000, 30000, &window));
}

static void quantile_of_a_slow_service_is_read_within_its_bucket(void **state)
{
	(void) state;
	const double bound[] = { 500, 1000, INFINITY }, all_slow[] = { 0, 10, 10 }, beyond[] = { 0, 0, 10 };
	assert_true(fabs(histogram_quantile(.95, bound, all_slow, 3) - 975.0) < 1e-9);
	assert_true(histogram_quantile(.95, bound, beyond, 3) == 1000.0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rate_equals_prometheus),
		cmocka_unit_test(quantile_equals_prometheus),
		cmocka_unit_test(rate_of_a_full_window_is_the_slope),
		cmocka_unit_test(rate_of_a_late_series_adds_half_an_interval),
		cmocka_unit_test(rate_does_not_see_the_sample_at_the_open_end),
		cmocka_unit_test(rate_of_a_single_sample_is_no_data),
		cmocka_unit_test(quantile_of_a_slow_service_is_read_within_its_bucket),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
