/* The generator against the paper's known answers, and its distributions against theory. Seeds are fixed, so a bound
 * of five standard errors either always holds or never. */
#include "base/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* philox4x32-10 rows of the file kat_vectors that comes with Random123, the paper's own code. */
static void rng_philox_gives_the_known_answers(void **state)
{
	(void) state;
	static const struct { uint32_t counter[4], key[2], want[4]; } cases[] = {
		{ { 0, 0, 0, 0 }, { 0, 0 }, { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 } },
		{ { 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff }, { 0xffffffff, 0xffffffff },
		  { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd } },
		{ { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344 }, { 0xa4093822, 0x299f31d0 },
		  { 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 } },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint32_t got[4];
		rng_philox(cases[i].counter, cases[i].key, got);
		assert_memory_equal(got, cases[i].want, sizeof got);
	}
}

/* Wide registers or not, and over the end of the counter: the same words as one block after the other. */
static void rng_philox_blocks_are_those_of_one_by_one(void **state)
{
	(void) state;
	static const uint32_t counters[][4] = { { 0, 0, 0, 0 }, { 0xfffffffe, 7, 0xffffffff, 3 }, { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344 } };
	static const uint32_t key[2] = { 0xa4093822, 0xf99f31d0 };
	for (size_t i = 0; i < sizeof counters / sizeof *counters; i++) {
		uint32_t got[4][RNG_BLOCKS], want[4];
		rng_philox_blocks(counters[i], key, got);
		for (uint32_t b = 0; b < RNG_BLOCKS; b++) {
			const uint32_t counter[4] = { counters[i][0] + b, counters[i][1], counters[i][2], counters[i][3] };
			rng_philox(counter, key, want);
			for (int w = 0; w < 4; w++)
				assert_int_equal(got[w][b], want[w]);
		}
	}
}

static void rng_of_seed_zero_starts_with_the_known_block(void **state)
{
	(void) state;
	static const uint32_t want[4] = { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 };
	Rng rng;
	rng_init(&rng, 0, 0, RNG_INIT); /* the first stream: a counter of zeros */
	for (int i = 0; i < 4; i++)
		assert_int_equal(rng_u32(&rng), want[i]);
}

static void rng_carries_into_the_upper_counter_word(void **state)
{
	(void) state;
	Rng rng;
	rng_init(&rng, 1, 2, RNG_EVAL);
	rng.counter[0] = UINT32_MAX;
	for (int i = 0; i < 5; i++)
		(void) rng_u32(&rng);
	assert_int_equal(rng.counter[0], 1);
	assert_int_equal(rng.counter[1], 1);
	assert_int_equal(rng.counter[2], 2); /* the id is no part of the count */
}

static void rng_copy_is_a_snapshot(void **state)
{
	(void) state;
	Rng rng, copy;
	rng_init(&rng, 42, 7, RNG_ARRIVALS);
	for (int i = 0; i < 6; i++) /* in the middle of a block */
		(void) rng_u32(&rng);
	copy = rng;
	for (int i = 0; i < 100; i++)
		assert_int_equal(rng_u32(&rng), rng_u32(&copy));
}

enum { N = 200000 };

/* Same key, another id, stream or seed: no two give a like word more often than chance, and none correlates. */
static void rng_streams_are_independent(void **state)
{
	(void) state;
	Rng other[4];
	for (int pair = 0; pair < 4; pair++) {
		Rng one;
		rng_init(&one, 5, 0, RNG_ARRIVALS);
		rng_init(&other[0], 5, 1, RNG_ARRIVALS);
		rng_init(&other[1], 5, 0, RNG_SIZES);
		rng_init(&other[2], 6, 0, RNG_ARRIVALS);
		rng_init(&other[3], UINT64_C(5) | UINT64_C(1) << 32, 0, RNG_ARRIVALS);
		double sum = 0;
		int same = 0;
		for (int i = 0; i < N; i++) {
			Rng *b = &other[pair];
			uint32_t x = rng_u32(&one), y = rng_u32(b);
			same += x == y;
			sum += (x / 4294967296.0 - .5) * (y / 4294967296.0 - .5);
		}
		assert_true(same <= 2);
		assert_true(fabs(sum / N * 12.0) < 5.0 / sqrt(N));
	}
}

typedef struct Moments {
	double mean, variance, skew, kurtosis;
} Moments;

static Moments moments_of(const double *x, int n)
{
	Moments m = { 0 };
	for (int i = 0; i < n; i++)
		m.mean += x[i] / n;
	for (int i = 0; i < n; i++) {
		double d = x[i] - m.mean;
		m.variance += d * d / n;
		m.skew += d * d * d / n;
		m.kurtosis += d * d * d * d / n;
	}
	m.skew /= pow(m.variance, 1.5);
	m.kurtosis /= m.variance * m.variance;
	return m;
}

static double sample[N];

static void near(double got, double want, double standard_error)
{
	if (!(fabs(got - want) < 5.0 * standard_error))
		fail_msg("%.6f, want %.6f within %.6f", got, want, 5.0 * standard_error);
}

static void rng_uniform_is_flat_and_never_an_end(void **state)
{
	(void) state;
	Rng rng;
	rng_init(&rng, 1, 0, RNG_EVAL);
	int decile[10] = { 0 };
	for (int i = 0; i < N; i++) {
		sample[i] = rng_uniform(&rng);
		assert_true(sample[i] > 0.0 && sample[i] < 1.0);
		decile[(int) (sample[i] * 10.0)]++;
	}
	Moments m = moments_of(sample, N);
	near(m.mean, .5, sqrt(1.0 / 12.0 / N));
	near(m.variance, 1.0 / 12.0, sqrt((1.0 / 80.0 - 1.0 / 144.0) / N));
	for (int d = 0; d < 10; d++)
		near(decile[d], N / 10.0, sqrt(N * .1 * .9));
}

static void rng_normal_has_the_moments_and_tails_of_theory(void **state)
{
	(void) state;
	Rng rng;
	rng_init(&rng, 2, 0, RNG_EVAL);
	int beyond_2 = 0, beyond_3 = 0;
	for (int i = 0; i < N; i++) {
		sample[i] = rng_normal(&rng);
		beyond_2 += fabs(sample[i]) > 2.0;
		beyond_3 += fabs(sample[i]) > 3.0;
	}
	Moments m = moments_of(sample, N);
	near(m.mean, 0.0, sqrt(1.0 / N));
	near(m.variance, 1.0, sqrt(2.0 / N));
	near(m.skew, 0.0, sqrt(6.0 / N));
	near(m.kurtosis, 3.0, sqrt(24.0 / N));
	near(beyond_2, .0455003 * N, sqrt(.0455003 * N));
	near(beyond_3, .0026998 * N, sqrt(.0026998 * N));
}

static void rng_exponential_has_mean_and_deviation_one(void **state)
{
	(void) state;
	Rng rng;
	rng_init(&rng, 3, 0, RNG_EVAL);
	int beyond_3 = 0;
	for (int i = 0; i < N; i++) {
		sample[i] = rng_exponential(&rng);
		assert_true(sample[i] > 0.0);
		beyond_3 += sample[i] > 3.0;
	}
	Moments m = moments_of(sample, N);
	near(m.mean, 1.0, sqrt(1.0 / N));
	near(m.variance, 1.0, sqrt(8.0 / N));
	near(beyond_3, exp(-3.0) * N, sqrt(exp(-3.0) * N));
}

/* libm's logarithm is the measure; any number at once, from any place in a block, over the end of the counter. */
static void rng_exponentials_are_those_of_one_by_one(void **state)
{
	(void) state;
	static const uint32_t many[] = { 1, 3, 16, 17, 255, 256, 257, 1000, 4 };
	double got[1000];
	Rng all, each;
	rng_init(&all, 8, 0, RNG_EVAL);
	all.counter[0] = UINT32_MAX - 200;
	memcpy(all.word, (uint32_t[4]) { 0, UINT32_MAX, INT32_MAX, 1u << 31 }, sizeof all.word); /* the ends, and the middle */
	all.left = 4;
	each = all;
	for (size_t m = 0; m < sizeof many / sizeof *many; m++) {
		rng_exponentials(&all, got, many[m]);
		for (uint32_t i = 0; i < many[m]; i++) {
			double want = rng_exponential(&each);
			assert_true(fabs(got[i] - want) <= 1e-15 * want);
		}
		assert_int_equal(rng_u32(&all), rng_u32(&each));
	}
}

/* 3 x 2^30 is where a remainder favours the lower third twofold, and a plain product one value in three. */
static void rng_below_is_unbiased(void **state)
{
	(void) state;
	const uint32_t n = UINT32_C(3) << 30;
	Rng rng;
	rng_init(&rng, 6, 0, RNG_EVAL);
	int third[3] = { 0 }, residue[3] = { 0 }, small[7] = { 0 };
	for (int i = 0; i < N; i++) {
		uint32_t x = rng_below(&rng, n);
		assert_true(x < n);
		third[x >> 30]++;
		residue[x % 3]++;
		small[rng_below(&rng, 7)]++;
		assert_int_equal(rng_below(&rng, 1), 0);
	}
	for (int i = 0; i < 3; i++) {
		near(third[i], N / 3.0, sqrt(N * 2.0 / 9.0));
		near(residue[i], N / 3.0, sqrt(N * 2.0 / 9.0));
	}
	for (int i = 0; i < 7; i++)
		near(small[i], N / 7.0, sqrt(N * 6.0 / 49.0));
}

static void rng_shuffle_gives_each_permutation_alike(void **state)
{
	(void) state;
	enum { DRAWS = 48000 };
	Rng rng;
	rng_init(&rng, 7, 0, RNG_SHUFFLE);
	int count[256] = { 0 }, kinds = 0;
	for (int i = 0; i < DRAWS; i++) {
		uint32_t item[4] = { 0, 1, 2, 3 };
		rng_shuffle(&rng, item, 4);
		assert_int_equal(1u << item[0] | 1u << item[1] | 1u << item[2] | 1u << item[3], 15);
		count[item[0] | item[1] << 2 | item[2] << 4 | item[3] << 6]++;
	}
	for (int i = 0; i < 256; i++)
		if (count[i]) {
			kinds++;
			near(count[i], DRAWS / 24.0, sqrt(DRAWS / 24.0));
		}
	assert_int_equal(kinds, 24);
	rng_shuffle(&rng, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rng_philox_gives_the_known_answers),
		cmocka_unit_test(rng_philox_blocks_are_those_of_one_by_one),
		cmocka_unit_test(rng_of_seed_zero_starts_with_the_known_block),
		cmocka_unit_test(rng_carries_into_the_upper_counter_word),
		cmocka_unit_test(rng_copy_is_a_snapshot),
		cmocka_unit_test(rng_streams_are_independent),
		cmocka_unit_test(rng_uniform_is_flat_and_never_an_end),
		cmocka_unit_test(rng_normal_has_the_moments_and_tails_of_theory),
		cmocka_unit_test(rng_exponential_has_mean_and_deviation_one),
		cmocka_unit_test(rng_exponentials_are_those_of_one_by_one),
		cmocka_unit_test(rng_below_is_unbiased),
		cmocka_unit_test(rng_shuffle_gives_each_permutation_alike),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
