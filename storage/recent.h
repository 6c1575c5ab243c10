/* What a control loop did to a target of late: read once at the start of the next one. */
#ifndef MAESTRO_STORAGE_RECENT_H
#define MAESTRO_STORAGE_RECENT_H

#include "base/clock.h"

#include <stddef.h>
#include <stdint.h>

typedef struct RecentChange {
	int64_t time_ms; /* wall */
	int32_t from, to;
} RecentChange;

/* A store opened to be read from, for as many targets as there are. */
typedef struct StorePast StorePast;
/* A store that is not there has no past: *ret_past is NULL, which all of these accept. ERR_STORE, ERR_NOMEM. */
int store_past_open(const char *path, StorePast **ret_past);
void store_past_close(StorePast *past);

/* The newest max changes of a Deployment's replicas since then, oldest first. ERR_STORE. */
int store_recent(StorePast *past, const char *namespace_, const char *name, int64_t since_ms, RecentChange *ret, size_t max, size_t *ret_n);

/* When a model, by the SHA-256 of its file, first acted on a Deployment (wall); -1: the store has nothing of it. */
int64_t store_first_acted(StorePast *past, const char *namespace_, const char *name, const char *sha256);

/* The run of a living process over a Deployment, 0: the store has none; ret_state gets the state of its last decision, "" before it. */
int64_t store_running(const char *path, Clock *clock, const char *namespace_, const char *name, char *ret_state, size_t size);

#endif
