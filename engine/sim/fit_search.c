/*
 * The most likely point. A coarse grid over everything finds where to look; the best of each family (exponential or lognormal, so many
 * threads, processor sharing or one after the other, with a limit or without) climbs on ever longer predictions, fewer
 * of them each time.
 */
#include "sim/fit_inside.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FAMILIES_MAX = 128, GRID_REQUESTS = 2500, SHORT_REQUESTS = 8000, FIRST = 16, SECOND = 8, THIRD = 4, FINALISTS = 2 };

/* What a search simulates for each bin, as seen; for the progress bar alone. */
static const double SEARCH_REQUESTS = 2.6e7;

static const int THREADS[] = { 1, 2, 4 };
enum { N_THREADS = sizeof THREADS / sizeof *THREADS };

typedef struct Candidate {
	FitPoint point;
	double likelihood;
} Candidate;

static int by_likelihood(const void *a, const void *b)
{
	double x = ((const Candidate *) a)->likelihood, y = ((const Candidate *) b)->likelihood;
	return (x < y) - (x > y);
}

/* The delay moves a distribution as a whole, so the grid takes what explains the fastest requests best. */
static double try_delays(FitLoad *load, FitPoint *point, size_t requests)
{
	static const double part[] = { 0.0, .02, .1, .5, 2.0 };
	double demand = exp(point->x[AXIS_DEMAND]), best = -INFINITY, best_delay = 0.0;
	for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
		point->x[AXIS_DELAY] = part[i] * demand;
		double value = fit_likelihood(load, point, requests);
		if (value > best) {
			best = value;
			best_delay = point->x[AXIS_DELAY];
		} else if (i > 1) {
			break;
		}
	}
	point->x[AXIS_DELAY] = best_delay;
	return best;
}

static FitPoint start_point(const FitLoad *load)
{
	Service standard;
	service_default(&standard);
	FitPoint point = { .threads = 1, .concurrency = (int) standard.concurrency, .shape = SHAPE_EXPONENTIAL };
	point.x[AXIS_DEMAND] = log(load->demand);
	point.x[AXIS_CV] = 1.0;
	point.x[AXIS_OVERHEAD] = fmin(standard.service_overhead, .1 * load->demand);
	return point;
}

/* The best of a family over its limits, shapes being its own. */
static Candidate best_of_family(FitLoad *load, FitPoint point, double told_limit, size_t requests)
{
	static const double CVS[] = { .3, .7, 1.7 }, OVERHEADS[] = { 0, .12, .3 };
	enum { LIMITS = 5 };
	Candidate best = { .point = point, .likelihood = -INFINITY };
	double low = fmax(.9 * load->used_cores, .02), high = .9 * point.threads;
	int n_limits = !point.is_limited ? 1 : !isnan(told_limit) ? 1 : LIMITS;
	int n_cvs = sizeof CVS / sizeof *CVS;
	if (point.is_limited && isnan(told_limit) && low >= high)
		low = .95 * high;
	for (int l = 0; l < n_limits; l++)
		for (int c = 0; c < n_cvs; c++) {
			FitPoint at = point;
			double part = n_limits > 1 ? (double) l / (n_limits - 1) : 0.0;
			if (point.is_limited)
				at.x[AXIS_LIMIT] = !isnan(told_limit) ? log(told_limit) : log(low) + part * log(high / low);
			if (point.shape == SHAPE_LOGNORMAL)
				at.x[AXIS_CV] = CVS[c];
			else if (c)
				at.x[AXIS_OVERHEAD] = OVERHEADS[c] * load->demand;
			double value = try_delays(load, &at, requests);
			if (value > best.likelihood)
				best = (Candidate) { at, value };
		}
	return best;
}

/* Over every other bin. */
static size_t search_grid(FitLoad *load, double told_limit, Candidate *family)
{
	size_t n = 0, requests = fit_scaled(load, GRID_REQUESTS);
	const FitPoint start = start_point(load);
	for (int kind = 0; kind < 8 * N_THREADS; kind++) {
		FitPoint point = start;
		point.threads = THREADS[kind / 8];
		point.is_limited = kind & 1;
		point.concurrency = kind & 2 ? point.threads : start.concurrency;
		point.shape = kind & 4 ? SHAPE_LOGNORMAL : SHAPE_EXPONENTIAL;
		bool is_known = !isnan(told_limit) && point.is_limited != (told_limit > 0.0 && told_limit < point.threads);
		if (point.threads < .9 * load->used_cores || is_known)
			continue;
		if (load->is_cancelled)
			return n;
		family[n++] = best_of_family(load, point, told_limit, requests);
	}
	/* another balancer begins where the random one did best */
	for (size_t i = 0, n_random = n; i < n_random && fit_mean_pods(load) >= 1.5; i++)
		for (int b = SIM_ROUND_ROBIN; b <= SIM_LEAST; b++) {
			family[n] = family[i];
			family[n].point.balance = (SimBalance) b;
			family[n].likelihood = fit_likelihood(load, &family[n].point, requests);
			n++;
		}
	qsort(family, n, sizeof *family, by_likelihood);
	return n;
}

/* The best `most` of the families climb, and are sorted anew. */
static void improve(FitLoad *load, Candidate *family, size_t *n, size_t most, const bool *is_held, size_t requests, int steps)
{
	*n = *n < most ? *n : most;
	for (size_t i = 0; i < *n; i++)
		family[i].likelihood = fit_climb(load, &family[i].point, is_held, requests, steps);
	qsort(family, *n, sizeof *family, by_likelihood);
}

int fit_search(FitLoad *load, double told_limit, FitFound *ret, Error *err)
{
	Candidate family[FAMILIES_MAX];
	bool is_held[AXES] = { [AXIS_LIMIT] = !isnan(told_limit) };
	load->of_all = SEARCH_REQUESTS * (double) load->n_bins * load->options->effort;
	load->stride = 2;
	size_t n = search_grid(load, told_limit, family);
	improve(load, family, &n, FIRST, is_held, fit_scaled(load, GRID_REQUESTS), 3);
	load->stride = 1;
	improve(load, family, &n, SECOND, is_held, fit_scaled(load, SHORT_REQUESTS), 3);
	improve(load, family, &n, THIRD, is_held, fit_scaled(load, MIDDLE_REQUESTS), 2);
	improve(load, family, &n, FINALISTS, is_held, fit_scaled(load, LONG_REQUESTS), 2);
	*ret = (FitFound) { .point = family[0].point };
	fit_tell(load, told_limit, is_held, ret);
	return load->is_cancelled ? error_set(err, ERR_CANCELLED, "fit: cancelled") : 0;
}
