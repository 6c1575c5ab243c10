/* `maestro suggestion-server`: options and signals of serve/suggestion_server.h. */
#include "cmd/cmd.h"
#include "cmd/opts.h"
#include "cmd/prom_options.h"
#include "cmd/serving.h"

#include "base/mem.h"
#include "serve/suggestion_server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { STOP_MS = 4000 };

typedef struct SuggestionOptions {
	ServingOptions serving;
	const char *model_url, *model_token_file, *model_ca, *kubeconfig, *context, *deployment, *namespace_;
	PromOptions prom;
	int32_t min_replicas, max_replicas;
	double latency_soft_ms, latency_hard_ms, pod_price;
} SuggestionOptions;

#define OPTION(name, letter, kind, field, lo, hi, arg, help) \
	{ name, letter, kind, offsetof(SuggestionOptions, field), lo, hi, arg, help, false }
static const Opt OPTIONS[] = {
	SERVING_OPTIONS(SuggestionOptions, "where to serve (127.0.0.1:5001)"),
	OPTION("model-url", 0, OPT_STRING, model_url, 0, 0, "URL", "of the model server (MODEL_SERVER_URL)"),
	OPTION("model-token-file", 0, OPT_STRING, model_token_file, 0, 0, "FILE", "bearer token for the model server"),
	OPTION("model-ca", 0, OPT_STRING, model_ca, 0, 0, "FILE", "authority of the model server's certificate"),
	PROM_OPTIONS(SuggestionOptions),
	OPTION("kubeconfig", 0, OPT_STRING, kubeconfig, 0, 0, "FILE", "else KUBECONFIG, ~/.kube/config, or the pod's account"),
	OPTION("context", 0, OPT_STRING, context, 0, 0, "NAME", "of the kubeconfig"),
	OPTION("deployment", 'd', OPT_STRING, deployment, 0, 0, "NAME", "where a request names none (TARGET_DEPLOYMENT)"),
	OPTION("namespace", 'n', OPT_STRING, namespace_, 0, 0, "NS", "the same (TARGET_NAMESPACE); else the context's"),
	OPTION("min-replicas", 0, OPT_INT, min_replicas, 1, 10000, "N", "without the annotation; else 1"),
	OPTION("max-replicas", 0, OPT_INT, max_replicas, 1, 10000, "N", "without the annotation; else the model's"),
	OPTION("latency-soft", 0, OPT_DOUBLE, latency_soft_ms, -1, 1e7, "MS", "without the annotation; -1: off"),
	OPTION("latency-hard", 0, OPT_DOUBLE, latency_hard_ms, -1, 1e7, "MS", "the same; -1: off"),
	OPTION("pod-price", 0, OPT_DOUBLE, pod_price, 0, 1000, "A", "for models that take it; else their own"),
	{ .name = NULL },
};

const OptCommand SUGGESTION_SERVER_COMMAND = {
	.usage = "suggestion-server --model-url URL --prometheus URL [options]",
	.summary = "GET /suggestion?deployment=NAME&namespace=NS: looks at the Deployment, asks the model, answers the action.",
	.opt = OPTIONS,
};

static int usage(const char *text)
{
	Error err = { 0 };
	return cmd_fail(error_set(&err, ERR_USAGE, "suggestion-server: %s; see maestro suggestion-server --help", text), &err);
}

static int run(const SuggestionOptions *o, Error *err)
{
	KubeConfig kubeconfig = { 0 };
	Clock clock;
	SuggestionServer *server = NULL;
	const EndpointConfig model = { .url = o->model_url, .bearer_file = o->model_token_file, .ca_file = o->model_ca };
	SuggestionServerConfig config = { .server = serving_config(&o->serving), .model = &model, .clock = &clock };
	clock_init_system(&clock);
	config.prometheus = prom_options_config(&o->prom);
	config.kubeconfig = &kubeconfig;
	config.defaults = (Target) {
		.min_replicas = o->min_replicas, .max_replicas = o->max_replicas, .pod_price = (float) o->pod_price,
		.latency_soft_ms = (float) o->latency_soft_ms, .latency_hard_ms = (float) o->latency_hard_ms,
	};
	str_copy(config.defaults.name, sizeof config.defaults.name, o->deployment ? o->deployment : "");
	str_copy(config.defaults.namespace_, sizeof config.defaults.namespace_, o->namespace_ ? o->namespace_ : "");
	int code = kubeconfig_load(o->kubeconfig, o->context, &kubeconfig, err), number = 0;
	if (!code)
		code = suggestion_server_start(&config, &server, err);
	if (!code) {
		serving_announce("suggestion-server", &o->serving, suggestion_server_port(server), o->model_url);
		while (number != SIGTERM && number != SIGINT)
			number = serving_wait(-1);
	}
	suggestion_server_stop(server, STOP_MS);
	kubeconfig_done(&kubeconfig);
	return code ? code : 128 + number;
}

int cmd_suggestion_server(int argc, char **argv)
{
	SuggestionOptions options = {
		.serving.listen = "127.0.0.1:5001",
		.model_url = getenv("MODEL_SERVER_URL"),
		.prom.url = getenv("PROMETHEUS_URL"),
		.deployment = getenv("TARGET_DEPLOYMENT"),
		.namespace_ = getenv("TARGET_NAMESPACE"),
		.latency_soft_ms = -1, .latency_hard_ms = -1,
	};
	int words = 0;
	int code = opts_parse(&SUGGESTION_SERVER_COMMAND, argc, argv, &options, &words);
	if (code)
		return code == OPTS_HELPED ? 0 : err_exit_status(code);
	if (!options.model_url)
		return usage("--model-url URL is missing");
	if (!options.prom.url)
		return usage("--prometheus URL is missing");
	Error err = { 0 };
	serving_catch_signals();
	code = run(&options, &err);
	return code < 0 ? cmd_fail(code, &err) : code;
}
