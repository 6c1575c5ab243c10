/* `maestro target-app`: options, signals and the life of the service in serve/target_app.h. */
#include "cmd/cmd.h"
#include "cmd/opts.h"
#include "cmd/serving.h"

#include "base/mem.h"
#include "serve/target_app.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { STOP_MS = 4000 };

typedef struct TargetAppOptions {
	const char *listen, *metrics_listen, *deployment, *namespace_, *pod;
	double work_ms, cpu_limit;
	int32_t threads, queue_max;
	int64_t seed;
	bool has_stress;
} TargetAppOptions;

#define OPTION(name, letter, kind, field, lo, hi, arg, help) \
	{ name, letter, kind, offsetof(TargetAppOptions, field), lo, hi, arg, help, false }
static const Opt OPTIONS[] = {
	OPTION("listen", 0, OPT_STRING, listen, 0, 0, "HOST:PORT", "of the service, may be shared (127.0.0.1:8080)"),
	OPTION("metrics-listen", 0, OPT_STRING, metrics_listen, 0, 0, "HOST:PORT", "/metrics at an address of its own as well"),
	OPTION("work-ms", 0, OPT_DOUBLE, work_ms, 0, 60000, "MEAN", "mean CPU of a request, exponential (20)"),
	OPTION("threads", 0, OPT_INT, threads, 1, 256, "N", "workers (1)"),
	OPTION("cpu-limit", 0, OPT_DOUBLE, cpu_limit, 0, 256, "CORES", "of all workers together, as a container's; 0: none"),
	OPTION("queue-max", 0, OPT_INT, queue_max, 1, 10000, "N", "requests that may wait; beyond it 503 (128)"),
	OPTION("stress", 0, OPT_FLAG, has_stress, 0, 0, NULL, "POST /stress?workers=4&load=50&for=270 burns CPU beside the requests"),
	OPTION("deployment", 0, OPT_STRING, deployment, 0, 0, "NAME", "in the metrics (TARGET_DEPLOYMENT, else web)"),
	OPTION("namespace", 'n', OPT_STRING, namespace_, 0, 0, "NS", "in the metrics (TARGET_NAMESPACE, else default)"),
	OPTION("pod", 0, OPT_STRING, pod, 0, 0, "NAME", "in the metrics (POD_NAME, else DEPLOYMENT-PID)"),
	OPTION("seed", 0, OPT_INT64, seed, 0, 0, "N", "of the demands (by time and process)"),
	{ .name = NULL },
};

const OptCommand TARGET_APP_COMMAND = {
	.usage = "target-app [options]",
	.summary = "A sample HTTP service to scale: GET / burns CPU, GET /metrics tells by the names of Istio and cAdvisor.",
	.opt = OPTIONS,
};

static const char *from_environment(const char *name, const char *otherwise)
{
	const char *value = getenv(name);
	return value && *value ? value : otherwise;
}

int cmd_target_app(int argc, char **argv)
{
	TargetAppOptions options = {
		.listen = "127.0.0.1:8080",
		.deployment = from_environment("TARGET_DEPLOYMENT", "web"),
		.namespace_ = from_environment("TARGET_NAMESPACE", "default"),
		.pod = from_environment("POD_NAME", NULL),
		.work_ms = 20.0,
		.threads = 1,
		.queue_max = 128,
		.seed = (int64_t) time(NULL) * 65536 + getpid(),
	};
	char pod[512];
	int words = 0;
	int code = opts_parse(&TARGET_APP_COMMAND, argc, argv, &options, &words);
	if (code)
		return code == OPTS_HELPED ? 0 : err_exit_status(code);
	(void) snprintf(pod, sizeof pod, "%s-%ld", options.deployment, (long) getpid());
	const TargetAppConfig config = {
		.listen = options.listen,
		.metrics_listen = options.metrics_listen,
		.work_ms = options.work_ms,
		.cpu_limit_cores = options.cpu_limit,
		.threads = options.threads,
		.queue_max = options.queue_max,
		.seed = (uint64_t) options.seed,
		.has_stress = options.has_stress,
		.namespace_ = options.namespace_,
		.deployment = options.deployment,
		.pod = options.pod ? options.pod : pod,
	};
	serving_catch_signals();
	TargetApp *app;
	Error err = { 0 };
	code = target_app_start(&config, &app, &err);
	if (code)
		return cmd_fail(code, &err);
	(void) fprintf(stderr, "maestro: target-app: pod %s of deployment %s/%s at %s, metrics at port %d, %g ms of CPU a request\n",
	               config.pod, config.namespace_, config.deployment, config.listen, target_app_metrics_port(app), config.work_ms);
	int number;
	do
		number = serving_wait(-1);
	while (number != SIGTERM && number != SIGINT);
	target_app_stop(app, STOP_MS);
	return 128 + number;
}
