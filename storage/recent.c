/* See recent.h. */
#include "storage/recent.h"

#include "base/mem.h"
#include "storage/db.h"

#include <sqlite3.h>
#include <stdio.h>

/* Of the last runs only, since the index is by run. */
static const char SQL[] =
	"SELECT time, replicas, desired FROM decisions WHERE applied AND time >= ?3 AND namespace = ?1 AND deployment = ?2 "
	"AND run IN (SELECT id FROM runs WHERE kind = 'control' ORDER BY id DESC LIMIT 200) ORDER BY time DESC LIMIT ?4";

int store_recent(struct sqlite3 *db, const char *namespace_, const char *name, int64_t since_ms, RecentChange *ret, size_t max, size_t *ret_n)
{
	sqlite3_stmt *stmt = NULL;
	size_t n = 0;
	*ret_n = 0;
	if (!db)
		return 0;
	if (sqlite3_prepare_v2(db, SQL, -1, &stmt, NULL) != SQLITE_OK)
		return ERR_STORE;
	(void) sqlite3_bind_text(stmt, 1, namespace_, -1, SQLITE_STATIC);
	(void) sqlite3_bind_text(stmt, 2, name, -1, SQLITE_STATIC);
	(void) sqlite3_bind_int64(stmt, 3, since_ms);
	(void) sqlite3_bind_int64(stmt, 4, (sqlite3_int64) max);
	while (n < max && sqlite3_step(stmt) == SQLITE_ROW)
		ret[n++] = (RecentChange) { sqlite3_column_int64(stmt, 0), sqlite3_column_int(stmt, 1), sqlite3_column_int(stmt, 2) };
	(void) sqlite3_finalize(stmt);
	for (size_t i = 0; i < n / 2; i++) {
		RecentChange last = ret[n - 1 - i];
		ret[n - 1 - i] = ret[i];
		ret[i] = last;
	}
	*ret_n = n;
	return 0;
}

int64_t store_first_acted(struct sqlite3 *db, const char *namespace_, const char *name, const char *sha256)
{
	sqlite3_stmt *stmt = NULL;
	int64_t first_ms = -1;
	if (!db || sqlite3_prepare_v2(db, "SELECT min(time) FROM decisions WHERE deployment = ?1 AND namespace = ?2 AND model = ?3 AND model <> ''"
	                                " AND state = 'Active'", -1, &stmt, NULL) != SQLITE_OK)
		return -1;
	(void) sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
	(void) sqlite3_bind_text(stmt, 2, namespace_, -1, SQLITE_STATIC);
	(void) sqlite3_bind_text(stmt, 3, sha256, -1, SQLITE_STATIC);
	if (sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_type(stmt, 0) != SQLITE_NULL)
		first_ms = sqlite3_column_int64(stmt, 0);
	(void) sqlite3_finalize(stmt);
	return first_ms;
}

int64_t store_running(const char *path, Clock *clock, const char *namespace_, const char *name, char *ret_state, size_t size)
{
	struct sqlite3 *db = NULL;
	sqlite3_stmt *stmt = NULL;
	char run_name[64];
	int64_t run = 0;
	str_copy(ret_state, size, "");
	if (db_open_existing(path, clock, &db, NULL))
		return 0;
	(void) snprintf(run_name, sizeof run_name, "%.20s/%.40s", namespace_, name); /* as the runner names it */
	if (sqlite3_prepare_v2(db, "SELECT id, (SELECT state FROM decisions WHERE run = runs.id ORDER BY rowid DESC LIMIT 1) FROM runs"
	                       " WHERE kind = 'control' AND status = 'running' AND name = ?1 ORDER BY id DESC LIMIT 1", -1, &stmt, NULL) == SQLITE_OK) {
		(void) sqlite3_bind_text(stmt, 1, run_name, -1, SQLITE_STATIC);
		if (sqlite3_step(stmt) == SQLITE_ROW) {
			const char *state = (const char *) sqlite3_column_text(stmt, 1);
			run = sqlite3_column_int64(stmt, 0);
			str_copy(ret_state, size, state ? state : "");
		}
	}
	(void) sqlite3_finalize(stmt);
	db_close(db);
	return run;
}
