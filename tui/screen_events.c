/* Events: what happened over all runs and targets, newest first, from the store. */
#include "tui/console.h"
#include "tui/fmt.h"
#include "tui/table.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const PaneSpec PANES[] = { { "Event log", .band = 0, .share = 1, .min_rows = 8, .grow = 1 } };

enum { EVERY_MS = 2000, DAY_MS = 86400000 };

static const char *const LEVELS[EVENT_LEVELS] = { "information", "warnings", "errors" };

/* The rows of a level and above, as indices. */
typedef struct Log {
	const ArchiveAnswer *answer;
	int row[ARCHIVE_EVENTS], n;
	int64_t now_ms;
	bool is_whole; /* a file is read on other days */
} Log;

static Log log_of(const Console *console)
{
	Log log = { .answer = talk_answer(&console->talk, SLOT_LOG), .now_ms = console->frame.wall_ms };
	for (int i = 0; log.answer && i < log.answer->n_events; i++)
		if (log.answer->event[i].level >= console->log.level)
			log.row[log.n++] = i;
	return log;
}

static const ArchiveEvent *event_of(const void *data, int row)
{
	const Log *log = data;
	return &log->answer->event[log->row[row]];
}

Role event_role(EventLevel level)
{
	static const Role ROLES[EVENT_LEVELS] = { ROLE_TEXT, ROLE_WARN, ROLE_BAD };
	return ROLES[level];
}

static Role cell_time(const void *data, int row, char *text, size_t size)
{
	time_t s = (time_t) (event_of(data, row)->wall_ms / 1000);
	struct tm local;
	(void) localtime_r(&s, &local);
	const Log *log = data;
	bool is_today = log->now_ms - event_of(data, row)->wall_ms < DAY_MS;
	(void) strftime(text, size, log->is_whole ? "%Y-%m-%d %H:%M:%S" : is_today ? "%H:%M:%S" : "%m-%d %H:%M", &local);
	return ROLE_LABEL;
}

static Role cell_level(const void *data, int row, char *text, size_t size)
{
	EventLevel level = event_of(data, row)->level;
	(void) snprintf(text, size, "%c", "IWE"[level]);
	return event_role(level);
}

static Role cell_run(const void *data, int row, char *text, size_t size)
{
	if (event_of(data, row)->run_id)
		(void) snprintf(text, size, "%lld", (long long) event_of(data, row)->run_id);
	return ROLE_LABEL;
}

static Role cell_source(const void *data, int row, char *text, size_t size)
{
	(void) snprintf(text, size, "%s", event_of(data, row)->source);
	return ROLE_TEXT;
}

static Role cell_text(const void *data, int row, char *text, size_t size)
{
	const ArchiveEvent *event = event_of(data, row);
	fmt_until(event->text, event->wall_ms, text, size);
	return event_role(event->level);
}

static const Column COLUMNS[] = {
	{ "time", 11, 0, false, false, cell_time }, { "", 1, 0, false, false, cell_level }, { "run", 5, 1, true, false, cell_run },
	{ "of", 14, 0, false, false, cell_source }, { "what", 28, 0, false, true, cell_text },
};

static void head(const Scene *scene, Pen *pen)
{
	const LogView *view = &scene->console->log;
	(void) pen_item(pen, ROLE_BADGE_INFO, " Events ");
	(void) pen_item(pen, view->is_held ? ROLE_WARN : ROLE_TEXT, "  %s", view->is_held ? "held" : "follows");
	(void) pen_item(pen, ROLE_LABEL, "  level ");
	(void) pen_item(pen, ROLE_TEXT, "%s%s", LEVELS[view->level], view->level < EVENT_ERROR ? " and above" : "");
	if (view->filter[0])
		(void) pen_item(pen, ROLE_INFO, "  filter %s", view->filter);
	if (scene->live && scene->live->is_simulated) /* its own time runs ahead */
		(void) pen_item(pen, ROLE_LABEL, "  in real time, not simulated");
}

static void draw(const Scene *scene, int pane, Rect rect)
{
	Log log = log_of(scene->console);
	char note[64] = "";
	int at = scene->console->log.selected < log.n ? scene->console->log.selected : log.n - 1;
	if (log.n)
		(void) snprintf(note, sizeof note, "%d of the newest %d", at + 1, log.n);
	Rect in = scene_box(scene, pane, PANES, rect, note);
	if (!log.n) {
		scene_empty(scene, in, !log.answer ? "asking the store" : log.answer->code ? log.answer->text : "nothing has happened that matches");
		return;
	}
	int rows = in.rows - 1, first = at >= rows ? at - rows + 1 : 0;
	Column column[COLUMNS_MAX];
	int n_columns = console_columns(scene->console, SCREEN_EVENTS, column);
	table_draw(scene->canvas, in, column, n_columns, &log, log.n, first, at);
}

static bool is_there(const Console *console)
{
	return console->talk.is_offered;
}

static void refresh(Console *console)
{
	LogView *view = &console->log;
	const Slot *slot = &console->talk.slot[SLOT_LOG];
	bool is_same = slot->answer && !strcmp(slot->query.filter, view->filter);
	if (is_same && (view->is_held || console->now_ms - slot->at_ms < EVERY_MS))
		return;
	ArchiveQuery query = { .ask = ARCHIVE_LOG };
	str_copy(query.filter, sizeof query.filter, view->filter);
	(void) talk_ask(&console->talk, console->feed, SLOT_LOG, &query, console->now_ms);
}

static void move(Console *console, int by)
{
	int last = log_of(console).n - 1, to = console->log.selected + by;
	console->log.selected = to > last ? (last > 0 ? last : 0) : to < 0 ? 0 : to;
	console->log.is_held = console->log.selected > 0; /* rows do not run away under a reader's eyes */
}

static bool act(Console *console, UiAction action)
{
	LogView *view = &console->log;
	switch (action) {
	case ACT_FREEZE:
		view->is_held = !view->is_held;
		view->selected = view->is_held ? view->selected : 0;
		return true;
	case ACT_LEVEL: view->level = (EventLevel) ((view->level + 1) % EVENT_LEVELS); view->selected = 0; return true;
	case ACT_FILTER: console_prompt(console, PROMPT_FILTER, "filter", view->filter); return true;
	default: return false;
	}
}

static bool is_settled(const Console *console)
{
	return talk_answer(&console->talk, SLOT_LOG) != NULL;
}

static void table(const Console *console, TableSink sink, void *context)
{
	Log log = log_of(console);
	Column column[COLUMNS_MAX];
	log.is_whole = true;
	sink(context, column, console_columns(console, SCREEN_EVENTS, column), &log, log.n);
}

const ScreenOps screen_events = {
	.name = "Events", .pane = PANES, .n_panes = 1, .is_there = is_there, .head = head, .draw = draw,
	.refresh = refresh, .move = move, .act = act, .is_settled = is_settled,
	.columns = COLUMNS, .n_columns = sizeof COLUMNS / sizeof *COLUMNS, .table = table,
};
