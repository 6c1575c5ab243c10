/*
 * `maestro train`: opens the store, begins or resumes a run, starts the trainer, and shows it: in the console on a terminal,
 * as lines elsewhere.
 */
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/next_train.h"
#include "cmd/replay.h"
#include "cmd/session.h"
#include "cmd/simlive.h"
#include "cmd/tensor_log.h"
#include "cmd/train_live.h"
#include "cmd/train_opts.h"
#include "cmd/train_origin.h"
#include "cmd/train_past.h"
#include "cmd/train_report.h"
#include "cmd/train_seeds.h"
#include "control/engine.h"
#include "decide/actions.h"
#include "storage/run_folder.h"
#include "tui/ui.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct TrainCommand { /* what one call holds, in the order in which it is taken */
	TrainOptions options;
	Session session;
	TrainPast past;    /* of the run that goes on, or is repeated */
	char who[64];
	char *config_json;
	ServiceFile service;
	SimTraffic traffic;
	TrainerConfig config;
	TrainReport report;
	TensorLog tensor_log;
	Net *from;           /* of --from */
	ModelInfo from_info;
	ReplayWorld *replays; /* of Compare */
	TrainLive *world;    /* of --env live; NULL: the simulator's */
	Policy *live_policy;
	SimConfig live_sim;
	SimLive live;
	Trainer *trainer;
	UiOptions ui;
	Keymap keymap;
	char next[UI_NEXT];  /* options of the training that a person wants after this one; "": none */
	bool has_console;
} TrainCommand;

/* ---- the run that goes on, is repeated, or forked ---- */

static int read_past(TrainCommand *t, int argc, char **argv, Error *err)
{
	const TrainPastRead read = { t->session.db, &t->session.clock, t->who, argc, argv };
	TrainOptions *o = &t->options;
	bool is_fork = train_past_is_run(o->from);
	if ((o->resume > 0) + (o->replay > 0) + is_fork > 1)
		return error_set(err, ERR_USAGE, "--resume, --replay, --from RUN: one of them");
	int64_t replayed = o->replay;
	int code = o->resume ? train_past_resume(&read, o, &t->past, err) : o->replay ? train_past_repeat(&read, o, &t->past, err)
		: is_fork ? train_past_fork(&read, o, &t->past, err) : 0;
	if (replayed)
		t->config.stop_steps = t->past.steps;
	return code;
}

/* ---- files ---- */

/* Before anything is trained for a file that cannot be written. */
static int check_out(const TrainCommand *t, Error *err)
{
	char folder[512];
	if (!t->options.out)
		return 0;
	str_copy(folder, sizeof folder, t->options.out);
	char *slash = strrchr(folder, '/');
	str_copy(slash ? slash + (slash == folder) : folder, 2, slash ? "" : ".");
	return access(folder, W_OK) ? error_set(err, ERR_IO, "--out %s: %s", t->options.out, strerror(errno)) : 0;
}

/* --out names the last policy; the best stands beside it as NAME.best.EXT. */
static void name_models(TrainCommand *t, const char *folder)
{
	TrainerConfig *config = &t->config;
	const char *out = t->options.out;
	if (!out) {
		(void) snprintf(config->model_path, sizeof config->model_path, "%.440s/model.safetensors", folder);
		(void) snprintf(config->best_path, sizeof config->best_path, "%.440s/best.safetensors", folder);
		return;
	}
	const char *slash = strrchr(out, '/'), *dot = strrchr(out, '.');
	size_t stem = dot && (!slash || dot > slash + 1) ? (size_t) (dot - out) : strlen(out);
	str_copy(config->model_path, sizeof config->model_path, out);
	(void) snprintf(config->best_path, sizeof config->best_path, "%.*s.best%.60s", (int) (stem < 400 ? stem : 400), out,
	                out + stem);
}

/* ---- beginning ---- */

/* A fork stands on its own: what it starts from is its own file. */
static int keep_start(TrainCommand *t, const char *folder, Error *err)
{
	Record record = { .kind = RECORD_CHECKPOINT, .run_id = t->config.run_id, .wall_ms = clock_wall_ms(&t->session.clock) };
	RecordCheckpoint *row = &record.u.checkpoint;
	row->steps = t->past.checkpoint_steps;
	(void) snprintf(row->path, sizeof row->path, "%.440s/start.ckpt", folder);
	str_copy(row->kind, sizeof row->kind, "start");
	int code = train_past_keep(&t->past, row->path, err);
	if (!code)
		t->session.sink->ops->write(t->session.sink, &record);
	return code;
}

static int begin_run(TrainCommand *t, Error *err)
{
	Sink *sink = t->session.sink;
	RunStart start = { .kind = RUN_TRAIN, .seed = (uint64_t) t->options.sim.seed, .config_json = t->config_json };
	str_copy(start.name, sizeof start.name, t->options.name);
	if (t->options.resume) {
		start.resume_id = t->options.resume;
		start.resume_steps = t->past.checkpoint_steps;
	}
	int code = sink->ops->run_begin(sink, &start, &t->config.run_id, err);
	if (code)
		return code;
	char folder[512];
	code = run_folder_make(t->session.db, t->config.run_id, folder, sizeof folder, err);
	if (code)
		return code;
	name_models(t, folder);
	(void) snprintf(t->config.checkpoint_path, sizeof t->config.checkpoint_path, "%.440s/last.ckpt", folder);
	return t->past.is_fork ? keep_start(t, folder, err) : 0;
}

/* On the trainer's thread. */
static void on_event(void *arg, const TrainEvent *event)
{
	TrainCommand *t = arg;
	if (!t->has_console)
		train_report_event(&t->report, event);
	if (t->tensor_log.writer)
		tensor_log_event(&t->tensor_log, event);
}

static bool is_live(const TrainCommand *t)
{
	return !strcmp(t->options.env, "live");
}

/* Live, a model goes on at the interval and through the windows that it was trained with, where no option has others. */
static int load_from(TrainCommand *t, int argc, char **argv, Error *err)
{
	TrainOptions *o = &t->options;
	const ModelInfo *info = &t->from_info;
	if (!o->from || t->past.checkpoint[0])
		return 0;
	int code = model_load(o->from, &t->from, &t->from_info, err);
	o->critic_ahead = false; /* a file's critic knows nothing of what is coming */
	const char *sees = observation_version_name(info->obs_version);
	int32_t stack = info->obs_stack > 1 ? info->obs_stack : 1;
	if (!code && (strcmp(sees, o->sim.observation) || stack != o->sim.stack)) /* before its actions, which not every observation has */
		return error_set(err, ERR_USAGE, "--from %.80s sees %s of %d, and this training %s of %d; --observation %s --stack %d goes on with it",
		                 o->from, sees, stack, o->sim.observation, o->sim.stack, sees, stack);
	if (!code && !o->sim.actions)
		o->sim.actions = actions_word(info->actions); /* as the run's own from now on: a resume must not guess anew */
	if (code || !is_live(t))
		return code;
	if (info->interval_s >= 1 && !opts_is_given("interval", argc, argv))
		o->sim.interval_s = (double) info->interval_s;
	if (info->rate_window_s >= 5 && !opts_is_given("metric-window", argc, argv))
		o->metric_window_s = (double) info->rate_window_s;
	return 0;
}

/* The net of --from decides the layers, whether inputs are normalised, and what can be done where no option does. */
static int read_from(TrainCommand *t, Error *err)
{
	TrainOptions *o = &t->options;
	const ModelInfo info = t->from_info;
	if (!t->from)
		return 0;
	t->config.ppo.net = *net_config(t->from);
	t->config.ppo.norm_obs = net_is_normalised(t->from);
	if (strcmp(o->sim.actions, actions_word(info.actions)))
		return error_set(err, ERR_USAGE, "--actions %.20s: the model of --from has %s", o->sim.actions, actions_word(info.actions));
	t->config.sim.actions = t->config.eval_sim.actions = t->config.info.actions = info.actions;
	return 0;
}

static int open_world(TrainCommand *t, Error *err)
{
	TrainLiveConfig live = { &t->options, &t->session, &t->traffic, &t->config, 0 };
	if (t->past.checkpoint[0] && trainer_checkpoint_steps(t->past.checkpoint, &live.steps_done, err))
		return ERR_BAD_MODEL;
	int code = train_live_open(&live, &t->world, err);
	if (code)
		return code;
	size_t n;
	const Target *target = &loop_config(train_live_loops(t->world, &n)[0])->target;
	t->config.info.max_replicas = target->max_replicas; /* as the Deployment says where no option did */
	t->config.info.latency_soft_ms = target->latency_soft_ms;
	t->config.info.latency_hard_ms = target->latency_hard_ms;
	t->config.live = train_live_env(t->world);
	if (!t->options.load_url.n)
		str_copy(t->config.traffic, sizeof t->config.traffic, "what others send");
	return 0;
}

static int build_trainer(TrainCommand *t, Error *err)
{
	TrainerConfig *config = &t->config;
	config->from = t->from;
	int code = !t->options.tensorboard ? 0
		: tensor_log_open(&t->tensor_log, t->options.tensorboard, &t->session.clock, t->config_json, err);
	if (code)
		return code;
	config->resume_path = t->past.checkpoint[0] ? t->past.checkpoint : NULL;
	config->is_fork = t->past.is_fork;
	config->change = t->past.change;
	config->n_changes = t->past.n_changes;
	config->clock = &t->session.clock;
	config->sink = t->session.sink;
	config->wake = &t->session.wake;
	config->has_console = t->has_console;
	config->on_event = on_event;
	config->arg = t;
	if (!t->has_console) {
		t->report = (TrainReport) {
			.out = stdout,
			.is_json = t->options.is_json,
			.total_steps = config->total_steps,
			.clock = &t->session.clock,
			.run_id = config->run_id,
		};
	}
	code = trainer_new(config, &t->trainer, err);
	if (!code && !t->has_console)
		train_report_start(&t->report, config);
	return code == ERR_INVALID ? ERR_USAGE : code; /* what is invalid there came from an option */
}

/* The policy in training on a simulated Deployment under held-out traffic. */
static int open_live(TrainCommand *t, Error *err)
{
	t->live_sim = t->config.eval_sim;
	SimLiveConfig live = {
		.sim = &t->live_sim,
		.policy = t->live_policy,
		.policy_steps = model_policy_steps,
		.seed = (uint64_t) t->options.sim.seed,
		.speed = t->options.speed,
		.traffic = t->traffic.name,
		.service = t->options.sim.service,
	};
	int code = simlive_open(&t->live, &t->session, &live, err);
	return code ? code : simlive_start(&t->live, err);
}

static int ui_options(const TrainOptions *options, UiOptions *ui, Error *err)
{
	*ui = (UiOptions) { .has_no_mouse = !options->has_mouse, .db = options->db };
	return session_look(ui, options->screen, options->glyphs, options->color, options->theme, err);
}

static int begin(TrainCommand *t, Error *err)
{
	int code = ui_options(&t->options, &t->ui, err);
	if (!code && t->has_console)
		code = session_keys(&t->keymap, &t->ui, err);
	if (!code)
		code = check_out(t, err);
	const ServiceFile *service = t->options.sim.service ? &t->service : NULL;
	if (!code && service)
		code = service_file_read(t->options.sim.service, &t->service, err);
	if (!code)
		code = train_options_apply(&t->options, service, &t->config, err);
	if (!code)
		code = sim_traffic_open(&t->options.sim, &t->traffic, &t->config.sim, &t->config.eval_sim, err);
	str_copy(t->config.traffic, sizeof t->config.traffic, t->traffic.name);
	if (!code)
		code = train_options_info(&t->options, service, &t->config, err);
	if (!code)
		code = read_from(t, err);
	if (!code && is_live(t))
		code = train_live_check(&t->options, err);
	t->config_json = train_origin_json(&t->options, &t->config.sim);
	if (!code && !t->config_json)
		code = error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	if (!code)
		code = begin_run(t, err);
	if (!code && is_live(t))
		code = open_world(t, err);
	if (!code)
		code = build_trainer(t, err);
	return code;
}

/* A run whose worker never started has failed, and says so at once. */
static void note_failed_start(TrainCommand *t)
{
	Record record = { .kind = RECORD_RUN_END, .run_id = t->config.run_id, .u.run_end = RUN_FAILED };
	record.wall_ms = clock_wall_ms(&t->session.clock);
	if (t->config.run_id)
		t->session.sink->ops->write(t->session.sink, &record);
}

/* ---- the two ways of showing it ---- */

static bool is_over(void *arg)
{
	TrainCommand *t = arg;
	const TrainView *view = snap_acquire(trainer_views(t->trainer));
	bool over = view && view->phase >= TRAIN_DONE;
	snap_release(view);
	return over;
}

/* Lines until the end or a signal; the exit status. */
static int run_headless(TrainCommand *t, Error *err)
{
	int code = trainer_start(t->trainer, err);
	if (code) {
		note_failed_start(t);
		return cmd_fail(code, err);
	}
	int signal_number = session_wait(&t->session, is_over, t);
	trainer_stop(t->trainer);
	if (signal_number)
		return 128 + signal_number;
	const TrainView *view = snap_acquire(trainer_views(t->trainer));
	bool has_failed = view->phase == TRAIN_FAILED;
	snap_release(view);
	if (has_failed)
		return err_exit_status(ERR_NONFINITE); /* the report has said why */
	if (t->world && train_live_spent(t->world)[0])
		(void) fprintf(stderr, "maestro: %s: the training has ended before its last step\n", train_live_spent(t->world));
	if (t->options.replay && !train_past_is_same(&t->past, t->config.model_path))
		return 1;
	if (t->options.is_json || t->options.sim.latency_soft_ms <= 0 || t->world)
		return 0;
	bool has_best = !access(t->config.best_path, R_OK);
	code = train_report_table(&t->report, &t->config, has_best ? t->config.best_path : t->config.model_path, err);
	return code ? cmd_fail(code, err) : 0;
}

/* The policy in training on a simulated Deployment, for the Live screen. */
static int start_simulated(TrainCommand *t, Error *err)
{
	Net *net = trainer_net(t->trainer);
	if (!net)
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	int code = model_policy_new(net, &t->config.info, "in training", &t->live_policy);
	if (code)
		return error_set(err, code, "%s", err_text(code));
	trainer_follow(t->trainer, t->live_policy);
	return open_live(t, err);
}

static int start_workers(TrainCommand *t, Feed **ret_feed, Error *err)
{
	if (replay_world_new(t->session.db, &t->session.clock, &t->replays))
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	EngineParts parts = { .trainer = t->trainer, .loops = &t->live.loop, .n_loops = 1, .archive = t->session.archive,
		.wake = &t->session.wake, .clock = &t->session.clock, .play = replay_play, .play_arg = t->replays };
	int code = t->world ? 0 : start_simulated(t, err);
	if (t->world) {
		size_t n;
		parts.loops = train_live_loops(t->world, &n);
		parts.n_loops = (int) (n < FEED_TARGETS_MAX ? n : FEED_TARGETS_MAX);
	}
	if (!code)
		code = trainer_start(t->trainer, err);
	if (code)
		return code;
	code = engine_feed_new(&parts, ret_feed);
	return code ? error_set(err, code, "%s", err_text(code)) : 0;
}

/* What a person who leaves the console needs to go on. */
static void say_goodbye(TrainCommand *t, int result)
{
	long long run = (long long) t->config.run_id;
	const char *db = t->options.db, *option = db ? " --db " : ""; /* what is printed can be run as it is */
	if (result == UI_HEADLESS || result == UI_TRAIN)
		return;
	if (is_over(t)) {
		printf("run %lld is done; maestro runs show %lld%s%s prints it\n", run, run, option, db ? db : "");
		return;
	}
	trainer_stop(t->trainer);
	printf("run %lld stopped with a checkpoint; maestro train --resume %lld%s%s goes on\n", run, run, option, db ? db : "");
}

/* The terminal is gone: training goes on to its end, deaf to further hang-ups. */
static int run_on_headless(TrainCommand *t)
{
	(void) signal(SIGHUP, SIG_IGN);
	session_catch_signals();
	int signal_number = session_wait(&t->session, is_over, t);
	const TrainView *view = snap_acquire(trainer_views(t->trainer));
	bool is_done = view && view->phase == TRAIN_DONE;
	snap_release(view);
	return signal_number ? 128 + signal_number : is_done ? 0 : err_exit_status(ERR_FAILED);
}

static int run_console(TrainCommand *t, Error *err)
{
	Feed *feed = NULL;
	int code = start_workers(t, &feed, err);
	if (code)
		note_failed_start(t);
	t->ui.next = t->next;
	t->ui.next_options = TRAIN_COMMAND.opt;
	t->ui.check_next = next_train_check;
	int result = code ? code : ui_run(feed, &t->ui, err);
	feed_free(feed);
	if (result != UI_TRAIN)
		t->next[0] = '\0';
	if (result < 0)
		return cmd_fail(result, err);
	say_goodbye(t, result);
	if (result == UI_HEADLESS)
		return run_on_headless(t);
	return result == UI_INTERRUPTED ? 128 + SIGINT : result == UI_TERMINATED ? 128 + SIGTERM : 0;
}

static void end(TrainCommand *t)
{
	trainer_stop(t->trainer);
	simlive_close(&t->live);
	const TrainView *view = t->trainer ? snap_acquire(trainer_views(t->trainer)) : NULL;
	TrainPhase phase = view ? view->phase : TRAIN_FAILED;
	snap_release(view);
	trainer_free(t->trainer);
	train_live_close(t->world, phase == TRAIN_DONE ? RUN_DONE : phase == TRAIN_STOPPED ? RUN_STOPPED : RUN_FAILED);
	net_free(t->from);
	tensor_log_close(&t->tensor_log);
	policy_free(t->live_policy);
	sim_traffic_close(&t->traffic);
	session_close(&t->session);
	train_past_done(&t->past);
	replay_world_free(t->replays);
	free(t->config_json);
}

int cmd_train(int argc, char **argv)
{
	TrainCommand *t = calloc(1, sizeof *t);
	if (!t)
		return cmd_fail(ERR_NOMEM, NULL);
	Error err = { 0 };
	int code = train_options_parse(&TRAIN_COMMAND, &t->options, argc, argv), status;
	if (code) {
		free(t);
		return code == OPTS_HELPED ? 0 : err_exit_status(code);
	}
	bool is_many = t->options.seeds > 1 && !t->options.resume && !t->options.replay && !is_live(t);
	if (is_many || strcmp(t->options.on, "local")) {
		status = train_seeds(&t->options, argc, argv);
		free(t);
		return status;
	}
	t->has_console = !t->options.is_headless && !t->options.is_json && ui_can_run();
	if (!t->has_console || is_live(t)) /* what waits for a cluster hears them, too */
		session_catch_signals();
	code = session_open(&t->session, t->options.db, true, &err);
	if (code) {
		free(t);
		return cmd_fail(code, &err);
	}
	session_who(t->who, sizeof t->who);
	code = read_past(t, argc, argv, &err);
	if (!code)
		code = load_from(t, argc, argv, &err);
	if (!code)
		code = begin(t, &err);
	if (!code && t->options.sim.latency_soft_ms <= 0)
		(void) fprintf(stderr, "maestro: the latency limits are off: the reward depends on pods alone and its optimum is one pod; "
		                       "set --latency-soft and --latency-hard\n");
	if (code)
		note_failed_start(t);
	status = code > 0 ? 128 + code : code ? (err.text[0] ? cmd_fail(code, &err) : err_exit_status(code))
	              : t->has_console ? run_console(t, &err) : run_headless(t, &err);
	end(t);
	if (t->next[0])
		status = cmd_fail(next_train(&(NextTrain) { t->next, t->options.db, t->options.glyphs, t->options.color, t->options.theme,
		                  t->options.has_mouse }, &err), &err);
	free(t);
	return status;
}
