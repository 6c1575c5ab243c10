/* A training as TensorBoard event files: live beside the trainer, or afterwards from the store. */
#ifndef MAESTRO_CMD_TENSOR_LOG_H
#define MAESTRO_CMD_TENSOR_LOG_H

#include "control/trainer.h"
#include "rl/tensorboard.h"

struct sqlite3;

typedef struct TensorLog {
	TbWriter *writer;
	Clock *clock;
	bool has_failed; /* said so once */
} TensorLog;

/* config_json: the settings of the run, as its hyper-parameters. */
int tensor_log_open(TensorLog *log, const char *folder, Clock *clock, const char *config_json, Error *err);
/* On the trainer's thread: figures of an update or evaluation; weights as histograms at evaluations and at the end. A failed
 * write is said once on stderr and stops nothing. */
void tensor_log_event(TensorLog *log, const TrainEvent *event);
void tensor_log_close(TensorLog *log); /* accepts one that was not opened (zeroed) */

/* `runs export ID --format tensorboard --out folder`: what the store has of a training. */
int tensor_log_export(struct sqlite3 *db, int64_t run, const char *folder, Error *err);

#endif
