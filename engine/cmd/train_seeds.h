#ifndef MAESTRO_CMD_TRAIN_SEEDS_H
#define MAESTRO_CMD_TRAIN_SEEDS_H

#include "cmd/train_opts.h"

/* options->seeds trainings, each with a seed, a run and a model of its own; argv as train's. The exit status. */
int train_seeds(const TrainOptions *options, int argc, char **argv);

#endif
