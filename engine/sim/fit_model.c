/*
 * What a service would have shown: the request level of a pod (or of some, under a balancer that looks at them) at each load, and how
 * likely the counts are then.
 *
 * All predictions draw from the same numbers, so that two points are compared on the same arrivals and a difference between
 * neighbours is a derivative.
 */
#include "sim/fit_inside.h"

#include "base/rng.h"

#include <math.h>
#include <string.h>

static const size_t STRIDE = 12289; /* between the draws of two bins */

Service fit_service(const FitPoint *point)
{
	Service service;
	service_default(&service);
	double demand = exp(point->x[AXIS_DEMAND]), limit = exp(point->x[AXIS_LIMIT]);
	service.service_overhead = point->x[AXIS_OVERHEAD];
	service.service_mean = demand - service.service_overhead;
	service.service_cv = point->shape == SHAPE_FIXED ? 0.0 : point->shape == SHAPE_EXPONENTIAL ? 1.0 : point->x[AXIS_CV];
	service.net_delay = point->x[AXIS_DELAY];
	service.threads = point->threads;
	service.concurrency = point->concurrency;
	service.cpu_limit = point->is_limited && limit < service.threads ? limit : 0.0;
	return service;
}

/* ---- a load ---- */

typedef struct Run {
	const FitLoad *load;
	Sizes sizes;
	bool is_lognormal;
	size_t at;          /* in the draws */
	double *bin;        /* completions by time_bin() */
	double done;
} Run;

static double draw_size(const Run *run, size_t at)
{
	const Sizes *s = &run->sizes;
	if (s->cv <= 0.0)
		return s->mean + s->overhead;
	if (!run->is_lognormal)
		return s->mean * (double) run->load->exponential[at] + s->overhead;
	return s->mean * exp(s->mu + s->sigma * (double) run->load->normal[at]) + s->overhead;
}

static void complete(Run *run, Server *server, double until_s, bool is_counted)
{
	Job done;
	double part;
	while (server_next(server, until_s, &done)) {
		if (!is_counted)
			continue;
		run->bin[time_bin(server->now_s - done.arrival_s, &part)] += 1.0;
		run->done += 1.0;
	}
}

/* One pod. Under random balancing its arrivals are Poisson; under rr it gets each pods-th of them. */
static void simulate_one(Run *run, const Service *service, double rate, size_t each, size_t requests)
{
	Server server;
	double next = 0.0;
	size_t warm = requests / 10, at = run->at;
	server_init(&server, service, 0.0, 1.0, run->load->job);
	for (size_t k = 0; k < warm + requests; k++) {
		double gap = 0.0;
		for (size_t i = 0; i < each; i++, at++)
			gap += (double) run->load->gap[at % FIT_DRAWS];
		next += gap / (rate * (double) each);
		complete(run, &server, next, k > warm);
		(void) server_arrive(&server, draw_size(run, (run->at + k) % FIT_DRAWS));
	}
}

/* The less loaded of two, drawn anew for each request. */
static void simulate_least(Run *run, const Service *service, double rate, size_t pods, size_t requests)
{
	Server server[FIT_PODS];
	Rng balancer;
	double next = 0.0;
	size_t warm = requests / 10;
	rng_init(&balancer, run->load->options->seed, (uint32_t) run->at, RNG_LB);
	for (size_t i = 0; i < pods; i++)
		server_init(&server[i], service, 0.0, ((double) i + 1.0) / (double) pods, run->load->job + i * server_jobs(service));
	for (size_t k = 0; k < warm + requests; k++) {
		size_t at = (run->at + k) % FIT_DRAWS, a = rng_below(&balancer, (uint32_t) pods);
		size_t b = rng_below(&balancer, (uint32_t) pods); /* perhaps the same, as the simulator draws them */
		next += (double) run->load->gap[at] / (rate * (double) pods);
		complete(run, &server[a], next, k > warm);
		complete(run, &server[b], next, k > warm);
		size_t to = server[b].n + server[b].waiting < server[a].n + server[a].waiting ? b : a;
		(void) server_arrive(&server[to], draw_size(run, at));
	}
	for (size_t i = 0; i < pods; i++)
		complete(run, &server[i], next, true);
}

/* Share done within t_s. */
static double within(const double *below, double all, double t_s)
{
	double part;
	int32_t bin = time_bin(t_s > 0.0 ? t_s : 0.0, &part);
	return (below[bin] + part * (below[bin + 1] - below[bin])) / all;
}

void fit_predict(FitLoad *load, const FitPoint *point, const FitBin *bin, size_t which, size_t requests, double *ret_share)
{
	double count[TIME_POINTS + 1] = { 0 }, below[TIME_POINTS + 1];
	Service service = fit_service(point);
	Run run = { .load = load, .sizes = sizes_of(&service), .is_lognormal = point->shape == SHAPE_LOGNORMAL,
		.at = which * STRIDE % FIT_DRAWS, .bin = count };
	long pods = lround(bin->pods);
	size_t n = pods < 1 ? 1 : pods > FIT_PODS ? FIT_PODS : (size_t) pods;
	for (int half = -1; half <= 1; half += 2) { /* two rates have the mean and the spread of the intervals' */
		double rate = bin->rate + half * bin->spread;
		size_t share = (size_t) ((double) requests * .5 * rate / bin->rate);
		run.at = (run.at + STRIDE / 2) % FIT_DRAWS;
		if (point->balance == SIM_LEAST && n > 1)
			simulate_least(&run, &service, rate, n, share);
		else
			simulate_one(&run, &service, rate, point->balance == SIM_ROUND_ROBIN ? n : 1, share);
	}
	load->done += (double) requests;
	if (load->options->progress && !load->is_cancelled)
		load->is_cancelled = !load->options->progress(load->options->context, fmin(load->done / load->of_all, .99));
	below[0] = 0.0;
	for (int k = 0; k < TIME_POINTS; k++)
		below[k + 1] = below[k] + count[k];
	/* half a request in each bucket besides: none is impossible */
	double before = 0.0, spare = .5 / (run.done + .5 * ((double) load->n_bounds + 1.0));
	for (size_t b = 0; b <= load->n_bounds; b++) {
		double upto = b < load->n_bounds && run.done > 0.0
			? within(below, run.done, load->bound_ms[b] * 1e-3 - service.net_delay) : 1.0;
		ret_share[b] = (upto - before) * (1.0 - spare * ((double) load->n_bounds + 1.0)) + spare;
		before = upto;
	}
}

/* ---- an interval ---- */

typedef struct Interval {
	const FitLoad *load;
	const FitPlay *play;
	double *within, cpu_s, net_delay;
} Interval;

/* One pod's completions up to until_s; those after the interval before are counted. */
static void live_on(Interval *in, Server *server, double until_s)
{
	Job done;
	while (server_next(server, until_s, &done)) {
		double sojourn_ms = 1e3 * (server->now_s - done.arrival_s + in->net_delay);
		for (size_t b = 0; b <= in->load->n_bounds && server->now_s > in->play->step_s; b++)
			in->within[b] += b == in->load->n_bounds || sojourn_ms <= in->load->bound_ms[b] ? 1.0 : 0.0;
	}
}

static size_t choose_pod(SimBalance balance, const Server *server, size_t pods, size_t turn, Rng *rng)
{
	if (balance == SIM_ROUND_ROBIN)
		return turn % pods;
	size_t a = rng_below(rng, (uint32_t) pods), b = balance == SIM_LEAST ? rng_below(rng, (uint32_t) pods) : a;
	return server[b].n + server[b].waiting < server[a].n + server[a].waiting ? b : a;
}

static void play_pods(Interval *in, const FitPoint *point, size_t pods, uint32_t id)
{
	Server server[FIT_PODS];
	Rng arrivals, demands;
	Service service = fit_service(point);
	const Sizes sizes = sizes_of(&service);
	double t = 0.0, step_s = in->play->step_s;
	rng_init(&arrivals, in->load->options->seed, id, RNG_LB);
	rng_init(&demands, in->load->options->seed, id, RNG_LIFECYCLE);
	for (size_t i = 0; i < pods; i++)
		server_init(&server[i], &service, 0.0, rng_uniform(&demands), in->load->job + i * server_jobs(&service));
	for (size_t turn = 0;; turn++) {
		double rate = (t < step_s ? in->play->before : in->play->rate) * (double) pods, next = t + rng_exponential(&arrivals) / rate;
		bool is_second = t < step_s && next >= step_s; /* the rate changes on the way: drawn anew from there */
		t = is_second ? step_s : next;
		for (size_t i = 0; i < pods; i++) {
			live_on(in, &server[i], fmin(t, 2.0 * step_s));
			if (is_second)
				server[i].sums = (ServerSums) { 0 };
		}
		if (t >= 2.0 * step_s)
			break;
		if (!is_second)
			(void) server_arrive(&server[choose_pod(point->balance, server, pods, turn, &arrivals)], sizes_draw(&sizes, &demands));
	}
	for (size_t i = 0; i < pods; i++)
		in->cpu_s += server[i].sums.cpu_s;
}

void fit_play(FitLoad *load, const FitPoint *point, const FitPlay *play, double *ret_within, double *ret_cpu_s)
{
	Interval in = { load, play, ret_within, 0.0, point->x[AXIS_DELAY] };
	memset(ret_within, 0, (load->n_bounds + 1) * sizeof *ret_within);
	for (size_t from = 0; from < play->pods; from += FIT_PODS) {
		size_t left = play->pods - from;
		play_pods(&in, point, left < FIT_PODS ? left : FIT_PODS, (play->id << 8) + (uint32_t) (from / FIT_PODS));
	}
	*ret_cpu_s = in.cpu_s;
}

/* ---- likelihood ---- */

size_t fit_scaled(const FitLoad *load, size_t requests)
{
	size_t n = (size_t) ((double) requests * load->options->effort);
	return n < 300 ? 300 : n;
}

static bool is_possible(const FitPoint *point)
{
	Service s = fit_service(point);
	return s.service_mean >= 1e-4 && !service_check(&s, NULL);
}

double fit_weight(const FitBin *bin, size_t requests)
{
	return 1.0 / (bin->dispersion * (1.0 / bin->requests + 1.0 / (double) requests));
}

double fit_likelihood(FitLoad *load, const FitPoint *point, size_t requests)
{
	if (!is_possible(point))
		return -INFINITY;
	double off = (point->x[AXIS_DEMAND] - log(load->demand)) * load->demand / load->demand_se, sum = -.5 * off * off;
	for (size_t i = load->n_bins > 2 ? load->stride - 1 : 0; i < load->n_bins; i += load->stride) {
		double share[FIT_BOUNDS + 1];
		const FitBin *bin = &load->bin[i];
		fit_predict(load, point, bin, i, requests, share);
		double part = 0.0;
		for (size_t b = 0; b <= load->n_bounds; b++)
			part += bin->share[b] > 0.0 ? bin->share[b] * log(share[b] / bin->share[b]) : 0.0;
		sum += fit_weight(bin, requests) * part;
	}
	return sum;
}
