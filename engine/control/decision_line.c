/* See decision_line.h. cpu_usage is percent of a core and memory_usage the ratio of the observation, as in the thesis. */
#include "control/decision_line.h"

#include "base/clock.h"
#include "base/json.h"

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
	char *text = json_print(object);
	json_free(object);
	return text;
}
