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

typedef struct EngineParts { /* lent for the life of the feed; NULL: there is none */
	Trainer *trainer;
	Loop *const *loops; /* [n_loops] a target each */
	int n_loops;        /* <= FEED_TARGETS_MAX */
	Archive *archive;
	Wake *wake;   /* the one that all of them signal */
	Clock *clock; /* the machine's */
	ReplayPlay *play; /* of a replayer; NULL: runs cannot be replayed here */
	void *play_arg;
} EngineParts;

/* ERR_NOMEM. One reader at a time. */
int engine_feed_new(const EngineParts *parts, Feed **ret_feed);

#endif
