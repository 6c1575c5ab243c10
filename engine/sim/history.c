/* The history of the mean pod (core.h): one entry a sub-step. */
#include "sim/core.h"

#include <math.h>

static const float MOST = 4096.0f; /* of a counter: there a float still tells 1/4096 of a request */

/* Only differences count: all entries are moved by the newest before floats lose digits. */
static void rebase(const SimModel *model, const SimView *view, int32_t at)
{
	float base[COLUMN_WITHIN + POINTS];
	int32_t columns = model->columns;
	for (int32_t k = 0; k < columns; k++)
		base[k] = k == COLUMN_N ? 0.0f : view->history[at * columns + k];
	for (float *entry = view->history; entry < view->history + model->depth * columns; entry += columns)
		for (int32_t k = 0; k < columns; k++)
			entry[k] -= base[k];
}

/* after = before + part x counted; total += counted. */
static inline void add_points(int32_t n, float part, const float *restrict counted, const float *restrict before,
                              float *restrict after, float *restrict total)
{
	for (int32_t p = 0; p < n; p += SIDE_BY_SIDE)
		for (int32_t q = p; q < p + SIDE_BY_SIDE; q++) {
			after[q] = before[q] + part * counted[q];
			total[q] += counted[q];
		}
}

void history_add(const SimModel *model, SimRow *row, const SimView *view, const Counts *counts)
{
	int32_t from = row->at, to = from + 1 < model->depth ? from + 1 : 0;
	const float *before = view->history + from * model->columns;
	float *after = view->history + to * model->columns;
	float part = counts->open > 0.0f ? 1.0f / counts->open : 0.0f; /* without endpoints nobody counts */
	StepTotals *totals = &row->totals;
	add_points(model->response->n_points, part, counts->within, before + COLUMN_WITHIN, after + COLUMN_WITHIN, totals->within);
	float failed = counts->dropped + counts->served - counts->within[model->response->bounds + AFTER_TIMEOUT];
	after[COLUMN_N] = counts->live > 0.0f ? counts->n / counts->live : 0.0f;
	after[COLUMN_CPU_S] = before[COLUMN_CPU_S] + part * counts->cpu_s;
	after[COLUMN_ACCEPTED] = before[COLUMN_ACCEPTED] + part * counts->accepted;
	after[COLUMN_SERVED] = before[COLUMN_SERVED] + part * counts->served;
	after[COLUMN_ERROR] = before[COLUMN_ERROR] + part * failed;
	row->served += (double) (part * counts->served);
	totals->served += counts->served;
	totals->dropped += counts->dropped;
	totals->cpu_s += counts->cpu_s;
	totals->pod_s += (float) model->dt * (float) row->present;
	totals->time_s += (float) model->dt;
	if (after[COLUMN_SERVED] > MOST || after[COLUMN_ACCEPTED] > MOST || after[COLUMN_ERROR] > MOST)
		rebase(model, view, to);
}

float history_column(const SimModel *model, const SimRow *row, const SimView *view, double tick, int32_t column)
{
	Between at = history_between(model, row, view, tick);
	return at.a[column] + at.part * (at.b[column] - at.a[column]);
}
