/* See summary.h. */
#include "control/summary.h"

#include <math.h>
#include <stdlib.h>

enum { SEED = 1 }; /* of resampling: the same numbers give the same intervals */

int span_of(const Contest *contest, const double *x, Span *ret)
{
	const Strata strata = { x, (size_t) contest->config.n_traces, (size_t) contest->config.seeds };
	Interval within, over;
	int code = bootstrap_iqm(strata, false, SEED, RESAMPLES, &within);
	if (!code)
		code = bootstrap_iqm(strata, true, SEED, RESAMPLES, &over);
	if (!code)
		*ret = (Span) { within.mean, within.lo, within.hi, over.lo, over.hi };
	return code;
}

static void gather(const Contest *contest, int32_t family, int32_t lambda, Figure figure, double *ret)
{
	const ContestConfig *c = &contest->config;
	for (int32_t t = 0; t < c->n_traces; t++)
		for (int32_t i = 0; i < c->seeds; i++)
			ret[t * c->seeds + i] = contest_cell(contest, family, t, contest_path(contest, family, t)->best[lambda], i)[figure];
}

int summary_figure(const Contest *contest, int32_t family, int32_t lambda, Figure figure, Span *ret)
{
	double *x = calloc((size_t) (contest->config.n_traces * contest->config.seeds), sizeof *x);
	if (!x)
		return ERR_NOMEM;
	gather(contest, family, lambda, figure, x);
	int code = span_of(contest, x, ret);
	free(x);
	return code;
}

static void by_trace(const Contest *contest, const double *x, double *ret)
{
	for (int32_t t = 0; t < contest->config.n_traces; t++)
		ret[t] = mean_of(x + t * contest->config.seeds, (size_t) contest->config.seeds);
}

static double largest(const double *x, int32_t n)
{
	double most = NAN;
	for (int32_t i = 0; i < n; i++)
		most = fmax(most, x[i]); /* the other one where one is NAN */
	return most;
}

/* Pod-hours + lambda V-hours of both, into x and y. */
static void costs(const Contest *contest, int32_t family, int32_t lambda, double *scratch, double *ret)
{
	int32_t n = contest->config.n_traces * contest->config.seeds;
	gather(contest, family, lambda, FIGURE_V_HOURS, scratch);
	gather(contest, family, lambda, FIGURE_POD_HOURS, ret);
	for (int32_t i = 0; i < n; i++)
		ret[i] += contest->config.lambda[lambda] * scratch[i];
}

int summary_versus(const Contest *contest, int32_t family, int32_t against, int32_t lambda, VersusSummary *ret)
{
	const ContestConfig *c = &contest->config;
	size_t n = (size_t) (c->n_traces * c->seeds);
	double *block = calloc(5 * n, sizeof *block);
	if (!block)
		return ERR_NOMEM;
	double *x = block + 2 * n, *y = block + 3 * n, median[CONTEST_TRACES];
	Versus versus = { .v_change = block, .pod_hours_ratio = block + n };
	contest_compare(contest, family, against, lambda, &versus);
	*ret = (VersusSummary) { .cheapest = (double) versus.cheapest / (double) n, .dearest = (double) versus.dearest / (double) n };
	by_trace(contest, versus.v_change, ret->trace_change);
	by_trace(contest, versus.pod_hours_ratio, ret->trace_ratio);
	ret->worst_change = largest(ret->trace_change, c->n_traces);
	ret->pod_hours_worst = largest(ret->trace_ratio, c->n_traces);
	for (int32_t t = 0; t < c->n_traces; t++)
		median[t] = ret->trace_ratio[t];
	ret->pod_hours_median = median_of(median, (size_t) c->n_traces);
	costs(contest, family, lambda, block + 4 * n, x);
	costs(contest, against, lambda, block + 4 * n, y);
	int code = span_of(contest, versus.v_change, &ret->v_change);
	if (!code)
		code = span_of(contest, versus.pod_hours_ratio, &ret->pod_hours_ratio);
	if (!code)
		code = bootstrap_improvement((Strata) { x, (size_t) c->n_traces, (size_t) c->seeds },
		                             (Strata) { y, (size_t) c->n_traces, (size_t) c->seeds }, SEED, RESAMPLES, &ret->improvement);
	free(block);
	return code;
}
