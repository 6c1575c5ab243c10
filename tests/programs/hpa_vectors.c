/*
 * hpa_vectors FILE: runs the HPA rule on every case of a file (tests/fixtures/README.md has its form) and compares.
 *
 * Prints a line for each field that differs and one closing line. Exit 0 where none does, 1 where some do, 5 for a
 * file that is not of that form: a kind or a field that is not known is an error, never a case passed over.
 * Cases marked "overflow" are run, but the reference's wrapped answer is not compared.
 */
#include "base/mem.h"
#include "fakes/hpa_inputs.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { FILE_MAX_BYTES = 256 << 20 };

typedef struct Run {
	const Json *defaults;
	Error err;
	HpaInputs in;
	const char *id;
	int step;         /* of a cycle, from 1; 0: no steps */
	bool is_overflow;
	bool differs;     /* the present case has a wrong field */
} Run;

/* ---- comparing ---- */

static void differ(Run *run, const char *key, const char *want, const char *got)
{
	if (run->is_overflow)
		return;
	run->differs = true;
	if (run->step)
		printf("%s step %d: %s: want %s, got %s\n", run->id, run->step, key, want, got);
	else
		printf("%s: %s: want %s, got %s\n", run->id, key, want, got);
}

static void want_text(Run *run, Fields *want, const char *key, const char *got)
{
	const char *text = fields_text(want, key);
	if (!run->err.code && strcmp(text, got))
		differ(run, key, *text ? text : "\"\"", *got ? got : "\"\"");
}

static void want_bool(Run *run, Fields *want, const char *key, bool got)
{
	bool value = fields_bool(want, key);
	if (!run->err.code && value != got)
		differ(run, key, value ? "true" : "false", got ? "true" : "false");
}

/* has_got false: there is no such number, and none must be wanted. */
static void want_int(Run *run, Fields *want, const char *key, bool has_got, int64_t got)
{
	char wanted[24] = "none", gotten[24] = "none";
	if (fields_has(want, key))
		(void) snprintf(wanted, sizeof wanted, "%" PRId64, fields_int(want, key, -HPA_EXACT_MAX, HPA_EXACT_MAX));
	if (has_got)
		(void) snprintf(gotten, sizeof gotten, "%" PRId64, got);
	if (!run->err.code && strcmp(wanted, gotten))
		differ(run, key, wanted, gotten);
}

static Fields want_of(Run *run, Fields *owner)
{
	return fields_of(fields_value(owner, "want"), NULL, run->id, &run->err);
}

/* ---- kinds ---- */

static void want_proposal(Run *run, Fields *f, HpaError error, const HpaProposal *got, const char *usage_key,
                          bool has_usage, bool has_utilisation)
{
	Fields want = want_of(run, f);
	want_bool(run, &want, "error", error != HPA_OK);
	if (fields_has(&want, "error_kind"))
		want_text(run, &want, "error_kind", hpa_error_text(error));
	want_int(run, &want, "replicas", !error, got->replicas);
	want_int(run, &want, usage_key, !error && has_usage, got->usage_m);
	if (has_utilisation)
		want_int(run, &want, "utilization_pct", !error, got->utilization_pct);
	fields_end(&want);
}

static void run_pods(Run *run, Fields *f, const char *kind)
{
	static const char *const resources[] = { "memory", "cpu" };
	bool is_utilisation = !strcmp(kind, "resource");
	bool is_cpu = fields_word(f, "resource", resources, 2) == 1 && strcmp(kind, "pods") != 0;
	hpa_inputs_pods(&run->in, f, json_get(run->defaults, "pod"));
	hpa_inputs_numbers(&run->in, f, "unlisted_usage_m");
	const HpaPodMetric metric = {
		.pods = {
			.pod = run->in.pod, .n = run->in.n_pods, .unlisted_m = run->in.number, .n_unlisted = run->in.n_numbers,
			.is_cpu = is_cpu,
			.cpu_init_ms = fields_ms(f, "cpu_init_s"),
			.ready_delay_ms = fields_ms(f, "ready_delay_s"),
		},
		.current = fields_i32(f, "current_replicas", 0),
		.is_utilisation = is_utilisation,
		.target = is_utilisation ? fields_i32(f, "target_pct", 1) : fields_int(f, "target_m", 1, HPA_EXACT_MAX),
		.tolerance = hpa_inputs_tolerance(f),
	};
	if (run->err.code)
		return;
	HpaProposal got = { 0 };
	HpaError error = hpa_propose_pods(&metric, &got);
	want_proposal(run, f, error, &got, "average_m", true, is_utilisation);
}

static void run_value(Run *run, Fields *f, const char *kind)
{
	bool is_per_pod = strstr(kind, "per_pod") != NULL;
	hpa_inputs_numbers(&run->in, f, "values_m");
	run->in.n_pods = 0;
	if (!is_per_pod)
		hpa_inputs_pods(&run->in, f, json_get(run->defaults, "pod"));
	const HpaValueMetric metric = {
		.pod = run->in.pod,
		.n_pods = run->in.n_pods,
		.current = fields_i32(f, is_per_pod ? "status_replicas" : "current_replicas", 0),
		.value_m = run->in.number ? hpa_sum(run->in.number, run->in.n_numbers) : 0,
		.target_m = fields_int(f, "target_m", 1, HPA_EXACT_MAX),
		.tolerance = hpa_inputs_tolerance(f),
	};
	if (run->err.code)
		return;
	HpaProposal got = { 0 };
	HpaError error = HPA_OK;
	if (is_per_pod)
		hpa_propose_per_pod(&metric, &got);
	else
		error = hpa_propose_value(&metric, &got);
	want_proposal(run, f, error, &got, is_per_pod ? "average_m" : "value_m", !is_per_pod || metric.current, false);
}

static void run_metrics(Run *run, Fields *f, const char *kind)
{
	(void) kind;
	HpaVote vote[HPA_VOTES_MAX];
	size_t n = hpa_inputs_votes(f, vote);
	int32_t spec = fields_i32(f, "spec_replicas", 0);
	if (run->err.code)
		return;
	HpaVerdict got = hpa_combine(vote, n, spec);
	Fields want = want_of(run, f);
	want_bool(run, &want, "act", got.acts);
	want_bool(run, &want, "error", got.has_error);
	want_text(run, &want, "scaling_active", hpa_reason_text(got.scaling_active));
	want_int(run, &want, "replicas", got.acts, got.replicas);
	fields_end(&want);
}

static void run_normalize(Run *run, Fields *f, const char *kind)
{
	bool has_behavior = !strcmp(kind, "normalize_behavior");
	if (fields_has(f, "behavior") != has_behavior)
		(void) error_set(&run->err, ERR_INVALID, "%s: kind %s goes %s a behavior", run->id, kind,
		                 has_behavior ? "with" : "without");
	HpaHistory history = { 0 };
	HpaNormalised got = { 0 };
	HpaSettings settings = hpa_inputs_settings(&run->in, f);
	hpa_inputs_log(f, "recommendations", "replicas", &history.recommendations);
	if (settings.behavior) {
		hpa_inputs_log(f, "scale_up_events", "change", &history.ups);
		hpa_inputs_log(f, "scale_down_events", "change", &history.downs);
	}
	int32_t current = fields_i32(f, "current_replicas", 0), proposal = fields_i32(f, "proposal", INT32_MIN);
	if (!run->err.code && hpa_normalise(&settings, &history, 0, current, proposal, &got))
		hpa_inputs_no_memory(f);
	Fields want = want_of(run, f);
	want_int(run, &want, "replicas", true, got.replicas);
	want_int(run, &want, "stabilized", true, got.stabilised);
	want_text(run, &want, "able_to_scale", hpa_reason_text(got.able_to_scale));
	want_text(run, &want, "scaling_limited", hpa_reason_text(got.scaling_limited));
	fields_end(&want);
	hpa_history_done(&history);
}

static void run_step(Run *run, const Json *item, const HpaSettings *settings, HpaState *state, int64_t *now_ms,
                     int32_t *spec)
{
	Fields f = fields_of(item, NULL, run->id, &run->err);
	HpaVote vote[HPA_VOTES_MAX];
	size_t n = hpa_inputs_votes(&f, vote);
	HpaOutcome outcome = { 0 };
	*now_ms += fields_ms(&f, "after_s");
	if (fields_has(&f, "set_replicas"))
		*spec = fields_i32(&f, "set_replicas", 0);
	bool fails = fields_has(&f, "write_fails") && fields_bool(&f, "write_fails");
	if (run->err.code)
		return;
	int code = hpa_cycle(state, settings, *now_ms, *spec, vote, n, &outcome);
	if (!code && outcome.writes)
		code = hpa_cycle_written(state, settings, *now_ms, *spec, outcome.replicas, !fails);
	if (code)
		hpa_inputs_no_memory(&f);
	bool has_written = outcome.writes && !fails;
	if (has_written)
		*spec = outcome.replicas;
	Fields want = want_of(run, &f);
	want_int(run, &want, "replicas", true, *spec);
	want_bool(run, &want, "written", has_written);
	want_bool(run, &want, "error", outcome.has_error || (outcome.writes && fails));
	want_text(run, &want, "able_to_scale", hpa_reason_text(state->able_to_scale));
	want_text(run, &want, "scaling_active", hpa_reason_text(state->scaling_active));
	want_text(run, &want, "scaling_limited", hpa_reason_text(state->scaling_limited));
	fields_end(&want);
	fields_end(&f);
}

static void run_cycle(Run *run, Fields *f, const char *kind)
{
	(void) kind;
	HpaState state = { 0 };
	int64_t now_ms = 0;
	HpaSettings settings = hpa_inputs_settings(&run->in, f);
	int32_t spec = fields_i32(f, "spec_replicas", 0);
	for (const Json *item = json_first(fields_list(f, "steps")); item && !run->err.code; item = json_next(item)) {
		run->step++;
		run_step(run, item, &settings, &state, &now_ms, &spec);
	}
	hpa_history_done(&state.history);
}

static const struct {
	const char *name;
	void (*run)(Run *run, Fields *fields, const char *kind);
} KINDS[] = {
	{ "resource", run_pods }, { "raw", run_pods }, { "pods", run_pods },
	{ "object_value", run_value }, { "external_value", run_value },
	{ "object_per_pod", run_value }, { "external_per_pod", run_value },
	{ "metrics", run_metrics }, { "normalize", run_normalize }, { "normalize_behavior", run_normalize },
	{ "cycle", run_cycle },
};

static void run_case(Run *run, const Json *item)
{
	run->id = json_string_or(item, "id", "a case without an id");
	run->step = 0;
	run->differs = false;
	Fields fields = fields_of(item, run->defaults, run->id, &run->err);
	(void) fields_text(&fields, "id");
	(void) fields_value(&fields, "note");
	run->is_overflow = fields_has(&fields, "overflow") && fields_bool(&fields, "overflow");
	const char *kind = fields_text(&fields, "kind");
	for (size_t k = 0; k < sizeof KINDS / sizeof *KINDS; k++)
		if (!strcmp(kind, KINDS[k].name)) {
			KINDS[k].run(run, &fields, kind);
			fields_end(&fields);
			return;
		}
	if (!run->err.code)
		(void) error_set(&run->err, ERR_INVALID, "%s: kind \"%s\" is not known", run->id, kind);
}

static int run_file(Run *run, const char *path)
{
	StrBuf text = { 0 };
	Json *root = NULL;
	long passed = 0, failed = 0;
	if (mem_read_file(path, FILE_MAX_BYTES, &text, &run->err) || json_parse(text.data, text.len, &root, &run->err))
		goto out;
	Fields file = fields_of(root, NULL, path, &run->err);
	(void) fields_int(&file, "version", 1, 1);
	(void) fields_value(&file, "source");
	run->defaults = fields_value(&file, "defaults");
	const Json *cases = fields_list(&file, "cases");
	fields_end(&file);
	for (const Json *item = json_first(cases); item && !run->err.code; item = json_next(item)) {
		run_case(run, item);
		passed += !run->err.code && !run->differs;
		failed += !run->err.code && run->differs;
	}
	if (!run->err.code)
		printf("%ld passed, %ld failed\n", passed, failed);
out:
	json_free(root);
	strbuf_done(&text);
	hpa_inputs_done(&run->in);
	if (run->err.code) {
		fprintf(stderr, "hpa_vectors: %s\n", run->err.text);
		return err_exit_status(run->err.code);
	}
	return failed || !passed ? 1 : 0;
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: hpa_vectors FILE\n");
		return 2;
	}
	Run run = { 0 };
	return run_file(&run, argv[1]);
}
