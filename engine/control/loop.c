/*
 * See loop.h. One struct holds what the loop remembers of its target; its LiveView is the working copy from which each
 * snapshot is taken, so what is shown is what was recorded.
 *
 * Files: loop.c runs cycles, loop_act.c moves replicas (decisions and overrides), loop_record.c fills the view and records.
 */
#include "control/loop_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COMMANDS = 32 };

static Reason reason_of(int code)
{
	static const struct {
		int code;
		Reason reason;
	} table[] = {
		{ ERR_FORBIDDEN, REASON_FORBIDDEN },
		{ ERR_UNAUTHORIZED, REASON_UNAUTHORIZED },
		{ ERR_INVALID, REASON_INVALID },
		{ ERR_CONFLICT, REASON_REPLICAS_CHANGED },
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (table[i].code == code)
			return table[i].reason;
	return REASON_API_ERROR;
}

static Reason metrics_reason(int code)
{
	return code == ERR_UNAUTHORIZED ? REASON_UNAUTHORIZED
	     : code == ERR_FORBIDDEN ? REASON_FORBIDDEN
	     : code == ERR_STALE ? REASON_METRICS_STALE : REASON_METRICS_MISSING;
}

/* The state of a cycle in which nothing could be decided: still Warming before the first good one, then Hold. */
static int hold(Loop *loop, Cycle *cycle, Reason reason, const Error *why)
{
	cycle->decision.state = loop->is_warm ? STATE_HOLD : STATE_WARMING;
	cycle->decision.reason = reason;
	str_copy(cycle->decision.detail, sizeof cycle->decision.detail, why->text);
	return why->code;
}

static void note_source(SourceHealth *health, Clock *clock, int code, double duration_ms, const char *text)
{
	health->is_known = true;
	health->is_ok = !code;
	str_copy(health->text, sizeof health->text, text);
	if (!code) {
		health->duration_ms = (float) duration_ms;
		health->good_wall_ms = clock_wall_ms(clock);
	}
}

/* The present scale, first of all: what gates look at, and what a write would be compared with. */
static int read_scale(Loop *loop, Cycle *cycle, Error *err)
{
	const LoopConfig *config = &loop->config;
	int64_t start = clock_mono_ms(config->clock);
	int code = config->actuator->ops->get_scale(config->actuator, &config->target, &cycle->scale, err);
	note_source(&loop->view.api, config->clock, code, (double) (clock_mono_ms(config->clock) - start),
	            code ? err->text : config->actuator->ops->name);
	if (code)
		return hold(loop, cycle, reason_of(code), err);
	cycle->sample.replicas = cycle->scale.replicas;
	cycle->sample.valid |= SAMPLE_REPLICAS;
	return 0;
}

static int observe(Loop *loop, Cycle *cycle, Error *err)
{
	const LoopConfig *config = &loop->config;
	int64_t start = clock_mono_ms(config->clock);
	Sample sample = cycle->sample;
	int code = config->metrics->ops->fetch(config->metrics, &config->target, 1, clock_wall_ms(config->clock), &sample, err);
	int64_t took = clock_mono_ms(config->clock) - start;
	cycle->duration_us[0] = took * 1000;
	note_source(&loop->view.metrics, config->clock, code, (double) took, code ? err->text : config->metrics->ops->name);
	if (code) {
		str_copy(cycle->sample.missing, sizeof cycle->sample.missing, err->text);
		return code;
	}
	sample.replicas = cycle->scale.replicas;
	sample.valid |= SAMPLE_REPLICAS;
	cycle->sample = sample;
	return 0;
}

/* What the HPA rule would set: an opinion, so its failure is no failure. */
static int32_t hpa_opinion(Loop *loop, const Observation *obs)
{
	Decision opinion = { 0 };
	Policy *hpa = loop->config.hpa;
	if (!hpa || !obs->sample->n_pods || hpa->ops->decide(hpa, obs, 1, &opinion))
		return -1;
	return opinion.raw;
}

static int infer(Loop *loop, Cycle *cycle, Error *err)
{
	LoopConfig *config = &loop->config;
	int code = observation_build(config->observation, &config->target, &cycle->sample, &cycle->obs, err);
	if (code) {
		cycle->obs = (Observation) { .target = &config->target, .sample = &cycle->sample };
		cycle->decision.hpa = hpa_opinion(loop, &cycle->obs);
		return hold(loop, cycle, metrics_reason(code), err);
	}
	int32_t hpa = hpa_opinion(loop, &cycle->obs);
	int64_t start = clock_mono_ms(config->clock);
	code = config->policy->ops->decide(config->policy, &cycle->obs, 1, &cycle->decision);
	int64_t took = clock_mono_ms(config->clock) - start;
	cycle->duration_us[1] = took * 1000;
	if (code)
		(void) error_set(err, code, "policy %s: %s", config->policy->label, err_text(code));
	note_source(&loop->view.model, config->clock, code, (double) took, code ? err->text : config->policy->label);
	if (code) {
		cycle->decision = loop_no_decision();
		cycle->decision.hpa = hpa;
		/* a rule without its data is no broken model */
		return hold(loop, cycle, code == ERR_NO_DATA ? REASON_METRICS_MISSING : REASON_MODEL_UNAVAILABLE, err);
	}
	cycle->decision.hpa = hpa;
	return 0;
}

static void expire_manual(Loop *loop)
{
	if (loop->view.manual_replicas >= 0 && clock_mono_ms(loop->config.clock) >= loop->manual_until_ms)
		loop->view.manual_replicas = -1;
}

/* Gates before the policy is asked. True: the cycle is decided. */
static bool gate(Loop *loop, Cycle *cycle)
{
	expire_manual(loop);
	Decision *decision = &cycle->decision;
	if (loop->is_paused) {
		decision->state = STATE_PAUSED;
		decision->reason = REASON_PAUSED;
	} else if (loop->view.manual_replicas >= 0) {
		decision->state = STATE_MANUAL;
		decision->reason = REASON_MANUAL;
		decision->raw = decision->desired = loop->view.manual_replicas;
	} else if (cycle->scale.replicas == 0 && loop->config.target.min_replicas > 0) {
		decision->state = STATE_DISABLED;
	} else {
		return false;
	}
	return true;
}

/* A cycle that no policy decides: samples and the rule's opinion are for the person who looks on, so a failure to get them is
 * none. A person's number is kept where somebody else has moved it. */
static int act_on_gate(Loop *loop, Cycle *cycle, Error *err)
{
	(void) observe(loop, cycle, &(Error) { 0 });
	cycle->obs = (Observation) { .target = &loop->config.target, .sample = &cycle->sample };
	cycle->decision.hpa = hpa_opinion(loop, &cycle->obs);
	return cycle->decision.state == STATE_MANUAL ? loop_write(loop, cycle, err) : 0;
}

static int decide_and_act(Loop *loop, Cycle *cycle, Error *err)
{
	int code = read_scale(loop, cycle, err);
	if (code)
		return code;
	if (gate(loop, cycle))
		return act_on_gate(loop, cycle, err);
	code = observe(loop, cycle, err);
	if (code)
		return hold(loop, cycle, metrics_reason(code), err);
	code = infer(loop, cycle, err);
	if (code)
		return code;
	if (!loop->is_warm)
		rails_history_init(&loop->history, clock_mono_ms(loop->config.clock), cycle->scale.replicas);
	loop->is_warm = true;
	loop_limit(loop, cycle);
	return loop_write(loop, cycle, err);
}

Decision loop_no_decision(void)
{
	return (Decision) { .action = ACTION_NONE, .raw = -1, .desired = -1, .hpa = -1, .value = NAN };
}

static int run_cycle(Loop *loop, Error *err)
{
	Cycle *cycle = &loop->cycle;
	*cycle = (Cycle) { .decision = loop_no_decision(), .duration_us = { -1, -1, -1 } };
	cycle->sample.wall_ms = clock_wall_ms(loop->config.clock);
	cycle->start_ms = clock_mono_ms(loop->config.clock);
	Error why = { 0 };
	int code = decide_and_act(loop, cycle, &why);
	if (code == ERR_CONFLICT || (code && cycle->decision.state != STATE_WARMING && cycle->decision.state != STATE_HOLD))
		(void) hold(loop, cycle, reason_of(code), &why); /* the write was refused */
	loop->view.cycles++;
	loop_record_cycle(loop, cycle);
	if (loop->config.on_cycle)
		loop->config.on_cycle(loop->config.arg, &loop->view);
	loop_publish(loop);
	if (code)
		*err = why;
	return code;
}

int loop_once(Loop *loop, Error *err)
{
	return run_cycle(loop, err);
}

static void resume(Loop *loop, const Command *command)
{
	bool was_held = loop->is_paused || loop->view.manual_replicas >= 0;
	loop->is_paused = false;
	loop->view.manual_replicas = -1;
	loop_intervention(loop, command, "resume", was_held ? "held" : "running", "running");
	loop_answer(loop, command->id, 0, "resumed: the policy decides from the next cycle on");
}

static void pause_loop(Loop *loop, const Command *command)
{
	loop->is_paused = true;
	loop_intervention(loop, command, "pause", "running", "paused");
	loop_answer(loop, command->id, 0, "paused: nothing is decided or written until resumed");
}

/* False: stop. */
static bool handle(Loop *loop, const Command *command)
{
	switch (command->kind) {
	case COMMAND_STOP:
		return false;
	case COMMAND_LIVE_OVERRIDE:
		loop_override(loop, command);
		break;
	case COMMAND_LIVE_RESUME:
		resume(loop, command);
		break;
	case COMMAND_LIVE_PAUSE:
		pause_loop(loop, command);
		break;
	default:
		loop_answer(loop, command->id, ERR_INVALID, "not a command for a target");
	}
	loop_publish(loop);
	return true;
}

/* Waits for the next multiple of the interval and serves commands meanwhile. False: stop. */
static bool wait_for(Loop *loop, int64_t until_mono_ms)
{
	for (;;) {
		Command command;
		int code = queue_pop(&loop->commands, &command, clock_wait_ms(loop->config.clock, until_mono_ms));
		if (code == ERR_TIMEOUT)
			return true;
		if (code || !handle(loop, &command))
			return false;
	}
}

static void *loop_main(void *arg)
{
	Loop *loop = arg;
	Clock *clock = loop->config.clock;
	int64_t interval = loop->config.interval_ms, next = clock_mono_ms(clock);
	for (;;) {
		int64_t behind = clock_mono_ms(clock) - next;
		next += (behind > 0 ? behind / interval + 1 : 1) * interval; /* a late cycle is skipped, not queued */
		loop->view.next_decision_wall_ms = clock_wall_ms(clock) + next - clock_mono_ms(clock);
		Error err = { 0 };
		(void) run_cycle(loop, &err); /* what failed is in the view, the store and on_cycle */
		if (!wait_for(loop, next))
			return NULL;
	}
}

int loop_new(const LoopConfig *config, Loop **ret_loop, Error *err)
{
	const Target *target = &config->target;
	if (target->max_replicas < 1 || target->min_replicas < 1 || target->min_replicas > target->max_replicas)
		return error_set(err, ERR_USAGE, "%s/%s: replicas must be 1 <= min <= max, not min %d max %d", target->namespace_,
		                 target->name, target->min_replicas, target->max_replicas);
	if (config->interval_ms < 1000)
		return error_set(err, ERR_USAGE, "interval must be 1 s or more");
	Loop *loop = calloc(1, sizeof *loop);
	if (!loop || queue_init(&loop->commands, sizeof(Command), COMMANDS)) {
		free(loop);
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	}
	loop->config = *config;
	loop->own_replicas = -1;
	snap_bus_init(&loop->views, config->wake);
	loop_view_init(loop);
	*ret_loop = loop;
	return 0;
}

void loop_free(Loop *loop)
{
	if (!loop)
		return;
	queue_done(&loop->commands);
	snap_bus_done(&loop->views);
	free(loop);
}

int loop_start(Loop *loop, Error *err)
{
	if (pthread_create(&loop->thread, NULL, loop_main, loop))
		return error_set(err, ERR_NOMEM, "the loop's thread does not start");
	loop->is_started = true;
	return 0;
}

void loop_stop(Loop *loop)
{
	if (!loop || !loop->is_started)
		return;
	queue_close(&loop->commands);
	(void) pthread_join(loop->thread, NULL);
	loop->is_started = false;
}

int loop_send(Loop *loop, const Command *command)
{
	return queue_push(&loop->commands, command);
}

SnapBus *loop_views(Loop *loop)
{
	return &loop->views;
}
