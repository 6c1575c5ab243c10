/* See run_report.h. */
#include "cmd/run_report.h"

#include "base/clock.h"
#include "control/decision_line.h"

#include <math.h>
#include <poll.h>
#include <stdlib.h>

static double known(const Sample *sample, uint32_t bit, double value)
{
	return sample->valid & bit ? value : NAN;
}

static void print_json(FILE *out, const LiveView *view)
{
	char *text = decision_line(view);
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
