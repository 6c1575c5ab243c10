/* What `maestro train` prints without a console: NDJSON, or progress lines and a final table. */
#ifndef MAESTRO_CMD_TRAIN_REPORT_H
#define MAESTRO_CMD_TRAIN_REPORT_H

#include "control/trainer.h"

#include <stdio.h>

typedef struct TrainReport {
	FILE *out;
	bool is_json;
	int64_t total_steps;
	Clock *clock;
	int64_t run_id;
	int64_t last_line_ms; /* progress lines: one a second at most */
} TrainReport;

/* The first line: what is trained. */
void train_report_start(TrainReport *report, const TrainerConfig *config);
/* An event of the trainer. Each line is flushed. */
void train_report_event(TrainReport *report, const TrainEvent *event);

/* Plays the policy in model_path and the HPA rule over the same held-out episodes and prints the table. */
int train_report_table(TrainReport *report, const TrainerConfig *config, const char *model_path, Error *err);

#endif
