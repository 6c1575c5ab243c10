/* A feed over views that a test owns; keeps the commands it was sent. */
#ifndef MAESTRO_TESTS_FAKE_FEED_H
#define MAESTRO_TESTS_FAKE_FEED_H

#include "base/feed.h"

enum { FAKE_COMMANDS = 32 };

typedef struct FakeFeed {
	Feed feed;
	FeedFrame frame;       /* lent by next */
	int lent;              /* frames out; more than one is a fault of the console */
	Command sent[FAKE_COMMANDS];
	int n_sent;
	int send_code;         /* what send answers; 0: takes it */
	bool has_store;
	ArchiveQuery asked;    /* the last question */
	int64_t n_asked;
	PolicyQuery inspected; /* the last look */
	int64_t n_inspected;
	ReplayQuery replayed;  /* the last replay */
	int64_t n_replayed;
	const char *begin_fails; /* what begin answers; NULL: it succeeds */
	int n_begun, n_recorded; /* calls of begin, and of it as a run of the store */
} FakeFeed;

void fake_feed_init(FakeFeed *fake, const TrainView *train, const LiveView *live);

#endif
