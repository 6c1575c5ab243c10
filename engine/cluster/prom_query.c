/* See prom_query.h. Form of the answers: prometheus.io/docs/prometheus/latest/querying/api */
#include "cluster/prom_query.h"

#include "base/json.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_BYTES = 4 << 20, ROWS_MAX = 10000 };

/* The first bytes of an answer that is not what was expected, on one line. */
static void excerpt(const StrBuf *body, char *text, size_t size)
{
	size_t n = 0;
	for (const char *at = body->data; at && *at && n + 1 < size; at++)
		text[n++] = isprint((unsigned char) *at) ? *at : ' ';
	text[n] = '\0';
}

static int unexpected(const PromQuery *query, const char *why, Error *err)
{
	char text[64];
	excerpt(&query->response.body, text, sizeof text);
	return error_set(err, ERR_PARSE, "prometheus: %s: \"%s\"", why, text);
}

static PromRow *add_row(PromRows *rows)
{
	if (rows->n == rows->size) {
		size_t size = rows->size ? rows->size * 2 : 32;
		PromRow *row = realloc(rows->row, size * sizeof *row);
		if (!row)
			return NULL;
		rows->row = row;
		rows->size = size;
	}
	return &rows->row[rows->n++];
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
}

/* [time, "number"]; false when it is not that. */
static bool read_value(const Json *pair, double *ret)
{
	const Json *first = json_first(pair), *second = json_next(first);
	const char *text = json_string(second);
	double time_s;
	if (!json_is_array(pair) || !json_number(first, &time_s) || !text || !*text || json_next(second))
		return false;
	char *end;
	*ret = strtod(text, &end); /* takes "NaN" and "+Inf" as Prometheus writes them */
	return !*end;
}

static int read_rows(const PromQuery *query, const Json *root, PromRows *rows, Error *err)
{
	const char *type = json_string_or(root, "data.resultType", "");
	const Json *result = json_get(root, "data.result");
	double value;
	if (!strcmp(type, "scalar")) {
		PromRow *row = read_value(result, &value) ? add_row(rows) : NULL;
		if (!row)
			return unexpected(query, "not a number", err);
		*row = (PromRow) { .value = value };
		return 0;
	}
	if (strcmp(type, "vector") || !json_is_array(result))
		return unexpected(query, "not a vector", err);
	for (const Json *item = json_first(result); item; item = json_next(item)) {
		if (!read_value(json_get(item, "value"), &value))
			return unexpected(query, "a value that is not a number", err);
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
	int status = query->response.status;
	int code = status == 401 ? ERR_UNAUTHORIZED : status == 403 ? ERR_FORBIDDEN : ERR_HTTP;
	excerpt(&query->response.body, text, sizeof text);
	if (err)
		*err = (Error) { .http_status = status };
	return error_set(err, code, "prometheus %s: HTTP %d: \"%s\"", strchr(query->url, '@') ? "" : query->url, status, text);
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

static int read_answer(const PromQuery *query, PromRows *rows, Error *err)
{
	Json *root = NULL;
	Error cause = { 0 };
	int code = 0;
	int parsed = json_parse(query->response.body.data, query->response.body.len, &root, &cause);
	const char *status = json_string_or(root, "status", "");
	if (!parsed && !strcmp(status, "error"))
		code = error_set(err, ERR_INVALID, "prometheus: %s: %s", json_string_or(root, "errorType", "error"),
		                 json_string_or(root, "error", "no reason given"));
	else if (query->response.status != 200)
		code = server_failed(query, err);
	else if (parsed)
		code = unexpected(query, "not JSON", err);
	else if (strcmp(status, "success"))
		code = unexpected(query, "no status \"success\"", err);
	else
		code = read_rows(query, root, rows, err);
	if (!code && is_incomplete(root, &cause))
		code = error_set(err, ERR_INVALID, "prometheus: incomplete: %s", cause.text);
	json_free(root);
	return code;
}

int prom_query(PromQuery *query, const char *promql, int64_t now_ms, int64_t timeout_ms, PromRows *rows, Error *err)
{
	rows->n = 0;
	strbuf_clear(&query->target);
	strbuf_addf(&query->target, "%s/api/v1/query?time=%lld.%03d&query=", query->url, (long long) (now_ms / 1000),
	            (int) (now_ms % 1000));
	http_escape(&query->target, promql);
	if (query->target.failed)
		return error_set(err, ERR_NOMEM, "out of memory");
	const HttpRequest request = {
		.method = "GET",
		.url = query->target.data,
		.timeout_ms = timeout_ms,
		.max_body = ANSWER_BYTES,
	};
	Error cause = { 0 };
	int code = http_request(query->http, &request, &query->response, &cause);
	if (code == ERR_PARSE)
		return unexpected(query, "answer cut short", err);
	if (code)
		return error_set(err, code == ERR_INVALID ? ERR_PARSE : code, "prometheus: %s", cause.text);
	code = read_answer(query, rows, err);
	if (code)
		rows->n = 0;
	return code;
}

void prom_query_done(PromQuery *query)
{
	strbuf_done(&query->target);
	http_response_done(&query->response);
}

void prom_rows_done(PromRows *rows)
{
	free(rows->row);
	*rows = (PromRows) { 0 };
}
