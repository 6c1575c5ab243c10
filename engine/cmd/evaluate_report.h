/* An evaluation on stdout: NDJSON by the contract, or a table for a person. */
#ifndef MAESTRO_CMD_EVALUATE_REPORT_H
#define MAESTRO_CMD_EVALUATE_REPORT_H

#include "control/summary.h"

/* ERR_NOMEM; ERR_CLOSED where stdout is. */
int evaluate_print_json(const Contest *contest);
int evaluate_print_table(const Contest *contest);

#endif
