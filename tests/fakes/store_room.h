/*
 * A temporary folder for a store, and questions to its file in plain SQL, past the code under test.
 */
#ifndef MAESTRO_TESTS_FAKES_STORE_ROOM_H
#define MAESTRO_TESTS_FAKES_STORE_ROOM_H

#include "base/sink.h"

typedef struct StoreRoom {
	char folder[128];
	char path[160]; /* folder/maestro.db; not made yet */
} StoreRoom;

void store_room_init(StoreRoom *room);
/* Removes the folder and the files in it. */
void store_room_done(StoreRoom *room);

/* The first row of an answer, columns joined by '|', NULL as "NULL", reals in 17 digits; aborts on an error.
 * Answers text. */
const char *store_sql(const char *path, const char *sql, char *text, size_t size);

/* Begins a training run named "t" in a sink; aborts where it cannot. */
int64_t store_begin(Sink *sink);

#endif
