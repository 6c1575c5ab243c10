/*
 * Matrix products of the large layers, by OpenBLAS on one thread. Below BLAS_MIN weights the kernels of kernels.c
 * are faster (tests/programs/bench_ppo.c measures both).
 */
#ifndef MAESTRO_RL_BLAS_H
#define MAESTRO_RL_BLAS_H

#include <stdbool.h>
#include <stddef.h>

enum { BLAS_MIN = 768 * 768 };

/* c[m][n] = op(a)[m][k] op(b)[k][n] + beta c, row-major with strides; a_trans: a is stored [k][m]. */
void blas_gemm(bool a_trans, size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb,
	       float beta, float *c, size_t ldc);

#endif
