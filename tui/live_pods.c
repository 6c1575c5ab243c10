/* What wide terminals have beside the rest of Live: the target's pods, and what happened to it lately. */
#include "tui/console.h"
#include "tui/fmt.h"
#include "tui/screen_live.h"
#include "tui/table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NEWS_EVERY_MS = 3000, TIME_COLS = 9 };

/* ---- pods ---- */

static const PodView *pod_of(const void *data, int row)
{
	return &((const LiveView *) data)->pod[row];
}

static Role cell_name(const void *data, int row, char *text, size_t size)
{
	if (pod_of(data, row)->name[0])
		(void) snprintf(text, size, "%s", pod_of(data, row)->name);
	else
		(void) snprintf(text, size, "%d", row + 1);
	return ROLE_TEXT;
}

static Role cell_state(const void *data, int row, char *text, size_t size)
{
	const PodView *pod = pod_of(data, row);
	(void) snprintf(text, size, "%s", pod->is_going ? "going" : pod->is_ready ? "ready" : "coming");
	return pod->is_going ? ROLE_LABEL : pod->is_ready ? ROLE_OK : ROLE_WARN;
}

static Role cell_cpu(const void *data, int row, char *text, size_t size)
{
	(void) size;
	(void) fmt_cores(text, (double) pod_of(data, row)->cpu_cores);
	return ROLE_TEXT;
}

static Role cell_share(const void *data, int row, char *text, size_t size)
{
	const PodView *pod = pod_of(data, row);
	double request = (double) pod->cpu_request_cores, share = request > 0 ? (double) pod->cpu_cores / request : (double) NAN;
	(void) size;
	(void) fmt_percent(text, share);
	return share > 1 ? ROLE_WARN : ROLE_TEXT;
}

/* In one unit, as of the sample: finer would be sent each second for each pod. */
static Role cell_age(const void *data, int row, char *text, size_t size)
{
	int64_t age_ms = pod_of(data, row)->age_ms;
	(void) size;
	(void) fmt_age(text, age_ms < 0 ? NAN : (double) age_ms / 1000);
	return ROLE_LABEL;
}

void live_draw_pods(const Scene *scene, Rect in)
{
	static const Column COLUMNS[] = {
		{ "pod", 16, 0, false, true, cell_name }, { "state", 6, 0, false, false, cell_state }, { "cpu", 10, 0, true, false, cell_cpu },
		{ "of request", 10, 1, true, false, cell_share }, { "age", 5, 0, true, false, cell_age },
	};
	const LiveView *live = scene->live;
	if (!live->n_pods) {
		scene_empty(scene, in, "the source lists no pods");
		return;
	}
	Rect table = { in.row, in.col - 2, in.rows, in.cols + 2 }; /* without the selection's column */
	table_draw(scene->canvas, table, COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, live, live->n_pods, 0, -1);
}

/* ---- events ---- */

void live_ask_news(Console *console)
{
	const Slot *slot = &console->talk.slot[SLOT_NEWS];
	ArchiveQuery query = { .ask = ARCHIVE_LOG };
	str_copy(query.filter, sizeof query.filter, console->frame.live->target.name);
	if (!slot->answer || strcmp(slot->query.filter, query.filter) != 0 || console->now_ms - slot->at_ms >= NEWS_EVERY_MS)
		(void) talk_ask(&console->talk, console->feed, SLOT_NEWS, &query, console->now_ms);
}

/* The store was asked for the name's letters, which others have in theirs too. A source is cut. */
static bool is_of(const ArchiveEvent *event, const LiveView *live)
{
	return event->run_id == live->run_id || !strncmp(event->source, live->target.name, sizeof event->source - 1);
}

void live_draw_news(const Scene *scene, Rect in)
{
	static const char MARKS[EVENT_LEVELS] = { ' ', '!', '!' };
	const ArchiveAnswer *answer = talk_answer(&scene->console->talk, SLOT_NEWS);
	char text[FMT_TEXT], said[sizeof answer->event->text];
	if (!answer || answer->code || !answer->n_events) {
		scene_empty(scene, in, !scene->console->talk.is_offered ? "there is no store" : !answer ? "asking the store" :
		            answer->code ? answer->text : "nothing has happened to it yet");
		return;
	}
	for (int i = 0, row = 0; i < answer->n_events && row < in.rows; i++) {
		const ArchiveEvent *event = &answer->event[i];
		if (!is_of(event, scene->live))
			continue;
		Rect rest = { in.row + row, in.col + TIME_COLS + 2, in.rows - row, in.cols - TIME_COLS - 2 };
		(void) canvas_text(scene->canvas, in.row + row, in.col, TIME_COLS, ROLE_LABEL, fmt_clock(text, event->wall_ms));
		canvas_put(scene->canvas, in.row + row, in.col + TIME_COLS, (uint32_t) MARKS[event->level], event_role(event->level));
		fmt_until(event->text, event->wall_ms, said, sizeof said);
		row += canvas_wrap(scene->canvas, rest, event_role(event->level), said);
	}
}
