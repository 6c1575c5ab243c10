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

/* One line of its stderr; what came last when there is no more. */
static const char *read_line(Child *child, char *line, size_t size)
{
	size_t len = 0;
	struct pollfd fd = { .fd = child->err_fd, .events = POLLIN };
	while (len + 1 < size && poll(&fd, 1, WAIT_MS) == 1 && read(child->err_fd, line + len, 1) == 1 && line[len] != '\n')
		len++;
	line[len] = '\0';
	return len > 0 ? line : NULL;
}

Child child_start(const char *const *args)
{
	const char *build = getenv("MAESTRO_TEST_BUILD");
	char program[512], line[1024], said[4096] = "";
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
	while (read_line(&child, line, sizeof line)) {
		size_t len = strlen(said);
		(void) snprintf(said + len, sizeof said - len, "%s\n", line);
		const char *at = strstr(line, "listening on "), *colon = at ? strstr(at, ":") : NULL;
		if (colon) {
			child.port = atoi(colon + 1);
			return child;
		}
	}
	give_up("it does not listen; it said", said);
	return child;
}

void child_wait_log(Child *child, const char *text)
{
	char line[1024];
	while (read_line(child, line, sizeof line))
		if (strstr(line, text))
			return;
	give_up("was not said", text);
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
