/* rng_philox() (rng.h) inline, for who draws a block in a loop that is hot. */
#ifndef MAESTRO_BASE_PHILOX_H
#define MAESTRO_BASE_PHILOX_H

#include <stdint.h>

static inline void philox_block(const uint32_t counter[4], const uint32_t key[2], uint32_t ret_word[4])
{
	enum { ROUNDS = 10 };
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

#endif
