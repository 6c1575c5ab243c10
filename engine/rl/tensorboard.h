/*
 * TensorBoard's event files, written by hand: scalars, histograms and hyper-parameters that TensorBoard's own reader accepts
 * (and W&B syncs), under the tags that Stable-Baselines3 uses.
 *
 * A folder is a run. Each call appends whole records; what could not be written is answered once, by tb_flush, so that a full
 * disk does not stop a training.
 */
#ifndef MAESTRO_RL_TENSORBOARD_H
#define MAESTRO_RL_TENSORBOARD_H

#include "base/err.h"
#include "base/json.h"

#include <stddef.h>
#include <stdint.h>

typedef struct TbWriter TbWriter;

/* Makes the folder with its parents where they are missing, and a new file in it. wall_s: seconds since 1970, of this and
 * of the later calls. ERR_IO, ERR_NOMEM. */
int tb_open(const char *folder, double wall_s, TbWriter **ret_writer, Error *err);
/* Accepts NULL. */
void tb_close(TbWriter *writer);

/* A value that is not finite is left out. */
void tb_scalar(TbWriter *writer, const char *tag, double wall_s, int64_t step, double value);
/* Of the finite ones of n values, in 30 like bins. */
void tb_histogram(TbWriter *writer, const char *tag, double wall_s, int64_t step, const float *value, size_t n);
/* The members of an object that are numbers, strings or booleans, for the HPARAMS page, which shows them beside the scalars in
 * metric (ends with NULL). */
void tb_hparams(TbWriter *writer, double wall_s, const Json *hparams, const char *const *metric);
/* So that a reader sees what was written. ERR_IO, ERR_NOMEM: something since the last call is not there. */
int tb_flush(TbWriter *writer, Error *err);

#endif
