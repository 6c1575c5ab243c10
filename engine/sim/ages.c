/* See ages.h. Walks back from the present, a cell of ages a sub-step. */
#include "sim/ages.h"

#include "sim/history.h"

#include <math.h>

enum { CELLS_MOST = 256 };
static const float THIN = .02f; /* of a demand: what a cell spans at least, or differences of F lose digits */

typedef struct Moment { /* of the mean pod; counters since any time */
	float cpu_s, accepted, n;
} Moment;

typedef struct Cell { /* those who began service in one sub-step */
	float began;
	float from, to; /* CPU that each has had, in mean demands: the youngest, the oldest */
	float age_s;    /* of the oldest, since it was accepted */
} Cell;

static Moment moment_of(const SimModel *model, const SimRow *row, const SimView *view, int32_t back)
{
	const float *entry = history_entry(model, row, view, row->tick - back);
	return (Moment) { entry[COLUMN_CPU_S], entry[COLUMN_ACCEPTED], entry[COLUMN_N] };
}

/* Accepted requests that had begun service by then: all but those that wait. */
static float begun(const SimModel *model, const Moment *m)
{
	float waiting = m->n - model->response->concurrency;
	return m->accepted - (waiting > 0.0f ? waiting : 0.0f);
}

typedef struct Walk {
	const SimModel *model;
	const SimRow *row;
	const SimView *view;
	float lead_s;   /* from the newest entry to the present */
	int32_t age;    /* entries there are before it */
	int32_t back;   /* of the entry after the arrival looked for */
	Moment present;
} Walk;

/* Seconds since the accepted counter stood at `count`, which only falls from call to call. */
static float since_accepted(Walk *walk, float count)
{
	float dt = (float) walk->model->dt;
	Moment later = walk->back < 0 ? walk->present : moment_of(walk->model, walk->row, walk->view, walk->back);
	for (; walk->back < walk->age; walk->back++) {
		Moment here = moment_of(walk->model, walk->row, walk->view, walk->back + 1);
		float width_s = walk->back < 0 ? walk->lead_s : dt, end_s = walk->back < 0 ? 0.0f : walk->lead_s + dt * (float) walk->back;
		if (here.accepted <= count)
			return end_s + (later.accepted > here.accepted ? width_s * (later.accepted - count) / (later.accepted - here.accepted) : 0.0f);
		later = here;
	}
	return walk->lead_s + dt * (float) walk->age;
}

static int32_t cells_of(Walk walk, Cell *cell)
{
	const Response *r = walk.model->response;
	float per_demand = r->mu / r->cores * walk.row->pace, had = 0.0f; /* slow pods' CPU time does less */
	Moment later = walk.present;
	float later_begun = begun(walk.model, &later);
	int32_t count = 0, first = walk.lead_s > 0.0f ? 0 : 1;
	walk.back = first - 1;
	for (int32_t back = first; back <= walk.age && count < CELLS_MOST && had < r->demand_most; back++) {
		Moment here = moment_of(walk.model, walk.row, walk.view, back);
		float here_begun = begun(walk.model, &here), began = later_begun - here_begun;
		float served = .5f * (here.n + later.n), cpu_s = later.cpu_s - here.cpu_s;
		served = served < r->concurrency ? served : r->concurrency;
		float width = cpu_s * per_demand / (served > 1e-3f ? served : 1e-3f);
		cell[count] = (Cell) { began > 0.0f ? began : 0.0f, had, had + (width > THIN ? width : THIN),
			since_accepted(&walk, here_begun) };
		had = cell[count++].to;
		later = here;
		later_begun = here_begun;
	}
	return count;
}

/* Those of a cell that are done while each gets one mean demand; below: demand_below() of where it ends, before of where it begins. */
static float done_in(const Cell *cell, float below, float before)
{
	return cell->began * (below - before) / (cell->to - cell->from);
}

float ages_pace(const SimModel *model, const SimRow *row, const SimView *view, int32_t age)
{
	Cell cell[CELLS_MOST];
	Walk walk = { .model = model, .row = row, .view = view, .age = age, .present = moment_of(model, row, view, 0) };
	int32_t count = cells_of(walk, cell);
	const Response *r = model->response;
	float done = 0.0f, there = 0.0f, before = demand_below(r, 0.0f), had_before = demand_had(r, 0.0f);
	for (const Cell *c = cell; c < cell + count; c++) { /* each begins where the one before ends */
		float below = demand_below(r, c->to), had = demand_had(r, c->to);
		done += done_in(c, below, before);
		there += c->began * (had - had_before) / (c->to - c->from);
		before = below;
		had_before = had;
	}
	return there > 1e-3f ? done / there : 1.0f;
}

void ages_hazards(const SimModel *model, const SimRow *row, const SimView *view, int32_t age, float n, const Change *change,
                  float *ret_hazard)
{
	const Response *r = model->response;
	Cell cell[CELLS_MOST];
	float below[CELLS_MOST + 1], half = .5f * (float) model->dt;
	Moment now = moment_of(model, row, view, 0);
	Walk walk = { .model = model, .row = row, .view = view, .age = age, .lead_s = half,
		.present = { now.cpu_s + half * change->cores, now.accepted + .5f * change->accepted, .5f * (n + change->n) } };
	int32_t count = cells_of(walk, cell), c = 0;
	float before = demand_below(r, 0.0f);
	below[0] = 0.0f;
	for (int32_t k = 0; k < count; k++) { /* each begins where the one before ends */
		float here = demand_below(r, cell[k].to);
		below[k + 1] = below[k] + done_in(&cell[k], here, before);
		before = here;
	}
	float all = below[count], delay_s = (float) model->config.service.net_delay;
	for (int32_t p = 0; p < r->n_points; p++) {
		float t_s = r->point[p] - delay_s;
		if (p == 0 || r->point[p] < r->point[p - 1])
			c = 0;
		while (c < count && cell[c].age_s < t_s)
			c++;
		float from_s = c ? cell[c - 1].age_s : 0.0f, over = all - below[c];
		if (c < count && t_s > from_s)
			over -= (below[c + 1] - below[c]) * (t_s - from_s) / (cell[c].age_s - from_s);
		ret_hazard[p] = over > HAZARD_OVER * all ? -logf(over / all) : HAZARD_MAX;
	}
}
