/*
 * The fluid level (SIM 4.2): dn/dt = lambda A(n) - X(n) for the number in each pod, A and X from the response table,
 * and the sojourn distribution of what completes.
 *
 * Two corrections to the plain equation. While the queue grows, the part of the growth that is not overload goes at .64
 * (2/pi: at saturation the mean grows as sqrt(4 mu t/pi), the equation as sqrt(2 mu t)), and where demands vary more than
 * exponential ones at 2/(1 + cv^2) of that: the work grows as the root of (1 + cv^2)/2, and lies in so many fewer requests. And
 * a sub-step is the exact solution of the locally linear equation, so that 5 s stay stable; where n moves much it is cut in pieces.
 *
 * Away from the settled state what completes now is old: its age is the horizontal distance between the curves of
 * arrivals and departures, found by walking back over the pods' accepted arrivals (the lag rule). In overload and its drain
 * ages.c knows better: there the course of the number tells the ages by itself. And where demands are not exponential, an overloaded
 * number grows at another rate, since the small ones still get done: by the ages where these are known (its pace), else as it would
 * for ever (response.c's growth).
 */
#include "sim/ages.h"
#include "sim/chance.h"
#include "sim/history.h"

#include <math.h>
#include <string.h>

static const float RHO_MAX = .97f, RHO_SHAPE = .94f;
static const float LAGS = 1.15f; /* of the settled number: a pod with more is not settled */
static const double WARM = 5.0;  /* warm_times: .7 % are left */
static const float STEADY = 1e-6f; /* of the number in the pod */
static const float TWIN = 1e-3f; /* of the number in the pod: less apart than this is the same */
static const float KEPT_LOAD = .03f, KEPT_STRETCH = .005f; /* hazards are kept while load and stretch change by less */
static const float AGES_KEPT = 4.0f; /* sub-steps */
static const float CURVED = .01f; /* of mu, and of the arrivals */

typedef struct Cast { /* who lives through a sub-step, and where */
	const SimModel *model;
	SimRow *row;
	const SimView *view;
	double now_s;
} Cast;

typedef struct Flow { /* what all pods share in a sub-step */
	const Response *response;
	float dt;
	float rate;       /* arrivals a second of a pod that is ready throughout */
	float burst;      /* counted arrivals over expected ones */
	float per, times; /* of the frailty: its variance 1/k; its draw times k */
	float pace;       /* of all pods' work */
} Flow;

static inline float at_most(float x, float limit)
{
	return x < limit ? x : limit;
}

static inline float at_least(float x, float limit)
{
	return x > limit ? x : limit;
}

/* e^x to 2e-6 in plain arithmetic, so that the compiler can do several points at once. |x| <= 80. */
static ALWAYS float exp_of(float x)
{
	const float round = 12582912.0f; /* 1.5 x 2^23: adding it leaves the nearest whole number in the low bits */
	float whole = x * 1.44269504f + round, part = x * 1.44269504f - (whole - round), power;
	float square = part * part; /* 2^part by Taylor, in pairs that do not wait for one another */
	float y = (1.0f + .693147181f * part) + square * ((.240226507f + .0555041087f * part) +
	          square * (.00961812911f + .00133335581f * part));
	int32_t bits;
	memcpy(&bits, &whole, sizeof bits);
	bits = (int32_t) ((uint32_t) bits << 23) + 0x3F800000; /* what it is besides is shifted out */
	memcpy(&power, &bits, sizeof power);
	return y * power;
}

/* ---- dynamics ---- */

/* (1 - e^-x)/x for x >= 0. */
static ALWAYS float ease(float x)
{
	return x < .02f ? 1.0f - x * (.5f - x * (1.0f / 6.0f)) : (1.0f - exp_of(-at_most(x, 80.0f))) / x;
}

static ALWAYS float grow(const Flow *flow, float n, float lambda, float speed, bool is_small, float *ret_accept)
{
	const Response *r = flow->response;
	Place at = response_place(r, n);
	const ResponseRow *a = &r->row[at.at], *b = a + 1;
	float accept = place_mix(at, a->accept, b->accept);
	float in = lambda * accept, net = in - speed * place_mix(at, a->rate, b->rate);
	float overload = at_least(in - speed * r->mu, 0.0f), rising = overload + r->rising * (net - overload);
	if (!r->is_even && speed == flow->pace /* the ages' pace has it already */ && overload > 0.0f && n < r->concurrency)
		rising -= (1.0f - response_growth(r, in / (speed * r->mu))) * overload;
	net = net > 0.0f ? rising : net;
	*ret_accept = accept;
	if (speed == 1.0f && b->accept > .9999f)
		return net * (is_small ? place_mix(at, a->gain_small, b->gain_small) : place_mix(at, a->gain, b->gain));
	/* a warming pod, or one that turns requests away: acceptance falls with n too */
	float dt = is_small ? flow->dt / PIECES : flow->dt;
	float slope = speed * a->slope + lambda * (a->accept - b->accept) * a->per_width * (ROOT_STEPS * ROOT_STEPS);
	return net * dt * ease(at_least(slope * dt, 0.0f));
}

static inline float cores_at(const Response *r, Place at)
{
	return place_mix(at, r->row[at.at].cores, r->row[at.at + 1].cores);
}

static __attribute__((noinline)) Change advance_in_pieces(const Flow *flow, float n, float lambda, float speed)
{
	const Response *r = flow->response;
	Change sum = { .n = n };
	float dt = flow->dt / PIECES, accept;
	for (int i = 0; i < PIECES; i++) {
		float to = sum.n + grow(flow, sum.n, lambda, speed, true, &accept), accepted = lambda * accept * dt;
		to = at_most(at_least(to, 0.0f), r->n_max);
		sum.accepted += accepted;
		sum.served += accepted - (to - sum.n);
		sum.dropped += lambda * (1.0f - accept) * dt;
		sum.cores += cores_at(r, response_place(r, .5f * (sum.n + to))) / PIECES;
		sum.n = to;
	}
	sum.middle = response_place(r, .5f * (n + sum.n));
	return sum;
}

/* Whether the rates of the equation change on the way: where they do not, one step is exact, however far it goes. */
static bool is_curved(const Response *r, float from, float to)
{
	const ResponseRow *a = &r->row[response_place(r, from).at], *b = &r->row[response_place(r, to).at];
	return fabsf(a->rate - b->rate) > CURVED * r->mu || fabsf(a->accept - b->accept) > CURVED;
}

static ALWAYS Change advance(const Flow *flow, float n, float lambda, float speed)
{
	const Response *r = flow->response;
	float accept, dn = grow(flow, n, lambda, speed, false, &accept);
	float to = at_most(at_least(n + dn, 0.0f), r->n_max), accepted = lambda * accept * flow->dt;
	if (fabsf(dn) > .2f * (n + 1.0f) && is_curved(r, n, to))
		return advance_in_pieces(flow, n, lambda, speed);
	Place middle = response_place(r, .5f * (n + to));
	return (Change) { .n = to, .accepted = accepted, .served = accepted - (to - n),
		.dropped = lambda * (1.0f - accept) * flow->dt, .cores = cores_at(r, middle), .middle = middle };
}

static inline bool has_bad_network(const SimRow *row)
{
	return row->chaos.delay_s > 0.0f || row->chaos.loss > 0.0f;
}

/* Sub-steps of past that a cohort and the history share. */
static int32_t age_of(const Cast *cast, const Cohort *cohort)
{
	int32_t most = cast->model->depth - 1, age = (int32_t) cast->row->tick - cohort->since_tick;
	return age < most ? age : most;
}

/*
 * Whether a pod has so much more in it than the load explains that the mean tells all, and who is in it (ages.h) matters.
 * Near saturation chance fills it as much as the load does; under faults the CPU it used says little about its work.
 */
static bool is_beyond_chance(const Cast *cast, float n, float rho)
{
	const Response *r = cast->model->response;
	const SimRow *row = cast->row;
	if ((rho >= 1.0f && n <= response_settled(r, RHO_SHAPE)) || (rho >= RHO_MAX && rho < 1.0f))
		return false;
	return (rho >= 1.0f || n > LAGS * response_settled(r, rho) + .5f) && row->pace == drawn_of(cast->model, row)->capacity &&
	       row->chaos.cpu_extra == 0.0f && !has_bad_network(row);
}

/* The oldest cohort, in the endpoints throughout: once it stays where it is, it does so until the weather changes. */
static ALWAYS Change advance_oldest(const Cast *cast, const Flow *flow, const Cohort *cohort, float speed, bool is_swamped)
{
	SimRow *row = cast->row;
	float n = cohort->n;
	if (n == row->steady_n) {
		row->steady_ticks++;
		return row->steady;
	}
	row->steady_ticks = 0;
	if (is_swamped && cast->model->config.service.service_cv != 1.0)
		speed *= ages_pace(cast->model, row, cast->view, age_of(cast, cohort));
	Change change = advance(flow, n, flow->rate, speed);
	if (fabsf(change.n - n) <= STEADY * n) {
		change.n = row->steady_n = n;
		row->steady = change;
	}
	return change;
}

/* Whether it has stayed where it is for longer than the history goes back: view.kept is of its weather then. */
static ALWAYS bool is_long_alike(const Cast *cast, const Cohort *cohort)
{
	const SimRow *row = cast->row;
	return cohort->n == row->steady_n && row->steady_ticks > cast->model->depth && !has_bad_network(row);
}

/* ---- sojourns ---- */

typedef struct Past { /* what a cohort has accepted, from the history */
	const SimModel *model;
	const float *history;
	int32_t at;        /* the entry at the start of the sub-step, or at the end of what it took */
	int32_t age;       /* entries before it that the cohort has lived through */
	int32_t out;       /* sub-steps since it took the last */
	float accepted;    /* by each pod in the sub-step itself */
} Past;

/* Seconds over which the last n accepted arrivals came, looking back from the end of the sub-step or from its start. */
static float lag_of(const Past *past, float n, bool is_end)
{
	int32_t columns = past->model->columns, at = past->at, steps = past->out + is_end;
	const float *column = past->history + COLUMN_ACCEPTED;
	float dt = (float) past->model->dt, later = column[at * columns], low = later + (is_end ? past->accepted : 0.0f) - n;
	if (later <= low)
		return past->accepted > 0.0f ? dt * n / past->accepted : 0.0f;
	for (int32_t left = past->age; left > 0; left--, steps++) {
		at = at ? at - 1 : past->model->depth - 1;
		float here = column[at * columns];
		if (here <= low)
			return dt * ((float) steps + (later > here ? (later - low) / (later - here) : 0.0f));
		later = here;
	}
	return dt * (float) steps;
}

typedef struct Sojourn { /* hazards at the points: a + part (b - a) */
	const float *a, *b;
	float part;
} Sojourn;

/* Stretched hazards; those of the oldest cohort change little from one sub-step to the next, if at all where it is full. */
static Sojourn stretched(const Cast *cast, bool is_oldest, Place at, float stretch, float *hazard)
{
	const Response *r = cast->model->response;
	SimRow *row = cast->row;
	float load = place_mix(at, r->row[at.at].load, r->row[at.at + 1].load);
	if (!is_oldest || has_bad_network(cast->row)) {
		response_stretch(r, load, stretch, hazard);
		if (has_bad_network(cast->row))
			response_delay(r, load, stretch, row->chaos.delay_s, row->chaos.loss, hazard);
		return (Sojourn) { hazard, hazard, 0.0f };
	}
	bool is_kept = row->kept_stretch > 0.0f && fabsf(load - row->kept_load) <= KEPT_LOAD &&
	               fabsf(stretch - row->kept_stretch) <= KEPT_STRETCH * stretch;
	if (!is_kept) {
		response_stretch(r, load, stretch, cast->view->kept);
		row->kept_load = load;
		row->kept_stretch = stretch;
	}
	return (Sojourn) { cast->view->kept, cast->view->kept, 0.0f };
}

static Past past_of(const Cast *cast, const Cohort *cohort, float accepted)
{
	const SimModel *model = cast->model;
	const SimRow *row = cast->row;
	int32_t age = age_of(cast, cohort), out = 0;
	if (cohort->out_s < cast->now_s) {
		out = (int32_t) ((cast->now_s - cohort->out_s) / model->dt + .5);
		out = out < age ? out : age;
	}
	int32_t at = row->at - out;
	return (Past) { .model = model, .history = cast->view->history, .at = at < 0 ? at + model->depth : at, .age = age - out,
		.out = out, .accepted = accepted };
}

/* Of a pod that lags behind its load: what completes is old. */
static Sojourn lagging(const Cast *cast, const Cohort *cohort, const Change *change, float rho, float *hazard)
{
	bool is_oldest = cohort == &cast->view->cohort[cast->view->live[0]];
	const Response *r = cast->model->response;
	float middle = .5f * (cohort->n + change->n);
	Place shape = change->middle;
	if (middle <= r->concurrency) {
		float rho_s = at_most(rho, RHO_SHAPE), n_s = response_settled(r, rho_s);
		shape = response_place(r, response_settled(r, rho_s * at_most(n_s / middle, 1.0f)));
	}
	Past past = past_of(cast, cohort, change->accepted);
	float mean = place_mix(shape, r->row[shape.at].mean_s, r->row[shape.at + 1].mean_s);
	float lag = .5f * (lag_of(&past, cohort->n, false) + lag_of(&past, change->n, true));
	return stretched(cast, is_oldest, shape, at_least(lag / mean, 1e-6f), hazard);
}

/* Of a pod with much more in it than its load explains. Where it is full, ages change slowly. */
static Sojourn swamped(const Cast *cast, const Cohort *cohort, const Change *change)
{
	SimRow *row = cast->row;
	float *kept = cast->view->kept, ticks = -row->kept_stretch;
	if (ticks <= 0.0f || ticks >= AGES_KEPT || fabsf(change->n - row->kept_load) > .02f * change->n) {
		ages_hazards(cast->model, row, cast->view, age_of(cast, cohort), cohort->n, change, kept);
		row->kept_load = change->n;
		ticks = 0.0f;
	}
	row->kept_stretch = -(ticks + 1.0f);
	return (Sojourn) { kept, kept, 0.0f };
}

/* Of what completes. `hazard` is room for them. */
static ALWAYS Sojourn sojourn_of(const Cast *cast, const Cohort *cohort, const Change *change, float rho, float speed,
                                 float *hazard)
{
	const Response *r = cast->model->response;
	Place shape = change->middle;
	if (!(rho < RHO_MAX && .5f * (cohort->n + change->n) <= LAGS * response_settled(r, rho) + .05f))
		return lagging(cast, cohort, change, rho, hazard);
	if (speed != 1.0f || has_bad_network(cast->row))
		return stretched(cast, false, shape, 1.0f / speed, hazard);
	return (Sojourn) { r->row[shape.at].hazard, r->row[shape.at + 1].hazard, shape.part };
}

/* The smaller of two floats >= 0, which are ordered as their bits: comparing floats would keep the loop scalar. */
static ALWAYS float smaller(float x, float limit)
{
	int32_t a, b;
	memcpy(&a, &x, sizeof a);
	memcpy(&b, &limit, sizeof b);
	a = a < b ? a : b;
	memcpy(&x, &a, sizeof x);
	return x;
}

/*
 * Counts under the noise: a gamma frailty (Clayton 1978). If the hazard's factor R is gamma of mean 1 and variance 1/k,
 * P(T > t | R) = exp(-R k (S(t)^(-1/k) - 1)) mixes to S(t) itself: chance moves the windows, and the distribution over
 * all of them stays.
 */
static ALWAYS float grown_of(float per, Sojourn sojourn, int32_t q)
{
	return exp_of(per * (sojourn.a[q] + sojourn.part * (sojourn.b[q] - sojourn.a[q]))) - 1.0f; /* at most e^(1 x HAZARD_MAX) */
}

static ALWAYS float within_of(float times, float grown)
{
	return 1.0f - exp_of(-smaller(times * grown, 80.0f));
}

static ALWAYS void count(const Flow *flow, Sojourn sojourn, float served, float *restrict within)
{
	float per = flow->per, times = flow->times;
	int32_t n = flow->response->n_points;
	for (int32_t p = 0; p < n; p += SIDE_BY_SIDE)
		for (int32_t q = p; q < p + SIDE_BY_SIDE; q++)
			within[q] += served * within_of(times, grown_of(per, sojourn, q));
}

/* The same where the hazards are raised to the frailty already. */
static ALWAYS void count_grown(const Flow *flow, const float *restrict grown, float served, float *restrict within)
{
	float times = flow->times;
	int32_t n = flow->response->n_points;
	for (int32_t p = 0; p < n; p += SIDE_BY_SIDE)
		for (int32_t q = p; q < p + SIDE_BY_SIDE; q++)
			within[q] += served * within_of(times, grown[q]);
}

/* ---- a cohort, and all of them ---- */

/* A young pod is slow: its demand falls from warm_factor to 1. */
static ALWAYS float speed_of(const Service *service, double age_s)
{
	if (age_s > WARM * service->warm_time || service->warm_factor <= 1.0)
		return 1.0f;
	float left = exp_of((float) -(age_s > 0.0 ? age_s : 0.0) / (float) service->warm_time);
	return 1.0f / (1.0f + ((float) service->warm_factor - 1.0f) * left);
}

static void keep_grown(const Cast *cast, float per, Sojourn sojourn)
{
	for (int32_t q = 0; q < cast->model->response->n_points; q++)
		cast->view->kept[q] = grown_of(per, sojourn, q);
	cast->row->kept_stretch = 0.0f; /* they are no hazards any more */
}

static ALWAYS void add_up(const Cast *cast, const Flow *flow, const Cohort *cohort, const Change *change, float burst, float served, Counts *sum)
{
	const Response *r = flow->response;
	float pods = (float) cohort->pods, wanted = at_most(change->cores * burst, r->cores), own = cast->row->cpu_share * wanted;
	float extra = cast->row->chaos.cpu_extra * r->cores;
	sum->n += pods * change->n;
	sum->accepted += pods * change->accepted;
	sum->served += served;
	sum->dropped += pods * change->dropped * burst;
	sum->cpu_s += pods * (own + extra) * flow->dt;
	sum->busy_cores += pods * wanted;
	sum->live += pods;
}

/* Chance in the number of arrivals shows in what completes only while there is room. */
static ALWAYS float burst_of(const Flow *flow, const Cohort *cohort, float rho)
{
	return rho < RHO_MAX && cohort->n < flow->response->concurrency ? flow->burst : 1.0f;
}

/* The oldest cohort, whose past is all alike: nothing changes but by chance, and what follows from its past is kept. */
static ALWAYS void live_alike(const Cast *cast, const Flow *flow, Cohort *cohort, Counts *sum)
{
	const Change *change = &cast->row->steady;
	float burst = burst_of(flow, cohort, cast->row->weather.rho), served = (float) cohort->pods * at_least(change->served, 0.0f) * burst;
	cast->row->steady_ticks++;
	count_grown(flow, cast->view->kept, served, sum->within);
	add_up(cast, flow, cohort, change, burst, served, sum);
}

static ALWAYS void live_through(const Cast *cast, const Flow *flow, Cohort *cohort, bool is_oldest, float speed, Counts *sum)
{
	const Response *r = flow->response;
	float lambda = flow->rate * cohort->share;
	bool is_usual = speed == flow->pace && cohort->share == 1.0f;
	bool is_first = is_usual && is_oldest; /* what is known of a settled cohort is known of this one */
	if (is_first && is_long_alike(cast, cohort)) {
		live_alike(cast, flow, cohort, sum);
		return;
	}
	float rho = is_usual ? cast->row->weather.rho : lambda / (speed * r->mu), hazard[POINTS];
	bool is_swamped = is_first && is_beyond_chance(cast, cohort->n, rho);
	Change change = is_first ? advance_oldest(cast, flow, cohort, speed, is_swamped) : advance(flow, cohort->n, lambda, speed);
	float burst = burst_of(flow, cohort, rho), served = (float) cohort->pods * at_least(change.served, 0.0f) * burst;
	Sojourn sojourn = is_swamped ? swamped(cast, cohort, &change) : sojourn_of(cast, cohort, &change, rho, speed, hazard);
	count(flow, sojourn, served, sum->within);
	if (is_first && cast->row->steady_ticks == cast->model->depth + 1 && !has_bad_network(cast->row))
		keep_grown(cast, flow->per, sojourn);
	add_up(cast, flow, cohort, &change, burst, served, sum);
	cohort->n = change.n;
}

/* The oldest live cohort in the state of the k-th takes it in. */
static void join_twin(SimRow *row, const SimView *view, int32_t k)
{
	const Cohort *cohort = &view->cohort[view->live[k]];
	for (int32_t j = 0; j < k; j++) {
		const Cohort *other = &view->cohort[view->live[j]];
		if (other->share == 1.0f && other->out_s == INFINITY && other->ready_s < cohort->ready_s &&
		    fabsf(other->n - cohort->n) <= TWIN * (other->n + TWIN)) {
			cohort_merge(row, view, view->live[k], view->live[j]);
			return;
		}
	}
}

/*
 * An AR(1) of deviation 1, turned into a gamma of mean 1 by the cube of Wilson and Hilferty (1931). Pods are
 * independent, so c of them have 1/c of the variance.
 */
static __attribute__((noinline)) void change_weather(const SimModel *model, Weather *weather, Load load)
{
	const Response *r = model->response;
	float endpoints = load.open + load.ghosts, mean = load.rate_rps * (float) model->dt;
	float rate = endpoints > 0.0f ? load.rate_rps / endpoints : 0.0f, rho = rate / (load.pace * r->mu);
	Place at = response_load_place(rho);
	float sd = place_mix(at, r->noise_sd[at.at], r->noise_sd[at.at + 1]) / sqrtf(at_least(load.open, 1.0f));
	*weather = (Weather) {
		.load = load, .rate = rate, .rho = rho, .sd = sqrtf(mean), .per_mean = mean > 0.0f ? 1.0f / mean : 0.0f,
		.keep = place_mix(at, r->noise_keep[at.at], r->noise_keep[at.at + 1]),
		.fresh = place_mix(at, r->noise_new[at.at], r->noise_new[at.at + 1]),
		.per = at_least(sd * sd, 1e-3f), .times = 1.0f / at_least(sd * sd, 1e-3f), .third = sd * (1.0f / 3.0f),
	};
}

static ALWAYS void draw_noise(SimRow *row, float normal, Flow *flow)
{
	const Weather *w = &row->weather;
	row->noise = w->keep * row->noise + w->fresh * normal;
	float root = at_least(1.0f - w->third * w->third - w->third * row->noise, .05f);
	flow->per = w->per;
	flow->times = root * root * root * w->times;
}

/* Part of [from, from + dt] during which a pod is in the endpoints. */
static ALWAYS float share_of(double ready_s, double out_s, double from_s, double dt)
{
	if (ready_s <= from_s && out_s >= from_s + dt)
		return 1.0f;
	double start = ready_s > from_s ? ready_s : from_s, end = out_s < from_s + dt ? out_s : from_s + dt;
	return end > start ? (float) ((end - start) / dt) : 0.0f;
}

typedef struct Words { /* two words of chance for a sub-step */
	uint32_t arrivals, noise;
} Words;

/* Blocks are drawn several at once, those of the sub-steps to come. */
static ALWAYS Words words_of(const SimModel *model, const SimRow *row, Dice *dice)
{
	uint32_t k = (uint32_t) (row->tick + model->warm_ticks), pair = k / 2, half = k % 2 * 2;
	if (!dice->has_any || pair - dice->first >= RNG_BLOCKS) {
		const uint32_t key[] = { (uint32_t) row->seed, (uint32_t) (row->seed >> 32) };
		const uint32_t counter[] = { pair, row->episode, row->id, RNG_ARRIVALS };
		rng_philox_blocks(counter, key, dice->word);
		dice->first = pair;
		dice->has_any = true;
	}
	return (Words) { dice->word[half][pair - dice->first], dice->word[half + 1][pair - dice->first] };
}

/* From the newest on, so that the one that joins another is not met again. */
static ALWAYS void live_all(const Cast *cast, const Flow *flow, Counts *sum)
{
	for (int32_t k = cast->row->n_live - 1; k >= 0; k--) {
		Cohort *cohort = &cast->view->cohort[cast->view->live[k]];
		float speed = flow->pace * speed_of(&cast->model->config.service, cast->now_s - cohort->listen_s);
		live_through(cast, flow, cohort, k == 0, speed, sum);
		if (k && speed == flow->pace && cohort->share == 1.0f && cohort->out_s == INFINITY)
			join_twin(cast->row, cast->view, k);
	}
	history_add(cast->model, cast->row, cast->view, sum);
}

static ALWAYS float open_shares(const SimModel *model, SimRow *row, const SimView *view, double now_s)
{
	float open = 0.0f;
	for (int32_t k = 0; k < row->n_live; k++) {
		Cohort *cohort = &view->cohort[view->live[k]];
		cohort->share = share_of(cohort->ready_s, cohort->out_s, now_s, model->dt);
		open += cohort->share * (float) cohort->pods;
	}
	return open;
}

static ALWAYS void tick(const SimModel *model, SimRow *row, const SimView *view, Dice *dice, double now_s, double rate_rps)
{
	Weather *weather = &row->weather;
	Counts sum = { 0 };
	sum.open = open_shares(model, row, view, now_s);
	int32_t ghosts = chaos_ghosts(row);
	const Load load = { (float) rate_rps, sum.open, (float) ghosts, row->pace };
	const Load *old = &weather->load;
	if (load.rate_rps != old->rate_rps || load.open != old->open || load.ghosts != old->ghosts || load.pace != old->pace) {
		change_weather(model, weather, load);
		row->steady_n = -1.0f;
		row->steady_ticks = 0;
	}
	const Words words = words_of(model, row, dice);
	float arrivals = chance_poisson(words.arrivals, weather->load.rate_rps * (float) model->dt, weather->sd);
	Flow flow = { .response = model->response, .dt = (float) model->dt, .rate = weather->rate, .pace = row->pace,
		.burst = arrivals * weather->per_mean };
	draw_noise(row, chance_normal(words.noise), &flow);
	row->totals.offered += arrivals;
	if (sum.open <= 0.0f)
		sum.dropped += arrivals; /* no endpoint: refused before any pod could count it */
	else if (ghosts)
		sum.dropped += arrivals * (float) ghosts / (sum.open + (float) ghosts);
	const Cast cast = { model, row, view, now_s };
	live_all(&cast, &flow, &sum);
	row->busy_cores = sum.busy_cores;
}

/* The same arithmetic in wider registers, where the machine has them: nothing is fused, so the bits are the same. */
#ifdef __x86_64__
__attribute__((target("avx2,popcnt"))) static void tick_wide(const SimModel *model, SimRow *row, const SimView *view, Dice *dice, double now_s, double rate_rps)
{
	tick(model, row, view, dice, now_s, rate_rps);
}
#else
#define tick_wide tick
#endif

static __attribute__((noinline)) void tick_narrow(const SimModel *model, SimRow *row, const SimView *view, Dice *dice, double now_s, double rate_rps)
{
	tick(model, row, view, dice, now_s, rate_rps);
}

void fluid_tick(const SimModel *model, SimRow *row, const SimView *view, Dice *dice, double now_s, double rate_rps)
{
	(model->is_wide ? tick_wide : tick_narrow)(model, row, view, dice, now_s, rate_rps);
}
