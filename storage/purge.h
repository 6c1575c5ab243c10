/* Emptying the trash: what a run left in the store and in its folder, for good. */
#ifndef MAESTRO_STORAGE_PURGE_H
#define MAESTRO_STORAGE_PURGE_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct sqlite3;

typedef struct PurgeList { /* runs that are to go */
	int64_t *run; /* owned: free() it */
	size_t n, size;
} PurgeList;

/* ERR_NOMEM. */
int purge_list_add(PurgeList *list, int64_t run);

/* Deletes a run of the trash with its checkpoints and models; store is the file's path. ERR_NOT_FOUND, ERR_REFUSED (it is not in the
 * trash, or locked), ERR_STORE. */
int purge_run(struct sqlite3 *db, const char *store, int64_t run, Error *err);

/* Gives the room back to the disk, and says how much, or why the file stays as large: the runs are gone whatever becomes of it. */
void purge_room(struct sqlite3 *db, const char *store, char *ret_text, size_t size);

#endif
