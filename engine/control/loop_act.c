/*
 * Moving replicas: the guard rails, the conditional write, and a person's override.
 */
#include "control/loop_internal.h"

#include "decide/rails.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { CONFLICT_TRIES = 5, AUDIT_WAIT_MS = 2000, CYCLE_MAX_MS = 10000 };

void loop_limit(Loop *loop, Cycle *cycle)
{
	const LoopConfig *config = &loop->config;
	Decision *decision = &cycle->decision;
	const RailsInput in = {
		.config = &config->rails,
		.history = &loop->history,
		.target = &config->target,
		.sample = &cycle->sample,
		.now_ms = clock_mono_ms(config->clock),
		.current = cycle->scale.replicas,
		.raw = decision->raw,
		.hpa = decision->hpa,
		.is_three_action = decision->n_actions == ACTION_COUNT,
	};
	RailsOutcome outcome;
	rails_apply(&in, &outcome);
	rails_note_cycle(&loop->history, &in);
	decision->desired = outcome.desired;
	decision->guards = outcome.guards;
	decision->state = config->rails.is_dry_run ? STATE_SHADOW : STATE_ACTIVE;
}

/* CONTROL B.1: a cycle has min(interval, 10 s); what was seen longer ago is not acted on. */
static bool is_late(const Loop *loop, int64_t since_ms)
{
	int64_t most = loop->config.interval_ms < CYCLE_MAX_MS ? loop->config.interval_ms : CYCLE_MAX_MS;
	return clock_mono_ms(loop->config.clock) - since_ms > most;
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
		if (is_late(loop, since_ms))
			return error_set(err, ERR_TIMEOUT, "%s/%s: the cycle took too long: nothing is written on old data",
			                 target->namespace_, target->name);
		want.replicas = replicas;
		int code = actuator->ops->set_scale(actuator, target, &want, ret_scale, err);
		if (code != ERR_CONFLICT)
			return code;
		code = actuator->ops->get_scale(actuator, target, &want, err);
		if (code)
			return code;
		if (want.replicas != seen->replicas)
			return error_set(err, ERR_CONFLICT, "%s/%s: replicas changed from %d to %d while deciding", target->namespace_,
			                 target->name, seen->replicas, want.replicas);
	}
	return error_set(err, ERR_CONFLICT, "%s/%s: the object kept changing: %d tries", target->namespace_, target->name,
	                 CONFLICT_TRIES);
}

int loop_write(Loop *loop, Cycle *cycle, Error *err)
{
	const LoopConfig *config = &loop->config;
	Decision *decision = &cycle->decision;
	if (decision->desired == cycle->scale.replicas || config->rails.is_dry_run)
		return 0;
	Scale now = { 0 };
	int64_t start = clock_mono_ms(config->clock);
	int code = write_scale(loop, &cycle->scale, cycle->start_ms, decision->desired, &now, err);
	cycle->duration_us[2] = (clock_mono_ms(config->clock) - start) * 1000;
	if (code)
		return code;
	decision->is_applied = true;
	(void) rails_note_change(&loop->history, &config->rails, clock_mono_ms(config->clock), cycle->scale.replicas,
	                         decision->desired);
	loop->own_replicas = decision->desired;
	str_copy(cycle->written_version, sizeof cycle->written_version, now.resource_version);
	return 0;
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
	str_copy(audit->what, sizeof audit->what, "set");
	audit->from = from;
	audit->to = command->u.override_.replicas;
	str_copy(audit->state_before, sizeof audit->state_before, state_text(loop->view.state));
	str_copy(audit->reason, sizeof audit->reason, command->u.override_.reason);
	str_copy(audit->result, sizeof audit->result, "pending");
	audit->command_id = command->id;
	return record;
}

/* Refusals that need no network. */
static int check_override(const Loop *loop, const Command *command, Error *err)
{
	if (loop->config.is_readonly)
		return error_set(err, ERR_REFUSED, "read-only: overrides are off");
	if (loop->config.rails.is_dry_run)
		return error_set(err, ERR_REFUSED, "dry run: nothing is written");
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
	return write_scale(loop, scale, clock_mono_ms(loop->config.clock), command->u.override_.replicas, &now, err);
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
	if (code) {
		loop_answer(loop, command->id, code, err.text);
		return;
	}
	loop->is_paused = false;
	loop->view.manual_replicas = command->u.override_.replicas;
	loop->manual_until_ms = clock_mono_ms(config->clock) + command->u.override_.hold_ms;
	loop->view.manual_until_wall_ms = clock_wall_ms(config->clock) + command->u.override_.hold_ms;
	str_copy(loop->view.manual_who, sizeof loop->view.manual_who, command->who);
	loop->view.state = STATE_MANUAL;
	loop->view.state_reason = REASON_MANUAL;
	char from[32], to[32], text[120];
	(void) snprintf(from, sizeof from, "%d", scale.replicas);
	(void) snprintf(to, sizeof to, "%d", command->u.override_.replicas);
	loop_intervention(loop, command, "override", from, to);
	(void) snprintf(text, sizeof text, "applied %s -> %s, held for %lld s", from, to,
	                (long long) (command->u.override_.hold_ms / 1000));
	loop_answer(loop, command->id, 0, text);
}
