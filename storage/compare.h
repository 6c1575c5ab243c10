/*
 * A run as Compare needs it: its evaluations thinned, what its last evaluation episode cost, and the rule beside it.
 */
#ifndef MAESTRO_STORAGE_COMPARE_H
#define MAESTRO_STORAGE_COMPARE_H

#include "base/archive.h"

struct sqlite3;

/* ERR_NOT_FOUND, ERR_STORE, ERR_NOMEM. */
int compare_read(struct sqlite3 *db, int64_t run, CompareRun *ret, Error *err);

/* Figures of an episode from its stored lists (JSON arrays of numbers and nulls): soft_ms <= 0 is no limit. */
void compare_figures(const char *replicas, const char *latency_ms, double soft_ms, double interval_s, EpisodeFigures *ret);

/* Fills row[].last of trainings that recorded an evaluation episode. ERR_STORE. */
int compare_last_figures(struct sqlite3 *db, RunRow *row, int32_t n, Error *err);

#endif
