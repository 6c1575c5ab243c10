/* The console's talk with the store: one question at a time, answers copied, never waited for. */
#include "tui/console.h"

#include <string.h>

enum { LIST_EVERY_MS = 3000, PATIENCE_MS = 10000 };

/* Where the selection starts: a run with a curve to see. */
static int64_t newest_training(const ArchiveAnswer *answer)
{
	for (int i = 0; i < answer->n_rows; i++)
		if (answer->row[i].kind == RUN_TRAIN)
			return i;
	return 0;
}

static void take_answer(Console *console, const ArchiveAnswer *answer)
{
	RunsAsk *ask = &console->ask;
	if (!answer || !ask->asked_id || answer->query_id != ask->asked_id)
		return;
	ask->asked_id = 0;
	if (ask->asked == ARCHIVE_RUNS) {
		if (!ask->has_list)
			console->selected_run = newest_training(answer);
		*ask->list = *answer;
		ask->list_at_ms = console->now_ms;
		ask->has_list = true;
		console->runs_offset = ask->asked_offset;
		if (console->selected_run >= answer->total)
			console->selected_run = answer->total > 0 ? answer->total - 1 : 0;
		ask->shown_run = 0; /* its curve may have grown */
	} else {
		*ask->run = *answer;
		ask->shown_run = ask->asked_run;
	}
}

static void put_question(Console *console, ArchiveQuery query)
{
	RunsAsk *ask = &console->ask;
	int64_t id = 0;
	if (console->feed->ops->ask(console->feed, &query, &id))
		return; /* the queue is full: at the next tick */
	ask->asked_id = id;
	ask->asked = query.ask;
	ask->asked_at_ms = console->now_ms;
	ask->asked_offset = query.offset;
	ask->asked_run = query.run_id;
}

void console_runs_refresh(Console *console)
{
	RunsAsk *ask = &console->ask;
	if (!ask->is_offered)
		return;
	take_answer(console, console->frame.archive);
	if (console->screen != SCREEN_RUNS || (ask->asked_id && console->now_ms - ask->asked_at_ms < PATIENCE_MS))
		return;
	int64_t at = console->selected_run - console->runs_offset;
	bool is_outside = ask->has_list && (at < 0 || (at >= ask->list->n_rows && ask->list->n_rows > 0));
	if (!ask->has_list || is_outside || console->now_ms - ask->list_at_ms >= LIST_EVERY_MS) {
		int64_t offset = is_outside ? console->selected_run - ARCHIVE_ROWS / 2 : console->runs_offset;
		put_question(console, (ArchiveQuery) { .ask = ARCHIVE_RUNS, .offset = offset > 0 ? offset : 0 });
	} else if (at < ask->list->n_rows && ask->shown_run != ask->list->row[at].id) {
		put_question(console, (ArchiveQuery) { .ask = ARCHIVE_RUN, .run_id = ask->list->row[at].id });
	}
}

bool console_runs_awaits(const Console *console)
{
	return console->screen == SCREEN_RUNS && console->ask.asked_id != 0;
}

bool console_runs_is_settled(const Console *console)
{
	const RunsAsk *ask = &console->ask;
	return ask->has_list && !ask->asked_id && (!ask->list->n_rows || ask->shown_run != 0);
}

void console_runs_move(Console *console, int64_t by)
{
	int64_t last = console->ask.list->total - 1, to = console->selected_run + by;
	console->selected_run = to > last ? (last > 0 ? last : 0) : to < 0 ? 0 : to;
	console_runs_refresh(console);
}
