/* What a control loop did to a target of late: read once at the start of the next one. */
#ifndef MAESTRO_STORAGE_RECENT_H
#define MAESTRO_STORAGE_RECENT_H

#include "base/clock.h"

#include <stddef.h>
#include <stdint.h>

struct sqlite3;

typedef struct RecentChange {
	int64_t time_ms; /* wall */
	int32_t from, to;
} RecentChange;

/* db is a store opened to be read from; NULL: there is none, and so no past. */

/* The newest max changes of a Deployment's replicas since then, oldest first. ERR_STORE. */
int store_recent(struct sqlite3 *db, const char *namespace_, const char *name, int64_t since_ms, RecentChange *ret, size_t max, size_t *ret_n);

/* When a model, by the SHA-256 of its file, first acted on a Deployment (wall); -1: the store has nothing of it. */
int64_t store_first_acted(struct sqlite3 *db, const char *namespace_, const char *name, const char *sha256);

/* The run of a living process over a Deployment, 0: the store has none; ret_state gets the state of its last decision, "" before it. */
int64_t store_running(const char *path, Clock *clock, const char *namespace_, const char *name, char *ret_state, size_t size);

#endif
