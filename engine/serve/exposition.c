/* See exposition.h. Form: prometheus.io/docs/instrumenting/exposition_formats */
#include "serve/exposition.h"

#include "base/version.h"
#include "revision.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

void exposition_head(StrBuf *to, const char *name, const char *type, const char *help)
{
	strbuf_addf(to, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void exposition_label(StrBuf *labels, const char *name, const char *value)
{
	strbuf_addf(labels, "%s%s=\"", labels->len > 0 ? "," : "", name);
	for (; *value; value++)
		if (*value == '\n')
			strbuf_add(labels, "\\n", 2);
		else
			strbuf_addf(labels, "%s%c", strchr("\\\"", *value) ? "\\" : "", *value);
	strbuf_add(labels, "\"", 1);
}

static void add_name(StrBuf *to, const char *name, const char *suffix, const char *labels, const char *more)
{
	bool has_labels = labels && *labels;
	strbuf_addf(to, "%s%s", name, suffix);
	if (has_labels || *more)
		strbuf_addf(to, "{%s%s%s}", has_labels ? labels : "", has_labels && *more ? "," : "", more);
}

static void add_value(StrBuf *to, double value)
{
	if (isfinite(value))
		strbuf_addf(to, " %.10g\n", value);
	else
		strbuf_addf(to, " %s\n", isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf");
}

void exposition_sample(StrBuf *to, const char *name, const char *labels, double value)
{
	add_name(to, name, "", labels, "");
	add_value(to, value);
}

void exposition_histogram(StrBuf *to, const char *name, const char *labels, const Histogram *histogram)
{
	uint64_t count = 0;
	for (int b = 0; b <= HISTOGRAM_BOUNDS; b++) {
		char le[32] = "le=\"+Inf\"";
		if (b < HISTOGRAM_BOUNDS)
			(void) snprintf(le, sizeof le, "le=\"%g\"", (double) (1 << b) / 1e3);
		count += atomic_load(&histogram->bucket[b]);
		add_name(to, name, "_bucket", labels, le);
		add_value(to, (double) count);
	}
	add_name(to, name, "_sum", labels, "");
	add_value(to, (double) atomic_load(&histogram->sum_us) / 1e6);
	add_name(to, name, "_count", labels, "");
	add_value(to, (double) count);
}

typedef struct TelemetrySink {
	StrBuf *to;
	const char *name, *type, *help;
	bool has_head;
} TelemetrySink;

static void add_telemetry_row(void *arg, const char *const *label, const char *const *value, uint64_t n)
{
	TelemetrySink *sink = arg;
	StrBuf labels = { 0 };
	if (!sink->has_head)
		exposition_head(sink->to, sink->name, sink->type, sink->help);
	sink->has_head = true;
	for (int l = 0; l < 3 && label[l]; l++)
		exposition_label(&labels, label[l], value[l]);
	exposition_sample(sink->to, sink->name, labels.data, (double) n);
	strbuf_done(&labels);
}

void exposition_telemetry(StrBuf *to, Telemetry *telemetry)
{
	static const char *const names[][2] = {
#define WORD(name, metric, help, a, b, c) { metric, help },
		TELEMETRY_TABLE(WORD)
#undef WORD
	};
	if (!telemetry)
		return;
	for (int k = 0; k < TELEMETRY_KINDS; k++) {
		bool is_gauge = k == TELEMETRY_LEADER || k == TELEMETRY_LEASE_HELD;
		telemetry_each(telemetry, (TelemetryKind) k, add_telemetry_row,
		               &(TelemetrySink) { to, names[k][0], is_gauge ? "gauge" : "counter", names[k][1], false });
	}
	exposition_head(to, "maestro_query_duration_seconds", "histogram", "Time of a question to a backend.");
	for (int b = 0; b < BACKENDS; b++) {
		StrBuf labels = { 0 };
		exposition_label(&labels, "backend", backend_text((Backend) b));
		exposition_histogram(to, "maestro_query_duration_seconds", labels.data, telemetry_durations(telemetry, (Backend) b));
		strbuf_done(&labels);
	}
}

void exposition_build(StrBuf *to)
{
	exposition_head(to, "maestro_build_info", "gauge", "The program; always 1.");
	strbuf_addf(to, "maestro_build_info{version=\"%s\",revision=\"%s\"} 1\n", MAESTRO_VERSION, MAESTRO_REVISION);
}
