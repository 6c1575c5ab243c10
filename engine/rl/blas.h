/*
 * Matrix products of the large layers, by OpenBLAS on one thread. Below BLAS_MIN weights the kernels of kernels.c
 * are faster (tests/programs/bench_ppo.c measures both).
 *
 * The library is loaded when the first large net is made, not with the program: from its first moment it keeps threads
 * of its own, which would take a core from a training that never calls it. Where it is not installed, our kernels serve
 * large layers too.
 */
#ifndef MAESTRO_RL_BLAS_H
#define MAESTRO_RL_BLAS_H

#include <stdbool.h>
#include <stddef.h>

enum { BLAS_MIN = 768 * 768 };

typedef struct Blas Blas;

/* NULL: not to be had. Each is closed by its owner; the library stays while one is open. */
Blas *blas_open(void);
void blas_close(Blas *blas); /* accepts NULL */

/* c[m][n] = op(a)[m][k] op(b)[k][n] + beta c, row-major with strides; a_trans: a is stored [k][m]. */
void blas_gemm(const Blas *blas, bool a_trans, size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b,
	       size_t ldb, float beta, float *c, size_t ldc);

#endif
