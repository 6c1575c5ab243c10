/* A run from another store: it is there whole, with references that hold, or nothing of it is. */
#include "fuzz.h"
#include "base/json.h"
#include "storage/db.h"
#include "storage/import.h"
#include "storage/runs.h"

#include <sqlite3.h>
#include <stdlib.h>

static int fail_row(void *context, int n, char **text, char **name)
{
	(void) context, (void) n, (void) text, (void) name;
	return 1;
}

void fuzz_import(const char *bytes, size_t len)
{
	struct sqlite3 *db = NULL;
	Clock clock;
	Json *root = NULL;
	Error err = { 0 };
	int64_t id = 0, count = -1;
	if (json_parse(bytes, len, &root, &err))
		return;
	clock_init_fake(&clock, 0);
	if (db_open(":memory:", &clock, &db, &err))
		abort();
	int code = import_run(db, root, &id, NULL, &err);
	fuzz_check(code, &err);
	if (runs_count(db, &count, &err) || count != !code)
		abort();
	if (sqlite3_exec(db, "PRAGMA foreign_key_check", fail_row, NULL, NULL))
		abort();
	json_free(root);
	db_close(db);
}

void seed_import(StrBuf *to)
{
	fuzz_read("tests/fixtures/run.json", to);
}
