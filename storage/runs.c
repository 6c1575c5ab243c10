/* See runs.h. */
#include "storage/runs.h"

#include "storage/db.h"
#include "storage/filter.h"
#include "storage/groups.h"

#include <math.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>

#define RUN_FIGURES                                                                                              \
	" LEFT JOIN updates u ON u.run = r.id AND u.\"update\" ="                                                 \
	" (SELECT max(\"update\") FROM updates WHERE run = r.id)"                                                 \
	" LEFT JOIN evals e ON e.rowid ="                                                                         \
	" (SELECT rowid FROM evals WHERE run = r.id ORDER BY mean_reward DESC LIMIT 1)"
#define RUN_TABLES " FROM runs r" RUN_FIGURES

/* The figures of a run's last update and best evaluation stand beside it; the columns are read by read_run. */
#define RUN_FIELDS                                                                                              \
	"SELECT r.id, r.kind, r.status, r.name, r.seed, r.start, r.ended, r.steps, u.ep_rew_mean, u.ep_len_mean," \
	" e.mean_reward, e.std_reward, CASE r.kind WHEN 'control' THEN (SELECT policy FROM decisions"             \
	" WHERE run = r.id ORDER BY time DESC LIMIT 1) WHEN 'evaluate' THEN (SELECT group_concat(DISTINCT policy)"    \
	" FROM results WHERE run = r.id) END, r.config, r.tags, r.note, r.locked, r.deleted, r.host"
#define RUN_COLUMNS RUN_FIELDS RUN_TABLES

static const struct {
	const char *name;
	const char *sql; /* column 0 is the run, which the caller knows */
} PARTS[PART_COUNT] = {
	[PART_UPDATES] = { "updates", "SELECT * FROM updates WHERE run = ?1 ORDER BY \"update\"" },
	[PART_LAST_UPDATE] = { "last_update", "SELECT * FROM updates WHERE run = ?1 ORDER BY \"update\" DESC LIMIT 1" },
	[PART_EVALS] = { "evals", "SELECT * FROM evals WHERE run = ?1 ORDER BY rowid" },
	[PART_CHECKPOINTS] = { "checkpoints", "SELECT * FROM checkpoints WHERE run = ?1 ORDER BY rowid" },
	[PART_INTERVENTIONS] = { "interventions", "SELECT * FROM interventions WHERE run = ?1 ORDER BY rowid" },
	[PART_EPISODES] = { "episodes", "SELECT * FROM episodes WHERE run = ?1 ORDER BY rowid" },
	[PART_DECISIONS] = { "decisions", "SELECT * FROM decisions WHERE run = ?1 ORDER BY rowid" },
	[PART_STATES] = { "states", "SELECT * FROM states WHERE run = ?1 ORDER BY rowid" },
	[PART_AUDIT] = { "audit", "SELECT * FROM audit WHERE run = ?1 ORDER BY rowid" },
	[PART_RESULTS] = { "results", "SELECT * FROM results WHERE run = ?1 ORDER BY rowid" },
};

const char *run_part_name(RunPart part)
{
	return PARTS[part].name;
}

static int prepare(sqlite3 *db, const char *sql, int64_t first, int64_t second, sqlite3_stmt **ret_stmt, Error *err)
{
	if (sqlite3_prepare_v2(db, sql, -1, ret_stmt, NULL))
		return db_error(db, err);
	(void) sqlite3_bind_int64(*ret_stmt, 1, first); /* no such parameter: an error that changes nothing */
	(void) sqlite3_bind_int64(*ret_stmt, 2, second);
	return 0;
}

/* Ends a query; code is what the row function said, else the store's own failure is told. */
static int finish(sqlite3 *db, sqlite3_stmt *stmt, int code, Error *err)
{
	int failed = sqlite3_finalize(stmt);
	return !code && failed ? db_error(db, err) : code;
}

static double real_or_nan(sqlite3_stmt *stmt, int column)
{
	int type = sqlite3_column_type(stmt, column);
	bool is_number = type == SQLITE_FLOAT || type == SQLITE_INTEGER;
	return is_number ? sqlite3_column_double(stmt, column) : (double) NAN;
}

static const char *text_or_empty(sqlite3_stmt *stmt, int column)
{
	const unsigned char *text = sqlite3_column_text(stmt, column);
	return text ? (const char *) text : "";
}

static RunKind run_kind_of(const char *text)
{
	int k = RUN_KIND_COUNT - 1;
	while (k > 0 && strcmp(text, run_kind_text((RunKind) k)) != 0)
		k--;
	return (RunKind) k;
}

static RunStatus status_of(const char *text)
{
	for (int s = 0; s < RUN_STATUS_COUNT; s++)
		if (!strcmp(text, run_status_text((RunStatus) s)))
			return (RunStatus) s;
	return RUN_STATUS_COUNT;
}

/* A time that arithmetic can be done with, whatever stands there. */
static int64_t time_of(sqlite3_stmt *stmt, int column)
{
	int64_t ms = sqlite3_column_int64(stmt, column);
	return ms < 0 ? 0 : ms > INT64_C(253402300799999) ? INT64_C(253402300799999) : ms;
}

static void read_run(sqlite3_stmt *stmt, RunRow *row)
{
	*row = (RunRow) {
		.id = sqlite3_column_int64(stmt, 0),
		.kind = run_kind_of(text_or_empty(stmt, 1)),
		.status = status_of(text_or_empty(stmt, 2)),
		.seed = (uint64_t) sqlite3_column_int64(stmt, 4),
		.start_ms = time_of(stmt, 5),
		.end_ms = time_of(stmt, 6),
		.steps = sqlite3_column_int64(stmt, 7),
		.ep_rew_mean = real_or_nan(stmt, 8),
		.ep_len_mean = real_or_nan(stmt, 9),
		.eval_mean = real_or_nan(stmt, 10),
		.eval_std = real_or_nan(stmt, 11),
		.group = groups_key(text_or_empty(stmt, 13)),
		.is_locked = sqlite3_column_int(stmt, 16) != 0,
		.deleted_ms = time_of(stmt, 17),
	};
	row->last = (EpisodeFigures) { NAN, NAN, NAN, NAN, NAN };
	str_copy(row->host, sizeof row->host, text_or_empty(stmt, 18));
	str_copy(row->tags, sizeof row->tags, text_or_empty(stmt, 14));
	str_copy(row->note, sizeof row->note, text_or_empty(stmt, 15));
	str_copy(row->name, sizeof row->name, text_or_empty(stmt, 3));
	str_copy(row->policy, sizeof row->policy, text_or_empty(stmt, 12));
}

static int each_run(sqlite3 *db, sqlite3_stmt *stmt, RunRowFn fn, void *context, Error *err)
{
	int code = 0;
	while (!code && sqlite3_step(stmt) == SQLITE_ROW) {
		RunRow row;
		read_run(stmt, &row);
		code = fn(context, &row);
	}
	return finish(db, stmt, code, err);
}

static const char *const SORT_SQL[SORT_COUNT] = {
	[SORT_ID] = "r.id", [SORT_NAME] = "r.name COLLATE NOCASE", [SORT_STATUS] = "r.status", [SORT_STEPS] = "r.steps",
	[SORT_REWARD] = "u.ep_rew_mean", [SORT_EVAL] = "e.mean_reward", [SORT_START] = "r.start",
};

static int prepare_filtered(sqlite3 *db, const char *sql, const Filter *filter, sqlite3_stmt **ret_stmt, Error *err)
{
	if (sqlite3_prepare_v2(db, sql, -1, ret_stmt, NULL))
		return db_error(db, err);
	for (int i = 0; i < filter->n_values; i++) {
		const FilterValue *v = &filter->value[i];
		if (v->is_number)
			(void) sqlite3_bind_double(*ret_stmt, i + 1, v->number);
		else
			(void) sqlite3_bind_text(*ret_stmt, i + 1, v->text, -1, SQLITE_STATIC);
	}
	return 0;
}

/* What filter and order look at: figures are sought in other tables, run by run. */
static const char *tables_for(const Filter *filter, RunSort sort)
{
	bool needs_figures = sort == SORT_REWARD || sort == SORT_EVAL || strstr(filter->sql.data, "u.ep_") || strstr(filter->sql.data, "e.mean");
	return needs_figures ? RUN_TABLES : " FROM runs r";
}

static int count_matches(sqlite3 *db, const Filter *filter, int64_t *ret_matched, Error *err)
{
	sqlite3_stmt *stmt;
	StrBuf sql = { 0 };
	strbuf_addf(&sql, "SELECT count(*)%s WHERE %s", tables_for(filter, SORT_ID), filter->sql.data);
	int code = sql.failed ? ERR_NOMEM : prepare_filtered(db, sql.data, filter, &stmt, err);
	strbuf_done(&sql);
	if (code)
		return code;
	if (sqlite3_step(stmt) == SQLITE_ROW)
		*ret_matched = sqlite3_column_int64(stmt, 0);
	return finish(db, stmt, 0, err);
}

static int select_rows(sqlite3 *db, const RunSelection *s, const Filter *filter, RunRowFn fn, void *context, Error *err)
{
	sqlite3_stmt *stmt;
	StrBuf sql = { 0 };
	RunSort sort = s->sort < SORT_COUNT ? s->sort : SORT_ID;
	const char *way = s->is_ascending ? "ASC" : "DESC";
	const char *id_way = sort == SORT_ID ? way : "DESC";
	/* first which runs are on the page, then what is shown of those alone: not of all that stand before them */
	strbuf_addf(&sql, "WITH page(run) AS MATERIALIZED (SELECT r.id%s WHERE %s ORDER BY %s %s NULLS LAST, r.id %s LIMIT %lld OFFSET %lld) "
	            RUN_FIELDS " FROM page JOIN runs r ON r.id = page.run" RUN_FIGURES " ORDER BY %s %s NULLS LAST, r.id %s",
	            tables_for(filter, sort), filter->sql.data, SORT_SQL[sort], way, id_way, (long long) s->limit, (long long) s->offset,
	            SORT_SQL[sort], way, id_way);
	int code = sql.failed ? ERR_NOMEM : prepare_filtered(db, sql.data, filter, &stmt, err);
	strbuf_done(&sql);
	return code ? code : each_run(db, stmt, fn, context, err);
}

int runs_select(struct sqlite3 *db, const RunSelection *selection, RunRowFn fn, void *context, int64_t *ret_matched,
                int32_t *ret_fault_col, Error *err)
{
	Filter filter;
	int code = filter_parse(selection->filter ? selection->filter : "", selection->wall_ms, &filter, err);
	if (ret_fault_col)
		*ret_fault_col = filter.fault_col;
	if (!code && ret_matched)
		code = count_matches(db, &filter, ret_matched, err);
	if (!code)
		code = select_rows(db, selection, &filter, fn, context, err);
	filter_done(&filter);
	return code;
}

int runs_configs(struct sqlite3 *db, const RunSelection *s, RunConfigFn fn, void *context, int32_t *ret_fault_col, Error *err)
{
	Filter filter;
	sqlite3_stmt *stmt;
	StrBuf sql = { 0 };
	RunSort sort = s->sort < SORT_COUNT ? s->sort : SORT_ID;
	const char *way = s->is_ascending ? "ASC" : "DESC";
	int code = filter_parse(s->filter ? s->filter : "", s->wall_ms, &filter, err);
	*ret_fault_col = filter.fault_col;
	if (!code) {
		strbuf_addf(&sql, "SELECT r.id, r.seed, r.config, e.mean_reward" RUN_TABLES " WHERE %s ORDER BY %s %s NULLS LAST, r.id %s",
		            filter.sql.data, SORT_SQL[sort], way, sort == SORT_ID ? way : "DESC");
		code = sql.failed ? ERR_NOMEM : prepare_filtered(db, sql.data, &filter, &stmt, err);
	}
	strbuf_done(&sql);
	if (!code) {
		while (!code && sqlite3_step(stmt) == SQLITE_ROW)
			code = fn(context, sqlite3_column_int64(stmt, 0), (uint64_t) sqlite3_column_int64(stmt, 1), text_or_empty(stmt, 2), real_or_nan(stmt, 3));
		code = finish(db, stmt, code, err);
	}
	filter_done(&filter);
	return code;
}

int runs_count(struct sqlite3 *db, int64_t *ret_count, Error *err)
{
	sqlite3_stmt *stmt;
	int code = prepare(db, "SELECT count(*) FROM runs", 0, 0, &stmt, err);
	if (code)
		return code;
	if (sqlite3_step(stmt) == SQLITE_ROW)
		*ret_count = sqlite3_column_int64(stmt, 0);
	return finish(db, stmt, 0, err);
}

int runs_get(struct sqlite3 *db, int64_t id, RunRow *ret_row, StrBuf *config, Error *err)
{
	sqlite3_stmt *stmt;
	int code = prepare(db, RUN_COLUMNS " WHERE r.id = ?1", id, 0, &stmt, err);
	if (code)
		return code;
	int step = sqlite3_step(stmt);
	if (step == SQLITE_ROW) {
		read_run(stmt, ret_row);
		if (config) {
			const char *text = text_or_empty(stmt, 13);
			strbuf_clear(config);
			strbuf_addf(config, "%s", *text ? text : "null");
			code = config->failed ? error_set(err, ERR_NOMEM, "run %lld: out of memory", (long long) id) : 0;
		}
	} else if (step == SQLITE_DONE) {
		code = db_no_run(db, id, err);
	}
	return finish(db, stmt, code, err);
}

/* What a value is, from what the schema says of its column and from the value itself. */
static CellKind kind_of(sqlite3_stmt *stmt, int column)
{
	static const struct {
		const char *declared;
		CellKind kind;
	} declared_kinds[] = { { "BOOLEAN", CELL_BOOL }, { "TIME", CELL_TIME }, { "JSON", CELL_JSON } };
	static const CellKind kinds[] = {
		[SQLITE_INTEGER] = CELL_INT, [SQLITE_FLOAT] = CELL_REAL, [SQLITE_TEXT] = CELL_TEXT, [SQLITE_BLOB] = CELL_TEXT,
		[SQLITE_NULL] = CELL_NULL,
	};
	int type = sqlite3_column_type(stmt, column);
	const char *declared = sqlite3_column_decltype(stmt, column);
	for (size_t i = 0; declared && type != SQLITE_NULL && i < sizeof declared_kinds / sizeof *declared_kinds; i++)
		if (!strcmp(declared, declared_kinds[i].declared))
			return declared_kinds[i].kind;
	return kinds[type];
}

static size_t read_cells(sqlite3_stmt *stmt, RunCell *cell)
{
	int n = sqlite3_column_count(stmt) - 1;
	n = n < RUN_CELLS_MAX ? n : RUN_CELLS_MAX;
	for (int i = 0; i < n; i++) {
		cell[i] = (RunCell) { .name = sqlite3_column_name(stmt, i + 1), .kind = kind_of(stmt, i + 1) };
		if (cell[i].kind == CELL_REAL)
			cell[i].real = sqlite3_column_double(stmt, i + 1);
		else if (cell[i].kind == CELL_TEXT || cell[i].kind == CELL_JSON)
			cell[i].text = text_or_empty(stmt, i + 1);
		else if (cell[i].kind != CELL_NULL)
			cell[i].integer = sqlite3_column_int64(stmt, i + 1);
	}
	return (size_t) n;
}

int runs_part(struct sqlite3 *db, int64_t id, RunPart part, RunCellFn fn, void *context, Error *err)
{
	RunCell cell[RUN_CELLS_MAX];
	sqlite3_stmt *stmt;
	int code = prepare(db, PARTS[part].sql, id, 0, &stmt, err);
	if (code)
		return code;
	while (!code && sqlite3_step(stmt) == SQLITE_ROW) {
		size_t n = read_cells(stmt, cell);
		code = fn(context, cell, n);
	}
	return finish(db, stmt, code, err);
}

int runs_curve(struct sqlite3 *db, int64_t id, ArchiveAnswer *ret, Error *err)
{
	sqlite3_stmt *stmt;
	int code = prepare(db, "SELECT steps, ep_rew_mean, ep_len_mean, (SELECT count(*) FROM updates WHERE run = ?1) FROM updates"
	                       " WHERE run = ?1 ORDER BY \"update\"", id, 0, &stmt, err);
	if (code)
		return code;
	int64_t points = ARCHIVE_POINTS, total = 0;
	for (int64_t at = 0; sqlite3_step(stmt) == SQLITE_ROW; at++) {
		total = sqlite3_column_int64(stmt, 3);
		points = total < ARCHIVE_POINTS ? total : ARCHIVE_POINTS;
		int32_t p = ret->n_points;
		if (p >= points || at != (points > 1 ? p * (total - 1) / (points - 1) : 0))
			continue;
		ret->point_steps[p] = sqlite3_column_int64(stmt, 0);
		ret->point_rew[p] = (float) real_or_nan(stmt, 1);
		ret->point_len[p] = (float) real_or_nan(stmt, 2);
		ret->n_points++;
	}
	return finish(db, stmt, 0, err);
}

static int32_t count_or_unknown(sqlite3_stmt *stmt, int column)
{
	return sqlite3_column_type(stmt, column) == SQLITE_NULL ? -1 : sqlite3_column_int(stmt, column);
}

int runs_last_decisions(struct sqlite3 *db, int64_t id, int64_t until_ms, int32_t limit, ArchiveDecision *decision, int32_t *ret_n,
                        Error *err)
{
	sqlite3_stmt *stmt;
	int code = prepare(db, "SELECT time, replicas, desired, latency, rps, reason, applied FROM decisions WHERE run = ?1 "
	                       "AND time <= ?2 ORDER BY time DESC", id, until_ms, &stmt, err);
	if (code)
		return code;
	int32_t n = 0;
	for (; n < limit && sqlite3_step(stmt) == SQLITE_ROW; n++) {
		decision[n] = (ArchiveDecision) {
			.wall_ms = sqlite3_column_int64(stmt, 0),
			.replicas = count_or_unknown(stmt, 1),
			.desired = count_or_unknown(stmt, 2),
			.latency_ms = (float) real_or_nan(stmt, 3),
			.rps = (float) real_or_nan(stmt, 4),
			.is_applied = sqlite3_column_int(stmt, 6),
		};
		str_copy(decision[n].reason, sizeof decision[n].reason, text_or_empty(stmt, 5));
	}
	code = finish(db, stmt, 0, err);
	if (!code)
		*ret_n = n;
	return code;
}

int runs_by_hand(struct sqlite3 *db, int64_t id, int64_t *ret_count, Error *err)
{
	sqlite3_stmt *stmt;
	int code = prepare(db, "SELECT count(*) FROM audit WHERE run = ?1 AND result = 'applied' AND \"from\" <> \"to\"", id, 0, &stmt, err);
	if (code)
		return code;
	if (sqlite3_step(stmt) == SQLITE_ROW)
		*ret_count = sqlite3_column_int64(stmt, 0);
	return finish(db, stmt, 0, err);
}

int runs_checkpoint(struct sqlite3 *db, int64_t id, const char *kind, int64_t steps, RecordCheckpoint *ret_checkpoint, Error *err)
{
	sqlite3_stmt *stmt;
	int code = prepare(db, "SELECT steps, path, kind FROM checkpoints WHERE run = ?1 AND kind = ?3 AND (?4 < 0 OR steps = ?4)"
	                       " ORDER BY steps DESC, rowid DESC LIMIT 1", id, 0, &stmt, err);
	if (code)
		return code;
	(void) sqlite3_bind_text(stmt, 3, kind, -1, SQLITE_STATIC);
	(void) sqlite3_bind_int64(stmt, 4, steps);
	int step = sqlite3_step(stmt);
	if (step == SQLITE_ROW) {
		*ret_checkpoint = (RecordCheckpoint) { .steps = sqlite3_column_int64(stmt, 0) };
		str_copy(ret_checkpoint->path, sizeof ret_checkpoint->path, text_or_empty(stmt, 1));
		str_copy(ret_checkpoint->kind, sizeof ret_checkpoint->kind, text_or_empty(stmt, 2));
	} else if (step == SQLITE_DONE) {
		code = error_set(err, ERR_NOT_FOUND, "run %lld: it has no checkpoint", (long long) id);
	}
	return finish(db, stmt, code, err);
}

int runs_checkpoints(struct sqlite3 *db, int64_t id, int32_t limit, ArchiveCheckpoint *checkpoint, int32_t *ret_n, Error *err)
{
	sqlite3_stmt *stmt; /* a file that was written again and again is there once; bare columns are those of max's row */
	int code = prepare(db, "SELECT max(rowid), steps, time, kind, path FROM checkpoints WHERE run = ?1 GROUP BY path"
	                       " ORDER BY steps DESC, kind LIMIT ?2", id, limit, &stmt, err);
	if (code)
		return code;
	int32_t n = 0;
	for (; n < limit && sqlite3_step(stmt) == SQLITE_ROW; n++) {
		struct stat there;
		checkpoint[n] = (ArchiveCheckpoint) { .steps = sqlite3_column_int64(stmt, 1), .wall_ms = time_of(stmt, 2) };
		str_copy(checkpoint[n].kind, sizeof checkpoint[n].kind, text_or_empty(stmt, 3));
		str_copy(checkpoint[n].path, sizeof checkpoint[n].path, text_or_empty(stmt, 4));
		checkpoint[n].size_bytes = stat(text_or_empty(stmt, 4), &there) ? -1 : there.st_size;
	}
	*ret_n = n;
	return finish(db, stmt, 0, err);
}

int runs_last_checkpoint(struct sqlite3 *db, int64_t id, RecordCheckpoint *ret_checkpoint, Error *err)
{
	return runs_checkpoint(db, id, "last", -1, ret_checkpoint, err);
}

int runs_best_model(struct sqlite3 *db, int64_t id, char *path, size_t size, Error *err)
{
	sqlite3_stmt *stmt;
	int code = prepare(db, "SELECT path FROM checkpoints WHERE run = ?1 AND kind = 'best' ORDER BY steps DESC, rowid DESC LIMIT 1", id, 0,
	                   &stmt, err);
	if (code)
		return code;
	int step = sqlite3_step(stmt);
	if (step == SQLITE_ROW)
		str_copy(path, size, text_or_empty(stmt, 0));
	else if (step == SQLITE_DONE)
		code = error_set(err, ERR_NOT_FOUND, "run %lld: it kept no best model; train with --eval-every", (long long) id);
	return finish(db, stmt, code, err);
}

int runs_results(struct sqlite3 *db, int64_t id, int32_t limit, ArchiveResult *result, int32_t *ret_n, Error *err)
{
	sqlite3_stmt *stmt;
	int code = prepare(db, "SELECT policy, lambda, sum(n), avg(v), max(v), avg(pods), avg(soft), avg(hard) FROM"
	                       " (SELECT policy, lambda, min(rowid) AS first, count(*) AS n, avg(v_pct) AS v, avg(pod_hours) AS pods,"
	                       " avg(slo_violation_soft_s) AS soft, avg(slo_violation_s) AS hard FROM results WHERE run = ?1"
	                       " GROUP BY policy, lambda, trace) GROUP BY policy, lambda ORDER BY lambda DESC, min(first)", id, 0, &stmt, err);
	if (code)
		return code;
	int32_t n = 0;
	for (; n < limit && sqlite3_step(stmt) == SQLITE_ROW; n++) {
		result[n] = (ArchiveResult) {
			.lambda = real_or_nan(stmt, 1),
			.replays = sqlite3_column_int(stmt, 2),
			.v_pct = real_or_nan(stmt, 3),
			.v_worst_pct = real_or_nan(stmt, 4),
			.pod_hours = real_or_nan(stmt, 5),
			.soft_s = real_or_nan(stmt, 6),
			.hard_s = real_or_nan(stmt, 7),
		};
		str_copy(result[n].policy, sizeof result[n].policy, text_or_empty(stmt, 0));
	}
	code = finish(db, stmt, 0, err);
	if (!code)
		*ret_n = n;
	return code;
}
