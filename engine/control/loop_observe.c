/*
 * Steps 2 to 4 of a cycle: samples, observations, decisions. What is the same for many targets is asked once.
 */
#include "control/loop_internal.h"

#include "decide/outside.h"

#include <stdlib.h>
#include <string.h>

enum { PAST = TREND_HISTORY }; /* intervals that are filled back at the start */

static Reason metrics_reason(int code)
{
	return code == ERR_UNAUTHORIZED ? REASON_UNAUTHORIZED
	     : code == ERR_FORBIDDEN ? REASON_FORBIDDEN
	     : code == ERR_STALE ? REASON_METRICS_STALE : REASON_METRICS_MISSING;
}

static void note_source(SourceHealth *health, Clock *clock, int code, int64_t took_ms, const char *text)
{
	health->is_known = true;
	health->is_ok = !code;
	str_copy(health->text, sizeof health->text, text);
	if (!code) {
		health->duration_ms = (float) took_ms;
		health->good_wall_ms = clock_wall_ms(clock);
	}
}

/* Nothing can be decided, and why. The first reason of a cycle stays. */
static void fail(Loop *loop, StateFault fault, Reason reason, int code, const char *text)
{
	Cycle *cycle = &loop->cycle;
	if (cycle->fault)
		return;
	cycle->fault = fault;
	if (cycle->gate != STATE_ACTIVE)
		return; /* nothing was to be decided: samples are for the person who looks on */
	(void) error_set(&cycle->error, code, "%s", text);
	cycle->decision.reason = reason;
	str_copy(cycle->decision.detail, sizeof cycle->decision.detail, text);
}

/* ---- 2 observe ---- */

/* Who wants a sample: all but those that do not lead, and those whose API is away. */
static bool wants_sample(const Loop *loop)
{
	return loop->cycle.gate != STATE_STANDBY && loop->cycle.has_scale;
}

static void take_sample(Loop *loop, const Sample *sample, int code, int64_t took_ms, const char *why)
{
	const LoopConfig *config = &loop->config;
	Cycle *cycle = &loop->cycle;
	cycle->duration_us[DURATION_QUERY] = took_ms * 1000;
	note_source(&loop->view.metrics, config->clock, code, took_ms, code ? why : config->metrics->ops->name);
	if (code) {
		str_copy(cycle->sample.missing, sizeof cycle->sample.missing, why);
		fail(loop, FAULT_DATA, metrics_reason(code), code, why);
		return;
	}
	cycle->sample = *sample;
	cycle->sample.replicas = cycle->scale.replicas;
	cycle->sample.valid |= SAMPLE_REPLICAS;
}

/* One fetch for the count loops of fleet->part, which share a source. */
static void fetch(Fleet *fleet, Metrics *metrics, size_t count)
{
	Clock *clock = fleet->part[0]->config.clock;
	Error err = { 0 };
	for (size_t i = 0; i < count; i++) {
		fleet->target[i] = fleet->part[i]->config.target;
		fleet->sample[i] = fleet->part[i]->cycle.sample;
	}
	int64_t start = clock_mono_ms(clock);
	int code = metrics->ops->fetch(metrics, fleet->target, count, clock_wall_ms(clock), fleet->sample, &err);
	int64_t took = clock_mono_ms(clock) - start;
	for (size_t i = 0; i < count; i++)
		take_sample(fleet->part[i], &fleet->sample[i], code, took, err.text);
}

void loop_observe(Fleet *fleet, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		Metrics *metrics = fleet->due[i]->config.metrics;
		size_t count = 0;
		bool is_first = true;
		for (size_t k = 0; k < i && is_first; k++)
			is_first = fleet->due[k]->config.metrics != metrics;
		for (size_t k = i; k < n && is_first; k++)
			if (fleet->due[k]->config.metrics == metrics && wants_sample(fleet->due[k]))
				fleet->part[count++] = fleet->due[k];
		if (count)
			fetch(fleet, metrics, count);
	}
}

/* ---- 3 validate ---- */

/* The past: what policy and rails remember of it, and what the screen draws. A source without one leaves them empty. */
static void fill_back(Loop *loop)
{
	const LoopConfig *config = &loop->config;
	Sample *past = calloc(PAST, sizeof *past);
	Error err = { 0 };
	loop->is_backfilled = true;
	if (!past || !config->metrics->ops->history ||
	    metrics_history(config->metrics, &config->target, loop->cycle.sample.wall_ms, config->interval_ms, PAST, past, &err)) {
		free(past);
		return;
	}
	bool is_first = !loop->is_load_known; /* or the interval is another: then the rails have had it */
	loop->is_load_known = true;
	for (size_t i = 0; i + 1 < PAST; i++) { /* the last is now */
		Observation seen;
		if (is_first)
			rails_note_past(&loop->history, &past[i], loop->cycle.start_ms - (int64_t) (PAST - 1 - i) * config->interval_ms);
		(void) observer_step(&loop->observer, &config->target, &past[i], &seen, NULL);
	}
	loop_view_past(loop, past, PAST - 1);
	free(past);
}

/* What the HPA rule would set, beside each decision: an opinion, so its failure is no failure. */
static void ask_rule(Loop *loop)
{
	Cycle *cycle = &loop->cycle;
	Policy *hpa = loop->config.hpa;
	if (!hpa || !cycle->sample.n_pods || !cycle->has_scale || hpa->ops->decide(hpa, &cycle->obs, 1, &cycle->rule))
		return;
	cycle->decision.hpa = cycle->rule.raw;
	uint32_t needs = SAMPLE_CPU | SAMPLE_REPLICAS; /* all of it, and fresh */
	cycle->has_rule = (cycle->sample.valid & needs) == needs;
}

void loop_validate(Loop *loop)
{
	const LoopConfig *config = &loop->config;
	Cycle *cycle = &loop->cycle;
	Error err = { 0 };
	cycle->obs = (Observation) { .target = &config->target, .sample = &cycle->sample };
	ask_rule(loop);
	if (cycle->fault || cycle->gate == STATE_STANDBY)
		return;
	if (!loop->is_backfilled && cycle->sample.valid & SAMPLE_RPS)
		fill_back(loop);
	int code = observer_step(&loop->observer, &config->target, &cycle->sample, &cycle->obs, &err);
	if (code) {
		cycle->obs = (Observation) { .target = &config->target, .sample = &cycle->sample };
		fail(loop, FAULT_DATA, metrics_reason(code), code, err.text);
		return;
	}
	cycle->is_observed = true;
	loop_note_model(loop);
	if (config->policy->has_rails) {
		const RailsInput in = loop_rails_input(loop, cycle->scale.replicas, false);
		cycle->obs.mask = rails_mask(&in, config->policy->actions);
	}
	int32_t unknown_flag = config->observation.kind == OBS_TREND ? TREND_IMPUTED : -1;
	cycle->outside = outside_feature(config->policy->trained_on, &cycle->obs, unknown_flag);
}

/* ---- 4 decide ---- */

static void take_decision(Loop *loop, int code, const Decision *decision, int64_t took_ms)
{
	const LoopConfig *config = &loop->config;
	Cycle *cycle = &loop->cycle;
	Error err = { 0 };
	cycle->duration_us[DURATION_INFERENCE] = took_ms * 1000;
	if (code)
		(void) error_set(&err, code, "policy %s: %s", config->policy->label,
		                 config->policy->trouble[0] ? config->policy->trouble : err_text(code));
	note_source(&loop->view.model, config->clock, code, took_ms, code ? err.text : config->policy->label);
	if (code == ERR_NO_DATA) { /* a rule without its data is no broken model */
		fail(loop, FAULT_DATA, REASON_METRICS_MISSING, code, err.text);
	} else if (code) {
		fail(loop, FAULT_MODEL, REASON_MODEL_UNAVAILABLE, code, err.text);
	} else {
		int32_t hpa = cycle->decision.hpa;
		cycle->decision = *decision;
		cycle->decision.hpa = hpa;
		if (config->policy->outside[0])
			cycle->outside = OUTSIDE_TOLD;
	}
}

/* A server that hangs must not take a time-out a target: what would not be acted on is not asked for. */
static void pass_over(Loop *loop)
{
	fail(loop, FAULT_MODEL, REASON_MODEL_UNAVAILABLE, ERR_TIMEOUT, "not asked: others' answers took this cycle's time");
}

static void each_pass_over(Loop *const *loop, size_t n)
{
	for (size_t i = 0; i < n; i++)
		pass_over(loop[i]);
}

/* One inference for the count loops of fleet->part; if it fails, one each, so that one target does not stop the others. */
static void infer(Fleet *fleet, Policy *policy, size_t count, int64_t begin_ms)
{
	Clock *clock = fleet->part[0]->config.clock;
	for (size_t i = 0; i < count; i++) {
		fleet->obs[i] = fleet->part[i]->cycle.obs;
		fleet->decision[i] = loop_no_decision();
	}
	int64_t start = clock_mono_ms(clock);
	int code = policy->ops->decide(policy, fleet->obs, count, fleet->decision);
	for (size_t i = 0; i < count; i++) {
		int own = code;
		if (code && count > 1 && loop_is_late(fleet->part[i], begin_ms)) {
			pass_over(fleet->part[i]);
			continue;
		}
		if (code && count > 1) {
			fleet->decision[i] = loop_no_decision();
			own = policy->ops->decide(policy, &fleet->obs[i], 1, &fleet->decision[i]);
		}
		take_decision(fleet->part[i], own, &fleet->decision[i], clock_mono_ms(clock) - start);
	}
}

static bool wants_decision(const Loop *loop)
{
	return loop->cycle.is_observed && loop->cycle.gate == STATE_ACTIVE;
}

/* The loops from the at-th on that share its policy, which is the first of its kind there, into fleet->part. Answers how many. */
static size_t shares_of(Fleet *fleet, size_t n, size_t begin, size_t at)
{
	Policy *policy = fleet->due[(begin + at) % n]->config.policy;
	size_t count = 0;
	for (size_t k = 0; k < at; k++)
		if (fleet->due[(begin + k) % n]->config.policy == policy)
			return 0;
	for (size_t k = at; k < n; k++) {
		Loop *loop = fleet->due[(begin + k) % n];
		if (loop->config.policy == policy && wants_decision(loop))
			fleet->part[count++] = loop;
	}
	return count;
}

/* It goes on behind whoever was asked last where time ran out, so that nobody is passed over each time. Only time that policies took
 * counts: what slow metrics or a slow API took is no model's fault, and is told where something is to be written. */
void loop_decide(Fleet *fleet, size_t n)
{
	int64_t begin_ms = n ? clock_mono_ms(fleet->due[0]->config.clock) : 0;
	size_t begin = n ? fleet->asked % n : 0;
	for (size_t at = 0; at < n; at++) {
		size_t count = shares_of(fleet, n, begin, at);
		if (!count)
			continue;
		if (loop_is_late(fleet->part[0], begin_ms)) {
			each_pass_over(fleet->part, count);
			continue;
		}
		infer(fleet, fleet->part[0]->config.policy, count, begin_ms);
		fleet->asked = begin + at + 1;
	}
}
