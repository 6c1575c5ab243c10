/*
 * See kernels.h. The same source compiled for three instruction sets, picked by what the processor says of itself.
 * Compiled (Makefile) with contraction of a * b + c into fused operations, without errno of sqrtf and without floating
 * point traps, so that the loops vectorise: only here.
 */
#include "rl/kernels.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>

#if defined(__clang__)
#define FULL_WIDTH /* clang takes the width of the loops' vectors from the set */
#else
#define FULL_WIDTH ",prefer-vector-width=512"
#endif
#define NAME(x) x##_avx512
#define TARGET __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma" FULL_WIDTH)))
#define LANES 16
#define WIDE 4
#define MIN_OF(a, b) ((Vec_avx512) _mm512_min_ps((__m512) (a), (__m512) (b)))
#define MAX_OF(a, b) ((Vec_avx512) _mm512_max_ps((__m512) (a), (__m512) (b)))
#define KERNELS_NAME "avx512"
#include "rl/kernels.inc"

#define NAME(x) x##_avx2
#define TARGET __attribute__((target("avx2,fma")))
#define LANES 8
#define WIDE 2
#define MIN_OF(a, b) ((Vec_avx2) _mm256_min_ps((__m256) (a), (__m256) (b)))
#define MAX_OF(a, b) ((Vec_avx2) _mm256_max_ps((__m256) (a), (__m256) (b)))
#define KERNELS_NAME "avx2"
#include "rl/kernels.inc"
#endif

#define NAME(x) x##_base
#define TARGET
#define LANES 4
#define WIDE 2
#if defined(__x86_64__)
#define MIN_OF(a, b) ((Vec_base) _mm_min_ps((__m128) (a), (__m128) (b)))
#define MAX_OF(a, b) ((Vec_base) _mm_max_ps((__m128) (a), (__m128) (b)))
#else
typedef int32_t Bits __attribute__((vector_size(16)));
#define PICK(is_first, a, b) ((Vec_base) (((Bits) (a) & (is_first)) | ((Bits) (b) & ~(is_first))))
#define MIN_OF(a, b) PICK((Bits) ((a) < (b)), a, b)
#define MAX_OF(a, b) PICK((Bits) ((a) > (b)), a, b)
#endif
#define KERNELS_NAME "base"
#include "rl/kernels.inc"

const Kernels *kernels_at(size_t i)
{
	const Kernels *found[3];
	size_t count = 0;
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
	    __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw"))
		found[count++] = &table_avx512;
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		found[count++] = &table_avx2;
#endif
	found[count++] = &table_base;
	return i < count ? found[i] : NULL;
}

const Kernels *kernels_best(void)
{
	return kernels_at(0);
}
