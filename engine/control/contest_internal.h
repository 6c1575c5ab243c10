/* What the files of a contest share. Not for others. */
#ifndef MAESTRO_CONTROL_CONTEST_INTERNAL_H
#define MAESTRO_CONTROL_CONTEST_INTERNAL_H

#include "control/contest.h"

#include <pthread.h>
#include <stdatomic.h>

enum { SETTINGS_MAX = 256 };

typedef enum Part { PART_TUNE, PART_REPORT } Part;

typedef struct Cell {
	int32_t family, setting, trace, seed;
	Part part;
	SimLevel level;
	double *out;  /* [FIGURE_COUNT]; of a tuning cell [TUNE_BLOCKS][2] */
	uint32_t rails_off;
	double *share; /* [GUARD_COUNT] of decisions that each rail would change; NULL: not asked for */
} Cell;

typedef struct Batch { /* cells that are played side by side */
	const Contest *contest;
	const char *stage;
	Cell *cell;
	size_t n, room;
	atomic_size_t next;
	size_t done, failed;   /* under the lock; failed: the first cell that did, n: none */
	pthread_mutex_t lock;
	const volatile sig_atomic_t *stop;
	Error err;
} Batch;

/* contest_play.c */

/* Where and how long a cell plays. ERR_INVALID. */
int contest_cell_config(const ContestConfig *c, const Cell *cell, SimConfig *ret, Error *err);
/* ERR_NOMEM. The caller frees batch->cell. */
int contest_add_cell(Batch *batch, Cell cell);
/* All cells of the batch on all threads; each writes its own out. ERR_* of the first cell that failed, ERR_CANCELLED. */
int contest_play(Batch *batch, Error *err);

/* contest.c */

/* [TUNE_BLOCKS][2] of a setting. */
double *contest_tuned_at(const Contest *contest, int32_t family, int32_t trace, int32_t setting);
/* Costs of all settings of a family on a trace over the first n_blocks quarters, as two arrays; answers how many there are. */
int32_t contest_tuned_costs(const Contest *contest, int32_t family, int32_t trace, int32_t n_blocks, double *pod_hours, double *v_hours);

/* contest_choice.c: the family that the tuning part speaks for on a trace; -1: none takes part. */
int32_t contest_choose(const Contest *contest, int32_t trace);

/* contest_rails.c: fills contest->rail. */
int contest_measure_rails(Contest *contest, const volatile sig_atomic_t *stop, Error *err);

#endif
