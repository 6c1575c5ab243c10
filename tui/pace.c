/* See pace.h. */
#include "tui/pace.h"

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* When data may be taken: at their tick, or in the quiet behind the last key's frame, but never much after the tick. */
static int64_t data_at(const Pace *pace, int64_t now_ms, int64_t tick_ms)
{
	int64_t due = pace->data_ms + tick_ms;
	return pace->is_awaited ? now_ms : later(due, sooner(pace->asked_ms + PACE_QUIET_MS, due + PACE_LATE_MS));
}

PaceStep pace_step(const Pace *pace, int64_t now_ms, int64_t tick_ms)
{
	int64_t at = data_at(pace, now_ms, tick_ms);
	bool is_ready = pace->is_asked && pace->paid_ms <= now_ms;
	PaceStep step = { .takes_data = now_ms >= (is_ready ? sooner(at, pace->data_ms + tick_ms) : at) };
	step.draws = step.takes_data || is_ready;
	if (!step.draws)
		step.wait_ms = (pace->is_asked ? sooner(at, pace->paid_ms) : at) - now_ms;
	return step;
}

void pace_drawn(Pace *pace, const PaceStep *step, int64_t now_ms)
{
	if (pace->is_asked) { /* frames of data alone cost a key nothing */
		pace->paid_ms = later(pace->paid_ms, now_ms - PACE_BURST * PACE_FRAME_MS) + PACE_FRAME_MS;
		pace->asked_ms = now_ms;
	}
	if (step->takes_data) {
		pace->data_ms = now_ms;
		pace->is_awaited = false;
	}
	pace->is_asked = false;
}
