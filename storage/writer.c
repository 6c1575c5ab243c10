/*
 * See writer.h. Two locks: `lock` guards the counters and is held for moments, so that write never waits; `db_lock` is
 * held during a transaction by the thread, or by run_begin, which works on its caller's thread.
 */
#include "storage/writer.h"

#include "base/mem.h"
#include "base/queue.h"
#include "storage/begin.h"
#include "storage/db.h"
#include "storage/owner.h"
#include "storage/rows.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct StoreSink {
	Sink base;
	Clock *clock;
	pthread_mutex_t db_lock;
	sqlite3 *db;
	bool has_runs;        /* which want a heartbeat; under db_lock */
	Rows rows;            /* of the thread */
	Queue queue;          /* of Record *, each as long as its kind */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t work;  /* there is something to do before its time */
	pthread_cond_t done;  /* `settled` has grown */
	int64_t pushed;       /* records taken into the queue */
	int64_t settled;      /* of those, on disk or lost */
	int64_t audited;      /* `pushed` at the last audit row, whose commit waits for the disk */
	int64_t dropped;      /* lost: the queue was full, or their transaction failed */
	int64_t lost_ms;      /* monotonic time of the last loss; -STORE_LOSS_MS before */
	bool is_flushing;     /* somebody waits */
	bool is_closing;
	Error health;         /* of the last transaction */
} StoreSink;

static StoreSink *self(Sink *sink)
{
	return (StoreSink *) (void *) sink;
}

static void lose(StoreSink *s, int64_t n)
{
	if (!n)
		return;
	s->dropped += n;
	s->lost_ms = clock_mono_ms(s->clock);
}

static void store_write(Sink *sink, const Record *record)
{
	StoreSink *s = self(sink);
	size_t size = record_size(record->kind);
	Record *copy = malloc(size);
	if (copy)
		memcpy(copy, record, size);
	(void) pthread_mutex_lock(&s->lock);
	bool is_taken = copy && !queue_push(&s->queue, &copy);
	if (is_taken)
		s->pushed++;
	else
		lose(s, 1);
	if (is_taken && record->kind == RECORD_AUDIT)
		s->audited = s->pushed;
	int64_t backlog = s->pushed - s->settled;
	if (backlog == 1 || backlog >= STORE_BATCH)
		(void) pthread_cond_signal(&s->work);
	(void) pthread_mutex_unlock(&s->lock);
	if (!is_taken)
		free(copy);
}

/* Until a condition is signalled or wait_ms real milliseconds have passed; false then. */
static bool wait_on(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t wait_ms)
{
	struct timespec t;
	(void) clock_gettime(CLOCK_MONOTONIC, &t);
	int64_t ns = t.tv_nsec + wait_ms % 1000 * 1000000;
	t.tv_sec += (time_t) (wait_ms / 1000 + ns / 1000000000);
	t.tv_nsec = (long) (ns % 1000000000);
	return !pthread_cond_timedwait(condition, lock, &t);
}

/* Returns when a transaction is due or the sink closes; answers how many records wait. */
static int64_t wait_for_work(StoreSink *s, int64_t last_ms, int64_t beat_ms, bool *ret_closing)
{
	(void) pthread_mutex_lock(&s->lock);
	for (;;) {
		int64_t backlog = s->pushed - s->settled;
		bool is_hurried = (s->is_flushing || backlog >= STORE_BATCH) && !s->health.code;
		int64_t due_ms = backlog && last_ms + STORE_BATCH_MS < beat_ms ? last_ms + STORE_BATCH_MS : beat_ms;
		int64_t left_ms = clock_wait_ms(s->clock, due_ms);
		if (s->is_closing || (is_hurried && backlog) || left_ms <= 0)
			break;
		(void) wait_on(&s->work, &s->lock, left_ms);
	}
	s->is_flushing = false;
	*ret_closing = s->is_closing;
	int64_t backlog = s->pushed - s->settled;
	(void) pthread_mutex_unlock(&s->lock);
	return backlog;
}

/* Takes up to `most` records into one transaction. Nothing is taken where none could be begun. */
static int write_batch(StoreSink *s, int64_t most, int64_t *ret_taken, int64_t *ret_lost)
{
	Record *record;
	int64_t taken = 0, lost = 0;
	int code = db_exec(s->db, "BEGIN IMMEDIATE");
	while (!code && taken < most && !queue_pop(&s->queue, &record, 0)) {
		taken++;
		code = rows_insert(&s->rows, record);
		free(record);
		if ((code & 0xff) == SQLITE_CONSTRAINT) { /* of a run that is not there: its loss, not the batch's */
			lost++;
			code = 0;
		}
	}
	if (!code)
		code = db_exec(s->db, "COMMIT");
	if (code)
		lost = taken;
	*ret_taken = taken;
	*ret_lost = lost;
	return code;
}

static void report(StoreSink *s, int code, const Error *err, int64_t settled, int64_t lost)
{
	(void) pthread_mutex_lock(&s->lock);
	s->settled += settled;
	lose(s, lost);
	s->health = code ? *err : (Error) { 0 };
	(void) pthread_cond_broadcast(&s->done);
	(void) pthread_mutex_unlock(&s->lock);
}

/* How many records one transaction takes, and whether an audit row is among them or comes soon after. */
static int64_t next_batch(StoreSink *s, bool *ret_audited)
{
	(void) pthread_mutex_lock(&s->lock);
	int64_t backlog = s->pushed - s->settled;
	*ret_audited = s->audited > s->settled;
	(void) pthread_mutex_unlock(&s->lock);
	return backlog < STORE_BATCH ? backlog : STORE_BATCH;
}

static int transact(StoreSink *s, int64_t *ret_taken)
{
	Error err = { 0 };
	int64_t lost = 0;
	bool is_audited;
	int64_t most = next_batch(s, &is_audited);
	(void) pthread_mutex_lock(&s->db_lock);
	int code = is_audited ? db_sync_commits(s->db, true) : 0;
	if (!code)
		code = write_batch(s, most, ret_taken, &lost);
	if (code) {
		(void) db_error(s->db, &err);
		if (!sqlite3_get_autocommit(s->db))
			(void) db_exec(s->db, "ROLLBACK");
	}
	if (is_audited)
		(void) db_sync_commits(s->db, false);
	(void) pthread_mutex_unlock(&s->db_lock);
	report(s, code, &err, *ret_taken, lost);
	return code;
}

static void beat(StoreSink *s)
{
	Error err = { 0 };
	(void) pthread_mutex_lock(&s->db_lock);
	int code = s->has_runs ? begin_beat(s->db, clock_wall_ms(s->clock)) : 0;
	if (code)
		(void) db_error(s->db, &err);
	(void) pthread_mutex_unlock(&s->db_lock);
	report(s, code, &err, 0, 0);
}

static void *writer_main(void *arg)
{
	StoreSink *s = arg;
	bool is_closing = false;
	int64_t last_ms = clock_mono_ms(s->clock), beat_ms = last_ms + OWNER_BEAT_MS;
	while (!is_closing) {
		int64_t backlog = wait_for_work(s, last_ms, beat_ms, &is_closing);
		int64_t taken = 0;
		int code = 0;
		for (; backlog > 0 && !code; backlog -= taken)
			code = transact(s, &taken);
		last_ms = clock_mono_ms(s->clock);
		if (last_ms >= beat_ms) {
			if (!code)
				beat(s);
			beat_ms = last_ms + OWNER_BEAT_MS;
		}
	}
	return NULL;
}

static int store_run_begin(Sink *sink, const RunStart *start, int64_t *ret_run_id, Error *err)
{
	StoreSink *s = self(sink);
	(void) pthread_mutex_lock(&s->db_lock);
	int code = begin_run(s->db, start, clock_wall_ms(s->clock), ret_run_id, err);
	s->has_runs |= !code;
	(void) pthread_mutex_unlock(&s->db_lock);
	return code;
}

static int store_commit(Sink *sink, int64_t wait_ms, Error *err)
{
	StoreSink *s = self(sink);
	int code = 0;
	(void) pthread_mutex_lock(&s->lock);
	int64_t target = s->pushed, deadline_ms = clock_mono_ms(s->clock) + wait_ms;
	while (s->settled < target && !code) {
		int64_t left_ms = clock_wait_ms(s->clock, deadline_ms);
		s->is_flushing = true;
		(void) pthread_cond_signal(&s->work);
		if (left_ms <= 0 || !wait_on(&s->done, &s->lock, left_ms))
			code = ERR_TIMEOUT;
	}
	if (s->settled >= target)
		code = 0;
	if (code)
		(void) error_set(err, code, "the store has not taken %lld records within %lld ms%s%s",
		                 (long long) (target - s->settled), (long long) wait_ms, s->health.code ? ": " : "",
		                 s->health.text);
	else if (clock_mono_ms(s->clock) - s->lost_ms < STORE_LOSS_MS)
		code = error_set(err, ERR_STORE, "%s", s->health.code ? s->health.text : "the store has lost records");
	(void) pthread_mutex_unlock(&s->lock);
	return code;
}

static int64_t store_dropped(Sink *sink)
{
	StoreSink *s = self(sink);
	(void) pthread_mutex_lock(&s->lock);
	int64_t dropped = s->dropped;
	(void) pthread_mutex_unlock(&s->lock);
	return dropped;
}

int store_sink_health(Sink *sink, Error *err)
{
	StoreSink *s = self(sink);
	(void) pthread_mutex_lock(&s->lock);
	int code = s->health.code;
	if (code)
		(void) error_set(err, code, "%s", s->health.text);
	(void) pthread_mutex_unlock(&s->lock);
	return code;
}

static void release(StoreSink *s)
{
	Record *left;
	rows_done(&s->rows);
	db_close(s->db);
	while (s->queue.item && !queue_pop(&s->queue, &left, 0)) /* what a store that failed has left */
		free(left);
	queue_done(&s->queue);
	(void) pthread_cond_destroy(&s->work);
	(void) pthread_cond_destroy(&s->done);
	(void) pthread_mutex_destroy(&s->lock);
	(void) pthread_mutex_destroy(&s->db_lock);
	free(s);
}

static void store_free(Sink *sink)
{
	StoreSink *s = self(sink);
	(void) pthread_mutex_lock(&s->lock);
	s->is_closing = true;
	(void) pthread_cond_signal(&s->work);
	(void) pthread_mutex_unlock(&s->lock);
	(void) pthread_join(s->thread, NULL);
	release(s);
}

int store_sink_new(const char *path, Clock *clock, size_t queue_records, Sink **ret_sink, Error *err)
{
	static const SinkOps ops = { "sqlite", store_run_begin, store_write, store_commit, store_dropped, store_free };
	StoreSink *s = calloc(1, sizeof *s);
	if (!s)
		return error_set(err, ERR_NOMEM, "store %s: out of memory", path);
	s->base.ops = &ops;
	s->clock = clock;
	s->lost_ms = clock_mono_ms(clock) - STORE_LOSS_MS;
	pthread_condattr_t attr;
	(void) pthread_condattr_init(&attr);
	(void) pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void) pthread_cond_init(&s->work, &attr);
	(void) pthread_cond_init(&s->done, &attr);
	(void) pthread_condattr_destroy(&attr);
	(void) pthread_mutex_init(&s->lock, NULL);
	(void) pthread_mutex_init(&s->db_lock, NULL);
	int code = queue_init(&s->queue, sizeof(Record *), queue_records);
	if (code)
		(void) error_set(err, code, "store %s: out of memory", path);
	else
		code = db_open(path, clock, &s->db, err);
	if (!code) {
		/* rows are appended: a few pages of each table and index are all that is read again */
		(void) db_exec(s->db, "PRAGMA cache_size = -128");
		rows_init(&s->rows, s->db);
		if (pthread_create(&s->thread, NULL, writer_main, s))
			code = error_set(err, ERR_FAILED, "store %s: no thread to write it", path);
	}
	if (code)
		release(s);
	else
		*ret_sink = &s->base;
	return code;
}
