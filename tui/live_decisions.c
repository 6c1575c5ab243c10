/* The table of last decisions on the Live screen. */
#include "tui/console.h"
#include "tui/fmt.h"
#include "tui/screen_live.h"
#include "tui/table.h"

#include <math.h>
#include <stdio.h>

static const DecisionRow *row_of(const void *data, int row)
{
	return &((const LiveView *) data)->row[row];
}

static Role count(char *text, size_t size, int32_t value, Role role)
{
	(void) snprintf(text, size, value < 0 ? "-" : "%d", value);
	return role;
}

static Role cell_time(const void *data, int row, char *text, size_t size)
{
	(void) size;
	(void) fmt_clock(text, row_of(data, row)->wall_ms);
	return ROLE_TEXT;
}

static Role cell_who(const void *data, int row, char *text, size_t size)
{
	(void) snprintf(text, size, "%s", row_of(data, row)->who);
	return ROLE_TEXT;
}

static Role cell_was(const void *data, int row, char *text, size_t size)
{
	const Sample *s = &row_of(data, row)->sample;
	return count(text, size, s->valid & SAMPLE_REPLICAS ? s->replicas : -1, ROLE_LABEL);
}

static Role cell_raw(const void *data, int row, char *text, size_t size)
{
	const Decision *d = &row_of(data, row)->decision;
	return count(text, size, d->action == ACTION_NONE ? -1 : d->raw, ROLE_TEXT);
}

static Role cell_final(const void *data, int row, char *text, size_t size)
{
	return count(text, size, row_of(data, row)->decision.desired, ROLE_STRONG);
}

static Role cell_hpa(const void *data, int row, char *text, size_t size)
{
	return count(text, size, row_of(data, row)->decision.hpa, ROLE_LABEL);
}

static Role cell_reason(const void *data, int row, char *text, size_t size)
{
	Reason reason = row_of(data, row)->decision.reason;
	(void) snprintf(text, size, "%s", reason_text(reason));
	return reason > REASON_POLICY_KEEP && reason < REASON_MANUAL ? ROLE_WARN : ROLE_TEXT;
}

/* A figure of the row's sample, or "?". */
static Role figure(const Sample *s, uint32_t field, double value, FmtFn format, char *text)
{
	(void) format(text, s->valid & field ? value : NAN);
	return s->valid & field ? ROLE_TEXT : ROLE_WARN;
}

static Role cell_p95(const void *data, int row, char *text, size_t size)
{
	(void) size;
	const LiveView *live = data;
	const Sample *s = &row_of(data, row)->sample;
	Role role = figure(s, SAMPLE_LATENCY, s->latency_ms, fmt_ms, text);
	if (role == ROLE_TEXT && live->target.latency_hard_ms > 0 && s->latency_ms > (double) live->target.latency_hard_ms)
		return ROLE_BAD;
	if (role == ROLE_TEXT && live->target.latency_soft_ms > 0 && s->latency_ms > (double) live->target.latency_soft_ms)
		return ROLE_WARN;
	return role;
}

static Role cell_rps(const void *data, int row, char *text, size_t size)
{
	(void) size;
	const Sample *s = &row_of(data, row)->sample;
	return figure(s, SAMPLE_RPS, s->rps, fmt_rate, text);
}

static Role cell_cpu(const void *data, int row, char *text, size_t size)
{
	(void) size;
	const Sample *s = &row_of(data, row)->sample;
	return figure(s, SAMPLE_CPU, s->cpu_cores, fmt_cores, text);
}

static Role cell_result(const void *data, int row, char *text, size_t size)
{
	const DecisionRow *r = row_of(data, row);
	char took[FMT_TEXT];
	if (r->decision.is_applied && ((const LiveView *) data)->is_simulated)
		(void) snprintf(text, size, "applied");
	else if (r->decision.is_applied)
		(void) snprintf(text, size, "applied %s", fmt_ms(took, r->write_us < 0 ? NAN : (double) r->write_us / 1000));
	else
		(void) snprintf(text, size, r->write_us >= 0 ? "refused" : "-");
	return r->decision.is_applied ? ROLE_OK : r->write_us >= 0 ? ROLE_BAD : ROLE_LABEL;
}

static Role cell_guards(const void *data, int row, char *text, size_t size)
{
	uint32_t guards = row_of(data, row)->decision.guards;
	live_guards(guards, text, size);
	return guards ? ROLE_WARN : ROLE_LABEL;
}

static Role cell_note(const void *data, int row, char *text, size_t size)
{
	fmt_until(row_of(data, row)->decision.detail, row_of(data, row)->wall_ms, text, size);
	return ROLE_LABEL;
}

const Column live_columns[LIVE_COLUMNS] = {
	{ "time", 8, 0, false, false, cell_time },
	{ "who", 8, 4, false, false, cell_who },
	{ "was", 3, 2, true, false, cell_was },
	{ "raw", 3, 0, true, false, cell_raw },
	{ "final", 5, 0, true, false, cell_final },
	{ "HPA", 3, 3, true, false, cell_hpa },
	{ "reason", 16, 0, false, false, cell_reason },
	{ "p95", 8, 0, true, false, cell_p95 },
	{ "rps", 8, 1, true, false, cell_rps },
	{ "cpu", 10, 6, true, false, cell_cpu },
	{ "result", 15, 5, false, false, cell_result },
	{ "guards", 12, 7, false, false, cell_guards },
	{ "note", 24, 8, false, true, cell_note },
};

void live_draw_decisions(const Scene *scene, Rect in)
{
	int rows = in.rows - 1, at = scene->row < 0 ? scene->live->n_rows - 1 : scene->row;
	int first = at >= rows ? at - rows + 1 : 0;
	Column column[COLUMNS_MAX];
	int n_columns = console_columns(scene->console, SCREEN_LIVE, column);
	table_draw(scene->canvas, in, column, n_columns, scene->live, scene->live->n_rows, first,
	           scene->row);
}
