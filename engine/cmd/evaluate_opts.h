/* Options of `maestro evaluate`, and what they mean for the contest. */
#ifndef MAESTRO_CMD_EVALUATE_OPTS_H
#define MAESTRO_CMD_EVALUATE_OPTS_H

#include "cmd/opts.h"
#include "cmd/run_target.h"
#include "control/contest.h"

typedef struct EvaluateOptions {
	OptList policy, trace, traffic, fault;
	const char *engine, *service, *format, *out, *fail_if, *db, *name;
	int64_t seed;
	int32_t seeds, corner, min_replicas, max_replicas, threads;
	double latency_soft_ms, latency_hard_ms, interval_s, startup_s, peak_rps, pod_price, lambda, report_from, span_s, compression;
	bool is_json, is_quiet, is_stamped, with_rails;
	const char *env;
	OptList load_url;
	double metric_window_s;
	RunOptions run;     /* of --env live: the Deployment, API, Prometheus */
} EvaluateOptions;

extern const OptCommand EVALUATE_COMMAND;

/* As opts_parse, over the defaults of the contract. */
int evaluate_options_parse(EvaluateOptions *options, int argc, char **argv);
/* All settings, for the store; freed by free(). NULL: out of memory. */
char *evaluate_options_json(const EvaluateOptions *options);
/* The base of every cell and the protocol; traces and families are the caller's. ERR_USAGE. */
int evaluate_options_apply(const EvaluateOptions *options, ContestConfig *ret_config, Error *err);

#endif
