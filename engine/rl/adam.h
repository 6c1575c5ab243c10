/*
 * Adam over one flat buffer (Kingma and Ba 2015), as torch.optim.Adam steps it.
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

/* One step of param [n] along grad [n] x grad_scale. */
void adam_step(Adam *adam, const Kernels *kernels, double learning_rate, double grad_scale, const float *grad,
	       float *param);

#endif
