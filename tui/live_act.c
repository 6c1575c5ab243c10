/*
 * What Live does: dialogs, the choice of a target, the window, and the place in time. Where the history in memory ends,
 * the store's goes on: a copy of the view is filled from it around the cursor.
 */
#include "tui/console.h"
#include "tui/screen_live.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 10, WINDOW_MOST = 64 };

/* ---- the past ---- */

static bool is_before_memory(const Console *console)
{
	const LiveView *live = console->frame.live;
	return console->cursor_ms && live && live->n_history && console->cursor_ms < live->history[0].wall_ms;
}

const LiveView *live_shown(const Console *console)
{
	return console->past && is_before_memory(console) ? console->past : console->frame.live;
}

static Reason reason_of(const char *word)
{
	for (int r = 0; r < REASON_COUNT; r++)
		if (!strcmp(reason_text((Reason) r), word))
			return (Reason) r;
	return REASON_NONE;
}

static void row_from_store(DecisionRow *row, const ArchiveDecision *d)
{
	*row = (DecisionRow) { .wall_ms = d->wall_ms, .who = "stored", .write_us = -1 };
	Sample *s = &row->sample;
	s->wall_ms = d->wall_ms;
	s->valid = (isnan(d->latency_ms) ? 0u : SAMPLE_LATENCY) | (isnan(d->rps) ? 0u : SAMPLE_RPS) |
	           (d->replicas < 0 ? 0u : SAMPLE_REPLICAS);
	s->latency_ms = (double) d->latency_ms;
	s->rps = (double) d->rps;
	s->replicas = s->ready = d->replicas;
	row->decision = (Decision) { .action = ACTION_NONE, .value = NAN, .raw = -1, .desired = d->desired, .hpa = -1,
		.state = STATE_ACTIVE, .reason = reason_of(d->reason), .is_applied = d->is_applied };
}

/* The view as it would have been: only what the store knows. */
static void fill_past(Console *console)
{
	const ArchiveAnswer *answer = talk_answer(&console->talk, SLOT_PAST);
	const LiveView *live = console->frame.live;
	if (!console->past)
		console->past = malloc(sizeof *console->past);
	if (!console->past)
		return;
	LiveView *past = console->past;
	*past = *live;
	past->n_history = answer->n_past;
	memcpy(past->history, answer->past, (size_t) answer->n_past * sizeof *past->history);
	past->n_rows = answer->n_decisions;
	for (int i = 0; i < past->n_rows; i++)
		row_from_store(&past->row[i], &answer->decision[i]);
}

static bool covers(const Console *console, const ArchiveQuery *query)
{
	const LiveView *live = console->frame.live;
	int64_t margin = 20 * live_interval_ms(live);
	const ArchiveAnswer *answer = talk_answer(&console->talk, SLOT_PAST);
	bool is_first = answer->past_first_ms && query->from_ms <= answer->past_first_ms;
	return query->run_id == live->run_id && (is_first || console->cursor_ms - margin >= query->from_ms) &&
	       console->cursor_ms <= query->to_ms;
}

void live_refresh(Console *console)
{
	if (!is_before_memory(console))
		return;
	const ArchiveAnswer *answer = talk_answer(&console->talk, SLOT_PAST);
	const LiveView *live = console->frame.live;
	if (answer && answer->past_first_ms && console->cursor_ms < answer->past_first_ms &&
	    console->talk.slot[SLOT_PAST].query.run_id == live->run_id)
		console->cursor_ms = answer->past_first_ms; /* nothing is older */
	if (answer && covers(console, &console->talk.slot[SLOT_PAST].query)) {
		fill_past(console);
		return;
	}
	int64_t step = live_interval_ms(live) * console->window;
	ArchiveQuery query = { .ask = ARCHIVE_PAST, .run_id = live->run_id, .from_ms = console->cursor_ms - 400 * step,
		               .to_ms = console->cursor_ms + 100 * step };
	(void) talk_ask(&console->talk, console->feed, SLOT_PAST, &query, console->now_ms);
}

static void step_in_time(Console *console, int by)
{
	const LiveView *shown = live_shown(console);
	int64_t to = live_cursor_by_points(shown, console->cursor_ms, by);
	if (!to && shown == console->past && by > 0) /* from the store's end into what memory holds */
		to = console->frame.live->history[0].wall_ms;
	int64_t oldest = shown->n_history ? shown->history[0].wall_ms : 0;
	console->cursor_ms = to && to < oldest && !console->talk.is_offered ? oldest : to; /* nothing is older without a store */
	live_refresh(console);
}

void live_move(Console *console, int by)
{
	console->cursor_ms = live_cursor_by_rows(live_shown(console), console->cursor_ms, by);
}

bool live_back(Console *console)
{
	bool was_past = console->cursor_ms != 0;
	console->cursor_ms = 0;
	return was_past;
}

/* ---- actions ---- */

static void choose_target(Console *console, int by)
{
	int n = console->frame.n_targets;
	if (n < 2) {
		console_say(console, ROLE_WARN, "there is one target alone");
		return;
	}
	console->target = (console->target + by + n) % n;
	console->cursor_ms = 0;
	console->frame.live = console->frame.target[console->target];
}

/* The former value as a new write, through the dialog like any other. */
static void offer_former(Console *console)
{
	if (console->former < 0) {
		console_say(console, ROLE_WARN, "no override to undo");
		return;
	}
	dialog_open_override(&console->dialog, console->frame.live);
	console->dialog.field[OVERRIDE_ACTION].at = CHOICE_SET;
	(void) snprintf(console->dialog.field[OVERRIDE_REPLICAS].text, FIELD_TEXT_MAX, "%d", console->former);
}

bool live_act(Console *console, UiAction action)
{
	bool is_write = action == ACT_LIVE_OVERRIDE || action == ACT_LIVE_PAUSE || action == ACT_UNDO;
	if (is_write)
		console_unfreeze(console); /* a write is decided on what is now */
	if (!console->frame.live)
		return false;
	switch (action) {
	case ACT_EARLIER: step_in_time(console, -1); return true;
	case ACT_LATER: step_in_time(console, 1); return true;
	case ACT_MUCH_EARLIER: step_in_time(console, -PAGE); return true;
	case ACT_MUCH_LATER: step_in_time(console, PAGE); return true;
	case ACT_LIVE_OVERRIDE: dialog_open_override(&console->dialog, console->frame.live); return true;
	case ACT_LIVE_PAUSE: dialog_open_pause(&console->dialog, console->frame.live); return true;
	case ACT_UNDO: offer_former(console); return true;
	case ACT_REDO: return true;
	case ACT_LIVE_WHY: console_go(console, SCREEN_POLICY); return true;
	case ACT_TARGET_NEXT: choose_target(console, 1); return true;
	case ACT_TARGET_BACK: choose_target(console, -1); return true;
	case ACT_WINDOW_LONGER: console->window = console->window < WINDOW_MOST ? console->window * 2 : WINDOW_MOST; return true;
	case ACT_WINDOW_SHORTER: console->window = console->window > 1 ? console->window / 2 : 1; return true;
	default: return false;
	}
}
