/* See blas.h. The one place that knows OpenBLAS. */
#include "rl/blas.h"

#include <cblas.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

static const char LIBRARY[] = "libopenblas.so.0";

struct Blas {
	void *library;
	__typeof__(&cblas_sgemm) sgemm;
	__typeof__(&openblas_set_num_threads) set_num_threads;
};

/* A function's address, which C does not take from a void pointer. */
static bool find(void *library, const char *name, void *ret_function, size_t size)
{
	void *address = dlsym(library, name);
	memcpy(ret_function, &address, size);
	return address != NULL;
}

Blas *blas_open(void)
{
	Blas *blas = calloc(1, sizeof *blas);
	if (!blas)
		return NULL;
	blas->library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (blas->library && find(blas->library, "cblas_sgemm", &blas->sgemm, sizeof blas->sgemm) &&
	    find(blas->library, "openblas_set_num_threads", &blas->set_num_threads, sizeof blas->set_num_threads))
		return blas;
	blas_close(blas);
	return NULL;
}

void blas_close(Blas *blas)
{
	if (blas && blas->library)
		(void) dlclose(blas->library);
	free(blas);
}

void blas_gemm(const Blas *blas, bool a_trans, size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b,
	       size_t ldb, float beta, float *c, size_t ldc)
{
	blas->set_num_threads(1); /* the trunks are the threads; and sums keep their order */
	blas->sgemm(CblasRowMajor, a_trans ? CblasTrans : CblasNoTrans, CblasNoTrans, (blasint) m, (blasint) n, (blasint) k,
		    1.0f, a, (blasint) lda, b, (blasint) ldb, beta, c, (blasint) ldc);
}
