/*
 * The targets of `maestro run` and their settings: named by --deployment, by a selector or by `targets:` of the configuration file.
 *
 * A setting comes from the first of these that has it: the option (or its variable), the target's entry in `targets:`, the
 * Deployment's annotation, the model's header (interval), the built-in default. Limits and queries are the exception: there the
 * option comes last, since one for all Deployments is only a stand-in for what each of them says.
 */
#ifndef MAESTRO_CMD_RUN_TARGET_H
#define MAESTRO_CMD_RUN_TARGET_H

#include "base/cluster.h"
#include "cluster/kube.h"
#include "cmd/prom_options.h"
#include "rl/model.h"

typedef struct RunOptions {
	PromOptions prom;
	OptList deployment;
	const char *selector, *namespace_, *policy, *kubeconfig, *context, *config, *db, *rails, *actuate, *lease_namespace, *shard;
	int32_t min_replicas, max_replicas, fallback_after, changes_per_hour;
	double interval_s, latency_soft_ms, latency_hard_ms, scale_down_window_s, manual_ttl_s, adds_only_s, pod_price;
	bool is_dry_run, is_once, is_forced, is_readonly, takes_lease, elects_leader, fallback_may_lower, predictions_add_only;
} RunOptions;

#define RUN_OPTION(type, name, letter, kind, field, lo, hi, arg, help) \
	{ name, letter, kind, offsetof(type, run.field), lo, hi, arg, help, false }
/* Rows of an option table whose struct holds a RunOptions named run. */
#define RUN_OPTIONS(type) \
	RUN_OPTION(type, "deployment", 'd', OPT_LIST, deployment, 0, 0, "NS/NAME", "a Deployment to scale; may be given several times"), \
	RUN_OPTION(type, "selector", 'l', OPT_STRING, selector, 0, 0, "LABELS", "the Deployments of the namespace that have them, as found at the start"), \
	RUN_OPTION(type, "namespace", 'n', OPT_STRING, namespace_, 0, 0, "NS", "where --deployment has none; else the context's"), \
	RUN_OPTION(type, "config", 0, OPT_STRING, config, 0, 0, "FILE", "YAML whose targets: name Deployments and their settings"), \
	RUN_OPTION(type, "policy", 'p', OPT_STRING, policy, 0, 0, "P", "model:FILE, hpa or hpa:cpu=N"), \
	RUN_OPTION(type, "pod-price", 0, OPT_DOUBLE, pod_price, 0, 100, "A", "what a policy that asks for it should think a pod costs"), \
	RUN_OPTION(type, "kubeconfig", 0, OPT_STRING, kubeconfig, 0, 0, "FILE", "else KUBECONFIG, ~/.kube/config, or the pod's account"), \
	RUN_OPTION(type, "context", 0, OPT_STRING, context, 0, 0, "NAME", "of the kubeconfig"), \
	RUN_OPTION(type, "min-replicas", 0, OPT_INT, min_replicas, 1, 10000, "N", "else the annotation, else 1"), \
	RUN_OPTION(type, "max-replicas", 0, OPT_INT, max_replicas, 1, 10000, "N", "else the annotation; one of the two is required"), \
	RUN_OPTION(type, "interval", 0, OPT_DURATION, interval_s, 1, 3600, "TIME", "between decisions; else the model's own, 15s for rules"), \
	RUN_OPTION(type, "latency-soft", 0, OPT_DOUBLE, latency_soft_ms, -1, 1e7, "MS", "for a Deployment without the annotation; -1: off"), \
	RUN_OPTION(type, "latency-hard", 0, OPT_DOUBLE, latency_hard_ms, -1, 1e7, "MS", "the same; -1: off"), \
	RUN_OPTION(type, "actuate", 0, OPT_STRING, actuate, 0, 0, "HOW", "scale: the replicas; hpa-floor: only the HPA's minReplicas (scale)"), \
	RUN_OPTION(type, "lease", 0, OPT_FLAG, takes_lease, 0, 0, NULL, "act on a target only while holding its Lease maestro-for-NAME; with more than 3, maestro-autoscaler (--no-lease: without)"), \
	RUN_OPTION(type, "leader-elect", 0, OPT_FLAG, elects_leader, 0, 0, NULL, "act only while holding the Lease maestro-autoscaler, for all targets"), \
	RUN_OPTION(type, "shard", 0, OPT_STRING, shard, 0, 0, "I/N", "act on the i-th of n parts of the targets (from 0; auto/n: a StatefulSet's number), and on a dead replica's"), \
	RUN_OPTION(type, "lease-namespace", 0, OPT_STRING, lease_namespace, 0, 0, "NS", "holds the Lease maestro-autoscaler there too, beside those of up to 3 targets; else the context's, where it is held"), \
	RUN_OPTION(type, "rails", 0, OPT_STRING, rails, 0, 0, "KIND", "all, or seed: bounds alone, as the thesis ran (all)"), \
	RUN_OPTION(type, "scale-down-window", 0, OPT_DURATION, scale_down_window_s, 0, 3600, "TIME", "a down waits until it was wanted so long; else 300s, 0s for an evaluated model"), \
	RUN_OPTION(type, "max-changes-per-hour", 0, OPT_INT, changes_per_hour, 1, 60, "N", "writes a target (60)"), \
	RUN_OPTION(type, "predict-adds-only", 0, OPT_FLAG, predictions_add_only, 0, 0, NULL, "a down needs the HPA rule's word as well"), \
	RUN_OPTION(type, "adds-only-for", 0, OPT_DURATION, adds_only_s, 0, 31536000, "TIME", "the same, after a model first acted on a target; 0s: not (24h)"), \
	RUN_OPTION(type, "fallback-after", 0, OPT_INT, fallback_after, 1, 1000, "N", "bad cycles before the HPA rule takes over (3)"), \
	RUN_OPTION(type, "fallback-down", 0, OPT_FLAG, fallback_may_lower, 0, 0, NULL, "the rule that stands in may lower too"), \
	RUN_OPTION(type, "manual-ttl", 0, OPT_DURATION, manual_ttl_s, 1, 86400, "TIME", "how long an override holds where nobody says (600s)"), \
	RUN_OPTION(type, "dry-run", 0, OPT_FLAG, is_dry_run, 0, 0, NULL, "decide and record, never write"), \
	RUN_OPTION(type, "once", 0, OPT_FLAG, is_once, 0, 0, NULL, "one cycle, then exit with its status"), \
	RUN_OPTION(type, "force", 0, OPT_FLAG, is_forced, 0, 0, NULL, "act with a model that carries no good evaluation"), \
	RUN_OPTION(type, "readonly", 0, OPT_FLAG, is_readonly, 0, 0, NULL, "as --dry-run, and the console refuses overrides"), \
	RUN_OPTION(type, "db", 0, OPT_STRING, db, 0, 0, "FILE", "the run store")

/* The defaults, and the thesis's variables, which every option beats. */
void run_options_default(RunOptions *options);

typedef enum Origin { ORIGIN_DEFAULT, ORIGIN_MODEL, ORIGIN_ANNOTATION, ORIGIN_CONFIG, ORIGIN_OPTION, ORIGIN_COUNT } Origin;
/* "default", "model", "annotation", "targets:", "option". */
const char *origin_text(Origin origin);

typedef struct GivenTarget { /* a name, and what `targets:` says of it; 0 and "": nothing */
	char namespace_[NAMESPACE_MAX], name[NAME_MAX_K8S];
	int32_t min_replicas, max_replicas;
	double latency_soft_ms, latency_hard_ms, interval_s;
	char policy[256];
	char queries[256]; /* a preset or a file */
} GivenTarget;

typedef struct TargetList {
	GivenTarget *target; /* [n] owned */
	size_t n;
} TargetList;

/*
 * The targets that options and configuration name; a selector is not looked at. namespace_ stands in where a name has none. A target
 * that --deployment names keeps its entry in `targets:`. ERR_USAGE (no name), ERR_INVALID (the file: with line and key), ERR_IO,
 * ERR_NOMEM.
 */
int target_list_read(const RunOptions *options, const char *namespace_, TargetList *ret_list, Error *err);
/* The same, and where --selector is given the Deployments that it picks. namespace_ is for where --namespace is not given. Also errors of
 * kube_request. */
int target_list_find(KubeClient *kube, const RunOptions *options, const char *namespace_, TargetList *ret_list, Error *err);
void target_list_done(TargetList *list);

typedef struct TargetSettings {
	Target target;
	double interval_s;
	const char *policy;  /* lent by the options, the given target or the facts */
	const char *queries; /* lent too: a preset or a file, or "annotated" */
	Origin min, max, soft, hard, interval, policy_from, queries_from;
} TargetSettings;

/* The settings in force. facts may be NULL (nothing annotated), info too (no model). max_replicas is 0 where nobody says one.
 * ERR_INVALID: min over max. */
int target_settle(const RunOptions *options, const GivenTarget *given, const TargetFacts *facts, const ModelInfo *info,
                  TargetSettings *ret, Error *err);

#endif
