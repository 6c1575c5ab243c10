/*
 * A store of each earlier schema is brought up to date when it is opened for writing: what was in it is still there, the schema is that
 * of a new store, and the file is whole. One opened for reading is left as it is.
 */
#include "base/mem.h"
#include "fakes/store_room.h"
#include "storage/db.h"

#include "schema_2_sql.h"
#include "schema_3_sql.h"
#include "schema_4_sql.h"
#include "schema_sql.h"
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define STATEMENTS(array) { array, sizeof array / sizeof *array }
static const struct {
	const char *const *sql;
	size_t n;
} VERSIONS[] = { STATEMENTS(SCHEMA_SQL), STATEMENTS(SCHEMA_2_SQL), STATEMENTS(SCHEMA_3_SQL), STATEMENTS(SCHEMA_4_SQL) };
_Static_assert(sizeof VERSIONS / sizeof *VERSIONS == DB_VERSION, "a new version is tried here too");

/* Rows in the columns of version 1, which every later one has. */
static const char *const ROWS[] = {
	"INSERT INTO runs (kind, name, seed, status, start, host, boot_id, pid, pid_start, heartbeat) "
	"VALUES ('train', 'old', 7, 'done', 1764000000000, 'h', 'b', 1, 1, 1764000000000)",
	"INSERT INTO updates (run, \"update\", steps, time, ep_rew_mean) VALUES (1, 1, 1024, 1764000000000, 41.5)",
};

static void must(sqlite3 *db, const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL))
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
}

/* A store as the program of that version left it. */
static void make_store(const char *path, int version)
{
	char pragma[64];
	sqlite3 *db = NULL;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	must(db, "BEGIN");
	for (int v = 0; v < version; v++)
		for (size_t i = 0; i < VERSIONS[v].n; i++)
			must(db, VERSIONS[v].sql[i]);
	for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
		must(db, ROWS[i]);
	(void) snprintf(pragma, sizeof pragma, "PRAGMA application_id = %d", DB_APPLICATION_ID);
	must(db, pragma);
	(void) snprintf(pragma, sizeof pragma, "PRAGMA user_version = %d", version);
	must(db, pragma);
	must(db, "COMMIT");
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void expect(const char *path, const char *sql, const char *wanted)
{
	char text[256];
	assert_string_equal(store_sql(path, sql, text, sizeof text), wanted);
}

static void schema_of(const char *path, char *text, size_t size)
{
	(void) store_sql(path, "SELECT group_concat(line, char(10)) FROM (SELECT s.name || '.' || c.name || ' ' || c.type AS line "
	                 "FROM sqlite_schema s JOIN pragma_table_info(s.name) c ORDER BY s.name, c.cid)", text, size);
}

static void an_older_store_is_brought_up_to_date_with_what_is_in_it(void **state)
{
	(void) state;
	static char wanted[32768], found[32768];
	Clock clock;
	clock_init_system(&clock);
	for (int version = 1; version < DB_VERSION; version++) {
		StoreRoom old, new;
		sqlite3 *db = NULL;
		Error err = { 0 };
		char number[16];
		store_room_init(&old);
		store_room_init(&new);
		make_store(old.path, version);
		assert_int_equal(db_open_readonly(old.path, &db, &err), ERR_STORE);
		assert_non_null(strstr(err.text, "older"));
		(void) snprintf(number, sizeof number, "%d", version);
		expect(old.path, "PRAGMA user_version", number);
		if (db_open(old.path, &clock, &db, &err))
			fail_msg("version %d: %s", version, err.text);
		assert_string_equal(err.text, "");
		db_close(db);
		assert_int_equal(db_open(new.path, &clock, &db, &err), 0);
		db_close(db);
		(void) snprintf(number, sizeof number, "%d", DB_VERSION);
		expect(old.path, "PRAGMA user_version", number);
		expect(old.path, "PRAGMA integrity_check", "ok");
		expect(old.path, "SELECT count(*) FROM pragma_foreign_key_check", "0");
		expect(old.path, "SELECT r.name, r.seed, r.status, r.tags, r.locked, u.steps, u.ep_rew_mean FROM runs r JOIN updates u ON u.run = r.id",
		       "old|7|done||0|1024|41.5");
		schema_of(old.path, found, sizeof found);
		schema_of(new.path, wanted, sizeof wanted);
		assert_true(strlen(wanted) > 1000);
		assert_string_equal(found, wanted);
		store_room_done(&old);
		store_room_done(&new);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(an_older_store_is_brought_up_to_date_with_what_is_in_it) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
