/*
 * The kernels for one instruction set; kernels.c includes this file once for each, with
 *   NAME(x)   the function's name in that set
 *   TARGET    the attribute that selects the set
 *   LANES     floats of a vector register
 *   WIDE      vectors across a tile of a matrix product
 *
 * All three products are one tile, acc[r][v] += a(r, k) * b[k][v], with a's two strides free: 4 rows by WIDE vectors
 * stay in registers while k runs. The target attribute stands on each function, inlined ones too, since a compiler
 * splits vectors to the file's baseline before it inlines.
 */

typedef float NAME(Vec) __attribute__((vector_size(LANES * 4), aligned(4), may_alias));

/* rows and vecs are constants at each call, so that everything unrolls and acc is registers. */
#define TILE static inline __attribute__((always_inline)) TARGET

TILE void NAME(tile)(size_t rows, size_t vecs, size_t k_len, const float *a, size_t a_row, size_t a_k, const float *b,
		     size_t ldb, NAME(Vec) acc[])
{
	for (size_t k = 0; k < k_len; k++) {
		const NAME(Vec) *line = (const NAME(Vec) *) (b + k * ldb);
#pragma GCC unroll 8
		for (size_t r = 0; r < rows; r++) {
			float scalar = a[r * a_row + k * a_k];
#pragma GCC unroll 8
			for (size_t v = 0; v < vecs; v++)
				acc[r * vecs + v] += scalar * line[v];
		}
	}
}

TILE float NAME(tanh)(float x)
{
	/* x P(x^2) / Q(x^2), fitted to |x| <= 7.9 by reweighted least squares; within 4e-7 of tanh everywhere */
	float c = x > 7.9f ? 7.9f : x;
	c = c < -7.9f ? -7.9f : c;
	float z = c * c;
	float p = 2.383570424369097e-11f;
	p = p * z - 1.4803694270426604e-08f;
	p = p * z + 9.905132174026221e-06f;
	p = p * z + 0.0029883321840316057f;
	p = p * z + 0.1298137754201889f;
	p = p * z + 0.9999999403953552f;
	float q = 0.00023756918380968273f;
	q = q * z + 0.024037601426243782f;
	q = q * z + 0.4631468653678894f;
	q = q * z + 1.0f;
	return c * p / q;
}

TILE void NAME(apply)(size_t n, KernelAct act, float *restrict x)
{
	if (act == KERNEL_TANH)
		for (size_t i = 0; i < n; i++)
			x[i] = NAME(tanh)(x[i]);
	else if (act == KERNEL_RELU)
		for (size_t i = 0; i < n; i++)
			x[i] = x[i] < 0.0f ? 0.0f : x[i]; /* a NaN stays */
}

TILE void NAME(apply_derivative)(size_t n, KernelAct act, const float *restrict h, float *restrict dz)
{
	if (act == KERNEL_TANH)
		for (size_t i = 0; i < n; i++)
			dz[i] *= 1.0f - h[i] * h[i];
	else if (act == KERNEL_RELU)
		for (size_t i = 0; i < n; i++)
			dz[i] = h[i] > 0.0f ? dz[i] : 0.0f;
}

TILE void NAME(forward_tile)(size_t rows, size_t vecs, size_t in, size_t out_pad, const float *x, size_t ldx,
			     const float *w, KernelAct act, float *y)
{
	NAME(Vec) acc[8 * WIDE];
#pragma GCC unroll 8
	for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 8
		for (size_t v = 0; v < vecs; v++)
			acc[r * vecs + v] = ((const NAME(Vec) *) w)[v];
	NAME(tile)(rows, vecs, in, x, ldx, 1, w + out_pad, out_pad, acc);
#pragma GCC unroll 8
	for (size_t r = 0; r < rows; r++) {
#pragma GCC unroll 8
		for (size_t v = 0; v < vecs; v++)
			((NAME(Vec) *) (y + r * out_pad))[v] = acc[r * vecs + v];
		NAME(apply)(vecs * LANES, act, y + r * out_pad);
	}
}

TARGET static void NAME(forward)(size_t n, size_t in, size_t out_pad, const float *x, size_t ldx, const float *w,
				 KernelAct act, float *y)
{
	size_t j = 0;
	for (; j + WIDE * LANES <= out_pad; j += WIDE * LANES) {
		size_t b = 0;
		for (; b + 4 <= n; b += 4)
			NAME(forward_tile)(4, WIDE, in, out_pad, x + b * ldx, ldx, w + j, act, y + b * out_pad + j);
		for (; b < n; b++)
			NAME(forward_tile)(1, WIDE, in, out_pad, x + b * ldx, ldx, w + j, act, y + b * out_pad + j);
	}
	for (; j < out_pad; j += LANES) {
		size_t b = 0;
		for (; b + 8 <= n; b += 8)
			NAME(forward_tile)(8, 1, in, out_pad, x + b * ldx, ldx, w + j, act, y + b * out_pad + j);
		for (; b < n; b++)
			NAME(forward_tile)(1, 1, in, out_pad, x + b * ldx, ldx, w + j, act, y + b * out_pad + j);
	}
}

TILE void NAME(backward_tile)(size_t rows, size_t vecs, size_t out, size_t in_pad, const float *dy, size_t ldy,
			      const float *w, const float *h, KernelAct act, float *dz)
{
	NAME(Vec) acc[8 * WIDE] = { 0 };
	NAME(tile)(rows, vecs, out, dy, ldy, 1, w, in_pad, acc);
#pragma GCC unroll 8
	for (size_t r = 0; r < rows; r++) {
#pragma GCC unroll 8
		for (size_t v = 0; v < vecs; v++)
			((NAME(Vec) *) (dz + r * in_pad))[v] = acc[r * vecs + v];
		NAME(apply_derivative)(vecs * LANES, act, h + r * in_pad, dz + r * in_pad);
	}
}

TARGET static void NAME(backward)(size_t n, size_t out, size_t in_pad, const float *dy, size_t ldy, const float *w,
				  const float *h, KernelAct act, float *dz)
{
	size_t k = 0;
	for (; k + WIDE * LANES <= in_pad; k += WIDE * LANES) {
		size_t b = 0;
		for (; b + 4 <= n; b += 4)
			NAME(backward_tile)(4, WIDE, out, in_pad, dy + b * ldy, ldy, w + k, h + b * in_pad + k, act,
					    dz + b * in_pad + k);
		for (; b < n; b++)
			NAME(backward_tile)(1, WIDE, out, in_pad, dy + b * ldy, ldy, w + k, h + b * in_pad + k, act,
					    dz + b * in_pad + k);
	}
	for (; k < in_pad; k += LANES)
		for (size_t b = 0; b < n; b++)
			NAME(backward_tile)(1, 1, out, in_pad, dy + b * ldy, ldy, w + k, h + b * in_pad + k, act,
					    dz + b * in_pad + k);
}

TILE void NAME(gradient_tile)(size_t rows, size_t vecs, size_t n, size_t in, size_t cols, const float *dy, size_t ldy,
			      const float *x, size_t ldx, float *dw)
{
	NAME(Vec) acc[8 * WIDE] = { 0 };
	NAME(tile)(rows, vecs, n, dy, 1, ldy, x, ldx, acc);
#pragma GCC unroll 8
	for (size_t r = 0; r < rows; r++)
		memcpy(dw + r * in, acc + r * vecs, cols * sizeof *dw);
}

TARGET static void NAME(gradient)(size_t n, size_t in, size_t out, const float *dy, size_t ldy, const float *x,
				  size_t ldx, float *dw, float *db)
{
	size_t k = 0;
	for (; k + WIDE * LANES <= in; k += WIDE * LANES) {
		size_t j = 0;
		for (; j + 4 <= out; j += 4)
			NAME(gradient_tile)(4, WIDE, n, in, WIDE * LANES, dy + j, ldy, x + k, ldx, dw + j * in + k);
		for (; j < out; j++)
			NAME(gradient_tile)(1, WIDE, n, in, WIDE * LANES, dy + j, ldy, x + k, ldx, dw + j * in + k);
	}
	for (; k < in; k += LANES) {
		size_t cols = in - k < LANES ? in - k : LANES, j = 0;
		for (; j + 8 <= out; j += 8)
			NAME(gradient_tile)(8, 1, n, in, cols, dy + j, ldy, x + k, ldx, dw + j * in + k);
		for (; j < out; j++)
			NAME(gradient_tile)(1, 1, n, in, cols, dy + j, ldy, x + k, ldx, dw + j * in + k);
	}
	memset(db, 0, out * sizeof *db);
	for (size_t b = 0; b < n; b++)
		for (size_t j = 0; j < out; j++)
			db[j] += dy[b * ldy + j];
}

TARGET static void NAME(activate)(size_t n, KernelAct act, float *x)
{
	NAME(apply)(n, act, x);
}

TARGET static void NAME(derive)(size_t n, KernelAct act, const float *h, float *dz)
{
	NAME(apply_derivative)(n, act, h, dz);
}

/* Blocks of 4 by 4, which a compiler keeps in registers and shuffles. */
TARGET static void NAME(transpose)(size_t rows, size_t cols, const float *restrict from, float *restrict to,
				   size_t ldto)
{
	size_t r = 0;
	for (; r + 4 <= rows; r += 4) {
		const float *at = from + r * cols;
		for (size_t c = 0; c < cols; c++) {
			float *line = to + c * ldto + r;
			line[0] = at[c];
			line[1] = at[cols + c];
			line[2] = at[2 * cols + c];
			line[3] = at[3 * cols + c];
		}
	}
	for (; r < rows; r++)
		for (size_t c = 0; c < cols; c++)
			to[c * ldto + r] = from[r * cols + c];
}

/* Sixteen partial sums in double, added up in a fixed order. */
TARGET static double NAME(sum_squares)(size_t n, const float *x)
{
	double part[16] = { 0 }, sum = 0.0;
	size_t i = 0;
	for (; i + 16 <= n; i += 16)
		for (size_t l = 0; l < 16; l++)
			part[l] += (double) x[i + l] * (double) x[i + l];
	for (size_t l = 0; i < n; i++, l++)
		part[l] += (double) x[i] * (double) x[i];
	for (size_t l = 0; l < 16; l++)
		sum += part[l];
	return sum;
}

TARGET static void NAME(adam)(size_t n, const AdamStep *step, const float *restrict grad, float *restrict param,
			      float *restrict m, float *restrict v)
{
	const AdamStep s = *step;
	const float left1 = 1.0f - s.beta1, left2 = 1.0f - s.beta2;
	for (size_t i = 0; i < n; i++) {
		float g = grad[i] * s.grad_scale;
		m[i] += left1 * (g - m[i]);
		v[i] = s.beta2 * v[i] + left2 * g * g;
		param[i] -= s.step_size * m[i] / (sqrtf(v[i]) * s.v_scale + s.eps);
	}
}

static const Kernels NAME(table) = {
	.name = KERNELS_NAME,
	.forward = NAME(forward),
	.backward = NAME(backward),
	.gradient = NAME(gradient),
	.activate = NAME(activate),
	.derive = NAME(derive),
	.transpose = NAME(transpose),
	.sum_squares = NAME(sum_squares),
	.adam = NAME(adam),
};

#undef TILE
#undef NAME
#undef TARGET
#undef LANES
#undef WIDE
#undef KERNELS_NAME
