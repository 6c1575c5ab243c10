/* Logic of the dialogs; see dialog.h. dialog_draw.c draws them. */
#include "tui/dialog.h"
#include "tui/keys.h"
#include "tui/screen.h"

#include "base/utf8.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOLD_FREE_MS = 3600 * 1000, REPLICAS_MOST = 100000 };

static const char *const ACTIONS[] = { "up one", "down one", "set", "resume", NULL };

/* ---- opening ---- */

static Field *add(Dialog *dialog, FieldKind kind, const char *label)
{
	Field *field = &dialog->field[dialog->n_fields++];
	*field = (Field) { .kind = kind, .label = label };
	return field;
}

/* Cancel has the focus. */
static void add_buttons(Dialog *dialog, const char *accept)
{
	dialog->focus = dialog->n_fields;
	add(dialog, FIELD_BUTTON, "Cancel")->press = DIALOG_CANCELLED;
	add(dialog, FIELD_BUTTON, accept)->press = DIALOG_ACCEPTED;
}

void dialog_refresh(Dialog *dialog, const LiveView *live)
{
	bool is_of_target = dialog->kind == DIALOG_OVERRIDE || dialog->kind == DIALOG_PAUSE || dialog->kind == DIALOG_QUIT ||
	                    dialog->kind == DIALOG_SUSPEND;
	if (!live || !is_of_target || dialog->n_bulk)
		return;
	dialog->now = live_replicas(live);
	if (dialog->kind != DIALOG_OVERRIDE || !dialog->field[OVERRIDE_REPLICAS].text[0])
		dialog->seen = dialog->now;
	dialog->min = live->target.min_replicas;
	dialog->max = live->target.max_replicas;
	char now[16] = "?";
	if (dialog->now >= 0)
		(void) snprintf(now, sizeof now, "%d", dialog->now);
	(void) snprintf(dialog->line, sizeof dialog->line, "%.40s   %s   replicas %s   allowed %d..%d", live->context,
	                state_text(live->state), now, dialog->min, dialog->max);
}

static void open_target(Dialog *dialog, DialogKind kind, const char *verb, const LiveView *live)
{
	*dialog = (Dialog) { .kind = kind, .opened = live_replicas(live), .is_simulated = live->is_simulated,
	                     .speed = live->speed };
	dialog_refresh(dialog, live);
	str_copy(dialog->name, sizeof dialog->name, live->target.name);
	(void) snprintf(dialog->title, sizeof dialog->title, "%s %.30s/%.40s", verb, live->target.namespace_,
		live->target.name);
}

void dialog_open_override(Dialog *dialog, const LiveView *live)
{
	open_target(dialog, DIALOG_OVERRIDE, "Override", live);
	add(dialog, FIELD_CHOICE, "action")->choice = ACTIONS;
	(void) add(dialog, FIELD_TEXT, "replicas");
	Field *hold = add(dialog, FIELD_TEXT, "hold for");
	str_copy(hold->text, FIELD_TEXT_MAX, "10m");
	hold->is_default = true;
	(void) add(dialog, FIELD_TEXT, "reason");
	(void) add(dialog, FIELD_TEXT, "type name");
	add_buttons(dialog, "Apply");
	if (live->state == STATE_MANUAL || live->state == STATE_PAUSED)
		dialog->field[OVERRIDE_ACTION].at = CHOICE_RESUME;
}

void dialog_make_bulk(Dialog *dialog, int n, bool is_simulated, const char *names)
{
	dialog->n_bulk = n;
	dialog->is_simulated = is_simulated;
	str_copy(dialog->targets, sizeof dialog->targets, names);
	(void) snprintf(dialog->name, sizeof dialog->name, "%d targets", n);
	(void) snprintf(dialog->title, sizeof dialog->title, "Override %d targets", n);
	str_copy(dialog->line, sizeof dialog->line, names);
}

void dialog_open_pause(Dialog *dialog, const LiveView *live)
{
	open_target(dialog, DIALOG_PAUSE, live->state == STATE_PAUSED ? "Resume" : "Pause", live);
	dialog->resumes = live->state == STATE_PAUSED;
	add_buttons(dialog, live->state == STATE_PAUSED ? "Resume" : "Pause");
}

const char *dialog_faults(void)
{
	return "pod-kill, all-killed, node-lost, cpu-stress, memory-stress, network-delay, network-loss, metrics-outage, api-refused, "
	       "slow-start, neighbour, none";
}

void dialog_open_param(Dialog *dialog, const TrainView *train, TrainParam param)
{
	static const struct {
		const char *title, *line;
	} PARAMS[PARAM_COUNT] = {
		[PARAM_LEARNING_RATE] = { "Learning rate", "from the next update on; a tick on every curve; {all.undo} undoes" },
		[PARAM_ENT_COEF] = { "Entropy coefficient", "from the next update on; a tick on every curve; {all.undo} undoes" },
		[PARAM_CLIP_RANGE] = { "Clip range", "from the next update on; a tick on every curve; {all.undo} undoes" },
		[PARAM_STEPS] = { "Steps in all", "where the training ends; {all.undo} undoes" },
		[PARAM_TRAFFIC] = { "Traffic", "x2 doubles it; a trace's name is for episodes that begin" },
		[PARAM_CHAOS] = { "Chaos", "in every environment, now; such as cpu-stress:for=5m,size=1" },
	};
	*dialog = (Dialog) { .kind = DIALOG_PARAM, .param = param, .seen = -1 };
	str_copy(dialog->title, sizeof dialog->title, PARAMS[param].title);
	str_copy(dialog->line, sizeof dialog->line, PARAMS[param].line);
	str_copy(dialog->old_text, sizeof dialog->old_text, train->setting[param]);
	if (param == PARAM_TRAFFIC)
		str_copy(dialog->targets, sizeof dialog->targets, train->traces);
	if (param == PARAM_CHAOS)
		str_copy(dialog->targets, sizeof dialog->targets, dialog_faults());
	(void) add(dialog, FIELD_TEXT, "new value");
	add_buttons(dialog, "Apply");
	dialog->focus = 0; /* level 0: nothing but this run changes, and it is recorded */
}

void dialog_open_quit(Dialog *dialog, const LiveView *live)
{
	open_target(dialog, DIALOG_QUIT, "Leave", live);
	add_buttons(dialog, "Stop scaling and quit");
	add(dialog, FIELD_BUTTON, "Go on headless")->press = DIALOG_TO_HEADLESS;
}

void dialog_open_suspend(Dialog *dialog, const LiveView *live)
{
	open_target(dialog, DIALOG_SUSPEND, "Suspend", live);
	add_buttons(dialog, "Stop scaling and suspend");
	add(dialog, FIELD_BUTTON, "Go on headless")->press = DIALOG_TO_HEADLESS;
}

void dialog_open_train(Dialog *dialog, const TrainView *train, const char *options)
{
	*dialog = (Dialog) { .kind = DIALOG_TRAIN, .seen = -1 };
	(void) snprintf(dialog->title, sizeof dialog->title, "maestro train %.70s", options);
	(void) snprintf(dialog->line, sizeof dialog->line, "run %lld stops with a checkpoint; {runs.resume} on Runs goes on with it",
	                (long long) train->run_id);
	add_buttons(dialog, "Stop it and train");
}

void dialog_open_purge(Dialog *dialog, const char *filter, int32_t n, int64_t seen_ms, const char *names)
{
	*dialog = (Dialog) { .kind = DIALOG_PURGE, .seen = -1, .n_runs = n, .seen_ms = seen_ms };
	str_copy(dialog->filter, sizeof dialog->filter, filter);
	str_copy(dialog->name, sizeof dialog->name, "trash");
	str_copy(dialog->targets, sizeof dialog->targets, names);
	(void) snprintf(dialog->title, sizeof dialog->title, "Purge %d run%s", dialog->n_runs, dialog->n_runs == 1 ? "" : "s");
	str_copy(dialog->line, sizeof dialog->line, "their records, checkpoints and models go for good: no undo");
	(void) add(dialog, FIELD_TEXT, "type trash");
	add_buttons(dialog, "Delete for good");
}

/* ---- what the fields say ---- */

int64_t dialog_parse_hold(const char *text)
{
	int64_t total = 0;
	bool has_any = false;
	while (*text) {
		char *end;
		if (!isdigit((unsigned char) *text))
			return -1;
		errno = 0;
		long value = strtol(text, &end, 10);
		int64_t unit = *end == 's' ? 1000 : *end == 'h' ? 3600000 : *end == 'm' || !*end ? 60000 : 0;
		if (errno || !unit || value > 1000000)
			return -1;
		total += value * unit;
		text = *end ? end + 1 : end;
		has_any = true;
	}
	return has_any && total > 0 ? total : -1;
}

static bool parse_count(const char *text, int32_t *ret)
{
	char *end;
	errno = 0;
	long value = strtol(text, &end, 10);
	if (!isdigit((unsigned char) *text) || *end || errno || value > REPLICAS_MOST)
		return false;
	*ret = (int32_t) value;
	return true;
}

int32_t dialog_replicas(const Dialog *dialog)
{
	if (dialog->kind != DIALOG_OVERRIDE || dialog->seen < 0)
		return -1;
	int32_t count = -1;
	switch (dialog->field[OVERRIDE_ACTION].at) {
	case CHOICE_UP: return dialog->seen + 1;
	case CHOICE_DOWN: return dialog->seen > 0 ? dialog->seen - 1 : 0;
	case CHOICE_SET: return parse_count(dialog->field[OVERRIDE_REPLICAS].text, &count) ? count : -1;
	default: return -1;
	}
}

bool dialog_needs_name(const Dialog *dialog)
{
	int32_t to = dialog_replicas(dialog);
	if (to < 0 || dialog->is_simulated) /* a simulator is no cluster */
		return false;
	if (dialog->n_bulk)
		return true;
	int32_t from = dialog->now >= 0 ? dialog->now : dialog->seen, by = abs(to - from);
	return to == 0 || to < dialog->min || to > dialog->max || (by > 1 && by * 2 > from) ||
	       dialog_parse_hold(dialog->field[OVERRIDE_HOLD].text) > HOLD_FREE_MS;
}

bool dialog_shows(const Dialog *dialog, int field)
{
	if (dialog->kind != DIALOG_OVERRIDE)
		return true;
	int choice = dialog->field[OVERRIDE_ACTION].at;
	switch (field) {
	case OVERRIDE_REPLICAS: return choice == CHOICE_SET;
	case OVERRIDE_HOLD:
	case OVERRIDE_REASON: return choice != CHOICE_RESUME;
	case OVERRIDE_NAME: return dialog_needs_name(dialog);
	default: return true;
	}
}

const char *dialog_fault(const Dialog *dialog, int field)
{
	const char *text = dialog->field[field].text;
	int32_t count;
	if (dialog->kind == DIALOG_PARAM && field == 0) {
		char *end;
		double value = strtod(text, &end);
		if (strlen(text) >= PARAM_TEXT)
			return "too long";
		if (dialog->param > PARAM_STEPS) /* the trainer says what it cannot read */
			return *text ? NULL : dialog->param == PARAM_CHAOS ? "one of these" : "such as x2, or a name";
		return !*text || *end || !isfinite(value) || value < 0 ? "a number of 0 or more is needed" : NULL;
	}
	if (dialog->kind == DIALOG_PURGE && field == 0)
		return strcmp(text, dialog->name) != 0 ? "type trash" : NULL;
	if (dialog->kind != DIALOG_OVERRIDE || !dialog_shows(dialog, field))
		return NULL;
	switch (field) {
	case OVERRIDE_REPLICAS: return parse_count(text, &count) ? NULL : "a whole number is needed";
	case OVERRIDE_HOLD: return dialog_parse_hold(text) < 0 ? "such as 90s, 10m or 1h" : NULL;
	case OVERRIDE_NAME: return strcmp(text, dialog->name) != 0 ? "type the target's name" : NULL;
	default: return NULL;
	}
}

/* Says what a field lacks and puts the focus there; false: it lacks nothing. */
static bool complain(Dialog *dialog, int field)
{
	const char *fault = dialog_fault(dialog, field);
	if (!fault)
		return false;
	(void) snprintf(dialog->problem, sizeof dialog->problem, "%s: %s", dialog->field[field].label, fault);
	dialog->focus = field;
	return true;
}

/* Whether Apply may not go ahead; it is said why. */
static bool is_refused(Dialog *dialog)
{
	for (int i = 0; i < dialog->n_fields; i++)
		if (complain(dialog, i))
			return true;
	if (dialog->kind != DIALOG_OVERRIDE || dialog->field[OVERRIDE_ACTION].at == CHOICE_RESUME || dialog->seen >= 0)
		return false;
	str_copy(dialog->problem, sizeof dialog->problem, "the present replicas are not known: nothing to check a change by");
	return true;
}

/* ---- keys ---- */

static void move(Dialog *dialog, int by)
{
	do
		dialog->focus = (dialog->focus + by + dialog->n_fields) % dialog->n_fields;
	while (!dialog_shows(dialog, dialog->focus));
}

static int count_choices(const Field *field)
{
	int n = 0;
	while (field->choice[n])
		n++;
	return n;
}

static void append(char *text, size_t size, int key)
{
	char s[4];
	size_t len = strlen(text), n = utf8_put(s, (uint32_t) key);
	if (len + n >= size)
		return;
	memcpy(text + len, s, n);
	text[len + n] = '\0';
}

static void rub_out(char *text)
{
	size_t len = strlen(text);
	while (len > 0 && ((unsigned char) text[len - 1] & 0xc0) == 0x80)
		len--;
	text[len > 0 ? len - 1 : 0] = '\0';
}

/* A digit typed on a button or on the choice starts "set N": the shortest way to the commonest wish. */
static void type(Dialog *dialog, int key)
{
	Field *field = &dialog->field[dialog->focus];
	if (dialog->kind == DIALOG_OVERRIDE && field->kind != FIELD_TEXT && key >= '0' && key <= '9') {
		dialog->field[OVERRIDE_ACTION].at = CHOICE_SET;
		dialog->focus = OVERRIDE_REPLICAS;
		field = &dialog->field[OVERRIDE_REPLICAS];
		field->text[0] = '\0';
	}
	if (field->kind != FIELD_TEXT || key >= KEY_UP_) /* from there on they are no characters */
		return;
	if (field->is_default && key >= ' ' && key != KEY_RUBOUT)
		field->text[0] = '\0';
	field->is_default = false;
	if (key == KEY_RUBOUT)
		rub_out(field->text);
	else if (key >= ' ')
		append(field->text, FIELD_TEXT_MAX, key);
}

static void turn(Dialog *dialog, int by)
{
	Field *field = &dialog->field[dialog->focus];
	if (field->kind == FIELD_CHOICE) {
		int n = count_choices(field);
		field->at = (field->at + by + n) % n;
	} else if (field->kind == FIELD_BUTTON) {
		move(dialog, by);
	}
}

/*
 * From a field to the next one, from the last to Apply, past Cancel. A number of replicas says all that is needed: from
 * it straight to Apply, or to the name where that is asked for; Tab is the way to the rest.
 */
static void enter_field(Dialog *dialog)
{
	if (dialog->kind == DIALOG_OVERRIDE && dialog->focus == OVERRIDE_REPLICAS) {
		if (!complain(dialog, OVERRIDE_REPLICAS))
			dialog->focus = dialog_shows(dialog, OVERRIDE_NAME) ? OVERRIDE_NAME : OVERRIDE_APPLY;
		return;
	}
	if (complain(dialog, dialog->focus))
		return;
	move(dialog, 1);
	if (dialog->field[dialog->focus].press == DIALOG_CANCELLED)
		move(dialog, 1);
}

static DialogResult enter(Dialog *dialog)
{
	const Field *field = &dialog->field[dialog->focus];
	if (field->kind != FIELD_BUTTON) {
		enter_field(dialog);
		return DIALOG_STAYS;
	}
	return field->press == DIALOG_ACCEPTED && is_refused(dialog) ? DIALOG_STAYS : field->press;
}

DialogResult dialog_key(Dialog *dialog, int key)
{
	dialog->problem[0] = '\0';
	switch (key) {
	case KEY_ESC:
	case KEY_CTRL_C: return DIALOG_CANCELLED;
	case KEY_ENTER_: return enter(dialog);
	case KEY_TAB_:
	case KEY_DOWN_: move(dialog, 1); break;
	case KEY_BACK_TAB:
	case KEY_UP_: move(dialog, -1); break;
	case KEY_LEFT_: turn(dialog, -1); break;
	case KEY_RIGHT_: turn(dialog, 1); break;
	default: type(dialog, key); break;
	}
	return DIALOG_STAYS;
}

/* ---- out ---- */

bool dialog_command(const Dialog *dialog, Command *ret_command)
{
	*ret_command = (Command) { 0 };
	if (dialog->kind == DIALOG_PARAM) {
		ret_command->kind = COMMAND_TRAIN_SET;
		ret_command->u.set.param = dialog->param;
		str_copy(ret_command->u.set.text, sizeof ret_command->u.set.text, dialog->field[0].text);
		return true;
	}
	if (dialog->kind == DIALOG_PURGE) {
		ret_command->kind = COMMAND_RUN_EDIT;
		ret_command->u.edit.what = EDIT_PURGE;
		ret_command->u.edit.n = dialog->n_runs;
		ret_command->u.edit.seen_ms = dialog->seen_ms;
		str_copy(ret_command->u.edit.text, sizeof ret_command->u.edit.text, dialog->filter);
		return true;
	}
	if (dialog->kind == DIALOG_PAUSE) {
		ret_command->kind = dialog->resumes ? COMMAND_LIVE_RESUME : COMMAND_LIVE_PAUSE;
		return true;
	}
	if (dialog->kind != DIALOG_OVERRIDE)
		return false;
	if (dialog->field[OVERRIDE_ACTION].at == CHOICE_RESUME) {
		ret_command->kind = COMMAND_LIVE_RESUME;
		return true;
	}
	ret_command->kind = COMMAND_LIVE_OVERRIDE;
	ret_command->u.override_.replicas = dialog_replicas(dialog);
	ret_command->u.override_.hold_ms = dialog_parse_hold(dialog->field[OVERRIDE_HOLD].text);
	ret_command->u.override_.seen = dialog->seen;
	str_copy(ret_command->u.override_.reason, sizeof ret_command->u.override_.reason, dialog->field[OVERRIDE_REASON].text);
	return true;
}

void dialog_what(const Dialog *dialog, char *text, size_t size)
{
	Command command;
	text[0] = '\0';
	if (!dialog_command(dialog, &command))
		return;
	if (command.kind == COMMAND_TRAIN_SET && dialog->param > PARAM_STEPS) /* long: the line is short */
		(void) snprintf(text, size, "%s %s", dialog->title, command.u.set.text);
	else if (command.kind == COMMAND_TRAIN_SET)
		(void) snprintf(text, size, "%s %s -> %s", dialog->title, dialog->old_text, command.u.set.text);
	else if (command.kind == COMMAND_RUN_EDIT)
		(void) snprintf(text, size, "purge");
	else if (command.kind == COMMAND_LIVE_OVERRIDE)
		(void) snprintf(text, size, "%.40s replicas %d -> %d", dialog->name, dialog->seen, command.u.override_.replicas);
	else
		(void) snprintf(text, size, "%s %.40s", command.kind == COMMAND_LIVE_PAUSE ? "pause" : "resume", dialog->name);
}
