/* See db.h. */
#include "storage/db.h"

#include "base/mem.h"
#include "storage/owner.h"

#include "schema_2_sql.h"
#include "schema_3_sql.h"
#include "schema_4_sql.h"
#include "schema_sql.h"
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHECKED_BYTES = 64 << 20 }; /* larger files are not read through at every start: that would take seconds */

/* Migration i takes a store from version i to i + 1; each is a list of statements. Append only. */
typedef struct Migration {
	const char *const *sql;
	size_t n;
} Migration;

static const Migration MIGRATIONS[] = {
	{ SCHEMA_SQL, sizeof SCHEMA_SQL / sizeof *SCHEMA_SQL },
	{ SCHEMA_2_SQL, sizeof SCHEMA_2_SQL / sizeof *SCHEMA_2_SQL },
	{ SCHEMA_3_SQL, sizeof SCHEMA_3_SQL / sizeof *SCHEMA_3_SQL },
	{ SCHEMA_4_SQL, sizeof SCHEMA_4_SQL / sizeof *SCHEMA_4_SQL },
};
_Static_assert(sizeof MIGRATIONS / sizeof *MIGRATIONS == DB_VERSION, "a version is a migration");

int db_exec(struct sqlite3 *db, const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

static int explain(sqlite3 *db, const char *path, Error *err)
{
	int code = sqlite3_errcode(db) & 0xff;
	if (code == SQLITE_NOMEM)
		return error_set(err, ERR_NOMEM, "store %s: out of memory", path);
	int reason = code == SQLITE_CANTOPEN || code == SQLITE_IOERR ? sqlite3_system_errno(db) : 0;
	return error_set(err, ERR_STORE, "store %s: %s%s%s", path, sqlite3_errmsg(db), reason ? ": " : "",
	                 reason ? strerror(reason) : "");
}

int db_error(struct sqlite3 *db, Error *err)
{
	return explain(db, sqlite3_db_filename(db, "main"), err);
}

void db_close(struct sqlite3 *db)
{
	(void) sqlite3_close(db);
}

static int make_folders(const char *path, Error *err)
{
	Error why = { 0 };
	if (!mem_make_parents(path, &why))
		return 0;
	return error_set(err, ERR_STORE, "store %s: %s; give another file with --db", path, why.text);
}

/* SQLite needs the folder too, for the files beside its own, and says little when it may not write there. */
static int check_rights(const char *path, Error *err)
{
	char folder[4096];
	str_copy(folder, sizeof folder, path);
	char *slash = strrchr(folder, '/');
	if (slash)
		slash[1] = '\0';
	else
		str_copy(folder, sizeof folder, ".");
	if (faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS))
		return error_set(err, ERR_STORE, "store %s: folder %s cannot be written: %s; give another file with --db", path,
		                 folder, strerror(errno));
	if (faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS) && errno != ENOENT)
		return error_set(err, ERR_STORE, "store %s: the file cannot be written: %s; give another file with --db", path,
		                 strerror(errno));
	return 0;
}

static int64_t pragma_int(sqlite3 *db, const char *sql, int *ret_code)
{
	sqlite3_stmt *stmt;
	int64_t value = 0;
	*ret_code = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
	if (*ret_code)
		return 0;
	if (sqlite3_step(stmt) == SQLITE_ROW)
		value = sqlite3_column_int64(stmt, 0);
	*ret_code = sqlite3_finalize(stmt);
	return value;
}

static bool pragma_is(sqlite3 *db, const char *sql, const char *text)
{
	sqlite3_stmt *stmt;
	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL))
		return false;
	bool is_so = sqlite3_step(stmt) == SQLITE_ROW && !strcmp((const char *) sqlite3_column_text(stmt, 0), text);
	(void) sqlite3_finalize(stmt);
	return is_so;
}

static bool is_damage(int sqlite_code)
{
	return (sqlite_code & 0xff) == SQLITE_CORRUPT || (sqlite_code & 0xff) == SQLITE_NOTADB;
}

/* Reads pages and trees (not the rows' contents) of a file that is not too large for it. */
static int check_pages(sqlite3 *db)
{
	int code, failed;
	int64_t pages = pragma_int(db, "PRAGMA page_count", &code);
	int64_t page_size = pragma_int(db, "PRAGMA page_size", &failed);
	if (code || failed)
		return code ? code : failed;
	if (pages * page_size > CHECKED_BYTES)
		return 0;
	sqlite3_stmt *stmt;
	code = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &stmt, NULL);
	if (code)
		return code;
	bool is_ok = sqlite3_step(stmt) == SQLITE_ROW && !strcmp((const char *) sqlite3_column_text(stmt, 0), "ok");
	code = sqlite3_finalize(stmt);
	return code || is_ok ? code : SQLITE_CORRUPT;
}

/* A code of SQLite's where the file could not be read, else *ret_version, or *ret_refusal in words. */
static int read_version(sqlite3 *db, int64_t *ret_version, const char **ret_refusal)
{
	int code;
	/* in this order, since another process may be making the schema right now: tables come with their id and version */
	int64_t tables = pragma_int(db, "SELECT count(*) FROM sqlite_schema", &code);
	int64_t application = code ? 0 : pragma_int(db, "PRAGMA application_id", &code);
	int64_t version = code ? 0 : pragma_int(db, "PRAGMA user_version", &code);
	if (code)
		return code;
	*ret_version = version;
	if (tables && application != DB_APPLICATION_ID)
		*ret_refusal = "it is the database of another program; give another file with --db";
	else if (version > DB_VERSION)
		*ret_refusal = "it was written by a newer maestro; update this one or give another file with --db";
	return 0;
}

static int apply(sqlite3 *db, int64_t version)
{
	char pragma[64];
	int code = 0;
	for (; version < DB_VERSION && !code; version++)
		for (size_t i = 0; i < MIGRATIONS[version].n && !code; i++)
			code = db_exec(db, MIGRATIONS[version].sql[i]);
	if (!code) {
		(void) snprintf(pragma, sizeof pragma, "PRAGMA application_id = %d", DB_APPLICATION_ID);
		code = db_exec(db, pragma);
	}
	if (!code) {
		(void) snprintf(pragma, sizeof pragma, "PRAGMA user_version = %d", DB_VERSION);
		code = db_exec(db, pragma);
	}
	return code;
}

/* All missing migrations in one transaction, so that two starting processes and a crash find the old or the new. */
static int migrate(sqlite3 *db)
{
	int64_t version = 0;
	int code = db_exec(db, "BEGIN IMMEDIATE");
	if (code)
		return code;
	const char *refusal = NULL;
	code = read_version(db, &version, &refusal);
	if (!code && version < DB_VERSION)
		code = apply(db, version);
	if (!code)
		code = db_exec(db, "COMMIT");
	if (code)
		(void) sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return code;
}

/* Opens and looks at what every kind of handle needs to know. On failure *ret_damaged tells damage from the rest. */
static int open_handle(const char *path, int flags, sqlite3 **ret_db, bool *ret_damaged, Error *err)
{
	sqlite3 *db = NULL;
	int64_t version = 0;
	const char *refusal = NULL;
	int code = sqlite3_open_v2(path, &db, flags, NULL);
	if (!db)
		return error_set(err, ERR_NOMEM, "store %s: out of memory", path);
	(void) sqlite3_extended_result_codes(db, 1);
	(void) sqlite3_busy_timeout(db, DB_BUSY_MS);
	if (!code)
		code = read_version(db, &version, &refusal);
	bool is_creating = flags & SQLITE_OPEN_CREATE;
	if (!code && !refusal && is_creating)
		code = check_pages(db);
	*ret_damaged = is_damage(code);
	int failure = 0;
	if (*ret_damaged)
		failure = error_set(err, ERR_STORE, "store %s: the file is damaged or is no SQLite database", path);
	else if (code)
		failure = explain(db, path, err);
	else if (refusal)
		failure = error_set(err, ERR_STORE, "store %s (schema %lld, this program has %d): %s", path, (long long) version,
		                    DB_VERSION, refusal);
	else if (!is_creating && version < DB_VERSION)
		failure = error_set(err, ERR_STORE, "store: schema %lld is older than this program's %d; maestro train or "
		                    "maestro run with --db %s brings it up to date", (long long) version, DB_VERSION, path);
	if (failure)
		db_close(db);
	else
		*ret_db = db;
	return failure;
}

/* A file that is not even named like a database may be a slip of the hand (--db notes.txt): it stays where it is. */
static bool may_set_aside(const char *path)
{
	char head[16] = "";
	size_t len = strlen(path);
	FILE *file = fopen(path, "rb");
	if (!file)
		return false;
	size_t got = fread(head, 1, sizeof head, file);
	(void) fclose(file);
	return (got == sizeof head && !memcmp(head, "SQLite format 3", sizeof head)) ||
	       (len > 3 && !strcmp(path + len - 3, ".db"));
}

static int set_aside(const char *path, Clock *clock, Error *err)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	char time[CLOCK_TEXT], from[4096], to[4096];
	clock_format(clock_wall_ms(clock), time);
	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
		(void) snprintf(from, sizeof from, "%s%s", path, suffixes[i]);
		(void) snprintf(to, sizeof to, "%s.corrupt-%s%s", path, time, suffixes[i]);
		if (rename(from, to) && (i == 0 || errno != ENOENT))
			return error_set(err, ERR_STORE, "store %s is damaged and cannot be set aside: %s", path, strerror(errno));
	}
	(void) error_set(err, 0, "store %s was damaged: it is kept as %s.corrupt-%s, and a new one begun", path, path, time);
	return 0;
}

/* A log says nothing without the file that it belongs to, and a new file has not been waited for (set_journal_and_schema). */
static int sync_file(sqlite3 *db)
{
	sqlite3_file *file = NULL;
	int code = sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
	return code || !file || !file->pMethods ? code : file->pMethods->xSync(file, SQLITE_SYNC_NORMAL);
}

int db_sync_commits(struct sqlite3 *db, bool is_on)
{
	int code = is_on ? sync_file(db) : 0;
	if (code)
		return code;
	/* a rollback journal needs it for every commit */
	bool is_needed = is_on || !pragma_is(db, "PRAGMA journal_mode", "wal");
	return db_exec(db, is_needed ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
}

/*
 * With a write-ahead log NORMAL loses nothing when a process dies, and never the file; only a power cut takes the last commits
 * with it, which FULL would pay for with a wait for the disk each: for audit rows alone (db_sync_commits). A file that has nothing
 * in it yet need not wait at all, nor need its schema.
 */
static int set_journal_and_schema(sqlite3 *db)
{
	int code;
	bool is_new = pragma_int(db, "PRAGMA page_count", &code) == 0 && !code;
	if (is_new)
		(void) db_exec(db, "PRAGMA synchronous = OFF");
	(void) db_exec(db, "PRAGMA journal_mode = WAL");
	/* a file system without shared memory keeps a rollback journal: slower, as safe */
	code = is_new ? 0 : db_sync_commits(db, false);
	if (!code)
		code = migrate(db);
	return code || !is_new ? code : db_sync_commits(db, false);
}

static int make_writable(sqlite3 *db, Clock *clock, Error *err)
{
	int code = db_exec(db, "PRAGMA foreign_keys = ON");
	if (!code)
		code = set_journal_and_schema(db);
	if (!code)
		code = owner_mark_crashed(db, clock_wall_ms(clock));
	return code ? db_error(db, err) : 0;
}

int db_open(const char *path, Clock *clock, struct sqlite3 **ret_db, Error *err)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX;
	sqlite3 *db = NULL;
	bool is_damaged = false;
	if (err)
		*err = (Error) { 0 };
	int code = make_folders(path, err);
	if (!code)
		code = check_rights(path, err);
	if (code)
		return code;
	code = open_handle(path, flags, &db, &is_damaged, err);
	if (code && is_damaged && may_set_aside(path)) {
		code = set_aside(path, clock, err);
		if (!code)
			code = open_handle(path, flags, &db, &is_damaged, err);
	}
	if (!code)
		code = make_writable(db, clock, err);
	if (code)
		db_close(db);
	else
		*ret_db = db;
	return code;
}

static int open_there(const char *path, int flags, sqlite3 **ret_db, Error *err)
{
	bool is_damaged;
	if (!faccessat(AT_FDCWD, path, R_OK, AT_EACCESS))
		return open_handle(path, flags, ret_db, &is_damaged, err);
	if (errno == ENOENT)
		return error_set(err, ERR_NOT_FOUND, "store: there is none yet; maestro train --db %s makes it", path);
	return error_set(err, ERR_STORE, "store %s: the file cannot be read: %s", path, strerror(errno));
}

int db_open_existing(const char *path, Clock *clock, struct sqlite3 **ret_db, Error *err)
{
	int code = open_there(path, SQLITE_OPEN_READWRITE, ret_db, err);
	/* best effort: another's file, or one on a full disk, can still be read */
	if (!code && sqlite3_db_readonly(*ret_db, "main") != 1)
		(void) owner_mark_crashed(*ret_db, clock_wall_ms(clock));
	return code;
}

int db_open_readonly(const char *path, struct sqlite3 **ret_db, Error *err)
{
	return open_there(path, SQLITE_OPEN_READONLY, ret_db, err);
}

int db_no_run(struct sqlite3 *db, int64_t run, Error *err)
{
	const char *path = sqlite3_db_filename(db, "main");
	bool has_path = path && *path; /* not one in memory */
	return error_set(err, ERR_NOT_FOUND, "run %lld: there is no such run; maestro runs list%s%s shows them", (long long) run,
	                 has_path ? " --db " : "", has_path ? path : "");
}
