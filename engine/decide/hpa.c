/*
 * The HPA rule as a Policy: one cpu metric, path N, the sample's wall time as the clock.
 *
 * The policy asks and does not write, so the cycle ends before its write; what it remembers is the window of
 * recommendations. Its room is reserved here, so that deciding allocates nothing at one decision a second or fewer.
 */
#include "decide/hpa.h"

#include "decide/hpa_cycle.h"
#include "decide/hpa_metric.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct HpaPolicy {
	Policy policy;
	HpaConfig config;
	HpaState state;
} HpaPolicy;

void hpa_config_default(HpaConfig *config)
{
	*config = (HpaConfig) {
		.cpu_target_pct = 80,
		.tolerance_up = .1,
		.tolerance_down = .1,
		.cpu_init_ms = 300 * 1000,
		.ready_delay_ms = 30 * 1000,
		.downscale_window_ms = 300 * 1000,
	};
}

static HpaError propose(const HpaConfig *config, const Sample *sample, HpaProposal *ret)
{
	const HpaPodMetric metric = {
		.pods = {
			.pod = sample->pods,
			.n = sample->pods ? sample->n_pods : 0,
			.is_cpu = true,
			.cpu_init_ms = config->cpu_init_ms,
			.ready_delay_ms = config->ready_delay_ms,
		},
		.current = sample->replicas,
		.is_utilisation = true,
		.target = config->cpu_target_pct,
		.tolerance = { config->tolerance_up, config->tolerance_down },
	};
	return hpa_propose_pods(&metric, ret);
}

/* Why there is no number: the codes are alike, and a pod that has just become ready needs nothing but time. */
static const char *trouble_of(HpaError error)
{
	static const char *const texts[] = {
		[HPA_NO_METRICS] = "no pod has a cpu sample",
		[HPA_NO_PODS] = "there is no pod",
		[HPA_NO_SAMPLES] = "no pod has been ready for the whole window of its cpu sample",
		[HPA_MISSING_REQUEST] = "a container has no cpu request",
		[HPA_ZERO_REQUEST] = "the cpu requests add up to 0",
	};
	return texts[error];
}

static Reason reason_of(const HpaSettings *settings, int32_t current, int32_t raw)
{
	if (current > settings->max)
		return REASON_TOO_MANY_REPLICAS;
	if (current < settings->min)
		return REASON_TOO_FEW_REPLICAS;
	return raw > current ? REASON_POLICY_UP : raw < current ? REASON_POLICY_DOWN : REASON_POLICY_KEEP;
}

static int hpa_decide(Policy *policy, const Observation *obs, size_t n, Decision *ret_decision)
{
	HpaPolicy *self = (HpaPolicy *) policy;
	const Sample *sample = obs->sample;
	policy->trouble[0] = '\0';
	if (n != 1) /* its memory is of one target */
		return ERR_INVALID;
	if (!sample || !(sample->valid & SAMPLE_REPLICAS))
		return ERR_NO_DATA;
	const int32_t current = sample->replicas;
	const HpaSettings settings = {
		.min = obs->target->min_replicas,
		.max = obs->target->max_replicas,
		.downscale_window_ms = self->config.downscale_window_ms,
	};
	HpaProposal proposal = { 0 };
	HpaError error = propose(&self->config, sample, &proposal);
	const HpaVote vote = { proposal.replicas, error ? HPA_FAILED_RESOURCE : HPA_NONE };
	HpaOutcome outcome; /* runs without data too: the first sight of a target counts */
	int code = hpa_cycle(&self->state, &settings, sample->wall_ms, current, &vote, 1, &outcome);
	if (code)
		return code;
	if (error) {
		(void) snprintf(policy->trouble, sizeof policy->trouble, "%s", trouble_of(error));
		return ERR_NO_DATA;
	}

	ret_decision->raw = outcome.replicas;
	ret_decision->proposal = proposal.replicas > 0 ? proposal.replicas : 1;
	ret_decision->action = outcome.replicas > current ? ACTION_UP
	                     : outcome.replicas < current ? ACTION_DOWN : ACTION_KEEP;
	ret_decision->n_actions = 0;
	ret_decision->value = NAN;
	ret_decision->reason = reason_of(&settings, current, outcome.replicas);
	(void) snprintf(ret_decision->detail, sizeof ret_decision->detail, "the rule's cpu: %d %% of request, target %d %%: %s",
	                (int) proposal.utilization_pct, (int) self->config.cpu_target_pct,
	                hpa_reason_text(self->state.scaling_limited == HPA_DESIRED_WITHIN_RANGE
	                                ? self->state.able_to_scale : self->state.scaling_limited));
	return 0;
}

static void hpa_reset(Policy *policy)
{
	HpaState *state = &((HpaPolicy *) policy)->state;
	HpaLog room = state->history.recommendations;
	room.len = 0;
	*state = (HpaState) { .history.recommendations = room };
}

static void hpa_free(Policy *policy)
{
	hpa_history_done(&((HpaPolicy *) policy)->state.history);
	free(policy);
}

static Policy *hpa_copy(Policy *policy)
{
	Policy *copy = NULL;
	return hpa_policy_new(&((HpaPolicy *) policy)->config, &copy) ? NULL : copy;
}

static const PolicyOps OPS = {
	.name = "hpa", .decide = hpa_decide, .reset = hpa_reset, .free = hpa_free, .copy = hpa_copy,
};

int hpa_policy_new(const HpaConfig *config, Policy **ret_policy)
{
	HpaConfig plain;
	hpa_config_default(&plain);
	if (config->cpu_target_pct < 1 || config->downscale_window_ms < 0)
		return ERR_INVALID;
	HpaPolicy *self = calloc(1, sizeof *self);
	if (!self)
		return ERR_NOMEM;
	self->policy.ops = &OPS;
	self->config = *config;
	if (hpa_log_reserve(&self->state.history.recommendations, (size_t) (config->downscale_window_ms / 1000) + 2)) {
		free(self);
		return ERR_NOMEM;
	}
	if (config->cpu_target_pct == plain.cpu_target_pct)
		(void) snprintf(self->policy.label, sizeof self->policy.label, "hpa");
	else
		(void) snprintf(self->policy.label, sizeof self->policy.label, "hpa:cpu=%d", (int) config->cpu_target_pct);
	*ret_policy = &self->policy;
	return 0;
}
