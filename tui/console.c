/* Frames in, keys to actions; see console.h. console_draw.c draws, the screens' own actions stand with the screens. */
#include "tui/console.h"
#include "tui/compare_work.h"
#include "tui/screen_live.h"
#include "tui/screen_targets.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE_MS = 6000, PAGE = 10 };

/* ---- frames ---- */

static const CommandAnswers *answers_of(const Console *console, AnswerFrom from)
{
	const FeedFrame *frame = &console->frame;
	switch (from) {
	case FROM_LIVE: return frame->live ? &frame->live->answers : NULL;
	case FROM_TRAIN: return frame->train ? &frame->train->answers : NULL;
	default: return frame->archive ? &frame->archive->answers : NULL;
	}
}

static void look_for_answer(Console *console)
{
	Message *m = &console->message;
	const CommandAnswers *answers = answers_of(console, m->from);
	for (int i = 0; answers && m->pending_id && i < answers->n; i++) {
		const CommandAnswer *a = &answers->answer[i];
		if (a->id != m->pending_id)
			continue;
		(void) snprintf(m->text, sizeof m->text, "%s: %s", m->what,
		                a->text[0] ? a->text : a->code ? err_text(a->code) : "done");
		m->role = a->code ? ROLE_BAD : ROLE_OK;
		m->pending_id = 0;
		m->until_ms = console->now_ms + MESSAGE_MS;
		if (m->from == FROM_STORE)
			console->runs.is_asked_anew = true;
	}
	if (!m->pending_id && m->until_ms && console->now_ms >= m->until_ms)
		m->until_ms = 0;
}

static void choose_target(Console *console)
{
	FeedFrame *frame = &console->frame;
	if (console->target >= frame->n_targets)
		console->target = 0;
	if (frame->n_targets)
		frame->live = frame->target[console->target];
}

/* A simulated target is begun by the first screen that shows one, and recorded from Live on. */
static void begin_target(Console *console, const ScreenOps *ops)
{
	Error err = { 0 };
	bool is_wanted = ops->needs != NEEDS_NOTHING && console->feed->can_begin;
	int code = is_wanted ? console->feed->ops->begin(console->feed, ops->needs == NEEDS_RECORDED && !console->opts.is_once, &err) : 0;
	if (code && strcmp(console->not_begun, err.text) != 0) /* once: the keys have their place back after it */
		console_say(console, ROLE_BAD, err.text);
	if (code || ops->needs == NEEDS_RECORDED) /* another screen, which wants less, has not heard whether it is stored */
		str_copy(console->not_begun, sizeof console->not_begun, code ? err.text : "");
}

bool console_may_have_target(const Console *console)
{
	return console->frame.n_targets > 0 || console->feed->can_begin || console->feed->is_remote;
}

bool console_lacks_target(const Console *console)
{
	return screen_ops(console->screen)->needs != NEEDS_NOTHING && !console->frame.live;
}

static void refresh_screen(Console *console)
{
	const ScreenOps *ops = screen_ops(console->screen);
	begin_target(console, ops);
	if (ops->refresh)
		ops->refresh(console);
}

void console_refresh(Console *console, int64_t now_ms)
{
	console->now_ms = now_ms;
	if (console->is_frozen && console->has_frame)
		return;
	if (console->has_frame)
		console->feed->ops->release(console->feed, &console->frame);
	console->frame = (FeedFrame) { 0 };
	console->has_frame = console->feed->ops->next(console->feed, &console->frame) == 0;
	console->taken_ms = now_ms;
	choose_target(console);
	const LiveView *live = console->frame.live;
	if (live && live->wall_ms != console->live_wall_ms) {
		console->live_wall_ms = live->wall_ms;
		console->live_seen_ms = console->frame.wall_ms;
	}
	dialog_refresh(&console->dialog, live);
	look_for_answer(console);
	(void) talk_take(&console->talk, console->frame.archive, now_ms);
	refresh_screen(console);
}

bool console_has(const Console *console, ScreenId screen)
{
	return screen_ops(screen)->is_there(console);
}

bool console_is_readonly(const Console *console)
{
	return console->opts.is_readonly || (console->frame.live && console->frame.live->is_readonly);
}

/* Nothing trained yet; on a cluster that takes an hour, and the ticks do. */
static bool is_before_first_update(const Console *console)
{
	const TrainView *train = console->frame.train;
	return console->screen == SCREEN_TRAIN && train && !train->is_live && train->phase < TRAIN_PAUSED && !train->update;
}

bool console_awaits(const Console *console)
{
	bool is_late = console->talk.asked_slot == SLOT_NEWS && talk_answer(&console->talk, SLOT_NEWS); /* but the first come with the data */
	bool is_asked = console->talk.asked_id != 0 && !is_late;
	bool comes = console->frame.live ? !console->frame.live->n_rows : console->feed->can_begin;
	bool is_blank = screen_ops(console->screen)->needs != NEEDS_NOTHING && comes;
	return is_asked || is_blank || is_before_first_update(console) || (console->screen == SCREEN_COMPARE && console->work && compare_work_is_done(console->work));
}

bool console_is_settled(const Console *console)
{
	const ScreenOps *ops = screen_ops(console->screen);
	return !ops->is_settled || ops->is_settled(console);
}

void console_unfreeze(Console *console)
{
	if (!console->is_frozen)
		return;
	console->is_frozen = false;
	console_refresh(console, console->now_ms);
}

/* ---- life ---- */

/* A file that is not there or cannot be read is no choice. */
static void read_columns(Console *console)
{
	enum { FILE_MOST = 1 << 16 };
	StrBuf text = { 0 };
	Error err = { 0 };
	if (console->opts.columns_path[0] && !mem_read_file(console->opts.columns_path, FILE_MOST, &text, &err) && text.data)
		columns_read(&console->columns, text.data);
	strbuf_done(&text);
}

/* What the command line says that the first screen shows. */
static void take_wishes(Console *console)
{
	CompareView *compare = &console->compare;
	if (console->opts.filter)
		str_copy(console_filter(console), FILTER_TEXT, console->opts.filter);
	for (const char *at = console->opts.runs; at && *at && compare->n_ids < ARCHIVE_COMPARE; at += *at == ',') {
		char *end;
		int64_t id = strtoll(at, &end, 10);
		if (end == at)
			break;
		compare->id[compare->n_ids++] = id;
		at = end;
	}
}

int console_init(Console *console, Feed *feed, const UiOptions *opts, GlyphMode glyphs, int rows, int cols)
{
	*console = (Console) { .feed = feed, .opts = *opts, .screen = opts->screen, .smoothing = .9f, .window = 1, .former = -1 };
	console->canvas.glyphs = glyphs_table(glyphs);
	keys_default(&console->keymap);
	read_columns(console);
	if (opts->keymap)
		console->keymap = *opts->keymap;
	if (canvas_resize(&console->canvas, rows, cols))
		return ERR_NOMEM;
	talk_init(&console->talk, feed);
	take_wishes(console);
	console_refresh(console, 0);
	for (int i = 0; i < SCREEN_COUNT && !console_has(console, console->screen); i++)
		console->screen = (ScreenId) i;
	return console_has(console, console->screen) ? 0 : ERR_NOT_FOUND;
}

void console_done(Console *console)
{
	if (console->has_frame)
		console->feed->ops->release(console->feed, &console->frame);
	compare_work_free(console->work);
	talk_done(&console->talk);
	free(console->past);
	free(console->policy.view);
	canvas_done(&console->canvas);
	*console = (Console) { 0 };
}

int console_resize(Console *console, int rows, int cols)
{
	return canvas_resize(&console->canvas, rows, cols);
}

/* ---- messages and commands ---- */

void console_say(Console *console, Role role, const char *text)
{
	Message *m = &console->message;
	*m = (Message) { .role = role, .until_ms = console->now_ms + MESSAGE_MS };
	(void) keys_say(&console->keymap, text, m->text, sizeof m->text);
}

int console_columns(const Console *console, ScreenId screen, Column *ret)
{
	const ScreenOps *ops = screen_ops(screen);
	return columns_pick(&console->columns.of[screen], ops->columns, ops->n_columns, ret);
}

void console_keep_columns(Console *console)
{
	const char *path = console->opts.columns_path;
	StrBuf text = { 0 };
	Error err = { 0 };
	char said[200];
	if (!path[0])
		return;
	columns_write(&console->columns, &text);
	int code = mem_make_parents(path, &err);
	if (!code)
		code = mem_write_file(path, text.data ? text.data : "", text.len, &err);
	(void) snprintf(said, sizeof said, code ? "columns are not kept: %.150s" : "columns are kept in %.150s", code ? err.text : path);
	console_say(console, code ? ROLE_WARN : ROLE_OK, said);
	strbuf_done(&text);
}

int console_send(Console *console, Command *command, const char *what)
{
	if (console_is_readonly(console)) {
		console_say(console, ROLE_WARN, "read-only: nothing is sent");
		return ERR_REFUSED;
	}
	console_unfreeze(console); /* to see its answer */
	bool is_live = command->kind >= COMMAND_LIVE_OVERRIDE && command->kind <= COMMAND_LIVE_PAUSE;
	if (is_live && !command->target[0] && console->frame.live)
		target_full_name(&console->frame.live->target, command->target, sizeof command->target);
	str_copy(command->who, sizeof command->who, console->opts.who);
	int64_t id = 0;
	int code = console->feed->ops->send(console->feed, command, &id);
	char text[200];
	(void) snprintf(text, sizeof text, code ? "%s: %s" : "%s: pending", what, err_text(code));
	console_say(console, code ? ROLE_BAD : ROLE_WARN, text);
	if (code)
		return code;
	console->message.pending_id = id;
	console->message.from = is_live ? FROM_LIVE : command->kind == COMMAND_RUN_EDIT ? FROM_STORE : FROM_TRAIN;
	str_copy(console->message.what, sizeof console->message.what, what);
	return 0;
}

/* Only a real target that this process scales makes leaving ask. */
static const LiveView *left_alone(const Console *console)
{
	for (int i = 0; i < console->frame.n_targets && !console->feed->is_remote; i++) {
		const LiveView *live = console->frame.target[i];
		if (!live->is_simulated && (live->state == STATE_ACTIVE || live->state == STATE_MANUAL))
			return live;
	}
	return NULL;
}

ConsoleResult console_suspend(Console *console)
{
	const LiveView *live = left_alone(console);
	if (!live)
		return CONSOLE_SUSPEND;
	dialog_open_suspend(&console->dialog, live);
	return CONSOLE_STAYS;
}

static ConsoleResult quit(Console *console)
{
	const LiveView *live = left_alone(console);
	if (!live)
		return CONSOLE_QUIT;
	dialog_open_quit(&console->dialog, live);
	return CONSOLE_STAYS;
}

/* ---- actions ---- */

void console_prompt(Console *console, PromptKind kind, const char *label, const char *text)
{
	prompt_open(&console->prompt, kind, label, text);
}

void console_go(Console *console, ScreenId screen)
{
	if (!console_has(console, screen)) {
		char text[160];
		if (screen_ops(screen)->absent)
			str_copy(text, sizeof text, screen_ops(screen)->absent);
		else
			(void) snprintf(text, sizeof text, "%s has nothing to show here", screen_ops(screen)->name);
		console_say(console, ROLE_WARN, text);
		return;
	}
	if (console->screen != screen)
		console->is_zoomed = false;
	console->screen = screen;
	refresh_screen(console);
}

static void move_row(Console *console, UiAction action)
{
	static const int BY[] = { [ACT_UP] = -1, [ACT_DOWN] = 1, [ACT_PAGE_UP] = -PAGE, [ACT_PAGE_DOWN] = PAGE,
		                  [ACT_HOME] = -MOVE_MOST, [ACT_END] = MOVE_MOST };
	const ScreenOps *ops = screen_ops(console->screen);
	int by = BY[action];
	if (console->is_helping)
		console->help_top = console->help_top + by < 0 ? 0 : console->help_top + by; /* drawing bounds it */
	else if (ops->move && !console_lacks_target(console))
		ops->move(console, by);
}

static void go_back(Console *console)
{
	const ScreenOps *ops = screen_ops(console->screen);
	if (console->is_helping)
		console->is_helping = false;
	else if (console->is_zoomed)
		console->is_zoomed = false;
	else if (ops->back)
		(void) ops->back(console);
}

static void ask_export(Console *console)
{
	char name[64];
	(void) snprintf(name, sizeof name, "maestro-%s.txt", screen_ops(console->screen)->name);
	for (char *c = name; *c; c++)
		*c = (char) (*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
	console_prompt(console, PROMPT_EXPORT, "export to", name);
}

ConsoleResult console_act(Console *console, UiAction action)
{
	const ScreenOps *ops = screen_ops(console->screen);
	if (action >= ACT_SCREEN_FIRST && action <= ACT_SCREEN_LAST) {
		console_go(console, (ScreenId) (action - ACT_SCREEN_FIRST));
		return CONSOLE_STAYS;
	}
	if (!console->is_helping && !console_lacks_target(console) && ops->act && ops->act(console, action))
		return console->is_leaving ? CONSOLE_TRAIN : CONSOLE_STAYS;
	switch (action) {
	case ACT_UP: case ACT_DOWN: case ACT_PAGE_UP: case ACT_PAGE_DOWN: case ACT_HOME: case ACT_END:
		move_row(console, action);
		break;
	case ACT_FOCUS_NEXT:
	case ACT_FOCUS_BACK:
		console->focus[console->screen] =
			layout_next(ops->pane, ops->n_panes, &console->layout, action == ACT_FOCUS_NEXT ? 1 : -1);
		break;
	case ACT_SMOOTH_MORE: console->smoothing = console->smoothing < .9f ? console->smoothing + .1f : .95f; break;
	case ACT_SMOOTH_LESS: console->smoothing = console->smoothing > .15f ? console->smoothing - .1f : 0; break;
	case ACT_ZOOM: console->is_zoomed = !console->is_zoomed; break;
	case ACT_FREEZE: console->is_frozen = !console->is_frozen; break;
	case ACT_HELP:
		console->is_helping = !console->is_helping;
		console->help_top = 0;
		console->help_search[0] = '\0';
		break;
	case ACT_BACK: go_back(console); break;
	case ACT_COPY: return CONSOLE_COPY;
	case ACT_EXPORT: ask_export(console); break;
	case ACT_UNDO: console_undo(console, false); break;
	case ACT_REDO: console_undo(console, true); break;
	case ACT_PALETTE: console_prompt(console, PROMPT_PALETTE, ":", ""); break;
	case ACT_REDRAW: return CONSOLE_REDRAW;
	case ACT_SUSPEND: return console_suspend(console);
	case ACT_QUIT: return quit(console);
	default: break;
	}
	return CONSOLE_STAYS;
}

/* ---- what lies over the screen ---- */

/* The change that takes an accepted one back; false: it has none. */
static bool reverse_of(const Dialog *dialog, const Command *done, Command *ret, char *what, size_t size)
{
	*ret = *done;
	if (done->kind != COMMAND_TRAIN_SET)
		return false;
	/* a fault cannot be called back, only ended */
	str_copy(ret->u.set.text, sizeof ret->u.set.text, done->u.set.param == PARAM_CHAOS ? "none" : dialog->old_text);
	(void) snprintf(what, size, "%.20s back to %.40s", dialog->title, ret->u.set.text);
	return true;
}

/* One command a target, each counted from that target's own replicas. */
static void send_to_all(Console *console, const Dialog *dialog, const Command *command)
{
	int target[FEED_TARGETS_MAX], n = targets_picked(console, target, FEED_TARGETS_MAX), n_sent = 0;
	char what[200];
	for (int i = 0; i < n; i++) {
		const LiveView *live = console->frame.target[target[i]];
		Command one = *command;
		if (one.kind == COMMAND_LIVE_OVERRIDE) {
			one.u.override_.seen = live_replicas(live);
			int choice = dialog->field[OVERRIDE_ACTION].at, by = choice == CHOICE_UP ? 1 : choice == CHOICE_DOWN ? -1 : 0;
			if (by && one.u.override_.seen < 0)
				continue; /* nothing known to count from */
			one.u.override_.replicas = by ? one.u.override_.seen + by : one.u.override_.replicas;
		}
		target_full_name(&live->target, one.target, sizeof one.target);
		n_sent += !console_send(console, &one, live->target.name);
	}
	(void) snprintf(what, sizeof what, "sent to %d of %d targets: %.100s; Events ({all.screen-events}) shows each result", n_sent, n, dialog->targets);
	console_say(console, n_sent == n ? ROLE_OK : ROLE_WARN, what);
}

static ConsoleResult dialog_act(Console *console, int key)
{
	Dialog *dialog = &console->dialog;
	DialogKind kind = dialog->kind;
	DialogResult result = dialog_key(dialog, key);
	if (result == DIALOG_STAYS)
		return CONSOLE_STAYS;
	Command command, reverse;
	char what[120], back[80];
	bool has_command = result == DIALOG_ACCEPTED && dialog_command(dialog, &command);
	dialog_what(dialog, what, sizeof what);
	if (has_command && dialog->n_bulk) {
		dialog->kind = DIALOG_NONE;
		send_to_all(console, dialog, &command);
		return CONSOLE_STAYS;
	}
	bool has_reverse = has_command && reverse_of(dialog, &command, &reverse, back, sizeof back);
	dialog->kind = DIALOG_NONE;
	if (result == DIALOG_TO_HEADLESS)
		return CONSOLE_HEADLESS;
	if (result == DIALOG_ACCEPTED && kind == DIALOG_TRAIN)
		return CONSOLE_TRAIN;
	if (has_reverse)
		console_change(console, &command, what, &reverse, back);
	else if (has_command && !console_send(console, &command, what) && command.kind == COMMAND_LIVE_OVERRIDE)
		console->former = command.u.override_.seen;
	if (result == DIALOG_ACCEPTED && kind == DIALOG_QUIT)
		return CONSOLE_QUIT;
	return result == DIALOG_ACCEPTED && kind == DIALOG_SUSPEND ? CONSOLE_SUSPEND : CONSOLE_STAYS;
}

static ConsoleResult prompt_act(Console *console, int key)
{
	bool is_empty = console->prompt.kind == PROMPT_PALETTE && !console->prompt.text[0];
	switch (prompt_key(&console->prompt, key == 'y' && is_empty ? KEY_CTRL_Y : key)) {
	case PROMPT_CANCELLED: console->prompt.kind = PROMPT_NONE; return CONSOLE_STAYS;
	case PROMPT_ENTERED: return console_answered(console);
	case PROMPT_MOVED:
		return console->prompt.kind == PROMPT_PALETTE ? palette_key(console, console->prompt.last_key) : CONSOLE_STAYS;
	default: return CONSOLE_STAYS;
	}
}

/* Letters typed into the help search it; the keys that move and leave stay what they are. */
static bool help_takes(Console *console, int key)
{
	size_t len = strlen(console->help_search);
	const KeyRow *row = keys_find(&console->keymap, key, console->screen, false);
	bool leaves = row && (row->action == ACT_HELP || row->action == ACT_BACK || (row->action == ACT_QUIT && !len));
	if (!console->is_helping || leaves)
		return false;
	if (key == KEY_RUBOUT && len)
		console->help_search[len - 1] = '\0';
	else if (key >= ' ' && key < 127 && len + 1 < sizeof console->help_search && !(key == ' ' && !len)) {
		console->help_search[len] = (char) key;
		console->help_search[len + 1] = '\0';
	} else {
		return false;
	}
	console->help_top = 0;
	return true;
}

ConsoleResult console_key(Console *console, int key, int64_t now_ms)
{
	console->now_ms = now_ms;
	if (!console->message.pending_id)
		console->message.until_ms = 0;
	if (console->dialog.kind != DIALOG_NONE)
		return dialog_act(console, key);
	if (console->prompt.kind != PROMPT_NONE)
		return prompt_act(console, key);
	if (help_takes(console, key))
		return CONSOLE_STAYS;
	/* help scrolls everywhere, by the keys of a screen that has rows */
	const KeyRow *row = keys_find(&console->keymap, key, console->is_helping ? SCREEN_RUNS : console->screen,
	                              console_is_readonly(console));
	if (!row)
		return CONSOLE_STAYS;
	if (!console_has(console, console->screen))
		return row->action == ACT_QUIT ? CONSOLE_QUIT : CONSOLE_STAYS;
	return console_act(console, row->action);
}
