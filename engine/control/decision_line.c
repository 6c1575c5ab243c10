/* See decision_line.h. cpu_usage is percent of a core and memory_usage the ratio of the observation, as in the thesis. */
#include "control/decision_line.h"

#include "base/clock.h"
#include "base/json.h"
#include "decide/actions.h"

#include <math.h>

static const double MEM_UNIT_BYTES = 512.0 * 1024 * 1024; /* CONTROL F.1: of one replica */

static double known(const Sample *sample, uint32_t bit, double value)
{
	return sample->valid & bit ? value : NAN;
}

double decision_memory_ratio(const Sample *sample)
{
	bool is_known = (sample->valid & SAMPLE_MEM) && (sample->valid & SAMPLE_REPLICAS) && sample->replicas > 0;
	return is_known ? sample->mem_bytes / (MEM_UNIT_BYTES * sample->replicas) : NAN;
}

static void add_count(Json *object, const char *key, int32_t value)
{
	json_add_number(object, key, value < 0 ? (double) NAN : value);
}

/* What makes the decision again: the policy, its model, what it saw and what it might choose. */
static void add_replay(Json *object, const LiveView *view)
{
	json_add_string(object, "policy", view->policy);
	if (view->model_sha256[0])
		json_add_string(object, "model", view->model_sha256);
	else
		json_add_null(object, "model");
	Json *x = json_add_array(object, "observation"), *mask = json_add_array(object, "mask");
	for (int32_t i = 0; view->mask && i < view->obs_dim; i++)
		json_add_number(x, NULL, (double) view->obs[i]);
	for (int32_t a = 0; view->mask && a < actions_count(view->mask_of); a++)
		json_add_int(mask, NULL, view->mask >> a & 1);
	json_add_number(object, "value", (double) view->last.decision.value);
	json_add_string(object, "resource_version", view->written_version);
}

static void add_ages(Json *object, const Sample *sample)
{
	static const char *const names[] = { "cpu_usage", "memory_usage", "latency", "rps" };
	Json *ages = json_add_object(object, "age_ms");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		json_add_number(ages, names[i], sample->valid >> i & 1 ? (double) sample->age_ms[i] : (double) NAN);
}

static void add_durations(Json *object, const LiveView *view)
{
	static const char *const names[] = { "query", "inference", "write", "cycle" };
	Json *durations = json_add_object(object, "duration_ms");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		json_add_number(durations, names[i], view->duration_us[i] < 0 ? (double) NAN : (double) view->duration_us[i] / 1000);
}

char *decision_line(const LiveView *view)
{
	const DecisionRow *row = &view->last;
	const Sample *sample = &row->sample;
	const Decision *decision = &row->decision;
	char time[CLOCK_TEXT];
	clock_format(row->wall_ms, time);
	Json *object = json_new_object();
	json_add_string(object, "time", time);
	json_add_string(object, "namespace", view->target.namespace_);
	json_add_string(object, "deployment", view->target.name);
	json_add_string(object, "state", state_text(decision->state));
	json_add_number(object, "cpu_usage", known(sample, SAMPLE_CPU, sample->cpu_cores * 100));
	json_add_number(object, "memory_usage", decision_memory_ratio(sample));
	json_add_number(object, "replicas", known(sample, SAMPLE_REPLICAS, sample->replicas));
	json_add_number(object, "latency", known(sample, SAMPLE_LATENCY, sample->latency_ms));
	json_add_number(object, "rps", known(sample, SAMPLE_RPS, sample->rps));
	add_count(object, "action", decision->action);
	Json *probabilities = json_add_array(object, "probabilities");
	for (int32_t i = 0; i < decision->n_actions; i++)
		json_add_number(probabilities, NULL, (double) decision->probability[i]);
	add_count(object, "raw", decision->raw);
	add_count(object, "desired", decision->desired);
	add_count(object, "hpa", decision->hpa);
	Json *guards = json_add_array(object, "guards");
	for (int g = 0; g < GUARD_COUNT; g++)
		if (decision->guards & 1u << g)
			json_add_string(guards, NULL, guard_text((Guard) g));
	json_add_bool(object, "applied", decision->is_applied);
	json_add_string(object, "reason", reason_text(decision->reason));
	json_add_string(object, "detail", decision->detail);
	add_replay(object, view);
	add_ages(object, sample);
	add_durations(object, view);
	char *text = json_print(object);
	json_free(object);
	return text;
}
