/*
 * The arithmetic of training, a table of functions an instruction set: AVX-512, AVX2, plain vectors; and a reference in
 * plain loops (ref.c) that the tests hold them against.
 *
 * Matrices are row-major float. A row stride (ld) is a multiple of 16 floats and rows start aligned to 64 bytes where
 * the text says padded; padding columns of an input may hold any finite number, they never reach a result.
 * A row of `forward` does not depend on how many rows there are: one observation gives the bytes that a batch gives.
 */
#ifndef MAESTRO_RL_KERNELS_H
#define MAESTRO_RL_KERNELS_H

#include <stddef.h>

enum { KERNEL_NARROW = 4 }; /* outputs of a narrow layer, at most */

typedef enum KernelAct { KERNEL_LINEAR, KERNEL_TANH, KERNEL_RELU } KernelAct;

typedef struct AdamStep {
	float grad_scale; /* of the norm clipping */
	float beta1, beta2;
	float step_size;  /* learning rate / (1 - beta1^t) */
	float v_scale;    /* 1 / sqrt(1 - beta2^t) */
	float eps;
} AdamStep;

typedef struct Kernels {
	const char *name;
	/* y[b][j] = act(w[0][j] + sum_k x[b][k] w[k + 1][j]): x [n][ldx], w [in + 1][out_pad] padded with the bias as its
	 * first row, y [n][out_pad] padded. */
	void (*forward)(size_t n, size_t in, size_t out_pad, const float *x, size_t ldx, const float *w, KernelAct act,
			float *y);
	/* y[b][j] = bias[j] + sum_k x[b][k] w[j][k] for out <= KERNEL_NARROW: x [n][ldx], w [out][in] padded, in a multiple
	 * of 16, y [n][out_pad], whose padding is left alone. */
	void (*narrow)(size_t n, size_t in, size_t out, const float *x, size_t ldx, const float *w, const float *bias,
		       size_t out_pad, float *y);
	/* dz[b][k] = act'(h[b][k]) sum_j dy[b][j] w[j][k]: dy [n][ldy], w [out][in_pad], h and dz [n][in_pad], padded;
	 * h is the activation's output. */
	void (*backward)(size_t n, size_t out, size_t in_pad, const float *dy, size_t ldy, const float *w, const float *h,
			 KernelAct act, float *dz);
	/* dw[j][k] = sum_b dy[b][j] x[b][k] and db[j] = sum_b dy[b][j]: dy [n][ldy], x [n][ldx] padded, dw [out][in] and
	 * db [out] without padding. */
	void (*gradient)(size_t n, size_t in, size_t out, const float *dy, size_t ldy, const float *x, size_t ldx,
			 float *dw, float *db);
	/* x[i] = act(x[i]) */
	void (*activate)(size_t n, KernelAct act, float *x);
	/* dz[i] *= act'(h[i]) */
	void (*derive)(size_t n, KernelAct act, const float *h, float *dz);
	/* x[i] = e^x[i], 0 below e^-87; n a multiple of 16 */
	void (*exp)(size_t n, float *x);
	/* n columns of n_actions logits [n_actions][n], n a multiple of 16, aligned: they become logarithms of
	 * probabilities; prob alike, entropy [n]. */
	void (*softmax)(size_t n, size_t n_actions, float *log_p, float *prob, float *entropy);
	/* to[c][r] = from[r][c]: from [rows][cols], to [cols][ldto]. */
	void (*transpose)(size_t rows, size_t cols, const float *from, float *to, size_t ldto);
	double (*sum_squares)(size_t n, const float *x);
	/* Adam (Kingma and Ba 2015) as torch writes it, eps outside the root. */
	void (*adam)(size_t n, const AdamStep *step, const float *grad, float *param, float *m, float *v);
} Kernels;

/* The fastest that this processor runs; never NULL. Any thread. */
const Kernels *kernels_best(void);
/* All that this processor runs, fastest first; NULL past the last. */
const Kernels *kernels_at(size_t i);

extern const Kernels KERNELS_REF;

#endif
