/*
 * The past across runs: what happened, newest first, and a target's signals in a window of time.
 */
#ifndef MAESTRO_STORAGE_LOG_H
#define MAESTRO_STORAGE_LOG_H

#include "base/archive.h"

struct sqlite3;

/* What happened: states, hand-made changes, overrides, writes and refusals of loops, evaluations, ends of runs. At most
 * `most` rows that hold all of the words (NULL or "": any). ERR_STORE. */
int log_events(struct sqlite3 *db, const char *words, int32_t most, ArchiveEvent *event, int32_t *ret_n, Error *err);

/* The decisions of a control run in [from_ms, to_ms] as points, thinned evenly to at most VIEW_HISTORY, oldest first.
 * ERR_STORE. */
int log_past(struct sqlite3 *db, int64_t run, int64_t from_ms, int64_t to_ms, HistoryPoint *point, int32_t *ret_n,
             int64_t *ret_first_ms, Error *err);

#endif
