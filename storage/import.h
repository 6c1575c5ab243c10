/*
 * A run from another store: what `runs export --format json` wrote, as a new run with all its parts.
 */
#ifndef MAESTRO_STORAGE_IMPORT_H
#define MAESTRO_STORAGE_IMPORT_H

#include "base/json.h"

struct sqlite3;

/* One transaction; the run gets a number of its own, and is done or stopped where it was running. One that was imported before (kind,
 * name, seed and start are the same) is left as it is, and *ret_id is its number. Members that are no column are passed over.
 * ret_is_new may be NULL. ERR_PARSE (not such a file), ERR_STORE. */
int import_run(struct sqlite3 *db, const Json *root, int64_t *ret_id, bool *ret_is_new, Error *err);

/* Which training elsewhere an imported run is, in the importer's words, by which it is found again without its file. ERR_STORE. */
int import_note_origin(struct sqlite3 *db, int64_t run, const char *origin, Error *err);
/* The newest of an origin that is not in the trash. ERR_NOT_FOUND, ERR_STORE. */
int import_find(struct sqlite3 *db, const char *origin, int64_t *ret_id, Error *err);

#endif
