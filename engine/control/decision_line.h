/* A decision as the contract's NDJSON line (PRODUCT, `run`): printed by `run`, served by `/v1/decisions`. */
#ifndef MAESTRO_CONTROL_DECISION_LINE_H
#define MAESTRO_CONTROL_DECISION_LINE_H

#include "base/view.h"

/* The view's last decision, without a line's end; freed by free(). NULL: out of memory. */
char *decision_line(const LiveView *view);
/* memory_usage as the observation has it: working sets / (512 MiB x replicas); NAN: not known. */
double decision_memory_ratio(const Sample *sample);

#endif
