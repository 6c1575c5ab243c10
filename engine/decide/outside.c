/* See outside.h. */
#include "decide/outside.h"

#include <math.h>

static const double DEVIATIONS = 6, MARGIN = .5;

/* What training has seen is not unlike it, however rare: latency's tail is many deviations long, and it is what pods are added for. */
static bool is_outside(double x, double mean, double var, double min, double max)
{
	double margin = MARGIN * (max - min);
	if (x >= min && x <= max)
		return false;
	if (x < min - margin || x > max + margin)
		return true;
	return var > 0 && fabs(x - mean) > DEVIATIONS * sqrt(var);
}

int32_t outside_feature(const ObsStats *trained_on, const Observation *obs, int32_t unknown_flag)
{
	bool has_unknowns = unknown_flag >= 0 && unknown_flag < obs->dim && obs->x[unknown_flag] > 0;
	for (int32_t i = 0; trained_on && i < trained_on->dim && i < obs->dim; i++) {
		bool is_unknown = has_unknowns && fpclassify(obs->x[i]) == FP_ZERO;
		if (i != unknown_flag && !is_unknown &&
		    is_outside((double) obs->x[i], (double) trained_on->mean[i], (double) trained_on->var[i], (double) trained_on->min[i],
		               (double) trained_on->max[i]))
			return i;
	}
	return -1;
}
