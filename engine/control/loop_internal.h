/* What the files of the loop share. Not for others. */
#ifndef MAESTRO_CONTROL_LOOP_INTERNAL_H
#define MAESTRO_CONTROL_LOOP_INTERNAL_H

#include "base/mem.h"
#include "base/queue.h"
#include "control/loop.h"

typedef struct Cycle { /* what one pass gathers */
	Sample sample;
	Scale scale;
	int64_t start_ms; /* monotonic */
	Observation obs;
	Decision decision;
	int64_t duration_us[3]; /* query, inference, write; -1: not done */
	char written_version[64];
} Cycle;

struct Loop {
	LoopConfig config;
	Queue commands;
	SnapBus views;
	pthread_t thread;
	bool is_started;
	bool is_warm;   /* a valid observation was seen */
	bool is_paused;
	RailsHistory history;
	int32_t own_replicas; /* of the loop's own last write; -1: none */
	int64_t manual_until_ms; /* monotonic: a clock that is set does not end an override */
	int64_t last_cycle_ms;   /* monotonic, for what accumulates; 0: none yet */
	Cycle cycle;
	LiveView view;
};

/* Nothing was decided: no action, numbers -1. */
Decision loop_no_decision(void);

/* Guard rails: fills desired, guards, state of a decided cycle. */
void loop_limit(Loop *loop, Cycle *cycle);
/* Writes cycle->decision.desired if it differs from the scale and the loop may act. 0, or ERR_* of the write. */
int loop_write(Loop *loop, Cycle *cycle, Error *err);
/* The whole of an override: audit row on disk, write, result, answer. */
void loop_override(Loop *loop, const Command *command);

void loop_view_init(Loop *loop);
void loop_record_cycle(Loop *loop, const Cycle *cycle);
void loop_intervention(Loop *loop, const Command *command, const char *what, const char *from, const char *to);
void loop_answer(Loop *loop, int64_t id, int code, const char *text);
void loop_publish(Loop *loop);
/* A record of this run, of now. */
Record loop_record(const Loop *loop, RecordKind kind);

#endif
