/*
 * What the cluster is told of a cycle: Events where something changed (CONTROL B.6), and the conditions (B.7).
 */
#include "control/loop_internal.h"

#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void loop_tell_event(Loop *loop, EventWord word, const char *text)
{
	Cluster *cluster = loop->config.cluster;
	if (cluster)
		cluster->ops->tell(cluster, &loop->config.target, word, text);
}

/* ---- Events ---- */

static EventWord hold_event(const Cycle *cycle)
{
	if (cycle->has_failed_write)
		return EVENT_SCALE_FAILED;
	switch (cycle->decision.reason) {
	case REASON_METRICS_MISSING: return EVENT_METRICS_MISSING;
	case REASON_METRICS_STALE: return EVENT_METRICS_STALE;
	case REASON_MODEL_UNAVAILABLE: return EVENT_MODEL_UNAVAILABLE;
	default: return EVENT_HOLD;
	}
}

/* The Event of a change of state; EVENT_COUNT: none. */
static EventWord state_event(const Cycle *cycle, TargetState from)
{
	switch (cycle->decision.state) {
	case STATE_HOLD: return hold_event(cycle);
	case STATE_FALLBACK: return EVENT_FALLBACK;
	case STATE_MANUAL: return EVENT_MANUAL_OVERRIDE;
	case STATE_CONFLICT:
		return cycle->decision.reason == REASON_REPLICAS_FOUGHT ? EVENT_REPLICAS_FOUGHT : EVENT_CONFLICT;
	case STATE_PAUSED: return cycle->decision.reason == REASON_INVALID ? EVENT_HOLD : EVENT_COUNT;
	case STATE_ACTIVE:
	case STATE_SHADOW: return from == STATE_WARMING ? EVENT_STARTED : from == STATE_STANDBY ? EVENT_LEADER_ELECTED : EVENT_RESUMED;
	default: return EVENT_COUNT;
	}
}

static void tell_state(Loop *loop, TargetState from)
{
	const Decision *decision = &loop->cycle.decision;
	EventWord word = state_event(&loop->cycle, from);
	char text[200];
	bool is_news = from != decision->state || (decision->state == STATE_HOLD && decision->reason != loop->told_reason);
	loop->told_reason = decision->reason;
	if (word == EVENT_COUNT || !is_news)
		return;
	if (decision->detail[0])
		(void) snprintf(text, sizeof text, "%s: %s", reason_text(decision->reason), decision->detail);
	else
		(void) snprintf(text, sizeof text, "%s after %s", state_text(decision->state), state_text(from));
	loop_tell_event(loop, word, text);
}

/* "3 -> 4: web.safetensors up (p .91), p95 310 ms" */
static void tell_scaled(Loop *loop)
{
	const Cycle *cycle = &loop->cycle;
	const Decision *decision = &cycle->decision;
	const Sample *sample = &cycle->sample;
	int32_t from = loop->config.actuator->is_floor ? cycle->scale.floor : cycle->scale.replicas;
	char text[200], probability[24] = "", latency[32] = "";
	if (!decision->is_applied)
		return;
	if (decision->action >= 0 && decision->action < decision->n_actions)
		(void) snprintf(probability, sizeof probability, " (p %.2f)", (double) decision->probability[decision->action]);
	if (sample->valid & SAMPLE_LATENCY)
		(void) snprintf(latency, sizeof latency, ", p95 %.0f ms", sample->latency_ms);
	(void) snprintf(text, sizeof text, "%s%d -> %d: %s %s%s%s", loop->config.actuator->is_floor ? "floor " : "", from,
	                decision->desired, decision->state == STATE_ACTIVE ? loop->config.policy->label : state_text(decision->state),
	                decision->desired > from ? "up" : "down", probability, latency);
	loop_tell_event(loop, EVENT_SCALED, text);
}

/* Once until it leaves the maximum. */
static void tell_maximum(Loop *loop)
{
	const Cycle *cycle = &loop->cycle;
	bool is_at = cycle->has_scale && cycle->scale.replicas >= loop->config.target.max_replicas;
	bool wants_more = cycle->decision.guards & (RAIL(MASKED) | RAIL(CLAMPED_MAX)) && cycle->decision.raw >= cycle->scale.replicas;
	char text[80];
	if (is_at && wants_more && !loop->is_at_maximum) {
		(void) snprintf(text, sizeof text, "%d replicas are the maximum, and the policy asks for more",
		                loop->config.target.max_replicas);
		loop_tell_event(loop, EVENT_AT_MAXIMUM, text);
		loop->is_at_maximum = true;
	}
	if (cycle->has_scale && !is_at)
		loop->is_at_maximum = false;
}

/* ---- conditions ---- */

static void set(Loop *loop, ConditionKind kind, int32_t status, const char *reason, const char *message)
{
	Condition *condition = &loop->view.condition[kind];
	if (condition->status != status || !condition->since_wall_ms)
		condition->since_wall_ms = clock_wall_ms(loop->config.clock);
	condition->status = status;
	str_copy(condition->reason, sizeof condition->reason, reason);
	str_copy(condition->message, sizeof condition->message, message);
}

static bool is_acting(TargetState state)
{
	return state == STATE_ACTIVE || state == STATE_FALLBACK || state == STATE_MANUAL;
}

static void set_scaling(Loop *loop)
{
	const Cycle *cycle = &loop->cycle;
	const Decision *decision = &cycle->decision;
	const char *word = decision->reason ? reason_text(decision->reason) : state_text(decision->state);
	const uint32_t limits = RAIL(MASKED) | RAIL(CLAMPED_MIN) | RAIL(CLAMPED_MAX) | RAIL(STEP_LIMIT) | RAIL(PIPELINE_VETO);
	bool is_limited = decision->guards & limits;
	bool is_able = cycle->has_scale && !cycle->has_failed_write;
	set(loop, CONDITION_SCALING_ACTIVE, is_acting(decision->state), is_acting(decision->state) ? "ValidMetricFound" : word,
	    decision->detail);
	if (!is_able)
		set(loop, CONDITION_ABLE_TO_SCALE, 0, cycle->has_failed_write ? "FailedUpdateScale" : "FailedGetScale", cycle->error.text);
	else
		set(loop, CONDITION_ABLE_TO_SCALE, 1, decision->is_applied ? "SucceededRescale" : "ReadyForNewScale", "");
	const char *limit = decision->guards & RAIL(CLAMPED_MIN) ? "TooFewReplicas"
	                  : decision->guards & RAIL(CLAMPED_MAX) ? "TooManyReplicas"
	                  : decision->raw > decision->desired ? "ScaleUpLimit" : "ScaleDownLimit";
	set(loop, CONDITION_SCALING_LIMITED, is_limited, is_limited ? limit : "DesiredWithinRange", "");
}

static void set_sources(Loop *loop)
{
	const Cycle *cycle = &loop->cycle;
	bool is_outside = loop->machine.outside >= loop->config.states.outside_after;
	if (cycle->is_observed || cycle->fault == FAULT_MODEL) {
		set(loop, CONDITION_METRICS_FRESH, 1, "Fresh", "");
		bool is_healthy = cycle->fault != FAULT_MODEL && !is_outside && !loop->machine.is_fallen;
		set(loop, CONDITION_POLICY_HEALTHY, is_healthy, is_healthy ? "ModelLoaded" : cycle->fault == FAULT_MODEL
		    ? "ModelUnavailable" : is_outside ? "OutOfDistribution" : "Fallback", is_healthy ? "" : cycle->decision.detail);
	} else if (cycle->fault == FAULT_DATA) {
		set(loop, CONDITION_METRICS_FRESH, 0, cycle->sample.stale ? "MetricsStale" : "MetricsMissing", cycle->sample.missing);
	}
}

static void set_conditions(Loop *loop)
{
	const Cycle *cycle = &loop->cycle;
	const TargetFacts *facts = &cycle->facts;
	bool is_fight = cycle->decision.reason == REASON_REPLICAS_FOUGHT;
	set_scaling(loop);
	set_sources(loop);
	if (!loop->config.cluster)
		return;
	bool leads = cycle->decision.state != STATE_STANDBY;
	if (leads && !facts->code)
		set(loop, CONDITION_SOLE_OWNER, !facts->owner[0] && !is_fight, facts->owner[0] ? "Conflict" : is_fight
		    ? "ReplicasFought" : "NoOther", facts->owner[0] ? facts->owner : is_fight ? cycle->decision.detail : "");
	set(loop, CONDITION_LEADING, leads, leads ? "Leader" : "Standby", "");
}

static char *status_json(const Loop *loop)
{
	Json *root = json_new_object();
	json_add_string(root, "state", state_text(loop->view.state));
	Json *array = json_add_array(root, "conditions");
	for (int k = 0; k < CONDITION_COUNT; k++) {
		const Condition *condition = &loop->view.condition[k];
		char since[CLOCK_TEXT];
		Json *item = json_new_object();
		clock_format(condition->since_wall_ms, since);
		json_add_string(item, "type", condition_text((ConditionKind) k));
		json_add_string(item, "status", condition->status < 0 ? "Unknown" : condition->status ? "True" : "False");
		json_add_string(item, "reason", condition->reason);
		json_add_string(item, "message", condition->message);
		json_add_string(item, "lastTransitionTime", condition->status < 0 ? NULL : since);
		json_add(array, NULL, item);
	}
	char *text = json_print(root);
	json_free(root);
	return text;
}

/* State, statuses and reasons alone: a message holds numbers that move all the time. */
static void digest(const Loop *loop, char *text, size_t size)
{
	size_t len = (size_t) snprintf(text, size, "%s", state_text(loop->view.state));
	for (int k = 0; k < CONDITION_COUNT && len < size; k++) {
		const char *reason = k == CONDITION_ABLE_TO_SCALE && loop->view.condition[k].status > 0 ? "" : loop->view.condition[k].reason;
		len += (size_t) snprintf(text + len, size - len, " %d%s", loop->view.condition[k].status, reason);
	}
}

static void show_status(Loop *loop)
{
	Cluster *cluster = loop->config.cluster;
	char now[sizeof loop->status];
	digest(loop, now, sizeof now);
	if (!cluster || loop->view.state == STATE_STANDBY || loop->config.rails.is_dry_run || !strcmp(now, loop->status))
		return;
	char *json = status_json(loop);
	if (json)
		cluster->ops->show(cluster, &loop->config.target, json);
	str_copy(loop->status, sizeof loop->status, now);
	free(json);
}

void loop_tell(Loop *loop, TargetState from)
{
	tell_state(loop, from);
	tell_scaled(loop);
	tell_maximum(loop);
	if (loop->is_flapping)
		loop_tell_event(loop, EVENT_FLAPPING, "more than six changes of direction in half an hour: no downs for as long");
	loop->is_flapping = false;
	set_conditions(loop);
	show_status(loop);
}
