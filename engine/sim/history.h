/*
 * The history of the mean pod (core.h): one entry a sub-step. Inline, so that the callers' wider registers serve here too.
 */
#ifndef MAESTRO_SIM_HISTORY_H
#define MAESTRO_SIM_HISTORY_H

#include "sim/core.h"

#define ALWAYS inline __attribute__((always_inline))

/* Of a counter: there a float still tells 1/1024 of a request, or 1/64 of one that came and may have been refused. */
#define HISTORY_MOST 16384.0f
#define HISTORY_MOST_CAME 262144.0f

/* Only differences count: all entries are moved by the one at `at`, before floats lose digits. */
void history_rebase(const SimModel *model, const SimView *view, int32_t at);

/* One of the mean pod's counters at a moment, in sub-steps since time 0; the oldest where the history is shorter. */
float history_column(const SimModel *model, const SimRow *row, const SimView *view, double tick, int32_t column);
/* at, or that and size where it is below 0: without a branch, as no one can foresee where in a ring the present is. */
static ALWAYS int32_t ring_at(int32_t at, int32_t size)
{
	return at + (size & -(int32_t) ((uint32_t) at >> 31));
}

/* The entry of a sub-step not older than depth - 1. */
static inline const float *history_entry(const SimModel *model, const SimRow *row, const SimView *view, int64_t tick)
{
	int32_t at = row->at - (int32_t) (row->tick - tick);
	return view->history + ring_at(at, model->depth) * model->columns;
}

typedef struct Between { /* two entries, and the part of the way from one to the other */
	const float *a, *b;
	float part;
} Between;

static inline Between history_between(const SimModel *model, const SimRow *row, const SimView *view, double tick)
{
	int32_t most = model->depth - 1;
	double back = (double) row->tick - tick; /* of the moment behind the newest entry */
	back = back > most ? most : back > 0.0 ? back : 0.0;
	int32_t whole = (int32_t) back;
	const float *b = history_entry(model, row, view, row->tick - whole);
	if (back == whole)
		return (Between) { b, b, 0.0f };
	return (Between) { history_entry(model, row, view, row->tick - whole - 1), b, 1.0f - (float) (back - whole) };
}

/* after = before + part x counted; total += counted. */
static ALWAYS void history_add_points(int32_t n, float part, const float *restrict counted, const float *restrict before,
                              float *restrict after, float *restrict total)
{
	for (int32_t p = 0; p < n; p += SIDE_BY_SIDE)
		for (int32_t q = p; q < p + SIDE_BY_SIDE; q++) {
			after[q] = before[q] + part * counted[q];
			total[q] += counted[q];
		}
}

/* What all pods counted in this sub-step becomes the next entry, and part of the totals. */
static ALWAYS void history_add(const SimModel *model, SimRow *row, const SimView *view, const Counts *counts)
{
	int32_t from = row->at, to = from + 1 < model->depth ? from + 1 : 0;
	const float *before = view->history + from * model->columns;
	float *after = view->history + to * model->columns;
	float part = counts->open > 0.0f ? 1.0f / counts->open : 0.0f; /* without endpoints nobody counts */
	StepTotals *totals = &row->totals;
	history_add_points(model->response->n_points, part, counts->within, before + COLUMN_WITHIN, after + COLUMN_WITHIN, totals->within);
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
	if (after[COLUMN_SERVED] > HISTORY_MOST || after[COLUMN_ACCEPTED] > HISTORY_MOST_CAME || after[COLUMN_ERROR] > HISTORY_MOST_CAME)
		history_rebase(model, view, to);
}

#endif
