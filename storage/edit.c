/* See edit.h. */
#include "storage/edit.h"

#include "base/mem.h"
#include "storage/db.h"
#include "storage/runs.h"

#include <ctype.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

static const char *const WORDS[EDIT_COUNT] = { "tag", "untag", "note", "lock", "unlock", "delete", "restore", "purge" };

static const char *word_of(RunEdit what)
{
	return what < EDIT_COUNT ? WORDS[what] : "?";
}

/* Tags without one of them. */
static void without(char *tags, const char *tag)
{
	char out[TAGS_TEXT] = "", rest[TAGS_TEXT];
	str_copy(rest, sizeof rest, tags);
	char *save = NULL;
	for (char *word = strtok_r(rest, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		if (!strcmp(word, tag))
			continue;
		if (out[0])
			(void) strncat(out, " ", sizeof out - strlen(out) - 1);
		(void) strncat(out, word, sizeof out - strlen(out) - 1);
	}
	str_copy(tags, TAGS_TEXT, out);
}

static int new_tags(const RunRow *row, RunEdit what, const char *tag, char *tags, Error *err)
{
	str_copy(tags, TAGS_TEXT, row->tags);
	without(tags, tag);
	if (what == EDIT_UNTAG)
		return 0;
	if (strlen(tags) + strlen(tag) + 2 > TAGS_TEXT)
		return error_set(err, ERR_INVALID, "run %lld: its tags are longer than %d characters", (long long) row->id,
		                 TAGS_TEXT - 1);
	if (tags[0])
		(void) strncat(tags, " ", TAGS_TEXT - strlen(tags) - 1);
	(void) strncat(tags, tag, TAGS_TEXT - strlen(tags) - 1);
	return 0;
}

static int check(const RunRow *row, RunEdit what, Error *err)
{
	if (what != EDIT_DELETE)
		return 0;
	if (row->is_locked)
		return error_set(err, ERR_REFUSED, "run %lld is locked; unlock it first", (long long) row->id);
	if (row->status == RUN_RUNNING)
		return error_set(err, ERR_REFUSED, "run %lld is running; stop it first", (long long) row->id);
	return 0;
}

static int write_one(sqlite3 *db, const RunRow *row, RunEdit what, const char *text, int64_t wall_ms, Error *err)
{
	static const char *const SQL[EDIT_COUNT] = {
		[EDIT_TAG] = "UPDATE runs SET tags = ?2 WHERE id = ?1", [EDIT_UNTAG] = "UPDATE runs SET tags = ?2 WHERE id = ?1",
		[EDIT_NOTE] = "UPDATE runs SET note = ?2 WHERE id = ?1", [EDIT_LOCK] = "UPDATE runs SET locked = 1 WHERE id = ?1",
		[EDIT_UNLOCK] = "UPDATE runs SET locked = 0 WHERE id = ?1",
		[EDIT_DELETE] = "UPDATE runs SET deleted = ?3 WHERE id = ?1 AND deleted IS NULL",
		[EDIT_RESTORE] = "UPDATE runs SET deleted = NULL WHERE id = ?1",
	};
	char tags[TAGS_TEXT];
	bool is_tag = what == EDIT_TAG || what == EDIT_UNTAG;
	int code = check(row, what, err);
	if (!code && is_tag)
		code = new_tags(row, what, text, tags, err);
	if (code)
		return code;
	sqlite3_stmt *stmt;
	if (sqlite3_prepare_v2(db, SQL[what], -1, &stmt, NULL))
		return db_error(db, err);
	(void) sqlite3_bind_int64(stmt, 1, row->id);
	(void) sqlite3_bind_text(stmt, 2, is_tag ? tags : text, -1, SQLITE_STATIC);
	(void) sqlite3_bind_int64(stmt, 3, wall_ms);
	(void) sqlite3_step(stmt);
	return sqlite3_finalize(stmt) ? db_error(db, err) : 0;
}

static int check_text(RunEdit what, const char *text, Error *err)
{
	if (what == EDIT_NOTE)
		return strlen(text) < NOTE_TEXT ? 0 : error_set(err, ERR_INVALID, "a note has at most %d characters", NOTE_TEXT - 1);
	if (what != EDIT_TAG && what != EDIT_UNTAG)
		return 0;
	bool is_word = *text != '\0';
	for (const char *c = text; *c; c++)
		is_word &= !isspace((unsigned char) *c) && (unsigned char) *c >= ' ';
	return is_word ? 0 : error_set(err, ERR_INVALID, "a tag is one word");
}

int edit_runs(struct sqlite3 *db, RunEdit what, const int64_t *run, int32_t n, const char *text, int64_t wall_ms,
              char *ret_text, size_t size, Error *err)
{
	int code = what < EDIT_PURGE ? check_text(what, text, err) : ERR_INVALID;
	if (!code && db_exec(db, "BEGIN IMMEDIATE"))
		return db_error(db, err);
	if (code)
		return code;
	for (int32_t i = 0; i < n && !code; i++) {
		RunRow row;
		code = runs_get(db, run[i], &row, NULL, err);
		if (!code)
			code = write_one(db, &row, what, text, wall_ms, err);
	}
	if (!code && db_exec(db, "COMMIT"))
		code = db_error(db, err);
	if (code)
		(void) db_exec(db, "ROLLBACK");
	else
		(void) snprintf(ret_text, size, n == 1 ? "%s%s%.60s: run %lld" : "%s%s%.60s: %lld runs", word_of(what),
		                *text ? " " : "", text, n == 1 ? (long long) run[0] : (long long) n);
	return code;
}

int edit_purge(struct sqlite3 *db, int64_t run, Error *err)
{
	RunRow row;
	int code = runs_get(db, run, &row, NULL, err);
	if (!code && !row.deleted_ms)
		code = error_set(err, ERR_REFUSED, "run %lld is not in the trash", (long long) run);
	if (!code && row.is_locked)
		code = error_set(err, ERR_REFUSED, "run %lld is locked; unlock it first", (long long) run);
	sqlite3_stmt *stmt;
	if (code)
		return code;
	(void) db_exec(db, "PRAGMA foreign_keys = ON"); /* its parts go with it */
	if (sqlite3_prepare_v2(db, "DELETE FROM runs WHERE id = ?1 AND deleted IS NOT NULL", -1, &stmt, NULL))
		return db_error(db, err);
	(void) sqlite3_bind_int64(stmt, 1, run);
	(void) sqlite3_step(stmt);
	return sqlite3_finalize(stmt) ? db_error(db, err) : 0;
}

int edit_vacuum(struct sqlite3 *db, Error *err)
{
	/* the log is emptied into the file and cut off, or the file would shrink only with the next checkpoint */
	return db_exec(db, "VACUUM") || db_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)") ? db_error(db, err) : 0;
}
