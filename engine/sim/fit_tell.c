/*
 * What the data tell: each part of the best point is tried against its rivals and its default. What is no better than the default, and
 * badly known, goes to the default.
 */
#include "sim/fit_inside.h"

#include <math.h>

/* Twice the log-likelihood between two points above which the data tell them apart (chi-square of one degree at 95 %). */
static const double APART = 3.84;

/* A balancer costs no parameter, and the predictions that it is judged by are simulated: it must be this many times as far apart.
 * With once, two pods with random splitting for five minutes were read as least of two. */
static const double BALANCE_APART = 3.0;

/* A limit above this part of the threads is none. */
static const double NO_LIMIT = .97;

/* A spread that is known this well is told. */
static const double CV_SE = .3;

static const int THREADS[] = { 1, 2, 3, 4, 6, 8, 16 };
static const int CONCURRENCY[] = { 1, 2, 4, 8, 16, 32, 64, 128 };
enum { N_THREADS = sizeof THREADS / sizeof *THREADS, N_CONCURRENCY = sizeof CONCURRENCY / sizeof *CONCURRENCY };

static void hold_default(FitFound *found, int axis)
{
	found->has_axis[axis] = false;
	found->se[axis] = NAN;
}

/* Sets the axes that the data hardly tell to their defaults, where these are as likely. */
static void drop_untold(FitLoad *load, FitFound *found, bool *is_held, size_t requests)
{
	Service standard;
	service_default(&standard);
	const double value[AXES] = { [AXIS_OVERHEAD] = standard.service_overhead, [AXIS_DELAY] = standard.net_delay };
	double demand = exp(found->point.x[AXIS_DEMAND]);
	const double needed[AXES] = { [AXIS_OVERHEAD] = .03 * demand, [AXIS_DELAY] = .1 * demand };
	for (int a = AXIS_OVERHEAD; a <= AXIS_DELAY; a++) {
		found->has_axis[a] = found->se[a] < fmax(needed[a], .25 * found->point.x[a]);
		if (found->has_axis[a] || is_held[a])
			continue;
		FitPoint fixed = found->point;
		fixed.x[a] = fmin(value[a], .5 * demand);
		is_held[a] = true;
		double with = fit_climb(load, &fixed, is_held, requests, 2), without = fit_likelihood(load, &found->point, requests);
		if (2.0 * (without - with) > APART) { /* badly known, but not the default */
			found->has_axis[a] = true;
			is_held[a] = false;
			continue;
		}
		found->point = fixed;
		fit_errors(load, found, is_held, requests);
		hold_default(found, a);
	}
}

/* Twice the loss of likelihood of a rival against the best; improved a little where that may decide. */
static double loss_of(FitLoad *load, FitPoint *rival, const bool *is_held, double best, size_t requests)
{
	double loss = 2.0 * (best - fit_likelihood(load, rival, requests));
	bool is_open = loss > .5 * APART && loss < 100.0 * APART;
	return is_open ? 2.0 * (best - fit_climb(load, rival, is_held, requests, 2)) : loss;
}

typedef struct Counting { /* one of the point's counts, tried */
	size_t field;          /* in FitPoint */
	const int *rivals;
	int n, standard;
	int low, high;         /* of those as likely as the point's own */
	int least, most;       /* that no rival tried excludes: between those that are tried there are others */
	FitPoint best, at_standard;
	double least_loss;     /* the best rival's; below 0 it is better than the point's own */
	bool is_standard_likely;
} Counting;

static int *count_in(FitPoint *point, size_t field)
{
	return (int *) (void *) ((char *) point + field);
}

static void try_rivals(FitLoad *load, FitFound *found, const bool *is_held, size_t requests, Counting *c)
{
	int own = c->low = c->high = *count_in(&found->point, c->field);
	double likelihood = fit_likelihood(load, &found->point, requests);
	double apart = APART * fmax(found->dispersion, 1.0); /* what no point explains counts for none */
	c->best = c->at_standard = found->point;
	c->least_loss = 0.0;
	c->is_standard_likely = own == c->standard;
	for (int i = 0; i < c->n && !load->is_cancelled; i++) {
		FitPoint rival = found->point;
		*count_in(&rival, c->field) = c->rivals[i];
		if (c->rivals[i] == own || rival.threads < .9 * load->used_cores)
			continue;
		if (rival.is_limited)
			rival = fit_moved(&rival, AXIS_LIMIT, 0.0);
		double loss = loss_of(load, &rival, is_held, likelihood, requests);
		if (loss < c->least_loss) {
			c->least_loss = loss;
			c->best = rival;
		}
		if (loss > apart)
			continue;
		c->low = c->rivals[i] < c->low ? c->rivals[i] : c->low;
		c->high = c->rivals[i] > c->high ? c->rivals[i] : c->high;
		if (c->rivals[i] == c->standard) {
			c->at_standard = rival;
			c->is_standard_likely = true;
		}
	}
	c->least = c->low;
	c->most = c->high;
	for (int i = 0; i < c->n; i++) { /* rivals rise */
		if (c->rivals[i] < c->low)
			c->least = c->rivals[i] + 1;
		else if (c->rivals[i] > c->high && c->most == c->high)
			c->most = c->rivals[i] - 1;
	}
}

/* A count against its rivals, and against theirs where one is better: told if none is as likely; else the default if it is among
 * them. */
static bool try_count(FitLoad *load, FitFound *found, Counting count, const bool *is_held, size_t requests, double *ret_se)
{
	try_rivals(load, found, is_held, requests, &count);
	for (int moves = 0; moves < 3 && count.least_loss < -APART; moves++) {
		found->point = count.best;
		(void) fit_climb(load, &found->point, is_held, requests, 2);
		try_rivals(load, found, is_held, requests, &count);
	}
	*ret_se = .5 * (count.most - count.least);
	if (count.low == count.high || !count.is_standard_likely)
		return true; /* within its error */
	found->point = count.at_standard;
	return false;
}

static void try_balance(FitLoad *load, FitFound *found, const bool *is_held, size_t requests)
{
	double loss[3] = { 0 }, best;
	FitPoint rival[3];
	if (fit_mean_pods(load) < 1.5)
		return; /* one pod needs no balancer */
	best = fit_likelihood(load, &found->point, requests);
	fit_errors(load, found, is_held, requests); /* what no point explains counts for none */
	double apart = BALANCE_APART * APART * fmax(found->dispersion, 1.0);
	int winner = SIM_RANDOM, likely = 0;
	for (int b = SIM_RANDOM; b <= SIM_LEAST; b++) {
		rival[b] = found->point;
		rival[b].balance = (SimBalance) b;
		loss[b] = 2.0 * (best - fit_climb(load, &rival[b], is_held, requests, 4));
		winner = loss[b] < loss[winner] ? b : winner;
	}
	for (int b = SIM_RANDOM; b <= SIM_LEAST; b++)
		likely += loss[b] - loss[winner] <= apart;
	bool is_other = loss[SIM_RANDOM] - loss[winner] > apart;
	found->has_balance = likely == 1 || is_other; /* that it is not the default, at least */
	if (is_other)
		found->point = rival[winner];
	else
		found->point = rival[SIM_RANDOM];
}

/* A limit is told if it is sharp, or if its absence is. */
static void try_limit(FitLoad *load, FitFound *found, bool *is_held, size_t requests)
{
	Service standard;
	service_default(&standard);
	if (found->point.is_limited && found->point.x[AXIS_LIMIT] > log(NO_LIMIT * found->point.threads)) {
		found->point.is_limited = false;
		(void) fit_climb(load, &found->point, is_held, requests, 2);
	}
	FitPoint rival = found->point;
	double best = fit_likelihood(load, &found->point, requests), loss;
	if (found->point.is_limited && found->se[AXIS_LIMIT] < .15) {
		rival.is_limited = false;
		loss = loss_of(load, &rival, is_held, best, requests);
		found->has_axis[AXIS_LIMIT] = loss > APART;
		if (found->has_axis[AXIS_LIMIT])
			return;
	}
	/* the default: is it as likely? */
	rival = found->point;
	rival.is_limited = true;
	rival.x[AXIS_LIMIT] = log(standard.cpu_limit);
	bool was_held = is_held[AXIS_LIMIT];
	is_held[AXIS_LIMIT] = true;
	loss = standard.cpu_limit < .95 * load->used_cores ? INFINITY : loss_of(load, &rival, is_held, best, requests);
	is_held[AXIS_LIMIT] = was_held;
	found->has_axis[AXIS_LIMIT] = loss > APART;
	if (!found->has_axis[AXIS_LIMIT]) {
		found->point = rival;
		is_held[AXIS_LIMIT] = true;
	}
}

/* The spread of demands: told if it is sharp; else the default, the exponential, where that is as likely. An exponential's error is what it
 * would be if the spread were free. */
static void try_shape(FitLoad *load, FitFound *found, const bool *is_held, size_t requests)
{
	FitFound free = *found;
	if (found->point.shape == SHAPE_LOGNORMAL) {
		FitPoint rival = found->point;
		rival.shape = SHAPE_EXPONENTIAL;
		rival.x[AXIS_CV] = 1.0;
		double best = fit_likelihood(load, &found->point, requests);
		found->has_axis[AXIS_CV] = found->se[AXIS_CV] < CV_SE || loss_of(load, &rival, is_held, best, requests) > APART;
		if (!found->has_axis[AXIS_CV])
			found->point = rival;
		return;
	}
	free.point.shape = SHAPE_LOGNORMAL;
	free.point.x[AXIS_CV] = 1.0 + 1e-5;
	fit_errors(load, &free, is_held, requests);
	found->se[AXIS_CV] = free.se[AXIS_CV];
	found->has_axis[AXIS_CV] = found->se[AXIS_CV] < CV_SE;
}

void fit_tell(FitLoad *load, double told_limit, bool *is_held, FitFound *found)
{
	size_t middle = fit_scaled(load, MIDDLE_REQUESTS), length = fit_scaled(load, LONG_REQUESTS);
	const Counting threads = { .field = offsetof(FitPoint, threads), .rivals = THREADS, .n = N_THREADS, .standard = 1 };
	const Counting concurrency = { .field = offsetof(FitPoint, concurrency), .rivals = CONCURRENCY, .n = N_CONCURRENCY, .standard = 128 };
	fit_errors(load, found, is_held, middle);
	found->has_concurrency = try_count(load, found, concurrency, is_held, middle, &found->concurrency_se);
	found->has_threads = try_count(load, found, threads, is_held, middle, &found->threads_se);
	try_balance(load, found, is_held, middle);
	fit_errors(load, found, is_held, length);
	if (isnan(told_limit))
		try_limit(load, found, is_held, middle);
	fit_errors(load, found, is_held, length);
	found->has_axis[AXIS_DEMAND] = true;
	drop_untold(load, found, is_held, middle);
	(void) fit_climb(load, &found->point, is_held, length, 3);
	fit_errors(load, found, is_held, length);
	try_shape(load, found, is_held, length);
}
