/* The three clocks. Nothing here waits for real time to pass: bounds hold however slow the machine is. */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

static void clock_fake_moves_by_waits_alone(void **state)
{
	(void) state;
	Clock clock;
	clock_init_fake(&clock, 5000);
	assert_true(clock_mono_ms(&clock) == 5000 && clock_wall_ms(&clock) == 5000);
	assert_int_equal(clock_wait_ms(&clock, 65000), 0); /* no real time */
	assert_true(clock_mono_ms(&clock) == 65000 && clock_wall_ms(&clock) == 65000);
	assert_int_equal(clock_wait_ms(&clock, 100), 0);
	assert_true(clock_mono_ms(&clock) == 65000); /* never back */
}

static void clock_system_never_goes_back_and_knows_the_day(void **state)
{
	(void) state;
	Clock clock;
	clock_init_system(&clock);
	int64_t last = clock_mono_ms(&clock);
	for (int i = 0; i < 1000; i++) {
		int64_t now = clock_mono_ms(&clock);
		assert_true(now >= last);
		last = now;
	}
	int64_t before_s = (int64_t) time(NULL), wall_ms = clock_wall_ms(&clock), after_s = (int64_t) time(NULL);
	assert_true(wall_ms >= (before_s - 1) * 1000 && wall_ms < (after_s + 2) * 1000);
	assert_int_equal(clock_wait_ms(&clock, clock_mono_ms(&clock) - 10), 0);
	int64_t left = clock_wait_ms(&clock, last + 3600000);
	assert_true(left > 0 && left <= 3600000);
}

static void clock_scaled_runs_from_zero_at_its_speed(void **state)
{
	(void) state;
	Clock real, clock;
	clock_init_system(&real);
	int64_t before = clock_mono_ms(&real);
	clock_init_scaled(&clock, 1000.0);
	int64_t simulated = clock_mono_ms(&clock), after = clock_mono_ms(&real);
	assert_true(simulated >= 0 && simulated <= (after - before + 1) * 1000);
	int64_t wall = clock_wall_ms(&clock) - clock.wall_start_ms;
	assert_true(wall >= simulated);
	/* a thousand hours ahead is one real hour */
	int64_t left = clock_wait_ms(&clock, clock_mono_ms(&clock) + INT64_C(3600000000));
	assert_true(left > 0 && left <= 3600000);
	assert_int_equal(clock_wait_ms(&clock, 0), 0);
}

static void clock_format_is_rfc_3339_in_utc(void **state)
{
	(void) state;
	static const struct { int64_t wall_ms; const char *want; } cases[] = { /* by Python's datetime */
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ 951827696789, "2000-02-29T12:34:56.789Z" },
		{ 1000000000000, "2001-09-09T01:46:40.000Z" },
		{ 1795524046120, "2026-11-24T12:40:46.120Z" },
		{ 4102444799999, "2099-12-31T23:59:59.999Z" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[CLOCK_TEXT];
		clock_format(cases[i].wall_ms, text);
		assert_string_equal(text, cases[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clock_fake_moves_by_waits_alone),
		cmocka_unit_test(clock_system_never_goes_back_and_knows_the_day),
		cmocka_unit_test(clock_scaled_runs_from_zero_at_its_speed),
		cmocka_unit_test(clock_format_is_rfc_3339_in_utc),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
