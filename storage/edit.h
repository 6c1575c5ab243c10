/*
 * What a person adds to stored runs: tags, a note, a lock; the trash, and its emptying.
 */
#ifndef MAESTRO_STORAGE_EDIT_H
#define MAESTRO_STORAGE_EDIT_H

#include "base/archive.h"

struct sqlite3;

/*
 * Does one edit to all its runs, or to none: one transaction. text says in words what was done ("tag prod: 2 runs").
 * ERR_NOT_FOUND (no such run), ERR_REFUSED (a locked or running run is not deleted), ERR_INVALID (a tag of more than one
 * word, a text too long; EDIT_PURGE, which is purge.h's), ERR_STORE.
 */
int edit_runs(struct sqlite3 *db, RunEdit what, const int64_t *run, int32_t n, const char *text, int64_t wall_ms,
              char *ret_text, size_t size, Error *err);

/* Deletes the rows of a run that is in the trash. Its files are the caller's business. ERR_REFUSED, ERR_STORE. */
int edit_purge(struct sqlite3 *db, int64_t run, Error *err);

/* Gives the room of purged rows back to the disk. ERR_STORE where another process is writing or the disk is too full for the copy that
 * this makes for a moment; then nothing has changed. */
int edit_vacuum(struct sqlite3 *db, Error *err);

#endif
