/* Rows of check.h about the metric pipeline: our rate(), increase() and histogram_quantile() over the samples of
 * tests/fixtures/promql.json, against what a real Prometheus answered over them. */
#include "base/json.h"
#include "base/mem.h"
#include "sim/check_rows.h"
#include "sim/promql.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SAMPLES_MAX = 64, BOUNDS_MAX = 16, FILE_MAX = 1 << 22 };

typedef struct Series {
	int64_t t_ms[SAMPLES_MAX];
	double value[SAMPLES_MAX][BOUNDS_MAX];
	int32_t n;
} Series;

/* An array of numbers; "NaN" stands for one. */
static int32_t read_numbers(const Json *array, double *ret, int32_t size)
{
	int32_t n = 0;
	for (const Json *item = json_first(array); item && n < size; item = json_next(item), n++)
		if (!json_number(item, &ret[n]))
			ret[n] = NAN;
	return n;
}

static void read_series(const Json *from, Series *ret)
{
	double t_ms[SAMPLES_MAX];
	ret->n = read_numbers(json_get(from, "t_ms"), t_ms, SAMPLES_MAX);
	int32_t k = 0;
	for (const Json *item = json_first(json_get(from, "value")); item && k < ret->n; item = json_next(item), k++) {
		ret->t_ms[k] = (int64_t) t_ms[k];
		if (json_is_array(item))
			(void) read_numbers(item, ret->value[k], BOUNDS_MAX);
		else if (!json_number(item, &ret->value[k][0]))
			ret->value[k][0] = NAN;
	}
}

/* Unlike kinds of answer are infinitely far apart. */
static double apart(bool is_there, double got, const Json *answer)
{
	double want = NAN;
	bool is_wanted = answer && !json_is_null(answer);
	(void) json_number(answer, &want);
	if (is_there != is_wanted || (is_wanted && isnan(got) != isnan(want)))
		return INFINITY;
	return !is_wanted || isnan(want) ? 0.0 : fabs(got - want) / fmax(fabs(want), 1.0);
}

static int check_rates(const Json *root, bool is_increase, CheckResult *ret)
{
	int cases = 0;
	int64_t now_ms = json_int_or(root, "now_ms", 0);
	for (const Json *c = json_first(json_get(root, "rate")); c; c = json_next(c)) {
		Series series = { 0 };
		RateWindow window;
		int64_t range_ms = json_int_or(c, "range_ms", 0);
		read_series(c, &series);
		bool is_there = rate_window(series.t_ms, SAMPLES_MAX, 0, series.n, json_int_or(c, "now_ms", now_ms), range_ms, &window);
		double got = is_there ? rate_value(&window, series.value[0], BOUNDS_MAX) : NAN;
		if (is_increase && !json_get(c, "increase"))
			continue;
		const Json *answer = json_get(c, is_increase ? "increase" : "answer");
		check_worst(ret, apart(is_there, is_increase ? got * (double) range_ms / 1000.0 : got, answer), "%s",
		            json_string_or(c, "name", "?"));
		cases++;
	}
	return cases;
}

static int check_quantiles(const Json *root, CheckResult *ret)
{
	int cases = 0;
	double bound[BOUNDS_MAX];
	int64_t now_ms = json_int_or(root, "now_ms", 0);
	int32_t n = read_numbers(json_get(root, "bound"), bound, BOUNDS_MAX - 1);
	bound[n++] = INFINITY;
	for (const Json *c = json_first(json_get(root, "quantile")); c; c = json_next(c), cases++) {
		double sum[BOUNDS_MAX] = { 0 };
		for (const Json *pod = json_first(json_get(c, "pods")); pod; pod = json_next(pod)) {
			Series series = { 0 };
			RateWindow window;
			read_series(pod, &series);
			if (rate_window(series.t_ms, SAMPLES_MAX, 0, series.n, now_ms, json_int_or(c, "range_ms", 0), &window))
				rate_add(&window, series.value[0], BOUNDS_MAX, n, sum);
		}
		double got = histogram_quantile(json_number_or(c, "q", 0.0), bound, sum, n);
		check_worst(ret, apart(true, got, json_get(c, "answer")), "%s", json_string_or(c, "name", "?"));
	}
	return cases;
}

int check_promql(const CheckRow *row, const CheckOptions *options, CheckResult *ret, Error *err)
{
	char path[512];
	StrBuf text = { 0 };
	Json *root = NULL;
	(void) snprintf(path, sizeof path, "%s/promql.json", options->fixtures);
	int code = mem_read_file(path, FILE_MAX, &text, NULL);
	if (code) {
		(void) snprintf(ret->skipped, sizeof ret->skipped, "no recorded answers at %.48s; --fixtures DIR", path);
		return 0;
	}
	code = json_parse(text.data, text.len, &root, err);
	int cases = code ? 0 : row->a < 2.0 ? check_rates(root, row->a == 1.0, ret) : check_quantiles(root, ret);
	if (!code && !cases)
		(void) snprintf(ret->skipped, sizeof ret->skipped, "%.48s has no such cases", path);
	json_free(root);
	strbuf_done(&text);
	return code;
}
