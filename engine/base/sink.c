/* The sink that keeps nothing, and the words of a run's status. */
#include "base/sink.h"

#include "base/err.h"

#include <stddef.h>

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

size_t record_size(RecordKind kind)
{
#define UP_TO(member) offsetof(Record, u) + sizeof(((Record *) 0)->u.member)
	static const size_t sizes[] = {
		[RECORD_UPDATE] = UP_TO(update), [RECORD_EVAL] = UP_TO(eval), [RECORD_EPISODE] = UP_TO(episode),
		[RECORD_CHECKPOINT] = UP_TO(checkpoint), [RECORD_DECISION] = UP_TO(decision), [RECORD_INTERVENTION] = UP_TO(intervention),
		[RECORD_AUDIT] = UP_TO(audit), [RECORD_STATE] = UP_TO(state), [RECORD_RESULT] = UP_TO(result), [RECORD_RUN_END] = UP_TO(run_end),
	};
#undef UP_TO
	return (size_t) kind < sizeof sizes / sizeof *sizes && sizes[kind] ? sizes[kind] : sizeof(Record);
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
