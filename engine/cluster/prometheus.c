/*
 * See prometheus.h. One table holds the four values: the query, the query of its newest sample's time, the largest
 * number that can be true. A value that fails a check gets a problem text; the texts together become Sample.missing.
 */
#include "cluster/prometheus.h"

#include "cluster/prom_batch.h"
#include "cluster/prom_inside.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { QUERY_MS = 2000, ALL_QUERIES_MS = 5000, PROBLEM = 160 };

enum { CPU = PROM_CPU, MEMORY = PROM_MEMORY, P95 = PROM_P95, RPS = PROM_RPS, VALUES = PROM_VALUES };

static const PromValue VALUE[VALUES] = {
	[CPU] = { "cpu", SAMPLE_CPU, 0, 1e6 },
	[MEMORY] = { "memory", SAMPLE_MEM, 1, 1e16 },
	[P95] = { "p95", SAMPLE_LATENCY, 2, 1e9 },
	[RPS] = { "rps", SAMPLE_RPS, 3, 1e9 },
};

typedef struct Fetch { /* one target's */
	PromMetrics *prom;
	const Target *target;
	PromSlot *slot;
	const PromQueries *queries;
	int group;                     /* in the batch; -1: none */
	int64_t now_ms, deadline_ms;
	char problem[VALUES][PROBLEM]; /* "": none */
} Fetch;

void prom_config_default(PromConfig *config)
{
	*config = (PromConfig) { .rate_window_s = 60.0, .latency_window_s = 300.0, .scrape_interval_s = 15.0 };
}

/* ---- queries ---- */

const PromValue *prom_value(int v)
{
	return &VALUE[v];
}

int prom_choose_queries(PromMetrics *prom, const Target *target, const char *annotation, PromSlot *slot, const PromQueries **ret,
                        Error *err)
{
	Error why = { 0 };
	*ret = annotation[0] ? &slot->queries : &prom->queries;
	if (!annotation[0] || !strcmp(annotation, slot->annotation))
		return 0;
	PromQueries queries;
	int code = prom_queries_read("annotation maestro.io/queries", annotation, &queries, &why);
	if (code)
		return error_set(err, ERR_INVALID, "deployment %s/%s: %s", target->namespace_, target->name, why.text);
	prom_queries_done(&slot->queries);
	slot->queries = queries;
	str_copy(slot->annotation, sizeof slot->annotation, annotation);
	return 0;
}

void prom_fill_in(PromMetrics *prom, const Target *target, const char *template)
{
	strbuf_clear(&prom->promql);
	prom_expand(&prom->promql, template, target, prom->config.rate_window_s, prom->config.latency_window_s);
}

static void expand(const Fetch *fetch, const char *template)
{
	prom_fill_in(fetch->prom, fetch->target, template);
}

/* Out of what was asked side by side where it is there, else by a query of its own. */
static int ask(const Fetch *fetch, int v, PromKind kind, PromRows *rows, Error *err)
{
	PromMetrics *prom = fetch->prom;
	int code = prom_batch_rows(prom->batch, fetch->group, fetch->target, &fetch->slot->pods, v, kind, rows, err);
	if (code != ERR_NOT_FOUND)
		return code;
	int64_t left_ms = fetch->deadline_ms - clock_mono_ms(prom->config.clock);
	if (left_ms <= 0)
		return error_set(err, ERR_TIMEOUT, "prometheus: its answers took more than %d s", ALL_QUERIES_MS / 1000);
	expand(fetch, prom_template(fetch->queries, v, kind));
	if (prom->promql.failed)
		return error_set(err, ERR_NOMEM, "out of memory");
	return prom_query(&prom->lane[v].query, prom->promql.data, fetch->now_ms, left_ms < QUERY_MS ? left_ms : QUERY_MS, rows, err);
}

/* These concern one query and leave the others' answers good; any other code ends the fetch. */
static bool is_about_one_query(int code)
{
	return code == ERR_INVALID || code == ERR_PARSE;
}

__attribute__((format(printf, 3, 4))) static void complain(Fetch *fetch, int v, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	(void) vsnprintf(fetch->problem[v], PROBLEM, format, args);
	va_end(args);
}

/* ---- checks ---- */

static bool is_plausible(Fetch *fetch, int v, double value)
{
	if (isnan(value))
		complain(fetch, v, "NaN");
	else if (isinf(value))
		complain(fetch, v, "infinite");
	else if (value < 0.0)
		complain(fetch, v, "negative (%g)", value);
	else if (value > VALUE[v].max)
		complain(fetch, v, "absurd (%g)", value);
	else
		return true;
	return false;
}

/* One number where one is expected. */
static bool take_single(Fetch *fetch, int v, const PromRows *rows, double *ret)
{
	if (rows->n == 0)
		complain(fetch, v, "empty result");
	else if (rows->n > 1)
		complain(fetch, v, "ambiguous, %zu series: {%.50s}, {%.50s}", rows->n, rows->row[0].labels, rows->row[1].labels);
	else if (is_plausible(fetch, v, rows->row[0].value)) {
		*ret = rows->row[0].value;
		return true;
	}
	return false;
}

static const PromRow *row_of(const PromRows *rows, const char *pod)
{
	for (size_t i = 0; i < rows->n; i++)
		if (!strcmp(rows->row[i].pod, pod))
			return &rows->row[i];
	return NULL;
}

/* A pod that serves and is older than the window of rate() has had the time for its samples. */
static bool must_have_series(const Fetch *fetch, const PodSample *pod)
{
	int64_t window_ms = (int64_t) (fetch->prom->config.rate_window_s * 1000.0);
	return pod->phase == POD_RUNNING && pod->ready == READY_TRUE && !pod->is_deleting && pod->has_start_time &&
	       pod->start_age_ms > window_ms && pod->ready_age_ms > window_ms;
}

static void note_usage(const Fetch *fetch, PodSample *pod, const PromRow *row)
{
	pod->has_usage = true;
	pod->usage_m = llround(row->value * 1000.0);
	pod->window_ms = (int64_t) (fetch->prom->config.rate_window_s * 1000.0);
}

/* Adds up the listed pods' rows: a regular expression on names catches other Deployments' pods as well. */
static bool take_by_pod(Fetch *fetch, int v, const PromRows *rows, double *ret)
{
	PodList *pods = &fetch->slot->pods;
	double sum = 0.0;
	size_t n = 0;
	const char *lost = NULL; /* a pod without a series */
	for (size_t i = 0; i < rows->n; i++)
		if (!rows->row[i].pod[0]) {
			complain(fetch, v, "ambiguous, a series without the label pod: {%.60s}", rows->row[i].labels);
			return false;
		}
	for (size_t i = 0; i < pods->n; i++) {
		const PromRow *row = row_of(rows, pods->name[i]);
		if (!row) {
			lost = must_have_series(fetch, &pods->pod[i]) ? pods->name[i] : lost;
			continue;
		}
		if (!is_plausible(fetch, v, row->value))
			return false;
		if (v == CPU)
			note_usage(fetch, &pods->pod[i], row);
		sum += row->value;
		n++;
	}
	if (rows->n == 0)
		complain(fetch, v, "empty result");
	else if (n == 0)
		complain(fetch, v, "no series of the %zu listed pods (the first is of %.60s)", pods->n, rows->row[0].pod);
	else if (lost) /* a sum over some of the pods is not the pods' sum */
		complain(fetch, v, "no series of pod %.60s", lost);
	*ret = sum;
	return n > 0 && !lost;
}

static bool is_fresh(Fetch *fetch, int v, const PromRow *newest, const char *of, int64_t *ret_age_ms)
{
	int64_t limit_ms = (int64_t) (2000.0 * fetch->prom->config.scrape_interval_s) + STALE_SLACK_MS;
	bool has_time = newest && fabs(newest->value) < 1e12; /* seconds: a cast of more is undefined */
	int64_t age_ms = has_time ? fetch->now_ms - (int64_t) (newest->value * 1000.0) : 0;
	if (has_time && age_ms <= limit_ms && age_ms >= -FUTURE_SLACK_MS) {
		*ret_age_ms = age_ms > 0 ? age_ms : 0;
		return true;
	}
	fetch->slot->sample.stale |= VALUE[v].bit;
	if (has_time && age_ms < 0)
		complain(fetch, v, "a sample%s from %lld s in the future: the clocks differ", of, (long long) (-age_ms / 1000));
	else if (has_time)
		complain(fetch, v, "stale%s, %lld s old", of, (long long) (age_ms / 1000));
	else
		complain(fetch, v, "stale%s, no sample at present", of);
	return false;
}

/* Every pod that was counted must have a fresh sample; the oldest gives the value's age. */
static bool is_fresh_by_pod(Fetch *fetch, int v, const PromRows *rows, const PromRows *times, int64_t *ret_age_ms)
{
	PodList *pods = &fetch->slot->pods;
	int64_t oldest_ms = 0;
	for (size_t i = 0; i < pods->n; i++) {
		PodSample *pod = &pods->pod[i];
		char of[64];
		int64_t age_ms;
		(void) snprintf(of, sizeof of, " of pod %.50s", pods->name[i]);
		if (!row_of(rows, pods->name[i]) || pod->is_deleting)
			continue;
		bool fresh = is_fresh(fetch, v, row_of(times, pods->name[i]), of, &age_ms);
		if (v == CPU)
			pod->has_usage = fresh;
		if (!fresh)
			return false;
		if (v == CPU)
			pod->sample_age_ms = age_ms;
		oldest_ms = age_ms > oldest_ms ? age_ms : oldest_ms;
	}
	*ret_age_ms = oldest_ms;
	return true;
}

/* ---- the four values ---- */

/* Asks for value v. 0 with the number and its bit, or with a problem and 0; negative where the fetch is over. */
static int fetch_value(Fetch *fetch, int v, double *ret, Error *err)
{
	PromMetrics *prom = fetch->prom;
	Error cause = { 0 };
	double value = 0.0;
	int64_t age_ms = 0;
	bool is_there = false, is_by_pod = v == CPU || v == MEMORY;
	int code = ask(fetch, v, PROM_VALUE, &prom->rows, &cause);
	if (!code)
		is_there = is_by_pod ? take_by_pod(fetch, v, &prom->rows, &value) : take_single(fetch, v, &prom->rows, &value);
	if (is_there) {
		code = ask(fetch, v, PROM_NEWEST, &prom->times, &cause);
		if (!code && is_by_pod)
			is_there = is_fresh_by_pod(fetch, v, &prom->rows, &prom->times, &age_ms);
		else if (!code)
			is_there = is_fresh(fetch, v, prom->times.n == 1 ? prom->times.row : NULL, "", &age_ms);
	}
	if (is_about_one_query(code)) {
		complain(fetch, v, "%s", cause.text);
		is_there = false;
	} else if (code) {
		return error_set(err, code, "%s", cause.text);
	}
	*ret = is_there ? value : 0.0;
	if (is_there) {
		fetch->slot->sample.valid |= VALUE[v].bit;
		fetch->slot->sample.age_ms[VALUE[v].age] = age_ms;
	}
	return 0;
}

/* Every listed pod that runs has an `up` of its own, and it is 1. */
static bool is_every_pod_scraped(const Fetch *fetch, const PromRows *up)
{
	const PodList *pods = &fetch->slot->pods;
	size_t n = 0;
	for (size_t i = 0; i < pods->n; i++) {
		if (pods->pod[i].phase != POD_RUNNING || pods->pod[i].is_deleting)
			continue;
		const PromRow *row = row_of(up, pods->name[i]);
		if (!row || !(row->value >= 1.0))
			return false;
		n++;
	}
	return n > 0;
}

/* No series of requests, not even an old one, and every pod scraped: then nobody has asked, and rps is 0. */
static int infer_no_traffic(Fetch *fetch, Error *err)
{
	PromMetrics *prom = fetch->prom;
	if (strcmp(fetch->problem[RPS], "empty result"))
		return 0;
	Error cause = { 0 };
	int code = ask(fetch, RPS, PROM_NEWEST, &prom->times, &cause);
	if (!code && prom->times.n == 0)
		code = ask(fetch, RPS, PROM_SCRAPED, &prom->rows, &cause);
	if (code)
		return is_about_one_query(code) ? 0 : error_set(err, code, "%s", cause.text);
	if (prom->times.n > 0) {
		complain(fetch, RPS, "empty result, too few samples yet");
	} else if (is_every_pod_scraped(fetch, &prom->rows)) {
		fetch->problem[RPS][0] = '\0';
		fetch->slot->sample.valid |= SAMPLE_RPS;
	} else {
		complain(fetch, RPS, "empty result, and up is not 1 for each pod");
	}
	return 0;
}

/* All problems by name, then the query of the first: "cpu: empty result, rps: NaN; query: sum by ..." */
static void write_missing(Fetch *fetch)
{
	Sample *sample = &fetch->slot->sample;
	int first = -1;
	/* without traffic there is no latency, and nothing is wrong with that */
	if ((sample->valid & SAMPLE_RPS) && sample->rps <= 0.0 &&
	    (!strcmp(fetch->problem[P95], "NaN") || !strcmp(fetch->problem[P95], "empty result")))
		fetch->problem[P95][0] = '\0';
	StrBuf text = { 0 };
	for (int v = 0; v < VALUES; v++)
		if (fetch->problem[v][0]) {
			strbuf_addf(&text, "%s%s: %s", text.len > 0 ? ", " : "", VALUE[v].name, fetch->problem[v]);
			first = first < 0 ? v : first;
		}
	if (first >= 0) {
		expand(fetch, fetch->queries->query[first]);
		strbuf_addf(&text, "; query: %s", fetch->prom->promql.failed ? "?" : fetch->prom->promql.data);
	}
	str_copy(sample->missing, sizeof sample->missing, first < 0 ? "" : text.failed ? VALUE[first].name : text.data);
	strbuf_done(&text);
}

static int fetch_values(Fetch *fetch, Error *err)
{
	double value[VALUES] = { 0 };
	for (int v = 0; v < VALUES; v++) {
		int code = fetch_value(fetch, v, &value[v], err);
		if (code)
			return code;
	}
	int code = infer_no_traffic(fetch, err);
	if (code)
		return code;
	Sample *sample = &fetch->slot->sample;
	sample->cpu_cores = value[CPU];
	sample->mem_bytes = value[MEMORY];
	sample->latency_ms = value[P95] * fetch->queries->p95_to_ms;
	sample->rps = value[RPS];
	write_missing(fetch);
	return 0;
}

/* ---- the target ---- */

/* What the API knows of it: its pods, and which queries are its. */
static int prepare_target(Fetch *fetch, Error *err)
{
	const PromConfig *config = &fetch->prom->config;
	const Target *target = fetch->target;
	PromSlot *slot = fetch->slot;
	KubeDeployment deployment;
	if (!prom_can_name(target))
		return error_set(err, ERR_INVALID, "deployment %s/%s: not a name that Kubernetes allows", target->namespace_,
		                 target->name);
	int code = kube_deployment_read(config->kube, target, &deployment, err);
	if (!code)
		code = prom_choose_queries(fetch->prom, target, config->ignores_annotation ? "" : deployment.queries, slot, &fetch->queries, err);
	if (!code)
		code = kube_pods_list(config->kube, target, deployment.selector, fetch->now_ms, &slot->pods, err);
	if (code)
		return code;
	slot->sample = (Sample) {
		.wall_ms = fetch->now_ms,
		.valid = SAMPLE_REPLICAS,
		.replicas = deployment.replicas,
		.ready = slot->pods.ready,
		.cpu_request_cores = deployment.cpu_request_cores,
		.mem_limit_bytes = deployment.mem_limit_bytes,
		.pods = slot->pods.pod,
		.n_pods = slot->pods.n,
		.pod_name = (const char (*)[NAME_MAX_K8S]) slot->pods.name,
	};
	return 0;
}

static int reserve_slots(PromMetrics *prom, size_t n)
{
	if (n <= prom->n_slots)
		return 0;
	PromSlot *slot = realloc(prom->slot, n * sizeof *slot);
	if (!slot)
		return ERR_NOMEM;
	memset(slot + prom->n_slots, 0, (n - prom->n_slots) * sizeof *slot);
	prom->slot = slot;
	prom->n_slots = n;
	return 0;
}

/* Prepares all and asks what can be asked for many at once. The targets that cannot be prepared have their code. */
static int prepare(PromMetrics *prom, const Target *target, size_t n, int64_t now_ms, Fetch *fetch, Error *why)
{
	prom_batch_clear(prom->batch);
	for (size_t i = 0; i < n; i++) {
		fetch[i] = (Fetch) { .prom = prom, .target = &target[i], .slot = &prom->slot[i], .now_ms = now_ms, .group = -1 };
		why[i] = (Error) { 0 };
		if (prepare_target(&fetch[i], &why[i]))
			continue;
		fetch[i].group = prom_batch_add(prom->batch, &target[i], i, fetch[i].queries);
		if (fetch[i].group < 0)
			return ERR_NOMEM;
	}
	int64_t deadline_ms = clock_mono_ms(prom->config.clock) + ALL_QUERIES_MS;
	for (size_t i = 0; i < n; i++)
		fetch[i].deadline_ms = deadline_ms;
	prom_batch_ask(prom->batch, prom, target, now_ms, deadline_ms);
	return 0;
}

/* With one target its failure is the answer; with many, a target that cannot be had must not stop the others. */
static int fetch_all(PromMetrics *prom, Fetch *fetch, Error *why, size_t n, Error *err)
{
	size_t n_failed = 0, first = n;
	for (size_t i = 0; i < n; i++) {
		if (!why[i].code && !fetch_values(&fetch[i], &why[i]))
			continue;
		prom->slot[i].sample = (Sample) { .wall_ms = fetch[i].now_ms };
		str_copy(prom->slot[i].sample.missing, sizeof prom->slot[i].sample.missing, why[i].text);
		first = n_failed++ == 0 ? i : first;
	}
	if (n_failed == 0 || n_failed < n)
		return 0;
	if (err)
		*err = why[first];
	return why[first].code;
}

static int fetch(Metrics *metrics, const Target *target, size_t n, int64_t now_ms, Sample *ret_sample, Error *err)
{
	PromMetrics *prom = (PromMetrics *) metrics;
	Fetch *each = calloc(n, sizeof *each);
	Error *why = calloc(n, sizeof *why);
	int code = !each || !why || reserve_slots(prom, n) ? ERR_NOMEM : prepare(prom, target, n, now_ms, each, why);
	if (code)
		(void) error_set(err, code, "%s", err_text(code));
	else
		code = fetch_all(prom, each, why, n, err);
	for (size_t i = 0; i < n && !code; i++)
		ret_sample[i] = prom->slot[i].sample;
	free(each);
	free(why);
	return code;
}

static void prom_done(Metrics *metrics)
{
	PromMetrics *prom = (PromMetrics *) metrics;
	for (size_t i = 0; i < prom->n_slots; i++) {
		pod_list_done(&prom->slot[i].pods);
		prom_queries_done(&prom->slot[i].queries);
	}
	free(prom->slot);
	if (prom->batch)
		prom_batch_done(prom->batch);
	free(prom->batch);
	strbuf_done(&prom->promql);
	prom_rows_done(&prom->rows);
	prom_rows_done(&prom->times);
	for (int v = 0; v < VALUES; v++) {
		prom_query_done(&prom->lane[v].query);
		endpoint_close(prom->lane[v].query.endpoint);
		prom_rows_done(&prom->lane[v].rows);
		strbuf_done(&prom->lane[v].promql);
	}
	prom_queries_done(&prom->queries);
	free(prom);
}

static const MetricsOps OPS = { "prometheus", fetch, prom_done, prom_history };

static int open_lane(PromMetrics *prom, int v, Error *err)
{
	const PromConfig *config = &prom->config;
	EndpointConfig access = config->access;
	access.url = v == P95 && config->latency_url ? config->latency_url : config->url;
	prom->lane[v].query.telemetry = config->telemetry;
	return endpoint_open(&access, &prom->lane[v].query.endpoint, err);
}

int prom_metrics_new(const PromConfig *config, Metrics **ret_metrics, Error *err)
{
	PromMetrics *prom = calloc(1, sizeof *prom);
	if (!prom)
		return error_set(err, ERR_NOMEM, "out of memory");
	prom->base.ops = &OPS;
	prom->config = *config;
	prom->batch = calloc(1, sizeof *prom->batch);
	int code = !prom->batch ? error_set(err, ERR_NOMEM, "out of memory")
	                        : prom_queries_open(config->queries ? config->queries : "istio", &prom->queries, err);
	for (int v = 0; v < VALUES && !code; v++)
		code = open_lane(prom, v, err);
	if (code)
		prom_done(&prom->base);
	else
		*ret_metrics = &prom->base;
	return code;
}

int prom_reachable(Metrics *metrics, int64_t now_ms, Error *err)
{
	PromMetrics *prom = (PromMetrics *) metrics;
	return prom_query(&prom->lane[RPS].query, "vector(1)", now_ms, QUERY_MS, &prom->rows, err);
}
