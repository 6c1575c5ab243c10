/* See prom_query.h. Form of the answers: prometheus.io/docs/prometheus/latest/querying/api */
#include "cluster/prom_query.h"

#include "base/json.h"
#include "base/mem.h"
#include "cluster/prom_inside.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_BYTES = 4 << 20, ROWS_MAX = 10000, URL_QUERY_MAX = 2000 };

/* The first bytes of an answer that is not what was expected, on one line. */
static void excerpt(const StrBuf *body, char *text, size_t size)
{
	size_t n = 0;
	for (const char *at = body->data; at && *at && n + 1 < size; at++)
		text[n++] = isprint((unsigned char) *at) ? *at : ' ';
	text[n] = '\0';
}

int prom_unexpected(const PromQuery *query, const char *why, Error *err)
{
	char text[64];
	excerpt(&query->response.body, text, sizeof text);
	return error_set(err, ERR_PARSE, "prometheus: %s: \"%s\"", why, text);
}

static PromRow *add_row(PromRows *rows)
{
	PromRow *row = mem_room(rows->row, rows->n, &rows->size, sizeof *row);
	if (!row)
		return NULL;
	rows->row = row;
	return &row[rows->n++];
}

static void read_labels(const Json *metric, PromRow *row)
{
	size_t len = 0;
	for (const Json *label = json_first(metric); label && len < sizeof row->labels; label = json_next(label)) {
		const char *value = json_string(label);
		int n = snprintf(row->labels + len, sizeof row->labels - len, "%s%s=\"%s\"", len > 0 ? "," : "", json_key(label),
		                 value ? value : "?");
		len += n > 0 ? (size_t) n : 0;
	}
	str_copy(row->pod, sizeof row->pod, json_string_or(metric, "pod", ""));
	str_copy(row->target, sizeof row->target, json_string_or(metric, "maestro_target", ""));
}

bool prom_read_value(const Json *pair, double *ret_time_s, double *ret)
{
	const Json *first = json_first(pair), *second = json_next(first);
	const char *text = json_string(second);
	if (!json_is_array(pair) || !json_number(first, ret_time_s) || !text || !*text || json_next(second))
		return false;
	char *end;
	*ret = strtod(text, &end); /* takes "NaN" and "+Inf" as Prometheus writes them */
	return !*end;
}

static int read_rows(const PromQuery *query, const Json *root, PromRows *rows, Error *err)
{
	const char *type = json_string_or(root, "data.resultType", "");
	const Json *result = json_get(root, "data.result");
	double value, time_s;
	if (!strcmp(type, "scalar")) {
		PromRow *row = prom_read_value(result, &time_s, &value) ? add_row(rows) : NULL;
		if (!row)
			return prom_unexpected(query, "not a number", err);
		*row = (PromRow) { .value = value };
		return 0;
	}
	if (strcmp(type, "vector") || !json_is_array(result))
		return prom_unexpected(query, "not a vector", err);
	for (const Json *item = json_first(result); item; item = json_next(item)) {
		if (!prom_read_value(json_get(item, "value"), &time_s, &value))
			return prom_unexpected(query, "a value that is not a number", err);
		if (rows->n == ROWS_MAX)
			return error_set(err, ERR_INVALID, "prometheus: more than %d series", ROWS_MAX);
		PromRow *row = add_row(rows);
		if (!row)
			return error_set(err, ERR_NOMEM, "out of memory");
		*row = (PromRow) { .value = value };
		read_labels(json_get(item, "metric"), row);
	}
	return 0;
}

/* Codes that are about the server and not about this query. */
static int server_failed(const PromQuery *query, Error *err)
{
	char text[64];
	const char *url = endpoint_url(query->endpoint);
	bool is_shown = !strchr(url, '@'); /* a part before it may be a password */
	int status = query->response.status;
	int code = status == 401 ? ERR_UNAUTHORIZED : status == 403 ? ERR_FORBIDDEN : ERR_HTTP;
	excerpt(&query->response.body, text, sizeof text);
	if (err)
		*err = (Error) { .http_status = status };
	return error_set(err, code, "prometheus%s%s: HTTP %d: \"%s\"", is_shown ? " " : "", is_shown ? url : "", status, text);
}

/* A warning tells of a part that did not answer (a remote read, a Thanos store); those on the query's own form begin with
 * "PromQL " and cost nothing. */
static bool is_incomplete(const Json *root, Error *ret_why)
{
	for (const Json *w = json_first(json_get(root, "warnings")); w; w = json_next(w)) {
		const char *text = json_string(w);
		if (!text || strncmp(text, "PromQL ", 7)) {
			(void) error_set(ret_why, ERR_INVALID, "%s", text ? text : "a warning that is no text");
			return true;
		}
	}
	return false;
}

/* Of an answer that parsed or not (parsed is json_parse's code). */
static int check_answer(const PromQuery *query, int parsed, const Json *root, Error *err)
{
	const char *status = json_string_or(root, "status", "");
	Error cause = { 0 };
	if (!parsed && !strcmp(status, "error"))
		return error_set(err, ERR_INVALID, "prometheus: %s: %s", json_string_or(root, "errorType", "error"),
		                 json_string_or(root, "error", "no reason given"));
	if (query->response.status != 200)
		return server_failed(query, err);
	if (parsed)
		return prom_unexpected(query, "not JSON", err);
	if (strcmp(status, "success"))
		return prom_unexpected(query, "no status \"success\"", err);
	if (is_incomplete(root, &cause))
		return error_set(err, ERR_INVALID, "prometheus: incomplete: %s", cause.text);
	return 0;
}

int prom_ask(PromQuery *query, int64_t timeout_ms, Json **ret_root, Error *err)
{
	if (query->target.failed || query->form.failed)
		return error_set(err, ERR_NOMEM, "out of memory");
	bool is_form = query->form.len > 0;
	const HttpRequest request = {
		.method = is_form ? "POST" : "GET",
		.content_type = is_form ? "application/x-www-form-urlencoded" : NULL,
		.body = is_form ? query->form.data : NULL,
		.body_len = query->form.len,
		.timeout_ms = timeout_ms,
		.max_body = ANSWER_BYTES,
	};
	Json *root = NULL;
	Error cause = { 0 };
	int code = endpoint_request(query->endpoint, query->target.data, request, &query->response, &cause);
	int64_t took_us = code ? 0 : (int64_t) (query->response.elapsed_ms * 1e3);
	query->was_too_much = code == ERR_INVALID;
	if (code)
		telemetry_query(query->telemetry, BACKEND_PROMETHEUS, code, code == ERR_TIMEOUT ? timeout_ms * 1000 : 0);
	if (code == ERR_PARSE)
		return prom_unexpected(query, "answer cut short", err);
	if (code)
		return error_set(err, code == ERR_INVALID ? ERR_PARSE : code, "prometheus: %s", cause.text);
	int parsed = json_parse(query->response.body.data, query->response.body.len, &root, &cause);
	code = check_answer(query, parsed, root, err);
	telemetry_query(query->telemetry, BACKEND_PROMETHEUS, code, took_us);
	query->was_too_much = code && !parsed && (query->response.status == 422 || query->response.status == 503);
	if (code)
		json_free(root);
	else
		*ret_root = root;
	return code;
}

int prom_query(PromQuery *query, const char *promql, int64_t now_ms, int64_t timeout_ms, PromRows *rows, Error *err)
{
	Json *root = NULL;
	rows->n = 0;
	bool is_long = strlen(promql) > URL_QUERY_MAX;
	StrBuf *text = is_long ? &query->form : &query->target;
	strbuf_clear(&query->target);
	strbuf_addf(&query->target, is_long ? "/api/v1/query" : "/api/v1/query?");
	strbuf_addf(text, "time=%lld.%03d&query=", (long long) (now_ms / 1000), (int) (now_ms % 1000));
	http_escape(text, promql);
	int code = prom_ask(query, timeout_ms, &root, err);
	strbuf_clear(&query->form);
	if (!code)
		code = read_rows(query, root, rows, err);
	if (code)
		rows->n = 0;
	json_free(root);
	return code;
}

void prom_query_done(PromQuery *query)
{
	strbuf_done(&query->target);
	strbuf_done(&query->form);
	http_response_done(&query->response);
}

void prom_rows_done(PromRows *rows)
{
	free(rows->row);
	*rows = (PromRows) { 0 };
}
