/*
 * See loop.h. A Loop holds what is remembered of its target; its LiveView is the working copy from which each snapshot is taken,
 * so what is shown is what was recorded. A Fleet is a thread over loops.
 *
 * Files: loop.c runs cycles and takes commands, loop_gate.c looks around, loop_observe.c gets from samples to decisions,
 * loop_act.c moves replicas, loop_record.c fills the view and records, loop_tell.c speaks to the cluster.
 */
#include "control/loop_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { COMMANDS = 32, JUMP_MS = 30000, JITTER_FROM = 4, STANDBY_MS = 500 };

Reason loop_reason_of(int code)
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

Decision loop_no_decision(void)
{
	return (Decision) { .action = ACTION_NONE, .raw = -1, .desired = -1, .hpa = -1, .value = NAN };
}

/* ---- the cycle ---- */

static void begin(Loop *loop)
{
	Cycle *cycle = &loop->cycle;
	*cycle = (Cycle) {
		.decision = loop_no_decision(),
		.rule = loop_no_decision(),
		.facts = { .held_replicas = -1 },
		.gate = STATE_ACTIVE,
		.outside = -1,
		.duration_us = { -1, -1, -1 },
		.start_ms = clock_mono_ms(loop->config.clock),
	};
	cycle->sample.wall_ms = clock_wall_ms(loop->config.clock);
}

static void each(Loop *const *loop, size_t n, void (*step)(Loop *loop))
{
	for (size_t i = 0; i < n; i++)
		step(loop[i]);
}

/* Windows, cooldowns and turns go by the monotonic clock; a wall clock that is set is only worth a line. */
static void watch_clock(Fleet *fleet)
{
	Clock *clock = fleet->loop[0]->config.clock;
	int64_t ahead_ms = clock_wall_ms(clock) - clock_mono_ms(clock), moved_ms = ahead_ms - fleet->wall_ahead_ms;
	if (fleet->wall_ahead_ms && (moved_ms > JUMP_MS || moved_ms < -JUMP_MS))
		(void) fprintf(stderr, "maestro: the clock was set %s by %lld s; nothing here goes by it\n", moved_ms > 0 ? "forward" : "back",
		               (long long) ((moved_ms > 0 ? moved_ms : -moved_ms) / 1000));
	fleet->wall_ahead_ms = ahead_ms;
}

/* Ups first, and each cycle begins with another target: when the API's budget is spent, nobody waits every time. */
static void write_all(Fleet *fleet, size_t n)
{
	size_t first = n ? fleet->turn++ % n : 0;
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < n; i++) {
			Loop *loop = fleet->due[(first + i) % n];
			bool is_up = loop->cycle.decision.desired > loop->cycle.scale.replicas;
			if (is_up == (pass == 0))
				loop_write(loop);
		}
}

/* CONTROL B.1, for the n loops in fleet->due: up to what a policy sees, */
static void observe(Fleet *fleet, size_t n)
{
	Loop **due = fleet->due;
	watch_clock(fleet);
	each(due, n, begin);
	loop_look(fleet, n);              /* 1 gates: who leads, who else scales, what people ask for */
	each(due, n, loop_gate);
	loop_observe(fleet, n);           /* 2 one fetch a source */
	each(due, n, loop_validate);      /* 3 */
}

/* and from its answer on. */
static void act(Fleet *fleet, size_t n)
{
	Loop **due = fleet->due;
	loop_decide(fleet, n);            /* 4 one inference a policy */
	each(due, n, loop_guard);         /* 5 states and guard rails */
	write_all(fleet, n);              /* 6 */
	each(due, n, loop_record_cycle);  /* 7; 8, the sleep, is the thread's */
}

static void run_cycle(Fleet *fleet, size_t n)
{
	observe(fleet, n);
	act(fleet, n);
}

static void all_are_due(Fleet *fleet)
{
	memcpy(fleet->due, fleet->loop, fleet->n * sizeof(Loop *));
}

void fleet_observe(Fleet *fleet)
{
	all_are_due(fleet);
	observe(fleet, fleet->n);
}

void fleet_act(Fleet *fleet)
{
	all_are_due(fleet);
	act(fleet, fleet->n);
}

int fleet_once(Fleet *fleet, Error *err)
{
	all_are_due(fleet);
	run_cycle(fleet, fleet->n);
	for (size_t i = 0; i < fleet->n; i++)
		if (fleet->loop[i]->cycle.error.code) {
			*err = fleet->loop[i]->cycle.error;
			return err->code;
		}
	return 0;
}

/* Its queue is a third of what a loop takes: a thousand in one fleet have none of their own. */
static int own_fleet(Loop *loop, Error *err)
{
	Fleet *of = loop->fleet;
	int code = loop->own ? 0 : fleet_new(&loop, 1, &loop->own, err);
	loop->fleet = of ? of : loop->own;
	return code;
}

/* ---- commands ---- */

void loop_name_hold(const Loop *loop, char *text, size_t size)
{
	(void) snprintf(text, size, "%d held by %.40s", loop->view.manual_replicas, loop->view.manual_who);
}

/* Who set the replicas until now. */
static void name_rule(const Loop *loop, char *text, size_t size)
{
	if (loop->is_paused)
		str_copy(text, size, "paused");
	else if (loop->view.manual_replicas >= 0)
		loop_name_hold(loop, text, size);
	else if (loop_is_held(loop))
		(void) snprintf(text, size, "%d held by annotation", loop->cycle.facts.held_replicas);
	else
		str_copy(text, size, "the policy");
}

/* The object's own annotations stay: who wrote them may not have written here. */
static void resume(Loop *loop, const Command *command)
{
	const Target *target = &loop->config.target;
	if (loop_is_held(loop) && !loop->is_paused && loop->view.manual_replicas < 0) {
		char text[NAMESPACE_MAX + NAME_MAX_K8S + 90];
		(void) snprintf(text, sizeof text, "the annotation maestro.io/paused-replicas holds it: maestro override resume %s/%s", target->namespace_, target->name);
		loop_answer(loop, command->id, ERR_REFUSED, text);
		return;
	}
	char from[64];
	name_rule(loop, from, sizeof from);
	loop_audit(loop, command, "resume");
	loop->view.manual_replicas = -1;
	loop->is_paused = false;
	loop_intervention(loop, command->who, "resume", from, "the policy");
	loop_answer(loop, command->id, 0, "resumed: the policy decides from the next cycle on");
}

static void pause_loop(Loop *loop, const Command *command)
{
	char from[64];
	name_rule(loop, from, sizeof from);
	loop_audit(loop, command, "pause");
	loop->is_paused = true;
	loop_intervention(loop, command->who, "pause", from, "paused");
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

/* ---- the thread ---- */

static Clock *clock_of(const Fleet *fleet)
{
	return fleet->loop[0]->config.clock;
}

/* Waits until then and serves commands meanwhile. False: stop. */
static bool wait_for(Fleet *fleet, int64_t until_mono_ms)
{
	for (;;) {
		LoopCommand item;
		int code = queue_pop(&fleet->commands, &item, clock_wait_ms(clock_of(fleet), until_mono_ms));
		if (code == ERR_TIMEOUT)
			return true;
		if (code || !handle(item.loop, &item.command))
			return false;
	}
}

void fleet_serve(Fleet *fleet)
{
	LoopCommand item;
	while (!queue_pop(&fleet->commands, &item, 0))
		(void) handle(item.loop, &item.command);
}

/* The next turn after now, a multiple of the interval after the last. */
static void set_turn(Fleet *fleet, Loop *loop, int64_t now_ms)
{
	int64_t interval_ms = loop->config.interval_ms;
	loop->next_ms += ((now_ms - loop->next_ms) / interval_ms + 1) * interval_ms;
	loop->view.next_decision_wall_ms = clock_wall_ms(clock_of(fleet)) + loop->next_ms - now_ms;
}

/* The loops whose turn it is. Who comes to lead does not wait for the turn that it had as a standby: nobody has decided for its target
 * for a while. */
static size_t take_due(Fleet *fleet)
{
	size_t n = 0;
	int64_t now_ms = clock_mono_ms(clock_of(fleet));
	for (size_t i = 0; i < fleet->n; i++) {
		Loop *loop = fleet->loop[i];
		if (loop->next_ms > now_ms && loop_comes_to_lead(loop))
			loop->next_ms = now_ms;
		if (loop->next_ms > now_ms)
			continue;
		set_turn(fleet, loop, now_ms);
		fleet->due[n++] = loop;
	}
	return n;
}

/* A turn that passed during the loop's own cycle is skipped, not queued. One that another loop's cycle took is only late. */
static void skip_missed(Fleet *fleet, size_t n)
{
	int64_t now_ms = clock_mono_ms(clock_of(fleet));
	for (size_t i = 0; i < n; i++)
		if (fleet->due[i]->next_ms < now_ms)
			set_turn(fleet, fleet->due[i], now_ms);
}

/* When there may be something to do: a turn, or a standby that comes to lead. */
static int64_t earliest(const Fleet *fleet)
{
	int64_t at_ms = fleet->loop[0]->next_ms;
	bool has_standby = false;
	for (size_t i = 0; i < fleet->n; i++) {
		at_ms = fleet->loop[i]->next_ms < at_ms ? fleet->loop[i]->next_ms : at_ms;
		has_standby |= fleet->loop[i]->view.state == STATE_STANDBY;
	}
	int64_t look_ms = clock_mono_ms(clock_of(fleet)) + STANDBY_MS;
	return has_standby && look_ms < at_ms ? look_ms : at_ms;
}

/* Fleets of many that start together do not ask together: up to a tenth of the interval, the same for all of one, who share their
 * questions. */
static int64_t jitter_ms(Fleet *fleet)
{
	if (fleet->n < JITTER_FROM)
		return 0;
	if (!fleet->has_jitter && getrandom(&fleet->jitter, sizeof fleet->jitter, 0) == (ssize_t) sizeof fleet->jitter)
		fleet->has_jitter = true;
	return (int64_t) fleet->jitter % (fleet->loop[0]->config.interval_ms / 10);
}

static void *fleet_main(void *arg)
{
	Fleet *fleet = arg;
	int64_t start_ms = clock_mono_ms(clock_of(fleet));
	for (size_t i = 0; i < fleet->n; i++)
		fleet->loop[i]->next_ms = start_ms + jitter_ms(fleet);
	for (;;) {
		size_t n = take_due(fleet);
		run_cycle(fleet, n); /* what failed is in the views, the store and on_cycle */
		skip_missed(fleet, n);
		if (!wait_for(fleet, earliest(fleet)))
			return NULL;
	}
}

/* ---- life ---- */

int fleet_new(Loop *const *loops, size_t n, Fleet **ret_fleet, Error *err)
{
	Fleet *fleet = calloc(1, sizeof *fleet);
	if (!fleet || queue_init(&fleet->commands, sizeof(LoopCommand), COMMANDS)) {
		free(fleet);
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	}
	fleet->n = n;
	fleet->loop = calloc(n, sizeof *fleet->loop);
	fleet->due = calloc(n, sizeof *fleet->due);
	fleet->part = calloc(n, sizeof *fleet->part);
	fleet->target = calloc(n, sizeof *fleet->target);
	fleet->sample = calloc(n, sizeof *fleet->sample);
	fleet->facts = calloc(n, sizeof *fleet->facts);
	fleet->obs = calloc(n, sizeof *fleet->obs);
	fleet->decision = calloc(n, sizeof *fleet->decision);
	if (!fleet->loop || !fleet->due || !fleet->part || !fleet->target || !fleet->sample || !fleet->facts || !fleet->obs ||
	    !fleet->decision) {
		fleet_free(fleet);
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	}
	for (size_t i = 0; i < n; i++) {
		fleet->loop[i] = loops[i];
		loops[i]->fleet = fleet;
	}
	*ret_fleet = fleet;
	return 0;
}

void fleet_free(Fleet *fleet)
{
	if (!fleet)
		return;
	for (size_t i = 0; fleet->loop && i < fleet->n; i++)
		if (fleet->loop[i])
			fleet->loop[i]->fleet = fleet->loop[i]->own;
	queue_done(&fleet->commands);
	free(fleet->loop);
	free(fleet->due);
	free(fleet->part);
	free(fleet->target);
	free(fleet->sample);
	free(fleet->facts);
	free(fleet->obs);
	free(fleet->decision);
	free(fleet);
}

int fleet_start(Fleet *fleet, Error *err)
{
	if (pthread_create(&fleet->thread, NULL, fleet_main, fleet))
		return error_set(err, ERR_NOMEM, "the loop's thread does not start");
	fleet->is_started = true;
	return 0;
}

void fleet_stop(Fleet *fleet)
{
	if (!fleet || !fleet->is_started)
		return;
	queue_close(&fleet->commands);
	(void) pthread_join(fleet->thread, NULL);
	fleet->is_started = false;
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
	if (!loop)
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	loop->config = *config;
	if (!config->states.fallback_after)
		state_config_default(&loop->config.states);
	loop->config.states.is_shadow = config->rails.is_dry_run;
	loop->model_interval_s = config->policy->interval_s; /* a file's: whoever opened it has looked at it */
	loop->own_replicas = loop->tried_replicas = loop->seen_replicas = loop->remembered_replicas = -1;
	if (loop->config.observation.interval_s <= 0)
		loop->config.observation.interval_s = (float) config->interval_ms / 1000;
	loop_price(loop);
	observer_init(&loop->observer, loop->config.observation);
	snap_bus_init(&loop->views, config->wake);
	loop_view_init(loop);
	*ret_loop = loop;
	return 0;
}

void loop_free(Loop *loop)
{
	if (!loop)
		return;
	if (loop->own)
		loop->own->n = 0; /* it must not look at the loop any more */
	fleet_free(loop->own);
	snap_bus_done(&loop->views);
	free(loop);
}

void loop_remember(Loop *loop, int64_t age_ms, int32_t from, int32_t to)
{
	int64_t at_ms = clock_mono_ms(loop->config.clock) - age_ms;
	if (!loop->is_history_known)
		rails_history_init(&loop->history, at_ms, from);
	loop->is_history_known = true;
	loop->remembered_replicas = to;
	(void) rails_note_change(&loop->history, &loop->config.rails, at_ms, from, to);
}

int loop_start(Loop *loop, Error *err)
{
	int code = own_fleet(loop, err);
	return code ? code : fleet_start(loop->own, err);
}

void loop_stop(Loop *loop)
{
	if (loop)
		fleet_stop(loop->own);
}

int loop_send(Loop *loop, const Command *command)
{
	const LoopCommand item = { loop, *command };
	int code = loop->fleet ? 0 : own_fleet(loop, NULL);
	return code ? code : queue_push(&loop->fleet->commands, &item);
}

const LoopConfig *loop_config(const Loop *loop)
{
	return &loop->config;
}

SnapBus *loop_views(Loop *loop)
{
	return &loop->views;
}
