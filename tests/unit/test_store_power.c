/* The power goes in the middle of a write, at every kind of moment: the store opens whole, and no committed audit row is missing. */
#include "base/mem.h"
#include "fakes/power.h"
#include "fakes/store_room.h"
#include "storage/db.h"
#include "storage/writer.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { AUDITS = 30, UPDATES = 20, CUTS = 150, SEEDS = 2 };

static struct {
	StoreRoom room, after;
	Clock clock;
	size_t opened;            /* events when the new store was open */
	size_t committed[AUDITS]; /* events when the commit of each audit row had returned */
} bench;

static void put(Sink *sink, RecordKind kind, int64_t run, int64_t n)
{
	Record record = { .kind = kind, .run_id = run, .wall_ms = n };
	if (kind == RECORD_UPDATE)
		record.u.update = (RecordUpdate) { .update = n, .steps = n };
	sink->ops->write(sink, &record);
}

/* The log goes into the file now and then, as it does by itself after a thousand pages. */
static void checkpoint(void)
{
	sqlite3 *db = NULL;
	Error err = { 0 };
	if (db_open(bench.room.path, &bench.clock, &db, &err))
		fail_msg("%s", err.text);
	(void) db_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)");
	db_close(db);
}

static void write_a_store(Power *power)
{
	Sink *sink = NULL;
	Error err = { 0 };
	int64_t n = 0;
	if (store_sink_new(bench.room.path, &bench.clock, 1024, &sink, &err))
		fail_msg("%s", err.text);
	bench.opened = power_count(power);
	int64_t run = store_begin(sink);
	for (int i = 0; i < AUDITS; i++) {
		for (int k = 0; k < UPDATES; k++)
			put(sink, RECORD_UPDATE, run, ++n);
		put(sink, RECORD_AUDIT, run, i + 1);
		assert_int_equal(sink->ops->commit(sink, 20000, &err), 0);
		bench.committed[i] = power_count(power);
		if (i % 10 == 9)
			checkpoint();
	}
	sink_free(sink);
}

static int64_t number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	int64_t value = sqlite3_column_int64(stmt, 0);
	(void) sqlite3_finalize(stmt);
	return value;
}

static void expect_whole(size_t n)
{
	sqlite3 *db = NULL;
	Error err = { 0 };
	int64_t committed = 0;
	while (committed < AUDITS && bench.committed[committed] <= n)
		committed++;
	if (db_open(bench.after.path, &bench.clock, &db, &err))
		fail_msg("cut %zu: %s", n, err.text);
	if (n >= bench.opened && err.text[0])
		fail_msg("cut %zu: %s", n, err.text);
	assert_int_equal(number(db, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"), 0);
	if (number(db, "SELECT count(*) FROM audit") < committed)
		fail_msg("cut %zu: %d of %d audit rows", n, (int) number(db, "SELECT count(*) FROM audit"), (int) committed);
	db_close(db);
}

static void store_is_whole_after_a_power_cut(void **state)
{
	(void) state;
	Power *power = power_on();
	Rng rng;
	store_room_init(&bench.room);
	clock_init_system(&bench.clock);
	write_a_store(power);
	size_t count = power_count(power);
	rng_init(&rng, 1, 0, RNG_EVAL);
	for (size_t cut = 0; cut <= CUTS; cut++) {
		for (int seed = 0; seed < SEEDS; seed++) {
			size_t n = cut * count / CUTS;
			store_room_init(&bench.after);
			power_cut(power, n, &rng, bench.after.path);
			expect_whole(n);
			store_room_done(&bench.after);
		}
	}
	power_done(power);
	store_room_done(&bench.room);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(store_is_whole_after_a_power_cut) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
