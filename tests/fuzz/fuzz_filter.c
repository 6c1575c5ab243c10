/* What is typed to pick runs: SQL that SQLite runs over the schema as it is, or a fault with its column. */
#include "fuzz.h"
#include "storage/db.h"
#include "storage/runs.h"

#include <stdlib.h>

static int pass(void *context, const RunRow *row)
{
	(void) context, (void) row;
	return 0;
}

void fuzz_filter(const char *bytes, size_t len)
{
	struct sqlite3 *db = NULL;
	Clock clock;
	Error err = { 0 };
	StrBuf text = { 0 };
	int32_t col = -1;
	clock_init_fake(&clock, 0);
	if (db_open(":memory:", &clock, &db, &err))
		abort();
	strbuf_add(&text, bytes, len); /* typed ones are strings */
	RunSelection selection = { .filter = text.data, .wall_ms = INT64_C(1700000000000), .limit = 10 };
	int code = runs_select(db, &selection, pass, NULL, NULL, &col, &err);
	fuzz_check(code, &err);
	if ((code != 0) != (col >= 0) || col > (int32_t) len)
		abort();
	strbuf_done(&text);
	db_close(db);
}

void seed_filter(StrBuf *to)
{
	strbuf_addf(to, "web best (tag:prod or not status=done) steps>=1e6 reward<=-3 age<3d lr<=3e-4 trace:wc98 has:note is:locked");
}
