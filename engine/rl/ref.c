/* Each kernel of kernels.h in plain loops and the C library's functions: what the fast ones are tested against. */
#include "rl/kernels.h"

#include <math.h>

static float act_of(KernelAct act, float x)
{
	return act == KERNEL_TANH ? tanhf(x) : act == KERNEL_RELU && x < 0.0f ? 0.0f : x;
}

static float derivative_at(KernelAct act, float h)
{
	return act == KERNEL_TANH ? 1.0f - h * h : act == KERNEL_RELU && h <= 0.0f ? 0.0f : 1.0f;
}

static void forward(size_t n, size_t in, size_t out_pad, const float *x, size_t ldx, const float *w, KernelAct act,
		    float *y)
{
	for (size_t b = 0; b < n; b++)
		for (size_t j = 0; j < out_pad; j++) {
			double sum = (double) w[j];
			for (size_t k = 0; k < in; k++)
				sum += (double) x[b * ldx + k] * (double) w[(k + 1) * out_pad + j];
			y[b * out_pad + j] = act_of(act, (float) sum);
		}
}

static void narrow(size_t n, size_t in, size_t out, const float *x, size_t ldx, const float *w, const float *bias,
		   size_t out_pad, float *y)
{
	for (size_t b = 0; b < n; b++)
		for (size_t j = 0; j < out; j++) {
			double sum = (double) bias[j];
			for (size_t k = 0; k < in; k++)
				sum += (double) x[b * ldx + k] * (double) w[j * in + k];
			y[b * out_pad + j] = (float) sum;
		}
}

static void backward(size_t n, size_t out, size_t in_pad, const float *dy, size_t ldy, const float *w, const float *h,
		     KernelAct act, float *dz)
{
	for (size_t b = 0; b < n; b++)
		for (size_t k = 0; k < in_pad; k++) {
			double sum = 0.0;
			for (size_t j = 0; j < out; j++)
				sum += (double) dy[b * ldy + j] * (double) w[j * in_pad + k];
			dz[b * in_pad + k] = (float) sum * derivative_at(act, h[b * in_pad + k]);
		}
}

static void gradient(size_t n, size_t in, size_t out, const float *dy, size_t ldy, const float *x, size_t ldx,
		     float *dw, float *db)
{
	for (size_t j = 0; j < out; j++) {
		double bias = 0.0;
		for (size_t b = 0; b < n; b++)
			bias += (double) dy[b * ldy + j];
		db[j] = (float) bias;
		for (size_t k = 0; k < in; k++) {
			double sum = 0.0;
			for (size_t b = 0; b < n; b++)
				sum += (double) dy[b * ldy + j] * (double) x[b * ldx + k];
			dw[j * in + k] = (float) sum;
		}
	}
}

static void activate(size_t n, KernelAct act, float *x)
{
	for (size_t i = 0; i < n; i++)
		x[i] = act_of(act, x[i]);
}

static void derive(size_t n, KernelAct act, const float *h, float *dz)
{
	for (size_t i = 0; i < n; i++)
		dz[i] *= derivative_at(act, h[i]);
}

static void exponential(size_t n, float *x)
{
	for (size_t i = 0; i < n; i++)
		x[i] = expf(x[i]);
}

static void softmax_columns(size_t n, size_t n_actions, float *log_p, float *prob, float *entropy)
{
	for (size_t b = 0; b < n; b++) {
		double most = -INFINITY, sum = 0.0, mean = 0.0;
		for (size_t a = 0; a < n_actions; a++)
			most = fmax(most, (double) log_p[a * n + b]);
		for (size_t a = 0; a < n_actions; a++)
			sum += exp((double) log_p[a * n + b] - most);
		for (size_t a = 0; a < n_actions; a++) {
			double log_prob = (double) log_p[a * n + b] - most - log(sum);
			log_p[a * n + b] = (float) log_prob;
			prob[a * n + b] = (float) exp(log_prob);
			mean += exp(log_prob) * log_prob;
		}
		entropy[b] = (float) -mean;
	}
}

static void transpose(size_t rows, size_t cols, const float *from, float *to, size_t ldto)
{
	for (size_t r = 0; r < rows; r++)
		for (size_t c = 0; c < cols; c++)
			to[c * ldto + r] = from[r * cols + c];
}

static double sum_squares(size_t n, const float *x)
{
	double sum = 0.0;
	for (size_t i = 0; i < n; i++)
		sum += (double) x[i] * (double) x[i];
	return sum;
}

static void adam(size_t n, const AdamStep *step, const float *grad, float *param, float *m, float *v)
{
	for (size_t i = 0; i < n; i++) {
		double g = (double) grad[i] * (double) step->grad_scale;
		m[i] = (float) ((double) step->beta1 * (double) m[i] + (1.0 - (double) step->beta1) * g);
		v[i] = (float) ((double) step->beta2 * (double) v[i] + (1.0 - (double) step->beta2) * g * g);
		double root = sqrt((double) v[i]) * (double) step->v_scale + (double) step->eps;
		param[i] = (float) ((double) param[i] - (double) step->step_size * (double) m[i] / root);
	}
}

const Kernels KERNELS_REF = {
	.name = "reference",
	.forward = forward,
	.narrow = narrow,
	.backward = backward,
	.gradient = gradient,
	.activate = activate,
	.derive = derive,
	.exp = exponential,
	.softmax = softmax_columns,
	.transpose = transpose,
	.sum_squares = sum_squares,
	.adam = adam,
};
