/* See compare.h. */
#include "storage/compare.h"

#include "base/json.h"
#include "base/mem.h"
#include "storage/db.h"
#include "storage/runs.h"

#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The next number of a JSON array of numbers and nulls; false at its end. */
static bool next_number(const char **at, double *ret)
{
	const char *c = *at;
	while (*c == '[' || *c == ',' || *c == ' ')
		c++;
	if (!strncmp(c, "null", 4)) {
		*ret = NAN;
		*at = c + 4;
		return true;
	}
	char *end;
	*ret = strtod(c, &end);
	*at = end;
	return end != c;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *) a, y = *(const double *) b;
	return (x > y) - (x < y);
}

void compare_figures(const char *replicas, const char *latency_ms, double soft_ms, double interval_s, EpisodeFigures *ret)
{
	double value[EPISODE_STEPS_MAX], x, before = NAN, sum = 0;
	int n = 0, n_over = 0, flips = 0, way = 0;
	while (n < EPISODE_STEPS_MAX && next_number(&latency_ms, &x)) {
		if (isnan(x))
			continue;
		n_over += soft_ms > 0 && x > soft_ms;
		value[n++] = x;
	}
	for (int k = 0; k < EPISODE_STEPS_MAX && next_number(&replicas, &x); k++, before = x) {
		sum += isnan(x) ? 0 : x;
		int now = x > before ? 1 : x < before ? -1 : 0; /* NAN: no change */
		flips += now && way && now != way;
		way = now ? now : way;
	}
	qsort(value, (size_t) n, sizeof *value, by_value);
	ret->v_pct = n && soft_ms > 0 ? 100.0 * n_over / n : (double) NAN;
	ret->p95_ms = n ? value[(int) (.95 * (n - 1) + .5)] : (double) NAN;
	ret->pod_hours = sum * interval_s / 3600;
	ret->flips = flips;
}

static int prepare(sqlite3 *db, const char *sql, int64_t run, sqlite3_stmt **ret, Error *err)
{
	if (sqlite3_prepare_v2(db, sql, -1, ret, NULL))
		return db_error(db, err);
	(void) sqlite3_bind_int64(*ret, 1, run);
	return 0;
}

static double number_at(sqlite3_stmt *stmt, int column)
{
	return sqlite3_column_type(stmt, column) == SQLITE_NULL ? (double) NAN : sqlite3_column_double(stmt, column);
}

/* The episodes of a run, and what their figures are counted by. */
typedef struct Episodes {
	sqlite3 *db;
	sqlite3_stmt *stmt;
	double soft_ms, interval_s;
} Episodes;

/* The last one of a source within these steps; NAN: none. */
static int read_episode(const Episodes *of, const char *source, int64_t from, int64_t to, EpisodeFigures *ret, Error *err)
{
	sqlite3_stmt *stmt = of->stmt;
	*ret = (EpisodeFigures) { NAN, NAN, NAN, NAN, NAN };
	(void) sqlite3_bind_text(stmt, 2, source, -1, SQLITE_STATIC);
	(void) sqlite3_bind_int64(stmt, 3, from);
	(void) sqlite3_bind_int64(stmt, 4, to);
	if (sqlite3_step(stmt) == SQLITE_ROW) {
		compare_figures((const char *) sqlite3_column_text(stmt, 0), (const char *) sqlite3_column_text(stmt, 1), of->soft_ms,
		                of->interval_s, ret);
		ret->reward = number_at(stmt, 2);
	}
	return sqlite3_reset(stmt) ? db_error(of->db, err) : 0;
}

/* An evaluation's episode carries its steps. */
static int read_evals(const Episodes *episodes, int64_t run, CompareRun *ret, Error *err)
{
	sqlite3_stmt *stmt;
	int64_t total = 0;
	int code = prepare(episodes->db, "SELECT steps, mean_reward, time FROM evals WHERE run = ?1 ORDER BY rowid", run, &stmt, err);
	if (code)
		return code;
	while (sqlite3_step(stmt) == SQLITE_ROW)
		total++;
	(void) sqlite3_reset(stmt);
	int64_t keep = total < COMPARE_POINTS ? total : COMPARE_POINTS;
	for (int64_t at = 0; sqlite3_step(stmt) == SQLITE_ROW && !code; at++) {
		ret->last_eval = number_at(stmt, 1);
		if (ret->n_points == keep || at != (keep > 1 ? ret->n_points * (total - 1) / (keep - 1) : 0))
			continue;
		int64_t steps = ret->steps[ret->n_points] = sqlite3_column_int64(stmt, 0);
		ret->wall_ms[ret->n_points] = sqlite3_column_int64(stmt, 2) - ret->row.start_ms;
		code = read_episode(episodes, "eval", steps, steps, &ret->episode[ret->n_points], err);
		ret->reward[ret->n_points++] = (float) ret->last_eval;
	}
	int failed = sqlite3_finalize(stmt) ? db_error(episodes->db, err) : 0;
	return code ? code : failed;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/* What a run trained on: the one that was named, all of several, or what its preset has. */
static void name_trace(const Json *config, char *text, size_t size)
{
	const Json *trace = json_get(config, "trace");
	bool is_default = !strcmp(json_string_or(config, "preset", ""), "default");
	const char *traffic = json_string_or(config, "traffic", is_default ? "mix" : "constant");
	str_copy(text, size, json_string(trace) ? base_name(json_string(trace)) : json_is_array(trace) ? "" : traffic);
	for (const Json *item = json_is_array(trace) ? json_first(trace) : NULL; item; item = json_next(item)) {
		size_t len = strlen(text);
		(void) snprintf(text + len, size - len, "%s%s", len ? ", " : "", base_name(json_string(item) ? json_string(item) : "?"));
	}
}

int compare_read(struct sqlite3 *db, int64_t run, CompareRun *ret, Error *err)
{
	StrBuf config = { 0 };
	Json *root = NULL;
	*ret = (CompareRun) { .last_eval = NAN };
	int code = runs_get(db, run, &ret->row, &config, err);
	Episodes episodes = { .db = db, .soft_ms = -1, .interval_s = 15 };
	if (!code && !json_parse(config.data, config.len, &root, NULL)) {
		name_trace(root, ret->trace, sizeof ret->trace);
		episodes.soft_ms = json_number_or(root, "latency-soft", -1);
		episodes.interval_s = json_number_or(root, "interval", 15);
		ret->episode_steps = (int32_t) json_int_or(root, "episode-steps", 0);
	}
	if (!code) {
		str_copy(ret->config, sizeof ret->config, config.data);
		code = prepare(db, "SELECT replicas, latency, reward FROM episodes WHERE run = ?1 AND source = ?2 AND steps BETWEEN ?3 AND ?4"
		                   " ORDER BY steps DESC LIMIT 1", run, &episodes.stmt, err);
	}
	if (!code)
		code = read_evals(&episodes, run, ret, err);
	if (!code)
		code = read_episode(&episodes, "eval", 0, INT64_MAX, &ret->eval, err);
	if (!code)
		code = read_episode(&episodes, "hpa", 0, INT64_MAX, &ret->hpa, err);
	(void) sqlite3_finalize(episodes.stmt);
	json_free(root);
	strbuf_done(&config);
	return code;
}

int compare_last_figures(struct sqlite3 *db, RunRow *row, int32_t n, Error *err)
{
	sqlite3_stmt *stmt;
	int code = prepare(db, "SELECT e.replicas, e.latency, e.reward, json_extract(r.config, '$.\"latency-soft\"'),"
	                       " json_extract(r.config, '$.interval') FROM episodes e JOIN runs r ON r.id = e.run"
	                       " WHERE e.run = ?1 AND e.source = 'eval' ORDER BY e.steps DESC LIMIT 1", 0, &stmt, err);
	if (code)
		return code;
	for (int32_t i = 0; i < n; i++) {
		if (row[i].kind != RUN_TRAIN)
			continue;
		(void) sqlite3_bind_int64(stmt, 1, row[i].id);
		if (sqlite3_step(stmt) == SQLITE_ROW) {
			double interval_s = sqlite3_column_double(stmt, 4);
			compare_figures((const char *) sqlite3_column_text(stmt, 0), (const char *) sqlite3_column_text(stmt, 1),
			                sqlite3_column_double(stmt, 3), interval_s > 0 ? interval_s : 15, &row[i].last);
			row[i].last.reward = number_at(stmt, 2);
		}
		(void) sqlite3_reset(stmt);
	}
	return sqlite3_finalize(stmt) ? db_error(db, err) : 0;
}
