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
#include "sim/core.h"

#include <math.h>
#include <string.h>

static const double RISING = .64, RHO_MAX = .97, RHO_SHAPE = .94, WARM = 5.0 /* warm_times: .7 % are left */;
enum { PIECES = 8 };

typedef struct Flow { /* what all pods share in a sub-step */
	const Response *response;
	double dt;
	double rate;      /* arrivals a second of a pod that is ready throughout */
	double burst;     /* counted arrivals over expected ones */
	double haste;     /* the AR(1) noise: factor on the hazard, of mean 1 */
	double evenness;  /* 1 / its variance */
	int64_t tick;
} Flow;

typedef struct Change { /* of one pod over a sub-step */
	double n, served, dropped, cores;
	double accepted;
} Change;

/* ---- dynamics ---- */

static double grow(const Flow *flow, double n, double lambda, double speed, bool is_small, double *ret_accept)
{
	const Response *r = flow->response;
	Place at = response_place(r, n);
	const ResponseRow *a = &r->row[at.at], *b = a + 1;
	double accept = (double) place_mix(at, a->accept, b->accept);
	double in = lambda * accept, net = in - speed * (double) place_mix(at, a->rate, b->rate);
	if (net > 0.0) {
		double overload = fmax(in - speed * r->mu, 0.0);
		net = overload + RISING * (net - overload);
	}
	*ret_accept = accept;
	double dt = is_small ? flow->dt / PIECES : flow->dt;
	if (speed == 1.0 && b->accept > .9999f)
		return net * (double) (is_small ? place_mix(at, a->gain_small, b->gain_small) : place_mix(at, a->gain, b->gain));
	/* a warming pod, or one that turns requests away: acceptance falls with n too */
	double width = (2.0 * at.at + 1.0) / (ROOT_STEPS * ROOT_STEPS);
	double slope = speed * (double) a->slope + lambda * (double) (a->accept - b->accept) / width;
	return net * (slope * dt > 1e-9 ? -expm1(-slope * dt) / slope : dt);
}

static double clamp(double x, double low, double high)
{
	return x < low ? low : x > high ? high : x;
}

static double cores_at(const Response *r, double n)
{
	Place at = response_place(r, n);
	return (double) place_mix(at, r->row[at.at].cores, r->row[at.at + 1].cores);
}

static Change advance(const Flow *flow, double n, double lambda, double speed)
{
	const Response *r = flow->response;
	double accept, dn = grow(flow, n, lambda, speed, false, &accept);
	if (fabs(dn) <= .2 * (n + 1.0)) {
		double to = clamp(n + dn, 0.0, r->n_max), accepted = lambda * accept * flow->dt;
		return (Change) { .n = to, .accepted = accepted, .served = accepted - (to - n),
			.dropped = lambda * (1.0 - accept) * flow->dt, .cores = cores_at(r, .5 * (n + to)) };
	}
	Change sum = { .n = n };
	double dt = flow->dt / PIECES;
	for (int i = 0; i < PIECES; i++) {
		double to = clamp(sum.n + grow(flow, sum.n, lambda, speed, true, &accept), 0.0, r->n_max);
		double accepted = lambda * accept * dt;
		sum.accepted += accepted;
		sum.served += accepted - (to - sum.n);
		sum.dropped += lambda * (1.0 - accept) * dt;
		sum.cores += cores_at(r, .5 * (sum.n + to)) / PIECES;
		sum.n = to;
	}
	return sum;
}

/* ---- sojourns ---- */

/* Seconds over which the last n accepted arrivals up to the end of a sub-step came. */
static double lag_of(const Flow *flow, const float *arrived, int64_t tick, double n)
{
	double lag = 0.0, left = n;
	for (int32_t back = 0; back < ARRIVAL_RING - 1; back++) {
		double came = (double) arrived[(tick - back) & (ARRIVAL_RING - 1)];
		if (came >= left)
			return lag + (came > 0.0 ? flow->dt * left / came : 0.0);
		left -= came;
		lag += flow->dt;
	}
	return lag;
}

/* Hazards at a place, with its times stretched. */
static void stretched(const Response *r, Place at, double stretch, float *ret_hazard)
{
	double shrink = 1.0 / fmax(stretch, 1e-6);
	for (int p = 0; p < POINTS; p++) {
		float over = isinf(r->point_s[p]) ? 0.0f : 1.0f - (float) response_cdf(r, at, r->point_s[p] * shrink);
		ret_hazard[p] = over >= 1.0f ? 0.0f : over > HAZARD_OVER ? -logf(over) : HAZARD_MAX;
	}
}

static void settled(const Response *r, Place at, float *ret_hazard)
{
	const float *a = r->row[at.at].hazard, *b = r->row[at.at + 1].hazard;
	for (int p = 0; p < POINTS; p++)
		ret_hazard[p] = a[p] + at.part * (b[p] - a[p]);
}

/* e^x to 2e-6 in plain arithmetic, so that the compiler can do several points at once. |x| <= 80. */
static inline float exp_of(float x)
{
	const float round = 12582912.0f; /* 1.5 x 2^23: adding it leaves the nearest whole number in the low bits */
	float whole = x * 1.44269504f + round, part = x * 1.44269504f - (whole - round), power;
	float y = 1.0f + part * (.693147181f + part * (.240226507f + part * (.0555041087f + part * (.00961812911f +
	          part * .00133335581f))));
	int32_t bits;
	memcpy(&bits, &whole, sizeof bits);
	bits = (int32_t) (((uint32_t) bits - 0x4B400000u) << 23) + 0x3F800000;
	memcpy(&power, &bits, sizeof power);
	return y * power;
}

/* The smaller of two floats >= 0, which are ordered as their bits: comparing floats would keep the loop scalar. */
static inline float at_most(float x, float limit)
{
	int32_t a, b;
	memcpy(&a, &x, sizeof a);
	memcpy(&b, &limit, sizeof b);
	a = a < b ? a : b;
	memcpy(&x, &a, sizeof x);
	return x;
}

/*
 * Shares under the noise: a gamma frailty (Clayton 1978). If the hazard's factor R is gamma of mean 1 and variance 1/k,
 * P(T > t | R) = exp(-R k (S(t)^(-1/k) - 1)) mixes to S(t) itself: chance moves the windows, and the distribution over
 * all of them stays.
 */
static void shares_of(const Flow *flow, const float *restrict hazard, float *restrict ret_share)
{
	float per = (float) (1.0 / flow->evenness), times = (float) (flow->haste * flow->evenness);
	for (int p = 0; p < POINTS; p++) {
		float grown = times * (exp_of(per * hazard[p]) - 1.0f); /* at most e^(1 x HAZARD_MAX) */
		ret_share[p] = 1.0f - exp_of(-at_most(grown, 80.0f));
	}
}

/* True where the answer depends on n, rho and speed alone, not on the pod's own past. */
static bool hazards(const Flow *flow, double n, const Change *change, double rho, double speed, const float *arrived,
                    float *ret_hazard)
{
	const Response *r = flow->response;
	Place load = response_load_place(rho);
	double n_mid = .5 * (n + change->n), n_settled = (double) place_mix(load, r->n_at[load.at], r->n_at[load.at + 1]);
	if (n_mid <= 1.15 * n_settled + .05 && rho < RHO_MAX) {
		if (speed == 1.0)
			settled(r, response_place(r, n_mid), ret_hazard);
		else
			stretched(r, response_place(r, n_mid), 1.0 / speed, ret_hazard);
		return true;
	}
	double shape_n = n_mid;
	if (n_mid <= r->concurrency) {
		double rho_s = fmin(rho, RHO_SHAPE);
		load = response_load_place(rho_s);
		double n_s = (double) place_mix(load, r->n_at[load.at], r->n_at[load.at + 1]);
		load = response_load_place(rho_s * fmin(n_s / n_mid, 1.0));
		shape_n = (double) place_mix(load, r->n_at[load.at], r->n_at[load.at + 1]);
	}
	Place shape = response_place(r, shape_n);
	double mean = (double) place_mix(shape, r->row[shape.at].mean_s, r->row[shape.at + 1].mean_s);
	double lag = .5 * (lag_of(flow, arrived, flow->tick - 1, n) + lag_of(flow, arrived, flow->tick, change->n));
	stretched(r, shape, lag / mean, ret_hazard);
	return false;
}

/* ---- a pod, and all of them ---- */

/* A young pod is slow: its demand falls from warm_factor to 1. */
static double speed_of(const Service *service, double age_s)
{
	if (service->warm_factor <= 1.0 || age_s > WARM * service->warm_time)
		return 1.0;
	return 1.0 / (1.0 + (service->warm_factor - 1.0) * exp(-fmax(age_s, 0.0) / service->warm_time));
}

/*
 * What a sub-step does to a pod. Settled pods under random splitting come to the very same state, bit for bit, and what
 * follows from a state is worked out once: an outcome is kept while the next pods start from the same.
 */
typedef struct Outcome {
	double n_from, lambda, speed;
	bool is_shared;        /* depends on nothing but these three */
	Change change;
	double add[COUNTERS];  /* to the pod's counters */
	double within[POINTS]; /* served at or under each point */
	double served, dropped, cpu_s;
	int32_t pods;          /* that it was applied to */
} Outcome;

static void count(const Flow *flow, const float *share, bool is_calm, Outcome *out)
{
	/* chance in the number of arrivals shows in what completes only while there is room */
	double burst = is_calm ? flow->burst : 1.0;
	out->served = fmax(out->change.served, 0.0) * burst;
	out->dropped = out->change.dropped * burst;
	out->cpu_s = fmin(out->change.cores * burst, flow->response->cores) * flow->dt;
	for (int p = 0; p < POINTS; p++)
		out->within[p] = out->served * (double) share[p];
	double timeouts = out->served - out->within[POINT_TIMEOUT];
	for (int b = 0; b < BUCKETS; b++)
		out->add[b] = out->within[b];
	out->add[COUNTER_OK] = out->served - timeouts;
	out->add[COUNTER_ERROR] = timeouts + out->dropped;
	out->add[COUNTER_CPU_S] = out->cpu_s;
	out->add[COUNTER_SERVED] = out->served;
}

static void work_out(const Flow *flow, double n, double lambda, double speed, float *arrived, Outcome *out)
{
	const Response *r = flow->response;
	out->n_from = n;
	out->lambda = lambda;
	out->speed = speed;
	out->pods = 0;
	out->change = advance(flow, n, lambda, speed);
	arrived[flow->tick & (ARRIVAL_RING - 1)] = (float) out->change.accepted;
	double rho = lambda / (speed * r->mu);
	float hazard[POINTS], share[POINTS];
	out->is_shared = hazards(flow, n, &out->change, rho, speed, arrived, hazard);
	shares_of(flow, hazard, share);
	count(flow, share, rho < RHO_MAX && n < r->concurrency, out);
}

static void add_totals(const Outcome *out, StepTotals *totals)
{
	if (!out->pods)
		return;
	double pods = out->pods;
	for (int p = 0; p < POINTS; p++)
		totals->within[p] += pods * out->within[p];
	totals->served += pods * out->served;
	totals->dropped += pods * out->dropped;
	totals->cpu_s += pods * out->cpu_s;
}

static void add_counters(double *restrict counter, const double *restrict add)
{
	for (int k = 0; k < COUNTERS; k++)
		counter[k] += add[k];
}

static void pod_tick(const SimModel *model, SimRow *row, Pods *pods, int32_t lane, const Flow *flow, double now_s,
                     Outcome *out)
{
	double lambda = flow->rate * pods->share[lane], n = pods->n[lane];
	double speed = speed_of(&model->config.service, now_s - pods->listen_s[lane]);
	float *arrived = &pods->arrived[lane * ARRIVAL_RING];
	if (out->is_shared && out->n_from == n && out->lambda == lambda && out->speed == speed) {
		arrived[flow->tick & (ARRIVAL_RING - 1)] = (float) out->change.accepted;
	} else {
		add_totals(out, &row->totals);
		work_out(flow, n, lambda, speed, arrived, out);
	}
	out->pods++;
	add_counters(&pods->counter[lane * COUNTERS], out->add);
	pods->n[lane] = out->change.n;
}

/* Part of [from, from + dt] during which a pod is in the endpoints. */
static double share_of(double ready_s, double out_s, double from_s, double dt)
{
	double start = ready_s > from_s ? ready_s : from_s, end = out_s < from_s + dt ? out_s : from_s + dt;
	return end > start ? (end - start) / dt : 0.0;
}

/*
 * An AR(1) of deviation 1, turned into a gamma of mean 1 by the cube of Wilson and Hilferty (1931). Pods are
 * independent, so c of them have 1/c of the variance.
 */
static void draw_noise(SimRow *row, double rho, double pods, Flow *flow)
{
	const Response *r = flow->response;
	Place at = response_load_place(rho);
	double keep = (double) place_mix(at, r->noise_keep[at.at], r->noise_keep[at.at + 1]);
	double sd = (double) place_mix(at, r->noise_sd[at.at], r->noise_sd[at.at + 1]) / sqrt(fmax(pods, 1.0));
	row->noise = keep * row->noise + sqrt(1.0 - keep * keep) * rng_normal(&row->sizes);
	double root = fmax(1.0 - sd * sd / 9.0 - sd / 3.0 * row->noise, .05);
	flow->haste = root * root * root;
	flow->evenness = 1.0 / fmax(sd * sd, 1e-3);
}

void fluid_tick(const SimModel *model, SimRow *row, Pods *pods, double now_s, double rate_rps)
{
	const Response *r = model->response;
	double dt = model->dt, open = 0.0, expected = rate_rps * dt;
	double lag_s = model->config.service.term_endpoint_lag;
	for (int32_t k = 0; k < row->n_used; k++) {
		int32_t i = pods->order[k];
		if (pods->state[i] != LANE_POD)
			continue;
		pods->share[i] = share_of(pods->ready_s[i], pods->deleted_s[i] + lag_s, now_s, dt);
		open += pods->share[i];
		row->totals.pod_s += dt;
	}
	double arrivals = (double) rng_poisson(&row->arrivals, expected);
	Flow flow = { .response = r, .dt = dt, .tick = row->tick,
		.rate = open > 0.0 ? rate_rps / open : 0.0,
		.burst = expected > 0.0 ? arrivals / expected : 0.0 };
	draw_noise(row, open > 0.0 ? rate_rps / (open * r->mu) : 0.0, open, &flow);
	row->totals.offered += arrivals;
	row->totals.time_s += dt;
	if (open <= 0.0)
		row->totals.dropped += arrivals; /* no endpoint: refused before any pod could count it */
	Outcome outcome;
	outcome.is_shared = false;
	outcome.pods = 0;
	for (int32_t k = 0; k < row->n_used; k++) {
		int32_t i = pods->order[k];
		if (pods->state[i] == LANE_POD && (pods->share[i] > 0.0 || pods->n[i] > 0.0))
			pod_tick(model, row, pods, i, &flow, now_s, &outcome);
	}
	add_totals(&outcome, &row->totals);
}
