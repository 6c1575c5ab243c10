/* See rng.h. */
#include "base/rng.h"

#include "base/philox.h"

#include <math.h>

void rng_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t ret_word[4])
{
	philox_block(counter, key, ret_word);
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
