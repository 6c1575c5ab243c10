/* The store when things go wrong: a killed process, a full disk, a damaged, foreign, newer or forbidden file. */
#include "base/mem.h"
#include "fakes/store_room.h"
#include "storage/db.h"
#include "storage/owner.h"
#include "storage/writer.h"

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static struct {
	StoreRoom room;
	Clock clock;
	char text[4096];
} bench;

static int set_up(void **state)
{
	(void) state;
	memset(&bench, 0, sizeof bench);
	store_room_init(&bench.room);
	clock_init_system(&bench.clock);
	return 0;
}

static const char *sql(const char *question)
{
	return store_sql(bench.room.path, question, bench.text, sizeof bench.text);
}

/* Whatever befell it: the store that is there now is whole. */
static int tear_down(void **state)
{
	(void) state;
	struct stat there;
	if (!stat(bench.room.path, &there))
		assert_string_equal(sql("PRAGMA integrity_check"), "ok");
	store_room_done(&bench.room);
	return 0;
}

static Sink *open_sink(size_t queue_records)
{
	Sink *sink = NULL;
	Error err = { 0 };
	if (store_sink_new(bench.room.path, &bench.clock, queue_records, &sink, &err))
		fail_msg("%s", err.text);
	return sink;
}

/* The failure to open the store for writing, in words. */
static void expect_refusal(const char *path, const char *words)
{
	Sink *sink = NULL;
	Error err = { 0 };
	assert_int_equal(store_sink_new(path, &bench.clock, 16, &sink, &err), ERR_STORE);
	assert_null(sink);
	if (!strstr(err.text, words) || !strstr(err.text, path))
		fail_msg("\"%s\" in \"%s\"?", words, err.text);
}

static void put_update(Sink *sink, int64_t run, int64_t n)
{
	Record record = { .kind = RECORD_UPDATE, .run_id = run, .wall_ms = n };
	record.u.update = (RecordUpdate) { .update = n, .steps = n };
	sink->ops->write(sink, &record);
}

/* ---- a power cut ---- */

static atomic_int syncs; /* waits for the disk: these two stand before the library's */

int fdatasync(int fd)
{
	atomic_fetch_add(&syncs, 1);
	return (int) syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
	atomic_fetch_add(&syncs, 1);
	return (int) syscall(SYS_fsync, fd);
}

static int syncs_of(Sink *sink, RecordKind kind, int64_t run)
{
	Record record = { .kind = kind, .run_id = run, .wall_ms = 1 };
	Error err = { 0 };
	int before = atomic_load(&syncs);
	sink->ops->write(sink, &record);
	if (sink->ops->commit(sink, 10000, &err))
		fail_msg("%s", err.text);
	return atomic_load(&syncs) - before;
}

/* Other rows may go with the last moments; that somebody changed the scale by hand may not. */
static void audit_row_is_on_the_disk_when_commit_returns(void **state)
{
	(void) state;
	Sink *sink = open_sink(16);
	int64_t run = store_begin(sink);
	(void) syncs_of(sink, RECORD_UPDATE, run);
	assert_int_equal(syncs_of(sink, RECORD_UPDATE, run), 0);
	assert_true(syncs_of(sink, RECORD_AUDIT, run) >= 1);
	assert_int_equal(syncs_of(sink, RECORD_UPDATE, run), 0);
	sink_free(sink);
}

/* ---- kill -9 ---- */

typedef struct Written { /* what the child says over its pipe after each write */
	int64_t update;
	int64_t mono_ms;
} Written;

/* A process that writes an update every 10 ms until it is killed. */
static int write_forever(const char *path)
{
	Clock clock;
	Sink *sink = NULL;
	clock_init_system(&clock);
	if (store_sink_new(path, &clock, STORE_QUEUE, &sink, NULL))
		return 1;
	int64_t run = store_begin(sink);
	for (Written written = { 1, 0 };; written.update++) {
		put_update(sink, run, written.update);
		written.mono_ms = clock_mono_ms(&clock);
		if (write(STDOUT_FILENO, &written, sizeof written) < 0)
			return 1;
		(void) nanosleep(&(struct timespec) { .tv_nsec = 10000000 }, NULL);
	}
}

static pid_t start_child(int *ret_fd)
{
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	if (!pid) {
		(void) dup2(ends[1], STDOUT_FILENO);
		(void) close(ends[0]);
		(void) close(ends[1]);
		(void) execl("/proc/self/exe", "test_store_faults", "write-forever", bench.room.path, (char *) NULL);
		_exit(127);
	}
	(void) close(ends[1]);
	*ret_fd = ends[0];
	return pid;
}

static void killed_process_loses_at_most_the_last_second(void **state)
{
	(void) state;
	int fd, status;
	Written written[1024] = { 0 };
	size_t n = 0;
	pid_t pid = start_child(&fd);
	while (n < 1024 && read(fd, &written[n], sizeof *written) == sizeof *written &&
	       written[n].mono_ms - written[0].mono_ms < 1300)
		n++;
	int64_t killed_ms = clock_mono_ms(&bench.clock);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	(void) close(fd);
	int64_t due = 0; /* the last update that must be there */
	for (size_t i = 0; i < n; i++)
		if (written[i].mono_ms <= killed_ms - 1000)
			due = written[i].update;
	assert_true(due >= 1);
	sink_free(open_sink(16));
	assert_string_equal(sql("PRAGMA integrity_check"), "ok");
	assert_string_equal(sql("SELECT status, ended = heartbeat FROM runs"), "crashed|1");
	assert_string_equal(sql("SELECT max(\"update\") = count(*) FROM updates"), "1");
	int64_t found = strtoll(sql("SELECT count(*) FROM updates"), NULL, 10);
	if (found < due)
		fail_msg("update %lld was written a second before the end, %lld are there", (long long) due, (long long) found);
}

/* ---- whose run it is ---- */

static void reopen_for_reading(void)
{
	struct sqlite3 *db = NULL;
	Error err = { 0 };
	if (db_open_existing(bench.room.path, &bench.clock, &db, &err))
		fail_msg("%s", err.text);
	db_close(db);
}

static void run_of_this_process_is_not_marked(void **state)
{
	(void) state;
	Sink *sink = open_sink(16);
	(void) store_begin(sink);
	reopen_for_reading();
	assert_string_equal(sql("SELECT status FROM runs"), "running");
	sink_free(sink);
}

static void run_of_a_recycled_pid_is_crashed(void **state)
{
	(void) state;
	Sink *sink = open_sink(16);
	(void) store_begin(sink);
	(void) sql("UPDATE runs SET pid_start = pid_start - 1");
	reopen_for_reading();
	assert_string_equal(sql("SELECT status FROM runs"), "crashed");
	sink_free(sink);
}

/* A row of `maestro override` has no run: its age tells that nobody will finish it. */
static void what_a_killed_override_left_pending_is_settled_once(void **state)
{
	(void) state;
	Sink *sink = open_sink(16);
	int64_t now_ms = clock_wall_ms(&bench.clock);
	for (int i = 0; i < 3; i++) { /* long ago, long ago and answered, just now */
		Record record = { .kind = RECORD_AUDIT, .wall_ms = i < 2 ? now_ms - 121000 : now_ms, .u.audit = { .what = "set", .command_id = i } };
		str_copy(record.u.audit.result, sizeof record.u.audit.result, "pending");
		sink->ops->write(sink, &record);
		str_copy(record.u.audit.result, sizeof record.u.audit.result, "applied");
		if (i == 1)
			sink->ops->write(sink, &record);
	}
	assert_int_equal(sink->ops->commit(sink, 20000, NULL), 0);
	for (int i = 0; i < 2; i++) {
		reopen_for_reading();
		assert_string_equal(sql("SELECT count(*), sum(result LIKE 'unknown%'), max(CASE WHEN result LIKE 'unknown%' THEN command END) FROM audit"),
		                    "5|1|0");
	}
	sink_free(sink);
}

static void run_on_another_host_is_crashed_by_its_heartbeat_alone(void **state)
{
	(void) state;
	Owner self, other;
	owner_self(&self);
	assert_true(self.pid_start > 0 && self.boot_id[0] && self.host[0]);
	other = self;
	str_copy(other.host, sizeof other.host, "another");
	other.pid = 1 << 30; /* no such process here: says nothing about there */
	assert_false(owner_is_gone(&other, &self, 100000, 100000 + OWNER_STALE_MS));
	assert_true(owner_is_gone(&other, &self, 100000, 100001 + OWNER_STALE_MS));
	other = self;
	str_copy(other.boot_id, sizeof other.boot_id, "another");
	assert_false(owner_is_gone(&other, &self, 100000, 100000 + OWNER_STALE_MS));
	other = self;
	other.pid = 1 << 30;
	assert_true(owner_is_gone(&other, &self, 100000, 100000));
}

/* ---- trouble with the disk ---- */

static void full_queue_counts_drops_and_does_not_wait(void **state)
{
	(void) state;
	Sink *sink = open_sink(8);
	int64_t run = store_begin(sink);
	struct sqlite3 *other = NULL;
	Error err = { 0 };
	assert_int_equal(db_open(bench.room.path, &bench.clock, &other, NULL), 0);
	assert_int_equal(db_exec(other, "BEGIN IMMEDIATE"), 0); /* nobody else writes now */
	for (int64_t i = 1; i <= 50; i++)
		put_update(sink, run, i);
	assert_int_equal(sink->ops->dropped(sink), 42);
	assert_int_equal(sink->ops->commit(sink, 20, &err), ERR_TIMEOUT);
	assert_int_equal(db_exec(other, "ROLLBACK"), 0);
	assert_int_equal(sink->ops->commit(sink, 10000, &err), ERR_STORE); /* 42 of what was written before are lost */
	assert_string_equal(sql("SELECT count(*), max(\"update\") FROM updates"), "8|8");
	db_close(other);
	sink_free(sink);
}

static void limit_files(rlim_t bytes)
{
	struct rlimit limit;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void full_disk_degrades_and_the_store_recovers(void **state)
{
	(void) state;
	struct rlimit before;
	Error err = { 0 };
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	Sink *sink = open_sink(STORE_QUEUE);
	int64_t run = store_begin(sink);
	put_update(sink, run, 1);
	assert_int_equal(sink->ops->commit(sink, 10000, &err), 0);
	assert_int_equal(store_sink_health(sink, &err), 0);
	struct stat wal;
	char path[512];
	(void) snprintf(path, sizeof path, "%s-wal", bench.room.path);
	assert_int_equal(stat(path, &wal), 0);
	limit_files((rlim_t) wal.st_size + 4096); /* not enough for a page and its frame */
	for (int64_t i = 2; i <= 801; i++)
		put_update(sink, run, i);
	assert_int_equal(sink->ops->commit(sink, 10000, &err), ERR_STORE);
	assert_non_null(strstr(err.text, bench.room.path));
	assert_int_equal(store_sink_health(sink, &err), ERR_STORE);
	assert_int_equal(sink->ops->dropped(sink), 800);
	limit_files(before.rlim_cur);
	do /* the loss is remembered for a moment */
		put_update(sink, run, 900);
	while (sink->ops->commit(sink, 10000, &err) && store_sink_health(sink, &err));
	assert_int_equal(store_sink_health(sink, &err), 0);
	sink_free(sink);
	assert_string_equal(sql("SELECT group_concat(\"update\") FROM updates"), "1,900");
	assert_string_equal(sql("PRAGMA integrity_check"), "ok");
}

static void folder_without_rights_is_named(void **state)
{
	(void) state;
	char path[512];
	uid_t root = geteuid();
	(void) snprintf(path, sizeof path, "%s/below/maestro.db", bench.room.folder);
	assert_int_equal(chmod(bench.room.folder, 0555), 0);
	if (!root)
		assert_int_equal(seteuid(65534), 0); /* nothing is forbidden to root */
	expect_refusal(path, "Permission denied");
	expect_refusal(bench.room.path, "Permission denied");
	if (!root)
		assert_int_equal(seteuid(root), 0);
	assert_int_equal(chmod(bench.room.folder, 0755), 0);
}

static void file_without_rights_is_named(void **state)
{
	(void) state;
	uid_t root = geteuid();
	sink_free(open_sink(16));
	assert_int_equal(chmod(bench.room.path, 0444), 0);
	assert_int_equal(chmod(bench.room.folder, 0755), 0);
	if (!root)
		assert_int_equal(seteuid(65534), 0);
	expect_refusal(bench.room.path, "cannot be written: Permission denied");
	if (!root)
		assert_int_equal(seteuid(root), 0);
}

static void store_in_a_folder_without_rights_is_named(void **state)
{
	(void) state;
	uid_t root = geteuid();
	sink_free(open_sink(16)); /* takes its -wal with it */
	assert_int_equal(chmod(bench.room.path, 0666), 0);
	assert_int_equal(chmod(bench.room.folder, 0555), 0);
	if (!root)
		assert_int_equal(seteuid(65534), 0);
	expect_refusal(bench.room.path, "cannot be written: Permission denied");
	if (!root)
		assert_int_equal(seteuid(root), 0);
	assert_int_equal(chmod(bench.room.folder, 0755), 0);
}

static void missing_folders_are_made(void **state)
{
	(void) state;
	char path[512];
	Sink *sink = NULL;
	(void) snprintf(path, sizeof path, "%s/a/b/maestro.db", bench.room.folder);
	assert_int_equal(store_sink_new(path, &bench.clock, 16, &sink, NULL), 0);
	sink_free(sink);
	assert_int_equal(unlink(path), 0);
	for (int i = 0; i < 2; i++) {
		*strrchr(path, '/') = '\0';
		assert_int_equal(rmdir(path), 0);
	}
}

/* ---- files that are not ours ---- */

static void newer_schema_is_refused_and_left_alone(void **state)
{
	(void) state;
	sink_free(open_sink(16));
	(void) sql("PRAGMA user_version = 7");
	expect_refusal(bench.room.path, "newer maestro");
	assert_string_equal(sql("PRAGMA user_version"), "7");
}

static void database_of_another_program_is_refused_and_left_alone(void **state)
{
	(void) state;
	FILE *file = fopen(bench.room.path, "wb");
	assert_non_null(file);
	(void) fclose(file);
	(void) sql("CREATE TABLE theirs (x)");
	expect_refusal(bench.room.path, "another program");
	assert_string_equal(sql("SELECT group_concat(name) FROM sqlite_schema"), "theirs");
}

/* Overwrites `len` bytes from `at` on. */
static void damage(const char *path, long at, size_t len)
{
	FILE *file = fopen(path, "r+b");
	assert_non_null(file);
	assert_int_equal(fseek(file, at, SEEK_SET), 0);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(fputc(0xa5, file), 0xa5);
	assert_int_equal(fclose(file), 0);
}

static void find_set_aside(char *ret_name, size_t size)
{
	DIR *folder = opendir(bench.room.folder);
	assert_non_null(folder);
	*ret_name = '\0';
	for (struct dirent *entry; (entry = readdir(folder));)
		if (!strncmp(entry->d_name, "maestro.db.corrupt-", 19))
			(void) snprintf(ret_name, size, "%s", entry->d_name);
	(void) closedir(folder);
}

static void expect_set_aside(void)
{
	char name[256];
	Sink *sink = NULL;
	Error err = { 0 };
	struct stat before, after;
	assert_int_equal(stat(bench.room.path, &before), 0);
	assert_int_equal(store_sink_new(bench.room.path, &bench.clock, 16, &sink, &err), 0);
	find_set_aside(name, sizeof name);
	assert_true(*name);
	if (!strstr(err.text, name))
		fail_msg("%s is not named in \"%s\"", name, err.text);
	char path[512];
	(void) snprintf(path, sizeof path, "%s/%s", bench.room.folder, name);
	assert_int_equal(stat(path, &after), 0);
	assert_true(after.st_size == before.st_size && after.st_ino == before.st_ino);
	assert_int_equal(store_begin(sink), 1);
	sink_free(sink);
}

static void file_of_garbage_is_set_aside(void **state)
{
	(void) state;
	FILE *file = fopen(bench.room.path, "wb");
	assert_non_null(file);
	for (int i = 0; i < 5000; i++)
		(void) fputc(i * 7 % 251, file);
	assert_int_equal(fclose(file), 0);
	expect_set_aside();
}

static void truncated_store_is_set_aside(void **state)
{
	(void) state;
	sink_free(open_sink(16));
	struct stat whole;
	assert_int_equal(stat(bench.room.path, &whole), 0);
	assert_int_equal(truncate(bench.room.path, whole.st_size / 2), 0);
	expect_set_aside();
}

static void store_with_a_broken_page_is_set_aside(void **state)
{
	(void) state;
	Sink *sink = open_sink(STORE_QUEUE);
	int64_t run = store_begin(sink);
	for (int64_t i = 1; i <= 500; i++)
		put_update(sink, run, i);
	sink_free(sink);
	long page = strtol(sql("SELECT rootpage FROM sqlite_schema WHERE name = 'updates'"), NULL, 10);
	damage(bench.room.path, (page - 1) * 4096, 4096);
	expect_set_aside();
}

static void file_of_another_kind_is_never_moved(void **state)
{
	(void) state;
	char path[512];
	struct stat there;
	(void) snprintf(path, sizeof path, "%s/notes.txt", bench.room.folder);
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	for (int i = 0; i < 200; i++)
		(void) fputs("not a database\n", file);
	assert_int_equal(fclose(file), 0);
	expect_refusal(path, "no SQLite database");
	assert_int_equal(stat(path, &there), 0);
	assert_int_equal(there.st_size, 3000);
}

static void two_sinks_write_side_by_side(void **state)
{
	(void) state;
	Sink *one = open_sink(STORE_QUEUE), *two = open_sink(STORE_QUEUE);
	int64_t first = store_begin(one), second = store_begin(two);
	for (int64_t i = 1; i <= 300; i++) {
		put_update(one, first, i);
		put_update(two, second, i);
	}
	assert_int_equal(one->ops->commit(one, 10000, NULL), 0);
	assert_int_equal(two->ops->commit(two, 10000, NULL), 0);
	assert_string_equal(sql("SELECT count(*) FROM updates"), "600");
	sink_free(one);
	sink_free(two);
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "write-forever"))
		return write_forever(argv[2]);
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(audit_row_is_on_the_disk_when_commit_returns),
		TEST(killed_process_loses_at_most_the_last_second),
		TEST(run_of_this_process_is_not_marked),
		TEST(run_of_a_recycled_pid_is_crashed),
		TEST(what_a_killed_override_left_pending_is_settled_once),
		TEST(run_on_another_host_is_crashed_by_its_heartbeat_alone),
		TEST(full_queue_counts_drops_and_does_not_wait),
		TEST(full_disk_degrades_and_the_store_recovers),
		TEST(folder_without_rights_is_named),
		TEST(file_without_rights_is_named),
		TEST(store_in_a_folder_without_rights_is_named),
		TEST(missing_folders_are_made),
		TEST(newer_schema_is_refused_and_left_alone),
		TEST(database_of_another_program_is_refused_and_left_alone),
		TEST(file_of_garbage_is_set_aside),
		TEST(truncated_store_is_set_aside),
		TEST(store_with_a_broken_page_is_set_aside),
		TEST(file_of_another_kind_is_never_moved),
		TEST(two_sinks_write_side_by_side),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
