/* The history of the mean pod (core.h): one entry a sub-step. */
#include "sim/core.h"

#include <math.h>

/* Only differences count: all entries are moved by the oldest, once a turn of the ring. */
static void rebase(const SimModel *model, const SimView *view)
{
	float base[COLUMN_WITHIN + POINTS];
	int32_t columns = model->columns;
	for (int32_t k = 0; k < columns; k++)
		base[k] = k == COLUMN_N ? 0.0f : view->history[k];
	for (float *entry = view->history; entry < view->history + model->depth * columns; entry += columns)
		for (int32_t k = 0; k < columns; k++)
			entry[k] -= base[k];
}

void history_add(const SimModel *model, SimRow *row, const SimView *view, const Counts *counts)
{
	int32_t from = row->at, to = from + 1 < model->depth ? from + 1 : 0, points = model->response->n_points;
	const float *before = view->history + from * model->columns;
	float *after = view->history + to * model->columns;
	float part = counts->open > 0.0f ? 1.0f / counts->open : 0.0f; /* without endpoints nobody counts */
	StepTotals *totals = &row->totals;
	for (int32_t p = 0; p < points; p++)
		after[COLUMN_WITHIN + p] = before[COLUMN_WITHIN + p] + part * counts->within[p];
	for (int32_t p = 0; p < points; p++)
		totals->within[p] += counts->within[p];
	float failed = counts->dropped + counts->served - counts->within[model->response->bounds + AFTER_TIMEOUT];
	after[COLUMN_N] = counts->live > 0.0f ? counts->n / counts->live : 0.0f;
	after[COLUMN_CPU_S] = before[COLUMN_CPU_S] + part * counts->cpu_s;
	after[COLUMN_ACCEPTED] = before[COLUMN_ACCEPTED] + part * counts->accepted;
	after[COLUMN_SERVED] = before[COLUMN_SERVED] + part * counts->served;
	after[COLUMN_ERROR] = before[COLUMN_ERROR] + part * failed;
	row->served += (double) (part * counts->served);
	totals->served += (double) counts->served;
	totals->dropped += (double) counts->dropped;
	totals->cpu_s += (double) counts->cpu_s;
	totals->pod_s += model->dt * row->present;
	totals->time_s += model->dt;
	if (to == 0)
		rebase(model, view);
}

typedef struct Between { /* two entries, and the part of the way from one to the other */
	const float *a, *b;
	float part;
} Between;

static Between find(const SimModel *model, const SimRow *row, const SimView *view, double tick)
{
	double oldest = (double) (row->tick - model->depth + 1), newest = (double) row->tick;
	double at = tick < oldest ? oldest : tick > newest ? newest : tick, whole = floor(at);
	const float *a = history_entry(model, row, view, (int64_t) whole);
	if (at == whole)
		return (Between) { a, a, 0.0f };
	return (Between) { a, history_entry(model, row, view, (int64_t) whole + 1), (float) (at - whole) };
}

void history_at(const SimModel *model, const SimRow *row, const SimView *view, double tick, float *ret_entry)
{
	Between at = find(model, row, view, tick);
	for (int32_t k = 0; k < model->columns; k++)
		ret_entry[k] = at.a[k] + at.part * (at.b[k] - at.a[k]);
}

float history_column(const SimModel *model, const SimRow *row, const SimView *view, double tick, int32_t column)
{
	Between at = find(model, row, view, tick);
	return at.a[column] + at.part * (at.b[column] - at.a[column]);
}
