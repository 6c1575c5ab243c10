/* The history of the mean pod (core.h): one entry a sub-step. */
#include "sim/history.h"

#include <math.h>

void history_rebase(const SimModel *model, const SimView *view, int32_t at)
{
	float base[COLUMN_WITHIN + POINTS];
	int32_t columns = model->columns;
	for (int32_t k = 0; k < columns; k++)
		base[k] = k == COLUMN_N ? 0.0f : view->history[at * columns + k];
	for (float *entry = view->history; entry < view->history + model->depth * columns; entry += columns)
		for (int32_t k = 0; k < columns; k++)
			entry[k] -= base[k];
}

float history_column(const SimModel *model, const SimRow *row, const SimView *view, double tick, int32_t column)
{
	Between at = history_between(model, row, view, tick);
	return at.a[column] + at.part * (at.b[column] - at.a[column]);
}
