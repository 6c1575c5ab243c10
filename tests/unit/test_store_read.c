/* What the store answers: the list of runs, the parts of one, the archive's snapshots; and what resuming keeps. */
#include "fakes/store_room.h"
#include "storage/archive.h"
#include "storage/db.h"
#include "storage/run_folder.h"
#include "storage/runs.h"
#include "storage/writer.h"

#include <math.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct {
	StoreRoom room;
	Clock clock;
	Sink *sink;
	struct sqlite3 *db;
	char text[4096];
} bench;

static int set_up(void **state)
{
	(void) state;
	Error err = { 0 };
	memset(&bench, 0, sizeof bench);
	store_room_init(&bench.room);
	clock_init_system(&bench.clock);
	if (store_sink_new(bench.room.path, &bench.clock, STORE_QUEUE, &bench.sink, &err) ||
	    db_open_existing(bench.room.path, &bench.clock, &bench.db, &err))
		fail_msg("%s", err.text);
	return 0;
}

static int tear_down(void **state)
{
	(void) state;
	db_close(bench.db);
	sink_free(bench.sink);
	store_room_done(&bench.room);
	return 0;
}

static const char *sql(const char *question)
{
	return store_sql(bench.room.path, question, bench.text, sizeof bench.text);
}

static void commit(void)
{
	Error err = { 0 };
	if (bench.sink->ops->commit(bench.sink, 60000, &err)) /* under valgrind too */
		fail_msg("%s", err.text);
}

static void put_update(int64_t run, int64_t n, double reward)
{
	Record record = { .kind = RECORD_UPDATE, .run_id = run, .wall_ms = n };
	record.u.update = (RecordUpdate) { .update = n, .steps = n * 100 };
	for (int i = 0; i < TRAIN_METRIC_COUNT; i++)
		record.u.update.value[i] = (double) NAN;
	record.u.update.value[TRAIN_EP_REW_MEAN] = reward;
	record.u.update.value[TRAIN_EP_LEN_MEAN] = 200;
	bench.sink->ops->write(bench.sink, &record);
}

static void put_eval(int64_t run, int64_t steps, double mean)
{
	Record record = { .kind = RECORD_EVAL, .run_id = run, .wall_ms = 1 };
	record.u.eval = (RecordEval) { steps, mean, mean / 10, 200, 5, false };
	bench.sink->ops->write(bench.sink, &record);
}

static void put_checkpoint(int64_t run, int64_t steps, const char *kind, const char *path)
{
	Record record = { .kind = RECORD_CHECKPOINT, .run_id = run, .wall_ms = 1 };
	record.u.checkpoint.steps = steps;
	str_copy(record.u.checkpoint.kind, sizeof record.u.checkpoint.kind, kind);
	str_copy(record.u.checkpoint.path, sizeof record.u.checkpoint.path, path);
	bench.sink->ops->write(bench.sink, &record);
}

static int keep_row(void *context, const RunRow *row)
{
	RunRow *kept = context;
	while (kept->id)
		kept++;
	*kept = *row;
	return 0;
}

static void list_is_newest_first_with_last_update_and_best_eval(void **state)
{
	(void) state;
	RunRow row[4] = { 0 };
	int64_t first = store_begin(bench.sink), second = store_begin(bench.sink), count = 0;
	put_update(first, 1, 10);
	put_update(first, 2, 12.5);
	put_eval(first, 100, 40);
	put_eval(first, 150, 50);
	put_eval(first, 200, 45);
	commit();
	assert_int_equal(runs_select(bench.db, &(RunSelection) { .limit = 10 }, keep_row, row, NULL, NULL, NULL), 0);
	assert_int_equal(row[0].id, second);
	assert_true(isnan(row[0].ep_rew_mean) && isnan(row[0].eval_mean));
	assert_int_equal(row[1].id, first);
	assert_int_equal(row[1].status, RUN_RUNNING);
	assert_int_equal(row[1].steps, 200);
	assert_true(row[1].ep_rew_mean == 12.5 && row[1].ep_len_mean == 200);
	assert_true(row[1].eval_mean == 50 && row[1].eval_std == 5);
	assert_int_equal(row[2].id, 0);
	memset(row, 0, sizeof row);
	assert_int_equal(runs_select(bench.db, &(RunSelection) { .offset = 1, .limit = 1 }, keep_row, row, NULL, NULL, NULL), 0);
	assert_int_equal(row[0].id, first);
	assert_int_equal(row[1].id, 0);
	assert_int_equal(runs_count(bench.db, &count, NULL), 0);
	assert_int_equal(count, 2);
}

static void unknown_run_is_named(void **state)
{
	(void) state;
	RunRow row;
	RecordCheckpoint checkpoint;
	Error err = { 0 };
	assert_int_equal(runs_get(bench.db, 41, &row, NULL, &err), ERR_NOT_FOUND);
	assert_non_null(strstr(err.text, "run 41"));
	assert_int_equal(runs_last_checkpoint(bench.db, 41, &checkpoint, &err), ERR_NOT_FOUND);
}

static int print_cells(void *context, const RunCell *cell, size_t n)
{
	StrBuf *buf = context;
	for (size_t i = 0; i < n; i++)
		if (cell[i].kind == CELL_REAL)
			strbuf_addf(buf, "%s=%g ", cell[i].name, cell[i].real);
		else if (cell[i].kind == CELL_TEXT || cell[i].kind == CELL_JSON)
			strbuf_addf(buf, "%s=%s ", cell[i].name, cell[i].text);
		else
			strbuf_addf(buf, "%s:%d:%lld ", cell[i].name, (int) cell[i].kind, (long long) cell[i].integer);
	strbuf_addf(buf, ";");
	return 0;
}

static void parts_are_read_as_named_cells(void **state)
{
	(void) state;
	int64_t run = store_begin(bench.sink);
	StrBuf buf = { 0 };
	Record record = { .kind = RECORD_EPISODE, .run_id = run, .wall_ms = 7 };
	record.u.episode = (RecordEpisode) { .steps = 3, .source = "train", .reward = NAN, .length = 2, .replicas = { 4, 5 } };
	bench.sink->ops->write(bench.sink, &record);
	put_eval(run, 100, 40);
	put_checkpoint(run, 100, "last", "a");
	put_checkpoint(run, 100, "best", "b");
	commit();
	assert_int_equal(runs_part(bench.db, run, PART_EPISODES, print_cells, &buf, NULL), 0);
	assert_int_equal(runs_part(bench.db, run, PART_EVALS, print_cells, &buf, NULL), 0);
	assert_int_equal(runs_part(bench.db, run, PART_CHECKPOINTS, print_cells, &buf, NULL), 0);
	char expected[512];
	(void) snprintf(expected, sizeof expected,
	                "steps:%d:3 time:%d:7 source=train reward:%d:0 length:%d:2 replicas=[4,5] latency=[0,0] rps=[0,0] ;"
	                "steps:%d:100 time:%d:1 mean_reward=40 std_reward=4 mean_ep_length=200 n_episodes:%d:5 best:%d:0 ;"
	                "steps:%d:100 time:%d:1 kind=last path=a ;steps:%d:100 time:%d:1 kind=best path=b ;",
	                CELL_INT, CELL_TIME, CELL_NULL, CELL_INT, CELL_INT, CELL_TIME, CELL_INT, CELL_BOOL, CELL_INT,
	                CELL_TIME, CELL_INT, CELL_TIME);
	assert_string_equal(buf.data, expected);
	strbuf_done(&buf);
}

static void last_update_names_every_figure_of_the_table(void **state)
{
	(void) state;
	int64_t run = store_begin(bench.sink);
	StrBuf buf = { 0 };
	put_update(run, 1, 1);
	put_update(run, 2, 2);
	commit();
	assert_int_equal(runs_part(bench.db, run, PART_LAST_UPDATE, print_cells, &buf, NULL), 0);
	assert_non_null(strstr(buf.data, "update:1:2 steps:1:200 "));
	for (int i = 0; i < TRAIN_METRIC_COUNT; i++) { /* one that is missing wants a migration */
		char name[64];
		(void) snprintf(name, sizeof name, " %s", train_metric_name((TrainMetric) i));
		assert_non_null(strstr(buf.data, name));
	}
	strbuf_done(&buf);
}

static void end_run(int64_t run)
{
	Record record = { .kind = RECORD_RUN_END, .run_id = run, .wall_ms = 5, .u.run_end = RUN_FAILED };
	bench.sink->ops->write(bench.sink, &record);
}

static void resume_continues_the_run_and_drops_what_will_be_made_again(void **state)
{
	(void) state;
	int64_t run = store_begin(bench.sink), other = store_begin(bench.sink), id = 0;
	RecordCheckpoint checkpoint = { 0 };
	for (int64_t i = 1; i <= 5; i++) {
		put_update(run, i, 1);
		put_update(other, i, 1);
		put_eval(run, i * 100, 1);
		put_checkpoint(run, i * 100, i == 5 ? "best" : "last", i == 4 ? "four" : "x");
	}
	end_run(run);
	commit();
	assert_int_equal(runs_last_checkpoint(bench.db, run, &checkpoint, NULL), 0);
	assert_int_equal(checkpoint.steps, 400);
	assert_string_equal(checkpoint.path, "four");
	RunStart start = { .kind = RUN_TRAIN, .config_json = "{\"n\":2}", .resume_id = run, .resume_steps = 300 };
	assert_int_equal(bench.sink->ops->run_begin(bench.sink, &start, &id, NULL), 0);
	assert_int_equal(id, run);
	assert_string_equal(sql("SELECT group_concat(\"update\") FROM updates WHERE run = 1"), "1,2,3");
	assert_string_equal(sql("SELECT max(steps) FROM evals"), "300");
	assert_string_equal(sql("SELECT max(steps) FROM checkpoints"), "300");
	assert_string_equal(sql("SELECT count(*) FROM updates WHERE run = 2"), "5");
	assert_string_equal(sql("SELECT name, status, ended, steps, config FROM runs WHERE id = 1"),
	                    "t|running|NULL|300|{\"n\":2}");
}

static void resume_refuses_what_runs_and_what_is_not_there(void **state)
{
	(void) state;
	int64_t run = store_begin(bench.sink), id = -7;
	Error err = { 0 };
	RunStart start = { .kind = RUN_TRAIN, .resume_id = run };
	assert_int_equal(bench.sink->ops->run_begin(bench.sink, &start, &id, &err), ERR_REFUSED);
	assert_non_null(strstr(err.text, "still running"));
	start.resume_id = 99;
	assert_int_equal(bench.sink->ops->run_begin(bench.sink, &start, &id, &err), ERR_NOT_FOUND);
	end_run(run);
	commit();
	start = (RunStart) { .kind = RUN_CONTROL, .resume_id = run };
	assert_int_equal(bench.sink->ops->run_begin(bench.sink, &start, &id, &err), ERR_REFUSED);
	assert_int_equal(id, -7);
	assert_string_equal(sql("SELECT status FROM runs"), "failed");
}

/* Asks and waits for the answer with that id. */
static const ArchiveAnswer *ask(Archive *archive, Wake *wake, ArchiveQuery query)
{
	int64_t id = 0;
	assert_int_equal(archive->ops->ask(archive, &query, &id), 0);
	for (;;) {
		const ArchiveAnswer *answer = snap_acquire(archive->answers);
		if (answer && answer->query_id == id)
			return answer;
		snap_release(answer);
		struct pollfd ready = { .fd = wake->fd, .events = POLLIN };
		assert_int_equal(poll(&ready, 1, 10000), 1);
		wake_drain(wake);
	}
}

static void archive_answers_with_the_last_decisions_of_a_control_run(void **state)
{
	(void) state;
	enum { N = ARCHIVE_DECISIONS + 5 };
	Wake wake;
	Archive *archive = NULL;
	int64_t run = 0;
	RunStart start = { .kind = RUN_CONTROL, .name = "shop/web", .config_json = "{}" };
	assert_int_equal(bench.sink->ops->run_begin(bench.sink, &start, &run, NULL), 0);
	for (int i = 0; i < N; i++) {
		Record record = { .kind = RECORD_DECISION, .run_id = run, .wall_ms = i };
		record.u.decision = (RecordDecision) { .policy = "hpa", .time_ms = 1000 + i, .sample = { .valid = SAMPLE_REPLICAS |
			SAMPLE_RPS, .replicas = i, .rps = 42 }, .decision = { .desired = i + 1, .value = NAN,
			.reason = REASON_POLICY_UP, .is_applied = i % 2 } };
		bench.sink->ops->write(bench.sink, &record);
	}
	static const struct { int32_t to; const char *result; } BY_HAND[] = { { 8, "pending" }, { 8, "applied" }, { 3, "applied" }, { 9, "refused" } };
	for (size_t i = 0; i < sizeof BY_HAND / sizeof *BY_HAND; i++) { /* of these one was written and changed something */
		Record record = { .kind = RECORD_AUDIT, .run_id = run, .u.audit = { .from = 3, .to = BY_HAND[i].to } };
		str_copy(record.u.audit.result, sizeof record.u.audit.result, BY_HAND[i].result);
		bench.sink->ops->write(bench.sink, &record);
	}
	commit();
	assert_int_equal(wake_init(&wake), 0);
	assert_int_equal(store_archive_new(bench.room.path, &wake, &archive, NULL), 0);
	const ArchiveAnswer *answer = ask(archive, &wake, (ArchiveQuery) { .ask = ARCHIVE_RUN, .run_id = run });
	assert_int_equal(answer->code, 0);
	assert_int_equal(answer->n_by_hand, 1);
	assert_int_equal(answer->n_decisions, ARCHIVE_DECISIONS);
	for (int i = 0; i < ARCHIVE_DECISIONS; i++) { /* newest first */
		const ArchiveDecision *d = &answer->decision[i];
		assert_int_equal(d->wall_ms, 1000 + N - 1 - i);
		assert_int_equal(d->replicas, N - 1 - i);
		assert_int_equal(d->desired, N - i);
		assert_true(isnan(d->latency_ms) && d->rps == 42);
		assert_int_equal(d->is_applied, (N - 1 - i) % 2);
		assert_string_equal(d->reason, "PolicyUp");
	}
	snap_release(answer);
	archive_free(archive);
	wake_done(&wake);
}

static void put_result(int64_t run, const char *policy, const char *trace, double lambda, double v_pct, double pod_hours)
{
	Record record = { .kind = RECORD_RESULT, .run_id = run, .wall_ms = 1 };
	record.u.result = (RecordResult) { .lambda = lambda, .v_pct = v_pct, .pod_hours = pod_hours, .slo_violation_s = NAN, .figures = "{}" };
	str_copy(record.u.result.policy, sizeof record.u.result.policy, policy);
	str_copy(record.u.result.trace, sizeof record.u.result.trace, trace);
	bench.sink->ops->write(bench.sink, &record);
}

/* A policy's mean is over its traces' means: a trace with more replays does not count for more. */
static void an_evaluation_is_summed_up_by_policy_and_lambda(void **state)
{
	(void) state;
	int64_t run = 0;
	int32_t n = 0;
	ArchiveResult result[8];
	RunRow row = { 0 };
	RunStart start = { .kind = RUN_EVALUATE, .name = "e", .config_json = "{}" };
	assert_int_equal(bench.sink->ops->run_begin(bench.sink, &start, &run, NULL), 0);
	put_result(run, "hpa", "calm", 10, 50, 5);
	put_result(run, "hpa", "calm", 30, 1, 10);
	put_result(run, "hpa", "calm", 30, 3, 14);
	put_result(run, "hpa", "wild", 30, 8, 20);
	put_result(run, "default", "calm", 30, 0, 11);
	commit();
	assert_int_equal(runs_results(bench.db, run, 8, result, &n, NULL), 0);
	assert_int_equal(n, 3);
	assert_string_equal(result[0].policy, "hpa");
	assert_true(result[0].lambda == 30 && result[0].replays == 3 && result[0].v_pct == 5 && result[0].v_worst_pct == 8);
	assert_true(result[0].pod_hours == 16 && isnan(result[0].hard_s));
	assert_string_equal(result[1].policy, "default");
	assert_true(result[2].lambda == 10 && result[2].v_pct == 50);
	assert_int_equal(runs_get(bench.db, run, &row, NULL, NULL), 0);
	assert_int_equal(row.kind, RUN_EVALUATE);
	assert_int_equal(row.steps, 5);
	assert_string_equal(row.policy, "hpa,default");
}

static void archive_answers_each_question_under_its_id(void **state)
{
	(void) state;
	Wake wake;
	Archive *archive = NULL;
	int64_t first = store_begin(bench.sink), second = store_begin(bench.sink);
	for (int64_t i = 1; i <= 1000; i++)
		put_update(first, i, (double) i);
	put_update(second, 1, 5);
	commit();
	assert_int_equal(wake_init(&wake), 0);
	assert_int_equal(store_archive_new(bench.room.path, &wake, &archive, NULL), 0);
	const ArchiveAnswer *answer = ask(archive, &wake, (ArchiveQuery) { .ask = ARCHIVE_RUNS });
	assert_int_equal(answer->code, 0);
	assert_int_equal(answer->total, 2);
	assert_int_equal(answer->n_rows, 2);
	assert_int_equal(answer->row[0].id, second);
	snap_release(answer);
	answer = ask(archive, &wake, (ArchiveQuery) { .ask = ARCHIVE_RUN, .run_id = first });
	assert_int_equal(answer->code, 0);
	assert_int_equal(answer->ask, ARCHIVE_RUN);
	assert_int_equal(answer->row[0].id, first);
	assert_string_equal(answer->config, "{}");
	assert_int_equal(answer->n_points, ARCHIVE_POINTS);
	assert_int_equal(answer->point_steps[0], 100);
	assert_int_equal(answer->point_steps[ARCHIVE_POINTS - 1], 100000);
	for (int i = 1; i < ARCHIVE_POINTS; i++) { /* 999 intervals over 255: 3 or 4 updates a point */
		int64_t gap = answer->point_steps[i] - answer->point_steps[i - 1];
		assert_true(gap == 300 || gap == 400);
		assert_true(answer->point_rew[i] == (float) answer->point_steps[i] / 100 && answer->point_len[i] == 200);
	}
	snap_release(answer);
	answer = ask(archive, &wake, (ArchiveQuery) { .ask = ARCHIVE_RUN, .run_id = second });
	assert_int_equal(answer->n_points, 1);
	assert_int_equal(answer->point_steps[0], 100);
	snap_release(answer);
	answer = ask(archive, &wake, (ArchiveQuery) { .ask = ARCHIVE_RUN, .run_id = 77 });
	assert_int_equal(answer->code, ERR_NOT_FOUND);
	assert_non_null(strstr(answer->text, "run 77"));
	snap_release(answer);
	archive_free(archive);
	wake_done(&wake);
}

static void expect_policy(Archive *archive, Wake *wake, int64_t run, const char *path)
{
	const ArchiveAnswer *answer = ask(archive, wake, (ArchiveQuery) { .ask = ARCHIVE_RUN, .run_id = run });
	assert_int_equal(answer->code, 0);
	assert_string_equal(answer->saved_path, path);
	snap_release(answer);
}

static void make_file(const char *path)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	(void) fclose(file);
}

static void a_training_that_ended_names_the_file_of_its_policy(void **state)
{
	(void) state;
	Wake wake;
	Archive *archive = NULL;
	char folder[512], last[600], best[600];
	int64_t run = store_begin(bench.sink);
	Record end = { .kind = RECORD_RUN_END, .run_id = run, .wall_ms = 77, .u.run_end = RUN_STOPPED };
	assert_int_equal(run_folder_make(bench.room.path, run, folder, sizeof folder, NULL), 0);
	(void) snprintf(last, sizeof last, "%s/model.safetensors", folder);
	(void) snprintf(best, sizeof best, "%s/best.safetensors", folder);
	make_file(last);
	make_file(best);
	put_checkpoint(run, 100, "best", best);
	commit();
	assert_int_equal(wake_init(&wake), 0);
	assert_int_equal(store_archive_new(bench.room.path, &wake, &archive, NULL), 0);
	expect_policy(archive, &wake, run, ""); /* which will be another, or none */
	bench.sink->ops->write(bench.sink, &end);
	commit();
	expect_policy(archive, &wake, run, best);
	assert_int_equal(unlink(best), 0);
	expect_policy(archive, &wake, run, last);
	assert_int_equal(unlink(last), 0);
	expect_policy(archive, &wake, run, "");
	archive_free(archive);
	wake_done(&wake);
}

static void archive_answers_although_the_store_comes_later(void **state)
{
	(void) state;
	Wake wake;
	Archive *archive = NULL;
	Sink *sink = NULL;
	char path[512];
	(void) snprintf(path, sizeof path, "%s/later.db", bench.room.folder);
	assert_int_equal(wake_init(&wake), 0);
	assert_int_equal(store_archive_new(path, &wake, &archive, NULL), 0);
	const ArchiveAnswer *answer = ask(archive, &wake, (ArchiveQuery) { .ask = ARCHIVE_RUNS });
	assert_int_equal(answer->code, ERR_NOT_FOUND);
	assert_non_null(strstr(answer->text, "later.db"));
	snap_release(answer);
	assert_int_equal(store_sink_new(path, &bench.clock, 16, &sink, NULL), 0);
	(void) store_begin(sink);
	answer = ask(archive, &wake, (ArchiveQuery) { .ask = ARCHIVE_RUNS });
	assert_int_equal(answer->code, 0);
	assert_int_equal(answer->n_rows, 1);
	snap_release(answer);
	archive_free(archive);
	sink_free(sink);
	wake_done(&wake);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(list_is_newest_first_with_last_update_and_best_eval),
		TEST(unknown_run_is_named),
		TEST(parts_are_read_as_named_cells),
		TEST(last_update_names_every_figure_of_the_table),
		TEST(resume_continues_the_run_and_drops_what_will_be_made_again),
		TEST(resume_refuses_what_runs_and_what_is_not_there),
		TEST(archive_answers_with_the_last_decisions_of_a_control_run),
		TEST(an_evaluation_is_summed_up_by_policy_and_lambda),
		TEST(archive_answers_each_question_under_its_id),
		TEST(a_training_that_ended_names_the_file_of_its_policy),
		TEST(archive_answers_although_the_store_comes_later),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
