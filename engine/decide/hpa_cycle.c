/* See hpa_cycle.h. */
#include "decide/hpa_cycle.h"

HpaVerdict hpa_combine(const HpaVote *vote, size_t n, int32_t spec)
{
	int32_t best = 0;
	size_t failed = 0;
	HpaReason first_error = HPA_NONE;
	for (size_t i = 0; i < n; i++) {
		if (vote[i].error) {
			if (!failed++)
				first_error = vote[i].error;
		} else if (!best || vote[i].replicas > best) {
			best = vote[i].replicas; /* a 0 gives way to any, a negative one too: so does the reference's */
		}
	}
	if (failed == n || (failed && best < spec))
		return (HpaVerdict) { .has_error = true, .scaling_active = first_error };
	return (HpaVerdict) {
		.acts = true,
		.has_error = failed > 0,
		.replicas = best,
		.scaling_active = HPA_VALID_METRIC_FOUND,
	};
}

/* What the metrics lead to, when no gate has the say. */
static int by_metrics(HpaState *state, const HpaSettings *settings, int64_t now_ms, int32_t spec, const HpaVote *vote,
                      size_t n, HpaOutcome *outcome)
{
	HpaVerdict verdict = hpa_combine(vote, n, spec);
	state->scaling_active = verdict.scaling_active;
	outcome->has_error = verdict.has_error;
	if (!verdict.acts)
		return 0;
	HpaNormalised normalised;
	int32_t proposal = verdict.replicas > 0 ? verdict.replicas : 0;
	int code = hpa_normalise(settings, &state->history, now_ms, spec, proposal, &normalised);
	if (code)
		return code;
	state->able_to_scale = normalised.able_to_scale;
	state->scaling_limited = normalised.scaling_limited;
	outcome->replicas = normalised.replicas;
	return 0;
}

int hpa_cycle(HpaState *state, const HpaSettings *settings, int64_t now_ms, int32_t spec, const HpaVote *vote, size_t n,
              HpaOutcome *ret)
{
	HpaOutcome outcome = { .replicas = spec };
	int code = 0;
	state->able_to_scale = HPA_SUCCEEDED_GET_SCALE;
	if (!state->history.recommendations.len) /* so that a restart does not scale down for one window */
		code = hpa_log_add(&state->history.recommendations, now_ms, spec, 0);
	if (code)
		return code;
	if (!spec && settings->min)
		state->scaling_active = HPA_SCALING_DISABLED;
	else if (spec > settings->max)
		outcome.replicas = settings->max;
	else if (spec < settings->min)
		outcome.replicas = settings->min;
	else
		code = by_metrics(state, settings, now_ms, spec, vote, n, &outcome);
	if (code)
		return code;
	outcome.writes = outcome.replicas != spec;
	*ret = outcome;
	return 0;
}

int hpa_cycle_written(HpaState *state, const HpaSettings *settings, int64_t now_ms, int32_t from, int32_t to,
                      bool has_succeeded)
{
	state->able_to_scale = has_succeeded ? HPA_SUCCEEDED_RESCALE : HPA_FAILED_UPDATE_SCALE;
	return has_succeeded ? hpa_record_change(settings, &state->history, now_ms, from, to) : 0;
}
