/*
 * One aligned block, many arrays. A layout function is run twice over the same Carve: with base NULL it only adds up
 * the bytes, with the block it hands out the arrays, so that size and layout cannot disagree.
 */
#ifndef MAESTRO_RL_CARVE_H
#define MAESTRO_RL_CARVE_H

#include <stddef.h>

typedef struct Carve {
	char *base;  /* NULL: counting */
	size_t used; /* bytes so far, a multiple of 64 */
} Carve;

/* The next count * size bytes, aligned to 64; NULL while counting. Callers have bounded the product. */
static inline void *carve(Carve *at, size_t count, size_t size)
{
	void *array = at->base ? at->base + at->used : NULL;
	at->used += (count * size + 63) / 64 * 64;
	return array;
}

enum { APART = 16384 }; /* bytes: further than a processor reads ahead; 4096 are not enough (a minibatch of 64: 12.9 us instead of 10.8) */

/* What follows belongs to another thread than what came before: neither fetches the other's lines. */
static inline void carve_apart(Carve *at)
{
	at->used += APART;
}

/* Floats in a padded row: whole cache lines, so that every row starts aligned. */
static inline size_t pad16(size_t n)
{
	return (n + 15) / 16 * 16;
}

#endif
