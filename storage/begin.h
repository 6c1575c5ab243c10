/*
 * The beginning of a run: its row, made anew or continued, and the sign of life of its process.
 */
#ifndef MAESTRO_STORAGE_BEGIN_H
#define MAESTRO_STORAGE_BEGIN_H

#include "base/sink.h"

struct sqlite3;

/*
 * Makes the row of a new run, or sets the one to be resumed running again under this process and deletes what was
 * recorded of it past resume_steps; one transaction. ERR_NOT_FOUND, ERR_REFUSED (it is still running, or of another
 * kind), ERR_STORE, ERR_NOMEM.
 */
int begin_run(struct sqlite3 *db, const RunStart *start, int64_t wall_ms, int64_t *ret_run_id, Error *err);

/* Renews the heartbeat of this process's runs. A code of SQLite's. */
int begin_beat(struct sqlite3 *db, int64_t wall_ms);

#endif
