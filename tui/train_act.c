/* What Train does: every change is a command that the trainer takes between two updates. */
#include "tui/commands.h"
#include "tui/console.h"
#include "tui/screen_runs.h"

#include <stdio.h>
#include <string.h>

static void send_flag(Console *console, CommandKind kind, bool flag, const char *what)
{
	(void) console_send(console, &(Command) { .kind = kind, .u.flag = flag }, what);
}

/* The writes of this process to real targets would stop; UI_TRAIN ends the process. */
static bool scales_targets(const Console *console)
{
	for (int i = 0; i < console->frame.n_targets && !console->feed->is_remote; i++)
		if (!console->frame.target[i]->is_simulated)
			return true;
	return false;
}

void console_train(Console *console, const char *options)
{
	const TrainView *train = console->frame.train;
	Error err = { 0 };
	if (!options[strspn(options, " \t")]) {
		console_say(console, ROLE_WARN, "no training begins of nothing: --steps 8000000 is the default one");
		return;
	}
	if (console->opts.check_next && console->opts.check_next(options, &err)) { /* this console would end, and what it holds with it */
		console_say(console, ROLE_WARN, err.text);
		return;
	}
	if (!console->opts.next || scales_targets(console)) {
		char db[SHELL_TEXT], text[UI_NEXT + SHELL_TEXT];
		shell_fill(console, "{db}", db, sizeof db);
		(void) snprintf(text, sizeof text, "in another terminal: maestro train %s%s", options, strstr(options, "--db") ? "" : db);
		console_say(console, ROLE_WARN, text);
		return;
	}
	str_copy(console->opts.next, UI_NEXT, options);
	if (train && train->phase < TRAIN_DONE)
		dialog_open_train(&console->dialog, train, options);
	else
		console->is_leaving = true;
}

void console_begin(Console *console)
{
	console_prompt(console, PROMPT_TRAIN, "maestro train", "--steps 4000000 --name mine");
}

static void resume(Console *console, const TrainView *train)
{
	char text[64];
	(void) snprintf(text, sizeof text, "--resume %lld", (long long) train->run_id);
	if (train->phase == TRAIN_STOPPED || train->phase == TRAIN_FAILED)
		console_train(console, text);
	else
		console_say(console, ROLE_WARN, train->phase == TRAIN_DONE ? "it has done all its steps; {train.fork} forks it, with more: --steps N"
		                                                           : "it is training; {train.stop} stops it");
}

/* The run among the marked ones of Runs, where the others are. */
static void compare(Console *console, const TrainView *train)
{
	char text[120];
	console_go(console, SCREEN_RUNS);
	if (console->screen != SCREEN_RUNS)
		return;
	runs_mark(console, train->run_id, true);
	(void) snprintf(text, sizeof text, "run %lld is marked; {runs.mark} marks others, then {runs.compare} compares them", (long long) train->run_id);
	console_say(console, ROLE_INFO, text);
}

static void evaluate(Console *console, const TrainView *train)
{
	char shell[SHELL_TEXT], text[SHELL_TEXT + 32];
	if (train->phase < TRAIN_DONE) {
		send_flag(console, COMMAND_TRAIN_EVALUATE, true, "evaluation");
		return;
	}
	action_shell(console, SCREEN_TRAIN, ACT_TRAIN_EVALUATE, shell, sizeof shell);
	(void) snprintf(text, sizeof text, "in another terminal: %s", shell);
	console_say(console, ROLE_INFO, text);
}

bool train_act(Console *console, UiAction action)
{
	const TrainView *train = console->frame.train;
	if (!train)
		return false;
	switch (action) {
	case ACT_BEGIN: console_begin(console); return true;
	case ACT_FORK: runs_fork_last(console, train->run_id, train->name); return true;
	case ACT_COMPARE: compare(console, train); return true;
	case ACT_RESUME: resume(console, train); return true;
	case ACT_TRAIN_PAUSE: {
		bool pause = train->phase != TRAIN_PAUSED;
		send_flag(console, COMMAND_TRAIN_PAUSE, pause, pause ? "pause training" : "go on training");
		return true;
	}
	case ACT_TRAIN_ONE:
		if (train->phase == TRAIN_PAUSED)
			send_flag(console, COMMAND_TRAIN_ONE_UPDATE, true, "one update");
		else
			console_say(console, ROLE_WARN, "one update: pause first ({train.pause})");
		return true;
	case ACT_TRAIN_CHECKPOINT: send_flag(console, COMMAND_TRAIN_CHECKPOINT, true, "checkpoint"); return true;
	case ACT_TRAIN_LR: dialog_open_param(&console->dialog, train, PARAM_LEARNING_RATE); return true;
	case ACT_TRAIN_ENT: dialog_open_param(&console->dialog, train, PARAM_ENT_COEF); return true;
	case ACT_TRAIN_TRAFFIC: dialog_open_param(&console->dialog, train, PARAM_TRAFFIC); return true;
	case ACT_TRAIN_CHAOS: dialog_open_param(&console->dialog, train, PARAM_CHAOS); return true;
	case ACT_TRAIN_EVALUATE: evaluate(console, train); return true;
	case ACT_TRAIN_STOP: send_flag(console, COMMAND_STOP, true, "stop"); return true;
	case ACT_TRAIN_CLIP: dialog_open_param(&console->dialog, train, PARAM_CLIP_RANGE); return true;
	default: return false;
	}
}
