/* See fake_feed.h. */
#include "tests/fakes/fake_feed.h"

#include "base/err.h"

static int fake_next(Feed *feed, FeedFrame *ret_frame)
{
	FakeFeed *fake = (FakeFeed *) feed;
	fake->lent++;
	*ret_frame = fake->frame;
	if (!fake->frame.target && fake->frame.live) {
		ret_frame->target = &fake->frame.live;
		ret_frame->n_targets = 1;
	}
	return 0;
}

static void fake_release(Feed *feed, FeedFrame *frame)
{
	((FakeFeed *) feed)->lent--;
	*frame = (FeedFrame) { 0 };
}

static int fake_send(Feed *feed, const Command *command, int64_t *ret_id)
{
	FakeFeed *fake = (FakeFeed *) feed;
	if (fake->send_code)
		return fake->send_code;
	if (fake->n_sent == FAKE_COMMANDS)
		return ERR_BUSY;
	fake->sent[fake->n_sent] = *command;
	*ret_id = fake->sent[fake->n_sent].id = 100 + fake->n_sent;
	fake->n_sent++;
	return 0;
}

static int fake_ask(Feed *feed, const ArchiveQuery *query, int64_t *ret_query_id)
{
	FakeFeed *fake = (FakeFeed *) feed;
	if (!fake->has_store)
		return ERR_NOT_FOUND;
	fake->asked = *query;
	*ret_query_id = ++fake->n_asked;
	return 0;
}

static int fake_replay(Feed *feed, const ReplayQuery *query, int64_t *ret_query_id)
{
	FakeFeed *fake = (FakeFeed *) feed;
	fake->replayed = *query;
	*ret_query_id = ++fake->n_replayed;
	return 0;
}

static int fake_inspect(Feed *feed, const PolicyQuery *query, int64_t *ret_query_id)
{
	FakeFeed *fake = (FakeFeed *) feed;
	fake->inspected = *query;
	*ret_query_id = ++fake->n_inspected;
	return 0;
}

static int fake_begin(Feed *feed, bool is_recorded, Error *err)
{
	FakeFeed *fake = (FakeFeed *) feed;
	fake->n_begun++;
	fake->n_recorded += is_recorded;
	return fake->begin_fails ? error_set(err, ERR_STORE, "%s", fake->begin_fails) : 0;
}

static void fake_free(Feed *feed)
{
	(void) feed;
}

void fake_feed_init(FakeFeed *fake, const TrainView *train, const LiveView *live)
{
	static const FeedOps OPS = { "fake", fake_next, fake_release, fake_send, fake_ask, fake_free, fake_inspect, fake_replay, fake_begin };
	*fake = (FakeFeed) { .feed = { .ops = &OPS, .wake_fd = -1 }, .frame = { .train = train, .live = live, .wall_ms = 1795523246000 } };
}
