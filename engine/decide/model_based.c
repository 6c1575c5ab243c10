/* See model_based.h. */
#include "decide/model_based.h"

#include "decide/hpa.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { WISHES = 256 };

typedef struct Wishes { /* the last ones, a ring */
	int32_t n, at;
	int64_t at_ms[WISHES];
	double value[WISHES];
} Wishes;

static void wishes_add(Wishes *w, int64_t now_ms, double value)
{
	w->at = w->n ? (w->at + 1) % WISHES : 0;
	w->n += w->n < WISHES;
	w->at_ms[w->at] = now_ms;
	w->value[w->at] = value;
}

static double wishes_largest(const Wishes *w, int64_t now_ms, double window_s)
{
	double most = 0;
	for (int32_t k = 0; k < w->n; k++)
		if (1e-3 * (double) (now_ms - w->at_ms[k]) <= window_s)
			most = fmax(most, w->value[k]);
	return most;
}

static void answer(Decision *ret, const Target *target, int32_t current, double want)
{
	ret->raw = (int32_t) fmin(fmax(want, target->min_replicas), target->max_replicas);
	ret->action = ret->raw > current ? ACTION_UP : ret->raw < current ? ACTION_DOWN : ACTION_KEEP;
	ret->reason = ret->action == ACTION_UP ? REASON_POLICY_UP : ret->action == ACTION_DOWN ? REASON_POLICY_DOWN : REASON_POLICY_KEEP;
	ret->n_actions = 0;
	ret->value = NAN;
}

/* ---- model-based ---- */

typedef struct ModelBased {
	Policy policy;
	ModelBasedConfig config;
	Forecast forecast;
	Wishes wishes;
	Forecaster used;
} ModelBased;

void model_based_config_default(ModelBasedConfig *config)
{
	*config = (ModelBasedConfig) { .margin = .5, .quantile = .8, .down_window_s = 180, .dead_band = .05, .startup_s = 30, .lag_s = 45,
		.interval_s = 15, .forecaster = FORECAST_BEST };
}

static void start_over(Policy *policy)
{
	ModelBased *self = (ModelBased *) policy;
	const ModelBasedConfig *c = &self->config;
	forecast_init(&self->forecast, c->interval_s, c->startup_s + c->interval_s + c->lag_s, c->quantile);
	self->wishes = (Wishes) { 0 };
	self->used = FORECAST_LAST;
}

double staffing(double x, double margin)
{
	return ceil(x + margin * sqrt(x) - 1e-9);
}

static int decide(Policy *policy, const Observation *obs, size_t n, Decision *ret)
{
	ModelBased *self = (ModelBased *) policy;
	const ModelBasedConfig *c = &self->config;
	const Sample *sample = obs->sample;
	if (n != 1)
		return ERR_INVALID;
	if (!sample || !(sample->valid & SAMPLE_REPLICAS) || !(sample->valid & SAMPLE_RPS) || !(obs->target->pod_capacity_rps > 0))
		return ERR_NO_DATA;
	int32_t current = sample->replicas;
	forecast_push(&self->forecast, sample->wall_ms, sample->rps);
	double coming = fmax(forecast_upper(&self->forecast, c->forecaster, &self->used), sample->rps);
	double per_pod = (double) obs->target->pod_capacity_rps;
	wishes_add(&self->wishes, sample->wall_ms, coming);
	double held = wishes_largest(&self->wishes, sample->wall_ms, c->down_window_s);
	double want = staffing(coming / per_pod, c->margin), least = staffing(held * (1 + c->dead_band) / per_pod, c->margin);
	if (want < current) /* a down goes no further than the window and the band allow */
		want = fmin(fmax(want, least), current);
	answer(ret, obs->target, current, want);
	(void) snprintf(ret->detail, sizeof ret->detail, "%.1f rps now, %.1f to come by %s", sample->rps, coming, forecaster_name(self->used));
	return 0;
}

static void free_policy(Policy *policy)
{
	free(policy);
}

static const PolicyOps MODEL_BASED = { .name = "model-based", .decide = decide, .reset = start_over, .free = free_policy };

int model_based_policy_new(const ModelBasedConfig *config, Policy **ret_policy)
{
	if (!(config->margin >= -1 && config->margin <= 10 && config->quantile > 0 && config->quantile < 1 && config->interval_s > 0))
		return ERR_INVALID;
	ModelBased *self = calloc(1, sizeof *self);
	if (!self)
		return ERR_NOMEM;
	self->policy.ops = &MODEL_BASED;
	self->config = *config;
	(void) snprintf(self->policy.label, sizeof self->policy.label, "model-based");
	start_over(&self->policy);
	*ret_policy = &self->policy;
	return 0;
}

void model_based_history(Policy *policy, int64_t wall_ms, double rps)
{
	forecast_push(&((ModelBased *) policy)->forecast, wall_ms, rps);
}

/* ---- predictive ---- */

typedef struct Predictive {
	Policy policy;
	Policy *hpa;
	double cpu_target, startup_s, interval_s, down_window_s;
	Forecast forecast;
	Wishes wishes;
} Predictive;

static void predictive_reset(Policy *policy)
{
	Predictive *self = (Predictive *) policy;
	self->hpa->ops->reset(self->hpa);
	forecast_init(&self->forecast, self->interval_s, self->startup_s + self->interval_s, .5);
	self->wishes = (Wishes) { 0 };
}

static int predictive_decide(Policy *policy, const Observation *obs, size_t n, Decision *ret)
{
	Predictive *self = (Predictive *) policy;
	const Sample *sample = obs->sample;
	int code = self->hpa->ops->decide(self->hpa, obs, n, ret);
	if (code || !(sample->valid & SAMPLE_CPU) || !(sample->cpu_request_cores > 0))
		return code;
	forecast_push(&self->forecast, sample->wall_ms, sample->cpu_cores);
	double coming = forecast_upper(&self->forecast, FORECAST_SEASONAL, NULL) / (self->cpu_target * sample->cpu_request_cores);
	wishes_add(&self->wishes, sample->wall_ms, ceil(coming - 1e-9));
	double held = wishes_largest(&self->wishes, sample->wall_ms, self->down_window_s);
	answer(ret, obs->target, sample->replicas, fmax(ret->raw, fmax(ceil(coming - 1e-9), fmin(held, sample->replicas))));
	return 0;
}

static void predictive_free(Policy *policy)
{
	policy_free(((Predictive *) policy)->hpa);
	free(policy);
}

static const PolicyOps PREDICTIVE = {
	.name = "predictive", .decide = predictive_decide, .reset = predictive_reset, .free = predictive_free,
};

int predictive_policy_new(int32_t cpu_target_pct, double down_window_s, double startup_s, double interval_s, Policy **ret_policy)
{
	HpaConfig hpa;
	hpa_config_default(&hpa);
	hpa.cpu_target_pct = cpu_target_pct;
	hpa.downscale_window_ms = (int64_t) (1e3 * down_window_s);
	Predictive *self = calloc(1, sizeof *self);
	int code = self ? hpa_policy_new(&hpa, &self->hpa) : ERR_NOMEM;
	if (code) {
		free(self);
		return code;
	}
	self->policy.ops = &PREDICTIVE;
	self->cpu_target = .01 * cpu_target_pct;
	self->startup_s = startup_s;
	self->interval_s = interval_s;
	self->down_window_s = down_window_s;
	(void) snprintf(self->policy.label, sizeof self->policy.label, "hpa-predictive");
	predictive_reset(&self->policy);
	*ret_policy = &self->policy;
	return 0;
}

void predictive_history(Policy *policy, int64_t wall_ms, double cpu_cores)
{
	forecast_push(&((Predictive *) policy)->forecast, wall_ms, cpu_cores);
}
