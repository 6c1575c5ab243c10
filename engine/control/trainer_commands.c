/*
 * What a person tells the trainer between two updates, and the same told again: a change is a parameter's name and its new
 * value in words, so that the row in `interventions` is all that a repeat needs.
 */
#include "control/trainer_internal.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void answer(Trainer *trainer, const Command *command, int code, const char *text)
{
	answers_add(&trainer->view.answers, command->id, code, text);
	trainer_publish(trainer);
}

static void record(Trainer *trainer, const char *who, const char *what, const char *from, const char *to)
{
	Record record = trainer_record(trainer, RECORD_INTERVENTION);
	RecordIntervention *row = &record.u.intervention;
	row->steps = ppo_steps(trainer->ppo);
	str_copy(row->what, sizeof row->what, what);
	str_copy(row->from, sizeof row->from, from);
	str_copy(row->to, sizeof row->to, to);
	str_copy(row->who, sizeof row->who, who);
	trainer->config.sink->ops->write(trainer->config.sink, &record);
}

/* ---- parameters: each takes its new value in words and writes what it has become ---- */

typedef int SetParam(Trainer *trainer, TrainParam param, const char *text, char became[PARAM_TEXT], Error *err);

static int read_number(const char *text, double least, double most, double *ret, Error *err)
{
	char *end;
	*ret = strtod(text, &end);
	if (end == text || *end || !(*ret >= least && *ret <= most))
		return error_set(err, ERR_INVALID, "%.40s: write a number in %g..%g", text, least, most);
	return 0;
}

static int set_number(Trainer *trainer, TrainParam param, const char *text, char became[PARAM_TEXT], Error *err)
{
	static const struct {
		TrainMetric metric; /* its figure in the view */
		double most;
		void (*set)(Ppo *ppo, double value);
	} NUMBERS[] = {
		[PARAM_LEARNING_RATE] = { TRAIN_LEARNING_RATE, 1, ppo_set_learning_rate },
		[PARAM_ENT_COEF] = { TRAIN_ENT_COEF, 10, ppo_set_ent_coef },
		[PARAM_CLIP_RANGE] = { TRAIN_CLIP_RANGE, 1, ppo_set_clip_range },
	};
	double value;
	int code = read_number(text, 0, NUMBERS[param].most, &value, err);
	if (code)
		return code;
	NUMBERS[param].set(trainer->ppo, value);
	trainer->view.now[NUMBERS[param].metric] = value;
	str_copy(became, PARAM_TEXT, text);
	return 0;
}

/* The header of the model says to how many steps it was trained. */
static void tell_model(ModelInfo *info, int64_t steps)
{
	static const char KEY[] = "\"steps\":";
	char *at = strstr(info->train_json, KEY), rest[sizeof info->train_json];
	if (!at)
		return;
	at += sizeof KEY - 1;
	str_copy(rest, sizeof rest, at + strspn(at, "0123456789"));
	(void) snprintf(at, sizeof info->train_json - (size_t) (at - info->train_json), "%lld%s", (long long) steps, rest);
}

static int set_steps(Trainer *trainer, TrainParam param, const char *text, char became[PARAM_TEXT], Error *err)
{
	double value;
	(void) param;
	int code = read_number(text, 1, 1e12, &value, err);
	if (code)
		return code;
	trainer->config.total_steps = (int64_t) value;
	ppo_set_total_steps(trainer->ppo, (int64_t) value);
	trainer_view_total(trainer);
	tell_model(&trainer->config.info, trainer->config.total_steps);
	(void) snprintf(became, PARAM_TEXT, "%lld", (long long) value);
	return 0;
}

static int find_trace(const SimConfig *sim, const char *name, size_t len, int32_t *ret)
{
	int32_t found = 0;
	for (size_t i = 0; sim->trace && i < (sim->n_traces ? sim->n_traces : 1); i++) {
		if (strncmp(sim->trace[i].name, name, len))
			continue;
		*ret = (int32_t) i;
		found = strlen(sim->trace[i].name) == len ? 1 : found + 1;
		if (strlen(sim->trace[i].name) == len)
			break;
	}
	return found == 1 ? 0 : ERR_NOT_FOUND;
}

/* "[TRACE or all] [xSCALE]": what is left out is all, and 1. */
static int set_traffic(Trainer *trainer, TrainParam param, const char *text, char became[PARAM_TEXT], Error *err)
{
	double scale = 1;
	int32_t trace = -1;
	(void) param;
	for (const char *at = text; *(at += strspn(at, " "));) {
		size_t len = strcspn(at, " ");
		char *end = NULL;
		double times = at[0] == 'x' && (isdigit((unsigned char) at[1]) || at[1] == '.') ? strtod(at + 1, &end) : 0;
		if (end && end == at + len)
			scale = times;
		else if ((len != 3 || strncmp(at, "all", 3)) && find_trace(&trainer->config.sim, at, len, &trace))
			return error_set(err, ERR_INVALID, "%.*s: no such trace; write %.80s, or xSCALE", (int) (len < 32 ? len : 32), at,
			                 trainer->view.traces);
		at += len;
	}
	if (sim_env_set_traffic(trainer->env, scale, trace))
		return error_set(err, ERR_INVALID, "x%g: the scale is above 0, 100 at most", scale);
	(void) snprintf(became, PARAM_TEXT, "%.48s x%g", trace < 0 ? "all" : trainer->config.sim.trace[trace].name, scale);
	return 0;
}

static int set_chaos(Trainer *trainer, TrainParam param, const char *text, char became[PARAM_TEXT], Error *err)
{
	ChaosPlan fault;
	(void) param;
	bool is_end = !strcmp(text, "none");
	int code = is_end ? 0 : chaos_parse(text, &fault, err);
	if (!code && sim_env_fault(trainer->env, is_end ? NULL : &fault))
		code = error_set(err, ERR_INVALID, "this training's environment takes no faults");
	if (code)
		return code;
	char spec[CHAOS_TEXT];
	str_copy(became, PARAM_TEXT, is_end ? "none" : chaos_text(&fault, spec));
	return 0;
}

static SetParam *const SET[PARAM_COUNT] = {
	[PARAM_LEARNING_RATE] = set_number, [PARAM_ENT_COEF] = set_number, [PARAM_CLIP_RANGE] = set_number,
	[PARAM_STEPS] = set_steps, [PARAM_TRAFFIC] = set_traffic, [PARAM_CHAOS] = set_chaos,
};

/* Sets, marks it on the curves, and writes a row where that is asked for. */
static int change(Trainer *trainer, const TrainChange *wish, Error *err)
{
	char became[PARAM_TEXT], label[PARAM_TEXT + 24];
	TrainParam param = wish->param;
	if (param >= PARAM_COUNT || (param >= PARAM_TRAFFIC && !trainer->env))
		return error_set(err, ERR_INVALID, "only a simulated environment can be changed so");
	int code = SET[param](trainer, param, wish->to, became, err);
	if (code)
		return code;
	/* a fault that is over cannot be begun again by an undo */
	const char *from = wish->from[0] ? wish->from : param == PARAM_CHAOS ? "none" : trainer->view.setting[param];
	if (!wish->is_recorded)
		record(trainer, wish->who, train_param_name(param), from, became);
	str_copy(trainer->view.setting[param], PARAM_TEXT, became);
	trainer->changes++;
	(void) snprintf(label, sizeof label, "%s %.*s", train_param_label(param), (int) strcspn(became, ":"), became);
	trainer_tick(trainer, label);
	return 0;
}

static void set_param(Trainer *trainer, const Command *command)
{
	Error err = { 0 };
	TrainChange wish = { .param = command->u.set.param };
	str_copy(wish.to, sizeof wish.to, command->u.set.text);
	str_copy(wish.who, sizeof wish.who, command->who);
	int code = change(trainer, &wish, &err);
	answer(trainer, command, code, code ? err.text : "from the next update on");
}

void trainer_replay_due(Trainer *trainer)
{
	const TrainerConfig *config = &trainer->config;
	while (trainer->changes < config->n_changes && !trainer_is_over(trainer)) {
		const TrainChange *due = &config->change[trainer->changes];
		Error err = { 0 };
		if (due->steps > ppo_steps(trainer->ppo))
			return;
		if (change(trainer, due, &err))
			trainer_fail(trainer, &err);
	}
}

/* ---- the rest ---- */

static void checkpoint_now(Trainer *trainer, const Command *command)
{
	Error err = { 0 };
	char text[160];
	int code = trainer_keep_checkpoint(trainer, &err);
	if (!code)
		code = trainer_save_checkpoint(trainer, &err);
	(void) snprintf(text, sizeof text, "checkpoint at %lld steps, kept and read back",
	                (long long) ppo_steps(trainer->ppo));
	answer(trainer, command, code, code ? err.text : text);
}

static void set_paused(Trainer *trainer, const Command *command)
{
	bool is_paused = trainer->view.phase == TRAIN_PAUSED;
	if (is_paused == command->u.flag) {
		answer(trainer, command, 0, is_paused ? "already paused" : "already running");
		return;
	}
	trainer->view.phase = command->u.flag ? TRAIN_PAUSED : TRAIN_RUNNING;
	trainer->n_rate = 0; /* a rate over a pause would be none */
	trainer->view.steps_per_s = trainer->view.eta_s = NAN;
	const char *what = command->u.flag ? "pause" : "resume";
	record(trainer, command->who, what, is_paused ? "paused" : "running", command->u.flag ? "paused" : "running");
	trainer_tick(trainer, what);
	answer(trainer, command, 0, command->u.flag ? "paused between updates" : "running");
}

static void one_update(Trainer *trainer, const Command *command)
{
	if (trainer->view.phase != TRAIN_PAUSED) {
		answer(trainer, command, ERR_INVALID, "pause first");
		return;
	}
	if (ppo_steps(trainer->ppo) >= trainer->config.total_steps) {
		answer(trainer, command, ERR_CLOSED, "all steps are done: p ends the run");
		return;
	}
	bool failed = trainer_run_update(trainer) != 0;
	answer(trainer, command, failed ? ERR_FAILED : 0, failed ? trainer->view.trouble : "one update done");
}

static void evaluate_now(Trainer *trainer, const Command *command)
{
	Error err = { 0 };
	char text[160];
	int code = trainer_evaluate(trainer, &err);
	const TrainView *view = &trainer->view;
	if (!code)
		code = trainer_settle_best(trainer, &err);
	if (!code)
		(void) snprintf(text, sizeof text, "mean reward %.4g over %d episodes of held-out traffic",
		                (double) view->eval[view->n_evals - 1].mean_reward, trainer->config.eval_episodes);
	answer(trainer, command, code, code ? err.text : text);
}

static void stop_now(Trainer *trainer, const Command *command)
{
	char text[120];
	trainer->is_stopping = true;
	(void) snprintf(text, sizeof text, "saved at %lld steps; on Runs (3) R goes on with it", (long long) ppo_steps(trainer->ppo));
	answer(trainer, command, 0, text);
}

bool trainer_handle(Trainer *trainer, const Command *command)
{
	static void (*const HANDLERS[])(Trainer *, const Command *) = {
		[COMMAND_STOP] = stop_now, [COMMAND_TRAIN_PAUSE] = set_paused, [COMMAND_TRAIN_ONE_UPDATE] = one_update,
		[COMMAND_TRAIN_CHECKPOINT] = checkpoint_now, [COMMAND_TRAIN_SET] = set_param, [COMMAND_TRAIN_EVALUATE] = evaluate_now,
	};
	size_t kind = command->kind;
	bool needs_all = kind == COMMAND_TRAIN_ONE_UPDATE || kind == COMMAND_TRAIN_CHECKPOINT || kind == COMMAND_TRAIN_EVALUATE;
	if (kind >= sizeof HANDLERS / sizeof *HANDLERS || !HANDLERS[kind])
		answer(trainer, command, ERR_INVALID, "not a command for training");
	else if (trainer_is_over(trainer))
		answer(trainer, command, ERR_CLOSED, "training has ended");
	else if (trainer->is_collecting && needs_all)
		answer(trainer, command, ERR_BUSY, "a live rollout is under way; a checkpoint follows each of them");
	else
		HANDLERS[kind](trainer, command);
	return !trainer->is_stopping;
}
