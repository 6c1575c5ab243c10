/* The store's writer, against the file that it leaves: read here in plain SQL. */
#include "base/mem.h"
#include "fakes/store_room.h"
#include "storage/db.h"
#include "storage/recent.h"
#include "storage/writer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

typedef struct Bench {
	StoreRoom room;
	Clock clock;
	Sink *sink;
	char text[16384];
} Bench;

static Bench bench;

static void open_sink(size_t queue_records)
{
	Error err = { 0 };
	clock_init_system(&bench.clock);
	if (store_sink_new(bench.room.path, &bench.clock, queue_records, &bench.sink, &err))
		fail_msg("%s", err.text);
}

static int set_up(void **state)
{
	(void) state;
	memset(&bench, 0, sizeof bench);
	store_room_init(&bench.room);
	open_sink(STORE_QUEUE);
	return 0;
}

static int tear_down(void **state)
{
	(void) state;
	sink_free(bench.sink);
	store_room_done(&bench.room);
	return 0;
}

static const char *sql(const char *question)
{
	return store_sql(bench.room.path, question, bench.text, sizeof bench.text);
}

static void put(const Record *record)
{
	bench.sink->ops->write(bench.sink, record);
}

static void commit(void)
{
	Error err = { 0 };
	if (bench.sink->ops->commit(bench.sink, 60000, &err)) /* under valgrind too */
		fail_msg("%s", err.text);
}

static void put_update(int64_t run, int64_t n)
{
	Record record = { .kind = RECORD_UPDATE, .run_id = run, .wall_ms = 1000 + n };
	record.u.update = (RecordUpdate) { .update = n, .steps = n * 1024 };
	for (int i = 0; i < TRAIN_METRIC_COUNT; i++)
		record.u.update.value[i] = (double) n + i / 128.0;
	put(&record);
}

static void run_row_holds_what_began_it(void **state)
{
	(void) state;
	RunStart start = { .kind = RUN_CONTROL, .name = "it's \"web\"", .seed = 18446744073709551615u,
		.config_json = "{\"steps\":20480}" };
	int64_t id = 0;
	Error err = { 0 };
	assert_int_equal(bench.sink->ops->run_begin(bench.sink, &start, &id, &err), 0);
	assert_true(id > 0);
	assert_string_equal(sql("SELECT kind, name, seed, status, ended, steps, config FROM runs"),
	                    "control|it's \"web\"|-1|running|NULL|0|{\"steps\":20480}");
	Record end = { .kind = RECORD_RUN_END, .run_id = id, .wall_ms = 77, .u.run_end = RUN_STOPPED };
	put(&end);
	commit();
	assert_string_equal(sql("SELECT status, ended FROM runs"), "stopped|77");
}

static void update_keeps_every_figure_and_unknown_is_null(void **state)
{
	(void) state;
	int64_t run = store_begin(bench.sink);
	Record record = { .kind = RECORD_UPDATE, .run_id = run, .wall_ms = 5 };
	record.u.update = (RecordUpdate) { .update = 3, .steps = 3072 };
	char expected[1024] = "3|3072|5", columns[1024] = "SELECT \"update\", steps, time";
	for (int i = 0; i < TRAIN_METRIC_COUNT; i++) {
		record.u.update.value[i] = i == TRAIN_APPROX_KL ? (double) NAN : i + 0.1;
		size_t at = strlen(expected), column = strlen(columns);
		if (i == TRAIN_APPROX_KL)
			(void) snprintf(expected + at, sizeof expected - at, "|NULL");
		else
			(void) snprintf(expected + at, sizeof expected - at, "|%.17g", i + 0.1);
		(void) snprintf(columns + column, sizeof columns - column, ", %s", train_metric_name((TrainMetric) i));
	}
	(void) snprintf(columns + strlen(columns), sizeof columns - strlen(columns), " FROM updates");
	put(&record);
	commit();
	assert_string_equal(sql(columns), expected);
	assert_string_equal(sql("SELECT steps FROM runs"), "3072");
}

static void eval_checkpoint_and_intervention_keep_every_field(void **state)
{
	(void) state;
	int64_t run = store_begin(bench.sink);
	Record eval = { .kind = RECORD_EVAL, .run_id = run, .wall_ms = 6 };
	eval.u.eval = (RecordEval) { 4096, 56.25, (double) NAN, 200, 5, true };
	put(&eval);
	Record checkpoint = { .kind = RECORD_CHECKPOINT, .run_id = run, .wall_ms = 7 };
	checkpoint.u.checkpoint = (RecordCheckpoint) { 4096, "/tmp/a b.safetensors", "last" };
	put(&checkpoint);
	Record change = { .kind = RECORD_INTERVENTION, .run_id = run, .wall_ms = 8 };
	change.u.intervention = (RecordIntervention) { 4097, "learning_rate", "0.0003", "0.0001", "ada" };
	put(&change);
	commit();
	assert_string_equal(sql("SELECT * FROM evals"), "1|4096|6|56.25|NULL|200|5|1");
	assert_string_equal(sql("SELECT * FROM checkpoints"), "1|4096|7|last|/tmp/a b.safetensors");
	assert_string_equal(sql("SELECT * FROM interventions"), "1|4097|8|learning_rate|0.0003|0.0001|ada");
}

static void episode_keeps_its_curves(void **state)
{
	(void) state;
	Record record = { .kind = RECORD_EPISODE, .run_id = store_begin(bench.sink), .wall_ms = 9 };
	RecordEpisode *e = &record.u.episode;
	*e = (RecordEpisode) { .steps = 400, .source = "hpa", .reward = -2.5, .length = 3, .replicas = { 1, 2, 15 },
		.latency_ms = { 12.5f, NAN, 1250.25f }, .rps = { 0, 0.125f, 300 } };
	put(&record);
	commit();
	assert_string_equal(sql("SELECT * FROM episodes"),
	                    "1|400|9|hpa|-2.5|3|[1,2,15]|[12.5,null,1250.25]|[0,0.125,300]");
}

static Record full_decision(int64_t run)
{
	Record record = { .kind = RECORD_DECISION, .run_id = run, .wall_ms = 20 };
	record.u.decision = (RecordDecision) {
		.duration_us = { 1500, 80, 2500 }, .policy = "model:a.safetensors", .model = "c0ffee", .mask = 5, .namespace_ = "shop", .deployment = "cart",
		.obs_dim = 3, .obs = { 0.1f, -7, 3.4e38f }, .time_ms = 10, .resource_version = "8812",
		.sample = { .wall_ms = 9, .valid = SAMPLE_ALL, .age_ms = { 1, 2, 3, 4, 5 }, .cpu_cores = 1.5, .mem_bytes = 2e9,
			.latency_ms = 310.5, .rps = 42, .replicas = 3, .ready = 2, .cpu_request_cores = 0.5, .mem_limit_bytes = 1e9,
			.missing = "" },
		.decision = { .action = ACTION_UP, .n_actions = 3, .probability = { 0.25f, 0.25f, 0.5f }, .value = 1.5f, .raw = 6,
			.desired = 5, .hpa = 4, .guards = 1u << GUARD_STEP_LIMIT | 1u << GUARD_CLAMPED_MAX, .state = STATE_ACTIVE,
			.reason = REASON_POLICY_UP, .is_applied = true, .detail = "p .5" },
	};
	return record;
}

/* The first cycle of two thousand targets, at once: each has a change of state and a decision. */
static void a_cycle_of_many_targets_is_stored_whole(void **state)
{
	(void) state;
	enum { TARGETS = 2000 };
	int64_t run = store_begin(bench.sink);
	Record decision = full_decision(run), change = { .kind = RECORD_STATE, .run_id = run, .wall_ms = 20 };
	for (int i = 0; i < TARGETS; i++) {
		put(&change);
		put(&decision);
	}
	assert_int_equal(bench.sink->ops->dropped(bench.sink), 0);
	commit();
	assert_string_equal(sql("SELECT (SELECT count(*) FROM decisions) || ' ' || (SELECT count(*) FROM states)"), "2000 2000");
}

/* What a restarted autoscaler asks: how long the model has acted on this target. */
static void first_time_a_model_acted_is_found(void **state)
{
	(void) state;
	int64_t run = store_begin(bench.sink);
	static const struct {
		const char *model;
		int64_t time_ms;
		TargetState state;
	} rows[] = { { "aa", 500, STATE_SHADOW }, { "aa", 900, STATE_ACTIVE }, { "aa", 700, STATE_ACTIVE }, { "bb", 100, STATE_ACTIVE } };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		Record record = full_decision(run);
		str_copy(record.u.decision.model, sizeof record.u.decision.model, rows[i].model);
		record.u.decision.time_ms = rows[i].time_ms;
		record.u.decision.decision.state = rows[i].state;
		put(&record);
	}
	commit();
	struct sqlite3 *past = NULL;
	assert_int_equal(db_open_readonly(bench.room.path, &past, NULL), 0);
	assert_int_equal(store_first_acted(past, "shop", "cart", "aa"), 700);
	assert_int_equal(store_first_acted(past, "shop", "cart", "cc"), -1);
	assert_int_equal(store_first_acted(past, "shop", "other", "aa"), -1);
	db_close(past);
	assert_int_equal(store_first_acted(NULL, "shop", "cart", "aa"), -1);
}

static void decision_keeps_every_field(void **state)
{
	(void) state;
	Record record = full_decision(store_begin(bench.sink));
	put(&record);
	commit();
	assert_string_equal(sql("SELECT * FROM decisions"),
	                    "1|10|20|shop|cart|model:a.safetensors|Active|9|1.5|2000000000|3|310.5|42|[1,2,3,4,5]|2|0.5|"
	                    "1000000000||[0.100000001,-7,3.39999995e+38]|2|[0.25,0.25,0.5]|1.5|6|5|4|"
	                    "[\"StepLimit\",\"ClampedMax\"]|1|PolicyUp|p .5|1500|80|2500|8812|c0ffee|[1,0,1]");
	assert_string_equal(sql("SELECT steps FROM runs"), "1");
}

static void decision_on_missing_data_holds_no_made_up_number(void **state)
{
	(void) state;
	Record record = full_decision(store_begin(bench.sink));
	RecordDecision *r = &record.u.decision;
	r->sample.valid = SAMPLE_REPLICAS;
	r->sample.cpu_request_cores = r->sample.mem_limit_bytes = 0;
	str_copy(r->sample.missing, sizeof r->sample.missing, "latency: empty result");
	r->obs_dim = 0;
	r->decision = (Decision) { .action = ACTION_NONE, .value = NAN, .desired = 3, .hpa = -1, .state = STATE_HOLD,
		.reason = REASON_METRICS_MISSING };
	r->duration_us[1] = r->duration_us[2] = -1;
	put(&record);
	commit();
	assert_string_equal(sql("SELECT cpu_usage, memory_usage, latency, rps, age_ms, cpu_request, memory_limit, missing,"
	                        " observation, action, probabilities, value, raw, desired, hpa, guards, state, reason,"
	                        " query_us, inference_us, write_us, replicas FROM decisions"),
	                    "NULL|NULL|NULL|NULL|[null,null,null,null,5]|NULL|NULL|latency: empty result|[]|NULL|[]|NULL|"
	                    "NULL|3|NULL|[]|Hold|MetricsMissing|1500|NULL|NULL|3");
}

static void audit_and_state_keep_every_field(void **state)
{
	(void) state;
	int64_t run = store_begin(bench.sink);
	Record audit = { .kind = RECORD_AUDIT, .run_id = 0, .wall_ms = 30 };
	audit.u.audit = (RecordAudit) { "ada", "build-7", "prod", "shop", "cart", "set", 3, 5, "Active", "sale", "pending",
		99 };
	put(&audit);
	Record change = { .kind = RECORD_STATE, .run_id = run, .wall_ms = 31 };
	change.u.state = (RecordState) { "shop", "cart", STATE_ACTIVE, STATE_HOLD, REASON_METRICS_STALE, "age 90 s" };
	put(&change);
	commit();
	assert_string_equal(sql("SELECT * FROM audit"),
	                    "NULL|30|ada|build-7|prod|shop|cart|set|3|5|Active|sale|pending|99");
	assert_string_equal(sql("SELECT * FROM states"), "1|31|shop|cart|Active|Hold|MetricsStale|age 90 s");
}

static void commit_returns_only_when_the_rows_can_be_read(void **state)
{
	(void) state;
	int64_t run = store_begin(bench.sink);
	char expected[32];
	for (int64_t i = 1; i <= 20; i++) {
		put_update(run, i);
		commit();
		(void) snprintf(expected, sizeof expected, "%lld", (long long) i);
		assert_string_equal(sql("SELECT count(*) FROM updates"), expected);
	}
}

static void record_of_no_run_is_lost_alone_and_counted(void **state)
{
	(void) state;
	int64_t run = store_begin(bench.sink);
	Error err = { 0 };
	put_update(run, 1);
	put_update(run + 1000, 2);
	put_update(run, 3);
	assert_int_equal(bench.sink->ops->commit(bench.sink, 10000, &err), ERR_STORE);
	assert_string_equal(sql("SELECT group_concat(\"update\") FROM updates"), "1,3");
	assert_int_equal(bench.sink->ops->dropped(bench.sink), 1);
}

static void freeing_the_sink_writes_what_is_queued(void **state)
{
	(void) state;
	int64_t run = store_begin(bench.sink);
	for (int64_t i = 1; i <= 900; i++)
		put_update(run, i);
	sink_free(bench.sink);
	bench.sink = NULL;
	assert_string_equal(sql("SELECT count(*), max(steps) FROM updates"), "900|921600");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(run_row_holds_what_began_it),
		TEST(update_keeps_every_figure_and_unknown_is_null),
		TEST(eval_checkpoint_and_intervention_keep_every_field),
		TEST(episode_keeps_its_curves),
		TEST(decision_keeps_every_field),
		TEST(a_cycle_of_many_targets_is_stored_whole),
		TEST(first_time_a_model_acted_is_found),
		TEST(decision_on_missing_data_holds_no_made_up_number),
		TEST(audit_and_state_keep_every_field),
		TEST(commit_returns_only_when_the_rows_can_be_read),
		TEST(record_of_no_run_is_lost_alone_and_counted),
		TEST(freeing_the_sink_writes_what_is_queued),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
