/* See limits.h. Each rail is a few lines on one number; the order is the specification's. */
#include "decide/limits.h"

static int64_t clamp(int64_t n, int64_t lo, int64_t hi)
{
	return n < lo ? lo : n > hi ? hi : n;
}

/* Takes the rail's answer over and names the rail if that is another number. */
static int64_t rail(int64_t before, int64_t after, Guard guard, uint32_t *guards)
{
	if (after != before)
		*guards |= 1u << guard;
	return after;
}

/* No up at max, no down at min. */
static int64_t masked(int64_t n, const LimitsInput *in)
{
	bool is_past_bound = (n > in->current && in->current == in->max) || (n < in->current && in->current == in->min);
	return is_past_bound ? in->current : n;
}

int32_t limits_apply(const LimitsInput *in, uint32_t *ret_guards)
{
	const int64_t current = in->current; /* wide, so that no sum below can overflow */
	int64_t n = in->raw;
	*ret_guards = 0;
	if (current < in->min)
		return (int32_t) rail(n, in->min, GUARD_CLAMPED_MIN, ret_guards);
	if (current > in->max)
		return (int32_t) rail(n, in->max, GUARD_CLAMPED_MAX, ret_guards);
	n = rail(n, masked(n, in), GUARD_MASKED, ret_guards);
	if (in->max_step > 0)
		n = rail(n, clamp(n, current - in->max_step, current + in->max_step), GUARD_STEP_LIMIT, ret_guards);
	n = rail(n, n < in->min ? in->min : n, GUARD_CLAMPED_MIN, ret_guards);
	n = rail(n, n > in->max ? in->max : n, GUARD_CLAMPED_MAX, ret_guards);
	return (int32_t) n;
}
