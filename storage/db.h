/*
 * The store's file: opening, versions, damage, and the words of its errors.
 *
 * A store that cannot be written says why and where. A damaged one is renamed to FILE.corrupt-TIME (its -wal and -shm
 * with it), never deleted, and a new one is begun. Only storage/ includes sqlite3.h; others pass the handle along.
 */
#ifndef MAESTRO_STORAGE_DB_H
#define MAESTRO_STORAGE_DB_H

#include "base/clock.h"
#include "base/err.h"

#include <stdbool.h>

struct sqlite3;

enum {
	DB_VERSION = 4,                  /* of the schema; PRAGMA user_version of the file */
	DB_APPLICATION_ID = 0x4d414553,  /* "MAES": tells our files from other programs' */
	DB_BUSY_MS = 5000,               /* how long a statement waits for another process */
};

/*
 * Opens path for writing: makes missing folders, the file and the schema, migrates an older one, marks the runs of
 * dead processes crashed. WAL, foreign keys on, every commit out of this process. 0, and err->text then is "" or a notice (a
 * damaged file was set aside); ERR_STORE, ERR_NOMEM.
 */
int db_open(const char *path, Clock *clock, struct sqlite3 **ret_db, Error *err);

/*
 * Opens a store that is there, for queries. Nothing is made, migrated or set aside; the runs of dead processes are
 * marked crashed where the file can be written. ERR_NOT_FOUND, ERR_STORE, ERR_NOMEM.
 */
int db_open_existing(const char *path, Clock *clock, struct sqlite3 **ret_db, Error *err);

/* The same without marking, through a handle that cannot write: for the archive's reader thread. */
int db_open_readonly(const char *path, struct sqlite3 **ret_db, Error *err);

/* Accepts NULL. */
void db_close(struct sqlite3 *db);

/* Runs one statement that gives no rows; a code of SQLite's. */
int db_exec(struct sqlite3 *db, const char *sql);

/* Whether each commit waits until it is on the disk, so that a power cut leaves it. Not within a transaction; a code of SQLite's. */
int db_sync_commits(struct sqlite3 *db, bool is_on);

/* Fills err from the handle's last failure ("store FILE: database or disk is full") and answers ERR_STORE or
 * ERR_NOMEM. */
int db_error(struct sqlite3 *db, Error *err);

/* ERR_NOT_FOUND of a run, and the command that lists this store's. */
int db_no_run(struct sqlite3 *db, int64_t run, Error *err);

#endif
