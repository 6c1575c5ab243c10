/* See session.h. */
#include "cmd/session.h"

#include "base/mem.h"
#include "cmd/cmd.h"
#include "storage/archive.h"
#include "storage/writer.h"
#include "tui/ui.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int open_store(Session *session, Error *err)
{
	int code = store_sink_new(session->db, &session->clock, STORE_QUEUE, &session->sink, err);
	if (code)
		return code;
	if (err->text[0]) /* a damaged store was set aside */
		(void) fprintf(stderr, "maestro: %s\n", err->text);
	err->text[0] = '\0';
	return store_archive_new(session->db, &session->wake, &session->archive, err);
}

int session_open(Session *session, const char *db, bool is_store_needed, Error *err)
{
	*session = (Session) { .wake.fd = -1 };
	clock_init_system(&session->clock);
	if (wake_init(&session->wake))
		return error_set(err, ERR_IO, "no event descriptor can be had");
	cmd_db_path(db, session->db, sizeof session->db);
	int code = open_store(session, err);
	if (!code)
		return 0;
	sink_free(session->sink);
	session->sink = sink_null();
	if (is_store_needed) {
		session_close(session);
		return code;
	}
	(void) fprintf(stderr, "maestro: nothing is recorded: %s\n", err->text);
	*err = (Error) { 0 };
	return 0;
}

void session_close(Session *session)
{
	archive_free(session->archive);
	sink_free(session->sink);
	wake_done(&session->wake);
}

void session_say_store(Session *session)
{
	Error err = { 0 };
	bool fails = session->archive && store_sink_health(session->sink, &err);
	if (fails == session->store_fails)
		return;
	session->store_fails = fails;
	if (fails)
		(void) fprintf(stderr, "maestro: scaling goes on without being recorded: %s\n", err.text);
	else
		(void) fprintf(stderr, "maestro: the store takes records again; %lld are missing in it\n",
		               (long long) session->sink->ops->dropped(session->sink));
}

void session_who(char *who, size_t size)
{
	const struct passwd *entry = getpwuid(getuid());
	str_copy(who, size, entry ? entry->pw_name : "unknown");
}

/* A handler has nothing else to go by: the last caught signal with its time, and the pipe that wakes a poll. */
static atomic_int caught;
static atomic_llong caught_ns; /* written before caught, read after it: handlers may run side by side on two threads */
static int caught_pipe[2] = { -1, -1 };

static long long now_ns(void)
{
	struct timespec now = { 0 };
	(void) clock_gettime(CLOCK_MONOTONIC, &now);
	return (long long) now.tv_sec * 1000000000 + now.tv_nsec;
}

static void note_signal(int number)
{
	static const long long ECHO_NS = 100000000; /* timeout(1) tells the process and then its group: the same signal twice at once */
	int saved = errno, was = caught;
	long long now = now_ns();
	if (was != number || now - caught_ns >= ECHO_NS) {
		if (was && was != SIGHUP && number != SIGHUP)
			_exit(128 + number); /* asked twice: whatever it is that waits, waits no more */
		caught_ns = now;
		caught = number;
		ssize_t wrote = write(caught_pipe[1], "", 1); /* full: it is readable already */
		(void) wrote;
	}
	errno = saved;
}

void session_catch_signals(void)
{
	if (caught_pipe[0] < 0 && pipe2(caught_pipe, O_CLOEXEC | O_NONBLOCK))
		return; /* the signals keep their meaning */
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = note_signal, .sa_flags = SA_RESTART };
	(void) sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		struct sigaction old;
		bool is_ignored = !sigaction(numbers[i], NULL, &old) && old.sa_handler == SIG_IGN; /* nohup, or a script's job */
		if (!is_ignored)
			(void) sigaction(numbers[i], &action, NULL);
	}
}

int session_wait(Session *session, bool (*is_done)(void *arg), void *arg)
{
	struct pollfd fds[2] = {
		{ .fd = caught_pipe[0], .events = POLLIN },
		{ .fd = session->wake.fd, .events = POLLIN },
	};
	while (!caught && !is_done(arg)) {
		(void) poll(fds, 2, -1);
		wake_drain(&session->wake);
	}
	return caught;
}

int session_wait_fd(int fd)
{
	struct pollfd fds[2] = { { .fd = caught_pipe[0], .events = POLLIN }, { .fd = fd, .events = POLLIN } };
	while (!caught && !fds[1].revents)
		(void) poll(fds, 2, -1);
	return caught;
}

static void give_up(int number)
{
	(void) number;
	_exit(128 + caught);
}

void session_end_within(unsigned seconds)
{
	(void) signal(SIGALRM, give_up);
	(void) alarm(seconds);
}

void session_forget_hangup(void)
{
	char some[16];
	while (caught_pipe[0] >= 0 && read(caught_pipe[0], some, sizeof some) > 0)
		continue;
	if (caught == SIGHUP) /* one that ends things is not forgotten */
		caught = 0;
}

int session_sleep(int seconds)
{
	struct pollfd fd = { .fd = caught_pipe[0], .events = POLLIN };
	if (!caught)
		(void) poll(&fd, 1, seconds * 1000);
	return caught;
}

/* $XDG_STATE_HOME/maestro/columns, or ~/.local/state/maestro/columns; nowhere without either. */
static void columns_path(UiOptions *ui)
{
	const char *xdg = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	bool has_xdg = xdg && *xdg;
	int n = snprintf(ui->columns_path, sizeof ui->columns_path, "%s%s/maestro/columns", has_xdg ? xdg : home ? home : "",
	                 has_xdg ? "" : "/.local/state");
	if ((!has_xdg && !(home && *home)) || n < 0 || (size_t) n >= sizeof ui->columns_path)
		ui->columns_path[0] = '\0';
}

int session_keys(struct Keymap *keymap, struct UiOptions *ui, Error *err)
{
	enum { KEYS_FILE_MOST = 1 << 20 };
	char path[4096];
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	StrBuf text = { 0 }, problems = { 0 };
	bool has_xdg = xdg && *xdg;
	keys_default(keymap);
	ui->keymap = keymap;
	columns_path(ui);
	(void) snprintf(path, sizeof path, "%s%s/maestro/keys.yaml", has_xdg ? xdg : home ? home : "", has_xdg ? "" : "/.config");
	if (access(path, F_OK))
		return 0;
	Error why = { 0 };
	int code = mem_read_file(path, KEYS_FILE_MOST, &text, &why);
	int bad = code ? code : keys_load(text.data ? text.data : "", text.len, keymap, &problems, &why);
	if (bad > 0)
		(void) fprintf(stderr, "maestro: %s:\n%s", path, problems.data ? problems.data : "");
	strbuf_done(&text);
	strbuf_done(&problems);
	return bad < 0 ? error_set(err, ERR_BAD_MODEL, "%.200s: %.200s", path, why.text) : 0;
}

int session_look(UiOptions *ui, const char *screen, const char *glyphs, const char *color, const char *theme, Error *err)
{
	const char *const word[][2] = { { "screen", screen }, { "glyphs", glyphs }, { "color", color }, { "theme", theme } };
	int code = 0;
	session_who(ui->who, sizeof ui->who);
	for (size_t i = 0; i < sizeof word / sizeof *word && !code; i++)
		code = ui_option_set(ui, word[i][0], word[i][1], err);
	return code;
}
