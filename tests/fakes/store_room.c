/* See store_room.h. */
#include "store_room.h"

#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Linked into programs without cmocka too. */
static void need(int is_true, const char *what, const char *why)
{
	if (is_true)
		return;
	(void) fprintf(stderr, "%s: %s\n", what, why);
	abort();
}

void store_room_init(StoreRoom *room)
{
	const char *tmp = getenv("TMPDIR");
	(void) snprintf(room->folder, sizeof room->folder, "%.80s/maestro-store-XXXXXX", tmp ? tmp : "/tmp");
	need(mkdtemp(room->folder) != NULL, room->folder, "cannot be made");
	(void) snprintf(room->path, sizeof room->path, "%s/maestro.db", room->folder);
}

void store_room_done(StoreRoom *room)
{
	DIR *folder = opendir(room->folder);
	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		char path[512];
		(void) snprintf(path, sizeof path, "%s/%s", room->folder, entry->d_name);
		(void) unlink(path);
	}
	if (folder)
		(void) closedir(folder);
	(void) rmdir(room->folder);
}

static void add_column(sqlite3_stmt *stmt, int column, char *text, size_t size)
{
	size_t len = strlen(text);
	const char *bar = column ? "|" : "";
	int type = sqlite3_column_type(stmt, column);
	if (type == SQLITE_NULL)
		(void) snprintf(text + len, size - len, "%sNULL", bar);
	else if (type == SQLITE_FLOAT)
		(void) snprintf(text + len, size - len, "%s%.17g", bar, sqlite3_column_double(stmt, column));
	else
		(void) snprintf(text + len, size - len, "%s%s", bar, (const char *) sqlite3_column_text(stmt, column));
}

const char *store_sql(const char *path, const char *sql, char *text, size_t size)
{
	sqlite3 *db;
	sqlite3_stmt *stmt;
	text[0] = '\0';
	need(!sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), path, "cannot be opened");
	(void) sqlite3_busy_timeout(db, 5000);
	need(!sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), sql, sqlite3_errmsg(db));
	if (sqlite3_step(stmt) == SQLITE_ROW)
		for (int c = 0; c < sqlite3_column_count(stmt); c++)
			add_column(stmt, c, text, size);
	int code = sqlite3_finalize(stmt);
	need(!code, sql, sqlite3_errmsg(db));
	(void) sqlite3_close(db);
	return text;
}

int64_t store_begin(Sink *sink)
{
	RunStart start = { .kind = RUN_TRAIN, .name = "t", .seed = 1, .config_json = "{}" };
	int64_t id = 0;
	Error err = { 0 };
	int code = sink->ops->run_begin(sink, &start, &id, &err);
	need(!code, "run_begin", err.text);
	return id;
}
