/*
 * A training that goes on with a stored run, repeats it, or forks it: which settings it then has, which changes by hand, which
 * checkpoint it starts from.
 */
#ifndef MAESTRO_CMD_TRAIN_PAST_H
#define MAESTRO_CMD_TRAIN_PAST_H

#include "cmd/train_opts.h"

typedef struct TrainPast {
	int64_t run_id;          /* 0: there is no such run */
	int64_t steps;           /* that it has */
	char folder[4400];       /* of its files */
	Json *config;            /* its settings at its start, or at its last resume */
	TrainChange *change;     /* [n_changes] to be made (trainer.h) */
	int32_t n_changes;
	int64_t first_steps, last_steps; /* what its --steps was at first and at last; 0: as in config */
	char checkpoint[512];    /* to start from; "": from nothing */
	int64_t checkpoint_steps;
	bool is_fork;            /* a new run starts from it */
	char from[48];           /* of a fork: RUN@STEPS */
	char lr[64], clip[64];   /* of a fork: schedules as they were changed by hand */
} TrainPast;

typedef struct TrainPastRead {
	const char *db;
	Clock *clock;
	const char *who;         /* changes settings now */
	int argc;
	char **argv;
} TrainPastRead;

/* Each reads the run that the options name, and fills options (whose strings stay the past's) with its settings and what the command
 * line says over them. ERR_NOT_FOUND, ERR_USAGE (no training; what cannot be changed), ERR_REFUSED (it is running), ERR_STORE. Freed by
 * train_past_done in every case. */
int train_past_resume(const TrainPastRead *read, TrainOptions *options, TrainPast *ret_past, Error *err);
int train_past_repeat(const TrainPastRead *read, TrainOptions *options, TrainPast *ret_past, Error *err);
/* --from RUN or RUN@STEPS. What differs from that run is said on stderr. */
int train_past_fork(const TrainPastRead *read, TrainOptions *options, TrainPast *ret_past, Error *err);
void train_past_done(TrainPast *past);

/* Whether --from names a run, not a file. */
bool train_past_is_run(const char *from);
/* Copies the checkpoint that a fork starts from to path, whence a repeat of the fork has it. */
int train_past_keep(TrainPast *past, const char *path, Error *err);
/* Whether a repeat's model is that of the run that it repeats, where that one left any. It is said. */
bool train_past_is_same(const TrainPast *past, const char *model_path);

#endif
