/* See hpa_inputs.h. */
#include "hpa_inputs.h"

#include <stdlib.h>
#include <string.h>

void hpa_inputs_no_memory(Fields *fields)
{
	if (!fields->err->code)
		(void) error_set(fields->err, ERR_NOMEM, "%s: out of memory", fields->where);
}

static void invalid(Fields *fields, const char *key, const char *what)
{
	if (!fields->err->code)
		(void) error_set(fields->err, ERR_INVALID, "%s: field \"%s\": %s", fields->where, key, what);
}

void hpa_inputs_done(HpaInputs *inputs)
{
	free(inputs->pod);
	free(inputs->number);
	*inputs = (HpaInputs) { 0 };
}

static PodSample pod_of(Fields *f)
{
	static const char *const phases[] = { "Pending", "Running", "Succeeded", "Failed", "Unknown" };
	static const char *const readies[] = { "False", "True", "Unknown", "none" };
	PodSample pod = {
		.phase = (PodPhase) fields_word(f, "phase", phases, 5),
		.ready = (PodReady) fields_word(f, "ready", readies, 4),
		.is_deleting = fields_bool(f, "deleting"),
		.has_start_time = !fields_bool(f, "no_start_time"),
		.has_request = !fields_bool(f, "no_request"),
		.has_usage = fields_has(f, "usage_m"),
		.start_age_ms = fields_ms(f, "start_age_s"),
		.ready_age_ms = fields_ms(f, "ready_age_s"),
		.request_m = fields_int(f, "request_m", 0, HPA_EXACT_MAX),
		.sample_age_ms = fields_ms(f, "sample_age_s"),
		.window_ms = fields_ms(f, "window_s"),
	};
	if (pod.has_usage)
		pod.usage_m = fields_int(f, "usage_m", -HPA_EXACT_MAX, HPA_EXACT_MAX);
	return pod;
}

static bool make_room(HpaInputs *inputs, size_t more)
{
	if (inputs->n_pods + more <= inputs->pods_size)
		return true;
	size_t size = 2 * (inputs->n_pods + more);
	PodSample *pod = reallocarray(inputs->pod, size, sizeof *pod);
	if (!pod)
		return false;
	inputs->pod = pod;
	inputs->pods_size = size;
	return true;
}

void hpa_inputs_pods(HpaInputs *inputs, Fields *fields, const Json *pod_defaults)
{
	inputs->n_pods = 0;
	for (const Json *item = json_first(fields_list(fields, "pods")); item; item = json_next(item)) {
		Fields f = fields_of(item, pod_defaults, fields->where, fields->err);
		int64_t count = fields_int(&f, "count", 0, HPA_PODS_MAX);
		PodSample pod = pod_of(&f);
		fields_end(&f);
		if (fields->err->code)
			return;
		if (!make_room(inputs, (size_t) count)) {
			hpa_inputs_no_memory(fields);
			return;
		}
		while (count-- > 0)
			inputs->pod[inputs->n_pods++] = pod;
	}
}

void hpa_inputs_numbers(HpaInputs *inputs, Fields *fields, const char *key)
{
	const Json *list = fields_list(fields, key);
	inputs->n_numbers = 0;
	int64_t *number = reallocarray(inputs->number, json_len(list) + 1, sizeof *number);
	if (!number) {
		hpa_inputs_no_memory(fields);
		return;
	}
	inputs->number = number;
	for (const Json *item = json_first(list); item; item = json_next(item))
		if (!json_int(item, &number[inputs->n_numbers++]))
			invalid(fields, key, "whole numbers are wanted");
}

HpaTolerance hpa_inputs_tolerance(Fields *fields)
{
	return (HpaTolerance) { fields_number(fields, "tolerance_up"), fields_number(fields, "tolerance_down") };
}

static size_t read_rates(Fields *fields, HpaRate *rate)
{
	static const char *const types[] = { "Pods", "Percent" };
	const Json *list = fields_list(fields, "policies");
	size_t n = 0;
	if (json_len(list) > HPA_RATES_MAX)
		invalid(fields, "policies", "too many");
	for (const Json *item = json_first(list); item && !fields->err->code; item = json_next(item)) {
		Fields f = fields_of(item, NULL, fields->where, fields->err);
		rate[n++] = (HpaRate) {
			.type = (HpaRateType) fields_word(&f, "type", types, 2),
			.value = fields_i32(&f, "value", 0),
			.period_ms = fields_ms(&f, "period_s"),
		};
		fields_end(&f);
	}
	return n;
}

/* What a direction leaves out keeps its default. */
static void read_direction(Fields *fields, const char *key, HpaRate *rate, HpaDirection *direction)
{
	static const char *const selects[] = { "Max", "Min", "Disabled" };
	if (!fields_has(fields, key))
		return;
	Fields f = fields_of(fields_value(fields, key), NULL, fields->where, fields->err);
	if (fields_has(&f, "window_s"))
		direction->window_ms = fields_ms(&f, "window_s");
	if (fields_has(&f, "select"))
		direction->select = (HpaSelect) fields_word(&f, "select", selects, 3);
	if (fields_has(&f, "policies")) {
		direction->rate = rate;
		direction->n_rates = read_rates(&f, rate);
	}
	fields_end(&f);
}

HpaSettings hpa_inputs_settings(HpaInputs *inputs, Fields *fields)
{
	HpaSettings settings = {
		.min = fields_i32(fields, "min_replicas", 0),
		.max = fields_i32(fields, "max_replicas", 1),
		.downscale_window_ms = fields_ms(fields, "downscale_window_s"),
	};
	if (!fields_has(fields, "behavior"))
		return settings;
	hpa_behavior_default(&inputs->behavior, settings.downscale_window_ms);
	Fields f = fields_of(fields_value(fields, "behavior"), NULL, fields->where, fields->err);
	read_direction(&f, "scale_up", inputs->rate[0], &inputs->behavior.up);
	read_direction(&f, "scale_down", inputs->rate[1], &inputs->behavior.down);
	fields_end(&f);
	settings.behavior = &inputs->behavior;
	return settings;
}

void hpa_inputs_log(Fields *fields, const char *key, const char *value_key, HpaLog *log)
{
	const Json *list = fields_list(fields, key);
	if (hpa_log_reserve(log, json_len(list) + 1))
		hpa_inputs_no_memory(fields);
	for (const Json *item = json_first(list); item && !fields->err->code; item = json_next(item)) {
		Fields f = fields_of(item, NULL, fields->where, fields->err);
		log->mark[log->len++] = (HpaMark) { -fields_ms(&f, "age_s"), fields_i32(&f, value_key, INT32_MIN) };
		fields_end(&f);
	}
}

static HpaReason failed_metric(const char *text)
{
	for (int r = HPA_FAILED_RESOURCE; r <= HPA_FAILED_EXTERNAL; r++)
		if (!strcmp(text, hpa_reason_text((HpaReason) r)))
			return (HpaReason) r;
	return HPA_NONE;
}

size_t hpa_inputs_votes(Fields *fields, HpaVote vote[HPA_VOTES_MAX])
{
	const Json *list = fields_list(fields, "proposals");
	size_t n = 0;
	if (json_len(list) > HPA_VOTES_MAX)
		invalid(fields, "proposals", "too many");
	for (const Json *item = json_first(list); item && !fields->err->code; item = json_next(item), n++) {
		Fields f = fields_of(item, NULL, fields->where, fields->err);
		vote[n] = (HpaVote) { 0 };
		if (!fields_has(&f, "error"))
			vote[n].replicas = fields_i32(&f, "replicas", INT32_MIN);
		else if (!(vote[n].error = failed_metric(fields_text(&f, "error"))))
			invalid(&f, "error", "no reason of a failed metric");
		fields_end(&f);
	}
	return n;
}
