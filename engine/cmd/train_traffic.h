/* The traffic that a training run replays: recorded traces, made-up shapes, or a mix of both. */
#ifndef MAESTRO_CMD_TRAIN_TRAFFIC_H
#define MAESTRO_CMD_TRAIN_TRAFFIC_H

#include "cmd/train_opts.h"

enum { TRAFFIC_MAX = TRACES_BUILT_IN_MAX };

typedef struct TrainTraffic {
	Trace trace[TRAFFIC_MAX]; /* to train on, a part each; the rest is held out */
	size_t n;
	Trace held_out;           /* of made-up traffic: another draw of it */
} TrainTraffic;

/*
 * Opens what the options name and lends it to sim and eval_sim of the config. Without --trace and --traffic the preset `default` has
 * the mix, every compiled-in trace (made-up shapes beside them were tried, and made it worse on the wild ones); `seed` has constant traffic. ERR_USAGE, ERR_IO, ERR_INVALID, ERR_NOMEM.
 */
int train_traffic_open(const TrainOptions *options, TrainTraffic *ret_traffic, TrainerConfig *config, Error *err);
void train_traffic_close(TrainTraffic *traffic);

#endif
