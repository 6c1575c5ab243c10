/* The sink that keeps nothing, and the words of a run's status. */
#include "base/sink.h"

#include "base/err.h"

static int null_run_begin(Sink *sink, const RunStart *start, int64_t *ret_run_id, Error *err)
{
	(void) sink, (void) start, (void) err;
	*ret_run_id = 0;
	return 0;
}

static void null_write(Sink *sink, const Record *record)
{
	(void) sink, (void) record;
}

static int null_commit(Sink *sink, int64_t wait_ms, Error *err)
{
	(void) sink, (void) wait_ms, (void) err;
	return 0;
}

static int64_t null_dropped(Sink *sink)
{
	(void) sink;
	return 0;
}

static void null_free(Sink *sink)
{
	(void) sink;
}

Sink *sink_null(void)
{
	static const SinkOps ops = { "null", null_run_begin, null_write, null_commit, null_dropped, null_free };
	static Sink sink = { &ops }; /* never written */
	return &sink;
}

const char *run_status_text(RunStatus status)
{
	static const char *const text[] = { "running", "done", "stopped", "failed", "crashed" };
	return (unsigned) status < RUN_STATUS_COUNT ? text[status] : "?";
}

const char *audit_word(int32_t from, int32_t to)
{
	return from == to ? "hold" : "set";
}

const char *run_kind_text(RunKind kind)
{
	static const char *const text[RUN_KIND_COUNT] = { "train", "control", "evaluate" };
	return (unsigned) kind < RUN_KIND_COUNT ? text[kind] : "?";
}
