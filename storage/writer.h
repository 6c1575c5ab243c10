/*
 * The Sink of the run store: a bounded queue of records and one thread that writes them.
 *
 * write copies what the record has into the queue and returns. The thread takes what is there every 250 ms (or 1,000 records,
 * or when somebody waits in commit) into one transaction, so that other processes find the store unlocked in between
 * and a killed process loses a quarter of a second. A power cut may take the last transactions, but none that holds an
 * audit row. A store that fails, full or gone, loses records and counts them; nobody waits for it, and it is tried again
 * with the next records.
 */
#ifndef MAESTRO_STORAGE_WRITER_H
#define MAESTRO_STORAGE_WRITER_H

#include "base/clock.h"
#include "base/sink.h"

enum {
	STORE_QUEUE = 4096,    /* records: two cycles of a thousand targets; a decision has 1.5 KiB */
	STORE_BATCH = 1000,    /* most records a transaction */
	STORE_BATCH_MS = 250,
	STORE_LOSS_MS = 2000,  /* commit fails for a record that was lost so long ago: write and commit belong together */
};

/* Opens or makes the store at path (db.h) and starts its thread. clock is the machine's and outlives the sink. 0, and
 * err->text then is "" or a notice about a damaged file; ERR_STORE, ERR_NOMEM. */
int store_sink_new(const char *path, Clock *clock, size_t queue_records, Sink **ret_sink, Error *err);

/* 0, or the code and text of the failure since the store was last written well. Any thread. */
int store_sink_health(Sink *sink, Error *err);

#endif
