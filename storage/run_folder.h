/*
 * Where a run's checkpoints and models are: in a folder of the store's own beside it, a folder a run. runs/ID beside maestro.db, and
 * NAME.runs/ID beside NAME.db, so that two stores in one folder do not write over each other's. Before 2026-11-27 it was runs/ID for
 * all; such runs stay where they are.
 */
#ifndef MAESTRO_STORAGE_RUN_FOLDER_H
#define MAESTRO_STORAGE_RUN_FOLDER_H

#include "base/err.h"
#include "base/json.h"

#include <stddef.h>
#include <stdint.h>

struct sqlite3;

/* Makes it for a new run, or one that goes on. ERR_USAGE (the store's path is too long), ERR_IO. */
int run_folder_make(const char *store, int64_t run, char *path, size_t size, Error *err);
/* Where a stored run's is, whether there is one or not. */
void run_folder_find(struct sqlite3 *db, const char *store, int64_t run, char *path, size_t size);
/* The file of a training's policy: the best one where it was kept and can be read, else the last one's, whether it is there or not.
 * config: the run's options. */
void run_policy_find(struct sqlite3 *db, const char *store, int64_t run, const Json *config, char *path, size_t size);

#endif
