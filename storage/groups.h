/*
 * Runs of one experiment: those whose configurations differ in the seed alone.
 */
#ifndef MAESTRO_STORAGE_GROUPS_H
#define MAESTRO_STORAGE_GROUPS_H

#include "storage/runs.h"

/* Alike for configurations (JSON objects) that differ in seed, name and files alone; 0: it is none, and like no other. */
uint32_t groups_key(const char *config);

/*
 * The groups of the runs that a selection's filter takes, each at its first run's place in the order; by SORT_EVAL in that of
 * their interquartile means. Of those on the page row and group ([selection->limit]) are filled, row with the newest run;
 * *ret_matched counts the groups. ERR_PARSE (with *ret_fault_col), ERR_STORE, ERR_NOMEM.
 */
int groups_select(struct sqlite3 *db, const RunSelection *selection, RunRow *row, RunGroup *group, int32_t *ret_n, int64_t *ret_matched,
                  int32_t *ret_fault_col, Error *err);

#endif
