/*
 * A Record as a row: one INSERT a kind of record, prepared once, in one table.
 *
 * What is not known is NULL: NAN, a count of -1, the values of a Sample whose bit is not set.
 */
#ifndef MAESTRO_STORAGE_ROWS_H
#define MAESTRO_STORAGE_ROWS_H

#include "base/mem.h"
#include "base/sink.h"

struct sqlite3;
struct sqlite3_stmt;

typedef struct Rows {
	struct sqlite3 *db;                             /* lent */
	struct sqlite3_stmt *stmt[RECORD_RUN_END + 1];  /* NULL until the first of its kind */
	StrBuf json;                                    /* scratch */
} Rows;

void rows_init(Rows *rows, struct sqlite3 *db);
void rows_done(Rows *rows);

/* Inserts one record inside the caller's transaction. A code of SQLite's; SQLITE_CONSTRAINT refuses this record
 * alone (a run that is not there), anything else is a failure of the store. */
int rows_insert(Rows *rows, const Record *record);

/* SQL: of a row `a` of audit that its command was answered: the later row that says what came of it. */
#define AUDIT_IS_ANSWERED \
	"EXISTS (SELECT 1 FROM audit AS b WHERE b.run IS a.run AND b.command = a.command AND b.who = a.who" \
	" AND b.deployment = a.deployment AND b.result <> 'pending' AND b.rowid > a.rowid)"

#endif
