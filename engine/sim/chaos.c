/* See chaos.h. A kind is a row of a table; what all active ones come to is worked out when one begins or ends. */
#include "sim/core.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const float MIB = 1048576.0f;
static const double MISSED_AFTER_S = 40.0;
static const double CALM = .2, FULL = .6; /* parts of a training: no faults before, all of them after */

static const struct {
	const char *name;
	double for_s[2], size[2]; /* drawn log-uniformly between; a plan's default is the second */
} KINDS[CHAOS_KINDS] = {
	[CHAOS_CPU_STRESS] = { "cpu-stress", { 270, 270 }, { .5, 1 } },
	[CHAOS_MEMORY_STRESS] = { "memory-stress", { 120, 300 }, { 100, 450 } },
	[CHAOS_POD_KILL] = { "pod-kill", { 0, 0 }, { 1, 1 } },
	[CHAOS_ALL_KILLED] = { "all-killed", { 0, 0 }, { 1, 1 } },
	[CHAOS_NODE_LOST] = { "node-lost", { 30, 300 }, { 1, 1 } },
	[CHAOS_NETWORK_DELAY] = { "network-delay", { 60, 300 }, { .05, .5 } },
	[CHAOS_NETWORK_LOSS] = { "network-loss", { 60, 300 }, { .01, .1 } },
	[CHAOS_METRICS_OUTAGE] = { "metrics-outage", { 60, 600 }, { 1, 1 } },
	[CHAOS_API_REFUSED] = { "api-refused", { 60, 300 }, { 1, 1 } },
	[CHAOS_SLOW_START] = { "slow-start", { 300, 600 }, { 2, 5 } },
	[CHAOS_NEIGHBOUR] = { "neighbour", { 120, 600 }, { .1, .4 } },
};

const char *chaos_name(ChaosKind kind)
{
	return KINDS[kind].name;
}

/* ---- plans ---- */

static const char *read_value(const char *text, double *ret)
{
	char *end;
	*ret = strtod(text, &end);
	if (end == text || !(*ret >= 0.0 && *ret <= 1e9))
		return NULL;
	if (*end == 's' || *end == 'm' || *end == 'h') {
		*ret *= *end == 's' ? 1.0 : *end == 'm' ? 60.0 : 3600.0;
		end++;
	}
	return *end && *end != ',' ? NULL : end;
}

static int find_kind(const char *spec, size_t len, ChaosPlan *ret, Error *err)
{
	char known[200] = "";
	for (int k = 0; k < CHAOS_KINDS; k++) {
		if (strlen(KINDS[k].name) == len && !strncmp(KINDS[k].name, spec, len)) {
			*ret = (ChaosPlan) { (ChaosKind) k, 600.0, 1800.0, KINDS[k].for_s[1], KINDS[k].size[1] };
			return 0;
		}
		(void) snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", k ? ", " : "", KINDS[k].name);
	}
	return error_set(err, ERR_USAGE, "fault \"%.30s\" is not known; there are %s", spec, known);
}

int chaos_parse(const char *spec, ChaosPlan *ret_plan, Error *err)
{
	ChaosPlan plan = { .size = 0.0 };
	size_t len = strcspn(spec, ":");
	int code = find_kind(spec, len, &plan, err);
	if (code)
		return code;
	struct {
		const char *name;
		double *at;
	} keys[] = { { "at=", &plan.at_s }, { "every=", &plan.every_s }, { "for=", &plan.for_s }, { "size=", &plan.size } };
	for (const char *item = spec[len] ? spec + len + 1 : ""; *item; item += *item == ',') {
		const char *end = NULL;
		for (size_t k = 0; k < sizeof keys / sizeof *keys && !end; k++)
			if (!strncmp(item, keys[k].name, strlen(keys[k].name)))
				end = read_value(item + strlen(keys[k].name), keys[k].at);
		if (!end)
			return error_set(err, ERR_USAGE, "fault %s: \"%.40s\": write at=, every=, for= (a time) or size=", chaos_name(plan.kind),
			                 item);
		item = end;
	}
	if (plan.kind == CHAOS_NETWORK_LOSS || plan.kind == CHAOS_NEIGHBOUR)
		plan.size = fmin(plan.size, .95);
	*ret_plan = plan;
	return 0;
}

char *chaos_text(const ChaosPlan *fault, char *text)
{
	int len = snprintf(text, CHAOS_TEXT, "%s:", chaos_name(fault->kind));
	if (fault->for_s > 0.0)
		len += snprintf(text + len, CHAOS_TEXT - (size_t) len, "for=%.9g,", fault->for_s);
	(void) snprintf(text + len, CHAOS_TEXT - (size_t) len, "size=%.9g", fault->size);
	return text;
}

/* ---- a row ---- */

void chaos_reset(const SimModel *model, SimRow *row)
{
	row->chaos = (Chaos) { .outage_from = INT32_MAX, .outage_to = INT32_MAX, .next = INT32_MAX, .speed = 1.0f, .cpu_share = 1.0f,
		.start_scale = 1.0f, .delay_s = drawn_of(model, row)->backend_s };
}

static float size_of(const Chaos *chaos, const ChaosFaults *faults, ChaosKind kind, float otherwise)
{
	return chaos_is_on(chaos, kind) ? faults->size[kind] : otherwise;
}

/* What the faults of this moment come to. */
static void settle(const SimModel *model, SimRow *row, const ChaosFaults *faults)
{
	Chaos *chaos = &row->chaos;
	chaos->next = INT32_MAX;
	for (int k = 0; k < CHAOS_KINDS; k++) {
		if (!chaos_is_on(chaos, (ChaosKind) k))
			continue;
		if (row->tick >= faults->until[k])
			chaos->active &= ~(1u << k);
		else if (faults->until[k] < chaos->next)
			chaos->next = faults->until[k];
	}
	float stress = size_of(chaos, faults, CHAOS_CPU_STRESS, 0.0f);
	chaos->speed = (1.0f - size_of(chaos, faults, CHAOS_NEIGHBOUR, 0.0f)) / (1.0f + stress);
	chaos->cpu_share = chaos->speed;
	chaos->cpu_extra = stress / (1.0f + stress);
	chaos->delay_s = drawn_of(model, row)->backend_s + size_of(chaos, faults, CHAOS_NETWORK_DELAY, 0.0f);
	chaos->loss = size_of(chaos, faults, CHAOS_NETWORK_LOSS, 0.0f);
	chaos->start_scale = size_of(chaos, faults, CHAOS_SLOW_START, 1.0f);
	chaos->mem_bytes = size_of(chaos, faults, CHAOS_MEMORY_STRESS, 0.0f) * MIB;
	if (!chaos_is_on(chaos, CHAOS_NODE_LOST) && chaos->ghosts) { /* given up: others take their place */
		row->alive -= chaos->ghosts;
		chaos->ghosts = 0;
	}
}

/* A fault's own word of chance, the same whatever else was drawn. */
static void draw(const SimRow *row, uint32_t part, uint32_t ret_word[4])
{
	const uint32_t key[] = { (uint32_t) row->seed, (uint32_t) (row->seed >> 32) };
	const uint32_t counter[] = { (uint32_t) row->tick << 8 | part, row->episode, row->id, RNG_CHAOS };
	rng_philox(counter, key, ret_word);
}

void chaos_begin(const SimModel *model, SimRow *row, const SimView *view, const ChaosPlan *fault, double now_s)
{
	Chaos *chaos = &row->chaos;
	double for_s = fault->for_s;
	uint32_t word[4];
	draw(row, 1u + fault->kind, word);
	chaos->seen |= 1u << fault->kind;
	switch (fault->kind) {
	case CHAOS_POD_KILL:
		for (double k = 0.0; k < fmax(fault->size, 1.0); k += 1.0)
			pods_kill(model, row, view, word[0] + (uint32_t) k, now_s);
		return;
	case CHAOS_ALL_KILLED:
		while (pods_kill(model, row, view, 0, now_s))
			;
		return;
	case CHAOS_NODE_LOST:
		chaos->ghosts += pods_lose_node(model, row, view, word[0], now_s);
		chaos->missed = (int32_t) (row->tick + llround(MISSED_AFTER_S / model->dt));
		for_s += MISSED_AFTER_S;
		break;
	case CHAOS_METRICS_OUTAGE:
		chaos->outage_from = (int32_t) row->tick;
		chaos->outage_to = (int32_t) (row->tick + llround(for_s / model->dt));
		break;
	default:
		break;
	}
	chaos->active |= 1u << fault->kind;
	view->faults->until[fault->kind] = (int32_t) (row->tick + llround(for_s / model->dt));
	view->faults->size[fault->kind] = (float) fault->size;
	settle(model, row, view->faults);
}

void chaos_end(const SimModel *model, SimRow *row, const SimView *view)
{
	for (int k = 0; k < CHAOS_KINDS; k++)
		view->faults->until[k] = (int32_t) row->tick;
	if (chaos_is_on(&row->chaos, CHAOS_METRICS_OUTAGE))
		row->chaos.outage_to = (int32_t) row->tick;
	settle(model, row, view->faults);
}

static double between(const double bound[2], uint32_t word)
{
	return bound[0] > 0.0 ? bound[0] * pow(bound[1] / bound[0], (word + .5) / 4294967296.0) : bound[1];
}

/* One fault of any kind with the rate's chance. */
static void draw_fault(const SimModel *model, SimRow *row, const SimView *view, double now_s)
{
	double along = model->config.chaos_steps > 0 ? (double) row->lived / (double) model->config.chaos_steps : 1.0;
	double rate = model->config.chaos_rate * fmin(fmax((along - CALM) / (FULL - CALM), 0.0), 1.0);
	uint32_t word[4];
	draw(row, 0, word);
	if ((word[0] + .5) / 4294967296.0 >= rate)
		return;
	ChaosPlan fault = { .kind = (ChaosKind) (((uint64_t) word[1] * CHAOS_KINDS) >> 32) };
	fault.for_s = between(KINDS[fault.kind].for_s, word[2]);
	fault.size = between(KINDS[fault.kind].size, word[3]);
	if (!chaos_is_on(&row->chaos, fault.kind))
		chaos_begin(model, row, view, &fault, now_s);
}

/* How often a plan has begun by a time. */
static double times(const ChaosPlan *plan, double t_s)
{
	if (t_s < plan->at_s)
		return 0.0;
	return plan->every_s > 0.0 ? 1.0 + floor((t_s - plan->at_s) / plan->every_s) : 1.0;
}

void chaos_tick(const SimModel *model, SimRow *row, const SimView *view, double now_s)
{
	const SimConfig *c = &model->config;
	if (row->tick < 0)
		return;
	if (row->tick >= row->chaos.next)
		settle(model, row, view->faults);
	row->chaos.seen |= row->chaos.active;
	if (c->chaos_rate > 0.0 && row->tick % drawn_of(model, row)->substeps == 0)
		draw_fault(model, row, view, now_s);
	for (int32_t i = 0; i < c->n_plans; i++)
		if (times(&c->plan[i], now_s) > times(&c->plan[i], now_s - model->dt))
			chaos_begin(model, row, view, &c->plan[i], now_s);
}
