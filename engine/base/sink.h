/*
 * Where records go: the SQLite writer, a list in the tests, nowhere.
 *
 * run_begin is asked once, before a worker starts, and may wait for the disk. write never waits: a full queue
 * counts a drop and shows it. An override commits its audit row before the write that it announces.
 */
#ifndef MAESTRO_BASE_SINK_H
#define MAESTRO_BASE_SINK_H

#include "base/err.h"
#include "base/types.h"

enum { EPISODE_STEPS_MAX = 1024 };

typedef enum RunKind { RUN_TRAIN, RUN_CONTROL, RUN_EVALUATE, RUN_KIND_COUNT } RunKind;
/* "train", "control", "evaluate": the words of the store, `runs list` and the screen. */
const char *run_kind_text(RunKind kind);
typedef enum RunStatus { RUN_RUNNING, RUN_DONE, RUN_STOPPED, RUN_FAILED, RUN_CRASHED, RUN_STATUS_COUNT } RunStatus;
/* "running", "done", "stopped", "failed", "crashed": the words of the store, `runs list` and the screen. */
const char *run_status_text(RunStatus status);

typedef struct RunStart {
	RunKind kind;
	char name[64];
	uint64_t seed;
	const char *config_json; /* lent for the call; every option with its value */
	int64_t resume_id;       /* > 0: continue this run instead of a new one */
	int64_t resume_steps;    /* rows of that run past these steps are dropped: they will be made again */
} RunStart;

/* Lent strings are copied by write. */
typedef enum RecordKind {
	RECORD_UPDATE, RECORD_EVAL, RECORD_EPISODE, RECORD_CHECKPOINT, RECORD_DECISION, RECORD_INTERVENTION,
	RECORD_AUDIT, RECORD_STATE, RECORD_RESULT, RECORD_RUN_END,
} RecordKind;

typedef struct RecordUpdate { /* one PPO update */
	int64_t update, steps;
	double value[TRAIN_METRIC_COUNT]; /* NAN: not known */
} RecordUpdate;

typedef struct RecordEval {
	int64_t steps;
	double mean_reward, std_reward, mean_ep_length;
	int32_t n_episodes;
	bool is_best;
} RecordEval;

typedef struct RecordEpisode { /* replica history of one episode */
	int64_t steps;    /* of training when it ended */
	char source[16];  /* "train", "eval", "hpa" */
	double reward;
	int32_t length;
	int16_t replicas[EPISODE_STEPS_MAX];
	float latency_ms[EPISODE_STEPS_MAX];
	float rps[EPISODE_STEPS_MAX];
} RecordEpisode;

typedef struct RecordCheckpoint {
	int64_t steps;
	char path[512];
	char kind[16]; /* "last", "best" */
} RecordCheckpoint;

typedef struct RecordDecision {
	int64_t duration_us[3];      /* query, inference, write; -1: not done */
	char policy[64];
	char model[65];              /* SHA-256 of its file; "": none */
	char namespace_[NAMESPACE_MAX];
	char deployment[NAME_MAX_K8S];
	int32_t obs_dim;
	float obs[OBS_MAX];          /* as given to the policy, before its own normalisation */
	ActionSet mask_of;           /* what the mask's bits are */
	uint32_t mask;               /* bit a set: the policy might choose action a; of obs_dim > 0 */
	Sample sample;               /* pods is NULL here */
	Decision decision;
	int64_t time_ms;             /* wall time of the target: simulated for a simulated one */
	char resource_version[64];   /* written */
} RecordDecision;

typedef struct RecordIntervention { /* somebody changed a run while it ran */
	int64_t steps;   /* of training, or the cycle of a loop */
	char what[32];   /* "learning_rate", "pause", "override", ... */
	char from[64], to[64]; /* a time within is " until " and RFC 3339: screens show it in their own zone */
	char who[64];
} RecordIntervention;

typedef struct RecordAudit { /* an attempt to write to a target by hand */
	char who[64], host[64], context[64];
	char namespace_[NAMESPACE_MAX], deployment[NAME_MAX_K8S];
	char what[32];            /* "set", "hold", "pause", "resume" */
	int32_t from, to;
	char state_before[16];
	char reason[96];
	char result[96];          /* "pending" before the write, then "applied" or what refused it */
	int64_t command_id;       /* ties "pending" and its result together */
} RecordAudit;
/* What a person's number does, in the audit's word, from whichever side it comes: "hold" where it is the one there is, else "set". */
const char *audit_word(int32_t from, int32_t to);

typedef struct RecordState { /* a target's loop went from one state to another */
	char namespace_[NAMESPACE_MAX], deployment[NAME_MAX_K8S];
	TargetState from, to;
	Reason reason;
	char detail[192];
} RecordState;

typedef struct RecordResult { /* one episode of an evaluation */
	char policy[64], settings[80], trace[64];
	int64_t seed;
	double lambda, v_pct, pod_hours, slo_violation_s, slo_violation_soft_s;
	char figures[1536]; /* JSON */
} RecordResult;

typedef struct Record {
	RecordKind kind;
	int64_t run_id;
	int64_t wall_ms; /* of the machine, also where the target's time is simulated */
	union {
		RecordUpdate update;
		RecordEval eval;
		RecordEpisode episode;
		RecordCheckpoint checkpoint;
		RecordDecision decision;
		RecordIntervention intervention;
		RecordAudit audit;
		RecordState state;
		RecordResult result;
		RunStatus run_end;
	} u;
} Record;

/* Bytes of a record of that kind: its member of the union is the last that is there. */
size_t record_size(RecordKind kind);

typedef struct Sink Sink;
typedef struct SinkOps {
	const char *name; /* "sqlite", "null" */
	int (*run_begin)(Sink *sink, const RunStart *start, int64_t *ret_run_id, Error *err);
	/* Never waits. A full queue drops the record and counts it. Any thread. */
	void (*write)(Sink *sink, const Record *record);
	/* Waits until everything written before is on disk. ERR_TIMEOUT, ERR_STORE. */
	int (*commit)(Sink *sink, int64_t wait_ms, Error *err);
	int64_t (*dropped)(Sink *sink);
	void (*free)(Sink *sink); /* commits what is queued */
} SinkOps;

struct Sink { /* first member of each kind */
	const SinkOps *ops;
};

/* Accepts NULL. */
void sink_free(Sink *sink);
/* Keeps nothing: run ids are 0. Static, free does nothing. */
Sink *sink_null(void);

#endif
