/*
 * What a console looks at: the workers of this process, or a recorded file.
 *
 * next lends the newest snapshots; nothing in here waits for a network or a disk. A feed without a kind of worker
 * lends NULL for it and the console has no screen for it.
 */
#ifndef MAESTRO_BASE_FEED_H
#define MAESTRO_BASE_FEED_H

#include "base/archive.h"
#include "base/command.h"
#include "base/err.h"
#include "base/view.h"

enum { FEED_TARGETS_MAX = 2048 };

typedef struct FeedFrame {
	const TrainView *train;      /* NULL: none */
	const LiveView *live;        /* the first target */
	const LiveView *const *target; /* [n_targets] all of them, in an order that does not change; lent with the frame */
	int n_targets;
	const char *absent;          /* why there is no target, where that is known; lent with the frame; NULL: not */
	int64_t absent_since_ms;     /* wall; 0: from the beginning */
	const ArchiveAnswer *archive; /* newest answer */
	const PolicyView *policy;    /* the newest answer to inspect */
	const ReplayView *replay;    /* the newest answer to replay */
	int64_t wall_ms;             /* now: of the machine, or of the recording */
} FeedFrame;

typedef struct Feed Feed;
typedef struct FeedOps {
	const char *name; /* "engine", "file" */
	/* Lends the newest; each frame is given back by release before the next is asked for. */
	int (*next)(Feed *feed, FeedFrame *ret_frame);
	void (*release)(Feed *feed, FeedFrame *frame);
	/* Queues a command, or answers ERR_BUSY, ERR_REFUSED (a recording, read-only). Never waits. */
	int (*send)(Feed *feed, const Command *command, int64_t *ret_id);
	/* Queues a question for the store; ERR_NOT_FOUND where there is none. */
	int (*ask)(Feed *feed, const ArchiveQuery *query, int64_t *ret_query_id);
	void (*free)(Feed *feed);
	/* Queues a look at a policy, answered in a later frame; optional. ERR_NOT_FOUND: there is none to look at. */
	int (*inspect)(Feed *feed, const PolicyQuery *query, int64_t *ret_query_id);
	/* Queues a replay of runs' policies, answered likewise; optional. */
	int (*replay)(Feed *feed, const ReplayQuery *query, int64_t *ret_query_id);
	/* Where can_begin says so: starts the simulated target that this feed brings along, unless it runs; it comes in a later frame.
	 * is_recorded: as a run of the store, in the place of one that is not, which goes on where it cannot be had. ERR_*, and why,
	 * until it can: it is tried again. Never waits. */
	int (*begin)(Feed *feed, bool is_recorded, Error *err);
} FeedOps;

struct Feed { /* first member of each kind */
	const FeedOps *ops;
	int wake_fd;    /* readable when there is something new */
	bool can_begin; /* begin may be called */
	bool is_remote; /* the workers are another process's: leaving stops nothing */
};

/* Accepts NULL. */
void feed_free(Feed *feed);

#endif
