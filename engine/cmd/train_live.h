/*
 * `maestro train --env live`: what a training on Deployments of a cluster needs beside the trainer: everything that acts on a cluster
 * (runner.h), the environment over its loops, the load, the faults, and the way back to the replicas that were there before.
 */
#ifndef MAESTRO_CMD_TRAIN_LIVE_H
#define MAESTRO_CMD_TRAIN_LIVE_H

#include "base/env.h"
#include "cmd/runner.h"
#include "cmd/session.h"
#include "cmd/train_opts.h"

typedef struct TrainLive TrainLive;

typedef struct TrainLiveConfig { /* lent for its life */
	TrainOptions *options;
	Session *session;
	const SimTraffic *traffic;   /* of the load that is driven here */
	const TrainerConfig *trainer;
	int64_t steps_done;          /* of a run that goes on: where its traffic goes on */
} TrainLiveConfig;

/* Whether the options make sense for a live training; ERR_USAGE says what does not. */
int train_live_check(const TrainOptions *options, Error *err);

/*
 * Opens all of it: waits for an API that is down, notes the replicas, removes faults that were left, starts the load. 0; > 0: a signal
 * ended the wait; ERR_USAGE, ERR_REFUSED (a conflict), what a request failed with.
 */
int train_live_open(const TrainLiveConfig *config, TrainLive **ret_live, Error *err);
Env *train_live_env(TrainLive *live);
Loop *const *train_live_loops(const TrainLive *live, size_t *ret_n);
/* Which budget ended it; "": none. */
const char *train_live_spent(const TrainLive *live);
/* After the trainer's thread has ended: load off, faults removed, replicas put back, lease given back. Says what it could not do. The
 * status is the control runs'. Accepts NULL. */
void train_live_close(TrainLive *live, RunStatus status);

#endif
