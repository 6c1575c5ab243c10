/*
 * Response tables kept on disk between runs ($XDG_CACHE_HOME/maestro, else ~/.cache/maestro): half a second each to make, and an
 * evaluation plays hundreds of episodes of one service. Nothing depends on it but time: a file that is damaged, of another service or
 * of another simulator is not there.
 */
#ifndef MAESTRO_SIM_TABLE_CACHE_H
#define MAESTRO_SIM_TABLE_CACHE_H

#include "sim/table.h"

#include <stdbool.h>

/* The table that table_build_settled() makes of these arguments; false: not kept. */
bool table_cache_read(const Service *service, uint64_t requests, uint64_t seed, ResponseTable *ret_table);
/* Keeps it, where there is a place; any number of threads and processes. */
void table_cache_write(const Service *service, uint64_t requests, uint64_t seed, const ResponseTable *table);

#endif
