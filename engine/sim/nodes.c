/*
 * What pods share: the CPU of their nodes, and their own memory limits (SIM section 2).
 *
 * Nodes are alike and the scheduler spreads pods over them, so one figure says how crowded they are: the cores that a node's
 * pods want, against what others leave of it. Where they want more, all of them run slower and use less.
 */
#include "sim/core.h"

#include <math.h>

void nodes_contend(const SimModel *model, SimRow *row)
{
	const Service *s = &model->config.service;
	float there = (float) fmax(s->node_cpu - s->neighbour, .01 * s->node_cpu) * (float) row->nodes;
	if (row->busy_cores > there) {
		row->pace *= there / row->busy_cores;
		row->cpu_share *= there / row->busy_cores;
	}
}

/* Ten seconds, and twice as long each time up to five minutes (the kubelet's CrashLoopBackOff). */
static double back_off_s(uint32_t restarts)
{
	return fmin(10.0 * pow(2.0, restarts), 300.0);
}

void memory_tick(const SimModel *model, SimRow *row, const SimView *view, double now_s)
{
	for (int32_t k = row->n_used - 1; k >= 0; k--) {
		int32_t lane = view->order[k];
		const Pod *pod = &view->pod[lane];
		bool is_running = pod->state == LANE_POD && pod->ready_s - (double) pod->running <= now_s && pod->deleted_s > now_s;
		if (!is_running)
			continue;
		double n = pod->cohort >= 0 ? (double) view->cohort[pod->cohort].n : 0.0;
		if (memory_of(model, row, pod, n) <= model->config.service.mem_limit_bytes)
			continue;
		pods_restart(model, row, view, lane, back_off_s(pod->restarts), now_s);
		row->oom_kills++;
		k = row->n_used < k ? row->n_used : k; /* the order has changed: those that are left are met next time */
	}
}
