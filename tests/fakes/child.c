/* See child.h. */
#include "tests/fakes/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ARGS = 40, WAIT_MS = 10000 };

static void give_up(const char *what, const char *detail)
{
	(void) fprintf(stderr, "child: %s: %s\n", what, detail);
	abort();
}

/* The first whole line with text of what was heard and of what comes; NULL: silence, or the end. */
static char *hear(Child *child, const char *text)
{
	struct pollfd fd = { .fd = child->err_fd, .events = POLLIN };
	for (;;) {
		char *at = strstr(child->heard, text);
		if (at && strchr(at, '\n'))
			return at;
		size_t len = strlen(child->heard), half = sizeof child->heard / 2;
		if (len > half) {
			memmove(child->heard, child->heard + len - half, half + 1);
			len = half;
		}
		ssize_t n = poll(&fd, 1, WAIT_MS) == 1 ? read(child->err_fd, child->heard + len, sizeof child->heard - len - 1) : 0;
		if (n <= 0)
			return NULL;
		child->heard[len + (size_t) n] = '\0';
	}
}

Child child_start(const char *const *args)
{
	const char *build = getenv("MAESTRO_TEST_BUILD");
	char program[512];
	const char *argv[ARGS] = { program };
	for (size_t i = 0; args[i] && i + 2 < ARGS; i++)
		argv[i + 1] = args[i];
	(void) snprintf(program, sizeof program, "%s/maestro", build ? build : "build");
	int fds[2];
	if (pipe(fds))
		give_up(program, "no pipe");
	Child child = { .pid = fork(), .err_fd = fds[0] };
	if (child.pid < 0)
		give_up(program, "no process");
	if (child.pid == 0) {
		(void) prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves no server behind */
		(void) dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
		(void) dup2(fds[1], STDERR_FILENO);
		(void) close(fds[0]);
		(void) close(fds[1]);
		(void) execv(program, (char *const *) (uintptr_t) argv);
		_exit(127);
	}
	(void) close(fds[1]);
	const char *at = hear(&child, "listening on "), *colon = at ? strchr(at + strlen("listening on "), ':') : NULL;
	if (!colon)
		give_up("it does not listen; it said", child.heard);
	child.port = atoi(colon + 1);
	return child;
}

void child_wait_log(Child *child, const char *text)
{
	const char *at = hear(child, text);
	if (!at) {
		(void) fprintf(stderr, "child: it said\n%s", child->heard);
		give_up("and was waited for", text);
	}
	const char *end = strchr(at, '\n') + 1;
	memmove(child->heard, end, strlen(end) + 1);
}

int child_end(Child *child, int number)
{
	int status = 0;
	(void) kill(child->pid, number);
	for (int i = 0; waitpid(child->pid, &status, WNOHANG) == 0; i++) {
		if (i == WAIT_MS / 10)
			(void) kill(child->pid, SIGKILL);
		(void) nanosleep(&(struct timespec) { 0, 10000000 }, NULL);
	}
	(void) close(child->err_fd);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
