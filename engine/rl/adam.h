/*
 * Adam over one flat buffer (Kingma and Ba 2015), as torch.optim.Adam steps it. A step is counted once and may then be
 * applied part by part, on any thread.
 */
#ifndef MAESTRO_RL_ADAM_H
#define MAESTRO_RL_ADAM_H

#include "rl/kernels.h"

#include <stdint.h>

typedef struct Adam {
	size_t n;
	float *m, *v; /* [n] first and second moment; the owner's memory */
	int64_t step; /* taken so far */
	double eps;
} Adam;

/* Counts the next step; its figures are for kernels' adam. grad_scale multiplies the gradient. */
AdamStep adam_next(Adam *adam, double learning_rate, double grad_scale);

#endif
