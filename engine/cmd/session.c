/* See session.h. */
#include "cmd/session.h"

#include "base/mem.h"
#include "cmd/cmd.h"
#include "storage/archive.h"
#include "storage/writer.h"

#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
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

void session_who(char *who, size_t size)
{
	const struct passwd *entry = getpwuid(getuid());
	str_copy(who, size, entry ? entry->pw_name : "unknown");
}

static void stop_signals(sigset_t *set)
{
	(void) sigemptyset(set);
	(void) sigaddset(set, SIGINT);
	(void) sigaddset(set, SIGTERM);
	(void) sigaddset(set, SIGHUP);
}

void session_block_signals(void)
{
	sigset_t set;
	stop_signals(&set);
	(void) pthread_sigmask(SIG_BLOCK, &set, NULL);
}

int session_wait(Session *session, bool (*is_done)(void *arg), void *arg)
{
	sigset_t set;
	stop_signals(&set);
	struct pollfd fds[2] = {
		{ .fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), .events = POLLIN },
		{ .fd = session->wake.fd, .events = POLLIN },
	};
	int signal_number = 0;
	while (!signal_number && !is_done(arg)) {
		(void) poll(fds, 2, -1);
		struct signalfd_siginfo info;
		if (fds[0].revents && read(fds[0].fd, &info, sizeof info) == (ssize_t) sizeof info)
			signal_number = (int) info.ssi_signo;
		wake_drain(&session->wake);
	}
	if (fds[0].fd >= 0)
		(void) close(fds[0].fd);
	return signal_number;
}
