/* Picking runs by a filter, what a person adds to them, the trash, figures of episodes, the log and the past. */
#include "fakes/store_room.h"
#include "storage/archive.h"
#include "storage/compare.h"
#include "storage/db.h"
#include "storage/edit.h"
#include "storage/filter.h"
#include "storage/groups.h"
#include "storage/run_folder.h"
#include "storage/log.h"
#include "storage/runs.h"
#include "storage/writer.h"

#include <math.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { NOW = 2000000000 };

static struct {
	StoreRoom room;
	Clock clock;
	struct sqlite3 *db;
	char text[4096];
} bench;

static const char *sql(const char *statement)
{
	return store_sql(bench.room.path, statement, bench.text, sizeof bench.text);
}

static void insert_run(int id, const char *name, const char *status, int64_t start_ms, const char *config)
{
	char statement[512];
	(void) snprintf(statement, sizeof statement,
	                "INSERT INTO runs(id, kind, name, seed, status, start, ended, config, host, boot_id, pid, pid_start, heartbeat)"
	                " VALUES (%d, 'train', '%s', %d, '%s', %lld, %lld, '%s', 'h', 'b', 0, 0, 0)", id, name, id, status,
	                (long long) start_ms, (long long) start_ms + 60000, config);
	(void) sql(statement);
}

static int set_up(void **state)
{
	(void) state;
	Error err = { 0 };
	memset(&bench, 0, sizeof bench);
	store_room_init(&bench.room);
	clock_init_system(&bench.clock);
	if (db_open(bench.room.path, &bench.clock, &bench.db, &err))
		fail_msg("%s", err.text);
	insert_run(1, "web-a", "done", NOW - 3600000, "{\"learning-rate\":\"3e-4\",\"trace\":\"x/wc98.csv\",\"seed\":1}");
	insert_run(2, "web-b", "done", NOW - 7200000, "{\"learning-rate\":\"1e-3\",\"trace\":\"x/nasa.csv\",\"seed\":2}");
	insert_run(3, "web-a", "crashed", NOW - 86400000 * 4, "{\"learning-rate\":\"3e-4\",\"trace\":\"x/wc98.csv\",\"seed\":3}");
	(void) sql("INSERT INTO evals VALUES (1, 100, 5, 57.5, 1, 200, 5, 1)");
	(void) sql("INSERT INTO evals VALUES (2, 100, 5, 33, 1, 200, 5, 1)");
	return 0;
}

static int tear_down(void **state)
{
	(void) state;
	db_close(bench.db);
	store_room_done(&bench.room);
	return 0;
}

static int add_id(void *context, const RunRow *row)
{
	char *ids = context;
	(void) snprintf(ids + strlen(ids), 64 - strlen(ids), "%s%lld", *ids ? " " : "", (long long) row->id);
	return 0;
}

static const char *pick(const char *filter, RunSort sort, bool is_ascending)
{
	static char ids[64];
	int64_t matched = -1;
	Error err = { 0 };
	ids[0] = '\0';
	RunSelection selection = { filter, NOW, sort, is_ascending, 0, 100 };
	if (runs_select(bench.db, &selection, add_id, ids, &matched, NULL, &err))
		fail_msg("%s", err.text);
	int n = 0;
	for (const char *c = ids; *c; c++)
		n += *c == ' ';
	assert_int_equal(matched, ids[0] ? n + 1 : 0);
	return ids;
}

static void filters_pick_what_they_say(void **state)
{
	(void) state;
	static const struct {
		const char *filter, *ids;
	} CASES[] = {
		{ "", "3 2 1" }, { "web", "3 2 1" }, { "WEB-B", "2" }, { "status=done", "2 1" }, { "status!=done", "3" },
		{ "not status=done", "3" }, { "lr<=3e-4", "3 1" }, { "lr=1e-3", "2" }, { "trace:wc98", "3 1" },
		{ "eval>50", "1" }, { "eval>10", "2 1" }, { "not eval>10", "3" }, { "has:eval", "2 1" }, { "age<3h", "2 1" }, { "age>3d", "3" },
		{ "age<90m", "1" }, { "took>=1m", "3 2 1" }, { "id>=2", "3 2" }, { "web-b or status=crashed", "3 2" },
		{ "(web-b or web-a) status=done", "2 1" }, { "not (web-b or status=crashed)", "1" }, { "name:\"web-a\" and seed=3", "3" },
		{ "is:trash", "" }, { "nosuchoption=4", "" }, { "name:%", "3 2 1" }, { "note:'; DROP TABLE runs;--", "" },
	};
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
		if (strcmp(pick(CASES[i].filter, SORT_ID, false), CASES[i].ids) != 0)
			fail_msg("%s picked <%s>, not <%s>", CASES[i].filter, pick(CASES[i].filter, SORT_ID, false), CASES[i].ids);
}

static void order_is_by_the_figure_and_unknown_comes_last(void **state)
{
	(void) state;
	assert_string_equal(pick("", SORT_EVAL, false), "1 2 3");
	assert_string_equal(pick("", SORT_EVAL, true), "2 1 3");
	assert_string_equal(pick("", SORT_NAME, true), "3 1 2");
	assert_string_equal(pick("", SORT_ID, true), "1 2 3");
}

static void groups_are_runs_that_differ_in_the_seed_alone(void **state)
{
	(void) state;
	RunSelection selection = { "", NOW, SORT_ID, false, 0, 10 };
	RunRow row[10];
	RunGroup group[10];
	int32_t n = 0, col = -1;
	int64_t matched = 0;
	Error err = { 0 };
	(void) sql("UPDATE runs SET config = '{\"seed\":' || id || ',\"net\":[64,64],\"lr\":' || CASE id WHEN 2 THEN 1 ELSE 3 END || '}'");
	assert_int_equal(groups_select(bench.db, &selection, row, group, &n, &matched, &col, &err), 0);
	assert_int_equal(n, 2);
	assert_int_equal(matched, 2);
	assert_int_equal(row[0].id, 3); /* the newest stands for all */
	assert_int_equal(group[0].n, 2);
	assert_int_equal(group[0].id[0], 3);
	assert_int_equal(group[0].id[1], 1);
	assert_float_equal(group[0].iqm, 57.5, 1e-9); /* of the one that was evaluated */
	assert_true(isnan(group[0].lo)); /* and no interval of it */
	assert_int_equal(group[1].id[0], 2);
	assert_int_equal(group[0].n_seeds, 2);
	assert_int_equal(group[0].mixed, MIXED_STATUS); /* one crashed, one is done */
	assert_int_equal(group[1].mixed, 0);
	(void) sql("UPDATE runs SET tags = 'x', note = 'y', host = 'z', locked = 1, deleted = 5, steps = 60 WHERE id = 3");
	(void) sql("UPDATE runs SET steps = 20 WHERE id = 1");
	selection.filter = "is:trash or id>0";
	assert_int_equal(groups_select(bench.db, &selection, row, group, &n, &matched, &col, &err), 0);
	assert_int_equal(group[0].mixed, MIXED_STATUS | MIXED_TAGS | MIXED_NOTE | MIXED_HOST | MIXED_LOCK | MIXED_TRASH);
	assert_float_equal(group[0].mean_steps, 40, 1e-9);
	(void) sql("UPDATE runs SET deleted = NULL");
	selection.filter = "";
	selection.sort = SORT_EVAL;
	selection.is_ascending = true;
	selection.offset = 1;
	assert_int_equal(groups_select(bench.db, &selection, row, group, &n, &matched, &col, &err), 0);
	assert_int_equal(n, 1); /* 33 stands before it */
	assert_int_equal(row[0].id, 3);
	(void) sql("UPDATE runs SET seed = 1 WHERE id = 3"); /* the same draw again: one seed, their mean */
	(void) sql("INSERT INTO evals VALUES (3, 9, 5, 50.5, 1, 200, 5, 1)");
	assert_int_equal(groups_select(bench.db, &selection, row, group, &n, &matched, &col, &err), 0);
	assert_true(group[0].n == 2 && group[0].n_seeds == 1 && fabs(group[0].iqm - 54) < 1e-9);
	selection.filter = "web (a";
	assert_int_equal(groups_select(bench.db, &selection, row, group, &n, &matched, &col, &err), ERR_PARSE);
	assert_int_equal(col, 4);
}

static void group_key_reads_a_configuration_however_it_is_spaced(void **state)
{
	(void) state;
	uint32_t key = groups_key("{\"seed\":1,\"lr\":\"3e-4\",\"net\":[64,64],\"from\":null}");
	assert_int_equal(groups_key("{ \"lr\" : \"3e-4\",\n\"net\": [64, 64], \"seed\": 22 }"), key);
	assert_int_not_equal(groups_key("{\"lr\":\"3e-4\",\"net\":[64,32]}"), key);
	assert_int_not_equal(groups_key("{\"lr\":\"3e-4\",\"net\":[64,64],\"note\":\"a\\\",\\\"seed\\\":1\"}"), key);
	assert_int_equal(groups_key("null"), 0);
	assert_int_equal(groups_key(""), 0);
	assert_int_not_equal(groups_key("{\"lr\""), 0); /* cut: no key of its own, and no harm */
}

static void bad_filter_is_marked_where_it_is_wrong(void **state)
{
	(void) state;
	static const struct {
		const char *filter;
		int col;
	} CASES[] = {
		{ "web (a", 4 }, { "a )", 2 }, { "web steps>many", 4 }, { "age<3", 0 }, { "status<3", 0 }, { "a or", 4 }, { "not", 3 },
		{ "eval>", 5 }, { "is:best", 0 }, { "()", 1 },
	};
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		Error err = { 0 };
		int32_t col = -1;
		RunSelection selection = { CASES[i].filter, NOW, SORT_ID, false, 0, 100 };
		assert_int_equal(runs_select(bench.db, &selection, add_id, (char[64]) { 0 }, NULL, &col, &err), ERR_PARSE);
		if (col != CASES[i].col)
			fail_msg("%s: column %d, not %d (%s)", CASES[i].filter, col, CASES[i].col, err.text);
	}
	char deep[200];
	memset(deep, '(', sizeof deep - 1);
	deep[sizeof deep - 1] = '\0';
	Filter filter;
	Error err = { 0 };
	assert_int_equal(filter_parse(deep, NOW, &filter, &err), ERR_PARSE);
	filter_done(&filter);
}

static int edit(RunEdit what, int64_t run, const char *text)
{
	char said[160];
	Error err = { 0 };
	return edit_runs(bench.db, what, &run, 1, text, NOW, said, sizeof said, &err);
}

static void tags_are_added_and_taken_off(void **state)
{
	(void) state;
	assert_int_equal(edit(EDIT_TAG, 1, "best"), 0);
	assert_int_equal(edit(EDIT_TAG, 1, "web"), 0);
	assert_int_equal(edit(EDIT_TAG, 1, "best"), 0); /* once is enough */
	assert_string_equal(sql("SELECT tags FROM runs WHERE id = 1"), "web best");
	assert_string_equal(pick("tag:best", SORT_ID, false), "1");
	assert_string_equal(pick("tag:bes", SORT_ID, false), "");
	assert_string_equal(pick("not tag:best", SORT_ID, false), "3 2");
	assert_int_equal(edit(EDIT_UNTAG, 1, "web"), 0);
	assert_string_equal(sql("SELECT tags FROM runs WHERE id = 1"), "best");
	assert_int_equal(edit(EDIT_TAG, 1, "two words"), ERR_INVALID);
	assert_int_equal(edit(EDIT_NOTE, 2, "warm start; 'quoted'"), 0);
	assert_string_equal(pick("has:note", SORT_ID, false), "2");
	assert_int_equal(edit(EDIT_NOTE, 99, "x"), ERR_NOT_FOUND);
}

static void locked_runs_are_not_deleted_and_all_or_none_are(void **state)
{
	(void) state;
	char said[160];
	Error err = { 0 };
	assert_int_equal(edit(EDIT_LOCK, 2, ""), 0);
	assert_int_equal(edit_runs(bench.db, EDIT_DELETE, (int64_t[]) { 1, 2 }, 2, "", NOW, said, sizeof said, &err), ERR_REFUSED);
	assert_non_null(strstr(err.text, "run 2 is locked"));
	assert_string_equal(pick("", SORT_ID, false), "3 2 1"); /* 1 came back with it */
	(void) sql("UPDATE runs SET status = 'running' WHERE id = 3");
	assert_int_equal(edit(EDIT_DELETE, 3, ""), ERR_REFUSED);
}

static void trash_keeps_a_run_until_it_is_purged(void **state)
{
	(void) state;
	Error err = { 0 };
	assert_int_equal(edit(EDIT_DELETE, 1, ""), 0);
	assert_string_equal(pick("", SORT_ID, false), "3 2");
	assert_string_equal(pick("is:trash", SORT_ID, false), "1");
	assert_int_equal(edit(EDIT_RESTORE, 1, ""), 0);
	assert_string_equal(pick("", SORT_ID, false), "3 2 1");
	assert_int_equal(edit_purge(bench.db, 1, &err), ERR_REFUSED);
	assert_int_equal(edit(EDIT_DELETE, 1, ""), 0);
	assert_int_equal(edit(EDIT_LOCK, 1, ""), 0);
	assert_int_equal(edit_purge(bench.db, 1, &err), ERR_REFUSED);
	assert_int_equal(edit(EDIT_UNLOCK, 1, ""), 0);
	assert_int_equal(edit_purge(bench.db, 1, &err), 0);
	assert_string_equal(sql("SELECT count(*) FROM evals WHERE run = 1"), "0"); /* its parts went too */
	assert_string_equal(pick("is:trash", SORT_ID, false), "");
}

static int64_t bytes_of_store(void)
{
	struct stat there;
	assert_int_equal(stat(bench.room.path, &there), 0);
	return (int64_t) there.st_size;
}

static void purged_rows_give_their_room_back_when_nobody_writes(void **state)
{
	(void) state;
	Error err = { 0 };
	(void) sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) "
	           "INSERT INTO evals SELECT 1, i, 5, i, 1, 200, 5, 0 FROM n");
	assert_int_equal(edit_vacuum(bench.db, &err), 0);
	int64_t before = bytes_of_store();
	assert_int_equal(edit(EDIT_DELETE, 1, ""), 0);
	assert_int_equal(edit_purge(bench.db, 1, &err), 0);
	struct sqlite3 *other = NULL;
	assert_int_equal(db_open(bench.room.path, &bench.clock, &other, &err), 0);
	assert_int_equal(db_exec(other, "BEGIN IMMEDIATE"), 0);
	assert_int_equal(db_exec(bench.db, "PRAGMA busy_timeout = 10"), 0);
	assert_int_equal(edit_vacuum(bench.db, &err), ERR_STORE);
	assert_non_null(strstr(err.text, "locked"));
	assert_int_equal(db_exec(other, "ROLLBACK"), 0);
	assert_int_equal(edit_vacuum(bench.db, &err), 0);
	db_close(other);
	assert_true(bytes_of_store() < before - 100000);
	assert_string_equal(sql("PRAGMA integrity_check"), "ok");
	assert_string_equal(pick("", SORT_ID, false), "3 2");
}

static void runs_that_differ_in_the_seed_alone_are_one_group(void **state)
{
	(void) state;
	RunRow a, b, c;
	Error err = { 0 };
	assert_int_equal(runs_get(bench.db, 1, &a, NULL, &err), 0);
	assert_int_equal(runs_get(bench.db, 3, &b, NULL, &err), 0);
	assert_int_equal(runs_get(bench.db, 2, &c, NULL, &err), 0);
	assert_int_equal(a.group, b.group);
	assert_true(a.group && a.group != c.group);
}

static void episode_figures_are_counted_from_its_lists(void **state)
{
	(void) state;
	EpisodeFigures f;
	compare_figures("[1,2,3,2,2,4]", "[100,null,300,260,90,80]", 250, 15, &f);
	assert_true(fabs(f.v_pct - 40) < 1e-9);
	assert_true(fabs(f.pod_hours - 14 * 15 / 3600.0) < 1e-9);
	assert_true(f.flips == 2); /* up, down, up */
	assert_true(f.p95_ms == 300);
	compare_figures("[]", "[]", 250, 15, &f);
	assert_true(isnan(f.v_pct) && isnan(f.p95_ms));
}

static void a_run_is_read_for_comparison(void **state)
{
	(void) state;
	CompareRun *run = calloc(1, sizeof *run);
	Error err = { 0 };
	assert_non_null(run);
	(void) sql("UPDATE runs SET config = '{\"latency-soft\":250,\"interval\":15,\"trace\":\"a/wc.csv\"}' WHERE id = 1");
	for (int i = 0; i < 100; i++) {
		char statement[128];
		(void) snprintf(statement, sizeof statement, "INSERT INTO evals VALUES (1, %d, 5, %d, 1, 200, 5, 0)", 200 + i, i);
		(void) sql(statement);
	}
	(void) sql("INSERT INTO episodes VALUES (1, 300, 5, 'eval', 61, 2, '[2,4]', '[100,300]', '[1,1]')");
	(void) sql("INSERT INTO episodes VALUES (1, 299, 5, 'train', 9, 2, '[9,9]', '[900,900]', '[1,1]')");
	(void) sql("INSERT INTO episodes VALUES (1, 299, 5, 'eval', 60, 2, '[3,3]', '[100,120]', '[1,1]')");
	(void) sql("INSERT INTO episodes VALUES (1, 100, 5, 'hpa', 55, 2, '[4,4]', '[100,120]', '[1,1]')");
	assert_int_equal(compare_read(bench.db, 1, run, &err), 0);
	assert_string_equal(run->trace, "wc.csv");
	assert_true(run->last_eval == 99);
	assert_int_equal(run->n_points, COMPARE_POINTS);
	assert_true(run->reward[0] == 57.5f && run->reward[COMPARE_POINTS - 1] == 99.0f);
	const EpisodeFigures *last = &run->episode[COMPARE_POINTS - 1]; /* the one that evaluated there, not that of later */
	assert_true(last->reward == 60 && last->v_pct == 0 && last->p95_ms == 120);
	assert_true(fabs(last->pod_hours - 6 * 15 / 3600.0) < 1e-9);
	for (int i = 0; i + 1 < COMPARE_POINTS; i++) /* those that stored none */
		assert_true(isnan(run->episode[i].reward) && isnan(run->episode[i].pod_hours) && isnan(run->episode[i].flips));
	assert_true(run->eval.v_pct == 50 && run->eval.reward == 61 && run->hpa.v_pct == 0 && run->hpa.reward == 55);
	(void) sql("INSERT INTO evals VALUES (1, 400, 5, NULL, NULL, NULL, 5, 0)");
	assert_int_equal(compare_read(bench.db, 1, run, &err), 0);
	assert_true(isnan(run->last_eval)); /* what is not known is no 0 */
	assert_int_equal(compare_read(bench.db, 9, run, &err), ERR_NOT_FOUND);
	free(run);
}

static void log_is_newest_first_and_takes_words(void **state)
{
	(void) state;
	ArchiveEvent event[32];
	int32_t n = 0;
	Error err = { 0 };
	(void) sql("INSERT INTO states VALUES (1, 3000000000, 'shop', 'web', 'Active', 'Hold', 'MetricsMissing', 'timed out')");
	(void) sql("INSERT INTO interventions VALUES (1, 5, 2900000000, 'learning_rate', '3e-4', '1e-4', 'ada')");
	assert_int_equal(log_events(bench.db, "", 32, event, &n, &err), 0);
	assert_true(n > 4);
	assert_string_equal(event[0].text, "Active -> Hold MetricsMissing: timed out");
	assert_int_equal(event[0].level, EVENT_WARNING);
	assert_string_equal(event[1].source, "ada");
	for (int i = 1; i < n; i++)
		assert_true(event[i].wall_ms <= event[i - 1].wall_ms);
	/* a write that was answered is told once; one that waits is told as it waits */
	(void) sql("INSERT INTO audit (run, time, who, host, context, namespace, deployment, what, \"from\", \"to\", state_before, reason, result, command)"
	           " VALUES (1, 1, 'bo', '', '', 'shop', 'web', 'set', 3, 8, 'Active', '', 'pending', 7),"
	           " (1, 2, 'bo', '', '', 'shop', 'web', 'set', 3, 8, 'Active', '', 'applied', 7),"
	           " (1, 3, 'bo', '', '', 'shop', 'web', 'set', 8, 9, 'Active', '', 'pending', 8)");
	assert_int_equal(log_events(bench.db, "bo", 32, event, &n, &err), 0);
	assert_int_equal(n, 2);
	assert_string_equal(event[0].text, "set web 8 -> 9 pending");
	assert_string_equal(event[1].text, "set web 3 -> 8 applied");
	(void) sql("INSERT INTO evals VALUES (2, 200, 6, NULL, 1, 200, 5, 0)"); /* no figure is none, and not 0 */
	assert_int_equal(log_events(bench.db, "evaluation reward ?", 32, event, &n, &err), 0);
	assert_int_equal(n, 1);
	assert_int_equal(log_events(bench.db, "crashed", 32, event, &n, &err), 0);
	assert_int_equal(n, 1);
	assert_int_equal(event[0].level, EVENT_ERROR);
}

static ArchiveAnswer wait_for(Archive *archive, bool (*is_it)(const ArchiveAnswer *))
{
	for (int i = 0; i < 500; i++) {
		const ArchiveAnswer *answer = snap_acquire(archive->answers);
		if (answer && is_it(answer)) {
			ArchiveAnswer copy = *answer;
			snap_release(answer);
			return copy;
		}
		snap_release(answer);
		(void) poll(NULL, 0, 10);
	}
	fail_msg("no such answer within 5 s");
	return (ArchiveAnswer) { 0 };
}

static bool has_rows(const ArchiveAnswer *answer)
{
	return answer->n_rows > 0;
}

static bool has_edit(const ArchiveAnswer *answer)
{
	return answer->answers.n > 0;
}

static void an_edit_is_answered_beside_the_last_answer(void **state)
{
	(void) state;
	Archive *archive = NULL;
	Error err = { 0 };
	int64_t id;
	assert_int_equal(store_archive_new(bench.room.path, NULL, &archive, &err), 0);
	assert_int_equal(archive->ops->ask(archive, &(ArchiveQuery) { .ask = ARCHIVE_RUNS, .filter = "status=done" }, &id), 0);
	static ArchiveAnswer answer;
	answer = wait_for(archive, has_rows);
	assert_int_equal(answer.matched, 2);
	assert_int_equal(answer.total, 3);
	Command command = { .id = 77, .kind = COMMAND_RUN_EDIT, .u.edit = { .what = EDIT_TAG, .n = 2, .run = { 1, 2 }, .text = "x" } };
	assert_int_equal(archive->ops->edit(archive, &command), 0);
	answer = wait_for(archive, has_edit);
	assert_int_equal(answer.query_id, id); /* the list is still there */
	assert_int_equal(answer.n_rows, 2);
	assert_int_equal(answer.answers.answer[0].id, 77);
	assert_string_equal(answer.answers.answer[0].text, "tag x: 2 runs");
	archive_free(archive);
	assert_string_equal(pick("tag:x", SORT_ID, false), "2 1");
}

/* What the console's :purge sends: rows and files go, and of a run that is not in the trash neither. */
static void a_purge_takes_rows_and_files_of_the_trash_alone(void **state)
{
	(void) state;
	Archive *archive = NULL;
	Error err = { 0 };
	char folder[300], file[320];
	assert_int_equal(edit(EDIT_DELETE, 1, ""), 0);
	assert_int_equal(run_folder_make(bench.room.path, 1, folder, sizeof folder, &err), 0);
	(void) snprintf(file, sizeof file, "%s/last.ckpt", folder);
	assert_int_equal(mem_write_file(file, "x", 1, &err), 0);
	assert_int_equal(store_archive_new(bench.room.path, NULL, &archive, &err), 0);
	Command command = { .id = 78, .kind = COMMAND_RUN_EDIT, .u.edit = { .what = EDIT_PURGE, .n = 2, .seen_ms = NOW, .text = "is:trash not is:locked" } };
	assert_int_equal(archive->ops->edit(archive, &command), 0);
	static ArchiveAnswer answer;
	answer = wait_for(archive, has_edit);
	assert_int_equal(answer.answers.answer[0].code, ERR_REFUSED); /* two were seen, one is there */
	assert_non_null(strstr(answer.answers.answer[0].text, "of those listed 1 would go: nothing was purged"));
	archive_free(archive);
	assert_string_equal(sql("SELECT count(*) FROM runs"), "3");
	assert_int_equal(store_archive_new(bench.room.path, NULL, &archive, &err), 0);
	command.u.edit.n = 1;
	command.u.edit.seen_ms -= 3600000; /* it came into the trash behind the list: another one of as many */
	assert_int_equal(archive->ops->edit(archive, &command), 0);
	answer = wait_for(archive, has_edit);
	assert_int_equal(answer.answers.answer[0].code, ERR_REFUSED);
	archive_free(archive);
	assert_string_equal(sql("SELECT count(*) FROM runs"), "3");
	assert_int_equal(store_archive_new(bench.room.path, NULL, &archive, &err), 0);
	command.u.edit.seen_ms += 3600000;
	assert_int_equal(archive->ops->edit(archive, &command), 0);
	answer = wait_for(archive, has_edit);
	assert_int_equal(answer.answers.answer[0].code, 0);
	archive_free(archive);
	assert_string_equal(sql("SELECT group_concat(id) FROM (SELECT id FROM runs ORDER BY id)"), "2,3");
	assert_int_not_equal(access(folder, F_OK), 0);
	assert_int_equal(edit_runs(bench.db, EDIT_PURGE, (int64_t[]) { 2 }, 1, "", NOW, file, sizeof file, &err), ERR_INVALID);
}

/* More than a page of the screen, more than are marked at once: all of them, but for the young and the locked ones. */
static void a_purge_takes_all_that_its_filter_takes(void **state)
{
	(void) state;
	enum { MANY = 300 };
	Archive *archive = NULL;
	Error err = { 0 };
	char text[400];
	(void) snprintf(text, sizeof text, "WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n"
	                " WHERE i < %d) INSERT INTO runs (id, kind, name, status, start, seed, config, host, boot_id, pid, pid_start,"
	                " heartbeat, deleted) SELECT i, 'train', 'old', 'done', 1, 1, '{}', 'h', 'b', 1, 1, 1, 1 FROM n", 99 + MANY);
	assert_int_equal(db_exec(bench.db, text), 0);
	assert_int_equal(db_exec(bench.db, "UPDATE runs SET deleted = CAST(strftime('%s', 'now') AS INTEGER) * 1000 WHERE id = 1"), 0);
	assert_int_equal(db_exec(bench.db, "UPDATE runs SET locked = 1 WHERE id = 100"), 0);
	assert_int_equal(store_archive_new(bench.room.path, NULL, &archive, &err), 0);
	Command command = { .id = 78, .kind = COMMAND_RUN_EDIT,
		.u.edit = { .what = EDIT_PURGE, .n = MANY - 1, .seen_ms = (int64_t) time(NULL) * 1000, .text = "is:trash not is:locked trash>=30d" } };
	assert_int_equal(archive->ops->edit(archive, &command), 0);
	static ArchiveAnswer answer;
	answer = wait_for(archive, has_edit);
	assert_string_equal(answer.answers.answer[0].code ? answer.answers.answer[0].text : "", "");
	archive_free(archive);
	assert_string_equal(sql("SELECT group_concat(id) FROM (SELECT id FROM runs ORDER BY id)"), "1,2,3,100");
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(filters_pick_what_they_say),
		STORE_TEST(order_is_by_the_figure_and_unknown_comes_last),
		STORE_TEST(groups_are_runs_that_differ_in_the_seed_alone),
		STORE_TEST(group_key_reads_a_configuration_however_it_is_spaced),
		STORE_TEST(bad_filter_is_marked_where_it_is_wrong),
		STORE_TEST(tags_are_added_and_taken_off),
		STORE_TEST(locked_runs_are_not_deleted_and_all_or_none_are),
		STORE_TEST(trash_keeps_a_run_until_it_is_purged),
		STORE_TEST(a_purge_takes_rows_and_files_of_the_trash_alone),
		STORE_TEST(a_purge_takes_all_that_its_filter_takes),
		STORE_TEST(purged_rows_give_their_room_back_when_nobody_writes),
		STORE_TEST(runs_that_differ_in_the_seed_alone_are_one_group),
		STORE_TEST(episode_figures_are_counted_from_its_lists),
		STORE_TEST(a_run_is_read_for_comparison),
		STORE_TEST(log_is_newest_first_and_takes_words),
		STORE_TEST(an_edit_is_answered_beside_the_last_answer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
