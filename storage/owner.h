/*
 * Which process runs a run, and whether it is still there.
 *
 * A run's row carries host, boot id, pid and the pid's start time. On the same boot of the same host the process table
 * answers at once, and a recycled pid shows by its start time. Elsewhere the heartbeat has to do.
 */
#ifndef MAESTRO_STORAGE_OWNER_H
#define MAESTRO_STORAGE_OWNER_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct sqlite3;

enum { OWNER_BEAT_MS = 5000, OWNER_STALE_MS = 30000 };

typedef struct Owner {
	char host[256];
	char boot_id[64];    /* "" where the system has none: then nothing can be checked */
	int64_t pid;
	int64_t pid_start;   /* field 22 of /proc/PID/stat; 0: not known */
} Owner;

/* This process. */
void owner_self(Owner *ret_owner);

/* True when the process is known to be gone, or cannot be checked and has not given a sign for OWNER_STALE_MS. */
bool owner_is_gone(const Owner *owner, const Owner *self, int64_t heartbeat_ms, int64_t wall_ms);

/* Sets the running runs of gone processes to crashed, ended at their last heartbeat, and settles what they left pending in the
 * audit: whether such a write arrived is unknown, and a row says so. A code of SQLite's. */
int owner_mark_crashed(struct sqlite3 *db, int64_t wall_ms);

#endif
