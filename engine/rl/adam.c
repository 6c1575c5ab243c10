/* See adam.h. The corrections of the bias are worked out in double, once a step. */
#include "rl/adam.h"

#include <math.h>

void adam_step(Adam *adam, const Kernels *kernels, double learning_rate, double grad_scale, const float *grad,
	       float *param)
{
	const double beta1 = 0.9, beta2 = 0.999; /* SB3 leaves torch's defaults */
	double t = (double) ++adam->step;
	AdamStep step = {
		.grad_scale = (float) grad_scale,
		.beta1 = (float) beta1,
		.beta2 = (float) beta2,
		.step_size = (float) (learning_rate / (1.0 - pow(beta1, t))),
		.v_scale = (float) (1.0 / sqrt(1.0 - pow(beta2, t))),
		.eps = (float) adam->eps,
	};
	kernels->adam(adam->n, &step, grad, param, adam->m, adam->v);
}
