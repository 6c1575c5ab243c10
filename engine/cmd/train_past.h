/* What the store knows of a run that a training goes on with, or repeats. */
#ifndef MAESTRO_CMD_TRAIN_PAST_H
#define MAESTRO_CMD_TRAIN_PAST_H

#include "base/clock.h"
#include "base/json.h"
#include "control/trainer.h"

enum { CHANGES_MAX = 1000 };

typedef struct TrainPast {
	int64_t run_id, steps;
	RunStatus status;
	Json *config;            /* its settings at its start, or at its last resume */
	TrainChange *change;     /* [n_changes] made by hand while it ran, all of them recorded */
	int32_t n_changes;
	int64_t first_steps, last_steps; /* what --steps was at first and at last; 0: as in config */
	char checkpoint[512];    /* the last one; "": none */
	int64_t checkpoint_steps;
} TrainPast;

/* ERR_NOT_FOUND, ERR_USAGE (no training), ERR_REFUSED (it is running), ERR_STORE. Freed by train_past_done in every case. */
int train_past_read(const char *db, Clock *clock, int64_t run_id, TrainPast *ret_past, Error *err);
void train_past_done(TrainPast *past);
/* One more change, as by hand now, that the store does not have yet. ERR_NOMEM. */
int train_past_change(TrainPast *past, const TrainChange *change, Error *err);

#endif
