/*
 * `maestro run`: the loops over Deployments of a real cluster. On a terminal it is the Live screen, elsewhere a line a cycle.
 */
#include "cluster/suggest_policy.h"
#include "cmd/cmd.h"
#include "cmd/opts.h"
#include "cmd/run_report.h"
#include "cmd/runner.h"
#include "cmd/serving.h"
#include "control/engine.h"
#include "serve/autoscaler_server.h"
#include "tui/ui.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Options {
	RunOptions run;
	ServingOptions serving;
	const char *suggestion_url, *suggestion_token_file, *suggestion_ca;
	const char *screen, *glyphs, *color, *theme, *log_format;
	bool is_json, is_headless, has_mouse;
} Options;

#define OPTION(name, kind, field, arg, help) { name, 0, kind, offsetof(Options, field), 0, 0, arg, help, false }

static const Opt OPTIONS[] = {
	RUN_OPTIONS(Options),
	PROM_OPTIONS_IN(Options, run.prom),
	SERVING_OPTIONS(Options, "serve /metrics, /status and consoles there"),
	OPTION("suggestion-url", OPT_STRING, suggestion_url, "URL", "ask this suggestion server (SUGGESTION_SERVER_URL); for `autoscaler`"),
	OPTION("suggestion-token-file", OPT_STRING, suggestion_token_file, "FILE", "bearer token for it"),
	OPTION("suggestion-ca", OPT_STRING, suggestion_ca, "FILE", "authority of its certificate"),
	OPTION("headless", OPT_FLAG, is_headless, NULL, "no console, even on a terminal"),
	OPTION("json", OPT_FLAG, is_json, NULL, "one JSON object a decision on stdout; implies --headless"),
	OPTION("log-format", OPT_STRING, log_format, "FORM", "without a screen: text on stdout, or a record a decision on stderr as logfmt or json (text)"),
	OPTION("screen", OPT_STRING, screen, "NAME", "the console's first: live, runs, compare, policy, targets or events (live)"),
	OPTION("glyphs", OPT_STRING, glyphs, "KIND", "auto, braille, block or ascii"),
	OPTION("color", OPT_STRING, color, "KIND", "auto, always, never, 16, 256 or truecolor"),
	OPTION("mouse", OPT_FLAG, has_mouse, NULL, "clicks and the wheel are the console's (--no-mouse: the terminal keeps them)"),
	OPTION("theme", OPT_STRING, theme, "KIND", "of the terminal's background: dark or light"),
	{ 0 },
};

const OptCommand AUTOSCALER_COMMAND = {
	"autoscaler --suggestion-url URL [options]",
	"Polls a suggestion server and scales by its answers, within the same guard rails as `run`; without a screen.",
	OPTIONS, 0,
};

const OptCommand RUN_COMMAND = {
	"run [options]",
	"Observes, decides and scales Deployments of a cluster. On a terminal it is the Live screen over them.",
	OPTIONS, 0,
};

enum { END_S = 4, SERVER_STOP_MS = 1000 };

typedef struct RunCommand {
	Options options;
	Session session;
	Telemetry *telemetry;
	Runner *runner;
	AutoscalerServer *server;
	RunReport report;
	bool has_console;
} RunCommand;

static void on_cycle(void *arg, const LiveView *view)
{
	RunCommand *r = arg;
	if (r->server)
		autoscaler_server_cycle(r->server, view);
	if (r->has_console) /* it shows what the store has lost */
		return;
	session_say_store(&r->session);
	run_report_cycle(&r->report, view);
}

static int suggestion_policy(void *arg, const Target *target, Policy **ret_policy, Error *err)
{
	RunCommand *r = arg;
	const Options *o = &r->options;
	const SuggestPolicyConfig config = {
		.server = { .url = o->suggestion_url, .bearer_file = o->suggestion_token_file, .ca_file = o->suggestion_ca },
		.clock = &r->session.clock, .telemetry = r->telemetry,
	};
	(void) target;
	return suggest_policy_new(&config, ret_policy, err);
}

static int open_server(RunCommand *r, Error *err)
{
	const Options *o = &r->options;
	if (!o->serving.listen)
		return 0;
	AutoscalerServerConfig config = {
		.server = serving_config(&o->serving), .telemetry = r->telemetry, .is_readonly = o->run.is_readonly,
	};
	int code = autoscaler_server_start(&config, &r->server, err);
	if (!code && !r->has_console)
		serving_announce(o->suggestion_url ? "autoscaler" : "run", &o->serving, autoscaler_server_port(r->server), "");
	return code;
}

/* After the loops are there and before they run. */
static int show_targets(RunCommand *r, Error *err)
{
	AutoscalerTargets targets = { 0 };
	if (!r->server)
		return 0;
	targets.loops = runner_loops(r->runner, &targets.n_loops);
	return autoscaler_server_show(r->server, &targets, err);
}

static bool never(void *arg)
{
	(void) arg;
	return false;
}

static int run_once(RunCommand *r)
{
	Error err = { 0 };
	int code = runner_once(r->runner, &err);
	runner_note_end(r->runner, code ? RUN_FAILED : RUN_DONE);
	return code ? cmd_fail(code, &err) : 0;
}

/* Until INT or TERM; HUP reads the models again. */
static int wait_for_end(RunCommand *r)
{
	for (;;) {
		int signal_number = session_wait(&r->session, never, NULL);
		if (signal_number != SIGHUP)
			return signal_number;
		session_forget_hangup();
		runner_reload(r->runner);
	}
}

static int run_headless(RunCommand *r, Error *err)
{
	int code = runner_start(r->runner, err);
	if (code)
		return cmd_fail(code, err);
	int signal_number = wait_for_end(r);
	session_end_within(END_S); /* a peer that does not answer is not waited for */
	runner_note_end(r->runner, RUN_STOPPED);
	runner_stop(r->runner);
	return 128 + signal_number;
}

static int run_console(RunCommand *r, Error *err)
{
	UiOptions ui = { .is_readonly = r->options.run.is_readonly, .has_no_mouse = !r->options.has_mouse, .db = r->options.run.db };
	Feed *feed = NULL;
	int code = session_look(&ui, r->options.screen, r->options.glyphs, r->options.color, r->options.theme, err);
	Keymap keymap;
	if (!code)
		code = session_keys(&keymap, &ui, err);
	if (!code)
		code = runner_start(r->runner, err);
	size_t n;
	Loop *const *loops = runner_loops(r->runner, &n);
	EngineParts parts = { .loops = loops, .n_loops = (int) (n < FEED_TARGETS_MAX ? n : FEED_TARGETS_MAX), .archive = r->session.archive,
		.wake = &r->session.wake, .clock = &r->session.clock }; /* no replays: the processor is the loop's */
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
	if (signal_number)
		session_end_within(END_S);
	runner_stop(r->runner);
	runner_note_end(r->runner, RUN_STOPPED);
	return result < 0 ? cmd_fail(result, err) : signal_number ? 128 + signal_number : 0;
}

static int parse(Options *o, const OptCommand *command, int argc, char **argv)
{
	int words;
	*o = (Options) { .log_format = "text", .screen = "live", .glyphs = "auto", .color = "auto", .theme = "dark", .has_mouse = true };
	run_options_default(&o->run);
	if (command == &AUTOSCALER_COMMAND) {
		o->suggestion_url = getenv("SUGGESTION_SERVER_URL");
		o->serving.listen = "127.0.0.1:5002";
	}
	int code = opts_parse(command, argc, argv, o, &words);
	if (!code && command == &AUTOSCALER_COMMAND && !o->suggestion_url) {
		(void) fprintf(stderr, "maestro: autoscaler: --suggestion-url URL is missing; see maestro autoscaler --help\n");
		code = ERR_USAGE;
	}
	return code;
}

/* A target's first snapshot is made on this thread and all others on the fleet's: with a heap a thread, the place of the first stays
 * empty for ever, a fifth of what a target takes. Nothing here allocates often enough to wait for one heap. */
static void share_heap(void)
{
#ifdef M_ARENA_MAX
	(void) mallopt(M_ARENA_MAX, 1);
#endif
}

static int run_main(const OptCommand *command, int argc, char **argv)
{
	RunCommand *r = calloc(1, sizeof *r);
	if (!r)
		return cmd_fail(ERR_NOMEM, NULL);
	Error err = { 0 };
	Options *o = &r->options;
	int code = parse(o, command, argc, argv), status;
	if (code) {
		free(r);
		return code == OPTS_HELPED ? 0 : err_exit_status(code);
	}
	LogFormat log;
	if (!run_report_log(o->log_format, &log)) {
		(void) error_set(&err, ERR_USAGE, "run: --log-format is text, logfmt or json");
		free(r);
		return cmd_fail(ERR_USAGE, &err);
	}
	r->telemetry = telemetry_new();
	r->has_console = command != &AUTOSCALER_COMMAND && !o->is_headless && !o->is_json && !o->run.is_once && ui_can_run();
	r->report = (RunReport) { .out = stdout, .is_json = o->is_json, .log = log };
	const RunnerConfig config = {
		.options = &o->run,
		.command = command == &AUTOSCALER_COMMAND ? "autoscaler" : "run",
		.session = &r->session,
		.telemetry = r->telemetry,
		.policy_new = o->suggestion_url ? suggestion_policy : NULL,
		.on_cycle = on_cycle,
		.arg = r,
	};
	share_heap();
	session_catch_signals();
	code = session_open(&r->session, o->run.db, false, &err);
	if (!code)
		code = open_server(r, &err);
	if (!code)
		code = runner_open(&config, &r->runner, &err);
	if (!code)
		code = show_targets(r, &err);
	if (code > 0)
		status = 128 + code; /* a signal while waiting for the API */
	else if (code)
		status = err.text[0] ? cmd_fail(code, &err) : err_exit_status(code);
	else
		status = o->run.is_once ? run_once(r) : r->has_console ? run_console(r, &err) : run_headless(r, &err);
	autoscaler_server_stop(r->server, SERVER_STOP_MS);
	runner_close(r->runner);
	telemetry_free(r->telemetry);
	session_close(&r->session);
	free(r);
	return status;
}

int cmd_run(int argc, char **argv)
{
	return run_main(&RUN_COMMAND, argc, argv);
}

int cmd_autoscaler(int argc, char **argv)
{
	return run_main(&AUTOSCALER_COMMAND, argc, argv);
}
