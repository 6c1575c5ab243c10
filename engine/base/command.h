/*
 * What a person tells a worker. A Command goes into the worker's bounded queue; the answer comes back in a later
 * snapshot under the same id (view.h), so that a slow command shows as pending and nothing freezes.
 */
#ifndef MAESTRO_BASE_COMMAND_H
#define MAESTRO_BASE_COMMAND_H

#include "base/types.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum CommandKind {
	COMMAND_STOP,              /* finish, checkpoint, end */
	COMMAND_TRAIN_PAUSE,       /* u.flag: hold between rollouts, or go on */
	COMMAND_TRAIN_ONE_UPDATE,  /* exactly one update while paused */
	COMMAND_TRAIN_CHECKPOINT,
	COMMAND_TRAIN_SET,         /* u.set: a parameter from the next update on */
	COMMAND_TRAIN_EVALUATE,    /* now, besides the evaluations that are due */
	COMMAND_LIVE_OVERRIDE,     /* u.override_ */
	COMMAND_LIVE_RESUME,       /* ends an override or a pause */
	COMMAND_LIVE_PAUSE,        /* neither decides nor acts until resumed */
	COMMAND_RUN_EDIT,          /* u.edit: what a person adds to stored runs */
} CommandKind;

typedef enum TrainParam {
	PARAM_LEARNING_RATE, PARAM_ENT_COEF, PARAM_CLIP_RANGE, PARAM_STEPS,
	PARAM_TRAFFIC,             /* "[TRACE or all] [xSCALE]" */
	PARAM_CHAOS,               /* a fault as chaos_parse takes it, or "none": all end */
	PARAM_COUNT,
} TrainParam;

enum { PARAM_TEXT = 64 };

/* "learning_rate": the word of the store; "lr": of a mark on a curve. */
const char *train_param_name(TrainParam param);
const char *train_param_label(TrainParam param);
/* PARAM_COUNT: none is called so. */
TrainParam train_param_find(const char *name);

typedef enum RunEdit { EDIT_TAG, EDIT_UNTAG, EDIT_NOTE, EDIT_LOCK, EDIT_UNLOCK, EDIT_DELETE, EDIT_RESTORE,
	EDIT_PURGE /* for good, out of the trash */, EDIT_COUNT } RunEdit;

enum { EDIT_RUNS = 64 };

typedef struct Command {
	int64_t id; /* given by feed_send */
	CommandKind kind;
	char who[64];
	char target[NAMESPACE_MAX + NAME_MAX_K8S]; /* "namespace/name" of a COMMAND_LIVE_*; "": the first */
	union {
		bool flag;
		struct {
			TrainParam param;
			char text[PARAM_TEXT]; /* its new value, in words */
		} set;
		struct {
			int32_t replicas;
			int64_t hold_ms; /* of the target's time */
			char reason[96];
			int32_t seen;    /* replicas that the person saw; the write is refused if they differ by then */
		} override_;
		struct {
			RunEdit what;
			int32_t n;       /* of EDIT_PURGE: of the runs that a person saw go; refused where it would be others */
			int64_t seen_ms; /* of EDIT_PURGE: wall_ms of the list that they were seen in; what came later stays */
			int64_t run[EDIT_RUNS];
			char text[160]; /* of a tag or note; of EDIT_PURGE the filter whose runs go, however many */
		} edit;
	} u;
} Command;

#endif
