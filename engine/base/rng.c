/* See rng.h. */
#include "base/rng.h"

#include <math.h>
#include <string.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

enum { ROUNDS = 10 };
static const uint32_t M0 = 0xD2511F53u, M1 = 0xCD9E8D57u, WEYL0 = 0x9E3779B9u, WEYL1 = 0xBB67AE85u;

void rng_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t ret_word[4])
{
	uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
	uint32_t k0 = key[0], k1 = key[1];
	for (int r = 0; r < ROUNDS; r++) {
		uint64_t p0 = (uint64_t) M0 * c0, p1 = (uint64_t) M1 * c2;
		c0 = (uint32_t) (p1 >> 32) ^ c1 ^ k0;
		c1 = (uint32_t) p1;
		c2 = (uint32_t) (p0 >> 32) ^ c3 ^ k1;
		c3 = (uint32_t) p0;
		k0 += WEYL0;
		k1 += WEYL1;
	}
	ret_word[0] = c0;
	ret_word[1] = c1;
	ret_word[2] = c2;
	ret_word[3] = c3;
}

#ifdef __x86_64__
/* Words are the low halves: what is above them falls away in the next product, or at the end. */
__attribute__((target("avx2"))) static void philox_blocks_wide(const uint32_t counter[4], const uint32_t key[2], uint32_t ret_word[4][RNG_BLOCKS])
{
	const __m256i low = _mm256_setr_epi32(0, 2, 4, 6, 0, 0, 0, 0), m0 = _mm256_set1_epi64x(M0), m1 = _mm256_set1_epi64x(M1);
	__m256i c[4];
	uint32_t k0 = key[0], k1 = key[1];
	for (int w = 0; w < 4; w++)
		c[w] = _mm256_set1_epi64x(counter[w]);
	c[0] = _mm256_add_epi32(c[0], _mm256_setr_epi64x(0, 1, 2, 3));
	for (int r = 0; r < ROUNDS; r++) {
		__m256i p0 = _mm256_mul_epu32(c[0], m0), p1 = _mm256_mul_epu32(c[2], m1);
		c[0] = _mm256_xor_si256(_mm256_srli_epi64(p1, 32), _mm256_xor_si256(c[1], _mm256_set1_epi64x(k0)));
		c[1] = p1;
		c[2] = _mm256_xor_si256(_mm256_srli_epi64(p0, 32), _mm256_xor_si256(c[3], _mm256_set1_epi64x(k1)));
		c[3] = p0;
		k0 += WEYL0;
		k1 += WEYL1;
	}
	for (int w = 0; w < 4; w++)
		_mm_storeu_si128((__m128i *) (void *) ret_word[w], _mm256_castsi256_si128(_mm256_permutevar8x32_epi32(c[w], low)));
}
#endif

void rng_philox_blocks(const uint32_t counter[4], const uint32_t key[2], uint32_t ret_word[4][RNG_BLOCKS])
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx2")) {
		philox_blocks_wide(counter, key, ret_word);
		return;
	}
#endif
	for (uint32_t b = 0; b < RNG_BLOCKS; b++) {
		const uint32_t at[4] = { counter[0] + b, counter[1], counter[2], counter[3] };
		uint32_t word[4];
		rng_philox(at, key, word);
		for (int w = 0; w < 4; w++)
			ret_word[w][b] = word[w];
	}
}

void rng_init(Rng *rng, uint64_t seed, uint32_t id, RngStream stream)
{
	*rng = (Rng) {
		.key = { (uint32_t) seed, (uint32_t) (seed >> 32) },
		.counter = { 0, 0, id, (uint32_t) stream },
	};
}

uint32_t rng_u32(Rng *rng)
{
	if (!rng->left) {
		rng_philox(rng->counter, rng->key, rng->word);
		if (!++rng->counter[0])
			rng->counter[1]++;
		rng->left = 4;
	}
	return rng->word[4 - rng->left--];
}

double rng_uniform(Rng *rng)
{
	return ((double) rng_u32(rng) + 0.5) * (1.0 / 4294967296.0);
}

uint32_t rng_below(Rng *rng, uint32_t n)
{
	uint64_t product = (uint64_t) rng_u32(rng) * n;
	if ((uint32_t) product < n) {
		uint32_t threshold = (0u - n) % n;
		while ((uint32_t) product < threshold)
			product = (uint64_t) rng_u32(rng) * n;
	}
	return (uint32_t) (product >> 32);
}

double rng_normal(Rng *rng)
{
	double radius = sqrt(-2.0 * log(rng_uniform(rng)));
	return radius * cos(6.283185307179586 * rng_uniform(rng));
}

double rng_exponential(Rng *rng)
{
	return -log(rng_uniform(rng));
}

static inline double double_of(uint64_t bits)
{
	double x;
	memcpy(&x, &bits, sizeof x);
	return x;
}

/*
 * -log((word + .5) / 2^32), in operations that a compiler does for several at once: with u = m 2^k, m around 1,
 * log m = 2 (s + s^3/3 + s^5/5 ...), s = (m - 1)/(m + 1). A whole number below 2^52 is in the low bits of 2^52 plus it.
 */
static inline __attribute__((always_inline)) double minus_log(uint32_t word)
{
	const uint64_t fraction = (UINT64_C(1) << 52) - 1, one = UINT64_C(1023) << 52, whole = UINT64_C(1075) << 52;
	const uint64_t root_half = UINT64_C(0x3fe6a09e667f3bcd); /* sqrt(.5) */
	double u = (double_of(whole | word) - 0x1p52 + .5) * 0x1p-32, sum = 0.0;
	uint64_t bits;
	memcpy(&bits, &u, sizeof bits);
	bits += one - root_half;
	double m = double_of((bits & fraction) + root_half), k = double_of(whole | bits >> 52) - (0x1p52 + 1023.0);
	double s = (m - 1.0) / (m + 1.0), z = s * s;
	for (int i = 21; i > 0; i -= 2)
		sum = sum * z + 1.0 / i;
	return -(k * 0.69314718055994530942 + 2.0 * s * sum);
}

static inline __attribute__((always_inline)) void minus_log_each(const uint32_t *restrict word, double *restrict ret, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		ret[i] = minus_log(word[i]);
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static void minus_log_wide(const uint32_t *word, double *ret, uint32_t n)
{
	minus_log_each(word, ret, n);
}
#endif

/* As n calls of rng_u32(). */
static void fill_words(Rng *rng, uint32_t *ret, uint32_t n)
{
	enum { MANY = 4 * RNG_BLOCKS };
	uint32_t i = 0;
	while (i < n) {
		if (rng->left || n - i < MANY || rng->counter[0] > UINT32_MAX - RNG_BLOCKS) {
			ret[i++] = rng_u32(rng);
			continue;
		}
		uint32_t word[4][RNG_BLOCKS];
		rng_philox_blocks(rng->counter, rng->key, word);
		for (uint32_t k = 0; k < MANY; k++)
			ret[i++] = word[k % 4][k / 4];
		rng->counter[0] += RNG_BLOCKS;
	}
}

void rng_exponentials(Rng *rng, double *ret, uint32_t n)
{
	enum { BATCH = 256 };
	uint32_t word[BATCH];
	for (uint32_t done = 0; done < n; done += BATCH) {
		uint32_t now = n - done < BATCH ? n - done : BATCH;
		fill_words(rng, word, now);
#ifdef __x86_64__
		if (__builtin_cpu_supports("avx2")) {
			minus_log_wide(word, ret + done, now);
			continue;
		}
#endif
		minus_log_each(word, ret + done, now);
	}
}

void rng_shuffle(Rng *rng, uint32_t *item, uint32_t n)
{
	for (uint32_t i = n; i > 1; i--) {
		uint32_t j = rng_below(rng, i);
		uint32_t swap = item[i - 1];
		item[i - 1] = item[j];
		item[j] = swap;
	}
}
