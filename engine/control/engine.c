/* See engine.h: snapshots are acquired and released, commands go to the worker that they are for. */
#include "control/engine.h"
#include "control/inspector.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { RETRY_MS = 5000 };

typedef struct Opener { /* a thread that begins a loop; its fields are its own until is_done */
	pthread_t thread;
	bool is_running;  /* not joined yet */
	atomic_bool is_done;
	bool is_recorded;
	Loop *loop;
	int code;
	Error err;
} Opener;

typedef struct EngineFeed {
	Feed feed;
	EngineParts parts;
	int64_t next_id;
	Replayer *replayer;   /* NULL: nobody has asked yet */
	Inspector *inspector; /* NULL: nobody has looked at a policy yet */
	const LiveView *target[FEED_TARGETS_MAX]; /* of the frame that is lent */
	Opener opener;
	Error failed;         /* why the last one ended without a loop; no code: it has one, or none was wanted */
	int64_t retry_ms;     /* monotonic: not before */
	Loop *begun[1];       /* what it has begun; parts.loops from then on */
} EngineFeed;

static void take_begun(EngineFeed *engine)
{
	Opener *opener = &engine->opener;
	if (!opener->is_running || !atomic_load(&opener->is_done))
		return;
	(void) pthread_join(opener->thread, NULL);
	opener->is_running = false;
	engine->failed = (Error) { 0 };
	if (opener->code) {
		(void) error_set(&engine->failed, opener->code, "the simulated target: %s", opener->err.text[0] ? opener->err.text : err_text(opener->code));
		engine->retry_ms = clock_mono_ms(engine->parts.clock) + RETRY_MS;
		return;
	}
	inspector_free(engine->inspector); /* it looks at the loop before */
	engine->inspector = NULL;
	engine->begun[0] = opener->loop;
	engine->parts.loops = engine->begun;
	engine->parts.n_loops = 1;
	engine->parts.is_recorded = opener->is_recorded;
}

static int feed_next(Feed *feed, FeedFrame *ret_frame)
{
	EngineFeed *engine = (EngineFeed *) feed;
	EngineParts *parts = &engine->parts;
	wake_drain(parts->wake);
	take_begun(engine);
	int n = 0;
	for (int i = 0; i < parts->n_loops; i++) {
		const LiveView *view = snap_acquire(loop_views(parts->loops[i]));
		if (view)
			engine->target[n++] = view;
	}
	*ret_frame = (FeedFrame) {
		.train = parts->trainer ? snap_acquire(trainer_views(parts->trainer)) : NULL,
		.live = n ? engine->target[0] : NULL,
		.target = engine->target,
		.n_targets = n,
		.archive = parts->archive ? snap_acquire(parts->archive->answers) : NULL,
		.policy = engine->inspector ? snap_acquire(inspector_views(engine->inspector)) : NULL,
		.replay = engine->replayer ? snap_acquire(replayer_views(engine->replayer)) : NULL,
		.wall_ms = clock_wall_ms(parts->clock),
	};
	return 0;
}

static void feed_release(Feed *feed, FeedFrame *frame)
{
	(void) feed;
	snap_release(frame->train);
	for (int i = 0; i < frame->n_targets; i++)
		snap_release(frame->target[i]);
	snap_release(frame->archive);
	snap_release(frame->policy);
	snap_release(frame->replay);
	*frame = (FeedFrame) { 0 };
}

/* The loop of the target that a command names; NULL: there is none. */
static Loop *loop_of(EngineFeed *engine, const Command *command)
{
	if (!command->target[0])
		return engine->parts.n_loops ? engine->parts.loops[0] : NULL;
	Loop *found = NULL;
	for (int i = 0; i < engine->parts.n_loops && !found; i++) {
		char name[sizeof command->target];
		const LiveView *view = snap_acquire(loop_views(engine->parts.loops[i]));
		if (!view)
			continue;
		target_full_name(&view->target, name, sizeof name);
		if (!strcmp(name, command->target))
			found = engine->parts.loops[i];
		snap_release(view);
	}
	return found;
}

static int feed_send(Feed *feed, const Command *command, int64_t *ret_id)
{
	EngineFeed *engine = (EngineFeed *) feed;
	Command numbered = *command;
	numbered.id = engine->next_id;
	bool is_live = command->kind >= COMMAND_LIVE_OVERRIDE && command->kind <= COMMAND_LIVE_PAUSE;
	Loop *loop = is_live ? loop_of(engine, command) : NULL;
	Archive *archive = engine->parts.archive;
	int code = command->kind == COMMAND_RUN_EDIT ? archive ? archive->ops->edit(archive, &numbered) : ERR_NOT_FOUND
	         : is_live ? loop ? loop_send(loop, &numbered) : ERR_NOT_FOUND
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

/* Most consoles never look: the thread starts with the first that does. */
static int feed_inspect(Feed *feed, const PolicyQuery *query, int64_t *ret_query_id)
{
	EngineFeed *engine = (EngineFeed *) feed;
	const EngineParts *parts = &engine->parts;
	if (!parts->n_loops)
		return ERR_NOT_FOUND;
	int code = engine->inspector ? 0 : inspector_new(parts->loops, parts->n_loops, parts->wake, &engine->inspector);
	return code ? code : inspector_ask(engine->inspector, query, ret_query_id);
}

static int feed_replay(Feed *feed, const ReplayQuery *query, int64_t *ret_query_id)
{
	EngineFeed *engine = (EngineFeed *) feed;
	const EngineParts *parts = &engine->parts;
	if (!parts->play)
		return ERR_NOT_FOUND;
	int code = engine->replayer ? 0 : replayer_new(parts->play, parts->play_arg, parts->wake, &engine->replayer);
	return code ? code : replayer_ask(engine->replayer, query, ret_query_id);
}

static void *opener_main(void *arg)
{
	EngineFeed *engine = arg;
	Opener *opener = &engine->opener;
	opener->code = engine->parts.begin(engine->parts.begin_arg, opener->is_recorded, &opener->loop, &opener->err);
	atomic_store(&opener->is_done, true);
	wake_signal(engine->parts.wake);
	return NULL;
}

/* A store that somebody holds may keep it for seconds: hence the thread. Signals are the caller's. */
static void start_opener(EngineFeed *engine, bool is_recorded)
{
	Opener *opener = &engine->opener;
	sigset_t all, before;
	*opener = (Opener) { .is_recorded = is_recorded };
	(void) sigfillset(&all);
	(void) pthread_sigmask(SIG_SETMASK, &all, &before);
	opener->is_running = !pthread_create(&opener->thread, NULL, opener_main, engine);
	(void) pthread_sigmask(SIG_SETMASK, &before, NULL);
	engine->retry_ms = clock_mono_ms(engine->parts.clock) + RETRY_MS;
	if (!opener->is_running)
		(void) error_set(&engine->failed, ERR_NOMEM, "the simulated target: no thread can be had");
}

/* What failed stays said until it has worked: it is tried again now and then. */
static int feed_begin(Feed *feed, bool is_recorded, Error *err)
{
	EngineFeed *engine = (EngineFeed *) feed;
	EngineParts *parts = &engine->parts;
	Opener *opener = &engine->opener;
	take_begun(engine);
	if (!parts->begin)
		return ERR_NOT_FOUND;
	if (parts->n_loops && (parts->is_recorded || !is_recorded))
		return 0;
	if (!opener->is_running && clock_mono_ms(parts->clock) >= engine->retry_ms)
		start_opener(engine, is_recorded);
	if (engine->failed.code)
		*err = engine->failed;
	return engine->failed.code;
}

static void feed_end(Feed *feed)
{
	Opener *opener = &((EngineFeed *) feed)->opener;
	if (opener->is_running)
		(void) pthread_join(opener->thread, NULL);
	replayer_free(((EngineFeed *) feed)->replayer);
	inspector_free(((EngineFeed *) feed)->inspector);
	free(feed);
}

int engine_feed_new(const EngineParts *parts, Feed **ret_feed)
{
	static const FeedOps ops = { "engine", feed_next, feed_release, feed_send, feed_ask, feed_end, feed_inspect,
		feed_replay, feed_begin };
	EngineFeed *engine = calloc(1, sizeof *engine);
	if (!engine)
		return ERR_NOMEM;
	*engine = (EngineFeed) {
		.feed = { .ops = &ops, .wake_fd = parts->wake->fd, .can_begin = parts->begin != NULL },
		.parts = *parts,
		.next_id = 1,
	};
	*ret_feed = &engine->feed;
	return 0;
}
