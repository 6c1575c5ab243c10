/* See run_report.h. In JSON cpu_usage is percent of a core and memory_usage the ratio of the observation, as in the thesis. */
#include "cmd/run_report.h"

#include "base/clock.h"
#include "base/json.h"

#include <math.h>
#include <poll.h>
#include <stdlib.h>

static const double MEM_UNIT_BYTES = 512.0 * 1024 * 1024; /* CONTROL F.1: of one replica */

static double known(const Sample *sample, uint32_t bit, double value)
{
	return sample->valid & bit ? value : NAN;
}

static double memory_ratio(const Sample *sample)
{
	bool is_known = (sample->valid & SAMPLE_MEM) && (sample->valid & SAMPLE_REPLICAS) && sample->replicas > 0;
	return is_known ? sample->mem_bytes / (MEM_UNIT_BYTES * sample->replicas) : NAN;
}

static void add_count(Json *object, const char *key, int32_t value)
{
	json_add_number(object, key, value < 0 ? (double) NAN : value);
}

static void print_json(FILE *out, const LiveView *view)
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
	json_add_number(object, "memory_usage", memory_ratio(sample));
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
	if (text)
		(void) fprintf(out, "%s\n", text);
	free(text);
}

static void print_number(FILE *out, const char *before, double value, int decimals, const char *unit)
{
	if (isfinite(value))
		(void) fprintf(out, "  %s %.*f%s", before, decimals, value, unit);
	else
		(void) fprintf(out, "  %s ?", before);
}

static void print_text(FILE *out, const LiveView *view)
{
	const DecisionRow *row = &view->last;
	const Sample *sample = &row->sample;
	const Decision *decision = &row->decision;
	char time[CLOCK_TEXT];
	clock_format(row->wall_ms, time);
	(void) fprintf(out, "%s %s/%s %s", time, view->target.namespace_, view->target.name, state_text(decision->state));
	print_number(out, "replicas", known(sample, SAMPLE_REPLICAS, sample->replicas), 0, "");
	print_number(out, "wanted", decision->desired < 0 ? (double) NAN : decision->desired, 0, decision->is_applied ? " (applied)" : "");
	(void) fprintf(out, "  %s", reason_text(decision->reason));
	print_number(out, "p95", known(sample, SAMPLE_LATENCY, sample->latency_ms), 0, " ms");
	print_number(out, "rps", known(sample, SAMPLE_RPS, sample->rps), 1, "");
	print_number(out, "cpu", known(sample, SAMPLE_CPU, sample->cpu_cores), 2, " cores");
	print_number(out, "hpa", decision->hpa < 0 ? (double) NAN : decision->hpa, 0, "");
	(void) fprintf(out, "%s%s\n", decision->detail[0] ? "  " : "", decision->detail);
}

void run_report_cycle(void *arg, const LiveView *view)
{
	RunReport *report = arg;
	struct pollfd fd = { .fd = fileno(report->out), .events = POLLOUT };
	if (poll(&fd, 1, 0) == 0)
		return; /* a reader that has stopped reading loses lines; it does not stop the loop, and the store has them */
	(report->is_json ? print_json : print_text)(report->out, view);
	(void) fflush(report->out);
}
