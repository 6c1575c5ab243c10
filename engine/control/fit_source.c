/* See fit_source.h. A table gives each series its query and where it goes; $RATE is the step, $LATENCY the whole window. */
#include "control/fit_source.h"

#include "cluster/prom_range.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { REQUEST_MS = 30000, POINTS_MIN = 20 };

#define SERVICE "destination_workload_namespace=\"$NS\",destination_workload=\"$NAME\""
#define PODS "namespace=\"$NS\",pod=~\"$POD-[a-z0-9]+-[a-z0-9]{5}\""   /* as a Deployment names them, and no neighbour's */
#define ANY_PODS "namespace=\"$NS\",pod=~\"$POD-.*\""

typedef struct SeriesRow {
	const char *name, *query;
	size_t offset;           /* in FitRow */
	bool is_required;
	const char *otherwise;   /* the query where that has no series; NULL: none */
	const char *note;        /* said then, or where there is none */
} SeriesRow;

static const SeriesRow SERIES[] = {
	{ "requests", "sum(rate(istio_requests_total{" SERVICE "}[$RATE]))", offsetof(FitRow, rps), true, NULL, NULL },
	{ "failed requests", "sum(rate(istio_requests_total{" SERVICE ",response_code=~\"5..\"}[$RATE]))",
	  offsetof(FitRow, error_rps), false, NULL, NULL },
	{ "cpu", "sum(rate(container_cpu_usage_seconds_total{" PODS ",container!=\"\"}[$RATE]))", offsetof(FitRow, cpu_cores), true,
	  "sum(rate(container_cpu_usage_seconds_total{" ANY_PODS ",container!=\"\"}[$RATE]))",
	  "cpu: no pod has the name that a Deployment gives; every pod whose name begins with the Deployment's is counted" },
	{ "ready pods", "max(kube_deployment_status_replicas_ready{namespace=\"$NS\",deployment=\"$NAME\"})", offsetof(FitRow, ready),
	  true, "count(count by (pod)(rate(container_cpu_usage_seconds_total{" ANY_PODS ",container!=\"\"}[$RATE])))",
	  "ready pods: no kube_deployment_status_replicas_ready; pods are counted by their cpu series" },
	{ "memory", "sum(container_memory_working_set_bytes{" PODS ",container!=\"\"})", offsetof(FitRow, mem_bytes), false,
	  "sum(container_memory_working_set_bytes{" ANY_PODS ",container!=\"\"})", "memory: no series; its line stays at the default" },
	{ "restarts", "sum(kube_pod_container_status_restarts_total{" PODS "})", offsetof(FitRow, restarts), false, NULL,
	  "restarts: no kube_pod_container_status_restarts_total; intervals with one are not left out" },
};
enum { N_SERIES = sizeof SERIES / sizeof *SERIES, PARTS = N_SERIES + 1 };
static const char BUCKETS_QUERY[] = "sum by (le)(rate(istio_request_duration_milliseconds_bucket{" SERVICE "}[$RATE]))";

typedef struct Reading {
	const FitSource *source;
	FitData *data;
	StrBuf *notes, promql;
	PromQuery query;
	PromMatrix matrix;
	PromRows rows;
	int part;            /* of PARTS, being read */
	const char *what;
	int64_t start_ms, step_ms, deadline_ms;
	size_t n;
} Reading;

static bool tell(void *context, size_t done, size_t n)
{
	const Reading *r = context;
	double part = ((double) r->part + (double) done / (double) n) / PARTS;
	return !r->source->progress || r->source->progress(r->source->context, part, r->what);
}

static int ask(Reading *r, const char *template, const char *by, Error *err)
{
	strbuf_clear(&r->promql);
	prom_expand(&r->promql, template, &r->source->target, r->source->step_s, r->source->window_s);
	if (r->promql.failed)
		return error_set(err, ERR_NOMEM, "out of memory");
	const PromRange range = {
		.promql = r->promql.data, .by = by, .start_ms = r->start_ms,
		.end_ms = r->start_ms + (int64_t) (r->n - 1) * r->step_ms, .step_ms = r->step_ms, .clock = r->source->clock,
		.deadline_ms = r->deadline_ms, .timeout_ms = REQUEST_MS, .progress = tell, .context = r,
	};
	prom_matrix_done(&r->matrix);
	return prom_range(&r->query, &range, &r->matrix, err);
}

static int empty(const Reading *r, const char *name, Error *err)
{
	return error_set(err, ERR_NO_DATA, "%s: no series over the window; query: %.160s", name, r->promql.data);
}

static double usable(double value)
{
	return value >= 0.0 && value < 1e15 ? value : NAN;
}

/* ---- the series ---- */

static int read_series(Reading *r, const SeriesRow *row, Error *err)
{
	r->what = row->name;
	int code = ask(r, row->query, NULL, err);
	if (!code && r->matrix.n_series == 0 && row->otherwise) {
		code = ask(r, row->otherwise, NULL, err);
		if (!code && (r->matrix.n_series || !row->is_required))
			strbuf_addf(r->notes, "%s\n", row->note);
	} else if (!code && r->matrix.n_series == 0 && row->note) {
		strbuf_addf(r->notes, "%s\n", row->note);
	}
	if (code)
		return code;
	if (r->matrix.n_series == 0)
		return row->is_required ? empty(r, row->name, err) : 0;
	Error cause = { 0 };
	const PromSeries *series = prom_matrix_single(&r->matrix, &cause);
	if (!series)
		return error_set(err, cause.code, "%s: %s", row->name, cause.text);
	for (size_t i = 0; i < r->n; i++)
		*(double *) (void *) ((char *) &r->data->row[i] + row->offset) = usable(series->value[i]);
	return 0;
}

typedef struct Bound {
	double ms;
	const PromSeries *series;
} Bound;

static int by_bound(const void *a, const void *b)
{
	double x = ((const Bound *) a)->ms, y = ((const Bound *) b)->ms;
	return (x > y) - (x < y);
}

static int read_buckets(Reading *r, Error *err)
{
	Bound bound[FIT_BOUNDS + 1];
	size_t n = 0;
	r->what = "latencies";
	int code = ask(r, BUCKETS_QUERY, "le", err);
	if (code)
		return code;
	if (r->matrix.n_series == 0)
		return empty(r, "latencies", err);
	for (size_t s = 0; s < r->matrix.n_series; s++) {
		char *end;
		double ms = strtod(r->matrix.series[s].by, &end);
		if (end == r->matrix.series[s].by || *end || !(ms > 0.0) || n > FIT_BOUNDS)
			return error_set(err, ERR_INVALID, "latencies: le=\"%.40s\" is not a bound, or there are more than %d",
			                 r->matrix.series[s].by, FIT_BOUNDS);
		bound[n++] = (Bound) { ms, &r->matrix.series[s] };
	}
	qsort(bound, n, sizeof *bound, by_bound);
	if (n < 3 || !isinf(bound[n - 1].ms))
		return error_set(err, ERR_INVALID, "latencies: %zu bounds and %sle=\"+Inf\"; a histogram has more", n,
		                 isinf(bound[n - 1].ms) ? "" : "no ");
	r->data->n_bounds = n - 1;
	for (size_t b = 0; b < n; b++) {
		if (b + 1 < n)
			r->data->bound_ms[b] = bound[b].ms;
		for (size_t i = 0; i < r->n; i++)
			r->data->row[i].within[b] = usable(bound[b].series->value[i]);
	}
	return 0;
}

/* ---- what the cluster tells ---- */

/* The one number of an instant query at the window's end; NAN where there is none. Only failures of the server are errors. */
static int ask_number(Reading *r, const char *template, double *ret, Error *err)
{
	Error cause = { 0 };
	*ret = NAN;
	strbuf_clear(&r->promql);
	prom_expand(&r->promql, template, &r->source->target, r->source->step_s, r->source->window_s);
	int code = r->promql.failed ? ERR_NOMEM : prom_query(&r->query, r->promql.data, r->source->end_ms, REQUEST_MS, &r->rows, &cause);
	if (code && code != ERR_INVALID && code != ERR_PARSE)
		return error_set(err, code, "%s", cause.text);
	if (!code && r->rows.n == 1)
		*ret = usable(r->rows.row[0].value);
	return 0;
}

static int read_told(Reading *r, Error *err)
{
#define RESOURCE(what, kind) "max(sum by (pod)(max_over_time(kube_pod_container_resource_" what "{" PODS ",resource=\"" kind "\"}[$LATENCY])))"
	double scrapes = NAN;
	const struct {
		const char *query;
		double *to;
	} told[] = {
		{ RESOURCE("limits", "cpu"), &r->data->cpu_limit }, { RESOURCE("requests", "cpu"), &r->data->cpu_request },
		{ RESOURCE("limits", "memory"), &r->data->mem_limit_bytes },
	};
	r->what = "limits";
	for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
		int code = ask_number(r, told[i].query, told[i].to, err);
		if (code)
			return code;
	}
	/* the samples of a series over one step; the window's end is the likeliest to have them all */
	int code = ask_number(r, "max(count_over_time(istio_requests_total{" SERVICE "}[$RATE]))", &scrapes, err);
	if (!code && scrapes >= 3.0)
		r->data->scrape_interval_s = fmax(round(r->source->step_s / scrapes), 1.0);
	return code;
}

/* A time of each pod, the first in the window, into that field of its start. */
static int read_times(Reading *r, const char *template, size_t field, char (**names)[NAME_MAX_K8S], Error *err)
{
	Error cause = { 0 };
	strbuf_clear(&r->promql);
	prom_expand(&r->promql, template, &r->source->target, r->source->step_s, r->source->window_s);
	int code = r->promql.failed ? ERR_NOMEM : prom_query(&r->query, r->promql.data, r->source->end_ms, REQUEST_MS, &r->rows, &cause);
	if (code)
		return code == ERR_INVALID || code == ERR_PARSE ? 0 : error_set(err, code, "%s", cause.text);
	for (size_t i = 0; i < r->rows.n; i++) {
		const PromRow *row = &r->rows.row[i];
		size_t at = 0;
		while (at < r->data->n_starts && strcmp((*names)[at], row->pod) != 0)
			at++;
		if (!row->pod[0] || isnan(usable(row->value)))
			continue;
		if (at == r->data->n_starts) {
			const FitStart none = { NAN, NAN, NAN, NAN };
			char (*more)[NAME_MAX_K8S] = realloc(*names, (at + 1) * sizeof **names);
			if (more)
				*names = more;
			if (!more || fit_data_add_start(r->data, &none))
				return error_set(err, ERR_NOMEM, "out of memory");
			str_copy((*names)[at], sizeof (*names)[at], row->pod);
		}
		*(double *) (void *) ((char *) &r->data->start[at] + field) = row->value;
	}
	return 0;
}

/* A pod that was created before the window has its start there too: kube-state-metrics tells times, not changes. */
static int read_starts(Reading *r, Error *err)
{
	static const struct {
		const char *query;
		size_t field;
	} times[] = {
		{ "max by (pod)(max_over_time(kube_pod_created{" PODS "}[$LATENCY]))", offsetof(FitStart, created_s) },
		{ "max by (pod)(max_over_time(kube_pod_start_time{" PODS "}[$LATENCY]))", offsetof(FitStart, scheduled_s) },
		{ "min by (pod)(min_over_time(container_start_time_seconds{" PODS ",container!=\"\"}[$LATENCY]))",
		  offsetof(FitStart, running_s) },
		{ "min by (pod)(min_over_time(kube_pod_status_ready_time{" PODS "}[$LATENCY]))", offsetof(FitStart, ready_s) },
	};
	char (*names)[NAME_MAX_K8S] = NULL;
	int code = 0;
	r->what = "start-ups";
	for (size_t i = 0; i < sizeof times / sizeof *times && !code; i++)
		code = read_times(r, times[i].query, times[i].field, &names, err);
	if (!code && r->data->n_starts == 0)
		strbuf_addf(r->notes, "start-ups: no kube_pod_created and the like; start-up stays at the default\n");
	free(names);
	return code;
}

/* ---- all of it ---- */

static int check(const FitSource *source, Error *err)
{
	if (!prom_can_name(&source->target))
		return error_set(err, ERR_USAGE, "deployment %s/%s: not a name that Kubernetes allows", source->target.namespace_,
		                 source->target.name);
	if (!(source->step_s >= 1.0) || !(source->window_s >= POINTS_MIN * source->step_s))
		return error_set(err, ERR_USAGE, "a window of %g s is less than %d steps of %g s", source->window_s, POINTS_MIN, source->step_s);
	return 0;
}

static int read_all(Reading *r, Error *err)
{
	for (size_t i = 0; i < r->n; i++)
		if (!fit_data_add(r->data, (double) (r->start_ms + (int64_t) i * r->step_ms) / 1000.0))
			return error_set(err, ERR_NOMEM, "out of memory");
	int code = 0;
	for (int s = 0; s < N_SERIES && !code; s++) {
		code = read_series(r, &SERIES[s], err);
		r->part++;
	}
	if (!code)
		code = read_buckets(r, err);
	if (!code)
		code = read_told(r, err);
	return code ? code : read_starts(r, err);
}

int fit_source_read(const FitSource *source, FitData *data, StrBuf *notes, Error *err)
{
	Reading r = { .source = source, .data = data, .notes = notes, .step_ms = llround(1000.0 * source->step_s) };
	int code = check(source, err);
	if (!code)
		code = endpoint_open(&source->endpoint, &r.query.endpoint, err);
	if (code)
		return code;
	data->step_s = source->step_s;
	r.n = (size_t) (source->window_s / source->step_s);
	r.start_ms = source->end_ms - (int64_t) (r.n - 1) * r.step_ms;
	r.deadline_ms = clock_mono_ms(source->clock) + source->timeout_ms;
	code = read_all(&r, err);
	prom_matrix_done(&r.matrix);
	prom_rows_done(&r.rows);
	prom_query_done(&r.query);
	strbuf_done(&r.promql);
	endpoint_close(r.query.endpoint);
	return code;
}
