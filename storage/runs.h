/*
 * Questions to the store, answered at once: the runs, and the parts that a run consists of.
 *
 * A part is read row by row as named cells, in the order in which it was recorded, so that commands print JSON or CSV
 * without knowing the columns, and a column added by a later schema shows up by itself.
 */
#ifndef MAESTRO_STORAGE_RUNS_H
#define MAESTRO_STORAGE_RUNS_H

#include "base/archive.h"
#include "base/mem.h"

struct sqlite3;

typedef enum CellKind { CELL_NULL, CELL_INT, CELL_REAL, CELL_BOOL, CELL_TIME, CELL_TEXT, CELL_JSON } CellKind;

typedef struct RunCell {
	const char *name; /* of the column */
	CellKind kind;
	int64_t integer;  /* CELL_INT, CELL_BOOL, CELL_TIME (ms since 1970 UTC) */
	double real;      /* CELL_REAL */
	const char *text; /* CELL_TEXT, CELL_JSON; lent until the row function returns */
} RunCell;

enum { RUN_CELLS_MAX = 48 };

typedef enum RunPart {
	PART_UPDATES, PART_LAST_UPDATE, PART_EVALS, PART_CHECKPOINTS, PART_INTERVENTIONS, PART_EPISODES, PART_DECISIONS,
	PART_STATES, PART_AUDIT, PART_RESULTS, PART_COUNT,
} RunPart;

/* "updates", "last_update", "evals", ...: the keys of `runs show --json`. */
const char *run_part_name(RunPart part);

/* Row functions answer 0 to go on; anything else ends the query, which then answers it. */
typedef int (*RunRowFn)(void *context, const RunRow *row);
typedef int (*RunCellFn)(void *context, const RunCell *cell, size_t n);

typedef struct RunSelection {
	const char *filter;    /* filter.h; NULL: all but the trash */
	int64_t wall_ms;       /* now, for ages */
	RunSort sort;
	bool is_ascending;
	int64_t offset, limit;
} RunSelection;

/* The runs that a filter takes, in its order; runs without the figure that is sorted by come last. *ret_matched (may be
 * NULL) counts them all. *ret_fault_col (may be NULL) is where a filter is wrong, else -1. ERR_PARSE, ERR_STORE. */
int runs_select(struct sqlite3 *db, const RunSelection *selection, RunRowFn fn, void *context, int64_t *ret_matched,
                int32_t *ret_fault_col, Error *err);
/* Of each run that a selection's filter takes, all of them in its order: configuration and best evaluation (NAN: none). */
typedef int (*RunConfigFn)(void *context, int64_t run, uint64_t seed, const char *config, double eval);
int runs_configs(struct sqlite3 *db, const RunSelection *selection, RunConfigFn fn, void *context, int32_t *ret_fault_col, Error *err);
/* How many runs there are. */
int runs_count(struct sqlite3 *db, int64_t *ret_count, Error *err);
/* One run, and its config as JSON into config (may be NULL), "null" where it has none. ERR_NOT_FOUND. */
int runs_get(struct sqlite3 *db, int64_t id, RunRow *ret_row, StrBuf *config, Error *err);
/* The rows of one part of a run. A run that is not there has none. */
int runs_part(struct sqlite3 *db, int64_t id, RunPart part, RunCellFn fn, void *context, Error *err);
/* Its learning curve into point_*, thinned evenly to at most ARCHIVE_POINTS, the first and the last included. */
int runs_curve(struct sqlite3 *db, int64_t id, ArchiveAnswer *ret, Error *err);
/* Its last decisions up to a time of the target, newest first, at most limit. */
int runs_last_decisions(struct sqlite3 *db, int64_t id, int64_t until_ms, int32_t limit, ArchiveDecision *decision, int32_t *ret_n,
                        Error *err);
/* How many changes of replicas by people were written in it, in all. */
int runs_by_hand(struct sqlite3 *db, int64_t id, int64_t *ret_count, Error *err);
/* What an evaluation measured, a row a lambda and policy in the order of the command line, at most limit. */
int runs_results(struct sqlite3 *db, int64_t id, int32_t limit, ArchiveResult *result, int32_t *ret_n, Error *err);
/* A checkpoint of kind "last", "kept" or "start" at so many steps; steps < 0: the newest. ERR_NOT_FOUND. */
int runs_checkpoint(struct sqlite3 *db, int64_t id, const char *kind, int64_t steps, RecordCheckpoint *ret_checkpoint, Error *err);
/* The files that a run left, a row each, most steps first, at most limit. */
int runs_checkpoints(struct sqlite3 *db, int64_t id, int32_t limit, ArchiveCheckpoint *checkpoint, int32_t *ret_n, Error *err);
/* The checkpoint that a resumed run starts from: its newest of kind "last". ERR_NOT_FOUND. */
int runs_last_checkpoint(struct sqlite3 *db, int64_t id, RecordCheckpoint *ret_checkpoint, Error *err);

/* The file of a training run's best policy. ERR_NOT_FOUND. */
int runs_best_model(struct sqlite3 *db, int64_t id, char *path, size_t size, Error *err);

#endif
