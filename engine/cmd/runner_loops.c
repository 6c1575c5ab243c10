/* From targets to loops: each gets its policy, a source of samples, its settings and a run in the store. See runner.h. */
#include "cmd/runner_inside.h"

#include "base/json.h"
#include "base/mem.h"
#include "cluster/prometheus.h"
#include "cmd/policies.h"
#include "decide/hpa.h"
#include "storage/db.h"
#include "storage/recent.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECENT_MAX = 64 };
static const int64_t RECENT_MS = 3600000;

/* ---- policies and sources ---- */

static int open_model(Runner *r, const char *word, ModelSlot **ret, Error *err)
{
	for (size_t i = 0; i < r->n_models; i++)
		if (!strcmp(r->model[i]->word, word)) {
			*ret = r->model[i];
			return 0;
		}
	ModelSlot *slot = calloc(1, sizeof *slot);
	ModelSlot **longer = slot ? realloc(r->model, (r->n_models + 1) * sizeof(ModelSlot *)) : NULL;
	int code = longer ? policy_open(word, &slot->policy, &slot->info, err) : runner_out_of_memory(err);
	if (!code)
		slot->obs_dim = model_policy_obs_dim(slot->policy);
	if (longer)
		r->model = longer;
	if (code) {
		free(slot);
		return code;
	}
	str_copy(slot->word, sizeof slot->word, word);
	r->model[r->n_models++] = slot;
	*ret = slot;
	return 0;
}

static int reload(ModelSlot *slot, Error *err)
{
	const char *path = strncmp(slot->word, "model:", 6) ? slot->word : slot->word + 6;
	Net *net = NULL;
	ModelInfo info;
	int code = model_load(path, &net, &info, err);
	if (code)
		return code;
	if (info.obs_version != slot->info.obs_version || net_config(net)->obs_dim != slot->obs_dim || info.actions != slot->info.actions) {
		net_free(net);
		return error_set(err, ERR_BAD_MODEL, "%s: its inputs or actions are not those of the model that runs", path);
	}
	char sha256[65];
	model_sha256(path, sha256);
	model_policy_swap(slot->policy, net, info.steps, sha256);
	return 0;
}

void runner_reload(Runner *r)
{
	for (size_t i = 0; i < r->n_models; i++) {
		Error err = { 0 };
		int code = r->model[i]->info.steps < 0 ? 0 : reload(r->model[i], &err);
		(void) fprintf(stderr, "maestro: %s: %s%s\n", r->model[i]->word, code ? "not reloaded, the old one stays: " : "reloaded",
		               code ? err.text : "");
		telemetry_count(r->config.telemetry, TELEMETRY_MODEL_RELOADS, code ? "failed" : "ok", NULL, NULL);
	}
}

/* The model's evaluation decides who acts; a rule that takes its place remembers its target, and is the target's own. */
static int pass_gate(RunTarget *t, const char *word, Error *err)
{
	char said[320];
	Policy *rule;
	int code = policy_gate(t->info, word, t->policy, &rule, said, sizeof said, err);
	t->is_evaluated = !code; /* the rule as well: it was measured with its own window and no other */
	if (code || !rule)
		return code;
	if (t == t->runner->target) /* once for all targets */
		(void) fprintf(stderr, "maestro: %s\n", said);
	t->policy = rule;
	t->owns_policy = true;
	t->info = NULL;
	return 0;
}

static int open_policy(Runner *r, RunTarget *t, Error *err)
{
	const RunOptions *o = r->config.options;
	TargetSettings settings;
	HpaConfig rule;
	hpa_config_default(&rule);
	if (hpa_policy_new(&rule, &t->hpa))
		return runner_out_of_memory(err);
	int code = target_settle(o, &t->given, &t->facts, NULL, &settings, err);
	if (code)
		return code;
	if (r->config.policy_new) {
		t->owns_policy = true;
		return r->config.policy_new(r->config.arg, &settings.target, &t->policy, err);
	}
	ModelSlot *slot;
	ModelInfo info;
	if (!strncmp(settings.policy, "hpa", 3) && (!settings.policy[3] || settings.policy[3] == ':')) { /* it remembers its target */
		t->owns_policy = true;
		return policy_open(settings.policy, &t->policy, &info, err);
	}
	code = open_model(r, settings.policy, &slot, err);
	if (code)
		return code;
	t->policy = slot->policy;
	t->info = slot->info.steps >= 0 ? &slot->info : NULL;
	return t->info && !o->is_forced && !o->is_dry_run && !o->is_readonly ? pass_gate(t, settings.policy, err) : 0;
}

static int open_source(Runner *r, RunTarget *t, Error *err)
{
	PromConfig prom = prom_options_config(&r->config.options->prom);
	prom.kube = r->kube;
	prom.clock = &r->config.session->clock;
	prom.telemetry = r->config.telemetry;
	if (t->info && t->info->latency_window_s > 0)
		prom.latency_window_s = (double) t->info->latency_window_s;
	if (t->info && t->info->rate_window_s > 0)
		prom.rate_window_s = (double) t->info->rate_window_s;
	if (r->config.metric_window_s > 0)
		prom.latency_window_s = prom.rate_window_s = r->config.metric_window_s;
	prom.ignores_annotation = t->given.queries[0] != '\0';
	if (prom.ignores_annotation)
		prom.queries = t->given.queries;
	for (size_t i = 0; i < r->n_sources && !t->metrics; i++)
		if (!strcmp(r->source[i].queries, t->given.queries) && fabs(r->source[i].rate_s - prom.rate_window_s) < .5 && fabs(r->source[i].latency_s - prom.latency_window_s) < .5)
			t->metrics = r->source[i].metrics;
	if (t->metrics)
		return 0;
	MetricsSlot *longer = realloc(r->source, (r->n_sources + 1) * sizeof *longer);
	if (!longer)
		return runner_out_of_memory(err);
	r->source = longer;
	MetricsSlot slot = { prom.rate_window_s, prom.latency_window_s, t->given.queries, NULL };
	int code = prom_metrics_new(&prom, &slot.metrics, err);
	if (code)
		return code;
	t->metrics = slot.metrics;
	r->source[r->n_sources++] = slot;
	return 0;
}

/* ---- loops ---- */

/* An evaluation is of its interval: with another one the model counts as having none, and the rails are those of such a model. */
static bool is_own_interval(const RunTarget *t)
{
	double own = t->info ? (double) t->info->interval_s : 0;
	return own <= 0 || t->settings.interval_s == own;
}

static void say_interval(const RunTarget *t)
{
	(void) fprintf(stderr, "maestro: %s/%s: the model was trained and evaluated to decide every %g s, not %g s: its evaluation "
	               "says nothing here and counts as none\n", t->given.namespace_, t->given.name, (double) t->info->interval_s,
	               t->settings.interval_s);
}

/* Cooldown and latency veto guard an evaluated model. */
static int64_t stabilise_ms(const RunTarget *t)
{
	const RunOptions *o = t->runner->config.options;
	RailsConfig usual;
	rails_config_default(&usual);
	return o->scale_down_window_s >= 0 ? (int64_t) (o->scale_down_window_s * 1000)
	     : t->is_evaluated && is_own_interval(t) ? 0 : usual.stabilise_ms;
}

static bool settle_again(void *arg, const TargetFacts *facts, LoopSettings *settings, Error *err)
{
	RunTarget *t = arg;
	TargetSettings now;
	Target *target = &settings->target;
	if (target_settle(t->runner->config.options, &t->given, facts, t->info, &now, err))
		return false;
	if (!now.target.max_replicas)
		return error_set(err, ERR_INVALID, "%s/%s: no maximum is annotated any more", target->namespace_, target->name), false;
	now.target.pod_capacity_rps = target->pod_capacity_rps;
	now.target.startup_s = target->startup_s;
	bool is_other = now.interval_s != t->settings.interval_s;
	t->settings = now;
	if (is_other && !is_own_interval(t))
		say_interval(t);
	*settings = (LoopSettings) { now.target, (int64_t) (now.interval_s * 1000), stabilise_ms(t) };
	return true;
}

static void on_cycle(void *arg, const LiveView *view)
{
	const RunTarget *t = arg;
	if (t->runner->config.on_cycle)
		t->runner->config.on_cycle(t->runner->config.arg, view);
}

static char *config_json(const RunTarget *t)
{
	const TargetSettings *s = &t->settings;
	Json *object = json_new_object();
	json_add_string(object, "policy", s->policy);
	json_add_string(object, "context", t->runner->kubeconfig.context);
	json_add_string(object, "namespace", s->target.namespace_);
	json_add_string(object, "deployment", s->target.name);
	json_add_int(object, "min-replicas", s->target.min_replicas);
	json_add_int(object, "max-replicas", s->target.max_replicas);
	json_add_number(object, "latency-soft", (double) s->target.latency_soft_ms);
	json_add_number(object, "latency-hard", (double) s->target.latency_hard_ms);
	json_add_int(object, "interval-ms", t->config.interval_ms);
	json_add_string(object, "actuate", t->runner->config.options->actuate);
	json_add_bool(object, "dry-run", t->config.rails.is_dry_run);
	char *text = json_print(object);
	json_free(object);
	return text;
}

static int begin_run(RunTarget *t, Error *err)
{
	Sink *sink = t->runner->config.session->sink;
	char *config = config_json(t);
	RunStart start = { .kind = RUN_CONTROL, .config_json = config };
	(void) snprintf(start.name, sizeof start.name, "%.20s/%.40s", t->given.namespace_, t->given.name);
	int code = config ? sink->ops->run_begin(sink, &start, &t->config.run_id, err) : runner_out_of_memory(err);
	free(config);
	return code;
}

static void set_rails(const RunTarget *t, RailsConfig *rails)
{
	const RunOptions *o = t->runner->config.options;
	rails_config_default(rails);
	rails->is_dry_run = o->is_dry_run || o->is_readonly;
	rails->changes_per_hour = o->changes_per_hour;
	rails->fallback_may_lower = o->fallback_may_lower;
	rails->predictions_add_only = o->predictions_add_only;
	if (!strcmp(o->rails, "seed"))
		rails->off = RAILS_OFF_SEED;
	rails->stabilise_ms = stabilise_ms(t);
}

/* What earlier processes did to the target, so that cooldowns outlive a restart. */
static void remember(RunTarget *t, struct sqlite3 *past)
{
	RecentChange change[RECENT_MAX];
	size_t n = 0;
	Session *session = t->runner->config.session;
	int64_t now_ms = clock_wall_ms(&session->clock);
	if (store_recent(past, t->given.namespace_, t->given.name, now_ms - RECENT_MS, change, RECENT_MAX, &n))
		return;
	for (size_t i = 0; i < n; i++)
		if (change[i].time_ms <= now_ms)
			loop_remember(t->loop, now_ms - change[i].time_ms, change[i].from, change[i].to);
}

/* Since the policy's model first acted on the target, as far as the store goes back. */
static int64_t model_age_ms(const RunTarget *t, struct sqlite3 *past)
{
	Session *session = t->runner->config.session;
	if (!t->policy->sha256[0])
		return 0;
	int64_t first_ms = store_first_acted(past, t->given.namespace_, t->given.name, t->policy->sha256);
	int64_t now_ms = clock_wall_ms(&session->clock);
	return first_ms >= 0 && first_ms < now_ms ? now_ms - first_ms : 0;
}

static int build_loop(RunTarget *t, struct sqlite3 *past, Error *err)
{
	Runner *r = t->runner;
	Session *session = r->config.session;
	LoopConfig *config = &t->config;
	int code = target_settle(r->config.options, &t->given, &t->facts, t->info, &t->settings, err);
	if (code)
		return code;
	if (!t->settings.target.max_replicas)
		return runner_usage(r, "neither --max-replicas nor the annotation maestro.io/max-replicas says how far it may scale");
	if (!is_own_interval(t) && !r->n_other_intervals++)
		say_interval(t);
	*config = (LoopConfig) {
		.target = t->settings.target,
		.metrics = t->metrics,
		.actuator = r->actuator,
		.cluster = r->cluster,
		.policy = t->policy,
		.hpa = t->hpa,
		.observation = { t->policy->obs_version ? (ObsKind) t->policy->obs_version : OBS_SEED,
		                 t->policy->obs_stack > 1 ? t->policy->obs_stack : 1, 0 },
		.clock = &session->clock,
		.sink = session->sink,
		.wake = &session->wake,
		.interval_ms = (int64_t) (t->settings.interval_s * 1000),
		.speed = 1,
		.is_readonly = r->config.options->is_readonly,
		.manual_ttl_ms = (int64_t) (r->config.options->manual_ttl_s * 1000),
		.settle = settle_again,
		.on_cycle = on_cycle,
		.arg = t,
	};
	state_config_default(&config->states);
	config->states.fallback_after = r->config.options->fallback_after;
	set_rails(t, &config->rails);
	config->adds_only_ms = (int64_t) (r->config.options->adds_only_s * 1000);
	config->model_age_ms = model_age_ms(t, past);
	str_copy(config->context, sizeof config->context, r->kubeconfig.context);
	code = begin_run(t, err);
	if (!code)
		code = loop_new(config, &t->loop, err);
	if (!code)
		remember(t, past);
	return code;
}

int runner_build(Runner *r, Error *err)
{
	struct sqlite3 *past = NULL;
	int code = 0;
	(void) db_open_readonly(r->config.session->db, &past, NULL); /* one that cannot be read is as good as none */
	for (size_t i = 0; i < r->n && !code; i++) {
		code = open_policy(r, &r->target[i], err);
		if (!code)
			code = open_source(r, &r->target[i], err);
		if (!code)
			code = build_loop(&r->target[i], past, err);
		r->loop[i] = r->target[i].loop;
	}
	db_close(past);
	if (r->n_other_intervals > 1)
		(void) fprintf(stderr, "maestro: and the same for %zu more targets\n", r->n_other_intervals - 1);
	return code ? code : fleet_new(r->loop, r->n, &r->fleet, err);
}
