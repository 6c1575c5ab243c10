/* See summary.h. */
#include "control/summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SEED = 1 }; /* of resampling: the same numbers give the same intervals */

static const double ROUGH = .05; /* of trace_roughness */

const char *group_name(Group group)
{
	static const char *const names[GROUPS] = { "all", "bursty", "smooth" };
	return names[group];
}

bool group_has(const Contest *contest, Group group, int32_t trace)
{
	return group == GROUP_ALL || (trace_roughness(&contest->config.trace[trace]) >= ROUGH) == (group == GROUP_BURSTY);
}

int32_t group_size(const Contest *contest, Group group)
{
	int32_t n = 0;
	for (int32_t t = 0; t < contest->config.n_traces; t++)
		n += group_has(contest, group, t);
	return n;
}

/* Of [n_traces][seeds] values, over the traces of a group; NAN where it has none. ERR_NOMEM. */
static int span_of(const Contest *contest, const double *x, Group group, Span *ret)
{
	size_t seeds = (size_t) contest->config.seeds, n = 0;
	double *picked = calloc((size_t) contest->config.n_traces * seeds, sizeof *picked);
	if (!picked)
		return ERR_NOMEM;
	for (int32_t t = 0; t < contest->config.n_traces; t++)
		if (group_has(contest, group, t))
			memcpy(picked + n++ * seeds, x + (size_t) t * seeds, seeds * sizeof *x);
	const Strata strata = { picked, n, seeds };
	Interval within, over;
	int code = bootstrap_iqm(strata, false, SEED, RESAMPLES, &within);
	if (!code)
		code = bootstrap_iqm(strata, true, SEED, RESAMPLES, &over);
	if (!code)
		*ret = (Span) { within.mean, within.lo, within.hi, over.lo, over.hi };
	free(picked);
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
	int code = span_of(contest, x, GROUP_ALL, ret);
	free(x);
	return code;
}

static void by_trace(const Contest *contest, const double *x, double *ret)
{
	for (int32_t t = 0; t < contest->config.n_traces; t++)
		ret[t] = mean_of(x + t * contest->config.seeds, (size_t) contest->config.seeds);
}

static int sum_up(const Contest *contest, const VersusSummary *versus, const double *pod_hours_ratio, Group group, VersusGroup *ret)
{
	double ratio[CONTEST_TRACES];
	size_t n = 0;
	ret->pod_hours_worst = ret->worst_change = NAN;
	for (int32_t t = 0; t < contest->config.n_traces; t++)
		if (group_has(contest, group, t)) { /* fmax: the other one where one is NAN */
			ratio[n++] = versus->trace_ratio[t];
			ret->pod_hours_worst = fmax(ret->pod_hours_worst, versus->trace_ratio[t]);
			ret->worst_change = fmax(ret->worst_change, versus->trace_change[t]);
		}
	ret->pod_hours_median = median_of(ratio, n);
	int code = span_of(contest, versus->v_change, group, &ret->v_change);
	return code ? code : span_of(contest, pod_hours_ratio, group, &ret->pod_hours_ratio);
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
	double *block = calloc(4 * n, sizeof *block), *changes = calloc(n, sizeof *changes);
	*ret = (VersusSummary) { .v_change = changes };
	int code = block && changes ? 0 : ERR_NOMEM;
	if (!code) {
		double *x = block + n, *y = block + 2 * n;
		Versus versus = { .v_change = changes, .pod_hours_ratio = block };
		contest_compare(contest, family, against, lambda, &versus);
		ret->cheapest = (double) versus.cheapest / (double) n;
		ret->dearest = (double) versus.dearest / (double) n;
		ret->unreached = (double) versus.unreached / (double) n;
		by_trace(contest, versus.v_change, ret->trace_change);
		by_trace(contest, versus.pod_hours_ratio, ret->trace_ratio);
		costs(contest, family, lambda, block + 3 * n, x);
		costs(contest, against, lambda, block + 3 * n, y);
		code = bootstrap_improvement((Strata) { x, (size_t) c->n_traces, (size_t) c->seeds },
		                             (Strata) { y, (size_t) c->n_traces, (size_t) c->seeds }, SEED, RESAMPLES, &ret->improvement);
	}
	for (int g = 0; g < GROUPS && !code; g++)
		code = sum_up(contest, ret, block, (Group) g, &ret->group[g]);
	free(block);
	if (code)
		versus_done(ret);
	return code;
}

void versus_done(VersusSummary *versus)
{
	free(versus->v_change);
	versus->v_change = NULL;
}

static int32_t find_family(const Contest *contest, const char *word)
{
	int32_t f = 0;
	while (f < contest->config.n_families && strcmp(contest->config.family[f].word, word) != 0)
		f++;
	return f < contest->config.n_families ? f : -1;
}

static double end_of(const Span *span, const char *end)
{
	return !*end ? span->iqm : !strcmp(end, "lo") ? span->traces_lo : span->traces_hi;
}

static int look_up_versus(const Contest *contest, bool is_change, int32_t family, int32_t against, const char *end, double *ret)
{
	VersusSummary versus;
	int code = summary_versus(contest, family, against, 0, &versus);
	if (code)
		return code;
	const VersusGroup *all = &versus.group[GROUP_ALL];
	*ret = end_of(is_change ? &all->v_change : &all->pod_hours_ratio, end);
	versus_done(&versus);
	return 0;
}

int summary_lookup(void *arg, const char *name, const char *first, const char *second, const char *end, double *ret, Error *err)
{
	const Contest *contest = arg;
	bool is_change = !strcmp(name, "v_change"), is_ratio = !strcmp(name, "pod_hours_ratio");
	int32_t family = *first ? find_family(contest, first) : 0, against = find_family(contest, second);
	if (family < 0 || (*second && against < 0))
		return error_set(err, ERR_USAGE, "--fail-if: policy \"%.60s\" takes no part", family < 0 ? first : second);
	if ((is_change || is_ratio) != (*second != '\0'))
		return error_set(err, ERR_USAGE, "--fail-if: write v_change(POLICY,VERSUS) or pod_hours_ratio(POLICY,VERSUS)");
	if (is_change || is_ratio)
		return look_up_versus(contest, is_change, family, against, end, ret);
	for (int k = 0; k < FIGURE_COUNT; k++) {
		Span span;
		if (strcmp(name, figure_key((Figure) k)) != 0)
			continue;
		int code = summary_figure(contest, family, 0, (Figure) k, &span);
		*ret = code ? NAN : end_of(&span, end);
		return code;
	}
	return error_set(err, ERR_USAGE, "--fail-if: there is no figure \"%.60s\"; they are the keys of --json's lines", name);
}
