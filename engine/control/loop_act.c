/*
 * Steps 5 and 6 of a cycle: the state, the guard rails, the conditional write; and a person's override.
 */
#include "control/loop_internal.h"

#include "decide/observation.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { CONFLICT_TRIES = 5, CONFLICT_WAIT_MS = 10, AUDIT_WAIT_MS = 2000, CYCLE_MAX_MS = 10000, MANUAL_MS = 600000 };

/* ---- 5 states and rails ---- */

RailsInput loop_rails_input(const Loop *loop, int32_t raw, bool is_fallback)
{
	const LoopConfig *config = &loop->config;
	const Cycle *cycle = &loop->cycle;
	bool has_steps = cycle->decision.n_actions == ACTION_COUNT || (!is_fallback && config->policy->has_rails);
	bool is_wide = cycle->decision.is_wide || (!is_fallback && config->policy->actions == ACTIONS_WIDE);
	return (RailsInput) {
		.config = &config->rails,
		.history = &loop->history,
		.target = &config->target,
		.sample = &cycle->sample,
		.now_ms = cycle->start_ms,
		.current = cycle->scale.replicas,
		.raw = raw,
		.hpa = !cycle->has_rule ? -1 : cycle->rule.proposal ? cycle->rule.proposal : cycle->rule.raw,
		.is_three_action = has_steps && !is_wide,
		.is_fallback = is_fallback,
		.is_scale_in_paused = cycle->facts.is_scale_in_paused,
		.p95_ms = config->p95_ms,
		.p95_arg = config->p95_arg,
	};
}

static void pass_rails(Loop *loop, int32_t raw, bool is_fallback)
{
	const LoopConfig *config = &loop->config;
	Cycle *cycle = &loop->cycle;
	Decision *decision = &cycle->decision;
	const RailsInput in = loop_rails_input(loop, raw, is_fallback);
	RailsOutcome outcome;
	rails_apply(&in, &outcome);
	rails_note_cycle(&loop->history, &in);
	decision->desired = outcome.desired;
	decision->guards = outcome.guards;
	if (cycle->scale.replicas > config->target.max_replicas)
		decision->reason = REASON_TOO_MANY_REPLICAS;
	else if (cycle->scale.replicas < config->target.min_replicas)
		decision->reason = REASON_TOO_FEW_REPLICAS;
}

/* The rule's decision under the reason for which it stands in. */
static void fall_back(Loop *loop, bool is_outside)
{
	Cycle *cycle = &loop->cycle;
	Decision rule = cycle->rule;
	if (cycle->fault || is_outside) {
		loop->fall_reason = cycle->fault ? cycle->decision.reason : REASON_OUT_OF_DISTRIBUTION;
		str_copy(loop->fall_detail, sizeof loop->fall_detail, cycle->decision.detail);
	}
	rule.hpa = rule.raw;
	rule.reason = loop->fall_reason;
	(void) snprintf(rule.detail, sizeof rule.detail, "hpa rule for: %s", loop->fall_detail);
	cycle->decision = rule;
	cycle->error = (Error) { 0 };
	pass_rails(loop, rule.raw, true);
}

static void name_feature(Loop *loop)
{
	Cycle *cycle = &loop->cycle;
	int32_t i = cycle->outside;
	if (i == OUTSIDE_TOLD)
		(void) snprintf(cycle->decision.detail, sizeof cycle->decision.detail, "%s is unlike in training", loop->config.policy->outside);
	else
		(void) snprintf(cycle->decision.detail, sizeof cycle->decision.detail, "%s is %g, unlike in training",
		                observer_feature(loop->config.observation, i), (double) cycle->obs.x[i]);
}

/* A number that somebody else has just set is the new present one, and stands for an interval. */
static bool is_left_alone(const Loop *loop)
{
	const Cycle *cycle = &loop->cycle;
	const Target *target = &loop->config.target;
	return cycle->is_foreign && cycle->scale.replicas >= target->min_replicas && cycle->scale.replicas <= target->max_replicas;
}

static void hold(Cycle *cycle)
{
	cycle->decision.action = ACTION_NONE;
	cycle->decision.raw = cycle->decision.desired = -1;
	cycle->decision.guards = 0;
}

/* A model's first day begins when it first acts here, in this process or in one before. */
void loop_note_model(Loop *loop)
{
	const Policy *policy = loop->config.policy;
	if (policy->interval_s > 0 && policy->interval_s != loop->model_interval_s && policy->interval_s * 1000 != (float) loop->config.interval_ms)
		(void) fprintf(stderr, "maestro: %s/%s: the model was made to decide every %g s, not every %g s: give --interval %gs\n",
		               loop->config.target.namespace_, loop->config.target.name, (double) policy->interval_s,
		               (double) loop->config.interval_ms / 1000, (double) policy->interval_s);
	loop->model_interval_s = policy->interval_s;
	if (!strcmp(loop->model, policy->sha256))
		return;
	int64_t age_ms = loop->model[0] ? 0 : loop->config.model_age_ms;
	str_copy(loop->model, sizeof loop->model, policy->sha256);
	loop->config.rails.adds_only_until_ms = loop->model[0] ? loop->cycle.start_ms - age_ms + loop->config.adds_only_ms : 0;
}

void loop_guard(Loop *loop)
{
	Cycle *cycle = &loop->cycle;
	const StateInput in = {
		.gate = cycle->gate,
		.is_observed = cycle->is_observed,
		.fault = cycle->fault,
		.is_outside = cycle->outside >= 0,
		.has_rule = cycle->has_rule,
	};
	TargetState state = state_next(&loop->machine, &loop->config.states, &in);
	bool is_outside = loop->machine.outside >= loop->config.states.outside_after;
	if (cycle->outside >= 0 && !cycle->fault && is_outside && cycle->gate == STATE_ACTIVE)
		name_feature(loop);
	if (state == STATE_FALLBACK) {
		fall_back(loop, is_outside);
	} else if (state == STATE_ACTIVE || state == STATE_SHADOW) {
		pass_rails(loop, cycle->decision.raw, false);
	} else if (state == STATE_HOLD && !cycle->fault) { /* out of distribution, and no rule to turn to */
		hold(cycle);
		cycle->decision.reason = REASON_OUT_OF_DISTRIBUTION;
	}
	if ((state == STATE_ACTIVE || state == STATE_FALLBACK) && is_left_alone(loop)) {
		hold(cycle);
		state = STATE_HOLD;
		cycle->decision.reason = REASON_REPLICAS_CHANGED;
		(void) snprintf(cycle->decision.detail, sizeof cycle->decision.detail, "%d now, by %.60s", cycle->scale.replicas,
		                cycle->facts.manager[0] ? cycle->facts.manager : "somebody else");
	}
	cycle->decision.state = state;
}

/* ---- 6 write ---- */

bool loop_is_late(const Loop *loop, int64_t since_ms)
{
	int64_t most = loop->config.interval_ms < CYCLE_MAX_MS ? loop->config.interval_ms : CYCLE_MAX_MS;
	return clock_mono_ms(loop->config.clock) - since_ms > most;
}

static int refuse_write(const Loop *loop, int64_t since_ms, Error *err)
{
	const Target *target = &loop->config.target;
	Cluster *cluster = loop->config.cluster;
	if (loop_is_late(loop, since_ms))
		return error_set(err, ERR_TIMEOUT, "%s/%s: the cycle took too long: nothing is written on old data",
		                 target->namespace_, target->name);
	if (cluster && !cluster->ops->leads(cluster, target))
		return error_set(err, ERR_REFUSED, "%s/%s: another process leads now", target->namespace_, target->name);
	return 0;
}

/* The number that a write replaces. */
static int32_t number_set(const Loop *loop, const Scale *scale)
{
	return loop->config.actuator->is_floor ? scale->floor : scale->replicas;
}

/*
 * One conditional write (CONTROL C): on 409 the scale is read again, and the write is tried again only while spec.replicas is
 * still what the decision saw.
 */
static int write_scale(Loop *loop, const Scale *seen, int64_t since_ms, int32_t replicas, Scale *ret_scale, Error *err)
{
	Actuator *actuator = loop->config.actuator;
	const Target *target = &loop->config.target;
	Scale want = *seen;
	for (int i = 0; i < CONFLICT_TRIES; i++) {
		int code = refuse_write(loop, since_ms, err);
		if (code)
			return code;
		want.replicas = replicas;
		code = actuator->ops->set_scale(actuator, target, &want, ret_scale, err);
		if (code != ERR_CONFLICT)
			return code;
		if (i > 0) {
			Clock *clock = loop->config.clock;
			(void) usleep((useconds_t) clock_wait_ms(clock, clock_mono_ms(clock) + CONFLICT_WAIT_MS) * 1000);
		}
		code = actuator->ops->get_scale(actuator, target, &want, err);
		if (code)
			return code;
		if (number_set(loop, &want) != number_set(loop, seen))
			return error_set(err, ERR_CONFLICT, "%s/%s: replicas changed from %d to %d while deciding", target->namespace_,
			                 target->name, number_set(loop, seen), number_set(loop, &want));
	}
	return error_set(err, ERR_CONFLICT, "%s/%s: the object kept changing: %d tries", target->namespace_, target->name,
	                 CONFLICT_TRIES);
}

static bool may_write(const Loop *loop)
{
	const Cycle *cycle = &loop->cycle;
	TargetState state = cycle->decision.state;
	return (state == STATE_ACTIVE || state == STATE_FALLBACK || state == STATE_MANUAL) && cycle->has_scale &&
	       !loop->config.rails.is_dry_run && cycle->decision.desired >= 0 && cycle->decision.desired != number_set(loop, &cycle->scale);
}

static void note_written(Loop *loop, const Scale *now)
{
	Cycle *cycle = &loop->cycle;
	int32_t to = cycle->decision.desired, from = number_set(loop, &cycle->scale);
	int direction = to > from ? 1 : -1;
	cycle->decision.is_applied = true;
	str_copy(cycle->written_version, sizeof cycle->written_version, now->resource_version);
	loop->view.counters.scales[direction > 0][0]++;
	loop->view.counters.reversals += loop->last_direction && direction != loop->last_direction;
	loop->last_direction = direction;
	loop->is_flapping = rails_note_change(&loop->history, &loop->config.rails, cycle->start_ms, from, to);
	if (loop->config.actuator->is_floor)
		return;
	loop->own_replicas = loop->seen_replicas = to;
}

/* A refused write holds; one whose answer was lost is looked for in the next cycle. */
static void note_refused(Loop *loop, int code)
{
	Cycle *cycle = &loop->cycle;
	cycle->has_failed_write = true;
	loop->view.counters.scales[cycle->decision.desired > number_set(loop, &cycle->scale)][1]++;
	if (code == ERR_TIMEOUT || code == ERR_UNREACHABLE || code == ERR_PARSE)
		loop->tried_replicas = cycle->decision.desired;
	cycle->decision.state = code == ERR_REFUSED ? STATE_STANDBY : STATE_HOLD;
	cycle->decision.reason = loop_reason_of(code);
	str_copy(cycle->decision.detail, sizeof cycle->decision.detail, cycle->error.text);
}

void loop_write(Loop *loop)
{
	Cycle *cycle = &loop->cycle;
	if (!may_write(loop))
		return;
	Scale now = { 0 };
	int64_t start = clock_mono_ms(loop->config.clock);
	Error err = { 0 };
	int code = write_scale(loop, &cycle->scale, cycle->start_ms, cycle->decision.desired, &now, &err);
	cycle->duration_us[DURATION_WRITE] = (clock_mono_ms(loop->config.clock) - start) * 1000;
	cycle->error = code ? err : cycle->error;
	if (code)
		note_refused(loop, code);
	else
		note_written(loop, &now);
}

/* ---- override ---- */

static Record audit_record(const Loop *loop, const Command *command, int32_t from)
{
	Record record = loop_record(loop, RECORD_AUDIT);
	RecordAudit *audit = &record.u.audit;
	const Target *target = &loop->config.target;
	str_copy(audit->who, sizeof audit->who, command->who);
	(void) gethostname(audit->host, sizeof audit->host - 1);
	str_copy(audit->context, sizeof audit->context, loop->config.context);
	str_copy(audit->namespace_, sizeof audit->namespace_, target->namespace_);
	str_copy(audit->deployment, sizeof audit->deployment, target->name);
	str_copy(audit->what, sizeof audit->what, audit_word(from, command->u.override_.replicas));
	audit->from = from;
	audit->to = command->u.override_.replicas;
	str_copy(audit->state_before, sizeof audit->state_before, state_text(loop->view.state));
	str_copy(audit->reason, sizeof audit->reason, command->u.override_.reason);
	str_copy(audit->result, sizeof audit->result, "pending");
	audit->command_id = command->id;
	return record;
}

void loop_audit(Loop *loop, const Command *command, const char *what)
{
	int32_t now = loop->seen_replicas; /* an override's write since the last cycle counted */
	Record record = audit_record(loop, command, now);
	RecordAudit *audit = &record.u.audit;
	str_copy(audit->what, sizeof audit->what, what);
	audit->to = now;
	audit->reason[0] = '\0';
	loop->config.sink->ops->write(loop->config.sink, &record);
	str_copy(audit->result, sizeof audit->result, "applied"); /* it only takes place in this process */
	loop->config.sink->ops->write(loop->config.sink, &record);
}

/* Refusals that need no network. */
static int check_override(const Loop *loop, const Command *command, Error *err)
{
	if (loop->config.is_readonly)
		return error_set(err, ERR_REFUSED, "read-only: overrides are off");
	if (loop->config.rails.is_dry_run)
		return error_set(err, ERR_REFUSED, "dry run: nothing is written");
	if (loop->config.actuator->is_floor)
		return error_set(err, ERR_REFUSED, "only the floor is written here: scale by kubectl, or pause with maestro.io/paused");
	if (command->u.override_.replicas < 0)
		return error_set(err, ERR_INVALID, "replicas cannot be %d", command->u.override_.replicas);
	return 0;
}

static int apply_override(Loop *loop, const Command *command, Scale *scale, Error *err)
{
	/* what this loop wrote itself since then is no surprise: it asks for the override to replace it */
	bool is_own = scale->replicas == loop->own_replicas;
	if (scale->replicas != command->u.override_.seen && !is_own)
		return error_set(err, ERR_CONFLICT, "replicas are %d now, not %d: look again", scale->replicas,
		                 command->u.override_.seen);
	if (scale->replicas == command->u.override_.replicas)
		return 0;
	Scale now = { 0 };
	int code = write_scale(loop, scale, clock_mono_ms(loop->config.clock), command->u.override_.replicas, &now, err);
	if (code)
		return code;
	(void) rails_note_change(&loop->history, &loop->config.rails, clock_mono_ms(loop->config.clock), scale->replicas,
	                         command->u.override_.replicas);
	loop->own_replicas = loop->seen_replicas = command->u.override_.replicas;
	return 0;
}

/* "90 s", "30 min" */
static void duration_words(int64_t ms, char *text, size_t size)
{
	long long s = (long long) (ms / 1000);
	bool is_minutes = s >= 120 && s % 60 == 0;
	(void) snprintf(text, size, "%lld %s", is_minutes ? s / 60 : s, is_minutes ? "min" : "s");
}

/* For how long, and when that ends by the machine's clock, of which all events are. */
static void note_override(Loop *loop, const Command *command, int32_t from_replicas, int64_t hold_ms, const char *words)
{
	const LoopConfig *config = &loop->config;
	bool is_scaled = config->is_simulated && config->speed > 0;
	int64_t machine_ms = clock_machine_ms(config->clock) + (is_scaled ? (int64_t) ((double) hold_ms / config->speed) : 0);
	char from[32], to[96], until[CLOCK_TEXT];
	clock_format(is_scaled ? machine_ms : loop->view.manual_until_wall_ms, until);
	(void) snprintf(from, sizeof from, "%d", from_replicas);
	(void) snprintf(to, sizeof to, "%d for %s%s until %s", command->u.override_.replicas, words, is_scaled ? " simulated" : "", until);
	loop_intervention(loop, command->who, "override", from, to);
}

static void hold_override(Loop *loop, const Command *command, int32_t from_replicas)
{
	const LoopConfig *config = &loop->config;
	int64_t own_ms = config->manual_ttl_ms > 0 ? config->manual_ttl_ms : MANUAL_MS;
	int64_t hold_ms = command->u.override_.hold_ms > 0 ? command->u.override_.hold_ms : own_ms;
	int32_t to = command->u.override_.replicas;
	char words[32], text[160];
	duration_words(hold_ms, words, sizeof words);
	loop->is_paused = false;
	loop->view.manual_replicas = to;
	loop->manual_until_ms = clock_mono_ms(config->clock) + hold_ms;
	loop->view.manual_until_wall_ms = clock_wall_ms(config->clock) + hold_ms;
	str_copy(loop->view.manual_who, sizeof loop->view.manual_who, command->who);
	note_override(loop, command, from_replicas, hold_ms, words);
	TargetState before = loop->view.state;
	loop->view.state = STATE_MANUAL;
	loop->view.state_reason = REASON_MANUAL;
	(void) snprintf(text, sizeof text, "applied %d -> %d, held for %s", from_replicas, to, words);
	loop_answer(loop, command->id, 0, text);
	(void) snprintf(text, sizeof text, "%d -> %d for %s by %.40s, was %s", from_replicas, to, words, command->who, state_text(before));
	loop_tell_event(loop, EVENT_MANUAL_OVERRIDE, text);
}

void loop_override(Loop *loop, const Command *command)
{
	const LoopConfig *config = &loop->config;
	Error err = { 0 };
	Scale scale = { .replicas = -1 };
	int code = check_override(loop, command, &err);
	if (!code)
		code = config->actuator->ops->get_scale(config->actuator, &config->target, &scale, &err);
	Record record = audit_record(loop, command, scale.replicas);
	config->sink->ops->write(config->sink, &record);
	if (!code) /* the row is on disk before the write is sent */
		code = config->sink->ops->commit(config->sink, AUDIT_WAIT_MS, &err);
	if (!code)
		code = apply_override(loop, command, &scale, &err);
	str_copy(record.u.audit.result, sizeof record.u.audit.result, code ? err.text : "applied");
	config->sink->ops->write(config->sink, &record);
	if (code)
		loop_answer(loop, command->id, code, err.text);
	else
		hold_override(loop, command, scale.replicas);
}
