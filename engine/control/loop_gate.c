/*
 * Step 1 of a cycle: what the cluster says of the targets, and whether their loops may act at all.
 */
#include "control/loop_internal.h"

#include <stdio.h>
#include <string.h>

static const int64_t FIGHT_MS = 600000; /* so many fights within it are a conflict */

static bool leads(const Loop *loop)
{
	Cluster *cluster = loop->config.cluster;
	return !cluster || cluster->ops->leads(cluster, &loop->config.target);
}

bool loop_comes_to_lead(const Loop *loop)
{
	return loop->view.state == STATE_STANDBY && leads(loop);
}

/* The loops of fleet->due that lead there come into fleet->part. Answers how many. */
static size_t looks_of(Fleet *fleet, size_t n, Cluster *cluster)
{
	size_t count = 0;
	for (size_t i = 0; i < n; i++)
		if (fleet->due[i]->config.cluster == cluster && fleet->due[i]->cycle.leads) {
			fleet->target[count] = fleet->due[i]->config.target;
			fleet->part[count++] = fleet->due[i];
		}
	return count;
}

void loop_look(Fleet *fleet, size_t n)
{
	for (size_t i = 0; i < n; i++) /* once a cycle: a lease that comes after this has no facts yet */
		fleet->due[i]->cycle.leads = leads(fleet->due[i]);
	for (size_t i = 0; i < n; i++) {
		Cluster *cluster = fleet->due[i]->config.cluster;
		bool is_first = cluster != NULL;
		for (size_t k = 0; k < i && is_first; k++)
			is_first = fleet->due[k]->config.cluster != cluster;
		size_t count = is_first ? looks_of(fleet, n, cluster) : 0;
		if (!count)
			continue;
		cluster->ops->look(cluster, fleet->target, count, fleet->facts);
		for (size_t k = 0; k < count; k++)
			fleet->part[k]->cycle.facts = fleet->facts[k];
	}
}

/* The history of another process, or of none: what is remembered here is not to be acted on. */
static void forget(Loop *loop)
{
	loop->machine = (StateMachine) { 0 };
	loop->is_history_known = loop->is_remembered = loop->is_backfilled = loop->is_load_known = false;
	observer_init(&loop->observer, loop->config.observation);
	loop->own_replicas = loop->tried_replicas = loop->seen_replicas = loop->remembered_replicas = -1;
	memset(loop->fight_ms, 0, sizeof loop->fight_ms);
}

/* What is remembered was seen an old interval apart: the past is filled back anew. Changes and wishes stay, and so do the rails' times. */
static void change_interval(Loop *loop, int64_t interval_ms)
{
	LoopConfig *config = &loop->config;
	(void) fprintf(stderr, "maestro: %s/%s: decides every %g s from now on, not every %g s\n", config->target.namespace_,
	               config->target.name, (double) interval_ms / 1000, (double) config->interval_ms / 1000);
	config->interval_ms = interval_ms;
	config->observation.interval_s = (float) interval_ms / 1000;
	observer_init(&loop->observer, config->observation);
	loop->is_backfilled = false;
	loop->next_ms = loop->cycle.start_ms + interval_ms;
	loop->view.next_decision_wall_ms = loop->cycle.sample.wall_ms + interval_ms;
}

void loop_price(Loop *loop)
{
	LoopConfig *config = &loop->config;
	config->target.pod_price = config->target.pod_price > 0 ? config->target.pod_price : config->policy->pod_price;
}

static void settle(Loop *loop)
{
	LoopConfig *config = &loop->config;
	LoopSettings now = { config->target, config->interval_ms, config->rails.stabilise_ms };
	Error err = { 0 };
	if (config->settle && !config->settle(config->arg, &loop->cycle.facts, &now, &err)) {
		(void) fprintf(stderr, "maestro: %s; the old settings stay\n", err.text);
		return;
	}
	bool is_longer = now.stabilise_ms > config->rails.stabilise_ms;
	config->target = now.target;
	loop_price(loop);
	config->rails.stabilise_ms = now.stabilise_ms;
	if (is_longer && loop->seen_replicas >= 0)
		rails_note_wish(&loop->history, &config->rails, loop->cycle.start_ms, loop->seen_replicas);
	if (now.interval_ms != config->interval_ms)
		change_interval(loop, now.interval_ms);
	loop->view.target = config->target;
	loop->view.interval_s = (float) config->interval_ms / 1000;
}

static void take_facts(Loop *loop)
{
	const TargetFacts *facts = &loop->cycle.facts;
	if (loop->uid[0] && facts->uid[0] && strcmp(loop->uid, facts->uid)) {
		(void) fprintf(stderr, "maestro: %s/%s was made anew: what was known of it is dropped\n",
		               loop->config.target.namespace_, loop->config.target.name);
		forget(loop);
	}
	if (facts->uid[0])
		str_copy(loop->uid, sizeof loop->uid, facts->uid);
	if (strcmp(loop->warning, facts->warning) && facts->warning[0])
		(void) fprintf(stderr, "maestro: %s/%s: %s: set its updateMode to Off for cpu\n", loop->config.target.namespace_,
		               loop->config.target.name, facts->warning);
	str_copy(loop->warning, sizeof loop->warning, facts->warning);
	settle(loop);
	str_copy(loop->view.owner, sizeof loop->view.owner, facts->owner);
}

/* ---- the scale ---- */

static void note_api(Loop *loop, int code, int64_t took_ms, const char *text)
{
	SourceHealth *health = &loop->view.api;
	health->is_known = true;
	health->is_ok = !code;
	str_copy(health->text, sizeof health->text, text);
	if (!code) {
		health->duration_ms = (float) took_ms;
		health->good_wall_ms = clock_wall_ms(loop->config.clock);
	}
}

/* The first look at a target. The number found counts as a wish: a restart lowers nothing within the first window. And its last change
 * counts as one of ours, by the store where that has it and by the API, which knows of a write whose row was lost with its process. */
static void remember_scale(Loop *loop)
{
	Cycle *cycle = &loop->cycle;
	int32_t now = cycle->scale.replicas, before = loop->remembered_replicas;
	const RailsConfig *rails = &loop->config.rails;
	int64_t age_ms = cycle->sample.wall_ms - cycle->facts.changed_ms;
	bool is_known_there = cycle->facts.changed_ms > 0 && age_ms >= 0;
	if (!loop->is_history_known)
		rails_history_init(&loop->history, cycle->start_ms, now);
	if (before >= 0 && before != now)
		(void) rails_note_change(&loop->history, rails, cycle->start_ms, before, now);
	else if (is_known_there && age_ms < rails->cooldown_up_ms) /* of which direction it does not say: the careful one */
		(void) rails_note_change(&loop->history, rails, cycle->start_ms - age_ms, now - 1, now);
	loop->remembered_replicas = -1;
	loop->is_history_known = loop->is_remembered = true;
}

static int read_scale(Loop *loop)
{
	const LoopConfig *config = &loop->config;
	Cycle *cycle = &loop->cycle;
	int64_t start = clock_mono_ms(config->clock);
	int code = cycle->facts.code;
	if (code)
		(void) error_set(&cycle->error, code, "%s", cycle->facts.why);
	else
		code = config->actuator->ops->get_scale(config->actuator, &config->target, &cycle->scale, &cycle->error);
	note_api(loop, code, clock_mono_ms(config->clock) - start, code ? cycle->error.text : config->actuator->ops->name);
	if (code)
		return code;
	cycle->has_scale = true;
	cycle->sample.replicas = cycle->scale.replicas;
	cycle->sample.valid |= SAMPLE_REPLICAS;
	if (!loop->is_remembered)
		remember_scale(loop);
	return 0;
}

/* Whether others have moved the replicas since the last cycle, and whether that takes back what was written here. */
static void compare_scale(Loop *loop)
{
	Cycle *cycle = &loop->cycle;
	int32_t now = cycle->scale.replicas, before = loop->seen_replicas;
	bool is_ours = now == loop->tried_replicas; /* a write whose answer was lost has arrived */
	loop->tried_replicas = -1;
	loop->seen_replicas = now;
	if (before < 0 || now == before)
		return;
	(void) rails_note_change(&loop->history, &loop->config.rails, cycle->start_ms, before, now);
	if (is_ours)
		loop->own_replicas = now;
	if (is_ours || loop->config.rails.is_dry_run || loop->config.actuator->is_floor)
		return;
	cycle->is_foreign = true;
	if (before != loop->own_replicas)
		return;
	memmove(loop->fight_ms + 1, loop->fight_ms, sizeof loop->fight_ms - sizeof *loop->fight_ms);
	loop->fight_ms[0] = cycle->start_ms;
}

static bool is_fought_over(const Loop *loop)
{
	int64_t oldest = loop->fight_ms[FIGHTS - 1];
	return oldest && loop->cycle.start_ms - oldest <= FIGHT_MS;
}

/* ---- gates ---- */

/* STATE_ACTIVE: the gate stays open, but there is something to say. */
static void shut(Cycle *cycle, TargetState state, Reason reason, const char *detail)
{
	cycle->gate = state;
	cycle->decision.reason = reason;
	str_copy(cycle->decision.detail, sizeof cycle->decision.detail, detail);
}

static void hold_number(Cycle *cycle, int32_t replicas, const char *detail)
{
	shut(cycle, STATE_MANUAL, REASON_MANUAL, detail);
	cycle->decision.raw = cycle->decision.desired = replicas;
}

/* By the object's own annotations, which `maestro override` writes from elsewhere. */
static void hold_annotated(Loop *loop)
{
	const TargetFacts *facts = &loop->cycle.facts;
	char until[CLOCK_TEXT], detail[96];
	clock_format(facts->held_until_ms, until);
	(void) snprintf(detail, sizeof detail, "maestro.io/paused-replicas%s%s", facts->held_until_ms ? " until " : "",
	                facts->held_until_ms ? until : "");
	hold_number(&loop->cycle, facts->held_replicas, detail);
	loop->view.manual_until_wall_ms = facts->held_until_ms;
	str_copy(loop->view.manual_who, sizeof loop->view.manual_who, "annotation");
}

bool loop_is_held(const Loop *loop)
{
	const TargetFacts *facts = &loop->cycle.facts;
	return facts->held_replicas >= 0 &&
	       (!facts->held_until_ms || clock_wall_ms(loop->config.clock) < facts->held_until_ms);
}

static bool is_in_conflict(Loop *loop)
{
	Cycle *cycle = &loop->cycle;
	bool is_fight = is_fought_over(loop), is_owned = cycle->facts.owner[0] != '\0';
	bool is_there = (is_fight || is_owned) && !loop->config.rails.is_dry_run;
	if (!state_conflict(&loop->machine, &loop->config.states, is_there))
		return false;
	char text[96];
	if (is_fight)
		(void) snprintf(text, sizeof text, "%.32s sets replicas too: take `replicas` out of what it applies",
		                cycle->facts.manager[0] ? cycle->facts.manager : "somebody");
	else
		(void) snprintf(text, sizeof text, "%.94s", is_owned ? cycle->facts.owner : "waiting for two cycles without one");
	shut(cycle, STATE_CONFLICT, is_fight ? REASON_REPLICAS_FOUGHT : REASON_CONFLICT, text);
	return true;
}

static void expire_manual(Loop *loop)
{
	if (loop->view.manual_replicas < 0 || clock_mono_ms(loop->config.clock) < loop->manual_until_ms)
		return;
	char from[64];
	loop_name_hold(loop, from, sizeof from);
	loop->view.manual_replicas = -1;
	loop_intervention(loop, "maestro", "override", from, "its time is over");
}

void loop_gate(Loop *loop)
{
	Cycle *cycle = &loop->cycle;
	const TargetFacts *facts = &cycle->facts;
	if (!cycle->leads) {
		forget(loop);
		Cluster *cluster = loop->config.cluster;
		bool is_cut_off = cluster->ops->is_cut_off(cluster, &loop->config.target);
		shut(cycle, STATE_STANDBY, is_cut_off ? REASON_API_ERROR : REASON_NONE,
		     is_cut_off ? "the lease cannot be asked for" : "this process does not hold the lease");
		return;
	}
	if (loop->config.cluster && !facts->code)
		take_facts(loop);
	expire_manual(loop);
	int code = read_scale(loop);
	if (code) {
		cycle->fault = FAULT_API;
		shut(cycle, loop->is_paused ? STATE_PAUSED : STATE_ACTIVE, loop->is_paused ? REASON_PAUSED : loop_reason_of(code),
		     cycle->error.text);
		return;
	}
	compare_scale(loop);
	if (loop->is_paused || (facts->is_paused && !loop_is_held(loop)) || facts->trouble[0])
		shut(cycle, STATE_PAUSED, facts->trouble[0] ? REASON_INVALID : REASON_PAUSED, facts->trouble);
	else if (is_in_conflict(loop))
		return;
	else if (loop->view.manual_replicas >= 0)
		hold_number(cycle, loop->view.manual_replicas, "");
	else if (loop_is_held(loop))
		hold_annotated(loop);
	else if (cycle->scale.replicas == 0 && loop->config.target.min_replicas > 0)
		shut(cycle, STATE_DISABLED, REASON_NONE, "scaled to 0 by hand");
}
