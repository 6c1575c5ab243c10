/* Where a run's files are: each store's apart, and those of before where they were. */
#include "base/mem.h"
#include "fakes/store_room.h"
#include "storage/db.h"
#include "storage/run_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void each_store_has_a_folder_of_its_own(void **state)
{
	(void) state;
	static const char *const cases[][2] = {
		{ "maestro.db", "runs" }, { "lab.db", "lab.runs" }, { "a.b.db", "a.b.runs" }, { "lab", "lab.runs" }, { ".hidden", ".hidden.runs" },
	};
	StoreRoom room;
	store_room_init(&room);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char store[256], path[512], wanted[512], parent[256];
		Error err = { 0 };
		struct stat made;
		(void) snprintf(store, sizeof store, "%s/%s", room.folder, cases[i][0]);
		(void) snprintf(parent, sizeof parent, "%s/%s", room.folder, cases[i][1]);
		(void) snprintf(wanted, sizeof wanted, "%s/7", parent);
		for (int twice = 0; twice < 2; twice++) /* a resumed run has its own */
			assert_int_equal(run_folder_make(store, 7, path, sizeof path, &err), 0);
		assert_string_equal(path, wanted);
		assert_true(!stat(path, &made) && S_ISDIR(made.st_mode));
		assert_int_equal(rmdir(path), 0);
		(void) rmdir(parent);
	}
	store_room_done(&room);
}

static void a_path_that_leaves_no_room_for_names_is_refused(void **state)
{
	(void) state;
	char store[500], path[512];
	Error err = { 0 };
	memset(store, 'x', sizeof store - 1);
	store[sizeof store - 1] = '\0';
	assert_int_equal(run_folder_make(store, 1, path, sizeof path, &err), ERR_USAGE);
	assert_non_null(strstr(err.text, "longer than"));
	assert_int_equal(run_folder_make("/nonexistent/maestro.db", 1, path, sizeof path, &err), ERR_IO);
}

/* The store is lab.db; its folder may have been moved since the path was written. */
static void a_run_of_before_is_found_where_it_was(void **state)
{
	(void) state;
	static const char *const cases[][2] = {
		{ "/elsewhere/runs/1/last.ckpt", "runs/1" },
		{ "runs/1/last.ckpt", "runs/1" },
		{ "/elsewhere/lab.runs/1/last.ckpt", "lab.runs/1" },
		{ "/elsewhere/truns/1/last.ckpt", "lab.runs/1" },
		{ "/elsewhere/runs/2/last.ckpt", "lab.runs/1" },
	};
	StoreRoom room;
	Clock clock;
	struct sqlite3 *db;
	Error err = { 0 };
	char store[256], sql[512], answer[64], path[512], wanted[256];
	clock_init_system(&clock);
	store_room_init(&room);
	(void) snprintf(store, sizeof store, "%s/lab.db", room.folder);
	assert_int_equal(db_open(store, &clock, &db, &err), 0);
	(void) store_sql(store, "INSERT INTO runs (kind, name, seed, status, start, host, boot_id, pid, pid_start, heartbeat) "
	                 "VALUES ('train', 'old', 7, 'done', 1, 'h', 'b', 1, 1, 1)", answer, sizeof answer);
	run_folder_find(db, store, 1, path, sizeof path); /* none was written */
	(void) snprintf(wanted, sizeof wanted, "%s/lab.runs/1", room.folder);
	assert_string_equal(path, wanted);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		(void) snprintf(sql, sizeof sql, "INSERT INTO checkpoints (run, steps, time, kind, path) VALUES (1, %zu, 1, 'last', '%s')", i, cases[i][0]);
		(void) store_sql(store, sql, answer, sizeof answer);
		run_folder_find(db, store, 1, path, sizeof path);
		(void) snprintf(wanted, sizeof wanted, "%s/%s", room.folder, cases[i][1]);
		assert_string_equal(path, wanted);
	}
	db_close(db);
	store_room_done(&room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_store_has_a_folder_of_its_own),
		cmocka_unit_test(a_path_that_leaves_no_room_for_names_is_refused),
		cmocka_unit_test(a_run_of_before_is_found_where_it_was),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
