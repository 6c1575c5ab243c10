/*
 * Makes a small run store to try `maestro runs` on: store_fill FILE
 * Or lets time go by for a run in its trash:         store_fill FILE RUN HOURS
 *
 * Run 1 is a finished training run with a row of everything, run 2 a stopped control run, run 3 was left running by
 * this process, which is gone by the time anybody looks.
 */
#include "base/clock.h"
#include "storage/db.h"
#include "storage/writer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static Clock system_clock;

static int64_t begin(Sink *sink, RunKind kind, const char *config)
{
	RunStart start = { .kind = kind, .seed = 7, .config_json = config };
	(void) snprintf(start.name, sizeof start.name, "%s", kind == RUN_TRAIN ? "first, \"quoted\"" : "web");
	int64_t id = 0;
	Error err = { 0 };
	if (sink->ops->run_begin(sink, &start, &id, &err))
		(void) fprintf(stderr, "store_fill: %s\n", err.text);
	return id;
}

static void put(Sink *sink, int64_t run, Record record)
{
	record.run_id = run;
	record.wall_ms = 1764000000000; /* 2025-11-24T16:00:00Z */
	sink->ops->write(sink, &record);
}

static void fill_training(Sink *sink, int64_t run)
{
	for (int64_t i = 1; i <= 3; i++) {
		Record update = { .kind = RECORD_UPDATE };
		update.u.update = (RecordUpdate) { .update = i, .steps = i * 1024 };
		for (int m = 0; m < TRAIN_METRIC_COUNT; m++)
			update.u.update.value[m] = (double) i + m / 10.0;
		update.u.update.value[TRAIN_EP_REW_MEAN] = i == 1 ? (double) NAN : (double) i * 10.25;
		put(sink, run, update);
	}
	put(sink, run, (Record) { .kind = RECORD_EVAL, .u.eval = { 2048, 41.5, 0.5, 200, 5, true } });
	put(sink, run, (Record) { .kind = RECORD_EVAL, .u.eval = { 3072, 40, 1, 200, 5, false } });
	put(sink, run, (Record) { .kind = RECORD_CHECKPOINT, .u.checkpoint = { 3072, "/tmp/last.mst", "last" } });
	put(sink, run, (Record) { .kind = RECORD_INTERVENTION,
		.u.intervention = { 1024, "learning_rate", "0.0003", "0.0001", "ada" } });
	put(sink, run, (Record) { .kind = RECORD_EPISODE, .u.episode = { .steps = 3000, .source = "eval", .reward = 41.5,
		.length = 3, .replicas = { 1, 2, 3 }, .latency_ms = { 80, NAN, 120 }, .rps = { 5, 0, 9.5f } } });
	put(sink, run, (Record) { .kind = RECORD_RUN_END, .u.run_end = RUN_DONE });
}

static void fill_control(Sink *sink, int64_t run)
{
	Record decision = { .kind = RECORD_DECISION };
	decision.u.decision = (RecordDecision) {
		.duration_us = { 1500, 80, -1 }, .policy = "model:a", .namespace_ = "shop", .deployment = "cart", .obs_dim = 2,
		.obs = { 0.1f, 7 }, .time_ms = 1764000000000, .sample = { .valid = SAMPLE_REPLICAS, .replicas = 3, .ready = 3,
			.missing = "latency: empty result" },
		.decision = { .action = ACTION_NONE, .value = NAN, .desired = 3, .hpa = -1, .state = STATE_HOLD,
			.reason = REASON_METRICS_MISSING },
	};
	put(sink, run, decision);
	put(sink, run, (Record) { .kind = RECORD_STATE,
		.u.state = { "shop", "cart", STATE_ACTIVE, STATE_HOLD, REASON_METRICS_MISSING, "" } });
	put(sink, run, (Record) { .kind = RECORD_AUDIT, .u.audit = { .who = "ada", .host = "h", .context = "prod",
		.namespace_ = "shop", .deployment = "cart", .what = "set", .from = 3, .to = 5, .state_before = "Hold",
		.reason = "sale", .result = "applied", .command_id = 9 } });
	put(sink, run, (Record) { .kind = RECORD_RUN_END, .u.run_end = RUN_STOPPED });
}

/* As if the run had been moved to the trash so many hours earlier. */
static int let_time_go_by(const char *path, long run, long hours)
{
	char sql[128];
	struct sqlite3 *db = NULL;
	Error err = { 0 };
	(void) snprintf(sql, sizeof sql, "UPDATE runs SET deleted = deleted - %ld * 3600000 WHERE id = %ld", hours, run);
	int code = db_open_existing(path, &system_clock, &db, &err);
	if (!code && db_exec(db, sql))
		code = db_error(db, &err);
	if (code)
		(void) fprintf(stderr, "store_fill: %s\n", err.text);
	db_close(db);
	return code ? 1 : 0;
}

int main(int argc, char **argv)
{
	Sink *sink = NULL;
	Error err = { 0 };
	clock_init_system(&system_clock);
	if (argc == 4)
		return let_time_go_by(argv[1], strtol(argv[2], NULL, 10), strtol(argv[3], NULL, 10));
	if (argc != 2) {
		(void) fprintf(stderr, "usage: store_fill FILE [RUN HOURS]\n");
		return 2;
	}
	if (store_sink_new(argv[1], &system_clock, STORE_QUEUE, &sink, &err)) {
		(void) fprintf(stderr, "store_fill: %s\n", err.text);
		return 1;
	}
	fill_training(sink, begin(sink, RUN_TRAIN, "{\"n_steps\":1024,\"net_arch\":[64,64]}"));
	fill_control(sink, begin(sink, RUN_CONTROL, "{\"policy\":\"model:a\"}"));
	(void) begin(sink, RUN_TRAIN, NULL);
	int code = sink->ops->commit(sink, 10000, &err);
	if (code)
		(void) fprintf(stderr, "store_fill: %s\n", err.text);
	sink_free(sink);
	return code ? 1 : 0;
}
