/* See telemetry.h. One table of rows under a mutex: they are few, and each is found by comparing. */
#include "base/telemetry.h"

#include "base/err.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 512, LABELS = 3, VALUE_MAX = 64 };

typedef struct Row {
	TelemetryKind kind;
	char value[LABELS][VALUE_MAX];
	uint64_t n;
} Row;

struct Telemetry {
	pthread_mutex_t lock; /* of the rows */
	Row row[ROWS_MAX];
	size_t n_rows;
	atomic_int leads;
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

Telemetry *telemetry_new(void)
{
	Telemetry *telemetry = calloc(1, sizeof *telemetry);
	if (!telemetry)
		return NULL;
	(void) pthread_mutex_init(&telemetry->lock, NULL);
	atomic_init(&telemetry->leads, -1);
	return telemetry;
}

void telemetry_free(Telemetry *telemetry)
{
	if (!telemetry)
		return;
	(void) pthread_mutex_destroy(&telemetry->lock);
	free(telemetry);
}

static Row *find(Telemetry *telemetry, TelemetryKind kind, const char *const *value)
{
	for (size_t i = 0; i < telemetry->n_rows; i++) {
		Row *row = &telemetry->row[i];
		int l = 0;
		while (row->kind == kind && l < LABELS && (!LABEL[kind][l] || !strncmp(row->value[l], value[l], VALUE_MAX - 1)))
			l++;
		if (l == LABELS)
			return row;
	}
	if (telemetry->n_rows == ROWS_MAX)
		return NULL;
	Row *row = &telemetry->row[telemetry->n_rows++];
	*row = (Row) { .kind = kind };
	for (int l = 0; l < LABELS && LABEL[kind][l]; l++)
		str_copy(row->value[l], VALUE_MAX, value[l]);
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

void telemetry_lead(Telemetry *telemetry, bool is_leader)
{
	if (!telemetry)
		return;
	int before = atomic_exchange(&telemetry->leads, is_leader);
	if (before != (int) is_leader && (is_leader || before == 1))
		telemetry_count(telemetry, TELEMETRY_LEADER_TRANSITIONS, NULL, NULL, NULL);
}

int telemetry_leads(const Telemetry *telemetry)
{
	return telemetry ? atomic_load(&telemetry->leads) : -1;
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
