/* What the files of the runner share. Not for others. */
#ifndef MAESTRO_CMD_RUNNER_INSIDE_H
#define MAESTRO_CMD_RUNNER_INSIDE_H

#include "cluster/watch.h"
#include "cmd/runner.h"
#include "rl/model.h"

typedef struct RunTarget {
	Runner *runner;
	GivenTarget given;
	TargetFacts facts;     /* as found at the start */
	TargetSettings settings;
	Policy *policy, *hpa;
	bool owns_policy;
	bool is_evaluated;     /* the policy is a model that its evaluation lets act, or the rule that it found better */
	const ModelInfo *info; /* NULL: no model */
	Metrics *metrics;
	LoopConfig config;
	Loop *loop;
} RunTarget;

typedef struct ModelSlot { /* a model, for all targets that name it */
	char word[256];
	Policy *policy;
	ModelInfo info;
	int32_t obs_dim;
} ModelSlot;

typedef struct MetricsSlot { /* a source, for all targets of the same windows and queries */
	double rate_s, latency_s;
	const char *queries; /* that targets: names; "": it does not */
	Metrics *metrics;
} MetricsSlot;

struct Runner {
	RunnerConfig config;
	KubeConfig kubeconfig;
	KubeBudget *budget;
	KubeCache *cache;
	KubeClient *kube;
	Watch *watch;          /* NULL: polled */
	Herald *herald;
	Shards *shards;        /* NULL: leads always */
	Cluster *cluster;
	Actuator *actuator;
	ModelSlot **model;     /* [n_models] */
	size_t n_models;
	MetricsSlot *source;   /* [n_sources] */
	size_t n_sources;
	RunTarget *target;     /* [n] */
	size_t n;
	size_t n_other_intervals; /* targets whose interval is not their model's */
	Loop **loop;           /* [n] */
	Fleet *fleet;
	char identity[128];
};

/* runner_loops.c: policies, sources, loops and the fleet of all targets. */
int runner_build(Runner *runner, Error *err);

/* Says so; ERR_NOMEM. */
int runner_out_of_memory(Error *err);
/* Said on stderr; ERR_USAGE. */
int runner_usage(const Runner *r, const char *text);

#endif
