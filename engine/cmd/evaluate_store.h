/* Evaluations in the run store: kept as runs, and policies that are runs. */
#ifndef MAESTRO_CMD_EVALUATE_STORE_H
#define MAESTRO_CMD_EVALUATE_STORE_H

#include "cmd/session.h"
#include "control/contest.h"

/* Reads a word as family_read; run:ID is the best model of that training run. */
int evaluate_read_policy(Session *session, const char *word, Family *ret_family, Error *err);

/* Each reported episode, at the settings for each lambda, as a row of run_id. */
void evaluate_store_results(Session *session, int64_t run_id, const Contest *contest);

#endif
