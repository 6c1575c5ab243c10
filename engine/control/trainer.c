/*
 * See trainer.h. Files: trainer.c runs updates, trainer_commands.c does what it is told between them, trainer_eval.c evaluates,
 * trainer_live.c is a live environment's host, trainer_save.c writes and reads checkpoints and models, trainer_view.c shows and
 * records.
 */
#include "control/trainer_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COMMANDS = 32, PUBLISH_MS = 100, CHECKPOINT_MS = 2000 };

static int64_t now_ms(const Trainer *trainer)
{
	return clock_mono_ms(trainer->config.clock);
}

/* ---- commands ---- */

bool trainer_is_over(const Trainer *trainer)
{
	return trainer->view.phase >= TRAIN_DONE;
}

/* Serves what is queued; while paused or over, waits for more. False: the owner closed the queue. */
static bool serve_commands(Trainer *trainer)
{
	while (trainer_is_over(trainer) || !trainer->is_stopping) {
		Command command;
		Error err = { 0 };
		bool is_idle = trainer->view.phase == TRAIN_PAUSED || trainer_is_over(trainer);
		if (trainer->view.phase == TRAIN_PAUSED && trainer_settle_best(trainer, &err))
			trainer_fail(trainer, &err);
		int code = queue_pop(&trainer->commands, &command, is_idle ? -1 : 0);
		if (code == ERR_TIMEOUT)
			return true;
		if (code)
			return false;
		trainer->is_stopping |= !trainer_handle(trainer, &command);
	}
	return true;
}

/* ---- updates ---- */

/* The net is as it was before: a person may change what was too much and go on, or leave it at the last checkpoint. */
static void pause_unfinite(Trainer *trainer, const Error *err)
{
	TrainView *view = &trainer->view;
	view->phase = TRAIN_PAUSED;
	trainer->n_rate = 0;
	view->steps_per_s = view->eta_s = NAN;
	char saved[32] = "none yet";
	if (view->checkpoint_steps >= 0)
		(void) snprintf(saved, sizeof saved, "%lld", (long long) view->checkpoint_steps);
	(void) snprintf(view->trouble, sizeof view->trouble, "paused: not finite; p goes on, checkpoint %s; %.40s", saved, err->text);
	trainer_tick(trainer, "not finite");
}

void trainer_fail(Trainer *trainer, const Error *err)
{
	trainer->view.phase = TRAIN_FAILED;
	if (err->code == ERR_NONFINITE && trainer->view.checkpoint_steps >= 0)
		(void) snprintf(trainer->view.trouble, sizeof trainer->view.trouble, "%.60s; R on Runs goes on from step %lld", err->text,
		                (long long) trainer->view.checkpoint_steps);
	else
		(void) snprintf(trainer->view.trouble, sizeof trainer->view.trouble, "%.115s", err->text);
}

static void note_update(Trainer *trainer, RecordUpdate *update)
{
	trainer->updates++;
	update->update = trainer->updates;
	update->steps = ppo_steps(trainer->ppo);
	double busy_s = (double) trainer->busy_ms / 1000;
	update->value[TRAIN_STEPS_PER_S] = busy_s > 0 ? (double) (update->steps - trainer->start_steps) / busy_s : NAN;
	Record record = trainer_record(trainer, RECORD_UPDATE);
	record.u.update = *update;
	trainer->config.sink->ops->write(trainer->config.sink, &record);
	trainer_view_update(trainer, update);
	trainer_record_episode(trainer);
	if (trainer->config.on_event)
		trainer->config.on_event(trainer->config.arg, &(TrainEvent) { .kind = TRAIN_EVENT_UPDATE, .update = update });
	if (trainer->follower) {
		Net *net = net_clone(ppo_net(trainer->ppo));
		if (net)
			model_policy_swap(trainer->follower, net, update->steps, "");
	}
}

/* Dual ascent on the price of a violation, by exponentiated gradient, so that it stays above 0 and finds its scale soon. */
static void follow_budget(Trainer *trainer)
{
	static const double RATE = .05, MOST = 1e3, LEAST = 1e-3;
	double budget = trainer->config.violation_budget;
	if (budget <= 0.0 || !trainer->env)
		return;
	double mean = sim_env_violations(trainer->env);
	if (isnan(mean))
		return;
	double step = fmin(fmax(mean / budget - 1.0, -1.0), 3.0);
	double cost = (double) sim_env_violation_cost(trainer->env) * exp(RATE * step);
	sim_env_set_violation_cost(trainer->env, (float) fmin(fmax(cost, LEAST), MOST));
}

static int run_stages(Trainer *trainer, Error *err)
{
	RecordUpdate update = { 0 };
	int64_t start = now_ms(trainer);
	trainer->is_collecting = trainer->config.live != NULL;
	int code = ppo_collect(trainer->ppo, err);
	trainer->is_collecting = false;
	if (code)
		return code;
	follow_budget(trainer);
	ppo_advantage(trainer->ppo);
	code = ppo_learn(trainer->ppo, update.value, err);
	trainer->busy_ms += now_ms(trainer) - start;
	if (code)
		return code;
	note_update(trainer, &update);
	return 0;
}

static void say(Trainer *trainer, const char *text)
{
	if (trainer->config.on_event)
		trainer->config.on_event(trainer->config.arg, &(TrainEvent) { .kind = TRAIN_EVENT_TROUBLE, .trouble = text });
}

/* A checkpoint that fails ends nothing: the older one stays, and it is said, once until it works again. */
static void checkpoint_or_say(Trainer *trainer)
{
	Error err = { 0 };
	char text[160];
	bool failed = trainer_save_checkpoint(trainer, &err) != 0;
	if (failed) {
		trainer->last_checkpoint_ms = now_ms(trainer);
		(void) snprintf(trainer->view.trouble, sizeof trainer->view.trouble, "checkpoint: %.100s", err.text);
	}
	if (failed != trainer->checkpoint_fails) {
		(void) snprintf(text, sizeof text, "checkpoint %s%.120s", failed ? "failed: " : "written again", err.text);
		say(trainer, text);
	}
	trainer->checkpoint_fails = failed;
}

int trainer_run_update(Trainer *trainer)
{
	Error err = { 0 };
	const TrainerConfig *config = &trainer->config;
	int code = run_stages(trainer, &err);
	if (!code)
		code = trainer_settle_best(trainer, &err);
	if (!code && config->eval_every > 0 && ppo_steps(trainer->ppo) >= trainer->next_eval)
		code = trainer_evaluate(trainer, &err);
	bool is_due = config->live || now_ms(trainer) - trainer->last_checkpoint_ms >= CHECKPOINT_MS;
	if (!code && is_due)
		code = trainer_settle_best(trainer, &err);
	if (code == ERR_CLOSED && config->live)
		trainer->is_cut = true;
	else if (code == ERR_NONFINITE && config->stop_steps)
		say(trainer, "not finite, as in the run that is repeated, where a person went on");
	else if (code == ERR_NONFINITE && config->has_console)
		pause_unfinite(trainer, &err);
	else if (code)
		trainer_fail(trainer, &err);
	else if (is_due)
		checkpoint_or_say(trainer);
	if (now_ms(trainer) - trainer->last_publish_ms >= PUBLISH_MS || trainer->view.phase >= TRAIN_PAUSED)
		trainer_publish(trainer);
	return code;
}

/* ---- the thread ---- */

typedef struct LastModel { /* on a thread of its own: it waits for the disk while the checkpoint does */
	const Trainer *trainer;
	int code;
	Error err;
} LastModel;

static void *save_last_model(void *arg)
{
	LastModel *last = arg;
	last->code = trainer_save_model(last->trainer, last->trainer->config.model_path, &last->err);
	return NULL;
}

/* The model, and the checkpoint where what stands is not only of the last whole rollout. */
static int save_last(Trainer *trainer, Error *err)
{
	LastModel last = { .trainer = trainer };
	pthread_t thread;
	bool is_beside = !trainer->is_cut && !pthread_create(&thread, NULL, save_last_model, &last);
	int code = trainer->is_cut ? trainer_settle_best(trainer, err) : trainer_save_checkpoint(trainer, err);
	if (is_beside)
		(void) pthread_join(thread, NULL);
	else
		(void) save_last_model(&last);
	if (!code && last.code)
		*err = last.err;
	return code ? code : last.code;
}

static void finish(Trainer *trainer, RunStatus status)
{
	const TrainerConfig *config = &trainer->config;
	Error err = { 0 };
	bool has_model = status != RUN_FAILED;
	if (has_model && save_last(trainer, &err)) {
		trainer_fail(trainer, &err);
		status = RUN_FAILED;
		has_model = false;
	}
	(void) trainer_settle_best(trainer, &err); /* of a run that has failed */
	Record record = trainer_record(trainer, RECORD_RUN_END);
	record.u.run_end = status;
	config->sink->ops->write(config->sink, &record);
	Error store = { 0 };
	int64_t dropped = config->sink->ops->dropped(config->sink);
	if (config->sink->ops->commit(config->sink, 5000, &store) || dropped) { /* whoever sees the end finds it in the store */
		char text[160];
		(void) snprintf(text, sizeof text, "%lld records were not stored: %.110s", (long long) dropped,
		                store.text[0] ? store.text : "the store was too slow");
		say(trainer, text);
	}
	int64_t steps = ppo_steps(trainer->ppo);
	double wall_s = (double) trainer->busy_ms / 1000;
	bool has_best = trainer->has_best && !access(config->best_path, R_OK);
	str_copy(trainer->view.saved_path, sizeof trainer->view.saved_path, has_best ? config->best_path : has_model ? config->model_path : "");
	if (config->on_event)
		config->on_event(config->arg, &(TrainEvent) {
			.kind = TRAIN_EVENT_END,
			.net = ppo_net(trainer->ppo),
			.steps = steps,
			.wall_s = wall_s,
			.steps_per_s = wall_s > 0 ? (double) (steps - trainer->start_steps) / wall_s : NAN,
			.status = status,
			.model = has_model ? config->model_path : NULL,
			.best_model = has_best ? config->best_path : NULL,
			.trouble = trainer->view.trouble,
		});
	trainer->view.steps_per_s = trainer->view.eta_s = NAN;
	trainer->view.phase = status == RUN_DONE ? TRAIN_DONE : status == RUN_STOPPED ? TRAIN_STOPPED : TRAIN_FAILED;
	trainer_publish(trainer);
}

static bool has_steps_left(const Trainer *trainer)
{
	const TrainerConfig *config = &trainer->config;
	return ppo_steps(trainer->ppo) < config->total_steps && !(config->stop_steps && ppo_steps(trainer->ppo) >= config->stop_steps);
}

static void *trainer_main(void *arg)
{
	Trainer *trainer = arg;
	if (trainer->config.has_console)
		ppo_step_aside(trainer->ppo);
	trainer->view.phase = TRAIN_RUNNING;
	trainer->last_checkpoint_ms = now_ms(trainer);
	trainer_publish(trainer);
	if (trainer->config.live)
		checkpoint_or_say(trainer); /* from the start there is something to go on from */
	bool goes_on = true;
	while (!trainer_is_over(trainer) && !trainer->is_cut && has_steps_left(trainer)) {
		goes_on = serve_commands(trainer);
		if (goes_on)
			trainer_replay_due(trainer);
		if (!goes_on || trainer->is_stopping || trainer_is_over(trainer))
			break;
		(void) trainer_run_update(trainer);
	}
	bool is_whole = trainer->is_cut || ppo_steps(trainer->ppo) >= trainer->config.total_steps; /* cut: all that there was to have */
	bool is_done = goes_on && !trainer->is_stopping && is_whole;
	finish(trainer, trainer->view.phase == TRAIN_FAILED ? RUN_FAILED : is_done ? RUN_DONE : RUN_STOPPED);
	while (serve_commands(trainer))
		; /* answers that training has ended, until the owner closes the queue */
	return NULL;
}

/* ---- life ---- */

static int build(Trainer *trainer, Error *err)
{
	const TrainerConfig *config = &trainer->config;
	if (queue_init(&trainer->commands, sizeof(Command), COMMANDS))
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	trainer->episode = calloc((size_t) config->eval_episodes + 1, sizeof *trainer->episode);
	trainer->ended = calloc((size_t) config->ppo.n_envs, sizeof *trainer->ended);
	if (!trainer->episode || !trainer->ended)
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	int code = config->live ? 0 : sim_env_new(&config->sim, (size_t) config->ppo.n_envs, &trainer->env, err);
	if (config->live)
		trainer_live_begin(trainer);
	if (!code)
		code = ppo_new(&config->ppo, trainer->config.live ? trainer->config.live : trainer->env, &trainer->ppo, err);
	if (!code && config->from && !config->resume_path)
		code = ppo_adopt(trainer->ppo, config->from, err);
	if (!code && config->resume_path)
		code = trainer_load_checkpoint(trainer, config->resume_path, err);
	if (code)
		return code;
	ppo_on_step(trainer->ppo, trainer_on_step, trainer);
	trainer->start_steps = ppo_steps(trainer->ppo);
	trainer_view_init(trainer);
	return 0;
}

int trainer_new(const TrainerConfig *config, Trainer **ret_trainer, Error *err)
{
	Trainer *trainer = calloc(1, sizeof *trainer);
	if (!trainer)
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	trainer->config = *config;
	trainer->next_eval = config->eval_every;
	snap_bus_init(&trainer->views, config->wake);
	int code = build(trainer, err);
	if (code) {
		trainer_free(trainer);
		return code;
	}
	*ret_trainer = trainer;
	return 0;
}

void trainer_free(Trainer *trainer)
{
	if (!trainer)
		return;
	ppo_free(trainer->ppo);
	env_free(trainer->env);
	queue_done(&trainer->commands);
	snap_bus_done(&trainer->views);
	free(trainer->episode);
	free(trainer->ended);
	free(trainer);
}

int trainer_start(Trainer *trainer, Error *err)
{
	if (pthread_create(&trainer->thread, NULL, trainer_main, trainer))
		return error_set(err, ERR_NOMEM, "the trainer's thread does not start");
	trainer->is_started = true;
	return 0;
}

void trainer_stop(Trainer *trainer)
{
	if (!trainer || !trainer->is_started)
		return;
	queue_close(&trainer->commands);
	(void) pthread_join(trainer->thread, NULL);
	trainer->is_started = false;
}

Net *trainer_net(const Trainer *trainer)
{
	return net_clone(ppo_net(trainer->ppo));
}

void trainer_follow(Trainer *trainer, Policy *policy)
{
	trainer->follower = policy;
}

int trainer_send(Trainer *trainer, const Command *command)
{
	return queue_push(&trainer->commands, command);
}

SnapBus *trainer_views(Trainer *trainer)
{
	return &trainer->views;
}
