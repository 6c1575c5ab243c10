/* Frames in, keys to actions; see console.h. console_draw.c draws. */
#include "tui/console.h"
#include "tui/screen_live.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE_MS = 6000, PAGE = 10, WINDOW_MOST = 16 };

/* ---- frames ---- */

static void look_for_answer(Console *console)
{
	Message *m = &console->message;
	const CommandAnswers *answers = NULL;
	if (m->is_of_live && console->frame.live)
		answers = &console->frame.live->answers;
	else if (!m->is_of_live && console->frame.train)
		answers = &console->frame.train->answers;
	for (int i = 0; answers && m->pending_id && i < answers->n; i++) {
		const CommandAnswer *a = &answers->answer[i];
		if (a->id != m->pending_id)
			continue;
		(void) snprintf(m->text, sizeof m->text, "%s: %s", m->what,
		                a->text[0] ? a->text : a->code ? err_text(a->code) : "done");
		m->role = a->code ? ROLE_BAD : ROLE_OK;
		m->pending_id = 0;
		m->until_ms = console->now_ms + MESSAGE_MS;
	}
	if (!m->pending_id && m->until_ms && console->now_ms >= m->until_ms)
		m->until_ms = 0;
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
	const LiveView *live = console->frame.live;
	if (live && live->wall_ms != console->live_wall_ms) {
		console->live_wall_ms = live->wall_ms;
		console->live_seen_ms = console->frame.wall_ms;
	}
	dialog_refresh(&console->dialog, live);
	look_for_answer(console);
	console_runs_refresh(console);
}

bool console_has(const Console *console, ScreenId screen)
{
	return screen == SCREEN_LIVE ? console->frame.live != NULL :
	       screen == SCREEN_TRAIN ? console->frame.train != NULL : console->ask.is_offered;
}

/* ---- life ---- */

int console_init(Console *console, Feed *feed, const UiOptions *opts, GlyphMode glyphs, int rows, int cols)
{
	*console = (Console) { .feed = feed, .opts = *opts, .screen = opts->screen, .smoothing = .9f, .window = 1 };
	console->canvas.glyphs = glyphs_table(glyphs);
	console->ask.list = calloc(1, sizeof *console->ask.list);
	console->ask.run = calloc(1, sizeof *console->ask.run);
	if (!console->ask.list || !console->ask.run || canvas_resize(&console->canvas, rows, cols))
		return ERR_NOMEM;
	int64_t id = 0;
	console->ask.is_offered = feed->ops->ask(feed, &(ArchiveQuery) { .ask = ARCHIVE_RUNS }, &id) != ERR_NOT_FOUND;
	console->ask.asked_id = id;
	console_refresh(console, 0);
	for (int i = 0; i < SCREEN_COUNT && !console_has(console, console->screen); i++)
		console->screen = (ScreenId) i;
	return console_has(console, console->screen) ? 0 : ERR_NOT_FOUND;
}

void console_done(Console *console)
{
	if (console->has_frame)
		console->feed->ops->release(console->feed, &console->frame);
	free(console->ask.list);
	free(console->ask.run);
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
	str_copy(m->text, sizeof m->text, text);
}

void console_send(Console *console, Command *command, const char *what)
{
	bool is_readonly = console->opts.is_readonly || (console->frame.live && console->frame.live->is_readonly);
	if (is_readonly) {
		console_say(console, ROLE_WARN, "read-only: nothing is sent");
		return;
	}
	str_copy(command->who, sizeof command->who, console->opts.who);
	int64_t id = 0;
	int code = console->feed->ops->send(console->feed, command, &id);
	char text[200];
	(void) snprintf(text, sizeof text, code ? "%s: %s" : "%s: pending", what, err_text(code));
	console_say(console, code ? ROLE_BAD : ROLE_WARN, text);
	if (code)
		return;
	console->message.pending_id = id;
	console->message.is_of_live = command->kind >= COMMAND_LIVE_OVERRIDE;
	str_copy(console->message.what, sizeof console->message.what, what);
}

static void send_flag(Console *console, CommandKind kind, bool flag, const char *what)
{
	console_send(console, &(Command) { .kind = kind, .u.flag = flag }, what);
}

/* Only a real target that is being scaled makes leaving ask. */
static bool would_leave_alone(const Console *console)
{
	const LiveView *live = console->frame.live;
	return live && !live->is_simulated && (live->state == STATE_ACTIVE || live->state == STATE_MANUAL);
}

ConsoleResult console_suspend(Console *console)
{
	if (!would_leave_alone(console))
		return CONSOLE_SUSPEND;
	dialog_open_suspend(&console->dialog, console->frame.live);
	return CONSOLE_STAYS;
}

static ConsoleResult quit(Console *console)
{
	if (!would_leave_alone(console))
		return CONSOLE_QUIT;
	dialog_open_quit(&console->dialog, console->frame.live);
	return CONSOLE_STAYS;
}

/* ---- actions ---- */

static void train_action(Console *console, UiAction action)
{
	const TrainView *train = console->frame.train;
	switch (action) {
	case ACT_TRAIN_PAUSE: {
		bool pause = train->phase != TRAIN_PAUSED;
		send_flag(console, COMMAND_TRAIN_PAUSE, pause, pause ? "pause training" : "go on training");
		break;
	}
	case ACT_TRAIN_ONE:
		if (train->phase == TRAIN_PAUSED)
			send_flag(console, COMMAND_TRAIN_ONE_UPDATE, true, "one update");
		else
			console_say(console, ROLE_WARN, "one update: pause first (p)");
		break;
	case ACT_TRAIN_CHECKPOINT: send_flag(console, COMMAND_TRAIN_CHECKPOINT, true, "checkpoint"); break;
	case ACT_TRAIN_LR: dialog_open_param(&console->dialog, train, PARAM_LEARNING_RATE); break;
	case ACT_TRAIN_ENT: dialog_open_param(&console->dialog, train, PARAM_ENT_COEF); break;
	default: break;
	}
}

static void live_action(Console *console, UiAction action)
{
	bool is_dialog = action == ACT_LIVE_OVERRIDE || action == ACT_LIVE_PAUSE;
	if (is_dialog && console->is_frozen) { /* a write is decided on what is now */
		console->is_frozen = false;
		console_refresh(console, console->now_ms);
		if (!console->frame.live)
			return;
	}
	int64_t *cursor = &console->cursor_ms;
	switch (action) {
	case ACT_EARLIER: *cursor = live_cursor_by_points(console->frame.live, *cursor, -1); break;
	case ACT_LATER: *cursor = live_cursor_by_points(console->frame.live, *cursor, 1); break;
	case ACT_MUCH_EARLIER: *cursor = live_cursor_by_points(console->frame.live, *cursor, -PAGE); break;
	case ACT_MUCH_LATER: *cursor = live_cursor_by_points(console->frame.live, *cursor, PAGE); break;
	case ACT_LIVE_OVERRIDE: dialog_open_override(&console->dialog, console->frame.live); break;
	case ACT_LIVE_PAUSE: dialog_open_pause(&console->dialog, console->frame.live); break;
	case ACT_WINDOW_LONGER: console->window = console->window < WINDOW_MOST ? console->window * 2 : WINDOW_MOST; break;
	case ACT_WINDOW_SHORTER: console->window = console->window > 1 ? console->window / 2 : 1; break;
	default: break;
	}
}

static void move_row(Console *console, UiAction action)
{
	static const int BY[] = { [ACT_UP] = -1, [ACT_DOWN] = 1, [ACT_PAGE_UP] = -PAGE, [ACT_PAGE_DOWN] = PAGE,
		                  [ACT_HOME] = -1000000, [ACT_END] = 1000000 };
	if (console->is_helping) {
		console->help_top = console->help_top + BY[action] > 0 ? console->help_top + BY[action] : 0;
		return;
	}
	if (console->screen == SCREEN_RUNS) {
		console_runs_move(console, BY[action]);
		return;
	}
	console->cursor_ms = live_cursor_by_rows(console->frame.live, console->cursor_ms, BY[action]);
}

static void go_back(Console *console)
{
	if (console->is_helping)
		console->is_helping = false;
	else if (console->screen == SCREEN_RUNS) {
		console->is_zoomed = false;
		console->focus[SCREEN_RUNS] = RUNS_PANE_TABLE;
	} else if (console->is_zoomed)
		console->is_zoomed = false;
	else
		console->cursor_ms = 0;
}

static ConsoleResult act(Console *console, UiAction action)
{
	const ScreenOps *ops = screen_ops(console->screen);
	switch (action) {
	case ACT_SCREEN_LIVE:
	case ACT_SCREEN_TRAIN:
	case ACT_SCREEN_RUNS: {
		ScreenId to = (ScreenId) (action - ACT_SCREEN_LIVE);
		console->screen = console_has(console, to) ? to : console->screen;
		console_runs_refresh(console);
		break;
	}
	case ACT_UP: case ACT_DOWN: case ACT_PAGE_UP: case ACT_PAGE_DOWN: case ACT_HOME: case ACT_END:
		move_row(console, action);
		break;
	case ACT_FOCUS_NEXT:
	case ACT_FOCUS_BACK:
		console->focus[console->screen] =
			layout_next(ops->pane, ops->n_panes, &console->layout, action == ACT_FOCUS_NEXT ? 1 : -1);
		break;
	case ACT_OPEN:
		console->focus[SCREEN_RUNS] = RUNS_PANE_RUN;
		console->is_zoomed = true;
		break;
	case ACT_SMOOTH_MORE: console->smoothing = console->smoothing < .9f ? console->smoothing + .1f : .95f; break;
	case ACT_SMOOTH_LESS: console->smoothing = console->smoothing > .15f ? console->smoothing - .1f : 0; break;
	case ACT_ZOOM: console->is_zoomed = !console->is_zoomed; break;
	case ACT_FREEZE: console->is_frozen = !console->is_frozen; break;
	case ACT_HELP: console->is_helping = !console->is_helping; console->help_top = 0; break;
	case ACT_BACK: go_back(console); break;
	case ACT_COPY: return CONSOLE_COPY;
	case ACT_REDRAW: return CONSOLE_REDRAW;
	case ACT_SUSPEND: return console_suspend(console);
	case ACT_QUIT: return quit(console);
	default:
		if (console->screen == SCREEN_TRAIN)
			train_action(console, action);
		else
			live_action(console, action);
	}
	return CONSOLE_STAYS;
}

static ConsoleResult dialog_act(Console *console, int key)
{
	Dialog *dialog = &console->dialog;
	DialogKind kind = dialog->kind;
	DialogResult result = dialog_key(dialog, key);
	if (result == DIALOG_STAYS)
		return CONSOLE_STAYS;
	Command command;
	char what[120];
	bool has_command = result == DIALOG_ACCEPTED && dialog_command(dialog, &command);
	dialog_what(dialog, what, sizeof what);
	dialog->kind = DIALOG_NONE;
	if (result == DIALOG_TO_HEADLESS)
		return CONSOLE_HEADLESS;
	if (has_command)
		console_send(console, &command, what);
	if (result == DIALOG_ACCEPTED && kind == DIALOG_QUIT)
		return CONSOLE_QUIT;
	return result == DIALOG_ACCEPTED && kind == DIALOG_SUSPEND ? CONSOLE_SUSPEND : CONSOLE_STAYS;
}

ConsoleResult console_key(Console *console, int key, int64_t now_ms)
{
	console->now_ms = now_ms;
	if (!console->message.pending_id)
		console->message.until_ms = 0;
	if (console->dialog.kind != DIALOG_NONE)
		return dialog_act(console, key);
	bool is_readonly = console->opts.is_readonly || (console->frame.live && console->frame.live->is_readonly);
	/* help scrolls everywhere, by the keys of a screen that has rows */
	const KeyRow *row = keys_find(key, console->is_helping ? SCREEN_RUNS : console->screen, is_readonly);
	if (!row)
		return CONSOLE_STAYS;
	if (!console_has(console, console->screen))
		return row->action == ACT_QUIT ? CONSOLE_QUIT : CONSOLE_STAYS;
	return act(console, row->action);
}
