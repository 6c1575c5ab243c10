/*
 * `maestro run`: the loop over one Deployment of a real cluster. On a terminal it is the Live screen, elsewhere a line a cycle.
 */
#include "base/json.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "cluster/kube.h"
#include "cluster/prometheus.h"
#include "cluster/scale.h"
#include "cluster/suggest_policy.h"
#include "cmd/cmd.h"
#include "cmd/opts.h"
#include "cmd/policies.h"
#include "cmd/prom_options.h"
#include "cmd/run_report.h"
#include "cmd/serving.h"
#include "cmd/session.h"
#include "control/engine.h"
#include "decide/hpa.h"
#include "serve/autoscaler_server.h"
#include "tui/ui.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct RunOptions {
	const char *deployment, *namespace_, *policy, *kubeconfig, *context, *db, *glyphs, *color, *theme;
	PromOptions prom;
	ServingOptions serving;
	const char *suggestion_url, *suggestion_token_file, *suggestion_ca;
	int32_t min_replicas, max_replicas;
	double interval_s, latency_soft_ms, latency_hard_ms, scale_down_window_s;
	bool is_dry_run, is_once, is_json, is_forced, is_headless, is_readonly;
} RunOptions;

#define OPTION(name, letter, kind, field, lo, hi, arg, help) \
	{ name, letter, kind, offsetof(RunOptions, field), lo, hi, arg, help, false }

static const Opt OPTIONS[] = {
	OPTION("deployment", 'd', OPT_STRING, deployment, 0, 0, "NS/NAME", "the Deployment to scale"),
	OPTION("namespace", 'n', OPT_STRING, namespace_, 0, 0, "NS", "where --deployment has none; else the context's"),
	OPTION("policy", 'p', OPT_STRING, policy, 0, 0, "P", "model:FILE, hpa or hpa:cpu=N"),
	PROM_OPTIONS(RunOptions),
	SERVING_OPTIONS(RunOptions, "serve /metrics, /status and consoles there"),
	OPTION("suggestion-url", 0, OPT_STRING, suggestion_url, 0, 0, "URL", "ask this suggestion server (SUGGESTION_SERVER_URL); for `autoscaler`"),
	OPTION("suggestion-token-file", 0, OPT_STRING, suggestion_token_file, 0, 0, "FILE", "bearer token for it"),
	OPTION("suggestion-ca", 0, OPT_STRING, suggestion_ca, 0, 0, "FILE", "authority of its certificate"),
	OPTION("kubeconfig", 0, OPT_STRING, kubeconfig, 0, 0, "FILE", "else KUBECONFIG, ~/.kube/config, or the pod's account"),
	OPTION("context", 0, OPT_STRING, context, 0, 0, "NAME", "of the kubeconfig"),
	OPTION("min-replicas", 0, OPT_INT, min_replicas, 1, 10000, "N", "else the annotation, else 1"),
	OPTION("max-replicas", 0, OPT_INT, max_replicas, 1, 10000, "N", "else the annotation; one of the two is required"),
	OPTION("interval", 0, OPT_DURATION, interval_s, 1, 3600, "TIME", "between decisions; else the model's own, 15s for rules"),
	OPTION("latency-soft", 0, OPT_DOUBLE, latency_soft_ms, -1, 1e7, "MS", "for a Deployment without the annotation; -1: off"),
	OPTION("latency-hard", 0, OPT_DOUBLE, latency_hard_ms, -1, 1e7, "MS", "the same; -1: off"),
	OPTION("scale-down-window", 0, OPT_DURATION, scale_down_window_s, 0, 3600, "TIME", "a down waits until it was wanted so long; else 300s"),
	OPTION("dry-run", 0, OPT_FLAG, is_dry_run, 0, 0, NULL, "decide and record, never write"),
	OPTION("once", 0, OPT_FLAG, is_once, 0, 0, NULL, "one cycle, then exit with its status"),
	OPTION("force", 0, OPT_FLAG, is_forced, 0, 0, NULL, "act with a model that carries no evaluation"),
	OPTION("readonly", 0, OPT_FLAG, is_readonly, 0, 0, NULL, "as --dry-run, and the console refuses overrides"),
	OPTION("headless", 0, OPT_FLAG, is_headless, 0, 0, NULL, "no console, even on a terminal"),
	OPTION("json", 0, OPT_FLAG, is_json, 0, 0, NULL, "one JSON object a decision on stdout; implies --headless"),
	OPTION("glyphs", 0, OPT_STRING, glyphs, 0, 0, "KIND", "auto, braille, block or ascii"),
	OPTION("color", 0, OPT_STRING, color, 0, 0, "KIND", "auto, always, never, 16, 256 or truecolor"),
	OPTION("theme", 0, OPT_STRING, theme, 0, 0, "KIND", "of the terminal's background: dark or light"),
	OPTION("db", 0, OPT_STRING, db, 0, 0, "FILE", "the run store"),
	{ 0 },
};

static const OptCommand AUTOSCALER = {
	"autoscaler --suggestion-url URL [options]",
	"Polls a suggestion server and scales by its answers, within the same guard rails as `run`; without a screen.",
	OPTIONS, 0,
};

static const OptCommand COMMAND = {
	"run [options]",
	"Observes, decides and scales one Deployment of a cluster. On a terminal it is the Live screen over it.",
	OPTIONS, 0,
};

enum { RETRY_S = 5, SERVER_STOP_MS = 1000 };

typedef struct RunCommand {
	RunOptions options;
	Session session;
	KubeConfig kubeconfig;
	KubeClient *kube;
	Metrics *metrics;
	Actuator *actuator;
	Policy *policy, *hpa;
	ModelInfo info;
	char sha256[SHA256_HEX];
	LoopConfig config;
	Loop *loop;
	Telemetry *telemetry;
	AutoscalerServer *server;
	RunReport report;
	bool has_console;
} RunCommand;

static void on_cycle(void *arg, const LiveView *view)
{
	RunCommand *r = arg;
	if (r->server)
		autoscaler_server_cycle(r->server, view);
	if (!r->has_console)
		run_report_cycle(&r->report, view);
}

static int usage(const char *text)
{
	(void) fprintf(stderr, "maestro: run: %s; see maestro run --help\n", text);
	return ERR_USAGE;
}

/* PRODUCT: the thesis's variables keep working; an option and MAESTRO_* beat them. */
static void read_thesis_environment(RunOptions *o)
{
	const char *interval = getenv("POLL_INTERVAL_SECONDS");
	if (interval)
		(void) opts_duration(interval, &o->interval_s);
	o->prom.url = getenv("PROMETHEUS_URL");
	o->deployment = getenv("TARGET_DEPLOYMENT");
	o->namespace_ = getenv("TARGET_NAMESPACE");
}

static int name_target(RunCommand *r)
{
	Target *target = &r->config.target;
	const char *given = r->options.deployment, *slash = strchr(given, '/');
	const char *name = slash ? slash + 1 : given;
	char ns[NAMESPACE_MAX + 1];
	if (slash)
		(void) snprintf(ns, sizeof ns, "%.*s", (int) (slash - given), given);
	else
		(void) snprintf(ns, sizeof ns, "%s", r->options.namespace_ ? r->options.namespace_ : r->kubeconfig.namespace_);
	if (!ns[0] || !name[0] || strchr(name, '/') || strlen(ns) >= NAMESPACE_MAX || strlen(name) >= NAME_MAX_K8S)
		return usage("--deployment is written NAMESPACE/NAME");
	str_copy(target->namespace_, sizeof target->namespace_, ns);
	str_copy(target->name, sizeof target->name, name);
	return 0;
}

static bool is_passing(int code)
{
	return code == ERR_UNREACHABLE || code == ERR_TIMEOUT || code == ERR_HTTP || code == ERR_UNAUTHORIZED;
}

static bool never(void *arg)
{
	(void) arg;
	return false;
}

/* Without --once an API that is down is waited for: it never ends the process. > 0: the signal that ended the wait. */
static int read_deployment(RunCommand *r, KubeDeployment *ret, Error *err)
{
	for (;;) {
		int code = kube_deployment_read(r->kube, &r->config.target, ret, err);
		if (!code || r->options.is_once || !is_passing(code))
			return code;
		(void) fprintf(stderr, "maestro: %s; trying again in %d s\n", err->text, RETRY_S);
		int signal_number = session_sleep(RETRY_S);
		if (signal_number > 0)
			return signal_number;
	}
}

static int settle_target(RunCommand *r, const KubeDeployment *deployment)
{
	const RunOptions *o = &r->options;
	Target *target = &r->config.target;
	target->min_replicas = o->min_replicas ? o->min_replicas : deployment->min_replicas ? deployment->min_replicas : 1;
	target->max_replicas = o->max_replicas ? o->max_replicas : deployment->max_replicas;
	target->latency_soft_ms = (float) (deployment->latency_soft_ms > 0 ? deployment->latency_soft_ms : o->latency_soft_ms);
	target->latency_hard_ms = (float) (deployment->latency_hard_ms > 0 ? deployment->latency_hard_ms : o->latency_hard_ms);
	if (!target->max_replicas)
		return usage("neither --max-replicas nor the annotation maestro.io/max-replicas says how far it may scale");
	return 0;
}

static int open_suggestion(RunCommand *r, Error *err)
{
	const RunOptions *o = &r->options;
	const SuggestPolicyConfig config = {
		.server = { .url = o->suggestion_url, .bearer_file = o->suggestion_token_file, .ca_file = o->suggestion_ca },
		.clock = &r->session.clock, .telemetry = r->telemetry,
	};
	r->info = (ModelInfo) { .steps = -1 };
	return suggest_policy_new(&config, &r->policy, err);
}

/* After the loop is there and before it runs. */
static int open_server(RunCommand *r, Error *err)
{
	const char *slash = strrchr(r->options.policy, '/');
	if (!r->options.serving.listen)
		return 0;
	AutoscalerServerConfig config = {
		.server = serving_config(&r->options.serving), .loops = &r->loop, .n_loops = 1, .telemetry = r->telemetry,
		.is_readonly = r->options.is_readonly,
	};
	if (r->info.steps >= 0) {
		const char *path = !strncmp(r->options.policy, "model:", 6) ? r->options.policy + 6 : r->options.policy;
		StrBuf bytes = { 0 };
		if (!mem_read_file(path, 256 << 20, &bytes, NULL))
			sha256_hex(bytes.data, bytes.len, r->sha256);
		strbuf_done(&bytes);
		config.model_sha256 = r->sha256;
		config.model_name = slash ? slash + 1 : path;
		config.model_observation = observation_version_name(r->info.obs_version);
	}
	int code = autoscaler_server_start(&config, &r->server, err);
	if (!code && !r->has_console)
		serving_announce(r->options.suggestion_url ? "autoscaler" : "run", &r->options.serving, autoscaler_server_port(r->server), "");
	return code;
}

static int open_policies(RunCommand *r, Error *err)
{
	int code = r->options.suggestion_url ? open_suggestion(r, err) : policy_open(r->options.policy, &r->policy, &r->info, err);
	if (code)
		return code;
	if (r->info.steps >= 0 && !r->options.is_forced && !r->options.is_dry_run)
		return error_set(err, ERR_REFUSED, "%s carries no evaluation against the HPA; watch it with --dry-run, or act with --force",
		                 r->options.policy);
	HpaConfig rule;
	hpa_config_default(&rule);
	return hpa_policy_new(&rule, &r->hpa) ? error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM)) : 0;
}

static int open_cluster(RunCommand *r, Error *err)
{
	int code = kubeconfig_load(r->options.kubeconfig, r->options.context, &r->kubeconfig, err);
	if (code)
		return code;
	if (r->kubeconfig.insecure)
		(void) fprintf(stderr, "maestro: the kubeconfig switches the check of the API server's certificate off\n");
	code = name_target(r);
	if (code)
		return code;
	code = kube_client_new(&r->kubeconfig, &r->session.clock, &r->kube, err);
	KubeDeployment deployment;
	if (!code)
		kube_client_count(r->kube, r->telemetry);
	if (!code)
		code = read_deployment(r, &deployment, err);
	if (!code)
		code = settle_target(r, &deployment);
	return code;
}

static int open_sources(RunCommand *r, Error *err)
{
	PromConfig prom = prom_options_config(&r->options.prom);
	prom.kube = r->kube;
	prom.telemetry = r->telemetry;
	prom.clock = &r->session.clock;
	if (r->info.latency_window_s > 0)
		prom.latency_window_s = (double) r->info.latency_window_s;
	if (r->info.rate_window_s > 0)
		prom.rate_window_s = (double) r->info.rate_window_s;
	int code = prom_metrics_new(&prom, &r->metrics, err);
	return code ? code : kube_actuator_new(r->kube, &r->actuator, err);
}

static double choose_interval(const RunCommand *r)
{
	double own = r->info.interval_s > 0 ? (double) r->info.interval_s : 15;
	if (r->options.interval_s <= 0)
		return own;
	if (r->info.steps >= 0 && r->options.interval_s != own)
		(void) fprintf(stderr, "maestro: the model was trained to decide every %g s, not %g s\n", own, r->options.interval_s);
	return r->options.interval_s;
}

static char *config_json(const RunCommand *r)
{
	const Target *target = &r->config.target;
	Json *object = json_new_object();
	json_add_string(object, "policy", r->options.policy);
	json_add_string(object, "context", r->kubeconfig.context);
	json_add_string(object, "namespace", target->namespace_);
	json_add_string(object, "deployment", target->name);
	json_add_int(object, "min-replicas", target->min_replicas);
	json_add_int(object, "max-replicas", target->max_replicas);
	json_add_number(object, "latency-soft", (double) target->latency_soft_ms);
	json_add_number(object, "latency-hard", (double) target->latency_hard_ms);
	json_add_int(object, "interval-ms", r->config.interval_ms);
	json_add_bool(object, "dry-run", r->config.rails.is_dry_run);
	char *text = json_print(object);
	json_free(object);
	return text;
}

static int begin_run(RunCommand *r, Error *err)
{
	char *config = config_json(r);
	RunStart start = { .kind = RUN_CONTROL, .config_json = config };
	(void) snprintf(start.name, sizeof start.name, "%.20s/%.40s", r->config.target.namespace_, r->config.target.name);
	int code = config ? r->session.sink->ops->run_begin(r->session.sink, &start, &r->config.run_id, err)
	                  : error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	free(config);
	return code;
}

static void note_end(RunCommand *r, RunStatus status)
{
	Record record = { .kind = RECORD_RUN_END, .run_id = r->config.run_id, .u.run_end = status };
	record.wall_ms = clock_wall_ms(&r->session.clock);
	r->session.sink->ops->write(r->session.sink, &record);
}

static int build_loop(RunCommand *r, Error *err)
{
	LoopConfig *config = &r->config;
	config->metrics = r->metrics;
	config->actuator = r->actuator;
	config->policy = r->policy;
	config->hpa = r->hpa;
	Policy *policy = r->policy;
	config->observation = (ObsSpec) { policy->obs_version ? (ObsKind) policy->obs_version : OBS_SEED,
	                                  policy->obs_stack > 1 ? policy->obs_stack : 1, 0 };
	config->clock = &r->session.clock;
	config->sink = r->session.sink;
	config->wake = &r->session.wake;
	config->interval_ms = (int64_t) (choose_interval(r) * 1000);
	config->speed = 1;
	rails_config_default(&config->rails);
	config->rails.is_dry_run = r->options.is_dry_run || r->options.is_readonly;
	if (r->options.scale_down_window_s >= 0)
		config->rails.stabilise_ms = (int64_t) (r->options.scale_down_window_s * 1000);
	config->is_readonly = r->options.is_readonly;
	str_copy(config->context, sizeof config->context, r->kubeconfig.context);
	r->report = (RunReport) { .out = stdout, .is_json = r->options.is_json };
	config->on_cycle = on_cycle;
	config->arg = r;
	int code = begin_run(r, err);
	if (!code)
		code = loop_new(config, &r->loop, err);
	if (code && config->run_id)
		note_end(r, RUN_FAILED);
	return code;
}

static int run_once(RunCommand *r)
{
	Error err = { 0 };
	int code = loop_once(r->loop, &err);
	note_end(r, code ? RUN_FAILED : RUN_DONE);
	return code ? cmd_fail(code, &err) : 0;
}

static int run_headless(RunCommand *r, Error *err)
{
	int code = loop_start(r->loop, err);
	if (code)
		return cmd_fail(code, err);
	int signal_number = session_wait(&r->session, never, NULL);
	loop_stop(r->loop);
	note_end(r, RUN_STOPPED);
	return 128 + signal_number;
}

static int run_console(RunCommand *r, Error *err)
{
	UiOptions ui = { .is_readonly = r->options.is_readonly };
	session_who(ui.who, sizeof ui.who);
	Feed *feed = NULL;
	int code = ui_option_set(&ui, "screen", "live", err);
	if (!code)
		code = ui_option_set(&ui, "glyphs", r->options.glyphs, err);
	if (!code)
		code = ui_option_set(&ui, "color", r->options.color, err);
	if (!code)
		code = ui_option_set(&ui, "theme", r->options.theme, err);
	if (!code)
		code = loop_start(r->loop, err);
	EngineParts parts = { NULL, &r->loop, 1, r->session.archive, &r->session.wake, &r->session.clock };
	if (!code && engine_feed_new(&parts, &feed))
		code = error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	int result = code ? code : ui_run(feed, &ui, err);
	feed_free(feed);
	int signal_number = result == UI_INTERRUPTED ? SIGINT : result == UI_TERMINATED ? SIGTERM : 0;
	if (result == UI_HEADLESS) { /* the terminal is gone: scaling goes on, deaf to further hang-ups */
		(void) signal(SIGHUP, SIG_IGN);
		session_catch_signals();
		signal_number = session_wait(&r->session, never, NULL);
	}
	loop_stop(r->loop);
	note_end(r, RUN_STOPPED);
	return result < 0 ? cmd_fail(result, err) : signal_number ? 128 + signal_number : 0;
}

static void end(RunCommand *r)
{
	autoscaler_server_stop(r->server, SERVER_STOP_MS);
	loop_free(r->loop);
	policy_free(r->hpa);
	policy_free(r->policy);
	metrics_free(r->metrics);
	actuator_free(r->actuator);
	kube_client_free(r->kube);
	kubeconfig_done(&r->kubeconfig);
	telemetry_free(r->telemetry);
	session_close(&r->session);
}

static int parse(RunOptions *options, const OptCommand *command, int argc, char **argv)
{
	int words;
	*options = (RunOptions) { .policy = "hpa", .glyphs = "auto", .color = "auto", .theme = "dark",
	                          .latency_soft_ms = -1, .latency_hard_ms = -1, .scale_down_window_s = -1 };
	read_thesis_environment(options);
	if (command == &AUTOSCALER) {
		options->suggestion_url = getenv("SUGGESTION_SERVER_URL");
		options->serving.listen = "127.0.0.1:5002";
	}
	int code = opts_parse(command, argc, argv, options, &words);
	if (code)
		return code;
	if (command == &AUTOSCALER && !options->suggestion_url)
		return usage("autoscaler: --suggestion-url URL is missing");
	if (!options->deployment)
		return usage("--deployment NAMESPACE/NAME is missing");
	return options->prom.url ? 0 : usage("--prometheus URL is missing");
}

static int run_main(const OptCommand *command, int argc, char **argv)
{
	RunCommand *r = calloc(1, sizeof *r);
	if (!r)
		return cmd_fail(ERR_NOMEM, NULL);
	Error err = { 0 };
	int code = parse(&r->options, command, argc, argv), status;
	if (code) {
		free(r);
		return code == OPTS_HELPED ? 0 : err_exit_status(code);
	}
	r->telemetry = telemetry_new();
	r->has_console = command != &AUTOSCALER && !r->options.is_headless && !r->options.is_json && !r->options.is_once && ui_can_run();
	session_catch_signals();
	code = session_open(&r->session, r->options.db, false, &err);
	if (!code)
		code = open_policies(r, &err);
	if (!code)
		code = open_cluster(r, &err);
	if (!code)
		code = open_sources(r, &err);
	if (!code)
		code = build_loop(r, &err);
	if (!code)
		code = open_server(r, &err);
	if (code > 0)
		status = 128 + code; /* a signal while waiting for the API */
	else if (code)
		status = err.text[0] ? cmd_fail(code, &err) : err_exit_status(code);
	else
		status = r->options.is_once ? run_once(r) : r->has_console ? run_console(r, &err) : run_headless(r, &err);
	end(r);
	free(r);
	return status;
}

int cmd_run(int argc, char **argv)
{
	return run_main(&COMMAND, argc, argv);
}

int cmd_autoscaler(int argc, char **argv)
{
	return run_main(&AUTOSCALER, argc, argv);
}
