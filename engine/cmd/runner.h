/*
 * Everything that acts on a cluster, put together: the API's clients and cache, watch or poll, lease, Events, Prometheus, policies,
 * and a loop a target on one thread. `maestro run` and `maestro autoscaler` are this with a face.
 */
#ifndef MAESTRO_CMD_RUNNER_H
#define MAESTRO_CMD_RUNNER_H

#include "cluster/kube_cluster.h"
#include "cmd/run_target.h"
#include "cmd/session.h"
#include "control/loop.h"

typedef struct Runner Runner;

typedef struct RunnerConfig { /* all lent for the runner's life */
	const RunOptions *options;
	const char *command;      /* whose --help tells more: "run" */
	Session *session;
	Telemetry *telemetry;     /* NULL: nobody counts */
	/* A policy of the target's own, instead of the word in its settings; NULL: by the word. */
	int (*policy_new)(void *arg, const Target *target, Policy **ret_policy, Error *err);
	void (*on_cycle)(void *arg, const LiveView *view); /* on the loops' thread; may be NULL */
	void *arg;                /* of both */
	bool is_trainer;          /* it uses all of its targets or none, and has neither --dry-run nor --actuate to be named in what is said */
	Shards *leases;           /* of the targets, which the caller holds for longer than the runner lives; NULL: by the options */
	double metric_window_s;   /* of all queries; 0: the model's own, or the thesis's */
} RunnerConfig;

/*
 * Opens all of it and begins a run a target in the store; nothing is decided yet. Waits for an API that is down, except under
 * --once. 0; > 0: a signal ended the wait; ERR_USAGE (text "": said on stderr), ERR_REFUSED (a conflict, a model without a good
 * evaluation), what a request failed with.
 */
int runner_open(const RunnerConfig *config, Runner **ret_runner, Error *err);
void runner_close(Runner *runner); /* stops and releases the lease; accepts NULL */

/* One cycle of all targets on this thread. */
int runner_once(Runner *runner, Error *err);
int runner_start(Runner *runner, Error *err);
void runner_stop(Runner *runner);
/* Reads the model files again, while the loops run; one that cannot be read, or has other inputs, leaves the old model in place. Says on
 * stderr what came of each, and counts it. */
void runner_reload(Runner *runner);
/* How the runs in the store end. */
void runner_note_end(Runner *runner, RunStatus status);

/* Lent, in the order of the targets. */
Loop *const *runner_loops(const Runner *runner, size_t *ret_n);
const KubeConfig *runner_kubeconfig(const Runner *runner);
bool runner_leads(const Runner *runner); /* it holds what Leases it wants; true where it wants none */

#endif
