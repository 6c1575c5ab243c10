/* What Runs does: pages of the store through a filter, marks, and edits, each with its reverse. */
#include "tui/console.h"
#include "tui/screen_runs.h"

#include <stdio.h>
#include <string.h>

enum { LIST_EVERY_MS = 3000 };

static const ArchiveAnswer *list_of(const Console *console)
{
	return talk_answer(&console->talk, SLOT_RUNS);
}

static const RunRow *selected(const Console *console)
{
	const ArchiveAnswer *list = list_of(console);
	int64_t at = console->runs.selected - console->runs.offset;
	return list && at >= 0 && at < list->n_rows ? &list->row[at] : NULL;
}

/* Where the selection starts: a run with a curve to see. */
static int64_t newest_training(const ArchiveAnswer *answer)
{
	for (int i = 0; i < answer->n_rows; i++)
		if (answer->row[i].kind == RUN_TRAIN)
			return i;
	return 0;
}

/* What of the trash goes: the dialog names as many as there is room for, and counts the others. */
static void open_purge(Console *console, const ArchiveAnswer *list)
{
	enum { LISTED = 145 }; /* of the dialog's three lines, with " and N more" */
	RunsView *view = &console->runs;
	int32_t n = 0;
	size_t len = 0;
	char names[200] = "";
	for (; n < list->n_rows; n++) {
		char one[80];
		size_t need = (size_t) snprintf(one, sizeof one, "%s%lld %s", n ? ", " : "", (long long) list->row[n].id, list->row[n].name);
		if (len + need >= LISTED)
			break;
		(void) snprintf(names + len, sizeof names - len, "%s", one);
		len += need;
	}
	if (n < list->matched)
		(void) snprintf(names + len, sizeof names - len, " and %lld more", (long long) list->matched - n);
	if (n)
		dialog_open_purge(&console->dialog, view->purges, (int32_t) list->matched, list->wall_ms, names);
	else
		console_say(console, ROLE_WARN, !strcmp(view->purges, PURGE_ALL) ? "nothing in the trash can go"
		                                                                   : "nothing has been in the trash for " TRASH_DAYS_TEXT " days; :purge all takes what is there");
	view->purges = NULL;
}

/* A list has come: its page is the one that is shown from now on. */
static void take_list(Console *console, const ArchiveAnswer *list)
{
	RunsView *view = &console->runs;
	if (list->code == ERR_PARSE) { /* back to the prompt, marked where it is wrong */
		console_prompt(console, PROMPT_FILTER, "filter", view->filter);
		console->prompt.fault_col = list->fault_col;
		str_copy(console->prompt.problem, sizeof console->prompt.problem, list->text);
		str_copy(view->filter, sizeof view->filter, view->good_filter);
		return;
	}
	str_copy(view->good_filter, sizeof view->good_filter, view->filter);
	if (!view->has_selected)
		view->selected = newest_training(list);
	view->has_selected = true;
	view->offset = console->talk.slot[SLOT_RUNS].query.offset;
	if (view->selected >= list->matched)
		view->selected = list->matched > 0 ? list->matched - 1 : 0;
	if (view->purges && strcmp(view->filter, view->purges) != 0)
		view->purges = NULL; /* something else was wished for meanwhile */
	bool is_its = view->purges && !strcmp(console->talk.slot[SLOT_RUNS].query.filter, view->purges);
	if (is_its && !list->code && console->dialog.kind == DIALOG_NONE)
		open_purge(console, list);
}

static bool is_same_list(const RunsView *view, const ArchiveQuery *query)
{
	return !strcmp(view->filter, query->filter) && view->sort == query->sort && view->is_ascending == query->is_ascending &&
	       view->is_grouped == query->is_grouped;
}

/* Another run under the selection (sorted, filtered, a new one on top) has other checkpoints. */
static void follow_selection(Console *console)
{
	const RunRow *row = selected(console);
	if (!row || row->id == console->runs.checkpoint_of)
		return;
	console->runs.checkpoint_of = row->id;
	console->runs.checkpoint = 0;
}

void runs_refresh(Console *console)
{
	RunsView *view = &console->runs;
	const ArchiveAnswer *list = list_of(console), *run = talk_answer(&console->talk, SLOT_RUN);
	const Slot *slot = &console->talk.slot[SLOT_RUNS];
	bool is_new = list && slot->at_ms == console->now_ms && is_same_list(view, &slot->query);
	if (is_new || (list && !view->has_selected))
		take_list(console, list);
	follow_selection(console);
	if (console->talk.asked_id)
		return;
	int64_t at = view->selected - view->offset;
	bool is_outside = list && (at < 0 || (at >= list->n_rows && list->n_rows > 0));
	bool is_old = !list || console->now_ms - slot->at_ms >= LIST_EVERY_MS || !is_same_list(view, &slot->query);
	if (is_outside || is_old || view->is_asked_anew) {
		int rows = view->is_grouped ? ARCHIVE_GROUPS : ARCHIVE_ROWS;
		int64_t offset = is_outside ? view->selected - rows / 2 : view->offset;
		ArchiveQuery query = { .ask = ARCHIVE_RUNS, .offset = offset > 0 ? offset : 0, .sort = view->sort,
			               .is_ascending = view->is_ascending, .is_grouped = view->is_grouped };
		str_copy(query.filter, sizeof query.filter, view->filter);
		view->is_asked_anew &= !talk_ask(&console->talk, console->feed, SLOT_RUNS, &query, console->now_ms);
		return;
	}
	const Slot *of_run = &console->talk.slot[SLOT_RUN];
	bool is_stale = !run || of_run->query.run_id != list->row[at].id || of_run->at_ms < slot->at_ms;
	if (at < list->n_rows && is_stale)
		(void) talk_ask(&console->talk, console->feed, SLOT_RUN,
		                &(ArchiveQuery) { .ask = ARCHIVE_RUN, .run_id = list->row[at].id }, console->now_ms);
}

bool runs_is_settled(const Console *console)
{
	const ArchiveAnswer *list = list_of(console);
	return list && !console->talk.asked_id && (!list->n_rows || talk_answer(&console->talk, SLOT_RUN));
}

/* The checkpoints of the run that is shown; 0: there are none, or they have not come. */
static int n_checkpoints(const Console *console)
{
	const ArchiveAnswer *run = talk_answer(&console->talk, SLOT_RUN);
	const RunRow *row = selected(console);
	return run && row && run->n_rows && run->row[0].id == row->id ? run->n_checkpoints : 0;
}

void runs_move(Console *console, int by)
{
	const ArchiveAnswer *list = list_of(console);
	int last_checkpoint = n_checkpoints(console) - 1, at = console->runs.checkpoint + by;
	if (console->focus[SCREEN_RUNS] == RUNS_PANE_RUN && last_checkpoint > 0) {
		console->runs.checkpoint = at < 0 ? 0 : at > last_checkpoint ? last_checkpoint : at;
		return;
	}
	console->runs.checkpoint = 0;
	int64_t last = (list ? list->matched : 0) - 1, to = console->runs.selected + by;
	console->runs.selected = to > last ? (last > 0 ? last : 0) : to < 0 ? 0 : to;
	runs_refresh(console);
}

bool runs_back(Console *console)
{
	bool was_elsewhere = console->focus[SCREEN_RUNS] != RUNS_PANE_TABLE;
	if (!was_elsewhere && console->runs.filter[0]) {
		console->runs.filter[0] = '\0';
		runs_refresh(console);
		return true;
	}
	console->focus[SCREEN_RUNS] = RUNS_PANE_TABLE;
	return was_elsewhere;
}

/* ---- marks ---- */

static int mark_of(const RunsView *view, int64_t run)
{
	for (int i = 0; i < view->n_marked; i++)
		if (view->marked[i] == run)
			return i;
	return -1;
}

bool runs_is_marked(const Console *console, int64_t run)
{
	return mark_of(&console->runs, run) >= 0;
}

void runs_mark(Console *console, int64_t run, bool is_on)
{
	RunsView *view = &console->runs;
	int at = mark_of(view, run);
	if ((at >= 0) == is_on)
		return;
	if (!is_on)
		view->marked[at] = view->marked[--view->n_marked];
	else if (view->n_marked < EDIT_RUNS)
		view->marked[view->n_marked++] = run;
	else
		console_say(console, ROLE_WARN, "64 runs are marked; no more at once");
}

/* The group that a row of the list stands for; NULL: it is a run. */
static const RunGroup *group_at(const ArchiveAnswer *list, int64_t at)
{
	return at < list->n_groups ? &list->group[at] : NULL;
}

/* A row, with all of its runs where it is a group. */
static void mark_row(Console *console, const ArchiveAnswer *list, int64_t at, bool is_on)
{
	const RunGroup *group = group_at(list, at);
	runs_mark(console, list->row[at].id, is_on);
	for (int i = 0; group && i < group->n && i < ARCHIVE_COMPARE; i++)
		runs_mark(console, group->id[i], is_on);
}

static void mark_all(Console *console)
{
	const ArchiveAnswer *list = list_of(console);
	if (console->runs.n_marked || !list) {
		console->runs.n_marked = 0;
		return;
	}
	for (int i = 0; i < list->n_rows && console->runs.n_marked < EDIT_RUNS; i++)
		mark_row(console, list, i, true);
}

int console_picked_runs(const Console *console, int64_t *run, int most)
{
	const RunsView *view = &console->runs;
	const RunRow *row = selected(console);
	int n = view->n_marked < most ? view->n_marked : most;
	memcpy(run, view->marked, (size_t) n * sizeof *run);
	const RunGroup *group = !n && row ? group_at(list_of(console), view->selected - view->offset) : NULL;
	for (int i = 0; group && i < group->n && i < ARCHIVE_COMPARE && n < most; i++)
		run[n++] = group->id[i];
	if (!n && row)
		run[n++] = row->id;
	return n;
}

/* ---- edits ---- */

static const RunRow *row_of(const Console *console, int64_t run)
{
	const ArchiveAnswer *list = list_of(console);
	for (int i = 0; list && i < list->n_rows; i++)
		if (list->row[i].id == run)
			return &list->row[i];
	return NULL;
}

/* An edit and its reverse of the picked runs: locked and deleted runs are unlocked and restored, others the other way. */
static void flip(Console *console, RunEdit on, RunEdit off)
{
	Command redo = { .kind = COMMAND_RUN_EDIT }, undo = { .kind = COMMAND_RUN_EDIT };
	char what[80], back[80];
	int n = console_picked_runs(console, redo.u.edit.run, EDIT_RUNS);
	const RunRow *row = n ? row_of(console, redo.u.edit.run[0]) : NULL;
	if (!row) {
		console_say(console, ROLE_WARN, "no run is selected");
		return;
	}
	bool is_on = on == EDIT_LOCK ? row->is_locked : row->deleted_ms != 0;
	redo.u.edit.n = n;
	undo = redo;
	redo.u.edit.what = is_on ? off : on;
	undo.u.edit.what = is_on ? on : off;
	static const char *const WORDS[EDIT_COUNT] = { [EDIT_LOCK] = "lock", [EDIT_UNLOCK] = "unlock", [EDIT_DELETE] = "to the trash",
		                                       [EDIT_RESTORE] = "out of the trash" };
	(void) snprintf(what, sizeof what, "%s, %d run%s", WORDS[redo.u.edit.what], n, n == 1 ? "" : "s");
	(void) snprintf(back, sizeof back, "%s, %d run%s", WORDS[undo.u.edit.what], n, n == 1 ? "" : "s");
	console_change(console, &redo, what, &undo, back);
	console->runs.n_marked = 0;
}

/* Of a run that the list holds as a row or within a group; those of other pages are as they were marked. */
static bool is_no_training(const Console *console, int64_t run)
{
	const ArchiveAnswer *list = list_of(console);
	for (int64_t at = 0; list && at < list->n_rows; at++) {
		const RunGroup *group = group_at(list, at);
		bool holds = list->row[at].id == run;
		for (int i = 0; group && i < group->n && i < ARCHIVE_COMPARE; i++)
			holds |= group->id[i] == run;
		if (holds)
			return list->row[at].kind != RUN_TRAIN;
	}
	return false;
}

static void compare(Console *console)
{
	CompareView *view = &console->compare;
	int64_t picked[ARCHIVE_COMPARE];
	int n = console_picked_runs(console, picked, ARCHIVE_COMPARE), n_trainings = 0;
	for (int i = 0; i < n; i++)
		if (!is_no_training(console, picked[i]))
			picked[n_trainings++] = picked[i];
	if (n_trainings < 2) {
		console_say(console, ROLE_WARN, "mark two trainings or more (live runs are none) with {runs.mark}, then {runs.compare} compares them");
		return;
	}
	if (n_trainings < n)
		console_say(console, ROLE_WARN, "only trainings are compared; the others are left out");
	view->n_ids = n_trainings;
	memcpy(view->id, picked, sizeof picked);
	view->is_asked = false;
	view->n = 0;
	console_go(console, SCREEN_COMPARE);
}

/* ---- trainings ---- */

static void resume(Console *console, const RunRow *row)
{
	char text[160];
	bool can = row && row->kind == RUN_TRAIN && (row->status == RUN_STOPPED || row->status == RUN_CRASHED || row->status == RUN_FAILED);
	if (can)
		(void) snprintf(text, sizeof text, "--resume %lld", (long long) row->id);
	else if (row && row->kind == RUN_TRAIN && row->status == RUN_DONE)
		(void) snprintf(text, sizeof text, "run %lld has done all its steps; {runs.fork} forks it, with more: --steps N", (long long) row->id);
	else
		str_copy(text, sizeof text, "only a stopped, crashed or failed training can go on");
	if (can)
		console_train(console, text);
	else
		console_say(console, ROLE_WARN, text);
}

/* A word for the command line below, which takes a quoted one whole. */
static const char *one_word(const char *word, char *text, size_t size)
{
	const char *quote = !strpbrk(word, " \t'\"") ? "" : strchr(word, '\'') ? "\"" : "'";
	(void) snprintf(text, size, "%s%s%s", quote, word, quote);
	return text;
}

static void open_fork(Console *console, const char *from, const char *name)
{
	char text[PROMPT_TEXT], fork[64], word[80];
	(void) snprintf(fork, sizeof fork, "%.40s-fork", name);
	int len = snprintf(text, sizeof text, "--from %s --name %s ", from, one_word(fork, word, sizeof word));
	if ((size_t) len < sizeof text)
		console_prompt(console, PROMPT_TRAIN, "maestro train", text);
	else
		console_say(console, ROLE_WARN, "its file's path is too long for this line; in a shell: maestro train --from FILE");
}

void runs_fork_last(Console *console, int64_t run, const char *name)
{
	char from[32];
	(void) snprintf(from, sizeof from, "%lld", (long long) run);
	open_fork(console, from, name);
}

/* From the checkpoint under the cursor; of a policy without state, the policy alone. */
static void fork_run(Console *console, const RunRow *row)
{
	const ArchiveAnswer *run = talk_answer(&console->talk, SLOT_RUN);
	int at = console->runs.checkpoint;
	const ArchiveCheckpoint *c = console->focus[SCREEN_RUNS] == RUNS_PANE_RUN && at < n_checkpoints(console) ? &run->checkpoint[at] : NULL;
	char from[sizeof c->path + 2];
	if (!row || row->kind != RUN_TRAIN || (c && c->size_bytes < 0)) {
		console_say(console, ROLE_WARN, row && row->kind == RUN_TRAIN ? "this checkpoint's file is gone; another one can be forked"
		                                                             : "only a training can be forked");
		return;
	}
	if (!c) {
		runs_fork_last(console, row->id, row->name);
		return;
	}
	if (!strcmp(c->kind, "best"))
		(void) one_word(c->path, from, sizeof from);
	else
		(void) snprintf(from, sizeof from, "%lld@%lld", (long long) row->id, (long long) c->steps);
	open_fork(console, from, row->name);
}

bool runs_sort(Console *console, const char *title)
{
	static const struct { const char *title; RunSort sort; } BY[] = { { "id", SORT_ID }, { "name", SORT_NAME },
		{ "status", SORT_STATUS }, { "steps", SORT_STEPS }, { "reward", SORT_REWARD }, { "best eval", SORT_EVAL },
		{ "age", SORT_START }, { "start (UTC)", SORT_START } };
	RunsView *view = &console->runs;
	for (size_t i = 0; i < sizeof BY / sizeof *BY; i++) {
		if (strcmp(BY[i].title, title) != 0)
			continue;
		view->is_ascending = view->sort == BY[i].sort && !view->is_ascending;
		view->sort = BY[i].sort;
		view->offset = view->selected = 0;
		runs_refresh(console);
		return true;
	}
	return false;
}

bool runs_act(Console *console, UiAction action)
{
	RunsView *view = &console->runs;
	const RunRow *row = selected(console);
	switch (action) {
	case ACT_OPEN:
		console->focus[SCREEN_RUNS] = RUNS_PANE_RUN;
		console->is_zoomed = true;
		return true;
	case ACT_MARK:
		if (row)
			mark_row(console, list_of(console), view->selected - view->offset, !runs_is_marked(console, row->id));
		runs_move(console, 1);
		return true;
	case ACT_MARK_ALL: mark_all(console); return true;
	case ACT_COMPARE: compare(console); return true;
	case ACT_TAG: console_prompt(console, PROMPT_TAG, "tag (-NAME takes it off)", ""); return true;
	case ACT_NOTE: console_prompt(console, PROMPT_NOTE, "note", row ? row->note : ""); return true;
	case ACT_RESUME: resume(console, row); return true;
	case ACT_FORK: fork_run(console, row); return true;
	case ACT_BEGIN: console_begin(console); return true;
	case ACT_LOCK: flip(console, EDIT_LOCK, EDIT_UNLOCK); return true;
	case ACT_DELETE: flip(console, EDIT_DELETE, EDIT_RESTORE); return true;
	case ACT_SORT: view->sort = (RunSort) ((view->sort + 1) % SORT_COUNT); break;
	case ACT_REVERSE: view->is_ascending = !view->is_ascending; break;
	case ACT_GROUP: view->is_grouped = !view->is_grouped; break;
	case ACT_FILTER: console_prompt(console, PROMPT_FILTER, "filter", view->filter); return true;
	default: return false;
	}
	view->offset = view->selected = 0;
	runs_refresh(console);
	return true;
}
