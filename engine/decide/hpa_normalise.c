/* See hpa_normalise.h. */
#include "decide/hpa_normalise.h"

#include "base/err.h"
#include "decide/saturate.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum { FREE_REPLICAS = 4 }; /* path N may always go up to here, and else to twice the present number */

static const HpaRate DEFAULT_UP[] = { { HPA_RATE_PODS, 4, 15000 }, { HPA_RATE_PERCENT, 100, 15000 } };
static const HpaRate DEFAULT_DOWN[] = { { HPA_RATE_PERCENT, 100, 15000 } };

const char *hpa_reason_text(HpaReason reason)
{
#define WORD(name, text) text,
	static const char *const texts[] = { HPA_REASON_TABLE(WORD) };
#undef WORD
	return (size_t) reason < HPA_REASON_COUNT ? texts[reason] : "?";
}

static int32_t lesser(int32_t a, int32_t b)
{
	return a < b ? a : b;
}

static int32_t greater(int32_t a, int32_t b)
{
	return a > b ? a : b;
}

/* ---- logs ---- */

int hpa_log_reserve(HpaLog *log, size_t n)
{
	if (n <= log->size)
		return 0;
	HpaMark *mark = reallocarray(log->mark, n, sizeof *mark);
	if (!mark)
		return ERR_NOMEM;
	log->mark = mark;
	log->size = n;
	return 0;
}

int hpa_log_add(HpaLog *log, int64_t now_ms, int32_t value, int64_t keep_ms)
{
	size_t at = log->len;
	for (size_t i = 0; i < log->len; i++)
		if (sat_sub(now_ms, log->mark[i].at_ms) > keep_ms)
			at = i;
	if (at == log->size && hpa_log_reserve(log, log->size ? 2 * log->size : 16))
		return ERR_NOMEM;
	log->mark[at] = (HpaMark) { now_ms, value };
	if (at == log->len)
		log->len++;
	return 0;
}

static void log_done(HpaLog *log)
{
	free(log->mark);
	*log = (HpaLog) { 0 };
}

void hpa_history_done(HpaHistory *history)
{
	log_done(&history->recommendations);
	log_done(&history->ups);
	log_done(&history->downs);
}

void hpa_behavior_default(HpaBehavior *behavior, int64_t downscale_window_ms)
{
	*behavior = (HpaBehavior) {
		.up = { 0, HPA_SELECT_MAX, DEFAULT_UP, sizeof DEFAULT_UP / sizeof *DEFAULT_UP },
		.down = { downscale_window_ms, HPA_SELECT_MAX, DEFAULT_DOWN, sizeof DEFAULT_DOWN / sizeof *DEFAULT_DOWN },
	};
}

/* ---- path N: no behavior ---- */

static int32_t largest_of_window(const HpaLog *log, int64_t now_ms, int64_t window_ms, int32_t proposal)
{
	int32_t largest = proposal;
	for (size_t i = 0; i < log->len; i++)
		if (sat_sub(now_ms, log->mark[i].at_ms) <= window_ms)
			largest = greater(largest, log->mark[i].value);
	return largest;
}

static void bound(const HpaSettings *settings, int32_t current, HpaNormalised *n)
{
	int32_t limit = greater(sat_i32(2 * (int64_t) current), FREE_REPLICAS);
	n->replicas = n->stabilised;
	n->scaling_limited = HPA_DESIRED_WITHIN_RANGE;
	if (n->stabilised < settings->min) {
		n->replicas = settings->min;
		n->scaling_limited = HPA_TOO_FEW_REPLICAS;
	} else if (n->stabilised > lesser(limit, settings->max)) {
		n->replicas = lesser(limit, settings->max);
		n->scaling_limited = settings->max > limit ? HPA_SCALE_UP_LIMIT : HPA_TOO_MANY_REPLICAS;
	}
}

/* ---- path B: a behavior ---- */

/* The present number, moved into what both windows allow: at least the smallest of the up window, then at most the
 * largest of the down window. */
static int32_t move_into_windows(const HpaBehavior *behavior, const HpaLog *log, int64_t now_ms, int32_t current,
                                 int32_t proposal)
{
	int32_t up = proposal, down = proposal;
	for (size_t i = 0; i < log->len; i++) {
		int64_t age_ms = sat_sub(now_ms, log->mark[i].at_ms);
		if (age_ms < behavior->up.window_ms)
			up = lesser(up, log->mark[i].value);
		if (age_ms < behavior->down.window_ms)
			down = greater(down, log->mark[i].value);
	}
	return lesser(greater(current, up), down);
}

static int64_t change_in(const HpaLog *events, int64_t now_ms, int64_t period_ms)
{
	int64_t change = 0;
	for (size_t i = 0; i < events->len; i++)
		if (sat_sub(now_ms, events->mark[i].at_ms) < period_ms)
			change = sat_add(change, events->mark[i].value);
	return change;
}

/* Where one rate lets a direction go from the number at its period's start. Up is rounded up, so that a small
 * percentage of one pod is still a pod. */
static int32_t reach(const HpaRate *rate, int32_t start, bool is_up)
{
	double share = rate->value / 100.0;
	if (rate->type == HPA_RATE_PODS)
		return sat_i32(is_up ? (int64_t) start + rate->value : (int64_t) start - rate->value);
	return sat_i32_of(is_up ? ceil(start * (1.0 + share)) : start * (1.0 - share));
}

static int32_t rate_limit(const HpaDirection *direction, const HpaHistory *history, int64_t now_ms, int32_t current,
                          bool is_up)
{
	if (direction->select == HPA_SELECT_DISABLED)
		return current;
	bool takes_highest = is_up == (direction->select == HPA_SELECT_MAX);
	int32_t limit = takes_highest ? INT32_MIN : INT32_MAX;
	for (size_t i = 0; i < direction->n_rates; i++) {
		const HpaRate *rate = &direction->rate[i];
		int64_t added = change_in(&history->ups, now_ms, rate->period_ms);
		int64_t removed = change_in(&history->downs, now_ms, rate->period_ms);
		int32_t start = sat_i32(sat_add(sat_sub(current, added), removed));
		int32_t end = reach(rate, start, is_up);
		limit = takes_highest ? greater(limit, end) : lesser(limit, end);
	}
	return is_up ? greater(limit, current) : lesser(limit, current); /* never the other way */
}

static void bound_by_rate(const HpaSettings *settings, const HpaHistory *history, int64_t now_ms, int32_t current,
                          HpaNormalised *n)
{
	n->replicas = n->stabilised;
	n->scaling_limited = HPA_DESIRED_WITHIN_RANGE;
	if (n->stabilised > current) {
		int32_t limit = rate_limit(&settings->behavior->up, history, now_ms, current, true);
		int32_t allowed = lesser(settings->max, limit);
		if (n->stabilised > allowed) {
			n->replicas = allowed;
			n->scaling_limited = settings->max > limit ? HPA_SCALE_UP_LIMIT : HPA_TOO_MANY_REPLICAS;
		}
	} else if (n->stabilised < current) {
		int32_t limit = rate_limit(&settings->behavior->down, history, now_ms, current, false);
		int32_t allowed = greater(settings->min, limit);
		if (n->stabilised < allowed) {
			n->replicas = allowed;
			n->scaling_limited = settings->min < limit ? HPA_SCALE_DOWN_LIMIT : HPA_TOO_FEW_REPLICAS;
		}
	}
}

static int64_t longest_period(const HpaDirection *direction)
{
	int64_t longest_ms = 0;
	for (size_t i = 0; i < direction->n_rates; i++)
		if (direction->rate[i].period_ms > longest_ms)
			longest_ms = direction->rate[i].period_ms;
	return longest_ms;
}

/* ---- both ---- */

int hpa_normalise(const HpaSettings *settings, HpaHistory *history, int64_t now_ms, int32_t current, int32_t proposal,
                  HpaNormalised *ret)
{
	const HpaBehavior *behavior = settings->behavior;
	HpaLog *log = &history->recommendations;
	HpaNormalised n = { .able_to_scale = HPA_READY_FOR_NEW_SCALE };
	int64_t keep_ms = settings->downscale_window_ms;
	if (behavior) {
		keep_ms = behavior->up.window_ms > behavior->down.window_ms ? behavior->up.window_ms
		                                                            : behavior->down.window_ms;
		n.stabilised = move_into_windows(behavior, log, now_ms, current, proposal);
		bound_by_rate(settings, history, now_ms, current, &n);
	} else {
		n.stabilised = largest_of_window(log, now_ms, keep_ms, proposal);
		bound(settings, current, &n);
	}
	if (n.stabilised != proposal)
		n.able_to_scale = behavior && proposal >= current ? HPA_SCALE_UP_STABILIZED : HPA_SCALE_DOWN_STABILIZED;
	int code = hpa_log_add(log, now_ms, proposal, keep_ms);
	if (!code)
		*ret = n;
	return code;
}

int hpa_record_change(const HpaSettings *settings, HpaHistory *history, int64_t now_ms, int32_t from, int32_t to)
{
	if (!settings->behavior)
		return 0;
	if (to > from)
		return hpa_log_add(&history->ups, now_ms, sat_i32((int64_t) to - from), longest_period(&settings->behavior->up));
	return hpa_log_add(&history->downs, now_ms, sat_i32((int64_t) from - to),
	                   longest_period(&settings->behavior->down));
}
