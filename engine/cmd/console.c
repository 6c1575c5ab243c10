/* `maestro` alone: the Live screen over a simulated service, and the run browser; nothing trains. */
#include "cluster/attach.h"
#include "cmd/cmd.h"
#include "cmd/next_train.h"
#include "cmd/opts.h"
#include "cmd/policies.h"
#include "cmd/replay.h"
#include "cmd/session.h"
#include "cmd/simlive.h"
#include "cmd/train_opts.h"
#include "control/engine.h"
#include "sim/traffic.h"
#include "tui/plain.h"
#include "tui/ui.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

typedef struct ConsoleOptions {
	const char *screen, *policy, *trace, *traffic, *db, *glyphs, *color, *theme, *format, *filter, *runs;
	OptList fault;
	const char *attach, *attach_token_file, *attach_proxy_token_file, *attach_ca;
	bool is_readonly, is_json, is_plain, has_mouse;
	double speed;
	int64_t seed;
	char *next; /* [UI_NEXT] */
} ConsoleOptions;

#define OPTION(name, letter, kind, field, lo, hi, arg, help) \
	{ name, letter, kind, offsetof(ConsoleOptions, field), lo, hi, arg, help, false }

static const Opt OPTIONS[] = {
	OPTION("attach", 0, OPT_STRING, attach, 0, 0, "URL", "over a running autoscaler (its --listen), which goes on deciding"),
	OPTION("attach-token-file", 0, OPT_STRING, attach_token_file, 0, 0, "FILE", "bearer token for it: what its own --token-file holds"),
	OPTION("attach-proxy-token-file", 0, OPT_STRING, attach_proxy_token_file, 0, 0, "FILE", "URL is https://API/api/v1/namespaces/NS/pods/NAME:PORT/proxy: the account's token for the API server"),
	OPTION("attach-ca", 0, OPT_STRING, attach_ca, 0, 0, "FILE", "authority of its certificate, or of the API server's"),
	OPTION("readonly", 0, OPT_FLAG, is_readonly, 0, 0, NULL, "send no overrides"),
	OPTION("screen", 0, OPT_STRING, screen, 0, 0, "NAME", "first screen: live, runs, compare, policy, targets or events; off a terminal it is printed"),
	OPTION("filter", 0, OPT_STRING, filter, 0, 0, "WORDS", "of that screen: runs, events or targets that match"),
	OPTION("runs", 0, OPT_STRING, runs, 0, 0, "IDS", "that Compare compares, parted by commas"),
	OPTION("json", 0, OPT_FLAG, is_json, 0, 0, NULL, "print what is behind the screen, an object a line, and end"),
	OPTION("format", 0, OPT_STRING, format, 0, 0, "FORM", "print the screen as txt, json, or its table as csv, tsv or md, and end"),
	OPTION("plain", 0, OPT_FLAG, is_plain, 0, 0, NULL, "for a screen reader: lines and a numbered menu, no boxes, no graphs"),
	OPTION("policy", 'p', OPT_STRING, policy, 0, 0, "P", "model:FILE, hpa or hpa:cpu=N"),
	OPTION("trace", 0, OPT_STRING, trace, 0, 0, "FILE", "request-rate trace to replay; else constant traffic"),
	OPTION("traffic", 0, OPT_STRING, traffic, 0, 0, "NAME", "made-up traffic, as of maestro train"),
	OPTION("fault", 0, OPT_LIST, fault, 0, 0, "KIND", "that strikes the simulated service: pod-kill, cpu-stress:every=15m,for=270s, ..."),
	OPTION("speed", 0, OPT_DOUBLE, speed, .01, 1000, "X", "1 is an interval every 2 s"),
	OPTION("seed", 0, OPT_INT64, seed, 0, 9e15, "N", "of the simulated traffic"),
	OPTION("glyphs", 0, OPT_STRING, glyphs, 0, 0, "KIND", "auto, braille, block or ascii"),
	OPTION("color", 0, OPT_STRING, color, 0, 0, "KIND", "auto, always, never, 16, 256 or truecolor"),
	OPTION("theme", 0, OPT_STRING, theme, 0, 0, "KIND", "of the terminal's background: dark or light"),
	OPTION("mouse", 0, OPT_FLAG, has_mouse, 0, 0, NULL, "clicks and the wheel are the console's (--no-mouse: the terminal keeps them)"),
	OPTION("db", 0, OPT_STRING, db, 0, 0, "FILE", "the run store"),
	{ 0 },
};

const OptCommand CONSOLE_COMMAND = {
	"[options]",
	"Opens the console over the embedded simulator, or over a running autoscaler. `maestro --help` lists the commands.",
	OPTIONS, 0,
};

static int ui_options(const ConsoleOptions *options, UiOptions *ui, Error *err)
{
	*ui = (UiOptions) { .is_readonly = options->is_readonly, .has_no_mouse = !options->has_mouse, .next = options->next,
		.next_options = TRAIN_COMMAND.opt, .check_next = next_train_check, .filter = options->filter, .runs = options->runs, .db = options->db };
	return session_look(ui, options->screen, options->glyphs, options->color, options->theme, err);
}

/* Off a terminal, and with --json or --format, the screen is printed once. */
static bool is_printed(const ConsoleOptions *options)
{
	return !options->is_plain && (options->is_json || options->format || !ui_can_run());
}

static int look(Feed *feed, const ConsoleOptions *options, UiOptions *ui, Error *err)
{
	if (options->is_plain)
		return ui_run_plain(feed, ui, err);
	return is_printed(options) ? ui_print(feed, ui, options->is_json ? "json" : options->format ? options->format : "txt", err)
	                           : ui_run(feed, ui, err);
}

/* An API server that passes requests on to a pod keeps Authorization for itself, and so does `kubectl proxy`. */
static int attach_server(const ConsoleOptions *options, EndpointConfig *ret, Error *err)
{
	bool is_proxied = strstr(options->attach, "/api/v1/namespaces/") && strstr(options->attach, "/proxy");
	if (!is_proxied && options->attach_proxy_token_file)
		return error_set(err, ERR_USAGE, "--attach-proxy-token-file: --attach %.200s is no /api/v1/namespaces/NS/pods/NAME:PORT/proxy of an API server",
		                 options->attach);
	*ret = (EndpointConfig) {
		.url = options->attach, .ca_file = options->attach_ca,
		.bearer_file = is_proxied ? options->attach_proxy_token_file : options->attach_token_file,
		.own_token_file = is_proxied ? options->attach_token_file : NULL,
	};
	return 0;
}

static int show_attached(Session *session, const ConsoleOptions *options, Error *err)
{
	UiOptions ui;
	Keymap keymap;
	Feed *feed = NULL;
	AttachConfig config = { .clock = &session->clock, .wake = &session->wake, .archive = session->archive };
	int code = attach_server(options, &config.server, err);
	if (!code)
		code = ui_options(options, &ui, err);
	if (!code)
		code = session_keys(&keymap, &ui, err);
	if (!code)
		code = attach_feed_new(&config, &feed, err);
	if (!code)
		code = look(feed, options, &ui, err);
	feed_free(feed);
	return code == UI_HEADLESS ? UI_QUIT : code; /* there is nothing that would go on without the screen */
}

/* The simulated target: recorded once Live shows it, and only looked at elsewhere. */
typedef struct Stage {
	Session *session;
	SimLiveConfig config;
	SimLive live[2]; /* by whether it is recorded */
} Stage;

static int begin(void *arg, bool is_recorded, Loop **ret_loop, Error *err)
{
	Stage *stage = arg;
	SimLiveConfig config = stage->config;
	config.is_unrecorded = !is_recorded;
	int code = simlive_open(&stage->live[is_recorded], stage->session, &config, err); /* what fails, fails here: the other goes on */
	if (code)
		return code;
	loop_stop(stage->live[!is_recorded].loop); /* they share the policy; its last picture is shown until the new one's first */
	code = simlive_start(&stage->live[is_recorded], err);
	if (!code)
		*ret_loop = stage->live[is_recorded].loop;
	return code;
}

/* What the first screen shows is there before it; to print what is stored, or to browse it, nothing runs. */
static int begin_first(Stage *stage, const ConsoleOptions *options, ScreenId screen, Loop **ret_loop, Error *err)
{
	bool is_live = screen == SCREEN_LIVE, is_seen = is_live || screen == SCREEN_POLICY || screen == SCREEN_TARGETS;
	return is_seen ? begin(stage, is_live && !is_printed(options), ret_loop, err) : 0;
}

static int show(Session *session, const ConsoleOptions *options, const SimConfig *sim, Policy *policy, Error *err)
{
	UiOptions ui;
	Keymap keymap;
	Feed *feed = NULL;
	Loop *loop = NULL;
	const char *traffic = options->traffic ? options->traffic : options->trace;
	Stage stage = { session, { .sim = sim, .policy = policy, .seed = (uint64_t) options->seed, .speed = options->speed,
		.traffic = traffic, .faults = &options->fault }, { { 0 } } };
	int code = ui_options(options, &ui, err);
	if (!code)
		code = session_keys(&keymap, &ui, err);
	if (!code)
		code = begin_first(&stage, options, ui.screen, &loop, err);
	ReplayWorld *world = NULL;
	if (!code && session->archive && replay_world_new(session->db, &session->clock, &world))
		code = error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	EngineParts parts = { .loops = &loop, .n_loops = loop ? 1 : 0, .archive = session->archive, .wake = &session->wake,
		.clock = &session->clock, .play = world ? replay_play : NULL, .play_arg = world, .begin = begin, .begin_arg = &stage,
		.is_recorded = stage.live[true].loop != NULL };
	if (!code && engine_feed_new(&parts, &feed))
		code = error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	if (!code)
		code = look(feed, options, &ui, err);
	feed_free(feed);
	replay_world_free(world);
	simlive_close(&stage.live[false]);
	simlive_close(&stage.live[true]);
	return code;
}

static int run(Session *session, const ConsoleOptions *options, Error *err)
{
	Traffic traffic = { .think_s = 0 };
	Policy *policy = NULL;
	ModelInfo info;
	SimConfig sim;
	sim_config_default(&sim);
	sim.latency_soft_ms = 250;
	sim.latency_hard_ms = 500;
	sim.start = SIM_START_DEMAND;
	sim.random_start = true;
	sim.interval_s = 15;
	sim.substep_s = 1;
	int code = options->traffic ? traffic_make(options->traffic, (uint64_t) options->seed, &traffic, err)
		: options->trace ? trace_open(options->trace, &traffic.trace, err) : 0;
	for (size_t i = 0; i < options->fault.n && !code; i++, sim.n_plans++)
		code = i < CHAOS_PLANS ? chaos_parse(options->fault.item[i], &sim.plan[i], err)
		                       : error_set(err, ERR_USAGE, "--fault: at most %d", CHAOS_PLANS);
	if (!code)
		code = policy_open(options->policy, &policy, &info, err);
	if (!code) {
		sim.trace = traffic.trace.n ? &traffic.trace : NULL;
		sim.peak_rps = traffic.peak;
		sim.think_s = traffic.think_s;
		if (info.interval_s > 0)
			sim.interval_s = info.interval_s;
		code = show(session, options, &sim, policy, err);
	}
	policy_free(policy);
	trace_done(&traffic.trace);
	return code;
}

static int check_form(const char *form, Error *err)
{
	static const char *const FORMS[] = { "txt", "json", "csv", "tsv", "md" };
	for (size_t i = 0; form && i < sizeof FORMS / sizeof *FORMS; i++)
		if (!strcmp(form, FORMS[i]))
			return 0;
	return form ? error_set(err, ERR_USAGE, "--format %.30s: txt, json, csv, tsv or md", form) : 0;
}

int cmd_console(int argc, char **argv)
{
	ConsoleOptions options = { .screen = "live", .policy = "hpa", .glyphs = "auto", .color = "auto", .theme = "dark",
	                           .speed = 1, .has_mouse = true };
	Session session;
	Error err = { 0 };
	char next[UI_NEXT] = "";
	int words;
	int code = opts_parse(&CONSOLE_COMMAND, argc, argv, &options, &words);
	if (code)
		return code == OPTS_HELPED ? 0 : err_exit_status(code);
	code = check_form(options.format, &err);
	if (code)
		return cmd_fail(code, &err);
	options.next = next;
	code = session_open(&session, options.db, false, &err);
	if (code)
		return cmd_fail(code, &err);
	code = options.attach ? show_attached(&session, &options, &err) : run(&session, &options, &err);
	session_close(&session);
	if (code == UI_TRAIN)
		code = next_train(&(NextTrain) { next, options.db, options.glyphs, options.color, options.theme, options.has_mouse }, &err);
	if (code < 0)
		return cmd_fail(code, &err);
	return code == UI_INTERRUPTED ? 128 + SIGINT : code == UI_TERMINATED ? 128 + SIGTERM : 0;
}
