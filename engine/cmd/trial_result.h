/*
 * What a training in a pod sends home through the pod's log: a line `maestro-result SHA256`, a zip archive as lines of base64, and a
 * line `maestro-result end`. In the archive are run.json (`runs export`), model.safetensors and best.safetensors.
 */
#ifndef MAESTRO_CMD_TRIAL_RESULT_H
#define MAESTRO_CMD_TRIAL_RESULT_H

#include "base/err.h"
#include "base/mem.h"

enum { TRIAL_FILES = 3 };
extern const char *const TRIAL_FILE[TRIAL_FILES]; /* the first is the run */

/* Appends all lines to out. A file whose data is NULL is left out. ERR_NOMEM. */
int trial_result_write(const StrBuf file[TRIAL_FILES], StrBuf *out, Error *err);
/* Finds them in a log, whatever stands around. Files that are not there stay empty; freed by the caller. ERR_NOT_FOUND (no
 * result, or cut short), ERR_BAD_MODEL (damaged). */
int trial_result_read(const char *log, StrBuf ret_file[TRIAL_FILES], Error *err);

#endif
