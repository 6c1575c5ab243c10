/* What the files of the loop share. Not for others. */
#ifndef MAESTRO_CONTROL_LOOP_INTERNAL_H
#define MAESTRO_CONTROL_LOOP_INTERNAL_H

#include "base/mem.h"
#include "base/queue.h"
#include "control/loop.h"

enum { DURATION_QUERY, DURATION_INFERENCE, DURATION_WRITE, DURATIONS };

enum { OUTSIDE_TOLD = OBS_MAX };

typedef struct Cycle { /* what one pass gathers of one target */
	int64_t start_ms;      /* monotonic */
	bool leads;            /* as asked before the look */
	TargetFacts facts;
	Sample sample;
	Scale scale;
	bool has_scale;
	TargetState gate;      /* ACTIVE: open */
	StateFault fault;
	bool is_observed;
	Observation obs;
	int32_t outside;       /* feature; -1: none; OUTSIDE_TOLD: policy->outside has its name */
	Decision decision;
	Decision rule;         /* the HPA rule's */
	bool has_rule;
	bool is_foreign;       /* somebody else has set the replicas since the last cycle */
	int64_t duration_us[DURATIONS]; /* -1: not done */
	char written_version[64];
	Error error;           /* why nothing was decided or written; code 0: nothing failed */
	bool has_failed_write;
} Cycle;

enum { FIGHTS = 3 };

struct Loop {
	LoopConfig config;
	Fleet *fleet;            /* that runs it */
	Fleet *own;              /* its own fleet of one; NULL: nobody has asked for it, as in the fleet of a process */
	SnapBus views;
	StateMachine machine;
	RailsHistory history;
	Observer observer;
	bool is_history_known;   /* since the first scale that was read */
	bool is_remembered;      /* and what happened before it */
	bool is_backfilled;
	bool is_load_known;      /* the rails have the load of before the first cycle */
	bool is_paused;          /* by a command */
	int32_t own_replicas;    /* of the loop's own last write; -1: none */
	int32_t tried_replicas;  /* of a write whose answer was lost; -1: none */
	int32_t seen_replicas;   /* as the last cycle or a write since then left them; -1: not known */
	int32_t remembered_replicas; /* as an earlier process left them; -1: not known */
	int64_t fight_ms[FIGHTS]; /* when others last took back what was written; 0: never. Newest first */
	char uid[64];
	char warning[192];       /* as last said */
	int64_t manual_until_ms; /* monotonic: a clock that is set does not end an override */
	int64_t last_cycle_ms;   /* monotonic, for what accumulates; 0: none yet */
	int64_t next_ms;         /* monotonic, of the next cycle */
	char model[65];          /* that the policy had in the last cycle; "": none */
	float model_interval_s;  /* the same, that it was made for; 0: not known */
	Reason fall_reason;      /* of the fallback */
	Reason told_reason;      /* of the last cycle */
	char fall_detail[64];
	bool is_at_maximum, is_flapping;
	int last_direction;      /* of the last write */
	Cycle cycle;
	LiveHead view;
	char status[2048];       /* as last shown */
};

typedef struct LoopCommand {
	Loop *loop;
	Command command;
} LoopCommand;

struct Fleet {
	Loop **loop;      /* [n] */
	size_t n;
	Queue commands;   /* of LoopCommand */
	pthread_t thread;
	bool is_started;
	size_t turn;      /* of who writes first */
	size_t asked;     /* whose policy is asked first */
	uint32_t jitter;  /* random, where has_jitter */
	bool has_jitter;
	int64_t wall_ahead_ms; /* wall less monotonic time of the last cycle; 0: none yet */
	/* scratch of a cycle, [n] each */
	Loop **due, **part;
	Target *target;
	Sample *sample;
	TargetFacts *facts;
	Observation *obs;
	Decision *decision;
};

/* Nothing was decided: no action, numbers -1. */
Decision loop_no_decision(void);
/* Why a request failed, as a word. */
Reason loop_reason_of(int code);

/* loop_gate.c: 1 */
void loop_look(Fleet *fleet, size_t n);
void loop_gate(Loop *loop);
/* It stood by, and need not any more. */
bool loop_comes_to_lead(const Loop *loop);
/* loop_observe.c: 2 to 4 */
void loop_observe(Fleet *fleet, size_t n);
void loop_validate(Loop *loop);
void loop_decide(Fleet *fleet, size_t n);
/* loop_act.c: 5 and 6 */
RailsInput loop_rails_input(const Loop *loop, int32_t raw, bool is_fallback);
void loop_note_model(Loop *loop);
/* Where the settings name no price, the policy is asked at its own: 0 would be another one to it (decide/trend.h). */
void loop_price(Loop *loop);
/* CONTROL B.1: a cycle has min(interval, 10 s); what was seen longer ago is not acted on. */
bool loop_is_late(const Loop *loop, int64_t since_ms);
void loop_guard(Loop *loop);
void loop_write(Loop *loop);
/* The whole of an override: audit row on disk, write, result, answer. */
void loop_override(Loop *loop, const Command *command);
/* The rows of a resume or a pause, before it is done: the same as those of `maestro override`. */
void loop_audit(Loop *loop, const Command *command, const char *what);
/* loop_record.c: 7 */
void loop_record_cycle(Loop *loop);
void loop_view_init(Loop *loop);
/* n samples of before the first cycle, an interval apart, into the history. */
void loop_view_past(Loop *loop, const Sample *past, size_t n);
void loop_intervention(Loop *loop, const char *who, const char *what, const char *from, const char *to);
/* Whether the object's own annotations hold a number. */
bool loop_is_held(const Loop *loop);
/* "5 held by alice", of the hold that there is. */
void loop_name_hold(const Loop *loop, char *text, size_t size);
void loop_answer(Loop *loop, int64_t id, int code, const char *text);
void loop_publish(Loop *loop);
/* A record of this run, of now. */
Record loop_record(const Loop *loop, RecordKind kind);
/* loop_tell.c: Events and conditions of the cycle just recorded; from is the state before it */
void loop_tell(Loop *loop, TargetState from);
void loop_tell_event(Loop *loop, EventWord word, const char *text);

#endif
