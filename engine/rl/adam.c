/* See adam.h. The corrections of the bias are worked out in double, once a step. */
#include "rl/adam.h"

#include <math.h>

AdamStep adam_next(Adam *adam, double learning_rate, double grad_scale)
{
	const double beta1 = 0.9, beta2 = 0.999; /* SB3 leaves torch's defaults */
	double t = (double) ++adam->step;
	return (AdamStep) {
		.grad_scale = (float) grad_scale,
		.beta1 = (float) beta1,
		.beta2 = (float) beta2,
		.step_size = (float) (learning_rate / (1.0 - pow(beta1, t))),
		.v_scale = (float) (1.0 / sqrt(1.0 - pow(beta2, t))),
		.eps = (float) adam->eps,
	};
}
