/*
 * See rails.h. A rail is a function from a number to a number; the table at the end holds their order, which is the
 * specification's. Numbers are int64_t inside, so that no sum can overflow.
 */
#include "decide/rails.h"

#include "decide/actions.h"

#include <math.h>
#include <string.h>

static const int64_t RATE_MS = 15000, HOUR_MS = 3600000, LOAD_MS = 600000;
static const int64_t RATE_PODS = 4;     /* the HPA's default scale-up policies (A.1) */
static const double GROWTH = 1.05;      /* of the load since the last up: less is noise */
static const int64_t IN_FLIGHT = 2;     /* times the ready pods */

void rails_config_default(RailsConfig *config)
{
	*config = (RailsConfig) {
		.stabilise_ms = 300000,
		.cooldown_up_ms = 60000,
		.cooldown_down_ms = 60000,
		.cpu_ratio_max = .9,
		.flap_reversals = 6,
		.flap_window_ms = 1800000,
		.changes_per_hour = 60,
	};
}

/* ---- what is remembered ---- */

static void window_add(RailsWindow *window, int64_t now_ms, double value, int64_t keep_ms)
{
	int32_t gone = 0;
	while (gone < window->n && now_ms - window->at_ms[gone] > keep_ms)
		gone++;
	while (window->n > gone && window->value[window->n - 1] <= value)
		window->n--;
	if (window->n - gone == RAILS_PEAKS) { /* the two oldest become one that is neither smaller nor older than either */
		window->value[gone + 1] = window->value[gone];
		gone++;
	}
	window->n -= gone;
	memmove(window->at_ms, window->at_ms + gone, (size_t) window->n * sizeof *window->at_ms);
	memmove(window->value, window->value + gone, (size_t) window->n * sizeof *window->value);
	window->at_ms[window->n] = now_ms;
	window->value[window->n++] = value;
}

/* The largest that is not older than keep_ms, or otherwise. */
static double window_max(const RailsWindow *window, int64_t now_ms, int64_t keep_ms, double otherwise)
{
	for (int32_t i = 0; i < window->n; i++)
		if (now_ms - window->at_ms[i] <= keep_ms)
			return fmax(window->value[i], otherwise);
	return otherwise;
}

/* Change i, counted back from the newest. */
static const RailsChange *change_at(const RailsHistory *history, int32_t i)
{
	return &history->change[(history->newest - i + RAILS_CHANGES) % RAILS_CHANGES];
}

static bool has_changed_within(const RailsHistory *history, int64_t now_ms, int64_t window_ms, int sign)
{
	for (int32_t i = 0; i < history->n_changes; i++) {
		const RailsChange *change = change_at(history, i);
		if (now_ms - change->at_ms >= window_ms)
			return false;
		if ((change->delta > 0) == (sign > 0))
			return true;
	}
	return false;
}

/* Changes of direction among the changes younger than window_ms. */
static int32_t reversals(const RailsHistory *history, int64_t now_ms, int64_t window_ms)
{
	int32_t count = 0;
	for (int32_t i = 0; i + 1 < history->n_changes; i++) {
		if (now_ms - change_at(history, i)->at_ms > window_ms)
			break;
		count += (change_at(history, i)->delta > 0) != (change_at(history, i + 1)->delta > 0);
	}
	return count;
}

void rails_history_init(RailsHistory *history, int64_t now_ms, int32_t current)
{
	*history = (RailsHistory) { .rps_now = NAN, .rps_at_up = NAN };
	window_add(&history->wishes, now_ms, current, 0);
}

void rails_note_wish(RailsHistory *history, const RailsConfig *config, int64_t now_ms, int32_t current)
{
	window_add(&history->wishes, now_ms, current, config->stabilise_ms);
}

void rails_note_past(RailsHistory *history, const Sample *sample, int64_t at_ms)
{
	history->rps_now = sample->valid & SAMPLE_RPS ? sample->rps : (double) NAN;
	if (sample->valid & SAMPLE_RPS)
		window_add(&history->load, at_ms, sample->rps, LOAD_MS);
}

void rails_note_cycle(RailsHistory *history, const RailsInput *in)
{
	const Sample *sample = in->sample;
	window_add(&history->wishes, in->now_ms, in->raw, in->config->stabilise_ms);
	rails_note_past(history, sample, in->now_ms);
	if (sample->ready > 0)
		history->ups_without_ready = 0;
}

bool rails_note_change(RailsHistory *history, const RailsConfig *config, int64_t now_ms, int32_t from, int32_t to)
{
	if (from == to)
		return false;
	history->newest = (history->newest + 1) % RAILS_CHANGES;
	history->change[history->newest] = (RailsChange) { now_ms, to - from };
	history->n_changes += history->n_changes < RAILS_CHANGES;
	if (to > from) {
		history->rps_at_up = history->rps_now;
		history->ups_without_ready++;
	}
	if (now_ms < history->flap_until_ms || reversals(history, now_ms, config->flap_window_ms) <= config->flap_reversals)
		return false;
	history->flap_until_ms = now_ms + config->flap_window_ms;
	return true;
}

/* ---- the rails ---- */

static bool is_known(const RailsInput *in, uint32_t bit)
{
	return in->sample->valid & bit;
}

static int64_t mask(const RailsInput *in, int64_t n)
{
	bool is_past_bound = (n > in->current && in->current == in->target->max_replicas) ||
	                     (n < in->current && in->current == in->target->min_replicas);
	return is_past_bound ? in->current : n;
}

/* One pod for the three-action policies; for others what the HPA's default rates allow (A.5, path B). */
static int64_t step(const RailsInput *in, int64_t n)
{
	if (in->is_three_action)
		return n > in->current ? in->current + 1 : n < in->current ? in->current - 1 : n;
	int64_t start = in->current; /* of the rate's period */
	for (int32_t i = 0; i < in->history->n_changes && in->now_ms - change_at(in->history, i)->at_ms < RATE_MS; i++)
		start -= change_at(in->history, i)->delta;
	int64_t most = start + RATE_PODS > 2 * start ? start + RATE_PODS : 2 * start;
	if (most < in->current)
		most = in->current;
	return n > most ? most : n;
}

static int64_t latency_veto(const RailsInput *in, int64_t n)
{
	double soft = (double) in->target->latency_soft_ms;
	bool is_idle = is_known(in, SAMPLE_RPS) && in->sample->rps <= 0;
	bool is_slow = is_known(in, SAMPLE_LATENCY) ? soft > 0 && in->sample->latency_ms > soft : !is_idle;
	return n < in->current && is_slow ? in->current : n;
}

static bool can_carry(const RailsInput *in, int64_t n)
{
	const Sample *sample = in->sample;
	double soft = (double) in->target->latency_soft_ms, request = sample->cpu_request_cores;
	if (request > 0 && (n < 1 || sample->cpu_cores / ((double) n * request) > in->config->cpu_ratio_max))
		return false;
	if (!in->p95_ms || soft <= 0 || !is_known(in, SAMPLE_RPS))
		return true;
	double load = window_max(&in->history->load, in->now_ms, LOAD_MS, sample->rps);
	return !(in->p95_ms(in->p95_arg, (int32_t) n, load) > soft);
}

/* The fewest pods from the wish on that can carry the load. */
static int64_t capacity_veto(const RailsInput *in, int64_t n)
{
	if (n < in->current && !is_known(in, SAMPLE_CPU))
		return in->current;
	int64_t enough = n < 0 ? 0 : n;
	while (enough < in->current && !can_carry(in, enough))
		enough++;
	return enough > 0 ? enough : n;
}

static bool is_growing(const RailsInput *in)
{
	const RailsHistory *history = in->history;
	double since = isfinite(history->rps_at_up) ? history->rps_at_up : history->rps_now;
	return is_known(in, SAMPLE_RPS) && in->sample->rps > GROWTH * since;
}

/* Pods that were asked for come first: more of them only against a breach or growing load, and never many at once. */
static int64_t pipeline(const RailsInput *in, int64_t n)
{
	double hard = (double) in->target->latency_hard_ms;
	int64_t ready = in->sample->ready, current = in->current;
	if (n <= current)
		return n;
	bool is_urgent = (hard > 0 && is_known(in, SAMPLE_LATENCY) && in->sample->latency_ms > hard) || is_growing(in);
	if (ready < current && !is_urgent)
		return current;
	/* all pods gone is no reason to wait for them, but none to ask again and again either */
	int64_t most = ready > 0 ? ready + IN_FLIGHT * ready : in->history->ups_without_ready ? current : current + 1;
	return n <= most ? n : most > current ? most : current;
}

static int64_t stabilise(const RailsInput *in, int64_t n)
{
	if (n >= in->current || in->config->stabilise_ms <= 0)
		return n;
	double most = window_max(&in->history->wishes, in->now_ms, in->config->stabilise_ms, (double) in->raw);
	return most >= in->current ? in->current : most > (double) n ? (int64_t) most : n;
}

static int64_t cooldown(const RailsInput *in, int64_t n)
{
	const RailsConfig *config = in->config;
	bool is_hot = has_changed_within(in->history, in->now_ms, config->cooldown_up_ms, 1) ||
	              has_changed_within(in->history, in->now_ms, config->cooldown_down_ms, -1);
	return n < in->current && is_hot ? in->current : n;
}

static int64_t flap_guard(const RailsInput *in, int64_t n)
{
	return n < in->current && in->now_ms < in->history->flap_until_ms ? in->current : n;
}

static int64_t budget(const RailsInput *in, int64_t n)
{
	int32_t most = in->config->changes_per_hour < RAILS_CHANGES ? in->config->changes_per_hour : RAILS_CHANGES;
	bool is_spent = most < 1 || (in->history->n_changes >= most &&
	                             in->now_ms - change_at(in->history, most - 1)->at_ms < HOUR_MS);
	return is_spent ? in->current : n;
}

static int64_t predictions(const RailsInput *in, int64_t n)
{
	bool agrees = in->hpa >= 0 && in->hpa < in->current;
	bool adds_only = in->config->predictions_add_only || in->now_ms < in->config->adds_only_until_ms;
	return n < in->current && adds_only && !agrees ? in->current : n;
}

static int64_t fallback(const RailsInput *in, int64_t n)
{
	return n < in->current && in->is_fallback && !in->config->fallback_may_lower ? in->current : n;
}

static int64_t scale_in_pause(const RailsInput *in, int64_t n)
{
	return n < in->current && in->is_scale_in_paused ? in->current : n;
}

static int64_t at_least_min(const RailsInput *in, int64_t n)
{
	int32_t min = in->target->min_replicas;
	return n < min || in->current < min ? min : n;
}

static int64_t at_most_max(const RailsInput *in, int64_t n)
{
	int32_t max = in->target->max_replicas;
	return n > max || in->current > max ? max : n;
}

static int64_t dry_run(const RailsInput *in, int64_t n)
{
	return in->config->is_dry_run ? in->current : n;
}

/* In the order of CONTROL B.3. */
static const struct {
	Guard guard;
	int64_t (*pass)(const RailsInput *in, int64_t n);
} RAILS[] = {
	{ GUARD_MASKED, mask },
	{ GUARD_STEP_LIMIT, step },
	{ GUARD_LATENCY_VETO, latency_veto },
	{ GUARD_CAPACITY_VETO, capacity_veto },
	{ GUARD_PIPELINE_VETO, pipeline },
	{ GUARD_STABILISED, stabilise },
	{ GUARD_COOLDOWN, cooldown },
	{ GUARD_FLAP_GUARD, flap_guard },
	{ GUARD_BUDGET, budget },
	{ GUARD_PREDICT_ADDS_ONLY, predictions },
	{ GUARD_FALLBACK_UP_ONLY, fallback },
	{ GUARD_SCALE_IN_PAUSED, scale_in_pause },
	{ GUARD_CLAMPED_MIN, at_least_min },
	{ GUARD_CLAMPED_MAX, at_most_max },
	{ GUARD_DRY_RUN, dry_run },
};
static const uint32_t ALWAYS_ON = RAIL(CLAMPED_MIN) | RAIL(CLAMPED_MAX) | RAIL(DRY_RUN);

void rails_apply(const RailsInput *in, RailsOutcome *ret)
{
	int64_t n = in->raw;
	uint32_t off = in->config->off & ~ALWAYS_ON;
	if (in->current < in->target->min_replicas || in->current > in->target->max_replicas)
		off = ~ALWAYS_ON; /* somebody set it outside: to the bound at once */
	*ret = (RailsOutcome) { .desired = in->current };
	for (size_t i = 0; i < sizeof RAILS / sizeof *RAILS; i++) {
		if (off & 1u << RAILS[i].guard)
			continue;
		int64_t after = RAILS[i].pass(in, n);
		if (RAILS[i].guard != GUARD_DRY_RUN)
			ret->desired = (int32_t) after;
		if (after == n)
			continue;
		ret->guards |= 1u << RAILS[i].guard;
		ret->step[ret->n_steps++] = (RailsStep) { RAILS[i].guard, (int32_t) n, (int32_t) after };
		n = after;
	}
	ret->written = (int32_t) n;
}

uint32_t rails_mask(const RailsInput *in, ActionSet actions)
{
	uint32_t mask = actions_mask(actions, in->current, INT32_MIN, INT32_MAX);
	for (int32_t a = 0; a < actions_count(actions); a++) {
		RailsInput step = *in;
		RailsOutcome outcome;
		step.raw = actions_wish(actions, a, in->current);
		if (step.raw == in->current || !(mask >> a & 1u))
			continue;
		rails_apply(&step, &outcome);
		if (outcome.desired != step.raw)
			mask &= ~(1u << a);
	}
	return mask;
}
