/*
 * A target's past by range queries: the values of prometheus.c at each of many times, under the same checks. What the
 * Kubernetes API cannot tell of the past is read from the series: a pod is the target's if the API lists it or its name has
 * the form that a Deployment gives (NAME-hash-xxxxx), and it lived at a time if it had a sample then.
 */
#include "cluster/prom_inside.h"

#include "cluster/prom_range.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { REQUEST_MS = 10000, HISTORY_MS = 30000 };

static const char SPEC[] = "max(kube_deployment_spec_replicas{namespace=\"$NS\",deployment=\"$NAME\"})";
static const char READY[] = "max(kube_deployment_status_replicas_ready{namespace=\"$NS\",deployment=\"$NAME\"})";

typedef struct PodPast {
	const PromSeries *value, *newest; /* value may be NULL */
	size_t first, last;     /* times of its first and last sample */
	bool is_listed;         /* by the API, now */
} PodPast;

typedef struct History {
	PromMetrics *prom;
	const Target *target;
	PromSlot slot;          /* of an annotation's queries */
	const PromQueries *queries;
	PodList pods;           /* as the API lists them now */
	int64_t now_ms, step_ms, deadline_ms;
	size_t n;
	Sample *sample;         /* [n] */
	PromMatrix value, newest;
	PodPast *past;          /* the target's pods */
	size_t n_past;
} History;

/* ---- queries ---- */

static int ask(History *history, int v, const char *template, const char *by, PromMatrix *matrix, Error *err)
{
	PromMetrics *prom = history->prom;
	prom_fill_in(prom, history->target, template);
	if (prom->promql.failed)
		return error_set(err, ERR_NOMEM, "out of memory");
	const PromRange range = {
		.promql = prom->promql.data,
		.by = by,
		.start_ms = history->now_ms - (int64_t) (history->n - 1) * history->step_ms,
		.end_ms = history->now_ms,
		.step_ms = history->step_ms,
		.clock = prom->config.clock,
		.deadline_ms = history->deadline_ms,
		.timeout_ms = REQUEST_MS,
	};
	prom_matrix_done(matrix);
	return prom_range(&prom->lane[v].query, &range, matrix, err);
}

/* ---- checks ---- */

static bool is_possible(int v, double value)
{
	return value >= 0.0 && value <= prom_value(v)->max; /* false for NaN */
}

static int64_t time_of(const History *history, size_t i)
{
	return history->now_ms - (int64_t) (history->n - 1 - i) * history->step_ms;
}

/* Age of the newest sample at time i; false where it is none, too old or from the future. */
static bool is_fresh(const History *history, const PromSeries *newest, size_t i, int64_t *ret_age_ms)
{
	int64_t limit_ms = (int64_t) (2000.0 * history->prom->config.scrape_interval_s) + STALE_SLACK_MS;
	if (!newest || !(fabs(newest->value[i]) < 1e12))
		return false;
	int64_t age_ms = time_of(history, i) - (int64_t) (newest->value[i] * 1000.0);
	*ret_age_ms = age_ms > 0 ? age_ms : 0;
	return age_ms <= limit_ms && age_ms >= -FUTURE_SLACK_MS;
}

static void set_value(History *history, size_t i, int v, double value, int64_t age_ms)
{
	Sample *sample = &history->sample[i];
	const PromValue *row = prom_value(v);
	double *field[PROM_VALUES] = { &sample->cpu_cores, &sample->mem_bytes, &sample->latency_ms, &sample->rps };
	*field[v] = v == PROM_P95 ? value * history->queries->p95_to_ms : value;
	sample->valid |= row->bit;
	sample->age_ms[row->age] = age_ms;
}

static void note(Sample *sample, const char *name, const char *why)
{
	size_t len = strlen(sample->missing);
	if (len + strlen(name) + strlen(why) + 5 > sizeof sample->missing)
		return;
	StrBuf text = { 0 };
	strbuf_addf(&text, "%s%s%s: %s", sample->missing, len > 0 ? ", " : "", name, why);
	if (!text.failed)
		str_copy(sample->missing, sizeof sample->missing, text.data);
	strbuf_done(&text);
}

static void note_all(History *history, const char *name, const char *why)
{
	for (size_t i = 0; i < history->n; i++)
		note(&history->sample[i], name, why);
}

/* ---- sums over pods ---- */

static bool is_listed(const History *history, const char *pod)
{
	for (size_t i = 0; i < history->pods.n; i++)
		if (!strcmp(history->pods.name[i], pod))
			return true;
	return false;
}

/* NAME-hash-xxxxx, as a Deployment's ReplicaSet names its pods. */
static bool has_form(const History *history, const char *pod)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	size_t len = strlen(history->target->name);
	if (strncmp(pod, history->target->name, len) || pod[len] != '-')
		return false;
	const char *hash = pod + len + 1;
	size_t hash_len = strspn(hash, letters);
	const char *tail = hash + hash_len + 1;
	return hash_len > 0 && hash[hash_len] == '-' && strlen(tail) == 5 && strspn(tail, letters) == 5;
}

/* Finds the target's pods among the series. ERR_NOMEM. */
static int find_pods(History *history)
{
	free(history->past);
	history->n_past = 0;
	history->past = calloc(history->newest.n_series + 1, sizeof *history->past);
	if (!history->past)
		return ERR_NOMEM;
	for (size_t s = 0; s < history->newest.n_series; s++) {
		const PromSeries *newest = &history->newest.series[s];
		PodPast pod = { .newest = newest, .is_listed = is_listed(history, newest->by), .first = history->n };
		if (!pod.is_listed && !has_form(history, newest->by))
			continue;
		pod.value = prom_matrix_by(&history->value, newest->by);
		for (size_t i = 0; i < history->n; i++)
			if (!isnan(newest->value[i])) {
				pod.first = i < pod.first ? i : pod.first;
				pod.last = i;
			}
		history->past[history->n_past++] = pod;
	}
	return 0;
}

/* Had a sample at each time of the window up to time i: then rate() has enough of them. */
static bool is_grown(const History *history, const PodPast *pod, size_t i)
{
	int64_t age_ms, window_ms = (int64_t) (history->prom->config.rate_window_s * 1000.0);
	size_t back = (size_t) (window_ms / history->step_ms) + 1;
	if (i < back)
		return true; /* its start is out of sight */
	for (size_t k = i - back; k <= i; k++)
		if (!is_fresh(history, pod->newest, k, &age_ms))
			return false;
	return true;
}

/* A pod without a sample at time i, with one before and either one later or a place in the API's list, was not scraped then. */
static bool was_missed(const PodPast *pod, size_t i)
{
	return pod->first < i && (i < pod->last || pod->is_listed);
}

/* The sum at time i over the pods that lived then; NULL, or why it is not known. */
static const char *sum_pods(const History *history, int v, size_t i, double *ret_sum, int64_t *ret_age_ms, int32_t *ret_pods)
{
	int64_t oldest_ms = 0;
	double sum = 0.0;
	int32_t n = 0, n_counted = 0;
	for (const PodPast *pod = history->past; pod < history->past + history->n_past; pod++) {
		int64_t age_ms = 0;
		if (!is_fresh(history, pod->newest, i, &age_ms)) {
			if (!isnan(pod->newest->value[i]) || was_missed(pod, i))
				return "stale";
			continue;
		}
		n++;
		if (!pod->value || isnan(pod->value->value[i])) {
			if (is_grown(history, pod, i))
				return "a pod without a value";
			continue;
		}
		if (!is_possible(v, pod->value->value[i]))
			return "impossible";
		sum += pod->value->value[i];
		n_counted++;
		oldest_ms = age_ms > oldest_ms ? age_ms : oldest_ms;
	}
	*ret_sum = sum;
	*ret_age_ms = oldest_ms;
	*ret_pods = n;
	return n_counted > 0 ? NULL : "empty result";
}

static void take_by_pod(History *history, int v)
{
	for (size_t i = 0; i < history->n; i++) {
		Sample *sample = &history->sample[i];
		double sum;
		int64_t age_ms;
		int32_t pods = 0;
		const char *why = sum_pods(history, v, i, &sum, &age_ms, &pods);
		if (why)
			note(sample, prom_value(v)->name, why);
		else
			set_value(history, i, v, sum, age_ms);
		if (v == PROM_CPU && !why && !(sample->valid & SAMPLE_REPLICAS)) { /* no kube-state-metrics: the pods that ran */
			sample->replicas = sample->ready = pods;
			sample->valid |= SAMPLE_REPLICAS;
		}
	}
}

/* ---- the values ---- */

static void take_single(History *history, int v)
{
	Error why = { 0 };
	const PromSeries *value = prom_matrix_single(&history->value, &why);
	const PromSeries *newest = value ? prom_matrix_single(&history->newest, &why) : NULL;
	if (!newest) {
		note_all(history, prom_value(v)->name, why.text);
		return;
	}
	for (size_t i = 0; i < history->n; i++) {
		int64_t age_ms = 0;
		if (isnan(value->value[i]))
			note(&history->sample[i], prom_value(v)->name, "no value");
		else if (!is_possible(v, value->value[i]))
			note(&history->sample[i], prom_value(v)->name, "impossible");
		else if (!is_fresh(history, newest, i, &age_ms))
			note(&history->sample[i], prom_value(v)->name, "stale");
		else
			set_value(history, i, v, value->value[i], age_ms);
	}
}

static int take_value(History *history, int v, Error *err)
{
	bool is_by_pod = v == PROM_CPU || v == PROM_MEMORY;
	const char *by = is_by_pod ? "pod" : NULL;
	Error cause = { 0 };
	int code = ask(history, v, history->queries->query[v], by, &history->value, &cause);
	if (!code)
		code = ask(history, v, history->queries->newest[v], by, &history->newest, &cause);
	if (code == ERR_INVALID || code == ERR_PARSE) { /* of this query alone */
		note_all(history, prom_value(v)->name, cause.text);
		return 0;
	}
	if (code)
		return error_set(err, code, "%s", cause.text);
	if (is_by_pod && find_pods(history))
		return error_set(err, ERR_NOMEM, "out of memory");
	if (is_by_pod)
		take_by_pod(history, v);
	else
		take_single(history, v);
	return 0;
}

static bool is_count(double value)
{
	return value >= 0.0 && value < 1e6 && value == floor(value);
}

/* Replicas as kube-state-metrics knew them, where there is one; else the pods are counted by their cpu series. */
static int take_replicas(History *history, Error *err)
{
	Error cause = { 0 };
	int code = ask(history, PROM_CPU, SPEC, NULL, &history->value, &cause);
	if (!code)
		code = ask(history, PROM_CPU, READY, NULL, &history->newest, &cause);
	if (code && code != ERR_INVALID && code != ERR_PARSE)
		return error_set(err, code, "%s", cause.text);
	const PromSeries *spec = code ? NULL : prom_matrix_single(&history->value, NULL);
	const PromSeries *ready = code ? NULL : prom_matrix_single(&history->newest, NULL);
	for (size_t i = 0; spec && i < history->n; i++) {
		if (!is_count(spec->value[i]))
			continue;
		bool has_ready = ready && is_count(ready->value[i]);
		history->sample[i].replicas = (int32_t) spec->value[i];
		history->sample[i].ready = has_ready ? (int32_t) ready->value[i] : history->sample[i].replicas;
		history->sample[i].valid |= SAMPLE_REPLICAS;
	}
	return 0;
}

static int read_all(History *history, Error *err)
{
	int code = take_replicas(history, err);
	for (int v = 0; v < PROM_VALUES && !code; v++)
		code = take_value(history, v, err);
	if (code)
		return code;
	for (size_t i = 0; i < history->n; i++)
		if (!(history->sample[i].valid & SAMPLE_REPLICAS))
			note(&history->sample[i], "replicas", "no value");
	return 0;
}

int prom_history(Metrics *metrics, const Target *target, int64_t now_ms, int64_t step_ms, size_t n, Sample *ret_samples,
                 Error *err)
{
	PromMetrics *prom = (PromMetrics *) metrics;
	KubeDeployment deployment;
	if (n == 0 || step_ms <= 0)
		return error_set(err, ERR_INVALID, "history: %zu samples every %lld ms", n, (long long) step_ms);
	if (!prom_can_name(target))
		return error_set(err, ERR_INVALID, "deployment %s/%s: not a name that Kubernetes allows", target->namespace_,
		                 target->name);
	History history = { .prom = prom, .target = target, .now_ms = now_ms, .step_ms = step_ms, .n = n };
	history.deadline_ms = clock_mono_ms(prom->config.clock) + HISTORY_MS;
	int code = kube_deployment_read(prom->config.kube, target, &deployment, err);
	if (!code)
		code = prom_choose_queries(prom, target, deployment.queries, &history.slot, &history.queries, err);
	if (!code)
		code = kube_pods_list(prom->config.kube, target, deployment.selector, now_ms, &history.pods, err);
	history.sample = code ? NULL : calloc(n, sizeof *history.sample);
	if (!code && !history.sample)
		code = error_set(err, ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < n && !code; i++) {
		history.sample[i].wall_ms = time_of(&history, i);
		history.sample[i].cpu_request_cores = deployment.cpu_request_cores;
		history.sample[i].mem_limit_bytes = deployment.mem_limit_bytes;
	}
	if (!code)
		code = read_all(&history, err);
	if (!code)
		memcpy(ret_samples, history.sample, n * sizeof *ret_samples);
	free(history.sample);
	free(history.past);
	pod_list_done(&history.pods);
	prom_queries_done(&history.slot.queries);
	prom_matrix_done(&history.value);
	prom_matrix_done(&history.newest);
	return code;
}
