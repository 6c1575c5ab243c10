/*
 * See prom_range.h. Prometheus refuses more than 11,000 points a series; a chunk is smaller still, so that the tree of one
 * answer stays small beside the numbers that are kept of it.
 */
#include "cluster/prom_range.h"

#include "base/mem.h"
#include "cluster/prom_inside.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_POINTS = 4000, CHUNK_MIN = 60, VALUES_MAX = 8 << 20 };

static void name_series(StrBuf *labels, const Json *metric)
{
	strbuf_clear(labels);
	strbuf_add(labels, "", 0);
	for (const Json *label = json_first(metric); label; label = json_next(label)) {
		const char *value = json_string(label);
		strbuf_addf(labels, "%s%s=\"%s\"", labels->len > 0 ? "," : "", json_key(label), value ? value : "?");
	}
}

static int add_series(PromMatrix *matrix, const char *labels, const char *by, PromSeries **ret, Error *err)
{
	if (matrix->n_series >= VALUES_MAX / matrix->n)
		return error_set(err, ERR_INVALID, "prometheus: more than %zu series over %zu times", matrix->n_series, matrix->n);
	PromSeries *series = mem_room(matrix->series, matrix->n_series, &matrix->size, sizeof *series);
	if (!series)
		return error_set(err, ERR_NOMEM, "out of memory");
	matrix->series = series;
	PromSeries *added = &matrix->series[matrix->n_series];
	*added = (PromSeries) { .labels = strdup(labels), .value = malloc(matrix->n * sizeof *added->value) };
	if (!added->labels || !added->value) {
		free(added->labels);
		free(added->value);
		return error_set(err, ERR_NOMEM, "out of memory");
	}
	str_copy(added->by, sizeof added->by, by);
	for (size_t i = 0; i < matrix->n; i++)
		added->value[i] = NAN;
	matrix->n_series++;
	*ret = added;
	return 0;
}

static int find_series(PromMatrix *matrix, const PromRange *range, const Json *metric, StrBuf *labels, PromSeries **ret,
                       Error *err)
{
	name_series(labels, metric);
	if (labels->failed)
		return error_set(err, ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < matrix->n_series; i++)
		if (!strcmp(matrix->series[i].labels, labels->data)) {
			*ret = &matrix->series[i];
			return 0;
		}
	return add_series(matrix, labels->data, range->by ? json_string_or(metric, range->by, "") : "", ret, err);
}

/* Values of one series at times first to last. */
static int read_values(const PromQuery *query, const PromMatrix *matrix, const Json *values, size_t first, size_t last,
                       double *to, Error *err)
{
	if (!json_is_array(values))
		return prom_unexpected(query, "a series without values", err);
	for (const Json *pair = json_first(values); pair; pair = json_next(pair)) {
		double time_s, value;
		if (!prom_read_value(pair, &time_s, &value))
			return prom_unexpected(query, "a value that is not a number", err);
		double steps = (time_s * 1000.0 - (double) matrix->start_ms) / (double) matrix->step_ms;
		double at = round(steps);
		if (!(at >= (double) first && at <= (double) last) || fabs(steps - at) * (double) matrix->step_ms > 2.0)
			return prom_unexpected(query, "a value at a time that was not asked for", err);
		to[(size_t) at] = value;
	}
	return 0;
}

static int read_chunk(const PromQuery *query, const PromRange *range, const Json *root, size_t first, size_t last,
                      PromMatrix *matrix, Error *err)
{
	const Json *result = json_get(root, "data.result");
	StrBuf labels = { 0 };
	int code = 0;
	if (strcmp(json_string_or(root, "data.resultType", ""), "matrix") || !json_is_array(result))
		return prom_unexpected(query, "not a matrix", err);
	for (const Json *item = json_first(result); item && !code; item = json_next(item)) {
		PromSeries *series = NULL;
		code = find_series(matrix, range, json_get(item, "metric"), &labels, &series, err);
		if (!code)
			code = read_values(query, matrix, json_get(item, "values"), first, last, series->value, err);
	}
	strbuf_done(&labels);
	return code;
}

static void add_time(StrBuf *to, const char *name, int64_t ms)
{
	strbuf_addf(to, "%s=%lld.%03d", name, (long long) (ms / 1000), (int) (ms % 1000));
}

static int ask_chunk(PromQuery *query, const PromRange *range, size_t first, size_t last, PromMatrix *matrix, Error *err)
{
	int64_t left_ms = range->deadline_ms - clock_mono_ms(range->clock);
	if (left_ms <= 0)
		return error_set(err, ERR_TIMEOUT, "prometheus: out of time at %zu of %zu points", first, matrix->n);
	strbuf_clear(&query->target);
	strbuf_addf(&query->target, "/api/v1/query_range?");
	add_time(&query->target, "start", range->start_ms + (int64_t) first * range->step_ms);
	add_time(&query->target, "&end", range->start_ms + (int64_t) last * range->step_ms);
	add_time(&query->target, "&step", range->step_ms);
	strbuf_addf(&query->target, "&query=");
	http_escape(&query->target, range->promql);
	Json *root = NULL;
	int code = prom_ask(query, left_ms < range->timeout_ms ? left_ms : range->timeout_ms, &root, err);
	if (!code)
		code = read_chunk(query, range, root, first, last, matrix, err);
	json_free(root);
	return code;
}

int prom_range(PromQuery *query, const PromRange *range, PromMatrix *matrix, Error *err)
{
	*matrix = (PromMatrix) { .start_ms = range->start_ms, .step_ms = range->step_ms };
	if (range->step_ms <= 0 || range->start_ms < 0 || range->end_ms < range->start_ms ||
	    (range->end_ms - range->start_ms) / range->step_ms >= VALUES_MAX)
		return error_set(err, ERR_INVALID, "prometheus: no range of time: from %lld to %lld ms by %lld ms",
		                 (long long) range->start_ms, (long long) range->end_ms, (long long) range->step_ms);
	matrix->n = (size_t) ((range->end_ms - range->start_ms) / range->step_ms) + 1;
	size_t chunk = CHUNK_POINTS;
	for (size_t first = 0; first < matrix->n;) {
		size_t last = matrix->n - first > chunk ? first + chunk - 1 : matrix->n - 1;
		int code = ask_chunk(query, range, first, last, matrix, err);
		if (code && query->was_too_much && chunk / 2 >= CHUNK_MIN) {
			chunk /= 2;
			continue;
		}
		if (code)
			return code;
		first = last + 1;
		if (range->progress && !range->progress(range->context, first, matrix->n))
			return error_set(err, ERR_CANCELLED, "prometheus: cancelled at %zu of %zu points", first, matrix->n);
	}
	return 0;
}

const PromSeries *prom_matrix_single(const PromMatrix *matrix, Error *err)
{
	if (matrix->n_series == 1)
		return matrix->series;
	if (matrix->n_series == 0)
		(void) error_set(err, ERR_NO_DATA, "empty result");
	else
		(void) error_set(err, ERR_INVALID, "ambiguous, %zu series: {%.50s}, {%.50s}", matrix->n_series,
		                 matrix->series[0].labels, matrix->series[1].labels);
	return NULL;
}

const PromSeries *prom_matrix_by(const PromMatrix *matrix, const char *by)
{
	for (size_t i = 0; i < matrix->n_series; i++)
		if (!strcmp(matrix->series[i].by, by))
			return &matrix->series[i];
	return NULL;
}

void prom_matrix_done(PromMatrix *matrix)
{
	for (size_t i = 0; i < matrix->n_series; i++) {
		free(matrix->series[i].labels);
		free(matrix->series[i].value);
	}
	free(matrix->series);
	*matrix = (PromMatrix) { 0 };
}
