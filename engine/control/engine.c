/* See engine.h: snapshots are acquired and released, commands go to the worker that they are for. */
#include "control/engine.h"

#include <stdlib.h>

typedef struct EngineFeed {
	Feed feed;
	EngineParts parts;
	int64_t next_id;
} EngineFeed;

static int feed_next(Feed *feed, FeedFrame *ret_frame)
{
	EngineParts *parts = &((EngineFeed *) feed)->parts;
	wake_drain(parts->wake);
	*ret_frame = (FeedFrame) {
		.train = parts->trainer ? snap_acquire(trainer_views(parts->trainer)) : NULL,
		.live = parts->loop ? snap_acquire(loop_views(parts->loop)) : NULL,
		.archive = parts->archive ? snap_acquire(parts->archive->answers) : NULL,
		.wall_ms = clock_wall_ms(parts->clock),
	};
	return 0;
}

static void feed_release(Feed *feed, FeedFrame *frame)
{
	(void) feed;
	snap_release(frame->train);
	snap_release(frame->live);
	snap_release(frame->archive);
	*frame = (FeedFrame) { 0 };
}

static int feed_send(Feed *feed, const Command *command, int64_t *ret_id)
{
	EngineFeed *engine = (EngineFeed *) feed;
	Command numbered = *command;
	numbered.id = engine->next_id;
	bool is_live = command->kind >= COMMAND_LIVE_OVERRIDE;
	int code = is_live ? engine->parts.loop ? loop_send(engine->parts.loop, &numbered) : ERR_NOT_FOUND
	                   : engine->parts.trainer ? trainer_send(engine->parts.trainer, &numbered) : ERR_NOT_FOUND;
	if (!code)
		*ret_id = engine->next_id++;
	return code;
}

static int feed_ask(Feed *feed, const ArchiveQuery *query, int64_t *ret_query_id)
{
	Archive *archive = ((EngineFeed *) feed)->parts.archive;
	return archive ? archive->ops->ask(archive, query, ret_query_id) : ERR_NOT_FOUND;
}

static void feed_end(Feed *feed)
{
	free(feed);
}

int engine_feed_new(const EngineParts *parts, Feed **ret_feed)
{
	static const FeedOps ops = { "engine", feed_next, feed_release, feed_send, feed_ask, feed_end };
	EngineFeed *engine = calloc(1, sizeof *engine);
	if (!engine)
		return ERR_NOMEM;
	*engine = (EngineFeed) {
		.feed = { .ops = &ops, .wake_fd = parts->wake->fd },
		.parts = *parts,
		.next_id = 1,
	};
	*ret_feed = &engine->feed;
	return 0;
}
