/*
 * Every target of tests/fuzz a little, always the same: its good input, cut at every 512th byte and near its ends, with changed
 * bytes, random bytes alone and behind the good input's first ones. What counts is that each answer is 0 or an error with a text;
 * the sanitizers watch the memory. With a folder as its argument it writes the good inputs there, for libFuzzer to start from.
 */
#include "fuzz/fuzz.h"
#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { CHANGED = 300, NOISE = 60, NOISE_BYTES = 2000, CUT = 512 };

typedef struct Target {
	const char *name;
	void (*fuzz)(const char *bytes, size_t len);
	void (*seed)(StrBuf *to);
} Target;

#define TARGET_ROW(name) { #name, fuzz_##name, seed_##name },
static const Target TARGETS[] = { FUZZ_TARGETS(TARGET_ROW) };
enum { COUNT = sizeof TARGETS / sizeof *TARGETS };

/* In memory of exactly that size, so that a read behind the end is seen. */
static void try(const Target *target, const char *bytes, size_t len)
{
	char *copy = malloc(len ? len : 1);
	assert_non_null(copy);
	memcpy(copy, bytes, len);
	target->fuzz(copy, len);
	free(copy);
}

static void try_cuts(const Target *target, const StrBuf *good)
{
	for (size_t len = 0; len < good->len; len += CUT)
		try(target, good->data, len);
	for (size_t k = 0; k < 64 && k < good->len; k++) {
		try(target, good->data, k);
		try(target, good->data, good->len - 1 - k);
	}
}

static void try_changed(const Target *target, StrBuf *good, Rng *rng)
{
	for (int round = 0; round < CHANGED; round++) {
		size_t at[3];
		char before[3];
		for (int k = 0; k < 3; k++) {
			/* half of them among the first bytes, where lengths and headers are */
			uint32_t reach = (uint32_t) (round % 2 && good->len > 400 ? 400 : good->len);
			at[k] = rng_below(rng, reach);
			before[k] = good->data[at[k]];
			good->data[at[k]] = (char) rng_u32(rng);
		}
		try(target, good->data, good->len);
		for (int k = 2; k >= 0; k--)
			good->data[at[k]] = before[k];
	}
}

static void try_noise(const Target *target, const StrBuf *good, Rng *rng)
{
	char noise[NOISE_BYTES];
	for (int round = 0; round < NOISE; round++) {
		size_t head = round % 3 == 0 ? 0 : rng_below(rng, 64);
		for (size_t i = 0; i < sizeof noise; i++)
			noise[i] = (char) rng_u32(rng);
		memcpy(noise, good->data, head < good->len ? head : good->len);
		try(target, noise, rng_below(rng, NOISE_BYTES + 1));
	}
}

static void any_bytes_are_read_or_refused(void **state)
{
	(void) state;
	for (int i = 0; i < COUNT; i++) {
		StrBuf good = { 0 };
		Rng rng;
		rng_init(&rng, 5, (uint32_t) i, RNG_EVAL);
		TARGETS[i].seed(&good);
		assert_true(good.len > 0 && !good.failed);
		try(&TARGETS[i], good.data, good.len);
		try_cuts(&TARGETS[i], &good);
		try_changed(&TARGETS[i], &good, &rng);
		try_noise(&TARGETS[i], &good, &rng);
		strbuf_done(&good);
	}
}

static int write_seeds(const char *folder)
{
	for (int i = 0; i < COUNT; i++) {
		char path[512];
		StrBuf good = { 0 };
		TARGETS[i].seed(&good);
		(void) snprintf(path, sizeof path, "%.400s/%s.seed", folder, TARGETS[i].name);
		if (mem_write_file(path, good.data, good.len, NULL))
			return 1;
		strbuf_done(&good);
		puts(TARGETS[i].name);
	}
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(any_bytes_are_read_or_refused) };
	return argc > 1 ? write_seeds(argv[1]) : cmocka_run_group_tests(tests, NULL, NULL);
}
