/* See blas.h. The one place that knows OpenBLAS. */
#include "rl/blas.h"

#include <cblas.h>

void blas_gemm(bool a_trans, size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b, size_t ldb,
	       float beta, float *c, size_t ldc)
{
	openblas_set_num_threads(1); /* the workers are the threads; and sums keep their order */
	cblas_sgemm(CblasRowMajor, a_trans ? CblasTrans : CblasNoTrans, CblasNoTrans, (blasint) m, (blasint) n, (blasint) k,
		    1.0f, a, (blasint) lda, b, (blasint) ldb, beta, c, (blasint) ldc);
}
