/* See gate.h. */
#include "control/gate.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/version.h"
#include "control/idle.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double MEDIAN_MOST = 1.0, WORST_MOST = 1.15;

GateVerdict gate_judge(const VersusSummary *versus)
{
	const VersusGroup *all = &versus->group[GROUP_ALL];
	return all->pod_hours_median <= MEDIAN_MOST && all->pod_hours_worst <= WORST_MOST ? GATE_MODEL : GATE_HPA;
}

/* ---- reading ---- */

int gate_read(const ModelInfo *info, Gate *ret, Error *err)
{
	Json *root = NULL;
	*ret = (Gate) { .verdict = GATE_MISSING, .text = "carries no evaluation against the HPA" };
	if (!info->evaluation_json[0])
		return 0;
	if (json_parse(info->evaluation_json, strlen(info->evaluation_json), &root, NULL))
		return error_set(err, ERR_BAD_MODEL, "metadata: evaluation is not JSON");
	const char *chosen = json_string_or(root, "chosen", "");
	int64_t cpu = json_int_or(root, "hpa.cpu_pct", 0);
	double window_s = json_number_or(root, "hpa.down_window_s", -1), price = json_number_or(root, "pod_price", 0);
	bool is_sound = (!strcmp(chosen, "model") || !strcmp(chosen, "hpa")) && cpu >= 1 && cpu <= 1000 && window_s >= 0 && window_s <= 3600 &&
	                price >= 0 && price < 1e6;
	if (is_sound) {
		*ret = (Gate) { .verdict = !strcmp(chosen, "model") ? GATE_MODEL : GATE_HPA, .hpa_cpu_pct = (int32_t) cpu,
			.hpa_down_window_s = window_s, .pod_price = (float) price };
		(void) snprintf(ret->text, sizeof ret->text, "%.2f x the calibrated HPA's pod-hours at its violation (worst trace %.2f)",
		                json_number_or(root, "pod_hours_ratio.median", NAN), json_number_or(root, "pod_hours_ratio.worst", NAN));
		int64_t idle = json_int_or(root, "idle.replicas", 0), least = json_int_or(root, "idle.min_replicas", 0);
		size_t used = strlen(ret->text);
		if (idle > least)
			(void) snprintf(ret->text + used, sizeof ret->text - used, "; %lld pods without load", (long long) idle);
	}
	json_free(root);
	return is_sound ? 0 : error_set(err, ERR_BAD_MODEL, "metadata: evaluation does not say what was chosen");
}

/* ---- writing ---- */

static void add_hash(Json *to, const char *key, const void *data, size_t len)
{
	char hex[SHA256_HEX];
	sha256_hex(data, len, hex);
	hex[16] = '\0'; /* enough to tell traces apart, short enough for a header */
	json_add_string(to, key, hex);
}

static int32_t reference_of(const ContestConfig *c)
{
	int32_t f = 0;
	while (f < c->n_families && !c->family[f].kind->is_reference)
		f++;
	return f < c->n_families ? f : -1;
}

/* The setting that was picked on most traces, the first of such. */
static int32_t usual_setting(const Contest *contest, int32_t family)
{
	int32_t usual = 0, most = 0;
	for (int32_t t = 0; t < contest->config.n_traces; t++) {
		const Path *path = contest_path(contest, family, t);
		int32_t setting = path->setting[path->best[0]], count = 0;
		for (int32_t u = 0; u < contest->config.n_traces; u++) {
			const Path *other = contest_path(contest, family, u);
			count += other->setting[other->best[0]] == setting;
		}
		if (count > most) {
			most = count;
			usual = setting;
		}
	}
	return usual;
}

static void add_span(Json *to, const char *key, const Span *span)
{
	Json *object = json_add_object(to, key);
	json_add_number(object, "iqm", span->iqm);
	json_add_number(object, "lo", span->lo);
	json_add_number(object, "hi", span->hi);
}

static int add_table(Json *to, const Contest *contest)
{
	const ContestConfig *c = &contest->config;
	Json *table = json_add_array(to, "table");
	int code = 0;
	for (int32_t f = 0; f < c->n_families && !code; f++) {
		Span v, pods;
		char text[SETTING_TEXT];
		Json *row = json_add_object(table, NULL);
		/* a file's name would tell two like trainings apart */
		json_add_string(row, "policy", c->family[f].n_files ? "model" : c->family[f].word);
		code = summary_figure(contest, f, 0, FIGURE_V_PCT, &v);
		if (!code)
			code = summary_figure(contest, f, 0, FIGURE_POD_HOURS, &pods);
		if (code)
			break;
		json_add_number(row, "v_pct", v.iqm);
		json_add_number(row, "pod_hours", pods.iqm);
		family_describe(&c->family[f], &c->arena, usual_setting(contest, f), text);
		json_add_string(row, "settings", text[0] ? text : NULL);
	}
	return code;
}

static void add_protocol(Json *to, const ContestConfig *c)
{
	json_add_string(to, "version", MAESTRO_VERSION);
	json_add_string(to, "level", c->arena.sim.level == SIM_FLUID ? "fluid" : "request");
	json_add_int(to, "seed", (int64_t) c->seed);
	json_add_int(to, "seeds", c->seeds);
	json_add_number(to, "lambda", c->lambda[0]);
	json_add_number(to, "report_from", c->report_from);
	json_add_number(to, "startup_s", c->arena.startup_s);
	json_add_number(to, "latency_soft_ms", (double) c->arena.sim.latency_soft_ms);
	json_add_number(to, "latency_hard_ms", (double) c->arena.sim.latency_hard_ms);
	json_add_int(to, "max_replicas", c->arena.sim.max_replicas);
	add_hash(to, "service", &c->arena.sim.service, sizeof c->arena.sim.service);
	Json *traces = json_add_object(to, "traces");
	for (int32_t t = 0; t < c->n_traces; t++)
		add_hash(traces, c->trace[t].name, c->trace[t].rate, c->trace[t].n * sizeof *c->trace[t].rate);
}

static Json *evaluation_of(const Contest *contest, int32_t family, int32_t reference, const IdleCheck *idle, int *ret_code)
{
	const ContestConfig *c = &contest->config;
	VersusSummary versus;
	*ret_code = summary_versus(contest, family, reference, 0, &versus);
	if (*ret_code)
		return NULL;
	int32_t cpu_pct, window_s, setting = usual_setting(contest, family);
	family_hpa_setting(usual_setting(contest, reference), &cpu_pct, &window_s);
	Json *root = json_new_object();
	bool comes_down = idle->replicas <= idle->min_replicas;
	json_add_string(root, "chosen", gate_judge(&versus) == GATE_MODEL && comes_down ? "model" : "hpa");
	Json *rest = json_add_object(root, "idle");
	json_add_number(rest, "rps", idle->rps);
	json_add_int(rest, "replicas", idle->replicas);
	json_add_int(rest, "min_replicas", idle->min_replicas);
	Json *hpa = json_add_object(root, "hpa");
	json_add_int(hpa, "cpu_pct", cpu_pct);
	json_add_int(hpa, "down_window_s", window_s);
	json_add_number(root, "pod_price", family_pod_price(&c->family[family], &c->arena, setting));
	add_span(root, "v_change_at_equal_pod_hours", &versus.group[GROUP_ALL].v_change);
	Json *ratio = json_add_object(root, "pod_hours_ratio");
	json_add_number(ratio, "median", versus.group[GROUP_ALL].pod_hours_median);
	json_add_number(ratio, "worst", versus.group[GROUP_ALL].pod_hours_worst);
	add_protocol(root, c);
	versus_done(&versus);
	*ret_code = add_table(root, contest);
	return root;
}

/* Only our own files have room for it. */
static int check_writable(const char *path, Error *err)
{
	char magic[2] = "";
	FILE *file = fopen(path, "rb");
	size_t got = file ? fread(magic, 1, sizeof magic, file) : 0;
	if (file)
		(void) fclose(file);
	if (got == sizeof magic && !memcmp(magic, "PK", sizeof magic))
		return error_set(err, ERR_USAGE, "%s is a zip of Stable-Baselines3, which has no place for an evaluation; maestro model convert makes "
		                                 "a safetensors file of it", path);
	return access(path, W_OK) ? error_set(err, ERR_IO, "%s: %s", path, strerror(errno)) : 0;
}

static int write_into(const char *path, const char *evaluation, double pod_price, Error *err)
{
	Net *net = NULL;
	ModelInfo info;
	int code = check_writable(path, err);
	if (!code)
		code = model_load(path, &net, &info, err);
	if (code)
		return code;
	if (pod_price > 0) /* what it was tuned to is what it is asked at */
		info.pod_price = (float) pod_price;
	if (strlen(evaluation) >= sizeof info.evaluation_json)
		code = error_set(err, ERR_INVALID, "%s: the evaluation is of %zu bytes, a header has room for %zu; evaluate on fewer traces", path,
		                 strlen(evaluation), sizeof info.evaluation_json - 1);
	str_copy(info.evaluation_json, sizeof info.evaluation_json, evaluation);
	if (!code)
		code = model_save(path, net, &info, err);
	net_free(net);
	return code;
}

int gate_write(const Contest *contest, int32_t family, Error *err)
{
	const Family *of = &contest->config.family[family];
	int32_t reference = reference_of(&contest->config);
	int code = 0;
	if (reference < 0)
		return error_set(err, ERR_USAGE, "a model's evaluation needs the rule that it has to beat: add --policy hpa-calibrated");
	double price = family_pod_price(of, &contest->config.arena, usual_setting(contest, family));
	IdleCheck idle;
	code = idle_check(of, &contest->config.arena, usual_setting(contest, family), &idle, err);
	if (code)
		return code;
	Json *root = evaluation_of(contest, family, reference, &idle, &code);
	char *text = code ? NULL : json_print(root);
	json_free(root);
	if (!text)
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	for (int32_t i = 0; i < of->n_files && !code; i++)
		code = write_into(of->file[i], text, price, err);
	free(text);
	return code;
}
