/* See archive.h. */
#include "storage/archive.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/queue.h"
#include "storage/compare.h"
#include "storage/db.h"
#include "storage/edit.h"
#include "storage/groups.h"
#include "storage/log.h"
#include "storage/purge.h"
#include "storage/run_folder.h"
#include "storage/runs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct Question {
	int64_t id;          /* 0: command is an edit */
	ArchiveQuery query;
	Command command;
} Question;

typedef struct StoreArchive {
	Archive base;
	char *path;
	struct sqlite3 *db;   /* of the thread; NULL while closed */
	Queue questions;
	SnapBus answers;
	CommandAnswers edits; /* of the thread */
	Clock clock;
	pthread_mutex_t lock; /* of last_id */
	int64_t last_id;
	pthread_t thread;
} StoreArchive;

static StoreArchive *self(Archive *archive)
{
	return (StoreArchive *) (void *) archive;
}

static int take_row(void *context, const RunRow *row)
{
	ArchiveAnswer *answer = context;
	answer->row[answer->n_rows++] = *row;
	return 0;
}

/* A path that does not fit is left out: cut, it would be another. */
static void find_policy(StoreArchive *s, const RunRow *row, const StrBuf *config, ArchiveAnswer *answer)
{
	char path[4400];
	Json *root = NULL;
	if (row->kind != RUN_TRAIN || row->status == RUN_RUNNING || json_parse(config->data, config->len, &root, NULL))
		return;
	run_policy_find(s->db, s->path, row->id, root, path, sizeof path);
	if (strlen(path) < sizeof answer->saved_path && !access(path, R_OK))
		str_copy(answer->saved_path, sizeof answer->saved_path, path);
	json_free(root);
}

static int answer_run(StoreArchive *s, int64_t id, ArchiveAnswer *answer, Error *err)
{
	StrBuf config = { 0 };
	int code = runs_get(s->db, id, &answer->row[0], &config, err);
	if (!code) {
		answer->n_rows = 1;
		str_copy(answer->config, sizeof answer->config, config.data);
		find_policy(s, &answer->row[0], &config, answer);
		code = runs_curve(s->db, id, answer, err);
	}
	if (!code)
		code = runs_checkpoints(s->db, id, ARCHIVE_CHECKPOINTS, answer->checkpoint, &answer->n_checkpoints, err);
	if (!code && answer->row[0].kind == RUN_CONTROL)
		code = runs_last_decisions(s->db, id, INT64_MAX, ARCHIVE_DECISIONS, answer->decision, &answer->n_decisions, err);
	if (!code && answer->row[0].kind == RUN_CONTROL)
		code = runs_by_hand(s->db, id, &answer->n_by_hand, err);
	if (!code && answer->row[0].kind == RUN_EVALUATE)
		code = runs_results(s->db, id, ARCHIVE_RESULTS, answer->result, &answer->n_results, err);
	strbuf_done(&config);
	return code;
}

/* Of a group's row: means over its runs, of those that have the figure. */
static int group_figures(StoreArchive *s, const RunGroup *group, EpisodeFigures *ret, Error *err)
{
	RunRow row[ARCHIVE_COMPARE];
	int32_t n = group->n < ARCHIVE_COMPARE ? group->n : ARCHIVE_COMPARE;
	double *to[] = { &ret->reward, &ret->v_pct, &ret->pod_hours, &ret->flips, &ret->p95_ms };
	for (int32_t i = 0; i < n; i++)
		row[i] = (RunRow) { .id = group->id[i], .kind = RUN_TRAIN, .last = { NAN, NAN, NAN, NAN, NAN } };
	int code = compare_last_figures(s->db, row, n, err);
	for (size_t f = 0; f < sizeof to / sizeof *to && !code; f++) {
		double sum = 0;
		int n_known = 0;
		for (int32_t i = 0; i < n; i++) {
			const EpisodeFigures *of = &row[i].last;
			double x = (const double[]) { of->reward, of->v_pct, of->pod_hours, of->flips, of->p95_ms }[f];
			sum += isnan(x) ? 0 : x;
			n_known += !isnan(x);
		}
		*to[f] = n_known ? sum / n_known : (double) NAN;
	}
	return code;
}

static int answer_runs(StoreArchive *s, const ArchiveQuery *q, ArchiveAnswer *answer, Error *err)
{
	RunSelection selection = { q->filter, clock_wall_ms(&s->clock), q->sort, q->is_ascending, q->offset,
	                           q->is_grouped ? ARCHIVE_GROUPS : ARCHIVE_ROWS };
	answer->wall_ms = selection.wall_ms;
	int code = q->is_grouped
		? groups_select(s->db, &selection, answer->row, answer->group, &answer->n_rows, &answer->matched, &answer->fault_col, err)
		: runs_select(s->db, &selection, take_row, answer, &answer->matched, &answer->fault_col, err);
	answer->n_groups = q->is_grouped ? answer->n_rows : 0;
	for (int32_t i = 0; i < answer->n_groups && !code; i++)
		code = group_figures(s, &answer->group[i], &answer->row[i].last, err);
	return code || answer->n_groups ? code : compare_last_figures(s->db, answer->row, answer->n_rows, err);
}

static int answer_pair(StoreArchive *s, const ArchiveQuery *query, ArchiveAnswer *answer, Error *err)
{
	int code = 0;
	for (int32_t i = 0; i < query->n_ids && i < ARCHIVE_COMPARE && !code; i++) {
		code = compare_read(s->db, query->id[i], &answer->compared[answer->n_compared], err);
		if (code == ERR_NOT_FOUND)
			code = 0; /* it was purged meanwhile */
		else
			answer->n_compared++;
	}
	return code;
}

static int answer_past(StoreArchive *s, const ArchiveQuery *q, ArchiveAnswer *answer, Error *err)
{
	int code = log_past(s->db, q->run_id, q->from_ms, q->to_ms, answer->past, &answer->n_past, &answer->past_first_ms, err);
	if (!code)
		code = runs_last_decisions(s->db, q->run_id, q->to_ms, ARCHIVE_DECISIONS, answer->decision, &answer->n_decisions, err);
	return code;
}

static int answer_one(StoreArchive *s, const ArchiveQuery *q, ArchiveAnswer *answer, Error *err)
{
	switch (q->ask) {
	case ARCHIVE_RUN: return answer_run(s, q->run_id, answer, err);
	case ARCHIVE_PAIR: return answer_pair(s, q, answer, err);
	case ARCHIVE_LOG: return log_events(s->db, q->filter, ARCHIVE_EVENTS, answer->event, &answer->n_events, err);
	case ARCHIVE_PAST: return answer_past(s, q, answer, err);
	default: return answer_runs(s, q, answer, err);
	}
}

static int answer_query(StoreArchive *s, const ArchiveQuery *query, ArchiveAnswer *answer, Error *err)
{
	int code = s->db ? 0 : db_open_readonly(s->path, &s->db, err);
	if (!code)
		code = db_exec(s->db, "BEGIN") ? db_error(s->db, err) : 0; /* one moment of the store for the whole answer */
	if (!code)
		code = runs_count(s->db, &answer->total, err);
	if (!code)
		code = answer_one(s, query, answer, err);
	if (s->db)
		(void) db_exec(s->db, "COMMIT");
	if (code == ERR_STORE) {
		db_close(s->db);
		s->db = NULL;
	}
	return code;
}

typedef struct Trash {
	int64_t seen_ms;
	PurgeList list;
} Trash;

static int take_id(void *context, const RunRow *row)
{
	Trash *trash = context;
	if (row->deleted_ms > trash->seen_ms)
		return 0; /* it was not in the list that a person saw */
	return purge_list_add(&trash->list, row->id);
}

/* Each for itself: what is gone is gone, whatever the next one meets. */
static int purge_each(StoreArchive *s, struct sqlite3 *db, const PurgeList *list, char *text, size_t size, Error *err)
{
	int32_t n = 0;
	int first = 0;
	char room[120] = "";
	Error why = { 0 };
	for (size_t i = 0; i < list->n; i++) {
		int code = purge_run(db, s->path, list->run[i], first ? &why : err);
		n += !code;
		first = first ? first : code;
	}
	why = *err;
	if (first && n)
		(void) error_set(err, first, "%d purged; %.400s", n, why.text);
	if (n)
		purge_room(db, s->path, room, sizeof room);
	(void) snprintf(text, size, "%d run%s purged, %s", n, n == 1 ? "" : "s", room);
	return first;
}

static int do_purge(StoreArchive *s, struct sqlite3 *db, const Command *command, char *text, size_t size, Error *err)
{
	Trash trash = { .seen_ms = command->u.edit.seen_ms };
	RunSelection selection = { command->u.edit.text, trash.seen_ms, SORT_ID, true, 0, INT64_MAX };
	int code = runs_select(db, &selection, take_id, &trash, NULL, NULL, err);
	if (!code && trash.list.n != (size_t) command->u.edit.n)
		code = error_set(err, ERR_REFUSED, "the trash has changed, of those listed %zu would go: nothing was purged, :purge lists them again", trash.list.n);
	if (!code)
		code = purge_each(s, db, &trash.list, text, size, err);
	free(trash.list.run);
	return code;
}

/* Through a handle of its own, for as long as it takes: the reader's cannot write. */
static int do_edit(StoreArchive *s, const Command *command, char *text, size_t size, Error *err)
{
	struct sqlite3 *db = NULL;
	int code = db_open_existing(s->path, &s->clock, &db, err);
	int32_t n = command->u.edit.n < EDIT_RUNS ? command->u.edit.n : EDIT_RUNS;
	if (!code && command->u.edit.what == EDIT_PURGE)
		code = do_purge(s, db, command, text, size, err);
	else if (!code)
		code = edit_runs(db, command->u.edit.what, command->u.edit.run, n, command->u.edit.text, clock_wall_ms(&s->clock), text,
		                 size, err);
	db_close(db);
	return code;
}

/* The snapshot before it once more, with the answer to the edit: an answer to a question may not have been seen yet. */
static void edit(StoreArchive *s, const Command *command)
{
	Error err = { 0 };
	char text[160] = "";
	int code = do_edit(s, command, text, sizeof text, &err);
	answers_add(&s->edits, command->id, code, code ? err.text : text);
	ArchiveAnswer *answer = snap_new(sizeof *answer);
	const ArchiveAnswer *before = snap_acquire(&s->answers);
	if (answer && before)
		*answer = *before;
	snap_release(before);
	if (!answer)
		return;
	answer->answers = s->edits;
	snap_publish(&s->answers, answer);
}

static void *reader_main(void *arg)
{
	StoreArchive *s = arg;
	Question question;
	while (!queue_pop(&s->questions, &question, -1)) {
		if (!question.id) {
			edit(s, &question.command);
			continue;
		}
		ArchiveAnswer *answer = snap_new(sizeof *answer);
		if (!answer)
			continue; /* the asker sees no answer and asks again */
		Error err = { 0 };
		answer->query_id = question.id;
		answer->ask = question.query.ask;
		answer->fault_col = -1;
		answer->code = answer_query(s, &question.query, answer, &err);
		str_copy(answer->text, sizeof answer->text, err.text);
		answer->answers = s->edits;
		snap_publish(&s->answers, answer);
	}
	return NULL;
}

static int store_edit(Archive *archive, const Command *command)
{
	return queue_push(&self(archive)->questions, &(Question) { .command = *command });
}

static int store_ask(Archive *archive, const ArchiveQuery *query, int64_t *ret_query_id)
{
	StoreArchive *s = self(archive);
	(void) pthread_mutex_lock(&s->lock);
	Question question = { .id = s->last_id + 1, .query = *query };
	int code = queue_push(&s->questions, &question);
	if (!code)
		*ret_query_id = s->last_id = question.id;
	(void) pthread_mutex_unlock(&s->lock);
	return code;
}

static void release(StoreArchive *s)
{
	db_close(s->db);
	queue_done(&s->questions);
	snap_bus_done(&s->answers);
	(void) pthread_mutex_destroy(&s->lock);
	free(s->path);
	free(s);
}

static void store_free(Archive *archive)
{
	StoreArchive *s = self(archive);
	queue_close(&s->questions);
	(void) pthread_join(s->thread, NULL);
	release(s);
}

int store_archive_new(const char *path, Wake *wake, Archive **ret_archive, Error *err)
{
	static const ArchiveOps ops = { "sqlite", store_ask, store_edit, store_free };
	StoreArchive *s = calloc(1, sizeof *s);
	if (!s)
		return error_set(err, ERR_NOMEM, "store %s: out of memory", path);
	s->base.ops = &ops;
	clock_init_system(&s->clock);
	s->base.answers = &s->answers;
	(void) pthread_mutex_init(&s->lock, NULL);
	snap_bus_init(&s->answers, wake);
	s->path = strdup(path);
	int code = s->path ? queue_init(&s->questions, sizeof(Question), ARCHIVE_QUEUE) : ERR_NOMEM;
	if (code)
		(void) error_set(err, code, "store %s: out of memory", path);
	else if (pthread_create(&s->thread, NULL, reader_main, s))
		code = error_set(err, ERR_FAILED, "store %s: no thread to read it", path);
	if (code)
		release(s);
	else
		*ret_archive = &s->base;
	return code;
}
