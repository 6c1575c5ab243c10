/* See measures.h. */
#include "control/measures.h"

#include "base/rng.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

double mean_of(const double *x, size_t n)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += x[i];
	return n ? sum / (double) n : NAN;
}

double std_of(const double *x, size_t n)
{
	double mean = mean_of(x, n), sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += (x[i] - mean) * (x[i] - mean);
	return n ? sqrt(sum / (double) n) : NAN;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *) a, y = *(const double *) b;
	return (x > y) - (x < y);
}

/* Linear between order statistics, as numpy's default. */
static double quantile(const double *sorted, size_t n, double q)
{
	double at = q * (double) (n - 1);
	size_t below = (size_t) at;
	if (below + 1 >= n)
		return sorted[n - 1];
	return sorted[below] + (at - (double) below) * (sorted[below + 1] - sorted[below]);
}

double median_of(double *x, size_t n)
{
	qsort(x, n, sizeof *x, ascending);
	return n ? quantile(x, n, .5) : NAN;
}

int bootstrap_mean(const double *x, size_t n, uint64_t seed, size_t reps, Interval *ret)
{
	*ret = (Interval) { mean_of(x, n), NAN, NAN };
	if (n < 2)
		return 0;
	double *means = malloc(reps * sizeof *means);
	if (!means)
		return ERR_NOMEM;
	Rng rng;
	rng_init(&rng, seed, 0, RNG_BOOTSTRAP);
	for (size_t r = 0; r < reps; r++) {
		double sum = 0;
		for (size_t i = 0; i < n; i++)
			sum += x[rng_below(&rng, (uint32_t) n)];
		means[r] = sum / (double) n;
	}
	qsort(means, reps, sizeof *means, ascending);
	ret->lo = quantile(means, reps, .025);
	ret->hi = quantile(means, reps, .975);
	free(means);
	return 0;
}

/* The measured values of some strata, sorted, and where each came from: a resample is then a count of each value, and its
 * interquartile mean a walk over the counts, without sorting anew. */
typedef struct Ranked {
	double *value;   /* [n] rising */
	uint32_t *rank;  /* [n] of each measured value, in the order of the strata */
	uint32_t *count; /* [n] */
	size_t *len;     /* [n_strata] measured, and where the first of them is */
	size_t *first;
	size_t n, drawn; /* values in all, and in the present resample */
} Ranked;

static void ranked_done(Ranked *r)
{
	free(r->value);
	free(r->rank);
	free(r->count);
	free(r->len);
	free(r->first);
}

typedef struct Placed {
	double value;
	uint32_t at;
} Placed;

static int by_value(const void *a, const void *b)
{
	const Placed *x = a, *y = b;
	if (x->value < y->value || x->value > y->value)
		return x->value < y->value ? -1 : 1;
	return (x->at > y->at) - (x->at < y->at);
}

static int ranked_init(Ranked *r, Strata strata)
{
	size_t all = strata.n_strata * strata.n_runs;
	*r = (Ranked) { .value = calloc(all + 1, sizeof(double)), .rank = calloc(all + 1, sizeof(uint32_t)),
		.count = calloc(all + 1, sizeof(uint32_t)), .len = calloc(strata.n_strata + 1, sizeof(size_t)),
		.first = calloc(strata.n_strata + 1, sizeof(size_t)) };
	Placed *placed = calloc(all + 1, sizeof *placed);
	bool is_there = r->value && r->rank && r->count && r->len && r->first && placed;
	for (size_t i = 0; is_there && i < all; i++)
		if (!isnan(strata.x[i])) {
			placed[r->n] = (Placed) { strata.x[i], (uint32_t) r->n };
			r->n++;
			r->len[i / strata.n_runs]++;
		}
	for (size_t k = 1; is_there && k < strata.n_strata; k++)
		r->first[k] = r->first[k - 1] + r->len[k - 1];
	if (is_there)
		qsort(placed, r->n, sizeof *placed, by_value);
	for (size_t k = 0; is_there && k < r->n; k++) {
		r->value[k] = placed[k].value;
		r->rank[placed[k].at] = (uint32_t) k;
	}
	free(placed);
	return is_there ? 0 : ERR_NOMEM;
}

static double ranked_iqm(const Ranked *r)
{
	size_t cut = r->drawn / 4, from = cut, to = r->drawn - cut, at = 0;
	double sum = 0;
	for (size_t k = 0; k < r->n && at < to; k++) {
		size_t next = at + r->count[k];
		size_t lo = at > from ? at : from, hi = next < to ? next : to;
		if (hi > lo)
			sum += (double) (hi - lo) * r->value[k];
		at = next;
	}
	return r->drawn ? sum / (double) (to - from) : NAN;
}

/* Runs anew within each stratum, or first strata anew and then runs within those. */
static void ranked_draw(Ranked *r, size_t n_strata, bool with_strata, Rng *rng)
{
	memset(r->count, 0, r->n * sizeof *r->count);
	r->drawn = 0;
	for (size_t k = 0; k < n_strata; k++) {
		size_t s = with_strata ? rng_below(rng, (uint32_t) n_strata) : k;
		for (size_t i = 0; i < r->len[s]; i++)
			r->count[r->rank[r->first[s] + rng_below(rng, (uint32_t) r->len[s])]]++;
		r->drawn += r->len[s];
	}
}

static void percentiles(double *statistic, size_t reps, Interval *ret)
{
	qsort(statistic, reps, sizeof *statistic, ascending);
	ret->lo = quantile(statistic, reps, .025);
	ret->hi = quantile(statistic, reps, .975);
}

int bootstrap_iqm(Strata strata, bool with_strata, uint64_t seed, size_t reps, Interval *ret)
{
	Ranked r;
	Rng rng;
	double *statistic = malloc(reps * sizeof *statistic);
	int code = ranked_init(&r, strata);
	if (!statistic)
		code = ERR_NOMEM;
	if (!code) {
		for (size_t k = 0; k < r.n; k++)
			r.count[k] = 1;
		r.drawn = r.n;
		*ret = (Interval) { ranked_iqm(&r), NAN, NAN };
		rng_init(&rng, seed, 0, RNG_BOOTSTRAP);
		size_t n = 0;
		for (size_t i = 0; r.n > 1 && i < reps; i++) {
			ranked_draw(&r, strata.n_strata, with_strata, &rng);
			if (r.drawn)
				statistic[n++] = ranked_iqm(&r);
		}
		bool can_differ = with_strata ? strata.n_strata > 1 : strata.n_runs > 1;
		if (n && can_differ)
			percentiles(statistic, n, ret);
	}
	ranked_done(&r);
	free(statistic);
	return code;
}

static double beats(double x, double y)
{
	return isnan(x) || isnan(y) ? .5 : x < y ? 1 : x > y ? 0 : .5;
}

/* pick NULL: every run once. [n_strata][n_runs] of indices for x, then the same for y. */
static double improvement(Strata x, Strata y, const uint32_t *pick)
{
	double sum = 0;
	size_t n = x.n_runs, half = x.n_strata * n;
	for (size_t s = 0; s < x.n_strata; s++)
		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; j < n; j++) {
				size_t a = pick ? pick[s * n + i] : i, b = pick ? pick[half + s * n + j] : j;
				sum += beats(x.x[s * n + a], y.x[s * n + b]);
			}
	return half ? sum / (double) (half * n) : NAN;
}

int bootstrap_improvement(Strata x, Strata y, uint64_t seed, size_t reps, Interval *ret)
{
	size_t n_picks = 2 * x.n_strata * x.n_runs;
	uint32_t *pick = calloc(n_picks + 1, sizeof *pick);
	double *statistic = malloc(reps * sizeof *statistic);
	Rng rng;
	bool is_there = pick && statistic;
	if (is_there) {
		*ret = (Interval) { improvement(x, y, NULL), NAN, NAN };
		rng_init(&rng, seed, 1, RNG_BOOTSTRAP);
		for (size_t i = 0; i < reps; i++) {
			for (size_t k = 0; k < n_picks; k++)
				pick[k] = rng_below(&rng, (uint32_t) x.n_runs);
			statistic[i] = improvement(x, y, pick);
		}
		percentiles(statistic, reps, ret);
	}
	free(pick);
	free(statistic);
	return is_there ? 0 : ERR_NOMEM;
}

void performance_profile(const double *x, size_t n, const double *tau, size_t n_tau, double *ret)
{
	for (size_t k = 0; k < n_tau; k++) {
		size_t at_or_under = 0, known = 0;
		for (size_t i = 0; i < n; i++) {
			known += isnan(x[i]) ? 0 : 1;
			if (x[i] <= tau[k]) /* NAN is not */
				at_or_under++;
		}
		ret[k] = known ? (double) at_or_under / (double) known : NAN;
	}
}
