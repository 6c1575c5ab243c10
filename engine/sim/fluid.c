/*
 * The fluid level (SIM 4.2): dn/dt = lambda A(n) - X(n) for the number in each pod, A and X from the response table,
 * and the sojourn distribution of what completes.
 *
 * Two corrections to the plain equation. While the queue grows, the part of the growth that is not overload goes at .64
 * (2/pi: at saturation the mean grows as sqrt(4 mu t/pi), the equation as sqrt(2 mu t)). And a sub-step is the exact
 * solution of the locally linear equation, so that 5 s stay stable; where n moves much it is cut in eight.
 *
 * Away from the settled state what completes now is old: its age is the horizontal distance between the curves of
 * arrivals and departures, found by walking back over the pod's accepted arrivals (the lag rule).
 */
#include "sim/chance.h"
#include "sim/core.h"
#include "sim/four.h"

#include <math.h>
#include <string.h>

static const double RISING = .64, RHO_MAX = .97, RHO_SHAPE = .94, WARM = 5.0 /* warm_times: .7 % are left */;
static const double TWIN = 1e-3; /* of the number in the pod: less apart than this is the same */
static const float KEPT = .005f; /* hazards are kept while their load and stretch change by less */
enum { PIECES = 8 };

typedef struct Flow { /* what all pods share in a sub-step */
	const Response *response;
	double dt;
	double rate;      /* arrivals a second of a pod that is ready throughout */
	double burst;     /* counted arrivals over expected ones */
	float per, times; /* of the frailty: its variance 1/k; its draw times k */
} Flow;

typedef struct Change { /* of one pod over a sub-step */
	double n, served, dropped, cores;
	double accepted;
	Place middle;      /* where its mean n lies */
} Change;

/* ---- dynamics ---- */

/* (1 - e^-x)/x for x >= 0. */
static inline double ease(double x)
{
	return x < .02 ? 1.0 - x * (.5 - x * (1.0 / 6.0)) : (1.0 - (double) exp_of((float) -fmin(x, 80.0))) / x;
}

static double grow(const Flow *flow, double n, double lambda, double speed, bool is_small, double *ret_accept)
{
	const Response *r = flow->response;
	Place at = response_place(r, n);
	const ResponseRow *a = &r->row[at.at], *b = a + 1;
	double accept = (double) place_mix(at, a->accept, b->accept);
	double in = lambda * accept, net = in - speed * (double) place_mix(at, a->rate, b->rate);
	if (net > 0.0) {
		double overload = in - speed * r->mu;
		overload = overload > 0.0 ? overload : 0.0;
		net = overload + RISING * (net - overload);
	}
	*ret_accept = accept;
	if (speed == 1.0 && b->accept > .9999f)
		return net * (double) (is_small ? place_mix(at, a->gain_small, b->gain_small) : place_mix(at, a->gain, b->gain));
	/* a warming pod, or one that turns requests away: acceptance falls with n too */
	double dt = is_small ? flow->dt / PIECES : flow->dt;
	double per_n = (double) a->per_width * (ROOT_STEPS * ROOT_STEPS);
	double slope = speed * (double) a->slope + lambda * (double) (a->accept - b->accept) * per_n;
	return net * dt * ease(slope > 0.0 ? slope * dt : 0.0);
}

static double clamp(double x, double low, double high)
{
	return x < low ? low : x > high ? high : x;
}

static double cores_at(const Response *r, Place at)
{
	return (double) place_mix(at, r->row[at.at].cores, r->row[at.at + 1].cores);
}

static Change advance_in_pieces(const Flow *flow, double n, double lambda, double speed)
{
	const Response *r = flow->response;
	Change sum = { .n = n };
	double dt = flow->dt / PIECES, accept;
	for (int i = 0; i < PIECES; i++) {
		double to = clamp(sum.n + grow(flow, sum.n, lambda, speed, true, &accept), 0.0, r->n_max);
		double accepted = lambda * accept * dt;
		sum.accepted += accepted;
		sum.served += accepted - (to - sum.n);
		sum.dropped += lambda * (1.0 - accept) * dt;
		sum.cores += cores_at(r, response_place(r, .5 * (sum.n + to))) / PIECES;
		sum.n = to;
	}
	sum.middle = response_place(r, .5 * (n + sum.n));
	return sum;
}

static Change advance(const Flow *flow, double n, double lambda, double speed)
{
	const Response *r = flow->response;
	double accept, dn = grow(flow, n, lambda, speed, false, &accept);
	if (fabs(dn) > .2 * (n + 1.0))
		return advance_in_pieces(flow, n, lambda, speed);
	double to = clamp(n + dn, 0.0, r->n_max), accepted = lambda * accept * flow->dt;
	Place middle = response_place(r, .5 * (n + to));
	return (Change) { .n = to, .accepted = accepted, .served = accepted - (to - n),
		.dropped = lambda * (1.0 - accept) * flow->dt, .cores = cores_at(r, middle), .middle = middle };
}

/* ---- sojourns ---- */

typedef struct Entry { /* a sub-step of a cohort's history */
	const SimModel *model;
	float *history;
	int32_t from, to;  /* entries before and after the sub-step */
	int32_t age;       /* of the history, sub-steps up to `to`; at the most depth - 1 */
} Entry;

/* Seconds over which the last n accepted arrivals came, `back` sub-steps ago. */
static double lag_of(const Entry *entry, double n, int32_t back)
{
	const SimModel *model = entry->model;
	const float *accepted = entry->history + COLUMN_ACCEPTED;
	int32_t at = entry->to - back, steps = 0;
	at = at < 0 ? at + model->depth : at;
	double later = (double) accepted[at * model->columns], low = later - n;
	for (int32_t left = entry->age - back; left > 0; left--, steps++) {
		at = at ? at - 1 : model->depth - 1;
		double here = (double) accepted[at * model->columns];
		if (here <= low)
			return model->dt * (steps + (later > here ? (later - low) / (later - here) : 0.0));
		later = here;
	}
	return model->dt * steps;
}

static void settled(const Response *r, Place at, float *restrict ret_hazard)
{
	const float *a = r->row[at.at].hazard, *b = r->row[at.at + 1].hazard;
	for (int p = 0; p < r->n_points; p += FOUR) {
		Four low = four_load(a + p), high = four_load(b + p);
		four_store(ret_hazard + p, low + at.part * (high - low));
	}
}

/* Stretched hazards change little from one sub-step to the next, if at all in a pod that is full. */
static const float *stretched(const Response *r, Cohort *cohort, Place at, double stretch)
{
	float load = place_mix(at, r->row[at.at].load, r->row[at.at + 1].load), times = (float) stretch;
	bool is_kept = fabsf(load - cohort->kept_load) <= KEPT * TABLE_LOADS / 5.0f &&
	               fabsf(times - cohort->kept_stretch) <= KEPT * times;
	if (!is_kept || cohort->kept_stretch <= 0.0f) {
		response_stretch(r, load, stretch, cohort->hazard);
		cohort->kept_load = load;
		cohort->kept_stretch = times;
	}
	return cohort->hazard;
}

/* Hazards of what completes; calm answers are put into room, others are kept in the cohort. */
static const float *hazards(const Flow *flow, Cohort *cohort, const Change *change, double rho, double speed,
                            const Entry *entry, float *room)
{
	const Response *r = flow->response;
	double n = cohort->n, middle = .5 * (n + change->n);
	if (rho < RHO_MAX && middle <= 1.15 * response_settled(r, rho) + .05) {
		if (speed != 1.0)
			return stretched(r, cohort, change->middle, 1.0 / speed);
		settled(r, change->middle, room);
		return room;
	}
	Place shape = change->middle;
	if (middle <= r->concurrency) {
		double rho_s = fmin(rho, RHO_SHAPE), n_s = response_settled(r, rho_s);
		shape = response_place(r, response_settled(r, rho_s * fmin(n_s / middle, 1.0)));
	}
	double mean = (double) place_mix(shape, r->row[shape.at].mean_s, r->row[shape.at + 1].mean_s);
	double lag = .5 * (lag_of(entry, n, 1) + lag_of(entry, change->n, 0));
	return stretched(r, cohort, shape, lag / mean);
}

/*
 * Counts under the noise: a gamma frailty (Clayton 1978). If the hazard's factor R is gamma of mean 1 and variance 1/k,
 * P(T > t | R) = exp(-R k (S(t)^(-1/k) - 1)) mixes to S(t) itself: chance moves the windows, and the distribution over
 * all of them stays.
 */
static void count_within(const Flow *flow, const float *restrict hazard, float served, float crowd,
                         const float *restrict before, float *restrict after, float *restrict total)
{
	for (int p = 0; p < flow->response->n_points; p += FOUR) {
		Four grown = flow->times * (four_exp(flow->per * four_load(hazard + p)) - 1.0f); /* e^HAZARD_MAX at the most */
		Four within = served * (1.0f - four_exp(-four_at_most(grown, 80.0f)));
		four_store(after + p, four_load(before + p) + within);
		four_store(total + p, four_load(total + p) + crowd * within);
	}
}

/* ---- a cohort, and all of them ---- */

/* A young pod is slow: its demand falls from warm_factor to 1. */
static double speed_of(const Service *service, double age_s)
{
	if (age_s > WARM * service->warm_time || service->warm_factor <= 1.0)
		return 1.0;
	return 1.0 / (1.0 + (service->warm_factor - 1.0) * exp(-fmax(age_s, 0.0) / service->warm_time));
}

static void live_through(const Flow *flow, SimRow *row, Cohort *cohort, double speed, const Entry *entry)
{
	const Response *r = flow->response;
	double lambda = flow->rate * cohort->share, rho = lambda / (speed * r->mu), crowd = cohort->crowd;
	Change change = advance(flow, cohort->n, lambda, speed);
	const float *before = entry->history + entry->from * entry->model->columns;
	float *after = entry->history + entry->to * entry->model->columns;
	after[COLUMN_N] = (float) change.n;
	after[COLUMN_ACCEPTED] = before[COLUMN_ACCEPTED] + (float) change.accepted;
	/* chance in the number of arrivals shows in what completes only while there is room */
	double burst = rho < RHO_MAX && cohort->n < r->concurrency ? flow->burst : 1.0;
	double served = change.served > 0.0 ? change.served * burst : 0.0, dropped = change.dropped * burst;
	double cpu_s = change.cores * burst;
	cpu_s = (cpu_s < r->cores ? cpu_s : r->cores) * flow->dt;
	float room[POINTS];
	const float *hazard = hazards(flow, cohort, &change, rho, speed, entry, room);
	StepTotals *totals = &row->totals;
	count_within(flow, hazard, (float) served, (float) crowd, before + COLUMN_WITHIN, after + COLUMN_WITHIN,
	             totals->within);
	int32_t ok = COLUMN_WITHIN + r->bounds;
	after[COLUMN_CPU_S] = before[COLUMN_CPU_S] + (float) cpu_s;
	after[COLUMN_SERVED] = before[COLUMN_SERVED] + (float) served;
	after[COLUMN_ERROR] = before[COLUMN_ERROR] + (float) (dropped + served) - (after[ok] - before[ok]);
	totals->served += crowd * served;
	totals->dropped += crowd * dropped;
	totals->cpu_s += crowd * cpu_s;
	cohort->n = change.n;
	cohort->served += served;
}

/* What the twin has lived through. */
static void follow(const Entry *entry, const float *lead, double n, Cohort *cohort)
{
	int32_t columns = entry->model->columns;
	const float *from = lead + entry->from * columns, *to = lead + entry->to * columns;
	const float *before = entry->history + entry->from * columns;
	float *after = entry->history + entry->to * columns;
	for (int32_t k = 0; k < columns; k++)
		after[k] = before[k] + (to[k] - from[k]);
	after[COLUMN_N] = to[COLUMN_N];
	cohort->n = n;
	cohort->served += (double) (to[COLUMN_SERVED] - from[COLUMN_SERVED]);
}

/* Takes its counters back to zero where the history is full of them. */
static void rebase(const Entry *entry, Cohort *cohort)
{
	int32_t columns = entry->model->columns, size = entry->model->depth * columns;
	float base[COLUMN_WITHIN + POINTS];
	memcpy(base, entry->history + entry->to * columns, (size_t) columns * sizeof *base);
	base[COLUMN_N] = 0.0f;
	for (float *at = entry->history; at < entry->history + size; at += columns)
		for (int32_t k = 0; k < columns; k++)
			at[k] -= base[k];
	cohort->is_old = true;
}

static bool is_settled(const Cohort *cohort, double speed)
{
	return speed == 1.0 && cohort->share == 1.0 && cohort->twin < 0;
}

/* The oldest live cohort in the state of the k-th. */
static void find_twin(SimRow *row, const SimView *view, int32_t k)
{
	Cohort *cohort = &view->cohort[view->live[k]];
	for (int32_t j = 0; j < k; j++) {
		const Cohort *other = &view->cohort[view->live[j]];
		if (other->twin < 0 && other->share == 1.0 && other->ready_s < cohort->ready_s &&
		    fabs(other->n - cohort->n) <= TWIN * (other->n + TWIN)) {
			cohort->twin = view->live[j];
			cohort->twin_since = row->tick;
			view->cohort[cohort->twin].crowd += cohort->pods;
			return;
		}
	}
}

/*
 * An AR(1) of deviation 1, turned into a gamma of mean 1 by the cube of Wilson and Hilferty (1931). Pods are
 * independent, so c of them have 1/c of the variance.
 */
static void draw_noise(SimRow *row, double rho, double pods, double normal, Flow *flow)
{
	const Response *r = flow->response;
	Place at = response_load_place(rho);
	double keep = (double) place_mix(at, r->noise_keep[at.at], r->noise_keep[at.at + 1]);
	double fresh = (double) place_mix(at, r->noise_new[at.at], r->noise_new[at.at + 1]);
	double sd = (double) place_mix(at, r->noise_sd[at.at], r->noise_sd[at.at + 1]), variance = sd * sd;
	if (pods > 1.0) {
		variance /= pods;
		sd = sqrt(variance);
	}
	row->noise = keep * row->noise + fresh * normal;
	double root = 1.0 - variance / 9.0 - sd / 3.0 * row->noise;
	root = root > .05 ? root : .05;
	variance = variance > 1e-3 ? variance : 1e-3;
	flow->per = (float) variance;
	flow->times = (float) (root * root * root / variance);
}

/* Part of [from, from + dt] during which a pod is in the endpoints. */
static double share_of(double ready_s, double out_s, double from_s, double dt)
{
	double start = ready_s > from_s ? ready_s : from_s, end = out_s < from_s + dt ? out_s : from_s + dt;
	return end <= start ? 0.0 : end - start >= dt ? 1.0 : (end - start) / dt;
}

static void cohort_tick(const SimModel *model, SimRow *row, const SimView *view, int32_t k, const Flow *flow, double now_s)
{
	int32_t index = view->live[k], depth = model->depth;
	Cohort *cohort = &view->cohort[index];
	int64_t age = row->tick + 1 - cohort->since;
	Entry entry = { .model = model, .history = cohort_history(model, view, index), .from = row->at,
		.to = row->at + 1 < depth ? row->at + 1 : 0, .age = age < depth ? (int32_t) age : depth - 1 };
	if (cohort->twin >= 0) {
		follow(&entry, cohort_history(model, view, cohort->twin), view->cohort[cohort->twin].n, cohort);
	} else {
		double speed = speed_of(&model->config.service, now_s - cohort->listen_s);
		live_through(flow, row, cohort, speed, &entry);
		if (k && is_settled(cohort, speed))
			find_twin(row, view, k);
	}
	if (entry.to == 0 && age >= depth)
		rebase(&entry, cohort);
}

/* Cohorts that have been twins for as long as any window reaches are one. */
static void merge_twins(const SimModel *model, SimRow *row, const SimView *view)
{
	for (int32_t k = row->n_live - 1; k > 0; k--) {
		const Cohort *cohort = &view->cohort[view->live[k]];
		if (cohort->twin >= 0 && row->tick - cohort->twin_since > model->depth)
			cohort_merge(row, view, view->live[k]);
	}
}

/* Two words of chance for this sub-step. */
static const uint32_t *words_of(const SimModel *model, SimRow *row)
{
	uint32_t k = (uint32_t) (row->tick + model->warm_ticks);
	if (k % 2 == 0) {
		const uint32_t key[] = { (uint32_t) row->seed, (uint32_t) (row->seed >> 32) };
		const uint32_t counter[] = { k / 2, row->episode, row->id, RNG_ARRIVALS };
		rng_philox(counter, key, row->chance);
	}
	return &row->chance[k % 2 * 2];
}

void fluid_tick(const SimModel *model, SimRow *row, const SimView *view, double now_s, double rate_rps)
{
	const Response *r = model->response;
	StepTotals *totals = &row->totals;
	double dt = model->dt, open = 0.0, expected = rate_rps * dt;
	for (int32_t k = 0; k < row->n_live; k++) {
		Cohort *cohort = &view->cohort[view->live[k]];
		cohort->share = share_of(cohort->ready_s, cohort->out_s, now_s, dt);
		open += cohort->share * cohort->pods;
	}
	const uint32_t *word = words_of(model, row);
	double arrivals = chance_poisson(word[0], expected);
	Flow flow = { .response = r, .dt = dt, .rate = open > 0.0 ? rate_rps / open : 0.0,
		.burst = expected > 0.0 ? arrivals / expected : 0.0 };
	draw_noise(row, flow.rate / r->mu, open, chance_normal(word[1]), &flow);
	totals->pod_s += dt * row->present;
	totals->offered += arrivals;
	totals->time_s += dt;
	if (open <= 0.0)
		totals->dropped += arrivals; /* no endpoint: refused before any pod could count it */
	for (int32_t k = 0; k < row->n_live; k++)
		cohort_tick(model, row, view, k, &flow, now_s);
	merge_twins(model, row, view);
}
