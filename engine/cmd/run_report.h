/* What `maestro run` prints without a console: a line a cycle, in every state. */
#ifndef MAESTRO_CMD_RUN_REPORT_H
#define MAESTRO_CMD_RUN_REPORT_H

#include "base/view.h"

#include <stdbool.h>
#include <stdio.h>

typedef struct RunReport {
	FILE *out;
	bool is_json;
} RunReport;

/* LoopConfig.on_cycle; arg is the RunReport. Each line is flushed. */
void run_report_cycle(void *arg, const LiveView *view);

#endif
