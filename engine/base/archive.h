/*
 * Reading what was recorded, without waiting: a question goes in, its answer comes out of a later snapshot.
 *
 * The store's reader thread answers; a screen polls. cmd/ hands the storage one to the engine.
 */
#ifndef MAESTRO_BASE_ARCHIVE_H
#define MAESTRO_BASE_ARCHIVE_H

#include "base/sink.h"
#include "base/snap.h"

enum { ARCHIVE_ROWS = 200, ARCHIVE_POINTS = 256, ARCHIVE_DECISIONS = 48 };

typedef enum ArchiveAsk { ARCHIVE_RUNS, ARCHIVE_RUN } ArchiveAsk;

typedef struct ArchiveQuery {
	ArchiveAsk ask;
	int64_t run_id; /* ARCHIVE_RUN: which */
	int64_t offset; /* ARCHIVE_RUNS: rows to skip, newest first */
} ArchiveQuery;

typedef struct RunRow {
	int64_t id;
	RunKind kind;
	RunStatus status;
	char name[64];
	char policy[64];     /* of a control run; "" for training */
	uint64_t seed;
	int64_t start_ms, end_ms; /* wall; end 0 while it runs */
	int64_t steps;
	double ep_rew_mean, ep_len_mean; /* of the last update; NAN: none */
	double eval_mean, eval_std;      /* of the best evaluation; NAN: none */
} RunRow;

typedef struct ArchiveDecision {
	int64_t wall_ms;         /* of the target */
	int32_t replicas, desired; /* -1: not known */
	float latency_ms, rps;   /* NAN: not known */
	char reason[24];
	bool is_applied;
} ArchiveDecision;

typedef struct ArchiveAnswer { /* an immutable snapshot */
	int64_t query_id;
	ArchiveAsk ask;
	int code;                  /* 0, or ERR_* with text */
	char text[160];
	int64_t total;             /* runs in the store */
	int32_t n_rows;
	RunRow row[ARCHIVE_ROWS];  /* ARCHIVE_RUN: row[0] is the run */
	int32_t n_points;          /* ARCHIVE_RUN: its learning curve, thinned evenly */
	int64_t point_steps[ARCHIVE_POINTS];
	float point_rew[ARCHIVE_POINTS], point_len[ARCHIVE_POINTS];
	int32_t n_decisions;       /* ARCHIVE_RUN of a control run: its last decisions, newest first */
	ArchiveDecision decision[ARCHIVE_DECISIONS];
	char config[2048];         /* ARCHIVE_RUN: JSON, cut */
} ArchiveAnswer;

typedef struct Archive Archive;
typedef struct ArchiveOps {
	const char *name; /* "sqlite" */
	/* Queues a question; its answer carries *ret_query_id. ERR_BUSY. Never waits. */
	int (*ask)(Archive *archive, const ArchiveQuery *query, int64_t *ret_query_id);
	void (*free)(Archive *archive);
} ArchiveOps;

struct Archive { /* first member of each kind */
	const ArchiveOps *ops;
	SnapBus *answers; /* of ArchiveAnswer; owned by the archive */
};

/* Accepts NULL. */
void archive_free(Archive *archive);

#endif
