/* See begin.h. */
#include "storage/begin.h"

#include "base/mem.h"
#include "storage/db.h"
#include "storage/owner.h"

#include <sqlite3.h>
#include <string.h>

/* Prepares sql and binds the values that both statements below share as ?1 to ?7. */
static int prepare(sqlite3 *db, const char *sql, const RunStart *start, const Owner *owner, int64_t wall_ms,
                   sqlite3_stmt **ret_stmt)
{
	int code = sqlite3_prepare_v2(db, sql, -1, ret_stmt, NULL);
	if (code)
		return code;
	code = sqlite3_bind_text(*ret_stmt, 1, start->config_json, -1, SQLITE_STATIC); /* NULL: NULL */
	code = code ? code : sqlite3_bind_text(*ret_stmt, 2, owner->host, -1, SQLITE_STATIC);
	code = code ? code : sqlite3_bind_text(*ret_stmt, 3, owner->boot_id, -1, SQLITE_STATIC);
	code = code ? code : sqlite3_bind_int64(*ret_stmt, 4, owner->pid);
	code = code ? code : sqlite3_bind_int64(*ret_stmt, 5, owner->pid_start);
	return code ? code : sqlite3_bind_int64(*ret_stmt, 6, wall_ms);
}

static int finish(sqlite3_stmt *stmt, int code)
{
	if (!code)
		(void) sqlite3_step(stmt);
	int ended = sqlite3_finalize(stmt);
	return code ? code : ended;
}

static int insert(sqlite3 *db, const RunStart *start, const Owner *owner, int64_t wall_ms)
{
	sqlite3_stmt *stmt;
	int code = prepare(db, "INSERT INTO runs (config, host, boot_id, pid, pid_start, start, heartbeat, kind, name, seed,"
	                       " status) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, ?8, ?9, 'running')",
	                   start, owner, wall_ms, &stmt);
	code = code ? code : sqlite3_bind_text(stmt, 7, run_kind_text(start->kind), -1, SQLITE_STATIC);
	code = code ? code : sqlite3_bind_text(stmt, 8, start->name, -1, SQLITE_STATIC);
	code = code ? code : sqlite3_bind_int64(stmt, 9, (int64_t) start->seed);
	return finish(stmt, code);
}

static int delete_after(sqlite3 *db, int64_t run, int64_t steps)
{
	static const char *const sql[] = {
		"DELETE FROM updates WHERE run = ?1 AND steps > ?2",
		"DELETE FROM evals WHERE run = ?1 AND steps > ?2",
		"DELETE FROM episodes WHERE run = ?1 AND steps > ?2",
		"DELETE FROM checkpoints WHERE run = ?1 AND steps > ?2",
		"DELETE FROM interventions WHERE run = ?1 AND steps > ?2",
		"UPDATE runs SET steps = min(steps, ?2) WHERE id = ?1",
	};
	int code = 0;
	for (size_t i = 0; i < sizeof sql / sizeof *sql && !code; i++) {
		sqlite3_stmt *stmt;
		code = sqlite3_prepare_v2(db, sql[i], -1, &stmt, NULL);
		if (code)
			break;
		(void) sqlite3_bind_int64(stmt, 1, run);
		(void) sqlite3_bind_int64(stmt, 2, steps);
		code = finish(stmt, 0);
	}
	return code;
}

/* Whether the run may be taken over, in words where not. */
static int check_resumable(sqlite3 *db, const RunStart *start, Error *err)
{
	sqlite3_stmt *stmt;
	if (sqlite3_prepare_v2(db, "SELECT kind, status, pid, host FROM runs WHERE id = ?1", -1, &stmt, NULL))
		return db_error(db, err);
	(void) sqlite3_bind_int64(stmt, 1, start->resume_id);
	long long id = start->resume_id;
	int code = 0, step = sqlite3_step(stmt);
	if (step == SQLITE_DONE)
		code = db_no_run(db, id, err);
	else if (step != SQLITE_ROW)
		code = db_error(db, err);
	else if (strcmp((const char *) sqlite3_column_text(stmt, 0), run_kind_text(start->kind)) != 0)
		code = error_set(err, ERR_REFUSED, "run %lld is a %s run and cannot be resumed by %s", id,
		                 (const char *) sqlite3_column_text(stmt, 0), run_kind_text(start->kind));
	else if (!strcmp((const char *) sqlite3_column_text(stmt, 1), "running"))
		code = error_set(err, ERR_REFUSED, "run %lld is still running as process %lld on %s; stop it first", id,
		                 (long long) sqlite3_column_int64(stmt, 2), (const char *) sqlite3_column_text(stmt, 3));
	(void) sqlite3_finalize(stmt);
	return code;
}

static int resume(sqlite3 *db, const RunStart *start, const Owner *owner, int64_t wall_ms)
{
	sqlite3_stmt *stmt;
	int code = prepare(db, "UPDATE runs SET config = coalesce(?1, config), host = ?2, boot_id = ?3, pid = ?4,"
	                       " pid_start = ?5, heartbeat = ?6, status = 'running', ended = NULL WHERE id = ?7",
	                   start, owner, wall_ms, &stmt);
	code = code ? code : sqlite3_bind_int64(stmt, 7, start->resume_id);
	code = finish(stmt, code);
	return code ? code : delete_after(db, start->resume_id, start->resume_steps);
}

int begin_run(struct sqlite3 *db, const RunStart *start, int64_t wall_ms, int64_t *ret_run_id, Error *err)
{
	Owner owner;
	owner_self(&owner);
	if (db_exec(db, "BEGIN IMMEDIATE"))
		return db_error(db, err);
	bool is_new = start->resume_id <= 0;
	int64_t run = start->resume_id;
	int code = is_new ? 0 : owner_mark_crashed(db, wall_ms);
	code = code ? db_error(db, err) : is_new ? 0 : check_resumable(db, start, err);
	if (!code) {
		int failed = is_new ? insert(db, start, &owner, wall_ms) : resume(db, start, &owner, wall_ms);
		run = is_new ? sqlite3_last_insert_rowid(db) : run;
		if (failed || db_exec(db, "COMMIT"))
			code = db_error(db, err);
	}
	if (code && !sqlite3_get_autocommit(db))
		(void) db_exec(db, "ROLLBACK");
	if (!code)
		*ret_run_id = run;
	return code;
}

int begin_beat(struct sqlite3 *db, int64_t wall_ms)
{
	Owner owner;
	owner_self(&owner);
	sqlite3_stmt *stmt;
	int code = sqlite3_prepare_v2(db, "UPDATE runs SET heartbeat = ?1 WHERE status = 'running' AND host = ?2"
	                                  " AND boot_id = ?3 AND pid = ?4 AND pid_start = ?5", -1, &stmt, NULL);
	if (code)
		return code;
	(void) sqlite3_bind_int64(stmt, 1, wall_ms);
	(void) sqlite3_bind_text(stmt, 2, owner.host, -1, SQLITE_STATIC);
	(void) sqlite3_bind_text(stmt, 3, owner.boot_id, -1, SQLITE_STATIC);
	(void) sqlite3_bind_int64(stmt, 4, owner.pid);
	(void) sqlite3_bind_int64(stmt, 5, owner.pid_start);
	return finish(stmt, 0);
}
