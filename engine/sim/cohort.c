/*
 * Cohorts (core.h): pods join one when they begin to take traffic, part from it when they are deleted, and two cohorts
 * that have been in the same state for as long as a window reaches become one.
 *
 * A slot is free when no lane refers to it. Where none is free, closed cohorts are forgotten before their time; where all
 * are live, a new pod joins the youngest.
 */
#include "sim/core.h"

#include <math.h>
#include <string.h>

/* ---- slots ---- */

static int32_t find_free(const SimModel *model, const SimView *view)
{
	for (int32_t i = 0; i < model->cohorts; i++)
		if (!view->cohort[i].refs)
			return i;
	return -1;
}

static void forget_oldest(SimRow *row, const SimView *view)
{
	int32_t oldest = -1;
	for (int32_t k = 0; k < row->n_used; k++) {
		int32_t i = view->order[k];
		if (view->pod[i].state == LANE_GONE && view->pod[i].cohort >= 0 &&
		    (oldest < 0 || view->pod[i].gone_s < view->pod[oldest].gone_s))
			oldest = i;
	}
	if (oldest < 0)
		return;
	int32_t index = view->pod[oldest].cohort;
	for (int32_t k = 0; k < row->n_used; k++)
		if (view->pod[view->order[k]].cohort == index)
			cohort_forget(view, view->order[k]);
}

static int32_t find_slot(const SimModel *model, SimRow *row, const SimView *view)
{
	int32_t index = find_free(model, view);
	if (index >= 0)
		return index;
	forget_oldest(row, view);
	return find_free(model, view);
}

static void recount(SimRow *row, const SimView *view)
{
	int32_t kept = 0;
	for (int32_t k = 0; k < row->n_live; k++) {
		Cohort *cohort = &view->cohort[view->live[k]];
		if (!cohort->pods)
			continue;
		view->live[kept++] = view->live[k];
		cohort->crowd = cohort->pods;
		if (cohort->twin >= 0 && view->cohort[cohort->twin].out_s < INFINITY)
			cohort->twin = -1;
	}
	row->n_live = kept;
	for (int32_t k = 0; k < kept; k++) {
		const Cohort *cohort = &view->cohort[view->live[k]];
		if (cohort->twin >= 0)
			view->cohort[cohort->twin].crowd += cohort->pods;
	}
}

/* ---- members ---- */

void cohort_join(const SimModel *model, SimRow *row, const SimView *view, int32_t lane, float n)
{
	Pod *pod = &view->pod[lane];
	int32_t youngest = row->n_live ? view->live[row->n_live - 1] : -1, index = -1;
	bool is_new = model->jobs || youngest < 0 || view->cohort[youngest].since != row->tick || view->cohort[youngest].out_s < INFINITY;
	if (is_new)
		index = find_slot(model, row, view);
	if (index >= 0) {
		view->cohort[index] = (Cohort) { .n = n, .listen_s = pod->listen_s, .ready_s = pod->ready_s, .out_s = INFINITY,
			.since = row->tick, .twin = -1 };
		memset(cohort_history(model, view, index) + row->at * model->columns, 0, (size_t) model->columns * sizeof(float));
		view->live[row->n_live++] = index;
		if (model->jobs)
			discrete_open(model, row, view, index, n);
	} else {
		index = youngest;
	}
	Cohort *cohort = &view->cohort[index];
	if (cohort->since == row->tick) {
		cohort->listen_s += (pod->listen_s - cohort->listen_s) / (cohort->pods + 1);
		cohort->ready_s += (pod->ready_s - cohort->ready_s) / (cohort->pods + 1);
	}
	cohort->pods++;
	cohort->refs++;
	pod->cohort = index;
	pod->served_apart = -cohort->served;
	recount(row, view);
}

static int32_t find_parting(const SimRow *row, const SimView *view, int32_t from, double out_s)
{
	for (int32_t k = 0; k < row->n_live; k++) {
		const Cohort *cohort = &view->cohort[view->live[k]];
		if (cohort->out_s == out_s && cohort->n == view->cohort[from].n && cohort->since == view->cohort[from].since)
			return view->live[k];
	}
	return -1;
}

bool cohort_part(const SimModel *model, SimRow *row, const SimView *view, int32_t lane, double now_s)
{
	Pod *pod = &view->pod[lane];
	int32_t from = pod->cohort;
	double out_s = now_s + model->config.service.term_endpoint_lag;
	if (from < 0)
		return true;
	if (view->cohort[from].pods == 1) {
		view->cohort[from].out_s = out_s;
		view->cohort[from].twin = -1;
		recount(row, view);
		return true;
	}
	int32_t to = find_parting(row, view, from, out_s);
	if (to < 0) {
		to = find_slot(model, row, view);
		if (to < 0)
			return false;
		view->cohort[to] = view->cohort[from];
		view->cohort[to].out_s = out_s;
		view->cohort[to].twin = -1;
		view->cohort[to].pods = view->cohort[to].refs = 0;
		memcpy(cohort_history(model, view, to), cohort_history(model, view, from),
		       (size_t) (model->depth * model->columns) * sizeof(float));
		view->live[row->n_live++] = to;
	}
	view->cohort[from].pods--;
	view->cohort[from].refs--;
	view->cohort[to].pods++;
	view->cohort[to].refs++;
	pod->cohort = to;
	recount(row, view);
	return true;
}

void cohort_leave(SimRow *row, const SimView *view, int32_t lane)
{
	if (view->pod[lane].cohort < 0)
		return;
	view->cohort[view->pod[lane].cohort].pods--;
	recount(row, view);
}

void cohort_forget(const SimView *view, int32_t lane)
{
	Pod *pod = &view->pod[lane];
	if (pod->cohort >= 0)
		view->cohort[pod->cohort].refs--;
	pod->cohort = -1;
	pod->n_stamps = 0;
	pod->scrape_tick = INT32_MIN;
}

void cohort_merge(SimRow *row, const SimView *view, int32_t index)
{
	Cohort *from = &view->cohort[index];
	int32_t to = from->twin;
	double apart = from->served - view->cohort[to].served;
	for (int32_t k = 0; k < row->n_used; k++) {
		Pod *pod = &view->pod[view->order[k]];
		if (pod->cohort != index)
			continue;
		pod->cohort = to;
		pod->served_apart += apart;
	}
	view->cohort[to].pods += from->pods;
	view->cohort[to].refs += from->refs;
	from->pods = from->refs = 0;
	recount(row, view);
}

void cohort_rebase(const SimModel *model, const SimView *view, int32_t index, int32_t at)
{
	int32_t columns = model->columns;
	float base[COLUMN_WITHIN + POINTS], *history = cohort_history(model, view, index);
	memcpy(base, history + at * columns, (size_t) columns * sizeof *base);
	base[COLUMN_N] = 0.0f;
	for (float *entry = history; entry < history + model->depth * columns; entry += columns)
		for (int32_t k = 0; k < columns; k++)
			entry[k] -= base[k];
	view->cohort[index].is_old = true;
}
