/* See hpa_pods.h. Ages count back from now, so "t1 after t2" reads "age1 < age2". */
#include "decide/hpa_pods.h"

#include "decide/saturate.h"

const char *hpa_error_text(HpaError error)
{
	static const char *const texts[] = {
		"", "no_metrics", "no_pods", "no_samples", "missing_request", "zero_request",
	};
	return (size_t) error < sizeof texts / sizeof *texts ? texts[error] : "?";
}

/* A start-up burns CPU that says nothing about load: the pod's sample counts only once it was ready. */
static bool is_starting(const HpaPods *pods, const PodSample *pod)
{
	if (pod->ready == READY_ABSENT || !pod->has_start_time)
		return true;
	bool is_false = pod->ready == READY_FALSE;
	if (pod->start_age_ms < pods->cpu_init_ms)
		return is_false || pod->sample_age_ms > sat_sub(pod->ready_age_ms, pod->window_ms);
	bool was_never_ready = sat_sub(pod->start_age_ms, pods->ready_delay_ms) < pod->ready_age_ms;
	return is_false && was_never_ready;
}

static HpaPodKind kind_of(const HpaPods *pods, const PodSample *pod)
{
	if (pod->is_deleting || pod->phase == POD_FAILED)
		return HPA_POD_IGNORED;
	if (pod->phase == POD_PENDING)
		return HPA_POD_UNREADY;
	if (!pod->has_usage)
		return HPA_POD_MISSING;
	return pods->is_cpu && is_starting(pods, pod) ? HPA_POD_UNREADY : HPA_POD_READY;
}

static void add(HpaTally *tally, const PodSample *pod, int64_t usage_m)
{
	tally->usage_m = sat_add(tally->usage_m, usage_m);
	tally->request_m = sat_add(tally->request_m, pod->has_request ? pod->request_m : 0);
	tally->listed++;
	tally->samples++;
}

HpaError hpa_tally(const HpaPods *pods, HpaTally *ret)
{
	HpaTally tally = { .samples = (int64_t) pods->n_unlisted };
	bool has_sample = pods->n_unlisted > 0;
	for (size_t i = 0; i < pods->n_unlisted; i++)
		tally.unlisted_m = sat_add(tally.unlisted_m, pods->unlisted_m[i]);
	for (size_t i = 0; i < pods->n; i++) {
		const PodSample *pod = &pods->pod[i];
		HpaPodKind kind = kind_of(pods, pod);
		tally.n[kind]++;
		if (kind == HPA_POD_READY)
			add(&tally, pod, pod->usage_m);
		has_sample = has_sample || pod->has_usage;
	}
	if (!has_sample)
		return HPA_NO_METRICS;
	if (!pods->n)
		return HPA_NO_PODS;
	if (!tally.samples)
		return HPA_NO_SAMPLES;
	*ret = tally;
	return HPA_OK;
}

void hpa_tally_fill(HpaTally *tally, const HpaPods *pods, HpaPodKind kind, int64_t request_pct, int64_t fixed_m)
{
	for (size_t i = 0; i < pods->n; i++) {
		const PodSample *pod = &pods->pod[i];
		if (kind_of(pods, pod) == kind)
			add(tally, pod, sat_add(sat_mul(pod->request_m, request_pct) / 100, fixed_m));
	}
}

int64_t hpa_pods_serving(const PodSample *pod, size_t n)
{
	int64_t serving = 0;
	for (size_t i = 0; i < n; i++)
		serving += pod[i].phase == POD_RUNNING && pod[i].ready == READY_TRUE;
	return serving;
}
