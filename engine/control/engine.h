/*
 * The engine as the console sees it: the workers of this process behind one Feed.
 */
#ifndef MAESTRO_CONTROL_ENGINE_H
#define MAESTRO_CONTROL_ENGINE_H

#include "base/archive.h"
#include "base/clock.h"
#include "base/feed.h"
#include "base/snap.h"
#include "control/loop.h"
#include "control/replayer.h"
#include "control/trainer.h"

/* Starts a target's loop, which lives as long as the feed, on a thread that may wait; see FeedOps.begin. */
typedef int LoopBegin(void *arg, bool is_recorded, Loop **ret_loop, Error *err);

typedef struct EngineParts { /* lent for the life of the feed; NULL: there is none */
	Trainer *trainer;
	Loop *const *loops; /* [n_loops] a target each */
	int n_loops;        /* <= FEED_TARGETS_MAX */
	Archive *archive;
	Wake *wake;   /* the one that all of them signal */
	Clock *clock; /* the machine's */
	ReplayPlay *play; /* of a replayer; NULL: runs cannot be replayed here */
	void *play_arg;
	LoopBegin *begin; /* of the one target, where there is none yet, or one that is not recorded; NULL: none is begun here */
	void *begin_arg;
	bool is_recorded; /* the loop that there is */
} EngineParts;

/* ERR_NOMEM. One reader at a time. */
int engine_feed_new(const EngineParts *parts, Feed **ret_feed);

#endif
