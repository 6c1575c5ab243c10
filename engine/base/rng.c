/* See rng.h. */
#include "base/rng.h"

#include <math.h>

enum { ROUNDS = 10 };

void rng_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t ret_word[4])
{
	const uint64_t m0 = 0xD2511F53u, m1 = 0xCD9E8D57u;
	const uint32_t weyl0 = 0x9E3779B9u, weyl1 = 0xBB67AE85u;
	uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
	uint32_t k0 = key[0], k1 = key[1];
	for (int r = 0; r < ROUNDS; r++) {
		uint64_t p0 = m0 * c0, p1 = m1 * c2;
		c0 = (uint32_t) (p1 >> 32) ^ c1 ^ k0;
		c1 = (uint32_t) p1;
		c2 = (uint32_t) (p0 >> 32) ^ c3 ^ k1;
		c3 = (uint32_t) p0;
		k0 += weyl0;
		k1 += weyl1;
	}
	ret_word[0] = c0;
	ret_word[1] = c1;
	ret_word[2] = c2;
	ret_word[3] = c3;
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

void rng_shuffle(Rng *rng, uint32_t *item, uint32_t n)
{
	for (uint32_t i = n; i > 1; i--) {
		uint32_t j = rng_below(rng, i);
		uint32_t swap = item[i - 1];
		item[i - 1] = item[j];
		item[j] = swap;
	}
}
