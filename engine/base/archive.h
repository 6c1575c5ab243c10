/*
 * Reading what was recorded, without waiting: a question goes in, its answer comes out of a later snapshot.
 *
 * The store's reader thread answers; a screen polls. cmd/ hands the storage one to the engine.
 */
#ifndef MAESTRO_BASE_ARCHIVE_H
#define MAESTRO_BASE_ARCHIVE_H

#include "base/command.h"
#include "base/snap.h"
#include "base/view.h"

enum {
	ARCHIVE_ROWS = 200, ARCHIVE_GROUPS = 48, ARCHIVE_POINTS = 256, ARCHIVE_DECISIONS = 48, ARCHIVE_RESULTS = 48, ARCHIVE_EVENTS = 200, ARCHIVE_COMPARE = 24, ARCHIVE_CHECKPOINTS = 16,
	COMPARE_POINTS = 64, ARCHIVE_CONFIG = 2048, FILTER_TEXT = 160, TAGS_TEXT = 64, NOTE_TEXT = 160,
};

typedef enum ArchiveAsk {
	ARCHIVE_RUNS,    /* a page of the runs that a filter takes */
	ARCHIVE_RUN,     /* one with its curve or last decisions */
	ARCHIVE_PAIR,    /* several side by side, for Compare */
	ARCHIVE_LOG,     /* what happened, newest first, over all runs */
	ARCHIVE_PAST,    /* a target's signals in a window of time */
	ARCHIVE_ASK_COUNT,
} ArchiveAsk;

typedef enum RunSort { SORT_ID, SORT_NAME, SORT_STATUS, SORT_STEPS, SORT_REWARD, SORT_EVAL, SORT_START, SORT_COUNT } RunSort;
/* "id", "name", ...: the words of the screen and of `runs list --sort`. */
const char *run_sort_text(RunSort sort);

typedef struct ArchiveQuery {
	ArchiveAsk ask;
	int64_t run_id;          /* ARCHIVE_RUN, ARCHIVE_PAST: which */
	int64_t offset;          /* ARCHIVE_RUNS, ARCHIVE_LOG: rows to skip */
	char filter[FILTER_TEXT]; /* ARCHIVE_RUNS: storage/filter.h; ARCHIVE_LOG: words that a row must hold */
	RunSort sort;
	bool is_ascending;
	bool is_grouped;         /* ARCHIVE_RUNS: a row for runs whose configurations differ in the seed alone */
	int32_t n_ids;           /* ARCHIVE_PAIR */
	int64_t id[ARCHIVE_COMPARE];
	int64_t from_ms, to_ms;  /* ARCHIVE_PAST: of the target's time */
} ArchiveQuery;

typedef struct EpisodeFigures { /* of one evaluation episode; NAN: not known */
	double reward;
	double v_pct;      /* steps over the soft limit, in percent of those with a latency */
	double pod_hours;
	double flips;      /* changes of direction */
	double p95_ms;     /* of the steps' latencies, the 95th percentile */
} EpisodeFigures;

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
	uint32_t group;      /* alike for runs whose configurations differ in the seed alone */
	char tags[TAGS_TEXT]; /* parted by blanks */
	char note[NOTE_TEXT];
	bool is_locked;
	int64_t deleted_ms;  /* when it was moved to the trash; 0: it is not there */
	char host[64];
	EpisodeFigures last; /* of the last recorded evaluation episode; NAN elsewhere than in ARCHIVE_RUNS */
} RunRow;

enum { MIXED_STATUS = 1, MIXED_TAGS = 2, MIXED_NOTE = 4, MIXED_HOST = 8, MIXED_LOCK = 16, MIXED_TRASH = 32 };

typedef struct RunGroup { /* runs whose configurations differ in the seed alone */
	int32_t n, n_seeds;      /* runs; their seeds, each once */
	int64_t id[ARCHIVE_COMPARE]; /* the newest first; of more, those */
	double iqm, lo, hi;      /* of their best evaluations, with the 95 % bootstrap interval; NAN: too few */
	int32_t mixed;           /* MIXED_*: in what the runs of id differ, so that the newest's would not be all of theirs */
	double mean_steps;
} RunGroup;

typedef struct ArchiveCheckpoint { /* a file that a run left */
	int64_t steps, wall_ms;
	int64_t size_bytes;      /* -1: it is not there any more */
	char kind[8];            /* last and kept: all state; start: of a fork; best: the net alone */
	char path[200];
} ArchiveCheckpoint;

#define TRASH_DAYS 30 /* purge takes what has been in the trash for longer */
#define ARCHIVE_AS_TEXT(number) #number
#define ARCHIVE_TEXT_OF(macro) ARCHIVE_AS_TEXT(macro)
#define TRASH_DAYS_TEXT ARCHIVE_TEXT_OF(TRASH_DAYS) /* in filters and words */

typedef struct ArchiveDecision {
	int64_t wall_ms;         /* of the target */
	int32_t replicas, desired; /* -1: not known */
	float latency_ms, rps;   /* NAN: not known */
	char reason[24];
	bool is_applied;
} ArchiveDecision;

typedef struct ArchiveResult { /* of a policy in an evaluation, at its settings for one lambda; means over traces and replays */
	char policy[64];
	double lambda;
	int32_t replays;
	double v_pct, v_worst_pct; /* worst: of the trace where it is largest */
	double pod_hours, soft_s, hard_s;
} ArchiveResult;

typedef struct CompareRun {
	RunRow row;
	char trace[96];
	double last_eval;            /* mean reward of the last evaluation; NAN: none */
	EpisodeFigures eval, hpa;    /* of the last recorded evaluation episode, and of the rule on the same traffic */
	int32_t n_points;            /* evaluations, thinned */
	int64_t steps[COMPARE_POINTS];
	int64_t wall_ms[COMPARE_POINTS]; /* since the run began */
	float reward[COMPARE_POINTS];
	EpisodeFigures episode[COMPARE_POINTS]; /* of the episode that each stored; NAN: none */
	int32_t episode_steps;       /* of a training episode; 0: not known */
	char config[ARCHIVE_CONFIG]; /* JSON, cut */
} CompareRun;

typedef enum EventLevel { EVENT_INFO, EVENT_WARNING, EVENT_ERROR, EVENT_LEVELS } EventLevel;

typedef struct ArchiveEvent {
	int64_t wall_ms;
	int64_t run_id;
	EventLevel level;
	char source[32];   /* the target's or the run's name, or who did it */
	char text[160];
} ArchiveEvent;

typedef struct ArchiveAnswer { /* an immutable snapshot */
	int64_t query_id;
	ArchiveAsk ask;
	int code;                  /* 0, or ERR_* with text */
	char text[160];
	int32_t fault_col;         /* of a filter that cannot be read: where, from 0; -1: none */
	int64_t total;             /* runs in the store */
	int64_t wall_ms;           /* ARCHIVE_RUNS: from which ages were counted */
	int64_t matched;           /* ARCHIVE_RUNS: that the filter takes, runs or groups */
	int32_t n_rows;
	RunRow row[ARCHIVE_ROWS];  /* ARCHIVE_RUN: row[0] is the run */
	int32_t n_groups;          /* ARCHIVE_RUNS, grouped: of each row, which is its newest run; else 0 */
	RunGroup group[ARCHIVE_GROUPS];
	int32_t n_checkpoints;     /* ARCHIVE_RUN: a file each, most steps first */
	ArchiveCheckpoint checkpoint[ARCHIVE_CHECKPOINTS];
	char saved_path[256];      /* ARCHIVE_RUN of a training that has ended: its policy's file, the best where one was kept; "": none */
	int32_t n_points;          /* ARCHIVE_RUN: its learning curve, thinned evenly */
	int64_t point_steps[ARCHIVE_POINTS];
	float point_rew[ARCHIVE_POINTS], point_len[ARCHIVE_POINTS];
	int32_t n_decisions;       /* ARCHIVE_RUN of a control run: its last decisions, newest first */
	ArchiveDecision decision[ARCHIVE_DECISIONS];
	int64_t n_by_hand;         /* ARCHIVE_RUN of a control run: changes of replicas by people that were written, in all */
	int32_t n_results;         /* ARCHIVE_RUN of an evaluation */
	ArchiveResult result[ARCHIVE_RESULTS];
	char config[ARCHIVE_CONFIG]; /* ARCHIVE_RUN: JSON, cut */
	int32_t n_compared;        /* ARCHIVE_PAIR */
	CompareRun compared[ARCHIVE_COMPARE];
	int32_t n_events;          /* ARCHIVE_LOG */
	ArchiveEvent event[ARCHIVE_EVENTS];
	int32_t n_past;            /* ARCHIVE_PAST: oldest first, thinned evenly */
	HistoryPoint past[VIEW_HISTORY];
	int64_t past_first_ms;     /* of the run's first decision; 0: none */
	CommandAnswers answers;    /* to COMMAND_RUN_EDIT */
} ArchiveAnswer;

typedef struct Archive Archive;
typedef struct ArchiveOps {
	const char *name; /* "sqlite" */
	/* Queues a question; its answer carries *ret_query_id. ERR_BUSY. Never waits. */
	int (*ask)(Archive *archive, const ArchiveQuery *query, int64_t *ret_query_id);
	/* Queues a COMMAND_RUN_EDIT; it is answered in the following snapshots. ERR_BUSY, ERR_REFUSED. Never waits. */
	int (*edit)(Archive *archive, const Command *command);
	void (*free)(Archive *archive);
} ArchiveOps;

struct Archive { /* first member of each kind */
	const ArchiveOps *ops;
	SnapBus *answers; /* of ArchiveAnswer; owned by the archive */
};

/* Accepts NULL. */
void archive_free(Archive *archive);

#endif
