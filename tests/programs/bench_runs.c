/*
 * How long the store's answers to the Runs screen take where there are many, as lines of JSON.
 *   bench_runs STORE SQL      STORE is made by SQL where there is none (tests/bench/many_runs.sql)
 */
#include "base/clock.h"
#include "storage/archive.h"
#include "storage/db.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 7 };

static double now_ms(clockid_t id)
{
	struct timespec t;
	(void) clock_gettime(id, &t);
	return (double) t.tv_sec * 1e3 + (double) t.tv_nsec / 1e6;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *) a, y = *(const double *) b;
	return (x > y) - (x < y);
}

static char *read_whole(const char *path)
{
	FILE *file = fopen(path, "rb");
	char *text = calloc(1, 1 << 20);
	size_t n = file && text ? fread(text, 1, (1 << 20) - 1, file) : 0;
	if (file)
		(void) fclose(file);
	if (n)
		return text;
	free(text);
	return NULL;
}

static int make_store(const char *path, const char *sql_path, Error *err)
{
	Clock clock;
	struct sqlite3 *db = NULL;
	char *sql = read_whole(sql_path);
	clock_init_system(&clock);
	int code = sql ? db_open(path, &clock, &db, err) : error_set(err, ERR_NOT_FOUND, "%s cannot be read", sql_path);
	if (!code && db_exec(db, sql))
		code = db_error(db, err);
	db_close(db);
	free(sql);
	return code;
}

/* The wall time of one answer; *ret_n rows, curves' points or runs came. */
static double ask(Archive *archive, Wake *wake, const ArchiveQuery *query, int64_t *ret_n)
{
	int64_t id = 0;
	double start = now_ms(CLOCK_MONOTONIC);
	if (archive->ops->ask(archive, query, &id))
		return -1;
	for (;;) {
		const ArchiveAnswer *answer = snap_acquire(archive->answers);
		bool is_here = answer && answer->query_id == id;
		if (is_here) {
			*ret_n = answer->code ? -1 : answer->n_rows + answer->n_compared + answer->n_events;
			if (answer->code)
				(void) fprintf(stderr, "bench_runs: %s\n", answer->text);
		}
		snap_release(answer);
		if (is_here)
			return now_ms(CLOCK_MONOTONIC) - start;
		struct pollfd fd = { wake->fd, POLLIN, 0 };
		(void) poll(&fd, 1, 1000);
		wake_drain(wake);
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		ArchiveQuery query;
	} ASKS[] = {
		{ "page", { .ask = ARCHIVE_RUNS } },
		{ "last page", { .ask = ARCHIVE_RUNS, .offset = 9800 } },
		{ "by eval", { .ask = ARCHIVE_RUNS, .sort = SORT_EVAL } },
		{ "by reward", { .ask = ARCHIVE_RUNS, .sort = SORT_REWARD } },
		{ "by name", { .ask = ARCHIVE_RUNS, .sort = SORT_NAME } },
		{ "groups", { .ask = ARCHIVE_RUNS, .is_grouped = true } },
		{ "groups by eval", { .ask = ARCHIVE_RUNS, .is_grouped = true, .sort = SORT_EVAL } },
		{ "filter", { .ask = ARCHIVE_RUNS, .filter = "tag:best lr<=3e-4 eval>50" } },
		{ "one run", { .ask = ARCHIVE_RUN, .run_id = 9999 } },
		{ "compare", { .ask = ARCHIVE_PAIR, .n_ids = 8, .id = { 9991, 9992, 9993, 9994, 9995, 9996, 9997, 9998 } } },
		{ "events", { .ask = ARCHIVE_LOG } },
	};
	Error err = { 0 };
	FILE *there = argc == 3 ? fopen(argv[1], "rb") : NULL;
	if (there)
		(void) fclose(there);
	if (argc != 3 || (!there && make_store(argv[1], argv[2], &err))) {
		(void) fprintf(stderr, "bench_runs STORE SQL: %s\n", err.text);
		return 1;
	}
	for (size_t i = 0; i < sizeof ASKS / sizeof *ASKS; i++) {
		double took[ROUNDS], cpu = 0;
		int64_t n = 0;
		for (int r = 0; r < ROUNDS; r++) { /* each with a handle of its own, as when the screen opens */
			Wake wake;
			Archive *archive = NULL;
			if (wake_init(&wake) || store_archive_new(argv[1], &wake, &archive, &err))
				return 1;
			double before = now_ms(CLOCK_PROCESS_CPUTIME_ID);
			took[r] = ask(archive, &wake, &ASKS[i].query, &n);
			cpu += (now_ms(CLOCK_PROCESS_CPUTIME_ID) - before) / ROUNDS;
			archive_free(archive);
			wake_done(&wake);
		}
		qsort(took, ROUNDS, sizeof *took, by_value);
		(void) printf("{\"bench\":\"runs\",\"name\":\"%s\",\"rows\":%lld,\"ms\":%.2f,\"worst_ms\":%.2f,\"cpu_ms\":%.2f}\n", ASKS[i].name,
		              (long long) n, took[ROUNDS / 2], took[ROUNDS - 1], cpu);
	}
	return 0;
}
