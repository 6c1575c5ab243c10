/* What Train does: every change is a command that the trainer takes between two updates. */
#include "tui/console.h"

#include <stdio.h>

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
	char text[200];
	if (!console->opts.next || scales_targets(console)) {
		(void) snprintf(text, sizeof text, "in another terminal: maestro train %.150s", options);
		console_say(console, ROLE_WARN, text);
		return;
	}
	str_copy(console->opts.next, UI_NEXT, options);
	if (train && train->phase < TRAIN_DONE)
		dialog_open_train(&console->dialog, train, options);
	else
		console->is_leaving = true;
}

bool train_act(Console *console, UiAction action)
{
	const TrainView *train = console->frame.train;
	if (!train)
		return false;
	switch (action) {
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
	case ACT_TRAIN_EVALUATE: send_flag(console, COMMAND_TRAIN_EVALUATE, true, "evaluation"); return true;
	case ACT_TRAIN_STOP: send_flag(console, COMMAND_STOP, true, "stop"); return true;
	case ACT_TRAIN_CLIP: dialog_open_param(&console->dialog, train, PARAM_CLIP_RANGE); return true;
	default: return false;
	}
}
