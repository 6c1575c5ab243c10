/*
 * Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as
 * 1, 2, 3", SC 2011).
 *
 * key = the seed; counter = (draw number, id, stream). A stream's values depend on nothing but (seed, id, stream):
 * not on how many environments or threads there are, nor on the order in which they draw. An Rng is plain data:
 * copying it is a snapshot, and each has one owner.
 */
#ifndef MAESTRO_BASE_RNG_H
#define MAESTRO_BASE_RNG_H

#include <stdint.h>

typedef enum RngStream { /* the words are in files' bytes: append only */
	RNG_INIT,        /* weights */
	RNG_ACTION,      /* sampled actions of a rollout */
	RNG_SHUFFLE,     /* minibatch order */
	RNG_EVAL,        /* seeds of evaluation episodes */
	RNG_ARRIVALS,
	RNG_SIZES,
	RNG_LB,
	RNG_LIFECYCLE,
	RNG_METRICS,
	RNG_CHAOS,
	RNG_TRAFFIC,
	RNG_PARAMETERS,
	RNG_BOOTSTRAP,   /* resampling of statistics */
	RNG_LOAD,        /* arrival times of the load generator */
} RngStream;

typedef struct Rng {
	uint32_t key[2];
	uint32_t counter[4]; /* draw number (64 bits), id, stream */
	uint32_t word[4];    /* the present block */
	uint32_t left;       /* words of it not yet given out */
} Rng;

/* One Philox4x32-10 block: the test against the paper's known answers calls this. */
void rng_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t ret_word[4]);

enum { RNG_BLOCKS = 4 };

/* The blocks of counter[0], counter[0] + 1 ..., the others alike: word w of the b-th is ret_word[w][b]. At about one's cost where
 * the machine has wider registers. */
void rng_philox_blocks(const uint32_t counter[4], const uint32_t key[2], uint32_t ret_word[4][RNG_BLOCKS]);

void rng_init(Rng *rng, uint64_t seed, uint32_t id, RngStream stream);

uint32_t rng_u32(Rng *rng);
/* In (0, 1), never an end: 32 bits, so that log() of it is finite. */
double rng_uniform(Rng *rng);
/* 0..n-1 without bias (Lemire 2019), n >= 1. */
uint32_t rng_below(Rng *rng, uint32_t n);
/* Mean 0, deviation 1 (Box and Muller 1958; one value a call). */
double rng_normal(Rng *rng);
/* Mean 1. */
double rng_exponential(Rng *rng);
/* As n calls of it would give, to a few parts in 1e16 and at a third of their cost (3.4 ns for 10.2). */
void rng_exponentials(Rng *rng, double *ret, uint32_t n);
/* A uniform permutation of item[0..n-1] in place (Fisher and Yates, from the end down). */
void rng_shuffle(Rng *rng, uint32_t *item, uint32_t n);

#endif
