/* What an answered prompt does. */
#include "tui/console.h"
#include "tui/screen_policy.h"

#include <stdio.h>
#include <string.h>

char *console_filter(Console *console)
{
	return console->screen == SCREEN_EVENTS ? console->log.filter :
	       console->screen == SCREEN_TARGETS ? console->targets.filter : console->runs.filter;
}

static void set_filter(Console *console, const char *text)
{
	str_copy(console_filter(console), FILTER_TEXT, text);
	if (console->screen == SCREEN_RUNS)
		console->runs.offset = console->runs.selected = 0;
	console->targets.selected = console->log.selected = 0;
	console_refresh(console, console->now_ms);
}

static void tag(Console *console, const char *text)
{
	Command redo = { .kind = COMMAND_RUN_EDIT };
	bool is_off = text[0] == '-';
	char what[80], back[80];
	redo.u.edit.n = console_picked_runs(console, redo.u.edit.run, EDIT_RUNS);
	str_copy(redo.u.edit.text, sizeof redo.u.edit.text, text + is_off);
	if (!redo.u.edit.n || !redo.u.edit.text[0])
		return;
	Command undo = redo;
	redo.u.edit.what = is_off ? EDIT_UNTAG : EDIT_TAG;
	undo.u.edit.what = is_off ? EDIT_TAG : EDIT_UNTAG;
	(void) snprintf(what, sizeof what, "tag %s%.40s", is_off ? "-" : "", redo.u.edit.text);
	(void) snprintf(back, sizeof back, "tag %s%.40s", is_off ? "" : "-", redo.u.edit.text);
	console_change(console, &redo, what, &undo, back);
}

static void note(Console *console, const char *text)
{
	const RunsView *view = &console->runs;
	const ArchiveAnswer *list = talk_answer(&console->talk, SLOT_RUNS);
	int64_t at = view->selected - view->offset;
	if (!list || at < 0 || at >= list->n_rows)
		return;
	Command redo = { .kind = COMMAND_RUN_EDIT, .u.edit = { .what = EDIT_NOTE, .n = 1, .run = { list->row[at].id } } };
	Command undo = redo;
	str_copy(redo.u.edit.text, sizeof redo.u.edit.text, text);
	str_copy(undo.u.edit.text, sizeof undo.u.edit.text, list->row[at].note);
	console_change(console, &redo, "note", &undo, "note as before");
}

ConsoleResult console_answered(Console *console)
{
	Prompt *prompt = &console->prompt;
	PromptKind kind = prompt->kind;
	char text[PROMPT_TEXT];
	str_copy(text, sizeof text, prompt->text);
	if (kind == PROMPT_PALETTE)
		return palette_run(console);
	prompt->kind = PROMPT_NONE;
	switch (kind) {
	case PROMPT_FILTER: set_filter(console, text); break;
	case PROMPT_TAG: tag(console, text); break;
	case PROMPT_NOTE: note(console, text); break;
	case PROMPT_FIX: policy_fix(console, text); break;
	case PROMPT_TRAIN:
		console_train(console, text);
		return console->is_leaving ? CONSOLE_TRAIN : CONSOLE_STAYS;
	case PROMPT_EXPORT:
		str_copy(console->export_path, sizeof console->export_path, text);
		return text[0] ? CONSOLE_EXPORT : CONSOLE_STAYS;
	default: break;
	}
	return CONSOLE_STAYS;
}
