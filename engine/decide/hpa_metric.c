/* See hpa_metric.h. */
#include "decide/hpa_metric.h"

#include "decide/saturate.h"

#include <math.h>

static bool is_within(const HpaTolerance *tolerance, double ratio)
{
	return 1.0 - tolerance->down <= ratio && ratio <= 1.0 + tolerance->up;
}

/* In whole percent or whole milli-units: what comes behind is cut off, and the ratio is built on that. */
static int64_t level(const HpaPodMetric *metric, const HpaTally *tally)
{
	if (metric->is_utilisation)
		return sat_i32(sat_div(sat_mul(tally->usage_m, 100), tally->request_m));
	return sat_add(tally->usage_m, tally->unlisted_m) / tally->samples;
}

static double ratio_of(const HpaPodMetric *metric, const HpaTally *tally)
{
	return (double) level(metric, tally) / (double) metric->target;
}

static HpaError check_requests(const HpaPods *pods, const HpaTally *tally)
{
	for (size_t i = 0; i < pods->n; i++)
		if (!pods->pod[i].has_request)
			return HPA_MISSING_REQUEST;
	return tally->request_m ? HPA_OK : HPA_ZERO_REQUEST;
}

/* Pods without a sample get the one that speaks against the change: all of it on the way down, nothing on the way
 * up. Pods that are not ready would only take load off, so they count as idle, and only on the way up. */
static void fill_in(const HpaPodMetric *metric, double ratio, HpaTally *tally)
{
	if (ratio < 1.0) {
		int64_t pct = metric->target > 100 ? metric->target : 100;
		if (metric->is_utilisation)
			hpa_tally_fill(tally, &metric->pods, HPA_POD_MISSING, pct, 0);
		else
			hpa_tally_fill(tally, &metric->pods, HPA_POD_MISSING, 0, metric->target);
	} else if (ratio > 1.0) {
		hpa_tally_fill(tally, &metric->pods, HPA_POD_MISSING, 0, 0);
		hpa_tally_fill(tally, &metric->pods, HPA_POD_UNREADY, 0, 0);
	}
}

/* The proposal after filling in, unless what was filled in turned the direction round. */
static int32_t damped(const HpaPodMetric *metric, double ratio, double filled, int64_t samples)
{
	bool has_turned = (ratio < 1.0 && filled > 1.0) || (ratio > 1.0 && filled < 1.0);
	if (has_turned || is_within(&metric->tolerance, filled))
		return metric->current;
	int32_t n = sat_i32_of(ceil(filled * (double) samples));
	bool is_against = (filled < 1.0 && n > metric->current) || (filled > 1.0 && n < metric->current);
	return is_against ? metric->current : n;
}

HpaError hpa_propose_pods(const HpaPodMetric *metric, HpaProposal *ret)
{
	HpaTally tally;
	HpaError error = hpa_tally(&metric->pods, &tally);
	if (!error && metric->is_utilisation)
		error = check_requests(&metric->pods, &tally);
	if (error)
		return error;

	const double ratio = ratio_of(metric, &tally);
	*ret = (HpaProposal) { .replicas = metric->current };
	if (metric->is_utilisation) {
		ret->utilization_pct = (int32_t) level(metric, &tally);
		ret->usage_m = tally.usage_m / tally.listed;
	} else {
		ret->usage_m = level(metric, &tally);
	}
	if (tally.n[HPA_POD_MISSING] || (tally.n[HPA_POD_UNREADY] && ratio > 1.0)) {
		fill_in(metric, ratio, &tally);
		ret->replicas = damped(metric, ratio, ratio_of(metric, &tally), tally.samples);
	} else if (!is_within(&metric->tolerance, ratio)) {
		ret->replicas = sat_i32_of(ceil(ratio * (double) tally.n[HPA_POD_READY]));
	}
	return HPA_OK;
}

HpaError hpa_propose_value(const HpaValueMetric *metric, HpaProposal *ret)
{
	const double ratio = (double) metric->value_m / (double) metric->target_m;
	double n = metric->current;
	if (!metric->current) {
		n = ceil(ratio); /* from nothing: there are no pods to go by, and no tolerance */
	} else if (!is_within(&metric->tolerance, ratio)) {
		if (!metric->n_pods)
			return HPA_NO_PODS;
		n = ceil(ratio * (double) hpa_pods_serving(metric->pod, metric->n_pods));
	}
	*ret = (HpaProposal) { .replicas = sat_i32_of(n), .usage_m = metric->value_m };
	return HPA_OK;
}

void hpa_propose_per_pod(const HpaValueMetric *metric, HpaProposal *ret)
{
	const double value = (double) metric->value_m, target = (double) metric->target_m, pods = metric->current;
	*ret = (HpaProposal) { .replicas = metric->current };
	if (!metric->current || !is_within(&metric->tolerance, value / (target * pods)))
		ret->replicas = sat_i32_of(ceil(value / target));
	if (metric->current)
		ret->usage_m = sat_i64_of(ceil(value / pods));
}

int64_t hpa_sum(const int64_t *value_m, size_t n)
{
	int64_t sum = 0;
	for (size_t i = 0; i < n; i++)
		sum = sat_add(sum, value_m[i]);
	return sum;
}
