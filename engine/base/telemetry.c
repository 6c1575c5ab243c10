/* See telemetry.h. One table of rows under a mutex: they are few, and each is found by comparing. */
#include "base/telemetry.h"

#include "base/err.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 512, LABELS = 3 };

typedef struct Row {
	TelemetryKind kind;
	char *value[LABELS]; /* owned; NULL past its labels */
	uint64_t n;
	bool is_needed; /* of a Lease */
} Row;

struct Telemetry {
	pthread_mutex_t lock; /* of the rows */
	Row row[ROWS_MAX];
	size_t n_rows;
	Histogram duration[BACKENDS];
};

static const char *const LABEL[TELEMETRY_KINDS][LABELS] = {
#define WORD(name, metric, help, a, b, c) { a, b, c },
	TELEMETRY_TABLE(WORD)
#undef WORD
};

const char *backend_text(Backend backend)
{
	static const char *const texts[BACKENDS] = { "prometheus", "model", "suggestion" };
	return texts[backend];
}

static void row_done(Row *row)
{
	for (int l = 0; l < LABELS; l++)
		free(row->value[l]);
}

Telemetry *telemetry_new(void)
{
	Telemetry *telemetry = calloc(1, sizeof *telemetry);
	if (!telemetry)
		return NULL;
	(void) pthread_mutex_init(&telemetry->lock, NULL);
	return telemetry;
}

void telemetry_free(Telemetry *telemetry)
{
	if (!telemetry)
		return;
	(void) pthread_mutex_destroy(&telemetry->lock);
	for (size_t i = 0; i < telemetry->n_rows; i++)
		row_done(&telemetry->row[i]);
	free(telemetry);
}

static bool is_row(const Row *row, TelemetryKind kind, const char *const *value)
{
	for (int l = 0; row->kind == kind && l < LABELS && LABEL[kind][l]; l++)
		if (strcmp(row->value[l], value[l]))
			return false;
	return row->kind == kind;
}

/* NULL: there is no room for another. */
static Row *find(Telemetry *telemetry, TelemetryKind kind, const char *const *value)
{
	for (size_t i = 0; i < telemetry->n_rows; i++)
		if (is_row(&telemetry->row[i], kind, value))
			return &telemetry->row[i];
	if (telemetry->n_rows == ROWS_MAX)
		return NULL;
	Row *row = &telemetry->row[telemetry->n_rows];
	*row = (Row) { .kind = kind };
	for (int l = 0; l < LABELS && LABEL[kind][l]; l++)
		if (!(row->value[l] = strdup(value[l]))) {
			row_done(row);
			return NULL;
		}
	telemetry->n_rows++;
	return row;
}

void telemetry_count(Telemetry *telemetry, TelemetryKind kind, const char *a, const char *b, const char *c)
{
	if (!telemetry)
		return;
	(void) pthread_mutex_lock(&telemetry->lock);
	Row *row = find(telemetry, kind, (const char *const[LABELS]) { a, b, c });
	if (row)
		row->n++;
	(void) pthread_mutex_unlock(&telemetry->lock);
}

void telemetry_query(Telemetry *telemetry, Backend backend, int code, int64_t us)
{
	static const struct {
		int code;
		const char *word;
	} outcomes[] = {
		{ 0, "ok" }, { ERR_TIMEOUT, "timeout" }, { ERR_UNREACHABLE, "unreachable" },
		{ ERR_UNAUTHORIZED, "unauthorized" }, { ERR_FORBIDDEN, "unauthorized" },
	};
	const char *outcome = "error";
	if (!telemetry)
		return;
	for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i++)
		if (outcomes[i].code == code)
			outcome = outcomes[i].word;
	telemetry_count(telemetry, TELEMETRY_QUERIES, backend_text(backend), outcome, NULL);
	histogram_note(&telemetry->duration[backend], us);
}

/* Sets a row, and counts a change in that of its transitions. The lock is held. */
static void set_held(Telemetry *telemetry, TelemetryKind kind, TelemetryKind transitions, const char *const *value, bool is_held)
{
	Row *row = find(telemetry, kind, value), *changes = row && row->n != is_held ? find(telemetry, transitions, value) : NULL;
	if (row)
		row->n = is_held;
	if (changes)
		changes->n++;
}

void telemetry_lead(Telemetry *telemetry, const char *lease_namespace, const char *lease, bool is_needed, bool is_held)
{
	static const char *const none[LABELS] = { NULL };
	const char *const value[LABELS] = { lease_namespace, lease, NULL };
	bool leads = true;
	if (!telemetry)
		return;
	(void) pthread_mutex_lock(&telemetry->lock);
	set_held(telemetry, TELEMETRY_LEASE_HELD, TELEMETRY_LEASE_TRANSITIONS, value, is_held);
	for (size_t i = 0; i < telemetry->n_rows; i++) {
		Row *row = &telemetry->row[i];
		if (is_needed && is_row(row, TELEMETRY_LEASE_HELD, value))
			row->is_needed = true;
		leads &= !row->is_needed || row->n > 0;
	}
	if (is_needed)
		set_held(telemetry, TELEMETRY_LEADER, TELEMETRY_LEADER_TRANSITIONS, none, leads);
	(void) pthread_mutex_unlock(&telemetry->lock);
}

const Histogram *telemetry_durations(const Telemetry *telemetry, Backend backend)
{
	return &telemetry->duration[backend];
}

void telemetry_each(Telemetry *telemetry, TelemetryKind kind,
                    void (*told)(void *arg, const char *const *label, const char *const *value, uint64_t n), void *arg)
{
	if (!telemetry)
		return;
	(void) pthread_mutex_lock(&telemetry->lock);
	for (size_t i = 0; i < telemetry->n_rows; i++) {
		const Row *row = &telemetry->row[i];
		const char *const value[LABELS] = { row->value[0], row->value[1], row->value[2] };
		if (row->kind == kind)
			told(arg, LABEL[kind], value, row->n);
	}
	(void) pthread_mutex_unlock(&telemetry->lock);
}
