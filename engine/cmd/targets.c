/* `maestro targets`: the targets that `run` would take, their settings, and where each setting comes from. */
#include "cmd/cmd.h"
#include "cmd/opts.h"
#include "cmd/policies.h"
#include "cmd/run_target.h"

#include "base/json.h"
#include "base/mem.h"
#include "cluster/kube_cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct TargetsOptions {
	RunOptions run;
	const char *output;
} TargetsOptions;

#define OPTION(name, letter, kind, field, lo, hi, arg, help) RUN_OPTION(TargetsOptions, name, letter, kind, field, lo, hi, arg, help)
static const Opt OPTIONS[] = {
	OPTION("deployment", 'd', OPT_LIST, deployment, 0, 0, "NS/NAME", "a Deployment; else those of targets: in the configuration file"),
	OPTION("selector", 'l', OPT_STRING, selector, 0, 0, "LABELS", "the Deployments of the namespace that have them"),
	OPTION("namespace", 'n', OPT_STRING, namespace_, 0, 0, "NS", "else the context's"),
	OPTION("config", 0, OPT_STRING, config, 0, 0, "FILE", "else $XDG_CONFIG_HOME/maestro/config.yaml"),
	{ "output", 'o', OPT_STRING, offsetof(TargetsOptions, output), 0, 0, "FORM", "wide: with origins; json: an object a line", false },
	OPTION("policy", 'p', OPT_STRING, policy, 0, 0, "P", "as `run` will be given"),
	{ "queries", 0, OPT_STRING, offsetof(TargetsOptions, run.prom.queries), 0, 0, "FILE|PRESET", "the same", false },
	OPTION("min-replicas", 0, OPT_INT, min_replicas, 1, 10000, "N", "the same"),
	OPTION("max-replicas", 0, OPT_INT, max_replicas, 1, 10000, "N", "the same"),
	OPTION("interval", 0, OPT_DURATION, interval_s, 1, 3600, "TIME", "the same"),
	OPTION("latency-soft", 0, OPT_DOUBLE, latency_soft_ms, -1, 1e7, "MS", "the same"),
	OPTION("latency-hard", 0, OPT_DOUBLE, latency_hard_ms, -1, 1e7, "MS", "the same"),
	OPTION("kubeconfig", 0, OPT_STRING, kubeconfig, 0, 0, "FILE", "else KUBECONFIG, ~/.kube/config, or the pod's account"),
	OPTION("context", 0, OPT_STRING, context, 0, 0, "NAME", "of the kubeconfig"),
	{ 0 },
};

const OptCommand TARGETS_COMMAND = {
	"targets [-o wide|json] [options]",
	"Lists the targets with the settings in force. First option, then targets: of the file, then annotation, then the model, then the "
	"default; for limits the option comes last.",
	OPTIONS, 0,
};

typedef struct Row {
	GivenTarget given;
	TargetFacts facts;
	TargetSettings settings;
	int32_t replicas; /* -1: not known */
} Row;

typedef struct Table {
	KubeConfig kubeconfig;
	KubeCache *cache;
	KubeClient *kube;
	Cluster *cluster;
	Clock clock;
	Row *row; /* [n] */
	size_t n;
} Table;

static const char *mode_of(const Row *row)
{
	const TargetFacts *f = &row->facts;
	return f->code ? "?" : f->owner[0] ? "conflict" : f->held_replicas >= 0 ? "held" : f->is_paused || f->trouble[0] ? "paused"
	     : f->is_scale_in_paused ? "no downs" : "-";
}

/* ---- printing ---- */

static void add_setting(Json *to, const char *key, double value, Origin origin)
{
	Json *object = json_add_object(to, key);
	if (value > 0)
		json_add_number(object, "value", value);
	else
		json_add_null(object, "value");
	json_add_string(object, "from", origin_text(origin));
}

static void print_json(const Row *row)
{
	const TargetSettings *s = &row->settings;
	Json *root = json_new_object();
	json_add_string(root, "namespace", row->given.namespace_);
	json_add_string(root, "deployment", row->given.name);
	json_add_number(root, "replicas", row->replicas < 0 ? (double) (0.0 / 0.0) : row->replicas);
	add_setting(root, "min_replicas", s->target.min_replicas, s->min);
	add_setting(root, "max_replicas", s->target.max_replicas, s->max);
	add_setting(root, "latency_soft_ms", (double) s->target.latency_soft_ms, s->soft);
	add_setting(root, "latency_hard_ms", (double) s->target.latency_hard_ms, s->hard);
	add_setting(root, "interval_s", s->interval_s, s->interval);
	Json *policy = json_add_object(root, "policy");
	json_add_string(policy, "value", s->policy);
	json_add_string(policy, "from", origin_text(s->policy_from));
	Json *queries = json_add_object(root, "queries");
	json_add_string(queries, "value", s->queries);
	json_add_string(queries, "from", origin_text(s->queries_from));
	json_add_string(root, "mode", mode_of(row));
	json_add_string(root, "owner", row->facts.owner[0] ? row->facts.owner : NULL);
	json_add_string(root, "problem", row->facts.code ? row->facts.why : row->facts.trouble[0] ? row->facts.trouble : NULL);
	char *text = json_print(root);
	if (text)
		printf("%s\n", text);
	free(text);
	json_free(root);
}

static void cell(char *text, size_t size, double value, const char *unit, Origin origin, bool is_wide)
{
	char number[32] = "-";
	if (value > 0)
		(void) snprintf(number, sizeof number, "%g%s", value, unit);
	if (is_wide && value > 0)
		(void) snprintf(text, size, "%s (%s)", number, origin_text(origin));
	else
		(void) snprintf(text, size, "%s", number);
}

static void print_row(const Row *row, bool is_wide)
{
	const TargetSettings *s = &row->settings;
	char name[NAMESPACE_MAX + NAME_MAX_K8S], replicas[16] = "?", cells[5][64], policy[160];
	(void) snprintf(name, sizeof name, "%s/%s", row->given.namespace_, row->given.name);
	if (row->replicas >= 0)
		(void) snprintf(replicas, sizeof replicas, "%d", row->replicas);
	cell(cells[0], sizeof cells[0], s->target.min_replicas, "", s->min, is_wide);
	cell(cells[1], sizeof cells[1], s->target.max_replicas, "", s->max, is_wide);
	cell(cells[2], sizeof cells[2], s->interval_s, "s", s->interval, is_wide);
	cell(cells[3], sizeof cells[3], (double) s->target.latency_soft_ms, "ms", s->soft, is_wide);
	cell(cells[4], sizeof cells[4], (double) s->target.latency_hard_ms, "ms", s->hard, is_wide);
	(void) snprintf(policy, sizeof policy, is_wide ? "%.120s (%s)" : "%.120s", s->policy, origin_text(s->policy_from));
	char queries[160] = "";
	if (is_wide)
		(void) snprintf(queries, sizeof queries, "%.120s (%s)", s->queries, origin_text(s->queries_from));
	int w = is_wide ? 16 : 8;
	printf("%-28s %8s %-*s %-*s %-*s %-*s %-*s %-*s %-*s%s%s%s\n", name, replicas, w, cells[0], w, cells[1], w, cells[2], w + 3, cells[3],
	       w + 3, cells[4], is_wide ? 28 : 20, policy, is_wide ? 24 : 0, queries, mode_of(row), row->facts.owner[0] || row->facts.code ? ": " : "",
	       row->facts.code ? row->facts.why : row->facts.owner);
}

static void print_table(const Table *t, const char *output)
{
	bool is_wide = output && !strcmp(output, "wide");
	int w = is_wide ? 16 : 8;
	if (output && !strcmp(output, "json")) {
		for (size_t i = 0; i < t->n; i++)
			print_json(&t->row[i]);
		return;
	}
	printf("%-28s %8s %-*s %-*s %-*s %-*s %-*s %-*s %-*s%s\n", "TARGET", "REPLICAS", w, "MIN", w, "MAX", w, "INTERVAL", w + 3, "SOFT",
	       w + 3, "HARD", is_wide ? 28 : 20, "POLICY", is_wide ? 24 : 0, is_wide ? "QUERIES" : "", "MODE");
	for (size_t i = 0; i < t->n; i++)
		print_row(&t->row[i], is_wide);
}

/* ---- reading ---- */

static int open_table(Table *t, const RunOptions *o, Error *err)
{
	clock_init_system(&t->clock);
	int code = kubeconfig_load(o->kubeconfig, o->context, &t->kubeconfig, err);
	if (!code)
		code = kube_client_new(&t->kubeconfig, &t->clock, &t->kube, err);
	if (!code)
		code = kube_cache_new(&t->cache, err);
	const KubeClusterConfig cluster = { .client = t->kube, .clock = &t->clock };
	if (!code)
		code = kube_cluster_new(&cluster, &t->cluster, err);
	if (!code)
		kube_client_cache(t->kube, t->cache);
	return code;
}

static int list_rows(Table *t, const RunOptions *o, Error *err)
{
	TargetList list = { 0 };
	int code = target_list_find(t->kube, o, t->kubeconfig.namespace_, &list, err);
	if (!code && !list.n)
		code = error_set(err, ERR_USAGE, "no targets: name some with --deployment, -l, or targets: in the configuration file");
	t->row = code ? NULL : calloc(list.n, sizeof *t->row);
	if (!code && !t->row)
		code = error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	t->n = code ? 0 : list.n;
	for (size_t i = 0; i < t->n; i++)
		t->row[i].given = list.target[i];
	target_list_done(&list);
	return code;
}

/* What a model's header says of the interval; none where it cannot be read here. */
static void settle(Row *row, const RunOptions *o)
{
	ModelInfo info = { .steps = -1 };
	Policy *policy = NULL;
	(void) target_settle(o, &row->given, &row->facts, NULL, &row->settings, &(Error) { 0 });
	if (!policy_open(row->settings.policy, &policy, &info, &(Error) { 0 }))
		(void) target_settle(o, &row->given, &row->facts, &info, &row->settings, &(Error) { 0 });
	policy_free(policy);
}

static int fill(Table *t, const RunOptions *o, Error *err)
{
	Target *target = calloc(t->n, sizeof *target);
	TargetFacts *facts = calloc(t->n, sizeof *facts);
	int code = target && facts ? 0 : error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	for (size_t i = 0; i < t->n && !code; i++) {
		str_copy(target[i].namespace_, sizeof target[i].namespace_, t->row[i].given.namespace_);
		str_copy(target[i].name, sizeof target[i].name, t->row[i].given.name);
	}
	if (!code)
		t->cluster->ops->look(t->cluster, target, t->n, facts);
	size_t n_failed = 0;
	for (size_t i = 0; i < t->n && !code; i++) {
		KubeDeployment deployment;
		t->row[i].facts = facts[i];
		t->row[i].replicas = kube_cache_deployment(t->cache, &target[i], &deployment, NULL) ? -1 : deployment.replicas;
		settle(&t->row[i], o);
		n_failed += facts[i].code != 0;
	}
	if (!code && n_failed == t->n)
		code = error_set(err, facts[0].code, "%s", facts[0].why);
	free(target);
	free(facts);
	return code;
}

int cmd_targets(int argc, char **argv)
{
	TargetsOptions options = { 0 };
	Table table = { 0 };
	Error err = { 0 };
	int words;
	run_options_default(&options.run);
	int code = opts_parse(&TARGETS_COMMAND, argc, argv, &options, &words);
	if (code)
		return code == OPTS_HELPED ? 0 : err_exit_status(code);
	if (options.output && strcmp(options.output, "wide") && strcmp(options.output, "json"))
		return cmd_fail(ERR_USAGE, &(Error) { .text = "targets: -o is wide or json" });
	code = open_table(&table, &options.run, &err);
	if (!code)
		code = list_rows(&table, &options.run, &err);
	if (!code)
		code = fill(&table, &options.run, &err);
	if (!code)
		print_table(&table, options.output);
	free(table.row);
	cluster_free(table.cluster);
	kube_client_free(table.kube);
	kube_cache_free(table.cache);
	kubeconfig_done(&table.kubeconfig);
	return code ? cmd_fail(code, &err) : 0;
}
