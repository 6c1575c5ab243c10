/* The ring of the last lines: whatever their lengths, what is there is whole, in order, and the newest. */
#include "base/mem.h"
#include "base/rng.h"
#include "serve/line_ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Line i: its number, then as many letters as its number gives. */
static size_t length_of(int64_t i, size_t most)
{
	return (size_t) (i * 2654435761 % (int64_t) most);
}

static void fill(char *text, int64_t i, size_t most)
{
	int n = sprintf(text, "%lld ", (long long) i);
	size_t len = length_of(i, most);
	memset(text + n, 'a' + (int) (i % 26), len);
	text[(size_t) n + len] = '\0';
}

static void check(const LineRing *ring, int64_t newest, size_t most, char *want)
{
	for (size_t i = 0; i < ring->n; i++) {
		int64_t wall_ms, number = newest - (int64_t) (ring->n - 1 - i);
		const char *text = line_ring_at(ring, i, &wall_ms);
		assert_int_equal(wall_ms, number);
		fill(want, number, most);
		assert_string_equal(text, want);
	}
}

static void the_newest_lines_are_whole_and_in_order(void **state)
{
	static const size_t mosts[] = { 8, 3000, 200000, RING_BYTES / 2 };
	LineRing *ring = calloc(1, sizeof *ring);
	char *text = malloc(RING_BYTES), *want = malloc(RING_BYTES);
	(void) state;
	for (size_t m = 0; m < sizeof mosts / sizeof *mosts; m++) {
		int64_t n = mosts[m] < 100 ? 3 * RING_LINES : (int64_t) (8 * RING_BYTES / mosts[m]) + 20;
		assert_int_equal(line_ring_init(ring), 0);
		for (int64_t i = 0; i < n; i++) {
			fill(text, i, mosts[m]);
			line_ring_add(ring, i, text);
			if (i % 97 == 0 || mosts[m] > 100000)
				check(ring, i, mosts[m], want);
		}
		check(ring, n - 1, mosts[m], want);
		assert_true(ring->n >= (mosts[m] < 100 ? (size_t) RING_LINES : 1));
		line_ring_done(ring);
	}
	free(ring);
	free(text);
	free(want);
}

static void a_line_that_is_too_long_is_dropped(void **state)
{
	LineRing *ring = calloc(1, sizeof *ring);
	char *text = malloc(RING_BYTES + 1);
	int64_t wall_ms;
	(void) state;
	assert_int_equal(line_ring_init(ring), 0);
	line_ring_add(ring, 1, "one");
	memset(text, 'x', RING_BYTES);
	text[RING_BYTES] = '\0';
	line_ring_add(ring, 2, text);
	assert_int_equal(ring->n, 1);
	assert_string_equal(line_ring_at(ring, 0, &wall_ms), "one");
	line_ring_done(ring);
	free(ring);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_newest_lines_are_whole_and_in_order),
		cmocka_unit_test(a_line_that_is_too_long_is_dropped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
