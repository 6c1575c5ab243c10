/* When the console takes data and draws: the scheduling of tui/pace.h, over made-up times. */
#include "tui/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { TICK = 500, START = 1000000 };

/* Takes the step that is due at a moment; true: it drew. */
static bool step_at(Pace *pace, int64_t now_ms, PaceStep *ret)
{
	*ret = pace_step(pace, now_ms, TICK);
	if (ret->draws)
		pace_drawn(pace, ret, now_ms);
	return ret->draws;
}

/* A pace whose data were taken at a moment, and that is at rest. */
static Pace at_rest(int64_t data_ms)
{
	return (Pace) { .data_ms = data_ms };
}

static void what_a_key_changed_is_drawn_at_once(void **state)
{
	(void) state;
	PaceStep step;
	Pace pace = at_rest(START);
	assert_false(step_at(&pace, START + 200, &step));
	assert_int_equal(step.wait_ms, 300);
	pace.is_asked = true;
	assert_true(step_at(&pace, START + 200, &step));
	assert_false(step.takes_data);
	assert_false(pace.is_asked);
}

static void data_keep_away_from_a_keys_frame(void **state)
{
	(void) state;
	for (int64_t key = TICK - PACE_QUIET_MS + 1; key < TICK; key++) { /* any moment shortly before the tick */
		PaceStep step;
		Pace pace = at_rest(START);
		pace.is_asked = true;
		assert_true(step_at(&pace, START + key, &step));
		assert_false(step.takes_data);
		for (int64_t now = START + key + 1; now < START + key + PACE_QUIET_MS; now++) {
			assert_false(step_at(&pace, now, &step));
			assert_int_equal(now + step.wait_ms, START + key + PACE_QUIET_MS); /* and is woken for them then */
		}
		assert_true(step_at(&pace, START + key + PACE_QUIET_MS, &step));
		assert_true(step.takes_data);
	}
}

static void a_keys_frame_takes_the_data_that_are_due(void **state)
{
	(void) state;
	PaceStep step;
	Pace pace = at_rest(START);
	pace.is_asked = true;
	assert_true(step_at(&pace, START + 480, &step));
	pace.is_asked = true;
	assert_true(step_at(&pace, START + 510, &step));
	assert_true(step.takes_data);
	assert_int_equal(pace.data_ms, START + 510);
	assert_false(step_at(&pace, START + 520, &step)); /* once */
}

static void held_keys_starve_no_data_and_get_ten_frames_a_second(void **state)
{
	(void) state;
	Pace pace = at_rest(START);
	PaceStep step;
	int frames = 0, data = 0;
	int64_t taken = START, longest = 0;
	for (int64_t now = START; now < START + 60000; now++) {
		pace.is_asked |= (now - START) % 33 == 0;
		if (!step_at(&pace, now, &step))
			continue;
		frames++;
		data += step.takes_data;
		longest = step.takes_data && now - taken > longest ? now - taken : longest;
		taken = step.takes_data ? now : taken;
	}
	assert_in_range(frames, 590, 600 + PACE_BURST);
	assert_in_range(data, 100, 120);
	assert_in_range(longest, TICK, TICK + PACE_FRAME_MS);
}

/* However many answers and ticks were drawn: a key after them waits for nothing. */
static void frames_of_data_cost_a_key_nothing(void **state)
{
	(void) state;
	PaceStep step;
	Pace pace = at_rest(START);
	for (int i = 1; i <= 20; i++) {
		pace.is_awaited = true;
		assert_true(step_at(&pace, START + i, &step));
	}
	pace.is_asked = true;
	assert_true(step_at(&pace, START + 21, &step));
}

/* Frames that are not the keys', such as one each 50 ms, cannot put data off for good. */
static void data_are_late_by_a_bounded_time(void **state)
{
	(void) state;
	PaceStep step;
	Pace pace = at_rest(START);
	for (int64_t now = START; now < START + 10000; now++) {
		pace.asked_ms = now - 10;
		(void) step_at(&pace, now, &step);
		assert_true(now - pace.data_ms <= TICK + PACE_LATE_MS);
	}
}

static void an_awaited_answer_waits_for_no_tick(void **state)
{
	(void) state;
	PaceStep step;
	Pace pace = at_rest(START);
	pace.is_asked = true;
	assert_true(step_at(&pace, START + 100, &step));
	pace.is_awaited = true;
	assert_true(step_at(&pace, START + 103, &step));
	assert_true(step.takes_data);
	assert_false(step_at(&pace, START + 104, &step));
}

static void the_first_frame_has_data_and_waits_for_nothing(void **state)
{
	(void) state;
	PaceStep step;
	Pace pace = { .is_asked = true };
	assert_true(step_at(&pace, START, &step));
	assert_true(step.takes_data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_key_changed_is_drawn_at_once),
		cmocka_unit_test(data_keep_away_from_a_keys_frame),
		cmocka_unit_test(a_keys_frame_takes_the_data_that_are_due),
		cmocka_unit_test(held_keys_starve_no_data_and_get_ten_frames_a_second),
		cmocka_unit_test(frames_of_data_cost_a_key_nothing),
		cmocka_unit_test(data_are_late_by_a_bounded_time),
		cmocka_unit_test(an_awaited_answer_waits_for_no_tick),
		cmocka_unit_test(the_first_frame_has_data_and_waits_for_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
