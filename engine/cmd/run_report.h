/* What `maestro run` prints without a console: a line a cycle, in every state. */
#ifndef MAESTRO_CMD_RUN_REPORT_H
#define MAESTRO_CMD_RUN_REPORT_H

#include "base/view.h"

#include <stdbool.h>
#include <stdio.h>

typedef enum LogFormat { LOG_TEXT, LOG_FMT, LOG_JSON } LogFormat;

typedef struct RunReport {
	FILE *out;
	bool is_json;
	LogFormat log; /* LOG_TEXT: a line for a person on out; else the record on stderr (CONTROL B.5), and nothing but is_json's on out */
} RunReport;

/* "text", "logfmt", "json"; false: another word. */
bool run_report_log(const char *word, LogFormat *ret);

/* LoopConfig.on_cycle; arg is the RunReport. Each line is flushed. In a log a change of state is a warning, all else is info. */
void run_report_cycle(void *arg, const LiveView *view);

#endif
