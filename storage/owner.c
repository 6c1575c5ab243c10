/* See owner.h. */
#include "storage/owner.h"

#include "base/mem.h"
#include "storage/rows.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COMMAND_MS = 120000 };

static bool read_line(const char *path, char *line, size_t size)
{
	FILE *file = fopen(path, "r");
	if (!file)
		return false;
	bool is_read = fgets(line, (int) size, file) != NULL;
	(void) fclose(file);
	return is_read;
}

/* State and start time of a process; false when there is none. The name, field 2, may hold blanks and brackets. */
static bool read_stat(int64_t pid, char *ret_state, int64_t *ret_start)
{
	char path[64], line[1024];
	(void) snprintf(path, sizeof path, "/proc/%lld/stat", (long long) pid);
	if (!read_line(path, line, sizeof line))
		return false;
	char *field = strrchr(line, ')');
	if (!field || field[1] != ' ')
		return false;
	*ret_state = field[2];
	for (int i = 2; i < 22 && field; i++)
		field = strchr(field + 1, ' ');
	if (!field)
		return false;
	*ret_start = strtoll(field, NULL, 10);
	return true;
}

void owner_self(Owner *ret_owner)
{
	*ret_owner = (Owner) { .pid = getpid() };
	(void) gethostname(ret_owner->host, sizeof ret_owner->host - 1);
	if (read_line("/proc/sys/kernel/random/boot_id", ret_owner->boot_id, sizeof ret_owner->boot_id))
		ret_owner->boot_id[strcspn(ret_owner->boot_id, "\n")] = '\0';
	char state;
	(void) read_stat(ret_owner->pid, &state, &ret_owner->pid_start);
}

bool owner_is_gone(const Owner *owner, const Owner *self, int64_t heartbeat_ms, int64_t wall_ms)
{
	bool is_checkable = *self->boot_id && !strcmp(owner->boot_id, self->boot_id) && !strcmp(owner->host, self->host);
	if (!is_checkable)
		return wall_ms - heartbeat_ms > OWNER_STALE_MS;
	char state;
	int64_t start;
	return !read_stat(owner->pid, &state, &start) || start != owner->pid_start || state == 'Z' || state == 'X';
}

static int mark(sqlite3 *db, int64_t run)
{
	sqlite3_stmt *stmt;
	int code = sqlite3_prepare_v2(db, "UPDATE runs SET status = 'crashed', ended = heartbeat"
	                                  " WHERE id = ?1 AND status = 'running'", -1, &stmt, NULL);
	if (code)
		return code;
	(void) sqlite3_bind_int64(stmt, 1, run);
	(void) sqlite3_step(stmt);
	return sqlite3_finalize(stmt);
}

/* What gone processes have left pending. Rows of no run are of commands such as `maestro override`, which end soon. */
#define LEFT_PENDING \
	" FROM audit AS a WHERE result = 'pending' AND NOT " AUDIT_IS_ANSWERED \
	" AND CASE WHEN run IS NULL THEN time < ?1 - ?2 ELSE (SELECT status FROM runs WHERE id = run) <> 'running' END"

static int run_settling(sqlite3 *db, const char *sql, int64_t wall_ms, bool *ret_has_row)
{
	sqlite3_stmt *stmt;
	int code = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
	if (code)
		return code;
	(void) sqlite3_bind_int64(stmt, 1, wall_ms);
	(void) sqlite3_bind_int64(stmt, 2, COMMAND_MS);
	*ret_has_row = sqlite3_step(stmt) == SQLITE_ROW;
	return sqlite3_finalize(stmt);
}

/* Looks first: who has nothing to write does not ask for the lock. */
static int settle_audit(sqlite3 *db, int64_t wall_ms)
{
	bool is_left;
	int code = run_settling(db, "SELECT 1" LEFT_PENDING " LIMIT 1", wall_ms, &is_left);
	if (code || !is_left)
		return code;
	return run_settling(db, "INSERT INTO audit (run, time, who, host, context, namespace, deployment, what, \"from\", \"to\","
	                        " state_before, reason, result, command)"
	                        " SELECT run, ?1, who, host, context, namespace, deployment, what, \"from\", \"to\", state_before, reason,"
	                        " 'unknown: the process ended before the answer', command" LEFT_PENDING, wall_ms, &is_left);
}

int owner_mark_crashed(struct sqlite3 *db, int64_t wall_ms)
{
	sqlite3_stmt *stmt;
	int code = sqlite3_prepare_v2(db, "SELECT id, host, boot_id, pid, pid_start, heartbeat FROM runs"
	                                  " WHERE status = 'running'", -1, &stmt, NULL);
	if (code)
		return code;
	Owner self;
	owner_self(&self);
	while (!code && sqlite3_step(stmt) == SQLITE_ROW) {
		Owner owner = { .pid = sqlite3_column_int64(stmt, 3), .pid_start = sqlite3_column_int64(stmt, 4) };
		const char *host = (const char *) sqlite3_column_text(stmt, 1), *boot_id = (const char *) sqlite3_column_text(stmt, 2);
		str_copy(owner.host, sizeof owner.host, host ? host : ""); /* a damaged row, or out of memory */
		str_copy(owner.boot_id, sizeof owner.boot_id, boot_id ? boot_id : "");
		if (owner_is_gone(&owner, &self, sqlite3_column_int64(stmt, 5), wall_ms))
			code = mark(db, sqlite3_column_int64(stmt, 0));
	}
	int ended = sqlite3_finalize(stmt);
	code = code ? code : ended;
	return code ? code : settle_audit(db, wall_ms);
}
