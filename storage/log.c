/* See log.h. */
#include "storage/log.h"

#include "base/mem.h"
#include "storage/db.h"
#include "storage/rows.h"

#include <math.h>
#include <sqlite3.h>
#include <string.h>

/*
 * Times are the machine's. Each part gives its newest rows by rowid, so that the length of a table does not matter; the union is sorted by time.
 * Columns: time, run, level (0 information, 1 warning, 2 error), source, text.
 */
#define NEWEST " ORDER BY rowid DESC LIMIT 400)"
static const char EVENTS_SQL[] =
	"SELECT * FROM ("
	"SELECT time AS t, run AS r, CASE \"to\" WHEN 'Hold' THEN 1 WHEN 'Fallback' THEN 1 WHEN 'Conflict' THEN 2 ELSE 0 END AS l,"
	" deployment AS s, \"from\" || ' -> ' || \"to\" || ' ' || reason || CASE detail WHEN '' THEN '' ELSE ': ' || detail END AS x"
	" FROM (SELECT * FROM states" NEWEST
	" UNION ALL SELECT time, run, 0, who, what || ' ' || \"from\" || ' -> ' || \"to\""
	" FROM (SELECT * FROM interventions" NEWEST
	" UNION ALL SELECT time, run, CASE result WHEN 'applied' THEN 0 WHEN 'pending' THEN 0 ELSE 1 END, who,"
	" what || ' ' || deployment || ' ' || \"from\" || ' -> ' || \"to\" || ' ' || result ||"
	" CASE reason WHEN '' THEN '' ELSE ' \"' || reason || '\"' END"
	" FROM (SELECT * FROM audit AS a WHERE result <> 'pending' OR NOT " AUDIT_IS_ANSWERED /* what came of it says more */ NEWEST
	" UNION ALL SELECT recorded, run, CASE WHEN state = 'Hold' THEN 1 ELSE 0 END, deployment,"
	" reason || ' ' || ifnull(replicas, '?') || ' -> ' || ifnull(desired, '?') ||"
	" CASE applied WHEN 1 THEN ' applied' ELSE '' END || CASE detail WHEN '' THEN '' ELSE ': ' || detail END"
	" FROM (SELECT * FROM decisions" NEWEST " WHERE applied OR state = 'Hold' OR guards != '[]'"
	" UNION ALL SELECT e.time, e.run, 0, runs.name, 'evaluation reward ' || CASE WHEN mean_reward IS NULL THEN '?' ELSE printf('%.2f', mean_reward) END ||"
	" CASE best WHEN 1 THEN ' (best)' ELSE '' END"
	" FROM (SELECT * FROM evals" NEWEST " e JOIN runs ON runs.id = e.run"
	" UNION ALL SELECT ended, id, CASE status WHEN 'crashed' THEN 2 WHEN 'failed' THEN 2 ELSE 0 END, name, 'run ' || id || ' ' || status"
	" FROM (SELECT * FROM runs ORDER BY id DESC LIMIT 400) WHERE ended IS NOT NULL"
	" UNION ALL SELECT start, id, 0, name, 'run ' || id || ' begins' FROM (SELECT * FROM runs ORDER BY id DESC LIMIT 400)"
	") WHERE ?1 = '' OR (s || ' ' || x) LIKE '%' || ?1 || '%' ORDER BY t DESC, r DESC LIMIT ?2";

static const char *text_of(sqlite3_stmt *stmt, int column)
{
	const unsigned char *text = sqlite3_column_text(stmt, column);
	return text ? (const char *) text : "";
}

int log_events(struct sqlite3 *db, const char *words, int32_t most, ArchiveEvent *event, int32_t *ret_n, Error *err)
{
	sqlite3_stmt *stmt;
	if (sqlite3_prepare_v2(db, EVENTS_SQL, -1, &stmt, NULL))
		return db_error(db, err);
	(void) sqlite3_bind_text(stmt, 1, words ? words : "", -1, SQLITE_STATIC);
	(void) sqlite3_bind_int(stmt, 2, most);
	int32_t n = 0;
	for (; n < most && sqlite3_step(stmt) == SQLITE_ROW; n++) {
		int level = sqlite3_column_int(stmt, 2);
		event[n] = (ArchiveEvent) { .wall_ms = sqlite3_column_int64(stmt, 0), .run_id = sqlite3_column_int64(stmt, 1),
			                    .level = level > 0 && level < EVENT_LEVELS ? (EventLevel) level : EVENT_INFO };
		str_copy(event[n].source, sizeof event[n].source, text_of(stmt, 3));
		str_copy(event[n].text, sizeof event[n].text, text_of(stmt, 4));
	}
	*ret_n = n;
	return sqlite3_finalize(stmt) ? db_error(db, err) : 0;
}

static float float_or_nan(sqlite3_stmt *stmt, int column)
{
	return sqlite3_column_type(stmt, column) == SQLITE_NULL ? NAN : (float) sqlite3_column_double(stmt, column);
}

static int16_t count_or_unknown(sqlite3_stmt *stmt, int column)
{
	int n = sqlite3_column_type(stmt, column) == SQLITE_NULL ? -1 : sqlite3_column_int(stmt, column);
	return (int16_t) (n > INT16_MAX ? INT16_MAX : n);
}

static int one_int(sqlite3 *db, const char *sql, int64_t run, int64_t from_ms, int64_t to_ms, int64_t *ret, Error *err)
{
	sqlite3_stmt *stmt;
	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL))
		return db_error(db, err);
	(void) sqlite3_bind_int64(stmt, 1, run);
	(void) sqlite3_bind_int64(stmt, 2, from_ms);
	(void) sqlite3_bind_int64(stmt, 3, to_ms);
	*ret = sqlite3_step(stmt) == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
	return sqlite3_finalize(stmt) ? db_error(db, err) : 0;
}

int log_past(struct sqlite3 *db, int64_t run, int64_t from_ms, int64_t to_ms, HistoryPoint *point, int32_t *ret_n,
             int64_t *ret_first_ms, Error *err)
{
	sqlite3_stmt *stmt;
	int64_t total = 0;
	*ret_n = 0;
	int code = one_int(db, "SELECT min(time) FROM decisions WHERE run = ?1", run, 0, 0, ret_first_ms, err);
	if (!code)
		code = one_int(db, "SELECT count(*) FROM decisions WHERE run = ?1 AND time BETWEEN ?2 AND ?3", run, from_ms, to_ms, &total, err);
	if (code)
		return code;
	if (sqlite3_prepare_v2(db, "SELECT time, latency, rps, cpu_usage, memory_usage, replicas, ready, hpa FROM decisions"
	                           " WHERE run = ?1 AND time BETWEEN ?2 AND ?3 ORDER BY time", -1, &stmt, NULL))
		return db_error(db, err);
	(void) sqlite3_bind_int64(stmt, 1, run);
	(void) sqlite3_bind_int64(stmt, 2, from_ms);
	(void) sqlite3_bind_int64(stmt, 3, to_ms);
	int64_t keep = total < VIEW_HISTORY ? total : VIEW_HISTORY;
	int32_t n = 0;
	for (int64_t at = 0; n < keep && sqlite3_step(stmt) == SQLITE_ROW; at++) {
		if (at != (keep > 1 ? n * (total - 1) / (keep - 1) : 0))
			continue;
		point[n++] = (HistoryPoint) { .wall_ms = sqlite3_column_int64(stmt, 0), .latency_ms = float_or_nan(stmt, 1),
			.rps = float_or_nan(stmt, 2), .cpu_cores = float_or_nan(stmt, 3), .mem_bytes = float_or_nan(stmt, 4),
			.replicas = count_or_unknown(stmt, 5), .ready = count_or_unknown(stmt, 6), .hpa = count_or_unknown(stmt, 7) };
	}
	*ret_n = n;
	return sqlite3_finalize(stmt) ? db_error(db, err) : 0;
}
