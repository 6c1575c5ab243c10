/*
 * Cohorts (core.h): pods join one when they begin to take traffic, part from it when they are deleted, and two cohorts in the
 * same state become one. Where all slots are live, a new pod joins the youngest.
 */
#include "sim/core.h"

#include <math.h>

static int32_t find_free(const SimModel *model, const SimView *view)
{
	for (int32_t i = 0; i < model->cohorts; i++)
		if (!view->cohort[i].pods)
			return i;
	return -1;
}

static void drop_empty(SimRow *row, const SimView *view)
{
	int32_t kept = 0;
	for (int32_t k = 0; k < row->n_live; k++)
		if (view->cohort[view->live[k]].pods)
			view->live[kept++] = view->live[k];
	row->n_live = kept;
}

void cohort_join(const SimModel *model, SimRow *row, const SimView *view, int32_t lane, float n)
{
	Pod *pod = &view->pod[lane];
	double listen_s = pod->ready_s - (double) pod->listen;
	int32_t youngest = row->n_live ? view->live[row->n_live - 1] : -1, index = -1;
	bool is_new = model->jobs || youngest < 0 || view->cohort[youngest].since_tick != row->tick || view->cohort[youngest].out_s < INFINITY;
	if (is_new)
		index = find_free(model, view);
	if (index >= 0) {
		view->cohort[index] = (Cohort) { .n = n, .listen_s = listen_s, .ready_s = pod->ready_s, .out_s = INFINITY,
			.since_tick = (int32_t) row->tick };
		view->live[row->n_live++] = (int16_t) index;
		if (model->jobs)
			discrete_open(model, row, view, index, n);
	} else {
		index = youngest;
	}
	Cohort *cohort = &view->cohort[index];
	if (cohort->since_tick == row->tick) {
		cohort->listen_s += (listen_s - cohort->listen_s) / (cohort->pods + 1);
		cohort->ready_s += (pod->ready_s - cohort->ready_s) / (cohort->pods + 1);
	}
	cohort->pods++;
	pod->cohort = (int16_t) index;
	pod->served_before = (float) row->served;
}

static int32_t find_parting(const SimRow *row, const SimView *view, int32_t from, double out_s)
{
	for (int32_t k = 0; k < row->n_live; k++) {
		const Cohort *cohort = &view->cohort[view->live[k]];
		if (cohort->out_s == out_s && cohort->n == view->cohort[from].n && cohort->since_tick == view->cohort[from].since_tick)
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
		return true;
	}
	int32_t to = find_parting(row, view, from, out_s);
	if (to < 0) {
		to = find_free(model, view);
		if (to < 0)
			return false;
		view->cohort[to] = view->cohort[from];
		view->cohort[to].out_s = out_s;
		view->cohort[to].pods = 0;
		view->live[row->n_live++] = (int16_t) to;
	}
	view->cohort[from].pods--;
	view->cohort[to].pods++;
	pod->cohort = (int16_t) to;
	return true;
}

void cohort_leave(SimRow *row, const SimView *view, int32_t lane)
{
	Pod *pod = &view->pod[lane];
	if (pod->cohort < 0)
		return;
	if (!--view->cohort[pod->cohort].pods)
		drop_empty(row, view);
	pod->cohort = -1;
}

void cohort_merge(SimRow *row, const SimView *view, int32_t from, int32_t to)
{
	for (int32_t k = 0; k < row->n_used; k++) {
		Pod *pod = &view->pod[view->order[k]];
		if (pod->cohort == from)
			pod->cohort = (int16_t) to;
	}
	view->cohort[to].pods += view->cohort[from].pods;
	view->cohort[from].pods = 0;
	drop_empty(row, view);
}
