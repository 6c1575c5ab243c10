/* What a training stands on besides its options: the program's version, and the traffic's content. */
#ifndef MAESTRO_CMD_TRAIN_ORIGIN_H
#define MAESTRO_CMD_TRAIN_ORIGIN_H

#include "cmd/train_opts.h"

/* The options as JSON, with "code" and, of recorded or named traffic, "trace-sha256" beside them: twelve digits of each trace's hash,
 * over its step and rates. The caller's to free; NULL: out of memory. */
char *train_origin_json(const TrainOptions *options, const SimConfig *sim);

#endif
