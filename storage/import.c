/* See import.h. Columns and their meaning come from the schema itself, so that a newer column needs nothing here. */
#include "storage/import.h"

#include "base/mem.h"
#include "storage/db.h"
#include "storage/runs.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { COLUMNS_MOST = 64 };
static const double EXACT = 9007199254740992.0; /* 2^53: whole numbers up to here are such in JSON too */

typedef struct Columns {
	int n;
	char name[COLUMNS_MOST][40], type[COLUMNS_MOST][16];
} Columns;

/* RFC 3339 in UTC as the export writes it; 0 for anything else. */
static int64_t parse_time(const char *text)
{
	struct tm utc = { 0 };
	int ms = 0;
	if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ", &utc.tm_year, &utc.tm_mon, &utc.tm_mday, &utc.tm_hour, &utc.tm_min,
	           &utc.tm_sec, &ms) < 6)
		return 0;
	utc.tm_year -= 1900;
	utc.tm_mon -= 1;
	return (int64_t) timegm(&utc) * 1000 + ms;
}

static int read_columns(sqlite3 *db, const char *table, Columns *ret)
{
	char sql[80];
	sqlite3_stmt *stmt;
	(void) snprintf(sql, sizeof sql, "SELECT * FROM %s LIMIT 0", table);
	int code = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
	if (code)
		return code;
	ret->n = sqlite3_column_count(stmt) < COLUMNS_MOST ? sqlite3_column_count(stmt) : COLUMNS_MOST;
	for (int i = 0; i < ret->n; i++) {
		const char *type = sqlite3_column_decltype(stmt, i);
		str_copy(ret->name[i], sizeof ret->name[i], sqlite3_column_name(stmt, i));
		str_copy(ret->type[i], sizeof ret->type[i], type ? type : "");
	}
	return sqlite3_finalize(stmt);
}

/* JSON texts are bound from `held`, which lives until the row is written. */
static void bind(sqlite3_stmt *stmt, int at, const char *type, const Json *value, char **held)
{
	double number;
	bool flag;
	if (!value || json_is_null(value)) {
		(void) sqlite3_bind_null(stmt, at);
	} else if (!strcmp(type, "TIME") && json_string(value)) {
		(void) sqlite3_bind_int64(stmt, at, parse_time(json_string(value)));
	} else if (!strcmp(type, "JSON")) {
		*held = json_print(value);
		(void) sqlite3_bind_text(stmt, at, *held, -1, SQLITE_STATIC);
	} else if (json_string(value)) {
		(void) sqlite3_bind_text(stmt, at, json_string(value), -1, SQLITE_STATIC);
	} else if (json_bool(value, &flag)) {
		(void) sqlite3_bind_int(stmt, at, flag);
	} else if (json_number(value, &number)) {
		if (!strcmp(type, "REAL") || number < -EXACT || number > EXACT)
			(void) sqlite3_bind_double(stmt, at, number);
		else
			(void) sqlite3_bind_int64(stmt, at, (int64_t) number);
	}
}

static int insert(sqlite3 *db, const char *table, const Columns *columns, const Json *row, int64_t run)
{
	StrBuf sql = { 0 };
	sqlite3_stmt *stmt = NULL;
	char *held[COLUMNS_MOST] = { NULL };
	strbuf_addf(&sql, "INSERT INTO %s VALUES (", table);
	for (int i = 0; i < columns->n; i++)
		strbuf_addf(&sql, "%s?", i ? "," : "");
	strbuf_addf(&sql, ")");
	int code = sql.failed ? SQLITE_NOMEM : sqlite3_prepare_v2(db, sql.data, -1, &stmt, NULL);
	strbuf_done(&sql);
	if (code)
		return code;
	(void) sqlite3_bind_int64(stmt, 1, run);
	for (int i = 1; i < columns->n; i++)
		bind(stmt, i + 1, columns->type[i], json_get(row, columns->name[i]), &held[i]);
	(void) sqlite3_step(stmt);
	code = sqlite3_finalize(stmt);
	for (int i = 0; i < columns->n; i++)
		free(held[i]);
	return code;
}

static int insert_run(sqlite3 *db, const Json *root, int64_t *ret_id)
{
	sqlite3_stmt *stmt;
	int code = sqlite3_prepare_v2(db, "INSERT INTO runs (kind, name, seed, status, start, ended, steps, config, host, boot_id, pid,"
	                                  " pid_start, heartbeat, tags, note, locked) VALUES"
	                                  " (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'imported', '', 0, 0, ?6, ?9, ?10, ?11)", -1, &stmt, NULL);
	if (code)
		return code;
	const char *status = json_string_or(root, "status", "done"), *end = json_string_or(root, "end", "");
	int64_t start_ms = parse_time(json_string_or(root, "start", "")), end_ms = parse_time(end);
	char *config = json_print(json_get(root, "config"));
	bool is_locked = false;
	(void) json_bool(json_get(root, "locked"), &is_locked);
	(void) sqlite3_bind_text(stmt, 1, json_string_or(root, "kind", "train"), -1, SQLITE_STATIC);
	(void) sqlite3_bind_text(stmt, 2, json_string_or(root, "name", "imported"), -1, SQLITE_STATIC);
	(void) sqlite3_bind_int64(stmt, 3, json_int_or(root, "seed", 0));
	(void) sqlite3_bind_text(stmt, 4, strcmp(status, "running") ? status : "stopped", -1, SQLITE_STATIC);
	(void) sqlite3_bind_int64(stmt, 5, start_ms);
	(void) sqlite3_bind_int64(stmt, 6, end_ms ? end_ms : start_ms);
	(void) sqlite3_bind_int64(stmt, 7, json_int_or(root, "steps", 0));
	(void) sqlite3_bind_text(stmt, 8, config, -1, SQLITE_STATIC);
	(void) sqlite3_bind_text(stmt, 9, json_string_or(root, "tags", ""), -1, SQLITE_STATIC);
	(void) sqlite3_bind_text(stmt, 10, json_string_or(root, "note", ""), -1, SQLITE_STATIC);
	(void) sqlite3_bind_int(stmt, 11, is_locked);
	(void) sqlite3_step(stmt);
	code = sqlite3_finalize(stmt);
	*ret_id = sqlite3_last_insert_rowid(db);
	free(config);
	return code;
}

static int insert_parts(sqlite3 *db, const Json *root, int64_t run)
{
	int code = 0;
	for (int part = 0; part < PART_COUNT && !code; part++) {
		Columns columns;
		const char *table = run_part_name((RunPart) part);
		if (part == PART_LAST_UPDATE)
			continue; /* it is among the updates */
		code = read_columns(db, table, &columns);
		for (const Json *row = json_first(json_get(root, table)); row && !code; row = json_next(row))
			code = insert(db, table, &columns, row, run);
	}
	return code;
}

static int set_steps(sqlite3 *db, int64_t run, int64_t steps)
{
	sqlite3_stmt *stmt;
	int code = sqlite3_prepare_v2(db, "UPDATE runs SET steps = ?2 WHERE id = ?1", -1, &stmt, NULL);
	if (code)
		return code;
	(void) sqlite3_bind_int64(stmt, 1, run);
	(void) sqlite3_bind_int64(stmt, 2, steps);
	(void) sqlite3_step(stmt);
	return sqlite3_finalize(stmt);
}

/* 0: none is there yet. */
static int find_imported(sqlite3 *db, const Json *root, int64_t *ret_id)
{
	sqlite3_stmt *stmt;
	int code = sqlite3_prepare_v2(db, "SELECT id FROM runs WHERE host = 'imported' AND kind = ?1 AND name = ?2 AND seed = ?3 AND start = ?4",
	                              -1, &stmt, NULL);
	if (code)
		return code;
	(void) sqlite3_bind_text(stmt, 1, json_string_or(root, "kind", "train"), -1, SQLITE_STATIC);
	(void) sqlite3_bind_text(stmt, 2, json_string_or(root, "name", "imported"), -1, SQLITE_STATIC);
	(void) sqlite3_bind_int64(stmt, 3, json_int_or(root, "seed", 0));
	(void) sqlite3_bind_int64(stmt, 4, parse_time(json_string_or(root, "start", "")));
	*ret_id = sqlite3_step(stmt) == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
	return sqlite3_finalize(stmt);
}

int import_run(struct sqlite3 *db, const Json *root, int64_t *ret_id, bool *ret_is_new, Error *err)
{
	if (!json_string(json_get(root, "kind")) || !json_string(json_get(root, "start")) || !json_is_array(json_get(root, "updates")))
		return error_set(err, ERR_PARSE, "not a run; maestro runs export ID --format json writes one");
	if (db_exec(db, "BEGIN IMMEDIATE"))
		return db_error(db, err);
	int64_t there = 0;
	int code = find_imported(db, root, &there);
	bool is_new = !code && !there;
	if (ret_is_new)
		*ret_is_new = is_new;
	if (is_new)
		code = insert_run(db, root, ret_id);
	else
		*ret_id = there;
	if (!code && is_new)
		code = insert_parts(db, root, *ret_id);
	if (!code && is_new)
		code = set_steps(db, *ret_id, json_int_or(root, "steps", 0)); /* triggers have counted on top of it */
	if (!code)
		code = db_exec(db, "COMMIT");
	if (!code)
		return 0;
	int failed = (code & 0xff) == SQLITE_CONSTRAINT ? error_set(err, ERR_PARSE, "a row of it does not fit: %s", sqlite3_errmsg(db)) : db_error(db, err);
	(void) db_exec(db, "ROLLBACK");
	return failed;
}

/* ---- where it is from ---- */

/* Kept as the boot that the run's process was of, which an import has no other for. */
int import_note_origin(struct sqlite3 *db, int64_t run, const char *origin, Error *err)
{
	sqlite3_stmt *stmt;
	if (sqlite3_prepare_v2(db, "UPDATE runs SET boot_id = ?2 WHERE id = ?1 AND host = 'imported'", -1, &stmt, NULL))
		return db_error(db, err);
	(void) sqlite3_bind_int64(stmt, 1, run);
	(void) sqlite3_bind_text(stmt, 2, origin, -1, SQLITE_STATIC);
	(void) sqlite3_step(stmt);
	return sqlite3_finalize(stmt) ? db_error(db, err) : 0;
}

int import_find(struct sqlite3 *db, const char *origin, int64_t *ret_id, Error *err)
{
	sqlite3_stmt *stmt;
	int64_t id = 0;
	if (sqlite3_prepare_v2(db, "SELECT max(id) FROM runs WHERE host = 'imported' AND boot_id = ?1 AND deleted IS NULL", -1, &stmt, NULL))
		return db_error(db, err);
	(void) sqlite3_bind_text(stmt, 1, origin, -1, SQLITE_STATIC);
	if (sqlite3_step(stmt) == SQLITE_ROW)
		id = sqlite3_column_int64(stmt, 0);
	if (sqlite3_finalize(stmt))
		return db_error(db, err);
	if (!id)
		return error_set(err, ERR_NOT_FOUND, "no run of %s", origin);
	*ret_id = id;
	return 0;
}
