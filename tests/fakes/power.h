/*
 * A disk that can lose its power: a VFS of SQLite's over the default one that keeps what was written to a store's files and when it was
 * synced, and lays out the files as they may be found after a cut between any two of these.
 */
#ifndef MAESTRO_TESTS_FAKES_POWER_H
#define MAESTRO_TESTS_FAKES_POWER_H

#include "base/rng.h"

#include <stddef.h>

typedef struct Power Power;

/* From now on SQLite's files of this process are on that disk. One at a time. */
Power *power_on(void);
/* The default VFS again, and what was kept is freed. */
void power_done(Power *power);

/* How many writes, truncations and syncs there were. Any thread. */
size_t power_count(Power *power);

/*
 * The store at path as it may be found when the power went after the first `n` of them: of each file all that it was synced with; of
 * what came to it later each write or none, and of one a part (whole sectors), as rng says.
 */
void power_cut(Power *power, size_t n, Rng *rng, const char *path);

#endif
