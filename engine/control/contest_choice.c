/*
 * The choice of family, by the tuning part alone and rolling over its quarters: for each quarter after the first, every family's front is
 * made of the settings that were best for some weight on the quarters before it, and held against the calibrated rule at the setting that
 * was best for the rule then. The family whose violation at the rule's pod-hours is least on average is taken, if it is less by a margin;
 * one that cannot be had for the rule's pod-hours is not. Only what `maestro run` can act by is chosen: a constant that suits the tuning part
 * says nothing of the next day.
 */
#include "control/contest_internal.h"

#include <math.h>

static const double MARGIN = .05; /* of the rule's violation */
static const double TOO_DEAR = .03; /* by which the cheapest point of a front may cost more than the rule */

/* Point of a setting in quarter b; V in hours. */
static FrontPoint point_of(const Contest *contest, int32_t family, int32_t trace, int32_t setting, int32_t b)
{
	const double *at = contest_tuned_at(contest, family, trace, setting) + 2 * b;
	return (FrontPoint) { at[0], at[1] };
}

static int32_t settings_until(const Contest *contest, int32_t family, int32_t trace, int32_t b, double lambda, int32_t *path, size_t *ret_n)
{
	double pod_hours[SETTINGS_MAX], v_hours[SETTINGS_MAX];
	int32_t n = contest_tuned_costs(contest, family, trace, b, pod_hours, v_hours);
	*ret_n = front_path(pod_hours, v_hours, (size_t) n, path, FRONT_MAX);
	return front_best(pod_hours, v_hours, (size_t) n, lambda);
}

/* Mean over the quarters of ln(V of the family / V of the rule) at the rule's pod-hours; NAN: not known. */
static double rolling_change(const Contest *contest, int32_t family, int32_t rule, int32_t trace)
{
	double lambda = contest->config.lambda[0], sum = 0, floor_h = .5 * (double) contest->config.arena.sim.interval_s / 3600;
	for (int32_t b = 1; b < TUNE_BLOCKS; b++) {
		int32_t path[FRONT_MAX];
		size_t n, unused;
		FrontPoint point[FRONT_MAX];
		Front front;
		int32_t rules = settings_until(contest, rule, trace, b, lambda, path, &unused);
		(void) settings_until(contest, family, trace, b, lambda, path, &n);
		for (size_t k = 0; k < n; k++)
			point[k] = point_of(contest, family, trace, path[k], b);
		if (rules < 0 || !n)
			return NAN;
		FrontPoint rival = point_of(contest, rule, trace, rules, b);
		front_of(point, n, floor_h, &front);
		if (!front.n || front.point[0].pod_hours > (1 + TOO_DEAR) * rival.pod_hours)
			return NAN; /* its violation would be that of more pods */
		sum += log1p(front_change(rival.v, front_v_at(&front, rival.pod_hours, NULL), floor_h));
	}
	return sum / (TUNE_BLOCKS - 1);
}

static bool can_be_chosen(const Family *family)
{
	return family->kind->can_run;
}

int32_t contest_choose(const Contest *contest, int32_t trace)
{
	const ContestConfig *c = &contest->config;
	int32_t rule = -1;
	for (int32_t f = 0; f < c->n_families; f++) {
		bool is_better = rule < 0 || (c->family[f].kind->is_reference && !c->family[rule].kind->is_reference);
		if (can_be_chosen(&c->family[f]) && is_better)
			rule = f;
	}
	int32_t choice = rule;
	double least = log1p(-MARGIN);
	for (int32_t f = 0; f < c->n_families && rule >= 0; f++) {
		if (!can_be_chosen(&c->family[f]) || f == rule)
			continue;
		double change = rolling_change(contest, f, rule, trace);
		if (change < least) { /* never true of NAN */
			least = change;
			choice = f;
		}
	}
	return choice;
}
