/* See run_report.h. */
#include "cmd/run_report.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "control/decision_line.h"

#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

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

/* ---- the log ---- */

static const char *level_of(const LiveView *view)
{
	bool is_change = view->n_rows > 1 && view->row[1].decision.state != view->row[0].decision.state;
	return is_change ? "warn" : "info";
}

static void add_quoted(StrBuf *line, const char *text)
{
	strbuf_addf(line, "\"");
	for (const char *at = text; *at; at++)
		strbuf_addf(line, "%s%c", strchr("\"\\", *at) ? "\\" : "", *at == '\n' ? ' ' : *at);
	strbuf_addf(line, "\"");
}

/* key=value of every member; lists and text with blanks are in quotes. */
static void add_logfmt(StrBuf *line, const Json *record)
{
	for (const Json *item = json_first(record); item; item = json_next(item)) {
		const char *word = json_string(item);
		char *text = word ? NULL : json_print(item);
		const char *value = word ? word : text ? text : "";
		strbuf_addf(line, " %s=", json_key(item));
		if (!*value || value[strcspn(value, " \"=\\\n,")])
			add_quoted(line, value);
		else
			strbuf_addf(line, "%s", value);
		free(text);
	}
}

static void print_log(LogFormat format, const LiveView *view)
{
	char *text = decision_line(view);
	StrBuf line = { 0 };
	Json *record = NULL;
	if (text && format == LOG_JSON) {
		strbuf_addf(&line, "{\"level\":\"%s\",\"msg\":\"decision\",%s", level_of(view), text + 1);
	} else if (text && !json_parse(text, strlen(text), &record, NULL)) {
		strbuf_addf(&line, "level=%s msg=decision", level_of(view));
		add_logfmt(&line, record);
	}
	if (line.data && !line.failed)
		(void) fprintf(stderr, "%s\n", line.data);
	json_free(record);
	strbuf_done(&line);
	free(text);
}

bool run_report_log(const char *word, LogFormat *ret)
{
	static const char *const words[] = { [LOG_TEXT] = "text", [LOG_FMT] = "logfmt", [LOG_JSON] = "json" };
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (!strcmp(word, words[i])) {
			*ret = (LogFormat) i;
			return true;
		}
	return false;
}

static bool may_block(FILE *file)
{
	struct pollfd fd = { .fd = fileno(file), .events = POLLOUT };
	return poll(&fd, 1, 0) == 0;
}

void run_report_cycle(void *arg, const LiveView *view)
{
	RunReport *report = arg;
	/* a reader that has stopped reading loses lines; it does not stop the loop, and the store has them */
	if (report->log != LOG_TEXT && !may_block(stderr))
		print_log(report->log, view);
	if (may_block(report->out) || (report->log != LOG_TEXT && !report->is_json))
		return;
	(report->is_json ? print_json : print_text)(report->out, view);
	(void) fflush(report->out);
}
